// pivot: each value of a column becomes a column, its cells an aggregate.
//
// The rows are summarized by the columns that stay and by the pivot column, by the same
// operator that `summarize` is; then the rows of a group are laid side by side. A cell
// without rows is what the aggregate yields of no rows: 0 for count() and sum(), a null
// for min() (Kusto docs, pivot plugin). The new columns come in the order in which
// their values appear.

#include "base/array.h"
#include "base/map.h"
#include "exec/keys.h"
#include "exec/plugin.h"
#include "value/scalar.h"

enum { PARAM_PIVOT, PARAM_AGGREGATE, PARAM_COLUMNS };
enum { VALUES_MAX = 10000 };

typedef struct Pivot {
    uint32_t pivot; // column of the input
    uint32_t *keys; // columns of the input that stay
    uint32_t key_count;
    AggregateCall aggregate;
    // Of each output column: which key it is, or UINT32_MAX and the value it stands for.
    uint32_t *key_of;
    Str *values;
} Pivot;

// ---- binding ----

// count(), the aggregate when none is written.
static void
count_call(Arena *arena, AggregateCall *call)
{
    for (size_t i = 0; i < BASIC_AGGREGATES.count; i++)
        if (strcmp(BASIC_AGGREGATES.rows[i].name, "count") == 0)
            call->fn = &BASIC_AGGREGATES.rows[i];
    call->output_count = 1;
    call->output_types = ARENA_ARRAY(arena, Type, 1);
    call->output_types[0] = TYPE_LONG;
}

static bool
is_argument(const AggregateCall *call, uint32_t column)
{
    for (uint32_t a = 0; a < call->arg_count; a++)
        if (call->args[a]->kind == EXPR_COLUMN && call->args[a]->column == column)
            return true;
    return false;
}

// The columns that are named, or all but the pivot's and the aggregate's.
static void
bind_keys(PluginBind *bind, Pivot *pivot)
{
    const PluginCall *call = bind->call;
    const PluginArgs *named = &call->args[PARAM_COLUMNS];
    uint32_t most = named->len + call->input->schema.count;
    pivot->keys = ARENA_ARRAY(bind->arena, uint32_t, most + 1);
    for (uint32_t i = 0; i < named->len; i++)
        if (named->items[i].expr->kind == EXPR_COLUMN)
            pivot->keys[pivot->key_count++] = named->items[i].expr->column;
    for (uint32_t c = 0; !named->len && c < call->input->schema.count; c++)
        if (c != pivot->pivot && !is_argument(&pivot->aggregate, c))
            pivot->keys[pivot->key_count++] = c;
}

// A summary of the input by the given columns.
static Plan *
summary_plan(Arena *arena, const Plan *input, const uint32_t *keys, uint32_t key_count,
             const AggregateCall *aggregate, Span span)
{
    Plan *plan = plan_new(arena, PLAN_SUMMARIZE, span);
    plan->input = (Plan *)(uintptr_t)input;
    plan->schema.columns = ARENA_ARRAY(arena, Column, key_count + 1);
    plan->summarize.keys = ARENA_ARRAY(arena, Expr *, key_count + 1);
    plan->summarize.key_count = key_count;
    for (uint32_t k = 0; k < key_count; k++) {
        plan->schema.columns[k] = input->schema.columns[keys[k]];
        plan->summarize.keys[k] =
            expr_column(arena, keys[k], input->schema.columns[keys[k]].type, span);
    }
    plan->schema.count = key_count;
    if (aggregate) {
        plan->summarize.aggregates = arena_copy(arena, aggregate, sizeof(*aggregate));
        plan->summarize.aggregate_count = 1;
        plan->schema.columns[plan->schema.count++] =
            (Column){STR("$cell"), aggregate->output_types[0]};
    }
    return plan;
}

static Str
value_name(Arena *arena, const Vector *v, uint32_t row)
{
    Value value = vector_value(v, row), text = value_convert(arena, &value, TYPE_STRING);
    return str_copy(arena, text_str(&text.text));
}

typedef struct PivotColumns {
    ColumnNamer namer;
    uint32_t *key_of;
    Str *values;
    uint32_t cap;
} PivotColumns;

static void
add_output(PivotColumns *out, Str name, Type type, uint32_t key, Str value)
{
    if (out->namer.len == out->cap) {
        uint32_t cap = out->cap ? out->cap * 2 : 16, used = (uint32_t)out->namer.len;
        uint32_t *key_of = ARENA_ARRAY(out->namer.arena, uint32_t, cap);
        Str *values = ARENA_ARRAY(out->namer.arena, Str, cap);
        if (used) {
            memcpy(key_of, out->key_of, used * sizeof(*key_of));
            memcpy(values, out->values, used * sizeof(*values));
        }
        out->key_of = key_of;
        out->values = values;
        out->cap = cap;
    }
    out->key_of[out->namer.len] = key;
    out->values[out->namer.len] = value;
    namer_add_auto(&out->namer, name, type);
}

