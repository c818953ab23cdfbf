// Counting users by bin; see activity.h.

#include "exec/plugin/activity.h"

void
activity_row(Activity *a, uint32_t group, uint32_t bin)
{
    writer_instant(&a->writer, a->timeline.type, a->timeline.bounds[bin]);
    writer_group(&a->writer, &a->events, group);
}

// ---- running ----

static bool
open_counters(Activity *a)
{
    Worker *worker = &a->run->exec->workers[0];
    size_t bytes = ((size_t)a->timeline.count + 2) * sizeof(int64_t);
    if (!worker_reserve(worker, COUNTERS * bytes, "the bins of a plugin"))
        return exec_first_error(a->run->exec, a->run->error);
    for (int k = 0; k < COUNTERS; k++)
        a->counters.of[k] = arena_alloc(&worker->keep, bytes);
    return true;
}

// The last bin whose window still holds bin `bin`: it and those that end within the
// lookback counted from it.
static uint32_t
window_end(const Activity *a, uint32_t bin)
{
    const Timeline *t = &a->timeline;
    Instant limit = t->bounds[bin] + a->lookback;
    uint32_t end = bin;
    uint32_t high = t->count; // the first that is beyond
    while (end + 1 < high) {
        uint32_t middle = end + (high - end) / 2;
        if (t->bounds[middle + 1] <= limit)
            end = middle;
        else
            high = middle;
    }
    return end;
}

// The bins that a group's events can touch, with those their windows reach; counters of
// the bin before are read too.
static void
clear_counters(Activity *a, uint32_t from, uint32_t to, uint32_t *low, uint32_t *high)
{
    const Event *items = a->events.items;
    *low = *high = items[from].bin;
    for (uint32_t i = from; i < to; i++) {
        *low = items[i].bin < *low ? items[i].bin : *low;
        *high = items[i].bin > *high ? items[i].bin : *high;
    }
    *high = window_end(a, *high);
    uint32_t first = *low ? *low - 1 : 0;
    for (int k = 0; k < COUNTERS; k++)
        memset(a->counters.of[k] + first, 0, ((size_t)*high + 2 - first) * sizeof(int64_t));
}

static bool
run_group(Activity *a, const ActivityKind *kind, uint32_t from, uint32_t to)
{
    const Event *items = a->events.items;
    uint32_t low, high;
    clear_counters(a, from, to, &low, &high);
    for (uint32_t at = from, user; at < to;) {
        for (user = at; at < to && items[at].id == items[user].id; at++)
            if (kind->record)
                kind->record(a, &items[at]);
        if (items[user].id != ID_NONE)
            kind->user(a, items + user, items + at);
    }
    for (uint32_t bin = low; bin <= high; bin++) {
        kind->write(a, items[from].group, bin);
        if (a->writer.column && !writer_end_row(&a->writer))
            return false;
    }
    return worker_check(&a->run->exec->workers[0]);
}

ResultTable *
activity_run(Activity *a, const ActivityKind *kind, uint32_t dimensions)
{
    const PluginArgs *given = &a->run->call->args[dimensions];
    Expr **exprs = ARENA_ARRAY(a->run->exec->arena, Expr *, given->len + 2);
    exprs[0] = plugin_arg(a->run->call, 0)->expr;
    exprs[1] = plugin_arg(a->run->call, 1)->expr;
    for (uint32_t d = 0; d < given->len; d++)
        exprs[2 + d] = given->items[d].expr;
    if (!open_counters(a) ||
        !events_read(a->run, &a->timeline, exprs, given->len + 2, given->len, &a->events))
        return NULL;
    const Event *items = a->events.items;
    bool going = true;
    writer_open(&a->writer, a->run);
    for (uint32_t from = 0, to; from < a->events.count && going; from = to) {
        for (to = from; to < a->events.count && items[to].group == items[from].group; to++)
            ;
        going = run_group(a, kind, from, to);
    }
    return writer_finish(&a->writer);
}

bool
activity_range(Activity *a, const PluginArg *start, const PluginArg *end)
{
    a->timeline.type = plugin_arg(a->run->call, 1)->expr->type;
    return timeline_argument(a->run, start, "start", &a->timeline.start) &&
           timeline_argument(a->run, end, "end", &a->timeline.end);
}

// ---- shares that several count ----

void
activity_count_record(Activity *a, const Event *event)
{
    a->counters.of[RECORDS][event->bin]++;
}

// Adds one to the bins [from, to] of a counter that is summed up when it is written.
static void
add_span(int64_t *counter, uint32_t from, uint32_t to)
{
    counter[from]++;
    counter[to + 1]--;
}

// One for each bin whose window holds one of the user's events.
void
activity_count_windows(Activity *a, const Event *from, const Event *to)
{
    uint32_t start = from->bin, end = window_end(a, start);
    for (const Event *event = from + 1; event < to; event++) {
        if (event->bin == event[-1].bin)
            continue;
        if (event->bin > end + 1) {
            add_span(a->counters.of[WINDOW], start, end);
            start = event->bin;
        }
        end = window_end(a, event->bin);
    }
    add_span(a->counters.of[WINDOW], start, end);
}

// Turns the differences of a span counter into counts, as bins are written in order.
int64_t
activity_sum(Activity *a, int which, uint32_t bin)
{
    if (bin)
        a->counters.of[which][bin] += a->counters.of[which][bin - 1];
    return a->counters.of[which][bin];
}

void
activity_record_windows(Activity *a, const Event *event)
{
    add_span(a->counters.of[RECORDS], event->bin, window_end(a, event->bin));
}

void
activity_count_bins(Activity *a, const Event *from, const Event *to)
{
    for (const Event *event = from; event < to; event++)
        if (event == from || event->bin != event[-1].bin)
            a->counters.of[DISTINCT][event->bin]++;
}
