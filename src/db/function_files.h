// Functions in KQL that users bring: in folders, or kept in a store.
#pragma once

#include "base/map.h"
#include "kql/ast.h"

// The function `name` from a text in any of the forms they come in: a whole
// `.create-or-alter function ... {...}`; a lambda `(a:long) { ... }`; the body alone. Texts
// of it point into the arena. NULL with an error that names `path` and the line.
AstFunctionFile *function_parse(Arena *arena, Str name, Str text, Str path, AzError *error);

// Folders the user named, and the functions found in them. Files are listed when a folder
// is added and looked into when a function is first asked for.
typedef struct FunctionFiles {
    Arena *arena;
    struct {
        Str *items;
        size_t len, cap;
    } found; // paths
    bool indexed;
    Map names;  // name -> FunctionPlace
    Map parsed; // name -> AstFunctionFile
} FunctionFiles;

void function_files_init(FunctionFiles *files, Arena *arena);
bool function_files_add(FunctionFiles *files, const char *dir, AzError *error);
// NULL without an error when there is none.
const AstFunctionFile *function_files_find(FunctionFiles *files, Str name, AzError *error);
void function_files_each(FunctionFiles *files, void (*each)(void *arg, Str name), void *arg);

// The bytes of a content file, at most 64 MB, with a zero behind.
bool content_read_file(Arena *arena, const char *path, Str *out, AzError *error);
