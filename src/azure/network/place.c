#include "azure/network/place.h"

#include "azure/arm.h"
#include "base/array.h"

#include <string.h>

// ---- names ----

// Without members a group is empty when it is in the data itself. Instances of scale sets
// join groups with addresses that nobody lists.
static RangeSet
group_members(void *context, Str id, bool *complete)
{
    const NetworkWorld *world = context;
    const RangeSet *members = map_get(&world->members, id);
    *complete = !map_find(&world->unlisted, id) && (members || network_resource(world, id));
    return members ? *members : (RangeSet){0};
}

static bool
uses_gateway(const VirtualNetwork *network)
{
    if (network->has_gateway)
        return true;
    for (uint32_t i = 0; i < network->peering_count; i++)
        if (network->peerings[i].connected && network->peerings[i].use_gateways)
            return true;
    return false;
}

// The prefix or service tag of a user's route.
static bool
route_prefix(NetworkWorld *world, Dyn route, RangeSet *prefix, int *length)
{
    Str written = arm_text(route, "addressPrefix");
    if (address_parse(world->arena, written, prefix, length))
        return *length >= 0;
    RangeSet may;
    *length = 24; // explicit prefixes of that length and longer go before a tag's
    return service_tag_sets(&world->tags, world->arena, written, prefix, &may);
}

static Dyn
user_routes(const Subnet *subnet)
{
    return subnet->table ? arm_path(subnet->table->properties, STR("routes")) : (Dyn){0};
}

// VirtualNetwork covers the prefixes of user routes too, and may cover a default route.
static void
name_routes(NetworkWorld *world, const Subnet *subnet, GroupPlace *names)
{
    Dyn routes = user_routes(subnet);
    for (uint32_t i = 0; dyn_kind(routes) == DYN_ARRAY && i < dyn_count(routes); i++) {
        Dyn body = arm_body(dyn_at(routes, i));
        NextHop hop;
        RangeSet prefix;
        int length;
        if (!route_prefix(world, body, &prefix, &length) ||
            !next_hop_parse(arm_text(body, "nextHopType"), &hop))
            continue;
        bool leaves = hop == HOP_INTERNET || hop == HOP_NONE;
        names->network_may = range_set_union(world->arena, names->network_may, prefix);
        if (length > 0 && !leaves)
            names->network_sure = range_set_union(world->arena, names->network_sure, prefix);
    }
}

static GroupPlace
read_names(NetworkWorld *world, const Subnet *subnet)
{
    const VirtualNetwork *network = subnet->network;
    GroupPlace names = {.tags = &world->tags, .application_group = group_members};
    names.context = world;
    RangeSet host = range_set_of(world->arena, ADDRESS_HOST, ADDRESS_HOST);
    names.network_sure = range_set_union(world->arena, network->space, host);
    for (uint32_t i = 0; i < network->peering_count; i++) {
        const Peering *peering = &network->peerings[i];
        if (peering->connected && peering->access)
            names.network_sure = range_set_union(world->arena, names.network_sure, peering->space);
    }
    names.network_may = names.network_sure;
    name_routes(world, subnet, &names);
    if (uses_gateway(network)) { // whatever private space is on the other side
        RangeSet space = range_set_subtract(world->arena, address_all(), address_public());
        names.network_may = range_set_union(world->arena, names.network_may, space);
    }
    return names;
}

// ---- routes ----

static void
add_route(NetworkWorld *world, RouteTable *table, const char *prefix, NextHop hop, Str name)
{
    Route route = {.source = ROUTE_SYSTEM, .hop = hop, .name = name};
    if (address_parse(world->arena, str_from(prefix), &route.prefix, &route.length))
        ARRAY_PUSH(world->arena, table, route);
}

