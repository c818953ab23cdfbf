// Digests: tdigest() and what merges and reads it.
//
// A digest is a sorted list of values that occurred, each with a weight, small enough
// to be stored and merged: percentiles of a month from digests of its days. While
// there are few values it keeps them all, so small inputs give exact answers. When it
// outgrows SAMPLES_MOST it is compressed: neighbours are joined as long as their share
// stays within the limit that the t-digest's arcsine scale allows, which keeps the
// tails fine and lets the middle be coarse (T. Dunning, "The t-digest", 2021). The
// value of a joined group is that of its middle sample, not a mean, so that answers
// stay values that occur, of any ordered type.
//
// As a dynamic it is [value, weight, value, weight ...].

#include "base/array.h"
#include "function/registry.h"
#include "value/scalar.h"

#include <math.h>

enum { SAMPLES_MOST = 4096, GROUPS = 1024 };

typedef struct Sample {
    Value value;
    double weight;
} Sample;

typedef struct Digest {
    Sample *items;
    size_t len, cap;
    size_t sorted; // the first so many are in order
} Digest;

// ---- the digest ----

static bool
type_is_ordered(Type type)
{
    return type_is_numeric(type) || type == TYPE_DATETIME || type == TYPE_TIMESPAN;
}

// Values of unlike types (digests of different columns merged) are kept apart by type.
static int
sample_order(const void *a, const void *b)
{
    const Sample *x = a, *y = b;
    if (x->value.type != y->value.type)
        return (x->value.type > y->value.type) - (x->value.type < y->value.type);
    return value_compare(&x->value, &y->value);
}

static void
digest_sort(Digest *digest)
{
    if (digest->sorted < digest->len)
        qsort(digest->items, digest->len, sizeof(Sample), sample_order);
    digest->sorted = digest->len;
}

static double
digest_total(const Digest *digest)
{
    double total = 0;
    for (size_t s = 0; s < digest->len; s++)
        total += digest->items[s].weight;
    return total;
}

// The scale function: its steps of one are the groups.
static double
scale(double share)
{
    return GROUPS * (asin(2 * fmin(share, 1) - 1) / M_PI + 0.5);
}

static void
digest_compress(Digest *digest)
{
    digest_sort(digest);
    double total = digest_total(digest), before = 0;
    size_t kept = 0;
    for (size_t s = 0; s < digest->len;) {
        double group = digest->items[s].weight, floor_scale = scale(before / total);
        size_t end = s + 1;
        while (end < digest->len && digest->items[end].value.type == digest->items[s].value.type &&
               scale((before + group + digest->items[end].weight) / total) - floor_scale <= 1)
            group += digest->items[end++].weight;
        Sample middle = digest->items[s + (end - s) / 2];
        middle.weight = group;
        digest->items[kept++] = middle;
        before += group;
        s = end;
    }
    digest->len = digest->sorted = kept;
}

static void
digest_add(Digest *digest, const Value *value, double weight, Arena *arena)
{
    if (value->is_null || !(weight > 0) || !isfinite(weight) ||
        (value->type == TYPE_REAL && isnan(value->real)))
        return;
    Sample sample = {*value, weight};
    ARRAY_PUSH(arena, digest, sample);
    if (digest->len >= 2 * SAMPLES_MOST)
        digest_compress(digest);
}

static void
digest_merge(Digest *into, const Digest *from, Arena *arena)
{
    for (size_t s = 0; s < from->len; s++)
        digest_add(into, &from->items[s].value, from->items[s].weight, arena);
}

// The value at a percentile (nearest rank), or NULL of an empty digest.
static const Value *
digest_at(Digest *digest, double percent)
{
    if (!digest->len || !(percent >= 0 && percent <= 100))
        return NULL;
    digest_sort(digest);
    double rank = ceil(percent * digest_total(digest) / 100 * (1 - 1e-14)), reached = 0;
    for (size_t s = 0; s < digest->len; s++) {
        reached += digest->items[s].weight;
        if (reached >= rank)
            return &digest->items[s].value;
    }
    return &digest->items[digest->len - 1].value;
}

// ---- as dynamics ----

