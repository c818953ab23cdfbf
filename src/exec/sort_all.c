// Sorting all rows, in memory or, beyond the budget, on disk.
//
// Each worker keeps the rows it meets. When the budget has no room for more, it sorts what it has,
// writes it as a run (spill.h) and starts anew. At the end the runs are merged into one, many at a time.
// Rows with equal keys are ordered by their sequence, so that runs and workers do not show.

#include "base/array.h"
#include "exec/kept_rows.h"
#include "exec/sort.h"
#include "exec/spill_merge.h"

// ---- what workers keep ----

typedef struct SortPart {
    KeptRows kept;
    SpillFile *file; // NULL: all is in memory
    struct {
        SpillPieces *items;
        size_t len, cap;
    } runs;
} SortPart;

typedef struct SortAll {
    const SortRun *run;
    SortPart *parts;    // one a worker
    size_t order_bytes; // that ordering takes for a row
    size_t row_bytes;   // that and putting a row in its place, beside the row
} SortAll;

// The part's rows side by side in `arena`, and their sequences in a last column.
static Batch *
part_whole(const SortAll *all, const SortPart *part, Arena *arena)
{
    uint32_t columns = all->run->schema.count, rows = (uint32_t)part->kept.rows;
    ResultTable table = {.schema = all->run->schema, .row_count = rows};
    table.batches = ARENA_ARRAY(arena, Batch *, part->kept.batches.len);
    Batch *whole = batch_new(arena, columns + 1, rows);
    Vector *sequences = vector_new_flat(arena, TYPE_LONG, rows);
    int64_t *next = sequences->data;
    for (size_t b = 0; b < part->kept.batches.len; b++) {
        const KeptBatch *kept = &part->kept.batches.items[b];
        table.batches[table.batch_count++] = kept->batch;
        for (uint32_t i = 0; i < kept->batch->count; i++)
            *next++ = (int64_t)(kept->sequence + i);
    }
    for (uint32_t c = 0; c < columns; c++)
        whole->columns[c] = result_column(arena, &table, c);
    whole->columns[columns] =
        all->run->sequence < 0 ? sequences : whole->columns[all->run->sequence];
    return whole;
}

// Writes what the part holds as one sorted run.
static bool
part_flush(const SortAll *all, SortPart *part, Worker *worker)
{
    Exec *exec = all->run->exec;
    if (!part->file && !(part->file = spill_file_new(exec, &worker->error)))
        return false;
    Arena scratch = {0};
    Batch *whole = part_whole(all, part, &scratch);
    Order order = sort_order(all->run, &scratch, whole);
    whole->selection = order_rows(&scratch, &order, whole->count);
    whole->selected = whole->count;
    SpillPieces run = {0};
    bool done = spill_write(part->file, whole, 0, &worker->keep, &run, &worker->error);
    arena_free(&scratch);
    if (done)
        ARRAY_PUSH(&worker->keep, &part->runs, run);
    kept_clear(&part->kept, exec);
    return done && worker_charge(worker, "sorting on disk");
}

static bool
keep_batch(Sink *self, Worker *worker, Batch *batch)
{
    const SortAll *all = self->state;
    SortPart *part = &all->parts[worker->number];
    if (all->run->sequence >= 0)
        batch = batch_numbered(&worker->batch, batch, worker_sequence(worker));
    return kept_add(&part->kept, worker, batch, all->row_bytes) || part_flush(all, part, worker);
}

// ---- in memory ----

// The rows as batches of dictionary vectors over the whole: no payload moves.
static ResultTable *
ordered_result(const SortRun *run, const Batch *whole, const uint32_t *rows, uint32_t count)
{
    Arena *arena = run->exec->arena;
    Batch *sorted = batch_new(arena, run->plan->schema.count, count);
    for (uint32_t c = 0; c < sorted->column_count; c++)
        sorted->columns[c] = vector_new_dict(arena, whole->columns[c], rows, count);
    return result_cut(arena, &run->plan->schema, sorted);
}

