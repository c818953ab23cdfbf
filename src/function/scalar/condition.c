// Conditions: iff, coalesce, max_of, min_of and the tests for null and empty.
// `case` is the binder's chain of iff. Source: Kusto docs, pages of the functions.

#include "base/array.h"
#include "function/registry.h"

// Copies payload i of argument k to row i, null included.
static inline void
take_argument(ScalarCall *call, uint32_t k, uint32_t i, size_t size)
{
    const ArgView *arg = &call->args[k];
    if (arg_is_null(call, k, i))
        out_null(call, i);
    else
        memcpy((char *)call->out + i * size, (const char *)arg->data + (i & arg->mask) * size,
               size);
}

// A null condition takes the false branch.
static void
iff(ScalarCall *call)
{
    size_t size = type_size(call->type);
    for (uint32_t i = 0; i < call->count; i++) {
        bool yes = !arg_is_null(call, 0, i) && ARG(call, 0, uint8_t, i);
        take_argument(call, yes ? 1 : 2, i, size);
    }
}

// The first that is not null; of strings the first that is not empty.
static void
coalesce(ScalarCall *call)
{
    size_t size = type_size(call->type);
    for (uint32_t i = 0; i < call->count; i++) {
        uint32_t k = 0;
        while (k + 1 < call->arg_count &&
               (arg_is_null(call, k, i) ||
                (call->type == TYPE_STRING && ARG(call, k, Text, i).len == 0)))
            k++;
        take_argument(call, k, i, size);
    }
}

// Greatest or least of the arguments that are not null.
static void
extreme_of(ScalarCall *call, int sign)
{
    size_t size = type_size(call->type);
    for (uint32_t i = 0; i < call->count; i++) {
        const char *best = NULL;
        uint32_t best_argument = 0;
        for (uint32_t k = 0; k < call->arg_count; k++) {
            if (arg_is_null(call, k, i))
                continue;
            const char *payload =
                (const char *)call->args[k].data + (i & call->args[k].mask) * size;
            if (!best || data_compare(call->type, payload, best) * sign > 0) {
                best = payload;
                best_argument = k;
            }
        }
        if (best)
            take_argument(call, best_argument, i, size);
        else
            out_null(call, i);
    }
}

static void
max_of(ScalarCall *call)
{
    extreme_of(call, 1);
}

static void
min_of(ScalarCall *call)
{
    extreme_of(call, -1);
}

static void
null_test(ScalarCall *call, bool wanted)
{
    uint8_t *out = call->out;
    for (uint32_t i = 0; i < call->count; i++)
        out[i] = arg_is_null(call, 0, i) == wanted;
}

static void
is_null(ScalarCall *call)
{
    null_test(call, true);
}

static void
is_not_null(ScalarCall *call)
{
    null_test(call, false);
}

static void
empty_test(ScalarCall *call, bool wanted)
{
    uint8_t *out = call->out;
    Type type = call->args[0].type;
    for (uint32_t i = 0; i < call->count; i++) {
        bool empty = arg_is_null(call, 0, i);
        if (!empty && type == TYPE_STRING) {
            empty = ARG(call, 0, Text, i).len == 0;
        } else if (!empty && type == TYPE_DYNAMIC) {
            Dyn node = arg_dyn(call, 0, i);
            empty = dyn_kind(node) == DYN_STRING && dyn_string(node).len == 0;
        }
        out[i] = empty == wanted;
    }
}

static void
is_empty(ScalarCall *call)
{
    empty_test(call, true);
}

static void
is_not_empty(ScalarCall *call)
{
    empty_test(call, false);
}

static const ScalarImpl iff_impl = {iff, NULL};
static const ScalarImpl coalesce_impl = {coalesce, NULL};
static const ScalarImpl max_of_impl = {max_of, NULL};
static const ScalarImpl min_of_impl = {min_of, NULL};
static const ScalarImpl is_null_impl = {is_null, NULL};
static const ScalarImpl is_not_null_impl = {is_not_null, NULL};
static const ScalarImpl is_empty_impl = {is_empty, NULL};
static const ScalarImpl is_not_empty_impl = {is_not_empty, NULL};

#define CONDITION(NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, IMPL)                                    \
    {                                                                                              \
        NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FUNCTION_SCALAR, FN_OWN_NULLS, &(IMPL)             \
    }

static const FunctionDef ROWS[] = {
    {"iff", "iif", "(predicate:bool, then:T, else:T) : T",
     "`then` where the predicate is true, otherwise `else`.", "iff(true, 1, 2) == 1",
     FUNCTION_SCALAR, FN_OWN_NULLS | FN_LAZY, &iff_impl},
    CONDITION("coalesce", NULL, "(value:T, other:T...) : T",
              "The first value that is not null (of strings: not empty).",
              "coalesce(tolong('x'), 2) == 2", coalesce_impl),
    CONDITION("max_of", NULL, "(value:O, other:O...) : O", "The greatest of the values.",
              "max_of(1, 3, 2) == 3", max_of_impl),
    CONDITION("min_of", NULL, "(value:O, other:O...) : O", "The least of the values.",
              "min_of(1, 3, 2) == 1", min_of_impl),
    CONDITION("isnull", NULL, "(value:scalar) : bool", "Whether the value is null.",
              "isnull(tolong('x'))", is_null_impl),
    CONDITION("isnotnull", "notnull", "(value:scalar) : bool", "Whether the value is not null.",
              "isnotnull(1)", is_not_null_impl),
    CONDITION("isempty", NULL, "(value:scalar) : bool",
              "Whether the value is null or the empty string.", "isempty('')", is_empty_impl),
    CONDITION("isnotempty", "notempty", "(value:scalar) : bool",
              "Whether the value is neither null nor the empty string.", "isnotempty('a')",
              is_not_empty_impl),
};

const FunctionSet CONDITION_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
