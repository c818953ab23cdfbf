// Rows dealt out to parts on disk by the hashes of their keys, and what is made of each part
// put together again.
//
// Each row carries a number, the sequence it had where it came from: what the parts yield is
// merged by it, so that cutting does not show in the order. A part that is still too large is cut again by
// the next bits of the hashes.
#pragma once

#include "exec/spill_merge.h"

// A few for what is merged again afterwards, since the merge holds some rows of each part; many for what is not
// and is large, so that no part must be cut again.
enum { SPILL_FEW_BITS = 4, SPILL_MANY_BITS = 6, SPILL_PARTS_MOST = 1 << SPILL_MANY_BITS };

typedef struct SpillParts {
    Schema schema; // of the rows: the last column is their number
    unsigned bits, shift;
    bool ordered;    // rows of a part are wanted in the order of the sequences
    size_t most;     // bytes of a worker's rows that wait to be written together
    SpillFile *file; // NULL: nothing was written yet
    struct SpillPartLists *workers;
} SpillParts;

// Pieces of all parts as they were written. There are many, and lists that grow would copy them.
typedef struct SpillPieceChunk SpillPieceChunk;

// What a worker has written, and rows that wait to be.
typedef struct SpillPartLists {
    Held *held;              // of the pieces
    SpillPieceChunk *newest; // NULL: nothing was written
    Arena waiting, scratch;
    Buffer buffer;
    size_t bytes; // of the rows that wait
    struct {
        struct SpillWaiting {
            Batch *batch;
            const uint8_t *part;
            uint64_t sequence;
        } * items;
        size_t len, cap;
    } batches;
    uint32_t rows;
} SpillPartLists;

// The schema of batch_numbered().
Schema spill_numbered_schema(Arena *arena, const Schema *schema);

// For rows of that schema, which is numbered, cut into 1 << bits parts. `level`: how often they were cut already.
void spill_parts_init(SpillParts *parts, Exec *exec, const Schema *schema, unsigned bits,
                      unsigned level);
void spill_parts_free(SpillParts *parts, const Exec *exec);

static inline unsigned
spill_parts_count(const SpillParts *parts)
{
    return 1u << parts->bits;
}

static inline uint8_t
spill_part_of(const SpillParts *parts, uint64_t hash)
{
    return (uint8_t)(hash >> parts->shift & (spill_parts_count(parts) - 1));
}

// Row i of the compact batch goes to part[i], of SPILL_PARTS_MOST: nowhere. `sequence`: that of the first row. They may
// wait till more have come. Any worker; false with worker->error when rows that wait could not be
// written: they wait still, and these among them when the parts are not `ordered`.
bool spill_parts_add(SpillParts *parts, Worker *worker, const Batch *batch, const uint8_t *part,
                     uint64_t sequence);
// After the last row, for each worker, before parts are read: writes what waits. False as above.
bool spill_parts_end(SpillParts *parts, Worker *worker);
// Whether anything was written.
bool spill_parts_used(const SpillParts *parts, const Exec *exec);
// Forgets what waits.
void spill_parts_drop(SpillPartLists *lists);

// The rows of a part; when they are `ordered`, in the order of the sequences they were added with. The table lives
// in `arena`.
ResultTable *spill_parts_table(const SpillParts *parts, Exec *exec, Arena *arena, unsigned part);

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
    unsigned parts;
    const Schema *schema; // of what it yields
    uint32_t number;      // the column of it that holds the numbers
    uint32_t columns;     // how many columns, the first, are wanted
} SpillPartsRun;

// The rows of all parts in the order of their numbers. NULL with an error.
ResultTable *spill_parts_run(Exec *exec, const SpillPartsRun *run, AzError *error);
