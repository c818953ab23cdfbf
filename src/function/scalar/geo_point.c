// geo_*() functions of points, geohashes, texts and planar edges: those that need no S2.
// Distances and directions are on a sphere unless the ellipsoid is asked for.

#include "function/scalar/geo.h"

#include <math.h>

// ---- points ----

static void
distance_2points(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        double a[2], b[2];
        if (!geo_position(call, 0, i, a) || !geo_position(call, 2, i, b))
            out_null(call, i);
        else
            ((double *)call->out)[i] = geo_flag(call, 4, i) ? geo_opened()->spheroid_distance(a, b)
                                                            : geo_sphere_distance(a, b);
    }
}

// Only a call that may measure on the ellipsoid needs the module.
static bool
distance_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
              Type *type, const void **bound, AzError *error)
{
    return arg_count < 5 || geo_bind(arena, fn, args, arg_count, span, type, bound, error);
}

static void
azimuth(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        double a[2], b[2];
        if (!geo_position(call, 0, i, a) || !geo_position(call, 2, i, b) ||
            !geo_sphere_azimuth(a, b, &((double *)call->out)[i]))
            out_null(call, i);
    }
}

static void
angle(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        double a[2], corner[2], b[2], back, forth;
        if (!geo_position(call, 0, i, a) || !geo_position(call, 2, i, corner) ||
            !geo_position(call, 4, i, b) || !geo_sphere_azimuth(corner, a, &back) ||
            !geo_sphere_azimuth(corner, b, &forth)) {
            out_null(call, i);
            continue;
        }
        double turn = forth - back;
        ((double *)call->out)[i] = turn < 0 ? turn + 2 * M_PI : turn;
    }
}

static void
point_in_circle(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        double point[2], center[2], radius = ARG(call, 4, double, i);
        if (!geo_position(call, 0, i, point) || !geo_position(call, 2, i, center) ||
            !isfinite(radius) || radius <= 0)
            out_null(call, i);
        else
            ((uint8_t *)call->out)[i] = geo_sphere_distance(point, center) <= radius;
    }
}

static void
from_wkt(ScalarCall *call)
{
    DynBuilder *out = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        dyn_builder_reset(out);
        if (geo_push_wkt(out, arg_str(call, 0, i))) {
            out_dyn(call, i);
        } else {
            dyn_builder_reset(out);
            out_null(call, i);
        }
    }
}

// ---- geohash ----

static void
point_to_geohash(ScalarCall *call)
{
    enum { DEFAULT_ACCURACY = 5 };
    for (uint32_t i = 0; i < call->count; i++) {
        double point[2];
        int accuracy;
        if (!geo_position(call, 0, i, point) ||
            !geo_level(call, 2, i, DEFAULT_ACCURACY, GEOHASH_MAX, &accuracy) || accuracy == 0)
            continue;
        char text[GEO_TOKEN_MAX];
        geohash_encode(point, accuracy, text);
        out_str(call, i, str_from(text));
    }
}

static void
geohash_to_central_point(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        GeoBox box;
        if (geohash_decode(arg_str(call, 0, i), &box))
            geo_out_point(call, i,
                          (double[]){(box.west + box.east) / 2, (box.south + box.north) / 2});
        else
            out_null(call, i);
    }
}

static void
geohash_to_polygon(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        GeoBox box;
        if (!geohash_decode(arg_str(call, 0, i), &box)) {
            out_null(call, i);
            continue;
        }
        double corners[] = {box.west, box.south, box.east, box.south,
                            box.east, box.north, box.west, box.north};
        geo_out_ring(call, i, corners, 4);
    }
}

static void
geohash_neighbors_rows(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        char tokens[GEOHASH_NEIGHBORS][GEO_TOKEN_MAX];
        uint32_t count = geohash_neighbors(arg_str(call, 0, i), tokens);
        if (!count) {
            out_null(call, i);
            continue;
        }
        geo_out_token_set(call, i, tokens, count);
    }
}

// ---- densify ----

enum { MAX_POINTS = 10485760 };

// Densifies the edges of one path; false when there are too many points.
static bool
densify_path(Buffer *points, const GeoShape *shape, uint32_t path, double tolerance, bool short_way)
{
    uint32_t from = path ? shape->path_ends[path - 1] : 0, to = shape->path_ends[path];
    bool ring = shape->kind == GEO_POLYGONS;
    for (uint32_t p = from; p + 1 < to || (ring && p + 1 == to); p++) {
        uint32_t next = p + 1 < to ? p + 1 : from;
        if (!geo_densify_edge(points, shape->coordinates + (size_t)2 * p,
                              shape->coordinates + (size_t)2 * next, tolerance, short_way,
                              MAX_POINTS))
            return false;
    }
    if (!ring)
        buffer_put(points, shape->coordinates + (size_t)2 * (to - 1), 2 * sizeof(double));
    return true;
}

