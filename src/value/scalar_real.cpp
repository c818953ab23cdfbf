// The C++ side of scalar_real.h.

#include "value/scalar_real.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

extern "C" size_t
real_shortest(double r, char out[REAL_CHARS])
{
    std::to_chars_result result =
        std::to_chars(out, out + REAL_CHARS, r, std::chars_format::scientific);
    return static_cast<size_t>(result.ptr - out);
}

// Which way an unrepresentable number went: from_chars() does not say. The text
// is well-formed here; what counts is the decimal exponent of its first digit.
static bool
is_overflow(const char *text, const char *end)
{
    long exponent = 0, place = 0;
    bool seen_digit = false, seen_point = false;
    const char *p = text;
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') {
            seen_point = true;
        } else if (*p >= '0' && *p <= '9') {
            seen_digit = seen_digit || *p != '0';
            if (seen_digit && !seen_point)
                place++;
            else if (!seen_digit && seen_point)
                place--;
        }
    }
    if (p < end) {
        p++;
        bool negative = p < end && *p == '-';
        if (p < end && (*p == '-' || *p == '+'))
            p++;
        for (; p < end && exponent < 100000000; p++)
            exponent = exponent * 10 + (*p - '0');
        if (negative)
            exponent = -exponent;
    }
    return exponent + place > 0;
}

extern "C" bool
real_read(const char *text, size_t len, double *out)
{
    const char *end = text + len;
    double value = 0;
    std::from_chars_result result = std::from_chars(text, end, value, std::chars_format::general);
    if (result.ptr != end || result.ec == std::errc::invalid_argument)
        return false;
    if (result.ec == std::errc::result_out_of_range) {
        value = is_overflow(text, end) ? std::numeric_limits<double>::infinity() : 0.0;
        if (*text == '-')
            value = -value;
    }
    *out = value;
    return true;
}
