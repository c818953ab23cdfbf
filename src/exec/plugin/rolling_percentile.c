// rolling_percentile: the percentile of a value over the last bins, at each bin.
//
// Bins are multiples of their size. A row comes out for each bin that has values, with
// the nearest rank among the values of the bins of its window: itself and those before
// it (Kusto docs, rolling_percentile plugin).

#include "base/array.h"
#include "exec/plugin/timeline.h"

#include <math.h>

enum { PARAM_VALUE, PARAM_PERCENTILE, PARAM_INDEX, PARAM_BIN, PARAM_BINS, PARAM_DIMENSIONS };

static bool
rolling_bind(PluginBind *bind)
{
    const PluginCall *call = bind->call;
    const PluginArg *value = plugin_arg(call, PARAM_VALUE);
    Value percentile, bins;
    if (!plugin_bind_value(bind, PARAM_PERCENTILE, &percentile) ||
        !plugin_bind_value(bind, PARAM_BINS, &bins))
        return false;
    if (percentile.is_null || !(percentile.real >= 0 && percentile.real <= 100))
        return plugin_fail(bind, plugin_arg(call, PARAM_PERCENTILE)->span,
                           "the percentile must be between 0 and 100");
    if (bins.is_null || bins.int64 < 1)
        return plugin_fail(bind, plugin_arg(call, PARAM_BINS)->span,
                           "the number of bins in a window must be greater than 0");
    Column column = {str_format(bind->arena, "rolling_%lld_percentile_%.*s_%g",
                                (long long)bins.int64, STR_ARG(value->name), percentile.real),
                     value->expr->type};
    timeline_schema(bind, PARAM_INDEX, &call->args[PARAM_DIMENSIONS], &column, 1);
    return true;
}

// A value with its place.
typedef struct Sample {
    uint32_t group, row;
    Instant bin; // its number
    const Batch *columns;
} Sample;

static int
bin_order(const void *a, const void *b)
{
    const Sample *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->bin != y->bin)
        return x->bin < y->bin ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static int
value_order(const void *a, const void *b)
{
    const Sample *x = a, *y = b;
    const Vector *v = x->columns->columns[0];
    int order = data_compare(v->type, vector_cell(v, x->row), vector_cell(v, y->row));
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

typedef struct Rolling {
    PluginRun *run;
    Events keys; // only what writer_group() reads
    Instant length;
    int64_t bins;
    double percentile;
    Type type;
    Sample *samples;
    uint32_t count;
} Rolling;

static bool
read_samples(Rolling *r)
{
    PluginRun *run = r->run;
    Worker *worker = &run->exec->workers[0];
    const PluginArgs *dimensions = &run->call->args[PARAM_DIMENSIONS];
    Expr **exprs = ARENA_ARRAY(run->exec->arena, Expr *, dimensions->len + 2);
    exprs[0] = plugin_arg(run->call, PARAM_VALUE)->expr;
    exprs[1] = plugin_arg(run->call, PARAM_INDEX)->expr;
    for (uint32_t d = 0; d < dimensions->len; d++)
        exprs[2 + d] = dimensions->items[d].expr;
    r->type = exprs[1]->type;
    const Batch *columns = plugin_columns(run, run->plan->input, exprs, dimensions->len + 2);
    if (!columns)
        return false;
    uint32_t rows = columns->count;
    if (!worker_reserve(worker, (size_t)rows * (2 * sizeof(Sample) + 2 * sizeof(uint32_t)),
                        "the values of rolling_percentile"))
        return exec_first_error(run->exec, run->error);
    Arena *arena = &worker->keep;
    uint32_t *groups = ARENA_ARRAY(arena, uint32_t, rows + 1);
    r->keys.group_rows = ARENA_ARRAY(arena, uint32_t, rows + 1);
    r->keys.columns = columns;
    r->keys.dimension = 2;
    r->keys.dimension_count = dimensions->len;
    number_keys(run, columns, 2, dimensions->len, groups, r->keys.group_rows);
    r->samples = ARENA_ARRAY(arena, Sample, rows + 1);
    for (uint32_t i = 0; i < rows; i++) {
        Instant time;
        if (vector_is_null(columns->columns[0], i) || !instant_of(columns->columns[1], i, &time))
            continue;
        r->samples[r->count++] = (Sample){groups[i], i, floorl(time / r->length), columns};
    }
    if (r->count)
        qsort(r->samples, r->count, sizeof(Sample), bin_order);
    return true;
}

static ResultTable *
rolling_run(PluginRun *run)
{
    Rolling r = {.run = run};
    Value percentile, bins;
    if (!timeline_length(run, plugin_arg(run->call, PARAM_BIN), "bin_size", &r.length) ||
        !plugin_value(run, PARAM_PERCENTILE, TYPE_REAL, &percentile) ||
        !plugin_value(run, PARAM_BINS, TYPE_LONG, &bins) || !read_samples(&r))
        return NULL;
    r.percentile = percentile.real;
    r.bins = bins.int64;
    Sample *window = ARENA_ARRAY(&run->exec->workers[0].keep, Sample, r.count + 1);
    RowWriter writer;
    writer_open(&writer, run);
    uint32_t first = 0, end = 0;
    bool going = true;
    while (end < r.count && going) {
        const Sample *bin = &r.samples[end];
        while (end < r.count && r.samples[end].group == bin->group &&
               r.samples[end].bin == bin->bin)
            end++;
        while (r.samples[first].group != bin->group ||
               r.samples[first].bin <= bin->bin - (Instant)r.bins)
            first++;
        uint32_t count = end - first;
        memcpy(window, r.samples + first, count * sizeof(*window));
        qsort(window, count, sizeof(*window), value_order);
        double rank = ceil(r.percentile * count / 100 * (1 - 1e-14));
        uint32_t at = rank < 1 ? 0 : rank > count ? count - 1 : (uint32_t)rank - 1;
        writer_instant(&writer, r.type, bin->bin * r.length);
        writer_group(&writer, &r.keys, bin->group);
        writer_cell(&writer, window[at].columns->columns[0], window[at].row);
        going = writer_end_row(&writer) && worker_check(&run->exec->workers[0]);
    }
    return writer_finish(&writer);
}

static const PluginImpl ROLLING = {.bind = rolling_bind, .run = rolling_run};
static const PluginParam PARAMS[] = {
    [PARAM_VALUE] = {"value", PLUGIN_COLUMN, "long int real decimal datetime timespan", 0},
    [PARAM_PERCENTILE] = {"percentile", PLUGIN_CONSTANT, "real", 0},
    [PARAM_INDEX] = {"index", PLUGIN_COLUMN, TIMELINE_TYPES, 0},
    [PARAM_BIN] = {"bin_size", PLUGIN_CONSTANT, TIMELINE_TYPES, 0},
    [PARAM_BINS] = {"bins_per_window", PLUGIN_CONSTANT, "long", 0},
    [PARAM_DIMENSIONS] = {"dimension", PLUGIN_COLUMN, NULL, PLUGIN_OPTIONAL | PLUGIN_REPEATED},
};
static const PluginDef ROWS[] = {
    {.name = "rolling_percentile",
     .doc = "The percentile of a value over a window of bins, at each bin.",
     .params = PARAMS,
     .param_count = COUNT_OF(PARAMS),
     .impl = &ROLLING},
};

const PluginSet ROLLING_PLUGINS = {ROWS, COUNT_OF(ROWS)};
