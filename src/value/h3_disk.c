// The cells around a cell.
//
// A ring is walked: out along axis i, then as many steps along j, jk, k, ik, i and ij as the
// ring's number, which is H3's order. Each step is taken in the plane of the cell it starts
// from; which way the walk then heads in the plane of the next cell is seen by looking back.
// Where a pentagon is met there are no such rings; then cells are found by steps from
// neighbor to neighbor, and a ring is in the order of its finding.

#include "value/h3_parts.h"

#include <math.h>
#include <stdlib.h>

// Directions are sixths of a circle from axis i, counterclockwise.
enum { ALONG_I = 0, ALONG_IK = 5 };

static Vec2
next_to(const H3Place *place, int direction)
{
    double angle = direction * (M_PI / 3);
    return (Vec2){place->center.x + cos(angle), place->center.y + sin(angle)};
}

static void
neighbor_position(H3Cell cell, int direction, double out[2])
{
    H3Place place = h3_place(cell);
    h3_grid_position(&place, next_to(&place, direction), out);
}

static H3Cell
neighbor(H3Cell cell, int direction)
{
    double position[2];
    neighbor_position(cell, direction, position);
    return h3_cell_of_point(position, h3_resolution(cell));
}

// The direction from `cell` to its neighbor `to`, -1 when it is none.
static int
direction_to(H3Cell cell, H3Cell to)
{
    for (int direction = 0; direction < H3_DIRECTIONS; direction++)
        if (neighbor(cell, direction) == to)
            return direction;
    return -1;
}

typedef struct Walk {
    H3Cell cell;
    int turn; // from the first cell's directions to this one's
} Walk;

// False when the way meets a pentagon.
static bool
walk_step(Walk *walk, int direction)
{
    H3Cell next = neighbor(walk->cell, (direction + walk->turn) % H3_DIRECTIONS);
    int back = direction_to(next, walk->cell);
    if (back < 0 || h3_is_pentagon(next))
        return false;
    int forward = back + H3_DIRECTIONS / 2;
    *walk = (Walk){next, (forward - direction + H3_DIRECTIONS) % H3_DIRECTIONS};
    return true;
}

static bool
walk_rings(H3Cell cell, int distance, H3Cell *cells, uint32_t *ring_ends)
{
    static const int AROUND[H3_DIRECTIONS] = {2, 3, 4, 5, 0, 1};
    uint32_t count = 0;
    Walk walk = {cell, 0};
    cells[count++] = cell;
    ring_ends[0] = count;
    for (int ring = 1; ring <= distance; ring++) {
        if (h3_is_pentagon(cell) || !walk_step(&walk, ALONG_I))
            return false;
        for (int side = 0; side < H3_DIRECTIONS; side++)
            for (int step = 0; step < ring; step++) {
                if (!walk_step(&walk, AROUND[side]))
                    return false;
                cells[count++] = walk.cell;
            }
        ring_ends[ring] = count;
    }
    return true;
}

// ---- around pentagons ----

typedef struct Seen {
    H3Cell *slots;
    uint64_t mask;
} Seen;

// False when the cell was there.
static bool
seen_add(Seen *seen, H3Cell cell)
{
    uint64_t at = cell * UINT64_C(0x9e3779b97f4a7c15) >> 20;
    for (;; at++) {
        H3Cell *slot = &seen->slots[at & seen->mask];
        if (*slot == cell)
            return false;
        if (*slot == 0) {
            *slot = cell;
            return true;
        }
    }
}

static void
spread_rings(H3Cell cell, int distance, H3Cell *cells, uint32_t *ring_ends)
{
    uint32_t size = h3_disk_size(distance), count = 0, from = 0;
    Seen seen = {.mask = 15};
    while (seen.mask < 2 * (uint64_t)size)
        seen.mask = seen.mask * 2 + 1;
    seen.slots = calloc(seen.mask + 1, sizeof(*seen.slots));
    if (!seen.slots)
        abort();
    cells[count++] = cell;
    seen_add(&seen, cell);
    ring_ends[0] = count;
    for (int ring = 1; ring <= distance; ring++) {
        uint32_t to = count;
        for (; from < to; from++) {
            // A pentagon's sixth direction leads where another one does.
            int directions = h3_is_pentagon(cells[from]) ? ALONG_IK : H3_DIRECTIONS;
            for (int direction = 0; direction < directions; direction++) {
                H3Cell next = neighbor(cells[from], direction);
                if (seen_add(&seen, next))
                    cells[count++] = next;
            }
        }
        ring_ends[ring] = count;
    }
    free(seen.slots);
}

uint32_t
h3_disk_size(int distance)
{
    return 3 * (uint32_t)distance * ((uint32_t)distance + 1) + 1;
}

void
h3_disk(H3Cell cell, int distance, H3Cell *cells, uint32_t *ring_ends)
{
    if (!walk_rings(cell, distance, cells, ring_ends))
        spread_rings(cell, distance, cells, ring_ends);
}
