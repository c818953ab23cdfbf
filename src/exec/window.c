// Window functions: project over rows in a defined order.
//
// All rows are collected in order. Each window call, the inner ones first, is run once
// over all of them and becomes one more column; then the output expressions are
// ordinary ones over the widened rows and stream on like any others.

#include "base/array.h"
#include "exec/internal.h"

typedef struct Window {
    Exec *exec;
    ResultTable rows; // batches of the input, widened by the calls run so far
    uint32_t row_count;
} Window;

// A copy of `expr` with the window calls in it run and replaced by their columns.
static Expr *run_windows(Window *window, const Expr *expr, AzError *error);

static bool
has_window(const Expr *expr)
{
    if (expr->kind != EXPR_CALL)
        return false;
    if (expr->fn->kind == FUNCTION_WINDOW)
        return true;
    for (uint32_t i = 0; i < expr->arg_count; i++)
        if (has_window(expr->args[i]))
            return true;
    return false;
}

// The values of `expr` for all rows: constant, or flat over the whole input.
static const Vector *
whole_values(Window *window, const Expr *expr, AzError *error)
{
    Exec *exec = window->exec;
    Worker *worker = &exec->workers[0];
    if (expr->kind == EXPR_CONST)
        return vector_new_const(&worker->keep, &expr->value, window->row_count);
    Batch **parts = ARENA_ARRAY(exec->arena, Batch *, window->rows.batch_count);
    for (uint32_t b = 0; b < window->rows.batch_count; b++) {
        arena_reset(&worker->batch);
        const Batch *batch = window->rows.batches[b];
        const Vector *v = worker_check(worker) ? evaluate(worker, expr, batch) : NULL;
        if (!v)
            return exec_first_error(exec, error), NULL;
        parts[b] = batch_new(exec->arena, 1, batch->count);
        parts[b]->columns[0] = vector_copy(&worker->keep, v);
    }
    if (!worker_charge(worker, "window functions"))
        return exec_first_error(exec, error), NULL;
    Column column = {STR("$argument"), expr->type};
    ResultTable table = {.schema = {&column, 1},
                         .batches = parts,
                         .batch_count = window->rows.batch_count,
                         .row_count = window->row_count};
    return result_column(&worker->keep, &table, 0);
}

// Widens every batch by its part of `values`; the new column's position.
static uint32_t
add_column(Window *window, const Vector *values)
{
    Arena *arena = window->exec->arena;
    uint32_t position = window->rows.schema.count, at = 0;
    Column *columns = ARENA_ARRAY(arena, Column, position + 1);
    memcpy(columns, window->rows.schema.columns, position * sizeof(Column));
    columns[position] = (Column){STR("$window"), values->type};
    window->rows.schema = (Schema){columns, position + 1};
    for (uint32_t b = 0; b < window->rows.batch_count; b++) {
        const Batch *batch = window->rows.batches[b];
        Batch *wider = batch_new(arena, position + 1, batch->count);
        memcpy(wider->columns, batch->columns, position * sizeof(*wider->columns));
        wider->columns[position] = vector_slice(arena, values, at, batch->count);
        at += batch->count;
        window->rows.batches[b] = wider;
    }
    return position;
}

static Expr *
run_call(Window *window, const Expr *expr, AzError *error)
{
    Worker *worker = &window->exec->workers[0];
    Arena *keep = &worker->keep;
    ArgView *args = ARENA_ARRAY(window->exec->arena, ArgView, expr->arg_count);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        const Vector *values = whole_values(window, expr->args[i], error);
        if (!values)
            return NULL;
        args[i] = arg_view(keep, values);
    }
    size_t words = bit_words(window->row_count) + 1;
    Vector *out = vector_new_flat(keep, expr->type, window->row_count);
    uint64_t *valid = arena_alloc_array(keep, words, sizeof(uint64_t));
    memset(valid, 0xFF, words * sizeof(uint64_t));
    ScalarCall call = {
        .fn = expr->fn,
        .args = args,
        .arg_count = expr->arg_count,
        .count = window->row_count,
        .arena = keep,
        .type = expr->type,
        .out = out->data,
        .out_valid = valid,
        .bound = expr->bound,
        .scratch = &worker->scratch,
        .now = window->exec->options->now,
    };
    ((const ScalarImpl *)expr->fn->impl)->kernel(&call);
    if (call.has_nulls && expr->type != TYPE_STRING)
        out->valid = valid;
    if (!worker_charge(worker, "window functions"))
        return exec_first_error(window->exec, error), NULL;
    return expr_column(window->exec->arena, add_column(window, out), expr->type, expr->span);
}

static Expr *
run_windows(Window *window, const Expr *expr, AzError *error)
{
    if (!has_window(expr))
        return (Expr *)(uintptr_t)expr;
    Arena *arena = window->exec->arena;
    Expr *copy = ARENA_NEW(arena, Expr);
    *copy = *expr;
    copy->args = ARENA_ARRAY(arena, Expr *, expr->arg_count);
    for (uint32_t i = 0; i < expr->arg_count; i++)
        if (!(copy->args[i] = run_windows(window, expr->args[i], error)))
            return NULL;
    return expr->fn->kind == FUNCTION_WINDOW ? run_call(window, copy, error) : copy;
}

bool
build_window(Exec *exec, const Plan *plan, Pipeline *out, AzError *error)
{
    Expr **exprs;
    if (!resolve_all(exec, plan->window.exprs, plan->schema.count, &exprs, error))
        return false;
    ResultTable *input = exec_collect(exec, plan->input, error);
    if (!input)
        return false;
    if (input->row_count >= UINT32_MAX)
        return error_at(error, AZ_LIMIT, plan->span, "too many rows for window functions");
    Window window = {exec, *input, (uint32_t)input->row_count};
    window.rows.batches = ARENA_ARRAY(exec->arena, Batch *, input->batch_count);
    if (input->batch_count)
        memcpy(window.rows.batches, input->batches, input->batch_count * sizeof(Batch *));
    for (uint32_t c = 0; c < plan->schema.count; c++)
        if (!(exprs[c] = run_windows(&window, exprs[c], error)))
            return false;
    if (!pipeline_from_table(exec, &window.rows, out))
        return false;
    pipeline_project(exec, out, plan, exprs, plan->schema.count);
    return true;
}
