// Parts on disk; see spill_parts.h.

#include "exec/spill_parts.h"

#include "base/array.h"

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

// ---- writing ----

// Rows are dealt out to the parts some thousands at a time: pieces of few rows cost a read each.
enum { WAIT_ROWS = 16 << 10, WAIT_BYTES = 3 << 19, WAIT_SHARE = 64 };

void
spill_parts_init(SpillParts *parts, Exec *exec, const Schema *schema, unsigned bits, unsigned level)
{
    *parts = (SpillParts){.schema = *schema, .bits = bits, .shift = 64 - bits * (level + 1)};
    const Budget *budget = exec->options->budget;
    size_t share =
        budget && budget->limit ? budget->limit / WAIT_SHARE / exec->worker_count : SIZE_MAX;
    parts->most = share < WAIT_BYTES ? share : WAIT_BYTES;
    parts->workers = ARENA_ARRAY(exec->arena, SpillPartLists, exec->worker_count);
    for (size_t w = 0; w < exec->worker_count; w++)
        parts->workers[w].held = held_new(exec);
}

void
spill_parts_drop(SpillPartLists *lists)
{
    lists->rows = 0;
    lists->bytes = 0;
    memset(&lists->batches, 0, sizeof(lists->batches));
    arena_reset(&lists->waiting);
}

static void
free_waiting(SpillPartLists *lists)
{
    spill_parts_drop(lists);
    arena_free(&lists->waiting);
    arena_free(&lists->scratch);
    buffer_free(&lists->buffer);
}

void
spill_parts_free(SpillParts *parts, const Exec *exec)
{
    for (size_t w = 0; w < exec->worker_count; w++) {
        free_waiting(&parts->workers[w]);
        held_free(exec, parts->workers[w].held);
    }
}

// The rows that wait, part after part.
static SpillDeal
deal_out(const SpillParts *parts, SpillPartLists *lists)
{
    Arena *arena = &lists->scratch;
    uint32_t rows = lists->rows, row = 0;
    unsigned count = spill_parts_count(parts);
    Batch **batches = ARENA_ARRAY(arena, Batch *, lists->batches.len);
    uint64_t *sequences = arena_alloc_array(arena, rows, sizeof(*sequences));
    uint8_t *part = arena_alloc_array(arena, rows, 1);
    uint32_t *starts = ARENA_ARRAY(arena, uint32_t, count + 1);
    uint32_t *next = ARENA_ARRAY(arena, uint32_t, count + 1);
    for (size_t b = 0; b < lists->batches.len; b++) {
        const struct SpillWaiting *waiting = &lists->batches.items[b];
        batches[b] = waiting->batch;
        for (uint32_t i = 0; i < waiting->batch->count; i++, row++) {
            sequences[row] = waiting->sequence + i;
            part[row] = waiting->part[i];
            starts[part[row] + 1]++;
        }
    }
    for (unsigned p = 0; p < count; p++)
        starts[p + 1] += starts[p];
    memcpy(next, starts, (count + 1) * sizeof(*next));
    uint32_t *order = arena_alloc_array(arena, rows, sizeof(*order));
    for (row = 0; row < rows; row++)
        order[next[part[row]]++] = row;
    ResultTable all = {.schema = parts->schema,
                       .batches = batches,
                       .batch_count = (uint32_t)lists->batches.len,
                       .row_count = rows};
    Batch *whole = batches[0];
    if (all.batch_count > 1) {
        whole = batch_new(arena, all.schema.count, rows);
        for (uint32_t c = 0; c < all.schema.count; c++)
            whole->columns[c] = result_column(arena, &all, c);
    }
    return (SpillDeal){whole, sequences, order, starts, count};
}

struct SpillPieceChunk {
    struct SpillPieceChunk *older;
    uint32_t count;
    SpillPiece pieces[512];
};

static void
keep_pieces(SpillPartLists *lists, const SpillPieces *made)
{
    for (size_t i = 0; i < made->len; i++) {
        SpillPieceChunk *chunk = lists->newest;
        if (!chunk || chunk->count == COUNT_OF(chunk->pieces)) {
            chunk = ARENA_NEW(&lists->held->arena, SpillPieceChunk);
            chunk->older = lists->newest;
            lists->newest = chunk;
        }
        chunk->pieces[chunk->count++] = made->items[i];
    }
}

static bool
flush(SpillParts *parts, Worker *worker)
{
    SpillPartLists *lists = &parts->workers[worker->number];
    SpillFile *file = spill_file_shared(worker->exec, &parts->file, &worker->error);
    if (!file)
        return false;
    arena_reset(&lists->scratch);
    SpillDeal deal = deal_out(parts, lists);
    SpillPieces made = {0};
    if (!spill_write_deal(file, &deal, &lists->scratch, &made, &lists->buffer, &worker->error))
        return false;
    keep_pieces(lists, &made);
    spill_parts_drop(lists);
    return true;
}

