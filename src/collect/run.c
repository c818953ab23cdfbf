// The run: tasks in lanes, calls in flight, one thread.
//
// Each turn starts as many calls as the pace allows, then takes one answer. An answer ends
// its task, sends it to the next page, or puts it back; its rows may give rise to new tasks.
// The run ends when no task is open.

#include "collect/refresh.h"
#include "collect/request.h"

#include "base/array.h"

#include <stdio.h>
#include <string.h>

enum { TURN_MS = 200 };
static const uint64_t MS = 1000000;

typedef struct Call {
    Task *tasks[BATCH_MOST];
    size_t count;
    Bucket *bucket;
    double cost;
    uint64_t sent;
    uint32_t generation;
    struct Call *next_spare;
} Call;

// Calls are of the run's arena: an error may end it while some are on their way.
static Call *
call_new(Run *run)
{
    Call *call = run->spare;
    if (!call)
        return ARENA_NEW(&run->tasks, Call);
    run->spare = call->next_spare;
    *call = (Call){0};
    return call;
}

static void
call_done(Run *run, Call *call)
{
    call->next_spare = run->spare;
    run->spare = call;
}

static Task *
lane_pop(Lane *lane)
{
    Task *task = lane->head;
    lane->head = task->next_task;
    if (!lane->head)
        lane->tail = NULL;
    task->next_task = NULL;
    return task;
}

// How many tasks at the head of the lane may go in one call, and what it costs.
static size_t
head_count(const Run *run, const Lane *lane, double *cost)
{
    size_t count = 0;
    double burst = pace_burst(&run->pace, lane->bucket);
    *cost = 0;
    for (const Task *task = lane->head; task && count < BATCH_MOST && request_may_batch(task);
         task = task->next_task) {
        if (count && *cost + task->source->cost > burst)
            break;
        *cost += task->source->cost;
        count++;
    }
    if (count)
        return count;
    *cost = lane->head->source->cost;
    return 1;
}

// Nobody is signed in for the service: none of its tasks can be done.
static void
drop_service(Run *run, Service service, const AzError *why)
{
    run->dead[service] = str_format(&run->tasks, "nobody is signed in for it: %s", why->message);
}

static void
start_call(Run *run, Lane *lane, size_t count, double cost)
{
    Call *call = call_new(run);
    AzError error = {0};
    Str why;
    call->bucket = lane->bucket;
    call->cost = cost;
    call->sent = http_now(run->options->http);
    for (size_t i = 0; i < count; i++)
        call->tasks[call->count++] = lane_pop(lane);
    arena_reset(&run->scratch);
    if (request_send(run, call->tasks, count, call, &call->generation, &why, &error))
        return;
    pace_unsent(&run->pace, call->bucket, cost);
    if (!why.len) {
        drop_service(run, call->tasks[0]->source->service, &error);
        why = run->dead[call->tasks[0]->source->service];
    }
    for (size_t i = 0; i < count; i++)
        task_gap(run, call->tasks[i], why);
    call_done(run, call);
}

// Starts what may start. Returns the nanoseconds until something else may.
static uint64_t
start_calls(Run *run)
{
    uint64_t soonest = TURN_MS * MS;
    for (size_t i = 0; i < run->lanes.len; i++) {
        Lane *lane = run->lanes.items[i];
        while (lane->head) {
            Service service = lane->head->source->service;
            if (run->dead[service].len) {
                task_gap(run, lane_pop(lane), run->dead[service]);
                continue;
            }
            uint64_t wait, now = http_now(run->options->http);
            double cost;
            size_t count = head_count(run, lane, &cost);
            if (!pace_take(&run->pace, lane->bucket, cost, now, &wait)) {
                soonest = wait && wait < soonest ? wait : soonest;
                break;
            }
            start_call(run, lane, count, cost);
        }
    }
    return soonest;
}

static uint64_t
wake_delayed(Run *run)
{
    uint64_t now = http_now(run->options->http), soonest = TURN_MS * MS;
    for (Task **at = &run->delayed; *at;) {
        Task *task = *at;
        if (task->not_before > now) {
            if (task->not_before - now < soonest)
                soonest = task->not_before - now;
            at = &task->next_task;
            continue;
        }
        *at = task->next_task;
        task_queue(run, task);
    }
    return soonest;
}

static Reply
reply_of(const HttpAnswer *answer, const Call *call)
{
    return (Reply){.outcome = answer->outcome,
                   .status = answer->status,
                   .body = answer->body,
                   .problem = answer->problem,
                   .content_type = http_header(answer, "Content-Type"),
                   .challenge = http_header(answer, "WWW-Authenticate"),
                   .retry_after = answer->retry_after,
                   .generation = call->generation,
                   .sent = call->sent};
}

