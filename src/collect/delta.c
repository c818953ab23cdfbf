// Delta queries: what changed in a table of the directory since the last collection.
//
// Before a list is read, the service is asked for a link that will tell later changes ("sync from
// now": $deltatoken=latest). A refresh follows that link instead of the list. Changed objects come
// with the properties that changed, at least, and may come more than once; what is gone comes as
// @removed. Merged with the rows of the last collection they are the present rows. When the service
// no longer knows the link, or anything else goes wrong, the list is read.
//
// Source: Microsoft Graph, "Use delta query to track changes in Microsoft Graph data"; "group: delta".

#include "collect/refresh.h"

#include "base/array.h"

#include <string.h>

// Stands in the manifest between the link and the first page.
static const Str FIRST = STR_INIT("first");

typedef struct DeltaRow {
    Str json; // the properties that were named, without annotations
    bool removed, written;
} DeltaRow;

struct Delta {
    Run *run;
    Task *task;
    Arena work; // of one row
    const LastCall *call;
    Map rows; // by id
    RowsOut out;
};

// ---- merging ----

typedef struct Member {
    Str key, raw;
    bool used;
} Member;

typedef struct Members {
    Arena *arena;
    Member *items;
    size_t len, cap;
    Str id;
    bool removed;
} Members;

static bool
add_member(void *context, const JsonMember *member)
{
    Members *members = context;
    if (str_equal(member->key, STR("@removed")))
        members->removed = true;
    if (str_equal(member->key, STR("id")) && member->kind == DYN_STRING)
        members->id = str_copy(members->arena, member->string);
    // Annotations: @odata.type, members@delta.
    if (memchr(member->key.ptr, '@', member->key.len))
        return true;
    Member copy = {str_copy(members->arena, member->key), str_copy(members->arena, member->raw),
                   false};
    ARRAY_PUSH(members->arena, members, copy);
    return true;
}

static bool
read_members(Run *run, Arena *arena, Str json, Members *out)
{
    const char *why;
    size_t offset;
    *out = (Members){.arena = arena};
    return json_walk_object(run->parser, run->builder, json, add_member, out, &why, &offset);
}

static void
put_member(Buffer *out, const Member *member)
{
    buffer_char(out, out->len ? ',' : '{');
    json_write_string(out, member->key, false);
    buffer_char(out, ':');
    json_compact(out, str_trim(member->raw));
}

// The object with the members of `now` in place of those it had.
static Str
merged(Arena *arena, const Members *before, Members *now)
{
    Buffer out = {0};
    for (size_t i = 0; i < before->len; i++) {
        const Member *member = &before->items[i];
        for (size_t k = 0; k < now->len; k++)
            if (str_equal(now->items[k].key, member->key)) {
                now->items[k].used = true;
                member = &now->items[k];
            }
        put_member(&out, member);
    }
    for (size_t k = 0; k < now->len; k++)
        if (!now->items[k].used)
            put_member(&out, &now->items[k]);
    buffer_text(&out, out.len ? "}" : "{}");
    Str text = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return text;
}

// ---- a list that will have a delta ----

static void
take_link(Run *run, Task *task, const Page *page)
{
    RawPage none = {.file = file_of(&run->scratch, task->source),
                    .key = task->key,
                    .next = FIRST,
                    .delta = page->delta};
    // A link that would hold the login is not kept.
    bool good = page->delta.len && !auth_knows(run->options->auth, page->delta);
    if (!good || raw_append(run->raw, &none, &run->error))
        task_plain(run, task);
}

// Directories of customers (External ID, B2C) have no delta queries; their list is read as ever.
static void
fail_link(Run *run, Task *task, Str why)
{
    (void)why;
    task_plain(run, task);
}

// "/groups/delta?$select=id,displayName,members&$deltatoken=latest" of "/groups?$select=id,displayName&$top=999".
static Str
link_path(Arena *arena, const Source *source)
{
    Str path = source->path;
    size_t query = (size_t)str_find(path, STR("?"));
    Str select = str_slice(path, query + 1, path.len);
    ptrdiff_t more = str_find(select, STR("&"));
    if (more >= 0)
        select = str_slice(select, 0, (size_t)more);
    return str_format(arena, "%.*s/delta?%.*s%s%.*s&$deltatoken=latest", (int)query, path.ptr,
                      STR_ARG(select), source->track.len ? "," : "", STR_ARG(source->track));
}

static void
ask_for_link(Run *run, Task *task)
{
    task->list_path = task->path;
    task->path = link_path(&run->tasks, task->source);
    task->take = take_link;
    task->fail = fail_link;
}

// ---- a refresh ----

static void
delta_free(Delta *delta)
{
    arena_free(&delta->work);
    buffer_free(&delta->out.rows);
}

void
delta_close(Run *run)
{
    for (size_t i = 0; i < run->refresh->begun.len; i++)
        delta_free(run->refresh->begun.items[i]);
}

static bool
put_row(Delta *delta, Str json)
{
    Run *run = delta->run;
    buffer_clear(&run->rows);
    return row_write(run, delta->task, json) &&
           rows_put(&delta->out, str_trim(buffer_slice(&run->rows)));
}

