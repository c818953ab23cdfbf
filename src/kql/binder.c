// The binder's entry: statements, let scopes and functions written in KQL.
//
// A let that is a value is bound once; one that is a table or a function is kept as it
// was written, with the scope it was written in, and bound at each use (Kusto docs:
// named expressions are evaluated anew at each use).

#include "kql/bind_state.h"
#include "kql/parser.h"

// ---- what a let is ----

static bool
body_is_tabular(Binder *b, const AstFunction *function, Scope *scope)
{
    if (!function->body.len)
        return false;
    Scope *outer = b->scope;
    // Its own lets and parameters decide what the last expression is.
    b->scope = scope_push(b, scope);
    for (size_t i = 0; i < function->parameter_count; i++) {
        const AstParameter *parameter = &function->parameters[i];
        scope_add(b, b->scope, parameter->name.text,
                  parameter->is_table ? BINDING_TABLE : BINDING_SCALAR);
    }
    for (size_t i = 0; i + 1 < function->body.len; i++) {
        const AstStatement *statement = &function->body.items[i];
        BindingKind kind = BINDING_SCALAR;
        if (statement->kind == AST_LET_FUNCTION)
            kind = BINDING_FUNCTION;
        else if (statement->kind == AST_LET && is_tabular(b, statement->value))
            kind = BINDING_TABLE;
        Binding *binding = scope_add(b, b->scope, statement->name.text, kind);
        binding->function = statement->function;
        binding->scope = b->scope;
    }
    bool tabular = is_tabular(b, function->body.items[function->body.len - 1].value);
    b->scope = outer;
    return tabular;
}

bool
function_is_tabular(Binder *b, const AstFunction *function, Scope *home)
{
    if (!bind_enter(b, function->span))
        return false;
    bool tabular = body_is_tabular(b, function, home);
    b->depth--;
    return tabular;
}

const AstFunction *
find_kql_function(Binder *b, Str name, Scope **home, const AstFunctionFile **file)
{
    Binding *binding = scope_find(b->scope, name);
    *file = NULL;
    if (binding && binding->kind == BINDING_FUNCTION) {
        *home = binding->scope;
        return binding->function;
    }
    *home = NULL;
    AzError error = {0};
    *file = b->catalog->find_user_function(b->catalog->context, name, &error);
    if (error.code != AZ_OK && b->error && b->error->code == AZ_OK)
        *b->error = error;
    return *file ? (*file)->function : NULL;
}

bool
is_tabular(Binder *b, const AstExpr *ast)
{
    switch (ast->kind) {
    case AST_PIPELINE:
    case AST_SOURCE:
    case AST_WILDCARD: return true;
    case AST_NAME: {
        Binding *binding = scope_find(b->scope, ast->name.text);
        if (binding)
            return binding->kind == BINDING_TABLE ||
                   (binding->kind == BINDING_FUNCTION && binding->function &&
                    binding->function->parameter_count == 0 &&
                    function_is_tabular(b, binding->function, binding->scope));
        Str canonical;
        bool ignore_case;
        AzError ignored = {0};
        if (b->catalog->find_table(b->catalog->context, STR(""), ast->name.text, &canonical,
                                   &ignore_case, &ignored))
            return true;
        Scope *home;
        const AstFunctionFile *file;
        const AstFunction *function = find_kql_function(b, ast->name.text, &home, &file);
        return function && function_is_tabular(b, function, home);
    }
    case AST_CALL: {
        Str name = ast->name.text;
        Scope *home;
        const AstFunctionFile *file;
        Binding *binding = scope_find(b->scope, name);
        if (binding && binding->kind == BINDING_PATTERN)
            return true;
        if (!binding && (str_equal(name, STR("materialize")) || str_equal(name, STR("table")) ||
                         is_special_table(name)))
            return true;
        if (!binding || binding->kind != BINDING_FUNCTION) {
            size_t count;
            b->catalog->find_function(b->catalog->context, name, &count);
            if (count)
                return false;
        }
        const AstFunction *function = find_kql_function(b, name, &home, &file);
        return function && function_is_tabular(b, function, home);
    }
    case AST_INDEX:
    case AST_MEMBER: {
        const AstExpr *base = ast->base;
        while (base->kind == AST_MEMBER || base->kind == AST_INDEX)
            base = base->base;
        Binding *binding = scope_find(
            b->scope, base->kind == AST_NAME || base->kind == AST_CALL ? base->name.text : STR(""));
        if (base->kind == AST_NAME)
            return binding && binding->kind == BINDING_ENTITY && !is_entity_value(ast);
        if (base->kind != AST_CALL)
            return false;
        return binding ? binding->kind == BINDING_PATTERN
                       : ast->kind == AST_MEMBER && is_place_call(base->name.text);
    }
    default: return false;
    }
}

