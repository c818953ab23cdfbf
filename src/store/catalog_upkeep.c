// What maintenance keeps in the catalog: files that left it but may still be read, how long log
// tables keep their rows, and the fingerprints of imported files. Their tables are made by the
// first change that needs them, so that stores without stay as older programs know them.
//
// The number of a segment is never given out twice, since open readers know segments by it: when
// the newest ones leave, `counters` remembers the greatest.

#include "store/catalog_internal.h"

static const char TABLES[] =
    "CREATE TABLE IF NOT EXISTS counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS retired(file TEXT PRIMARY KEY, bytes INTEGER NOT NULL,"
    " generation INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS retention(table_id INTEGER PRIMARY KEY, days INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS imports(table_id INTEGER NOT NULL, fingerprint TEXT NOT NULL,"
    " file TEXT NOT NULL, imported INTEGER NOT NULL, PRIMARY KEY(table_id, fingerprint))"
    " WITHOUT ROWID;"
    "INSERT OR IGNORE INTO counters VALUES('generation', 0), ('segment', 0);";

static bool
upkeep_exists(Catalog *catalog, bool *exists, AzError *error)
{
    return catalog_has_table(catalog, "counters", exists, error);
}

// A statement that reads what upkeep keeps. NULL: with *none because nothing was ever kept, else
// with an error.
static sqlite3_stmt *
upkeep_read(Catalog *catalog, const char *sql, bool *none, AzError *error)
{
    bool exists;
    *none = false;
    if (!upkeep_exists(catalog, &exists, error))
        return NULL;
    *none = !exists;
    return exists ? catalog_prepare(catalog, sql, "read", error) : NULL;
}

// A statement with at most two numbers and no rows.
static bool
numbers_run(Catalog *catalog, const char *sql, int64_t first, int64_t second, AzError *error)
{
    sqlite3_stmt *statement = catalog_prepare(catalog, sql, "write", error);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, first);
    if (sqlite3_bind_parameter_count(statement) > 1)
        sqlite3_bind_int64(statement, 2, second);
    bool ok = sqlite3_step(statement) == SQLITE_DONE || catalog_error(catalog, "write", error);
    sqlite3_finalize(statement);
    return ok;
}

bool
catalog_generation(Catalog *catalog, int64_t *generation, AzError *error)
{
    bool exists;
    *generation = 0;
    return upkeep_exists(catalog, &exists, error) &&
           (!exists ||
            catalog_number(catalog, "SELECT value FROM counters WHERE name = 'generation'",
                           generation, error));
}

bool
catalog_next_segment(Catalog *catalog, int64_t *next, AzError *error)
{
    bool exists;
    return upkeep_exists(catalog, &exists, error) &&
           catalog_number(catalog,
                          exists
                              ? "SELECT 1 + max(value, (SELECT ifnull(max(id), 0) FROM segments))"
                                " FROM counters WHERE name = 'segment'"
                              : "SELECT 1 + ifnull(max(id), 0) FROM segments",
                          next, error);
}

// Begins a generation; the segments that leave with it are its own.
static bool
generation_begin(Catalog *catalog, int64_t *generation, AzError *error)
{
    return catalog_exec(catalog, TABLES, "write", error) &&
           catalog_exec(catalog,
                        "UPDATE counters SET value = value + 1 WHERE name = 'generation';"
                        "UPDATE counters SET value = max(value,"
                        " (SELECT ifnull(max(id), 0) FROM segments)) WHERE name = 'segment'",
                        "write", error) &&
           catalog_generation(catalog, generation, error);
}

bool
catalog_retire(Catalog *catalog, const CatalogSegment *segments, size_t count, AzError *error)
{
    int64_t generation;
    bool ok = generation_begin(catalog, &generation, error);
    for (size_t i = 0; ok && i < count; i++)
        ok = numbers_run(catalog,
                         "INSERT OR REPLACE INTO retired(file, bytes, generation)"
                         " SELECT file, bytes, ?2 FROM segments WHERE id = ?1",
                         segments[i].id, generation, error) &&
             numbers_run(catalog, "DELETE FROM segments WHERE id = ?1", segments[i].id, 0, error);
    return ok;
}

// Ends a change: everything or nothing.
static bool
change_end(Catalog *catalog, bool ok, AzError *error)
{
    ok = ok && catalog_exec(catalog, "COMMIT", "write", error);
    if (!ok)
        sqlite3_exec(catalog->db, "ROLLBACK", NULL, NULL, NULL);
    return ok;
}

