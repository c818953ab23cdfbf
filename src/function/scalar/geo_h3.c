// geo_*() functions of H3 cells.

#include "function/scalar/geo.h"
#include "value/h3.h"

#include <math.h>

enum {
    DEFAULT_RESOLUTION = 6,
    MOST_GENERATIONS = 5, // between a cell and its children
    MOST_DISTANCE = 142,
    MOST_CELLS = 61680,
};

// The cell of an argument; false when the text is none.
static bool
cell_at(const ScalarCall *call, uint32_t k, uint32_t i, H3Cell *cell)
{
    return h3_token_read(arg_str(call, k, i), cell);
}

static void
push_cell(ScalarCall *call, H3Cell cell)
{
    char token[H3_TOKEN_SIZE];
    h3_token_print(cell, token);
    dyn_push_string(call->scratch->dyn, str_from(token));
}

static void
out_cell(ScalarCall *call, uint32_t i, H3Cell cell)
{
    char token[H3_TOKEN_SIZE];
    h3_token_print(cell, token);
    out_str(call, i, str_from(token));
}

static void
point_to_h3cell(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        double point[2];
        int resolution;
        if (geo_position(call, 0, i, point) &&
            geo_level(call, 2, i, DEFAULT_RESOLUTION, H3_MAX_RESOLUTION, &resolution))
            out_cell(call, i, h3_cell_of_point(point, resolution));
    }
}

static void
h3cell_to_central_point(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        H3Cell cell;
        double center[2];
        if (!cell_at(call, 0, i, &cell)) {
            out_null(call, i);
            continue;
        }
        h3_center(cell, center);
        geo_out_point(call, i, center);
    }
}

static void
h3cell_to_polygon(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        H3Cell cell;
        double corners[2 * H3_MAX_BOUNDARY];
        if (!cell_at(call, 0, i, &cell))
            out_null(call, i);
        else
            geo_out_ring(call, i, corners, h3_boundary(cell, corners));
    }
}

static void
h3cell_level(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        H3Cell cell;
        if (cell_at(call, 0, i, &cell))
            ((int32_t *)call->out)[i] = h3_resolution(cell);
        else
            out_null(call, i);
    }
}

// ---- family ----

static void
h3cell_parent(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        H3Cell cell;
        int resolution;
        if (!cell_at(call, 0, i, &cell) ||
            !geo_level(call, 1, i, h3_resolution(cell) - 1, h3_resolution(cell), &resolution))
            continue;
        out_cell(call, i, h3_parent(cell, resolution));
    }
}

static void
h3cell_children(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        H3Cell cell;
        int resolution, level;
        if (!cell_at(call, 0, i, &cell) ||
            !geo_level(call, 1, i, h3_resolution(cell) + 1, H3_MAX_RESOLUTION, &resolution) ||
            resolution < (level = h3_resolution(cell)) || resolution - level > MOST_GENERATIONS) {
            out_null(call, i);
            continue;
        }
        out_array_begin(call);
        for (H3Cell child = h3_first_child(cell, resolution); child;
             child = h3_next_child(child, level))
            push_cell(call, child);
        out_array_finish(call, i);
    }
}

// ---- around ----

static void
h3cell_neighbors(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        H3Cell cell, around[H3_CHILDREN];
        uint32_t ends[2];
        if (!cell_at(call, 0, i, &cell)) {
            out_null(call, i);
            continue;
        }
        h3_disk(cell, 1, around, ends);
        out_array_begin(call);
        for (uint32_t k = 1; k < ends[1]; k++)
            push_cell(call, around[k]);
        out_array_finish(call, i);
    }
}

static void
h3cell_rings(ScalarCall *call)
{
    H3Cell *cells = malloc(h3_disk_size(MOST_DISTANCE) * sizeof(*cells));
    uint32_t ends[MOST_DISTANCE + 1];
    if (!cells)
        abort();
    for (uint32_t i = 0; i < call->count; i++) {
        H3Cell cell;
        int distance;
        if (!cell_at(call, 0, i, &cell) || !geo_level(call, 1, i, 0, MOST_DISTANCE, &distance)) {
            out_null(call, i);
            continue;
        }
        h3_disk(cell, distance, cells, ends);
        out_array_begin(call);
        for (uint32_t ring = 0, k = 0; ring <= (uint32_t)distance; ring++) {
            dyn_begin_array(call->scratch->dyn);
            for (; k < ends[ring]; k++)
                push_cell(call, cells[k]);
            dyn_end_array(call->scratch->dyn);
        }
        out_array_finish(call, i);
    }
    free(cells);
}

// ---- polygons ----

// The cells of all polygons of a shape; false when there are too many.
static bool
cells_of_shape(const GeoShape *shape, int resolution, H3Cells *out)
{
    Arena scratch = {0};
    uint32_t *ends = ARENA_ARRAY(&scratch, uint32_t, shape->path_count);
    bool done = true;
    for (uint32_t p = 0; p < shape->polygon_count && done; p++) {
        uint32_t first = p ? shape->polygon_ends[p - 1] : 0;
        uint32_t rings = shape->polygon_ends[p] - first;
        uint32_t from = first ? shape->path_ends[first - 1] : 0;
        for (uint32_t r = 0; r < rings; r++)
            ends[r] = shape->path_ends[first + r] - from;
        done = h3_cells_of_polygon(shape->coordinates + 2 * (size_t)from, ends, rings, resolution,
                                   MOST_CELLS, out);
    }
    arena_free(&scratch);
    return done;
}