// The pivot column's values of the rows there are.
static bool
add_seen_values(PluginBind *bind, const Pivot *pivot, PivotColumns *out)
{
    PluginCall *call = bind->call;
    const Schema *input = &call->input->schema;
    Type type = pivot->aggregate.output_types[0];
    for (uint32_t k = 0; k < pivot->key_count; k++)
        add_output(out, input->columns[pivot->keys[k]].name, input->columns[pivot->keys[k]].type, k,
                   STR(""));
    call->open = true;
    if (pivot->pivot == UINT32_MAX)
        return true;
    Arena scratch = {0};
    ResultTable *rows;
    Plan *plan = summary_plan(bind->arena, call->input, &pivot->pivot, 1, NULL, call->span);
    bool done = plugin_look(bind, plan, &scratch, &rows);
    if (done && rows && rows->row_count > VALUES_MAX)
        done = plugin_fail(bind, plugin_arg(call, PARAM_PIVOT)->span,
                           "the pivot column has %llu values, and each would be a column: at "
                           "most %d can be",
                           (unsigned long long)rows->row_count, VALUES_MAX);
    for (uint32_t b = 0; done && rows && b < rows->batch_count; b++) {
        const Batch *batch = rows->batches[b];
        for (uint32_t i = 0; i < batch->count; i++) {
            Str name = value_name(bind->arena, batch->columns[0], i);
            // A column must have a name.
            add_output(out, name.len ? name : STR("Column1"), type, UINT32_MAX, name);
            call->open = false;
        }
    }
    arena_free(&scratch);
    return done;
}

static bool
add_declared(PluginBind *bind, const Pivot *pivot, PivotColumns *out)
{
    const PluginCall *call = bind->call;
    const Schema *input = &call->input->schema;
    uint32_t keys = 0;
    for (uint32_t c = 0; c < call->declared.count; c++) {
        const Column *column = &call->declared.columns[c];
        uint32_t key = UINT32_MAX;
        Type type = pivot->aggregate.output_types[0];
        for (uint32_t k = 0; k < pivot->key_count; k++) {
            if (!str_equal(input->columns[pivot->keys[k]].name, column->name))
                continue;
            key = k;
            type = input->columns[pivot->keys[k]].type;
            keys++;
        }
        if (type != column->type)
            return plugin_fail(bind, call->span,
                               "the declared column '%.*s' is a %s, but pivot yields a %s there",
                               STR_ARG(column->name), type_name(column->type), type_name(type));
        add_output(out, column->name, type, key, column->name);
    }
    if (keys == pivot->key_count)
        return true;
    return plugin_fail(bind, call->span,
                       "the declared columns must hold those that pivot keeps; name the ones to "
                       "keep: pivot(column, aggregate, kept, ...)");
}

static bool
pivot_bind(PluginBind *bind)
{
    PluginCall *call = bind->call;
    const Expr *column = plugin_arg(call, PARAM_PIVOT)->expr;
    Pivot *pivot = ARENA_NEW(bind->arena, Pivot);
    pivot->pivot = column->kind == EXPR_COLUMN ? column->column : UINT32_MAX;
    const PluginArg *aggregate = plugin_arg(call, PARAM_AGGREGATE);
    if (aggregate)
        pivot->aggregate = *aggregate->aggregate;
    else
        count_call(bind->arena, &pivot->aggregate);
    if (pivot->aggregate.output_count != 1)
        return plugin_fail(bind, aggregate->span, "the aggregate of pivot must yield one value");
    bind_keys(bind, pivot);
    PivotColumns out = {.namer = {.arena = bind->arena}};
    if (!(call->has_declared ? add_declared(bind, pivot, &out)
                             : add_seen_values(bind, pivot, &out)))
        return false;
    pivot->key_of = out.key_of;
    pivot->values = out.values;
    call->bound = pivot;
    call->schema = namer_schema(&out.namer);
    return true;
}

// ---- running ----

// What the aggregate yields of no rows.
static bool
empty_cell(PluginRun *run, const Pivot *pivot, Value *out)
{
    Arena *arena = run->exec->arena;
    Plan *none = plan_new(arena, PLAN_VALUES, run->call->span);
    none->schema = run->plan->input->schema;
    Plan *plan = summary_plan(arena, none, NULL, 0, &pivot->aggregate, run->call->span);
    ResultTable *table = run_summarize(run->exec, plan, run->error);
    *out = value_null(pivot->aggregate.output_types[0]);
    if (table && table->row_count)
        *out = vector_value(table->batches[0]->columns[0], 0);
    return table != NULL;
}

