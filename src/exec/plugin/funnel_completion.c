// funnel_sequence_completion: how far users come in a sequence of states.
//
// Other states may lie between. A user reaches a state within a window when the time
// from the first state of the sequence to it is no longer than the window; each bin
// counts the users whose first state lies in it (Kusto docs, funnel_sequence_completion
// plugin; its example speaks of the overall time).

#include "base/array.h"
#include "exec/plugin/funnel.h"

enum { C_ID, C_TIME, C_START, C_END, C_STEP, C_STATE, C_SEQUENCE, C_WINDOWS };

typedef struct Completion {
    Instant *windows;
    uint32_t window_count;
    int64_t *reached;   // [(bin * windows + window) * length + place of the state]
    uint32_t *counted;  // the same: the user + 1 who was counted last
    const Event **best; // by place: the latest start from which the user came there
    Instant longest;    // of the windows
} Completion;

static void
reach(const Funnel *f, Completion *c, const Event *start, const Event *event, uint32_t place)
{
    for (uint32_t w = 0; w < c->window_count; w++) {
        if (event->time - start->time > c->windows[w])
            continue;
        size_t cell = ((size_t)start->bin * c->window_count + w) * f->length + place;
        if (c->counted[cell] != start->id + 1) {
            c->counted[cell] = start->id + 1;
            c->reached[cell]++;
        }
    }
}

// How far the user comes from the starts in one bin, the first of which is the event
// `from`. The latest start that came to a state is the best to go on from.
static void
add_completion(const Funnel *f, Completion *c, uint32_t from, uint32_t end)
{
    uint32_t bin = f->events.items[from].bin;
    memset(c->best, 0, f->length * sizeof(*c->best));
    for (uint32_t i = from; i < end; i++) {
        const Event *event = &f->events.items[i];
        uint32_t state = funnel_state(f, event);
        if (c->best[0] && event->bin != bin && event->time - c->best[0]->time > c->longest)
            return;
        for (uint32_t k = f->length - 1; k > 0; k--) {
            if (state != f->sequence[k] || !c->best[k - 1])
                continue;
            c->best[k] = c->best[k - 1];
            reach(f, c, c->best[k], event, k);
        }
        if (state == f->sequence[0] && event->bin == bin) {
            c->best[0] = event;
            reach(f, c, event, event, 0);
        }
    }
}

static bool
read_windows(PluginRun *run, Completion *c, Dyn *tree)
{
    Arena *arena = &run->exec->workers[0].keep;
    Value *value = ARENA_NEW(arena, Value);
    Type type = plugin_arg(run->call, C_TIME)->expr->type;
    if (!plugin_value(run, C_WINDOWS, TYPE_DYNAMIC, value))
        return false;
    *tree = value->is_null ? dyn_null() : dyn_of_text(&value->text);
    c->window_count = dyn_kind(*tree) == DYN_ARRAY ? dyn_count(*tree) : 0;
    c->windows = ARENA_ARRAY(arena, Instant, c->window_count + 1);
    bool good = c->window_count > 0;
    for (uint32_t w = 0; w < c->window_count && good; w++) {
        Value window =
            dyn_convert(arena, dyn_at(*tree, w), type == TYPE_DATETIME ? TYPE_TIMESPAN : type);
        Vector one = {.type = window.type, .encoding = ENC_CONST, .count = 1};
        one.data = (void *)(uintptr_t)value_data(&window);
        good = !window.is_null && instant_of(&one, 0, &c->windows[w]);
    }
    if (!good)
        plugin_error(run, AZ_INVALID, plugin_arg(run->call, C_WINDOWS)->span,
                     "max_sequence_windows must be an array of lengths of time");
    return good;
}

