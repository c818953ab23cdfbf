// new_activity_metrics: cohorts of new users, followed through the later windows.
//
// A user belongs to the cohort of the window in which they were first seen; who is in the
// lookback table is not new. For each pair of windows `from` <= `to`: how many of the
// cohort were seen in `to`, how many were not, and how many users of `to` had not been
// seen by the end of `from` (of the cohort's own window: the cohort). Source: Kusto docs,
// new_activity_metrics plugin, with its example.

#include "base/array.h"
#include "exec/keys.h"
#include "exec/plugin/timeline.h"

#include <math.h>

enum { P_ID, P_TIME, P_START, P_END, P_WINDOW, P_COHORT, P_DIMENSIONS, P_LOOKBACK };
enum { WINDOWS_MAX = 4096 };

static bool
new_activity_bind(PluginBind *bind)
{
    static const Column COLUMNS[] = {
        {STR_INIT("dcount_new_values"), TYPE_LONG},
        {STR_INIT("dcount_retained_values"), TYPE_LONG},
        {STR_INIT("dcount_churn_values"), TYPE_LONG},
        {STR_INIT("retention_rate"), TYPE_REAL},
        {STR_INIT("churn_rate"), TYPE_REAL},
    };
    PluginCall *call = bind->call;
    const PluginArg *time = plugin_arg(call, P_TIME), *lookback = plugin_arg(call, P_LOOKBACK);
    ColumnNamer namer = {.arena = bind->arena};
    namer_add_auto(&namer, str_format(bind->arena, "from_%.*s", STR_ARG(time->name)),
                   time->expr->type);
    namer_add_auto(&namer, str_format(bind->arena, "to_%.*s", STR_ARG(time->name)),
                   time->expr->type);
    for (uint32_t d = 0; d < call->args[P_DIMENSIONS].len; d++) {
        const PluginArg *dimension = &call->args[P_DIMENSIONS].items[d];
        namer_add_auto(&namer, dimension->name, dimension->expr->type);
    }
    for (size_t c = 0; c < COUNT_OF(COLUMNS); c++)
        namer_add_auto(&namer, COLUMNS[c].name, COLUMNS[c].type);
    call->schema = namer_schema(&namer);
    if (!lookback)
        return true;
    // The table's ids: the column of the id's name, or the only one there is.
    const PluginArg *id = plugin_arg(call, P_ID);
    const Schema *table = &lookback->table->schema;
    ptrdiff_t at = table->count == 1 ? 0 : schema_find(table, id->name);
    if (at < 0 || table->columns[at].type != id->expr->type)
        return plugin_fail(bind, lookback->span,
                           "the lookback table needs a column '%.*s' of type %s", STR_ARG(id->name),
                           type_name(id->expr->type));
    call->bound = arena_copy(bind->arena, &(uint32_t){(uint32_t)at}, sizeof(uint32_t));
    return true;
}

typedef struct Cohorts {
    PluginRun *run;
    Timeline timeline;
    Events events;
    uint8_t *known;    // by row of the events: the id is in the lookback table
    int64_t *seen;     // [from * count + to]: users first seen in `from`, seen in `to`
    int64_t *cohort;   // by window
    int64_t *later;    // by window, while a group is written
    int64_t only_from; // the one cohort that is asked for, -1: all
} Cohorts;

// Marks the events whose id the lookback table has.
static bool
mark_known(Cohorts *c)
{
    PluginRun *run = c->run;
    Arena *arena = &run->exec->workers[0].keep;
    const PluginArg *lookback = plugin_arg(run->call, P_LOOKBACK);
    uint32_t rows = c->events.count;
    c->known = ARENA_ARRAY(arena, uint8_t, rows + 1);
    if (!lookback)
        return true;
    uint32_t column = *(const uint32_t *)run->call->bound;
    const Vector *ids = c->events.columns->columns[0];
    Expr *expr = expr_column(arena, column, ids->type, lookback->span);
    const Batch *table = plugin_columns(run, lookback->table, &expr, 1);
    if (!table)
        return false;
    KeyLayout layout = key_layout(arena, &ids->type, 1);
    GroupTable known;
    group_table_init(&known, &layout, 0, arena);
    uint64_t *keys, *hashes;
    key_encode(arena, &layout, table->columns, table->count, &keys, &hashes);
    for (uint32_t i = 0; i < table->count; i++)
        group_add(&known, keys + (size_t)i * layout.words, hashes[i]);
    key_encode(arena, &layout, &ids, rows, &keys, &hashes);
    for (uint32_t i = 0; i < rows; i++)
        c->known[i] = group_find(&known, keys + (size_t)i * layout.words, hashes[i]) != GROUP_NONE;
    return worker_charge(&run->exec->workers[0], "the lookback table") ||
           exec_first_error(run->exec, run->error);
}

static void
add_user(Cohorts *c, const Event *from, const Event *to)
{
    if (from->id == ID_NONE || c->known[from->row])
        return;
    c->cohort[from->bin]++;
    for (const Event *event = from; event < to; event++)
        if (event == from || event->bin != event[-1].bin)
            c->seen[(size_t)from->bin * c->timeline.count + event->bin]++;
}

