// Datetimes: the calendar, and the many ways in which a moment is written.
//
// Nearly every moment in our input is yyyy-MM-ddTHH:mm:ss[.fffffff]Z at fixed
// places, so that form is read first, by position. Whatever is not ISO 8601 goes
// to a small reader of words and numbers that knows RFC 822, RFC 850, asctime and
// the forms with slashes. Source: Kusto docs, "The datetime data type", the table
// of supported formats. Everything is UTC; offsets are applied, names of time
// zones other than UTC and GMT are not understood. A fraction beyond 100 ns is cut.

#include "value/scalar.h"

#include <string.h>

enum {
    DAYS_PER_400_YEARS = 146097,
    DAYS_TO_UNIX_EPOCH = 719162, // from 0001-01-01 to 1970-01-01
    DAYS_LIMIT = 3652059,        // from 0001-01-01 to 10000-01-01
};

static bool
is_leap(int32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int32_t
month_days(int32_t year, int32_t month)
{
    static const int8_t DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12)
        return 0;
    return month == 2 && is_leap(year) ? 29 : DAYS[month - 1];
}

// Days from 0001-01-01. Years are taken to begin in March, so that the leap day
// is the last of its year (Howard Hinnant, "chrono-compatible date algorithms").
static int32_t
days_from_civil(int32_t year, int32_t month, int32_t day)
{
    int32_t y = month <= 2 ? year - 1 : year;
    int32_t era = y / 400;
    int32_t year_of_era = y - era * 400;
    int32_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_400_YEARS + day_of_era - 306;
}

CivilTime
datetime_civil(int64_t ticks)
{
    CivilTime civil;
    if (ticks < 0)
        ticks = 0;
    if (ticks > DATETIME_MAX)
        ticks = DATETIME_MAX;
    int32_t days = (int32_t)(ticks / TICKS_PER_DAY);
    int64_t rest = ticks % TICKS_PER_DAY;
    civil.weekday = (days + 1) % 7; // 0001-01-01 was a Monday
    int32_t z = days + 306;
    int32_t era = z / DAYS_PER_400_YEARS;
    int32_t doe = z - era * DAYS_PER_400_YEARS;
    int32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int32_t mp = (5 * doy + 2) / 153;
    civil.day = doy - (153 * mp + 2) / 5 + 1;
    civil.month = mp < 10 ? mp + 3 : mp - 9;
    civil.year = yoe + era * 400 + (civil.month <= 2);
    civil.yearday = days - days_from_civil(civil.year, 1, 1) + 1;
    int32_t seconds = (int32_t)(rest / TICKS_PER_SECOND);
    civil.tick = (int32_t)(rest % TICKS_PER_SECOND);
    civil.hour = seconds / 3600;
    civil.minute = seconds / 60 % 60;
    civil.second = seconds % 60;
    return civil;
}

bool
datetime_from_civil(int32_t year, int32_t month, int32_t day, int64_t ticks_of_day, int64_t *out)
{
    if (year < 1 || year > 9999 || day < 1 || day > month_days(year, month) || ticks_of_day < 0 ||
        ticks_of_day >= TICKS_PER_DAY)
        return false;
    *out = days_from_civil(year, month, day) * TICKS_PER_DAY + ticks_of_day;
    return true;
}

// Two digits at a place that is known to exist; -1 when they are not digits.
static int
two_digits(const char *p)
{
    unsigned high = (unsigned)(p[0] - '0'), low = (unsigned)(p[1] - '0');
    return high > 9 || low > 9 ? -1 : (int)(high * 10 + low);
}

// A moment being put together.
typedef struct Moment {
    int32_t year, month, day;
    int64_t ticks;          // of the day
    int32_t offset_minutes; // east of UTC
} Moment;

