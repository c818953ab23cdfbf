// Sets of packets: what rules match, and what is left when all rules have spoken.
//
// A packet is a value for each dimension below. A box is a product of one set for each
// dimension, a set of packets a union of boxes that do not overlap. Rules are boxes, so
// every question about them has an exact answer without trying packets one by one.
//
// Rules of a hostile tenant can cut a set into very many pieces. Operations stop at
// PACKET_BOXES_MAX and say so in `too_many`; what they return is then of no use, and the
// answer is unknown.
#pragma once

#include "azure/network/address.h"

typedef enum PacketDimension {
    PACKET_SOURCE,
    PACKET_DESTINATION,
    PACKET_PORT, // of the destination
    PACKET_PROTOCOL,
    PACKET_SOURCE_PORT,
    PACKET_DIMENSIONS
} PacketDimension;

enum {
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_ESP = 50,
    PROTOCOL_AH = 51
};
enum { PROTOCOL_MAX = 255, PORT_MAX = 65535, PACKET_BOXES_MAX = 20000 };

typedef struct Packet {
    Address at[PACKET_DIMENSIONS];
} Packet;

typedef struct PacketBox {
    RangeSet at[PACKET_DIMENSIONS];
} PacketBox;

typedef struct PacketSet {
    PacketBox *items;
    size_t len, cap;
    bool too_many;
} PacketSet;

PacketBox packet_box_all(void);
bool packet_box_is_empty(const PacketBox *box);
bool packet_box_contains(const PacketBox *box, const Packet *packet);
PacketBox packet_box_intersect(Arena *arena, const PacketBox *a, const PacketBox *b);
// Some packet of a box that is not empty.
Packet packet_box_sample(const PacketBox *box);

// Adds a box that overlaps no other of the set; an empty one adds nothing.
void packet_set_add(Arena *arena, PacketSet *set, const PacketBox *box);
PacketSet packet_set_intersect(Arena *arena, const PacketSet *set, const PacketBox *box);
PacketSet packet_set_intersect_set(Arena *arena, const PacketSet *a, const PacketSet *b);
PacketSet packet_set_subtract(Arena *arena, const PacketSet *set, const PacketBox *box);
bool packet_set_contains(const PacketSet *set, const Packet *packet);
// The values that packets of the set have in one dimension.
RangeSet packet_set_project(Arena *arena, const PacketSet *set, PacketDimension dimension);

// The ports and protocols of the set in words: "tcp 22, 8000-8010", "any".
void packet_set_print_ports(Buffer *out, Arena *arena, const PacketSet *set);
