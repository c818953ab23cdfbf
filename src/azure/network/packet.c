#include "azure/network/packet.h"

#include "base/array.h"

// ---- boxes ----

PacketBox
packet_box_all(void)
{
    static const Range PORTS = {0, PORT_MAX}, PROTOCOLS = {0, PROTOCOL_MAX};
    PacketBox box;
    box.at[PACKET_SOURCE] = box.at[PACKET_DESTINATION] = address_all();
    box.at[PACKET_PORT] = box.at[PACKET_SOURCE_PORT] = (RangeSet){&PORTS, 1};
    box.at[PACKET_PROTOCOL] = (RangeSet){&PROTOCOLS, 1};
    return box;
}

bool
packet_box_is_empty(const PacketBox *box)
{
    for (int d = 0; d < PACKET_DIMENSIONS; d++)
        if (!box->at[d].count)
            return true;
    return false;
}

bool
packet_box_contains(const PacketBox *box, const Packet *packet)
{
    for (int d = 0; d < PACKET_DIMENSIONS; d++)
        if (!range_set_contains(box->at[d], packet->at[d]))
            return false;
    return true;
}

static bool
boxes_overlap(const PacketBox *a, const PacketBox *b)
{
    for (int d = 0; d < PACKET_DIMENSIONS; d++)
        if (!range_set_overlaps(a->at[d], b->at[d]))
            return false;
    return true;
}

PacketBox
packet_box_intersect(Arena *arena, const PacketBox *a, const PacketBox *b)
{
    PacketBox both;
    for (int d = 0; d < PACKET_DIMENSIONS; d++)
        both.at[d] = range_set_intersect(arena, a->at[d], b->at[d]);
    return both;
}

Packet
packet_box_sample(const PacketBox *box)
{
    Packet packet;
    for (int d = 0; d < PACKET_DIMENSIONS; d++)
        packet.at[d] = box->at[d].items[0].low;
    return packet;
}

// ---- sets ----

void
packet_set_add(Arena *arena, PacketSet *set, const PacketBox *box)
{
    if (set->too_many || packet_box_is_empty(box))
        return;
    set->too_many = set->len == PACKET_BOXES_MAX;
    if (!set->too_many)
        ARRAY_PUSH(arena, set, *box);
}

PacketSet
packet_set_intersect(Arena *arena, const PacketSet *set, const PacketBox *box)
{
    PacketSet out = {.too_many = set->too_many};
    for (size_t i = 0; i < set->len; i++) {
        if (!boxes_overlap(&set->items[i], box))
            continue;
        PacketBox both = packet_box_intersect(arena, &set->items[i], box);
        packet_set_add(arena, &out, &both);
    }
    return out;
}

PacketSet
packet_set_intersect_set(Arena *arena, const PacketSet *a, const PacketSet *b)
{
    PacketSet out = {.too_many = a->too_many || b->too_many};
    for (size_t i = 0; i < b->len && !out.too_many; i++) {
        PacketSet part = packet_set_intersect(arena, a, &b->items[i]);
        for (size_t p = 0; p < part.len; p++)
            packet_set_add(arena, &out, &part.items[p]);
        out.too_many |= part.too_many;
    }
    return out;
}

// What is left of one box: for each dimension the part that lies outside in it and inside
// in all dimensions before it. The parts do not overlap and together are the difference.
static void
subtract_box(Arena *arena, PacketSet *out, const PacketBox *box, const PacketBox *taken)
{
    PacketBox rest = *box;
    for (int d = 0; d < PACKET_DIMENSIONS; d++) {
        PacketBox outside = rest;
        outside.at[d] = range_set_subtract(arena, rest.at[d], taken->at[d]);
        packet_set_add(arena, out, &outside);
        rest.at[d] = range_set_intersect(arena, rest.at[d], taken->at[d]);
    }
}

PacketSet
packet_set_subtract(Arena *arena, const PacketSet *set, const PacketBox *box)
{
    PacketSet out = {.too_many = set->too_many};
    for (size_t i = 0; i < set->len; i++) {
        if (boxes_overlap(&set->items[i], box))
            subtract_box(arena, &out, &set->items[i], box);
        else
            packet_set_add(arena, &out, &set->items[i]);
    }
    return out;
}

bool
packet_set_contains(const PacketSet *set, const Packet *packet)
{
    for (size_t i = 0; i < set->len; i++)
        if (packet_box_contains(&set->items[i], packet))
            return true;
    return false;
}

RangeSet
packet_set_project(Arena *arena, const PacketSet *set, PacketDimension dimension)
{
    RangeSet out = {0};
    for (size_t i = 0; i < set->len; i++)
        out = range_set_union(arena, out, set->items[i].at[dimension]);
    return out;
}

// ---- words ----

static RangeSet
ports_of(Arena *arena, const PacketSet *set, uint32_t protocol)
{
    RangeSet out = {0};
    for (size_t i = 0; i < set->len; i++)
        if (range_set_contains(set->items[i].at[PACKET_PROTOCOL], protocol))
            out = range_set_union(arena, out, set->items[i].at[PACKET_PORT]);
    return out;
}

static void
print_ports(Buffer *out, const char *name, RangeSet ports)
{
    if (!ports.count)
        return;
    buffer_printf(out, "%s%s ", out->len ? "; " : "", name);
    if (range_set_covers(ports, packet_box_all().at[PACKET_PORT]) ||
        (ports.count == 1 && ports.items[0].low <= 1 && ports.items[0].high == PORT_MAX)) {
        buffer_text(out, "any");
        return;
    }
    for (uint32_t i = 0; i < ports.count; i++) {
        buffer_printf(out, "%s%u", i ? "," : "", (unsigned)ports.items[i].low);
        if (ports.items[i].high > ports.items[i].low)
            buffer_printf(out, "-%u", (unsigned)ports.items[i].high);
    }
}

void
packet_set_print_ports(Buffer *out, Arena *arena, const PacketSet *set)
{
    Buffer text = {0};
    RangeSet tcp = ports_of(arena, set, PROTOCOL_TCP), udp = ports_of(arena, set, PROTOCOL_UDP);
    RangeSet all = packet_box_all().at[PACKET_PORT];
    if (range_set_equal(tcp, all) && range_set_equal(udp, all)) {
        buffer_text(out, "any");
        return;
    }
    if (tcp.count && range_set_equal(tcp, udp)) {
        print_ports(&text, "tcp, udp", tcp);
    } else {
        print_ports(&text, "tcp", tcp);
        print_ports(&text, "udp", udp);
    }
    RangeSet protocols = packet_set_project(arena, set, PACKET_PROTOCOL);
    if (range_set_contains(protocols, PROTOCOL_ICMP))
        buffer_printf(&text, "%sicmp", text.len ? "; " : "");
    if (!text.len && protocols.count)
        buffer_text(&text, "other protocols");
    buffer_str(out, buffer_slice(&text));
    buffer_free(&text);
}