// The answers of a batch, in any order; one that is missing is asked again, alone.
static void
take_batch(Run *run, const Call *call, const Reply *reply)
{
    BatchPart *parts = NULL;
    size_t count = 0;
    Arena arena = {0};
    bool taken[BATCH_MOST] = {false};
    bool read = reply->outcome == HTTP_ANSWERED && reply->status == 200 &&
                batch_read(&arena, run->parser, run->builder, reply->body, &parts, &count);
    for (size_t i = 0; read && i < count; i++) {
        char *end;
        size_t number = strtoul(str_cstr(&arena, parts[i].id), &end, 10);
        if (*end || number < 1 || number > call->count || taken[number - 1])
            continue;
        taken[number - 1] = true;
        Reply part = {.outcome = HTTP_ANSWERED,
                      .status = parts[i].status,
                      .body = parts[i].body,
                      .retry_after = parts[i].retry_after,
                      .generation = reply->generation,
                      .sent = reply->sent};
        pace_used(&run->pace, call->bucket, parts[i].used, http_now(run->options->http));
        arena_reset(&run->scratch);
        task_answered(run, call->tasks[number - 1], &part);
    }
    Reply missing = {.outcome = HTTP_CUT,
                     .problem = STR("the answer to a batch of calls lacks this one"),
                     .generation = reply->generation,
                     .sent = reply->sent};
    for (size_t i = 0; i < call->count; i++)
        if (!taken[i]) {
            arena_reset(&run->scratch);
            task_answered(run, call->tasks[i], read ? &missing : reply);
        }
    arena_free(&arena);
}

static void
check_limit(Run *run, const HttpAnswer *answer)
{
    // More subscriptions than one query sees: what it gave is only a part.
    if (!str_equal_ci(http_header(answer, "x-ms-tenant-subscription-limit-hit"), STR("true")) ||
        run->report->limit_hit)
        return;
    run->report->limit_hit = true;
}

static void
take_answer(Run *run, HttpAnswer *answer)
{
    Call *call = answer->tag;
    Reply reply = reply_of(answer, call);
    run->progress.source = call->tasks[0]->source->name.ptr;
    pace_answered(&run->pace, call->bucket, call->cost, answer, http_now(run->options->http));
    check_limit(run, answer);
    arena_reset(&run->scratch);
    if (call->count > 1)
        take_batch(run, call, &reply);
    else
        task_answered(run, call->tasks[0], &reply);
    call_done(run, call);
    http_answer_free(answer);
}

static void
tell_progress(Run *run)
{
    run->progress.calls = run->pace.calls;
    run->progress.open = run->open;
    if (run->options->progress)
        run->options->progress(run->options->progress_context, &run->progress);
}

static bool
run_tasks(Run *run)
{
    while (run->open && !run->error.code) {
        bool carrying = refresh_carry_some(run);
        uint64_t later = wake_delayed(run), soon = start_calls(run);
        if (!run->open || run->error.code)
            break;
        uint64_t wait = carrying ? 0 : soon < later ? soon : later;
        HttpAnswer *answer = http_next(run->options->http, (uint32_t)(wait / MS) + 1);
        if (answer)
            take_answer(run, answer);
        tell_progress(run);
    }
    return !run->error.code;
}

// ---- one row an id ----

typedef struct Ids {
    Run *run;
    Map map;
} Ids;

static bool
read_id(void *context, const JsonMember *member)
{
    Str *id = context;
    if (member->kind == DYN_STRING && str_equal(member->key, STR("id")))
        *id = member->string;
    return true;
}

static Str
id_of(Run *run, Str line)
{
    Str id = {0};
    const char *why;
    size_t offset;
    json_walk_object(run->parser, run->builder, line, read_id, &id, &why, &offset);
    return str_lower(&run->scratch, id);
}

static bool
add_id(void *context, Str line)
{
    Ids *ids = context;
    bool is_new;
    arena_reset(&ids->run->scratch);
    Str id = id_of(ids->run, line);
    if (id.len && !map_find(&ids->map, id))
        map_add(&ids->map, str_copy(&ids->run->tasks, id), &is_new);
    return true;
}

static bool
is_only_one(void *context, Str line)
{
    Ids *ids = context;
    arena_reset(&ids->run->scratch);
    return !map_find(&ids->map, id_of(ids->run, line));
}

