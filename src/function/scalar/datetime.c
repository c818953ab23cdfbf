// Dates and time spans: parts, differences, starts and ends of periods, building and
// formatting. Source: Kusto docs, "DateTime/timespan functions".
//
// Times are ticks of 100 ns since year 1, which began on a Monday; weeks begin on
// Sunday. What leaves the range of years 1 to 9999 is null.

#include "base/array.h"
#include "function/registry.h"
#include "value/scalar.h"

#include <math.h>
#include <stdio.h>

#define TICKS_PER_WEEK (7 * TICKS_PER_DAY)

static int64_t
floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

// Writes the time, or null when it is outside the range of datetimes.
static void
out_datetime(ScalarCall *call, uint32_t i, int64_t ticks, bool ok)
{
    if (ok && ticks >= 0 && ticks <= DATETIME_MAX)
        ((int64_t *)call->out)[i] = ticks;
    else
        out_null(call, i);
}

// ---- now, ago ----

static void
now(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t ticks = call->now;
        bool ok =
            !call->arg_count || !__builtin_add_overflow(ticks, ARG(call, 0, int64_t, i), &ticks);
        out_datetime(call, i, ticks, ok);
    }
}

static void
ago(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t ticks;
        bool ok = !__builtin_sub_overflow(call->now, ARG(call, 0, int64_t, i), &ticks);
        out_datetime(call, i, ticks, ok);
    }
}

// ---- parts ----

// ISO 8601: week 1 holds the year's first Thursday.
static int32_t
iso_week(const CivilTime *t)
{
    int32_t weekday = t->weekday ? t->weekday : 7;
    int32_t week = (t->yearday - weekday + 10) / 7;
    if (week < 1) {
        // The last week of the year before: 53 when that year ends behind a Thursday.
        int32_t year = t->year - 1;
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        int32_t yearday = t->yearday + (leap ? 366 : 365);
        return (yearday - weekday + 10) / 7;
    }
    if (week == 53 && t->month == 12 && t->day - weekday >= 28)
        return 1; // this Monday's week has its Thursday in the next year
    return week;
}

static int32_t
part_year(const CivilTime *t)
{
    return t->year;
}

static int32_t
part_quarter(const CivilTime *t)
{
    return (t->month + 2) / 3;
}

static int32_t
part_month(const CivilTime *t)
{
    return t->month;
}

static int32_t
part_day(const CivilTime *t)
{
    return t->day;
}

static int32_t
part_year_day(const CivilTime *t)
{
    return t->yearday;
}

static int32_t
part_hour(const CivilTime *t)
{
    return t->hour;
}

static int32_t
part_minute(const CivilTime *t)
{
    return t->minute;
}

static int32_t
part_second(const CivilTime *t)
{
    return t->second;
}

static int32_t
part_millisecond(const CivilTime *t)
{
    return t->tick / TICKS_PER_MILLISECOND;
}

static int32_t
part_microsecond(const CivilTime *t)
{
    return t->tick / TICKS_PER_MICROSECOND;
}

static int32_t
part_nanosecond(const CivilTime *t)
{
    return t->tick * 100;
}

enum { NANOSECONDS_PER_TICK = 100 };

// A part of a datetime: what it is, and how long one is (in months or ticks).
typedef struct DatePart {
    Str name;
    int32_t (*of)(const CivilTime *t);
    int32_t months;
    int64_t ticks;
    int64_t origin; // ticks to add so that boundaries fall on multiples
    bool nanoseconds;
} DatePart;

static const DatePart PARTS[] = {
    {.name = STR_INIT("year"), .of = part_year, .months = 12},
    {.name = STR_INIT("quarter"), .of = part_quarter, .months = 3},
    {.name = STR_INIT("month"), .of = part_month, .months = 1},
    {.name = STR_INIT("week"), .of = iso_week, .ticks = TICKS_PER_WEEK, .origin = TICKS_PER_DAY},
    {.name = STR_INIT("day"), .of = part_day, .ticks = TICKS_PER_DAY},
    {.name = STR_INIT("hour"), .of = part_hour, .ticks = TICKS_PER_HOUR},
    {.name = STR_INIT("minute"), .of = part_minute, .ticks = TICKS_PER_MINUTE},
    {.name = STR_INIT("second"), .of = part_second, .ticks = TICKS_PER_SECOND},
    {.name = STR_INIT("millisecond"), .of = part_millisecond, .ticks = TICKS_PER_MILLISECOND},
    {.name = STR_INIT("microsecond"), .of = part_microsecond, .ticks = TICKS_PER_MICROSECOND},
    {.name = STR_INIT("nanosecond"), .of = part_nanosecond, .nanoseconds = true},
    {.name = STR_INIT("dayofyear"), .of = part_year_day},
    {.name = STR_INIT("week_of_year"), .of = iso_week},
    {.name = STR_INIT("weekofyear"), .of = iso_week},
};

