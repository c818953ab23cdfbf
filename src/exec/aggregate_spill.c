// Groups that are more than the memory: rows of groups that have no room go to disk, cut into parts by
// the hashes of their keys, and are grouped there part by part (a hybrid hash aggregation).
//
// A worker takes new groups until they fill its share of half the budget. From then on it takes only
// rows of groups that it has, and when the states of these grow too large (lists, sets) none at all. Of the other
// rows it writes what the groups need: keys, arguments and conditions, evaluated, and the sequence. Afterwards each
// part is a summarize of its own over its rows, to which the groups in memory with these hashes are added;
// it may go to disk again. What the parts yield is merged by the sequence of each group's first row, which is the
// order that groups have in memory, unless what comes next takes rows by their numbers: then parts are read
// one after another, and their rows are never all there.

#include "exec/kept_rows.h"
#include "exec/spill_parts.h"
#include "exec/summarize.h"

// Rows cut more often are groups of few keys: cutting does not make them smaller. Those cut twice have large states,
// which are better in memory as long as the budget has room.
enum { GROUP_LEVELS = 3, GROUP_LEVELS_WANTED = 2 };

struct GroupSpill {
    unsigned level;
    size_t share;  // bytes of a worker's groups after which it takes no new ones
    size_t most;   // the same where nothing can be written
    Schema answer; // keys, values, and the sequence of the first row
    // The columns of rows on disk, before their sequence: the expressions that are written there, and keys
    // and calls over the columns.
    Expr **written;
    uint32_t written_count;
    Expr **keys;
    AggregateCall *calls;
    SpillParts rows;
    // The groups in memory, by part: those of part p from starts[p] on.
    uint64_t **records;
    size_t starts[SPILL_PARTS_MOST + 1];
};

// ---- what is written ----

// The column of the rows on disk that holds the expression; constants are not written.
static Expr *
written_column(GroupSpill *spill, Arena *arena, Expr *expr)
{
    if (expr->kind == EXPR_CONST)
        return expr;
    uint32_t column = 0;
    while (column < spill->written_count &&
           !(expr->kind == EXPR_COLUMN && spill->written[column]->kind == EXPR_COLUMN &&
             expr->column == spill->written[column]->column))
        column++;
    if (column == spill->written_count)
        spill->written[spill->written_count++] = expr;
    return expr_column(arena, column, expr->type, expr->span);
}

static void
lay_out_rows(GroupSpill *spill, Arena *arena, const Summarize *s)
{
    size_t most = s->layout.count;
    for (uint32_t a = 0; a < s->call_count; a++)
        most += s->calls[a].arg_count + (s->calls[a].filter != NULL);
    spill->written = ARENA_ARRAY(arena, Expr *, most);
    spill->keys = ARENA_ARRAY(arena, Expr *, s->layout.count);
    spill->calls = ARENA_ARRAY(arena, AggregateCall, s->call_count);
    for (uint32_t k = 0; k < s->layout.count; k++)
        spill->keys[k] = written_column(spill, arena, s->keys[k]);
    for (uint32_t a = 0; a < s->call_count; a++) {
        AggregateCall *call = &spill->calls[a];
        *call = s->calls[a];
        call->args = ARENA_ARRAY(arena, Expr *, call->arg_count);
        for (uint32_t i = 0; i < call->arg_count; i++)
            call->args[i] = written_column(spill, arena, s->calls[a].args[i]);
        if (call->filter)
            call->filter = written_column(spill, arena, call->filter);
    }
}

void
group_spill_prepare(Summarize *s, const Schema *schema, unsigned level)
{
    Exec *exec = s->exec;
    const Budget *budget = exec->options->budget;
    if (!budget || !budget->limit || !s->layout.count || level > GROUP_LEVELS)
        return;
    GroupSpill *spill = ARENA_NEW(exec->arena, GroupSpill);
    spill->level = level;
    spill->most = spill->share = (budget->limit >> (level + 1)) / exec->worker_count;
    size_t wanted = exec->options->group_memory / exec->worker_count;
    if (wanted && wanted < spill->share && level < GROUP_LEVELS_WANTED)
        spill->share = wanted;
    spill->answer = level ? *schema : spill_numbered_schema(exec->arena, schema);
    lay_out_rows(spill, exec->arena, s);
    Schema rows = {ARENA_ARRAY(exec->arena, Column, spill->written_count), spill->written_count};
    for (uint32_t c = 0; c < rows.count; c++)
        rows.columns[c] = (Column){STR("$written"), spill->written[c]->type};
    rows = spill_numbered_schema(exec->arena, &rows);
    spill_parts_init(&spill->rows, exec, &rows, SPILL_MANY_BITS, level);
    s->spill = spill;
}

// ---- consuming ----

