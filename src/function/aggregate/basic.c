// Aggregates that keep a few numbers: count, sum, avg, min, max, variance and the
// bitwise ones. Nulls are skipped (Kusto docs, "Null values": aggregates).
//
// Type variants of sum, avg and the bitwise aggregates come from the templates at
// their place; sums of reals are kept in double-double so that their value does
// not depend on the order of rows (double_double.h).

#include "base/array.h"
#include "function/aggregate/double_double.h"
#include "function/registry.h"
#include "value/scalar.h"

#include <stddef.h>

// ---- count ----

typedef struct CountState {
    int64_t count;
} CountState;

static void
count_update(const AggregateUpdate *u)
{
    for (uint32_t i = 0; i < u->count; i++)
        ((CountState *)u->states[i])->count++;
}

static void
count_merge(const AggregateCall *call, void *into, void *from, Arena *arena)
{
    (void)call, (void)arena;
    ((CountState *)into)->count += ((CountState *)from)->count;
}

static void
count_finish(const AggregateCall *call, void *state, Vector *const *outputs, uint32_t row,
             Arena *arena, Scratch *scratch)
{
    (void)call, (void)arena, (void)scratch;
    ((int64_t *)outputs[0]->data)[row] = ((CountState *)state)->count;
}

static const AggregateImpl COUNT = {
    .state_size = sizeof(CountState),
    .update = count_update,
    .merge = count_merge,
    .finish = count_finish,
    .adds = ADDS_ONES,
};

// ---- sum and avg ----

// The sum of no values is 0 (summarize-operator page: defaults), of avg null. A state holds only what its
// aggregate needs: there may be one a row.
typedef struct WholeSum {
    int64_t whole; // int, long, timespan; wraps around as two's complement
} WholeSum;

typedef struct WholeMean {
    int64_t whole, count;
} WholeMean;

typedef struct RealSum {
    DoubleDouble real;
} RealSum;

typedef struct RealMean {
    DoubleDouble real;
    int64_t count;
} RealMean;

typedef __int128 Wide __attribute__((aligned(8)));

typedef struct TicksMean {
    Wide wide;
    int64_t count;
} TicksMean;

typedef struct DecimalSum {
    Decimal decimal;
    int64_t count;
} DecimalSum;

static inline int64_t
wrapping_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

// The update over values of C_TYPE; ADD changes `state` by `value`.
#define SUM_UPDATE(NAME, STATE, C_TYPE, ADD)                                                       \
    static void NAME##_update(const AggregateUpdate *u)                                            \
    {                                                                                              \
        for (uint32_t i = 0; i < u->count; i++) {                                                  \
            if (update_is_null(u, 0, i))                                                           \
                continue;                                                                          \
            STATE *state = u->states[i];                                                           \
            C_TYPE value = UPDATE_ARG(u, 0, C_TYPE, i);                                            \
            ADD;                                                                                   \
        }                                                                                          \
    }

// MERGE changes `a` by `b`.
#define SUM_MERGE(NAME, STATE, MERGE)                                                              \
    static void NAME##_merge(const AggregateCall *call, void *into, void *from, Arena *arena)      \
    {                                                                                              \
        (void)call, (void)arena;                                                                   \
        STATE *a = into, *b = from;                                                                \
        MERGE;                                                                                     \
    }

// Writes RESULT of `sum`, a null unless SOME.
#define SUM_FINISH(NAME, STATE, OUT_TYPE, SOME, RESULT)                                            \
    static void NAME##_finish(const AggregateCall *call, void *state, Vector *const *outputs,      \
                              uint32_t row, Arena *arena, Scratch *scratch)                        \
    {                                                                                              \
        (void)call, (void)scratch;                                                                 \
        const STATE *sum = state;                                                                  \
        if (SOME)                                                                                  \
            ((OUT_TYPE *)outputs[0]->data)[row] = RESULT;                                          \
        else                                                                                       \
            vector_set_null(arena, outputs[0], row);                                               \
    }

