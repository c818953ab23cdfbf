// What an attacker could do in the snapshot, for the report: the attack paths from outside
// to what is of value, and who holds access to the AI resources that most may ask.
#pragma once

#include "assess/assess.h"
#include "azure/path/path_list.h"

enum { REPORT_PATHS = 20, REPORT_ACCESS = 3, ACCESS_VERBS = 3 };

// Identities that come by one role at one scope, through one group or by themselves.
typedef struct AccessGroup {
    Str role, scope, via; // `via` is empty for assignments of their own
    Str first;            // the first of them
    uint32_t count;       // that may
    uint32_t conditional; // that may under a condition or a reading that is not known
    uint32_t eligible;    // that may after activation
} AccessGroup;

typedef struct AccessVerb {
    Str verb, operation;
    uint32_t count, conditional, eligible;
    AccessGroup *groups; // the largest first
    uint32_t group_count;
} AccessVerb;

typedef struct AccessTree {
    const Asset *asset;
    AccessVerb verbs[ACCESS_VERBS];
} AccessTree;

typedef struct ReportPaths {
    const PathModel *model; // NULL: not worked out, `error` says why
    PathList list;          // at most REPORT_PATHS kept
    Str error;
    Str missing; // data sets that paths stand on and the snapshot lacks: "users, groups"
    AccessTree access[REPORT_ACCESS];
    uint32_t access_count;
    uint32_t access_left; // resources that were not counted
} ReportPaths;

// In `arena`. Bounded: distinct starts of a class (PathRequest.starts_most) and resources
// whose callers are counted. Never fails: what cannot be read leaves `error`.
void report_paths_read(Database *db, const Assessment *assessment, int64_t at, Arena *arena,
                       ReportPaths *out);

// "39 attack paths from outside; one change cuts 26 of them: remove ..."; for one line.
Str report_paths_summary(Arena *arena, const ReportPaths *paths);
// What a choke point takes away: "Owner at sub-ai-production of grp-ai-owners".
Str report_choke_text(Arena *arena, const PathModel *model, const ChokePoint *choke);