// ---- let ----

static bool
bind_let(Binder *b, const AstStatement *statement)
{
    for (const Binding *other = b->scope->bindings; other; other = other->next)
        if (str_equal(other->name, statement->name.text))
            return bind_fail(b, statement->name.span, "the name '%.*s' is already declared",
                             STR_ARG(statement->name.text));
    if (statement->kind == AST_LET_FUNCTION) {
        Scope *home = b->scope;
        Binding *binding = scope_add(b, home, statement->name.text, BINDING_FUNCTION);
        binding->function = statement->function;
        // The function sees what was declared before it, not itself.
        Scope *before = scope_push(b, home->outer);
        before->bindings = binding->next;
        before->access = home->access;
        binding->scope = before;
        return true;
    }
    if (is_entity_group(statement->value)) {
        scope_add(b, b->scope, statement->name.text, BINDING_ENTITIES)->ast = statement->value;
        return true;
    }
    if (is_tabular(b, statement->value)) {
        Scope *before = scope_push(b, b->scope->outer);
        before->bindings = b->scope->bindings;
        before->access = b->scope->access;
        Binding *binding = scope_add(b, b->scope, statement->name.text, BINDING_TABLE);
        binding->ast = statement->value;
        binding->scope = before;
        return true;
    }
    if (b->error && b->error->code != AZ_OK)
        return false;
    Expr *expr = bind_expression(b, statement->value, NULL);
    if (!expr)
        return false;
    scope_add(b, b->scope, statement->name.text, BINDING_SCALAR)->expr = expr;
    return true;
}

bool
bind_lets(Binder *b, const AstStatementList *statements, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const AstStatement *statement = &statements->items[i];
        bool done = true;
        switch (statement->kind) {
        case AST_LET:
        case AST_LET_FUNCTION: done = bind_let(b, statement); break;
        case AST_QUERY_PARAMETERS: done = bind_query_parameters(b, statement); break;
        case AST_SET: done = bind_set(b, statement); break;
        case AST_PATTERN: done = bind_pattern_statement(b, statement); break;
        case AST_ALIAS: done = bind_alias(b, statement); break;
        case AST_RESTRICT: done = bind_restrict(b, statement); break;
        case AST_TABULAR: break;
        }
        if (!done)
            return false;
    }
    return true;
}

// ---- calls of KQL functions ----

// The argument for parameter `index`: named, or the next by position.
static const AstExpr *
argument_for(const AstFunction *function, const AstExpr *call, size_t index, size_t skip)
{
    for (size_t i = 0; call && call->arg_names && i < call->args.len; i++)
        if (call->arg_names[i].text.len &&
            str_equal(call->arg_names[i].text, function->parameters[index].name.text))
            return call->args.items[i];
    size_t position = index - skip;
    if (call && index >= skip && position < call->args.len &&
        !(call->arg_names && call->arg_names[position].text.len))
        return call->args.items[position];
    return NULL;
}

