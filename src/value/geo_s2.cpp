// The S2 module: figures, their measures, and the table of functions. What makes new
// figures is in geo_s2_operation.cpp, cells in geo_s2_cell.cpp, looking up many figures in
// geo_s2_finder.cpp, the ellipsoid in geo_spheroid.cpp.
//
// S2 ends the process when it is handed nonsense, so nothing is handed to it unchecked:
// the program sees to ranges and counts, and here every line, ring and polygon must pass
// S2's own validation before it is used.

#include "value/geo_s2_parts.hpp"

#include <s2/s2builder.h>
#include <s2/s2closest_edge_query.h>
#include <s2/s2error.h>
#include <s2/s2loop.h>

#include <algorithm>

S2Point
geo_point(const double degrees[2])
{
    return S2LatLng::FromDegrees(degrees[1], degrees[0]).ToPoint();
}

void
geo_degrees(const S2Point &point, double out[2])
{
    S2LatLng at(point);
    out[0] = at.lng().degrees();
    out[1] = at.lat().degrees();
}

const MutableS2ShapeIndex &
geo_index(GeoFigure *figure)
{
    if (figure->index.num_shape_ids() == 0) {
        for (const auto &line : figure->lines)
            figure->index.Add(std::make_unique<S2Polyline::Shape>(line.get()));
        for (const auto &polygon : figure->polygons)
            figure->index.Add(std::make_unique<S2Polygon::Shape>(polygon.get()));
    }
    return figure->index;
}

// ---- making ----

static std::vector<S2Point>
path_points(const GeoShape *shape, uint32_t path)
{
    std::vector<S2Point> points;
    uint32_t from = path ? shape->path_ends[path - 1] : 0;
    for (uint32_t i = from; i < shape->path_ends[path]; i++)
        points.push_back(geo_point(shape->coordinates + 2 * i));
    return points;
}

// An edge to the far side of the Earth has no shortest way. Degrees rarely hit it to the
// last bit, so what S2 would take as a half turn less its rounding is refused too.
static bool
has_half_turn(const std::vector<S2Point> &points, bool closed)
{
    constexpr double HALF_TURN = M_PI - 1e-14;
    for (size_t i = 1; i < points.size() + (closed ? 1 : 0); i++)
        if (S1Angle(points[i - 1], points[i % points.size()]).radians() > HALF_TURN)
            return true;
    return false;
}

static bool
add_lines(GeoFigure *figure, const GeoShape *shape)
{
    for (uint32_t path = 0; path < shape->path_count; path++) {
        std::vector<S2Point> points = path_points(shape, path);
        if (points.size() < 2 || has_half_turn(points, false))
            return false;
        auto line = std::make_unique<S2Polyline>(points, S2Debug::DISABLE);
        S2Error error;
        if (line->FindValidationError(&error))
            return false;
        figure->lines.push_back(std::move(line));
    }
    return shape->path_count > 0;
}

// A ring may run either way: it bounds the smaller side.
static std::unique_ptr<S2Polygon>
polygon_new(const GeoShape *shape, uint32_t from, uint32_t to)
{
    std::vector<std::unique_ptr<S2Loop>> loops;
    for (uint32_t ring = from; ring < to; ring++) {
        std::vector<S2Point> points = path_points(shape, ring);
        if (points.size() < 3 || has_half_turn(points, true))
            return nullptr;
        auto loop = std::make_unique<S2Loop>(points, S2Debug::DISABLE);
        S2Error error;
        if (loop->FindValidationError(&error))
            return nullptr;
        loop->Normalize();
        loops.push_back(std::move(loop));
    }
    auto polygon = std::make_unique<S2Polygon>(std::move(loops), S2Debug::DISABLE);
    S2Error error;
    if (polygon->FindValidationError(&error) || polygon->is_empty())
        return nullptr;
    return polygon;
}

