// summarize, distinct and count: grouping with one table a worker.
//
// Each worker finds the group of every row in its own table and hands whole batches to
// the aggregates' update loops. Rows whose keys are dictionaries are grouped once for
// each combination of codes, or by numbers of their values (group_codes.h). What comes after the
// last row is in aggregate_merge.c; the answer does not depend on who did what.

#include "exec/group_codes.h"
#include "exec/summarize.h"

// ---- preparation ----

static bool
resolve_call(Exec *exec, AggregateCall *call, AzError *error)
{
    Expr **args = call->args;
    bool changed = false;
    if (!resolve_all(exec, args, call->arg_count, &call->args, error))
        return false;
    for (uint32_t i = 0; i < call->arg_count; i++)
        changed = changed || call->args[i] != args[i];
    if (call->filter && !(call->filter = resolve_subqueries(exec, call->filter, error)))
        return false;
    const AggregateImpl *impl = aggregate_impl(call);
    return !changed || !impl->bind || impl->bind(exec->arena, call, error);
}

// Where in a record the states lie.
static void
lay_out_record(Summarize *s)
{
    size_t key = s->layout.words * sizeof(uint64_t), size = 0;
    s->offsets = ARENA_ARRAY(s->exec->arena, size_t, s->call_count);
    for (uint32_t a = 0; a < s->call_count; a++) {
        const AggregateImpl *impl = aggregate_impl(&s->calls[a]);
        size_t state = impl->state_size_of ? impl->state_size_of(&s->calls[a]) : impl->state_size;
        s->offsets[a] = size;
        size += (state + 7) & ~(size_t)7;
    }
    s->states_at = key + 2 * sizeof(uint64_t); // behind the hash and the first row
    s->extra = (uint32_t)((s->states_at + size - key) / sizeof(uint64_t));
}

bool
summarize_init(Summarize *s, Exec *exec, Expr *const *keys, uint32_t key_count,
               const AggregateCall *calls, uint32_t call_count, AzError *error)
{
    *s = (Summarize){.exec = exec, .call_count = call_count};
    if (!resolve_all(exec, keys, key_count, &s->keys, error))
        return false;
    Type *types = ARENA_ARRAY(exec->arena, Type, key_count);
    for (uint32_t k = 0; k < key_count; k++)
        types[k] = s->keys[k]->type;
    s->layout = key_layout(exec->arena, types, key_count);
    s->calls = ARENA_ARRAY(exec->arena, AggregateCall, call_count);
    for (uint32_t a = 0; a < call_count; a++) {
        s->calls[a] = calls[a];
        if (!resolve_call(exec, &s->calls[a], error))
            return false;
    }
    lay_out_record(s);
    return true;
}

Summarize *
summarize_like(const Summarize *s, Expr **keys, AggregateCall *calls)
{
    Summarize *other = ARENA_NEW(s->exec->arena, Summarize);
    *other = (Summarize){
        .exec = s->exec,
        .keys = keys,
        .layout = s->layout,
        .calls = calls,
        .call_count = s->call_count,
        .states_at = s->states_at,
        .offsets = s->offsets,
        .extra = s->extra,
    };
    return other;
}

// ---- consuming ----

// Writes what the record of group `g`, which was just added, holds beside its key row.
static void
group_start(const Summarize *s, GroupPart *part, uint32_t g, uint64_t hash, uint64_t first)
{
    uint64_t *record = group_row(&part->table, g);
    *group_hash(s, record) = hash;
    *group_first(s, record) = first;
    part->unordered = part->unordered || first < part->last_first;
    part->last_first = first;
    char *states = group_states(s, record);
    for (uint32_t a = 0; a < s->call_count; a++)
        if (aggregate_impl(&s->calls[a])->init)
            aggregate_impl(&s->calls[a])->init(&s->calls[a], states + s->offsets[a]);
}

uint32_t
summarize_add(const Summarize *s, GroupPart *part, const uint64_t *key, uint64_t hash,
              uint64_t first)
{
    uint32_t group = group_add(&part->table, key, hash);
    group_start(s, part, group, hash, first);
    return group;
}

