#include "store/open_segments.h"

#include <assert.h>

void
open_segments_init(OpenSegments *all)
{
    *all = (OpenSegments){.budget = OPEN_SEGMENT_BYTES};
    pthread_mutex_init(&all->mutex, NULL);
}

static OpenSegment **
slot_of(OpenSegments *all, int64_t id)
{
    return &all->slots[(uint64_t)id % OPEN_SEGMENT_SLOTS];
}

static void
age_unlink(OpenSegments *all, OpenSegment *open)
{
    *(open->older ? &open->older->newer : &all->oldest) = open->newer;
    *(open->newer ? &open->newer->older : &all->newest) = open->older;
}

static void
age_push(OpenSegments *all, OpenSegment *open)
{
    open->older = all->newest;
    open->newer = NULL;
    *(all->newest ? &all->newest->newer : &all->oldest) = open;
    all->newest = open;
}

static void
drop(OpenSegments *all, OpenSegment *open)
{
    OpenSegment **link = slot_of(all, open->id);
    while (*link != open)
        link = &(*link)->chain;
    *link = open->chain;
    age_unlink(all, open);
    all->bytes -= open->bytes;
    all->count--;
    segment_close(open->segment);
    free(open);
}

// Those used longest ago go while there are too many bytes.
static void
shrink(OpenSegments *all)
{
    for (OpenSegment *open = all->oldest, *newer; open && all->bytes > all->budget; open = newer) {
        newer = open->newer;
        if (!open->pins)
            drop(all, open);
    }
}

void
open_segments_free(OpenSegments *all)
{
    while (all->oldest) {
        assert(!all->oldest->pins);
        drop(all, all->oldest);
    }
    pthread_mutex_destroy(&all->mutex);
}

void
open_segments_set_budget(OpenSegments *all, size_t bytes)
{
    pthread_mutex_lock(&all->mutex);
    all->budget = bytes;
    shrink(all);
    pthread_mutex_unlock(&all->mutex);
}

static OpenSegment *
find_pinned(OpenSegments *all, int64_t id)
{
    OpenSegment *open = *slot_of(all, id);
    while (open && open->id != id)
        open = open->chain;
    if (open) {
        open->pins++;
        age_unlink(all, open);
        age_push(all, open);
    }
    return open;
}

OpenSegment *
open_segments_pin(OpenSegments *all, int64_t id)
{
    pthread_mutex_lock(&all->mutex);
    OpenSegment *open = find_pinned(all, id);
    pthread_mutex_unlock(&all->mutex);
    return open;
}

OpenSegment *
open_segments_add(OpenSegments *all, int64_t id, Segment *segment)
{
    pthread_mutex_lock(&all->mutex);
    OpenSegment *open = find_pinned(all, id);
    OpenSegment *fresh = open ? NULL : malloc(sizeof(*fresh));
    if (fresh) {
        OpenSegment **slot = slot_of(all, id);
        *fresh = (OpenSegment){.id = id,
                               .segment = segment,
                               .bytes = segment->arena.allocated + sizeof(*fresh),
                               .pins = 1,
                               .chain = *slot};
        *slot = open = fresh;
        age_push(all, open);
        all->bytes += open->bytes;
        all->count++;
        shrink(all);
    }
    pthread_mutex_unlock(&all->mutex);
    if (!fresh)
        segment_close(segment);
    return open;
}

void
open_segments_unpin(OpenSegments *all, OpenSegment *open)
{
    pthread_mutex_lock(&all->mutex);
    assert(open->pins);
    if (--open->pins == 0)
        shrink(all);
    pthread_mutex_unlock(&all->mutex);
}
