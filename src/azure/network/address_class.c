#include "azure/network/address_class.h"

// What may be a service's addresses is most of the internet and still none of it but theirs.
static bool
is_of_class(RangeSet addresses, RangeSet tenants, AddressClass class, bool sure)
{
    switch (class) {
    case ADDRESS_CLASS_ANY:
        return sure ? address_is_anywhere(addresses)
                    : range_set_contains(addresses, ADDRESS_ANYWHERE);
    case ADDRESS_CLASS_TENANTS: return range_set_overlaps(addresses, tenants);
    default: return addresses.count != 0;
    }
}

// Takes from the set what has the ports of `open`, whatever the addresses.
static void
drop_ports(Arena *arena, PacketSet *set, const PacketSet *open)
{
    for (size_t i = 0; i < open->len; i++) {
        PacketBox box = packet_box_all();
        box.at[PACKET_PORT] = open->items[i].at[PACKET_PORT];
        box.at[PACKET_PROTOCOL] = open->items[i].at[PACKET_PROTOCOL];
        *set = packet_set_subtract(arena, set, &box);
    }
}

static PacketSet
take_class(Arena *arena, PacketSet *set, PacketDimension dimension, RangeSet tenants,
           AddressClass class, bool sure)
{
    PacketSet taken = {0}, left = {.too_many = set->too_many};
    for (size_t i = 0; i < set->len; i++) {
        bool fits = is_of_class(set->items[i].at[dimension], tenants, class, sure);
        packet_set_add(arena, fits ? &taken : &left, &set->items[i]);
    }
    drop_ports(arena, &left, &taken);
    *set = left;
    return taken;
}

void
address_classes(Arena *arena, const PacketSet *sure, const PacketSet *may,
                PacketDimension dimension, RangeSet tenants, ClassPart out[ADDRESS_CLASS_COUNT])
{
    PacketSet certain = *sure, possible = *may;
    for (size_t i = 0; i < sure->len; i++)
        possible = packet_set_subtract(arena, &possible, &sure->items[i]);
    for (AddressClass class = 0; class < ADDRESS_CLASS_COUNT; class ++) {
        out[class].sure = take_class(arena, &certain, dimension, tenants, class, true);
        drop_ports(arena, &possible, &out[class].sure);
        out[class].may = take_class(arena, &possible, dimension, tenants, class, false);
    }
}

Str
address_class_addresses(Arena *arena, const ServiceTags *tags, const PacketSet *set,
                        PacketDimension dimension)
{
    RangeSet all = packet_set_project(arena, set, dimension);
    RangeSet symbolic = range_set_of(arena, ADDRESS_ANYWHERE, ADDRESS_SERVICES_HIGH);
    Buffer text = {0};
    address_print(&text, range_set_subtract(arena, all, symbolic));
    Str names = service_tag_names(tags, arena, all);
    buffer_printf(&text, "%s%.*s", text.len && names.len ? ", " : "", STR_ARG(names));
    Str out = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return out;
}

Str
address_class_ports(Arena *arena, const PacketSet *set)
{
    Buffer text = {0};
    packet_set_print_ports(&text, arena, set);
    Str out = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return out;
}
