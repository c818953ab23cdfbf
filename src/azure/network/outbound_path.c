// From a subnet to public addresses: groups, routes, firewalls and appliances, exits.
//
// Public destinations are parted by the routes of the subnet: each takes what no longer
// prefix holds, and is a journey of its own. What a firewall or an appliance lets through
// goes on by the routes of its subnet. A default route that a gateway teaches is in no
// snapshot: what a route of the system would send to the internet is then unknown. A firewall
// reaches the internet itself, else it would not run, unless it has an interface for
// management and so may be tunnelled. Sources: Microsoft Learn, "Virtual network traffic
// routing", "Azure Firewall forced tunneling", "Virtual Network service endpoints",
// "Virtual network service endpoint policies for Azure Storage".

#include "azure/network/outbound_internal.h"

#include "azure/arm.h"
#include "base/array.h"

#include <string.h>

typedef struct Trip {
    Outbounder *outbounder;
    const OutboundStart *start;
    const NetResource *firewall; // the last one passed; NULL = none
} Trip;

// A journey that goes on apart from the other: hops are its own from here on.
static Journey
branch(Arena *arena, const Journey *journey, RangeSet destinations)
{
    Journey out = *journey;
    PacketBox box = packet_box_all();
    box.at[PACKET_DESTINATION] = destinations;
    out.flow = flow_intersect(arena, &journey->flow, &box);
    out.hops.items = ARENA_ARRAY(arena, Hop, journey->hops.len);
    memcpy(out.hops.items, journey->hops.items, journey->hops.len * sizeof(Hop));
    out.hops.cap = journey->hops.len;
    return out;
}

static void
end(Trip *trip, Journey *journey)
{
    Outbounder *outbounder = trip->outbounder;
    if (outbounder->ended)
        outbounder->ended(outbounder->context, journey);
    Str subnet_id = trip->start->subnet->id;
    if (!journey_is_over(journey))
        outbound_public(outbounder, journey, trip->start->addresses, subnet_id);
}

// Nothing of it gets out: said of the internet only, and only by what would go there.
static void
end_closed(Trip *trip, const Journey *journey, bool is_internet)
{
    Outbounder *outbounder = trip->outbounder;
    if (outbounder->ended)
        outbounder->ended(outbounder->context, journey);
    if (!is_internet)
        return;
    Outbound answer = {.destination = DESTINATION_INTERNET,
                       .name = STR("any address"),
                       .subnet_id = trip->start->subnet->id,
                       .reach = REACH_CLOSED};
    outbound_add(outbounder, &answer, journey);
}

static bool
goes_anywhere(Arena *arena, const Journey *journey)
{
    return range_set_contains(packet_set_project(arena, &journey->flow.may, PACKET_DESTINATION),
                              ADDRESS_ANYWHERE);
}

// ---- exits ----

static void
leave(Trip *trip, Journey *journey, bool at_start)
{
    Arena *arena = trip->outbounder->arena;
    const OutboundExit *exit = trip->start->exit;
    if (!at_start) {
        if (trip->firewall)
            journey_hop(journey, STEP_EXIT, HOP_PASSES, trip->firewall->id,
                        str_format(arena, "public address of %.*s", STR_ARG(trip->firewall->name)));
        return;
    }
    if (exit->state == HOP_STOPS) {
        journey_stop(journey, STEP_EXIT, exit->object, exit->text);
        return;
    }
    PacketBox box = packet_box_all();
    box.at[PACKET_PROTOCOL] = exit->protocols;
    journey->flow = flow_intersect(arena, &journey->flow, &box);
    if (exit->state == HOP_UNSURE)
        journey_doubt(journey, STEP_EXIT, exit->object, exit->text);
    else
        journey_hop(journey, STEP_EXIT, HOP_PASSES, exit->object, exit->text);
}

static void
by_service_endpoint(Journey *journey, const Subnet *at, const Route *route, Str words)
{
    bool limited = arm_path_count(at->properties, "serviceEndpointPolicies") &&
                   str_equal_ci(str_slice(route->name, 0, 17), STR("Microsoft.Storage"));
    if (limited)
        journey_doubt(journey, STEP_ROUTE, at->id,
                      STR("a service endpoint policy names the accounts that can be reached"));
    else
        journey_hop(journey, STEP_EXIT, HOP_PASSES, at->id, words);
}

