// Scalars as text: parse and print each Kusto type.
//
// Parsing takes the forms that literals, conversion functions (todatetime(),
// tolong(), ...) and imported files use; it returns false when the text is not
// such a value, and then the output is untouched. Printing is what result tables
// and tostring() show. Sources: Kusto docs, pages of the scalar data types;
// forms and traps in `language.md` sections 2 and 8 (our digest).
#pragma once

#include "base/buffer.h"
#include "value/type.h"

bool bool_parse(Str text, bool *out);    // true/false/1/0, any case; other numbers are true
bool int_parse(Str text, int32_t *out);  // decimal or 0x hex, sign, blanks around
bool long_parse(Str text, int64_t *out); // as above; false on overflow
bool real_parse(Str text, double *out);  // 1, 1.5, 1e5, nan, inf, +inf, -inf, Infinity
bool decimal_parse(Str text, Decimal *out);
bool datetime_parse(
    Str text,
    int64_t *
        out); // ISO 8601 (any precision, zone or offset), RFC 822, RFC 850, m/d/yyyy; also "yyyy", "yyyy-MM"
bool
timespan_parse(Str text,
               int64_t *out); // [-][d.]hh:mm[:ss[.f]], 2d, 1.5h, "15 seconds", bare number = days
bool guid_parse(Str text, Guid *out); // with or without dashes or braces, any case

void bool_print(Buffer *out, bool b); // true / false
void long_print(Buffer *out, int64_t l);
void
real_print(Buffer *out,
           double r); // shortest text that reads back; NaN, Infinity, -Infinity; 1.0 prints "1.0"
void decimal_print(Buffer *out, Decimal m);
void datetime_print(Buffer *out, int64_t ticks); // 2015-12-31T23:59:59.9000000Z
void timespan_print(Buffer *out, int64_t ticks); // [-][d.]hh:mm:ss[.fffffff]
void guid_print(Buffer *out, Guid g);
Guid guid_random(void); // of version 4

// The text of a payload as tostring() gives it (a dynamic string loses its
// quotes; arrays and bags are compact JSON).
void data_print(Buffer *out, Type type, const void *data);

// Parses `text` as `type`; TYPE_STRING copies it, TYPE_DYNAMIC parses JSON (text
// that is not JSON becomes a dynamic string). Long payloads go to the arena.
// A text that is not such a value gives a null of that type and false.
bool value_parse(Arena *arena, Type type, Str text, Value *out);

// Converts as the conversion functions do (tolong(), todatetime(), ...); what
// cannot be converted becomes null. Reals truncate towards zero.
Value value_convert(Arena *arena, const Value *value, Type to);

// Decimal arithmetic, exact to 34 digits, rounding half to even.
Decimal decimal_from_long(int64_t l);
Decimal decimal_from_real(double r); // by its shortest digits: 0.1 becomes 0.1
// As the exact binary value, cut to 34 digits (0.1 is 0.10000000000000000555...):
// keeps the order of reals, for comparing them with decimals.
Decimal decimal_from_real_exact(double r);
double decimal_to_real(Decimal m);
bool decimal_to_long(Decimal m, int64_t *out); // truncates; false when out of range or not finite
Decimal decimal_add(Decimal a, Decimal b);
Decimal decimal_sub(Decimal a, Decimal b);
Decimal decimal_mul(Decimal a, Decimal b);
Decimal decimal_div(Decimal a, Decimal b);
Decimal decimal_mod(Decimal a, Decimal b); // 0 <= result < |b|, as Kusto's %
Decimal decimal_floor(Decimal m);
Decimal decimal_round(Decimal m, int digits); // half away from zero
int decimal_compare(Decimal a, Decimal b);    // NaN least
// The digits of a decimal: (-1)^negative * high:low * 10^exponent. False for NaN and infinities.
typedef struct DecimalDigits {
    bool negative;
    uint64_t high, low;
    int exponent;
} DecimalDigits;
bool decimal_digits(Decimal m, DecimalDigits *out);

// Calendar (proleptic Gregorian, as .NET's DateTime).
enum {
    TICKS_PER_MICROSECOND = 10,
    TICKS_PER_MILLISECOND = 10000,
    TICKS_PER_SECOND = 10000000,
};
#define TICKS_PER_MINUTE (60 * (int64_t)TICKS_PER_SECOND)
#define TICKS_PER_HOUR   (60 * TICKS_PER_MINUTE)
#define TICKS_PER_DAY    (24 * TICKS_PER_HOUR)
#define TICKS_UNIX_EPOCH ((int64_t)621355968000000000)
#define DATETIME_MAX     ((int64_t)3155378975999999999) // 9999-12-31T23:59:59.9999999
typedef struct CivilTime {
    int32_t year, month, day;           // 1-9999, 1-12, 1-31
    int32_t hour, minute, second, tick; // tick: 0 .. 9,999,999 within the second
    int32_t weekday;                    // 0 = Sunday
    int32_t yearday;                    // 1-366
} CivilTime;
CivilTime datetime_civil(int64_t ticks);
// False when a field is out of range or the result does not fit.
bool datetime_from_civil(int32_t year, int32_t month, int32_t day, int64_t ticks_of_day,
                         int64_t *out);
int32_t month_days(int32_t year, int32_t month);
