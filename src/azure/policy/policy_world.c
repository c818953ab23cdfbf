// Loading: which definitions, which assignments, and then only the resources they are about.

#include "azure/policy/policy_world.h"

#include "azure/arm.h"
#include "db/rows.h"
#include "value/json.h"

#include <string.h>
#include <zlib.h>

typedef struct PolicySource {
    Dyn json;
    Str id;
} PolicySource;

typedef struct PolicyCompiled {
    PolicyDefinition *definition;
    Str reason; // when it does not compile
} PolicyCompiled;

enum { FILE_LIMIT = 512 << 20 };

bool
policy_world_init(PolicyWorld *world, Arena *arena, Database *db, AzError *error)
{
    *world = (PolicyWorld){.arena = arena, .db = db};
    alias_table_init(&world->aliases, arena);
    scope_tree_init(&world->scopes, arena);
    map_init(&world->definitions, arena, true);
    map_init(&world->compiled, arena, true);
    map_init(&world->attestations, arena, true);
    map_init(&world->containers, arena, true);
    map_init(&world->collected, arena, true);
    return alias_table_load(&world->aliases, content_dir(db_content(db)), error);
}

// Definitions ---------------------------------------------------------------

static void
add_definition(PolicyWorld *world, Dyn json)
{
    PolicySource *source = ARENA_NEW(world->arena, PolicySource);
    Str id = arm_text(json, "id"), name = arm_text(json, "name");
    if (!id.len && name.len)
        id = str_format(world->arena, "/providers/Microsoft.Authorization/%s/%.*s",
                        policy_is_initiative(json) ? "policySetDefinitions" : "policyDefinitions",
                        STR_ARG(name));
    *source = (PolicySource){json, id};
    if (id.len)
        map_put(&world->definitions, id, source);
}

static Dyn
parse_text(PolicyWorld *world, Str text, const char **why)
{
    JsonParser *parser = json_parser_new();
    DynBuilder *builder = dyn_builder_new();
    Dyn tree, kept = {0};
    size_t offset;
    *why = NULL;
    if (json_to_dynamic(parser, text, builder, why, &offset) && dyn_finish(builder, &tree, why))
        kept = (Dyn){arena_copy(world->arena, tree.ptr, tree.size), tree.size};
    else
        *why = str_format(world->arena, "%s", *why).ptr;
    dyn_builder_free(builder);
    json_parser_free(parser);
    return kept;
}

static bool
add_text(PolicyWorld *world, Str text, const char *path, AzError *error)
{
    const char *why;
    Dyn whole = parse_text(world, text, &why);
    if (dyn_kind(whole) == DYN_ARRAY) {
        for (uint32_t i = 0; i < dyn_count(whole); i++)
            add_definition(world, dyn_at(whole, i));
        return true;
    }
    if (whole.ptr) {
        add_definition(world, whole);
        return true;
    }
    for (uint32_t number = 1; text.len; number++) { // one a line
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        Str line = str_trim(str_slice(text, 0, len));
        text = str_slice(text, len + 1, text.len);
        if (!line.len)
            continue;
        Dyn one = parse_text(world, line, &why);
        if (!one.ptr)
            return error_set(error, AZ_INVALID, "'%s', line %u: %s", path, number, why);
        add_definition(world, one);
    }
    return true;
}

bool
policy_world_add_file(PolicyWorld *world, const char *path, AzError *error)
{
    gzFile file = gzopen(path, "rb");
    if (!file)
        return error_errno(error, "cannot open '%s'", path);
    Buffer text = {0};
    int got;
    while ((got = gzread(file, buffer_reserve(&text, 1 << 18), 1 << 18)) > 0 &&
           text.len < FILE_LIMIT)
        text.len += (size_t)got;
    gzclose(file);
    bool done = got == 0 ? add_text(world, buffer_slice(&text), path, error)
                         : error_set(error, AZ_INVALID, "cannot read '%s'", path);
    buffer_free(&text);
    return done;
}

// Rows of the snapshot ------------------------------------------------------

typedef void (*TakeRow)(PolicyWorld *world, const RowReader *reader, Arena *rows);

