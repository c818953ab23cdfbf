#include "azure/network/entrance.h"

#include "azure/arm.h"
#include "azure/network/firewall.h"
#include "azure/network/service.h"
#include "base/array.h"

// ---- lists by key ----

static void
put(NetworkWorld *world, Map *map, Str key, Entrance *entrance)
{
    EntranceList *list = map_get(map, key);
    if (!key.len)
        return;
    if (!list) {
        list = ARENA_NEW(world->arena, EntranceList);
        map_put(map, key, list);
    }
    ARRAY_PUSH(world->arena, list, entrance);
}

static void
append_all(Arena *arena, EntranceList *out, const EntranceList *list)
{
    for (size_t i = 0; list && i < list->len; i++) {
        bool seen = false;
        for (size_t k = 0; k < out->len; k++)
            seen |= out->items[k] == list->items[i];
        if (!seen)
            ARRAY_PUSH(arena, out, list->items[i]);
    }
}

// The item of an array whose id it is.
static Dyn
item_of(Dyn list, Str id)
{
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++)
        if (str_equal_ci(arm_text(dyn_at(list, i), "id"), id))
            return dyn_at(list, i);
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++)
        if (str_equal_ci(arm_text(dyn_at(list, i), "name"), arm_last_segment(id)))
            return dyn_at(list, i);
    return (Dyn){0};
}

static bool
port_at(Dyn body, const char *name, Address *out)
{
    Dyn found = dyn_get_ci(body, str_from(name));
    *out = dyn_kind(found) == DYN_LONG && dyn_long(found) >= 0 && dyn_long(found) <= PORT_MAX
               ? (Address)dyn_long(found)
               : 0;
    return *out != 0;
}

// ---- load balancers ----

static Entrance *
balancer_entrance(NetworkWorld *world, const NetResource *balancer, Dyn rule)
{
    Dyn body = arm_body(rule);
    Dyn front = item_of(arm_path(balancer->properties, STR("frontendIPConfigurations")),
                        arm_path_text(body, "frontendIPConfiguration.id"));
    Entrance *entrance = ARENA_NEW(world->arena, Entrance);
    Address front_port, back_port;
    *entrance = (Entrance){
        .owner = balancer,
        .name = arm_text(rule, "name"),
        .public_ip_id = arm_path_text(arm_body(front), "publicIPAddress.id"),
        .ports = packet_box_all().at[PACKET_PORT], // 0 = all of them (HA ports)
        .sources = address_all(),
    };
    if (!entrance->public_ip_id.len)
        entrance->public_ip_id = arm_path_text(arm_body(front), "publicIPPrefix.id");
    group_protocol(world->arena, arm_text(body, "protocol"), &entrance->protocols);
    if (port_at(body, "frontendPort", &front_port))
        entrance->ports = range_set_of(world->arena, front_port, front_port);
    if (port_at(body, "backendPort", &back_port))
        entrance->inside = range_set_of(world->arena, back_port, back_port);
    return entrance;
}

