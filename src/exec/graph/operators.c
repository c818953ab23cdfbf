// The graph operators that yield rows: matches, nodes, edges, and partitions.

#include "base/array.h"
#include "exec/graph/pattern.h"

// ---- graph-match, graph-shortest-paths ----

// The nodes a search starts at, in small batches: a start is a search, not a row, and
// workers take batches.
static ResultTable *
start_table(Exec *exec, const uint64_t *set, uint32_t count, AzError *error)
{
    enum { STARTS_IN_BATCH = 64 };
    Arena *arena = graph_arena(exec);
    uint32_t size = set ? graph_set_size(set, count) : count, at = 0;
    if (!graph_reserve(exec, (size_t)size * sizeof(int64_t), error))
        return NULL;
    Vector *starts = vector_new_flat(arena, TYPE_LONG, size);
    for (uint32_t v = 0; v < count; v++)
        if (!set || bit_get(set, v))
            ((int64_t *)starts->data)[at++] = v;
    ResultTable *table = ARENA_NEW(arena, ResultTable);
    table->schema = (Schema){ARENA_ARRAY(arena, Column, 1), 1};
    table->schema.columns[0] = (Column){STR("$start"), TYPE_LONG};
    table->row_count = size;
    uint32_t most = batch_rows < STARTS_IN_BATCH ? batch_rows : STARTS_IN_BATCH;
    table->batches = ARENA_ARRAY(arena, Batch *, (size_t)size / most + 1);
    for (uint32_t from = 0; from < size; from += most) {
        uint32_t rows = size - from < most ? size - from : most;
        Batch *batch = batch_new(arena, 1, rows);
        batch->columns[0] = vector_slice(arena, starts, from, rows);
        table->batches[table->batch_count++] = batch;
    }
    return graph_charge(exec, error) ? table : NULL;
}

// Whether breadth-first search finds the shortest paths of the pattern.
static bool
is_one_path(const Pattern *p)
{
    const GraphMatch *match = p->match;
    return match->edge_count == 1 && match->edges[0].min <= 1 && match->cycles == CYCLES_NONE &&
           match->first != match->last;
}

bool
build_graph_match(Exec *exec, const Plan *plan, Pipeline *out, AzError *error)
{
    const GraphMatch *match = &plan->graph_match;
    Graph *graph = graph_build(exec, plan->input, error);
    Pattern *pattern = graph ? pattern_prepare(exec, graph, match, error) : NULL;
    if (!pattern)
        return false;
    Search *search = ARENA_NEW(exec->arena, Search);
    search->pattern = pattern;
    search->workers = ARENA_ARRAY(exec->arena, void *, exec->worker_count);
    bool one_path = match->shortest && is_one_path(pattern);
    uint32_t start = pattern->start;
    if (one_path && pattern->candidates[match->last] < pattern->candidates[match->first]) {
        search->from_end = true;
        start = match->last;
    }
    ResultTable *starts = start_table(exec, pattern->node_sets[start], graph->node_count, error);
    if (!starts || !pipeline_from_table(exec, starts, out))
        return false;
    // As many rows as would be worth all workers.
    if (starts->batch_count > 1)
        out->branches[out->count - 1].source->row_count = 4 * BATCH_ROWS_MAX;
    pipeline_append(exec, out, plan, search,
                    one_path          ? shortest_push
                    : match->shortest ? deepen_push
                                      : match_push);
    return true;
}

// ---- graph-to-table ----

ResultTable *
run_graph_table(Exec *exec, const Plan *plan, AzError *error)
{
    Graph *graph = graph_build(exec, plan->input, error);
    if (!graph)
        return NULL;
    bool edges = plan->kind == PLAN_GRAPH_EDGES;
    Batch *whole =
        batch_new(exec->arena, plan->schema.count, edges ? graph->edge_count : graph->node_count);
    for (uint32_t c = 0; c < plan->schema.count; c++)
        whole->columns[c] = edges ? graph->edges[c] : graph->nodes[c];
    return result_cut(exec->arena, &plan->schema, whole);
}
