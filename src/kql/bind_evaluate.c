// evaluate: a plugin's call, its arguments given to the plugin's parameters.
//
// Which argument is which parameter is decided here, from the plugin's row alone; what
// the plugin yields is the business of its bind hook, reached through the catalog.
// A parameter that may be absent is tried with the argument; when the argument is of
// another kind (no column, not constant, no table) the next parameter gets it.

#include "kql/bind_state.h"
#include "kql/plugin_def.h"
#include "kql/signature.h"

typedef struct PluginBinder {
    Binder *b;
    PluginCall *call;
    Row row;           // of the input
    const Plan *table; // the table argument met last
} PluginBinder;

static const char *const KIND_NAMES[] = {
    [PLUGIN_COLUMN] = "column",
    [PLUGIN_EXPRESSION] = "expression",
    [PLUGIN_CONSTANT] = "constant",
    [PLUGIN_TABLE] = "table",
    [PLUGIN_TABLE_COLUMN] = "table_column",
    [PLUGIN_AGGREGATE] = "aggregate",
};

Str
plugin_signature(Arena *arena, const PluginDef *plugin)
{
    Buffer out = {0};
    buffer_printf(&out, "%s(", plugin->name);
    for (uint32_t p = 0; p < plugin->param_count; p++) {
        const PluginParam *param = &plugin->params[p];
        buffer_printf(&out, "%s%s:%s", p ? ", " : "", param->name, KIND_NAMES[param->kind]);
        for (const char *type = param->types; type && *type; type++) {
            if (type == param->types)
                buffer_char(&out, '(');
            buffer_char(&out, *type == ' ' ? '|' : *type);
        }
        if (param->types)
            buffer_char(&out, ')');
        if (param->flags & PLUGIN_REPEATED)
            buffer_text(&out, "...");
        else if (param->flags & PLUGIN_OPTIONAL)
            buffer_char(&out, '=');
    }
    buffer_char(&out, ')');
    Str copy = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return copy;
}

// ---- one argument ----

static Type
next_type(Str *types)
{
    *types = str_trim(*types);
    size_t end = 0;
    while (end < types->len && types->ptr[end] != ' ')
        end++;
    Type type = type_from_name(str_slice(*types, 0, end));
    *types = str_slice(*types, end, types->len);
    return type;
}

// Brings the value to one of the parameter's types.
static bool
fit_type(PluginBinder *p, const PluginParam *param, PluginArg *arg)
{
    Type first = TYPE_NONE;
    Str types = str_from(param->types);
    while (str_trim(types).len) {
        Type type = next_type(&types);
        if (type == arg->expr->type)
            return true;
        if (first == TYPE_NONE && conversion_cost(arg->expr->type, type) >= 0)
            first = type;
    }
    if (first != TYPE_NONE && param->kind != PLUGIN_COLUMN && param->kind != PLUGIN_TABLE_COLUMN)
        return (arg->expr = bind_convert(p->b, arg->expr, first)) != NULL;
    // A column that only the rows would tell may be of any type.
    if (arg->expr->unknown)
        return true;
    Buffer wanted = {0};
    for (const char *type = param->types; *type; type++)
        buffer_text(&wanted, *type == ' ' ? ", " : (char[]){*type, 0});
    bind_fail(p->b, arg->span, "the argument '%s' of %s must be of type %.*s, not %s", param->name,
              p->call->plugin->name, STR_ARG(buffer_slice(&wanted)), type_name(arg->expr->type));
    buffer_free(&wanted);
    return false;
}

static bool
bind_column(PluginBinder *p, const PluginParam *param, const AstExpr *ast, Row *row, PluginArg *arg)
{
    arg->expr = bind_expression(p->b, ast, row);
    if (!arg->expr)
        return false;
    arg->name = default_name(p->b, ast);
    if (arg->expr->kind == EXPR_COLUMN) {
        arg->name = row->schema->columns[arg->expr->column].name;
        return true;
    }
    // Names of an open table stand for columns.
    if (row->open && ast->kind == AST_NAME)
        return true;
    return bind_fail(p->b, ast->span, "the argument '%s' of %s must be a column", param->name,
                     p->call->plugin->name);
}

