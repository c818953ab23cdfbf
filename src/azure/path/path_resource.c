// Edges between resources, identities and credentials: what a resource runs as, what it
// keeps, which other resource it leads to.

#include "azure/path/path_internal.h"

#include "azure/arm.h"
static Str
type_of(const PathModel *model, const ResourceFact *fact)
{
    return model->objects.items[fact->object].type;
}

static uint32_t
principal(PathModel *model, Str id)
{
    return path_object_node(model, path_object_of(model, id, OBJECT_UNKNOWN, (Str){0}));
}

// ---- facts that rules ask for ----

// Storage accounts and services that others name without an id.
static Map
resources_by_name(PathModel *model, Arena *arena)
{
    Map names;
    map_init(&names, arena, true);
    for (size_t i = 0; i < model->resources.len; i++) {
        ResourceFact *fact = &model->resources.items[i];
        Str type = type_of(model, fact);
        if (str_equal(type, STR("microsoft.storage/storageaccounts")) ||
            str_equal(type, STR("microsoft.search/searchservices")) ||
            str_equal(type, STR("microsoft.cognitiveservices/accounts")) ||
            str_equal(type, STR("microsoft.documentdb/databaseaccounts")))
            map_put(&names, arm_last_segment(model->objects.items[fact->object].id), fact);
    }
    return names;
}

void
path_read_facts(PathModel *model)
{
    Arena arena = {0};
    Map names = resources_by_name(model, &arena);
    for (size_t i = 0; i < model->resources.len; i++) {
        const ResourceFact *fact = &model->resources.items[i];
        Str type = type_of(model, fact);
        ResourceFact *store = NULL;
        if (str_equal(type, STR("microsoft.machinelearningservices/workspaces")))
            store =
                path_resource_fact(model, path_property_text(fact->properties, "storageAccount"));
        else if (str_equal(type, STR("microsoft.machinelearningservices/workspaces/datastores")))
            store = map_get(&names, path_property_text(fact->properties, "accountName"));
        if (store)
            store->is_training = true;
    }
    for (size_t i = 0; i < model->prompt_logs.len; i++) {
        const PairFact *pair = &model->prompt_logs.items[i];
        ResourceFact *from = path_resource_fact(model, model->objects.items[pair->a].id);
        ResourceFact *to = path_resource_fact(model, model->objects.items[pair->b].id);
        if (from)
            from->is_logged = true;
        if (to)
            to->has_prompts = true;
    }
    arena_free(&arena);
}

// ---- identities ----

// The node of what a member of userAssignedIdentities stands for.
static uint32_t
assigned_identity(PathModel *model, Str id, Dyn entry)
{
    const ResourceFact *resource = path_resource_fact(model, id);
    if (resource)
        return path_object_node(model, resource->object);
    Str principal_id = path_property_text(entry, "principalId");
    return principal_id.len ? principal(model, principal_id) : 0;
}

// Calls with the node of each identity of the resource.
static void
each_identity(PathModel *model, const ResourceFact *fact,
              void (*each)(PathModel *model, const ResourceFact *fact, uint32_t identity))
{
    Str own = path_property_text(fact->identity, "principalId");
    if (own.len)
        each(model, fact, principal(model, own));
    Dyn assigned = path_property(fact->identity, STR("userAssignedIdentities"));
    for (uint32_t i = 0; dyn_kind(assigned) == DYN_BAG && i < dyn_count(assigned); i++) {
        uint32_t node = assigned_identity(model, dyn_key_at(assigned, i), dyn_at(assigned, i));
        if (node)
            each(model, fact, node);
    }
}

static void
link_identity(PathModel *model, const ResourceFact *fact, uint32_t identity)
{
    path_link(model, path_object_node(model, fact->object), identity, "IdentityOf", 0);
}

// Code on these runs in a place of the tenant's networks.
static bool
is_compute(Str type)
{
    static const Str TYPES[] = {
        STR_INIT("microsoft.compute/virtualmachines"),
        STR_INIT("microsoft.compute/virtualmachinescalesets"),
        STR_INIT("microsoft.web/sites"),
        STR_INIT("microsoft.app/containerapps"),
        STR_INIT("microsoft.app/jobs"),
        STR_INIT("microsoft.containerinstance/containergroups"),
        STR_INIT("microsoft.containerservice/managedclusters"),
        STR_INIT("microsoft.machinelearningservices/workspaces"),
        STR_INIT("microsoft.machinelearningservices/workspaces/computes"),
        STR_INIT("microsoft.machinelearningservices/workspaces/onlineendpoints"),
    };
    for (size_t i = 0; i < COUNT_OF(TYPES); i++)
        if (str_equal(type, TYPES[i]))
            return true;
    return false;
}

