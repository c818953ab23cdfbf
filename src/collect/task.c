// Tasks: which lists are to be read, one for the tenant or one for each parent.

#include "collect/refresh.h"

#include "base/array.h"

static Lane *
lane_of(Run *run, const Quota *quota, Str subscription)
{
    Bucket *bucket = pace_bucket(&run->pace, quota, subscription);
    for (size_t i = 0; i < run->lanes.len; i++)
        if (run->lanes.items[i]->bucket == bucket)
            return run->lanes.items[i];
    Lane *lane = ARENA_NEW(&run->tasks, Lane);
    lane->bucket = bucket;
    ARRAY_PUSH(&run->tasks, &run->lanes, lane);
    return lane;
}

void
task_queue(Run *run, Task *task)
{
    Lane *lane = task->lane;
    (void)run;
    task->next_task = NULL;
    if (lane->tail)
        lane->tail->next_task = task;
    else
        lane->head = task;
    lane->tail = task;
}

void
task_delay(Run *run, Task *task, uint64_t until)
{
    task->not_before = until;
    task->next_task = run->delayed;
    run->delayed = task;
}

Str
file_of(Arena *arena, const Source *source)
{
    if (str_equal_ci(source->name, source->table))
        return str_format(arena, "%.*s.jsonl", STR_ARG(source->table));
    return str_format(arena, "%.*s.%.*s.jsonl", STR_ARG(source->table), STR_ARG(source->name));
}

static const Str SUBSCRIPTIONS = STR_INIT("/subscriptions/");

Str
subscription_prefix(Str id)
{
    size_t end = SUBSCRIPTIONS.len;
    if (id.len < end || !str_equal_ci(str_slice(id, 0, end), SUBSCRIPTIONS))
        return STR("");
    while (end < id.len && id.ptr[end] != '/')
        end++;
    return str_slice(id, 0, end);
}

Task *
task_new(Run *run, const Source *source, Str parent)
{
    Task *task = ARENA_NEW(&run->tasks, Task);
    Str subscription = subscription_prefix(parent);
    task->source = source;
    task->scope =
        parent.len && parent.ptr[0] == '/' ? str_copy(&run->tasks, parent) : STR("tenant");
    task->top = 1000;
    task->lane =
        lane_of(run, source->quota, str_slice(subscription, SUBSCRIPTIONS.len, subscription.len));
    run->open++;
    return task;
}

void
task_reset(Task *task)
{
    if (task->list_path.len)
        task->path = task->list_path;
    task->query = task->next = STR("");
    task->take = NULL;
    task->fail = NULL;
    task->rows = 0;
    task->seen_len = 0;
    task->pages = task->empty_pages = task->tries = task->refusals = 0;
}

void
task_plain(Run *run, Task *task)
{
    task_reset(task);
    task_queue(run, task);
}

// Sends it on its way: some begin with another call than that of their list.
static void
task_begin(Run *run, Task *task)
{
    if (!refresh_scan(run, task) && !delta_begin(run, task))
        task_queue(run, task);
}

// Adds the task unless it is there, or was done by an earlier run.
static void
task_add(Run *run, const Source *source, Str parent, Dyn row)
{
    Arena *arena = &run->tasks;
    bool is_new;
    Str lower = str_lower(arena, parent);
    Str key = str_format(arena, "%.*s %.*s", STR_ARG(source->name), STR_ARG(lower));
    map_add(&run->keys, key, &is_new);
    if (!is_new)
        return;
    const RawCall *before = raw_call(run->raw, key);
    if (before && !before->next.len)
        return;
    Task *task = task_new(run, source, parent);
    task->key = key;
    task->path = template_fill(arena, source->path, row, (Dyn){0}, true);
    task->values = ARENA_ARRAY(arena, Str, source->set_count);
    for (size_t i = 0; i < source->set_count; i++)
        task->values[i] = template_fill(arena, source->set[i].texts[0], row, (Dyn){0}, false);
    if (before) {
        task->next = before->next;
        task->rows = before->rows;
        task->pages = before->pages;
    }
    if (before || !refresh_carry(run, task, lower))
        task_begin(run, task);
}

void
task_add_roots(Run *run, bool changes)
{
    const SourceSet *set = run->options->sources;
    for (size_t i = 0; i < set->len; i++)
        if (!set->items[i].each.len && (changes || set->items[i].refresh != REFRESH_CHANGES))
            task_add(run, &set->items[i], STR(""), (Dyn){0});
}

static bool
has_text(const Str *texts, size_t count, Str text)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal_ci(texts[i], text))
            return true;
    return false;
}

static Str
text_of(Arena *arena, Dyn row, Str name)
{
    Buffer text = {0};
    Dyn member = dyn_get_ci(row, name);
    if (dyn_kind(member) != DYN_NULL)
        dyn_to_text(&text, member);
    Str copy = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return copy;
}

static bool
is_parent(Run *run, const Source *source, Dyn row, Str type)
{
    if (source->type_count && !has_text(source->types, source->type_count, type))
        return false;
    for (size_t i = 0; i < source->where_count; i++) {
        const SourceColumn *column = &source->where[i];
        Str text = text_of(&run->scratch, row, column->name);
        if (!has_text(column->texts, column->count, text))
            return false;
    }
    return true;
}

void
task_add_children(Run *run, Str table, Str row)
{
    const SourceSet *set = run->options->sources;
    bool wanted = false;
    for (size_t i = 0; i < set->len && !wanted; i++)
        wanted = str_equal_ci(set->items[i].each, table);
    const char *why;
    size_t offset;
    Dyn object;
    if (!wanted)
        return;
    dyn_builder_reset(run->builder);
    if (!json_to_dynamic(run->parser, row, run->builder, &why, &offset) ||
        !dyn_finish(run->builder, &object, &why))
        return;
    Str id = text_of(&run->scratch, object, STR("id"));
    Str type = text_of(&run->scratch, object, STR("type"));
    if (!id.len)
        return;
    for (size_t i = 0; i < set->len; i++)
        if (str_equal_ci(set->items[i].each, table) && is_parent(run, &set->items[i], object, type))
            task_add(run, &set->items[i], id, object);
}

typedef struct Replay {
    Run *run;
    Str table;
} Replay;

static bool
replay_line(void *context, Str line)
{
    Replay *replay = context;
    arena_reset(&replay->run->scratch);
    task_add_children(replay->run, replay->table, line);
    return true;
}

bool
task_add_from_files(Run *run, AzError *error)
{
    const SourceSet *set = run->options->sources;
    for (size_t i = 0; i < set->len; i++) {
        const RawFile *file = raw_file(run->raw, file_of(&run->tasks, &set->items[i]));
        Replay replay = {run, set->items[i].table};
        if (file && !raw_each(file, replay_line, &replay, error))
            return false;
    }
    return true;
}
