// Diagnostic logs in storage accounts: containers are listed, blobs of the hours wanted are
// read from where the last file ends.
//
// Many calls are in flight at once; each is a job that ends, goes on or makes others. A blob
// that still grows gives its whole records now and the rest the next time. Source: Azure
// Monitor, "Azure resource logs: send to Azure Storage"; Blob Storage REST API, "List Blobs",
// "Get Blob".

#include "collect/logs_parts.h"

#include "base/array.h"
#include "base/glob.h"
#include "collect/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    PIECE = 8 << 20,       // bytes of a blob in one call
    MOST_PIECE = 64 << 20, // of a record that is longer
    PAGE = 5000,           // names in one listing
    MOST_TRIES = 5,
    MOST_PAGES = 100000,
    TURN_MS = 200,
};
static const uint64_t MS = 1000000, HOUR = 36000000000; // nanoseconds; ticks

typedef enum JobKind { JOB_CONTAINERS, JOB_BLOBS, JOB_READ } JobKind;

typedef struct Job {
    JobKind kind;
    Arena arena;
    const StorageAccount *account;
    Str container, blob, marker;
    Str folder; // of a blob
    uint64_t offset, piece;
    bool is_list, signed_again;
    uint32_t tries, pages, generation;
    uint64_t not_before; // nanoseconds of http_now
    uint64_t sent;
    struct Job *next;              // in the queue, or among the delayed
    struct Job *newer, **link_all; // in the list of all
} Job;

typedef struct Reading {
    Logs *logs;
    Bucket *bucket;
    Job *first, *last; // waiting
    Job *delayed, *all;
    uint64_t open, known; // jobs that have not ended; blobs to be read
} Reading;

static void
queue(Reading *reading, Job *job)
{
    job->next = NULL;
    if (reading->last)
        reading->last->next = job;
    else
        reading->first = job;
    reading->last = job;
}

static Job *
add_job(Reading *reading, JobKind kind, const StorageAccount *account, Str container)
{
    Job *job = calloc(1, sizeof(*job));
    if (!job)
        abort();
    job->kind = kind;
    job->account = account;
    job->container = str_copy(&job->arena, container);
    job->piece = PIECE;
    job->newer = reading->all;
    job->link_all = &reading->all;
    if (reading->all)
        reading->all->link_all = &job->newer;
    reading->all = job;
    reading->open++;
    queue(reading, job);
    return job;
}

static void
end_job(Reading *reading, Job *job)
{
    reading->open--;
    *job->link_all = job->newer;
    if (job->newer)
        job->newer->link_all = job->link_all;
    arena_free(&job->arena);
    free(job);
}

static Str
what_of(Logs *logs, const Job *job)
{
    return str_format(&logs->scratch, "%.*s%s%.*s%s%.*s", STR_ARG(job->account->name),
                      job->container.len ? "/" : "", STR_ARG(job->container),
                      job->blob.len ? "/" : "", STR_ARG(job->blob));
}

static void
give_up(Reading *reading, Job *job, Str reason)
{
    logs_gap(reading->logs, what_of(reading->logs, job), reason);
    end_job(reading, job);
}

static void
delay(Reading *reading, Job *job, double seconds)
{
    job->not_before = http_now(reading->logs->options->http) + (uint64_t)(seconds * 1e9);
    job->next = reading->delayed;
    reading->delayed = job;
}

// ---- requests ----

