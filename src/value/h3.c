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

#include <math.h>

enum { BASE_CELLS = 122, MODE_CELL = 1, MODE_SHIFT = 59, RESERVED_SHIFT = 56 };
enum { RESOLUTION_SHIFT = 52, BASE_SHIFT = 45, DIGIT_BITS = 3, UNUSED_DIGIT = 7 };

// ---- grid coordinates ----

static Ijk
unit(int digit)
{
    return (Ijk){digit >> 2 & 1, digit >> 1 & 1, digit & 1};
}

// The center child, one resolution finer, in that grid.
static Ijk
finer(Ijk c, int resolution)
{
    return h3_class_iii(resolution) ? ijk_normal(3 * c.i + c.j, 3 * c.j + c.k, 3 * c.k + c.i)
                                    : ijk_normal(3 * c.i + c.k, 3 * c.j + c.i, 3 * c.k + c.j);
}

// The parent of a cell of `resolution`, one coarser.
static Ijk
coarser(Ijk c, int resolution)
{
    double i = (double)(c.i - c.k), j = (double)(c.j - c.k);
    return h3_class_iii(resolution)
               ? ijk_normal(llround((3 * i - j) / 7), llround((i + 2 * j) / 7), 0)
               : ijk_normal(llround((2 * i + j) / 7), llround((3 * j - i) / 7), 0);
}

// ---- the number ----

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
// ---- point to cell ----

H3Cell
h3_cell_of_point(const double position[2], int resolution)
{
    FacePoint at = h3_face_of_position(position);
    Ijk c = ijk_nearest(h3_face_to_grid(at.p, resolution));
    H3Cell cell = (H3Cell)MODE_CELL << MODE_SHIFT | (H3Cell)resolution << RESOLUTION_SHIFT |
                  (((H3Cell)1 << BASE_SHIFT) - 1);
    for (int r = resolution; r > 0; r--) {
        Ijk parent = coarser(c, r), center = finer(parent, r);
        Ijk step = ijk_normal(c.i - center.i, c.j - center.j, c.k - center.k);
        cell = with_digit(cell, r, (int)(step.i * 4 + step.j * 2 + step.k));
        c = parent;
    }
    int turn, base = h3_base_at(at.face, c, &turn);
    cell |= (H3Cell)base << BASE_SHIFT;
    bool pentagon = h3_base_is_pentagon(base);
    if (pentagon && leading_digit(cell) == K_DIGIT)
        cell = turn_digits(cell, h3_closes_clockwise(base, at.face));
    for (int t = 0; t < turn; t++) {
        cell = turn_digits(cell, false);
        if (pentagon && leading_digit(cell) == K_DIGIT)
            cell = turn_digits(cell, false);
    }
    return cell;
}
// ---- cell to points ----

H3Place
h3_place(H3Cell cell)
{
    int resolution = h3_resolution(cell), base = base_of(cell);
    FacePoint home = h3_base_home(base);
    Ijk c = ijk_nearest(home.p);
    for (int r = 1; r <= resolution; r++) {
        c = finer(c, r);
        Ijk step = unit(digit_at(cell, r));
        c = ijk_normal(c.i + step.i, c.j + step.j, c.k + step.k);
    }
    H3Place place = {
        .face = home.face,
        .resolution = resolution,
        .center = ijk_point(c),
        .around_pentagon = h3_base_is_pentagon(base),
        .leading = leading_digit(cell),
    };
    // The middles of the first sector and of the last bear the digits JK and IK.
    if (place.leading) {
        static const double MIDDLE[] = {0, 0, 1.5, 0.5, 3.5, 4.5, 2.5};
        place.angle = MIDDLE[place.leading] * (M_PI / 3);
        place.angle = h3_corner_angle(h3_grid_to_face(place.center, resolution), &place);
    }
    return place;
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
    return (Vec2){place->center.x + cos(angle) / sqrt(3), place->center.y + sin(angle) / sqrt(3)};
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
        if (!h3_class_iii(place.resolution))
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
    return h3_base_is_pentagon(base_of(cell)) && leading_digit(cell) == 0;
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
    return !h3_base_is_pentagon(base_of(cell)) || leading_digit(cell) != K_DIGIT;
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
        if (digit == K_DIGIT && h3_base_is_pentagon(base_of(child)) &&
            leading_digit(child) == K_DIGIT)
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
