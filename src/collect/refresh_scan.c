// The resources of Resource Graph in a refresh: those that changed are asked for, the others come
// from the last collection.
//
// Asked for are the resources that the history of changes names, all in subscriptions and resource
// groups that were not seen before, and those of types that parents list, too (the last collection
// has only the parents' copy of them). What lies in a subscription or group that is no longer seen
// goes. In the end Resource Graph counts its resources by type: when it counts others than there
// would be, they are all read.

#include "collect/refresh.h"

#include "base/array.h"

enum { IDS_A_QUERY = 100, ROWS_A_PAGE = 1000 };

typedef struct Scan {
    Run *run;
    Task *task;
    Arena arena, work; // work: of one row
    const LastCall *call;
    Str *queries;
    size_t query_count, query_cap, at;
    Map seen;    // subscriptions and resource groups that are seen now
    Map doubles; // types that parents list
    Map fresh;   // rows that were asked for, by id
    Map kinds;   // how many there would be, by type
    size_t same; // types of which Resource Graph counts as many
    RowsOut out;
} Scan;

static void
scan_free(Scan *scan)
{
    arena_free(&scan->work);
    arena_free(&scan->arena);
    buffer_free(&scan->out.rows);
}

void
refresh_scan_close(Run *run)
{
    if (run->refresh->scan)
        scan_free(run->refresh->scan);
}

static void
give_up(Scan *scan, Str why)
{
    Run *run = scan->run;
    Task *task = scan->task;
    why = str_copy(run->arena, why);
    scan_free(scan);
    refresh_in_full(run, task, why);
}

// ---- what is asked for ----

// "Resources | where FIELD in~ ('a', 'b') | project ..." from "Resources | project ...".
static void
add_query(Scan *scan, const char *field, const Str *texts, size_t count)
{
    Str query = scan->task->source->query;
    ptrdiff_t pipe = str_find(query, STR("|"));
    Buffer out = {0};
    size_t table = pipe < 0 ? query.len : (size_t)pipe;
    buffer_str(&out, str_trim(str_slice(query, 0, table)));
    buffer_printf(&out, " | where %s in~ (", field);
    for (size_t i = 0; i < count; i++) {
        buffer_text(&out, i ? ", '" : "'");
        for (size_t k = 0; k < texts[i].len; k++) {
            if (texts[i].ptr[k] == '\'' || texts[i].ptr[k] == '\\')
                buffer_char(&out, '\\');
            buffer_char(&out, texts[i].ptr[k]);
        }
        buffer_char(&out, '\'');
    }
    buffer_text(&out, ") ");
    buffer_str(&out, str_slice(query, table, query.len));
    struct {
        Str *items;
        size_t len, cap;
    } list = {scan->queries, scan->query_count, scan->query_cap};
    ARRAY_PUSH(&scan->arena, &list, str_copy(&scan->arena, buffer_slice(&out)));
    scan->queries = list.items;
    scan->query_count = list.len;
    scan->query_cap = list.cap;
    buffer_free(&out);
}

// In queries of a hundred each.
static void
add_queries(Scan *scan, const char *field, const Str *texts, size_t count)
{
    for (size_t i = 0; i < count; i += IDS_A_QUERY)
        add_query(scan, field, texts + i, count - i < IDS_A_QUERY ? count - i : IDS_A_QUERY);
}

typedef struct Texts {
    Str *items;
    size_t len, cap;
} Texts;

static void
ask_for_types(Scan *scan)
{
    const SourceSet *set = scan->run->options->sources;
    Texts types = {0};
    for (size_t i = 0; i < set->len; i++)
        for (size_t k = 0; k < set->items[i].type_count; k++) {
            bool is_new = false;
            Str type = source_yields(&scan->arena, &set->items[i], set->items[i].types[k]);
            if (type.len && str_equal_ci(set->items[i].table, scan->task->source->table))
                map_add(&scan->doubles, type, &is_new);
            if (is_new)
                ARRAY_PUSH(&scan->arena, &types, type);
        }
    add_queries(scan, "type", types.items, types.len);
}

// "s/g" of "/subscriptions/s/resourcegroups/g"; empty for a subscription.
static Str
group_of(Arena *arena, Str id)
{
    Str middle = STR("/resourcegroups/");
    ptrdiff_t at = str_find(id, middle);
    Str prefix = STR("/subscriptions/");
    if (at < 0 || !str_starts(id, prefix))
        return STR("");
    return str_format(arena, "%.*s/%.*s", STR_ARG(str_slice(id, prefix.len, (size_t)at)),
                      STR_ARG(str_slice(id, (size_t)at + middle.len, id.len)));
}