static void
add_space(NetworkWorld *world, RouteTable *table, Dyn prefixes, NextHop hop, Str name, Str object)
{
    for (uint32_t i = 0; dyn_kind(prefixes) == DYN_ARRAY && i < dyn_count(prefixes); i++) {
        Route route = {.source = ROUTE_SYSTEM, .hop = hop, .name = name, .object = object};
        if (address_parse(world->arena, dyn_string(dyn_at(prefixes, i)), &route.prefix,
                          &route.length))
            ARRAY_PUSH(world->arena, table, route);
    }
}

static void
add_peering_routes(NetworkWorld *world, RouteTable *table, const VirtualNetwork *network)
{
    Dyn all = arm_path(network->resource->properties, STR("virtualNetworkPeerings"));
    for (uint32_t i = 0; i < network->peering_count; i++) {
        const Peering *peering = &network->peerings[i];
        if (!peering->connected)
            continue;
        static const char *const PLACES[] = {"remoteAddressSpace.addressPrefixes",
                                             "remoteVirtualNetworkAddressSpace.addressPrefixes"};
        Dyn body = arm_body(dyn_at(all, i)), space = {0};
        for (size_t p = 0; p < COUNT_OF(PLACES) && !dyn_count(space); p++)
            space = arm_path(body, str_from(PLACES[p]));
        if (!dyn_count(space) && peering->remote)
            space = arm_path(peering->remote->resource->properties,
                             STR("addressSpace.addressPrefixes"));
        add_space(world, table, space, HOP_PEERING, peering->name, peering->id);
    }
}

static void
add_service_endpoints(NetworkWorld *world, RouteTable *table, const Subnet *subnet)
{
    Dyn list = arm_path(subnet->properties, STR("serviceEndpoints"));
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++) {
        Str service = arm_text(dyn_at(list, i), "service");
        Route route = {.source = ROUTE_USER, // no user's route goes before it
                       .hop = HOP_SERVICE_ENDPOINT,
                       .length = 32,
                       .name = service};
        RangeSet may;
        Str tag = arm_last_segment(service);
        ptrdiff_t dot = str_find(service, STR("."));
        if (dot >= 0) // Microsoft.Storage, Microsoft.Storage.Global
            tag = str_slice(service, (size_t)dot + 1, service.len);
        dot = str_find(tag, STR("."));
        if (dot >= 0)
            tag = str_slice(tag, 0, (size_t)dot);
        if (service_tag_sets(&world->tags, world->arena, tag, &route.prefix, &may))
            ARRAY_PUSH(world->arena, table, route);
    }
}

static void
add_user_routes(NetworkWorld *world, RouteTable *table, const Subnet *subnet)
{
    Dyn routes = user_routes(subnet);
    for (uint32_t i = 0; dyn_kind(routes) == DYN_ARRAY && i < dyn_count(routes); i++) {
        Dyn object = dyn_at(routes, i), body = arm_body(object);
        Route route = {
            .source = ROUTE_USER, .name = arm_text(object, "name"), .object = subnet->table_id};
        RangeSet hop_address;
        if (!route_prefix(world, body, &route.prefix, &route.length) ||
            !next_hop_parse(arm_text(body, "nextHopType"), &route.hop))
            continue;
        if (route.hop == HOP_APPLIANCE &&
            address_parse(world->arena, arm_text(body, "nextHopIpAddress"), &hop_address, NULL))
            route.appliance = hop_address.items[0].low;
        ARRAY_PUSH(world->arena, table, route);
    }
}

static bool
has_default_route(const Subnet *subnet)
{
    Dyn routes = user_routes(subnet);
    for (uint32_t i = 0; dyn_kind(routes) == DYN_ARRAY && i < dyn_count(routes); i++)
        if (str_equal(arm_text(arm_body(dyn_at(routes, i)), "addressPrefix"), STR("0.0.0.0/0")))
            return true;
    return false;
}

