// The first few groups by a count or a sum, of more groups than memory is meant to hold.
//
// Where few groups stand out, most need never be kept: what they could reach at most is told by the sums over all
// rows whose keys fall in the same bucket of their hashes. A worker that takes no new groups any more adds the rows
// of groups it does not have to its buckets. After the last row the groups in memory say what a group must
// reach; those of a bucket that does not reach it are not among the first. Rows of the other buckets, mostly
// none, are read once more and grouped as ever, without those of the first reading.
//
// Where no group stands out, as the first worker sees when its memory is full, all groups are kept; and all rows are
// read again where that was no help: a value below zero would make a bucket's sum tell nothing.

#include "exec/kept_rows.h"
#include "exec/summarize.h"

#include <stdatomic.h>

// A bucket is told by bits of the hash that choose neither a part on disk nor, mostly, a slot.
enum { BUCKET_BITS = 18, BUCKETS = 1 << BUCKET_BITS, BUCKET_SHIFT = 22 };

// The last of the groups that are wanted must have so many times what a group has on the average, and what a bucket would
// have, were all rows spread evenly.
enum { STANDS_OUT = 16 };

// Sums of reals round, at most by so much of them.
static const double MORE = 1 + 1e-5;
// What a row adds to its bucket at least, so that it shows.
static const double SOME = 1e-300;
// From here on sums of longs come near to where they wrap around.
static const double LARGEST = 4e18;

typedef enum TopState {
    TOP_OPEN,  // no worker's memory is full yet
    TOP_FIRST, // rows of groups that have no room are added to buckets
    TOP_ALL,   // they are kept
    TOP_LOST,  // as TOP_FIRST, but buckets tell nothing
} TopState;

// A group that comes when memory is full still gets in by one row that is large: by this part of what the last of the
// groups that are wanted has by then, and twice as much after each step of those that may. These are few beside the
// groups that the worker has.
enum { LARGE_PART = 4, LATE_STEPS = 16, LATE_SHARE = 8, LATE_MOST = 1 << 14 };

// Rows of which fewer than this part of what is read come to the groups cost too much to be read again.
enum { READ_SHARE = 4 };

// What a worker knows of rows of groups it has no room for.
typedef struct TopBuckets {
    Held *held;     // of what follows
    double *bounds; // of each bucket; 0: it has had no row. NULL: there was no such row
    uint32_t first; // the groups from this one on came late:
    double *missed; // what each may have had before
    uint32_t late;  // how many those are
    uint32_t late_most;
    double large; // a row that lets its group in
} TopBuckets;

struct GroupTop {
    uint32_t call; // whose value the groups are wanted by
    Column column; // of that value
    uint64_t limit;
    _Atomic TopState state;
    _Atomic double least; // when it was decided: of the groups that are wanted, by one worker
    TopBuckets *parts;    // one a worker
};

static inline uint32_t
bucket_of(uint64_t hash)
{
    return hash >> BUCKET_SHIFT & (BUCKETS - 1);
}

// ---- whether it can be done ----

// Whether the rows of the plan can be read twice, for little, and are the same then.
static bool
is_repeatable(const Plan *plan)
{
    switch (plan->kind) {
    case PLAN_SCAN:
    case PLAN_VALUES:
    case PLAN_SHARED: return true;
    case PLAN_FILTER:
        return !expr_is_volatile(plan->filter.predicate) && is_repeatable(plan->input);
    case PLAN_PROJECT:
        for (uint32_t c = 0; c < plan->schema.count; c++)
            if (expr_is_volatile(plan->project.exprs[c]))
                return false;
        return is_repeatable(plan->input);
    case PLAN_UNION:
        for (uint32_t i = 0; i < plan->union_.count; i++)
            if (!is_repeatable(plan->union_.inputs[i]))
                return false;
        return true;
    default: return false;
    }
}

