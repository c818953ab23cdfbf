// sample: some rows, as many as asked for, each as likely as another.
//
// Every row gets a pseudo-random rank from its place in the input and the query's time;
// the rows of the least ranks are taken and come out in the order of the input. So one
// query at one time has one answer, whatever the number of threads.

#include "exec/internal.h"

// splitmix64: neighbouring numbers give unrelated ones.
static int64_t
rank_of(uint64_t number)
{
    number += 0x9E3779B97F4A7C15u;
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9u;
    number = (number ^ number >> 27) * 0x94D049BB133111EBu;
    return (int64_t)(number ^ number >> 31);
}

static bool
rank_push(Operator *self, Worker *worker, Batch *batch)
{
    Arena *arena = &worker->batch;
    uint32_t rows = batch->selected, columns = batch->column_count;
    Batch *out = batch_new(arena, columns + 2, rows);
    for (uint32_t c = 0; c < columns; c++)
        out->columns[c] = batch_column(arena, batch, c);
    Vector *rank = vector_new_flat(arena, TYPE_LONG, rows);
    Vector *place = vector_new_flat(arena, TYPE_LONG, rows);
    uint64_t seed = (uint64_t)rank_of((uint64_t)worker->exec->options->now);
    for (uint32_t i = 0; i < rows; i++) {
        uint64_t sequence = worker_sequence(worker) + i;
        ((int64_t *)rank->data)[i] = rank_of(sequence ^ seed);
        ((int64_t *)place->data)[i] = (int64_t)sequence;
    }
    out->columns[columns] = rank;
    out->columns[columns + 1] = place;
    return operator_emit(self, worker, out);
}

// A plan that sorts by one long column, for sort_pipeline.
static Plan *
sort_by(Arena *arena, const Schema *schema, uint32_t column, int64_t limit)
{
    Plan *plan = plan_new(arena, PLAN_SORT, (Span){0});
    plan->schema = *schema;
    plan->sort.keys = ARENA_ARRAY(arena, SortKey, 1);
    plan->sort.keys[0].expr = expr_column(arena, column, TYPE_LONG, (Span){0});
    plan->sort.keys[0].nulls_first = true;
    plan->sort.key_count = 1;
    plan->sort.limit = limit;
    return plan;
}

ResultTable *
run_sample(Exec *exec, const Plan *plan, AzError *error)
{
    Arena *arena = exec->arena;
    uint32_t columns = plan->schema.count;
    Schema ranked = {ARENA_ARRAY(arena, Column, columns + 2), columns + 2};
    memcpy(ranked.columns, plan->schema.columns, columns * sizeof(Column));
    ranked.columns[columns] = (Column){STR("$rank"), TYPE_LONG};
    ranked.columns[columns + 1] = (Column){STR("$place"), TYPE_LONG};
    Pipeline pipeline = {0}, ordered = {0};
    if (!pipeline_build(exec, plan->input, &pipeline, error))
        return NULL;
    pipeline_append(exec, &pipeline, plan, NULL, rank_push);
    ResultTable *least = sort_pipeline(exec, sort_by(arena, &ranked, columns, plan->sample.count),
                                       &ranked, &pipeline, error);
    if (!least || !pipeline_from_table(exec, least, &ordered))
        return NULL;
    ResultTable *result =
        sort_pipeline(exec, sort_by(arena, &ranked, columns + 1, -1), &ranked, &ordered, error);
    if (!result)
        return NULL;
    for (uint32_t b = 0; b < result->batch_count; b++)
        result->batches[b]->column_count = columns;
    result->schema = plan->schema;
    return result;
}
