// Names and functions inside graph operators.
//
// `n.age` is a property of the node bound to n, `n` alone a bag of all of them. Of a
// variable of variable length, `e.kind` is an array with the value for each edge, which
// is map(e, kind); so are scalar functions and operators over it (Kusto docs, graph-match
// operator: properties and functions of properties of such an edge are arrays), while
// array_length(e.kind) and all that takes an array sees the array. all(), any() and map()
// bind their second argument anew for the elements: the edges, or with inner_nodes(e) the
// nodes between them.

#include "kql/bind_graph.h"
#include "kql/signature.h"

// ---- columns ----

static Expr *
input_column(Binder *b, GraphInputs *inputs, GraphInput input, Span span)
{
    size_t at = 0;
    while (at < inputs->len &&
           !(input.kind != GRAPH_LAMBDA && inputs->items[at].kind == input.kind &&
             inputs->items[at].variable == input.variable &&
             inputs->items[at].column == input.column))
        at++;
    if (at == inputs->len)
        ARRAY_PUSH(b->arena, inputs, input);
    return expr_column(b->arena, (uint32_t)at, input.type, span);
}

// One column of a variable, or with `variable` NULL of the element.
static Expr *
graph_column(Binder *b, const GraphScope *scope, const GraphVariableName *variable, uint32_t column,
             Span span)
{
    bool edges = variable ? variable->is_edge : !scope->element_is_node;
    const Schema *own = edges ? &scope->shape->edges : &scope->shape->nodes;
    GraphInput input = {.kind = GRAPH_ELEMENT, .column = column};
    if (variable) {
        input.kind = edges ? GRAPH_EDGE : GRAPH_NODE;
        input.variable = variable->variable;
    }
    input.type = column < own->count                       ? own->columns[column].type
                 : !edges && column > own->count + NODE_ID ? TYPE_LONG
                                                           : scope->shape->id;
    return input_column(b, scope->inputs, input, span);
}

static ptrdiff_t
find_property(const GraphScope *scope, bool edges, Str name)
{
    const Schema *own = edges ? &scope->shape->edges : &scope->shape->nodes;
    ptrdiff_t at = schema_find(own, name);
    if (at < 0 && (edges ? scope->shape->edges_ignore_case : scope->shape->nodes_ignore_case))
        at = schema_find_ci(own, name);
    return at;
}

static Expr *
unknown_property(Binder *b, const GraphScope *scope, bool edges, const AstName *name)
{
    const Schema *own = edges ? &scope->shape->edges : &scope->shape->nodes;
    const char *what = edges ? "edges" : "nodes";
    Str *names = ARENA_ARRAY(b->arena, Str, own->count);
    for (uint32_t c = 0; c < own->count; c++)
        names[c] = own->columns[c].name;
    ptrdiff_t near = str_nearest(name->text, names, own->count);
    if (near >= 0)
        bind_fail(b, name->span,
                  "the %s of this graph have no property '%.*s'; did you mean '%.*s'?", what,
                  STR_ARG(name->text), STR_ARG(names[near]));
    else if (!own->count)
        bind_fail(b, name->span,
                  "the %s of this graph have no properties; give make-graph a table of nodes, or "
                  "name their id using with_node_id",
                  what);
    else
        bind_fail(b, name->span, "the %s of this graph have no property '%.*s'", what,
                  STR_ARG(name->text));
    return NULL;
}

// All properties as a bag.
static Expr *
bag_of(Binder *b, const GraphScope *scope, const GraphVariableName *variable, Span span)
{
    bool edges = variable ? variable->is_edge : !scope->element_is_node;
    const Schema *own = edges ? &scope->shape->edges : &scope->shape->nodes;
    Expr **args = ARENA_ARRAY(b->arena, Expr *, 2 * (size_t)own->count + 1);
    for (uint32_t c = 0; c < own->count; c++) {
        Value name = value_string(own->columns[c].name);
        args[2 * c] = expr_const(b->arena, &name, span);
        args[2 * c + 1] = graph_column(b, scope, variable, c, span);
    }
    return bind_bag(b, args, 2 * own->count, span);
}

// ---- variables ----

const GraphVariableName *
graph_variable(const GraphScope *scope, Str name)
{
    for (size_t i = 0; scope->names && i < scope->names->len; i++)
        if (str_equal(scope->names->items[i].name, name))
            return &scope->names->items[i];
    return NULL;
}

