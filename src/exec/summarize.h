// Grouping rows and aggregating them, for the operators that do so.
//
// Each worker finds the group of every row in a table of its own; at the end the tables are merged
// and the groups stand in the order of their first rows, however many workers there were.
#pragma once

#include "exec/group_codes.h"
#include "exec/internal.h"

typedef struct Group {
    uint64_t first; // sequence of the first row
    char *state;    // of all aggregates, side by side
} Group;

// The groups of one worker, or after merging of one slice of the hashes.
typedef struct GroupPart {
    GroupTable table;
    CodeGroups *codes;
    Group *groups;
    uint32_t cap;
    char *states; // zeroed memory for the next groups' states
    uint32_t states_left;
} GroupPart;

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

// The values of a call for groups with these states (of the call, not of all): out[0 .. output_count),
// of the types of columns[0 .. output_count).
void summarize_finish_call(const AggregateCall *call, Worker *worker, char *const *states,
                           uint32_t rows, const Column *columns, const Vector **out);

// ---- its parts ----

// Gives group `g` of the part's table, which was just added, its place.
void group_place(GroupPart *part, Arena *arena, uint32_t g, Group group);
// After all rows: the parts become `merged`, these `order`.
void summarize_merge(Summarize *s);
void summarize_order(Summarize *s);
// The groups and their values as rows of `schema`: keys, then what the calls yield.
ResultTable *summarize_result(const Summarize *s, const Schema *schema, AzError *error);
