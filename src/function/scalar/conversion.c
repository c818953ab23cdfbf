// Conversion functions: tostring(), tolong(), todatetime(), parse_json() ... A
// value that cannot be converted becomes null, never an error (Kusto docs, pages of
// the conversion functions).
//
// Each kernel chooses its loop once for the argument's type: the common ways (text
// or dynamic to something) have loops of their own, the rest goes through
// value_convert().

#include "base/array.h"
#include "function/registry.h"
#include "value/scalar.h"

static void
convert_rows(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Value value = arg_value(call, 0, i);
        Value result = value_convert(call->arena, &value, call->type);
        out_value(call, i, &result);
    }
}

static void
convert_dynamic_rows(ScalarCall *call)
{
    bool longs = call->type == TYPE_LONG;
    for (uint32_t i = 0; i < call->count; i++) {
        Dyn node = arg_dyn(call, 0, i);
        if (longs && dyn_kind(node) == DYN_LONG) {
            ((int64_t *)call->out)[i] = dyn_long(node);
            continue;
        }
        Value result = dyn_convert(call->arena, node, call->type);
        out_value(call, i, &result);
    }
}

// The argument's own payloads, when it has the wanted type already.
static void
copy_rows(ScalarCall *call)
{
    size_t size = type_size(call->type);
    const char *data = call->args[0].data;
    for (uint32_t i = 0; i < call->count; i++)
        memcpy((char *)call->out + i * size, data + (i & call->args[0].mask) * size, size);
}

#define WIDEN(FROM, TO)                                                                            \
    for (uint32_t i = 0; i < call->count; i++)                                                     \
    ((TO *)call->out)[i] = (TO)ARG(call, 0, FROM, i)

// Numbers into types that hold all of them, as the binder puts them around mixed numbers.
static bool
widen_rows(ScalarCall *call)
{
    Type from = call->args[0].type;
    if (from == TYPE_INT && call->type == TYPE_LONG)
        WIDEN(int32_t, int64_t);
    else if (from == TYPE_INT && call->type == TYPE_REAL)
        WIDEN(int32_t, double);
    else if (from == TYPE_LONG && call->type == TYPE_REAL)
        WIDEN(int64_t, double);
    else
        return false;
    return true;
}

static void
convert(ScalarCall *call)
{
    if (call->args[0].type == call->type)
        copy_rows(call);
    else if (widen_rows(call))
        return;
    else if (call->args[0].type == TYPE_DYNAMIC)
        convert_dynamic_rows(call);
    else
        convert_rows(call);
}

#define PARSE_KERNEL(NAME, T, PARSE)                                                               \
    static void NAME(ScalarCall *call)                                                             \
    {                                                                                              \
        if (call->args[0].type != TYPE_STRING) {                                                   \
            convert(call);                                                                         \
            return;                                                                                \
        }                                                                                          \
        T *out = call->out;                                                                        \
        for (uint32_t i = 0; i < call->count; i++)                                                 \
            if (!PARSE(arg_str(call, 0, i), &out[i]))                                              \
                out_null(call, i);                                                                 \
    }                                                                                              \
    static const ScalarImpl NAME##_impl = {NAME, NULL};

PARSE_KERNEL(to_real, double, real_parse)
PARSE_KERNEL(to_decimal, Decimal, decimal_parse)
PARSE_KERNEL(to_datetime, int64_t, datetime_parse)
PARSE_KERNEL(to_timespan, int64_t, timespan_parse)
PARSE_KERNEL(to_guid, Guid, guid_parse)

// toint, tolong, tobool of text read more than the literal: value_convert knows.
static const ScalarImpl convert_impl = {convert, NULL};

// ---- tostring ----

static void
string_of_dynamic(ScalarCall *call)
{
    Buffer *text = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        if (arg_is_null(call, 0, i))
            continue;
        Dyn node = arg_dyn(call, 0, i);
        if (dyn_kind(node) == DYN_STRING) {
            out_view(call, i, dyn_string(node));
            continue;
        }
        buffer_clear(text);
        dyn_to_text(text, node);
        out_str(call, i, buffer_slice(text));
    }
}

static void
to_string(ScalarCall *call)
{
    Type from = call->args[0].type;
    if (from == TYPE_STRING) {
        copy_rows(call);
        return;
    }
    if (from == TYPE_DYNAMIC) {
        string_of_dynamic(call);
        return;
    }
    Buffer *text = &call->scratch->text;
    size_t size = type_size(from);
    const char *data = call->args[0].data;
    for (uint32_t i = 0; i < call->count; i++) {
        if (arg_is_null(call, 0, i))
            continue;
        buffer_clear(text);
        data_print(text, from, data + (i & call->args[0].mask) * size);
        out_str(call, i, buffer_slice(text));
    }
}

static const ScalarImpl to_string_impl = {to_string, NULL};

// ---- dynamic ----

static void
to_dynamic(ScalarCall *call)
{
    Type from = call->args[0].type;
    if (from == TYPE_DYNAMIC) {
        copy_rows(call);
        return;
    }
    for (uint32_t i = 0; i < call->count; i++) {
        if (from == TYPE_STRING) {
            bool is_null = false;
            json_parse_lenient(call->scratch->json, call->scratch->dyn, call->arena,
                               arg_str(call, 0, i), &((Text *)call->out)[i], &is_null);
            if (is_null)
                out_null(call, i);
        } else {
            Value value = arg_value(call, 0, i);
            dyn_builder_reset(call->scratch->dyn);
            dyn_push_value(call->scratch->dyn, &value);
            out_dyn(call, i);
        }
    }
}

