// Time zones: datetime_utc_to_local() and datetime_local_to_utc().
//
// A zone is read from the system's compiled zone files (TZif, RFC 9636): a list of
// transitions, each with the offset that holds from then on, and a rule in the form
// of POSIX TZ for all times behind the last one. The files are data like any other:
// sizes and indexes are checked. A zone that is a constant is read while binding.

#include "base/array.h"
#include "base/map.h"
#include "function/registry.h"
#include "value/scalar.h"

#include <stdio.h>
#include <stdlib.h>

// When in a year a rule's change happens.
typedef struct ZoneRule {
    char kind; // 'M' month.week.day, 'J' day without 29 February, '0' day from zero
    int32_t month, week, day;
    int32_t seconds; // of the day, local time
} ZoneRule;

typedef struct Zone {
    size_t count;
    const int64_t *times;   // seconds since 1970, ascending
    const int32_t *offsets; // seconds east of UTC from times[i] on
    int32_t first_offset;   // before times[0]
    bool has_rule, has_summer;
    int32_t standard, summer; // offsets of the rule
    ZoneRule summer_start, summer_end;
} Zone;

enum { SECONDS_PER_DAY = 86400, OFFSET_MOST = 26 * 3600, FILE_MOST = 1 << 20 };

// ---- the rule of POSIX TZ ----

typedef struct RuleText {
    const char *at, *end;
} RuleText;

static bool
rule_skip(RuleText *text, char c)
{
    if (text->at == text->end || *text->at != c)
        return false;
    text->at++;
    return true;
}

static bool
rule_number(RuleText *text, int32_t *out)
{
    int32_t value = 0;
    const char *start = text->at;
    while (text->at < text->end && *text->at >= '0' && *text->at <= '9' && text->at - start < 5)
        value = value * 10 + (*text->at++ - '0');
    *out = value;
    return text->at > start;
}

// An abbreviation: letters, or anything in < >.
static bool
rule_name(RuleText *text)
{
    const char *start = text->at;
    if (rule_skip(text, '<')) {
        while (text->at < text->end && *text->at != '>')
            text->at++;
        return rule_skip(text, '>');
    }
    while (text->at < text->end && ((*text->at | 32) >= 'a' && (*text->at | 32) <= 'z'))
        text->at++;
    return text->at > start;
}

// [+-]hh[:mm[:ss]] in seconds.
static bool
rule_clock(RuleText *text, int32_t *out)
{
    bool negative = rule_skip(text, '-');
    if (!negative)
        rule_skip(text, '+');
    int32_t hour, minute = 0, second = 0;
    if (!rule_number(text, &hour) || hour > 167)
        return false;
    if (rule_skip(text, ':') && (!rule_number(text, &minute) || minute > 59))
        return false;
    if (rule_skip(text, ':') && (!rule_number(text, &second) || second > 59))
        return false;
    int32_t value = hour * 3600 + minute * 60 + second;
    *out = negative ? -value : value;
    return true;
}

static bool
rule_date(RuleText *text, ZoneRule *rule)
{
    *rule = (ZoneRule){.kind = '0', .seconds = 2 * 3600};
    if (rule_skip(text, 'M')) {
        rule->kind = 'M';
        if (!rule_number(text, &rule->month) || !rule_skip(text, '.') ||
            !rule_number(text, &rule->week) || !rule_skip(text, '.') ||
            !rule_number(text, &rule->day) || rule->month < 1 || rule->month > 12 ||
            rule->week < 1 || rule->week > 5 || rule->day > 6)
            return false;
    } else {
        if (rule_skip(text, 'J'))
            rule->kind = 'J';
        if (!rule_number(text, &rule->day) || rule->day > 365)
            return false;
    }
    return !rule_skip(text, '/') || rule_clock(text, &rule->seconds);
}

// Offsets of POSIX are west of UTC: the sign is turned.
static bool
zone_read_rule(RuleText text, Zone *zone)
{
    int32_t west;
    if (!rule_name(&text) || !rule_clock(&text, &west) || abs(west) > OFFSET_MOST)
        return false;
    zone->standard = -west;
    zone->summer = zone->standard + 3600;
    if (text.at == text.end)
        return true;
    if (!rule_name(&text))
        return false;
    if (text.at < text.end && *text.at != ',') {
        if (!rule_clock(&text, &west) || abs(west) > OFFSET_MOST)
            return false;
        zone->summer = -west;
    }
    zone->has_summer = true;
    return rule_skip(&text, ',') && rule_date(&text, &zone->summer_start) &&
           rule_skip(&text, ',') && rule_date(&text, &zone->summer_end) && text.at == text.end;
}

