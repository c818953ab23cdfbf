// Rounding to multiples: bin (floor), bin_at, ceiling; and around(). Source: Kusto docs,
// "Rounding functions"; result types as the official analyser reports them.
//
// Almost every summarize over time calls bin(), with a constant size: the loops here
// are one division a row. A size that is not positive gives null.

#include "base/array.h"
#include "function/registry.h"
#include "value/scalar.h"

#include <math.h>

// Greatest multiple of `size` not above `value`; false when it does not fit.
static bool
long_floor(int64_t value, int64_t size, int64_t *out)
{
    int64_t rest = value % size;
    return !__builtin_sub_overflow(value, rest < 0 ? rest + size : rest, out);
}

static void
bin_long(ScalarCall *call)
{
    int64_t *out = call->out;
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t size = ARG(call, 1, int64_t, i);
        if (size <= 0 || !long_floor(ARG(call, 0, int64_t, i), size, &out[i])) {
            out[i] = 0;
            out_null(call, i);
        }
    }
}

static void
bin_real(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        double size = ARG(call, 1, double, i);
        if (size > 0)
            ((double *)call->out)[i] = floor(ARG(call, 0, double, i) / size) * size;
        else
            out_null(call, i);
    }
}

static bool
decimal_is_positive(Decimal m)
{
    return decimal_compare(m, decimal_from_long(0)) > 0;
}

static void
bin_decimal(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Decimal size = ARG(call, 1, Decimal, i);
        if (decimal_is_positive(size))
            ((Decimal *)call->out)[i] =
                decimal_mul(decimal_floor(decimal_div(ARG(call, 0, Decimal, i), size)), size);
        else
            out_null(call, i);
    }
}

// fixed + floor((value - fixed) / size) * size, in 128 bits so that nothing overflows
// on the way.
static void
bin_at_long(ScalarCall *call)
{
    bool is_time = call->type == TYPE_DATETIME;
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t size = ARG(call, 1, int64_t, i), fixed = ARG(call, 2, int64_t, i);
        if (size <= 0) {
            out_null(call, i);
            continue;
        }
        __int128 distance = (__int128)ARG(call, 0, int64_t, i) - fixed;
        __int128 rest = distance % size;
        __int128 result = (__int128)fixed + distance - (rest < 0 ? rest + size : rest);
        __int128 least = is_time ? 0 : INT64_MIN, most = is_time ? DATETIME_MAX : INT64_MAX;
        if (result < least || result > most)
            out_null(call, i);
        else
            ((int64_t *)call->out)[i] = (int64_t)result;
    }
}

static void
bin_at_real(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        double size = ARG(call, 1, double, i), fixed = ARG(call, 2, double, i);
        if (size > 0)
            ((double *)call->out)[i] =
                fixed + floor((ARG(call, 0, double, i) - fixed) / size) * size;
        else
            out_null(call, i);
    }
}

static void
bin_at_decimal(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Decimal size = ARG(call, 1, Decimal, i), fixed = ARG(call, 2, Decimal, i);
        if (!decimal_is_positive(size)) {
            out_null(call, i);
            continue;
        }
        Decimal distance = decimal_sub(ARG(call, 0, Decimal, i), fixed);
        Decimal steps = decimal_floor(decimal_div(distance, size));
        ((Decimal *)call->out)[i] = decimal_add(fixed, decimal_mul(steps, size));
    }
}

static void
ceiling_long(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((int64_t *)call->out)[i] = ARG(call, 0, int64_t, i);
}

static void
ceiling_int(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((int32_t *)call->out)[i] = ARG(call, 0, int32_t, i);
}

static void
ceiling_real(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((double *)call->out)[i] = ceil(ARG(call, 0, double, i));
}

static void
ceiling_decimal(ScalarCall *call)
{
    Decimal zero = decimal_from_long(0);
    for (uint32_t i = 0; i < call->count; i++) {
        Decimal negative = decimal_floor(decimal_sub(zero, ARG(call, 0, Decimal, i)));
        ((Decimal *)call->out)[i] = decimal_sub(zero, negative);
    }
}

// Whether the value is at most `delta` away from the centre.
static void
around_long(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        __int128 distance = (__int128)ARG(call, 0, int64_t, i) - ARG(call, 1, int64_t, i);
        ((uint8_t *)call->out)[i] =
            (distance < 0 ? -distance : distance) <= ARG(call, 2, int64_t, i);
    }
}

