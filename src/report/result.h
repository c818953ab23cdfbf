// Result tables as text: the formats of `azimuth query` and of lists in commands.
//
// JSON cells: bool true/false; int, long and real numbers (NaN and infinities as
// "NaN", "Infinity", "-Infinity"); decimal, datetime, timespan, guid and string as
// strings; dynamic as native JSON; null as null.
#pragma once

#include "exec/exec.h"

typedef enum ResultFormat {
    RESULT_TABLE,    // columns aligned for a terminal
    RESULT_JSON,     // {"columns":[{"name","type"}],"rows":[[...]]}
    RESULT_JSONL,    // one object a row
    RESULT_CSV,      // RFC 4180, with a header; formulas are defused
    RESULT_MARKDOWN, // a pipe table
} ResultFormat;

// "table", "json", ...; false when unknown.
bool result_format_parse(const char *name, ResultFormat *out);

typedef struct ResultStyle {
    uint32_t width; // of the terminal for RESULT_TABLE; 0 = unbounded
    bool color;
    uint64_t max_rows; // RESULT_TABLE, RESULT_MARKDOWN: rows shown, 0 = all; a note counts the rest
} ResultStyle;

void result_write(Buffer *out, const ResultTable *table, ResultFormat format,
                  const ResultStyle *style);

// One cell as JSON.
void result_write_json_cell(Buffer *out, const Vector *column, uint32_t row);
// "columns" and "rows" members without braces, for batch answers.
void result_write_json_body(Buffer *out, const ResultTable *table);
// One CSV field, quoted when needed. A text that a spreadsheet would run as a formula
// (starting with = + - @ tab or CR) gets a leading apostrophe.
void csv_write_field(Buffer *out, Str text);
