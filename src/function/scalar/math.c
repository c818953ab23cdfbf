// Mathematical functions on reals and bit functions on longs. Source: Kusto docs,
// "Mathematical functions" and "Binary functions".
//
// Arguments outside the domain of log, sqrt, asin and acos give null, as their pages
// say; the functions of probability give NaN. The incomplete beta function, behind
// beta_cdf, beta_inv and welch_test, is computed by its continued fraction (Lentz's
// method, as in Numerical Recipes 6.4).

#include "base/array.h"
#include "function/registry.h"
#include "value/scalar.h"

#include <math.h>

// ---- one real ----

#define REAL_KERNEL(NAME, OUT_TYPE, RESULT)                                                        \
    static void NAME(ScalarCall *call)                                                             \
    {                                                                                              \
        OUT_TYPE *out = call->out;                                                                 \
        for (uint32_t i = 0; i < call->count; i++) {                                               \
            double x = ARG(call, 0, double, i);                                                    \
            out[i] = (OUT_TYPE)(RESULT);                                                           \
        }                                                                                          \
    }                                                                                              \
    static const ScalarImpl NAME##_impl = {NAME, NULL};

// The same for functions that have no value everywhere.
#define REAL_NULLING(NAME, IS_NULL, RESULT)                                                        \
    static void NAME(ScalarCall *call)                                                             \
    {                                                                                              \
        double *out = call->out;                                                                   \
        for (uint32_t i = 0; i < call->count; i++) {                                               \
            double x = ARG(call, 0, double, i);                                                    \
            if (IS_NULL)                                                                           \
                out_null(call, i);                                                                 \
            else                                                                                   \
                out[i] = (RESULT);                                                                 \
        }                                                                                          \
    }                                                                                              \
    static const ScalarImpl NAME##_impl = {NAME, NULL};

#define DEGREES_PER_RADIAN (180 / M_PI)

static double
sign_of(double x)
{
    return isnan(x) ? x : (double)((x > 0) - (x < 0));
}

// lgamma() of the library writes a global; this one does not.
static double
log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

REAL_KERNEL(sine, double, sin(x))
REAL_KERNEL(cosine, double, cos(x))
REAL_KERNEL(tangent, double, tan(x))
REAL_KERNEL(cotangent, double, 1 / tan(x))
REAL_NULLING(arcsine, fabs(x) > 1, asin(x))
REAL_NULLING(arccosine, fabs(x) > 1, acos(x))
REAL_KERNEL(arctangent, double, atan(x))
REAL_KERNEL(degrees, double, x *DEGREES_PER_RADIAN)
REAL_KERNEL(radians, double, x / DEGREES_PER_RADIAN)
REAL_KERNEL(exponential, double, exp(x))
REAL_KERNEL(exponential2, double, exp2(x))
REAL_KERNEL(exponential10, double, pow(10, x))
REAL_NULLING(logarithm, x < 0, log(x))
REAL_NULLING(logarithm2, x < 0, log2(x))
REAL_NULLING(logarithm10, x < 0, log10(x))
REAL_NULLING(square_root, x < 0, sqrt(x))
REAL_KERNEL(gamma_rows, double, tgamma(x))
REAL_KERNEL(log_gamma_rows, double, log_gamma(x))
REAL_KERNEL(erf_rows, double, erf(x))
REAL_KERNEL(erfc_rows, double, erfc(x))
REAL_KERNEL(sign_rows, double, sign_of(x))
REAL_KERNEL(absolute_real, double, fabs(x))
REAL_KERNEL(is_finite, uint8_t, isfinite(x) != 0)
REAL_KERNEL(is_infinite, uint8_t, isinf(x) != 0)
REAL_KERNEL(is_nan, uint8_t, isnan(x) != 0)

// ---- absolute values of other types ----

// The least long has no positive counterpart: null.
static void
absolute_long(ScalarCall *call)
{
    int64_t *out = call->out;
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t x = ARG(call, 0, int64_t, i);
        if (x == INT64_MIN)
            out_null(call, i);
        else
            out[i] = x < 0 ? -x : x;
    }
}

static void
absolute_decimal(ScalarCall *call)
{
    Decimal zero = decimal_from_long(0);
    for (uint32_t i = 0; i < call->count; i++) {
        Decimal x = ARG(call, 0, Decimal, i);
        ((Decimal *)call->out)[i] = decimal_compare(x, zero) < 0 ? decimal_sub(zero, x) : x;
    }
}

