// geo_polygon_lookup, geo_line_lookup: points joined with a table of polygons or lines.
//
// A point belongs to the polygons that hold it, or with a radius to the polygons or lines
// within it. The table's shapes are put into one index of the S2 module, which all workers
// ask; rows whose shape is not valid match nothing. What the service uses to choose its own
// way of matching (`lookup_area_radius`, once `join_hint`) is accepted and not needed.

#include "base/array.h"
#include "exec/plugin/lookup.h"
#include "value/geo_json.h"
#include "value/geo_module.h"
#include "value/geo_sphere.h"

#include <math.h>

enum {
    PARAM_TABLE,
    PARAM_SHAPE,
    PARAM_LONGITUDE,
    PARAM_LATITUDE,
    PARAM_RADIUS,
    PARAM_UNMATCHED,
    PARAM_AREA_RADIUS,
    PARAM_KEY,
    PARAM_JOIN_HINT,
    PARAM_COUNT,
};

// ---- binding ----

static bool
geo_lookup_bind(PluginBind *bind)
{
    const PluginCall *call = bind->call;
    const Plan *table = plugin_arg(call, PARAM_TABLE)->table;
    const Expr *shape = plugin_arg(call, PARAM_SHAPE)->expr;
    Value keep;
    AzError why = {0};
    if (!geo_module(&why))
        return plugin_fail(bind, call->span, "%s cannot run: %s", call->plugin->name, why.message);
    if (!plugin_bind_value(bind, PARAM_KEY, &keep))
        return false;
    bool *skip = ARENA_ARRAY(bind->arena, bool, table->schema.count + 1);
    if (shape->kind == EXPR_COLUMN)
        skip[shape->column] = keep.is_null || !keep.boolean;
    return lookup_bind(bind, table, skip, NULL);
}

// ---- running ----

static void
add_hit(void *context, uint32_t row)
{
    RowList *hits = context;
    ARRAY_PUSH(hits->arena, hits, row);
}

static void
match_shapes(const Lookup *lookup, const Vector *const *values, uint32_t row, RowList *hits)
{
    if (vector_is_null(values[0], row) || vector_is_null(values[1], row))
        return;
    double point[2];
    memcpy(&point[0], vector_cell(values[0], row), sizeof(point[0]));
    memcpy(&point[1], vector_cell(values[1], row), sizeof(point[1]));
    if (geo_valid_position(point[0], point[1]))
        geo_module(NULL)->finder_find(lookup->state, point, add_hit, hits);
}

typedef struct Shapes {
    GeoFigure **figures; // of each row of the table; NULL: not valid
    uint32_t count;
    GeoFinder *finder;
} Shapes;

static void
shapes_free(Shapes *shapes)
{
    const GeoModule *geo = geo_module(NULL);
    if (shapes->finder)
        geo->finder_free(shapes->finder);
    for (uint32_t i = 0; i < shapes->count; i++)
        if (shapes->figures[i])
            geo->figure_free(shapes->figures[i]);
}

// False with an error when the query must stop.
static bool
shapes_read(PluginRun *run, const Vector *column, uint32_t rows, GeoKind kind, double radius,
            Shapes *out)
{
    const GeoModule *geo = geo_module(NULL);
    GeoReader reader = {0};
    out->figures = ARENA_ARRAY(&run->exec->workers[0].keep, GeoFigure *, rows + 1);
    for (; out->count < rows; out->count++) {
        GeoShape shape;
        if (!plugin_check(run))
            break;
        if (!vector_is_null(column, out->count) &&
            geo_read(&reader, dyn_of_text(vector_cell(column, out->count)), kind, &shape))
            out->figures[out->count] = geo->figure_new(&shape);
    }
    geo_reader_free(&reader);
    if (out->count < rows)
        return false;
    out->finder = geo->finder_new(out->figures, rows, radius);
    return out->finder ||
           plugin_error(run, AZ_LIMIT, run->call->span,
                        "there is not enough memory for the shapes of %s", run->call->plugin->name);
}

