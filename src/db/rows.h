// Reading result tables row by row, by column name.
#pragma once

#include "exec/exec.h"
#include "value/dynamic.h"

typedef struct RowReader {
    const ResultTable *table;
    uint32_t batch, row; // position of the current row
    bool started;
} RowReader;

// Moves to the next row; false at the end.
bool rows_next(RowReader *reader);

// Position of the column, -1 when the table has none of that name.
ptrdiff_t rows_column(const ResultTable *table, const char *name);

// The cell as text, copied; empty when null or the column is -1. A dynamic is JSON.
Str rows_text(const RowReader *reader, ptrdiff_t column, Arena *arena);
// The cell of a string column as it lies, a view that lives as long as the table; empty
// when null or of another type.
Str rows_view(const RowReader *reader, ptrdiff_t column);
// The cell of a dynamic column as a node, a view that lives as long as the table; the null
// node otherwise.
Dyn rows_dynamic(const RowReader *reader, ptrdiff_t column);
int64_t rows_long(const RowReader *reader, ptrdiff_t column); // 0 when null or no number
double rows_real(const RowReader *reader, ptrdiff_t column);
