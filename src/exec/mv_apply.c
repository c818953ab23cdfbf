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
static void
keep_answer(Apply *apply, const ResultTable *answer, uint32_t row)
{
    const Plan *plan = apply->plan;
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
}

// Runs the sub-query over elements [from, end). What the run leaves behind is given back
// at once, so that many small runs cost no more memory than one; tables that are
// evaluated once for the query were already (exec_prepare).
static bool
apply_row(Apply *apply, uint32_t from, uint32_t end, AzError *error)
{
    Exec *exec = apply->exec;
    Arena outer = *exec->arena, keep = exec->workers[0].keep;
    size_t charged = exec->workers[0].charged;
    ResultTable *correlated = exec->correlated;
    Prepared *prepared = exec->prepared;
    arena_init(exec->arena);
    arena_init(&exec->workers[0].keep);
    exec->workers[0].charged = 0;
    size_t worker_count = exec->worker_count;
    exec->worker_count = 1; // a sub-query is small; its memory is worker 0's alone
    Batch *slice = batch_new(exec->arena, apply->expanded->column_count - 1, end - from);
    for (uint32_t c = 0; c < slice->column_count; c++)
        slice->columns[c] =
            vector_slice(exec->arena, apply->expanded->columns[c], from, end - from);
    exec->correlated = result_cut(exec->arena, &apply->plan->mv_apply.expand->schema, slice);
    ResultTable *answer = exec_collect(exec, apply->plan->mv_apply.subplan, error);
    Arena run = *exec->arena, run_keep = exec->workers[0].keep;
    if (exec->options->budget)
        budget_give(exec->options->budget, exec->workers[0].charged);
    *exec->arena = outer;
    exec->workers[0].keep = keep;
    exec->workers[0].charged = charged;
    exec->worker_count = worker_count;
    exec->correlated = correlated;
    exec->prepared = prepared; // forgets what was evaluated for this row alone
    if (answer)
        keep_answer(apply, answer, (uint32_t)apply->row_of[from]);
    arena_free(&run);
    arena_free(&run_keep);
    return answer && (worker_charge(&exec->workers[0], "the rows of mv-apply") ||
                      exec_first_error(exec, error));
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
        if (!apply_row(&apply, from, end, error))
            return NULL;
        from = end;
    }
    ResultTable *result = ARENA_NEW(exec->arena, ResultTable);
    *result = (ResultTable){plan->schema, apply.out.items, (uint32_t)apply.out.len, apply.out_rows};
    return result;
}