// ---- rounding, powers, angles ----

// Half away from zero, at `digits` places behind the point (before it when negative).
static double
round_to(double x, int64_t digits)
{
    enum { DIGITS_MOST = 308 };
    if (digits > DIGITS_MOST || !isfinite(x))
        return x;
    if (digits < -DIGITS_MOST)
        return 0;
    if (digits < 0) {
        double unit = pow(10, (double)-digits);
        return round(x / unit) * unit;
    }
    double unit = pow(10, (double)digits), scaled = x * unit;
    // Beyond 2^52 there is no fraction left to round.
    return fabs(scaled) < 0x1p52 ? round(scaled) / unit : x;
}

static void
round_real(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t digits = call->arg_count > 1 ? ARG(call, 1, int64_t, i) : 0;
        ((double *)call->out)[i] = round_to(ARG(call, 0, double, i), digits);
    }
}

// A whole number stays one; digits below zero round to tens, hundreds ...
static int64_t
round_whole(int64_t x, int64_t digits)
{
    enum { DIGITS_MOST = 18 };
    if (digits >= 0)
        return x;
    if (digits < -DIGITS_MOST)
        return 0;
    int64_t unit = 1;
    for (; digits < 0; digits++)
        unit *= 10;
    int64_t rest = x % unit, half = unit / 2, result = x - rest;
    int64_t step = rest >= half ? unit : rest <= -half ? -unit : 0;
    return __builtin_add_overflow(result, step, &result) ? x - rest : result;
}

static void
round_long(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t digits = call->arg_count > 1 ? ARG(call, 1, int64_t, i) : 0;
        ((int64_t *)call->out)[i] = round_whole(ARG(call, 0, int64_t, i), digits);
    }
}

static void
round_int(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t digits = call->arg_count > 1 ? ARG(call, 1, int64_t, i) : 0;
        int64_t rounded = round_whole(ARG(call, 0, int32_t, i), digits);
        bool fits = rounded >= INT32_MIN && rounded <= INT32_MAX;
        ((int32_t *)call->out)[i] = fits ? (int32_t)rounded : ARG(call, 0, int32_t, i);
    }
}

static void
round_decimal(ScalarCall *call)
{
    enum { DIGITS_MOST = 40 };
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t digits = call->arg_count > 1 ? ARG(call, 1, int64_t, i) : 0;
        digits = digits > DIGITS_MOST ? DIGITS_MOST : digits < -DIGITS_MOST ? -DIGITS_MOST : digits;
        ((Decimal *)call->out)[i] = decimal_round(ARG(call, 0, Decimal, i), (int)digits);
    }
}

static void
power(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((double *)call->out)[i] = pow(ARG(call, 0, double, i), ARG(call, 1, double, i));
}

static void
arctangent2(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((double *)call->out)[i] = atan2(ARG(call, 0, double, i), ARG(call, 1, double, i));
}

static void
pi_rows(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((double *)call->out)[i] = M_PI;
}

// ---- rand ----

// splitmix64: every input gives an unrelated output.
static uint64_t
scramble(uint64_t x)
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

// Without an argument a real in [0, 1), with n a whole number in [0, n).
static void
random_rows(ScalarCall *call)
{
    // Two calls in one row write to different places: that tells them apart.
    uint64_t seed = scramble(call->row_base ^ scramble((uint64_t)call->now)) + (uintptr_t)call->out;
    for (uint32_t i = 0; i < call->count; i++) {
        double x = (double)(scramble(seed + i) >> 11) * 0x1p-53;
        if (call->arg_count)
            x = floor(x * (double)ARG(call, 0, int64_t, i));
        ((double *)call->out)[i] = x;
    }
}

// ---- probability ----

static double
beta_log(double a, double b)
{
    return log_gamma(a) + log_gamma(b) - log_gamma(a + b);
}

// The continued fraction of the incomplete beta function; converges fast for
// x < (a + 1) / (a + b + 2).
static double
beta_fraction(double x, double a, double b)
{
    enum { STEPS_MOST = 10000 };
    const double tiny = 1e-300, precision = 1e-16;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double result = d;
    for (int m = 1; m <= STEPS_MOST; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double terms[] = {even, odd}, change = 1;
        for (size_t t = 0; t < COUNT_OF(terms); t++) {
            d = 1 + terms[t] * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + terms[t] / c;
            c = fabs(c) < tiny ? tiny : c;
            change = d * c;
            result *= change;
        }
        if (fabs(change - 1) < precision)
            break;
    }
    return result;
}

