// Effective access against the oracle, on random tenants with what real ones bring: circles
// of groups and management groups, ids in mixed case, ids twice, ids of nobody, conditions
// that hold, fail, hang on what is not known or cannot be read, both planes, times,
// eligibilities, delegations, and deny assignments with exceptions.

#include "oracle/access_oracle.h"

#include "base/array.h"
#include "value/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TENANTS = 500, SITUATIONS = 25, ASKED = TENANTS * SITUATIONS * ORACLE_PRINCIPALS };

static Dice dice = {20261125};

// ---- the model of a tenant ----

// The text in a random case: ids and scopes compare without regard to it.
static Str
any_case(Arena *arena, const char *text)
{
    char *copy = str_cstr(arena, str_from(text));
    for (char *p = copy; *p; p++)
        if (*p >= 'a' && *p <= 'z' && one_in(&dice, 4))
            *p = (char)(*p - 32);
    return str_from(copy);
}

static Str
node_name(Arena *arena, uint32_t node)
{
    return any_case(
        arena, str_format(arena, "%s%u", node < ORACLE_PRINCIPALS ? "user" : "group", node).ptr);
}

static Dyn
tree_of(Arena *arena, const Buffer *json)
{
    Text *tree = ARENA_NEW(arena, Text);
    bool is_null;
    json_parse_text(arena, str_copy(arena, buffer_slice(json)), tree, &is_null);
    assert_false(is_null);
    return dyn_of_text(tree);
}

static Str
condition_text(Arena *arena, const OracleTenant *t, int condition)
{
    static const char *const BAD[] = {"(", "@Resource[word] StringEquals", "!!", "x y z", "'"};
    if (condition == ORACLE_NO_CONDITION)
        return one_in(&dice, 4) ? STR("  ") : (Str){0};
    if (condition == ORACLE_BAD_CONDITION)
        return str_from(BAD[roll(&dice, COUNT_OF(BAD))]);
    Buffer text = {0};
    oracle_condition_write(&dice, &text, t->conditions[condition]);
    Str copy = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return copy;
}

static void
put_patterns(Buffer *json, const char *name, const uint32_t *patterns, uint32_t count)
{
    buffer_printf(json, "\"%s\":[", name);
    for (uint32_t i = 0; i < count; i++)
        buffer_printf(json, "%s\"%s\"", i ? "," : "", ORACLE_PATTERNS[patterns[i]]);
    buffer_text(json, "],");
}

static void
put_block(Arena *arena, Buffer *json, const OracleTenant *t, const OracleBlock *block)
{
    const OraclePlane *control = &block->planes[0], *data = &block->planes[1];
    buffer_char(json, '{');
    put_patterns(json, "actions", control->grants, control->grant_count);
    put_patterns(json, "notActions", control->takes, control->take_count);
    put_patterns(json, "dataActions", data->grants, data->grant_count);
    put_patterns(json, "NotDataActions", data->takes, data->take_count);
    buffer_text(json, "\"condition\":");
    json_write_string(json, condition_text(arena, t, block->condition), false);
    buffer_char(json, '}');
}

static void
add_role(Arena *arena, RoleSet *roles, const OracleTenant *t, uint32_t id, uint32_t content)
{
    Buffer json = {0};
    buffer_printf(&json, "{\"id\":\"/x/role%u\",\"permissions\":[", id);
    for (uint32_t b = 0; b < t->blocks[content]; b++) {
        buffer_text(&json, b ? "," : "");
        put_block(arena, &json, t, &t->roles[content][b]);
    }
    buffer_text(&json, "]}");
    assert_non_null(role_set_add(roles, tree_of(arena, &json), false));
    buffer_free(&json);
}

