// Any bytes as the condition of a role assignment: what cannot be read says where; what can
// be read evaluates, knowing more never turns an answer round, and NOT negates it.

#include "azure/rbac/condition.h"
#include "value/json.h"

#include <stdlib.h>
#include <string.h>

static void
require(bool condition)
{
    if (!condition)
        abort();
}

// What the attributes are named like in the dictionary and the seeds, and a short one.
static const char ATTRIBUTES[] =
    "{\"a\":\"x\",\"n\":3,\"t\":true,\"l\":[\"x\",\"Y\",3],\"e\":[],\"z\":null,\"b\":{\"c\":1},"
    "\"d\":\"2026-01-01T00:00:00Z\",\"UtcNow\":\"2026-11-25T12:00:00.1Z\",\"isPrivateLink\":true,"
    "\"Microsoft.Authorization/roleAssignments:RoleDefinitionId\":"
    "\"8e3af657-a8ff-443c-a75c-2fe8c4bcb635\","
    "\"Microsoft.Authorization/roleAssignments:PrincipalType\":\"ServicePrincipal\","
    "\"Microsoft.Storage/storageAccounts/blobServices/containers:name\":\"logs\"}";

static Tristate
evaluate(Arena *arena, const Condition *condition, Dyn bag, bool complete)
{
    ConditionContext context = {
        .action = STR("Microsoft.Authorization/roleAssignments/write"),
        .sub_operation = STR("Blob.List"),
        .star = STAR_SEGMENT_ZERO,
    };
    for (int i = 0; i < ATTRIBUTE_SOURCES; i++) {
        context.attributes[i] = bag;
        context.complete[i] = complete;
    }
    AttributeList unknown = {0};
    Tristate answer = condition_evaluate(arena, condition, &context, &unknown);
    require((answer == TRI_UNKNOWN) == (unknown.len > 0));
    require(answer != TRI_UNKNOWN || !complete);
    return answer;
}

static Tristate
negated(Tristate answer)
{
    return answer == TRI_UNKNOWN ? answer : answer == TRI_TRUE ? TRI_FALSE : TRI_TRUE;
}

static void
run(Arena *arena, Str text, const Condition *condition)
{
    Text tree;
    bool is_null;
    json_parse_text(arena, str_from(ATTRIBUTES), &tree, &is_null);
    Dyn bag = dyn_of_text(&tree), nothing = {0};
    Tristate blind = evaluate(arena, condition, nothing, false);
    Tristate open = evaluate(arena, condition, bag, false);
    Tristate closed = evaluate(arena, condition, bag, true);
    Tristate missing = evaluate(arena, condition, nothing, true);
    require(blind == TRI_UNKNOWN || (blind == open && blind == missing));
    require(open == TRI_UNKNOWN || open == closed);

    // In parentheses and negated it is the same condition.
    AzError error = {0};
    Condition *not =
        condition_parse(arena, str_format(arena, "!(%.*s)", STR_ARG(text)), NULL, &error);
    if (not ) // else the parentheses make it too long or too deep
        require(evaluate(arena, not, bag, false) == negated(open));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena arena = {0};
    AzError error = {0};
    bool ambiguous;
    Str text = {(const char *)data, size};
    Condition *condition = condition_parse(&arena, text, &ambiguous, &error);
    if (condition) {
        run(&arena, text, condition);
    } else {
        require(error.code != AZ_OK && error.message[0]);
        require(!error.has_span || (error.span.start <= size && error.span.end <= size));
    }
    arena_free(&arena);
    return 0;
}
