// One query from text to output, shared by the command and the prompt.
#pragma once

#include "db/db.h"
#include "report/result.h"

typedef struct QuerySettings {
    Database *db;
    ResultFormat format;
    ResultStyle style;
    QueryOptions options;
    bool timing, check_only, explain;
    bool graph_limits; // with check_only: what Resource Graph would refuse
} QuerySettings;

// Runs and prints; errors go to stderr with their place. Returns the exit status.
// Ctrl-C stops the query.
int query_run(const QuerySettings *settings, Str text);
