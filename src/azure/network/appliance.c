// What stands at the next hop of a route.
//
// An Azure firewall has its rules in the data; any other appliance decides by what is inside
// it, so that what passes it only may. Either must be in the own or in a peered network.
// Azure Firewall keeps the source address of what goes to private addresses. Source:
// Microsoft Learn, "Azure Firewall SNAT private IP address ranges".

#include "azure/network/firewall.h"
#include "azure/network/journey.h"

#include "azure/arm.h"

// The subnet that holds the address, near enough to be a next hop.
static Subnet *
subnet_near(const Subnet *from, Address address)
{
    Subnet *found = network_subnet_at(from->network, address);
    for (uint32_t i = 0; !found && i < from->network->peering_count; i++) {
        const Peering *peering = &from->network->peerings[i];
        if (peering->connected && peering->remote &&
            network_peering(peering->remote, from->network))
            found = network_subnet_at(peering->remote, address);
    }
    return found;
}

static Subnet *
pass_firewall(NetworkWorld *world, Journey *journey, const NetResource *firewall, Subnet *subnet)
{
    const FirewallRules *rules = firewall_rules_of(world, firewall, subnet);
    if (rules->missing.len)
        journey_doubt(journey, STEP_FIREWALL, firewall->id, rules->missing);
    else
        journey_rules(journey, STEP_FIREWALL, &rules->rules, firewall->id);
    return subnet;
}

static Subnet *
pass_machine(NetworkWorld *world, Journey *journey, const Endpoint *appliance)
{
    Arena *arena = journey->arena;
    Interface *interface = appliance->interface;
    Str name = interface ? interface->name : arm_last_segment(appliance->owner_id);
    Str object = interface ? interface->id : appliance->owner_id;
    if (interface && !interface->forwards) {
        journey_stop(
            journey, STEP_APPLIANCE, object,
            str_format(arena, "%.*s does not forward (IP forwarding is off)", STR_ARG(name)));
        return NULL;
    }
    journey_groups_in(world, journey, appliance->subnet, interface);
    if (journey_is_over(journey))
        return NULL;
    journey_doubt(journey, STEP_APPLIANCE, object,
                  str_format(arena, "what the appliance %.*s lets through is not in the data",
                             STR_ARG(name)));
    journey_groups_out(world, journey, appliance->subnet, interface);
    return appliance->subnet;
}

const NetResource *
journey_firewall(NetworkWorld *world, const Subnet *from, const Route *route, Subnet **subnet)
{
    *subnet = subnet_near(from, route->appliance);
    const Endpoint *there = *subnet ? network_at(world, *subnet, route->appliance) : NULL;
    const NetResource *owner = there ? network_resource(world, there->owner_id) : NULL;
    bool is_firewall = owner && str_equal(owner->type, STR("microsoft.network/azurefirewalls"));
    return is_firewall ? owner : NULL;
}

Subnet *
journey_appliance(NetworkWorld *world, Journey *journey, Subnet *from, const Route *route,
                  const Endpoint *to)
{
    (void)to;
    Arena *arena = journey->arena;
    Subnet *subnet = subnet_near(from, route->appliance);
    Range one = {route->appliance, route->appliance};
    Buffer text = {0};
    address_print(&text, (RangeSet){&one, 1});
    Str address = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    if (!subnet) {
        journey_doubt(journey, STEP_APPLIANCE, (Str){0},
                      str_format(arena, "the appliance at %.*s is in no network in the data",
                                 STR_ARG(address)));
        return NULL;
    }
    const Endpoint *there = network_at(world, subnet, route->appliance);
    const NetResource *owner = there ? network_resource(world, there->owner_id) : NULL;
    if (owner && str_equal(owner->type, STR("microsoft.network/azurefirewalls")))
        return pass_firewall(world, journey, owner, subnet);
    if (there)
        return pass_machine(world, journey, there);
    journey_doubt(journey, STEP_APPLIANCE, subnet->id,
                  str_format(arena, "what stands at %.*s in %.*s is not in the data",
                             STR_ARG(address), STR_ARG(subnet->name)));
    return subnet;
}
