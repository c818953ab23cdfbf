// sequence_detect: rows that meet one predicate after the other, in time.
//
// Within each combination of dimensions the rows are put in order of time. A sequence is
// one row for each predicate, each not before the last, at most `step` after it and at
// most `span` after the first. Every such choice comes out once: of two rows that meet
// the second predicate within the step, both do (Kusto docs, sequence_detect plugin: the
// example pairs one heat wave with two fires). One row is not two steps.

#include "base/array.h"
#include "exec/plugin/timeline.h"

enum { PARAM_TIME, PARAM_STEP, PARAM_SPAN, PARAM_STEPS, PARAM_DIMENSIONS };
enum { STEPS_MAX = 64 };

static bool
detect_bind(PluginBind *bind)
{
    PluginCall *call = bind->call;
    const PluginArg *time = plugin_arg(call, PARAM_TIME);
    const PluginArgs *steps = &call->args[PARAM_STEPS], *dimensions = &call->args[PARAM_DIMENSIONS];
    if (steps->len > STEPS_MAX)
        return plugin_fail(bind, call->span, "a sequence has at most %d steps", STEPS_MAX);
    ColumnNamer namer = {.arena = bind->arena};
    for (uint32_t d = 0; d < dimensions->len; d++) {
        const PluginArg *dimension = &dimensions->items[d];
        namer_add_auto(&namer, dimension->name.len ? dimension->name : STR("Column"),
                       dimension->expr->type);
    }
    for (uint32_t s = 0; s < steps->len; s++) {
        Str name = steps->items[s].name;
        if (!name.len)
            name = str_format(bind->arena, "Expr%u", s + 1);
        namer_add_auto(&namer,
                       str_format(bind->arena, "%.*s_%.*s", STR_ARG(name), STR_ARG(time->name)),
                       time->expr->type);
    }
    namer_add_auto(&namer, STR("Duration"),
                   time->expr->type == TYPE_DATETIME ? TYPE_TIMESPAN : time->expr->type);
    call->schema = namer_schema(&namer);
    return true;
}

// A row that meets some predicate.
typedef struct Moment {
    Instant time;
    uint64_t meets; // bit set of steps
    uint32_t group, row;
} Moment;

typedef struct Found {
    const Moment *moments[STEPS_MAX];
} Found;

typedef struct Detect {
    PluginRun *run;
    const Batch *columns; // time, predicates, dimensions
    uint32_t step_count, dimension_count;
    Instant step, span;
    Moment *moments; // by group and time
    uint32_t count;
    const Moment **found; // step_count a sequence
    size_t found_len, found_cap;
    Arena *arena;
    uint32_t looked; // moments looked at, to ask now and then whether to stop
} Detect;

