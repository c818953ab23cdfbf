// range: a source that computes its rows as they are read.
//
// Source: Kusto docs, range operator: from, from + step, ... up to `to`, both ends
// included; nothing when the step leads away from `to` or a bound is null.

#include "exec/internal.h"
#include "value/scalar.h"

#include <math.h>

enum { RANGE_MORSEL = 1 << 16 };
static const uint64_t RANGE_ROWS_MAX = (uint64_t)1 << 44;

typedef struct Range {
    Type type;
    Value from, step;
    uint64_t rows;
} Range;

static bool
range_value(Exec *exec, const Expr *expr, Value *out, AzError *error)
{
    Expr *value = resolve_subqueries(exec, expr, error);
    if (!value)
        return false;
    if (value->kind == EXPR_CONST) {
        *out = value->value;
        return true;
    }
    return exec_fold(exec->arena, value, exec->options->now, out, error);
}

static int64_t
whole(const Value *value)
{
    return value->type == TYPE_INT ? value->int32 : value->int64;
}

// How many steps lead from `from` to `to`; -1 when they lead away.
static double
real_steps(double from, double to, double step)
{
    // A step such as 0.1 is not exact: the end counts as reached within a billionth of one.
    double steps = floor((to - from) / step + 1e-9);
    return steps >= 0 ? steps : -1;
}

static bool
range_rows(Range *range, const Value *to, Span span, AzError *error)
{
    const Value *from = &range->from, *step = &range->step;
    if (from->is_null || to->is_null || step->is_null)
        return true;
    double steps;
    if (range->type == TYPE_REAL || range->type == TYPE_DECIMAL) {
        bool decimal = range->type == TYPE_DECIMAL;
        double by = decimal ? decimal_to_real(step->decimal) : step->real;
        if (by == 0)
            return error_at(error, AZ_INVALID, span, "the step of range must not be 0");
        steps = decimal ? decimal_to_real(decimal_floor(
                              decimal_div(decimal_sub(to->decimal, from->decimal), step->decimal)))
                        : real_steps(from->real, to->real, by);
        if (steps != steps || steps < 0)
            return true;
    } else {
        __int128 distance = (__int128)whole(to) - whole(from);
        if (!whole(step))
            return error_at(error, AZ_INVALID, span, "the step of range must not be 0");
        if (distance != 0 && (distance < 0) != (whole(step) < 0))
            return true;
        steps = (double)(distance / whole(step));
    }
    if (!(steps < (double)RANGE_ROWS_MAX))
        return error_at(error, AZ_LIMIT, span, "range would yield more than 2^44 rows");
    range->rows = (uint64_t)steps + 1;
    return true;
}

static uint32_t
range_morsel_rows(const TableSource *source, uint32_t morsel)
{
    uint64_t left = source->row_count - (uint64_t)morsel * RANGE_MORSEL;
    return left < RANGE_MORSEL ? (uint32_t)left : RANGE_MORSEL;
}

static const Vector *
range_read(const TableSource *source, uint32_t morsel, uint32_t column, uint32_t from,
           uint32_t count, Arena *arena, AzError *error)
{
    (void)column, (void)error;
    const Range *range = source->context;
    Vector *v = vector_new_flat(arena, range->type, count);
    uint64_t first = (uint64_t)morsel * RANGE_MORSEL + from;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t n = first + i;
        switch (range->type) {
        case TYPE_REAL:
            ((double *)v->data)[i] = range->from.real + (double)n * range->step.real;
            break;
        case TYPE_DECIMAL:
            ((Decimal *)v->data)[i] =
                decimal_add(range->from.decimal,
                            decimal_mul(decimal_from_long((int64_t)n), range->step.decimal));
            break;
        case TYPE_INT:
            ((int32_t *)v->data)[i] = (int32_t)(range->from.int32 + (int64_t)n * range->step.int32);
            break;
        default: // unsigned: a product may pass 2^63 where the sum does not
            ((int64_t *)v->data)[i] =
                (int64_t)((uint64_t)range->from.int64 + n * (uint64_t)range->step.int64);
            break;
        }
    }
    return v;
}

bool
build_range(Exec *exec, const Plan *plan, Pipeline *out, AzError *error)
{
    Range *range = ARENA_NEW(exec->arena, Range);
    Value to;
    range->type = plan->schema.columns[0].type;
    if (!range_value(exec, plan->range.from, &range->from, error) ||
        !range_value(exec, plan->range.to, &to, error) ||
        !range_value(exec, plan->range.step, &range->step, error) ||
        !range_rows(range, &to, plan->span, error))
        return false;
    TableSource *source = ARENA_NEW(exec->arena, TableSource);
    source->schema = plan->schema;
    source->row_count = range->rows;
    source->morsel_count = (uint32_t)((range->rows + RANGE_MORSEL - 1) / RANGE_MORSEL);
    source->time_column = -1;
    source->context = range;
    source->morsel_rows = range_morsel_rows;
    source->read = range_read;
    Branch *branch = pipeline_add_branch(exec, out);
    branch->source = source;
    branch->columns = ARENA_ARRAY(exec->arena, uint32_t, 1);
    branch->column_count = 1;
    return true;
}