static bool
beta_in_domain(double x, double a, double b)
{
    return x >= 0 && x <= 1 && a > 0 && b > 0 && isfinite(a) && isfinite(b);
}

static double
beta_cdf(double x, double a, double b)
{
    if (!beta_in_domain(x, a, b))
        return NAN;
    if (x == 0 || x == 1)
        return x;
    double front = exp(a * log(x) + b * log1p(-x) - beta_log(a, b));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(x, a, b) / a;
    return 1 - front * beta_fraction(1 - x, b, a) / b;
}

static double
beta_pdf(double x, double a, double b)
{
    if (!beta_in_domain(x, a, b))
        return NAN;
    if (x == 0)
        return a < 1 ? INFINITY : a > 1 ? 0 : b;
    if (x == 1)
        return b < 1 ? INFINITY : b > 1 ? 0 : a;
    return exp((a - 1) * log(x) + (b - 1) * log1p(-x) - beta_log(a, b));
}

// By bisection: the function is monotonic, and 200 halvings reach the last bit also
// of tiny results.
static double
beta_inv(double p, double a, double b)
{
    if (!beta_in_domain(p, a, b))
        return NAN;
    if (p == 0 || p == 1)
        return p;
    double low = 0, high = 1;
    for (int step = 0; step < 200; step++) {
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high)
            break;
        if (beta_cdf(middle, a, b) < p)
            low = middle;
        else
            high = middle;
    }
    return low + (high - low) / 2;
}

#define BETA_KERNEL(NAME)                                                                          \
    static void NAME##_rows(ScalarCall *call)                                                      \
    {                                                                                              \
        for (uint32_t i = 0; i < call->count; i++)                                                 \
            ((double *)call->out)[i] =                                                             \
                NAME(ARG(call, 0, double, i), ARG(call, 1, double, i), ARG(call, 2, double, i));   \
    }                                                                                              \
    static const ScalarImpl NAME##_rows_impl = {NAME##_rows, NULL};

BETA_KERNEL(beta_cdf)
BETA_KERNEL(beta_pdf)
BETA_KERNEL(beta_inv)

// Two-sided p-value of Welch's t-test of two samples given by mean, variance, count.
static void
welch_test(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        double mean1 = ARG(call, 0, double, i), mean2 = ARG(call, 3, double, i);
        double count1 = ARG(call, 2, double, i), count2 = ARG(call, 5, double, i);
        double error1 = ARG(call, 1, double, i) / count1;
        double error2 = ARG(call, 4, double, i) / count2;
        double error = error1 + error2;
        if (!(count1 > 1) || !(count2 > 1) || !(error1 >= 0) || !(error2 >= 0) || error == 0) {
            out_null(call, i);
            continue;
        }
        double t2 = (mean1 - mean2) * (mean1 - mean2) / error;
        double freedom =
            error * error / (error1 * error1 / (count1 - 1) + error2 * error2 / (count2 - 1));
        ((double *)call->out)[i] = beta_cdf(freedom / (freedom + t2), freedom / 2, 0.5);
    }
}

// ---- bits ----

#define BIT_KERNEL(NAME, RESULT)                                                                   \
    static void NAME(ScalarCall *call)                                                             \
    {                                                                                              \
        for (uint32_t i = 0; i < call->count; i++) {                                               \
            int64_t a = ARG(call, 0, int64_t, i), b = ARG(call, call->arg_count - 1, int64_t, i);  \
            (void)b;                                                                               \
            ((int64_t *)call->out)[i] = (RESULT);                                                  \
        }                                                                                          \
    }                                                                                              \
    static const ScalarImpl NAME##_impl = {NAME, NULL};

BIT_KERNEL(binary_and, a &b)
BIT_KERNEL(binary_or, a | b)
BIT_KERNEL(binary_xor, a ^ b)
BIT_KERNEL(binary_not, ~a)
BIT_KERNEL(count_ones, __builtin_popcountll((uint64_t)a))

