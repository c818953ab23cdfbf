// Eligible assignments that wait for an approver: nobody approves its own request, two
// people do; the gates of the graph against a plain reading of who may do what.

#include "base/array.h"
#include "path_world.h"

#include <stdio.h>

#define PRIVILEGED_ROLE_ADMINISTRATOR "e8611ab8-c189-46e8-94e1-60213ab1f814"

static void
eligible(World *world, const char *principal)
{
    AssignmentRecord record = {.id = STR("eligible"),
                               .principal = str_from(principal),
                               .role_definition_id = STR(OWNER),
                               .scope = STR(RG),
                               .eligible = true};
    access_add_assignment(world->access, &record);
}

static void
rule(World *world, const char *scope, bool needs_approval, const char *stages)
{
    path_add_activation_rule(world->model, STR("policy"),
                             STR("/subscriptions/s/providers/Microsoft.Authorization/"
                                 "roleDefinitions/" OWNER),
                             str_from(scope), needs_approval, json(world, stages),
                             STR("an approver, a second factor"));
}

// Whether the holder of all of `starts` may assign any role at the scope; doubt is told.
static bool
reaches(World *world, const char *const *starts, size_t count, bool *doubt)
{
    PathSearch *search = path_search_new(world->model, &world->arena);
    uint32_t nodes[8], goal = node_of(world, RG, CAP_ANY_ROLE);
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t object = path_find(world->model, str_from(starts[i]));
        if (object != UINT32_MAX && path_object(world->model, object)->node != UINT32_MAX)
            nodes[known++] = path_object(world->model, object)->node;
    }
    path_search_run(search, nodes, known, true, NULL);
    if (!path_search_reached(search, goal))
        return false;
    AttackPath path = path_search_path(search, &world->arena, goal);
    if (doubt)
        *doubt = path.doubt;
    return true;
}

#define REACHES(world, ...)                                                                        \
    reaches(world, (const char *[]){__VA_ARGS__},                                                  \
            sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), NULL)

static void
an_approver_is_waited_for(void **state)
{
    (void)state;
    World *world = open_world();
    eligible(world, "e");
    rule(world, "/subscriptions/s/resourcegroups/RG/", true,
         "[{\"primaryApprovers\":[{\"id\":\"a\",\"userType\":\"User\"},null,7,{\"id\":{}}]}]");
    finish(world);
    assert_false(REACHES(world, "e"));
    assert_false(REACHES(world, "a"));
    assert_true(REACHES(world, "e", "a"));
    close_world(world);
}

static void
the_path_shows_both(void **state)
{
    (void)state;
    World *world = open_world();
    eligible(world, "e");
    rule(world, RG, true, "[{\"primaryApprovers\":[{\"id\":\"a\"}]}]");
    finish(world);
    uint32_t starts[] = {node_of(world, "e", CAP_CONTROL), node_of(world, "a", CAP_CONTROL)};
    PathSearch *search = path_search_new(world->model, &world->arena);
    path_search_run(search, starts, 2, true, NULL);
    AttackPath path = path_search_path(search, &world->arena, node_of(world, RG, CAP_ANY_ROLE));
    bool approved = false, activated = false;
    for (uint32_t i = 0; i < path.count; i++) {
        const PathStep *step = &path.steps[i];
        if (str_equal(step->kind->name, STR("ApproveActivation"))) {
            approved = true;
            assert_true(str_equal(path_object(world->model, step->sources[0])->id, STR("a")));
            assert_true(str_equal(step->evidence->id, STR("policy")));
        }
        if (str_equal(step->kind->name, STR("ActivateEligible"))) {
            activated = true;
            assert_true(str_equal(path_object(world->model, step->sources[0])->id, STR("e")));
            assert_true(str_find(step->evidence->text, STR("a second factor")) > 0);
        }
    }
    assert_true(approved && activated);
    assert_false(path.doubt);
    close_world(world);
}

static void
settings_of_another_scope_do_not_count(void **state)
{
    (void)state;
    World *world = open_world();
    eligible(world, "e");
    rule(world, "/subscriptions/s", true, "[{\"primaryApprovers\":[{\"id\":\"a\"}]}]");
    finish(world);
    assert_true(REACHES(world, "e"));
    close_world(world);
}

