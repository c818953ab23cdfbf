// What the files of exec/ share: the run, pipelines, operators and sinks.
//
// A Pipeline is one or more branches (the inputs of a union), each a source and a
// chain of streaming operators, that end in one sink. Workers take morsels of the
// branch in turn; a morsel is processed to its end by one worker, so rows of a morsel
// reach the sink in order, and (morsel number, rows before) orders all rows whatever
// the number of workers.
#pragma once

#include "exec/exec.h"

typedef struct Exec Exec;
typedef struct Worker Worker;
typedef struct Operator Operator;
typedef struct Sink Sink;
typedef struct Graph Graph;         // exec/graph/graph.h
typedef struct SpillArea SpillArea; // exec/spill.h

struct Worker {
    size_t number;
    Exec *exec;
    Arena batch;  // reset for each source batch
    Arena keep;   // lives as long as the run: what sinks hold
    Arena result; // outlives the run: rows of the answer
    Scratch scratch;
    uint64_t morsel;   // number of the current morsel in the whole pipeline
    uint32_t rows_out; // rows of this morsel that have reached the sink
    // Of this pipeline's morsels that are done: rows that were read, and that have reached the sink.
    uint64_t rows_read, rows_passed;
    bool satisfied;          // the sink wants no more of this morsel
    uint32_t volatile_calls; // calls of rand() and the like in this morsel
    size_t charged;          // bytes of `keep` the budget knows of
    AzError error;
    ProfileClock clock;
};

// What is evaluated once in a run: shared plans and sub-queries.
typedef struct Prepared {
    const void *key; // the sub-query's Expr, NULL for a shared plan
    uint32_t id;     // of the shared plan
    ResultTable *table;
    Graph *graph;
    Value value;
    struct Prepared *next;
} Prepared;

// Memory of an operator that can be given back before the run ends.
typedef struct Held {
    Arena arena;
    size_t charged; // bytes that the budget knows of
    struct Held *next;
} Held;

// The rows a leaf of that number stands for while its sub-query runs.
typedef struct Correlated {
    uint32_t leaf;
    ResultTable *table;
    const struct Correlated *outer;
} Correlated;

// The rows that are wanted of a plan: the first `limit` by one of its columns, the greatest before the others.
typedef struct TopWanted {
    const Plan *plan; // NULL: all are wanted
    uint32_t column;
    uint64_t limit;
} TopWanted;

struct Exec {
    const ExecOptions *options;
    Arena *arena; // of the run; used by the coordinating thread only
    Worker *workers;
    size_t worker_count;
    Prepared *prepared;
    const Correlated *correlated; // innermost first
    // The plan whose rows may come in any order when they are numbered (pipeline_build_numbered).
    const Plan *numbered;
    TopWanted top; // of the summarize that is being built
    // Morsels after this one are not wanted any more: a limit is met, or that one failed.
    _Atomic uint64_t stop_after;
    uint32_t depth;
    size_t answered; // bytes of finished answers, which the budget still counts
    SpillArea *spill;
    Held *held; // the newest
    // With a profile: the operator being built or run, and the coordinating thread's clock.
    ProfileNode *node;
    ProfileClock clock;
};

// ---- streaming operators ----

// `push` handles one batch (in the worker's batch arena) and hands what comes out to
// operator_emit. False with worker->error set.
struct Operator {
    const Plan *plan;
    void *state; // shared by workers, read only after preparation
    bool (*push)(Operator *self, Worker *worker, Batch *batch);
    Operator *next; // NULL: the sink
    Sink *sink;
    ProfileNode *node, *sink_node; // NULL: nothing is counted
};

bool operator_emit(Operator *self, Worker *worker, Batch *batch);

// For operators that yield many batches for one: what comes behind works in an arena
// of its own between open and close, which each emit resets. The batch and what it
// is made of must be allocated between them too, or live longer.
typedef struct Emitter {
    Operator *self;
    Worker *worker;
    Arena outer;
} Emitter;
void emitter_open(Emitter *emitter, Operator *self, Worker *worker);
bool emitter_emit(Emitter *emitter, Batch *batch);
void emitter_close(Emitter *emitter);

// ---- sinks ----

struct Sink {
    void *state;
    // One batch; row i of it has the sequence worker_sequence() + i.
    bool (*consume)(Sink *self, Worker *worker, Batch *batch);
    // After each morsel, may lower exec->stop_after. NULL = nothing.
    void (*morsel_done)(Sink *self, Worker *worker);
};

// ---- pipelines ----