// Seconds since 1970 of local midnight of 1 January.
static int64_t
year_seconds(int32_t year)
{
    int64_t ticks = 0;
    datetime_from_civil(year, 1, 1, 0, &ticks);
    return (ticks - TICKS_UNIX_EPOCH) / TICKS_PER_SECOND;
}

// Local seconds since 1970 at which the rule's change happens in a year.
static int64_t
rule_seconds(const ZoneRule *rule, int32_t year)
{
    bool leap = month_days(year, 2) == 29;
    int64_t day = rule->day;
    if (rule->kind == 'J')
        day = day - 1 + (leap && day >= 60);
    if (rule->kind == 'M') {
        day = 0;
        for (int32_t month = 1; month < rule->month; month++)
            day += month_days(year, month);
        int64_t first_day = year_seconds(year) / SECONDS_PER_DAY + day;
        // 1970-01-01 was a Thursday.
        int64_t weekday = ((first_day + 4) % 7 + 7) % 7;
        int64_t in_month = (rule->day - weekday + 7) % 7 + (rule->week - 1) * 7;
        if (in_month >= month_days(year, rule->month))
            in_month -= 7;
        day += in_month;
    }
    return year_seconds(year) + day * SECONDS_PER_DAY + rule->seconds;
}

static int32_t
rule_offset(const Zone *zone, int64_t seconds)
{
    if (!zone->has_summer)
        return zone->standard;
    int64_t ticks = (seconds + zone->standard) * TICKS_PER_SECOND + TICKS_UNIX_EPOCH;
    ticks = ticks < 0 ? 0 : ticks > DATETIME_MAX ? DATETIME_MAX : ticks;
    int32_t year = datetime_civil(ticks).year;
    int64_t start = rule_seconds(&zone->summer_start, year) - zone->standard;
    int64_t end = rule_seconds(&zone->summer_end, year) - zone->summer;
    bool summer =
        start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end;
    return summer ? zone->summer : zone->standard;
}

// Offset from UTC at a UTC time, both in seconds.
static int32_t
zone_offset(const Zone *zone, int64_t seconds)
{
    if (!zone->count || seconds < zone->times[0])
        return zone->count || !zone->has_rule ? zone->first_offset : rule_offset(zone, seconds);
    if (zone->has_rule && seconds >= zone->times[zone->count - 1])
        return rule_offset(zone, seconds);
    size_t low = 0, high = zone->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (zone->times[middle] <= seconds)
            low = middle;
        else
            high = middle;
    }
    return zone->offsets[low];
}

// ---- the file ----

static int64_t
read_big_endian(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t b = 0; b < size; b++)
        value = value << 8 | bytes[b];
    return size == 4 ? (int32_t)(uint32_t)value : (int64_t)value;
}

// Sizes of the parts of one TZif block.
typedef struct ZoneHeader {
    size_t utc_flags, standard_flags, leaps, times, types, names;
} ZoneHeader;

enum { HEADER_BYTES = 44, TYPE_BYTES = 6 };

static bool
header_read(Str file, size_t at, ZoneHeader *header)
{
    if (at + HEADER_BYTES > file.len || memcmp(file.ptr + at, "TZif", 4) != 0)
        return false;
    size_t *fields[] = {&header->utc_flags, &header->standard_flags, &header->leaps,
                        &header->times,     &header->types,          &header->names};
    for (size_t f = 0; f < COUNT_OF(fields); f++) {
        int64_t value = read_big_endian((const uint8_t *)file.ptr + at + 20 + f * 4, 4);
        if (value < 0 || value > FILE_MOST)
            return false;
        *fields[f] = (size_t)value;
    }
    return header->types > 0;
}

static size_t
block_size(const ZoneHeader *header, size_t time_size)
{
    return HEADER_BYTES + header->times * (time_size + 1) + header->types * TYPE_BYTES +
           header->names + header->leaps * (time_size + 4) + header->standard_flags +
           header->utc_flags;
}

