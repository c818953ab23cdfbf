// Percentiles: percentile(s), percentilew, percentilesw and their array forms.
//
// Nearest rank: the answer for p is the value at place ceil(p/100 * n) of the sorted
// values, so it is a value that occurs and has the type of the input (Kusto docs,
// percentiles-aggregation-function). Kusto estimates it from a sketch; here all values
// are kept and sorted at the end, which is exact. Where many are equal, each is kept once with how often it
// came, so that memory does not grow with the rows. With weights a value counts as often
// as its weight says. Nulls and NaN are left out.

#include "base/array.h"
#include "function/registry.h"
#include "value/scalar.h"

#include <math.h>

// Values side by side: the payload, then the weight if there is one.
typedef struct Samples {
    char *items;
    size_t len, cap;
    bool counted; // there is one though the call has none: how often the value came
} Samples;

typedef struct PercentileShape {
    Type type;
    size_t size; // of a payload
    size_t weight_at;
    bool weighted, as_array;
    double *items; // the percentages asked for
    size_t len, cap;
} PercentileShape;

// ---- binding ----

static bool
add_percent(Arena *arena, PercentileShape *shape, const Value *value, Span span, AzError *error)
{
    Value percent = value_convert(arena, value, TYPE_REAL);
    if (percent.is_null || !(percent.real >= 0 && percent.real <= 100))
        return error_at(error, AZ_SEMANTIC, span, "a percentile is a number from 0 to 100");
    ARRAY_PUSH(arena, shape, percent.real);
    return true;
}

// The percentages of one argument: a number, or an array of numbers.
static bool
read_percents(Arena *arena, PercentileShape *shape, const Expr *arg, AzError *error)
{
    if (arg->kind != EXPR_CONST || arg->value.is_null)
        return error_at(error, AZ_SEMANTIC, arg->span, "percentiles must be constants");
    Dyn node = dyn_of_text(&arg->value.text);
    if (arg->type != TYPE_DYNAMIC || dyn_kind(node) != DYN_ARRAY)
        return add_percent(arena, shape, &arg->value, arg->span, error);
    for (uint32_t e = 0; e < dyn_count(node); e++) {
        Value value = dyn_value(dyn_at(node, e));
        if (!add_percent(arena, shape, &value, arg->span, error))
            return false;
    }
    return true;
}

static bool
bind_shape(Arena *arena, AggregateCall *call, bool weighted, bool as_array, AzError *error)
{
    const Expr *value = call->args[0];
    if (!type_is_numeric(value->type) && value->type != TYPE_DATETIME &&
        value->type != TYPE_TIMESPAN)
        return error_at(error, AZ_SEMANTIC, value->span,
                        "%s() needs numbers, datetimes or timespans, not values of type %s",
                        call->fn->name, type_name(value->type));
    PercentileShape *shape = ARENA_NEW(arena, PercentileShape);
    shape->type = value->type;
    shape->weighted = weighted;
    shape->as_array = as_array;
    shape->size = type_size(value->type);
    shape->weight_at = (shape->size + 7) / 8 * 8;
    for (uint32_t k = weighted ? 2 : 1; k < call->arg_count; k++)
        if (!read_percents(arena, shape, call->args[k], error))
            return false;
    call->bound = shape;
    call->output_count = as_array ? 1 : (uint32_t)shape->len;
    call->output_types = ARENA_ARRAY(arena, Type, call->output_count);
    for (uint32_t o = 0; o < call->output_count; o++)
        call->output_types[o] = as_array ? TYPE_DYNAMIC : value->type;
    return true;
}

static bool
plain_bind(Arena *arena, AggregateCall *call, AzError *error)
{
    return bind_shape(arena, call, false, false, error);
}

static bool
array_bind(Arena *arena, AggregateCall *call, AzError *error)
{
    return bind_shape(arena, call, false, true, error);
}

static bool
weighted_bind(Arena *arena, AggregateCall *call, AzError *error)
{
    return bind_shape(arena, call, true, false, error);
}

static bool
weighted_array_bind(Arena *arena, AggregateCall *call, AzError *error)
{
    return bind_shape(arena, call, true, true, error);
}

// ---- states ----

static bool
has_weights(const Samples *samples, const PercentileShape *shape)
{
    return shape->weighted || samples->counted;
}

// Bytes of a value.
static size_t
stride_of(const Samples *samples, const PercentileShape *shape)
{
    return has_weights(samples, shape) ? shape->weight_at + sizeof(int64_t) : shape->size;
}

