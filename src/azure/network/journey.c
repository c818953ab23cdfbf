#include "azure/network/journey.h"

#include "azure/arm.h"
#include "base/array.h"

static const char *const KIND_NAMES[STEP_KIND_COUNT] = {
    [STEP_SOURCE] = "from",       [STEP_GROUP_OUT] = "group out", [STEP_ROUTE] = "route",
    [STEP_FIREWALL] = "firewall", [STEP_APPLIANCE] = "appliance", [STEP_PEERING] = "peering",
    [STEP_ENTRANCE] = "entrance", [STEP_GROUP_IN] = "group in",   [STEP_SETTING] = "setting",
    [STEP_EXIT] = "exit",         [STEP_TARGET] = "target",       [STEP_NOTE] = "note",
};

const char *
hop_kind_name(HopKind kind)
{
    return KIND_NAMES[kind];
}

const char *
hop_state_name(HopState state)
{
    static const char *const NAMES[] = {
        [HOP_PASSES] = "passes", [HOP_UNSURE] = "unsure", [HOP_STOPS] = "stops"};
    return NAMES[state];
}

const char *
reach_name(Reach reach)
{
    static const char *const NAMES[] = {
        [REACH_CLOSED] = "closed", [REACH_UNKNOWN] = "unknown", [REACH_OPEN] = "reachable"};
    return NAMES[reach];
}

void
journey_start(Journey *journey, Arena *arena, const PacketBox *packets)
{
    *journey = (Journey){.arena = arena, .flow = flow_of(arena, packets)};
}

void
journey_hop(Journey *journey, HopKind kind, HopState state, Str object, Str text)
{
    Hop hop = {kind, state, object, text};
    ARRAY_PUSH(journey->arena, &journey->hops, hop);
}

void
journey_doubt(Journey *journey, HopKind kind, Str object, Str why)
{
    journey->flow.sure = (PacketSet){0};
    if (!journey->doubt.len)
        journey->doubt = why;
    journey_hop(journey, kind, HOP_UNSURE, object, why);
}

void
journey_stop(Journey *journey, HopKind kind, Str object, Str why)
{
    journey->flow = (Flow){0};
    journey_hop(journey, kind, HOP_STOPS, object, why);
}

bool
journey_is_over(const Journey *journey)
{
    return !journey->flow.may.len && !journey->flow.may.too_many;
}

Str
journey_because(Arena *arena, const Journey *journey)
{
    Buffer text = {0};
    for (size_t i = 0; i < journey->hops.len; i++) {
        const Hop *hop = &journey->hops.items[i];
        if (hop->kind == STEP_SOURCE || hop->kind == STEP_TARGET || hop->kind == STEP_NOTE)
            continue;
        buffer_printf(&text, "%s%.*s", text.len ? "; " : "", STR_ARG(hop->text));
    }
    Str out = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return out;
}

// ---- rules ----

enum { RULES_NAMED = 3 };

// The rules that decide about a sample of each box, by name and priority.
static Str
deciding_rules(Arena *arena, const NetRules *rules, const PacketSet *set, Str *doubt)
{
    Buffer text = {0};
    const NetRule *named[RULES_NAMED];
    size_t count = 0;
    for (size_t i = 0; i < set->len && count < RULES_NAMED; i++) {
        Packet packet = packet_box_sample(&set->items[i]);
        bool certain, seen = false;
        const NetRule *doubtful = NULL;
        const NetRule *rule = net_rules_decide(rules, &packet, &certain, &doubtful);
        rule = certain || !doubtful ? rule : doubtful;
        for (size_t k = 0; k < count; k++)
            seen |= named[k] == rule;
        if (seen || !rule)
            continue;
        if (doubt && !doubt->len)
            *doubt = rule->doubt;
        named[count++] = rule;
        buffer_printf(&text, "%s%s %.*s (%lld)", count > 1 ? ", " : "",
                      rule->allow ? "allowed by" : "denied by", STR_ARG(rule->name),
                      (long long)rule->priority);
    }
    Str out = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return out;
}

