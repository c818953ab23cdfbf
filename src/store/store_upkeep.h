// What compaction and vacuum share.
#pragma once

#include "store/store_internal.h"
#include "store/upkeep.h"

typedef struct Upkeep {
    Store *store;
    StoreView *view; // of all snapshots
    const UpkeepOptions *options;
    UpkeepReport *report;
    uint64_t rows_done, rows_total;
    Arena arena;
} Upkeep;

typedef struct SegmentList {
    CatalogSegment *items;
    size_t len, cap;
} SegmentList;

// The rewriting of one table.
typedef struct Rewrite {
    Upkeep *upkeep;
    const CatalogTable *table;
    ptrdiff_t time_column; // of the table's schema
    int64_t cutoff;        // rows before it are expired; INT64_MIN: none
    SegmentList read;      // whose rows are written anew
    bool expires;          // some row goes
    StoreWriter *writer;
    TableWriter *out;
    Schema schema; // of `out`
    uint32_t *columns;
    uint64_t rows_kept;
    size_t written; // segments that took the place of `read`; as many or more: nothing was changed
} Rewrite;

// A segment is small when it has less than half of the rows and of the payload of a full one.
enum { SMALL_ROWS = SEGMENT_ROWS / 2, SMALL_PAYLOAD = SEGMENT_PAYLOAD / 2 };
bool segment_small(Store *store, const CatalogSegment *entry, bool *small, AzError *error);
// Writes the rows of `read` anew, in one transaction, when that leaves fewer segments or rows.
bool rewrite_run(Rewrite *rewrite, AzError *error);

bool upkeep_writable(const Store *store, AzError *error);
// Expired rows go; with `merge` small segments are merged as well.
bool upkeep_rewrite(Store *store, bool merge, const UpkeepOptions *options, UpkeepReport *report,
                    AzError *error);
// Removes files that nobody needs and counts them.
bool upkeep_clear(Store *store, UpkeepReport *report, AzError *error);
