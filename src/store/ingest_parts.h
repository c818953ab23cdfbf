// The parts of ingest among themselves: what an import, a table and a worker share.
//
// An import (IngestRun) has some tables (IngestTable) and one IngestWorker a thread.
// A worker parses records and appends them to its own sink (IngestSink): the column
// builders of one table, written to the store in batches. Only what stands under
// `lock` and the atomics is shared.
#pragma once

#include "base/map.h"
#include "store/ingest.h"
#include "store/ingest_split.h"
#include "value/json.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

// The reject file of an import; made at the first reject. Thread-safe.
typedef struct IngestRejects IngestRejects;
IngestRejects *ingest_rejects_new(const char *store_dir);
void ingest_rejects_free(IngestRejects *rejects);
bool ingest_rejects_add(IngestRejects *rejects, Str file, uint64_t line, uint64_t offset,
                        const char *reason, Str record, AzError *error);
// Closes the file. Its path, or the empty slice when nothing was rejected.
bool ingest_rejects_finish(IngestRejects *rejects, Arena *arena, Str *path, AzError *error);

// Columns of Resource Graph that are derived from a row's id.
enum {
    ARM_ID,
    ARM_NAME,
    ARM_TYPE,
    ARM_TENANT,
    ARM_LOCATION,
    ARM_GROUP,
    ARM_SUBSCRIPTION,
    ARM_COLUMNS
};

typedef struct IngestTable {
    Str name;
    TableKind kind;
    Schema schema; // without `_Unmapped`
    bool is_arm;   // has all of the columns below: a Resource Graph table
    uint32_t arm[ARM_COLUMNS];
    Map exact, any_case; // column numbers by name
} IngestTable;

typedef struct IngestRun {
    Store *store;
    StoreWriter *writer;
    const IngestOptions *options;
    Arena *arena; // the caller's; calling thread only
    IngestReport *report;
    IngestRejects *rejects;
    struct IngestWorker *workers;
    size_t worker_count;
    uint64_t bytes_total, started;
    const char *progress_file;
    pthread_mutex_t lock; // of the splitter, the StoreWriter's table list, `error`, `tenant_id`
    AzError error;        // the first one; ends the import
    char tenant_id[64];
    _Atomic bool failed, tenant_known;
    _Atomic uint64_t bytes_done, rows, rejected;
} IngestRun;

// What a file gave.
typedef struct IngestCounts {
    _Atomic uint64_t rows, rejected, unmapped;
} IngestCounts;

typedef struct IngestSink {
    IngestRun *run;
    const IngestTable *table;
    TableWriter *plain, *wide; // without and with `_Unmapped`; opened when first needed
    Arena arena;               // of the batch being built
    VectorBuilder *columns;    // one a schema column, then `_Unmapped`; those not put lag behind
    uint8_t *filled;           // how the column got its value in this record
    Str *filled_by;            // by which name, when it was not exactly the column's
    uint32_t *hints;           // column that the n-th member had in the record before
    uint32_t rows;
    bool has_unmapped; // some row of the batch
    struct IngestSink *next;
} IngestSink;

// One a thread. The builders are free between two records.
typedef struct IngestWorker {
    IngestRun *run;
    size_t number;
    JsonParser *parser;
    DynBuilder *tree, *unmapped, *scalar;
    JsonParser *inner; // of JSON text inside a record that `parser` reads
    DynBuilder *inner_tree;
    bool unmapped_open;
    Arena scratch; // of one record
    IngestChunk chunk;
    Buffer redacted, cell, cell_redacted;
    IngestSink *sink; // of the table being read
    uint64_t progress_at;
} IngestWorker;

bool ingest_run_begin(IngestRun *run, Store *store, const IngestOptions *options, Arena *arena,
                      IngestReport *report);
// Keeps the first error; returns false.
bool ingest_run_fail(IngestRun *run, const AzError *error);
// Commits (or aborts when `run` has failed), fills the report and frees all.
bool ingest_run_end(IngestRun *run, AzError *error);
void ingest_progress(IngestWorker *worker);
// Runs `work` on all workers and waits.
void ingest_workers_run(IngestRun *run, ThreadJob work, void *context);

// The declaration of a table; without one false, and `canonical` is the name itself.
bool ingest_declared_schema(IngestRun *run, Str name, Str *canonical, Schema *schema,
                            TableKind *kind);
// Rows of CollectionStatus; not counted as rows of the import.
typedef struct IngestStatus {
    Str dataset, scope, status, reason;
    uint64_t rows;
} IngestStatus;
bool ingest_status_write(IngestRun *run, const IngestStatus *rows, size_t count, AzError *error);

