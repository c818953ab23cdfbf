// Arithmetic, comparison and logic: the kernels behind + - * / % == < and ...
//
// Type variants come from the templates here: a template names the C types, the
// rows at the end say which Kusto types they serve. Sources: Kusto docs, "Numerical
// operators", "Datetime / timespan arithmetic", "Logical operators", "Null values".

#include "base/array.h"
#include "function/registry.h"
#include "value/scalar.h"

#include <math.h>

// One loop over rows; `a` and `b` are the arguments, `RESULT` an expression of them.
#define BINARY_KERNEL(NAME, A_TYPE, B_TYPE, OUT_TYPE, RESULT)                                      \
    static void NAME(ScalarCall *call)                                                             \
    {                                                                                              \
        OUT_TYPE *out = call->out;                                                                 \
        for (uint32_t i = 0; i < call->count; i++) {                                               \
            A_TYPE a = ARG(call, 0, A_TYPE, i);                                                    \
            B_TYPE b = ARG(call, 1, B_TYPE, i);                                                    \
            out[i] = (OUT_TYPE)(RESULT);                                                           \
        }                                                                                          \
    }                                                                                              \
    static const ScalarImpl NAME##_impl = {NAME, NULL};

// The same where some rows have no result (IS_NULL is asked first).
#define BINARY_NULLING(NAME, A_TYPE, B_TYPE, OUT_TYPE, IS_NULL, RESULT)                            \
    static void NAME(ScalarCall *call)                                                             \
    {                                                                                              \
        OUT_TYPE *out = call->out;                                                                 \
        for (uint32_t i = 0; i < call->count; i++) {                                               \
            A_TYPE a = ARG(call, 0, A_TYPE, i);                                                    \
            B_TYPE b = ARG(call, 1, B_TYPE, i);                                                    \
            if (IS_NULL)                                                                           \
                out_null(call, i);                                                                 \
            else                                                                                   \
                out[i] = (OUT_TYPE)(RESULT);                                                       \
        }                                                                                          \
    }                                                                                              \
    static const ScalarImpl NAME##_impl = {NAME, NULL};

// ---- arithmetic ----

// Two's complement wrap-around instead of undefined overflow.
#define WRAP(a, OP, b) ((int64_t)((uint64_t)(a)OP(uint64_t)(b)))

static int64_t
long_divide(int64_t a, int64_t b)
{
    return b == -1 ? WRAP(0, -, a) : a / b;
}

// 0 <= result < |b|, whatever the signs (numerical-operators page).
static int64_t
long_modulo(int64_t a, int64_t b)
{
    if (b == -1 || b == 1)
        return 0;
    int64_t rest = a % b;
    if (rest < 0)
        rest += b < 0 ? -b : b;
    return rest;
}

static double
real_modulo(double a, double b)
{
    double rest = fmod(a, b);
    return rest < 0 ? rest + fabs(b) : rest;
}

// Ticks from a real, null when they do not fit.
static bool
ticks_fit(double ticks)
{
    return ticks > -9.2233720368547748e18 && ticks < 9.2233720368547748e18;
}

static bool
datetime_fits(int64_t ticks)
{
    return ticks >= 0 && ticks <= DATETIME_MAX;
}

// Rounds to the nearest tick, as .NET's TimeSpan does.
#define TICKS(x) ((int64_t)llround(x))

BINARY_KERNEL(add_long, int64_t, int64_t, int64_t, WRAP(a, +, b))
BINARY_KERNEL(add_real, double, double, double, a + b)
BINARY_KERNEL(add_decimal, Decimal, Decimal, Decimal, decimal_add(a, b))
BINARY_NULLING(add_datetime, int64_t, int64_t, int64_t, !datetime_fits(WRAP(a, +, b)),
               WRAP(a, +, b))
BINARY_KERNEL(subtract_long, int64_t, int64_t, int64_t, WRAP(a, -, b))
BINARY_KERNEL(subtract_real, double, double, double, a - b)
BINARY_KERNEL(subtract_decimal, Decimal, Decimal, Decimal, decimal_sub(a, b))
BINARY_NULLING(subtract_datetime, int64_t, int64_t, int64_t, !datetime_fits(WRAP(a, -, b)),
               WRAP(a, -, b))
BINARY_KERNEL(multiply_long, int64_t, int64_t, int64_t, WRAP(a, *, b))
BINARY_KERNEL(multiply_real, double, double, double, a *b)
BINARY_KERNEL(multiply_decimal, Decimal, Decimal, Decimal, decimal_mul(a, b))
BINARY_KERNEL(multiply_span_long, int64_t, int64_t, int64_t, WRAP(a, *, b))
BINARY_NULLING(multiply_span_real, int64_t, double, int64_t, !ticks_fit((double)a * b),
               TICKS((double)a *b))
