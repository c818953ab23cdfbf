// One record to one row: which format it has, and what goes where.

#include "telemetry/formats.h"

#include "base/array.h"
#include "value/scalar.h"

enum { CELLS_MAX = 1000, FLATTEN_DEPTH = 6 };

static const Str OVERFLOW_TABLE = STR_INIT("Unrecognised_CL");

static bool
list_has(const StrList *list, Str text)
{
    for (size_t i = 0; i < list->len; i++)
        if (str_equal_ci(list->items[i], text))
            return true;
    return false;
}

// ---- records that travelled ----

static void
put_rules(RowBuilder *row, const ColumnRules *rules)
{
    for (size_t i = 0; rules && i < rules->len; i++) {
        const MapEntry *entry = map_find(&row->table->columns, rules->items[i].column);
        JsonMember value;
        if (entry && !row->filled[entry->number] &&
            value_find(rules->items[i].value, row->record, &value, true))
            row_put(row, rules->items[i].column, &value);
    }
}

// Empty texts, objects and lists say nothing that an absent column does not.
static bool
is_nothing(Dyn node)
{
    DynKind kind = dyn_kind(node);
    return kind == DYN_NULL || (kind == DYN_STRING && !dyn_string(node).len) ||
           ((kind == DYN_BAG || kind == DYN_ARRAY) && !dyn_count(node));
}

// Whether something of the node is in no column.
static bool
has_left(const Record *record, Dyn node)
{
    if (record_is_taken(record, node) || is_nothing(node))
        return false;
    if (dyn_kind(node) != DYN_BAG || !record_has_taken(record, node))
        return true;
    for (uint32_t i = 0; i < dyn_count(node); i++)
        if (has_left(record, dyn_at(node, i)))
            return true;
    return false;
}

// What is left of a bag of which some nodes have gone into columns.
static void
push_left(const Record *record, DynBuilder *builder, Dyn node)
{
    if (dyn_kind(node) != DYN_BAG || !record_has_taken(record, node)) {
        dyn_push_tree(builder, node);
        return;
    }
    dyn_begin_bag(builder);
    for (uint32_t i = 0; i < dyn_count(node); i++) {
        Dyn child = dyn_at(node, i);
        if (!has_left(record, child))
            continue;
        dyn_key(builder, dyn_key_at(node, i));
        push_left(record, builder, child);
    }
    dyn_end_bag(builder);
}

static void
keep_left(RowBuilder *row, Str name, Dyn node)
{
    LogScratch *scratch = row->record->scratch;
    JsonMember value = member_of_node(scratch->arena, node);
    if (!has_left(row->record, node))
        return;
    if (record_has_taken(row->record, node)) {
        Text tree;
        bool is_null;
        dyn_builder_reset(scratch->builder);
        push_left(row->record, scratch->builder, node);
        if (!dyn_finish_text(scratch->builder, scratch->arena, &tree, &is_null) || is_null)
            return;
        Text *kept = ARENA_NEW(scratch->arena, Text);
        *kept = tree;
        value = member_of_node(scratch->arena, dyn_of_text(kept));
    }
    row_add(row, name, &value, TYPE_NONE);
}

// Into a table with fixed columns: by name, and what has none is kept beside.
static void
put_by_name(RowBuilder *row, const Format *format, Str name, Dyn node)
{
    if (record_is_taken(row->record, node))
        return;
    const Str *left_name = map_get(&format->leave, name);
    if (left_name) {
        keep_left(row, *left_name, node);
        return;
    }
    if (!record_has_taken(row->record, node)) {
        JsonMember value = member_of_node(row->record->scratch->arena, node);
        if (row_put(row, name, &value))
            return;
    }
    keep_left(row, name, node);
}

static void
rest_by_name(RowBuilder *row, const Format *format)
{
    Record *record = row->record;
    for (uint32_t i = 0; i < record->count; i++) {
        const RecordMember *member = &record->members[i];
        bool spread = list_has(&format->spread, member->key) && dyn_kind(member->value) == DYN_BAG;
        if (record_is_taken(record, member->value))
            continue;
        if (!spread) {
            put_by_name(row, format, member->key, member->value);
            continue;
        }
        for (uint32_t k = 0; k < dyn_count(member->value); k++)
            put_by_name(row, format, dyn_key_at(member->value, k), dyn_at(member->value, k));
    }
}

