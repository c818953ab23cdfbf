// Rows dealt out to parts on disk by the hashes of their keys, and what is made of each part
// put together again.
//
// Each row carries a number, the sequence it had where it came from: what the parts yield is
// merged by it, so that cutting does not show in the order. A part that is still too large is cut again by
// the next bits of the hashes.
#pragma once

#include "exec/spill_merge.h"

enum { SPILL_PARTS_BITS = 4, SPILL_PARTS = 1 << SPILL_PARTS_BITS };

typedef struct SpillParts {
    Schema schema; // of the rows: the last column is their number
    unsigned shift;
    SpillFile *file; // NULL: nothing was written yet
    struct SpillPartLists {
        Arena arena;
        SpillPieces pieces[SPILL_PARTS];
    } * workers;
} SpillParts;

// The schema with the number of the row as one more column, and the compact batch with the numbers of
// its rows, from `sequence` on.
Schema spill_numbered_schema(Arena *arena, const Schema *schema);
Batch *spill_number_rows(Arena *arena, const Batch *batch, uint64_t sequence);

// For rows of that schema, which is numbered. `level`: how often they were cut already.
void spill_parts_init(SpillParts *parts, Exec *exec, const Schema *schema, unsigned level);
void spill_parts_free(SpillParts *parts, const Exec *exec);

static inline uint8_t
spill_part_of(const SpillParts *parts, uint64_t hash)
{
    return hash >> parts->shift & (SPILL_PARTS - 1);
}

// Writes row i of the compact batch to part[i]; SPILL_PARTS: nowhere. `sequence`: that of the first row, by which the
// rows of a part are put in order. Any worker; false with worker->error.
bool spill_parts_add(SpillParts *parts, Worker *worker, const Batch *batch, const uint8_t *part,
                     uint64_t sequence);

// The rows of a part, in the order of the sequences they were added with.
ResultTable *spill_parts_table(const SpillParts *parts, Exec *exec, unsigned part);

// Whether rows are so few that cutting them again makes nothing smaller: one piece, which is read as a whole.
static inline bool
spill_parts_few(const ResultTable *rows)
{
    return rows->row_count <= SPILL_PIECE_ROWS;
}

// What is made of the parts, one after another.
typedef struct SpillPartsRun {
    // The pipeline that yields what part `part` gives, in the order of the numbers. What it builds is gone
    // when the next part comes.
    bool (*build)(Exec *exec, void *context, unsigned part, Pipeline *out, AzError *error);
    void *context;
    const Schema *schema; // of what it yields
    uint32_t number;      // the column of it that holds the numbers
    uint32_t columns;     // how many columns, the first, are wanted
} SpillPartsRun;

// The rows of all parts in the order of their numbers. NULL with an error.
ResultTable *spill_parts_run(Exec *exec, const SpillPartsRun *run, AzError *error);
