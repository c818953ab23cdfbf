// CollectionStatus: what was read, and what was not, where and why.
//
// One row a table for the tenant, and one for each scope in which a part of it is missing.
// A gap of Azure names the resource whose list was not read: verdicts about it and what is
// below it become unknown. Members and owners of the directory have no such path, so a gap
// there is one of the whole table. What would have been asked for rows that are missing is
// missing too.

#include "collect/collect_parts.h"

#include "base/array.h"

#include <string.h>

typedef struct StatusRow {
    Str table, scope, reason;
    uint64_t rows;
} StatusRow;

typedef struct StatusRows {
    StatusRow *items;
    size_t len, cap;
} StatusRows;

static bool
is_tenant(Str scope)
{
    return str_equal(scope, STR("tenant"));
}

// Adds the gap, or its reason to the one that is there.
static void
add_gap(Run *run, StatusRows *rows, Str table, Str scope, Str reason, uint64_t count)
{
    for (size_t i = 0; i < rows->len; i++) {
        StatusRow *row = &rows->items[i];
        if (!str_equal_ci(row->table, table) || !str_equal_ci(row->scope, scope))
            continue;
        row->rows += count;
        if (row->reason.len < 400 && str_find(row->reason, reason) < 0)
            row->reason =
                str_format(&run->tasks, "%.*s; %.*s", STR_ARG(row->reason), STR_ARG(reason));
        return;
    }
    StatusRow row = {table, scope, reason, count};
    ARRAY_PUSH(&run->tasks, rows, row);
}

Str
source_yields(Arena *arena, const Source *source, Str parent_type)
{
    Str path = source->path;
    size_t end = 0;
    if (!str_starts(path, STR("{id}/")))
        return STR("");
    while (end < path.len && path.ptr[end] != '?')
        end++;
    Str rest = str_slice(path, 5, end);
    if (str_find(rest, STR("/")) >= 0)
        return STR("");
    return str_lower(arena, str_format(arena, "%.*s/%.*s", STR_ARG(parent_type), STR_ARG(rest)));
}

// Whether rows of `source` could be parents of `child`.
static bool
may_feed(Arena *arena, const Source *source, const Source *child)
{
    if (!str_equal_ci(child->each, source->table))
        return false;
    if (!source->each.len || !child->type_count)
        return true;
    for (size_t i = 0; i < source->type_count; i++) {
        Str type = source_yields(arena, source, source->types[i]);
        for (size_t k = 0; type.len && k < child->type_count; k++)
            if (str_equal_ci(type, child->types[k]))
                return true;
    }
    return false;
}

// The gap of `source` in `scope`, and of all that hangs on it in other tables.
static void
spread_gap(Run *run, StatusRows *rows, const Source *source, Str scope, Str reason, int depth)
{
    const SourceSet *set = run->options->sources;
    for (size_t i = 0; depth < 8 && i < set->len; i++) {
        const Source *child = &set->items[i];
        if (!may_feed(&run->tasks, source, child))
            continue;
        if (!str_equal_ci(child->table, source->table))
            add_gap(run, rows, child->table, scope,
                    str_format(&run->tasks,
                               "it is asked for by %.*s, of which some are missing "
                               "(%.*s)",
                               STR_ARG(source->table), STR_ARG(reason)),
                    0);
        spread_gap(run, rows, child, scope, reason, depth + 1);
    }
}

static const Source *
source_named(const SourceSet *set, Str name)
{
    for (size_t i = 0; i < set->len; i++)
        if (str_equal(set->items[i].name, name))
            return &set->items[i];
    return NULL;
}

