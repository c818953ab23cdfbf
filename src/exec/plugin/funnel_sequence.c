// funnel_sequence: how many users took a sequence of states, and what came before and after.
//
// A user's events are put in order of time; the same state several times in a row is one
// step. The states of the sequence must follow one right after the other, each within
// the given time of the one before. Users are counted by the state before and the state
// after. The service answers with three tables (before and after, before, after); here,
// where a result is one table, it is the first, of which the others are summaries.
//
// Source: Kusto docs, funnel_sequence plugin.

#include "base/array.h"
#include "exec/plugin/funnel.h"

enum { SAMPLES_MAX = 128 };

enum { F_ID, F_TIME, F_START, F_END, F_STEP_WINDOW, F_STEP, F_STATE, F_SEQUENCE };

// One user's way through the sequence, later a row of the answer.
typedef struct Passage {
    uint32_t bin, previous, next; // states; STATE_NONE: none
    uint32_t id, row;
    uint32_t users; // of the row, once they are counted
} Passage;

typedef struct PassageList {
    Passage *items;
    size_t len, cap;
} PassageList;

static int
passage_order(const void *a, const void *b)
{
    const Passage *x = a, *y = b;
    if (x->bin != y->bin)
        return x->bin < y->bin ? -1 : 1;
    if (x->previous != y->previous)
        return x->previous < y->previous ? -1 : 1;
    if (x->next != y->next)
        return x->next < y->next ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static bool
same_row(const Passage *x, const Passage *y)
{
    return x->bin == y->bin && x->previous == y->previous && x->next == y->next;
}

// The steps of a user: the first and last event of each run of one state.
typedef struct Step {
    uint32_t state;
    const Event *first, *last;
} Step;

static uint32_t
user_steps(const Funnel *f, uint32_t from, uint32_t to, Step *steps)
{
    uint32_t count = 0;
    for (uint32_t i = from; i < to; i++) {
        const Event *event = &f->events.items[i];
        if (!count || steps[count - 1].state != funnel_state(f, event))
            steps[count++] = (Step){funnel_state(f, event), event, event};
        steps[count - 1].last = event;
    }
    return count;
}

static bool
close_by(const Step *a, const Step *b, Instant window)
{
    return b->first->time - a->last->time <= window;
}

static void
add_passages(Funnel *f, const Step *steps, uint32_t count, Instant window, Arena *arena,
             PassageList *out)
{
    for (uint32_t s = 0; s + f->length <= count; s++) {
        uint32_t k = 0;
        while (k < f->length && steps[s + k].state == f->sequence[k] &&
               (!k || close_by(&steps[s + k - 1], &steps[s + k], window)))
            k++;
        if (k < f->length)
            continue;
        uint32_t end = s + f->length;
        Passage passage = {.bin = steps[s].first->bin,
                           .previous = STATE_NONE,
                           .next = STATE_NONE,
                           .id = steps[s].first->id,
                           .row = steps[s].first->row};
        if (s && close_by(&steps[s - 1], &steps[s], window))
            passage.previous = steps[s - 1].state;
        if (end < count && close_by(&steps[end - 1], &steps[end], window))
            passage.next = steps[end].state;
        ARRAY_PUSH(arena, out, passage);
    }
}

static int
users_order(const void *a, const void *b)
{
    const Passage *x = *(const Passage *const *)a, *y = *(const Passage *const *)b;
    if (x->bin != y->bin)
        return x->bin < y->bin ? -1 : 1;
    if (x->users != y->users)
        return x->users > y->users ? -1 : 1;
    return passage_order(x, y);
}

static void
write_state(RowWriter *writer, const Funnel *f, uint32_t state)
{
    if (state == STATE_NONE)
        writer_null(writer);
    else
        writer_cell(writer, f->events.columns->columns[2], f->state_rows[state]);
}

// The first users of a row, as an array.
static void
write_samples(RowWriter *writer, const Funnel *f, const Passage *from, const Passage *end)
{
    Worker *worker = &f->run->exec->workers[0];
    DynBuilder *dyn = worker->scratch.dyn;
    uint32_t count = 0;
    dyn_builder_reset(dyn);
    dyn_begin_array(dyn);
    for (const Passage *passage = from; passage < end && count < SAMPLES_MAX; passage++) {
        if (passage > from && passage->id == passage[-1].id)
            continue;
        Value id = vector_value(f->events.columns->columns[0], passage->row);
        dyn_push_value(dyn, &id);
        count++;
    }
    dyn_end_array(dyn);
    Value samples = {.type = TYPE_DYNAMIC};
    dyn_finish_text(dyn, &worker->keep, &samples.text, &samples.is_null);
    writer_value(writer, &samples);
}

static ResultTable *
write_passages(Funnel *f, PassageList *list)
{
    Arena *arena = &f->run->exec->workers[0].keep;
    if (list->len)
        qsort(list->items, list->len, sizeof(Passage), passage_order);
    Passage **rows = ARENA_ARRAY(arena, Passage *, list->len + 1);
    size_t count = 0;
    for (size_t i = 0; i < list->len; i++) {
        Passage *passage = &list->items[i];
        bool new_row = !i || !same_row(passage, passage - 1);
        if (new_row)
            rows[count++] = passage;
        rows[count - 1]->users += new_row || passage->id != passage[-1].id;
    }
    if (count)
        qsort(rows, count, sizeof(*rows), users_order);
    RowWriter writer;
    writer_open(&writer, f->run);
    bool going = true;
    for (size_t r = 0; r < count && going; r++) {
        const Passage *end = rows[r];
        while (end < list->items + list->len && same_row(end, rows[r]))
            end++;
        writer_instant(&writer, f->timeline.type, f->timeline.bounds[rows[r]->bin]);
        write_state(&writer, f, rows[r]->previous);
        write_state(&writer, f, rows[r]->next);
        writer_long(&writer, rows[r]->users);
        write_samples(&writer, f, rows[r], end);
        going = writer_end_row(&writer);
    }
    return writer_finish(&writer);
}

static ResultTable *
sequence_run(PluginRun *run)
{
    Funnel f = {.run = run};
    Instant window;
    if (!timeline_length(run, plugin_arg(run->call, F_STEP_WINDOW), "max_sequence_step_window",
                         &window) ||
        !funnel_read(&f, F_START, F_END, F_STEP, F_STATE, F_SEQUENCE))
        return NULL;
    PassageList list = {0};
    Arena *arena = &run->exec->workers[0].keep;
    Step *steps = ARENA_ARRAY(arena, Step, f.events.count + 1);
    for (uint32_t from = 0, end; from < f.events.count; from = end) {
        end = funnel_user_end(&f, from);
        if (f.events.items[from].id == ID_NONE)
            continue;
        add_passages(&f, steps, user_steps(&f, from, end, steps), window, arena, &list);
        if (!plugin_check(run))
            return NULL;
    }
    return write_passages(&f, &list);
}

static bool
sequence_bind(PluginBind *bind)
{
    const PluginArg *time = plugin_arg(bind->call, F_TIME),
                    *state = plugin_arg(bind->call, F_STATE);
    ColumnNamer namer = {.arena = bind->arena};
    namer_add_auto(&namer, time->name, time->expr->type);
    namer_add_auto(&namer, STR("prev"), state->expr->type);
    namer_add_auto(&namer, STR("next"), state->expr->type);
    namer_add_auto(&namer, STR("dcount"), TYPE_LONG);
    namer_add_auto(&namer, STR("samples"), TYPE_DYNAMIC);
    bind->call->schema = namer_schema(&namer);
    return true;
}

static const PluginImpl SEQUENCE = {.bind = sequence_bind, .run = sequence_run};
static const PluginParam PARAMS[] = {
    [F_ID] = TIMELINE_ID,
    [F_TIME] = TIMELINE_TIME,
    [F_START] = TIMELINE_POINT("start"),
    [F_END] = TIMELINE_POINT("end"),
    [F_STEP_WINDOW] = TIMELINE_POINT("max_sequence_step_window"),
    [F_STEP] = TIMELINE_STEP("step"),
    [F_STATE] = FUNNEL_STATE,
    [F_SEQUENCE] = FUNNEL_ARRAY("sequence"),
};
static const PluginDef ROWS[] = {
    {.name = "funnel_sequence",
     .doc = "Counts users who took a sequence of states, by the states before and after it.",
     .params = PARAMS,
     .param_count = COUNT_OF(PARAMS),
     .impl = &SEQUENCE},
};

const PluginSet FUNNEL_SEQUENCE_PLUGINS = {ROWS, COUNT_OF(ROWS)};
