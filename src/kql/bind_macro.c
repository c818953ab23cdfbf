// macro-expand: statements bound once for each entity of a group, and their union.
//
// An entity is a database or a cluster, whose tables the statements name as X.T, or a
// table, which X itself then is.

#include "kql/bind_state.h"

bool
is_entity_group(const AstExpr *ast)
{
    return ast->kind == AST_CALL && str_equal(ast->name.text, STR("entity_group"));
}

bool
is_entity_value(const AstExpr *ast)
{
    return ast->kind == AST_MEMBER && !ast->index &&
           (str_equal(ast->name.text, STR("$current_database")) ||
            str_equal(ast->name.text, STR("$current_cluster_endpoint")));
}

// The argument of `name("...")` in the chain of an entity; NULL when it has none.
static const AstExpr *
entity_call(const AstExpr *entity, Str name)
{
    for (const AstExpr *at = entity; at; at = at->kind == AST_MEMBER ? at->base : NULL) {
        const AstExpr *call = at->kind == AST_MEMBER ? at->index : at;
        if (call && call->kind == AST_CALL && str_equal(call->name.text, name) &&
            call->args.len == 1)
            return call->args.items[0];
    }
    return NULL;
}

// X.$current_database, X.$current_cluster_endpoint: as the group names them.
Expr *
bind_entity_value(Binder *b, const AstExpr *ast, const Binding *entity)
{
    bool database = str_equal(ast->name.text, STR("$current_database"));
    const AstExpr *name = entity_call(entity->ast, database ? STR("database") : STR("cluster"));
    if (name)
        return bind_constant(b, name, TYPE_STRING, "the name of the entity");
    Value here = value_string(database ? b->catalog->database : STR(""));
    return expr_const(b->arena, &here, ast->span);
}

const AstExpr *
entity_base(Binder *b, const AstExpr *base)
{
    const AstExpr *root = base;
    while (root->kind == AST_MEMBER)
        root = root->base;
    if (root->kind != AST_NAME)
        return base;
    Binding *binding = scope_find(b->scope, root->name.text);
    if (!binding || binding->kind != BINDING_ENTITY)
        return base;
    if (root == base)
        return binding->ast;
    AstExpr *copy = ARENA_NEW(b->arena, AstExpr);
    *copy = *base;
    copy->base = (AstExpr *)(uintptr_t)entity_base(b, base->base);
    return copy;
}

static const AstExpr *
find_group(Binder *b, const AstExpr *ast)
{
    if (is_entity_group(ast))
        return ast;
    Binding *binding = ast->kind == AST_NAME ? scope_find(b->scope, ast->name.text) : NULL;
    if (binding && binding->kind == BINDING_ENTITIES)
        return binding->ast;
    if (ast->kind == AST_NAME)
        bind_fail(b, ast->span,
                  "there is no entity group '%.*s': declare it, let %.*s = entity_group "
                  "[database('a'), ...]",
                  STR_ARG(ast->name.text), STR_ARG(ast->name.text));
    else
        bind_fail(b, ast->span, "macro-expand needs an entity group: entity_group [...]");
    return NULL;
}

// Whether an entity is a database or cluster, rather than a table.
static bool
is_place(const AstExpr *entity)
{
    const AstExpr *call = entity->kind == AST_MEMBER && entity->index ? entity->index : entity;
    return call->kind == AST_CALL && is_place_call(call->name.text);
}

static Plan *
bind_block(Binder *b, const AstOperator *step, const AstExpr *entity)
{
    Scope *outer = b->scope;
    Plan *implicit = b->implicit;
    Scope *scope = scope_push(b, outer);
    Binding *binding =
        scope_add(b, scope, step->as.text, is_place(entity) ? BINDING_ENTITY : BINDING_TABLE);
    binding->ast = entity;
    binding->scope = outer;
    b->scope = scope_push(b, scope);
    b->implicit = NULL;
    const AstStatementList *body = &step->block->body;
    Plan *plan = NULL;
    if (!body->len || body->items[body->len - 1].kind != AST_TABULAR)
        bind_fail(b, step->block->span, "the statements of macro-expand must end in a table");
    else if (bind_lets(b, body, body->len - 1))
        plan = bind_table(b, body->items[body->len - 1].value);
    b->scope = outer;
    b->implicit = implicit;
    return plan;
}

Plan *
bind_macro_expand(Binder *b, const AstOperator *step)
{
    const AstExpr *group = find_group(b, step->right);
    if (!group)
        return NULL;
    const AstParam *kind = operator_param(step, "kind");
    bool is_fuzzy = operator_flag(step, "isfuzzy");
    if (kind && !str_equal_ci(kind->text, STR("inner")) &&
        !str_equal_ci(kind->text, STR("outer"))) {
        bind_fail(b, kind->span, "the kinds of macro-expand are inner and outer");
        return NULL;
    }
    UnionInputs inputs = {0};
    for (size_t i = 0; i < group->args.len; i++) {
        Plan *plan = bind_enter(b, step->span) ? bind_block(b, step, group->args.items[i]) : NULL;
        if (!plan && is_fuzzy && b->error->code == AZ_SEMANTIC) {
            error_clear(b->error);
            b->depth--;
            continue;
        }
        b->depth--;
        if (!union_add(b, &inputs, plan, STR("")))
            return NULL;
    }
    if (!inputs.len) {
        bind_fail(b, step->span, "none of the entities of this group can be reached");
        return NULL;
    }
    return union_plan(b, &inputs, NULL, kind && str_equal_ci(kind->text, STR("inner")), step->span);
}