// Row i of `keys` is row origin[i] of `in`; NULL: row i.
static void
group_rows(const Summarize *s, GroupPart *part, Worker *worker, const Vector *const *keys,
           const uint32_t *origin, uint32_t count, const SummaryRows *in, uint32_t *groups)
{
    uint64_t *rows, *hashes;
    key_encode(&worker->batch, &s->layout, keys, count, &rows, &hashes);
    for (uint32_t i = 0; i < count; i++) {
        group_prefetch(&part->table, hashes, i, count);
        uint32_t before = part->table.count;
        groups[i] = group_add(&part->table, rows + (size_t)i * s->layout.words, hashes[i]);
        if (part->table.count == before)
            continue;
        group_start(s, part, before, hashes[i], row_sequence(in, origin ? origin[i] : i));
    }
}

// When all keys are dictionaries or constants with few combinations of codes: the
// number of combinations, else 0.
static uint32_t
code_space(const Vector *const *keys, uint32_t key_count, uint32_t rows)
{
    uint64_t space = 1;
    for (uint32_t k = 0; k < key_count; k++) {
        if (keys[k]->encoding == ENC_FLAT)
            return 0;
        if (keys[k]->encoding == ENC_DICT)
            space *= keys[k]->dict->count;
        if (space > rows)
            return 0;
    }
    return (uint32_t)space;
}

// Groups each combination of codes once.
static void
group_codes(const Summarize *s, GroupPart *part, Worker *worker, const Vector *const *keys,
            uint32_t space, uint32_t count, const SummaryRows *in, uint32_t *groups)
{
    Arena *arena = &worker->batch;
    uint32_t key_count = s->layout.count;
    memset(groups, 0, count * sizeof(*groups));
    for (uint32_t k = 0; k < key_count; k++) {
        if (keys[k]->encoding != ENC_DICT)
            continue;
        uint32_t radix = keys[k]->dict->count;
        const uint32_t *codes = keys[k]->codes;
        for (uint32_t i = 0; i < count; i++)
            groups[i] = groups[i] * radix + codes[i];
    }
    uint32_t *of_code = arena_alloc_array(arena, space, sizeof(uint32_t));
    uint32_t *first_rows = arena_alloc_array(arena, space, sizeof(uint32_t));
    memset(of_code, 0xFF, space * sizeof(uint32_t));
    uint32_t met = 0;
    for (uint32_t i = 0; i < count; i++)
        if (of_code[groups[i]] == GROUP_NONE) {
            of_code[groups[i]] = met;
            first_rows[met++] = i;
        }
    const Vector **distinct = ARENA_ARRAY(arena, const Vector *, key_count);
    for (uint32_t k = 0; k < key_count; k++)
        distinct[k] = vector_gather(arena, keys[k], first_rows, met);
    uint32_t *met_groups = arena_alloc_array(arena, met, sizeof(uint32_t));
    group_rows(s, part, worker, distinct, first_rows, met, in, met_groups);
    for (uint32_t i = 0; i < count; i++)
        groups[i] = met_groups[of_code[groups[i]]];
}

static void
forget_codes(GroupPart *part)
{
    arena_free(&part->codes_arena);
    part->codes = NULL;
}

// Groups rows by the numbers of their values, where that pays.
static bool
group_numbers(const Summarize *s, GroupPart *part, Worker *worker, const Vector *const *keys,
              uint32_t count, const SummaryRows *in, uint32_t *groups)
{
    Arena *arena = &worker->batch;
    CodeMisses misses;
    if (!part->codes)
        return false;
    if (!code_groups_find(part->codes, arena, keys, count, groups, &misses)) {
        if (code_groups_stopped(part->codes))
            forget_codes(part);
        return false;
    }
    if (!misses.count)
        return true;
    const Vector **missed = ARENA_ARRAY(arena, const Vector *, s->layout.count);
    for (uint32_t k = 0; k < s->layout.count; k++)
        missed[k] = vector_gather(arena, keys[k], misses.rows, misses.count);
    uint32_t *found = arena_alloc_array(arena, misses.count, sizeof(uint32_t));
    group_rows(s, part, worker, missed, misses.rows, misses.count, in, found);
    code_groups_learn(part->codes, &misses, found, count, groups);
    return true;
}

