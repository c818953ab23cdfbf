// tostring(d) has "x" and its like, of a dynamic d: a row's JSON is written only when the
// bytes of its tree hold what is looked for (value/dynamic_search.h).

#include "base/array.h"
#include "exec/internal.h"
#include "value/dynamic_search.h"

typedef struct ProbeList {
    Str *items;
    size_t len, cap;
} ProbeList;

static bool
add_probe(Arena *arena, ProbeList *probes, Str needle)
{
    Str probe = dyn_search_probe(needle);
    if (!probe.len)
        return false;
    ARRAY_PUSH(arena, probes, probe);
    return true;
}

// What the bytes must hold one of; false when nothing can be said.
static bool
collect_probes(Arena *arena, const Expr *expr, ProbeList *probes)
{
    for (uint32_t k = 1; k < expr->arg_count; k++) {
        const Expr *item = expr->args[k];
        if (item->kind != EXPR_CONST || item->value.is_null || !type_is_text(item->type))
            return false;
        if (item->type == TYPE_STRING) {
            if (!add_probe(arena, probes, text_str(&item->value.text)))
                return false;
            continue;
        }
        Dyn array = dyn_of_text(&item->value.text);
        for (uint32_t i = 0; dyn_kind(array) == DYN_ARRAY && i < dyn_count(array); i++)
            if (dyn_kind(dyn_at(array, i)) != DYN_STRING ||
                !add_probe(arena, probes, dyn_string(dyn_at(array, i))))
                return false;
        if (dyn_kind(array) != DYN_ARRAY)
            return false;
    }
    return probes->len > 0;
}

static bool
may_hold(Dyn node, const ProbeList *probes)
{
    for (size_t p = 0; p < probes->len; p++)
        if (dyn_may_print(node, probes->items[p]))
            return true;
    return false;
}

bool
searches_dynamic(const Expr *expr)
{
    if (!(expr->fn->flags & FN_FINDS_TEXT))
        return false;
    const Expr *text = expr->args[0];
    return text->kind == EXPR_CALL && text->arg_count == 1 && text->args[0]->type == TYPE_DYNAMIC &&
           strcmp(text->fn->name, "tostring") == 0;
}

uint32_t
search_candidates(Worker *worker, const Expr *expr, const Batch *batch, uint32_t *rows)
{
    ProbeList probes = {0};
    uint32_t count = 0, all = batch->selected;
    const Vector *trees = NULL;
    if (collect_probes(&worker->batch, expr, &probes))
        trees = evaluate(worker, expr->args[0]->args[0], batch);
    // A dictionary's entries are each searched once as it is.
    if (!trees || trees->encoding != ENC_FLAT)
        return all;
    for (uint32_t i = 0; i < all; i++)
        if (!vector_is_null(trees, i) &&
            may_hold(dyn_of_text((const Text *)vector_cell(trees, i)), &probes))
            rows[count++] = i;
    return count;
}
