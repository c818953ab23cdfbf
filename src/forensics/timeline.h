// Timelines: everything the store knows of one entity, over all tables, in order of time.
//
// Timeline(entity [, since [, until]]) is a table of the language. An entity is a principal
// (object id, user principal name, app id, display name), a resource (id or name), or any text of
// logs: an address, a correlation id, a deployment, the id of a key. Rows of logs that hold one of
// its names become events (forensics/event_rules.h); between them stand the changes of the access
// that it has (a principal) or gives (a resource), from snapshot to snapshot.
#pragma once

#include "db/db.h"

// Adds Timeline() to the language. azure_add_tables must have been called: access is theirs.
void forensics_add_tables(Database *db);

// The columns of a timeline.
extern const TableColumn TIMELINE_COLUMNS[];
enum { TIMELINE_COLUMN_COUNT = 11 };
