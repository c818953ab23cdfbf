// Reading the input as codes, and the search for closed patterns; see patterns.h.

#include "exec/plugin/patterns.h"

#include "base/array.h"
#include "base/map.h"
#include "exec/plugin/timeline.h"
#include "value/scalar.h"

// ---- binding and arguments ----

void
patterns_schema(PluginBind *bind, const Column *columns, size_t count, const bool *hidden)
{
    const Schema *input = &bind->call->input->schema;
    ColumnNamer namer = {.arena = bind->arena};
    for (size_t c = 0; c < count; c++)
        namer_add_auto(&namer, columns[c].name, columns[c].type);
    for (uint32_t c = 0; c < input->count; c++)
        if (!hidden || !hidden[c])
            namer_add_auto(&namer, input->columns[c].name, input->columns[c].type);
    bind->call->schema = namer_schema(&namer);
    bind->call->open = bind->call->input->open;
    bind->call->serialized = true;
}

bool
patterns_ratio(PluginRun *run, uint32_t param, double least, double most, double fallback,
               double *out)
{
    Value value;
    if (!plugin_value(run, param, TYPE_REAL, &value))
        return false;
    *out = value.is_null ? fallback : value.real;
    if (*out >= least && *out <= most)
        return true;
    plugin_error(run, AZ_INVALID, plugin_arg(run->call, param)->span,
                 "the argument '%s' of %s must be between %g and %g",
                 run->call->plugin->params[param].name, run->call->plugin->name, least, most);
    return false;
}

bool
patterns_number(PluginRun *run, uint32_t param, uint32_t fallback, uint32_t *out)
{
    Value value;
    if (!plugin_value(run, param, TYPE_LONG, &value))
        return false;
    *out = value.is_null || value.int64 > UINT32_MAX ? fallback : (uint32_t)value.int64;
    if (value.is_null || value.int64 >= 1)
        return true;
    plugin_error(run, AZ_INVALID, plugin_arg(run->call, param)->span,
                 "the argument '%s' of %s must be 1 or more", run->call->plugin->params[param].name,
                 run->call->plugin->name);
    return false;
}

// ---- reading ----

static double
weight_of(const Vector *weights, uint32_t row)
{
    Instant weight;
    if (!weights)
        return 1;
    return instant_of(weights, row, &weight) && weight > 0 ? (double)weight : 0;
}

// Gives the columns their codes and folds rows of equal codes.
static bool
fold_rows(PatternTable *t, uint32_t *combinations, uint32_t *firsts)
{
    Arena *arena = t->arena;
    uint32_t columns = t->input->column_count, rows = t->input->count, used = 0;
    Batch *keys = batch_new(arena, columns, rows);
    t->codes = ARENA_ARRAY(arena, uint32_t *, columns + 1);
    t->code_count = ARENA_ARRAY(arena, uint32_t, columns + 1);
    t->code_rows = ARENA_ARRAY(arena, uint32_t *, columns + 1);
    for (uint32_t c = 0; c < columns; c++) {
        if (!t->usable[c])
            continue;
        uint32_t *numbers = arena_alloc_array(arena, rows + 1, sizeof(uint32_t));
        t->code_rows[c] = ARENA_ARRAY(arena, uint32_t, rows + 1);
        t->code_count[c] = number_keys(t->run, t->input, c, 1, numbers, t->code_rows[c]);
        t->codes[c] = numbers;
        // Codes are compared from here on, which is cheaper than values.
        Vector *codes = vector_new_flat(arena, TYPE_LONG, rows);
        for (uint32_t i = 0; i < rows; i++)
            ((int64_t *)codes->data)[i] = numbers[i];
        keys->columns[used++] = codes;
        if (!plugin_check(t->run))
            return false;
    }
    t->rows = number_keys(t->run, keys, 0, used, combinations, firsts);
    for (uint32_t c = 0; c < columns; c++)
        for (uint32_t i = 0; t->codes[c] && i < t->rows; i++)
            t->codes[c][i] = t->codes[c][firsts[i]]; // firsts[i] >= i: none is read too late
    return true;
}

