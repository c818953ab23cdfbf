// What holds in a subnet: what names in rules stand for there, its groups' rules and its
// routes. Made once for each subnet, when first asked for.
#pragma once

#include "azure/network/world.h"

typedef struct SubnetPlace {
    GroupPlace names;
    NetRules rules[2]; // by Direction, of the subnet's group
    bool has_group;
    RouteTable routes;
    Str group_missing, table_missing; // why rules or routes are not known; empty = they are
    // A gateway teaches routes that are not in the data: what a route of the system would
    // send to the internet or drop may go there instead.
    bool learns_routes;
} SubnetPlace;

const SubnetPlace *network_place(NetworkWorld *world, Subnet *subnet);
// The rules of the interface's group, which is in the data, read in its subnet.
const NetRules *network_interface_rules(NetworkWorld *world, Interface *interface,
                                        Direction direction, Subnet *subnet);

// The route that a packet from the subnet to the address takes; NULL when none holds it.
// `target` (may be NULL) is what has the address, when it is known: a private endpoint in the
// own or a peered network has a route of its own.
const Route *network_route(NetworkWorld *world, Subnet *subnet, Address address,
                           const Endpoint *target);
