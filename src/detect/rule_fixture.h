// Fixtures of analytics rules: a few rows of telemetry, and the alerts they must raise.
//
//     detection: AZD-101          the rule's file without its ending, or its id
//     cases:
//       - name: a first read
//         at: 2026-06-30T04:00:00Z                      the rule's run
//         tables: {StorageBlobLogs: [{TimeGenerated: ..., ...}]}
//         repeat: {StorageBlobLogs: [{rows: 30, every: 1m, from: TIME, row: {...}}]}
//         expect: {alerts: 1, entities: ["203.0.113.5"]}
//
// `repeat` makes rows by the clock; {n} in a text of the row is its number, from 0. Each text under `entities` (and `names`) occurs in the
// entities (names) of the alerts.
#pragma once

#include "detect/detect.h"

typedef struct RuleFixtureReport {
    uint64_t passed, failed;
    Buffer text; // one line for each failed case: file, case, what differs
    Map fired;   // rule id -> cases in which it raised alerts
    Map silent;  // rule id -> cases in which it raised none
} RuleFixtureReport;

// Runs all fixture files (*.yaml) below `dir` that name a detection, in the empty database `db`,
// whose tables in memory are replaced. Files of other kinds of fixtures are left alone. False
// with an error when the folder cannot be read.
bool rule_fixtures_run(Database *db, Arena *arena, const RuleSet *rules, const char *dir,
                       RuleFixtureReport *report, AzError *error);
