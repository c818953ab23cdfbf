// Matches as rows.
//
// A match is kept as numbers: a node for each node variable, an edge or a run of edges
// for each edge variable. When enough have come they become a batch. Properties are
// dictionary vectors over the columns of the graph, so nothing is copied; what is asked
// of the elements of a path (all, any, map) is evaluated over all elements of the batch
// and gathered by row.

#include "base/array.h"
#include "exec/graph/pattern.h"

typedef struct Numbers {
    uint32_t *items;
    size_t len, cap;
} Numbers;

// What an edge variable took in each row. Of a path, row r has edges[edge_start[r] ..
// edge_start[r + 1]) and the nodes between them likewise.
typedef struct EdgeRows {
    uint32_t *edge; // of fixed length: the edge of each row
    Numbers edges, nodes;
    uint32_t *edge_start, *node_start;
} EdgeRows;

struct MatchRows {
    Worker *worker;
    const Pattern *pattern;
    Emitter emitter;
    uint32_t **nodes; // [variable][row]
    EdgeRows *edges;  // [variable]
    uint32_t count, cap;
};

enum { PATH_ELEMENTS_MAX = 16 * BATCH_ROWS_MAX }; // in a batch, as soon as a row is whole

MatchRows *
match_rows_new(Worker *worker, const Pattern *pattern)
{
    Arena *arena = &worker->keep;
    const GraphMatch *match = pattern->match;
    MatchRows *rows = ARENA_NEW(arena, MatchRows);
    rows->worker = worker;
    rows->pattern = pattern;
    rows->cap = batch_rows;
    rows->nodes = ARENA_ARRAY(arena, uint32_t *, match->node_count);
    for (uint32_t v = 0; v < match->node_count; v++)
        rows->nodes[v] = ARENA_ARRAY(arena, uint32_t, rows->cap);
    rows->edges = ARENA_ARRAY(arena, EdgeRows, match->edge_count);
    for (uint32_t e = 0; e < match->edge_count; e++) {
        EdgeRows *edge = &rows->edges[e];
        if (match->edges[e].is_path) {
            edge->edge_start = ARENA_ARRAY(arena, uint32_t, (size_t)rows->cap + 1);
            edge->node_start = ARENA_ARRAY(arena, uint32_t, (size_t)rows->cap + 1);
        } else {
            edge->edge = ARENA_ARRAY(arena, uint32_t, rows->cap);
        }
    }
    return rows;
}

// ---- lambdas ----

// The elements that a lambda looks at, and the row of each.
typedef struct Elements {
    const uint32_t *items, *start;
    uint32_t *row_of;
    uint32_t count;
} Elements;

static Elements
lambda_elements(const MatchRows *rows, const GraphLambda *lambda, Arena *arena)
{
    const EdgeRows *edge = &rows->edges[lambda->edge];
    Elements elements = {
        .items = lambda->inner_nodes ? edge->nodes.items : edge->edges.items,
        .start = lambda->inner_nodes ? edge->node_start : edge->edge_start,
    };
    elements.count = elements.start[rows->count];
    elements.row_of = arena_alloc_array(arena, (size_t)elements.count + 1, sizeof(uint32_t));
    for (uint32_t row = 0; row < rows->count; row++)
        for (uint32_t i = elements.start[row]; i < elements.start[row + 1]; i++)
            elements.row_of[i] = row;
    return elements;
}

// The value of the body for elements [from, from + count).
static const Vector *
lambda_part(MatchRows *rows, const GraphLambda *lambda, const Expr *body, const Elements *elements,
            uint32_t from, uint32_t count)
{
    Arena *arena = &rows->worker->batch;
    const Graph *graph = rows->pattern->graph;
    Batch *batch = batch_new(arena, (uint32_t)lambda->inputs.len, count);
    for (uint32_t i = 0; i < lambda->inputs.len; i++) {
        const GraphInput *input = &lambda->inputs.items[i];
        if (input->kind == GRAPH_ELEMENT) {
            const Vector *column =
                lambda->inner_nodes ? graph->nodes[input->column] : graph->edges[input->column];
            batch->columns[i] = vector_new_dict(arena, column, elements->items + from, count);
            continue;
        }
        bool node = input->kind == GRAPH_NODE;
        const uint32_t *of_row =
            node ? rows->nodes[input->variable] : rows->edges[input->variable].edge;
        uint32_t *codes = arena_alloc_array(arena, count, sizeof(uint32_t));
        for (uint32_t k = 0; k < count; k++)
            codes[k] = of_row[elements->row_of[from + k]];
        batch->columns[i] = vector_new_dict(
            arena, node ? graph->nodes[input->column] : graph->edges[input->column], codes, count);
    }
    return evaluate(rows->worker, body, batch);
}

static Vector *
lambda_truth(const MatchRows *rows, GraphLambdaKind kind, const Elements *elements,
             const Vector *const *parts)
{
    Vector *out = vector_new_flat(&rows->worker->batch, TYPE_BOOL, rows->count);
    uint8_t *truth = out->data;
    memset(truth, kind == GRAPH_ALL, rows->count);
    for (uint32_t i = 0; i < elements->count; i++) {
        const Vector *part = parts[i / BATCH_ROWS_MAX];
        uint32_t at = i % BATCH_ROWS_MAX;
        bool yes = !vector_is_null(part, at) && *(const uint8_t *)vector_cell(part, at);
        if (yes == (kind == GRAPH_ANY))
            truth[elements->row_of[i]] = kind == GRAPH_ANY;
    }
    return out;
}

