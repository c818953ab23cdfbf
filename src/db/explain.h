// What db_explain and an analysed query show: plans as rows, with what was counted.
#pragma once

#include "db/db.h"
#include "kql/binder.h"

Explain *explain_plan(Arena *arena, const BoundQuery *bound, const QueryResult *times);

// Around the run of a query's plans: counts in a profile, given to `exec`, and gathers.
typedef struct Analysis Analysis;
Analysis *analysis_begin(Arena *arena, const BoundQuery *bound, ExecOptions *exec);
Explain *analysis_end(Analysis *analysis, const QueryResult *result);
