#include "detect/duration.h"

#include "value/scalar.h"

// A whole number at the start of *rest, at most nine digits.
static bool
take_number(Str *rest, int64_t *out)
{
    size_t digits = 0;
    *out = 0;
    while (digits < rest->len && rest->ptr[digits] >= '0' && rest->ptr[digits] <= '9')
        *out = *out * 10 + (rest->ptr[digits++] - '0');
    *rest = str_slice(*rest, digits, rest->len);
    return digits > 0 && digits <= 9;
}

static int64_t
unit_of(char letter, bool in_time)
{
    switch (letter) {
    case 'd':
    case 'D': return in_time ? 0 : TICKS_PER_DAY;
    case 'w':
    case 'W': return in_time ? 0 : 7 * TICKS_PER_DAY;
    case 'h':
    case 'H': return TICKS_PER_HOUR;
    case 'm':
    case 'M': return TICKS_PER_MINUTE;
    case 's':
    case 'S': return TICKS_PER_SECOND;
    default: return 0;
    }
}

// P1DT2H30M: the letters before the T are of days, behind it of times.
static bool
parse_iso(Str rest, int64_t *ticks)
{
    bool in_time = false, any = false;
    *ticks = 0;
    while (rest.len) {
        if (!in_time && (rest.ptr[0] == 'T' || rest.ptr[0] == 't')) {
            in_time = true;
            rest = str_slice(rest, 1, rest.len);
            continue;
        }
        int64_t number, unit;
        if (!take_number(&rest, &number) || !rest.len)
            return false;
        bool is_day = !in_time && (unit_of(rest.ptr[0], false) >= TICKS_PER_DAY);
        unit = is_day || in_time ? unit_of(rest.ptr[0], in_time) : 0;
        if (!unit || number > 365000)
            return false;
        *ticks += number * unit;
        rest = str_slice(rest, 1, rest.len);
        any = true;
    }
    return any;
}

bool
duration_parse(Str text, int64_t *ticks)
{
    text = str_trim(text);
    if (text.len && (text.ptr[0] == 'P' || text.ptr[0] == 'p'))
        return parse_iso(str_slice(text, 1, text.len), ticks);
    Str rest = text;
    int64_t number;
    if (take_number(&rest, &number) && rest.len == 1 && unit_of(rest.ptr[0], false) &&
        number <= 365000) {
        *ticks = number * unit_of(rest.ptr[0], false);
        return true;
    }
    return text.len && timespan_parse(text, ticks) && *ticks >= 0 &&
           *ticks <= 365000 * TICKS_PER_DAY;
}

Str
duration_iso(Arena *arena, int64_t ticks)
{
    int64_t seconds = ticks / TICKS_PER_SECOND;
    int64_t days = seconds / 86400, hours = seconds / 3600 % 24, minutes = seconds / 60 % 60;
    seconds %= 60;
    Str out = days ? str_format(arena, "P%lldD", (long long)days) : STR("P");
    if (hours || minutes || seconds || !days)
        out = str_format(arena, "%.*sT", STR_ARG(out));
    if (hours)
        out = str_format(arena, "%.*s%lldH", STR_ARG(out), (long long)hours);
    if (minutes)
        out = str_format(arena, "%.*s%lldM", STR_ARG(out), (long long)minutes);
    if (seconds || (!days && !hours && !minutes))
        out = str_format(arena, "%.*s%lldS", STR_ARG(out), (long long)seconds);
    return out;
}
