// Series: periods, decomposition into season, trend and rest, anomalies and forecasts.
//
// Source: Kusto docs, series_decompose(), series_decompose_anomalies(),
// series_decompose_forecast(), series_seasonal(), series_outliers(),
// series_periods_detect() and series_periods_validate(). The docs leave the numbers behind periods open; here a
// period scores by the autocorrelation of the series at one and at two periods, which
// gives the documented scores of the documented example. Several results of one call
// are an array, which the binder takes apart.

#include "base/array.h"
#include "function/registry.h"
#include "function/scalar/fourier.h"
#include "value/scalar.h"

#include <math.h>

// Elements that are no numbers are NaN.
typedef struct Series {
    double *items;
    uint32_t len;
} Series;

enum { PERIOD_LEAST = 4, PERIODS_MOST = 16 };

static double
node_real(Dyn node)
{
    double number;
    return dyn_number(node, &number) && isfinite(number) ? number : NAN;
}

// False when the first argument is no array or holds no number.
static bool
arg_series(const ScalarCall *call, uint32_t i, Arena *arena, Series *out)
{
    if (arg_is_null(call, 0, i))
        return false;
    Dyn tree = arg_dyn(call, 0, i);
    if (dyn_kind(tree) != DYN_ARRAY)
        return false;
    *out = (Series){.len = dyn_count(tree)};
    out->items = ARENA_ARRAY(arena, double, out->len);
    bool any = false;
    for (uint32_t e = 0; e < out->len; e++) {
        out->items[e] = node_real(dyn_at(tree, e));
        any |= !isnan(out->items[e]);
    }
    return any;
}

static double
arg_real(const ScalarCall *call, uint32_t k, uint32_t i, double otherwise)
{
    return k < call->arg_count && !arg_is_null(call, k, i) ? ARG(call, k, double, i) : otherwise;
}

static int64_t
arg_long(const ScalarCall *call, uint32_t k, uint32_t i, int64_t otherwise)
{
    return k < call->arg_count && !arg_is_null(call, k, i) ? ARG(call, k, int64_t, i) : otherwise;
}

static Str
arg_text(const ScalarCall *call, uint32_t k, uint32_t i, Str otherwise)
{
    return k < call->arg_count ? arg_str(call, k, i) : otherwise;
}

static void
push_real(DynBuilder *dyn, double x)
{
    if (isnan(x))
        dyn_push_null(dyn);
    else
        dyn_push_real(dyn, x);
}

static void
push_reals(DynBuilder *dyn, const double *items, size_t len)
{
    dyn_begin_array(dyn);
    for (size_t e = 0; e < len; e++)
        push_real(dyn, items[e]);
    dyn_end_array(dyn);
}

static int
real_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Of sorted items, between two of them along the line.
static double
sorted_percentile(const double *items, size_t len, double percent)
{
    double at = percent / 100 * (double)(len - 1);
    size_t below = (size_t)at;
    if (below + 1 >= len)
        return items[len - 1];
    return items[below] + (at - (double)below) * (items[below + 1] - items[below]);
}

// ---- periods ----

// The correlation of the series with itself, `lag` places on, for each lag below its
// length; each lag is scaled up for the pairs it lacks. All zero for a constant series.
// Through the power spectrum: n log n, as a series may have a million elements.
static double *
autocorrelation(Arena *arena, const Series *series)
{
    double sum = 0, greatest = 0, *out = ARENA_ARRAY(arena, double, series->len);
    size_t count = 0, size = 1;
    for (uint32_t e = 0; e < series->len; e++)
        if (!isnan(series->items[e]))
            sum += series->items[e], greatest = fmax(greatest, fabs(series->items[e])), count++;
    if (!count)
        return out;
    while (size < 2 * (size_t)series->len)
        size *= 2;
    Complex *items = ARENA_ARRAY(arena, Complex, size);
    for (uint32_t e = 0; e < series->len; e++)
        items[e].re = isnan(series->items[e]) ? 0 : series->items[e] - sum / (double)count;
    fourier_transform(arena, items, size, false);
    for (size_t k = 0; k < size; k++)
        items[k] = (Complex){items[k].re * items[k].re + items[k].im * items[k].im, 0};
    fourier_transform(arena, items, size, false);
    double power = items[0].re, n = series->len;
    // What is left of a constant series by rounding is no signal.
    double noise = greatest * 1e-9;
    if (!(power / (double)size > noise * noise * n))
        return out;
    for (uint32_t lag = 0; lag < series->len; lag++)
        out[lag] = items[lag].re / power * n / (n - lag);
    return out;
}

