// Series: the polynomial of least squares.
//
// Source: Kusto docs, series_fit_poly(): r-square, coefficients from the highest power down,
// variance, residual variance and the fitted series. The system is solved by Householder
// reflections on a matrix in x mapped to [-1, 1], which stays sound where powers of x itself
// would drown the digits; the coefficients are then those of x again. Places without a
// number take no part.

#include "base/array.h"
#include "function/registry.h"

#include <math.h>

enum { DEGREE_MAX = 64 };

typedef struct PolyFit {
    uint32_t len, degree;
    const double *x, *y;          // NaN: no number
    double middle, half;          // t = (x - middle) / half
    double inner[DEGREE_MAX + 1]; // powers of t, lowest first
    double outer[DEGREE_MAX + 1]; // powers of x, lowest first
} PolyFit;

static bool
numbers_read(Arena *arena, Dyn tree, uint32_t len, const double **out)
{
    if (dyn_kind(tree) != DYN_ARRAY || dyn_count(tree) != len)
        return false;
    double *items = ARENA_ARRAY(arena, double, (size_t)len + 1);
    for (uint32_t e = 0; e < len; e++) {
        Dyn node = dyn_at(tree, e);
        DynKind kind = dyn_kind(node);
        if (kind == DYN_DATETIME || kind == DYN_TIMESPAN)
            items[e] = (double)dyn_long(node);
        else if (!dyn_number(node, &items[e]) || !isfinite(items[e]))
            items[e] = NAN;
    }
    *out = items;
    return true;
}

static double
horner(const double *coefficients, uint32_t degree, double t)
{
    double sum = 0;
    for (uint32_t k = degree + 1; k-- > 0;)
        sum = sum * t + coefficients[k];
    return sum;
}

// Least squares of the rows of `a` (`columns` wide) against `y`; both are consumed. False
// when the points do not determine the coefficients.
static bool
solve(double *a, double *y, uint32_t rows, uint32_t columns, double *out)
{
    for (uint32_t c = 0; c < columns; c++) {
        double norm = 0, whole = 0;
        for (uint32_t r = 0; r < rows; r++) {
            double v = a[(size_t)r * columns + c];
            whole += v * v;
            norm += r >= c ? v * v : 0;
        }
        norm = sqrt(norm);
        if (!(norm > 1e-13 * sqrt(whole)))
            return false;
        double *pivot = &a[(size_t)c * columns + c];
        double alpha = *pivot > 0 ? -norm : norm;
        double scale = 1 / (norm * (norm + fabs(*pivot)));
        *pivot -= alpha;
        for (uint32_t k = c + 1; k <= columns; k++) {
            double dot = 0;
            for (uint32_t r = c; r < rows; r++)
                dot +=
                    a[(size_t)r * columns + c] * (k < columns ? a[(size_t)r * columns + k] : y[r]);
            dot *= scale;
            for (uint32_t r = c; r < rows; r++) {
                double step = dot * a[(size_t)r * columns + c];
                if (k < columns)
                    a[(size_t)r * columns + k] -= step;
                else
                    y[r] -= step;
            }
        }
        *pivot = alpha;
    }
    for (uint32_t c = columns; c-- > 0;) {
        double sum = y[c];
        for (uint32_t k = c + 1; k < columns; k++)
            sum -= a[(size_t)c * columns + k] * out[k];
        out[c] = sum / a[(size_t)c * columns + c];
    }
    return true;
}

// The polynomial in t = (x - middle) / half as one in x: Horner's scheme on coefficients.
static void
to_powers_of_x(PolyFit *fit)
{
    double result[DEGREE_MAX + 1] = {0};
    for (uint32_t k = fit->degree + 1; k-- > 0;) {
        // result = result * (x - middle) / half + inner[k]
        double next[DEGREE_MAX + 1] = {0};
        for (uint32_t p = 0; p <= fit->degree; p++) {
            next[p] -= result[p] * fit->middle / fit->half;
            if (p + 1 <= fit->degree)
                next[p + 1] += result[p] / fit->half;
        }
        memcpy(result, next, sizeof(result));
        result[0] += fit->inner[k];
    }
    memcpy(fit->outer, result, sizeof(result));
}

