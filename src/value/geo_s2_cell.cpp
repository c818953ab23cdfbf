// The S2 module: cells.

#include "value/geo_s2_parts.hpp"

#include <s2/s2cell.h>
#include <s2/s2cell_id.h>
#include <s2/s2region.h>
#include <s2/s2shape_index_buffered_region.h>
#include <s2/s2shape_index_region.h>

#include <algorithm>

uint64_t
geo_cell_of_point(const double point[2], int level)
{
    return S2CellId(geo_point(point)).parent(level).id();
}

bool
geo_cell_valid(uint64_t cell)
{
    return S2CellId(cell).is_valid();
}

void
geo_cell_center(uint64_t cell, double out[2])
{
    S2LatLng center = S2CellId(cell).ToLatLng();
    out[0] = center.lng().degrees();
    out[1] = center.lat().degrees();
}

void
geo_cell_corners(uint64_t cell, double out[8])
{
    S2Cell corners{S2CellId(cell)};
    for (int k = 0; k < 4; k++)
        geo_degrees(corners.GetVertex(k), out + 2 * k);
}

uint32_t
geo_cell_neighbors(uint64_t cell, uint64_t *out, uint32_t max)
{
    try {
        std::vector<S2CellId> all;
        S2CellId id(cell);
        id.AppendAllNeighbors(id.level(), &all);
        uint32_t count = 0;
        for (S2CellId neighbor : all)
            if (std::find(out, out + count, neighbor.id()) == out + count && count < max)
                out[count++] = neighbor.id();
        return count;
    } catch (...) {
        return 0;
    }
}

// ---- covering ----

struct Cover {
    const S2Region &region;
    int level;
    uint64_t *cells;
    uint32_t max;
    int64_t count;
};

// Adds what of `cell` meets the region, in order of the cells. False when there are too many.
static bool
cover_cell(Cover *cover, const S2Cell &cell)
{
    if (!cover->region.MayIntersect(cell))
        return true;
    if (cell.level() == cover->level) {
        if (cover->count >= cover->max)
            return false;
        cover->cells[cover->count++] = cell.id().id();
        return true;
    }
    if (cover->region.Contains(cell)) {
        S2CellId end = cell.id().child_end(cover->level);
        for (S2CellId id = cell.id().child_begin(cover->level); id != end; id = id.next()) {
            if (cover->count >= cover->max)
                return false;
            cover->cells[cover->count++] = id.id();
        }
        return true;
    }
    S2Cell children[4];
    cell.Subdivide(children);
    for (const S2Cell &child : children)
        if (!cover_cell(cover, child))
            return false;
    return true;
}

static int64_t
cover_region(const S2Region &region, int level, uint64_t *cells, uint32_t max)
{
    Cover cover = {region, level, cells, max, 0};
    for (int face = 0; face < 6; face++)
        if (!cover_cell(&cover, S2Cell::FromFace(face)))
            return -1;
    return cover.count;
}

int64_t
geo_cover(GeoFigure *figure, int level, double radius, uint64_t *cells, uint32_t max)
{
    try {
        const MutableS2ShapeIndex &index = geo_index(figure);
        if (radius > 0) {
            S2ShapeIndexBufferedRegion region(&index, S1ChordAngle(S1Angle::Radians(radius)));
            return cover_region(region, level, cells, max);
        }
        S2ShapeIndexRegion<MutableS2ShapeIndex> region(&index);
        return cover_region(region, level, cells, max);
    } catch (...) {
        return -1;
    }
}
