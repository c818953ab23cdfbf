// Lookup: what plugins share that join the input with the rows of a small table by a
// condition of their own (ip prefixes, polygons).
//
// The table is read once and kept; the input streams past it. For each row the plugin's
// `match` names the table's rows that belong to it, ascending, and a row comes out for
// each, the input's columns first. With `keep_unmatched` a row without any comes out
// once, the table's columns null.
#pragma once

#include "exec/plugin.h"

typedef struct RowList {
    Arena *arena;
    uint32_t *items;
    size_t len, cap;
} RowList;

typedef struct LookupColumn {
    bool from_table;
    uint32_t column;
} LookupColumn;

// Which output column is what; kept in call->bound.
typedef struct LookupShape {
    LookupColumn *columns; // of the output
    // Pairs of columns of one name that must be equal too; may be none.
    uint32_t *input_keys, *table_keys;
    uint32_t key_count;
} LookupShape;

typedef struct Lookup {
    const Plan *plan;
    const LookupShape *shape;
    const Batch *table; // its rows, flat, and a null row behind them
    uint32_t table_rows;
    bool keep_unmatched;
    Expr **exprs; // over the input; `match` gets their values
    uint32_t expr_count;
    void (*match)(const struct Lookup *lookup, const Vector *const *values, uint32_t row,
                  RowList *hits);
    const void *state; // of `match`; read by all workers
} Lookup;

// Fills call->schema and call->bound: the input's columns, then the table's but those
// marked in `skip` (may be NULL). `equal` are further columns of the input that must equal
// the table's column of the same name, which is then not repeated.
bool lookup_bind(PluginBind *bind, const Plan *table, const bool *skip, const PluginArgs *equal);

// Reads the table into the lookup: `exprs`, `match` and what is optional are the caller's.
bool lookup_read(PluginRun *run, Lookup *lookup, const Plan *table);
// Appends the lookup to the pipeline of the input.
bool lookup_build(PluginRun *run, Lookup *lookup, Pipeline *out);