static void
around_real(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((uint8_t *)call->out)[i] =
            fabs(ARG(call, 0, double, i) - ARG(call, 1, double, i)) <= ARG(call, 2, double, i);
}

// ---- rows ----

#define IMPL(KERNEL) static const ScalarImpl KERNEL##_impl = {KERNEL, NULL}
IMPL(bin_long);
IMPL(bin_real);
IMPL(bin_decimal);
IMPL(bin_at_long);
IMPL(bin_at_real);
IMPL(bin_at_decimal);
IMPL(ceiling_long);
IMPL(ceiling_real);
IMPL(ceiling_decimal);
IMPL(ceiling_int);
IMPL(around_long);
IMPL(around_real);

#define BIN(TYPE, SIZE, EXAMPLE, KERNEL)                                                           \
    {                                                                                              \
        "bin", "floor", "(value:" TYPE ", size:" SIZE ") : " TYPE,                                 \
            "The value rounded down to a multiple of the size.", EXAMPLE, FUNCTION_SCALAR, 0,      \
            &KERNEL##_impl                                                                         \
    }
#define BIN_AT(TYPE, SIZE, EXAMPLE, KERNEL)                                                        \
    {                                                                                              \
        "bin_at", NULL, "(value:" TYPE ", size:" SIZE ", fixed:" TYPE ") : " TYPE,                 \
            "The value rounded down to a whole number of sizes from the fixed point.", EXAMPLE,    \
            FUNCTION_SCALAR, 0, &KERNEL##_impl                                                     \
    }
#define CEILING(TYPE, EXAMPLE, KERNEL)                                                             \
    {                                                                                              \
        "ceiling", NULL, "(value:" TYPE ") : " TYPE, "The value rounded up to a whole number.",    \
            EXAMPLE, FUNCTION_SCALAR, 0, &KERNEL##_impl                                            \
    }
#define AROUND(TYPE, DELTA, EXAMPLE, KERNEL)                                                       \
    {                                                                                              \
        "around", NULL, "(value:" TYPE ", center:" TYPE ", delta:" DELTA ") : bool",               \
            "Whether the value is at most delta away from the center.", EXAMPLE, FUNCTION_SCALAR,  \
            0, &KERNEL##_impl                                                                      \
    }

static const FunctionDef ROWS[] = {
    BIN("long", "long", "bin(-1, 3) == -3", bin_long),
    BIN("real", "real", "bin(4.5, 1) == 4.0", bin_real),
    BIN("decimal", "decimal", "bin(decimal(4.5), 1) == decimal(4)", bin_decimal),
    BIN("datetime", "timespan", "bin(datetime(2020-05-14 10:00), 1d) == datetime(2020-05-14)",
        bin_long),
    BIN("timespan", "timespan", "bin(16d, 7d) == 14d", bin_long),
    BIN_AT("long", "long", "bin_at(13, 10, 11) == 11", bin_at_long),
    BIN_AT("real", "real", "bin_at(6.5, 2.5, 7) == 4.5", bin_at_real),
    BIN_AT("decimal", "decimal", "bin_at(decimal(6.5), decimal(2.5), decimal(7)) == decimal(4.5)",
           bin_at_decimal),
    BIN_AT("datetime", "timespan",
           "bin_at(datetime(2020-05-14 10:00), 1d, datetime(2020-01-01 12:00)) == "
           "datetime(2020-05-13 12:00)",
           bin_at_long),
    BIN_AT("timespan", "timespan", "bin_at(1h, 1d, 12h) == -12h", bin_at_long),
    CEILING("int", "ceiling(int(3)) == 3", ceiling_int),
    CEILING("long", "ceiling(3) == 3", ceiling_long),
    CEILING("real", "ceiling(-1.1) == -1.0", ceiling_real),
    CEILING("decimal", "ceiling(decimal(0.5)) == decimal(1)", ceiling_decimal),
    AROUND("long", "long", "around(7, 5, 2)", around_long),
    AROUND("real", "real", "around(0.3, 0.2, 0.5)", around_real),
    AROUND("datetime", "timespan", "around(datetime(2020-01-02), datetime(2020-01-01), 1d)",
           around_long),
    AROUND("timespan", "timespan", "around(90m, 1h, 30m)", around_long),
};

const FunctionSet ROUNDING_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