// ---- routes ----

static void depart(Trip *trip, const Journey *journey, Subnet *at, int depth);

static void
through_firewall(Trip *trip, Journey *journey, const NetResource *firewall, Subnet *subnet,
                 int depth)
{
    Outbounder *outbounder = trip->outbounder;
    const FirewallRules *rules = firewall_rules_of(outbounder->world, firewall, subnet);
    bool is_internet = goes_anywhere(outbounder->arena, journey);
    Trip next = *trip;
    next.firewall = firewall;
    if (rules->missing.len) {
        journey_doubt(journey, STEP_FIREWALL, firewall->id, rules->missing);
        depart(&next, journey, subnet, depth + 1);
        return;
    }
    bool tunnelled =
        dyn_kind(arm_path(firewall->properties, STR("managementIpConfiguration"))) == DYN_BAG;
    outbound_names(outbounder, journey, rules, firewall, trip->start->addresses,
                   trip->start->subnet->id,
                   tunnelled ? STR("the firewall may be tunnelled to another way out") : STR(""));
    journey_rules(journey, STEP_FIREWALL, &rules->by_address, firewall->id);
    if (!journey_is_over(journey)) {
        depart(&next, journey, subnet, depth + 1);
        return;
    }
    if (!journey->hops.items[journey->hops.len - 1].text.len ||
        str_equal(journey->hops.items[journey->hops.len - 1].text,
                  str_format(outbounder->arena, "%.*s: ", STR_ARG(firewall->name))))
        journey->hops.items[journey->hops.len - 1].text = str_format(
            outbounder->arena, "%.*s: no network rule allows it", STR_ARG(firewall->name));
    end_closed(trip, journey, is_internet);
}

static void
through_appliance(Trip *trip, Journey *journey, Subnet *at, const Route *route, int depth)
{
    Outbounder *outbounder = trip->outbounder;
    bool is_internet = goes_anywhere(outbounder->arena, journey);
    Subnet *subnet;
    const NetResource *firewall = journey_firewall(outbounder->world, at, route, &subnet);
    if (depth == JOURNEY_APPLIANCES_MAX) {
        journey_stop(journey, STEP_ROUTE, at->id, STR("appliances send it in a circle"));
        end_closed(trip, journey, is_internet);
    } else if (firewall) {
        through_firewall(trip, journey, firewall, subnet, depth);
    } else {
        Trip next = *trip;
        next.firewall = NULL;
        subnet = journey_appliance(outbounder->world, journey, at, route, NULL);
        if (journey_is_over(journey))
            end_closed(trip, journey, is_internet);
        else if (subnet)
            depart(&next, journey, subnet, depth + 1);
        else
            end(trip, journey);
    }
}

static bool
teaches_routes(const Trip *trip, const SubnetPlace *place, const Route *route)
{
    if (!place->learns_routes || route->source != ROUTE_SYSTEM)
        return false;
    return !trip->firewall || dyn_kind(arm_path(trip->firewall->properties,
                                                STR("managementIpConfiguration"))) == DYN_BAG;
}

static void
follow(Trip *trip, Journey *journey, Subnet *at, const Route *route, int depth)
{
    Outbounder *outbounder = trip->outbounder;
    Arena *arena = outbounder->arena;
    Str object = route->object.len ? route->object : at->id;
    Str words = journey_route_words(arena, route);
    bool is_internet = goes_anywhere(arena, journey);
    switch (route->hop) {
    case HOP_LOCAL:
    case HOP_PEERING:
    case HOP_PRIVATE_ENDPOINT: return; // inside of the tenant's networks
    case HOP_APPLIANCE:
        journey_hop(journey, STEP_ROUTE, HOP_PASSES, object, words);
        through_appliance(trip, journey, at, route, depth);
        return;
    case HOP_GATEWAY:
        journey_doubt(journey, STEP_ROUTE, object,
                      str_format(arena, "%.*s: what lies behind the gateway is not in the data",
                                 STR_ARG(words)));
        break;
    case HOP_SERVICE_ENDPOINT: by_service_endpoint(journey, at, route, words); break;
    case HOP_INTERNET:
        if (teaches_routes(trip, network_place(outbounder->world, at), route))
            journey_doubt(journey, STEP_ROUTE, object,
                          STR("routes that a gateway teaches are not in the data"));
        else
            journey_hop(journey, STEP_ROUTE, HOP_PASSES, object, words);
        leave(trip, journey, depth == 0);
        break;
    default: journey_stop(journey, STEP_ROUTE, object, words); break;
    }
    if (journey_is_over(journey))
        end_closed(trip, journey, is_internet);
    else
        end(trip, journey);
}