void
journey_rules(Journey *journey, HopKind kind, const NetRules *rules, Str group_id)
{
    if (journey_is_over(journey))
        return;
    Arena *arena = journey->arena;
    Flow before = journey->flow;
    journey->flow = net_rules_pass(arena, rules, &before);
    Str name = arm_last_segment(group_id), doubt = {0}, by;
    if (flow_too_many(&journey->flow)) {
        journey_doubt(journey, kind, group_id,
                      str_format(arena, "the rules of %.*s cut too finely", STR_ARG(name)));
        return;
    }
    if (journey->flow.sure.len) {
        by = deciding_rules(arena, rules, &journey->flow.sure, NULL);
        journey_hop(journey, kind, HOP_PASSES, group_id,
                    str_format(arena, "%.*s: %.*s", STR_ARG(name), STR_ARG(by)));
    } else if (journey->flow.may.len) {
        by = deciding_rules(arena, rules, &journey->flow.may, &doubt);
        if (doubt.len && !journey->doubt.len)
            journey->doubt = str_format(arena, "%.*s: %.*s", STR_ARG(name), STR_ARG(doubt));
        journey_hop(journey, kind, HOP_UNSURE, group_id,
                    str_format(arena, "%.*s: perhaps %.*s%s%.*s", STR_ARG(name), STR_ARG(by),
                               doubt.len ? "; " : "", STR_ARG(doubt)));
    } else {
        by = deciding_rules(arena, rules, &before.may, NULL);
        journey_hop(journey, kind, HOP_STOPS, group_id,
                    str_format(arena, "%.*s: %.*s", STR_ARG(name), STR_ARG(by)));
    }
}

static void
subnet_group(NetworkWorld *world, Journey *journey, Subnet *subnet, Direction direction)
{
    const SubnetPlace *place = network_place(world, subnet);
    HopKind kind = direction == INBOUND ? STEP_GROUP_IN : STEP_GROUP_OUT;
    if (journey_is_over(journey) || !place->has_group)
        return;
    if (place->group_missing.len)
        journey_doubt(journey, kind, subnet->group_id, place->group_missing);
    else
        journey_rules(journey, kind, &place->rules[direction], subnet->group_id);
}

static void
interface_group(NetworkWorld *world, Journey *journey, Subnet *subnet, Interface *interface,
                Direction direction)
{
    HopKind kind = direction == INBOUND ? STEP_GROUP_IN : STEP_GROUP_OUT;
    if (journey_is_over(journey) || !interface || !interface->group_id.len)
        return;
    if (!interface->group) {
        journey_doubt(journey, kind, interface->group_id,
                      str_format(journey->arena, "security group %.*s is not in the data",
                                 STR_ARG(arm_last_segment(interface->group_id))));
        return;
    }
    journey_rules(journey, kind, network_interface_rules(world, interface, direction, subnet),
                  interface->group_id);
}

void
journey_groups_in(NetworkWorld *world, Journey *journey, Subnet *subnet, Interface *interface)
{
    subnet_group(world, journey, subnet, INBOUND);
    interface_group(world, journey, subnet, interface, INBOUND);
}

void
journey_groups_out(NetworkWorld *world, Journey *journey, Subnet *subnet, Interface *interface)
{
    interface_group(world, journey, subnet, interface, OUTBOUND);
    subnet_group(world, journey, subnet, OUTBOUND);
}

// ---- routes ----

Str
journey_route_words(Arena *arena, const Route *route)
{
    Buffer text = {0};
    if (route->hop == HOP_PRIVATE_ENDPOINT) {
        buffer_text(&text, "straight to the private endpoint");
    } else {
        if (route->source == ROUTE_USER && route->object.len)
            buffer_printf(&text, "%.*s: ", STR_ARG(arm_last_segment(route->object)));
        buffer_str(&text, route->name);
        // Symbols stand for the addresses of a service tag; they are none to be shown.
        bool is_tag = route->prefix.count && route->prefix.items[0].low >= ADDRESS_ANYWHERE &&
                      route->prefix.items[0].high <= ADDRESS_SERVICES_HIGH;
        if (!is_tag) {
            buffer_text(&text, ", ");
            address_print(&text, route->prefix);
        }
        buffer_printf(&text, " to %s", next_hop_name(route->hop));
    }
    if (route->hop == HOP_APPLIANCE) {
        Range one = {route->appliance, route->appliance};
        buffer_char(&text, ' ');
        address_print(&text, (RangeSet){&one, 1});
    }
    Str out = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return out;
}