static bool
poly_fit(Arena *arena, PolyFit *fit)
{
    double least = INFINITY, most = -INFINITY;
    uint32_t points = 0, columns = fit->degree + 1;
    for (uint32_t e = 0; e < fit->len; e++) {
        if (isnan(fit->x[e]) || isnan(fit->y[e]))
            continue;
        points++;
        least = fmin(least, fit->x[e]);
        most = fmax(most, fit->x[e]);
    }
    if (points < columns)
        return false;
    fit->middle = (least + most) / 2;
    fit->half = most > least ? (most - least) / 2 : 1;
    double *a = ARENA_ARRAY(arena, double, (size_t)points *columns);
    double *y = ARENA_ARRAY(arena, double, points);
    uint32_t row = 0;
    for (uint32_t e = 0; e < fit->len; e++) {
        if (isnan(fit->x[e]) || isnan(fit->y[e]))
            continue;
        double t = (fit->x[e] - fit->middle) / fit->half, power = 1;
        for (uint32_t c = 0; c < columns; c++, power *= t)
            a[(size_t)row * columns + c] = power;
        y[row++] = fit->y[e];
    }
    if (!solve(a, y, points, columns, fit->inner))
        return false;
    to_powers_of_x(fit);
    return true;
}

static void
push_fit(DynBuilder *dyn, const PolyFit *fit)
{
    double count = 0, mean = 0, total = 0, rest = 0;
    for (uint32_t e = 0; e < fit->len; e++) {
        if (isnan(fit->x[e]) || isnan(fit->y[e]))
            continue;
        double d = fit->y[e] - mean;
        count++;
        mean += d / count;
        total += d * (fit->y[e] - mean);
        double miss =
            fit->y[e] - horner(fit->inner, fit->degree, (fit->x[e] - fit->middle) / fit->half);
        rest += miss * miss;
    }
    dyn_push_real(dyn, total > 0 ? fmax(1 - rest / total, 0) : 1);
    dyn_begin_array(dyn);
    for (uint32_t k = fit->degree + 1; k-- > 0;)
        dyn_push_real(dyn, fit->outer[k]);
    dyn_end_array(dyn);
    dyn_push_real(dyn, count > 1 ? total / (count - 1) : 0);
    dyn_push_real(dyn, count > 1 ? rest / (count - 1) : 0);
    dyn_begin_array(dyn);
    for (uint32_t e = 0; e < fit->len; e++) {
        if (isnan(fit->x[e]))
            dyn_push_null(dyn);
        else
            dyn_push_real(dyn,
                          horner(fit->inner, fit->degree, (fit->x[e] - fit->middle) / fit->half));
    }
    dyn_end_array(dyn);
}

// series_fit_poly(y [, x [, degree]])
static void
series_fit_poly(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        PolyFit fit = {.degree = 1};
        Dyn y = arg_dyn(call, 0, i);
        bool known = !arg_is_null(call, 0, i) && dyn_kind(y) == DYN_ARRAY;
        fit.len = known ? dyn_count(y) : 0;
        known = known && numbers_read(&arena, y, fit.len, &fit.y);
        if (known && call->arg_count > 1) {
            known = !arg_is_null(call, 1, i) &&
                    numbers_read(&arena, arg_dyn(call, 1, i), fit.len, &fit.x);
        } else if (known) {
            double *x = ARENA_ARRAY(&arena, double, (size_t)fit.len + 1);
            for (uint32_t e = 0; e < fit.len; e++)
                x[e] = e + 1.0;
            fit.x = x;
        }
        if (known && call->arg_count > 2) {
            int64_t degree = ARG(call, 2, int64_t, i);
            known = !arg_is_null(call, 2, i) && degree >= 0 && degree <= DEGREE_MAX;
            fit.degree = known ? (uint32_t)degree : 0;
        }
        if (known && poly_fit(&arena, &fit)) {
            out_array_begin(call);
            push_fit(call->scratch->dyn, &fit);
            out_array_finish(call, i);
        } else {
            out_null(call, i);
        }
        arena_free(&arena);
    }
}

// A constant degree is checked before any row is read.
static bool
poly_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
          Type *type, const void **bound, AzError *error)
{
    (void)arena, (void)span, (void)type, (void)bound;
    const Expr *degree = arg_count > 2 ? args[2] : NULL;
    if (degree && degree->kind == EXPR_CONST && !degree->value.is_null &&
        (degree->value.int64 < 0 || degree->value.int64 > DEGREE_MAX))
        return error_at(error, AZ_SEMANTIC, degree->span, "the degree of %s() is from 0 to %d",
                        fn->name, DEGREE_MAX);
    return true;
}

static const ScalarImpl IMPL = {series_fit_poly, poly_bind};

static const FunctionDef ROWS[] = {
    {"series_fit_poly", NULL, "(y:dynamic, x:dynamic=, degree:long=) : dynamic",
     "The polynomial of least squares: r-square, coefficients, variance, residual variance, "
     "fitted series.",
     "round(toreal(series_fit_poly(dynamic([1, 4, 9, 16]), dynamic([1, 2, 3, 4]), 2)[1][0]), 6) "
     "== 1",
     FUNCTION_SCALAR, FN_OWN_NULLS, &IMPL},
};

const FunctionSet SERIES_POLY_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
