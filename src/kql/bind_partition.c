// partition and reduce: operators that divide their rows by a key or by likeness.

#include "kql/bind_state.h"

Plan *
bind_leaf(Binder *b, const Plan *input, const Schema *schema, Span span)
{
    Plan *leaf = bind_plan(b, PLAN_CORRELATED, span);
    if (!leaf)
        return NULL;
    leaf->schema = *schema;
    leaf->serialized = input->serialized;
    leaf->open = input->open;
    leaf->correlated.leaf = ++b->shared_ids;
    leaf->correlated.ignore_case = plan_ignores_case(input);
    return leaf;
}

// ---- partition ----

Plan *
partition_plan(Binder *b, Plan *input, Expr **keys, size_t key_count, const Plan *leaf, Plan *sub,
               Span span)
{
    Plan *plan = bind_plan(b, PLAN_PARTITION, span);
    if (!plan)
        return NULL;
    plan->input = input;
    plan->schema = sub->schema;
    plan->partition.keys = keys;
    plan->partition.key_count = (uint32_t)key_count;
    plan->partition.subplan = sub;
    plan->partition.leaf = leaf->correlated.leaf;
    return plan;
}

// The older form `{ T | ... }` has a source of its own and sees the key as a value:
// the key of the first row of the partition.
static bool
declare_key(Binder *b, Plan *leaf, Expr *key, Str name)
{
    Plan *first = bind_plan(b, PLAN_TAKE, key->span);
    if (!first)
        return false;
    first->input = leaf;
    first->schema = leaf->schema;
    first->take.count = 1;
    ColumnNamer namer = {.arena = b->arena};
    namer_add_auto(&namer, name, key->type);
    Expr **exprs = ARENA_ARRAY(b->arena, Expr *, 1);
    exprs[0] = key;
    Plan *value = bind_projection(b, first, namer_schema(&namer), exprs, false, key->span);
    if (!value)
        return false;
    Expr *expr = ARENA_NEW(b->arena, Expr);
    *expr = (Expr){.kind = EXPR_SUBQUERY, .type = key->type, .span = key->span};
    expr->shape = SUBQUERY_SCALAR;
    expr->plan = value;
    scope_add(b, b->scope, name, BINDING_SCALAR)->expr = expr;
    return true;
}

static Plan *
bind_partition_body(Binder *b, const AstOperator *step, Plan *leaf, Expr *key)
{
    const AstExpr *body = step->body;
    bool own_source = body->kind != AST_PIPELINE || body->base;
    Scope *scope = b->scope;
    Plan *outer = b->implicit;
    b->scope = scope_push(b, scope);
    b->implicit = leaf;
    Str name = default_name(b, step->by.items[0].expr);
    Plan *sub = NULL;
    if (!own_source || declare_key(b, leaf, key, name))
        sub = bind_table(b, body);
    b->scope = scope;
    b->implicit = outer;
    return sub;
}

// partition [hint.strategy=native|shuffle|legacy] by key (...) or {...}: the strategy is
// how the service spreads the work and never changes the answer.
Plan *
bind_partition(Binder *b, Plan *input, const AstOperator *step)
{
    const AstParam *strategy = operator_param(step, "hint.strategy");
    if (strategy && !str_equal_ci(strategy->text, STR("native")) &&
        !str_equal_ci(strategy->text, STR("shuffle")) &&
        !str_equal_ci(strategy->text, STR("legacy"))) {
        bind_fail(b, strategy->span, "the strategies of partition are native, shuffle and legacy");
        return NULL;
    }
    Row row = row_of(input);
    Expr *key = bind_expression(b, step->by.items[0].expr, &row);
    Plan *leaf = key ? bind_leaf(b, input, &input->schema, step->span) : NULL;
    Plan *sub = leaf ? bind_partition_body(b, step, leaf, key) : NULL;
    Expr **keys = ARENA_ARRAY(b->arena, Expr *, 1);
    keys[0] = key;
    return sub ? partition_plan(b, input, keys, 1, leaf, sub, step->span) : NULL;
}

// ---- reduce ----

static bool
reduce_property(Binder *b, const AstParam *property, Plan *plan)
{
    AstExpr name = {
        .kind = AST_NAME, .span = property->span, .name = {property->text, property->span}};
    const AstExpr *value = property->expr ? property->expr : &name;
    if (str_equal_ci(property->name, STR("threshold"))) {
        Expr *threshold = bind_constant(b, value, TYPE_REAL, "the threshold of reduce");
        if (!threshold)
            return false;
        plan->reduce.threshold = threshold->value.real;
        if (threshold->kind != EXPR_CONST || threshold->value.is_null ||
            !(plan->reduce.threshold >= 0 && plan->reduce.threshold <= 1))
            return bind_fail(b, property->span, "the threshold of reduce lies between 0 and 1");
        return true;
    }
    if (str_equal_ci(property->name, STR("characters"))) {
        Expr *text = bind_constant(b, value, TYPE_STRING, "the characters of reduce");
        if (!text)
            return false;
        if (text->kind != EXPR_CONST)
            return bind_fail(b, property->span, "the characters of reduce must be a constant");
        plan->reduce.characters = text_str(&text->value.text);
        return true;
    }
    return bind_fail(b, property->span, "reduce knows threshold and characters, not '%.*s'",
                     STR_ARG(property->name));
}

// reduce [kind=source] by text [with threshold=0.1, characters="-_"]
Plan *
bind_reduce(Binder *b, Plan *input, const AstOperator *step)
{
    const AstParam *kind = operator_param(step, "kind");
    if (kind && !str_equal_ci(kind->text, STR("source"))) {
        bind_fail(b, kind->span, "the only kind of reduce is source");
        return NULL;
    }
    Plan *plan = bind_plan(b, PLAN_REDUCE, step->span);
    if (!plan)
        return NULL;
    Row row = row_of(input);
    Expr *text = bind_expression(b, step->by.items[0].expr, &row);
    if (!text)
        return NULL;
    if (text->type != TYPE_STRING && text->type != TYPE_DYNAMIC) {
        bind_fail(b, text->span, "reduce groups texts, not values of type %s",
                  type_name(text->type));
        return NULL;
    }
    plan->input = input;
    plan->reduce.text = bind_convert(b, text, TYPE_STRING);
    plan->reduce.threshold = 0.1;
    plan->reduce.keeps_rows = kind != NULL;
    for (size_t i = 0; i < step->properties.len; i++)
        if (!reduce_property(b, &step->properties.items[i], plan))
            return NULL;
    ColumnNamer namer = {.arena = b->arena};
    for (uint32_t c = 0; kind && c < input->schema.count; c++)
        ARRAY_PUSH(b->arena, &namer, input->schema.columns[c]);
    namer_add_auto(&namer, STR("Pattern"), TYPE_STRING);
    if (!kind) {
        namer_add_auto(&namer, STR("Count"), TYPE_LONG);
        namer_add_auto(&namer, STR("Representative"), TYPE_STRING);
    }
    plan->schema = namer_schema(&namer);
    return plan->reduce.text ? plan : NULL;
}
