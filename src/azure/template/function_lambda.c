// Functions that take a lambda: filter(list, lambda('x', less(lambdaVariables('x'), 3))).

#include "azure/template/template_scope.h"

#include <string.h>

enum { LIST_MOST = 100000 };

static bool
is_lambda(const PolicyExpr *expr)
{
    return expr->kind == EXPR_CALL && expr->function &&
           str_equal_ci(str_from(expr->function->name), STR("lambda"));
}

// Calls the lambda with as many of the values as it names.
static bool
call_lambda(Eval *eval, const PolicyExpr *lambda, const PolicyValue *values, uint32_t count,
            PolicyValue *out)
{
    LambdaFrame frames[4];
    TemplateScope *scope = eval->template;
    if (!scope)
        return eval_fail(eval, "lambdas are for templates");
    if (!is_lambda(lambda) || lambda->count < 2 || lambda->count - 1 > count)
        return eval_fail(eval, "a lambda of at most %u names is expected", count);
    if (++eval->steps > STEP_LIMIT)
        return eval_fail(eval, "the lambdas take more than 20 million steps");
    LambdaFrame *around = scope->lambdas;
    for (uint32_t i = 0; i + 1 < lambda->count; i++) {
        PolicyValue name;
        if (!expr_evaluate(eval, lambda->args[i], &name) || name.kind != POLICY_STRING)
            return eval_fail(eval, "lambda() starts with the names of its variables");
        frames[i] = (LambdaFrame){scope->lambdas, name.text, values[i]};
        scope->lambdas = &frames[i];
    }
    bool done = expr_evaluate(eval, lambda->args[lambda->count - 1], out);
    scope->lambdas = around;
    return done;
}

// The list of the first argument; `*open` when it is not known, and is the value then.
static bool
take_list(Eval *eval, const PolicyExpr *call, PolicyValue *list, PolicyValue *out, bool *open)
{
    if (!expr_evaluate(eval, call->args[0], list))
        return false;
    *open = list->kind == POLICY_UNKNOWN;
    if (*open)
        *out = *list;
    return *open || (list->kind == POLICY_ARRAY && policy_count(list) <= LIST_MOST) ||
           eval_fail(eval, "%s() takes an array of at most 100,000 members", call->function->name);
}

static bool
fn_map(Eval *eval, const PolicyExpr *call, PolicyValue *out)
{
    PolicyValue list;
    bool open = false;
    if (!take_list(eval, call, &list, out, &open) || open)
        return open;
    uint32_t count = policy_count(&list);
    PolicyValue *items = ARENA_ARRAY(eval->arena, PolicyValue, count);
    for (uint32_t i = 0; i < count; i++) {
        PolicyValue given[] = {policy_at(&list, i), policy_long(i)};
        if (!call_lambda(eval, call->args[1], given, 2, &items[i]))
            return false;
    }
    *out = policy_array(items, count);
    return true;
}

static bool
fn_filter(Eval *eval, const PolicyExpr *call, PolicyValue *out)
{
    PolicyValue list;
    bool open = false;
    if (!take_list(eval, call, &list, out, &open) || open)
        return open;
    uint32_t count = policy_count(&list), kept = 0;
    PolicyValue *items = ARENA_ARRAY(eval->arena, PolicyValue, count);
    for (uint32_t i = 0; i < count; i++) {
        PolicyValue given[] = {policy_at(&list, i), policy_long(i)}, says;
        bool keeps = false;
        if (!call_lambda(eval, call->args[1], given, 2, &says))
            return false;
        if (says.kind == POLICY_UNKNOWN) {
            *out = says;
            return true;
        }
        if (!expr_truth(eval, &says, &keeps))
            return false;
        if (keeps)
            items[kept++] = given[0];
    }
    *out = policy_array(items, kept);
    return true;
}

static bool
fn_reduce(Eval *eval, const PolicyExpr *call, PolicyValue *out)
{
    PolicyValue list, sum;
    bool open = false;
    if (!take_list(eval, call, &list, out, &open) || open)
        return open;
    if (!expr_evaluate(eval, call->args[1], &sum))
        return false;
    for (uint32_t i = 0; i < policy_count(&list); i++) {
        PolicyValue given[] = {sum, policy_at(&list, i), policy_long(i)};
        if (!call_lambda(eval, call->args[2], given, 3, &sum))
            return false;
    }
    *out = sum;
    return true;
}

// Merge sort: the lambda says whether the first comes before the second.
static bool
sort_items(Eval *eval, const PolicyExpr *lambda, PolicyValue *items, PolicyValue *room,
           uint32_t count, PolicyValue *open)
{
    if (count < 2)
        return true;
    uint32_t half = count / 2, left = 0, right = half, at = 0;
    if (!sort_items(eval, lambda, items, room, half, open) ||
        !sort_items(eval, lambda, items + half, room, count - half, open))
        return false;
    while (left < half && right < count) {
        PolicyValue given[] = {items[right], items[left]}, says;
        bool before = false;
        if (!call_lambda(eval, lambda, given, 2, &says))
            return false;
        if (says.kind == POLICY_UNKNOWN)
            *open = says;
        else if (!expr_truth(eval, &says, &before))
            return false;
        room[at++] = before ? items[right++] : items[left++];
    }
    while (left < half)
        room[at++] = items[left++];
    while (right < count)
        room[at++] = items[right++];
    memcpy(items, room, count * sizeof(*items));
    return true;
}