// 0 when the period is out of bounds, no local peak or within the noise. At two periods
// a true one correlates as well; that is asked when enough of the series is left there.
static double
period_score(const double *correlation, uint32_t len, double period)
{
    if (!(period >= PERIOD_LEAST && period <= len / 2.0))
        return 0;
    uint32_t p = (uint32_t)lround(period);
    if (p + 1 >= len || correlation[p] < correlation[p - 1] || correlation[p] < correlation[p + 1])
        return 0;
    double score = correlation[p];
    if (len - 2 * (uint64_t)p >= (p + 1) / 2 && 2 * (uint64_t)p < len)
        score = fmin(score, correlation[2 * p]);
    return score < 2 / sqrt(len) ? 0 : fmin(score, 1);
}

typedef struct Period {
    double length, score;
} Period;

typedef struct Periods {
    Period *items;
    size_t len, cap;
} Periods;

static int
period_order(const void *a, const void *b)
{
    const Period *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->length > y->length) - (x->length < y->length);
}

// A multiple of a period repeats as well as the period: it counts only when it does
// better by this much.
static const double HARMONIC_MARGIN = 0.05;

static bool
is_harmonic(const Periods *found, const Period *period)
{
    for (size_t i = 0; i < found->len; i++) {
        double times = round(period->length / found->items[i].length);
        double off = fabs(period->length - times * found->items[i].length);
        if (times >= 2 && off <= times && period->score < found->items[i].score + HARMONIC_MARGIN)
            return true;
    }
    return false;
}

static bool
is_peak(const double *correlation, uint32_t len, uint32_t p)
{
    uint32_t reach = p / 8 > 2 ? p / 8 : 2;
    for (uint32_t lag = p - (reach < p ? reach : p - 1); lag <= p + reach && lag < len; lag++)
        if (correlation[lag] > correlation[p])
            return false;
    return true;
}

// Best first. At most as many as the bounded list holds: each costs a look at all before.
static Periods
periods_detect(Arena *arena, const Series *series, double least, double greatest)
{
    enum { FOUND_MOST = 1024 };
    Periods found = {0};
    const double *correlation = autocorrelation(arena, series);
    for (uint32_t p = PERIOD_LEAST; p <= series->len / 2 && found.len < FOUND_MOST; p++) {
        if (p < least || p > greatest)
            continue;
        Period period = {p, period_score(correlation, series->len, p)};
        if (period.score > 0 && is_peak(correlation, series->len, p) &&
            !is_harmonic(&found, &period))
            ARRAY_PUSH(arena, &found, period);
    }
    if (found.len)
        qsort(found.items, found.len, sizeof(*found.items), period_order);
    return found;
}

static void
push_periods(ScalarCall *call, uint32_t i, const Period *periods, size_t len)
{
    DynBuilder *dyn = call->scratch->dyn;
    dyn_builder_reset(dyn);
    dyn_begin_array(dyn);
    dyn_begin_array(dyn);
    for (size_t k = 0; k < len; k++)
        dyn_push_real(dyn, periods[k].length);
    dyn_end_array(dyn);
    dyn_begin_array(dyn);
    for (size_t k = 0; k < len; k++)
        dyn_push_real(dyn, periods[k].score);
    dyn_end_array(dyn);
    dyn_end_array(dyn);
    out_dyn(call, i);
}

// (series, least, greatest, count): [periods, scores], filled up with zeros.
static void
series_periods_detect(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Series series;
        int64_t wanted = arg_long(call, 3, i, 0);
        if (!arg_series(call, i, &arena, &series) || wanted < 1 || wanted > PERIODS_MOST) {
            out_null(call, i);
        } else {
            Period result[PERIODS_MOST] = {{0}};
            Periods found = periods_detect(&arena, &series, arg_real(call, 1, i, 0),
                                           arg_real(call, 2, i, INFINITY));
            for (size_t k = 0; k < found.len && k < (size_t)wanted; k++)
                result[k] = found.items[k];
            push_periods(call, i, result, (size_t)wanted);
        }
        arena_free(&arena);
    }
}

// (series, period ...): [periods, scores].
static void
series_periods_validate(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Series series;
        size_t len = call->arg_count - 1;
        if (len > PERIODS_MOST || !arg_series(call, i, &arena, &series)) {
            out_null(call, i);
        } else {
            Period result[PERIODS_MOST] = {{0}};
            const double *correlation = autocorrelation(&arena, &series);
            for (uint32_t k = 0; k < len; k++) {
                double length = ARG(call, k + 1, double, i);
                result[k] = (Period){length, period_score(correlation, series.len, length)};
            }
            push_periods(call, i, result, len);
        }
        arena_free(&arena);
    }
}

