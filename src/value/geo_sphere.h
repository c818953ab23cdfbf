// Distances, directions and densified edges on the sphere, and geohash cells: what needs
// no S2. Positions are longitude and latitude in degrees, in range.
#pragma once

#include "base/buffer.h"

#include <stdbool.h>

// Meters of a radian: the mean radius of the Earth that S2 and Kusto use.
#define GEO_EARTH_RADIUS 6371010.0

double geo_sphere_distance(const double a[2], const double b[2]); // meters
// Clockwise from true north at `a` to the line to `b`, radians in [0, 2 pi). False when the
// points are equal or antipodal.
bool geo_sphere_azimuth(const double a[2], const double b[2], double *azimuth);

// Appends `a` and the points (doubles, two a point) that the planar edge from `a` to `b`
// needs so that the geodesics between them stay within `tolerance` meters of it. `b` is
// left to the next edge. With `short_way` the edge crosses the antimeridian when that is
// nearer. False when more than `max` points are in the buffer.
bool geo_densify_edge(Buffer *points, const double a[2], const double b[2], double tolerance,
                      bool short_way, size_t max);

enum { GEOHASH_MAX = 18, GEOHASH_NEIGHBORS = 8, GEO_TOKEN_MAX = 32 };

typedef struct GeoBox {
    double west, south, east, north;
} GeoBox;

// `accuracy` characters, 1 to GEOHASH_MAX, into `out`.
void geohash_encode(const double position[2], int accuracy, char *out);
bool geohash_decode(Str geohash, GeoBox *box);
// The cells around one, clockwise from the north-west; fewer at the poles.
uint32_t geohash_neighbors(Str geohash, char out[GEOHASH_NEIGHBORS][GEO_TOKEN_MAX]);

// Kusto keeps the cells of some functions in a hash set of their tokens and gives them in
// its order: `order` gets the numbers of the tokens in that order, equal ones once. Returns
// how many.
uint32_t geo_set_order(const char (*tokens)[GEO_TOKEN_MAX], uint32_t count, uint32_t *order);