// A filter over a scan, ready to be narrowed to what rows of a morsel can meet (narrow.c).
typedef struct Narrowing Narrowing;
// NULL when no morsel could make a difference. Lives as long as `arena` and the filter.
const Narrowing *narrowing_new(Arena *arena, const Plan *scan, const Expr *filter);
typedef struct NarrowedFilter {
    const Expr *expr;     // NULL = all of `rows` meet it
    const uint64_t *rows; // a bit a row of the morsel: the others do not meet it; NULL = all may
} NarrowedFilter;
// What of the filter is left to ask of the morsel's rows; false: no row meets it. `in_run`: only those
// of the run are asked that row_range told for the scan's predicates.
bool narrowing_filter(const Narrowing *narrowing, Arena *arena, const TableSource *source,
                      uint32_t morsel, bool in_run, NarrowedFilter *out);

// What a sink knows of a branch's rows before most of their columns are read: a top of rows knows
// the worst it would still take.
typedef struct RowGate RowGate;
struct RowGate {
    void *state;
    uint32_t column; // of the branch's first batch: the one that is looked at
    bool backwards;  // the last morsels are the likelier ones
    // Whether some row of the morsel may pass.
    bool (*may_pass)(const RowGate *gate, const Worker *worker, const TableSource *source,
                     uint32_t morsel, uint32_t source_column);
    // Leaves the rows of the batch that may.
    void (*narrow)(const RowGate *gate, Worker *worker, Batch *batch);
};

typedef struct Branch Branch;
struct Branch {
    TableSource *source;
    uint32_t *columns; // source column of each column of the first batch
    uint32_t column_count;
    const Expr *filter;         // over those columns, applied while reading; NULL = none
    const bool *read;           // columns that are read after the filter; NULL = all
    const Narrowing *narrowing; // of the filter; NULL = as it is for all morsels
    const ScanPredicate *predicates;
    uint32_t predicate_count;
    const RowGate *gate; // NULL = all rows pass
    bool backwards;      // the last morsels come first
    Operator *first, *last;
    bool numbered; // rows come in any order, with their places in it in the source's last column
    ProfileNode *node, *filter_node; // of the source and of `filter`
    // Called before the branch runs, when earlier ones have ended: makes `source`. May be NULL.
    bool (*begin)(Exec *exec, Branch *branch, AzError *error);
    void *begin_state;
};

typedef struct Pipeline {
    Branch *branches;
    size_t count, cap;
} Pipeline;

// Builds the pipeline that yields `plan`; breakers below it are run on the way.
bool pipeline_build(Exec *exec, const Plan *plan, Pipeline *out, AzError *error);
// The same for what looks at batch_numbers(): rows may come in another order then.
bool pipeline_build_numbered(Exec *exec, const Plan *plan, Pipeline *out, AzError *error);
// Appends an operator to every branch. `state` is shared.
Operator *pipeline_append(Exec *exec, Pipeline *pipeline, const Plan *plan, void *state,
                          bool (*push)(Operator *, Worker *, Batch *));
// Appends an operator that adds the values of `exprs` as columns after the input's.
void pipeline_extend(Exec *exec, Pipeline *pipeline, const Plan *plan, Expr **exprs,
                     uint32_t count);
// Appends an operator that yields the values of `exprs`.
void pipeline_project(Exec *exec, Pipeline *pipeline, const Plan *plan, Expr **exprs,
                      uint32_t count);
Branch *pipeline_add_branch(Exec *exec, Pipeline *pipeline);
// The column of the branch's first batch that ends up as `column` of its last, when the operators
// between only drop rows and pick or compute columns; else -1.
ptrdiff_t branch_column(const Branch *branch, uint32_t column);
// Whether its operators yield a row for a row, or none.
bool branch_only_drops(const Branch *branch);
bool pipeline_run(Exec *exec, Pipeline *pipeline, Sink *sink, AzError *error);

// What follows is done for the operator of `plan`, until profile_leave gives its place
// back to the one before. Both do nothing without a profile.
ProfileNode *profile_enter(Exec *exec, const Plan *plan);
ProfileNode *profile_enter_node(Exec *exec, ProfileNode *node);
void profile_leave(Exec *exec, ProfileNode *before);
// Where the plan's work is counted: parts of an operator that the profile does not name
// count for the operator being built.
ProfileNode *profile_of(const Exec *exec, const Plan *plan);