// ---- outliers ----

typedef struct Fence {
    double low, high; // percentiles
} Fence;

static bool
fence_of(Str method, Fence *fence)
{
    if (str_equal(method, STR("ctukey")))
        *fence = (Fence){10, 90};
    else if (str_equal(method, STR("tukey")))
        *fence = (Fence){25, 75};
    else
        return false;
    return true;
}

// Tukey: how far a value lies out of the range of the percentiles, in ranges. Where
// most values are the same (within rounding of `scale`) the range says nothing, and the
// standard deviation around its middle takes its place.
static void
outlier_scores(Arena *arena, const Series *series, Fence fence, double scale, double *scores)
{
    double *sorted = ARENA_ARRAY(arena, double, series->len);
    size_t count = 0;
    for (uint32_t e = 0; e < series->len; e++)
        if (!isnan(series->items[e]))
            sorted[count++] = series->items[e];
    if (!count)
        return;
    qsort(sorted, count, sizeof(*sorted), real_order);
    double low = sorted_percentile(sorted, count, fence.low);
    double high = sorted_percentile(sorted, count, fence.high);
    double range = high - low, noise = scale * 1e-9, squares = 0;
    if (!(range > noise)) {
        for (size_t k = 0; k < count; k++)
            squares += (sorted[k] - low) * (sorted[k] - low);
        range = sqrt(squares / (double)count);
    }
    for (uint32_t e = 0; e < series->len; e++) {
        double x = series->items[e];
        double out = x > high ? x - high : x < low ? x - low : 0;
        scores[e] = fabs(out) > noise && range > 0 ? out / range : 0;
    }
}

static double
series_scale(const Series *series)
{
    double scale = 0;
    for (uint32_t e = 0; e < series->len; e++)
        scale = fmax(scale, fabs(series->items[e])); // fmax() passes NaN over
    return scale;
}

// (series[, kind[, ignore[, least percentile[, greatest percentile]]]])
static void
series_outliers(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Series series;
        Fence fence;
        Str kind = arg_text(call, 1, i, STR("ctukey"));
        bool ok = arg_series(call, i, &arena, &series) && fence_of(kind, &fence);
        if (ok && str_equal(kind, STR("ctukey"))) {
            fence.low = arg_real(call, 3, i, fence.low);
            fence.high = arg_real(call, 4, i, fence.high);
            ok = fence.low >= 2 && fence.high <= 98 && fence.low < fence.high;
        }
        if (!ok) {
            out_null(call, i);
            arena_free(&arena);
            continue;
        }
        double ignored = arg_real(call, 2, i, NAN),
               *scores = ARENA_ARRAY(&arena, double, series.len);
        for (uint32_t e = 0; e < series.len; e++)
            if (series.items[e] == ignored)
                series.items[e] = NAN;
        outlier_scores(&arena, &series, fence, series_scale(&series), scores);
        dyn_builder_reset(call->scratch->dyn);
        push_reals(call->scratch->dyn, scores, series.len);
        out_dyn(call, i);
        arena_free(&arena);
    }
}

// ---- decomposition ----

typedef struct Decomposition {
    Series series;
    double *baseline, *seasonal, *trend, *residual;
} Decomposition;

typedef struct DecomposeOptions {
    int64_t seasonality; // -1: detect, 0: none, else the period in places
    Str trend;           // avg, linefit, none
    int64_t test_points; // at the end, not learned from
    double threshold;    // least score of a detected period
    uint32_t times;      // how often it must fit into what is learned
} DecomposeOptions;

// Each place of the period gets the median of the values learned there.
static void
season_learn(Arena *arena, const Decomposition *d, uint32_t learned, uint32_t period)
{
    double *room = ARENA_ARRAY(arena, double, learned);
    for (uint32_t place = 0; place < period; place++) {
        size_t count = 0;
        for (uint64_t e = place; e < learned; e += period)
            if (!isnan(d->series.items[e]))
                room[count++] = d->series.items[e];
        if (count)
            qsort(room, count, sizeof(*room), real_order);
        double median = count ? sorted_percentile(room, count, 50) : NAN;
        for (uint64_t e = place; e < d->series.len; e += period)
            d->seasonal[e] = median;
    }
}

