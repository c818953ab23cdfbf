// The access that an entity had over time, as far as snapshots tell: from one snapshot to the
// next, what a principal may do where, or who may do what to a resource.
#pragma once

#include "forensics/entity.h"

typedef struct AccessSpan {
    int64_t from, to; // ticks; `to` INT64_MAX while the newest snapshot still has it
    int64_t since_snapshot,
        until_snapshot; // the first that had it; the first that had it no more, or 0
    bool first;         // since the first snapshot looked at
    Str principal, principal_id, role, scope, via, state, can; // scope in lower case
    Str key;
} AccessSpan;

typedef struct AccessSpans {
    AccessSpan *items;
    size_t len, cap;
    size_t snapshots; // looked at
} AccessSpans;

// Looks at the snapshots of the store between the times (INT64_MIN, INT64_MAX: all) and the one
// before. Nothing for a text, or a store without snapshots. All in `arena`.
bool access_spans_read(Database *db, Arena *arena, const Entity *entity, int64_t since,
                       int64_t until, AccessSpans *spans, AzError *error);
