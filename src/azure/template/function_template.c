// Functions that only templates have: names and ids, the deployment, and what is known only when
// it runs.

#include "azure/template/template_scope.h"

#include <string.h>

static bool
need_scope(Eval *eval)
{
    return eval->template || eval_fail(eval, "this is a function of templates");
}

static bool
fn_parameters(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (!need_scope(eval))
        return false;
    return args[0].kind == POLICY_STRING ? scope_parameter(eval, args[0].text, out)
                                         : eval_fail(eval, "parameters() takes a name");
}

static bool
fn_variables(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (!need_scope(eval))
        return false;
    return args[0].kind == POLICY_STRING ? scope_variable(eval, args[0].text, out)
                                         : eval_fail(eval, "variables() takes a name");
}

// copyIndex(), copyIndex(offset), copyIndex('loop'), copyIndex('loop', offset)
static bool
fn_copy_index(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    if (!need_scope(eval))
        return false;
    bool named = count && args[0].kind == POLICY_STRING;
    const PolicyValue *offset = named ? (count > 1 ? &args[1] : NULL) : count ? &args[0] : NULL;
    if ((offset && offset->kind != POLICY_LONG) || (!named && count > 1))
        return eval_fail(eval, "copyIndex() takes the name of a loop and a number to add");
    const CopyFrame *frame = eval->template->copies;
    while (named && frame && !str_equal_ci(frame->name, args[0].text))
        frame = frame->up;
    if (!frame)
        return eval_fail(eval, "copyIndex() is outside of %s", named ? "that loop" : "any loop");
    int64_t add = offset ? offset->integer : 0, sum;
    if (__builtin_add_overflow(frame->index, add, &sum))
        return eval_fail(eval, "the offset of copyIndex() is too large");
    *out = policy_long(sum);
    return true;
}

// Ids -----------------------------------------------------------------------

static bool
all_texts(Eval *eval, const PolicyValue *args, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (args[i].kind != POLICY_STRING)
            return eval_fail(eval, "ids are put together from texts");
    return true;
}

// The place of the type among the arguments: the first with a slash behind a provider's name.
static uint32_t
type_argument(const PolicyValue *args, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const char *slash =
            args[i].text.len ? memchr(args[i].text.ptr, '/', args[i].text.len) : NULL;
        if (slash && args[i].text.ptr[0] != '/')
            return i;
    }
    return count;
}

static bool
give_id(Eval *eval, Str place, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    Buffer name = {0};
    for (uint32_t i = 1; i < count; i++) {
        if (i > 1)
            buffer_char(&name, '/');
        buffer_str(&name, args[i].text);
    }
    Str plain, id = {0};
    if (count)
        id = planned_id(eval->arena, place, args[0].text, buffer_slice(&name), &plain);
    buffer_free(&name);
    *out = policy_text(id);
    return id.len || eval_fail(eval, "the names do not fit the segments of the type");
}

static bool
fn_resource_id(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    if (!need_scope(eval) || !all_texts(eval, args, count))
        return false;
    uint32_t at = type_argument(args, count);
    Str target = eval->template->target;
    Str sub = scope_segment(target, "subscriptions");
    Str group = scope_segment(target, "resourceGroups");
    if (at > 2 || at == count)
        return eval_fail(eval,
                         "resourceId() takes a type behind at most a subscription and a group");
    if (at == 2)
        sub = args[0].text;
    if (at)
        group = args[at - 1].text;
    // In a template of a subscription one argument before the type is a subscription.
    if (at == 1 && !scope_segment(target, "resourceGroups").len && group.len == 36) {
        sub = group;
        group = (Str){0};
    }
    Str place = {0};
    if (sub.len && group.len)
        place = str_format(eval->arena, "/subscriptions/%.*s/resourceGroups/%.*s", STR_ARG(sub),
                           STR_ARG(group));
    else if (sub.len)
        place = str_format(eval->arena, "/subscriptions/%.*s", STR_ARG(sub));
    return give_id(eval, place, args + at, count - at, out);
}

static bool
fn_subscription_resource_id(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    if (!need_scope(eval) || !all_texts(eval, args, count))
        return false;
    uint32_t at = type_argument(args, count);
    if (at > 1 || at == count)
        return eval_fail(eval,
                         "subscriptionResourceId() takes a type behind at most a subscription");
    Str sub = at ? args[0].text : scope_segment(eval->template->target, "subscriptions");
    return give_id(eval, str_format(eval->arena, "/subscriptions/%.*s", STR_ARG(sub)), args + at,
                   count - at, out);
}

static bool
fn_tenant_resource_id(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    return all_texts(eval, args, count) && give_id(eval, (Str){0}, args, count, out);
}

