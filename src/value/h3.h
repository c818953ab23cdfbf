// H3: a hierarchy of hexagons (and twelve pentagons) on an icosahedron around the Earth,
// by its published specification. Positions are longitude and latitude in degrees.
//
// A cell is a number of 64 bits: mode, resolution, one of 122 base cells, and for each
// finer resolution a digit 0 to 6 that says which of seven children it is.
#pragma once

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t H3Cell; // 0 = none

enum {
    H3_MAX_RESOLUTION = 15,
    H3_CHILDREN = 7,
    H3_MAX_BOUNDARY = 12, // corners, and points where edges cross the icosahedron's
    H3_TOKEN_SIZE = 17,
};

H3Cell h3_cell_of_point(const double position[2], int resolution);
bool h3_valid(H3Cell cell);
int h3_resolution(H3Cell cell);
bool h3_is_pentagon(H3Cell cell);
void h3_center(H3Cell cell, double out[2]);
// The corners counterclockwise; returns how many.
uint32_t h3_boundary(H3Cell cell, double out[2 * H3_MAX_BOUNDARY]);

H3Cell h3_parent(H3Cell cell, int resolution); // not finer than the cell
// The children at a finer or equal resolution in ascending order: the first one, and the
// next one until 0.
H3Cell h3_first_child(H3Cell cell, int resolution);
H3Cell h3_next_child(H3Cell child, int parent_resolution);

// The cells within `distance` steps, nearest first, those of a ring in H3's order, into
// `cells`, which has room for h3_disk_size(distance); `ring_ends` gets distance + 1 numbers.
// Around a pentagon there are fewer cells.
uint32_t h3_disk_size(int distance);
void h3_disk(H3Cell cell, int distance, H3Cell *cells, uint32_t *ring_ends);

// Appends the cells whose centers are inside the polygon (its shell first, then holes; rings
// do not close) to `out`, which has room for `max` in all. False when they are more, or when
// the polygon is far larger than they would be.
typedef struct H3Cells {
    H3Cell *items;
    uint32_t len;
} H3Cells;
bool h3_cells_of_polygon(const double *points, const uint32_t *ring_ends, uint32_t ring_count,
                         int resolution, uint32_t max, H3Cells *out);

bool h3_token_read(Str token, H3Cell *out); // of valid cells only
void h3_token_print(H3Cell cell, char out[H3_TOKEN_SIZE]);
