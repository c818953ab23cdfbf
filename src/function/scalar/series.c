// Series: arithmetic and statistics over arrays of numbers.
//
// Source: Kusto docs, "Series element-wise functions" and "Series processing
// functions". An array is read once into reals with a flag for elements that are no
// numbers (they are null in the result); what comes of whole numbers alone stays
// whole where the operation keeps it so. A scalar where a series is wanted stands for
// a series of that value.

#include "base/array.h"
#include "function/registry.h"
#include "value/scalar.h"

#include <math.h>

typedef struct Series {
    double *items;
    bool *missing;
    uint32_t len;
    bool whole;     // every number is a long
    bool broadcast; // one number for all places
} Series;

static bool
node_number(Dyn node, double *out)
{
    if (dyn_kind(node) != DYN_BOOL)
        return dyn_number(node, out);
    *out = dyn_bool(node);
    return true;
}

// False when the tree is neither an array nor a number.
static bool
series_read(Arena *arena, Dyn tree, Series *out)
{
    bool is_array = dyn_kind(tree) == DYN_ARRAY;
    double number;
    if (!is_array && !node_number(tree, &number))
        return false;
    *out = (Series){.len = is_array ? dyn_count(tree) : 1, .whole = true};
    out->broadcast = !is_array;
    out->items = ARENA_ARRAY(arena, double, out->len);
    out->missing = ARENA_ARRAY(arena, bool, out->len);
    for (uint32_t e = 0; e < out->len; e++) {
        Dyn node = is_array ? dyn_at(tree, e) : tree;
        out->missing[e] = !node_number(node, &out->items[e]);
        if (!out->missing[e] && dyn_kind(node) != DYN_LONG)
            out->whole = false;
    }
    return true;
}

static bool
arg_series(const ScalarCall *call, uint32_t k, uint32_t i, Arena *arena, Series *out)
{
    return k < call->arg_count && !arg_is_null(call, k, i) &&
           series_read(arena, arg_dyn(call, k, i), out);
}

static bool
series_at(const Series *series, uint32_t e, double *out)
{
    uint32_t at = series->broadcast ? 0 : e;
    if (at >= series->len || series->missing[at])
        return false;
    *out = series->items[at];
    return true;
}

static uint32_t
series_length(const Series *a, const Series *b)
{
    if (a->broadcast)
        return b->len;
    return b->broadcast || a->len > b->len ? a->len : b->len;
}

static void
push_number(DynBuilder *dyn, double x, bool whole)
{
    if (whole && fabs(x) < 0x1p53)
        dyn_push_long(dyn, (int64_t)x);
    else
        dyn_push_real(dyn, x);
}

// ---- element by element ----

static double
sign_of(double x)
{
    return isnan(x) ? x : (double)((x > 0) - (x < 0));
}

static void
unary_rows(ScalarCall *call, double (*f)(double), bool keeps_whole)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Series series;
        if (!arg_series(call, 0, i, &arena, &series)) {
            out_null(call, i);
        } else {
            out_array_begin(call);
            for (uint32_t e = 0; e < series.len; e++) {
                if (series.missing[e])
                    dyn_push_null(call->scratch->dyn);
                else
                    push_number(call->scratch->dyn, f(series.items[e]),
                                keeps_whole && series.whole);
            }
            out_array_finish(call, i);
        }
        arena_free(&arena);
    }
}

#define UNARY(NAME, F, KEEPS_WHOLE)                                                                \
    static void NAME(ScalarCall *call)                                                             \
    {                                                                                              \
        unary_rows(call, F, KEEPS_WHOLE);                                                          \
    }                                                                                              \
    static const ScalarImpl NAME##_impl = {NAME, NULL};

UNARY(series_abs, fabs, true)
UNARY(series_acos, acos, false)
UNARY(series_asin, asin, false)
UNARY(series_atan, atan, false)
UNARY(series_ceiling, ceil, false)
UNARY(series_cos, cos, false)
UNARY(series_exp, exp, false)
UNARY(series_floor, floor, false)
UNARY(series_log, log, false)
UNARY(series_sign, sign_of, false)
UNARY(series_sin, sin, false)
UNARY(series_tan, tan, false)

typedef enum PairResult { PAIR_REAL, PAIR_WHOLE, PAIR_BOOL } PairResult;