// Runs a query; its rows stay in the world's arena when `keep` says so.
static bool
each_row(PolicyWorld *world, Str query, bool keep, TakeRow take, AzError *error)
{
    Arena rows = {0};
    QueryOptions options = {0};
    QueryResult *result = db_query(world->db, &rows, query, &options, error);
    if (result) {
        RowReader reader = {.table = result->tables[0]};
        while (rows_next(&reader))
            take(world, &reader, keep ? world->arena : &rows);
    }
    if (result && keep)
        arena_adopt(world->arena, &rows);
    else
        arena_free(&rows);
    return result != NULL;
}

static void
note_unreadable(PolicyWorld *world, const AzError *error)
{
    if (!world->unreadable++)
        world->unreadable_reason = str_copy(world->arena, str_from(error->message));
}

static void *
grow(Arena *arena, void *items, uint32_t len, size_t size)
{
    if (len & (len - 1)) // room is made at powers of two
        return items;
    uint32_t cap = len ? len * 2 : 1;
    void *room = arena_zalloc_array(arena, cap, size);
    if (len)
        memcpy(room, items, len * size);
    return room;
}

static void
take_definition(PolicyWorld *world, const RowReader *reader, Arena *rows)
{
    (void)rows;
    add_definition(world, rows_dynamic(reader, 0));
}

static void
add_assignment(PolicyWorld *world, Dyn json)
{
    AzError error = {0};
    PolicyAssignment assignment;
    if (!policy_assignment_read(world->arena, json, &assignment, &error)) {
        note_unreadable(world, &error);
        return;
    }
    world->assignments =
        grow(world->arena, world->assignments, world->assignment_count, sizeof(assignment));
    world->assignments[world->assignment_count++] = assignment;
}

static void
take_assignment(PolicyWorld *world, const RowReader *reader, Arena *rows)
{
    (void)rows;
    add_assignment(world, rows_dynamic(reader, 0));
}

static void
take_exemption(PolicyWorld *world, const RowReader *reader, Arena *rows)
{
    (void)rows;
    AzError error = {0};
    PolicyExemption exemption;
    if (!policy_exemption_read(world->arena, rows_dynamic(reader, 0), &exemption, &error)) {
        note_unreadable(world, &error);
        return;
    }
    world->exemptions =
        grow(world->arena, world->exemptions, world->exemption_count, sizeof(exemption));
    world->exemptions[world->exemption_count++] = exemption;
}

// An attestation hangs on the resource it speaks of.
static void
take_attestation(PolicyWorld *world, const RowReader *reader, Arena *rows)
{
    (void)rows;
    Dyn json = rows_dynamic(reader, 0), properties = dyn_get_ci(json, STR("properties"));
    Str id = arm_text(json, "id");
    static const Str MARK = STR_INIT("/providers/microsoft.policyinsights/");
    for (size_t i = 0; i + MARK.len <= id.len; i++) {
        if (!str_equal_ci(str_slice(id, i, i + MARK.len), MARK))
            continue;
        Dyn *kept = ARENA_NEW(world->arena, Dyn);
        *kept = properties;
        Str key = str_format(world->arena, "%.*s|%.*s|%.*s", (int)i, id.ptr,
                             STR_ARG(arm_text(properties, "policyAssignmentId")),
                             STR_ARG(arm_text(properties, "policyDefinitionReferenceId")));
        map_put(&world->attestations, key, kept);
        return;
    }
}

static void
take_group(PolicyWorld *world, const RowReader *reader, Arena *rows)
{
    scope_add_management_group(&world->scopes, rows_text(reader, 0, rows),
                               rows_text(reader, 1, rows));
}

static void
take_container(PolicyWorld *world, const RowReader *reader, Arena *rows)
{
    Str id = rows_text(reader, 0, rows), parent = rows_text(reader, 1, rows);
    PolicyValue *value = ARENA_NEW(world->arena, PolicyValue);
    *value = policy_value_of(rows_dynamic(reader, 2));
    map_put(&world->containers, id, value);
    if (parent.len || scope_contains(id, STR("/subscriptions")))
        scope_add_subscription(&world->scopes, arm_last_segment(id), parent);
}

static void
take_status(PolicyWorld *world, const RowReader *reader, Arena *rows)
{
    bool is_new;
    map_add(&world->collected, rows_text(reader, 0, rows), &is_new);
}

