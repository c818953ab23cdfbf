// The tables that the rooms of azure/ compute, as part of the language.
#pragma once

#include "db/db.h"

// Adds EffectiveAccess, WhoCan(), WhatCan(), AccessPath(), SignIn(), ConditionalAccessCoverage, AttackPaths, IdentityGraphNodes,
// IdentityGraphEdges, NetworkExposure and OutboundExposure to a database. The models behind them are read when the
// first that needs them is named, and kept until the database closes.
void azure_add_tables(Database *db);
