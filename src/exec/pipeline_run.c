// Running pipelines: workers take morsels, read them in batches and push these through
// the operators into the sink.

#include "exec/internal.h"

#include <stdatomic.h>

typedef struct BranchRun {
    Exec *exec;
    const Branch *branch;
    Sink *sink;
    Operator entry; // stands before the first operator
    _Atomic uint32_t next_morsel;
    uint64_t morsel_base;
    bool *filter_columns; // which columns the filter reads
} BranchRun;

// How a morsel is filtered.
typedef struct MorselFilter {
    const Expr *expr;     // NULL = all of `rows` are wanted
    const uint64_t *rows; // a bit a row; NULL = all
    const bool *columns;  // that `expr` reads; NULL = there is no filter
    uint32_t from, to;    // no row outside these is wanted
} MorselFilter;

static void
mark_columns(const Expr *expr, bool *marks)
{
    if (expr->kind == EXPR_COLUMN)
        marks[expr->column] = true;
    for (uint32_t i = 0; expr->kind == EXPR_CALL && i < expr->arg_count; i++)
        mark_columns(expr->args[i], marks);
}

static bool
read_column(BranchRun *run, Worker *worker, uint32_t morsel, uint32_t from, Batch *batch,
            uint32_t column)
{
    const Branch *branch = run->branch;
    batch->columns[column] =
        branch->source->read(branch->source, morsel, branch->columns[column], from, batch->count,
                             &worker->batch, &worker->error);
    return batch->columns[column] != NULL;
}

static bool
read_columns(BranchRun *run, Worker *worker, uint32_t morsel, uint32_t from, Batch *batch,
             const bool *wanted)
{
    for (uint32_t c = 0; c < run->branch->column_count; c++)
        if (wanted[c] && !read_column(run, worker, morsel, from, batch, c))
            return false;
    return true;
}

// Leaves the rows that the sink may want.
static bool
pass_gate(BranchRun *run, Worker *worker, uint32_t morsel, uint32_t from, Batch *batch)
{
    const RowGate *gate = run->branch->gate;
    if (!gate)
        return true;
    if (!batch->columns[gate->column] &&
        !read_column(run, worker, morsel, from, batch, gate->column))
        return false;
    gate->narrow(gate, worker, batch);
    return true;
}

static bool
read_numbers(const TableSource *source, Worker *worker, uint32_t morsel, uint32_t from,
             Batch *batch)
{
    const Vector *numbers = source->read(source, morsel, source->schema.count - 1, from,
                                         batch->count, &worker->batch, &worker->error);
    if (numbers)
        batch->numbers = vector_flatten(&worker->batch, numbers)->data;
    return numbers != NULL;
}

// The columns that neither the filter nor the gate has read. Those that only some other morsel's
// filter reads are left out: nobody looks at them. `filtered` is NULL without a filter.
static bool
read_others(BranchRun *run, Worker *worker, uint32_t morsel, uint32_t from, Batch *batch,
            const bool *filtered)
{
    const Branch *branch = run->branch;
    for (uint32_t c = 0; filtered && branch->read && c < branch->column_count; c++) {
        if (filtered[c] || branch->read[c])
            continue;
        Value none = value_null(branch->source->schema.columns[branch->columns[c]].type);
        batch->columns[c] = vector_new_const(&worker->batch, &none, batch->count);
    }
    for (uint32_t c = 0; c < branch->column_count; c++)
        if (!batch->columns[c] && !read_column(run, worker, morsel, from, batch, c))
            return false;
    return true;
}

// The filter over a batch that is read in part.
static bool
filter_read(const Branch *branch, const Expr *filter, Worker *worker, Batch *batch)
{
    if (branch->node)
        profile_batch(branch->node, branch->filter_node, worker->number, batch->selected);
    if (!filter)
        return true;
    if (!branch->node)
        return filter_batch(worker, filter, batch);
    profile_switch(&worker->clock, branch->filter_node);
    bool done = filter_batch(worker, filter, batch);
    profile_switch(&worker->clock, branch->node);
    return done;
}

// `filter` is NULL when the group is skipped.
static void
count_group(const Branch *branch, const Worker *worker, uint32_t rows, const MorselFilter *filter)
{
    if (!branch->node)
        return;
    ProfileCounters *counters = &branch->node->slots[worker->number];
    uint32_t read = filter ? filter->to - filter->from : 0;
    counters->groups_read += filter != NULL;
    counters->rows_read += read;
    counters->groups_skipped += filter == NULL;
    counters->rows_skipped += rows - read;
}

