// Log files: the folder of fetched logs.
//
// A file's name says which stretch of a log it holds, and it gets that name when it is whole
// and durable. So what lies there is all that is known of earlier runs: whoever comes after a
// kill, or an hour later, goes on where the last file ends, and no record is in two files.
//
//     FOLDER/storage/ACCOUNT/CONTAINER/BLOB/000000000000-000000004711.json      bytes of a blob
//     FOLDER/workspaces/ID/TABLE/20260601T000000Z-20260602T000000Z.json         times of a table
//     FOLDER/lists/LIST[/SUBSCRIPTION]/20260601T000000Z-20260602T000000Z.json   times of a list
#pragma once

#include "base/buffer.h"
#include "base/error.h"

// Adds parts to a path. A part may hold slashes; what else could lead elsewhere, or is no
// usual character of a file's name, is written as %41.
Str log_path(Arena *arena, Str folder, Str part);

// A stretch: [from, to), bytes of a blob or ticks of time.
typedef struct LogSpan {
    uint64_t from, to;
} LogSpan;

typedef struct LogSpans {
    LogSpan *items; // ascending
    size_t len, cap;
    bool is_list; // of a blob: its form is RECORDS_LIST
} LogSpans;

typedef enum LogUnit { LOG_BYTES, LOG_TIME } LogUnit; // times: whole seconds

// The stretches that lie in the folder; none when there is no such folder.
bool log_spans(Arena *arena, Str folder, LogUnit unit, LogSpans *out, AzError *error);
// The first part of `wanted` that is in none of them; false when all is there.
bool log_missing(const LogSpans *spans, LogSpan wanted, LogSpan *out);

// Writes the file of a stretch; the folder is made when it is not there.
bool log_write(Str folder, LogUnit unit, LogSpan span, bool is_list, const Buffer *rows,
               AzError *error);

// "20260601T000000Z" and back.
void log_time_print(Buffer *out, uint64_t ticks);
bool log_time_parse(Str text, uint64_t *ticks);
