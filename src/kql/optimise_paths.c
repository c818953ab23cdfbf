// Members of JSON texts and of dynamics become columns: where a source keeps the values inside of
// a column apart, parse_json(c).a.b or c.a.b is read from there and nothing is parsed.
//
// What an operator reads at a path is asked of its input, and handed down through what
// passes columns on (extend, where, sort, take, join, union) to the scan, which gets a column for
// it. parse_json(c) itself, when nobody reads the whole, is dropped by pruning.

#include "base/array.h"
#include "base/buffer.h"
#include "column/path_source.h"
#include "kql/optimise_state.h"

// Members that are read of a column: of its JSON text, or of the dynamic that it is.
typedef struct Wanted {
    uint32_t column;
    bool parse; // the column is a text
    Str path;   // table_source.h
    Span span;
} Wanted;

static bool
is_call(const Expr *expr, const char *name)
{
    return expr->kind == EXPR_CALL && strcmp(expr->fn->name, name) == 0;
}

static Str
path_join(Arena *arena, Str left, Str right)
{
    char *out = arena_alloc_aligned(arena, left.len + right.len + 1, 1);
    memcpy(out, left.ptr, left.len);
    memcpy(out + left.len, right.ptr, right.len);
    return (Str){out, left.len + right.len};
}

// The column of parse_json(c), or of a plain dynamic column.
static bool
base_column(const Expr *expr, Wanted *out)
{
    bool parsed = is_call(expr, "parse_json") && expr->arg_count == 1;
    const Expr *column = parsed ? expr->args[0] : expr;
    if (column->kind != EXPR_COLUMN ||
        (column->type != TYPE_STRING && column->type != TYPE_DYNAMIC))
        return false;
    out->column = column->column;
    out->parse = column->type == TYPE_STRING;
    out->span = expr->span;
    return parsed || !out->parse;
}

// What a member access reads, and how many of its steps say so: those by name, up to an index.
static bool
wanted_of(Arena *arena, const Expr *expr, Wanted *out, uint32_t *steps)
{
    *steps = 0;
    out->path = (Str){"", 0};
    if (!is_call(expr, "$path") || !base_column(expr->args[0], out))
        return false;
    for (uint32_t i = 1; i < expr->arg_count; i++, ++*steps) {
        const Expr *step = expr->args[i];
        if (step->kind != EXPR_CONST || step->type != TYPE_STRING || step->value.is_null)
            break;
        Str key = text_str(&step->value.text);
        uint32_t len = (uint32_t)key.len;
        out->path = path_join(arena, out->path, (Str){(const char *)&len, sizeof(len)});
        out->path = path_join(arena, out->path, key);
    }
    return *steps > 0;
}

// ---- asking the input ----

// What a projection's input is asked for; false when the column is made of something else.
static bool
wanted_below(Arena *arena, const Expr *expr, const Wanted *wanted, Wanted *below)
{
    uint32_t steps;
    *below = *wanted;
    if (expr->kind == EXPR_COLUMN) {
        below->column = expr->column;
        return true;
    }
    if (wanted->parse)
        return false;
    if (base_column(expr, below))
        return true;
    if (!wanted_of(arena, expr, below, &steps) || steps + 1 != expr->arg_count)
        return false;
    below->path = path_join(arena, below->path, wanted->path);
    return true;
}

static bool
scan_has(const Plan *scan, const Wanted *wanted)
{
    TableSource *source = scan->scan.source;
    uint32_t column = scan->scan.columns[wanted->column];
    return source && source->holds_paths && source->holds_paths(source, column);
}

static Plan *
join_side(const Plan *join, uint32_t column)
{
    return join->join.columns[column].from_right ? join->join.right : join->input;
}

static bool
can_read(Optimiser *o, const Plan *plan, const Wanted *wanted)
{
    Wanted below = *wanted;
    switch (plan->kind) {
    case PLAN_SCAN: return scan_has(plan, wanted);
    case PLAN_FILTER:
    case PLAN_SORT:
    case PLAN_TAKE: return can_read(o, plan->input, wanted);
    case PLAN_PROJECT:
        return wanted_below(o->arena, plan->project.exprs[wanted->column], wanted, &below) &&
               can_read(o, plan->input, &below);
    case PLAN_JOIN:
        below.column = plan->join.columns[wanted->column].column;
        return can_read(o, join_side(plan, wanted->column), &below);
    case PLAN_UNION:
        for (uint32_t i = 0; i < plan->union_.count; i++) {
            int32_t column = plan->union_.columns[i][wanted->column];
            below.column = (uint32_t)column;
            if (column >= 0 && !can_read(o, plan->union_.inputs[i], &below))
                return false;
        }
        return plan->union_.source_column != (ptrdiff_t)wanted->column;
    default: return false;
    }
}

