// Functions of time. A time keeps its offset and the digits of its fraction, as .NET's
// DateTimeOffset prints them; durations are ISO 8601 with a year of 365 and a month of 30 days.

#include "azure/policy/program.h"

#include "value/scalar.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Moment {
    int64_t local;  // ticks on the clock that was written
    int64_t offset; // ticks east of UTC
    int digits;     // of the fraction
} Moment;

// Digits that follow the last ':' and a '.', and where the zone begins.
static bool
parse_moment(Str text, Moment *out)
{
    int64_t utc;
    text = str_trim(text);
    if (text.len < 10 || text.len > 64 || !isdigit((unsigned char)text.ptr[0]) ||
        !datetime_parse(text, &utc))
        return false;
    *out = (Moment){.local = utc};
    size_t at = 10;
    while (at < text.len && !strchr("Zz+.", text.ptr[at]) && text.ptr[at] != '-')
        at++;
    if (at < text.len && text.ptr[at] == '.') {
        size_t from = ++at;
        while (at < text.len && isdigit((unsigned char)text.ptr[at]))
            at++;
        out->digits = at - from > 7 ? 7 : (int)(at - from);
    }
    if (at + 5 <= text.len && (text.ptr[at] == '+' || text.ptr[at] == '-')) {
        int hours = atoi((char[]){text.ptr[at + 1], text.ptr[at + 2], '\0'});
        size_t minute = at + (text.ptr[at + 3] == ':' ? 4 : 3);
        int minutes = minute + 2 <= text.len
                          ? atoi((char[]){text.ptr[minute], text.ptr[minute + 1], '\0'})
                          : 0;
        out->offset =
            (hours * TICKS_PER_HOUR + minutes * TICKS_PER_MINUTE) * (text.ptr[at] == '-' ? -1 : 1);
        out->local += out->offset;
    }
    return out->local >= 0 && out->local <= DATETIME_MAX;
}

