// Arrays as sets, and sorting arrays.
//
// Source: Kusto docs, pages of set_union() and its kin and of array_sort_asc(). A
// set keeps its elements in the order in which they first came; elements are equal
// as dynamics are (1 equals 1.0). Look-up is by hash, so a row costs as much as its
// arrays are long.

#include "base/array.h"
#include "function/registry.h"

#include <math.h>

// Distinct nodes; views into the arguments.
typedef struct NodeSet {
    Arena *arena;
    Dyn *items;
    size_t len, cap;
    uint32_t *slots; // index + 1
    size_t slot_count;
} NodeSet;

static size_t
node_set_slot(const NodeSet *set, Dyn node)
{
    size_t slot = dyn_hash(node) & (set->slot_count - 1);
    while (set->slots[slot] && !dyn_equal(set->items[set->slots[slot] - 1], node))
        slot = (slot + 1) & (set->slot_count - 1);
    return slot;
}

static bool
node_set_has(const NodeSet *set, Dyn node)
{
    return set->len && set->slots[node_set_slot(set, node)];
}

static void
node_set_add(NodeSet *set, Dyn node)
{
    if ((set->len + 1) * 4 > set->slot_count * 3) {
        set->slot_count = set->slot_count ? set->slot_count * 2 : 16;
        set->slots = ARENA_ARRAY(set->arena, uint32_t, set->slot_count);
        for (size_t i = 0; i < set->len; i++)
            set->slots[node_set_slot(set, set->items[i])] = (uint32_t)(i + 1);
    }
    size_t slot = node_set_slot(set, node);
    if (set->slots[slot])
        return;
    ARRAY_PUSH(set->arena, set, node);
    set->slots[slot] = (uint32_t)set->len;
}

static void
node_set_add_array(NodeSet *set, Dyn array)
{
    for (uint32_t e = 0; e < dyn_count(array); e++)
        node_set_add(set, dyn_at(array, e));
}

static bool
args_are_arrays(const ScalarCall *call, uint32_t i)
{
    for (uint32_t k = 0; k < call->arg_count; k++)
        if (arg_is_null(call, k, i) || dyn_kind(arg_dyn(call, k, i)) != DYN_ARRAY)
            return false;
    return true;
}

static void
out_set(ScalarCall *call, uint32_t i, const NodeSet *set)
{
    dyn_builder_reset(call->scratch->dyn);
    dyn_begin_array(call->scratch->dyn);
    for (size_t e = 0; e < set->len; e++)
        dyn_push_tree(call->scratch->dyn, set->items[e]);
    dyn_end_array(call->scratch->dyn);
    out_dyn(call, i);
}

// What one row of arrays gives, as a set.
typedef void (*SetOperation)(const ScalarCall *call, uint32_t i, NodeSet *result);

static void
set_rows(ScalarCall *call, SetOperation operation)
{
    for (uint32_t i = 0; i < call->count; i++) {
        if (!args_are_arrays(call, i)) {
            out_null(call, i);
            continue;
        }
        Arena arena = {0};
        NodeSet result = {.arena = &arena};
        operation(call, i, &result);
        out_set(call, i, &result);
        arena_free(&arena);
    }
}

static void
union_of(const ScalarCall *call, uint32_t i, NodeSet *result)
{
    for (uint32_t k = 0; k < call->arg_count; k++)
        node_set_add_array(result, arg_dyn(call, k, i));
}

// Elements of the first array that every other array has (`wanted`), or none of them.
static void
filter_first(const ScalarCall *call, uint32_t i, NodeSet *result, bool wanted)
{
    NodeSet *others = ARENA_ARRAY(result->arena, NodeSet, call->arg_count);
    for (uint32_t k = 1; k < call->arg_count; k++) {
        others[k].arena = result->arena;
        node_set_add_array(&others[k], arg_dyn(call, k, i));
    }
    Dyn first = arg_dyn(call, 0, i);
    for (uint32_t e = 0; e < dyn_count(first); e++) {
        Dyn node = dyn_at(first, e);
        bool keep = true;
        for (uint32_t k = 1; keep && k < call->arg_count; k++)
            keep = node_set_has(&others[k], node) == wanted;
        if (keep)
            node_set_add(result, node);
    }
}

static void
intersection_of(const ScalarCall *call, uint32_t i, NodeSet *result)
{
    filter_first(call, i, result, true);
}

static void
difference_of(const ScalarCall *call, uint32_t i, NodeSet *result)
{
    filter_first(call, i, result, false);
}

static void
set_union(ScalarCall *call)
{
    set_rows(call, union_of);
}

static void
set_intersect(ScalarCall *call)
{
    set_rows(call, intersection_of);
}

