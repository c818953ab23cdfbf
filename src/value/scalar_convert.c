// Conversions between types: what tostring(), tolong(), todatetime() and the
// other to*() functions do with a value of any type. A conversion that cannot be
// done gives null, never an error (Kusto docs, pages of the functions).

#include "value/dynamic.h"
#include "value/json.h"
#include "value/scalar.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static int64_t
load_long(const void *data)
{
    int64_t l;
    memcpy(&l, data, sizeof(l));
    return l;
}

void
data_print(Buffer *out, Type type, const void *data)
{
    switch (type) {
    case TYPE_BOOL: bool_print(out, *(const uint8_t *)data != 0); break;
    case TYPE_INT: {
        int32_t i;
        memcpy(&i, data, sizeof(i));
        long_print(out, i);
        break;
    }
    case TYPE_LONG: long_print(out, load_long(data)); break;
    case TYPE_REAL: {
        double r;
        memcpy(&r, data, sizeof(r));
        real_print(out, r);
        break;
    }
    case TYPE_DECIMAL: {
        Decimal m;
        memcpy(&m, data, sizeof(m));
        decimal_print(out, m);
        break;
    }
    case TYPE_DATETIME: datetime_print(out, load_long(data)); break;
    case TYPE_TIMESPAN: timespan_print(out, load_long(data)); break;
    case TYPE_STRING: buffer_str(out, text_str(data)); break;
    case TYPE_GUID: {
        Guid g;
        memcpy(&g, data, sizeof(g));
        guid_print(out, g);
        break;
    }
    case TYPE_DYNAMIC: dyn_to_text(out, dyn_of_text(data)); break;
    case TYPE_NONE:
    case TYPE_LIMIT: assert(false && "a type without data");
    }
}

bool
value_parse(Arena *arena, Type type, Str text, Value *out)
{
    Value value = value_null(type);
    bool done = false;
    switch (type) {
    case TYPE_BOOL: done = bool_parse(text, &value.boolean); break;
    case TYPE_INT: done = int_parse(text, &value.int32); break;
    case TYPE_LONG: done = long_parse(text, &value.int64); break;
    case TYPE_REAL: done = real_parse(text, &value.real); break;
    case TYPE_DECIMAL: done = decimal_parse(text, &value.decimal); break;
    case TYPE_DATETIME: done = datetime_parse(text, &value.int64); break;
    case TYPE_TIMESPAN: done = timespan_parse(text, &value.int64); break;
    case TYPE_GUID: done = guid_parse(text, &value.guid); break;
    case TYPE_STRING:
        value.text = text_copy(arena, text);
        done = true;
        break;
    case TYPE_DYNAMIC:
        json_parse_text(arena, text, &value.text, &value.is_null);
        *out = value;
        return true;
    case TYPE_NONE:
    case TYPE_LIMIT: break;
    }
    value.is_null = !done;
    *out = done ? value : value_null(type);
    return done;
}

// Truncates towards zero; false for NaN and what does not fit.
static bool
real_to_long(double r, int64_t *out)
{
    // 2^63 is a double, 2^63 - 1 is not.
    if (!(r >= -9223372036854775808.0 && r < 9223372036854775808.0))
        return false;
    *out = (int64_t)r;
    return true;
}

// Bool, int, long and the tick types as a long.
static bool
value_as_long(const Value *value, int64_t *out)
{
    switch (value->type) {
    case TYPE_BOOL: *out = value->boolean; return true;
    case TYPE_INT: *out = value->int32; return true;
    case TYPE_LONG:
    case TYPE_DATETIME:
    case TYPE_TIMESPAN: *out = value->int64; return true;
    case TYPE_REAL: return real_to_long(value->real, out);
    case TYPE_DECIMAL: return decimal_to_long(value->decimal, out);
    default: return false;
    }
}

static bool
value_as_real(const Value *value, double *out)
{
    int64_t l;
    if (value->type == TYPE_REAL) {
        *out = value->real;
    } else if (value->type == TYPE_DECIMAL) {
        *out = decimal_to_real(value->decimal);
    } else if (value_as_long(value, &l)) {
        *out = (double)l;
    } else {
        return false;
    }
    return true;
}

static Value
value_to_string(Arena *arena, const Value *value)
{
    Buffer text = {0};
    data_print(&text, value->type, value_data(value));
    Value result = value_null(TYPE_STRING);
    result.text = text_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return result;
}

// From numbers, bools and ticks to another of these; false when it has no
// meaning or does not fit.
static bool
value_to_number(const Value *value, Type to, Value *out)
{
    int64_t l;
    switch (to) {
    case TYPE_BOOL:
        if (value->type == TYPE_REAL) {
            out->boolean = value->real != 0;
            return value->real == value->real;
        }
        if (value->type == TYPE_DECIMAL) {
            out->boolean = decimal_compare(value->decimal, decimal_from_long(0)) != 0;
            return true;
        }
        if (value->type == TYPE_DATETIME || value->type == TYPE_TIMESPAN ||
            !value_as_long(value, &l))
            return false;
        out->boolean = l != 0;
        return true;
    case TYPE_INT:
        if (!value_as_long(value, &l) || l < INT32_MIN || l > INT32_MAX)
            return false;
        out->int32 = (int32_t)l;
        return true;
    case TYPE_LONG: return value_as_long(value, &out->int64);
    case TYPE_REAL: return value_as_real(value, &out->real);
    case TYPE_DECIMAL:
        if (value->type == TYPE_REAL) {
            out->decimal = decimal_from_real(value->real);
            return isfinite(value->real);
        }
        if (!value_as_long(value, &l))
            return false;
        out->decimal = decimal_from_long(l);
        return true;
    case TYPE_DATETIME:
        // A number is a count of ticks.
        if (value->type == TYPE_TIMESPAN || value->type == TYPE_BOOL ||
            !value_as_long(value, &out->int64))
            return false;
        return out->int64 >= 0 && out->int64 <= DATETIME_MAX;
    case TYPE_TIMESPAN:
        return value->type != TYPE_DATETIME && value->type != TYPE_BOOL &&
               value_as_long(value, &out->int64);
    default: return false;
    }
}

Value
value_convert(Arena *arena, const Value *value, Type to)
{
    if (value->type == to)
        return *value;
    Value result = value_null(to);
    if (value->is_null || value->type == TYPE_NONE)
        return result;
    if (value->type == TYPE_DYNAMIC)
        return dyn_convert(arena, dyn_of_text(&value->text), to);
    if (to == TYPE_STRING)
        return value_to_string(arena, value);
    if (value->type == TYPE_STRING) {
        value_parse(arena, to, text_str(&value->text), &result);
    } else if (to == TYPE_DYNAMIC) {
        result.text = dyn_text_of_value(arena, value);
        result.is_null = false;
    } else if (value_to_number(value, to, &result)) {
        result.is_null = false;
    } else {
        result = value_null(to);
    }
    return result;
}
