// Templates of dynamics: learning one from a tree, and taking the values of a tree that follows
// one. See split.h.

#include "store/split.h"

typedef struct Learning {
    Arena *arena;
    SplitPlace *places;
    uint32_t count;
    size_t bytes;
} Learning;

static bool
is_split(Dyn node, uint32_t depth)
{
    return depth < SPLIT_DEPTH && dyn_kind(node) == DYN_BAG && dyn_count(node);
}

static bool
learn_bag(Learning *l, Dyn bag, Str path, uint32_t depth)
{
    uint32_t members = dyn_count(bag);
    for (uint32_t m = 0; m < members; m++) {
        Dyn value = dyn_at(bag, m);
        Str below = split_path_below(l->arena, path, dyn_key_at(bag, m));
        l->bytes += below.len;
        if (l->bytes > SPLIT_TEMPLATE)
            return false;
        if (is_split(value, depth)) {
            if (!learn_bag(l, value, below, depth + 1))
                return false;
            continue;
        }
        if (l->count == SPLIT_VALUES)
            return false;
        l->places[l->count++].path = below;
    }
    return true;
}

bool
split_tree_learn(Arena *arena, Dyn tree, SplitTemplate *out)
{
    SplitPlace places[SPLIT_VALUES] = {0};
    Learning l = {arena, places, 0, 0};
    if (!is_split(tree, 0) || !learn_bag(&l, tree, (Str){"", 0}, 1))
        return false;
    *out = (SplitTemplate){.count = l.count};
    out->places = arena_copy(arena, places, l.count * sizeof(*places));
    return true;
}

typedef struct Following {
    const SplitTemplate *t;
    SplitCell *cells;
    uint32_t next; // place
} Following;

static SplitCell
cell_of(Dyn node)
{
    SplitCell cell = {(const char *)node.ptr, node.size, CLASS_OTHER};
    switch (dyn_kind(node)) {
    case DYN_LONG: cell.class_ = CLASS_LONG; break;
    case DYN_STRING: cell.class_ = CLASS_STRING; break;
    case DYN_NULL: cell.class_ = CLASS_NULL; break;
    default: break;
    }
    return cell;
}

// Whether the key is the one at byte `at` of the path.
static bool
key_is(Str path, size_t at, Str key)
{
    uint32_t len;
    if (path.len - at < sizeof(len))
        return false;
    memcpy(&len, path.ptr + at, sizeof(len));
    return len == key.len && path.len - at - sizeof(len) >= len &&
           memcmp(path.ptr + at + sizeof(len), key.ptr, len) == 0;
}

// A bag whose members are at the next places: their paths go on at byte `at`.
static bool
follow_bag(Following *f, Dyn bag, size_t at)
{
    Str parent = str_slice(f->t->places[f->next].path, 0, at);
    uint32_t members = dyn_count(bag);
    for (uint32_t m = 0; m < members; m++) {
        if (f->next == f->t->count)
            return false;
        Str path = f->t->places[f->next].path, key = dyn_key_at(bag, m);
        if (!str_starts(path, parent) || !key_is(path, at, key))
            return false;
        size_t behind = at + sizeof(uint32_t) + key.len;
        Dyn value = dyn_at(bag, m);
        if (behind == path.len)
            f->cells[f->next++] = cell_of(value);
        else if (dyn_kind(value) != DYN_BAG || !dyn_count(value) || !follow_bag(f, value, behind))
            return false;
    }
    // Members that the bag lacks.
    return !at || f->next == f->t->count || !str_starts(f->t->places[f->next].path, parent);
}

bool
split_tree_follow(const SplitTemplate *t, Dyn tree, SplitCell *cells)
{
    Following f = {t, cells, 0};
    return dyn_kind(tree) == DYN_BAG && dyn_count(tree) && follow_bag(&f, tree, 0) &&
           f.next == t->count;
}
