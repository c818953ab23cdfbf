// What catalog.c and catalog_commit.c share.
#pragma once

#include "base/array.h"
#include "base/buffer.h"
#include "store/catalog.h"

#include <sqlite3.h>

struct Catalog {
    sqlite3 *db;
    char *dir, *path;
    bool immutable; // opened as a file that nobody changes
    bool fresh;     // and not read from since
};

// Fills the error from the connection's last one: "cannot <doing> the catalog ...".
bool catalog_error(const Catalog *catalog, const char *doing, AzError *error);
bool catalog_exec(Catalog *catalog, const char *sql, const char *doing, AzError *error);
sqlite3_stmt *catalog_prepare(Catalog *catalog, const char *sql, const char *doing, AzError *error);
bool catalog_number(Catalog *catalog, const char *sql, int64_t *out, AzError *error);
// Before a read: a file that nobody changes is opened anew, to see what it holds now.
bool catalog_refresh(Catalog *catalog, AzError *error);
Str catalog_column_text(sqlite3_stmt *statement, int column, Arena *arena);