static void
set_difference(ScalarCall *call)
{
    set_rows(call, difference_of);
}

static void
set_has_element(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Dyn array = arg_dyn(call, 0, i);
        if (dyn_kind(array) != DYN_ARRAY) {
            out_null(call, i);
            continue;
        }
        Value value = arg_value(call, 1, i);
        Text wanted = dyn_text_of_value(call->arena, &value);
        bool found = false;
        for (uint32_t e = 0; !found && e < dyn_count(array); e++)
            found = dyn_equal(dyn_at(array, e), dyn_of_text(&wanted));
        ((uint8_t *)call->out)[i] = found;
    }
}

// Sizes of the two sets and of what they share.
typedef struct Overlap {
    size_t first, second, common;
} Overlap;

static Overlap
overlap_of(Dyn a, Dyn b)
{
    Arena arena = {0};
    NodeSet first = {.arena = &arena}, second = {.arena = &arena};
    node_set_add_array(&first, a);
    node_set_add_array(&second, b);
    Overlap overlap = {first.len, second.len, 0};
    for (size_t e = 0; e < first.len; e++)
        overlap.common += node_set_has(&second, first.items[e]);
    arena_free(&arena);
    return overlap;
}

static void
set_equals(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        if (!args_are_arrays(call, i)) {
            out_null(call, i);
            continue;
        }
        Overlap overlap = overlap_of(arg_dyn(call, 0, i), arg_dyn(call, 1, i));
        ((uint8_t *)call->out)[i] =
            overlap.common == overlap.first && overlap.common == overlap.second;
    }
}

static void
jaccard_index(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        if (!args_are_arrays(call, i)) {
            out_null(call, i);
            continue;
        }
        Overlap overlap = overlap_of(arg_dyn(call, 0, i), arg_dyn(call, 1, i));
        size_t all = overlap.first + overlap.second - overlap.common;
        ((double *)call->out)[i] = all ? (double)overlap.common / (double)all : (double)NAN;
    }
}

// ---- sorting ----

typedef struct SortItem {
    Dyn node;
    uint32_t index; // in the array: equal elements keep their order
} SortItem;

typedef struct SortOrder {
    int sign;
    bool nulls_last;
} SortOrder;

// Elements of unlike types: numbers and times, then strings, guids, all others
// (array_sort_asc page); nulls at the chosen end.
static int
node_rank(Dyn node)
{
    static const uint8_t RANKS[] = {
        [DYN_NULL] = 4,    [DYN_BOOL] = 3,  [DYN_LONG] = 0,     [DYN_REAL] = 0,
        [DYN_DECIMAL] = 0, [DYN_GUID] = 2,  [DYN_DATETIME] = 0, [DYN_TIMESPAN] = 0,
        [DYN_STRING] = 1,  [DYN_ARRAY] = 3, [DYN_BAG] = 3,
    };
    return RANKS[dyn_kind(node)];
}