// Makes `table` from its declared or inferred schema and what the store has.
bool ingest_table_make(IngestRun *run, Str name, const Schema *schema, TableKind kind,
                       IngestTable *table, AzError *error);

IngestSink *ingest_sink_new(IngestRun *run, const IngestTable *table);
// Writes what is buffered. False: run->error is set.
bool ingest_sink_flush(IngestSink *sink);
void ingest_sink_free(IngestSink *sink);

// One JSON object becomes a row. False with *why when it cannot be read (nothing is
// added); when the store fails, *why is NULL and run->failed is set.
bool ingest_sink_json(IngestWorker *worker, IngestSink *sink, Str record, IngestCounts *counts,
                      const char **why);
// The same, but only when the record is a row of the table as it stands: each of its names is a
// column, a `Type` it bears is the table's name, and it has a time. Else *refused, and nothing is
// added. `finish` (may be NULL) puts what the record lacks.
typedef void (*IngestFinish)(void *context, IngestWorker *worker, IngestSink *sink);
bool ingest_sink_row(IngestWorker *worker, IngestSink *sink, Str record, ptrdiff_t time_column,
                     IngestFinish finish, void *context, IngestCounts *counts, bool *refused,
                     const char **why);
// Puts a value that came as text where JSON may stand as text: objects and lists of a dynamic
// column are parsed.
void ingest_row_put_loose(IngestWorker *worker, IngestSink *sink, const JsonMember *member);
// The column of that name, any case when none is so exactly; -1 when there is none.
ptrdiff_t ingest_column_find(const IngestTable *table, Str name);
bool ingest_row_has(const IngestSink *sink, ptrdiff_t column);
// The time that the row being built has in that column; false when it is null.
bool ingest_row_time(const IngestSink *sink, ptrdiff_t column, int64_t *ticks);
// Bytes that the sink and its writers hold; and gives them back: rows become segments.
size_t ingest_sink_memory(const IngestSink *sink);
bool ingest_sink_release(IngestSink *sink);
// Cell by cell: begin, any number of puts, end.
void ingest_row_begin(IngestWorker *worker, IngestSink *sink);
bool ingest_row_put(IngestWorker *worker, IngestSink *sink, const JsonMember *member);
// The builder of a column (by its place), ready for the value of the row being built.
VectorBuilder *ingest_row_column(IngestSink *sink, size_t column);
bool ingest_row_end(IngestWorker *worker, IngestSink *sink, IngestCounts *counts, const char **why);
void ingest_row_drop(IngestWorker *worker, IngestSink *sink);
void ingest_row_put_text(IngestWorker *worker, IngestSink *sink, Str key, Str text);
void ingest_push_member(DynBuilder *builder, const JsonMember *member); // its value
// Puts the text of a CSV cell into column `column`, or keeps it under `name`.
void ingest_row_text(IngestWorker *worker, IngestSink *sink, ptrdiff_t column, Str name, Str text);

// ARM (ingest_arm.c).
typedef struct ArmId {
    Str subscription, group, name; // views into the id; empty when absent
    Str type;                      // in the arena, lower case; empty when the id has none
} ArmId;
void arm_id_parse(Arena *arena, Str id, ArmId *out);
bool arm_table_columns(const Schema *schema, uint32_t *columns);
// Fills the derived columns of the row just read.
void arm_row_derive(IngestWorker *worker, IngestSink *sink);

// CSV (ingest_csv.c): the cells of a row, one call each.
typedef struct CsvRow {
    Str text;
    size_t at;
    char delimiter;
    bool done;
} CsvRow;
CsvRow csv_row(Str text, char delimiter);
// The next cell, unquoted: a view into the row, or into `buffer` when quotes had to
// be taken out.
bool csv_row_next(CsvRow *row, Buffer *buffer, Str *cell);
typedef struct CsvHeader {
    Str *names; // as the columns are called: "TimeGenerated [UTC]" is TimeGenerated
    size_t count;
    bool secret; // some name suggests a secret
} CsvHeader;
bool csv_header_read(Arena *arena, Str row, char delimiter, CsvHeader *header);
bool ingest_sink_csv(IngestWorker *worker, IngestSink *sink, const CsvHeader *header,
                     const ptrdiff_t *columns, char delimiter, Str row, IngestCounts *counts,
                     const char **why);

// A row as a bag of its cells' texts, secrets masked; empty cells are left out.
bool ingest_csv_bag(IngestWorker *worker, DynBuilder *builder, const CsvHeader *header,
                    char delimiter, Str row, const char **why);

