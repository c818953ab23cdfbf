// geo_*() functions of lines and polygons: measures, relations and new shapes, by S2.

#include "function/scalar/geo.h"

#include <math.h>

static double
to_radians(double meters)
{
    return meters / GEO_EARTH_RADIUS;
}

// ---- a point and a shape ----

static void
point_in_polygon(ScalarCall *call)
{
    GeoArg arg = geo_arg(call, 2, GEO_POLYGONS);
    for (uint32_t i = 0; i < call->count; i++) {
        double point[2];
        GeoFigure *figure = geo_arg_figure(&arg, i);
        if (!figure || !geo_position(call, 0, i, point))
            out_null(call, i);
        else
            ((uint8_t *)call->out)[i] = geo_opened()->contains(figure, point);
    }
    geo_arg_free(&arg);
}

// The nearest point of the shape, or how far it is.
static void
closest_rows(ScalarCall *call, GeoKind kind, bool distance_only)
{
    GeoArg arg = geo_arg(call, 2, kind);
    for (uint32_t i = 0; i < call->count; i++) {
        double point[2], nearest[2], distance;
        GeoFigure *figure = geo_arg_figure(&arg, i);
        if (!figure || !geo_position(call, 0, i, point) ||
            !geo_opened()->closest(figure, point, nearest, &distance))
            out_null(call, i);
        else if (distance_only)
            ((double *)call->out)[i] = distance * GEO_EARTH_RADIUS;
        else
            geo_out_point(call, i, nearest);
    }
    geo_arg_free(&arg);
}

static void
distance_point_to_line(ScalarCall *call)
{
    closest_rows(call, GEO_LINES, true);
}

static void
distance_point_to_polygon(ScalarCall *call)
{
    closest_rows(call, GEO_POLYGONS, true);
}

static void
closest_point_on_line(ScalarCall *call)
{
    closest_rows(call, GEO_LINES, false);
}

static void
closest_point_on_polygon(ScalarCall *call)
{
    closest_rows(call, GEO_POLYGONS, false);
}

// ---- measures of one shape ----

static void
measure_rows(ScalarCall *call, GeoKind kind, double (*measure)(GeoFigure *), double unit)
{
    GeoArg arg = geo_arg(call, 0, kind);
    for (uint32_t i = 0; i < call->count; i++) {
        GeoFigure *figure = geo_arg_figure(&arg, i);
        double value = figure ? measure(figure) : -1;
        if (value < 0)
            out_null(call, i);
        else
            ((double *)call->out)[i] = value * unit;
    }
    geo_arg_free(&arg);
}

static void
line_length(ScalarCall *call)
{
    measure_rows(call, GEO_LINES, geo_opened()->length, GEO_EARTH_RADIUS);
}

static void
polygon_perimeter(ScalarCall *call)
{
    measure_rows(call, GEO_POLYGONS, geo_opened()->length, GEO_EARTH_RADIUS);
}

static void
polygon_area(ScalarCall *call)
{
    measure_rows(call, GEO_POLYGONS, geo_opened()->area, GEO_EARTH_RADIUS * GEO_EARTH_RADIUS);
}

static void
centroid_rows(ScalarCall *call, GeoKind kind)
{
    GeoArg arg = geo_arg(call, 0, kind);
    for (uint32_t i = 0; i < call->count; i++) {
        double center[2];
        GeoFigure *figure = geo_arg_figure(&arg, i);
        if (figure && geo_opened()->centroid(figure, center))
            geo_out_point(call, i, center);
        else
            out_null(call, i);
    }
    geo_arg_free(&arg);
}

static void
line_centroid(ScalarCall *call)
{
    centroid_rows(call, GEO_LINES);
}

static void
polygon_centroid(ScalarCall *call)
{
    centroid_rows(call, GEO_POLYGONS);
}

static void
line_interpolate_point(ScalarCall *call)
{
    GeoArg arg = geo_arg(call, 0, GEO_LINES);
    arg.one_line = true;
    for (uint32_t i = 0; i < call->count; i++) {
        double at[2], fraction = ARG(call, 1, double, i);
        GeoFigure *figure = geo_arg_figure(&arg, i);
        if (figure && fraction >= 0 && fraction <= 1 &&
            geo_opened()->interpolate(figure, fraction, at))
            geo_out_point(call, i, at);
        else
            out_null(call, i);
    }
    geo_arg_free(&arg);
}

