// mv-apply: a sub-query over the expanded rows of each input row.
//
// The input is expanded as a whole, with the number of the row each element came from;
// then the sub-query runs over each run of equal numbers. What it yields stands beside
// the columns of the row. A row whose array is empty has no elements and goes, as does
// one for which the sub-query yields nothing (Kusto docs, mv-apply operator).

#include "base/array.h"
#include "exec/internal.h"

typedef struct Apply {
    Exec *exec;
    const Plan *plan;
    Batch *input;    // all input rows, flat
    Batch *expanded; // all elements, then the number of their row
    const int64_t *row_of;
    uint32_t row; // whose elements the sub-query runs over
    struct {
        Batch **items;
        size_t len, cap;
    } out;
    uint64_t out_rows;
} Apply;

// The expansion with the row number as one more column.
static Plan *
numbered_expansion(Arena *arena, const Plan *expand, uint32_t row_column)
{
    Plan *plan = ARENA_NEW(arena, Plan);
    *plan = *expand;
    uint32_t count = expand->schema.count;
    plan->schema.columns = ARENA_ARRAY(arena, Column, count + 1);
    memcpy(plan->schema.columns, expand->schema.columns, count * sizeof(Column));
    plan->schema.columns[count] = (Column){STR("$row"), TYPE_LONG};
    plan->schema.count = count + 1;
    plan->mv_expand.carried = ARENA_ARRAY(arena, uint32_t, count + 1);
    memcpy(plan->mv_expand.carried, expand->mv_expand.carried, count * sizeof(uint32_t));
    plan->mv_expand.carried[count] = row_column;
    return plan;
}

static bool
expand_input(Apply *apply, AzError *error)
{
    Exec *exec = apply->exec;
    Arena *arena = exec->arena;
    const Plan *plan = apply->plan;
    ResultTable *table = exec_collect(exec, plan->input, error);
    apply->input = table ? result_concat(exec, table, false, error) : NULL;
    if (!apply->input)
        return false;
    uint32_t columns = plan->input->schema.count, rows = apply->input->count;
    Batch *numbered = batch_new(arena, columns + 1, rows);
    memcpy(numbered->columns, apply->input->columns, columns * sizeof(*numbered->columns));
    Vector *numbers = vector_new_flat(arena, TYPE_LONG, rows);
    for (uint32_t i = 0; i < rows; i++)
        ((int64_t *)numbers->data)[i] = i;
    numbered->columns[columns] = numbers;
    Schema schema = {ARENA_ARRAY(arena, Column, columns + 1), columns + 1};
    memcpy(schema.columns, plan->input->schema.columns, columns * sizeof(Column));
    schema.columns[columns] = (Column){STR("$row"), TYPE_LONG};
    Pipeline pipeline = {0};
    pipeline_from_table(exec, result_cut(arena, &schema, numbered), &pipeline);
    Plan *expand = numbered_expansion(arena, plan->mv_apply.expand, columns);
    if (!pipeline_append_mv_expand(exec, &pipeline, expand, error))
        return false;
    ResultTable *expanded = pipeline_collect(exec, &pipeline, &expand->schema, -1, error);
    apply->expanded = expanded ? result_concat(exec, expanded, false, error) : NULL;
    if (!apply->expanded)
        return false;
    apply->row_of = apply->expanded->columns[apply->expanded->column_count - 1]->data;
    return true;
}

// Copies what the sub-query yielded for `row` beside the row's own columns.
static bool
keep_answer(void *context, const ResultTable *answer)
{
    Apply *apply = context;
    const Plan *plan = apply->plan;
    uint32_t row = apply->row;
    Arena *keep = &apply->exec->workers[0].keep;
    for (uint32_t b = 0; b < answer->batch_count; b++) {
        const Batch *part = answer->batches[b];
        Batch *out = batch_new(keep, plan->schema.count, part->count);
        uint32_t *same = arena_alloc_array(keep, part->count, sizeof(uint32_t));
        for (uint32_t i = 0; i < part->count; i++)
            same[i] = row;
        for (uint32_t c = 0; c < plan->schema.count; c++) {
            uint32_t carried = plan->mv_apply.carried[c];
            out->columns[c] =
                carried == UINT32_MAX
                    ? vector_copy(keep, part->columns[plan->mv_apply.from_subplan[c]])
                    : vector_new_dict(keep, apply->input->columns[carried], same, part->count);
        }
        ARRAY_PUSH(keep, &apply->out, out);
        apply->out_rows += part->count;
    }
    return worker_charge(&apply->exec->workers[0], "the rows of mv-apply");
}

ResultTable *
run_mv_apply(Exec *exec, const Plan *plan, AzError *error)
{
    Apply apply = {.exec = exec, .plan = plan};
    if (!expand_input(&apply, error) || !exec_prepare(exec, plan->mv_apply.subplan, error))
        return NULL;
    for (uint32_t from = 0; from < apply.expanded->count;) {
        uint32_t end = from + 1;
        while (end < apply.expanded->count && apply.row_of[end] == apply.row_of[from])
            end++;
        SubRows over = {
            .leaf = plan->mv_apply.leaf,
            .schema = &plan->mv_apply.expand->schema,
            .whole = apply.expanded,
            .from = from,
            .count = end - from,
        };
        apply.row = (uint32_t)apply.row_of[from];
        if (!exec_run_over(exec, plan->mv_apply.subplan, &over, keep_answer, &apply, error))
            return NULL;
        from = end;
    }
    ResultTable *result = ARENA_NEW(exec->arena, ResultTable);
    *result = (ResultTable){.schema = plan->schema,
                            .batches = apply.out.items,
                            .batch_count = (uint32_t)apply.out.len,
                            .row_count = apply.out_rows};
    return result;
}
