// Merging sorted runs, a piece of each in memory; see spill_merge.h.

#include "exec/spill_merge.h"

#include "exec/order.h"

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
    Exec *exec;
    const Schema *schema; // of the runs
    const MergeKey *keys;
    uint32_t key_count;
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
    Arena *arena; // of the pieces
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
    input->batch = spill_read(input->file, &input->run->items[input->next_piece++], merge->schema,
                              &input->arena, merge->error);
    if (!input->batch)
        return false;
    Batch *batch = input->batch;
    for (uint32_t c = 0; c < batch->column_count; c++)
        batch->columns[c] = vector_flatten(&input->arena, batch->columns[c]);
    input->order =
        (Order){ARENA_ARRAY(&input->arena, OrderKey, merge->key_count), merge->key_count};
    for (uint32_t k = 0; k < merge->key_count; k++)
        input->order.keys[k] = (OrderKey){batch->columns[merge->keys[k].column],
                                          merge->keys[k].descending, merge->keys[k].nulls_first};
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
        Type type = merge->schema->columns[c].type;
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
    Worker *worker = &merge->exec->workers[0];
    bool done = worker_check(worker) &&
                spill_write(merge->out, out, 0, merge->arena, &merge->pieces, &worker->error);
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

// Merges `count` runs into one, of the first `columns` columns and at most `limit` rows.
static bool
merge_some(const MergeSpec *spec, const SpilledRun *runs, size_t count, uint32_t columns,
           uint64_t limit, SpilledRun *out, AzError *error)
{
    Exec *exec = spec->exec;
    Arena scratch = {0};
    Merge merge = {
        .exec = exec,
        .schema = spec->schema,
        .keys = spec->keys,
        .key_count = spec->key_count,
        .arena = spec->arena,
        .columns = columns,
        .left = limit,
        .error = error,
    };
    merge.inputs = ARENA_ARRAY(&scratch, MergeInput, count);
    merge.heap = ARENA_ARRAY(&scratch, uint32_t, count);
    merge.rows = arena_alloc_array(&scratch, SPILL_PIECE_ROWS, sizeof(*merge.rows));
    bool done = (merge.out = spill_file_new(exec, error)) != NULL;
    for (size_t i = 0; done && i < count; i++) {
        merge.inputs[i] = (MergeInput){.file = runs[i].file, .run = &runs[i].pieces};
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
    *out = (SpilledRun){merge.out, merge.pieces};
    return exec_first_error(exec, error) && done;
}

// How many runs are read at once: a piece of each in memory, of a quarter of what there may be.
static size_t
fan_in(const Exec *exec, const SpilledRun *runs, size_t count)
{
    enum { FEWEST = 4, MOST = 256 };
    const Budget *budget = exec->options->budget;
    size_t piece = 1;
    for (size_t r = 0; r < count; r++)
        for (size_t p = 0; p < runs[r].pieces.len; p++)
            piece = runs[r].pieces.items[p].bytes > piece ? runs[r].pieces.items[p].bytes : piece;
    size_t limit = budget && budget->limit ? budget->limit : SIZE_MAX, fits = limit / 4 / piece;
    return fits < FEWEST ? FEWEST : fits > MOST ? MOST : fits;
}

bool
spill_merge(const MergeSpec *spec, SpilledRun *runs, size_t count, SpilledRun *out, AzError *error)
{
    AzError local = {0};
    error = error ? error : &local;
    size_t most = fan_in(spec->exec, runs, count);
    // Some runs become one until all can be read at once.
    while (count > most) {
        size_t some = count - most + 1 < most ? count - most + 1 : most;
        SpilledRun merged;
        if (!merge_some(spec, runs, some, spec->schema->count, UINT64_MAX, &merged, error))
            return false;
        memmove(runs, runs + some, (count - some) * sizeof(*runs));
        count -= some;
        runs[count++] = merged;
    }
    return merge_some(spec, runs, count, spec->columns, spec->limit, out, error);
}
