// Checking a store: every block of every segment that the catalog names is read
// and decoded, past the cache, and each term index is held against the texts it is of.

#include "store/store_internal.h"
#include "store/term_index.h"

typedef struct Check {
    Store *store;
    BlockDecoder *decoder;
    void (*report)(void *context, const char *line);
    void *context;
    int64_t problems;
} Check;

static void
problem(Check *check, const AzError *error)
{
    check->problems++;
    check->report(check->context, error->message);
}

static void
terms_check(Check *check, const Segment *segment, uint32_t group, uint32_t column,
            const Block *block)
{
    if (!segment->groups[group].terms[column].offset)
        return;
    AzError error = {0};
    Block *terms = segment_read_terms(segment, group, column, check->decoder, &error);
    TermIndex index;
    if (terms && block && term_index_open(text_str(terms->vector.data), false, &index) &&
        !term_index_covers(&index, &block->vector))
        error_set(&error, AZ_CORRUPT,
                  "segment '%s' is damaged: column '%.*s', term index %u lacks terms of its block; "
                  "import the data again",
                  segment->path, STR_ARG(str_slice(segment->schema.columns[column].name, 0, 200)),
                  group);
    if (error.code)
        problem(check, &error);
    block_free(terms);
}

static void
segment_check(Check *check, const CatalogSegment *entry)
{
    AzError error = {0};
    Segment *segment = store_segment_open(check->store, entry, &error);
    if (!segment) {
        problem(check, &error);
        return;
    }
    for (uint32_t g = 0; g < segment->group_count; g++) {
        for (uint32_t c = 0; c < segment->schema.count; c++) {
            Block *block = segment_read(segment, g, c, check->decoder, &error);
            if (!block)
                problem(check, &error);
            terms_check(check, segment, g, c, block);
            block_free(block);
            error_clear(&error);
        }
    }
    segment_close(segment);
}

int64_t
store_check(Store *store, void (*report)(void *context, const char *line), void *context,
            AzError *error)
{
    Arena arena;
    arena_init(&arena);
    CatalogState state;
    pthread_mutex_lock(&store->mutex);
    bool ok = catalog_check(store->catalog, error) &&
              catalog_load(store->catalog, &arena, CATALOG_ALL_SNAPSHOTS, &state, error);
    pthread_mutex_unlock(&store->mutex);
    Check check = {.store = store, .report = report, .context = context};
    if (ok) {
        check.decoder = block_cache_decoder(store->cache);
        ok = check.decoder || error_set(error, AZ_LIMIT, "not enough memory to check the store");
    }
    for (size_t i = 0; ok && i < state.segment_count; i++)
        segment_check(&check, &state.segments[i]);
    if (check.decoder)
        block_cache_give_decoder(store->cache, check.decoder);
    arena_free(&arena);
    return ok ? check.problems : -1;
}