static bool
moment_finish(const Moment *m, int64_t *out)
{
    int64_t ticks = m->ticks, result;
    bool next_day = ticks == TICKS_PER_DAY; // 24:00 is the end of the day
    if (next_day)
        ticks = 0;
    if (!datetime_from_civil(m->year, m->month, m->day, ticks, &result))
        return false;
    result += (next_day ? TICKS_PER_DAY : 0) - m->offset_minutes * TICKS_PER_MINUTE;
    if (result < 0 || result > DATETIME_MAX)
        return false;
    *out = result;
    return true;
}

// Digits of a fraction of a second to ticks; returns where they end.
static const char *
fraction_parse(const char *p, const char *end, int64_t *ticks)
{
    int64_t unit = TICKS_PER_SECOND / 10;
    for (; p < end && *p >= '0' && *p <= '9'; p++) {
        *ticks += (*p - '0') * unit;
        unit /= 10;
    }
    return p;
}

// "", Z, UTC, GMT, +hh, +hhmm, +hh:mm.
static bool
zone_parse(const char *p, const char *end, int32_t *minutes)
{
    Str zone = str_trim((Str){p, (size_t)(end - p)});
    *minutes = 0;
    if (!zone.len || str_equal_ci(zone, STR("Z")) || str_equal_ci(zone, STR("UTC")) ||
        str_equal_ci(zone, STR("GMT")))
        return true;
    if ((zone.ptr[0] != '+' && zone.ptr[0] != '-') || zone.len < 3)
        return false;
    int hours = two_digits(zone.ptr + 1), rest = 0;
    if (zone.len == 5)
        rest = two_digits(zone.ptr + 3);
    else if (zone.len == 6 && zone.ptr[3] == ':')
        rest = two_digits(zone.ptr + 4);
    else if (zone.len != 3)
        return false;
    if (hours < 0 || hours > 14 || rest < 0 || rest > 59)
        return false;
    *minutes = zone.ptr[0] == '-' ? -(hours * 60 + rest) : hours * 60 + rest;
    return true;
}

// hh:mm[:ss[.f]] at p; hours may have one digit. Returns where it ends, or NULL.
static const char *
clock_parse(const char *p, const char *end, int64_t *ticks)
{
    int parts[3] = {0, 0, 0}, count = 0;
    for (;;) {
        int digits = 0, value = 0;
        for (; p < end && *p >= '0' && *p <= '9' && digits < 3; p++, digits++)
            value = value * 10 + (*p - '0');
        if (digits < 1 || digits > 2)
            return NULL;
        parts[count++] = value;
        if (count == 3 || p == end || *p != ':')
            break;
        p++;
    }
    if (count < 2 || parts[0] > 24 || parts[1] > 59 || parts[2] > 59)
        return NULL;
    int64_t fraction = 0;
    if (count == 3 && p < end && (*p == '.' || *p == ',')) {
        if (p + 1 == end || p[1] < '0' || p[1] > '9')
            return NULL;
        p = fraction_parse(p + 1, end, &fraction);
    }
    *ticks = ((int64_t)parts[0] * 3600 + parts[1] * 60 + parts[2]) * TICKS_PER_SECOND + fraction;
    return *ticks > TICKS_PER_DAY ? NULL : p;
}

