// Distances, directions and densified edges on the sphere.

#include "value/geo_sphere.h"

#include <math.h>

static double
radians(double degrees)
{
    return degrees * (M_PI / 180);
}

// Haversine: exact also for points close together.
static double
angle_between(const double a[2], const double b[2])
{
    double dlat = sin(0.5 * radians(b[1] - a[1])), dlng = sin(0.5 * radians(b[0] - a[0]));
    double x = dlat * dlat + dlng * dlng * cos(radians(a[1])) * cos(radians(b[1]));
    return 2 * asin(sqrt(fmin(1, x)));
}

double
geo_sphere_distance(const double a[2], const double b[2])
{
    return angle_between(a, b) * GEO_EARTH_RADIUS;
}

bool
geo_sphere_azimuth(const double a[2], const double b[2], double *azimuth)
{
    enum { NANORADIANS = 1000000000 };
    double angle = angle_between(a, b);
    if (angle == 0 || M_PI - angle < 1.0 / NANORADIANS)
        return false;
    double lat1 = radians(a[1]), lat2 = radians(b[1]), dlng = radians(b[0] - a[0]);
    double east = sin(dlng) * cos(lat2);
    double north = cos(lat1) * sin(lat2) - sin(lat1) * cos(lat2) * cos(dlng);
    double direction = atan2(east, north);
    *azimuth = direction < 0 ? direction + 2 * M_PI : direction;
    return true;
}

// ---- densify ----

typedef struct Vec {
    double x, y, z;
} Vec;

static Vec
vec_of(const double p[2])
{
    double lng = radians(p[0]), lat = radians(p[1]);
    return (Vec){cos(lat) * cos(lng), cos(lat) * sin(lng), sin(lat)};
}

static double
vec_dot(Vec a, Vec b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static double
vec_angle(Vec a, Vec b)
{
    Vec cross = {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
    return atan2(sqrt(vec_dot(cross, cross)), vec_dot(a, b));
}

// The point at fraction t of the geodesic, whose ends are `angle` apart.
static Vec
vec_between(Vec a, Vec b, double angle, double t)
{
    if (angle == 0)
        return a;
    double wa = sin((1 - t) * angle) / sin(angle), wb = sin(t * angle) / sin(angle);
    return (Vec){wa * a.x + wb * b.x, wa * a.y + wb * b.y, wa * a.z + wb * b.z};
}

// How far the planar edge and the geodesic are apart, in meters. Measured at two places
// where the error of an edge, whose shape is close to a cubic, is a known part of its
// greatest; the constants are those of S2's edge tessellator, which Kusto uses.
static double
edge_error(const double a[2], const double b[2])
{
    static const double PLACE = 0.31215691082248312, SCALE = 0.83829992569888509;
    Vec va = vec_of(a), vb = vec_of(b);
    if (vec_dot(va, vb) < -1e-14)
        return INFINITY; // more than a quarter turn: always cut
    double angle = vec_angle(va, vb), worst = 0;
    for (int k = 0; k < 2; k++) {
        double t = k ? 1 - PLACE : PLACE;
        double planar[2] = {a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])};
        worst = fmax(worst, vec_angle(vec_between(va, vb, angle, t), vec_of(planar)));
    }
    return worst / SCALE * GEO_EARTH_RADIUS;
}

static void
put_position(Buffer *points, const double p[2])
{
    double position[2] = {p[0], p[1]};
    if (position[0] > 180 || position[0] < -180)
        position[0] = remainder(position[0], 360);
    buffer_put(points, position, sizeof(position));
}

static bool
densify(Buffer *points, const double a[2], const double b[2], double tolerance, size_t max)
{
    double middle[2] = {(a[0] + b[0]) / 2, (a[1] + b[1]) / 2};
    bool no_finer =
        (middle[0] == a[0] || middle[0] == b[0]) && (middle[1] == a[1] || middle[1] == b[1]);
    if (no_finer || edge_error(a, b) <= tolerance) {
        put_position(points, a);
        return points->len <= max * 2 * sizeof(double);
    }
    return densify(points, a, middle, tolerance, max) && densify(points, middle, b, tolerance, max);
}

bool
geo_densify_edge(Buffer *points, const double a[2], const double b[2], double tolerance,
                 bool short_way, size_t max)
{
    double end[2] = {b[0], b[1]};
    if (short_way && fabs(b[0] - a[0]) > 180)
        end[0] += b[0] > a[0] ? -360 : 360;
    return densify(points, a, end, tolerance, max);
}
