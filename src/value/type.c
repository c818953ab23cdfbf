// Types: names, sizes, and comparison and hashing of payloads.
//
// One row a type in a table; what depends on a type is looked up there or, for
// the order of payloads, in one switch that the vector kernels do not pass
// through (they have loops of their own for each type).

#include "value/type.h"

#include "value/dynamic.h"
#include "value/scalar.h"

#include <assert.h>
#include <math.h>
#include <xxhash.h>

typedef struct TypeFacts {
    const char *name;
    const char *dotnet;
    uint8_t size;
} TypeFacts;

static const TypeFacts TYPE_FACTS[TYPE_LIMIT] = {
    [TYPE_NONE] = {"unknown", "System.Object", 0},
    [TYPE_BOOL] = {"bool", "System.SByte", 1},
    [TYPE_INT] = {"int", "System.Int32", 4},
    [TYPE_LONG] = {"long", "System.Int64", 8},
    [TYPE_REAL] = {"real", "System.Double", 8},
    [TYPE_DECIMAL] = {"decimal", "System.Data.SqlTypes.SqlDecimal", sizeof(Decimal)},
    [TYPE_DATETIME] = {"datetime", "System.DateTime", 8},
    [TYPE_TIMESPAN] = {"timespan", "System.TimeSpan", 8},
    [TYPE_STRING] = {"string", "System.String", sizeof(Text)},
    [TYPE_GUID] = {"guid", "System.Guid", sizeof(Guid)},
    [TYPE_DYNAMIC] = {"dynamic", "System.Object", sizeof(Text)},
};

// Kusto docs, "Scalar data types": the additional names.
static const struct {
    const char *name;
    Type type;
} TYPE_SYNONYMS[] = {
    {"boolean", TYPE_BOOL},  {"int32", TYPE_INT},     {"int64", TYPE_LONG}, {"double", TYPE_REAL},
    {"date", TYPE_DATETIME}, {"time", TYPE_TIMESPAN}, {"uuid", TYPE_GUID},  {"uniqueid", TYPE_GUID},
};

size_t
type_size(Type type)
{
    return TYPE_FACTS[type].size;
}

const char *
type_name(Type type)
{
    return TYPE_FACTS[type].name;
}

const char *
type_dotnet_name(Type type)
{
    return TYPE_FACTS[type].dotnet;
}

Type
type_from_name(Str name)
{
    for (Type type = TYPE_BOOL; type < TYPE_LIMIT; type++) {
        if (str_equal_ci(name, str_from(TYPE_FACTS[type].name)))
            return type;
    }
    for (size_t i = 0; i < sizeof(TYPE_SYNONYMS) / sizeof(TYPE_SYNONYMS[0]); i++) {
        if (str_equal_ci(name, str_from(TYPE_SYNONYMS[i].name)))
            return TYPE_SYNONYMS[i].type;
    }
    return TYPE_NONE;
}

Value
value_null(Type type)
{
    Value value = {.type = type, .is_null = type != TYPE_STRING};
    memset(&value.text, 0, sizeof(value.text));
    return value;
}

Value
value_bool(bool b)
{
    return (Value){.type = TYPE_BOOL, .boolean = b};
}

Value
value_int(int32_t i)
{
    return (Value){.type = TYPE_INT, .int32 = i};
}

Value
value_long(int64_t l)
{
    return (Value){.type = TYPE_LONG, .int64 = l};
}

Value
value_real(double r)
{
    return (Value){.type = TYPE_REAL, .real = r};
}

Value
value_datetime(int64_t ticks)
{
    return (Value){.type = TYPE_DATETIME, .int64 = ticks};
}

Value
value_timespan(int64_t ticks)
{
    return (Value){.type = TYPE_TIMESPAN, .int64 = ticks};
}

Value
value_string(Str s)
{
    return (Value){.type = TYPE_STRING, .text = text_view(s.ptr, s.len)};
}

// All payloads start at the same address of the union.
const void *
value_data(const Value *value)
{
    return &value->text;
}

static int
order_long(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int
order_real(double a, double b)
{
    bool nan_a = a != a, nan_b = b != b;
    if (nan_a || nan_b)
        return (int)nan_b - (int)nan_a;
    return (a > b) - (a < b);
}

static int64_t
load_long(const void *data)
{
    int64_t l;
    memcpy(&l, data, sizeof(l));
    return l;
}

static double
load_real(const void *data)
{
    double r;
    memcpy(&r, data, sizeof(r));
    return r;
}

static int32_t
load_int(const void *data)
{
    int32_t i;
    memcpy(&i, data, sizeof(i));
    return i;
}

static Decimal
load_decimal(const void *data)
{
    Decimal m;
    memcpy(&m, data, sizeof(m));
    return m;
}

int
data_compare(Type type, const void *a, const void *b)
{
    switch (type) {
    case TYPE_BOOL: return (int)*(const uint8_t *)a - (int)*(const uint8_t *)b;
    case TYPE_INT: return order_long(load_int(a), load_int(b));
    case TYPE_LONG:
    case TYPE_DATETIME:
    case TYPE_TIMESPAN: return order_long(load_long(a), load_long(b));
    case TYPE_REAL: return order_real(load_real(a), load_real(b));
    case TYPE_DECIMAL: return decimal_compare(load_decimal(a), load_decimal(b));
    case TYPE_GUID: return memcmp(a, b, sizeof(Guid));
    case TYPE_STRING: return str_compare(text_str(a), text_str(b));
    case TYPE_DYNAMIC: return dyn_compare(dyn_of_text(a), dyn_of_text(b));
    case TYPE_NONE:
    case TYPE_LIMIT: break;
    }
    assert(false && "a type without data");
    return 0;
}

int
value_compare(const Value *a, const Value *b)
{
    assert(a->type == b->type);
    if (a->is_null || b->is_null)
        return (int)b->is_null - (int)a->is_null;
    return data_compare(a->type, value_data(a), value_data(b));
}

bool
data_equal(Type type, const void *a, const void *b)
{
    switch (type) {
    case TYPE_STRING: return text_equal(a, b);
    case TYPE_DYNAMIC: return dyn_equal(dyn_of_text(a), dyn_of_text(b));
    default: return data_compare(type, a, b) == 0;
    }
}

static uint64_t
hash_real(double r)
{
    if (r == 0)
        r = 0; // -0.0 and 0.0 alike
    if (r != r)
        r = (double)NAN;
    return XXH3_64bits(&r, sizeof(r));
}

uint64_t
data_hash(Type type, const void *data)
{
    switch (type) {
    case TYPE_STRING: return str_hash(text_str(data));
    case TYPE_DYNAMIC: return dyn_hash(dyn_of_text(data));
    case TYPE_REAL: return hash_real(load_real(data));
    // Equal decimals may differ in scale (1.0 and 1.00); as reals they agree.
    case TYPE_DECIMAL: return hash_real(decimal_to_real(load_decimal(data)));
    default: return XXH3_64bits(data, type_size(type));
    }
}
