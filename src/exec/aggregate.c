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
    s->offsets = ARENA_ARRAY(exec->arena, size_t, call_count);
    for (uint32_t a = 0; a < call_count; a++) {
        s->calls[a] = calls[a];
        if (!resolve_call(exec, &s->calls[a], error))
            return false;
        s->offsets[a] = s->state_size;
        s->state_size += (aggregate_impl(&s->calls[a])->state_size + 15) & ~(size_t)15;
    }
    s->parts = ARENA_ARRAY(exec->arena, GroupPart, exec->worker_count);
    for (size_t w = 0; w < exec->worker_count; w++) {
        group_table_init(&s->parts[w].table, &s->layout, &exec->workers[w].keep);
        s->parts[w].codes = code_groups_new(&exec->workers[w].keep, &s->layout);
    }
    return true;
}

// ---- consuming ----

// Zeroed states for one more group; taken from the arena for several at once.
static char *
next_state(const Summarize *s, GroupPart *part, Arena *arena)
{
    enum { FEW = 16, MANY = 256 };
    if (!s->state_size)
        return NULL;
    if (!part->states_left) {
        part->states_left = part->table.count < MANY ? FEW : MANY;
        part->states = arena_zalloc_array(arena, part->states_left, s->state_size);
    }
    part->states_left--;
    char *state = part->states;
    part->states += s->state_size;
    return state;
}

// Gives group `g`, which was just added, its place and new states.
static void
group_start(const Summarize *s, GroupPart *part, Arena *arena, uint32_t g, uint64_t first)
{
    char *state = next_state(s, part, arena);
    group_place(part, arena, g, (Group){first, state});
    for (uint32_t a = 0; a < s->call_count; a++)
        if (aggregate_impl(&s->calls[a])->init)
            aggregate_impl(&s->calls[a])->init(&s->calls[a], state + s->offsets[a]);
}

static void
group_rows(const Summarize *s, GroupPart *part, Worker *worker, const Vector *const *keys,
           const uint32_t *origin, uint32_t count, uint64_t sequence, uint32_t *groups)
{
    uint64_t *rows, *hashes;
    key_encode(&worker->batch, &s->layout, keys, count, &rows, &hashes);
    for (uint32_t i = 0; i < count; i++) {
        group_prefetch(&part->table, hashes, i, count);
        uint32_t before = part->table.count;
        groups[i] = group_add(&part->table, rows + (size_t)i * s->layout.words, hashes[i]);
        if (part->table.count > before)
            group_start(s, part, &worker->keep, before, sequence + (origin ? origin[i] : i));
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
            uint32_t space, uint32_t count, uint64_t sequence, uint32_t *groups)
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
    group_rows(s, part, worker, distinct, first_rows, met, sequence, met_groups);
    for (uint32_t i = 0; i < count; i++)
        groups[i] = met_groups[of_code[groups[i]]];
}

// Groups rows by the numbers of their values, where that pays.
static bool
group_numbers(const Summarize *s, GroupPart *part, Worker *worker, const Vector *const *keys,
              uint32_t count, uint64_t sequence, uint32_t *groups)
{
    Arena *arena = &worker->batch;
    CodeMisses misses;
    if (!code_groups_find(part->codes, arena, keys, count, groups, &misses))
        return false;
    if (!misses.count)
        return true;
    const Vector **missed = ARENA_ARRAY(arena, const Vector *, s->layout.count);
    for (uint32_t k = 0; k < s->layout.count; k++)
        missed[k] = vector_gather(arena, keys[k], misses.rows, misses.count);
    uint32_t *found = arena_alloc_array(arena, misses.count, sizeof(uint32_t));
    group_rows(s, part, worker, missed, misses.rows, misses.count, sequence, found);
    code_groups_learn(part->codes, &misses, found, count, groups);
    return true;
}

static bool
find_groups(const Summarize *s, GroupPart *part, Worker *worker, const Batch *batch,
            uint64_t sequence, uint32_t *groups)
{
    uint32_t key_count = s->layout.count, rows = batch->selected;
    const Vector **keys = ARENA_ARRAY(&worker->batch, const Vector *, key_count);
    for (uint32_t k = 0; k < key_count; k++)
        if (!(keys[k] = evaluate(worker, s->keys[k], batch)))
            return false;
    if (!worker_reserve(worker, group_table_growth(&part->table, rows), "its groups"))
        return false;
    uint32_t space = code_space(keys, key_count, rows);
    if (space)
        group_codes(s, part, worker, keys, space, rows, sequence, groups);
    else if (!group_numbers(s, part, worker, keys, rows, sequence, groups))
        group_rows(s, part, worker, keys, NULL, rows, sequence, groups);
    return true;
}

