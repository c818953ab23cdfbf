// Bodies of resources from Terraform's attributes.

#include "azure/template/terraform_map.h"

#include "azure/arm.h"
#include "value/json.h"

#include <string.h>

enum { MEMBER_LIMIT = 256 };

typedef struct Object { // being built: members by name, objects in each other
    struct Object *parts[MEMBER_LIMIT];
    Str keys[MEMBER_LIMIT];
    PolicyValue values[MEMBER_LIMIT];
    uint32_t count;
} Object;

static void
put_path(Arena *arena, Object *object, Str path, const PolicyValue *value)
{
    const char *dot = memchr(path.ptr, '.', path.len);
    Str key = dot ? str_slice(path, 0, (size_t)(dot - path.ptr)) : path;
    uint32_t at = 0;
    while (at < object->count && !str_equal_ci(object->keys[at], key))
        at++;
    if (at == MEMBER_LIMIT)
        return;
    if (at == object->count) {
        object->keys[object->count++] = key;
        object->parts[at] = NULL;
    }
    if (!dot) {
        object->values[at] = *value;
        return;
    }
    if (!object->parts[at])
        object->parts[at] = ARENA_NEW(arena, Object);
    put_path(arena, object->parts[at], str_slice(path, key.len + 1, path.len), value);
}

static PolicyValue
object_value(Arena *arena, const Object *object)
{
    PolicyValue *values = ARENA_ARRAY(arena, PolicyValue, object->count);
    Str *keys = ARENA_ARRAY(arena, Str, object->count);
    for (uint32_t i = 0; i < object->count; i++) {
        keys[i] = object->keys[i];
        values[i] = object->parts[i] ? object_value(arena, object->parts[i]) : object->values[i];
    }
    return policy_object(keys, values, object->count);
}

// Attributes ----------------------------------------------------------------

static bool
is_true(Dyn node)
{
    return dyn_kind(node) == DYN_BOOL && dyn_bool(node);
}

// A value in which something may be known after apply.
static PolicyValue
mixed(const TerraformSource *source, Dyn value, Dyn unknown, Str path)
{
    PolicyValue found = policy_value_of(value);
    Arena *arena = source->set->arena;
    if (is_true(unknown))
        return planned_unknown(source->set, str_format(arena, "%.*s.%.*s, known after apply",
                                                       STR_ARG(source->address), STR_ARG(path)));
    uint32_t count = policy_count(&found);
    if (!dyn_count(unknown) || !count)
        return found;
    PolicyValue *items = ARENA_ARRAY(arena, PolicyValue, count);
    Str *keys = found.kind == POLICY_OBJECT ? ARENA_ARRAY(arena, Str, count) : NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (keys)
            keys[i] = policy_key_at(&found, i);
        items[i] = mixed(source, dyn_at(value, i),
                         keys ? dyn_get(unknown, keys[i]) : dyn_at(unknown, i), path);
    }
    return keys ? policy_object(keys, items, count) : policy_array(items, count);
}

// The attribute at "block.inner"; of a block that may repeat the first.
static PolicyValue
attribute_at(const TerraformSource *source, Str path)
{
    Dyn value = source->after, unknown = source->unknown;
    Str rest = path;
    while (rest.len && !str_equal(path, STR("."))) {
        const char *dot = memchr(rest.ptr, '.', rest.len);
        Str key = dot ? str_slice(rest, 0, (size_t)(dot - rest.ptr)) : rest;
        rest = str_slice(rest, key.len + 1, rest.len);
        value = dyn_get(value, key);
        unknown = is_true(unknown) ? unknown : dyn_get(unknown, key);
        if (rest.len && dyn_kind(value) == DYN_ARRAY)
            value = dyn_at(value, 0);
        if (rest.len && dyn_kind(unknown) == DYN_ARRAY)
            unknown = dyn_at(unknown, 0);
    }
    return mixed(source, value, unknown, path);
}