static void
binary_rows(ScalarCall *call, double (*f)(double, double), PairResult kind)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Series a, b;
        if (!arg_series(call, 0, i, &arena, &a) || !arg_series(call, 1, i, &arena, &b)) {
            out_null(call, i);
            arena_free(&arena);
            continue;
        }
        bool whole = kind == PAIR_WHOLE && a.whole && b.whole;
        out_array_begin(call);
        for (uint32_t e = 0; e < series_length(&a, &b); e++) {
            double x, y;
            if (!series_at(&a, e, &x) || !series_at(&b, e, &y))
                dyn_push_null(dyn);
            else if (kind == PAIR_BOOL)
                dyn_push_bool(dyn, f(x, y) != 0);
            else
                push_number(dyn, f(x, y), whole);
        }
        out_array_finish(call, i);
        arena_free(&arena);
    }
}

#define BINARY(NAME, KIND, RESULT)                                                                 \
    static double NAME##_of(double x, double y)                                                    \
    {                                                                                              \
        return RESULT;                                                                             \
    }                                                                                              \
    static void NAME(ScalarCall *call)                                                             \
    {                                                                                              \
        binary_rows(call, NAME##_of, KIND);                                                        \
    }                                                                                              \
    static const ScalarImpl NAME##_impl = {NAME, NULL};

BINARY(series_add, PAIR_WHOLE, x + y)
BINARY(series_subtract, PAIR_WHOLE, x - y)
BINARY(series_multiply, PAIR_WHOLE, x *y)
BINARY(series_divide, PAIR_REAL, x / y)
BINARY(series_pow, PAIR_REAL, pow(x, y))
BINARY(series_equals, PAIR_BOOL, x == y)
BINARY(series_not_equals, PAIR_BOOL, x != y)
BINARY(series_less, PAIR_BOOL, x < y)
BINARY(series_less_equals, PAIR_BOOL, x <= y)
BINARY(series_greater, PAIR_BOOL, x > y)
BINARY(series_greater_equals, PAIR_BOOL, x >= y)

// ---- one number of one or two series ----

// Null when an element is no number.
typedef double (*SeriesFold)(const Series *a, const Series *b);

static bool
series_is_full(const Series *series)
{
    for (uint32_t e = 0; e < series->len; e++)
        if (series->missing[e])
            return false;
    return true;
}

static void
fold_rows(ScalarCall *call, SeriesFold fold)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Series a, b = {0};
        bool ok = arg_series(call, 0, i, &arena, &a) && series_is_full(&a);
        if (ok && call->arg_count > 1)
            ok = arg_series(call, 1, i, &arena, &b) && series_is_full(&b);
        if (ok && call->arg_count > 1 && !a.broadcast && !b.broadcast)
            ok = a.len == b.len;
        if (ok)
            ((double *)call->out)[i] = fold(&a, &b);
        else
            out_null(call, i);
        arena_free(&arena);
    }
}

static double
sum_of(const Series *a, const Series *b)
{
    (void)b;
    double sum = 0;
    for (uint32_t e = 0; e < a->len; e++)
        sum += a->items[e];
    return sum;
}

static double
product_of(const Series *a, const Series *b)
{
    (void)b;
    double product = 1;
    for (uint32_t e = 0; e < a->len; e++)
        product *= a->items[e];
    return product;
}

static double
dot_product_of(const Series *a, const Series *b)
{
    double sum = 0, x = 0, y = 0;
    for (uint32_t e = 0; e < series_length(a, b); e++)
        if (series_at(a, e, &x) && series_at(b, e, &y))
            sum += x * y;
    return sum;
}

static double
magnitude_of(const Series *a, const Series *b)
{
    (void)b;
    return sqrt(dot_product_of(a, a));
}

static double
cosine_of(const Series *a, const Series *b)
{
    return dot_product_of(a, b) / (magnitude_of(a, NULL) * magnitude_of(b, NULL));
}

