// Window functions: values that depend on other rows of a serialised input.
//
// The impl of a window row is a ScalarImpl whose kernel is called once, with all rows
// in order and flat or constant arguments; out_valid comes all ones, so each kernel
// sees nulls itself. Source: Kusto docs, window functions and the page of each.

#include "base/array.h"
#include "function/registry.h"
#include "value/scalar.h"

// The optional bool argument k: whether row i starts anew.
static bool
restarts(const ScalarCall *call, uint32_t k, uint32_t i)
{
    return k < call->arg_count && !arg_is_null(call, k, i) && ARG(call, k, uint8_t, i);
}

static void
row_number(ScalarCall *call)
{
    int64_t *out = call->out;
    int64_t start = call->arg_count && !arg_is_null(call, 0, 0) ? ARG(call, 0, int64_t, 0) : 1;
    int64_t number = start;
    for (uint32_t i = 0; i < call->count; i++) {
        if (restarts(call, 1, i))
            number = start;
        out[i] = number++;
    }
}

// Row i + direction * offset of argument 0, or the default beyond the ends.
static void
shifted(ScalarCall *call, int64_t direction)
{
    size_t size = type_size(call->type);
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t offset =
            call->arg_count > 1 && !arg_is_null(call, 1, i) ? ARG(call, 1, int64_t, i) : 1;
        int64_t from;
        uint32_t k = 0, row = i;
        if (__builtin_mul_overflow(direction, offset, &offset) ||
            __builtin_add_overflow((int64_t)i, offset, &from) || from < 0 || from >= call->count)
            k = 2;
        else
            row = (uint32_t)from;
        if (k >= call->arg_count || arg_is_null(call, k, row))
            out_null(call, i);
        else
            memcpy((char *)call->out + i * size,
                   (const char *)call->args[k].data + (row & call->args[k].mask) * size, size);
    }
}

static void
prev(ScalarCall *call)
{
    shifted(call, -1);
}

static void
next(ScalarCall *call)
{
    shifted(call, 1);
}

// A null term adds nothing.
#define CUMSUM(NAME, T, ZERO, ADD)                                                                 \
    static void NAME(ScalarCall *call)                                                             \
    {                                                                                              \
        T sum = ZERO;                                                                              \
        for (uint32_t i = 0; i < call->count; i++) {                                               \
            if (restarts(call, 1, i))                                                              \
                sum = ZERO;                                                                        \
            if (!arg_is_null(call, 0, i)) {                                                        \
                T term = ARG(call, 0, T, i);                                                       \
                sum = ADD;                                                                         \
            }                                                                                      \
            ((T *)call->out)[i] = sum;                                                             \
        }                                                                                          \
    }

CUMSUM(row_cumsum_int, int32_t, 0, (int32_t)((uint32_t)sum + (uint32_t)term))
CUMSUM(row_cumsum_long, int64_t, 0, (int64_t)((uint64_t)sum + (uint64_t)term))
CUMSUM(row_cumsum_real, double, 0, sum + term)
CUMSUM(row_cumsum_decimal, Decimal, decimal_from_long(0), decimal_add(sum, term))

// Whether row i of argument 0 equals the row before, null equal to null.
static bool
same_as_before(const ScalarCall *call, uint32_t i)
{
    bool null = arg_is_null(call, 0, i), null_before = arg_is_null(call, 0, i - 1);
    if (null || null_before)
        return null && null_before;
    const ArgView *arg = &call->args[0];
    size_t size = type_size(arg->type);
    return data_equal(arg->type, (const char *)arg->data + (i & arg->mask) * size,
                      (const char *)arg->data + ((i - 1) & arg->mask) * size);
}

static void
rank_rows(ScalarCall *call, bool dense, bool may_restart)
{
    int64_t *out = call->out;
    int64_t rank = 0, row = 0;
    for (uint32_t i = 0; i < call->count; i++) {
        if (i == 0 || (may_restart && restarts(call, 1, i)))
            rank = row = 1;
        else if (row++, !same_as_before(call, i))
            rank = dense ? rank + 1 : row;
        out[i] = rank;
    }
}