static bool
bind_value(PluginBinder *p, const PluginParam *param, const AstExpr *ast, PluginArg *arg)
{
    if (ast->kind == AST_NAME && p->row.schema && !scope_find(p->b->scope, ast->name.text) &&
        schema_find(p->row.schema, ast->name.text) >= 0)
        return bind_fail(p->b, ast->span,
                         "the argument '%s' of %s must be a constant, not a column", param->name,
                         p->call->plugin->name);
    arg->expr = bind_expression(p->b, ast, NULL);
    return arg->expr != NULL;
}

static bool
bind_aggregate(PluginBinder *p, const PluginParam *param, const AstExpr *ast, PluginArg *arg)
{
    Binder *b = p->b;
    if (ast->kind != AST_CALL || !name_is_aggregate(b, ast->name.text))
        return bind_fail(b, ast->span,
                         "the argument '%s' of %s must be an aggregate such as count()",
                         param->name, p->call->plugin->name);
    AggregateList list = {.row = &p->row};
    AggregateList *outer = b->aggregates;
    b->aggregates = &list;
    bool done = bind_aggregate_call(b, ast) != NULL;
    b->aggregates = outer;
    if (done)
        arg->aggregate = arena_copy(b->arena, &list.items[0], sizeof(AggregateCall));
    return done;
}

static bool
bind_argument(PluginBinder *p, const PluginParam *param, const AstExpr *ast, PluginArg *arg)
{
    Binder *b = p->b;
    *arg = (PluginArg){.span = ast->span};
    switch (param->kind) {
    case PLUGIN_TABLE:
        if (!is_tabular(b, ast))
            return bind_fail(b, ast->span, "the argument '%s' of %s must be a table", param->name,
                             p->call->plugin->name);
        arg->table = bind_table(b, ast);
        return arg->table != NULL;
    case PLUGIN_AGGREGATE: return bind_aggregate(p, param, ast, arg);
    case PLUGIN_COLUMN:
        if (!bind_column(p, param, ast, &p->row, arg))
            return false;
        break;
    case PLUGIN_TABLE_COLUMN: {
        Row row = row_of(p->table);
        if (!bind_column(p, param, ast, &row, arg))
            return false;
        break;
    }
    case PLUGIN_EXPRESSION:
        arg->expr = bind_expression(b, ast, &p->row);
        if (!arg->expr)
            return false;
        arg->name = default_name(b, ast);
        break;
    case PLUGIN_CONSTANT:
        if (!bind_value(p, param, ast, arg))
            return false;
        break;
    }
    return !param->types || fit_type(p, param, arg);
}

// The same as a trial: what goes wrong is not told.
static bool
try_argument(PluginBinder *p, const PluginParam *param, const AstExpr *ast, PluginArg *arg)
{
    AzError *outer = p->b->error, ignored = {0};
    uint32_t depth = p->b->depth;
    p->b->error = &ignored;
    bool done = bind_argument(p, param, ast, arg);
    p->b->error = outer;
    p->b->depth = depth;
    return done;
}

// ---- all arguments ----

static void
take_argument(PluginBinder *p, uint32_t param, PluginArg arg)
{
    PluginArgs *args = &p->call->args[param];
    if (args->len == args->cap) {
        uint32_t cap = args->cap ? args->cap * 2 : 2;
        PluginArg *items = ARENA_ARRAY(p->b->arena, PluginArg, cap);
        if (args->len)
            memcpy(items, args->items, args->len * sizeof(*items));
        args->items = items;
        args->cap = cap;
    }
    args->items[args->len++] = arg;
    if (arg.table)
        p->table = arg.table;
}

static bool
is_tilde(const AstExpr *ast)
{
    return ast->kind == AST_LITERAL && ast->value.type == TYPE_STRING &&
           str_equal(text_str(&ast->value.text), STR("~"));
}

// The parameter a name means, or -1. Blanks and underscores do not count, nor does case:
// columnsConflict is columns_conflict.
static ptrdiff_t
named_param(const PluginDef *plugin, Str name)
{
    for (uint32_t i = 0; i < plugin->param_count; i++) {
        const char *wanted = plugin->params[i].name;
        size_t at = 0;
        for (; *wanted && at <= name.len; wanted++) {
            if (*wanted == '_')
                continue;
            while (at < name.len && name.ptr[at] == '_')
                at++;
            if (at == name.len || (name.ptr[at] | 0x20) != (*wanted | 0x20))
                break;
            at++;
        }
        if (!*wanted && at == name.len)
            return i;
    }
    return -1;
}

