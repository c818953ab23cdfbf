// Geohash: longitude and latitude halved in turn, the choices written five bits a letter.

#include "value/geo_sphere.h"

#include <string.h>

static const char LETTERS[] = "0123456789bcdefghjkmnpqrstuvwxyz";
enum { BITS_A_LETTER = 5 };

void
geohash_encode(const double position[2], int accuracy, char *out)
{
    double low[2] = {-180, -90}, high[2] = {180, 90};
    int axis = 0;
    for (int i = 0; i < accuracy; i++) {
        unsigned letter = 0;
        for (int bit = 0; bit < BITS_A_LETTER; bit++, axis ^= 1) {
            double middle = (low[axis] + high[axis]) / 2;
            bool upper = position[axis] >= middle;
            *(upper ? &low[axis] : &high[axis]) = middle;
            letter = letter << 1 | upper;
        }
        out[i] = LETTERS[letter];
    }
    out[accuracy] = 0;
}

// A geohash as the numbers of its column and row, and how many bits each has.
typedef struct Grid {
    uint64_t at[2];
    int bits[2];
} Grid;

static bool
grid_read(Str geohash, Grid *grid)
{
    *grid = (Grid){0};
    if (geohash.len == 0 || geohash.len > GEOHASH_MAX)
        return false;
    int axis = 0;
    for (size_t i = 0; i < geohash.len; i++) {
        const char *letter = geohash.ptr[i] ? strchr(LETTERS, geohash.ptr[i]) : NULL;
        if (!letter)
            return false;
        for (int bit = BITS_A_LETTER - 1; bit >= 0; bit--, axis ^= 1) {
            grid->at[axis] = grid->at[axis] << 1 | ((size_t)(letter - LETTERS) >> bit & 1);
            grid->bits[axis]++;
        }
    }
    return true;
}

static void
grid_write(const Grid *grid, size_t letters, char *out)
{
    int left[2] = {grid->bits[0], grid->bits[1]}, axis = 0;
    for (size_t i = 0; i < letters; i++) {
        unsigned letter = 0;
        for (int bit = 0; bit < BITS_A_LETTER; bit++, axis ^= 1)
            letter = letter << 1 | (unsigned)(grid->at[axis] >> --left[axis] & 1);
        out[i] = LETTERS[letter];
    }
    out[letters] = 0;
}

bool
geohash_decode(Str geohash, GeoBox *box)
{
    Grid grid;
    if (!grid_read(geohash, &grid))
        return false;
    double width = 360.0 / (double)(UINT64_C(1) << grid.bits[0]);
    double height = 180.0 / (double)(UINT64_C(1) << grid.bits[1]);
    box->west = -180 + (double)grid.at[0] * width;
    box->east = -180 + (double)(grid.at[0] + 1) * width;
    box->south = -90 + (double)grid.at[1] * height;
    box->north = -90 + (double)(grid.at[1] + 1) * height;
    return true;
}

uint32_t
geohash_neighbors(Str geohash, char out[GEOHASH_NEIGHBORS][GEO_TOKEN_MAX])
{
    // Clockwise from the north-west.
    static const int EAST[] = {-1, 0, 1, 1, 1, 0, -1, -1}, NORTH[] = {1, 1, 1, 0, -1, -1, -1, 0};
    Grid grid;
    if (!grid_read(geohash, &grid))
        return 0;
    uint64_t columns = UINT64_C(1) << grid.bits[0], rows = UINT64_C(1) << grid.bits[1];
    uint32_t count = 0;
    for (int k = 0; k < GEOHASH_NEIGHBORS; k++) {
        Grid next = grid;
        if ((NORTH[k] > 0 && grid.at[1] + 1 == rows) || (NORTH[k] < 0 && grid.at[1] == 0))
            continue;
        next.at[0] = (grid.at[0] + columns + (uint64_t)(int64_t)EAST[k]) % columns;
        next.at[1] = grid.at[1] + (uint64_t)(int64_t)NORTH[k];
        grid_write(&next, geohash.len, out[count++]);
    }
    return count;
}