static bool
some_volatile(const Summarize *s)
{
    bool some = false;
    for (uint32_t k = 0; k < s->layout.count; k++)
        some = some || expr_is_volatile(s->keys[k]);
    for (uint32_t a = 0; a < s->call_count; a++) {
        for (uint32_t i = 0; i < s->calls[a].arg_count; i++)
            some = some || expr_is_volatile(s->calls[a].args[i]);
        some = some || (s->calls[a].filter && expr_is_volatile(s->calls[a].filter));
    }
    return some;
}

void
group_top_prepare(Summarize *s, const Plan *plan, const TopWanted *wanted)
{
    uint32_t call = 0, column = s->layout.count;
    while (call < s->call_count && column + s->calls[call].output_count <= wanted->column)
        column += s->calls[call++].output_count;
    if (!s->spill || wanted->column < column || call == s->call_count ||
        aggregate_impl(&s->calls[call])->adds == ADDS_NOTHING || some_volatile(s) ||
        !is_repeatable(plan->input))
        return;
    Exec *exec = s->exec;
    GroupTop *top = ARENA_NEW(exec->arena, GroupTop);
    top->call = call;
    top->column = plan->schema.columns[wanted->column];
    top->limit = wanted->limit;
    top->parts = ARENA_ARRAY(exec->arena, TopBuckets, exec->worker_count);
    for (size_t w = 0; w < exec->worker_count; w++)
        top->parts[w].held = held_new(exec);
    s->top = top;
}

// ---- what groups have ----

// The values of groups as reals, in the order of their records; false when one is below zero or no number.
static bool
group_values(const Summarize *s, Worker *worker, uint64_t *const *records, size_t count,
             double *values)
{
    enum { CHUNK = 1024 };
    const GroupTop *top = s->top;
    bool fit = true;
    Arena arena = {0};
    for (size_t at = 0; at < count; at += CHUNK) {
        char *states[CHUNK];
        uint32_t rows = count - at < CHUNK ? (uint32_t)(count - at) : CHUNK;
        for (uint32_t i = 0; i < rows; i++)
            states[i] = group_states(s, records[at + i]) + s->offsets[top->call];
        const Vector *out;
        summarize_finish_call(&s->calls[top->call], &arena, &worker->scratch, states, rows,
                              &top->column, &out);
        for (uint32_t i = 0; i < rows; i++) {
            double value = out->type == TYPE_REAL ? ((const double *)out->data)[i]
                                                  : (double)((const int64_t *)out->data)[i];
            values[at + i] = value + 0.0; // no zero below zero
            fit = fit && value >= 0;
        }
        arena_reset(&arena);
    }
    arena_free(&arena);
    return fit;
}

// The least of the `limit` greatest of values that are not below zero; 0 when there are not so many.
static double
least_wanted(Arena *arena, const double *values, size_t count, uint64_t limit)
{
    if (count < limit || count > UINT32_MAX)
        return 0;
    uint64_t *words = arena_alloc_array(arena, count, sizeof(*words)); // in the order of the values
    memcpy(words, values, count * sizeof(*words));
    return values[order_by_words(arena, words, (uint32_t)count)[count - limit]];
}

// ---- rows of groups that have no room ----

// Whether enough of the worker's groups have much more than others, and than a bucket would, and another reading would
// cost little.
static bool
groups_stand_out(const Summarize *s, Worker *worker, const GroupPart *part)
{
    if (worker->rows_passed < worker->rows_read / READ_SHARE)
        return false;
    uint32_t count = part->table.count;
    Arena arena = {0};
    uint64_t **records = arena_alloc_array(&arena, count, sizeof(*records));
    double *values = arena_alloc_array(&arena, count, sizeof(*values)), whole = 0;
    for (uint32_t g = 0; g < count; g++)
        records[g] = group_row(&part->table, g);
    bool fit = group_values(s, worker, records, count, values);
    for (uint32_t g = 0; g < count; g++)
        whole += values[g];
    double least = fit ? least_wanted(&arena, values, count, s->top->limit) : 0;
    arena_free(&arena);
    if (least <= 0 || least * BUCKETS < whole * STANDS_OUT || least * count < whole * STANDS_OUT)
        return false;
    s->top->least = least;
    return true;
}

