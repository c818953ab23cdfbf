// Service tags: names for addresses that Microsoft lists and changes every week.
//
// The addresses themselves are not in the data. A tag surely holds a few symbolic addresses
// (address.h) that stand for the service in a region, and may hold any public address but
// ADDRESS_ANYWHERE. AzureCloud holds those of all services. That is enough to decide whether
// rules that name tags let the same tag, all of Azure, or the whole internet through.
// Source: Microsoft Learn, "Virtual network service tags".
#pragma once

#include "azure/network/address.h"
#include "base/error.h"
#include "base/map.h"

typedef struct ServiceTags {
    Arena *arena;
    Map services;             // name without the region -> number from 1
    Map regions;              // -> number from 1
    RangeSet tenants_send;    // services in which any tenant can run what connects
    RangeSet tenants_receive; // services in which any tenant can have what is connected to
} ServiceTags;

// The tags of content/azure/service-tags.jsonl. Tags met later are added as they come; what
// AzureCloud.REGION holds is that of the services known by then.
bool service_tags_load(Arena *arena, const char *content, ServiceTags *out, AzError *error);

// What the tag surely and at most holds; false for what cannot be a tag (VirtualNetwork,
// Internet and AzureLoadBalancer are none here: they depend on the network).
bool service_tag_sets(ServiceTags *tags, Arena *arena, Str tag, RangeSet *sure, RangeSet *may);

// The services whose symbolic addresses are in the set, in words.
Str service_tag_names(const ServiceTags *tags, Arena *arena, RangeSet set);
