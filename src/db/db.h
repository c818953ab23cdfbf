// The façade: text in, batches out. The floors above know the engine only through
// this header: they never see a parser, a plan or a segment.
#pragma once

#include "base/diagnostics.h"
#include "base/threads.h"
#include "db/content.h"
#include "db/places.h"
#include "exec/exec.h"
#include "kql/catalog.h"
#include "kql/plugin_def.h"
#include "kql/table_function_def.h"

typedef struct Database Database;

typedef struct DatabaseOptions {
    const char *store;   // directory; NULL = an empty database
    const char *content; // folder; NULL = the default place
    int64_t snapshot;    // 0 = the newest
    size_t threads;      // 0 = threads_default()
    size_t kept; // bytes kept of what was read, for the next reader (store_keep); 0 = 64 MiB
    size_t memory_limit; // bytes a query may hold; 0 = three quarters of the machine's memory
    // Bytes of a summarize's groups after which rows of further ones go to disk; 0 = half of `memory_limit`, or 32 MiB
    // without one. Where no file can be written they stay in memory up to that half.
    size_t group_memory;
    // Folder for rows that are sorted, joined or grouped and are more than that; NULL = $TMPDIR, else
    // /var/tmp. The files have no name, and are gone with the query.
    const char *spill_dir;
    // Folders with functions the user brings: .kql files and the YAML of Sentinel's parsers.
    const char *const *function_folders;
    size_t function_folder_count;
    const PlaceMap *maps; // where other workspaces and addresses lead
    size_t map_count;
    const char *const *external_roots; // folders whose files externaldata may read
    size_t external_root_count;
    const char *geoip; // file that geo_info_from_ip_address() asks; NULL = $AZIMUTH_GEOIP
    // A store that is open, in place of `store`: databases of several threads read it together and
    // share what it keeps decoded. It stays the caller's, and must outlive them.
    Store *opened;
} DatabaseOptions;

Database *db_open(const DatabaseOptions *options, AzError *error);
void db_close(Database *db);

Content *db_content(Database *db);
ThreadPool *db_threads(Database *db);
int64_t db_snapshot(const Database *db); // 0 when there is none
Store *db_store(Database *db);           // NULL for an empty database

// Tables that live in memory and hide stored ones of the same name: results of the
// engines above, fixtures of control tests. Batches must outlive the database or
// the next db_put_table of that name; count 0 makes an empty table.
bool db_put_table(Database *db, Str name, const Schema *schema, Batch *const *batches,
                  uint32_t count, AzError *error);
// As above from JSON: `rows` is the text of a JSON array of objects; columns and
// types by the declared schema, else inferred. Copies.
bool db_put_json(Database *db, Str name, Str rows, AzError *error);
void db_drop_tables(Database *db); // forgets all tables that were put

// Adds functions of a room above to the language.
void db_add_functions(Database *db, FunctionSet set);

// Tables that a room above computes when a query names them. `open` gives the rows for the
// arguments, one a parameter; the source and what it points to live in `arena`, as long as
// the query. It may run queries of its own; it is called while a query is bound, never from
// two threads at once. `changed` is called when tables are put or dropped, so that nothing is
// kept of those before; no query runs then. `context` is the room's, given back to `free` when
// the database closes.
typedef struct TableFunctionSet {
    const TableFunctionDef *functions;
    uint32_t count;
    TableSource *(*open)(void *context, Database *db, Arena *arena, const TableFunctionDef *fn,
                         const Value *args, AzError *error);
    void (*changed)(void *context); // may be NULL
    void (*free)(void *context);    // may be NULL
} TableFunctionSet;
void db_add_table_functions(Database *db, TableFunctionSet set, void *context);
void db_each_table_function(Database *db, void (*each)(void *arg, const TableFunctionDef *fn),
                            void *arg);

// The value of a query parameter, as text; see `declare query_parameters`.
typedef struct QueryParameter {
    Str name, text;
} QueryParameter;

// Whether the tables that a query names hold any row, and the names of those that hold none: a
// query that reads nothing finds nothing, which is not the same as nothing to find.
typedef struct TablesRead {
    Arena *arena; // of the names
    bool holds_rows;
    struct {
        Str *items;
        size_t len, cap;
    } empty;
} TablesRead;

typedef struct QueryOptions {
    const _Atomic bool *cancel;
    uint64_t timeout_ns;      // 0 = none
    uint32_t rules_off;       // OptimiseRule bits to leave out (tests)
    bool analyze;             // count what operators do, for QueryResult.explain
    Diagnostics *diagnostics; // gets all errors of parser and binder, and the warnings; NULL: none
    int64_t now;              // 0 = the clock
    const QueryParameter *parameters;
    size_t parameter_count;
    // Of log tables, only rows whose TimeGenerated is after `window_from` and not after
    // `window_to` are seen (ticks); both 0: all.
    int64_t window_from, window_to;
    WindowBy window_by;
    // A custom table (_CL) that is not there is an empty one with the columns that the query
    // names, as it is in a workspace that has got no such record yet.
    bool assume_custom_tables;
    TablesRead *tables_read; // what is learnt of the tables is added; NULL: not asked
} QueryOptions;

