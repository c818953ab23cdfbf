// String operators: =~ has contains startswith ..., in and has_any over lists, and
// matches regex. Source: Kusto docs, "String operators" (datatypes-string-operators).
//
// Negated forms (!has, !in ...) are the binder's `not` around these. Constant lists
// become a set or a needle list when the call is bound, so that a row costs one
// look-up; a list that depends on the row is walked.

#include "base/array.h"
#include "function/registry.h"
#include "value/scalar.h"
#include "value/unicode.h"

// ---- one needle ----

#define TEXT_TEST(NAME, RESULT)                                                                    \
    static void NAME(ScalarCall *call)                                                             \
    {                                                                                              \
        uint8_t *out = call->out;                                                                  \
        for (uint32_t i = 0; i < call->count; i++) {                                               \
            Str text = arg_str(call, 0, i), needle = arg_str(call, 1, i);                          \
            out[i] = RESULT;                                                                       \
        }                                                                                          \
    }                                                                                              \
    static const ScalarImpl NAME##_impl = {NAME, NULL};

TEXT_TEST(equal_ci, unicode_equal_ci(text, needle))
TEXT_TEST(unequal_ci, !unicode_equal_ci(text, needle))
TEXT_TEST(has, term_has(text, needle, true))
TEXT_TEST(has_cs, term_has(text, needle, false))
TEXT_TEST(has_prefix, term_has_prefix(text, needle, true))
TEXT_TEST(has_prefix_cs, term_has_prefix(text, needle, false))
TEXT_TEST(has_suffix, term_has_suffix(text, needle, true))
TEXT_TEST(has_suffix_cs, term_has_suffix(text, needle, false))
TEXT_TEST(contains, unicode_contains_ci(text, needle))
TEXT_TEST(contains_cs, str_find(text, needle) >= 0)
TEXT_TEST(starts_with, unicode_starts_ci(text, needle))
TEXT_TEST(starts_with_cs, str_starts(text, needle))
TEXT_TEST(ends_with, unicode_ends_ci(text, needle))
TEXT_TEST(ends_with_cs, str_ends(text, needle))

static void
matches_regex(ScalarCall *call)
{
    uint8_t *out = call->out;
    for (uint32_t i = 0; i < call->count; i++) {
        const Regex *regex = arg_regex(call, 1, i, false);
        out[i] = regex && regex_matches(regex, arg_str(call, 0, i));
    }
}

static bool
matches_regex_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count,
                   Span span, Type *type, const void **bound, AzError *error)
{
    (void)arena, (void)fn, (void)arg_count, (void)span, (void)type;
    return bind_regex(args, 1, false, bound, error);
}

static const ScalarImpl matches_regex_impl = {matches_regex, matches_regex_bind};

// ---- in ----

// Values of one type, hashed. For `in~` the texts are in lower case.
typedef struct ValueSet {
    Type type;
    bool ignore_case;
    Value *items;
    size_t len, cap;
    uint32_t *slots; // index + 1
    size_t slot_count;
} ValueSet;

static size_t
value_set_slot(const ValueSet *set, const void *payload)
{
    size_t slot = data_hash(set->type, payload) & (set->slot_count - 1);
    while (set->slots[slot] &&
           !data_equal(set->type, value_data(&set->items[set->slots[slot] - 1]), payload))
        slot = (slot + 1) & (set->slot_count - 1);
    return slot;
}

static bool
value_set_has(const ValueSet *set, const void *payload)
{
    return set->len && set->slots[value_set_slot(set, payload)];
}

static void
value_set_grow(Arena *arena, ValueSet *set)
{
    set->slot_count = set->slot_count ? set->slot_count * 2 : 16;
    set->slots = ARENA_ARRAY(arena, uint32_t, set->slot_count);
    for (size_t i = 0; i < set->len; i++)
        set->slots[value_set_slot(set, value_data(&set->items[i]))] = (uint32_t)(i + 1);
}

static Text
lower_text(Arena *arena, Str text)
{
    Buffer lower = {0};
    unicode_lower(&lower, text);
    Text result = text_copy(arena, buffer_slice(&lower));
    buffer_free(&lower);
    return result;
}

