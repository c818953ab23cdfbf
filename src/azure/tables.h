// The tables that the rooms of azure/ compute, as part of the language.
#pragma once

#include "db/db.h"

// Adds EffectiveAccess, WhoCan(), WhatCan() and AccessPath() to a database. The access model
// is read when the first of them is named, and kept until the database closes.
void azure_add_tables(Database *db);
