// Loading: which definitions, which assignments, and then only the resources they are about.

#include "azure/policy/policy_world.h"

#include "azure/arm.h"
#include "db/rows.h"
#include "value/json.h"

#include <string.h>
#include <zlib.h>

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

void *
policy_grow(Arena *arena, void *items, uint32_t len, size_t size)
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
        policy_grow(world->arena, world->assignments, world->assignment_count, sizeof(assignment));
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
        policy_grow(world->arena, world->exemptions, world->exemption_count, sizeof(exemption));
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
    world->gaps = policy_grow(world->arena, world->gaps, world->gap_count, sizeof(PolicyGap));
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
