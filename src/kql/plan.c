// Builders of plans and expressions, and questions about them.

#include "kql/plan.h"

Expr *
expr_column(Arena *arena, uint32_t column, Type type, Span span)
{
    Expr *expr = ARENA_NEW(arena, Expr);
    expr->kind = EXPR_COLUMN;
    expr->column = column;
    expr->type = type;
    expr->span = span;
    return expr;
}

Expr *
expr_const(Arena *arena, const Value *value, Span span)
{
    Expr *expr = ARENA_NEW(arena, Expr);
    expr->kind = EXPR_CONST;
    expr->value = *value;
    expr->type = value->type;
    expr->span = span;
    return expr;
}

Plan *
plan_new(Arena *arena, PlanKind kind, Span span)
{
    Plan *plan = ARENA_NEW(arena, Plan);
    plan->kind = kind;
    plan->span = span;
    return plan;
}

bool
expr_is_constant(const Expr *expr)
{
    if (expr->kind == EXPR_CONST)
        return true;
    if (expr->kind != EXPR_CALL || (expr->fn->flags & FN_VOLATILE) ||
        expr->fn->kind != FUNCTION_SCALAR)
        return false;
    for (uint32_t i = 0; i < expr->arg_count; i++)
        if (!expr_is_constant(expr->args[i]))
            return false;
    return true;
}

bool
expr_is_volatile(const Expr *expr)
{
    if (expr->kind != EXPR_CALL)
        return false;
    if ((expr->fn->flags & FN_VOLATILE) || expr->fn->kind != FUNCTION_SCALAR)
        return true;
    for (uint32_t i = 0; i < expr->arg_count; i++)
        if (expr_is_volatile(expr->args[i]))
            return true;
    return false;
}