// Into AzureDiagnostics: a column for each property, named by path and type.
static void
flatten(RowBuilder *row, Str path, Dyn node, int depth)
{
    Arena *arena = row->record->scratch->arena;
    if (record_is_taken(row->record, node))
        return;
    if (dyn_kind(node) == DYN_BAG && depth < FLATTEN_DEPTH && dyn_count(node) &&
        row->len + dyn_count(node) < CELLS_MAX) {
        for (uint32_t i = 0; i < dyn_count(node); i++) {
            Str key = dyn_key_at(node, i);
            flatten(row,
                    path.len ? str_format(arena, "%.*s_%.*s", STR_ARG(path), STR_ARG(key)) : key,
                    dyn_at(node, i), depth + 1);
        }
        return;
    }
    JsonMember value = member_of_node(arena, node);
    Str name = column_name_clean(arena, path);
    if (value.kind == DYN_NULL)
        return;
    if (!name.len || row->len >= CELLS_MAX) {
        row_add(row, path, &value, TYPE_NONE);
        return;
    }
    Type type;
    name = column_name_suffixed(arena, row->table, name, &value, row->csv, &type);
    if (!row_put(row, name, &value))
        row_add(row, name, &value, type);
}

static void
put_text(RowBuilder *row, Str name, Dyn node)
{
    Arena *arena = row->record->scratch->arena;
    Buffer text = {0};
    dyn_to_text(&text, node);
    JsonMember value = member_of_text(str_copy(arena, buffer_slice(&text)));
    buffer_free(&text);
    Str column = str_format(arena, "%.*s_s", STR_ARG(name));
    if (!row_put(row, column, &value))
        row_add(row, column, &value, TYPE_STRING);
}

static void
rest_suffixed(RowBuilder *row, const Format *format)
{
    Record *record = row->record;
    const Telemetry *telemetry = row->telemetry;
    const StrList *whole =
        map_get(&telemetry->diagnostics_text, value_text(telemetry->resource_type, record));
    for (uint32_t i = 0; i < record->count; i++) {
        const RecordMember *member = &record->members[i];
        if (record_is_taken(record, member->value))
            continue;
        bool spread = list_has(&format->spread, member->key) && dyn_kind(member->value) == DYN_BAG;
        JsonMember value = member_of_node(record->scratch->arena, member->value);
        if (whole && list_has(whole, member->key))
            put_text(row, member->key, member->value);
        else if (spread || value.kind == DYN_BAG || !row_put(row, member->key, &value))
            flatten(row, spread ? (Str){0} : member->key, member->value, 0);
    }
}

static const TableInfo *
category_table(const Telemetry *telemetry, Record *record)
{
    static const Str HUNTING = STR_INIT("AdvancedHunting-");
    Str category = value_text(telemetry->category, record);
    Str table = telemetry_category(telemetry, record->scratch->arena,
                                   value_text(telemetry->resource_type, record), category);
    if (!table.len && category.len > HUNTING.len &&
        str_equal_ci(str_slice(category, 0, HUNTING.len), HUNTING))
        category = str_slice(category, HUNTING.len, category.len);
    if (!table.len && telemetry_declared(telemetry, category))
        table = category;
    const TableInfo *found = telemetry_table(telemetry, table);
    return found && found->declared ? found : telemetry_table(telemetry, STR("AzureDiagnostics"));
}

static bool
map_format(const Telemetry *telemetry, const Format *format, Record *record, LogEmit emit,
           void *context)
{
    for (size_t i = 0; i < format->text.len; i++)
        record_unpack(record, format->text.items[i]);
    const TableInfo *table = format->by_category
                                 ? category_table(telemetry, record)
                                 : telemetry_table(telemetry, value_text(format->table, record));
    if (!table)
        table = telemetry_table(telemetry, OVERFLOW_TABLE);
    if (!table)
        return true;
    RowBuilder row;
    row_begin(&row, telemetry, record, table, false);
    put_rules(&row, &format->columns);
    put_rules(&row, table->rules);
    put_rules(&row, &telemetry->standard);
    if (table->suffixed)
        rest_suffixed(&row, format);
    else
        rest_by_name(&row, format);
    return row_emit(&row, format->name, false, emit, context);
}

// ---- times ----