static const ScalarImpl to_dynamic_impl = {to_dynamic, NULL};

// Boxes a value as it is (text stays text): where a dynamic is wanted and a scalar came.
static void
box(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Value value = arg_value(call, 0, i);
        dyn_builder_reset(call->scratch->dyn);
        dyn_push_value(call->scratch->dyn, &value);
        out_dyn(call, i);
    }
}

static const ScalarImpl box_impl = {box, NULL};

typedef struct SortedKey {
    Str key;
    uint32_t at;
} SortedKey;

static int
sorted_key_order(const void *a, const void *b)
{
    return str_compare(((const SortedKey *)a)->key, ((const SortedKey *)b)->key);
}

// JSON with the keys of every bag in order, so that equal values give equal texts
// (dynamic-to-json-function page).
static void
canonical_json(Buffer *out, Dyn node, Arena *arena)
{
    uint32_t count = dyn_count(node);
    if (dyn_kind(node) == DYN_ARRAY) {
        buffer_char(out, '[');
        for (uint32_t i = 0; i < count; i++) {
            buffer_text(out, i ? "," : "");
            canonical_json(out, dyn_at(node, i), arena);
        }
        buffer_char(out, ']');
    } else if (dyn_kind(node) == DYN_BAG) {
        SortedKey *keys = ARENA_ARRAY(arena, SortedKey, count);
        for (uint32_t i = 0; i < count; i++)
            keys[i] = (SortedKey){dyn_key_at(node, i), i};
        if (count)
            qsort(keys, count, sizeof(*keys), sorted_key_order);
        buffer_char(out, '{');
        for (uint32_t i = 0; i < count; i++) {
            buffer_text(out, i ? "," : "");
            json_write_string(out, keys[i].key, false);
            buffer_char(out, ':');
            canonical_json(out, dyn_at(node, keys[i].at), arena);
        }
        buffer_char(out, '}');
    } else {
        dyn_to_json(out, node);
    }
}

static void
dynamic_to_json(ScalarCall *call)
{
    Buffer *text = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        buffer_clear(text);
        if (arg_is_null(call, 0, i))
            buffer_text(text, "null");
        else
            canonical_json(text, arg_dyn(call, 0, i), call->arena);
        out_str(call, i, buffer_slice(text));
    }
}

static const ScalarImpl dynamic_to_json_impl = {dynamic_to_json, NULL};

static void
get_type(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        const char *name = type_name(call->args[0].type);
        if (arg_is_null(call, 0, i))
            name = "null";
        else if (call->args[0].type == TYPE_DYNAMIC)
            name = dyn_type_name(arg_dyn(call, 0, i));
        out_view(call, i, str_from(name));
    }
}

static const ScalarImpl get_type_impl = {get_type, NULL};

// ---- rows ----

#define CONVERSION(NAME, ALIASES, RESULT, IMPL, FLAGS, EXAMPLE)                                    \
    {                                                                                              \
        NAME, ALIASES, "(value:scalar) : " RESULT,                                                 \
            "The value as a " RESULT ", null when it cannot be converted.", EXAMPLE,               \
            FUNCTION_SCALAR, FLAGS, &(IMPL)                                                        \
    }

static const FunctionDef ROWS[] = {
    CONVERSION("tobool", "toboolean", "bool", convert_impl, 0, "tobool('true') == true"),
    CONVERSION("toint", NULL, "int", convert_impl, 0, "toint(2.9) == 2"),
    CONVERSION("tolong", NULL, "long", convert_impl, 0, "tolong('0x10') == 16"),
    CONVERSION("toreal", "todouble", "real", to_real_impl, 0, "toreal('1.5') == 1.5"),
    CONVERSION("todecimal", NULL, "decimal", to_decimal_impl, 0,
               "todecimal('1.5') == decimal(1.5)"),
    CONVERSION("todatetime", NULL, "datetime", to_datetime_impl, 0,
               "todatetime('2020-01-01') == datetime(2020-01-01)"),
    CONVERSION("totimespan", "totime", "timespan", to_timespan_impl, 0,
               "totimespan('1.02:00:00') == 26h"),
    CONVERSION("toguid", NULL, "guid", to_guid_impl, 0,
               "isnotnull(toguid('74be27de-1e4e-49d9-b579-fe0b331d3642'))"),
    {"tostring", NULL, "(value:scalar) : string", "The value as text; of a null the empty string.",
     "tostring(123) == '123'", FUNCTION_SCALAR, FN_OWN_NULLS, &to_string_impl},
    {"parse_json", "todynamic parsejson toobject", "(text:strings) : dynamic",
     "The JSON text as a dynamic; text that is not JSON becomes a dynamic string.",
     "tolong(parse_json('{\"a\":1}').a) == 1", FUNCTION_SCALAR, 0, &to_dynamic_impl},
    {"$box", NULL, "(value:scalar) : dynamic", NULL, NULL, FUNCTION_SCALAR,
     FN_INTERNAL | FN_OWN_NULLS, &box_impl},
    {"dynamic_to_json", NULL, "(value:dynamic) : string", "The dynamic as JSON text.",
     "dynamic_to_json(dynamic([1])) == '[1]'", FUNCTION_SCALAR, FN_OWN_NULLS,
     &dynamic_to_json_impl},
    {"gettype", NULL, "(value:scalar) : string", "The name of the value's type at run time.",
     "gettype(1) == 'long'", FUNCTION_SCALAR, FN_OWN_NULLS, &get_type_impl},
};

const FunctionSet CONVERSION_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
