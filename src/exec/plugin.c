// What plugins share: values of their arguments, the input's columns, writing rows.

#include "exec/plugin.h"
#include "value/scalar.h"

#include <stdarg.h>

// ---- binding ----

bool
plugin_fail(PluginBind *bind, Span span, const char *format, ...)
{
    if (bind->error && bind->error->code != AZ_OK)
        return false;
    va_list args;
    va_start(args, format);
    Str message = str_vformat(bind->arena, format, args);
    va_end(args);
    return error_at(bind->error, AZ_SEMANTIC, span, "%.*s", STR_ARG(message));
}

bool
plugin_bind_value(PluginBind *bind, uint32_t param, Value *out)
{
    const PluginArg *arg = plugin_arg(bind->call, param);
    *out = value_null(TYPE_NONE);
    if (!arg)
        return true;
    if (arg->expr->kind != EXPR_CONST)
        return plugin_fail(bind, arg->span,
                           "the argument '%s' of %s decides which columns there are, so it must "
                           "be a constant that is known before the query runs",
                           bind->call->plugin->params[param].name, bind->call->plugin->name);
    *out = arg->expr->value;
    return true;
}

bool
plugin_look(PluginBind *bind, const Plan *plan, Arena *arena, ResultTable **rows)
{
    *rows = NULL;
    if (plan_is_correlated(plan))
        return plugin_fail(bind, bind->call->span,
                           "the columns of %s depend on rows, which are not there yet inside "
                           "mv-apply or partition: declare them, %s(...) : (name:type, ...)",
                           bind->call->plugin->name, bind->call->plugin->name);
    return !bind->run || (*rows = bind->run(bind->context, arena, plan, bind->error));
}

// ---- running ----

bool
plugin_value(PluginRun *run, uint32_t param, Type type, Value *out)
{
    Exec *exec = run->exec;
    const PluginArg *arg = plugin_arg(run->call, param);
    *out = value_null(type == TYPE_NONE ? TYPE_STRING : type);
    if (!arg)
        return true;
    Expr *resolved = resolve_subqueries(exec, arg->expr, run->error);
    if (!resolved)
        return false;
    Value value = resolved->value;
    if (resolved->kind != EXPR_CONST &&
        !exec_fold(exec->arena, resolved, exec->options->now, &value, run->error))
        return false;
    *out =
        type == TYPE_NONE || type == value.type ? value : value_convert(exec->arena, &value, type);
    return true;
}

Batch *
plugin_columns(PluginRun *run, const Plan *input, Expr *const *exprs, uint32_t count)
{
    Exec *exec = run->exec;
    Expr **resolved;
    Pipeline pipeline = {0};
    if (!resolve_all(exec, exprs, count, &resolved, run->error) ||
        !pipeline_build(exec, input, &pipeline, run->error))
        return NULL;
    Schema schema = {ARENA_ARRAY(exec->arena, Column, count), count};
    for (uint32_t c = 0; c < count; c++)
        schema.columns[c] = (Column){STR("$value"), exprs[c]->type};
    pipeline_project(exec, &pipeline, run->plan, resolved, count);
    ResultTable *table = pipeline_collect(exec, &pipeline, &schema, -1, run->error);
    return table ? result_concat(exec, table, false, run->error) : NULL;
}

Batch *
plugin_input(PluginRun *run)
{
    ResultTable *table = exec_collect(run->exec, run->plan->input, run->error);
    return table ? result_concat(run->exec, table, false, run->error) : NULL;
}

void *
plugin_error(PluginRun *run, AzCode code, Span span, const char *format, ...)
{
    if (run->error && run->error->code != AZ_OK)
        return NULL;
    va_list args;
    va_start(args, format);
    Str message = str_vformat(run->exec->arena, format, args);
    va_end(args);
    error_at(run->error, code, span, "%.*s", STR_ARG(message));
    return NULL;
}

bool
plugin_check(PluginRun *run)
{
    return worker_check(&run->exec->workers[0]) || exec_first_error(run->exec, run->error);
}

// ---- writing rows ----

enum { CHECK_EVERY = 1024 };

void
writer_open(RowWriter *writer, PluginRun *run)
{
    const Schema *schema = &run->plan->schema;
    *writer = (RowWriter){.run = run};
    writer->columns = ARENA_ARRAY(run->exec->arena, VectorBuilder, schema->count + 1);
    for (uint32_t c = 0; c < schema->count; c++)
        vector_builder_init(&writer->columns[c], schema->columns[c].type);
}

void
writer_value(RowWriter *writer, const Value *value)
{
    VectorBuilder *column = &writer->columns[writer->column++];
    Arena *keep = &writer->run->exec->workers[0].keep;
    if (value->is_null || value->type == column->type) {
        Value typed = *value;
        if (value->is_null)
            typed = value_null(column->type);
        vector_builder_value(column, keep, &typed);
    } else if (column->type == TYPE_DYNAMIC) {
        Value boxed = {.type = TYPE_DYNAMIC, .text = dyn_text_of_value(keep, value)};
        vector_builder_value(column, keep, &boxed);
    } else {
        Value converted = value_convert(keep, value, column->type);
        vector_builder_value(column, keep, &converted);
    }
}

void
writer_cell(RowWriter *writer, const Vector *v, uint32_t row)
{
    Value value = vector_value(v, row);
    writer_value(writer, &value);
}

void
writer_null(RowWriter *writer)
{
    vector_builder_null(&writer->columns[writer->column++]);
}

void
writer_long(RowWriter *writer, int64_t value)
{
    Value cell = value_long(value);
    writer_value(writer, &cell);
}

void
writer_real(RowWriter *writer, double value)
{
    Value cell = value_real(value);
    writer_value(writer, &cell);
}

bool
writer_end_row(RowWriter *writer)
{
    Exec *exec = writer->run->exec;
    Worker *worker = &exec->workers[0];
    writer->column = 0;
    if (++writer->rows % CHECK_EVERY || writer->failed)
        return !writer->failed;
    if (writer->rows >= UINT32_MAX)
        writer->failed = !error_set(&worker->error, AZ_LIMIT, "%s makes too many rows",
                                    writer->run->call->plugin->name);
    size_t row_bytes = 0;
    const Schema *schema = &writer->run->plan->schema;
    for (uint32_t c = 0; c < schema->count; c++)
        row_bytes += type_size(schema->columns[c].type);
    // The rows stand twice when the builders are cut.
    writer->failed =
        writer->failed || !worker_check(worker) ||
        !worker_reserve(worker, 2 * row_bytes * (size_t)writer->rows, "the rows of a plugin") ||
        !worker_charge(worker, "the rows of a plugin");
    return !writer->failed;
}

ResultTable *
writer_finish(RowWriter *writer)
{
    Exec *exec = writer->run->exec;
    Worker *worker = &exec->workers[0];
    const Schema *schema = &writer->run->plan->schema;
    Batch *whole = batch_new(exec->arena, schema->count, (uint32_t)writer->rows);
    for (uint32_t c = 0; c < schema->count; c++) {
        if (!writer->failed)
            whole->columns[c] =
                vector_builder_cut(&writer->columns[c], &worker->keep, 0, whole->count);
        vector_builder_free(&writer->columns[c]);
    }
    if (!writer->failed)
        worker_charge(worker, "the rows of a plugin");
    return exec_first_error(exec, writer->run->error) ? result_cut(exec->arena, schema, whole)
                                                      : NULL;
}
