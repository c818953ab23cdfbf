// TableSource: anything that can be scanned: a stored table of a snapshot, a
// table in memory, a table computed by a room above.
//
// A source is cut into morsels: runs of rows that one worker reads at a time. A
// morsel may hold more rows than a batch: it is read in batches.
#pragma once

#include "base/error.h"
#include "column/batch.h"

typedef enum ScanOp {
    SCAN_EQ,
    SCAN_LT,
    SCAN_LE,
    SCAN_GT,
    SCAN_GE,
    SCAN_EQ_CI, // string equality without case
    SCAN_IN,    // equal to any of `values`
    SCAN_IN_CI, // the same without case
    // The column's text, as tostring() gives it, holds any of `values` without regard to
    // case: as a run of whole terms, at the begin of a term, at its end, anywhere.
    SCAN_HAS,
    SCAN_HAS_PREFIX,
    SCAN_HAS_SUFFIX,
    SCAN_CONTAINS,
    // Any, or all, of `parts` are met.
    SCAN_ANY,
    SCAN_ALL,
} ScanOp;

// A condition the rows must meet, for skipping morsels: column `op` value.
typedef struct ScanPredicate ScanPredicate;
struct ScanPredicate {
    uint32_t column; // of the source's schema
    ScanOp op;
    const Value *values;
    uint32_t value_count; // 1 where the op does not say "any of"
    const ScanPredicate *parts;
    uint32_t part_count;
};

typedef struct TableSource TableSource;
struct TableSource {
    Schema schema;
    uint64_t row_count;
    uint32_t morsel_count;
    ptrdiff_t time_column; // TimeGenerated or the like, -1 if none
    void *context;
    const void *rows; // sources with the same one hold the same rows; NULL: not known of any other

    // Rows in morsel m.
    uint32_t (*morsel_rows)(const TableSource *source, uint32_t morsel);

    // Whether some row of the morsel may meet all predicates; "no" is certain. NULL = always maybe.
    bool (*may_match)(const TableSource *source, uint32_t morsel, const ScanPredicate *predicates,
                      uint32_t count);

    // Adds to `rows`, a bit a row (64 a word), the rows of the morsel that may meet the predicate.
    // *exact: that they do, and no others; of a text search in the sense of `has`. False, with
    // nothing added, when nothing is known of single rows. NULL = never known.
    bool (*match_rows)(const TableSource *source, uint32_t morsel, const ScanPredicate *predicate,
                       uint64_t *rows, bool *exact);

    // The run of rows [*from, *to) of the morsel whose times meet all that the predicates ask of them,
    // by SCAN_EQ to SCAN_GE with a value each; those of all others do not. False when no such run is
    // known. NULL = never known.
    bool (*row_range)(const TableSource *source, uint32_t morsel, const ScanPredicate *predicates,
                      uint32_t count, uint32_t *from, uint32_t *to);

    // Rows [from, from + count) of column c in morsel m, as a vector in `arena`.
    // What it points to stays valid until `release` for that morsel by the same
    // reader. Any thread; each call names its reader's arena. NULL with error.
    const Vector *(*read)(const TableSource *source, uint32_t morsel, uint32_t column,
                          uint32_t from, uint32_t count, Arena *arena, AzError *error);

    // Whether values inside the JSON texts, or the dynamics, of column c are kept apart in most of
    // the rows, so that read_path is cheap. NULL = never.
    bool (*holds_paths)(const TableSource *source, uint32_t column);

    // As `read`, but what lies at `path` in each dynamic, or in each text of a column of strings:
    // what parse_json() and the path give, a dynamic. A path is each key with its length before it
    // (u32). It lives as long as the query.
    const Vector *(*read_path)(const TableSource *source, uint32_t morsel, uint32_t column,
                               Str path, uint32_t from, uint32_t count, Arena *arena,
                               AzError *error);

    // The reader is done with the morsel. NULL = nothing to do.
    void (*release)(const TableSource *source, uint32_t morsel);
};

// A source over batches in memory (compact, same schema); they must outlive it.
TableSource *memory_source_new(Arena *arena, const Schema *schema, Batch *const *batches,
                               uint32_t count);