static void
ask_for_places(Scan *scan)
{
    const Map *before = &scan->run->refresh->containers;
    Texts subscriptions = {0}, groups = {0};
    Str prefix = STR("/subscriptions/");
    for (size_t i = 0; i < scan->seen.len; i++) {
        Str id = scan->seen.entries[i].key;
        if (map_find(before, id) || !str_starts(id, prefix))
            continue;
        Str group = group_of(&scan->arena, id);
        if (!group.len)
            ARRAY_PUSH(&scan->arena, &subscriptions, str_slice(id, prefix.len, id.len));
        else if (map_find(before, subscription_prefix(id)))
            ARRAY_PUSH(&scan->arena, &groups, group);
    }
    add_queries(scan, "subscriptionId", subscriptions.items, subscriptions.len);
    add_queries(scan, "strcat(subscriptionId, '/', resourceGroup)", groups.items, groups.len);
}

static void
ask_for_changed(Scan *scan)
{
    const Map *targets = &scan->run->refresh->targets;
    Str *ids = ARENA_ARRAY(&scan->arena, Str, targets->len);
    for (size_t i = 0; i < targets->len; i++)
        ids[i] = targets->entries[i].key;
    add_queries(scan, "id", ids, targets->len);
}

// ---- what stays ----

static Str
place_of(Str id)
{
    Str middle = STR("/resourcegroups/");
    ptrdiff_t at = str_find(id, middle);
    size_t end = at < 0 ? 0 : (size_t)at + middle.len;
    while (at >= 0 && end < id.len && id.ptr[end] != '/')
        end++;
    return at < 0 ? subscription_prefix(id) : str_slice(id, 0, end);
}

// False when the line is no object with an id.
static bool
row_of(Scan *scan, Str line, Str *id, Str *type)
{
    static const Str names[] = {STR_INIT("id"), STR_INIT("type")};
    Str texts[2];
    arena_reset(&scan->work);
    row_texts(scan->run, &scan->work, line, names, texts, 2);
    *id = str_lower(&scan->work, texts[0]);
    *type = str_lower(&scan->work, texts[1]);
    return id->len > 0;
}

static bool
is_damaged(Scan *scan)
{
    return error_set(&scan->run->error, AZ_CORRUPT,
                     "a line of the last collection's '%.*s' is no resource",
                     STR_ARG(scan->out.file));
}

static bool
stays(const Scan *scan, Str id, Str type)
{
    Str place = place_of(id);
    return !map_find(&scan->run->refresh->targets, id) && !map_find(&scan->doubles, type) &&
           !map_find(&scan->fresh, id) && (!place.len || map_find(&scan->seen, place));
}

static void
count_one(Scan *scan, Str type)
{
    bool is_new;
    MapEntry *entry = map_find(&scan->kinds, type);
    if (!entry)
        entry = map_add(&scan->kinds, str_copy(&scan->arena, type), &is_new);
    entry->number++;
}

static bool
count_line(void *context, Str line)
{
    Scan *scan = context;
    Str id, type;
    if (!row_of(scan, line, &id, &type))
        return is_damaged(scan);
    if (stays(scan, id, type))
        count_one(scan, type);
    return true;
}

static bool
copy_line(void *context, Str line)
{
    Scan *scan = context;
    Str id, type;
    if (!row_of(scan, line, &id, &type))
        return is_damaged(scan);
    return !stays(scan, id, type) || rows_put(&scan->out, line);
}

static void
finish(Scan *scan)
{
    Run *run = scan->run;
    bool done = raw_last_each(run->refresh->last, scan->call, copy_line, scan, &run->error);
    for (size_t i = 0; done && i < scan->fresh.len; i++)
        done = rows_put(&scan->out, *(Str *)scan->fresh.entries[i].pointer);
    done = done && rows_end(&scan->out, scan->call->read, STR(""));
    scan_free(scan);
}

// ---- answers ----

