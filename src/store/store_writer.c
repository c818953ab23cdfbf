// Store writer: one import. Its table writers leave finished, synced segments in
// tmp/; the commit moves them to segments/, syncs that directory and names them
// all in one catalog transaction. What is not committed is removed.
//
// When the COMMIT itself fails, SQLite has undone it for everybody who looks now,
// but its log may already hold it: a crash could bring it back. Then the segments
// stay where they are; the next writer removes them when the catalog, read anew,
// does not name them.

#include "store/store_internal.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_NAME_MAX = 512, FILE_STEM_MAX = 48 };

typedef struct TableArray {
    CatalogTable *items;
    size_t len, cap;
} TableArray;

typedef struct TableWriterArray {
    TableWriter **items;
    size_t len, cap;
} TableWriterArray;

typedef struct PendingArray {
    PendingSegment *items;
    size_t len, cap;
} PendingArray;

struct StoreWriter {
    Store *store;
    Arena arena;
    pthread_mutex_t mutex; // of the arena and all below
    SnapshotInfo info;
    bool new_snapshot;
    uint64_t started_ns, files;
    int64_t token;     // makes file names unique: the time the writer began
    TableArray tables; // those of the catalog, changed and new ones
    bool *touched;     // tables that this import writes, by index
    size_t touched_cap;
    TableWriterArray writers;
    PendingArray pending;
    bool rewrite; // see store_writer_rewrite
    int64_t snapshot;
    const CatalogSegment *removed;
    size_t removed_count;
    struct {
        CatalogImport *items;
        size_t len, cap;
    } imports;       // `table` is an index of `tables`
    AzError failure; // the first one of any thread
};

StoreWriter *
store_writer_new(Store *store, const StoreImportInfo *info, AzError *error)
{
    if (store->mode != STORE_WRITE) {
        error_set(error, AZ_INVALID, "the store '%s' was opened for reading only", store->dir);
        return NULL;
    }
    if (store->writer) {
        error_set(error, AZ_INVALID, "the store '%s' is being written already", store->dir);
        return NULL;
    }
    StoreWriter *writer = calloc(1, sizeof(*writer));
    if (!writer) {
        error_set(error, AZ_LIMIT, "not enough memory to write to '%s'", store->dir);
        return NULL;
    }
    pthread_mutex_init(&writer->mutex, NULL);
    writer->store = store;
    writer->started_ns = clock_monotonic_ns();
    writer->token = clock_now_ticks();
    writer->new_snapshot = info->new_snapshot;
    writer->info = (SnapshotInfo){
        .created = writer->token,
        .source = str_copy(&writer->arena, info->source),
        .tenant_id = str_copy(&writer->arena, info->tenant_id),
        .tool_version = str_copy(&writer->arena, info->tool_version),
    };
    CatalogState state;
    pthread_mutex_lock(&store->mutex);
    bool ok = catalog_load(store->catalog, &writer->arena, 0, &state, error);
    pthread_mutex_unlock(&store->mutex);
    store->writer = writer;
    if (!ok) {
        store_abort(writer);
        return NULL;
    }
    writer->tables = (TableArray){state.tables, state.table_count, state.table_count};
    return writer;
}

static CatalogTable *
table_find(StoreWriter *writer, Str name)
{
    for (size_t i = 0; i < writer->tables.len; i++)
        if (str_equal_ci(writer->tables.items[i].name, name))
            return &writer->tables.items[i];
    return NULL;
}

static bool
schema_valid(Str table, const Schema *schema, AzError *error)
{
    if (!table.len || table.len > TABLE_NAME_MAX || memchr(table.ptr, 0, table.len))
        return error_set(error, AZ_INVALID, "a table needs a name of 1 to %d bytes",
                         TABLE_NAME_MAX);
    if (!schema->count || schema->count > SEGMENT_COLUMNS_MAX)
        return error_set(error, AZ_INVALID, "table '%.*s' has %u columns; it may have 1 to %d",
                         STR_ARG(table), schema->count, SEGMENT_COLUMNS_MAX);
    for (uint32_t c = 0; c < schema->count; c++) {
        Str name = schema->columns[c].name;
        if (schema_find(schema, name) != (ptrdiff_t)c)
            return error_set(error, AZ_INVALID, "table '%.*s' has two columns named '%.*s'",
                             STR_ARG(table), STR_ARG(str_slice(name, 0, 200)));
    }
    return true;
}

