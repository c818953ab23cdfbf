// The icosahedron of H3: its faces, their planes, and how planes go on over edges.

#include "value/h3_parts.h"

#include <math.h>
#include <pthread.h>

static const double SQRT_7 = 2.6457513110645906;
static const double CLASS_III_TURN = 0.33347317225183211; // asin(sqrt(3 / 28))
static const double GNOMONIC_UNIT = 0.38196601125010500;  // of the coarsest grid, Earth radius 1

// Latitude and longitude of each face's center, and the azimuth of its axis i, in radians.
static const double FACE[H3_FACES][3] = {
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
// ---- faces ----

// The faces form four rings of five: around the north, the upper and lower belt, the south.
Fold
h3_fold_over(int face, Edge edge)
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
Vec2
h3_fold_point(Vec2 p, Edge edge, int turn)
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

static Frame frames[H3_FACES];
static pthread_once_t frames_once = PTHREAD_ONCE_INIT;

static void
make_frames(void)
{
    for (int face = 0; face < H3_FACES; face++) {
        double lat = FACE[face][0], lng = FACE[face][1], azimuth = FACE[face][2];
        double north[] = {-sin(lat) * cos(lng), -sin(lat) * sin(lng), cos(lat)};
        double east[] = {-sin(lng), cos(lng), 0};
        double center[] = {cos(lat) * cos(lng), cos(lat) * sin(lng), sin(lat)};
        for (int a = 0; a < 3; a++) {
            frames[face].center[a] = center[a];
            frames[face].x[a] = cos(azimuth) * north[a] + sin(azimuth) * east[a];
            frames[face].y[a] = sin(azimuth) * north[a] - cos(azimuth) * east[a];
        }
    }
}

static const Frame *
face_frame(int face)
{
    pthread_once(&frames_once, make_frames);
    return &frames[face];
}

static void
face_to_position(FacePoint at, double out[2])
{
    const Frame *frame = face_frame(at.face);
    double v[3];
    for (int a = 0; a < 3; a++)
        v[a] = frame->center[a] + GNOMONIC_UNIT * (at.p.x * frame->x[a] + at.p.y * frame->y[a]);
    out[0] = atan2(v[1], v[0]) * (180 / M_PI);
    out[1] = atan2(v[2], hypot(v[0], v[1])) * (180 / M_PI);
}

static double
dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

FacePoint
h3_face_of_position(const double position[2])
{
    double lng = position[0] * (M_PI / 180), lat = position[1] * (M_PI / 180);
    double v[] = {cos(lat) * cos(lng), cos(lat) * sin(lng), sin(lat)};
    FacePoint best = {0};
    double nearest = -2;
    for (int face = 0; face < H3_FACES; face++) {
        double near = dot(v, face_frame(face)->center);
        if (near > nearest) {
            nearest = near;
            best.face = face;
        }
    }
    const Frame *frame = face_frame(best.face);
    best.p = (Vec2){dot(v, frame->x) / nearest / GNOMONIC_UNIT,
                    dot(v, frame->y) / nearest / GNOMONIC_UNIT};
    return best;
}
// ---- grids ----

bool
h3_class_iii(int resolution)
{
    return resolution & 1;
}

// From the grid of a resolution to the units of a face, and back.
Vec2
h3_grid_to_face(Vec2 p, int resolution)
{
    if (h3_class_iii(resolution))
        p = vec_turn(p, CLASS_III_TURN);
    double scale = pow(SQRT_7, -resolution);
    return (Vec2){p.x * scale, p.y * scale};
}

Vec2
h3_face_to_grid(Vec2 p, int resolution)
{
    if (h3_class_iii(resolution))
        p = vec_turn(p, -CLASS_III_TURN);
    double scale = pow(SQRT_7, resolution);
    return (Vec2){p.x * scale, p.y * scale};
}
// ---- around edges and corners ----

// Sectors around a pentagon at corner i are counted clockwise from the missing one. The first
// is the home's own; it begins at 210 degrees.
static const double SECTOR = M_PI / 3, FIRST = 7 * M_PI / 6;

// The clockwise angle of a point from the start of the first sector. In the missing sector
// lies what the cells of the sectors beside it spill over their edges: its angle is the one
// nearer to the center of the cell. The pentagon's own corners run on beyond the home.
double
h3_corner_angle(Vec2 p, const H3Place *place)
{
    const double ROUNDING = 1e-9;
    double direction = atan2(p.y, p.x - 2);
    double angle = FIRST - (direction < -ROUNDING ? direction + 2 * M_PI : direction);
    if (place->leading)
        angle -= 2 * M_PI * nearbyint((angle - place->angle) / (2 * M_PI));
    return angle;
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
        Fold fold = h3_fold_over(at.face, worst);
        at = (FacePoint){fold.face, at.turn + fold.turn, h3_fold_point(at.p, worst, fold.turn)};
    }
    return at;
}

// Finds the sector of a point, turns it to the home's own and goes as many faces around the
// corner. With the missing sector closed, the fifth sector is beside the first.
static FacePoint
around_corner(FacePoint at, const H3Place *place)
{
    const double ROUNDING = 1e-9;
    double angle = h3_corner_angle(at.p, place);
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
        Fold fold = h3_fold_over(face, (Edge)corner);
        Vec2 there = h3_fold_point(sixth_turn((Vec2){2, 0}, 2 * corner), (Edge)corner, fold.turn);
        double around = atan2(there.y, there.x);
        corner = (int)lround((around < -1e-6 ? around + 2 * M_PI : around) / (2 * SECTOR)) % 3;
        face = fold.face;
    }
    return (FacePoint){face, turn + 2 * corner, sixth_turn(p, 2 * corner)};
}

FacePoint
h3_unfold(const H3Place *place, Vec2 grid_point)
{
    FacePoint at = {.face = place->face, .p = h3_grid_to_face(grid_point, place->resolution)};
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
