// Users of each window compared: activity_counts_metrics, activity_metrics,
// activity_engagement. Sources: Kusto docs, the page of each plugin.

#include "base/array.h"
#include "exec/plugin/activity.h"

#include <math.h>

// ---- activity_counts_metrics ----

static void
counts_user(Activity *a, const Event *from, const Event *to)
{
    activity_count_bins(a, from, to);
    a->counters.of[FRESH][from->bin]++;
}

static void
counts_write(Activity *a, uint32_t group, uint32_t bin)
{
    int64_t fresh = counter(a, FRESH, bin);
    a->counters.of[WINDOW][bin] = fresh + (bin ? counter(a, WINDOW, bin - 1) : 0);
    if (!counter(a, RECORDS, bin))
        return;
    activity_row(a, group, bin);
    writer_long(&a->writer, counter(a, RECORDS, bin));
    writer_long(&a->writer, counter(a, DISTINCT, bin));
    writer_long(&a->writer, fresh);
    writer_long(&a->writer, counter(a, WINDOW, bin));
}

static const ActivityKind COUNTS = {counts_user, activity_count_record, counts_write};

enum { C_ID, C_TIME, C_START, C_END, C_STEP, C_DIMENSIONS };

static bool
counts_bind(PluginBind *bind)
{
    static const Column COLUMNS[] = {
        {STR_INIT("count"), TYPE_LONG},
        {STR_INIT("dcount"), TYPE_LONG},
        {STR_INIT("new_dcount"), TYPE_LONG},
        {STR_INIT("aggregated_dcount"), TYPE_LONG},
    };
    timeline_schema(bind, C_TIME, &bind->call->args[C_DIMENSIONS], COLUMNS, COUNT_OF(COLUMNS));
    return true;
}

static ResultTable *
counts_run(PluginRun *run)
{
    Activity a = {.run = run};
    if (!activity_range(&a, plugin_arg(run->call, C_START), plugin_arg(run->call, C_END)) ||
        !timeline_open(run, plugin_arg(run->call, C_STEP), &a.timeline, 0))
        return NULL;
    return activity_run(&a, &COUNTS, C_DIMENSIONS);
}

// ---- activity_metrics ----

// FRESH counts the users that were there in the bin before too.
static void
metrics_user(Activity *a, const Event *from, const Event *to)
{
    uint32_t before = UINT32_MAX;
    for (const Event *event = from; event < to; event++) {
        if (event->bin == before)
            continue;
        a->counters.of[DISTINCT][event->bin]++;
        a->counters.of[FRESH][event->bin] += before != UINT32_MAX && event->bin == before + 1;
        before = event->bin;
    }
}

static void
metrics_write(Activity *a, uint32_t group, uint32_t bin)
{
    int64_t users = counter(a, DISTINCT, bin), kept = counter(a, FRESH, bin);
    if (!users)
        return;
    double before = bin ? (double)counter(a, DISTINCT, bin - 1) : 0;
    double retention = before > 0 ? (double)kept / before : NAN;
    activity_row(a, group, bin);
    writer_long(&a->writer, users);
    writer_long(&a->writer, users - kept);
    writer_real(&a->writer, retention);
    writer_real(&a->writer, 1 - retention);
}

static const ActivityKind METRICS = {metrics_user, NULL, metrics_write};

// [Start, End,] and what follows them are one list of constants.
enum { M_ID, M_TIME, M_CONSTANTS, M_DIMENSIONS };

static bool
check_constants(PluginBind *bind, uint32_t lengths, const char *names)
{
    const PluginArgs *constants = &bind->call->args[M_CONSTANTS];
    if (constants->len == lengths || constants->len == lengths + 2)
        return true;
    return plugin_fail(bind, bind->call->span,
                       "%s takes id, timeline, [start, end,] %s, dimensions",
                       bind->call->plugin->name, names);
}

// Without start and end the analysis is as long as the data; bins are multiples.
static bool
range_of_data(Activity *a, const PluginArg *step)
{
    PluginRun *run = a->run;
    Instant length = 1, low = 0, high = -1;
    Expr *time_column = plugin_arg(run->call, M_TIME)->expr;
    a->timeline.type = time_column->type;
    const Batch *times = plugin_columns(run, run->plan->input, &time_column, 1);
    if (!times)
        return false;
    for (uint32_t i = 0; i < times->count; i++) {
        Instant time;
        if (!instant_of(times->columns[0], i, &time))
            continue;
        low = high < low || time < low ? time : low;
        high = time > high || high < low ? time : high;
    }
    bool named = step->expr->kind == EXPR_CONST && step->expr->type == TYPE_STRING;
    if (!named && !timeline_length(run, step, "window", &length))
        return false;
    a->timeline.start = named ? low : floorl(low / length) * length;
    a->timeline.end = high;
    return true;
}

