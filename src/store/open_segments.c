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
drop(void *context, AgeItem *item)
{
    OpenSegments *all = context;
    OpenSegment *open = (OpenSegment *)item;
    OpenSegment **link = slot_of(all, open->id);
    while (*link != open)
        link = &(*link)->chain;
    *link = open->chain;
    age_unlink(item);
    all->count--;
    segment_close(open->segment);
    free(open);
}

static void
shrink(OpenSegments *all)
{
    age_shrink(&all->ages, all->budget, drop, all);
}

void
open_segments_free(OpenSegments *all)
{
    while (all->ages.oldest) {
        assert(!all->ages.oldest->pins);
        drop(all, all->ages.oldest);
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
        open->age.pins++;
        age_unlink(&open->age);
        age_push(&all->ages, &open->age);
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
        size_t bytes = segment->arena.allocated + sizeof(*fresh);
        *fresh = (OpenSegment){
            .age = {.bytes = bytes, .pins = 1}, .id = id, .segment = segment, .chain = *slot};
        *slot = open = fresh;
        age_push(&all->ages, &open->age);
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
    assert(open->age.pins);
    if (--open->age.pins == 0)
        shrink(all);
    pthread_mutex_unlock(&all->mutex);
}
