// What the façade's files share: db.c, query_catalog.c.
#pragma once

#include "base/array.h"
#include "base/map.h"
#include "db/db.h"
#include "db/external.h"
#include "function/geoip.h"
#include "kql/binder.h"
#include "value/scalar.h"

typedef struct MemoryTable {
    Str name;
    TableSource *source;
    bool ignore_case;
} MemoryTable;

// Computed tables that one room added.
typedef struct TableFunctions {
    TableFunctionSet set;
    void *context;
} TableFunctions;

struct Database {
    Arena arena;
    Store *store;
    bool borrowed; // the store is its opener's
    StoreView *view;
    Content *content;
    Registry *registry;
    ThreadPool *threads;
    Places *places;
    const char **external_roots;
    size_t external_root_count;
    GeoIp *geoip; // where addresses are; NULL = not known
    Budget budget;
    const char *spill_dir; // NULL: the usual place
    size_t group_memory;   // 0: half the budget
    int64_t snapshot;
    Arena tables_arena; // of tables put into memory
    Map tables;         // name (any case) -> MemoryTable
    Arena empty_arena;  // sources of declared tables without rows
    Map empty;          // name (any case) -> MemoryTable
    uint32_t puts;      // times that tables in memory were put or dropped
    struct {
        TableFunctions *items;
        size_t len, cap;
    } table_functions;
    bool saved_read; // functions kept in the store
    Map saved;       // name -> SavedEntry
};

// The binder's view of the world during one query.
typedef struct QueryCatalog {
    Catalog catalog;
    Database *db;
    const QueryOptions *options; // may be NULL
    int64_t now;
    Arena arena;  // external rows
    size_t held;  // bytes of them, taken from the budget
    Map external; // request as text -> TableSource
    Map custom;   // name -> MemoryTable: custom tables taken as they are named, under check
    bool *used;   // options->parameters that the query declares
    // Stored tables that the query names, each time it does: given back with it.
    struct {
        struct OpenedTable {
            StoreView *view;
            TableSource *source;
        } * items;
        size_t len, cap;
    } opened;
    // How rows are looked at while the query is bound; NULL: it is only checked.
    const ExecOptions *exec;
    bool looked;  // at rows or files while the query was bound: its plan may be another next time
    Arena *plans; // of the query
    uint32_t shared_ids; // see Catalog
} QueryCatalog;

// Zeroes and fills; `check`: nothing outside the store is read. Not to be moved.
void query_catalog_init(QueryCatalog *query, Database *db, const QueryOptions *options, bool check);
void query_catalog_free(QueryCatalog *query);