static void
digest_push(DynBuilder *dyn, Digest *digest)
{
    digest_sort(digest);
    if (digest->len > SAMPLES_MOST)
        digest_compress(digest);
    dyn_begin_array(dyn);
    for (size_t s = 0; s < digest->len; s++) {
        dyn_push_value(dyn, &digest->items[s].value);
        double weight = digest->items[s].weight;
        if (weight < 0x1p53 && weight == floor(weight))
            dyn_push_long(dyn, (int64_t)weight);
        else
            dyn_push_real(dyn, weight);
    }
    dyn_end_array(dyn);
}

// Adds a digest that came as a dynamic; false when it is none.
static bool
digest_read(Dyn tree, Digest *digest, Arena *arena)
{
    uint32_t count = dyn_count(tree);
    if (dyn_kind(tree) != DYN_ARRAY || count % 2)
        return false;
    for (uint32_t e = 0; e < count; e += 2) {
        Value value = dyn_value(dyn_at(tree, e)), weight = dyn_value(dyn_at(tree, e + 1));
        if (!type_is_ordered(value.type) || (weight.type != TYPE_LONG && weight.type != TYPE_REAL))
            return false;
        digest_add(digest, &value, weight.type == TYPE_LONG ? (double)weight.int64 : weight.real,
                   arena);
    }
    return true;
}

// ---- aggregates ----

static bool
tdigest_bind(Arena *arena, AggregateCall *call, AzError *error)
{
    const Expr *value = call->args[0];
    if (!type_is_ordered(value->type))
        return error_at(error, AZ_SEMANTIC, value->span,
                        "%s() needs numbers, datetimes or timespans, not values of type %s",
                        call->fn->name, type_name(value->type));
    call->output_types = ARENA_ARRAY(arena, Type, 1);
    call->output_types[0] = TYPE_DYNAMIC;
    call->output_count = 1;
    return true;
}

static Value
update_value(const AggregateUpdate *u, uint32_t i)
{
    Value value = {.type = u->args[0].type, .is_null = update_is_null(u, 0, i)};
    size_t size = type_size(value.type);
    memcpy(&value.decimal, (const char *)u->args[0].data + (i & u->args[0].mask) * size, size);
    return value;
}

static void
tdigest_update(const AggregateUpdate *u)
{
    bool weighted = u->call->arg_count > 1;
    for (uint32_t i = 0; i < u->count; i++) {
        Value value = update_value(u, i);
        double weight = 1;
        if (weighted)
            weight = update_is_null(u, 1, i) ? 0 : (double)UPDATE_ARG(u, 1, int64_t, i);
        digest_add(u->states[i], &value, weight, u->arena);
    }
}

static void
tdigest_merge(const AggregateCall *call, void *into, void *from, Arena *arena)
{
    (void)call;
    digest_merge(into, from, arena);
}

static void
tdigest_finish(const AggregateCall *call, void *state, Vector *const *outputs, uint32_t row,
               Arena *arena, Scratch *scratch)
{
    (void)call;
    Digest *digest = state;
    bool is_null = !digest->len;
    if (!is_null) {
        dyn_builder_reset(scratch->dyn);
        digest_push(scratch->dyn, digest);
        if (!dyn_finish_text(scratch->dyn, arena, &((Text *)outputs[0]->data)[row], &is_null))
            is_null = true;
    }
    if (is_null)
        vector_set_null(arena, outputs[0], row);
}

static void
merge_update(const AggregateUpdate *u)
{
    for (uint32_t i = 0; i < u->count; i++) {
        Digest digest = {0};
        if (!update_is_null(u, 0, i) &&
            digest_read(dyn_of_text(&UPDATE_ARG(u, 0, Text, i)), &digest, u->arena))
            digest_merge(u->states[i], &digest, u->arena);
    }
}

static const AggregateImpl TDIGEST = {
    .state_size = sizeof(Digest),
    .bind = tdigest_bind,
    .update = tdigest_update,
    .merge = tdigest_merge,
    .finish = tdigest_finish,
};

static const AggregateImpl TDIGEST_MERGE = {
    .state_size = sizeof(Digest),
    .update = merge_update,
    .merge = tdigest_merge,
    .finish = tdigest_finish,
};

// ---- scalar functions over digests ----

