// Refresh: a collection that reads what changed since an earlier one, and takes the rest from it.
//
// What changed is told by the services: Resource Graph's history of changes and the activity log of
// each subscription name resources, delta queries name objects of the directory. A list of a parent
// is taken over when nothing at or below the parent changed and the earlier run had all of it. Where
// the services cannot tell (the history is too short, a log is not permitted, a delta link has
// expired, Resource Graph counts other resources than there would be), the data set is read in full,
// and the run says so: the result is that of a full collection.
//
// Sources: Azure Resource Graph, "Get resource changes" (14 days; types of the tables Resources and
// ResourceContainers; in less than five minutes); Azure Monitor, "Activity Logs - List" (90 days);
// Microsoft Graph, "Use delta query to track changes" (links of directory objects last seven days).
#pragma once

#include "collect/collect_parts.h"
#include "collect/raw_last.h"

// Changes of the time before the last collection's begin are looked at, too: the services tell of
// changes after some minutes, and clocks differ.
enum { REFRESH_OVERLAP_MINUTES = 30 };

// What a delta query said of a table of the directory.
typedef struct Delta Delta;

typedef struct Refreshing {
    RawLast *last;
    Str whole;      // why no resource is taken over; empty
    bool none;      // nothing is: another table of sources made the last collection
    bool known;     // all signals were read
    bool history;   // the history of changes reaches back to the last collection
    Map targets;    // ids of resources that changed, in lower case
    Map touched;    // those, what activity logs name, and all that is above them
    Map silent;     // subscriptions whose activity is not known, in lower case
    Map containers; // ids of the last collection's subscriptions and resource groups, in lower case
    Map deltas;     // by table, of those whose delta came to its end
    Task *carries, *carries_end;
    struct Scan *scan; // what is under way, to be freed when an error ends the run
    struct {
        Delta **items;
        size_t len, cap;
    } begun;
} Refreshing;

// Opens the last collection. Fails when it is none, or is one of another tenant.
bool refresh_open(Run *run, Str identity, AzError *error);
void refresh_close(Run *run);

void refresh_ask(Run *run);    // queues the calls for signals
void refresh_decide(Run *run); // when they are answered

// Whether the task's rows are taken over; then it is queued for that.
bool refresh_carry(Run *run, Task *task, Str parent);
// Takes over some of the queued. True when there are more.
bool refresh_carry_some(Run *run);

// Begins a root task that a refresh can shorten (Resource Graph's resources), and one whose list has
// a delta query, in a full collection, too. False when it is a plain list.
bool refresh_scan(Run *run, Task *task);
bool delta_begin(Run *run, Task *task);
void refresh_scan_close(Run *run);
void delta_close(Run *run);
// Whether the delta of the table says that this object did not change.
bool delta_unchanged(const Run *run, Str table, Str id);

// Notes why a data set is read in full though it need not be.
void refresh_note(Run *run, Str source, Str why);
// Makes the task a plain list again, and says why.
void refresh_in_full(Run *run, Task *task, Str why);

// Rows of a task that do not fit into memory, on their way to its file. run->scratch is reset in
// between.
typedef struct RowsOut {
    Run *run;
    Task *task;
    Str file;
    Buffer rows;
    uint64_t count;
} RowsOut;
bool rows_put(RowsOut *out, Str line);
// Writes the last ones and ends the task. `read`: when the oldest were.
bool rows_end(RowsOut *out, Str read, Str delta);