static bool
bind_named(PluginBinder *p, uint32_t param, const AstExpr *ast)
{
    const PluginParam *def = &p->call->plugin->params[param];
    PluginArg arg;
    if (p->call->args[param].len && !(def->flags & PLUGIN_REPEATED))
        return bind_fail(p->b, ast->span, "the argument '%s' is given twice", def->name);
    if (!bind_argument(p, def, ast, &arg))
        return false;
    take_argument(p, param, arg);
    return true;
}

// Gives the argument to the next parameter that takes it; *at moves on.
static bool
bind_next(PluginBinder *p, uint32_t *at, const AstExpr *ast, const AstName *label)
{
    const PluginDef *plugin = p->call->plugin;
    bool labelled = label && label->text.len;
    for (; *at < plugin->param_count; ++*at) {
        const PluginParam *param = &plugin->params[*at];
        PluginArgs *args = &p->call->args[*at];
        bool repeated = param->flags & PLUGIN_REPEATED;
        if (args->len && !repeated)
            continue; // given by name
        if (labelled && !(param->flags & PLUGIN_LABELLED)) {
            if (param->flags & PLUGIN_OPTIONAL || (repeated && args->len))
                continue;
            break;
        }
        if ((param->flags & PLUGIN_TILDE) && is_tilde(ast) && param->kind != PLUGIN_EXPRESSION &&
            !repeated) {
            ++*at;
            return true;
        }
        bool required = !(param->flags & PLUGIN_OPTIONAL) && !args->len;
        PluginArg arg;
        if (required ? !bind_argument(p, param, ast, &arg) : !try_argument(p, param, ast, &arg)) {
            if (required)
                return false;
            continue;
        }
        if (labelled)
            arg.name = label->text;
        take_argument(p, *at, arg);
        *at += !repeated;
        return true;
    }
    if (labelled)
        return bind_fail(p->b, label->span, "%s has no argument '%.*s'; its signature is %.*s",
                         plugin->name, STR_ARG(label->text),
                         STR_ARG(plugin_signature(p->b->arena, plugin)));
    // Told with the reason when one parameter alone could have been meant.
    const PluginParam *last = plugin->param_count ? &plugin->params[plugin->param_count - 1] : NULL;
    PluginArg ignored;
    if (last && (last->flags & (PLUGIN_OPTIONAL | PLUGIN_REPEATED)) &&
        (!p->call->args[plugin->param_count - 1].len || (last->flags & PLUGIN_REPEATED)) &&
        !bind_argument(p, last, ast, &ignored))
        return false;
    return bind_fail(p->b, ast->span, "this argument is too many for %s; its signature is %.*s",
                     plugin->name, STR_ARG(plugin_signature(p->b->arena, plugin)));
}

static bool
bind_plugin_arguments(PluginBinder *p, const AstExpr *ast)
{
    const PluginDef *plugin = p->call->plugin;
    uint32_t at = 0;
    for (size_t i = 0; i < ast->args.len; i++) {
        const AstName *label =
            ast->arg_names && ast->arg_names[i].text.len ? &ast->arg_names[i] : NULL;
        ptrdiff_t named = label ? named_param(plugin, label->text) : -1;
        if (named >= 0 ? !bind_named(p, (uint32_t)named, ast->args.items[i])
                       : !bind_next(p, &at, ast->args.items[i], label))
            return false;
    }
    for (uint32_t i = 0; i < plugin->param_count; i++)
        if (!p->call->args[i].len && !(plugin->params[i].flags & PLUGIN_OPTIONAL))
            return bind_fail(p->b, ast->span, "%s needs the argument '%s'; its signature is %.*s",
                             plugin->name, plugin->params[i].name,
                             STR_ARG(plugin_signature(p->b->arena, plugin)));
    return true;
}

// ---- the plugin ----

typedef struct PluginNames {
    Arena *arena;
    Str *items;
    size_t len, cap;
} PluginNames;

static void
collect_plugin(void *context, const PluginDef *plugin)
{
    PluginNames *names = context;
    if (!(plugin->flags & PLUGIN_HIDDEN))
        ARRAY_PUSH(names->arena, names, str_from(plugin->name));
}

