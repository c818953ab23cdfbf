// Source: a data set that can be collected, as content/collect/sources.yaml describes it.
#pragma once

#include "collect/cloud.h"

typedef struct QuotaSize { // a directory of more than so many users has a quota so much larger
    uint64_t users;
    double times;
} QuotaSize;

typedef struct Quota {
    Str name;
    Str remaining, resets, used; // names of headers, may be empty
    double burst, rate;          // units, units a second
    QuotaSize *sizes;            // by users, ascending
    size_t size_count;
    bool per_subscription;
} Quota;

typedef struct SourceColumn { // of `set` and `where`
    Str name;
    Str *texts; // a template for `set`, allowed values for `where`
    size_t count;
} SourceColumn;

// What a refresh does with rows of an earlier collection.
typedef enum Refresh {
    REFRESH_ALWAYS,  // reads all again: nothing says reliably what changed
    REFRESH_CHANGES, // keeps those of parents that did not change
    REFRESH_DELTA,   // asks Microsoft Graph for what changed since
} Refresh;

typedef struct Source {
    Str name, table;
    Service service;
    const Quota *quota;
    double cost;     // of a call, in the quota's units
    Str query, path; // one of them is empty
    Str version;     // of an ARM path
    bool batch, one; // one: the answer is the object itself, no list
    Str each;        // the table of the parents; empty: one call for the tenant
    Str *types;
    size_t type_count;
    SourceColumn *where, *set;
    size_t where_count, set_count;
    Str flatten, need, licence;
    Str *absent;
    size_t absent_count;
    Refresh refresh;
    Str track;     // navigation properties whose changes a delta names too
    size_t number; // its position in the set, signals last
} Source;

typedef struct SourceSet {
    Source *items;
    size_t len;
    Quota *quotas;
    size_t quota_count;
    Str *absent; // codes that mean "none" everywhere
    size_t absent_count;
    // What tells a refresh which resources changed: a query of Resource Graph whose rows have a
    // `target`, the same that gives the time of the `oldest` change there is, and a list of each
    // subscription whose rows have a `resourceId`.
    Source *changed, *history, *activity;
    Source *signals;
    size_t signal_count;
    double history_days; // that changes are kept
    Str hash;            // of the file: a run is only resumed with the same sources
} SourceSet;

// Reads the file. An error names the line and what is wrong there.
bool sources_load(Arena *arena, const char *content_dir, SourceSet *out, AzError *error);

// Keeps only the sources of these tables (comma-separated, any case) and those whose rows
// they are asked for. An unknown table is an error.
bool sources_keep(Arena *arena, SourceSet *set, Str tables, AzError *error);
