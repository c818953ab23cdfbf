// Trees of one shape; see dynamic_weave.h, and dynamic_layout.h for the bytes.

#include "value/dynamic_weave.h"
#include "base/array.h"
#include "value/dynamic_layout.h"

#include <stdlib.h>

enum { NO_BAG = 0 }; // the outermost is in no other

typedef struct Member {
    Str key;
    uint32_t bag; // the bag that is its value; NO_BAG: a leaf
    uint32_t leaf;
} Member;

typedef struct Bag {
    struct {
        Member *items;
        size_t len, cap;
    } members;
    uint32_t *order;      // members by ascending key
    uint64_t keys_size;   // bytes of all keys
    uint32_t size, width; // of the tree whose size was asked last
} Bag;

struct DynWeave {
    struct {
        Bag *items;
        size_t len, cap;
    } bags; // those within a bag come behind it
};

// ---- shape ----

static uint32_t
bag_add(Arena *arena, DynWeave *weave)
{
    Bag none = {0};
    ARRAY_PUSH(arena, &weave->bags, none);
    return (uint32_t)weave->bags.len - 1;
}

static bool
member_add(Arena *arena, Bag *bag, Member member)
{
    for (size_t m = 0; m < bag->members.len; m++)
        if (str_equal(bag->members.items[m].key, member.key))
            return false;
    ARRAY_PUSH(arena, &bag->members, member);
    bag->keys_size += member.key.len;
    return true;
}

static int
order_members(const void *a, const void *b, void *bag)
{
    const Member *members = ((const Bag *)bag)->members.items;
    return str_compare(members[*(const uint32_t *)a].key, members[*(const uint32_t *)b].key);
}

static void
bag_order(Arena *arena, Bag *bag)
{
    uint32_t count = (uint32_t)bag->members.len;
    bag->order = arena_alloc_array(arena, count, sizeof(uint32_t));
    for (uint32_t m = 0; m < count; m++)
        bag->order[m] = m;
    qsort_r(bag->order, count, sizeof(uint32_t), order_members, bag);
}

// The bag in which the path's last key is: the latest one as far as the keys are the same.
static bool
path_add(Arena *arena, DynWeave *weave, const DynPath *path, uint32_t leaf)
{
    uint32_t bag = 0;
    bool latest = true;
    for (uint32_t k = 0; k + 1 < path->count; k++) {
        const Bag *b = &weave->bags.items[bag];
        const Member *last = b->members.len ? &b->members.items[b->members.len - 1] : NULL;
        latest = latest && last && last->bag != NO_BAG && str_equal(last->key, path->keys[k]);
        if (latest) {
            bag = last->bag;
            continue;
        }
        uint32_t inner = bag_add(arena, weave);
        if (!member_add(arena, &weave->bags.items[bag], (Member){path->keys[k], inner, 0}))
            return false;
        bag = inner;
    }
    return path->count && member_add(arena, &weave->bags.items[bag],
                                     (Member){path->keys[path->count - 1], NO_BAG, leaf});
}

DynWeave *
dyn_weave_new(Arena *arena, const DynPath *paths, uint32_t count)
{
    DynWeave *weave = ARENA_NEW(arena, DynWeave);
    bag_add(arena, weave);
    for (uint32_t p = 0; p < count; p++)
        if (!path_add(arena, weave, &paths[p], p))
            return NULL;
    for (size_t b = 0; b < weave->bags.len; b++)
        bag_order(arena, &weave->bags.items[b]);
    return weave;
}

// ---- trees ----

DynLeaf
dyn_leaf_long(uint8_t room[9], int64_t number)
{
    uint32_t size = dyn_long_size(number);
    room[0] = DYN_LONG;
    memcpy(room + 1, &number, size - 1); // little-endian: the low bytes come first
    return (DynLeaf){room, size, false};
}

static uint32_t
leaf_size(const DynLeaf *leaf)
{
    return leaf->size + leaf->is_string;
}

uint32_t
dyn_weave_size(DynWeave *weave, const DynLeaf *leaves)
{
    // From the last: a bag's own bags come behind it.
    for (size_t b = weave->bags.len; b-- > 0;) {
        Bag *bag = &weave->bags.items[b];
        uint64_t bytes = bag->keys_size;
        for (size_t m = 0; m < bag->members.len; m++) {
            const Member *member = &bag->members.items[m];
            bytes += member->bag != NO_BAG ? weave->bags.items[member->bag].size
                                           : leaf_size(&leaves[member->leaf]);
        }
        bag->width = dyn_word_width(bytes);
        uint64_t size = 1 + bag->width + bag->members.len * bag->width * 3 + bytes;
        if (size > UINT32_MAX)
            return 0;
        bag->size = (uint32_t)size;
    }
    return weave->bags.items[0].size;
}

static uint8_t *
put_leaf(uint8_t *out, const DynLeaf *leaf)
{
    if (leaf->is_string)
        *out++ = DYN_STRING;
    if (leaf->size)
        memcpy(out, leaf->bytes, leaf->size);
    return out + leaf->size;
}

static uint8_t *
put_bag(const DynWeave *weave, const Bag *bag, const DynLeaf *leaves, uint8_t *out)
{
    uint32_t count = (uint32_t)bag->members.len, width = bag->width, end = 0;
    *out++ = dyn_container_tag(DYN_BAG, width);
    out = dyn_put_word(out, width, count);
    for (uint32_t m = 0; m < count; m++) {
        const Member *member = &bag->members.items[m];
        end += (uint32_t)member->key.len;
        out = dyn_put_word(out, width, end);
        end += member->bag != NO_BAG ? weave->bags.items[member->bag].size
                                     : leaf_size(&leaves[member->leaf]);
        out = dyn_put_word(out, width, end);
    }
    for (uint32_t m = 0; m < count; m++)
        out = dyn_put_word(out, width, bag->order[m]);
    for (uint32_t m = 0; m < count; m++) {
        const Member *member = &bag->members.items[m];
        if (member->key.len)
            memcpy(out, member->key.ptr, member->key.len);
        out += member->key.len;
        out = member->bag != NO_BAG ? put_bag(weave, &weave->bags.items[member->bag], leaves, out)
                                    : put_leaf(out, &leaves[member->leaf]);
    }
    return out;
}

void
dyn_weave_write(const DynWeave *weave, const DynLeaf *leaves, uint8_t *out)
{
    put_bag(weave, weave->bags.items, leaves, out);
}
