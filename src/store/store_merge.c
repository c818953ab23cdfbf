// Merging as it goes: who appends often leaves small segments, and whoever wrote last merges what
// has gathered of them.
//
// The segments of a log table stand on levels by their rows, each level eight times the one below.
// When eight are on one level, or so many that they fill a segment, they become one, which stands
// higher. So a row is rewritten about once a level, there are never many more than seven
// segments on one, and no merge has more rows than a full segment and what was the last to fit.
//
// Texts that repeat much, or are long, fill a segment with few rows: such segments stay what they
// are, whatever is done. A merge that does not halve their number settles the level up to now,
// and is not tried again with the same ones.

#include "store/store_upkeep.h"

enum { LEVELS = 6, LEVEL_SHIFT = 3, GATHERED = 1 << LEVEL_SHIFT, MOST = 1024 };

static int
level_of(uint64_t rows)
{
    int level = 0;
    while (level < LEVELS - 1 && rows >> LEVEL_SHIFT * (level + 1))
        level++;
    return level;
}

// What gathered on a level.
typedef struct Gathered {
    uint32_t segments;
    uint64_t rows;
} Gathered;

static bool
gathered_due(const Gathered *gathered)
{
    return gathered->segments >= GATHERED ||
           (gathered->segments > 1 && gathered->rows >= SEGMENT_ROWS);
}

typedef struct Merge {
    Rewrite rewrite;
    int level;
    int64_t settled[LEVELS];
} Merge;

static bool
stands_on(const Merge *merge, const CatalogSegment *entry, int level)
{
    return entry->table == merge->rewrite.table->id && !entry->snapshot &&
           entry->rows < SMALL_ROWS && level_of(entry->rows) == level &&
           entry->id > merge->settled[level];
}

// The lowest level at which a merge is due; -1: none.
static int
level_due(const Merge *merge, const CatalogState *state)
{
    Gathered gathered[LEVELS] = {0};
    for (size_t i = 0; i < state->segment_count; i++) {
        const CatalogSegment *entry = &state->segments[i];
        int level = level_of(entry->rows);
        if (stands_on(merge, entry, level)) {
            gathered[level].segments++;
            gathered[level].rows += entry->rows;
        }
    }
    for (int level = 0; level < LEVELS; level++)
        if (gathered_due(&gathered[level]))
            return level;
    return -1;
}

// The oldest of the level, until they fill a segment.
static bool
choose(Merge *merge, const CatalogState *state, AzError *error)
{
    Upkeep *upkeep = merge->rewrite.upkeep;
    Gathered chosen = {0};
    for (size_t i = 0;
         i < state->segment_count && chosen.rows < SEGMENT_ROWS && chosen.segments < MOST; i++) {
        const CatalogSegment *entry = &state->segments[i];
        bool small;
        if (!stands_on(merge, entry, merge->level))
            continue;
        if (!segment_small(upkeep->store, entry, &small, error))
            return false;
        if (!small)
            continue;
        ARRAY_PUSH(&upkeep->arena, &merge->rewrite.read, *entry);
        chosen.segments++;
        chosen.rows += entry->rows;
    }
    if (!gathered_due(&chosen))
        merge->rewrite.read.len = 0; // the others are full in bytes
    return true;
}

static bool
merge_table(Upkeep *upkeep, const CatalogTable *table, const CatalogState *state, AzError *error)
{
    Merge merge = {.rewrite = {.upkeep = upkeep,
                               .table = table,
                               .time_column = time_column_find(&table->schema),
                               .cutoff = INT64_MIN}};
    Catalog *catalog = upkeep->store->catalog;
    Rewrite *rewrite = &merge.rewrite;
    if (level_due(&merge, state) < 0) // as most are
        return true;
    for (int level = 0; level < LEVELS; level++)
        if (!catalog_settled(catalog, table->id, level, &merge.settled[level], error))
            return false;
    merge.level = level_due(&merge, state);
    if (merge.level < 0)
        return true;
    if (!choose(&merge, state, error) || (rewrite->read.len && !rewrite_run(rewrite, error)))
        return false;
    bool halved = rewrite->read.len && rewrite->written * 2 <= rewrite->read.len;
    return halved || catalog_settle(catalog, table->id, merge.level, error);
}

static bool
merge_tables(Store *store, UpkeepReport *report, AzError *error)
{
    UpkeepOptions options = {0};
    Upkeep upkeep = {.store = store, .options = &options, .report = report};
    upkeep.view = store_view_open(store, 0, error);
    if (!upkeep.view)
        return false;
    const CatalogState *state = store_view_state(upkeep.view);
    bool done = true;
    for (size_t i = 0; done && i < state->table_count; i++)
        if (state->tables[i].kind == TABLE_LOG)
            done = merge_table(&upkeep, &state->tables[i], state, error);
    store_view_close(upkeep.view);
    arena_free(&upkeep.arena);
    return done && (!report->tables || upkeep_clear(store, report, error));
}

bool
store_merge(Store *store, UpkeepReport *report, AzError *error)
{
    *report = (UpkeepReport){0};
    return upkeep_writable(store, error) && merge_tables(store, report, error);
}
