// Values of the policy language.

#include "azure/policy/value.h"

#include "value/json.h"
#include "value/scalar.h"
#include "value/unicode.h"

enum { DEPTH_LIMIT = 128 }; // of what is compared and printed

PolicyValue
policy_value_of(Dyn node)
{
    PolicyValue value = {.kind = POLICY_STRING};
    switch (dyn_kind(node)) {
    case DYN_NULL: value.kind = POLICY_NULL; break;
    case DYN_BOOL: return policy_bool(dyn_bool(node));
    case DYN_LONG: return policy_long(dyn_long(node));
    case DYN_REAL: return policy_real(dyn_real(node));
    case DYN_DECIMAL: return policy_real(decimal_to_real(dyn_decimal(node)));
    case DYN_STRING: value.text = dyn_string(node); break;
    case DYN_ARRAY:
        value.kind = POLICY_ARRAY;
        value.tree = node;
        break;
    case DYN_BAG:
        value.kind = POLICY_OBJECT;
        value.tree = node;
        break;
    // No JSON has these; a store may hold times and ids where text was one.
    case DYN_TIMESPAN: return policy_unknown(dyn_long(node));
    case DYN_DATETIME:
    case DYN_GUID: value.kind = POLICY_NULL; break;
    }
    return value;
}

PolicyValue
policy_null(void)
{
    return (PolicyValue){0};
}

PolicyValue
policy_bool(bool flag)
{
    return (PolicyValue){.kind = POLICY_BOOL, .boolean = flag};
}

PolicyValue
policy_long(int64_t number)
{
    return (PolicyValue){.kind = POLICY_LONG, .integer = number};
}

PolicyValue
policy_real(double number)
{
    return (PolicyValue){.kind = POLICY_REAL, .real = number};
}

PolicyValue
policy_text(Str text)
{
    return (PolicyValue){.kind = POLICY_STRING, .text = text};
}

PolicyValue
policy_unknown(int64_t reason)
{
    return (PolicyValue){.kind = POLICY_UNKNOWN, .integer = reason};
}

PolicyValue
policy_array(const PolicyValue *items, uint32_t count)
{
    PolicyValue value = {.kind = POLICY_ARRAY, .computed = true, .count = count};
    value.items = items;
    return value;
}

PolicyValue
policy_object(const Str *keys, const PolicyValue *items, uint32_t count)
{
    PolicyValue value = {.kind = POLICY_OBJECT, .computed = true, .count = count};
    value.items = items;
    value.keys = keys;
    return value;
}

uint32_t
policy_count(const PolicyValue *value)
{
    if (value->kind != POLICY_ARRAY && value->kind != POLICY_OBJECT)
        return 0;
    return value->computed ? value->count : dyn_count(value->tree);
}

PolicyValue
policy_at(const PolicyValue *value, uint32_t index)
{
    return value->computed ? value->items[index] : policy_value_of(dyn_at(value->tree, index));
}

Str
policy_key_at(const PolicyValue *value, uint32_t index)
{
    return value->computed ? value->keys[index] : dyn_key_at(value->tree, index);
}

bool
policy_get(const PolicyValue *value, Str key, PolicyValue *out)
{
    if (value->kind != POLICY_OBJECT)
        return false;
    if (!value->computed) {
        Dyn found = dyn_get_ci(value->tree, key);
        *out = policy_value_of(found);
        return found.ptr != NULL;
    }
    for (uint32_t i = 0; i < value->count; i++) {
        if (str_equal_ci(value->keys[i], key)) {
            *out = value->items[i];
            return true;
        }
    }
    return false;
}

static bool
has_unknown(const PolicyValue *value, PolicyValue *found, int depth)
{
    if (value->kind == POLICY_UNKNOWN)
        *found = *value;
    bool has = value->kind == POLICY_UNKNOWN;
    for (uint32_t i = 0; !has && depth < DEPTH_LIMIT && i < policy_count(value); i++) {
        PolicyValue item = policy_at(value, i);
        has = has_unknown(&item, found, depth + 1);
    }
    return has;
}

bool
policy_has_unknown(const PolicyValue *value, PolicyValue *found)
{
    return has_unknown(value, found, 0);
}

bool
policy_is_number(const PolicyValue *value)
{
    return value->kind == POLICY_LONG || value->kind == POLICY_REAL;
}

double
policy_number(const PolicyValue *value)
{
    return value->kind == POLICY_LONG ? (double)value->integer : value->real;
}

