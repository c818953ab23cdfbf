// What the parts of the store share: store.c, store_view.c, store_writer.c,
// table_writer.c, store_check.c.
#pragma once

#include "base/array.h"
#include "store/block_cache.h"
#include "store/catalog.h"
#include "store/os.h"

#include <pthread.h>

enum {
    SEGMENT_ROWS = 131072,       // a table writer flushes when it has so many rows
    SEGMENT_PAYLOAD = 192 << 20, // or so many bytes
    OPEN_SEGMENT_SLOTS = 1024
};

// A segment whose footer has been read; kept until the store is closed.
typedef struct OpenSegment {
    int64_t id;
    Segment *segment;
    struct OpenSegment *next;
} OpenSegment;

struct Store {
    char *dir;
    StoreMode mode;
    int lock; // descriptor of LOCK; -1 when reading
    Catalog *catalog;
    BlockCache *cache;
    pthread_mutex_t mutex; // of the catalog and what follows
    OpenSegment *open[OPEN_SEGMENT_SLOTS];
    StoreWriter *writer;
};

// DIR/part/name in the arena.
char *store_path(const Store *store, Arena *arena, const char *part, Str name);

// The segment the catalog names, opened when it was not; it must be the file the
// catalog means (size, checksum, rows). Thread-safe.
const Segment *store_segment(Store *store, const CatalogSegment *entry, AzError *error);
// The same without keeping it; the caller closes it.
Segment *store_segment_open(const Store *store, const CatalogSegment *entry, AzError *error);

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

// The order in which a segment keeps rows: `order` gets a permutation of 0..rows-1.
void cluster_order(Arena *arena, const Schema *schema, TableKind kind, const Vector *const *columns,
                   uint32_t rows, uint32_t *order);
