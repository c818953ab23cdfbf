// Functions of arrays and objects, and those that take text as well.

#include "azure/policy/program.h"

#include "value/unicode.h"

#include <string.h>

enum { RANGE_LIMIT = 10000, MERGE_DEPTH = 64 };

typedef struct List {
    Arena *arena;
    PolicyValue *items;
    Str *keys;
    uint32_t len, cap;
} List;

static void
list_add(List *list, Str key, PolicyValue value)
{
    if (list->len == list->cap) {
        uint32_t cap = list->cap ? list->cap * 2 : 8;
        PolicyValue *items = arena_alloc_array(list->arena, cap, sizeof(*items));
        Str *keys = arena_alloc_array(list->arena, cap, sizeof(*keys));
        if (list->len) {
            memcpy(items, list->items, list->len * sizeof(*items));
            memcpy(keys, list->keys, list->len * sizeof(*keys));
        }
        list->items = items;
        list->keys = keys;
        list->cap = cap;
    }
    list->keys[list->len] = key;
    list->items[list->len++] = value;
}

static PolicyValue
list_array(const List *list)
{
    return policy_array(list->items, list->len);
}

static PolicyValue
list_object(const List *list)
{
    return policy_object(list->keys, list->items, list->len);
}

static bool
array_holds(Eval *eval, const PolicyValue *array, const PolicyValue *value)
{
    uint32_t count = policy_count(array);
    eval->steps += count; // large sets meet the bound on steps
    for (uint32_t i = 0; i < count; i++) {
        PolicyValue item = policy_at(array, i);
        if (policy_same(&item, value))
            return true;
    }
    return false;
}

static bool
fn_array(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind == POLICY_ARRAY) {
        *out = args[0];
        return true;
    }
    List list = {.arena = eval->arena};
    list_add(&list, (Str){0}, args[0]);
    *out = list_array(&list);
    return true;
}

static bool
fn_create_array(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    List list = {.arena = eval->arena};
    for (uint32_t i = 0; i < count; i++)
        list_add(&list, (Str){0}, args[i]);
    *out = list_array(&list);
    return true;
}

static bool
fn_create_object(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    List list = {.arena = eval->arena};
    if (count % 2)
        return eval_fail(eval, "createObject() takes names and values in pairs");
    for (uint32_t i = 0; i < count; i += 2) {
        if (args[i].kind >= POLICY_ARRAY || args[i].kind == POLICY_NULL)
            return eval_fail(eval, "the name of a property is a text");
        list_add(&list, policy_to_text(eval->arena, &args[i]), args[i + 1]);
    }
    *out = list_object(&list);
    return true;
}

static bool
fn_length(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind != POLICY_STRING && args[0].kind < POLICY_ARRAY)
        return eval_fail(eval, "length() takes a text, an array or an object");
    *out = policy_long(args[0].kind == POLICY_STRING ? (int64_t)utf8_count(args[0].text)
                                                     : policy_count(&args[0]));
    return true;
}

static bool
fn_empty(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count, (void)eval;
    bool empty = args[0].kind == POLICY_NULL ||
                 (args[0].kind == POLICY_STRING && !args[0].text.len) ||
                 (args[0].kind >= POLICY_ARRAY && !policy_count(&args[0]));
    *out = policy_bool(empty);
    return true;
}

static bool
fn_contains(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind != POLICY_STRING && args[0].kind < POLICY_ARRAY)
        return eval_fail(eval, "contains() looks into a text, an array or an object");
    *out = policy_bool(operator_holds(eval->arena, OPERATOR_CONTAINS, &args[0], &args[1]));
    return true;
}

static bool
end_of(Eval *eval, const PolicyValue *value, bool last, PolicyValue *out)
{
    if (value->kind == POLICY_STRING) {
        size_t count = utf8_count(value->text);
        size_t from = last && count ? utf8_offset(value->text, count - 1) : 0;
        size_t to = last ? value->text.len : utf8_offset(value->text, 1);
        *out = policy_text(str_slice(value->text, from, to));
        return true;
    }
    if (value->kind != POLICY_ARRAY)
        return eval_fail(eval, "first() and last() take a text or an array");
    uint32_t count = policy_count(value);
    *out = count ? policy_at(value, last ? count - 1 : 0) : policy_null();
    return true;
}

static bool
fn_first(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return end_of(eval, &args[0], false, out);
}

static bool
fn_last(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return end_of(eval, &args[0], true, out);
}

