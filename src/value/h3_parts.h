// What h3.c shares with h3_disk.c: the plane around a cell.
#pragma once

#include "value/h3.h"

typedef struct Vec2 {
    double x, y;
} Vec2;

typedef struct FacePoint {
    int face;
    int turn; // sixths by which the plane was turned to come here
    Vec2 p;   // from the face's center, in units of the coarsest grid
} FacePoint;

enum { H3_DIRECTIONS = 6 };

// A cell in the plane of its base cell's home face.
typedef struct H3Place {
    int face, resolution;
    Vec2 center; // in the grid of the resolution: neighbors are 1 away
    bool around_pentagon;
    int leading;  // the first digit that is not 0
    double angle; // around the pentagon, clockwise from the start of the home's sector
} H3Place;

H3Place h3_place(H3Cell cell);
// The face on which a point of the cell's plane lies.
FacePoint h3_unfold(const H3Place *place, Vec2 grid_point);
void h3_grid_position(const H3Place *place, Vec2 grid_point, double out[2]);
