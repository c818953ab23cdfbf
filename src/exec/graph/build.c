// Building a graph: ids become numbers, rows become properties, ends become adjacency.

#include "exec/graph/graph.h"

#include "base/array.h"
#include "exec/keys.h"

bool
graph_reserve(Exec *exec, size_t bytes, AzError *error)
{
    return worker_reserve(&exec->workers[0], bytes, "the graph") || exec_first_error(exec, error);
}

bool
graph_charge(Exec *exec, AzError *error)
{
    return worker_charge(&exec->workers[0], "the graph") || exec_first_error(exec, error);
}

bool
graph_check(Exec *exec, AzError *error)
{
    return worker_check(&exec->workers[0]) || exec_first_error(exec, error);
}

// ---- numbering the nodes ----

// Where a node was first named: a row of the nodes, or an end of an edge.
typedef struct Numbering {
    KeyLayout layout;
    GroupTable table;
    uint32_t *node_rows; // node of each row of the node table
    uint32_t *first_row; // of each node: its first row, or UINT32_MAX
    const Batch *edges;
    const Vector *ends[2];
    uint32_t *numbers[2]; // node at each end
    struct {
        uint64_t *items; // row << 2 | 2 + end, or row << 2 of the node table
        size_t len, cap;
    } origins;
} Numbering;

static bool
number_nodes(Exec *exec, Numbering *n, const Vector *ids, Arena *arena, AzError *error)
{
    for (uint32_t from = 0; from < ids->count; from += BATCH_ROWS_MAX) {
        uint32_t count = ids->count - from < BATCH_ROWS_MAX ? ids->count - from : BATCH_ROWS_MAX;
        Arena scratch = {0};
        uint64_t *rows, *hashes;
        const Vector *part = vector_slice(&scratch, ids, from, count);
        key_encode(&scratch, &n->layout, &part, count, &rows, &hashes);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t before = n->table.count;
            n->node_rows[from + i] =
                group_add(&n->table, rows + (size_t)i * n->layout.words, hashes[i]);
            if (n->table.count > before)
                ARRAY_PUSH(arena, &n->origins, (uint64_t)(from + i) << 2);
        }
        arena_free(&scratch);
        if (!graph_check(exec, error))
            return false;
    }
    return true;
}

// Both ends of each edge in turn, so that numbers follow the order of rows.
static bool
number_ends(Exec *exec, Numbering *n, Arena *arena, AzError *error)
{
    uint32_t edges = n->edges->count;
    for (uint32_t from = 0; from < edges; from += BATCH_ROWS_MAX) {
        uint32_t count = edges - from < BATCH_ROWS_MAX ? edges - from : BATCH_ROWS_MAX;
        Arena scratch = {0};
        uint64_t *rows[2], *hashes[2];
        for (uint32_t end = 0; end < 2; end++) {
            const Vector *part = vector_slice(&scratch, n->ends[end], from, count);
            key_encode(&scratch, &n->layout, &part, count, &rows[end], &hashes[end]);
        }
        for (uint32_t i = 0; i < count; i++) {
            group_prefetch(&n->table, hashes[0], i, count);
            group_prefetch(&n->table, hashes[1], i, count);
            for (uint32_t end = 0; end < 2; end++) {
                uint32_t before = n->table.count;
                n->numbers[end][from + i] =
                    group_add(&n->table, rows[end] + (size_t)i * n->layout.words, hashes[end][i]);
                if (n->table.count > before)
                    ARRAY_PUSH(arena, &n->origins, (uint64_t)(from + i) << 2 | (2 + end));
            }
        }
        arena_free(&scratch);
        if (!graph_check(exec, error))
            return false;
    }
    return true;
}

// ---- properties of nodes ----

static void
copy_cell(Arena *arena, Vector *out, uint32_t to, const Vector *from, uint32_t row)
{
    size_t size = type_size(out->type);
    if (vector_is_null(from, row))
        vector_set_null(arena, out, to);
    else
        memcpy((char *)out->data + (size_t)to * size, vector_cell(from, row), size);
}

static const Vector *
node_ids(Arena *arena, const Numbering *n, const Vector *ids_of_rows, Type type)
{
    Vector *out = vector_new_flat(arena, type, n->table.count);
    for (uint32_t v = 0; v < out->count; v++) {
        uint64_t origin = n->origins.items[v];
        const Vector *from = origin & 2 ? n->ends[origin & 1] : ids_of_rows;
        copy_cell(arena, out, v, from, (uint32_t)(origin >> 2));
    }
    return out;
}

