// Block cache: a hash table with chains and two lists by age, under one mutex: of the blocks that
// were read once and of those that were read again. Fingerprints of the keys that were dropped from
// the first tell that a block is read again (the scheme of "2Q", Johnson and Shasha 1994).
//
// Blocks are read and decoded outside the lock. Two readers that miss the same
// block at once both decode it; the later one drops its copy. That is rare
// (workers take different morsels) and needs no waiting.

#include "store/block_cache.h"

#include "base/array.h"
#include "store/age_list.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <xxhash.h>

typedef struct BlockKey {
    uint64_t segment;
    uint32_t group, column; // of a term index: its column and KEY_TERMS
    Str path;               // in the column's values; empty = the column itself
} BlockKey;

static const uint32_t KEY_TERMS = UINT32_C(1) << 31;

struct CachedBlock {
    AgeItem age;
    BlockKey key;
    Block *block;
    bool ascends;
    CachedBlock *chain; // of its hash slot
};

// Several fingerprints share a place, so that few blocks make each other forgotten.
enum { SEEN_SETS = 1 << 12, SEEN_WAYS = 4 };

struct BlockCache {
    pthread_mutex_t mutex;
    CachedBlock **slots;
    size_t slot_count, count, budget;
    AgeList once, again;
    uint32_t seen[SEEN_SETS][SEEN_WAYS]; // fingerprints of blocks that were read, the last ones
    BlockDecoder **decoders;             // idle ones
    size_t decoder_count, decoder_cap;
    uint64_t hits, misses;
};

enum { CACHE_SLOTS_FIRST = 256 };

BlockCache *
block_cache_new(size_t budget)
{
    BlockCache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return NULL;
    cache->slots = calloc(CACHE_SLOTS_FIRST, sizeof(*cache->slots));
    if (!cache->slots) {
        free(cache);
        return NULL;
    }
    cache->slot_count = CACHE_SLOTS_FIRST;
    cache->budget = budget;
    pthread_mutex_init(&cache->mutex, NULL);
    return cache;
}

static uint64_t
key_hash(const BlockKey *key)
{
    uint64_t hash = XXH3_64bits(key, offsetof(BlockKey, path));
    return key->path.len ? hash ^ str_hash(key->path) : hash;
}

static size_t
slot_of(const BlockCache *cache, const BlockKey *key)
{
    return key_hash(key) & (cache->slot_count - 1);
}

// Whether the block was read before, as far as is remembered; now it was.
static bool
was_seen(BlockCache *cache, const BlockKey *key)
{
    uint64_t hash = key_hash(key);
    uint32_t *set = cache->seen[hash % SEEN_SETS], mark = (uint32_t)(hash >> 32) | 1;
    uint32_t way = 0;
    while (way < SEEN_WAYS && set[way] != mark)
        way++;
    bool seen = way < SEEN_WAYS;
    // The latest stands first; the one that was met longest ago goes.
    memmove(set + 1, set, (seen ? way : SEEN_WAYS - 1) * sizeof(*set));
    set[0] = mark;
    return seen;
}

static bool
key_equal(const BlockKey *a, const BlockKey *b)
{
    return a->segment == b->segment && a->group == b->group && a->column == b->column &&
           str_equal(a->path, b->path);
}

static CachedBlock *
cache_find(BlockCache *cache, const BlockKey *key)
{
    for (CachedBlock *entry = cache->slots[slot_of(cache, key)]; entry; entry = entry->chain)
        if (key_equal(&entry->key, key))
            return entry;
    return NULL;
}

static void
entry_free(CachedBlock *entry)
{
    block_free(entry->block);
    free((char *)entry->key.path.ptr);
    free(entry);
}

static void
cache_drop(void *context, AgeItem *item)
{
    BlockCache *cache = context;
    CachedBlock *entry = (CachedBlock *)item;
    CachedBlock **link = &cache->slots[slot_of(cache, &entry->key)];
    while (*link != entry)
        link = &(*link)->chain;
    *link = entry->chain;
    age_unlink(item);
    cache->count--;
    entry_free(entry);
}

static void
cache_shrink(BlockCache *cache)
{
    enum { PART = BLOCK_CACHE_BYTES / BLOCK_CACHE_ONCE };
    age_shrink(&cache->once, cache->budget / PART, cache_drop, cache);
    size_t once = cache->once.bytes < cache->budget ? cache->once.bytes : cache->budget;
    age_shrink(&cache->again, cache->budget - once, cache_drop, cache);
}

