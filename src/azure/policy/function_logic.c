// Functions of logic and comparison, and which functions there are at all.

#include "azure/policy/program.h"

#include "value/scalar.h"

static bool
fn_equals(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    // In templates text compares with case; in policies without (policy rule, "equals").
    *out = policy_bool(eval->template ? policy_same(&args[0], &args[1])
                                      : policy_value_equal(&args[0], &args[1]));
    return true;
}

static bool
compare(Eval *eval, const PolicyValue *args, PolicyOperator op, PolicyValue *out)
{
    bool texts = args[0].kind == POLICY_STRING && args[1].kind == POLICY_STRING;
    if (!texts && !(policy_is_number(&args[0]) && policy_is_number(&args[1])))
        return eval_fail(eval, "two numbers or two texts can be compared, nothing else");
    *out = policy_bool(operator_holds(eval->arena, op, &args[0], &args[1]));
    return true;
}

static bool
fn_less(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return compare(eval, args, OPERATOR_LESS, out);
}

static bool
fn_less_or_equals(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return compare(eval, args, OPERATOR_LESS_OR_EQUALS, out);
}

static bool
fn_greater(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return compare(eval, args, OPERATOR_GREATER, out);
}

static bool
fn_greater_or_equals(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return compare(eval, args, OPERATOR_GREATER_OR_EQUALS, out);
}

bool
expr_truth(Eval *eval, const PolicyValue *value, bool *out)
{
    if (value->kind == POLICY_BOOL)
        *out = value->boolean;
    else if (value->kind == POLICY_STRING && str_equal_ci(value->text, STR("true")))
        *out = true;
    else if (value->kind == POLICY_STRING && str_equal_ci(value->text, STR("false")))
        *out = false;
    else
        return eval_fail(eval, "true or false is expected");
    return true;
}

static bool
fn_not(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    bool flag = false;
    (void)count;
    if (!expr_truth(eval, &args[0], &flag))
        return false;
    *out = policy_bool(!flag);
    return true;
}

// and(), or(): stop at the first argument that decides.
static bool
all_or_any(Eval *eval, const PolicyExpr *call, bool stop, PolicyValue *out)
{
    PolicyValue open = policy_null();
    for (uint32_t i = 0; i < call->count; i++) {
        PolicyValue value;
        bool flag = false;
        if (!expr_evaluate(eval, call->args[i], &value))
            return false;
        if (value.kind == POLICY_UNKNOWN) { // another may decide all the same
            open = value;
            continue;
        }
        if (!expr_truth(eval, &value, &flag))
            return false;
        *out = policy_bool(flag);
        if (flag == stop)
            return true;
    }
    if (open.kind == POLICY_UNKNOWN)
        *out = open;
    return true;
}

static bool
fn_and(Eval *eval, const PolicyExpr *call, PolicyValue *out)
{
    return all_or_any(eval, call, false, out);
}

static bool
fn_or(Eval *eval, const PolicyExpr *call, PolicyValue *out)
{
    return all_or_any(eval, call, true, out);
}

static bool
fn_if(Eval *eval, const PolicyExpr *call, PolicyValue *out)
{
    PolicyValue value;
    bool flag = false;
    if (!expr_evaluate(eval, call->args[0], &value))
        return false;
    if (value.kind != POLICY_UNKNOWN)
        return expr_truth(eval, &value, &flag) &&
               expr_evaluate(eval, call->args[flag ? 1 : 2], out);
    PolicyValue other;
    if (!expr_evaluate(eval, call->args[1], out) || !expr_evaluate(eval, call->args[2], &other))
        return false;
    if (!policy_same(out, &other)) // both ways the same is no question
        *out = value;
    return true;
}

static bool
fn_coalesce(Eval *eval, const PolicyExpr *call, PolicyValue *out)
{
    *out = policy_null();
    for (uint32_t i = 0; i < call->count && out->kind == POLICY_NULL; i++)
        if (!expr_evaluate(eval, call->args[i], out))
            return false;
    return true;
}

static bool
fn_bool(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    bool flag = false;
    int64_t number;
    if (policy_is_number(&args[0]))
        flag = policy_number(&args[0]) != 0;
    else if (args[0].kind == POLICY_STRING && long_parse(args[0].text, &number))
        flag = number != 0;
    else if (!expr_truth(eval, &args[0], &flag))
        return false;
    *out = policy_bool(flag);
    return true;
}

