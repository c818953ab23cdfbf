// Small plugins over whole rows: identity, preview, narrow, estimate_rows_count.

#include "base/array.h"
#include "exec/plugin.h"
#include "value/scalar.h"

static void
set_schema(PluginBind *bind, const Column *columns, size_t count)
{
    ColumnNamer namer = {.arena = bind->arena};
    for (size_t c = 0; c < count; c++)
        namer_add_auto(&namer, columns[c].name, columns[c].type);
    bind->call->schema = namer_schema(&namer);
}

// ---- identity ----

static bool
identity_build(PluginRun *run, Pipeline *out)
{
    return pipeline_build(run->exec, run->plan->input, out, run->error);
}

static const PluginImpl IDENTITY = {.build = identity_build};
static const PluginParam IDENTITY_PARAMS[] = {
    {"mode", PLUGIN_CONSTANT, "string", 0},
    {"exception_text", PLUGIN_CONSTANT, "string", 0},
};

// ---- preview ----

// The page: two results, some rows of the input and then their count. A result here is one
// table, the rows.
static ResultTable *
preview_run(PluginRun *run)
{
    Value rows;
    if (!plugin_value(run, 0, TYPE_LONG, &rows))
        return NULL;
    if (rows.is_null || rows.int64 < 0)
        return plugin_error(run, AZ_INVALID, plugin_arg(run->call, 0)->span,
                            "the number of rows of preview must be 0 or more");
    return exec_collect_limit(run->exec, run->plan->input, rows.int64, run->error);
}

static const PluginImpl PREVIEW = {.run = preview_run};
static const PluginParam PREVIEW_PARAMS[] = {
    {"number_of_rows", PLUGIN_CONSTANT, "long", 0},
};

// ---- narrow ----

static bool
narrow_bind(PluginBind *bind)
{
    static const Column COLUMNS[] = {
        {STR_INIT("Row"), TYPE_LONG},
        {STR_INIT("Column"), TYPE_STRING},
        {STR_INIT("Value"), TYPE_STRING},
    };
    set_schema(bind, COLUMNS, COUNT_OF(COLUMNS));
    bind->call->serialized = true;
    return true;
}

// One row a cell; rows are numbered from 0 in the order of the input.
static ResultTable *
narrow_run(PluginRun *run)
{
    ResultTable *table = exec_collect(run->exec, run->plan->input, run->error);
    if (!table)
        return NULL;
    RowWriter writer;
    writer_open(&writer, run);
    Buffer text = {0};
    int64_t row = 0;
    bool going = true;
    for (uint32_t b = 0; b < table->batch_count && going; b++) {
        const Batch *batch = table->batches[b];
        for (uint32_t i = 0; i < batch->count && going; i++, row++) {
            for (uint32_t c = 0; c < batch->column_count && going; c++) {
                const Vector *v = batch->columns[c];
                writer_long(&writer, row);
                Value name = value_string(table->schema.columns[c].name);
                writer_value(&writer, &name);
                buffer_clear(&text);
                if (!vector_is_null(v, i))
                    data_print(&text, v->type, vector_cell(v, i));
                Value value = value_string(buffer_slice(&text));
                writer_value(&writer, &value);
                going = writer_end_row(&writer);
            }
        }
    }
    buffer_free(&text);
    return writer_finish(&writer);
}

static const PluginImpl NARROW = {narrow_bind, narrow_run, NULL};

// ---- estimate_rows_count ----

static bool
estimate_bind(PluginBind *bind)
{
    static const Column COLUMNS[] = {{STR_INIT("EstimatedRowsCount"), TYPE_LONG}};
    set_schema(bind, COLUMNS, COUNT_OF(COLUMNS));
    return true;
}

static bool
count_consume(Sink *self, Worker *worker, Batch *batch)
{
    ((uint64_t *)self->state)[worker->number] += batch->selected;
    return true;
}

// The rows are counted: an estimate that is exact.
static ResultTable *
estimate_run(PluginRun *run)
{
    Exec *exec = run->exec;
    Pipeline pipeline = {0};
    uint64_t *counts = ARENA_ARRAY(exec->arena, uint64_t, exec->worker_count), all = 0;
    Sink sink = {counts, count_consume, NULL};
    if (!pipeline_build(exec, run->plan->input, &pipeline, run->error) ||
        !pipeline_run(exec, &pipeline, &sink, run->error))
        return NULL;
    for (size_t w = 0; w < exec->worker_count; w++)
        all += counts[w];
    RowWriter writer;
    writer_open(&writer, run);
    writer_long(&writer, (int64_t)all);
    writer_end_row(&writer);
    return writer_finish(&writer);
}

static const PluginImpl ESTIMATE = {estimate_bind, estimate_run, NULL};

static const PluginDef ROWS[] = {
    {.name = "identity", .doc = "Yields the table as it is.", .impl = &IDENTITY},
    {.name = "identity_v3",
     .doc = "Yields the table as it is; both arguments are for the service's own tests.",
     .params = IDENTITY_PARAMS,
     .param_count = COUNT_OF(IDENTITY_PARAMS),
     .impl = &IDENTITY},
    {.name = "preview",
     .doc = "Yields up to so many rows of the table.",
     .params = PREVIEW_PARAMS,
     .param_count = COUNT_OF(PREVIEW_PARAMS),
     .impl = &PREVIEW},
    {.name = "narrow",
     .doc = "Yields one row (row number, column name, value as text) for each cell.",
     .impl = &NARROW},
    {.name = "estimate_rows_count",
     .doc = "Yields the number of rows of the table.",
     .impl = &ESTIMATE},
};

const PluginSet BASIC_PLUGINS = {ROWS, COUNT_OF(ROWS)};