static double
pearson_of(const Series *a, const Series *b)
{
    double n = a->len, mean_a = sum_of(a, NULL) / n, mean_b = sum_of(b, NULL) / n;
    double ab = 0, aa = 0, bb = 0;
    for (uint32_t e = 0; e < a->len && e < b->len; e++) {
        double x = a->items[e] - mean_a, y = b->items[e] - mean_b;
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    return ab / sqrt(aa * bb);
}

#define FOLD(NAME, OF)                                                                             \
    static void NAME(ScalarCall *call)                                                             \
    {                                                                                              \
        fold_rows(call, OF);                                                                       \
    }                                                                                              \
    static const ScalarImpl NAME##_impl = {NAME, NULL};

FOLD(series_sum, sum_of)
FOLD(series_product, product_of)
FOLD(series_dot_product, dot_product_of)
FOLD(series_magnitude, magnitude_of)
FOLD(series_pearson_correlation, pearson_of)

// (a, b[, magnitude of a, magnitude of b]): known magnitudes save their computation.
static void
series_cosine_similarity(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Series a, b;
        bool ok = arg_series(call, 0, i, &arena, &a) && arg_series(call, 1, i, &arena, &b) &&
                  series_is_full(&a) && series_is_full(&b) && a.len == b.len;
        if (!ok)
            out_null(call, i);
        else if (call->arg_count > 3)
            ((double *)call->out)[i] =
                dot_product_of(&a, &b) / (ARG(call, 2, double, i) * ARG(call, 3, double, i));
        else
            ((double *)call->out)[i] = cosine_of(&a, &b);
        arena_free(&arena);
    }
}

// ---- filling gaps ----

// What counts as a gap: null, or the value that missing_value_placeholder names.
static bool
is_gap(const ScalarCall *call, uint32_t k, uint32_t i, Dyn node)
{
    if (dyn_kind(node) == DYN_NULL)
        return true;
    if (k >= call->arg_count || arg_is_null(call, k, i))
        return false;
    return dyn_equal(node, arg_dyn(call, k, i));
}

static void
series_fill_const(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        Dyn array = arg_dyn(call, 0, i);
        Value fill = call->arg_count > 1 ? arg_value(call, 1, i) : value_long(0);
        if (dyn_kind(array) != DYN_ARRAY) {
            out_null(call, i);
            continue;
        }
        out_array_begin(call);
        for (uint32_t e = 0; e < dyn_count(array); e++) {
            Dyn node = dyn_at(array, e);
            if (is_gap(call, 2, i, node))
                dyn_push_value(dyn, &fill);
            else
                dyn_push_tree(dyn, node);
        }
        out_array_finish(call, i);
    }
}

// The nearest value before (or behind) each gap takes its place.
static void
fill_rows(ScalarCall *call, bool forward)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Dyn array = arg_dyn(call, 0, i);
        if (dyn_kind(array) != DYN_ARRAY) {
            out_null(call, i);
            continue;
        }
        Arena arena = {0};
        uint32_t count = dyn_count(array);
        Dyn *nodes = ARENA_ARRAY(&arena, Dyn, count), last = {0};
        for (uint32_t n = 0; n < count; n++) {
            uint32_t e = forward ? n : count - 1 - n;
            nodes[e] = dyn_at(array, e);
            if (!is_gap(call, 1, i, nodes[e]))
                last = nodes[e];
            else if (last.ptr)
                nodes[e] = last;
        }
        out_array_begin(call);
        for (uint32_t e = 0; e < count; e++)
            dyn_push_tree(call->scratch->dyn, nodes[e]);
        out_array_finish(call, i);
        arena_free(&arena);
    }
}

static void
series_fill_forward(ScalarCall *call)
{
    fill_rows(call, true);
}

static void
series_fill_backward(ScalarCall *call)
{
    fill_rows(call, false);
}

// (array[, missing_value_placeholder[, fill_edges[, constant]]]): gaps between two values
// lie on the line between them; at the edges the nearest value goes on, or gaps stay. An
// array without any value becomes the constant.
static void
fill_linear_row(ScalarCall *call, uint32_t i, const Series *series, const bool *gaps)
{
    DynBuilder *dyn = call->scratch->dyn;
    bool edges = call->arg_count < 3 || ARG(call, 2, uint8_t, i);
    uint32_t before = UINT32_MAX, behind = 0;
    for (uint32_t e = 0; e < series->len; e++) {
        if (!gaps[e]) {
            before = e;
            push_number(dyn, series->items[e], series->whole);
            continue;
        }
        if (behind <= e)
            behind = e + 1;
        while (behind < series->len && gaps[behind])
            behind++;
        bool has_before = before != UINT32_MAX, has_behind = behind < series->len;
        if (has_before && has_behind) {
            double slope = (series->items[behind] - series->items[before]) / (behind - before);
            dyn_push_real(dyn, series->items[before] + slope * (e - before));
        } else if (edges && (has_before || has_behind)) {
            push_number(dyn, series->items[has_before ? before : behind], series->whole);
        } else if (!has_before && !has_behind && call->arg_count > 3) {
            Value constant = arg_value(call, 3, i);
            dyn_push_value(dyn, &constant);
        } else {
            dyn_push_null(dyn);
        }
    }
}

