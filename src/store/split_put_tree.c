// Dynamics of a split block put together again. See split.h.

#include "store/split_weave.h"
#include "value/dynamic_weave.h"

// A template's trees.
typedef struct Shape {
    DynWeave *weave;
    DynLeaf *leaves;
    uint8_t (*longs)[9]; // their nodes
} Shape;

// The keys of a path.
static bool
path_keys(Arena *arena, Str path, DynPath *out)
{
    Str keys[SPLIT_DEPTH];
    ByteReader reader = {.at = (const uint8_t *)path.ptr,
                         .end = (const uint8_t *)path.ptr + path.len};
    uint32_t count = 0;
    for (; bytes_left(&reader); count++) {
        if (count == SPLIT_DEPTH)
            return false;
        keys[count] = bytes_str(&reader);
    }
    *out = (DynPath){arena_copy(arena, keys, count * sizeof(Str)), count};
    return !reader.bad;
}

static bool
shape_find(Arena *arena, const SplitTemplate *t, Shape *out)
{
    DynPath *paths = ARENA_ARRAY(arena, DynPath, t->count);
    for (uint32_t p = 0; p < t->count; p++)
        if (!path_keys(arena, t->places[p].path, &paths[p]))
            return false;
    out->weave = dyn_weave_new(arena, paths, t->count);
    out->leaves = ARENA_ARRAY(arena, DynLeaf, t->count);
    out->longs = arena_zalloc_array(arena, t->count, sizeof(*out->longs));
    return out->weave != NULL;
}

static DynLeaf
leaf_of(const SplitColumn *column, uint32_t row, uint8_t *room)
{
    uint32_t index = split_index(column, row);
    if (split_is_null(column, index)) {
        Dyn null = dyn_null();
        return (DynLeaf){null.ptr, null.size, false};
    }
    if (column->kind == SPLIT_LONG)
        return dyn_leaf_long(room, column->longs[index]);
    const Text *text = &column->texts[index];
    return (DynLeaf){text_data(text), text->len, column->kind == SPLIT_STRING};
}

// The next tree of a template; false when it is larger than `most` bytes.
static bool
put_tree(Arena *arena, Weave *w, Shape *shape, uint64_t most, Text *out)
{
    for (uint32_t p = 0; p < w->t->count; p++)
        shape->leaves[p] = leaf_of(&w->columns[p], w->next, shape->longs[p]);
    w->next++;
    uint32_t size = dyn_weave_size(shape->weave, shape->leaves);
    if (!size || size > most)
        return false;
    uint8_t small[TEXT_INLINE];
    uint8_t *bytes = size <= TEXT_INLINE ? small : arena_alloc_aligned(arena, size, 1);
    dyn_weave_write(shape->weave, shape->leaves, bytes);
    *out = text_view((const char *)bytes, size);
    return true;
}

static bool
put_kept(const SplitWhole *w, uint32_t kept, uint64_t most, Block *out, uint32_t row)
{
    if (vector_is_null(&w->kept->vector, kept)) {
        vector_set_null(&out->arena, &out->vector, row);
        return true;
    }
    Str tree = text_str(vector_cell(&w->kept->vector, kept));
    if (tree.len > most)
        return false;
    ((Text *)out->vector.data)[row] = text_copy(&out->arena, tree);
    return true;
}

bool
split_trees_put(SplitWhole *w, Block *out)
{
    Shape shapes[SPLIT_TEMPLATES];
    w->why = "a path of its values cannot be read";
    for (uint32_t t = 0; t < w->head.count; t++)
        if (!shape_find(&w->arena, &w->head.templates[t], &shapes[t]))
            return false;
    out->vector = *vector_new_flat(&out->arena, TYPE_DYNAMIC, w->head.rows);
    w->why = "its values have another size";
    uint64_t left = w->info->raw;
    Text *trees = out->vector.data;
    for (uint32_t i = 0, kept = 0; i < w->head.rows; i++) {
        uint32_t t = w->codes[i];
        if (t == w->head.count ? !put_kept(w, kept++, left, out, i)
                               : !put_tree(&out->arena, &w->weaves[t], &shapes[t], left, &trees[i]))
            return false;
        left -= trees[i].len;
    }
    return true;
}
