// Functions in KQL that users keep in a store: a table of the catalog beside the others.

#include "store/catalog_internal.h"

static const char TABLE[] =
    "CREATE TABLE IF NOT EXISTS functions(name TEXT PRIMARY KEY, text TEXT NOT NULL,"
    " saved INTEGER NOT NULL) WITHOUT ROWID";

bool
catalog_functions(Catalog *catalog, Arena *arena, SavedFunction **out, size_t *count,
                  AzError *error)
{
    *out = NULL;
    *count = 0;
    bool exists;
    if (!catalog_refresh(catalog, error) ||
        !catalog_has_table(catalog, "functions", &exists, error))
        return false;
    if (!exists)
        return true;
    sqlite3_stmt *statement = catalog_prepare(
        catalog, "SELECT name, text, saved FROM functions ORDER BY name", "read", error);
    if (!statement)
        return false;
    struct {
        SavedFunction *items;
        size_t len, cap;
    } functions = {0};
    int status;
    while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
        SavedFunction function = {
            .name = catalog_column_text(statement, 0, arena),
            .text = catalog_column_text(statement, 1, arena),
            .saved = sqlite3_column_int64(statement, 2),
        };
        ARRAY_PUSH(arena, &functions, function);
    }
    bool done = status == SQLITE_DONE || catalog_error(catalog, "read", error);
    sqlite3_finalize(statement);
    *out = functions.items;
    *count = functions.len;
    return done;
}

static bool
bind_text(sqlite3_stmt *statement, int at, Str text)
{
    return sqlite3_bind_text(statement, at, text.ptr ? text.ptr : "", (int)text.len,
                             SQLITE_TRANSIENT) == SQLITE_OK;
}

bool
catalog_function_save(Catalog *catalog, const SavedFunction *function, AzError *error)
{
    if (!catalog_exec(catalog, TABLE, "write", error))
        return false;
    sqlite3_stmt *statement = catalog_prepare(
        catalog, "INSERT OR REPLACE INTO functions(name, text, saved) VALUES(?, ?, ?)", "write",
        error);
    if (!statement)
        return false;
    bool done =
        (bind_text(statement, 1, function->name) && bind_text(statement, 2, function->text) &&
         sqlite3_bind_int64(statement, 3, function->saved) == SQLITE_OK &&
         sqlite3_step(statement) == SQLITE_DONE) ||
        catalog_error(catalog, "write", error);
    sqlite3_finalize(statement);
    return done;
}

bool
catalog_function_delete(Catalog *catalog, Str name, bool *found, AzError *error)
{
    *found = false;
    bool exists;
    if (!catalog_has_table(catalog, "functions", &exists, error))
        return false;
    if (!exists)
        return true;
    sqlite3_stmt *statement =
        catalog_prepare(catalog, "DELETE FROM functions WHERE name = ?", "write", error);
    if (!statement)
        return false;
    bool done = (bind_text(statement, 1, name) && sqlite3_step(statement) == SQLITE_DONE) ||
                catalog_error(catalog, "write", error);
    *found = done && sqlite3_changes(catalog->db) > 0;
    sqlite3_finalize(statement);
    return done;
}