static void
series_fill_linear(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Series series;
        Dyn array = arg_dyn(call, 0, i);
        if (dyn_kind(array) != DYN_ARRAY || !series_read(&arena, array, &series)) {
            out_null(call, i);
        } else {
            bool *gaps = ARENA_ARRAY(&arena, bool, series.len);
            for (uint32_t e = 0; e < series.len; e++)
                gaps[e] = series.missing[e] || is_gap(call, 1, i, dyn_at(array, e));
            out_array_begin(call);
            fill_linear_row(call, i, &series, gaps);
            out_array_finish(call, i);
        }
        arena_free(&arena);
    }
}

// ---- filters ----

// The state of a filter is every input and output: both are arrays of this length at
// most, and the coefficients are few, so the product is bounded.
enum { COEFFICIENTS_MOST = 4096 };

// y[n] = (sum of b[k] x[n-k] - sum of a[k] y[n-k], k > 0) / a[0]
static void
series_iir(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Series x, b, a;
        bool ok = arg_series(call, 0, i, &arena, &x) && arg_series(call, 1, i, &arena, &b) &&
                  arg_series(call, 2, i, &arena, &a) && series_is_full(&x) && series_is_full(&b) &&
                  series_is_full(&a) && a.len && a.items[0] != 0 && a.len <= COEFFICIENTS_MOST &&
                  b.len <= COEFFICIENTS_MOST;
        if (!ok) {
            out_null(call, i);
            arena_free(&arena);
            continue;
        }
        double *y = ARENA_ARRAY(&arena, double, x.len);
        out_array_begin(call);
        for (uint32_t n = 0; n < x.len; n++) {
            for (uint32_t k = 0; k < b.len && k <= n; k++)
                y[n] += b.items[k] * x.items[n - k];
            for (uint32_t k = 1; k < a.len && k <= n; k++)
                y[n] -= a.items[k] * y[n - k];
            y[n] /= a.items[0];
            dyn_push_real(call->scratch->dyn, y[n]);
        }
        out_array_finish(call, i);
        arena_free(&arena);
    }
}

// (series, filter[, normalize = true[, center = false]]): each value is the sum of the
// values before it (around it when centred), weighted by the filter.
static void
series_fir(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Series x, filter;
        bool ok = arg_series(call, 0, i, &arena, &x) && arg_series(call, 1, i, &arena, &filter) &&
                  series_is_full(&x) && series_is_full(&filter) && filter.len &&
                  filter.len <= COEFFICIENTS_MOST;
        if (!ok) {
            out_null(call, i);
            arena_free(&arena);
            continue;
        }
        bool normalize = call->arg_count < 3 || ARG(call, 2, uint8_t, i);
        bool centre = call->arg_count > 3 && ARG(call, 3, uint8_t, i);
        double total = normalize ? sum_of(&filter, NULL) : 1;
        int64_t shift = centre ? (filter.len - 1) / 2 : 0;
        out_array_begin(call);
        for (int64_t n = 0; n < x.len; n++) {
            double y = 0;
            for (int64_t k = 0; k < filter.len; k++) {
                int64_t at = n + shift - k;
                if (at >= 0 && at < x.len)
                    y += filter.items[k] * x.items[at];
            }
            dyn_push_real(call->scratch->dyn, total != 0 ? y / total : y);
        }
        out_array_finish(call, i);
        arena_free(&arena);
    }
}

// ---- several numbers of one series ----

// Pushes the results under their names, into a bag or into an array.
typedef struct Results {
    DynBuilder *dyn;
    bool as_bag;
} Results;

