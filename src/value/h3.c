// H3 cells: numbers to places and back.
//
// Each of the icosahedron's 20 faces is a plane around its center, on which the sphere is
// projected from the Earth's center (gnomonic). A face's hexagons lie on axes i, j, k that
// are 120 degrees apart and point to its corners; each finer grid has sevenfold as many
// cells and is turned by asin(sqrt(3/28)), one way and then the other, so that odd
// resolutions ("class III") are turned and even ones are not. Here lengths on a face are in
// units of the coarsest grid: corners are 2 from the center, edges 1.
//
// A base cell belongs to one face, its home. The digits of a cell lead from the base
// cell's center to the cell's in the plane of the home; where that leaves the face, the
// plane is folded over the edge to the neighbor. Around a pentagon, which sits on a corner
// of the icosahedron, only five of six sectors exist: the one along k is cut out.

#include "value/h3.h"

#include "value/h3_parts.h"

#include <assert.h>
#include <math.h>

enum { FACES = 20, BASE_CELLS = 122, MODE_CELL = 1, MODE_SHIFT = 59, RESERVED_SHIFT = 56 };
enum { RESOLUTION_SHIFT = 52, BASE_SHIFT = 45, DIGIT_BITS = 3, UNUSED_DIGIT = 7 };

static const double SQRT_3 = 1.7320508075688772;
static const double SQRT_7 = 2.6457513110645906;
static const double CLASS_III_TURN = 0.33347317225183211; // asin(sqrt(3 / 28))
static const double GNOMONIC_UNIT = 0.38196601125010500;  // of the coarsest grid, Earth radius 1

// Latitude and longitude of each face's center, and the azimuth of its axis i, in radians.
static const double FACE[FACES][3] = {
    {0.803582649718989942, 1.248397419617396099, 5.619958268523939882},
    {1.307747883455638156, 2.536945009877921159, 5.760339081714187279},
    {1.054751253523952054, -1.347517358900396623, 0.780213654393430055},
    {0.600191595538186799, -0.450603909469755746, 0.430469363979999913},
    {0.491715428198773866, 0.401988202911306943, 6.130269123335111400},
    {0.172745327415618701, 1.678146885280433686, 2.692877706530642877},
    {0.605929321571350690, 2.953923329812411617, 2.982963003477243874},
    {0.427370518328979641, -1.888876200336285401, 3.532912002790141181},
    {-0.079066118549212831, -0.733429513380867741, 3.494305004259568154},
    {-0.230961644455383637, 0.506495587332349035, 3.003214169499538391},
    {0.079066118549212831, 2.408163140208925497, 5.930472956509811562},
    {0.230961644455383637, -2.635097066257444203, 0.138378484090254847},
    {-0.172745327415618701, -1.463445768309359553, 0.448714947059150361},
    {-0.605929321571350690, -0.187669323777381622, 0.158629650112549365},
    {-0.427370518328979641, 1.252716453253507838, 5.891865957979238535},
    {-0.600191595538186799, 2.690988744120037492, 2.711123289609793325},
    {-0.491715428198773866, -2.739604450678486295, 3.294508837434268316},
    {-0.803582649718989942, -1.893195233972397139, 3.804819692245439833},
    {-1.307747883455638156, -0.604647643711872080, 3.664438879055192436},
    {-1.054751253523952054, 1.794075294689396615, 2.361378999196363184},
};

