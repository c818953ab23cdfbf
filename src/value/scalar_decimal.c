// Decimals: IEEE 754-2008 decimal128 (BID) over Intel's library.
//
// Debian's libbidgcc000 is the variant "arguments by value, rounding mode and
// exception flags passed with each call", so nothing here is global and threads
// do not meet. The scale is kept (1.5 * 2.0 is 3.00), as Kusto's SqlDecimal does.
// Printing reads the encoding itself: 1 sign bit, 14 exponent bits (bias 6176),
// 113 bits of coefficient; coefficients beyond 34 digits count as zero.

#include "value/scalar.h"
#include "value/scalar_real.h"

#include <math.h>
#include <string.h>

#define DECIMAL_CALL_BY_REFERENCE      0
#define DECIMAL_GLOBAL_ROUNDING        0
#define DECIMAL_GLOBAL_EXCEPTION_FLAGS 0
#include <bid_conf.h>
#include <bid_functions.h>

enum {
    ROUND_HALF_EVEN = 0, // BID_ROUNDING_TO_NEAREST
    ROUND_HALF_AWAY = 4, // BID_ROUNDING_TIES_AWAY
    FLAG_INVALID = 1,    // BID_INVALID_EXCEPTION
    EXPONENT_BIAS = 6176,
    DECIMAL_DIGITS = 34,
    DECIMAL_LONGEST = 512, // bytes of a text that can be a decimal
};

__extension__ typedef unsigned __int128 Wide;

static BID_UINT128
to_bid(Decimal m)
{
    BID_UINT128 bid;
    memcpy(&bid, &m, sizeof(m));
    return bid;
}

static Decimal
from_bid(BID_UINT128 bid)
{
    Decimal m;
    memcpy(&m, &bid, sizeof(m));
    return m;
}

// The BID encoding of (-1)^negative * coefficient * 10^exponent; the coefficient
// has at most 34 digits and the exponent is in range.
static Decimal
decimal_pack(bool negative, Wide coefficient, int exponent)
{
    Decimal m;
    m.w[0] = (uint64_t)coefficient;
    m.w[1] = (uint64_t)(coefficient >> 64) | (uint64_t)(exponent + EXPONENT_BIAS) << 49 |
             (uint64_t)negative << 63;
    return m;
}

typedef struct Unpacked {
    bool negative, is_nan, is_infinite;
    int exponent;
    Wide coefficient;
} Unpacked;

static Wide
coefficient_limit(void)
{
    return (Wide)UINT64_C(10000000000000000) * UINT64_C(1000000000000000000); // 10^34
}

static Unpacked
decimal_unpack(Decimal m)
{
    Unpacked u = {.negative = m.w[1] >> 63};
    if ((m.w[1] >> 58 & 31) == 31) {
        u.is_nan = true;
    } else if ((m.w[1] >> 58 & 31) == 30) {
        u.is_infinite = true;
    } else if ((m.w[1] >> 61 & 3) == 3) {
        u.exponent = (int)(m.w[1] >> 47 & 0x3fff) - EXPONENT_BIAS; // not canonical: zero
    } else {
        u.exponent = (int)(m.w[1] >> 49 & 0x3fff) - EXPONENT_BIAS;
        u.coefficient = (Wide)(m.w[1] & UINT64_C(0x1ffffffffffff)) << 64 | m.w[0];
        if (u.coefficient >= coefficient_limit())
            u.coefficient = 0;
    }
    return u;
}

// Checks the grammar, so that the library only sees sign digits [. digits]
// [e [sign] digits]; its own parser makes NaN of what it does not understand.
// Returns the digits of the coefficient when they fit 64 bits exactly.
typedef struct Scan {
    bool negative, fits;
    uint64_t coefficient;
    int fraction; // digits after the point
    int exponent; // written exponent, clamped
} Scan;

