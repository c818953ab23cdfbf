#include "db/rows.h"

#include "value/scalar.h"

bool
rows_next(RowReader *reader)
{
    if (reader->started)
        reader->row++;
    reader->started = true;
    while (reader->batch < reader->table->batch_count &&
           reader->row >= reader->table->batches[reader->batch]->selected) {
        reader->batch++;
        reader->row = 0;
    }
    return reader->batch < reader->table->batch_count;
}

ptrdiff_t
rows_column(const ResultTable *table, const char *name)
{
    return schema_find(&table->schema, str_from(name));
}

// The cell's vector and row in it; false when there is no value.
static bool
find_cell(const RowReader *reader, ptrdiff_t column, const Vector **vector, uint32_t *row)
{
    if (column < 0)
        return false;
    const Batch *batch = reader->table->batches[reader->batch];
    *vector = batch->columns[column];
    *row = batch_row(batch, reader->row);
    return !vector_is_null(*vector, *row);
}

Str
rows_text(const RowReader *reader, ptrdiff_t column, Arena *arena)
{
    const Vector *vector;
    uint32_t row;
    if (!find_cell(reader, column, &vector, &row))
        return STR("");
    if (vector->type == TYPE_STRING)
        return str_copy(arena, text_str(vector_cell(vector, row)));
    Buffer text = {0};
    data_print(&text, vector->type, vector_cell(vector, row));
    Str result = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return result;
}

Str
rows_view(const RowReader *reader, ptrdiff_t column)
{
    const Vector *vector;
    uint32_t row;
    if (!find_cell(reader, column, &vector, &row) || vector->type != TYPE_STRING)
        return (Str){0};
    return text_str(vector_cell(vector, row));
}

Dyn
rows_dynamic(const RowReader *reader, ptrdiff_t column)
{
    const Vector *vector;
    uint32_t row;
    if (!find_cell(reader, column, &vector, &row) || vector->type != TYPE_DYNAMIC)
        return dyn_null();
    return dyn_of_text(vector_cell(vector, row));
}

// The cell as a value of a type without text; null when there is none.
static Value
number_cell(const RowReader *reader, ptrdiff_t column, Type type)
{
    const Vector *vector;
    uint32_t row;
    if (!find_cell(reader, column, &vector, &row))
        return (Value){.type = type, .is_null = true};
    Arena arena = {0};
    Value value = vector_value(vector, row);
    Value number = value_convert(&arena, &value, type);
    arena_free(&arena);
    return number;
}

int64_t
rows_long(const RowReader *reader, ptrdiff_t column)
{
    Value number = number_cell(reader, column, TYPE_LONG);
    return number.is_null ? 0 : number.int64;
}

double
rows_real(const RowReader *reader, ptrdiff_t column)
{
    Value number = number_cell(reader, column, TYPE_REAL);
    return number.is_null ? 0 : number.real;
}
