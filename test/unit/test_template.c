// Templates: every function that policies lack, unknown values, and hostile templates.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "azure/template/template.h"
#include "value/json.h"

#include <stdio.h>
#include <string.h>

static Dyn
json(Arena *arena, const char *text)
{
    Text tree;
    bool is_null;
    json_parse_text(arena, str_from(text), &tree, &is_null);
    Text *kept = arena_copy(arena, &tree, sizeof(tree));
    return is_null ? dyn_null() : dyn_of_text(kept);
}

static bool
expand(Arena *arena, const char *template, PlannedSet *set, AzError *error)
{
    const TemplateOptions options = {.scope = STR("/subscriptions/s/resourceGroups/g")};
    return template_expand(arena, &options, json(arena, template), set, error);
}

// The value of an expression, as JSON: a property of a resource.
static Str
value_of(Arena *arena, const char *expression)
{
    PlannedSet set;
    AzError error = {0};
    Str template = str_format(
        arena,
        "{\"variables\":{\"list\":[3,1,2],\"people\":[{\"n\":\"Ann\",\"age\":8},"
        "{\"n\":\"Bob\",\"age\":4},{\"n\":\"Cid\",\"age\":8}]},"
        "\"resources\":[{\"type\":\"A.B/c\",\"name\":\"x\",\"properties\":{\"v\":\"[%s]\"}}]}%c",
        expression, '\0');
    Buffer out = {0};
    if (!expand(arena, template.ptr, &set, &error))
        return str_copy(arena, str_from(error.message));
    PolicyValue value =
        policy_value_of(dyn_get(dyn_get(set.items[0].body, STR("properties")), STR("v")));
    policy_to_json(&out, &value);
    Str text = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    if (value.kind == POLICY_UNKNOWN)
        return str_format(arena, "unknown: %.*s", STR_ARG(set.unknowns[value.integer]));
    return text;
}

static void
functions(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"map(variables('list'), lambda('x', mul(lambdaVariables('x'), 2)))", "[6,2,4]"},
        {"map(variables('list'), lambda('x', 'i', lambdaVariables('i')))", "[0,1,2]"},
        {"filter(variables('list'), lambda('x', greater(lambdaVariables('x'), 1)))", "[3,2]"},
        {"reduce(variables('list'), 0, lambda('s', 'x', add(lambdaVariables('s'), "
         "lambdaVariables('x'))))",
         "6"},
        {"sort(variables('list'), lambda('a', 'b', less(lambdaVariables('a'), "
         "lambdaVariables('b'))))",
         "[1,2,3]"},
        {"map(sort(variables('people'), lambda('a', 'b', less(lambdaVariables('a').age, "
         "lambdaVariables('b').age))), lambda('p', lambdaVariables('p').n))",
         "[\"Bob\",\"Ann\",\"Cid\"]"},
        {"toObject(variables('people'), lambda('p', lambdaVariables('p').n), lambda('p', "
         "lambdaVariables('p').age))",
         "{\"Ann\":8,\"Bob\":4,\"Cid\":8}"},
        {"mapValues(createObject('a', 1, 'b', 2), lambda('v', add(lambdaVariables('v'), 1)))",
         "{\"a\":2,\"b\":3}"},
        {"map(groupBy(variables('people'), lambda('p', string(lambdaVariables('p').age)))['8'], "
         "lambda('p', lambdaVariables('p').n))",
         "[\"Ann\",\"Cid\"]"},
        {"parseCidr('10.144.0.0/20')",
         "{\"network\":\"10.144.0.0\",\"netmask\":\"255.255.240.0\",\"firstUsable\":\"10.144.0.1\","
         "\"lastUsable\":\"10.144.15.254\",\"cidr\":20,\"broadcast\":\"10.144.15.255\"}"},
        {"cidrSubnet('10.144.0.0/20', 24, 3)", "\"10.144.3.0/24\""},
        {"cidrHost('10.144.3.0/24', 0)", "\"10.144.3.1\""},
        {"cidrSubnet('fdad:3236:5555::/48', 64, 1)", "\"fdad:3236:5555:1::/64\""},
        {"resourceId('A.B/c/d', 'x', 'y')",
         "\"/subscriptions/s/resourceGroups/g/providers/A.B/c/x/d/y\""},
        {"resourceId('other', 'A.B/c', 'x')",
         "\"/subscriptions/s/resourceGroups/other/providers/A.B/c/x\""},
        {"resourceId('sub', 'other', 'A.B/c', 'x')",
         "\"/subscriptions/sub/resourceGroups/other/providers/A.B/c/x\""},
        {"subscriptionResourceId('A.B/c', 'x')", "\"/subscriptions/s/providers/A.B/c/x\""},
        {"tenantResourceId('A.B/c', 'x')", "\"/providers/A.B/c/x\""},
        {"managementGroupResourceId('m', 'A.B/c', 'x')",
         "\"/providers/Microsoft.Management/managementGroups/m/providers/A.B/c/x\""},
        {"extensionResourceId(resourceId('A.B/c', 'x'), 'E.F/g', 'y')",
         "\"/subscriptions/s/resourceGroups/g/providers/A.B/c/x/providers/E.F/g/y\""},
        {"environment().suffixes.keyvaultDns", "\".vault.azure.net\""},
        {"resourceGroup().name", "\"g\""},
        {"subscription().subscriptionId", "\"s\""},
        {"equals('a', 'A')", "false"}, // with case, unlike a policy
        {"xor(true(), false())", "true"},
        {"dateTimeAdd('2024-01-31T00:00:00Z', 'P1D')", "\"2024-02-01T00:00:00Z\""},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        Arena arena = {0};
        Str got = value_of(&arena, CASES[i][0]);
        assert_string_equal(str_format(&arena, "%.*s%c", STR_ARG(got), 0).ptr, CASES[i][1]);
        arena_free(&arena);
    }
}

