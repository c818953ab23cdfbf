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

bool upkeep_writable(const Store *store, AzError *error);
// Expired rows go; with `merge` small segments are merged as well.
bool upkeep_rewrite(Store *store, bool merge, const UpkeepOptions *options, UpkeepReport *report,
                    AzError *error);
// Removes files that nobody needs and counts them.
bool upkeep_clear(Store *store, UpkeepReport *report, AzError *error);
