// Grouping rows and aggregating them, for the operators that do so.
//
// Each worker finds the group of every row in a table of its own; at the end the tables are merged
// and the groups stand in the order of their first rows, however many workers there were.
#pragma once

#include "exec/internal.h"
#include "exec/keys.h"

typedef struct GroupPart GroupPart; // the groups of one worker

// A group: its key row (of `layout`) and the states of all calls, side by side.
typedef struct GroupPlace {
    const uint64_t *row;
    char *state;
} GroupPlace;

typedef struct Summarize {
    Exec *exec;
    Expr **keys; // layout.count of them
    KeyLayout layout;
    AggregateCall *calls; // with sub-queries resolved
    uint32_t call_count;
    size_t *offsets; // of each call's state
    size_t state_size;
    GroupPart *parts; // one a worker
    GroupPart *merged;
    size_t merged_count;
    _Atomic size_t next_slice;
    GroupPlace *order; // group_count of them
    size_t group_count;
} Summarize;

// Resolves what is to be grouped by and computed, over the columns of the pipeline to be run.
bool summarize_init(Summarize *s, Exec *exec, Expr *const *keys, uint32_t key_count,
                    const AggregateCall *calls, uint32_t call_count, AzError *error);
// Runs the pipeline and leaves its groups in `order`; states live as long as the run. Without
// keys there is one group, also of no rows.
bool summarize_run(Summarize *s, Pipeline *input, AzError *error);

static inline const AggregateImpl *
aggregate_impl(const AggregateCall *call)
{
    return call->fn->impl;
}

// The values of call `a` for groups order[from .. from + rows), written to columns[0 ..
// output_count), which it makes.
void summarize_finish_call(const AggregateCall *call, Worker *worker, char *const *states,
                           uint32_t rows, const Column *columns, const Vector **out);
