#include "azure/rbac/other_rights.h"

#include "azure/arm.h"
#include "base/buffer.h"
#include "value/scalar.h"

static const Str OWNER = STR_INIT("8e3af657-a8ff-443c-a75c-2fe8c4bcb635");
static const Str USER_ACCESS = STR_INIT("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9");

// The scope that an extension resource stands at: its id before the last "/providers/".
static Str
scope_of(Str id)
{
    static const Str PROVIDERS = STR_INIT("/providers/");
    for (size_t at = id.len; at-- > 0;)
        if (str_equal_ci(str_slice(id, at, at + PROVIDERS.len), PROVIDERS))
            return str_slice(id, 0, at);
    return (Str){0};
}

// ---- Azure Lighthouse ----

#define ASSIGNING "Microsoft.Authorization/roleAssignments"

// The limits of a delegated User Access Administrator, said as a condition. Ids of roles
// come from the data: only what reads as a GUID becomes part of it.
static Str
assigning_condition(Arena *arena, Dyn roles)
{
    Buffer text = {0};
    buffer_text(&text, "ActionMatches{'" ASSIGNING "/write'} AND @Request[" ASSIGNING
                       ":PrincipalType] StringEqualsIgnoreCase 'ServicePrincipal'");
    uint32_t count = dyn_kind(roles) == DYN_ARRAY ? dyn_count(roles) : 0, named = 0;
    for (uint32_t i = 0; i < count; i++) {
        Guid guid;
        if (!guid_parse(arm_last_segment(dyn_string(dyn_at(roles, i))), &guid))
            continue;
        buffer_text(&text, named++ ? ", "
                                   : " AND @Request[" ASSIGNING ":RoleDefinitionId] "
                                     "ForAnyOfAnyValues:GuidEquals {");
        guid_print(&text, guid);
    }
    buffer_text(&text, named ? "}" : "");
    Str condition = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return condition;
}

static bool
add_authorization(AccessModel *model, Arena *arena, const Delegation *delegation, Str origin,
                  Dyn given, bool eligible)
{
    AssignmentRecord record = {
        .id = delegation->id,
        .principal = arm_text(given, "principalId"),
        .role_definition_id = arm_text(given, "roleDefinitionId"),
        .scope = scope_of(delegation->id),
        .eligible = eligible,
        .source = SOURCE_DELEGATION,
        .origin = origin,
    };
    if (!record.principal.len || !record.role_definition_id.len || !record.scope.len)
        return false;
    if (str_equal_ci(arm_last_segment(record.role_definition_id), USER_ACCESS))
        record.condition =
            assigning_condition(arena, dyn_get_ci(given, STR("delegatedRoleDefinitionIds")));
    if (access_find_principal(model, record.principal) == UINT32_MAX)
        access_add_principal(model, record.principal, STR("Foreign"),
                             arm_text(given, "principalIdDisplayName"));
    access_add_assignment(model, &record);
    return true;
}

uint32_t
access_add_delegation(AccessModel *model, Arena *scratch, const Delegation *delegation)
{
    const Dyn lists[] = {delegation->authorizations, delegation->eligible};
    uint32_t unreadable = 0, read = 0;
    Str origin = str_format(scratch, "Azure Lighthouse: '%.*s' of tenant %.*s",
                            STR_ARG(delegation->offer), STR_ARG(delegation->tenant));
    for (int eligible = 0; eligible < 2; eligible++) {
        Dyn list = lists[eligible];
        uint32_t count = dyn_kind(list) == DYN_ARRAY ? dyn_count(list) : 0;
        for (uint32_t i = 0; i < count; i++) {
            bool done =
                add_authorization(model, scratch, delegation, origin, dyn_at(list, i), eligible);
            read += done;
            unreadable += !done;
        }
    }
    return read + unreadable ? unreadable : 1;
}

// ---- classic administrators ----

// Whether a list such as "ServiceAdministrator;AccountAdministrator" names one that could
// do something.
static bool
administers(Str roles)
{
    while (roles.len) {
        ptrdiff_t end = str_find(roles, STR(";"));
        Str role = str_trim(str_slice(roles, 0, end < 0 ? roles.len : (size_t)end));
        if (str_equal_ci(role, STR("ServiceAdministrator")) ||
            str_equal_ci(role, STR("CoAdministrator")))
            return true;
        roles = str_slice(roles, end < 0 ? roles.len : (size_t)end + 1, roles.len);
    }
    return false;
}

bool
access_add_classic(AccessModel *model, Arena *scratch, Str id, Str address, Str user, Str roles)
{
    AssignmentRecord record = {
        .id = id,
        .principal = user.len ? user : address,
        .role_definition_id = OWNER,
        .scope = scope_of(id),
        .source = SOURCE_CLASSIC,
        .origin = str_format(scratch, "classic administrator (%.*s) %.*s", STR_ARG(roles),
                             STR_ARG(address)),
    };
    bool parsed = datetime_parse(STR("2024-08-31T00:00:00Z"), &record.end);
    if (!parsed || !administers(roles) || !record.principal.len || !record.scope.len)
        return false;
    access_add_assignment(model, &record);
    return true;
}
