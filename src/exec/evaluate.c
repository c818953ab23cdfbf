// Expressions over batches.
//
// Columns give only their live rows, so every vector here has batch->selected rows.
// A call sees flat or constant arguments. Where the only arguments that vary share one
// dictionary, the call runs once for each entry and the codes are put back (peeling);
// where nothing varies it runs once.

#include "base/array.h"
#include "base/clock.h"
#include "exec/internal.h"

bool
worker_charge(Worker *worker, const char *what)
{
    Budget *budget = worker->exec->options->budget;
    size_t held = worker->keep.allocated + worker->result.allocated;
    if (!budget || held == worker->charged)
        return true;
    if (held < worker->charged)
        budget_give(budget, worker->charged - held);
    else if (!budget_take(budget, held - worker->charged, what, &worker->error))
        return false;
    worker->charged = held;
    return true;
}

bool
worker_reserve(Worker *worker, size_t bytes, const char *what)
{
    Budget *budget = worker->exec->options->budget;
    if (!budget || !bytes)
        return true;
    if (!budget_take(budget, bytes, what, &worker->error))
        return false;
    budget_give(budget, bytes);
    return true;
}

bool
worker_check(Worker *worker)
{
    const ExecOptions *options = worker->exec->options;
    if (worker->error.code != AZ_OK)
        return false;
    if (options->cancel && *options->cancel)
        return error_set(&worker->error, AZ_CANCELLED, "the query was stopped");
    if (options->deadline_ns && clock_monotonic_ns() > options->deadline_ns)
        return error_set(&worker->error, AZ_LIMIT,
                         "the query ran into its time limit; raise it with --timeout");
    return true;
}

ArgView
arg_view(Arena *arena, const Vector *vector)
{
    if (vector->encoding == ENC_DICT)
        vector = vector_flatten(arena, vector);
    return (ArgView){
        .type = vector->type,
        .data = vector->data,
        .valid = vector->valid,
        .mask = vector->encoding == ENC_CONST ? 0 : SIZE_MAX,
    };
}

// Validity of a strict function's result: the AND of its arguments'.
static bool
and_validity(const ArgView *args, uint32_t arg_count, uint32_t count, uint64_t *valid)
{
    bool any = false;
    size_t words = bit_words(count);
    for (uint32_t k = 0; k < arg_count; k++) {
        if (!args[k].valid)
            continue;
        any = true;
        if (!args[k].mask) {
            if (!bit_get(args[k].valid, 0))
                memset(valid, 0, words * sizeof(uint64_t));
            continue;
        }
        for (size_t w = 0; w < words; w++)
            valid[w] &= args[k].valid[w];
    }
    return any;
}

// Rows that are null must have zero payloads.
static void
clear_nulls(Vector *out)
{
    size_t size = type_size(out->type);
    for (uint32_t from = 0; from < out->count; from += 64) {
        uint64_t nulls = ~out->valid[from >> 6];
        for (; nulls; nulls &= nulls - 1) {
            uint32_t i = from + (uint32_t)__builtin_ctzll(nulls);
            if (i < out->count)
                memset((char *)out->data + i * size, 0, size);
        }
    }
}

// A number for each call and batch, spread so that runs of rows do not overlap, and the
// same whatever worker does the morsel.
static uint64_t
volatile_base(Worker *worker)
{
    uint64_t base = worker->morsel << 24 ^ worker->volatile_calls++;
    base = (base + 0x9E3779B97F4A7C15u) * 0xBF58476D1CE4E5B9u;
    base = (base ^ base >> 27) * 0x94D049BB133111EBu;
    return base ^ base >> 31;
}

// Texts and dynamics can be large (a range() of a million elements a row): between slices of
// rows what they take is looked at, so that one batch does not outgrow the query's memory or time.
enum {
    SLICE_ROWS = 64,           // a word of validity
    SLICE_CHECKED = 16u << 20, // bytes of a batch below which nobody asks
};

