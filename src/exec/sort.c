// sort and top.
//
// The input is collected with its key values as extra columns and ordered (order.h). Rows beyond the
// memory of the query are sorted in parts on disk (sort_spill.c).
//
// With a limit each worker keeps few more rows than wanted: it sorts what it has from
// time to time, throws the rest away, and drops rows that come behind the worst one
// kept. Rows carry their sequence then, as the last key.

#include "exec/sort.h"

#include "base/array.h"

// ---- the operator ----

// What a worker of a top has kept.
typedef struct TopPart {
    Arena arena; // of the batches
    struct {
        Batch **items;
        size_t len, cap;
    } batches;
    uint64_t rows;
    size_t charged;
    Vector *worst; // first key of the worst row kept: one row; NULL until enough are kept
} TopPart;

static bool
sort_prepare(SortRun *run, AzError *error)
{
    Arena *arena = run->exec->arena;
    const Schema *input = run->input;
    uint32_t key_count = run->plan->sort.key_count;
    run->schema.columns = ARENA_ARRAY(arena, Column, input->count + key_count + 1);
    memcpy(run->schema.columns, input->columns, input->count * sizeof(Column));
    run->schema.count = input->count;
    run->exprs = ARENA_ARRAY(arena, Expr *, key_count);
    run->key_columns = ARENA_ARRAY(arena, uint32_t, key_count + 1);
    for (uint32_t k = 0; k < key_count; k++) {
        Expr *expr = resolve_subqueries(run->exec, run->plan->sort.keys[k].expr, error);
        if (!expr)
            return false;
        if (expr->kind == EXPR_COLUMN) {
            run->key_columns[k] = expr->column;
            continue;
        }
        run->exprs[run->extra++] = expr;
        run->key_columns[k] = run->schema.count;
        run->schema.columns[run->schema.count++] = (Column){STR("$key"), expr->type};
    }
    return true;
}

Order
sort_order(const SortRun *run, Arena *arena, const Batch *whole)
{
    uint32_t count = run->plan->sort.key_count;
    Order order = {ARENA_ARRAY(arena, OrderKey, count + 1), count + (run->sequence >= 0)};
    for (uint32_t k = 0; k < count; k++) {
        const SortKey *key = &run->plan->sort.keys[k];
        order.keys[k] =
            (OrderKey){whole->columns[run->key_columns[k]], key->descending, key->nulls_first};
    }
    if (run->sequence >= 0)
        order.keys[count] = (OrderKey){whole->columns[run->sequence], false, false};
    return order;
}

// ---- top ----

// Keeps the best `limit` rows of a part.
static bool
top_prune(const SortRun *run, TopPart *part, Worker *worker)
{
    ResultTable table = {.schema = run->schema,
                         .batches = part->batches.items,
                         .batch_count = (uint32_t)part->batches.len,
                         .row_count = part->rows};
    Arena fresh = {0}, scratch = {0};
    Batch *whole = batch_new(&scratch, table.schema.count, (uint32_t)part->rows);
    for (uint32_t c = 0; c < table.schema.count; c++)
        whole->columns[c] = result_column(&scratch, &table, c);
    Order order = sort_order(run, &scratch, whole);
    uint32_t *rows = order_rows(&scratch, &order, whole->count);
    uint32_t kept = whole->count < run->limit ? whole->count : (uint32_t)run->limit;
    whole->selection = rows;
    whole->selected = kept;
    Batch *best = batch_copy(&fresh, whole);
    arena_free(&part->arena);
    part->arena = fresh;
    memset(&part->batches, 0, sizeof(part->batches));
    ARRAY_PUSH(&part->arena, &part->batches, best);
    part->rows = kept;
    part->worst = NULL;
    if (kept == run->limit && run->plan->sort.key_count) {
        uint32_t last = kept - 1;
        const Vector *key =
            vector_gather(&part->arena, best->columns[run->key_columns[0]], &last, 1);
        part->worst = (Vector *)(uintptr_t)vector_flatten(&part->arena, key);
    }
    arena_free(&scratch);
    return worker->error.code == AZ_OK;
}

// So many rows more than twice the limit are collected before the best are picked again: few, since
// the first time there is a worst row kept most rows need not be read.
enum { PRUNE_ROWS = 512 };

