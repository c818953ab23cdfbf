// Bins and events; see timeline.h.

#include "exec/plugin/timeline.h"

#include "exec/keys.h"
#include "value/scalar.h"

#include <math.h>

enum { BINS_MAX = 1 << 20 };

// ---- values ----

bool
instant_of(const Vector *v, uint32_t row, Instant *out)
{
    if (vector_is_null(v, row))
        return false;
    const void *cell = vector_cell(v, row);
    switch (v->type) {
    case TYPE_INT: *out = *(const int32_t *)cell; return true;
    case TYPE_LONG:
    case TYPE_DATETIME:
    case TYPE_TIMESPAN: *out = (Instant) * (const int64_t *)cell; return true;
    case TYPE_REAL: *out = *(const double *)cell; return !isnan(*(const double *)cell);
    default: return false;
    }
}

static bool
value_instant(const Value *value, Instant *out)
{
    Vector one = {.type = value->type, .encoding = ENC_CONST, .count = 1};
    one.data = (void *)(uintptr_t)value_data(value);
    return !value->is_null && instant_of(&one, 0, out);
}

static bool
constant(PluginRun *run, const PluginArg *arg, Value *out)
{
    Expr *resolved = resolve_subqueries(run->exec, arg->expr, run->error);
    if (!resolved)
        return false;
    *out = resolved->value;
    return resolved->kind == EXPR_CONST ||
           exec_fold(run->exec->arena, resolved, run->exec->options->now, out, run->error);
}

bool
timeline_argument(PluginRun *run, const PluginArg *arg, const char *name, Instant *out)
{
    Value value;
    if (!constant(run, arg, &value))
        return false;
    if (value_instant(&value, out))
        return true;
    plugin_error(run, AZ_INVALID, arg->span,
                 "the argument '%s' of %s must be a point or length of the timeline", name,
                 run->call->plugin->name);
    return false;
}

bool
timeline_length(PluginRun *run, const PluginArg *arg, const char *name, Instant *out)
{
    if (!timeline_argument(run, arg, name, out))
        return false;
    if (*out > 0)
        return true;
    plugin_error(run, AZ_INVALID, arg->span, "the argument '%s' of %s must be greater than 0", name,
                 run->call->plugin->name);
    return false;
}

// ---- bins ----

typedef enum Unit { UNIT_LENGTH, UNIT_WEEK, UNIT_MONTH, UNIT_YEAR } Unit;

typedef struct Steps {
    Unit unit;
    Instant length;
} Steps;

static bool
read_steps(PluginRun *run, const PluginArg *arg, Type type, Steps *out)
{
    static const char *const NAMES[] = {
        [UNIT_WEEK] = "week", [UNIT_MONTH] = "month", [UNIT_YEAR] = "year"};
    Value value;
    if (!constant(run, arg, &value))
        return false;
    *out = (Steps){UNIT_LENGTH, 0};
    if (value.type != TYPE_STRING)
        return timeline_length(run, arg, "bin", &out->length);
    for (Unit unit = UNIT_WEEK; unit <= UNIT_YEAR; unit++)
        if (type == TYPE_DATETIME && str_equal(text_str(&value.text), str_from(NAMES[unit])))
            out->unit = unit;
    if (out->unit == UNIT_LENGTH)
        plugin_error(run, AZ_INVALID, arg->span,
                     "the bins of %s are a length, or 'week', 'month' or 'year' of datetimes",
                     run->call->plugin->name);
    return out->unit != UNIT_LENGTH;
}

// The start of the calendar's week, month or year that holds `time`, `ahead` of them later.
static Instant
calendar_start(Unit unit, Instant time, int ahead)
{
    int64_t ticks = time < 0 ? 0 : time > (Instant)DATETIME_MAX ? DATETIME_MAX : (int64_t)time;
    CivilTime civil = datetime_civil(ticks);
    int64_t out = 0;
    if (unit == UNIT_WEEK) {
        out = ticks - ticks % TICKS_PER_DAY + (7 * ahead - civil.weekday) * TICKS_PER_DAY;
    } else {
        int month = unit == UNIT_YEAR ? 0 : civil.month - 1;
        int months = civil.year * 12 + month + ahead * (unit == UNIT_YEAR ? 12 : 1);
        if (!datetime_from_civil(months / 12, months % 12 + 1, 1, 0, &out))
            out = DATETIME_MAX + 1;
    }
    return (Instant)out;
}

