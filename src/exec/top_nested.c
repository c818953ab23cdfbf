// top-nested: a tree of the best values of each level.
//
// The rows are grouped once, by the keys of all levels together, with the aggregates of all
// levels; what follows looks at these finest groups and no longer at rows. Each level
// folds those that are left by their node in the level above and by its key, ranks the keys
// within each node, and keeps the groups of the best, which are the nodes of the next level. The rest
// of a node's groups, when the level wants them, are one leaf of the tree: the others, whose
// deeper levels show their own others or nothing. The answer is the paths to the leaves,
// best first, others last. The state of a finest group is folded once a level, since a merge may
// take it apart; the others of a level are folded from what the level has folded already.

#include "base/array.h"
#include "exec/summarize.h"

#include <assert.h>

enum { NO_NODE = UINT32_MAX };

typedef struct Node {
    uint32_t parent; // NO_NODE: of the root's
    uint32_t first_child, last_child, next_sibling;
    uint32_t level;
    Value key, aggregate;
} Node;

// What a level makes of folded groups: the plans of the binder without their leaf and summarize.
typedef struct Level {
    const Plan *ranked, *rest; // the summarize nodes; `rest` NULL = not wanted
    Plan *ranked_above, *rest_above;
    uint32_t call, call_count; // its calls among those of all levels
    size_t offset;             // of their states
} Level;

// Groups, each with the node it belongs to and its states of one level's calls.
typedef struct Groups {
    uint32_t *numbers; // of finest groups
    int64_t *nodes;
    char **states;
    uint32_t count;
} Groups;

typedef struct TopNested {
    Exec *exec;
    const Plan *plan;
    Level *levels;
    Summarize finest;
    struct {
        Node *items;
        size_t len, cap;
    } nodes;        // the first is the root
    Batch *summary; // of the level that ran last
} TopNested;

static uint32_t
add_node(TopNested *t, uint32_t parent, uint32_t level, Value key, Value aggregate)
{
    Arena *keep = &t->exec->workers[0].keep;
    uint32_t number = (uint32_t)t->nodes.len;
    Node node = {parent, NO_NODE, NO_NODE, NO_NODE, level, key, aggregate};
    ARRAY_PUSH(keep, &t->nodes, node);
    if (parent == NO_NODE)
        return number;
    Node *above = &t->nodes.items[parent];
    if (above->last_child == NO_NODE)
        above->first_child = number;
    else
        t->nodes.items[above->last_child].next_sibling = number;
    above->last_child = number;
    return number;
}

// ---- a level's summary ----

static bool
keep_summary(void *context, const ResultTable *answer)
{
    TopNested *t = context;
    Worker *worker = &t->exec->workers[0];
    ResultTable kept = *answer;
    kept.batches = ARENA_ARRAY(&worker->keep, Batch *, answer->batch_count);
    for (uint32_t b = 0; b < answer->batch_count; b++)
        kept.batches[b] = batch_copy(&worker->keep, answer->batches[b]);
    if (!worker_charge(worker, "the groups of top-nested"))
        return false;
    t->summary = result_concat(t->exec, &kept, false, &worker->error);
    return t->summary != NULL;
}

static Groups
groups_new(TopNested *t, uint32_t count)
{
    Arena *keep = &t->exec->workers[0].keep;
    return (Groups){arena_alloc_array(keep, count, sizeof(uint32_t)),
                    arena_alloc_array(keep, count, sizeof(int64_t)),
                    arena_alloc_array(keep, count, sizeof(char *)), 0};
}

static void
groups_push(Groups *groups, uint32_t number, int64_t node, char *state)
{
    groups->numbers[groups->count] = number;
    groups->nodes[groups->count] = node;
    groups->states[groups->count++] = state;
}

// The states of a level's calls in a finest group.
static char *
finest_states(const TopNested *t, const Level *level, uint32_t number)
{
    return group_states(&t->finest, summarize_group(&t->finest, number)) + level->offset;
}

static void
merge_state(TopNested *t, const Level *level, char *into, char *from)
{
    const Summarize *finest = &t->finest;
    for (uint32_t a = level->call; a < level->call + level->call_count; a++) {
        size_t offset = finest->offsets[a] - level->offset;
        aggregate_impl(&finest->calls[a])
            ->merge(&finest->calls[a], into + offset, from + offset, &t->exec->workers[0].keep);
    }
}