SUM_UPDATE(sum_int, WholeSum, int32_t, state->whole = wrapping_add(state->whole, value))
SUM_UPDATE(sum_long, WholeSum, int64_t, state->whole = wrapping_add(state->whole, value))
SUM_MERGE(sum_whole, WholeSum, a->whole = wrapping_add(a->whole, b->whole))
SUM_FINISH(sum_whole, WholeSum, int64_t, true, sum->whole)

SUM_UPDATE(avg_int, WholeMean, int32_t,
           (state->whole = wrapping_add(state->whole, value), state->count++))
SUM_UPDATE(avg_long, WholeMean, int64_t,
           (state->whole = wrapping_add(state->whole, value), state->count++))
SUM_MERGE(avg_whole, WholeMean, (a->whole = wrapping_add(a->whole, b->whole), a->count += b->count))
SUM_FINISH(avg_whole, WholeMean, double, sum->count, (double)sum->whole / (double)sum->count)

SUM_UPDATE(sum_real, RealSum, double, state->real = dd_add(state->real, dd_of(value)))
SUM_MERGE(sum_real, RealSum, a->real = dd_add(a->real, b->real))
SUM_FINISH(sum_real, RealSum, double, true, dd_value(sum->real))

SUM_UPDATE(avg_real, RealMean, double,
           (state->real = dd_add(state->real, dd_of(value)), state->count++))
SUM_MERGE(avg_real, RealMean, (a->real = dd_add(a->real, b->real), a->count += b->count))
SUM_FINISH(avg_real, RealMean, double, sum->count,
           dd_value(dd_divide(sum->real, (double)sum->count)))

SUM_UPDATE(avg_ticks, TicksMean, int64_t, (state->wide += value, state->count++))
SUM_MERGE(avg_ticks, TicksMean, (a->wide += b->wide, a->count += b->count))
SUM_FINISH(avg_ticks, TicksMean, int64_t, sum->count, (int64_t)(sum->wide / sum->count))

SUM_UPDATE(sum_decimal, DecimalSum, Decimal,
           state->decimal = state->count++ ? decimal_add(state->decimal, value) : value)

static void
sum_decimal_merge(const AggregateCall *call, void *into, void *from, Arena *arena)
{
    (void)call, (void)arena;
    DecimalSum *a = into, *b = from;
    if (b->count)
        a->decimal = a->count ? decimal_add(a->decimal, b->decimal) : b->decimal;
    a->count += b->count;
}

SUM_FINISH(sum_decimal, DecimalSum, Decimal, true, sum->count ? sum->decimal : decimal_from_long(0))
SUM_FINISH(avg_decimal, DecimalSum, Decimal, sum->count,
           decimal_div(sum->decimal, decimal_from_long(sum->count)))

#define SUM_IMPL(NAME, STATE, UPDATE, MERGE, FINISH, ADDS)                                         \
    static const AggregateImpl NAME = {                                                            \
        .state_size = sizeof(STATE),                                                               \
        .update = UPDATE##_update,                                                                 \
        .merge = MERGE##_merge,                                                                    \
        .finish = FINISH##_finish,                                                                 \
        .adds = ADDS,                                                                              \
    };

SUM_IMPL(SUM_INT, WholeSum, sum_int, sum_whole, sum_whole, ADDS_VALUES)
SUM_IMPL(SUM_LONG, WholeSum, sum_long, sum_whole, sum_whole, ADDS_VALUES)
SUM_IMPL(SUM_REAL, RealSum, sum_real, sum_real, sum_real, ADDS_VALUES)
SUM_IMPL(SUM_DECIMAL, DecimalSum, sum_decimal, sum_decimal, sum_decimal, ADDS_NOTHING)
SUM_IMPL(AVG_INT, WholeMean, avg_int, avg_whole, avg_whole, ADDS_NOTHING)
SUM_IMPL(AVG_LONG, WholeMean, avg_long, avg_whole, avg_whole, ADDS_NOTHING)
SUM_IMPL(AVG_REAL, RealMean, avg_real, avg_real, avg_real, ADDS_NOTHING)
SUM_IMPL(AVG_TICKS, TicksMean, avg_ticks, avg_ticks, avg_ticks, ADDS_NOTHING)
SUM_IMPL(AVG_DECIMAL, DecimalSum, sum_decimal, sum_decimal, avg_decimal, ADDS_NOTHING)