static Results
results_begin(ScalarCall *call, bool as_bag)
{
    dyn_builder_reset(call->scratch->dyn);
    if (as_bag)
        dyn_begin_bag(call->scratch->dyn);
    else
        dyn_begin_array(call->scratch->dyn);
    return (Results){call->scratch->dyn, as_bag};
}

static void
results_end(const Results *results, ScalarCall *call, uint32_t i)
{
    if (results->as_bag)
        dyn_end_bag(results->dyn);
    else
        dyn_end_array(results->dyn);
    out_dyn(call, i);
}

static void
results_real(const Results *results, const char *name, double x)
{
    if (results->as_bag)
        dyn_key(results->dyn, str_from(name));
    dyn_push_real(results->dyn, x);
}

static void
results_long(const Results *results, const char *name, int64_t x)
{
    if (results->as_bag)
        dyn_key(results->dyn, str_from(name));
    dyn_push_long(results->dyn, x);
}

typedef struct SeriesStats {
    uint32_t count, least_at, greatest_at;
    double least, greatest, sum, mean, variance;
} SeriesStats;

static bool
has_gaps(const Series *series)
{
    for (uint32_t e = 0; e < series->len; e++)
        if (series->missing[e] || !isfinite(series->items[e]))
            return true;
    return false;
}

// Of the elements that are finite numbers; the variance is that of a sample.
static SeriesStats
stats_of(const Series *series)
{
    SeriesStats stats = {0};
    for (uint32_t e = 0; e < series->len; e++) {
        double x = series->items[e];
        if (series->missing[e] || !isfinite(x))
            continue;
        if (!stats.count || x < stats.least)
            stats.least = x, stats.least_at = e;
        if (!stats.count || x > stats.greatest)
            stats.greatest = x, stats.greatest_at = e;
        stats.sum += x;
        stats.count++;
    }
    stats.mean = stats.sum / stats.count;
    for (uint32_t e = 0; e < series->len; e++)
        if (!series->missing[e] && isfinite(series->items[e]))
            stats.variance += (series->items[e] - stats.mean) * (series->items[e] - stats.mean);
    if (stats.count > 1)
        stats.variance /= stats.count - 1;
    return stats;
}

static void
stats_rows(ScalarCall *call, bool as_bag)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Series series;
        SeriesStats stats = {0};
        // ignore_nonfinite is false when not given: one gap makes all null.
        bool ignore = call->arg_count > 1 && !arg_is_null(call, 1, i) && ARG(call, 1, uint8_t, i);
        if (arg_series(call, 0, i, &arena, &series) && (ignore || !has_gaps(&series)))
            stats = stats_of(&series);
        if (!stats.count) {
            out_null(call, i);
            arena_free(&arena);
            continue;
        }
        Results results = results_begin(call, as_bag);
        results_real(&results, "min", stats.least);
        results_long(&results, "min_idx", stats.least_at);
        results_real(&results, "max", stats.greatest);
        results_long(&results, "max_idx", stats.greatest_at);
        results_real(&results, "avg", stats.mean);
        results_real(&results, "stdev", sqrt(stats.variance));
        results_real(&results, "variance", stats.variance);
        if (as_bag) {
            results_real(&results, "sum", stats.sum);
            results_long(&results, "len", series.len);
        }
        results_end(&results, call, i);
        arena_free(&arena);
    }
}

static void
series_stats(ScalarCall *call)
{
    stats_rows(call, false);
}

static void
series_stats_dynamic(ScalarCall *call)
{
    stats_rows(call, true);
}

// Least squares of the values over their places; missing elements are left out.
typedef struct Line {
    double slope, intercept, variance, residual_variance, r_square;
} Line;

static bool
line_fit(const Series *series, Line *line)
{
    SeriesStats y = stats_of(series);
    double mean_x = 0, xx = 0, xy = 0;
    if (y.count < 2)
        return false;
    for (uint32_t e = 0; e < series->len; e++)
        mean_x += series->missing[e] ? 0 : e;
    mean_x /= y.count;
    for (uint32_t e = 0; e < series->len; e++) {
        if (series->missing[e])
            continue;
        xx += (e - mean_x) * (e - mean_x);
        xy += (e - mean_x) * (series->items[e] - y.mean);
    }
    line->slope = xy / xx;
    line->intercept = y.mean - line->slope * mean_x;
    double rest = 0;
    for (uint32_t e = 0; e < series->len; e++) {
        double miss = series->items[e] - (line->intercept + line->slope * e);
        rest += series->missing[e] ? 0 : miss * miss;
    }
    line->variance = y.variance;
    line->residual_variance = rest / (y.count - 1);
    line->r_square = y.variance > 0 ? 1 - line->residual_variance / y.variance : 1;
    return true;
}

