// Attack paths on hostile data: circles, ids twice and in mixed case, ids that nothing
// describes, owners of themselves; what needs several things together; the compressed
// graph against a slow fixpoint on random tenants.

#include "azure/path/path_list.h"
#include "azure/path/path_result.h"
#include "azure/path/path_search.h"
#include "base/array.h"
#include "report/path_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "path_world.h"

// ---- hostile data ----

static void
circles_and_ids_twice(void **state)
{
    (void)state;
    World *world = open_world();
    access_add_member(world->access, STR("g1"), STR("g2"));
    access_add_member(world->access, STR("G2"), STR("G1"));
    access_add_member(world->access, STR("g1"), STR("g1"));
    access_add_member(world->access, STR("g2"), STR("u"));
    path_add_user(world->model, STR("u"), STR("first"), false, false);
    path_add_user(world->model, STR("U"), STR("second"), true, false);
    path_add_group(world->model, STR("g1"), STR("one"), false, (Str){0});
    path_add_group(world->model, STR("G1"), STR("two"), true, (Str){0});
    assign(world, "g1", OWNER, RG);
    finish(world);
    uint32_t user = path_find(world->model, STR("U"));
    assert_int_equal(path_object(world->model, user)->kind, OBJECT_USER);
    assert_true(str_equal(path_label(world->model, user), STR("first")));
    assert_int_equal(steps_to(world, "u", RG, CAP_ANY_ROLE), 1);
    close_world(world);
}

static void
owners_of_themselves_and_of_nothing(void **state)
{
    (void)state;
    World *world = open_world();
    path_add_user(world->model, STR("u"), (Str){0}, false, false);
    path_add_application(world->model, STR("app"), STR("a"), (Str){0});
    path_add_service_principal(world->model, STR("sp"), STR("a"), (Str){0}, false, false);
    path_add_owner(world->model, STR("app"), STR("app"));
    path_add_owner(world->model, STR("app"), STR("sp"));
    path_add_owner(world->model, STR("sp"), STR("sp"));
    path_add_owner(world->model, STR("gone"), STR("u"));
    path_add_owner(world->model, STR("app"), STR(""));
    path_add_owner(world->model, STR("app"), STR("ghost"));
    path_add_directory_assignment(world->model, STR("d"), STR("nobody"), STR("no-such-role"),
                                  STR("/administrativeUnits/"), false);
    path_add_directory_assignment(world->model, STR("d"), STR("u"), STR("no-such-role"), STR("x"),
                                  false);
    path_add_unit_member(world->model, STR("unit"), STR("u"));
    path_add_permission(world->model, STR("p"), STR("sp"), STR("No.Such.Permission"));
    path_add_eligible(world->model, STR("no-group"), STR("u"), true);
    path_add_federated(world->model, STR("f"), STR("app"), STR(""), STR("s"));
    path_add_credential(world->model, STR("/"), STR("sp"), dyn_null());
    finish(world);
    assert_int_equal(steps_to(world, "u", "app", CAP_CONTROL), -1);
    assert_int_equal(steps_to(world, "ghost", "sp", CAP_CONTROL), 1);
    close_world(world);
}