// Of definitions and containers the last record holds: others come before some.
static void
add_definitions(Arena *arena, const OracleTenant *t, RoleSet *roles, ScopeTree *scopes)
{
    for (uint32_t r = 0; r < ORACLE_ROLES; r++) {
        if (one_in(&dice, 4))
            add_role(arena, roles, t, r, roll(&dice, ORACLE_ROLES));
        add_role(arena, roles, t, r, r);
    }
    for (int g = 0; g < ORACLE_MANAGEMENT_GROUPS; g++) {
        Str name = str_format(arena, "mg%d", g), parent = str_format(arena, "MG%d", t->parent[g]);
        if (one_in(&dice, 4))
            scope_add_management_group(scopes, name, STR("mg0"));
        scope_add_management_group(scopes, name, t->parent[g] < 0 ? (Str){0} : parent);
    }
    for (int s = 0; s < ORACLE_SUBSCRIPTIONS; s++) {
        if (one_in(&dice, 4))
            scope_add_subscription(scopes, str_format(arena, "S%d", s), STR("mg4"));
        scope_add_subscription(scopes, str_format(arena, "s%d", s),
                               str_format(arena, "mg%d", t->group_of[s]));
    }
}

// Of principals the first kind holds; a membership twice is one; some members are nobody.
static void
add_principals(Arena *arena, const OracleTenant *t, AccessModel *model)
{
    Str groups[2 * ORACLE_NODES * ORACLE_NODES], members[COUNT_OF(groups)];
    size_t count = 0;
    for (uint32_t g = ORACLE_PRINCIPALS; g < ORACLE_NODES; g++) {
        for (uint32_t m = 0; m < ORACLE_NODES; m++) {
            for (uint32_t times = t->member[g][m] ? 1 + roll(&dice, 2) : 0; times; times--) {
                groups[count] = node_name(arena, g);
                members[count++] = node_name(arena, m);
            }
        }
        access_add_member(model, node_name(arena, g), STR("nobody"));
    }
    size_t one_by_one = roll(&dice, (uint32_t)count + 1);
    for (size_t i = 0; i < one_by_one; i++)
        access_add_member(model, groups[i], members[i]);
    for (uint32_t n = 0; n < ORACLE_NODES; n++) {
        access_add_principal(model, node_name(arena, n),
                             n < ORACLE_PRINCIPALS ? STR("User") : STR("Group"), (Str){0});
        if (one_in(&dice, 3))
            access_add_principal(model, node_name(arena, n), STR("Guest"), STR("again"));
    }
    access_add_members(model, groups + one_by_one, members + one_by_one, count - one_by_one);
}

static void
add_assignments(Arena *arena, const OracleTenant *t, AccessModel *model)
{
    for (uint32_t a = 0; a < ORACLE_ASSIGNMENTS; a++) {
        AssignmentRecord record = {
            .id = str_format(arena, "ra%u", roll(&dice, ORACLE_ASSIGNMENTS)), // some twice
            .principal = node_name(arena, t->assignments[a].principal),
            .role_definition_id = str_format(arena, "/subscriptions/%u/ROLE%u", roll(&dice, 9),
                                             t->assignments[a].role),
            .scope = any_case(arena, ORACLE_SCOPES[t->assignments[a].scope]),
            .condition = condition_text(arena, t, t->assignments[a].condition),
            .start = t->assignments[a].start,
            .end = t->assignments[a].end,
            .eligible = t->assignments[a].eligible,
            .source = t->assignments[a].source,
        };
        for (uint32_t times = 1 + one_in(&dice, 4); times; times--)
            access_add_assignment(model, &record);
    }
}