static const char *const DAYS[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};
static const char *const MONTHS[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

static void
put_zone(Buffer *out, int64_t offset, bool zulu)
{
    if (!offset && zulu) {
        buffer_char(out, 'Z');
        return;
    }
    int64_t minutes = llabs(offset) / TICKS_PER_MINUTE;
    buffer_printf(out, "%c%02d:%02d", offset < 0 ? '-' : '+', (int)(minutes / 60),
                  (int)(minutes % 60));
}

static void
put_fraction(Buffer *out, int32_t tick, int digits)
{
    char text[16];
    snprintf(text, sizeof text, "%07d", tick);
    buffer_put(out, text, (size_t)(digits > 7 ? 7 : digits));
}

// A custom pattern of .NET: runs of letters, quoted text, and what stands for itself.
static bool
put_pattern(Buffer *out, const Moment *moment, Str pattern)
{
    CivilTime t = datetime_civil(moment->local);
    for (size_t i = 0; i < pattern.len;) {
        char c = pattern.ptr[i];
        size_t run = 1;
        while (i + run < pattern.len && pattern.ptr[i + run] == c)
            run++;
        int width = run >= 2 ? 2 : 1;
        if (c == '\'' || c == '"') {
            const char *end = memchr(pattern.ptr + i + 1, c, pattern.len - i - 1);
            if (!end)
                return false;
            buffer_put(out, pattern.ptr + i + 1, (size_t)(end - pattern.ptr) - i - 1);
            run = (size_t)(end - pattern.ptr) - i + 1;
        } else if (c == '\\' && i + 1 < pattern.len) {
            buffer_char(out, pattern.ptr[i + 1]);
            run = 2;
        } else if (c == 'y') {
            buffer_printf(out, "%0*d", (int)(run > 8 ? 8 : run), run <= 2 ? t.year % 100 : t.year);
        } else if (c == 'M') {
            if (run >= 3)
                buffer_printf(out, "%.*s", run == 3 ? 3 : 20, MONTHS[t.month - 1]);
            else
                buffer_printf(out, "%0*d", width, t.month);
        } else if (c == 'd') {
            if (run >= 3)
                buffer_printf(out, "%.*s", run == 3 ? 3 : 20, DAYS[t.weekday]);
            else
                buffer_printf(out, "%0*d", width, t.day);
        } else if (c == 'H') {
            buffer_printf(out, "%0*d", width, t.hour);
        } else if (c == 'h') {
            buffer_printf(out, "%0*d", width, t.hour % 12 ? t.hour % 12 : 12);
        } else if (c == 'm') {
            buffer_printf(out, "%0*d", width, t.minute);
        } else if (c == 's') {
            buffer_printf(out, "%0*d", width, t.second);
        } else if (c == 'f') {
            put_fraction(out, t.tick, (int)run);
        } else if (c == 'F') {
            char text[16];
            int digits = snprintf(text, sizeof text, "%07d", t.tick);
            digits = (int)run < digits ? (int)run : digits;
            while (digits && text[digits - 1] == '0')
                digits--;
            buffer_put(out, text, (size_t)digits);
        } else if (c == 't') {
            buffer_text(out, run == 1 ? (t.hour < 12 ? "A" : "P") : (t.hour < 12 ? "AM" : "PM"));
        } else if (c == 'K') {
            put_zone(out, moment->offset, true);
        } else if (c == 'z') {
            put_zone(out, moment->offset, false);
        } else {
            buffer_put(out, pattern.ptr + i, run);
        }
        i += run;
    }
    return true;
}

// Standard formats of one letter as patterns of the invariant culture.
static bool
put_moment(Buffer *out, const Moment *moment, Str format)
{
    static const struct {
        char letter;
        bool utc;
        const char *pattern;
    } STANDARD[] = {
        {'d', false, "MM/dd/yyyy"},
        {'D', false, "dddd, dd MMMM yyyy"},
        {'t', false, "HH:mm"},
        {'T', false, "HH:mm:ss"},
        {'f', false, "dddd, dd MMMM yyyy HH:mm"},
        {'F', false, "dddd, dd MMMM yyyy HH:mm:ss"},
        {'g', false, "MM/dd/yyyy HH:mm"},
        {'G', false, "MM/dd/yyyy HH:mm:ss"},
        {'m', false, "MMMM dd"},
        {'M', false, "MMMM dd"},
        {'y', false, "yyyy MMMM"},
        {'Y', false, "yyyy MMMM"},
        {'o', false, "yyyy-MM-ddTHH:mm:ss.fffffffK"},
        {'O', false, "yyyy-MM-ddTHH:mm:ss.fffffffK"},
        {'s', false, "yyyy-MM-ddTHH:mm:ss"},
        {'u', true, "yyyy-MM-dd HH:mm:ss'Z'"},
        {'r', true, "ddd, dd MMM yyyy HH:mm:ss 'GMT'"},
        {'R', true, "ddd, dd MMM yyyy HH:mm:ss 'GMT'"},
    };
    if (!format.len) {
        put_pattern(out, moment, STR("yyyy-MM-ddTHH:mm:ss"));
        if (moment->digits) {
            buffer_char(out, '.');
            put_fraction(out, datetime_civil(moment->local).tick, moment->digits);
        }
        put_zone(out, moment->offset, true);
        return true;
    }
    if (format.len > 1)
        return put_pattern(out, moment, format);
    for (size_t i = 0; i < sizeof STANDARD / sizeof STANDARD[0]; i++) {
        if (STANDARD[i].letter != format.ptr[0])
            continue;
        Moment shown = *moment;
        if (STANDARD[i].utc)
            shown.local -= shown.offset;
        return put_pattern(out, &shown, str_from(STANDARD[i].pattern));
    }
    return false;
}

static bool
give(Eval *eval, const Moment *moment, Str format, PolicyValue *out)
{
    Buffer text = {0};
    bool good = put_moment(&text, moment, format);
    if (good)
        *out = policy_text(str_copy(eval->arena, buffer_slice(&text)));
    buffer_free(&text);
    return good || eval_fail(eval, "there is no such format of a time");
}

static bool
shift(Eval *eval, const PolicyValue *time, int64_t by, Str format, PolicyValue *out)
{
    Moment moment;
    int64_t moved;
    if (time->kind != POLICY_STRING || !parse_moment(time->text, &moment))
        return eval_fail(eval, "a time such as 2026-01-31T12:00:00Z is expected");
    if (__builtin_add_overflow(moment.local, by, &moved) || moved < 0 || moved > DATETIME_MAX)
        return eval_fail(eval, "the time lies outside of the years 1 to 9999");
    moment.local = moved;
    return give(eval, &moment, format, out);
}

static bool
fn_add_days(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    int64_t ticks;
    if (args[1].kind != POLICY_LONG ||
        __builtin_mul_overflow(args[1].integer, TICKS_PER_DAY, &ticks))
        return eval_fail(eval, "addDays() takes a time and a number of days");
    return shift(eval, &args[0], ticks, (Str){0}, out);
}

// [-]P[nY][nM][nD][T[nH][nM][nS]]
static bool
parse_duration(Str text, int64_t *out)
{
    static const struct {
        char letter;
        bool time;
        int64_t ticks;
    } UNITS[] = {
        {'Y', false, 365 * TICKS_PER_DAY}, {'M', false, 30 * TICKS_PER_DAY},
        {'W', false, 7 * TICKS_PER_DAY},   {'D', false, TICKS_PER_DAY},
        {'H', true, TICKS_PER_HOUR},       {'M', true, TICKS_PER_MINUTE},
        {'S', true, TICKS_PER_SECOND},
    };
    bool negative = str_starts(text, STR("-")), time = false, any = false;
    size_t at = negative;
    double total = 0;
    if (at >= text.len || text.ptr[at++] != 'P')
        return false;
    while (at < text.len) {
        if (text.ptr[at] == 'T' && !time) {
            time = true;
            at++;
            continue;
        }
        size_t from = at;
        double number;
        while (at < text.len && (isdigit((unsigned char)text.ptr[at]) || text.ptr[at] == '.'))
            at++;
        if (at == from || at == text.len || at - from > 12 ||
            !real_parse(str_slice(text, from, at), &number))
            return false;
        size_t unit = 0, count = sizeof UNITS / sizeof UNITS[0];
        while (unit < count && (UNITS[unit].letter != text.ptr[at] || UNITS[unit].time != time))
            unit++;
        if (unit == count)
            return false;
        total += number * (double)UNITS[unit].ticks;
        any = true;
        at++;
    }
    if (!any || total > 4e18)
        return false;
    *out = negative ? -(int64_t)total : (int64_t)total;
    return true;
}

static bool
fn_date_time_add(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    int64_t ticks;
    if (args[1].kind != POLICY_STRING || !parse_duration(args[1].text, &ticks) ||
        (count == 3 && args[2].kind != POLICY_STRING))
        return eval_fail(eval, "dateTimeAdd() takes a time, a duration such as P1D and a format");
    return shift(eval, &args[0], ticks, count == 3 ? args[2].text : (Str){0}, out);
}

static bool
fn_date_time_from_epoch(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    Moment moment = {0};
    int64_t ticks;
    if (args[0].kind != POLICY_LONG ||
        __builtin_mul_overflow(args[0].integer, (int64_t)TICKS_PER_SECOND, &ticks) ||
        __builtin_add_overflow(ticks, TICKS_UNIX_EPOCH, &moment.local) || moment.local < 0 ||
        moment.local > DATETIME_MAX)
        return eval_fail(eval, "dateTimeFromEpoch() takes seconds since 1970");
    return give(eval, &moment, (Str){0}, out);
}

static bool
fn_date_time_to_epoch(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    Moment moment;
    if (args[0].kind != POLICY_STRING || !parse_moment(args[0].text, &moment))
        return eval_fail(eval, "dateTimeToEpoch() takes a time");
    int64_t ticks = moment.local - moment.offset - TICKS_UNIX_EPOCH;
    int64_t seconds = ticks / TICKS_PER_SECOND - (ticks % TICKS_PER_SECOND < 0);
    *out = policy_long(seconds);
    return true;
}

static bool
fn_utc_now(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    Moment moment = {.local = eval->context->now};
    moment.digits = moment.local % TICKS_PER_SECOND ? 7 : 0;
    if (count && args[0].kind != POLICY_STRING)
        return eval_fail(eval, "utcNow() takes a format");
    return give(eval, &moment, count ? args[0].text : (Str){0}, out);
}

const PolicyFunction FUNCTIONS_TIME[] = {
    {"addDays", 2, 2, false, fn_add_days, NULL},
    {"utcNow", 0, 1, false, fn_utc_now, NULL},
    {"dateTimeAdd", 2, 3, true, fn_date_time_add, NULL},
    {"dateTimeFromEpoch", 1, 1, true, fn_date_time_from_epoch, NULL},
    {"dateTimeToEpoch", 1, 1, true, fn_date_time_to_epoch, NULL},
    {NULL, 0, 0, false, NULL, NULL},
};
