// RowBuilder: rows in memory, put together value by value: fixtures, external files.
#pragma once

#include "column/batch.h"
#include "value/json.h"

typedef struct RowBuilder {
    Arena *arena; // of what is built
    Schema schema;
    size_t column_cap;
    VectorBuilder *builders;
    uint32_t rows;
} RowBuilder;

void row_builder_init(RowBuilder *rows, Arena *arena, const Schema *schema); // schema may be NULL
void row_builder_free(RowBuilder *rows);
// The column of that name, added (null in the rows so far) when it is not there.
uint32_t row_builder_column(RowBuilder *rows, Str name, Type type);
// Sets a cell of the row being built; one that has a value already keeps it.
void row_builder_put(RowBuilder *rows, uint32_t column, const Value *value);
// Ends the row: cells without a value are null.
void row_builder_end(RowBuilder *rows);
// What is built, cut into batches.
Batch **row_builder_batches(const RowBuilder *rows, uint32_t *count);

// A member of a JSON object as a value of `type`.
Value json_member_value(Arena *arena, const JsonMember *member, Type type);
Type json_member_type(const JsonMember *member);