// Members [from, to) of a text or an array, clamped.
static bool
slice(Eval *eval, const PolicyValue *value, int64_t from, int64_t to, PolicyValue *out)
{
    bool text = value->kind == POLICY_STRING;
    if (!text && value->kind != POLICY_ARRAY)
        return eval_fail(eval, "skip() and take() take a text or an array");
    int64_t count = text ? (int64_t)utf8_count(value->text) : policy_count(value);
    from = from < 0 ? 0 : from > count ? count : from;
    to = to < from ? from : to > count ? count : to;
    if (text) {
        *out = policy_text(str_slice(value->text, utf8_offset(value->text, (size_t)from),
                                     utf8_offset(value->text, (size_t)to)));
        return true;
    }
    List list = {.arena = eval->arena};
    for (int64_t i = from; i < to; i++)
        list_add(&list, (Str){0}, policy_at(value, (uint32_t)i));
    *out = list_array(&list);
    return true;
}

static bool
fn_skip(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return args[1].kind == POLICY_LONG && slice(eval, &args[0], args[1].integer, INT64_MAX, out);
}

static bool
fn_take(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return args[1].kind == POLICY_LONG && slice(eval, &args[0], 0, args[1].integer, out);
}

static bool
fn_range(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind != POLICY_LONG || args[1].kind != POLICY_LONG || args[1].integer < 0 ||
        args[1].integer > RANGE_LIMIT || args[0].integer > INT64_MAX - RANGE_LIMIT)
        return eval_fail(eval, "range() takes a start and a count of at most 10,000");
    List list = {.arena = eval->arena};
    for (int64_t i = 0; i < args[1].integer; i++)
        list_add(&list, (Str){0}, policy_long(args[0].integer + i));
    *out = list_array(&list);
    return true;
}

static bool
same_kind(Eval *eval, const PolicyValue *args, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (args[i].kind != args[0].kind || args[0].kind < POLICY_ARRAY)
            return eval_fail(eval, "arrays only, or objects only, are expected");
    return true;
}

static bool
fn_intersection(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    if (!same_kind(eval, args, count))
        return false;
    List list = {.arena = eval->arena};
    bool object = args[0].kind == POLICY_OBJECT;
    for (uint32_t i = 0; i < policy_count(&args[0]); i++) {
        PolicyValue item = policy_at(&args[0], i), other;
        Str key = object ? policy_key_at(&args[0], i) : (Str){0};
        bool everywhere = true;
        if (eval->steps > STEP_LIMIT)
            return eval_fail(eval, "the arrays are too large");
        for (uint32_t k = 1; k < count && everywhere; k++)
            everywhere = object ? policy_get(&args[k], key, &other) && policy_same(&item, &other)
                                : array_holds(eval, &args[k], &item);
        PolicyValue sofar = list_array(&list);
        if (everywhere && (object || !array_holds(eval, &sofar, &item)))
            list_add(&list, key, item);
    }
    *out = object ? list_object(&list) : list_array(&list);
    return true;
}

// Later members win; objects in both are merged in turn.
static PolicyValue
merge(Arena *arena, const PolicyValue *a, const PolicyValue *b, int depth)
{
    if (a->kind != POLICY_OBJECT || b->kind != POLICY_OBJECT || depth > MERGE_DEPTH)
        return *b;
    List list = {.arena = arena};
    for (uint32_t i = 0; i < policy_count(a); i++) {
        Str key = policy_key_at(a, i);
        PolicyValue item = policy_at(a, i), other;
        if (policy_get(b, key, &other))
            item = merge(arena, &item, &other, depth + 1);
        list_add(&list, key, item);
    }
    for (uint32_t i = 0; i < policy_count(b); i++) {
        PolicyValue ignored;
        if (!policy_get(a, policy_key_at(b, i), &ignored))
            list_add(&list, policy_key_at(b, i), policy_at(b, i));
    }
    return list_object(&list);
}

static bool
fn_union(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    if (!same_kind(eval, args, count))
        return false;
    if (args[0].kind == POLICY_OBJECT) {
        *out = args[0];
        for (uint32_t i = 1; i < count; i++)
            *out = merge(eval->arena, out, &args[i], 0);
        return true;
    }
    List list = {.arena = eval->arena};
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < policy_count(&args[i]); k++) {
            if (eval->steps > STEP_LIMIT)
                return eval_fail(eval, "the arrays are too large");
            PolicyValue item = policy_at(&args[i], k), sofar = list_array(&list);
            if (!array_holds(eval, &sofar, &item))
                list_add(&list, (Str){0}, item);
        }
    }
    *out = list_array(&list);
    return true;
}

