// Azure Policy: conditions, arrays, counts, functions, applicability, effects, assignments,
// roll-up; and hostile definitions.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "azure/policy/assignment.h"
#include "azure/policy/related.h"
#include "value/json.h"
#include "value/scalar.h"

#include <stdlib.h>
#include <string.h>

typedef struct World {
    Arena arena;
    AliasTable aliases;
} World;

// JSON with ' for ".
static Dyn
json(Arena *arena, const char *text)
{
    char *copy = str_cstr(arena, str_from(text));
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    Text tree;
    bool is_null;
    json_parse_text(arena, str_from(copy), &tree, &is_null);
    Text *kept = arena_copy(arena, &tree, sizeof(tree));
    return is_null ? dyn_null() : dyn_of_text(kept);
}

static void
add(World *world, const char *type, const char *alias, const char *path, Modifiable modifiable)
{
    Alias entry = {.name = str_from(alias), .path = str_from(path), .modifiable = modifiable};
    AliasType *of = alias_table_type(&world->aliases, str_from(type));
    of->tags = TAGS_YES;
    of->api_version = STR("2024-01-01");
    alias_table_add(&world->aliases, of, &entry);
}

static int
set_up(void **state)
{
    World *world = calloc(1, sizeof(*world));
    alias_table_init(&world->aliases, &world->arena);
    add(world, "T/a", "T/a/on", "properties.on", MODIFIABLE_YES);
    add(world, "T/a", "T/a/fixed", "properties.fixed", MODIFIABLE_NO);
    add(world, "T/a", "T/a/list", "properties.list", MODIFIABLE_YES);
    add(world, "T/a", "T/a/list[*]", "properties.list[*]", MODIFIABLE_YES);
    add(world, "T/a", "T/a/list[*].x", "properties.list[*].properties.x", MODIFIABLE_YES);
    add(world, "T/a", "T/a/list[*].in[*]", "properties.list[*].properties.in[*]",
        MODIFIABLE_UNKNOWN);
    add(world, "T/a/b", "T/a/b/on", "properties.on", MODIFIABLE_UNKNOWN);
    *state = world;
    return 0;
}

static int
tear_down(void **state)
{
    World *world = *state;
    arena_free(&world->arena);
    free(world);
    return 0;
}

static RelatedSet
no_related(void *data, Arena *arena, const PolicyResource *resource, const RelatedQuery *query)
{
    (void)arena, (void)resource, (void)query;
    return (RelatedSet){.known = *(bool *)data};
}

static PolicyOutcome
evaluate(World *world, const char *definition, const char *parameters, const char *resource)
{
    const PolicyCompileOptions options = {.aliases = &world->aliases};
    static bool known = true;
    PolicyContext context = {
        .override = EFFECT_INVALID, .related = no_related, .data = &known, .now = TICKS_PER_DAY};
    AzError error = {0};
    PolicyDefinition *compiled =
        policy_compile(&world->arena, &options, json(&world->arena, definition), &error);
    if (!compiled)
        fail_msg("%s: %s", definition, error.message);
    PolicyValue given = policy_value_of(json(&world->arena, parameters));
    PolicyBinding *binding = policy_bind(&world->arena, compiled, &given, NULL, &error);
    if (!binding)
        fail_msg("%s: %s", definition, error.message);
    PolicyResource *read = ARENA_NEW(&world->arena, PolicyResource);
    policy_resource_init(read, &world->arena, &world->aliases, json(&world->arena, resource));
    return policy_evaluate(&world->arena, binding, read, &context, true);
}

static const char RESOURCE[] =
    "{'id':'/subscriptions/s/resourceGroups/g/providers/T/a/one','name':'one','type':'t/A',"
    "'location':'East US','tags':{'Env':'prod','a.b':'dot'},'properties':{'ON':true,'n':5,"
    "'list':[{'properties':{'x':'p','in':[1,2]}},{'properties':{'in':[3]}}]}}";

// The rule's condition on RESOURCE: fires or not.
static bool
fires(World *world, const char *condition)
{
    Str rule =
        str_format(&world->arena, "{'mode':'All','policyRule':{'if':%s,'then':{'effect':'audit'}}}",
                   condition);
    PolicyOutcome out = evaluate(world, str_cstr(&world->arena, rule), "{}", RESOURCE);
    if (out.state == STATE_ERROR)
        fail_msg("%s: %.*s", condition, STR_ARG(out.reason));
    return out.fires;
}