static void
merge_rows(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Digest merged = {0};
        for (uint32_t k = 0; k < call->arg_count; k++) {
            Digest digest = {0};
            if (!arg_is_null(call, k, i) && digest_read(arg_dyn(call, k, i), &digest, &arena))
                digest_merge(&merged, &digest, &arena);
        }
        dyn_builder_reset(call->scratch->dyn);
        if (merged.len) {
            digest_push(call->scratch->dyn, &merged);
            out_dyn(call, i);
        } else {
            out_null(call, i);
        }
        arena_free(&arena);
    }
}

// The optional third argument names the type: typeof(long) comes as 'long'.
static bool
percentile_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count,
                Span span, Type *type, const void **bound, AzError *error)
{
    (void)arena, (void)span, (void)bound;
    *type = TYPE_DYNAMIC;
    if (arg_count < 3)
        return true;
    if (args[2]->kind == EXPR_CONST)
        *type = type_from_name(text_str(&args[2]->value.text));
    if (args[2]->kind != EXPR_CONST || *type == TYPE_NONE)
        return error_at(error, AZ_SEMANTIC, args[2]->span,
                        "the third argument of %s() is a type, as in typeof(long)", fn->name);
    return true;
}

static void
percentile_rows(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Digest digest = {0};
        const Value *found = NULL;
        if (!arg_is_null(call, 0, i) && digest_read(arg_dyn(call, 0, i), &digest, &arena))
            found = digest_at(&digest, ARG(call, 1, double, i));
        if (!found) {
            out_null(call, i);
        } else if (call->type == TYPE_DYNAMIC) {
            dyn_builder_reset(call->scratch->dyn);
            dyn_push_value(call->scratch->dyn, found);
            out_dyn(call, i);
        } else {
            Value value = value_convert(call->arena, found, call->type);
            out_value(call, i, &value);
        }
        arena_free(&arena);
    }
}

// The array of elements is dynamic whatever the type asked for; the elements have it.
static bool
percentile_array_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count,
                      Span span, Type *type, const void **bound, AzError *error)
{
    Type *element = ARENA_NEW(arena, Type);
    if (!percentile_bind(arena, fn, args, arg_count, span, element, bound, error))
        return false;
    *type = TYPE_DYNAMIC;
    *bound = element;
    return true;
}

static void
percentile_array_rows(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    const Type *element = call->bound;
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Digest digest = {0};
        Dyn percents = arg_dyn(call, 1, i);
        bool ok = dyn_kind(percents) == DYN_ARRAY &&
                  digest_read(arg_dyn(call, 0, i), &digest, &arena) && digest.len;
        dyn_builder_reset(dyn);
        dyn_begin_array(dyn);
        for (uint32_t p = 0; ok && p < dyn_count(percents); p++) {
            Value percent = dyn_convert(&arena, dyn_at(percents, p), TYPE_REAL);
            const Value *found = percent.is_null ? NULL : digest_at(&digest, percent.real);
            if (!found) {
                dyn_push_null(dyn);
            } else if (element && *element != TYPE_DYNAMIC) {
                Value value = value_convert(&arena, found, *element);
                dyn_push_value(dyn, &value);
            } else {
                dyn_push_value(dyn, found);
            }
        }
        dyn_end_array(dyn);
        if (ok)
            out_dyn(call, i);
        else
            out_null(call, i);
        arena_free(&arena);
    }
    dyn_builder_reset(dyn);
}

// How many values are at most the given one, as a count or in percent of all.
static void
rank_rows(ScalarCall *call, bool in_percent)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Digest digest = {0};
        Value wanted = arg_value(call, 1, i);
        bool ok =
            !wanted.is_null && digest_read(arg_dyn(call, 0, i), &digest, &arena) && digest.len;
        double below = 0;
        for (size_t s = 0; ok && s < digest.len; s++) {
            const Sample *sample = &digest.items[s];
            Value same = value_convert(&arena, &wanted, sample->value.type);
            if (!same.is_null && value_compare(&sample->value, &same) <= 0)
                below += sample->weight;
        }
        if (ok)
            ((double *)call->out)[i] = in_percent ? 100 * below / digest_total(&digest) : below;
        else
            out_null(call, i);
        arena_free(&arena);
    }
}

static void
rank_tdigest(ScalarCall *call)
{
    rank_rows(call, false);
}

static void
percentrank_tdigest(ScalarCall *call)
{
    rank_rows(call, true);
}

