// Sorted runs on disk become one.
#pragma once

#include "exec/spill.h"

typedef struct SpilledRun {
    SpillFile *file;
    SpillPieces pieces;
} SpilledRun;

typedef struct MergeKey {
    uint32_t column;
    bool descending, nulls_first;
} MergeKey;

typedef struct MergeSpec {
    Exec *exec;
    Arena *arena;         // of the pieces that come out
    const Schema *schema; // of the runs
    // The order of the rows in each run; rows that are equal by all of them are in one run.
    const MergeKey *keys;
    uint32_t key_count;
    uint32_t columns; // the first columns of the schema are what is wanted
    uint64_t limit;   // and so many rows
} MergeSpec;

// Merges the runs, which it may reorder, into `out`. False with an error.
bool spill_merge(const MergeSpec *spec, SpilledRun *runs, size_t count, SpilledRun *out,
                 AzError *error);
