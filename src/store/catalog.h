// Catalog: the SQLite file that says which tables, snapshots and segments there
// are. It is the only file of a store that changes; whoever reads it sees one
// committed state. Not thread-safe: the Store locks around it. Internal to src/store.
#pragma once

#include "store/store.h"

typedef struct Catalog Catalog;

// 2: its pages have checksums (catalog_pages.h). Those of version 1 stay without.
enum { CATALOG_VERSION = 2, CATALOG_SUMS = 2 };

typedef enum CatalogMode {
    CATALOG_READ,  // must be there
    CATALOG_WRITE, // made when absent
} CatalogMode;

Catalog *catalog_open(const char *dir, CatalogMode mode, AzError *error);
void catalog_close(Catalog *catalog);

typedef struct CatalogTable {
    int64_t id; // 0: not in the catalog yet
    Str name;
    TableKind kind;
    Schema schema;
} CatalogTable;

typedef struct CatalogSegment {
    int64_t id;
    int64_t table;    // its id
    int64_t snapshot; // 0: of a log table
    Str file;         // name in segments/
    uint64_t rows, bytes, checksum;
    const uint32_t *group_rows;
    uint32_t group_count;
    bool has_time; // bounds of the table's time column, for skipping without opening
    int64_t time_min, time_max;
} CatalogSegment;

// One state of the catalog, in an arena.
typedef struct CatalogState {
    int64_t snapshot; // the one asked for, or the newest; 0 when there is none
    CatalogTable *tables;
    size_t table_count;
    CatalogSegment *segments; // by table, then id
    size_t segment_count;
    int64_t generation; // how often segments have left the catalog; see readers.h
} CatalogState;

enum { CATALOG_ALL_SNAPSHOTS = -1 };

// Tables and the segments that snapshot `snapshot` sees (0: the newest). An
// unknown snapshot is an AZ_NOT_FOUND.
bool catalog_load(Catalog *catalog, Arena *arena, int64_t snapshot, CatalogState *out,
                  AzError *error);
// Functions in KQL; see store.h. Their table is made with the first one, so that stores
// without functions stay as older programs know them.
bool catalog_functions(Catalog *catalog, Arena *arena, SavedFunction **out, size_t *count,
                       AzError *error);
bool catalog_function_save(Catalog *catalog, const SavedFunction *function, AzError *error);
bool catalog_function_delete(Catalog *catalog, Str name, bool *found, AzError *error);
bool catalog_snapshots(Catalog *catalog, Arena *arena, SnapshotInfo **out, size_t *count,
                       AzError *error);
// Whether the catalog's own pages are sound: AZ_CORRUPT with the first complaint.
bool catalog_check(Catalog *catalog, AzError *error);

// Maintenance (catalog_upkeep.c).
// A file that left the catalog with `generation` and waits for its last reader.
typedef struct RetiredFile {
    Str file;
    uint64_t bytes;
    int64_t generation;
    bool gone; // removed from the disk; for catalog_forget_retired
} RetiredFile;
bool catalog_retired(Catalog *catalog, Arena *arena, RetiredFile **out, size_t *count,
                     AzError *error);
// Forgets those that are gone.
bool catalog_forget_retired(Catalog *catalog, const RetiredFile *files, size_t count,
                            AzError *error);
// Snapshots with smaller numbers leave, and their segments are retired. One transaction.
bool catalog_drop_snapshots(Catalog *catalog, int64_t before, AzError *error);
// Days a log table keeps its rows; 0 = all.
bool catalog_retention(Catalog *catalog, int64_t table, int64_t *days, AzError *error);
bool catalog_retention_set(Catalog *catalog, int64_t table, int64_t days, AzError *error);
// The segment up to which the merging of a log table's segments of one size (`level`) is settled:
// it brought too little. 0: none. catalog_settle: up to the newest of the table.
bool catalog_settled(Catalog *catalog, int64_t table, int level, int64_t *segment, AzError *error);
bool catalog_settle(Catalog *catalog, int64_t table, int level, AzError *error);
// When (ticks) a file of this fingerprint came into the table; 0 = never.
bool catalog_imports_of(Catalog *catalog, Arena *arena, Str file, Str **out, size_t *count,
                        AzError *error);
bool catalog_import_known(Catalog *catalog, Str table, Str fingerprint, int64_t *imported,
                          AzError *error);

// A file that is never to be imported into the table again.
typedef struct CatalogImport {
    size_t table; // index of the change's tables
    Str fingerprint, file;
    int64_t imported; // ticks
} CatalogImport;

// What one commit changes.
typedef struct CatalogChange {
    SnapshotInfo *snapshot; // NULL: none. Its id is filled in
    // Rows that are added to the newest snapshot when there is no new one.
    const SnapshotInfo *added;
    CatalogTable *tables; // id 0: new; else columns beyond the stored ones are added
    size_t table_count;
    // `table` is an index into `tables`, `snapshot` is 0 for logs and anything else
    // for inventory; ids are filled in.
    CatalogSegment *segments;
    size_t segment_count;
    // With `rewrite` the segments hold rows of `removed`, which leave: `snapshot` is then the
    // number itself, and no snapshot changes.
    bool rewrite;
    const CatalogSegment *removed;
    size_t removed_count;
    const CatalogImport *imports;
    size_t import_count;
} CatalogChange;

// One transaction. On failure nothing has changed; *unsure says that the commit
// itself failed, so that after a crash the change might still be found: then the
// files it names must stay.
bool catalog_commit(Catalog *catalog, CatalogChange *change, bool *unsure, AzError *error);
