// make-series: aggregates over bins of an axis, as one array a series.
//
// The bin of each row becomes one more grouping key of an ordinary summarize; its groups are then
// laid out as arrays, series by series, with the default where a bin has no rows. Bins count
// from `from` (bin_at), from multiples of the step in the `in range()` form (bin). The
// end is exclusive, in that form inclusive. Without `from` or `to` a series reaches
// from its first to its last bin with data (Kusto docs, make-series operator).

#include "exec/summarize.h"

#include <math.h>

enum { SERIES_ELEMENTS_MAX = 1 << 20 };

typedef struct Series {
    Exec *exec;
    const Plan *plan;
    Expr *axis;
    Type type;
    bool has_from, has_to, inclusive;
    // Bounds and step; whole numbers or ticks in `l`, reals in `r`.
    union {
        int64_t l;
        double r;
    } from, to, step, origin;
    int64_t length; // bins of every series when both ends are given
    Value *defaults;
    Summarize summary; // by the keys and, last, the bin
} Series;

// ---- preparation ----

static bool
constant_value(Exec *exec, const Expr *expr, Value *out, AzError *error)
{
    Expr *resolved = resolve_subqueries(exec, expr, error);
    if (!resolved)
        return false;
    if (resolved->kind == EXPR_CONST) {
        *out = resolved->value;
        return true;
    }
    return exec_fold(exec->arena, resolved, exec->options->now, out, error);
}

static bool
bound_value(Series *s, const Expr *expr, bool *has, int64_t *out, AzError *error)
{
    Value value;
    *has = false;
    if (!expr)
        return true;
    if (!constant_value(s->exec, expr, &value, error))
        return false;
    if (value.is_null)
        return true;
    *has = true;
    memcpy(out, &value.int64, sizeof(*out)); // a real's bits too
    return true;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}

// How many bins lie between both ends; false when they are too many.
static bool
count_bins(Series *s)
{
    double bins;
    if (s->type == TYPE_REAL)
        bins = s->inclusive ? floor((s->to.r - s->from.r) / s->step.r) + 1
                            : ceil((s->to.r - s->from.r) / s->step.r);
    else {
        __int128 span = (__int128)s->to.l - s->from.l;
        __int128 whole = s->inclusive ? span : span - 1;
        bins = span < 0 || whole < 0 ? 0 : (double)(whole / s->step.l + 1);
    }
    if (!(bins <= SERIES_ELEMENTS_MAX))
        return false;
    s->length = bins > 0 ? (int64_t)bins : 0;
    return true;
}

static bool
series_prepare(Series *s, AzError *error)
{
    const Plan *plan = s->plan;
    bool has_step;
    s->type = plan->make_series.axis->type;
    s->inclusive = plan->make_series.stop_inclusive;
    if (!(s->axis = resolve_subqueries(s->exec, plan->make_series.axis, error)) ||
        !bound_value(s, plan->make_series.from, &s->has_from, &s->from.l, error) ||
        !bound_value(s, plan->make_series.to, &s->has_to, &s->to.l, error) ||
        !bound_value(s, plan->make_series.step, &has_step, &s->step.l, error))
        return false;
    if (!has_step || !(s->type == TYPE_REAL ? s->step.r > 0 && isfinite(s->step.r) : s->step.l > 0))
        return error_at(error, AZ_INVALID, plan->make_series.step->span,
                        "the step of make-series must be greater than 0");
    if (s->inclusive && s->has_from) {
        if (s->type == TYPE_REAL)
            s->from.r = floor(s->from.r / s->step.r) * s->step.r;
        else
            s->from.l = floor_div(s->from.l, s->step.l) * s->step.l;
    }
    if (s->has_from)
        s->origin = s->from;
    if (s->has_from && s->has_to && !count_bins(s))
        return error_at(error, AZ_LIMIT, plan->make_series.step->span,
                        "a series would have more than %d elements", SERIES_ELEMENTS_MAX);
    s->defaults = ARENA_ARRAY(s->exec->arena, Value, plan->make_series.aggregate_count);
    for (uint32_t a = 0; a < plan->make_series.aggregate_count; a++) {
        const Expr *expr = plan->make_series.defaults ? plan->make_series.defaults[a] : NULL;
        Type type = plan->make_series.aggregates[a].output_types[0];
        s->defaults[a] = type == TYPE_REAL ? value_real(0) : value_long(0);
        if (expr && !constant_value(s->exec, expr, &s->defaults[a], error))
            return false;
    }
    return true;
}

