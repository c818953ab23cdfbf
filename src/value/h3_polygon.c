// The cells whose centers are inside a polygon, whose edges are straight lines on the map.
//
// As H3 does it: cells along the edges are the first to look around; then every neighbor
// whose center is inside is kept and looked around in turn. The result comes in the order of
// a hash table with as many slots as H3 estimates that the polygon has cells.

#include "value/h3.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>

enum { SLOT_RESERVE = 12 };
static const uint32_t MOST_SLOTS = 1 << 24, MOST_TRACED = 1 << 22;
static const double RADIUS_KM = 6371.007180918475; // of the sphere with the Earth's area

typedef struct Ring {
    const double *points; // longitude, latitude; not closed
    uint32_t count;
    double west, south, east, north;
    bool wraps; // crosses the antimeridian
} Ring;

static double
radians(double degrees)
{
    return degrees * (M_PI / 180);
}

static double
distance_km(const double a[2], const double b[2])
{
    double dlat = sin(radians(b[1] - a[1]) / 2), dlng = sin(radians(b[0] - a[0]) / 2);
    double x = dlat * dlat + dlng * dlng * cos(radians(a[1])) * cos(radians(b[1]));
    return 2 * atan2(sqrt(x), sqrt(1 - x)) * RADIUS_KM;
}

// From the center to a corner of the smallest cells, the pentagons.
static double
cell_radius_km(int resolution)
{
    // Base cell 4 is a pentagon: its center's descendants are.
    static const H3Cell PENTAGON = UINT64_C(0x8009fffffffffff);
    double center[2], corners[2 * H3_MAX_BOUNDARY];
    H3Cell cell = h3_first_child(PENTAGON, resolution);
    h3_center(cell, center);
    h3_boundary(cell, corners);
    return distance_km(center, corners);
}

static double
wrapped(double longitude, bool wraps)
{
    return wraps && longitude < 0 ? longitude + 360 : longitude;
}

static Ring
ring_of(const double *points, uint32_t count)
{
    Ring ring = {points, count, INFINITY, INFINITY, -INFINITY, -INFINITY, false};
    for (uint32_t i = 0; i < count; i++)
        if (fabs(points[2 * i] - points[2 * ((i + 1) % count)]) > 180)
            ring.wraps = true;
    for (uint32_t i = 0; i < count; i++) {
        double longitude = wrapped(points[2 * i], ring.wraps);
        ring.west = fmin(ring.west, longitude);
        ring.east = fmax(ring.east, longitude);
        ring.south = fmin(ring.south, points[2 * i + 1]);
        ring.north = fmax(ring.north, points[2 * i + 1]);
    }
    return ring;
}

static bool
ring_has(const Ring *ring, const double point[2])
{
    double x = wrapped(point[0], ring->wraps), y = point[1];
    if (x < ring->west || x > ring->east || y < ring->south || y > ring->north)
        return false;
    bool inside = false;
    for (uint32_t i = 0, j = ring->count - 1; i < ring->count; j = i++) {
        const double *a = ring->points + 2 * i, *b = ring->points + 2 * j;
        double ax = wrapped(a[0], ring->wraps), bx = wrapped(b[0], ring->wraps);
        if ((a[1] > y) != (b[1] > y) && x < (bx - ax) * (y - a[1]) / (b[1] - a[1]) + ax)
            inside = !inside;
    }
    return inside;
}

static bool
inside(const Ring *rings, uint32_t count, H3Cell cell)
{
    double center[2];
    h3_center(cell, center);
    if (!ring_has(&rings[0], center))
        return false;
    for (uint32_t i = 1; i < count; i++)
        if (ring_has(&rings[i], center))
            return false;
    return true;
}

// How many cells H3 expects in the box of a shell.
static double
estimate(const Ring *shell, int resolution)
{
    double radius = cell_radius_km(resolution);
    double cell_area = 0.8 * (2.59807621135 * radius * radius);
    double diagonal =
        distance_km((double[]){shell->west, shell->south}, (double[]){shell->east, shell->north});
    double width = shell->east - shell->west, height = shell->north - shell->south;
    double ratio = fmax(width, height) / fmin(width, height);
    return fmax(1, ceil(diagonal * diagonal / fmin(3, ratio) / cell_area));
}

