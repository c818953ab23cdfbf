// Lookups: reading the table, emitting rows.

#include "exec/plugin/lookup.h"

#include "base/array.h"

// ---- binding ----

static bool
bind_equal(PluginBind *bind, const Plan *table, const PluginArgs *equal, LookupShape *shape)
{
    shape->input_keys = ARENA_ARRAY(bind->arena, uint32_t, equal->len + 1);
    shape->table_keys = ARENA_ARRAY(bind->arena, uint32_t, equal->len + 1);
    for (uint32_t i = 0; i < equal->len; i++) {
        const PluginArg *arg = &equal->items[i];
        ptrdiff_t at = schema_find(&table->schema, arg->name);
        if (at < 0)
            return plugin_fail(bind, arg->span, "the lookup table has no column '%.*s'",
                               STR_ARG(arg->name));
        if (table->schema.columns[at].type != arg->expr->type)
            return plugin_fail(bind, arg->span,
                               "the column '%.*s' is a %s, that of the lookup table a %s",
                               STR_ARG(arg->name), type_name(arg->expr->type),
                               type_name(table->schema.columns[at].type));
        if (arg->expr->kind != EXPR_COLUMN)
            continue;
        shape->input_keys[shape->key_count] = arg->expr->column;
        shape->table_keys[shape->key_count++] = (uint32_t)at;
    }
    return true;
}

bool
lookup_bind(PluginBind *bind, const Plan *table, const bool *skip, const PluginArgs *equal)
{
    PluginCall *call = bind->call;
    const Schema *input = &call->input->schema;
    LookupShape *shape = ARENA_NEW(bind->arena, LookupShape);
    if (equal && !bind_equal(bind, table, equal, shape))
        return false;
    shape->columns = ARENA_ARRAY(bind->arena, LookupColumn, input->count + table->schema.count + 1);
    ColumnNamer namer = {.arena = bind->arena};
    for (uint32_t c = 0; c < input->count; c++) {
        shape->columns[namer.len] = (LookupColumn){false, c};
        namer_add_auto(&namer, input->columns[c].name, input->columns[c].type);
    }
    for (uint32_t c = 0; c < table->schema.count; c++) {
        bool skipped = skip && skip[c];
        for (uint32_t k = 0; k < shape->key_count && !skipped; k++)
            skipped = shape->table_keys[k] == c;
        if (skipped)
            continue;
        shape->columns[namer.len] = (LookupColumn){true, c};
        namer_add_auto(&namer, table->schema.columns[c].name, table->schema.columns[c].type);
    }
    call->schema = namer_schema(&namer);
    call->open = call->input->open || table->open;
    call->serialized = call->input->serialized;
    call->bound = shape;
    return true;
}

// ---- running ----

bool
lookup_read(PluginRun *run, Lookup *lookup, const Plan *table)
{
    ResultTable *rows = exec_collect(run->exec, table, run->error);
    if (!rows)
        return false;
    lookup->plan = run->plan;
    lookup->shape = run->call->bound;
    lookup->table = result_concat(run->exec, rows, true, run->error);
    lookup->table_rows = (uint32_t)rows->row_count;
    return lookup->table != NULL;
}

typedef struct LookupPairs {
    const Lookup *lookup;
    const Batch *input; // compact
    uint32_t *input_rows, *table_rows;
    uint32_t count, cap;
    Emitter emitter;
} LookupPairs;

static bool
pairs_flush(LookupPairs *pairs)
{
    const Lookup *lookup = pairs->lookup;
    Arena *arena = &pairs->emitter.worker->batch;
    uint32_t columns = lookup->plan->schema.count;
    if (!pairs->count)
        return true;
    Batch *out = batch_new(arena, columns, pairs->count);
    for (uint32_t c = 0; c < columns; c++) {
        const LookupColumn *column = &lookup->shape->columns[c];
        out->columns[c] = column->from_table
                              ? vector_new_dict(arena, lookup->table->columns[column->column],
                                                pairs->table_rows, pairs->count)
                              : vector_repeat(arena, pairs->input->columns[column->column],
                                              pairs->input_rows, pairs->count);
    }
    pairs->count = 0;
    return emitter_emit(&pairs->emitter, out);
}

static bool
pairs_add(LookupPairs *pairs, uint32_t input_row, uint32_t table_row)
{
    if (pairs->count == pairs->cap && !pairs_flush(pairs))
        return false;
    pairs->input_rows[pairs->count] = input_row;
    pairs->table_rows[pairs->count++] = table_row;
    return true;
}

// A null key equals nothing, as in a join.
static bool
keys_equal(const Lookup *lookup, const Batch *input, uint32_t row, uint32_t table_row)
{
    const LookupShape *shape = lookup->shape;
    for (uint32_t k = 0; k < shape->key_count; k++) {
        const Vector *mine = input->columns[shape->input_keys[k]];
        const Vector *other = lookup->table->columns[shape->table_keys[k]];
        if (vector_is_null(mine, row) || !vector_same(mine, row, other, table_row))
            return false;
    }
    return true;
}

static bool
lookup_row(LookupPairs *pairs, const Vector *const *values, uint32_t row, RowList *hits)
{
    const Lookup *lookup = pairs->lookup;
    bool found = false;
    hits->len = 0;
    lookup->match(lookup, values, row, hits);
    for (size_t h = 0; h < hits->len; h++) {
        if (!keys_equal(lookup, pairs->input, row, hits->items[h]))
            continue;
        found = true;
        if (!pairs_add(pairs, row, hits->items[h]))
            return false;
    }
    return found || !lookup->keep_unmatched || pairs_add(pairs, row, lookup->table_rows);
}

static bool
lookup_push(Operator *self, Worker *worker, Batch *batch)
{
    const Lookup *lookup = self->state;
    Arena *arena = &worker->batch;
    const Vector **values = ARENA_ARRAY(arena, const Vector *, lookup->expr_count + 1);
    for (uint32_t e = 0; e < lookup->expr_count; e++) {
        const Vector *value = evaluate(worker, lookup->exprs[e], batch);
        if (!value)
            return false;
        values[e] = value;
    }
    LookupPairs pairs = {.lookup = lookup, .input = batch_compact(arena, batch), .cap = batch_rows};
    pairs.input_rows = arena_alloc_array(arena, pairs.cap, sizeof(uint32_t));
    pairs.table_rows = arena_alloc_array(arena, pairs.cap, sizeof(uint32_t));
    // Emitting resets the batch arena, so that what is found for a row has its own.
    Arena scratch = {0};
    RowList hits = {.arena = &scratch};
    bool done = true;
    emitter_open(&pairs.emitter, self, worker);
    for (uint32_t row = 0; row < pairs.input->count && done; row++)
        done = worker_check(worker) && lookup_row(&pairs, values, row, &hits);
    done = done && pairs_flush(&pairs);
    emitter_close(&pairs.emitter);
    arena_free(&scratch);
    return done;
}

bool
lookup_build(PluginRun *run, Lookup *lookup, Pipeline *out)
{
    if (!resolve_all(run->exec, lookup->exprs, lookup->expr_count, &lookup->exprs, run->error) ||
        !pipeline_build(run->exec, run->plan->input, out, run->error))
        return false;
    pipeline_append(run->exec, out, run->plan, lookup, lookup_push);
    return true;
}
