// Catalog: what the binder may ask the world: tables, functions, constants. The
// façade (db.c) implements it over the store, the registry and the content
// folder, so that kql/ depends on none of them.
#pragma once

#include "kql/ast.h"
#include "kql/plugin_def.h"
#include "kql/table_function_def.h"

// A source whose rows lie outside the store: externaldata and its kin.
typedef struct ExternalRequest {
    Schema schema;
    const Str *addresses; // paths, file:// or http(s) addresses
    uint32_t address_count;
    Str format;                 // as written; empty: by the file's name, else csv
    bool skip_first;            // the first record of each file is a header
    Str mapping;                // JSON of an ingestion mapping; empty: by position or name
    Str name_prefix, extension; // only files whose name starts and ends so
} ExternalRequest;

// Which time of a row a window is about: that of the event (TimeGenerated), or when it arrived
// (what ingestion_time() says).
typedef enum WindowBy {
    WINDOW_EVENT,   // the event lies in the window
    WINDOW_SEEN,    // so, and it had arrived by the window's end
    WINDOW_ARRIVAL, // it arrived in the window, whenever the event was
} WindowBy;

// Ticks; `from` itself is outside, `to` inside. Both 0: all times.
typedef struct TimeWindow {
    int64_t from, to;
    WindowBy by;
} TimeWindow;

typedef struct OpenColumns OpenColumns; // kql/binder.h

typedef struct Catalog {
    void *context;
    // Names are bound and nothing is read or run: what only the service or its data knows
    // (a watchlist's columns, other workspaces) is taken as the query says.
    bool check;
    // The last number that the optimiser gave a plan that it shares; the binder's are below all of
    // its. One counter a query, so that no two of its plans, whenever they are made, have one number.
    uint32_t *shared_ids;

    // The table of that name (any case), or NULL; NULL with `error` set when it is
    // there but cannot be read. `database` is empty or a place ("workspace:w",
    // "cluster:c/database:d"). `ignore_column_case` is true for Resource Graph's tables.
    TableSource *(*find_table)(void *context, Str database, Str name, Str *canonical,
                               bool *ignore_column_case, AzError *error);
    // Calls `each` for every table name: wildcards and suggestions.
    void (*each_table)(void *context, void (*each)(void *arg, Str name), void *arg);
    // For tables that stand for functions of a workspace, products' parsers: suggestions alone,
    // since no wildcard meets a function.
    void (*each_parser)(void *context, void (*each)(void *arg, Str name), void *arg);

    // A column that rows of the table may have although its schema does not name it
    // (hidden standard columns, columns of AzureDiagnostics): its type, or TYPE_NONE.
    Type (*open_column)(void *context, Str table, Str column);

    // The rows behind addresses. NULL with an error that holds no secret of an address.
    TableSource *(*find_external)(void *context, const ExternalRequest *request, AzError *error);

    // The columns of a watchlist's items; false without an error when there is none of that
    // alias.
    bool (*find_watchlist)(void *context, Arena *arena, Str alias, Str **columns, size_t *count,
                           AzError *error);

    // The text given for a query parameter with the request; false when none was.
    bool (*find_parameter)(void *context, Str name, Str *text);

    // Overloads of a built-in function or aggregate (exact case), aliases included;
    // *count = 0 when there is none.
    const FunctionDef *const *(*find_function)(void *context, Str name, size_t *count);
    void (*each_function)(void *context, void (*each)(void *arg, const FunctionDef *fn), void *arg);

    // A function defined in KQL (content/functions, or saved in the store), parsed;
    // NULL when there is none.
    const AstFunctionFile *(*find_user_function)(void *context, Str name, AzError *error);
    // The same, of those that the user saved or brought. Where one takes no argument, its bare name
    // stands for it and not for a table of that name, as a stored function's does in Kusto.
    const AstFunctionFile *(*find_brought_function)(void *context, Str name, AzError *error);

    // A table that is computed, by exact name, or NULL.
    const TableFunctionDef *(*find_table_function)(void *context, Str name);
    void (*each_table_function)(void *context, void (*each)(void *arg, const TableFunctionDef *fn),
                                void *arg);
    // Its rows for these arguments, one a parameter; no rows when the query is only checked.
    // NULL with an error.
    TableSource *(*open_table_function)(void *context, const TableFunctionDef *fn,
                                        const Value *args, AzError *error);

    // The result type of a call whose row says `*`, and what the function wants to
    // keep (regex, set ...). `args` are bound already. False with an error at a span.
    bool (*bind_call)(void *context, Arena *arena, const FunctionDef *fn, Expr *const *args,
                      uint32_t arg_count, Span span, Type *type, const void **bound,
                      AzError *error);
    // The same for aggregates: fills call->output_types, output_count and bound.
    bool (*bind_aggregate)(void *context, Arena *arena, AggregateCall *call, AzError *error);

    // The plugin of `evaluate` of that name, or NULL.
    const PluginDef *(*find_plugin)(void *context, Str name);
    void (*each_plugin)(void *context, void (*each)(void *arg, const PluginDef *plugin), void *arg);
    // Fills in what the call yields. Where that depends on the rows, they are looked at,
    // unless the query is only checked. False with an error at a span.
    bool (*bind_plugin)(void *context, Arena *arena, PluginCall *call, AzError *error);

    // Evaluates an expression without columns now (constant folding).
    bool (*fold)(void *context, Arena *arena, const Expr *expr, Value *out, AzError *error);

    // Columns beyond the schemas that earlier bindings of this very query came upon; later ones
    // need not come upon them again. NULL: only this binding.
    OpenColumns *open;

    int64_t now; // ticks: the same for the whole query
    // Of tables that grow with time, only rows whose TimeGenerated lies here are there: how
    // Microsoft Sentinel shows a rule the events of its query period and no others.
    TimeWindow window;
    Str database; // current_database()
} Catalog;