static void
conditions(void **state)
{
    World *world = *state;
    static const struct {
        const char *condition;
        bool fires;
    } CASES[] = {
        {"{'field':'type','equals':'T/a'}", true},
        {"{'field':'location','in':['eastus']}", true},
        {"{'field':'location','equals':'East US'}", true},
        {"{'field':'tags.env','equals':'PROD'}", true},
        {"{'field':'tags[\\u0027a.b\\u0027]','equals':'dot'}", true},
        {"{'field':'tags.none','exists':'false'}", true},
        {"{'field':'tags.none','notEquals':'x'}", true},
        {"{'field':'tags.none','equals':false}", false},
        {"{'field':'T/a/on','equals':'True'}", true},
        {"{'field':'T/a/b/on','exists':true}", false}, // an alias of another type
        {"{'field':'name','like':'o*e'}", true},
        {"{'field':'name','like':'o?e'}", false},
        {"{'field':'name','match':'?n?'}", true},
        {"{'field':'name','match':'ON?'}", false},
        {"{'field':'name','matchInsensitively':'ON?'}", true},
        {"{'value':5,'greater':4.5}", true},
        {"{'value':'abc','less':true}", false},
        {"{'value':{'A':1},'containsKey':'a'}", true},
        {"{'value':null,'in':[null]}", false},
        {"{'allOf':[]}", true},
        {"{'anyOf':[]}", false},
        {"{'not':{'anyOf':[]}}", true},
        // arrays: every selected value; nothing selected holds
        {"{'field':'T/a/list[*].x','equals':'p'}", false},
        {"{'not':{'field':'T/a/list[*].x','notEquals':'p'}}", true},
        {"{'field':'T/a/list[*].x','exists':false}", false},
        {"{'field':'T/a/list[*].in[*]','less':4}", true},
        // counts
        {"{'count':{'field':'T/a/list[*]'},'equals':2}", true},
        {"{'count':{'field':'T/a/list[*]','where':{'field':'T/a/list[*].x','exists':true}},"
         "'equals':1}",
         true},
        {"{'count':{'field':'T/a/list[*]','where':{'count':{'field':'T/a/list[*].in[*]'},"
         "'equals':2}},'equals':1}",
         true},
        {"{'count':{'field':'T/a/list[*].in[*]'},'equals':3}", true},
        {"{'count':{'field':'T/a/list[*].in[*]','where':{'field':'T/a/list[*].x','equals':'p'}},"
         "'equals':2}",
         true},
        {"{'count':{'value':[1,2,3],'name':'n','where':{'value':'[current(\\u0027n\\u0027)]',"
         "'greater':1}},'equals':2}",
         true},
        {"{'count':{'field':'T/a/list[*]','where':{'value':"
         "'[length(field(\\u0027T/a/list[*]\\u0027))]','equals':1}},'equals':2}",
         true},
        // expressions
        {"{'value':'[concat(field(\\u0027name\\u0027),\\u0027-\\u0027,string(2))]',"
         "'equals':'one-2'}",
         true},
        {"{'value':'[[not evaluated]','equals':'[[not evaluated]'}", true},
        {"{'value':'[length(field(\\u0027T/a/list[*].x\\u0027))]','equals':1}", true},
        {"{'value':'[resourceGroup().name]','equals':'g'}", true},
        {"{'value':'[resourceGroup().tags[\\u0027x\\u0027]]','equals':''}", true},
        {"{'value':'[requestContext().apiVersion]','equals':'2024-01-01'}", true},
        {"{'value':'[if(true(),1,int(\\u0027no number\\u0027))]','equals':1}", true},
        {"{'field':'[concat(\\u0027tags.\\u0027,\\u0027env\\u0027)]','equals':'prod'}", true},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        if (fires(world, CASES[i].condition) != CASES[i].fires)
            fail_msg("%s should be %s", CASES[i].condition, CASES[i].fires ? "true" : "false");
}

static ComplianceState
state_of(World *world, const char *mode, const char *condition, const char *then)
{
    Str rule = str_format(&world->arena, "{'mode':'%s','policyRule':{'if':%s,'then':%s}}", mode,
                          condition, then);
    return evaluate(world, str_cstr(&world->arena, rule), "{}", RESOURCE).state;
}

static void
states(void **state)
{
    World *w = *state;
    const char *audit = "{'effect':'audit'}";
    assert_int_equal(state_of(w, "All", "{'field':'type','equals':'T/z'}", audit),
                     STATE_NOT_APPLICABLE);
    assert_int_equal(state_of(w, "All", "{'field':'name','equals':'zzz'}", audit), STATE_COMPLIANT);
    assert_int_equal(state_of(w, "All", "{'field':'T/a/nothing','exists':true}", audit),
                     STATE_NOT_APPLICABLE);
    assert_int_equal(
        state_of(w, "All",
                 "{'allOf':[{'field':'type','equals':'T/a'},{'field':'name','equals':'zzz'},"
                 "{'field':'T/a/on','equals':true}]}",
                 audit),
        STATE_NOT_APPLICABLE);
    assert_int_equal(state_of(w, "Indexed", "{'field':'T/a/on','equals':true}", audit),
                     STATE_NON_COMPLIANT);
    assert_int_equal(state_of(w, "All", "{'field':'type','equals':'T/a'}", "{'effect':'Disabled'}"),
                     STATE_NOT_EVALUATED);
    assert_int_equal(
        state_of(w, "All", "{'field':'type','equals':'T/a'}", "{'effect':'denyAction'}"),
        STATE_PROTECTED);
    assert_int_equal(state_of(w, "All", "{'field':'type','equals':'T/a'}",
                              "{'effect':'manual','details':{'defaultState':'Non-compliant'}}"),
                     STATE_NON_COMPLIANT);
    assert_int_equal(state_of(w, "All", "{'field':'type','equals':'T/a'}",
                              "{'effect':'auditIfNotExists','details':{'type':'T/a/b'}}"),
                     STATE_NON_COMPLIANT);
    assert_int_equal(
        state_of(w, "Microsoft.KeyVault.Data", "{'field':'type','equals':'T/a'}", audit),
        STATE_UNKNOWN);
    assert_int_equal(
        state_of(w, "All", "{'value':'[substring(\\u0027a\\u0027,0,9)]','equals':1}", audit),
        STATE_ERROR);
    PolicyOutcome out = evaluate(w,
                                 "{'mode':'All','policyRule':{'if':{'field':'T/a/on','notEquals':"
                                 "false},'then':{'effect':'deny'}}}",
                                 "{}", RESOURCE);
    assert_string_equal(str_cstr(&w->arena, out.reason), "T/a/on is true, notEquals false");
}

static void
parameters(void **state)
{
    World *world = *state;
    const char *definition =
        "{'mode':'All','parameters':{'effect':{'type':'String','defaultValue':'Audit',"
        "'allowedValues':['Audit','Deny']},'names':{'type':'Array'}},'policyRule':{'if':{'field':"
        "'name','in':'[parameters(\\u0027names\\u0027)]'},'then':{'effect':"
        "'[parameters(\\u0027EFFECT\\u0027)]'}}}";
    PolicyOutcome out = evaluate(world, definition, "{'names':{'value':['one']}}", RESOURCE);
    assert_true(out.fires);
    assert_int_equal(out.effect, EFFECT_AUDIT);
    out = evaluate(world, definition, "{'names':['x'],'effect':'deny'}", RESOURCE);
    assert_false(out.fires);
    assert_int_equal(out.effect, EFFECT_DENY);
    assert_int_equal(evaluate(world, definition, "{}", RESOURCE).state, STATE_ERROR);

    const PolicyCompileOptions options = {.aliases = &world->aliases};
    AzError error = {0};
    PolicyDefinition *compiled =
        policy_compile(&world->arena, &options, json(&world->arena, definition), &error);
    PolicyValue wrong = policy_value_of(json(&world->arena, "{'names':[],'effect':'Modify'}"));
    assert_null(policy_bind(&world->arena, compiled, &wrong, NULL, &error));
    assert_non_null(strstr(error.message, "allowedValues"));
    error_clear(&error);
    PolicyValue bound = policy_value_of(
        json(&world->arena, "{'names':{'value':'[parameters(\\u0027all\\u0027)]'}}"));
    PolicyValue initiative = policy_value_of(json(&world->arena, "{'all':['one']}"));
    assert_non_null(policy_bind(&world->arena, compiled, &bound, &initiative, &error));
}

static void
changes(void **state)
{
    World *world = *state;
    const PolicyCompileOptions options = {.aliases = &world->aliases};
    static const struct {
        const char *then, *diff; // NULL: denied
    } CASES[] = {
        {"{'effect':'modify','details':{'operations':[{'operation':'addOrReplace','field':"
         "'tags.env','value':'test'}]}}",
         "tags.env: \"prod\" -> \"test\""},
        {"{'effect':'modify','details':{'operations':[{'operation':'add','field':'tags.env',"
         "'value':'test'}]}}",
         ""},
        {"{'effect':'modify','details':{'operations':[{'operation':'remove','field':'T/a/on'}]}}",
         "T/a/on: true -> null"},
        {"{'effect':'append','details':[{'field':'T/a/on','value':false}]}", NULL},
        {"{'effect':'append','details':[{'field':'tags.new','value':'[field(\\u0027name\\u0027)]'}"
         "]}",
         "tags.new: null -> \"one\""},
    };
    PolicyContext context = {.override = EFFECT_INVALID};
    PolicyResource resource;
    policy_resource_init(&resource, &world->arena, &world->aliases, json(&world->arena, RESOURCE));
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        AzError error = {0};
        Str rule = str_format(&world->arena,
                              "{'mode':'All','policyRule':{'if':{'field':'type','equals':'T/a'},"
                              "'then':%s}}",
                              CASES[i].then);
        PolicyDefinition *definition = policy_compile(
            &world->arena, &options, json(&world->arena, str_cstr(&world->arena, rule)), &error);
        if (!definition)
            fail_msg("%s", error.message);
        PolicyBinding *binding = policy_bind(&world->arena, definition, NULL, NULL, &error);
        PolicyChange change;
        assert_true(policy_change(&world->arena, binding, &resource, &context, &change));
        assert_int_equal(change.denied, CASES[i].diff == NULL);
        if (CASES[i].diff)
            assert_string_equal(str_cstr(&world->arena, change.diff), CASES[i].diff);
    }
}