static void
find_groups(const Summarize *s, GroupPart *part, Worker *worker, const Vector *const *keys,
            const SummaryRows *in, uint32_t *groups)
{
    uint32_t rows = in->batch->selected, space = code_space(keys, s->layout.count, rows);
    if (space)
        group_codes(s, part, worker, keys, space, rows, in, groups);
    else if (!group_numbers(s, part, worker, keys, rows, in, groups))
        group_rows(s, part, worker, keys, NULL, rows, in, groups);
}

static bool
update_call(const AggregateCall *call, size_t offset, Worker *worker, GroupPart *part,
            const SummaryRows *in, void *const *bases)
{
    Arena *arena = &worker->batch;
    uint32_t rows = in->batch->selected, count = rows;
    uint32_t *kept = NULL;
    if (call->filter) {
        const Vector *truth = evaluate(worker, call->filter, in->batch);
        if (!truth)
            return false;
        kept = arena_alloc_array(arena, rows, sizeof(uint32_t));
        count = truth_rows(truth, rows, kept);
        if (!count)
            return true;
    }
    ArgView *args = ARENA_ARRAY(arena, ArgView, call->arg_count);
    for (uint32_t i = 0; i < call->arg_count; i++) {
        const Vector *v = evaluate(worker, call->args[i], in->batch);
        if (!v)
            return false;
        args[i] = arg_view(arena, kept ? vector_gather(arena, v, kept, count) : v);
    }
    void **states = arena_alloc_array(arena, count, sizeof(void *));
    for (uint32_t i = 0; i < count; i++)
        states[i] = (char *)bases[kept ? kept[i] : i] + offset;
    AggregateUpdate update = {
        .call = call,
        .args = args,
        .count = count,
        .states = states,
        .sequence = in->sequence,
        .rows = kept,
        .numbers = in->numbers,
        .arena = &part->held->arena,
        .scratch = &worker->scratch,
    };
    aggregate_impl(call)->update(&update);
    return true;
}

// The states of each row's group. Those of many groups are not in the caches: they are fetched ahead.
static void
find_states(const Summarize *s, const GroupPart *part, const uint32_t *groups, uint32_t rows,
            void **bases)
{
    enum { MANY = 8192 };
    bool many = part->table.count > MANY;
    for (uint32_t i = 0; i < rows; i++) {
        bases[i] = group_states(s, group_row(&part->table, groups[i]));
        if (many)
            __builtin_prefetch(bases[i]);
    }
}

// Rows that come in another order than the stream's: the first of a group may come later.
static void
find_firsts(const Summarize *s, GroupPart *part, const SummaryRows *rows, const uint32_t *groups)
{
    for (uint32_t i = 0; i < rows->batch->selected; i++) {
        uint64_t *first = group_first(s, group_row(&part->table, groups[i]));
        if ((uint64_t)rows->numbers[i] >= *first)
            continue;
        *first = (uint64_t)rows->numbers[i];
        part->unordered = true;
    }
}

bool
summarize_update(const Summarize *s, const AggregateCall *calls, Worker *worker, GroupPart *part,
                 const SummaryRows *rows, const uint32_t *groups)
{
    if (rows->numbers)
        find_firsts(s, part, rows, groups);
    if (!s->call_count)
        return true;
    void **bases = arena_alloc_array(&worker->batch, rows->batch->selected, sizeof(void *));
    find_states(s, part, groups, rows->batch->selected, bases);
    for (uint32_t a = 0; a < s->call_count; a++)
        if (!update_call(&calls[a], s->offsets[a], worker, part, rows, bases))
            return false;
    return true;
}

static bool
evaluate_keys(const Summarize *s, Expr *const *keys, Worker *worker, const Batch *batch,
              const Vector ***out)
{
    *out = ARENA_ARRAY(&worker->batch, const Vector *, s->layout.count);
    for (uint32_t k = 0; k < s->layout.count; k++)
        if (!((*out)[k] = evaluate(worker, keys[k], batch)))
            return false;
    return true;
}

bool
summarize_keys(const Summarize *s, Expr *const *keys, Worker *worker, const Batch *batch,
               uint64_t **rows, uint64_t **hashes)
{
    const Vector **values;
    if (!evaluate_keys(s, keys, worker, batch, &values))
        return false;
    key_encode(&worker->batch, &s->layout, values, batch->selected, rows, hashes);
    return true;
}

