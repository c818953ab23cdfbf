// Expressions evaluated: what is unknown in their parts is unknown in the whole, unless the whole
// does not depend on it.

#include "azure/policy/program.h"

#include <string.h>

static bool
find_member(Eval *eval, const PolicyValue *base, const PolicyValue *index, PolicyValue *out)
{
    *out = base->kind == POLICY_UNKNOWN ? *base : *index;
    if (out->kind == POLICY_UNKNOWN)
        return true;
    *out = policy_null();
    if (base->kind == POLICY_ARRAY && index->kind == POLICY_LONG) {
        if (index->integer < 0 || index->integer >= (int64_t)policy_count(base))
            return eval_fail(eval, "index %lld lies outside an array of %u members",
                             (long long)index->integer, policy_count(base));
        *out = policy_at(base, (uint32_t)index->integer);
        return true;
    }
    if (index->kind != POLICY_STRING)
        return eval_fail(eval, "a member is named by a text, or counted in an array");
    if (base->kind == POLICY_OBJECT && policy_get(base, index->text, out))
        return true;
    // What is not there is null: tags of a resource group, properties of a member.
    if (base->kind == POLICY_OBJECT || base->kind == POLICY_NULL ||
        (base->kind == POLICY_STRING && !base->text.len))
        return true;
    return eval_fail(eval, "'%.*s' is asked of what is no object", STR_ARG(index->text));
}

static bool
evaluate_parameter(Eval *eval, const PolicyExpr *expr, PolicyValue *out)
{
    const PolicyBinding *binding = eval->binding;
    uint32_t slot = expr->slot;
    if (expr->count) {
        PolicyValue name;
        if (!expr_evaluate(eval, expr->args[0], &name))
            return false;
        MapEntry *entry = name.kind == POLICY_STRING
                              ? map_find(&binding->definition->parameters, name.text)
                              : NULL;
        if (!entry)
            return eval_fail(eval, "parameters() is asked for a name that is not declared");
        slot = (uint32_t)entry->number - 1;
    }
    if (!binding->bound[slot])
        return eval_fail(eval, "the parameter '%.*s' has no value",
                         STR_ARG(binding->definition->parameter_names[slot]));
    *out = binding->values[slot];
    return true;
}

static FieldScopes
scopes_now(Eval *eval, const PolicyField **room)
{
    uint32_t count = 0;
    for (const CountScope *scope = eval->scope; scope && count < COUNT_LIMIT; scope = scope->up)
        count++;
    uint32_t at = count;
    for (const CountScope *scope = eval->scope; at; scope = scope->up)
        room[--at] = scope->field;
    return (FieldScopes){room, count};
}

// A field whose name is computed.
PolicyField *
eval_field(Eval *eval, const PolicyExpr *name_expr)
{
    PolicyValue name;
    if (!expr_evaluate(eval, name_expr, &name))
        return NULL;
    if (name.kind == POLICY_UNKNOWN) {
        eval_unknown(eval, &name);
        eval->failed_unknown = true;
    }
    if (name.kind != POLICY_STRING) {
        eval_fail(eval, "the name of a field is no text");
        return NULL;
    }
    const PolicyField *room[COUNT_LIMIT];
    FieldScopes scopes = scopes_now(eval, room);
    return field_parse(eval->arena, eval->binding->definition->options, name.text, &scopes);
}

static bool
evaluate_current(Eval *eval, const PolicyExpr *expr, PolicyValue *out)
{
    for (const CountScope *scope = eval->scope; scope; scope = scope->up) {
        if (!expr->name.len || (!scope->field && str_equal_ci(scope->name, expr->name)) ||
            (scope->field && str_equal_ci(scope->field->name, expr->name))) {
            *out = scope->current;
            return true;
        }
    }
    if (!expr->field || expr->field->kind == FIELD_UNKNOWN ||
        (!expr->field->scope_up && eval->resource == eval->subject))
        return eval_fail(eval, "current('%.*s') is outside of a count of that name",
                         STR_ARG(expr->name));
    PolicyValue all = field_value(eval, eval->resource, expr->field);
    bool single = all.kind == POLICY_ARRAY && all.computed &&
                  expr->field->stars == expr->field->scope_stars && all.count == 1;
    *out = single ? all.items[0] : all;
    return true;
}

static bool
evaluate_items(Eval *eval, const PolicyExpr *expr, PolicyValue *out)
{
    PolicyValue *items = arena_alloc_array(eval->arena, expr->count, sizeof(*items));
    for (uint32_t i = 0; i < expr->count; i++)
        if (!expr_evaluate(eval, expr->args[i], &items[i]))
            return false;
    *out = expr->kind == EXPR_OBJECT ? policy_object(expr->keys, items, expr->count)
                                     : policy_array(items, expr->count);
    return true;
}

// Functions that look at the members of an array or object only as wholes; all others give
// something unknown when anything in their arguments is.
static bool
keeps_members(const char *name)
{
    static const char *const NAMES[] = {
        "createArray", "createObject", "array",   "concat",       "union",
        "length",      "empty",        "first",   "last",         "skip",
        "take",        "items",        "flatten", "shallowMerge", "tryGet",
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (strcmp(name, NAMES[i]) == 0)
            return true;
    return false;
}

static bool
open_argument(const PolicyExpr *call, const PolicyValue *args, PolicyValue *out)
{
    const char *name = call->function->name;
    bool whole = keeps_members(name), object = strcmp(name, "createObject") == 0;
    for (uint32_t i = 0; i < call->count; i++) {
        if ((object && i % 2) || strcmp(name, "createArray") == 0)
            continue; // a member, unknown for itself
        if (args[i].kind == POLICY_UNKNOWN)
            *out = args[i];
        if (args[i].kind == POLICY_UNKNOWN || (!whole && policy_has_unknown(&args[i], out)))
            return true;
    }
    return false;
}

static bool
evaluate_call(Eval *eval, const PolicyExpr *expr, PolicyValue *out)
{
    if (expr->function->lazy)
        return expr->function->lazy(eval, expr, out);
    PolicyValue few[8], *args = few;
    if (expr->count > 8)
        args = arena_alloc_array(eval->arena, expr->count, sizeof(*args));
    for (uint32_t i = 0; i < expr->count; i++)
        if (!expr_evaluate(eval, expr->args[i], &args[i]))
            return false;
    if (eval->context->unknowns && open_argument(expr, args, out))
        return true;
    return expr->function->run(eval, args, expr->count, out) ||
           eval_fail(eval, "%s() cannot take these arguments", expr->function->name);
}

bool
expr_evaluate(Eval *eval, const PolicyExpr *expr, PolicyValue *out)
{
    PolicyValue base, index;
    const PolicyField *field;
    switch (expr->kind) {
    case EXPR_LITERAL: *out = expr->literal; return true;
    case EXPR_PARAMETER: return evaluate_parameter(eval, expr, out);
    case EXPR_FIELD:
        field = expr->field ? expr->field : eval_field(eval, expr->args[0]);
        if (field)
            *out = field_value(eval, eval->subject, field);
        return field != NULL;
    case EXPR_CURRENT: return evaluate_current(eval, expr, out);
    case EXPR_CALL: return evaluate_call(eval, expr, out);
    case EXPR_MEMBER:
        return expr_evaluate(eval, expr->args[0], &base) &&
               expr_evaluate(eval, expr->args[1], &index) && find_member(eval, &base, &index, out);
    case EXPR_ARRAY:
    case EXPR_OBJECT: return evaluate_items(eval, expr, out);
    }
    return false;
}
