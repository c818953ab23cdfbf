// dcount_intersect: how many values the first sets have in common, from their sketches.
//
// The input's columns stay; s0 is the size of the first set, s1 that of its intersection
// with the second, and so on (Kusto docs, dcount_intersect plugin).

#include "base/array.h"
#include "exec/plugin.h"
#include "function/sketch.h"

static bool
intersect_bind(PluginBind *bind)
{
    PluginCall *call = bind->call;
    const PluginArgs *sketches = &call->args[0];
    ColumnNamer namer = {.arena = bind->arena};
    if (sketches->len < 2 || sketches->len > SKETCHES_MOST)
        return plugin_fail(bind, call->span, "dcount_intersect takes 2 to %d sketches, not %u",
                           SKETCHES_MOST, sketches->len);
    for (uint32_t c = 0; c < call->input->schema.count; c++)
        namer_add_auto(&namer, call->input->schema.columns[c].name,
                       call->input->schema.columns[c].type);
    for (uint32_t k = 0; k < sketches->len; k++)
        namer_add_auto(&namer, str_format(bind->arena, "s%u", k), TYPE_LONG);
    call->schema = namer_schema(&namer);
    call->open = call->input->open;
    call->serialized = call->input->serialized;
    return true;
}

typedef struct Intersect {
    Expr **sketches;
    uint32_t count;
} Intersect;

static bool
still_going(void *context)
{
    return worker_check(context);
}

static bool
intersect_push(Operator *self, Worker *worker, Batch *batch)
{
    const Intersect *intersect = self->state;
    Arena *arena = &worker->batch;
    uint32_t rows = batch->selected, columns = batch->column_count, sets = intersect->count;
    Batch *out = batch_new(arena, columns + sets, rows);
    for (uint32_t c = 0; c < columns; c++)
        out->columns[c] = batch_column(arena, batch, c);
    const Vector *values[SKETCHES_MOST];
    Vector *sizes[SKETCHES_MOST];
    for (uint32_t k = 0; k < sets; k++) {
        if (!(values[k] = evaluate(worker, intersect->sketches[k], batch)))
            return false;
        out->columns[columns + k] = sizes[k] = vector_new_flat(arena, TYPE_LONG, rows);
    }
    for (uint32_t i = 0; i < rows; i++) {
        Dyn sketches[SKETCHES_MOST];
        int64_t counts[SKETCHES_MOST];
        for (uint32_t k = 0; k < sets; k++)
            sketches[k] =
                vector_is_null(values[k], i) ? dyn_null() : dyn_of_text(vector_cell(values[k], i));
        bool good = sketch_intersections(sketches, sets, counts, still_going, worker);
        for (uint32_t k = 0; k < sets; k++) {
            if (good)
                ((int64_t *)sizes[k]->data)[i] = counts[k];
            else
                vector_set_null(arena, sizes[k], i);
        }
        if (!worker_check(worker))
            return false;
    }
    return operator_emit(self, worker, out);
}

static bool
intersect_build(PluginRun *run, Pipeline *out)
{
    const PluginArgs *args = &run->call->args[0];
    Intersect *intersect = ARENA_NEW(run->exec->arena, Intersect);
    Expr **exprs = ARENA_ARRAY(run->exec->arena, Expr *, args->len);
    for (uint32_t k = 0; k < args->len; k++)
        exprs[k] = args->items[k].expr;
    intersect->count = args->len;
    if (!resolve_all(run->exec, exprs, args->len, &intersect->sketches, run->error) ||
        !pipeline_build(run->exec, run->plan->input, out, run->error))
        return false;
    pipeline_append(run->exec, out, run->plan, intersect, intersect_push);
    return true;
}

static const PluginImpl INTERSECT = {.bind = intersect_bind, .build = intersect_build};
static const PluginParam PARAMS[] = {{"hll", PLUGIN_EXPRESSION, "dynamic", PLUGIN_REPEATED}};
static const PluginDef ROWS[] = {
    {.name = "dcount_intersect",
     .doc = "Estimates how many values the first sketches have in common.",
     .params = PARAMS,
     .param_count = COUNT_OF(PARAMS),
     .impl = &INTERSECT},
};

const PluginSet DCOUNT_INTERSECT_PLUGINS = {ROWS, COUNT_OF(ROWS)};
