// Rows first, then what hangs on what: networks before interfaces, all of them before
// anybody asks.

#include "azure/network/world.h"

#include "azure/arm.h"
#include "azure/network/entrance.h"
#include "azure/network/private_link.h"
#include "azure/network/world_internal.h"
#include "base/array.h"

bool
network_world_init(NetworkWorld *world, Arena *arena, const char *content, AzError *error)
{
    *world = (NetworkWorld){.arena = arena};
    Map *const BY_ID[] = {&world->linked,
                          &world->zone_links,
                          &world->pool_entrances,
                          &world->config_entrances,
                          &world->address_entrances,
                          &world->host_entrances,
                          &world->owner_entrances,
                          &world->children,
                          &world->kinds,
                          &world->datasets,
                          &world->resources,
                          &world->by_type,
                          &world->networks,
                          &world->subnets,
                          &world->configs,
                          &world->owned,
                          &world->addressed,
                          &world->members,
                          &world->unlisted,
                          &world->firewalls,
                          &world->subscriptions};
    for (size_t i = 0; i < COUNT_OF(BY_ID); i++)
        map_init(BY_ID[i], arena, true);
    return service_tags_load(arena, content, &world->tags, error) &&
           service_kinds_load(world, content, error);
}

static void
add_to_list(NetworkWorld *world, Map *lists, Str key, NetResource *resource)
{
    NetResourceList *list = map_get(lists, key);
    if (!list) {
        list = ARENA_NEW(world->arena, NetResourceList);
        map_put(lists, key, list);
    }
    ARRAY_PUSH(world->arena, list, resource);
}

// The id without its last type and name.
Str
network_parent_id(Str id)
{
    size_t end = id.len;
    for (int slashes = 0; end && slashes < 2; slashes++)
        do
            end--;
        while (end && id.ptr[end] != '/');
    return str_slice(id, 0, end);
}

void
network_world_add(NetworkWorld *world, const NetResource *resource)
{
    bool is_new;
    if (!resource->id.len)
        return;
    MapEntry *entry = map_add(&world->resources, resource->id, &is_new);
    if (!is_new)
        return; // a second row of an id says the same
    NetResource *kept = arena_copy(world->arena, resource, sizeof *resource);
    entry->pointer = kept;
    add_to_list(world, &world->by_type, kept->type, kept);
    add_to_list(world, &world->children, network_parent_id(kept->id), kept);
}

void
network_world_add_subscription(NetworkWorld *world, Str id)
{
    map_put(&world->subscriptions, id, world);
}

void
network_world_add_dataset(NetworkWorld *world, Str name)
{
    map_put(&world->datasets, name, world);
}

// ---- looking up ----

const NetResource *
network_resource(const NetworkWorld *world, Str id)
{
    return id.len ? map_get(&world->resources, id) : NULL;
}

NetResourceList
network_of_type(const NetworkWorld *world, Str type)
{
    const NetResourceList *list = map_get(&world->by_type, type);
    return list ? *list : (NetResourceList){0};
}

NetResourceList
network_children(const NetworkWorld *world, Str id, Str type)
{
    const NetResourceList *all = map_get(&world->children, id);
    NetResourceList out = {0};
    for (size_t i = 0; all && i < all->len; i++)
        if (str_equal_ci(all->items[i]->type, type))
            ARRAY_PUSH(world->arena, &out, all->items[i]);
    return out;
}

bool
network_was_collected(const NetworkWorld *world, Str dataset, Str type)
{
    return network_of_type(world, type).len || map_find(&world->datasets, dataset);
}

Subnet *
network_subnet(const NetworkWorld *world, Str id)
{
    return id.len ? map_get(&world->subnets, id) : NULL;
}

const EndpointList *
network_endpoints(const NetworkWorld *world, Str owner_id)
{
    return owner_id.len ? map_get(&world->owned, owner_id) : NULL;
}

