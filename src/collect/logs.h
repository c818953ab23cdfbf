// Logs: what Azure has written down, fetched into a folder of files (log_files.h).
//
// Records of diagnostic settings come from storage accounts, rows of tables from Log
// Analytics, events of the activity log from Resource Manager, sign-ins and audits from
// Microsoft Graph. What cannot be read is a gap with a reason and does not stop the rest.
#pragma once

#include "collect/auth.h"
#include "collect/source.h"

typedef struct StorageAccount {
    Str name; // "stlogs"; of an emulator "devstoreaccount1"
    Str url;  // "https://stlogs.blob.core.windows.net", without a slash at the end
} StorageAccount;

// A list of events (content/collect/logs.yaml).
typedef struct LogList {
    Str name, path, version, need, licence;
    Service service;
    Quota quota;
    bool by_subscription;
} LogList;
typedef struct LogListSet {
    LogList *items;
    size_t len;
} LogListSet;
bool log_lists_load(Arena *arena, const char *content_dir, LogListSet *out, AzError *error);
const LogList *log_list_named(const LogListSet *set, Str name); // any case; NULL: none

typedef struct LogsOptions {
    const char *folder;
    const Cloud *cloud;
    Auth *auth;
    Http *http;
    uint64_t from, to; // ticks; of a blob the hour in its name, of the others the record's time
    StorageAccount *accounts;
    size_t account_count;
    Str storage_key, storage_sas; // one of them, or a token of the login when both are empty
    Str *containers;              // names with stars; none: all that diagnostic settings make
    size_t container_count;
    Str *workspaces; // ids that queries go to
    size_t workspace_count;
    Str *tables;
    size_t table_count;
    const LogList **lists;
    size_t list_count;
    Str *subscriptions; // of the lists that have one each
    size_t subscription_count;
    uint32_t most_in_flight;
    uint32_t page; // names in one listing of storage; 0: 5000, the most there are
    void (*progress)(void *context, const char *what, uint64_t done, uint64_t known);
    void *progress_context;
} LogsOptions;

typedef struct LogsGap {
    Str what, reason;
} LogsGap;

typedef struct LogsReport {
    uint64_t calls, records, bytes, files, refusals;
    struct {
        LogsGap *items;
        size_t len, cap;
    } gaps;
} LogsReport;

// The accounts of names or addresses; false when one is neither.
bool storage_accounts(Arena *arena, const Cloud *cloud, const Str *names, size_t count,
                      StorageAccount **out, AzError *error);

// False when nobody can sign in or the folder cannot be written. The report lives in `arena`.
bool logs_run(const LogsOptions *options, Arena *arena, LogsReport *report, AzError *error);
