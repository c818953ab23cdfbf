// The parts of fetching logs among themselves.
#pragma once

#include "collect/log_files.h"
#include "collect/logs.h"
#include "collect/pace.h"
#include "collect/reason.h"

typedef struct Logs {
    const LogsOptions *options;
    Arena *arena;  // of the report
    Arena scratch; // of one call
    LogsReport *report;
    Pace pace;
    JsonParser *parser;
    DynBuilder *builder;
    AzError error; // ends the run
} Logs;

void logs_gap(Logs *logs, Str what, Str reason);

// Masks what importing would mask, and our own secrets, in lines of JSON.
void logs_mask(Logs *logs, Buffer *rows);

// Reads a log by its times, as much at once as an answer can hold: the windows become files.
enum { WINDOW_BYTES = 32 << 20 }; // of rows in one window, about
typedef enum WindowEnd { WINDOW_READ, WINDOW_TOO_LARGE, WINDOW_FAILED } WindowEnd;
typedef WindowEnd (*LogsRead)(void *context, LogSpan span, Buffer *rows, uint64_t *count,
                              Str *reason);
// `what`: how gaps call it. False when the run must end.
bool logs_windows(Logs *logs, Str folder, Str what, LogsRead read, void *context);

// Each kind (logs_storage.c, logs_query.c, logs_list.c). False when the run must end.
bool logs_storage(Logs *logs);
bool logs_workspaces(Logs *logs);
bool logs_lists(Logs *logs);

// One call for a service, made again while that may help; the pace of `quota`. NULL with a
// reason when it was not answered 2xx; an error in logs->error when the run must end.
typedef struct LogsCall {
    Service service;
    Str url, body; // a body makes it a POST
    const char *prefer;
    const Quota *quota;
    Str need, licence;
} LogsCall;
HttpAnswer *logs_call(Logs *logs, const LogsCall *call, Str *reason, ServiceError *said);

// ---- storage ----

// A listing (storage_list.c).
typedef struct StorageItem {
    Str name;
    uint64_t size;
} StorageItem;
typedef struct StorageListing {
    StorageItem *items;
    size_t len, cap;
    Str marker; // of the next page; empty: the last
} StorageListing;
// `kind`: "Blob" or "Container". False when the text is no listing.
bool storage_listing_read(Arena *arena, Str xml, const char *kind, StorageListing *out);

// A request for a storage account, signed (storage_sign.c).
typedef struct StorageParam {
    const char *name; // in the order of names
    Str value;
} StorageParam;
typedef struct StorageRequest {
    HttpRequest request;
    HttpHeader headers[5];
    uint32_t generation; // of a token
} StorageRequest;
// `path`: below the account, "" or "/container/blob", not encoded. `range`: "bytes=0-99" or
// empty. `now`: seconds since 1970. False when nobody can sign in.
bool storage_request(Arena *arena, const LogsOptions *options, const StorageAccount *account,
                     Str path, const StorageParam *params, size_t param_count, Str range,
                     int64_t now, StorageRequest *out, AzError *error);
