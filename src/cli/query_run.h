// One query from text to output, shared by the command and the prompt.
#pragma once

#include "cli/cli.h"
#include "db/db.h"
#include "report/result.h"

// What stands in place of the answer.
typedef enum ExplainMode {
    EXPLAIN_NOT,
    EXPLAIN_PLAN,    // the plan; the query does not run
    EXPLAIN_ANALYZE, // it runs, and what each operator did is shown
} ExplainMode;

typedef struct QuerySettings {
    Database *db;
    ResultFormat format;
    ResultStyle style;
    QueryOptions options;
    bool timing, check_only;
    ExplainMode explain;
    bool graph_limits; // with check_only: what Resource Graph would refuse
    bool arrow;        // the answer as Arrow IPC instead of `format`
    CliOutput *out;    // where answers go
    uint32_t repeat;   // so many times more, for measuring; only the first answer is written
} QuerySettings;

// Runs and prints; errors go to stderr with their place. Returns the exit status.
// Ctrl-C stops the query.
int query_run(const QuerySettings *settings, Str text);
