// Ways in from outside: load balancers, application gateways and the translations of
// firewalls that lead to an endpoint.
//
// Source: Microsoft Learn, "Azure Load Balancer components", "Application Gateway
// configuration overview", "Azure Firewall DNAT".
#pragma once

#include "azure/network/packet.h"
#include "azure/network/world.h"

typedef struct Entrance {
    const NetResource *owner;
    Str name;         // of its rule
    Str public_ip_id; // empty = a private frontend
    RangeSet ports;   // of the frontend
    RangeSet inside;  // ports of the endpoint; empty = the same
    RangeSet protocols;
    RangeSet sources; // whom it takes
    Subnet *from;     // where it stands, when it connects itself; NULL: it keeps the source
    Str missing;      // why what it takes is not known; empty = known
} Entrance;

typedef struct EntranceList {
    Entrance **items;
    size_t len, cap;
} EntranceList;

// Part of network_world_finish().
void entrance_index(NetworkWorld *world);

// Those that lead to the endpoint.
EntranceList entrances_to(const NetworkWorld *world, Arena *arena, const Endpoint *endpoint);
// Those that lead to a name, such as that of a web app.
EntranceList entrances_to_host(const NetworkWorld *world, Str host);
