// Sub-queries that run again and again over other rows: mv-apply's over the elements of
// a row, partition's over the rows of a key.
//
// A leaf of the plan (PLAN_CORRELATED) stands for the rows; each run binds its number to
// a table. Leaves have numbers because such sub-queries nest.

#include "exec/spill.h"

// Runs over fewer rows are the business of one worker: waking others would cost more.
enum { SHARED_BATCHES = 16 };

ResultTable *
correlated_rows(const Exec *exec, const Plan *plan)
{
    const Correlated *at = exec->correlated;
    while (at && at->leaf != plan->correlated.leaf)
        at = at->outer;
    return at ? at->table : NULL;
}

// The rows as a table in the run's memory.
static ResultTable *
sub_table(Exec *exec, const SubRows *over)
{
    Arena *arena = &exec->workers[0].keep;
    uint32_t columns = over->schema->count - (over->numbers ? 1 : 0);
    Batch *batch = batch_new(exec->arena, over->schema->count, over->count);
    for (uint32_t c = 0; c < columns; c++)
        batch->columns[c] =
            over->rows ? vector_gather(arena, over->whole->columns[c], over->rows, over->count)
                       : vector_slice(arena, over->whole->columns[c], over->from, over->count);
    if (over->numbers) {
        Vector *numbers = vector_new_flat(arena, TYPE_LONG, over->count);
        if (over->count)
            memcpy(numbers->data, over->numbers, over->count * sizeof(int64_t));
        batch->columns[columns] = numbers;
    }
    return result_cut(exec->arena, over->schema, batch);
}

// ---- sub-queries ----

bool
exec_run_over(Exec *exec, const Plan *plan, const SubRows *over,
              bool (*keep)(void *context, const ResultTable *answer), void *context, AzError *error)
{
    size_t workers = over->count < SHARED_BATCHES * batch_rows ? 1 : exec->worker_count;
    const Correlated *correlated = exec->correlated;
    ExecScope scope;
    const SpillFile *last_file = spill_last(exec);
    exec_scope_enter(&scope, exec, workers);
    Correlated rows = {over->leaf, sub_table(exec, over), correlated};
    exec->correlated = &rows;
    ResultTable *answer = worker_charge(&exec->workers[0], "the rows of a sub-query")
                              ? exec_collect(exec, plan, error)
                              : NULL;
    exec_scope_leave(&scope, exec);
    exec->correlated = correlated;
    bool done = answer && keep(context, answer);
    exec_scope_free(&scope);
    spill_close_since(exec, last_file);
    bool clean = exec_first_error(exec, error);
    return done && clean;
}