static const PluginDef *
find_plugin(Binder *b, const AstName *name)
{
    const PluginDef *plugin = b->catalog->find_plugin(b->catalog->context, name->text);
    if (plugin && !plugin->needs)
        return plugin;
    if (plugin) {
        bind_fail(b, name->span, "the plugin '%s' cannot run here: it needs %s", plugin->name,
                  plugin->needs);
        b->error->code = AZ_UNSUPPORTED;
        return NULL;
    }
    PluginNames names = {.arena = b->arena};
    b->catalog->each_plugin(b->catalog->context, collect_plugin, &names);
    ptrdiff_t near = str_nearest(name->text, names.items, names.len);
    if (near >= 0)
        bind_fail(b, name->span, "there is no plugin '%.*s'; did you mean '%.*s'?",
                  STR_ARG(name->text), STR_ARG(names.items[near]));
    else
        bind_fail(b, name->span, "there is no plugin '%.*s'", STR_ARG(name->text));
    return NULL;
}

static bool
declare(Binder *b, PluginCall *call, const AstOperator *step)
{
    call->has_declared = step->columns.len || step->open_columns;
    call->declared_open = step->open_columns;
    ColumnNamer namer = {.arena = b->arena};
    for (size_t i = 0; i < step->columns.len; i++)
        if (!namer_add(b, &namer, &step->columns.items[i].name, STR(""),
                       step->columns.items[i].type))
            return false;
    call->declared = namer_schema(&namer);
    return true;
}

// The declared columns of a plugin that knows its own: each must be one of them.
static Plan *
pick_declared(Binder *b, Plan *plan, const PluginCall *call, const AstOperator *step)
{
    uint32_t count = call->declared.count;
    Expr **exprs = ARENA_ARRAY(b->arena, Expr *, count + 1);
    for (uint32_t c = 0; c < count; c++) {
        const Column *column = &call->declared.columns[c];
        Span span = step->columns.items[c].name.span;
        ptrdiff_t at = schema_find(&plan->schema, column->name);
        if (at < 0 || plan->schema.columns[at].type != column->type) {
            bind_fail(b, span, "%s yields no column '%.*s' of type %s", call->plugin->name,
                      STR_ARG(column->name), type_name(column->type));
            return NULL;
        }
        exprs[c] = expr_column(b->arena, (uint32_t)at, column->type, span);
    }
    return bind_projection(b, plan, call->declared, exprs, false, step->span);
}

Plan *
bind_evaluate(Binder *b, Plan *input, const AstOperator *step)
{
    const AstExpr *ast = step->right;
    if (ast->kind != AST_CALL) {
        bind_fail(b, ast->span, "evaluate needs a plugin's call, for example bag_unpack(column)");
        return NULL;
    }
    const PluginDef *plugin = find_plugin(b, &ast->name);
    if (!plugin)
        return NULL;
    if (!input != !!(plugin->flags & PLUGIN_SOURCE)) {
        bind_fail(b, ast->name.span,
                  input ? "%s reads no table: begin with evaluate, without a table in front"
                        : "%s needs a table in front: T | evaluate %s",
                  plugin->name, plugin->name);
        return NULL;
    }
    PluginCall *call = ARENA_NEW(b->arena, PluginCall);
    *call = (PluginCall){.plugin = plugin, .input = input, .span = ast->span};
    call->args = ARENA_ARRAY(b->arena, PluginArgs, plugin->param_count + 1);
    PluginBinder binder = {.b = b, .call = call};
    if (input)
        binder.row = row_of(input);
    if (!bind_plugin_arguments(&binder, ast) || !declare(b, call, step) ||
        !b->catalog->bind_plugin(b->catalog->context, b->arena, call, b->error))
        return NULL;
    Plan *plan = bind_plan(b, PLAN_EVALUATE, step->span);
    if (!plan)
        return NULL;
    plan->input = input;
    plan->schema = call->schema;
    plan->open = call->open;
    plan->serialized = call->serialized;
    plan->evaluate.call = call;
    if (call->has_declared && !(plugin->flags & PLUGIN_DECLARED))
        return call->declared_open ? plan : pick_declared(b, plan, call, step);
    return plan;
}