static int
moment_order(const void *a, const void *b)
{
    const Moment *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static bool
read_moments(Detect *d)
{
    PluginRun *run = d->run;
    const PluginCall *call = run->call;
    const PluginArgs *steps = &call->args[PARAM_STEPS], *dimensions = &call->args[PARAM_DIMENSIONS];
    uint32_t count = 1 + steps->len + dimensions->len, at = 0;
    Expr **exprs = ARENA_ARRAY(run->exec->arena, Expr *, count);
    exprs[at++] = plugin_arg(call, PARAM_TIME)->expr;
    for (uint32_t s = 0; s < steps->len; s++)
        exprs[at++] = steps->items[s].expr;
    for (uint32_t k = 0; k < dimensions->len; k++)
        exprs[at++] = dimensions->items[k].expr;
    d->step_count = steps->len;
    d->dimension_count = dimensions->len;
    d->columns = plugin_columns(run, run->plan->input, exprs, count);
    if (!d->columns)
        return false;
    uint32_t rows = d->columns->count;
    if (!worker_reserve(&run->exec->workers[0], (size_t)rows * (sizeof(Moment) + sizeof(uint32_t)),
                        "the rows of a sequence"))
        return exec_first_error(run->exec, run->error);
    uint32_t *groups = ARENA_ARRAY(d->arena, uint32_t, rows + 1);
    number_keys(run, d->columns, 1 + steps->len, dimensions->len, groups, NULL);
    d->moments = ARENA_ARRAY(d->arena, Moment, rows + 1);
    for (uint32_t i = 0; i < rows; i++) {
        Moment moment = {.group = groups[i], .row = i};
        for (uint32_t s = 0; s < steps->len; s++) {
            const Vector *truth = d->columns->columns[1 + s];
            bool met = !vector_is_null(truth, i) && *(const uint8_t *)vector_cell(truth, i);
            moment.meets |= (uint64_t)met << s;
        }
        if (moment.meets && instant_of(d->columns->columns[0], i, &moment.time))
            d->moments[d->count++] = moment;
    }
    if (d->count)
        qsort(d->moments, d->count, sizeof(Moment), moment_order);
    return true;
}

static bool
keep_sequence(Detect *d, const Found *found)
{
    if (d->found_len + d->step_count > d->found_cap) {
        size_t cap = d->found_cap ? d->found_cap * 2 : 256 * (size_t)d->step_count;
        if (!worker_reserve(&d->run->exec->workers[0], cap * sizeof(*d->found),
                            "the sequences found") ||
            !worker_check(&d->run->exec->workers[0]))
            return exec_first_error(d->run->exec, d->run->error);
        const Moment **grown = arena_alloc_array(d->arena, cap, sizeof(*grown));
        if (d->found_len)
            memcpy(grown, d->found, d->found_len * sizeof(*grown));
        d->found = grown;
        d->found_cap = cap;
        if (!worker_charge(&d->run->exec->workers[0], "the sequences found"))
            return exec_first_error(d->run->exec, d->run->error);
    }
    for (uint32_t s = 0; s < d->step_count; s++)
        d->found[d->found_len++] = found->moments[s];
    return true;
}

static bool
is_taken(const Found *found, uint32_t count, const Moment *moment)
{
    for (uint32_t s = 0; s < count; s++)
        if (found->moments[s] == moment)
            return true;
    return false;
}

// Goes on from the moment of step `place - 1`.
static bool
follow(Detect *d, Found *found, uint32_t place)
{
    if (place == d->step_count)
        return keep_sequence(d, found);
    const Moment *first = found->moments[0], *last = found->moments[place - 1], *next = last;
    // Rows of one time may stand in any order.
    while (next > d->moments && next[-1].group == last->group && next[-1].time == last->time)
        next--;
    for (; next < d->moments + d->count; next++) {
        if (next->group != last->group || next->time - last->time > d->step ||
            next->time - first->time > d->span)
            break;
        if (!(++d->looked % 65536) && !plugin_check(d->run))
            return false;
        if (!(next->meets >> place & 1) || is_taken(found, place, next))
            continue;
        found->moments[place] = next;
        if (!follow(d, found, place + 1))
            return false;
    }
    return true;
}

// In order of the times, then of the dimensions' first appearance.
static int
sequence_order(const void *a, const void *b, void *context)
{
    const Moment *const *x = a, *const *y = b;
    uint32_t steps = *(const uint32_t *)context;
    for (uint32_t s = 0; s < steps; s++)
        if (x[s]->time != y[s]->time)
            return x[s]->time < y[s]->time ? -1 : 1;
    return (x[0]->group > y[0]->group) - (x[0]->group < y[0]->group);
}

static ResultTable *
write_sequences(Detect *d)
{
    uint32_t steps = d->step_count;
    size_t count = d->found_len / steps;
    Type type = d->columns->columns[0]->type;
    if (count)
        qsort_r(d->found, count, steps * sizeof(*d->found), sequence_order, &steps);
    RowWriter writer;
    writer_open(&writer, d->run);
    bool going = true;
    for (size_t i = 0; i < count && going; i++) {
        const Moment *const *found = d->found + i * steps;
        if (i && sequence_order(found - steps, found, &steps) == 0)
            continue;
        for (uint32_t k = 0; k < d->dimension_count; k++)
            writer_cell(&writer, d->columns->columns[1 + steps + k], found[0]->row);
        for (uint32_t s = 0; s < steps; s++)
            writer_instant(&writer, type, found[s]->time);
        writer_instant(&writer, type == TYPE_DATETIME ? TYPE_TIMESPAN : type,
                       found[steps - 1]->time - found[0]->time);
        going = writer_end_row(&writer);
    }
    return writer_finish(&writer);
}

static ResultTable *
detect_run(PluginRun *run)
{
    Detect d = {.run = run, .arena = &run->exec->workers[0].keep};
    if (!timeline_argument(run, plugin_arg(run->call, PARAM_STEP), "max_sequence_step_window",
                           &d.step) ||
        !timeline_argument(run, plugin_arg(run->call, PARAM_SPAN), "max_sequence_span", &d.span) ||
        !read_moments(&d))
        return NULL;
    for (uint32_t i = 0; i < d.count; i++) {
        Found found = {{&d.moments[i]}};
        if (!(i % 1024) && !plugin_check(run))
            return NULL;
        if ((d.moments[i].meets & 1) && !follow(&d, &found, 1))
            return NULL;
    }
    return write_sequences(&d);
}

static const PluginImpl DETECT = {.bind = detect_bind, .run = detect_run};
static const PluginParam PARAMS[] = {
    [PARAM_TIME] = {"timeline", PLUGIN_COLUMN, TIMELINE_TYPES, 0},
    [PARAM_STEP] = {"max_sequence_step_window", PLUGIN_CONSTANT, TIMELINE_TYPES, 0},
    [PARAM_SPAN] = {"max_sequence_span", PLUGIN_CONSTANT, TIMELINE_TYPES, 0},
    [PARAM_STEPS] = {"expr", PLUGIN_EXPRESSION, "bool", PLUGIN_REPEATED | PLUGIN_LABELLED},
    [PARAM_DIMENSIONS] = {"dimension", PLUGIN_EXPRESSION, NULL,
                          PLUGIN_OPTIONAL | PLUGIN_REPEATED | PLUGIN_LABELLED},
};
static const PluginDef ROWS[] = {
    {.name = "sequence_detect",
     .doc = "Finds rows that meet one predicate after the other within given times.",
     .params = PARAMS,
     .param_count = COUNT_OF(PARAMS),
     .impl = &DETECT},
};

const PluginSet SEQUENCE_DETECT_PLUGINS = {ROWS, COUNT_OF(ROWS)};