static bool
is_in_network(const PathModel *model, const ResourceFact *fact)
{
    Str type = type_of(model, fact);
    if (str_equal(type, STR("microsoft.web/sites")))
        return path_property_text(fact->properties, "virtualNetworkSubnetId").len > 0;
    return is_compute(type);
}

// ---- vaults, clusters, workspaces ----

static bool
lists(Dyn permissions, Str wanted)
{
    for (uint32_t i = 0; dyn_kind(permissions) == DYN_ARRAY && i < dyn_count(permissions); i++) {
        Dyn item = dyn_at(permissions, i);
        if (dyn_kind(item) == DYN_STRING &&
            (str_equal_ci(dyn_string(item), wanted) || str_equal_ci(dyn_string(item), STR("all"))))
            return true;
    }
    return false;
}

static void
link_access_policies(PathModel *model, const ResourceFact *vault)
{
    Dyn policies = path_property(vault->properties, STR("accessPolicies"));
    if (path_property_holds(vault, STR("enableRbacAuthorization=true")))
        return;
    for (uint32_t i = 0; dyn_kind(policies) == DYN_ARRAY && i < dyn_count(policies); i++) {
        Dyn policy = dyn_at(policies, i);
        Str holder = path_property_text(policy, "objectId");
        if (holder.len && lists(path_property(policy, STR("permissions.secrets")), STR("get")))
            path_link(model, principal(model, holder), path_reached(model, vault, CAP_SECRETS),
                      "GetSecret",
                      path_add_evidence(model, model->objects.items[vault->object].id,
                                        STR("access policy of the vault")));
    }
}

static void
link_cluster(PathModel *model, const ResourceFact *cluster, const Map *issuers)
{
    uint32_t control = path_object_node(model, cluster->object);
    Str kubelet =
        path_property_text(cluster->properties, "identityProfile.kubeletidentity.objectId");
    if (kubelet.len)
        path_link(model, control, principal(model, kubelet), "NodeIdentity", 0);
    Str issuer = path_property_text(cluster->properties, "oidcIssuerProfile.issuerURL");
    const PairFacts *trusting = issuer.len ? map_get(issuers, issuer) : NULL;
    for (size_t i = 0; trusting && i < trusting->len; i++)
        path_link(model, control, path_object_node(model, trusting->items[i].a), "PodAsIdentity",
                  path_add_evidence(model, trusting->items[i].id, STR("federated credential")));
}

static void
link_node_groups(PathModel *model, Arena *arena)
{
    Map groups; // id of a node resource group -> cluster
    map_init(&groups, arena, true);
    for (size_t i = 0; i < model->resources.len; i++) {
        ResourceFact *fact = &model->resources.items[i];
        Str group = path_property_text(fact->properties, "nodeResourceGroup");
        Str id = model->objects.items[fact->object].id;
        ptrdiff_t at = str_find(id, STR("/resource"));
        if (group.len && at > 0 &&
            str_equal(type_of(model, fact), STR("microsoft.containerservice/managedclusters")))
            map_put(&groups,
                    str_format(arena, "%.*s/resourceGroups/%.*s", (int)at, id.ptr, STR_ARG(group)),
                    fact);
    }
    for (size_t i = 0; i < model->resources.len; i++) {
        const ResourceFact *fact = &model->resources.items[i];
        uint32_t parent = model->objects.items[fact->object].parent;
        if (parent == UINT32_MAX ||
            !str_equal(type_of(model, fact), STR("microsoft.compute/virtualmachinescalesets")))
            continue;
        const ResourceFact *cluster = map_get(&groups, model->objects.items[parent].id);
        if (cluster)
            path_link(model, path_object_node(model, cluster->object),
                      path_object_node(model, fact->object), "NodeResourceGroup", 0);
    }
}

static void
link_workspace(PathModel *model, const ResourceFact *workspace)
{
    const ResourceFact *store =
        path_resource_fact(model, path_property_text(workspace->properties, "storageAccount"));
    if (store)
        path_link(model, path_capability_node(model, store->object, CAP_WRITE),
                  path_capability_node(model, workspace->object, CAP_WRITE), NULL, 0);
}

