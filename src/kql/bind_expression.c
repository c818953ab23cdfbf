// Scalar expressions: names become positions, operators and functions the rows of the
// registry, with every conversion made visible.

#include "kql/bind_state.h"
#include "kql/signature.h"
#include "value/dynamic.h"

// ---- conversions and calls ----

static const char *const CONVERSIONS[TYPE_LIMIT] = {
    [TYPE_BOOL] = "tobool",         [TYPE_INT] = "toint",         [TYPE_LONG] = "tolong",
    [TYPE_REAL] = "toreal",         [TYPE_DECIMAL] = "todecimal", [TYPE_DATETIME] = "todatetime",
    [TYPE_TIMESPAN] = "totimespan", [TYPE_STRING] = "tostring",   [TYPE_GUID] = "toguid",
    [TYPE_DYNAMIC] = "$box",
};

// Whether a call of constants asks for the time of the query.
static bool
is_clocked(const Expr *expr)
{
    if (expr->kind == EXPR_CONST)
        return expr->clocked;
    bool clocked = expr->fn->flags & FN_CLOCK;
    for (uint32_t i = 0; i < expr->arg_count && !clocked; i++)
        clocked = is_clocked(expr->args[i]);
    return clocked;
}

// A constant for a call whose arguments are all constant; the call itself otherwise.
static Expr *
fold(Binder *b, Expr *expr)
{
    Value value;
    AzError ignored = {0};
    if (!expr_is_constant(expr) || expr->kind == EXPR_CONST ||
        !b->catalog->fold(b->catalog->context, b->arena, expr, &value, &ignored))
        return expr;
    Expr *constant = expr_const(b->arena, &value, expr->span);
    constant->clocked = is_clocked(expr);
    return constant;
}

static Expr *
new_call(Binder *b, const FunctionDef *fn, Type result, Expr **args, uint32_t count, Span span)
{
    Expr *expr = ARENA_NEW(b->arena, Expr);
    expr->kind = EXPR_CALL;
    expr->fn = fn;
    expr->type = result;
    expr->args = args;
    expr->arg_count = count;
    expr->span = span;
    if (!b->catalog->bind_call(b->catalog->context, b->arena, fn, args, count, span, &expr->type,
                               &expr->bound, b->error)) {
        b->silent |= b->hypothetical; // perhaps only because a value is not known
        return NULL;
    }
    if ((fn->flags & FN_GEOIP) && !expr->bound && !b->warned_geoip) {
        b->warned_geoip = true;
        bind_warn(b, span,
                  "%s() is null: there is no database of addresses; name one with --geoip FILE "
                  "or AZIMUTH_GEOIP (GeoLite2-City.mmdb or its like)",
                  fn->name);
    }
    if (expr->type == TYPE_NONE) {
        bind_fail(b, span, "the result type of %s() is not known here", fn->name);
        return NULL;
    }
    return fold(b, expr);
}

Expr *
bind_convert(Binder *b, Expr *expr, Type to)
{
    if (!expr || expr->type == to || to == TYPE_NONE)
        return expr;
    size_t count;
    Str name = str_from(CONVERSIONS[to]);
    const FunctionDef *const *rows = b->catalog->find_function(b->catalog->context, name, &count);
    if (!count) {
        bind_fail(b, expr->span, "a value of type %s cannot be converted to %s",
                  type_name(expr->type), type_name(to));
        return NULL;
    }
    Expr **args = ARENA_ARRAY(b->arena, Expr *, 1);
    args[0] = expr;
    return new_call(b, rows[0], to, args, 1, expr->span);
}

// The overloads of one kind.
static size_t
find_overloads(Binder *b, Str name, bool window_too, const FunctionDef **out, size_t most)
{
    size_t count, kept = 0;
    const FunctionDef *const *rows = b->catalog->find_function(b->catalog->context, name, &count);
    for (size_t i = 0; i < count && kept < most; i++)
        if (rows[i]->kind == FUNCTION_SCALAR || (window_too && rows[i]->kind == FUNCTION_WINDOW))
            out[kept++] = rows[i];
    return kept;
}

enum { OVERLOADS_MAX = 64 };

static Expr *
resolve_known(Binder *b, const FunctionDef *const *overloads, size_t overload_count, Expr **args,
              uint32_t count, Span span)
{
    Argument *known = ARENA_ARRAY(b->arena, Argument, count);
    for (uint32_t i = 0; i < count; i++)
        known[i] = argument_of(args[i]);
    Resolution resolution = {.targets = ARENA_ARRAY(b->arena, Type, count)};
    if (!signature_resolve(overloads, overload_count, known, count, span, &resolution, b->error))
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        args[i] = bind_convert(b, args[i], resolution.targets[i]);
        if (!args[i])
            return NULL;
    }
    Expr *call = new_call(b, resolution.fn, resolution.result, args, count, span);
    if (call)
        call->holds = resolution.shape;
    return call;
}

bool
bind_unknown_as(Binder *b, Expr *const *args, size_t count, size_t attempt, Expr **out)
{
    // As it is; then what most functions take.
    static const Type TYPES[] = {TYPE_DYNAMIC, TYPE_LONG,     TYPE_STRING,  TYPE_REAL,
                                 TYPE_BOOL,    TYPE_DATETIME, TYPE_TIMESPAN};
    if (attempt >= COUNT_OF(TYPES))
        return false;
    for (size_t i = 0; i < count; i++)
        out[i] = args[i]->unknown ? bind_convert(b, args[i], TYPES[attempt]) : args[i];
    return true;
}

// A call with arguments of unknown type is the first that some type of them makes good;
// when another type gives another result, the result is unknown too.
static Expr *
resolve_call(Binder *b, const FunctionDef *const *overloads, size_t overload_count, Expr **args,
             uint32_t count, Span span)
{
    bool unknown = false;
    for (uint32_t i = 0; i < count; i++)
        unknown = unknown || args[i]->unknown;
    if (!unknown)
        return resolve_known(b, overloads, overload_count, args, count, span);
    Expr *first = NULL;
    AzError *outer = b->error;
    for (size_t attempt = 0;; attempt++) {
        AzError ignored = {0};
        Expr **tried = ARENA_ARRAY(b->arena, Expr *, count);
        b->error = &ignored;
        bool more = bind_unknown_as(b, args, count, attempt, tried);
        Expr *call = more ? resolve_known(b, overloads, overload_count, tried, count, span) : NULL;
        b->error = outer;
        if (!more)
            break;
        if (call && !first)
            first = call;
        else if (call && call->type != first->type)
            first->unknown = true;
    }
    return first ? first : resolve_known(b, overloads, overload_count, args, count, span);
}