static const DatePart *
part_find(Str name)
{
    for (size_t p = 0; p < COUNT_OF(PARTS); p++)
        if (str_equal_ci(PARTS[p].name, name))
            return &PARTS[p];
    return NULL;
}

static bool
part_has_length(const DatePart *part)
{
    return part->months || part->ticks || part->nanoseconds;
}

static bool
part_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
          Type *type, const void **bound, AzError *error)
{
    (void)arena, (void)arg_count, (void)span, (void)type;
    if (args[0]->kind != EXPR_CONST)
        return true;
    Str name = text_str(&args[0]->value.text);
    const DatePart *part = part_find(name);
    bool any_part = strcmp(fn->name, "datetime_part") == 0;
    if (!part || (!any_part && !part_has_length(part)))
        return error_at(error, AZ_SEMANTIC, args[0]->span,
                        "%s() knows no part '%.*s'; it knows year, quarter, month, week, day, "
                        "hour, minute, second, millisecond, microsecond and nanosecond%s",
                        fn->name, STR_ARG(name), any_part ? ", dayofyear and week_of_year" : "");
    *bound = part;
    return true;
}

static const DatePart *
arg_part(const ScalarCall *call, uint32_t i)
{
    return call->bound ? call->bound : part_find(arg_str(call, 0, i));
}

static void
datetime_part(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        const DatePart *part = arg_part(call, i);
        if (!part) {
            out_null(call, i);
            continue;
        }
        CivilTime t = datetime_civil(ARG(call, 1, int64_t, i));
        ((int32_t *)call->out)[i] = part->of(&t);
    }
}

// Months from year 1; a day that the month does not have becomes its last.
static bool
add_months(int64_t ticks, int64_t months, int64_t *out)
{
    enum { MONTHS_MOST = 9999 * 12 };
    if (months < -MONTHS_MOST || months > MONTHS_MOST)
        return false;
    CivilTime t = datetime_civil(ticks);
    int64_t month = (int64_t)t.year * 12 + t.month - 1 + months;
    int32_t year = (int32_t)floor_divide(month, 12);
    int32_t month_of_year = (int32_t)(month - (int64_t)year * 12) + 1;
    if (year < 1 || year > 9999)
        return false;
    int32_t last = month_days(year, month_of_year);
    return datetime_from_civil(year, month_of_year, t.day < last ? t.day : last,
                               ticks % TICKS_PER_DAY, out);
}

static void
datetime_add(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        const DatePart *part = arg_part(call, i);
        int64_t amount = ARG(call, 1, int64_t, i), ticks = ARG(call, 2, int64_t, i);
        bool ok = part && part_has_length(part);
        if (ok && part->months) {
            int64_t months;
            ok = !__builtin_mul_overflow(amount, (int64_t)part->months, &months) &&
                 add_months(ticks, months, &ticks);
        } else if (ok) {
            int64_t span = amount / NANOSECONDS_PER_TICK;
            if (!part->nanoseconds)
                ok = !__builtin_mul_overflow(amount, part->ticks, &span);
            ok = ok && !__builtin_add_overflow(ticks, span, &ticks);
        }
        out_datetime(call, i, ticks, ok);
    }
}

static int64_t
months_of(int64_t ticks, int32_t period)
{
    CivilTime t = datetime_civil(ticks);
    return ((int64_t)t.year * 12 + t.month - 1) / period;
}

