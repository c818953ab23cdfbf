// Network security groups: their rules as boxes, in one place of the network.
//
// What VirtualNetwork and Internet stand for depends on the subnet in which a group is read:
// on its network, peerings and routes. A group is therefore compiled for a place. Source:
// Microsoft Learn, "Network security groups", "How network security groups filter network
// traffic", "Application security groups", "Virtual network service tags".
#pragma once

#include "azure/network/rule.h"
#include "azure/network/service_tag.h"
#include "value/dynamic.h"

// What names in rules stand for at a place.
typedef struct GroupPlace {
    ServiceTags *tags;
    // VirtualNetwork: own, peered and connected space and the prefixes of user routes; a
    // default route may belong to it, and what a gateway learns is not in the data.
    RangeSet network_sure, network_may;
    // The addresses of an application security group, by id; NULL when none is known.
    // `complete` becomes false when it may have more members than are in the data.
    RangeSet (*application_group)(void *context, Str id, bool *complete);
    void *context;
} GroupPlace;

typedef enum Direction { INBOUND, OUTBOUND } Direction;

// The rules of one direction from the group's `properties`, with Azure's default rules
// behind them. A rule that cannot be read may match anything.
NetRules security_group_rules(Arena *arena, Dyn properties, Direction direction,
                              const GroupPlace *place);

// What a prefix or tag of a rule stands for. False with the reason in `doubt` when it is
// neither; then it may be any address.
bool group_addresses(Arena *arena, Str written, const GroupPlace *place, RangeSet *sure,
                     RangeSet *may, Str *doubt);

// "22", "8000-8010" or "*"; false, and every port, for anything else.
bool group_ports(Arena *arena, Str written, RangeSet *out);
// "Tcp", "Udp", "Icmp", "Esp", "Ah", "*" or "Any"; false, and every one, for anything else.
bool group_protocol(Arena *arena, Str written, RangeSet *out);