static void
line_rows(ScalarCall *call, bool as_bag)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Series series;
        Line line;
        if (!arg_series(call, 0, i, &arena, &series) || !line_fit(&series, &line)) {
            out_null(call, i);
            arena_free(&arena);
            continue;
        }
        Results results = results_begin(call, as_bag);
        results_real(&results, "rsquare", line.r_square);
        results_real(&results, "slope", line.slope);
        results_real(&results, "variance", line.variance);
        results_real(&results, "rvariance", line.residual_variance);
        results_real(&results, "interception", line.intercept);
        if (as_bag)
            dyn_key(results.dyn, STR("line_fit"));
        dyn_begin_array(results.dyn);
        for (uint32_t e = 0; e < series.len; e++)
            dyn_push_real(results.dyn, line.intercept + line.slope * e);
        dyn_end_array(results.dyn);
        results_end(&results, call, i);
        arena_free(&arena);
    }
}

static void
series_fit_line(ScalarCall *call)
{
    line_rows(call, false);
}

static void
series_fit_line_dynamic(ScalarCall *call)
{
    line_rows(call, true);
}

// ---- rows ----

#define IMPL(KERNEL) static const ScalarImpl KERNEL##_impl = {KERNEL, NULL}
IMPL(series_cosine_similarity);
IMPL(series_fill_const);
IMPL(series_fill_forward);
IMPL(series_fill_backward);
IMPL(series_fill_linear);
IMPL(series_iir);
IMPL(series_fir);
IMPL(series_stats);
IMPL(series_stats_dynamic);
IMPL(series_fit_line);
IMPL(series_fit_line_dynamic);

#define FUNCTION(NAME, SIGNATURE, DOC, EXAMPLE)                                                    \
    {                                                                                              \
#NAME, NULL, SIGNATURE, DOC, EXAMPLE, FUNCTION_SCALAR, 0, &NAME##_impl                     \
    }
