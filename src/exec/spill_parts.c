// Parts on disk; see spill_parts.h.

#include "exec/spill_parts.h"

// ---- numbered rows ----

Schema
spill_numbered_schema(Arena *arena, const Schema *schema)
{
    Schema out = {ARENA_ARRAY(arena, Column, schema->count + 1), schema->count + 1};
    if (schema->count)
        memcpy(out.columns, schema->columns, schema->count * sizeof(Column));
    out.columns[schema->count] = (Column){STR("$sequence"), TYPE_LONG};
    return out;
}

Batch *
spill_number_rows(Arena *arena, const Batch *batch, uint64_t sequence)
{
    Batch *out = batch_new(arena, batch->column_count + 1, batch->count);
    memcpy(out->columns, batch->columns, batch->column_count * sizeof(*out->columns));
    Vector *numbers = vector_new_flat(arena, TYPE_LONG, batch->count);
    for (uint32_t i = 0; i < batch->count; i++)
        ((int64_t *)numbers->data)[i] = (int64_t)(sequence + i);
    out->columns[batch->column_count] = numbers;
    return out;
}

// ---- writing ----

void
spill_parts_init(SpillParts *parts, Exec *exec, const Schema *schema, unsigned level)
{
    *parts = (SpillParts){.schema = *schema};
    parts->shift = 64 - SPILL_PARTS_BITS * (level + 1);
    parts->workers = arena_zalloc_array(exec->arena, exec->worker_count, sizeof(*parts->workers));
}

void
spill_parts_free(SpillParts *parts, const Exec *exec)
{
    for (size_t w = 0; w < exec->worker_count; w++)
        arena_free(&parts->workers[w].arena);
}

bool
spill_parts_add(SpillParts *parts, Worker *worker, const Batch *batch, const uint8_t *part,
                uint64_t sequence)
{
    Arena scratch = {0};
    SpillFile *file = spill_file_shared(worker->exec, &parts->file, &worker->error);
    struct SpillPartLists *lists = &parts->workers[worker->number];
    uint32_t rows = batch->count;
    bool done = file != NULL;
    Batch out = *batch;
    uint32_t *selection = arena_alloc_array(&scratch, rows + 1, sizeof(uint32_t));
    out.selection = selection;
    for (unsigned p = 0; done && p < SPILL_PARTS; p++) {
        out.selected = 0;
        for (uint32_t i = 0; i < rows; i++) {
            selection[out.selected] = i;
            out.selected += part[i] == p;
        }
        if (out.selected)
            done = spill_write(file, &out, sequence + selection[0], &lists->arena,
                               &lists->pieces[p], &worker->error);
    }
    arena_free(&scratch);
    return done && worker_check(worker);
}

// ---- reading ----

ResultTable *
spill_parts_table(const SpillParts *parts, Exec *exec, unsigned part)
{
    const SpillPieces **lists = ARENA_ARRAY(exec->arena, const SpillPieces *, exec->worker_count);
    for (size_t w = 0; w < exec->worker_count; w++)
        lists[w] = &parts->workers[w].pieces[part];
    SpillPieces pieces = spill_pieces_join(exec->arena, lists, exec->worker_count);
    return spill_table(exec, &parts->schema, parts->file, &pieces);
}

// ---- part by part ----

typedef struct PartAnswer {
    SpillFile *file;
    struct AnswerList {
        Arena arena;
        SpillPieces pieces;
    } * workers;
} PartAnswer;

static bool
answer_consume(Sink *self, Worker *worker, Batch *batch)
{
    PartAnswer *answer = self->state;
    struct AnswerList *list = &answer->workers[worker->number];
    return worker_check(worker) && spill_write(answer->file, batch, worker_sequence(worker),
                                               &list->arena, &list->pieces, &worker->error);
}

// What part `p` yields goes to `file`, as a run with its pieces in `arena`.
static bool
run_part(Exec *exec, const SpillPartsRun *run, unsigned p, SpillFile *file, Arena *arena,
         SpilledRun *out, AzError *error)
{
    ExecScope scope;
    const SpillFile *last_file = spill_last(exec);
    exec_scope_enter(&scope, exec, exec->worker_count);
    PartAnswer answer = {.file = file};
    answer.workers = arena_zalloc_array(exec->arena, exec->worker_count, sizeof(*answer.workers));
    Pipeline pipeline = {0};
    Sink sink = {.state = &answer, .consume = answer_consume};
    bool done = run->build(exec, run->context, p, &pipeline, error) &&
                pipeline_run(exec, &pipeline, &sink, error);
    if (done) {
        const SpillPieces **lists =
            ARENA_ARRAY(exec->arena, const SpillPieces *, exec->worker_count);
        for (size_t w = 0; w < exec->worker_count; w++)
            lists[w] = &answer.workers[w].pieces;
        *out = (SpilledRun){file, spill_pieces_join(arena, lists, exec->worker_count)};
    }
    for (size_t w = 0; w < exec->worker_count; w++)
        arena_free(&answer.workers[w].arena);
    exec_scope_leave(&scope, exec);
    exec_scope_free(&scope);
    spill_close_since(exec, last_file);
    return done;
}

ResultTable *
spill_parts_run(Exec *exec, const SpillPartsRun *run, AzError *error)
{
    Arena pieces = {0};
    SpilledRun runs[SPILL_PARTS], whole;
    SpillFile *file = spill_file_new(exec, error);
    bool done = file != NULL;
    for (unsigned p = 0; done && p < SPILL_PARTS; p++)
        done = run_part(exec, run, p, file, &pieces, &runs[p], error);
    MergeKey by_number = {.column = run->number};
    MergeSpec spec = {
        .exec = exec,
        .arena = exec->arena,
        .schema = run->schema,
        .keys = &by_number,
        .key_count = 1,
        .columns = run->columns,
        .limit = UINT64_MAX,
    };
    done = done && spill_merge(&spec, runs, SPILL_PARTS, &whole, error);
    arena_free(&pieces);
    if (!done)
        return NULL;
    Schema wanted = {run->schema->columns, run->columns};
    return spill_table(exec, &wanted, whole.file, &whole.pieces);
}
