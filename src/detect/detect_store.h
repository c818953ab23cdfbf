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

// Alerts, the incidents that changed, and a row for each outcome of a rule that ran: durable and
// visible at once, or not at all.
bool detect_write(const DetectOptions *options, const AlertList *alerts,
                  const IncidentList *incidents, const RuleOutcome *outcomes, size_t outcome_count,
                  AzError *error);