static void
value_set_add(Arena *arena, ValueSet *set, Value value)
{
    if (value.is_null)
        return;
    if (set->ignore_case)
        value.text = lower_text(arena, text_str(&value.text));
    if ((set->len + 1) * 4 > set->slot_count * 3)
        value_set_grow(arena, set);
    size_t slot = value_set_slot(set, value_data(&value));
    if (set->slots[slot])
        return;
    ARRAY_PUSH(arena, set, value);
    set->slots[slot] = (uint32_t)set->len;
}

// Adds what an item stands for: itself, or the elements of a dynamic array.
static void
value_set_add_item(Arena *arena, ValueSet *set, const Value *item)
{
    if (item->is_null)
        return;
    Dyn node = dyn_of_text(&item->text);
    if (item->type != TYPE_DYNAMIC) {
        value_set_add(arena, set, value_convert(arena, item, set->type));
    } else if (set->type != TYPE_DYNAMIC && dyn_kind(node) != DYN_ARRAY) {
        value_set_add(arena, set, dyn_convert(arena, node, set->type));
    } else if (set->type != TYPE_DYNAMIC) {
        uint32_t count = dyn_count(node);
        for (uint32_t i = 0; i < count; i++)
            value_set_add(arena, set, dyn_convert(arena, dyn_at(node, i), set->type));
    } else {
        value_set_add(arena, set, *item);
    }
}

static bool
in_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
        Type *type, const void **bound, AzError *error)
{
    (void)span, (void)type, (void)error;
    for (uint32_t k = 1; k < arg_count; k++)
        if (args[k]->kind != EXPR_CONST)
            return true;
    ValueSet *set = ARENA_NEW(arena, ValueSet);
    set->type = args[0]->type;
    set->ignore_case = str_ends(str_from(fn->name), STR("~"));
    for (uint32_t k = 1; k < arg_count; k++)
        value_set_add_item(arena, set, &args[k]->value);
    *bound = set;
    return true;
}

// A list that is not constant: a set for this row alone.
static bool
in_row(ScalarCall *call, uint32_t i, bool ignore_case)
{
    ValueSet set = {.type = call->args[0].type, .ignore_case = ignore_case};
    for (uint32_t k = 1; k < call->arg_count; k++) {
        Value item = arg_value(call, k, i);
        value_set_add_item(call->arena, &set, &item);
    }
    Value value = arg_value(call, 0, i);
    if (value.is_null)
        return false;
    if (ignore_case)
        value.text = lower_text(call->arena, text_str(&value.text));
    return value_set_has(&set, value_data(&value));
}

static void
in_rows(ScalarCall *call, bool ignore_case)
{
    uint8_t *out = call->out;
    const ValueSet *set = call->bound;
    size_t size = type_size(call->args[0].type);
    for (uint32_t i = 0; i < call->count; i++) {
        if (!set) {
            out[i] = in_row(call, i, ignore_case);
        } else if (arg_is_null(call, 0, i)) {
            out[i] = false;
        } else if (ignore_case) {
            buffer_clear(&call->scratch->text);
            unicode_lower(&call->scratch->text, arg_str(call, 0, i));
            Str lower = buffer_slice(&call->scratch->text);
            Text view = text_view(lower.ptr, lower.len);
            out[i] = value_set_has(set, &view);
        } else {
            out[i] = value_set_has(set, (const char *)call->args[0].data +
                                            (i & call->args[0].mask) * size);
        }
    }
}

static void
in_cs(ScalarCall *call)
{
    in_rows(call, false);
}

static void
in_ci(ScalarCall *call)
{
    in_rows(call, true);
}

static const ScalarImpl in_cs_impl = {in_cs, in_bind};
static const ScalarImpl in_ci_impl = {in_ci, in_bind};

// ---- has_any, has_all ----

typedef struct NeedleList {
    Str *items;
    size_t len, cap;
} NeedleList;

static void
needles_add(Arena *arena, NeedleList *list, const Value *item)
{
    if (item->type == TYPE_STRING) {
        ARRAY_PUSH(arena, list, str_copy(arena, text_str(&item->text)));
        return;
    }
    if (item->is_null)
        return;
    if (item->type != TYPE_DYNAMIC) { // has_all (0, 50199)
        Value text = value_convert(arena, item, TYPE_STRING);
        ARRAY_PUSH(arena, list, str_copy(arena, text_str(&text.text)));
        return;
    }
    Dyn node = dyn_of_text(&item->text);
    if (dyn_kind(node) != DYN_ARRAY) {
        Value text = dyn_convert(arena, node, TYPE_STRING);
        ARRAY_PUSH(arena, list, str_copy(arena, text_str(&text.text)));
        return;
    }
    for (uint32_t i = 0; i < dyn_count(node); i++) {
        Value text = dyn_convert(arena, dyn_at(node, i), TYPE_STRING);
        ARRAY_PUSH(arena, list, str_copy(arena, text_str(&text.text)));
    }
}