// The rows of the level's summarize for `groups`: node, key (of a ranking), values.
static Batch *
write_groups(TopNested *t, const Level *level, const Plan *summary, const Groups *groups)
{
    Worker *worker = &t->exec->workers[0];
    const Summarize *finest = &t->finest;
    arena_reset(&worker->batch);
    Batch *batch = batch_new(t->exec->arena, summary->schema.count, groups->count);
    Vector *nodes = vector_new_flat(&worker->keep, TYPE_LONG, groups->count);
    if (groups->count)
        memcpy(nodes->data, groups->nodes, groups->count * sizeof(int64_t));
    batch->columns[0] = nodes;
    uint32_t column = 1;
    if (summary == level->ranked) {
        const uint64_t **rows = arena_alloc_array(&worker->batch, groups->count, sizeof(*rows));
        for (uint32_t i = 0; i < groups->count; i++)
            rows[i] = summarize_group(finest, groups->numbers[i]);
        batch->columns[column++] = key_decode(&worker->keep, &finest->layout,
                                              (uint32_t)(level - t->levels), rows, groups->count);
    }
    char **states = arena_alloc_array(&worker->batch, groups->count, sizeof(*states));
    for (uint32_t a = level->call; a < level->call + level->call_count; a++) {
        for (uint32_t i = 0; i < groups->count; i++)
            states[i] = groups->states[i] + finest->offsets[a] - level->offset;
        summarize_finish_call(&finest->calls[a], &worker->keep, &worker->scratch, states,
                              groups->count, summary->schema.columns + column,
                              batch->columns + column);
        column += finest->calls[a].output_count;
    }
    return batch;
}

// Leaves what the level makes of `groups` in t->summary, a row each, in their order.
static bool
summarize_groups(TopNested *t, const Level *level, bool ranked, const Groups *groups,
                 AzError *error)
{
    const Plan *summary = ranked ? level->ranked : level->rest;
    SubRows over = {
        .leaf = t->plan->top_nested.leaf,
        .schema = &summary->schema,
        .whole = write_groups(t, level, summary, groups),
        .count = groups->count,
    };
    if (!worker_charge(&t->exec->workers[0], "the groups of top-nested"))
        return exec_first_error(t->exec, error), false;
    return exec_run_over(t->exec, ranked ? level->ranked_above : level->rest_above, &over,
                         keep_summary, t, error);
}

// ---- ranking ----

typedef struct Ranked {
    int64_t group;
    uint32_t row; // of the summary
    const Vector *aggregates;
    bool ascending;
} Ranked;

