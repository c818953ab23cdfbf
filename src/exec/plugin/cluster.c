// basket and autocluster: patterns that many rows share.
//
// basket yields all frequent closed patterns (patterns.h) made of at most so many
// uncorrelated values, those first whose rows times fixed columns are most; that is the
// order of the documentation's examples. Where the service samples, nothing is sampled
// here.
//
// autocluster yields few patterns that together describe much. The documentation names
// the score, a weighted geometric mean of the share of rows and the share of fixed
// columns, and that patterns are grown from seeds; how seeds are chosen is open. Here:
// the score counts only rows that no earlier pattern has; the seeds are the values with
// the best scores, each is grown by the value that raises the score most until none
// does, and the best of them is taken. This goes on until what is found covers less than
// a twentieth of the rows, at most once for each of NumSeeds.

#include "base/array.h"
#include "exec/plugin/patterns.h"

#include <math.h>

enum { PARAM_RATIO, PARAM_WEIGHT, PARAM_NUMBER, PARAM_WILDCARDS };

static const Column COLUMNS[] = {
    {STR_INIT("SegmentId"), TYPE_LONG},
    {STR_INIT("Count"), TYPE_LONG},
    {STR_INIT("Percent"), TYPE_REAL},
};

static bool
cluster_bind(PluginBind *bind)
{
    patterns_schema(bind, COLUMNS, COUNT_OF(COLUMNS), NULL);
    return true;
}

static ResultTable *
write_segments(PatternTable *t, PatternList *list)
{
    for (size_t i = 0; i < list->len; i++)
        list->items[i].score = list->items[i].weight[0] * list->items[i].items;
    patterns_sort(list);
    RowWriter writer;
    writer_open(&writer, t->run);
    for (size_t i = 0; i < list->len; i++) {
        const Pattern *pattern = &list->items[i];
        writer_long(&writer, (int64_t)i);
        writer_long(&writer, llround(pattern->weight[0]));
        writer_real(&writer, 100 * pattern->weight[0] / t->total[0]);
        pattern_write(t, &writer, pattern, &t->run->call->args[PARAM_WILDCARDS], NULL);
        if (!writer_end_row(&writer))
            break;
    }
    return writer_finish(&writer);
}

// ---- basket ----

enum { BASKET_DIMENSIONS = 5 };
#define BASKET_LEAST   0.015
#define BASKET_DEFAULT 0.05

static bool
is_frequent(void *context, const double *weight)
{
    return weight[0] >= *(const double *)context;
}

static ResultTable *
basket_run(PluginRun *run)
{
    double threshold;
    uint32_t dimensions;
    PatternTable table;
    PatternList found = {0};
    // Published rules ask for less than the least the page names: they get the least.
    if (!patterns_ratio(run, PARAM_RATIO, 0, 1, BASKET_DEFAULT, &threshold) ||
        !patterns_number(run, PARAM_NUMBER, BASKET_DIMENSIONS, &dimensions))
        return NULL;
    const Batch *input = plugin_input(run);
    if (!input ||
        !patterns_read(run, plugin_arg(run->call, PARAM_WEIGHT), NULL, NULL, NULL, input, &table))
        return NULL;
    threshold = threshold < BASKET_LEAST ? BASKET_LEAST : threshold;
    // A share of 0.2 of 5 rows is one row, whatever the rounding of the product.
    double least = threshold * table.total[0] * (1 - 1e-12);
    if (table.total[0] > 0 && !patterns_search(&table, is_frequent, &least, dimensions, &found))
        return NULL;
    return write_segments(&table, &found);
}

// ---- autocluster ----

enum { SEEDS_DEFAULT = 25, STARTS = 16 };
#define CLUSTER_LEAST 0.05

typedef struct Cluster {
    PatternTable *table;
    double size_weight;
    bool *covered; // by combination
    uint32_t *rows;
    double *sums; // by code
    uint32_t *touched;
} Cluster;

// A value that could be fixed next.
typedef struct Candidate {
    uint32_t column, code;
    double fresh; // weight of its rows that no pattern has yet
    double score;
} Candidate;

static double
score_of(const Cluster *k, double fresh, uint32_t items)
{
    const PatternTable *t = k->table;
    return pow(fresh / t->total[0], k->size_weight) *
           pow((double)items / t->usable_count, 1 - k->size_weight);
}

static void
keep_best(Candidate *best, uint32_t *count, uint32_t most, Candidate candidate)
{
    uint32_t at = *count;
    while (at > 0 && best[at - 1].score < candidate.score)
        at--;
    if (at == most)
        return;
    if (*count < most)
        ++*count;
    memmove(best + at + 1, best + at, (*count - at - 1) * sizeof(*best));
    best[at] = candidate;
}

// The best values to fix next, among the rows k->rows[0..rows).
static uint32_t
best_values(Cluster *k, const Pattern *pattern, uint32_t rows, Candidate *best, uint32_t most)
{
    const PatternTable *t = k->table;
    uint32_t count = 0;
    for (uint32_t c = 0; c < t->input->column_count; c++) {
        if (!t->usable[c] || pattern->values[c])
            continue;
        uint32_t touched = 0;
        for (uint32_t i = 0; i < rows; i++) {
            uint32_t row = k->rows[i], code = t->codes[c][row];
            if (k->covered[row] || t->weights[0][row] == 0)
                continue;
            if (k->sums[code] == 0)
                k->touched[touched++] = code;
            k->sums[code] += t->weights[0][row];
        }
        for (uint32_t i = 0; i < touched; i++) {
            uint32_t code = k->touched[i];
            double fresh = k->sums[code];
            k->sums[code] = 0;
            if (fresh >= CLUSTER_LEAST * t->total[0])
                keep_best(best, &count, most,
                          (Candidate){c, code, fresh, score_of(k, fresh, pattern->items + 1)});
        }
    }
    return count;
}

