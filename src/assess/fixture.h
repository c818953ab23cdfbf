// Fixtures of controls and functions: small tenants with the verdicts they must get.
//
//     control: ID-001            (or function: AIAssets)
//     cases:
//       - name: keys switched off
//         tables: {Resources: [{id: ..., ...}]}
//         not_collected: [DiagnosticSettings]
//         expect: {<id>: pass}   (of a function: <id>: <assetClass>)
#pragma once

#include "db/db.h"

typedef struct FixtureReport {
    uint64_t passed, failed;
    Buffer text; // one line for each failed case: file, case, what differs
} FixtureReport;

// Runs all fixture files (*.yaml) below `dir` with the controls of `content`. False
// with an error when nothing could be run.
bool fixtures_run(Database *db, const char *dir, FixtureReport *report, AzError *error);
