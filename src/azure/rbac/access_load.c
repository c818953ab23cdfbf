// Loading the access model: one query a kind of fact, each with the reader of its rows.
//
// Tables that were not collected are empty: access_gaps.h says which. Columns of a query are read by position; times come as
// ticks, null as 0, which is an open end.

#include "azure/rbac/access_load.h"

#include "azure/rbac/other_rights.h"
#include "db/rows.h"

enum { MEMBERS_WAITING = 256 };

typedef struct Loader {
    AccessWorld *world;
    Arena *scratch;
    Str groups[MEMBERS_WAITING], members[MEMBERS_WAITING];
    size_t waiting;
} Loader;

static void
add_waiting(Loader *loader)
{
    access_add_members(loader->world->model, loader->groups, loader->members, loader->waiting);
    loader->waiting = 0;
}

// A view that lives as long as the rows: the model copies what it keeps.
static Str
cell(const RowReader *reader, int column)
{
    return rows_view(reader, column);
}

static void
read_management_group(Loader *loader, const RowReader *reader)
{
    scope_add_management_group(&loader->world->scopes, cell(reader, 0), cell(reader, 1));
}

static void
read_subscription(Loader *loader, const RowReader *reader)
{
    scope_add_subscription(&loader->world->scopes, cell(reader, 0), cell(reader, 1));
}

static void
read_role(Loader *loader, const RowReader *reader)
{
    if (!role_set_add(&loader->world->roles, rows_dynamic(reader, 0), false))
        loader->world->unreadable++;
}

static void
read_principal(Loader *loader, const RowReader *reader)
{
    access_add_principal(loader->world->model, cell(reader, 0), cell(reader, 1), cell(reader, 2));
}

// Hundreds of thousands: they go to the model a block at a time.
static void
read_member(Loader *loader, const RowReader *reader)
{
    loader->groups[loader->waiting] = cell(reader, 0);
    loader->members[loader->waiting++] = cell(reader, 1);
    if (loader->waiting == MEMBERS_WAITING)
        add_waiting(loader);
}

static void
read_assignment(Loader *loader, const RowReader *reader)
{
    AssignmentRecord record = {
        .id = cell(reader, 0),
        .principal = cell(reader, 1),
        .role_definition_id = cell(reader, 2),
        .scope = cell(reader, 3),
        .condition = cell(reader, 4),
        .start = rows_long(reader, 5),
        .end = rows_long(reader, 6),
        .eligible = rows_long(reader, 7) != 0,
    };
    if (record.principal.len && record.scope.len)
        access_add_assignment(loader->world->model, &record);
    else
        loader->world->unreadable++;
}

static void
read_delegation(Loader *loader, const RowReader *reader)
{
    Delegation delegation = {cell(reader, 0), cell(reader, 1), cell(reader, 2),
                             rows_dynamic(reader, 3), rows_dynamic(reader, 4)};
    loader->world->unreadable +=
        access_add_delegation(loader->world->model, loader->scratch, &delegation);
}

static void
read_classic(Loader *loader, const RowReader *reader)
{
    access_add_classic(loader->world->model, loader->scratch, cell(reader, 0), cell(reader, 1),
                       cell(reader, 2), cell(reader, 3));
}

static void
read_denial(Loader *loader, const RowReader *reader)
{
    if (!access_add_deny(loader->world->model, cell(reader, 0), rows_dynamic(reader, 1)))
        loader->world->unreadable++;
}