void
group_spill_watch(const Summarize *s, Worker *worker, GroupPart *part, size_t growth)
{
    size_t share = part->no_disk ? s->spill->most : s->spill->share;
    // Where rows without a group need not be kept, the groups that stand out are found in half of that.
    if (part->open == GROUPS_OPEN && part_bytes(part) + growth > share / 2 &&
        group_top_takes(s, worker, part)) {
        part->open = GROUPS_CLOSED;
        return;
    }
    size_t most = part->open == GROUPS_OPEN ? share : share + share / 4;
    if (part->open != GROUPS_SEALED &&
        !kept_charge(s->exec, &part->held->charged, part_bytes(part) + growth, most))
        part->open = part->open == GROUPS_OPEN ? GROUPS_CLOSED : GROUPS_SEALED;
}

// The rows with the columns that are written, and their sequence.
static const Batch *
rows_as_written(const Summarize *s, Worker *worker, const SummaryRows *in)
{
    if (s->numbered)
        return batch_compact(&worker->batch, in->batch);
    const GroupSpill *spill = s->spill;
    Batch *out = batch_new(&worker->batch, spill->written_count, in->batch->selected);
    for (uint32_t c = 0; c < spill->written_count; c++)
        if (!(out->columns[c] = evaluate(worker, spill->written[c], in->batch)))
            return NULL;
    out->numbers = in->numbers;
    return batch_numbered(&worker->batch, out, in->sequence);
}

// Takes those of the rows that have a group: row i has groups[i].
static bool
take_known(const Summarize *s, Worker *worker, GroupPart *part, const Batch *rows,
           const uint32_t *groups)
{
    Arena *arena = &worker->batch;
    uint32_t *known = arena_alloc_array(arena, rows->count, sizeof(uint32_t));
    uint32_t *known_groups = arena_alloc_array(arena, rows->count, sizeof(uint32_t));
    Batch batch = *rows;
    batch.selection = known;
    batch.selected = 0;
    for (uint32_t i = 0; i < rows->count; i++)
        if (groups[i] != GROUP_NONE) {
            known_groups[batch.selected] = groups[i];
            known[batch.selected++] = i;
        }
    if (!batch.selected)
        return true;
    const Vector *numbers = batch_column(arena, &batch, rows->column_count - 1);
    SummaryRows in = {.batch = &batch, .numbers = vector_flatten(arena, numbers)->data};
    return summarize_update(s, s->spill->calls, worker, part, &in, known_groups);
}

// The disk takes no more rows. A query that has memory left goes on there: the rows that wait become groups, and so do
// those to come.
static bool
take_back(const Summarize *s, Worker *worker, GroupPart *part)
{
    GroupSpill *spill = s->spill;
    if (part->no_disk || spill->share == spill->most)
        return false;
    error_clear(&worker->error);
    part->no_disk = true;
    part->open = GROUPS_OPEN;
    SpillPartLists *lists = &spill->rows.workers[worker->number];
    for (size_t b = 0; b < lists->batches.len; b++) {
        Batch *rows = lists->batches.items[b].batch;
        const Vector *numbers = rows->columns[rows->column_count - 1];
        SummaryRows in = {.batch = rows, .numbers = vector_flatten(&worker->batch, numbers)->data};
        if (!summarize_take(s, spill->keys, spill->calls, worker, part, &in))
            return false;
    }
    spill_parts_drop(lists);
    return true;
}

bool
group_spill_consume(const Summarize *s, Worker *worker, GroupPart *part, const SummaryRows *in)
{
    GroupSpill *spill = s->spill;
    Arena *arena = &worker->batch;
    const Batch *rows = rows_as_written(s, worker, in);
    uint64_t *key_rows, *hashes;
    if (!rows || !summarize_keys(s, spill->keys, worker, rows, &key_rows, &hashes))
        return false;
    uint32_t *groups = arena_alloc_array(arena, rows->count, sizeof(uint32_t));
    uint8_t *parts = arena_alloc_array(arena, rows->count, 1);
    bool sealed = part->open == GROUPS_SEALED, all_known = true;
    for (uint32_t i = 0; i < rows->count; i++) {
        group_prefetch(&part->table, hashes, i, rows->count);
        groups[i] =
            sealed ? GROUP_NONE
                   : group_find(&part->table, key_rows + (size_t)i * s->layout.words, hashes[i]);
        bool known = groups[i] != GROUP_NONE;
        parts[i] = known ? SPILL_PARTS_MOST : spill_part_of(&spill->rows, hashes[i]);
        all_known = all_known && known;
    }
    return take_known(s, worker, part, rows, groups) &&
           (all_known ||
            spill_parts_add(&spill->rows, worker, rows, parts, worker_sequence(worker)) ||
            take_back(s, worker, part)) &&
           worker_check(worker);
}

bool
group_spill_end(const Summarize *s, bool *used, AzError *error)
{
    for (size_t w = 0; w < s->exec->worker_count; w++) {
        Worker *worker = &s->exec->workers[w];
        if (!spill_parts_end(&s->spill->rows, worker) && !take_back(s, worker, &s->parts[w]))
            return exec_first_error(s->exec, error);
    }
    *used = spill_parts_used(&s->spill->rows, s->exec);
    return true;
}

// ---- part by part ----

