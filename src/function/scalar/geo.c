// What the files of the geo_*() functions share: arguments and results.
//
// Shapes come as GeoJSON in dynamic values. What is not valid (a coordinate out of range,
// a ring that crosses itself, a level that does not exist) makes the result null, as
// Kusto documents for each of these functions.

#include "function/scalar/geo.h"

bool
geo_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
         Type *type, const void **bound, AzError *error)
{
    (void)arena, (void)args, (void)arg_count, (void)type, (void)bound;
    AzError why = {0};
    if (geo_module(&why))
        return true;
    return error_at(error, why.code, span, "%s() cannot run: %s", fn->name, why.message);
}

const GeoModule *
geo_opened(void)
{
    return geo_module(NULL);
}

// ---- arguments ----

bool
geo_position(const ScalarCall *call, uint32_t k, uint32_t i, double out[2])
{
    out[0] = ARG(call, k, double, i);
    out[1] = ARG(call, k + 1, double, i);
    return geo_valid_position(out[0], out[1]);
}

double
geo_optional(const ScalarCall *call, uint32_t k, uint32_t i, double otherwise)
{
    return k < call->arg_count ? ARG(call, k, double, i) : otherwise;
}

bool
geo_level(const ScalarCall *call, uint32_t k, uint32_t i, int otherwise, int max, int *out)
{
    int64_t level = k < call->arg_count ? ARG(call, k, int64_t, i) : otherwise;
    *out = level >= 0 && level <= max ? (int)level : -1;
    return *out >= 0;
}

bool
geo_flag(const ScalarCall *call, uint32_t k, uint32_t i)
{
    return k < call->arg_count && ARG(call, k, uint8_t, i);
}

GeoArg
geo_arg(ScalarCall *call, uint32_t k, GeoKind kind)
{
    return (GeoArg){.call = call, .k = k, .kind = kind};
}

static GeoFigure *
figure_read(GeoReader *reader, Dyn json, GeoKind kind, bool one_line)
{
    GeoShape shape;
    bool valid =
        one_line ? geo_read_line(reader, json, &shape) : geo_read(reader, json, kind, &shape);
    return valid ? geo_opened()->figure_new(&shape) : NULL;
}

GeoFigure *
geo_arg_figure(GeoArg *arg, uint32_t i)
{
    if (arg_is_null(arg->call, arg->k, i))
        return NULL;
    // Rows of a batch that share their bytes share their figure.
    Dyn json = arg_dyn(arg->call, arg->k, i);
    if (json.ptr == arg->seen)
        return arg->figure;
    if (arg->figure)
        geo_opened()->figure_free(arg->figure);
    arg->figure = figure_read(&arg->reader, json, arg->kind, arg->one_line);
    arg->seen = json.ptr;
    return arg->figure;
}

void
geo_arg_free(GeoArg *arg)
{
    if (arg->figure)
        geo_opened()->figure_free(arg->figure);
    geo_reader_free(&arg->reader);
}

bool
geo_figures_read(Dyn array, GeoKind kind, GeoFigures *out)
{
    *out = (GeoFigures){0};
    uint32_t count = dyn_kind(array) == DYN_ARRAY ? dyn_count(array) : 0;
    GeoReader reader = {0};
    out->items = calloc(count ? count : 1, sizeof(*out->items));
    if (!out->items)
        abort();
    while (out->len < count) {
        GeoFigure *figure = figure_read(&reader, dyn_at(array, out->len), kind, false);
        if (!figure)
            break;
        out->items[out->len++] = figure;
    }
    geo_reader_free(&reader);
    return count > 0 && out->len == count;
}

void
geo_figures_free(GeoFigures *figures)
{
    for (uint32_t i = 0; i < figures->len; i++)
        geo_opened()->figure_free(figures->items[i]);
    free(figures->items);
}

// ---- results ----

void
geo_out_point(ScalarCall *call, uint32_t i, const double position[2])
{
    dyn_builder_reset(call->scratch->dyn);
    geo_push_point(call->scratch->dyn, position);
    out_dyn(call, i);
}

void
geo_out_ring(ScalarCall *call, uint32_t i, const double *coordinates, uint32_t count)
{
    dyn_builder_reset(call->scratch->dyn);
    geo_push_ring(call->scratch->dyn, coordinates, count);
    out_dyn(call, i);
}

// The parts of a figure share one memory, so each kind is copied before the next is asked for.
static GeoShape
shape_copy(Arena *arena, const GeoShape *shape)
{
    GeoShape copy = *shape;
    copy.coordinates =
        arena_copy(arena, shape->coordinates, 2 * sizeof(double) * shape->point_count);
    copy.path_ends = arena_copy(arena, shape->path_ends, sizeof(uint32_t) * shape->path_count);
    copy.polygon_ends =
        arena_copy(arena, shape->polygon_ends, sizeof(uint32_t) * shape->polygon_count);
    return copy;
}

void
geo_out_figure(ScalarCall *call, uint32_t i, GeoFigure *figure, bool empty_is_null)
{
    enum { KINDS = 3 };
    if (!figure) {
        out_null(call, i);
        return;
    }
    Arena scratch = {0};
    GeoShape shapes[KINDS];
    bool any = false;
    for (int kind = 0; kind < KINDS; kind++) {
        GeoShape shape;
        geo_opened()->figure_parts(figure, (GeoKind)kind, &shape);
        shapes[kind] = shape_copy(&scratch, &shape);
        any = any || shape.point_count > 0;
    }
    geo_opened()->figure_free(figure);
    if (any || !empty_is_null) {
        dyn_builder_reset(call->scratch->dyn);
        geo_push_shapes(call->scratch->dyn, shapes, KINDS);
        out_dyn(call, i);
    } else {
        out_null(call, i);
    }
    arena_free(&scratch);
}

void
geo_out_token_set(ScalarCall *call, uint32_t i, const char (*tokens)[GEO_TOKEN_MAX], uint32_t count)
{
    Arena scratch = {0};
    uint32_t *order = ARENA_ARRAY(&scratch, uint32_t, count);
    uint32_t distinct = geo_set_order(tokens, count, order);
    out_array_begin(call);
    for (uint32_t k = 0; k < distinct; k++)
        dyn_push_string(call->scratch->dyn, str_from(tokens[order[k]]));
    out_array_finish(call, i);
    arena_free(&scratch);
}
