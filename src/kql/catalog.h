// Catalog: what the binder may ask the world: tables, functions, constants. The
// façade (db.c) implements it over the store, the registry and the content
// folder, so that kql/ depends on none of them.
#pragma once

#include "kql/ast.h"
#include "kql/plan.h"

typedef struct Catalog {
    void *context;

    // The table of that name (any case), or NULL; NULL with `error` set when it is
    // there but cannot be read. `ignore_column_case` is true for Resource Graph's tables.
    TableSource *(*find_table)(void *context, Str database, Str name, Str *canonical,
                               bool *ignore_column_case, AzError *error);
    // Calls `each` for every table name: wildcards and suggestions.
    void (*each_table)(void *context, void (*each)(void *arg, Str name), void *arg);

    // Overloads of a built-in function or aggregate (exact case), aliases included;
    // *count = 0 when there is none.
    const FunctionDef *const *(*find_function)(void *context, Str name, size_t *count);
    void (*each_function)(void *context, void (*each)(void *arg, const FunctionDef *fn), void *arg);

    // A function defined in KQL (content/functions, or saved in the store), parsed;
    // NULL when there is none.
    const AstFunctionFile *(*find_user_function)(void *context, Str name, AzError *error);

    // The result type of a call whose row says `*`, and what the function wants to
    // keep (regex, set ...). `args` are bound already. False with an error at a span.
    bool (*bind_call)(void *context, Arena *arena, const FunctionDef *fn, Expr *const *args,
                      uint32_t arg_count, Span span, Type *type, const void **bound,
                      AzError *error);
    // The same for aggregates: fills call->output_types, output_count and bound.
    bool (*bind_aggregate)(void *context, Arena *arena, AggregateCall *call, AzError *error);

    // Evaluates an expression without columns now (constant folding).
    bool (*fold)(void *context, Arena *arena, const Expr *expr, Value *out, AzError *error);

    int64_t now;  // ticks: the same for the whole query
    Str database; // current_database()
} Catalog;
