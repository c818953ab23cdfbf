// What detection keeps in the store and finds there again; internal to src/detect.
#pragma once

#include "detect/detect.h"

// The times between the first and the last row of the log tables, ticks: rows later than the
// clock do not count, and no more than 90 days before the last one. Zeros when there is no row.
bool detect_data_range(Database *db, int64_t *first, int64_t *last, AzError *error);

// The ids of alerts that detection kept, of runs in (since, until + a day * 14].
bool detect_known_alerts(Database *db, Arena *arena, int64_t since, int64_t until, Map *ids,
                         AzError *error);

// Of each rule, the run at or before `since` that last raised an alert; 0 = none.
bool detect_last_alerts(Database *db, const RuleSet *rules, int64_t since, int64_t *out,
                        AzError *error);

// The incidents that detection made, in their newest state.
bool detect_read_incidents(Database *db, Arena *arena, IncidentList *out, AzError *error);

// The run after which each rule goes on, of those that AnalyticsRuleRuns has after `since`: of a
// rule that ran before its time was over, the time at which it did. Others are left.
bool detect_last_runs(Database *db, const RuleSet *rules, int64_t since, int64_t *out,
                      AzError *error);

// The store open for writing. Another process that writes is waited for: half a minute, or when
// `live` until it is done or the user stops.
Store *detect_open_writing(const DetectOptions *options, AzError *error);

// Reads what was kept and runs the rules over (from[rule], detection->until] in two rounds, each
// kept before the next begins. `from` NULL: detection->since; with `whole` up to the first run at
// or after the end.
bool detect_rounds(Arena *arena, const DetectOptions *options, Detection *detection,
                   const int64_t *from, bool whole, AzError *error);

// A detection of these rules that has not run.
Detection *detection_new(Arena *arena, const RuleSet *rules);

// Alerts, the incidents that changed, and a row for each outcome of a rule that ran: durable and
// visible at once, or not at all.
bool detect_write(const DetectOptions *options, const AlertList *alerts,
                  const IncidentList *incidents, const RuleOutcome *outcomes, size_t outcome_count,
                  AzError *error);