// Notebooks of a workspace lie on its storage; whoever writes there runs code on the
// machines of those who open them.
static void
link_compute(PathModel *model, const ResourceFact *compute)
{
    if (!str_equal_ci(path_property_text(compute->properties, "computeType"),
                      STR("ComputeInstance")))
        return;
    Str id = model->objects.items[compute->object].id;
    ptrdiff_t at = str_find(id, STR("/computes/"));
    const ResourceFact *workspace =
        at > 0 ? path_resource_fact(model, str_slice(id, 0, (size_t)at)) : NULL;
    const ResourceFact *store =
        workspace
            ? path_resource_fact(model, path_property_text(workspace->properties, "storageAccount"))
            : NULL;
    uint32_t control = path_object_node(model, compute->object);
    if (workspace)
        path_link(model, path_capability_node(model, workspace->object, CAP_NOTEBOOK), control,
                  NULL, 0);
    if (store)
        path_link(model, path_capability_node(model, store->object, CAP_KEYS), control,
                  "CanEditSharedNotebook", 0);
}

static void
link_datastore(PathModel *model, const ResourceFact *datastore, const Map *names)
{
    const ResourceFact *store =
        map_get(names, path_property_text(datastore->properties, "accountName"));
    if (store && path_property_holds(datastore, STR("credentials.credentialsType!=None")))
        path_link(model, path_capability_node(model, datastore->object, CAP_SECRETS),
                  path_capability_node(model, store->object, CAP_KEYS), "CredentialFor", 0);
}

// The resource that a connection leads to: by id, or by the first label of its address.
static const ResourceFact *
connection_target(PathModel *model, const ResourceFact *connection, const Map *names)
{
    Str id = path_property_text(connection->properties, "metadata.ResourceId");
    Str address = path_property_text(connection->properties, "target");
    if (id.len)
        return path_resource_fact(model, id);
    ptrdiff_t start = str_find(address, STR("://"));
    Str host = start < 0 ? address : str_slice(address, (size_t)start + 3, address.len);
    ptrdiff_t dot = str_find(host, STR("."));
    return map_get(names, dot < 0 ? host : str_slice(host, 0, (size_t)dot));
}

static void
link_connection(PathModel *model, const ResourceFact *connection, const Map *names)
{
    const ResourceFact *target = connection_target(model, connection, names);
    Str method = path_property_text(connection->properties, "authType");
    if (target && (str_equal_ci(method, STR("ApiKey")) || str_equal_ci(method, STR("AccountKey"))))
        path_link(model, path_capability_node(model, connection->object, CAP_SECRETS),
                  path_capability_node(model, target->object, CAP_KEYS), "CredentialFor", 0);
}

static void
link_resource(PathModel *model, const ResourceFact *fact, const Map *names, const Map *issuers)
{
    Str type = type_of(model, fact);
    each_identity(model, fact, link_identity);
    if (is_in_network(model, fact))
        path_link(model, path_object_node(model, fact->object),
                  path_object_node(model, model->network), NULL, 0);
    if (str_equal(type, STR("microsoft.keyvault/vaults")))
        link_access_policies(model, fact);
    else if (str_equal(type, STR("microsoft.containerservice/managedclusters")))
        link_cluster(model, fact, issuers);
    else if (str_equal(type, STR("microsoft.machinelearningservices/workspaces")))
        link_workspace(model, fact);
    else if (str_equal(type, STR("microsoft.machinelearningservices/workspaces/computes")))
        link_compute(model, fact);
    else if (str_equal(type, STR("microsoft.machinelearningservices/workspaces/datastores")))
        link_datastore(model, fact, names);
    else if (str_ends(type, STR("/connections")))
        link_connection(model, fact, names);
}

// ---- credentials ----

// What must be held of a place to take what it keeps.
static PathCapability
keeps(Str type)
{
    if (str_equal(type, STR("microsoft.keyvault/vaults")))
        return CAP_SECRETS;
    if (str_equal(type, STR("microsoft.storage/storageaccounts")) ||
        str_equal(type, STR("microsoft.documentdb/databaseaccounts")) ||
        str_equal(type, STR("microsoft.search/searchservices")) ||
        str_equal(type, STR("microsoft.containerregistry/registries")))
        return CAP_READ;
    return CAP_CONTROL;
}

