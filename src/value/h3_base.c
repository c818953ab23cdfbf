// The base cells of H3: which one lies where on a face.

#include "value/h3_parts.h"

#include <assert.h>
#include <math.h>

static const double SQRT_3 = 1.7320508075688772;

// The base cells of each face that are no pentagons: at its center, on the axes i, j and k,
// and in the middle of the edges ij, jk and ki. An edge cell stands with both faces.
enum { AT_CENTER, ON_I, ON_J, ON_K, ON_IJ, ON_JK, ON_KI, PLACES };
static const uint8_t BASE[H3_FACES][PLACES] = {
    {16, 8, 33, 18, 22, 30, 5},
    {2, 0, 10, 6, 5, 11, 1},
    {7, 3, 9, 21, 1, 19, 13},
    {26, 12, 29, 42, 13, 43, 28},
    {31, 15, 44, 41, 28, 53, 22},
    {50, 70, 32, 48, 52, 30, 67},
    {25, 45, 17, 23, 35, 11, 39},
    {36, 55, 34, 20, 54, 19, 40},
    {64, 84, 62, 47, 82, 43, 69},
    {75, 94, 61, 65, 81, 53, 86},
    {57, 37, 74, 59, 52, 78, 39},
    {46, 27, 56, 60, 35, 68, 40},
    {71, 51, 73, 89, 54, 91, 69},
    {96, 76, 98, 104, 82, 110, 86},
    {85, 66, 101, 87, 81, 102, 67},
    {95, 109, 79, 92, 93, 78, 108},
    {90, 106, 80, 77, 99, 68, 93},
    {105, 113, 103, 88, 116, 91, 99},
    {119, 121, 115, 111, 120, 110, 116},
    {114, 118, 100, 112, 108, 102, 120},
};

// Pentagons: the poles of the icosahedron, and its upper and lower ring.
enum { NORTH_PENTAGON = 4, SOUTH_PENTAGON = 117 };
static const uint8_t UPPER[] = {24, 14, 38, 58, 49}, LOWER[] = {83, 63, 72, 97, 107};
// ---- coordinates ----

Ijk
ijk_normal(int64_t i, int64_t j, int64_t k)
{
    int64_t least = i < j ? (i < k ? i : k) : (j < k ? j : k);
    return (Ijk){i - least, j - least, k - least};
}

static bool
ijk_equal(Ijk a, Ijk b)
{
    return a.i == b.i && a.j == b.j && a.k == b.k;
}

Vec2
ijk_point(Ijk c)
{
    double i = (double)(c.i - c.k), j = (double)(c.j - c.k);
    return (Vec2){i - j / 2, j * SQRT_3 / 2};
}

// The nearest grid point: one of the four around, as i and j are 120 degrees apart.
Ijk
ijk_nearest(Vec2 p)
{
    double j = p.y * 2 / SQRT_3, i = p.x + p.y / SQRT_3;
    double fi = floor(i), fj = floor(j), least = INFINITY;
    Ijk best = {0};
    for (int corner = 0; corner < 4; corner++) {
        double ci = fi + (corner & 1), cj = fj + (corner >> 1);
        double di = i - ci, dj = j - cj, distance = di * di + dj * dj - di * dj;
        if (distance < least) {
            least = distance;
            best = ijk_normal((int64_t)ci, (int64_t)cj, 0);
        }
    }
    return best;
}

// ---- base cells ----

bool
h3_base_is_pentagon(int base)
{
    if (base == NORTH_PENTAGON || base == SOUTH_PENTAGON)
        return true;
    for (int n = 0; n < 5; n++)
        if (base == UPPER[n] || base == LOWER[n])
            return true;
    return false;
}

