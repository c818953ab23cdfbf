// The type a column gets in Arrow, and its values in that type; see include/azimuth_arrow.h.
//
// Two types of Arrow cover less than Kusto's: a timestamp in nanoseconds ends in 2262, and a
// decimal has one scale for the whole column. An answer is complete before it is handed over, so
// the column's values are looked at first and decide: nanoseconds unless a year is out of range,
// a decimal unless digits would be lost.

#include "report/arrow_column.h"

#include "value/dynamic.h"
#include "value/scalar.h"

#include <stdio.h>

size_t arrow_text_bytes_max = INT32_MAX;

enum { DECIMAL_PRECISION = 38 }; // digits that always fit a decimal128

__extension__ typedef unsigned __int128 Wide;

// Calls `visit` for each value that is not null until it returns false.
static bool
column_visit(const ResultTable *table, uint32_t column,
             bool (*visit)(void *context, const void *cell), void *context)
{
    for (uint32_t b = 0; b < table->batch_count; b++) {
        const Batch *batch = table->batches[b];
        const Vector *v = batch->columns[column];
        for (uint32_t i = 0; i < batch->selected; i++) {
            uint32_t row = batch_row(batch, i);
            if (!vector_is_null(v, row) && !visit(context, vector_cell(v, row)))
                return false;
        }
    }
    return true;
}

// Whether ticks since `*context` can be counted in 64 bits of nanoseconds.
static bool
in_nanoseconds(void *context, const void *cell)
{
    int64_t zero = *(const int64_t *)context, ticks = *(const int64_t *)cell, distance;
    return !__builtin_sub_overflow(ticks, zero, &distance) && distance <= INT64_MAX / 100 &&
           distance >= INT64_MIN / 100;
}

// A decimal without the zeros at its end.
typedef struct Shortest {
    bool negative;
    Wide coefficient;
    int digits, exponent;
} Shortest;

static bool
decimal_shortest(const void *cell, Shortest *out)
{
    DecimalDigits digits;
    if (!decimal_digits(*(const Decimal *)cell, &digits))
        return false;
    *out = (Shortest){.negative = digits.negative,
                      .coefficient = (Wide)digits.high << 64 | digits.low,
                      .exponent = digits.exponent};
    if (!out->coefficient)
        out->exponent = 0;
    while (out->coefficient && out->coefficient % 10 == 0) {
        out->coefficient /= 10;
        out->exponent++;
    }
    for (Wide rest = out->coefficient; rest; rest /= 10)
        out->digits++;
    return true;
}

typedef struct DecimalRange {
    int whole, fraction; // most digits before and behind the point
} DecimalRange;

static bool
decimal_measure(void *context, const void *cell)
{
    DecimalRange *range = context;
    Shortest shortest;
    if (!decimal_shortest(cell, &shortest))
        return false;
    if (shortest.digits + shortest.exponent > range->whole)
        range->whole = shortest.digits + shortest.exponent;
    if (-shortest.exponent > range->fraction)
        range->fraction = -shortest.exponent;
    return range->whole + range->fraction <= DECIMAL_PRECISION;
}

static void
plan_time(ArrowColumn *plan, const ResultTable *table, uint32_t column, const char *fine,
          const char *coarse)
{
    int64_t zero = plan->type == TYPE_DATETIME ? TICKS_UNIX_EPOCH : 0;
    bool fits = column_visit(table, column, in_nanoseconds, &zero);
    plan->format = fits ? fine : coarse;
    plan->microseconds = !fits;
}

static void
plan_decimal(Arena *arena, ArrowColumn *plan, const ResultTable *table, uint32_t column)
{
    DecimalRange range = {0};
    if (!column_visit(table, column, decimal_measure, &range)) {
        plan->as_text = true;
        plan->format = "u";
        return;
    }
    plan->scale = range.fraction;
    plan->format = str_cstr(arena, str_format(arena, "d:%d,%d", DECIMAL_PRECISION, plan->scale));
}

ArrowColumn
arrow_column_plan(Arena *arena, const ResultTable *table, uint32_t column)
{
    static const char *const FORMATS[TYPE_LIMIT] = {
        [TYPE_BOOL] = "b",   [TYPE_INT] = "i",     [TYPE_LONG] = "l",    [TYPE_REAL] = "g",
        [TYPE_STRING] = "u", [TYPE_GUID] = "w:16", [TYPE_DYNAMIC] = "u",
    };
    ArrowColumn plan = {.name = str_copy(arena, table->schema.columns[column].name),
                        .type = table->schema.columns[column].type};
    plan.format = FORMATS[plan.type];
    switch (plan.type) {
    case TYPE_DATETIME: plan_time(&plan, table, column, "tsn:UTC", "tsu:UTC"); break;
    case TYPE_TIMESPAN: plan_time(&plan, table, column, "tDn", "tDu"); break;
    case TYPE_DECIMAL: plan_decimal(arena, &plan, table, column); break;
    case TYPE_GUID: plan.extension = "arrow.uuid"; break;
    case TYPE_DYNAMIC: plan.extension = "arrow.json"; break;
    default: break;
    }
    return plan;
}