// Boundaries of the part that lie between the times; positive when the first is later.
static void
datetime_diff(ScalarCall *call)
{
    int64_t *out = call->out;
    for (uint32_t i = 0; i < call->count; i++) {
        const DatePart *part = arg_part(call, i);
        int64_t a = ARG(call, 1, int64_t, i), b = ARG(call, 2, int64_t, i);
        if (!part || !part_has_length(part))
            out_null(call, i);
        else if (part->months)
            out[i] = months_of(a, part->months) - months_of(b, part->months);
        else if (!part->nanoseconds)
            out[i] = floor_divide(a + part->origin, part->ticks) -
                     floor_divide(b + part->origin, part->ticks);
        else if (__builtin_mul_overflow(a - b, (int64_t)NANOSECONDS_PER_TICK, &out[i])) {
            out[i] = 0;
            out_null(call, i);
        }
    }
}

#define PART_KERNEL(NAME, OF)                                                                      \
    static void NAME(ScalarCall *call)                                                             \
    {                                                                                              \
        for (uint32_t i = 0; i < call->count; i++) {                                               \
            CivilTime t = datetime_civil(ARG(call, 0, int64_t, i));                                \
            ((int32_t *)call->out)[i] = OF(&t);                                                    \
        }                                                                                          \
    }

PART_KERNEL(day_of_month, part_day)
PART_KERNEL(day_of_year, part_year_day)
PART_KERNEL(month_of_year, part_month)
PART_KERNEL(week_of_year, iso_week)
PART_KERNEL(get_year, part_year)

static void
hour_of_day(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((int32_t *)call->out)[i] = (int32_t)(ARG(call, 0, int64_t, i) / TICKS_PER_HOUR % 24);
}

// The time since Sunday, in whole days.
static void
day_of_week(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t day = ARG(call, 0, int64_t, i) / TICKS_PER_DAY + 1;
        ((int64_t *)call->out)[i] = day % 7 * TICKS_PER_DAY;
    }
}

// ---- starts and ends of periods ----

typedef bool (*PeriodStart)(int64_t ticks, int64_t offset, int64_t *start);

// Start of the stretch of `length` ticks that holds the time, `offset` stretches on.
static bool
stretch_start(int64_t ticks, int64_t length, int64_t origin, int64_t offset, int64_t *start)
{
    int64_t first = floor_divide(ticks + origin, length) * length - origin;
    return !__builtin_mul_overflow(offset, length, &offset) &&
           !__builtin_add_overflow(first, offset, start);
}

static bool
day_start(int64_t ticks, int64_t offset, int64_t *start)
{
    return stretch_start(ticks, TICKS_PER_DAY, 0, offset, start);
}

static bool
week_start(int64_t ticks, int64_t offset, int64_t *start)
{
    return stretch_start(ticks, TICKS_PER_WEEK, TICKS_PER_DAY, offset, start);
}

static bool
month_start(int64_t ticks, int64_t offset, int64_t *start)
{
    CivilTime t = datetime_civil(ticks);
    return datetime_from_civil(t.year, t.month, 1, 0, start) && add_months(*start, offset, start);
}

static bool
year_start(int64_t ticks, int64_t offset, int64_t *start)
{
    CivilTime t = datetime_civil(ticks);
    return datetime_from_civil(t.year, 1, 1, 0, start) &&
           !__builtin_mul_overflow(offset, (int64_t)12, &offset) &&
           add_months(*start, offset, start);
}

static void
start_rows(ScalarCall *call, PeriodStart period)
{
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t offset = call->arg_count > 1 ? ARG(call, 1, int64_t, i) : 0, start = 0;
        bool ok = period(ARG(call, 0, int64_t, i), offset, &start);
        out_datetime(call, i, start, ok);
    }
}

// The tick before the next period starts; the last period of all ends with the range.
static void
end_rows(ScalarCall *call, PeriodStart period)
{
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t ticks = ARG(call, 0, int64_t, i);
        int64_t offset = call->arg_count > 1 ? ARG(call, 1, int64_t, i) : 0, next = 0;
        bool ok = offset < INT64_MAX && period(ticks, offset + 1, &next);
        if (ok && next <= DATETIME_MAX) {
            out_datetime(call, i, next - 1, true);
        } else {
            ok = period(ticks, offset, &next) && next >= 0 && next <= DATETIME_MAX;
            out_datetime(call, i, DATETIME_MAX, ok);
        }
    }
}