// The average or the line of least squares of what the season leaves.
static void
trend_learn(const Decomposition *d, uint32_t learned, bool as_line)
{
    double count = 0, mean_x = 0, mean_y = 0, xx = 0, xy = 0;
    for (uint32_t e = 0; e < learned; e++) {
        double y = d->series.items[e] - d->seasonal[e];
        if (!isnan(y))
            count++, mean_x += e, mean_y += y;
    }
    mean_x /= count, mean_y /= count; // NaN when nothing was learned
    for (uint32_t e = 0; as_line && e < learned; e++) {
        double y = d->series.items[e] - d->seasonal[e];
        if (!isnan(y))
            xx += (e - mean_x) * (e - mean_x), xy += (e - mean_x) * (y - mean_y);
    }
    double slope = xx > 0 ? xy / xx : 0;
    for (uint32_t e = 0; e < d->series.len; e++)
        d->trend[e] = mean_y + slope * (e - mean_x);
}

// False when an option makes no sense for this series.
static bool
decompose(Arena *arena, const DecomposeOptions *options, Decomposition *d)
{
    uint32_t len = d->series.len;
    bool as_line = str_equal(options->trend, STR("linefit"));
    bool has_trend = as_line || str_equal(options->trend, STR("avg"));
    if (!has_trend && !str_equal(options->trend, STR("none")))
        return false;
    if (options->test_points < 0 || options->test_points >= len)
        return false;
    uint32_t learned = len - (uint32_t)options->test_points;
    int64_t period = options->seasonality;
    if (period < -1 || period > learned)
        return false;
    if (period == -1) {
        Series known = {d->series.items, learned};
        Periods found = periods_detect(arena, &known, 0, INFINITY);
        bool is_clear = found.len && found.items[0].score >= options->threshold &&
                        found.items[0].length * options->times <= learned;
        period = is_clear ? (int64_t)found.items[0].length : 0;
    }
    d->baseline = ARENA_ARRAY(arena, double, len);
    d->seasonal = ARENA_ARRAY(arena, double, len);
    d->trend = ARENA_ARRAY(arena, double, len);
    d->residual = ARENA_ARRAY(arena, double, len);
    if (period)
        season_learn(arena, d, learned, (uint32_t)period);
    if (has_trend)
        trend_learn(d, learned, as_line);
    for (uint32_t e = 0; e < len; e++) {
        d->baseline[e] = d->seasonal[e] + d->trend[e];
        d->residual[e] = d->series.items[e] - d->baseline[e];
    }
    return true;
}

typedef enum DecomposeKind { PARTS, FORECAST, ANOMALIES } DecomposeKind;

// The functions share options but not their order.
static DecomposeOptions
decompose_options(const ScalarCall *call, uint32_t i, DecomposeKind kind)
{
    static const struct {
        uint8_t seasonality, trend, test_points, threshold;
    } AT[] = {[PARTS] = {1, 2, 3, 4}, [FORECAST] = {2, 3, 1, 4}, [ANOMALIES] = {2, 3, 4, 6}};
    return (DecomposeOptions){
        .seasonality = arg_long(call, AT[kind].seasonality, i, -1),
        .trend = arg_text(call, AT[kind].trend, i, kind == FORECAST ? STR("linefit") : STR("avg")),
        .test_points = arg_long(call, AT[kind].test_points, i, 0),
        .threshold = arg_real(call, AT[kind].threshold, i, 0.6),
    };
}

static bool
push_anomalies(ScalarCall *call, uint32_t i, Arena *arena, const Decomposition *d)
{
    DynBuilder *dyn = call->scratch->dyn;
    Fence fence;
    double threshold = arg_real(call, 1, i, 1.5);
    if (!fence_of(arg_text(call, 5, i, STR("ctukey")), &fence) || !(threshold >= 0))
        return false;
    Series rest = {d->residual, d->series.len};
    double *scores = ARENA_ARRAY(arena, double, rest.len);
    outlier_scores(arena, &rest, fence, series_scale(&d->series), scores);
    dyn_begin_array(dyn);
    for (uint32_t e = 0; e < rest.len; e++)
        dyn_push_long(dyn, (scores[e] > threshold) - (scores[e] < -threshold));
    dyn_end_array(dyn);
    push_reals(dyn, scores, rest.len);
    push_reals(dyn, d->baseline, rest.len);
    return true;
}

static bool
decompose_row(ScalarCall *call, uint32_t i, DecomposeKind kind, Arena *arena)
{
    DynBuilder *dyn = call->scratch->dyn;
    Decomposition d = {0};
    DecomposeOptions options = decompose_options(call, i, kind);
    if (!arg_series(call, i, arena, &d.series) || !decompose(arena, &options, &d))
        return false;
    dyn_builder_reset(dyn);
    if (kind == FORECAST) {
        push_reals(dyn, d.baseline, d.series.len);
        return true;
    }
    dyn_begin_array(dyn);
    if (kind == ANOMALIES) {
        if (!push_anomalies(call, i, arena, &d)) {
            dyn_builder_reset(dyn);
            return false;
        }
    } else {
        const double *parts[] = {d.baseline, d.seasonal, d.trend, d.residual};
        for (size_t k = 0; k < COUNT_OF(parts); k++)
            push_reals(dyn, parts[k], d.series.len);
    }
    dyn_end_array(dyn);
    return true;
}

