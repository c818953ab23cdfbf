// External: the rows of files that a query names (externaldata).
//
// A query is text from somebody; it reads no file its caller has not allowed. Plain paths
// and file:// addresses must lie in one of the allowed folders, links resolved;
// store://NAME is a file the store keeps in its folder `files`; other addresses are read
// only when a map leads them to a local file. Nothing is fetched from a network.
//
// A file is decompressed by its content (gzip, zstd, zip) and read as csv, tsv, tsve, psv,
// scsv, ssv, sohsv, txt, raw, json, multijson, singlejson or w3clogfile.
#pragma once

#include "base/budget.h"
#include "db/places.h"
#include "kql/catalog.h"

typedef struct ExternalAccess {
    const char *const *roots; // folders whose files may be read
    size_t root_count;
    const char *store; // its folder; NULL = none
    const Places *places;
    Budget *budget;
    const _Atomic bool *cancel; // may be NULL
    size_t held;                // bytes taken from the budget so far, for the caller to give back
} ExternalAccess;

// A source over the rows of all files of `request`, in `arena`. The error holds no query
// or key of an address.
TableSource *external_read(Arena *arena, const ExternalRequest *request, ExternalAccess *access,
                           AzError *error);