// ---- min and max ----

// The best payload so far; a text keeps its long bytes in the aggregation's arena. For values of 8 bytes
// the state ends behind the first of both words.
typedef struct ExtremeState {
    bool has_value;
    _Alignas(8) char payload[16];
} ExtremeState;

static size_t
extreme_size(const AggregateCall *call)
{
    size_t payload = type_size(call->args[0]->type) > 8 ? 16 : 8;
    return offsetof(ExtremeState, payload) + payload;
}

static void
extreme_take(ExtremeState *state, Type type, const void *payload, int sign, Arena *arena)
{
    if (state->has_value && data_compare(type, payload, state->payload) * sign <= 0)
        return;
    state->has_value = true;
    memcpy(state->payload, payload, type_size(type));
    if (type_is_text(type)) {
        Text text;
        memcpy(&text, payload, sizeof(text));
        text = text_copy(arena, text_str(&text));
        memcpy(state->payload, &text, sizeof(text));
    }
}

static void
extreme_update(const AggregateUpdate *u, int sign)
{
    Type type = u->args[0].type;
    size_t size = type_size(type);
    const char *data = u->args[0].data;
    for (uint32_t i = 0; i < u->count; i++) {
        if (update_is_null(u, 0, i))
            continue;
        const void *payload = data + (i & u->args[0].mask) * size;
        // A NaN never is the least or the greatest while there is a number.
        if (type == TYPE_REAL && isnan(*(const double *)payload))
            continue;
        extreme_take(u->states[i], type, payload, sign, u->arena);
    }
}

// The same for the 64-bit integers, which are most of what is asked.
static void
extreme_ticks_update(const AggregateUpdate *u, int sign)
{
    for (uint32_t i = 0; i < u->count; i++) {
        if (update_is_null(u, 0, i))
            continue;
        ExtremeState *state = u->states[i];
        int64_t value = UPDATE_ARG(u, 0, int64_t, i), best;
        memcpy(&best, state->payload, sizeof(best));
        if (!state->has_value || (sign > 0 ? value > best : value < best)) {
            memcpy(state->payload, &value, sizeof(value));
            state->has_value = true;
        }
    }
}

static bool
is_ticks(const AggregateUpdate *u)
{
    Type type = u->args[0].type;
    return type == TYPE_LONG || type == TYPE_DATETIME || type == TYPE_TIMESPAN;
}

static void
min_update(const AggregateUpdate *u)
{
    if (is_ticks(u))
        extreme_ticks_update(u, -1);
    else
        extreme_update(u, -1);
}

static void
max_update(const AggregateUpdate *u)
{
    if (is_ticks(u))
        extreme_ticks_update(u, 1);
    else
        extreme_update(u, 1);
}

static void
extreme_merge(const AggregateCall *call, ExtremeState *into, const ExtremeState *from, int sign)
{
    Type type = call->args[0]->type;
    if (!from->has_value)
        return;
    if (!into->has_value || data_compare(type, from->payload, into->payload) * sign > 0)
        memcpy(into, from, extreme_size(call));
}

static void
min_merge(const AggregateCall *call, void *into, void *from, Arena *arena)
{
    (void)arena;
    extreme_merge(call, into, from, -1);
}

static void
max_merge(const AggregateCall *call, void *into, void *from, Arena *arena)
{
    (void)arena;
    extreme_merge(call, into, from, 1);
}

