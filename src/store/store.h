// Store: the embedded columnar database in one directory.
//
//     DIR/catalog.sqlite     tables, snapshots, segments: the only mutable file
//     DIR/segments/*.azs     immutable column segments (store/segment.h)
//     DIR/tmp/               files being written; emptied when a writer opens
//     DIR/rejects/           records an import could not read
//     DIR/outbox/            alerts that wait to be sent (report/alert_syslog.h)
//     DIR/LOCK               held by the one writer
//     DIR/READERS            locks of those who read (store/readers.h)
//
// A crash at any instruction leaves the old state or the new one: segments are
// written under tmp/, synced, renamed, their directory synced, and only then
// named in one catalog transaction. Readers see one state of the catalog for as
// long as they hold a view.
//
// Tables come in two kinds. An inventory table (Resources, users ...) belongs to
// snapshots: each import of a tenant writes its rows under a new snapshot id and a
// view sees those of one snapshot. A log table (SigninLogs ...) only grows: every
// view sees all rows.
#pragma once

#include "column/table_source.h"

typedef struct Store Store;
typedef struct StoreView StoreView;
typedef struct StoreWriter StoreWriter;
typedef struct TableWriter TableWriter;

typedef enum StoreMode {
    STORE_READ,  // must exist; works on a read-only file system
    STORE_WRITE, // created when absent; fails when another process writes
} StoreMode;

typedef enum TableKind { TABLE_INVENTORY, TABLE_LOG } TableKind;

// NULL with an error that names the directory or file. A damaged catalog, a
// foreign or newer format, a missing permission each say so and what to do.
Store *store_open(const char *dir, StoreMode mode, AzError *error);
void store_close(Store *store);
const char *store_dir(const Store *store);
// Bytes of decoded blocks that are kept for the next reader, and a fourth as much of segments'
// footers; 64 MiB of each at first. More is for long runs that read the same rows again and again,
// less for a process that answers one query.
void store_keep(Store *store, size_t bytes);

typedef struct SnapshotInfo {
    int64_t id;      // 1, 2, ...
    int64_t created; // ticks
    Str source;      // what was imported: a folder, "live"
    Str tenant_id;   // when the data says it, else empty
    Str tool_version;
    int64_t duration_ms;
    uint64_t rows, bytes, rejected; // input bytes, records that could not be read
    Str content_hash;               // XXH3-128 over the checksums of the segments as imported, hex
} SnapshotInfo;

// All snapshots, oldest first, in the arena.
bool store_snapshots(Store *store, Arena *arena, SnapshotInfo **out, size_t *count, AzError *error);

// A consistent view for reading: snapshot `id`, or the newest when 0 (an empty
// store has none: inventory tables are then empty). Its sources stay valid until
// store_view_close. Any number of views at once, also while a writer works.
StoreView *store_view_open(Store *store, int64_t snapshot, AzError *error);
void store_view_close(StoreView *view);
int64_t store_view_snapshot(const StoreView *view); // 0 when there is none

typedef struct StoreTable {
    Str name; // canonical spelling
    TableKind kind;
    Schema schema;
    uint64_t rows, stored_bytes;
    uint32_t segments;
} StoreTable;

// The tables of the view, by name; valid as long as the view.
const StoreTable *store_view_tables(const StoreView *view, size_t *count);

// The source of one table (name without regard to case); NULL without an error
// when the view has no such table, NULL with one when its files are damaged:
// which file, which block. Columns that older segments lack read as null.
// Decoded blocks are kept in a cache shared by the store's views.
TableSource *store_view_source(StoreView *view, Str table, AzError *error);
// Gives it the columns of `declared` that it lacks (names without regard to case), read as null:
// rows may be older than the schema. Before anything is read; the names must outlive the view.
void store_view_widen(TableSource *source, const Schema *declared);
// Gives one back before the view is closed; nothing may read it any more.
void store_view_drop(StoreView *view, TableSource *source);

// Writing. One StoreWriter at a time; nothing is visible before store_commit.
typedef struct StoreImportInfo {
    Str source, tenant_id, tool_version;
    bool new_snapshot; // rows of inventory tables go under a new snapshot
} StoreImportInfo;
StoreWriter *store_writer_new(Store *store, const StoreImportInfo *info, AzError *error);

// The writer for one table. When the table exists its columns keep their types and
// `schema` may only add columns; a column with another type is an error (the
// ingest converts first: see store_writer_schema). Owned by the StoreWriter.
// Several TableWriters may append at the same time from different threads, one
// thread a TableWriter; two of the same table are allowed.
TableWriter *store_writer_table(StoreWriter *writer, Str name, TableKind kind, const Schema *schema,
                                AzError *error);

// The schema a table has in the store now, in the arena; count 0 when new.
bool store_writer_schema(StoreWriter *writer, Str name, Arena *arena, Schema *out, TableKind *kind,
                         AzError *error);

// Appends the live rows of `batch` (columns as in the TableWriter's schema);
// copies what it keeps. Writes a segment whenever enough rows are buffered:
// inventory rows are clustered by type and id, log rows by time.
bool table_writer_append(TableWriter *table, const Batch *batch, AzError *error);

// Reports for the snapshot's row, before the commit.
void store_writer_stats(StoreWriter *writer, uint64_t input_bytes, uint64_t rejected,
                        Str tenant_id);

// Makes everything visible at once (write, sync, rename, one SQLite transaction)
// and frees the writer, whatever happens. On failure nothing is visible.
// *snapshot gets the new id, or 0.
bool store_commit(StoreWriter *writer, int64_t *snapshot, AzError *error);
// Before the commit: the file with this fingerprint of its content is now in the table, which
// is kept with its rows. Whether one is there already, in any table when `table` is empty:
// *imported (ticks; 0 = no).
void store_writer_once(StoreWriter *writer, Str table, Str fingerprint, Str file);
bool store_import_known(Store *store, Str table, Str fingerprint, int64_t *imported,
                        AzError *error);
// Fingerprints of the files that were imported under this name, in the arena.
bool store_imports_of(Store *store, Arena *arena, Str file, Str **out, size_t *count,
                      AzError *error);
void store_abort(StoreWriter *writer);

// Functions in KQL that a user keeps in the store: its name and its text as it was given.
typedef struct SavedFunction {
    Str name, text;
    int64_t saved; // ticks
} SavedFunction;

// All of them by name, in the arena.
bool store_functions(Store *store, Arena *arena, SavedFunction **out, size_t *count,
                     AzError *error);
// Adds or replaces one; durable on return. The store must be open for writing.
bool store_function_save(Store *store, const SavedFunction *function, AzError *error);
// *found: whether there was one of that name.
bool store_function_delete(Store *store, Str name, bool *found, AzError *error);

// Reads every block of every segment and checks it; `report` gets one line for
// each problem. Returns the number of problems, -1 when the catalog cannot be read.
int64_t store_check(Store *store, void (*report)(void *context, const char *line), void *context,
                    AzError *error);