// Copies of the operators that get columns.
static Plan *
own_input(Optimiser *o, const Plan *plan)
{
    Plan *out = plan_copy(o, plan);
    switch (plan->kind) {
    case PLAN_FILTER:
    case PLAN_SORT:
    case PLAN_TAKE:
    case PLAN_PROJECT: out->input = own_input(o, plan->input); break;
    case PLAN_JOIN:
        out->input = own_input(o, plan->input);
        out->join.right = own_input(o, plan->join.right);
        break;
    case PLAN_UNION:
        out->union_.inputs = ARENA_ARRAY(o->arena, Plan *, plan->union_.count);
        out->union_.columns = ARENA_ARRAY(o->arena, int32_t *, plan->union_.count);
        for (uint32_t i = 0; i < plan->union_.count; i++) {
            out->union_.inputs[i] = own_input(o, plan->union_.inputs[i]);
            out->union_.columns[i] = plan->union_.columns[i];
        }
        break;
    default: break;
    }
    return out;
}

static uint32_t
add_column(Optimiser *o, Plan *plan, Str name)
{
    uint32_t count = plan->schema.count;
    Column *columns = ARENA_ARRAY(o->arena, Column, count + 1);
    memcpy(columns, plan->schema.columns, count * sizeof(Column));
    columns[count] = (Column){.name = name, .type = TYPE_DYNAMIC};
    plan->schema = (Schema){columns, count + 1};
    return count;
}

static uint32_t
scan_add(Optimiser *o, Plan *scan, const Wanted *wanted)
{
    if (!path_source_is(scan->scan.source))
        scan->scan.source = path_source_new(o->arena, scan->scan.source);
    TableSource *source = scan->scan.source;
    uint32_t from =
        path_source_column(o->arena, source, scan->scan.columns[wanted->column], wanted->path);
    for (uint32_t c = 0; c < scan->schema.count; c++)
        if (scan->scan.columns[c] == from)
            return c;
    uint32_t at = add_column(o, scan, source->schema.columns[from].name);
    uint32_t *columns = ARENA_ARRAY(o->arena, uint32_t, at + 1);
    memcpy(columns, scan->scan.columns, at * sizeof(uint32_t));
    columns[at] = from;
    scan->scan.columns = columns;
    return at;
}

static uint32_t read_path(Optimiser *o, Plan *plan, const Wanted *wanted);

static uint32_t
project_add(Optimiser *o, Plan *project, const Wanted *wanted)
{
    Wanted below;
    wanted_below(o->arena, project->project.exprs[wanted->column], wanted, &below);
    uint32_t from = read_path(o, project->input, &below);
    Expr **exprs = project->project.exprs;
    for (uint32_t c = 0; c < project->schema.count; c++)
        if (exprs[c]->kind == EXPR_COLUMN && exprs[c]->column == from)
            return c;
    uint32_t at = add_column(o, project, project->input->schema.columns[from].name);
    project->project.exprs = ARENA_ARRAY(o->arena, Expr *, at + 1);
    memcpy(project->project.exprs, exprs, at * sizeof(Expr *));
    project->project.exprs[at] = expr_column(o->arena, from, TYPE_DYNAMIC, wanted->span);
    return at;
}

static uint32_t
union_add(Optimiser *o, Plan *plan, const Wanted *wanted)
{
    Str name = plan->schema.columns[wanted->column].name;
    uint32_t at = add_column(o, plan, name);
    for (uint32_t i = 0; i < plan->union_.count; i++) {
        int32_t *columns = ARENA_ARRAY(o->arena, int32_t, at + 1);
        memcpy(columns, plan->union_.columns[i], at * sizeof(int32_t));
        Wanted below = *wanted;
        below.column = (uint32_t)columns[wanted->column];
        columns[at] = columns[wanted->column] < 0
                          ? -1
                          : (int32_t)read_path(o, plan->union_.inputs[i], &below);
        plan->union_.columns[i] = columns;
    }
    return at;
}

