// The third part of a summarize: its groups as rows.
//
// The rows are not made before they are read, a batch at a time and only the columns that are asked
// for: a top of many groups looks at the values it sorts by and at little else, and no second copy of all
// groups is ever held.

#include "exec/summarize.h"

#include <stdatomic.h>

void
summarize_finish_call(const AggregateCall *call, Arena *arena, Scratch *scratch,
                      char *const *states, uint32_t rows, const Column *columns, const Vector **out)
{
    Vector **outputs = ARENA_ARRAY(arena, Vector *, call->output_count + 1);
    for (uint32_t o = 0; o < call->output_count; o++)
        out[o] = outputs[o] = vector_new_flat(arena, columns[o].type, rows);
    for (uint32_t i = 0; i < rows; i++)
        aggregate_impl(call)->finish(call, states[i], outputs, i, arena, scratch);
}

// Which column of the answer a call's first value is.
static uint32_t
call_column(const Summarize *s, uint32_t call)
{
    uint32_t column = s->layout.count;
    for (uint32_t a = 0; a < call; a++)
        column += s->calls[a].output_count;
    return column;
}

// The sequences of the groups' first rows.
static const Vector *
first_rows(const Summarize *s, Arena *arena, size_t from, uint32_t rows)
{
    Vector *out = vector_new_flat(arena, TYPE_LONG, rows);
    for (uint32_t i = 0; i < rows; i++)
        ((int64_t *)out->data)[i] = (int64_t)*group_first(s, summarize_group(s, from + i));
    return out;
}

// Makes columns[column], and with it all values of its call, of groups [from, from + rows).
static void
finish_column(const Summarize *s, const Schema *schema, Arena *arena, Scratch *scratch, size_t from,
              uint32_t rows, uint32_t column, const Vector **columns)
{
    if (column < s->layout.count) {
        const uint64_t **keys = arena_alloc_array(arena, rows, sizeof(*keys));
        for (uint32_t i = 0; i < rows; i++)
            keys[i] = summarize_group(s, from + i);
        columns[column] = key_decode(arena, &s->layout, column, keys, rows);
        return;
    }
    if (column == call_column(s, s->call_count)) {
        columns[column] = first_rows(s, arena, from, rows);
        return;
    }
    uint32_t call = 0;
    while (column >= call_column(s, call + 1))
        call++;
    char **states = arena_alloc_array(arena, rows, sizeof(*states));
    for (uint32_t i = 0; i < rows; i++)
        states[i] = group_states(s, summarize_group(s, from + i)) + s->offsets[call];
    uint32_t first = call_column(s, call);
    summarize_finish_call(&s->calls[call], arena, scratch, states, rows, schema->columns + first,
                          columns + first);
}

// ---- as a source ----

// One morsel is a batch of groups: it is read by one worker, once.
typedef struct GroupSource {
    Summarize *s;
    const Vector ***columns;       // of each morsel, those made so far; NULL = none
    _Atomic uint32_t morsels_left; // that were not read yet
} GroupSource;

static uint32_t
group_morsel_rows(const TableSource *source, uint32_t morsel)
{
    uint64_t left = source->row_count - (uint64_t)morsel * batch_rows;
    return left < batch_rows ? (uint32_t)left : batch_rows;
}

// The worker that reads into its batch arena.
static Worker *
reader_of(const Exec *exec, const Arena *arena)
{
    for (size_t w = 0; w < exec->worker_count; w++)
        if (arena == &exec->workers[w].batch)
            return &exec->workers[w];
    return NULL;
}

static const Vector *
group_read(const TableSource *source, uint32_t morsel, uint32_t column, uint32_t from,
           uint32_t count, Arena *arena, AzError *error)
{
    const GroupSource *groups = source->context;
    Worker *worker = reader_of(groups->s->exec, arena);
    const Vector ***columns = &groups->columns[morsel];
    if (!*columns)
        *columns = ARENA_ARRAY(arena, const Vector *, source->schema.count);
    if (!(*columns)[column])
        finish_column(groups->s, &source->schema, arena, &worker->scratch,
                      (size_t)morsel * batch_rows, group_morsel_rows(source, morsel), column,
                      *columns);
    (void)error;
    return vector_slice(arena, (*columns)[column], from, count);
}

static void
group_release(const TableSource *source, uint32_t morsel)
{
    GroupSource *groups = source->context;
    groups->columns[morsel] = NULL;
    if (atomic_fetch_sub(&groups->morsels_left, 1) == 1)
        summarize_free(groups->s);
}

TableSource *
summarize_source(Summarize *s, const Schema *schema)
{
    Arena *arena = s->exec->arena;
    TableSource *source = ARENA_NEW(arena, TableSource);
    GroupSource *groups = ARENA_NEW(arena, GroupSource);
    source->schema = *schema;
    source->row_count = s->group_count;
    source->morsel_count = (uint32_t)((s->group_count + batch_rows - 1) / batch_rows);
    source->time_column = -1;
    source->context = groups;
    source->morsel_rows = group_morsel_rows;
    source->read = group_read;
    source->release = group_release;
    groups->s = s;
    groups->morsels_left = source->morsel_count;
    groups->columns = ARENA_ARRAY(arena, const Vector **, source->morsel_count);
    return source;
}

// ---- as a table ----

typedef struct Finish {
    const Summarize *s;
    ResultTable *result;
    _Atomic uint32_t next;
} Finish;

static void
finish_job(void *context, size_t number)
{
    Finish *finish = context;
    const Summarize *s = finish->s;
    const Schema *schema = &finish->result->schema;
    Worker *worker = &s->exec->workers[number];
    for (;;) {
        uint32_t b = atomic_fetch_add(&finish->next, 1);
        if (b >= finish->result->batch_count)
            return;
        size_t from = (size_t)b * batch_rows, left = s->group_count - from;
        uint32_t rows = left < batch_rows ? (uint32_t)left : batch_rows;
        Batch *batch = batch_new(&worker->keep, schema->count, rows);
        for (uint32_t c = 0; c < schema->count; c++)
            if (!batch->columns[c])
                finish_column(s, schema, &worker->keep, &worker->scratch, from, rows, c,
                              batch->columns);
        finish->result->batches[b] = batch;
        if (!worker_check(worker) || !worker_charge(worker, "the rows of a summary"))
            return;
    }
}

ResultTable *
summarize_result(const Summarize *s, const Schema *schema, AzError *error)
{
    ResultTable *result = ARENA_NEW(s->exec->arena, ResultTable);
    result->schema = *schema;
    result->row_count = s->group_count;
    result->batch_count = (uint32_t)((s->group_count + batch_rows - 1) / batch_rows);
    result->batches = ARENA_ARRAY(s->exec->arena, Batch *, result->batch_count);
    Finish finish = {s, result, 0};
    size_t workers = s->exec->worker_count;
    if (workers > result->batch_count)
        workers = result->batch_count;
    exec_parallel(s->exec, workers, finish_job, &finish);
    return exec_first_error(s->exec, error) ? result : NULL;
}
