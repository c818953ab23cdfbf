// Dynamic trees as JSON text. Kusto docs, "The dynamic data type": values that
// JSON has no form for (datetime, timespan, guid, and reals that are not finite)
// become strings.

#include "value/dynamic.h"
#include "value/dynamic_layout.h"
#include "value/json.h"
#include "value/scalar.h"

#include <math.h>

static void
print_quoted_data(Buffer *out, Type type, const void *data)
{
    buffer_char(out, '"');
    data_print(out, type, data);
    buffer_char(out, '"');
}

static void
print_real(Buffer *out, double r)
{
    if (isfinite(r))
        real_print(out, r);
    else
        print_quoted_data(out, TYPE_REAL, &r);
}

static void
print_container(Buffer *out, Dyn node)
{
    DynContainer c = dyn_open(node);
    buffer_char(out, c.order ? '{' : '[');
    for (uint32_t i = 0; i < c.count; i++) {
        if (i)
            buffer_char(out, ',');
        if (c.order) {
            json_write_string(out, dyn_member_key(&c, i), false);
            buffer_char(out, ':');
            dyn_to_json(out, dyn_member_value(&c, i));
        } else {
            dyn_to_json(out, dyn_piece(&c, i));
        }
    }
    buffer_char(out, c.order ? '}' : ']');
}

void
dyn_to_json(Buffer *out, Dyn node)
{
    switch (dyn_kind(node)) {
    case DYN_NULL: buffer_str(out, STR("null")); break;
    case DYN_BOOL: bool_print(out, dyn_bool(node)); break;
    case DYN_LONG: long_print(out, dyn_long(node)); break;
    case DYN_REAL: print_real(out, dyn_real(node)); break;
    case DYN_DECIMAL: {
        Decimal m = dyn_decimal(node);
        if (isfinite(decimal_to_real(m)))
            decimal_print(out, m);
        else
            print_quoted_data(out, TYPE_DECIMAL, &m);
        break;
    }
    case DYN_DATETIME: {
        int64_t ticks = dyn_long(node);
        print_quoted_data(out, TYPE_DATETIME, &ticks);
        break;
    }
    case DYN_TIMESPAN: {
        int64_t ticks = dyn_long(node);
        print_quoted_data(out, TYPE_TIMESPAN, &ticks);
        break;
    }
    case DYN_GUID: {
        Guid guid = dyn_guid(node);
        print_quoted_data(out, TYPE_GUID, &guid);
        break;
    }
    case DYN_STRING: json_write_string(out, dyn_string(node), false); break;
    case DYN_ARRAY:
    case DYN_BAG: print_container(out, node); break;
    }
}

void
dyn_to_text(Buffer *out, Dyn node)
{
    if (dyn_kind(node) == DYN_NULL || dyn_kind(node) >= DYN_ARRAY) {
        if (dyn_kind(node) != DYN_NULL)
            dyn_to_json(out, node);
        return;
    }
    Value value = dyn_value(node);
    data_print(out, value.type, value_data(&value));
}

const char *
dyn_type_name(Dyn node)
{
    static const char *const NAMES[] = {
        [DYN_NULL] = "null",         [DYN_BOOL] = "bool",       [DYN_LONG] = "long",
        [DYN_REAL] = "real",         [DYN_DECIMAL] = "decimal", [DYN_DATETIME] = "datetime",
        [DYN_TIMESPAN] = "timespan", [DYN_GUID] = "guid",       [DYN_STRING] = "string",
        [DYN_ARRAY] = "array",       [DYN_BAG] = "dictionary",
    };
    return NAMES[dyn_kind(node)];
}