// The cell holds nothing, so that another row of the same node may fill it.
static bool
cell_is_bare(const Vector *v, uint32_t row)
{
    return vector_is_null(v, row) ||
           (v->type == TYPE_STRING && ((const Text *)v->data)[row].len == 0);
}

// A property of all nodes: of the first row of the node that has it.
static const Vector *
node_property(Arena *arena, const Numbering *n, const Vector *rows)
{
    uint32_t count = n->table.count;
    bool in_order = rows->count == count;
    for (uint32_t r = 0; r < rows->count && in_order; r++)
        in_order = n->node_rows[r] == r;
    if (in_order)
        return rows;
    Vector *out = vector_new_flat(arena, rows->type, count);
    size_t size = type_size(rows->type);
    uint64_t *valid = ARENA_ARRAY(arena, uint64_t, bit_words(count));
    for (uint32_t r = 0; r < rows->count; r++) {
        uint32_t v = n->node_rows[r];
        if (bit_get(valid, v) || cell_is_bare(rows, r))
            continue;
        bit_set(valid, v);
        memcpy((char *)out->data + (size_t)v * size, (const char *)rows->data + (size_t)r * size,
               size);
    }
    if (rows->type != TYPE_STRING)
        out->valid = valid;
    return out;
}

// A property that shows the id also has it where no row of a table gave one.
static const Vector *
id_property(Arena *arena, const Numbering *n, const Vector *property, const Vector *ids)
{
    if (!property)
        return ids;
    Vector *out = vector_new_flat(arena, ids->type, ids->count);
    for (uint32_t v = 0; v < ids->count; v++)
        copy_cell(arena, out, v, n->first_row[v] == UINT32_MAX ? ids : property, v);
    return out;
}

static const Vector *
degrees(Arena *arena, const Adjacency *adjacency, uint32_t count)
{
    Vector *out = vector_new_flat(arena, TYPE_LONG, count);
    for (uint32_t v = 0; v < count; v++)
        ((int64_t *)out->data)[v] = adjacency->start[v + 1] - adjacency->start[v];
    return out;
}

static const Vector *
end_ids(Arena *arena, const Vector *ids, const uint32_t *nodes, uint32_t count)
{
    return vector_gather(arena, ids, nodes, count);
}

// The hidden columns, from ids, ends and adjacency.
static void
hidden_columns(Arena *arena, Graph *graph, const Vector *ids)
{
    uint32_t nodes = graph->shape->nodes.count, edges = graph->shape->edges.count;
    graph->nodes[nodes + NODE_ID] = ids;
    graph->nodes[nodes + NODE_DEGREE_IN] = degrees(arena, &graph->in, graph->node_count);
    graph->nodes[nodes + NODE_DEGREE_OUT] = degrees(arena, &graph->out, graph->node_count);
    graph->edges[edges + EDGE_SOURCE_ID] = end_ids(arena, ids, graph->source, graph->edge_count);
    graph->edges[edges + EDGE_TARGET_ID] = end_ids(arena, ids, graph->target, graph->edge_count);
}

Adjacency
graph_adjacency(Arena *arena, const uint32_t *ends, uint32_t edge_count, uint32_t node_count)
{
    Adjacency adjacency = {
        .start = ARENA_ARRAY(arena, uint32_t, (size_t)node_count + 1),
        .edges = arena_alloc_array(arena, (size_t)edge_count + 1, sizeof(uint32_t)),
    };
    uint32_t *start = adjacency.start;
    for (uint32_t e = 0; e < edge_count; e++)
        start[ends[e] + 1]++;
    for (uint32_t v = 0; v < node_count; v++)
        start[v + 1] += start[v];
    // Each start is moved past its edges while these are placed, then moved back.
    for (uint32_t e = 0; e < edge_count; e++)
        adjacency.edges[start[ends[e]]++] = e;
    for (uint32_t v = node_count; v > 0; v--)
        start[v] = start[v - 1];
    start[0] = 0;
    return adjacency;
}

