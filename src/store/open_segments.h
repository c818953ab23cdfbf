// The footers of segments that are in use or were a short while ago. A footer has the place,
// checksum and zone of each block, some hundred kilobytes for a wide table: what a scan of
// thousands of segments has passed is let go of.
#pragma once

#include "store/age_list.h"
#include "store/segment.h"

#include <pthread.h>

typedef struct OpenSegment {
    AgeItem age;
    int64_t id; // in the catalog
    Segment *segment;
    struct OpenSegment *chain; // of its slot
} OpenSegment;

enum {
    OPEN_SEGMENT_SLOTS = 256,
    OPEN_SEGMENT_BYTES = 64 << 20, // kept when nobody uses them
};

typedef struct OpenSegments {
    pthread_mutex_t mutex;
    OpenSegment *slots[OPEN_SEGMENT_SLOTS];
    AgeList ages;
    size_t count, budget;
} OpenSegments;

void open_segments_init(OpenSegments *all);
void open_segments_free(OpenSegments *all); // none may be pinned
void open_segments_set_budget(OpenSegments *all, size_t bytes);

// All are thread-safe. The segment, pinned; NULL when it is not there.
OpenSegment *open_segments_pin(OpenSegments *all, int64_t id);
// Adds it, pinned, and owns it from now on; when another thread was faster that one's is given and
// `segment` is closed. NULL without memory: then it is closed too.
OpenSegment *open_segments_add(OpenSegments *all, int64_t id, Segment *segment);
void open_segments_unpin(OpenSegments *all, OpenSegment *open);
