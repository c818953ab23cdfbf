// Grouping rows and aggregating them, for the operators that do so.
//
// Each worker finds the group of every row in a table of its own; at the end the tables are merged
// and the groups stand in the order of their first rows, however many workers there were.
#pragma once

#include "exec/group_codes.h"
#include "exec/internal.h"

// What a worker takes into its groups: all rows, only those of groups it has, or none. The others go to disk.
typedef enum GroupsOpen { GROUPS_OPEN, GROUPS_CLOSED, GROUPS_SEALED } GroupsOpen;

// The groups of one worker. The record of a group: its key row, its hash, the sequence of its first row,
// and the states of all calls side by side.
typedef struct GroupPart {
    Held *held;        // its groups
    Arena codes_arena; // of what finds them faster, while rows come
    GroupTable table;
    CodeGroups *codes;   // NULL: they do not pay
    uint64_t last_first; // first row of the group added last
    bool unordered;      // some group was added after one with a later first row
    GroupsOpen open;
    bool no_disk; // it took rows back that could not be written
} GroupPart;

// Records of groups.
typedef struct GroupList {
    uint64_t **records;
    size_t count;
} GroupList;

// The rows of a batch, and their sequences: from `sequence` on, or `numbers`.
typedef struct SummaryRows {
    Batch *batch;
    uint64_t sequence;
    const int64_t *numbers; // NULL: they follow one another
} SummaryRows;

static inline uint64_t
row_sequence(const SummaryRows *rows, uint32_t row)
{
    return rows->numbers ? (uint64_t)rows->numbers[row] : rows->sequence + row;
}

typedef struct GroupSpill GroupSpill; // aggregate_spill.c
typedef struct GroupTop GroupTop;     // aggregate_top.c

// A group of a slice of the hashes; `record` is its first worker's.
typedef struct GroupPlace {
    uint64_t first;
    uint64_t *record;
} GroupPlace;

// The groups of all workers with some of the hashes; at last in the order of their first rows, or any.
typedef struct GroupSlice {
    GroupPlace *places;
    uint32_t count;
} GroupSlice;

typedef struct Summarize {
    Exec *exec;
    Expr **keys; // layout.count of them
    KeyLayout layout;
    AggregateCall *calls; // with sub-queries resolved
    uint32_t call_count;
    size_t states_at;        // bytes of a record before its states
    size_t *offsets;         // of each call's state among the states
    uint32_t extra;          // words of a record behind its key row
    GroupPart *parts;        // one a worker
    GroupSpill *spill;       // NULL: memory holds all groups, or the query ends
    GroupTop *top;           // NULL: all groups are wanted
    const uint64_t *only;    // buckets of the only rows that are taken, a bit each; NULL: all are
    bool backwards;          // rows come morsel by morsel from the last to the first
    bool numbered;           // rows come with their sequence in the last column: they were on disk
    Held *input;             // of those rows; NULL: there are none
    struct Summarize *whole; // of which this is the last part that is read; NULL: it is none
    GroupList before;        // groups of rows that were met before these
    bool apart;              // none of these is a group of the rows to come
    bool any_order;          // groups may stand in any order: they are read by number
    GroupSlice *slices;
    size_t slice_count;
    _Atomic size_t next_slice;
    // The groups in the order of their first rows, or any: group_count records, or those of `table`.
    uint64_t **order;
    const GroupTable *table;
    size_t group_count;
} Summarize;

// Resolves what is to be grouped by and computed, over the columns of the pipeline to be run.
bool summarize_init(Summarize *s, Exec *exec, Expr *const *keys, uint32_t key_count,
                    const AggregateCall *calls, uint32_t call_count, AzError *error);
// Another with the same groups, for rows from elsewhere: `keys` and `calls` over their columns.
Summarize *summarize_like(const Summarize *s, Expr **keys, AggregateCall *calls);
// Runs the pipeline and leaves its groups in order. Without keys there is one group, also of no rows.
bool summarize_run(Summarize *s, Pipeline *input, AzError *error);
// Gives the groups back, before the run ends.
void summarize_free(Summarize *s);
// Runs it and adds to `out` what the groups and their values are read from, in order, or `numbered`: memory, or
// disk when it is more than that holds. `schema`: keys, then what the calls yield.
bool summarize_stream(Summarize *s, Pipeline *input, const Schema *schema, bool numbered,
                      Pipeline *out, AzError *error);

static inline size_t
part_bytes(const GroupPart *part)
{
    return part->held->arena.allocated + part->codes_arena.allocated;
}

