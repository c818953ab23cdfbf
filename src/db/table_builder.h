// Result tables made by the rooms above the engine, row by row: lists of commands, and
// tables that are put into the database.
#pragma once

#include "db/db.h"

typedef struct TableBuilder TableBuilder;

TableBuilder *table_builder_new(const TableColumn *columns, uint32_t count);
void table_builder_free(TableBuilder *builder);

// The next cell of the row, of its column's type (a Str for strings; JSON text for
// dynamic). A row ends with its last column.
void table_put_text(TableBuilder *builder, Str text);
void table_put_long(TableBuilder *builder, int64_t number); // long, datetime, timespan
void table_put_real(TableBuilder *builder, double number);
void table_put_bool(TableBuilder *builder, bool flag);
void table_put_null(TableBuilder *builder);

// The table, in `arena`; the builder is empty then.
ResultTable *table_builder_finish(TableBuilder *builder, Arena *arena);
