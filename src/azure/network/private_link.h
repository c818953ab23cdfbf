// Private endpoints of a service, and whether names lead to them.
//
// A connection counts when it is approved. Its endpoint stands in a subnet of the tenant, or
// is somebody else's when its subscription is not in the data. A name resolves to the
// endpoint where the private DNS zone of its group is linked to the network, or to the
// network of the DNS server that the network asks; elsewhere it resolves to the public
// address, though the private one still answers who knows it. Source: Microsoft Learn,
// "Azure Private Endpoint DNS integration".
#pragma once

#include "azure/network/service.h"

typedef struct PrivateLink {
    Str id;                      // of the private endpoint
    const NetResource *endpoint; // NULL = not in the data
    Str group, status;
    bool approved;
    bool of_tenant; // its subscription is one of the data
} PrivateLink;

typedef struct PrivateLinks {
    PrivateLink *items;
    size_t len, cap;
} PrivateLinks;

PrivateLinks private_links(const NetworkWorld *world, Arena *arena, const ServiceKind *kind,
                           const NetResource *resource);

// How names of the service resolve in the network, in words: "linked ...", "not linked ...",
// "unknown ..."; empty when the group has no zone in the table.
Str private_link_dns(const NetworkWorld *world, Arena *arena, const ServiceKind *kind,
                     const NetResource *resource, const PrivateLink *link,
                     const VirtualNetwork *network);

// Indexes private endpoints and zones; part of network_world_finish().
void private_link_index(NetworkWorld *world);