static void
unknowns(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"reference('x').y", "unknown: reference('x'), known when the deployment runs"},
        {"concat('a', listKeys('x', '2020-01-01').key)",
         "unknown: list('x'), known when the deployment runs"},
        {"newGuid()", "unknown: newGuid(), known when the deployment runs"},
        {"resourceGroup().location",
         "unknown: location of /subscriptions/s/resourceGroups/g, which is not in the snapshot"},
        {"if(equals(reference('x'), 1), 'same', 'same')", "\"same\""},
        {"and(false(), reference('x').y)", "false"},
        {"or(reference('x').y, true())", "true"},
        {"length(createArray(reference('x'), 2))", "2"},
        {"string(createArray(reference('x'), 2))",
         "unknown: reference('x'), known when the deployment runs"},
        {"coalesce(null(), reference('x'))",
         "unknown: reference('x'), known when the deployment runs"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        Arena arena = {0};
        Str got = value_of(&arena, CASES[i][0]);
        assert_string_equal(str_format(&arena, "%.*s%c", STR_ARG(got), 0).ptr, CASES[i][1]);
        arena_free(&arena);
    }
}

static void
refused(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"field('x')", "is a function of policy rules"},
        {"variables('none')", "no variable 'none'"},
        {"copyIndex()", "outside of any loop"},
        {"lambdaVariables('x')", "no lambda around has a variable 'x'"},
        {"map(variables('list'), 1)", "a lambda of at most 2 names is expected"},
        {"fail('no more')", "the template gives up: no more"},
        {"cidrSubnet('10.0.0.0/24', 26, 4)", "no subnet of that number"},
        {"parseCidr('ten')", "a block of addresses"},
        {"acme.none()", "the template has no function acme.none()"},
        {"resourceId('x')", "another number of arguments"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        Arena arena = {0};
        Str got = value_of(&arena, CASES[i][0]);
        if (str_find(got, str_from(CASES[i][1])) < 0)
            fail_msg("%s: %.*s", CASES[i][0], STR_ARG(got));
        arena_free(&arena);
    }
}

// Copies of variables, properties and in each other; outer and inner scope.
static void
loops(void **state)
{
    (void)state;
    Arena arena = {0};
    PlannedSet set;
    AzError error = {0};
    assert_true(expand(
        &arena,
        "{\"variables\":{\"v\":\"outer\",\"o\":{\"copy\":[{\"name\":\"in\",\"count\":2,\"input\":"
        "\"[copyIndex('in', 5)]\"}]}},\"resources\":[{\"type\":\"A.B/c\",\"name\":\"[concat('x', "
        "copyIndex())]\",\"copy\":{\"name\":\"l\",\"count\":2},\"properties\":{\"o\":\"[variables("
        "'o').in]\",\"copy\":[{\"name\":\"p\",\"count\":2,\"input\":\"[concat(copyIndex('l'), "
        "copyIndex('p'))]\"}]}},{\"type\":\"Microsoft.Resources/deployments\",\"name\":\"d\","
        "\"subscriptionId\":\"t\",\"resourceGroup\":\"h\",\"properties\":{\"template\":{"
        "\"variables\":{\"v\":\"inner\"},\"resources\":[{\"type\":\"A.B/c\",\"name\":\"[variables("
        "'v')]\"}]}}},{\"type\":\"Microsoft.Resources/deployments\",\"name\":\"e\",\"properties\":"
        "{\"expressionEvaluationOptions\":{\"scope\":\"inner\"},\"template\":{\"variables\":{\"v\":"
        "\"inner\"},\"resources\":[{\"type\":\"A.B/c\",\"name\":\"[variables('v')]\"}]}}}]}",
        &set, &error));
    assert_int_equal(set.count, 4);
    Buffer out = {0};
    dyn_to_json(&out, dyn_get(set.items[1].body, STR("properties")));
    buffer_char(&out, '\0');
    assert_string_equal(out.data, "{\"o\":[5,6],\"p\":[\"10\",\"11\"]}");
    buffer_free(&out);
    assert_true(str_equal(dyn_string(dyn_get(set.items[2].body, STR("id"))),
                          STR("/subscriptions/t/resourceGroups/h/providers/A.B/c/outer")));
    assert_true(str_equal(dyn_string(dyn_get(set.items[3].body, STR("id"))),
                          STR("/subscriptions/s/resourceGroups/g/providers/A.B/c/inner")));
    arena_free(&arena);
}