static bool
decimal_scan(Str text, Scan *scan)
{
    const char *p = text.ptr, *end = p + text.len;
    *scan = (Scan){.fits = true};
    if (p < end && (*p == '-' || *p == '+'))
        scan->negative = *p++ == '-';
    bool point = false, digit = false;
    for (; p < end; p++) {
        if (*p == '.') {
            if (point)
                return false;
            point = true;
        } else if (*p >= '0' && *p <= '9') {
            digit = true;
            scan->fraction += point;
            if (scan->coefficient > UINT64_C(999999999999999999))
                scan->fits = false;
            else
                scan->coefficient = scan->coefficient * 10 + (uint64_t)(*p - '0');
        } else {
            break;
        }
    }
    if (!digit)
        return false;
    if (p < end && (*p == 'e' || *p == 'E')) {
        bool down = false;
        p++;
        if (p < end && (*p == '-' || *p == '+'))
            down = *p++ == '-';
        if (p == end)
            return false;
        for (; p < end && *p >= '0' && *p <= '9'; p++) {
            if (scan->exponent < 100000)
                scan->exponent = scan->exponent * 10 + (*p - '0');
        }
        if (down)
            scan->exponent = -scan->exponent;
    }
    return p == end;
}

bool
decimal_parse(Str text, Decimal *out)
{
    text = str_trim(text);
    Scan scan;
    if (!text.len || text.len > DECIMAL_LONGEST || !decimal_scan(text, &scan))
        return false;
    int exponent = scan.exponent - scan.fraction;
    if (scan.fits && exponent >= -6000 && exponent <= 6000) {
        *out = decimal_pack(scan.negative, scan.coefficient, exponent);
        return true;
    }
    char copy[DECIMAL_LONGEST + 1];
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = 0;
    _IDEC_flags flags = 0;
    Decimal m = from_bid(bid128_from_string(copy, ROUND_HALF_EVEN, &flags));
    Unpacked u = decimal_unpack(m);
    if (u.is_nan || u.is_infinite)
        return false;
    *out = m;
    return true;
}

// Plain digits while that stays readable, else scientific.
void
decimal_print(Buffer *out, Decimal m)
{
    enum { PLAIN_LONGEST = 64 };
    Unpacked u = decimal_unpack(m);
    if (u.is_nan) {
        buffer_str(out, STR("NaN"));
        return;
    }
    if (u.negative && (u.coefficient || u.is_infinite))
        buffer_char(out, '-');
    if (u.is_infinite) {
        buffer_str(out, STR("Infinity"));
        return;
    }
    char digits[40];
    int count = 0, first = (int)sizeof(digits);
    do {
        digits[--first] = (char)('0' + (int)(u.coefficient % 10));
        u.coefficient /= 10;
        count++;
    } while (u.coefficient);
    const char *text = digits + first;
    int whole = count + u.exponent; // digits before the point
    bool is_zero = count == 1 && text[0] == '0';
    if (is_zero && (u.exponent > 0 || u.exponent < -DECIMAL_DIGITS)) {
        buffer_char(out, '0');
    } else if (u.exponent >= 0 && whole <= PLAIN_LONGEST) {
        buffer_put(out, text, (size_t)count);
        for (int i = 0; i < u.exponent; i++)
            buffer_char(out, '0');
    } else if (u.exponent < 0 && whole > 0) {
        buffer_put(out, text, (size_t)whole);
        buffer_char(out, '.');
        buffer_put(out, text + whole, (size_t)(count - whole));
    } else if (u.exponent < 0 && whole > -PLAIN_LONGEST) {
        buffer_str(out, STR("0."));
        for (int i = whole; i < 0; i++)
            buffer_char(out, '0');
        buffer_put(out, text, (size_t)count);
    } else {
        buffer_char(out, text[0]);
        if (count > 1) {
            buffer_char(out, '.');
            buffer_put(out, text + 1, (size_t)count - 1);
        }
        buffer_printf(out, "E%+03d", whole - 1);
    }
}

Decimal
decimal_from_long(int64_t l)
{
    return decimal_pack(l < 0, l < 0 ? 0 - (uint64_t)l : (uint64_t)l, 0);
}

// By the shortest digits that name the double, so that 0.1 becomes 0.1.
Decimal
decimal_from_real(double r)
{
    if (r != r || isinf(r)) {
        _IDEC_flags flags = 0;
        return from_bid(binary64_to_bid128(r, ROUND_HALF_EVEN, &flags));
    }
    if (fabs(r) < 1e15 && r == (double)(int64_t)r)
        return decimal_from_long((int64_t)r);
    char raw[REAL_CHARS];
    Str text = {raw, real_shortest(r, raw)};
    Decimal m = {{0, 0}};
    decimal_parse(text, &m); // at most 17 digits, exponent within 350: always fits
    return m;
}