static bool
write_group(Cohorts *c, RowWriter *writer, uint32_t group)
{
    uint32_t count = c->timeline.count;
    // Users of each window who were not seen by the end of `from`.
    memset(c->later, 0, count * sizeof(*c->later));
    for (uint32_t from = 0; from < count; from++)
        for (uint32_t to = from; to < count; to++)
            c->later[to] += c->seen[(size_t)from * count + to];
    bool going = true;
    for (uint32_t from = 0; from < count && going; from++) {
        double cohort = (double)c->cohort[from];
        for (uint32_t to = from; to < count && going; to++) {
            int64_t kept = c->seen[(size_t)from * count + to];
            c->later[to] -= kept;
            if (c->only_from >= 0 && from != c->only_from)
                continue;
            writer_instant(writer, c->timeline.type, c->timeline.bounds[from]);
            writer_instant(writer, c->timeline.type, c->timeline.bounds[to]);
            writer_group(writer, &c->events, group);
            writer_long(writer, from == to ? kept : c->later[to]);
            writer_long(writer, kept);
            writer_long(writer, c->cohort[from] - kept);
            writer_real(writer, cohort > 0 ? (double)kept / cohort : NAN);
            writer_real(writer, cohort > 0 ? (cohort - (double)kept) / cohort : NAN);
            going = writer_end_row(writer);
        }
    }
    return going && worker_check(&c->run->exec->workers[0]);
}

static bool
read_cohorts(Cohorts *c)
{
    PluginRun *run = c->run;
    const PluginCall *call = run->call;
    const PluginArgs *dimensions = &call->args[P_DIMENSIONS];
    const PluginArg *cohort = plugin_arg(call, P_COHORT);
    Expr **exprs = ARENA_ARRAY(run->exec->arena, Expr *, dimensions->len + 2);
    exprs[0] = plugin_arg(call, P_ID)->expr;
    exprs[1] = plugin_arg(call, P_TIME)->expr;
    for (uint32_t d = 0; d < dimensions->len; d++)
        exprs[2 + d] = dimensions->items[d].expr;
    Timeline *t = &c->timeline;
    t->type = exprs[1]->type;
    if (!timeline_argument(run, plugin_arg(call, P_START), "start", &t->start) ||
        !timeline_argument(run, plugin_arg(call, P_END), "end", &t->end) ||
        !timeline_open(run, plugin_arg(call, P_WINDOW), t, 0))
        return false;
    if (t->count > WINDOWS_MAX) {
        plugin_error(run, AZ_LIMIT, plugin_arg(call, P_WINDOW)->span,
                     "every window is compared with every other: at most %d are possible, not %u",
                     WINDOWS_MAX, t->count);
        return false;
    }
    c->only_from = -1;
    if (cohort) {
        Instant time;
        if (!timeline_argument(run, cohort, "cohort", &time))
            return false;
        bool inside = t->count && time >= t->bounds[0] && time < t->bounds[t->count];
        c->only_from = inside ? timeline_bin(t, time) : t->count;
    }
    size_t cells = (size_t)t->count * t->count;
    if (!worker_reserve(&run->exec->workers[0], cells * sizeof(int64_t), "the windows of a plugin"))
        return exec_first_error(run->exec, run->error);
    c->seen = ARENA_ARRAY(&run->exec->workers[0].keep, int64_t, cells + 1);
    c->cohort = ARENA_ARRAY(&run->exec->workers[0].keep, int64_t, t->count + 1);
    c->later = ARENA_ARRAY(&run->exec->workers[0].keep, int64_t, t->count + 1);
    return events_read(run, t, exprs, dimensions->len + 2, dimensions->len, &c->events) &&
           mark_known(c);
}

static ResultTable *
new_activity_run(PluginRun *run)
{
    Cohorts c = {.run = run};
    if (!read_cohorts(&c))
        return NULL;
    size_t cells = (size_t)c.timeline.count * c.timeline.count;
    const Event *items = c.events.items;
    RowWriter writer;
    writer_open(&writer, run);
    uint32_t at = 0;
    bool going = true;
    for (uint32_t group = 0; group < c.events.group_count && going; group++) {
        memset(c.seen, 0, cells * sizeof(*c.seen));
        memset(c.cohort, 0, c.timeline.count * sizeof(*c.cohort));
        while (at < c.events.count && items[at].group == group) {
            uint32_t from = at;
            while (at < c.events.count && items[at].group == group &&
                   items[at].id == items[from].id)
                at++;
            add_user(&c, items + from, items + at);
        }
        going = write_group(&c, &writer, group);
    }
    return writer_finish(&writer);
}

static const PluginImpl NEW_ACTIVITY = {.bind = new_activity_bind, .run = new_activity_run};
static const PluginParam PARAMS[] = {
    [P_ID] = {"id", PLUGIN_COLUMN, NULL, 0},
    [P_TIME] = {"timeline", PLUGIN_COLUMN, TIMELINE_TYPES, 0},
    [P_START] = {"start", PLUGIN_CONSTANT, TIMELINE_TYPES, 0},
    [P_END] = {"end", PLUGIN_CONSTANT, TIMELINE_TYPES, 0},
    [P_WINDOW] = {"window", PLUGIN_CONSTANT, TIMELINE_TYPES " string", 0},
    [P_COHORT] = {"cohort", PLUGIN_CONSTANT, TIMELINE_TYPES, PLUGIN_OPTIONAL},
    [P_DIMENSIONS] = {"dimension", PLUGIN_COLUMN, NULL, PLUGIN_OPTIONAL | PLUGIN_REPEATED},
    [P_LOOKBACK] = {"lookback", PLUGIN_TABLE, NULL, PLUGIN_OPTIONAL},
};
static const PluginDef ROWS[] = {
    {.name = "new_activity_metrics",
     .doc = "Follows the new users of each time window through the later ones.",
     .params = PARAMS,
     .param_count = COUNT_OF(PARAMS),
     .impl = &NEW_ACTIVITY},
};

const PluginSet NEW_ACTIVITY_PLUGINS = {ROWS, COUNT_OF(ROWS)};