// Whether the provider has the attribute: a plan has all of them, also those that are not set.
static bool
is_there(const TerraformSource *source, Str path)
{
    const char *dot = memchr(path.ptr, '.', path.len);
    Str key = dot ? str_slice(path, 0, (size_t)(dot - path.ptr)) : path;
    return dyn_get(source->after, key).ptr || dyn_get(source->unknown, key).ptr;
}

// "new_name|old_name": as versions of the provider call it, the first that the plan has. What it
// has under no name is unknown: it may be set in a manner that the table does not know.
static PolicyValue
attribute(const TerraformSource *source, Str names)
{
    Str rest = names;
    while (rest.len) {
        const char *bar = memchr(rest.ptr, '|', rest.len);
        Str one = bar ? str_slice(rest, 0, (size_t)(bar - rest.ptr)) : rest;
        rest = str_slice(rest, one.len + 1, rest.len);
        if (is_there(source, one))
            return attribute_at(source, one);
    }
    if (str_equal(names, STR(".")) || !names.len)
        return attribute_at(source, names);
    return planned_unknown(source->set,
                           str_format(source->set->arena,
                                      "%.*s: '%.*s', which this version of the provider lacks",
                                      STR_ARG(source->address), STR_ARG(names)));
}

static PolicyValue
mapped(const TerraformSource *source, Dyn rule)
{
    PolicyValue from = attribute(source, dyn_string(dyn_get(rule, STR("from"))));
    if (from.kind == POLICY_UNKNOWN)
        return from;
    Str text = from.kind == POLICY_NULL ? STR("null") : policy_to_text(source->set->arena, &from);
    Dyn map = dyn_get(rule, STR("map")), found = dyn_get_ci(map, text);
    if (!found.ptr && from.kind != POLICY_NULL)
        found = dyn_get(map, STR("*"));
    return found.ptr ? policy_value_of(found) : policy_null();
}

static PolicyValue
joined(const TerraformSource *source, Dyn rule)
{
    Dyn parts = dyn_get(rule, STR("join"));
    Str by = dyn_string(dyn_get(rule, STR("by"))), text = {0};
    for (uint32_t i = 0; i < dyn_count(parts); i++) {
        PolicyValue part = attribute(source, dyn_string(dyn_at(parts, i)));
        if (part.kind == POLICY_UNKNOWN || part.kind == POLICY_NULL)
            return part;
        text = str_format(source->set->arena, "%.*s%.*s%.*s", STR_ARG(text), i ? (int)by.len : 0,
                          by.ptr ? by.ptr : "", STR_ARG(policy_to_text(source->set->arena, &part)));
    }
    return policy_text(text);
}

static PolicyValue
listed(const TerraformSource *source, Dyn rule)
{
    PolicyValue list = attribute(source, dyn_string(dyn_get(rule, STR("list")))), found;
    Str by = dyn_string(dyn_get(rule, STR("by"))), text = {0};
    if (policy_has_unknown(&list, &found))
        return found;
    if (list.kind != POLICY_ARRAY)
        return list;
    for (uint32_t i = 0; i < policy_count(&list); i++) {
        PolicyValue part = policy_at(&list, i);
        text = str_format(source->set->arena, "%.*s%.*s%.*s", STR_ARG(text), i ? (int)by.len : 0,
                          by.ptr ? by.ptr : "", STR_ARG(policy_to_text(source->set->arena, &part)));
    }
    return policy_text(text);
}

static PolicyValue set_values(const TerraformSource *source, Dyn set);

static Dyn
node_at(Dyn node, Str path)
{
    while (path.len) {
        const char *dot = memchr(path.ptr, '.', path.len);
        Str key = dot ? str_slice(path, 0, (size_t)(dot - path.ptr)) : path;
        path = str_slice(path, key.len + 1, path.len);
        node = dyn_get(node, key);
        if (path.len && dyn_kind(node) == DYN_ARRAY)
            node = dyn_at(node, 0);
    }
    return node;
}

