// Raw: the folder of answers, one JSON-lines file a source, and its manifest.
//
// Rows are appended to their file; once in a while the files are made durable, and then lines
// of the manifest say up to where each is good, which calls the rows came from and where those
// go on. A run that was killed leaves at most rows that no line speaks of: they are cut off
// when the run is taken up again. `azimuth import` of the folder makes the same snapshot as
// the run itself.
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "base/map.h"

// What is known of a call from an earlier run.
typedef struct RawCall {
    Str next; // where it goes on; empty when it is done
    uint64_t rows;
    uint32_t pages;
} RawCall;

typedef struct RawFile {
    Str name; // "resources.ai-deployments.jsonl"
    char *path;
    int fd;     // -1: not open
    bool dirty; // written to since it was made durable
    uint64_t size, rows;
    uint64_t pages, carried,
        refreshed; // those that an earlier collection brought, whole or in part
    Str read;      // when the oldest of those rows were read; ISO 8601, or empty
} RawFile;

typedef struct Raw Raw;

// Opens the folder, made when it is not there. `identity` names what a run must have in
// common with the one before (sources, cloud, tenant), `last` the collection that it refreshes
// (empty: none): another one is an error, and so is a folder that holds something else, or a
// collection that is complete. `*resumed` says whether there was a run before.
Raw *raw_open(const char *folder, Str identity, Str last, bool *resumed, AzError *error);
Str raw_begun(const Raw *raw);             // when its first run began; ISO 8601
Str raw_time(Arena *arena, int64_t ticks); // a time as manifests have it
void raw_close(Raw *raw);

const RawCall *raw_call(const Raw *raw, Str key); // NULL: not begun

// One page. It is durable after the next raw_sync, which comes of itself every few seconds.
typedef struct RawPage {
    Str file, key;
    const Buffer *rows; // `count` lines; NULL when raw_write brought them
    uint64_t count;
    Str next;      // where the call goes on; empty ends it
    Str how, read; // of rows of an earlier collection: "carried over" or "refreshed", and when they
                   // were read
    Str delta;     // the address that will tell what changed since
} RawPage;
bool raw_append(Raw *raw, const RawPage *page, AzError *error);

// Writes rows of a page that is too large for memory; they count when the page is appended.
bool raw_write(Raw *raw, Str file, const Buffer *rows, AzError *error);

// Makes all pages durable.
bool raw_sync(Raw *raw, AzError *error);

// The file of that name; NULL when nothing was written to it.
const RawFile *raw_file(const Raw *raw, Str name);
size_t raw_file_count(const Raw *raw);
const RawFile *raw_file_at(const Raw *raw, size_t index);
// Each line of a file.
bool raw_each(const RawFile *file, bool (*each)(void *context, Str line), void *context,
              AzError *error);

// Replaces a file by one with these lines.
typedef bool (*RawKeep)(void *context, Str line);
bool raw_filter(Raw *raw, Str name, RawKeep keep, void *context, AzError *error);

// Writes CollectionStatus.jsonl and says in the manifest that all is done.
bool raw_finish(Raw *raw, const Buffer *status, AzError *error);