static void
link_credentials(PathModel *model)
{
    for (size_t i = 0; i < model->credentials.len; i++) {
        const PairFact *fact = &model->credentials.items[i];
        PathCapability held = keeps(model->objects.items[fact->a].type);
        path_link(model, path_capability_node(model, fact->a, held),
                  path_object_node(model, fact->b), "CredentialFor", 0);
    }
    for (size_t i = 0; i < model->readers.len; i++) {
        const PairFact *fact = &model->readers.items[i];
        PathCapability held = keeps(model->objects.items[fact->a].type);
        path_link(model, path_object_node(model, fact->b),
                  path_capability_node(model, fact->a, held), NULL, 0);
    }
    for (size_t i = 0; i < model->sql_roles.len; i++) {
        const PairFact *fact = &model->sql_roles.items[i];
        const ResourceFact *account = path_resource_fact(model, model->objects.items[fact->b].id);
        if (!account)
            continue;
        uint32_t holder = path_object_node(model, fact->a);
        uint32_t evidence = path_add_evidence(model, fact->id, STR("SQL role of the account"));
        path_link(model, holder, path_reached(model, account, CAP_READ), "ReadData", evidence);
        if (fact->flag)
            path_link(model, holder, path_reached(model, account, CAP_WRITE), "WriteData",
                      evidence);
    }
}

// Tokens: issuer and subject must be equal to the letter.
static void
link_tokens(PathModel *model, Arena *arena)
{
    Map known; // issuer and subject -> external object
    map_init(&known, arena, false);
    for (size_t i = 0; i < model->external.len; i++) {
        TokenFact *fact = &model->external.items[i];
        Str key = str_format(arena, "%.*s\n%.*s", STR_ARG(fact->issuer), STR_ARG(fact->subject));
        map_put(&known, key, fact);
    }
    for (size_t i = 0; i < model->federated.len; i++) {
        const TokenFact *fact = &model->federated.items[i];
        Str key = str_format(arena, "%.*s\n%.*s", STR_ARG(fact->issuer), STR_ARG(fact->subject));
        const TokenFact *external = map_get(&known, key);
        uint32_t from = external
                            ? external->object
                            : path_object_of(model,
                                             str_format(arena, "%.*s %.*s", STR_ARG(fact->issuer),
                                                        STR_ARG(fact->subject)),
                                             OBJECT_EXTERNAL, fact->subject);
        path_link(model, path_object_node(model, from), path_object_node(model, fact->object),
                  "AuthenticatesTo",
                  path_add_evidence(model, fact->id, STR("federated credential")));
    }
}

static Map
trusted_issuers(PathModel *model, Arena *arena)
{
    Map issuers;
    map_init(&issuers, arena, false);
    for (size_t i = 0; i < model->federated.len; i++) {
        const TokenFact *fact = &model->federated.items[i];
        bool is_new;
        MapEntry *entry = map_add(&issuers, fact->issuer, &is_new);
        if (is_new)
            entry->pointer = ARENA_NEW(arena, PairFacts);
        PairFacts *trusting = entry->pointer;
        PairFact pair = {.a = fact->object, .id = fact->id};
        ARRAY_PUSH(arena, trusting, pair);
    }
    return issuers;
}

void
path_build_resources(PathModel *model)
{
    Arena arena = {0};
    Map names = resources_by_name(model, &arena), issuers = trusted_issuers(model, &arena);
    for (size_t i = 0; i < model->resources.len; i++)
        link_resource(model, &model->resources.items[i], &names, &issuers);
    for (size_t i = 0; i < model->identities.len; i++)
        path_link(model, path_object_node(model, model->identities.items[i].a),
                  path_object_node(model, model->identities.items[i].b), "IdentityOf", 0);
    for (size_t i = 0; i < model->prompt_logs.len; i++) {
        const PairFact *pair = &model->prompt_logs.items[i];
        path_link(model, path_capability_node(model, pair->a, CAP_PROMPT_LOGS),
                  path_capability_node(model, pair->b, CAP_PROMPTS), NULL, 0);
    }
    link_node_groups(model, &arena);
    link_credentials(model);
    link_tokens(model, &arena);
    path_build_brokers(model);
    arena_free(&arena);
}
