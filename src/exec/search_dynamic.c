// tostring(d) has "x" and its like, of a dynamic d: a row's JSON is written only when the
// bytes of its tree hold what is looked for (value/dynamic_search.h).

#include "base/array.h"
#include "exec/internal.h"
#include "value/dynamic_search.h"

typedef struct ProbeList {
    DynProbe *items;
    size_t len, cap;
} ProbeList;

static bool
add_probe(Arena *arena, ProbeList *probes, Str needle)
{
    DynProbe probe = dyn_search_probe(needle);
    if (!probe.text.len)
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
        if (dyn_may_print(node, &probes->items[p]))
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

// The rows of a dictionary whose entry may hold a probe: each entry is looked at once, nulls hold none.
static uint32_t
dictionary_rows(Arena *arena, const Vector *trees, const ProbeList *probes, uint32_t *rows)
{
    const Vector *dict = trees->dict;
    uint64_t *may = ARENA_ARRAY(arena, uint64_t, bit_words(dict->count));
    for (uint32_t e = 0; e < dict->count; e++)
        if (!vector_is_null(dict, e) &&
            may_hold(dyn_of_text((const Text *)vector_cell(dict, e)), probes))
            bit_set(may, e);
    uint32_t count = 0;
    for (uint32_t i = 0; i < trees->count; i++) {
        rows[count] = i;
        count += bit_get(may, trees->codes[i]);
    }
    return count;
}

uint32_t
search_candidates(Worker *worker, const Expr *expr, const Batch *batch, uint32_t *rows)
{
    ProbeList probes = {0};
    uint32_t count = 0, all = batch->selected;
    const Vector *trees = NULL;
    if (collect_probes(&worker->batch, expr, &probes))
        trees = evaluate(worker, expr->args[0]->args[0], batch);
    if (trees && trees->encoding == ENC_DICT && trees->dict->count <= all)
        return dictionary_rows(&worker->batch, trees, &probes, rows);
    // A constant is written and searched once as it is.
    if (!trees || trees->encoding == ENC_CONST)
        return all;
    for (uint32_t i = 0; i < all; i++)
        if (!vector_is_null(trees, i) &&
            may_hold(dyn_of_text((const Text *)vector_cell(trees, i)), &probes))
            rows[count++] = i;
    return count;
}