// The shape, grown by the radius when there is one. False when it cannot be.
static bool
grown_shape(GeoFigure *figure, double radius, GeoFigure **grown, GeoShape *out)
{
    *grown = NULL;
    if (!(radius > 0) || radius / GEO_EARTH_RADIUS >= M_PI)
        return false;
    *grown = geo_opened()->buffer(figure, radius / GEO_EARTH_RADIUS,
                                  GEO_DEFAULT_TOLERANCE / GEO_EARTH_RADIUS);
    if (!*grown)
        return false;
    geo_opened()->figure_parts(*grown, GEO_POLYGONS, out);
    return true;
}

static void
polygon_to_h3cells(ScalarCall *call)
{
    GeoArg arg = geo_arg(call, 0, GEO_POLYGONS);
    GeoReader reader = {0};
    H3Cells cells = {.items = malloc(MOST_CELLS * sizeof(H3Cell))};
    char(*tokens)[GEO_TOKEN_MAX] = malloc(MOST_CELLS * sizeof(*tokens));
    if (!cells.items || !tokens)
        abort();
    for (uint32_t i = 0; i < call->count; i++) {
        GeoFigure *figure = geo_arg_figure(&arg, i), *grown = NULL;
        GeoShape shape;
        double radius = geo_optional(call, 2, i, 0);
        int resolution;
        bool done = figure &&
                    geo_level(call, 1, i, DEFAULT_RESOLUTION, H3_MAX_RESOLUTION, &resolution) &&
                    (radius == 0 ? geo_read(&reader, arg_dyn(call, 0, i), GEO_POLYGONS, &shape)
                                 : grown_shape(figure, radius, &grown, &shape));
        cells.len = 0;
        if (done && cells_of_shape(&shape, resolution, &cells)) {
            for (uint32_t k = 0; k < cells.len; k++)
                h3_token_print(cells.items[k], tokens[k]);
            geo_out_token_set(call, i, tokens, cells.len);
        } else {
            out_null(call, i);
        }
        if (grown)
            geo_opened()->figure_free(grown);
    }
    free(cells.items);
    free(tokens);
    geo_reader_free(&reader);
    geo_arg_free(&arg);
}

// ---- rows ----

PLAIN_IMPL(point_to_h3cell);
PLAIN_IMPL(h3cell_to_central_point);
PLAIN_IMPL(h3cell_to_polygon);
PLAIN_IMPL(h3cell_level);
PLAIN_IMPL(h3cell_parent);
PLAIN_IMPL(h3cell_children);
PLAIN_IMPL(h3cell_neighbors);
PLAIN_IMPL(h3cell_rings);
GEO_IMPL(polygon_to_h3cells);

static const FunctionDef ROWS[] = {
    GEO_FUNCTION(point_to_h3cell, "(longitude:real, latitude:real, resolution:whole=) : string",
                 "The token of the point's H3 cell, of resolution 0 to 15 (default 6).",
                 "geo_point_to_h3cell(-74.04450446039874, 40.689250859314974) == "
                 "'862a1072fffffff'"),
    GEO_FUNCTION(
        h3cell_to_central_point, "(h3cell:string) : dynamic", "The center of the H3 cell.",
        "round(toreal(geo_h3cell_to_central_point('862a1072fffffff').coordinates[0]), 6) == "
        "-74.016008"),
    GEO_FUNCTION(h3cell_to_polygon, "(h3cell:string) : dynamic",
                 "The corners of the H3 cell as a polygon.",
                 "array_length(geo_h3cell_to_polygon('862a1072fffffff').coordinates[0]) == 7"),
    GEO_FUNCTION(h3cell_level, "(h3cell:string) : int", "The resolution of the H3 cell.",
                 "geo_h3cell_level('862a1072fffffff') == 6"),
    GEO_FUNCTION(h3cell_parent, "(h3cell:string, resolution:whole=) : string",
                 "The H3 cell's ancestor at the resolution, or its parent.",
                 "geo_h3cell_parent('862a1072fffffff', 1) == '812a3ffffffffff'"),
    GEO_FUNCTION(h3cell_children, "(h3cell:string, resolution:whole=) : dynamic",
                 "The H3 cell's descendants at the resolution, at most 5 finer, or its children.",
                 "array_length(geo_h3cell_children('862a1072fffffff', 9)) == 343"),
    GEO_FUNCTION(h3cell_neighbors, "(h3cell:string) : dynamic",
                 "The H3 cells of the same resolution around the cell.",
                 "array_length(geo_h3cell_neighbors('862a1072fffffff')) == 6"),
    GEO_FUNCTION(h3cell_rings, "(h3cell:string, distance:whole) : dynamic",
                 "The H3 cells up to a distance, 0 to 142 steps, as an array of rings.",
                 "array_length(geo_h3cell_rings('861f8894fffffff', 2)[2]) == 12"),
    GEO_FUNCTION(polygon_to_h3cells, "(polygon:bag, resolution:whole=, radius:real=) : dynamic",
                 "The H3 cells whose centers are in the polygon or multipolygon, grown by a "
                 "radius in meters; null when there are more than 61680.",
                 "array_length(geo_polygon_to_h3cells(dynamic({'type':'Polygon','coordinates':"
                 "[[[-3.659,40.553],[-3.913,40.409],[-3.729,40.273],[-3.524,40.440],"
                 "[-3.659,40.553]]]}))) == 13"),
};

const FunctionSet GEO_H3_FUNCTIONS = {ROWS, sizeof(ROWS) / sizeof(ROWS[0])};
