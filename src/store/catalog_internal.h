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
void catalog_bind_text(sqlite3_stmt *statement, int index, Str text);
bool catalog_has_table(Catalog *catalog, const char *name, bool *exists, AzError *error);
// Only plain names of files: nothing that leaves the directory.
bool catalog_file_plain(Str name);

// Inside a transaction (catalog_upkeep.c).
bool catalog_generation(Catalog *catalog, int64_t *generation, AzError *error);
bool catalog_next_segment(Catalog *catalog, int64_t *next, AzError *error);
bool catalog_retire(Catalog *catalog, const CatalogSegment *segments, size_t count, AzError *error);
bool catalog_imports_insert(Catalog *catalog, const CatalogChange *change, AzError *error);
