// Patterns of operations, conditions and scopes, and what hostile data brings of them.
// Who may do what on random tenants is in test_access_random.c.

#include "azure/rbac/access.h"

#include "base/array.h"
#include "value/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

// ---- patterns ----

static void
star_segments(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *action;
        bool zero, literal;
    } CASES[] = {
        {"W/*/read", "W/read", true, false},
        {"W/*/read", "W/a/b/read", true, true},
        {"W/*/read", "Wread", false, false},
        {"W/*/*/read", "W/read", true, false},
        {"W/*/*/read", "W/a/read", true, false},
        {"W/*", "W/", true, true},
        {"W/*", "W", false, false},
        {"*/read", "/read", true, true},
        {"*/read", "read", false, false},
        {"/*/a", "/a", true, false},
        {"*", "", true, true},
        {"", "", true, true},
        {"", "a", false, false},
        {"**", "anything/at/all", true, true},
        {"A/*b*/c", "A/xbx/c", true, true},
        {"A/*b*/c", "A/c", false, false},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        Str pattern = str_from(CASES[i].pattern), action = str_from(CASES[i].action);
        assert_int_equal(action_matches(pattern, action, STAR_SEGMENT_ZERO), CASES[i].zero);
        assert_int_equal(action_matches(pattern, action, STAR_SEGMENT_LITERAL), CASES[i].literal);
    }
}

// A pattern made to be slow takes as long as its size says.
static void
hostile_pattern(void **state)
{
    (void)state;
    char pattern[1000], action[4000];
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = "/*"[i % 2];
    memset(action, '/', sizeof action);
    action[sizeof action - 1] = 'x';
    pattern[sizeof pattern - 1] = 'y';
    assert_false(action_matches((Str){pattern, sizeof pattern}, (Str){action, sizeof action},
                                STAR_SEGMENT_ZERO));
}

// ---- conditions ----

static void
conditions_that_cannot_be_read(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "(",
        "ActionMatches",
        "ActionMatches{",
        "ActionMatches{'x'",
        "ActionMatches{x}",
        "@Resource[a] StringEquals",
        "@Resource[a StringEquals 'x'",
        "@Nobody[a] StringEquals 'x'",
        "@Resource[] StringEquals 'x'",
        "@Resource[a] StringLessThan 'x'",
        "@Resource[a] NumericLike 3",
        "@Resource[a] BoolNotLessThan true",
        "@Resource[a] ForSomeOfAnyValues:StringEquals {'x'}",
        "@Resource[a] ForAnyOfAnyValues StringEquals {'x'}",
        "@Resource[a] StringEquals {'x',}",
        "@Resource[a] StringEquals {}",
        "@Resource[a] StringEquals 'x' OR",
        "@Resource[a] StringEquals 'x') AND ('y' StringEquals 'y'",
        "@Resource[a] StringEquals 'x' 'y'",
        "Exists 'x'",
        "NOT",
        "!!!!",
        "'unclosed StringEquals 'x'",
    };
    Arena arena = {0};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        AzError error = {0};
        Str text = str_from(BAD[i]);
        if (condition_parse(&arena, text, NULL, &error))
            fail_msg("'%s' was read", BAD[i]);
        assert_true(error.has_span && error.span.start <= text.len);
    }
    // Deep nesting ends with a word, not with the stack.
    Buffer deep = {0};
    for (int i = 0; i < 10000; i++)
        buffer_char(&deep, i % 2 ? '(' : '!');
    AzError error = {0};
    assert_null(condition_parse(&arena, buffer_slice(&deep), NULL, &error));
    assert_non_null(strstr(error.message, "too deep"));
    buffer_free(&deep);
    arena_free(&arena);
}

static Tristate
evaluate(const char *text, const char *attributes, bool complete, bool *lint)
{
    Arena arena = {0};
    AzError error = {0};
    Condition *condition = condition_parse(&arena, str_from(text), lint, &error);
    if (!condition)
        fail_msg("%s: %s", text, error.message);
    Text tree;
    bool is_null;
    json_parse_text(&arena, str_from(attributes), &tree, &is_null);
    ConditionContext context = {.action = STR("A/read")};
    context.attributes[ATTRIBUTE_RESOURCE] = dyn_of_text(&tree);
    for (int i = 0; i < ATTRIBUTE_SOURCES; i++)
        context.complete[i] = complete;
    AttributeList unknown = {0};
    Tristate answer = condition_evaluate(&arena, condition, &context, &unknown);
    assert_int_equal(unknown.len > 0, answer == TRI_UNKNOWN);
    arena_free(&arena);
    return answer;
}