// A plan as it is shown: its operators, each before its inputs.
typedef struct ExplainRow {
    const char *name;
    Str details;
    uint32_t depth;
    ProfileCounters counters; // zeros unless the query ran
} ExplainRow;

typedef struct Explain {
    ExplainRow *rows; // of all tabular statements; each begins at depth 0
    uint32_t count;
    bool analyzed;          // it ran: counters, run_ms, memory_peak and `answer` say something
    ProfileCounters answer; // collecting the rows of the answer
    double parse_ms, plan_ms, run_ms;
    size_t memory_peak; // bytes that the query's structures held at most
    size_t threads;
} Explain;

typedef struct QueryResult {
    ResultTable **tables; // of the tabular statements, in order; fork and facet have several
    Str *names;           // of each table, empty when it has none
    uint32_t count;
    uint32_t primary; // the first table of the last statement
    Str render;       // chart asked for by `render`, empty if none
    double parse_ms, bind_ms, run_ms;
    bool unread;      // a prepared query that has no rows, known without running it
    Explain *explain; // when asked for
} QueryResult;

// Runs `text`. NULL with an error whose span is in `text`. The result lives in `arena`.
QueryResult *db_query(Database *db, Arena *arena, Str text, const QueryOptions *options,
                      AzError *error);

// A query to be run again and again, at other times: `now` and the window may differ from run to
// run, the other options stay. It is parsed once, and a run for which the tables hold no rows is
// answered without being bound. Of one thread at a time; `text` must outlive it, and the database
// too. NULL with an error when there is no memory.
typedef struct PreparedQuery PreparedQuery;
PreparedQuery *db_prepare(Database *db, Str text, AzError *error);
QueryResult *db_run_prepared(PreparedQuery *prepared, Arena *arena, const QueryOptions *options,
                             AzError *error);
void db_prepared_free(PreparedQuery *prepared); // may be NULL

// Parses, binds and optimises without running. `diagnostics` (may be NULL) gets all errors,
// of which `error` is the first, and warnings.
bool db_check(Database *db, Str text, Diagnostics *diagnostics, AzError *error);
// The same, and gives the plan, in `arena`; `options` may be NULL. NULL with an error.
Explain *db_explain(Database *db, Arena *arena, Str text, const QueryOptions *options,
                    AzError *error);

// A query as it may be shown: the insides of obfuscated strings (h"...") as stars.
Str db_hide_secrets(Arena *arena, Str text);

// Names for completion.
void db_each_table(Database *db, void (*each)(void *arg, Str name), void *arg);
void db_each_function(Database *db, void (*each)(void *arg, const FunctionDef *fn), void *arg);
// Functions written in KQL: of the store, of the user's folders and of the content.
typedef struct KqlFunctionInfo {
    Str name, parameters, docstring;
} KqlFunctionInfo;
void db_each_kql_function(Database *db, void (*each)(void *arg, const KqlFunctionInfo *info),
                          void *arg);
// Whether `text` can be kept as the function `name`: it parses and bears that name.
bool db_check_function(Arena *arena, Str name, Str text, AzError *error);
// What Azure Resource Graph would refuse of the query, a line each; empty when nothing.
bool db_resource_graph_limits(Arena *arena, Str text, Str *out, AzError *error);
// Every plugin of `evaluate`, those that only say what they would need too.
void db_each_plugin(void (*each)(void *arg, const PluginDef *plugin), void *arg);
// The schema of a table for completion; false when there is none.
bool db_table_schema(Database *db, Arena *arena, Str name, Schema *out);
// A table that a query reads. `declared_in`: the schema file of the content that declares it
// ("log-analytics", "resource-graph"); empty when none does (custom and computed tables).
typedef struct UsedTable {
    Str name, declared_in;
} UsedTable;
// A function in KQL that a query calls, directly or through others.
typedef struct UsedFunction {
    Str name, folder, docstring;
    Str parameters; // "(a:long, T:(*))"
    Str body;
} UsedFunction;
typedef struct QueryUses {
    struct {
        UsedTable *items;
        size_t len, cap;
    } tables;
    struct {
        UsedFunction *items;
        size_t len, cap;
    } functions;
} QueryUses;
// What the query reads, each once, in the order in which it is met; nothing is run. Texts lie in
// `arena`. False with an error when the query does not bind.
bool db_query_uses(Database *db, Arena *arena, Str text, QueryUses *out, AzError *error);
// The columns that the last table of a query would have; false when it does not bind.
bool db_query_schema(Database *db, Arena *arena, Str text, Schema *out);