static void
read_balancer(NetworkWorld *world, const NetResource *balancer)
{
    Dyn rules = arm_path(balancer->properties, STR("loadBalancingRules"));
    for (uint32_t i = 0; dyn_kind(rules) == DYN_ARRAY && i < dyn_count(rules); i++) {
        Dyn body = arm_body(dyn_at(rules, i));
        Entrance *entrance = balancer_entrance(world, balancer, dyn_at(rules, i));
        put(world, &world->pool_entrances, arm_path_text(body, "backendAddressPool.id"), entrance);
        Dyn pools = arm_path(body, STR("backendAddressPools"));
        for (uint32_t p = 0; dyn_kind(pools) == DYN_ARRAY && p < dyn_count(pools); p++)
            if (!str_equal_ci(arm_text(dyn_at(pools, p), "id"),
                              arm_path_text(body, "backendAddressPool.id")))
                put(world, &world->pool_entrances, arm_text(dyn_at(pools, p), "id"), entrance);
    }
    rules = arm_path(balancer->properties, STR("inboundNatRules"));
    for (uint32_t i = 0; dyn_kind(rules) == DYN_ARRAY && i < dyn_count(rules); i++) {
        Entrance *entrance = balancer_entrance(world, balancer, dyn_at(rules, i));
        put(world, &world->config_entrances,
            arm_path_text(arm_body(dyn_at(rules, i)), "backendIPConfiguration.id"), entrance);
    }
    Dyn pools = arm_path(balancer->properties, STR("backendAddressPools"));
    for (uint32_t p = 0; dyn_kind(pools) == DYN_ARRAY && p < dyn_count(pools); p++) {
        Dyn body = arm_body(dyn_at(pools, p));
        EntranceList *list = map_get(&world->pool_entrances, arm_text(dyn_at(pools, p), "id"));
        Dyn configs = arm_path(body, STR("backendIPConfigurations"));
        Dyn addresses = arm_path(body, STR("loadBalancerBackendAddresses"));
        for (size_t e = 0; list && e < list->len; e++) {
            for (uint32_t i = 0; dyn_kind(configs) == DYN_ARRAY && i < dyn_count(configs); i++)
                put(world, &world->config_entrances, arm_text(dyn_at(configs, i), "id"),
                    list->items[e]);
            for (uint32_t i = 0; dyn_kind(addresses) == DYN_ARRAY && i < dyn_count(addresses); i++)
                put(world, &world->address_entrances,
                    arm_path_text(arm_body(dyn_at(addresses, i)), "ipAddress"), list->items[e]);
        }
    }
}

// ---- application gateways ----

static void
read_gateway_rule(NetworkWorld *world, const NetResource *gateway, Subnet *subnet, Dyn rule)
{
    Dyn body = arm_body(rule);
    Dyn listener = arm_body(item_of(arm_path(gateway->properties, STR("httpListeners")),
                                    arm_path_text(body, "httpListener.id")));
    Dyn front = arm_body(item_of(arm_path(gateway->properties, STR("frontendIPConfigurations")),
                                 arm_path_text(listener, "frontendIPConfiguration.id")));
    Dyn front_port = arm_body(item_of(arm_path(gateway->properties, STR("frontendPorts")),
                                      arm_path_text(listener, "frontendPort.id")));
    Dyn pool = item_of(arm_path(gateway->properties, STR("backendAddressPools")),
                       arm_path_text(body, "backendAddressPool.id"));
    Dyn settings =
        arm_body(item_of(arm_path(gateway->properties, STR("backendHttpSettingsCollection")),
                         arm_path_text(body, "backendHttpSettings.id")));
    Entrance *entrance = ARENA_NEW(world->arena, Entrance);
    Address port, inside;
    *entrance = (Entrance){
        .owner = gateway,
        .name = arm_text(rule, "name"),
        .public_ip_id = arm_path_text(front, "publicIPAddress.id"),
        .protocols = range_set_of(world->arena, PROTOCOL_TCP, PROTOCOL_TCP),
        .sources = address_all(),
        .from = subnet,
    };
    if (port_at(front_port, "port", &port))
        entrance->ports = range_set_of(world->arena, port, port);
    if (port_at(settings, "port", &inside))
        entrance->inside = range_set_of(world->arena, inside, inside);
    if (!subnet)
        entrance->missing = STR("the subnet of the application gateway is not in the data");
    put(world, &world->owner_entrances, gateway->id, entrance);
    put(world, &world->pool_entrances, arm_text(pool, "id"), entrance);
    Dyn addresses = arm_path(arm_body(pool), STR("backendAddresses"));
    for (uint32_t i = 0; dyn_kind(addresses) == DYN_ARRAY && i < dyn_count(addresses); i++) {
        put(world, &world->address_entrances, arm_text(dyn_at(addresses, i), "ipAddress"),
            entrance);
        put(world, &world->host_entrances, arm_text(dyn_at(addresses, i), "fqdn"), entrance);
    }
}

