// Two answers of one query that must be alike: as many rows, and the same first one.
#pragma once

#include "exec/exec.h"
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