static void
assignments(void **state)
{
    World *world = *state;
    Arena *arena = &world->arena;
    AzError error = {0};
    PolicyAssignment assignment;
    assert_true(policy_assignment_read(
        arena,
        json(arena, "{'id':'/subscriptions/S/providers/Microsoft.Authorization/policyAssignments/"
                    "p','properties':{'policyDefinitionId':'d','notScopes':['/subscriptions/s/"
                    "resourceGroups/out'],'resourceSelectors':[{'selectors':[{'kind':"
                    "'resourceLocation','in':['East US']}]}],'overrides':[{'kind':'policyEffect',"
                    "'value':'Disabled','selectors':[{'kind':'policyDefinitionReferenceId','in':"
                    "['m']}]}],'enforcementMode':'DoNotEnforce','nonComplianceMessages':[{'message'"
                    ":'all'},{'message':'one','policyDefinitionReferenceId':'m'}]}}"),
        &assignment, &error));
    PolicyResource resource;
    policy_resource_init(&resource, arena, &world->aliases, json(arena, RESOURCE));
    assert_string_equal(str_cstr(arena, assignment.scope), "/subscriptions/S");
    assert_false(assignment.enforced);
    assert_true(policy_assignment_covers(&assignment, resource.id, NULL));
    assert_false(policy_assignment_covers(
        &assignment, STR("/subscriptions/s/resourceGroups/OUT/providers/T/a/x"), NULL));
    assert_true(policy_assignment_covers(
        &assignment, STR("/subscriptions/s/resourceGroups/outer/providers/T/a/x"), NULL));
    assert_true(policy_assignment_selects(&assignment, &resource));
    assert_int_equal(policy_assignment_override(&assignment, STR("M"), &resource), EFFECT_DISABLED);
    assert_int_equal(policy_assignment_override(&assignment, STR("n"), &resource), EFFECT_INVALID);
    assert_string_equal(str_cstr(arena, policy_assignment_message(&assignment, STR("m"))), "one");
    assert_string_equal(str_cstr(arena, policy_assignment_message(&assignment, STR("n"))), "all");

    PolicyExemption exemption;
    assert_true(policy_exemption_read(
        arena,
        json(arena, "{'id':'/subscriptions/s/resourceGroups/G/providers/Microsoft.Authorization/"
                    "policyExemptions/e','properties':{'policyAssignmentId':'/SUBSCRIPTIONS/s/"
                    "providers/Microsoft.Authorization/policyAssignments/p','expiresOn':"
                    "'2026-01-01T00:00:00Z','policyDefinitionReferenceIds':['m']}}"),
        &exemption, &error));
    int64_t before, after;
    assert_true(datetime_parse(STR("2025-06-01"), &before));
    assert_true(datetime_parse(STR("2026-01-01T00:00:00Z"), &after));
    assert_true(policy_exemption_holds(&exemption, &assignment, STR("m"), &resource, before, NULL));
    assert_false(
        policy_exemption_holds(&exemption, &assignment, STR("n"), &resource, before, NULL));
    assert_false(policy_exemption_holds(&exemption, &assignment, STR("m"), &resource, after, NULL));
}

