// The S2 module: one index over many figures, to find those that hold a point or lie near.

#include "value/geo_s2_parts.hpp"

#include <s2/s2closest_edge_query.h>
#include <s2/s2contains_point_query.h>

#include <algorithm>

struct GeoFinder {
    MutableS2ShapeIndex index;
    std::vector<uint32_t> owners; // the number of the figure of each shape
    double radius;                // negative: figures must hold the point
};

GeoFinder *
geo_finder_new(GeoFigure *const *figures, uint32_t count, double radius)
{
    try {
        auto finder = std::make_unique<GeoFinder>();
        finder->radius = radius;
        for (uint32_t i = 0; i < count; i++) {
            if (!figures[i])
                continue;
            for (const auto &line : figures[i]->lines) {
                finder->index.Add(std::make_unique<S2Polyline::Shape>(line.get()));
                finder->owners.push_back(i);
            }
            for (const auto &polygon : figures[i]->polygons) {
                finder->index.Add(std::make_unique<S2Polygon::Shape>(polygon.get()));
                finder->owners.push_back(i);
            }
        }
        finder->index.ForceBuild();
        return finder.release();
    } catch (...) {
        return nullptr;
    }
}

void
geo_finder_free(GeoFinder *finder)
{
    delete finder;
}

static std::vector<int>
shapes_at(const GeoFinder *finder, const S2Point &at)
{
    std::vector<int> shapes;
    if (finder->radius < 0) {
        auto query = MakeS2ContainsPointQuery(&finder->index);
        query.VisitContainingShapes(at, [&](S2Shape *shape) {
            shapes.push_back(shape->id());
            return true;
        });
        return shapes;
    }
    S2ClosestEdgeQuery query(&finder->index);
    query.mutable_options()->set_inclusive_max_distance(
        S1ChordAngle(S1Angle::Radians(finder->radius)));
    query.mutable_options()->set_include_interiors(true);
    S2ClosestEdgeQuery::PointTarget target(at);
    for (const auto &result : query.FindClosestEdges(&target))
        shapes.push_back(result.shape_id());
    return shapes;
}

bool
geo_finder_find(const GeoFinder *finder, const double point[2],
                void (*hit)(void *context, uint32_t figure), void *context)
{
    try {
        std::vector<uint32_t> found;
        for (int shape : shapes_at(finder, geo_point(point)))
            found.push_back(finder->owners[static_cast<size_t>(shape)]);
        std::sort(found.begin(), found.end());
        found.erase(std::unique(found.begin(), found.end()), found.end());
        for (uint32_t figure : found)
            hit(context, figure);
        return true;
    } catch (...) {
        return false;
    }
}
