// Sums of reals that do not depend on the order of their terms.
//
// A DoubleDouble keeps about 106 bits, so that adding a million numbers in any
// order rounds to the same double: the number of threads does not show in a sum,
// an average or a variance. Method: Knuth's two-sum and Dekker's product with FMA.
#pragma once

#include <math.h>

typedef struct DoubleDouble {
    double high, low;
} DoubleDouble;

static inline DoubleDouble
dd_add(DoubleDouble a, DoubleDouble b)
{
    double sum = a.high + b.high;
    if (!isfinite(sum))
        return (DoubleDouble){sum, 0};
    double part = sum - a.high;
    double error = (a.high - (sum - part)) + (b.high - part);
    error += a.low + b.low;
    double high = sum + error;
    return (DoubleDouble){high, error - (high - sum)};
}

static inline DoubleDouble
dd_of(double x)
{
    return (DoubleDouble){x, 0};
}

static inline DoubleDouble
dd_product(double a, double b)
{
    double high = a * b;
    return (DoubleDouble){high, isfinite(high) ? fma(a, b, -high) : 0};
}

static inline DoubleDouble
dd_scale(DoubleDouble a, double factor)
{
    DoubleDouble high = dd_product(a.high, factor);
    return dd_add(high, dd_of(a.low * factor));
}

static inline DoubleDouble
dd_negate(DoubleDouble a)
{
    return (DoubleDouble){-a.high, -a.low};
}

static inline DoubleDouble
dd_divide(DoubleDouble a, double divisor)
{
    double high = a.high / divisor;
    if (!isfinite(high))
        return dd_of(high);
    DoubleDouble rest = dd_add(a, dd_negate(dd_product(high, divisor)));
    return dd_add(dd_of(high), dd_of(rest.high / divisor));
}

// a * b, both wide.
static inline DoubleDouble
dd_multiply(DoubleDouble a, DoubleDouble b)
{
    DoubleDouble high = dd_product(a.high, b.high);
    return dd_add(high, dd_of(a.high * b.low + a.low * b.high));
}

static inline double
dd_value(DoubleDouble a)
{
    return a.high + a.low;
}
