// Sets of nodes or edges, a bit each: what a condition on one variable leaves.
//
// The condition runs over the whole table of nodes or edges, in batches that workers
// take in turn. A batch is a multiple of 64 elements, so that no two workers write one
// word of the set.

#include "exec/graph/graph.h"

#include <stdatomic.h>

uint64_t *
graph_full_set(Arena *arena, uint32_t count)
{
    uint64_t *set = arena_alloc_array(arena, bit_words(count) + 1, sizeof(uint64_t));
    memset(set, 0xFF, bit_words(count) * sizeof(uint64_t));
    if (count & 63)
        set[count >> 6] = ((uint64_t)1 << (count & 63)) - 1;
    return set;
}

uint32_t
graph_set_size(const uint64_t *set, uint32_t count)
{
    uint32_t size = 0;
    for (size_t w = 0; w < bit_words(count); w++)
        size += (uint32_t)__builtin_popcountll(set[w]);
    return size;
}

typedef struct SetFilter {
    Exec *exec;
    const Vector **columns; // of the elements
    uint32_t count;
    GraphInputKind kind; // that the inputs which are read have, if not GRAPH_ELEMENT
    const GraphInputs *inputs;
    const Expr *predicate;
    uint64_t *set;
    _Atomic uint32_t next;
} SetFilter;

static bool
filter_part(SetFilter *f, Worker *worker, uint32_t from, uint32_t count)
{
    Arena *arena = &worker->batch;
    arena_reset(arena);
    uint32_t *rows = arena_alloc_array(arena, count, sizeof(uint32_t));
    uint32_t live = 0;
    for (uint32_t i = 0; i < count; i++)
        if (bit_get(f->set, from + i))
            rows[live++] = i;
    if (!live)
        return true;
    Batch *batch = batch_new(arena, (uint32_t)f->inputs->len, count);
    for (uint32_t i = 0; i < f->inputs->len; i++) {
        const GraphInput *input = &f->inputs->items[i];
        if (input->kind == f->kind || input->kind == GRAPH_ELEMENT)
            batch->columns[i] = vector_slice(arena, f->columns[input->column], from, count);
    }
    batch->selection = rows;
    batch->selected = live;
    if (!filter_batch(worker, f->predicate, batch))
        return false;
    memset(f->set + (from >> 6), 0, bit_words(count) * sizeof(uint64_t));
    for (uint32_t i = 0; i < batch->selected; i++)
        bit_set(f->set, from + batch_row(batch, i));
    return true;
}

static void
filter_job(void *context, size_t number)
{
    SetFilter *f = context;
    Worker *worker = &f->exec->workers[number];
    for (;;) {
        uint32_t part = atomic_fetch_add(&f->next, 1);
        uint64_t from = (uint64_t)part * BATCH_ROWS_MAX;
        if (from >= f->count)
            return;
        uint32_t left = f->count - (uint32_t)from;
        worker->morsel = part;
        if (!worker_check(worker) ||
            !filter_part(f, worker, (uint32_t)from, left < BATCH_ROWS_MAX ? left : BATCH_ROWS_MAX))
            return;
    }
}

bool
graph_filter_set(Exec *exec, const Graph *graph, bool edges, const GraphInputs *inputs,
                 const Expr *predicate, uint64_t *set, AzError *error)
{
    SetFilter f = {
        .exec = exec,
        .columns = edges ? graph->edges : graph->nodes,
        .count = edges ? graph->edge_count : graph->node_count,
        .kind = edges ? GRAPH_EDGE : GRAPH_NODE,
        .inputs = inputs,
        .set = set,
    };
    f.predicate = resolve_subqueries(exec, predicate, error);
    if (!f.predicate)
        return false;
    exec_parallel(exec, f.count > 4 * BATCH_ROWS_MAX ? exec->worker_count : 1, filter_job, &f);
    return exec_first_error(exec, error);
}