static int64_t
weight_of(const Samples *samples, const PercentileShape *shape, size_t s)
{
    int64_t weight = 1;
    if (has_weights(samples, shape))
        memcpy(&weight, samples->items + s * stride_of(samples, shape) + shape->weight_at,
               sizeof(weight));
    return weight;
}

// Gives each value a weight.
static void
samples_count(Samples *samples, const PercentileShape *shape, Arena *arena)
{
    Samples counted = {.counted = true, .len = samples->len, .cap = samples->cap};
    size_t stride = stride_of(&counted, shape), size = shape->size;
    static const int64_t ONE = 1;
    counted.items = arena_alloc_array(arena, counted.cap, stride);
    for (size_t s = 0; s < samples->len; s++) {
        memcpy(counted.items + s * stride, samples->items + s * size, size);
        memcpy(counted.items + s * stride + shape->weight_at, &ONE, sizeof(ONE));
    }
    arena_release(arena, samples->items);
    *samples = counted;
}

static void samples_compact(Samples *samples, const PercentileShape *shape, Arena *arena);

enum { LOOKED_THROUGH_FROM = 2048 };

// Whether equal values are looked for when so many have come: seldom, since that sorts them all, unless some
// were found before.
static bool
is_looked_through(const Samples *samples)
{
    enum { TIMES_MORE = 16 };
    if (samples->counted)
        return samples->cap >= LOOKED_THROUGH_FROM;
    size_t next = LOOKED_THROUGH_FROM;
    while (next < samples->cap)
        next *= TIMES_MORE;
    return samples->cap == next;
}

static void
samples_make_room(Samples *samples, const PercentileShape *shape, Arena *arena)
{
    if (is_looked_through(samples))
        samples_compact(samples, shape, arena);
    if (samples->len < samples->cap)
        return;
    char *items = samples->items;
    samples->items =
        array_grow(arena, items, samples->len, &samples->cap, stride_of(samples, shape));
    arena_release(arena, items);
}

static void
samples_push(Samples *samples, const PercentileShape *shape, const char *payload, int64_t weight,
             Arena *arena)
{
    if (samples->len == samples->cap)
        samples_make_room(samples, shape, arena);
    char *item = samples->items + samples->len++ * stride_of(samples, shape);
    if (shape->size == sizeof(uint64_t))
        memcpy(item, payload, sizeof(uint64_t));
    else
        memcpy(item, payload, shape->size);
    if (has_weights(samples, shape))
        memcpy(item + shape->weight_at, &weight, sizeof(weight));
}

static bool
is_nan(Type type, const char *payload)
{
    double real;
    if (type != TYPE_REAL)
        return false;
    memcpy(&real, payload, sizeof(real));
    return isnan(real);
}

static void
samples_update(const AggregateUpdate *u)
{
    const PercentileShape *shape = u->call->bound;
    for (uint32_t i = 0; i < u->count; i++) {
        const char *payload = (const char *)u->args[0].data + (i & u->args[0].mask) * shape->size;
        if (update_is_null(u, 0, i) || is_nan(shape->type, payload))
            continue;
        int64_t weight = 1;
        if (shape->weighted) {
            weight = update_is_null(u, 1, i) ? 0 : UPDATE_ARG(u, 1, int64_t, i);
            if (weight <= 0)
                continue;
        }
        samples_push(u->states[i], shape, payload, weight, u->arena);
    }
}

static void
samples_merge(const AggregateCall *call, void *into, void *from, Arena *arena)
{
    const PercentileShape *shape = call->bound;
    const Samples *samples = from;
    size_t stride = stride_of(samples, shape);
    if (samples->counted && !has_weights(into, shape))
        samples_count(into, shape, arena);
    for (size_t s = 0; s < samples->len; s++)
        samples_push(into, shape, samples->items + s * stride, weight_of(samples, shape, s), arena);
}

static int
sample_order(const void *a, const void *b, void *context)
{
    // Copied out: payloads are only as aligned as the stride lets them be.
    const PercentileShape *shape = context;
    _Alignas(16) char x[16], y[16];
    memcpy(x, a, shape->size);
    memcpy(y, b, shape->size);
    return data_compare(shape->type, x, y);
}

static uint64_t
sample_word(Type type, const char *item)
{
    static const uint64_t SIGN = UINT64_C(1) << 63;
    uint64_t word;
    memcpy(&word, item, sizeof(word));
    if (type != TYPE_REAL)
        return word ^ SIGN;
    word = word == SIGN ? 0 : word; // -0.0 equals 0.0
    return word & SIGN ? ~word : word | SIGN;
}

