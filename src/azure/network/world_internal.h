// What the files that build the world share.
#pragma once

#include "azure/network/world.h"

// All readable prefixes of a member that is one text and of one that is an array.
RangeSet world_prefixes(Arena *arena, Dyn properties, const char *single, const char *plural);

// Makes the endpoint findable by its IP configuration, owner and address.
void world_register(NetworkWorld *world, Endpoint *endpoint, Str config_id);

// Interfaces, scale sets, private endpoints, and members of application security groups.
void world_read_interfaces(NetworkWorld *world);
