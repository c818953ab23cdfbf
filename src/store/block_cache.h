// Block cache: decoded blocks, shared by all views of a store.
//
// Blocks are pinned while somebody reads them. What was read once is kept for a moment only: most
// blocks of a query over a large table are never read again, and would cost it memory for
// nothing. What is read again, soon or after it was dropped, stays within the budget; dropped is
// what was not used for longest. Thread-safe. Internal to src/store.
#pragma once

#include "store/segment.h"

enum {
    BLOCK_CACHE_BYTES = 64 << 20,
    BLOCK_CACHE_ONCE = 1 << 20, // of what was read once; a 64th of other budgets
};

typedef struct BlockCache BlockCache;
typedef struct CachedBlock CachedBlock;

BlockCache *block_cache_new(size_t budget);
void block_cache_free(BlockCache *cache); // nothing may be pinned
void block_cache_set_budget(BlockCache *cache, size_t bytes);

// The block, pinned; read when it is not there. NULL with error. `segment_id`
// tells segments apart for the life of the cache.
CachedBlock *block_cache_pin(BlockCache *cache, const Segment *segment, uint64_t segment_id,
                             uint32_t group, uint32_t column, AzError *error);
// The same for the column's term index, which there must be (term_index.h): a constant
// vector of one string.
CachedBlock *block_cache_pin_terms(BlockCache *cache, const Segment *segment, uint64_t segment_id,
                                   uint32_t group, uint32_t column, AzError *error);
// The same for what lies at a path in the column's JSON texts or dynamics (segment_read_path). The path may go
// when the call returns.
CachedBlock *block_cache_pin_path(BlockCache *cache, const Segment *segment, uint64_t segment_id,
                                  uint32_t group, uint32_t column, Str path, AzError *error);
// One pin more of a pinned block.
void block_cache_pin_more(BlockCache *cache, CachedBlock *block);
void block_cache_unpin(BlockCache *cache, CachedBlock *block);
size_t cached_block_bytes(const CachedBlock *block);
const Vector *cached_block_vector(const CachedBlock *block);
// Whether it holds times, none of them null, each not before the one in front of it.
bool cached_block_ascends(const CachedBlock *block);

// A decoder of the cache's pool, for reading past the cache.
BlockDecoder *block_cache_decoder(BlockCache *cache);
void block_cache_give_decoder(BlockCache *cache, BlockDecoder *decoder);

// What it holds now, for tests and --explain.
typedef struct BlockCacheStats {
    size_t bytes, blocks, pinned;
    uint64_t hits, misses;
} BlockCacheStats;
BlockCacheStats block_cache_stats(BlockCache *cache);
