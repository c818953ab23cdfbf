// The plan: how many calls a run will make and how long it will take, from a few that count.
//
// Resource Graph counts resources by type in one query, and Microsoft Graph counts users,
// groups and applications; each row of a parent is a call. Lists inside lists cannot be
// counted before they are read: then there are at least so many.

#include "collect/request.h"

#include "base/array.h"

#include <stdlib.h>

enum { PAGE = 1000, TYPES_MOST = 1000, BODY_BYTES = 16 << 20 };
static const double CALL_SECONDS = 0.3; // of a usual answer, for runs that no quota slows down

typedef struct Count {
    Str table, type;
    uint64_t rows;
} Count;

typedef struct Counting {
    const CollectOptions *options;
    Arena *arena;
    CollectPlan *plan;
    struct {
        Count *items;
        size_t len, cap;
    } counts;
    JsonParser *parser;
    DynBuilder *builder;
} Counting;

static bool
is_wanted(const Counting *counting, Str table)
{
    const SourceSet *set = counting->options->sources;
    for (size_t i = 0; i < set->len; i++)
        if (str_equal_ci(set->items[i].table, table))
            return true;
    return false;
}

static void
uncounted(Counting *counting, Str table, const HttpAnswer *answer)
{
    Str why = answer->outcome == HTTP_ANSWERED
                  ? str_format(counting->arena, "the service answered %d", answer->status)
                  : answer->problem;
    if (!counting->plan->uncounted.len)
        counting->plan->uncounted =
            str_format(counting->arena, "%.*s: %.*s", STR_ARG(table), STR_ARG(why));
}

static void
take_types(Counting *counting, Str table, Str body)
{
    const char *why;
    size_t offset;
    Dyn root;
    dyn_builder_reset(counting->builder);
    if (!json_to_dynamic(counting->parser, body, counting->builder, &why, &offset) ||
        !dyn_finish(counting->builder, &root, &why))
        return;
    Dyn data = dyn_get(root, STR("data"));
    for (uint32_t i = 0; i < dyn_count(data); i++) {
        Dyn row = dyn_at(data, i), type = dyn_get(row, STR("type")), n = dyn_get(row, STR("n"));
        if (dyn_kind(type) != DYN_STRING || dyn_kind(n) != DYN_LONG || dyn_long(n) < 0)
            continue;
        Count count = {table, str_copy(counting->arena, dyn_string(type)), (uint64_t)dyn_long(n)};
        ARRAY_PUSH(counting->arena, &counting->counts, count);
    }
}

static bool
count_types(Counting *counting, Str table, AzError *error)
{
    Wire wire;
    const CollectOptions *options = counting->options;
    Str query = str_format(counting->arena, "%.*s | summarize n = count() by type", STR_ARG(table));
    if (!is_wanted(counting, table))
        return true;
    if (!wire_post(options->auth, counting->arena, SERVICE_ARM,
                   query_url(counting->arena, options->cloud),
                   query_body(counting->arena, query, TYPES_MOST, STR("")), &wire, error))
        return false;
    wire.request.most_bytes = BODY_BYTES;
    HttpAnswer *answer = http_fetch(options->http, &wire.request);
    if (answer->outcome == HTTP_ANSWERED && answer->status == 200)
        take_types(counting, table, answer->body);
    else
        uncounted(counting, table, answer);
    http_answer_free(answer);
    return true;
}

static bool
count_directory(Counting *counting, Str table, AzError *error)
{
    Wire wire;
    const CollectOptions *options = counting->options;
    Str url = str_format(counting->arena, "%.*s/v1.0/%.*s/$count",
                         STR_ARG(options->cloud->endpoint[SERVICE_GRAPH]), STR_ARG(table));
    if (!is_wanted(counting, table))
        return true;
    if (!wire_get(options->auth, counting->arena, SERVICE_GRAPH, url, &wire, error))
        return false;
    wire.headers[wire.request.header_count++] =
        (HttpHeader){STR("ConsistencyLevel"), STR("eventual")};
    wire.request.headers = wire.headers;
    wire.request.most_bytes = BODY_BYTES;
    HttpAnswer *answer = http_fetch(options->http, &wire.request);
    Str body = str_trim(answer->body);
    if (answer->outcome == HTTP_ANSWERED && answer->status == 200 && body.len < 20) {
        Count count = {table, STR(""), strtoull(str_cstr(counting->arena, body), NULL, 10)};
        ARRAY_PUSH(counting->arena, &counting->counts, count);
    } else {
        uncounted(counting, table, answer);
    }
    http_answer_free(answer);
    return true;
}

