// mv-expand: one row for each element of an array or member of a bag.
//
// Several items expand side by side; the shorter are padded with null. A null gives one
// row with null, an empty array or bag none; a scalar stands for itself. Source: Kusto
// docs, mv-expand operator. Carried columns become dictionary vectors over the input's
// rows, and elements are views into their parents' trees, so nothing is copied. Of a
// dictionary's entries each is expanded once: its elements are a dictionary too.

#include "exec/internal.h"
#include "value/scalar.h"

typedef struct Item {
    const Vector *values;    // dynamic, flat: of the live rows, or the entries
    const uint32_t *codes;   // entry of each row; NULL: there are no entries
    const Vector *elements;  // of all entries, behind a null
    uint32_t *firsts, *rows; // where those of an entry begin, how many they are
} Item;

typedef struct Expansion {
    const Plan *plan;
    Worker *worker;
    Item *items;
    const Batch *input; // compact
    uint32_t *rows;     // of the next output: input row and place in it
    uint32_t *places;
    uint32_t count, cap;
    Emitter emitter;
} Expansion;

// Rows that one value gives by itself.
static uint32_t
value_rows(const Vector *item, uint32_t row)
{
    if (vector_is_null(item, row))
        return 1;
    Dyn node = dyn_of_text(&((const Text *)item->data)[row]);
    DynKind kind = dyn_kind(node);
    return kind == DYN_ARRAY || kind == DYN_BAG ? dyn_count(node) : 1;
}

// A bag with one member, or with kind=array its [key, value].
static bool
push_member(Expansion *x, Dyn bag, uint32_t place, Arena *arena, Text *out, bool *is_null)
{
    DynBuilder *builder = x->worker->scratch.dyn;
    dyn_builder_reset(builder);
    if (x->plan->mv_expand.bag_as_array) {
        dyn_begin_array(builder);
        dyn_push_string(builder, dyn_key_at(bag, place));
        dyn_push_tree(builder, dyn_at(bag, place));
        dyn_end_array(builder);
    } else {
        dyn_begin_bag(builder);
        dyn_key(builder, dyn_key_at(bag, place));
        dyn_push_tree(builder, dyn_at(bag, place));
        dyn_end_bag(builder);
    }
    return dyn_finish_text(builder, arena, out, is_null);
}

// Element `place` of the value in `row`, as the type of the item.
static void
write_element(Expansion *x, uint32_t i, uint32_t row, uint32_t place, Vector *out, uint32_t at)
{
    Arena *arena = &x->worker->batch;
    const Vector *item = x->items[i].values;
    const Text *text = &((const Text *)item->data)[row];
    Dyn node = dyn_of_text(text), element = {0};
    Text member;
    bool is_null = vector_is_null(item, row);
    if (!is_null) {
        DynKind kind = dyn_kind(node);
        if (kind == DYN_ARRAY) {
            element = dyn_at(node, place);
            is_null = place >= dyn_count(node);
        } else if (kind == DYN_BAG) {
            is_null =
                place >= dyn_count(node) || !push_member(x, node, place, arena, &member, &is_null);
            element = is_null ? element : dyn_of_text(&member);
        } else {
            element = node;
            is_null = place > 0;
        }
    }
    if (is_null || dyn_kind(element) == DYN_NULL) {
        vector_set_null(arena, out, at);
    } else if (out->type == TYPE_DYNAMIC) {
        ((Text *)out->data)[at] = text_view((const char *)element.ptr, element.size);
    } else {
        Value value = dyn_convert(arena, element, out->type);
        if (value.is_null)
            vector_set_null(arena, out, at);
        else
            memcpy((char *)out->data + at * type_size(out->type), value_data(&value),
                   type_size(out->type));
    }
}

// Expands the entries of an item, unless that is more than expanding its rows.
static void
expand_entries(Expansion *x, uint32_t i, const Vector *item, uint32_t rows)
{
    if (item->encoding != ENC_DICT || item->dict->count > rows)
        return;
    Arena *arena = &x->worker->batch;
    uint32_t entries = item->dict->count;
    Item made = {.values = item->dict, .codes = item->codes};
    made.firsts = arena_alloc_array(arena, entries, sizeof(uint32_t));
    made.rows = arena_alloc_array(arena, entries, sizeof(uint32_t));
    uint64_t count = 1;
    for (uint32_t e = 0; e < entries; e++) {
        made.firsts[e] = (uint32_t)count;
        made.rows[e] = value_rows(item->dict, e);
        count += made.rows[e];
        if (count > 4 * (uint64_t)rows)
            return;
    }
    Vector *elements = vector_new_flat(arena, x->plan->mv_expand.items[i].to, (uint32_t)count);
    vector_set_null(arena, elements, 0);
    x->items[i] = made;
    for (uint32_t e = 0; e < entries; e++)
        for (uint32_t place = 0; place < made.rows[e]; place++)
            write_element(x, i, e, place, elements, made.firsts[e] + place);
    x->items[i].elements = elements;
}

