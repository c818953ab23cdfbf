// Scalar functions: how a kernel gets its rows.
//
// A kernel is a loop over `count` rows. Its arguments come flat or constant, never
// as a dictionary: the evaluator evaluates a dictionary argument once per entry
// and puts the codes back. `ARG(call, k, T, i)` reads row i of argument k in both
// forms without a branch.
#pragma once

#include "column/vector.h"
#include "kql/plan.h"
#include "value/json.h"
#include "value/regex.h"

typedef struct ArgView {
    Type type;
    const void *data;
    const uint64_t *valid; // NULL = all valid
    size_t mask;           // ~0 for flat, 0 for constant: row i is payload (i & mask)
} ArgView;

// Tools one thread keeps for the length of a query.
typedef struct Scratch {
    JsonParser *json;
    DynBuilder *dyn;
    Buffer text, text2;
    struct RegexCache *regexes; // patterns that are no constants
} Scratch;

void scratch_init(Scratch *scratch);
void scratch_free(Scratch *scratch);

typedef struct ScalarCall {
    const FunctionDef *fn;
    const ArgView *args;
    uint32_t arg_count;
    uint32_t count;      // rows
    Arena *arena;        // for long texts of the result; lives as long as the batch
    Type type;           // of the result
    void *out;           // `count` payloads, zeroed
    uint64_t *out_valid; // all ones, or the AND of the arguments' bits (strict functions)
    bool has_nulls;      // the kernel sets it when it clears bits of out_valid
    const void *bound;   // from the bind hook
    Scratch *scratch;
    int64_t now;       // of the query, ticks
    uint64_t row_base; // a number that differs for each batch: seeds rand()
} ScalarCall;

typedef void (*ScalarKernel)(ScalarCall *call);

// Called while binding. Constant arguments are EXPR_CONST by then. May refuse the
// call with an error at an argument's span; sets *type when the row says `*`; may
// keep something in `arena` (*bound) that lives as long as the plan; a Regex made
// here is registered with arena_on_free-like `bind_keep_regex`.
typedef bool (*ScalarBind)(Arena *arena, const FunctionDef *fn, Expr *const *args,
                           uint32_t arg_count, Span span, Type *type, const void **bound,
                           AzError *error);

typedef struct ScalarImpl {
    ScalarKernel kernel;
    ScalarBind bind; // NULL: nothing to bind
} ScalarImpl;

#define ARG(call, k, T, i) (((const T *)(call)->args[k].data)[(i) & (call)->args[k].mask])

static inline bool
arg_is_null(const ScalarCall *call, uint32_t k, uint32_t i)
{
    const ArgView *arg = &call->args[k];
    return arg->valid && !bit_get(arg->valid, i & arg->mask);
}

// The slice of a string (or dynamic bytes) argument at row i.
static inline Str
arg_str(const ScalarCall *call, uint32_t k, uint32_t i)
{
    return text_str(&ARG(call, k, Text, i));
}

static inline Dyn
arg_dyn(const ScalarCall *call, uint32_t k, uint32_t i)
{
    return dyn_of_text(&ARG(call, k, Text, i));
}

// The argument at row i as a Value (null when it is).
Value arg_value(const ScalarCall *call, uint32_t k, uint32_t i);

// Results.
static inline void
out_null(ScalarCall *call, uint32_t i)
{
    bit_clear(call->out_valid, i);
    call->has_nulls = true;
}

void out_str(ScalarCall *call, uint32_t i, Str s);  // copied when longer than inline
void out_view(ScalarCall *call, uint32_t i, Str s); // s outlives the batch (part of an argument)
void out_value(ScalarCall *call, uint32_t i, const Value *value); // of call->type, text copied
// Finishes scratch->dyn into row i (a null tree makes the row null) and resets it.
void out_dyn(ScalarCall *call, uint32_t i);
// Around the pushes of an array's elements: begins it in scratch->dyn, ends it as row i.
void out_array_begin(ScalarCall *call);
void out_array_finish(ScalarCall *call, uint32_t i);

// The regex for row i of argument k: the bound one for a constant pattern, else from
// the scratch's cache. NULL when the pattern is not valid (the result is then null).
const Regex *arg_regex(ScalarCall *call, uint32_t k, uint32_t i, bool ignore_case);
// Bind hook helper: compiles the constant pattern of args[k] into *bound (freed with
// the process's regex table, shared by equal patterns), or does nothing when it is no
// constant. False with an error at its span when the pattern is bad.
bool bind_regex(Expr *const *args, uint32_t k, bool ignore_case, const void **bound,
                AzError *error);

// Sets of rows that make the registry; each file of scalar/ ends with one.
typedef struct FunctionSet {
    const FunctionDef *rows;
    size_t count;
} FunctionSet;