// The base cells of each face that are no pentagons: at its center, on the axes i, j and k,
// and in the middle of the edges ij, jk and ki. An edge cell stands with both faces.
enum { AT_CENTER, ON_I, ON_J, ON_K, ON_IJ, ON_JK, ON_KI, PLACES };
static const uint8_t BASE[FACES][PLACES] = {
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

// ---- faces ----

typedef enum Edge { EDGE_IJ, EDGE_JK, EDGE_KI } Edge; // its middle is at 60, 180, 300 degrees

typedef struct Fold {
    int face; // beyond the edge
    int turn; // sixths of a circle, counterclockwise, from this face's axes to the other's
} Fold;

// The faces form four rings of five: around the north, the upper and lower belt, the south.
static Fold
fold_over(int face, Edge edge)
{
    int ring = face / 5, n = face % 5;
    static const int BELT_JK[] = {5, 0, 15, 10};
    if (edge == EDGE_JK)
        return (Fold){BELT_JK[ring] + n, 3};
    switch (ring) {
    case 0: return edge == EDGE_IJ ? (Fold){(n + 4) % 5, 1} : (Fold){(n + 1) % 5, 5};
    case 1: return (Fold){10 + (edge == EDGE_IJ ? n : (n + 4) % 5), 3};
    case 2: return (Fold){5 + (edge == EDGE_IJ ? n : (n + 1) % 5), 3};
    default: return edge == EDGE_IJ ? (Fold){15 + (n + 1) % 5, 1} : (Fold){15 + (n + 4) % 5, 5};
    }
}

static Vec2
vec_turn(Vec2 p, double angle)
{
    double c = cos(angle), s = sin(angle);
    return (Vec2){p.x * c - p.y * s, p.x * s + p.y * c};
}

static Vec2
sixth_turn(Vec2 p, int sixths)
{
    return vec_turn(p, sixths * (M_PI / 3));
}

static Vec2
edge_middle(Edge edge)
{
    return sixth_turn((Vec2){1, 0}, 1 + 2 * (int)edge);
}

// The same place in the plane of the face beyond the edge: turned, and then shifted by the
// other face's center seen from this one, which is twice the edge's middle.
static Vec2
fold_point(Vec2 p, Edge edge, int turn)
{
    Vec2 middle = edge_middle(edge);
    return sixth_turn((Vec2){p.x - 2 * middle.x, p.y - 2 * middle.y}, turn);
}

static double
beyond(Vec2 p, Edge edge)
{
    Vec2 middle = edge_middle(edge);
    return p.x * middle.x + p.y * middle.y - 1;
}

// ---- a point of a face on the sphere ----

typedef struct Frame {
    double center[3], x[3], y[3]; // unit vectors; x is the direction of axis i
} Frame;

static Frame
face_frame(int face)
{
    double lat = FACE[face][0], lng = FACE[face][1], azimuth = FACE[face][2];
    double north[] = {-sin(lat) * cos(lng), -sin(lat) * sin(lng), cos(lat)};
    double east[] = {-sin(lng), cos(lng), 0};
    Frame frame = {.center = {cos(lat) * cos(lng), cos(lat) * sin(lng), sin(lat)}};
    for (int a = 0; a < 3; a++) {
        frame.x[a] = cos(azimuth) * north[a] + sin(azimuth) * east[a];
        frame.y[a] = sin(azimuth) * north[a] - cos(azimuth) * east[a];
    }
    return frame;
}

static void
face_to_position(FacePoint at, double out[2])
{
    Frame frame = face_frame(at.face);
    double v[3];
    for (int a = 0; a < 3; a++)
        v[a] = frame.center[a] + GNOMONIC_UNIT * (at.p.x * frame.x[a] + at.p.y * frame.y[a]);
    out[0] = atan2(v[1], v[0]) * (180 / M_PI);
    out[1] = atan2(v[2], hypot(v[0], v[1])) * (180 / M_PI);
}

static double
dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static FacePoint
face_of_position(const double position[2])
{
    double lng = position[0] * (M_PI / 180), lat = position[1] * (M_PI / 180);
    double v[] = {cos(lat) * cos(lng), cos(lat) * sin(lng), sin(lat)};
    FacePoint best = {0};
    double nearest = -2;
    for (int face = 0; face < FACES; face++) {
        double flat = FACE[face][0], flng = FACE[face][1];
        double center[] = {cos(flat) * cos(flng), cos(flat) * sin(flng), sin(flat)};
        double near = dot(v, center);
        if (near > nearest) {
            nearest = near;
            best.face = face;
        }
    }
    Frame frame = face_frame(best.face);
    best.p = (Vec2){dot(v, frame.x) / nearest / GNOMONIC_UNIT,
                    dot(v, frame.y) / nearest / GNOMONIC_UNIT};
    return best;
}

// ---- grid coordinates ----

// i, j and k, none negative and one of them 0.
typedef struct Ijk {
    int64_t i, j, k;
} Ijk;

static Ijk
normal(int64_t i, int64_t j, int64_t k)
{
    int64_t least = i < j ? (i < k ? i : k) : (j < k ? j : k);
    return (Ijk){i - least, j - least, k - least};
}

static bool
ijk_equal(Ijk a, Ijk b)
{
    return a.i == b.i && a.j == b.j && a.k == b.k;
}

static Vec2
ijk_point(Ijk c)
{
    double i = (double)(c.i - c.k), j = (double)(c.j - c.k);
    return (Vec2){i - j / 2, j * SQRT_3 / 2};
}

// The nearest grid point: one of the four around, as i and j are 120 degrees apart.
static Ijk
nearest_ijk(Vec2 p)
{
    double j = p.y * 2 / SQRT_3, i = p.x + p.y / SQRT_3;
    double fi = floor(i), fj = floor(j), least = INFINITY;
    Ijk best = {0};
    for (int corner = 0; corner < 4; corner++) {
        double ci = fi + (corner & 1), cj = fj + (corner >> 1);
        double di = i - ci, dj = j - cj, distance = di * di + dj * dj - di * dj;
        if (distance < least) {
            least = distance;
            best = normal((int64_t)ci, (int64_t)cj, 0);
        }
    }
    return best;
}

static Ijk
unit(int digit)
{
    return (Ijk){digit >> 2 & 1, digit >> 1 & 1, digit & 1};
}

static bool
class_iii(int resolution)
{
    return resolution & 1;
}

// The center child, one resolution finer, in that grid.
static Ijk
finer(Ijk c, int resolution)
{
    return class_iii(resolution) ? normal(3 * c.i + c.j, 3 * c.j + c.k, 3 * c.k + c.i)
                                 : normal(3 * c.i + c.k, 3 * c.j + c.i, 3 * c.k + c.j);
}

// The parent of a cell of `resolution`, one coarser.
static Ijk
coarser(Ijk c, int resolution)
{
    double i = (double)(c.i - c.k), j = (double)(c.j - c.k);
    return class_iii(resolution) ? normal(llround((3 * i - j) / 7), llround((i + 2 * j) / 7), 0)
                                 : normal(llround((2 * i + j) / 7), llround((3 * j - i) / 7), 0);
}

// From the grid of a resolution to the units of a face, and back.
static Vec2
grid_to_face(Vec2 p, int resolution)
{
    if (class_iii(resolution))
        p = vec_turn(p, CLASS_III_TURN);
    double scale = pow(SQRT_7, -resolution);
    return (Vec2){p.x * scale, p.y * scale};
}

static Vec2
face_to_grid(Vec2 p, int resolution)
{
    if (class_iii(resolution))
        p = vec_turn(p, -CLASS_III_TURN);
    double scale = pow(SQRT_7, resolution);
    return (Vec2){p.x * scale, p.y * scale};
}

// ---- the number ----

enum { K_DIGIT = 1, JK_DIGIT = 3, IK_DIGIT = 5 };

static int
base_of(H3Cell cell)
{
    return (int)(cell >> BASE_SHIFT & 0x7f);
}

int
h3_resolution(H3Cell cell)
{
    return (int)(cell >> RESOLUTION_SHIFT & 0xf);
}

static int
digit_shift(int resolution)
{
    return DIGIT_BITS * (H3_MAX_RESOLUTION - resolution);
}

static int
digit_at(H3Cell cell, int resolution)
{
    return (int)(cell >> digit_shift(resolution) & 7);
}

static H3Cell
with_digit(H3Cell cell, int resolution, int digit)
{
    int shift = digit_shift(resolution);
    return (cell & ~((H3Cell)7 << shift)) | (H3Cell)digit << shift;
}

static H3Cell
with_resolution(H3Cell cell, int resolution)
{
    return (cell & ~((H3Cell)0xf << RESOLUTION_SHIFT)) | (H3Cell)resolution << RESOLUTION_SHIFT;
}

static int
leading_digit(H3Cell cell)
{
    for (int r = 1; r <= h3_resolution(cell); r++)
        if (digit_at(cell, r))
            return digit_at(cell, r);
    return 0;
}

static H3Cell
turn_digits(H3Cell cell, bool clockwise)
{
    static const int COUNTERCLOCKWISE[] = {0, 5, 3, 1, 6, 4, 2, 7};
    static const int CLOCKWISE[] = {0, 3, 6, 2, 5, 1, 4, 7};
    for (int r = 1; r <= h3_resolution(cell); r++)
        cell = with_digit(cell, r, (clockwise ? CLOCKWISE : COUNTERCLOCKWISE)[digit_at(cell, r)]);
    return cell;
}

// ---- base cells ----

static bool
base_is_pentagon(int base)
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
static bool
closes_clockwise(int base, int face)
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
static FacePoint
base_home(int base)
{
    FacePoint home = {0};
    for (int face = 0; face < FACES; face++) {
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
static int
base_at(int face, Ijk at, int *turn)
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
            *turn = fold_over(face, (Edge)(place - ON_IJ)).turn;
        return BASE[face][place];
    }
    // Beyond an edge: a cell of the neighbor.
    Edge edge = !at.k ? EDGE_IJ : !at.i ? EDGE_JK : EDGE_KI;
    Fold fold = fold_over(face, edge);
    Ijk there = nearest_ijk(fold_point(ijk_point(at), edge, fold.turn));
    *turn = fold.turn;
    for (int place = 0; place < ON_IJ; place++)
        if (ijk_equal(place_ijk(place), there))
            return BASE[fold.face][place];
    assert(false && "no cell of a face leads further than a neighbor's");
    return 0;
}

// ---- point to cell ----

H3Cell
h3_cell_of_point(const double position[2], int resolution)
{
    FacePoint at = face_of_position(position);
    Ijk c = nearest_ijk(face_to_grid(at.p, resolution));
    H3Cell cell = (H3Cell)MODE_CELL << MODE_SHIFT | (H3Cell)resolution << RESOLUTION_SHIFT |
                  (((H3Cell)1 << BASE_SHIFT) - 1);
    for (int r = resolution; r > 0; r--) {
        Ijk parent = coarser(c, r), center = finer(parent, r);
        Ijk step = normal(c.i - center.i, c.j - center.j, c.k - center.k);
        cell = with_digit(cell, r, (int)(step.i * 4 + step.j * 2 + step.k));
        c = parent;
    }
    int turn, base = base_at(at.face, c, &turn);
    cell |= (H3Cell)base << BASE_SHIFT;
    bool pentagon = base_is_pentagon(base);
    if (pentagon && leading_digit(cell) == K_DIGIT)
        cell = turn_digits(cell, closes_clockwise(base, at.face));
    for (int t = 0; t < turn; t++) {
        cell = turn_digits(cell, false);
        if (pentagon && leading_digit(cell) == K_DIGIT)
            cell = turn_digits(cell, false);
    }
    return cell;
}

// ---- cell to points ----

// Sectors around a pentagon at corner i are counted clockwise from the missing one. The first
// is the home's own; it begins at 210 degrees.
static const double SECTOR = M_PI / 3, FIRST = 7 * M_PI / 6;

// The clockwise angle of a point from the start of the first sector. In the missing sector
// lies what the cells of the sectors beside it spill over their edges: its angle is the one
// nearer to the center of the cell. The pentagon's own corners run on beyond the home.
static double
corner_angle(Vec2 p, const H3Place *place)
{
    const double ROUNDING = 1e-9;
    double direction = atan2(p.y, p.x - 2);
    double angle = FIRST - (direction < -ROUNDING ? direction + 2 * M_PI : direction);
    if (place->leading)
        angle -= 2 * M_PI * nearbyint((angle - place->angle) / (2 * M_PI));
    return angle;
}

H3Place
h3_place(H3Cell cell)
{
    int resolution = h3_resolution(cell), base = base_of(cell);
    FacePoint home = base_home(base);
    Ijk c = nearest_ijk(home.p);
    for (int r = 1; r <= resolution; r++) {
        c = finer(c, r);
        Ijk step = unit(digit_at(cell, r));
        c = normal(c.i + step.i, c.j + step.j, c.k + step.k);
    }
    H3Place place = {
        .face = home.face,
        .resolution = resolution,
        .center = ijk_point(c),
        .around_pentagon = base_is_pentagon(base),
        .leading = leading_digit(cell),
    };
    // The middles of the first sector and of the last bear the digits JK and IK.
    if (place.leading) {
        static const double MIDDLE[] = {0, 0, 1.5, 0.5, 3.5, 4.5, 2.5};
        place.angle = MIDDLE[place.leading] * SECTOR;
        place.angle = corner_angle(grid_to_face(place.center, resolution), &place);
    }
    return place;
}

// Folds over the edges that the plane's point lies beyond, the furthest first.
static FacePoint
fold_out(FacePoint at)
{
    enum { MOST_FOLDS = 8 };
    const double ROUNDING = 1e-12;
    for (int n = 0; n < MOST_FOLDS; n++) {
        Edge worst = EDGE_IJ;
        for (Edge edge = EDGE_JK; edge <= EDGE_KI; edge++)
            if (beyond(at.p, edge) > beyond(at.p, worst))
                worst = edge;
        if (beyond(at.p, worst) <= ROUNDING)
            break;
        Fold fold = fold_over(at.face, worst);
        at = (FacePoint){fold.face, at.turn + fold.turn, fold_point(at.p, worst, fold.turn)};
    }
    return at;
}

// Finds the sector of a point, turns it to the home's own and goes as many faces around the
// corner. With the missing sector closed, the fifth sector is beside the first.
static FacePoint
around_corner(FacePoint at, const H3Place *place)
{
    const double ROUNDING = 1e-9;
    double angle = corner_angle(at.p, place);
    // A point on an edge stays on the side from which its sector is reached: up to the middle
    // of the fourth counted from the home, beyond it from the other end.
    bool from_home = angle <= FIRST && place->leading != IK_DIGIT;
    int turn = from_home ? (int)ceil(angle / SECTOR - ROUNDING) - 1
                         : (int)floor(angle / SECTOR + ROUNDING);
    if (turn == -1 && angle > -ROUNDING)
        turn = 0;
    int sector = (turn + 5) % 5;
    double inside = angle - turn * SECTOR;
    double radius = hypot(at.p.x - 2, at.p.y), back = FIRST - inside;
    Vec2 p = {2 + radius * cos(back), radius * sin(back)};
    int face = at.face, corner = 0;
    for (int s = 0; s < sector; s++) {
        Fold fold = fold_over(face, (Edge)corner);
        Vec2 there = fold_point(sixth_turn((Vec2){2, 0}, 2 * corner), (Edge)corner, fold.turn);
        double around = atan2(there.y, there.x);
        corner = (int)lround((around < -1e-6 ? around + 2 * M_PI : around) / (2 * SECTOR)) % 3;
        face = fold.face;
    }
    return (FacePoint){face, turn + 2 * corner, sixth_turn(p, 2 * corner)};
}

FacePoint
h3_unfold(const H3Place *place, Vec2 grid_point)
{
    FacePoint at = {.face = place->face, .p = grid_to_face(grid_point, place->resolution)};
    if (!place->around_pentagon)
        return fold_out(at);
    if (hypot(at.p.x - 2, at.p.y) < 1e-12)
        return at;
    return fold_out(around_corner(at, place));
}

void
h3_grid_position(const H3Place *place, Vec2 grid_point, double out[2])
{
    face_to_position(h3_unfold(place, grid_point), out);
}

void
h3_center(H3Cell cell, double out[2])
{
    H3Place place = h3_place(cell);
    h3_grid_position(&place, place.center, out);
}

// ---- boundary ----

static Vec2
corner_of(const H3Place *place, int corner)
{
    double angle = M_PI / 6 + corner * (M_PI / 3);
    return (Vec2){place->center.x + cos(angle) / SQRT_3, place->center.y + sin(angle) / SQRT_3};
}

// Where the way from a to b leaves the face of a; false when it stays.
static bool
leaves_face(const H3Place *place, Vec2 a, Vec2 b, double out[2])
{
    const double ROUNDING = 1e-6;
    FacePoint from = h3_unfold(place, a), to = h3_unfold(place, b);
    if (from.face == to.face)
        return false;
    // Halving finds the crossing whatever the folds between are.
    double low = 0, high = 1;
    for (int n = 0; n < 60; n++) {
        double t = (low + high) / 2;
        Vec2 middle = {a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)};
        *(h3_unfold(place, middle).face == from.face ? &low : &high) = t;
    }
    if (low < ROUNDING || low > 1 - ROUNDING)
        return false;
    h3_grid_position(place, (Vec2){a.x + low * (b.x - a.x), a.y + low * (b.y - a.y)}, out);
    return true;
}