// Runs `plan` and collects its rows, in order. Batches live as long as the run.
ResultTable *exec_collect(Exec *exec, const Plan *plan, AzError *error);
// The same for rows that are read more than once: on disk when they are more than the budget (collect_shared.c).
ResultTable *exec_collect_shared(Exec *exec, const Plan *plan, AzError *error);
// As exec_collect, stopped after `limit` rows (-1 = all).
ResultTable *exec_collect_limit(Exec *exec, const Plan *plan, int64_t limit, AzError *error);
// One branch over all columns of a source.
void pipeline_from_source(Exec *exec, TableSource *source, Pipeline *out);
// One branch over finished batches.
bool pipeline_from_table(Exec *exec, const ResultTable *table, Pipeline *out);

// The same for the answer of the run: the rows are copied into the workers' `result`.
ResultTable *exec_collect_answer(Exec *exec, const Plan *plan, AzError *error);
// Runs a pipeline whose batches have these columns and collects its rows, in order.
ResultTable *pipeline_collect(Exec *exec, Pipeline *pipeline, const Schema *schema, int64_t limit,
                              AzError *error);

// All rows of a result as one batch of flat vectors, in the run's memory; with
// `null_row` each has one more payload behind its last, which is null. NULL with error
// when that is more than the budget or 2^32 - 2 rows.
Batch *result_concat(Exec *exec, const ResultTable *table, bool null_row, AzError *error);
// Column c of all batches as one flat vector.
const Vector *result_column(Arena *arena, const ResultTable *table, uint32_t c);
// Drops the rows after the first `limit`.
void result_limit(Exec *exec, ResultTable *table, uint64_t limit);
// Cuts one large batch into batches of at most batch_rows rows.
ResultTable *result_cut(Arena *arena, const Schema *schema, Batch *whole);

// ---- breakers: each runs its input and yields a result ----

// The same over a pipeline that stands already; plan->input is not looked at.
ResultTable *summarize_pipeline(Exec *exec, const Plan *plan, Pipeline *input, AzError *error);
ResultTable *run_summarize(Exec *exec, const Plan *plan, AzError *error);
// The same as a pipeline whose source makes the rows when they are read.
bool build_summarize(Exec *exec, const Plan *plan, Pipeline *out, AzError *error);
// Sorts what a pipeline of that schema yields; plan->input is not looked at.
ResultTable *sort_pipeline(Exec *exec, const Plan *plan, const Schema *schema, Pipeline *input,
                           AzError *error);
ResultTable *run_sort(Exec *exec, const Plan *plan, AzError *error);
ResultTable *run_sample(Exec *exec, const Plan *plan, AzError *error);
ResultTable *run_make_series(Exec *exec, const Plan *plan, AzError *error);
ResultTable *run_mv_apply(Exec *exec, const Plan *plan, AzError *error);
ResultTable *run_partition(Exec *exec, const Plan *plan, AzError *error);
ResultTable *run_sequences(Exec *exec, const Plan *plan, AzError *error);
ResultTable *run_top_nested(Exec *exec, const Plan *plan, AzError *error);
ResultTable *run_reduce(Exec *exec, const Plan *plan, AzError *error);
ResultTable *correlated_rows(const Exec *exec, const Plan *plan);
bool build_range(Exec *exec, const Plan *plan, Pipeline *out, AzError *error);
bool build_window(Exec *exec, const Plan *plan, Pipeline *out, AzError *error);
bool build_join(Exec *exec, const Plan *plan, Pipeline *out, AzError *error);
bool pipeline_append_mv_expand(Exec *exec, Pipeline *pipeline, const Plan *plan, AzError *error);
ResultTable *shared_result(Exec *exec, const Plan *plan, AzError *error);
Graph *shared_graph(Exec *exec, const Plan *plan, AzError *error);
bool build_graph_match(Exec *exec, const Plan *plan, Pipeline *out, AzError *error);
ResultTable *run_graph_table(Exec *exec, const Plan *plan, AzError *error);
bool parse_prepare(Exec *exec, const Plan *plan, void **state, AzError *error);
bool parse_push(Operator *self, Worker *worker, Batch *batch);
// The text as row `row` of a flat column of its type, which is null when the text is not of
// that type (then false).
bool parse_write_cell(Arena *arena, Vector *out, Str text, uint32_t row);
bool parse_kv_prepare(Exec *exec, const Plan *plan, void **state, AzError *error);
bool parse_kv_push(Operator *self, Worker *worker, Batch *batch);

// ---- expressions ----

// Whether the call looks for texts in the JSON of a dynamic, and the places among the live
// rows where it may be true, in `rows` (search_dynamic.c). All of them: look as ever.
bool searches_dynamic(const Expr *expr);
uint32_t search_candidates(Worker *worker, const Expr *expr, const Batch *batch, uint32_t *rows);