static void
decompose_rows(ScalarCall *call, DecomposeKind kind)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        if (decompose_row(call, i, kind, &arena))
            out_dyn(call, i);
        else
            out_null(call, i);
        arena_free(&arena);
    }
}

static void
series_decompose(ScalarCall *call)
{
    decompose_rows(call, PARTS);
}

static void
series_decompose_forecast(ScalarCall *call)
{
    decompose_rows(call, FORECAST);
}

static void
series_decompose_anomalies(ScalarCall *call)
{
    decompose_rows(call, ANOMALIES);
}

// series_seasonal(series [, period [, test_points]]): the season alone, zeros when there is
// none. A detected period scores 0.7 at least (the page); its example of a series of two
// periods is "too short to be detected".
static void
series_seasonal(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Decomposition d = {0};
        DecomposeOptions options = {
            .seasonality = arg_long(call, 1, i, -1),
            .test_points = arg_long(call, 2, i, 0),
            .trend = STR("none"),
            .threshold = 0.7,
            .times = 3,
        };
        if (arg_series(call, i, &arena, &d.series)) {
            if (options.seasonality < -1 || options.seasonality > d.series.len)
                options.seasonality = 0;
            if (!decompose(&arena, &options, &d))
                d.seasonal = ARENA_ARRAY(&arena, double, d.series.len);
            dyn_builder_reset(call->scratch->dyn);
            push_reals(call->scratch->dyn, d.seasonal, d.series.len);
            out_dyn(call, i);
        } else {
            out_null(call, i);
        }
        arena_free(&arena);
    }
}

// ---- rows ----

#define ROW(NAME, SIGNATURE, DOC, EXAMPLE)                                                         \
    {                                                                                              \
#NAME, NULL, SIGNATURE, DOC, EXAMPLE, FUNCTION_SCALAR, FN_OWN_NULLS, &(const ScalarImpl)   \
        {                                                                                          \
            NAME, NULL                                                                             \
        }                                                                                          \
    }

static const FunctionDef ROWS[] = {
    ROW(series_decompose_anomalies,
        "(series:array, threshold:real=, seasonality:long=, trend:string=, test_points:long=, "
        "ad_method:string=, seasonality_threshold:real=) : dynamic",
        "Flags (1, -1, 0), scores and expected values of a series as three arrays in one.",
        "tolong(series_decompose_anomalies(dynamic([1, 1, 1, 9, 1, 1]), 0.5)[0][3]) == 1"),
    ROW(series_decompose,
        "(series:array, seasonality:long=, trend:string=, test_points:long=, "
        "seasonality_threshold:real=) : dynamic",
        "Baseline, season, trend and residual of a series as four arrays in one.",
        "toreal(series_decompose(dynamic([1, 2, 1, 2]), 2)[1][1]) == 2"),
    ROW(series_decompose_forecast,
        "(series:array, points:long, seasonality:long=, trend:string=, "
        "seasonality_threshold:real=) : dynamic",
        "The series as its season and trend expect it; the last points are not learned from.",
        "toreal(series_decompose_forecast(dynamic([1, 2, 3, 0]), 1, 0)[3]) == 4"),
    ROW(series_seasonal, "(series:array, period:long=, test_points:long=) : dynamic",
        "The median of each place of the period, repeated; the period is found when not given.",
        "toreal(series_seasonal(dynamic([1, 2, 3, 4]), 2)[0]) == 2"),
    ROW(series_outliers,
        "(series:array, kind:string=, ignore:real=, min_percentile:real=, "
        "max_percentile:real=) : dynamic",
        "How far each element lies out of the usual range (Tukey's test).",
        "toreal(series_outliers(dynamic([1, 2, 3, 2, 9]), 'tukey')[4]) == 6"),
    ROW(series_periods_detect,
        "(series:array, min_period:real, max_period:real, num_periods:long) : dynamic",
        "The clearest periods of a series and their scores as two arrays in one.",
        "toreal(series_periods_detect(dynamic([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]), "
        "4, 8, 1)[0][0]) == 4"),
    ROW(series_periods_validate, "(series:array, period:real...) : dynamic",
        "How clearly a series has each of the periods, as two arrays: periods and scores.",
        "toreal(series_periods_validate(dynamic([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]), 3)[1][0]) "
        "== 0"),
};

const FunctionSet SERIES_DECOMPOSE_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