Expr *
bind_function(Binder *b, Str name, Expr **args, uint32_t count, Span span)
{
    const FunctionDef *overloads[OVERLOADS_MAX];
    size_t found = find_overloads(b, name, false, overloads, OVERLOADS_MAX);
    if (!found) {
        bind_fail(b, span, "not supported yet: %.*s", STR_ARG(name));
        return NULL;
    }
    return resolve_call(b, overloads, found, args, count, span);
}

static Expr *
bind_unary(Binder *b, const char *name, Expr *arg, Span span)
{
    if (!arg)
        return NULL;
    Expr **args = ARENA_ARRAY(b->arena, Expr *, 1);
    args[0] = arg;
    return bind_function(b, str_from(name), args, 1, span);
}

static Expr *
bind_binary(Binder *b, Str name, Expr *left, Expr *right, Span span)
{
    if (!left || !right)
        return NULL;
    Expr **args = ARENA_ARRAY(b->arena, Expr *, 2);
    args[0] = left;
    args[1] = right;
    return bind_function(b, name, args, 2, span);
}

// ---- names ----

static Expr *
unknown_name(Binder *b, const AstName *name, const Row *row)
{
    // Behind an operator that failed nobody knows whose column it would be.
    if (b->doubtful) {
        bind_again(b);
        return NULL;
    }
    open_column_missed(b, name->text);
    if (b->unknown_watchlist.len) {
        bind_fail(b, name->span,
                  "there is no column or value named '%.*s' here; the watchlist '%.*s' is not in "
                  "the store, bring it in: azimuth import --watchlist %.*s --search-key COLUMN "
                  "FILE.csv",
                  STR_ARG(name->text), STR_ARG(b->unknown_watchlist),
                  STR_ARG(b->unknown_watchlist));
        return NULL;
    }
    Str *candidates = NULL;
    size_t count = 0, scope_count = 0;
    for (Scope *scope = b->scope; scope; scope = scope->outer)
        for (Binding *binding = scope->bindings; binding; binding = binding->next)
            scope_count++;
    uint32_t columns = row && row->schema ? row->schema->count : 0;
    candidates = ARENA_ARRAY(b->arena, Str, columns + scope_count);
    for (uint32_t i = 0; i < columns; i++)
        candidates[count++] = row->schema->columns[i].name;
    for (Scope *scope = b->scope; scope; scope = scope->outer)
        for (Binding *binding = scope->bindings; binding; binding = binding->next)
            candidates[count++] = binding->name;
    ptrdiff_t near = str_nearest(name->text, candidates, count);
    if (near >= 0)
        bind_fail(b, name->span,
                  "there is no column or value named '%.*s' here; did you mean "
                  "'%.*s'?",
                  STR_ARG(name->text), STR_ARG(candidates[near]));
    else
        bind_fail(b, name->span, "there is no column or value named '%.*s' here",
                  STR_ARG(name->text));
    return NULL;
}

static Expr *bind_kql_call(Binder *b, const AstFunction *function, Scope *home,
                           const AstFunctionFile *file, const AstExpr *ast, Row *row);

typedef struct OpenSearch {
    Binder *b;
    Str column;
    Type type;
} OpenSearch;

static void
search_open_table(void *context, Str table)
{
    OpenSearch *search = context;
    const Catalog *catalog = search->b->catalog;
    Str canonical;
    bool ignore_case;
    AzError ignored = {0};
    TableSource *source = search->type == TYPE_NONE
                              ? catalog->find_table(catalog->context, STR(""), table, &canonical,
                                                    &ignore_case, &ignored)
                              : NULL;
    ptrdiff_t at = source ? schema_find(&source->schema, search->column) : -1;
    if (at >= 0)
        search->type = source->schema.columns[at].type;
}

Type
absent_column_type(Binder *b, const AbsentColumns *absent, Str name)
{
    OpenSearch search = {.b = b, .column = name, .type = TYPE_NONE};
    for (uint32_t i = 0; i < absent->count && search.type == TYPE_NONE; i++) {
        ptrdiff_t at = schema_find(absent->schemas[i], name);
        if (at >= 0)
            search.type = absent->schemas[i]->columns[at].type;
    }
    if (search.type != TYPE_NONE || !absent->database)
        return search.type;
    if (!b->sought_column.ptr || !str_equal(b->sought_column, name)) {
        b->catalog->each_table(b->catalog->context, search_open_table, &search);
        b->sought_column = name;
        b->sought_type = search.type;
    }
    return b->sought_type;
}

Str
split_name(Arena *arena, Str name, Type type)
{
    return str_format(arena, "%.*s_%s", STR_ARG(name), type_name(type));
}

// The column that a name stands for although union has split it by type; -1: none.
static ptrdiff_t
split_column(Arena *arena, const Row *row, Str name)
{
    const Schema *split = &row->absent->split;
    ptrdiff_t at = row->schema ? schema_find(split, name) : -1;
    if (at < 0)
        return -1;
    ptrdiff_t column = schema_find(row->schema, split_name(arena, name, split->columns[at].type));
    return column >= 0 && row->schema->columns[column].type == split->columns[at].type ? column
                                                                                       : -1;
}