static bool
update_call(const Summarize *s, uint32_t a, Worker *worker, const Batch *batch, uint64_t sequence,
            void *const *bases)
{
    Arena *arena = &worker->batch;
    const AggregateCall *call = &s->calls[a];
    uint32_t rows = batch->selected, count = rows;
    uint32_t *kept = NULL;
    if (call->filter) {
        const Vector *truth = evaluate(worker, call->filter, batch);
        if (!truth)
            return false;
        kept = arena_alloc_array(arena, rows, sizeof(uint32_t));
        count = truth_rows(truth, rows, kept);
        if (!count)
            return true;
    }
    ArgView *args = ARENA_ARRAY(arena, ArgView, call->arg_count);
    for (uint32_t i = 0; i < call->arg_count; i++) {
        const Vector *v = evaluate(worker, call->args[i], batch);
        if (!v)
            return false;
        args[i] = arg_view(arena, kept ? vector_gather(arena, v, kept, count) : v);
    }
    void **states = arena_alloc_array(arena, count, sizeof(void *));
    for (uint32_t i = 0; i < count; i++)
        states[i] = (char *)bases[kept ? kept[i] : i] + s->offsets[a];
    AggregateUpdate update = {
        .call = call,
        .args = args,
        .count = count,
        .states = states,
        .sequence = sequence,
        .rows = kept,
        .arena = &worker->keep,
        .scratch = &worker->scratch,
    };
    aggregate_impl(call)->update(&update);
    return true;
}

// The states of each row's group. Those of many groups are not in the caches: they are fetched ahead.
static void
find_states(const GroupPart *part, const uint32_t *groups, uint32_t rows, void **bases)
{
    enum { MANY = 8192, AHEAD = 16 };
    bool many = part->table.count > MANY;
    for (uint32_t i = 0; i < rows; i++) {
        if (many && i + AHEAD < rows)
            __builtin_prefetch(&part->groups[groups[i + AHEAD]]);
        bases[i] = part->groups[groups[i]].state;
        if (many)
            __builtin_prefetch(bases[i]);
    }
}

static bool
summarize_consume(Sink *self, Worker *worker, Batch *batch)
{
    Summarize *s = self->state;
    GroupPart *part = &s->parts[worker->number];
    uint64_t sequence = worker_sequence(worker);
    uint32_t rows = batch->selected, aggregates = s->call_count;
    uint32_t *groups = arena_alloc_array(&worker->batch, rows, sizeof(uint32_t));
    if (!find_groups(s, part, worker, batch, sequence, groups))
        return false;
    if (aggregates) {
        void **bases = arena_alloc_array(&worker->batch, rows, sizeof(void *));
        find_states(part, groups, rows, bases);
        for (uint32_t a = 0; a < aggregates; a++)
            if (!update_call(s, a, worker, batch, sequence, bases))
                return false;
    }
    return worker_charge(worker, "its groups");
}

bool
summarize_run(Summarize *s, Pipeline *input, AzError *error)
{
    Sink sink = {.state = s, .consume = summarize_consume};
    if (!pipeline_run(s->exec, input, &sink, error))
        return false;
    summarize_merge(s);
    // Without keys there is one group, also of no rows (Kusto docs, summarize operator).
    GroupPart *first = &s->merged[0];
    if (!s->layout.count && !first->table.count) {
        uint64_t row[1] = {0};
        group_start(s, first, &s->exec->workers[0].keep, group_add(&first->table, row, 0), 0);
    }
    summarize_order(s);
    return true;
}

ResultTable *
summarize_pipeline(Exec *exec, const Plan *plan, Pipeline *input, AzError *error)
{
    Summarize s;
    if (!summarize_init(&s, exec, plan->summarize.keys, plan->summarize.key_count,
                        plan->summarize.aggregates, plan->summarize.aggregate_count, error))
        return NULL;
    return summarize_run(&s, input, error) ? summarize_result(&s, &plan->schema, error) : NULL;
}

ResultTable *
run_summarize(Exec *exec, const Plan *plan, AzError *error)
{
    Pipeline input = {0};
    return pipeline_build(exec, plan->input, &input, error)
               ? summarize_pipeline(exec, plan, &input, error)
               : NULL;
}