// Twice the slots when chains grow long; without memory they just stay long.
static void
cache_rehash(BlockCache *cache)
{
    if (cache->count < cache->slot_count)
        return;
    CachedBlock **old = cache->slots;
    size_t old_count = cache->slot_count;
    CachedBlock **slots = calloc(old_count * 2, sizeof(*slots));
    if (!slots)
        return;
    cache->slots = slots;
    cache->slot_count = old_count * 2;
    for (size_t i = 0; i < old_count; i++) {
        for (CachedBlock *entry = old[i], *next; entry; entry = next) {
            next = entry->chain;
            CachedBlock **slot = &slots[slot_of(cache, &entry->key)];
            entry->chain = *slot;
            *slot = entry;
        }
    }
    free(old);
}

static void
cache_add(BlockCache *cache, CachedBlock *entry)
{
    cache_rehash(cache);
    CachedBlock **slot = &cache->slots[slot_of(cache, &entry->key)];
    entry->chain = *slot;
    *slot = entry;
    age_push(was_seen(cache, &entry->key) ? &cache->again : &cache->once, &entry->age);
    cache->count++;
}

static CachedBlock *
entry_pin(BlockCache *cache, CachedBlock *entry, bool read_again)
{
    entry->age.pins++;
    age_unlink(&entry->age);
    age_push(read_again ? &cache->again : entry->age.list, &entry->age);
    return entry;
}

static Block *
key_read(const BlockKey *key, const Segment *segment, BlockDecoder *decoder, AzError *error)
{
    if (key->path.len)
        return segment_read_path(segment, key->group, key->column, key->path, decoder, error);
    uint32_t column = key->column & ~KEY_TERMS;
    return key->column & KEY_TERMS ? segment_read_terms(segment, key->group, column, decoder, error)
                                   : segment_read(segment, key->group, column, decoder, error);
}

// The key with a path of its own; false without memory.
static bool
key_copy(BlockKey *out, const BlockKey *key)
{
    *out = *key;
    out->path.ptr = NULL;
    if (!key->path.len)
        return true;
    char *path = malloc(key->path.len);
    out->path.ptr = path;
    if (path)
        memcpy(path, key->path.ptr, key->path.len);
    return path != NULL;
}

// Rows of log tables follow each other by time: see row_range.c.
static bool
times_ascend(const Vector *v)
{
    if (v->type != TYPE_DATETIME || v->encoding != ENC_FLAT || v->valid)
        return false;
    const int64_t *times = v->data;
    bool falls = false;
    for (uint32_t i = 1; i < v->count; i++)
        falls |= times[i] < times[i - 1];
    return !falls;
}

static CachedBlock *
entry_read(BlockCache *cache, const Segment *segment, const BlockKey *key, AzError *error)
{
    CachedBlock *entry = calloc(1, sizeof(*entry));
    BlockDecoder *decoder = block_cache_decoder(cache);
    if (!entry || !decoder || !key_copy(&entry->key, key)) {
        error_set(error, AZ_LIMIT, "not enough memory to read '%s'", segment->path);
    } else {
        entry->block = key_read(key, segment, decoder, error);
    }
    if (decoder)
        block_cache_give_decoder(cache, decoder);
    if (!entry || !entry->block) {
        if (entry)
            entry_free(entry);
        return NULL;
    }
    entry->ascends = times_ascend(&entry->block->vector);
    entry->age.bytes =
        entry->block->arena.allocated + sizeof(Block) + sizeof(CachedBlock) + key->path.len;
    return entry;
}

static CachedBlock *
key_pin(BlockCache *cache, const Segment *segment, BlockKey key, AzError *error)
{
    pthread_mutex_lock(&cache->mutex);
    CachedBlock *entry = cache_find(cache, &key);
    if (entry) {
        cache->hits++;
        // Batch after batch of a morsel: that is one reading.
        entry_pin(cache, entry, !entry->age.pins);
        pthread_mutex_unlock(&cache->mutex);
        return entry;
    }
    cache->misses++;
    pthread_mutex_unlock(&cache->mutex);

    CachedBlock *fresh = entry_read(cache, segment, &key, error);
    if (!fresh)
        return NULL;
    pthread_mutex_lock(&cache->mutex);
    entry = cache_find(cache, &key);
    if (entry) {
        entry_free(fresh);
    } else {
        entry = fresh;
        cache_add(cache, entry);
    }
    entry_pin(cache, entry, false);
    cache_shrink(cache);
    pthread_mutex_unlock(&cache->mutex);
    return entry;
}