// Of values of one word, alone or with a weight. Stable, by the bytes of a word that orders as the value does;
// bytes that are the same in all are passed over, so small numbers take two or three rounds.
static void
samples_radix_sort(Samples *samples, const PercentileShape *shape)
{
    size_t stride = stride_of(samples, shape);
    Arena arena;
    arena_init(&arena);
    char *from = samples->items, *to = arena_alloc_array(&arena, samples->len, stride);
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t starts[257] = {0};
        for (size_t s = 0; s < samples->len; s++)
            starts[(sample_word(shape->type, from + s * stride) >> shift & 0xFF) + 1]++;
        if (starts[(sample_word(shape->type, from) >> shift & 0xFF) + 1] == samples->len)
            continue;
        for (unsigned digit = 0; digit < 256; digit++)
            starts[digit + 1] += starts[digit];
        for (size_t s = 0; s < samples->len; s++) {
            const char *item = from + s * stride;
            size_t at = starts[sample_word(shape->type, item) >> shift & 0xFF]++;
            if (stride == sizeof(uint64_t))
                memcpy(to + at * sizeof(uint64_t), item, sizeof(uint64_t));
            else
                memcpy(to + at * 2 * sizeof(uint64_t), item, 2 * sizeof(uint64_t));
        }
        char *swap = from;
        from = to;
        to = swap;
    }
    if (from != samples->items)
        memcpy(samples->items, from, samples->len * stride);
    arena_free(&arena);
}

static void
samples_sort(Samples *samples, const PercentileShape *shape)
{
    enum { RADIX_LEAST = 256 }; // below, the rounds cost more than comparing
    bool words = shape->type == TYPE_LONG || shape->type == TYPE_DATETIME ||
                 shape->type == TYPE_TIMESPAN || shape->type == TYPE_REAL;
    if (words && samples->len >= RADIX_LEAST)
        samples_radix_sort(samples, shape);
    else if (samples->len > 1)
        qsort_r(samples->items, samples->len, stride_of(samples, shape), sample_order,
                (void *)shape);
}

// To the bit.
static inline bool
same_value(const PercentileShape *shape, const char *a, const char *b)
{
    if (shape->size != sizeof(uint64_t))
        return memcmp(a, b, shape->size) == 0;
    uint64_t x, y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x == y;
}

// How many of the values, which are sorted, differ from the one before.
static size_t
samples_different(const Samples *samples, const PercentileShape *shape)
{
    size_t stride = stride_of(samples, shape), count = 1;
    for (size_t s = 1; s < samples->len; s++)
        count += !same_value(shape, samples->items + (s - 1) * stride, samples->items + s * stride);
    return count;
}

// Leaves of equal values one, with the sum of their weights, when that makes much room: three of four values.
static void
samples_compact(Samples *samples, const PercentileShape *shape, Arena *arena)
{
    samples_sort(samples, shape);
    size_t different = samples_different(samples, shape);
    if (different > samples->len / 4)
        return;
    Samples out = {.counted = true, .cap = LOOKED_THROUGH_FROM};
    while (out.cap / 16 < different)
        out.cap *= 2;
    size_t stride = stride_of(samples, shape), out_stride = stride_of(&out, shape);
    out.items = arena_alloc_array(arena, out.cap, out_stride);
    for (size_t s = 0; s < samples->len; s++) {
        const char *item = samples->items + s * stride;
        char *to = out.items + out.len * out_stride, *last = to - out_stride;
        int64_t weight = weight_of(samples, shape, s), sum;
        if (out.len && same_value(shape, last, item) &&
            !__builtin_add_overflow(weight_of(&out, shape, out.len - 1), weight, &sum)) {
            memcpy(last + shape->weight_at, &sum, sizeof(sum));
            continue;
        }
        if (out.len == out.cap)
            return; // of weights that no sum holds
        memcpy(to, item, shape->size);
        memcpy(to + shape->weight_at, &weight, sizeof(weight));
        out.len++;
    }
    arena_release(arena, samples->items);
    *samples = out;
}

// The place of a percentile among `total`; a hair less, so that 99.9 % of 1000, which
// is 999.0000000000001 in doubles, is 999.
static double
nearest_rank(double percent, double total)
{
    double rank = ceil(percent * total / 100 * (1 - 1e-14));
    return rank < 1 ? 1 : rank > total ? total : rank;
}