static bool
add_polygons(GeoFigure *figure, const GeoShape *shape)
{
    std::vector<std::unique_ptr<S2Polygon>> polygons;
    for (uint32_t i = 0; i < shape->polygon_count; i++) {
        auto polygon =
            polygon_new(shape, i ? shape->polygon_ends[i - 1] : 0, shape->polygon_ends[i]);
        if (!polygon)
            return false;
        polygons.push_back(std::move(polygon));
    }
    if (polygons.empty())
        return false;
    if (polygons.size() > 1) {
        auto all = S2Polygon::DestructiveUnion(std::move(polygons));
        polygons.clear();
        polygons.push_back(std::move(all));
    }
    figure->polygons = std::move(polygons);
    return true;
}

static GeoFigure *
figure_new(const GeoShape *shape)
{
    try {
        auto figure = std::make_unique<GeoFigure>();
        bool done = false;
        switch (shape->kind) {
        case GEO_POINTS:
            for (uint32_t i = 0; i < shape->point_count; i++)
                figure->points.push_back(geo_point(shape->coordinates + 2 * i));
            done = true;
            break;
        case GEO_LINES: done = add_lines(figure.get(), shape); break;
        case GEO_POLYGONS: done = add_polygons(figure.get(), shape); break;
        }
        return done ? figure.release() : nullptr;
    } catch (...) {
        return nullptr;
    }
}

static void
figure_free(GeoFigure *figure)
{
    delete figure;
}

// ---- reading ----

static void
put_point(GeoFigure *figure, const S2Point &point)
{
    double at[2];
    geo_degrees(point, at);
    figure->coordinates.insert(figure->coordinates.end(), at, at + 2);
}

static void
end_path(GeoFigure *figure)
{
    figure->path_ends.push_back(static_cast<uint32_t>(figure->coordinates.size() / 2));
}

static void
put_loop(GeoFigure *figure, const S2Loop *loop)
{
    for (int i = 0; i < loop->num_vertices(); i++)
        put_point(figure, loop->oriented_vertex(i));
    end_path(figure);
}

// S2 nests loops to any depth; a polygon of GeoJSON is a shell with its holes.
static void
put_polygon(GeoFigure *figure, const S2Polygon &polygon)
{
    for (int i = 0; i < polygon.num_loops(); i++) {
        const S2Loop *shell = polygon.loop(i);
        if (shell->is_hole() || shell->is_empty_or_full())
            continue;
        put_loop(figure, shell);
        for (int k = i + 1; k <= polygon.GetLastDescendant(i); k++)
            if (polygon.loop(k)->depth() == shell->depth() + 1)
                put_loop(figure, polygon.loop(k));
        figure->polygon_ends.push_back(static_cast<uint32_t>(figure->path_ends.size()));
    }
}

static void
figure_parts(GeoFigure *figure, GeoKind kind, GeoShape *out)
{
    *out = GeoShape{};
    out->kind = kind;
    try {
        figure->coordinates.clear();
        figure->path_ends.clear();
        figure->polygon_ends.clear();
        if (kind == GEO_POINTS)
            for (const S2Point &point : figure->points)
                put_point(figure, point);
        if (kind == GEO_LINES)
            for (const auto &line : figure->lines) {
                for (const S2Point &point : line->vertices_span())
                    put_point(figure, point);
                end_path(figure);
            }
        if (kind == GEO_POLYGONS)
            for (const auto &polygon : figure->polygons)
                put_polygon(figure, *polygon);
        out->coordinates = figure->coordinates.data();
        out->path_ends = figure->path_ends.data();
        out->polygon_ends = figure->polygon_ends.data();
        out->point_count = static_cast<uint32_t>(figure->coordinates.size() / 2);
        out->path_count = static_cast<uint32_t>(figure->path_ends.size());
        out->polygon_count = static_cast<uint32_t>(figure->polygon_ends.size());
    } catch (...) {
    }
}

// ---- measures ----

static bool
holds(const GeoFigure *figure, const S2Point &at)
{
    return std::any_of(figure->polygons.begin(), figure->polygons.end(),
                       [&](const auto &polygon) { return polygon->Contains(at); });
}

static bool
contains(GeoFigure *figure, const double point[2])
{
    try {
        return holds(figure, geo_point(point));
    } catch (...) {
        return false;
    }
}

