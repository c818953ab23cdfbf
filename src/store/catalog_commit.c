// A commit: snapshots, tables, columns and segments of one import in one SQLite
// transaction.
//
// The snapshot's content hash is XXH3-128 over the checksums of all its segments
// in ascending order, so that it does not depend on which thread wrote first.

#include "store/catalog_internal.h"

#include <stdio.h>
#include <xxhash.h>

// Runs a statement that yields no rows and makes it ready for the next run.
static bool
statement_run(Catalog *catalog, sqlite3_stmt *statement, AzError *error)
{
    bool ok = sqlite3_step(statement) == SQLITE_DONE || catalog_error(catalog, "write", error);
    sqlite3_reset(statement);
    return ok;
}

static bool
snapshot_insert(Catalog *catalog, SnapshotInfo *info, AzError *error)
{
    sqlite3_stmt *statement =
        catalog_prepare(catalog,
                        "INSERT INTO snapshots(created, source, tenant_id, tool_version,"
                        " duration_ms, rows, bytes, rejected, content_hash)"
                        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, '')",
                        "write", error);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, info->created);
    catalog_bind_text(statement, 2, info->source);
    catalog_bind_text(statement, 3, info->tenant_id);
    catalog_bind_text(statement, 4, info->tool_version);
    sqlite3_bind_int64(statement, 5, info->duration_ms);
    sqlite3_bind_int64(statement, 6, (int64_t)info->rows);
    sqlite3_bind_int64(statement, 7, (int64_t)info->bytes);
    sqlite3_bind_int64(statement, 8, (int64_t)info->rejected);
    bool ok = statement_run(catalog, statement, error);
    sqlite3_finalize(statement);
    info->id = sqlite3_last_insert_rowid(catalog->db);
    return ok;
}

static bool
snapshot_extend(Catalog *catalog, int64_t id, const SnapshotInfo *added, AzError *error)
{
    sqlite3_stmt *statement =
        catalog_prepare(catalog,
                        "UPDATE snapshots SET rows = rows + ?2, bytes = bytes + ?3,"
                        " rejected = rejected + ?4 WHERE id = ?1",
                        "write", error);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_int64(statement, 2, (int64_t)added->rows);
    sqlite3_bind_int64(statement, 3, (int64_t)added->bytes);
    sqlite3_bind_int64(statement, 4, (int64_t)added->rejected);
    bool ok = statement_run(catalog, statement, error);
    sqlite3_finalize(statement);
    return ok;
}

static bool
table_insert(Catalog *catalog, CatalogTable *table, AzError *error)
{
    if (table->id)
        return true;
    sqlite3_stmt *statement =
        catalog_prepare(catalog, "INSERT INTO tables(name, kind) VALUES(?1, ?2)", "write", error);
    if (!statement)
        return false;
    catalog_bind_text(statement, 1, table->name);
    sqlite3_bind_int(statement, 2, table->kind == TABLE_LOG);
    bool ok = statement_run(catalog, statement, error);
    sqlite3_finalize(statement);
    table->id = sqlite3_last_insert_rowid(catalog->db);
    return ok;
}

// Columns that are there keep their place and type.
static bool
columns_insert(Catalog *catalog, const CatalogTable *table, AzError *error)
{
    sqlite3_stmt *statement =
        catalog_prepare(catalog,
                        "INSERT OR IGNORE INTO columns(table_id, position, name, type)"
                        " VALUES(?1, ?2, ?3, ?4)",
                        "write", error);
    if (!statement)
        return false;
    bool ok = true;
    for (uint32_t c = 0; ok && c < table->schema.count; c++) {
        sqlite3_bind_int64(statement, 1, table->id);
        sqlite3_bind_int64(statement, 2, c);
        catalog_bind_text(statement, 3, table->schema.columns[c].name);
        catalog_bind_text(statement, 4, str_from(type_name(table->schema.columns[c].type)));
        ok = statement_run(catalog, statement, error);
    }
    sqlite3_finalize(statement);
    return ok;
}