static Expr *
bind_name(Binder *b, const AstExpr *ast, Row *row)
{
    Str name = ast->name.text;
    Expr *known;
    if (row && row->graph && graph_bind_name(b, ast, row, &known))
        return known;
    if (column_is_broken(b, name)) {
        bind_again(b);
        return NULL;
    }
    if (row && row->schema) {
        ptrdiff_t at = schema_find(row->schema, name);
        if (at < 0 && row->ignore_case)
            at = schema_find_ci(row->schema, name);
        if (at >= 0) {
            Type type = row->schema->columns[at].type;
            Expr *column = expr_column(b->arena, (uint32_t)at, type, ast->span);
            // It may have been made of columns that only rows would tell.
            column->unknown = row->open && type == TYPE_DYNAMIC;
            return column;
        }
    }
    Binding *binding = scope_find(b->scope, name);
    if (binding && binding->kind == BINDING_BROKEN) {
        bind_again(b);
        return NULL;
    }
    if (binding && binding->kind == BINDING_SCALAR) {
        Expr *copy = ARENA_NEW(b->arena, Expr);
        *copy = *binding->expr;
        copy->span = ast->span;
        return copy;
    }
    // A function without arguments may stand without its parentheses.
    if (binding && binding->kind == BINDING_FUNCTION &&
        !function_is_tabular(b, binding->function, binding->scope)) {
        AstExpr call = {.kind = AST_CALL, .name = ast->name, .span = ast->span};
        return bind_kql_call(b, binding->function, binding->scope, NULL, &call, row);
    }
    if (binding) {
        bind_fail(b, ast->span,
                  "'%.*s' is a %s; a single value is needed here (toscalar() makes "
                  "one of a table)",
                  STR_ARG(name), binding->kind == BINDING_TABLE ? "table" : "function");
        return NULL;
    }
    ptrdiff_t split = row && row->absent ? split_column(b->arena, row, name) : -1;
    if (split >= 0)
        return expr_column(b->arena, (uint32_t)split, row->schema->columns[split].type, ast->span);
    if (row && row->open) {
        Value none = value_null(TYPE_DYNAMIC);
        Expr *expr = expr_const(b->arena, &none, ast->span);
        expr->unknown = true;
        return expr;
    }
    Type type = row && row->absent ? absent_column_type(b, row->absent, name) : TYPE_NONE;
    if (type != TYPE_NONE) {
        Value none = type == TYPE_STRING ? value_string(STR("")) : value_null(type);
        return expr_const(b->arena, &none, ast->span);
    }
    return unknown_name(b, &ast->name, row);
}

// ---- paths into dynamics ----

// x.a.b[0] is one call with three steps.
static Expr *
bind_path_step(Binder *b, Expr *base, Expr *step, Span span)
{
    if (!base || !step)
        return NULL;
    if (base->type != TYPE_DYNAMIC) {
        bind_fail(b, span,
                  "a value of type %s has no members; parse_json() makes a dynamic of a "
                  "string",
                  type_name(base->type));
        return NULL;
    }
    bool path = base->kind == EXPR_CALL && strcmp(base->fn->name, "$path") == 0;
    uint32_t count = path ? base->arg_count + 1 : 2;
    Expr **args = ARENA_ARRAY(b->arena, Expr *, count);
    for (uint32_t i = 0; i + 1 < count; i++)
        args[i] = path ? base->args[i] : base;
    args[count - 1] = step;
    Expr *member = bind_function(b, STR("$path"), args, count, span);
    if (member)
        member->unknown = member->unknown || base->unknown;
    return member;
}

// step.column of scan: the column in the latest record of that step; -1 when `ast` does
// not name a step.
static ptrdiff_t
find_step(const AstExpr *ast, const Row *row)
{
    if (!row || !row->steps || ast->base->kind != AST_NAME)
        return -1;
    for (size_t s = 0; s < row->steps->steps->len; s++)
        if (str_equal(row->steps->steps->items[s].name.text, ast->base->name.text))
            return (ptrdiff_t)s;
    return -1;
}

static Expr *
bind_step_column(Binder *b, const AstExpr *ast, Row *row, uint32_t step)
{
    const Schema *record = row->steps->record;
    ptrdiff_t at = schema_find(record, ast->name.text);
    if (at < 0 && row->ignore_case)
        at = schema_find_ci(record, ast->name.text);
    if (at < 0) {
        bind_fail(b, ast->name.span, "the step '%.*s' has no column '%.*s'",
                  STR_ARG(ast->base->name.text), STR_ARG(ast->name.text));
        return NULL;
    }
    return expr_column(b->arena, (step + 1) * record->count + (uint32_t)at,
                       record->columns[at].type, ast->span);
}

static Expr *
bind_member(Binder *b, const AstExpr *ast, Row *row)
{
    ptrdiff_t step = ast->index ? -1 : find_step(ast, row);
    if (step >= 0)
        return bind_step_column(b, ast, row, (uint32_t)step);
    if (ast->index) {
        bind_fail(b, ast->span, "a function cannot be called on a value with '.'");
        return NULL;
    }
    if (ast->base->kind == AST_NAME && is_entity_value(ast)) {
        Binding *entity = scope_find(b->scope, ast->base->name.text);
        if (entity && entity->kind == BINDING_ENTITY)
            return bind_entity_value(b, ast, entity);
    }
    Expr *property;
    if (row && row->graph && graph_bind_member(b, ast, row, &property))
        return property;
    Value key = value_string(ast->name.text);
    return bind_path_step(b, bind_expression(b, ast->base, row),
                          expr_const(b->arena, &key, ast->name.span), ast->span);
}

static Expr *
bind_index(Binder *b, const AstExpr *ast, Row *row)
{
    Expr *step = bind_expression(b, ast->index, row);
    if (!step)
        return NULL;
    // A dynamic index is taken by what it holds: a text is a key.
    if (step->type == TYPE_DYNAMIC || step->type == TYPE_GUID)
        step = bind_convert(b, step, TYPE_STRING);
    else if (step->type != TYPE_STRING)
        step = bind_convert(b, step, TYPE_LONG);
    Expr *base = bind_expression(b, ast->base, row);
    const Tuple *tuple = base ? base->tuple : NULL;
    Expr *path = bind_path_step(b, base, step, ast->span);
    if (tuple && !tuple->whole && step->kind == EXPR_CONST && step->type == TYPE_LONG &&
        step->value.int64 >= 0 && step->value.int64 < tuple->count)
        path = bind_convert(b, path, tuple->types[step->value.int64]);
    return path;
}

// ---- operators ----

static bool
is_arithmetic(Str op)
{
    return op.len == 1 && strchr("+-*/%", op.ptr[0]);
}

static bool
is_comparison(Str op)
{
    return str_equal(op, STR("==")) || str_equal(op, STR("!=")) || op.ptr[0] == '<' ||
           op.ptr[0] == '>';
}