double
decimal_to_real(Decimal m)
{
    Unpacked u = decimal_unpack(m);
    if (!u.is_nan && !u.is_infinite && u.coefficient <= (Wide)1 << 53 && u.exponent <= 0 &&
        u.exponent >= -22) {
        static const double POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                        1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                        1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
        double r = (double)(uint64_t)u.coefficient / POWERS[-u.exponent]; // both exact
        return u.negative ? -r : r;
    }
    _IDEC_flags flags = 0;
    return bid128_to_binary64(to_bid(m), ROUND_HALF_EVEN, &flags);
}

bool
decimal_to_long(Decimal m, int64_t *out)
{
    _IDEC_flags flags = 0;
    int64_t l = bid128_to_int64_int(to_bid(m), &flags);
    if (flags & FLAG_INVALID)
        return false;
    *out = l;
    return true;
}

Decimal
decimal_add(Decimal a, Decimal b)
{
    _IDEC_flags flags = 0;
    return from_bid(bid128_add(to_bid(a), to_bid(b), ROUND_HALF_EVEN, &flags));
}

Decimal
decimal_sub(Decimal a, Decimal b)
{
    _IDEC_flags flags = 0;
    return from_bid(bid128_sub(to_bid(a), to_bid(b), ROUND_HALF_EVEN, &flags));
}

Decimal
decimal_mul(Decimal a, Decimal b)
{
    _IDEC_flags flags = 0;
    return from_bid(bid128_mul(to_bid(a), to_bid(b), ROUND_HALF_EVEN, &flags));
}

Decimal
decimal_div(Decimal a, Decimal b)
{
    _IDEC_flags flags = 0;
    return from_bid(bid128_div(to_bid(a), to_bid(b), ROUND_HALF_EVEN, &flags));
}

Decimal
decimal_mod(Decimal a, Decimal b)
{
    _IDEC_flags flags = 0;
    Decimal zero = decimal_from_long(0);
    Decimal r = from_bid(bid128_fmod(to_bid(a), to_bid(b), &flags));
    if (decimal_unpack(r).is_nan)
        return r;
    if (decimal_compare(r, zero) < 0) {
        Decimal size = decimal_compare(b, zero) < 0 ? decimal_sub(zero, b) : b;
        r = decimal_add(r, size);
    }
    return r;
}

Decimal
decimal_floor(Decimal m)
{
    _IDEC_flags flags = 0;
    return from_bid(bid128_round_integral_negative(to_bid(m), &flags));
}

Decimal
decimal_round(Decimal m, int digits)
{
    Unpacked u = decimal_unpack(m);
    if (u.is_nan || u.is_infinite || digits >= -u.exponent)
        return m; // nothing to cut
    if (digits < -6000)
        return decimal_from_long(0);
    _IDEC_flags flags = 0;
    BID_UINT128 unit = to_bid(decimal_pack(false, 1, -digits));
    Decimal rounded = from_bid(bid128_quantize(to_bid(m), unit, ROUND_HALF_AWAY, &flags));
    return decimal_unpack(rounded).is_nan ? m : rounded;
}

int
decimal_compare(Decimal a, Decimal b)
{
    Unpacked ua = decimal_unpack(a), ub = decimal_unpack(b);
    if (ua.is_nan || ub.is_nan)
        return (int)ub.is_nan - (int)ua.is_nan;
    if (!ua.is_infinite && !ub.is_infinite && ua.exponent == ub.exponent) {
        if (!ua.coefficient && !ub.coefficient)
            return 0;
        if (ua.negative != ub.negative)
            return ua.negative ? -1 : 1;
        int order = (ua.coefficient > ub.coefficient) - (ua.coefficient < ub.coefficient);
        return ua.negative ? -order : order;
    }
    _IDEC_flags flags = 0;
    if (bid128_quiet_less(to_bid(a), to_bid(b), &flags))
        return -1;
    return bid128_quiet_equal(to_bid(a), to_bid(b), &flags) ? 0 : 1;
}

Decimal
decimal_from_real_exact(double r)
{
    _IDEC_flags flags = 0;
    return from_bid(binary64_to_bid128(r, ROUND_HALF_EVEN, &flags));
}

bool
decimal_digits(Decimal m, DecimalDigits *out)
{
    Unpacked u = decimal_unpack(m);
    if (u.is_nan || u.is_infinite)
        return false;
    *out = (DecimalDigits){.negative = u.negative,
                           .high = (uint64_t)(u.coefficient >> 64),
                           .low = (uint64_t)u.coefficient,
                           .exponent = u.exponent};
    return true;
}