bool
patterns_read(PluginRun *run, const PluginArg *weight, const bool *left_out,
              uint32_t (*set_of)(void *context, uint32_t row), void *context, const Batch *input,
              PatternTable *out)
{
    Worker *worker = &run->exec->workers[0];
    Arena *arena = &worker->keep;
    uint32_t columns = input->column_count, rows = input->count;
    *out = (PatternTable){.run = run, .arena = arena, .input = input};
    out->usable = ARENA_ARRAY(arena, bool, columns + 1);
    const Vector *weights = NULL;
    for (uint32_t c = 0; c < columns; c++)
        out->usable[c] = !left_out || !left_out[c];
    if (weight && weight->expr->kind == EXPR_COLUMN) {
        weights = input->columns[weight->expr->column];
        out->usable[weight->expr->column] = false;
    }
    for (uint32_t c = 0; c < columns; c++)
        out->usable_count += out->usable[c];
    if (!worker_reserve(worker, (size_t)rows * (columns * 20 + 32), "the patterns of a plugin"))
        return exec_first_error(run->exec, run->error);
    uint32_t *combinations = ARENA_ARRAY(arena, uint32_t, rows + 1);
    uint32_t *firsts = ARENA_ARRAY(arena, uint32_t, rows + 1);
    if (!fold_rows(out, combinations, firsts))
        return false;
    for (int s = 0; s < PATTERN_SETS; s++)
        out->weights[s] = ARENA_ARRAY(arena, double, out->rows + 1);
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t set = set_of ? set_of(context, i) : 0;
        if (set >= PATTERN_SETS)
            continue;
        out->weights[set][combinations[i]] += weight_of(weights, i);
        out->total[set] += weight_of(weights, i);
    }
    return worker_charge(worker, "the patterns of a plugin") ||
           exec_first_error(run->exec, run->error);
}

// ---- one pattern ----

// Rows without weight are none.
static bool
row_fits(const PatternTable *t, const Pattern *pattern, uint32_t row)
{
    if (t->weights[0][row] == 0 && t->weights[1][row] == 0)
        return false;
    for (uint32_t c = 0; c < t->input->column_count; c++)
        if (pattern->values[c] && t->codes[c][row] != pattern->values[c] - 1)
            return false;
    return true;
}

uint32_t
pattern_rows(const PatternTable *t, const Pattern *pattern, uint32_t *rows)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->rows; i++) {
        rows[count] = i;
        count += row_fits(t, pattern, i);
    }
    return count;
}

void
pattern_weigh(const PatternTable *t, Pattern *pattern)
{
    pattern->items = 0;
    for (uint32_t c = 0; c < t->input->column_count; c++)
        pattern->items += pattern->values[c] != 0;
    pattern->weight[0] = pattern->weight[1] = 0;
    for (uint32_t i = 0; i < t->rows; i++) {
        if (!row_fits(t, pattern, i))
            continue;
        for (int s = 0; s < PATTERN_SETS; s++)
            pattern->weight[s] += t->weights[s][i];
    }
}

bool
pattern_contains(const PatternTable *t, const Pattern *general, const Pattern *special)
{
    for (uint32_t c = 0; c < t->input->column_count; c++)
        if (general->values[c] && general->values[c] != special->values[c])
            return false;
    return true;
}

static int
score_order(const void *a, const void *b)
{
    const Pattern *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

void
patterns_sort(PatternList *list)
{
    if (list->len)
        qsort(list->items, list->len, sizeof(Pattern), score_order);
}

// ---- the search ----

typedef struct Search {
    PatternTable *table;
    bool (*keep)(void *context, const double *weight);
    void *context;
    uint32_t level_most;
    PatternList *found; // also the queue: patterns are expanded in the order they are found
    Map seen;           // values of the patterns found
    uint32_t *rows, *part;
    double *sums[PATTERN_SETS]; // by code, of the column being counted
    uint32_t *touched;
} Search;

// Fixes every open column that has one value in all rows[0..count).
static void
close_pattern(const PatternTable *t, Pattern *pattern, const uint32_t *rows, uint32_t count)
{
    for (uint32_t c = 0; c < t->input->column_count && count; c++) {
        if (!t->usable[c] || pattern->values[c])
            continue;
        uint32_t i = 1, code = t->codes[c][rows[0]];
        while (i < count && t->codes[c][rows[i]] == code)
            i++;
        if (i == count)
            pattern->values[c] = code + 1;
    }
}

// Closes the pattern of these rows and keeps it when it is new.
static void
add_pattern(Search *s, Pattern *pattern, const uint32_t *rows, uint32_t count)
{
    PatternTable *t = s->table;
    close_pattern(t, pattern, rows, count);
    bool is_new;
    map_add(&s->seen,
            (Str){(const char *)pattern->values, t->input->column_count * sizeof(uint32_t)},
            &is_new);
    if (!is_new || s->found->len >= PATTERNS_MAX)
        return;
    pattern->items = 0;
    for (uint32_t c = 0; c < t->input->column_count; c++)
        pattern->items += pattern->values[c] != 0;
    for (int set = 0; set < PATTERN_SETS; set++) {
        pattern->weight[set] = 0;
        for (uint32_t i = 0; i < count; i++)
            pattern->weight[set] += t->weights[set][rows[i]];
    }
    pattern->order = s->found->len;
    ARRAY_PUSH(t->arena, s->found, *pattern);
}

static uint32_t *
copy_values(PatternTable *t, const uint32_t *values)
{
    return arena_copy(t->arena, values, t->input->column_count * sizeof(uint32_t));
}

// Sums the weights of each code of the column over s->rows; the codes are s->touched.
static uint32_t
count_codes(Search *s, uint32_t column, uint32_t rows)
{
    const PatternTable *t = s->table;
    uint32_t touched = 0;
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t row = s->rows[i], code = t->codes[column][row];
        if (s->sums[0][code] == 0 && s->sums[1][code] == 0)
            s->touched[touched++] = code;
        for (int set = 0; set < PATTERN_SETS; set++)
            s->sums[set][code] += t->weights[set][row];
    }
    return touched;
}

