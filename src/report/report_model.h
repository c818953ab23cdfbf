// What the page shows and an Assessment does not hold: read from the database.
#pragma once

#include "assess/assess.h"
#include "base/map.h"

typedef struct ReportScope {
    Str id; // name of the management group, GUID of the subscription
    Str name;
    bool is_group;
    int32_t parent; // index, always less than the scope's own; -1 for a root
} ReportScope;

typedef struct ReportModel {
    ReportScope *scopes;
    size_t scope_count;
    Map scope_index; // id -> index, without regard to case
    Map approved;    // subscription -> 'y' or 'n'
    Str tenant_name; // empty when the data does not say it

    int64_t previous_snapshot; // 0 when there is nothing to compare with
    int64_t previous_created;  // ticks
    double previous_score;     // -1 when none
    double *previous_areas;    // one an area of the assessment, -1 when none
} ReportModel;

// In `arena`. `db` may be NULL. A table that is missing leaves its part empty.
// Subscriptions that only the assets name become roots of the tree.
ReportModel *report_model_read(Database *db, const Assessment *assessment, Arena *arena);