static bool
send(Reading *reading, Job *job)
{
    Logs *logs = reading->logs;
    Arena *arena = &logs->scratch;
    StorageRequest wire;
    StorageParam params[6];
    size_t count = 0;
    Str path = STR(""), range = STR("");
    char most[16];
    snprintf(most, sizeof(most), "%u", logs->options->page ? logs->options->page : PAGE);
    if (job->kind != JOB_READ) {
        // In the order of names, as the signature needs them.
        params[count++] = (StorageParam){"comp", STR("list")};
        if (job->marker.len)
            params[count++] = (StorageParam){"marker", job->marker};
        params[count++] = (StorageParam){"maxresults", str_from(most)};
        if (job->kind == JOB_CONTAINERS)
            params[count++] = (StorageParam){"prefix", STR("insights-")};
        else
            params[count++] = (StorageParam){"restype", STR("container")};
    }
    if (job->container.len)
        path = str_format(arena, "/%.*s%s%.*s", STR_ARG(job->container), job->blob.len ? "/" : "",
                          STR_ARG(job->blob));
    if (job->kind == JOB_READ)
        range = str_format(arena, "bytes=%llu-%llu", (unsigned long long)job->offset,
                           (unsigned long long)(job->offset + job->piece - 1));
    if (!storage_request(arena, logs->options, job->account, path, params, count, range,
                         (int64_t)time(NULL), &wire, &logs->error))
        return false;
    wire.request.most_bytes = MOST_PIECE + (1 << 20);
    job->generation = wire.generation;
    job->sent = http_now(logs->options->http);
    http_send(logs->options->http, &wire.request, job);
    return true;
}

// ---- listings ----

// Whether a container is one of diagnostic settings, or one that was asked for.
static bool
is_wanted(const Logs *logs, Str container)
{
    const LogsOptions *options = logs->options;
    for (size_t i = 0; i < options->container_count; i++)
        if (glob_match(options->containers[i], container, 0))
            return true;
    return !options->container_count && (str_starts(container, STR("insights-logs-")) ||
                                         str_equal(container, STR("insights-activity-logs")));
}

// The number behind "/y=" in the blob's name.
static bool
part_of(Str name, const char *part, long *out)
{
    Arena arena = {0};
    ptrdiff_t at = str_find(name, str_from(part));
    bool found = at >= 0;
    if (found) {
        char *text = str_cstr(&arena, str_slice(name, (size_t)at + strlen(part), name.len)), *end;
        *out = strtol(text, &end, 10);
        found = end > text && *out >= 0;
    }
    arena_free(&arena);
    return found;
}

// Whether the blob is of an hour that is wanted: .../y=2026/m=06/d=01/h=09/m=00/PT1H.json
static bool
is_of_time(const Logs *logs, Str name)
{
    long year, month, day, hour;
    char text[40];
    uint64_t begins;
    if (!part_of(name, "/y=", &year) || !part_of(name, "/m=", &month) ||
        !part_of(name, "/d=", &day) || !part_of(name, "/h=", &hour))
        return false;
    snprintf(text, sizeof(text), "%04ld%02ld%02ldT%02ld0000Z", year, month, day, hour);
    return log_time_parse(str_from(text), &begins) && begins + HOUR > logs->options->from &&
           begins < logs->options->to;
}

// Where the files of an earlier run end; the blob's size when all is there.
static bool
find_offset(Logs *logs, Str folder, uint64_t size, uint64_t *offset, bool *is_list)
{
    LogSpans spans;
    LogSpan all = {0, size}, missing;
    if (!log_spans(&logs->scratch, folder, LOG_BYTES, &spans, &logs->error))
        return false;
    *offset = log_missing(&spans, all, &missing) ? missing.from : size;
    *is_list = spans.is_list;
    return true;
}

static void
add_blob(Reading *reading, const Job *job, const StorageItem *item)
{
    Logs *logs = reading->logs;
    Arena *scratch = &logs->scratch;
    uint64_t offset;
    bool is_list;
    if (!is_of_time(logs, item->name))
        return;
    Str folder = log_path(scratch, str_from(logs->options->folder), STR("storage"));
    folder = log_path(scratch, folder, job->account->name);
    folder = log_path(scratch, folder, job->container);
    folder = log_path(scratch, folder, item->name);
    if (!find_offset(logs, folder, item->size, &offset, &is_list) || offset == item->size)
        return;
    Job *blob = add_job(reading, JOB_READ, job->account, job->container);
    blob->blob = str_copy(&blob->arena, item->name);
    blob->folder = str_copy(&blob->arena, folder);
    blob->offset = offset;
    blob->is_list = is_list;
    reading->known++;
}