static void
related(void **state)
{
    World *world = *state;
    Arena *arena = &world->arena;
    static const char *const BODIES[] = {
        RESOURCE,
        "{'id':'/subscriptions/s/resourceGroups/g/providers/T/a/one/b/child','name':'child',"
        "'type':'t/a/b'}",
        "{'id':'/subscriptions/s/resourceGroups/g/providers/T/a/two/b/child','name':'child',"
        "'type':'t/a/b'}",
        "{'id':'/subscriptions/s/resourceGroups/g/providers/T/a/one/providers/X/diag/d','name':"
        "'d','type':'x/diag'}",
        "{'id':'/subscriptions/s/resourceGroups/h/providers/T/o/far','name':'far','type':'t/o'}",
    };
    PolicyResource all[5];
    for (size_t i = 0; i < 5; i++)
        policy_resource_init(&all[i], arena, &world->aliases, json(arena, BODIES[i]));
    RelatedIndex *index = related_index_new(arena, all, 5, NULL, NULL, NULL);
    static const struct {
        RelatedQuery query;
        uint32_t count;
        bool known;
    } CASES[] = {
        {{.type = STR_INIT("T/a/b")}, 1, true},
        {{.type = STR_INIT("T/a/b"), .name = STR_INIT("one/child")}, 1, true},
        {{.type = STR_INIT("T/a/b"), .name = STR_INIT("one/?")}, 1, true},
        {{.type = STR_INIT("T/a/b"), .name = STR_INIT("other")}, 0, true},
        {{.type = STR_INIT("X/diag")}, 1, true},
        {{.type = STR_INIT("T/o")}, 0, true},
        {{.type = STR_INIT("T/o"), .subscription = true}, 1, true},
        {{.type = STR_INIT("T/o"), .resource_group = STR_INIT("H")}, 1, true},
        {{.type = STR_INIT("T/a")}, 1, true},
        {{.type = STR_INIT("T/never")}, 0, false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        RelatedSet set = related_find(index, arena, &all[0], &CASES[i].query);
        assert_int_equal(set.known, CASES[i].known);
        assert_int_equal(set.count, CASES[i].count);
    }
}

static void
roll_up(void **state)
{
    (void)state;
    uint64_t counts[STATE_LIMIT] = {0};
    assert_int_equal(compliance_roll_up(counts), STATE_NOT_APPLICABLE);
    counts[STATE_UNKNOWN] = 1;
    counts[STATE_EXEMPT] = 1;
    assert_int_equal(compliance_roll_up(counts), STATE_EXEMPT);
    counts[STATE_COMPLIANT] = 2;
    counts[STATE_ERROR] = 1;
    assert_int_equal(compliance_roll_up(counts), STATE_COMPLIANT);
    assert_true(compliance_percentage(counts) == 80.0);
    counts[STATE_NON_COMPLIANT] = 3;
    assert_int_equal(compliance_roll_up(counts), STATE_NON_COMPLIANT);
    assert_true(compliance_percentage(counts) == 50.0);
    assert_int_equal(compliance_state_of(STR("Non-compliant")), STATE_NON_COMPLIANT);
}

static void
refused(void **state)
{
    World *world = *state;
    const PolicyCompileOptions options = {.aliases = &world->aliases};
    static const struct {
        const char *rule, *message;
    } CASES[] = {
        {"{'then':{'effect':'deny'}}", "no 'if'"},
        {"{'if':{'field':'type','equals':'x'}}", "no 'then'"},
        {"{'if':{'field':'type','equals':'x'},'then':{'effect':'explode'}}", "effect"},
        {"{'if':{'field':'type'},'then':{'effect':'deny'}}", "operator is missing"},
        {"{'if':{'field':'type','equals':'x','like':'y'},'then':{'effect':'deny'}}", "second one"},
        {"{'if':{'field':'type','value':1,'equals':'x'},'then':{'effect':'deny'}}", "exactly one"},
        {"{'if':{'field':'type','is':'x'},'then':{'effect':'deny'}}", "no operator 'is'"},
        {"{'if':{'allOf':7},'then':{'effect':'deny'}}", "take an array"},
        {"{'if':{'not':[1]},'then':{'effect':'deny'}}", "is an object"},
        {"{'if':{'count':{'field':'T/a/list'},'equals':1},'then':{'effect':'deny'}}", "with [*]"},
        {"{'if':{'value':'[parameters(\\u0027x\\u0027)]','equals':1},'then':{'effect':'deny'}}",
         "not declared"},
        {"{'if':{'value':'[reference(\\u0027x\\u0027)]','equals':1},'then':{'effect':'deny'}}",
         "may not use"},
        {"{'if':{'value':'[nothing()]','equals':1},'then':{'effect':'deny'}}", "no function"},
        {"{'if':{'value':'[concat(1]','equals':1},'then':{'effect':'deny'}}", "character"},
        {"{'if':{'field':'type','equals':'T/a'},'then':{'effect':'modify','details':{'operations':"
         "[{'operation':'add','field':'T/a/fixed','value':1}]}}}",
         "not modifiable"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        AzError error = {0};
        Str definition = str_format(&world->arena, "{'policyRule':%s}", CASES[i].rule);
        assert_null(policy_compile(&world->arena, &options,
                                   json(&world->arena, str_cstr(&world->arena, definition)),
                                   &error));
        if (!strstr(error.message, CASES[i].message))
            fail_msg("%s: '%s' does not say '%s'", CASES[i].rule, error.message, CASES[i].message);
    }
}

// `open` so many times, then `close` as often.
static const char *
nested(Arena *arena, const char *open, const char *middle, const char *close, int times)
{
    Buffer text = {0};
    for (int i = 0; i < times; i++)
        buffer_text(&text, open);
    buffer_text(&text, middle);
    for (int i = 0; i < times; i++)
        buffer_text(&text, close);
    const char *kept = str_cstr(arena, buffer_slice(&text));
    buffer_free(&text);
    return kept;
}

static void
hostile(void **state)
{
    World *world = *state;
    const PolicyCompileOptions options = {.aliases = &world->aliases};
    const char *leaf = "{'field':'type','equals':'x'}";
    const char *conditions[] = {
        nested(&world->arena, "{'not':", leaf, "}", 200),
        nested(&world->arena, "{'allOf':[", leaf, "]}", 150),
        str_format(&world->arena, "{'value':'[%s]','equals':1}",
                   nested(&world->arena, "not(", "true()", ")", 3000))
            .ptr,
        str_format(&world->arena, "{'value':'[%s]','equals':1}",
                   nested(&world->arena, "", "parameters(1)", "[0]", 3000))
            .ptr,
        str_format(&world->arena, "{'value':%s,'equals':1}",
                   nested(&world->arena, "[", "'[true()]'", "]", 300))
            .ptr,
    };
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        AzError error = {0};
        Str rule = str_format(&world->arena, "{'policyRule':{'if':%s,'then':{'effect':'audit'}}}",
                              conditions[i]);
        assert_null(policy_compile(&world->arena, &options,
                                   json(&world->arena, str_cstr(&world->arena, rule)), &error));
        assert_true(error.code != AZ_OK);
    }
    // Counts in counts over all pairs: bounded, and said so.
    PolicyOutcome out = evaluate(
        world,
        "{'mode':'All','policyRule':{'if':{'count':{'value':'[range(0,10000)]','name':'a','where':"
        "{'count':{'value':'[range(0,10000)]','name':'b','where':{'value':1,'equals':1}},'equals':"
        "1}},'equals':1},'then':{'effect':'audit'}}}",
        "{}", RESOURCE);
    assert_int_equal(out.state, STATE_ERROR);
    assert_non_null(strstr(str_cstr(&world->arena, out.reason), "20 million steps"));
    // Names of fields that are no paths.
    static const char *const NAMES[] = {"[*]a[*]b", "a[",    "a]]b.c]",
                                        "[[",       "tags[", "tags['x",
                                        "a..b",     ".",     "[*][*][*][*][*][*][*][*][*]"};
    const PolicyCompileOptions paths = {.aliases = &world->aliases, .paths = true};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        Str rule = str_format(&world->arena,
                              "{\"policyRule\":{\"if\":{\"field\":\"%s\",\"equals\":1},\"then\":"
                              "{\"effect\":\"audit\"}}}",
                              NAMES[i]);
        Text tree;
        bool is_null;
        json_parse_text(&world->arena, rule, &tree, &is_null);
        policy_compile(&world->arena, &paths, dyn_of_text(&tree), NULL);
    }
    // Wrong types everywhere, and functions that do not exist.
    static const char *const DEFINITIONS[] = {
        "[]",
        "{'policyRule':[]}",
        "{'policyRule':{'if':7,'then':{'effect':'audit'}}}",
        "{'policyRule':{'if':{'allOf':{}},'then':{'effect':'audit'}}}",
        "{'policyRule':{'if':{'field':{},'equals':1},'then':{'effect':'audit'}}}",
        "{'policyRule':{'if':{'field':'type','equals':1},'then':[]}}",
        "{'policyRule':{'if':{'field':'type','equals':1},'then':{'effect':{}}}}",
        "{'policyRule':{'if':{'count':[],'equals':1},'then':{'effect':'audit'}}}",
        "{'policyRule':{'if':{'value':'[nosuch()]','equals':1},'then':{'effect':'audit'}}}",
        "{'policyRule':{'if':{'value':'[reference(1)]','equals':1},'then':{'effect':'audit'}}}",
        "{'parameters':7,'policyRule':{'if':{'value':'[parameters(1)]','equals':1},'then':{'effect'"
        ":"
        "'audit'}}}",
    };
    for (size_t i = 0; i < sizeof DEFINITIONS / sizeof DEFINITIONS[0]; i++) {
        AzError error = {0};
        assert_null(
            policy_compile(&world->arena, &options, json(&world->arena, DEFINITIONS[i]), &error));
        assert_true(error.code != AZ_OK && error.message[0]);
    }
    // A definition of a megabyte.
    Buffer large = {0};
    buffer_text(&large, "{'mode':'All','policyRule':{'if':{'field':'T/a/on','notIn':[");
    while (large.len < 1 << 20)
        buffer_printf(&large, "'value %zu',", large.len);
    buffer_text(&large, "'x']},'then':{'effect':'audit'}}}");
    buffer_char(&large, '\0');
    out = evaluate(world, large.data, "{}", RESOURCE);
    assert_int_equal(out.state, STATE_NON_COMPLIANT);
    buffer_free(&large);
    // Resources of the wrong shape.
    static const char *const BODIES[] = {"{}", "[]", "7", "null",
                                         "{'type':7,'id':[],'tags':3,'properties':'x'}"};
    for (size_t i = 0; i < sizeof BODIES / sizeof BODIES[0]; i++)
        evaluate(world,
                 "{'mode':'All','policyRule':{'if':{'anyOf':[{'field':'T/a/list[*].x','equals':1},"
                 "{'field':'tags.a','exists':true},{'count':{'field':'T/a/list[*]'},'equals':1}]},"
                 "'then':{'effect':'audit'}}}",
                 "{}", BODIES[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(conditions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(states, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parameters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(assignments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(related, set_up, tear_down),
        cmocka_unit_test(roll_up),
        cmocka_unit_test_setup_teardown(refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hostile, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
