// Aggregates that keep values: make_list, make_set, make_bag, arg_max, arg_min,
// take_any.
//
// Elements carry the number of the row they came from, so that lists come out in
// row order and "any" is the first, whatever threads did the work. Sources: Kusto
// docs, pages of the functions; limits: make_list-aggregation-function.

#include "base/array.h"
#include "base/map.h"
#include "function/registry.h"

enum { ELEMENTS_DEFAULT = 1048576 }; // most elements of an array, also the default limit

typedef struct Element {
    uint64_t sequence;
    bool is_null;
    uint32_t room; // of the long text's memory, for the next one (element_replace)
    _Alignas(8) char payload[16];
} Element;

static void
element_fill(Element *element, const ArgView *arg, uint32_t i, uint64_t sequence, Arena *arena)
{
    size_t size = type_size(arg->type);
    element->sequence = sequence;
    element->is_null = arg->valid && !bit_get(arg->valid, i & arg->mask);
    memcpy(element->payload, (const char *)arg->data + (i & arg->mask) * size, size);
    if (type_is_text(arg->type)) {
        Text text;
        memcpy(&text, element->payload, sizeof(text));
        text = text_copy(arena, text_str(&text));
        memcpy(element->payload, &text, sizeof(text));
    }
}

// As element_fill; a long text takes the place of the last one where it fits.
static void
element_replace(Element *element, const ArgView *arg, uint32_t i, uint64_t sequence, Arena *arena)
{
    if (!type_is_text(arg->type)) {
        element_fill(element, arg, i, sequence, arena);
        return;
    }
    Text text, held;
    memcpy(&text, (const char *)arg->data + (i & arg->mask) * sizeof(text), sizeof(text));
    Str str = text_str(&text);
    memcpy(&held, element->payload, sizeof(held));
    element->sequence = sequence;
    element->is_null = arg->valid && !bit_get(arg->valid, i & arg->mask);
    uint32_t room = held.len > TEXT_INLINE ? element->room : 0;
    if (str.len > TEXT_INLINE && str.len <= room) {
        char *memory = (char *)(uintptr_t)held.ptr; // this element's own copy
        memcpy(memory, str.ptr, str.len);
        text = text_view(memory, str.len);
    } else {
        text = text_copy(arena, str);
        element->room = (uint32_t)str.len;
    }
    memcpy(element->payload, &text, sizeof(text));
}

static Value
element_value(const Element *element, Type type)
{
    Value value = {.type = type, .is_null = element->is_null};
    if (element->is_null)
        return value;
    if (type == TYPE_BOOL)
        value.boolean = element->payload[0] != 0;
    else
        memcpy(&value.text, element->payload, sizeof(value.text));
    return value;
}

static void
element_write(const Element *element, Vector *output, uint32_t row, Arena *arena)
{
    size_t size = type_size(output->type);
    if (element->is_null)
        vector_set_null(arena, output, row);
    else
        memcpy((char *)output->data + row * size, element->payload, size);
}