// `table`'s columns and those of `schema` that it lacks.
static bool
schema_merge(Arena *arena, CatalogTable *table, const Schema *schema, AzError *error)
{
    Schema merged = {.columns = ARENA_ARRAY(arena, Column, table->schema.count + schema->count),
                     .count = table->schema.count};
    if (merged.count)
        memcpy(merged.columns, table->schema.columns, merged.count * sizeof(Column));
    for (uint32_t c = 0; c < schema->count; c++) {
        Column column = schema->columns[c];
        ptrdiff_t at = schema_find(&table->schema, column.name);
        if (at < 0) {
            column.name = str_copy(arena, column.name);
            merged.columns[merged.count++] = column;
        } else if (table->schema.columns[at].type != column.type) {
            return error_set(
                error, AZ_INVALID,
                "column '%.*s' of table '%.*s' is %s in the store and cannot become %s",
                STR_ARG(str_slice(column.name, 0, 200)), STR_ARG(table->name),
                type_name(table->schema.columns[at].type), type_name(column.type));
        }
    }
    if (merged.count > SEGMENT_COLUMNS_MAX)
        return error_set(error, AZ_INVALID, "table '%.*s' would have %u columns; it may have %d",
                         STR_ARG(table->name), merged.count, SEGMENT_COLUMNS_MAX);
    table->schema = merged;
    return true;
}

// Finds or adds the table with the schema's columns and marks it as written.
static bool
table_touch(StoreWriter *writer, Str name, TableKind kind, const Schema *schema, size_t *index,
            AzError *error)
{
    CatalogTable *table = table_find(writer, name);
    if (table && table->kind != kind)
        return error_set(error, AZ_INVALID, "table '%.*s' is %s table in the store",
                         STR_ARG(table->name), table->kind == TABLE_LOG ? "a log" : "an inventory");
    CatalogTable fresh = {.name = name, .kind = kind};
    CatalogTable changed = table ? *table : fresh;
    if (!schema_merge(&writer->arena, &changed, schema, error))
        return false;
    if (table) {
        *table = changed;
        *index = (size_t)(table - writer->tables.items);
    } else {
        changed.name = str_copy(&writer->arena, name);
        *index = writer->tables.len;
        ARRAY_PUSH(&writer->arena, &writer->tables, changed);
    }
    if (*index >= writer->touched_cap) {
        size_t cap = (*index + 1) * 2;
        bool *touched = ARENA_ARRAY(&writer->arena, bool, cap);
        if (writer->touched)
            memcpy(touched, writer->touched, writer->touched_cap * sizeof(bool));
        writer->touched = touched;
        writer->touched_cap = cap;
    }
    writer->touched[*index] = true;
    return true;
}

TableWriter *
store_writer_table(StoreWriter *writer, Str name, TableKind kind, const Schema *schema,
                   AzError *error)
{
    if (!schema_valid(name, schema, error))
        return NULL;
    TableWriter *table = NULL;
    size_t index = 0;
    pthread_mutex_lock(&writer->mutex);
    if (table_touch(writer, name, kind, schema, &index, error)) {
        table = table_writer_new(writer, index, kind, schema);
        if (table)
            ARRAY_PUSH(&writer->arena, &writer->writers, table);
        else
            error_set(error, AZ_LIMIT, "not enough memory to write '%.*s'", STR_ARG(name));
    }
    pthread_mutex_unlock(&writer->mutex);
    return table;
}

bool
store_writer_schema(StoreWriter *writer, Str name, Arena *arena, Schema *out, TableKind *kind,
                    AzError *error)
{
    (void)error;
    *out = (Schema){0};
    pthread_mutex_lock(&writer->mutex);
    const CatalogTable *table = table_find(writer, name);
    if (table) {
        *out = schema_copy(arena, &table->schema);
        *kind = table->kind;
    }
    pthread_mutex_unlock(&writer->mutex);
    return true;
}