static Vector *
lambda_arrays(MatchRows *rows, const Elements *elements, const Vector *const *parts)
{
    Worker *worker = rows->worker;
    DynBuilder *builder = worker->scratch.dyn;
    Vector *out = vector_new_flat(&worker->batch, TYPE_DYNAMIC, rows->count);
    for (uint32_t row = 0; row < rows->count; row++) {
        bool is_null;
        dyn_builder_reset(builder);
        dyn_begin_array(builder);
        for (uint32_t i = elements->start[row]; i < elements->start[row + 1]; i++) {
            Value value = vector_value(parts[i / BATCH_ROWS_MAX], i % BATCH_ROWS_MAX);
            dyn_push_value(builder, &value);
        }
        dyn_end_array(builder);
        if (!dyn_finish_text(builder, &worker->batch, &((Text *)out->data)[row], &is_null)) {
            error_set(&worker->error, AZ_LIMIT, "the array of a path is too large or too deep");
            return NULL;
        }
    }
    return out;
}

static const Vector *
lambda_column(MatchRows *rows, const GraphLambda *lambda, const Expr *body)
{
    Arena *arena = &rows->worker->batch;
    Elements elements = lambda_elements(rows, lambda, arena);
    uint32_t part_count = (elements.count + BATCH_ROWS_MAX - 1) / BATCH_ROWS_MAX;
    const Vector **parts = ARENA_ARRAY(arena, const Vector *, (size_t)part_count + 1);
    for (uint32_t p = 0; p < part_count; p++) {
        uint32_t from = p * BATCH_ROWS_MAX, left = elements.count - from;
        parts[p] = lambda_part(rows, lambda, body, &elements, from,
                               left < BATCH_ROWS_MAX ? left : BATCH_ROWS_MAX);
        if (!parts[p])
            return NULL;
    }
    return lambda->kind == GRAPH_MAP ? lambda_arrays(rows, &elements, parts)
                                     : lambda_truth(rows, lambda->kind, &elements, parts);
}

// ---- batches ----

static const Vector *
input_column(MatchRows *rows, uint32_t i)
{
    Arena *arena = &rows->worker->batch;
    const Graph *graph = rows->pattern->graph;
    const GraphInput *input = &rows->pattern->match->inputs.items[i];
    if (!input->used) {
        Value nothing = value_null(input->type);
        return vector_new_const(arena, &nothing, rows->count);
    }
    switch (input->kind) {
    case GRAPH_NODE:
        return vector_new_dict(arena, graph->nodes[input->column], rows->nodes[input->variable],
                               rows->count);
    case GRAPH_EDGE:
        return vector_new_dict(arena, graph->edges[input->column],
                               rows->edges[input->variable].edge, rows->count);
    default: return lambda_column(rows, input->lambda, rows->pattern->bodies[i]);
    }
}

static bool
rows_flush(MatchRows *rows)
{
    if (!rows->count)
        return true;
    const GraphMatch *match = rows->pattern->match;
    uint32_t columns = (uint32_t)match->inputs.len;
    Batch *batch = batch_new(&rows->worker->batch, columns, rows->count);
    for (uint32_t i = 0; i < columns; i++)
        if (!(batch->columns[i] = input_column(rows, i)))
            return false;
    bool done = emitter_emit(&rows->emitter, batch);
    rows->count = 0;
    for (uint32_t e = 0; e < match->edge_count; e++)
        rows->edges[e].edges.len = rows->edges[e].nodes.len = 0;
    return done;
}

void
match_rows_open(MatchRows *rows, Operator *self)
{
    emitter_open(&rows->emitter, self, rows->worker);
}

bool
match_rows_close(MatchRows *rows, bool done)
{
    done = done && rows_flush(rows);
    rows->count = 0;
    emitter_close(&rows->emitter);
    return done && worker_charge(rows->worker, "matches of a pattern");
}

static void
add_path(MatchRows *rows, EdgeRows *edge, const Walk *walk)
{
    Arena *arena = &rows->worker->keep;
    for (uint32_t i = 0; i < walk->length; i++) {
        uint32_t at = walk->reversed ? walk->length - 1 - i : i;
        ARRAY_PUSH(arena, &edge->edges, walk->edges[at]);
    }
    for (uint32_t i = 0; i + 1 < walk->length; i++) {
        uint32_t at = walk->reversed ? walk->length - 2 - i : i;
        ARRAY_PUSH(arena, &edge->nodes, walk->nodes[at]);
    }
    edge->edge_start[rows->count + 1] = (uint32_t)edge->edges.len;
    edge->node_start[rows->count + 1] = (uint32_t)edge->nodes.len;
}

bool
match_rows_add(MatchRows *rows, const uint32_t *nodes, const Walk *walks, bool *wanted)
{
    const GraphMatch *match = rows->pattern->match;
    bool full = rows->count + 1 == rows->cap;
    for (uint32_t v = 0; v < match->node_count; v++)
        rows->nodes[v][rows->count] = nodes[v];
    for (uint32_t e = 0; e < match->edge_count; e++) {
        if (!match->edges[e].is_path) {
            rows->edges[e].edge[rows->count] = walks[e].edges[0];
            continue;
        }
        add_path(rows, &rows->edges[e], &walks[e]);
        full = full || rows->edges[e].edges.len >= PATH_ELEMENTS_MAX;
    }
    rows->count++;
    if (full && !rows_flush(rows))
        return false;
    *wanted = !rows->worker->satisfied && rows->worker->morsel <= rows->worker->exec->stop_after;
    return true;
}