static void
take_listing(Reading *reading, Job *job, Str body)
{
    Arena arena = {0};
    StorageListing listing;
    bool blobs = job->kind == JOB_BLOBS;
    if (!storage_listing_read(&arena, body, blobs ? "Blob" : "Container", &listing)) {
        give_up(reading, job, STR("the answer is no listing of a storage account"));
        arena_free(&arena);
        return;
    }
    for (size_t i = 0; i < listing.len; i++)
        if (blobs)
            add_blob(reading, job, &listing.items[i]);
        else if (is_wanted(reading->logs, listing.items[i].name))
            add_job(reading, JOB_BLOBS, job->account, listing.items[i].name);
    bool same = str_equal(listing.marker, job->marker);
    if (!listing.marker.len) {
        end_job(reading, job);
    } else if (same || ++job->pages >= MOST_PAGES) {
        give_up(reading, job, STR("there is no end of pages of the listing: stopped"));
    } else {
        job->marker = str_copy(&job->arena, listing.marker);
        job->tries = 0;
        queue(reading, job);
    }
    arena_free(&arena);
}

// ---- blobs ----

// Whether the answer is the stretch that was asked for.
static bool
is_our_range(const Job *job, const HttpAnswer *answer)
{
    char expected[64];
    if (answer->status == 200)
        return job->offset == 0;
    snprintf(expected, sizeof(expected), "bytes %llu-", (unsigned long long)job->offset);
    return str_starts(http_header(answer, "Content-Range"), str_from(expected));
}

static void
take_piece(Reading *reading, Job *job, const HttpAnswer *answer)
{
    Logs *logs = reading->logs;
    Str body = answer->body;
    Buffer rows = {0};
    uint64_t count = 0;
    if (!body.len) { // an emulator's way to say that there is nothing more
        end_job(reading, job);
        return;
    }
    if (!is_our_range(job, answer)) {
        give_up(reading, job, STR("the answer is another part of the blob than was asked for"));
        return;
    }
    if (job->offset == 0)
        job->is_list = records_form(body) == RECORDS_LIST;
    RecordsForm form = job->is_list ? RECORDS_LIST : RECORDS_LINES;
    size_t taken = records_cut(form, job->offset == 0, body, &rows, &count);
    bool full = body.len >= job->piece;
    LogSpan span = {job->offset, job->offset + taken};
    logs_mask(logs, &rows);
    bool done =
        !taken || log_write(job->folder, LOG_BYTES, span, job->is_list, &rows, &logs->error);
    buffer_free(&rows);
    logs->report->records += count;
    logs->report->bytes += taken;
    logs->report->files += taken > 0;
    job->offset += taken;
    if (!done || (!full && answer->status == 206) || answer->status == 200) {
        end_job(reading, job);
    } else if (!taken && job->piece >= MOST_PIECE) {
        give_up(reading, job, STR("a record is longer than 64 MiB"));
    } else {
        job->piece = taken ? PIECE : job->piece * 2;
        job->tries = 0;
        queue(reading, job);
    }
}

static void
take_failure(Reading *reading, Job *job, const HttpAnswer *answer)
{
    Logs *logs = reading->logs;
    int status = answer->status;
    uint64_t now = http_now(logs->options->http);
    if (status == 416) { // nothing behind what we have
        end_job(reading, job);
        return;
    }
    ServiceError said = service_error(&logs->scratch, logs->parser, logs->builder, answer->body);
    if (!said.code.len)
        said.code = http_header(answer, "x-ms-error-code");
    // Deleted since it was listed, by a rule of retention: no loss of ours.
    if (status == 404 && job->kind == JOB_READ && !str_equal(said.code, STR("ContainerNotFound"))) {
        end_job(reading, job);
        return;
    }
    if (status == 401 && job->generation && !job->signed_again) {
        job->signed_again = true;
        auth_refused(logs->options->auth, SERVICE_STORAGE, job->generation, STR(""));
        queue(reading, job);
        return;
    }
    bool pace = status == 429 || str_equal_ci(said.code, STR("ServerBusy"));
    bool trouble = pace || status == 408 || status == 500 || (status >= 502 && status <= 504);
    if (trouble && ++job->tries < MOST_TRIES) {
        double pause = answer->retry_after >= 0 ? answer->retry_after : 1u << job->tries;
        if (pace)
            pace_refused(&logs->pace, reading->bucket, job->sent, pause, now);
        else
            pace_trouble(&logs->pace, now);
        delay(reading, job, pause > 60 ? 60 : pause);
        return;
    }
    const Refused refused = {.status = status,
                             .said = said,
                             .need = STR("Storage Blob Data Reader, or a key or signature that may "
                                         "list and read"),
                             .tries = MOST_TRIES,
                             .refusals = MOST_TRIES};
    give_up(reading, job, refused_reason(&logs->scratch, logs->options->auth, &refused));
}