static void
add_denials(Arena *arena, const OracleTenant *t, AccessModel *model)
{
    Buffer json = {0};
    for (uint32_t d = 0; d < ORACLE_DENIALS; d++) {
        buffer_clear(&json);
        buffer_printf(&json, "{\"scope\":\"%s/\",\"doNotApplyToChildScopes\":%s,\"permissions\":[",
                      ORACLE_SCOPES[t->denials[d].scope], t->denials[d].own ? "true" : "false");
        put_block(arena, &json, t, &t->denials[d].block);
        Str principal = t->denials[d].everyone ? STR("00000000-0000-0000-0000-000000000000")
                                               : node_name(arena, t->denials[d].principal);
        buffer_printf(&json, "],\"principals\":[{\"id\":\"%.*s\"}],\"excludePrincipals\":[",
                      STR_ARG(principal));
        if (t->denials[d].excluded < ORACLE_NODES)
            buffer_printf(&json, "{\"id\":\"%.*s\"},",
                          STR_ARG(node_name(arena, t->denials[d].excluded)));
        buffer_text(&json, "{\"id\":\"gone\"}]}");
        for (uint32_t times = 1 + one_in(&dice, 4); times; times--)
            assert_true(access_add_deny(model, STR("da"), tree_of(arena, &json)));
    }
    buffer_free(&json);
}

static AccessModel *
build_model(Arena *arena, const OracleTenant *t, RoleSet *roles, ScopeTree *scopes)
{
    role_set_init(roles, arena);
    scope_tree_init(scopes, arena);
    add_definitions(arena, t, roles, scopes);
    AccessModel *model = access_new(arena, roles, scopes, STAR_SEGMENT_ZERO);
    add_principals(arena, t, model);
    add_assignments(arena, t, model);
    add_denials(arena, t, model);
    access_finish(model);
    return model;
}

// ---- both asked ----

typedef struct Found {
    AccessVerdict verdicts[ORACLE_PRINCIPALS];
    const AccessModel *model;
} Found;

static void
note_holder(void *context, const AccessHolder *holder)
{
    Found *found = context;
    Str id = access_principal_id(found->model, holder->principal);
    if (str_equal_ci(id, STR("nobody")))
        return;                  // a member that no table describes holds what its group holds
    assert_int_equal(id.len, 5); // userN
    uint32_t node = (uint32_t)(id.ptr[4] - '0');
    assert_true(node < ORACLE_PRINCIPALS);
    assert_int_equal(found->verdicts[node], ACCESS_NONE); // each comes once
    found->verdicts[node] = holder->verdict;
}

// Asks about everybody in one situation; adds to the counts of verdicts.
static void
ask(Arena *arena, const OracleTenant *t, const AccessModel *model, WhoCan *who, uint64_t *counts)
{
    OracleQuestion situation = {.scope = ORACLE_SCOPES[roll(&dice, ORACLE_SCOPE_COUNT)],
                                .is_data = one_in(&dice, 2)};
    oracle_facts(&dice, &situation.facts);
    situation.facts.action = ORACLE_ACTIONS[roll(&dice, ORACLE_ACTION_COUNT)];
    AccessQuestion question = {
        .action = any_case(arena, situation.facts.action),
        .is_data = situation.is_data,
        .scope = any_case(arena, situation.scope),
        .at = ORACLE_NOW,
        .context = oracle_context(&dice, arena, &situation.facts),
    };
    Found found = {.model = model};
    who_can(who, &question, note_holder, &found);
    for (uint32_t p = 0; p < ORACLE_PRINCIPALS; p++) {
        situation.principal = p;
        question.principal = node_name(arena, p);
        AccessAnswer answer = access_check(model, arena, &question);
        AccessVerdict wanted = oracle_verdict(t, &situation);
        if (answer.verdict != wanted)
            fail_msg("user%u, %s (%s) at %s: %s, not %s", p, situation.facts.action,
                     situation.is_data ? "data" : "control", situation.scope,
                     access_verdict_name(answer.verdict), access_verdict_name(wanted));
        AccessVerdict listed = wanted == ACCESS_DENIED ? ACCESS_NONE : wanted;
        if (found.verdicts[p] != listed)
            fail_msg("who_can says %s of user%u, %s at %s, not %s",
                     access_verdict_name(found.verdicts[p]), p, situation.facts.action,
                     situation.scope, access_verdict_name(listed));
        counts[wanted]++;
    }
}

