// diffpatterns: patterns that one set of rows has more often than another.
//
// Candidates are the closed patterns that a share of at least `threshold` of set A or of
// set B has; only those can differ by as much. They are taken in order of their
// difference, and each keeps out the patterns that say more or less of the same: those
// it contains and those that contain it. The documentation leaves the choice open; its
// examples show what this gives.

#include "base/array.h"
#include "exec/plugin/patterns.h"
#include "value/scalar.h"

#include <math.h>

enum {
    PARAM_SPLIT,
    PARAM_A,
    PARAM_B,
    PARAM_WEIGHT,
    PARAM_THRESHOLD,
    PARAM_DIMENSIONS,
    PARAM_WILDCARDS
};
#define THRESHOLD_LEAST   0.015
#define THRESHOLD_DEFAULT 0.05

// The split column is in no pattern and not shown.
static bool *
hidden_columns(Arena *arena, const PluginCall *call, uint32_t count)
{
    bool *hidden = ARENA_ARRAY(arena, bool, count + 1);
    const Expr *split = plugin_arg(call, PARAM_SPLIT)->expr;
    if (split->kind == EXPR_COLUMN)
        hidden[split->column] = true;
    return hidden;
}

static bool
diff_bind(PluginBind *bind)
{
    static const Column COLUMNS[] = {
        {STR_INIT("SegmentId"), TYPE_LONG}, {STR_INIT("CountA"), TYPE_LONG},
        {STR_INIT("CountB"), TYPE_LONG},    {STR_INIT("PercentA"), TYPE_REAL},
        {STR_INIT("PercentB"), TYPE_REAL},  {STR_INIT("PercentDiffAB"), TYPE_REAL},
    };
    patterns_schema(bind, COLUMNS, COUNT_OF(COLUMNS),
                    hidden_columns(bind->arena, bind->call, bind->call->input->schema.count));
    return true;
}

typedef struct Split {
    const Vector *column;
    Str a, b;
    Buffer text;
} Split;

static uint32_t
set_of(void *context, uint32_t row)
{
    Split *split = context;
    buffer_clear(&split->text);
    if (!split->column)
        return PATTERN_SETS;
    if (!vector_is_null(split->column, row))
        data_print(&split->text, split->column->type, vector_cell(split->column, row));
    Str text = buffer_slice(&split->text);
    return str_equal(text, split->a) ? 0 : str_equal(text, split->b) ? 1 : PATTERN_SETS;
}

typedef struct Shares {
    double total[PATTERN_SETS], threshold;
} Shares;

static double
share(const Shares *shares, const double *weight, int set)
{
    return shares->total[set] > 0 ? weight[set] / shares->total[set] : 0;
}

static bool
may_differ(void *context, const double *weight)
{
    const Shares *shares = context;
    return share(shares, weight, 0) >= shares->threshold ||
           share(shares, weight, 1) >= shares->threshold;
}

static double
difference(const Shares *shares, const Pattern *pattern)
{
    return fabs(share(shares, pattern->weight, 0) - share(shares, pattern->weight, 1));
}

// Keeps the patterns that differ enough and are not related to a better one.
static void
choose(const PatternTable *t, const Shares *shares, PatternList *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->len; i++)
        list->items[i].score = difference(shares, &list->items[i]);
    patterns_sort(list);
    for (size_t i = 0; i < list->len; i++) {
        bool wanted = list->items[i].score >= shares->threshold;
        for (size_t k = 0; k < kept && wanted; k++)
            wanted = !pattern_contains(t, &list->items[k], &list->items[i]) &&
                     !pattern_contains(t, &list->items[i], &list->items[k]);
        if (wanted)
            list->items[kept++] = list->items[i];
    }
    list->len = kept;
}

static double
two_digits(double percent)
{
    return round(percent * 100) / 100;
}