static void
extreme_finish(const AggregateCall *call, void *state, Vector *const *outputs, uint32_t row,
               Arena *arena, Scratch *scratch)
{
    (void)call, (void)scratch;
    ExtremeState *extreme = state;
    size_t size = type_size(outputs[0]->type);
    if (extreme->has_value)
        memcpy((char *)outputs[0]->data + row * size, extreme->payload, size);
    else
        vector_set_null(arena, outputs[0], row);
}

// "The argument value must be orderable": no dynamic (typing.json, max(x)).
static bool
extreme_bind(Arena *arena, AggregateCall *call, AzError *error)
{
    Type type = call->args[0]->type;
    if (type == TYPE_DYNAMIC)
        return error_at(error, AZ_SEMANTIC, call->args[0]->span,
                        "%s() needs a value that can be ordered (a number, timespan, datetime, "
                        "string or bool), not a dynamic: convert it first, for example with "
                        "tolong() or tostring()",
                        call->fn->name);
    call->output_types = ARENA_ARRAY(arena, Type, 1);
    call->output_types[0] = type;
    call->output_count = 1;
    return true;
}

static const AggregateImpl MIN = {
    .state_size = sizeof(ExtremeState),
    .state_size_of = extreme_size,
    .bind = extreme_bind,
    .update = min_update,
    .merge = min_merge,
    .finish = extreme_finish,
};

static const AggregateImpl MAX = {
    .state_size = sizeof(ExtremeState),
    .state_size_of = extreme_size,
    .bind = extreme_bind,
    .update = max_update,
    .merge = max_merge,
    .finish = extreme_finish,
};

// ---- variance, standard deviation, covariance ----

// Sums of x, y and x*y (y = x for the variance).
typedef struct MomentState {
    int64_t count;
    DoubleDouble x, y, product;
} MomentState;

static void
moment_add(MomentState *state, double x, double y)
{
    state->count++;
    state->x = dd_add(state->x, dd_of(x));
    state->y = dd_add(state->y, dd_of(y));
    state->product = dd_add(state->product, dd_product(x, y));
}

static void
variance_update(const AggregateUpdate *u)
{
    for (uint32_t i = 0; i < u->count; i++)
        if (!update_is_null(u, 0, i))
            moment_add(u->states[i], UPDATE_ARG(u, 0, double, i), UPDATE_ARG(u, 0, double, i));
}

static void
covariance_update(const AggregateUpdate *u)
{
    for (uint32_t i = 0; i < u->count; i++)
        if (!update_is_null(u, 0, i) && !update_is_null(u, 1, i))
            moment_add(u->states[i], UPDATE_ARG(u, 0, double, i), UPDATE_ARG(u, 1, double, i));
}

static void
moment_merge(const AggregateCall *call, void *into, void *from, Arena *arena)
{
    (void)call, (void)arena;
    MomentState *a = into, *b = from;
    a->count += b->count;
    a->x = dd_add(a->x, b->x);
    a->y = dd_add(a->y, b->y);
    a->product = dd_add(a->product, b->product);
}

// Co-moment over (n - less): less = 1 for a sample, 0 for the population. One value
// has the sample variance 0, no values too (summarize-operator page: defaults).
static double
moment_variance(const MomentState *state, int less)
{
    double n = (double)state->count;
    if (state->count <= less || state->count == 0)
        return 0;
    DoubleDouble mean_part = dd_divide(dd_multiply(state->x, state->y), n);
    DoubleDouble spread = dd_add(state->product, dd_negate(mean_part));
    return dd_value(spread) / (n - less);
}

#define MOMENT_FINISH(NAME, RESULT)                                                                \
    static void NAME(const AggregateCall *call, void *state, Vector *const *outputs, uint32_t row, \
                     Arena *arena, Scratch *scratch)                                               \
    {                                                                                              \
        (void)call, (void)arena, (void)scratch;                                                    \
        const MomentState *moment = state;                                                         \
        ((double *)outputs[0]->data)[row] = RESULT;                                                \
    }

static double
root(double variance)
{
    return sqrt(variance < 0 ? 0 : variance);
}