static void
properties_of_any_shape(void **state)
{
    (void)state;
    static const char *const SHAPES[] = {
        "null",
        "[]",
        "7",
        "\"text\"",
        "{\"principalId\":{},\"userAssignedIdentities\":[1,null],\"accessPolicies\":{\"a\":1}}",
        "{\"accessPolicies\":[null,7,{\"objectId\":[],\"permissions\":{\"secrets\":\"get\"}}],"
        "\"networkAcls\":[],\"publicNetworkAccess\":{},\"principalId\":\"\"}",
        "{\"ipConfigurations\":[{\"properties\":null},3],\"virtualMachine\":{\"id\":\"" VAULT "\"},"
        "\"networkSecurityGroup\":{\"id\":7},\"securityRules\":[{\"properties\":{\"priority\":"
        "\"x\","
        "\"destinationPortRange\":\"99999999999999999999-\"}}],\"subnets\":[null]}",
        "{\"storageAccount\":\"" VAULT "\",\"nodeResourceGroup\":\"//\",\"target\":\"://\"}",
    };
    static const char *const TYPES[] = {
        "Microsoft.KeyVault/vaults",
        "microsoft.managedidentity/userassignedidentities",
        "microsoft.network/networkinterfaces",
        "microsoft.network/networksecuritygroups",
        "microsoft.network/virtualnetworks",
        "microsoft.containerservice/managedclusters",
        "microsoft.machinelearningservices/workspaces",
        "microsoft.machinelearningservices/workspaces/computes",
        "microsoft.machinelearningservices/workspaces/datastores",
        "microsoft.cognitiveservices/accounts/connections",
        "microsoft.cognitiveservices/accounts/projects",
        "",
    };
    for (size_t s = 0; s < COUNT_OF(SHAPES); s++) {
        World *world = open_world();
        for (size_t t = 0; t < COUNT_OF(TYPES); t++) {
            char id[200];
            snprintf(id, sizeof id, RG "/providers/X.Y/t/r%zu", t);
            resource(world, id, TYPES[t], SHAPES[s], SHAPES[s]);
        }
        resource(world, "/", "microsoft.keyvault/vaults", "{}", "{}");
        resource(world, "relative", "microsoft.keyvault/vaults", "{}", "{}");
        resource(world, "/subscriptions//resourceGroups", "", "{}", "{}");
        assign(world, "u", OWNER, "//subscriptions///s/");
        finish(world);
        assert_true(steps_to(world, "u", RG "/providers/X.Y/t/r0", CAP_SECRETS) > 0);
        close_world(world);
    }
}

// ---- together ----

static void
keys_need_local_authentication(void **state)
{
    (void)state;
    for (int off = 0; off < 2; off++) {
        World *world = open_world();
        resource(world, MODEL, "microsoft.cognitiveservices/accounts", "{}",
                 off ? "{\"disableLocalAuth\":true}" : "{\"disableLocalAuth\":false}");
        assign(world, "both", CONTRIBUTOR, MODEL);
        assign(world, "reader", READER, MODEL);
        finish(world);
        assert_int_equal(steps_to(world, "both", MODEL, CAP_INVOKE), off ? 3 : 2);
        assert_int_equal(steps_to(world, "reader", MODEL, CAP_INVOKE), -1);
        close_world(world);
    }
}

// Two operations of one call must be the same caller's; through two groups they are.
static void
one_caller_for_one_call(void **state)
{
    (void)state;
    World *world = open_world();
    role_set_add(&world->roles,
                 json(world, "{\"id\":\"assign\",\"permissions\":[{\"actions\":[\"Microsoft."
                             "ManagedIdentity/userAssignedIdentities/*/assign/action\"]}]}"),
                 false);
    role_set_add(&world->roles,
                 json(world, "{\"id\":\"compute\",\"permissions\":[{\"actions\":[\"Microsoft."
                             "Compute/virtualMachines/write\"]}]}"),
                 false);
    resource(world, IDENTITY, "microsoft.managedidentity/userassignedidentities", "{}",
             "{\"principalId\":\"mi\"}");
    assign(world, "g-assign", "assign", IDENTITY);
    assign(world, "g-compute", "compute", "/subscriptions/other/resourceGroups/rg");
    access_add_member(world->access, STR("g-assign"), STR("both"));
    access_add_member(world->access, STR("g-compute"), STR("both"));
    access_add_member(world->access, STR("g-assign"), STR("one"));
    access_add_member(world->access, STR("g-compute"), STR("other"));
    path_add_owner(world->model, STR("other-app"), STR("one"));
    path_add_application(world->model, STR("other-app"), STR("x"), (Str){0});
    path_add_service_principal(world->model, STR("other"), STR("x"), (Str){0}, false, false);
    finish(world);
    assert_int_equal(steps_to(world, "both", "mi", CAP_CONTROL), 1);
    // `one` can take over `other`, but neither of the two can make the call.
    assert_int_equal(steps_to(world, "one", "other", CAP_CONTROL), 1);
    assert_int_equal(steps_to(world, "one", "mi", CAP_CONTROL), -1);
    close_world(world);
}

