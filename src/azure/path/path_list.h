// The paths a person asks for: from whom, to what, the gravest and shortest first, and
// where cutting helps most.
#pragma once

#include "azure/path/path_goal.h"
#include "azure/path/path_search.h"
#include "base/error.h"

typedef struct PathRequest {
    // An id or name; "internet"; "guest", "external", "user": all of them. Empty: whoever
    // is outside: the internet, guests and external workloads.
    Str from;
    // An id or name, a kind of goal (path_goal.h), or KIND:NAME. Empty: everything of
    // value: secrets, data, models, logs, the right to assign roles.
    Str to;
    uint32_t limit; // of paths kept; 0 = none
    bool all;       // also the other paths of the same length
    // Of each class of starts, after those that lead on alike; 0 = all are tried.
    uint32_t starts_most;
} PathRequest;

// One way to break paths.
typedef struct ChokePoint {
    PathStep step;   // as the first path has it
    uint32_t paths;  // of those found, through it
    uint32_t closed; // of those, that have no other way from the same start
    bool tried;      // whether `closed` was worked out
} ChokePoint;

typedef struct PathList {
    AttackPath *paths; // the gravest first, then the shortest
    uint32_t count;
    uint32_t found;                     // before the limit
    bool is_full;                       // there may be more: the search keeps 20,000
    uint32_t starts_tried, starts_left; // distinct starts searched from, and not
    ChokePoint *chokes;
    uint32_t choke_count;
} PathList;

// False with what is wrong about a name. Nothing found is no error.
bool path_list(const PathModel *model, Arena *arena, const PathRequest *request, PathList *out,
               AzError *error);

// "may assign any role at sub-ai-production": what a path arrives at.
Str path_goal_text(const PathModel *model, Arena *arena, const AttackPath *path);
const char *path_capability_phrase(PathCapability capability);

// The command that breaks a step, ids in it; empty when the kind has none.
Str path_step_command(const PathModel *model, Arena *arena, const PathStep *step);
// "a + b": who acts in a step.
Str path_step_source(const PathModel *model, Arena *arena, const PathStep *step);
