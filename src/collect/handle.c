// What becomes of a task when its call is answered.

#include "collect/collect_parts.h"
#include "collect/reason.h"

#include "base/array.h"

enum {
    MOST_TRIES = 4,     // of a call that fails by connection or a server's trouble
    MOST_REFUSALS = 12, // of a call, for its pace
    MOST_EMPTY = 200,   // empty pages one after another
};

void
task_done(Run *run, Task *task)
{
    (void)task;
    run->open--;
}

void
task_gap(Run *run, Task *task, Str reason)
{
    const Source *source = task->source;
    CollectReport *report = run->report;
    if (task->fail) {
        task->fail(run, task, reason);
        return;
    }
    CollectGap gap = {.table = str_copy(run->arena, source->table),
                      .source = str_copy(run->arena, source->name),
                      .scope = str_copy(run->arena, task->scope),
                      .reason = str_copy(run->arena, reason),
                      .rows = task->rows};
    if (report->gap_count == report->gap_cap) {
        size_t cap = report->gap_cap ? report->gap_cap * 2 : 16;
        CollectGap *gaps = ARENA_ARRAY(run->arena, CollectGap, cap);
        for (size_t i = 0; i < report->gap_count; i++)
            gaps[i] = report->gaps[i];
        report->gaps = gaps;
        report->gap_cap = cap;
    }
    report->gaps[report->gap_count++] = gap;
    run->progress.gaps++;
    task_done(run, task);
}

// ---- pages ----

static bool
is_new_address(Run *run, Task *task, Str next)
{
    struct {
        uint64_t *items;
        size_t len, cap;
    } seen = {task->seen, task->seen_len, task->seen_cap};
    uint64_t hash = str_hash(next);
    for (size_t i = 0; i < seen.len; i++)
        if (seen.items[i] == hash)
            return false;
    ARRAY_PUSH(&run->tasks, &seen, hash);
    task->seen = seen.items;
    task->seen_len = seen.len;
    task->seen_cap = seen.cap;
    return true;
}

// Why the task must not go on to `next`; empty when it may.
static Str
next_problem(Run *run, Task *task, Str next)
{
    if (auth_knows(run->options->auth, next))
        return STR("the address of the next page holds a token: not followed");
    if (!is_new_address(run, task, next))
        return STR("the pages go round in a circle: stopped");
    if (task->pages >= run->options->most_pages || task->empty_pages >= MOST_EMPTY)
        return str_format(&run->scratch, "there is no end of pages: stopped after %u", task->pages);
    return STR("");
}

void
rows_add_children(Run *run, const Source *source, const Buffer *rows)
{
    Str all = buffer_slice(rows);
    for (size_t at = 0; at < all.len;) {
        size_t end = at;
        while (all.ptr[end] != '\n')
            end++;
        task_add_children(run, source->table, str_slice(all, at, end));
        at = end + 1;
    }
}

void
task_go_on(Run *run, Task *task, Str next)
{
    if (!next.len) {
        task_done(run, task);
        return;
    }
    task->next = str_copy(&run->tasks, next);
    task_queue(run, task);
}

// A page of a call whose rows are not written as they come.
static void
give_page(Run *run, Task *task, const Page *page)
{
    task->tries = task->refusals = 0;
    task->pages++;
    task->empty_pages = page->count ? 0 : task->empty_pages + 1;
    Str problem = page->next.len ? next_problem(run, task, page->next) : STR("");
    if (page->truncated)
        problem = STR("the answer was cut by the service");
    if (problem.len)
        task->fail(run, task, problem);
    else
        task->take(run, task, page);
}

static void
take_page(Run *run, Task *task, const Page *page)
{
    uint64_t bad = 0;
    buffer_clear(&run->rows);
    for (size_t i = 0; i < page->count; i++)
        if (!row_write(run, task, page->rows[i]))
            bad++;
    uint64_t rows = page->count - bad;
    task->tries = task->refusals = 0;
    task->pages++;
    task->rows += rows;
    task->empty_pages = page->count ? 0 : task->empty_pages + 1;
    Str problem = page->next.len ? next_problem(run, task, page->next) : STR("");
    if (bad)
        problem = str_format(&run->scratch, "%llu objects of the answer could not be read",
                             (unsigned long long)bad);
    else if (page->truncated)
        problem = STR("the answer was cut by the service");
    // A list that must not go on is not done either: the manifest says so.
    Str next = problem.len ? STR("-") : page->next;
    RawPage written = {.file = file_of(&run->scratch, task->source),
                       .key = task->key,
                       .rows = &run->rows,
                       .count = rows,
                       .next = next};
    if (!raw_append(run->raw, &written, &run->error))
        return;
    run->progress.rows += rows;
    if (str_equal_ci(task->source->table, STR("users")))
        run->pace.users += rows;
    rows_add_children(run, task->source, &run->rows);
    if (problem.len)
        task_gap(run, task, problem);
    else
        task_go_on(run, task, page->next);
}

// There is none of this here.
static void
take_none(Run *run, Task *task)
{
    RawPage none = {.file = file_of(&run->scratch, task->source), .key = task->key};
    if (raw_append(run->raw, &none, &run->error))
        task_done(run, task);
}

// ---- failures ----