bool
group_top_takes(const Summarize *s, Worker *worker, const GroupPart *part)
{
    GroupTop *top = s->top;
    if (!top)
        return false;
    if (top->state == TOP_OPEN) {
        TopState open = TOP_OPEN;
        TopState decided = groups_stand_out(s, worker, part) ? TOP_FIRST : TOP_ALL;
        atomic_compare_exchange_strong(&top->state, &open, decided);
    }
    return top->state != TOP_ALL;
}

// What each row adds to its group, or nothing; false when some row would take from it.
static bool
row_weights(const Summarize *s, Worker *worker, const Batch *batch, double *weights, bool *fit)
{
    const AggregateCall *call = &s->calls[s->top->call];
    uint32_t rows = batch->selected;
    bool ones = aggregate_impl(call)->adds == ADDS_ONES;
    for (uint32_t i = 0; ones && i < rows; i++)
        weights[i] = 1;
    if (!ones) {
        const Vector *v = evaluate(worker, call->args[0], batch);
        if (!v)
            return false;
        ArgView arg = arg_view(&worker->batch, v);
        for (uint32_t i = 0; i < rows; i++) {
            size_t at = i & arg.mask;
            double value = arg.type == TYPE_REAL  ? ((const double *)arg.data)[at]
                           : arg.type == TYPE_INT ? ((const int32_t *)arg.data)[at]
                                                  : (double)((const int64_t *)arg.data)[at];
            weights[i] = arg.valid && !bit_get(arg.valid, at) ? 0 : value;
        }
    }
    if (call->filter) {
        const Vector *truth = evaluate(worker, call->filter, batch);
        if (!truth)
            return false;
        uint32_t *kept = arena_alloc_array(&worker->batch, rows, sizeof(uint32_t));
        uint32_t count = truth_rows(truth, rows, kept), next = 0;
        for (uint32_t i = 0; i < rows; i++) {
            bool counts = next < count && kept[next] == i;
            next += counts;
            weights[i] = counts ? weights[i] : 0;
        }
    }
    *fit = true;
    for (uint32_t i = 0; i < rows; i++)
        *fit = *fit && weights[i] >= 0;
    return true;
}

// Makes the worker's buckets; false: there is no memory for them.
static bool
buckets_start(const Summarize *s, TopBuckets *top, const GroupPart *part)
{
    uint32_t most = part->table.count / LATE_SHARE;
    top->late_most = most < LATE_MOST ? most : LATE_MOST;
    size_t bytes = (BUCKETS + top->late_most) * sizeof(double);
    if (!kept_charge(s->exec, &top->held->charged, bytes, SIZE_MAX))
        return false;
    top->bounds = ARENA_ARRAY(&top->held->arena, double, BUCKETS);
    top->missed = ARENA_ARRAY(&top->held->arena, double, top->late_most);
    top->first = part->table.count;
    top->large = s->top->least / LARGE_PART;
    return true;
}

// A large row lets its group in.
static uint32_t
add_late(const Summarize *s, TopBuckets *top, GroupPart *part, const uint64_t *key, uint64_t hash,
         uint64_t first)
{
    top->missed[top->late++] = top->bounds[bucket_of(hash)];
    if (top->late % (top->late_most / LATE_STEPS + 1) == 0)
        top->large *= 2;
    return summarize_add(s, part, key, hash, first);
}

// A row of a group that has no room: its weight goes to the bucket, or its group gets in.
static uint32_t
add_unknown(const Summarize *s, TopBuckets *top, GroupPart *part, const uint64_t *key,
            uint64_t hash, double weight, uint64_t first)
{
    if (weight >= top->large && top->late < top->late_most)
        return add_late(s, top, part, key, hash, first);
    top->bounds[bucket_of(hash)] += weight > SOME ? weight : SOME;
    return GROUP_NONE;
}

