// Collecting rows: the sink that keeps batches, in order, and the entry of a run.

#include "base/array.h"
#include "exec/kept_rows.h"
#include "exec/spill.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct KeptList {
    KeptBatch *items;
    size_t len, cap;
} KeptList;

typedef struct Collect {
    KeptList *lists; // one a worker
    int64_t limit;   // -1 = all
    bool answer;     // rows go to the workers' `result`
    // With a limit: rows of each finished morsel, and how far from the start all are finished.
    pthread_mutex_t mutex;
    uint32_t *morsel_rows;
    bool *morsel_finished;
    size_t morsel_cap, prefix;
    int64_t prefix_rows;
    Exec *exec;
} Collect;

static const uint32_t *
first_rows(Arena *arena, uint32_t count)
{
    uint32_t *rows = arena_alloc_array(arena, count, sizeof(uint32_t));
    for (uint32_t i = 0; i < count; i++)
        rows[i] = i;
    return rows;
}

static bool
collect_consume(Sink *self, Worker *worker, Batch *batch)
{
    Collect *collect = self->state;
    KeptList *list = &collect->lists[worker->number];
    Arena *arena = collect->answer ? &worker->result : &worker->keep;
    Batch wanted = *batch;
    if (collect->limit >= 0 &&
        worker->rows_out + (uint64_t)batch->selected >= (uint64_t)collect->limit) {
        // This morsel alone has enough: the rest of it and later ones are not wanted.
        wanted.selected =
            worker->rows_out >= collect->limit ? 0 : (uint32_t)(collect->limit - worker->rows_out);
        if (!wanted.selection)
            wanted.selection = first_rows(&worker->batch, wanted.selected);
        worker->satisfied = true;
        exec_stop_after(worker->exec, worker->morsel);
        if (!wanted.selected)
            return true;
    }
    KeptBatch kept = {worker_sequence(worker), batch_copy(arena, &wanted)};
    ARRAY_PUSH(&worker->keep, list, kept);
    return worker_charge(worker, "the rows it keeps");
}

// A take is satisfied when the morsels finished without a gap hold enough rows.
static void
collect_morsel_done(Sink *self, Worker *worker)
{
    Collect *collect = self->state;
    if (collect->limit < 0)
        return;
    pthread_mutex_lock(&collect->mutex);
    size_t morsel = worker->morsel;
    if (morsel >= collect->morsel_cap) {
        size_t cap = collect->morsel_cap ? collect->morsel_cap : 64;
        while (cap <= morsel)
            cap *= 2;
        collect->morsel_rows = realloc(collect->morsel_rows, cap * sizeof(uint32_t));
        collect->morsel_finished = realloc(collect->morsel_finished, cap);
        if (!collect->morsel_rows || !collect->morsel_finished)
            abort();
        memset(collect->morsel_finished + collect->morsel_cap, 0, cap - collect->morsel_cap);
        collect->morsel_cap = cap;
    }
    collect->morsel_rows[morsel] = worker->rows_out;
    collect->morsel_finished[morsel] = true;
    while (collect->prefix < collect->morsel_cap && collect->morsel_finished[collect->prefix])
        collect->prefix_rows += collect->morsel_rows[collect->prefix++];
    if (collect->prefix_rows >= collect->limit)
        exec_stop_after(collect->exec, collect->prefix - 1);
    pthread_mutex_unlock(&collect->mutex);
}

static ResultTable *
collect_finish(Exec *exec, Collect *collect, const Schema *schema)
{
    size_t count = 0;
    for (size_t w = 0; w < exec->worker_count; w++)
        count += collect->lists[w].len;
    KeptBatch *all = ARENA_ARRAY(exec->arena, KeptBatch, count);
    size_t at = 0;
    for (size_t w = 0; w < exec->worker_count; w++)
        for (size_t i = 0; i < collect->lists[w].len; i++)
            all[at++] = collect->lists[w].items[i];
    ResultTable *table = kept_in_order(exec, all, count, schema);
    if (collect->limit >= 0)
        result_limit(exec, table, (uint64_t)collect->limit);
    return table;
}