static bool
is_equality(Str op)
{
    return op.len == 2 && op.ptr[1] == '=' && (op.ptr[0] == '=' || op.ptr[0] == '!');
}

static bool
is_time(Type type)
{
    return type == TYPE_DATETIME || type == TYPE_TIMESPAN;
}

// Whether < and its kin are defined: among numbers and truth values, among points in
// time, among spans; a dynamic only beside a number (typing of the official analyser).
static bool
is_ordered_pair(Type a, Type z)
{
    if (a == TYPE_DYNAMIC || z == TYPE_DYNAMIC)
        return a == z || type_is_numeric(a) || type_is_numeric(z);
    if (is_time(a) || is_time(z))
        return a == z;
    return (type_is_numeric(a) || a == TYPE_BOOL) && (type_is_numeric(z) || z == TYPE_BOOL);
}

// A side of unknown type is compared as what the other is, two of them as numbers.
static bool
settle_unknown(Binder *b, Expr **left, Expr **right)
{
    Type type = !(*left)->unknown ? (*left)->type : !(*right)->unknown ? (*right)->type : TYPE_LONG;
    if ((*left)->unknown)
        *left = bind_convert(b, *left, type);
    if ((*right)->unknown)
        *right = bind_convert(b, *right, type);
    return *left && *right;
}

// Refuses what no conversion may make possible: an order of texts, a dynamic times a span.
// Resource Graph itself compares members of `properties` with times, so its tables may.
static bool
check_sides(Binder *b, Str op, const Expr *left, const Expr *right, const Row *row, Span span)
{
    Type a = left->type, z = right->type;
    bool graph_time =
        row && row->ignore_case &&
        ((a == TYPE_DYNAMIC && z == TYPE_DATETIME) || (z == TYPE_DYNAMIC && a == TYPE_DATETIME));
    if (is_comparison(op) && !is_equality(op) && !graph_time && !is_ordered_pair(a, z)) {
        const char *advice = a == TYPE_STRING && z == TYPE_STRING
                                 ? "; strcmp() tells the order of two texts"
                             : is_time(a) || is_time(z) ? "; convert one side, for example with "
                                                          "todatetime() or totimespan()"
                                                        : "; convert one side, for example with "
                                                          "tolong()";
        return bind_fail(b, span, "operator '%.*s' cannot be used on %s and %s%s", STR_ARG(op),
                         type_name(a), type_name(z), advice);
    }
    bool scales = is_arithmetic(op) && op.ptr[0] != '+' && op.ptr[0] != '-';
    if (scales && ((a == TYPE_DYNAMIC && is_time(z)) || (z == TYPE_DYNAMIC && is_time(a))))
        return bind_fail(b, span,
                         "operator '%.*s' cannot be used on %s and %s; convert the dynamic, for "
                         "example with tolong()",
                         STR_ARG(op), type_name(a), type_name(z));
    return true;
}

// Brings the sides of an operator together where their types differ: a dynamic takes
// the other side's type, a text is read as what it is compared with.
static bool
adapt_sides(Binder *b, Str op, Expr **left, Expr **right)
{
    Type a = (*left)->type, z = (*right)->type;
    if (a == z || (type_is_numeric(a) && type_is_numeric(z)))
        return true;
    Expr **bent = NULL;
    Type other = TYPE_NONE;
    if (a == TYPE_DYNAMIC || z == TYPE_DYNAMIC) {
        bent = a == TYPE_DYNAMIC ? left : right;
        other = a == TYPE_DYNAMIC ? z : a;
        // number * timespan, datetime - timespan: what a dynamic beside them is meant
        // to be cannot be known; the same type is the usual case.
        if (other == TYPE_INT)
            other = TYPE_LONG;
        if (is_arithmetic(op) && (other == TYPE_STRING || other == TYPE_BOOL))
            return true;
        if (is_arithmetic(op) && other == TYPE_DATETIME && op.ptr[0] == '+')
            other = TYPE_TIMESPAN;
    } else if (is_comparison(op) && (a == TYPE_STRING || z == TYPE_STRING)) {
        bent = a == TYPE_STRING ? left : right;
        other = a == TYPE_STRING ? z : a;
    } else if (is_comparison(op) && (a == TYPE_BOOL || z == TYPE_BOOL)) {
        bent = a == TYPE_BOOL ? left : right;
        other = type_is_numeric(a == TYPE_BOOL ? z : a) ? TYPE_LONG : TYPE_NONE;
    }
    if (bent && other != TYPE_NONE)
        *bent = bind_convert(b, *bent, other);
    return *left && *right;
}

static Expr *
negate_if(Binder *b, Expr *expr, bool negated, Span span)
{
    return expr && negated ? bind_unary(b, "not", expr, span) : expr;
}

// One of the tests, as a tree of few levels: the columns of all tables are thousands.
static Expr *
any_of(Binder *b, Expr *const *tests, size_t count, Span span)
{
    if (count == 1)
        return tests[0];
    Expr *left = any_of(b, tests, count / 2, span);
    Expr *right = left ? any_of(b, tests + count / 2, count - count / 2, span) : NULL;
    return right ? bind_binary(b, STR("or"), left, right, span) : NULL;
}

// `* has "x"`: any column whose text has it.
static Expr *
bind_any_column(Binder *b, const AstExpr *ast, Row *row)
{
    uint32_t columns = row && row->schema ? row->schema->count : 0;
    Expr *any = NULL, **tests = ARENA_ARRAY(b->arena, Expr *, columns);
    size_t count = 0;
    for (uint32_t i = 0; i < columns; i++) {
        Type type = row->schema->columns[i].type;
        Expr *column = expr_column(b->arena, i, type, ast->base->span);
        bool comparison = is_comparison(ast->op);
        Expr *right = bind_expression(b, ast->args.items[0], row);
        if (!right)
            return NULL;
        if (comparison && !is_equality(ast->op) && !is_ordered_pair(type, right->type))
            continue;
        if (comparison && type != right->type &&
            !(type_is_numeric(type) && type_is_numeric(right->type)) && type != TYPE_DYNAMIC)
            continue;
        if (!comparison)
            column = bind_convert(b, column, TYPE_STRING);
        if (comparison && !adapt_sides(b, ast->op, &column, &right))
            return NULL;
        if (!(tests[count++] = bind_binary(b, ast->op, column, right, ast->span)))
            return NULL;
    }
    if (count) {
        any = any_of(b, tests, count, ast->span);
    } else {
        Value no = value_bool(false);
        any = expr_const(b->arena, &no, ast->span);
    }
    return any ? negate_if(b, any, ast->negated, ast->span) : NULL;
}

