// Exposure: from where a target can be reached, on which ports and because of what.
//
// A target is a resource with an endpoint of its own, or one with addresses in subnets. Each
// place from which it is or may be reached is one exposure. The internet is always named,
// closed too, and so is a private endpoint that leads nowhere; other places from which
// nothing arrives are left out.
#pragma once

#include "azure/network/journey.h"

typedef enum SourceClass {
    SOURCE_INTERNET,     // anybody
    SOURCE_ANY_TENANT,   // anybody who runs something in Azure
    SOURCE_LISTED,       // public addresses that rules list
    SOURCE_TRUSTED,      // Microsoft's trusted services
    SOURCE_OTHER_TENANT, // a private endpoint of somebody else
    SOURCE_PEERED,       // a subnet of a peered network
    SOURCE_ROUTED,       // a subnet of a network behind an appliance
    SOURCE_SUBNET,       // a subnet of the same network, or let in by service endpoint
    SOURCE_ENDPOINT,     // a private endpoint that leads nowhere
    SOURCE_CLASS_COUNT
} SourceClass;
const char *source_class_name(SourceClass source);

typedef struct Exposure {
    SourceClass source;
    Str source_id;   // subnet or private endpoint; empty for classes of addresses
    Str source_name; // in words: the addresses listed, network/subnet
    Reach reach;
    Str ports;
    Str via;     // id of what leads in: private endpoint, load balancer, public address
    Str because; // what decides, in words
    Str reason;  // why it is unknown
    Str dns;     // how names lead to a private endpoint
    const Hop *hops;
    size_t hop_count;
} Exposure;

typedef struct ExposureList {
    Exposure *items;
    size_t len, cap;
} ExposureList;

// Whether the resource can be a target.
bool exposure_is_target(const NetworkWorld *world, const NetResource *resource);
// By class, then as found; texts are in the arena or live as long as the world.
ExposureList exposures_of(NetworkWorld *world, Arena *arena, const NetResource *target);