// percentiles_array_tdigest(digest, 5, 50 ...)
static void
percentile_list_rows(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Digest digest = {0};
        if (!digest_read(arg_dyn(call, 0, i), &digest, &arena) || !digest.len) {
            out_null(call, i);
            arena_free(&arena);
            continue;
        }
        out_array_begin(call);
        for (uint32_t k = 1; k < call->arg_count; k++) {
            const Value *found = digest_at(&digest, ARG(call, k, double, i));
            if (found)
                dyn_push_value(call->scratch->dyn, found);
            else
                dyn_push_null(call->scratch->dyn);
        }
        out_array_finish(call, i);
        arena_free(&arena);
    }
}

static const ScalarImpl percentile_list_impl = {percentile_list_rows, NULL};

static void
tdigest_isvalid(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Digest digest = {0};
        ((uint8_t *)call->out)[i] =
            !arg_is_null(call, 0, i) && digest_read(arg_dyn(call, 0, i), &digest, &arena);
        arena_free(&arena);
    }
}

static const ScalarImpl isvalid_impl = {tdigest_isvalid, NULL};
static const ScalarImpl merge_impl = {merge_rows, NULL};
static const ScalarImpl percentile_impl = {percentile_rows, percentile_bind};
static const ScalarImpl percentile_array_impl = {percentile_array_rows, percentile_array_bind};
static const ScalarImpl rank_impl = {rank_tdigest, NULL};
static const ScalarImpl percentrank_impl = {percentrank_tdigest, NULL};

// ---- rows ----

static const FunctionDef ROWS[] = {
    {"tdigest", NULL, "(value:scalar, weight:long=) : dynamic",
     "A digest of the values, for merge_tdigest() and percentile_tdigest().", NULL,
     FUNCTION_AGGREGATE, 0, &TDIGEST},
    {"tdigest_merge", "merge_tdigest merge_tdigests", "(digest:array) : dynamic",
     "One digest of all digests.", NULL, FUNCTION_AGGREGATE, 0, &TDIGEST_MERGE},
    {"merge_tdigest", "tdigest_merge merge_tdigests", "(digest:array, other:array...) : dynamic",
     "One digest of the given digests.",
     "tolong(percentile_tdigest(merge_tdigest(dynamic([1, 1]), dynamic([2, 1])), 100)) == 2",
     FUNCTION_SCALAR, FN_OWN_NULLS, &merge_impl},
    {"percentile_tdigest", NULL, "(digest:array, percent:real, type:string=) : *",
     "The value at a percentile of a digest.",
     "tolong(percentile_tdigest(dynamic([1, 1, 2, 1]), 50)) == 1", FUNCTION_SCALAR, 0,
     &percentile_impl},
    {"percentiles_array_tdigest", "percentile_array_tdigest",
     "(digest:array, percents:array, type:string=) : *",
     "The values at an array of percentiles of a digest.",
     "array_length(percentiles_array_tdigest(dynamic([1, 1]), dynamic([5, 50]))) == 2",
     FUNCTION_SCALAR, 0, &percentile_array_impl},
    {"tdigest_isvalid", NULL, "(digest:dynamic, value:scalar=) : bool",
     "Whether a dynamic is a digest of tdigest().", "tdigest_isvalid(dynamic([1, 1, 2, 1]))",
     FUNCTION_SCALAR, FN_OWN_NULLS, &isvalid_impl},
    {"percentiles_array_tdigest", "percentile_array_tdigest",
     "(digest:array, percent:real...) : dynamic",
     "The values at the given percentiles of a digest.",
     "array_length(percentiles_array_tdigest(dynamic([1, 1]), 5, 50)) == 2", FUNCTION_SCALAR, 0,
     &percentile_list_impl},
    {"rank_tdigest", NULL, "(digest:array, value:scalar) : real",
     "How many values of a digest are at most the given one.",
     "rank_tdigest(dynamic([1, 1, 2, 1]), 1) == 1", FUNCTION_SCALAR, 0, &rank_impl},
    {"percentrank_tdigest", NULL, "(digest:array, value:scalar) : real",
     "What percentage of the values of a digest are at most the given one.",
     "percentrank_tdigest(dynamic([1, 1, 2, 1]), 1) == 50", FUNCTION_SCALAR, 0, &percentrank_impl},
};

const FunctionSet DIGEST_AGGREGATES = {ROWS, COUNT_OF(ROWS)};
