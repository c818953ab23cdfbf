// Names as Azure makes them: columns with the type at their end, custom tables ending in _CL.
//
// A property that has no column becomes one: its path joined with "_", other letters replaced
// by "_", and _s string, _d number, _b bool, _t time or _g GUID behind it. When the table has the
// property's column of another type that takes the value too, that one is used.
// Sources: Azure Monitor, "AzureDiagnostics" table reference; "HTTP Data Collector API", record
// type and properties.

#include "telemetry/formats.h"

#include "base/array.h"
#include "value/scalar.h"

enum { COLUMN_NAME_MAX = 256, TABLE_NAME_MAX = 120, TABLES_MAX = 2000, GUID_TEXT = 36 };

static const struct {
    Str suffix;
    Type type;
} suffixes[] = {
    {STR_INIT("_s"), TYPE_STRING},   {STR_INIT("_d"), TYPE_REAL}, {STR_INIT("_b"), TYPE_BOOL},
    {STR_INIT("_t"), TYPE_DATETIME}, {STR_INIT("_g"), TYPE_GUID},
};

static bool
is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

Str
column_name_clean(Arena *arena, Str name)
{
    name = str_trim(name);
    if (str_ends(name, STR(" [UTC]")))
        name.len -= STR(" [UTC]").len;
    if (!name.len || name.len > COLUMN_NAME_MAX)
        return (Str){0};
    char *clean = str_cstr(arena, name);
    for (size_t i = 0; i < name.len; i++)
        if (!is_name_char(clean[i]))
            clean[i] = '_';
    return (Str){clean, name.len};
}

static bool
is_guid_text(Str text)
{
    Guid guid;
    return text.len == GUID_TEXT && text.ptr[8] == '-' && guid_parse(text, &guid);
}

static bool
is_time_text(Str text)
{
    int64_t ticks;
    return text.len >= STR("2026-01-31T12:00").len && text.ptr[4] == '-' && text.ptr[7] == '-' &&
           text.ptr[10] == 'T' && datetime_parse(text, &ticks);
}

static bool
is_number_text(Str text)
{
    double real;
    Str digits = str_starts(text, STR("-")) ? str_slice(text, 1, text.len) : text;
    return digits.len && digits.ptr[0] >= '0' && digits.ptr[0] <= '9' &&
           (digits.ptr[0] != '0' || digits.len == 1 || digits.ptr[1] == '.') &&
           real_parse(text, &real);
}

// The type a value has by itself.
static Type
value_type(const JsonMember *value, bool csv)
{
    switch (value->kind) {
    case DYN_BOOL: return TYPE_BOOL;
    case DYN_LONG:
    case DYN_REAL:
    case DYN_DECIMAL: return TYPE_REAL;
    case DYN_STRING: break;
    default: return TYPE_STRING; // objects and lists: their JSON text
    }
    Str text = value->string;
    if (is_guid_text(text))
        return TYPE_GUID;
    if (is_time_text(text))
        return TYPE_DATETIME;
    if (csv && is_number_text(text))
        return TYPE_REAL;
    bool truth = str_equal_ci(text, STR("true")) || str_equal_ci(text, STR("false"));
    return csv && truth ? TYPE_BOOL : TYPE_STRING;
}

// Whether a column of that type takes the value without changing it.
static bool
type_takes(Type type, const JsonMember *value)
{
    bool is_text = value->kind == DYN_STRING;
    switch (type) {
    case TYPE_STRING: return true;
    case TYPE_REAL:
        return value->kind == DYN_LONG || value->kind == DYN_REAL ||
               (is_text && is_number_text(value->string));
    case TYPE_BOOL:
        return value->kind == DYN_BOOL || (is_text && (str_equal_ci(value->string, STR("true")) ||
                                                       str_equal_ci(value->string, STR("false"))));
    case TYPE_DATETIME: return is_text && is_time_text(value->string);
    case TYPE_GUID: return is_text && is_guid_text(value->string);
    default: return false;
    }
}