static ResultTable *
write_differences(const PatternTable *t, const Shares *shares, const PatternList *list,
                  const bool *hidden)
{
    RowWriter writer;
    writer_open(&writer, t->run);
    for (size_t i = 0; i < list->len; i++) {
        const Pattern *pattern = &list->items[i];
        writer_long(&writer, (int64_t)i);
        writer_long(&writer, llround(pattern->weight[0]));
        writer_long(&writer, llround(pattern->weight[1]));
        writer_real(&writer, two_digits(100 * share(shares, pattern->weight, 0)));
        writer_real(&writer, two_digits(100 * share(shares, pattern->weight, 1)));
        writer_real(&writer, two_digits(100 * pattern->score));
        pattern_write(t, &writer, pattern, &t->run->call->args[PARAM_WILDCARDS], hidden);
        if (!writer_end_row(&writer))
            break;
    }
    return writer_finish(&writer);
}

static ResultTable *
diff_run(PluginRun *run)
{
    PatternTable table;
    PatternList found = {0};
    Shares shares = {0};
    uint32_t dimensions;
    Value a, b;
    if (!patterns_ratio(run, PARAM_THRESHOLD, THRESHOLD_LEAST, 1, THRESHOLD_DEFAULT,
                        &shares.threshold) ||
        !patterns_number(run, PARAM_DIMENSIONS, UINT32_MAX, &dimensions) ||
        !plugin_value(run, PARAM_A, TYPE_STRING, &a) ||
        !plugin_value(run, PARAM_B, TYPE_STRING, &b))
        return NULL;
    const Batch *input = plugin_input(run);
    if (!input)
        return NULL;
    const Expr *column = plugin_arg(run->call, PARAM_SPLIT)->expr;
    Split split = {.a = text_str(&a.text), .b = text_str(&b.text)};
    if (column->kind == EXPR_COLUMN)
        split.column = input->columns[column->column];
    bool *hidden = hidden_columns(run->exec->arena, run->call, input->column_count);
    bool done = patterns_read(run, plugin_arg(run->call, PARAM_WEIGHT), hidden, set_of, &split,
                              input, &table);
    buffer_free(&split.text);
    if (!done)
        return NULL;
    memcpy(shares.total, table.total, sizeof(shares.total));
    if (!patterns_search(&table, may_differ, &shares, dimensions, &found))
        return NULL;
    choose(&table, &shares, &found);
    return write_differences(&table, &shares, &found, hidden);
}

static const PluginImpl DIFF = {.bind = diff_bind, .run = diff_run};
static const PluginParam PARAMS[] = {
    [PARAM_SPLIT] = {"split_column", PLUGIN_COLUMN, NULL, 0},
    [PARAM_A] = {"split_value_a", PLUGIN_CONSTANT,
                 "string long int real bool datetime timespan guid", 0},
    [PARAM_B] = {"split_value_b", PLUGIN_CONSTANT,
                 "string long int real bool datetime timespan guid", 0},
    [PARAM_WEIGHT] = {"weight", PLUGIN_COLUMN, "long int real", PLUGIN_OPTIONAL | PLUGIN_TILDE},
    [PARAM_THRESHOLD] = {"threshold", PLUGIN_CONSTANT, "real", PLUGIN_OPTIONAL | PLUGIN_TILDE},
    [PARAM_DIMENSIONS] = {"max_dimensions", PLUGIN_CONSTANT, "long",
                          PLUGIN_OPTIONAL | PLUGIN_TILDE},
    [PARAM_WILDCARDS] = {"custom_wildcard", PLUGIN_CONSTANT, NULL,
                         PLUGIN_OPTIONAL | PLUGIN_REPEATED},
};
static const PluginDef ROWS[] = {
    {.name = "diffpatterns",
     .doc = "Yields the patterns of values that one set of rows has more often than another.",
     .params = PARAMS,
     .param_count = COUNT_OF(PARAMS),
     .impl = &DIFF},
};

const PluginSet DIFFPATTERNS_PLUGINS = {ROWS, COUNT_OF(ROWS)};