static Str
address_key(Arena *arena, const Subnet *subnet, Address address)
{
    return str_format(arena, "%.*s %016llx%016llx", STR_ARG(subnet->id),
                      (unsigned long long)(address >> 64), (unsigned long long)address);
}

Endpoint *
network_at(const NetworkWorld *world, const Subnet *subnet, Address address)
{
    Arena scratch = {0};
    Endpoint *found = map_get(&world->addressed, address_key(&scratch, subnet, address));
    arena_free(&scratch);
    return found;
}

const Peering *
network_peering(const VirtualNetwork *from, const VirtualNetwork *to)
{
    for (uint32_t i = 0; i < from->peering_count; i++)
        if (from->peerings[i].remote == to && to && from->peerings[i].connected)
            return &from->peerings[i];
    return NULL;
}

Subnet *
network_subnet_at(const VirtualNetwork *network, Address address)
{
    for (uint32_t i = 0; i < network->subnet_count; i++)
        if (range_set_contains(network->subnets[i].prefixes, address))
            return &network->subnets[i];
    return NULL;
}

// ---- what hangs on what ----

RangeSet
world_prefixes(Arena *arena, Dyn properties, const char *single, const char *plural)
{
    RangeSet all = {0}, one;
    if (address_parse(arena, arm_text(properties, single), &one, NULL))
        all = one;
    Dyn many = arm_path(properties, str_from(plural));
    for (uint32_t i = 0; dyn_kind(many) == DYN_ARRAY && i < dyn_count(many); i++)
        if (address_parse(arena, dyn_string(dyn_at(many, i)), &one, NULL))
            all = range_set_union(arena, all, one);
    return all;
}

static void
read_subnet(NetworkWorld *world, VirtualNetwork *network, Subnet *subnet, Dyn object)
{
    Dyn body = arm_body(object);
    Str policies = arm_text(body, "privateEndpointNetworkPolicies");
    Dyn outbound = dyn_get_ci(body, STR("defaultOutboundAccess"));
    *subnet = (Subnet){
        .id = arm_text(object, "id"),
        .name = arm_text(object, "name"),
        .network = network,
        .prefixes = world_prefixes(world->arena, body, "addressPrefix", "addressPrefixes"),
        .group_id = arm_path_text(body, "networkSecurityGroup.id"),
        .table_id = arm_path_text(body, "routeTable.id"),
        .has_nat_gateway = arm_path_text(body, "natGateway.id").len != 0,
        .endpoint_groups = str_equal_ci(policies, STR("Enabled")) ||
                           str_equal_ci(policies, STR("NetworkSecurityGroupEnabled")),
        .endpoint_routes = str_equal_ci(policies, STR("Enabled")) ||
                           str_equal_ci(policies, STR("RouteTableEnabled")),
        .is_private = dyn_kind(outbound) == DYN_BOOL && !dyn_bool(outbound),
        .properties = body,
    };
    if (!subnet->id.len)
        subnet->id = str_format(world->arena, "%.*s/subnets/%.*s", STR_ARG(network->id),
                                STR_ARG(subnet->name));
    subnet->group = network_resource(world, subnet->group_id);
    subnet->table = network_resource(world, subnet->table_id);
    map_put(&world->subnets, subnet->id, subnet);
}

static void
read_peering(NetworkWorld *world, Peering *peering, Dyn object)
{
    Dyn body = arm_body(object);
    *peering = (Peering){
        .name = arm_text(object, "name"),
        .id = arm_text(object, "id"),
        .remote_id = arm_path_text(body, "remoteVirtualNetwork.id"),
        .connected = str_equal_ci(arm_text(body, "peeringState"), STR("Connected")),
        .access = arm_path_is_true(body, "allowVirtualNetworkAccess"),
        .forwarded = arm_path_is_true(body, "allowForwardedTraffic"),
        .use_gateways = arm_path_is_true(body, "useRemoteGateways"),
        .allow_gateways = arm_path_is_true(body, "allowGatewayTransit"),
        .space = world_prefixes(world->arena, body, "", "remoteAddressSpace.addressPrefixes"),
    };
    if (!peering->space.count)
        peering->space = world_prefixes(world->arena, body, "",
                                        "remoteVirtualNetworkAddressSpace.addressPrefixes");
}

