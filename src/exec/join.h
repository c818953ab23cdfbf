// What the files of join share: join.c (sides and filters), join_unique.c (one row of each built key),
// join_table.c (the hash table and probing),
// join_spill.c (sides that are larger than the memory).
#pragma once

#include "exec/internal.h"
#include "exec/keys.h"

#include <stdatomic.h>

typedef struct Join {
    const Plan *plan;
    bool build_left;
    Expr **probe_keys;
    uint32_t key_count;
    KeyLayout layout;
    // What comes out: the plan's columns, and in parts of a join on disk the sequence of the row.
    Schema schema;
    const struct JoinColumn *columns;
    ptrdiff_t sequence; // that column; -1 = none
    bool few;           // of a part: it builds so few rows that it is not cut any more
    // The built side has `payload` columns that may come out, then those of its keys that are none of these, then
    // on disk its sequence.
    uint32_t payload, built_columns; // without and with the keys
    const uint32_t *built_keys;      // the column of each key
    GroupTable table;
    const Batch *build;
    uint32_t build_rows;
    RowsByGroup by_group;     // the built rows, in their order
    uint32_t *group_of_row;   // GROUP_NONE: its key is null
    _Atomic uint8_t *matched; // by group; right and full outer only
} Join;

static inline bool
join_keeps_unmatched_build(JoinKind kind)
{
    return kind == JOIN_RIGHTOUTER || kind == JOIN_FULLOUTER;
}

static inline bool
join_drops_unmatched_probe(JoinKind kind)
{
    return kind == JOIN_INNER || kind == JOIN_INNERUNIQUE || kind == JOIN_RIGHTOUTER ||
           kind == JOIN_LEFTSEMI || kind == JOIN_RIGHTSEMI;
}

static inline bool
join_is_existence(JoinKind kind)
{
    return kind == JOIN_LEFTSEMI || kind == JOIN_RIGHTSEMI || kind == JOIN_LEFTANTI ||
           kind == JOIN_RIGHTANTI;
}

// Lets one row of each key of the built side pass, the first, as far as there is memory for the keys.
// NULL for kinds that build all rows. Its memory is freed when the side has been built.
typedef struct JoinUnique JoinUnique;
JoinUnique *join_unique_append(Exec *exec, const Join *join, Pipeline *pipeline);
void join_unique_free(const Exec *exec, JoinUnique *unique); // may be NULL

// The keys of rows of the built side.
const Vector *const *join_built_keys(const Join *join, Arena *arena, const Batch *rows);

// Bytes that the table takes for a built row, beside the row as it was kept.
size_t join_row_bytes(const Join *join, const Schema *build);
// Makes the table of the rows.
bool join_table_build(Exec *exec, Join *join, const ResultTable *rows, AzError *error);
// Lets the rows of the pipeline probe it: what comes out of the join comes out of the pipeline.
void join_table_probe(Exec *exec, Join *join, Pipeline *pipeline);
// Keeps what cannot meet a built row from being read, when few rows were built (join.c).
void join_filter_probe(Exec *exec, const Join *join, Pipeline *pipeline);

// Builds what `build` yields (payload and keys, as build_schema has them) and lets the rows of `out`,
// which are of probe_schema, probe it; in parts and on disk when memory does not hold it. `level`: how
// often the sides were cut into parts already.
bool join_run(Exec *exec, Join *join, Pipeline *build, const Schema *build_schema,
              const Schema *probe_schema, Pipeline *out, unsigned level, AzError *error);