// text like "a*b": the obsolete match of a whole text against a pattern with stars.
static Expr *
bind_like(Binder *b, const AstExpr *ast, Expr *left, Expr *right)
{
    if (right->kind != EXPR_CONST || right->type != TYPE_STRING) {
        bind_fail(b, right->span, "the pattern of %.*s must be a constant text, such as \"a*\"",
                  STR_ARG(ast->op));
        return NULL;
    }
    bool exact_case = str_equal(ast->op, STR("likecs"));
    Value regex = value_string(star_regex(b, text_str(&right->value.text), exact_case, true));
    left = bind_convert(b, left, left->type == TYPE_DYNAMIC ? TYPE_STRING : left->type);
    return bind_binary(b, STR("matches regex"), left, expr_const(b->arena, &regex, right->span),
                       ast->span);
}

static Expr *
bind_binary_ast(Binder *b, const AstExpr *ast, Row *row)
{
    if (ast->base->kind == AST_STAR)
        return bind_any_column(b, ast, row);
    if (!bind_enter(b, ast->span))
        return NULL;
    Expr *left = bind_expression(b, ast->base, row);
    bool again = !left && bind_recover(b);
    Expr *right = left || again ? bind_expression(b, ast->args.items[0], row) : NULL;
    b->depth--;
    if (again)
        bind_again(b);
    if (!left || !right)
        return NULL;
    if (str_equal(ast->op, STR("like")) || str_equal(ast->op, STR("likecs")))
        return negate_if(b, bind_like(b, ast, left, right), ast->negated, ast->span);
    if (str_equal(ast->op, STR("and")) || str_equal(ast->op, STR("or"))) {
        left = bind_convert(b, left, left->type == TYPE_DYNAMIC ? TYPE_BOOL : left->type);
        right = bind_convert(b, right, right->type == TYPE_DYNAMIC ? TYPE_BOOL : right->type);
    } else if (is_comparison(ast->op) && (left->unknown || right->unknown)) {
        if (!settle_unknown(b, &left, &right))
            return NULL;
    } else if (is_arithmetic(ast->op) && (left->unknown || right->unknown)) {
        // Which types there are decides the call.
    } else if (is_arithmetic(ast->op) || is_comparison(ast->op)) {
        if (!check_sides(b, ast->op, left, right, row, ast->span) ||
            !adapt_sides(b, ast->op, &left, &right))
            return NULL;
        if (is_equality(ast->op) && left->type != right->type &&
            !(type_is_numeric(left->type) && type_is_numeric(right->type))) {
            // Values of unlike types, such as a guid and a number, are never equal.
            Value unlike = value_bool(ast->op.ptr[0] == '!');
            return negate_if(b, expr_const(b->arena, &unlike, ast->span), ast->negated, ast->span);
        }
    }
    return negate_if(b, bind_binary(b, ast->op, left, right, ast->span), ast->negated, ast->span);
}

static Expr *
bind_subquery(Binder *b, const AstExpr *ast, SubqueryShape shape)
{
    AggregateList *aggregates = b->aggregates;
    b->aggregates = NULL;
    Plan *plan = bind_table(b, ast);
    b->aggregates = aggregates;
    if (!plan)
        return NULL;
    if (!plan->schema.count) {
        bind_fail(b, ast->span, "this table has no column to take a value from");
        return NULL;
    }
    Expr *expr = ARENA_NEW(b->arena, Expr);
    expr->kind = EXPR_SUBQUERY;
    expr->shape = shape;
    expr->plan = plan;
    expr->type = shape == SUBQUERY_SCALAR ? plan->schema.columns[0].type : TYPE_DYNAMIC;
    expr->span = ast->span;
    return expr;
}

static Expr *
bind_between(Binder *b, const AstExpr *ast, Expr *value, Row *row)
{
    Expr *low = bind_expression(b, ast->args.items[0], row);
    Expr *high = low ? bind_expression(b, ast->args.items[1], row) : NULL;
    if (!high || !settle_unknown(b, &value, &low))
        return NULL;
    Type type = value->type;
    bool graph_time = row && row->ignore_case && type == TYPE_DYNAMIC && low->type == TYPE_DATETIME;
    if ((!graph_time && !is_ordered_pair(type, low->type)) || type == TYPE_BOOL ||
        low->type == TYPE_BOOL || (type == TYPE_DYNAMIC && low->type == TYPE_DYNAMIC)) {
        bind_fail(b, low->span, "between cannot compare %s with %s; convert one of them",
                  type_name(type), type_name(low->type));
        return NULL;
    }
    // between (d .. 3d): the right end counted from the left one.
    if (low->type == TYPE_DATETIME && high->type == TYPE_TIMESPAN)
        high = bind_binary(b, STR("+"), low, high, high->span);
    if (high && value->type == TYPE_DYNAMIC)
        value = bind_convert(b, value, low->type);
    Expr **args = ARENA_ARRAY(b->arena, Expr *, 3);
    args[0] = value;
    args[1] = low;
    args[2] = high;
    if (!value || !high)
        return NULL;
    return bind_function(b, STR("between"), args, 3, ast->span);
}