// The elements of the next output's rows.
static const Vector *
item_elements(Expansion *x, uint32_t i)
{
    Arena *arena = &x->worker->batch;
    const Item *item = &x->items[i];
    if (!item->elements) {
        Vector *v = vector_new_flat(arena, x->plan->mv_expand.items[i].to, x->count);
        for (uint32_t at = 0; at < x->count; at++)
            write_element(x, i, x->rows[at], x->places[at], v, at);
        return v;
    }
    uint32_t *codes = arena_alloc_array(arena, x->count, sizeof(uint32_t));
    for (uint32_t at = 0; at < x->count; at++) {
        uint32_t entry = item->codes[x->rows[at]], place = x->places[at];
        codes[at] = place < item->rows[entry] ? item->firsts[entry] + place : 0;
    }
    return vector_new_dict(arena, item->elements, codes, x->count);
}

static bool
expansion_flush(Expansion *x)
{
    if (!x->count)
        return true;
    const Plan *plan = x->plan;
    Arena *arena = &x->worker->batch;
    Batch *out = batch_new(arena, plan->schema.count, x->count);
    for (uint32_t c = 0; c < plan->schema.count; c++)
        if (plan->mv_expand.carried[c] != UINT32_MAX)
            out->columns[c] = vector_repeat(arena, x->input->columns[plan->mv_expand.carried[c]],
                                            x->rows, x->count);
    for (uint32_t i = 0; i < plan->mv_expand.item_count; i++)
        out->columns[plan->mv_expand.items[i].column] = item_elements(x, i);
    if (plan->mv_expand.index_column >= 0) {
        Vector *v = vector_new_flat(arena, TYPE_LONG, x->count);
        for (uint32_t at = 0; at < x->count; at++)
            ((int64_t *)v->data)[at] = x->places[at];
        out->columns[plan->mv_expand.index_column] = v;
    }
    x->count = 0;
    return emitter_emit(&x->emitter, out);
}

static bool
expand_row(Expansion *x, uint32_t row)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < x->plan->mv_expand.item_count; i++) {
        const Item *item = &x->items[i];
        uint32_t rows =
            item->elements ? item->rows[item->codes[row]] : value_rows(item->values, row);
        most = rows > most ? rows : most;
    }
    int64_t limit = x->plan->mv_expand.row_limit;
    if (limit >= 0 && most > limit)
        most = (uint32_t)limit;
    for (uint32_t place = 0; place < most; place++) {
        if (x->count == x->cap && !expansion_flush(x))
            return false;
        x->rows[x->count] = row;
        x->places[x->count++] = place;
    }
    return true;
}

static bool
mv_expand_push(Operator *self, Worker *worker, Batch *batch)
{
    const Plan *plan = self->plan;
    Expr *const *exprs = self->state;
    Arena *arena = &worker->batch;
    Expansion x = {.plan = plan, .worker = worker, .cap = batch_rows};
    x.items = ARENA_ARRAY(arena, Item, plan->mv_expand.item_count);
    for (uint32_t i = 0; i < plan->mv_expand.item_count; i++) {
        const Vector *item = evaluate(worker, exprs[i], batch);
        if (!item)
            return false;
        expand_entries(&x, i, item, batch->selected);
        if (!x.items[i].elements)
            x.items[i] = (Item){.values = vector_flatten(arena, item)};
    }
    x.input = batch_compact(arena, batch);
    x.rows = arena_alloc_array(arena, x.cap, sizeof(uint32_t));
    x.places = arena_alloc_array(arena, x.cap, sizeof(uint32_t));
    uint32_t rows = batch->selected;
    bool done = true;
    emitter_open(&x.emitter, self, worker);
    for (uint32_t row = 0; row < rows && done; row++)
        done = expand_row(&x, row);
    done = done && expansion_flush(&x);
    emitter_close(&x.emitter);
    return done;
}

bool
pipeline_append_mv_expand(Exec *exec, Pipeline *pipeline, const Plan *plan, AzError *error)
{
    Expr **exprs = ARENA_ARRAY(exec->arena, Expr *, plan->mv_expand.item_count);
    for (uint32_t i = 0; i < plan->mv_expand.item_count; i++) {
        exprs[i] = resolve_subqueries(exec, plan->mv_expand.items[i].expr, error);
        if (!exprs[i])
            return false;
    }
    pipeline_append(exec, pipeline, plan, exprs, mv_expand_push);
    return true;
}
