// What gives packets a public address on their way to the internet.
//
// In order of precedence: the NAT gateway of the subnet, a public address of the machine, an
// outbound rule of its load balancer (or a balancing rule that translates outwards too), and
// last the default access that Azure gives machines without any of these. It is not given in
// a private subnet (defaultOutboundAccess is false), to members of a Standard load balancer,
// to scale sets of flexible orchestration, to IPv6, nor to a machine another of whose
// interfaces has a public address. NAT gateways and load balancers translate TCP and UDP only.
// Sources: Microsoft Learn, "Default outbound access in Azure", "Source Network Address
// Translation (SNAT) for outbound connections", "Azure NAT Gateway resource", "Outbound rules
// Azure Load Balancer".

#include "azure/network/outbound_internal.h"

#include "azure/arm.h"

RangeSet
outbound_tcp_udp(void)
{
    static const Range BOTH[] = {{PROTOCOL_TCP, PROTOCOL_TCP}, {PROTOCOL_UDP, PROTOCOL_UDP}};
    return (RangeSet){BOTH, 2};
}

static RangeSet
all_protocols(void)
{
    return packet_box_all().at[PACKET_PROTOCOL];
}

// ---- NAT gateways ----

static bool
nat_gateway(const NetworkWorld *world, Arena *arena, const Subnet *subnet, OutboundExit *out)
{
    static const char *const ADDRESSES[] = {"publicIpAddresses", "publicIpPrefixes"};
    Str id = arm_path_text(subnet->properties, "natGateway.id"), name = arm_last_segment(id);
    if (!id.len)
        return false;
    const NetResource *gateway = network_resource(world, id);
    *out = (OutboundExit){.object = id, .protocols = outbound_tcp_udp(), .state = HOP_UNSURE};
    uint32_t count = 0;
    for (size_t i = 0; gateway && i < 2; i++)
        count += arm_path_count(gateway->properties, ADDRESSES[i]);
    if (!gateway)
        out->text = str_format(arena, "NAT gateway %.*s is not in the data", STR_ARG(name));
    else if (!count)
        out->text = str_format(arena, "NAT gateway %.*s has no public address", STR_ARG(name));
    else
        out->state = HOP_PASSES, out->text = str_format(arena, "NAT gateway %.*s", STR_ARG(name));
    return true;
}

// ---- load balancers ----

static bool
names_pool(Dyn rule, Str pool_id)
{
    if (str_equal_ci(arm_path_text(rule, "backendAddressPool.id"), pool_id))
        return true;
    Dyn pools = arm_path(rule, STR("backendAddressPools"));
    for (uint32_t i = 0; dyn_kind(pools) == DYN_ARRAY && i < dyn_count(pools); i++)
        if (str_equal_ci(arm_text(dyn_at(pools, i), "id"), pool_id))
            return true;
    return false;
}

static bool
is_public_front(const NetResource *balancer, Str id)
{
    Dyn fronts = arm_path(balancer->properties, STR("frontendIPConfigurations"));
    for (uint32_t i = 0; dyn_kind(fronts) == DYN_ARRAY && i < dyn_count(fronts); i++) {
        Dyn front = dyn_at(fronts, i), body = arm_body(front);
        bool same = str_equal_ci(arm_text(front, "id"), id) ||
                    str_equal_ci(arm_text(front, "name"), arm_last_segment(id));
        if (same && (arm_path_text(body, "publicIPAddress.id").len ||
                     arm_path_text(body, "publicIPPrefix.id").len))
            return true;
    }
    return false;
}

// The protocols that rules of the balancer translate outwards for the pool.
static RangeSet
balanced_protocols(Arena *arena, const NetResource *balancer, Str pool_id)
{
    static const char *const LISTS[] = {"outboundRules", "loadBalancingRules"};
    RangeSet out = {0};
    for (size_t l = 0; l < 2; l++) {
        Dyn rules = arm_path(balancer->properties, str_from(LISTS[l]));
        for (uint32_t i = 0; dyn_kind(rules) == DYN_ARRAY && i < dyn_count(rules); i++) {
            Dyn body = arm_body(dyn_at(rules, i));
            Str front = arm_path_text(body, "frontendIPConfiguration.id");
            bool translates = l == 0 || (!arm_path_is_true(body, "disableOutboundSnat") &&
                                         is_public_front(balancer, front));
            RangeSet protocols;
            if (!translates || !names_pool(body, pool_id))
                continue;
            group_protocol(arena, arm_text(body, "protocol"), &protocols);
            out = range_set_union(arena, out,
                                  range_set_intersect(arena, protocols, outbound_tcp_udp()));
        }
    }
    return out;
}

