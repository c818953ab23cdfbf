// World: Azure as a collector sees it, for a made-up tenant of any size, with the documented
// quotas on the wire's clock (wire.h).
//
// Nothing is stored: each row is made from its number. A quota is either a bucket that fills
// (Resource Manager, Microsoft Graph's resource units) or so many calls in a stretch of time
// (Resource Graph: stretches one after another; reports and policies of Microsoft Graph: any
// stretch). What the collector thinks of them plays no part here.
//
// Sources: Azure Resource Manager, "Understand how Azure Resource Manager throttles requests";
// Azure Resource Graph, "Guidance for throttled requests"; Microsoft Graph, "Microsoft Graph
// service-specific throttling limits".
#pragma once

#include "replay/wire.h"

typedef struct WorldOptions {
    uint32_t subscriptions, resources, users, groups, principals, applications;
    double others; // part of each quota that other callers use up, 0 to below 1
} WorldOptions;

typedef struct WorldBucket {
    Str name;
    double burst, rate;    // units; 0 when it counts in stretches
    double most, stretch;  // calls in so many seconds; 0 when it fills
    bool sliding;          // any stretch, not one after another
    double units, spent;   // left; taken in all
    uint64_t filled, ends; // filled: last; ends: of the stretch
    uint64_t last[16];     // sliding: when the last calls came
    uint64_t calls, refused;
    uint64_t learnt;    // when the last refusal reaches the caller
    uint32_t in_a_row;  // refusals without a call that went well between them
    uint32_t most_so;   // the most of these
    uint64_t not_heard; // refusals of calls sent after the caller knew of one, that came next
} WorldBucket;

typedef struct World World;

World *world_new(const WorldOptions *options);
void world_free(World *world);
void world_service(World *world, WireService *out);

size_t world_bucket_count(const World *world);
const WorldBucket *world_bucket(const World *world, size_t index);
// The seconds in which a caller could have taken all that it took of this bucket.
double world_ideal(const WorldBucket *bucket);
uint64_t world_rows(const World *world); // sent in answers
