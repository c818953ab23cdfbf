// Collect: a tenant becomes a folder of raw answers, which is then imported.
//
// Each source of content/collect/sources.yaml is one call, or one for each row of its parent
// table as soon as that row arrives. Calls run many at once at the pace the services document
// (pace.h); pages go to disk as they come (raw.h), so that a killed run is taken up where it
// was. What could not be read is told in CollectionStatus, by scope and with the reason: a
// verdict that needs it becomes unknown. Nothing is ever written to the tenant.
#pragma once

#include "collect/auth.h"
#include "collect/raw.h"
#include "collect/source.h"

typedef struct CollectProgress {
    uint64_t calls, open; // ended, and known to be still needed
    uint64_t rows, gaps;
    const char *source; // that the last answer was of
} CollectProgress;

typedef struct CollectOptions {
    const char *folder;
    SourceSet *sources; // api-versions in it may be corrected by answers
    const Cloud *cloud;
    Auth *auth;
    Http *http;
    const char *last;        // folder of the collection to be refreshed; NULL: all is read
    Str identity;            // what a resumed run must have in common: tables, tenant
    uint32_t most_in_flight; // calls at once
    uint32_t most_pages;     // of one call, against answers without an end
    void (*progress)(void *context, const CollectProgress *progress);
    void *progress_context;
} CollectOptions;

typedef struct CollectGap {
    Str table, source, scope, reason;
    uint64_t rows; // that came before
} CollectGap;

// Why a refresh reads a data set in full though changes are told of it.
typedef struct CollectNote {
    Str source, why;
} CollectNote;

typedef struct CollectReport {
    uint64_t calls, rows, refusals; // refusals: answers 429
    bool resumed, limit_hit;        // limit_hit: more subscriptions than one query sees
    CollectGap *gaps;
    size_t gap_count, gap_cap;
    bool refreshed;
    uint64_t carried; // lists of parents that were taken over
    struct {
        CollectNote *items;
        size_t len, cap;
    } notes;
    double seconds;
} CollectReport;

// Runs to the end, or fails when nobody can sign in or the folder cannot be written; what
// single calls answer is no failure but a gap. The report lives in `arena`.
bool collect_run(const CollectOptions *options, Arena *arena, CollectReport *report,
                 AzError *error);

// What a run would do, from a few calls that count.
typedef struct PlanLine {
    const Source *source;
    uint64_t calls;
    bool at_least; // there may be more: pages, or parents that could not be counted
} PlanLine;
typedef struct CollectPlan {
    PlanLine *lines;
    size_t count;
    uint64_t calls, subscriptions;
    double seconds;
    Str uncounted; // why something could not be counted; empty
} CollectPlan;
bool collect_plan(const CollectOptions *options, Arena *arena, CollectPlan *plan, AzError *error);
