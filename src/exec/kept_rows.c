// Rows kept in memory; see kept_rows.h.

#include "exec/kept_rows.h"

#include "base/array.h"

static const char WHAT[] = "the rows it keeps";

size_t
kept_share(const Exec *exec)
{
    const Budget *budget = exec->options->budget;
    return budget && budget->limit ? budget->limit / 4 * 3 / exec->worker_count : SIZE_MAX;
}

static void
kept_give(KeptRows *kept, const Exec *exec)
{
    if (exec->options->budget)
        budget_give(exec->options->budget, kept->charged);
    kept->charged = 0;
}

bool
kept_charge(const Exec *exec, size_t *charged, size_t needed, size_t share)
{
    Budget *budget = exec->options->budget;
    if (!budget || needed <= *charged)
        return true;
    AzError full = {0};
    bool taken = needed <= share && budget_take(budget, needed - *charged, WHAT, &full);
    error_clear(&full);
    if (taken)
        *charged = needed;
    return taken;
}

bool
kept_add(KeptRows *kept, Worker *worker, const Batch *batch, size_t row_bytes)
{
    KeptBatch one = {worker_sequence(worker), batch_copy(&kept->arena, batch)};
    ARRAY_PUSH(&kept->arena, &kept->batches, one);
    kept->rows += one.batch->count;
    return kept_charge(worker->exec, &kept->charged, kept->arena.allocated + kept->rows * row_bytes,
                       kept_share(worker->exec));
}

void
kept_clear(KeptRows *kept, const Exec *exec)
{
    arena_free(&kept->arena);
    kept_give(kept, exec);
    *kept = (KeptRows){0};
}

static int
kept_order(const void *a, const void *b)
{
    const KeptBatch *x = a, *y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

ResultTable *
kept_in_order(Exec *exec, KeptBatch *batches, size_t count, const Schema *schema)
{
    if (count)
        qsort(batches, count, sizeof(*batches), kept_order);
    ResultTable *table = ARENA_NEW(exec->arena, ResultTable);
    table->schema = *schema;
    table->batches = ARENA_ARRAY(exec->arena, Batch *, count);
    for (size_t b = 0; b < count; b++) {
        table->batches[table->batch_count++] = batches[b].batch;
        table->row_count += batches[b].batch->count;
    }
    return table;
}

ResultTable *
kept_table(Exec *exec, KeptRows *const *all, const Schema *schema, AzError *error)
{
    size_t count = 0, at = 0;
    for (size_t w = 0; w < exec->worker_count; w++)
        count += all[w]->batches.len;
    KeptBatch *kept = ARENA_ARRAY(exec->arena, KeptBatch, count + 1);
    for (size_t w = 0; w < exec->worker_count; w++) {
        for (size_t b = 0; b < all[w]->batches.len; b++)
            kept[at++] = all[w]->batches.items[b];
        arena_adopt(&exec->workers[w].keep, &all[w]->arena);
        kept_clear(all[w], exec);
        worker_charge(&exec->workers[w], WHAT);
    }
    ResultTable *table = kept_in_order(exec, kept, count, schema);
    return exec_first_error(exec, error) ? table : NULL;
}
