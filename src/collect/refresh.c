#include "collect/refresh.h"

#include "base/array.h"
#include "base/clock.h"
#include "value/scalar.h"

enum {
    ACTIVITY_PAGES = 200, // of a subscription's log; beyond, reading all again is no dearer
    CARRIES_A_TURN = 256,
};
static const int64_t TICKS_MINUTE = 600000000, TICKS_DAY = 864000000000;

void
refresh_note(Run *run, Str source, Str why)
{
    CollectReport *report = run->report;
    for (size_t i = 0; i < report->notes.len; i++)
        if (str_equal(report->notes.items[i].source, source))
            return;
    CollectNote note = {str_copy(run->arena, source), str_copy(run->arena, why)};
    ARRAY_PUSH(run->arena, &report->notes, note);
}

// ---- the last collection ----

// Up to the hash of the table of sources.
static Str
kind_of(Str identity)
{
    ptrdiff_t at = str_find(identity, STR(", sources "));
    return at < 0 ? identity : str_slice(identity, 0, (size_t)at);
}

typedef struct Ids {
    Run *run;
    Map *map;
    Arena scratch;
} Ids;

static bool
add_id(void *context, Str line)
{
    Ids *ids = context;
    static const Str names[] = {STR_INIT("id")};
    Str id;
    bool is_new;
    arena_reset(&ids->scratch);
    row_texts(ids->run, &ids->scratch, line, names, &id, 1);
    map_add(ids->map, str_lower(&ids->run->tasks, id), &is_new);
    return true;
}

static void
not_known(Run *run, Str why)
{
    Refreshing *refresh = run->refresh;
    if (!refresh->whole.len)
        refresh->whole = str_copy(&run->tasks, why);
}

// Whether the history of changes can reach back to the last collection at all.
static void
check_age(Run *run)
{
    int64_t begun;
    Str text = raw_last_begun(run->refresh->last);
    double days = run->options->sources->history_days;
    if (!text.len || !datetime_parse(text, &begun))
        not_known(run, STR("the last collection does not say when it began"));
    else if ((double)(clock_now_ticks() - begun) > days * (double)TICKS_DAY)
        not_known(run, str_format(&run->scratch,
                                  "the last collection began at %.*s, and Resource Graph keeps "
                                  "changes for %.0f days",
                                  STR_ARG(text), days));
    else if (!run->options->sources->signal_count)
        not_known(run, STR("the table of sources names nothing that tells changes"));
}

bool
refresh_open(Run *run, Str identity, AzError *error)
{
    Refreshing *refresh = ARENA_NEW(&run->tasks, Refreshing);
    Map *maps[] = {&refresh->targets, &refresh->touched, &refresh->silent, &refresh->containers,
                   &refresh->deltas};
    for (size_t i = 0; i < COUNT_OF(maps); i++)
        map_init(maps[i], &run->tasks, false);
    refresh->last = raw_last_open(run->options->last, error);
    if (!refresh->last)
        return false;
    run->refresh = refresh;
    run->report->refreshed = true;
    Str made = raw_last_identity(refresh->last);
    if (!str_equal(kind_of(made), kind_of(identity)))
        return error_set(error, AZ_INVALID,
                         "'%s' is a collection of another kind (%.*s; now %.*s): it cannot be "
                         "refreshed",
                         run->options->last, STR_ARG(kind_of(made)), STR_ARG(kind_of(identity)));
    if (!str_equal(made, identity)) {
        refresh->none = true;
        not_known(run, STR("another table of sources made the last collection"));
        refresh_note(run, STR("all"), refresh->whole);
        return true;
    }
    check_age(run);
    Ids ids = {.run = run, .map = &refresh->containers};
    const LastCall *call = raw_last_call(refresh->last, STR("resourcecontainers "));
    bool done = !call || raw_last_each(refresh->last, call, add_id, &ids, error);
    arena_free(&ids.scratch);
    return done;
}

void
refresh_close(Run *run)
{
    if (!run->refresh)
        return;
    refresh_scan_close(run);
    delta_close(run);
    raw_last_close(run->refresh->last);
}

// ---- signals ----

// The resource and all that is above it.
static void
touch(Run *run, Str id)
{
    bool is_new = true;
    Str lower = str_lower(&run->tasks, id);
    for (size_t end = lower.len; end && is_new; end--)
        if (end == lower.len || lower.ptr[end] == '/')
            map_add(&run->refresh->touched, str_slice(lower, 0, end), &is_new);
}