// Reads the block of 64-bit times (version 2 and later) and the rule behind it.
static bool
zone_read(Arena *arena, Str file, Zone *zone)
{
    ZoneHeader header;
    size_t time_size = 4, at = 0;
    if (!header_read(file, 0, &header))
        return false;
    if (file.ptr[4] >= '2') {
        at = block_size(&header, time_size);
        time_size = 8;
        if (!header_read(file, at, &header))
            return false;
    }
    size_t end = at + block_size(&header, time_size);
    if (end > file.len)
        return false;
    const uint8_t *times = (const uint8_t *)file.ptr + at + HEADER_BYTES;
    const uint8_t *indexes = times + header.times * time_size;
    const uint8_t *types = indexes + header.times;
    int64_t *kept_times = ARENA_ARRAY(arena, int64_t, header.times);
    int32_t *kept_offsets = ARENA_ARRAY(arena, int32_t, header.times);
    zone->count = header.times;
    zone->times = kept_times;
    zone->offsets = kept_offsets;
    zone->first_offset = (int32_t)read_big_endian(types, 4);
    for (size_t t = 0; t < header.times; t++) {
        kept_times[t] = read_big_endian(times + t * time_size, time_size);
        if (indexes[t] >= header.types)
            return false;
        kept_offsets[t] = (int32_t)read_big_endian(types + indexes[t] * TYPE_BYTES, 4);
        if ((t && kept_times[t] <= kept_times[t - 1]) || kept_offsets[t] < -OFFSET_MOST ||
            kept_offsets[t] > OFFSET_MOST)
            return false;
    }
    if (time_size == 8 && end + 2 < file.len && file.ptr[end] == '\n') {
        RuleText rule = {file.ptr + end + 1, file.ptr + file.len};
        if (rule.end[-1] == '\n')
            rule.end--;
        zone->has_rule = rule.at < rule.end && zone_read_rule(rule, zone);
    }
    return true;
}

// Names are relative paths of letters, digits and _ + - / that do not climb.
static bool
zone_name_is_safe(Str name)
{
    if (!name.len || name.len > 64 || name.ptr[0] == '/')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '+' || c == '-' || c == '/';
        if (!ok)
            return false;
    }
    return true;
}

// The zone of that name, NULL when the system does not have it.
static Zone *
zone_open(Arena *arena, Str name)
{
    static const char *const FOLDERS[] = {"/usr/share/zoneinfo", "/usr/lib/zoneinfo",
                                          "/usr/share/lib/zoneinfo"};
    if (!zone_name_is_safe(name))
        return NULL;
    FILE *stream = NULL;
    for (size_t f = 0; !stream && f < COUNT_OF(FOLDERS); f++) {
        Str path = str_format(arena, "%s/%.*s", FOLDERS[f], STR_ARG(name));
        stream = fopen(str_cstr(arena, path), "rbe");
    }
    if (!stream)
        return NULL;
    Buffer file = {0};
    size_t got;
    do {
        got = fread(buffer_reserve(&file, 4096), 1, 4096, stream);
        file.len += got;
    } while (got && file.len < FILE_MOST);
    fclose(stream);
    Zone *zone = ARENA_NEW(arena, Zone);
    bool ok = zone_read(arena, buffer_slice(&file), zone);
    buffer_free(&file);
    return ok ? zone : NULL;
}

// ---- kernels ----

static bool
zone_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
          Type *type, const void **bound, AzError *error)
{
    (void)fn, (void)arg_count, (void)span, (void)type;
    if (args[1]->kind != EXPR_CONST)
        return true;
    Str name = text_str(&args[1]->value.text);
    *bound = zone_open(arena, name);
    if (!*bound)
        return error_at(error, AZ_SEMANTIC, args[1]->span,
                        "there is no time zone '%.*s' on this system; names are those of the IANA "
                        "database, such as Europe/Paris",
                        STR_ARG(name));
    return true;
}

// Zones that rows name, each opened once a batch.
static const Zone *
arg_zone(ScalarCall *call, uint32_t i, Map *zones)
{
    if (call->bound)
        return call->bound;
    bool is_new;
    MapEntry *entry = map_add(zones, arg_str(call, 1, i), &is_new);
    if (is_new)
        entry->pointer = zone_open(call->arena, entry->key);
    return entry->pointer;
}

static int64_t
seconds_of(int64_t ticks)
{
    // Rounded down; datetimes are never negative, their distance to 1970 may be.
    return ticks / TICKS_PER_SECOND - TICKS_UNIX_EPOCH / TICKS_PER_SECOND;
}

// The offset that a local time has. A time that a change skips is read with the
// offset after it; of a time that comes twice the standard one is taken.
static int32_t
local_offset(const Zone *zone, int64_t local)
{
    int32_t before = zone_offset(zone, local - SECONDS_PER_DAY);
    int32_t after = zone_offset(zone, local + SECONDS_PER_DAY);
    bool before_fits = zone_offset(zone, local - before) == before;
    bool after_fits = zone_offset(zone, local - after) == after;
    if (before_fits && after_fits)
        return before < after ? before : after;
    return before_fits ? before : after;
}