static uint32_t
join_add(Optimiser *o, Plan *join, const Wanted *wanted)
{
    struct JoinColumn *columns = join->join.columns, *from = &columns[wanted->column];
    Wanted below = *wanted;
    below.column = from->column;
    Plan *side = join_side(join, wanted->column);
    uint32_t read = read_path(o, side, &below), at = join->schema.count;
    for (uint32_t c = 0; c < at; c++)
        if (columns[c].from_right == from->from_right && columns[c].column == read)
            return c;
    join->join.columns = ARENA_ARRAY(o->arena, struct JoinColumn, at + 1);
    memcpy(join->join.columns, columns, at * sizeof(*columns));
    join->join.columns[at] = (struct JoinColumn){from->from_right, read};
    return add_column(o, join, side->schema.columns[read].name);
}

// The column of the plan, its own, that holds what is wanted: can_read() said yes.
static uint32_t
read_path(Optimiser *o, Plan *plan, const Wanted *wanted)
{
    switch (plan->kind) {
    case PLAN_SCAN: return scan_add(o, plan, wanted);
    case PLAN_PROJECT: return project_add(o, plan, wanted);
    case PLAN_JOIN: return join_add(o, plan, wanted);
    case PLAN_UNION: return union_add(o, plan, wanted);
    default: break;
    }
    uint32_t at = read_path(o, plan->input, wanted);
    plan->schema = plan->input->schema;
    return at;
}

// ---- expressions ----

typedef struct Rewriting {
    Optimiser *o;
    Plan **input; // of the plan whose expressions they are
    bool owned;   // it is a copy
} Rewriting;

static Expr *rewrite(Rewriting *r, Expr *expr);

static Expr *
rewrite_args(Rewriting *r, Expr *expr)
{
    Expr **args = NULL;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        Expr *arg = rewrite(r, expr->args[i]);
        if (arg == expr->args[i])
            continue;
        if (!args) {
            args = ARENA_ARRAY(r->o->arena, Expr *, expr->arg_count);
            memcpy(args, expr->args, expr->arg_count * sizeof(Expr *));
        }
        args[i] = arg;
    }
    if (!args)
        return expr;
    Expr *out = ARENA_NEW(r->o->arena, Expr);
    *out = *expr;
    out->args = args;
    return out;
}

static Expr *
rewrite(Rewriting *r, Expr *expr)
{
    Wanted wanted;
    uint32_t steps;
    if (expr->kind != EXPR_CALL)
        return expr;
    if (!wanted_of(r->o->arena, expr, &wanted, &steps) || !can_read(r->o, *r->input, &wanted))
        return rewrite_args(r, expr);
    if (!r->owned)
        *r->input = own_input(r->o, *r->input);
    r->owned = true;
    uint32_t at = read_path(r->o, *r->input, &wanted);
    Expr *column = expr_column(r->o->arena, at, TYPE_DYNAMIC, expr->span);
    if (steps + 1 == expr->arg_count)
        return column;
    // x.a[0]: the steps that are left, of the column.
    Expr *rest = ARENA_NEW(r->o->arena, Expr);
    *rest = *expr;
    rest->arg_count = expr->arg_count - steps;
    rest->args = ARENA_ARRAY(r->o->arena, Expr *, rest->arg_count);
    rest->args[0] = column;
    for (uint32_t i = 1; i < rest->arg_count; i++)
        rest->args[i] = rewrite(r, expr->args[i + steps]);
    return rest;
}

static Expr **
rewrite_list(Rewriting *r, Expr *const *exprs, uint32_t count)
{
    Expr **out = ARENA_ARRAY(r->o->arena, Expr *, count + 1);
    for (uint32_t i = 0; i < count; i++)
        out[i] = rewrite(r, exprs[i]);
    return out;
}

static AggregateCall *
rewrite_aggregates(Rewriting *r, const AggregateCall *calls, uint32_t count)
{
    AggregateCall *out = ARENA_ARRAY(r->o->arena, AggregateCall, count + 1);
    for (uint32_t a = 0; a < count; a++) {
        out[a] = calls[a];
        out[a].args = rewrite_list(r, calls[a].args, calls[a].arg_count);
        if (calls[a].filter)
            out[a].filter = rewrite(r, calls[a].filter);
    }
    return out;
}