// The letters and digits of a table's name, so that people know their files.
static Str
file_stem(Arena *arena, Str name)
{
    char *stem = arena_alloc(arena, FILE_STEM_MAX);
    size_t len = 0;
    for (size_t i = 0; i < name.len && len < FILE_STEM_MAX; i++) {
        char c = name.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        stem[len++] = plain ? c : '_';
    }
    return (Str){stem, len};
}

void
store_writer_name(StoreWriter *writer, size_t table, char **tmp_path, char **final_path, Str *file)
{
    pthread_mutex_lock(&writer->mutex);
    Str stem = file_stem(&writer->arena, writer->tables.items[table].name);
    *file = str_format(&writer->arena, "%.*s-%llx-%llu.azs", STR_ARG(stem),
                       (unsigned long long)writer->token, (unsigned long long)writer->files++);
    *tmp_path = store_path(writer->store, &writer->arena, "tmp", *file);
    *final_path = store_path(writer->store, &writer->arena, "segments", *file);
    pthread_mutex_unlock(&writer->mutex);
}

void
store_writer_add(StoreWriter *writer, const PendingSegment *segment)
{
    pthread_mutex_lock(&writer->mutex);
    PendingSegment kept = *segment;
    kept.entry.group_rows = arena_copy(&writer->arena, segment->entry.group_rows,
                                       segment->entry.group_count * sizeof(uint32_t));
    if (writer->rewrite)
        kept.entry.snapshot = writer->snapshot;
    ARRAY_PUSH(&writer->arena, &writer->pending, kept);
    pthread_mutex_unlock(&writer->mutex);
}

void
store_writer_rewrite(StoreWriter *writer, const CatalogSegment *removed, size_t count)
{
    writer->rewrite = true;
    writer->removed = removed;
    writer->removed_count = count;
}

void
store_writer_snapshot(StoreWriter *writer, int64_t snapshot)
{
    writer->snapshot = snapshot;
}

size_t
store_writer_finished(StoreWriter *writer, uint64_t *bytes)
{
    *bytes = 0;
    for (size_t i = 0; i < writer->pending.len; i++)
        *bytes += writer->pending.items[i].entry.bytes;
    return writer->pending.len;
}

// A table that no row came into is not in the catalog: there is nothing to keep from it.
void
store_writer_once(StoreWriter *writer, Str name, Str fingerprint, Str file)
{
    pthread_mutex_lock(&writer->mutex);
    const CatalogTable *table = table_find(writer, name);
    size_t index = table ? (size_t)(table - writer->tables.items) : 0;
    if (table && index < writer->touched_cap && writer->touched[index]) {
        CatalogImport import = {.table = index,
                                .fingerprint = str_copy(&writer->arena, fingerprint),
                                .file = str_copy(&writer->arena, file),
                                .imported = writer->token};
        ARRAY_PUSH(&writer->arena, &writer->imports, import);
    }
    pthread_mutex_unlock(&writer->mutex);
}

bool
store_import_known(Store *store, Str table, Str fingerprint, int64_t *imported, AzError *error)
{
    pthread_mutex_lock(&store->mutex);
    bool ok = catalog_import_known(store->catalog, table, fingerprint, imported, error);
    pthread_mutex_unlock(&store->mutex);
    return ok;
}

bool
store_imports_of(Store *store, Arena *arena, Str file, Str **out, size_t *count, AzError *error)
{
    pthread_mutex_lock(&store->mutex);
    bool ok = catalog_imports_of(store->catalog, arena, file, out, count, error);
    pthread_mutex_unlock(&store->mutex);
    return ok;
}

void
store_writer_fail(StoreWriter *writer, const AzError *error)
{
    pthread_mutex_lock(&writer->mutex);
    if (!writer->failure.code)
        writer->failure = *error;
    pthread_mutex_unlock(&writer->mutex);
}

void
store_writer_stats(StoreWriter *writer, uint64_t input_bytes, uint64_t rejected, Str tenant_id)
{
    pthread_mutex_lock(&writer->mutex);
    writer->info.bytes = input_bytes;
    writer->info.rejected = rejected;
    if (tenant_id.len)
        writer->info.tenant_id = str_copy(&writer->arena, tenant_id);
    pthread_mutex_unlock(&writer->mutex);
}