static void
zone_rows(ScalarCall *call, bool to_local)
{
    Map zones;
    map_init(&zones, call->arena, false);
    for (uint32_t i = 0; i < call->count; i++) {
        if (arg_is_null(call, 0, i))
            continue;
        const Zone *zone = arg_zone(call, i, &zones);
        int64_t ticks = ARG(call, 0, int64_t, i);
        if (zone && to_local)
            ticks += zone_offset(zone, seconds_of(ticks)) * (int64_t)TICKS_PER_SECOND;
        else if (zone)
            ticks -= local_offset(zone, seconds_of(ticks)) * (int64_t)TICKS_PER_SECOND;
        if (zone && ticks >= 0 && ticks <= DATETIME_MAX)
            ((int64_t *)call->out)[i] = ticks;
        else
            out_null(call, i);
    }
}

static void
utc_to_local(ScalarCall *call)
{
    zone_rows(call, true);
}

static void
local_to_utc(ScalarCall *call)
{
    zone_rows(call, false);
}

// ---- the names ----

typedef struct NameList {
    Str *items;
    size_t len, cap;
} NameList;

static int
name_order(const void *a, const void *b)
{
    return str_compare(*(const Str *)a, *(const Str *)b);
}

// The names of the system's list: "Z name ..." is a zone, "L target name" another spelling.
static void
read_names(Arena *arena, NameList *names)
{
    static const char *const FILES[] = {"/usr/share/zoneinfo/tzdata.zi",
                                        "/usr/lib/zoneinfo/tzdata.zi",
                                        "/usr/share/lib/zoneinfo/tzdata.zi"};
    FILE *stream = NULL;
    for (size_t f = 0; !stream && f < COUNT_OF(FILES); f++)
        stream = fopen(FILES[f], "re");
    char line[512], name[256];
    while (stream && fgets(line, sizeof(line), stream)) {
        bool found = line[0] == 'Z'   ? sscanf(line, "Z %255s", name) == 1
                     : line[0] == 'L' ? sscanf(line, "L %*s %255s", name) == 1
                                      : false;
        if (found)
            ARRAY_PUSH(arena, names, str_copy(arena, str_from(name)));
    }
    if (stream)
        fclose(stream);
    if (names->len)
        qsort(names->items, names->len, sizeof(Str), name_order);
}

static void
list_timezones(ScalarCall *call)
{
    Arena arena = {0};
    NameList names = {0};
    read_names(&arena, &names);
    for (uint32_t i = 0; i < call->count; i++) {
        out_array_begin(call);
        for (size_t n = 0; n < names.len; n++)
            dyn_push_string(call->scratch->dyn, names.items[n]);
        out_array_finish(call, i);
    }
    arena_free(&arena);
}

static bool
list_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
          Type *type, const void **bound, AzError *error)
{
    (void)args, (void)arg_count, (void)type, (void)bound;
    NameList names = {0};
    read_names(arena, &names);
    return names.len || error_at(error, AZ_SEMANTIC, span,
                                 "%s() needs the list of the package tzdata, which is not "
                                 "installed here (/usr/share/zoneinfo/tzdata.zi)",
                                 fn->name);
}

static const ScalarImpl list_timezones_impl = {list_timezones, list_bind};
static const ScalarImpl utc_to_local_impl = {utc_to_local, zone_bind};
static const ScalarImpl local_to_utc_impl = {local_to_utc, zone_bind};

static const FunctionDef ROWS[] = {
    {"datetime_utc_to_local", NULL, "(time:datetime, zone:string) : datetime",
     "The local time of a time zone at a time in UTC.",
     "datetime_utc_to_local(datetime(2020-07-01 12:00), 'Europe/Paris') == "
     "datetime(2020-07-01 14:00)",
     FUNCTION_SCALAR, 0, &utc_to_local_impl},
    {"datetime_list_timezones", NULL, "() : dynamic", "The names of the time zones known here.",
     "set_has_element(datetime_list_timezones(), 'Europe/Paris')", FUNCTION_SCALAR, 0,
     &list_timezones_impl},
    {"datetime_local_to_utc", NULL, "(time:datetime, zone:string) : datetime",
     "The time in UTC at a local time of a time zone.",
     "datetime_local_to_utc(datetime(2020-07-01 14:00), 'Europe/Paris') == "
     "datetime(2020-07-01 12:00)",
     FUNCTION_SCALAR, 0, &local_to_utc_impl},
};

const FunctionSet TIMEZONE_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