typedef struct Table {
    H3Cell *slots;
    uint32_t size;
} Table;

// False when it was there (or there is no room, which the callers' limits rule out).
static bool
table_add(Table *table, H3Cell cell)
{
    uint32_t at = (uint32_t)(cell % table->size);
    for (uint32_t n = 0; n < table->size; n++, at = (at + 1) % table->size) {
        if (table->slots[at] == cell)
            return false;
        if (!table->slots[at]) {
            table->slots[at] = cell;
            return true;
        }
    }
    return false;
}

typedef struct List {
    H3Cell *items;
    uint32_t len, cap;
} List;

static void
list_push(List *list, H3Cell cell)
{
    if (list->len == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 64;
        list->items = realloc(list->items, list->cap * sizeof(*list->items));
        if (!list->items)
            abort();
    }
    list->items[list->len++] = cell;
}

// The cells under the edges of a ring; false when they are too many to follow.
static bool
trace(const Ring *ring, int resolution, Table *seen, List *out)
{
    double step = 2 * cell_radius_km(resolution);
    for (uint32_t i = 0; i < ring->count; i++) {
        const double *a = ring->points + 2 * i, *b = ring->points + 2 * ((i + 1) % ring->count);
        double ax = wrapped(a[0], ring->wraps), bx = wrapped(b[0], ring->wraps);
        double steps = fmax(1, ceil(distance_km(a, b) / step));
        if (steps + out->len > MOST_TRACED)
            return false;
        for (double s = 0; s < steps; s++) {
            double at[2] = {(ax * (steps - s) + bx * s) / steps,
                            (a[1] * (steps - s) + b[1] * s) / steps};
            if (at[0] > 180)
                at[0] -= 360;
            H3Cell cell = h3_cell_of_point(at, resolution);
            if (table_add(seen, cell))
                list_push(out, cell);
        }
    }
    return true;
}

// Looks around the cells of `edge` and around all that is found; false beyond `max` cells.
static bool
spread(const Ring *rings, uint32_t ring_count, List *edge, Table *out, uint32_t max)
{
    uint32_t found = 0;
    while (edge->len) {
        List next = {0};
        for (uint32_t i = 0; i < edge->len && found <= max; i++) {
            H3Cell around[H3_CHILDREN];
            uint32_t ends[2];
            h3_disk(edge->items[i], 1, around, ends);
            for (uint32_t k = 0; k < ends[1]; k++)
                if (inside(rings, ring_count, around[k]) && table_add(out, around[k])) {
                    found++;
                    list_push(&next, around[k]);
                }
        }
        free(edge->items);
        *edge = next;
        if (found > max)
            return false;
    }
    return true;
}

bool
h3_cells_of_polygon(const double *points, const uint32_t *ring_ends, uint32_t ring_count,
                    int resolution, uint32_t max, H3Cells *out)
{
    Arena arena = {0};
    Ring *rings = ARENA_ARRAY(&arena, Ring, ring_count);
    uint32_t corners = 0;
    for (uint32_t i = 0, from = 0; i < ring_count; from = ring_ends[i++]) {
        rings[i] = ring_of(points + 2 * (size_t)from, ring_ends[i] - from);
        corners += rings[i].count;
    }
    double slots = fmax(estimate(&rings[0], resolution), corners) + SLOT_RESERVE;
    List edge = {0};
    Table seen = {0}, found = {0};
    bool done = slots <= MOST_SLOTS;
    if (done) {
        seen.size = found.size = (uint32_t)slots;
        seen.slots = calloc(seen.size, sizeof(H3Cell));
        found.slots = calloc(found.size, sizeof(H3Cell));
        if (!seen.slots || !found.slots)
            abort();
    }
    for (uint32_t i = 0; done && i < ring_count; i++)
        done = trace(&rings[i], resolution, &seen, &edge);
    done = done && spread(rings, ring_count, &edge, &found, max - out->len);
    for (uint32_t i = 0; done && i < found.size; i++)
        if (found.slots[i])
            out->items[out->len++] = found.slots[i];
    free(edge.items);
    free(seen.slots);
    free(found.slots);
    arena_free(&arena);
    return done;
}