static void
line_locate_point(ScalarCall *call)
{
    GeoArg arg = geo_arg(call, 0, GEO_LINES);
    arg.one_line = true;
    for (uint32_t i = 0; i < call->count; i++) {
        double point[2], fraction = -1;
        GeoFigure *figure = geo_arg_figure(&arg, i);
        if (figure && geo_position(call, 1, i, point))
            fraction = geo_opened()->locate(figure, point, geo_flag(call, 3, i));
        if (fraction < 0)
            out_null(call, i);
        else
            ((double *)call->out)[i] = fraction;
    }
    geo_arg_free(&arg);
}

// ---- two shapes ----

static void
intersect_rows(ScalarCall *call, GeoKind first, GeoKind second, bool test_only)
{
    GeoArg a = geo_arg(call, 0, first), b = geo_arg(call, 1, second);
    for (uint32_t i = 0; i < call->count; i++) {
        GeoFigure *fa = geo_arg_figure(&a, i), *fb = geo_arg_figure(&b, i);
        if (!fa || !fb)
            out_null(call, i);
        else if (test_only)
            ((uint8_t *)call->out)[i] = geo_opened()->intersects(fa, fb);
        else
            geo_out_figure(call, i, geo_opened()->intersection(fa, fb), false);
    }
    geo_arg_free(&a);
    geo_arg_free(&b);
}

static void
intersects_2lines(ScalarCall *call)
{
    intersect_rows(call, GEO_LINES, GEO_LINES, true);
}

static void
intersects_2polygons(ScalarCall *call)
{
    intersect_rows(call, GEO_POLYGONS, GEO_POLYGONS, true);
}

static void
intersects_line_with_polygon(ScalarCall *call)
{
    intersect_rows(call, GEO_LINES, GEO_POLYGONS, true);
}

static void
intersection_2lines(ScalarCall *call)
{
    intersect_rows(call, GEO_LINES, GEO_LINES, false);
}

static void
intersection_2polygons(ScalarCall *call)
{
    intersect_rows(call, GEO_POLYGONS, GEO_POLYGONS, false);
}

static void
intersection_line_with_polygon(ScalarCall *call)
{
    intersect_rows(call, GEO_LINES, GEO_POLYGONS, false);
}

// ---- arrays of shapes ----

static void
union_rows(ScalarCall *call, GeoKind kind)
{
    for (uint32_t i = 0; i < call->count; i++) {
        GeoFigures figures;
        GeoFigure *united = NULL;
        if (geo_figures_read(arg_dyn(call, 0, i), kind, &figures))
            united = geo_opened()->unite(figures.items, figures.len);
        geo_figures_free(&figures);
        geo_out_figure(call, i, united, true);
    }
}

static void
union_lines_array(ScalarCall *call)
{
    union_rows(call, GEO_LINES);
}

static void
union_polygons_array(ScalarCall *call)
{
    union_rows(call, GEO_POLYGONS);
}

static bool
simplify_tolerance(const ScalarCall *call, uint32_t i, double *out)
{
    *out = to_radians(geo_optional(call, 1, i, GEO_DEFAULT_TOLERANCE));
    return *out >= 0 && *out < geo_opened()->max_tolerance;
}

static void
simplify_polygons_array(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        GeoFigures figures;
        GeoFigure *simple = NULL;
        double tolerance;
        if (geo_figures_read(arg_dyn(call, 0, i), GEO_POLYGONS, &figures) &&
            simplify_tolerance(call, i, &tolerance))
            simple = geo_opened()->simplify(figures.items, figures.len, tolerance);
        geo_figures_free(&figures);
        geo_out_figure(call, i, simple, true);
    }
}

static void
simplify_rows(ScalarCall *call, GeoKind kind)
{
    GeoArg arg = geo_arg(call, 0, kind);
    for (uint32_t i = 0; i < call->count; i++) {
        GeoFigure *figure = geo_arg_figure(&arg, i), *simple = NULL;
        double tolerance;
        if (figure && simplify_tolerance(call, i, &tolerance))
            simple = geo_opened()->simplify(&figure, 1, tolerance);
        geo_out_figure(call, i, simple, true);
    }
    geo_arg_free(&arg);
}