// Rows are no longer looked at: all will be read again.
static bool
lose(const Summarize *s)
{
    s->top->state = TOP_LOST;
    exec_stop_after(s->exec, 0);
    return true;
}

// The rows that `places` names, of those that live.
static SummaryRows
some_rows(Worker *worker, const SummaryRows *in, const uint32_t *places, uint32_t count)
{
    Arena *arena = &worker->batch;
    Batch *batch = arena_alloc(arena, sizeof(Batch));
    *batch = *in->batch;
    uint32_t *selection = arena_alloc_array(arena, count, sizeof(uint32_t));
    int64_t *numbers = arena_alloc_array(arena, count, sizeof(int64_t));
    for (uint32_t i = 0; i < count; i++) {
        selection[i] = batch_row(in->batch, places[i]);
        numbers[i] = (int64_t)row_sequence(in, places[i]);
    }
    batch->selection = selection;
    batch->selected = count;
    batch->numbers = NULL; // they are told apart
    return (SummaryRows){.batch = batch, .numbers = numbers};
}

bool
group_top_consume(const Summarize *s, Worker *worker, GroupPart *part, const SummaryRows *in)
{
    Arena *arena = &worker->batch;
    uint32_t rows = in->batch->selected, known = 0;
    TopBuckets *top = &s->top->parts[worker->number];
    if (s->top->state == TOP_LOST || part->open == GROUPS_SEALED ||
        (!top->bounds && !buckets_start(s, top, part)))
        return lose(s);
    uint64_t *keys, *hashes;
    double *weights = arena_alloc_array(arena, rows, sizeof(double));
    bool fit;
    if (!summarize_keys(s, s->keys, worker, in->batch, &keys, &hashes) ||
        !row_weights(s, worker, in->batch, weights, &fit))
        return false;
    if (!fit)
        return lose(s);
    uint32_t *places = arena_alloc_array(arena, rows, sizeof(uint32_t));
    uint32_t *groups = arena_alloc_array(arena, rows, sizeof(uint32_t));
    for (uint32_t i = 0; i < rows; i++) {
        group_prefetch(&part->table, hashes, i, rows);
        const uint64_t *key = keys + (size_t)i * s->layout.words;
        uint32_t group = group_find(&part->table, key, hashes[i]);
        if (group == GROUP_NONE)
            group = add_unknown(s, top, part, key, hashes[i], weights[i], row_sequence(in, i));
        places[known] = i;
        groups[known] = group;
        known += group != GROUP_NONE;
    }
    if (worker->clock.node)
        worker->clock.node->slots[worker->number].left_out += rows - known;
    if (!known)
        return true;
    SummaryRows of_known = some_rows(worker, in, places, known);
    return summarize_update(s, s->calls, worker, part, &of_known, groups);
}

bool
group_top_pick(const Summarize *s, Worker *worker, SummaryRows *in)
{
    uint32_t rows = in->batch->selected, count = 0;
    uint64_t *keys, *hashes;
    if (!summarize_keys(s, s->keys, worker, in->batch, &keys, &hashes))
        return false;
    uint32_t *places = arena_alloc_array(&worker->batch, rows, sizeof(uint32_t));
    for (uint32_t i = 0; i < rows; i++) {
        places[count] = i;
        count += bit_get(s->only, bucket_of(hashes[i]));
    }
    *in = some_rows(worker, in, places, count);
    return true;
}

// ---- after the last row ----

// What rows of the group that went to buckets may have at most; 0: there are none.
static double
missing_of(const Summarize *s, uint64_t *record)
{
    uint64_t hash = *group_hash(s, record);
    double missing = 0;
    for (size_t w = 0; w < s->exec->worker_count; w++) {
        const TopBuckets *top = &s->top->parts[w];
        if (!top->bounds)
            continue;
        uint32_t group = group_find(&s->parts[w].table, record, hash);
        if (group == GROUP_NONE)
            missing += top->bounds[bucket_of(hash)];
        else if (group >= top->first)
            missing += top->missed[group - top->first];
    }
    return missing;
}

