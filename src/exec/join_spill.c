// Joins whose built side is more than the memory: both sides are cut by the hashes of their keys into
// parts on disk, and part meets part (a grace hash join). Parts that are still too large are cut again.
//
// Every row carries the sequence it had in its side. What a part yields is in the order of the probing
// rows, so that merging the parts by it gives the order that the join has in memory.

#include "base/array.h"
#include "exec/join.h"
#include "exec/kept_rows.h"
#include "exec/spill_merge.h"

#include <pthread.h>

enum { PARTS_BITS = 4, PARTS = 1 << PARTS_BITS, LEVELS = 6 };

// ---- a side in parts ----

typedef struct JoinParts {
    const Join *join;
    Schema schema;    // of its rows: the side's, with the sequence as the last column
    bool numbered;    // rows come with their sequence: it was cut before
    bool drops_nulls; // rows with a null key, which meet nobody, are not wanted
    unsigned shift;
    pthread_mutex_t mutex;
    SpillFile *file; // NULL: nothing was written yet
    struct PartLists {
        Arena arena;
        SpillPieces pieces[PARTS];
    } * workers;
} JoinParts;

static void
parts_init(JoinParts *parts, Exec *exec, const Join *join, const Schema *side, unsigned level,
           bool drops_nulls)
{
    *parts = (JoinParts){.join = join, .numbered = level > 0, .drops_nulls = drops_nulls};
    parts->shift = 64 - PARTS_BITS * (level + 1);
    pthread_mutex_init(&parts->mutex, NULL);
    parts->workers = arena_zalloc_array(exec->arena, exec->worker_count, sizeof(*parts->workers));
    if (parts->numbered) {
        parts->schema = *side;
        return;
    }
    parts->schema.count = side->count + 1;
    parts->schema.columns = ARENA_ARRAY(exec->arena, Column, parts->schema.count);
    memcpy(parts->schema.columns, side->columns, side->count * sizeof(Column));
    parts->schema.columns[side->count] = (Column){STR("$sequence"), TYPE_LONG};
}

static void
parts_free(JoinParts *parts, const Exec *exec)
{
    for (size_t w = 0; w < exec->worker_count; w++)
        arena_free(&parts->workers[w].arena);
    pthread_mutex_destroy(&parts->mutex);
}

static SpillFile *
parts_file(JoinParts *parts, Worker *worker)
{
    pthread_mutex_lock(&parts->mutex);
    if (!parts->file)
        parts->file = spill_file_new(worker->exec, &worker->error);
    SpillFile *file = parts->file;
    pthread_mutex_unlock(&parts->mutex);
    return file;
}

// The compact batch with the sequences of its rows, from `sequence` on.
static Batch *
number_rows(Arena *arena, const Batch *batch, uint64_t sequence)
{
    Batch *out = batch_new(arena, batch->column_count + 1, batch->count);
    memcpy(out->columns, batch->columns, batch->column_count * sizeof(*out->columns));
    Vector *numbers = vector_new_flat(arena, TYPE_LONG, batch->count);
    for (uint32_t i = 0; i < batch->count; i++)
        ((int64_t *)numbers->data)[i] = (int64_t)(sequence + i);
    out->columns[batch->column_count] = numbers;
    return out;
}

// The part of each row: by the hash of its key. Rows with a null key are dealt out in turn, since no part
// could hold them all; PARTS: not wanted.
static const uint8_t *
parts_of_rows(const JoinParts *parts, Arena *arena, const Vector *const *keys, uint32_t rows)
{
    const KeyLayout *layout = &parts->join->layout;
    uint64_t *key_rows, *hashes;
    key_encode(arena, layout, keys, rows, &key_rows, &hashes);
    uint8_t *out = arena_alloc_array(arena, rows + 1, 1);
    for (uint32_t i = 0; i < rows; i++) {
        if (!key_has_null(layout, key_rows + (size_t)i * layout->words))
            out[i] = hashes[i] >> parts->shift & (PARTS - 1);
        else
            out[i] = parts->drops_nulls ? PARTS : i % PARTS;
    }
    return out;
}