// ---- bins of rows ----

static void
real_bins(const Series *s, const double *axis, uint32_t count, int64_t *bins, uint8_t *inside)
{
    for (uint32_t i = 0; i < count; i++) {
        double bin = floor((axis[i] - s->origin.r) / s->step.r);
        inside[i] = (!s->has_from || axis[i] >= s->from.r) &&
                    (!s->has_to || axis[i] < s->to.r || (s->inclusive && axis[i] == s->to.r)) &&
                    fabs(bin) < 9e15;
        bins[i] = inside[i] ? (int64_t)bin : 0;
    }
}

static void
whole_bins(const Series *s, const int64_t *axis, uint32_t count, int64_t *bins, uint8_t *inside)
{
    for (uint32_t i = 0; i < count; i++) {
        inside[i] = (!s->has_from || axis[i] >= s->from.l) &&
                    (!s->has_to || axis[i] < s->to.l || (s->inclusive && axis[i] == s->to.l));
        int64_t distance;
        if (__builtin_sub_overflow(axis[i], s->origin.l, &distance))
            inside[i] = 0;
        bins[i] = inside[i] ? floor_div(distance, s->step.l) : 0;
    }
}

// Adds the bin as a column and drops rows without one.
static bool
bin_push(Operator *self, Worker *worker, Batch *batch)
{
    const Series *s = self->state;
    Arena *arena = &worker->batch;
    const Vector *values = evaluate(worker, s->axis, batch);
    if (!values)
        return false;
    const Vector *axis = vector_flatten(arena, values);
    uint32_t rows = batch->selected, columns = batch->column_count, kept = 0;
    Vector *bins = vector_new_flat(arena, TYPE_LONG, rows);
    uint8_t *inside = arena_alloc_array(arena, rows, 1);
    if (s->type == TYPE_REAL)
        real_bins(s, axis->data, rows, bins->data, inside);
    else
        whole_bins(s, axis->data, rows, bins->data, inside);
    Batch *out = batch_new(arena, columns + 1, rows);
    for (uint32_t c = 0; c < columns; c++)
        out->columns[c] = batch_column(arena, batch, c);
    out->columns[columns] = bins;
    uint32_t *selection = arena_alloc_array(arena, rows, sizeof(uint32_t));
    for (uint32_t i = 0; i < rows; i++) {
        selection[kept] = i;
        kept += inside[i] && !(axis->valid && !bit_get(axis->valid, i));
    }
    out->selection = selection;
    out->selected = kept;
    return operator_emit(self, worker, out);
}

static bool
summarize_bins(Series *s, AzError *error)
{
    Exec *exec = s->exec;
    const Plan *plan = s->plan;
    uint32_t keys = plan->make_series.key_count;
    Expr **by = ARENA_ARRAY(exec->arena, Expr *, keys + 1);
    for (uint32_t k = 0; k < keys; k++)
        by[k] = plan->make_series.keys[k];
    by[keys] = expr_column(exec->arena, plan->input->schema.count, TYPE_LONG, plan->span);
    Pipeline pipeline = {0};
    if (!pipeline_build(exec, plan->input, &pipeline, error))
        return false;
    pipeline_append(exec, &pipeline, plan, s, bin_push);
    return summarize_init(&s->summary, exec, by, keys + 1, plan->make_series.aggregates,
                          plan->make_series.aggregate_count, error) &&
           summarize_run(&s->summary, &pipeline, error);
}

static int64_t
bin_of(const Series *s, uint32_t group)
{
    const KeyLayout *layout = &s->summary.layout;
    return (int64_t)summarize_group(&s->summary, group)[layout->columns[layout->count - 1].word];
}

// ---- arrays ----

