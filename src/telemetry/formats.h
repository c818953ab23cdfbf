// The formats of content/telemetry, compiled, for the files that map records.
#pragma once

#include "base/map.h"
#include "telemetry/telemetry.h"
#include "telemetry/value.h"

#include <pthread.h>

typedef struct ColumnRule {
    Str column;
    ValueExpr *value;
} ColumnRule;

typedef struct ColumnRules {
    ColumnRule *items;
    size_t len, cap;
} ColumnRules;

typedef struct StrList {
    Str *items;
    size_t len;
} StrList;

typedef struct ValueList {
    ValueExpr **items;
    size_t len, cap;
} ValueList;

typedef struct EqualsRule {
    ValueExpr *value;
    StrList texts;
} EqualsRule;

typedef struct Format {
    Str name;
    ValueList has, any, lacks;
    struct {
        EqualsRule *items;
        size_t len, cap;
    } equals;
    bool known;
    bool by_category; // the table is the category's
    ValueExpr *table; // else this
    StrList text, spread;
    Map leave; // member (any case) -> Str *, its name beside the columns
    ColumnRules columns;
} Format;

// A table as mapping needs it. Made when a record first names it.
typedef struct TableInfo {
    Str name; // canonical
    const Schema *schema;
    bool declared;
    bool open;                // AzureDiagnostics, custom tables, tables nobody declared
    bool suffixed;            // a new column gets its type as a suffix: AzureDiagnostics
    Map columns;              // number by name, any case
    const ColumnRules *rules; // of `tables`; may be NULL
} TableInfo;

struct Telemetry {
    Arena arena;
    Content *content;
    struct {
        Format *items;
        size_t len, cap;
    } formats;
    ColumnRules standard;
    Map table_rules;      // table (any case) -> ColumnRules
    Map categories;       // "type\ncategory" (any case) -> Str * table
    Map diagnostics_text; // resource type (any case) -> StrList *
    StrList row_times, custom_times;
    ValueExpr *category, *resource_type;
    pthread_mutex_t mutex; // of the arena and what follows
    Map tables;            // name (any case) -> TableInfo *
    Map by_columns;        // names of columns -> TableInfo *
    Map names;             // of all declared tables (any case); fixed
};

// The table of that name; NULL when it can be no table's name.
const TableInfo *telemetry_table(const Telemetry *telemetry, Str name);
// Whether such a table is declared.
bool telemetry_declared(const Telemetry *telemetry, Str name);
// The table of a category of a resource type; empty when there is none.
Str telemetry_category(const Telemetry *telemetry, Arena *arena, Str type, Str category);
const Format *telemetry_format(const Telemetry *telemetry, Record *record);
// The declared table whose columns these names are: nearly all of them, and no other table fits
// as well. NULL when there is none.
const TableInfo *telemetry_table_of_columns(const Telemetry *telemetry, const Str *names,
                                            size_t count);

// Names of custom columns and tables (names.c).
// A column's name without what Azure allows not; empty when nothing is left.
Str column_name_clean(Arena *arena, Str name);
// The type that a name's suffix says; TYPE_NONE without one.
Type column_suffix_type(Str name);
// NAME with the suffix of the value's type (_s, _d, _b, _t, _g); `type` gets the type. A name
// that bears a fitting suffix already keeps it.
Str column_name_suffixed(Arena *arena, const TableInfo *table, Str name, const JsonMember *value,
                         bool csv, Type *type);

// A row being put together (row.c).
typedef struct RowBuilder {
    const Telemetry *telemetry;
    Record *record;
    const TableInfo *table;
    bool csv;
    JsonMember *cells;
    Type *types;
    size_t len, cap;
    Map names;        // of the cells, when there are many (row.c)
    uint32_t *filled; // of the table's columns: number of the cell, from 1
} RowBuilder;
void row_begin(RowBuilder *row, const Telemetry *telemetry, Record *record, const TableInfo *table,
               bool csv);
// A column by name, any case; false when the table has it not, or it is filled.
bool row_put(RowBuilder *row, Str column, const JsonMember *value);
// A cell that the table has no column for: it makes one, or is kept beside.
void row_add(RowBuilder *row, Str name, const JsonMember *value, Type type);
bool row_emit(RowBuilder *row, Str format, bool plain, LogEmit emit, void *context);

// Rows of what is not one record (answer.c). False when the record is no answer; *done: what
// emit said.
bool answer_map(const Telemetry *telemetry, const LogSource *source, Record *record, LogEmit emit,
                void *context, bool *done);
// Maps a record that is no answer.
bool record_map(const Telemetry *telemetry, const LogSource *source, Record *record, LogEmit emit,
                void *context);