// Sorts the groups in memory by part.
static void
deal_out_groups(const Summarize *s)
{
    GroupSpill *spill = s->spill;
    size_t count = s->before.count, next[SPILL_PARTS_MOST + 1] = {0};
    for (size_t w = 0; w < s->exec->worker_count; w++)
        count += s->parts[w].table.count;
    uint64_t **all = arena_alloc_array(s->exec->arena, count, sizeof(*all));
    size_t at = 0;
    for (size_t w = 0; w < s->exec->worker_count; w++)
        for (uint32_t g = 0; g < s->parts[w].table.count; g++)
            all[at++] = group_row(&s->parts[w].table, g);
    if (s->before.count)
        memcpy(all + at, s->before.records, s->before.count * sizeof(*all));
    for (size_t i = 0; i < count; i++)
        next[spill_part_of(&spill->rows, *group_hash(s, all[i])) + 1]++;
    for (unsigned p = 0; p < SPILL_PARTS_MOST; p++)
        next[p + 1] += next[p];
    memcpy(spill->starts, next, sizeof(next));
    spill->records = arena_alloc_array(s->exec->arena, count, sizeof(*all));
    for (size_t i = 0; i < count; i++)
        spill->records[next[spill_part_of(&spill->rows, *group_hash(s, all[i]))]++] = all[i];
    arena_release(s->exec->arena, all);
}

static Summarize *
part_of(const Summarize *whole, unsigned p)
{
    const GroupSpill *spill = whole->spill;
    Summarize *part = summarize_like(whole, spill->keys, spill->calls);
    part->numbered = true;
    part->input = held_new(whole->exec);
    part->before =
        (GroupList){spill->records + spill->starts[p], spill->starts[p + 1] - spill->starts[p]};
    return part;
}

static bool
part_stream(Summarize *part, const GroupSpill *spill, unsigned p, Pipeline *out, AzError *error)
{
    Exec *exec = part->exec;
    Pipeline rows = {0};
    const ResultTable *table = spill_parts_table(&spill->rows, exec, &part->input->arena, p);
    if (!spill_parts_few(table))
        group_spill_prepare(part, &spill->answer, spill->level + 1);
    bool done = pipeline_from_table(exec, table, &rows) &&
                summarize_stream(part, &rows, &spill->answer, false, out, error);
    if (!done)
        group_spill_free(part);
    return done;
}

static bool
build_part(Exec *exec, void *context, unsigned p, Pipeline *out, AzError *error)
{
    (void)exec;
    const Summarize *whole = context;
    return part_stream(part_of(whole, p), whole->spill, p, out, error);
}

ResultTable *
group_spill_finish(Summarize *s, AzError *error)
{
    GroupSpill *spill = s->spill;
    deal_out_groups(s);
    SpillPartsRun run = {
        .build = build_part,
        .context = s,
        .parts = spill_parts_count(&spill->rows),
        .schema = &spill->answer,
        .number = spill->answer.count - 1,
        .columns = spill->answer.count - (spill->level == 0),
    };
    return spill_parts_run(s->exec, &run, error);
}

// ---- as branches ----

typedef struct PartBranch {
    Summarize *whole;
    unsigned part;
} PartBranch;

// Whether all rows of the groups in memory are in them: no row of theirs went to disk. Another worker's may have.
static bool
memory_is_complete(const Summarize *s)
{
    return s->exec->worker_count == 1 && s->parts[0].open == GROUPS_CLOSED && !s->parts[0].no_disk;
}

static bool
part_begin(Exec *exec, Branch *branch, AzError *error)
{
    const PartBranch *state = branch->begin_state;
    Summarize *part = part_of(state->whole, state->part);
    part->any_order = true;
    part->apart = memory_is_complete(state->whole);
    if (state->part == spill_parts_count(&state->whole->spill->rows) - 1)
        part->whole = state->whole;
    Pipeline groups = {0};
    ProfileNode *before = profile_enter_node(exec, branch->node);
    bool done = part_stream(part, state->whole->spill, state->part, &groups, error);
    profile_leave(exec, before);
    branch->source = done ? groups.branches[0].source : NULL;
    return done;
}

void
group_spill_branches(Summarize *s, Pipeline *out)
{
    Arena *arena = s->exec->arena;
    unsigned parts = spill_parts_count(&s->spill->rows);
    uint32_t columns = s->spill->answer.count - 1;
    deal_out_groups(s);
    for (unsigned p = 0; p < parts; p++) {
        PartBranch *state = ARENA_NEW(arena, PartBranch);
        *state = (PartBranch){s, p};
        Branch *branch = pipeline_add_branch(s->exec, out);
        branch->columns = ARENA_ARRAY(arena, uint32_t, columns);
        branch->column_count = columns;
        for (uint32_t c = 0; c < columns; c++)
            branch->columns[c] = c;
        branch->numbered = true;
        branch->begin = part_begin;
        branch->begin_state = state;
    }
}

void
group_spill_free(Summarize *s)
{
    if (s->spill)
        spill_parts_free(&s->spill->rows, s->exec);
    s->spill = NULL;
}