static bool
finish_array(Series *s, Vector *out, uint32_t row, AzError *error)
{
    Worker *worker = &s->exec->workers[0];
    bool is_null;
    if (dyn_finish_text(worker->scratch.dyn, &worker->keep, &((Text *)out->data)[row], &is_null) &&
        worker_charge(worker, "series"))
        return true;
    exec_first_error(s->exec, error);
    return error && error->code != AZ_OK
               ? false
               : error_at(error, AZ_LIMIT, s->plan->span, "a series is too large");
}

// The first bin of a series, and how many it has; false when they are too many.
static bool
series_bins(const Series *s, const uint32_t *groups, uint32_t count, int64_t *start,
            uint32_t *length, AzError *error)
{
    int64_t first = 0, last = s->length - 1;
    for (uint32_t i = 0; i < count; i++) {
        int64_t bin = bin_of(s, groups[i]);
        if (!s->has_from && (i == 0 || bin < first))
            first = bin;
        if (!(s->has_from && s->has_to) && (i == 0 || bin > last))
            last = bin;
    }
    if (!s->has_from && s->has_to && count == 0)
        last = first - 1;
    // With an end but no start the series reaches to the end.
    if (!s->has_from && s->has_to && count) {
        if (s->type == TYPE_REAL)
            last = (int64_t)(s->inclusive ? floor(s->to.r / s->step.r)
                                          : ceil(s->to.r / s->step.r) - 1);
        else
            last = floor_div(s->inclusive ? s->to.l : s->to.l - 1, s->step.l);
    }
    if (last - first >= SERIES_ELEMENTS_MAX)
        return error_at(error, AZ_LIMIT, s->plan->span, "a series would have more than %d elements",
                        SERIES_ELEMENTS_MAX);
    *start = first;
    *length = last < first ? 0 : (uint32_t)(last - first + 1);
    return true;
}

// The values of a call for these groups.
static const Vector *
series_values(const Series *s, uint32_t call, Arena *arena, const uint32_t *groups, uint32_t count)
{
    const Summarize *summary = &s->summary;
    char **states = arena_alloc_array(arena, count, sizeof(*states));
    for (uint32_t i = 0; i < count; i++)
        states[i] =
            group_states(summary, summarize_group(summary, groups[i])) + summary->offsets[call];
    Column column = {.type = summary->calls[call].output_types[0]};
    const Vector *values;
    summarize_finish_call(&summary->calls[call], arena, &s->exec->workers[0].scratch, states, count,
                          &column, &values);
    return values;
}

static Value
axis_value(const Series *s, int64_t bin)
{
    if (s->type == TYPE_REAL)
        return value_real(s->origin.r + (double)bin * s->step.r);
    return (Value){.type = s->type, .int64 = s->origin.l + bin * s->step.l};
}

// Lays out the series of these groups as row `row` of the output.
static bool
write_series(Series *s, Batch *out, uint32_t row, const uint32_t *groups, uint32_t count,
             AzError *error)
{
    uint32_t keys = s->plan->make_series.key_count, calls = s->plan->make_series.aggregate_count;
    int64_t first = 0;
    uint32_t length = 0;
    if (!series_bins(s, groups, count, &first, &length, error))
        return false;
    Arena scratch = {0};
    uint32_t *row_of_bin = ARENA_ARRAY(&scratch, uint32_t, length); // + 1; 0 = none
    for (uint32_t i = 0; i < count; i++)
        row_of_bin[bin_of(s, groups[i]) - first] = i + 1;
    DynBuilder *builder = s->exec->workers[0].scratch.dyn;
    bool done = true;
    for (uint32_t a = 0; a <= calls && done; a++) {
        const Vector *values =
            a < calls ? series_values(s, a, &scratch, groups, count) : NULL; // else the axis
        dyn_builder_reset(builder);
        dyn_begin_array(builder);
        for (uint32_t b = 0; b < length; b++) {
            Value value = !values         ? axis_value(s, first + b)
                          : row_of_bin[b] ? vector_value(values, row_of_bin[b] - 1)
                                          : s->defaults[a];
            dyn_push_value(builder, &value);
        }
        dyn_end_array(builder);
        done = finish_array(s, (Vector *)(uintptr_t)out->columns[keys + a], row, error);
    }
    arena_free(&scratch);
    return done;
}