// Whatever it is, it expands or says why.
static void
hostile(void **state)
{
    (void)state;
    static const char *const TEMPLATES[] = {
        "1",
        "{\"resources\":1}",
        "{\"resources\":[1]}",
        "{\"resources\":[{\"type\":1,\"name\":2}]}",
        "{\"resources\":[{\"type\":\"\",\"name\":\"\"}]}",
        "{\"resources\":[{\"type\":\"/\",\"name\":\"/\"}]}",
        "{\"resources\":[{\"type\":\"A.B/c\",\"name\":\"x\",\"copy\":{\"count\":-1}}]}",
        "{\"resources\":[{\"type\":\"A.B/c\",\"name\":\"x\",\"condition\":[]}]}",
        "{\"functions\":[{\"namespace\":\"n\",\"members\":{\"f\":{\"parameters\":[],\"output\":{"
        "\"value\":\"[n.f()]\"}}}}],\"resources\":[{\"type\":\"A.B/c\",\"name\":\"[n.f()]\"}]}",
        "{\"parameters\":{\"p\":{\"type\":\"string\",\"defaultValue\":\"[parameters('p')]\"}},"
        "\"resources\":[{\"type\":\"A.B/c\",\"name\":\"[parameters('p')]\"}]}",
        "{\"resources\":[{\"type\":\"Microsoft.Resources/deployments\",\"name\":\"d\","
        "\"properties\":{\"template\":3}}]}",
    };
    for (size_t i = 0; i < sizeof TEMPLATES / sizeof TEMPLATES[0]; i++) {
        Arena arena = {0};
        PlannedSet set;
        AzError error = {0};
        assert_false(expand(&arena, TEMPLATES[i], &set, &error));
        assert_true(error.code && error.message[0]);
        arena_free(&arena);
    }
    // Loops in loops, templates in templates, and variables behind variables come to an end.
    Arena arena = {0};
    PlannedSet set;
    AzError error = {0};
    Buffer text = {0};
    buffer_text(&text, "{\"variables\":{");
    for (int i = 0; i < 5000; i++)
        buffer_printf(&text, "\"v%d\":\"[variables('v%d')]\",", i, i + 1);
    buffer_text(&text, "\"v5000\":\"x\"},\"resources\":[{\"type\":\"A.B/c\",\"name\":\"[variables("
                       "'v0')]\"}]}");
    buffer_char(&text, '\0');
    assert_false(expand(&arena, text.data, &set, &error));
    assert_int_equal(error.code, AZ_LIMIT);
    text.len = 0;
    for (int i = 0; i < 40; i++)
        buffer_text(&text, "{\"resources\":[{\"type\":\"Microsoft.Resources/deployments\",\"name\":"
                           "\"d\",\"properties\":{\"template\":");
    buffer_text(&text, "{\"resources\":[]}");
    for (int i = 0; i < 40; i++)
        buffer_text(&text, "}}]}");
    buffer_char(&text, '\0');
    error = (AzError){0};
    assert_false(expand(&arena, text.data, &set, &error));
    assert_int_equal(error.code, AZ_LIMIT);
    text.len = 0;
    buffer_text(&text, "{\"resources\":[{\"type\":\"A.B/c\",\"name\":\"x\",\"properties\":");
    for (int i = 0; i < 3; i++)
        buffer_printf(&text, "{\"copy\":[{\"name\":\"n%d\",\"count\":10000,\"input\":", i);
    buffer_text(&text, "1}]}}]}}]}}]}");
    buffer_char(&text, '\0');
    error = (AzError){0};
    assert_false(expand(&arena, text.data, &set, &error));
    assert_true(error.code != AZ_OK);
    buffer_free(&text);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions), cmocka_unit_test(unknowns), cmocka_unit_test(refused),
        cmocka_unit_test(loops),     cmocka_unit_test(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
