// Rows that are read more than once (materialize(), tables that several branches share), in memory or, when they
// are more than the budget, on disk.
//
// Each worker keeps the rows it meets. When the budget has no room for more, it writes what it has as it stands
// and starts anew; pieces and batches know their sequence, by which they are read in order.

#include "exec/kept_rows.h"
#include "exec/spill.h"

typedef struct SharedPart {
    KeptRows kept;
    Arena arena; // of the list
    SpillPieces pieces;
} SharedPart;

typedef struct SharedRows {
    SpillFile *file; // NULL: all is in memory
    SharedPart *parts;
} SharedRows;

static bool
part_flush(SharedRows *rows, SharedPart *part, Worker *worker)
{
    SpillFile *file = spill_file_shared(worker->exec, &rows->file, &worker->error);
    bool done = file != NULL;
    for (size_t b = 0; done && b < part->kept.batches.len; b++) {
        const KeptBatch *kept = &part->kept.batches.items[b];
        done = spill_write(file, kept->batch, kept->sequence, &part->arena, &part->pieces,
                           &worker->error);
    }
    kept_clear(&part->kept, worker->exec);
    return done && worker_check(worker);
}

static bool
shared_consume(Sink *self, Worker *worker, Batch *batch)
{
    SharedRows *rows = self->state;
    SharedPart *part = &rows->parts[worker->number];
    return kept_add(&part->kept, worker, batch, 0) || part_flush(rows, part, worker);
}

static ResultTable *
table_in_memory(Exec *exec, const SharedRows *rows, const Schema *schema, AzError *error)
{
    KeptRows **kept = ARENA_ARRAY(exec->arena, KeptRows *, exec->worker_count);
    for (size_t w = 0; w < exec->worker_count; w++)
        kept[w] = &rows->parts[w].kept;
    return kept_table(exec, kept, schema, error);
}

static ResultTable *
table_on_disk(Exec *exec, SharedRows *rows, const Schema *schema, AzError *error)
{
    const SpillPieces **lists = ARENA_ARRAY(exec->arena, const SpillPieces *, exec->worker_count);
    for (size_t w = 0; w < exec->worker_count; w++) {
        if (!part_flush(rows, &rows->parts[w], &exec->workers[w]))
            return exec_first_error(exec, error), NULL;
        lists[w] = &rows->parts[w].pieces;
    }
    SpillPieces pieces = spill_pieces_join(exec->arena, lists, exec->worker_count);
    return spill_table(exec->arena, schema, rows->file, &pieces);
}

ResultTable *
exec_collect_shared(Exec *exec, const Plan *plan, AzError *error)
{
    Pipeline pipeline = {0};
    if (!pipeline_build(exec, plan, &pipeline, error))
        return NULL;
    SharedRows rows = {.parts = ARENA_ARRAY(exec->arena, SharedPart, exec->worker_count)};
    Sink sink = {.state = &rows, .consume = shared_consume};
    ResultTable *table = NULL;
    if (pipeline_run(exec, &pipeline, &sink, error))
        table = rows.file ? table_on_disk(exec, &rows, &plan->schema, error)
                          : table_in_memory(exec, &rows, &plan->schema, error);
    for (size_t w = 0; w < exec->worker_count; w++) {
        kept_clear(&rows.parts[w].kept, exec);
        arena_free(&rows.parts[w].arena);
    }
    return table;
}
