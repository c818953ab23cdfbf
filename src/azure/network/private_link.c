#include "azure/network/private_link.h"

#include "azure/arm.h"
#include "base/array.h"

// ---- index ----

static void
index_endpoint(NetworkWorld *world, NetResource *endpoint, const char *path)
{
    Dyn list = arm_path(endpoint->properties, str_from(path));
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++) {
        Str target = arm_text(arm_body(dyn_at(list, i)), "privateLinkServiceId");
        NetResourceList *of = map_get(&world->linked, target);
        if (!target.len)
            continue;
        if (!of) {
            of = ARENA_NEW(world->arena, NetResourceList);
            map_put(&world->linked, target, of);
        }
        ARRAY_PUSH(world->arena, of, endpoint);
    }
}

void
private_link_index(NetworkWorld *world)
{
    NetResourceList list = network_of_type(world, STR("microsoft.network/privateendpoints"));
    for (size_t i = 0; i < list.len; i++) {
        index_endpoint(world, list.items[i], "privateLinkServiceConnections");
        index_endpoint(world, list.items[i], "manualPrivateLinkServiceConnections");
    }
    list = network_of_type(world, STR("microsoft.network/privatednszones/virtualnetworklinks"));
    for (size_t i = 0; i < list.len; i++) {
        Str id = list.items[i]->id,
            network = arm_path_text(list.items[i]->properties, "virtualNetwork.id");
        Str zone = str_slice(id, 0, id.len - arm_last_segment(id).len);
        ptrdiff_t end = str_find(zone, STR("/virtualNetworkLinks/"));
        if (end < 0)
            end = str_find(zone, STR("/virtualnetworklinks/"));
        if (end < 0)
            continue;
        zone = arm_last_segment(str_slice(zone, 0, (size_t)end));
        map_put(&world->zone_links,
                str_format(world->arena, "%.*s %.*s", STR_ARG(zone), STR_ARG(network)),
                list.items[i]);
    }
}

// ---- connections ----

static PrivateLink *
link_of(Arena *arena, PrivateLinks *links, Str id)
{
    for (size_t i = 0; i < links->len; i++)
        if (str_equal_ci(links->items[i].id, id))
            return &links->items[i];
    PrivateLink link = {.id = id};
    ARRAY_PUSH(arena, links, link);
    return &links->items[links->len - 1];
}

static Str
subscription_of(Str id)
{
    static const Str PREFIX = STR_INIT("/subscriptions/");
    if (!str_equal_ci(str_slice(id, 0, PREFIX.len), PREFIX))
        return (Str){0};
    Str rest = str_slice(id, PREFIX.len, id.len);
    ptrdiff_t slash = str_find(rest, STR("/"));
    return str_slice(rest, 0, slash < 0 ? rest.len : (size_t)slash);
}

static Str
first_group(Dyn body)
{
    Dyn groups = arm_path(body, STR("groupIds"));
    return dyn_kind(groups) == DYN_ARRAY ? dyn_string(dyn_at(groups, 0)) : (Str){0};
}

static void
read_connection(const NetworkWorld *world, Arena *arena, PrivateLinks *links, Str id, Dyn body)
{
    PrivateLink *link = link_of(arena, links, id);
    Str status = arm_path_text(body, "privateLinkServiceConnectionState.status");
    Str group = first_group(body);
    if (group.len)
        link->group = group;
    if (!link->status.len)
        link->status = status; // the service's own word comes first
    link->approved = str_equal_ci(link->status, STR("Approved"));
    link->endpoint = network_resource(world, id);
    link->of_tenant = link->endpoint || map_find(&world->subscriptions, subscription_of(id));
}

static void
read_endpoint(const NetworkWorld *world, Arena *arena, PrivateLinks *links,
              const NetResource *endpoint, Str target, const char *path)
{
    Dyn list = arm_path(endpoint->properties, str_from(path));
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++) {
        Dyn body = arm_body(dyn_at(list, i));
        if (str_equal_ci(arm_text(body, "privateLinkServiceId"), target))
            read_connection(world, arena, links, endpoint->id, body);
    }
}

PrivateLinks
private_links(const NetworkWorld *world, Arena *arena, const ServiceKind *kind,
              const NetResource *resource)
{
    PrivateLinks links = {0};
    const NetResource *holder = resource;
    if (kind->of.len)
        holder = network_resource(world, network_parent_id(resource->id));
    if (!holder)
        return links;
    Dyn list = arm_path(holder->properties, STR("privateEndpointConnections"));
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++) {
        Dyn body = arm_body(dyn_at(list, i));
        Str id = arm_path_text(body, "privateEndpoint.id");
        if (id.len)
            read_connection(world, arena, &links, id, body);
    }
    const NetResourceList *endpoints = map_get(&world->linked, holder->id);
    for (size_t i = 0; endpoints && i < endpoints->len; i++) {
        read_endpoint(world, arena, &links, endpoints->items[i], holder->id,
                      "privateLinkServiceConnections");
        read_endpoint(world, arena, &links, endpoints->items[i], holder->id,
                      "manualPrivateLinkServiceConnections");
    }
    return links;
}

// ---- names ----

static Dyn
zones_of_group(const ServiceKind *kind, Str group)
{
    return dyn_get_ci(kind->zones, group);
}

static Str
zone_name(Arena *arena, Dyn zone, Str location)
{
    static const Str PLACE = STR_INIT("{location}");
    Str written = dyn_string(zone);
    ptrdiff_t at = str_find(written, PLACE);
    if (at < 0)
        return written;
    Str after = str_slice(written, (size_t)at + PLACE.len, written.len);
    return str_format(arena, "%.*s%.*s%.*s", (int)at, written.ptr, STR_ARG(location),
                      STR_ARG(after));
}

// The network in which the network's DNS servers stand; NULL when that is not known.
static const VirtualNetwork *
asks_in(const VirtualNetwork *network, bool *is_custom)
{
    *is_custom =
        network->dns_servers.count && !range_set_contains(network->dns_servers, ADDRESS_HOST);
    if (!*is_custom)
        return network;
    Address server = network->dns_servers.items[0].low;
    if (range_set_contains(network->space, server))
        return network;
    for (uint32_t i = 0; i < network->peering_count; i++)
        if (network->peerings[i].remote && range_set_contains(network->peerings[i].space, server))
            return network->peerings[i].remote;
    return NULL;
}

Str
private_link_dns(const NetworkWorld *world, Arena *arena, const ServiceKind *kind,
                 const NetResource *resource, const PrivateLink *link,
                 const VirtualNetwork *network)
{
    Dyn zones = zones_of_group(kind, link->group);
    bool is_custom;
    const VirtualNetwork *asked = asks_in(network, &is_custom);
    if (!dyn_count(zones))
        return (Str){0};
    if (!asked)
        return str_format(arena, "unknown: the DNS servers of %.*s are not in the data",
                          STR_ARG(network->name));
    Str last = {0};
    for (uint32_t i = 0; i < dyn_count(zones); i++) {
        last = zone_name(arena, dyn_at(zones, i), resource->location);
        Str key = str_format(arena, "%.*s %.*s", STR_ARG(last), STR_ARG(asked->id));
        if (map_find(&world->zone_links, key))
            return str_format(arena, "linked: %.*s in %.*s%s", STR_ARG(last), STR_ARG(asked->name),
                              is_custom && asked != network ? ", where the DNS server stands" : "");
    }
    last = zone_name(arena, dyn_at(zones, 0), resource->location);
    return str_format(arena, "not linked: %.*s in %.*s", STR_ARG(last), STR_ARG(asked->name));
}