// A tabular parameter checks the columns it names.
static bool
check_table_parameter(Binder *b, const AstParameter *parameter, const Plan *plan, Span span)
{
    for (size_t i = 0; i < parameter->columns.len; i++) {
        const AstColumn *column = &parameter->columns.items[i];
        ptrdiff_t at = schema_find(&plan->schema, column->name.text);
        if (at < 0)
            return bind_fail(b, span, "the table handed to '%.*s' has no column '%.*s'",
                             STR_ARG(parameter->name.text), STR_ARG(column->name.text));
        if (plan->schema.columns[at].type != column->type)
            return bind_fail(b, span,
                             "column '%.*s' of the table handed to '%.*s' is a %s, but a "
                             "%s is declared",
                             STR_ARG(column->name.text), STR_ARG(parameter->name.text),
                             type_name(plan->schema.columns[at].type), type_name(column->type));
    }
    return true;
}

static bool
bind_table_argument(Binder *b, const AstParameter *parameter, const AstExpr *argument, Plan *given,
                    Scope *scope, Span span)
{
    Binding *binding = scope_add(b, scope, parameter->name.text, BINDING_TABLE);
    if (given) {
        binding->plan = given;
        return check_table_parameter(b, parameter, given, span);
    }
    binding->ast = argument;
    binding->scope = b->scope;
    if (!parameter->columns.len)
        return true;
    Plan *plan = bind_table(b, argument);
    return plan && check_table_parameter(b, parameter, plan, argument->span);
}

static bool
check_argument_names(Binder *b, const AstFunction *function, const AstExpr *call)
{
    for (size_t i = 0; call && call->arg_names && i < call->args.len; i++) {
        Str name = call->arg_names[i].text;
        bool known = !name.len;
        for (size_t p = 0; p < function->parameter_count && !known; p++)
            known = str_equal(name, function->parameters[p].name.text);
        if (!known)
            return bind_fail(b, call->arg_names[i].span, "the function has no parameter '%.*s'",
                             STR_ARG(name));
    }
    return true;
}

bool
bind_call_scope(Binder *b, const AstFunction *function, Scope *home, const AstExpr *call, Row *row,
                Plan *first, Scope **out)
{
    Scope *scope = scope_push(b, home);
    Span span = call ? call->span : function->span;
    size_t skip = first ? 1 : 0;
    size_t given = (call ? call->args.len : 0) + skip;
    if (given > function->parameter_count)
        return bind_fail(b, span, "the function takes %zu argument%s, not %zu",
                         function->parameter_count, function->parameter_count == 1 ? "" : "s",
                         given);
    if (!check_argument_names(b, function, call))
        return false;
    for (size_t i = 0; i < function->parameter_count; i++) {
        const AstParameter *parameter = &function->parameters[i];
        const AstExpr *argument = i < skip ? NULL : argument_for(function, call, i, skip);
        if (parameter->is_table) {
            if (!argument && i >= skip)
                return bind_fail(b, span, "the table '%.*s' is missing",
                                 STR_ARG(parameter->name.text));
            if (!bind_table_argument(b, parameter, argument, i < skip ? first : NULL, scope, span))
                return false;
            continue;
        }
        Expr *value;
        if (argument) {
            value = bind_expression(b, argument, row);
        } else if (parameter->default_) {
            value = bind_constant(b, parameter->default_, parameter->type, "a default value");
        } else {
            return bind_fail(b, span, "the argument '%.*s' is missing",
                             STR_ARG(parameter->name.text));
        }
        value = bind_convert(b, value, parameter->type);
        if (!value)
            return false;
        scope_add(b, scope, parameter->name.text, BINDING_SCALAR)->expr = value;
    }
    *out = scope_push(b, scope);
    return true;
}

void
relocate_error(Binder *b, const AstFunctionFile *file, Span call)
{
    if (!b->error || b->error->code == AZ_OK)
        return;
    AzError inner = *b->error;
    uint32_t line = 0, column = 0;
    if (inner.has_span && inner.span.end <= file->text.len)
        text_position(file->text, inner.span.start, &line, &column);
    error_clear(b->error);
    error_at(b->error, inner.code, call, "in function %.*s (%.*s, line %u): %s",
             STR_ARG(file->name.text), STR_ARG(file->path), line, inner.message);
}