// By group, then by aggregate; nulls last; equal ones as they came.
static int
rank_order(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    Value left = vector_value(x->aggregates, x->row), right = vector_value(y->aggregates, y->row);
    int order = 0;
    if (left.is_null != right.is_null)
        order = left.is_null ? 1 : -1;
    else if (!left.is_null)
        order = x->ascending ? value_compare(&left, &right) : value_compare(&right, &left);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

// The node of each row of the summary; NO_NODE: not among the best.
static uint32_t *
rank_summary(TopNested *t, uint32_t number)
{
    const NestedLevel *level = &t->plan->top_nested.levels[number];
    Arena *keep = &t->exec->workers[0].keep;
    const Batch *summary = t->summary;
    Ranked *ranked = arena_alloc_array(keep, summary->count, sizeof(Ranked));
    const int64_t *groups = summary->columns[0]->data;
    for (uint32_t i = 0; i < summary->count; i++)
        ranked[i] = (Ranked){groups[i], i, summary->columns[2], level->ascending};
    if (summary->count)
        qsort(ranked, summary->count, sizeof(Ranked), rank_order);
    uint32_t *nodes = arena_alloc_array(keep, summary->count, sizeof(uint32_t));
    int64_t place = 0;
    for (uint32_t i = 0; i < summary->count; i++) {
        place = i && ranked[i].group == ranked[i - 1].group ? place + 1 : 0;
        uint32_t row = ranked[i].row;
        bool kept = level->count < 0 || place < level->count;
        nodes[row] = kept ? add_node(t, (uint32_t)ranked[i].group, number,
                                     vector_value(summary->columns[1], row),
                                     vector_value(summary->columns[2], row))
                          : NO_NODE;
    }
    return nodes;
}

// ---- folding ----

// Groups of (node, key) words, encoded for some finest groups at a time.
static void
encode_part(TopNested *t, Arena *arena, const KeyLayout *layout, uint32_t key, const Groups *live,
            uint32_t from, uint32_t count, uint64_t **words, uint64_t **hashes)
{
    Vector *numbers = vector_new_flat(arena, TYPE_LONG, count);
    memcpy(numbers->data, live->nodes + from, count * sizeof(int64_t));
    const uint64_t **rows = arena_alloc_array(arena, count, sizeof(*rows));
    for (uint32_t i = 0; i < count; i++)
        rows[i] = summarize_group(&t->finest, live->numbers[from + i]);
    const Vector *both[2] = {numbers, key_decode(arena, &t->finest.layout, key, rows, count)};
    key_encode(arena, layout, both, count, words, hashes);
}

// Folds the live groups by node and key, in the order in which they stand. folds[i] is what live
// group i went to.
static bool
fold_live(TopNested *t, uint32_t number, const Groups *live, uint32_t *folds, Groups *out)
{
    Worker *worker = &t->exec->workers[0];
    const Level *level = &t->levels[number];
    Arena scratch = {0};
    KeyLayout layout =
        key_layout(&scratch, (const Type[]){TYPE_LONG, t->finest.layout.columns[number].type}, 2);
    GroupTable table;
    group_table_init(&table, &layout, 0, &scratch);
    bool done = true;
    // With the last key a finest group is one of its own.
    bool last = number + 1 == t->plan->top_nested.level_count;
    for (uint32_t from = 0; from < live->count && done; from += batch_rows) {
        uint32_t count = live->count - from < batch_rows ? live->count - from : batch_rows;
        Arena part = {0};
        uint64_t *words = NULL, *hashes = NULL;
        if (!last)
            encode_part(t, &part, &layout, number, live, from, count, &words, &hashes);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t at = from + i;
            char *state = finest_states(t, level, live->numbers[at]);
            folds[at] = last ? at : group_add(&table, words + (size_t)i * layout.words, hashes[i]);
            if (folds[at] == out->count)
                groups_push(out, live->numbers[at], live->nodes[at], state);
            else
                merge_state(t, level, out->states[folds[at]], state);
        }
        arena_free(&part);
        done = worker_check(worker) &&
               worker_reserve(worker, scratch.allocated, "the groups of top-nested");
    }
    arena_free(&scratch);
    return done && worker_charge(worker, "the groups of top-nested");
}

// Folds groups by their node alone: the others of a level.
static Groups
fold_rest(TopNested *t, const Level *level, const Groups *rest)
{
    Groups out = groups_new(t, rest->count);
    Arena *keep = &t->exec->workers[0].keep;
    uint32_t *of_node = arena_alloc_array(keep, t->nodes.len, sizeof(uint32_t));
    memset(of_node, 0xFF, t->nodes.len * sizeof(uint32_t));
    for (uint32_t i = 0; i < rest->count; i++) {
        uint32_t *fold = &of_node[rest->nodes[i]];
        if (*fold == NO_NODE) {
            *fold = out.count;
            groups_push(&out, rest->numbers[i], rest->nodes[i], rest->states[i]);
        } else {
            merge_state(t, level, out.states[*fold], rest->states[i]);
        }
    }
    return out;
}

// ---- others ----