static void
writer_free(StoreWriter *writer)
{
    for (size_t i = 0; i < writer->writers.len; i++)
        table_writer_free(writer->writers.items[i]);
    writer->store->writer = NULL;
    pthread_mutex_destroy(&writer->mutex);
    arena_free(&writer->arena);
    free(writer);
}

// Removes the files of this import, wherever each of them has got to.
static void
files_remove(const StoreWriter *writer, size_t renamed)
{
    for (size_t i = 0; i < writer->pending.len; i++)
        os_unlink(i < renamed ? writer->pending.items[i].final_path
                              : writer->pending.items[i].tmp_path);
}

static bool
writers_flush(StoreWriter *writer, AzError *error)
{
    for (size_t i = 0; i < writer->writers.len; i++)
        if (!table_writer_flush(writer->writers.items[i], error))
            return false;
    return true;
}

static bool
files_publish(StoreWriter *writer, size_t *renamed, AzError *error)
{
    for (*renamed = 0; *renamed < writer->pending.len; ++*renamed) {
        const PendingSegment *pending = &writer->pending.items[*renamed];
        if (!os_rename(pending->tmp_path, pending->final_path, error))
            return false;
    }
    if (!writer->pending.len)
        return true;
    const char *dir = store_path(writer->store, &writer->arena, "segments", STR(""));
    return os_sync_dir(dir, error);
}

// The change for the catalog: the touched tables, and segments that point into them.
static CatalogChange
change_make(StoreWriter *writer)
{
    Arena *arena = &writer->arena;
    CatalogChange change = {
        .snapshot = writer->new_snapshot ? &writer->info : NULL,
        .added = &writer->info,
        .tables = ARENA_ARRAY(arena, CatalogTable, writer->tables.len),
        .segments = ARENA_ARRAY(arena, CatalogSegment, writer->pending.len),
        .segment_count = writer->pending.len,
        .rewrite = writer->rewrite,
        .removed = writer->removed,
        .removed_count = writer->removed_count,
        .imports = writer->imports.items,
        .import_count = writer->imports.len,
    };
    size_t *place = ARENA_ARRAY(arena, size_t, writer->tables.len);
    for (size_t i = 0; i < writer->tables.len && i < writer->touched_cap; i++) {
        if (!writer->touched[i])
            continue;
        place[i] = change.table_count;
        change.tables[change.table_count++] = writer->tables.items[i];
    }
    for (size_t i = 0; i < writer->pending.len; i++) {
        change.segments[i] = writer->pending.items[i].entry;
        change.segments[i].table = (int64_t)place[writer->pending.items[i].table];
    }
    for (size_t i = 0; i < writer->imports.len; i++)
        writer->imports.items[i].table = place[writer->imports.items[i].table];
    return change;
}

static bool
writer_commit(StoreWriter *writer, bool *unsure, size_t *renamed, AzError *error)
{
    if (writer->failure.code)
        return error_set(error, writer->failure.code, "%s", writer->failure.message);
    if (!writers_flush(writer, error) || !files_publish(writer, renamed, error))
        return false;
    for (size_t i = 0; i < writer->writers.len; i++)
        writer->info.rows += table_writer_rows(writer->writers.items[i]);
    writer->info.duration_ms = (int64_t)((clock_monotonic_ns() - writer->started_ns) / 1000000);
    CatalogChange change = change_make(writer);
    pthread_mutex_lock(&writer->store->mutex);
    bool ok = catalog_commit(writer->store->catalog, &change, unsure, error);
    pthread_mutex_unlock(&writer->store->mutex);
    return ok;
}

bool
store_commit(StoreWriter *writer, int64_t *snapshot, AzError *error)
{
    size_t renamed = 0;
    bool unsure = false;
    bool ok = writer_commit(writer, &unsure, &renamed, error);
    if (!ok && !unsure)
        files_remove(writer, renamed);
    if (snapshot)
        *snapshot = ok && writer->new_snapshot ? writer->info.id : 0;
    writer_free(writer);
    return ok;
}

void
store_abort(StoreWriter *writer)
{
    if (!writer)
        return;
    files_remove(writer, 0);
    writer_free(writer);
}