static bool
too_many_bins(PluginRun *run, const PluginArg *step)
{
    plugin_error(run, AZ_LIMIT, step->span, "%s would make more than %d bins",
                 run->call->plugin->name, BINS_MAX);
    return false;
}

static bool
lay_calendar(PluginRun *run, const PluginArg *step, Unit unit, Timeline *t, Instant lookback)
{
    Arena *arena = run->exec->arena;
    uint32_t cap = 0;
    Instant next = calendar_start(unit, t->start - lookback, 0);
    for (;;) {
        if (t->count + 2 > cap) {
            uint32_t grown = cap ? cap * 2 : 64;
            Instant *bounds = ARENA_ARRAY(arena, Instant, grown);
            if (cap)
                memcpy(bounds, t->bounds, cap * sizeof(*bounds));
            t->bounds = bounds;
            cap = grown;
        }
        t->bounds[t->count] = next;
        if (next > t->end)
            return true;
        if (++t->count > BINS_MAX)
            return too_many_bins(run, step);
        Instant before = next;
        next = calendar_start(unit, next, 1);
        if (next <= before) // the end of the calendar
            next = (Instant)DATETIME_MAX + 1;
    }
}

static bool
lay_lengths(PluginRun *run, const PluginArg *step, Instant length, Timeline *t, Instant lookback)
{
    Instant before = ceill(lookback / length), after = floorl((t->end - t->start) / length) + 1;
    if (!(before + after <= BINS_MAX))
        return too_many_bins(run, step);
    t->count = (uint32_t)(before + (after > 0 ? after : 0));
    t->bounds = ARENA_ARRAY(run->exec->arena, Instant, t->count + 1);
    for (uint32_t i = 0; i <= t->count; i++)
        t->bounds[i] = t->start + ((Instant)i - before) * length;
    return true;
}

bool
timeline_open(PluginRun *run, const PluginArg *step, Timeline *t, Instant lookback)
{
    Steps steps;
    if (!read_steps(run, step, t->type, &steps))
        return false;
    t->count = 0;
    t->from = t->start - lookback;
    if (!(steps.unit == UNIT_LENGTH ? lay_lengths(run, step, steps.length, t, lookback)
                                    : lay_calendar(run, step, steps.unit, t, lookback)))
        return false;
    t->first = t->count ? timeline_bin(t, t->start) : 0;
    return true;
}

uint32_t
timeline_bin(const Timeline *t, Instant time)
{
    uint32_t low = 0, high = t->count; // the last bound that is not greater
    while (low + 1 < high) {
        uint32_t middle = low + (high - low) / 2;
        if (t->bounds[middle] <= time)
            low = middle;
        else
            high = middle;
    }
    return low;
}

// ---- events ----

uint32_t
number_keys(PluginRun *run, const Batch *batch, uint32_t from, uint32_t count, uint32_t *numbers,
            uint32_t *firsts)
{
    Arena *arena = &run->exec->workers[0].keep;
    if (!count) {
        memset(numbers, 0, batch->count * sizeof(*numbers));
        if (firsts)
            firsts[0] = 0;
        return batch->count ? 1 : 0;
    }
    Type *types = ARENA_ARRAY(arena, Type, count);
    for (uint32_t k = 0; k < count; k++)
        types[k] = batch->columns[from + k]->type;
    KeyLayout layout = key_layout(arena, types, count);
    GroupTable table;
    group_table_init(&table, &layout, 0, arena);
    for (uint32_t start = 0; start < batch->count; start += BATCH_ROWS_MAX) {
        Arena scratch = {0};
        uint32_t left = batch->count - start, rows = left < BATCH_ROWS_MAX ? left : BATCH_ROWS_MAX;
        const Vector **keys = ARENA_ARRAY(&scratch, const Vector *, count);
        for (uint32_t k = 0; k < count; k++)
            keys[k] = vector_slice(&scratch, batch->columns[from + k], start, rows);
        uint64_t *key_rows, *hashes;
        key_encode(&scratch, &layout, keys, rows, &key_rows, &hashes);
        for (uint32_t i = 0; i < rows; i++) {
            uint32_t before = table.count;
            numbers[start + i] = group_add(&table, key_rows + (size_t)i * layout.words, hashes[i]);
            if (firsts && table.count > before)
                firsts[before] = start + i;
        }
        arena_free(&scratch);
    }
    return table.count;
}

