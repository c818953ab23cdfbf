// Resources of the store: only the types that some unit is about, or looks for.

#include "azure/policy/policy_world.h"

#include "db/rows.h"

#include <string.h>

static const char *const TABLES[] = {"resources",
                                     "resourcecontainers",
                                     "securityresources",
                                     "guestconfigurationresources",
                                     "authorizationresources",
                                     "diagnosticsettings"};

static bool
is_asked_for(PolicyWorld *world, Arena *scratch, Str type, const Map *related)
{
    if (map_find(related, type))
        return true;
    const AliasType *alias_type = alias_find_type(&world->aliases, type);
    for (uint32_t i = 0; i < world->unit_count; i++)
        if (world->units[i].binding &&
            policy_may_apply(scratch, world->units[i].binding, type, alias_type))
            return true;
    return false;
}

// The types of a table that some unit is about, as a list for `in~`; empty when there are none.
static bool
wanted_types(PolicyWorld *world, Arena *scratch, const char *table, const Map *related, Buffer *out,
             AzError *error)
{
    Str query = str_format(scratch, "%s | summarize by type", table);
    QueryOptions options = {0};
    QueryResult *result = db_query(world->db, scratch, query, &options, error);
    if (!result)
        return false;
    RowReader reader = {.table = result->tables[0]};
    while (rows_next(&reader)) {
        Str type = rows_text(&reader, 0, scratch);
        if (!type.len || memchr(type.ptr, '\'', type.len) || memchr(type.ptr, '\\', type.len) ||
            !is_asked_for(world, scratch, type, related))
            continue;
        buffer_printf(out, "%s'%.*s'", out->len ? ", " : "", STR_ARG(type));
    }
    return true;
}

// The table that resources of a type are in; NULL for the table of resources.
static const char *
home_table(Str type)
{
    static const struct {
        const char *table, *prefix;
    } HOMES[] = {{"diagnosticsettings", "microsoft.insights/diagnosticsettings"},
                 {"securityresources", "microsoft.security/"},
                 {"guestconfigurationresources", "microsoft.guestconfiguration/"},
                 {"authorizationresources", "microsoft.authorization/role"},
                 {"resourcecontainers", "microsoft.resources/subscriptions"}};
    for (size_t i = 0; i < sizeof HOMES / sizeof HOMES[0]; i++) {
        Str prefix = str_from(HOMES[i].prefix);
        if (type.len >= prefix.len && str_equal_ci(str_slice(type, 0, prefix.len), prefix))
            return HOMES[i].table;
    }
    return NULL;
}

bool
policy_world_has_gap(const PolicyWorld *world, Str type, Str resource_id)
{
    const char *table = home_table(type);
    Str dataset = table ? str_from(table) : STR("resources");
    for (uint32_t i = 0; i < world->gap_count; i++)
        if (str_equal_ci(world->gaps[i].dataset, dataset) &&
            scope_contains(world->gaps[i].scope, resource_id))
            return true;
    return false;
}

static bool
is_collected(void *data, Str type)
{
    const PolicyWorld *world = data;
    const char *table = home_table(type);
    if (table)
        return map_find(&world->collected, str_from(table)) != NULL;
    // The table of resources has every type that takes tags and a location, and is no child.
    const AliasType *known = alias_find_type(&world->aliases, type);
    uint32_t slashes = 0;
    for (size_t i = 0; i < type.len; i++)
        slashes += type.ptr[i] == '/';
    return known && known->tags == TAGS_YES && slashes == 1 &&
           map_find(&world->collected, STR("resources"));
}

static bool
load_table(PolicyWorld *world, const char *table, const Map *related, AzError *error)
{
    Arena scratch = {0}, rows = {0};
    Buffer types = {0};
    Schema schema;
    bool done = true;
    if (!db_table_schema(world->db, &scratch, str_from(table), &schema))
        goto out;
    done = wanted_types(world, &scratch, table, related, &types, error);
    if (!done || !types.len)
        goto out;
    Str query = str_format(&scratch, "%s | where type in~ (%.*s) | project pack_all()", table,
                           (int)types.len, types.data);
    QueryOptions options = {0};
    QueryResult *result = db_query(world->db, &rows, query, &options, error);
    done = result != NULL;
    if (!done)
        goto out;
    size_t count = world->resource_count + result->tables[0]->row_count;
    PolicyResource *all = arena_alloc_array(world->arena, count, sizeof(*all));
    if (world->resource_count)
        memcpy(all, world->resources, world->resource_count * sizeof(*all));
    world->resources = all;
    RowReader reader = {.table = result->tables[0]};
    while (rows_next(&reader))
        policy_resource_init(&all[world->resource_count++], world->arena, &world->aliases,
                             rows_dynamic(&reader, 0));
    arena_adopt(world->arena, &rows);
out:
    buffer_free(&types);
    arena_free(&scratch);
    arena_free(&rows);
    return done;
}

// Types that IfNotExists effects look for; *all when one of them depends on the resource.
static void
related_types(PolicyWorld *world, Map *types, bool *all)
{
    for (uint32_t i = 0; i < world->unit_count; i++) {
        const PolicyBinding *binding = world->units[i].binding;
        PolicyEffect effect = binding ? policy_bound_effect(binding) : EFFECT_DISABLED;
        bool is_new;
        if (effect != EFFECT_AUDIT_IF_NOT_EXISTS && effect != EFFECT_DEPLOY_IF_NOT_EXISTS)
            continue;
        Str type = policy_related_type(world->arena, binding);
        if (type.len)
            map_add(types, type, &is_new);
        else
            *all = true;
    }
}

bool
policy_world_prepare(PolicyWorld *world, AzError *error)
{
    Map related;
    bool all = false;
    map_init(&related, world->arena, true);
    for (uint32_t i = 0; i < world->assignment_count; i++)
        policy_expand_assignment(world, i);
    related_types(world, &related, &all);
    for (size_t i = 0; i < sizeof TABLES / sizeof TABLES[0]; i++)
        if (!load_table(world, TABLES[i], &related, error))
            return false;
    world->related = related_index_new(world->arena, world->resources, world->resource_count,
                                       all ? NULL : &related, is_collected, world);
    return true;
}

void
policy_world_plan(PolicyWorld *world, PolicyResource *planned, uint32_t count)
{
    Map ids;
    size_t kept = 0;
    PolicyResource *all = ARENA_ARRAY(world->arena, PolicyResource, world->resource_count + count);
    map_init(&ids, world->arena, true);
    for (uint32_t i = 0; i < count; i++)
        map_put(&ids, planned[i].id, &planned[i]);
    for (size_t i = 0; i < world->resource_count; i++)
        if (!map_find(&ids, world->resources[i].id))
            all[kept++] = world->resources[i];
    if (count)
        memcpy(all + kept, planned, count * sizeof(*planned));
    world->resources = all + kept;
    world->resource_count = count;
    world->related = related_index_new(world->arena, all, kept + count, NULL, is_collected, world);
}
