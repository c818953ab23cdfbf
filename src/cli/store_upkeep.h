// The verbs of `azimuth store` that change one; cmd_store.c reads their words.
#pragma once

#include "cli/cli.h"
#include "store/upkeep.h"

typedef struct StoreWords {
    const char *keep;
    bool yes;
    const char *const *words; // behind the verb
} StoreWords;

// Exit statuses; errors go to stderr.
int store_run_compact(Store *store, const StoreWords *words);
int store_run_vacuum(Store *store, const StoreWords *words);
int store_run_retention(Store *store, const StoreWords *words);

// What a command that appended rows does last: small segments that have gathered are merged.
// The rows are there already, so that a failure is only said.
void store_merge_gathered(Store *store);
