// The network of a snapshot, read from the database.
#pragma once

#include "azure/network/world.h"
#include "db/db.h"

// Rows of resources that networks are made of or that listen on them. Tables that were not
// collected are empty. The world lives in `arena`.
bool network_load(Database *db, Arena *arena, NetworkWorld *out, AzError *error);