static Expr *
bind_list_ast(Binder *b, const AstExpr *ast, Row *row)
{
    Expr *value = bind_expression(b, ast->base, row);
    if (!value)
        return NULL;
    if (str_equal(ast->op, STR("between")))
        return negate_if(b, bind_between(b, ast, value, row), ast->negated, ast->span);
    uint32_t count = (uint32_t)ast->args.len + 1;
    Expr **args = ARENA_ARRAY(b->arena, Expr *, count);
    Type item_type = TYPE_NONE;
    bool again = false;
    for (uint32_t i = 1; i < count; i++) {
        const AstExpr *item = ast->args.items[i - 1];
        args[i] = is_tabular(b, item) ? bind_subquery(b, item, SUBQUERY_ARRAY)
                                      : bind_expression(b, item, row);
        if (!args[i] && !bind_recover(b))
            return NULL;
        again |= !args[i];
        if (!args[i])
            continue;
        if (args[i]->kind == EXPR_SUBQUERY && item_type == TYPE_NONE)
            item_type = args[i]->plan->schema.columns[0].type;
        else if (args[i]->type != TYPE_DYNAMIC)
            item_type =
                item_type == TYPE_NONE ? args[i]->type : type_common(item_type, args[i]->type);
    }
    if (again) {
        bind_again(b);
        return NULL;
    }
    bool texts = !str_equal(ast->op, STR("in"));
    if (str_equal(ast->op, STR("in~")) && value->type != TYPE_STRING &&
        value->type != TYPE_DYNAMIC) {
        bind_fail(b, ast->base->span, "in~ compares texts, not a %s; use in, or tostring()",
                  type_name(value->type));
        return NULL;
    }
    for (uint32_t i = 1; texts && i < count; i++)
        if (args[i]->type != TYPE_STRING && args[i]->type != TYPE_DYNAMIC)
            args[i] = bind_convert(b, args[i], TYPE_STRING);
    if (texts && value->type != TYPE_STRING)
        value = bind_convert(b, value, TYPE_STRING);
    else if (value->type == TYPE_DYNAMIC)
        value = bind_convert(b, value,
                             item_type == TYPE_NONE || item_type == TYPE_DYNAMIC ? TYPE_STRING
                                                                                 : item_type);
    else if (type_is_numeric(value->type) && type_is_numeric(item_type))
        value = bind_convert(b, value, type_common(value->type, item_type));
    if (!value)
        return NULL;
    if (count == 1) {
        Value nothing = value_bool(ast->negated);
        return expr_const(b->arena, &nothing, ast->span);
    }
    args[0] = value;
    return negate_if(b, bind_function(b, ast->op, args, count, ast->span), ast->negated, ast->span);
}

// ---- calls ----

// case(p1, v1, p2, v2, ..., else) as a chain of iff, built from its end.
static Expr *
bind_case(Binder *b, const AstExpr *ast, Row *row)
{
    size_t count = ast->args.len;
    if (count < 3 || count % 2 == 0) {
        bind_fail(b, ast->span,
                  "case() takes pairs of a condition and a value, then the value "
                  "for all other rows");
        return NULL;
    }
    Expr **parts = ARENA_ARRAY(b->arena, Expr *, count);
    Type type = TYPE_NONE;
    bool unlike = false; // two types that do not meet, whatever comes behind
    for (size_t i = 0; i < count; i++) {
        bool is_value = i % 2 == 1 || i == count - 1;
        parts[i] = is_value ? bind_expression(b, ast->args.items[i], row)
                            : bind_predicate(b, ast->args.items[i], row);
        if (!parts[i])
            return NULL;
        if (!is_value)
            continue;
        Type before = type;
        type = type_of_branches(type, parts[i]->type);
        unlike |= type == TYPE_DYNAMIC && before != TYPE_DYNAMIC && before != TYPE_NONE;
    }
    if (unlike)
        type = TYPE_DYNAMIC;
    Expr *result = bind_convert(b, parts[count - 1], type);
    for (size_t i = count - 1; result && i >= 2; i -= 2) {
        Expr **args = ARENA_ARRAY(b->arena, Expr *, 3);
        args[0] = parts[i - 2];
        args[1] = bind_convert(b, parts[i - 1], type);
        args[2] = result;
        if (!args[1])
            return NULL;
        result = bind_function(b, STR("iff"), args, 3, ast->span);
    }
    return result;
}

static Expr *
constant_json(Binder *b, Str json, Span span)
{
    Value text = value_string(json);
    return bind_unary(b, "parse_json", expr_const(b->arena, &text, span), span);
}

Expr *
bind_no_elements(Binder *b, Span span)
{
    return constant_json(b, STR("[]"), span);
}

Expr *
bind_bag(Binder *b, Expr **args, uint32_t count, Span span)
{
    return count ? bind_function(b, STR("bag_pack"), args, count, span)
                 : constant_json(b, STR("{}"), span);
}

Expr *
bag_of_columns(Binder *b, const Row *row, const uint32_t *columns, uint32_t count, Span span)
{
    Expr **args = ARENA_ARRAY(b->arena, Expr *, count * 2 + 1);
    for (uint32_t i = 0; i < count; i++) {
        const Column *column = &row->schema->columns[columns[i]];
        Value name = value_string(column->name);
        args[2 * i] = expr_const(b->arena, &name, span);
        args[2 * i + 1] = expr_column(b->arena, columns[i], column->type, span);
    }
    return bind_bag(b, args, count * 2, span);
}

static Expr *
bind_pack_all(Binder *b, const AstExpr *ast, Row *row)
{
    static const Schema NO_COLUMNS = {0};
    Row none = {.schema = &NO_COLUMNS};
    if (!row || !row->schema)
        row = &none;
    bool skip_empty = false;
    if (ast->args.len) {
        Expr *flag = bind_constant(b, ast->args.items[0], TYPE_BOOL, "the argument of pack_all()");
        if (!flag)
            return NULL;
        skip_empty = flag->value.boolean;
    }
    uint32_t *columns = ARENA_ARRAY(b->arena, uint32_t, row->schema->count);
    for (uint32_t i = 0; i < row->schema->count; i++)
        columns[i] = i;
    Expr *bag = bag_of_columns(b, row, columns, row->schema->count, ast->span);
    return bag && skip_empty ? bind_unary(b, "$drop_empty", bag, ast->span) : bag;
}

static Expr *
bind_pack_columns(Binder *b, const AstExpr *ast, Row *row)
{
    uint32_t count = (uint32_t)ast->args.len;
    uint32_t *columns = ARENA_ARRAY(b->arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++) {
        Expr *column = bind_expression(b, ast->args.items[i], row);
        if (!column)
            return NULL;
        if (column->kind != EXPR_COLUMN) {
            bind_fail(b, column->span, "bag_pack_columns() takes columns");
            return NULL;
        }
        columns[i] = column->column;
    }
    return bag_of_columns(b, row, columns, count, ast->span);
}