static void
conditions_in_three_values(void **state)
{
    (void)state;
    static const struct {
        const char *text, *attributes;
        Tristate closed, open; // when what is absent is missing; is not known
    } CASES[] = {
        {"@Resource[n] StringEquals 'a'", "{}", TRI_FALSE, TRI_UNKNOWN},
        {"@Resource[n] StringNotEquals 'a'", "{}", TRI_FALSE, TRI_UNKNOWN},
        {"NOT @Resource[n] StringEquals 'a'", "{}", TRI_TRUE, TRI_UNKNOWN},
        {"Exists @Resource[n]", "{}", TRI_FALSE, TRI_UNKNOWN},
        {"Exists @Resource[n]", "{\"n\":\"\"}", TRI_TRUE, TRI_TRUE},
        {"@Resource[n] StringEquals 'a' OR ActionMatches{'A/*'}", "{}", TRI_TRUE, TRI_TRUE},
        {"@Resource[n] StringEquals 'a' AND ActionMatches{'B/*'}", "{}", TRI_FALSE, TRI_FALSE},
        {"!ActionMatches{'B/*'} || @Resource[n] stringequals 'a'", "{}", TRI_TRUE, TRI_TRUE},
        {"@Resource[n] NumericLessThan 3", "{\"n\":2}", TRI_TRUE, TRI_TRUE},
        {"@Resource[n] NumericNotEquals 3", "{\"n\":\"three\"}", TRI_FALSE, TRI_FALSE},
        {"@Resource[n] DateTimeGreaterThan '2026-01-01T00:00:00Z'",
         "{\"n\":\"2026-01-01T00:00:00.0000001Z\"}", TRI_TRUE, TRI_TRUE},
        {"@Resource[n] StringLike 'a\\*c'", "{\"n\":\"a*c\"}", TRI_TRUE, TRI_TRUE},
        {"@Resource[n] ForAllOfAnyValues:StringEquals {'a','b'}", "{\"n\":[\"a\",\"b\"]}", TRI_TRUE,
         TRI_TRUE},
        {"@Resource[n] ForAllOfAnyValues:StringEquals {'a','b'}", "{\"n\":[\"a\",\"c\"]}",
         TRI_FALSE, TRI_FALSE},
        {"@Resource[N] StringEquals 'it''s'", "{\"n\":\"it's\"}", TRI_TRUE, TRI_TRUE},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        bool lint;
        Tristate closed = evaluate(CASES[i].text, CASES[i].attributes, true, &lint);
        Tristate open = evaluate(CASES[i].text, CASES[i].attributes, false, &lint);
        if (closed != CASES[i].closed || open != CASES[i].open)
            fail_msg("%s: %d and %d", CASES[i].text, closed, open);
    }
    bool lint;
    evaluate("ActionMatches{'A'} AND ActionMatches{'B'} OR ActionMatches{'C'}", "{}", true, &lint);
    assert_true(lint);
    evaluate("(ActionMatches{'A'} AND ActionMatches{'B'}) OR ActionMatches{'C'}", "{}", true,
             &lint);
    assert_false(lint);
}

// ---- scopes ----

static void
scope_chains(void **state)
{
    (void)state;
    Arena arena = {0};
    ScopeTree tree;
    scope_tree_init(&tree, &arena);
    scope_add_management_group(&tree, STR("a"), STR("B"));
    scope_add_management_group(&tree, STR("b"), STR("a")); // a cycle
    scope_add_subscription(&tree, STR("/subscriptions/S"), STR("a"));
    static const Str WANTED[] = {
        STR_INIT("/subscriptions/s/resourceGroups/r"),
        STR_INIT("/subscriptions/s/resourceGroups"),
        STR_INIT("/subscriptions/s"),
        STR_INIT("/providers/Microsoft.Management/managementGroups/a"),
        STR_INIT("/providers/Microsoft.Management/managementGroups/B"),
        STR_INIT("/"),
    };
    ScopeChain chain = {0};
    bool known;
    scope_chain(&tree, &arena, STR("//subscriptions/s/resourceGroups//r/"), &chain, &known);
    assert_true(known);
    assert_int_equal(chain.len, COUNT_OF(WANTED));
    for (size_t i = 0; i < chain.len; i++)
        assert_true(str_equal(chain.items[i], WANTED[i]));

    chain.len = 0;
    scope_chain(&tree, &arena, STR("/subscriptions/other"), &chain, &known);
    assert_false(known); // its management group is not in the data
    assert_int_equal(chain.len, 2);
    chain.len = 0;
    scope_chain(&tree, &arena, STR(""), &chain, &known);
    assert_int_equal(chain.len, 1);
    assert_true(scope_contains(STR("/a/b/"), STR("/A/b/c")));
    assert_false(scope_contains(STR("/a/b"), STR("/a/bc")));
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(star_segments),
        cmocka_unit_test(hostile_pattern),
        cmocka_unit_test(conditions_that_cannot_be_read),
        cmocka_unit_test(conditions_in_three_values),
        cmocka_unit_test(scope_chains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
