// Sorting all rows, in memory or, beyond the budget, on disk.
//
// Each worker keeps the rows it meets. When the budget has no room for more, it sorts what it has,
// writes it as a run (spill.h) and starts anew. At the end the runs are merged into one, many at a time.
// Rows with equal keys are ordered by their sequence, so that runs and workers do not show.

#include "base/array.h"
#include "exec/kept_rows.h"
#include "exec/sort.h"
#include "exec/spill.h"

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
    SortPart *parts; // one a worker
    size_t row_bytes; // that putting a row in its place takes, beside the row
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
    whole->columns[columns] = sequences;
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
    Order order = sort_order(all->run, &scratch, whole, -1); // they are kept in their sequence
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
    if (!worker_reserve(worker, (size_t)whole->count * SORT_BYTES, "the order of its rows"))
        return exec_first_error(run->exec, error), NULL;
    Order order = sort_order(run, run->exec->arena, whole, -1);
    uint32_t *rows = order_rows(&worker->keep, &order, whole->count);
    uint32_t count = whole->count < run->limit ? whole->count : (uint32_t)run->limit;
    return ordered_result(run, whole, rows, count);
}

// ---- merging runs ----

// A run being read.
typedef struct MergeInput {
    const SpillFile *file;
    const SpillPieces *run;
    size_t next_piece;
    Arena arena; // of the batch
    Batch *batch;
    Order order;
    uint64_t *words; // of the first key
    bool exact;
    uint32_t row;
} MergeInput;

typedef struct Merge {
    const SortAll *all;
    Schema schema; // of the runs
    MergeInput *inputs;
    uint32_t *heap; // numbers of inputs that have rows, the least first
    uint32_t heap_count;
    // Rows on their way out, and memory of pieces that only they still need.
    struct MergedRow {
        const Batch *batch;
        uint32_t row;
    } * rows;
    uint32_t row_count;
    Arena retired;
    SpillFile *out;
    uint32_t columns; // of what is written
    SpillPieces pieces;
    uint64_t left; // rows still wanted
    AzError *error;
} Merge;

// The next rows of a run; false with an error, or when there are none (batch is NULL then).
static bool
input_advance(Merge *merge, MergeInput *input)
{
    if (++input->row < (input->batch ? input->batch->count : 0))
        return true;
    arena_adopt(&merge->retired, &input->arena);
    input->batch = NULL;
    input->row = 0;
    if (input->next_piece == input->run->len)
        return false;
    input->batch = spill_read(input->file, &input->run->items[input->next_piece++], &merge->schema,
                              &input->arena, merge->error);
    if (!input->batch)
        return false;
    Batch *batch = input->batch;
    for (uint32_t c = 0; c < batch->column_count; c++)
        batch->columns[c] = vector_flatten(&input->arena, batch->columns[c]);
    input->order =
        sort_order(merge->all->run, &input->arena, batch, (ptrdiff_t)batch->column_count - 1);
    input->words = arena_alloc_array(&input->arena, batch->count, sizeof(uint64_t));
    order_words(&input->order.keys[0], batch->count, input->words, &input->exact);
    return true;
}

static bool
comes_before(const Merge *merge, uint32_t a, uint32_t b)
{
    const MergeInput *x = &merge->inputs[a], *y = &merge->inputs[b];
    unsigned class_x = order_class(&x->order.keys[0], x->row);
    unsigned class_y = order_class(&y->order.keys[0], y->row);
    if (class_x != class_y)
        return class_x < class_y;
    bool is_value = order_class_is_value(&x->order.keys[0], class_x);
    if (is_value && x->words[x->row] != y->words[y->row])
        return x->words[x->row] < y->words[y->row];
    return order_compare(&x->order, x->row, &y->order, y->row, 0) < 0;
}

static void
heap_sink(Merge *merge, uint32_t at)
{
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2; child++)
            if (child < merge->heap_count &&
                comes_before(merge, merge->heap[child], merge->heap[least]))
                least = child;
        if (least == at)
            return;
        uint32_t swap = merge->heap[at];
        merge->heap[at] = merge->heap[least];
        merge->heap[least] = swap;
        at = least;
    }
}

// Writes the rows that are on their way.
static bool
merge_flush(Merge *merge)
{
    Arena *arena = &merge->retired;
    Batch *out = batch_new(arena, merge->columns, merge->row_count);
    for (uint32_t c = 0; c < merge->columns; c++) {
        Type type = merge->schema.columns[c].type;
        size_t size = type_size(type);
        Vector *v = vector_new_flat(arena, type, merge->row_count);
        for (uint32_t i = 0; i < merge->row_count; i++) {
            const Vector *from = merge->rows[i].batch->columns[c];
            memcpy((char *)v->data + i * size, vector_cell(from, merge->rows[i].row), size);
            if (vector_is_null(from, merge->rows[i].row))
                vector_set_null(arena, v, i);
        }
        out->columns[c] = v;
    }
    Worker *worker = &merge->all->run->exec->workers[0];
    bool done = worker_check(worker) && spill_write(merge->out, out, 0, &worker->keep,
                                                    &merge->pieces, &worker->error);
    merge->row_count = 0;
    arena_free(&merge->retired);
    return done;
}