static ResultTable *
collect_rows(Exec *exec, Pipeline *pipeline, const Schema *schema, int64_t limit, bool answer,
             AzError *error)
{
    Collect collect = {.limit = limit, .answer = answer, .exec = exec};
    collect.lists = ARENA_ARRAY(exec->arena, KeptList, exec->worker_count);
    pthread_mutex_init(&collect.mutex, NULL);
    Sink sink = {&collect, collect_consume, collect_morsel_done};
    bool done = pipeline_run(exec, pipeline, &sink, error);
    pthread_mutex_destroy(&collect.mutex);
    free(collect.morsel_rows);
    free(collect.morsel_finished);
    return done ? collect_finish(exec, &collect, schema) : NULL;
}

ResultTable *
pipeline_collect(Exec *exec, Pipeline *pipeline, const Schema *schema, int64_t limit,
                 AzError *error)
{
    return collect_rows(exec, pipeline, schema, limit, false, error);
}

static ResultTable *
no_rows(Exec *exec, const Schema *schema)
{
    ResultTable *table = ARENA_NEW(exec->arena, ResultTable);
    table->schema = *schema;
    return table;
}

ResultTable *
exec_collect_answer(Exec *exec, const Plan *plan, AzError *error)
{
    // A take at the top collects the answer itself.
    int64_t limit = plan->kind == PLAN_TAKE ? plan->take.count : -1;
    Pipeline pipeline = {0};
    if (limit == 0)
        return no_rows(exec, &plan->schema);
    ProfileNode *before = limit < 0 ? exec->node : profile_enter(exec, plan);
    ResultTable *table = pipeline_build(exec, limit < 0 ? plan : plan->input, &pipeline, error)
                             ? collect_rows(exec, &pipeline, &plan->schema, limit, true, error)
                             : NULL;
    if (limit >= 0) {
        if (table && exec->node)
            profile_batch(exec->node, before, exec->clock.slot, table->row_count);
        profile_leave(exec, before);
    }
    return table;
}

ResultTable *
exec_collect_limit(Exec *exec, const Plan *plan, int64_t limit, AzError *error)
{
    Pipeline pipeline = {0};
    if (limit == 0)
        return no_rows(exec, &plan->schema);
    return pipeline_build(exec, plan, &pipeline, error)
               ? pipeline_collect(exec, &pipeline, &plan->schema, limit, error)
               : NULL;
}

ResultTable *
exec_collect(Exec *exec, const Plan *plan, AzError *error)
{
    return exec_collect_limit(exec, plan, -1, error);
}

// ---- whole results ----

// Copies the payloads of a vector of any encoding side by side.
static void
copy_payloads(char *out, const Vector *v)
{
    size_t size = type_size(v->type);
    const char *data = vector_payload(v)->data;
    if (v->encoding == ENC_FLAT) {
        if (v->count)
            memcpy(out, data, v->count * size);
    } else if (size == sizeof(Text)) {
        for (uint32_t i = 0; i < v->count; i++)
            memcpy(out + i * sizeof(Text), data + vector_index(v, i) * sizeof(Text), sizeof(Text));
    } else if (size == sizeof(uint64_t)) {
        for (uint32_t i = 0; i < v->count; i++)
            memcpy(out + i * sizeof(uint64_t), data + vector_index(v, i) * sizeof(uint64_t),
                   sizeof(uint64_t));
    } else {
        for (uint32_t i = 0; i < v->count; i++)
            memcpy(out + i * size, data + vector_index(v, i) * size, size);
    }
}

