// top-nested: a tree of the best values of each level.
//
// Each level summarizes the rows that are left by their group in the level above and by
// its key, ranks the keys within each group, and keeps the rows of the best; they are
// the groups of the next level. The rest of a group's rows, when the level wants them,
// are one leaf of the tree: the others, whose deeper levels show their own others or
// nothing. The answer is the paths to the leaves, best first, others last.

#include "base/array.h"
#include "exec/internal.h"
#include "exec/keys.h"

enum { NO_NODE = UINT32_MAX };

typedef struct Node {
    uint32_t parent; // NO_NODE: of the root's
    uint32_t first_child, last_child, next_sibling;
    uint32_t level;
    Value key, aggregate;
} Node;

// The rows a level looks at: numbers of input rows, and the node each belongs to.
typedef struct LiveRows {
    uint32_t *rows;
    int64_t *groups;
    uint32_t count;
} LiveRows;

typedef struct TopNested {
    Exec *exec;
    const Plan *plan;
    Batch *input;
    Schema leaf_schema;
    struct {
        Node *items;
        size_t len, cap;
    } nodes;        // the first is the root
    Batch *summary; // of the level's plan that ran last
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

static bool
summarize_rows(TopNested *t, const Plan *plan, const LiveRows *live, AzError *error)
{
    SubRows over = {
        .leaf = t->plan->top_nested.leaf,
        .schema = &t->leaf_schema,
        .whole = t->input,
        .rows = live->rows,
        .count = live->count,
        .numbers = live->groups,
    };
    return exec_run_over(t->exec, plan, &over, keep_summary, t, error);
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

// ---- rows to groups ----

static LiveRows
live_rows(TopNested *t, uint32_t count)
{
    Arena *keep = &t->exec->workers[0].keep;
    LiveRows live = {arena_alloc_array(keep, count, sizeof(uint32_t)),
                     arena_alloc_array(keep, count, sizeof(int64_t)), 0};
    return live;
}

// Groups of (group, key) words, encoded for some rows at a time.
static void
encode_part(Arena *arena, const KeyLayout *layout, const int64_t *groups, const Vector *keys,
            uint32_t count, uint64_t **words, uint64_t **hashes)
{
    Vector *numbers = vector_new_flat(arena, TYPE_LONG, count);
    memcpy(numbers->data, groups, count * sizeof(int64_t));
    const Vector *both[2] = {numbers, keys};
    key_encode(arena, layout, both, count, words, hashes);
}

// Divides the live rows: those whose key is among the best go to its node, the others
// stay with theirs in `rest`.
static bool
divide_rows(TopNested *t, const LiveRows *live, uint32_t key, const uint32_t *nodes, LiveRows *best,
            LiveRows *rest)
{
    Worker *worker = &t->exec->workers[0];
    const Batch *summary = t->summary;
    Arena scratch = {0};
    Type types[2] = {TYPE_LONG, t->input->columns[key]->type};
    KeyLayout layout = key_layout(&scratch, types, 2);
    GroupTable table;
    group_table_init(&table, &layout, &scratch);
    bool done = true;
    for (uint32_t from = 0; from < summary->count && done; from += batch_rows) {
        uint32_t count = summary->count - from < batch_rows ? summary->count - from : batch_rows;
        Arena part = {0};
        uint64_t *words, *hashes;
        encode_part(&part, &layout, (const int64_t *)summary->columns[0]->data + from,
                    vector_slice(&part, summary->columns[1], from, count), count, &words, &hashes);
        for (uint32_t i = 0; i < count; i++)
            group_add(&table, words + (size_t)i * layout.words, hashes[i]);
        arena_free(&part);
        done = worker_check(worker) &&
               worker_reserve(worker, scratch.allocated, "the groups of top-nested");
    }
    for (uint32_t from = 0; from < live->count && done; from += batch_rows) {
        uint32_t count = live->count - from < batch_rows ? live->count - from : batch_rows;
        Arena part = {0};
        uint64_t *words, *hashes;
        encode_part(&part, &layout, live->groups + from,
                    vector_gather(&part, t->input->columns[key], live->rows + from, count), count,
                    &words, &hashes);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t group = group_find(&table, words + (size_t)i * layout.words, hashes[i]);
            LiveRows *into = nodes[group] == NO_NODE ? rest : best;
            into->groups[into->count] =
                nodes[group] == NO_NODE ? live->groups[from + i] : (int64_t)nodes[group];
            into->rows[into->count++] = live->rows[from + i];
        }
        arena_free(&part);
        done = worker_check(worker);
    }
    arena_free(&scratch);
    return done && worker_charge(worker, "the rows of top-nested");
}

// ---- others ----

// Adds a node of the others to each group of the rest, and below it those of the deeper
// levels: their others, or nothing.
static bool
add_others(TopNested *t, uint32_t number, const LiveRows *rest, AzError *error)
{
    uint32_t levels = t->plan->top_nested.level_count;
    const NestedLevel *first = &t->plan->top_nested.levels[number];
    if (!first->rest || !rest->count)
        return true;
    Arena *keep = &t->exec->workers[0].keep;
    // The node at the end of each group's path, by the group's number.
    uint32_t *ends = arena_alloc_array(keep, t->nodes.len, sizeof(uint32_t));
    memset(ends, 0xFF, t->nodes.len * sizeof(uint32_t));
    uint32_t *groups = NULL, group_count = 0;
    for (uint32_t l = number; l < levels; l++) {
        const NestedLevel *level = &t->plan->top_nested.levels[l];
        if (level->rest) {
            if (!summarize_rows(t, level->rest, rest, error))
                return false;
            if (l == number) {
                group_count = t->summary->count;
                groups = arena_alloc_array(keep, group_count, sizeof(uint32_t));
            }
        }
        for (uint32_t i = 0; i < group_count; i++) {
            if (l == number)
                groups[i] = (uint32_t)((const int64_t *)t->summary->columns[0]->data)[i];
            const Schema *schema = &t->plan->schema;
            Value key = value_null(schema->columns[2 * l].type);
            Value aggregate = value_null(schema->columns[2 * l + 1].type);
            if (level->rest) {
                key = level->others->value;
                aggregate = vector_value(t->summary->columns[1], i);
            }
            uint32_t group = level->rest
                                 ? (uint32_t)((const int64_t *)t->summary->columns[0]->data)[i]
                                 : groups[i];
            uint32_t parent = l == number ? group : ends[group];
            ends[group] = add_node(t, parent, l, key, aggregate);
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
    LiveRows live = live_rows(t, t->input->count);
    for (; live.count < t->input->count; live.count++) {
        live.rows[live.count] = live.count;
        live.groups[live.count] = 0; // the root
    }
    for (uint32_t l = 0; l < t->plan->top_nested.level_count; l++) {
        const NestedLevel *level = &t->plan->top_nested.levels[l];
        if (!summarize_rows(t, level->ranked, &live, error))
            return false;
        uint32_t *nodes = rank_summary(t, l);
        LiveRows best = live_rows(t, live.count), rest = live_rows(t, live.count);
        if (!divide_rows(t, &live, level->key, nodes, &best, &rest))
            return exec_first_error(t->exec, error), false;
        if (!add_others(t, l, &rest, error))
            return false;
        live = best;
    }
    return true;
}

ResultTable *
run_top_nested(Exec *exec, const Plan *plan, AzError *error)
{
    ResultTable *table = exec_collect(exec, plan->input, error);
    TopNested t = {.exec = exec, .plan = plan};
    t.input = table ? result_concat(exec, table, false, error) : NULL;
    if (!t.input)
        return NULL;
    uint32_t columns = plan->input->schema.count;
    t.leaf_schema = (Schema){ARENA_ARRAY(exec->arena, Column, columns + 1), columns + 1};
    memcpy(t.leaf_schema.columns, plan->input->schema.columns, columns * sizeof(Column));
    t.leaf_schema.columns[columns] = (Column){STR("$group"), TYPE_LONG};
    for (uint32_t l = 0; l < plan->top_nested.level_count; l++)
        if (!exec_prepare(exec, plan->top_nested.levels[l].ranked, error))
            return NULL;
    add_node(&t, NO_NODE, 0, value_null(TYPE_LONG), value_null(TYPE_LONG));
    if (!run_levels(&t, error))
        return NULL;
    return write_tree(&t);
}
