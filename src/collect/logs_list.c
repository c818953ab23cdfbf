// Lists of events: the activity log, sign-ins, audits (content/collect/logs.yaml).
//
// Each is read window by window, each window page by page; the rows of a window become a file
// when its last page is there.

#include "collect/logs_parts.h"

#include "base/array.h"
#include "collect/url.h"
#include "value/scalar.h"
#include "value/yaml.h"

enum { MOST_PAGES = 100000 };

typedef struct ListRead {
    Logs *logs;
    const LogList *list;
    Str subscription;
} ListRead;

// ---- what there is ----

static bool
read_list(Arena *arena, const char *path, YamlNode *node, LogList *out, AzError *error)
{
    Str arm = yaml_text(arena, yaml_get(node, "arm")),
        graph = yaml_text(arena, yaml_get(node, "graph"));
    const char *const numbers[] = {"burst", "rate"};
    double values[2];
    *out = (LogList){.name = yaml_text(arena, yaml_get(node, "name")),
                     .service = graph.len ? SERVICE_GRAPH : SERVICE_ARM,
                     .path = graph.len ? graph : arm,
                     .version = yaml_text(arena, yaml_get(node, "version")),
                     .need = yaml_text(arena, yaml_get(node, "need")),
                     .licence = yaml_text(arena, yaml_get(node, "licence"))};
    out->by_subscription = str_find(out->path, STR("{subscription}")) >= 0;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        char *text = str_cstr(arena, yaml_text(arena, yaml_get(node, numbers[i]))), *end;
        values[i] = strtod(text, &end);
        if (!*text || *end || !(values[i] > 0))
            return error_set(error, AZ_INVALID, "%s:%u: a list needs a number above 0 for '%s'",
                             path, yaml_line(node), numbers[i]);
    }
    out->quota = (Quota){.name = out->name, .burst = values[0], .rate = values[1]};
    if (!out->name.len || (arm.len > 0) == (graph.len > 0) || (arm.len && !out->version.len))
        return error_set(error, AZ_INVALID,
                         "%s:%u: a list has a name, and either graph, or arm and version", path,
                         yaml_line(node));
    return true;
}

bool
log_lists_load(Arena *arena, const char *content_dir, LogListSet *out, AzError *error)
{
    char *path = str_cstr(arena, str_format(arena, "%s/collect/logs.yaml", content_dir));
    YamlDoc *doc = yaml_load(path, error);
    if (!doc)
        return false;
    YamlNode *lists = yaml_get(yaml_root(doc), "lists");
    out->len = yaml_count(lists);
    out->items = ARENA_ARRAY(arena, LogList, out->len);
    bool done = true;
    for (size_t i = 0; done && i < out->len; i++)
        done = read_list(arena, path, yaml_item(lists, i), &out->items[i], error);
    yaml_free(doc);
    return done;
}

const LogList *
log_list_named(const LogListSet *set, Str name)
{
    for (size_t i = 0; i < set->len; i++)
        if (str_equal_ci(set->items[i].name, name))
            return &set->items[i];
    return NULL;
}

// ---- windows ----

// The path with {from} and the others filled in.
static Str
fill(Arena *arena, const ListRead *read, LogSpan span)
{
    const struct {
        Str name;
        uint64_t ticks;
    } times[] = {{STR("{from}"), span.from}, {STR("{to}"), span.to}, {STR("{last}"), span.to - 1}};
    Buffer out = {0};
    for (Str left = read->list->path; left.len;) {
        size_t taken = 1;
        for (size_t i = 0; i < COUNT_OF(times); i++)
            if (str_starts(left, times[i].name)) {
                datetime_print(&out, (int64_t)times[i].ticks);
                taken = times[i].name.len;
            }
        if (str_starts(left, STR("{subscription}"))) {
            url_encode(&out, read->subscription);
            taken = STR("{subscription}").len;
        }
        if (taken == 1)
            buffer_char(&out, left.ptr[0]);
        left = str_slice(left, taken, left.len);
    }
    Str text = url_without_blanks(arena, buffer_slice(&out));
    buffer_free(&out);
    return text;
}

static Str
first_url(Arena *arena, const ListRead *read, LogSpan span)
{
    Str endpoint = read->logs->options->cloud->endpoint[read->list->service];
    Str path = fill(arena, read, span);
    if (read->list->service == SERVICE_GRAPH)
        return str_format(arena, "%.*s/v1.0%.*s", STR_ARG(endpoint), STR_ARG(path));
    return str_format(arena, "%.*s%.*s&api-version=%.*s", STR_ARG(endpoint), STR_ARG(path),
                      STR_ARG(read->list->version));
}

static void
put_rows(const Page *page, Buffer *rows)
{
    for (size_t i = 0; i < page->count; i++) {
        json_compact(rows, page->rows[i]);
        buffer_char(rows, '\n');
    }
}

static WindowEnd
read_window(void *context, LogSpan span, Buffer *rows, uint64_t *count, Str *reason)
{
    const ListRead *read = context;
    Logs *logs = read->logs;
    const LogList *list = read->list;
    Arena pages = {0};
    Str url = first_url(&pages, read, span);
    WindowEnd end = WINDOW_FAILED;
    for (int number = 0;; number++) {
        const LogsCall call = {.service = list->service,
                               .url = url,
                               .quota = &list->quota,
                               .need = list->need,
                               .licence = list->licence};
        ServiceError said;
        Page page;
        const char *why;
        HttpAnswer *answer = logs_call(logs, &call, reason, &said);
        if (!answer)
            break;
        if (!page_read(&logs->scratch, logs->parser, logs->builder, answer->body, false, &page,
                       &why)) {
            *reason = str_from(why);
            http_answer_free(answer);
            break;
        }
        put_rows(&page, rows);
        *count += page.count;
        Str next = str_copy(&pages, page.next);
        http_answer_free(answer);
        arena_reset(&logs->scratch);
        if (!next.len)
            end = WINDOW_READ;
        else if (rows->len > WINDOW_BYTES)
            end = WINDOW_TOO_LARGE;
        else if (!url_same_origin(next, logs->options->cloud->endpoint[list->service]))
            *reason = STR("the next page is said to be on another host: not followed");
        else if (str_equal(next, url) || number >= MOST_PAGES)
            *reason = STR("there is no end of pages: stopped");
        else {
            url = next;
            continue;
        }
        break;
    }
    arena_free(&pages);
    return end;
}

static bool
read_one(Logs *logs, const LogList *list, Str subscription)
{
    Arena arena = {0};
    ListRead read = {logs, list, subscription};
    Str folder = log_path(&arena, str_from(logs->options->folder), STR("lists"));
    folder = log_path(&arena, folder, list->name);
    if (subscription.len)
        folder = log_path(&arena, folder, subscription);
    Str what = subscription.len
                   ? str_format(&arena, "%.*s of %.*s", STR_ARG(list->name), STR_ARG(subscription))
                   : list->name;
    bool done = logs_windows(logs, folder, what, read_window, &read);
    arena_free(&arena);
    return done;
}

bool
logs_lists(Logs *logs)
{
    const LogsOptions *options = logs->options;
    for (size_t i = 0; i < options->list_count; i++) {
        const LogList *list = options->lists[i];
        size_t count = list->by_subscription ? options->subscription_count : 1;
        for (size_t k = 0; k < count; k++)
            if (!read_one(logs, list, list->by_subscription ? options->subscriptions[k] : STR("")))
                return false;
    }
    return true;
}
