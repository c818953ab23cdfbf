// PluginDef: what the language knows of a plugin of `evaluate`: its name, parameters
// and help. What it yields and how it runs is `impl`, which belongs to exec/ (see
// exec/plugin.h) and is opaque here, as a function's kernel is.
//
// The binder gives each argument to a parameter: by name (`name = value`), else in order.
// A parameter that may be absent and does not take the argument (a constant where a
// column stands, say) is passed over, so that dimensions, a cohort and a table may
// follow each other as Kusto's plugins have them.
#pragma once

#include "kql/plan.h"

typedef enum PluginParamKind {
    PLUGIN_COLUMN,       // a column of the input
    PLUGIN_EXPRESSION,   // any expression over the input's columns
    PLUGIN_CONSTANT,     // an expression without columns; may hold a sub-query
    PLUGIN_TABLE,        // a table
    PLUGIN_TABLE_COLUMN, // a column of the table argument that came before
    PLUGIN_AGGREGATE,    // a call of an aggregate over the input
} PluginParamKind;

typedef enum PluginParamFlag {
    PLUGIN_OPTIONAL = 1 << 0,
    PLUGIN_REPEATED = 1 << 1, // one or more; with PLUGIN_OPTIONAL any number
    PLUGIN_LABELLED = 1 << 2, // an argument may bear any name: e1 = expression
    PLUGIN_TILDE = 1 << 3,    // "~" stands for the default
} PluginParamFlag;

typedef struct PluginParam {
    const char *name;
    PluginParamKind kind;
    // The types that are taken, separated by blanks; another one is converted to the
    // first where Kusto converts it. NULL: any.
    const char *types;
    uint32_t flags;
} PluginParam;

typedef enum PluginFlag {
    PLUGIN_SOURCE = 1 << 0,   // stands without a table in front
    PLUGIN_DECLARED = 1 << 1, // looks at the declared schema itself
    PLUGIN_HIDDEN = 1 << 2,   // not listed for users
} PluginFlag;

typedef struct PluginDef {
    const char *name;
    const char *doc; // one sentence, for help
    const PluginParam *params;
    uint32_t param_count;
    uint32_t flags;
    // What it would need that is not there ("a Python sandbox"); such a plugin's arguments
    // are not looked at. NULL: it runs.
    const char *needs;
    const void *impl; // PluginImpl
} PluginDef;

typedef struct PluginArg {
    Str name; // the label, else the name its column would get; may be empty
    Expr *expr;
    Plan *table;
    AggregateCall *aggregate;
    Span span;
} PluginArg;

typedef struct PluginArgs {
    PluginArg *items;
    uint32_t len;
    uint32_t cap;
} PluginArgs;

// One bound call; the plan PLAN_EVALUATE holds it.
typedef struct PluginCall {
    const PluginDef *plugin;
    Plan *input;      // as bound, for the plugin's bind hook; NULL for a source
    PluginArgs *args; // by parameter
    // `: (a:long, ...)` behind the call; `open` is `(*, ...)`: the input's columns too.
    bool has_declared, declared_open;
    Schema declared;
    Span span;
    // Filled in by the bind hook.
    Schema schema;
    bool open;       // more columns may come with rows
    bool serialized; // its rows come in a defined order
    const void *bound;
} PluginCall;

// The one argument of parameter `param`, or NULL.
static inline const PluginArg *
plugin_arg(const PluginCall *call, uint32_t param)
{
    return call->args[param].len ? &call->args[param].items[0] : NULL;
}

// "name(first:column(dynamic), second:constant(string)=, ...)", as help and errors show it.
Str plugin_signature(Arena *arena, const PluginDef *plugin);
