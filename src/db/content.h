// Content: what security people edit, read from a folder at run time: functions
// (functions/<Name>.kql), table schemas (schemas/*.kql), controls.
//
// Nothing is read before it is asked for, so that a query on a small store costs
// no start-up time. Thread-safe after content_open only for one thread at a time.
#pragma once

#include "base/error.h"
#include "column/schema.h"
#include "db/function_files.h"
#include "kql/ast.h"
#include "store/store.h"

typedef struct Content Content;

// `dir` NULL: AZIMUTH_CONTENT, else `content` beside the program's folder
// (<prefix>/bin/../content, build/../content), else the installed data folder. A
// missing folder is an error only when `dir` was given; otherwise content is empty.
Content *content_open(const char *dir, AzError *error);
void content_close(Content *content);
const char *content_dir(const Content *content); // "" when there is none

// The declared schema of a table, name without regard to case. False when it is
// not declared. What is returned lives as long as the content.
bool content_schema(Content *content, Str table, Str *canonical, const Schema **schema,
                    TableKind *kind);
// The same as the ingest of a store asks for it (store/ingest.h): `content` is a Content, the
// schema is copied to the arena.
bool content_find_schema(void *content, Str table, Arena *arena, Str *canonical, Schema *schema,
                         TableKind *kind);
// Tables; and those that stand for functions of a workspace, the parsers of products.
typedef enum ContentTables {
    CONTENT_TABLES = 1,
    CONTENT_PARSERS = 2,
    CONTENT_ALL = CONTENT_TABLES | CONTENT_PARSERS,
} ContentTables;
void content_each_table(Content *content, ContentTables which, void (*each)(void *arg, Str name),
                        void *arg);
// The schema file that declares the table, without its ending ("log-analytics"), and the
// comment that stands over it; empty when there is none.
Str content_table_source(Content *content, Str table);
Str content_table_doc(Content *content, Str table);

// The function of that name (exact case); NULL without an error when there is no
// such file, NULL with one (that names the file and line) when it does not parse.
const AstFunctionFile *content_function(Content *content, Str name, AzError *error);
// The same, of the folders the user named alone.
const AstFunctionFile *content_brought_function(Content *content, Str name, AzError *error);
// Functions of a folder the user names, and its sub-folders: `.kql` and `.csl` files (a
// whole `.create function`, or the body of the function the file is named after) and the
// YAML of Sentinel's parsers. They stand before those of the content folder.
bool content_add_functions(Content *content, const char *dir, AzError *error);
void content_each_function(Content *content, void (*each)(void *arg, Str name), void *arg);

// XXH3-128 over all files' names and bytes, hex: the version of the content pack.
Str content_hash(Content *content, Arena *arena);