bool
catalog_drop_snapshots(Catalog *catalog, int64_t before, AzError *error)
{
    if (!catalog_exec(catalog, "BEGIN IMMEDIATE", "write", error))
        return false;
    int64_t generation;
    bool ok =
        generation_begin(catalog, &generation, error) &&
        numbers_run(catalog,
                    "INSERT OR REPLACE INTO retired(file, bytes, generation)"
                    " SELECT file, bytes, ?2 FROM segments"
                    " WHERE snapshot_id > 0 AND snapshot_id < ?1",
                    before, generation, error) &&
        numbers_run(catalog, "DELETE FROM segments WHERE snapshot_id > 0 AND snapshot_id < ?1",
                    before, 0, error) &&
        numbers_run(catalog, "DELETE FROM snapshots WHERE id < ?1", before, 0, error);
    return change_end(catalog, ok, error);
}

bool
catalog_retired(Catalog *catalog, Arena *arena, RetiredFile **out, size_t *count, AzError *error)
{
    bool none;
    *out = NULL;
    *count = 0;
    sqlite3_stmt *statement =
        upkeep_read(catalog, "SELECT file, bytes, generation FROM retired", &none, error);
    if (!statement)
        return none;
    struct {
        RetiredFile *items;
        size_t len, cap;
    } files = {0};
    int status;
    while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
        RetiredFile file = {
            .file = catalog_column_text(statement, 0, arena),
            .bytes = (uint64_t)sqlite3_column_int64(statement, 1),
            .generation = sqlite3_column_int64(statement, 2),
        };
        if (catalog_file_plain(file.file)) // what leaves the folder is not ours to remove
            ARRAY_PUSH(arena, &files, file);
    }
    bool ok = status == SQLITE_DONE || catalog_error(catalog, "read", error);
    sqlite3_finalize(statement);
    *out = files.items;
    *count = files.len;
    return ok;
}

bool
catalog_forget_retired(Catalog *catalog, const RetiredFile *files, size_t count, AzError *error)
{
    if (!catalog_exec(catalog, "BEGIN IMMEDIATE", "write", error))
        return false;
    sqlite3_stmt *statement =
        catalog_prepare(catalog, "DELETE FROM retired WHERE file = ?1", "write", error);
    bool ok = statement != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        if (!files[i].gone)
            continue;
        catalog_bind_text(statement, 1, files[i].file);
        ok = sqlite3_step(statement) == SQLITE_DONE || catalog_error(catalog, "write", error);
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    return change_end(catalog, ok, error);
}

// The name of the counter, in the arena.
static Str
settled_name(Arena *arena, int64_t table, int level)
{
    return str_format(arena, "settled %lld %d", (long long)table, level);
}

bool
catalog_settled(Catalog *catalog, int64_t table, int level, int64_t *segment, AzError *error)
{
    bool none;
    *segment = 0;
    sqlite3_stmt *statement =
        upkeep_read(catalog, "SELECT value FROM counters WHERE name = ?1", &none, error);
    if (!statement)
        return none;
    Arena arena = {0};
    catalog_bind_text(statement, 1, settled_name(&arena, table, level));
    int status = sqlite3_step(statement);
    if (status == SQLITE_ROW)
        *segment = sqlite3_column_int64(statement, 0);
    bool ok =
        status == SQLITE_ROW || status == SQLITE_DONE || catalog_error(catalog, "read", error);
    sqlite3_finalize(statement);
    arena_free(&arena);
    return ok;
}

bool
catalog_settle(Catalog *catalog, int64_t table, int level, AzError *error)
{
    if (!catalog_exec(catalog, "BEGIN IMMEDIATE", "write", error))
        return false;
    Arena arena = {0};
    sqlite3_stmt *statement =
        catalog_exec(catalog, TABLES, "write", error)
            ? catalog_prepare(catalog,
                              "INSERT OR REPLACE INTO counters(name, value) SELECT ?1,"
                              " ifnull(max(id), 0) FROM segments WHERE table_id = ?2",
                              "write", error)
            : NULL;
    bool ok = statement != NULL;
    if (ok) {
        catalog_bind_text(statement, 1, settled_name(&arena, table, level));
        sqlite3_bind_int64(statement, 2, table);
        ok = sqlite3_step(statement) == SQLITE_DONE || catalog_error(catalog, "write", error);
    }
    sqlite3_finalize(statement);
    arena_free(&arena);
    return change_end(catalog, ok, error);
}