static Graph *
new_graph(Arena *arena, const GraphShape *shape, uint32_t node_count, uint32_t edge_count)
{
    Graph *graph = ARENA_NEW(arena, Graph);
    graph->shape = shape;
    graph->node_count = node_count;
    graph->edge_count = edge_count;
    graph->nodes = ARENA_ARRAY(arena, const Vector *, shape->nodes.count + NODE_HIDDEN);
    graph->edges = ARENA_ARRAY(arena, const Vector *, shape->edges.count + EDGE_HIDDEN);
    return graph;
}

static void
connect(Arena *arena, Graph *graph)
{
    graph->out = graph_adjacency(arena, graph->source, graph->edge_count, graph->node_count);
    graph->in = graph_adjacency(arena, graph->target, graph->edge_count, graph->node_count);
}

Graph *
graph_make(Exec *exec, const Plan *make, const Batch *edges, const Batch *nodes, AzError *error)
{
    Arena *arena = graph_arena(exec);
    const GraphShape *shape = make->graph;
    uint32_t node_columns = shape->nodes.count, rows = nodes ? nodes->count : 0;
    // Numbers, adjacency, hidden columns: what the graph adds to its tables.
    size_t bytes = (size_t)edges->count * (4 * sizeof(uint32_t) + 2 * sizeof(Text)) +
                   (size_t)rows * 16 * node_columns;
    if (!graph_reserve(exec, bytes, error))
        return NULL;
    Numbering n = {.layout = key_layout(exec->arena, &shape->id, 1), .edges = edges};
    const Vector *row_ids = nodes ? nodes->columns[node_columns] : NULL;
    group_table_init(&n.table, &n.layout, 0, arena);
    n.node_rows = arena_alloc_array(arena, (size_t)rows + 1, sizeof(uint32_t));
    for (uint32_t end = 0; end < 2; end++) {
        n.ends[end] = edges->columns[shape->edges.count + end];
        n.numbers[end] = arena_alloc_array(arena, (size_t)edges->count + 1, sizeof(uint32_t));
    }
    if ((row_ids && !number_nodes(exec, &n, row_ids, arena, error)) ||
        !number_ends(exec, &n, arena, error))
        return NULL;
    uint32_t count = n.table.count;
    n.first_row = arena_alloc_array(arena, (size_t)count + 1, sizeof(uint32_t));
    memset(n.first_row, 0xFF, count * sizeof(uint32_t));
    for (uint32_t r = rows; r-- > 0;)
        n.first_row[n.node_rows[r]] = r;
    Graph *graph = new_graph(arena, shape, count, edges->count);
    graph->source = n.numbers[0];
    graph->target = n.numbers[1];
    connect(arena, graph);
    const Vector *ids = node_ids(arena, &n, row_ids, shape->id);
    for (uint32_t c = 0; nodes && c < node_columns; c++)
        graph->nodes[c] = node_property(arena, &n, nodes->columns[c]);
    for (uint32_t i = 0; i < make->make_graph.id_property_count; i++) {
        uint32_t c = make->make_graph.id_properties[i];
        graph->nodes[c] = id_property(arena, &n, graph->nodes[c], ids);
    }
    for (uint32_t c = 0; c < shape->edges.count; c++)
        graph->edges[c] = edges->columns[c];
    hidden_columns(arena, graph, ids);
    return graph_charge(exec, error) ? graph : NULL;
}

// ---- graphs of plans ----

static Graph *
make_of_plan(Exec *exec, const Plan *plan, AzError *error)
{
    ResultTable *table = exec_collect(exec, plan->input, error);
    Batch *edges = table ? result_concat(exec, table, false, error) : NULL, *nodes = NULL;
    if (!edges)
        return NULL;
    if (plan->make_graph.nodes) {
        table = exec_collect(exec, plan->make_graph.nodes, error);
        nodes = table ? result_concat(exec, table, false, error) : NULL;
        if (!nodes)
            return NULL;
    }
    return graph_make(exec, plan, edges, nodes, error);
}

// The numbers in a set, ascending; `places` has the place of each in the list.
static uint32_t *
set_members(Arena *arena, const uint64_t *set, uint32_t count, uint32_t *kept, uint32_t *places)
{
    uint32_t *members = arena_alloc_array(arena, (size_t)count + 1, sizeof(uint32_t));
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!bit_get(set, i))
            continue;
        if (places)
            places[i] = at;
        members[at++] = i;
    }
    *kept = at;
    return members;
}