// Scopes of one place have the same holders.
static void
ask_places(Arena *arena, const AccessModel *model, WhoCan *who)
{
    AccessQuestion question = {.action = str_from(ORACLE_ACTIONS[0]), .at = ORACLE_NOW};
    Str places[2 * 16];
    Found answers[2 * 16];
    for (uint32_t s = 0; s < ORACLE_SCOPE_COUNT; s++) {
        bool is_own;
        question.scope = any_case(arena, ORACLE_SCOPES[s]);
        places[s] = str_copy(arena, who_can_place(who, question.scope, &is_own));
        answers[s] = (Found){.model = model};
        who_can(who, &question, note_holder, &answers[s]);
        for (uint32_t other = 0; other < s && !is_own; other++)
            if (str_equal(places[other], places[s]) &&
                !str_equal_ci(places[other], str_from(ORACLE_SCOPES[other])))
                assert_memory_equal(answers[other].verdicts, answers[s].verdicts,
                                    sizeof answers[s].verdicts);
    }
}

static void
random_tenants_agree(void **state)
{
    (void)state;
    uint64_t counts[ACCESS_ALLOWED + 1] = {0}, asked = 0;
    for (int i = 0; i < TENANTS; i++) {
        Arena arena = {0};
        OracleTenant *t = ARENA_NEW(&arena, OracleTenant);
        RoleSet roles;
        ScopeTree scopes;
        oracle_tenant(&dice, &arena, t);
        AccessModel *model = build_model(&arena, t, &roles, &scopes);
        WhoCan *who = who_can_new(model, &arena);
        for (int q = 0; q < SITUATIONS; q++)
            ask(&arena, t, model, who, counts);
        ask_places(&arena, model, who);
        who_can_free(who);
        arena_free(&arena);
    }
    for (int v = 0; v <= ACCESS_ALLOWED; v++) {
        // A test in which a verdict hardly comes, or nothing else, shows nothing.
        printf("%s: %llu\n", access_verdict_name((AccessVerdict)v), (unsigned long long)counts[v]);
        assert_in_range(counts[v], ASKED / 250, ASKED * 3 / 4);
        asked += counts[v];
    }
    assert_int_equal(asked, ASKED);
}

// The conditions alone: more of them, and deeper.
static void
random_conditions_agree(void **state)
{
    (void)state;
    uint64_t counts[3] = {0};
    for (int i = 0; i < ASKED / 4; i++) {
        Arena arena = {0};
        Buffer text = {0};
        OracleCondition *made = oracle_condition(&dice, &arena);
        oracle_condition_write(&dice, &text, made);
        AzError error = {0};
        Condition *condition = condition_parse(&arena, buffer_slice(&text), NULL, &error);
        if (!condition)
            fail_msg("%s: %.*s", error.message, STR_ARG(buffer_slice(&text)));
        for (int j = 0; j < 4; j++) {
            OracleFacts facts = {.action = ORACLE_ACTIONS[roll(&dice, ORACLE_ACTION_COUNT)]};
            oracle_facts(&dice, &facts);
            ConditionContext context = oracle_context(&dice, &arena, &facts);
            Tristate answer = condition_evaluate(&arena, condition, &context, NULL);
            int wanted = oracle_evaluate(made, &facts);
            int got = answer == TRI_TRUE ? ORACLE_TRUE : answer == TRI_FALSE ? ORACLE_FALSE : 1;
            if (got != wanted)
                fail_msg("%d, not %d: %.*s", got, wanted, STR_ARG(buffer_slice(&text)));
            counts[wanted]++;
        }
        buffer_free(&text);
        arena_free(&arena);
    }
    for (int v = 0; v < 3; v++)
        assert_in_range(counts[v], ASKED / 20, ASKED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_tenants_agree),
        cmocka_unit_test(random_conditions_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