static const char WHAT[] = "its groups";

// Tells the budget how the part has grown, or asks whether it may grow by so many bytes.
static bool
part_charge(const Summarize *s, GroupPart *part, Worker *worker, size_t growth)
{
    Budget *budget = s->exec->options->budget;
    if (s->spill) {
        group_spill_watch(s, worker, part, growth);
        return true;
    }
    if (growth)
        return worker_reserve(worker, growth, WHAT);
    if (!budget || part_bytes(part) <= part->held->charged)
        return true;
    size_t grown = part_bytes(part) - part->held->charged;
    if (!budget_take(budget, grown, WHAT, &worker->error))
        return false;
    part->held->charged += grown;
    return true;
}

bool
summarize_take(const Summarize *s, Expr *const *keys, const AggregateCall *calls, Worker *worker,
               GroupPart *part, const SummaryRows *rows)
{
    const Vector **values;
    if (!evaluate_keys(s, keys, worker, rows->batch, &values))
        return false;
    uint32_t count = rows->batch->selected;
    uint32_t *groups = arena_alloc_array(&worker->batch, count, sizeof(uint32_t));
    find_groups(s, part, worker, values, rows, groups);
    return summarize_update(s, calls, worker, part, rows, groups);
}

// The sequences of the batch's rows where they do not follow those of the rows before; else NULL.
static const int64_t *
row_numbers(const Summarize *s, Worker *worker, const Batch *batch)
{
    Arena *arena = &worker->batch;
    if (s->numbered)
        return vector_flatten(arena, batch_column(arena, batch, batch->column_count - 1))->data;
    if (!s->backwards || batch->numbers)
        return batch_numbers(arena, batch);
    int64_t *numbers = arena_alloc_array(arena, batch->selected, sizeof(*numbers));
    for (uint32_t i = 0; i < batch->selected; i++)
        numbers[i] = (int64_t)(worker_sequence(worker) + i);
    return numbers;
}

static bool
summarize_consume(Sink *self, Worker *worker, Batch *batch)
{
    const Summarize *s = self->state;
    GroupPart *part = &s->parts[worker->number];
    SummaryRows rows = {.batch = batch,
                        .sequence = worker_sequence(worker),
                        .numbers = row_numbers(s, worker, batch)};
    if (s->only && !group_top_pick(s, worker, &rows))
        return false;
    if (!rows.batch->selected)
        return true;
    if (part->open == GROUPS_OPEN &&
        !part_charge(s, part, worker, group_table_growth(&part->table, rows.batch->selected)))
        return false;
    if (part->open != GROUPS_OPEN && part->codes)
        forget_codes(part);
    bool done = part->open == GROUPS_OPEN
                    ? summarize_take(s, s->keys, s->calls, worker, part, &rows)
                : group_top_takes(s, worker, part) ? group_top_consume(s, worker, part, &rows)
                                                   : group_spill_consume(s, worker, part, &rows);
    return done && part_charge(s, part, worker, 0);
}

// Whether column `column` of the rows is the time by which the branch's source is in order.
static bool
is_time_of(const Branch *branch, uint32_t column)
{
    ptrdiff_t at = branch->begin ? -1 : branch_column(branch, column);
    return at >= 0 && branch->source->time_column == (ptrdiff_t)branch->columns[at];
}

// Has the newest rows read first where groups are asked for their latest: most other rows are then only looked at. Of
// other calls those stay that no order of rows costs more.
static void
read_newest_first(Summarize *s, Pipeline *input)
{
    bool latest = false;
    for (uint32_t a = 0; a < s->call_count; a++) {
        const AggregateCall *call = &s->calls[a];
        if (aggregate_impl(call)->adds != ADDS_NOTHING)
            continue;
        if (!aggregate_impl(call)->greatest_first || call->args[0]->kind != EXPR_COLUMN)
            return;
        for (size_t b = 0; b < input->count; b++)
            if (!is_time_of(&input->branches[b], call->args[0]->column))
                return;
        latest = true;
    }
    s->backwards = latest;
    for (size_t b = 0; b < input->count && latest; b++)
        input->branches[b].backwards = true;
}