static ResultTable *
geo_lookup_run(PluginRun *run, GeoKind kind)
{
    const PluginCall *call = run->call;
    const Expr *shape = plugin_arg(call, PARAM_SHAPE)->expr;
    Lookup lookup = {.match = match_shapes, .expr_count = 2};
    Expr *exprs[] = {plugin_arg(call, PARAM_LONGITUDE)->expr,
                     plugin_arg(call, PARAM_LATITUDE)->expr};
    Value radius, unmatched;
    if (!plugin_value(run, PARAM_RADIUS, TYPE_REAL, &radius) ||
        !plugin_value(run, PARAM_UNMATCHED, TYPE_BOOL, &unmatched))
        return NULL;
    if (!radius.is_null && !(radius.real >= 0 && isfinite(radius.real)))
        return plugin_error(run, AZ_INVALID, plugin_arg(call, PARAM_RADIUS)->span,
                            "the radius of %s must be a number of meters, not negative",
                            call->plugin->name);
    if (!lookup_read(run, &lookup, plugin_arg(call, PARAM_TABLE)->table))
        return NULL;
    lookup.exprs = exprs;
    lookup.keep_unmatched = !unmatched.is_null && unmatched.boolean;
    Shapes shapes = {0};
    Pipeline pipeline = {0};
    ResultTable *result = NULL;
    double angle = radius.is_null ? -1 : fmin(radius.real / GEO_EARTH_RADIUS, M_PI);
    if (shapes_read(run, lookup.table->columns[shape->column], lookup.table_rows, kind, angle,
                    &shapes)) {
        lookup.state = shapes.finder;
        if (lookup_build(run, &lookup, &pipeline))
            result = pipeline_collect(run->exec, &pipeline, &run->plan->schema, -1, run->error);
    }
    shapes_free(&shapes);
    return result;
}

static ResultTable *
polygon_lookup_run(PluginRun *run)
{
    return geo_lookup_run(run, GEO_POLYGONS);
}

static ResultTable *
line_lookup_run(PluginRun *run)
{
    return geo_lookup_run(run, GEO_LINES);
}

// ---- rows ----

static const PluginImpl POLYGON = {.bind = geo_lookup_bind, .run = polygon_lookup_run};
static const PluginImpl LINE = {.bind = geo_lookup_bind, .run = line_lookup_run};

#define PARAMS(SHAPE, RADIUS_FLAGS)                                                                \
    {                                                                                              \
        [PARAM_TABLE] = {"LookupTable", PLUGIN_TABLE, NULL, 0},                                    \
        [PARAM_SHAPE] = {SHAPE, PLUGIN_TABLE_COLUMN, "dynamic", 0},                                \
        [PARAM_LONGITUDE] = {"SourceLongitude", PLUGIN_EXPRESSION, "real", 0},                     \
        [PARAM_LATITUDE] = {"SourceLatitude", PLUGIN_EXPRESSION, "real", 0},                       \
        [PARAM_RADIUS] = {"radius", PLUGIN_CONSTANT, "real", RADIUS_FLAGS},                        \
        [PARAM_UNMATCHED] = {"return_unmatched", PLUGIN_CONSTANT, "bool", PLUGIN_OPTIONAL},        \
        [PARAM_AREA_RADIUS] = {"lookup_area_radius", PLUGIN_CONSTANT, "real", PLUGIN_OPTIONAL},    \
        [PARAM_KEY] = {"return_lookup_key", PLUGIN_CONSTANT, "bool", PLUGIN_OPTIONAL},             \
        [PARAM_JOIN_HINT] = {"join_hint", PLUGIN_CONSTANT, "real", PLUGIN_OPTIONAL},               \
    }

static const PluginParam POLYGON_PARAMS[PARAM_COUNT] = PARAMS("LookupPolygonKey", PLUGIN_OPTIONAL);
static const PluginParam LINE_PARAMS[PARAM_COUNT] = PARAMS("LookupLineKey", 0);

static const PluginDef ROWS[] = {
    {.name = "geo_polygon_lookup",
     .doc = "Joins points with the polygons of a table that hold them or are within a radius.",
     .params = POLYGON_PARAMS,
     .param_count = PARAM_COUNT,
     .impl = &POLYGON},
    {.name = "geo_line_lookup",
     .doc = "Joins points with the lines of a table that are within a radius.",
     .params = LINE_PARAMS,
     .param_count = PARAM_COUNT,
     .impl = &LINE},
};

const PluginSet GEO_LOOKUP_PLUGINS = {ROWS, COUNT_OF(ROWS)};