// Schemas of unknown tables (ingest_infer.c).
typedef struct IngestInfer {
    Arena *arena;
    Map map;
    uint64_t records;
    bool csv; // all values are text: mixtures are strings
} IngestInfer;
enum { INFER_RECORDS = 10000, INFER_COLUMNS = 1000 };
void ingest_infer_init(IngestInfer *infer, Arena *arena);
bool ingest_infer_json(IngestInfer *infer, IngestWorker *worker, Str record);
void ingest_infer_csv(IngestInfer *infer, const CsvHeader *header, char delimiter, Str row,
                      Buffer *buffer);
// Kinds of value a field may be seen with, as bits: of a JSON value, of a CSV cell; and the
// narrowest type that holds all kinds seen.
uint64_t ingest_infer_kind(const JsonMember *member);
uint64_t ingest_infer_cell(Str cell);
Type ingest_infer_type(uint64_t seen, bool csv);
// A text column that the records themselves do not have.
void ingest_infer_name(IngestInfer *infer, Str name);
Schema ingest_infer_schema(const IngestInfer *infer);

// Answers (ingest_route.c): which table an object of a recorded answer belongs to.
typedef struct AnswerRoute {
    Str table;          // empty: none
    Str key, key_value; // a column the URL gives: groups/ID/members has groupId
} AnswerRoute;
// `url` as recorded; `id` and `type` of the object (empty when absent); `is_page`:
// the object is one of a collection's.
AnswerRoute answer_route(Arena *arena, Str url, Str id, Str type, bool is_page);

// Files (ingest_file.c).
typedef struct IngestFile {
    const char *path;
    Str name; // as reports call it
    uint64_t size;
    uint64_t begin, end; // bytes of the decompressed content that are read; end 0: to its end
    IngestFormat format;
    IngestCounts counts;
    bool quiet;         // rejects are not told: it is read to learn, and again to write
    bool unreadable;    // nothing of it could be read
    char problem[1000]; // why nothing, or not all, was read; else empty
} IngestFile;
// Table name and format by a file's name; false with *why when it is no table.
bool ingest_file_name(Arena *arena, Str name, Str *table, IngestFormat *format, const char **why);
// Infers from the first records of the files.
bool ingest_files_infer(IngestRun *run, IngestFile **files, size_t count, Schema *schema);
// Files that come in once (ingest_once.c).
typedef struct IngestOnce {
    IngestFile *file;
    Str fingerprint;
    uint64_t size; // as it was when the fingerprint was taken
    struct timespec changed;
} IngestOnce;
// Takes those out of `files` that the table has, and tells them as skipped; `list` gets the others.
bool ingest_once_choose(IngestRun *run, Str table, IngestFile **files, size_t *count,
                        IngestOnce *list, AzError *error);
// They are read: the commit keeps their fingerprints.
bool ingest_once_keep(IngestRun *run, Str table, const IngestOnce *list, size_t count,
                      AzError *error);

// The files an import names, with format and size; in run->arena.
IngestFile **ingest_files_named(IngestRun *run, const char *const *paths, size_t count);
// Reads files into one table: with all workers, or by the one worker alone.
bool ingest_files_parallel(IngestRun *run, const IngestTable *table, IngestFile **files,
                           size_t count);
bool ingest_files_alone(IngestWorker *worker, const IngestTable *table, IngestFile **files,
                        size_t count);
// Reads a file's records for somebody else than the sink of one table. JSON objects come with
// their secrets masked, `original` being the text in the file. False with *why when the record
// cannot be read, with *why NULL when the import has failed.
typedef struct IngestTaker {
    void *context;
    bool (*json)(void *context, IngestWorker *worker, IngestFile *file, Str record, Str original,
                 const char **why);
    bool (*csv)(void *context, IngestWorker *worker, IngestFile *file, const CsvHeader *header,
                char delimiter, Str row, const char **why);
    // After each chunk; true: no more of the file is wanted.
    bool (*enough)(void *context, IngestWorker *worker, IngestFile *file);
} IngestTaker;
// With all workers (`alone` NULL), or by the one; `again`: the file has been read before, so
// that what cannot be read is not told a second time.
bool ingest_file_take(IngestRun *run, IngestWorker *alone, IngestFile *file,
                      const IngestTaker *taker, bool again);
// Counts the record and writes it to the reject file; `hide` keeps its text out.
// False when the reject file cannot be written (run->failed).
bool ingest_reject(IngestRun *run, IngestFile *file, const IngestChunk *chunk, Str record,
                   const char *reason, bool hide);

// Reads a file's records in the calling thread, one call each, until it returns false.
// Arrays and pages come as their rows. False when the file cannot be opened.
typedef bool (*IngestVisit)(void *context, const IngestChunk *chunk, const IngestRecord *record);
bool ingest_file_visit(IngestWorker *worker, IngestFile *file, IngestVisit visit, void *context);