static bool
copy_line(void *context, Str line)
{
    Delta *delta = context;
    Members before, now;
    static const Str names[] = {STR_INIT("id")};
    Str id;
    arena_reset(&delta->work);
    row_texts(delta->run, &delta->work, line, names, &id, 1);
    if (!id.len)
        return false;
    DeltaRow *row = map_get(&delta->rows, id);
    if (!row)
        return rows_put(&delta->out, line);
    if (row->removed || row->written)
        return true;
    row->written = true;
    return read_members(delta->run, &delta->work, line, &before) &&
           read_members(delta->run, &delta->work, row->json, &now) &&
           put_row(delta, merged(&delta->work, &before, &now));
}

static void
finish(Delta *delta, Str link)
{
    Run *run = delta->run;
    Task *task = delta->task;
    // What is asked for the rows looks here.
    map_put(&run->refresh->deltas, task->source->table, delta);
    bool done = raw_last_each(run->refresh->last, delta->call, copy_line, delta, &run->error);
    for (size_t i = 0; done && i < delta->rows.len; i++) {
        const DeltaRow *row = delta->rows.entries[i].pointer;
        if (!row->removed && !row->written)
            done = put_row(delta, row->json);
    }
    if (!done && !run->error.code)
        error_set(&run->error, AZ_CORRUPT, "a line of the last collection's '%.*s' is no object",
                  STR_ARG(delta->out.file));
    done = done && rows_end(&delta->out, delta->call->read, link);
    delta_free(delta);
}

// The words of a service may hold the link, which holds a token of its state.
static Str
without_token(Arena *arena, Str words)
{
    Str mark = STR("token=");
    Buffer out = {0};
    for (ptrdiff_t at; (at = str_find(str_lower(arena, words), mark)) >= 0;) {
        size_t end = (size_t)at + mark.len;
        buffer_str(&out, str_slice(words, 0, end));
        buffer_text(&out, "***");
        while (end < words.len && !strchr(" \"')", words.ptr[end]))
            end++;
        words = str_slice(words, end, words.len);
    }
    buffer_str(&out, words);
    Str text = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return text;
}

static void
give_up(Delta *delta, Str why)
{
    why = str_format(&delta->run->scratch, "its delta query failed: %.*s",
                     STR_ARG(without_token(&delta->run->scratch, why)));
    refresh_note(delta->run, delta->task->source->name, why);
    delta_free(delta);
    task_reset(delta->task);
    ask_for_link(delta->run, delta->task);
    task_queue(delta->run, delta->task);
}

static bool
take_row(Delta *delta, Str json)
{
    Run *run = delta->run;
    Members now, before;
    bool is_new;
    arena_reset(&delta->work);
    if (!read_members(run, &delta->work, json, &now) || !now.id.len)
        return false;
    DeltaRow *row = map_get(&delta->rows, now.id);
    if (!row) {
        row = ARENA_NEW(&run->tasks, DeltaRow);
        map_add(&delta->rows, str_copy(&run->tasks, now.id), &is_new)->pointer = row;
    }
    if (row->removed || !row->json.len)
        before = (Members){.arena = &delta->work};
    else if (!read_members(run, &delta->work, row->json, &before))
        return false;
    row->removed = now.removed;
    row->json = now.removed ? STR("") : merged(&run->tasks, &before, &now);
    return true;
}

static void
take_changes(Run *run, Task *task, const Page *page)
{
    Delta *delta = task->state;
    for (size_t i = 0; i < page->count; i++)
        if (!take_row(delta, page->rows[i])) {
            give_up(delta, STR("an object of the answer could not be read"));
            return;
        }
    if (page->next.len)
        task_go_on(run, task, page->next);
    else if (!page->delta.len || auth_knows(run->options->auth, page->delta))
        give_up(delta, STR("the answer ends without a link"));
    else
        finish(delta, str_copy(&run->tasks, page->delta));
}

static void
fail_changes(Run *run, Task *task, Str why)
{
    (void)run;
    give_up(task->state, why);
}

static bool
follow_link(Run *run, Task *task)
{
    Refreshing *refresh = run->refresh;
    const LastCall *call =
        refresh && !refresh->none ? raw_last_call(refresh->last, task->key) : NULL;
    if (!call || !call->done || !call->delta.len) {
        if (refresh && !refresh->none)
            refresh_note(run, task->source->name,
                         call && !call->done ? STR("the last collection did not have all of it")
                                             : STR("the last collection has no delta link of it"));
        return false;
    }
    Delta *delta = ARENA_NEW(&run->tasks, Delta);
    *delta = (Delta){.run = run, .task = task, .call = call};
    ARRAY_PUSH(&run->tasks, &refresh->begun, delta);
    map_init(&delta->rows, &run->tasks, false);
    delta->out = (RowsOut){.run = run, .task = task, .file = file_of(&run->tasks, task->source)};
    task->state = delta;
    task->take = take_changes;
    task->fail = fail_changes;
    task->next = call->delta;
    return true;
}

bool
delta_begin(Run *run, Task *task)
{
    if (task->source->refresh != REFRESH_DELTA)
        return false;
    if (task->next.len) { // an earlier run has the link, or went without
        if (str_equal(task->next, FIRST))
            task->next = STR("");
        return false;
    }
    if (!follow_link(run, task))
        ask_for_link(run, task);
    task_queue(run, task);
    return true;
}

bool
delta_unchanged(const Run *run, Str table, Str id)
{
    const Delta *delta = map_get(&run->refresh->deltas, table);
    return delta && !map_find(&delta->rows, id);
}
