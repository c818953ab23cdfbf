// Ingest: files become rows.
//
// Reads JSON lines, JSON arrays, ARM and Graph pages ({"value": [...]}) and CSV,
// plain, gzip or zstd, straight into column builders by the table's schema.
// Fields the schema does not know are kept in the dynamic column `_Unmapped`; a value
// that does not fit its column is null there and kept in `_Unmapped` too, and one that
// only fits without its fraction is cut there and kept the same way. A record that
// cannot be read is counted, written to the reject file with file, line and reason, and
// does not stop the import. Memory is constant.
#pragma once

#include "base/threads.h"
#include "store/store.h"

typedef struct IngestProgress {
    const char *file;                 // being read
    uint64_t bytes_done, bytes_total; // of the files as they lie on disk
    uint64_t rows, rejected;
} IngestProgress;

typedef struct IngestOptions {
    // The declared schema of a table by name (any case): fills `canonical` and
    // `schema` and returns true, or returns false when it is unknown (inferred).
    bool (*find_schema)(void *context, Str table, Arena *arena, Str *canonical, Schema *schema,
                        TableKind *kind);
    void *schema_context;
    // Called now and then from the calling thread. May be NULL.
    void (*progress)(void *context, const IngestProgress *progress);
    void *progress_context;
    ThreadPool *threads;
    const char *tool_version;
    const char *source; // ingest_tenant: what the snapshot is said to come from; NULL: the folder
    bool once; // ingest_table: files whose content the table has been given already are skipped
} IngestOptions;

typedef struct IngestTableReport {
    Str table, file;
    uint64_t rows, rejected, unmapped; // unmapped: records with fields outside the schema
} IngestTableReport;

typedef struct IngestReport {
    IngestTableReport *tables;
    size_t table_count;
    uint64_t rows, rejected, bytes;
    int64_t snapshot; // 0 for a table import
    Str reject_file;  // empty when nothing was rejected
    double seconds;
    Str *skipped; // files of the folder that are no tables, with the reason
    size_t skipped_count;
} IngestReport;

// A tenant folder: one file a table, named after it (resources.jsonl,
// users.json.gz, groups.jsonl.zst ...). Ends as one new snapshot, with a row in
// CollectionStatus for each file (Dataset, Scope, Status, Reason, Rows) unless the
// folder brings that table itself. ARM-shaped rows in Resource Graph tables get
// the columns Resource Graph has (subscriptionId, resourceGroup, lower-case type,
// tenantId) from their id. The report lives in `arena`.
bool ingest_tenant(Store *store, const char *folder, const IngestOptions *options, Arena *arena,
                   IngestReport *report, AzError *error);

// Files into one table (appended; a log table, or one of the newest snapshot's
// successor when the table is known as inventory).
bool ingest_table(Store *store, Str table, const char *const *files, size_t file_count,
                  const IngestOptions *options, Arena *arena, IngestReport *report, AzError *error);

// Recorded request/answer pairs ({"method","url","status","body"} lines, as
// proxies and test recorders write them): each 2xx body becomes rows: ARM objects
// with an id go to their Resource Graph table, Graph collections to the table of
// that name, and what is neither to `RestAnswers` (Method, Url, Status, Body), so
// that nothing is lost. Other statuses go to `RestErrors`.
bool ingest_answers(Store *store, const char *const *files, size_t file_count,
                    const IngestOptions *options, Arena *arena, IngestReport *report,
                    AzError *error);
