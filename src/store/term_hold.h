// Term holds: what a thread asks of a row group, it asks its term indexes several times (whether to
// read the group at all, then for each predicate which rows), and never after. So the indexes of
// the group asked last stay pinned until the next one: they are decoded once, and a query that
// asks many groups does not fill the cache with what it took twice. The pins of blocks that are read
// (store_view.c) go when their morsel is released; a group that is asked and passed over never is,
// so holds go by what is asked next. Internal to src/store.
#pragma once

#include "store/block_cache.h"

#include <pthread.h>

typedef struct TermHold TermHold;

// The holds of a view's threads; empty with no list.
typedef struct TermHolds {
    BlockCache *cache;
    pthread_mutex_t *mutex; // of the list
    TermHold *list;
} TermHolds;

// This thread's, of the row group: those of another are let go. NULL without memory.
TermHold *term_hold_enter(TermHolds *holds, uint64_t segment_id, uint32_t group);
// Keeps a pinned index, one pin more, while those held take at most 4 MiB. `hold` may be NULL.
void term_hold_keep(TermHold *hold, CachedBlock *index);
// Lets all go; no thread may use the view.
void term_holds_free(TermHolds *holds);