static bool
closest(GeoFigure *figure, const double point[2], double out[2], double *distance)
{
    try {
        S2Point at = geo_point(point);
        if (holds(figure, at)) {
            std::copy(point, point + 2, out);
            *distance = 0;
            return true;
        }
        S2ClosestEdgeQuery query(&geo_index(figure));
        query.mutable_options()->set_include_interiors(false);
        S2ClosestEdgeQuery::PointTarget target(at);
        auto result = query.FindClosestEdge(&target);
        if (result.is_empty())
            return false;
        S2Point nearest = query.Project(at, result);
        geo_degrees(nearest, out);
        *distance = S1Angle(at, nearest).radians();
        return true;
    } catch (...) {
        return false;
    }
}

static double
length(GeoFigure *figure)
{
    try {
        std::unique_ptr<GeoFigure> united;
        if (figure->lines.size() > 1 && !(united = geo_unite_lines(figure)))
            return -1;
        S1Angle sum;
        for (const auto &line : (united ? united.get() : figure)->lines)
            sum += line->GetLength();
        for (const auto &polygon : figure->polygons)
            for (int i = 0; i < polygon->num_loops(); i++)
                for (int k = 0; k < polygon->loop(i)->num_vertices(); k++)
                    sum += S1Angle(polygon->loop(i)->vertex(k), polygon->loop(i)->vertex(k + 1));
        return sum.radians();
    } catch (...) {
        return -1;
    }
}

static double
area(GeoFigure *figure)
{
    double sum = 0;
    for (const auto &polygon : figure->polygons)
        sum += polygon->GetArea();
    return sum;
}

static bool
centroid(GeoFigure *figure, double out[2])
{
    try {
        std::unique_ptr<GeoFigure> united;
        if (figure->lines.size() > 1 && !(united = geo_unite_lines(figure)))
            return false;
        S2Point sum;
        for (const auto &line : (united ? united.get() : figure)->lines)
            sum += line->GetCentroid();
        for (const auto &polygon : figure->polygons)
            sum += polygon->GetCentroid();
        if (sum.Norm2() == 0)
            return false;
        geo_degrees(sum.Normalize(), out);
        return true;
    } catch (...) {
        return false;
    }
}

static bool
interpolate(GeoFigure *figure, double fraction, double out[2])
{
    if (figure->lines.empty())
        return false;
    geo_degrees(figure->lines[0]->Interpolate(fraction), out);
    return true;
}

static double
locate(GeoFigure *figure, const double point[2], bool spheroid)
{
    if (figure->lines.empty())
        return -1;
    const S2Polyline &line = *figure->lines[0];
    if (spheroid)
        return geo_spheroid_locate(line, point);
    int next;
    S2Point nearest = line.Project(geo_point(point), &next);
    return line.UnInterpolate(nearest, next);
}

// ---- the table ----

extern "C" __attribute__((visibility("default"))) const GeoModule *azimuth_geo_module(void);

extern "C" const GeoModule *
azimuth_geo_module(void)
{
    static const GeoModule module = [] {
        GeoModule table = {};
        table.version = GEO_MODULE_VERSION;
        table.figure_new = figure_new;
        table.figure_free = figure_free;
        table.figure_parts = figure_parts;
        table.contains = contains;
        table.closest = closest;
        table.length = length;
        table.area = area;
        table.centroid = centroid;
        table.interpolate = interpolate;
        table.locate = locate;
        table.intersects = geo_intersects;
        table.intersection = geo_intersection;
        table.unite = geo_unite;
        table.simplify = geo_simplify;
        table.buffer = geo_buffer;
        table.max_tolerance = S2Builder::SnapFunction::kMaxSnapRadius().radians();
        table.cover = geo_cover;
        table.cell_of_point = geo_cell_of_point;
        table.cell_valid = geo_cell_valid;
        table.cell_center = geo_cell_center;
        table.cell_corners = geo_cell_corners;
        table.cell_neighbors = geo_cell_neighbors;
        table.finder_new = geo_finder_new;
        table.finder_free = geo_finder_free;
        table.finder_find = geo_finder_find;
        table.spheroid_distance = geo_spheroid_distance;
        return table;
    }();
    return &module;
}
