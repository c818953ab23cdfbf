// Timespans as text. Kusto docs, "The timespan data type": clock forms
// [-][d.]hh:mm[:ss[.f]], numbers with a unit (2d, 1.5h, "15 seconds"), and bare
// numbers, which are days. All arithmetic is in integers, so that 0.1s is exactly
// a million ticks; what is finer than a tick is cut.

#include "value/scalar.h"

#include <string.h>

__extension__ typedef __int128 Wide;

typedef struct TimeUnit {
    Str name;
    int64_t ticks; // 0: nanoseconds, a hundredth of a tick
} TimeUnit;

static const TimeUnit TIME_UNITS[] = {
    {STR_INIT("d"), TICKS_PER_DAY},
    {STR_INIT("day"), TICKS_PER_DAY},
    {STR_INIT("days"), TICKS_PER_DAY},
    {STR_INIT("h"), TICKS_PER_HOUR},
    {STR_INIT("hr"), TICKS_PER_HOUR},
    {STR_INIT("hrs"), TICKS_PER_HOUR},
    {STR_INIT("hour"), TICKS_PER_HOUR},
    {STR_INIT("hours"), TICKS_PER_HOUR},
    {STR_INIT("m"), TICKS_PER_MINUTE},
    {STR_INIT("min"), TICKS_PER_MINUTE},
    {STR_INIT("minute"), TICKS_PER_MINUTE},
    {STR_INIT("minutes"), TICKS_PER_MINUTE},
    {STR_INIT("s"), TICKS_PER_SECOND},
    {STR_INIT("sec"), TICKS_PER_SECOND},
    {STR_INIT("second"), TICKS_PER_SECOND},
    {STR_INIT("seconds"), TICKS_PER_SECOND},
    {STR_INIT("ms"), TICKS_PER_MILLISECOND},
    {STR_INIT("milli"), TICKS_PER_MILLISECOND},
    {STR_INIT("millis"), TICKS_PER_MILLISECOND},
    {STR_INIT("millisec"), TICKS_PER_MILLISECOND},
    {STR_INIT("millisecond"), TICKS_PER_MILLISECOND},
    {STR_INIT("milliseconds"), TICKS_PER_MILLISECOND},
    {STR_INIT("micro"), TICKS_PER_MICROSECOND},
    {STR_INIT("micros"), TICKS_PER_MICROSECOND},
    {STR_INIT("microsec"), TICKS_PER_MICROSECOND},
    {STR_INIT("microsecond"), TICKS_PER_MICROSECOND},
    {STR_INIT("microseconds"), TICKS_PER_MICROSECOND},
    {STR_INIT("tick"), 1},
    {STR_INIT("ticks"), 1},
    {STR_INIT("nano"), 0},
    {STR_INIT("nanos"), 0},
    {STR_INIT("nanosecond"), 0},
    {STR_INIT("nanoseconds"), 0},
};

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
wide_finish(Wide ticks, bool negative, int64_t *out)
{
    if (negative)
        ticks = -ticks;
    if (ticks < INT64_MIN || ticks > INT64_MAX)
        return false;
    *out = (int64_t)ticks;
    return true;
}

// Unsigned digits, at most 19 of them.
static bool
number_at(const char **at, const char *end, int64_t *out)
{
    const char *p = *at;
    int64_t value = 0;
    for (; p < end && is_digit(*p); p++) {
        if (p - *at == 18)
            return false;
        value = value * 10 + (*p - '0');
    }
    if (p == *at)
        return false;
    *at = p;
    *out = value;
    return true;
}