static bool
is_path(const GraphScope *scope, const GraphVariableName *variable)
{
    return variable->is_edge && scope->match->edges[variable->variable].is_path;
}

static bool
is_self(const GraphScope *scope, const GraphVariableName *variable)
{
    return scope->has_self && variable->is_edge && variable->variable == scope->self;
}

// The path variable that a chain of members starts with: e.a.b
static const GraphVariableName *
path_root(const GraphScope *scope, const AstExpr *ast)
{
    if (ast->kind != AST_MEMBER)
        return NULL;
    while (ast->kind == AST_MEMBER && !ast->index)
        ast = ast->base;
    const GraphVariableName *variable =
        ast->kind == AST_NAME ? graph_variable(scope, ast->name.text) : NULL;
    return variable && is_path(scope, variable) && !is_self(scope, variable) ? variable : NULL;
}

// Whether a function takes an array at this place, and so the whole of a path's property.
static bool
takes_dynamic(const FunctionDef *const *overloads, size_t count, uint32_t place)
{
    Signature signature;
    for (size_t i = 0; i < count; i++) {
        if (overloads[i]->kind != FUNCTION_SCALAR)
            continue;
        signature_parse(overloads[i]->signature, &signature);
        const SignatureParam *param = signature_param(&signature, place);
        if (param && (param->class == PARAM_ARRAY || param->class == PARAM_BAG ||
                      (param->class == PARAM_TYPE && param->type == TYPE_DYNAMIC)))
            return true;
    }
    return false;
}

static const GraphVariableName *
elementwise_call(Binder *b, const GraphScope *scope, const AstExpr *ast)
{
    size_t count;
    const Binding *local = scope_find(b->scope, ast->name.text);
    const FunctionDef *const *overloads =
        b->catalog->find_function(b->catalog->context, ast->name.text, &count);
    if (!count || (local && local->kind == BINDING_FUNCTION))
        return NULL;
    for (size_t i = 0; i < ast->args.len; i++) {
        const GraphVariableName *path = graph_elementwise(b, scope, ast->args.items[i]);
        if (path && !takes_dynamic(overloads, count, (uint32_t)i))
            return path;
    }
    return NULL;
}

const GraphVariableName *
graph_elementwise(Binder *b, const GraphScope *scope, const AstExpr *ast)
{
    if (scope->element || !scope->match)
        return NULL;
    const GraphVariableName *path = NULL;
    switch (ast->kind) {
    case AST_MEMBER: return path_root(scope, ast);
    case AST_CALL: return elementwise_call(b, scope, ast);
    case AST_NEGATE: return graph_elementwise(b, scope, ast->base);
    case AST_BINARY:
    case AST_LIST_OP:
        path = graph_elementwise(b, scope, ast->base);
        for (size_t i = 0; !path && i < ast->args.len; i++)
            path = graph_elementwise(b, scope, ast->args.items[i]);
        return path;
    default: return NULL;
    }
}

bool
graph_bind_elementwise(Binder *b, const AstExpr *ast, Row *row, Expr **out)
{
    const GraphVariableName *path = graph_elementwise(b, row->graph, ast);
    if (!path)
        return false;
    *out = graph_lambda(b, ast, row->graph, GRAPH_MAP, path->variable, false, true, ast->span);
    return true;
}

static bool
reads_element_alone(const GraphInputs *inputs)
{
    for (size_t i = 0; i < inputs->len; i++)
        if (inputs->items[i].kind != GRAPH_ELEMENT)
            return false;
    return true;
}

Expr *
graph_lambda(Binder *b, const AstExpr *body, GraphScope *scope, GraphLambdaKind kind, uint32_t edge,
             bool inner_nodes, bool own_name, Span span)
{
    if (scope->element) {
        bind_fail(b, span,
                  "what is asked of the elements of one variable-length edge cannot look at those "
                  "of another");
        return NULL;
    }
    GraphLambda *lambda = ARENA_NEW(b->arena, GraphLambda);
    GraphScope inner = *scope;
    inner.inputs = &lambda->inputs;
    inner.element = true;
    inner.element_is_node = inner_nodes;
    inner.self = edge;
    inner.has_self = own_name;
    Row row = {.graph = &inner};
    lambda->kind = kind;
    lambda->edge = edge;
    lambda->inner_nodes = inner_nodes;
    lambda->body =
        kind == GRAPH_MAP ? bind_expression(b, body, &row) : bind_predicate(b, body, &row);
    if (!lambda->body)
        return NULL;
    lambda->of_element = reads_element_alone(&lambda->inputs) && !expr_is_volatile(lambda->body);
    GraphInput input = {
        .kind = GRAPH_LAMBDA,
        .type = kind == GRAPH_MAP ? TYPE_DYNAMIC : TYPE_BOOL,
        .variable = edge,
        .lambda = lambda,
    };
    return input_column(b, scope->inputs, input, span);
}

