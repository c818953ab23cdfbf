// See term_hold.h.

#include "store/term_hold.h"

#include <pthread.h>
#include <stdlib.h>

enum { HELD_MOST = 16, HELD_BYTES = 4 << 20 };

struct TermHold {
    TermHold *next;
    BlockCache *cache;
    pthread_t thread;
    uint64_t segment_id;
    uint32_t group, count;
    size_t bytes;
    CachedBlock *indexes[HELD_MOST];
};

static void
let_go(TermHold *hold)
{
    for (uint32_t i = 0; i < hold->count; i++)
        block_cache_unpin(hold->cache, hold->indexes[i]);
    hold->count = 0;
    hold->bytes = 0;
}

static TermHold *
find(TermHolds *holds)
{
    TermHold *hold = holds->list;
    while (hold && !pthread_equal(hold->thread, pthread_self()))
        hold = hold->next;
    if (hold)
        return hold;
    hold = calloc(1, sizeof(*hold));
    if (!hold)
        return NULL;
    hold->cache = holds->cache;
    hold->thread = pthread_self();
    hold->next = holds->list;
    holds->list = hold;
    return hold;
}

TermHold *
term_hold_enter(TermHolds *holds, uint64_t segment_id, uint32_t group)
{
    pthread_mutex_lock(holds->mutex);
    TermHold *hold = find(holds);
    pthread_mutex_unlock(holds->mutex);
    if (!hold || (hold->segment_id == segment_id && hold->group == group))
        return hold;
    let_go(hold);
    hold->segment_id = segment_id;
    hold->group = group;
    return hold;
}

void
term_hold_keep(TermHold *hold, CachedBlock *index)
{
    if (!hold)
        return;
    for (uint32_t i = 0; i < hold->count; i++)
        if (hold->indexes[i] == index)
            return;
    size_t bytes = cached_block_bytes(index);
    if (hold->count == HELD_MOST || hold->bytes + bytes > HELD_BYTES)
        return;
    block_cache_pin_more(hold->cache, index);
    hold->indexes[hold->count++] = index;
    hold->bytes += bytes;
}

void
term_holds_free(TermHolds *holds)
{
    for (TermHold *hold = holds->list, *next; hold; hold = next) {
        next = hold->next;
        let_go(hold);
        free(hold);
    }
    holds->list = NULL;
}