// Whether the endpoint is in a pool of a load balancer that decides how it gets out.
static bool
load_balancer(const NetworkWorld *world, Arena *arena, const Endpoint *endpoint, OutboundExit *out)
{
    Dyn pools = arm_path(endpoint->properties, STR("loadBalancerBackendAddressPools"));
    bool decides = false;
    *out = (OutboundExit){.state = HOP_STOPS};
    for (uint32_t i = 0; dyn_kind(pools) == DYN_ARRAY && i < dyn_count(pools); i++) {
        Str pool_id = arm_text(dyn_at(pools, i), "id"), id = network_parent_id(pool_id);
        Str name = arm_last_segment(id);
        const NetResource *balancer = network_resource(world, id);
        if (!balancer) {
            if (out->state != HOP_PASSES)
                *out = (OutboundExit){
                    .state = HOP_UNSURE,
                    .object = id,
                    .text =
                        str_format(arena, "load balancer %.*s is not in the data", STR_ARG(name)),
                    .protocols = all_protocols()};
            decides = true;
            continue;
        }
        RangeSet protocols = balanced_protocols(arena, balancer, pool_id);
        if (protocols.count && out->state != HOP_PASSES)
            *out = (OutboundExit){.state = HOP_PASSES, .object = id};
        out->protocols = range_set_union(arena, out->protocols, protocols);
        if (protocols.count)
            out->text = str_format(arena, "load balancer %.*s", STR_ARG(name));
        else if (out->state == HOP_STOPS && !str_equal_ci(balancer->sku, STR("Basic")))
            *out = (OutboundExit){
                .state = HOP_STOPS,
                .object = id,
                .text = str_format(arena,
                                   "load balancer %.*s has no rule that leads out, and its members "
                                   "have no default access",
                                   STR_ARG(name))};
        decides |= protocols.count || !str_equal_ci(balancer->sku, STR("Basic"));
    }
    return decides;
}

// ---- the default ----

static OutboundExit
closed_exit(const Subnet *subnet, Str text)
{
    return (OutboundExit){.state = HOP_STOPS, .object = subnet->id, .text = text};
}

static OutboundExit
default_exit(Arena *arena, const Subnet *subnet)
{
    if (subnet->is_private)
        return closed_exit(
            subnet, str_format(arena, "subnet %.*s is private: it gives no default outbound access",
                               STR_ARG(subnet->name)));
    return (OutboundExit){.state = HOP_PASSES,
                          .object = subnet->id,
                          .text = STR("default outbound access of Azure"),
                          .protocols = all_protocols()};
}

OutboundExit
outbound_exit_of_subnet(NetworkWorld *world, Arena *arena, const Subnet *subnet)
{
    OutboundExit exit;
    return nat_gateway(world, arena, subnet, &exit) ? exit : default_exit(arena, subnet);
}

OutboundExit
outbound_exit_of_platform(NetworkWorld *world, Arena *arena, const Subnet *subnet, Str object,
                          Str text)
{
    OutboundExit exit;
    if (nat_gateway(world, arena, subnet, &exit))
        return exit;
    return (OutboundExit){
        .state = HOP_PASSES, .object = object, .text = text, .protocols = all_protocols()};
}

static bool
has_public_sibling(const NetworkWorld *world, const Endpoint *endpoint)
{
    const EndpointList *all = network_endpoints(world, endpoint->owner_id);
    for (size_t i = 0; all && i < all->len; i++)
        if (all->items[i] != endpoint && all->items[i]->public_ip_id.len)
            return true;
    return false;
}

static bool
is_ipv6_endpoint(const Endpoint *endpoint)
{
    if (endpoint->address_known)
        return !range_set_overlaps(endpoint->addresses, address_ipv4());
    return str_equal_ci(arm_text(endpoint->properties, "privateIPAddressVersion"), STR("IPv6"));
}

OutboundExit
outbound_exit_of(NetworkWorld *world, Arena *arena, const Endpoint *endpoint,
                 const NetResource *owner)
{
    OutboundExit exit;
    const Subnet *subnet = endpoint->subnet;
    bool is_ipv6 = is_ipv6_endpoint(endpoint);
    if (!is_ipv6 && nat_gateway(world, arena, subnet, &exit))
        return exit;
    if (endpoint->public_ip_id.len) {
        bool each = str_equal_ci(endpoint->public_ip_id, endpoint->owner_id);
        Str text = each ? STR("a public address of each instance")
                        : str_format(arena, "public address %.*s",
                                     STR_ARG(arm_last_segment(endpoint->public_ip_id)));
        return (OutboundExit){.state = HOP_PASSES,
                              .object = endpoint->public_ip_id,
                              .text = text,
                              .protocols = all_protocols()};
    }
    if (load_balancer(world, arena, endpoint, &exit))
        return exit;
    if (is_ipv6)
        return closed_exit(subnet, STR("it has no public IPv6 address"));
    if (has_public_sibling(world, endpoint))
        return closed_exit(subnet, STR("another address of the machine is public, so there is no "
                                       "default outbound access"));
    if (str_equal_ci(arm_text(owner->properties, "orchestrationMode"), STR("Flexible")))
        return closed_exit(subnet, STR("flexible scale sets have no default outbound access"));
    return default_exit(arena, subnet);
}
