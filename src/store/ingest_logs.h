// Logs of many kinds: files become rows of the tables their records belong to.
//
// The store cuts files into records and writes rows; which table a record belongs to, and
// which column gets what, is said by a LogMapper from the room above (telemetry/). Every record
// is mapped twice: first to learn which tables and columns there are, then to be written;
// between, all schemas are settled, so that the number of threads never shows.
#pragma once

#include "store/ingest.h"
#include "value/json.h"

// The file a record comes from.
typedef struct LogSource {
    Str path;
    bool csv; // all values are text
} LogSource;

// One row as the mapper gives it; all views live until the emit returns.
typedef struct LogRow {
    Str format; // what the record is, as reports call it; lives as long as the mapper
    Str table;  // canonical spelling; lives as long as the mapper, or is copied from the record
    bool open;  // a cell without a column makes one; else it is kept in `_Unmapped`
    bool plain; // the cells are the record's members under their own names
    const JsonMember *cells; // names and values
    const Type *types;       // of the columns a cell may make; TYPE_NONE: learnt from the values
    size_t count;
} LogRow;

// False: the store has failed, stop.
typedef bool (*LogEmit)(void *context, const LogRow *row);

// What a mapper may use for one record; one a thread, recycled before the next.
typedef struct LogScratch {
    Arena *arena;
    DynBuilder *builder;
    JsonParser *parser;
} LogScratch;

typedef struct LogMapper {
    const void *context;
    // Gives the rows of a record (a JSON object): one mostly, many for an answer that holds a
    // table, none for what only frames records. Thread-safe. False when `emit` said so.
    bool (*map)(const void *context, const LogSource *source, Dyn record, LogScratch *scratch,
                LogEmit emit, void *emit_context);
} LogMapper;

// Times as logs write them: ISO 8601, and as the portal exports them (1/31/2026, 4:05:06 PM).
bool ingest_time_parse(Str text, int64_t *ticks);

typedef struct LogOptions {
    LogMapper mapper;
    Str tenant;       // TenantId of rows that say none; may be empty
    int64_t received; // ticks: when the records arrived (`_TimeReceived`); 0 = not known
    bool again;       // read files whose content is in the store already, too
} LogOptions;

typedef struct LogReportRow {
    Str format, table;
    uint64_t rows, unmapped; // unmapped: rows with members outside the table's columns
    uint64_t timeless;       // rows without a time that can be read
    uint64_t ahead;          // rows of a time more than a day ahead of the clock
} LogReportRow;

typedef struct LogFileReport {
    Str name;
    uint64_t rejected;
    Str problem; // why it was not read, or not to its end; empty
} LogFileReport;

typedef struct LogReport {
    LogReportRow *rows; // by format and table
    size_t row_count;
    LogFileReport *files; // those with something to say
    size_t file_count;
    size_t files_read, files_known; // known: their content is in the store already
    uint64_t total, rejected, bytes;
    Str reject_file;
    double seconds;
} LogReport;

// Reads files, and all files below folders. One transaction: all of it, or nothing when it
// fails. Files that cannot be read are reported and do not stop the others.
bool ingest_logs(Store *store, const char *const *paths, size_t path_count,
                 const IngestOptions *options, const LogOptions *log, Arena *arena,
                 LogReport *report, AzError *error);
