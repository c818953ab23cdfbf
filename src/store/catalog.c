// The catalog's tables and its three reads; see catalog.h. Changes are in
// catalog_commit.c.
//
// The file is in WAL mode: readers never wait for the writer. A directory that
// cannot be written to is read with immutable=1 when no writer left a log, since
// SQLite could not make its shared-memory file there; each read opens it anew. Even our own catalog is
// checked as it is read: names with slashes, unknown types and counts that do not
// fit are damage.

#include "store/catalog_internal.h"

#include "store/bytes.h"
#include "store/catalog_pages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    APPLICATION_ID = 0x415A4D54, // "AZMT"
    BUSY_MS = 10000
};

static const char SCHEMA[] =
    "CREATE TABLE snapshots(id INTEGER PRIMARY KEY, created INTEGER NOT NULL, source TEXT NOT NULL,"
    " tenant_id TEXT NOT NULL, tool_version TEXT NOT NULL, duration_ms INTEGER NOT NULL,"
    " rows INTEGER NOT NULL, bytes INTEGER NOT NULL, rejected INTEGER NOT NULL,"
    " content_hash TEXT NOT NULL);"
    "CREATE TABLE tables(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
    " kind INTEGER NOT NULL);"
    "CREATE TABLE columns(table_id INTEGER NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL,"
    " type TEXT NOT NULL, PRIMARY KEY(table_id, position)) WITHOUT ROWID;"
    "CREATE TABLE segments(id INTEGER PRIMARY KEY, table_id INTEGER NOT NULL,"
    " snapshot_id INTEGER NOT NULL, file TEXT NOT NULL UNIQUE, rows INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, checksum INTEGER NOT NULL, group_rows BLOB NOT NULL,"
    " time_min INTEGER, time_max INTEGER);"
    "CREATE INDEX segments_by_snapshot ON segments(snapshot_id, table_id, id);";

bool
catalog_error(const Catalog *catalog, const char *doing, AzError *error)
{
    int code = catalog->db ? sqlite3_errcode(catalog->db) & 0xFF : SQLITE_NOMEM;
    const char *text = catalog->db ? sqlite3_errmsg(catalog->db) : "not enough memory";
    int number = catalog->db ? sqlite3_system_errno(catalog->db) : 0;
    if (catalog->db && sqlite3_extended_errcode(catalog->db) == SQLITE_IOERR_DATA)
        return error_set(error, AZ_CORRUPT,
                         "the catalog '%s' is damaged (a page has the wrong checksum): restore it "
                         "from a backup, or import again into a new directory",
                         catalog->path);
    if (code == SQLITE_IOERR && (number == ENOSPC || number == EDQUOT))
        code = SQLITE_FULL;
    switch (code) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: // its tables are not ours
        return error_set(error, AZ_CORRUPT,
                         "the catalog '%s' is damaged (%s): restore it from a backup, or import "
                         "again into a new directory",
                         catalog->path, text);
    case SQLITE_FULL:
        return error_set(error, AZ_IO,
                         "cannot %s the catalog '%s': the disk is full; the store keeps its state "
                         "from before, free some space and run this again",
                         doing, catalog->path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(error, AZ_IO,
                         "cannot %s the catalog '%s': another program holds it; try again", doing,
                         catalog->path);
    case SQLITE_CANTOPEN: // SQLite keeps no trustworthy errno of this one
        return error_set(error, AZ_IO,
                         "cannot %s the catalog '%s': %s (or one beside it: may the directory be "
                         "written to, or is the disk full?)",
                         doing, catalog->path, text);
    default:
        return error_set(error, AZ_IO, "cannot %s the catalog '%s': %s: %s", doing, catalog->path,
                         text, number ? strerror(number) : "the disk may be full or failing");
    }
}

bool
catalog_exec(Catalog *catalog, const char *sql, const char *doing, AzError *error)
{
    return sqlite3_exec(catalog->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
           catalog_error(catalog, doing, error);
}

sqlite3_stmt *
catalog_prepare(Catalog *catalog, const char *sql, const char *doing, AzError *error)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(catalog->db, sql, -1, &statement, NULL) != SQLITE_OK)
        catalog_error(catalog, doing, error);
    return statement;
}

// The single number a query yields.
bool
catalog_number(Catalog *catalog, const char *sql, int64_t *out, AzError *error)
{
    sqlite3_stmt *statement = catalog_prepare(catalog, sql, "read", error);
    if (!statement)
        return false;
    bool ok = sqlite3_step(statement) == SQLITE_ROW;
    if (ok)
        *out = sqlite3_column_int64(statement, 0);
    else
        catalog_error(catalog, "read", error);
    sqlite3_finalize(statement);
    return ok;
}