static const Vector *
concat_column(Arena *arena, const ResultTable *table, uint32_t c, uint32_t rows, bool null_row)
{
    Type type = table->schema.columns[c].type;
    Vector *out = vector_new_flat(arena, type, rows + null_row);
    uint32_t at = 0;
    for (uint32_t b = 0; b < table->batch_count; b++) {
        const Vector *v = table->batches[b]->columns[c];
        copy_payloads((char *)out->data + at * type_size(type), v);
        if (vector_payload(v)->valid)
            for (uint32_t i = 0; i < v->count; i++)
                if (vector_is_null(v, i))
                    vector_set_null(arena, out, at + i);
        at += v->count;
    }
    if (null_row)
        vector_set_null(arena, out, rows);
    return out;
}

const Vector *
result_column(Arena *arena, const ResultTable *table, uint32_t c)
{
    return concat_column(arena, table, c, (uint32_t)table->row_count, false);
}

void
result_limit(Exec *exec, ResultTable *table, uint64_t limit)
{
    uint64_t rows = 0;
    for (uint32_t b = 0; b < table->batch_count; b++) {
        Batch *batch = table->batches[b];
        if (rows + batch->count >= limit) {
            uint32_t left = (uint32_t)(limit - rows);
            Batch *part = batch_new(exec->arena, batch->column_count, left);
            for (uint32_t c = 0; c < batch->column_count; c++)
                part->columns[c] = vector_slice(exec->arena, batch->columns[c], 0, left);
            table->batches[b] = part;
            table->batch_count = left ? b + 1 : b;
            rows += left;
            break;
        }
        rows += batch->count;
    }
    table->row_count = rows;
}

typedef struct Concat {
    Exec *exec;
    const ResultTable *table;
    Batch *whole;
    bool null_row;
    _Atomic uint32_t next;
} Concat;

static void
concat_job(void *context, size_t number)
{
    Concat *concat = context;
    Worker *worker = &concat->exec->workers[number];
    for (;;) {
        uint32_t c = atomic_fetch_add(&concat->next, 1);
        if (c >= concat->whole->column_count || !worker_check(worker))
            return;
        concat->whole->columns[c] =
            concat_column(&worker->keep, concat->table, c, concat->whole->count, concat->null_row);
        worker_charge(worker, "rows kept for sorting or joining");
    }
}

Batch *
result_concat(Exec *exec, const ResultTable *table, bool null_row, AzError *error)
{
    uint64_t rows = table->row_count;
    if (rows >= UINT32_MAX - 1) {
        error_set(error, AZ_LIMIT, "more than %u rows to sort or join; filter earlier in the query",
                  UINT32_MAX - 2);
        return NULL;
    }
    size_t bytes = 0;
    for (uint32_t c = 0; c < table->schema.count; c++)
        bytes += rows * type_size(table->schema.columns[c].type);
    Concat concat = {exec, table, NULL, null_row, 0};
    concat.whole = batch_new(exec->arena, table->schema.count, (uint32_t)rows);
    if (worker_reserve(&exec->workers[0], bytes, "rows kept for sorting or joining"))
        exec_parallel(exec, rows > 4 * (uint64_t)batch_rows ? exec->worker_count : 1, concat_job,
                      &concat);
    return exec_first_error(exec, error) ? concat.whole : NULL;
}

ResultTable *
result_cut(Arena *arena, const Schema *schema, Batch *whole)
{
    ResultTable *table = ARENA_NEW(arena, ResultTable);
    table->schema = *schema;
    table->row_count = whole->count;
    uint32_t count = (whole->count + batch_rows - 1) / batch_rows;
    table->batches = ARENA_ARRAY(arena, Batch *, count);
    for (uint32_t from = 0; from < whole->count; from += batch_rows) {
        uint32_t rows = whole->count - from < batch_rows ? whole->count - from : batch_rows;
        Batch *part = batch_new(arena, whole->column_count, rows);
        for (uint32_t c = 0; c < whole->column_count; c++)
            part->columns[c] = vector_slice(arena, whole->columns[c], from, rows);
        table->batches[table->batch_count++] = part;
    }
    return table;
}

// ---- the entry ----

