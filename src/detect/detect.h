// Detection: analytics rules run over a range of time, each on its own schedule, as if they had
// run all along; what they raise is kept in the store.
//
// A scheduled rule runs at the multiples of its frequency (UTC). Its query sees the rows of log
// tables whose TimeGenerated lies in the query period before the run, and the run's time as
// now(). Alerts are rows of SecurityAlert, incidents of SecurityIncident (a row for each state),
// what became of each rule a row of AnalyticsRuleRuns. An alert's id is made of the rule and the
// run: a range that is gone through again raises nothing twice.
#pragma once

#include "db/db.h"
#include "detect/incident.h"

enum {
    ALERTS_OF_RULE = 10000, // a rule that raises more is stopped and says so
    FAILED_RUNS = 3,        // in a row, after which a rule is given up
};

typedef struct DetectOptions {
    DatabaseOptions database; // store, content, functions ...; threads and memory are for all
    const RuleSet *rules;
    int64_t since, until; // ticks: runs after `since` up to `until`; 0: as the data goes
    uint64_t timeout_ns;  // of one run of a rule
    bool live;            // rows arrive meanwhile: see detect/follow.h
    bool keep;            // write what was found to the store
    Str version;          // of the tool
    const _Atomic bool *cancel;
    // Called now and then from one thread, with runs; may be NULL.
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *progress_context;
    // Called with new alerts before they are kept; false with an error: they are not. What it
    // prepares may be prepared again, for the same ids, when keeping them fails. May be NULL.
    bool (*keeping)(void *context, const AlertList *alerts, AzError *error);
    void *keeping_context;
} DetectOptions;

typedef struct RuleOutcome {
    const AnalyticsRule *rule;
    uint64_t runs, failed, suppressed; // suppressed: not run since an alert had been raised
    uint64_t alerts, known;            // raised; of these already in the store
    int64_t first_run, last_run;       // ticks
    double milliseconds;
    Str reason;   // the first error, with file and line; empty when none
    bool stopped; // it did not run to the end
    bool lacking; // not run: it wants a table or function that is not there
    // It ran and no table it reads holds a row; their names. Nothing was looked at.
    bool blind;
    Str empty_tables; // "CiscoDuo, Syslog"
} RuleOutcome;

typedef struct Detection {
    int64_t since, until; // as they were
    RuleOutcome *outcomes;
    size_t outcome_count;
    AlertList alerts;       // new ones, by time
    size_t kept;            // of these, the first so many are in the store
    IncidentList incidents; // those that got alerts now have `touched`
    uint64_t runs, known;
    double seconds;
} Detection;

// NULL with an error when nothing could be run or kept: no store, no rows to look at, a damaged
// segment, a full disk. A rule that fails does not stop the others: see RuleOutcome.
Detection *detect_run(Arena *arena, const DetectOptions *options, AzError *error);
