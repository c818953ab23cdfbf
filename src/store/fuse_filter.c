// Building and asking of fuse filters; see fuse_filter.h.
//
// The table is filled backwards: a place that only one hash has can be that hash's to
// set, so it is put aside and its hash taken out of its other places, until none is
// left. For one table of hashes in a hundred or so it does not come out; then another
// seed is tried.

#include "store/fuse_filter.h"

#include <math.h>

enum {
    PLACES = 3,
    HASHES_MAX = 1 << 24,
    SEGMENT_LENGTH_MAX = 1 << 18,
    SEEDS_TRIED = 64,
};

static uint64_t
mix(uint64_t hash, uint64_t seed)
{
    hash += seed;
    hash = (hash ^ hash >> 33) * 0xFF51AFD7ED558CCDu;
    hash = (hash ^ hash >> 33) * 0xC4CEB9FE1A85EC53u;
    return hash ^ hash >> 33;
}

static uint8_t
fingerprint(uint64_t mixed)
{
    return (uint8_t)(mixed ^ mixed >> 32);
}

static uint64_t
table_size(const FuseFilter *filter)
{
    return ((uint64_t)filter->segment_count + PLACES - 1) * filter->segment_length;
}

// The three places of a mixed hash: one in each of three segments that follow each other.
static void
places_of(const FuseFilter *filter, uint64_t mixed, uint32_t places[PLACES])
{
    uint64_t spread = (uint64_t)filter->segment_count * filter->segment_length;
    uint32_t mask = filter->segment_length - 1;
    uint64_t first = (uint64_t)(((unsigned __int128)mixed * spread) >> 64);
    places[0] = (uint32_t)first;
    places[1] = (uint32_t)(first + filter->segment_length) ^ ((uint32_t)(mixed >> 18) & mask);
    places[2] =
        (uint32_t)(first + 2u * (uint64_t)filter->segment_length) ^ ((uint32_t)mixed & mask);
}

// The paper's measures for three places.
static FuseFilter
filter_shape(uint32_t count)
{
    double size = count < 2 ? 2 : count;
    uint32_t length = 1u << (unsigned)floor(log(size) / log(3.33) + 2.25);
    if (length > SEGMENT_LENGTH_MAX)
        length = SEGMENT_LENGTH_MAX;
    double factor = fmax(1.125, 0.875 + 0.25 * log(1e6) / log(size));
    uint64_t capacity = (uint64_t)round(size * factor);
    uint64_t segments = (capacity + length - 1) / length;
    return (FuseFilter){
        .segment_length = length,
        .segment_count = segments > PLACES - 1 ? (uint32_t)segments - (PLACES - 1) : 1,
    };
}

size_t
fuse_size(uint32_t count)
{
    FuseFilter shape = filter_shape(count);
    return table_size(&shape) + 16;
}

// The work of one building: how many hashes each place has, and all of them combined.
typedef struct Peeling {
    uint32_t *counts;
    uint64_t *combined;
    uint64_t *order; // mixed hashes in the order they were taken out ...
    uint32_t *owned; // ... each with the place that is its own
    uint32_t *alone; // places to look at
} Peeling;

static bool
peel(const FuseFilter *filter, const uint64_t *hashes, uint32_t count, Peeling *p)
{
    uint64_t size = table_size(filter);
    memset(p->counts, 0, size * sizeof(*p->counts));
    memset(p->combined, 0, size * sizeof(*p->combined));
    uint32_t places[PLACES];
    for (uint32_t i = 0; i < count; i++) {
        uint64_t mixed = mix(hashes[i], filter->seed);
        places_of(filter, mixed, places);
        for (size_t k = 0; k < PLACES; k++) {
            p->counts[places[k]]++;
            p->combined[places[k]] ^= mixed;
        }
    }
    uint32_t alone = 0, taken = 0;
    for (uint32_t at = 0; at < size; at++)
        if (p->counts[at] == 1)
            p->alone[alone++] = at;
    while (alone) {
        uint32_t at = p->alone[--alone];
        if (p->counts[at] != 1)
            continue;
        uint64_t mixed = p->combined[at];
        p->order[taken] = mixed;
        p->owned[taken++] = at;
        places_of(filter, mixed, places);
        for (size_t k = 0; k < PLACES; k++) {
            p->combined[places[k]] ^= mixed;
            if (--p->counts[places[k]] == 1)
                p->alone[alone++] = places[k];
        }
    }
    return taken == count;
}

bool
fuse_put(Buffer *out, Arena *scratch, const uint64_t *hashes, uint32_t count)
{
    if (count > HASHES_MAX)
        return false;
    FuseFilter filter = filter_shape(count);
    uint64_t size = table_size(&filter);
    Peeling p = {
        .counts = arena_alloc_array(scratch, size, sizeof(*p.counts)),
        .combined = arena_alloc_array(scratch, size, sizeof(*p.combined)),
        .order = arena_alloc_array(scratch, count, sizeof(*p.order)),
        .owned = arena_alloc_array(scratch, count, sizeof(*p.owned)),
        // A place comes in once when the table is read and once when its count falls to one.
        .alone = arena_alloc_array(scratch, size * 2, sizeof(*p.alone)),
    };
    bool found = false;
    for (uint32_t i = 0; i < SEEDS_TRIED && !found; i++) {
        filter.seed = mix(i + 1, 0x9E3779B97F4A7C15u);
        found = peel(&filter, hashes, count, &p);
    }
    if (!found)
        return false;
    uint8_t *prints = arena_zalloc(scratch, size);
    for (uint32_t i = count; i-- > 0;) {
        uint32_t places[PLACES];
        places_of(&filter, p.order[i], places);
        uint8_t print = fingerprint(p.order[i]);
        for (size_t k = 0; k < PLACES; k++)
            if (places[k] != p.owned[i])
                print ^= prints[places[k]];
        prints[p.owned[i]] = print;
    }
    bytes_put_u64(out, filter.seed);
    bytes_put_u32(out, filter.segment_length);
    bytes_put_u32(out, filter.segment_count);
    buffer_put(out, prints, size);
    return true;
}

bool
fuse_get(ByteReader *reader, FuseFilter *filter)
{
    filter->seed = bytes_u64(reader);
    filter->segment_length = bytes_u32(reader);
    filter->segment_count = bytes_u32(reader);
    uint32_t length = filter->segment_length;
    if (reader->bad || !length || length > SEGMENT_LENGTH_MAX || (length & (length - 1)) ||
        !filter->segment_count || table_size(filter) != bytes_left(reader))
        return false;
    filter->prints = bytes_take(reader, bytes_left(reader));
    return true;
}

bool
fuse_may_hold(const FuseFilter *filter, uint64_t hash)
{
    uint64_t mixed = mix(hash, filter->seed);
    uint32_t places[PLACES];
    places_of(filter, mixed, places);
    return (filter->prints[places[0]] ^ filter->prints[places[1]] ^ filter->prints[places[2]]) ==
           fingerprint(mixed);
}
