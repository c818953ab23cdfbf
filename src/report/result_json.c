// JSON and CSV forms of a result.

#include "report/result.h"
#include "report/result_text.h"
#include "value/dynamic.h"
#include "value/json.h"
#include "value/scalar.h"

#include <math.h>

void
result_write_json_cell(Buffer *out, const Vector *column, uint32_t row)
{
    if (vector_is_null(column, row)) {
        buffer_text(out, "null");
        return;
    }
    const void *cell = vector_cell(column, row);
    switch (column->type) {
    case TYPE_BOOL:
    case TYPE_INT:
    case TYPE_LONG: data_print(out, column->type, cell); break;
    case TYPE_REAL:
        if (isfinite(*(const double *)cell)) {
            data_print(out, column->type, cell);
            break;
        }
        buffer_char(out, '"');
        data_print(out, column->type, cell);
        buffer_char(out, '"');
        break;
    case TYPE_STRING: json_write_string(out, text_str(cell), false); break;
    case TYPE_DYNAMIC: dyn_to_json(out, dyn_of_text(cell)); break;
    default:
        buffer_char(out, '"');
        data_print(out, column->type, cell);
        buffer_char(out, '"');
        break;
    }
}

void
result_write_json_body(Buffer *out, const ResultTable *table)
{
    buffer_text(out, "\"columns\":[");
    for (uint32_t c = 0; c < table->schema.count; c++) {
        buffer_text(out, c ? ",{\"name\":" : "{\"name\":");
        json_write_string(out, table->schema.columns[c].name, false);
        buffer_printf(out, ",\"type\":\"%s\"}", type_name(table->schema.columns[c].type));
    }
    buffer_text(out, "],\"rows\":[");
    bool first = true;
    for (uint32_t b = 0; b < table->batch_count; b++) {
        const Batch *batch = table->batches[b];
        for (uint32_t i = 0; i < batch->selected; i++) {
            buffer_text(out, first ? "[" : ",[");
            first = false;
            for (uint32_t c = 0; c < batch->column_count; c++) {
                if (c)
                    buffer_char(out, ',');
                result_write_json_cell(out, batch->columns[c], batch_row(batch, i));
            }
            buffer_char(out, ']');
        }
    }
    buffer_char(out, ']');
}

static void
write_jsonl(Buffer *out, const ResultTable *table)
{
    for (uint32_t b = 0; b < table->batch_count; b++) {
        const Batch *batch = table->batches[b];
        for (uint32_t i = 0; i < batch->selected; i++) {
            buffer_char(out, '{');
            for (uint32_t c = 0; c < batch->column_count; c++) {
                if (c)
                    buffer_char(out, ',');
                json_write_string(out, table->schema.columns[c].name, false);
                buffer_char(out, ':');
                result_write_json_cell(out, batch->columns[c], batch_row(batch, i));
            }
            buffer_text(out, "}\n");
        }
    }
}

void
csv_write_field(Buffer *out, Str text)
{
    bool formula = text.len && (text.ptr[0] == '=' || text.ptr[0] == '+' || text.ptr[0] == '@' ||
                                text.ptr[0] == '-' || text.ptr[0] == '\t' || text.ptr[0] == '\r');
    bool quote = formula;
    for (size_t i = 0; i < text.len && !quote; i++)
        quote =
            text.ptr[i] == ',' || text.ptr[i] == '"' || text.ptr[i] == '\n' || text.ptr[i] == '\r';
    if (!quote) {
        buffer_str(out, text);
        return;
    }
    buffer_char(out, '"');
    if (formula)
        buffer_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            buffer_char(out, '"');
        buffer_char(out, text.ptr[i]);
    }
    buffer_char(out, '"');
}

static void
write_csv(Buffer *out, const ResultTable *table)
{
    Buffer cell = {0};
    for (uint32_t c = 0; c < table->schema.count; c++) {
        if (c)
            buffer_char(out, ',');
        csv_write_field(out, table->schema.columns[c].name);
    }
    buffer_text(out, "\r\n");
    for (uint32_t b = 0; b < table->batch_count; b++) {
        const Batch *batch = table->batches[b];
        for (uint32_t i = 0; i < batch->selected; i++) {
            uint32_t row = batch_row(batch, i);
            for (uint32_t c = 0; c < batch->column_count; c++) {
                const Vector *column = batch->columns[c];
                if (c)
                    buffer_char(out, ',');
                if (vector_is_null(column, row))
                    continue;
                buffer_clear(&cell);
                data_print(&cell, column->type, vector_cell(column, row));
                // Numbers cannot be formulas; a minus sign there is only a sign.
                if (type_is_text(column->type))
                    csv_write_field(out, buffer_slice(&cell));
                else
                    buffer_str(out, buffer_slice(&cell));
            }
            buffer_text(out, "\r\n");
        }
    }
    buffer_free(&cell);
}

bool
result_format_parse(const char *name, ResultFormat *out)
{
    static const char *const NAMES[] = {"table", "json", "jsonl", "csv", "markdown"};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            *out = (ResultFormat)i;
            return true;
        }
    }
    return false;
}

void
result_write(Buffer *out, const ResultTable *table, ResultFormat format, const ResultStyle *style)
{
    switch (format) {
    case RESULT_TABLE: result_write_table(out, table, style); break;
    case RESULT_JSON:
        buffer_char(out, '{');
        result_write_json_body(out, table);
        buffer_text(out, "}\n");
        break;
    case RESULT_JSONL: write_jsonl(out, table); break;
    case RESULT_CSV: write_csv(out, table); break;
    case RESULT_MARKDOWN: result_write_markdown(out, table, style); break;
    }
}