static bool
try_again(Run *run, Task *task, double retry_after)
{
    if (++task->tries >= MOST_TRIES)
        return false;
    uint64_t now = http_now(run->options->http);
    double pause = retry_after >= 0 ? retry_after : (double)(1u << task->tries) / 4;
    pause = pause > 120 ? 120 : pause;
    pace_trouble(&run->pace, now);
    task_delay(run, task, now + (uint64_t)(pause * 1e9));
    return true;
}

static bool
has_code(const Str *codes, size_t count, Str code)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal_ci(codes[i], code))
            return true;
    return false;
}

static bool
means_none(const Run *run, const Source *source, int status, Str code)
{
    static const Str gone[] = {STR_INIT("ResourceNotFound"), STR_INIT("ResourceGroupNotFound"),
                               STR_INIT("SubscriptionNotFound"), STR_INIT("ParentResourceNotFound"),
                               STR_INIT("Request_ResourceNotFound")};
    const SourceSet *set = run->options->sources;
    Arena scratch = {0};
    Str number = str_format(&scratch, "%d", status);
    bool listed = has_code(source->absent, source->absent_count, number) &&
                  !has_code(gone, COUNT_OF(gone), code);
    arena_free(&scratch);
    return listed || (code.len && (has_code(source->absent, source->absent_count, code) ||
                                   has_code(set->absent, set->absent_count, code)));
}

// A version the service no longer has: asks once more with one that it offers.
static bool
correct_version(Run *run, Task *task, const ServiceError *said)
{
    const Source *source = task->source;
    bool fits = str_equal_ci(said->code, STR("NoRegisteredProviderFound")) ||
                str_equal_ci(said->code, STR("InvalidApiVersionParameter")) ||
                str_equal_ci(said->code, STR("InvalidResourceType"));
    Str offered = fits ? offered_version(&run->tasks, said->message) : STR("");
    Str used = run->versions[source->number].len ? run->versions[source->number] : source->version;
    if (!offered.len || !source->version.len || task->next.len || task->version_asked)
        return false;
    if (str_equal(offered, used))
        return false;
    task->version_asked = true;
    run->versions[source->number] = offered;
    task_queue(run, task);
    return true;
}

// Half as many rows a page, when the answer would be too large.
static bool
ask_smaller(Run *run, Task *task)
{
    if (!task->source->query.len || task->top <= 10)
        return false;
    task->top /= 2;
    task_queue(run, task);
    return true;
}

static void
take_failure(Run *run, Task *task, const Reply *reply)
{
    ServiceError said = service_error(&run->scratch, run->parser, run->builder, reply->body);
    int status = reply->status;
    if (status == 429 && ++task->refusals < MOST_REFUSALS) {
        uint64_t now = http_now(run->options->http);
        task_delay(run, task,
                   now + pace_refused(&run->pace, task->lane->bucket, reply->sent,
                                      reply->retry_after, now));
        return;
    }
    if (status == 401 && !task->signed_again) {
        task->signed_again = true;
        auth_refused(run->options->auth, task->source->service, reply->generation,
                     claims_challenge(&run->scratch, reply->challenge));
        task_queue(run, task);
        return;
    }
    bool trouble = status == 408 || status == 500 || (status >= 502 && status <= 504);
    if (trouble && try_again(run, task, reply->retry_after))
        return;
    if ((status == 413 || str_equal_ci(said.code, STR("ResponsePayloadTooLarge"))) &&
        ask_smaller(run, task))
        return;
    if (status == 400 || status == 404 || status == 409) {
        if (correct_version(run, task, &said))
            return;
        if (!task->take && means_none(run, task->source, status, said.code)) {
            take_none(run, task);
            return;
        }
    }
    const Refused refused = {.status = status,
                             .said = said,
                             .need = task->source->need,
                             .licence = task->source->licence,
                             .tries = MOST_TRIES,
                             .refusals = MOST_REFUSALS};
    task_gap(run, task, refused_reason(&run->scratch, run->options->auth, &refused));
}

static bool
is_json(Str type)
{
    return !type.len || str_find(type, STR("json")) >= 0;
}

void
task_answered(Run *run, Task *task, const Reply *reply)
{
    Page page;
    const char *why = NULL;
    if (reply->outcome == HTTP_ANSWERED && reply->status != 429)
        pace_accepted(task->lane->bucket, reply->sent);
    if (reply->outcome != HTTP_ANSWERED) {
        bool again = reply->outcome == HTTP_UNREACHABLE || reply->outcome == HTTP_CUT ||
                     reply->outcome == HTTP_TIMED_OUT;
        if (again && try_again(run, task, -1))
            return;
        if (reply->outcome == HTTP_TOO_LARGE && ask_smaller(run, task))
            return;
        task_gap(run, task, reply->problem);
        return;
    }
    if (reply->status < 200 || reply->status > 299) {
        take_failure(run, task, reply);
        return;
    }
    if (reply->status == 206)
        why = "the answer is only a part of one (206)";
    else if (!is_json(reply->content_type))
        why = "the answer is no JSON; something else than the service may have given it";
    else if (page_read(&run->scratch, run->parser, run->builder, reply->body, task->source->one,
                       &page, &why)) {
        if (task->take)
            give_page(run, task, &page);
        else
            take_page(run, task, &page);
        return;
    }
    if (!try_again(run, task, -1))
        task_gap(run, task, str_from(why));
}
