// Rows that an operator keeps until it has seen all, as far as there is memory for them.
//
// One a worker. When the budget has no room for more rows, the operator writes what it has to disk
// (spill.h) and goes on with an empty one.
#pragma once

#include "exec/internal.h"

typedef struct KeptBatch {
    uint64_t sequence; // of its first row
    Batch *batch;
} KeptBatch;

typedef struct KeptRows {
    Arena arena; // of the batches
    struct {
        KeptBatch *items;
        size_t len, cap;
    } batches;
    uint64_t rows;
    size_t charged;
} KeptRows;

// The batches in order, as a table of `schema`; the list is sorted.
ResultTable *kept_in_order(Exec *exec, KeptBatch *batches, size_t count, const Schema *schema);

// Bytes of one worker's rows after which they go to disk: a fair part of three quarters of the
// budget. SIZE_MAX without one.
size_t kept_share(const Exec *exec);

// Raises what is counted for somebody from *charged to `needed` bytes; false, without an error, when that
// is more than `share` or than the budget has.
bool kept_charge(const Exec *exec, size_t *charged, size_t needed, size_t share);

// Keeps a copy of the batch's live rows. False, without an error, when the budget has no room for them and
// `row_bytes` for each row, which is what the operator will need to work on them: they are kept
// nevertheless, and should go to disk now.
bool kept_add(KeptRows *kept, Worker *worker, const Batch *batch, size_t row_bytes);

// Forgets all rows and gives their memory back.
void kept_clear(KeptRows *kept, const Exec *exec);

// The rows of all workers in the order of the input; they live on in the workers' memory, and nothing
// is kept any more.
ResultTable *kept_table(Exec *exec, KeptRows *const *all, const Schema *schema, AzError *error);