// Ticks of a number that counts seconds or milliseconds since 1970.
static bool
epoch_time(double number, int64_t *ticks)
{
    static const double from = 946684800, to = 4102444800; // 2000 to 2100
    int64_t unix_epoch;
    if (number >= from * 1000 && number <= to * 1000)
        number /= 1000;
    if (!(number >= from && number <= to) || !datetime_from_civil(1970, 1, 1, 0, &unix_epoch))
        return false;
    *ticks = unix_epoch + (int64_t)(number * 1e3) * (TICKS_PER_SECOND / 1000);
    return true;
}

static bool
time_of(Arena *arena, Dyn node, JsonMember *out)
{
    int64_t ticks;
    double number;
    Str text = dyn_string(node);
    bool found = false;
    if (text.len)
        found = ingest_time_parse(text, &ticks);
    else if (dyn_number(node, &number))
        found = epoch_time(number, &ticks);
    if (!found)
        return false;
    Buffer buffer = {0};
    datetime_print(&buffer, ticks);
    *out = member_of_text(str_copy(arena, buffer_slice(&buffer)));
    buffer_free(&buffer);
    return true;
}

// TimeGenerated by the first of these members that can be read as a time.
static void
put_time(RowBuilder *row, const StrList *names)
{
    JsonMember time;
    for (size_t i = 0; i < row->len; i++)
        if (str_equal(row->cells[i].key, STR("TimeGenerated")))
            return;
    for (size_t i = 0; i < names->len; i++) {
        const RecordMember *member = record_member(row->record, names->items[i]);
        if (member && time_of(row->record->scratch->arena, member->value, &time)) {
            if (!row_put(row, STR("TimeGenerated"), &time))
                row_add(row, STR("TimeGenerated"), &time, TYPE_DATETIME);
            return;
        }
    }
}

// ---- rows of a workspace ----

static Str
member_text(const Record *record, Str key)
{
    const RecordMember *member = record_member(record, key);
    return member ? dyn_string(member->value) : (Str){0};
}

static bool
has_exactly(const Record *record, Str key)
{
    const RecordMember *member = record_member(record, key);
    return member && str_equal(member->key, key);
}

// A row of a table, as Log Analytics exports it: it has a TimeGenerated, or names its table.
static bool
is_row(const Telemetry *telemetry, const Record *record)
{
    if (has_exactly(record, STR("TimeGenerated")) ||
        has_exactly(record, STR("TimeGenerated [UTC]")))
        return true;
    Str type = has_exactly(record, STR("Type")) ? member_text(record, STR("Type")) : (Str){0};
    return type.len && !record_member(record, STR("time")) &&
           (telemetry_declared(telemetry, type) || str_ends(type, STR("_CL")));
}

// Whether most of the record's names are columns of the table.
static bool
table_suits(const TableInfo *table, const Record *record)
{
    uint32_t known = 0;
    for (uint32_t i = 0; i < record->count; i++)
        known += map_find(&table->columns, record->members[i].key) != NULL;
    return known * 2 >= record->count;
}

static const TableInfo *
row_table(const Telemetry *telemetry, const LogSource *source, Record *record)
{
    Arena *arena = record->scratch->arena;
    Str type = member_text(record, STR("Type")), dollar = member_text(record, STR("$table"));
    const TableInfo *table = telemetry_table(telemetry, type.len ? type : dollar);
    if (table)
        return table;
    bool named;
    table =
        telemetry_table(telemetry, telemetry_file_table(telemetry, arena, source->path, &named));
    if (table && named && (table->open || table_suits(table, record)))
        return table;
    Str *names = ARENA_ARRAY(arena, Str, record->count);
    for (uint32_t i = 0; i < record->count; i++)
        names[i] = record->members[i].key;
    const TableInfo *fits = telemetry_table_of_columns(telemetry, names, record->count);
    if (fits)
        return fits;
    if (table && named && table->declared) // a name that does not suit
        return telemetry_table(telemetry, str_format(arena, "%.*s_CL", STR_ARG(table->name)));
    return table;
}

// A column's name as exports spell it: "X [UTC]"; "X_dynamic" and "X_string" where rows of
// two types of a column were put together.
static Str
row_column(const RowBuilder *row, Str name)
{
    static const Str endings[] = {STR_INIT(" [UTC]"), STR_INIT("_dynamic"), STR_INIT("_string")};
    if (map_find(&row->table->columns, name))
        return name;
    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        Str begin = str_slice(name, 0, name.len - endings[i].len);
        if (str_ends(name, endings[i]) && (i == 0 || map_find(&row->table->columns, begin)))
            return begin;
    }
    return name;
}

