// What a cache holds, by last use: the things used longest ago go first. Pinned ones stay.
// Not thread-safe: the cache's mutex is held.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct AgeList AgeList;

// First in the struct of what is held.
typedef struct AgeItem {
    AgeList *list;
    struct AgeItem *older, *newer;
    size_t bytes;
    uint32_t pins; // who uses it now
} AgeItem;

struct AgeList {
    AgeItem *oldest, *newest;
    size_t bytes;
};

// Adds it as the one used last.
void age_push(AgeList *list, AgeItem *item);
void age_unlink(AgeItem *item);
// Calls `drop`, which unlinks the item, for those used longest ago that are not pinned, while the
// list has more than `most` bytes.
void age_shrink(AgeList *list, size_t most, void (*drop)(void *context, AgeItem *item),
                void *context);