// Lets those of the batch live that the filter's rows name.
static void
select_rows(Batch *batch, Arena *arena, const uint64_t *bits, uint32_t from)
{
    uint32_t *rows = ARENA_ARRAY(arena, uint32_t, batch->count), count = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        rows[count] = i;
        count += bit_get(bits, from + i);
    }
    batch->selection = rows;
    batch->selected = count;
}

static bool
run_batch(BranchRun *run, const MorselFilter *filter, Worker *worker, uint32_t morsel,
          uint32_t from, uint32_t rows)
{
    const Branch *branch = run->branch;
    arena_reset(&worker->batch);
    Batch *batch = batch_new(&worker->batch, branch->column_count, rows);
    if (branch->numbered && !read_numbers(branch->source, worker, morsel, from, batch))
        return false;
    if (filter->rows) {
        select_rows(batch, &worker->batch, filter->rows, from);
        if (!batch->selected)
            return true;
    }
    if (filter->columns && (!read_columns(run, worker, morsel, from, batch, filter->columns) ||
                            !filter_read(branch, filter->expr, worker, batch)))
        return false;
    if (batch->selected && !pass_gate(run, worker, morsel, from, batch))
        return false;
    if (!batch->selected)
        return true;
    return read_others(run, worker, morsel, from, batch, filter->columns) &&
           operator_emit(&run->entry, worker, batch);
}

static bool
run_rows(BranchRun *run, const MorselFilter *filter, Worker *worker, uint32_t morsel)
{
    TableSource *source = run->branch->source;
    bool done = true;
    count_group(run->branch, worker, source->morsel_rows(source, morsel), filter);
    for (uint32_t from = filter->from; from < filter->to && done; from += batch_rows) {
        if (worker->satisfied || worker->morsel > run->exec->stop_after)
            break;
        uint32_t count = filter->to - from < batch_rows ? filter->to - from : batch_rows;
        done = worker_check(worker) && run_batch(run, filter, worker, morsel, from, count);
    }
    return done;
}

// What the morsel is filtered by; false when none of its rows is wanted.
static bool
morsel_filter(const BranchRun *run, Arena *arena, uint32_t morsel, MorselFilter *out)
{
    const Branch *branch = run->branch;
    TableSource *source = branch->source;
    *out = (MorselFilter){
        .expr = branch->filter,
        .columns = run->filter_columns,
        .to = source->morsel_rows(source, morsel),
    };
    if (!source->may_match || !branch->predicate_count)
        return true;
    if (!source->may_match(source, morsel, branch->predicates, branch->predicate_count))
        return false;
    bool in_run =
        source->row_range && source->row_range(source, morsel, branch->predicates,
                                               branch->predicate_count, &out->from, &out->to);
    if (in_run && out->from == out->to)
        return false;
    if (!branch->narrowing)
        return true;
    NarrowedFilter narrowed;
    if (!narrowing_filter(branch->narrowing, arena, source, morsel, in_run, &narrowed))
        return false;
    out->expr = narrowed.expr;
    out->rows = narrowed.rows;
    if (out->expr != branch->filter) {
        bool *columns = ARENA_ARRAY(arena, bool, branch->column_count + 1);
        if (out->expr)
            mark_columns(out->expr, columns);
        out->columns = columns;
    }
    return true;
}

static bool
run_morsel(BranchRun *run, Worker *worker, uint32_t morsel)
{
    TableSource *source = run->branch->source;
    worker->morsel = run->morsel_base + morsel;
    worker->rows_out = 0;
    worker->satisfied = false;
    worker->volatile_calls = 0;
    bool done = true;
    Arena arena = {0};
    MorselFilter filter;
    const RowGate *gate = run->branch->gate;
    bool wanted =
        !gate || gate->may_pass(gate, worker, source, morsel, run->branch->columns[gate->column]);
    if (wanted && morsel_filter(run, &arena, morsel, &filter)) {
        done = run_rows(run, &filter, worker, morsel);
        worker->rows_read += filter.to - filter.from;
        worker->rows_passed += worker->rows_out;
    } else {
        count_group(run->branch, worker, source->morsel_rows(source, morsel), NULL);
    }
    if (source->release)
        source->release(source, morsel);
    arena_free(&arena);
    if (done && run->sink->morsel_done)
        run->sink->morsel_done(run->sink, worker);
    return done;
}