static void
take_changed(Run *run, Task *task, const Page *page)
{
    static const Str names[] = {STR_INIT("target")};
    for (size_t i = 0; i < page->count; i++) {
        Str id;
        bool is_new;
        row_texts(run, &run->scratch, page->rows[i], names, &id, 1);
        if (!id.len)
            continue;
        map_add(&run->refresh->targets, str_lower(&run->tasks, id), &is_new);
        touch(run, id);
    }
    task_go_on(run, task, page->next);
}

static void
take_history(Run *run, Task *task, const Page *page)
{
    static const Str names[] = {STR_INIT("oldest")};
    Str begun = raw_last_begun(run->refresh->last), oldest = {0};
    int64_t first, last;
    if (page->count)
        row_texts(run, &run->scratch, page->rows[0], names, &oldest, 1);
    if (!oldest.len || !datetime_parse(oldest, &first) || !datetime_parse(begun, &last))
        not_known(run, STR("Resource Graph has no history of changes"));
    else if (first > last)
        not_known(run, str_format(&run->scratch,
                                  "Resource Graph's history of changes begins at %.*s, after the "
                                  "last collection (%.*s)",
                                  STR_ARG(oldest), STR_ARG(begun)));
    else
        run->refresh->history = true;
    task_go_on(run, task, STR(""));
}

static void
take_activity(Run *run, Task *task, const Page *page)
{
    static const Str names[] = {STR_INIT("resourceId")};
    for (size_t i = 0; i < page->count; i++) {
        Str id;
        row_texts(run, &run->scratch, page->rows[i], names, &id, 1);
        if (id.len)
            touch(run, id);
    }
    if (page->next.len && task->pages >= ACTIVITY_PAGES)
        task->fail(run, task, STR("it is longer than what is read of it"));
    else
        task_go_on(run, task, page->next);
}

static void
fail_signal(Run *run, Task *task, Str why)
{
    not_known(run, str_format(&run->scratch, "%.*s could not be read: %.*s",
                              STR_ARG(task->source->name), STR_ARG(why)));
    task_done(run, task);
}

static void
fail_activity(Run *run, Task *task, Str why)
{
    bool is_new;
    map_add(&run->refresh->silent, str_lower(&run->tasks, task->scope), &is_new);
    refresh_note(
        run, str_format(&run->scratch, "lists of resources in %.*s", STR_ARG(task->scope)),
        str_format(&run->scratch, "its activity log could not be read: %.*s", STR_ARG(why)));
    task_done(run, task);
}

static Str
replaced(Arena *arena, Str text, Str what, Str by)
{
    ptrdiff_t at = str_find(text, what);
    if (at < 0)
        return text;
    return str_format(arena, "%.*s%.*s%.*s", (int)at, text.ptr, STR_ARG(by),
                      STR_ARG(str_slice(text, (size_t)at + what.len, text.len)));
}

// The text with the time since which changes count, and the present one.
static Str
with_times(Run *run, Str text)
{
    int64_t begun = 0;
    datetime_parse(raw_last_begun(run->refresh->last), &begun);
    Str since = raw_time(&run->tasks, begun - REFRESH_OVERLAP_MINUTES * TICKS_MINUTE);
    text = replaced(&run->tasks, text, STR("{since}"), since);
    return replaced(&run->tasks, text, STR("{now}"),
                    raw_time(&run->tasks, clock_now_ticks() + TICKS_MINUTE));
}

static bool
is_subscription(Str id)
{
    Str prefix = STR("/subscriptions/");
    return str_starts(id, prefix) && str_find(str_slice(id, prefix.len, id.len), STR("/")) < 0;
}

void
refresh_ask(Run *run)
{
    const SourceSet *set = run->options->sources;
    Refreshing *refresh = run->refresh;
    if (refresh->whole.len)
        return;
    const Source *queries[] = {set->changed, set->history};
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        Task *task = task_new(run, queries[i], STR(""));
        task->query = with_times(run, queries[i]->query);
        task->take = i ? take_history : take_changed;
        task->fail = fail_signal;
        task_queue(run, task);
    }
    for (size_t i = 0; i < refresh->containers.len; i++) {
        Str id = refresh->containers.entries[i].key;
        if (!is_subscription(id))
            continue;
        Task *task = task_new(run, set->activity, id);
        task->path = replaced(&run->tasks, with_times(run, set->activity->path), STR("{id}"), id);
        task->take = take_activity;
        task->fail = fail_activity;
        task_queue(run, task);
    }
}