static bool
consume_all(Summarize *s, Pipeline *input, AzError *error)
{
    Exec *exec = s->exec;
    s->parts = ARENA_ARRAY(exec->arena, GroupPart, exec->worker_count);
    for (size_t w = 0; w < exec->worker_count; w++) {
        GroupPart *part = &s->parts[w];
        part->held = held_new(exec);
        group_table_init(&part->table, &s->layout, s->extra, &part->held->arena);
        part->codes = code_groups_new(&part->codes_arena, &s->layout);
    }
    Sink sink = {.state = s, .consume = summarize_consume};
    read_newest_first(s, input);
    bool done = pipeline_run(exec, input, &sink, error);
    for (size_t w = 0; w < exec->worker_count; w++) {
        Held *held = s->parts[w].held;
        forget_codes(&s->parts[w]);
        if (held->charged <= held->arena.allocated)
            continue;
        budget_give(exec->options->budget, held->charged - held->arena.allocated);
        held->charged = held->arena.allocated;
    }
    return done;
}

void
summarize_free(Summarize *s)
{
    for (size_t w = 0; w < s->exec->worker_count; w++)
        held_free(s->exec, s->parts[w].held);
    group_spill_free(s);
    if (s->input)
        held_free(s->exec, s->input);
    if (s->whole)
        summarize_free(s->whole);
}

// The groups of all rows. Without keys there is one, also of no rows (Kusto docs, summarize operator).
static void
merge_parts(Summarize *s)
{
    bool any = s->layout.count > 0;
    for (size_t w = 0; w < s->exec->worker_count; w++)
        any = any || s->parts[w].table.count;
    uint64_t row[1] = {0};
    if (!any)
        group_start(s, &s->parts[0], group_add(&s->parts[0].table, row, 0), 0, 0);
    summarize_merge(s);
}

bool
summarize_run(Summarize *s, Pipeline *input, AzError *error)
{
    if (!consume_all(s, input, error))
        return false;
    merge_parts(s);
    return true;
}

bool
summarize_stream(Summarize *s, Pipeline *input, const Schema *schema, bool numbered, Pipeline *out,
                 AzError *error)
{
    bool on_disk = false;
    if (!consume_all(s, input, error))
        return false;
    if (group_top_used(s))
        return group_top_stream(s, input, schema, numbered, out, error);
    if (s->spill && !group_spill_end(s, &on_disk, error))
        return false;
    if (on_disk && numbered) {
        group_spill_branches(s, out);
        return true;
    }
    if (on_disk) {
        ResultTable *table = group_spill_finish(s, error);
        summarize_free(s);
        return table && pipeline_from_table(s->exec, table, out);
    }
    merge_parts(s);
    pipeline_from_source(s->exec, summarize_source(s, schema), out);
    return true;
}

static bool
init_of_plan(Summarize *s, Exec *exec, const Plan *plan, AzError *error)
{
    return summarize_init(s, exec, plan->summarize.keys, plan->summarize.key_count,
                          plan->summarize.aggregates, plan->summarize.aggregate_count, error);
}

ResultTable *
summarize_pipeline(Exec *exec, const Plan *plan, Pipeline *input, AzError *error)
{
    Summarize s;
    return init_of_plan(&s, exec, plan, error) && summarize_run(&s, input, error)
               ? summarize_result(&s, &plan->schema, error)
               : NULL;
}

ResultTable *
run_summarize(Exec *exec, const Plan *plan, AzError *error)
{
    Pipeline input = {0};
    return pipeline_build(exec, plan->input, &input, error)
               ? summarize_pipeline(exec, plan, &input, error)
               : NULL;
}

bool
build_summarize(Exec *exec, const Plan *plan, Pipeline *out, AzError *error)
{
    Pipeline input = {0};
    Summarize *s = ARENA_NEW(exec->arena, Summarize);
    bool numbered = exec->numbered == plan;
    if (!pipeline_build_numbered(exec, plan->input, &input, error) ||
        !init_of_plan(s, exec, plan, error))
        return false;
    group_spill_prepare(s, &plan->schema, 0);
    if (exec->top.plan == plan)
        group_top_prepare(s, plan, &exec->top);
    bool done = summarize_stream(s, &input, &plan->schema, numbered, out, error);
    if (!done)
        group_spill_free(s);
    return done;
}