static Expr *
bind_column_if_exists(Binder *b, const AstExpr *ast, Row *row)
{
    if (ast->args.len != 2) {
        bind_fail(b, ast->span, "column_ifexists() takes a column's name and a default value");
        return NULL;
    }
    Expr *name = bind_constant(b, ast->args.items[0], TYPE_STRING, "the name of the column");
    if (!name)
        return NULL;
    Str text = text_str(&name->value.text);
    ptrdiff_t at = row && row->schema ? schema_find(row->schema, text) : -1;
    if (at < 0 && row && row->schema && row->ignore_case)
        at = schema_find_ci(row->schema, text);
    if (at >= 0)
        return expr_column(b->arena, (uint32_t)at, row->schema->columns[at].type, ast->span);
    return bind_expression(b, ast->args.items[1], row);
}

// A row arrived when `_TimeReceived` says so; rows of sources that do not tell arrived at their
// own time.
static Expr *
bind_ingestion_time(Binder *b, const AstExpr *ast, Row *row)
{
    static const Str COLUMNS[] = {STR_INIT("_TimeReceived"), STR_INIT("TimeGenerated")};
    Expr *args[COUNT_OF(COLUMNS)];
    uint32_t count = 0;
    for (size_t i = 0; i < COUNT_OF(COLUMNS); i++) {
        ptrdiff_t at = row && row->schema ? schema_find(row->schema, COLUMNS[i]) : -1;
        if (at >= 0 && row->schema->columns[at].type == TYPE_DATETIME)
            args[count++] = expr_column(b->arena, (uint32_t)at, TYPE_DATETIME, ast->span);
    }
    if (count == COUNT_OF(COLUMNS))
        return bind_binary(b, STR("coalesce"), args[0], args[1], ast->span);
    if (count)
        return args[0];
    Value none = value_null(TYPE_DATETIME);
    return expr_const(b->arena, &none, ast->span);
}

static Expr *
bind_toscalar(Binder *b, const AstExpr *ast, Row *row)
{
    if (ast->args.len != 1) {
        bind_fail(b, ast->span, "toscalar() takes one table");
        return NULL;
    }
    if (!is_tabular(b, ast->args.items[0]))
        return bind_expression(b, ast->args.items[0], row);
    return bind_subquery(b, ast->args.items[0], SUBQUERY_SCALAR);
}

static Expr *
bind_current_database(Binder *b, const AstExpr *ast, Row *row)
{
    (void)row;
    Value name = value_string(b->catalog->database);
    return expr_const(b->arena, &name, ast->span);
}

// Calls that are more than a row of the registry.
static const struct {
    Str name;
    Expr *(*bind)(Binder *b, const AstExpr *ast, Row *row);
} SPECIAL_CALLS[] = {
    {STR_INIT("case"), bind_case},
    {STR_INIT("toscalar"), bind_toscalar},
    {STR_INIT("pack_all"), bind_pack_all},
    {STR_INIT("bag_pack_columns"), bind_pack_columns},
    {STR_INIT("column_ifexists"), bind_column_if_exists},
    {STR_INIT("columnifexists"), bind_column_if_exists},
    {STR_INIT("ingestion_time"), bind_ingestion_time},
    {STR_INIT("current_database"), bind_current_database},
    {STR_INIT("bin_auto"), bind_bin_auto},
    {STR_INIT("assert"), bind_assert},
    {STR_INIT("iscolumnexists"), bind_is_column},
    {STR_INIT("column_names_of"), bind_column_names_of},
};

static Expr *
bind_kql_call(Binder *b, const AstFunction *function, Scope *home, const AstFunctionFile *file,
              const AstExpr *ast, Row *row)
{
    Scope *scope;
    if (!bind_enter(b, ast->span) || !bind_call_scope(b, function, home, ast, row, NULL, &scope))
        return NULL;
    Scope *outer = b->scope;
    b->scope = scope;
    b->attempts += file != NULL; // the spans are of another text: one error, at the call
    const AstStatementList *body = &function->body;
    Expr *result = NULL;
    if (!body->len || body->items[body->len - 1].kind != AST_TABULAR)
        bind_fail(b, ast->span, "the function has no result");
    else if (bind_lets(b, body, body->len - 1))
        result = bind_expression(b, body->items[body->len - 1].value, NULL);
    b->scope = outer;
    b->depth--;
    b->attempts -= file != NULL;
    if (!result && file)
        relocate_error(b, file, ast->span);
    return result;
}

typedef struct Names {
    Arena *arena;
    Str *items;
    size_t len, cap;
} Names;

static void
collect_function(void *context, const FunctionDef *fn)
{
    Names *names = context;
    if (!(fn->flags & FN_INTERNAL))
        ARRAY_PUSH(names->arena, names, str_from(fn->name));
}

static Expr *
unknown_function(Binder *b, const AstName *name)
{
    Names names = {.arena = b->arena};
    b->catalog->each_function(b->catalog->context, collect_function, &names);
    ptrdiff_t near = str_nearest(name->text, names.items, names.len);
    if (near >= 0)
        bind_fail(b, name->span, "there is no function '%.*s'; did you mean '%.*s'?",
                  STR_ARG(name->text), STR_ARG(names.items[near]));
    else
        bind_fail(b, name->span, "there is no function '%.*s', or it is not supported yet",
                  STR_ARG(name->text));
    return NULL;
}

static Expr *
bind_registry_call(Binder *b, const AstExpr *ast, Row *row)
{
    const FunctionDef *overloads[OVERLOADS_MAX];
    size_t found = find_overloads(b, ast->name.text, true, overloads, OVERLOADS_MAX);
    if (!found) {
        if (name_is_aggregate(b, ast->name.text)) {
            bind_fail(b, ast->name.span,
                      "%.*s() is an aggregate: it can only be used in summarize "
                      "and make-series",
                      STR_ARG(ast->name.text));
            return NULL;
        }
        return unknown_function(b, &ast->name);
    }
    if (overloads[0]->kind == FUNCTION_WINDOW) {
        if (!row || !row->serialized) {
            bind_fail(b, ast->name.span,
                      "%.*s() needs rows in a defined order: put sort, top or "
                      "serialize before",
                      STR_ARG(ast->name.text));
            return NULL;
        }
        row->uses_window = true;
    }
    uint32_t count = (uint32_t)ast->args.len;
    Expr **args = ARENA_ARRAY(b->arena, Expr *, count + 1);
    bool again = false;
    for (uint32_t i = 0; i < count; i++) {
        args[i] = bind_expression(b, ast->args.items[i], row);
        if (!args[i] && !bind_recover(b))
            return NULL;
        again |= !args[i];
    }
    if (again) {
        bind_again(b);
        return NULL;
    }
    const Tuple *tuple = tuple_of_call(b, ast, args, count);
    Expr *call = resolve_call(b, overloads, found, args, count, ast->span);
    if (call && tuple)
        call->tuple = tuple;
    return call;
}