// A data set that was not collected for a scope: an id, or that of a subscription.
static void
take_gap(PolicyWorld *world, const RowReader *reader, Arena *rows)
{
    Str scope = rows_text(reader, 1, rows);
    if (!str_starts(scope, STR("/")))
        scope = str_format(world->arena, "/subscriptions/%.*s", STR_ARG(scope));
    world->gaps = grow(world->arena, world->gaps, world->gap_count, sizeof(PolicyGap));
    world->gaps[world->gap_count++] = (PolicyGap){rows_text(reader, 0, rows), scope};
}

#define OF_TYPE(type)                                                                              \
    "policyresources | where type =~ '" type "' | project bag_pack('id', id, 'name', name, "       \
    "'properties', properties)"

static const struct {
    const char *query;
    TakeRow take;
} ALWAYS[] = {
    {"resourcecontainers | where type =~ 'microsoft.management/managementgroups'"
     " | project name, tostring(properties.details.parent.name)",
     take_group},
    {"resourcecontainers | where type =~ 'microsoft.resources/subscriptions'"
     " | project id, tostring(properties.managementGroupAncestorsChain[0].name),"
     " bag_pack('id', id, 'subscriptionId', subscriptionId, 'tenantId', tenantId,"
     " 'displayName', name, 'tags', tags)",
     take_container},
    {"resourcecontainers | where type =~ 'microsoft.resources/subscriptions/resourcegroups'"
     " | project id, '', bag_pack('id', id, 'name', name, 'type', type, 'location', location,"
     " 'tags', tags, 'properties', properties)",
     take_container},
    {"CollectionStatus | where Status in~ ('collected', 'empty') | distinct Dataset", take_status},
    {"CollectionStatus | where Status =~ 'not collected' and Scope !~ 'tenant' and"
     " isnotempty(Scope) | project Dataset, Scope",
     take_gap},
    {OF_TYPE("microsoft.authorization/policydefinitions"), take_definition},
    {OF_TYPE("microsoft.authorization/policysetdefinitions"), take_definition},
};

static const struct {
    const char *query;
    TakeRow take;
} ASSIGNED[] = {
    {OF_TYPE("microsoft.authorization/policyassignments"), take_assignment},
    {OF_TYPE("microsoft.authorization/policyexemptions"), take_exemption},
    {OF_TYPE("microsoft.policyinsights/attestations"), take_attestation},
};

static bool
load_always(PolicyWorld *world, AzError *error)
{
    for (size_t i = 0; i < sizeof ALWAYS / sizeof ALWAYS[0]; i++)
        if (!each_row(world, str_from(ALWAYS[i].query), true, ALWAYS[i].take, error))
            return false;
    return true;
}

bool
policy_world_load(PolicyWorld *world, AzError *error)
{
    if (!load_always(world, error))
        return false;
    for (size_t i = 0; i < sizeof ASSIGNED / sizeof ASSIGNED[0]; i++)
        if (!each_row(world, str_from(ASSIGNED[i].query), true, ASSIGNED[i].take, error))
            return false;
    return true;
}

bool
policy_world_assign(PolicyWorld *world, Dyn definition, Str scope, AzError *error)
{
    static const Str ID = STR_INIT("/whatif");
    if (!load_always(world, error))
        return false;
    PolicySource *source = ARENA_NEW(world->arena, PolicySource);
    *source = (PolicySource){definition, ID};
    map_put(&world->definitions, ID, source);
    world->assignments = ARENA_NEW(world->arena, PolicyAssignment);
    world->assignments[0] = (PolicyAssignment){.id = STR("whatif"),
                                               .name = STR("whatif"),
                                               .scope = scope,
                                               .definition_id = ID,
                                               .enforced = true};
    world->assignment_count = 1;
    return true;
}

// Units ---------------------------------------------------------------------

static PolicyUnit *
add_unit(PolicyWorld *world, uint32_t assignment)
{
    world->units = grow(world->arena, world->units, world->unit_count, sizeof(PolicyUnit));
    PolicyUnit *unit = &world->units[world->unit_count++];
    unit->assignment = &world->assignments[assignment];
    unit->assignment_index = assignment;
    return unit;
}

static void
break_unit(PolicyWorld *world, PolicyUnit *unit, ComplianceState state, const char *reason)
{
    unit->broken = state;
    unit->reason = str_copy(world->arena, str_from(reason));
}