// Leaves the rows that do not come behind the worst row kept by the first key.
static void
drop_hopeless(const SortRun *run, const TopPart *part, Worker *worker, Batch *batch,
              uint32_t key_column)
{
    const SortKey *spec = &run->plan->sort.keys[0];
    Arena *arena = &worker->batch;
    const Vector *values = vector_flatten(arena, batch_column(arena, batch, key_column));
    OrderKey key = {values, spec->descending, spec->nulls_first};
    OrderKey worst = {part->worst, spec->descending, spec->nulls_first};
    uint32_t count = batch->selected, kept = 0;
    uint64_t *words = arena_alloc_array(arena, count, sizeof(uint64_t)), worst_word;
    uint32_t *selection = arena_alloc_array(arena, count, sizeof(uint32_t));
    bool exact;
    order_words(&key, count, words, &exact);
    order_words(&worst, 1, &worst_word, &exact);
    unsigned worst_class = order_class(&worst, 0);
    bool worst_is_value = order_class_is_value(&worst, worst_class);
    for (uint32_t i = 0; i < count; i++) {
        unsigned class = order_class(&key, i);
        selection[kept] = batch_row(batch, i);
        kept += class < worst_class ||
                (class == worst_class && (!worst_is_value || words[i] <= worst_word));
    }
    batch->selection = selection;
    batch->selected = kept;
}

// ---- before rows are read ----

static void
gate_narrow(const RowGate *gate, Worker *worker, Batch *batch)
{
    const SortRun *run = gate->state;
    const TopPart *part = &run->parts[worker->number];
    if (part->worst)
        drop_hopeless(run, part, worker, batch, gate->column);
}

// By the zones of the morsel: no value reaches the worst one kept. What sorts before all values
// is in no zone: where nulls do, nothing can be said.
static bool
gate_may_pass(const RowGate *gate, const Worker *worker, const TableSource *source, uint32_t morsel,
              uint32_t source_column)
{
    const SortRun *run = gate->state;
    const SortKey *key = &run->plan->sort.keys[0];
    const Vector *worst = run->parts[worker->number].worst;
    if (!worst || !source->may_match || key->nulls_first || worst->type == TYPE_REAL ||
        worst->type == TYPE_DYNAMIC || vector_is_null(worst, 0))
        return true;
    Value value = vector_value(worst, 0);
    ScanPredicate predicate = {.column = source_column,
                               .op = key->descending ? SCAN_GE : SCAN_LE,
                               .values = &value,
                               .value_count = 1};
    return source->may_match(source, morsel, &predicate, 1);
}

// Only the first key's column is read of rows that cannot be among the best, where it is a
// column of the source.
static void
gates_install(SortRun *run, Pipeline *input)
{
    for (size_t b = 0; b < input->count && run->plan->sort.key_count; b++) {
        Branch *branch = &input->branches[b];
        ptrdiff_t column = branch_column(branch, run->key_columns[0]);
        if (column < 0 || (branch->begin && !branch->numbered) ||
            run->key_columns[0] >= run->input->count)
            continue;
        RowGate *gate = ARENA_NEW(run->exec->arena, RowGate);
        *gate = (RowGate){run, (uint32_t)column, run->plan->sort.keys[0].descending, gate_may_pass,
                          gate_narrow};
        branch->gate = gate;
    }
}

static bool
top_consume(Sink *self, Worker *worker, Batch *batch)
{
    SortRun *run = self->state;
    TopPart *part = &run->parts[worker->number];
    // Before any are dropped.
    Batch *numbered = batch_numbered(&worker->batch, batch, worker_sequence(worker));
    if (part->worst)
        drop_hopeless(run, part, worker, numbered, run->key_columns[0]);
    if (!numbered->selected)
        return true;
    Batch *kept = batch_copy(&part->arena, numbered);
    ARRAY_PUSH(&part->arena, &part->batches, kept);
    part->rows += kept->count;
    if (part->rows >= 2 * run->limit + PRUNE_ROWS && !top_prune(run, part, worker))
        return false;
    Budget *budget = worker->exec->options->budget;
    if (budget && part->arena.allocated > part->charged) {
        if (!budget_take(budget, part->arena.allocated - part->charged, "the rows of a top",
                         &worker->error))
            return false;
        part->charged = part->arena.allocated;
    }
    return true;
}

