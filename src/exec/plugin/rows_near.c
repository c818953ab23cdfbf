// rows_near: the rows that stand near one for which a condition is true.

#include "base/array.h"
#include "exec/plugin.h"

enum { PARAM_CONDITION, PARAM_BEFORE, PARAM_AFTER };

// How many rows near row `i` are wanted: marks[i] counts the ranges that begin there.
static int32_t *
mark_rows(PluginRun *run, const ResultTable *table, uint32_t condition, uint64_t before,
          uint64_t after)
{
    uint64_t rows = table->row_count, row = 0;
    int32_t *marks = arena_zalloc_array(&run->exec->workers[0].keep, rows + 1, sizeof(*marks));
    for (uint32_t b = 0; b < table->batch_count; b++) {
        const Vector *v = table->batches[b]->columns[condition];
        for (uint32_t i = 0; i < v->count; i++, row++) {
            if (vector_is_null(v, i) || !*(const uint8_t *)vector_cell(v, i))
                continue;
            marks[row > before ? row - before : 0]++;
            marks[after < rows - row ? row + after + 1 : rows]--;
        }
    }
    return marks;
}

static ResultTable *
pick_rows(PluginRun *run, const ResultTable *table, const int32_t *marks)
{
    Arena *arena = run->exec->arena;
    uint32_t columns = run->plan->schema.count;
    ResultTable *out = ARENA_NEW(arena, ResultTable);
    out->schema = run->plan->schema;
    out->batches = ARENA_ARRAY(arena, Batch *, table->batch_count + 1);
    int64_t near = 0;
    for (uint32_t b = 0; b < table->batch_count; b++) {
        const Batch *batch = table->batches[b];
        uint32_t *rows = arena_alloc_array(arena, batch->count, sizeof(uint32_t)), count = 0;
        for (uint32_t i = 0; i < batch->count; i++) {
            near += *marks++;
            rows[count] = i;
            count += near > 0;
        }
        if (!count)
            continue;
        Batch *part = batch_new(arena, columns, count);
        for (uint32_t c = 0; c < columns; c++)
            part->columns[c] = vector_gather(arena, batch->columns[c], rows, count);
        out->batches[out->batch_count++] = part;
        out->row_count += count;
    }
    return out;
}

static ResultTable *
rows_near_run(PluginRun *run)
{
    Exec *exec = run->exec;
    Value before, after;
    if (!plugin_value(run, PARAM_BEFORE, TYPE_LONG, &before) ||
        !plugin_value(run, PARAM_AFTER, TYPE_LONG, &after))
        return NULL;
    if (after.is_null)
        after = before;
    if (before.is_null || before.int64 < 0 || after.int64 < 0)
        return plugin_error(run, AZ_INVALID, run->call->span,
                            "the numbers of rows of rows_near must be 0 or more");
    Expr *condition =
        resolve_subqueries(exec, plugin_arg(run->call, PARAM_CONDITION)->expr, run->error);
    Pipeline pipeline = {0};
    if (!condition || !pipeline_build(exec, run->plan->input, &pipeline, run->error))
        return NULL;
    uint32_t columns = run->plan->schema.count;
    Schema schema = {ARENA_ARRAY(exec->arena, Column, columns + 1), columns + 1};
    memcpy(schema.columns, run->plan->schema.columns, columns * sizeof(Column));
    schema.columns[columns] = (Column){STR("$condition"), TYPE_BOOL};
    pipeline_extend(exec, &pipeline, run->plan, &condition, 1);
    ResultTable *table = pipeline_collect(exec, &pipeline, &schema, -1, run->error);
    if (!table)
        return NULL;
    if (!worker_reserve(&exec->workers[0], table->row_count * 2 * sizeof(uint32_t), "rows_near"))
        return exec_first_error(exec, run->error), NULL;
    return pick_rows(run, table,
                     mark_rows(run, table, columns, (uint64_t)before.int64, (uint64_t)after.int64));
}

static const PluginImpl ROWS_NEAR = {.run = rows_near_run};
static const PluginParam PARAMS[] = {
    [PARAM_CONDITION] = {"condition", PLUGIN_EXPRESSION, "bool", 0},
    [PARAM_BEFORE] = {"num_rows", PLUGIN_CONSTANT, "long", 0},
    [PARAM_AFTER] = {"rows_after", PLUGIN_CONSTANT, "long", PLUGIN_OPTIONAL},
};
static const PluginDef ROWS[] = {
    {.name = "rows_near",
     .doc = "Yields the rows that stand near one for which the condition is true.",
     .params = PARAMS,
     .param_count = COUNT_OF(PARAMS),
     .impl = &ROWS_NEAR},
};

const PluginSet ROWS_NEAR_PLUGINS = {ROWS, COUNT_OF(ROWS)};