BINARY_NULLING(multiply_real_span, double, int64_t, int64_t, !ticks_fit(a * (double)b),
               TICKS(a *(double)b))
BINARY_NULLING(divide_long, int64_t, int64_t, int64_t, b == 0, long_divide(a, b))
BINARY_KERNEL(divide_real, double, double, double, a / b)
BINARY_KERNEL(divide_decimal, Decimal, Decimal, Decimal, decimal_div(a, b))
BINARY_KERNEL(divide_spans, int64_t, int64_t, double, (double)a / (double)b)
BINARY_NULLING(divide_span_real, int64_t, double, int64_t, !ticks_fit((double)a / b),
               TICKS((double)a / b))
BINARY_NULLING(multiply_time_real, int64_t, double, int64_t,
               !ticks_fit((double)a * b) || !datetime_fits(TICKS((double)a * b)),
               TICKS((double)a *b))
BINARY_NULLING(multiply_real_time, double, int64_t, int64_t,
               !ticks_fit(a * (double)b) || !datetime_fits(TICKS(a * (double)b)),
               TICKS(a *(double)b))
BINARY_NULLING(divide_time_real, int64_t, double, int64_t,
               !ticks_fit((double)a / b) || !datetime_fits(TICKS((double)a / b)),
               TICKS((double)a / b))
BINARY_NULLING(modulo_ticks_real, int64_t, double, int64_t, b == 0 || isnan(b),
               TICKS(real_modulo((double)a, b)))
BINARY_NULLING(modulo_long, int64_t, int64_t, int64_t, b == 0, long_modulo(a, b))
BINARY_KERNEL(modulo_real, double, double, double, real_modulo(a, b))
BINARY_KERNEL(modulo_decimal, Decimal, Decimal, Decimal, decimal_mod(a, b))

#define NEGATE_KERNEL(NAME, T, RESULT)                                                             \
    static void NAME(ScalarCall *call)                                                             \
    {                                                                                              \
        T *out = call->out;                                                                        \
        for (uint32_t i = 0; i < call->count; i++) {                                               \
            T a = ARG(call, 0, T, i);                                                              \
            out[i] = RESULT;                                                                       \
        }                                                                                          \
    }                                                                                              \
    static const ScalarImpl NAME##_impl = {NAME, NULL};

NEGATE_KERNEL(negate_long, int64_t, WRAP(0, -, a))
NEGATE_KERNEL(negate_real, double, -a)
NEGATE_KERNEL(negate_decimal, Decimal, decimal_sub(decimal_from_long(0), a))

// dynamic with dynamic: as reals when either is one, else as longs; null when one is
// no number.
static bool
dynamic_number(Dyn node, bool *is_long, int64_t *whole, double *real)
{
    *is_long = dyn_kind(node) == DYN_LONG;
    if (*is_long) {
        *whole = dyn_long(node);
        *real = (double)*whole;
        return true;
    }
    *real = dyn_kind(node) == DYN_REAL ? dyn_real(node) : 0;
    return dyn_kind(node) == DYN_REAL;
}

static void
dynamic_arithmetic(ScalarCall *call)
{
    char symbol = call->fn->name[0];
    for (uint32_t i = 0; i < call->count; i++) {
        bool long_a, long_b;
        int64_t a = 0, b = 0;
        double x, y;
        bool fits = dynamic_number(arg_dyn(call, 0, i), &long_a, &a, &x);
        fits &= dynamic_number(arg_dyn(call, 1, i), &long_b, &b, &y);
        bool whole = long_a && long_b;
        if (!fits || (whole && b == 0 && (symbol == '/' || symbol == '%'))) {
            out_null(call, i);
            continue;
        }
        int64_t l = 0;
        double r = 0;
        switch (symbol) {
        case '+': l = WRAP(a, +, b), r = x + y; break;
        case '-': l = WRAP(a, -, b), r = x - y; break;
        case '*': l = WRAP(a, *, b), r = x * y; break;
        case '/': l = whole ? long_divide(a, b) : 0, r = x / y; break;
        default: l = whole ? long_modulo(a, b) : 0, r = real_modulo(x, y); break;
        }
        if (whole)
            dyn_push_long(call->scratch->dyn, l);
        else
            dyn_push_real(call->scratch->dyn, r);
        out_dyn(call, i);
    }
}
static const ScalarImpl dynamic_arithmetic_impl = {dynamic_arithmetic, NULL};

// ---- comparison ----

