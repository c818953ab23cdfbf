// What an answer about access stands on and the snapshot does not hold.
//
// A table that was not collected is empty, and "nobody" read from it would be wrong. What
// CollectionStatus says of the data sets behind roles, groups and delegations is told with
// the answers; where role assignments themselves are missing, the answer is not known.
#pragma once

#include "db/db.h"

typedef struct AccessGap {
    Str dataset;
    Str what;     // "role assignments": what is missing with it
    Str where;    // scope, when only a part was not collected; empty = all of it
    Str reason;   // empty when nobody said
    bool decides; // without it "not allowed" means nothing
} AccessGap;

typedef struct AccessGaps {
    const AccessGap *items;
    uint32_t count;
} AccessGaps;

// A snapshot without CollectionStatus tells nothing of what it lacks: then there are none.
// False with the error of the query.
bool access_gaps_read(Database *db, Arena *arena, AccessGaps *out, AzError *error);

// Whether some gap decides.
bool access_gaps_decide(const AccessGaps *gaps);

// "role assignments (authorizationresources) are not in the snapshot: access denied".
Str access_gap_text(Arena *arena, const AccessGap *gap);
