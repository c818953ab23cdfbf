// The S2 module: operations that make new figures. Each takes its figures as closed sets
// and cleans the result: a polygon that shrank to a line becomes a line, a line that
// shrank to a point a point, and what lies on something larger is dropped.

#include "value/geo_s2_parts.hpp"

#include <s2/s2boolean_operation.h>
#include <s2/s2buffer_operation.h>
#include <s2/s2builder.h>
#include <s2/s2builderutil_closed_set_normalizer.h>
#include <s2/s2builderutil_s2point_vector_layer.h>
#include <s2/s2builderutil_s2polygon_layer.h>
#include <s2/s2builderutil_s2polyline_vector_layer.h>
#include <s2/s2builderutil_snap_functions.h>
#include <s2/s2error.h>
#include <s2/s2memory_tracker.h>

#include <algorithm>

using s2builderutil::IdentitySnapFunction;
using s2builderutil::S2PointVectorLayer;
using s2builderutil::S2PolygonLayer;
using s2builderutil::S2PolylineVectorLayer;

// Long lines, each stretch once whichever way it runs.
static S2PolylineVectorLayer::Options
line_options()
{
    S2PolylineVectorLayer::Options options;
    options.set_edge_type(S2Builder::EdgeType::UNDIRECTED);
    options.set_polyline_type(S2Builder::Graph::PolylineType::WALK);
    options.set_duplicate_edges(S2PolylineVectorLayer::Options::DuplicateEdges::MERGE);
    return options;
}

static void
drop_empty(GeoFigure *figure)
{
    auto &polygons = figure->polygons;
    polygons.erase(std::remove_if(polygons.begin(), polygons.end(),
                                  [](const auto &p) { return p->is_empty() || p->is_full(); }),
                   polygons.end());
    auto &lines = figure->lines;
    lines.erase(std::remove_if(lines.begin(), lines.end(),
                               [](const auto &line) { return line->num_vertices() < 2; }),
                lines.end());
}

// ---- intersection and union ----

static S2BooleanOperation::Options
closed_sets(S2MemoryTracker *tracker)
{
    S2BooleanOperation::Options options;
    options.set_polygon_model(S2BooleanOperation::PolygonModel::CLOSED);
    options.set_polyline_model(S2BooleanOperation::PolylineModel::CLOSED);
    options.set_memory_tracker(tracker);
    return options;
}

static std::unique_ptr<GeoFigure>
combine(S2BooleanOperation::OpType type, GeoFigure *a, GeoFigure *b)
{
    S2MemoryTracker tracker;
    tracker.set_limit_bytes(GEO_MEMORY);
    auto figure = std::make_unique<GeoFigure>();
    auto polygon = std::make_unique<S2Polygon>();
    s2builderutil::LayerVector layers(3);
    layers[0] = std::make_unique<S2PointVectorLayer>(&figure->points);
    layers[1] = std::make_unique<S2PolylineVectorLayer>(&figure->lines, line_options());
    layers[2] = std::make_unique<S2PolygonLayer>(polygon.get());
    S2BooleanOperation operation(type, s2builderutil::NormalizeClosedSet(std::move(layers)),
                                 closed_sets(&tracker));
    S2Error error;
    if (!operation.Build(geo_index(a), geo_index(b), &error))
        return nullptr;
    figure->polygons.push_back(std::move(polygon));
    drop_empty(figure.get());
    return figure;
}

bool
geo_intersects(GeoFigure *a, GeoFigure *b)
{
    try {
        return S2BooleanOperation::Intersects(geo_index(a), geo_index(b), closed_sets(nullptr));
    } catch (...) {
        return false;
    }
}

GeoFigure *
geo_intersection(GeoFigure *a, GeoFigure *b)
{
    try {
        return combine(S2BooleanOperation::OpType::INTERSECTION, a, b).release();
    } catch (...) {
        return nullptr;
    }
}

// Unites [from, to) pairwise, so that no large figure is copied for each small one.
static std::unique_ptr<GeoFigure>
unite_range(std::vector<std::unique_ptr<GeoFigure>> &figures, size_t from, size_t to)
{
    if (to - from == 1)
        return std::move(figures[from]);
    size_t middle = from + (to - from) / 2;
    std::unique_ptr<GeoFigure> left = unite_range(figures, from, middle);
    std::unique_ptr<GeoFigure> right = unite_range(figures, middle, to);
    if (!left || !right)
        return nullptr;
    return combine(S2BooleanOperation::OpType::UNION, left.get(), right.get());
}