uint32_t
h3_boundary(H3Cell cell, double out[2 * H3_MAX_BOUNDARY])
{
    H3Place place = h3_place(cell);
    bool pentagon = h3_is_pentagon(cell);
    uint32_t count = 0;
    int corners = pentagon ? 5 : 6;
    // The first corner is the one at 30 degrees in the plane of the center's own face.
    int first = pentagon ? 0 : 12 - h3_unfold(&place, place.center).turn % 6;
    for (int c = 0; c < corners; c++) {
        Vec2 from = corner_of(&place, first + c), to = corner_of(&place, first + c + 1);
        h3_grid_position(&place, from, &out[2 * count++]);
        // Edges of the turned grids cross those of the icosahedron and bend there.
        if (!class_iii(place.resolution))
            continue;
        if (leaves_face(&place, from, to, &out[2 * count]))
            count++;
    }
    return count;
}

// ---- validity and family ----

bool
h3_is_pentagon(H3Cell cell)
{
    return base_is_pentagon(base_of(cell)) && leading_digit(cell) == 0;
}

bool
h3_valid(H3Cell cell)
{
    if (cell >> MODE_SHIFT != MODE_CELL || cell >> RESERVED_SHIFT & 7 ||
        base_of(cell) >= BASE_CELLS)
        return false;
    int resolution = h3_resolution(cell);
    for (int r = 1; r <= H3_MAX_RESOLUTION; r++)
        if ((digit_at(cell, r) == UNUSED_DIGIT) != (r > resolution))
            return false;
    return !base_is_pentagon(base_of(cell)) || leading_digit(cell) != K_DIGIT;
}

