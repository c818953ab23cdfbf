// Building pipelines, and the streaming operators that need no file of their own.

#include "base/array.h"
#include "exec/plugin.h"

// ---- streaming operators ----

static bool
hand_on(Operator *self, Worker *worker, Batch *batch)
{
    if (self->next)
        return self->next->push(self->next, worker, batch);
    if (worker->rows_out > UINT32_MAX - batch->selected)
        return error_set(&worker->error, AZ_LIMIT,
                         "a join or expansion makes more than %u rows of one part of its input",
                         UINT32_MAX);
    bool done = self->sink->consume(self->sink, worker, batch);
    worker->rows_out += batch->selected;
    return done;
}

bool
operator_emit(Operator *self, Worker *worker, Batch *batch)
{
    if (!batch->selected)
        return true;
    if (!self->node)
        return hand_on(self, worker, batch);
    ProfileNode *to = self->next ? self->next->node : self->sink_node;
    ProfileNode *before = worker->clock.node;
    profile_batch(self->node, to, worker->number, batch->selected);
    profile_switch(&worker->clock, to);
    bool done = hand_on(self, worker, batch);
    profile_switch(&worker->clock, before);
    return done;
}

void
emitter_open(Emitter *emitter, Operator *self, Worker *worker)
{
    *emitter = (Emitter){self, worker, worker->batch};
    arena_init(&worker->batch);
}

bool
emitter_emit(Emitter *emitter, Batch *batch)
{
    bool done =
        operator_emit(emitter->self, emitter->worker, batch) && worker_check(emitter->worker);
    arena_reset(&emitter->worker->batch);
    return done;
}

void
emitter_close(Emitter *emitter)
{
    arena_free(&emitter->worker->batch);
    emitter->worker->batch = emitter->outer;
}

const Vector *
vector_repeat(Arena *arena, const Vector *v, const uint32_t *rows, uint32_t count)
{
    return v->encoding == ENC_FLAT ? vector_new_dict(arena, v, rows, count)
                                   : vector_gather(arena, v, rows, count);
}

static bool
filter_push(Operator *self, Worker *worker, Batch *batch)
{
    return filter_batch(worker, self->state, batch) && operator_emit(self, worker, batch);
}

typedef struct Project {
    Expr **exprs;
    uint32_t count;
} Project;

// Picks columns of the input; the selection stays.
static bool
pick_push(Operator *self, Worker *worker, Batch *batch)
{
    const Project *project = self->state;
    Batch *out = batch_new(&worker->batch, project->count, batch->count);
    for (uint32_t c = 0; c < project->count; c++)
        out->columns[c] = batch->columns[project->exprs[c]->column];
    out->selection = batch->selection;
    out->selected = batch->selected;
    out->numbers = batch->numbers;
    return operator_emit(self, worker, out);
}

static bool
project_push(Operator *self, Worker *worker, Batch *batch)
{
    const Project *project = self->state;
    Expr *const *exprs = project->exprs;
    uint32_t count = project->count;
    Batch *out = batch_new(&worker->batch, count, batch->selected);
    out->numbers = batch_numbers(&worker->batch, batch);
    for (uint32_t c = 0; c < count; c++) {
        out->columns[c] = evaluate(worker, exprs[c], batch);
        if (!out->columns[c])
            return false;
    }
    return operator_emit(self, worker, out);
}

void
pipeline_project(Exec *exec, Pipeline *pipeline, const Plan *plan, Expr **exprs, uint32_t count)
{
    Project *project = ARENA_NEW(exec->arena, Project);
    *project = (Project){exprs, count};
    bool columns_only = true;
    for (uint32_t c = 0; c < count; c++)
        columns_only = columns_only && exprs[c]->kind == EXPR_COLUMN;
    pipeline_append(exec, pipeline, plan, project, columns_only ? pick_push : project_push);
}

typedef struct Extend {
    Expr **exprs;
    uint32_t count;
} Extend;

static bool
extend_push(Operator *self, Worker *worker, Batch *batch)
{
    const Extend *extend = self->state;
    Batch *out = batch_new(&worker->batch, batch->column_count + extend->count, batch->selected);
    out->numbers = batch_numbers(&worker->batch, batch);
    for (uint32_t c = 0; c < batch->column_count; c++)
        out->columns[c] = batch_column(&worker->batch, batch, c);
    for (uint32_t e = 0; e < extend->count; e++) {
        const Vector *value = evaluate(worker, extend->exprs[e], batch);
        if (!value)
            return false;
        out->columns[batch->column_count + e] = value;
    }
    return operator_emit(self, worker, out);
}

void
pipeline_extend(Exec *exec, Pipeline *pipeline, const Plan *plan, Expr **exprs, uint32_t count)
{
    if (!count)
        return;
    Extend *extend = ARENA_NEW(exec->arena, Extend);
    *extend = (Extend){exprs, count};
    pipeline_append(exec, pipeline, plan, extend, extend_push);
}

typedef struct UnionMap {
    const int32_t *columns;
    Str name;
    ptrdiff_t source_column;
} UnionMap;

