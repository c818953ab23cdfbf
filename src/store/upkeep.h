// Upkeep: what keeps a store small and quick. None of it changes an answer, but for rows that a
// table's retention and snapshots that `keep` let go. See docs/store.md.
#pragma once

#include "store/store.h"

typedef struct UpkeepOptions {
    int64_t now; // ticks: ages of rows are counted from here
    // Called now and then. May be NULL.
    void (*progress)(void *context, Str table, uint64_t rows_done, uint64_t rows_total);
    void *progress_context;
    const _Atomic bool *cancel; // may be NULL
} UpkeepOptions;

typedef struct UpkeepReport {
    uint64_t tables;                          // that were rewritten
    uint64_t segments_before, segments_after; // of those rewritten
    uint64_t bytes_before, bytes_after;
    uint64_t rows_expired;
    uint64_t files_removed, bytes_removed;
    uint64_t files_waiting; // still read by somebody: removed later
} UpkeepReport;

// Merges the small segments of each table (of one snapshot) into larger ones, ordered like fresh
// ones, and lets expired rows of log tables go; one catalog transaction a table. The store must
// be open for writing. Views that are open keep their state. On failure the tables that are done
// stay so.
bool store_compact(Store *store, const UpkeepOptions *options, UpkeepReport *report,
                   AzError *error);

// Merges small segments of log tables that have gathered: eight of about one size, or as many as
// fill one segment, become one; of each table at most one such merge, so that it is soon done. Who
// has written to the store calls it before closing it. Needs nothing but what it rewrites, and
// leaves retention to compact and vacuum; else as store_compact.
bool store_merge(Store *store, UpkeepReport *report, AzError *error);

// The snapshots that keeping the newest `keep` (at least 1) would let go, oldest first.
bool store_vacuum_plan(Store *store, int64_t keep, Arena *arena, SnapshotInfo **gone, size_t *count,
                       AzError *error);
// Lets those snapshots go (keep 0: none), then expired rows, then removes every file that nothing
// refers to.
bool store_vacuum(Store *store, int64_t keep, const UpkeepOptions *options, UpkeepReport *report,
                  AzError *error);

// Days a log table keeps its rows, counted by its time column; 0 = for ever. Compact and vacuum
// apply it; rows without a time stay.
bool store_retention_set(Store *store, Str table, int64_t days, AzError *error);
bool store_retention(Store *store, Str table, int64_t *days, AzError *error);
