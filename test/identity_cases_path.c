// Cases of attack paths: whether the goal can be reached, and by as few attack steps.
//
// What only says how things hang together (membership, a service principal of an
// application) is no attack step, and cases differ in whether they list it; the length of
// a path is the number of its other edges. A path that is shorter than the one given is
// printed and counted apart: either it is not real, or the one given is not the shortest.

#include "identity_cases.h"

#include "azure/path/path_goal.h"
#include "azure/path/path_search.h"
#include "base/clock.h"

#include <stdio.h>

static void
add_directory(PathModel *model, Dyn tenant)
{
    Dyn list = member(tenant, "users");
    for (uint32_t i = 0; i < dyn_count(list); i++) {
        Dyn user = dyn_at(list, i);
        path_add_user(model, text(user, "id"), (Str){0},
                      str_equal_ci(text(user, "userType"), STR("Guest")),
                      str_equal(text(user, "network"), STR("internet")));
    }
    list = member(tenant, "groups");
    for (uint32_t i = 0; i < dyn_count(list); i++) {
        Dyn group = dyn_at(list, i);
        path_add_group(model, text(group, "id"), (Str){0}, flag(group, "isAssignableToRole"),
                       text(group, "membershipRule"));
        static const char *const ELIGIBLE[] = {"eligibleMembers", "eligibleOwners"};
        for (int k = 0; k < 2; k++) {
            Dyn ids = member(group, ELIGIBLE[k]);
            for (uint32_t j = 0; j < dyn_count(ids); j++)
                path_add_eligible(model, text(group, "id"), dyn_string(dyn_at(ids, j)), k == 1);
        }
    }
    list = member(tenant, "applications");
    for (uint32_t i = 0; i < dyn_count(list); i++)
        path_add_application(model, text(dyn_at(list, i), "id"), text(dyn_at(list, i), "appId"),
                             (Str){0});
    list = member(tenant, "servicePrincipals");
    for (uint32_t i = 0; i < dyn_count(list); i++)
        path_add_service_principal(
            model, text(dyn_at(list, i), "id"), text(dyn_at(list, i), "appId"), (Str){0},
            str_equal(text(dyn_at(list, i), "type"), STR("ManagedIdentity")), false);
    static const char *const OWNED[] = {"groups", "applications", "servicePrincipals"};
    for (int k = 0; k < 3; k++) {
        list = member(tenant, OWNED[k]);
        for (uint32_t i = 0; i < dyn_count(list); i++) {
            Dyn owners = member(dyn_at(list, i), "owners");
            for (uint32_t j = 0; j < dyn_count(owners); j++)
                path_add_owner(model, text(dyn_at(list, i), "id"), dyn_string(dyn_at(owners, j)));
        }
    }
}

static void
add_roles(PathModel *model, Dyn tenant)
{
    Dyn list = member(tenant, "directoryRoleDefinitions");
    for (uint32_t i = 0; i < dyn_count(list); i++)
        path_add_directory_role_actions(model, text(dyn_at(list, i), "id"), (Str){0},
                                        member(dyn_at(list, i), "actions"));
    list = member(tenant, "directoryRoleAssignments");
    for (uint32_t i = 0; i < dyn_count(list); i++) {
        Dyn item = dyn_at(list, i);
        path_add_directory_assignment(model, (Str){0}, text(item, "principalId"),
                                      text(item, "roleTemplateId"), text(item, "scope"),
                                      str_equal(text(item, "state"), STR("eligible")));
    }
    list = member(tenant, "administrativeUnits");
    for (uint32_t i = 0; i < dyn_count(list); i++) {
        Dyn unit = dyn_at(list, i), members = member(unit, "members");
        path_add_unit(model, text(unit, "id"), (Str){0}, text(unit, "membershipRule"));
        for (uint32_t j = 0; j < dyn_count(members); j++)
            path_add_unit_member(model, text(unit, "id"), dyn_string(dyn_at(members, j)));
    }
    list = member(tenant, "appRoleAssignments");
    for (uint32_t i = 0; i < dyn_count(list); i++)
        if (str_equal(text(dyn_at(list, i), "resourceAppId"),
                      STR("00000003-0000-0000-c000-000000000000")))
            path_add_permission(model, (Str){0}, text(dyn_at(list, i), "principalId"),
                                text(dyn_at(list, i), "value"));
}

static void
add_tokens(PathModel *model, Dyn object)
{
    Dyn list = member(object, "federatedIdentityCredentials");
    for (uint32_t i = 0; i < dyn_count(list); i++)
        path_add_federated(model, (Str){0}, text(object, "id"), text(dyn_at(list, i), "issuer"),
                           text(dyn_at(list, i), "subject"));
}