static void
gather(Run *run, StatusRows *rows)
{
    const SourceSet *set = run->options->sources;
    const CollectReport *report = run->report;
    for (size_t i = 0; i < report->gap_count; i++) {
        const CollectGap *gap = &report->gaps[i];
        const Source *source = source_named(set, gap->source);
        Str scope = source->service == SERVICE_GRAPH ? STR("tenant") : gap->scope;
        Str reason =
            str_format(&run->tasks, "%.*s: %.*s", STR_ARG(gap->source), STR_ARG(gap->reason));
        add_gap(run, rows, gap->table, scope, reason, gap->rows);
        spread_gap(run, rows, source, scope, reason, 0);
    }
    for (size_t i = 0; report->limit_hit && i < set->len; i++)
        if (set->items[i].query.len) {
            Str reason = STR("there are more subscriptions than Resource Graph looks at in one "
                             "query (10,000)");
            add_gap(run, rows, set->items[i].table, STR("tenant"), reason, 0);
            spread_gap(run, rows, &set->items[i], STR("tenant"), reason, 0);
        }
}

// How the table's rows came: "in full", "refreshed" (what changed was read), "carried over".
typedef struct Origin {
    const char *reading;
    Str since; // when the oldest of them were read
} Origin;

static Origin
origin_of(Run *run, Str table)
{
    const SourceSet *set = run->options->sources;
    uint64_t pages = 0, carried = 0, refreshed = 0;
    Origin origin = {.since = raw_begun(run->raw)};
    for (size_t i = 0; i < set->len; i++) {
        const RawFile *file = raw_file(run->raw, file_of(&run->tasks, &set->items[i]));
        if (!file || !str_equal_ci(set->items[i].table, table))
            continue;
        pages += file->pages;
        carried += file->carried;
        refreshed += file->refreshed;
        if (file->read.len && str_compare(file->read, origin.since) < 0)
            origin.since = file->read;
    }
    origin.reading = carried && carried == pages ? "carried over"
                     : carried || refreshed      ? "refreshed"
                                                 : "in full";
    return origin;
}

static void
write_row(Buffer *out, const Origin *origin, Str table, Str scope, const char *status, Str reason,
          uint64_t rows)
{
    const Str texts[][2] = {{STR("{\"Dataset\":"), table},
                            {STR(",\"Scope\":"), scope},
                            {STR(",\"Status\":"), str_from(status)},
                            {STR(",\"Reason\":"), reason},
                            {STR(",\"Reading\":"), str_from(origin->reading)},
                            {STR(",\"ReadSince\":"), origin->since}};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        buffer_str(out, texts[i][0]);
        json_write_string(out, texts[i][1], false);
    }
    buffer_printf(out, ",\"Rows\":%llu}\n", (unsigned long long)rows);
}

static uint64_t
rows_of(Run *run, Str table)
{
    const SourceSet *set = run->options->sources;
    uint64_t rows = 0;
    for (size_t i = 0; i < set->len; i++) {
        const RawFile *file = raw_file(run->raw, file_of(&run->tasks, &set->items[i]));
        if (file && str_equal_ci(set->items[i].table, table))
            rows += file->rows;
    }
    return rows;
}

static void
write_table(Run *run, Buffer *out, const StatusRows *gaps, Str table)
{
    uint64_t rows = rows_of(run, table);
    Origin origin = origin_of(run, table);
    bool whole = true;
    for (size_t i = 0; i < gaps->len; i++) {
        const StatusRow *gap = &gaps->items[i];
        if (!str_equal_ci(gap->table, table))
            continue;
        whole = whole && !is_tenant(gap->scope);
        write_row(out, &origin, table, gap->scope, "not collected", gap->reason,
                  is_tenant(gap->scope) ? rows : gap->rows);
    }
    if (whole)
        write_row(out, &origin, table, STR("tenant"), rows ? "collected" : "empty", STR(""), rows);
}

bool
status_write(Run *run, AzError *error)
{
    const SourceSet *set = run->options->sources;
    StatusRows gaps = {0};
    Buffer out = {0};
    gather(run, &gaps);
    for (size_t i = 0; i < set->len; i++) {
        bool first = true;
        for (size_t k = 0; k < i; k++)
            first = first && !str_equal_ci(set->items[k].table, set->items[i].table);
        if (first)
            write_table(run, &out, &gaps, set->items[i].table);
    }
    bool done = raw_finish(run->raw, &out, error);
    buffer_free(&out);
    return done;
}
