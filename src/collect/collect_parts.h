// The parts of a collection among themselves.
#pragma once

#include "collect/answer.h"
#include "collect/collect.h"
#include "collect/pace.h"

struct Run;
struct Task;
typedef void (*TaskTake)(struct Run *run, struct Task *task, const Page *page);
typedef void (*TaskFail)(struct Run *run, struct Task *task, Str why);

// One list to be read, page by page.
typedef struct Task {
    const Source *source;
    struct Lane *lane;
    Str key;     // the same in each run: source and parent
    Str scope;   // of the gap it leaves: an ARM id, or "tenant"
    Str path;    // of its first page, with the parent's fields filled in
    Str *values; // of the source's `set`, filled in as far as the parent knows
    Str next;    // where it goes on; empty: the first page
    Str query;   // in place of the source's
    // Of calls whose rows are not written as they come: what gets each page, and what is told when
    // a call fails for good. NULL: a plain list.
    TaskTake take;
    TaskFail fail;
    void *state;
    Str list_path; // of the list, when the task begins with something else
    uint64_t rows;
    uint32_t pages, empty_pages, tries, refusals, top;
    bool signed_again, version_asked;
    uint64_t not_before; // monotonic
    uint64_t *seen;      // hashes of the pages' addresses
    size_t seen_len, seen_cap;
    struct Task *next_task;
} Task;

// The tasks that wait for one bucket.
typedef struct Lane {
    Bucket *bucket;
    Task *head, *tail;
} Lane;

typedef struct Run {
    const CollectOptions *options;
    Arena *arena;  // of the report
    Arena tasks;   // as long as the run
    Arena scratch; // of one answer
    Raw *raw;
    Pace pace;
    JsonParser *parser, *inner_parser;
    DynBuilder *builder, *inner_builder;
    struct {
        Lane **items;
        size_t len, cap;
    } lanes;
    Task *delayed;
    Map keys;      // of the tasks there are, so that no parent is asked twice
    uint64_t open; // tasks that have not ended
    CollectProgress progress;
    CollectReport *report;
    Str dead[SERVICE_COUNT];    // why nobody is signed in for the service
    Str *versions;              // corrected api-versions by source
    Buffer rows, masked;        // of the page being written
    struct Call *spare;         // to be used again
    struct Refreshing *refresh; // NULL: all is read
    AzError error;              // ends the run
} Run;

// Tasks (task.c).
// Those that no parent has; `changes`: also those that a refresh begins when it knows what changed.
void task_add_roots(Run *run, bool changes);
// A task that no earlier run knows; to be queued.
Task *task_new(Run *run, const Source *source, Str parent);
void task_reset(Task *task);           // a plain list at its beginning
void task_plain(Run *run, Task *task); // the same, queued
void task_done(Run *run, Task *task);
// After a page that was taken: on to the next one, or done.
void task_go_on(Run *run, Task *task, Str next);
// The tasks that a row of `table` gives rise to.
void task_add_children(Run *run, Str table, Str row);
// Those of all rows of an earlier run.
bool task_add_from_files(Run *run, AzError *error);
void task_queue(Run *run, Task *task);                 // at the end of its lane
void task_delay(Run *run, Task *task, uint64_t until); // until then
Str file_of(Arena *arena, const Source *source);       // name of the source's file
Str subscription_prefix(Str id); // "/subscriptions/ID" of an id; empty when it has none

// Answers (handle.c).
typedef struct Reply {
    HttpOutcome outcome;
    int status;
    Str body, problem, content_type, challenge;
    double retry_after;
    uint32_t generation; // of the token that was sent
    uint64_t sent;       // when
} Reply;
// Takes the answer to a task's call: rows are written, the task goes on, waits or ends.
void task_answered(Run *run, Task *task, const Reply *reply);
void task_gap(Run *run, Task *task, Str reason);

// Rows (row.c).
// Appends the object to run->rows as one line: flattened, with its columns, without secrets.
bool row_write(Run *run, const Task *task, Str row);
// The texts of members of a JSON object, of scalars; empty when there is none. In `arena`.
void row_texts(Run *run, Arena *arena, Str json, const Str *names, Str *out, size_t count);
// The tasks that these lines give rise to.
void rows_add_children(Run *run, const Source *source, const Buffer *rows);
// Fills {field} from the members of `parent` and {.field} from those of `own`; a field that
// is not there is left as it stands. `encode`: for an address.
Str template_fill(Arena *arena, Str text, Dyn parent, Dyn own, bool encode);

// Status (status.c).
bool status_write(Run *run, AzError *error);
// "microsoft.storage/storageaccounts/blobservices" of "{id}/blobServices" for storage accounts;
// an empty text when the path is not of that form.
Str source_yields(Arena *arena, const Source *source, Str parent_type);