static void
without_approval_nobody_is_waited_for(void **state)
{
    (void)state;
    World *world = open_world();
    eligible(world, "e");
    rule(world, RG, false, "[{\"primaryApprovers\":[{\"id\":\"a\"}]}]");
    rule(world, RG, true, "[]"); // the first counts
    finish(world);
    assert_true(REACHES(world, "e"));
    close_world(world);
}

static void
approvers_that_are_not_known_are_doubt(void **state)
{
    (void)state;
    static const char *const STAGES[] = {"null", "[]", "{}", "[{\"primaryApprovers\":[]}]",
                                         "[{\"primaryApprovers\":\"a\"}]"};
    for (size_t i = 0; i < COUNT_OF(STAGES); i++) {
        World *world = open_world();
        eligible(world, "e");
        rule(world, RG, true, STAGES[i]);
        finish(world);
        bool doubt = false;
        assert_true(reaches(world, (const char *[]){"e"}, 1, &doubt));
        assert_true(doubt);
        close_world(world);
    }
}

// A directory role without approvers of its own has two roles for that.
static void
directory_roles_have_default_approvers(void **state)
{
    (void)state;
    World *world = open_world();
    path_add_activation_rule(world->model, STR("policy"), STR(GLOBAL_ADMINISTRATOR), STR("/"), true,
                             json(world, "[{\"primaryApprovers\":[]}]"), STR("an approver"));
    path_add_directory_assignment(world->model, STR("x"), STR("e"), STR(GLOBAL_ADMINISTRATOR),
                                  STR("/"), true);
    path_add_directory_assignment(world->model, STR("y"), STR("p"),
                                  STR(PRIVILEGED_ROLE_ADMINISTRATOR), STR("/"), false);
    finish(world);
    const char *role = "role:" GLOBAL_ADMINISTRATOR ":/";
    assert_int_equal(steps_to(world, "e", role, CAP_CONTROL), -1);
    assert_true(steps_to(world, "p", role, CAP_CONTROL) >= 0);
    close_world(world);
}

static void
groups_of_pim_wait_too(void **state)
{
    (void)state;
    World *world = open_world();
    path_add_group(world->model, STR("g"), STR("owners"), true, (Str){0});
    path_add_eligible(world->model, STR("g"), STR("e"), false);
    path_add_eligible(world->model, STR("g"), STR("o"), true);
    path_add_activation_rule(world->model, STR("policy"), STR("member"), STR("g"), true,
                             json(world, "[{\"primaryApprovers\":[{\"userId\":\"a\"},"
                                         "{\"groupId\":\"ga\"}]}]"),
                             (Str){0});
    access_add_member(world->access, STR("ga"), STR("b"));
    assign(world, "g", OWNER, RG);
    finish(world);
    assert_false(REACHES(world, "e"));
    assert_true(REACHES(world, "e", "a"));
    assert_true(REACHES(world, "e", "b"));
    assert_true(REACHES(world, "o")); // the owner's settings are others
    close_world(world);
}

// Who belongs to both sides needs somebody else of the other.
static void
nobody_approves_its_own_request(void **state)
{
    (void)state;
    World *world = open_world();
    access_add_member(world->access, STR("admins"), STR("m1"));
    access_add_member(world->access, STR("admins"), STR("m2"));
    access_add_member(world->access, STR("inner"), STR("m2"));
    access_add_member(world->access, STR("admins"), STR("inner"));
    eligible(world, "admins");
    rule(world, RG, true, "[{\"primaryApprovers\":[{\"id\":\"admins\"}]}]");
    finish(world);
    assert_false(REACHES(world, "m1"));
    assert_false(REACHES(world, "m2"));
    assert_true(REACHES(world, "m1", "m2"));
    close_world(world);
}

// ---- against a plain reading, on random tenants ----

enum { PEOPLE = 6, GROUPS = 3, STAGES = 2, TENANTS = 50 };

static uint32_t
next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

typedef struct Plain {
    bool member[GROUPS][PEOPLE];
    bool eligible[PEOPLE];
    bool approves[STAGES][PEOPLE];
    int stages;
} Plain;

static void
name_of(char *out, uint32_t principal) // people, then groups
{
    snprintf(out, 8, principal < PEOPLE ? "p%u" : "g%u", principal);
}