bool
spill_parts_end(SpillParts *parts, Worker *worker)
{
    SpillPartLists *lists = &parts->workers[worker->number];
    if (lists->rows && !flush(parts, worker))
        return false;
    free_waiting(lists);
    return true;
}

static size_t
rows_bytes(const Batch *batch)
{
    size_t bytes = 0;
    for (uint32_t c = 0; c < batch->column_count; c++) {
        const Vector *v = batch->columns[c], *payload = vector_payload(v);
        uint32_t count = v->encoding == ENC_CONST ? 1 : payload->count;
        bytes += count * type_size(v->type);
        for (uint32_t i = 0; type_is_text(v->type) && i < count; i++)
            bytes += ((const Text *)payload->data)[i].len;
    }
    return bytes;
}

// Those rows of the batch that go to some part.
static void
wait_rows(SpillPartLists *lists, const Batch *batch, const uint8_t *part, uint64_t sequence)
{
    Batch kept = *batch;
    uint32_t *selection = arena_alloc_array(&lists->scratch, batch->count, sizeof(uint32_t));
    uint8_t *parts = arena_alloc_array(&lists->waiting, batch->count, 1);
    kept.selection = selection;
    kept.selected = 0;
    for (uint32_t i = 0; i < batch->count; i++)
        if (part[i] < SPILL_PARTS_MOST) {
            parts[kept.selected] = part[i];
            selection[kept.selected++] = i;
        }
    if (!kept.selected)
        return;
    struct SpillWaiting waiting = {batch_copy(&lists->waiting, &kept), parts,
                                   sequence + selection[0]};
    ARRAY_PUSH(&lists->waiting, &lists->batches, waiting);
    lists->rows += kept.selected;
    lists->bytes += rows_bytes(waiting.batch);
}

bool
spill_parts_add(SpillParts *parts, Worker *worker, const Batch *batch, const uint8_t *part,
                uint64_t sequence)
{
    SpillPartLists *lists = &parts->workers[worker->number];
    // Rows of a piece follow one another: others of their morsel may be on their way to another worker.
    size_t waiting = lists->batches.len;
    if (parts->ordered && waiting &&
        lists->batches.items[waiting - 1].sequence >> 32 != sequence >> 32 && !flush(parts, worker))
        return false;
    if (!lists->rows)
        arena_reset(&lists->scratch);
    wait_rows(lists, batch, part, sequence);
    return (lists->rows < WAIT_ROWS && lists->bytes < parts->most) || flush(parts, worker);
}

bool
spill_parts_used(const SpillParts *parts, const Exec *exec)
{
    for (size_t w = 0; w < exec->worker_count; w++)
        if (parts->workers[w].newest)
            return true;
    return false;
}

// ---- reading ----

// The worker's pieces of a part.
static const SpillPieces *
pieces_of(const SpillPartLists *lists, Arena *arena, unsigned part)
{
    SpillPieces *pieces = ARENA_NEW(arena, SpillPieces);
    for (const SpillPieceChunk *chunk = lists->newest; chunk; chunk = chunk->older)
        for (uint32_t i = 0; i < chunk->count; i++)
            if (chunk->pieces[i].list == part) {
                ARRAY_PUSH(arena, pieces, chunk->pieces[i]);
                pieces->rows += chunk->pieces[i].rows;
            }
    return pieces;
}

ResultTable *
spill_parts_table(const SpillParts *parts, Exec *exec, Arena *arena, unsigned part)
{
    const SpillPieces **lists = ARENA_ARRAY(arena, const SpillPieces *, exec->worker_count);
    for (size_t w = 0; w < exec->worker_count; w++)
        lists[w] = pieces_of(&parts->workers[w], arena, part);
    SpillPieces pieces = spill_pieces_join(arena, lists, exec->worker_count);
    return spill_table(arena, &parts->schema, parts->file, &pieces);
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
    SpilledRun *runs = ARENA_ARRAY(&pieces, SpilledRun, run->parts), whole;
    SpillFile *file = spill_file_new(exec, error);
    bool done = file != NULL;
    for (unsigned p = 0; done && p < run->parts; p++)
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
    done = done && spill_merge(&spec, runs, run->parts, &whole, error);
    arena_free(&pieces);
    if (!done)
        return NULL;
    Schema wanted = {run->schema->columns, run->columns};
    return spill_table(exec->arena, &wanted, whole.file, &whole.pieces);
}