static RouteTable
read_routes(NetworkWorld *world, const Subnet *subnet)
{
    static const char *const UNUSED[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                         "100.64.0.0/10"};
    RouteTable table = {0};
    const VirtualNetwork *network = subnet->network;
    add_space(world, &table,
              arm_path(network->resource->properties, STR("addressSpace.addressPrefixes")),
              HOP_LOCAL, network->name, network->id);
    add_peering_routes(world, &table, network);
    add_route(world, &table, "0.0.0.0/0", HOP_INTERNET, STR("default"));
    add_route(world, &table, "::/0", HOP_INTERNET, STR("default"));
    // A user's default route takes the place of those that drop private addresses.
    for (size_t i = 0; i < COUNT_OF(UNUSED) && !has_default_route(subnet); i++)
        add_route(world, &table, UNUSED[i], HOP_NONE, STR("private address space"));
    add_service_endpoints(world, &table, subnet);
    add_user_routes(world, &table, subnet);
    route_table_sort(&table);
    return table;
}

// ---- places ----

const NetRules *
network_interface_rules(NetworkWorld *world, Interface *interface, Direction direction,
                        Subnet *subnet)
{
    NetRules *rules = &interface->rules[direction];
    if (!rules->len) // there are always those of Azure
        *rules = security_group_rules(world->arena, interface->group->properties, direction,
                                      &network_place(world, subnet)->names);
    return rules;
}

const SubnetPlace *
network_place(NetworkWorld *world, Subnet *subnet)
{
    if (subnet->place)
        return subnet->place;
    SubnetPlace *place = ARENA_NEW(world->arena, SubnetPlace);
    subnet->place = place;
    place->names = read_names(world, subnet);
    place->routes = read_routes(world, subnet);
    place->has_group = subnet->group_id.len != 0;
    if (place->has_group && !subnet->group)
        place->group_missing = str_format(world->arena, "security group %.*s is not in the data",
                                          STR_ARG(arm_last_segment(subnet->group_id)));
    for (int d = INBOUND; subnet->group && d <= OUTBOUND; d++)
        place->rules[d] = security_group_rules(world->arena, subnet->group->properties,
                                               (Direction)d, &place->names);
    if (subnet->table_id.len && !subnet->table)
        place->table_missing = str_format(world->arena, "route table %.*s is not in the data",
                                          STR_ARG(arm_last_segment(subnet->table_id)));
    place->learns_routes = uses_gateway(subnet->network) &&
                           !(subnet->table && arm_path_is_true(subnet->table->properties,
                                                               "disableBgpRoutePropagation"));
    return place;
}

// A user's route goes before that of a private endpoint only when its subnet obeys routes and
// the route is no wider than the space that the endpoint stands in. Source: Microsoft Learn,
// "Manage network policies for private endpoints".
static bool
overrides(const Route *route, const Subnet *of_endpoint, Address address)
{
    if (route->source != ROUTE_USER || !of_endpoint->endpoint_routes)
        return false;
    Dyn spaces =
        arm_path(of_endpoint->network->resource->properties, STR("addressSpace.addressPrefixes"));
    Arena scratch = {0};
    bool wider = false;
    for (uint32_t i = 0; dyn_kind(spaces) == DYN_ARRAY && i < dyn_count(spaces); i++) {
        RangeSet space;
        int length;
        if (address_parse(&scratch, dyn_string(dyn_at(spaces, i)), &space, &length) &&
            range_set_contains(space, address))
            wider = route->length < length;
    }
    arena_free(&scratch);
    return !wider;
}

const Route *
network_route(NetworkWorld *world, Subnet *subnet, Address address, const Endpoint *target)
{
    static const Route DIRECT = {.source = ROUTE_SYSTEM,
                                 .hop = HOP_PRIVATE_ENDPOINT,
                                 .length = 32,
                                 .name = STR_INIT("private endpoint")};
    const Route *route = route_find(&network_place(world, subnet)->routes, address);
    if (!target || !target->is_private_endpoint || !target->subnet)
        return route;
    const VirtualNetwork *network = target->subnet->network;
    bool near = network == subnet->network || network_peering(subnet->network, network);
    if (near && !(route && overrides(route, target->subnet, address)))
        return &DIRECT;
    return route;
}