static void
take_counts(Run *run, Task *task, const Page *page)
{
    static const Str names[] = {STR_INIT("type"), STR_INIT("n")};
    Scan *scan = task->state;
    for (size_t i = 0; i < page->count; i++) {
        Str texts[2];
        row_texts(run, &run->scratch, page->rows[i], names, texts, 2);
        Str type = str_lower(&run->scratch, texts[0]);
        const MapEntry *kind = map_find(&scan->kinds, type);
        Str there = str_format(&run->scratch, "%llu", kind ? (unsigned long long)kind->number : 0);
        if (str_equal(there, texts[1])) {
            scan->same++;
            continue;
        }
        give_up(scan, str_format(&run->scratch,
                                 "Resource Graph counts %.*s of the type %.*s, and by its history "
                                 "of changes there would be %.*s",
                                 STR_ARG(texts[1]), STR_ARG(type), STR_ARG(there)));
        return;
    }
    if (page->next.len)
        task_go_on(run, task, page->next);
    else if (scan->same != scan->kinds.len)
        give_up(scan, STR("Resource Graph counts other types of resources than there would be by "
                          "its history of changes"));
    else
        finish(scan);
}

static void
ask_next(Scan *scan)
{
    Run *run = scan->run;
    Task *task = scan->task;
    task->seen_len = 0; // each query counts its pages anew
    task->next = STR("");
    if (scan->at < scan->query_count) {
        task->query = scan->queries[scan->at++];
        task_queue(run, task);
        return;
    }
    if (!raw_last_each(run->refresh->last, scan->call, count_line, scan, &run->error))
        return;
    Str query = task->source->query;
    ptrdiff_t pipe = str_find(query, STR("|"));
    task->query = str_format(&run->tasks, "%.*s | summarize n = count() by type",
                             STR_ARG(str_trim(str_slice(query, 0, (size_t)pipe))));
    task->take = take_counts;
    task_queue(run, task);
}

static void
take_rows(Run *run, Task *task, const Page *page)
{
    Scan *scan = task->state;
    for (size_t i = 0; i < page->count; i++) {
        Str id, type;
        bool is_new;
        buffer_clear(&run->rows);
        bool good = row_write(run, task, page->rows[i]);
        Str line = str_trim(buffer_slice(&run->rows));
        if (!good || !row_of(scan, line, &id, &type)) {
            give_up(scan, STR("an object of the answer could not be read"));
            return;
        }
        MapEntry *entry = map_find(&scan->fresh, id);
        if (entry)
            continue;
        count_one(scan, type);
        Str *copy = ARENA_NEW(&scan->arena, Str);
        *copy = str_copy(&scan->arena, line);
        map_add(&scan->fresh, str_copy(&scan->arena, id), &is_new)->pointer = copy;
    }
    if (page->next.len)
        task_go_on(run, task, page->next);
    else
        ask_next(scan);
}

static void
fail_scan(Run *run, Task *task, Str why)
{
    (void)run;
    give_up(task->state, why);
}

typedef struct Places {
    Scan *scan;
} Places;

static bool
add_place(void *context, Str line)
{
    Scan *scan = ((Places *)context)->scan;
    Str id, type;
    bool is_new;
    row_of(scan, line, &id, &type);
    map_add(&scan->seen, str_copy(&scan->arena, id), &is_new);
    return true;
}

// The subscriptions and groups of this run.
static bool
read_places(Scan *scan)
{
    Run *run = scan->run;
    Places places = {scan};
    const RawFile *file = raw_file(run->raw, STR("resourcecontainers.jsonl"));
    return file && raw_each(file, add_place, &places, &run->error);
}

bool
refresh_scan(Run *run, Task *task)
{
    const LastCall *call =
        run->refresh && run->refresh->known ? raw_last_call(run->refresh->last, task->key) : NULL;
    if (!call || task->source->refresh != REFRESH_CHANGES || !task->source->query.len ||
        task->pages)
        return false;
    if (!call->done) {
        refresh_note(run, task->source->name, STR("the last collection did not have all of it"));
        return false;
    }
    Scan *scan = ARENA_NEW(&run->tasks, Scan);
    *scan = (Scan){.run = run, .task = task, .call = call};
    run->refresh->scan = scan;
    Map *maps[] = {&scan->seen, &scan->doubles, &scan->fresh, &scan->kinds};
    for (size_t i = 0; i < COUNT_OF(maps); i++)
        map_init(maps[i], &scan->arena, false);
    scan->out = (RowsOut){.run = run, .task = task, .file = file_of(&run->tasks, task->source)};
    bool known = read_places(scan);
    ask_for_types(scan);
    ask_for_places(scan);
    ask_for_changed(scan);
    // A scan of all takes as few calls.
    if (!known || scan->query_count > call->rows / ROWS_A_PAGE + 3) {
        refresh_note(run, task->source->name,
                     known ? STR("so much changed that reading all takes no more calls")
                           : STR("no subscription was seen"));
        scan_free(scan);
        return false;
    }
    task->state = scan;
    task->take = take_rows;
    task->fail = fail_scan;
    ask_next(scan);
    return true;
}