static ResultTable *
top_finish(SortRun *run, AzError *error)
{
    ResultTable all = {.schema = run->schema};
    for (size_t w = 0; w < run->exec->worker_count; w++)
        all.batch_count += (uint32_t)run->parts[w].batches.len;
    all.batches = ARENA_ARRAY(run->exec->arena, Batch *, all.batch_count);
    all.batch_count = 0;
    for (size_t w = 0; w < run->exec->worker_count; w++)
        for (size_t b = 0; b < run->parts[w].batches.len; b++) {
            all.batches[all.batch_count++] = run->parts[w].batches.items[b];
            all.row_count += run->parts[w].batches.items[b]->count;
        }
    Batch *whole = result_concat(run->exec, &all, false, error);
    if (!whole)
        return NULL;
    Worker *worker = &run->exec->workers[0];
    Order order = sort_order(run, run->exec->arena, whole);
    uint32_t *rows = order_rows(&worker->keep, &order, whole->count);
    uint32_t kept = whole->count < run->limit ? whole->count : (uint32_t)run->limit;
    // The parts' arenas go now: texts must not point there.
    Batch picked = *whole;
    picked.selection = rows;
    picked.selected = kept;
    Batch *best = batch_copy(&worker->keep, &picked);
    best->column_count = run->plan->schema.count;
    if (!worker_charge(worker, "the rows of a top"))
        return exec_first_error(run->exec, error), NULL;
    return result_cut(run->exec->arena, &run->plan->schema, best);
}

static ResultTable *
sort_top(SortRun *run, Pipeline *input, AzError *error)
{
    Exec *exec = run->exec;
    run->parts = ARENA_ARRAY(exec->arena, TopPart, exec->worker_count);
    gates_install(run, input);
    Sink sink = {.state = run, .consume = top_consume};
    ResultTable *result = NULL;
    if (!run->limit || pipeline_run(exec, input, &sink, error))
        result = top_finish(run, error);
    for (size_t w = 0; w < exec->worker_count; w++) {
        arena_free(&run->parts[w].arena);
        if (exec->options->budget)
            budget_give(exec->options->budget, run->parts[w].charged);
    }
    return result;
}

// Beyond so many rows a limit is as good as none.
static bool
is_top(const Plan *plan)
{
    return plan->sort.limit >= 0 && plan->sort.limit <= UINT32_MAX / 4;
}

static bool
comes_in_order(const Pipeline *input)
{
    for (size_t b = 0; b < input->count; b++)
        if (input->branches[b].numbered)
            return false;
    return true;
}

ResultTable *
sort_pipeline(Exec *exec, const Plan *plan, const Schema *schema, Pipeline *input, AzError *error)
{
    SortRun run = {.exec = exec, .plan = plan, .input = schema, .sequence = -1};
    if (!sort_prepare(&run, error))
        return NULL;
    pipeline_extend(exec, input, plan, run.exprs, run.extra);
    bool top = is_top(plan);
    if (top || !comes_in_order(input)) {
        run.sequence = run.schema.count;
        run.schema.columns[run.schema.count++] = (Column){STR("$sequence"), TYPE_LONG};
    }
    run.limit = plan->sort.limit < 0 ? UINT64_MAX : (uint64_t)plan->sort.limit;
    return (top ? sort_top : sort_all)(&run, input, error);
}

// What the sort wants of a summarize that its rows are the groups of.
static TopWanted
groups_wanted(const Plan *plan)
{
    const SortKey *key = plan->sort.keys;
    if (!is_top(plan) || !plan->sort.limit || !plan->sort.key_count || !key->descending ||
        key->nulls_first)
        return (TopWanted){0};
    const Expr *expr = key->expr;
    const Plan *input = plan->input;
    for (; input->kind == PLAN_PROJECT && expr->kind == EXPR_COLUMN; input = input->input)
        expr = input->project.exprs[expr->column];
    if (input->kind != PLAN_SUMMARIZE || expr->kind != EXPR_COLUMN)
        return (TopWanted){0};
    return (TopWanted){input, expr->column, (uint64_t)plan->sort.limit};
}

ResultTable *
run_sort(Exec *exec, const Plan *plan, AzError *error)
{
    Pipeline input = {0};
    TopWanted before = exec->top;
    exec->top = groups_wanted(plan);
    bool built = pipeline_build_numbered(exec, plan->input, &input, error);
    exec->top = before;
    return built ? sort_pipeline(exec, plan, &plan->input->schema, &input, error) : NULL;
}
