// The parts of a log import among themselves: learning (ingest_logs_learn.c), writing
// (ingest_logs_write.c), the run (ingest_logs.c), files (ingest_logs_files.c).
#pragma once

#include "store/ingest_logs.h"
#include "store/ingest_parts.h"

// A table that the import writes.
typedef struct LogTable {
    IngestTable table;
    size_t number; // in LogImport.tables, and of the workers' sinks
    bool open;
    ptrdiff_t time, type, tenant, received; // columns; -1: it has none
    ptrdiff_t overflow;                     // AdditionalFields, of an open table
} LogTable;

typedef struct LogFile {
    IngestFile file;
    LogSource source;
    Str real_path, remark;
    Str fingerprint;      // of its content up to file.end; empty: it is not kept
    _Atomic size_t table; // number + 1 of some table that got rows of it
} LogFile;

typedef struct LogFiles {
    LogFile **items;
    size_t len, cap;
} LogFiles;

// Of one worker: what it has learnt of a table, what it counted.
typedef struct LearntTable {
    Str name;
    bool open, csv;
    Schema declared;
    Map declared_columns; // by exact name
    ptrdiff_t time;
    Map columns; // undeclared ones: bits of kinds, then the type, then how often (learn.c)
} LearntTable;

typedef struct LogCount {
    Str format;
    const LogTable *table;
    IngestCounts counts;
    uint64_t timeless, ahead;
} LogCount;

typedef struct LogImport LogImport;

typedef struct LogWorker {
    LogImport *import;
    IngestWorker *base;
    Arena arena;             // of one record
    Arena kept;              // of the worker
    Map learnt;              // table (any case) -> LearntTable
    LearntTable *row_learnt; // of the file's last record, when it was a plain row
    bool all_rows;           // of the file so far, and in tables whose columns are known
    IngestSink **sinks;
    size_t sink_cap;
    struct {
        LogCount **items;
        size_t len, cap;
    } counts;
    LogCount *last;            // the count used last
    const LogTable *row_table; // as row_learnt, when writing
    // The record being mapped.
    LogFile *file;
    Str original;
    const char *why; // it could not be stored
} LogWorker;

struct LogImport {
    IngestRun run;
    const LogOptions *options;
    LogWorker *workers;
    LogFiles files;
    pthread_rwlock_t lock; // of tables, once workers write
    Map tables;            // name (any case) -> LogTable
    int64_t latest;        // ticks: times behind it are ahead of the clock
    _Atomic size_t next;   // file to be dealt out
    bool writing;
    Str *skipped; // paths that are no logs, with the reason
    size_t skipped_count;
};

// The worker's view of a file that begins.
void log_worker_begin(LogWorker *worker, LogFile *file);

// Learning: counts what a record would need.
bool log_learn_json(LogWorker *worker, Str record, const char **why);
bool log_learn_row(void *context, const LogRow *row);
// All tables that were learnt, with their schemas. False when the store fails.
bool log_tables_make(LogImport *import, AzError *error);
// The table of that name while workers write; made when nobody has learnt it.
LogTable *log_table_find(LogWorker *worker, Str name, bool open);

bool log_write_json(LogWorker *worker, Str record, const char **why);
bool log_write_row(void *context, const LogRow *row);
// Keeps what the worker's sinks hold below its share of memory.
bool log_sinks_bound(LogWorker *worker);
bool log_sinks_flush(LogWorker *worker);

// Maps a record; `emit` as above.
bool log_map(LogWorker *worker, Dyn record, LogEmit emit);

// Exactly once (ingest_logs_once.c): takes the files out that the store has, and sets of others
// where they begin and end; and keeps, with the commit, what was read.
bool log_files_choose(LogImport *import, LogReport *report, AzError *error);
void log_files_keep(LogImport *import);

// The files below the paths; folders in name order, once each.
bool log_files_find(LogImport *import, const char *const *paths, size_t count, AzError *error);