#define PERIOD_KERNELS(PERIOD)                                                                     \
    static void start_of_##PERIOD(ScalarCall *call)                                                \
    {                                                                                              \
        start_rows(call, PERIOD##_start);                                                          \
    }                                                                                              \
    static void end_of_##PERIOD(ScalarCall *call)                                                  \
    {                                                                                              \
        end_rows(call, PERIOD##_start);                                                            \
    }

PERIOD_KERNELS(day)
PERIOD_KERNELS(week)
PERIOD_KERNELS(month)
PERIOD_KERNELS(year)

// ---- building ----

// Ticks of hour:minute:second; false when a field is out of range.
static bool
clock_ticks(int64_t hour, int64_t minute, double second, int64_t *out)
{
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || !(second >= 0) || second >= 60)
        return false;
    *out = hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE + llround(second * TICKS_PER_SECOND);
    return true;
}

static int64_t
arg_long(const ScalarCall *call, uint32_t k, uint32_t i)
{
    return k < call->arg_count ? ARG(call, k, int64_t, i) : 0;
}

static void
make_datetime(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t year = ARG(call, 0, int64_t, i), month = ARG(call, 1, int64_t, i);
        int64_t day = ARG(call, 2, int64_t, i), clock = 0, ticks = 0;
        double second = call->arg_count > 5 ? ARG(call, 5, double, i) : 0;
        bool ok = year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
                  clock_ticks(arg_long(call, 3, i), arg_long(call, 4, i), second, &clock) &&
                  datetime_from_civil((int32_t)year, (int32_t)month, (int32_t)day, clock, &ticks);
        out_datetime(call, i, ticks, ok);
    }
}

static void
make_timespan(ScalarCall *call)
{
    bool has_days = call->arg_count == 4;
    uint32_t k = has_days ? 1 : 0;
    for (uint32_t i = 0; i < call->count; i++) {
        double second = call->arg_count > 2 ? ARG(call, k + 2, double, i) : 0;
        int64_t days = has_days ? ARG(call, 0, int64_t, i) : 0, clock = 0, ticks = 0;
        if (clock_ticks(ARG(call, k, int64_t, i), ARG(call, k + 1, int64_t, i), second, &clock) &&
            !__builtin_mul_overflow(days, TICKS_PER_DAY, &ticks) &&
            !__builtin_add_overflow(ticks, clock, &ticks))
            ((int64_t *)call->out)[i] = ticks;
        else
            out_null(call, i);
    }
}

// Since 1970, in a unit of `multiple` ticks or of a `divisor`-th of a tick.
static void
unix_rows(ScalarCall *call, int64_t multiple, int64_t divisor)
{
    bool real = call->args[0].type == TYPE_REAL;
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t ticks = 0;
        bool ok;
        if (real) {
            double exact = ARG(call, 0, double, i) * (double)multiple / (double)divisor;
            ok = fabs(exact) <= (double)DATETIME_MAX;
            ticks = ok ? llround(exact) : 0;
        } else {
            ok = !__builtin_mul_overflow(ARG(call, 0, int64_t, i), multiple, &ticks);
            ticks = floor_divide(ticks, divisor);
        }
        ok = ok && !__builtin_add_overflow(ticks, TICKS_UNIX_EPOCH, &ticks);
        out_datetime(call, i, ticks, ok);
    }
}

static void
unix_seconds(ScalarCall *call)
{
    unix_rows(call, TICKS_PER_SECOND, 1);
}

static void
unix_milliseconds(ScalarCall *call)
{
    unix_rows(call, TICKS_PER_MILLISECOND, 1);
}

static void
unix_microseconds(ScalarCall *call)
{
    unix_rows(call, TICKS_PER_MICROSECOND, 1);
}

static void
unix_nanoseconds(ScalarCall *call)
{
    unix_rows(call, 1, NANOSECONDS_PER_TICK);
}

// ---- formatting ----

// What the letters of a format stand for, in one place for both functions.
typedef struct FormatFields {
    int64_t year, month, day, hour, minute, second;
    int64_t fraction;  // ticks within the second
    int32_t day_width; // most letters `d` of one run
    bool is_span;
} FormatFields;

static void
put_number(Buffer *out, int64_t value, size_t width)
{
    buffer_printf(out, "%0*lld", (int)width, (long long)value);
}

