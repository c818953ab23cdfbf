// Entities of alerts: who and what a row is about, as Microsoft Sentinel writes them into
// SecurityAlert.Entities (learn.microsoft.com/azure/sentinel: entities-reference,
// map-data-fields-to-entities).
#pragma once

#include "base/array.h"
#include "base/map.h"
#include "db/rows.h"
#include "detect/rule.h"

enum { ENTITIES_OF_ALERT = 500 }; // the service keeps no more

typedef struct AlertEntity {
    Str type;    // as rules name it: "Account", "IP"
    Str key;     // tells entities apart: type and identifiers, lower case
    Str members; // JSON members, without braces and `$id`
    Str label;   // the first identifier as the row has it; empty when not mapped from a row
} AlertEntity;

typedef struct EntityList {
    AlertEntity *items; // in the order they were met
    size_t len, cap;
    Map seen; // key -> number
} EntityList;

void entities_init(EntityList *list, Arena *arena);

// Adds the entities that the rule maps from the current row; those without any value are left
// out, and those beyond the limit. All is copied to the arena of the list.
void entities_add_row(EntityList *list, const AnalyticsRule *rule, const RowReader *row);

// [{"$id":"1", ...}, ...]
Str entities_json(Arena *arena, const EntityList *list);