static bool
union_push(Operator *self, Worker *worker, Batch *batch)
{
    const UnionMap *map = self->state;
    const Schema *schema = &self->plan->schema;
    Batch *out = batch_new(&worker->batch, schema->count, batch->selected);
    for (uint32_t c = 0; c < schema->count; c++) {
        if (map->columns[c] >= 0) {
            out->columns[c] = batch_column(&worker->batch, batch, (uint32_t)map->columns[c]);
            continue;
        }
        Value value = value_null(schema->columns[c].type);
        if ((ptrdiff_t)c == map->source_column)
            value = value_string(map->name);
        out->columns[c] = vector_new_const(&worker->batch, &value, batch->selected);
    }
    return operator_emit(self, worker, out);
}

// ---- what a branch does with its rows ----

// The input's column that ends up as `column` of what the step yields; -1 when there is none, or
// when the step does more than dropping rows and picking columns.
static ptrdiff_t
step_column(const Operator *step, uint32_t column)
{
    if (step->push == filter_push)
        return column;
    if (step->push == pick_push || step->push == project_push) {
        const Expr *expr = ((const Project *)step->state)->exprs[column];
        return expr->kind == EXPR_COLUMN ? (ptrdiff_t)expr->column : -1;
    }
    return step->push == union_push ? ((const UnionMap *)step->state)->columns[column] : -1;
}

ptrdiff_t
branch_column(const Branch *branch, uint32_t column)
{
    enum { MOST = 32 };
    const Operator *steps[MOST];
    size_t count = 0;
    for (const Operator *step = branch->first; step; step = step->next) {
        if (count == MOST)
            return -1;
        steps[count++] = step;
    }
    ptrdiff_t at = column;
    while (count > 0 && at >= 0)
        at = step_column(steps[--count], (uint32_t)at);
    return at;
}

bool
branch_only_drops(const Branch *branch)
{
    for (const Operator *step = branch->first; step; step = step->next)
        if (step->push != filter_push && step->push != pick_push && step->push != project_push &&
            step->push != extend_push && step->push != union_push)
            return false;
    return true;
}

Operator *
pipeline_append(Exec *exec, Pipeline *pipeline, const Plan *plan, void *state,
                bool (*push)(Operator *, Worker *, Batch *))
{
    Operator *last = NULL;
    for (size_t i = 0; i < pipeline->count; i++) {
        Branch *branch = &pipeline->branches[i];
        Operator *step = ARENA_NEW(exec->arena, Operator);
        step->plan = plan;
        step->state = state;
        step->push = push;
        step->node = profile_of(exec, plan);
        if (branch->last)
            branch->last->next = step;
        else
            branch->first = step;
        branch->last = last = step;
    }
    return last;
}

// ---- sources ----

Branch *
pipeline_add_branch(Exec *exec, Pipeline *pipeline)
{
    if (pipeline->count == pipeline->cap)
        pipeline->branches = array_grow(exec->arena, pipeline->branches, pipeline->count,
                                        &pipeline->cap, sizeof(Branch));
    Branch *branch = &pipeline->branches[pipeline->count++];
    *branch = (Branch){0};
    return branch;
}

void
pipeline_from_source(Exec *exec, TableSource *source, Pipeline *out)
{
    Branch *branch = pipeline_add_branch(exec, out);
    branch->source = source;
    branch->column_count = source->schema.count;
    branch->columns = ARENA_ARRAY(exec->arena, uint32_t, branch->column_count);
    for (uint32_t c = 0; c < branch->column_count; c++)
        branch->columns[c] = c;
}

bool
pipeline_from_table(Exec *exec, const ResultTable *table, Pipeline *out)
{
    TableSource *source = table->spilled;
    if (!source)
        source = memory_source_new(exec->arena, &table->schema, table->batches, table->batch_count);
    pipeline_from_source(exec, source, out);
    return true;
}

static bool
build_scan(Exec *exec, const Plan *plan, Pipeline *out)
{
    Branch *branch = pipeline_add_branch(exec, out);
    branch->source = plan->scan.source;
    branch->columns = plan->scan.columns;
    branch->column_count = plan->schema.count;
    branch->predicates = plan->scan.predicates;
    branch->predicate_count = plan->scan.predicate_count;
    return true;
}

static bool
build_values(Exec *exec, const Plan *plan, Pipeline *out)
{
    ResultTable table = {
        .schema = plan->schema,
        .batches = plan->values.batches,
        .batch_count = plan->values.count,
    };
    return pipeline_from_table(exec, &table, out);
}

// ---- building ----

static bool
build_filter(Exec *exec, const Plan *plan, Pipeline *out, AzError *error)
{
    Expr *predicate = resolve_subqueries(exec, plan->filter.predicate, error);
    if (!predicate || !pipeline_build(exec, plan->input, out, error))
        return false;
    // Straight over a scan the filter decides which columns are read at all.
    if (plan->input->kind == PLAN_SCAN && out->count == 1 && !out->branches[0].filter) {
        Branch *branch = &out->branches[0];
        branch->filter = predicate;
        branch->read = plan->filter.read;
        if (branch->source->may_match && branch->predicate_count)
            branch->narrowing = narrowing_new(exec->arena, plan->input, predicate);
        branch->filter_node = profile_of(exec, plan);
    } else {
        pipeline_append(exec, out, plan, predicate, filter_push);
    }
    return true;
}