// f: exactly `width` digits of the fraction; F: the same without trailing zeros, and
// without the point before it when nothing is left.
static void
put_fraction(Buffer *out, int64_t ticks, size_t width, bool trim)
{
    char digits[16];
    snprintf(digits, sizeof(digits), "%07lld", (long long)ticks);
    while (trim && width && digits[width - 1] == '0')
        width--;
    if (trim && !width && out->len && out->data[out->len - 1] == '.')
        out->len--;
    buffer_put(out, digits, width);
}

static size_t
run_length(Str format, size_t at, size_t most)
{
    size_t end = at;
    while (end < format.len && end - at < most && format.ptr[end] == format.ptr[at])
        end++;
    return end - at;
}

static void
put_year(Buffer *out, const FormatFields *fields, size_t width)
{
    if (width <= 2)
        put_number(out, fields->year % 100, width);
    else
        put_number(out, fields->year, 4);
}

// Writes the run of letters at *at and moves past it; what is no specifier is copied.
static void
put_field(Buffer *out, const FormatFields *fields, Str format, size_t *at)
{
    enum { FRACTION_DIGITS = 7 };
    char letter = format.ptr[*at];
    size_t width = 1, two = run_length(format, *at, 2);
    int64_t twelve = fields->hour % 12 ? fields->hour % 12 : 12;
    bool span = fields->is_span;
    if (letter == 'f' || letter == 'F') {
        width = run_length(format, *at, FRACTION_DIGITS);
        put_fraction(out, fields->fraction, width, letter == 'F');
    } else if (letter == 'd') {
        width = run_length(format, *at, (size_t)fields->day_width);
        put_number(out, fields->day, width);
    } else if (letter == 'H' || letter == 'h') {
        width = two;
        put_number(out, letter == 'H' || span ? fields->hour : twelve, width);
    } else if (letter == 'm' || letter == 's') {
        width = two;
        put_number(out, letter == 'm' ? fields->minute : fields->second, width);
    } else if (!span && letter == 'y') {
        width = run_length(format, *at, 4);
        put_year(out, fields, width);
    } else if (!span && letter == 'M') {
        width = two;
        put_number(out, fields->month, width);
    } else if (!span && letter == 't') {
        width = two;
        buffer_put(out, fields->hour < 12 ? "AM" : "PM", width);
    } else {
        buffer_char(out, letter);
    }
    *at += width;
}

static void
format_datetime(ScalarCall *call)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        if (arg_is_null(call, 0, i))
            continue;
        CivilTime t = datetime_civil(ARG(call, 0, int64_t, i));
        FormatFields fields = {t.year,   t.month, t.day, t.hour, t.minute,
                               t.second, t.tick,  2,     false};
        Str format = arg_str(call, 1, i);
        buffer_clear(out);
        for (size_t at = 0; at < format.len;)
            put_field(out, &fields, format, &at);
        out_str(call, i, buffer_slice(out));
    }
}

static void
format_timespan(ScalarCall *call)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        if (arg_is_null(call, 0, i))
            continue;
        int64_t signed_ticks = ARG(call, 0, int64_t, i);
        uint64_t ticks = signed_ticks < 0 ? 0 - (uint64_t)signed_ticks : (uint64_t)signed_ticks;
        FormatFields fields = {
            .day = (int64_t)(ticks / (uint64_t)TICKS_PER_DAY),
            .hour = (int64_t)(ticks / (uint64_t)TICKS_PER_HOUR % 24),
            .minute = (int64_t)(ticks / (uint64_t)TICKS_PER_MINUTE % 60),
            .second = (int64_t)(ticks / TICKS_PER_SECOND % 60),
            .fraction = (int64_t)(ticks % TICKS_PER_SECOND),
            .day_width = 8,
            .is_span = true,
        };
        Str format = arg_str(call, 1, i);
        buffer_clear(out);
        if (signed_ticks < 0)
            buffer_char(out, '-');
        for (size_t at = 0; at < format.len;)
            put_field(out, &fields, format, &at);
        out_str(call, i, buffer_slice(out));
    }
}

static void
make_datetime_of_text(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        if (!datetime_parse(arg_str(call, 0, i), &((int64_t *)call->out)[i]))
            out_null(call, i);
}

static void
make_timespan_of_text(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        if (!timespan_parse(arg_str(call, 0, i), &((int64_t *)call->out)[i]))
            out_null(call, i);
}

// ---- rows ----