static bool
segments_insert(Catalog *catalog, CatalogChange *change, int64_t snapshot, AzError *error)
{
    int64_t next;
    if (!catalog_next_segment(catalog, &next, error))
        return false;
    sqlite3_stmt *statement =
        catalog_prepare(catalog,
                        "INSERT INTO segments(table_id, snapshot_id, file, rows, bytes, checksum,"
                        " group_rows, time_min, time_max, id)"
                        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                        "write", error);
    if (!statement)
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < change->segment_count; i++) {
        CatalogSegment *segment = &change->segments[i];
        segment->table = change->tables[segment->table].id;
        if (!change->rewrite)
            segment->snapshot = segment->snapshot ? snapshot : 0;
        segment->id = next++;
        sqlite3_bind_int64(statement, 1, segment->table);
        sqlite3_bind_int64(statement, 2, segment->snapshot);
        catalog_bind_text(statement, 3, segment->file);
        sqlite3_bind_int64(statement, 4, (int64_t)segment->rows);
        sqlite3_bind_int64(statement, 5, (int64_t)segment->bytes);
        sqlite3_bind_int64(statement, 6, (int64_t)segment->checksum);
        sqlite3_bind_blob64(statement, 7, segment->group_rows,
                            segment->group_count * sizeof(uint32_t), SQLITE_STATIC);
        if (segment->has_time) {
            sqlite3_bind_int64(statement, 8, segment->time_min);
            sqlite3_bind_int64(statement, 9, segment->time_max);
        } else {
            sqlite3_bind_null(statement, 8);
            sqlite3_bind_null(statement, 9);
        }
        sqlite3_bind_int64(statement, 10, segment->id);
        ok = statement_run(catalog, statement, error);
    }
    sqlite3_finalize(statement);
    return ok;
}

static bool
content_hash(Catalog *catalog, int64_t snapshot, char hex[33], AzError *error)
{
    sqlite3_stmt *statement = catalog_prepare(
        catalog, "SELECT checksum FROM segments WHERE snapshot_id = ?1 ORDER BY checksum", "read",
        error);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, snapshot);
    Buffer sums = {0};
    int status;
    while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
        int64_t sum = sqlite3_column_int64(statement, 0);
        buffer_put(&sums, &sum, sizeof(sum));
    }
    bool ok = status == SQLITE_DONE || catalog_error(catalog, "read", error);
    sqlite3_finalize(statement);
    XXH128_hash_t hash = XXH3_128bits(sums.len ? sums.data : "", sums.len);
    snprintf(hex, 33, "%016llx%016llx", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
    buffer_free(&sums);
    return ok;
}

static bool
content_hash_update(Catalog *catalog, int64_t snapshot, AzError *error)
{
    char hex[33];
    if (!content_hash(catalog, snapshot, hex, error))
        return false;
    sqlite3_stmt *statement = catalog_prepare(
        catalog, "UPDATE snapshots SET content_hash = ?2 WHERE id = ?1", "write", error);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, snapshot);
    catalog_bind_text(statement, 2, str_from(hex));
    bool ok = statement_run(catalog, statement, error);
    sqlite3_finalize(statement);
    return ok;
}

static bool
has_inventory(const CatalogChange *change)
{
    for (size_t i = 0; i < change->segment_count; i++)
        if (change->segments[i].snapshot)
            return true;
    return false;
}

// The snapshot that inventory rows belong to: the new one, else the newest.
static bool
snapshot_choose(Catalog *catalog, CatalogChange *change, int64_t *snapshot, AzError *error)
{
    *snapshot = 0;
    if (change->snapshot) {
        if (!snapshot_insert(catalog, change->snapshot, error))
            return false;
        *snapshot = change->snapshot->id;
        return true;
    }
    if (change->rewrite || !has_inventory(change))
        return true;
    if (!catalog_number(catalog, "SELECT ifnull(max(id), 0) FROM snapshots", snapshot, error))
        return false;
    if (!*snapshot)
        return error_set(error, AZ_INVALID,
                         "rows of an inventory table need a snapshot and '%s' has none: import a "
                         "tenant first",
                         catalog->path);
    return snapshot_extend(catalog, *snapshot, change->added, error);
}

static bool
change_write(Catalog *catalog, CatalogChange *change, AzError *error)
{
    int64_t snapshot;
    if (!snapshot_choose(catalog, change, &snapshot, error))
        return false;
    for (size_t i = 0; i < change->table_count; i++)
        if (!table_insert(catalog, &change->tables[i], error) ||
            !columns_insert(catalog, &change->tables[i], error))
            return false;
    return segments_insert(catalog, change, snapshot, error) &&
           (!change->removed_count ||
            catalog_retire(catalog, change->removed, change->removed_count, error)) &&
           catalog_imports_insert(catalog, change, error) &&
           (!snapshot || content_hash_update(catalog, snapshot, error));
}

bool
catalog_commit(Catalog *catalog, CatalogChange *change, bool *unsure, AzError *error)
{
    *unsure = false;
    if (!catalog_exec(catalog, "BEGIN IMMEDIATE", "write", error))
        return false;
    bool ok = change_write(catalog, change, error);
    if (ok) {
        ok = catalog_exec(catalog, "COMMIT", "write", error);
        *unsure = !ok;
    }
    if (!ok)
        sqlite3_exec(catalog->db, "ROLLBACK", NULL, NULL, NULL);
    return ok;
}
