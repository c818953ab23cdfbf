// The parts of a world among themselves.
#pragma once

#include "base/map.h"
#include "replay/world.h"
#include "value/json.h"

struct World {
    WorldOptions options;
    Arena arena;
    Map by_name; // of buckets
    JsonParser *parser;
    DynBuilder *builder;
    uint64_t random, rows;
};

typedef struct WorldCall {
    uint64_t sent, now, way_ns; // way_ns: of the answer
} WorldCall;

// Takes a call's cost; 0 when it may come, else the seconds after which it may.
double world_charge(WorldBucket *bucket, double cost, const WorldCall *call);
WorldBucket *world_query_bucket(World *world);
WorldBucket *world_arm_bucket(World *world, Str path);
// Also what the call costs.
WorldBucket *world_graph_bucket(World *world, Str path, double *cost);

// The page that a call asks for (world_rows.c): the JSON of a request for Resource Graph, a
// path of Resource Manager, one of Microsoft Graph without its version.
void world_query_rows(World *world, Str request, Buffer *out);
void world_arm_rows(World *world, Str path, Buffer *out);
void world_graph_rows(World *world, Str path, Buffer *out);