static PolicyValue
each(const TerraformSource *source, Dyn rule)
{
    Str path = dyn_string(dyn_get(rule, STR("each")));
    PolicyValue whole = attribute(source, path);
    Dyn unknown = node_at(source->unknown, path), list = node_at(source->after, path);
    Dyn set = dyn_get(rule, STR("set"));
    Str as = dyn_string(dyn_get(rule, STR("as")));
    if (whole.kind != POLICY_ARRAY)
        return whole;
    uint32_t count = dyn_count(list);
    PolicyValue *items = ARENA_ARRAY(source->set->arena, PolicyValue, count);
    for (uint32_t i = 0; i < count; i++) {
        TerraformSource inner = *source;
        inner.after = dyn_at(list, i);
        inner.unknown = dyn_at(unknown, i);
        if (set.ptr) {
            items[i] = set_values(&inner, set);
            continue;
        }
        Object *one = ARENA_NEW(source->set->arena, Object);
        PolicyValue value = policy_at(&whole, i);
        put_path(source->set->arena, one, as, &value);
        items[i] = object_value(source->set->arena, one);
    }
    return policy_array(items, count);
}

static PolicyValue
source_value(const TerraformSource *source, Dyn rule)
{
    if (dyn_kind(rule) == DYN_STRING)
        return attribute(source, dyn_string(rule));
    if (dyn_get(rule, STR("map")).ptr)
        return mapped(source, rule);
    if (dyn_get(rule, STR("join")).ptr)
        return joined(source, rule);
    if (dyn_get(rule, STR("list")).ptr)
        return listed(source, rule);
    if (dyn_get(rule, STR("each")).ptr)
        return each(source, rule);
    if (dyn_get(rule, STR("not")).ptr) {
        PolicyValue value = attribute(source, dyn_string(dyn_get(rule, STR("not"))));
        return value.kind == POLICY_BOOL ? policy_bool(!value.boolean) : value;
    }
    return policy_value_of(dyn_get(rule, STR("value")));
}

static void
put_values(const TerraformSource *source, Dyn set, Object *object)
{
    for (uint32_t i = 0; i < dyn_count(set); i++) {
        PolicyValue value = source_value(source, dyn_at(set, i));
        if (value.kind != POLICY_NULL) // what Terraform leaves out is not sent
            put_path(source->set->arena, object, dyn_key_at(set, i), &value);
    }
}

static PolicyValue
set_values(const TerraformSource *source, Dyn set)
{
    Object *object = ARENA_NEW(source->set->arena, Object);
    put_values(source, set, object);
    return object_value(source->set->arena, object);
}

// Bodies --------------------------------------------------------------------

static void
put_text(const TerraformSource *source, Object *object, const char *key, Str text)
{
    PolicyValue value = policy_text(text);
    put_path(source->set->arena, object, str_from(key), &value);
}

// The identity block: ids become keys of an object.
static void
put_identity(const TerraformSource *source, Object *object)
{
    Arena *arena = source->set->arena;
    PolicyValue type = attribute_at(source, STR("identity.type"));
    PolicyValue ids = attribute_at(source, STR("identity.identity_ids"));
    if (type.kind == POLICY_NULL)
        return;
    put_path(arena, object, STR("identity.type"), &type);
    uint32_t count = policy_count(&ids);
    PolicyValue users = ids, found;
    if (ids.kind == POLICY_ARRAY && !policy_has_unknown(&ids, &found)) {
        Str *keys = ARENA_ARRAY(arena, Str, count);
        PolicyValue *values = ARENA_ARRAY(arena, PolicyValue, count);
        for (uint32_t i = 0; i < count; i++) {
            PolicyValue one = policy_at(&ids, i);
            keys[i] = policy_to_text(arena, &one);
            values[i] = policy_object(NULL, NULL, 0);
        }
        users = policy_object(keys, values, count);
    } else if (ids.kind == POLICY_ARRAY) {
        users = found;
    }
    if (users.kind != POLICY_NULL && (users.kind == POLICY_UNKNOWN || count))
        put_path(arena, object, STR("identity.userAssignedIdentities"), &users);
}