static bool
slice_fits(Worker *worker)
{
    size_t held = worker->batch.allocated;
    return held < SLICE_CHECKED ||
           (worker_check(worker) && worker_reserve(worker, held, "an expression"));
}

static bool
run_slices(Worker *worker, ScalarCall *whole)
{
    const ScalarImpl *impl = whole->fn->impl;
    ArgView *views = ARENA_ARRAY(whole->arena, ArgView, whole->arg_count);
    for (uint32_t from = 0; from < whole->count; from += SLICE_ROWS) {
        ScalarCall call = *whole;
        call.args = views;
        call.count = whole->count - from < SLICE_ROWS ? whole->count - from : SLICE_ROWS;
        call.out = (char *)whole->out + from * sizeof(Text);
        call.out_valid = whole->out_valid + from / SLICE_ROWS;
        for (uint32_t k = 0; k < whole->arg_count; k++) {
            views[k] = whole->args[k];
            if (!views[k].mask)
                continue;
            views[k].data = (const char *)views[k].data + from * type_size(views[k].type);
            if (views[k].valid)
                views[k].valid += from / SLICE_ROWS;
        }
        impl->kernel(&call);
        whole->has_nulls |= call.has_nulls;
        if (!slice_fits(worker))
            return false;
    }
    return true;
}

// NULL with the worker's error when the results outgrow the query's memory.
static Vector *
run_kernel(Worker *worker, const Expr *expr, const ArgView *args, uint32_t count)
{
    const ScalarImpl *impl = expr->fn->impl;
    Arena *arena = &worker->batch;
    Vector *out = vector_new_flat(arena, expr->type, count);
    uint64_t *valid = arena_alloc_array(arena, bit_words(count) + 1, sizeof(uint64_t));
    memset(valid, 0xFF, (bit_words(count) + 1) * sizeof(uint64_t));
    ScalarCall call = {
        .fn = expr->fn,
        .args = args,
        .arg_count = expr->arg_count,
        .count = count,
        .arena = arena,
        .type = expr->type,
        .out = out->data,
        .out_valid = valid,
        .bound = expr->bound,
        .scratch = &worker->scratch,
        .now = worker->exec->options->now,
    };
    if (expr->fn->flags & FN_VOLATILE)
        call.row_base = volatile_base(worker);
    if (!(expr->fn->flags & FN_OWN_NULLS))
        call.has_nulls = and_validity(args, expr->arg_count, count, valid);
    if (!type_is_text(expr->type) || (expr->fn->flags & FN_VOLATILE))
        impl->kernel(&call);
    else if (!run_slices(worker, &call))
        return NULL;
    if (call.has_nulls) {
        out->valid = valid;
        clear_nulls(out);
        if (expr->type == TYPE_STRING)
            out->valid = NULL; // a string is never null
    }
    return out;
}

static const Vector *
as_constant(Vector *one, uint32_t count)
{
    if (!one)
        return NULL;
    one->encoding = ENC_CONST;
    one->count = count;
    return one;
}

// The dictionary that all varying arguments share, or NULL.
static const Vector *
shared_dictionary(const Vector *const *args, uint32_t count, uint32_t rows)
{
    const Vector *dict = NULL;
    const uint32_t *codes = NULL;
    for (uint32_t k = 0; k < count; k++) {
        if (args[k]->encoding == ENC_CONST)
            continue;
        if (args[k]->encoding != ENC_DICT || (codes && args[k]->codes != codes) ||
            args[k]->dict->count > rows)
            return NULL;
        if (dict && args[k]->dict->count != dict->count)
            return NULL;
        dict = args[k]->dict;
        codes = args[k]->codes;
    }
    return dict;
}