static int
element_order(const void *a, const void *b)
{
    const Element *x = a, *y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

typedef struct ElementArray {
    Element *items;
    size_t len, cap;
} ElementArray;

static void
elements_sort(ElementArray *elements)
{
    for (size_t i = 1; i < elements->len; i++) {
        if (elements->items[i - 1].sequence > elements->items[i].sequence) {
            qsort(elements->items, elements->len, sizeof(Element), element_order);
            return;
        }
    }
}

// Where a list is cut: the optional constant second argument.
static bool
limit_bind(Arena *arena, AggregateCall *call, AzError *error)
{
    int64_t limit = ELEMENTS_DEFAULT;
    if (call->arg_count > 1) {
        const Expr *size = call->args[1];
        if (size->kind != EXPR_CONST || size->value.is_null)
            return error_at(error, AZ_SEMANTIC, size->span,
                            "the maximum size of %s() must be a constant", call->fn->name);
        if (size->value.int64 >= 0 && size->value.int64 < limit)
            limit = size->value.int64;
    }
    int64_t *kept = ARENA_NEW(arena, int64_t);
    *kept = limit;
    call->bound = kept;
    call->output_types = ARENA_ARRAY(arena, Type, 1);
    call->output_types[0] = TYPE_DYNAMIC;
    call->output_count = 1;
    return true;
}

static size_t
limit_of(const AggregateCall *call)
{
    return (size_t) * (const int64_t *)call->bound;
}

// Pushes a value of a list; of an array its elements, as long as `*left` allows.
static void
push_flat(DynBuilder *out, const Value *value, size_t *left)
{
    Dyn array = {0};
    if (value->type == TYPE_DYNAMIC && !value->is_null)
        array = dyn_of_text(&value->text);
    if (dyn_kind(array) != DYN_ARRAY) {
        dyn_push_value(out, value);
        --*left;
        return;
    }
    uint32_t count = dyn_count(array);
    for (uint32_t i = 0; i < count && *left; i++, --*left)
        dyn_push_tree(out, dyn_at(array, i));
}

static void
elements_finish(const AggregateCall *call, ElementArray *elements, bool flat, Vector *output,
                uint32_t row, Arena *arena, Scratch *scratch)
{
    elements_sort(elements);
    size_t left = limit_of(call);
    dyn_builder_reset(scratch->dyn);
    dyn_begin_array(scratch->dyn);
    for (size_t i = 0; i < elements->len && left; i++) {
        Value value = element_value(&elements->items[i], call->args[0]->type);
        if (flat) {
            push_flat(scratch->dyn, &value, &left);
        } else {
            dyn_push_value(scratch->dyn, &value);
            left--;
        }
    }
    dyn_end_array(scratch->dyn);
    bool is_null;
    if (!dyn_finish_text(scratch->dyn, arena, &((Text *)output->data)[row], &is_null) || is_null)
        vector_set_null(arena, output, row);
}

// Arrays are taken apart: the docs build a MultiLineString from the coordinates of others
// this way (geo_distance_point_to_line page), and keep an array whole by pack_array().
static void
list_finish(const AggregateCall *call, void *state, Vector *const *outputs, uint32_t row,
            Arena *arena, Scratch *scratch)
{
    elements_finish(call, state, true, outputs[0], row, arena, scratch);
}

static void
set_finish(const AggregateCall *call, void *state, Vector *const *outputs, uint32_t row,
           Arena *arena, Scratch *scratch)
{
    elements_finish(call, state, false, outputs[0], row, arena, scratch);
}

// ---- make_list ----

// Leaves the earliest `limit` elements of twice as many.
static void
elements_cut(ElementArray *elements, size_t limit)
{
    if (elements->len / 2 < limit)
        return;
    elements_sort(elements);
    elements->len = limit;
}

static void
list_add(const AggregateUpdate *u, bool keep_nulls)
{
    // A state never needs more than its earliest `limit` elements; when rows come in
    // order, later ones are not even copied, else they are dropped from time to time.
    size_t limit = limit_of(u->call);
    for (uint32_t i = 0; i < u->count; i++) {
        if (!keep_nulls && update_is_null(u, 0, i))
            continue;
        ElementArray *elements = u->states[i];
        uint64_t sequence = update_sequence(u, i);
        if (!limit || (!u->numbers && elements->len >= limit &&
                       elements->items[elements->len - 1].sequence < sequence))
            continue;
        Element element;
        element_fill(&element, &u->args[0], i, sequence, u->arena);
        ARRAY_PUSH(u->arena, elements, element);
        if (u->numbers)
            elements_cut(elements, limit);
    }
}

static void
list_update(const AggregateUpdate *u)
{
    list_add(u, false);
}

static void
list_nulls_update(const AggregateUpdate *u)
{
    list_add(u, true);
}

static void
list_merge(const AggregateCall *call, void *into, void *from, Arena *arena)
{
    (void)call;
    ElementArray *a = into, *b = from;
    for (size_t i = 0; i < b->len; i++)
        ARRAY_PUSH(arena, a, b->items[i]);
}

static const AggregateImpl MAKE_LIST = {
    .state_size = sizeof(ElementArray),
    .bind = limit_bind,
    .update = list_update,
    .merge = list_merge,
    .finish = list_finish,
};

static const AggregateImpl MAKE_LIST_WITH_NULLS = {
    .state_size = sizeof(ElementArray),
    .bind = limit_bind,
    .update = list_nulls_update,
    .merge = list_merge,
    .finish = list_finish,
};

// ---- make_set ----

// Distinct elements with an open-addressing index over them; `list` comes first so
// that elements_finish serves sets too.
typedef struct SetState {
    ElementArray list;
    uint32_t *slots; // index + 1
    size_t slot_count;
} SetState;

static void
set_rehash(SetState *set, Type type, Arena *arena)
{
    set->slot_count = set->slot_count ? set->slot_count * 2 : 16;
    set->slots = ARENA_ARRAY(arena, uint32_t, set->slot_count);
    for (size_t i = 0; i < set->list.len; i++) {
        size_t slot = data_hash(type, set->list.items[i].payload) & (set->slot_count - 1);
        while (set->slots[slot])
            slot = (slot + 1) & (set->slot_count - 1);
        set->slots[slot] = (uint32_t)(i + 1);
    }
}

// The element equal to `payload`, or NULL and the slot where it belongs.
static Element *
set_find(const SetState *set, Type type, const void *payload, size_t *slot)
{
    *slot = data_hash(type, payload) & (set->slot_count - 1);
    while (set->slots[*slot]) {
        Element *element = &set->list.items[set->slots[*slot] - 1];
        if (data_equal(type, element->payload, payload))
            return element;
        *slot = (*slot + 1) & (set->slot_count - 1);
    }
    return NULL;
}

static void
set_insert(SetState *set, Type type, const ArgView *arg, uint32_t i, uint64_t sequence,
           Arena *arena)
{
    if ((set->list.len + 1) * 4 > set->slot_count * 3)
        set_rehash(set, type, arena);
    size_t slot;
    const void *payload = (const char *)arg->data + (i & arg->mask) * type_size(type);
    Element *found = set_find(set, type, payload, &slot);
    if (found) {
        if (sequence < found->sequence)
            found->sequence = sequence;
        return;
    }
    Element element;
    element_fill(&element, arg, i, sequence, arena);
    ARRAY_PUSH(arena, &set->list, element);
    set->slots[slot] = (uint32_t)set->list.len;
}

// Of a dynamic array the elements are taken, one by one (make_set page: sets of arrays).
static void
set_insert_elements(const AggregateUpdate *u, uint32_t i, Dyn array)
{
    uint32_t count = dyn_count(array);
    for (uint32_t n = 0; n < count; n++) {
        Dyn element = dyn_at(array, n);
        if (dyn_kind(element) == DYN_NULL)
            continue;
        Text text = text_view((const char *)element.ptr, element.size);
        ArgView view = {.type = TYPE_DYNAMIC, .data = &text, .mask = 0};
        set_insert(u->states[i], TYPE_DYNAMIC, &view, 0, update_sequence(u, i), u->arena);
    }
}

static void
set_update(const AggregateUpdate *u)
{
    Type type = u->args[0].type;
    for (uint32_t i = 0; i < u->count; i++) {
        if (update_is_null(u, 0, i))
            continue;
        Dyn node = {0};
        if (type == TYPE_DYNAMIC)
            node = dyn_of_text(&UPDATE_ARG(u, 0, Text, i));
        if (dyn_kind(node) == DYN_ARRAY)
            set_insert_elements(u, i, node);
        else
            set_insert(u->states[i], type, &u->args[0], i, update_sequence(u, i), u->arena);
    }
}

static void
set_merge(const AggregateCall *call, void *into, void *from, Arena *arena)
{
    Type type = call->args[0]->type;
    SetState *b = from;
    for (size_t i = 0; i < b->list.len; i++) {
        ArgView view = {.type = type, .data = b->list.items[i].payload, .mask = 0};
        set_insert(into, type, &view, 0, b->list.items[i].sequence, arena);
    }
}

static const AggregateImpl MAKE_SET = {
    .state_size = sizeof(SetState),
    .bind = limit_bind,
    .update = set_update,
    .merge = set_merge,
    .finish = set_finish,
};

// ---- make_bag ----

static void
bag_update(const AggregateUpdate *u)
{
    for (uint32_t i = 0; i < u->count; i++) {
        const Text *text = &UPDATE_ARG(u, 0, Text, i);
        if (update_is_null(u, 0, i) || dyn_kind(dyn_of_text(text)) != DYN_BAG)
            continue;
        Element element;
        element_fill(&element, &u->args[0], i, update_sequence(u, i), u->arena);
        ARRAY_PUSH(u->arena, (ElementArray *)u->states[i], element);
    }
}

// Members of all bags; of a repeated key the first value stays.
static void
bag_finish(const AggregateCall *call, void *state, Vector *const *outputs, uint32_t row,
           Arena *arena, Scratch *scratch)
{
    ElementArray *bags = state;
    elements_sort(bags);
    Arena keys_arena = {0};
    Map seen;
    map_init(&seen, &keys_arena, false);
    size_t limit = limit_of(call);
    dyn_builder_reset(scratch->dyn);
    dyn_begin_bag(scratch->dyn);
    for (size_t i = 0; i < bags->len; i++) {
        Text text;
        memcpy(&text, bags->items[i].payload, sizeof(text));
        Text *kept = arena_copy(&keys_arena, &text, sizeof(text));
        Dyn bag = dyn_of_text(kept);
        for (uint32_t k = 0; k < dyn_count(bag) && seen.len < limit; k++) {
            bool is_new;
            Str key = dyn_key_at(bag, k);
            map_add(&seen, key, &is_new);
            if (!is_new)
                continue;
            dyn_key(scratch->dyn, key);
            dyn_push_tree(scratch->dyn, dyn_at(bag, k));
        }
    }
    dyn_end_bag(scratch->dyn);
    bool is_null;
    if (!dyn_finish_text(scratch->dyn, arena, &((Text *)outputs[0]->data)[row], &is_null) ||
        is_null)
        vector_set_null(arena, outputs[0], row);
    arena_free(&keys_arena);
}

static const AggregateImpl MAKE_BAG = {
    .state_size = sizeof(ElementArray),
    .bind = limit_bind,
    .update = bag_update,
    .merge = list_merge,
    .finish = bag_finish,
};

// ---- arg_max, arg_min, take_any ----

// One element for each argument, of the winning row; arguments lie behind each other.
typedef struct RowState {
    bool has_row;
    Element *cells; // arg_count of them
} RowState;

static bool
columns_bind(Arena *arena, AggregateCall *call, AzError *error)
{
    (void)error;
    call->output_count = call->arg_count;
    call->output_types = ARENA_ARRAY(arena, Type, call->arg_count);
    for (uint32_t k = 0; k < call->arg_count; k++)
        call->output_types[k] = call->args[k]->type;
    return true;
}

static bool
ordered_bind(Arena *arena, AggregateCall *call, AzError *error)
{
    if (call->args[0]->type == TYPE_DYNAMIC)
        return error_at(error, AZ_SEMANTIC, call->args[0]->span,
                        "%s() needs a value that can be ordered (a number, timespan, datetime, "
                        "string or bool), not a dynamic: convert it first, for example with "
                        "tolong() or tostring()",
                        call->fn->name);
    return columns_bind(arena, call, error);
}

static void
row_take(const AggregateUpdate *u, RowState *state, uint32_t i)
{
    if (!state->cells)
        state->cells = ARENA_ARRAY(u->arena, Element, u->call->arg_count);
    for (uint32_t k = 0; k < u->call->arg_count; k++)
        element_replace(&state->cells[k], &u->args[k], i, update_sequence(u, i), u->arena);
    state->has_row = true;
}

// Whether the row (`payload`, NULL for a null, and `sequence`) beats the one held:
// greater (sign > 0) or less, of equal ones the earlier row; a null loses to any value,
// so that it only wins where there is nothing else.
static bool
row_wins(const RowState *state, Type type, const void *payload, uint64_t sequence, int sign)
{
    if (!state->has_row)
        return true;
    bool held_null = state->cells[0].is_null;
    if (!payload || held_null)
        return payload ? true : held_null && sequence < state->cells[0].sequence;
    int order = data_compare(type, payload, state->cells[0].payload) * sign;
    return order > 0 || (order == 0 && sequence < state->cells[0].sequence);
}

static void
arg_update(const AggregateUpdate *u, int sign)
{
    enum { STATE_AHEAD = 16, CELLS_AHEAD = 8 };
    Type type = u->args[0].type;
    size_t size = type_size(type);
    for (uint32_t i = 0; i < u->count; i++) {
        RowState *state = u->states[i];
        if (i + STATE_AHEAD < u->count) {
            __builtin_prefetch(u->states[i + STATE_AHEAD]);
            __builtin_prefetch(((const RowState *)u->states[i + CELLS_AHEAD])->cells);
        }
        const void *payload = (const char *)u->args[0].data + (i & u->args[0].mask) * size;
        if (update_is_null(u, 0, i))
            payload = NULL;
        if (row_wins(state, type, payload, update_sequence(u, i), sign))
            row_take(u, state, i);
    }
}

static void
arg_max_update(const AggregateUpdate *u)
{
    arg_update(u, 1);
}

static void
arg_min_update(const AggregateUpdate *u)
{
    arg_update(u, -1);
}

static void
arg_merge(const AggregateCall *call, RowState *into, const RowState *from, int sign)
{
    if (!from->has_row)
        return;
    const Element *first = &from->cells[0];
    const void *payload = first->is_null ? NULL : first->payload;
    if (row_wins(into, call->args[0]->type, payload, first->sequence, sign))
        *into = *from;
}

static void
arg_max_merge(const AggregateCall *call, void *into, void *from, Arena *arena)
{
    (void)arena;
    arg_merge(call, into, from, 1);
}

static void
arg_min_merge(const AggregateCall *call, void *into, void *from, Arena *arena)
{
    (void)arena;
    arg_merge(call, into, from, -1);
}

static void
row_finish(const AggregateCall *call, void *state, Vector *const *outputs, uint32_t row,
           Arena *arena, Scratch *scratch)
{
    (void)scratch;
    const RowState *winner = state;
    for (uint32_t k = 0; k < call->output_count; k++) {
        if (winner->has_row)
            element_write(&winner->cells[k], outputs[k], row, arena);
        else
            vector_set_null(arena, outputs[k], row);
    }
}

static void
any_update(const AggregateUpdate *u)
{
    for (uint32_t i = 0; i < u->count; i++) {
        RowState *state = u->states[i];
        // take_any prefers a row whose first value is not null.
        bool null = update_is_null(u, 0, i);
        uint64_t sequence = update_sequence(u, i);
        if (state->has_row) {
            bool held_null = state->cells[0].is_null;
            if (null && !held_null)
                continue;
            if (null == held_null && state->cells[0].sequence <= sequence)
                continue;
        }
        row_take(u, state, i);
    }
}

static void
any_merge(const AggregateCall *call, void *into, void *from, Arena *arena)
{
    (void)call, (void)arena;
    RowState *a = into, *b = from;
    if (!b->has_row)
        return;
    if (!a->has_row || (a->cells[0].is_null && !b->cells[0].is_null) ||
        (a->cells[0].is_null == b->cells[0].is_null && b->cells[0].sequence < a->cells[0].sequence))
        *a = *b;
}

static const AggregateImpl ARG_MAX = {
    .state_size = sizeof(RowState),
    .bind = ordered_bind,
    .update = arg_max_update,
    .merge = arg_max_merge,
    .finish = row_finish,
    .greatest_first = true,
};

static const AggregateImpl ARG_MIN = {
    .state_size = sizeof(RowState),
    .bind = ordered_bind,
    .update = arg_min_update,
    .merge = arg_min_merge,
    .finish = row_finish,
};

static const AggregateImpl TAKE_ANY = {
    .state_size = sizeof(RowState),
    .bind = columns_bind,
    .update = any_update,
    .merge = any_merge,
    .finish = row_finish,
};

// ---- rows ----

#define AGGREGATE(NAME, ALIASES, SIGNATURE, DOC, IMPL, FLAGS)                                      \
    {                                                                                              \
        NAME, ALIASES, SIGNATURE, DOC, NULL, FUNCTION_AGGREGATE, FLAGS, &(IMPL)                    \
    }

static const FunctionDef ROWS[] = {
    AGGREGATE("make_list", "makelist", "(value:scalar, max_size:long=) : dynamic",
              "An array of all values that are not null.", MAKE_LIST, 0),
    AGGREGATE("make_list_with_nulls", NULL, "(value:scalar, max_size:long=) : dynamic",
              "An array of all values, nulls included.", MAKE_LIST_WITH_NULLS, 0),
    AGGREGATE("make_list_if", NULL, "(value:scalar, predicate:bool, max_size:long=) : dynamic",
              "An array of the values of rows for which the predicate is true.", MAKE_LIST,
              FN_AGG_IF),
    AGGREGATE("make_set", "makeset", "(value:scalar, max_size:long=) : dynamic",
              "An array of the distinct values that are not null.", MAKE_SET, 0),
    AGGREGATE("make_set_if", NULL, "(value:scalar, predicate:bool, max_size:long=) : dynamic",
              "An array of the distinct values of rows for which the predicate is true.", MAKE_SET,
              FN_AGG_IF),
    AGGREGATE("make_bag", "make_dictionary", "(bag:bag, max_size:long=) : dynamic",
              "One bag with the members of all bags; of a repeated key the first value stays.",
              MAKE_BAG, 0),
    AGGREGATE("make_bag_if", NULL, "(bag:bag, predicate:bool, max_size:long=) : dynamic",
              "One bag with the members of the bags of rows for which the predicate is true.",
              MAKE_BAG, FN_AGG_IF),
    AGGREGATE("arg_max", "argmax", "(maximise:T, returned:scalar...) : *",
              "The row in which the first expression is greatest: that value and the others of "
              "the row.",
              ARG_MAX, FN_AGG_COLUMNS),
    AGGREGATE("arg_max", "argmax", "(maximise:T) : *", "The greatest value.", ARG_MAX,
              FN_AGG_COLUMNS),
    AGGREGATE("arg_min", "argmin", "(minimise:T, returned:scalar...) : *",
              "The row in which the first expression is least: that value and the others of the "
              "row.",
              ARG_MIN, FN_AGG_COLUMNS),
    AGGREGATE("arg_min", "argmin", "(minimise:T) : *", "The least value.", ARG_MIN, FN_AGG_COLUMNS),
    AGGREGATE("take_any", "any passthrough", "(value:scalar...) : *", "The values of any one row.",
              TAKE_ANY, FN_AGG_COLUMNS),
    AGGREGATE("take_anyif", "anyif", "(value:scalar, predicate:bool) : *",
              "The value of any one row for which the predicate is true.", TAKE_ANY,
              FN_AGG_COLUMNS | FN_AGG_IF),
};

const FunctionSet COLLECT_AGGREGATES = {ROWS, COUNT_OF(ROWS)};