MOMENT_FINISH(sample_finish, moment_variance(moment, 1))
MOMENT_FINISH(population_finish, moment_variance(moment, 0))
MOMENT_FINISH(sample_root_finish, root(moment_variance(moment, 1)))
MOMENT_FINISH(population_root_finish, root(moment_variance(moment, 0)))

#define MOMENT_IMPL(NAME, UPDATE, FINISH)                                                          \
    static const AggregateImpl NAME = {                                                            \
        .state_size = sizeof(MomentState),                                                         \
        .update = UPDATE,                                                                          \
        .merge = moment_merge,                                                                     \
        .finish = FINISH,                                                                          \
    };

MOMENT_IMPL(VARIANCE, variance_update, sample_finish)
MOMENT_IMPL(VARIANCE_P, variance_update, population_finish)
MOMENT_IMPL(STDEV, variance_update, sample_root_finish)
MOMENT_IMPL(STDEV_P, variance_update, population_root_finish)
MOMENT_IMPL(COVARIANCE, covariance_update, sample_finish)
MOMENT_IMPL(COVARIANCE_P, covariance_update, population_finish)

// ---- bitwise ----

typedef struct BitState {
    bool has_value;
    int64_t bits;
} BitState;

#define BIT_AGGREGATE(NAME, OPERATOR)                                                              \
    static void NAME##_update(const AggregateUpdate *u)                                            \
    {                                                                                              \
        for (uint32_t i = 0; i < u->count; i++) {                                                  \
            if (update_is_null(u, 0, i))                                                           \
                continue;                                                                          \
            BitState *state = u->states[i];                                                        \
            int64_t value = u->args[0].type == TYPE_INT ? UPDATE_ARG(u, 0, int32_t, i)             \
                                                        : UPDATE_ARG(u, 0, int64_t, i);            \
            state->bits = state->has_value ? state->bits OPERATOR value : value;                   \
            state->has_value = true;                                                               \
        }                                                                                          \
    }                                                                                              \
    static void NAME##_merge(const AggregateCall *call, void *into, void *from, Arena *arena)      \
    {                                                                                              \
        (void)call, (void)arena;                                                                   \
        BitState *a = into, *b = from;                                                             \
        if (b->has_value)                                                                          \
            a->bits = a->has_value ? a->bits OPERATOR b->bits : b->bits;                           \
        a->has_value |= b->has_value;                                                              \
    }                                                                                              \
    static const AggregateImpl NAME = {                                                            \
        .state_size = sizeof(BitState),                                                            \
        .update = NAME##_update,                                                                   \
        .merge = NAME##_merge,                                                                     \
        .finish = bit_finish,                                                                      \
    };

static void
bit_finish(const AggregateCall *call, void *state, Vector *const *outputs, uint32_t row,
           Arena *arena, Scratch *scratch)
{
    (void)call, (void)scratch;
    BitState *bits = state;
    if (!bits->has_value)
        vector_set_null(arena, outputs[0], row);
    else if (outputs[0]->type == TYPE_INT)
        ((int32_t *)outputs[0]->data)[row] = (int32_t)bits->bits;
    else
        ((int64_t *)outputs[0]->data)[row] = bits->bits;
}

BIT_AGGREGATE(BIT_AND, &)
BIT_AGGREGATE(BIT_OR, |)
BIT_AGGREGATE(BIT_XOR, ^)

// ---- rows ----

#define AGGREGATE(NAME, ALIASES, SIGNATURE, DOC, IMPL, FLAGS)                                      \
    {                                                                                              \
        NAME, ALIASES, SIGNATURE, DOC, NULL, FUNCTION_AGGREGATE, FLAGS, &(IMPL)                    \
    }
// The aggregate and its conditional form: sum(x) and sumif(x, predicate).
#define AGGREGATE_AND_IF(NAME, SUFFIX, ARGS, RESULT, DOC, IMPL)                                    \
    AGGREGATE(NAME, NULL, "(" ARGS ") : " RESULT, DOC, IMPL, 0),                                   \
        AGGREGATE(NAME SUFFIX, NULL, "(" ARGS ", predicate:bool) : " RESULT,                       \
                  DOC " Only rows for which the predicate is true.", IMPL, FN_AGG_IF)

