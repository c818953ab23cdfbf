// What the files of H3 share: the planes of the icosahedron's faces, and hexagons on them.
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

enum { H3_FACES = 20, H3_DIRECTIONS = 6 };
enum { K_DIGIT = 1, IK_DIGIT = 5 };

// A cell in the plane of its base cell's home face.
typedef struct H3Place {
    int face, resolution;
    Vec2 center; // in the grid of the resolution: neighbors are 1 away
    bool around_pentagon;
    int leading;  // the first digit that is not 0
    double angle; // around the pentagon, clockwise from the start of the home's sector
} H3Place;

// ---- h3_face.c ----

typedef enum Edge { EDGE_IJ, EDGE_JK, EDGE_KI } Edge; // its middle is at 60, 180, 300 degrees

typedef struct Fold {
    int face; // beyond the edge
    int turn; // sixths of a circle, counterclockwise, from this face's axes to the other's
} Fold;

Fold h3_fold_over(int face, Edge edge);
Vec2 h3_fold_point(Vec2 p, Edge edge, int turn);
FacePoint h3_face_of_position(const double position[2]);
bool h3_class_iii(int resolution);
// From the grid of a resolution to the units of a face, and back.
Vec2 h3_grid_to_face(Vec2 p, int resolution);
Vec2 h3_face_to_grid(Vec2 p, int resolution);
// The clockwise angle of a point of a face around the pentagon at its corner i.
double h3_corner_angle(Vec2 p, const H3Place *place);
// The face on which a point of the cell's plane lies, and where on Earth it is.
FacePoint h3_unfold(const H3Place *place, Vec2 grid_point);
void h3_grid_position(const H3Place *place, Vec2 grid_point, double out[2]);

// ---- h3_base.c ----

// i, j and k, none negative and one of them 0.
typedef struct Ijk {
    int64_t i, j, k;
} Ijk;

Ijk ijk_normal(int64_t i, int64_t j, int64_t k);
Vec2 ijk_point(Ijk c);
Ijk ijk_nearest(Vec2 p); // the grid point nearest to p

bool h3_base_is_pentagon(int base);
// Whether a pentagon's missing sector is closed clockwise as seen from a face.
bool h3_closes_clockwise(int base, int face);
// Where a base cell is at home.
FacePoint h3_base_home(int base);
// The base cell at coarsest coordinates of a face, and by how many sixths digits turn from
// the face's axes to those of its home.
int h3_base_at(int face, Ijk at, int *turn);

// ---- h3.c ----

H3Place h3_place(H3Cell cell);
