// Booleans, integers and reals as text.
//
// The scanners are by hand: these run once a cell when files are imported, and
// the library's versions look at the locale and want a terminated string.

#include "value/scalar.h"
#include "value/scalar_real.h"

#include <math.h>
#include <string.h>

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int
hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The magnitude of decimal digits, at most `limit`.
static bool
digits_parse(const char *p, const char *end, uint64_t limit, uint64_t *out)
{
    uint64_t value = 0;
    if (p == end)
        return false;
    if (end - p <= 18) { // cannot overflow 64 bits
        for (; p < end; p++) {
            if (!is_digit(*p))
                return false;
            value = value * 10 + (uint64_t)(*p - '0');
        }
    } else {
        for (; p < end; p++) {
            if (!is_digit(*p) || __builtin_mul_overflow(value, 10u, &value) ||
                __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
                return false;
        }
    }
    if (value > limit)
        return false;
    *out = value;
    return true;
}

static bool
hex_parse(const char *p, const char *end, size_t most_digits, uint64_t *out)
{
    uint64_t value = 0;
    while (p < end - 1 && *p == '0')
        p++;
    if (p >= end || (size_t)(end - p) > most_digits)
        return false;
    for (; p < end; p++) {
        int digit = hex_digit(*p);
        if (digit < 0)
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    *out = value;
    return true;
}

// Signed integer of `bits`. Hex digits give the bit pattern, as .NET's
// Convert.ToInt64(text, 16) does: 0xffffffffffffffff is -1.
static bool
integer_parse(Str text, unsigned bits, int64_t *out)
{
    text = str_trim(text);
    const char *p = text.ptr, *end = p + text.len;
    if (p == end)
        return false;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    uint64_t magnitude;
    uint64_t most = (UINT64_C(1) << (bits - 1)) - 1;
    if (end - p > 2 && p[0] == '0' && (p[1] | 0x20) == 'x') {
        if (!hex_parse(p + 2, end, bits / 4, &magnitude))
            return false;
        uint64_t pattern = negative ? 0 - magnitude : magnitude;
        *out = bits == 32 ? (int64_t)(int32_t)(uint32_t)pattern : (int64_t)pattern;
        return true;
    }
    if (!digits_parse(p, end, most + negative, &magnitude))
        return false;
    *out = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

bool
long_parse(Str text, int64_t *out)
{
    return integer_parse(text, 64, out);
}

bool
int_parse(Str text, int32_t *out)
{
    int64_t wide;
    if (!integer_parse(text, 32, &wide))
        return false;
    *out = (int32_t)wide;
    return true;
}

static bool
real_word(Str text, double *out)
{
    static const struct {
        Str name;
        double value;
    } WORDS[] = {
        {STR_INIT("nan"), (double)NAN},
        {STR_INIT("inf"), (double)INFINITY},
        {STR_INIT("infinity"), (double)INFINITY},
    };
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
        if (str_equal_ci(text, WORDS[i].name)) {
            *out = WORDS[i].value;
            return true;
        }
    }
    return false;
}

bool
real_parse(Str text, double *out)
{
    text = str_trim(text);
    if (!text.len)
        return false;
    bool negative = text.ptr[0] == '-';
    if (negative || text.ptr[0] == '+')
        text = str_slice(text, 1, text.len);
    if (!text.len)
        return false;
    double value;
    if (is_digit(text.ptr[0]) || text.ptr[0] == '.') {
        if (!real_read(text.ptr, text.len, &value))
            return false;
    } else if (!real_word(text, &value)) {
        return false;
    }
    *out = negative ? -value : value;
    return true;
}

bool
bool_parse(Str text, bool *out)
{
    text = str_trim(text);
    double number;
    if (str_equal_ci(text, STR("true"))) {
        *out = true;
    } else if (str_equal_ci(text, STR("false"))) {
        *out = false;
    } else if (real_parse(text, &number) && number == number) {
        *out = number != 0;
    } else {
        return false;
    }
    return true;
}

void
bool_print(Buffer *out, bool b)
{
    buffer_str(out, b ? STR("true") : STR("false"));
}

static const char DIGIT_PAIRS[] = "0001020304050607080910111213141516171819"
                                  "2021222324252627282930313233343536373839"
                                  "4041424344454647484950515253545556575859"
                                  "6061626364656667686970717273747576777879"
                                  "8081828384858687888990919293949596979899";

// Writes the digits so that they end before `end`; returns the first.
static char *
digits_write(char *end, uint64_t value)
{
    while (value >= 100) {
        end -= 2;
        memcpy(end, DIGIT_PAIRS + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, DIGIT_PAIRS + value * 2, 2);
    } else {
        *--end = (char)('0' + value);
    }
    return end;
}

void
long_print(Buffer *out, int64_t l)
{
    char text[24];
    char *end = text + sizeof(text);
    char *p = digits_write(end, l < 0 ? 0 - (uint64_t)l : (uint64_t)l);
    if (l < 0)
        *--p = '-';
    buffer_put(out, p, (size_t)(end - p));
}

// As .NET's "R": plain from 0.0001 to below 1E+15, else scientific with
// at least two digits of exponent. Kusto adds ".0" to whole numbers.
void
real_print(Buffer *out, double r)
{
    if (r != r) {
        buffer_str(out, STR("NaN"));
        return;
    }
    if (isinf(r)) {
        buffer_str(out, r > 0 ? STR("Infinity") : STR("-Infinity"));
        return;
    }
    if (fabs(r) < 1e15 && r == (double)(int64_t)r && (r != 0 || !signbit(r))) {
        long_print(out, (int64_t)r);
        buffer_str(out, STR(".0"));
        return;
    }
    // d[.ddd]e(+|-)xx to digits and a decimal exponent.
    char raw[REAL_CHARS], digits[REAL_CHARS];
    size_t len = real_shortest(r, raw), count = 0, i = 0;
    bool negative = raw[0] == '-';
    for (i = negative; i < len && raw[i] != 'e'; i++) {
        if (raw[i] != '.')
            digits[count++] = raw[i];
    }
    int exponent = 0;
    bool down = i + 1 < len && raw[i + 1] == '-';
    for (i += 2; i < len; i++)
        exponent = exponent * 10 + (raw[i] - '0');
    if (down)
        exponent = -exponent;

    if (negative)
        buffer_char(out, '-');
    if (exponent >= 15 || exponent < -4) {
        buffer_char(out, digits[0]);
        if (count > 1) {
            buffer_char(out, '.');
            buffer_put(out, digits + 1, count - 1);
        }
        buffer_str(out, exponent < 0 ? STR("E-") : STR("E+"));
        int magnitude = exponent < 0 ? -exponent : exponent;
        if (magnitude < 10)
            buffer_char(out, '0');
        long_print(out, magnitude);
    } else if (exponent < 0) {
        buffer_str(out, STR("0."));
        buffer_put(out, "00000", (size_t)(-exponent - 1));
        buffer_put(out, digits, count);
    } else {
        size_t whole = (size_t)exponent + 1;
        if (count <= whole) {
            buffer_put(out, digits, count);
            for (size_t k = count; k < whole; k++)
                buffer_char(out, '0');
            buffer_str(out, STR(".0"));
        } else {
            buffer_put(out, digits, whole);
            buffer_char(out, '.');
            buffer_put(out, digits + whole, count - whole);
        }
    }
}