static inline uint64_t *
group_hash(const Summarize *s, uint64_t *record)
{
    return record + s->layout.words;
}

static inline uint64_t *
group_first(const Summarize *s, uint64_t *record)
{
    return record + s->layout.words + 1;
}

static inline char *
group_states(const Summarize *s, uint64_t *record)
{
    return (char *)record + s->states_at;
}

// The record of the group that is number `i` in the order they have.
static inline uint64_t *
summarize_group(const Summarize *s, size_t i)
{
    return s->order ? s->order[i] : group_row(s->table, (uint32_t)i);
}

static inline const AggregateImpl *
aggregate_impl(const AggregateCall *call)
{
    return call->fn->impl;
}

// The values of a call for groups with these states (of the call, not of all), in `arena`:
// out[0 .. output_count), of the types of columns[0 .. output_count).
void summarize_finish_call(const AggregateCall *call, Arena *arena, Scratch *scratch,
                           char *const *states, uint32_t rows, const Column *columns,
                           const Vector **out);

// ---- its parts ----

// Rows go into their groups, which are added when they are new: `keys` and `calls` over the columns of the batch.
bool summarize_take(const Summarize *s, Expr *const *keys, const AggregateCall *calls,
                    Worker *worker, GroupPart *part, const SummaryRows *rows);
// The key rows of the batch's live rows, and their hashes, in the worker's batch arena; false with worker->error.
bool summarize_keys(const Summarize *s, Expr *const *keys, Worker *worker, const Batch *batch,
                    uint64_t **rows, uint64_t **hashes);
// Adds a group, which is none of the part's: its number. `first`: the sequence of its first row.
uint32_t summarize_add(const Summarize *s, GroupPart *part, const uint64_t *key, uint64_t hash,
                       uint64_t first);
// The states of each row's group take the rows.
bool summarize_update(const Summarize *s, const AggregateCall *calls, Worker *worker,
                      GroupPart *part, const SummaryRows *rows, const uint32_t *groups);

// ---- on disk (aggregate_spill.c) ----

// Lets the summarize go to disk, when the query has a budget; `schema` is that of its answer. `level`: how often its
// rows were cut into parts already.
void group_spill_prepare(Summarize *s, const Schema *schema, unsigned level);
// After the last row; *used: whether some rows are there. False with an error.
bool group_spill_end(const Summarize *s, bool *used, AzError *error);
// Closes or seals the part when it would grow beyond what it may hold, for `growth` bytes more.
void group_spill_watch(const Summarize *s, Worker *worker, GroupPart *part, size_t growth);
// Takes the batch into a part that is not open: rows of groups that it has, the others go to disk.
bool group_spill_consume(const Summarize *s, Worker *worker, GroupPart *part,
                         const SummaryRows *rows);
// The groups of the parts and of the rows on disk, in the order of their first rows, as rows of the answer.
ResultTable *group_spill_finish(Summarize *s, AzError *error);
// The same as branches of `out`, one a part of the hashes, whose rows are numbered and made when they are read.
void group_spill_branches(Summarize *s, Pipeline *out);
void group_spill_free(Summarize *s);

// ---- the first few groups (aggregate_top.c) ----

// Lets rows of groups that cannot be among those wanted of `plan`, the summarize, be left out, where that can be told.
// After group_spill_prepare.
void group_top_prepare(Summarize *s, const Plan *plan, const TopWanted *wanted);
// Whether the part takes its rows by group_top_consume from now on, if it is not open.
bool group_top_takes(const Summarize *s, Worker *worker, const GroupPart *part);
bool group_top_consume(const Summarize *s, Worker *worker, GroupPart *part,
                       const SummaryRows *rows);
// Leaves the rows of the buckets that are read again.
bool group_top_pick(const Summarize *s, Worker *worker, SummaryRows *rows);
// After the last row: whether some were left out, and then what summarize_stream does.
bool group_top_used(const Summarize *s);
bool group_top_stream(Summarize *s, Pipeline *input, const Schema *schema, bool numbered,
                      Pipeline *out, AzError *error);

// ---- after all rows ----

// The workers' groups, and those from before, become one list.
void summarize_merge(Summarize *s);
// The groups and their values as a source of `schema`: keys, then what the calls yield, then, when it has one
// column more, the sequence of the first row. They are made when they are read, which is once; the groups are
// given back with the last of them.
TableSource *summarize_source(Summarize *s, const Schema *schema);
// The same as rows in memory.
ResultTable *summarize_result(const Summarize *s, const Schema *schema, AzError *error);