// Adds a node of the others to each node that has some, and below it those of the deeper
// levels: their others, or nothing. `folded` are the level's own groups that are not among
// the best, `finest` what they were folded from.
static bool
add_others(TopNested *t, uint32_t number, const Groups *folded, Groups *finest, AzError *error)
{
    if (!t->levels[number].rest || !folded->count)
        return true;
    Arena *keep = &t->exec->workers[0].keep;
    // The node at the end of each group's path, by the group's number.
    uint32_t *ends = arena_alloc_array(keep, t->nodes.len, sizeof(uint32_t));
    memset(ends, 0xFF, t->nodes.len * sizeof(uint32_t));
    uint32_t *groups = NULL, group_count = 0;
    for (uint32_t l = number; l < t->plan->top_nested.level_count; l++) {
        const Level *level = &t->levels[l];
        for (uint32_t i = 0; i < finest->count; i++)
            finest->states[i] = finest_states(t, level, finest->numbers[i]);
        if (level->rest) {
            Groups rest = fold_rest(t, level, l == number ? folded : finest);
            if (!summarize_groups(t, level, false, &rest, error))
                return false;
            if (l == number) {
                group_count = rest.count;
                groups = arena_alloc_array(keep, group_count, sizeof(uint32_t));
            }
        }
        for (uint32_t i = 0; i < group_count; i++) {
            if (l == number)
                groups[i] = (uint32_t)((const int64_t *)t->summary->columns[0]->data)[i];
            const Schema *schema = &t->plan->schema;
            Value key = value_null(schema->columns[2 * l].type);
            Value aggregate = value_null(schema->columns[2 * l + 1].type);
            uint32_t group = groups[i];
            if (level->rest) {
                key = t->plan->top_nested.levels[l].others->value;
                aggregate = vector_value(t->summary->columns[1], i);
                group = (uint32_t)((const int64_t *)t->summary->columns[0]->data)[i];
            }
            ends[group] = add_node(t, l == number ? group : ends[group], l, key, aggregate);
        }
    }
    return true;
}

// ---- the answer ----

static void
write_path(TopNested *t, uint32_t leaf, VectorBuilder *builders)
{
    Arena *keep = &t->exec->workers[0].keep;
    for (uint32_t at = leaf; t->nodes.items[at].parent != NO_NODE; at = t->nodes.items[at].parent) {
        const Node *node = &t->nodes.items[at];
        vector_builder_value(&builders[2 * node->level], keep, &node->key);
        vector_builder_value(&builders[2 * node->level + 1], keep, &node->aggregate);
    }
}

static ResultTable *
write_tree(TopNested *t)
{
    const Schema *schema = &t->plan->schema;
    uint32_t last = t->plan->top_nested.level_count - 1, rows = 0;
    VectorBuilder *builders = ARENA_ARRAY(t->exec->arena, VectorBuilder, schema->count);
    for (uint32_t c = 0; c < schema->count; c++)
        vector_builder_init(&builders[c], schema->columns[c].type);
    // Depth first; a node above the last level without children had no rows below it.
    for (uint32_t at = t->nodes.items[0].first_child; at != NO_NODE;) {
        const Node *node = &t->nodes.items[at];
        if (node->level == last) {
            write_path(t, at, builders);
            rows++;
        }
        if (node->first_child != NO_NODE) {
            at = node->first_child;
            continue;
        }
        while (at != NO_NODE && t->nodes.items[at].next_sibling == NO_NODE)
            at = t->nodes.items[at].parent;
        if (at != NO_NODE)
            at = t->nodes.items[at].next_sibling;
    }
    Batch *whole = batch_new(t->exec->arena, schema->count, rows);
    for (uint32_t c = 0; c < schema->count; c++) {
        whole->columns[c] = vector_builder_cut(&builders[c], &t->exec->workers[0].keep, 0, rows);
        vector_builder_free(&builders[c]);
    }
    return result_cut(t->exec->arena, schema, whole);
}

static bool
run_levels(TopNested *t, AzError *error)
{
    uint32_t count = (uint32_t)t->finest.group_count;
    Groups live = groups_new(t, count);
    for (uint32_t g = 0; g < count; g++)
        groups_push(&live, g, 0, NULL); // all of the root
    for (uint32_t l = 0; l < t->plan->top_nested.level_count; l++) {
        Groups folded = groups_new(t, live.count);
        uint32_t *folds =
            arena_alloc_array(&t->exec->workers[0].keep, live.count, sizeof(uint32_t));
        if (!fold_live(t, l, &live, folds, &folded))
            return exec_first_error(t->exec, error), false;
        if (!summarize_groups(t, &t->levels[l], true, &folded, error))
            return false;
        uint32_t *nodes = rank_summary(t, l);
        Groups best = groups_new(t, live.count), rest = groups_new(t, live.count);
        for (uint32_t i = 0; i < live.count; i++) {
            uint32_t node = nodes[folds[i]];
            groups_push(node == NO_NODE ? &rest : &best, live.numbers[i],
                        node == NO_NODE ? live.nodes[i] : (int64_t)node, NULL);
        }
        uint32_t kept = 0;
        for (uint32_t f = 0; f < folded.count; f++)
            if (nodes[f] == NO_NODE) {
                folded.numbers[kept] = folded.numbers[f];
                folded.nodes[kept] = folded.nodes[f];
                folded.states[kept++] = folded.states[f];
            }
        folded.count = kept;
        if (!add_others(t, l, &folded, &rest, error))
            return false;
        live = best;
    }
    return true;
}