static bool
fn_management_group_resource_id(Eval *eval, const PolicyValue *args, uint32_t count,
                                PolicyValue *out)
{
    static const char PREFIX[] = "/providers/Microsoft.Management/managementGroups";
    if (!need_scope(eval) || !all_texts(eval, args, count))
        return false;
    uint32_t at = type_argument(args, count);
    if (at > 1 || at == count)
        return eval_fail(eval, "managementGroupResourceId() takes a type behind at most a group");
    Str group = at ? args[0].text : scope_segment(eval->template->target, "managementGroups");
    return give_id(eval, str_format(eval->arena, "%s/%.*s", PREFIX, STR_ARG(group)), args + at,
                   count - at, out);
}

static bool
fn_extension_resource_id(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    return all_texts(eval, args, count) && give_id(eval, args[0].text, args + 1, count - 1, out);
}

// The deployment ------------------------------------------------------------

static bool
fn_deployment(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    static const Str KEYS[] = {STR_INIT("name"), STR_INIT("location"), STR_INIT("properties")};
    static const Str INNER[] = {STR_INIT("template"), STR_INIT("templateLink"), STR_INIT("mode")};
    (void)args, (void)count;
    if (!need_scope(eval))
        return false;
    TemplateScope *scope = eval->template;
    PolicyValue *inner = ARENA_ARRAY(eval->arena, PolicyValue, 3);
    inner[0] = policy_value_of(scope->template);
    inner[1] = scope_unknown(scope, "deployment().properties.templateLink");
    inner[2] = policy_text(STR("Incremental"));
    PolicyValue *values = ARENA_ARRAY(eval->arena, PolicyValue, 3);
    values[0] = scope->deployment.len ? policy_text(scope->deployment)
                                      : scope_unknown(scope, "the name of the deployment");
    values[1] = scope_unknown(scope, "the location of the deployment");
    values[2] = policy_object(INNER, inner, 3);
    *out = policy_object(KEYS, values, 3);
    return true;
}

// Public Azure; https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-deployment#environment
static bool
fn_environment(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    static const char *const SUFFIXES[][2] = {
        {"acrLoginServer", ".azurecr.io"},
        {"azureDatalakeAnalyticsCatalogAndJob", "azuredatalakeanalytics.net"},
        {"azureDatalakeStoreFileSystem", "azuredatalakestore.net"},
        {"azureFrontDoorEndpointSuffix", "azurefd.net"},
        {"keyvaultDns", ".vault.azure.net"},
        {"sqlServerHostname", ".database.windows.net"},
        {"storage", "core.windows.net"},
    };
    static const char *const PLAIN[][2] = {
        {"name", "AzureCloud"},
        {"gallery", "https://gallery.azure.com/"},
        {"graph", "https://graph.windows.net/"},
        {"portal", "https://portal.azure.com"},
        {"graphAudience", "https://graph.windows.net/"},
        {"batch", "https://batch.core.windows.net/"},
        {"media", "https://rest.media.azure.net"},
        {"sqlManagement", "https://management.core.windows.net:8443/"},
        {"resourceManager", "https://management.azure.com/"},
        {"activeDirectoryDataLake", "https://datalake.azure.net/"},
    };
    enum { N = sizeof SUFFIXES / sizeof SUFFIXES[0], P = sizeof PLAIN / sizeof PLAIN[0] };
    static const Str LOGIN[] = {STR_INIT("loginEndpoint"), STR_INIT("audiences"),
                                STR_INIT("tenant"), STR_INIT("identityProvider")};
    (void)args, (void)count;
    Str *suffix_keys = ARENA_ARRAY(eval->arena, Str, N),
        *keys = ARENA_ARRAY(eval->arena, Str, P + 2);
    PolicyValue *suffixes = ARENA_ARRAY(eval->arena, PolicyValue, N);
    PolicyValue *values = ARENA_ARRAY(eval->arena, PolicyValue, P + 2);
    PolicyValue *login = ARENA_ARRAY(eval->arena, PolicyValue, 4);
    PolicyValue *audiences = ARENA_ARRAY(eval->arena, PolicyValue, 2);
    for (size_t i = 0; i < N; i++) {
        suffix_keys[i] = str_from(SUFFIXES[i][0]);
        suffixes[i] = policy_text(str_from(SUFFIXES[i][1]));
    }
    for (size_t i = 0; i < P; i++) {
        keys[i] = str_from(PLAIN[i][0]);
        values[i] = policy_text(str_from(PLAIN[i][1]));
    }
    audiences[0] = policy_text(STR("https://management.core.windows.net/"));
    audiences[1] = policy_text(STR("https://management.azure.com/"));
    login[0] = policy_text(STR("https://login.microsoftonline.com/"));
    login[1] = policy_array(audiences, 2);
    login[2] = policy_text(STR("common"));
    login[3] = policy_text(STR("AAD"));
    keys[P] = STR("suffixes");
    values[P] = policy_object(suffix_keys, suffixes, N);
    keys[P + 1] = STR("authentication");
    values[P + 1] = policy_object(LOGIN, login, 4);
    *out = policy_object(keys, values, P + 2);
    return true;
}