static bool
needles_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
             Type *type, const void **bound, AzError *error)
{
    (void)fn, (void)span, (void)type, (void)error;
    NeedleList *list = ARENA_NEW(arena, NeedleList);
    bool constant = true;
    for (uint32_t k = 1; k < arg_count; k++) {
        if (args[k]->kind == EXPR_CONST)
            needles_add(arena, list, &args[k]->value);
        else
            constant = false;
    }
    if (constant)
        *bound = list;
    return true;
}

static void
needle_rows(ScalarCall *call, bool all)
{
    uint8_t *out = call->out;
    for (uint32_t i = 0; i < call->count; i++) {
        NeedleList row_list = {0};
        const NeedleList *list = call->bound;
        for (uint32_t k = 1; !call->bound && k < call->arg_count; k++) {
            Value item = arg_value(call, k, i);
            needles_add(call->arena, &row_list, &item);
        }
        if (!list)
            list = &row_list;
        Str text = arg_str(call, 0, i);
        bool result = all;
        for (size_t n = 0; n < list->len && result == all; n++)
            result = term_has(text, list->items[n], true);
        out[i] = result;
    }
}

static void
has_any(ScalarCall *call)
{
    needle_rows(call, false);
}

static void
has_all(ScalarCall *call)
{
    needle_rows(call, true);
}

static const ScalarImpl has_any_impl = {has_any, needles_bind};
static const ScalarImpl has_all_impl = {has_all, needles_bind};

// ---- rows ----

#define OPERATOR(NAME, SIGNATURE, IMPL, FLAGS)                                                     \
    {                                                                                              \
        NAME, NULL, SIGNATURE, NULL, NULL, FUNCTION_SCALAR, FN_INTERNAL | (FLAGS), &(IMPL)         \
    }
#define TEXT_OPERATOR(NAME, IMPL) OPERATOR(NAME, "(text:string, what:string) : bool", IMPL, 0)

#define TEXT_SEARCH(NAME, IMPL)                                                                    \
    OPERATOR(NAME, "(text:string, what:string) : bool", IMPL, FN_FINDS_TEXT)

static const FunctionDef ROWS[] = {
    TEXT_OPERATOR("=~", equal_ci_impl),
    TEXT_OPERATOR("!~", unequal_ci_impl),
    TEXT_SEARCH("has", has_impl),
    TEXT_SEARCH("has_cs", has_cs_impl),
    TEXT_SEARCH("hasprefix", has_prefix_impl),
    TEXT_SEARCH("hasprefix_cs", has_prefix_cs_impl),
    TEXT_SEARCH("hassuffix", has_suffix_impl),
    TEXT_SEARCH("hassuffix_cs", has_suffix_cs_impl),
    TEXT_SEARCH("contains", contains_impl),
    TEXT_SEARCH("contains_cs", contains_cs_impl),
    TEXT_SEARCH("startswith", starts_with_impl),
    TEXT_SEARCH("startswith_cs", starts_with_cs_impl),
    TEXT_SEARCH("endswith", ends_with_impl),
    TEXT_SEARCH("endswith_cs", ends_with_cs_impl),
    TEXT_OPERATOR("matches regex", matches_regex_impl),
    OPERATOR("in", "(value:scalar, items:scalar...) : bool", in_cs_impl, FN_OWN_NULLS),
    OPERATOR("in~", "(value:string, items:scalar...) : bool", in_ci_impl, FN_OWN_NULLS),
    OPERATOR("has_any", "(text:string, items:scalar...) : bool", has_any_impl,
             FN_OWN_NULLS | FN_FINDS_TEXT),
    OPERATOR("has_all", "(text:string, items:scalar...) : bool", has_all_impl, FN_OWN_NULLS),
};

const FunctionSet STRING_OPERATOR_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
