// Places for the boxes: layers by the longest way from a start, the order within a layer by
// where its neighbours are, heights by what is written in them.

#include "report/path_picture.h"

#include "base/array.h"
#include "report/result_text.h"

#include <stdlib.h>

enum { SWEEPS = 8, BOX_WIDTH = 168, GOAL_WIDTH = 262, GAP_X = 74, GAP_Y = 16, MARGIN = 6 };

// Whether `to` is reached from `from` over lines that are kept.
static bool
leads_to(const Picture *picture, uint32_t from, uint32_t to, bool *seen)
{
    if (from == to)
        return true;
    seen[from] = true;
    for (size_t i = 0; i < picture->lines.len; i++) {
        const PictureLine *line = &picture->lines.items[i];
        if (line->from == from && !line->is_back && !seen[line->to] &&
            leads_to(picture, line->to, to, seen))
            return true;
    }
    return false;
}

// Lines that would close a circle go back; the rest order the layers.
static void
find_layers(Picture *picture)
{
    bool *seen = ARENA_ARRAY(picture->arena, bool, picture->boxes.len);
    for (size_t i = 0; i < picture->lines.len; i++)
        picture->lines.items[i].is_back = true;
    for (size_t i = 0; i < picture->lines.len; i++) {
        PictureLine *line = &picture->lines.items[i];
        for (size_t b = 0; b < picture->boxes.len; b++)
            seen[b] = false;
        line->is_back = leads_to(picture, line->to, line->from, seen);
    }
    PictureBox *boxes = picture->boxes.items;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < picture->lines.len; i++) {
            const PictureLine *line = &picture->lines.items[i];
            if (line->is_back || boxes[line->to].layer > boxes[line->from].layer)
                continue;
            boxes[line->to].layer = boxes[line->from].layer + 1;
            moved = true;
        }
    }
    for (size_t i = 0; i < picture->boxes.len; i++)
        if (boxes[i].layer + 1 > picture->layers)
            picture->layers = boxes[i].layer + 1;
    for (size_t i = 0; i < picture->boxes.len; i++)
        if (boxes[i].kind == BOX_GOALS)
            boxes[i].layer = picture->layers - 1;
}

static void
add_bends(Picture *picture)
{
    for (size_t i = 0; i < picture->lines.len; i++) {
        PictureLine *line = &picture->lines.items[i];
        if (line->is_back)
            continue;
        uint32_t end = picture->boxes.items[line->to].layer;
        for (uint32_t l = picture->boxes.items[line->from].layer + 1; l < end; l++) {
            PictureBox bend = {.kind = BOX_BEND, .layer = l};
            uint32_t index = (uint32_t)picture->boxes.len;
            ARRAY_PUSH(picture->arena, &line->bends, index);
            ARRAY_PUSH(picture->arena, &picture->boxes, bend);
        }
    }
}

static void
measure(Picture *picture)
{
    for (size_t i = 0; i < picture->boxes.len; i++) {
        PictureBox *box = &picture->boxes.items[i];
        box->width = BOX_WIDTH;
        if (box->kind == BOX_BEND) {
            box->height = 4;
        } else if (box->kind == BOX_GOALS) {
            box->width = GOAL_WIDTH;
            box->height = 30 + 19 * (double)box->goals.len;
        } else {
            bool two = text_display_width(box->shown) > PICTURE_NAME_COLUMNS;
            box->height = 42 + (two ? 16 : 0) + (box->reached.len ? 16 : 0);
        }
        box->x = MARGIN + box->layer * (BOX_WIDTH + GAP_X);
    }
    picture->width = 2 * MARGIN + (picture->layers - 1) * (BOX_WIDTH + GAP_X) + GOAL_WIDTH;
}

static double
middle(const PictureBox *box)
{
    return box->y + box->height / 2;
}

// Calls for each piece of a line between neighbouring layers.
typedef struct Pull {
    double *sum;
    uint32_t *count;
} Pull;

static void
pull_piece(const Picture *picture, uint32_t a, uint32_t b, bool forward, Pull pull)
{
    uint32_t moved = forward ? b : a, still = forward ? a : b;
    pull.sum[moved] += middle(&picture->boxes.items[still]);
    pull.count[moved]++;
}

