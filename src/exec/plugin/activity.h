// Users over time: what the plugins that count them by bin share.
//
// Events come sorted by dimensions, user and time. One walk over a group adds each
// user's share to counters by bin; then the bins that have something are written. Distinct
// counts are exact.
#pragma once

#include "exec/plugin/timeline.h"

// Counters of one group, one of each kind a bin.
enum { COUNTERS = 4 };
typedef struct Counters {
    int64_t *of[COUNTERS]; // timeline.count + 1 of each
} Counters;

typedef struct Activity {
    PluginRun *run;
    Timeline timeline;
    Events events;
    Counters counters;
    RowWriter writer;
    // What the plugins with windows need.
    Instant lookback, period;
    int64_t active_periods;
} Activity;

// How a plugin counts: `user` adds the events [from, to) of one user, `write` writes a
// group's bins; false to stop.
typedef struct ActivityKind {
    void (*user)(Activity *a, const Event *from, const Event *to);
    void (*record)(Activity *a, const Event *event); // each event; may be NULL
    void (*write)(Activity *a, uint32_t group, uint32_t bin);
} ActivityKind;

// What the counters of a group hold; a plugin uses some of them.
enum { RECORDS, DISTINCT, FRESH, WINDOW };

static inline int64_t
counter(const Activity *a, int which, uint32_t bin)
{
    return a->counters.of[which][bin];
}

// Runs the plugin over id, timeline and dimensions, the parameters 0, 1 and `dimensions`.
ResultTable *activity_run(Activity *a, const ActivityKind *kind, uint32_t dimensions);
// Reads start and end.
bool activity_range(Activity *a, const PluginArg *start, const PluginArg *end);
// Begins a row: the bin's start and the group's dimensions.
void activity_row(Activity *a, uint32_t group, uint32_t bin);

// Shares: each event as a record; the user once in each bin that has one of their events;
// the user once in each bin whose lookback window has one, as differences that
// activity_sum() turns into counts while bins are written in order.
void activity_count_record(Activity *a, const Event *event);
void activity_count_bins(Activity *a, const Event *from, const Event *to);
void activity_count_windows(Activity *a, const Event *from, const Event *to);
void activity_record_windows(Activity *a, const Event *event);
int64_t activity_sum(Activity *a, int which, uint32_t bin);

// Parameters that they have in common.
#define ACTIVITY_DIMENSIONS                                                                        \
    {                                                                                              \
        "dimension", PLUGIN_COLUMN, NULL, PLUGIN_OPTIONAL | PLUGIN_REPEATED                        \
    }