static bool
optional_range(Activity *a, uint32_t lengths, const PluginArg **rest)
{
    const PluginArgs *constants = &a->run->call->args[M_CONSTANTS];
    *rest = &constants->items[constants->len - lengths];
    return constants->len > lengths ? activity_range(a, &constants->items[0], &constants->items[1])
                                    : range_of_data(a, *rest);
}

static bool
metrics_bind(PluginBind *bind)
{
    static const Column COLUMNS[] = {
        {STR_INIT("dcount_values"), TYPE_LONG},
        {STR_INIT("dcount_newvalues"), TYPE_LONG},
        {STR_INIT("retention_rate"), TYPE_REAL},
        {STR_INIT("churn_rate"), TYPE_REAL},
    };
    timeline_schema(bind, M_TIME, &bind->call->args[M_DIMENSIONS], COLUMNS, COUNT_OF(COLUMNS));
    return check_constants(bind, 1, "window");
}

static ResultTable *
metrics_run(PluginRun *run)
{
    Activity a = {.run = run};
    const PluginArg *window;
    if (!optional_range(&a, 1, &window) || !timeline_open(run, window, &a.timeline, 0))
        return NULL;
    return activity_run(&a, &METRICS, M_DIMENSIONS);
}

// ---- activity_engagement ----

static void
engagement_user(Activity *a, const Event *from, const Event *to)
{
    activity_count_bins(a, from, to);
    activity_count_windows(a, from, to);
}

static void
engagement_write(Activity *a, uint32_t group, uint32_t bin)
{
    int64_t outer = activity_sum(a, WINDOW, bin), inner = counter(a, DISTINCT, bin);
    if (!inner || bin < a->timeline.first)
        return;
    activity_row(a, group, bin);
    writer_long(&a->writer, inner);
    writer_long(&a->writer, outer);
    writer_real(&a->writer, (double)inner / (double)outer);
}

static const ActivityKind ENGAGEMENT = {engagement_user, NULL, engagement_write};

static bool
engagement_bind(PluginBind *bind)
{
    static const Column COLUMNS[] = {
        {STR_INIT("dcount_activities_inner"), TYPE_LONG},
        {STR_INIT("dcount_activities_outer"), TYPE_LONG},
        {STR_INIT("activity_ratio"), TYPE_REAL},
    };
    timeline_schema(bind, M_TIME, &bind->call->args[M_DIMENSIONS], COLUMNS, COUNT_OF(COLUMNS));
    return check_constants(bind, 2, "inner window, outer window");
}

static ResultTable *
engagement_run(PluginRun *run)
{
    Activity a = {.run = run};
    const PluginArg *windows;
    if (!optional_range(&a, 2, &windows) ||
        !timeline_length(run, &windows[1], "outer window", &a.lookback) ||
        !timeline_open(run, &windows[0], &a.timeline, a.lookback))
        return NULL;
    return activity_run(&a, &ENGAGEMENT, M_DIMENSIONS);
}

// ---- rows ----

static const PluginParam COUNTS_PARAMS[] = {
    TIMELINE_ID,           TIMELINE_TIME,        TIMELINE_POINT("start"),
    TIMELINE_POINT("end"), TIMELINE_STEP("bin"), ACTIVITY_DIMENSIONS};
static const PluginParam METRICS_PARAMS[] = {
    TIMELINE_ID,
    TIMELINE_TIME,
    {"start_end_window", PLUGIN_CONSTANT, TIMELINE_TYPES " string", PLUGIN_REPEATED},
    ACTIVITY_DIMENSIONS};
static const PluginParam ENGAGEMENT_PARAMS[] = {
    TIMELINE_ID,
    TIMELINE_TIME,
    {"start_end_windows", PLUGIN_CONSTANT, TIMELINE_TYPES " string", PLUGIN_REPEATED},
    ACTIVITY_DIMENSIONS};
static const PluginImpl COUNTS_IMPL = {.bind = counts_bind, .run = counts_run};
static const PluginImpl METRICS_IMPL = {.bind = metrics_bind, .run = metrics_run};
static const PluginImpl ENGAGEMENT_IMPL = {.bind = engagement_bind, .run = engagement_run};

#define ROW(plugin_name, prefix, help)                                                             \
    {                                                                                              \
        .name = plugin_name, .doc = help, .params = prefix##_PARAMS,                               \
        .param_count = COUNT_OF(prefix##_PARAMS), .impl = &prefix##_IMPL                           \
    }

static const PluginDef ROWS[] = {
    ROW("activity_counts_metrics", COUNTS,
        "Counts records, users, new users and users so far in each time window."),
    ROW("activity_metrics", METRICS,
        "Counts users and new users of each window, with retention and churn against the one "
        "before."),
    ROW("activity_engagement", ENGAGEMENT,
        "Compares the users of each inner window with those of the outer window that ends with "
        "it."),
};

const PluginSet ACTIVITY_METRICS_PLUGINS = {ROWS, COUNT_OF(ROWS)};
