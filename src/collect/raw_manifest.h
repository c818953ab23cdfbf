// RawManifest: the lines of manifest.collect, for those who read them.
//
//   {"kind":"begin","version":1,"identity":"...","time":"2026-...Z","last":"..."}
//   {"kind":"page","task":"users ","file":"users.jsonl","end":4711,"rows":12,"next":"..."}
//   {"kind":"replaced","file":"resources.jsonl","end":4000,"rows":10}
//   {"kind":"end"}
//
// A page says up to where its file is good, how many rows came and where the task goes on; without
// `next` it is done. `how` and `read` are of rows that an earlier collection brought ("carried over",
// "refreshed"; the time they were read), `delta` is the address that tells later changes.
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

#define RAW_MANIFEST "manifest.collect"
enum { RAW_VERSION = 1 };

typedef struct RawLine {
    Str kind, task, file, next, identity, time, last, how, read, delta;
    int64_t end, rows, version;
} RawLine;

// Reads the whole lines from the file's position; texts are copied into `arena`. *good is the
// length of them: what a kill left half written is behind. `take` returns false to stop.
typedef bool (*RawTakeLine)(void *context, const RawLine *line, AzError *error);
bool raw_manifest_read(int fd, const char *path, Arena *arena, RawTakeLine take, void *context,
                       size_t *good, AzError *error);

// Whether a name may be that of a file of a collection: letters, digits, '-' and '.'.
bool raw_is_file_name(Str name);