// Some resources are in Resource Graph's answer and in their parent's: the parent's has more.
static bool
drop_doubles(Run *run)
{
    const SourceSet *set = run->options->sources;
    for (size_t i = 0; i < set->len; i++) {
        if (!set->items[i].query.len)
            continue;
        Ids ids = {.run = run};
        map_init(&ids.map, &run->tasks, false);
        for (size_t k = 0; k < set->len; k++) {
            const RawFile *file = raw_file(run->raw, file_of(&run->tasks, &set->items[k]));
            if (k != i && file && str_equal_ci(set->items[k].table, set->items[i].table) &&
                !raw_each(file, add_id, &ids, &run->error))
                return false;
        }
        if (ids.map.len && !raw_filter(run->raw, file_of(&run->tasks, &set->items[i]), is_only_one,
                                       &ids, &run->error))
            return false;
    }
    return true;
}

static void
count_rows(Run *run)
{
    run->report->rows = 0;
    for (size_t i = 0; i < raw_file_count(run->raw); i++)
        run->report->rows += raw_file_at(run->raw, i)->rows;
}

// ---- begin and end ----

static void
run_init(Run *run, const CollectOptions *options, Arena *arena, CollectReport *report)
{
    *run = (Run){.options = options, .arena = arena, .report = report};
    *report = (CollectReport){0};
    run->parser = json_parser_new();
    run->inner_parser = json_parser_new();
    run->builder = dyn_builder_new();
    run->inner_builder = dyn_builder_new();
    run->versions =
        ARENA_ARRAY(&run->tasks, Str, options->sources->len + options->sources->signal_count);
    pace_init(&run->pace, &run->tasks, options->most_in_flight);
    map_init(&run->keys, &run->tasks, false);
}

static void
run_free(Run *run)
{
    raw_close(run->raw);
    refresh_close(run);
    json_parser_free(run->parser);
    json_parser_free(run->inner_parser);
    dyn_builder_free(run->builder);
    dyn_builder_free(run->inner_builder);
    buffer_free(&run->rows);
    buffer_free(&run->masked);
    arena_free(&run->scratch);
    arena_free(&run->tasks);
}

// Whether somebody was signed in for one of the services that were needed.
static bool
was_signed_in(Run *run)
{
    bool any = false;
    const SourceSet *set = run->options->sources;
    for (size_t i = 0; i < set->len; i++)
        any = any || !run->dead[set->items[i].service].len;
    Service service = run->dead[SERVICE_ARM].len ? SERVICE_ARM : SERVICE_GRAPH;
    return any || error_set(&run->error, AZ_INVALID, "%.*s", STR_ARG(run->dead[service]));
}

// What a refresh must know before it takes over lists of resources: what changed, and which
// subscriptions there are.
static bool
learn_changes(Run *run)
{
    refresh_ask(run);
    task_add_roots(run, false);
    if (!run_tasks(run))
        return false;
    refresh_decide(run);
    return true;
}

static bool
read_all(Run *run)
{
    task_add_roots(run, true);
    return task_add_from_files(run, &run->error) && run_tasks(run);
}

bool
collect_run(const CollectOptions *options, Arena *arena, CollectReport *report, AzError *error)
{
    Run run;
    uint64_t started = http_now(options->http);
    run_init(&run, options, arena, report);
    Str identity =
        str_format(&run.tasks, "%.*s, cloud %.*s, sources %.*s", STR_ARG(options->identity),
                   STR_ARG(options->cloud->name), STR_ARG(options->sources->hash));
    bool done = !options->last || refresh_open(&run, identity, &run.error);
    Str last = done && run.refresh ? raw_last_begun(run.refresh->last) : STR("");
    if (run.refresh && !last.len)
        last = STR("unknown");
    if (done)
        run.raw = raw_open(options->folder, identity, last, &report->resumed, &run.error);
    done = run.raw != NULL;
    if (done) {
        const RawFile *users = raw_file(run.raw, STR("users.jsonl"));
        run.pace.users = users ? users->rows : 0;
        done = (!run.refresh || learn_changes(&run)) && read_all(&run) && was_signed_in(&run) &&
               drop_doubles(&run) && status_write(&run, &run.error);
        count_rows(&run);
    }
    report->calls = run.pace.calls;
    report->refusals = run.pace.refusals;
    report->seconds = (double)(http_now(options->http) - started) / 1e9;
    if (!done && run.raw) {
        AzError ignored; // the first error is the one to tell
        raw_sync(run.raw, &ignored);
    }
    if (!done && error)
        *error = run.error;
    run_free(&run);
    return done;
}