static bool
fn_items(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    static const Str NAMES[] = {STR_INIT("key"), STR_INIT("value")};
    if (args[0].kind != POLICY_OBJECT)
        return eval_fail(eval, "items() takes an object");
    List list = {.arena = eval->arena};
    for (uint32_t i = 0; i < policy_count(&args[0]); i++) {
        PolicyValue *pair = ARENA_ARRAY(eval->arena, PolicyValue, 2);
        pair[0] = policy_text(policy_key_at(&args[0], i));
        pair[1] = policy_at(&args[0], i);
        // In the order of the keys, as the service gives them.
        uint32_t at = list.len;
        list_add(&list, (Str){0}, policy_null());
        while (at && str_compare_ci(list.items[at - 1].items[0].text, pair[0].text) > 0) {
            list.items[at] = list.items[at - 1];
            at--;
        }
        list.items[at] = policy_object(NAMES, pair, 2);
    }
    *out = list_array(&list);
    return true;
}

static bool
fn_object_keys(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind != POLICY_OBJECT)
        return eval_fail(eval, "objectKeys() takes an object");
    List list = {.arena = eval->arena};
    for (uint32_t i = 0; i < policy_count(&args[0]); i++)
        list_add(&list, (Str){0}, policy_text(policy_key_at(&args[0], i)));
    *out = list_array(&list);
    return true;
}

static bool
fn_flatten(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    List list = {.arena = eval->arena};
    for (uint32_t i = 0; i < policy_count(&args[0]); i++) {
        PolicyValue inner = policy_at(&args[0], i);
        if (args[0].kind != POLICY_ARRAY || inner.kind != POLICY_ARRAY)
            return eval_fail(eval, "flatten() takes an array of arrays");
        for (uint32_t k = 0; k < policy_count(&inner); k++)
            list_add(&list, (Str){0}, policy_at(&inner, k));
    }
    *out = list_array(&list);
    return true;
}

static bool
fn_shallow_merge(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    *out = policy_object(NULL, NULL, 0);
    for (uint32_t i = 0; i < policy_count(&args[0]); i++) {
        PolicyValue one = policy_at(&args[0], i);
        if (one.kind != POLICY_OBJECT)
            return eval_fail(eval, "shallowMerge() takes an array of objects");
        *out = merge(eval->arena, out, &one, MERGE_DEPTH);
    }
    return true;
}

// indexFromEnd(): counted from 1 at the end.
static bool
from_end(Eval *eval, const PolicyValue *args, bool try, PolicyValue *out)
{
    uint32_t count = policy_count(&args[0]);
    *out = policy_null();
    if (args[0].kind != POLICY_ARRAY || args[1].kind != POLICY_LONG)
        return eval_fail(eval, "an array and a position are expected");
    if (args[1].integer < 1 || args[1].integer > (int64_t)count)
        return try || eval_fail(eval, "the position lies outside of the array");
    *out = policy_at(&args[0], count - (uint32_t)args[1].integer);
    return true;
}

static bool
fn_index_from_end(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return from_end(eval, args, false, out);
}

static bool
fn_try_index_from_end(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return from_end(eval, args, true, out);
}

static bool
fn_try_get(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)eval;
    PolicyValue value = args[0];
    for (uint32_t i = 1; i < count; i++) {
        PolicyValue next = policy_null();
        if (value.kind == POLICY_ARRAY && args[i].kind == POLICY_LONG && args[i].integer >= 0 &&
            args[i].integer < (int64_t)policy_count(&value))
            next = policy_at(&value, (uint32_t)args[i].integer);
        else if (args[i].kind == POLICY_STRING)
            policy_get(&value, args[i].text, &next);
        value = next;
    }
    *out = value;
    return true;
}

const PolicyFunction FUNCTIONS_COLLECTION[] = {
    {"array", 1, 1, false, fn_array, NULL},
    {"createArray", 0, -1, false, fn_create_array, NULL},
    {"createObject", 0, -1, false, fn_create_object, NULL},
    {"length", 1, 1, false, fn_length, NULL},
    {"empty", 1, 1, false, fn_empty, NULL},
    {"contains", 2, 2, false, fn_contains, NULL},
    {"first", 1, 1, false, fn_first, NULL},
    {"last", 1, 1, false, fn_last, NULL},
    {"skip", 2, 2, false, fn_skip, NULL},
    {"take", 2, 2, false, fn_take, NULL},
    {"range", 2, 2, false, fn_range, NULL},
    {"intersection", 2, -1, false, fn_intersection, NULL},
    {"union", 1, -1, false, fn_union, NULL},
    {"items", 1, 1, false, fn_items, NULL},
    {"objectKeys", 1, 1, false, fn_object_keys, NULL},
    {"flatten", 1, 1, false, fn_flatten, NULL},
    {"shallowMerge", 1, 1, false, fn_shallow_merge, NULL},
    {"indexFromEnd", 2, 2, false, fn_index_from_end, NULL},
    {"tryIndexFromEnd", 2, 2, false, fn_try_index_from_end, NULL},
    {"tryGet", 2, -1, false, fn_try_get, NULL},
    {NULL, 0, 0, false, NULL, NULL},
};
