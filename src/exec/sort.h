// What the files of sort share: sort.c (keys, and top), sort_all.c (all rows, in memory or on disk).
#pragma once

#include "exec/order.h"

// What order_rows takes for a row, beside its keys: so much, and so much for each key.
enum { SORT_BYTES = 36, SORT_KEY_BYTES = 8 };

typedef struct SortRun {
    Exec *exec;
    const Plan *plan;
    const Schema *input;
    Schema schema; // input columns, then keys that are no columns, then the sequence (top)
    Expr **exprs;  // of the extra keys
    uint32_t extra;
    uint32_t *key_columns; // column of each key
    ptrdiff_t sequence;    // column of it; -1: rows come in order, and keep it
    struct TopPart *parts;
    uint64_t limit;
} SortRun;

// The keys over flat columns of these rows; those equal by all keys are ordered by their sequence, if they have one.
Order sort_order(const SortRun *run, Arena *arena, const Batch *whole);

// All rows of the pipeline, which yields the columns of run->schema, in order, up to run->limit.
ResultTable *sort_all(SortRun *run, Pipeline *input, AzError *error);