static bool
fn_sort(Eval *eval, const PolicyExpr *call, PolicyValue *out)
{
    PolicyValue list, undecided = {0};
    bool open = false;
    if (!take_list(eval, call, &list, out, &open) || open)
        return open;
    uint32_t count = policy_count(&list);
    PolicyValue *items = ARENA_ARRAY(eval->arena, PolicyValue, count);
    for (uint32_t i = 0; i < count; i++)
        items[i] = policy_at(&list, i);
    if (!sort_items(eval, call->args[1], items, ARENA_ARRAY(eval->arena, PolicyValue, count), count,
                    &undecided))
        return false;
    *out = undecided.kind == POLICY_UNKNOWN ? undecided : policy_array(items, count);
    return true;
}

// toObject(): keys and values by lambdas; groupBy(): values are the lists of a key.
static bool
to_object(Eval *eval, const PolicyExpr *call, bool grouped, PolicyValue *out)
{
    PolicyValue list;
    bool open = false;
    if (!take_list(eval, call, &list, out, &open) || open)
        return open;
    uint32_t count = policy_count(&list), kept = 0;
    Str *keys = ARENA_ARRAY(eval->arena, Str, count);
    PolicyValue *items = ARENA_ARRAY(eval->arena, PolicyValue, count);
    PolicyValue **groups = ARENA_ARRAY(eval->arena, PolicyValue *, count);
    Map places;
    map_init(&places, eval->arena, true);
    for (uint32_t i = 0; i < count; i++) {
        PolicyValue given[] = {policy_at(&list, i), policy_long(i)}, key, value = given[0];
        if (!call_lambda(eval, call->args[1], given, 2, &key))
            return false;
        if (key.kind == POLICY_UNKNOWN) {
            *out = key;
            return true;
        }
        if (key.kind != POLICY_STRING)
            return eval_fail(eval, "%s() takes a lambda that gives a text", call->function->name);
        if (call->count > 2 && !call_lambda(eval, call->args[2], given, 2, &value))
            return false;
        bool is_new;
        MapEntry *entry = map_add(&places, key.text, &is_new);
        if (is_new) {
            entry->number = kept;
            keys[kept++] = key.text;
        }
        PolicyValue *place = &items[entry->number];
        if (!grouped) {
            *place = value;
            continue;
        }
        uint32_t had = is_new ? 0 : place->count;
        if (!(had & (had - 1))) { // room is made at powers of two
            PolicyValue *room = ARENA_ARRAY(eval->arena, PolicyValue, had ? had * 2 : 1);
            if (had)
                memcpy(room, groups[entry->number], had * sizeof(*room));
            groups[entry->number] = room;
        }
        groups[entry->number][had] = value;
        *place = policy_array(groups[entry->number], had + 1);
    }
    *out = policy_object(keys, items, kept);
    return true;
}

static bool
fn_to_object(Eval *eval, const PolicyExpr *call, PolicyValue *out)
{
    return to_object(eval, call, false, out);
}

static bool
fn_group_by(Eval *eval, const PolicyExpr *call, PolicyValue *out)
{
    return to_object(eval, call, true, out);
}

static bool
fn_map_values(Eval *eval, const PolicyExpr *call, PolicyValue *out)
{
    PolicyValue from;
    if (!expr_evaluate(eval, call->args[0], &from))
        return false;
    *out = from;
    if (from.kind == POLICY_UNKNOWN)
        return true;
    if (from.kind != POLICY_OBJECT)
        return eval_fail(eval, "mapValues() takes an object");
    uint32_t count = policy_count(&from);
    Str *keys = ARENA_ARRAY(eval->arena, Str, count);
    PolicyValue *items = ARENA_ARRAY(eval->arena, PolicyValue, count);
    for (uint32_t i = 0; i < count; i++) {
        PolicyValue given = policy_at(&from, i);
        keys[i] = policy_key_at(&from, i);
        if (!call_lambda(eval, call->args[1], &given, 1, &items[i]))
            return false;
    }
    *out = policy_object(keys, items, count);
    return true;
}

static bool
fn_lambda(Eval *eval, const PolicyExpr *call, PolicyValue *out)
{
    (void)call, (void)out;
    return eval_fail(eval, "a lambda stands only where a function takes one");
}

static bool
fn_lambda_variables(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    const LambdaFrame *frame = eval->template ? eval->template->lambdas : NULL;
    if (args[0].kind != POLICY_STRING)
        return eval_fail(eval, "lambdaVariables() takes a name");
    while (frame && !str_equal_ci(frame->name, args[0].text))
        frame = frame->up;
    if (!frame)
        return eval_fail(eval, "no lambda around has a variable '%.*s'", STR_ARG(args[0].text));
    *out = frame->value;
    return true;
}

const PolicyFunction FUNCTIONS_LAMBDA[] = {
    {"map", 2, 2, true, NULL, fn_map},
    {"filter", 2, 2, true, NULL, fn_filter},
    {"reduce", 3, 3, true, NULL, fn_reduce},
    {"sort", 2, 2, true, NULL, fn_sort},
    {"toObject", 2, 3, true, NULL, fn_to_object},
    {"groupBy", 2, 3, true, NULL, fn_group_by},
    {"mapValues", 2, 2, true, NULL, fn_map_values},
    {"lambda", 2, -1, true, NULL, fn_lambda},
    {"lambdaVariables", 1, 1, true, fn_lambda_variables, NULL},
    {NULL, 0, 0, false, NULL, NULL},
};