// ---- what is declared but perhaps never used ----

// An error in a let counts even when nobody uses it. Binding a table once to see that costs
// nothing that is kept. A table that does not exist may still stand in a union isfuzzy=true:
// it is an error only where it is used.
static bool
check_once(Binder *b, bool (*bind)(Binder *b, const Binding *binding), const Binding *binding)
{
    uint32_t plans = b->plans, ids = b->shared_ids;
    b->missing_table = false;
    b->attempts++;
    bool done = bind(b, binding);
    b->attempts--;
    b->plans = plans;
    if (done)
        return true;
    bool excused = b->missing_table || b->silent;
    if (b->error->code == AZ_LIMIT)
        return false;
    b->silent = false;
    error_clear(b->error);
    if (excused)
        return true;
    b->shared_ids = ids;
    done = bind(b, binding); // once more, for all that is wrong with it
    b->plans = plans;
    return done;
}

static bool
bind_let_table(Binder *b, const Binding *binding)
{
    return bind_table_name(b, binding->name, binding->ast->span) != NULL;
}

static bool
bind_let_function(Binder *b, const Binding *binding)
{
    const AstFunction *function = binding->function;
    Scope *outer = b->scope;
    bool hypothetical = b->hypothetical, doubtful = b->doubtful;
    Plan *implicit = b->implicit;
    b->scope = scope_push(b, binding->scope);
    b->hypothetical = true;
    b->implicit = NULL;
    for (size_t i = 0; i < function->parameter_count; i++) {
        const AstParameter *parameter = &function->parameters[i];
        if (!parameter->is_table) {
            Value unknown = value_null(parameter->type);
            Expr *value = expr_const(b->arena, &unknown, parameter->name.span);
            scope_add(b, b->scope, parameter->name.text, BINDING_SCALAR)->expr = value;
            continue;
        }
        Plan *table = bind_plan(b, PLAN_VALUES, parameter->name.span);
        if (!table)
            break;
        table->serialized = true;
        ColumnNamer namer = {.arena = b->arena};
        for (size_t c = 0; c < parameter->columns.len; c++)
            namer_add_auto(&namer, parameter->columns.items[c].name.text,
                           parameter->columns.items[c].type);
        table->schema = namer_schema(&namer);
        b->doubtful |= parameter->any_table;
        scope_add(b, b->scope, parameter->name.text, BINDING_TABLE)->plan = table;
    }
    b->scope = scope_push(b, b->scope);
    const AstStatementList *body = &function->body;
    bool done = body->len && body->items[body->len - 1].kind == AST_TABULAR;
    if (!done) {
        bind_fail(b, function->span, "the function has no result");
    } else {
        const AstExpr *result = body->items[body->len - 1].value;
        done = bind_lets(b, body, body->len - 1);
        if (done && is_tabular(b, result))
            done = bind_table_or_graph(b, result) != NULL;
        else if (done)
            done = bind_expression(b, result, NULL) != NULL;
    }
    b->scope = outer;
    b->implicit = implicit;
    b->hypothetical = hypothetical;
    b->doubtful = doubtful;
    return done;
}

static bool
check_let(Binder *b, const AstStatement *statement)
{
    const Binding *binding = scope_find(b->scope, statement->name.text);
    if (statement->kind == AST_LET_FUNCTION)
        return check_once(b, bind_let_function, binding);
    return binding->kind != BINDING_TABLE || check_once(b, bind_let_table, binding);
}

// ---- the entry ----

// graph-to-table nodes as N, edges as E: before other statements it names tables for them
// and yields nothing itself (Kusto docs, graph-to-table operator).
static bool
names_tables(const AstExpr *ast)
{
    const AstOperator *last = ast->kind == AST_PIPELINE && ast->operator_count
                                  ? ast->operators[ast->operator_count - 1]
                                  : NULL;
    bool named = last && last->outputs.len > 1;
    for (size_t i = 0; named && i < last->outputs.len; i++)
        named = last->outputs.items[i].name.text.len > 0;
    return named;
}