static const Vector *
evaluate_call(Worker *worker, const Expr *expr, const Batch *batch)
{
    Arena *arena = &worker->batch;
    uint32_t rows = batch->selected;
    const Vector **vectors = ARENA_ARRAY(arena, const Vector *, expr->arg_count);
    bool constant = !(expr->fn->flags & FN_VOLATILE);
    for (uint32_t k = 0; k < expr->arg_count; k++) {
        vectors[k] = evaluate(worker, expr->args[k], batch);
        if (!vectors[k])
            return NULL;
        constant = constant && vectors[k]->encoding == ENC_CONST;
    }
    ArgView *views = ARENA_ARRAY(arena, ArgView, expr->arg_count);
    bool peel = !constant && !(expr->fn->flags & FN_VOLATILE);
    const Vector *dict = peel ? shared_dictionary(vectors, expr->arg_count, rows) : NULL;
    const uint32_t *codes = NULL;
    for (uint32_t k = 0; k < expr->arg_count; k++) {
        const Vector *v = vectors[k];
        if (dict && v->encoding == ENC_DICT) {
            codes = v->codes;
            v = v->dict;
        }
        views[k] = arg_view(arena, v);
    }
    if (constant)
        return as_constant(run_kernel(worker, expr, views, 1), rows);
    if (!dict)
        return run_kernel(worker, expr, views, rows);
    Vector *entries = run_kernel(worker, expr, views, dict->count);
    return entries ? vector_new_dict(arena, entries, codes, rows) : NULL;
}

// ---- iff ----

static bool
is_true(const Vector *v, uint32_t i)
{
    return !vector_is_null(v, i) && *(const uint8_t *)vector_cell(v, i);
}

uint32_t
truth_rows(const Vector *truth, uint32_t count, uint32_t *rows)
{
    uint32_t kept = 0;
    if (truth->encoding == ENC_CONST) {
        bool yes = count && is_true(truth, 0);
        for (uint32_t i = 0; yes && i < count; i++)
            rows[kept++] = i;
    } else if (truth->encoding == ENC_DICT) {
        for (uint32_t i = 0; i < count; i++)
            if (is_true(truth, i))
                rows[kept++] = i;
    } else {
        const uint8_t *yes = truth->data; // 0 where null
        for (uint32_t i = 0; i < count; i++) {
            rows[kept] = i;
            kept += yes[i];
        }
    }
    return kept;
}

// The rows of `batch` whose places are listed, as a batch of the same columns.
static Batch
batch_subset(Arena *arena, const Batch *batch, const uint32_t *places, uint32_t count)
{
    Batch part = *batch;
    uint32_t *rows = arena_alloc_array(arena, count + 1, sizeof(uint32_t));
    for (uint32_t i = 0; i < count; i++)
        rows[i] = batch_row(batch, places[i]);
    part.selection = rows;
    part.selected = count;
    return part;
}

static void
scatter(Arena *arena, Vector *out, const Vector *part, const uint32_t *places)
{
    size_t size = type_size(out->type);
    for (uint32_t i = 0; i < part->count; i++) {
        if (vector_is_null(part, i))
            vector_set_null(arena, out, places[i]);
        else
            memcpy((char *)out->data + (size_t)places[i] * size, vector_cell(part, i), size);
    }
}

// Each branch is evaluated for its own rows alone: a long case() costs what its rows
// need, not all branches for all rows.
static const Vector *
evaluate_iff(Worker *worker, const Expr *expr, const Batch *batch)
{
    Arena *arena = &worker->batch;
    uint32_t rows = batch->selected;
    const Vector *truth = evaluate(worker, expr->args[0], batch);
    if (!truth)
        return NULL;
    uint32_t *yes = arena_alloc_array(arena, rows + 1, sizeof(uint32_t));
    uint32_t yes_count = truth_rows(truth, rows, yes);
    if (yes_count == rows || yes_count == 0)
        return evaluate(worker, expr->args[yes_count ? 1 : 2], batch);
    uint32_t *no = arena_alloc_array(arena, rows + 1, sizeof(uint32_t));
    uint32_t no_count = 0;
    for (uint32_t i = 0, next = 0; i < rows; i++) {
        if (next < yes_count && yes[next] == i)
            next++;
        else
            no[no_count++] = i;
    }
    Batch then_batch = batch_subset(arena, batch, yes, yes_count);
    Batch else_batch = batch_subset(arena, batch, no, no_count);
    const Vector *then_part = evaluate(worker, expr->args[1], &then_batch);
    const Vector *else_part = then_part ? evaluate(worker, expr->args[2], &else_batch) : NULL;
    if (!else_part)
        return NULL;
    Vector *out = vector_new_flat(arena, expr->type, rows);
    scatter(arena, out, then_part, yes);
    scatter(arena, out, else_part, no);
    return out;
}