static void
add_resources(PathModel *model, Dyn tenant)
{
    Dyn list = member(tenant, "resources");
    for (uint32_t i = 0; i < dyn_count(list); i++) {
        Dyn item = dyn_at(list, i), identity = member(item, "identity");
        path_add_resource(model, text(item, "id"), text(item, "type"), text(item, "kind"), identity,
                          member(item, "properties"));
        path_add_identity(model, text(item, "id"), text(identity, "systemAssigned"));
        Dyn assigned = member(identity, "userAssigned"), from = member(item, "receivesPromptsFrom");
        for (uint32_t j = 0; j < dyn_count(assigned); j++)
            path_add_identity(model, text(item, "id"), dyn_string(dyn_at(assigned, j)));
        for (uint32_t j = 0; j < dyn_count(from); j++)
            path_add_prompt_log(model, dyn_string(dyn_at(from, j)), text(item, "id"));
        add_tokens(model, item);
    }
    list = member(tenant, "applications");
    for (uint32_t i = 0; i < dyn_count(list); i++)
        add_tokens(model, dyn_at(list, i));
    list = member(tenant, "externalIdentities");
    for (uint32_t i = 0; i < dyn_count(list); i++)
        path_add_external(model, text(dyn_at(list, i), "id"), text(dyn_at(list, i), "issuer"),
                          text(dyn_at(list, i), "subject"));
    list = member(tenant, "storedCredentials");
    for (uint32_t i = 0; i < dyn_count(list); i++)
        path_add_credential(model, text(dyn_at(list, i), "location"), text(dyn_at(list, i), "for"),
                            member(dyn_at(list, i), "readableBy"));
    list = member(tenant, "cosmosSqlRoleAssignments");
    for (uint32_t i = 0; i < dyn_count(list); i++)
        path_add_sql_role(model, text(dyn_at(list, i), "principalId"),
                          text(dyn_at(list, i), "roleDefinitionId"),
                          text(dyn_at(list, i), "scope"));
}

// Kinds that are attack steps, of a case's list or of a path.
static bool
is_attack(const PathTables *tables, Str name)
{
    const EdgeKind *kind = map_get(&tables->kinds, name);
    return !kind || kind->severity != EDGE_INFO;
}

static uint32_t
expected_length(const Run *run, Dyn edges)
{
    uint32_t length = 0;
    for (uint32_t i = 0; i < dyn_count(edges); i++)
        length += is_attack(&run->paths, dyn_string(dyn_at(dyn_at(edges, i), 0)));
    return length;
}

static bool
is_exact(const PathModel *model, const AttackPath *path, Dyn edges)
{
    if (path->count != dyn_count(edges))
        return false;
    for (uint32_t i = 0; i < path->count; i++) {
        const PathStep *step = &path->steps[i];
        Dyn edge = dyn_at(edges, i);
        if (!str_equal(step->kind->name, dyn_string(dyn_at(edge, 0))) ||
            !str_equal_ci(path_object(model, step->target)->id, dyn_string(dyn_at(edge, 2))))
            return false;
    }
    return true;
}

static Str
describe(const PathModel *model, Arena *arena, const AttackPath *path)
{
    Buffer out = {0};
    for (uint32_t i = 0; i < path->count; i++) {
        const PathStep *step = &path->steps[i];
        buffer_text(&out, i ? ", " : "");
        buffer_str(&out, step->kind->name);
        buffer_char(&out, '(');
        for (uint32_t j = 0; j < step->source_count; j++) {
            buffer_text(&out, j ? "+" : "");
            buffer_str(&out, path_label(model, step->sources[j]));
        }
        buffer_text(&out, " -> ");
        buffer_str(&out, path_label(model, step->target));
        buffer_char(&out, ')');
    }
    Str text_ = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return text_;
}

bool
run_path(Run *run, Arena *arena, Dyn item, Str *why)
{
    RoleSet roles;
    ScopeTree scopes;
    Dyn tenant = member(item, "tenant"), asked = member(item, "question");
    Dyn goal = member(asked, "goal"), expected = member(item, "expected");
    role_set_init(&roles, arena);
    role_set_share(&roles, &run->built_in);
    AccessModel *access = load_tenant(run, arena, &roles, &scopes, tenant);
    PathModel *model = path_new(arena, &run->paths, access, clock_now_ticks());
    add_directory(model, tenant);
    add_roles(model, tenant);
    add_resources(model, tenant);
    path_finish(model);

    static const char *const OBJECTS[] = {"id",    "roleTemplateId", "value",
                                          "group", "role",           "resource"};
    PathGoal wanted = {.kind = text(goal, "kind"), .scope = text(goal, "scope")};
    for (size_t i = 0; i < sizeof OBJECTS / sizeof OBJECTS[0] && !wanted.object.len; i++)
        wanted.object = text(goal, OBJECTS[i]);
    NodeList nodes = {0};
    path_goal_nodes(model, arena, &wanted, &nodes);
    uint32_t from = path_find(model, text(asked, "from"));
    uint32_t start = from == UINT32_MAX ? UINT32_MAX : path_object(model, from)->node;
    uint32_t best = UINT32_MAX;
    PathSearch *search = path_search_new(model, arena);
    if (start != UINT32_MAX) {
        path_search_run(search, &start, 1, !path_object(model, from)->is_outside, NULL);
        for (size_t i = 0; i < nodes.len; i++)
            if (path_search_reached(search, nodes.items[i]) &&
                (best == UINT32_MAX ||
                 path_search_cost(search, nodes.items[i]) < path_search_cost(search, best)))
                best = nodes.items[i];
    }
    AttackPath path = {0};
    if (best != UINT32_MAX)
        path = path_search_path(search, arena, best);
    *why = best == UINT32_MAX ? STR("not reachable") : describe(model, arena, &path);
    Dyn edges = member(expected, "edges");
    if ((best != UINT32_MAX) != flag(expected, "reachable"))
        return false;
    if (best != UINT32_MAX && path.attack_steps > expected_length(run, edges))
        return false;
    if (best != UINT32_MAX && path.attack_steps < expected_length(run, edges)) {
        printf("shorter %.*s: %.*s\n", STR_ARG(text(item, "id")), STR_ARG(*why));
        run->shorter++;
    }
    run->exact += best != UINT32_MAX && is_exact(model, &path, edges);
    return true;
}