void
refresh_decide(Run *run)
{
    Refreshing *refresh = run->refresh;
    for (size_t i = 0; i < run->report->gap_count; i++)
        if (str_equal_ci(run->report->gaps[i].table, STR("resourcecontainers")))
            not_known(run, STR("not all subscriptions and resource groups could be read"));
    if (!refresh->whole.len && !refresh->history)
        not_known(run, STR("the history of changes was not read"));
    if (refresh->whole.len && !refresh->none)
        refresh_note(run, STR("resources and their lists"), refresh->whole);
    refresh->known = !refresh->whole.len;
}

// ---- taking over ----

static bool
may_carry(const Run *run, const Source *source, Str parent)
{
    const Refreshing *refresh = run->refresh;
    if (source->service == SERVICE_GRAPH)
        return delta_unchanged(run, source->each, parent);
    return refresh->known && !map_find(&refresh->touched, parent) &&
           !map_find(&refresh->silent, subscription_prefix(parent));
}

bool
refresh_carry(Run *run, Task *task, Str parent)
{
    Refreshing *refresh = run->refresh;
    if (!refresh || refresh->none || !task->source->each.len ||
        task->source->refresh != REFRESH_CHANGES || !may_carry(run, task->source, parent))
        return false;
    const LastCall *call = raw_last_call(refresh->last, task->key);
    if (!call || !call->done)
        return false;
    task->state = (void *)(uintptr_t)call;
    task->next_task = NULL;
    if (refresh->carries_end)
        refresh->carries_end->next_task = task;
    else
        refresh->carries = task;
    refresh->carries_end = task;
    return true;
}

static bool
put_line(void *context, Str line)
{
    Buffer *rows = context;
    buffer_str(rows, line);
    buffer_char(rows, '\n');
    return true;
}

static bool
carry(Run *run, Task *task)
{
    const LastCall *call = task->state;
    buffer_clear(&run->rows);
    arena_reset(&run->scratch);
    RawPage page = {.file = file_of(&run->scratch, task->source),
                    .key = task->key,
                    .rows = &run->rows,
                    .count = call->rows,
                    .how = STR("carried over"),
                    .read = call->read};
    if (!raw_last_each(run->refresh->last, call, put_line, &run->rows, &run->error) ||
        !raw_append(run->raw, &page, &run->error))
        return false;
    run->progress.rows += call->rows;
    run->report->carried++;
    rows_add_children(run, task->source, &run->rows);
    task_done(run, task);
    return true;
}

bool
refresh_carry_some(Run *run)
{
    Refreshing *refresh = run->refresh;
    for (int i = 0; refresh && refresh->carries && i < CARRIES_A_TURN; i++) {
        Task *task = refresh->carries;
        refresh->carries = task->next_task;
        if (!refresh->carries)
            refresh->carries_end = NULL;
        if (!carry(run, task))
            return false;
    }
    return refresh && refresh->carries;
}

void
refresh_in_full(Run *run, Task *task, Str why)
{
    refresh_note(run, task->source->name, why);
    task_plain(run, task);
}

// ---- rows on their way ----

enum { ROWS_AT_ONCE = 4 << 20 };

static bool
flush(RowsOut *out)
{
    Run *run = out->run;
    bool done = raw_write(run->raw, out->file, &out->rows, &run->error);
    if (done)
        rows_add_children(run, out->task->source, &out->rows);
    buffer_clear(&out->rows);
    arena_reset(&run->scratch);
    return done;
}

bool
rows_put(RowsOut *out, Str line)
{
    put_line(&out->rows, line);
    out->count++;
    return out->rows.len < ROWS_AT_ONCE || flush(out);
}

bool
rows_end(RowsOut *out, Str read, Str delta)
{
    Run *run = out->run;
    RawPage page = {.file = out->file,
                    .key = out->task->key,
                    .count = out->count,
                    .how = STR("refreshed"),
                    .read = read,
                    .delta = delta};
    bool done = flush(out) && raw_append(run->raw, &page, &run->error);
    buffer_free(&out->rows);
    if (!done)
        return false;
    run->progress.rows += out->count;
    if (str_equal_ci(out->task->source->table, STR("users")))
        run->pace.users += out->count;
    task_done(run, out->task);
    return true;
}