// By the distance modulo 64; a negative distance gives null.
static void
shift_rows(ScalarCall *call, bool left)
{
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t value = ARG(call, 0, int64_t, i), by = ARG(call, 1, int64_t, i);
        if (by < 0)
            out_null(call, i);
        else if (left)
            ((int64_t *)call->out)[i] = (int64_t)((uint64_t)value << (by % 64));
        else
            ((int64_t *)call->out)[i] = value >> (by % 64);
    }
}

static void
shift_left(ScalarCall *call)
{
    shift_rows(call, true);
}

static void
shift_right(ScalarCall *call)
{
    shift_rows(call, false);
}

// ---- rows ----

#define IMPL(KERNEL) static const ScalarImpl KERNEL##_impl = {KERNEL, NULL}
IMPL(absolute_long);
IMPL(absolute_decimal);
IMPL(round_real);
IMPL(round_long);
IMPL(round_int);
IMPL(round_decimal);
IMPL(power);
IMPL(arctangent2);
IMPL(pi_rows);
IMPL(random_rows);
IMPL(welch_test);
IMPL(shift_left);
IMPL(shift_right);

#define FUNCTION(NAME, SIGNATURE, DOC, EXAMPLE, FLAGS, KERNEL)                                     \
    {                                                                                              \
        NAME, NULL, SIGNATURE, DOC, EXAMPLE, FUNCTION_SCALAR, FLAGS, &(KERNEL##_impl)              \
    }
#define OF_REAL(NAME, DOC, EXAMPLE, KERNEL)                                                        \
    FUNCTION(NAME, "(x:real) : real", DOC, EXAMPLE, 0, KERNEL)
#define TEST(NAME, DOC, EXAMPLE, KERNEL) FUNCTION(NAME, "(x:real) : bool", DOC, EXAMPLE, 0, KERNEL)
#define BITS(NAME, DOC, EXAMPLE, KERNEL)                                                           \
    FUNCTION(NAME, "(a:long, b:long) : long", DOC, EXAMPLE, 0, KERNEL)

static const FunctionDef ROWS[] = {
    // Here and in round() real comes first: it is what a dynamic becomes.
    FUNCTION("abs", "(x:real) : real", "The absolute value.", "abs(-1.5) == 1.5", 0, absolute_real),
    FUNCTION("abs", "(x:long) : long", "The absolute value.", "abs(-5) == 5", 0, absolute_long),
    FUNCTION("abs", "(x:decimal) : decimal", "The absolute value.",
             "abs(decimal(-1.5)) == decimal(1.5)", 0, absolute_decimal),
    FUNCTION("abs", "(x:timespan) : timespan", "The absolute value.", "abs(-1h) == 1h", 0,
             absolute_long),
    FUNCTION("round", "(x:real, digits:constant(long)=) : real",
             "The number rounded to so many digits behind the point, none by default.",
             "round(2.15, 1) == 2.2", 0, round_real),
    FUNCTION("round", "(x:int, digits:constant(long)=) : int",
             "The number rounded to tens, hundreds ... by digits below zero.",
             "round(int(15), -1) == 20", 0, round_int),
    FUNCTION("round", "(x:long, digits:constant(long)=) : long",
             "The number rounded to tens, hundreds ... by digits below zero.",
             "round(1249, -2) == 1200", 0, round_long),
    FUNCTION("round", "(x:decimal, digits:constant(long)=) : decimal",
             "The number rounded to so many digits behind the point, none by default.",
             "round(decimal(2.5)) == decimal(3)", 0, round_decimal),
    OF_REAL("sign", "1, 0 or -1 by the sign of the number.", "sign(-42) == -1", sign_rows),
    OF_REAL("sqrt", "The square root, null of a negative number.", "sqrt(16) == 4", square_root),
    OF_REAL("exp", "e to the power of x.", "exp(0) == 1", exponential),
    OF_REAL("exp2", "2 to the power of x.", "exp2(3) == 8", exponential2),
    OF_REAL("exp10", "10 to the power of x.", "exp10(2) == 100", exponential10),
    OF_REAL("log", "The natural logarithm, null of a negative number.", "log(1) == 0", logarithm),
    OF_REAL("log2", "The logarithm to base 2, null of a negative number.", "log2(8) == 3",
            logarithm2),
    OF_REAL("log10", "The logarithm to base 10, null of a negative number.", "log10(1000) == 3",
            logarithm10),
    FUNCTION("pow", "(base:real, exponent:real) : real", "The base to the power of the exponent.",
             "pow(2, 8) == 256", 0, power),
    OF_REAL("sin", "The sine of an angle in radians.", "sin(0) == 0", sine),
    OF_REAL("cos", "The cosine of an angle in radians.", "cos(0) == 1", cosine),
    OF_REAL("tan", "The tangent of an angle in radians.", "tan(0) == 0", tangent),
    OF_REAL("cot", "The cotangent of an angle in radians.", "abs(cot(pi() / 4) - 1) < 1e-9",
            cotangent),
    OF_REAL("asin", "The angle whose sine is x, null outside -1 .. 1.", "asin(0) == 0", arcsine),
    OF_REAL("acos", "The angle whose cosine is x, null outside -1 .. 1.", "acos(1) == 0",
            arccosine),
    OF_REAL("atan", "The angle whose tangent is x.", "atan(0) == 0", arctangent),
    FUNCTION("atan2", "(y:real, x:real) : real",
             "The angle between the x axis and the line to the point.", "atan2(0, 1) == 0", 0,
             arctangent2),
    OF_REAL("degrees", "Radians in degrees.", "degrees(pi()) == 180", degrees),
    OF_REAL("radians", "Degrees in radians.", "radians(180) == pi()", radians),
    FUNCTION("pi", "() : real", "The number pi.", "round(pi(), 2) == 3.14", 0, pi_rows),
    FUNCTION("rand", "(limit:long=) : real",
             "A random real from 0 up to 1, or a whole number from 0 up to the limit.",
             "rand() < 1", FN_VOLATILE, random_rows),
    OF_REAL("gamma", "The gamma function.", "gamma(5) == 24", gamma_rows),
    OF_REAL("loggamma", "The logarithm of the gamma function.", "loggamma(1) == 0", log_gamma_rows),
    OF_REAL("erf", "The error function.", "erf(0) == 0", erf_rows),
    OF_REAL("erfc", "The complementary error function.", "erfc(0) == 1", erfc_rows),
    FUNCTION("beta_cdf", "(x:real, alpha:real, beta:real) : real",
             "The cumulative beta distribution.", "abs(beta_cdf(0.5, 2, 2) - 0.5) < 1e-9", 0,
             beta_cdf_rows),
    FUNCTION("beta_pdf", "(x:real, alpha:real, beta:real) : real",
             "The density of the beta distribution.", "abs(beta_pdf(0.5, 2, 2) - 1.5) < 1e-9", 0,
             beta_pdf_rows),
    FUNCTION("beta_inv", "(probability:real, alpha:real, beta:real) : real",
             "The value at which the cumulative beta distribution reaches the probability.",
             "abs(beta_inv(0.5, 2, 2) - 0.5) < 1e-9", 0, beta_inv_rows),
    FUNCTION("welch_test",
             "(mean1:real, variance1:real, count1:real, mean2:real, variance2:real, count2:real) "
             ": real",
             "The two-sided p-value of Welch's test of two samples.",
             "welch_test(5, 1, 10, 5, 1, 10) == 1", 0, welch_test),
    TEST("isfinite", "Whether the number is neither infinite nor NaN.", "isfinite(1.0)", is_finite),
    TEST("isinf", "Whether the number is infinite.", "isinf(1.0 / 0.0)", is_infinite),
    TEST("isnan", "Whether the value is not a number.", "isnan(0.0 / 0.0)", is_nan),
    BITS("binary_and", "The bits that both have.", "binary_and(5, 3) == 1", binary_and),
    BITS("binary_or", "The bits that either has.", "binary_or(5, 3) == 7", binary_or),
    BITS("binary_xor", "The bits that one of both has.", "binary_xor(5, 3) == 6", binary_xor),
    FUNCTION("binary_not", "(a:long) : long", "All bits turned.", "binary_not(0) == -1", 0,
             binary_not),
    BITS("binary_shift_left", "The bits moved to the left.", "binary_shift_left(1, 3) == 8",
         shift_left),
    BITS("binary_shift_right", "The bits moved to the right.", "binary_shift_right(8, 3) == 1",
         shift_right),
    FUNCTION("bitset_count_ones", "(a:long) : long", "How many bits are set.",
             "bitset_count_ones(42) == 3", 0, count_ones),
};

const FunctionSet MATH_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
