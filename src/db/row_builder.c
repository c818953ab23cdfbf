#include "db/row_builder.h"

#include "value/scalar.h"

void
row_builder_init(RowBuilder *rows, Arena *arena, const Schema *schema)
{
    *rows = (RowBuilder){.arena = arena};
    for (uint32_t c = 0; schema && c < schema->count; c++)
        row_builder_column(rows, schema->columns[c].name, schema->columns[c].type);
}

void
row_builder_free(RowBuilder *rows)
{
    for (uint32_t c = 0; c < rows->schema.count; c++)
        vector_builder_free(&rows->builders[c]);
}

uint32_t
row_builder_column(RowBuilder *rows, Str name, Type type)
{
    ptrdiff_t at = schema_find(&rows->schema, name);
    if (at >= 0)
        return (uint32_t)at;
    uint32_t count = rows->schema.count;
    if (count == rows->column_cap) {
        size_t cap = rows->column_cap ? rows->column_cap * 2 : 32;
        Column *columns = ARENA_ARRAY(rows->arena, Column, cap);
        VectorBuilder *builders = ARENA_ARRAY(rows->arena, VectorBuilder, cap);
        if (count) {
            memcpy(columns, rows->schema.columns, count * sizeof(Column));
            memcpy(builders, rows->builders, count * sizeof(VectorBuilder));
        }
        rows->schema.columns = columns;
        rows->builders = builders;
        rows->column_cap = cap;
    }
    rows->schema.columns[count] = (Column){str_copy(rows->arena, name), type};
    vector_builder_init(&rows->builders[count], type);
    for (uint32_t r = 0; r < rows->rows; r++)
        vector_builder_null(&rows->builders[count]);
    rows->schema.count++;
    return count;
}

void
row_builder_put(RowBuilder *rows, uint32_t column, const Value *value)
{
    VectorBuilder *builder = &rows->builders[column];
    if (builder->count == rows->rows)
        vector_builder_value(builder, rows->arena, value);
}

void
row_builder_end(RowBuilder *rows)
{
    rows->rows++;
    for (uint32_t c = 0; c < rows->schema.count; c++)
        if (rows->builders[c].count < rows->rows)
            vector_builder_null(&rows->builders[c]);
}

Batch **
row_builder_batches(const RowBuilder *rows, uint32_t *count)
{
    *count = (rows->rows + batch_rows - 1) / batch_rows;
    Batch **batches = ARENA_ARRAY(rows->arena, Batch *, *count);
    for (uint32_t b = 0; b < *count; b++) {
        uint32_t from = b * batch_rows;
        uint32_t size = rows->rows - from < batch_rows ? rows->rows - from : batch_rows;
        batches[b] = batch_new(rows->arena, rows->schema.count, size);
        for (uint32_t c = 0; c < rows->schema.count; c++)
            batches[b]->columns[c] =
                vector_builder_cut(&rows->builders[c], rows->arena, from, size);
    }
    return batches;
}

// ---- members of JSON objects ----

Type
json_member_type(const JsonMember *member)
{
    switch (member->kind) {
    case DYN_BOOL: return TYPE_BOOL;
    case DYN_LONG: return TYPE_LONG;
    case DYN_REAL:
    case DYN_DECIMAL: return TYPE_REAL;
    case DYN_STRING: return TYPE_STRING;
    default: return TYPE_DYNAMIC;
    }
}

Value
json_member_value(Arena *arena, const JsonMember *member, Type type)
{
    Value value = {0};
    switch (member->kind) {
    case DYN_NULL: return value_null(type);
    case DYN_BOOL: value = value_bool(member->boolean); break;
    case DYN_LONG: value = value_long(member->long_); break;
    case DYN_REAL: value = value_real(member->real); break;
    case DYN_STRING:
    case DYN_DECIMAL: value = value_string(member->string); break;
    default:
        value.type = TYPE_DYNAMIC;
        value.text = text_view((const char *)member->tree.ptr, member->tree.size);
        break;
    }
    if (type == TYPE_DYNAMIC && value.type != TYPE_DYNAMIC) {
        Value boxed = {.type = TYPE_DYNAMIC, .text = dyn_text_of_value(arena, &value)};
        return boxed;
    }
    return value_convert(arena, &value, type);
}