bool
graph_bind_name(Binder *b, const AstExpr *ast, Row *row, Expr **out)
{
    GraphScope *scope = row->graph;
    if (scope->element) {
        ptrdiff_t at = find_property(scope, !scope->element_is_node, ast->name.text);
        if (at >= 0) {
            *out = graph_column(b, scope, NULL, (uint32_t)at, ast->span);
            return true;
        }
    }
    const GraphVariableName *variable = graph_variable(scope, ast->name.text);
    if (!variable) {
        if (!scope->element || scope_find(b->scope, ast->name.text))
            return false;
        *out = unknown_property(b, scope, !scope->element_is_node, &ast->name);
        return true;
    }
    if (is_self(scope, variable))
        *out = bag_of(b, scope, NULL, ast->span);
    else if (is_path(scope, variable))
        *out = graph_lambda(b, ast, scope, GRAPH_MAP, variable->variable, false, true, ast->span);
    else
        *out = bag_of(b, scope, variable, ast->span);
    return true;
}

bool
graph_bind_member(Binder *b, const AstExpr *ast, Row *row, Expr **out)
{
    GraphScope *scope = row->graph;
    const GraphVariableName *variable =
        ast->base->kind == AST_NAME ? graph_variable(scope, ast->base->name.text) : NULL;
    if (!variable)
        return false;
    bool element = is_self(scope, variable);
    // Inside a lambda a property of the element hides a variable of the same name.
    if (scope->element && !element &&
        find_property(scope, !scope->element_is_node, variable->name) >= 0)
        return false;
    // Of another path than the one looked at there is no single element.
    if (is_path(scope, variable) && !element) {
        *out = graph_lambda(b, ast, scope, GRAPH_MAP, variable->variable, false, true, ast->span);
        return true;
    }
    ptrdiff_t at = find_property(scope, variable->is_edge, ast->name.text);
    *out = at < 0 ? unknown_property(b, scope, variable->is_edge, &ast->name)
                  : graph_column(b, scope, element ? NULL : variable, (uint32_t)at, ast->span);
    return true;
}

// ---- functions ----

// all(e, condition), any(inner_nodes(e), condition), map(e, expression)
static Expr *
bind_lambda_call(Binder *b, const AstExpr *ast, GraphScope *scope, GraphLambdaKind kind)
{
    if (ast->args.len != 2) {
        bind_fail(b, ast->span,
                  "%.*s() takes a variable-length edge, or inner_nodes() of one, and "
                  "what to ask of its elements",
                  STR_ARG(ast->name.text));
        return NULL;
    }
    const AstExpr *over = ast->args.items[0];
    bool inner_nodes = over->kind == AST_CALL && str_equal(over->name.text, STR("inner_nodes"));
    if (inner_nodes && over->args.len != 1) {
        bind_fail(b, over->span, "inner_nodes() takes a variable-length edge");
        return NULL;
    }
    const AstExpr *edge = inner_nodes ? over->args.items[0] : over;
    const GraphVariableName *variable =
        edge->kind == AST_NAME ? graph_variable(scope, edge->name.text) : NULL;
    if (!variable || !variable->is_edge || !is_path(scope, variable)) {
        bind_fail(b, edge->span,
                  "%s() works on the elements of a variable-length edge such as "
                  "-[e*1..3]->",
                  inner_nodes ? "inner_nodes" : str_cstr(b->arena, ast->name.text));
        return NULL;
    }
    return graph_lambda(b, ast->args.items[1], scope, kind, variable->variable, inner_nodes, false,
                        ast->span);
}

// Labels come with graph models; a graph made in a query has none (Kusto docs, labels()).
static Expr *
no_labels(Binder *b, Span span)
{
    return bind_no_elements(b, span);
}

