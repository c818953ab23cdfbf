// Answers to compare: two of one query that must be alike (as many rows, and the same first one), and all
// rows of one as text.
#pragma once

#include "base/buffer.h"
#include "db/db.h"
#include "value/scalar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static inline Value
answer_value(const ResultTable *table, uint32_t column)
{
    return vector_value(table->batches[0]->columns[column], batch_row(table->batches[0], 0));
}

static inline void
must_answer_alike(const ResultTable *one, const ResultTable *other, const char *query)
{
    if (one->row_count != other->row_count)
        fail_msg("%s: %llu rows and %llu", query, (unsigned long long)one->row_count,
                 (unsigned long long)other->row_count);
    for (uint32_t c = 0; one->row_count && c < one->schema.count; c++) {
        Value a = answer_value(one, c), b = answer_value(other, c);
        if (a.is_null != b.is_null || (!a.is_null && value_compare(&a, &b) != 0))
            fail_msg("%s: column %u differs", query, c);
    }
}

// The rows of the answer as text, a line a row. The caller frees.
static inline Buffer
answer_text(Database *db, const char *query)
{
    AzError error = {0};
    Arena arena = {0};
    QueryOptions options = {0};
    QueryResult *result = db_query(db, &arena, str_from(query), &options, &error);
    if (!result)
        fail_msg("%s: %s", query, error.message);
    Buffer out = {0};
    const ResultTable *table = result->tables[0];
    for (uint32_t b = 0; b < table->batch_count; b++)
        for (uint32_t i = 0; i < table->batches[b]->selected; i++) {
            for (uint32_t c = 0; c < table->schema.count; c++) {
                const Vector *v = table->batches[b]->columns[c];
                uint32_t row = batch_row(table->batches[b], i);
                buffer_text(&out, c ? "|" : "");
                if (vector_is_null(v, row))
                    buffer_text(&out, "null");
                else
                    data_print(&out, v->type, vector_cell(v, row));
            }
            buffer_char(&out, '\n');
        }
    arena_free(&arena);
    return out;
}
