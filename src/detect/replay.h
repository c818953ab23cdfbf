// Running rules over a range of time; internal to src/detect.
#pragma once

#include "detect/detect.h"

enum { REPLAY_KEPT_BYTES = 320 << 20 }; // decoded rows, which rule after rule looks at

// Runs the rules whose `chosen` flag is set over (since, until] on all threads and notes what
// became of each in its outcome. Alerts are added in the order of runs, rules, results. With
// `whole`, the last run of a rule is the first at or after `until`. `last_alerts` (one a rule,
// ticks, 0 = none): the runs that suppression keeps from running. False with an error when no
// database could be opened or the user stopped.
typedef struct Replay {
    const DetectOptions *options;
    const bool *chosen;
    const int64_t *last_alerts;
    const int64_t *from; // one a rule, instead of `since`; may be NULL
    int64_t since, until;
    bool whole;
    RuleOutcome *outcomes; // one a rule
    AlertList *alerts;
} Replay;
bool replay_run(Arena *arena, Replay *replay, AzError *error);
