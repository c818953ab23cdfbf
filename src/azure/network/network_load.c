#include "azure/network/network_load.h"

#include "azure/network/service.h"
#include "base/array.h"
#include "db/rows.h"
#include "value/json.h"

static const char *const TYPES[] = {
    "microsoft.app/containerapps",
    "microsoft.app/jobs",
    "microsoft.cognitiveservices/accounts/capabilityhosts",
    "microsoft.cognitiveservices/accounts/managednetworks",
    "microsoft.cognitiveservices/accounts/managednetworks/outboundrules",
    "microsoft.compute/virtualmachines",
    "microsoft.compute/virtualmachinescalesets",
    "microsoft.machinelearningservices/workspaces/computes",
    "microsoft.machinelearningservices/workspaces/onlineendpoints/deployments",
    "microsoft.machinelearningservices/workspaces/outboundrules",
    "microsoft.network/applicationgateways",
    "microsoft.network/applicationsecuritygroups",
    "microsoft.network/azurefirewalls",
    "microsoft.network/bastionhosts",
    "microsoft.network/firewallpolicies",
    "microsoft.network/firewallpolicies/rulecollectiongroups",
    "microsoft.network/ipgroups",
    "microsoft.network/loadbalancers",
    "microsoft.network/natgateways",
    "microsoft.network/networkinterfaces",
    "microsoft.network/networksecuritygroups",
    "microsoft.network/privatednszones/virtualnetworklinks",
    "microsoft.network/privateendpoints",
    "microsoft.network/publicipaddresses",
    "microsoft.network/routetables",
    "microsoft.network/virtualnetworkgateways",
    "microsoft.network/virtualnetworks",
    "microsoft.web/hostingenvironments",
    "microsoft.web/sites/config",
};

typedef struct Loader {
    NetworkWorld *world;
    Arena *rows;
    const RowReader *reader;
} Loader;

static Str
cell(const Loader *loader, int column)
{
    return rows_text(loader->reader, column, loader->rows);
}

static void
read_resource(Loader *loader)
{
    NetResource resource = {
        .id = cell(loader, 0),
        .name = cell(loader, 1),
        .type = cell(loader, 2),
        .kind = cell(loader, 3),
        .sku = cell(loader, 4),
        .location = cell(loader, 5),
        .subscription = cell(loader, 6),
        .group = cell(loader, 7),
        .properties = rows_dynamic(loader->reader, 8),
    };
    network_world_add(loader->world, &resource);
}

static void
read_subscription(Loader *loader)
{
    network_world_add_subscription(loader->world, cell(loader, 0));
}

static void
read_dataset(Loader *loader)
{
    network_world_add_dataset(loader->world, cell(loader, 0));
}

static bool
read_facts(Database *db, Loader *loader, Str query, void (*read)(Loader *loader), AzError *error)
{
    QueryOptions options = {0};
    QueryResult *result = db_query(db, loader->rows, query, &options, error);
    if (!result)
        return false;
    RowReader reader = {.table = result->tables[0]};
    loader->reader = &reader;
    while (rows_next(&reader))
        read(loader);
    return true;
}

static void
write_type(Buffer *query, Str type)
{
    if (!type.len)
        return;
    buffer_text(query, ", ");
    json_write_string(query, type, false);
}

// Services, and the rows of their own in which they keep rules.
static void
write_types(Buffer *query, const NetworkWorld *world)
{
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        buffer_text(query, i ? ", " : "");
        json_write_string(query, str_from(TYPES[i]), false);
    }
    for (size_t i = 0; i < world->kinds.len; i++) {
        const ServiceKind *kind = world->kinds.entries[i].pointer;
        write_type(query, kind->type);
        write_type(query, kind->children);
        write_type(query, kind->child_subnets);
        write_type(query, kind->rule_set);
    }
}

bool
network_load(Database *db, Arena *arena, NetworkWorld *out, AzError *error)
{
    if (!network_world_init(out, arena, content_dir(db_content(db)), error))
        return false;
    Arena rows = {0};
    Loader loader = {.world = out, .rows = &rows};
    Buffer query = {0};
    buffer_text(&query, "resources | where type in~ (");
    write_types(&query, out);
    buffer_text(&query, ") | project id, name, tolower(type), kind, tostring(sku.name), location,"
                        " subscriptionId, resourceGroup, properties");
    bool done =
        read_facts(db, &loader, buffer_slice(&query), read_resource, error) &&
        read_facts(db, &loader,
                   STR("resourcecontainers | where type =~ 'microsoft.resources/subscriptions'"
                       " | project iff(isempty(subscriptionId), tostring(split(id, '/')[2]),"
                       " subscriptionId)"),
                   read_subscription, error) &&
        read_facts(db, &loader,
                   STR("CollectionStatus | where Status in~ ('collected', 'empty')"
                       " | distinct Dataset"),
                   read_dataset, error);
    buffer_free(&query);
    arena_adopt(arena, &rows); // the world's views are of the rows
    if (done)
        network_world_finish(out);
    return done;
}