static void
line_simplify(ScalarCall *call)
{
    simplify_rows(call, GEO_LINES);
}

static void
polygon_simplify(ScalarCall *call)
{
    simplify_rows(call, GEO_POLYGONS);
}

// ---- buffers ----

// Radius and tolerance from the arguments k and k + 1. NULL when they or the figure are
// not valid.
static GeoFigure *
buffered(const ScalarCall *call, uint32_t k, uint32_t i, GeoFigure *figure)
{
    double radius = ARG(call, k, double, i);
    double tolerance = geo_optional(call, k + 1, i, GEO_DEFAULT_TOLERANCE);
    if (!figure || !(radius > 0) || !isfinite(radius) || !(tolerance > 0) ||
        to_radians(radius) >= M_PI)
        return NULL;
    return geo_opened()->buffer(figure, to_radians(radius), to_radians(tolerance));
}

static void
buffer_rows(ScalarCall *call, GeoKind kind)
{
    GeoArg arg = geo_arg(call, 0, kind);
    for (uint32_t i = 0; i < call->count; i++)
        geo_out_figure(call, i, buffered(call, 1, i, geo_arg_figure(&arg, i)), true);
    geo_arg_free(&arg);
}

static void
line_buffer(ScalarCall *call)
{
    buffer_rows(call, GEO_LINES);
}

static void
polygon_buffer(ScalarCall *call)
{
    buffer_rows(call, GEO_POLYGONS);
}

static void
point_buffer(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        double point[2];
        GeoFigure *center = NULL;
        if (geo_position(call, 0, i, point))
            center = geo_opened()->figure_new(
                &(GeoShape){.kind = GEO_POINTS, .coordinates = point, .point_count = 1});
        geo_out_figure(call, i, buffered(call, 2, i, center), true);
        if (center)
            geo_opened()->figure_free(center);
    }
}

// ---- rows ----

GEO_IMPL(point_in_polygon);
GEO_IMPL(distance_point_to_line);
GEO_IMPL(distance_point_to_polygon);
GEO_IMPL(closest_point_on_line);
GEO_IMPL(closest_point_on_polygon);
GEO_IMPL(line_length);
GEO_IMPL(polygon_perimeter);
GEO_IMPL(polygon_area);
GEO_IMPL(line_centroid);
GEO_IMPL(polygon_centroid);
GEO_IMPL(line_interpolate_point);
GEO_IMPL(line_locate_point);
GEO_IMPL(intersects_2lines);
GEO_IMPL(intersects_2polygons);
GEO_IMPL(intersects_line_with_polygon);
GEO_IMPL(intersection_2lines);
GEO_IMPL(intersection_2polygons);
GEO_IMPL(intersection_line_with_polygon);
GEO_IMPL(union_lines_array);
GEO_IMPL(union_polygons_array);
GEO_IMPL(simplify_polygons_array);
GEO_IMPL(line_simplify);
GEO_IMPL(polygon_simplify);
GEO_IMPL(line_buffer);
GEO_IMPL(polygon_buffer);
GEO_IMPL(point_buffer);

#define LINE(COORDINATES)   "dynamic({'type':'LineString','coordinates':" COORDINATES "})"
#define SQUARE(COORDINATES) "dynamic({'type':'Polygon','coordinates':[" COORDINATES "]})"