static bool
fn_management_group(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    static const Str KEYS[] = {STR_INIT("id"), STR_INIT("name"), STR_INIT("type"),
                               STR_INIT("properties")};
    (void)args, (void)count;
    if (!need_scope(eval))
        return false;
    Str name = scope_segment(eval->template->target, "managementGroups");
    if (!name.len) {
        *out = scope_unknown(eval->template, "managementGroup() of a deployment elsewhere");
        return true;
    }
    PolicyValue *values = ARENA_ARRAY(eval->arena, PolicyValue, 4);
    values[0] = policy_text(eval->template->target);
    values[1] = policy_text(name);
    values[2] = policy_text(STR("/providers/Microsoft.Management/managementGroups"));
    values[3] = scope_unknown(eval->template, "managementGroup().properties");
    *out = policy_object(KEYS, values, 4);
    return true;
}

static bool
fn_fail(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count, (void)out;
    Str text = args[0].kind == POLICY_STRING ? args[0].text : (Str){0};
    return eval_fail(eval, "the template gives up: %.*s", STR_ARG(text));
}

static bool
fn_xor(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    bool left = false, right = false;
    (void)count;
    if (!expr_truth(eval, &args[0], &left) || !expr_truth(eval, &args[1], &right))
        return false;
    *out = policy_bool(left != right);
    return true;
}

// What only the running deployment knows. The arguments are evaluated for their errors, not for
// their values.
static bool
fn_runtime(Eval *eval, const PolicyExpr *call, PolicyValue *out)
{
    if (!need_scope(eval))
        return false;
    PolicyValue first = {0};
    bool named = call->count && call->args[0]->kind == EXPR_LITERAL;
    for (uint32_t i = 0; i < call->count; i++) {
        PolicyValue value;
        if (!expr_evaluate(eval, call->args[i], &value))
            return false;
        if (!i)
            first = value;
    }
    if (first.kind == POLICY_STRING)
        *out = scope_unknown(eval->template, "%s('%.*s'), known when the deployment runs",
                             call->function->name,
                             (int)(first.text.len < 200 ? first.text.len : 200), first.text.ptr);
    else
        *out = scope_unknown(eval->template, "%s(%s), known when the deployment runs",
                             call->function->name, call->count && !named ? "..." : "");
    return true;
}

static bool
fn_user(Eval *eval, const PolicyExpr *call, PolicyValue *out)
{
    return need_scope(eval) && scope_user_call(eval, call, out);
}

const PolicyFunction FUNCTION_USER = {"a user-defined function", 0, -1, true, NULL, fn_user};

const PolicyFunction FUNCTIONS_TEMPLATE[] = {
    {"parameters", 1, 1, true, fn_parameters, NULL},
    {"variables", 1, 1, true, fn_variables, NULL},
    {"copyIndex", 0, 2, true, fn_copy_index, NULL},
    {"resourceId", 2, -1, true, fn_resource_id, NULL},
    {"subscriptionResourceId", 2, -1, true, fn_subscription_resource_id, NULL},
    {"tenantResourceId", 2, -1, true, fn_tenant_resource_id, NULL},
    {"managementGroupResourceId", 2, -1, true, fn_management_group_resource_id, NULL},
    {"extensionResourceId", 3, -1, true, fn_extension_resource_id, NULL},
    {"deployment", 0, 0, true, fn_deployment, NULL},
    {"environment", 0, 0, true, fn_environment, NULL},
    {"managementGroup", 0, 0, true, fn_management_group, NULL},
    {"fail", 1, 1, true, fn_fail, NULL},
    {"xor", 2, 2, true, fn_xor, NULL},
    {"reference", 1, 3, true, NULL, fn_runtime},
    {"references", 1, 2, true, NULL, fn_runtime},
    {"list", 1, 3, true, NULL, fn_runtime}, // and all that start so
    {"getSecret", 1, 3, true, NULL, fn_runtime},
    {"providers", 1, 2, true, NULL, fn_runtime},
    {"pickZones", 3, 5, true, NULL, fn_runtime},
    {"newGuid", 0, 0, true, NULL, fn_runtime},
    {"guid", 1, -1, true, NULL, fn_runtime},
    {"deployer", 0, 0, true, NULL, fn_runtime},
    {"tenant", 0, 0, true, NULL, fn_runtime},
    {NULL, 0, 0, false, NULL, NULL},
};