static bool
damaged(const Catalog *catalog, const char *why, AzError *error)
{
    return error_set(error, AZ_CORRUPT,
                     "the catalog '%s' is damaged (%s): restore it from a backup, or import again "
                     "into a new directory",
                     catalog->path, why);
}

// Whether the file is ours and of a version we read. An empty file (a crash while
// it was made) yields *empty.
static bool
format_check(Catalog *catalog, bool *empty, AzError *error)
{
    int64_t application, version, tables;
    if (!catalog_number(catalog, "PRAGMA application_id", &application, error) ||
        !catalog_number(catalog, "PRAGMA user_version", &version, error))
        return false;
    *empty = false;
    if (application == APPLICATION_ID && version >= 1 && version <= CATALOG_VERSION)
        return version < CATALOG_SUMS || catalog_pages_reserved(catalog->db) ||
               damaged(catalog, "its first page says that no page has a checksum", error);
    if (application == APPLICATION_ID && version > CATALOG_VERSION)
        return error_set(error, AZ_INVALID,
                         "the catalog '%s' was written by a newer Azimuth (format %lld, this one "
                         "reads %d): update azimuth",
                         catalog->path, (long long)version, CATALOG_VERSION);
    if (!catalog_number(catalog, "SELECT count(*) FROM sqlite_master", &tables, error))
        return false;
    if (application || version || tables)
        return error_set(error, AZ_INVALID,
                         "'%s' is the database of another program, not an Azimuth catalog: name "
                         "another directory",
                         catalog->path);
    *empty = true;
    return true;
}

static bool
catalog_create(Catalog *catalog, AzError *error)
{
    char *sql = sqlite3_mprintf("BEGIN IMMEDIATE; %s PRAGMA application_id=%d;"
                                "PRAGMA user_version=%d; COMMIT;",
                                SCHEMA, APPLICATION_ID, CATALOG_VERSION);
    bool ok = sql && catalog_exec(catalog, sql, "create", error);
    if (!sql)
        error_set(error, AZ_LIMIT, "not enough memory to create '%s'", catalog->path);
    sqlite3_free(sql);
    return ok;
}

// file:PATH?OPTIONS with the path's special characters escaped.
static char *
uri_make(const char *path, const char *options)
{
    Buffer uri = {0};
    buffer_text(&uri, "file:");
    for (const char *p = path; *p; p++)
        if (*p == '?' || *p == '#' || *p == '%')
            buffer_printf(&uri, "%%%02X", (unsigned)*p);
        else
            buffer_char(&uri, *p);
    buffer_text(&uri, options);
    buffer_char(&uri, 0);
    return uri.data;
}

static bool
file_exists(const char *path, const char *suffix)
{
    Buffer name = {0};
    buffer_printf(&name, "%s%s", path, suffix);
    struct stat st;
    bool exists = stat(name.data, &st) == 0 && st.st_size > 0;
    buffer_free(&name);
    return exists;
}

typedef enum Opening { OPEN_NORMAL, OPEN_CREATE, OPEN_READ_ONLY, OPEN_IMMUTABLE } Opening;

