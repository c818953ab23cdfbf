// Users over lookback windows: active_users_count, session_count, sliding_window_counts.
// Sources: Kusto docs, the page of each plugin.

#include "base/array.h"
#include "exec/plugin/activity.h"

#include <math.h>

// ---- active_users_count ----

enum { A_ID, A_TIME, A_START, A_END, A_LOOKBACK, A_PERIOD, A_ACTIVE, A_BIN, A_DIMENSIONS };

// At each event, in how many periods the user was seen in (time - lookback, time].
static void
active_user(Activity *a, const Event *from, const Event *to)
{
    const Event *left = from;
    int64_t periods = 0;
    uint32_t counted = UINT32_MAX;
    for (const Event *event = from; event < to; event++) {
        Instant period = floorl((event->time - a->timeline.start) / a->period);
        if (event == from || floorl((event[-1].time - a->timeline.start) / a->period) != period)
            periods++;
        for (; left->time <= event->time - a->lookback; left++)
            if (floorl((left->time - a->timeline.start) / a->period) !=
                floorl((left[1].time - a->timeline.start) / a->period))
                periods--;
        if (periods >= a->active_periods && event->bin != counted) {
            counted = event->bin;
            a->counters.of[DISTINCT][counted]++;
        }
    }
}

static void
active_write(Activity *a, uint32_t group, uint32_t bin)
{
    if (bin < a->timeline.first || !counter(a, DISTINCT, bin))
        return;
    activity_row(a, group, bin);
    writer_long(&a->writer, counter(a, DISTINCT, bin));
}

static const ActivityKind ACTIVE = {active_user, NULL, active_write};

static bool
active_bind(PluginBind *bind)
{
    static const Column COLUMNS[] = {{STR_INIT("dcount"), TYPE_LONG}};
    timeline_schema(bind, A_TIME, &bind->call->args[A_DIMENSIONS], COLUMNS, COUNT_OF(COLUMNS));
    return true;
}

static ResultTable *
active_run(PluginRun *run)
{
    Activity a = {.run = run};
    const PluginCall *call = run->call;
    Value periods;
    if (!activity_range(&a, plugin_arg(call, A_START), plugin_arg(call, A_END)) ||
        !timeline_length(run, plugin_arg(call, A_LOOKBACK), "lookback_window", &a.lookback) ||
        !timeline_length(run, plugin_arg(call, A_PERIOD), "period", &a.period) ||
        !plugin_value(run, A_ACTIVE, TYPE_LONG, &periods) ||
        !timeline_open(run, plugin_arg(call, A_BIN), &a.timeline, a.lookback))
        return NULL;
    a.active_periods = periods.is_null ? 1 : periods.int64;
    return activity_run(&a, &ACTIVE, A_DIMENSIONS);
}

// ---- session_count ----

enum { S_ID, S_TIME, S_START, S_END, S_BIN, S_LOOKBACK, S_DIMENSIONS };

// A session goes on while the user is seen again within the lookback; a bin counts the
// sessions that were seen in it.
static void
session_user(Activity *a, const Event *from, const Event *to)
{
    for (const Event *event = from; event < to; event++)
        if (event == from || event->bin != event[-1].bin ||
            event->time - event[-1].time > a->lookback)
            a->counters.of[DISTINCT][event->bin]++;
}

static const ActivityKind SESSIONS = {session_user, NULL, active_write};

static bool
session_bind(PluginBind *bind)
{
    static const Column COLUMNS[] = {{STR_INIT("count_sessions"), TYPE_LONG}};
    timeline_schema(bind, S_TIME, &bind->call->args[S_DIMENSIONS], COLUMNS, COUNT_OF(COLUMNS));
    return true;
}

static ResultTable *
session_run(PluginRun *run)
{
    Activity a = {.run = run};
    const PluginCall *call = run->call;
    if (!activity_range(&a, plugin_arg(call, S_START), plugin_arg(call, S_END)) ||
        !timeline_length(run, plugin_arg(call, S_LOOKBACK), "lookback_window", &a.lookback) ||
        !timeline_open(run, plugin_arg(call, S_BIN), &a.timeline, a.lookback))
        return NULL;
    return activity_run(&a, &SESSIONS, S_DIMENSIONS);
}