// ISO 8601: yyyy[-MM[-dd[(T| )clock[zone]]]].
static bool
iso_parse(Str text, int64_t *out)
{
    const char *p = text.ptr, *end = p + text.len;
    if (text.len < 4)
        return false;
    int century = two_digits(p), years = two_digits(p + 2);
    if (century < 0 || years < 0)
        return false;
    Moment m = {.year = century * 100 + years, .month = 1, .day = 1};
    if (text.len == 4)
        return moment_finish(&m, out);
    if (text.len < 7 || p[4] != '-' || (m.month = two_digits(p + 5)) < 0)
        return false;
    if (text.len == 7)
        return moment_finish(&m, out);
    if (text.len < 10 || p[7] != '-' || (m.day = two_digits(p + 8)) < 0)
        return false;
    p += 10;
    if (p < end && (*p == 'T' || *p == 't' || *p == ' ')) {
        // hh:mm:ss at fixed places, else the general reader.
        if (end - p >= 9 && p[3] == ':' && p[6] == ':') {
            int hour = two_digits(p + 1), minute = two_digits(p + 4), second = two_digits(p + 7);
            if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
                goto general;
            m.ticks = ((int64_t)hour * 3600 + minute * 60 + second) * TICKS_PER_SECOND;
            p += 9;
            if (end - p >= 2 && *p == '.' && p[1] >= '0' && p[1] <= '9')
                p = fraction_parse(p + 1, end, &m.ticks);
            if (end - p == 1 && *p == 'Z')
                return moment_finish(&m, out);
        } else {
        general:
            p++;
            while (p < end && *p == ' ')
                p++;
            p = clock_parse(p, end, &m.ticks);
            if (!p)
                return false;
        }
    }
    return zone_parse(p, end, &m.offset_minutes) && moment_finish(&m, out);
}

// 1 to 12 for a month's English name or its first three letters, else 0.
static int32_t
month_from_name(Str word)
{
    static const Str MONTHS[] = {
        STR_INIT("january"),   STR_INIT("february"), STR_INIT("march"),    STR_INIT("april"),
        STR_INIT("may"),       STR_INIT("june"),     STR_INIT("july"),     STR_INIT("august"),
        STR_INIT("september"), STR_INIT("october"),  STR_INIT("november"), STR_INIT("december"),
    };
    for (int32_t i = 0; i < 12; i++) {
        if (str_equal_ci(word, MONTHS[i]) || str_equal_ci(word, str_slice(MONTHS[i], 0, 3)))
            return i + 1;
    }
    return 0;
}

static bool
is_weekday(Str word)
{
    static const Str DAYS[] = {
        STR_INIT("monday"), STR_INIT("tuesday"),  STR_INIT("wednesday"), STR_INIT("thursday"),
        STR_INIT("friday"), STR_INIT("saturday"), STR_INIT("sunday"),
    };
    for (size_t i = 0; i < 7; i++) {
        if (str_equal_ci(word, DAYS[i]) || str_equal_ci(word, str_slice(DAYS[i], 0, 3)))
            return true;
    }
    return false;
}

// The words and numbers of a moment that is not ISO 8601, as they come.
typedef struct Loose {
    int32_t numbers[3]; // day, month, year in some order
    int digits[3];      // how many digits each was written with
    int count;
    int32_t named_month;
    int named_at; // how many numbers came before the month's name
    bool has_clock, is_pm, has_half;
    int64_t ticks;
    int32_t offset_minutes;
} Loose;

static bool
is_letter(char c)
{
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'z';
}

static bool
loose_word(Loose *loose, Str word)
{
    if (str_equal_ci(word, STR("am")) || str_equal_ci(word, STR("pm"))) {
        loose->is_pm = (word.ptr[0] | 0x20) == 'p';
        bool first = !loose->has_half;
        loose->has_half = true;
        return first && loose->has_clock;
    }
    int32_t month = month_from_name(word);
    if (month && !loose->named_month) {
        loose->named_month = month;
        loose->named_at = loose->count;
        return true;
    }
    return is_weekday(word);
}

