// Spill: rows that a query's memory does not hold, in files that nobody else sees.
//
// A file is unlinked when it is made (mode 0600), so that nothing is left of it however the process
// ends. Rows are written as pieces: compact batches with a checksum each, which are read back in
// any order, by any thread. Files are closed when the run ends.
#pragma once

#include "base/buffer.h"
#include "exec/internal.h"

enum { SPILL_PIECE_ROWS = 1024 }; // of a piece at most, so that many runs can be merged at once

typedef struct SpillFile SpillFile;

// A batch in a file.
typedef struct SpillPiece {
    uint64_t offset, checksum;
    uint64_t sequence; // of its first row, as its writer numbers them
    uint32_t bytes;
    uint16_t rows;
    uint16_t list; // which of several it belongs to
} SpillPiece;

typedef struct SpillPieces {
    SpillPiece *items;
    size_t len, cap;
    uint64_t rows;
} SpillPieces;

// A new file in the directory for temporary files (ExecOptions.spill_dir). Any thread; NULL with an
// error that names the directory and says how to choose another.
SpillFile *spill_file_new(Exec *exec, AzError *error);

// *file, which is made by the first worker that asks: it is NULL before. Any thread; NULL with an error.
SpillFile *spill_file_shared(Exec *exec, SpillFile **file, AzError *error);

// Writes the live rows of the batch, cut into pieces, which are added to `pieces` in `arena`; `sequence`
// is that of its first row. Any thread. False with an error: a full disk.
bool spill_write(SpillFile *file, const Batch *batch, uint64_t sequence, Arena *arena,
                 SpillPieces *pieces, AzError *error);

// Rows of a batch without a selection that go to several lists: those of list p are rows[starts[p]] to
// rows[starts[p + 1] - 1].
typedef struct SpillDeal {
    const Batch *batch;
    const uint64_t *sequences; // of each row of the batch
    const uint32_t *rows, *starts;
    unsigned lists;
} SpillDeal;

// Writes them, list after list, as pieces that are added to `pieces` in `arena`: all of them or, when false comes
// with an error, none. `buffer` is the caller's, for the next time. Any thread.
bool spill_write_deal(SpillFile *file, const SpillDeal *deal, Arena *arena, SpillPieces *pieces,
                      Buffer *buffer, AzError *error);

// The pieces of all lists, in the order of their sequences; in `arena`.
SpillPieces spill_pieces_join(Arena *arena, const SpillPieces *const *lists, size_t count);

// The piece as a batch in `arena`, which holds all it points to. Any thread. NULL with an error: the
// file cannot be read, or is not what was written.
Batch *spill_read(const SpillFile *file, const SpillPiece *piece, const Schema *schema,
                  Arena *arena, AzError *error);

// The pieces as a table whose rows are read from the file, in order; small pieces together.
ResultTable *spill_table(Arena *arena, const Schema *schema, const SpillFile *file,
                         const SpillPieces *pieces);

SpillArea *spill_area_new(Arena *arena);
uint64_t spill_bytes(const Exec *exec); // written in the run so far
// The file that was made last (NULL: none), and closing all that were made since: with NULL all.
SpillFile *spill_last(const Exec *exec);
void spill_close_since(Exec *exec, const SpillFile *last);
void spill_close(Exec *exec); // closes all files at the end of the run