// labels(x), node_id(n), node_degree_in(n), node_degree_out(n); without argument: of the
// element looked at.
static Expr *
bind_element_call(Binder *b, const AstExpr *ast, GraphScope *scope)
{
    Str name = ast->name.text;
    bool labels = str_equal(name, STR("labels"));
    const GraphVariableName *variable = NULL;
    if (ast->args.len > 1 || (!ast->args.len && !scope->element)) {
        bind_fail(b, ast->span, "%.*s() takes a variable of the pattern", STR_ARG(name));
        return NULL;
    }
    if (ast->args.len) {
        const AstExpr *of = ast->args.items[0];
        variable = of->kind == AST_NAME ? graph_variable(scope, of->name.text) : NULL;
        if (!variable) {
            bind_fail(b, of->span, "%.*s() takes a variable of the pattern", STR_ARG(name));
            return NULL;
        }
        if (is_self(scope, variable))
            variable = NULL;
        else if (is_path(scope, variable)) {
            if (labels) // of each edge
                return graph_lambda(b, ast, scope, GRAPH_MAP, variable->variable, false, true,
                                    ast->span);
            bind_fail(b, of->span, "%.*s() takes a node of the pattern, not an edge",
                      STR_ARG(name));
            return NULL;
        }
    }
    if (labels)
        return no_labels(b, ast->span);
    if (variable ? variable->is_edge : !scope->element_is_node) {
        bind_fail(b, ast->span, "%.*s() is about nodes, not edges", STR_ARG(name));
        return NULL;
    }
    uint32_t hidden = str_equal(name, STR("node_id"))          ? NODE_ID
                      : str_equal(name, STR("node_degree_in")) ? NODE_DEGREE_IN
                                                               : NODE_DEGREE_OUT;
    Expr *column = graph_column(b, scope, variable, scope->shape->nodes.count + hidden, ast->span);
    return hidden == NODE_ID ? bind_convert(b, column, TYPE_STRING) : column;
}

// array_length(e) counts edges; what they are made of need not be gathered.
static Expr *
bind_path_length(Binder *b, const AstExpr *ast, GraphScope *scope, uint32_t edge)
{
    AstExpr one = {.kind = AST_LITERAL, .span = ast->span, .value = value_bool(true)};
    Expr **args = ARENA_ARRAY(b->arena, Expr *, 1);
    args[0] = graph_lambda(b, &one, scope, GRAPH_MAP, edge, false, true, ast->span);
    return args[0] ? bind_function(b, ast->name.text, args, 1, ast->span) : NULL;
}

bool
graph_bind_call(Binder *b, const AstExpr *ast, Row *row, Expr **out)
{
    static const struct {
        Str name;
        GraphLambdaKind kind;
    } LAMBDAS[] = {
        {STR_INIT("all"), GRAPH_ALL},
        {STR_INIT("any"), GRAPH_ANY},
        {STR_INIT("map"), GRAPH_MAP},
    };
    static const Str OF_ELEMENTS[] = {STR_INIT("labels"), STR_INIT("node_id"),
                                      STR_INIT("node_degree_in"), STR_INIT("node_degree_out")};
    GraphScope *scope = row->graph;
    Str name = ast->name.text;
    for (size_t i = 0; i < COUNT_OF(LAMBDAS); i++) {
        if (str_equal(name, LAMBDAS[i].name)) {
            *out = bind_lambda_call(b, ast, scope, LAMBDAS[i].kind);
            return true;
        }
    }
    for (size_t i = 0; i < COUNT_OF(OF_ELEMENTS); i++) {
        if (str_equal(name, OF_ELEMENTS[i])) {
            *out = bind_element_call(b, ast, scope);
            return true;
        }
    }
    if (str_equal(name, STR("array_length")) && ast->args.len == 1 &&
        ast->args.items[0]->kind == AST_NAME) {
        const GraphVariableName *variable = graph_variable(scope, ast->args.items[0]->name.text);
        if (!variable || !is_path(scope, variable) || scope->element)
            return false;
        *out = bind_path_length(b, ast, scope, variable->variable);
        return true;
    }
    if (!str_equal(name, STR("inner_nodes")))
        return false;
    bind_fail(b, ast->span,
              "inner_nodes() can only be the first argument of all(), any() or map()");
    *out = NULL;
    return true;
}
