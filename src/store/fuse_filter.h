// Fuse filter: whether a 64-bit hash is in a set, in nine bits an entry.
//
// "No" is certain, a wrong "yes" comes once in 256. It is the binary fuse filter of
// Graf and Lemire ("Binary Fuse Filters: Fast and Smaller Than Xor Filters", 2022):
// each hash has three places, in three neighbouring segments of a table of bytes, and
// the bytes are chosen so that the three of each hash of the set give its fingerprint
// when they are combined. Internal to src/store.
#pragma once

#include "store/bytes.h"

typedef struct FuseFilter {
    uint64_t seed;
    uint32_t segment_length; // a power of two
    uint32_t segment_count;
    const uint8_t *prints; // segment_length * (segment_count + 2)
} FuseFilter;

// Appends the filter of `count` distinct hashes. False, with nothing appended, when none
// was found (as good as never) or they are too many.
bool fuse_put(Buffer *out, Arena *scratch, const uint64_t *hashes, uint32_t count);
// About what fuse_put will append.
size_t fuse_size(uint32_t count);

// Reads what fuse_put wrote, which must be all that is left; false when it cannot be one.
bool fuse_get(ByteReader *reader, FuseFilter *filter);
bool fuse_may_hold(const FuseFilter *filter, uint64_t hash);
