// Columns on their way to Arrow: which type each gets, and its buffers. Shared by the parts of
// the export only.
#pragma once

#include "azimuth_arrow.h"
#include "exec/exec.h"

typedef struct ArrowColumn {
    Str name; // copied
    Type type;
    const char *format;    // of the C data interface
    const char *extension; // NULL: none
    bool microseconds;     // times: not nanoseconds
    int scale;             // decimals: digits behind the point
    bool as_text;          // decimals that do not fit
} ArrowColumn;

// By the type, and for times and decimals by the values. Strings live in `arena`.
ArrowColumn arrow_column_plan(Arena *arena, const ResultTable *table, uint32_t column);

// The buffers of one array.
typedef struct ArrowBuffers {
    const void *buffers[3]; // validity (NULL: no nulls), then values, or offsets and bytes
    uint32_t count;
    int64_t null_count;
} ArrowBuffers;

// The rows of `values` as the column's type; what must be converted is in `arena`, what need
// not is shared. False when its texts have more than arrow_text_bytes_max bytes.
bool arrow_column_fill(Arena *arena, const ArrowColumn *column, const Vector *values,
                       ArrowBuffers *out);