Type
column_suffix_type(Str name)
{
    for (size_t i = 0; i < COUNT_OF(suffixes); i++)
        if (str_ends(name, suffixes[i].suffix))
            return suffixes[i].type;
    return TYPE_NONE;
}

static bool
has_column(const TableInfo *table, Str name)
{
    const MapEntry *entry = map_find(&table->columns, name);
    return entry && str_equal(table->schema->columns[entry->number].name, name);
}

Str
column_name_suffixed(Arena *arena, const TableInfo *table, Str name, const JsonMember *value,
                     bool csv, Type *type)
{
    *type = value_type(value, csv);
    Str own = {0};
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        if (!table->suffixed && str_ends(name, suffixes[i].suffix) &&
            type_takes(suffixes[i].type, value)) {
            *type = suffixes[i].type;
            return name;
        }
        if (suffixes[i].type == *type)
            own = str_format(arena, "%.*s%.*s", STR_ARG(name), STR_ARG(suffixes[i].suffix));
    }
    if (has_column(table, own))
        return own;
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        Str other = str_format(arena, "%.*s%.*s", STR_ARG(name), STR_ARG(suffixes[i].suffix));
        if (has_column(table, other) && type_takes(suffixes[i].type, value)) {
            *type = suffixes[i].type;
            return other;
        }
    }
    return own;
}

static bool
is_custom(Str name)
{
    return str_ends(name, STR("_CL"));
}

bool
telemetry_declared(const Telemetry *telemetry, Str name)
{
    return map_find(&telemetry->names, name) != NULL;
}

static TableInfo *
table_make(Telemetry *telemetry, Str name)
{
    static const Schema none = {0};
    TableInfo *table = ARENA_NEW(&telemetry->arena, TableInfo);
    TableKind kind = TABLE_LOG;
    table->declared =
        content_schema(telemetry->content, name, &table->name, &table->schema, &kind) &&
        kind == TABLE_LOG;
    if (!table->declared) {
        table->name = str_copy(&telemetry->arena, name);
        table->schema = &none;
    }
    table->suffixed = str_equal(table->name, STR("AzureDiagnostics"));
    table->open = !table->declared || table->suffixed || is_custom(table->name);
    table->rules = map_get(&telemetry->table_rules, table->name);
    map_init(&table->columns, &telemetry->arena, true);
    for (uint32_t i = 0; i < table->schema->count; i++) {
        bool is_new;
        MapEntry *entry = map_add(&table->columns, table->schema->columns[i].name, &is_new);
        if (is_new)
            entry->number = i;
    }
    return table;
}

const TableInfo *
telemetry_table(const Telemetry *shared, Str name)
{
    Telemetry *telemetry = (Telemetry *)(uintptr_t)shared; // what `mutex` guards may change
    if (!name.len || name.len > TABLE_NAME_MAX || (name.ptr[0] >= '0' && name.ptr[0] <= '9'))
        return NULL;
    for (size_t i = 0; i < name.len; i++)
        if (!is_name_char(name.ptr[i]))
            return NULL;
    pthread_mutex_lock(&telemetry->mutex);
    TableInfo *table = map_get(&telemetry->tables, name);
    if (!table && telemetry->tables.len < TABLES_MAX) {
        table = table_make(telemetry, name);
        map_put(&telemetry->tables, str_copy(&telemetry->arena, name), table);
    }
    pthread_mutex_unlock(&telemetry->mutex);
    return table;
}

// Of a file's path: its name without endings; of a blob PT1H.json the container's name
// (insights-logs-auditevent, am-SigninLogs) without its beginning.
static Str
file_stem(Str path)
{
    static const Str containers[] = {STR_INIT("insights-logs-"), STR_INIT("am-")};
    size_t at = path.len;
    while (at && path.ptr[at - 1] != '/')
        at--;
    Str base = str_slice(path, at, path.len);
    ptrdiff_t dot = str_find(base, STR("."));
    Str stem = str_slice(base, 0, dot < 0 ? base.len : (size_t)dot);
    if (!str_equal_ci(stem, STR("PT1H")) && !str_equal_ci(stem, STR("PT05M")))
        return stem;
    for (size_t from = 0; from < path.len;) {
        size_t end = from;
        while (end < path.len && path.ptr[end] != '/')
            end++;
        Str segment = str_slice(path, from, end);
        for (size_t i = 0; i < COUNT_OF(containers); i++)
            if (str_starts(segment, containers[i]))
                return str_slice(segment, containers[i].len, segment.len);
        from = end + 1;
    }
    return stem;
}