static ResultTable *
write_completion(Funnel *f, const Completion *c, Dyn windows)
{
    RowWriter writer;
    writer_open(&writer, f->run);
    bool going = true;
    Arena *arena = &f->run->exec->workers[0].keep;
    Type period = f->run->plan->schema.columns[2].type;
    for (uint32_t bin = 0; bin < f->timeline.count && going; bin++) {
        for (uint32_t w = 0; w < c->window_count && going; w++) {
            size_t cell = ((size_t)bin * c->window_count + w) * f->length;
            for (uint32_t k = 0; k < f->length && going && c->reached[cell]; k++) {
                Value state = dyn_convert(arena, dyn_at(f->sequence_tree, k), TYPE_STRING);
                Value length = dyn_convert(arena, dyn_at(windows, w), period);
                writer_instant(&writer, f->timeline.type, f->timeline.bounds[bin]);
                writer_value(&writer, &state);
                writer_value(&writer, &length);
                writer_long(&writer, c->reached[cell + k]);
                going = writer_end_row(&writer);
            }
        }
    }
    return writer_finish(&writer);
}

static ResultTable *
completion_run(PluginRun *run)
{
    Funnel f = {.run = run};
    Completion c = {0};
    Dyn windows;
    if (!funnel_read(&f, C_START, C_END, C_STEP, C_STATE, C_SEQUENCE) ||
        !read_windows(run, &c, &windows))
        return NULL;
    Worker *worker = &run->exec->workers[0];
    size_t cells = (size_t)f.timeline.count * c.window_count * f.length;
    if (!worker_reserve(worker, cells * (sizeof(int64_t) + sizeof(uint32_t)),
                        "the steps of a funnel"))
        return exec_first_error(run->exec, run->error), NULL;
    c.reached = ARENA_ARRAY(&worker->keep, int64_t, cells + 1);
    c.counted = ARENA_ARRAY(&worker->keep, uint32_t, cells + 1);
    c.best = ARENA_ARRAY(&worker->keep, const Event *, f.length);
    for (uint32_t w = 0; w < c.window_count; w++)
        c.longest = c.windows[w] > c.longest ? c.windows[w] : c.longest;
    for (uint32_t from = 0, end; from < f.events.count; from = end) {
        end = funnel_user_end(&f, from);
        if (f.events.items[from].id == ID_NONE)
            continue;
        uint32_t bin = UINT32_MAX; // of the last start
        for (uint32_t i = from; i < end; i++) {
            const Event *event = &f.events.items[i];
            if (funnel_state(&f, event) != f.sequence[0] || event->bin == bin)
                continue;
            bin = event->bin;
            add_completion(&f, &c, i, end);
        }
        if (!plugin_check(run))
            return NULL;
    }
    return write_completion(&f, &c, windows);
}

static bool
completion_bind(PluginBind *bind)
{
    const PluginArg *time = plugin_arg(bind->call, C_TIME),
                    *state = plugin_arg(bind->call, C_STATE);
    ColumnNamer namer = {.arena = bind->arena};
    Type period = time->expr->type == TYPE_DATETIME ? TYPE_TIMESPAN : time->expr->type;
    namer_add_auto(&namer, time->name, time->expr->type);
    namer_add_auto(&namer, state->name, TYPE_STRING);
    namer_add_auto(&namer, STR("Period"), period);
    namer_add_auto(&namer, STR("dcount"), TYPE_LONG);
    bind->call->schema = namer_schema(&namer);
    return true;
}

static const PluginImpl COMPLETION = {.bind = completion_bind, .run = completion_run};
static const PluginParam PARAMS[] = {
    [C_ID] = TIMELINE_ID,
    [C_TIME] = TIMELINE_TIME,
    [C_START] = TIMELINE_POINT("start"),
    [C_END] = TIMELINE_POINT("end"),
    [C_STEP] = TIMELINE_STEP("step"),
    [C_STATE] = FUNNEL_STATE,
    [C_SEQUENCE] = FUNNEL_ARRAY("sequence"),
    [C_WINDOWS] = FUNNEL_ARRAY("max_sequence_windows"),
};
static const PluginDef ROWS[] = {
    {.name = "funnel_sequence_completion",
     .doc = "Counts users who came to each state of a sequence, within each of some times.",
     .params = PARAMS,
     .param_count = COUNT_OF(PARAMS),
     .impl = &COMPLETION},
};

const PluginSet FUNNEL_COMPLETION_PLUGINS = {ROWS, COUNT_OF(ROWS)};
