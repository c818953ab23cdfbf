// Batch: some rows of a stream, columns apart.
#pragma once

#include "column/vector.h"

typedef struct Batch {
    const Vector **columns;
    uint32_t column_count;
    uint32_t count;            // rows in each vector
    const uint32_t *selection; // the rows that live, ascending; NULL = all
    uint32_t selected;         // how many live (== count when selection is NULL)
    // Place of the batch in its stream: batches sort by it, whatever thread made
    // them, and rows of a batch keep their order. Two batches of one stream never
    // share a sequence.
    uint64_t sequence;
    // Places of rows that come in another order than the stream's, one a row of the vectors; NULL: they come in
    // order. Only filters and projections hand them on: see Branch.numbered.
    const int64_t *numbers;
} Batch;

Batch *batch_new(Arena *arena, uint32_t column_count, uint32_t count);

// Column c with only the live rows, in order: `selected` rows.
const Vector *batch_column(Arena *arena, const Batch *batch, uint32_t c);

// The numbers of the live rows, or NULL.
const int64_t *batch_numbers(Arena *arena, const Batch *batch);

// The batch with one more column, the places of its rows: their numbers, or from `sequence` on.
Batch *batch_numbered(Arena *arena, const Batch *batch, uint64_t sequence);

// The batch with only its live rows (itself when all live).
Batch *batch_compact(Arena *arena, Batch *batch);

// A deep, compact copy that outlives the original's arena.
Batch *batch_copy(Arena *arena, const Batch *batch);

// Row of the vectors for the i-th live row.
static inline uint32_t
batch_row(const Batch *batch, uint32_t i)
{
    return batch->selection ? batch->selection[i] : i;
}
