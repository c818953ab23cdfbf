// Answers of query APIs: tables of columns and rows, in one JSON document.
//
//     Log Analytics   {"tables": [{"name", "columns": [{"name", "type"}], "rows": [[...]]}]}
//     Kusto v1        {"Tables": [{"TableName", "Columns": [{"ColumnName"}], "Rows": [[...]]}]}
//     Kusto v2        frames; the splitter hands them over one by one
//                     {"FrameType": "DataTable", "TableKind", "TableName", "Columns", "Rows"}
//
// Each row becomes a record and is mapped as one. Tables that describe the answer itself
// (properties, completion, statistics) hold no records.
// Sources: Azure Monitor Log Analytics API, response format; Azure Data Explorer, "Query v2 HTTP
// response".

#include "telemetry/formats.h"

static Dyn
member_value(const Record *record, Str key)
{
    const RecordMember *member = record_member(record, key);
    return member ? member->value : (Dyn){0};
}

static bool
is_service_table(Str name, uint32_t index)
{
    if (str_starts(name, STR("Table_")))
        return index > 0;
    return str_starts(name, STR("@")) || str_starts(name, STR("Query"));
}

// One row as a bag of its columns; no node when it is no row.
static Dyn
row_bag(LogScratch *scratch, Dyn columns, Dyn row)
{
    DynBuilder *builder = scratch->builder;
    dyn_builder_reset(builder);
    dyn_begin_bag(builder);
    for (uint32_t i = 0; i < dyn_count(row); i++) {
        Dyn column = dyn_at(columns, i);
        Str name = dyn_string(dyn_get_ci(column, STR("name")));
        if (!name.len)
            name = dyn_string(dyn_get_ci(column, STR("ColumnName")));
        if (!name.len)
            name = str_format(scratch->arena, "Column%u", i + 1);
        dyn_key(builder, name);
        dyn_push_tree(builder, dyn_at(row, i));
    }
    dyn_end_bag(builder);
    Text *tree = ARENA_NEW(scratch->arena, Text);
    bool is_null;
    if (!dyn_finish_text(builder, scratch->arena, tree, &is_null) || is_null)
        return (Dyn){0};
    return dyn_of_text(tree);
}

static bool
map_table(const Telemetry *telemetry, const LogSource *source, const LogScratch *scratch,
          Dyn columns, Dyn rows, LogEmit emit, void *context)
{
    Arena arena = {0}; // of one row: an answer may have many
    bool done = true;
    for (uint32_t i = 0; i < dyn_count(rows) && done; i++) {
        LogScratch own = {&arena, scratch->builder, scratch->parser};
        Record record;
        arena_reset(&arena);
        // A partial failure stands between the rows as an object.
        Dyn row = dyn_at(rows, i);
        Dyn bag = dyn_kind(row) == DYN_ARRAY ? row_bag(&own, columns, row) : row;
        if (dyn_kind(bag) != DYN_BAG)
            continue;
        record_open(&record, &own, bag);
        done = record_map(telemetry, source, &record, emit, context);
    }
    arena_free(&arena);
    return done;
}

// A frame of Kusto v2: only those of the primary result hold records.
static bool
map_frame(const Telemetry *telemetry, const LogSource *source, Record *record, LogEmit emit,
          void *context, bool *done)
{
    Str frame = dyn_string(member_value(record, STR("FrameType")));
    Str kind = dyn_string(member_value(record, STR("TableKind")));
    Dyn columns = member_value(record, STR("Columns")), rows = member_value(record, STR("Rows"));
    if (!str_equal(frame, STR("DataTable")))
        return str_starts(frame, STR("DataSet"));
    if (dyn_kind(columns) != DYN_ARRAY || dyn_kind(rows) != DYN_ARRAY)
        return false;
    if (str_equal(kind, STR("PrimaryResult")))
        *done = map_table(telemetry, source, record->scratch, columns, rows, emit, context);
    return true;
}

static bool
is_table(Dyn table)
{
    return dyn_kind(dyn_get_ci(table, STR("columns"))) == DYN_ARRAY &&
           dyn_kind(dyn_get_ci(table, STR("rows"))) == DYN_ARRAY;
}

bool
answer_map(const Telemetry *telemetry, const LogSource *source, Record *record, LogEmit emit,
           void *context, bool *done)
{
    Dyn tables = member_value(record, STR("tables"));
    *done = true;
    if (dyn_string(member_value(record, STR("FrameType"))).len)
        return map_frame(telemetry, source, record, emit, context, done);
    if (dyn_kind(tables) != DYN_ARRAY || !dyn_count(tables))
        return false;
    for (uint32_t i = 0; i < dyn_count(tables); i++)
        if (!is_table(dyn_at(tables, i)))
            return false;
    for (uint32_t i = 0; i < dyn_count(tables) && *done; i++) {
        Dyn table = dyn_at(tables, i);
        Str name = dyn_string(dyn_get_ci(table, STR("name")));
        if (!name.len)
            name = dyn_string(dyn_get_ci(table, STR("TableName")));
        if (!is_service_table(name, i))
            *done = map_table(telemetry, source, record->scratch, dyn_get_ci(table, STR("columns")),
                              dyn_get_ci(table, STR("rows")), emit, context);
    }
    return true;
}
