// What the files about exposure share.
#pragma once

#include "azure/network/address_class.h"
#include "azure/network/entrance.h"
#include "azure/network/exposure.h"
#include "azure/network/private_link.h"

typedef struct Exposer {
    NetworkWorld *world;
    Arena *arena;
    const NetResource *target;
    ExposureList *out;
    bool internet_named;
} Exposer;

// Adds what a journey from public addresses comes to, parted into classes of sources.
void expose_public(Exposer *exposer, Journey *journey, const Endpoint *to, Str via, Str because);
// Says that nobody on the internet gets in, unless it was said how somebody does.
void expose_closed(Exposer *exposer, Journey *journey, Str because);
// Adds one exposure with the journey's hops.
void expose_add(Exposer *exposer, const Exposure *exposure, const Journey *journey);

// Public packets on their way to these ports, the network's own space aside.
PacketBox expose_public_packets(const Exposer *exposer, const Endpoint *to);

// From every subnet that can come there, to the ports of the box (exposure_subnet.c).
// `dns` tells how names lead there from a network; NULL when names do not matter.
typedef Str (*DnsOf)(void *context, const VirtualNetwork *network);
void expose_subnets(Exposer *exposer, const Endpoint *to, const PacketBox *ports, Str via,
                    DnsOf dns, void *context);

// What answers at an address of a subnet, from outside and inside (exposure_endpoint.c).
void expose_endpoint(Exposer *exposer, const Endpoint *endpoint);
// A service by its settings and private endpoints (exposure_service.c).
void expose_service(Exposer *exposer, const ServiceKind *kind);