static void
read_gateway(NetworkWorld *world, const NetResource *gateway)
{
    Dyn configs = arm_path(gateway->properties, STR("gatewayIPConfigurations"));
    Subnet *subnet =
        dyn_kind(configs) == DYN_ARRAY
            ? network_subnet(world, arm_path_text(arm_body(dyn_at(configs, 0)), "subnet.id"))
            : NULL;
    Dyn rules = arm_path(gateway->properties, STR("requestRoutingRules"));
    for (uint32_t i = 0; dyn_kind(rules) == DYN_ARRAY && i < dyn_count(rules); i++)
        read_gateway_rule(world, gateway, subnet, dyn_at(rules, i));
}

// ---- firewalls ----

static void
read_firewall(NetworkWorld *world, const NetResource *firewall)
{
    Dyn configs = arm_path(firewall->properties, STR("ipConfigurations"));
    Subnet *subnet =
        dyn_kind(configs) == DYN_ARRAY
            ? network_subnet(world, arm_path_text(arm_body(dyn_at(configs, 0)), "subnet.id"))
            : NULL;
    if (!subnet)
        return;
    FirewallRules *rules = firewall_rules_of(world, firewall, subnet);
    for (size_t i = 0; i < rules->doors.len; i++) {
        const FirewallDoor *door = &rules->doors.items[i];
        Entrance *entrance = ARENA_NEW(world->arena, Entrance);
        *entrance = (Entrance){
            .owner = firewall,
            .name = door->name,
            .public_ip_id = firewall->id, // one of its addresses
            .ports = door->packets.at[PACKET_PORT],
            .inside = range_set_of(world->arena, door->inside_port, door->inside_port),
            .protocols = door->packets.at[PACKET_PROTOCOL],
            .sources = door->packets.at[PACKET_SOURCE],
            .from = subnet,
        };
        Buffer address = {0};
        address_print(&address, door->inside);
        put(world, &world->address_entrances, str_copy(world->arena, buffer_slice(&address)),
            entrance);
        buffer_free(&address);
    }
}

// ---- all of them ----

void
entrance_index(NetworkWorld *world)
{
    static const struct {
        Str type;
        void (*read)(NetworkWorld *world, const NetResource *resource);
    } KINDS[] = {
        {STR_INIT("microsoft.network/loadbalancers"), read_balancer},
        {STR_INIT("microsoft.network/applicationgateways"), read_gateway},
        {STR_INIT("microsoft.network/azurefirewalls"), read_firewall},
    };
    for (size_t k = 0; k < COUNT_OF(KINDS); k++) {
        NetResourceList list = network_of_type(world, KINDS[k].type);
        for (size_t i = 0; i < list.len; i++)
            KINDS[k].read(world, list.items[i]);
    }
}

static void
through_pools(const NetworkWorld *world, Arena *arena, const Endpoint *endpoint, const char *member,
              EntranceList *out)
{
    Dyn pools = arm_path(endpoint->properties, str_from(member));
    for (uint32_t i = 0; dyn_kind(pools) == DYN_ARRAY && i < dyn_count(pools); i++)
        append_all(arena, out, map_get(&world->pool_entrances, arm_text(dyn_at(pools, i), "id")));
}

EntranceList
entrances_to(const NetworkWorld *world, Arena *arena, const Endpoint *endpoint)
{
    EntranceList out = {0};
    through_pools(world, arena, endpoint, "loadBalancerBackendAddressPools", &out);
    through_pools(world, arena, endpoint, "applicationGatewayBackendAddressPools", &out);
    append_all(arena, &out, map_get(&world->config_entrances, endpoint->id));
    if (endpoint->address_known) {
        Buffer address = {0};
        address_print(&address, endpoint->addresses);
        append_all(arena, &out, map_get(&world->address_entrances, buffer_slice(&address)));
        buffer_free(&address);
    }
    return out;
}

EntranceList
entrances_to_host(const NetworkWorld *world, Str host)
{
    const EntranceList *list = host.len ? map_get(&world->host_entrances, host) : NULL;
    return list ? *list : (EntranceList){0};
}
