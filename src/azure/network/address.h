// Addresses as Azure writes them: 10.0.0.4, 10.0.0.0/24, 10.0.0.4-10.0.0.9, fd00::/8.
//
// What nobody can list is stood for by addresses of 240.0.0.0/4, which are reserved and on no
// network: ADDRESS_ANYWHERE is some address of the internet that no rule names and no part of
// Azure holds; the others stand for the addresses of a service in a region
// (service_tag.h). 0.0.0.0/0 and the tag Internet hold them all, a literal range of a rule
// none of them.
#pragma once

#include "azure/network/range_set.h"
#include "base/buffer.h"
#include "base/slice.h"

#define ADDRESS_IPV4(a, b, c, d)                                                                   \
    ((Address)0xFFFF00000000u | (uint32_t)(((uint32_t)(a) << 24) | ((uint32_t)(b) << 16) |         \
                                           ((uint32_t)(c) << 8) | (uint32_t)(d)))

#define ADDRESS_ANYWHERE      ADDRESS_IPV4(240, 0, 0, 1)
#define ADDRESS_SERVICES_LOW  ADDRESS_IPV4(241, 0, 0, 0)
#define ADDRESS_SERVICES_HIGH ADDRESS_IPV4(254, 255, 255, 255)
// The host that machines see: probes, DNS (Microsoft Learn, "What is IP address 168.63.129.16?").
#define ADDRESS_HOST ADDRESS_IPV4(168, 63, 129, 16)

// An address, a prefix (bits beyond its length do not count) or a range from-to; false for
// anything else. `length` (may be NULL) is the length of the prefix, that of IPv4 in 0..32;
// -1 for a range. ::/0 is all of IPv6 without the mapped range.
bool address_parse(Arena *arena, Str text, RangeSet *out, int *length);

RangeSet address_all(void);  // both families
RangeSet address_ipv4(void); // 0.0.0.0/0
// Where packets go on the internet: not private, local, multicast or the host. The symbolic
// addresses belong to it.
RangeSet address_public(void);

// Prefixes where they fit, otherwise from-to; "any" for everything.
void address_print(Buffer *out, RangeSet set);

// Whether the set is so wide that it is no list of places: it holds ADDRESS_ANYWHERE, or as
// many addresses as a /8 of IPv4.
bool address_is_anywhere(RangeSet set);