static const FunctionDef ROWS[] = {
    GEO_FUNCTION(point_in_polygon, "(longitude:real, latitude:real, polygon:bag) : bool",
                 "Whether the point is in the polygon or multipolygon.",
                 "geo_point_in_polygon(1, 1, " SQUARE("[[0,0],[2,0],[2,2],[0,2],[0,0]]") ")"),
    GEO_FUNCTION(distance_point_to_line, "(longitude:real, latitude:real, lineString:bag) : real",
                 "The shortest distance between the point and the line or multiline, in meters.",
                 "round(geo_distance_point_to_line(1, 1, " LINE("[[0,0],[2,0]]") ")) == 111195"),
    GEO_FUNCTION(
        distance_point_to_polygon, "(longitude:real, latitude:real, polygon:bag) : real",
        "The shortest distance between the point and the polygon or multipolygon, in "
        "meters; 0 inside.",
        "geo_distance_point_to_polygon(1, 1, " SQUARE("[[0,0],[2,0],[2,2],[0,2],[0,0]]") ") == 0"),
    GEO_FUNCTION(closest_point_on_line, "(longitude:real, latitude:real, lineString:bag) : dynamic",
                 "The point of the line or multiline that is nearest to the point.",
                 "geo_closest_point_on_line(3, 0, " LINE("[[0,0],[2,0]]") ").coordinates[0] == 2"),
    GEO_FUNCTION(closest_point_on_polygon, "(longitude:real, latitude:real, polygon:bag) : dynamic",
                 "The point of the polygon or multipolygon that is nearest to the point.",
                 "geo_closest_point_on_polygon(1, 1, " SQUARE(
                     "[[0,0],[2,0],[2,2],[0,2],[0,0]]") ").coordinates[1] == 1"),
    GEO_FUNCTION(line_length, "(lineString:bag) : real",
                 "The length of the line or multiline, in meters.",
                 "round(geo_line_length(" LINE("[[0,0],[0,1]]") ")) == 111195"),
    GEO_FUNCTION(polygon_perimeter, "(polygon:bag) : real",
                 "The length of the boundary of the polygon or multipolygon, in meters.",
                 "round(geo_polygon_perimeter(" SQUARE("[[0,0],[90,0],[0,90],[0,0]]") ")) == "
                                                                                      "30022677"),
    GEO_FUNCTION(polygon_area, "(polygon:bag) : real",
                 "The area of the polygon or multipolygon, in square meters.",
                 "round(geo_polygon_area(" SQUARE("[[0,0],[90,0],[0,90],[0,0]]") ") / 1e12, 2) == "
                                                                                 "63.76"),
    GEO_FUNCTION(
        line_centroid, "(lineString:bag) : dynamic", "The centroid of the line or multiline.",
        "round(toreal(geo_line_centroid(" LINE("[[0,0],[2,0]]") ").coordinates[0]), 9) == 1"),
    GEO_FUNCTION(polygon_centroid, "(polygon:bag) : dynamic",
                 "The centroid of the polygon or multipolygon.",
                 "round(toreal(geo_polygon_centroid(" SQUARE(
                     "[[0,0],[2,0],[2,2],[0,2],[0,0]]") ").coordinates[0]), 9) == 1"),
    GEO_FUNCTION(line_interpolate_point, "(lineString:bag, fraction:real) : dynamic",
                 "The point at a fraction, 0 to 1, of the line's length.",
                 "round(toreal(geo_line_interpolate_point(" LINE(
                     "[[0,0],[2,0]]") ", 0.25).coordinates[0]), 9) == 0.5"),
    GEO_FUNCTION(line_locate_point,
                 "(lineString:bag, longitude:real, latitude:real, use_spheroid:bool=) : real",
                 "The fraction of the line's length at which it is nearest to the point.",
                 "round(geo_line_locate_point(" LINE("[[0,0],[2,0]]") ", 0.5, 1), 9) == 0.25"),
    GEO_FUNCTION(intersects_2lines, "(lineString1:bag, lineString2:bag) : bool",
                 "Whether two lines or multilines have a point in common.",
                 "geo_intersects_2lines(" LINE("[[0,0],[2,2]]") ", " LINE("[[0,2],[2,0]]") ")"),
    GEO_FUNCTION(intersects_2polygons, "(polygon1:bag, polygon2:bag) : bool",
                 "Whether two polygons or multipolygons have a point in common.",
                 "geo_intersects_2polygons(" SQUARE("[[0,0],[2,0],[2,2],[0,0]]") ", " SQUARE(
                     "[[1,0],[3,0],[3,2],[1,0]]") ")"),
    GEO_FUNCTION(intersects_line_with_polygon, "(lineString:bag, polygon:bag) : bool",
                 "Whether a line or multiline and a polygon or multipolygon have a point in "
                 "common.",
                 "geo_intersects_line_with_polygon(" LINE("[[0,1],[2,1]]") ", " SQUARE(
                     "[[1,0],[3,0],[3,2],[1,2],[1,0]]") ")"),
    GEO_FUNCTION(intersection_2lines, "(lineString1:bag, lineString2:bag) : dynamic",
                 "What two lines or multilines have in common.",
                 "geo_intersection_2lines(" LINE("[[-1,0],[1,0]]") ", " LINE(
                     "[[0,-1],[0,1]]") ").type == 'Point'"),
    GEO_FUNCTION(intersection_2polygons, "(polygon1:bag, polygon2:bag) : dynamic",
                 "What two polygons or multipolygons have in common.",
                 "geo_intersection_2polygons(" SQUARE("[[0,0],[2,0],[2,2],[0,0]]") ", " SQUARE(
                     "[[1,0],[3,0],[3,2],[1,0]]") ").type == 'Polygon'"),
    GEO_FUNCTION(intersection_line_with_polygon, "(lineString:bag, polygon:bag) : dynamic",
                 "What a line or multiline and a polygon or multipolygon have in common.",
                 "geo_intersection_line_with_polygon(" LINE("[[0,1],[2,1]]") ", " SQUARE(
                     "[[1,0],[3,0],[3,2],[1,2],[1,0]]") ").type == 'LineString'"),
    GEO_FUNCTION(union_lines_array, "(lineStrings:array) : dynamic",
                 "The union of an array of lines and multilines.",
                 "geo_union_lines_array(pack_array(" LINE("[[0,0],[1,0]]") ", " LINE(
                     "[[1,0],[2,0]]") ")).type == 'LineString'"),
    GEO_FUNCTION(
        union_polygons_array, "(polygons:array) : dynamic",
        "The union of an array of polygons and multipolygons.",
        "geo_union_polygons_array(pack_array(" SQUARE("[[0,0],[2,0],[2,2],[0,0]]") ", " SQUARE(
            "[[1,0],[3,0],[3,2],[1,0]]") ")).type == 'Polygon'"),
    GEO_FUNCTION(simplify_polygons_array, "(polygons:array, tolerance:real=) : dynamic",
                 "The polygons of an array with fewer points, common borders kept common; the "
                 "tolerance is in meters (default 10).",
                 "geo_simplify_polygons_array(pack_array(" SQUARE(
                     "[[0,0],[2,0],[2,2],[0,0]]") "), 100).type == 'Polygon'"),
    GEO_FUNCTION(
        line_simplify, "(lineString:bag, tolerance:real=) : dynamic",
        "The line or multiline with fewer points; the tolerance is in meters (default "
        "10).",
        "array_length(geo_line_simplify(" LINE("[[0,0],[1,0.00001],[2,0]]") ").coordinates) == 2"),
    GEO_FUNCTION(polygon_simplify, "(polygon:bag, tolerance:real=) : dynamic",
                 "The polygon or multipolygon with fewer points; the tolerance is in meters "
                 "(default 10).",
                 "array_length(geo_polygon_simplify(" SQUARE(
                     "[[0,0],[1,-0.00001],[2,0],[2,2],[0,0]]") ").coordinates[0]) == 4"),
    GEO_FUNCTION(line_buffer, "(lineString:bag, radius:real, tolerance:real=) : dynamic",
                 "The polygon of all points within a radius, in meters, of the line or multiline.",
                 "geo_line_buffer(" LINE("[[0,0],[1,0]]") ", 1000).type == 'Polygon'"),
    GEO_FUNCTION(polygon_buffer, "(polygon:bag, radius:real, tolerance:real=) : dynamic",
                 "The polygon of all points within a radius, in meters, of the polygon or "
                 "multipolygon.",
                 "geo_polygon_buffer(" SQUARE("[[0,0],[2,0],[2,2],[0,0]]") ", 1000).type == "
                                                                           "'Polygon'"),
    GEO_FUNCTION(point_buffer,
                 "(longitude:real, latitude:real, radius:real, tolerance:real=) : dynamic",
                 "The polygon of all points within a radius, in meters, of the point.",
                 "geo_point_in_polygon(0, 0, geo_point_buffer(0, 0, 1000))"),
};

const FunctionSet GEO_SHAPE_FUNCTIONS = {ROWS, sizeof(ROWS) / sizeof(ROWS[0])};