static void
rewrite_sort(Rewriting *r, Plan *plan)
{
    SortKey *keys = ARENA_ARRAY(r->o->arena, SortKey, plan->sort.key_count + 1);
    for (uint32_t k = 0; k < plan->sort.key_count; k++) {
        keys[k] = plan->sort.keys[k];
        keys[k].expr = rewrite(r, keys[k].expr);
    }
    plan->sort.keys = keys;
}

static void
rewrite_mv_expand(Rewriting *r, Plan *plan)
{
    MvExpandItem *items = ARENA_ARRAY(r->o->arena, MvExpandItem, plan->mv_expand.item_count + 1);
    for (uint32_t i = 0; i < plan->mv_expand.item_count; i++) {
        items[i] = plan->mv_expand.items[i];
        items[i].expr = rewrite(r, items[i].expr);
    }
    plan->mv_expand.items = items;
}

// The columns it had; what stands behind them was only read by itself.
static Plan *
without_added(Optimiser *o, Plan *plan, const Schema *schema)
{
    Plan *out = plan_copy(o, plan);
    out->kind = PLAN_PROJECT;
    out->schema = *schema;
    out->input = plan;
    out->project.exprs = ARENA_ARRAY(o->arena, Expr *, schema->count + 1);
    for (uint32_t c = 0; c < schema->count; c++)
        out->project.exprs[c] = expr_column(o->arena, c, schema->columns[c].type, plan->span);
    return out;
}

// The operator with its paths read from columns of its input.
static Plan *
operator_paths(Optimiser *o, Plan *plan)
{
    Rewriting r = {o, &plan->input, false}, right = {o, &plan->join.right, false};
    Schema schema = plan->schema;
    switch (plan->kind) {
    case PLAN_FILTER: plan->filter.predicate = rewrite(&r, plan->filter.predicate); break;
    case PLAN_PROJECT:
        plan->project.exprs = rewrite_list(&r, plan->project.exprs, schema.count);
        break;
    case PLAN_SUMMARIZE:
        plan->summarize.keys = rewrite_list(&r, plan->summarize.keys, plan->summarize.key_count);
        plan->summarize.aggregates =
            rewrite_aggregates(&r, plan->summarize.aggregates, plan->summarize.aggregate_count);
        break;
    case PLAN_SORT: rewrite_sort(&r, plan); break;
    case PLAN_MV_EXPAND: rewrite_mv_expand(&r, plan); break;
    case PLAN_MAKE_SERIES:
        plan->make_series.keys =
            rewrite_list(&r, plan->make_series.keys, plan->make_series.key_count);
        plan->make_series.axis = rewrite(&r, plan->make_series.axis);
        plan->make_series.aggregates =
            rewrite_aggregates(&r, plan->make_series.aggregates, plan->make_series.aggregate_count);
        break;
    case PLAN_JOIN:
        plan->join.left_keys = rewrite_list(&r, plan->join.left_keys, plan->join.key_count);
        plan->join.right_keys = rewrite_list(&right, plan->join.right_keys, plan->join.key_count);
        break;
    default: break;
    }
    bool passes = plan->kind == PLAN_FILTER || plan->kind == PLAN_SORT;
    if (!r.owned || !passes)
        return plan;
    plan->schema = plan->input->schema;
    return without_added(o, plan, &schema);
}

Plan *
plan_paths(Optimiser *o, const Plan *plan)
{
    Plan *out = plan_copy(o, plan);
    Plan *top = out->input ? operator_paths(o, out) : out;
    if (out->input)
        out->input = plan_paths(o, out->input);
    if (out->kind == PLAN_JOIN)
        out->join.right = plan_paths(o, out->join.right);
    if (out->kind == PLAN_UNION) {
        Plan **inputs = ARENA_ARRAY(o->arena, Plan *, out->union_.count);
        for (uint32_t i = 0; i < out->union_.count; i++)
            inputs[i] = plan_paths(o, out->union_.inputs[i]);
        out->union_.inputs = inputs;
    }
    return top;
}