static void
read_network(NetworkWorld *world, const NetResource *resource)
{
    VirtualNetwork *network = ARENA_NEW(world->arena, VirtualNetwork);
    Dyn subnets = arm_path(resource->properties, STR("subnets"));
    Dyn peerings = arm_path(resource->properties, STR("virtualNetworkPeerings"));
    network->id = resource->id;
    network->name = resource->name;
    network->resource = resource;
    network->space =
        world_prefixes(world->arena, resource->properties, "", "addressSpace.addressPrefixes");
    network->dns_servers =
        world_prefixes(world->arena, resource->properties, "", "dhcpOptions.dnsServers");
    network->subnet_count = arm_path_count(resource->properties, "subnets");
    network->subnets = ARENA_ARRAY(world->arena, Subnet, network->subnet_count);
    for (uint32_t i = 0; i < network->subnet_count; i++)
        read_subnet(world, network, &network->subnets[i], dyn_at(subnets, i));
    network->peering_count = arm_path_count(resource->properties, "virtualNetworkPeerings");
    network->peerings = ARENA_ARRAY(world->arena, Peering, network->peering_count);
    for (uint32_t i = 0; i < network->peering_count; i++)
        read_peering(world, &network->peerings[i], dyn_at(peerings, i));
    map_put(&world->networks, network->id, network);
}

static void
mark_gateway(NetworkWorld *world, const NetResource *gateway)
{
    Dyn configs = arm_path(gateway->properties, STR("ipConfigurations"));
    for (uint32_t i = 0; dyn_kind(configs) == DYN_ARRAY && i < dyn_count(configs); i++) {
        Subnet *subnet =
            network_subnet(world, arm_path_text(dyn_at(configs, i), "properties.subnet.id"));
        if (subnet)
            subnet->network->has_gateway = true;
    }
}

void
network_world_finish(NetworkWorld *world)
{
    NetResourceList networks = network_of_type(world, STR("microsoft.network/virtualnetworks"));
    for (size_t i = 0; i < networks.len; i++)
        read_network(world, networks.items[i]);
    for (size_t i = 0; i < world->networks.len; i++) {
        VirtualNetwork *network = world->networks.entries[i].pointer;
        network->number = (uint32_t)i;
        for (uint32_t p = 0; p < network->peering_count; p++) {
            Peering *peering = &network->peerings[p];
            peering->remote = map_get(&world->networks, peering->remote_id);
            if (peering->remote && !peering->space.count)
                peering->space = peering->remote->space;
        }
    }
    NetResourceList gateways =
        network_of_type(world, STR("microsoft.network/virtualnetworkgateways"));
    for (size_t i = 0; i < gateways.len; i++)
        mark_gateway(world, gateways.items[i]);
    world_read_interfaces(world);
    service_register_endpoints(world);
    private_link_index(world);
    entrance_index(world);
}

void
world_register(NetworkWorld *world, Endpoint *endpoint, Str config_id)
{
    endpoint->id = config_id;
    if (config_id.len)
        map_put(&world->configs, config_id, endpoint);
    if (endpoint->subnet && endpoint->address_known)
        map_put(&world->addressed,
                address_key(world->arena, endpoint->subnet, endpoint->addresses.items[0].low),
                endpoint);
    if (!endpoint->owner_id.len)
        return;
    EndpointList *list = map_get(&world->owned, endpoint->owner_id);
    if (!list) {
        list = ARENA_NEW(world->arena, EndpointList);
        map_put(&world->owned, endpoint->owner_id, list);
    }
    ARRAY_PUSH(world->arena, list, endpoint);
}