// Grows a pattern from one value until no further one raises its score.
static Pattern
grow(Cluster *k, Candidate start)
{
    PatternTable *t = k->table;
    Pattern pattern = {.values = ARENA_ARRAY(t->arena, uint32_t, t->input->column_count + 1)};
    for (Candidate next = start;;) {
        pattern.values[next.column] = next.code + 1;
        pattern.items++;
        pattern.score = next.score;
        uint32_t rows = pattern_rows(t, &pattern, k->rows);
        Candidate best;
        if (!best_values(k, &pattern, rows, &best, 1) || best.score <= pattern.score)
            return pattern;
        next = best;
    }
}

// The next pattern; false when none covers enough.
static bool
next_cluster(Cluster *k, Pattern *out)
{
    PatternTable *t = k->table;
    Pattern open = {.values = ARENA_ARRAY(t->arena, uint32_t, t->input->column_count + 1)};
    Candidate starts[STARTS + 1];
    uint32_t rows = pattern_rows(t, &open, k->rows);
    uint32_t count = best_values(k, &open, rows, starts, STARTS);
    for (uint32_t i = 0; i < count; i++) {
        Pattern grown = grow(k, starts[i]);
        if (!i || grown.score > out->score)
            *out = grown;
    }
    return count > 0;
}

static bool
find_clusters(Cluster *k, uint32_t seeds, PatternList *found)
{
    PatternTable *t = k->table;
    uint32_t codes = 0;
    for (uint32_t c = 0; c < t->input->column_count; c++)
        codes = t->code_count[c] > codes ? t->code_count[c] : codes;
    k->covered = ARENA_ARRAY(t->arena, bool, t->rows + 1);
    k->rows = ARENA_ARRAY(t->arena, uint32_t, t->rows + 1);
    k->touched = ARENA_ARRAY(t->arena, uint32_t, t->rows + 1);
    k->sums = ARENA_ARRAY(t->arena, double, codes + 1);
    Pattern pattern;
    for (uint32_t seed = 0; seed < seeds && next_cluster(k, &pattern); seed++) {
        uint32_t count = pattern_rows(t, &pattern, k->rows);
        for (uint32_t i = 0; i < count; i++)
            k->covered[k->rows[i]] = true;
        pattern_weigh(t, &pattern);
        pattern.order = seed;
        ARRAY_PUSH(t->arena, found, pattern);
        if (!plugin_check(t->run))
            return false;
    }
    return true;
}

static ResultTable *
autocluster_run(PluginRun *run)
{
    PatternTable table;
    Cluster cluster = {.table = &table};
    PatternList found = {0};
    uint32_t seeds;
    if (!patterns_ratio(run, PARAM_RATIO, 0, 1, 0.5, &cluster.size_weight) ||
        !patterns_number(run, PARAM_NUMBER, SEEDS_DEFAULT, &seeds))
        return NULL;
    const Batch *input = plugin_input(run);
    if (!input ||
        !patterns_read(run, plugin_arg(run->call, PARAM_WEIGHT), NULL, NULL, NULL, input, &table) ||
        (table.total[0] > 0 && !find_clusters(&cluster, seeds, &found)))
        return NULL;
    return write_segments(&table, &found);
}

// ---- rows ----

#define NUMERIC "long int real"
#define WILDCARDS                                                                                  \
    {                                                                                              \
        "custom_wildcard", PLUGIN_CONSTANT, NULL, PLUGIN_OPTIONAL | PLUGIN_REPEATED                \
    }

static const PluginImpl BASKET = {.bind = cluster_bind, .run = basket_run};
static const PluginImpl AUTOCLUSTER = {.bind = cluster_bind, .run = autocluster_run};
static const PluginParam BASKET_PARAMS[] = {
    [PARAM_RATIO] = {"threshold", PLUGIN_CONSTANT, "real", PLUGIN_OPTIONAL | PLUGIN_TILDE},
    [PARAM_WEIGHT] = {"weight", PLUGIN_COLUMN, NUMERIC, PLUGIN_OPTIONAL | PLUGIN_TILDE},
    [PARAM_NUMBER] = {"max_dimensions", PLUGIN_CONSTANT, "long", PLUGIN_OPTIONAL | PLUGIN_TILDE},
    [PARAM_WILDCARDS] = WILDCARDS,
};
static const PluginParam AUTOCLUSTER_PARAMS[] = {
    [PARAM_RATIO] = {"size_weight", PLUGIN_CONSTANT, "real", PLUGIN_OPTIONAL | PLUGIN_TILDE},
    [PARAM_WEIGHT] = {"weight", PLUGIN_COLUMN, NUMERIC, PLUGIN_OPTIONAL | PLUGIN_TILDE},
    [PARAM_NUMBER] = {"num_seeds", PLUGIN_CONSTANT, "long", PLUGIN_OPTIONAL | PLUGIN_TILDE},
    [PARAM_WILDCARDS] = WILDCARDS,
};
static const PluginDef ROWS[] = {
    {.name = "basket",
     .doc = "Yields the patterns of values that a share of the rows have.",
     .params = BASKET_PARAMS,
     .param_count = COUNT_OF(BASKET_PARAMS),
     .impl = &BASKET},
    {.name = "autocluster",
     .doc = "Describes the rows by few patterns of values that many of them share.",
     .params = AUTOCLUSTER_PARAMS,
     .param_count = COUNT_OF(AUTOCLUSTER_PARAMS),
     .impl = &AUTOCLUSTER},
};

const PluginSet CLUSTER_PLUGINS = {ROWS, COUNT_OF(ROWS)};