// Numbers the summary's rows by their keys: the group of each row, in order of
// appearance, and a row of each group.
static uint32_t
group_rows(Arena *arena, const Batch *summary, uint32_t key_count, uint32_t **groups,
           uint32_t **firsts)
{
    uint32_t rows = summary->count;
    *groups = ARENA_ARRAY(arena, uint32_t, rows);
    *firsts = ARENA_ARRAY(arena, uint32_t, rows + 1);
    if (!key_count)
        return rows ? 1 : 0;
    Type *types = ARENA_ARRAY(arena, Type, key_count);
    for (uint32_t k = 0; k < key_count; k++)
        types[k] = summary->columns[k]->type;
    KeyLayout layout = key_layout(arena, types, key_count);
    GroupTable table;
    group_table_init(&table, &layout, 0, arena);
    uint64_t *key_rows, *hashes;
    key_encode(arena, &layout, summary->columns, rows, &key_rows, &hashes);
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t before = table.count;
        (*groups)[i] = group_add(&table, key_rows + (size_t)i * layout.words, hashes[i]);
        if (table.count > before)
            (*firsts)[before] = i;
    }
    return table.count;
}

static ResultTable *
pivot_run(PluginRun *run)
{
    Exec *exec = run->exec;
    Arena *arena = exec->arena;
    const Pivot *pivot = run->call->bound;
    const Schema *schema = &run->plan->schema;
    uint32_t keys = pivot->key_count;
    uint32_t *columns = ARENA_ARRAY(arena, uint32_t, keys + 1);
    if (keys)
        memcpy(columns, pivot->keys, keys * sizeof(*columns));
    columns[keys] = pivot->pivot;
    if (pivot->pivot == UINT32_MAX)
        return result_cut(arena, schema, batch_new(arena, schema->count, 0));
    Plan *plan = summary_plan(arena, run->plan->input, columns, keys + 1, &pivot->aggregate,
                              run->call->span);
    ResultTable *table = run_summarize(exec, plan, run->error);
    const Batch *summary = table ? result_concat(exec, table, false, run->error) : NULL;
    Value none;
    if (!summary || !empty_cell(run, pivot, &none))
        return NULL;
    Map places; // value -> output column
    map_init(&places, arena, false);
    for (uint32_t c = 0; c < schema->count; c++)
        if (pivot->key_of[c] == UINT32_MAX)
            map_add(&places, pivot->values[c], NULL)->number = c;
    uint32_t *groups, *firsts;
    uint32_t count = group_rows(arena, summary, keys, &groups, &firsts);
    // The summary row of each cell + 1; 0: none. Rows of a group need not be side by side.
    size_t cells = (size_t)count * schema->count;
    if (!worker_reserve(&exec->workers[0], cells * (sizeof(uint32_t) + sizeof(Text)),
                        "the cells of pivot"))
        return exec_first_error(exec, run->error), NULL;
    uint32_t *rows = ARENA_ARRAY(arena, uint32_t, cells + 1);
    for (uint32_t i = 0; i < summary->count; i++) {
        const MapEntry *place = map_find(&places, value_name(arena, summary->columns[keys], i));
        if (place)
            rows[(size_t)groups[i] * schema->count + place->number] = i + 1;
    }
    RowWriter writer;
    writer_open(&writer, run);
    bool going = true;
    for (uint32_t g = 0; g < count && going; g++) {
        for (uint32_t c = 0; c < schema->count; c++) {
            uint32_t row = rows[(size_t)g * schema->count + c];
            if (pivot->key_of[c] != UINT32_MAX)
                writer_cell(&writer, summary->columns[pivot->key_of[c]], firsts[g]);
            else if (row)
                writer_cell(&writer, summary->columns[keys + 1], row - 1);
            else
                writer_value(&writer, &none);
        }
        going = writer_end_row(&writer);
    }
    return writer_finish(&writer);
}

static const PluginImpl PIVOT = {.bind = pivot_bind, .run = pivot_run};
static const PluginParam PARAMS[] = {
    [PARAM_PIVOT] = {"pivot_column", PLUGIN_COLUMN,
                     "string bool int long real decimal datetime timespan guid", 0},
    [PARAM_AGGREGATE] = {"aggregate", PLUGIN_AGGREGATE, NULL, PLUGIN_OPTIONAL},
    [PARAM_COLUMNS] = {"column", PLUGIN_COLUMN, NULL, PLUGIN_OPTIONAL | PLUGIN_REPEATED},
};
static const PluginDef ROWS[] = {
    {.name = "pivot",
     .doc = "Makes each value of a column a column of its own, its cells an aggregate.",
     .params = PARAMS,
     .param_count = COUNT_OF(PARAMS),
     .flags = PLUGIN_DECLARED,
     .impl = &PIVOT},
};

const PluginSet PIVOT_PLUGINS = {ROWS, COUNT_OF(ROWS)};