// `==` and `!=` answer for nulls too: null with a value is unequal, two nulls give
// null (null-values page). Returns true when the row is answered.
static inline bool
null_equality(ScalarCall *call, uint32_t i, bool when_unequal)
{
    bool a = arg_is_null(call, 0, i), b = arg_is_null(call, 1, i);
    if (!a && !b)
        return false;
    if (a && b)
        out_null(call, i);
    else
        ((uint8_t *)call->out)[i] = when_unequal;
    return true;
}

#define EQUALITY_KERNEL(NAME, T, SAME)                                                             \
    static void NAME##_rows(ScalarCall *call, bool negate)                                         \
    {                                                                                              \
        uint8_t *out = call->out;                                                                  \
        bool nulls = call->args[0].valid || call->args[1].valid;                                   \
        for (uint32_t i = 0; i < call->count; i++) {                                               \
            if (nulls && null_equality(call, i, negate))                                           \
                continue;                                                                          \
            const T *a = &ARG(call, 0, T, i), *b = &ARG(call, 1, T, i);                            \
            out[i] = (SAME) != negate;                                                             \
        }                                                                                          \
    }                                                                                              \
    static void NAME##_equal(ScalarCall *call)                                                     \
    {                                                                                              \
        NAME##_rows(call, false);                                                                  \
    }                                                                                              \
    static void NAME##_unequal(ScalarCall *call)                                                   \
    {                                                                                              \
        NAME##_rows(call, true);                                                                   \
    }                                                                                              \
    static const ScalarImpl NAME##_equal_impl = {NAME##_equal, NULL};                              \
    static const ScalarImpl NAME##_unequal_impl = {NAME##_unequal, NULL};

EQUALITY_KERNEL(bool, uint8_t, *a == *b)
EQUALITY_KERNEL(int, int32_t, *a == *b)
EQUALITY_KERNEL(long, int64_t, *a == *b)
EQUALITY_KERNEL(real, double, *a == *b)
EQUALITY_KERNEL(decimal, Decimal, decimal_compare(*a, *b) == 0)
EQUALITY_KERNEL(string, Text, text_equal(a, b))
EQUALITY_KERNEL(guid, Guid, memcmp(a, b, sizeof(Guid)) == 0)
EQUALITY_KERNEL(dynamic, Text, dyn_equal(dyn_of_text(a), dyn_of_text(b)))