static const void *
bools_pack(Arena *arena, const Vector *flat)
{
    uint64_t *bits = ARENA_ARRAY(arena, uint64_t, bit_words(flat->count));
    for (uint32_t i = 0; i < flat->count; i++)
        if (((const uint8_t *)flat->data)[i])
            bit_set(bits, i);
    return bits;
}

// Ticks as nanoseconds or microseconds; what is cut is cut downwards, as a clock does.
static const void *
times_convert(Arena *arena, const ArrowColumn *column, const Vector *flat)
{
    int64_t *out = ARENA_ARRAY(arena, int64_t, flat->count);
    int64_t zero = column->type == TYPE_DATETIME ? TICKS_UNIX_EPOCH : 0;
    for (uint32_t i = 0; i < flat->count; i++) {
        if (flat->valid && !bit_get(flat->valid, i))
            continue;
        int64_t ticks = ((const int64_t *)flat->data)[i] - zero;
        if (column->microseconds)
            out[i] = ticks / TICKS_PER_MICROSECOND - (ticks % TICKS_PER_MICROSECOND < 0);
        else
            out[i] = ticks * 100;
    }
    return out;
}

// As whole numbers of 10^-scale, 128 bits in two's complement.
static const void *
decimals_convert(Arena *arena, const ArrowColumn *column, const Vector *flat)
{
    Wide *out = arena_zalloc_array(arena, flat->count, sizeof(Wide));
    for (uint32_t i = 0; i < flat->count; i++) {
        Shortest shortest;
        if ((flat->valid && !bit_get(flat->valid, i)) ||
            !decimal_shortest((const Decimal *)flat->data + i, &shortest))
            continue;
        Wide value = shortest.coefficient;
        for (int power = shortest.exponent + column->scale; power > 0; power--)
            value *= 10;
        out[i] = shortest.negative ? -value : value;
    }
    return out;
}

// Offsets and bytes. Numbers that are text and trees are printed as JSON output prints them.
static bool
texts_convert(Arena *arena, const ArrowColumn *column, const Vector *flat, ArrowBuffers *out)
{
    int32_t *offsets = ARENA_ARRAY(arena, int32_t, flat->count + 1);
    Buffer bytes = {0};
    bool fits = true;
    for (uint32_t i = 0; fits && i < flat->count; i++) {
        const void *cell = (const char *)flat->data + i * type_size(flat->type);
        if (!flat->valid || bit_get(flat->valid, i)) {
            switch (column->type) {
            case TYPE_STRING: buffer_str(&bytes, text_str(cell)); break;
            case TYPE_DYNAMIC: dyn_to_json(&bytes, dyn_of_text(cell)); break;
            default: data_print(&bytes, column->type, cell); break;
            }
        }
        fits = bytes.len <= arrow_text_bytes_max;
        offsets[i + 1] = (int32_t)bytes.len;
    }
    out->buffers[1] = offsets;
    out->buffers[2] = fits ? arena_copy(arena, bytes.len ? bytes.data : "", bytes.len) : NULL;
    out->count = 3;
    buffer_free(&bytes);
    return fits;
}

static int64_t
nulls_count(const Vector *flat)
{
    int64_t nulls = 0;
    for (uint32_t i = 0; flat->valid && i < flat->count; i++)
        nulls += !bit_get(flat->valid, i);
    return nulls;
}

bool
arrow_column_fill(Arena *arena, const ArrowColumn *column, const Vector *values, ArrowBuffers *out)
{
    const Vector *flat = vector_flatten(arena, values);
    *out = (ArrowBuffers){.count = 2, .null_count = nulls_count(flat)};
    out->buffers[0] = out->null_count ? flat->valid : NULL;
    if (type_is_text(column->type) || column->as_text)
        return texts_convert(arena, column, flat, out);
    switch (column->type) {
    case TYPE_BOOL: out->buffers[1] = bools_pack(arena, flat); break;
    case TYPE_DATETIME:
    case TYPE_TIMESPAN: out->buffers[1] = times_convert(arena, column, flat); break;
    case TYPE_DECIMAL: out->buffers[1] = decimals_convert(arena, column, flat); break;
    default: out->buffers[1] = flat->data; break;
    }
    return true;
}