// Writes each row of the compact batch to its part.
static bool
parts_add(JoinParts *parts, Worker *worker, Batch *batch, const Vector *const *keys,
          uint64_t sequence)
{
    Arena scratch = {0};
    SpillFile *file = parts_file(parts, worker);
    struct PartLists *lists = &parts->workers[worker->number];
    uint32_t rows = batch->count;
    bool done = file != NULL;
    const uint8_t *part = parts_of_rows(parts, &scratch, keys, rows);
    Batch out = parts->numbered ? *batch : *number_rows(&scratch, batch, sequence);
    uint32_t *selection = arena_alloc_array(&scratch, rows + 1, sizeof(uint32_t));
    for (unsigned p = 0; done && p < PARTS; p++) {
        out.selected = 0;
        for (uint32_t i = 0; i < rows; i++) {
            selection[out.selected] = i;
            out.selected += part[i] == p;
        }
        out.selection = selection;
        if (out.selected)
            done = spill_write(file, &out, sequence + selection[0], &lists->arena,
                               &lists->pieces[p], &worker->error);
    }
    arena_free(&scratch);
    return done && worker_check(worker);
}

static int
piece_order(const void *a, const void *b)
{
    const SpillPiece *x = a, *y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

// The pieces of all workers, in order.
static SpillPieces
pieces_join(Arena *arena, const Exec *exec, const SpillPieces *const *lists)
{
    SpillPieces all = {0};
    for (size_t w = 0; w < exec->worker_count; w++)
        all.len += lists[w]->len;
    all.items = ARENA_ARRAY(arena, SpillPiece, all.len + 1);
    size_t at = 0;
    for (size_t w = 0; w < exec->worker_count; w++) {
        if (lists[w]->len)
            memcpy(all.items + at, lists[w]->items, lists[w]->len * sizeof(SpillPiece));
        at += lists[w]->len;
        all.rows += lists[w]->rows;
    }
    if (all.len)
        qsort(all.items, all.len, sizeof(SpillPiece), piece_order);
    all.cap = all.len;
    return all;
}

static const ResultTable *
parts_table(const JoinParts *parts, Exec *exec, unsigned part)
{
    const SpillPieces **lists = ARENA_ARRAY(exec->arena, const SpillPieces *, exec->worker_count);
    for (size_t w = 0; w < exec->worker_count; w++)
        lists[w] = &parts->workers[w].pieces[part];
    SpillPieces *pieces = ARENA_NEW(exec->arena, SpillPieces);
    *pieces = pieces_join(exec->arena, exec, lists);
    return spill_table(exec, &parts->schema, parts->file, pieces);
}

// ---- the built side ----

typedef struct BuildSide {
    const Join *join;
    size_t row_bytes;
    KeptRows *kept; // one a worker
    unsigned level;
    _Atomic bool on_disk;
    JoinParts parts;
} BuildSide;

static bool
build_to_parts(BuildSide *side, Worker *worker, Batch *batch, uint64_t sequence)
{
    return parts_add(&side->parts, worker, batch, batch->columns + side->join->payload, sequence);
}

// What the worker has kept goes to the parts.
static bool
build_flush(BuildSide *side, Worker *worker)
{
    KeptRows *kept = &side->kept[worker->number];
    bool done = true;
    for (size_t b = 0; done && b < kept->batches.len; b++)
        done = build_to_parts(side, worker, kept->batches.items[b].batch,
                              kept->batches.items[b].sequence);
    kept_clear(kept, worker->exec);
    return done;
}

static bool
build_consume(Sink *self, Worker *worker, Batch *batch)
{
    BuildSide *side = self->state;
    if (side->on_disk)
        return build_to_parts(side, worker, batch_compact(&worker->batch, batch),
                              worker_sequence(worker));
    if (kept_add(&side->kept[worker->number], worker, batch, side->row_bytes))
        return true;
    if (side->level >= LEVELS)
        return error_set(&worker->error, AZ_LIMIT,
                         "one key of a join has more rows than the memory limit of %zu MB holds; "
                         "raise it with --memory MB, or filter earlier in the query",
                         worker->exec->options->budget->limit >> 20);
    side->on_disk = true;
    return build_flush(side, worker);
}

// Runs the pipeline; its rows are in `kept` or, all of them, in parts.
static bool
build_collect(Exec *exec, BuildSide *side, Pipeline *build, AzError *error)
{
    Sink sink = {.state = side, .consume = build_consume};
    if (!pipeline_run(exec, build, &sink, error))
        return false;
    for (size_t w = 0; side->on_disk && w < exec->worker_count; w++)
        if (!build_flush(side, &exec->workers[w]))
            return exec_first_error(exec, error), false;
    return true;
}

// ---- the probing side ----

typedef struct ProbeSide {
    const Join *join;
    JoinParts parts;
} ProbeSide;

static bool
probe_consume(Sink *self, Worker *worker, Batch *batch)
{
    ProbeSide *side = self->state;
    const Join *join = side->join;
    Batch *compact = batch_compact(&worker->batch, batch);
    const Vector **keys = ARENA_ARRAY(&worker->batch, const Vector *, join->key_count);
    for (uint32_t k = 0; k < join->key_count; k++)
        if (!(keys[k] = evaluate(worker, join->probe_keys[k], compact)))
            return false;
    return parts_add(&side->parts, worker, compact, keys, worker_sequence(worker));
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

// The join of parts: as the whole, and with the sequence of the probing row as the last column.
static Join
join_of_parts(const Join *join, Arena *arena, const Schema *probe)
{
    Join part = {
        .plan = join->plan,
        .build_left = join->build_left,
        .probe_keys = join->probe_keys,
        .key_count = join->key_count,
        .layout = join->layout,
        .schema = join->schema,
        .columns = join->columns,
        .sequence = join->sequence,
        .payload = join->payload,
    };
    if (part.sequence >= 0)
        return part;
    uint32_t count = join->schema.count;
    part.sequence = count;
    part.schema = (Schema){ARENA_ARRAY(arena, Column, count + 1), count + 1};
    struct JoinColumn *columns = arena_zalloc_array(arena, count + 1, sizeof(*columns));
    if (count) {
        memcpy(part.schema.columns, join->schema.columns, count * sizeof(Column));
        memcpy(columns, join->columns, count * sizeof(*columns));
    }
    part.schema.columns[count] = (Column){STR("$sequence"), TYPE_LONG};
    columns[count].from_right = join->build_left;
    columns[count].column = probe->count - 1;
    part.columns = columns;
    return part;
}

// Joins part `p`; its rows, by sequence, go to `file`, as pieces in `arena`.
static bool
join_part(Exec *exec, const Join *whole, const JoinParts *build, const JoinParts *probe, unsigned p,
          unsigned level, SpillFile *file, Arena *arena, SpilledRun *out, AzError *error)
{
    ExecScope scope;
    const SpillFile *last_file = spill_last(exec);
    exec_scope_enter(&scope, exec, exec->worker_count);
    Join part = join_of_parts(whole, exec->arena, &probe->schema);
    PartAnswer answer = {.file = file};
    answer.workers = arena_zalloc_array(exec->arena, exec->worker_count, sizeof(*answer.workers));
    Pipeline built = {0}, pipeline = {0};
    Sink sink = {.state = &answer, .consume = answer_consume};
    bool done = pipeline_from_table(exec, parts_table(build, exec, p), &built) &&
                pipeline_from_table(exec, parts_table(probe, exec, p), &pipeline) &&
                join_run(exec, &part, &built, &build->schema, &probe->schema, &pipeline, level + 1,
                         error) &&
                pipeline_run(exec, &pipeline, &sink, error);
    if (done) {
        const SpillPieces **lists =
            ARENA_ARRAY(exec->arena, const SpillPieces *, exec->worker_count);
        for (size_t w = 0; w < exec->worker_count; w++)
            lists[w] = &answer.workers[w].pieces;
        *out = (SpilledRun){file, pieces_join(arena, exec, lists)};
    }
    for (size_t w = 0; w < exec->worker_count; w++)
        arena_free(&answer.workers[w].arena);
    exec_scope_leave(&scope, exec);
    exec_scope_free(&scope);
    spill_close_since(exec, last_file);
    return done;
}

static bool
join_parts(Exec *exec, const Join *join, const JoinParts *build, const JoinParts *probe,
           unsigned level, Pipeline *out, AzError *error)
{
    Arena pieces = {0};
    SpilledRun runs[PARTS], whole;
    SpillFile *file = spill_file_new(exec, error);
    bool done = file != NULL;
    for (unsigned p = 0; done && p < PARTS; p++)
        done = join_part(exec, join, build, probe, p, level, file, &pieces, &runs[p], error);
    Join part = join_of_parts(join, exec->arena, &probe->schema);
    Schema *schema = ARENA_NEW(exec->arena, Schema);
    *schema = part.schema;
    MergeKey by_sequence = {.column = (uint32_t)part.sequence};
    MergeSpec spec = {
        .exec = exec,
        .arena = exec->arena,
        .schema = schema,
        .keys = &by_sequence,
        .key_count = 1,
        .columns = join->schema.count,
        .limit = UINT64_MAX,
    };
    done = done && spill_merge(&spec, runs, PARTS, &whole, error);
    arena_free(&pieces);
    if (!done)
        return false;
    SpillPieces *kept = ARENA_NEW(exec->arena, SpillPieces);
    *kept = whole.pieces;
    return pipeline_from_table(exec, spill_table(exec, &join->schema, whole.file, kept), out);
}

static bool
join_on_disk(Exec *exec, const Join *join, const BuildSide *side, const Schema *probe_schema,
             Pipeline *out, unsigned level, AzError *error)
{
    ProbeSide probe = {.join = join};
    parts_init(&probe.parts, exec, join, probe_schema, level,
               join_drops_unmatched_probe(join->plan->join.kind));
    Sink sink = {.state = &probe, .consume = probe_consume};
    bool done = pipeline_run(exec, out, &sink, error);
    *out = (Pipeline){0};
    done = done && join_parts(exec, join, &side->parts, &probe.parts, level, out, error);
    parts_free(&probe.parts, exec);
    return done;
}

bool
join_run(Exec *exec, Join *join, Pipeline *build, const Schema *build_schema,
         const Schema *probe_schema, Pipeline *out, unsigned level, AzError *error)
{
    BuildSide side = {
        .join = join, .level = level, .row_bytes = join_row_bytes(join, build_schema)};
    parts_init(&side.parts, exec, join, build_schema, level,
               !join_keeps_unmatched_build(join->plan->join.kind));
    side.kept = ARENA_ARRAY(exec->arena, KeptRows, exec->worker_count);
    JoinUnique *unique = join_unique_append(exec, join, build);
    bool done = build_collect(exec, &side, build, error);
    join_unique_free(exec, unique);
    if (done && side.on_disk) {
        done = join_on_disk(exec, join, &side, probe_schema, out, level, error);
    } else if (done) {
        KeptRows **kept = ARENA_ARRAY(exec->arena, KeptRows *, exec->worker_count);
        for (size_t w = 0; w < exec->worker_count; w++)
            kept[w] = &side.kept[w];
        const ResultTable *rows = kept_table(exec, kept, build_schema, error);
        done = rows && join_table_build(exec, join, rows, error);
        if (done) {
            join_filter_probe(exec, join, out);
            join_table_probe(exec, join, out);
        }
    }
    for (size_t w = 0; w < exec->worker_count; w++)
        kept_clear(&side.kept[w], exec);
    parts_free(&side.parts, exec);
    return done;
}