static int
sort_compare(const void *a, const void *b, void *context)
{
    const SortItem *x = a, *y = b;
    const SortOrder *sort = context;
    bool x_null = dyn_kind(x->node) == DYN_NULL, y_null = dyn_kind(y->node) == DYN_NULL;
    int order = 0;
    if (x_null != y_null)
        return x_null == sort->nulls_last ? 1 : -1;
    if (!x_null) {
        order = node_rank(x->node) - node_rank(y->node);
        if (!order)
            order = dyn_compare(x->node, y->node);
        order *= sort->sign;
    }
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

// The array in the order of `items`; null when its length is another one.
static void
push_sorted(DynBuilder *dyn, Dyn array, const SortItem *items, uint32_t count)
{
    if (dyn_kind(array) != DYN_ARRAY || dyn_count(array) != count) {
        dyn_push_null(dyn);
        return;
    }
    dyn_begin_array(dyn);
    for (uint32_t e = 0; e < count; e++)
        dyn_push_tree(dyn, dyn_at(array, items[e].index));
    dyn_end_array(dyn);
}

// One array gives the sorted array; several give an array of them all, in the order
// of the first.
static void
sort_rows(ScalarCall *call, int sign)
{
    uint32_t arrays = call->arg_count;
    bool has_flag = arrays > 1 && call->args[arrays - 1].type == TYPE_BOOL;
    if (has_flag)
        arrays--;
    for (uint32_t i = 0; i < call->count; i++) {
        Dyn first = arg_dyn(call, 0, i);
        if (arg_is_null(call, 0, i) || dyn_kind(first) != DYN_ARRAY) {
            out_null(call, i);
            continue;
        }
        SortOrder order = {.sign = sign, .nulls_last = true};
        if (has_flag && !arg_is_null(call, arrays, i))
            order.nulls_last = ARG(call, arrays, uint8_t, i);
        uint32_t count = dyn_count(first);
        Arena arena = {0};
        SortItem *items = ARENA_ARRAY(&arena, SortItem, count);
        for (uint32_t e = 0; e < count; e++)
            items[e] = (SortItem){dyn_at(first, e), e};
        qsort_r(items, count, sizeof(*items), sort_compare, &order);
        dyn_builder_reset(call->scratch->dyn);
        if (arrays > 1)
            dyn_begin_array(call->scratch->dyn);
        for (uint32_t k = 0; k < arrays; k++)
            push_sorted(call->scratch->dyn, arg_dyn(call, k, i), items, count);
        if (arrays > 1)
            dyn_end_array(call->scratch->dyn);
        out_dyn(call, i);
        arena_free(&arena);
    }
}

static void
array_sort_asc(ScalarCall *call)
{
    sort_rows(call, 1);
}

static void
array_sort_desc(ScalarCall *call)
{
    sort_rows(call, -1);
}

// Arguments are arrays; the last may be the flag `nulls_last`.
static bool
sort_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
          Type *type, const void **bound, AzError *error)
{
    (void)arena, (void)span, (void)type, (void)bound;
    for (uint32_t k = 0; k < arg_count; k++) {
        bool is_flag = k > 0 && k + 1 == arg_count && args[k]->type == TYPE_BOOL;
        if (args[k]->type != TYPE_DYNAMIC && !is_flag)
            return error_at(error, AZ_SEMANTIC, args[k]->span,
                            "%s() takes arrays, then optionally a bool that says whether nulls "
                            "come last, not a %s",
                            fn->name, type_name(args[k]->type));
    }
    return true;
}

// ---- rows ----

#define IMPL(KERNEL, BIND) static const ScalarImpl KERNEL##_impl = {KERNEL, BIND}
IMPL(set_union, NULL);
IMPL(set_intersect, NULL);
IMPL(set_difference, NULL);
IMPL(set_has_element, NULL);
IMPL(set_equals, NULL);
IMPL(jaccard_index, NULL);
IMPL(array_sort_asc, sort_bind);
IMPL(array_sort_desc, sort_bind);

#define FUNCTION(NAME, SIGNATURE, DOC, EXAMPLE, FLAGS, KERNEL)                                     \
    {                                                                                              \
        NAME, NULL, SIGNATURE, DOC, EXAMPLE, FUNCTION_SCALAR, FLAGS, &(KERNEL##_impl)              \
    }

static const FunctionDef ROWS[] = {
    FUNCTION("set_union", "(set:array, other:array...) : dynamic",
             "The distinct elements of all arrays.",
             "array_length(set_union(dynamic([1, 2]), dynamic([2, 3]))) == 3", 0, set_union),
    FUNCTION("set_intersect", "(set:array, other:array...) : dynamic",
             "The distinct elements that all arrays have.",
             "tolong(set_intersect(dynamic([1, 2]), dynamic([2, 3]))[0]) == 2", 0, set_intersect),
    FUNCTION("set_difference", "(set:array, other:array...) : dynamic",
             "The distinct elements of the first array that no other array has.",
             "tolong(set_difference(dynamic([1, 2]), dynamic([2, 3]))[0]) == 1", 0, set_difference),
    FUNCTION("set_has_element", "(set:array, value:scalar) : bool",
             "Whether the array has the element.", "set_has_element(dynamic(['a', 'b']), 'b')", 0,
             set_has_element),
    FUNCTION("set_equals", "(set:array, other:array) : bool",
             "Whether both arrays hold the same distinct elements.",
             "set_equals(dynamic([1, 2]), dynamic([2, 1, 1]))", 0, set_equals),
    FUNCTION("jaccard_index", "(set:array, other:array) : real",
             "How many of the elements of two sets they share, from 0 to 1.",
             "jaccard_index(dynamic([1, 2]), dynamic([2])) == 0.5", 0, jaccard_index),
    FUNCTION("array_sort_asc", "(array:scalar...) : dynamic",
             "The array in ascending order; further arrays follow the order of the first.",
             "tolong(array_sort_asc(dynamic([2, 1]))[0]) == 1", FN_OWN_NULLS, array_sort_asc),
    FUNCTION("array_sort_desc", "(array:scalar...) : dynamic",
             "The array in descending order; further arrays follow the order of the first.",
             "tolong(array_sort_desc(dynamic([1, 2]))[0]) == 2", FN_OWN_NULLS, array_sort_desc),
};

const FunctionSet SET_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