// The type of a column that the table does not declare, when its name tells.
static Type
row_column_type(const TableInfo *table, Str spelled, Str name)
{
    if (str_equal(name, STR("TimeGenerated")) || spelled.len != name.len)
        return str_ends(spelled, STR("_dynamic")) ? TYPE_DYNAMIC : TYPE_DATETIME;
    return table->open ? column_suffix_type(name) : TYPE_NONE;
}

static bool
map_row(const Telemetry *telemetry, const LogSource *source, Record *record, LogEmit emit,
        void *context)
{
    const TableInfo *table = row_table(telemetry, source, record);
    if (!table)
        table = telemetry_table(telemetry, OVERFLOW_TABLE);
    if (!table)
        return true;
    Arena *arena = record->scratch->arena;
    RowBuilder row;
    bool plain = true;
    row_begin(&row, telemetry, record, table, source->csv);
    for (uint32_t i = 0; i < record->count; i++) {
        const RecordMember *member = &record->members[i];
        JsonMember value = member_of_node(arena, member->value);
        Str name = row_column(&row, member->key);
        bool frame = str_equal(name, STR("$table")) ||
                     (str_equal(name, STR("TableName")) && !map_find(&table->columns, name) &&
                      str_equal(value.string, STR("PrimaryResult")));
        plain = plain && name.len == member->key.len && !frame;
        if (!frame && !row_put(&row, name, &value) && !is_nothing(member->value))
            row_add(&row, name, &value, row_column_type(table, member->key, name));
    }
    put_time(&row, &telemetry->row_times);
    if (!record_member(record, STR("Type"))) {
        JsonMember type = member_of_text(table->name);
        if (!row_put(&row, STR("Type"), &type))
            row_add(&row, STR("Type"), &type, TYPE_STRING);
    }
    return row_emit(&row, source->csv ? STR("row of a table (CSV)") : STR("row of a table"), plain,
                    emit, context);
}

// ---- what nobody declared ----

static bool
map_custom(const Telemetry *telemetry, const LogSource *source, Record *record, LogEmit emit,
           void *context)
{
    Arena *arena = record->scratch->arena;
    bool named;
    Str name = telemetry_file_table(telemetry, arena, source->path, &named);
    if (!str_ends(name, STR("_CL")))
        name = str_format(arena, "%.*s_CL", STR_ARG(name));
    const TableInfo *table = telemetry_table(telemetry, name);
    if (!table)
        table = telemetry_table(telemetry, OVERFLOW_TABLE);
    if (!table)
        return true;
    RowBuilder row;
    row_begin(&row, telemetry, record, table, source->csv);
    put_time(&row, &telemetry->custom_times);
    JsonMember type = member_of_text(table->name);
    row_add(&row, STR("Type"), &type, TYPE_STRING);
    for (uint32_t i = 0; i < record->count; i++) {
        JsonMember value = member_of_node(arena, record->members[i].value);
        Str key = column_name_clean(arena, record->members[i].key);
        bool empty = value.kind == DYN_NULL ||
                     (source->csv && value.kind == DYN_STRING && !value.string.len);
        if (empty)
            continue;
        Type column_type = TYPE_NONE;
        if (!key.len || row.len >= CELLS_MAX)
            key = record->members[i].key;
        else
            key = column_name_suffixed(arena, table, key, &value, source->csv, &column_type);
        row_add(&row, key, &value, column_type);
    }
    return row_emit(&row, STR("not recognised"), false, emit, context);
}

bool
record_map(const Telemetry *telemetry, const LogSource *source, Record *record, LogEmit emit,
           void *context)
{
    if (is_row(telemetry, record))
        return map_row(telemetry, source, record, emit, context);
    const Format *format = source->csv ? NULL : telemetry_format(telemetry, record);
    if (format)
        return map_format(telemetry, format, record, emit, context);
    return map_custom(telemetry, source, record, emit, context);
}

static bool
mapper_map(const void *context, const LogSource *source, Dyn bag, LogScratch *scratch, LogEmit emit,
           void *emit_context)
{
    const Telemetry *telemetry = context;
    Record record;
    bool done = true;
    record_open(&record, scratch, bag);
    if (!source->csv && answer_map(telemetry, source, &record, emit, emit_context, &done))
        return done;
    return record_map(telemetry, source, &record, emit, emit_context);
}

LogMapper
telemetry_mapper(const Telemetry *telemetry)
{
    return (LogMapper){telemetry, mapper_map};
}
