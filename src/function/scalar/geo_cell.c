// geo_*() functions of S2 cells. A cell is written as its token: the hexadecimal number
// without the zeros at its end.

#include "function/scalar/geo.h"

#include <math.h>
#include <stdio.h>

enum { S2_MAX_LEVEL = 30, S2_DEFAULT_LEVEL = 11, S2_MAX_CELLS = 65536, TOKEN_DIGITS = 16 };

static void
token_print(uint64_t cell, char out[GEO_TOKEN_MAX])
{
    snprintf(out, GEO_TOKEN_MAX, "%016llx", (unsigned long long)cell);
    for (int end = TOKEN_DIGITS; end > 1 && out[end - 1] == '0'; end--)
        out[end - 1] = 0;
}

static bool
token_read(Str token, uint64_t *cell)
{
    if (token.len == 0 || token.len > TOKEN_DIGITS)
        return false;
    *cell = 0;
    for (size_t i = 0; i < TOKEN_DIGITS; i++) {
        char c = i < token.len ? token.ptr[i] : '0';
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (c >= 'A' && c <= 'F')
            digit = c - 'A' + 10;
        if (digit < 0)
            return false;
        *cell = *cell << 4 | (uint64_t)digit;
    }
    return geo_opened()->cell_valid(*cell);
}

static void
point_to_s2cell(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        double point[2];
        int level;
        if (!geo_position(call, 0, i, point) ||
            !geo_level(call, 2, i, S2_DEFAULT_LEVEL, S2_MAX_LEVEL, &level))
            continue;
        char token[GEO_TOKEN_MAX];
        token_print(geo_opened()->cell_of_point(point, level), token);
        out_str(call, i, str_from(token));
    }
}

static void
s2cell_to_central_point(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        uint64_t cell;
        double center[2];
        if (!token_read(arg_str(call, 0, i), &cell)) {
            out_null(call, i);
            continue;
        }
        geo_opened()->cell_center(cell, center);
        geo_out_point(call, i, center);
    }
}

static void
s2cell_to_polygon(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        uint64_t cell;
        double corners[8];
        if (!token_read(arg_str(call, 0, i), &cell)) {
            out_null(call, i);
            continue;
        }
        geo_opened()->cell_corners(cell, corners);
        geo_out_ring(call, i, corners, 4);
    }
}

static void
s2cell_neighbors(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        uint64_t cell, cells[GEOHASH_NEIGHBORS];
        if (!token_read(arg_str(call, 0, i), &cell)) {
            out_null(call, i);
            continue;
        }
        char tokens[GEOHASH_NEIGHBORS][GEO_TOKEN_MAX];
        uint32_t count = geo_opened()->cell_neighbors(cell, cells, GEOHASH_NEIGHBORS);
        for (uint32_t k = 0; k < count; k++)
            token_print(cells[k], tokens[k]);
        geo_out_token_set(call, i, tokens, count);
    }
}

static void
cover_rows(ScalarCall *call, GeoKind kind)
{
    GeoArg arg = geo_arg(call, 0, kind);
    uint64_t *cells = calloc(S2_MAX_CELLS, sizeof(*cells));
    if (!cells)
        abort();
    for (uint32_t i = 0; i < call->count; i++) {
        GeoFigure *figure = geo_arg_figure(&arg, i);
        double radius = geo_optional(call, 2, i, 0);
        int level;
        int64_t count = -1;
        if (figure && radius >= 0 && isfinite(radius) &&
            geo_level(call, 1, i, S2_DEFAULT_LEVEL, S2_MAX_LEVEL, &level))
            count = geo_opened()->cover(figure, level, fmin(radius / GEO_EARTH_RADIUS, M_PI), cells,
                                        S2_MAX_CELLS);
        if (count < 0) {
            out_null(call, i);
            continue;
        }
        out_array_begin(call);
        for (int64_t k = 0; k < count; k++) {
            char token[GEO_TOKEN_MAX];
            token_print(cells[k], token);
            dyn_push_string(call->scratch->dyn, str_from(token));
        }
        out_array_finish(call, i);
    }
    free(cells);
    geo_arg_free(&arg);
}

static void
line_to_s2cells(ScalarCall *call)
{
    cover_rows(call, GEO_LINES);
}

static void
polygon_to_s2cells(ScalarCall *call)
{
    cover_rows(call, GEO_POLYGONS);
}

// ---- rows ----

GEO_IMPL(point_to_s2cell);
GEO_IMPL(s2cell_to_central_point);
GEO_IMPL(s2cell_to_polygon);
GEO_IMPL(s2cell_neighbors);
GEO_IMPL(line_to_s2cells);
GEO_IMPL(polygon_to_s2cells);

static const FunctionDef ROWS[] = {
    GEO_FUNCTION(point_to_s2cell, "(longitude:real, latitude:real, level:whole=) : string",
                 "The token of the point's S2 cell, of level 0 to 30 (default 11).",
                 "geo_point_to_s2cell(-80.195829, 25.802215, 8) == '88d9b'"),
    GEO_FUNCTION(
        s2cell_to_central_point, "(s2cell:string) : dynamic", "The center of the S2 cell.",
        "round(toreal(geo_s2cell_to_central_point('1234567').coordinates[0]), 6) == 9.868307"),
    GEO_FUNCTION(s2cell_to_polygon, "(s2cell:string) : dynamic",
                 "The four corners of the S2 cell as a polygon.",
                 "array_length(geo_s2cell_to_polygon('89c259').coordinates[0]) == 5"),
    GEO_FUNCTION(s2cell_neighbors, "(s2cell:string) : dynamic",
                 "The S2 cells of the same level around the cell.",
                 "array_length(geo_s2cell_neighbors('89c259')) == 8"),
    GEO_FUNCTION(line_to_s2cells, "(lineString:bag, level:whole=, radius:real=) : dynamic",
                 "The S2 cells of a level that cover the line or multiline and what lies within "
                 "the radius, in meters; null when there are more than 65536.",
                 "array_length(geo_line_to_s2cells(dynamic({'type':'LineString','coordinates':"
                 "[[1,1],[1.001,1]]}), 5)) == 1"),
    GEO_FUNCTION(polygon_to_s2cells, "(polygon:bag, level:whole=, radius:real=) : dynamic",
                 "The S2 cells of a level that cover the polygon or multipolygon and what lies "
                 "within the radius, in meters; null when there are more than 65536.",
                 "array_length(geo_polygon_to_s2cells(dynamic({'type':'Polygon','coordinates':"
                 "[[[0,0],[0,50],[100,50],[0,0]]]}), 5)) == 286"),
};

const FunctionSet GEO_CELL_FUNCTIONS = {ROWS, sizeof(ROWS) / sizeof(ROWS[0])};
