#include "azure/policy/policy_test.h"

typedef struct Resources {
    PolicyResource *items;
    uint32_t len;
} Resources;

static RelatedSet
find_related(void *data, Arena *arena, const PolicyResource *resource, const RelatedQuery *query)
{
    const Resources *all = data;
    const PolicyResource **found = arena_alloc_array(arena, all->len, sizeof(*found));
    RelatedSet set = {.items = found};
    for (uint32_t i = 0; i < all->len; i++) {
        if (!str_equal_ci(all->items[i].type, query->type))
            continue;
        set.known = true;
        if (related_matches(query, resource, &all->items[i]))
            found[set.count++] = &all->items[i];
    }
    return set;
}

static Resources
read_resources(Arena *arena, const AliasTable *aliases, const Dyn *given, uint32_t count)
{
    Resources all = {0};
    uint32_t room = 0;
    for (uint32_t i = 0; i < count; i++)
        room += dyn_kind(given[i]) == DYN_ARRAY ? dyn_count(given[i]) : 1;
    all.items = ARENA_ARRAY(arena, PolicyResource, room);
    for (uint32_t i = 0; i < count; i++) {
        bool list = dyn_kind(given[i]) == DYN_ARRAY;
        for (uint32_t k = 0; k < (list ? dyn_count(given[i]) : 1); k++)
            policy_resource_init(&all.items[all.len++], arena, aliases,
                                 list ? dyn_at(given[i], k) : given[i]);
    }
    return all;
}

// A rule alone becomes a definition of mode All.
static Dyn
as_definition(Arena *arena, Dyn json)
{
    static const Str KEYS[] = {STR_INIT("mode"), STR_INIT("policyRule")};
    if (!dyn_get_ci(json, STR("if")).ptr)
        return json;
    PolicyValue *members = ARENA_ARRAY(arena, PolicyValue, 2);
    members[0] = policy_text(STR("All"));
    members[1] = policy_value_of(json);
    PolicyValue object = policy_object(KEYS, members, 2);
    return policy_to_tree(arena, &object);
}

bool
policy_test(Arena *arena, const AliasTable *aliases, Dyn definition, Dyn parameters,
            const Dyn *resources, uint32_t count, int64_t at, PolicyTest *out, AzError *error)
{
    static const TableColumn COLUMNS[] = {{"ResourceId", TYPE_STRING},
                                          {"ResourceType", TYPE_STRING},
                                          {"ComplianceState", TYPE_STRING},
                                          {"Effect", TYPE_STRING},
                                          {"Reason", TYPE_STRING}};
    const PolicyCompileOptions options = {.aliases = aliases};
    *out = (PolicyTest){0};
    PolicyDefinition *compiled =
        policy_compile(arena, &options, as_definition(arena, definition), error);
    PolicyValue given = policy_value_of(parameters);
    PolicyBinding *binding = compiled ? policy_bind(arena, compiled, &given, NULL, error) : NULL;
    if (!binding)
        return false;
    Resources all = read_resources(arena, aliases, resources, count);
    TableBuilder *builder = table_builder_new(COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0]);
    for (uint32_t i = 0; i < all.len; i++) {
        const PolicyResource *resource = &all.items[i];
        Dyn api = dyn_get_ci(resource->body, STR("apiVersion"));
        PolicyContext context = {.now = at,
                                 .related = find_related,
                                 .data = &all,
                                 .api_version = dyn_string(api),
                                 .override = EFFECT_INVALID};
        PolicyOutcome result = policy_evaluate(arena, binding, resource, &context, true);
        out->failing += result.state <= STATE_CONFLICTING && result.state != STATE_COMPLIANT;
        table_put_text(builder, resource->id.len ? resource->id : resource->full_name);
        table_put_text(builder, resource->type);
        table_put_text(builder, str_from(compliance_state_name(result.state)));
        table_put_text(builder, result.effect_text);
        table_put_text(builder, result.reason);
    }
    out->table = table_builder_finish(builder, arena);
    table_builder_free(builder);
    return true;
}
