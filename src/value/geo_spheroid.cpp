// The S2 module: distances on the WGS84 ellipsoid, by GeographicLib (Karney's method,
// exact to nanometers also for points that are almost antipodal).

#include "value/geo_s2_parts.hpp"

#include <GeographicLib/Geodesic.hpp>
#include <GeographicLib/GeodesicLine.hpp>

using GeographicLib::Geodesic;
using GeographicLib::GeodesicLine;

double
geo_spheroid_distance(const double a[2], const double b[2])
{
    try {
        double meters;
        Geodesic::WGS84().Inverse(a[1], a[0], b[1], b[0], meters);
        return meters;
    } catch (...) {
        return -1;
    }
}

// How far along the geodesic the point nearest to `point` lies. The distance along a
// segment shorter than a half turn falls and then rises, so the least is closed in from
// both sides by the golden section.
static double
nearest_on_segment(const GeodesicLine &segment, const double point[2], double *distance)
{
    constexpr double GOLDEN = 0.6180339887498949;
    constexpr double PRECISION = 1e-7; // meters
    auto distance_at = [&](double along) {
        double at[2];
        segment.Position(along, at[1], at[0]);
        return geo_spheroid_distance(at, point);
    };
    double from = 0, to = segment.Distance();
    double low = to - GOLDEN * (to - from), high = from + GOLDEN * (to - from);
    double at_low = distance_at(low), at_high = distance_at(high);
    while (to - from > PRECISION) {
        if (at_low <= at_high) {
            to = high;
            high = low;
            at_high = at_low;
            at_low = distance_at(low = to - GOLDEN * (to - from));
        } else {
            from = low;
            low = high;
            at_low = at_high;
            at_high = distance_at(high = from + GOLDEN * (to - from));
        }
    }
    double best = (from + to) / 2;
    *distance = distance_at(best);
    for (double end : {0.0, segment.Distance()})
        if (double there = distance_at(end); there <= *distance) {
            *distance = there;
            best = end;
        }
    return best;
}

double
geo_spheroid_locate(const S2Polyline &line, const double point[2])
{
    try {
        double whole = 0, best = -1, nearest = 0;
        double from[2], to[2];
        geo_degrees(line.vertex(0), from);
        for (int i = 1; i < line.num_vertices(); i++) {
            geo_degrees(line.vertex(i), to);
            GeodesicLine segment = Geodesic::WGS84().InverseLine(from[1], from[0], to[1], to[0]);
            double distance;
            double along = nearest_on_segment(segment, point, &distance);
            if (best < 0 || distance < nearest) {
                best = whole + along;
                nearest = distance;
            }
            whole += segment.Distance();
            from[0] = to[0];
            from[1] = to[1];
        }
        return whole > 0 ? best / whole : -1;
    } catch (...) {
        return -1;
    }
}