static void
put_name(const TerraformSource *source, Object *object, Str id, Str type)
{
    if (id.len) {
        put_text(source, object, "id", id);
        put_text(source, object, "name", arm_last_segment(id));
        return;
    }
    PolicyValue open = planned_unknown(
        source->set, str_format(source->set->arena, "the name and place of %.*s, known after apply",
                                STR_ARG(source->address)));
    put_path(source->set->arena, object, STR("name"), &open);
    put_text(source, object, "id",
             // below the scope, so that what is assigned there holds
             str_format(source->set->arena, "%.*s/providers/%.*s/(unknown)",
                        str_equal(source->scope, STR("/")) ? 0 : (int)source->scope.len,
                        source->scope.ptr, STR_ARG(type)));
}

Dyn
terraform_body(const TerraformSource *source, Dyn map, Str id)
{
    static const char *const COMMON[] = {"location", "tags"};
    Object *object = ARENA_NEW(source->set->arena, Object);
    Str type = dyn_string(dyn_get(map, STR("type")));
    if (str_equal_ci(type, STR("Microsoft.Resources/resourceGroups")))
        type = STR("Microsoft.Resources/subscriptions/resourceGroups");
    put_text(source, object, "type", type);
    put_name(source, object, id, type);
    for (size_t i = 0; i < sizeof COMMON / sizeof COMMON[0]; i++) {
        PolicyValue value = attribute_at(source, str_from(COMMON[i]));
        if (value.kind != POLICY_NULL)
            put_path(source->set->arena, object, str_from(COMMON[i]), &value);
    }
    put_identity(source, object);
    put_values(source, dyn_get(map, STR("set")), object);
    PolicyValue body = object_value(source->set->arena, object);
    return policy_to_tree(source->set->arena, &body);
}

// The body is an object, or (before version 2 of the provider) its JSON text.
Dyn
terraform_azapi_body(const TerraformSource *source, Str id)
{
    Arena *arena = source->set->arena;
    Object *object = ARENA_NEW(arena, Object);
    Str type = dyn_string(dyn_get(source->after, STR("type"))), api = {0};
    ptrdiff_t at = str_find(type, STR("@"));
    if (at > 0) {
        api = str_slice(type, (size_t)at + 1, type.len);
        type = str_slice(type, 0, (size_t)at);
    }
    PolicyValue body = attribute_at(source, STR("body"));
    if (body.kind == POLICY_STRING) {
        Text text, *kept;
        bool is_null;
        json_parse_text(arena, body.text, &text, &is_null);
        kept = arena_copy(arena, &text, sizeof(text));
        body = is_null ? policy_null() : policy_value_of(dyn_of_text(kept));
        if (body.kind == POLICY_STRING)
            return (Dyn){0};
    }
    put_text(source, object, "type", type);
    put_name(source, object, id, type);
    if (api.len)
        put_text(source, object, "apiVersion", api);
    for (uint32_t i = 0; i < policy_count(&body); i++) {
        PolicyValue value = policy_at(&body, i);
        Str key = body.kind == POLICY_OBJECT ? policy_key_at(&body, i) : (Str){0};
        if (key.len && !memchr(key.ptr, '.', key.len)) // a path would be one with dots
            put_path(arena, object, key, &value);
    }
    if (body.kind == POLICY_UNKNOWN)
        put_path(arena, object, STR("properties"), &body);
    static const char *const COMMON[] = {"location", "tags"};
    for (size_t i = 0; i < sizeof COMMON / sizeof COMMON[0]; i++) {
        PolicyValue value = attribute_at(source, str_from(COMMON[i]));
        if (value.kind != POLICY_NULL)
            put_path(arena, object, str_from(COMMON[i]), &value);
    }
    put_identity(source, object);
    PolicyValue whole = object_value(arena, object);
    return policy_to_tree(arena, &whole);
}