// The pattern with one more column fixed, for each column and code that is kept.
static bool
expand(Search *s, Pattern pattern)
{
    PatternTable *t = s->table;
    uint32_t rows = pattern_rows(t, &pattern, s->rows);
    for (uint32_t c = 0; c < t->input->column_count; c++) {
        if (!t->usable[c] || pattern.values[c])
            continue;
        uint32_t touched = count_codes(s, c, rows);
        for (uint32_t k = 0; k < touched; k++) {
            uint32_t code = s->touched[k], count = 0;
            double weight[PATTERN_SETS] = {s->sums[0][code], s->sums[1][code]};
            s->sums[0][code] = s->sums[1][code] = 0;
            if (!s->keep(s->context, weight))
                continue;
            for (uint32_t i = 0; i < rows; i++) {
                s->part[count] = s->rows[i];
                count += t->codes[c][s->rows[i]] == code;
            }
            Pattern next = {.values = copy_values(t, pattern.values), .level = pattern.level + 1};
            next.values[c] = code + 1;
            add_pattern(s, &next, s->part, count);
        }
        if (!plugin_check(t->run))
            return false;
    }
    return worker_charge(&t->run->exec->workers[0], "the patterns of a plugin") ||
           exec_first_error(t->run->exec, t->run->error);
}

bool
patterns_search(PatternTable *t, bool (*keep)(void *context, const double *weight), void *context,
                uint32_t level_most, PatternList *out)
{
    Arena *arena = t->arena;
    Search s = {t, keep, context, level_most, out, {0}, NULL, NULL, {NULL, NULL}, NULL};
    uint32_t codes = 0;
    for (uint32_t c = 0; c < t->input->column_count; c++)
        codes = t->code_count[c] > codes ? t->code_count[c] : codes;
    map_init(&s.seen, arena, false);
    s.rows = ARENA_ARRAY(arena, uint32_t, t->rows + 1);
    s.part = ARENA_ARRAY(arena, uint32_t, t->rows + 1);
    s.touched = ARENA_ARRAY(arena, uint32_t, t->rows + 1);
    for (int set = 0; set < PATTERN_SETS; set++)
        s.sums[set] = ARENA_ARRAY(arena, double, codes + 1);
    Pattern root = {.values = ARENA_ARRAY(arena, uint32_t, t->input->column_count + 1)};
    uint32_t rows = pattern_rows(t, &root, s.rows);
    if (!rows)
        return true;
    add_pattern(&s, &root, s.rows, rows);
    for (size_t at = 0; at < out->len; at++)
        if (out->items[at].level < level_most && !expand(&s, out->items[at]))
            return false;
    // That nothing at all is fixed says nothing.
    if (out->len && !out->items[0].items) {
        out->len--;
        memmove(out->items, out->items + 1, out->len * sizeof(Pattern));
    }
    return true;
}

// ---- output ----

static void
write_wildcard(RowWriter *writer, Type type, const PluginArgs *wildcards)
{
    for (uint32_t i = 0; wildcards && i < wildcards->len; i++) {
        const Expr *wildcard = wildcards->items[i].expr;
        if (wildcard->kind != EXPR_CONST || wildcard->type != type)
            continue;
        if (type == TYPE_STRING && str_equal(text_str(&wildcard->value.text), STR("~")))
            continue; // the default
        writer_value(writer, &wildcard->value);
        return;
    }
    writer_null(writer);
}

void
pattern_write(const PatternTable *t, RowWriter *writer, const Pattern *pattern,
              const PluginArgs *wildcards, const bool *hidden)
{
    for (uint32_t c = 0; c < t->input->column_count; c++) {
        if (hidden && hidden[c])
            continue;
        if (pattern->values[c])
            writer_cell(writer, t->input->columns[c], t->code_rows[c][pattern->values[c] - 1]);
        else
            write_wildcard(writer, t->input->columns[c]->type, wildcards);
    }
}
