// What answers at an address of a subnet: machines, scale sets, services in a subnet, gateways.
//
// A public address reaches it when the groups of the subnet and of the interface let the
// packets in; without any group a Standard address is closed and a Basic one open. Answers
// must find their way back: where the subnet sends what goes to the internet to an appliance,
// which has not seen the question, whether a connection comes about is not known. Sources:
// Microsoft Learn, "Public IP addresses", "Azure Firewall forced tunneling" and "Azure Load
// Balancer: secure by default".

#include "azure/network/exposure_internal.h"

#include "azure/arm.h"

static bool
is_basic(const NetworkWorld *world, Str public_ip_id, const NetResource *owner)
{
    const NetResource *address = network_resource(world, public_ip_id);
    Str sku = owner ? owner->sku : address ? address->sku : (Str){0};
    return str_equal_ci(sku, STR("Basic"));
}

// The groups on the way in; and what a public address does without any.
static void
let_in(Exposer *exposer, Journey *journey, const Endpoint *to, bool basic)
{
    bool grouped = to->subnet->group_id.len || (to->interface && to->interface->group_id.len);
    if (!grouped && !basic)
        journey_stop(journey, STEP_GROUP_IN, to->subnet->id,
                     STR("a Standard address lets nothing in without a security group"));
    else if (!grouped)
        journey_hop(journey, STEP_GROUP_IN, HOP_PASSES, to->subnet->id,
                    STR("no security group, and the address is a Basic one"));
    journey_groups_in(exposer->world, journey, to->subnet, to->interface);
}

static void
way_back(Exposer *exposer, Journey *journey, const Endpoint *to)
{
    if (journey_is_over(journey))
        return;
    const Route *route = network_route(exposer->world, to->subnet, ADDRESS_ANYWHERE, NULL);
    if (route && route->hop == HOP_INTERNET)
        return;
    Str hop = route ? str_from(next_hop_name(route->hop)) : STR("nowhere");
    journey_doubt(journey, STEP_ROUTE, to->subnet->table_id,
                  str_format(exposer->arena,
                             "packets arrive, but answers leave by another way (%.*s), where the "
                             "connection is not known",
                             STR_ARG(hop)));
}

static Str
because_of_rules(Exposer *exposer, const Journey *journey, Str first)
{
    Buffer text = {0};
    buffer_str(&text, first);
    for (size_t i = 0; i < journey->hops.len; i++)
        if (journey->hops.items[i].kind == STEP_GROUP_IN)
            buffer_printf(&text, "; %.*s", STR_ARG(journey->hops.items[i].text));
    Str out = str_copy(exposer->arena, buffer_slice(&text));
    buffer_free(&text);
    return out;
}

static void
through_public_address(Exposer *exposer, const Endpoint *to)
{
    Journey journey;
    PacketBox box = expose_public_packets(exposer, to);
    journey_start(&journey, exposer->arena, &box);
    const NetResource *address = network_resource(exposer->world, to->public_ip_id);
    Str name = arm_last_segment(to->public_ip_id);
    Str written = address ? arm_text(address->properties, "ipAddress") : (Str){0};
    Str entrance = str_format(exposer->arena, "public address %.*s%s%.*s", STR_ARG(name),
                              written.len ? " " : "", STR_ARG(written));
    journey_hop(&journey, STEP_SOURCE, HOP_PASSES, (Str){0}, STR("the internet"));
    journey_hop(&journey, STEP_ENTRANCE, HOP_PASSES, to->public_ip_id, entrance);
    let_in(exposer, &journey, to, is_basic(exposer->world, to->public_ip_id, NULL));
    way_back(exposer, &journey, to);
    Str because = because_of_rules(exposer, &journey, entrance);
    if (journey_is_over(&journey))
        expose_closed(exposer, &journey, because);
    else
        expose_public(exposer, &journey, to, to->public_ip_id, because);
}

// ---- load balancers, gateways, firewalls ----

static Str
entrance_words(Arena *arena, const Entrance *entrance)
{
    Buffer text = {0};
    buffer_printf(&text, "%.*s, rule %.*s", STR_ARG(entrance->owner->name),
                  STR_ARG(entrance->name));
    if (entrance->ports.count == 1 && entrance->ports.items[0].low == entrance->ports.items[0].high)
        buffer_printf(&text, ", port %u", (unsigned)entrance->ports.items[0].low);
    if (entrance->inside.count)
        buffer_printf(&text, " to %u", (unsigned)entrance->inside.items[0].low);
    Str out = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return out;
}

// Whether the gateway's own groups let the internet to its frontend.
static void
reach_gateway(Exposer *exposer, Journey *journey, const Entrance *entrance)
{
    PacketBox box = packet_box_all();
    box.at[PACKET_SOURCE] =
        range_set_intersect(exposer->arena, address_public(), entrance->sources);
    box.at[PACKET_PORT] = entrance->ports;
    box.at[PACKET_PROTOCOL] = entrance->protocols;
    if (entrance->from)
        box.at[PACKET_DESTINATION] = entrance->from->prefixes;
    journey_start(journey, exposer->arena, &box);
    journey_hop(journey, STEP_SOURCE, HOP_PASSES, (Str){0}, STR("the internet"));
    journey_hop(journey, STEP_ENTRANCE, HOP_PASSES, entrance->owner->id,
                entrance_words(exposer->arena, entrance));
    if (entrance->missing.len)
        journey_doubt(journey, STEP_ENTRANCE, entrance->owner->id, entrance->missing);
    else if (entrance->from)
        journey_groups_in(exposer->world, journey, entrance->from, NULL);
}

