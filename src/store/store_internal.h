// What the parts of the store share: store.c, store_view.c, store_writer.c,
// table_writer.c, store_check.c.
#pragma once

#include "base/array.h"
#include "store/block_cache.h"
#include "store/catalog.h"
#include "store/open_segments.h"
#include "store/os.h"

#include <pthread.h>

enum {
    SEGMENT_ROWS = 131072,       // a table writer flushes when it has so many rows
    SEGMENT_PAYLOAD = 128 << 20, // or so many bytes
};

// What clearing up removed.
typedef struct RemovedFiles {
    uint64_t files, bytes; // removed
    uint64_t waiting;      // still read by somebody
} RemovedFiles;

struct Store {
    char *dir;
    StoreMode mode;
    int lock; // descriptor of LOCK; -1 when reading
    Catalog *catalog;
    BlockCache *cache;
    OpenSegments open;
    pthread_mutex_t mutex; // of the catalog and what follows
    StoreWriter *writer;
    RemovedFiles cleared; // when it was opened: what dead writers and readers left
};

// DIR/part/name in the arena.
char *store_path(const Store *store, Arena *arena, const char *part, Str name);

// The segment the catalog names, opened when it was not; it must be the file the
// catalog means (size, checksum, rows). It stays until it is given back. Thread-safe.
OpenSegment *store_segment_pin(Store *store, const CatalogSegment *entry, AzError *error);
void store_segment_unpin(Store *store, OpenSegment *open);
// The same without keeping it; the caller closes it.
Segment *store_segment_open(const Store *store, const CatalogSegment *entry, AzError *error);

// A view of all snapshots' segments, and what it holds; for maintenance.
StoreView *store_view_all(Store *store, AzError *error);
const CatalogState *store_view_state(const StoreView *view);
// A source over some segments of a table, which live as long as the view.
TableSource *store_view_part(StoreView *view, const CatalogTable *table,
                             const CatalogSegment *segments, uint32_t count, AzError *error);

// Removes the files that left the catalog and have no reader any more; counts them.
bool store_remove_retired(Store *store, Arena *arena, RemovedFiles *removed, AzError *error);

// A writer that rewrites: its commit replaces `removed` (until then the caller's), and rows go
// to the snapshot set last (0: a log table). Flush the table's writer before setting another.
void store_writer_rewrite(StoreWriter *writer, const CatalogSegment *removed, size_t count);
void store_writer_snapshot(StoreWriter *writer, int64_t snapshot);
// Segments that it has finished, and their bytes.
size_t store_writer_finished(StoreWriter *writer, uint64_t *bytes);

// The column that holds a row's time: TimeGenerated, Timestamp ...; -1 when none.
ptrdiff_t time_column_find(const Schema *schema);

// A finished segment that waits for the commit; strings in the writer's arena.
typedef struct PendingSegment {
    size_t table; // index of the writer's tables
    char *tmp_path, *final_path;
    CatalogSegment entry;
} PendingSegment;

// Names for the next segment file of a table. Thread-safe.
void store_writer_name(StoreWriter *writer, size_t table, char **tmp_path, char **final_path,
                       Str *file);
// Hands a finished segment over, or remembers the failure so that the commit
// cannot succeed. Thread-safe.
void store_writer_add(StoreWriter *writer, const PendingSegment *segment);
void store_writer_fail(StoreWriter *writer, const AzError *error);

TableWriter *table_writer_new(StoreWriter *writer, size_t table, TableKind kind,
                              const Schema *schema);
void table_writer_free(TableWriter *table);
bool table_writer_flush(TableWriter *table, AzError *error);
uint64_t table_writer_rows(const TableWriter *table);
// Bytes it holds; and writes its rows and gives them back.
size_t table_writer_memory(const TableWriter *table);
bool table_writer_release(TableWriter *table, AzError *error);

// The order in which a segment keeps rows: `order` gets a permutation of 0..rows-1.
void cluster_order(Arena *arena, const Schema *schema, TableKind kind, const Vector *const *columns,
                   uint32_t rows, uint32_t *order);
