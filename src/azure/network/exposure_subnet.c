// From which subnets a target is reached.
//
// Candidates are the subnets of the target's own network and of its peers, and everywhere else
// those with a route to an appliance or a gateway: whether that one goes towards the target is asked
// before the journey is made.

#include "azure/network/exposure_internal.h"

#include "azure/arm.h"
#include "base/array.h"

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

// Subnets of the platform's own machines, from which no workload sends.
static bool
is_of_platform(const Subnet *subnet)
{
    return str_equal_ci(subnet->name, STR("GatewaySubnet")) ||
           str_equal_ci(subnet->name, STR("AzureFirewallSubnet")) ||
           str_equal_ci(subnet->name, STR("AzureFirewallManagementSubnet")) ||
           str_equal_ci(subnet->name, STR("RouteServerSubnet"));
}

typedef struct NumberList {
    uint32_t *items;
    size_t len, cap;
} NumberList;

// Who may send, in the order of the world's networks.
typedef struct Senders {
    NumberList *near; // of each network: itself and those with a connected peering to it
    struct {
        Subnet **items;
        size_t len, cap;
    } forwarding; // subnets with a route to an appliance or a gateway
} Senders;

static VirtualNetwork *
network_number(const NetworkWorld *world, size_t number)
{
    return world->networks.entries[number].pointer;
}

static bool
is_sender(const Subnet *subnet)
{
    return subnet->prefixes.count && !is_of_platform(subnet);
}

// Networks come in order; one may have two peerings to another.
static void
add_near(NetworkWorld *world, Senders *senders, const VirtualNetwork *to, uint32_t number)
{
    NumberList *near = &senders->near[to->number];
    if (!near->len || near->items[near->len - 1] != number)
        ARRAY_PUSH(world->arena, near, number);
}

static const Senders *
senders_of(NetworkWorld *world)
{
    if (world->senders)
        return world->senders;
    Senders *senders = ARENA_NEW(world->arena, Senders);
    senders->near = ARENA_ARRAY(world->arena, NumberList, world->networks.len);
    for (uint32_t n = 0; n < world->networks.len; n++) {
        VirtualNetwork *network = network_number(world, n);
        add_near(world, senders, network, n);
        for (uint32_t p = 0; p < network->peering_count; p++)
            if (network->peerings[p].remote && network->peerings[p].connected)
                add_near(world, senders, network->peerings[p].remote, n);
        for (uint32_t i = 0; i < network->subnet_count; i++) {
            Subnet *subnet = &network->subnets[i];
            if (is_sender(subnet) && network_place(world, subnet)->routes.forwards)
                ARRAY_PUSH(world->arena, &senders->forwarding, subnet);
        }
    }
    world->senders = senders;
    return senders;
}

// Nobody is near a network whose row was there twice: the last one stands.
static const NumberList *
near_of(const NetworkWorld *world, const Senders *senders, const VirtualNetwork *network)
{
    static const NumberList NOBODY;
    return network_number(world, network->number) == network ? &senders->near[network->number]
                                                             : &NOBODY;
}

// Whether the route of a subnet in another network leads on towards the target.
static bool
goes_towards(NetworkWorld *world, Subnet *from, const Endpoint *to)
{
    const Route *route = network_route(world, from, to->addresses.items[0].low, to);
    return route && (route->hop == HOP_APPLIANCE || route->hop == HOP_GATEWAY);
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
    const Senders *senders = senders_of(world);
    const NumberList *near = near_of(world, senders, to->subnet->network);
    size_t forwarding = 0;
    for (size_t n = 0; n <= near->len; n++) {
        uint32_t number = n < near->len ? near->items[n] : UINT32_MAX;
        for (; forwarding < senders->forwarding.len; forwarding++) {
            Subnet *from = senders->forwarding.items[forwarding];
            if (from->network->number > number)
                break;
            if (from->network->number < number && goes_towards(world, from, to))
                expose_subnet(exposer, from, to, ports, via, dns, context);
        }
        const VirtualNetwork *network = n < near->len ? network_number(world, number) : NULL;
        for (uint32_t i = 0; network && i < network->subnet_count; i++)
            if (is_sender(&network->subnets[i]))
                expose_subnet(exposer, &network->subnets[i], to, ports, via, dns, context);
    }
}