static void
row_rank_dense(ScalarCall *call)
{
    rank_rows(call, true, true);
}

static void
row_rank_min(ScalarCall *call)
{
    rank_rows(call, false, true);
}

// The old spelling row_rank(term [, dense]).
static void
row_rank(ScalarCall *call)
{
    bool dense =
        call->arg_count < 2 || !call->count || arg_is_null(call, 1, 0) || ARG(call, 1, uint8_t, 0);
    rank_rows(call, dense, false);
}

// The time at which the row's session began: a session ends before a row that comes too
// long after its first or after the row before.
static void
row_window_session(ScalarCall *call)
{
    int64_t *out = call->out;
    int64_t first = 0, before = 0;
    bool open = false;
    for (uint32_t i = 0; i < call->count; i++) {
        if (arg_is_null(call, 0, i) || arg_is_null(call, 1, i) || arg_is_null(call, 2, i)) {
            out_null(call, i);
            open = false;
            continue;
        }
        int64_t now = ARG(call, 0, int64_t, i);
        // Datetimes are not negative, so the distances do not overflow.
        if (!open || restarts(call, 3, i) || now - first > ARG(call, 1, int64_t, i) ||
            now - before > ARG(call, 2, int64_t, i))
            first = now;
        open = true;
        before = now;
        out[i] = first;
    }
}

#define WINDOW(NAME, KERNEL, SIGNATURE, DOC)                                                       \
    {                                                                                              \
        NAME, NULL, SIGNATURE, DOC, NULL, FUNCTION_WINDOW, FN_OWN_NULLS, &(const ScalarImpl)       \
        {                                                                                          \
            KERNEL, NULL                                                                           \
        }                                                                                          \
    }

static const FunctionDef ROWS[] = {
    WINDOW("row_number", row_number, "(start:long=, restart:bool=) : long",
           "The number of the row, from 1 or `start`, begun anew where `restart` is true."),
    WINDOW("prev", prev, "(value:T, offset:long=, default:T=) : T",
           "The value in the row `offset` rows before (1 when absent), or the default."),
    WINDOW("next", next, "(value:T, offset:long=, default:T=) : T",
           "The value in the row `offset` rows after (1 when absent), or the default."),
    WINDOW("row_cumsum", row_cumsum_int, "(term:int, restart:bool=) : int",
           "The sum of the term up to this row, begun anew where `restart` is true."),
    WINDOW("row_cumsum", row_cumsum_long, "(term:long, restart:bool=) : long",
           "The sum of the term up to this row, begun anew where `restart` is true."),
    WINDOW("row_cumsum", row_cumsum_real, "(term:real, restart:bool=) : real",
           "The sum of the term up to this row, begun anew where `restart` is true."),
    WINDOW("row_cumsum", row_cumsum_decimal, "(term:decimal, restart:bool=) : decimal",
           "The sum of the term up to this row, begun anew where `restart` is true."),
    WINDOW("row_cumsum", row_cumsum_long, "(term:timespan, restart:bool=) : timespan",
           "The sum of the term up to this row, begun anew where `restart` is true."),
    WINDOW("row_rank_dense", row_rank_dense, "(term:scalar, restart:bool=) : long",
           "The rank of the row: one more at each change of the term."),
    WINDOW("row_rank_min", row_rank_min, "(term:scalar, restart:bool=) : long",
           "The number of the first row that has the term of this row."),
    WINDOW("row_rank", row_rank, "(term:scalar, dense:bool=) : long",
           "The rank of the row, an old spelling of row_rank_dense() and row_rank_min()."),
    WINDOW("row_window_session", row_window_session,
           "(time:datetime, max_from_first:timespan, max_between:timespan, restart:bool=) : "
           "datetime",
           "The time at which the session of the row began."),
};

const FunctionSet WINDOW_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
