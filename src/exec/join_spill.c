// Joins whose built side is more than the memory: both sides are cut by the hashes of their keys into
// parts on disk, and part meets part (a grace hash join). Parts that are still too large are cut again.
//
// Every row carries the sequence it had in its side. What a part yields is in the order of the probing
// rows, so that merging the parts by it gives the order that the join has in memory.

#include "exec/join.h"
#include "exec/kept_rows.h"
#include "exec/spill_parts.h"

enum { JOIN_LEVELS = 6 }; // how often a side is cut

// ---- a side in parts ----

typedef struct JoinParts {
    const Join *join;
    bool numbered;    // rows come with their sequence: it was cut before
    bool drops_nulls; // rows with a null key, which meet nobody, are not wanted
    SpillParts spill;
} JoinParts;

static void
parts_init(JoinParts *parts, Exec *exec, const Join *join, const Schema *side, unsigned level,
           bool drops_nulls)
{
    *parts = (JoinParts){.join = join, .numbered = level > 0, .drops_nulls = drops_nulls};
    Schema schema = parts->numbered ? *side : spill_numbered_schema(exec->arena, side);
    spill_parts_init(&parts->spill, exec, &schema, SPILL_FEW_BITS, level);
    parts->spill.ordered = true;
}

// The part of each row: by the hash of its key. Rows with a null key are dealt out in turn, since no part
// could hold them all.
static const uint8_t *
parts_of_rows(const JoinParts *parts, Arena *arena, const Vector *const *keys, uint32_t rows)
{
    const KeyLayout *layout = &parts->join->layout;
    uint64_t *key_rows, *hashes;
    key_encode(arena, layout, keys, rows, &key_rows, &hashes);
    uint8_t *out = arena_alloc_array(arena, rows + 1, 1);
    unsigned count = spill_parts_count(&parts->spill);
    for (uint32_t i = 0; i < rows; i++) {
        if (!key_has_null(layout, key_rows + (size_t)i * layout->words))
            out[i] = spill_part_of(&parts->spill, hashes[i]);
        else
            out[i] = (uint8_t)(parts->drops_nulls ? SPILL_PARTS_MOST : i % count);
    }
    return out;
}

// Writes each row of the compact batch to its part.
static bool
parts_add(JoinParts *parts, Worker *worker, const Batch *batch, const Vector *const *keys,
          uint64_t sequence)
{
    Arena scratch = {0};
    const uint8_t *part = parts_of_rows(parts, &scratch, keys, batch->count);
    if (!parts->numbered)
        batch = batch_numbered(&scratch, batch, sequence);
    bool done =
        spill_parts_add(&parts->spill, worker, batch, part, sequence) && worker_check(worker);
    arena_free(&scratch);
    return done;
}

// Writes what waits to be.
static bool
parts_end(JoinParts *parts, Exec *exec, AzError *error)
{
    for (size_t w = 0; w < exec->worker_count; w++)
        if (!spill_parts_end(&parts->spill, &exec->workers[w]))
            return exec_first_error(exec, error);
    return true;
}

// ---- the built side ----

typedef struct BuildSide {
    const Join *join;
    size_t row_bytes;
    KeptRows *kept; // one a worker
    unsigned level;
    bool few; // rows that one piece holds: they are not cut any more
    _Atomic bool on_disk;
    JoinParts parts;
} BuildSide;

static bool
build_to_parts(BuildSide *side, Worker *worker, Batch *batch, uint64_t sequence)
{
    return parts_add(&side->parts, worker, batch,
                     join_built_keys(side->join, &worker->batch, batch), sequence);
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
    if (kept_add(&side->kept[worker->number], worker, batch, side->row_bytes) || side->few)
        return true;
    if (side->level >= JOIN_LEVELS)
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
    return parts_end(&side->parts, exec, error);
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

typedef struct JoinOnDisk {
    const Join *join;
    const JoinParts *build, *probe;
    unsigned level;
} JoinOnDisk;

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
        .built_columns = join->built_columns,
        .built_keys = join->built_keys,
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

static bool
join_part(Exec *exec, void *context, unsigned p, Pipeline *out, AzError *error)
{
    const JoinOnDisk *disk = context;
    const SpillParts *build = &disk->build->spill, *probe = &disk->probe->spill;
    Join *part = ARENA_NEW(exec->arena, Join);
    *part = join_of_parts(disk->join, exec->arena, &probe->schema);
    const ResultTable *rows = spill_parts_table(build, exec, exec->arena, p);
    part->few = spill_parts_few(rows);
    Pipeline built = {0};
    return pipeline_from_table(exec, rows, &built) &&
           pipeline_from_table(exec, spill_parts_table(probe, exec, exec->arena, p), out) &&
           join_run(exec, part, &built, &build->schema, &probe->schema, out, disk->level + 1,
                    error);
}

static bool
join_parts(Exec *exec, const Join *join, const JoinParts *build, const JoinParts *probe,
           unsigned level, Pipeline *out, AzError *error)
{
    JoinOnDisk disk = {join, build, probe, level};
    Join part = join_of_parts(join, exec->arena, &probe->spill.schema);
    Schema *schema = ARENA_NEW(exec->arena, Schema);
    *schema = part.schema;
    SpillPartsRun run = {
        .build = join_part,
        .context = &disk,
        .parts = spill_parts_count(&probe->spill),
        .schema = schema,
        .number = (uint32_t)part.sequence,
        .columns = join->schema.count,
    };
    ResultTable *table = spill_parts_run(exec, &run, error);
    return table && pipeline_from_table(exec, table, out);
}

static bool
join_on_disk(Exec *exec, const Join *join, const BuildSide *side, const Schema *probe_schema,
             Pipeline *out, unsigned level, AzError *error)
{
    ProbeSide probe = {.join = join};
    parts_init(&probe.parts, exec, join, probe_schema, level,
               join_drops_unmatched_probe(join->plan->join.kind));
    Sink sink = {.state = &probe, .consume = probe_consume};
    bool done = pipeline_run(exec, out, &sink, error) && parts_end(&probe.parts, exec, error);
    *out = (Pipeline){0};
    done = done && join_parts(exec, join, &side->parts, &probe.parts, level, out, error);
    spill_parts_free(&probe.parts.spill, exec);
    return done;
}

bool
join_run(Exec *exec, Join *join, Pipeline *build, const Schema *build_schema,
         const Schema *probe_schema, Pipeline *out, unsigned level, AzError *error)
{
    BuildSide side = {
        .join = join,
        .level = level,
        .few = join->few,
        .row_bytes = join_row_bytes(join, build_schema),
    };
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
    spill_parts_free(&side.parts.spill, exec);
    return done;
}