static void
take_answer(Reading *reading, HttpAnswer *answer)
{
    Logs *logs = reading->logs;
    Job *job = answer->tag;
    pace_answered(&logs->pace, reading->bucket, 1, answer, http_now(logs->options->http));
    arena_reset(&logs->scratch);
    if (answer->outcome != HTTP_ANSWERED) {
        bool again = answer->outcome == HTTP_UNREACHABLE || answer->outcome == HTTP_CUT ||
                     answer->outcome == HTTP_TIMED_OUT;
        if (again && ++job->tries < MOST_TRIES)
            delay(reading, job, 0.5 * job->tries);
        else
            give_up(reading, job, answer->problem);
    } else if (answer->status != 200 && answer->status != 206) {
        take_failure(reading, job, answer);
    } else if (job->kind == JOB_READ) {
        pace_accepted(reading->bucket, job->sent);
        take_piece(reading, job, answer);
    } else {
        pace_accepted(reading->bucket, job->sent);
        take_listing(reading, job, answer->body);
    }
    http_answer_free(answer);
}

// ---- the run ----

// Starts what may start. Returns the nanoseconds until something else may.
static uint64_t
start_jobs(Reading *reading)
{
    Logs *logs = reading->logs;
    uint64_t now = http_now(logs->options->http), soonest = TURN_MS * MS, wait = 0;
    for (Job **at = &reading->delayed; *at;) {
        Job *job = *at;
        if (job->not_before > now) {
            soonest = job->not_before - now < soonest ? job->not_before - now : soonest;
            at = &job->next;
            continue;
        }
        *at = job->next;
        queue(reading, job);
    }
    while (reading->first && !logs->error.code &&
           pace_take(&logs->pace, reading->bucket, 1, now, &wait)) {
        Job *job = reading->first;
        reading->first = job->next;
        if (!reading->first)
            reading->last = NULL;
        arena_reset(&logs->scratch);
        if (send(reading, job))
            continue;
        pace_unsent(&logs->pace, reading->bucket, 1);
        give_up(reading, job,
                str_format(&logs->scratch, "nobody is signed in for it: %s", logs->error.message));
        logs->error = (AzError){0};
    }
    return reading->first && wait && wait < soonest ? wait : soonest;
}

static void
add_roots(Reading *reading)
{
    const LogsOptions *options = reading->logs->options;
    for (size_t i = 0; i < options->account_count; i++) {
        bool list = !options->container_count;
        // A signature for one container may read that, but not list the others.
        for (size_t k = 0; k < options->container_count; k++)
            if (memchr(options->containers[k].ptr, '*', options->containers[k].len))
                list = true;
            else
                add_job(reading, JOB_BLOBS, &options->accounts[i], options->containers[k]);
        if (list)
            add_job(reading, JOB_CONTAINERS, &options->accounts[i], STR(""));
    }
}

bool
logs_storage(Logs *logs)
{
    const LogsOptions *options = logs->options;
    // Storage allows 20,000 calls a second of an account; ours are long ones.
    static const Quota quota = {.name = STR_INIT("storage"), .burst = 200, .rate = 400};
    Reading reading = {.logs = logs, .bucket = pace_bucket(&logs->pace, &quota, STR(""))};
    add_roots(&reading);
    while (reading.open && !logs->error.code) {
        uint64_t wait = start_jobs(&reading);
        if (!reading.open || logs->error.code)
            break;
        HttpAnswer *answer = http_next(options->http, (uint32_t)(wait / MS) + 1);
        if (answer)
            take_answer(&reading, answer);
        if (options->progress)
            options->progress(options->progress_context, "storage",
                              reading.known > reading.open ? reading.known - reading.open : 0,
                              reading.known);
    }
    while (reading.all)
        end_job(&reading, reading.all);
    return !logs->error.code;
}