#define ORDER_KERNELS(NAME, T, COMPARE)                                                            \
    BINARY_KERNEL(NAME##_less, T, T, uint8_t, COMPARE(a, <, b))                                    \
    BINARY_KERNEL(NAME##_less_equal, T, T, uint8_t, COMPARE(a, <=, b))                             \
    BINARY_KERNEL(NAME##_greater, T, T, uint8_t, COMPARE(a, >, b))                                 \
    BINARY_KERNEL(NAME##_greater_equal, T, T, uint8_t, COMPARE(a, >=, b))

#define COMPARE_NUMBER(a, OP, b)  ((a)OP(b))
#define COMPARE_DECIMAL(a, OP, b) (decimal_compare(a, b) OP 0)
#define COMPARE_DYNAMIC(a, OP, b) (dyn_compare(dyn_of_text(&(a)), dyn_of_text(&(b))) OP 0)

ORDER_KERNELS(bool, uint8_t, COMPARE_NUMBER)
ORDER_KERNELS(int, int32_t, COMPARE_NUMBER)
ORDER_KERNELS(long, int64_t, COMPARE_NUMBER)
ORDER_KERNELS(real, double, COMPARE_NUMBER)
ORDER_KERNELS(decimal, Decimal, COMPARE_DECIMAL)
ORDER_KERNELS(dynamic, Text, COMPARE_DYNAMIC)

// between: inclusive at both ends.
#define BETWEEN_KERNEL(NAME, T, COMPARE)                                                           \
    static void NAME##_between(ScalarCall *call)                                                   \
    {                                                                                              \
        uint8_t *out = call->out;                                                                  \
        for (uint32_t i = 0; i < call->count; i++) {                                               \
            T x = ARG(call, 0, T, i), low = ARG(call, 1, T, i), high = ARG(call, 2, T, i);         \
            out[i] = COMPARE(x, >=, low) && COMPARE(x, <=, high);                                  \
        }                                                                                          \
    }                                                                                              \
    static const ScalarImpl NAME##_between_impl = {NAME##_between, NULL};

BETWEEN_KERNEL(long, int64_t, COMPARE_NUMBER)
BETWEEN_KERNEL(real, double, COMPARE_NUMBER)
BETWEEN_KERNEL(decimal, Decimal, COMPARE_DECIMAL)

// ---- logic ----

// Three-valued: false and null = false, true or null = true.
static void
logic_rows(ScalarCall *call, bool decisive)
{
    uint8_t *out = call->out;
    for (uint32_t i = 0; i < call->count; i++) {
        bool null_a = arg_is_null(call, 0, i), null_b = arg_is_null(call, 1, i);
        bool a = ARG(call, 0, uint8_t, i) != 0, b = ARG(call, 1, uint8_t, i) != 0;
        if ((!null_a && a == decisive) || (!null_b && b == decisive))
            out[i] = decisive;
        else if (null_a || null_b)
            out_null(call, i);
        else
            out[i] = !decisive;
    }
}

static void
logic_and(ScalarCall *call)
{
    logic_rows(call, false);
}

static void
logic_or(ScalarCall *call)
{
    logic_rows(call, true);
}

static void
logic_not(ScalarCall *call)
{
    uint8_t *out = call->out;
    for (uint32_t i = 0; i < call->count; i++)
        out[i] = !ARG(call, 0, uint8_t, i);
}

static const ScalarImpl and_impl = {logic_and, NULL};
static const ScalarImpl or_impl = {logic_or, NULL};
static const ScalarImpl not_impl = {logic_not, NULL};

// ---- rows ----

#define OPERATOR(NAME, SIGNATURE, IMPL, FLAGS)                                                     \
    {                                                                                              \
        NAME, NULL, SIGNATURE, NULL, NULL, FUNCTION_SCALAR, FN_INTERNAL | (FLAGS), &(IMPL)         \
    }
#define EQUALITY(TYPE, IMPL)                                                                       \
    OPERATOR("==", "(a:" TYPE ", b:" TYPE ") : bool", IMPL##_equal_impl, FN_OWN_NULLS),            \
        OPERATOR("!=", "(a:" TYPE ", b:" TYPE ") : bool", IMPL##_unequal_impl, FN_OWN_NULLS)
#define ORDER(TYPE, IMPL)                                                                          \
    OPERATOR("<", "(a:" TYPE ", b:" TYPE ") : bool", IMPL##_less_impl, 0),                         \
        OPERATOR("<=", "(a:" TYPE ", b:" TYPE ") : bool", IMPL##_less_equal_impl, 0),              \
        OPERATOR(">", "(a:" TYPE ", b:" TYPE ") : bool", IMPL##_greater_impl, 0),                  \
        OPERATOR(">=", "(a:" TYPE ", b:" TYPE ") : bool", IMPL##_greater_equal_impl, 0)
#define BETWEEN(TYPE, IMPL)                                                                        \
    OPERATOR("between", "(x:" TYPE ", low:" TYPE ", high:" TYPE ") : bool", IMPL##_between_impl, 0)

static const FunctionDef ROWS[] = {
    OPERATOR("+", "(a:long, b:long) : long", add_long_impl, 0),
    OPERATOR("+", "(a:real, b:real) : real", add_real_impl, 0),
    OPERATOR("+", "(a:decimal, b:decimal) : decimal", add_decimal_impl, 0),
    OPERATOR("+", "(a:datetime, b:timespan) : datetime", add_datetime_impl, 0),
    OPERATOR("+", "(a:timespan, b:datetime) : datetime", add_datetime_impl, 0),
    OPERATOR("+", "(a:timespan, b:timespan) : timespan", add_long_impl, 0),
    OPERATOR("+", "(a:datetime, b:datetime) : datetime", add_datetime_impl, 0),
    OPERATOR("+", "(a:dynamic, b:dynamic) : dynamic", dynamic_arithmetic_impl, 0),
    OPERATOR("-", "(a:long, b:long) : long", subtract_long_impl, 0),
    OPERATOR("-", "(a:real, b:real) : real", subtract_real_impl, 0),
    OPERATOR("-", "(a:decimal, b:decimal) : decimal", subtract_decimal_impl, 0),
    OPERATOR("-", "(a:datetime, b:datetime) : timespan", subtract_long_impl, 0),
    OPERATOR("-", "(a:datetime, b:timespan) : datetime", subtract_datetime_impl, 0),
    OPERATOR("-", "(a:timespan, b:timespan) : timespan", subtract_long_impl, 0),
    OPERATOR("-", "(a:timespan, b:datetime) : datetime", subtract_datetime_impl, 0),
    OPERATOR("-", "(a:dynamic, b:dynamic) : dynamic", dynamic_arithmetic_impl, 0),
    OPERATOR("*", "(a:long, b:long) : long", multiply_long_impl, 0),
    OPERATOR("*", "(a:real, b:real) : real", multiply_real_impl, 0),
    OPERATOR("*", "(a:decimal, b:decimal) : decimal", multiply_decimal_impl, 0),
    OPERATOR("*", "(a:timespan, b:long) : timespan", multiply_span_long_impl, 0),
    OPERATOR("*", "(a:long, b:timespan) : timespan", multiply_span_long_impl, 0),
    OPERATOR("*", "(a:timespan, b:real) : timespan", multiply_span_real_impl, 0),
    OPERATOR("*", "(a:real, b:timespan) : timespan", multiply_real_span_impl, 0),
    OPERATOR("*", "(a:timespan, b:timespan) : timespan", multiply_long_impl, 0),
    OPERATOR("*", "(a:datetime, b:real) : datetime", multiply_time_real_impl, 0),
    OPERATOR("*", "(a:real, b:datetime) : datetime", multiply_real_time_impl, 0),
    OPERATOR("*", "(a:dynamic, b:dynamic) : dynamic", dynamic_arithmetic_impl, 0),
    OPERATOR("/", "(a:long, b:long) : long", divide_long_impl, 0),
    OPERATOR("/", "(a:real, b:real) : real", divide_real_impl, 0),
    OPERATOR("/", "(a:decimal, b:decimal) : decimal", divide_decimal_impl, 0),
    OPERATOR("/", "(a:timespan, b:timespan) : real", divide_spans_impl, 0),
    OPERATOR("/", "(a:timespan, b:real) : timespan", divide_span_real_impl, 0),
    OPERATOR("/", "(a:datetime, b:timespan) : real", divide_spans_impl, 0),
    OPERATOR("/", "(a:datetime, b:datetime) : real", divide_spans_impl, 0),
    OPERATOR("/", "(a:datetime, b:real) : datetime", divide_time_real_impl, 0),
    OPERATOR("/", "(a:dynamic, b:dynamic) : dynamic", dynamic_arithmetic_impl, 0),
    OPERATOR("%", "(a:long, b:long) : long", modulo_long_impl, 0),
    OPERATOR("%", "(a:real, b:real) : real", modulo_real_impl, 0),
    OPERATOR("%", "(a:decimal, b:decimal) : decimal", modulo_decimal_impl, 0),
    OPERATOR("%", "(a:timespan, b:timespan) : timespan", modulo_long_impl, 0),
    OPERATOR("%", "(a:datetime, b:timespan) : timespan", modulo_long_impl, 0),
    OPERATOR("%", "(a:datetime, b:datetime) : timespan", modulo_long_impl, 0),
    OPERATOR("%", "(a:timespan, b:long) : timespan", modulo_long_impl, 0),
    OPERATOR("%", "(a:timespan, b:real) : timespan", modulo_ticks_real_impl, 0),
    OPERATOR("%", "(a:datetime, b:long) : datetime", modulo_long_impl, 0),
    OPERATOR("%", "(a:datetime, b:real) : datetime", modulo_ticks_real_impl, 0),
    OPERATOR("%", "(a:dynamic, b:dynamic) : dynamic", dynamic_arithmetic_impl, 0),
    OPERATOR("$negate", "(a:long) : long", negate_long_impl, 0),
    OPERATOR("$negate", "(a:real) : real", negate_real_impl, 0),
    OPERATOR("$negate", "(a:decimal) : decimal", negate_decimal_impl, 0),
    OPERATOR("$negate", "(a:timespan) : timespan", negate_long_impl, 0),
    EQUALITY("bool", bool),
    EQUALITY("int", int),
    EQUALITY("long", long),
    EQUALITY("real", real),
    EQUALITY("decimal", decimal),
    EQUALITY("datetime", long),
    EQUALITY("timespan", long),
    EQUALITY("string", string),
    EQUALITY("guid", guid),
    EQUALITY("dynamic", dynamic),
    ORDER("bool", bool),
    ORDER("int", int),
    ORDER("long", long),
    ORDER("real", real),
    ORDER("decimal", decimal),
    ORDER("datetime", long),
    ORDER("timespan", long),
    ORDER("dynamic", dynamic),
    BETWEEN("long", long),
    BETWEEN("real", real),
    BETWEEN("decimal", decimal),
    BETWEEN("datetime", long),
    BETWEEN("timespan", long),
    OPERATOR("and", "(a:bool, b:bool) : bool", and_impl, FN_OWN_NULLS),
    OPERATOR("or", "(a:bool, b:bool) : bool", or_impl, FN_OWN_NULLS),
    {"not", NULL, "(value:bool) : bool", "The opposite truth value; null stays null.", "not(false)",
     FUNCTION_SCALAR, 0, &not_impl},
};

const FunctionSet OPERATOR_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