static void
densify_rows(ScalarCall *call, GeoKind kind)
{
    GeoReader reader = {0};
    Buffer points = {0}, ends = {0};
    for (uint32_t i = 0; i < call->count; i++) {
        GeoShape shape;
        double tolerance = geo_optional(call, 1, i, GEO_DEFAULT_TOLERANCE);
        bool done = tolerance >= 0.1 && tolerance <= 10000 &&
                    geo_read(&reader, arg_dyn(call, 0, i), kind, &shape);
        buffer_clear(&points);
        buffer_clear(&ends);
        for (uint32_t path = 0; done && path < shape.path_count; path++) {
            done = densify_path(&points, &shape, path, tolerance, geo_flag(call, 2, i));
            uint32_t end = (uint32_t)(points.len / (2 * sizeof(double)));
            buffer_put(&ends, &end, sizeof(end));
        }
        if (!done) {
            out_null(call, i);
            continue;
        }
        Str type = dyn_string(dyn_get(arg_dyn(call, 0, i), STR("type")));
        shape.coordinates = (const double *)points.data;
        shape.path_ends = (const uint32_t *)ends.data;
        dyn_builder_reset(call->scratch->dyn);
        geo_push_shape(call->scratch->dyn, &shape, str_starts(type, STR("Multi")));
        out_dyn(call, i);
    }
    buffer_free(&points);
    buffer_free(&ends);
    geo_reader_free(&reader);
}

static void
line_densify(ScalarCall *call)
{
    densify_rows(call, GEO_LINES);
}

static void
polygon_densify(ScalarCall *call)
{
    densify_rows(call, GEO_POLYGONS);
}

// ---- rows ----

static const ScalarImpl distance_2points_impl = {distance_2points, distance_bind};
PLAIN_IMPL(azimuth);
PLAIN_IMPL(angle);
PLAIN_IMPL(point_in_circle);
PLAIN_IMPL(from_wkt);
PLAIN_IMPL(point_to_geohash);
PLAIN_IMPL(geohash_to_central_point);
PLAIN_IMPL(geohash_to_polygon);
static const ScalarImpl geohash_neighbors_impl = {geohash_neighbors_rows, NULL};
PLAIN_IMPL(line_densify);
PLAIN_IMPL(polygon_densify);

static const FunctionDef ROWS[] = {
    GEO_FUNCTION(distance_2points,
                 "(p1_longitude:real, p1_latitude:real, p2_longitude:real, p2_latitude:real, "
                 "use_spheroid:bool=) : real",
                 "The shortest distance between two points, in meters.",
                 "round(geo_distance_2points(0, 0, 0, 90)) == 10007559"),
    GEO_FUNCTION(azimuth,
                 "(p1_longitude:real, p1_latitude:real, p2_longitude:real, p2_latitude:real) : "
                 "real",
                 "The direction from the first point to the second, in radians clockwise from "
                 "true north.",
                 "round(degrees(geo_azimuth(0, 0, 1, 0)), 6) == 90"),
    GEO_FUNCTION(angle,
                 "(p1_longitude:real, p1_latitude:real, p2_longitude:real, p2_latitude:real, "
                 "p3_longitude:real, p3_latitude:real) : real",
                 "The clockwise angle between the lines from the second point to the first and to "
                 "the third, in radians.",
                 "round(degrees(geo_angle(0, 1, 0, 0, 1, 0)), 6) == 90"),
    GEO_FUNCTION(point_in_circle,
                 "(p_longitude:real, p_latitude:real, pc_longitude:real, pc_latitude:real, "
                 "c_radius:real) : bool",
                 "Whether the point is within a radius, in meters, of the center.",
                 "geo_point_in_circle(0, 1, 0, 0, 112000)"),
    GEO_FUNCTION(from_wkt, "(wkt:textual) : dynamic", "The GeoJSON of a well-known text.",
                 "tostring(geo_from_wkt('POINT (1 2)').coordinates) == '[1,2]'"),
    GEO_FUNCTION(point_to_geohash, "(longitude:real, latitude:real, accuracy:whole=) : string",
                 "The geohash of the point, of 1 to 18 characters (default 5).",
                 "geo_point_to_geohash(-80.195829, 25.802215, 8) == 'dhwfz15h'"),
    GEO_FUNCTION(geohash_to_central_point, "(geohash:string) : dynamic",
                 "The center of the geohash's rectangle.",
                 "tostring(geo_geohash_to_central_point('s').coordinates) == '[22.5,22.5]'"),
    GEO_FUNCTION(geohash_to_polygon, "(geohash:string) : dynamic", "The rectangle of the geohash.",
                 "tostring(geo_geohash_to_polygon('s').coordinates) == "
                 "'[[[0,0],[45,0],[45,45],[0,45],[0,0]]]'"),
    GEO_FUNCTION(geohash_neighbors, "(geohash:string) : dynamic",
                 "The geohashes around the geohash.",
                 "array_length(geo_geohash_neighbors('sunny')) == 8"),
    GEO_FUNCTION(line_densify,
                 "(lineString:bag, tolerance:real=, preserve_crossing:bool=) : dynamic",
                 "The line or multiline with points added, so that geodesics stay within the "
                 "tolerance (meters, default 10) of its planar edges.",
                 "array_length(geo_line_densify(dynamic({'type':'LineString','coordinates':"
                 "[[50,50],[51,51]]})).coordinates) == 9"),
    GEO_FUNCTION(polygon_densify,
                 "(polygon:bag, tolerance:real=, preserve_crossing:bool=) : dynamic",
                 "The polygon or multipolygon with points added, so that geodesics stay within "
                 "the tolerance (meters, default 10) of its planar edges.",
                 "array_length(geo_polygon_densify(dynamic({'type':'Polygon','coordinates':"
                 "[[[10,10],[11,10],[11,11],[10,11],[10,10]]]})).coordinates[0]) == 11"),
};

const FunctionSet GEO_POINT_FUNCTIONS = {ROWS, sizeof(ROWS) / sizeof(ROWS[0])};