#define IMPL(KERNEL, BIND) static const ScalarImpl KERNEL##_impl = {KERNEL, BIND}
IMPL(now, NULL);
IMPL(ago, NULL);
IMPL(datetime_part, part_bind);
IMPL(datetime_add, part_bind);
IMPL(datetime_diff, part_bind);
IMPL(day_of_month, NULL);
IMPL(day_of_week, NULL);
IMPL(day_of_year, NULL);
IMPL(hour_of_day, NULL);
IMPL(month_of_year, NULL);
IMPL(week_of_year, NULL);
IMPL(get_year, NULL);
IMPL(start_of_day, NULL);
IMPL(start_of_week, NULL);
IMPL(start_of_month, NULL);
IMPL(start_of_year, NULL);
IMPL(end_of_day, NULL);
IMPL(end_of_week, NULL);
IMPL(end_of_month, NULL);
IMPL(end_of_year, NULL);
IMPL(make_datetime, NULL);
IMPL(make_datetime_of_text, NULL);
IMPL(make_timespan_of_text, NULL);
IMPL(make_timespan, NULL);
IMPL(unix_seconds, NULL);
IMPL(unix_milliseconds, NULL);
IMPL(unix_microseconds, NULL);
IMPL(unix_nanoseconds, NULL);
IMPL(format_datetime, NULL);
IMPL(format_timespan, NULL);