// The sample at a percentile; there is at least one.
static size_t
samples_at(const Samples *samples, const PercentileShape *shape, double percent, double total)
{
    double rank = nearest_rank(percent, total);
    if (!has_weights(samples, shape))
        return (size_t)rank - 1;
    double reached = 0;
    for (size_t s = 0; s < samples->len; s++) {
        reached += (double)weight_of(samples, shape, s);
        if (reached >= rank)
            return s;
    }
    return samples->len - 1;
}

static double
samples_total(const Samples *samples, const PercentileShape *shape)
{
    double total = 0;
    if (!has_weights(samples, shape))
        return (double)samples->len;
    for (size_t s = 0; s < samples->len; s++)
        total += (double)weight_of(samples, shape, s);
    return total;
}

static void
push_sample(DynBuilder *dyn, const PercentileShape *shape, const char *payload)
{
    Value value = {.type = shape->type};
    memcpy(&value.decimal, payload, shape->size);
    dyn_push_value(dyn, &value);
}

static void
samples_finish(const AggregateCall *call, void *state, Vector *const *outputs, uint32_t row,
               Arena *arena, Scratch *scratch)
{
    const PercentileShape *shape = call->bound;
    Samples *samples = state;
    samples_sort(samples, shape);
    double total = samples_total(samples, shape);
    dyn_builder_reset(scratch->dyn);
    dyn_begin_array(scratch->dyn);
    for (size_t p = 0; p < shape->len; p++) {
        const char *payload = NULL;
        if (samples->len)
            payload = samples->items + samples_at(samples, shape, shape->items[p], total) *
                                           stride_of(samples, shape);
        if (shape->as_array && payload)
            push_sample(scratch->dyn, shape, payload);
        else if (!shape->as_array && payload)
            memcpy((char *)outputs[p]->data + row * shape->size, payload, shape->size);
        else if (!shape->as_array)
            vector_set_null(arena, outputs[p], row);
    }
    dyn_end_array(scratch->dyn);
    bool is_null = !samples->len;
    if (shape->as_array &&
        (is_null ||
         !dyn_finish_text(scratch->dyn, arena, &((Text *)outputs[0]->data)[row], &is_null) ||
         is_null))
        vector_set_null(arena, outputs[0], row);
    dyn_builder_reset(scratch->dyn);
}

#define PERCENTILE_IMPL(NAME, BIND)                                                                \
    static const AggregateImpl NAME = {                                                            \
        .state_size = sizeof(Samples),                                                             \
        .bind = BIND,                                                                              \
        .update = samples_update,                                                                  \
        .merge = samples_merge,                                                                    \
        .finish = samples_finish,                                                                  \
    };

PERCENTILE_IMPL(PLAIN, plain_bind)
PERCENTILE_IMPL(ARRAY, array_bind)
PERCENTILE_IMPL(WEIGHTED, weighted_bind)
PERCENTILE_IMPL(WEIGHTED_ARRAY, weighted_array_bind)

// ---- rows ----

#define AGGREGATE(NAME, SIGNATURE, DOC, IMPL)                                                      \
    {                                                                                              \
        NAME, NULL, SIGNATURE, DOC, NULL, FUNCTION_AGGREGATE, 0, &(IMPL)                           \
    }

static const FunctionDef ROWS[] = {
    AGGREGATE("percentile", "(value:scalar, percent:real) : *",
              "The value below or at which so many percent of the values lie.", PLAIN),
    AGGREGATE("percentiles", "(value:scalar, percent:real...) : *",
              "The values at several percentiles, one column each.", PLAIN),
    AGGREGATE("percentiles_array", "(value:scalar, percent:real...) : dynamic",
              "The values at several percentiles as an array.", ARRAY),
    AGGREGATE("percentiles_array", "(value:scalar, percents:dynamic) : dynamic",
              "The values at an array of percentiles as an array.", ARRAY),
    AGGREGATE("percentilew", "(value:scalar, weight:long, percent:real) : *",
              "As percentile(), where each value counts as often as its weight says.", WEIGHTED),
    AGGREGATE("percentilesw", "(value:scalar, weight:long, percent:real...) : *",
              "As percentiles(), where each value counts as often as its weight says.", WEIGHTED),
    AGGREGATE("percentilesw_array", "(value:scalar, weight:long, percent:real...) : dynamic",
              "As percentiles_array(), where each value counts as often as its weight says.",
              WEIGHTED_ARRAY),
    AGGREGATE("percentilesw_array", "(value:scalar, weight:long, percents:dynamic) : dynamic",
              "As percentiles_array(), where each value counts as often as its weight says.",
              WEIGHTED_ARRAY),
};

const FunctionSet PERCENTILE_AGGREGATES = {ROWS, COUNT_OF(ROWS)};
