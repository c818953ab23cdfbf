// Watchlists: lists that rules look things up in, kept as Sentinel keeps them: rows of the
// table Watchlist, one an item, whose newest state counts.
#pragma once

#include "db/db.h"

typedef struct WatchlistReport {
    uint64_t items, removed; // of the file; gone since the import before
} WatchlistReport;

// Makes the watchlist `alias` in the store `dir` what the CSV file (with a header; plain,
// gzip or zstd) holds. `search_key` names the column whose value is each item's SearchKey.
bool watchlist_import(const char *dir, const char *content, Str alias, Str search_key,
                      const char *file, WatchlistReport *report, AzError *error);