static ResultTable *
sort_in_memory(const SortAll *all, AzError *error)
{
    const SortRun *run = all->run;
    KeptRows **kept = ARENA_ARRAY(run->exec->arena, KeptRows *, run->exec->worker_count);
    for (size_t w = 0; w < run->exec->worker_count; w++)
        kept[w] = &all->parts[w].kept;
    ResultTable *table = kept_table(run->exec, kept, &run->schema, error);
    Batch *whole = table ? result_concat(run->exec, table, false, error) : NULL;
    if (!whole)
        return NULL;
    Worker *worker = &run->exec->workers[0];
    if (!worker_reserve(worker, (size_t)whole->count * all->order_bytes, "the order of its rows"))
        return exec_first_error(run->exec, error), NULL;
    Order order = sort_order(run, run->exec->arena, whole);
    uint32_t *rows = order_rows(&worker->keep, &order, whole->count);
    uint32_t count = whole->count < run->limit ? whole->count : (uint32_t)run->limit;
    return ordered_result(run, whole, rows, count);
}

// ---- on disk ----

// Runs hold the columns of the sort and, last, the sequence.
static MergeSpec
merge_spec(const SortAll *all)
{
    const SortRun *run = all->run;
    Arena *arena = run->exec->arena;
    uint32_t columns = run->schema.count, keys = run->plan->sort.key_count;
    Schema *schema = ARENA_NEW(arena, Schema);
    *schema = (Schema){ARENA_ARRAY(arena, Column, columns + 1), columns + 1};
    memcpy(schema->columns, run->schema.columns, columns * sizeof(Column));
    schema->columns[columns] = (Column){STR("$sequence"), TYPE_LONG};
    MergeKey *order = ARENA_ARRAY(arena, MergeKey, keys + 1);
    for (uint32_t k = 0; k < keys; k++)
        order[k] = (MergeKey){run->key_columns[k], run->plan->sort.keys[k].descending,
                              run->plan->sort.keys[k].nulls_first};
    order[keys] = (MergeKey){.column = columns};
    return (MergeSpec){
        .exec = run->exec,
        .arena = arena,
        .schema = schema,
        .keys = order,
        .key_count = keys + 1,
        .columns = run->plan->schema.count,
        .limit = run->limit,
    };
}

static ResultTable *
sort_on_disk(const SortAll *all, AzError *error)
{
    Exec *exec = all->run->exec;
    size_t count = 0, at = 0;
    for (size_t w = 0; w < exec->worker_count; w++) {
        SortPart *part = &all->parts[w];
        if (part->kept.rows && !part_flush(all, part, &exec->workers[w]))
            return exec_first_error(exec, error), NULL;
        count += part->runs.len;
    }
    SpilledRun *runs = ARENA_ARRAY(exec->arena, SpilledRun, count + 1), whole;
    for (size_t w = 0; w < exec->worker_count; w++)
        for (size_t r = 0; r < all->parts[w].runs.len; r++)
            runs[at++] = (SpilledRun){all->parts[w].file, all->parts[w].runs.items[r]};
    MergeSpec spec = merge_spec(all);
    return spill_merge(&spec, runs, count, &whole, error)
               ? spill_table(exec->arena, &all->run->plan->schema, whole.file, &whole.pieces)
               : NULL;
}

// ---- the operator ----

ResultTable *
sort_all(SortRun *run, Pipeline *input, AzError *error)
{
    Exec *exec = run->exec;
    SortAll all = {.run = run,
                   .order_bytes = SORT_BYTES + SORT_KEY_BYTES * run->plan->sort.key_count};
    all.row_bytes = all.order_bytes + sizeof(int64_t);
    all.parts = ARENA_ARRAY(exec->arena, SortPart, exec->worker_count);
    for (uint32_t c = 0; c < run->schema.count; c++)
        all.row_bytes += type_size(run->schema.columns[c].type);
    Sink sink = {.state = &all, .consume = keep_batch};
    ResultTable *result = NULL;
    if (pipeline_run(exec, input, &sink, error)) {
        bool on_disk = false;
        for (size_t w = 0; w < exec->worker_count; w++)
            on_disk = on_disk || all.parts[w].file;
        result = on_disk ? sort_on_disk(&all, error) : sort_in_memory(&all, error);
    }
    for (size_t w = 0; w < exec->worker_count; w++)
        kept_clear(&all.parts[w].kept, exec);
    return result;
}