static bool
connection_open(Catalog *catalog, Opening opening, AzError *error)
{
    static const int FLAGS[] = {
        [OPEN_NORMAL] = SQLITE_OPEN_READWRITE,
        [OPEN_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
        [OPEN_READ_ONLY] = SQLITE_OPEN_READONLY,
        [OPEN_IMMUTABLE] = SQLITE_OPEN_READONLY,
    };
    sqlite3_close(catalog->db);
    catalog->db = NULL;
    catalog->immutable = opening == OPEN_IMMUTABLE;
    catalog->fresh = true;
    char *uri = uri_make(catalog->path, catalog->immutable ? "?immutable=1" : "");
    int flags = FLAGS[opening] | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    int status = sqlite3_open_v2(uri, &catalog->db, flags, catalog_pages_vfs());
    free(uri);
    if (status != SQLITE_OK)
        return catalog_error(catalog, "open", error);
    sqlite3_busy_timeout(catalog->db, BUSY_MS);
    sqlite3_db_config(catalog->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(catalog->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return true;
}

static bool
setup_for_reading(Catalog *catalog, AzError *error)
{
    bool empty;
    if (!format_check(catalog, &empty, error))
        return false;
    return !empty ||
           error_set(error, AZ_NOT_FOUND,
                     "the store of '%s' is still empty: run azimuth import first", catalog->path);
}

static bool
setup_for_writing(Catalog *catalog, AzError *error)
{
    bool empty;
    if (!format_check(catalog, &empty, error))
        return false;
    if (empty && !catalog_pages_reserve(catalog->db))
        return catalog_error(catalog, "create", error);
    return catalog_exec(catalog, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", "open",
                        error) &&
           (!empty || catalog_create(catalog, error));
}

// Where SQLite cannot make its files (a read-only directory, a full disk) the
// catalog is read as it is, unless a log holds newer commits.
static bool
open_for_reading(Catalog *catalog, AzError *error)
{
    if (access(catalog->dir, W_OK) != 0 || access(catalog->path, W_OK) != 0) {
        bool has_log = file_exists(catalog->path, "-wal");
        return connection_open(catalog, has_log ? OPEN_READ_ONLY : OPEN_IMMUTABLE, error) &&
               setup_for_reading(catalog, error);
    }
    AzError first = {0};
    if (connection_open(catalog, OPEN_NORMAL, &first) && setup_for_reading(catalog, &first))
        return true;
    if (first.code == AZ_IO && !file_exists(catalog->path, "-wal"))
        return connection_open(catalog, OPEN_IMMUTABLE, error) && setup_for_reading(catalog, error);
    if (error)
        *error = first;
    return false;
}

// SQLite takes an immutable file for granted; a writer may have come since.
bool
catalog_refresh(Catalog *catalog, AzError *error)
{
    bool stale = catalog->immutable && !catalog->fresh;
    if (stale && !open_for_reading(catalog, error))
        return false;
    catalog->fresh = false;
    return true;
}

Catalog *
catalog_open(const char *dir, CatalogMode mode, AzError *error)
{
    Catalog *catalog = calloc(1, sizeof(*catalog));
    if (!catalog || !(catalog->dir = strdup(dir)) ||
        asprintf(&catalog->path, "%s/catalog.sqlite", dir) < 0) {
        if (catalog)
            free(catalog->dir);
        free(catalog);
        error_set(error, AZ_LIMIT, "not enough memory to open '%s'", dir);
        return NULL;
    }
    struct stat st;
    if (mode == CATALOG_READ && stat(catalog->path, &st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            error_set(error, AZ_NOT_FOUND,
                      "there is no store in '%s': name the directory of one, or run azimuth import "
                      "to make it",
                      dir);
        else
            error_errno(error, "cannot open the catalog '%s'", catalog->path);
        catalog_close(catalog);
        return NULL;
    }
    bool ok = mode == CATALOG_READ ? open_for_reading(catalog, error)
                                   : connection_open(catalog, OPEN_CREATE, error) &&
                                         setup_for_writing(catalog, error);
    if (!ok) {
        catalog_close(catalog);
        return NULL;
    }
    return catalog;
}

void
catalog_close(Catalog *catalog)
{
    if (!catalog)
        return;
    sqlite3_close(catalog->db);
    free(catalog->path);
    free(catalog->dir);
    free(catalog);
}

Str
catalog_column_text(sqlite3_stmt *statement, int column, Arena *arena)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    size_t len = (size_t)sqlite3_column_bytes(statement, column);
    return text ? str_copy(arena, (Str){(const char *)text, len}) : (Str){"", 0};
}

void
catalog_bind_text(sqlite3_stmt *statement, int index, Str text)
{
    sqlite3_bind_text64(statement, index, text.ptr ? text.ptr : "", text.len, SQLITE_TRANSIENT,
                        SQLITE_UTF8);
}

bool
catalog_has_table(Catalog *catalog, const char *name, bool *exists, AzError *error)
{
    sqlite3_stmt *statement = catalog_prepare(
        catalog, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1", "read", error);
    if (!statement)
        return false;
    catalog_bind_text(statement, 1, str_from(name));
    int status = sqlite3_step(statement);
    *exists = status == SQLITE_ROW;
    bool ok = *exists || status == SQLITE_DONE || catalog_error(catalog, "read", error);
    sqlite3_finalize(statement);
    return ok;
}

typedef struct TableArray {
    CatalogTable *items;
    size_t len, cap;
} TableArray;

typedef struct SegmentArray {
    CatalogSegment *items;
    size_t len, cap;
} SegmentArray;

typedef struct ColumnArray {
    Column *items;
    size_t len, cap;
} ColumnArray;

// Rows come ordered by table and position.
static bool
tables_load(Catalog *catalog, Arena *arena, CatalogState *out, AzError *error)
{
    sqlite3_stmt *statement =
        catalog_prepare(catalog,
                        "SELECT t.id, t.name, t.kind, c.name, c.type FROM tables t"
                        " JOIN columns c ON c.table_id = t.id ORDER BY t.id, c.position",
                        "read", error);
    if (!statement)
        return false;
    TableArray tables = {0};
    ColumnArray columns = {0};
    int status;
    bool ok = true;
    while (ok && (status = sqlite3_step(statement)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(statement, 0);
        if (!tables.len || tables.items[tables.len - 1].id != id) {
            columns = (ColumnArray){0};
            CatalogTable table = {.id = id, .name = catalog_column_text(statement, 1, arena)};
            table.kind = sqlite3_column_int(statement, 2) ? TABLE_LOG : TABLE_INVENTORY;
            ARRAY_PUSH(arena, &tables, table);
        }
        Column column = {catalog_column_text(statement, 3, arena), TYPE_NONE};
        Str type = catalog_column_text(statement, 4, arena);
        column.type = type_from_name(type);
        ARRAY_PUSH(arena, &columns, column);
        ok = column.type != TYPE_NONE || damaged(catalog, "a column has no type", error);
        tables.items[tables.len - 1].schema = (Schema){columns.items, (uint32_t)columns.len};
    }
    if (ok && status != SQLITE_DONE)
        ok = catalog_error(catalog, "read", error);
    sqlite3_finalize(statement);
    out->tables = tables.items;
    out->table_count = tables.len;
    return ok;
}

bool
catalog_file_plain(Str name)
{
    if (!name.len || name.len > 200 || name.ptr[0] == '.')
        return false;
    return !memchr(name.ptr, '/', name.len) && !memchr(name.ptr, 0, name.len);
}

static bool
groups_get(sqlite3_stmt *statement, int column, Arena *arena, CatalogSegment *segment)
{
    size_t size = (size_t)sqlite3_column_bytes(statement, column);
    const void *blob = sqlite3_column_blob(statement, column);
    if (!blob || size % sizeof(uint32_t))
        return false;
    segment->group_rows = arena_copy(arena, blob, size);
    segment->group_count = (uint32_t)(size / sizeof(uint32_t));
    uint64_t rows = 0;
    for (uint32_t g = 0; g < segment->group_count; g++)
        rows += segment->group_rows[g];
    return rows == segment->rows;
}

static bool
segments_load(Catalog *catalog, Arena *arena, CatalogState *out, AzError *error)
{
    static const char ALL[] = "SELECT id, table_id, snapshot_id, file, rows, bytes, checksum,"
                              " group_rows, time_min, time_max FROM segments"
                              " ORDER BY table_id, id";
    static const char SEEN[] = "SELECT id, table_id, snapshot_id, file, rows, bytes, checksum,"
                               " group_rows, time_min, time_max FROM segments"
                               " WHERE snapshot_id IN (0, ?1) ORDER BY table_id, id";
    bool all = out->snapshot == CATALOG_ALL_SNAPSHOTS;
    sqlite3_stmt *statement = catalog_prepare(catalog, all ? ALL : SEEN, "read", error);
    if (!statement)
        return false;
    if (!all)
        sqlite3_bind_int64(statement, 1, out->snapshot);
    SegmentArray segments = {0};
    int status;
    bool ok = true;
    while (ok && (status = sqlite3_step(statement)) == SQLITE_ROW) {
        CatalogSegment segment = {
            .id = sqlite3_column_int64(statement, 0),
            .table = sqlite3_column_int64(statement, 1),
            .snapshot = sqlite3_column_int64(statement, 2),
            .file = catalog_column_text(statement, 3, arena),
            .rows = (uint64_t)sqlite3_column_int64(statement, 4),
            .bytes = (uint64_t)sqlite3_column_int64(statement, 5),
            .checksum = (uint64_t)sqlite3_column_int64(statement, 6),
            .has_time = sqlite3_column_type(statement, 8) == SQLITE_INTEGER,
            .time_min = sqlite3_column_int64(statement, 8),
            .time_max = sqlite3_column_int64(statement, 9),
        };
        ok = (catalog_file_plain(segment.file) && groups_get(statement, 7, arena, &segment)) ||
             damaged(catalog, "the entry of a segment is malformed", error);
        ARRAY_PUSH(arena, &segments, segment);
    }
    if (ok && status != SQLITE_DONE)
        ok = catalog_error(catalog, "read", error);
    sqlite3_finalize(statement);
    out->segments = segments.items;
    out->segment_count = segments.len;
    return ok;
}

// Turns 0 into the newest snapshot and checks that others are there.
static bool
snapshot_resolve(Catalog *catalog, int64_t *snapshot, AzError *error)
{
    if (*snapshot == CATALOG_ALL_SNAPSHOTS)
        return true;
    int64_t newest;
    if (!catalog_number(catalog, "SELECT ifnull(max(id), 0) FROM snapshots", &newest, error))
        return false;
    if (*snapshot == 0) {
        *snapshot = newest;
        return true;
    }
    if (*snapshot >= 1 && *snapshot <= newest) {
        sqlite3_stmt *statement =
            catalog_prepare(catalog, "SELECT 1 FROM snapshots WHERE id = ?1", "read", error);
        if (!statement)
            return false;
        sqlite3_bind_int64(statement, 1, *snapshot);
        int status = sqlite3_step(statement);
        if (status != SQLITE_ROW && status != SQLITE_DONE)
            catalog_error(catalog, "read", error);
        sqlite3_finalize(statement);
        if (status != SQLITE_DONE)
            return status == SQLITE_ROW;
    }
    return error_set(error, AZ_NOT_FOUND,
                     newest ? "there is no snapshot %lld: the newest is %lld"
                            : "there is no snapshot %lld: the store has none yet",
                     (long long)*snapshot, (long long)newest);
}

bool
catalog_load(Catalog *catalog, Arena *arena, int64_t snapshot, CatalogState *out, AzError *error)
{
    *out = (CatalogState){.snapshot = snapshot};
    if (!catalog_refresh(catalog, error) || !catalog_exec(catalog, "BEGIN", "read", error))
        return false;
    bool ok = snapshot_resolve(catalog, &out->snapshot, error) &&
              tables_load(catalog, arena, out, error) &&
              segments_load(catalog, arena, out, error) &&
              catalog_generation(catalog, &out->generation, error);
    sqlite3_exec(catalog->db, "ROLLBACK", NULL, NULL, NULL); // ends the read; nothing to undo
    return ok;
}

bool
catalog_snapshots(Catalog *catalog, Arena *arena, SnapshotInfo **out, size_t *count, AzError *error)
{
    *out = NULL;
    *count = 0;
    if (!catalog_refresh(catalog, error))
        return false;
    sqlite3_stmt *statement =
        catalog_prepare(catalog,
                        "SELECT id, created, source, tenant_id, tool_version, duration_ms, rows,"
                        " bytes, rejected, content_hash FROM snapshots ORDER BY id",
                        "read", error);
    if (!statement)
        return false;
    struct {
        SnapshotInfo *items;
        size_t len, cap;
    } infos = {0};
    int status;
    while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
        SnapshotInfo info = {
            .id = sqlite3_column_int64(statement, 0),
            .created = sqlite3_column_int64(statement, 1),
            .source = catalog_column_text(statement, 2, arena),
            .tenant_id = catalog_column_text(statement, 3, arena),
            .tool_version = catalog_column_text(statement, 4, arena),
            .duration_ms = sqlite3_column_int64(statement, 5),
            .rows = (uint64_t)sqlite3_column_int64(statement, 6),
            .bytes = (uint64_t)sqlite3_column_int64(statement, 7),
            .rejected = (uint64_t)sqlite3_column_int64(statement, 8),
            .content_hash = catalog_column_text(statement, 9, arena),
        };
        ARRAY_PUSH(arena, &infos, info);
    }
    bool ok = status == SQLITE_DONE || catalog_error(catalog, "read", error);
    sqlite3_finalize(statement);
    *out = infos.items;
    *count = infos.len;
    return ok;
}

bool
catalog_check(Catalog *catalog, AzError *error)
{
    sqlite3_stmt *statement = catalog_prepare(catalog, "PRAGMA quick_check(1)", "check", error);
    if (!statement)
        return false;
    bool ok = sqlite3_step(statement) == SQLITE_ROW || catalog_error(catalog, "check", error);
    if (ok) {
        const char *answer = (const char *)sqlite3_column_text(statement, 0);
        if (!answer || strcmp(answer, "ok") != 0)
            ok = damaged(catalog, answer ? answer : "no answer", error);
    }
    sqlite3_finalize(statement);
    return ok;
}