static void
exec_open(Exec *exec, Arena *arena, const ExecOptions *options)
{
    *exec = (Exec){.options = options, .arena = arena};
    exec->worker_count = options->threads ? thread_pool_size(options->threads) : 1;
    exec->workers = ARENA_ARRAY(arena, Worker, exec->worker_count);
    exec->spill = spill_area_new(arena);
    for (size_t w = 0; w < exec->worker_count; w++) {
        exec->workers[w].number = w;
        exec->workers[w].exec = exec;
        exec->workers[w].clock.slot = w;
        scratch_init(&exec->workers[w].scratch);
    }
    if (options->profile) {
        exec->clock.slot = options->profile->slots - 1;
        profile_enter(exec, NULL); // the answer's
    }
}

static void
exec_close(Exec *exec)
{
    spill_close(exec);
    held_free_all(exec);
    for (size_t w = 0; w < exec->worker_count; w++) {
        arena_free(&exec->workers[w].batch);
        arena_free(&exec->workers[w].keep);
        arena_free(&exec->workers[w].result);
        scratch_free(&exec->workers[w].scratch);
        if (exec->options->budget)
            budget_give(exec->options->budget, exec->workers[w].charged);
    }
    if (exec->options->budget)
        budget_give(exec->options->budget, exec->answered);
}

// The answer's batches in the caller's arena: its small parts are made anew, the columns,
// which the workers copied into their `result`, move there as they are.
static ResultTable *
answer_move(Arena *arena, Exec *exec, const ResultTable *table)
{
    ResultTable *answer = ARENA_NEW(arena, ResultTable);
    answer->schema = schema_copy(arena, &table->schema);
    answer->row_count = table->row_count;
    answer->batch_count = table->batch_count;
    answer->batches = ARENA_ARRAY(arena, Batch *, table->batch_count);
    for (uint32_t b = 0; b < table->batch_count; b++) {
        const Batch *from = table->batches[b];
        Batch *batch = batch_new(arena, from->column_count, from->count);
        for (uint32_t c = 0; c < from->column_count; c++)
            batch->columns[c] = arena_copy(arena, from->columns[c], sizeof(Vector));
        answer->batches[b] = batch;
    }
    for (size_t w = 0; w < exec->worker_count; w++) {
        Worker *worker = &exec->workers[w];
        size_t moved = worker->result.allocated;
        moved = moved < worker->charged ? moved : worker->charged;
        arena_adopt(arena, &worker->result);
        worker->charged -= moved;
        exec->answered += moved;
    }
    return answer;
}

bool
exec_run_all(Arena *arena, Plan *const *plans, uint32_t count, const ExecOptions *options,
             ResultTable **out, AzError *error)
{
    Arena run = {0};
    Exec exec;
    exec_open(&exec, &run, options);
    bool done = true;
    for (uint32_t i = 0; i < count && done; i++) {
        ResultTable *table = exec_collect_answer(&exec, plans[i], error);
        out[i] = table ? answer_move(arena, &exec, table) : NULL;
        done = table != NULL;
    }
    profile_leave(&exec, NULL);
    exec_close(&exec);
    arena_free(&run);
    return done;
}

ResultTable *
exec_run(Arena *arena, const Plan *plan, const ExecOptions *options, AzError *error)
{
    ResultTable *answer = NULL;
    Plan *one = (Plan *)(uintptr_t)plan;
    exec_run_all(arena, &one, 1, options, &answer, error);
    return answer;
}

bool
exec_fold(Arena *arena, const Expr *expr, int64_t now, Value *out, AzError *error)
{
    Arena run = {0};
    Exec exec;
    ExecOptions options = {.now = now};
    exec_open(&exec, &run, &options);
    Worker *worker = &exec.workers[0];
    Batch *one = batch_new(&run, 0, 1);
    const Vector *value = evaluate(worker, expr, one);
    if (value) {
        *out = vector_value(value, 0);
        if (!out->is_null && type_is_text(out->type))
            out->text = text_copy(arena, text_str(&out->text));
    } else if (error && error->code == AZ_OK) {
        *error = worker->error;
    }
    exec_close(&exec);
    arena_free(&run);
    return value != NULL;
}