static void
run_worker(void *context, size_t number)
{
    BranchRun *run = context;
    Worker *worker = &run->exec->workers[number];
    if (run->branch->node)
        profile_switch(&worker->clock, run->branch->node);
    for (;;) {
        uint32_t morsel = atomic_fetch_add(&run->next_morsel, 1);
        if (morsel >= run->branch->source->morsel_count ||
            run->morsel_base + morsel > run->exec->stop_after)
            return;
        if (run->branch->backwards || (run->branch->gate && run->branch->gate->backwards))
            morsel = run->branch->source->morsel_count - 1 - morsel;
        if (!run_morsel(run, worker, morsel)) {
            exec_stop_after(run->exec, worker->morsel);
            return;
        }
    }
}

static void
run_parallel(Exec *exec, size_t workers, ThreadJob job, void *context)
{
    if (workers > exec->worker_count)
        workers = exec->worker_count;
    if (workers > 1)
        thread_pool_run(exec->options->threads, workers, job, context);
    else if (workers)
        job(context, 0);
}

typedef struct TimedJob {
    Exec *exec;
    ThreadJob job;
    void *context;
} TimedJob;

static void
timed_job(void *context, size_t number)
{
    TimedJob *timed = context;
    ProfileClock *clock = &timed->exec->workers[number].clock;
    profile_switch(clock, timed->exec->node);
    timed->job(timed->context, number);
    profile_switch(clock, NULL);
}

void
exec_parallel(Exec *exec, size_t workers, ThreadJob job, void *context)
{
    if (!exec->options->profile) {
        run_parallel(exec, workers, job, context);
        return;
    }
    // Worker 0 is the coordinating thread: its own clock stands still meanwhile.
    TimedJob timed = {exec, job, context};
    profile_switch(&exec->clock, NULL);
    run_parallel(exec, workers, timed_job, &timed);
    profile_switch(&exec->clock, exec->node);
}

void
exec_stop_after(Exec *exec, uint64_t morsel)
{
    uint64_t now = exec->stop_after;
    while (morsel < now && !atomic_compare_exchange_weak(&exec->stop_after, &now, morsel))
        ;
}

bool
exec_first_error(Exec *exec, AzError *error)
{
    Worker *first = NULL;
    for (size_t w = 0; w < exec->worker_count; w++) {
        Worker *worker = &exec->workers[w];
        if (worker->error.code != AZ_OK && (!first || worker->morsel < first->morsel))
            first = worker;
    }
    if (!first)
        return true;
    if (error && error->code == AZ_OK)
        *error = first->error;
    for (size_t w = 0; w < exec->worker_count; w++)
        error_clear(&exec->workers[w].error);
    return false;
}

// A source of few rows is not worth waking the other workers for.
static size_t
workers_for(const Exec *exec, const TableSource *source)
{
    if (source->row_count < 4 * (uint64_t)batch_rows)
        return source->morsel_count ? 1 : 0;
    return source->morsel_count < exec->worker_count ? source->morsel_count : exec->worker_count;
}

bool
pipeline_run(Exec *exec, Pipeline *pipeline, Sink *sink, AzError *error)
{
    uint64_t base = 0;
    exec->stop_after = UINT64_MAX;
    for (size_t w = 0; w < exec->worker_count; w++)
        exec->workers[w].rows_read = exec->workers[w].rows_passed = 0;
    for (size_t i = 0; i < pipeline->count && base <= exec->stop_after; i++) {
        Branch *branch = &pipeline->branches[i];
        uint64_t stop_after = exec->stop_after;
        if (branch->begin && !branch->begin(exec, branch, error))
            return false;
        exec->stop_after = stop_after; // of this run, not of those that `begin` made
        BranchRun run = {.exec = exec, .branch = branch, .sink = sink, .morsel_base = base};
        run.entry = (Operator){.next = branch->first, .sink = sink, .sink_node = exec->node};
        if (exec->options->profile && !branch->node)
            branch->node = exec->node; // a pipeline built by hand
        run.entry.node = branch->filter ? branch->filter_node : branch->node;
        for (Operator *step = branch->first; step; step = step->next) {
            step->sink = sink;
            step->sink_node = exec->node;
        }
        if (branch->filter) {
            run.filter_columns = ARENA_ARRAY(exec->arena, bool, branch->column_count + 1);
            mark_columns(branch->filter, run.filter_columns);
        }
        exec_parallel(exec, workers_for(exec, branch->source), run_worker, &run);
        base += branch->source->morsel_count;
    }
    return exec_first_error(exec, error);
}