static const PolicyCompiled *
compile(PolicyWorld *world, const PolicySource *source)
{
    PolicyCompiled *compiled = map_get(&world->compiled, source->id);
    if (compiled)
        return compiled;
    const PolicyCompileOptions options = {.aliases = &world->aliases};
    AzError error = {0};
    compiled = ARENA_NEW(world->arena, PolicyCompiled);
    compiled->definition = policy_compile(world->arena, &options, source->json, &error);
    if (!compiled->definition)
        compiled->reason = str_copy(world->arena, str_from(error.message));
    map_put(&world->compiled, source->id, compiled);
    return compiled;
}

// What policy() says in a rule.
static PolicyValue
policy_object_of(PolicyWorld *world, const PolicyUnit *unit)
{
    static const Str KEYS[] = {STR_INIT("assignmentId"), STR_INIT("definitionId"),
                               STR_INIT("setDefinitionId"), STR_INIT("definitionReferenceId")};
    PolicyValue *values = ARENA_ARRAY(world->arena, PolicyValue, 4);
    values[0] = policy_text(unit->assignment->id);
    values[1] = policy_text(unit->definition_id);
    values[2] = policy_text(unit->set_id);
    values[3] = policy_text(unit->reference);
    return policy_object(KEYS, values, 4);
}

static void
bind_unit(PolicyWorld *world, PolicyUnit *unit, const PolicyValue *given,
          const PolicyValue *initiative)
{
    unit->policy = policy_object_of(world, unit);
    const PolicySource *source = map_get(&world->definitions, unit->definition_id);
    if (!source) {
        break_unit(world, unit, STATE_UNKNOWN, "no data: the definition was not collected");
        return;
    }
    if (policy_is_initiative(source->json)) {
        break_unit(world, unit, STATE_ERROR, "an initiative cannot hold initiatives");
        return;
    }
    const PolicyCompiled *compiled = compile(world, source);
    AzError error = {0};
    if (!compiled->definition) {
        unit->broken = STATE_ERROR;
        unit->reason = compiled->reason;
        return;
    }
    unit->binding = policy_bind(world->arena, compiled->definition, given, initiative, &error);
    if (!unit->binding)
        break_unit(world, unit, STATE_ERROR, error.message);
}

static void
expand_initiative(PolicyWorld *world, uint32_t assignment, const PolicySource *source)
{
    const PolicyAssignment *held = &world->assignments[assignment];
    PolicyInitiative initiative;
    PolicyValue values;
    AzError error = {0};
    if (!policy_initiative_read(world->arena, source->json, &initiative, &error) ||
        !policy_parameter_values(world->arena, initiative.parameters, &held->parameters, &values,
                                 &error)) {
        PolicyUnit *unit = add_unit(world, assignment);
        unit->definition_id = held->definition_id;
        break_unit(world, unit, STATE_ERROR, error.message);
        return;
    }
    for (uint32_t i = 0; i < initiative.member_count; i++) {
        const InitiativeMember *member = &initiative.members[i];
        PolicyUnit *unit = add_unit(world, assignment);
        unit->definition_id = member->definition_id;
        unit->reference = member->reference;
        unit->set_id = held->definition_id;
        unit->groups = member->groups;
        unit->group_count = member->group_count;
        bind_unit(world, unit, &member->parameters, &values);
    }
}

static void
expand_assignment(PolicyWorld *world, uint32_t assignment)
{
    const PolicyAssignment *held = &world->assignments[assignment];
    const PolicySource *source = map_get(&world->definitions, held->definition_id);
    if (source && policy_is_initiative(source->json)) {
        expand_initiative(world, assignment, source);
        return;
    }
    PolicyUnit *unit = add_unit(world, assignment);
    unit->definition_id = held->definition_id;
    bind_unit(world, unit, &held->parameters, NULL);
}

// Resources -----------------------------------------------------------------

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
        expand_assignment(world, i);
    related_types(world, &related, &all);
    for (size_t i = 0; i < sizeof TABLES / sizeof TABLES[0]; i++)
        if (!load_table(world, TABLES[i], &related, error))
            return false;
    world->related = related_index_new(world->arena, world->resources, world->resource_count,
                                       all ? NULL : &related, is_collected, world);
    return true;
}