H3Cell
h3_parent(H3Cell cell, int resolution)
{
    for (int r = h3_resolution(cell); r > resolution; r--)
        cell = with_digit(cell, r, UNUSED_DIGIT);
    return with_resolution(cell, resolution);
}

H3Cell
h3_first_child(H3Cell cell, int resolution)
{
    for (int r = h3_resolution(cell) + 1; r <= resolution; r++)
        cell = with_digit(cell, r, 0);
    return with_resolution(cell, resolution);
}

H3Cell
h3_next_child(H3Cell child, int parent_resolution)
{
    for (int r = h3_resolution(child); r > parent_resolution; r--) {
        int digit = digit_at(child, r) + 1;
        child = with_digit(child, r, digit % UNUSED_DIGIT);
        if (digit == UNUSED_DIGIT)
            continue;
        // A pentagon has no child along k.
        if (digit == K_DIGIT && base_is_pentagon(base_of(child)) && leading_digit(child) == K_DIGIT)
            child = with_digit(child, r, digit + 1);
        return child;
    }
    return 0;
}

// ---- tokens ----

bool
h3_token_read(Str token, H3Cell *out)
{
    if (token.len == 0 || token.len > H3_TOKEN_SIZE - 1)
        return false;
    *out = 0;
    for (size_t i = 0; i < token.len; i++) {
        char c = token.ptr[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return false;
        *out = *out << 4 | (H3Cell)digit;
    }
    return h3_valid(*out);
}

void
h3_token_print(H3Cell cell, char out[H3_TOKEN_SIZE])
{
    int len = 0;
    for (int shift = 60; shift >= 0; shift -= 4) {
        int digit = (int)(cell >> shift & 0xf);
        if (len || digit)
            out[len++] = "0123456789abcdef"[digit];
    }
    out[len] = 0;
}