// The graph with only these nodes and those of these edges whose both ends are left.
static Graph *
graph_subset(Exec *exec, const Graph *graph, const uint64_t *node_set, uint64_t *edge_set,
             AzError *error)
{
    Arena *arena = graph_arena(exec);
    if (!graph_reserve(exec, (size_t)graph->edge_count * 32 + (size_t)graph->node_count * 16,
                       error))
        return NULL;
    uint32_t *places = arena_alloc_array(arena, (size_t)graph->node_count + 1, sizeof(uint32_t));
    uint32_t node_count, edge_count;
    uint32_t *nodes = set_members(arena, node_set, graph->node_count, &node_count, places);
    for (uint32_t e = 0; e < graph->edge_count; e++)
        if (!bit_get(node_set, graph->source[e]) || !bit_get(node_set, graph->target[e]))
            bit_clear(edge_set, e);
    uint32_t *edges = set_members(arena, edge_set, graph->edge_count, &edge_count, NULL);
    Graph *part = new_graph(arena, graph->shape, node_count, edge_count);
    part->source = arena_alloc_array(arena, (size_t)edge_count + 1, sizeof(uint32_t));
    part->target = arena_alloc_array(arena, (size_t)edge_count + 1, sizeof(uint32_t));
    for (uint32_t e = 0; e < edge_count; e++) {
        part->source[e] = places[graph->source[edges[e]]];
        part->target[e] = places[graph->target[edges[e]]];
    }
    connect(arena, part);
    for (uint32_t c = 0; c <= graph->shape->nodes.count; c++) // the id too
        part->nodes[c] = vector_gather(arena, graph->nodes[c], nodes, node_count);
    for (uint32_t c = 0; c < graph->shape->edges.count; c++)
        part->edges[c] = vector_gather(arena, graph->edges[c], edges, edge_count);
    hidden_columns(arena, part, part->nodes[graph->shape->nodes.count]);
    return graph_charge(exec, error) ? part : NULL;
}

static Graph *
filter_of_plan(Exec *exec, const Plan *plan, AzError *error)
{
    Graph *graph = graph_build(exec, plan->input, error);
    if (!graph)
        return NULL;
    bool of_edges = plan->graph_filter.edges;
    uint64_t *nodes = graph_full_set(graph_arena(exec), graph->node_count);
    uint64_t *edges = graph_full_set(graph_arena(exec), graph->edge_count);
    if (!graph_filter_set(exec, graph, of_edges, plan->graph_filter.inputs,
                          plan->graph_filter.predicate, of_edges ? edges : nodes, error))
        return NULL;
    return graph_subset(exec, graph, nodes, edges, error);
}

static Graph *
components_of_plan(Exec *exec, const Plan *plan, AzError *error)
{
    Arena *arena = graph_arena(exec);
    Graph *graph = graph_build(exec, plan->input, error);
    if (!graph || !graph_reserve(exec, (size_t)graph->node_count * 40, error))
        return NULL;
    Graph *marked = ARENA_NEW(arena, Graph);
    *marked = *graph;
    marked->shape = plan->graph;
    uint32_t own = graph->shape->nodes.count;
    marked->nodes = ARENA_ARRAY(arena, const Vector *, own + 1 + NODE_HIDDEN);
    memcpy(marked->nodes, graph->nodes, own * sizeof(*marked->nodes));
    memcpy(marked->nodes + own + 1, graph->nodes + own, NODE_HIDDEN * sizeof(*marked->nodes));
    Vector *ids = ARENA_NEW(arena, Vector);
    *ids = (Vector){.type = TYPE_LONG, .encoding = ENC_FLAT, .count = graph->node_count};
    ids->data = plan->graph_components.strong ? graph_strong_components(exec, graph)
                                              : graph_weak_components(exec, graph);
    marked->nodes[own] = ids;
    return graph_check(exec, error) && graph_charge(exec, error) ? marked : NULL;
}

Graph *
graph_build(Exec *exec, const Plan *plan, AzError *error)
{
    switch (plan->kind) {
    case PLAN_MAKE_GRAPH: return make_of_plan(exec, plan, error);
    case PLAN_GRAPH_FILTER: return filter_of_plan(exec, plan, error);
    case PLAN_GRAPH_COMPONENTS: return components_of_plan(exec, plan, error);
    case PLAN_SHARED: return shared_graph(exec, plan, error);
    default: error_set(error, AZ_UNSUPPORTED, "this operator yields no graph"); return NULL;
    }
}
