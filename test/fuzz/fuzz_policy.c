// Any bytes as a template with its parameters, expanded, and as a policy definition, parameters and a resource: whatever compiles evaluates to a
// state, and what does not says why. Tabs part the three; a missing part is empty.

#include "azure/policy/assignment.h"
#include "azure/policy/related.h"
#include "azure/template/template.h"
#include "value/json.h"

#include <stdlib.h>
#include <string.h>

static AliasTable aliases;
static Arena table;

static void
require(bool condition)
{
    if (!condition)
        abort();
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    static const char *const NAMES[] = {"T/a/on", "T/a/list", "T/a/list[*]", "T/a/list[*].x",
                                        "T/a/list[*].in[*]"};
    alias_table_init(&aliases, &table);
    AliasType *type = alias_table_type(&aliases, STR("T/a"));
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        Str below = str_slice(str_from(NAMES[i]), 4, SIZE_MAX);
        Alias alias = {.name = str_from(NAMES[i]),
                       .path = str_format(&table, "properties.%.*s", STR_ARG(below)),
                       .modifiable = MODIFIABLE_YES};
        alias_table_add(&aliases, type, &alias);
    }
    return 0;
}

static Dyn
parse(Arena *arena, Str text)
{
    Text tree;
    bool is_null;
    json_parse_text(arena, text, &tree, &is_null);
    if (is_null)
        return dyn_null();
    Text *kept = arena_copy(arena, &tree, sizeof(tree));
    return dyn_of_text(kept);
}

static Str
next_part(Str *rest)
{
    const char *tab = rest->len ? memchr(rest->ptr, '\t', rest->len) : NULL;
    size_t len = tab ? (size_t)(tab - rest->ptr) : rest->len;
    Str part = str_slice(*rest, 0, len);
    *rest = str_slice(*rest, len + 1, rest->len);
    return part;
}

static RelatedSet
find_related(void *data, Arena *arena, const PolicyResource *resource, const RelatedQuery *query)
{
    (void)arena;
    const PolicyResource *const *self = data;
    return (RelatedSet){
        .items = self, .count = related_matches(query, resource, *self), .known = true};
}

static void
run(Arena *arena, const PolicyDefinition *definition, Dyn parameters, Dyn body)
{
    AzError error = {0};
    PolicyValue given = policy_value_of(parameters);
    PolicyBinding *binding = policy_bind(arena, definition, &given, &given, &error);
    if (!binding) {
        require(error.code != AZ_OK);
        return;
    }
    PolicyResource resource;
    policy_resource_init(&resource, arena, &aliases, body);
    const PolicyResource *self = &resource;
    PolicyContext context = {
        .override = EFFECT_INVALID, .related = find_related, .data = (void *)&self};
    PolicyOutcome out = policy_evaluate(arena, binding, &resource, &context, true);
    PolicyOutcome again = policy_evaluate(arena, binding, &resource, &context, false);
    require(out.state < STATE_LIMIT && out.state == again.state && out.fires == again.fires);
    require(out.state != STATE_ERROR || out.reason.len);
    // What is pruned by type never has a state of its own.
    if (!policy_may_apply(arena, binding, resource.type, resource.alias_type))
        require(out.state >= STATE_UNKNOWN || out.state == STATE_ERROR);
    PolicyChange change;
    PolicyValue details;
    Str why;
    policy_change(arena, binding, &resource, &context, &change);
    policy_details(arena, binding, &resource, &context, &details, &why);
}

// A template and its parameters: what comes out are bodies that the engine reads.
static void
expand(Arena *arena, Dyn template, Dyn parameters, const PolicyBinding *binding)
{
    AzError error = {0};
    PlannedSet set;
    const TemplateOptions options = {.scope = STR("/subscriptions/s/resourceGroups/g"),
                                     .parameters = parameters};
    if (!template_expand(arena, &options, template, &set, &error)) {
        require(error.code != AZ_OK && error.message[0]);
        return;
    }
    const PolicyContext context = {
        .override = EFFECT_INVALID, .unknowns = set.unknowns, .unknown_count = set.unknown_count};
    for (uint32_t i = 0; i < set.count; i++) {
        PolicyResource resource;
        require(set.items[i].body.ptr && set.items[i].where.len);
        policy_resource_init(&resource, arena, &aliases, set.items[i].body);
        require(resource.type.len && resource.id.len);
        if (!binding)
            continue;
        PolicyOutcome out = policy_evaluate(arena, binding, &resource, &context, true);
        require(out.state < STATE_LIMIT && (out.state != STATE_UNKNOWN || out.reason.len));
    }
}

// A policy that conditions on everything that can be unknown in several ways.
static const PolicyBinding *
fixed_binding(Arena *arena, const PolicyCompileOptions *options)
{
    static const char RULE[] =
        "{\"policyRule\":{\"if\":{\"anyOf\":[{\"field\":\"T/a/on\",\"equals\":true},"
        "{\"not\":{\"field\":\"name\",\"like\":\"a*\"}},"
        "{\"count\":{\"field\":\"T/a/list[*]\",\"where\":{\"not\":{\"field\":\"T/a/list[*].x\","
        "\"equals\":1}}},\"greater\":1},{\"field\":\"tags.x\",\"exists\":false},"
        "{\"value\":\"[length(field('T/a/list'))]\",\"less\":3}]},\"then\":{\"effect\":\"deny\"}}}";
    PolicyDefinition *definition =
        policy_compile(arena, options, parse(arena, str_from(RULE)), NULL);
    require(definition != NULL);
    return policy_bind(arena, definition, NULL, NULL, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena arena = {0};
    AzError error = {0};
    const PolicyCompileOptions options = {
        .aliases = &aliases, .paths = size % 2, .open_parameters = size % 3 == 0};
    Str rest = {(const char *)data, size};
    Dyn definition = parse(&arena, next_part(&rest));
    Dyn parameters = parse(&arena, next_part(&rest)), body = parse(&arena, next_part(&rest));
    PolicyDefinition *compiled = policy_compile(&arena, &options, definition, &error);
    if (compiled)
        run(&arena, compiled, parameters, body);
    else
        require(error.code != AZ_OK && error.message[0]);
    const PolicyCompileOptions closed = {.aliases = &aliases};
    expand(&arena, definition, parameters, fixed_binding(&arena, &closed));
    const char *content = getenv("AZIMUTH_CONTENT"); // for the mapping table
    PlannedSet plan;
    if (content && terraform_is_plan(definition))
        terraform_expand(&arena, content, STR("/subscriptions/s"), definition, &plan, NULL);
    PolicyInitiative initiative;
    PolicyAssignment assignment;
    PolicyExemption exemption;
    policy_initiative_read(&arena, definition, &initiative, NULL);
    policy_assignment_read(&arena, parameters, &assignment, NULL);
    policy_exemption_read(&arena, body, &exemption, NULL);
    arena_free(&arena);
    return 0;
}
