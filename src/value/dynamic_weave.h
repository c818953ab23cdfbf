// Weave: trees of one shape, whose keys are the same again and again. What does not change from
// tree to tree is worked out once, so that a tree is written without a builder. The bytes are
// those that a DynBuilder makes.
#pragma once

#include "base/arena.h"
#include "value/dynamic.h"

typedef struct DynWeave DynWeave;

// The way to a value: keys of bags within bags.
typedef struct DynPath {
    const Str *keys;
    uint32_t count;
} DynPath;

// The shape with a value at each path, in the order in which they are printed. NULL when no tree
// has those paths: one has no key, or a key of a bag comes twice. The keys are views and must live
// as long as the weave, which is in the arena. One thread at a time.
DynWeave *dyn_weave_new(Arena *arena, const DynPath *paths, uint32_t count);

// A value of a tree.
typedef struct DynLeaf {
    const void *bytes; // of a string those of its text, else those of its node
    uint32_t size;
    bool is_string;
} DynLeaf;

// The node of a long, in `room`.
DynLeaf dyn_leaf_long(uint8_t room[9], int64_t number);

// Bytes of the tree with these values, one a path; 0 when it is larger than 4 GiB.
uint32_t dyn_weave_size(DynWeave *weave, const DynLeaf *leaves);
// Writes the tree whose size was asked last.
void dyn_weave_write(const DynWeave *weave, const DynLeaf *leaves, uint8_t *out);