static bool
fn_true(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)eval, (void)args, (void)count;
    *out = policy_bool(true);
    return true;
}

static bool
fn_false(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)eval, (void)args, (void)count;
    *out = policy_bool(false);
    return true;
}

static bool
fn_null(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)eval, (void)args, (void)count;
    *out = policy_null();
    return true;
}

const PolicyFunction FUNCTIONS_LOGIC[] = {
    {"equals", 2, 2, false, fn_equals, NULL},
    {"less", 2, 2, false, fn_less, NULL},
    {"lessOrEquals", 2, 2, false, fn_less_or_equals, NULL},
    {"greater", 2, 2, false, fn_greater, NULL},
    {"greaterOrEquals", 2, 2, false, fn_greater_or_equals, NULL},
    {"and", 1, -1, false, NULL, fn_and},
    {"or", 1, -1, false, NULL, fn_or},
    {"not", 1, 1, false, fn_not, NULL},
    {"if", 3, 3, false, NULL, fn_if},
    {"coalesce", 1, -1, false, NULL, fn_coalesce},
    {"bool", 1, 1, false, fn_bool, NULL},
    {"true", 0, 0, false, fn_true, NULL},
    {"false", 0, 0, false, fn_false, NULL},
    {"null", 0, 0, false, fn_null, NULL},
    {NULL, 0, 0, false, NULL, NULL},
};

const PolicyFunction *
function_find(Str name)
{
    static const PolicyFunction *const TABLES[] = {
        FUNCTIONS_LOGIC,  FUNCTIONS_NUMBER,  FUNCTIONS_TEXT,     FUNCTIONS_COLLECTION,
        FUNCTIONS_TIME,   FUNCTIONS_CONTEXT, FUNCTIONS_ENCODING, FUNCTIONS_TEMPLATE,
        FUNCTIONS_LAMBDA, FUNCTIONS_CIDR,    FUNCTIONS_FORMAT,
    };
    for (size_t i = 0; i < sizeof TABLES / sizeof TABLES[0]; i++)
        for (const PolicyFunction *function = TABLES[i]; function->name; function++)
            if (str_equal_ci(name, str_from(function->name)))
                return function;
    return NULL;
}

// Source: Microsoft Learn, "Policy rule structure", policy functions.
const char *
function_refused(Str name)
{
    static const char *const NAMES[] = {
        "copyIndex",
        "dateTimeAdd",
        "dateTimeFromEpoch",
        "dateTimeToEpoch",
        "deployment",
        "deployer",
        "environment",
        "extensionResourceId",
        "filter",
        "groupBy",
        "lambda",
        "lambdaVariables",
        "map",
        "mapValues",
        "reduce",
        "sort",
        "toObject",
        "listAccountSas",
        "listKeys",
        "listSecrets",
        "list",
        "managementGroup",
        "managementGroupResourceId",
        "newGuid",
        "pickZones",
        "providers",
        "reference",
        "references",
        "resourceId",
        "subscriptionResourceId",
        "tenantResourceId",
        "tenant",
        "variables",
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (str_equal_ci(name, str_from(NAMES[i])))
            return "is a function of templates that policy rules may not use";
    if (str_equal_ci(name, STR("guid")))
        return "cannot be computed here: the service does not publish how it hashes";
    return NULL;
}

bool
policy_function(Arena *arena, Str name, const PolicyValue *args, uint32_t count, PolicyValue *out,
                Str *why)
{
    const PolicyContext context = {0};
    const PolicyFunction *function = function_find(name);
    if (!function || (int)count < function->least ||
        (function->most >= 0 && (int)count > function->most)) {
        *why = str_format(arena,
                          function ? "%.*s() takes another number of arguments"
                                   : "there is no function %.*s()",
                          STR_ARG(name));
        return false;
    }
    Eval eval = {.arena = arena, .context = &context};
    PolicyExpr call = {.kind = EXPR_CALL, .count = count, .function = function};
    call.args = ARENA_ARRAY(arena, PolicyExpr *, count);
    for (uint32_t i = 0; i < count; i++)
        call.args[i] = expr_literal(arena, args[i]);
    if (expr_evaluate(&eval, &call, out))
        return true;
    *why = eval.why;
    return false;
}