// Sets who of the principal's people is in `people`.
static void
take(const Plain *plain, uint32_t principal, bool *people)
{
    for (uint32_t i = 0; i < PEOPLE; i++)
        people[i] |= principal < PEOPLE ? i == principal : plain->member[principal - PEOPLE][i];
}

static World *
random_tenant(uint64_t *seed, Plain *plain)
{
    World *world = open_world();
    *plain = (Plain){.stages = 1 + (int)(next_random(seed) % STAGES)};
    for (uint32_t g = 0; g < GROUPS; g++) {
        for (uint32_t i = 0; i < PEOPLE; i++) {
            char group[8], person[8];
            name_of(group, PEOPLE + g);
            name_of(person, i);
            // The first is in each, so that none is empty: an empty group approves nothing.
            plain->member[g][i] = !i || next_random(seed) % 3 == 0;
            if (plain->member[g][i])
                access_add_member(world->access, str_copy(&world->arena, str_from(group)),
                                  str_copy(&world->arena, str_from(person)));
        }
    }
    for (uint32_t n = 1 + next_random(seed) % 3; n; n--) {
        uint32_t principal = next_random(seed) % (PEOPLE + GROUPS);
        char name[8];
        name_of(name, principal);
        eligible(world, str_cstr(&world->arena, str_from(name)));
        take(plain, principal, plain->eligible);
    }
    Buffer stages = {0};
    for (int s = 0; s < plain->stages; s++) {
        buffer_text(&stages, s ? ",{\"primaryApprovers\":[" : "[{\"primaryApprovers\":[");
        for (uint32_t n = 1 + next_random(seed) % 2, i = 0; i < n; i++) {
            uint32_t principal = next_random(seed) % (PEOPLE + GROUPS);
            char name[8], text[32];
            name_of(name, principal);
            snprintf(text, sizeof text, "%s{\"id\":\"%s\"}", i ? "," : "", name);
            buffer_text(&stages, text);
            take(plain, principal, plain->approves[s]);
        }
        buffer_text(&stages, "]}");
    }
    buffer_text(&stages, "]");
    rule(world, RG, true, str_cstr(&world->arena, buffer_slice(&stages)));
    buffer_free(&stages);
    finish(world);
    return world;
}

static bool
plainly(const Plain *plain, const bool *held)
{
    for (int e = 0; e < PEOPLE; e++) {
        bool opened = held[e] && plain->eligible[e];
        for (int s = 0; s < plain->stages; s++) {
            bool approved = false;
            for (int a = 0; a < PEOPLE; a++)
                approved |= a != e && held[a] && plain->approves[s][a];
            opened &= approved;
        }
        if (opened)
            return true;
    }
    return false;
}

static void
gates_open_to_whom_they_plainly_do(void **state)
{
    (void)state;
    uint64_t seed = 20260727;
    int opened = 0;
    for (int tenant = 0; tenant < TENANTS; tenant++) {
        Plain plain;
        World *world = random_tenant(&seed, &plain);
        for (uint32_t set = 1; set < 1u << PEOPLE; set++) {
            const char *starts[PEOPLE];
            char names[PEOPLE][8];
            bool held[PEOPLE] = {false};
            size_t count = 0;
            for (uint32_t i = 0; i < PEOPLE; i++) {
                if (!(set & 1u << i))
                    continue;
                held[i] = true;
                name_of(names[count], i);
                starts[count] = names[count];
                count++;
            }
            bool wanted = plainly(&plain, held);
            opened += wanted;
            assert_int_equal(reaches(world, starts, count, NULL), wanted);
        }
        close_world(world);
    }
    assert_in_range(opened, TENANTS, TENANTS * 60);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_approver_is_waited_for),
        cmocka_unit_test(the_path_shows_both),
        cmocka_unit_test(settings_of_another_scope_do_not_count),
        cmocka_unit_test(without_approval_nobody_is_waited_for),
        cmocka_unit_test(approvers_that_are_not_known_are_doubt),
        cmocka_unit_test(directory_roles_have_default_approvers),
        cmocka_unit_test(groups_of_pim_wait_too),
        cmocka_unit_test(nobody_approves_its_own_request),
        cmocka_unit_test(gates_open_to_whom_they_plainly_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