// The pentagon at a corner of a face (0 = i, 1 = j, 2 = k), and by how many sixths digits
// are turned from the face's axes to those of the pentagon's home.
static int
corner_pentagon(int face, int corner, int *turn)
{
    int ring = face / 5, n = face % 5;
    switch (ring * 3 + corner) {
    case 0: *turn = n; return NORTH_PENTAGON;
    case 1: *turn = 1; return UPPER[(n + 4) % 5];
    case 2: *turn = 0; return UPPER[n];
    case 3: *turn = 0; return LOWER[n];
    case 4: *turn = 3; return UPPER[n];
    case 5: *turn = 3; return UPPER[(n + 4) % 5];
    case 6: *turn = 0; return UPPER[n];
    case 7: *turn = 3; return LOWER[n];
    case 8: *turn = 3; return LOWER[(n + 1) % 5];
    case 9: *turn = 4 - n; return SOUTH_PENTAGON;
    case 10: *turn = 1; return LOWER[(n + 1) % 5];
    default: *turn = 0; return LOWER[n];
    }
}

// From these faces a pentagon's missing sector is closed clockwise.
bool
h3_closes_clockwise(int base, int face)
{
    for (int n = 0; n < 5; n++) {
        if (base == UPPER[n])
            return face == (n + 1) % 5 || face == 5 + n;
        if (base == LOWER[n])
            return face == 10 + n || face == 15 + (n + 4) % 5;
    }
    return false;
}

// An edge cell is at home on the face whose turn to it is none: the first of the two in
// this order of rings.
static bool
edge_is_home(int face, Edge edge)
{
    static const bool HOME[4][3] = {
        {true, true, false}, {false, false, true}, {true, false, false}, {false, true, true}};
    return HOME[face / 5][edge];
}

static Ijk
place_ijk(int place)
{
    static const Ijk PLACE[PLACES] = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1},
                                      {1, 1, 0}, {0, 1, 1}, {1, 0, 1}};
    return PLACE[place];
}

// Where a base cell is at home.
FacePoint
h3_base_home(int base)
{
    FacePoint home = {0};
    for (int face = 0; face < H3_FACES; face++) {
        int turn;
        // Pentagons are at home at a corner i; the poles' rings have one turn of none each.
        if (corner_pentagon(face, 0, &turn) == base && turn == 0)
            return (FacePoint){.face = face, .p = {2, 0}};
        for (int place = 0; place < PLACES; place++)
            if (BASE[face][place] == base &&
                (place < ON_IJ || edge_is_home(face, (Edge)(place - ON_IJ))))
                home = (FacePoint){.face = face, .p = ijk_point(place_ijk(place))};
    }
    return home;
}

// The base cell at coarsest coordinates of a face and the turn of digits to its home.
int
h3_base_at(int face, Ijk at, int *turn)
{
    *turn = 0;
    if (at.i == 2 && !at.j && !at.k)
        return corner_pentagon(face, 0, turn);
    if (at.j == 2 && !at.i && !at.k)
        return corner_pentagon(face, 1, turn);
    if (at.k == 2 && !at.i && !at.j)
        return corner_pentagon(face, 2, turn);
    for (int place = 0; place < PLACES; place++) {
        if (!ijk_equal(place_ijk(place), at))
            continue;
        if (place >= ON_IJ && !edge_is_home(face, (Edge)(place - ON_IJ)))
            *turn = h3_fold_over(face, (Edge)(place - ON_IJ)).turn;
        return BASE[face][place];
    }
    // Beyond an edge: a cell of the neighbor.
    Edge edge = !at.k ? EDGE_IJ : !at.i ? EDGE_JK : EDGE_KI;
    Fold fold = h3_fold_over(face, edge);
    Ijk there = ijk_nearest(h3_fold_point(ijk_point(at), edge, fold.turn));
    *turn = fold.turn;
    for (int place = 0; place < ON_IJ; place++)
        if (ijk_equal(place_ijk(place), there))
            return BASE[fold.face][place];
    assert(false && "no cell of a face leads further than a neighbor's");
    return 0;
}