// A search in dynamics runs over the rows where it may be true; elsewhere it is false.
static const Vector *
evaluate_search(Worker *worker, const Expr *expr, const Batch *batch)
{
    Arena *arena = &worker->batch;
    uint32_t *rows = arena_alloc_array(arena, batch->selected + 1, sizeof(uint32_t));
    uint32_t count = search_candidates(worker, expr, batch, rows);
    if (count == batch->selected)
        return evaluate_call(worker, expr, batch);
    Vector *out = vector_new_flat(arena, TYPE_BOOL, batch->selected);
    if (!count)
        return out;
    Batch part = batch_subset(arena, batch, rows, count);
    const Vector *found = evaluate_call(worker, expr, &part);
    if (!found)
        return NULL;
    scatter(arena, out, found, rows);
    return out;
}

const Vector *
evaluate(Worker *worker, const Expr *expr, const Batch *batch)
{
    switch (expr->kind) {
    case EXPR_COLUMN: return batch_column(&worker->batch, batch, expr->column);
    case EXPR_CONST: return vector_new_const(&worker->batch, &expr->value, batch->selected);
    case EXPR_CALL:
        if (expr->fn->flags & FN_LAZY)
            return evaluate_iff(worker, expr, batch);
        if (searches_dynamic(expr))
            return evaluate_search(worker, expr, batch);
        return evaluate_call(worker, expr, batch);
    case EXPR_SUBQUERY: break;
    }
    error_set(&worker->error, AZ_UNSUPPORTED,
              "a sub-query that depends on the current row cannot be run");
    return NULL;
}

// ---- filters ----

// With most rows alive the predicate looks at all of them, which copies no columns.
static bool
filter_one(Worker *worker, const Expr *predicate, Batch *batch)
{
    bool dense = batch->selection && batch->selected > batch->count / 2;
    Batch all = *batch;
    if (dense) {
        all.selection = NULL;
        all.selected = batch->count;
    }
    const Vector *truth = evaluate(worker, predicate, dense ? &all : batch);
    if (!truth)
        return false;
    if (truth->encoding == ENC_CONST && is_true(truth, 0))
        return true;
    uint32_t *rows = arena_alloc_array(&worker->batch, batch->count + 1, sizeof(uint32_t));
    uint32_t kept = 0;
    if (dense) {
        for (uint32_t i = 0; i < batch->selected; i++) {
            rows[kept] = batch->selection[i];
            kept += is_true(truth, rows[kept]);
        }
    } else {
        kept = truth_rows(truth, batch->selected, rows);
        for (uint32_t i = 0; batch->selection && i < kept; i++)
            rows[i] = batch->selection[rows[i]];
    }
    if (kept < batch->selected) {
        batch->selection = rows;
        batch->selected = kept;
    }
    return true;
}

bool
filter_batch(Worker *worker, const Expr *predicate, Batch *batch)
{
    if (predicate->kind == EXPR_CALL && strcmp(predicate->fn->name, "and") == 0)
        return filter_batch(worker, predicate->args[0], batch) &&
               (!batch->selected || filter_batch(worker, predicate->args[1], batch));
    return filter_one(worker, predicate, batch);
}