CachedBlock *
block_cache_pin(BlockCache *cache, const Segment *segment, uint64_t segment_id, uint32_t group,
                uint32_t column, AzError *error)
{
    BlockKey key = {.segment = segment_id, .group = group, .column = column};
    return key_pin(cache, segment, key, error);
}

CachedBlock *
block_cache_pin_terms(BlockCache *cache, const Segment *segment, uint64_t segment_id,
                      uint32_t group, uint32_t column, AzError *error)
{
    BlockKey key = {.segment = segment_id, .group = group, .column = column | KEY_TERMS};
    return key_pin(cache, segment, key, error);
}

CachedBlock *
block_cache_pin_path(BlockCache *cache, const Segment *segment, uint64_t segment_id, uint32_t group,
                     uint32_t column, Str path, AzError *error)
{
    BlockKey key = {.segment = segment_id, .group = group, .column = column, .path = path};
    return key_pin(cache, segment, key, error);
}

void
block_cache_pin_more(BlockCache *cache, CachedBlock *entry)
{
    pthread_mutex_lock(&cache->mutex);
    assert(entry->age.pins);
    entry->age.pins++;
    pthread_mutex_unlock(&cache->mutex);
}

void
block_cache_unpin(BlockCache *cache, CachedBlock *entry)
{
    pthread_mutex_lock(&cache->mutex);
    assert(entry->age.pins);
    entry->age.pins--;
    cache_shrink(cache);
    pthread_mutex_unlock(&cache->mutex);
}

size_t
cached_block_bytes(const CachedBlock *entry)
{
    return entry->age.bytes;
}

const Vector *
cached_block_vector(const CachedBlock *entry)
{
    return &entry->block->vector;
}

bool
cached_block_ascends(const CachedBlock *entry)
{
    return entry->ascends;
}

void
block_cache_set_budget(BlockCache *cache, size_t bytes)
{
    pthread_mutex_lock(&cache->mutex);
    cache->budget = bytes;
    cache_shrink(cache);
    pthread_mutex_unlock(&cache->mutex);
}

BlockDecoder *
block_cache_decoder(BlockCache *cache)
{
    BlockDecoder *decoder = NULL;
    pthread_mutex_lock(&cache->mutex);
    if (cache->decoder_count)
        decoder = cache->decoders[--cache->decoder_count];
    pthread_mutex_unlock(&cache->mutex);
    return decoder ? decoder : block_decoder_new();
}

void
block_cache_give_decoder(BlockCache *cache, BlockDecoder *decoder)
{
    pthread_mutex_lock(&cache->mutex);
    if (cache->decoder_count == cache->decoder_cap) {
        size_t cap = cache->decoder_cap ? cache->decoder_cap * 2 : 8;
        BlockDecoder **more = realloc(cache->decoders, cap * sizeof(*more));
        if (more) {
            cache->decoders = more;
            cache->decoder_cap = cap;
        }
    }
    if (cache->decoder_count < cache->decoder_cap) {
        cache->decoders[cache->decoder_count++] = decoder;
        decoder = NULL;
    }
    pthread_mutex_unlock(&cache->mutex);
    block_decoder_free(decoder);
}

BlockCacheStats
block_cache_stats(BlockCache *cache)
{
    pthread_mutex_lock(&cache->mutex);
    BlockCacheStats stats = {
        .bytes = cache->once.bytes + cache->again.bytes,
        .blocks = cache->count,
        .hits = cache->hits,
        .misses = cache->misses,
    };
    const AgeList *lists[] = {&cache->once, &cache->again};
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        for (const AgeItem *item = lists[i]->oldest; item; item = item->newer)
            stats.pinned += item->pins != 0;
    pthread_mutex_unlock(&cache->mutex);
    return stats;
}

void
block_cache_free(BlockCache *cache)
{
    if (!cache)
        return;
    AgeList *lists[] = {&cache->once, &cache->again};
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        for (AgeItem *item = lists[i]->oldest, *newer; item; item = newer) {
            newer = item->newer;
            assert(!item->pins);
            entry_free((CachedBlock *)item);
        }
    for (size_t i = 0; i < cache->decoder_count; i++)
        block_decoder_free(cache->decoders[i]);
    free(cache->decoders);
    free(cache->slots);
    pthread_mutex_destroy(&cache->mutex);
    free(cache);
}
