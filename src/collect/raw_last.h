// RawLast: a complete collection whose rows a new one may take over.
//
// Only read. A call's rows are stretches of its file, as the manifest says; those of a table that was
// written again at the end (one row an id) are the whole file.
#pragma once

#include "base/error.h"
#include "base/map.h"

typedef struct RawPart {
    uint64_t begin, end; // bytes of the file
} RawPart;

typedef struct LastCall {
    struct LastFile *file;
    RawPart *parts;
    size_t part_count, part_cap;
    uint64_t rows;
    bool done; // nothing of it was missing
    Str read;  // when its oldest rows were read; ISO 8601
    Str delta; // the address that tells what changed since; it holds a token: never printed
} LastCall;

typedef struct RawLast RawLast;

// An error when the folder holds no complete collection. `identity` is another text when another
// table of sources made it: the caller judges it.
RawLast *raw_last_open(const char *folder, AzError *error);
void raw_last_close(RawLast *last);

Str raw_last_identity(const RawLast *last);
Str raw_last_begun(const RawLast *last); // ISO 8601; empty when an earlier version collected it

const LastCall *raw_last_call(const RawLast *last, Str key); // NULL: it was not made

// Each line of the call's rows.
bool raw_last_each(RawLast *last, const LastCall *call, bool (*each)(void *context, Str line),
                   void *context, AzError *error);