// The value of `expr` for the live rows of `batch`: a vector of batch->selected rows.
// NULL with worker->error.
const Vector *evaluate(Worker *worker, const Expr *expr, const Batch *batch);
// Narrows the batch to rows where the predicate is true (conjunct by conjunct). False on error.
bool filter_batch(Worker *worker, const Expr *predicate, Batch *batch);
// The rows of a bool vector that are true (not null), ascending; how many.
uint32_t truth_rows(const Vector *truth, uint32_t count, uint32_t *rows);
// Replaces subqueries by constants, running them; calls that held one are bound again.
Expr *resolve_subqueries(Exec *exec, const Expr *expr, AzError *error);
// Rows a sub-query is to run over: `count` of `whole` from `from` on, or those that
// `rows` names. `number` (may be NULL) is one more long column behind them.
typedef struct SubRows {
    uint32_t leaf;
    const Schema *schema;
    const Batch *whole;
    const uint32_t *rows; // NULL: from ... from + count
    uint32_t from, count;
    const int64_t *numbers; // of each row
} SubRows;
// Runs `plan` over them and hands the answer to `keep`, which copies what it wants. What
// the run leaves behind is given back at once, so that many runs cost no more memory
// than one; tables evaluated once for the query must be already (exec_prepare).
bool exec_run_over(Exec *exec, const Plan *plan, const SubRows *over,
                   bool (*keep)(void *context, const ResultTable *answer), void *context,
                   AzError *error);
// ---- memory of parts of a run (scope.c) ----

// A part of a run, of the first `workers` workers, after which what it left behind can be given back
// though the run goes on: memory, shared results and what the budget counts of them. The rows it
// made may be read between leave and free.
typedef struct ScopeWorker {
    Arena keep; // of the outer run, and after leaving of the part
    size_t charged;
} ScopeWorker;
typedef struct ExecScope {
    Arena run;
    ScopeWorker one, *workers;
    size_t count, worker_count;
    Prepared *prepared;
    Held *held, *outer_held; // of the part, down to those of the outer run
} ExecScope;
void exec_scope_enter(ExecScope *scope, Exec *exec, size_t workers);
void exec_scope_leave(ExecScope *scope, Exec *exec);
void exec_scope_free(ExecScope *scope);
// Empty memory, which is given back at the end of the run, or of this part of it, if not before by held_free.
Held *held_new(Exec *exec);
void held_free(const Exec *exec, Held *held); // any thread
void held_free_all(Exec *exec);               // at the end of the run

// ---- preparing ----

// Evaluates now what of `plan` does not depend on the rows of an mv-apply: shared plans
// and sub-queries, so that running it again and again does not repeat them.
bool exec_prepare(Exec *exec, const Plan *plan, AzError *error);
// Whether the plan stands over the rows of an mv-apply (not of one inside it).
bool plan_is_correlated(const Plan *plan);
bool resolve_all(Exec *exec, Expr *const *exprs, uint32_t count, Expr ***out, AzError *error);
// Rows `rows` of a vector, which may name a row many times: payloads are shared.
const Vector *vector_repeat(Arena *arena, const Vector *v, const uint32_t *rows, uint32_t count);
// Flattens a vector to an ArgView for kernels and aggregates.
ArgView arg_view(Arena *arena, const Vector *vector);

// ---- workers ----

// The numbers 0 .. count-1 in ascending order of their words, equal ones as they stand.
uint32_t *order_by_words(Arena *arena, const uint64_t *words, uint32_t count);
// Runs `job` on up to `workers` workers and waits (see thread_pool_run).
void exec_parallel(Exec *exec, size_t workers, ThreadJob job, void *context);
// The error of the earliest morsel, moved to `error`; true when there is none.
bool exec_first_error(Exec *exec, AzError *error);
// Lowers exec->stop_after.
void exec_stop_after(Exec *exec, uint64_t morsel);

static inline uint64_t
worker_sequence(const Worker *worker)
{
    return worker->morsel << 32 | worker->rows_out;
}

// Tells the budget how `keep` and `result` have grown. False with worker->error when that is too much;
// `what` names what was being built.
bool worker_charge(Worker *worker, const char *what);
// Asks whether `bytes` more would fit, before a large step of growth.
bool worker_reserve(Worker *worker, size_t bytes, const char *what);
bool worker_check(Worker *worker); // cancellation and deadline; false with an error