static const FunctionDef ROWS[] = {
    AGGREGATE("count", "cnt", "() : long", "The number of rows.", COUNT, 0),
    AGGREGATE("countif", NULL, "(predicate:bool) : long",
              "The number of rows for which the predicate is true.", COUNT, FN_AGG_IF),
    AGGREGATE_AND_IF("sum", "if", "value:int", "long", "The sum of the values.", SUM_INT),
    AGGREGATE_AND_IF("sum", "if", "value:long", "long", "The sum of the values.", SUM_LONG),
    AGGREGATE_AND_IF("sum", "if", "value:real", "real", "The sum of the values.", SUM_REAL),
    AGGREGATE_AND_IF("sum", "if", "value:decimal", "decimal", "The sum of the values.",
                     SUM_DECIMAL),
    AGGREGATE_AND_IF("sum", "if", "value:timespan", "timespan", "The sum of the values.", SUM_LONG),
    AGGREGATE_AND_IF("avg", "if", "value:int", "real", "The mean of the values.", AVG_INT),
    AGGREGATE_AND_IF("avg", "if", "value:long", "real", "The mean of the values.", AVG_LONG),
    AGGREGATE_AND_IF("avg", "if", "value:real", "real", "The mean of the values.", AVG_REAL),
    AGGREGATE_AND_IF("avg", "if", "value:decimal", "decimal", "The mean of the values.",
                     AVG_DECIMAL),
    AGGREGATE_AND_IF("avg", "if", "value:timespan", "timespan", "The mean of the values.",
                     AVG_TICKS),
    AGGREGATE_AND_IF("avg", "if", "value:datetime", "datetime", "The mean of the values.",
                     AVG_TICKS),
    AGGREGATE_AND_IF("min", "if", "value:T", "T", "The least value.", MIN),
    AGGREGATE_AND_IF("max", "if", "value:T", "T", "The greatest value.", MAX),
    AGGREGATE_AND_IF("variance", "if", "value:measure", "real", "The variance of a sample.",
                     VARIANCE),
    AGGREGATE_AND_IF("variancep", "if", "value:measure", "real",
                     "The variance of a whole population.", VARIANCE_P),
    AGGREGATE_AND_IF("stdev", "if", "value:measure", "real", "The standard deviation of a sample.",
                     STDEV),
    AGGREGATE_AND_IF("stdevp", "if", "value:measure", "real",
                     "The standard deviation of a whole population.", STDEV_P),
    AGGREGATE_AND_IF("covariance", "if", "x:measure, y:measure", "real",
                     "The covariance of two samples.", COVARIANCE),
    AGGREGATE_AND_IF("covariancep", "if", "x:measure, y:measure", "real",
                     "The covariance of two whole populations.", COVARIANCE_P),
    AGGREGATE("binary_all_and", NULL, "(value:int) : int", "All values, bitwise and-ed.", BIT_AND,
              0),
    AGGREGATE("binary_all_and", NULL, "(value:long) : long", "All values, bitwise and-ed.", BIT_AND,
              0),
    AGGREGATE("binary_all_or", NULL, "(value:int) : int", "All values, bitwise or-ed.", BIT_OR, 0),
    AGGREGATE("binary_all_or", NULL, "(value:long) : long", "All values, bitwise or-ed.", BIT_OR,
              0),
    AGGREGATE("binary_all_xor", NULL, "(value:int) : int", "All values, bitwise xor-ed.", BIT_XOR,
              0),
    AGGREGATE("binary_all_xor", NULL, "(value:long) : long", "All values, bitwise xor-ed.", BIT_XOR,
              0),
};

const FunctionSet BASIC_AGGREGATES = {ROWS, COUNT_OF(ROWS)};