#define EACH(NAME, WHAT, ARG_TEXT, RESULT)                                                         \
    FUNCTION(NAME, "(series:array) : array", "The " WHAT " of each element.",                      \
             "toreal(" #NAME "(dynamic([" ARG_TEXT "]))[0]) == " RESULT)
#define PAIRS(NAME, DOC, RESULT)                                                                   \
    FUNCTION(NAME, "(a:series, b:series) : array", DOC,                                            \
             "toreal(" #NAME "(dynamic([6]), dynamic([2]))[0]) == " RESULT)
#define COMPARISON(NAME, WHAT, RESULT)                                                             \
    FUNCTION(NAME, "(a:series, b:series) : array",                                                 \
             "Whether each element of one series " WHAT " that of the other.",                     \
             "tobool(" #NAME "(dynamic([6]), dynamic([2]))[0]) == " RESULT)

static const FunctionDef ROWS[] = {
    EACH(series_abs, "absolute value", "-2", "2"),
    EACH(series_acos, "arc cosine", "1", "0"),
    EACH(series_asin, "arc sine", "0", "0"),
    EACH(series_atan, "arc tangent", "0", "0"),
    EACH(series_ceiling, "next whole number above", "1.5", "2"),
    EACH(series_cos, "cosine", "0", "1"),
    EACH(series_exp, "exponential", "0", "1"),
    EACH(series_floor, "next whole number below", "1.5", "1"),
    EACH(series_log, "natural logarithm", "1", "0"),
    EACH(series_sign, "sign", "-2", "-1"),
    EACH(series_sin, "sine", "0", "0"),
    EACH(series_tan, "tangent", "0", "0"),
    PAIRS(series_add, "The sum of each pair of elements.", "8"),
    PAIRS(series_subtract, "The difference of each pair of elements.", "4"),
    PAIRS(series_multiply, "The product of each pair of elements.", "12"),
    PAIRS(series_divide, "The quotient of each pair of elements.", "3"),
    PAIRS(series_pow, "Each element to the power of that of the other series.", "36"),
    COMPARISON(series_equals, "equals", "false"),
    COMPARISON(series_not_equals, "differs from", "true"),
    COMPARISON(series_less, "is less than", "false"),
    COMPARISON(series_less_equals, "is at most", "false"),
    COMPARISON(series_greater, "is greater than", "true"),
    COMPARISON(series_greater_equals, "is at least", "true"),
    FUNCTION(series_sum, "(series:array) : real", "The sum of the elements.",
             "series_sum(dynamic([1, 2])) == 3"),
    FUNCTION(series_product, "(series:array) : real", "The product of the elements.",
             "series_product(dynamic([2, 3])) == 6"),
    FUNCTION(series_dot_product, "(a:series, b:series) : real",
             "The sum of the products of each pair of elements.",
             "series_dot_product(dynamic([1, 2]), dynamic([3, 4])) == 11"),
    FUNCTION(series_magnitude, "(series:array) : real", "The length of the series as a vector.",
             "series_magnitude(dynamic([3, 4])) == 5"),
    FUNCTION(series_cosine_similarity,
             "(a:array, b:array, magnitude_a:real=, magnitude_b:real=) : real",
             "The cosine of the angle between two vectors.",
             "series_cosine_similarity(dynamic([0, 2]), dynamic([0, 5])) == 1"),
    FUNCTION(series_pearson_correlation, "(a:array, b:array) : real",
             "Pearson's correlation of two series.",
             "series_pearson_correlation(dynamic([1, 2]), dynamic([2, 4])) > 0.999"),
    FUNCTION(series_fill_const,
             "(series:array, value:numeric=, missing_value_placeholder:dynamic=) : dynamic",
             "Gaps filled with a constant, 0 when none is given.",
             "tolong(series_fill_const(dynamic([null]), 7)[0]) == 7"),
    FUNCTION(series_fill_forward, "(series:array, missing_value_placeholder:dynamic=) : dynamic",
             "Gaps filled with the value before them.",
             "tolong(series_fill_forward(dynamic([1, null]))[1]) == 1"),
    FUNCTION(series_fill_backward, "(series:array, missing_value_placeholder:dynamic=) : dynamic",
             "Gaps filled with the value behind them.",
             "tolong(series_fill_backward(dynamic([null, 1]))[0]) == 1"),
    {"series_fill_linear", NULL,
     "(series:array, missing_value_placeholder:dynamic=, fill_edges:bool=, constant:scalar=) : "
     "dynamic",
     "Gaps filled along the line between their neighbours.",
     "toreal(series_fill_linear(dynamic([1, null, 3]))[1]) == 2", FUNCTION_SCALAR, FN_OWN_NULLS,
     &series_fill_linear_impl},
    FUNCTION(series_iir, "(series:array, b:array, a:array) : dynamic",
             "The series through a recursive (infinite impulse response) filter.",
             "toreal(series_iir(dynamic([1, 2]), dynamic([1]), dynamic([1, -1]))[1]) == 3"),
    FUNCTION(series_fir, "(series:array, filter:array, normalize:bool=, center:bool=) : dynamic",
             "The series through a finite impulse response filter.",
             "toreal(series_fir(dynamic([2, 4]), dynamic([1, 1]))[1]) == 3"),
    FUNCTION(series_stats, "(series:array, ignore_nonfinite:bool=) : dynamic",
             "Minimum, its place, maximum, its place, mean, deviation and variance as an array.",
             "toreal(series_stats(dynamic([1, 2, 3]))[4]) == 2"),
    FUNCTION(series_stats_dynamic, "(series:array, ignore_nonfinite:bool=) : dynamic",
             "Statistics of the series as a bag.",
             "toreal(series_stats_dynamic(dynamic([1, 2, 3])).avg) == 2"),
    FUNCTION(series_fit_line, "(series:array) : dynamic",
             "The line of least squares as an array: fit, slope, variances, interception, line.",
             "toreal(series_fit_line(dynamic([1, 2, 3]))[1]) == 1"),
    FUNCTION(series_fit_line_dynamic, "(series:array) : dynamic",
             "The line of least squares as a bag.",
             "toreal(series_fit_line_dynamic(dynamic([1, 2, 3])).slope) == 1"),
};

const FunctionSet SERIES_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