static bool
build_union(Exec *exec, const Plan *plan, Pipeline *out, AzError *error)
{
    for (uint32_t i = 0; i < plan->union_.count; i++) {
        Pipeline part = {0};
        if (!pipeline_build(exec, plan->union_.inputs[i], &part, error))
            return false;
        UnionMap *map = ARENA_NEW(exec->arena, UnionMap);
        map->columns = plan->union_.columns[i];
        map->name = plan->union_.names[i];
        map->source_column = plan->union_.source_column;
        pipeline_append(exec, &part, plan, map, union_push);
        for (size_t p = 0; p < part.count; p++)
            *pipeline_add_branch(exec, out) = part.branches[p];
    }
    return true;
}

static bool
build_breaker(Exec *exec, const Plan *plan, Pipeline *out, AzError *error)
{
    ResultTable *table = NULL;
    switch (plan->kind) {
    case PLAN_SORT: table = run_sort(exec, plan, error); break;
    case PLAN_TAKE: table = exec_collect_limit(exec, plan->input, plan->take.count, error); break;
    case PLAN_SHARED: table = shared_result(exec, plan, error); break;
    case PLAN_SAMPLE: table = run_sample(exec, plan, error); break;
    case PLAN_MAKE_SERIES: table = run_make_series(exec, plan, error); break;
    case PLAN_MV_APPLY: table = run_mv_apply(exec, plan, error); break;
    case PLAN_PARTITION: table = run_partition(exec, plan, error); break;
    case PLAN_SEQUENCES: table = run_sequences(exec, plan, error); break;
    case PLAN_TOP_NESTED: table = run_top_nested(exec, plan, error); break;
    case PLAN_REDUCE: table = run_reduce(exec, plan, error); break;
    case PLAN_CORRELATED: table = correlated_rows(exec, plan); break;
    case PLAN_GRAPH_NODES:
    case PLAN_GRAPH_EDGES: table = run_graph_table(exec, plan, error); break;
    default: error_set(error, AZ_UNSUPPORTED, "this operator cannot be run"); break;
    }
    return table && pipeline_from_table(exec, table, out);
}

static bool
build_plan(Exec *exec, const Plan *plan, Pipeline *out, AzError *error)
{
    switch (plan->kind) {
    case PLAN_SCAN: return build_scan(exec, plan, out);
    case PLAN_VALUES: return build_values(exec, plan, out);
    case PLAN_RANGE: return build_range(exec, plan, out, error);
    case PLAN_FILTER: return build_filter(exec, plan, out, error);
    case PLAN_UNION: return build_union(exec, plan, out, error);
    case PLAN_JOIN: return build_join(exec, plan, out, error);
    case PLAN_SUMMARIZE: return build_summarize(exec, plan, out, error);
    case PLAN_WINDOW: return build_window(exec, plan, out, error);
    case PLAN_GRAPH_MATCH: return build_graph_match(exec, plan, out, error);
    case PLAN_EVALUATE: return build_evaluate(exec, plan, out, error);
    case PLAN_PROJECT: {
        Expr **exprs;
        if (!resolve_all(exec, plan->project.exprs, plan->schema.count, &exprs, error) ||
            !pipeline_build(exec, plan->input, out, error))
            return false;
        pipeline_project(exec, out, plan, exprs, plan->schema.count);
        return true;
    }
    case PLAN_MV_EXPAND:
        return pipeline_build(exec, plan->input, out, error) &&
               pipeline_append_mv_expand(exec, out, plan, error);
    case PLAN_PARSE: {
        void *state;
        if (!parse_prepare(exec, plan, &state, error) ||
            !pipeline_build(exec, plan->input, out, error))
            return false;
        pipeline_append(exec, out, plan, state, parse_push);
        return true;
    }
    case PLAN_PARSE_KV: {
        void *state;
        if (!parse_kv_prepare(exec, plan, &state, error) ||
            !pipeline_build(exec, plan->input, out, error))
            return false;
        pipeline_append(exec, out, plan, state, parse_kv_push);
        return true;
    }
    default: return build_breaker(exec, plan, out, error);
    }
}

bool
pipeline_build(Exec *exec, const Plan *plan, Pipeline *out, AzError *error)
{
    ProfileNode *before = profile_enter(exec, plan);
    bool done = build_plan(exec, plan, out, error);
    for (size_t i = 0; done && i < out->count; i++)
        if (!out->branches[i].node) // those of its inputs have one
            out->branches[i].node = exec->node;
    profile_leave(exec, before);
    return done;
}

bool
pipeline_build_numbered(Exec *exec, const Plan *plan, Pipeline *out, AzError *error)
{
    const Plan *source = plan, *before = exec->numbered;
    while (source->kind == PLAN_FILTER || source->kind == PLAN_PROJECT)
        source = source->input;
    exec->numbered = source;
    bool done = pipeline_build(exec, plan, out, error);
    exec->numbered = before;
    return done;
}