// number [unit]; no unit is days.
static bool
unit_parse(const char *p, const char *end, bool negative, int64_t *out)
{
    int64_t whole = 0, fraction = 0, scale = 1;
    bool digit = false;
    if (p < end && is_digit(*p)) {
        digit = true;
        if (!number_at(&p, end, &whole))
            return false;
    }
    if (p < end && *p == '.') {
        for (p++; p < end && is_digit(*p); p++) {
            digit = true;
            if (scale < INT64_C(1000000000000000000)) {
                fraction = fraction * 10 + (*p - '0');
                scale *= 10;
            }
        }
    }
    if (!digit)
        return false;
    Str name = str_trim((Str){p, (size_t)(end - p)});
    int64_t unit = TICKS_PER_DAY;
    if (name.len) {
        size_t i = 0, count = sizeof(TIME_UNITS) / sizeof(TIME_UNITS[0]);
        while (i < count && !str_equal_ci(name, TIME_UNITS[i].name))
            i++;
        if (i == count)
            return false;
        unit = TIME_UNITS[i].ticks;
    }
    int64_t divisor = unit ? 1 : 100;
    if (!unit)
        unit = 1;
    Wide ticks = ((Wide)whole * unit + (Wide)fraction * unit / scale) / divisor;
    return wide_finish(ticks, negative, out);
}

// [d.]hh:mm[:ss[.f]] or d:hh:mm:ss[.f]. Hours may pass 23 when no day is written.
static bool
clock_parse(const char *p, const char *end, bool negative, int64_t *out)
{
    int64_t parts[4], days = 0, fraction = 0;
    int count = 0;
    bool has_days = false;
    if (!number_at(&p, end, &parts[count++]))
        return false;
    if (p < end && *p == '.') {
        has_days = true;
        days = parts[--count];
        p++;
        if (!number_at(&p, end, &parts[count++]))
            return false;
    }
    while (p < end && *p == ':' && count < 4) {
        p++;
        if (!number_at(&p, end, &parts[count++]))
            return false;
    }
    if (count == 4) {
        if (has_days)
            return false;
        has_days = true;
        days = parts[0];
        memmove(parts, parts + 1, 3 * sizeof(parts[0]));
        count = 3;
    }
    if (count < 2)
        return false;
    if (count == 3 && p < end && *p == '.') {
        p++;
        const char *start = p;
        int64_t unit = TICKS_PER_SECOND / 10;
        for (; p < end && is_digit(*p); p++) {
            fraction += (*p - '0') * unit;
            unit /= 10;
        }
        if (p == start)
            return false;
    }
    int64_t seconds = count == 3 ? parts[2] : 0;
    if (p != end || parts[1] > 59 || seconds > 59 || (has_days && parts[0] > 23))
        return false;
    Wide ticks = (Wide)days * TICKS_PER_DAY + (Wide)parts[0] * TICKS_PER_HOUR +
                 parts[1] * TICKS_PER_MINUTE + seconds * TICKS_PER_SECOND + fraction;
    return wide_finish(ticks, negative, out);
}

bool
timespan_parse(Str text, int64_t *out)
{
    text = str_trim(text);
    const char *p = text.ptr, *end = p + text.len;
    bool negative = text.len && *p == '-';
    if (text.len && (*p == '-' || *p == '+'))
        p++;
    if (p == end)
        return false;
    if (memchr(p, ':', (size_t)(end - p)))
        return clock_parse(p, end, negative, out);
    return unit_parse(p, end, negative, out);
}

static char *
put_digits(char *p, int64_t value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        p[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return p + width;
}

void
timespan_print(Buffer *out, int64_t ticks)
{
    uint64_t size = ticks < 0 ? 0 - (uint64_t)ticks : (uint64_t)ticks;
    int64_t days = (int64_t)(size / (uint64_t)TICKS_PER_DAY);
    int64_t rest = (int64_t)(size % (uint64_t)TICKS_PER_DAY);
    if (ticks < 0)
        buffer_char(out, '-');
    if (days) {
        long_print(out, days);
        buffer_char(out, '.');
    }
    char text[24], *p = text;
    p = put_digits(p, rest / TICKS_PER_HOUR, 2);
    *p++ = ':';
    p = put_digits(p, rest / TICKS_PER_MINUTE % 60, 2);
    *p++ = ':';
    p = put_digits(p, rest / TICKS_PER_SECOND % 60, 2);
    int64_t fraction = rest % TICKS_PER_SECOND;
    if (fraction) {
        *p++ = '.';
        p = put_digits(p, fraction, 7);
    }
    buffer_put(out, text, (size_t)(p - text));
}