// What connects itself: outside decides who, inside whether it comes through.
static void
through_gateway(Exposer *exposer, const Endpoint *to, const Entrance *entrance)
{
    Journey outside, inside;
    reach_gateway(exposer, &outside, entrance);
    if (journey_is_over(&outside) || !entrance->from)
        return;
    PacketBox box = packet_box_all();
    box.at[PACKET_SOURCE] = entrance->from->prefixes;
    box.at[PACKET_DESTINATION] = to->addresses;
    box.at[PACKET_PORT] = entrance->inside.count ? entrance->inside : entrance->ports;
    box.at[PACKET_PROTOCOL] = entrance->protocols;
    journey_start(&inside, exposer->arena, &box);
    journey_route(exposer->world, &inside, entrance->from, to);
    Reach reach = journey_reach(&inside, to);
    if (reach == REACH_CLOSED)
        return;
    for (size_t i = 0; i < inside.hops.len; i++)
        journey_hop(&outside, inside.hops.items[i].kind, inside.hops.items[i].state,
                    inside.hops.items[i].object, inside.hops.items[i].text);
    if (reach == REACH_UNKNOWN)
        journey_doubt(&outside, STEP_NOTE, (Str){0}, inside.doubt);
    expose_public(exposer, &outside, NULL, entrance->owner->id,
                  because_of_rules(exposer, &outside, entrance_words(exposer->arena, entrance)));
}

static void
through_balancer(Exposer *exposer, const Endpoint *to, const Entrance *entrance)
{
    Journey journey;
    PacketBox box = expose_public_packets(exposer, to);
    box.at[PACKET_PORT] = entrance->inside.count ? entrance->inside : entrance->ports;
    box.at[PACKET_PROTOCOL] = entrance->protocols;
    journey_start(&journey, exposer->arena, &box);
    Str words = entrance_words(exposer->arena, entrance);
    journey_hop(&journey, STEP_SOURCE, HOP_PASSES, (Str){0}, STR("the internet"));
    journey_hop(&journey, STEP_ENTRANCE, HOP_PASSES, entrance->owner->id, words);
    let_in(exposer, &journey, to, is_basic(exposer->world, (Str){0}, entrance->owner));
    way_back(exposer, &journey, to);
    Str because = because_of_rules(exposer, &journey, words);
    if (journey_is_over(&journey))
        expose_closed(exposer, &journey, because);
    else
        expose_public(exposer, &journey, to, entrance->owner->id, because);
}

// An application gateway is a target itself: its listeners.
static void
expose_listeners(Exposer *exposer)
{
    const EntranceList *own = map_get(&exposer->world->owner_entrances, exposer->target->id);
    for (size_t i = 0; own && i < own->len; i++) {
        if (!own->items[i]->public_ip_id.len)
            continue;
        Journey journey;
        reach_gateway(exposer, &journey, own->items[i]);
        Str because =
            because_of_rules(exposer, &journey, entrance_words(exposer->arena, own->items[i]));
        if (!journey_is_over(&journey))
            expose_public(exposer, &journey, NULL, own->items[i]->public_ip_id, because);
    }
}

void
expose_endpoint(Exposer *exposer, const Endpoint *endpoint)
{
    bool is_gateway =
        str_equal(exposer->target->type, STR("microsoft.network/applicationgateways"));
    if (is_gateway) {
        if (!exposer->internet_named)
            expose_listeners(exposer);
    } else if (endpoint->subnet) {
        if (endpoint->public_ip_id.len)
            through_public_address(exposer, endpoint);
        EntranceList entrances = entrances_to(exposer->world, exposer->arena, endpoint);
        for (size_t i = 0; i < entrances.len; i++) {
            const Entrance *entrance = entrances.items[i];
            if (!entrance->public_ip_id.len)
                continue;
            if (entrance->from)
                through_gateway(exposer, endpoint, entrance);
            else
                through_balancer(exposer, endpoint, entrance);
        }
    } else if (endpoint->public_ip_id.len) {
        Exposure exposure = {
            .source = SOURCE_INTERNET,
            .source_name = STR("any address"),
            .reach = REACH_UNKNOWN,
            .via = endpoint->public_ip_id,
            .because = STR("it has a public address"),
            .reason = STR("the network it stands in is not in the data"),
        };
        expose_add(exposer, &exposure, NULL);
    }
    if (is_gateway && !endpoint->subnet)
        return; // a public frontend has no address inside
    PacketBox all = packet_box_all();
    const ServiceKind *kind = service_kind(exposer->world, exposer->target->type);
    expose_subnets(exposer, endpoint, kind ? &kind->ports : &all, (Str){0}, NULL, NULL);
}