static bool
merge_run(Merge *merge)
{
    while (merge->heap_count && merge->left) {
        MergeInput *input = &merge->inputs[merge->heap[0]];
        merge->rows[merge->row_count++] = (struct MergedRow){input->batch, input->row};
        merge->left--;
        if (!input_advance(merge, input)) {
            if (merge->error->code != AZ_OK)
                return false;
            merge->heap[0] = merge->heap[--merge->heap_count];
        }
        heap_sink(merge, 0);
        if (merge->row_count == SPILL_PIECE_ROWS && !merge_flush(merge))
            return false;
    }
    return !merge->row_count || merge_flush(merge);
}

// A run and the file it is in.
typedef struct FiledRun {
    SpillFile *file;
    SpillPieces run;
} FiledRun;

// Merges `count` runs into one; with `last` only the columns of the answer are written, up to the limit.
static bool
merge_runs(const SortAll *all, const FiledRun *runs, size_t count, bool last, FiledRun *out,
           AzError *error)
{
    Exec *exec = all->run->exec;
    Arena scratch = {0};
    Merge merge = {.all = all, .error = error, .left = last ? all->run->limit : UINT64_MAX};
    uint32_t columns = all->run->schema.count;
    merge.schema = (Schema){ARENA_ARRAY(&scratch, Column, columns + 1), columns + 1};
    memcpy(merge.schema.columns, all->run->schema.columns, columns * sizeof(Column));
    merge.schema.columns[columns] = (Column){STR("$sequence"), TYPE_LONG};
    merge.columns = last ? all->run->plan->schema.count : columns + 1;
    merge.inputs = ARENA_ARRAY(&scratch, MergeInput, count);
    merge.heap = ARENA_ARRAY(&scratch, uint32_t, count);
    merge.rows = arena_alloc_array(&scratch, SPILL_PIECE_ROWS, sizeof(*merge.rows));
    bool done = (merge.out = spill_file_new(exec, error)) != NULL;
    for (size_t i = 0; done && i < count; i++) {
        merge.inputs[i] = (MergeInput){.file = runs[i].file, .run = &runs[i].run};
        if (input_advance(&merge, &merge.inputs[i]))
            merge.heap[merge.heap_count++] = (uint32_t)i;
        done = error->code == AZ_OK;
    }
    for (uint32_t at = merge.heap_count / 2; done && at-- > 0;)
        heap_sink(&merge, at);
    done = done && merge_run(&merge);
    for (size_t i = 0; i < count; i++)
        arena_free(&merge.inputs[i].arena);
    arena_free(&merge.retired);
    arena_free(&scratch);
    *out = (FiledRun){merge.out, merge.pieces};
    return exec_first_error(exec, error) && done;
}

// How many runs are read at once: a piece of each in memory, of a quarter of what there may be.
static size_t
fan_in(const SortAll *all, const FiledRun *runs, size_t count)
{
    enum { FEWEST = 4, MOST = 256 };
    const Budget *budget = all->run->exec->options->budget;
    size_t piece = 1;
    for (size_t r = 0; r < count; r++)
        for (size_t p = 0; p < runs[r].run.len; p++)
            piece = runs[r].run.items[p].bytes > piece ? runs[r].run.items[p].bytes : piece;
    size_t limit = budget && budget->limit ? budget->limit : SIZE_MAX, fits = limit / 4 / piece;
    return fits < FEWEST ? FEWEST : fits > MOST ? MOST : fits;
}

static ResultTable *
merge_all(const SortAll *all, FiledRun *runs, size_t count, AzError *error)
{
    FiledRun whole;
    size_t most = fan_in(all, runs, count);
    // Some runs become one until all can be read at once.
    while (count > most) {
        size_t some = count - most + 1 < most ? count - most + 1 : most;
        FiledRun merged;
        if (!merge_runs(all, runs, some, false, &merged, error))
            return NULL;
        memmove(runs, runs + some, (count - some) * sizeof(*runs));
        count -= some;
        runs[count++] = merged;
    }
    return merge_runs(all, runs, count, true, &whole, error)
               ? spill_table(all->run->exec, &all->run->plan->schema, whole.file, &whole.run)
               : NULL;
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
    FiledRun *runs = ARENA_ARRAY(exec->arena, FiledRun, count + 1);
    for (size_t w = 0; w < exec->worker_count; w++)
        for (size_t r = 0; r < all->parts[w].runs.len; r++)
            runs[at++] = (FiledRun){all->parts[w].file, all->parts[w].runs.items[r]};
    return merge_all(all, runs, count, error);
}

// ---- the operator ----

ResultTable *
sort_all(SortRun *run, Pipeline *input, AzError *error)
{
    Exec *exec = run->exec;
    SortAll all = {.run = run, .row_bytes = SORT_BYTES + sizeof(int64_t)};
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