static void
pull_all(const Picture *picture, bool forward, Pull pull)
{
    for (size_t i = 0; i < picture->boxes.len; i++) {
        pull.sum[i] = 0;
        pull.count[i] = 0;
    }
    for (size_t i = 0; i < picture->lines.len; i++) {
        const PictureLine *line = &picture->lines.items[i];
        if (line->is_back)
            continue;
        uint32_t at = line->from;
        for (size_t b = 0; b < line->bends.len; b++) {
            pull_piece(picture, at, line->bends.items[b], forward, pull);
            at = line->bends.items[b];
        }
        pull_piece(picture, at, line->to, forward, pull);
    }
}

typedef struct Wish {
    uint32_t box;
    double y;
} Wish;

static int
wish_order(const void *a, const void *b)
{
    const Wish *x = a, *y = b;
    if (x->y != y->y)
        return x->y < y->y ? -1 : 1;
    return (x->box > y->box) - (x->box < y->box);
}

// Puts the boxes of a layer one below the other in the order of their wishes, then moves
// the column so that on the whole they stand where they wish.
static void
stack(Picture *picture, Wish *wishes, size_t count)
{
    if (!count)
        return;
    qsort(wishes, count, sizeof *wishes, wish_order);
    double y = 0, off = 0;
    for (size_t i = 0; i < count; i++) {
        PictureBox *box = &picture->boxes.items[wishes[i].box];
        double want = wishes[i].y - box->height / 2;
        box->y = i && want < y ? y : want;
        y = box->y + box->height + GAP_Y;
        off += want - box->y;
    }
    off /= (double)count;
    for (size_t i = 0; i < count; i++)
        picture->boxes.items[wishes[i].box].y += off;
}

static void
sweep(Picture *picture, bool forward, Pull pull, Wish *wishes)
{
    for (uint32_t step = 0; step < picture->layers; step++) {
        uint32_t layer = forward ? step : picture->layers - 1 - step;
        pull_all(picture, forward, pull);
        size_t count = 0;
        for (uint32_t i = 0; i < picture->boxes.len; i++) {
            const PictureBox *box = &picture->boxes.items[i];
            if (box->layer != layer)
                continue;
            double y = pull.count[i] ? pull.sum[i] / pull.count[i] : middle(box);
            wishes[count++] = (Wish){i, y};
        }
        stack(picture, wishes, count);
    }
}

// Bands across the picture in which nothing stands are closed.
static void
close_gaps(Picture *picture, Wish *order)
{
    size_t count = picture->boxes.len;
    for (uint32_t i = 0; i < count; i++)
        order[i] = (Wish){i, picture->boxes.items[i].y};
    qsort(order, count, sizeof *order, wish_order);
    double end = order[0].y - GAP_Y, up = 0; // end of what stands above, where it stood
    for (size_t i = 0; i < count; i++) {
        PictureBox *box = &picture->boxes.items[order[i].box];
        if (box->y > end + GAP_Y)
            up += box->y - end - GAP_Y;
        if (box->y + box->height > end)
            end = box->y + box->height;
        box->y -= up;
    }
}

void
path_picture_place(Picture *picture)
{
    if (!picture->boxes.len)
        return;
    find_layers(picture);
    add_bends(picture);
    measure(picture);
    size_t count = picture->boxes.len;
    Wish *wishes = ARENA_ARRAY(picture->arena, Wish, count);
    Pull pull = {ARENA_ARRAY(picture->arena, double, count),
                 ARENA_ARRAY(picture->arena, uint32_t, count)};
    // At first each layer from the top, in the order in which paths name its boxes.
    double *y = ARENA_ARRAY(picture->arena, double, picture->layers);
    for (size_t i = 0; i < count; i++) {
        PictureBox *box = &picture->boxes.items[i];
        box->y = y[box->layer];
        y[box->layer] += box->height + GAP_Y;
    }
    for (int i = 0; i < SWEEPS; i++)
        sweep(picture, i % 2 == 0, pull, wishes);
    close_gaps(picture, wishes);
    double top = picture->boxes.items[0].y;
    for (size_t i = 0; i < count; i++)
        if (picture->boxes.items[i].y < top)
            top = picture->boxes.items[i].y;
    for (size_t i = 0; i < count; i++) {
        PictureBox *box = &picture->boxes.items[i];
        box->y += MARGIN - top;
        if (box->y + box->height + MARGIN > picture->height)
            picture->height = box->y + box->height + MARGIN;
    }
}