// Public addresses that are no symbol of a service or of any address.
static RangeSet
literals(Arena *arena)
{
    RangeSet symbols = range_set_of(arena, ADDRESS_ANYWHERE, ADDRESS_SERVICES_HIGH);
    return range_set_subtract(arena, address_public(), symbols);
}

static bool
is_symbolic(RangeSet prefix)
{
    return prefix.count && prefix.items[0].low >= ADDRESS_ANYWHERE &&
           prefix.items[prefix.count - 1].high <= ADDRESS_SERVICES_HIGH;
}

// A route of a service tag came first: which addresses it takes is not in the data.
static void
doubt_literals(Arena *arena, Journey *journey)
{
    PacketBox box = packet_box_all();
    box.at[PACKET_DESTINATION] = literals(arena);
    journey->flow.sure = packet_set_subtract(arena, &journey->flow.sure, &box);
    if (!journey->doubt.len)
        journey->doubt =
            STR("the addresses of a service tag that has a route of its own are not in the data");
}

static void
depart(Trip *trip, const Journey *journey, Subnet *at, int depth)
{
    Outbounder *outbounder = trip->outbounder;
    Arena *arena = outbounder->arena;
    const SubnetPlace *place = network_place(outbounder->world, at);
    RangeSet left = packet_set_project(arena, &journey->flow.may, PACKET_DESTINATION);
    bool tag_seen = false;
    Journey all = branch(arena, journey, left);
    if (place->table_missing.len)
        journey_doubt(&all, STEP_ROUTE, at->table_id, place->table_missing);
    for (size_t i = 0; i < place->routes.len && left.count; i++) {
        const Route *route = &place->routes.items[i];
        RangeSet taken = range_set_intersect(arena, left, route->prefix);
        if (!taken.count)
            continue;
        left = range_set_subtract(arena, left, route->prefix);
        Journey part = branch(arena, &all, taken);
        if (tag_seen)
            doubt_literals(arena, &part);
        tag_seen |= is_symbolic(route->prefix);
        if (!journey_is_over(&part))
            follow(trip, &part, at, route, depth);
    }
}

void
outbound_from(Outbounder *outbounder, const OutboundStart *start)
{
    Arena *arena = outbounder->arena;
    PacketBox box = packet_box_all();
    box.at[PACKET_SOURCE] = start->addresses;
    box.at[PACKET_DESTINATION] = start->is_ipv6
                                     ? range_set_subtract(arena, address_public(), address_ipv4())
                                     : range_set_intersect(arena, address_public(), address_ipv4());
    Journey journey;
    Trip trip = {.outbounder = outbounder, .start = start};
    journey_start(&journey, arena, &box);
    journey_hop(&journey, STEP_SOURCE, HOP_PASSES, start->subnet->id,
                str_format(arena, "%.*s in %.*s/%.*s", STR_ARG(start->name),
                           STR_ARG(start->subnet->network->name), STR_ARG(start->subnet->name)));
    if (start->doubt.len)
        journey_doubt(&journey, STEP_SETTING, start->subnet->id, start->doubt);
    journey_groups_out(outbounder->world, &journey, start->subnet, start->interface);
    if (journey_is_over(&journey))
        end_closed(&trip, &journey, true);
    else
        depart(&trip, &journey, start->subnet, 0);
}

bool
outbound_subnet(Outbounder *outbounder, Str subnet_id, Subnet **subnet)
{
    *subnet = network_subnet(outbounder->world, subnet_id);
    if (*subnet && (*subnet)->prefixes.count)
        return true;
    Outbound answer = {
        .destination = DESTINATION_INTERNET,
        .name = STR("any address"),
        .subnet_id = subnet_id,
        .reach = REACH_UNKNOWN,
        .because = STR("it stands in a subnet"),
        .reason = str_format(outbounder->arena, "subnet %.*s is not in the data",
                             STR_ARG(arm_last_segment(subnet_id))),
    };
    outbound_add(outbounder, &answer, NULL);
    return false;
}