static bool
has_type(const Source *source, Str type)
{
    for (size_t i = 0; i < source->type_count; i++)
        if (str_equal_ci(source->types[i], type))
            return true;
    return !source->type_count;
}

// Rows of the table; false when nobody counted it.
static bool
rows_of(const Counting *counting, Str table, const Source *child, uint64_t *rows)
{
    bool known = false;
    *rows = 0;
    for (size_t i = 0; i < counting->counts.len; i++) {
        const Count *count = &counting->counts.items[i];
        if (!str_equal_ci(count->table, table))
            continue;
        known = true;
        if (!child || has_type(child, count->type))
            *rows += count->rows;
    }
    return known;
}

static PlanLine
plan_line(const Counting *counting, const Source *source)
{
    PlanLine line = {.source = source};
    uint64_t rows;
    if (!source->each.len) {
        bool known = rows_of(counting, source->table, NULL, &rows) &&
                     (source->query.len || str_equal_ci(source->name, source->table));
        line.calls = known && rows > PAGE ? (rows + PAGE - 1) / PAGE : 1;
        line.at_least = !known;
        return line;
    }
    line.at_least = true;
    if (rows_of(counting, source->each, source, &rows))
        line.calls = rows;
    return line;
}

// The seconds that the slowest class of calls needs.
static double
time_of(const Counting *counting)
{
    const CollectPlan *plan = counting->plan;
    double longest = (double)plan->calls * CALL_SECONDS / counting->options->most_in_flight;
    uint64_t users = 0;
    rows_of(counting, STR("users"), NULL, &users);
    for (size_t i = 0; i < plan->count; i++) {
        const Quota *quota = plan->lines[i].source->quota;
        double units = 0, size = pace_size(quota, users);
        for (size_t k = 0; k < plan->count; k++)
            if (plan->lines[k].source->quota == quota)
                units += (double)plan->lines[k].calls * plan->lines[k].source->cost;
        if (quota->per_subscription && plan->subscriptions > 1)
            units /= (double)plan->subscriptions;
        double burst = quota->burst * size, rate = quota->rate * size;
        double seconds = units > burst ? (units - burst) / rate : 0;
        longest = seconds > longest ? seconds : longest;
    }
    return longest;
}

// Counts by the service's own means; when nobody is signed in for one, its tables are left.
static bool
count_all(Counting *counting, AzError *error)
{
    static const Str directory[] = {STR_INIT("users"), STR_INIT("groups"),
                                    STR_INIT("servicePrincipals"), STR_INIT("applications")};
    AzError arm = {0}, graph = {0};
    bool done = count_types(counting, STR("resourcecontainers"), &arm) &&
                count_types(counting, STR("resources"), &arm);
    for (size_t i = 0; !graph.code && i < COUNT_OF(directory); i++)
        count_directory(counting, directory[i], &graph);
    if (!done && graph.code)
        return error_set(error, arm.code, "%s", arm.message);
    const AzError *why = !done ? &arm : &graph;
    if (why->code)
        counting->plan->uncounted = str_copy(counting->arena, str_from(why->message));
    return true;
}

bool
collect_plan(const CollectOptions *options, Arena *arena, CollectPlan *plan, AzError *error)
{
    Counting counting = {.options = options, .arena = arena, .plan = plan};
    const SourceSet *set = options->sources;
    *plan = (CollectPlan){0};
    counting.parser = json_parser_new();
    counting.builder = dyn_builder_new();
    bool done = count_all(&counting, error);
    plan->lines = ARENA_ARRAY(arena, PlanLine, set->len);
    for (size_t i = 0; done && i < set->len; i++) {
        PlanLine line = plan_line(&counting, &set->items[i]);
        plan->lines[plan->count++] = line;
        plan->calls += line.calls;
    }
    for (size_t i = 0; i < counting.counts.len; i++)
        if (str_equal_ci(counting.counts.items[i].type, STR("microsoft.resources/subscriptions")))
            plan->subscriptions += counting.counts.items[i].rows;
    plan->seconds = done ? time_of(&counting) : 0;
    json_parser_free(counting.parser);
    dyn_builder_free(counting.builder);
    return done;
}