static int
event_order(const void *a, const void *b)
{
    const Event *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

bool
events_read(PluginRun *run, const Timeline *t, Expr *const *exprs, uint32_t count,
            uint32_t dimension_count, Events *out)
{
    Worker *worker = &run->exec->workers[0];
    Arena *arena = &worker->keep;
    *out = (Events){.dimension = count - dimension_count, .dimension_count = dimension_count};
    Batch *columns = plugin_columns(run, run->plan->input, exprs, count);
    if (!columns)
        return false;
    uint32_t rows = columns->count, used = 0;
    if (!worker_reserve(worker, (size_t)rows * (sizeof(Event) + 3 * sizeof(uint32_t)),
                        "the events of a plugin"))
        return exec_first_error(run->exec, run->error);
    uint32_t *groups = arena_alloc_array(arena, rows + 1, sizeof(uint32_t));
    uint32_t *ids = arena_alloc_array(arena, rows + 1, sizeof(uint32_t));
    out->columns = columns;
    out->group_rows = arena_alloc_array(arena, rows + 1, sizeof(uint32_t));
    out->items = arena_alloc_array(arena, rows + 1, sizeof(Event));
    // Rows outside the analysis make no group.
    uint32_t *inside = ARENA_ARRAY(arena, uint32_t, rows + 1);
    for (uint32_t i = 0; i < rows; i++) {
        Instant time;
        if (!instant_of(columns->columns[1], i, &time) || !t->count || time < t->from ||
            time > t->end)
            continue;
        inside[used] = i;
        out->items[used].time = time;
        out->items[used++].row = i;
    }
    Batch *kept = batch_new(arena, count, used);
    for (uint32_t c = 0; c < count; c++)
        kept->columns[c] =
            vector_flatten(arena, vector_gather(arena, columns->columns[c], inside, used));
    out->columns = kept;
    out->count = used;
    out->group_count =
        number_keys(run, kept, out->dimension, dimension_count, groups, out->group_rows);
    number_keys(run, kept, 0, 1, ids, NULL);
    for (uint32_t i = 0; i < used; i++) {
        Event *event = &out->items[i];
        event->row = i;
        event->group = groups[i];
        event->id = vector_is_null(kept->columns[0], i) ? ID_NONE : ids[i];
        event->bin = timeline_bin(t, event->time);
    }
    if (used)
        qsort(out->items, used, sizeof(Event), event_order);
    return worker_charge(worker, "the events of a plugin") ||
           exec_first_error(run->exec, run->error);
}

// ---- output ----

void
writer_instant(RowWriter *writer, Type type, Instant time)
{
    Value value = {.type = type};
    if (type == TYPE_REAL)
        value.real = (double)time;
    else if (type == TYPE_INT)
        value.int32 = (int32_t)time;
    else
        value.int64 = (int64_t)time;
    writer_value(writer, &value);
}

void
writer_group(RowWriter *writer, const Events *events, uint32_t group)
{
    for (uint32_t d = 0; d < events->dimension_count; d++)
        writer_cell(writer, events->columns->columns[events->dimension + d],
                    events->group_rows[group]);
}

void
timeline_schema(PluginBind *bind, uint32_t timeline, const PluginArgs *dimensions,
                const Column *columns, size_t count)
{
    ColumnNamer namer = {.arena = bind->arena};
    const PluginArg *time = plugin_arg(bind->call, timeline);
    namer_add_auto(&namer, time->name, time->expr->type);
    for (uint32_t d = 0; dimensions && d < dimensions->len; d++)
        namer_add_auto(&namer, dimensions->items[d].name, dimensions->items[d].expr->type);
    for (size_t c = 0; c < count; c++)
        namer_add_auto(&namer, columns[c].name, columns[c].type);
    bind->call->schema = namer_schema(&namer);
}