// ---- sliding_window_counts ----

enum { W_ID, W_TIME, W_START, W_END, W_LOOKBACK, W_BIN, W_DIMENSIONS };

static void
sliding_write(Activity *a, uint32_t group, uint32_t bin)
{
    int64_t records = activity_sum(a, RECORDS, bin), users = activity_sum(a, WINDOW, bin);
    if (!records || bin < a->timeline.first)
        return;
    activity_row(a, group, bin);
    writer_long(&a->writer, records);
    writer_long(&a->writer, users);
}

static const ActivityKind SLIDING = {activity_count_windows, activity_record_windows,
                                     sliding_write};

static bool
sliding_bind(PluginBind *bind)
{
    static const Column COLUMNS[] = {{STR_INIT("Count"), TYPE_LONG},
                                     {STR_INIT("Dcount"), TYPE_LONG}};
    timeline_schema(bind, W_TIME, &bind->call->args[W_DIMENSIONS], COLUMNS, COUNT_OF(COLUMNS));
    return true;
}

static ResultTable *
sliding_run(PluginRun *run)
{
    Activity a = {.run = run};
    const PluginCall *call = run->call;
    if (!activity_range(&a, plugin_arg(call, W_START), plugin_arg(call, W_END)) ||
        !timeline_length(run, plugin_arg(call, W_LOOKBACK), "lookback_window", &a.lookback) ||
        !timeline_open(run, plugin_arg(call, W_BIN), &a.timeline, a.lookback))
        return NULL;
    return activity_run(&a, &SLIDING, W_DIMENSIONS);
}

// ---- rows ----

static const PluginParam ACTIVE_PARAMS[] = {TIMELINE_ID,
                                            TIMELINE_TIME,
                                            TIMELINE_POINT("start"),
                                            TIMELINE_POINT("end"),
                                            TIMELINE_POINT("lookback_window"),
                                            TIMELINE_POINT("period"),
                                            {"active_periods_count", PLUGIN_CONSTANT, "long", 0},
                                            TIMELINE_STEP("bin"),
                                            ACTIVITY_DIMENSIONS};
static const PluginParam SESSION_PARAMS[] = {
    TIMELINE_ID,           TIMELINE_TIME,        TIMELINE_POINT("start"),
    TIMELINE_POINT("end"), TIMELINE_STEP("bin"), TIMELINE_POINT("lookback_window"),
    ACTIVITY_DIMENSIONS};
static const PluginParam SLIDING_PARAMS[] = {TIMELINE_ID,
                                             TIMELINE_TIME,
                                             TIMELINE_POINT("start"),
                                             TIMELINE_POINT("end"),
                                             TIMELINE_POINT("lookback_window"),
                                             TIMELINE_STEP("bin"),
                                             ACTIVITY_DIMENSIONS};
static const PluginImpl ACTIVE_IMPL = {.bind = active_bind, .run = active_run};
static const PluginImpl SESSION_IMPL = {.bind = session_bind, .run = session_run};
static const PluginImpl SLIDING_IMPL = {.bind = sliding_bind, .run = sliding_run};

#define ROW(plugin_name, prefix, help)                                                             \
    {                                                                                              \
        .name = plugin_name, .doc = help, .params = prefix##_PARAMS,                               \
        .param_count = COUNT_OF(prefix##_PARAMS), .impl = &prefix##_IMPL                           \
    }

static const PluginDef ROWS[] = {
    ROW("active_users_count", ACTIVE,
        "Counts users who were seen in at least so many periods of the lookback window."),
    ROW("session_count", SESSION,
        "Counts sessions: runs of a user's events without a gap longer than the lookback."),
    ROW("sliding_window_counts", SLIDING,
        "Counts records and users of the lookback window that ends with each bin."),
};

const PluginSet ACTIVITY_WINDOWS_PLUGINS = {ROWS, COUNT_OF(ROWS)};