static Expr *
bind_call(Binder *b, const AstExpr *ast, Row *row)
{
    Str name = ast->name.text;
    Scope *home;
    const AstFunctionFile *file = NULL;
    Binding *local = scope_find(b->scope, name);
    if (local && local->kind == BINDING_BROKEN) {
        bind_again(b);
        return NULL;
    }
    if (local && local->kind == BINDING_FUNCTION)
        return bind_kql_call(b, local->function, local->scope, NULL, ast, row);
    Expr *of_graph;
    if (row && row->graph && graph_bind_call(b, ast, row, &of_graph))
        return of_graph;
    for (size_t i = 0; i < COUNT_OF(SPECIAL_CALLS); i++)
        if (str_equal(name, SPECIAL_CALLS[i].name))
            return SPECIAL_CALLS[i].bind(b, ast, row);
    if (b->aggregates && name_is_aggregate(b, name)) {
        // max(x) and any(x) exist as both only in aggregates' favour.
        return bind_aggregate_call(b, ast);
    }
    const FunctionDef *builtin;
    if (!find_overloads(b, name, true, &builtin, 1)) {
        const AstFunction *function = find_kql_function(b, name, &home, &file);
        if (b->error && b->error->code != AZ_OK)
            return NULL;
        if (function)
            return bind_kql_call(b, function, home, file, ast, row);
    }
    return bind_registry_call(b, ast, row);
}

// ---- entries ----

static Expr *
bind_literal(Binder *b, const AstExpr *ast)
{
    if (ast->unreadable)
        bind_warn(b, ast->span, "this is no %s: the literal is null, and nothing equals null",
                  type_name(ast->value.type));
    Expr *literal = expr_const(b->arena, &ast->value, ast->span);
    if (literal->type == TYPE_DYNAMIC && !ast->value.is_null) {
        DynKind kind = dyn_kind(dyn_of_text(&ast->value.text));
        literal->holds = kind == DYN_ARRAY ? SHAPE_ARRAY : kind == DYN_BAG ? SHAPE_BAG : SHAPE_ANY;
    }
    return literal;
}

static Expr *
bind_expression_kind(Binder *b, const AstExpr *ast, Row *row)
{
    Expr *of_path;
    if (row && row->graph && graph_bind_elementwise(b, ast, row, &of_path))
        return of_path;
    switch (ast->kind) {
    case AST_LITERAL: return bind_literal(b, ast);
    case AST_NAME: return bind_name(b, ast, row);
    case AST_CALL: return bind_call(b, ast, row);
    case AST_MEMBER: return bind_member(b, ast, row);
    case AST_INDEX: return bind_index(b, ast, row);
    case AST_NEGATE: return bind_unary(b, "$negate", bind_expression(b, ast->base, row), ast->span);
    case AST_BINARY: return bind_binary_ast(b, ast, row);
    case AST_LIST_OP: return bind_list_ast(b, ast, row);
    case AST_STAR:
    case AST_WILDCARD: bind_fail(b, ast->span, "'*' cannot stand here"); return NULL;
    case AST_TYPEOF: {
        // extract(regex, group, text, typeof(long)): functions take the type's name.
        if (ast->type == TYPE_NONE) {
            bind_fail(b, ast->span, "a list of columns cannot stand here");
            return NULL;
        }
        Value name = value_string(str_from(type_name(ast->type)));
        return expr_const(b->arena, &name, ast->span);
    }
    case AST_PIPELINE:
    case AST_SOURCE:
        bind_fail(b, ast->span,
                  "a table cannot stand where a single value is needed; toscalar() "
                  "makes one of it");
        return NULL;
    }
    return NULL;
}

Expr *
bind_expression(Binder *b, const AstExpr *ast, Row *row)
{
    if (!bind_enter(b, ast->span))
        return NULL;
    Expr *expr = bind_expression_kind(b, ast, row);
    b->depth--;
    return expr;
}

Expr *
bind_predicate(Binder *b, const AstExpr *ast, Row *row)
{
    Expr *expr = bind_expression(b, ast, row);
    if (!expr || expr->type == TYPE_BOOL)
        return expr;
    if ((expr->type == TYPE_DYNAMIC && expr->holds == SHAPE_ANY) || type_is_numeric(expr->type))
        return bind_convert(b, expr, TYPE_BOOL);
    bind_fail(b, ast->span, "a condition must be a bool, not a %s", type_name(expr->type));
    return NULL;
}

Expr *
bind_constant(Binder *b, const AstExpr *ast, Type type, const char *what)
{
    Expr *expr = bind_expression(b, ast, NULL);
    if (!expr)
        return NULL;
    // What is in a dynamic is known when it runs; for a text it may be one.
    bool is_boxed = expr->type == TYPE_DYNAMIC && type != TYPE_NONE && type != TYPE_DYNAMIC &&
                    (type != TYPE_STRING || expr->holds != SHAPE_ANY);
    if (expr->kind == EXPR_SUBQUERY && !is_boxed)
        return bind_convert(b, expr, type);
    if (is_boxed || (type != TYPE_NONE && conversion_cost(expr->type, type) < 0)) {
        bind_fail(b, ast->span, "%s must be a %s, not a %s", what, type_name(type),
                  type_name(expr->type));
        return NULL;
    }
    expr = bind_convert(b, expr, type);
    if (expr && expr->kind != EXPR_CONST) {
        bind_fail(b, ast->span, "%s must be a constant", what);
        return NULL;
    }
    if (expr && expr->clocked)
        b->clocked = true;
    return expr;
}