static std::unique_ptr<GeoFigure>
unite_all_lines(GeoFigure *const *figures, uint32_t count)
{
    std::vector<std::unique_ptr<GeoFigure>> all;
    for (uint32_t i = 0; i < count; i++)
        for (const auto &line : figures[i]->lines) {
            all.push_back(std::make_unique<GeoFigure>());
            all.back()->lines.emplace_back(line->Clone());
        }
    return all.empty() ? nullptr : unite_range(all, 0, all.size());
}

std::unique_ptr<GeoFigure>
geo_unite_lines(GeoFigure *figure)
{
    return unite_all_lines(&figure, 1);
}

static std::unique_ptr<GeoFigure>
unite_all_polygons(GeoFigure *const *figures, uint32_t count)
{
    std::vector<std::unique_ptr<S2Polygon>> all;
    for (uint32_t i = 0; i < count; i++)
        for (const auto &polygon : figures[i]->polygons)
            all.emplace_back(polygon->Clone());
    auto figure = std::make_unique<GeoFigure>();
    figure->polygons.push_back(S2Polygon::DestructiveUnion(std::move(all)));
    drop_empty(figure.get());
    return figure;
}

GeoFigure *
geo_unite(GeoFigure *const *figures, uint32_t count)
{
    try {
        bool lines = count > 0 && !figures[0]->lines.empty();
        return (lines ? unite_all_lines(figures, count) : unite_all_polygons(figures, count))
            .release();
    } catch (...) {
        return nullptr;
    }
}

// ---- simplify ----

GeoFigure *
geo_simplify(GeoFigure *const *figures, uint32_t count, double tolerance)
{
    try {
        S2MemoryTracker tracker;
        tracker.set_limit_bytes(GEO_MEMORY);
        S2Builder::Options options{IdentitySnapFunction(S1Angle::Radians(tolerance))};
        options.set_simplify_edge_chains(true);
        options.set_memory_tracker(&tracker);
        S2Builder builder(options);
        auto figure = std::make_unique<GeoFigure>();
        std::vector<std::unique_ptr<GeoFigure>> networks;
        for (uint32_t i = 0; i < count; i++) {
            // A layer for each polygon: neighbours keep their common border.
            for (const auto &polygon : figures[i]->polygons) {
                figure->polygons.push_back(std::make_unique<S2Polygon>());
                builder.StartLayer(std::make_unique<S2PolygonLayer>(figure->polygons.back().get()));
                builder.AddPolygon(*polygon);
                builder.AddIsFullPolygonPredicate(S2Builder::IsFullPolygon(false));
            }
            const GeoFigure *source = figures[i];
            if (source->lines.size() > 1) {
                networks.push_back(geo_unite_lines(figures[i]));
                if (!(source = networks.back().get()))
                    return nullptr;
            }
            if (source->lines.empty())
                continue;
            builder.StartLayer(
                std::make_unique<S2PolylineVectorLayer>(&figure->lines, line_options()));
            for (const auto &line : source->lines)
                builder.AddPolyline(*line);
        }
        S2Error error;
        if (!builder.Build(&error))
            return nullptr;
        drop_empty(figure.get());
        return figure.release();
    } catch (...) {
        return nullptr;
    }
}

// ---- buffer ----

// Of the radius; a coarser circle would be no circle.
static constexpr double MAX_ERROR_FRACTION = 0.99;

GeoFigure *
geo_buffer(GeoFigure *figure, double radius, double tolerance)
{
    try {
        S2MemoryTracker tracker;
        tracker.set_limit_bytes(GEO_MEMORY);
        S2BufferOperation::Options options(S1Angle::Radians(radius));
        options.set_error_fraction(std::clamp(
            tolerance / radius, S2BufferOperation::Options::kMinErrorFraction, MAX_ERROR_FRACTION));
        options.set_memory_tracker(&tracker);
        auto result = std::make_unique<GeoFigure>();
        result->polygons.push_back(std::make_unique<S2Polygon>());
        S2BufferOperation operation(std::make_unique<S2PolygonLayer>(result->polygons.back().get()),
                                    options);
        for (const S2Point &point : figure->points)
            operation.AddPoint(point);
        if (figure->points.empty())
            operation.AddShapeIndex(geo_index(figure));
        S2Error error;
        if (!operation.Build(&error))
            return nullptr;
        drop_empty(result.get());
        return result.release();
    } catch (...) {
        return nullptr;
    }
}
