// Who stands behind public addresses: anybody, anybody in Azure, or those that rules list.
#pragma once

#include "azure/network/packet.h"
#include "azure/network/service_tag.h"

typedef enum AddressClass {
    ADDRESS_CLASS_ANY,     // the whole internet, or so much of it that it makes no odds
    ADDRESS_CLASS_TENANTS, // services in which any tenant can have something
    ADDRESS_CLASS_LISTED,
    ADDRESS_CLASS_COUNT
} AddressClass;

// The packets of one class by their source or destination, in `sure` and in `may` only.
typedef struct ClassPart {
    PacketSet sure, may;
} ClassPart;

// Parts what surely and what possibly arrives into classes. Ports that are open to a wider
// class are not named again for a narrower one, nor what is sure as possible. `tenants` are
// the symbolic addresses of services that tenants share.
void address_classes(Arena *arena, const PacketSet *sure, const PacketSet *may,
                     PacketDimension dimension, RangeSet tenants,
                     ClassPart out[ADDRESS_CLASS_COUNT]);

// The addresses of one dimension in words, service tags by name; ports in words.
Str address_class_addresses(Arena *arena, const ServiceTags *tags, const PacketSet *set,
                            PacketDimension dimension);
Str address_class_ports(Arena *arena, const PacketSet *set);