// The number of each group's series, in the order of first rows; how many there are.
static uint32_t
number_series(const Series *s, Arena *arena, uint32_t *series)
{
    uint32_t keys = s->plan->make_series.key_count;
    size_t groups = s->summary.group_count;
    Type *types = ARENA_ARRAY(arena, Type, keys);
    for (uint32_t k = 0; k < keys; k++)
        types[k] = s->summary.layout.columns[k].type;
    KeyLayout layout = key_layout(arena, types, keys);
    GroupTable table;
    group_table_init(&table, &layout, 0, arena);
    for (size_t from = 0; from < groups; from += BATCH_ROWS_MAX) {
        Arena part = {0};
        uint32_t count =
            groups - from < BATCH_ROWS_MAX ? (uint32_t)(groups - from) : BATCH_ROWS_MAX;
        const uint64_t **records = arena_alloc_array(&part, count, sizeof(*records));
        for (uint32_t i = 0; i < count; i++)
            records[i] = summarize_group(&s->summary, from + i);
        const Vector **values = ARENA_ARRAY(&part, const Vector *, keys);
        for (uint32_t k = 0; k < keys; k++)
            values[k] = key_decode(&part, &s->summary.layout, k, records, count);
        uint64_t *key_rows, *hashes;
        key_encode(&part, &layout, values, count, &key_rows, &hashes);
        for (uint32_t i = 0; i < count; i++)
            series[from + i] = group_add(&table, key_rows + (size_t)i * layout.words, hashes[i]);
        arena_free(&part);
    }
    return table.count;
}

// The keys of the series, copied: the groups are given back.
static void
write_keys(const Series *s, Arena *arena, const RowsByGroup *by_series, uint32_t count, Batch *out)
{
    Arena scratch = {0};
    const uint64_t **records = arena_alloc_array(&scratch, count, sizeof(*records));
    for (uint32_t g = 0; g < count; g++)
        records[g] = summarize_group(&s->summary, by_series->rows[by_series->starts[g]]);
    for (uint32_t k = 0; k < s->plan->make_series.key_count; k++)
        out->columns[k] =
            vector_copy(arena, key_decode(&scratch, &s->summary.layout, k, records, count));
    arena_free(&scratch);
}

ResultTable *
run_make_series(Exec *exec, const Plan *plan, AzError *error)
{
    Series s = {.exec = exec, .plan = plan};
    if (!series_prepare(&s, error) || !summarize_bins(&s, error))
        return NULL;
    if (s.summary.group_count > UINT32_MAX)
        return error_at(error, AZ_LIMIT, plan->span, "the series have more than %u elements",
                        UINT32_MAX),
               NULL;
    uint32_t keys = plan->make_series.key_count, groups = (uint32_t)s.summary.group_count;
    Held *held = held_new(exec);
    uint32_t *series = arena_alloc_array(&held->arena, groups, sizeof(uint32_t));
    uint32_t count = number_series(&s, &held->arena, series);
    RowsByGroup by_series = rows_by_group(&held->arena, series, groups, count);
    bool empty = !count && !keys && plan->make_series.nonempty;
    Arena *keep = &exec->workers[0].keep;
    Batch *out = batch_new(exec->arena, plan->schema.count, empty ? 1 : count);
    write_keys(&s, keep, &by_series, count, out);
    for (uint32_t c = keys; c < plan->schema.count; c++)
        out->columns[c] = vector_new_flat(keep, TYPE_DYNAMIC, out->count);
    bool done = !empty || write_series(&s, out, 0, NULL, 0, error);
    for (uint32_t g = 0; done && g < count; g++)
        done = write_series(&s, out, g, by_series.rows + by_series.starts[g],
                            by_series.starts[g + 1] - by_series.starts[g], error);
    held_free(exec, held);
    summarize_free(&s.summary);
    return done ? result_cut(exec->arena, &plan->schema, out) : NULL;
}
