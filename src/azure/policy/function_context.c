// Functions that ask about the surroundings: scopes, the request, the assignment; and addresses.

#include "azure/policy/program.h"

#include <arpa/inet.h>
#include <string.h>

static PolicyValue
object_or_empty(const PolicyValue *value)
{
    return value->kind == POLICY_OBJECT ? *value : policy_object(NULL, NULL, 0);
}

// What the id of the resource says, when nothing more is known.
static bool
fn_resource_group(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    static const Str KEYS[] = {STR_INIT("name"), STR_INIT("id")};
    (void)args, (void)count;
    *out = object_or_empty(&eval->context->resource_group);
    if (out->computed && !out->count && eval->subject && eval->subject->resource_group.len) {
        PolicyValue *values = ARENA_ARRAY(eval->arena, PolicyValue, 2);
        values[0] = policy_text(eval->subject->resource_group);
        values[1] = policy_text(str_format(eval->arena, "/subscriptions/%.*s/resourceGroups/%.*s",
                                           STR_ARG(eval->subject->subscription),
                                           STR_ARG(eval->subject->resource_group)));
        *out = policy_object(KEYS, values, 2);
    }
    return true;
}

static bool
fn_subscription(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    static const Str KEYS[] = {STR_INIT("subscriptionId"), STR_INIT("id")};
    (void)args, (void)count;
    *out = object_or_empty(&eval->context->subscription);
    if (out->computed && !out->count && eval->subject && eval->subject->subscription.len) {
        PolicyValue *values = ARENA_ARRAY(eval->arena, PolicyValue, 2);
        values[0] = policy_text(eval->subject->subscription);
        values[1] = policy_text(
            str_format(eval->arena, "/subscriptions/%.*s", STR_ARG(eval->subject->subscription)));
        *out = policy_object(KEYS, values, 2);
    }
    return true;
}

// In a compliance scan the API version of the request is the newest of the type.
static bool
fn_request_context(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)args, (void)count;
    if (eval->context->request.kind == POLICY_OBJECT) {
        *out = eval->context->request;
        return true;
    }
    Str version = eval->context->api_version;
    if (!version.len && eval->subject && eval->subject->alias_type)
        version = eval->subject->alias_type->api_version;
    Str *keys = ARENA_ARRAY(eval->arena, Str, 1);
    PolicyValue *values = ARENA_ARRAY(eval->arena, PolicyValue, 1);
    keys[0] = STR("apiVersion");
    values[0] = policy_text(version);
    *out = policy_object(keys, values, version.len ? 1 : 0);
    return true;
}

static bool
fn_policy(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)args, (void)count;
    *out = object_or_empty(&eval->context->policy);
    return true;
}

typedef struct AddressRange {
    int family; // AF_INET, AF_INET6; 0 = none
    uint8_t first[16], last[16];
} AddressRange;

static bool
parse_address(Str text, int *family, uint8_t out[16])
{
    char copy[64];
    text = str_trim(text);
    if (text.len >= sizeof copy)
        return false;
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    memset(out, 0, 16);
    *family = strchr(copy, ':') ? AF_INET6 : AF_INET;
    return inet_pton(*family, copy, out) == 1;
}

static bool
parse_bits(Str text, int most, int *out)
{
    if (!text.len || text.len > 3)
        return false;
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        *out = *out * 10 + (text.ptr[i] - '0');
    }
    return *out <= most;
}

// An address, a CIDR block, or two addresses with a dash between.
static bool
parse_range(Str text, AddressRange *out)
{
    ptrdiff_t dash = str_find(text, STR("-")), slash = str_find(text, STR("/"));
    int other;
    if (dash > 0)
        return parse_address(str_slice(text, 0, (size_t)dash), &out->family, out->first) &&
               parse_address(str_slice(text, (size_t)dash + 1, text.len), &other, out->last) &&
               other == out->family;
    Str address = slash > 0 ? str_slice(text, 0, (size_t)slash) : text;
    if (!parse_address(address, &out->family, out->first))
        return false;
    int width = out->family == AF_INET ? 32 : 128, bits = width;
    if (slash > 0 && !parse_bits(str_slice(text, (size_t)slash + 1, text.len), width, &bits))
        return false;
    memcpy(out->last, out->first, 16);
    for (int bit = bits; bit < width; bit++) {
        uint8_t mask = (uint8_t)(0x80 >> (bit % 8));
        out->first[bit / 8] &= (uint8_t)~mask;
        out->last[bit / 8] |= mask;
    }
    return true;
}

static bool
fn_ip_range_contains(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    AddressRange range = {0}, target = {0};
    if (args[0].kind != POLICY_STRING || args[1].kind != POLICY_STRING)
        return eval_fail(eval, "ipRangeContains() takes two texts");
    *out = policy_bool(false);
    if (!parse_range(args[0].text, &range) || !parse_range(args[1].text, &target))
        return true;
    if (range.family != target.family)
        return eval_fail(eval, "IPv4 and IPv6 do not mix in ipRangeContains()");
    if (memcmp(range.first, range.last, 16) > 0 || memcmp(target.first, target.last, 16) > 0)
        return eval_fail(eval, "the range of ipRangeContains() ends before it starts");
    *out = policy_bool(memcmp(range.first, target.first, 16) <= 0 &&
                       memcmp(target.last, range.last, 16) <= 0);
    return true;
}

const PolicyFunction FUNCTIONS_CONTEXT[] = {
    {"resourceGroup", 0, 0, false, fn_resource_group, NULL},
    {"subscription", 0, 0, false, fn_subscription, NULL},
    {"requestContext", 0, 0, false, fn_request_context, NULL},
    {"policy", 0, 0, false, fn_policy, NULL},
    {"ipRangeContains", 2, 2, false, fn_ip_range_contains, NULL},
    {NULL, 0, 0, false, NULL, NULL},
};