bool
catalog_retention(Catalog *catalog, int64_t table, int64_t *days, AzError *error)
{
    bool none;
    *days = 0;
    sqlite3_stmt *statement =
        upkeep_read(catalog, "SELECT days FROM retention WHERE table_id = ?1", &none, error);
    if (!statement)
        return none;
    sqlite3_bind_int64(statement, 1, table);
    int status = sqlite3_step(statement);
    if (status == SQLITE_ROW)
        *days = sqlite3_column_int64(statement, 0);
    bool ok =
        status == SQLITE_ROW || status == SQLITE_DONE || catalog_error(catalog, "read", error);
    sqlite3_finalize(statement);
    return ok;
}

bool
catalog_retention_set(Catalog *catalog, int64_t table, int64_t days, AzError *error)
{
    if (!catalog_exec(catalog, "BEGIN IMMEDIATE", "write", error))
        return false;
    bool ok =
        catalog_exec(catalog, TABLES, "write", error) &&
        (days ? numbers_run(catalog, "INSERT OR REPLACE INTO retention VALUES(?1, ?2)", table, days,
                            error)
              : numbers_run(catalog, "DELETE FROM retention WHERE table_id = ?1", table, 0, error));
    return change_end(catalog, ok, error);
}

bool
catalog_import_known(Catalog *catalog, Str table, Str fingerprint, int64_t *imported,
                     AzError *error)
{
    bool none;
    *imported = 0;
    // Names of tables know no case.
    sqlite3_stmt *statement =
        upkeep_read(catalog,
                    "SELECT i.imported FROM imports i JOIN tables t ON t.id = i.table_id"
                    " WHERE (?1 = '' OR t.name = ?1) AND i.fingerprint = ?2",
                    &none, error);
    if (!statement)
        return none;
    catalog_bind_text(statement, 1, table);
    catalog_bind_text(statement, 2, fingerprint);
    int status = sqlite3_step(statement);
    if (status == SQLITE_ROW)
        *imported = sqlite3_column_int64(statement, 0);
    bool ok =
        status == SQLITE_ROW || status == SQLITE_DONE || catalog_error(catalog, "read", error);
    sqlite3_finalize(statement);
    return ok;
}

bool
catalog_imports_of(Catalog *catalog, Arena *arena, Str file, Str **out, size_t *count,
                   AzError *error)
{
    struct {
        Str *items;
        size_t len, cap;
    } list = {0};
    bool none;
    *out = NULL;
    *count = 0;
    sqlite3_stmt *statement = upkeep_read(
        catalog, "SELECT DISTINCT fingerprint FROM imports WHERE file = ?1", &none, error);
    if (!statement)
        return none;
    catalog_bind_text(statement, 1, file);
    int status;
    while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
        Str print = {(const char *)sqlite3_column_text(statement, 0),
                     (size_t)sqlite3_column_bytes(statement, 0)};
        ARRAY_PUSH(arena, &list, str_copy(arena, print));
    }
    sqlite3_finalize(statement);
    *out = list.items;
    *count = list.len;
    return status == SQLITE_DONE || catalog_error(catalog, "read", error);
}

bool
catalog_imports_insert(Catalog *catalog, const CatalogChange *change, AzError *error)
{
    if (!change->import_count)
        return true;
    if (!catalog_exec(catalog, TABLES, "write", error))
        return false;
    sqlite3_stmt *statement = catalog_prepare(
        catalog,
        "INSERT INTO imports(table_id, fingerprint, file, imported) VALUES(?1, ?2, ?3, ?4)",
        "write", error);
    bool ok = statement != NULL;
    for (size_t i = 0; ok && i < change->import_count; i++) {
        const CatalogImport *import = &change->imports[i];
        sqlite3_bind_int64(statement, 1, change->tables[import->table].id);
        catalog_bind_text(statement, 2, import->fingerprint);
        catalog_bind_text(statement, 3, import->file);
        sqlite3_bind_int64(statement, 4, import->imported);
        ok = sqlite3_step(statement) == SQLITE_DONE || catalog_error(catalog, "write", error);
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    return ok;
}