// Crossing into the network of the target; what comes from a third network is forwarded.
static bool
cross(Journey *journey, const Subnet *from, const Subnet *origin, const Endpoint *to)
{
    const VirtualNetwork *there = to->subnet->network;
    if (from->network == there)
        return true;
    const Peering *back = network_peering(there, from->network);
    if (!network_peering(from->network, there) || !back) {
        journey_stop(journey, STEP_PEERING, there->id,
                     str_format(journey->arena, "%.*s and %.*s are not peered",
                                STR_ARG(from->network->name), STR_ARG(there->name)));
        return false;
    }
    bool is_forwarded = origin->network != from->network;
    if (is_forwarded && !back->forwarded) {
        journey_stop(journey, STEP_PEERING, back->id,
                     str_format(journey->arena, "peering %.*s of %.*s takes no forwarded traffic",
                                STR_ARG(back->name), STR_ARG(there->name)));
        return false;
    }
    journey_hop(journey, STEP_PEERING, HOP_PASSES, back->id,
                str_format(journey->arena, "peering %.*s of %.*s", STR_ARG(back->name),
                           STR_ARG(there->name)));
    return true;
}

// One route: whether packets have come to the target's subnet; else where they go on from.
static bool
follow(NetworkWorld *world, Journey *journey, Subnet *at, const Subnet *origin, const Endpoint *to,
       const Route *route, Subnet **next)
{
    *next = NULL;
    Arena *arena = journey->arena;
    if (!route) {
        journey_stop(journey, STEP_ROUTE, at->id, STR("no route"));
        return false;
    }
    Str words = journey_route_words(arena, route);
    Str object = route->object.len ? route->object : at->id;
    switch (route->hop) {
    case HOP_LOCAL:
    case HOP_PEERING:
    case HOP_PRIVATE_ENDPOINT:
        journey_hop(journey, STEP_ROUTE, HOP_PASSES, object, words);
        if (route->hop == HOP_LOCAL && to->subnet->network != at->network) {
            journey_stop(journey, STEP_ROUTE, object,
                         STR("the address is another one in this network"));
            return false;
        }
        return cross(journey, at, origin, to);
    case HOP_APPLIANCE:
        journey_hop(journey, STEP_ROUTE, HOP_PASSES, object, words);
        *next = journey_appliance(world, journey, at, route, to);
        return false;
    case HOP_GATEWAY:
        journey_doubt(journey, STEP_ROUTE, object,
                      str_format(arena, "%.*s: what lies behind the gateway is not in the data",
                                 STR_ARG(words)));
        *next = NULL;
        return false;
    default: break;
    }
    if (network_place(world, at)->learns_routes && route->source == ROUTE_SYSTEM) {
        journey_doubt(journey, STEP_ROUTE, object,
                      STR("routes that a gateway teaches are not in the data"));
        return false;
    }
    journey_stop(journey, STEP_ROUTE, object, words);
    return false;
}

void
journey_route(NetworkWorld *world, Journey *journey, Subnet *from, const Endpoint *to)
{
    Subnet *at = from;
    journey_groups_out(world, journey, from, NULL);
    for (int i = 0; i <= JOURNEY_APPLIANCES_MAX && at && !journey_is_over(journey); i++) {
        const SubnetPlace *place = network_place(world, at);
        Subnet *next;
        if (place->table_missing.len)
            journey_doubt(journey, STEP_ROUTE, at->table_id, place->table_missing);
        // An endpoint whose address is not known stands somewhere in its subnet.
        const Route *route = network_route(world, at, to->addresses.items[0].low, to);
        if (follow(world, journey, at, from, to, route, &next)) {
            if (!to->is_private_endpoint || to->subnet->endpoint_groups)
                journey_groups_in(world, journey, to->subnet, to->interface);
            return;
        }
        at = next;
    }
    if (at && !journey_is_over(journey))
        journey_stop(journey, STEP_ROUTE, at->id, STR("appliances send it in a circle"));
}

Reach
journey_reach(Journey *journey, const Endpoint *to)
{
    if (journey->flow.may.too_many)
        return REACH_UNKNOWN;
    for (size_t i = 0; i < journey->flow.sure.len; i++)
        if (!to || to->address_known ||
            range_set_covers(journey->flow.sure.items[i].at[PACKET_DESTINATION], to->addresses))
            return REACH_OPEN;
    if (!journey->flow.may.len)
        return REACH_CLOSED;
    if (journey->flow.sure.len && !journey->doubt.len)
        journey->doubt = STR("the address of the target within its subnet is not known");
    return REACH_UNKNOWN;
}
