// Outbound exposure: what a compute can reach outside of the tenant's networks.
//
// A compute is a machine, scale set, cluster, container app, web app, machine learning
// workspace, compute or deployment, or an AI account. Each kind of destination that it does or
// may reach is one answer. The internet is always named, closed too; a compute for which
// nothing else is named reaches nothing. Addresses inside of the tenant's networks are no
// matter of this table.
#pragma once

#include "azure/network/journey.h"

typedef enum DestinationClass {
    DESTINATION_INTERNET,   // any address or name
    DESTINATION_ANY_TENANT, // services in which any tenant can have something that takes data
    DESTINATION_ADDRESSES,  // addresses and service tags that rules list
    DESTINATION_NAMES,      // names that rules list
    DESTINATION_RESOURCE,   // a resource, by a managed private endpoint
    DESTINATION_CLASS_COUNT
} DestinationClass;
const char *destination_class_name(DestinationClass destination);

typedef struct Outbound {
    DestinationClass destination;
    Str name;      // in words: any address, the tags, addresses or names; a resource's id
    Str subnet_id; // where it starts; empty = in a network of Microsoft
    Reach reach;
    Str ports;
    Str via;     // id of what leads out: NAT gateway, public address, firewall
    Str because; // what decides, in words
    Str reason;  // why it is unknown
    const Hop *hops;
    size_t hop_count;
} Outbound;

typedef struct OutboundList {
    Outbound *items;
    size_t len, cap;
} OutboundList;

bool outbound_is_compute(const NetResource *resource);
// By class, then as found; texts are in the arena or live as long as the world.
OutboundList outbounds_of(NetworkWorld *world, Arena *arena, const NetResource *compute);