static void
trust_needs_both_halves(void **state)
{
    (void)state;
    World *world = open_world();
    path_add_user(world->model, STR("victim"), (Str){0}, false, false);
    path_add_user(world->model, STR("u"), (Str){0}, false, false);
    path_add_user(world->model, STR("half"), (Str){0}, false, false);
    path_add_service_principal(world->model, STR("sp"), STR("a"), (Str){0}, false, false);
    path_add_owner(world->model, STR("sp"), STR("u"));
    path_add_permission(world->model, STR("p"), STR("sp"), STR("Organization.ReadWrite.All"));
    path_add_directory_assignment(world->model, STR("d"), STR("u"),
                                  STR("0526716b-113d-4c15-b2c8-68e3c22b9f80"), STR("/"), false);
    path_add_directory_assignment(world->model, STR("d"), STR("half"),
                                  STR("0526716b-113d-4c15-b2c8-68e3c22b9f80"), STR("/"), true);
    finish(world);
    assert_int_equal(steps_to(world, "u", "victim", CAP_CONTROL), 3);
    assert_int_equal(steps_to(world, "half", "victim", CAP_CONTROL), -1);
    close_world(world);
}

static void
a_denial_binds_and_spares(void **state)
{
    (void)state;
    World *world = open_world();
    resource(world, VAULT, "microsoft.keyvault/vaults", "{}", "{}");
    assign(world, "group", CONTRIBUTOR, "/subscriptions/s");
    access_add_member(world->access, STR("group"), STR("spared"));
    access_add_member(world->access, STR("group"), STR("bound"));
    assert_true(access_add_deny(
        world->access, STR("deny"),
        json(world, "{\"scope\":\"" RG "\",\"permissions\":[{\"actions\":[\"*/write\"]}],"
                    "\"principals\":[{\"id\":\"00000000-0000-0000-0000-000000000000\"}],"
                    "\"excludePrincipals\":[{\"id\":\"spared\"}]}")));
    finish(world);
    assert_int_equal(steps_to(world, "spared", VAULT, CAP_POLICY), 1);
    assert_int_equal(steps_to(world, "bound", VAULT, CAP_POLICY), -1);
    close_world(world);
}

static void
conditions_bound_who_may_assign_what(void **state)
{
    (void)state;
    World *world = open_world();
    resource(world, VAULT, "microsoft.keyvault/vaults", "{}", "{\"enableRbacAuthorization\":true}");
    AssignmentRecord record = {
        .id = STR("a"),
        .principal = STR("u"),
        .role_definition_id = STR("f58310d9-a9f6-439a-9e8d-f62e7b41a168"),
        .scope = STR(RG),
        .condition = STR("(!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'}) OR "
                         "(@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] "
                         "ForAnyOfAnyValues:GuidEquals {4633458b-17de-408a-b874-0445c86b69e6}))"),
    };
    access_add_assignment(world->access, &record);
    finish(world);
    // Key Vault Secrets User, which it may assign, and no more.
    assert_int_equal(steps_to(world, "u", VAULT, CAP_SECRETS), 2);
    assert_int_equal(steps_to(world, "u", VAULT, CAP_REACH), -1);
    assert_int_equal(steps_to(world, "u", RG, CAP_ANY_ROLE), -1);
    close_world(world);
}

// Who edits a custom role at all its scopes, and holds it, holds everything there.
static void
an_edited_role_gives_anything(void **state)
{
    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        World *world = open_world();
        role_set_add(&world->roles,
                     json(world, "{\"id\":\"custom\",\"permissions\":[{\"actions\":[\"Microsoft."
                                 "Storage/storageAccounts/read\"]}]}"),
                     false);
        role_set_add(&world->roles,
                     json(world, "{\"id\":\"editor\",\"permissions\":[{\"actions\":[\"Microsoft."
                                 "Authorization/roleDefinitions/write\"]}]}"),
                     false);
        path_add_custom_role(
            world->model, STR("/x/custom"), STR("Custom"),
            json(world, wide ? "[\"" RG "\",\"/subscriptions/other\",null]" : "[\"" RG "\"]"));
        assign(world, "u", "custom", RG);
        assign(world, "u", "editor", "/subscriptions/s");
        assign(world, "v", "editor", "/subscriptions/s");
        finish(world);
        assert_int_equal(steps_to(world, "u", RG, CAP_ANY_ROLE), wide ? -1 : 1);
        assert_int_equal(steps_to(world, "v", RG, CAP_ANY_ROLE), -1);
        close_world(world);
    }
}

