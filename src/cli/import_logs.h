// azimuth import --logs: options and the table that is shown at its end.
#pragma once

#include "db/content.h"
#include "store/ingest_logs.h"

typedef struct ImportLogsOptions {
    const char *tenant, *arrived; // NULL when not given
    bool again, quiet;
} ImportLogsOptions;

// Runs the import and shows what came of it; the exit code.
int import_logs(Store *store, Content *content, const IngestOptions *ingest,
                const ImportLogsOptions *options, const char *const *paths, size_t count);
