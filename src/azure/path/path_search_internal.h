// The state of a search, shared by the search and by reading paths out of it.
#pragma once

#include "azure/path/path_search.h"

typedef struct QueueItem {
    uint64_t cost;
    uint32_t node;
} QueueItem;

// What is known before any start: nothing, or what a place in the network alone brings.
// It is worked out once; a search begins with it and is taken back to it.
typedef struct SearchBase {
    bool is_ready;
    uint32_t *missing;
    bool *settled;
    uint32_t *edge;
} SearchBase;

struct PathSearch {
    const PathModel *model;
    Arena *arena;
    uint64_t *cost;      // by node
    uint64_t *kind_cost; // by kind of edge
    uint32_t *edge;      // by node: the edge it was reached by
    uint32_t *missing;   // by NODE_ALL: edges into it that are still to come
    uint32_t *touched;   // nodes that the last search changed, to be set back by the next
    uint32_t touched_count;
    bool *is_touched;
    bool *settled, *is_start;
    SearchBase bases[2]; // by whether the attacker starts inside
    SearchBase *base;
    uint32_t *mark; // by node: round of the walk that saw it
    uint32_t round;
    bool inside;
    struct {
        QueueItem *items;
        size_t len, cap;
    } queue;
    struct {
        uint32_t *items;
        size_t len, cap;
    } walk;
};

bool path_kind_holds(const EdgeKind *kind);