// Splits the text into its parts; false at anything unknown.
static bool
loose_scan(Str text, Loose *loose)
{
    const char *p = text.ptr, *end = p + text.len;
    while (p < end) {
        if (*p == ' ' || *p == ',' || *p == '/' || *p == '.' || *p == '-') {
            p++;
        } else if (is_letter(*p)) {
            const char *start = p;
            while (p < end && is_letter(*p))
                p++;
            Str word = {start, (size_t)(p - start)};
            int32_t none;
            bool ends_zone = loose->has_clock && zone_parse(start, end, &none);
            if (ends_zone)
                return true;
            if (str_equal_ci(word, STR("t")) && loose->count == 3 && p < end && *p >= '0' &&
                *p <= '9')
                continue;
            if (!loose_word(loose, word))
                return false;
        } else if (*p >= '0' && *p <= '9') {
            const char *start = p;
            int32_t number = 0;
            while (p < end && *p >= '0' && *p <= '9' && p - start < 5)
                number = number * 10 + (*p++ - '0');
            if (p < end && *p == ':') {
                if (loose->has_clock)
                    return false;
                loose->has_clock = true;
                p = clock_parse(start, end, &loose->ticks);
                if (!p)
                    return false;
                const char *zone = p;
                while (zone < end && *zone == ' ')
                    zone++;
                if (zone < end && (*zone == '+' || *zone == '-') &&
                    zone_parse(zone, end, &loose->offset_minutes))
                    return true;
                continue;
            }
            if (loose->count == 3)
                return false;
            loose->digits[loose->count] = (int)(p - start);
            loose->numbers[loose->count++] = number;
        } else {
            return false;
        }
    }
    return true;
}

// Which number is which. With a named month: "8 Nov 2014", "Nov 8 2014"; without:
// m/d/yyyy, or d/m/yyyy when the first cannot be a month, or yyyy/m/d.
static bool
loose_order(const Loose *loose, Moment *m)
{
    const int32_t *n = loose->numbers;
    int year_at;
    if (loose->named_month) {
        if (loose->count != 2)
            return false;
        m->month = loose->named_month;
        year_at = loose->digits[0] == 4 ? 0 : 1;
        m->day = n[1 - year_at];
    } else {
        if (loose->count != 3)
            return false;
        year_at = loose->digits[0] == 4 ? 0 : 2;
        int first = year_at == 0 ? 1 : 0;
        bool day_first = n[first] > 12 && year_at == 2;
        m->month = n[first + day_first];
        m->day = n[first + !day_first];
    }
    m->year = n[year_at];
    if (loose->digits[year_at] == 2) // .NET: two-digit years are 1950 to 2049
        m->year += m->year < 50 ? 2000 : 1900;
    else if (loose->digits[year_at] != 4)
        return false;
    return true;
}

static bool
loose_parse(Str text, int64_t *out)
{
    enum { LOOSE_LONGEST = 64 };
    Loose loose = {0};
    Moment m = {0};
    if (text.len < 6 || text.len > LOOSE_LONGEST || !loose_scan(text, &loose) ||
        !loose_order(&loose, &m))
        return false;
    m.ticks = loose.ticks;
    m.offset_minutes = loose.offset_minutes;
    if (loose.has_half) {
        if (m.ticks < TICKS_PER_HOUR || m.ticks >= 13 * TICKS_PER_HOUR)
            return m.ticks < TICKS_PER_HOUR && !loose.is_pm && moment_finish(&m, out);
        bool is_twelve = m.ticks >= 12 * TICKS_PER_HOUR;
        m.ticks += (loose.is_pm ? 12 : 0) * TICKS_PER_HOUR;
        if (is_twelve)
            m.ticks -= 12 * TICKS_PER_HOUR;
    }
    return moment_finish(&m, out);
}

bool
datetime_parse(Str text, int64_t *out)
{
    text = str_trim(text);
    return iso_parse(text, out) || loose_parse(text, out);
}

static char *
put_digits(char *p, int32_t value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        p[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return p + width;
}

void
datetime_print(Buffer *out, int64_t ticks)
{
    CivilTime civil = datetime_civil(ticks);
    char *p = buffer_reserve(out, 28);
    p = put_digits(p, civil.year, 4);
    *p++ = '-';
    p = put_digits(p, civil.month, 2);
    *p++ = '-';
    p = put_digits(p, civil.day, 2);
    *p++ = 'T';
    p = put_digits(p, civil.hour, 2);
    *p++ = ':';
    p = put_digits(p, civil.minute, 2);
    *p++ = ':';
    p = put_digits(p, civil.second, 2);
    *p++ = '.';
    p = put_digits(p, civil.tick, 7);
    *p = 'Z';
    out->len += 28;
}