// One statement of the request; `bound` gets what it yields.
static bool
bind_statement(Binder *b, const AstStatement *statement, bool is_last, BoundQuery *bound,
               ResultPlans *results)
{
    b->doubtful = false;
    b->broken_columns.len = 0;
    if (statement->kind == AST_TABULAR) {
        bound->primary = (uint32_t)results->len;
        if (!bind_results(b, statement->value, STR(""), results))
            return false;
        if (names_tables(statement->value) && !is_last)
            results->len = bound->primary;
        return true;
    }
    AstStatementList one = {.items = (AstStatement *)statement, .len = 1};
    if (!bind_lets(b, &one, 1))
        return false;
    return (statement->kind != AST_LET && statement->kind != AST_LET_FUNCTION) ||
           check_let(b, statement);
}

static bool
bind_statements(Binder *b, const AstQuery *query, BoundQuery *bound)
{
    ResultPlans results = {0};
    bool full = false;
    for (size_t i = 0; i < query->statements.len && !full; i++) {
        const AstStatement *statement = &query->statements.items[i];
        if (bind_statement(b, statement, i + 1 == query->statements.len, bound, &results))
            continue;
        full = !bind_recover(b);
        b->depth = 0;
        b->aggregates = NULL;
        b->implicit = NULL;
        // Those who use the name need not hear of it again.
        if (statement->name.text.len)
            scope_add(b, b->scope, statement->name.text, BINDING_BROKEN);
    }
    bound->count = (uint32_t)results.len;
    bound->results = ARENA_ARRAY(b->arena, Plan *, results.len);
    bound->names = ARENA_ARRAY(b->arena, Str, results.len);
    for (uint32_t i = 0; i < bound->count; i++) {
        bound->results[i] = results.items[i].plan;
        bound->names[i] = results.items[i].name;
    }
    if (!bound->count && !full && !b->failed)
        bind_warn(b, (Span){(uint32_t)query->text.len, (uint32_t)query->text.len},
                  "the query has no result: after its let statements a table or print is "
                  "missing");
    return !full && !b->failed;
}

// query_take_max_records: no result has more rows.
static bool
limit_results(Binder *b, BoundQuery *bound)
{
    for (uint32_t i = 0; b->properties.take_max_records >= 0 && i < bound->count; i++) {
        Plan *input = bound->results[i];
        Plan *plan = bind_plan(b, PLAN_TAKE, input->span);
        if (!plan)
            return false;
        plan->input = input;
        plan->schema = input->schema;
        plan->serialized = input->serialized;
        plan->take.count = b->properties.take_max_records;
        bound->results[i] = plan;
    }
    return true;
}

BoundQuery *
kql_bind(Arena *arena, const AstQuery *query, const Catalog *catalog, Diagnostics *diagnostics,
         AzError *error)
{
    AzError local = {0};
    AzError *cause = error ? error : &local;
    OpenColumns *open = catalog->open ? catalog->open : kql_open_columns(arena);
    BoundQuery *bound = ARENA_NEW(arena, BoundQuery);
    // Again while columns come up that a table may have; see bind_open.c.
    for (;;) {
        Binder binder = {
            .arena = arena,
            .catalog = catalog,
            .error = cause,
            .open = open,
            .diagnostics = diagnostics,
            .properties = {.max_records = -1, .take_max_records = -1},
        };
        binder.scope = scope_push(&binder, NULL);
        open->grown = false;
        open->missed = (Str){0};
        bound->count = 0;
        bool done = bind_statements(&binder, query, bound) && limit_results(&binder, bound);
        bound->render = binder.render;
        bound->properties = binder.properties;
        bound->clocked = binder.clocked;
        if (!open->grown || open->len > OPEN_COLUMNS_MAX) {
            if (binder.failed) {
                error_clear(cause);
                *cause = diagnostics->errors[0];
            }
            return done ? bound : NULL;
        }
        error_clear(cause);
        if (diagnostics)
            diagnostics->error_count = diagnostics->warning_count = 0;
    }
}
