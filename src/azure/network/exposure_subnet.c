// From which subnets a target is reached.
//
// Every subnet of the tenant is a candidate; the route of each says in a moment whether its
// packets go towards the target at all, and only for those the journey is made.

#include "azure/network/exposure_internal.h"

#include "azure/arm.h"

static SourceClass
class_of(const Subnet *from, const Endpoint *to, const Journey *journey)
{
    if (from->network == to->subnet->network)
        return SOURCE_SUBNET;
    for (size_t i = 0; i < journey->hops.len; i++)
        if (journey->hops.items[i].kind == STEP_FIREWALL ||
            journey->hops.items[i].kind == STEP_APPLIANCE)
            return SOURCE_ROUTED;
    return SOURCE_PEERED;
}

static bool
goes_towards(NetworkWorld *world, Subnet *from, const Endpoint *to)
{
    if (!from->prefixes.count)
        return false;
    if (from->network == to->subnet->network || network_peering(from->network, to->subnet->network))
        return true;
    // Other networks are behind an appliance or a gateway, or not there: most tenants have many
    // networks that lead nowhere, and each target asks all of them.
    if (!network_place(world, from)->routes.forwards)
        return false;
    const Route *route = network_route(world, from, to->addresses.items[0].low, to);
    if (!route)
        return false;
    return route->hop == HOP_APPLIANCE || route->hop == HOP_GATEWAY;
}

// Subnets of the platform's own machines, from which no workload sends.
static bool
is_of_platform(const Subnet *subnet)
{
    return str_equal_ci(subnet->name, STR("GatewaySubnet")) ||
           str_equal_ci(subnet->name, STR("AzureFirewallSubnet")) ||
           str_equal_ci(subnet->name, STR("AzureFirewallManagementSubnet")) ||
           str_equal_ci(subnet->name, STR("RouteServerSubnet"));
}

static void
expose_subnet(Exposer *exposer, Subnet *from, const Endpoint *to, const PacketBox *ports, Str via,
              DnsOf dns, void *context)
{
    Arena *arena = exposer->arena;
    Journey journey;
    PacketBox box = *ports;
    box.at[PACKET_SOURCE] = from->prefixes;
    box.at[PACKET_DESTINATION] = to->addresses;
    journey_start(&journey, arena, &box);
    Str name = str_format(arena, "%.*s/%.*s", STR_ARG(from->network->name), STR_ARG(from->name));
    journey_hop(&journey, STEP_SOURCE, HOP_PASSES, from->id, name);
    journey_route(exposer->world, &journey, from, to);
    Reach reach = journey_reach(&journey, to);
    if (reach == REACH_CLOSED)
        return;
    Exposure exposure = {
        .source = class_of(from, to, &journey),
        .source_id = from->id,
        .source_name = name,
        .reach = reach,
        .via = via,
        .because = journey_because(arena, &journey),
        .dns = dns ? dns(context, from->network) : (Str){0},
    };
    exposure.ports =
        address_class_ports(arena, reach == REACH_OPEN ? &journey.flow.sure : &journey.flow.may);
    if (exposure.dns.len)
        journey_hop(&journey, STEP_NOTE, HOP_PASSES, (Str){0},
                    str_format(arena, "DNS %.*s", STR_ARG(exposure.dns)));
    expose_add(exposer, &exposure, &journey);
}

void
expose_subnets(Exposer *exposer, const Endpoint *to, const PacketBox *ports, Str via, DnsOf dns,
               void *context)
{
    NetworkWorld *world = exposer->world;
    if (!to->subnet || !to->addresses.count) {
        Exposure exposure = {
            .source = SOURCE_SUBNET,
            .source_id = to->subnet_id,
            .source_name = to->subnet_id.len ? arm_last_segment(to->subnet_id) : STR("its subnet"),
            .reach = REACH_UNKNOWN,
            .via = via,
            .because = STR("it has an address in a subnet"),
            .reason = STR("the network it stands in is not in the data"),
        };
        expose_add(exposer, &exposure, NULL);
        return;
    }
    for (size_t n = 0; n < world->networks.len; n++) {
        VirtualNetwork *network = world->networks.entries[n].pointer;
        for (uint32_t i = 0; i < network->subnet_count; i++) {
            Subnet *from = &network->subnets[i];
            if (!is_of_platform(from) && goes_towards(world, from, to))
                expose_subnet(exposer, from, to, ports, via, dns, context);
        }
    }
}