#define FUNCTION(NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FLAGS, KERNEL)                            \
    {                                                                                              \
        NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FUNCTION_SCALAR, FLAGS, &(KERNEL##_impl)           \
    }
#define PERIOD(NAME, DOC, EXAMPLE, KERNEL)                                                         \
    FUNCTION(NAME, NULL, "(time:datetime, offset:long=) : datetime",                               \
             DOC " that holds the time, moved by so many periods.", EXAMPLE, 0, KERNEL)
#define UNIX(NAME, UNIT, EXAMPLE, KERNEL)                                                          \
    FUNCTION(NAME, NULL, "(time:long) : datetime", "The time so many " UNIT " after 1970.",        \
             EXAMPLE, 0, KERNEL),                                                                  \
        FUNCTION(NAME, NULL, "(time:real) : datetime", "The time so many " UNIT " after 1970.",    \
                 NULL, 0, KERNEL)

static const FunctionDef ROWS[] = {
    FUNCTION("now", NULL, "(offset:timespan=) : datetime",
             "The time at which the query started, moved by the offset.",
             "now() > datetime(2020-01-01)", FN_CLOCK, now),
    FUNCTION("ago", NULL, "(span:timespan) : datetime",
             "The time at which the query started, less the span.", "ago(1d) < now()", FN_CLOCK,
             ago),
    FUNCTION("datetime_part", "datepart", "(part:constant(string), time:datetime) : int",
             "A part of the time as a number.", "datetime_part('month', datetime(2020-05-01)) == 5",
             0, datetime_part),
    FUNCTION("datetime_add", NULL, "(part:constant(string), amount:long, time:datetime) : datetime",
             "The time moved by so many years, days, hours ...",
             "datetime_add('month', 1, datetime(2020-01-31)) == datetime(2020-02-29)", 0,
             datetime_add),
    FUNCTION("datetime_diff", NULL, "(part:constant(string), a:datetime, b:datetime) : long",
             "How many boundaries of the part lie between the times.",
             "datetime_diff('year', datetime(2017-01-01), datetime(2016-12-31)) == 1", 0,
             datetime_diff),
    FUNCTION("dayofmonth", NULL, "(time:datetime) : int", "The day within the month.",
             "dayofmonth(datetime(2020-05-14)) == 14", 0, day_of_month),
    FUNCTION("dayofweek", NULL, "(time:datetime) : timespan", "The time since Sunday in days.",
             "dayofweek(datetime(2020-05-11)) == 1d", 0, day_of_week),
    FUNCTION("dayofyear", NULL, "(time:datetime) : int", "The day within the year.",
             "dayofyear(datetime(2020-02-01)) == 32", 0, day_of_year),
    FUNCTION("hourofday", NULL, "(time:datetime) : int", "The hour within the day.",
             "hourofday(datetime(2020-05-14 18:30)) == 18", 0, hour_of_day),
    FUNCTION("monthofyear", "getmonth", "(time:datetime) : int", "The month within the year.",
             "monthofyear(datetime(2020-05-14)) == 5", 0, month_of_year),
    FUNCTION("week_of_year", "weekofyear", "(time:datetime) : int", "The ISO 8601 week.",
             "week_of_year(datetime(2020-12-31)) == 53", 0, week_of_year),
    FUNCTION("getyear", NULL, "(time:datetime) : int", "The year.",
             "getyear(datetime(2020-05-14)) == 2020", 0, get_year),
    PERIOD("startofday", "The start of the day",
           "startofday(datetime(2020-05-14 10:00)) == datetime(2020-05-14)", start_of_day),
    PERIOD("startofweek", "The start of the week (a Sunday)",
           "startofweek(datetime(2020-05-14)) == datetime(2020-05-10)", start_of_week),
    PERIOD("startofmonth", "The start of the month",
           "startofmonth(datetime(2020-05-14)) == datetime(2020-05-01)", start_of_month),
    PERIOD("startofyear", "The start of the year",
           "startofyear(datetime(2020-05-14)) == datetime(2020-01-01)", start_of_year),
    PERIOD("endofday", "The end of the day",
           "endofday(datetime(2020-05-14)) == datetime(2020-05-15) - 1tick", end_of_day),
    PERIOD("endofweek", "The end of the week (a Saturday)",
           "endofweek(datetime(2020-05-14)) == datetime(2020-05-17) - 1tick", end_of_week),
    PERIOD("endofmonth", "The end of the month",
           "endofmonth(datetime(2020-05-14)) == datetime(2020-06-01) - 1tick", end_of_month),
    PERIOD("endofyear", "The end of the year",
           "endofyear(datetime(2020-05-14)) == datetime(2021-01-01) - 1tick", end_of_year),
    FUNCTION(
        "make_datetime", NULL,
        "(year:whole, month:whole, day:whole, hour:whole=, minute:whole=, second:real=) : datetime",
        "The time of the given date and clock, null when there is none.",
        "make_datetime(2020, 5, 14) == datetime(2020-05-14)", 0, make_datetime),
    FUNCTION("make_datetime", NULL, "(value:text) : datetime", "The time that the text names.",
             "make_datetime('2020-05-14') == datetime(2020-05-14)", 0, make_datetime_of_text),
    FUNCTION("make_timespan", NULL, "(value:text) : timespan", "The span that the text names.",
             "make_timespan('01:30:00') == 90m", 0, make_timespan_of_text),
    FUNCTION("make_timespan", NULL, "(hour:long, minute:long, second:real=) : timespan",
             "The span of the given hours, minutes and seconds.", "make_timespan(1, 30) == 90m", 0,
             make_timespan),
    FUNCTION("make_timespan", NULL, "(day:long, hour:long, minute:long, second:real) : timespan",
             "The span of the given days, hours, minutes and seconds.",
             "make_timespan(1, 0, 30, 0.5) == 1d + 30m + 500ms", 0, make_timespan),
    UNIX("unixtime_seconds_todatetime", "seconds",
         "unixtime_seconds_todatetime(86400) == datetime(1970-01-02)", unix_seconds),
    UNIX("unixtime_milliseconds_todatetime", "milliseconds",
         "unixtime_milliseconds_todatetime(86400000) == datetime(1970-01-02)", unix_milliseconds),
    UNIX("unixtime_microseconds_todatetime", "microseconds",
         "unixtime_microseconds_todatetime(86400000000) == datetime(1970-01-02)",
         unix_microseconds),
    UNIX("unixtime_nanoseconds_todatetime", "nanoseconds",
         "unixtime_nanoseconds_todatetime(86400000000000) == datetime(1970-01-02)",
         unix_nanoseconds),
    FUNCTION("format_datetime", NULL, "(time:datetime, format:constant(string)) : string",
             "The time as text; y M d H h m s f F tt stand for its parts.",
             "format_datetime(datetime(2020-05-14 18:30), 'dd.MM.yy HH:mm') == '14.05.20 18:30'", 0,
             format_datetime),
    FUNCTION("format_timespan", NULL, "(span:timespan, format:constant(string)) : string",
             "The span as text; d H m s f F stand for its parts.",
             "format_timespan(90m, 'd.HH:mm') == '0.01:30'", 0, format_timespan),
};

const FunctionSet DATETIME_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