// ---- against a slow fixpoint ----

static uint64_t seed = 7;

static uint32_t
roll(uint32_t sides)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % sides;
}

// Every node whose turn has come, until nothing changes.
static void
slow_fixpoint(const PathModel *model, uint32_t start, bool *held)
{
    held[start] = held[path_inside_network(model)] = true;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t node = 0; node < path_node_count(model); node++) {
            uint32_t count, have = 0;
            const uint32_t *edges = path_edges_to(model, node, &count);
            for (uint32_t i = 0; i < count; i++)
                have += held[path_edge(model, edges[i])->from];
            bool all = path_node(model, node)->kind == NODE_ALL;
            if (!held[node] && count && (all ? have == count : have > 0))
                changed = held[node] = true;
        }
    }
}

static void
add_random(World *world)
{
    static const char *const ROLES[] = {OWNER, CONTRIBUTOR, READER,
                                        "4633458b-17de-408a-b874-0445c86b69e6",
                                        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"};
    static const char *const SCOPES[] = {"/subscriptions/s", RG, VAULT, MODEL, IDENTITY};
    static const char *const DIRECTORY[] = {GLOBAL_ADMINISTRATOR,
                                            "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
                                            "729827e3-9c14-49f7-bb1b-9608f156bbb8"};
    char a[8], b[8];
    for (int i = 0; i < 12; i++) {
        snprintf(a, sizeof a, "p%u", roll(10));
        snprintf(b, sizeof b, "p%u", roll(10));
        switch (roll(5)) {
        case 0: access_add_member(world->access, str_from(a), str_from(b)); break;
        case 1:
            assign(world, a, ROLES[roll(COUNT_OF(ROLES))], SCOPES[roll(COUNT_OF(SCOPES))]);
            break;
        case 2: path_add_owner(world->model, str_from(a), str_from(b)); break;
        case 3:
            path_add_directory_assignment(world->model, STR("d"), str_from(a),
                                          str_from(DIRECTORY[roll(COUNT_OF(DIRECTORY))]), STR("/"),
                                          roll(3) == 0);
            break;
        default: path_add_credential(world->model, STR(VAULT), str_from(a), dyn_null());
        }
    }
    for (int i = 0; i < 10; i++) {
        snprintf(a, sizeof a, "p%d", i);
        if (i < 4)
            path_add_user(world->model, str_from(a), (Str){0}, false, false);
        else if (i < 6)
            path_add_group(world->model, str_from(a), (Str){0}, roll(2), (Str){0});
        else if (i < 8)
            path_add_application(world->model, str_from(a), STR("app"), (Str){0});
        else
            path_add_service_principal(world->model, str_from(a), STR("app"), (Str){0}, i == 9,
                                       false);
    }
    resource(world, VAULT, "microsoft.keyvault/vaults", "{}",
             roll(2) ? "{\"enableRbacAuthorization\":true,\"publicNetworkAccess\":\"Disabled\"}"
                     : "{}");
    resource(world, MODEL, "microsoft.cognitiveservices/accounts", "{\"principalId\":\"p9\"}",
             roll(2) ? "{\"disableLocalAuth\":true}" : "{}");
    resource(world, IDENTITY, "microsoft.managedidentity/userassignedidentities", "{}",
             "{\"principalId\":\"p9\"}");
}

// A path must lead from the start to the goal over edges that hold, each source held.
static void
check_path(const PathModel *model, const AttackPath *path)
{
    for (uint32_t i = 0; i < path->count; i++) {
        const PathStep *step = &path->steps[i];
        bool known = false;
        for (uint32_t s = 0; s < step->source_count; s++) {
            known |= step->sources[s] == path->start;
            for (uint32_t j = 0; j < i; j++)
                known |= path->steps[j].target == step->sources[s];
        }
        assert_true(known);
        assert_ptr_equal(step->kind, path_edge_kind(model, path_edge(model, step->edge)));
    }
}

static void
reached_is_what_a_slow_fixpoint_reaches(void **state)
{
    (void)state;
    uint32_t reached = 0;
    for (int tenant = 0; tenant < 150; tenant++) {
        World *world = open_world();
        add_random(world);
        finish(world);
        PathSearch *search = path_search_new(world->model, &world->arena);
        for (int i = 0; i < 4; i++) {
            char name[8];
            snprintf(name, sizeof name, "p%d", i);
            uint32_t start = node_of(world, name, CAP_CONTROL);
            if (start == UINT32_MAX)
                continue;
            bool *held = ARENA_ARRAY(&world->arena, bool, path_node_count(world->model));
            slow_fixpoint(world->model, start, held);
            path_search_run(search, &start, 1, true, NULL);
            for (uint32_t node = 1; node < path_node_count(world->model); node++) {
                assert_int_equal(path_search_reached(search, node), held[node]);
                if (!held[node] || path_node(world->model, node)->kind > NODE_CAPABILITY)
                    continue;
                AttackPath path = path_search_path(search, &world->arena, node);
                check_path(world->model, &path);
                reached++;
            }
        }
        close_world(world);
    }
    assert_true(reached > 1000);
}

static void
requests_that_name_nothing(void **state)
{
    (void)state;
    World *world = open_world();
    path_add_user(world->model, STR("id-1"), STR("mallory@example.com"), false, false);
    assign(world, "id-1", OWNER, RG);
    finish(world);
    PathList list;
    AzError error = {0};
    PathRequest wrong = {.from = STR("malory@example.com")};
    assert_false(path_list(world->model, &world->arena, &wrong, &list, &error));
    assert_non_null(strstr(error.message, "did you mean 'mallory@example.com'"));
    error_clear(&error);
    PathRequest other = {.from = STR("mallory@example.com"), .to = STR("nowhere-at-all")};
    assert_false(path_list(world->model, &world->arena, &other, &list, &error));
    assert_non_null(strstr(error.message, "kinds of goals are principal"));
    error_clear(&error);
    PathRequest right = {.from = STR("MALLORY@example.com"), .to = STR("azureRole:Owner")};
    assert_true(path_list(world->model, &world->arena, &right, &list, &error));
    assert_true(list.found >= 1);
    PathRequest nobody = {.from = STR("guest")};
    assert_true(path_list(world->model, &world->arena, &nobody, &list, &error));
    assert_int_equal(list.found, 0);
    close_world(world);
}

// The graph and a list of paths as tables: a row a node, an edge, a step.
static void
tables_hold_all_there_is(void **state)
{
    (void)state;
    World *world = open_world();
    path_add_user(world->model, STR("u"), STR("user"), false, false);
    resource(world, MODEL, "microsoft.cognitiveservices/accounts", "{}", "{}");
    assign(world, "u", CONTRIBUTOR, RG);
    finish(world);
    PathList list;
    AzError error = {0};
    PathRequest request = {.from = STR("u"), .to = STR("invokeModel")};
    assert_true(path_list(world->model, &world->arena, &request, &list, &error));
    assert_int_equal(list.found, 1);
    assert_int_equal(list.paths[0].count, 2);
    assert_true(list.choke_count > 0 && list.chokes[0].closed == 1);
    ResultTable *nodes = path_nodes_table(&world->arena, world->model);
    ResultTable *edges = path_edges_table(&world->arena, world->model);
    ResultTable *steps = attack_paths_table(&world->arena, world->model, &list);
    assert_int_equal(nodes->row_count, path_node_count(world->model) - 1);
    assert_int_equal(edges->row_count, path_edge_count(world->model));
    assert_int_equal(steps->row_count, 2);
    close_world(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(circles_and_ids_twice),
        cmocka_unit_test(owners_of_themselves_and_of_nothing),
        cmocka_unit_test(properties_of_any_shape),
        cmocka_unit_test(keys_need_local_authentication),
        cmocka_unit_test(one_caller_for_one_call),
        cmocka_unit_test(trust_needs_both_halves),
        cmocka_unit_test(a_denial_binds_and_spares),
        cmocka_unit_test(conditions_bound_who_may_assign_what),
        cmocka_unit_test(an_edited_role_gives_anything),
        cmocka_unit_test(reached_is_what_a_slow_fixpoint_reaches),
        cmocka_unit_test(requests_that_name_nothing),
        cmocka_unit_test(tables_hold_all_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
