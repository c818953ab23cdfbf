// What the files of the S2 module share.
#pragma once

extern "C" {
#include "value/geo_s2.h"
}

#include <s2/mutable_s2shape_index.h>
#include <s2/s2latlng.h>
#include <s2/s2polygon.h>
#include <s2/s2polyline.h>

#include <memory>
#include <vector>

struct GeoFigure {
    std::vector<S2Point> points;
    std::vector<std::unique_ptr<S2Polyline>> lines;
    std::vector<std::unique_ptr<S2Polygon>> polygons;
    // All edges of lines and polygons; built when first asked for.
    MutableS2ShapeIndex index;
    // What figure_parts() hands out.
    std::vector<double> coordinates;
    std::vector<uint32_t> path_ends, polygon_ends;
};

// Bytes that one operation may take besides its result.
constexpr int64_t GEO_MEMORY = int64_t{1} << 30;

S2Point geo_point(const double degrees[2]);
void geo_degrees(const S2Point &point, double out[2]);
const MutableS2ShapeIndex &geo_index(GeoFigure *figure);

// The lines of the figure as one network, each stretch once. NULL when it fails.
std::unique_ptr<GeoFigure> geo_unite_lines(GeoFigure *figure);

GeoFigure *geo_intersection(GeoFigure *a, GeoFigure *b);
bool geo_intersects(GeoFigure *a, GeoFigure *b);
GeoFigure *geo_unite(GeoFigure *const *figures, uint32_t count);
GeoFigure *geo_simplify(GeoFigure *const *figures, uint32_t count, double tolerance);
GeoFigure *geo_buffer(GeoFigure *figure, double radius, double tolerance);

int64_t geo_cover(GeoFigure *figure, int level, double radius, uint64_t *cells, uint32_t max);
uint64_t geo_cell_of_point(const double point[2], int level);
bool geo_cell_valid(uint64_t cell);
void geo_cell_center(uint64_t cell, double out[2]);
void geo_cell_corners(uint64_t cell, double out[8]);
uint32_t geo_cell_neighbors(uint64_t cell, uint64_t *out, uint32_t max);

GeoFinder *geo_finder_new(GeoFigure *const *figures, uint32_t count, double radius);
void geo_finder_free(GeoFinder *finder);
bool geo_finder_find(const GeoFinder *finder, const double point[2],
                     void (*hit)(void *context, uint32_t figure), void *context);

double geo_spheroid_distance(const double a[2], const double b[2]);
double geo_spheroid_locate(const S2Polyline &line, const double point[2]);
