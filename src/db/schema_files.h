// Tables that files of `.create table` commands declare. A file is read once, in pieces, for
// where its commands stand; the text of a table when that table is asked for: a query about
// one table pays for neither the memory nor the parsing of the other thousand.
#pragma once

#include "base/map.h"
#include "column/schema.h"
#include "store/store.h"

typedef struct SchemaEntry {
    Str name;
    Str source; // the file without its folder and ending
    TableKind kind;
    const char *path;
    size_t start, command, end; // where its comment begins, its command, and what follows it
    bool read, broken;          // broken: what stands there does not parse, or the file has changed
    Str doc;                    // the comment in one line
    Schema schema;
} SchemaEntry;

typedef struct SchemaFiles {
    Arena *arena;
    Map names; // any case -> SchemaEntry
} SchemaFiles;

void schema_files_init(SchemaFiles *files, Arena *arena);
// Adds what the file declares; a table that is there already stays. A file that cannot be
// read declares nothing.
void schema_files_add(SchemaFiles *files, Str path, Str source, TableKind kind);
// With its schema and comment read; NULL when no file declares it.
SchemaEntry *schema_files_find(SchemaFiles *files, Str table);