static const struct {
    const char *query;
    void (*read)(Loader *loader, const RowReader *reader);
} FACTS[] = {
    {"resourcecontainers | where type =~ 'microsoft.management/managementgroups'"
     " | project name, tostring(properties.details.parent.name)",
     read_management_group},
    {"resourcecontainers | where type =~ 'microsoft.resources/subscriptions'"
     " | project subscriptionId, tostring(properties.managementGroupAncestorsChain[0].name)",
     read_subscription},
    {"authorizationresources | where type =~ 'microsoft.authorization/roledefinitions'"
     " | project bag_pack('id', id, 'name', name, 'properties', properties)",
     read_role},
    {"users | project id, iff(userType =~ 'Guest', 'Guest', 'User'),"
     " iff(isempty(userPrincipalName), displayName, userPrincipalName)",
     read_principal},
    {"groups | project id, 'Group', displayName", read_principal},
    {"servicePrincipals | project id, iff(servicePrincipalType =~ 'ManagedIdentity',"
     " 'ManagedIdentity', 'ServicePrincipal'), displayName",
     read_principal},
    {"groupMembers | project groupId, id", read_member},
    {"authorizationresources | where type =~ 'microsoft.authorization/roleassignments'"
     " | project id, tostring(properties.principalId), tostring(properties.roleDefinitionId),"
     " tostring(properties.scope), tostring(properties.condition), 0, 0, 0",
     read_assignment},
    // Time-bound assignments come a second time as schedule instances, with their end; an
    // activation is an ordinary assignment while it lasts.
    {"roleEligibilityScheduleInstances"
     " | project id, principalId, roleDefinitionId, scope, condition, tolong(startDateTime),"
     " tolong(endDateTime), 1",
     read_assignment},
    {"let rows = union managedservicesresources, managedserviceresources;"
     " let definitions = rows"
     " | where type =~ 'microsoft.managedservices/registrationdefinitions'"
     " | project key = tolower(id), offer = tostring(properties.registrationDefinitionName),"
     " tenant = tostring(properties.managedByTenantId), given = properties.authorizations,"
     " eligible = properties.eligibleAuthorizations;"
     " rows | where type =~ 'microsoft.managedservices/registrationassignments'"
     " and tostring(properties.provisioningState) !in~ ('Failed', 'Canceled', 'Deleted')"
     " | extend key = tolower(tostring(properties.registrationDefinitionId)),"
     " own = properties.registrationDefinition.properties"
     " | lookup kind=leftouter definitions on key"
     " | project id, iff(isempty(offer), tostring(own.registrationDefinitionName), offer),"
     " iff(isempty(tenant), tostring(own.managedByTenantId), tenant),"
     " coalesce(given, own.authorizations), coalesce(eligible, own.eligibleAuthorizations)",
     read_delegation},
    {"let rows = authorizationresources"
     " | where type =~ 'microsoft.authorization/classicadministrators'"
     " | extend address = tolower(tostring(properties.emailAddress));"
     " rows | lookup kind=leftouter (users"
     " | where tolower(userPrincipalName) in ((rows | project address))"
     " or tolower(mail) in ((rows | project address))"
     " | mv-expand address = pack_array(tolower(userPrincipalName), tolower(mail))"
     " to typeof(string) | where isnotempty(address)"
     " | summarize user = min(id) by address) on address"
     " | project id, address, user, tostring(properties.role)",
     read_classic},
    {"authorizationresources | where type =~ 'microsoft.authorization/denyassignments'"
     " | project id, properties",
     read_denial},
};

static bool
read_facts(Database *db, Arena *rows, size_t which, AccessWorld *out, AzError *error)
{
    QueryOptions options = {0};
    QueryResult *result = db_query(db, rows, str_from(FACTS[which].query), &options, error);
    if (!result)
        return false;
    RowReader reader = {.table = result->tables[0]};
    Loader loader = {.world = out, .scratch = rows};
    while (rows_next(&reader))
        FACTS[which].read(&loader, &reader);
    add_waiting(&loader);
    return true;
}

bool
access_load(Database *db, Arena *arena, StarSegment star, AccessWorld *out, AzError *error)
{
    *out = (AccessWorld){0};
    role_set_init(&out->roles, arena);
    scope_tree_init(&out->scopes, arena);
    if (!role_set_add_built_in(&out->roles, content_dir(db_content(db)), error))
        return false;
    out->model = access_new(arena, &out->roles, &out->scopes, star);
    // One arena for the rows of all, so that its memory is had from the system once.
    Arena rows = {0};
    bool done = true;
    for (size_t i = 0; done && i < sizeof FACTS / sizeof FACTS[0]; i++) {
        done = read_facts(db, &rows, i, out, error);
        arena_reset(&rows);
    }
    arena_free(&rows);
    if (!done)
        return false;
    access_finish(out->model);
    return access_gaps_read(db, arena, &out->gaps, error);
}