// ---- preparation ----

// The summarize over the leaf that the plan projects.
static const Plan *
summary_of(const Plan *plan)
{
    while (plan->kind == PLAN_PROJECT)
        plan = plan->input;
    assert(plan->kind == PLAN_SUMMARIZE && plan->input->kind == PLAN_CORRELATED);
    return plan;
}

// The plan with a leaf in the place of its summarize.
static Plan *
plan_above(Arena *arena, const Plan *plan, const Plan *summary, uint32_t leaf)
{
    Plan *above = ARENA_NEW(arena, Plan);
    if (plan == summary) {
        above->kind = PLAN_CORRELATED;
        above->span = plan->span;
        above->schema = plan->schema;
        above->correlated.leaf = leaf;
        return above;
    }
    *above = *plan;
    above->input = plan_above(arena, plan->input, summary, leaf);
    return above;
}

static bool
prepare_levels(TopNested *t, AzError *error)
{
    Exec *exec = t->exec;
    const Plan *plan = t->plan;
    uint32_t levels = plan->top_nested.level_count, leaf = plan->top_nested.leaf, calls = 0;
    Expr **keys = ARENA_ARRAY(exec->arena, Expr *, levels);
    t->levels = ARENA_ARRAY(exec->arena, Level, levels);
    for (uint32_t l = 0; l < levels; l++) {
        const NestedLevel *from = &plan->top_nested.levels[l];
        Level *level = &t->levels[l];
        level->ranked = summary_of(from->ranked);
        level->ranked_above = plan_above(exec->arena, from->ranked, level->ranked, leaf);
        if (from->rest) {
            level->rest = summary_of(from->rest);
            level->rest_above = plan_above(exec->arena, from->rest, level->rest, leaf);
        }
        if (!exec_prepare(exec, level->ranked_above, error) ||
            (level->rest && !exec_prepare(exec, level->rest_above, error)))
            return false;
        level->call = calls;
        level->call_count = level->ranked->summarize.aggregate_count;
        calls += level->call_count;
        Type type = plan->input->schema.columns[from->key].type;
        keys[l] = ARENA_NEW(exec->arena, Expr);
        *keys[l] =
            (Expr){.kind = EXPR_COLUMN, .type = type, .span = plan->span, .column = from->key};
    }
    AggregateCall *all = ARENA_ARRAY(exec->arena, AggregateCall, calls);
    for (uint32_t l = 0; l < levels; l++)
        for (uint32_t a = 0; a < t->levels[l].call_count; a++)
            all[t->levels[l].call + a] = t->levels[l].ranked->summarize.aggregates[a];
    if (!summarize_init(&t->finest, exec, keys, levels, all, calls, error))
        return false;
    for (uint32_t l = 0; l < levels; l++)
        if (t->levels[l].call_count)
            t->levels[l].offset = t->finest.offsets[t->levels[l].call];
    return true;
}

ResultTable *
run_top_nested(Exec *exec, const Plan *plan, AzError *error)
{
    Pipeline input = {0};
    TopNested t = {.exec = exec, .plan = plan};
    if (!pipeline_build(exec, plan->input, &input, error) || !prepare_levels(&t, error) ||
        !summarize_run(&t.finest, &input, error))
        return NULL;
    add_node(&t, NO_NODE, 0, value_null(TYPE_LONG), value_null(TYPE_LONG));
    return run_levels(&t, error) ? write_tree(&t) : NULL;
}
