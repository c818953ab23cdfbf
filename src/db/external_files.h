// The files behind the addresses of an external source: which they are, and their bytes.
// Internal to src/db.
#pragma once

#include "db/external.h"

typedef struct ExternalFile {
    Str name;         // as errors call it: the address without keys
    const char *path; // NULL when it may not be read
    Str extension;    // of the address, lower case, without .gz and .zip: tells the format
} ExternalFile;

typedef struct ExternalFiles {
    ExternalFile *items;
    size_t len, cap;
} ExternalFiles;

// The files an address means: one, or those of a folder that fit the request, by name.
bool external_files(Arena *arena, Str address, const ExternalRequest *request,
                    const ExternalAccess *access, ExternalFiles *out, AzError *error);

// Calls `visit` with the bytes of the file, decompressed; of a zip archive once for each
// file in it. `visit` returns false with its own error.
typedef bool (*ExternalVisit)(void *context, Str bytes, AzError *error);
bool external_bytes(const ExternalFile *file, ExternalAccess *access, ExternalVisit visit,
                    void *context, AzError *error);