static void
write_json(Buffer *out, const PolicyValue *value, int depth)
{
    uint32_t count = policy_count(value);
    switch (value->kind) {
    case POLICY_NULL: buffer_text(out, "null"); return;
    case POLICY_BOOL: bool_print(out, value->boolean); return;
    case POLICY_LONG: long_print(out, value->integer); return;
    case POLICY_REAL: real_print(out, value->real); return;
    case POLICY_STRING: json_write_string(out, value->text, false); return;
    case POLICY_UNKNOWN: buffer_text(out, "(unknown)"); return;
    default: break;
    }
    bool object = value->kind == POLICY_OBJECT;
    buffer_char(out, object ? '{' : '[');
    for (uint32_t i = 0; i < count && depth < DEPTH_LIMIT; i++) {
        if (i)
            buffer_char(out, ',');
        if (object) {
            json_write_string(out, policy_key_at(value, i), false);
            buffer_char(out, ':');
        }
        PolicyValue item = policy_at(value, i);
        write_json(out, &item, depth + 1);
    }
    buffer_char(out, object ? '}' : ']');
}

void
policy_to_json(Buffer *out, const PolicyValue *value)
{
    write_json(out, value, 0);
}

Str
policy_to_text(Arena *arena, const PolicyValue *value)
{
    if (value->kind == POLICY_STRING)
        return value->text;
    if (value->kind == POLICY_BOOL)
        return value->boolean ? STR("true") : STR("false");
    Buffer out = {0};
    write_json(&out, value, 0);
    Str text = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return text;
}

static void
push(DynBuilder *builder, const PolicyValue *value)
{
    switch (value->kind) {
    case POLICY_NULL: dyn_push_null(builder); return;
    case POLICY_BOOL: dyn_push_bool(builder, value->boolean); return;
    case POLICY_LONG: dyn_push_long(builder, value->integer); return;
    case POLICY_REAL: dyn_push_real(builder, value->real); return;
    case POLICY_STRING: dyn_push_string(builder, value->text); return;
    case POLICY_UNKNOWN: dyn_push_timespan(builder, value->integer); return;
    default: break;
    }
    if (!value->computed) {
        dyn_push_tree(builder, value->tree);
        return;
    }
    bool object = value->kind == POLICY_OBJECT;
    object ? dyn_begin_bag(builder) : dyn_begin_array(builder);
    for (uint32_t i = 0; i < value->count; i++) {
        if (object)
            dyn_key(builder, value->keys[i]);
        push(builder, &value->items[i]);
    }
    object ? dyn_end_bag(builder) : dyn_end_array(builder);
}

Dyn
policy_to_tree(Arena *arena, const PolicyValue *value)
{
    DynBuilder *builder = dyn_builder_new();
    push(builder, value);
    Dyn tree = {0}, kept = {0};
    const char *why;
    if (dyn_finish(builder, &tree, &why))
        kept = (Dyn){arena_copy(arena, tree.ptr, tree.size), tree.size};
    dyn_builder_free(builder);
    return kept;
}

static bool
same(const PolicyValue *a, const PolicyValue *b, int depth)
{
    if (policy_is_number(a) && policy_is_number(b))
        return a->kind == POLICY_LONG && b->kind == POLICY_LONG
                   ? a->integer == b->integer
                   : policy_number(a) == policy_number(b);
    if (a->kind != b->kind || depth > DEPTH_LIMIT)
        return false;
    if (a->kind == POLICY_NULL)
        return true;
    if (a->kind == POLICY_UNKNOWN)
        return a->integer == b->integer;
    if (a->kind == POLICY_BOOL)
        return a->boolean == b->boolean;
    if (a->kind == POLICY_STRING)
        return str_equal(a->text, b->text);
    uint32_t count = policy_count(a);
    if (count != policy_count(b))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        PolicyValue left = policy_at(a, i), right = {0};
        if (a->kind == POLICY_ARRAY)
            right = policy_at(b, i);
        else if (!policy_get(b, policy_key_at(a, i), &right))
            return false;
        if (!same(&left, &right, depth + 1))
            return false;
    }
    return true;
}

bool
policy_same(const PolicyValue *a, const PolicyValue *b)
{
    return same(a, b, 0);
}

static bool
is_ascii(Str text)
{
    unsigned char all = 0;
    for (size_t i = 0; i < text.len; i++)
        all |= (unsigned char)text.ptr[i];
    return all < 0x80;
}

bool
policy_text_equal(Str a, Str b)
{
    if (str_equal_ci(a, b))
        return true;
    return !is_ascii(a) && !is_ascii(b) && unicode_equal_ci(a, b);
}

int
policy_text_compare(Str a, Str b)
{
    if (is_ascii(a) && is_ascii(b))
        return str_compare_ci(a, b);
    Buffer left = {0}, right = {0};
    unicode_lower(&left, a);
    unicode_lower(&right, b);
    int order = str_compare(buffer_slice(&left), buffer_slice(&right));
    buffer_free(&left);
    buffer_free(&right);
    return order;
}
