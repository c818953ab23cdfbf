// Pages of the catalog with checksums.
//
// SQLite's file format has none: a flipped bit in a name or a number is read as if it had been
// written. A database may keep bytes free at the end of each page, and ours keeps eight: XXH3 (64
// bits) of what is before them, seeded with the page's place. Pages of the log have SQLite's
// own checksums. Other programs can read the file, and must not write it.
#pragma once

#include <sqlite3.h>
#include <stdbool.h>

enum { PAGE_SUM_BYTES = 8 };

// The name to open a database by, so that sums are written with pages and a page whose sum is
// wrong cannot be read (SQLITE_IOERR_DATA). Databases without sums are read and written as they
// are. NULL when there is no file system to build on.
const char *catalog_pages_vfs(void);

// Makes a database that is still empty one with sums.
bool catalog_pages_reserve(sqlite3 *db);
// Whether it has sums.
bool catalog_pages_reserved(sqlite3 *db);