Str
telemetry_file_table(const Telemetry *telemetry, Arena *arena, Str path, bool *declared)
{
    Str stem = file_stem(path), best = {0};
    for (size_t end = stem.len; end > 0 && !best.len; end--) {
        bool word = end == stem.len || !is_name_char(stem.ptr[end]) || stem.ptr[end] == '_';
        Str begin = str_slice(stem, 0, end);
        if (word && (telemetry_declared(telemetry, begin) || is_custom(begin)))
            best = begin;
    }
    *declared = best.len > 0;
    if (best.len)
        return str_copy(arena, best);
    Str clean = column_name_clean(arena, str_slice(stem, 0, TABLE_NAME_MAX - 8));
    bool digit = clean.len && clean.ptr[0] >= '0' && clean.ptr[0] <= '9';
    return str_format(arena, "%s%.*s_CL", digit || !clean.len ? "Log_" : "", STR_ARG(clean));
}

// Names that all tables have say nothing about which one it is.
static bool
is_standard(Str name)
{
    static const Str names[] = {
        STR_INIT("TenantId"),    STR_INIT("TimeGenerated"),
        STR_INIT("Type"),        STR_INIT("SourceSystem"),
        STR_INIT("_ResourceId"), STR_INIT("_SubscriptionId"),
        STR_INIT("MG"),          STR_INIT("ManagementGroupName"),
        STR_INIT("Computer"),    STR_INIT("RawData"),
        STR_INIT("_ItemId"),     STR_INIT("_TimeReceived"),
    };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal(names[i], name))
            return true;
    return false;
}

static const TableInfo *
best_table(const Telemetry *telemetry, const Str *names, size_t count)
{
    enum { LEAST_NAMES = 4 };
    const TableInfo *best = NULL;
    size_t best_known = 0, told = 0;
    for (size_t i = 0; i < count; i++)
        told += !is_standard(names[i]);
    if (told < LEAST_NAMES)
        return NULL;
    for (size_t t = 0; t < telemetry->names.len; t++) {
        const TableInfo *table = telemetry_table(telemetry, telemetry->names.entries[t].key);
        size_t known = 0;
        for (size_t i = 0; table && table->declared && i < count; i++)
            known += !is_standard(names[i]) && map_find(&table->columns, names[i]) != NULL;
        bool better = known > best_known || (known && known == best_known && best &&
                                             table->schema->count < best->schema->count);
        if (better && known * 5 >= told * 4) {
            best = table;
            best_known = known;
        }
    }
    return best;
}

const TableInfo *
telemetry_table_of_columns(const Telemetry *shared, const Str *names, size_t count)
{
    enum { ANSWERS_MAX = 500 };
    static TableInfo none;
    Telemetry *telemetry = (Telemetry *)(uintptr_t)shared;
    Buffer key = {0};
    for (size_t i = 0; i < count; i++) {
        buffer_str(&key, names[i]);
        buffer_char(&key, '\n');
    }
    pthread_mutex_lock(&telemetry->mutex);
    const TableInfo *table = map_get(&telemetry->by_columns, buffer_slice(&key));
    bool full = telemetry->by_columns.len >= ANSWERS_MAX;
    pthread_mutex_unlock(&telemetry->mutex);
    if (!table && !full) {
        table = best_table(telemetry, names, count);
        pthread_mutex_lock(&telemetry->mutex);
        map_put(&telemetry->by_columns, str_copy(&telemetry->arena, buffer_slice(&key)),
                (void *)(uintptr_t)(table ? table : &none));
        pthread_mutex_unlock(&telemetry->mutex);
    }
    buffer_free(&key);
    return table == &none ? NULL : table;
}