// The sums of all workers.
static double *
join_bounds(const Summarize *s, Arena *arena)
{
    double *all = ARENA_ARRAY(arena, double, BUCKETS);
    for (size_t w = 0; w < s->exec->worker_count; w++) {
        const double *bounds = s->top->parts[w].bounds;
        for (size_t b = 0; bounds && b < BUCKETS; b++)
            all[b] += bounds[b];
    }
    return all;
}

typedef struct Found {
    GroupList groups; // that may be among the first
    uint64_t *only;   // the buckets that must be read again, a bit each
    bool some;        // there are such buckets
} Found;

// What the first reading tells, in `arena`; false when that is nothing.
static bool
look_at_groups(const Summarize *s, Arena *scratch, Arena *arena, Found *found)
{
    size_t count = s->group_count, kept = 0;
    const double *bounds = join_bounds(s, scratch);
    uint64_t **records = arena_alloc_array(scratch, count, sizeof(*records));
    double *values = arena_alloc_array(scratch, count, sizeof(*values));
    for (size_t g = 0; g < count; g++)
        records[g] = summarize_group(s, g);
    if (!group_values(s, &s->exec->workers[0], records, count, values))
        return false;
    double least = least_wanted(scratch, values, count, s->top->limit);
    if (least <= 0)
        return false;
    found->only = ARENA_ARRAY(arena, uint64_t, bit_words(BUCKETS));
    for (uint32_t b = 0; b < BUCKETS; b++)
        if (bounds[b] * MORE >= least) {
            bit_set(found->only, b);
            found->some = true;
        }
    for (size_t g = 0; g < count; g++) {
        uint32_t bucket = bucket_of(*group_hash(s, records[g]));
        if (values[g] + bounds[bucket] * MORE < least)
            continue;
        double missing = missing_of(s, records[g]), most = values[g] + missing * MORE;
        if (most < least)
            continue;
        if (missing > 0) {
            if (most >= LARGEST && s->top->column.type != TYPE_REAL)
                return false;
            bit_set(found->only, bucket);
            found->some = true;
        }
        records[kept++] = records[g];
    }
    found->groups.records = arena_alloc_array(arena, kept, sizeof(*records));
    for (size_t g = 0; g < kept; g++)
        if (!bit_get(found->only, bucket_of(*group_hash(s, records[g]))))
            found->groups.records[found->groups.count++] = records[g];
    return true;
}

static void
free_bounds(const Summarize *s)
{
    for (size_t w = 0; w < s->exec->worker_count; w++)
        held_free(s->exec, s->top->parts[w].held);
}

bool
group_top_used(const Summarize *s)
{
    return s->top && (s->top->state == TOP_FIRST || s->top->state == TOP_LOST);
}

bool
group_top_stream(Summarize *s, Pipeline *input, const Schema *schema, bool numbered, Pipeline *out,
                 AzError *error)
{
    Arena *arena = &s->parts[0].held->arena; // goes with the groups
    Found found = {0};
    bool tells = s->top->state == TOP_FIRST;
    if (tells) {
        summarize_merge(s);
        Arena scratch = {0};
        tells = look_at_groups(s, &scratch, arena, &found);
        arena_free(&scratch);
    }
    free_bounds(s);
    if (tells && !found.some) {
        s->order = found.groups.records;
        s->group_count = found.groups.count;
        pipeline_from_source(s->exec, summarize_source(s, schema), out);
        return true;
    }
    Summarize *again = summarize_like(s, s->keys, s->calls);
    if (tells) {
        again->only = found.only;
        again->before = found.groups;
        again->whole = s;
    } else {
        summarize_free(s);
    }
    group_spill_prepare(again, schema, 0);
    bool done = summarize_stream(again, input, schema, numbered, out, error);
    if (!done)
        group_spill_free(again);
    return done;
}
