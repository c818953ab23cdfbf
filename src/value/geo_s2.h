// Geometry on the sphere: what the S2 library does for the geo_*() functions.
//
// S2 and what it pulls in would slow every start of the program, and few queries need
// it. So it lives in a module of its own (libazimuth_geo.so), which geo_module.c opens
// when a query first calls such a function. The module shares no symbol with the program:
// all goes through the table of functions below, with plain numbers in and out.
//
// Coordinates are degrees, longitude before latitude, and must be in range; angles are
// radians. A figure belongs to one thread. Nothing here throws or ends the process: what
// cannot be done (also for want of memory) gives false, NULL or a negative number.
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef enum GeoKind { GEO_POINTS, GEO_LINES, GEO_POLYGONS } GeoKind;

// A shape as arrays. Paths are lines, or rings without the closing point: path i is the
// points [path_ends[i - 1], path_ends[i]); polygon i is the rings likewise, the shell
// first. Points have no paths, lines no polygons.
typedef struct GeoShape {
    GeoKind kind;
    const double *coordinates; // two a point
    const uint32_t *path_ends;
    const uint32_t *polygon_ends;
    uint32_t point_count, path_count, polygon_count;
} GeoShape;

// A shape as S2 has it: points, lines and polygons together.
typedef struct GeoFigure GeoFigure;

// An index over many figures, for any number of threads.
typedef struct GeoFinder GeoFinder;

enum { GEO_MODULE_VERSION = 2 };

typedef struct GeoModule {
    int version;

    // NULL when a line has equal or antipodal neighbours, a ring crosses itself or has a
    // point twice, or rings cross or share edges. Several polygons are united.
    GeoFigure *(*figure_new)(const GeoShape *shape);
    void (*figure_free)(GeoFigure *figure);
    // The parts of one kind; valid as long as the figure and until the next call.
    void (*figure_parts)(GeoFigure *figure, GeoKind kind, GeoShape *out);

    // Of lines or polygons.
    bool (*contains)(GeoFigure *figure, const double point[2]);
    bool (*closest)(GeoFigure *figure, const double point[2], double out[2], double *distance);
    double (*length)(GeoFigure *figure); // of the united lines, or of the boundary
    double (*area)(GeoFigure *figure);   // steradians
    bool (*centroid)(GeoFigure *figure, double out[2]);
    // Of the first line: the point at a fraction of its length, and back.
    bool (*interpolate)(GeoFigure *figure, double fraction, double out[2]);
    double (*locate)(GeoFigure *figure, const double point[2], bool spheroid);

    // Both as closed sets: a common point is enough.
    bool (*intersects)(GeoFigure *a, GeoFigure *b);
    GeoFigure *(*intersection)(GeoFigure *a, GeoFigure *b);
    // Of figures of one kind.
    GeoFigure *(*unite)(GeoFigure *const *figures, uint32_t count);
    // Edges become longer ones within `tolerance`; common borders stay common.
    GeoFigure *(*simplify)(GeoFigure *const *figures, uint32_t count, double tolerance);
    GeoFigure *(*buffer)(GeoFigure *figure, double radius, double tolerance);
    double max_tolerance; // of simplify

    // The cells of a level that meet the figure, grown by `radius`, in ascending order.
    // -1 when there are more than `max`.
    int64_t (*cover)(GeoFigure *figure, int level, double radius, uint64_t *cells, uint32_t max);

    uint64_t (*cell_of_point)(const double point[2], int level);
    bool (*cell_valid)(uint64_t cell);
    void (*cell_center)(uint64_t cell, double out[2]);
    void (*cell_corners)(uint64_t cell, double out[8]);
    uint32_t (*cell_neighbors)(uint64_t cell, uint64_t *out, uint32_t max);

    // Over `figures` (NULL ones are passed over), which must live as long: those that hold a
    // point, or with a radius that is not negative, those within it. `hit` gets their numbers,
    // ascending. False when there is no memory.
    GeoFinder *(*finder_new)(GeoFigure *const *figures, uint32_t count, double radius);
    void (*finder_free)(GeoFinder *finder);
    bool (*finder_find)(const GeoFinder *finder, const double point[2],
                        void (*hit)(void *context, uint32_t figure), void *context);

    // Meters on the WGS84 ellipsoid.
    double (*spheroid_distance)(const double a[2], const double b[2]);
} GeoModule;

// The one symbol of the module.
#define GEO_MODULE_SYMBOL "azimuth_geo_module"
typedef const GeoModule *(*GeoModuleFunction)(void);
