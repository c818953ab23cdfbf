// where and the family of project: what each output column is.

#include "kql/bind_state.h"

#include <fnmatch.h>

static Plan *
filter_plan(Binder *b, Plan *input, Expr *predicate, Span span)
{
    Plan *plan = input ? bind_over(b, PLAN_FILTER, input, span) : NULL;
    if (plan)
        plan->filter.predicate = predicate;
    return plan;
}

// The expression with each column replaced by what `plan` makes it of; NULL when
// it is not a column there, or must not run twice.
static Expr *
lower(Binder *b, const Plan *plan, const Expr *expr)
{
    if (expr->kind == EXPR_COLUMN) {
        uint32_t column = expr->column;
        if (plan->kind == PLAN_PROJECT)
            return plan->project.exprs[column]->kind == EXPR_COLUMN ? plan->project.exprs[column]
                                                                    : NULL;
        return plan->join.columns[column].from_right
                   ? NULL
                   : expr_column(b->arena, plan->join.columns[column].column, expr->type,
                                 expr->span);
    }
    if (expr->kind != EXPR_CALL)
        return (Expr *)(uintptr_t)expr;
    if (expr->fn->flags & FN_VOLATILE)
        return NULL;
    Expr *copy = ARENA_NEW(b->arena, Expr);
    *copy = *expr;
    copy->args = ARENA_ARRAY(b->arena, Expr *, expr->arg_count);
    for (uint32_t i = 0; i < expr->arg_count; i++)
        if (!(copy->args[i] = lower(b, plan, expr->args[i])))
            return NULL;
    return copy;
}

// `plan` with the condition as one more filter on the left side of the innerunique join
// below it; `plan` itself when there is none or the condition needs more than that side.
// NULL with an error.
static Plan *
sink_condition(Binder *b, Plan *plan, const Expr *condition, Span span)
{
    bool join = plan->kind == PLAN_JOIN && plan->join.kind == JOIN_INNERUNIQUE;
    Plan *input = plan->input;
    Expr *below = (Expr *)(uintptr_t)condition;
    if (join || plan->kind == PLAN_PROJECT)
        below = lower(b, plan, condition);
    else if (plan->kind != PLAN_FILTER)
        return plan;
    if (!below)
        return plan;
    input = join ? filter_plan(b, input, below, span) : sink_condition(b, input, below, span);
    if (!input || input == plan->input)
        return input ? plan : NULL;
    Plan *copy = ARENA_NEW(b->arena, Plan);
    *copy = *plan;
    copy->input = input;
    return copy;
}

// innerunique takes one row a key of the left side, and which one shows: a condition
// behind the join is one on its left side first, so that a row that meets it is the one
// that is taken (Kusto docs, innerunique join).
static Plan *
filter_left(Binder *b, Plan *input, const Expr *predicate, Span span)
{
    if (predicate->kind != EXPR_CALL || strcmp(predicate->fn->name, "and") != 0)
        return sink_condition(b, input, predicate, span);
    input = filter_left(b, input, predicate->args[0], span);
    return input ? filter_left(b, input, predicate->args[1], span) : NULL;
}

Plan *
bind_where(Binder *b, Plan *input, const AstOperator *step)
{
    Row row = row_of(input);
    Expr *predicate = step->as.text.len ? bind_expression(b, step->expr, &row)
                                        : bind_predicate(b, step->expr, &row);
    if (predicate && predicate->type != TYPE_BOOL) {
        bind_fail(b, step->as.span, "'=' gives a name to a value; to compare, write '=='");
        return NULL;
    }
    if (!predicate)
        return NULL;
    // `where a = true`: the grammar reads a name and a value, and the value is what counts.
    if (step->as.text.len)
        bind_warn(b, step->as.span,
                  "'=' gives the value a name; to compare '%.*s' with it, write '=='",
                  STR_ARG(step->as.text));
    if (row.uses_window) {
        // The window's value becomes a column, is tested, and goes.
        uint32_t count = input->schema.count;
        Schema schema = {ARENA_ARRAY(b->arena, Column, count + 1), count + 1};
        Expr **exprs = ARENA_ARRAY(b->arena, Expr *, count + 1);
        for (uint32_t i = 0; i < count; i++) {
            schema.columns[i] = input->schema.columns[i];
            exprs[i] = expr_column(b->arena, i, schema.columns[i].type, step->span);
        }
        schema.columns[count] = (Column){STR("$window"), TYPE_BOOL};
        exprs[count] = predicate;
        Plan *window = bind_projection(b, input, schema, exprs, true, step->span);
        Plan *filter = window ? bind_plan(b, PLAN_FILTER, step->span) : NULL;
        if (!filter)
            return NULL;
        filter->input = window;
        filter->schema = window->schema;
        filter->serialized = true;
        filter->filter.predicate = expr_column(b->arena, count, TYPE_BOOL, step->span);
        schema.count = count;
        return bind_projection(b, filter, schema, exprs, false, step->span);
    }
    return filter_plan(b, filter_left(b, input, predicate, step->span), predicate, step->span);
}

Plan *
bind_projection(Binder *b, Plan *input, Schema schema, Expr **exprs, bool window, Span span)
{
    Plan *plan = bind_plan(b, window ? PLAN_WINDOW : PLAN_PROJECT, span);
    if (!plan)
        return NULL;
    plan->input = input;
    plan->schema = schema;
    plan->serialized = input->serialized;
    if (window)
        plan->window.exprs = exprs;
    else
        plan->project.exprs = exprs;
    return plan;
}

// The output of a list of items, as it grows.
typedef struct Projection {
    ColumnNamer namer;
    Expr **items;
    size_t len, cap;
} Projection;

static void
projection_push(Binder *b, Projection *projection, Expr *expr)
{
    ARRAY_PUSH(b->arena, projection, expr);
}

static Expr *
input_column(Binder *b, const Plan *input, uint32_t at, Span span)
{
    return expr_column(b->arena, at, input->schema.columns[at].type, span);
}

// The name of a column that an item does not name: column_ifexists() gives that of the
// column it found.
static Str
unnamed_column(Binder *b, const Plan *input, const AstExpr *ast, const Expr *expr)
{
    bool chosen = ast->kind == AST_CALL && expr->kind == EXPR_COLUMN &&
                  str_starts(ast->name.text, STR("column")) &&
                  str_ends(ast->name.text, STR("ifexists"));
    return chosen ? input->schema.columns[expr->column].name : default_name(b, ast);
}

// The columns of one item of project.
static bool
project_item(Binder *b, const Plan *input, const AstOperator *step, size_t at, Row *row,
             TupleStage *stage, Projection *out)
{
    const AstItem *item = &step->items.items[at];
    if (item->expr->kind == AST_STAR && !item->name_count) {
        for (uint32_t c = 0; c < input->schema.count; c++) {
            projection_push(b, out, input_column(b, input, c, item->span));
            namer_add_auto(&out->namer, input->schema.columns[c].name,
                           input->schema.columns[c].type);
        }
        return true;
    }
    Expr *expr = bind_expression(b, item->expr, row);
    TupleColumns columns;
    if (!expr || !tuple_expand(b, item, expr, stage, &columns))
        return false;
    for (uint32_t n = 0; n < columns.count; n++) {
        const AstName *name = n < item->name_count ? &item->names[n] : NULL;
        Str fallback = expr->tuple ? columns.names[n] : unnamed_column(b, input, item->expr, expr);
        // A plain column repeated is an error, a computed name that clashes is not.
        if (!name && item->expr->kind == AST_NAME)
            name = &item->expr->name;
        if (!namer_add(b, &out->namer, name, fallback, columns.exprs[n]->type))
            return false;
        projection_push(b, out, columns.exprs[n]);
    }
    return true;
}

// Whether an item before number `at` of extend declares the name.
static bool
is_declared_before(const AstOperator *step, size_t at, Str name)
{
    for (size_t i = 0; i < at; i++)
        for (size_t n = 0; n < step->items.items[i].name_count; n++)
            if (str_equal(step->items.items[i].names[n].text, name))
                return true;
    return false;
}

// The columns of one item of extend: a name that exists is replaced in its place, a new one
// comes behind. No name can be declared twice.
static bool
extend_item(Binder *b, const Plan *input, const AstOperator *step, size_t at, Row *row,
            TupleStage *stage, Projection *out)
{
    const AstItem *item = &step->items.items[at];
    Expr *whole = bind_expression(b, item->expr, row);
    TupleColumns columns;
    if (!whole || !tuple_expand(b, item, whole, stage, &columns))
        return false;
    for (uint32_t n = 0; n < columns.count; n++) {
        Expr *expr = columns.exprs[n];
        bool named = n < item->name_count;
        if (named && is_declared_before(step, at, item->names[n].text))
            return bind_fail(b, item->names[n].span, "a column named '%.*s' is already declared",
                             STR_ARG(item->names[n].text));
        Str fallback = named          ? item->names[n].text
                       : whole->tuple ? columns.names[n]
                                      : unnamed_column(b, input, item->expr, whole);
        Schema now = namer_schema(&out->namer);
        bool replaces = named || item->expr->kind == AST_NAME;
        ptrdiff_t place = fallback.len && replaces ? schema_find(&now, fallback) : -1;
        if (place >= 0) {
            out->namer.items[place].type = expr->type;
            out->items[place] = expr;
            continue;
        }
        if (!namer_add(b, &out->namer, NULL, fallback, expr->type))
            return false;
        projection_push(b, out, expr);
    }
    return true;
}

typedef bool (*ItemBinder)(Binder *b, const Plan *input, const AstOperator *step, size_t at,
                           Row *row, TupleStage *stage, Projection *out);

// All items of project or extend, also behind one that fails.
static Plan *
project_items(Binder *b, Plan *input, const AstOperator *step, Projection *out, ItemBinder bind)
{
    Row row = row_of(input);
    TupleStage stage = {.first = input->schema.count};
    bool again = false;
    for (size_t i = 0; i < step->items.len; i++) {
        if (bind(b, input, step, i, &row, &stage, out))
            continue;
        if (!bind_recover(b))
            return NULL;
        again = true;
    }
    if (again) {
        bind_again(b);
        return NULL;
    }
    input = tuple_stage_plan(b, input, &stage, row.uses_window, step->span);
    if (!input)
        return NULL;
    return bind_projection(b, input, namer_schema(&out->namer), out->items, row.uses_window,
                           step->span);
}

Plan *
bind_project(Binder *b, Plan *input, const AstOperator *step)
{
    Projection out = {.namer = {.arena = b->arena}};
    return project_items(b, input, step, &out, project_item);
}

Plan *
bind_extend(Binder *b, Plan *input, const AstOperator *step)
{
    Projection out = {.namer = {.arena = b->arena}};
    for (uint32_t c = 0; c < input->schema.count; c++) {
        ARRAY_PUSH(b->arena, &out.namer, input->schema.columns[c]);
        projection_push(b, &out, input_column(b, input, c, step->span));
    }
    return project_items(b, input, step, &out, extend_item);
}

// ---- projections by name ----

bool
name_matches(Binder *b, Str pattern, Str name, bool ignore_case)
{
    return fnmatch(str_cstr(b->arena, pattern), str_cstr(b->arena, name),
                   FNM_NOESCAPE | (ignore_case ? FNM_CASEFOLD : 0)) == 0;
}

// Whether a column is meant by an item: its name, or a pattern with stars.
static bool
item_means(Binder *b, const AstItem *item, Str column, bool ignore_case)
{
    const AstExpr *expr = item->expr;
    if (expr->kind == AST_STAR)
        return true;
    if (expr->kind == AST_WILDCARD)
        return name_matches(b, expr->name.text, column, ignore_case);
    return expr->kind == AST_NAME && (ignore_case ? str_equal_ci(expr->name.text, column)
                                                  : str_equal(expr->name.text, column));
}

static bool
check_names(Binder *b, const Plan *input, const AstOperator *step)
{
    bool ignore_case = plan_ignores_case(input);
    for (size_t i = 0; i < step->items.len; i++) {
        const AstItem *item = &step->items.items[i];
        bool pattern = item->expr->kind == AST_WILDCARD;
        bool found = (item->expr->kind != AST_NAME || input->open) && !pattern;
        for (uint32_t c = 0; c < input->schema.count && !found; c++)
            found = item_means(b, item, input->schema.columns[c].name, ignore_case);
        if (!found && pattern && !b->doubtful && !input->absent && !input->open)
            return bind_fail(b, item->span, "no column matches '%.*s'",
                             STR_ARG(item->expr->name.text));
        if (!found && !pattern) {
            Row row = row_of(input);
            Scope *scope = b->scope;
            b->scope = NULL; // only columns can be meant
            bind_expression(b, item->expr, &row);
            b->scope = scope;
            return false;
        }
    }
    return true;
}

static Plan *
project_subset(Binder *b, Plan *input, const AstOperator *step, bool keep)
{
    if (!check_names(b, input, step))
        return NULL;
    bool ignore_case = plan_ignores_case(input);
    Projection out = {.namer = {.arena = b->arena}};
    for (uint32_t c = 0; c < input->schema.count; c++) {
        bool meant = false;
        for (size_t i = 0; i < step->items.len && !meant; i++)
            meant =
                item_means(b, &step->items.items[i], input->schema.columns[c].name, ignore_case);
        if (meant != keep)
            continue;
        ARRAY_PUSH(b->arena, &out.namer, input->schema.columns[c]);
        projection_push(b, &out, input_column(b, input, c, step->span));
    }
    return bind_projection(b, input, namer_schema(&out.namer), out.items, false, step->span);
}

Plan *
bind_project_away(Binder *b, Plan *input, const AstOperator *step)
{
    return project_subset(b, input, step, false);
}

Plan *
bind_project_keep(Binder *b, Plan *input, const AstOperator *step)
{
    return project_subset(b, input, step, true);
}

Plan *
bind_project_rename(Binder *b, Plan *input, const AstOperator *step)
{
    Row row = row_of(input);
    uint32_t count = input->schema.count;
    Schema schema = {ARENA_ARRAY(b->arena, Column, count), count};
    Expr **exprs = ARENA_ARRAY(b->arena, Expr *, count);
    for (uint32_t c = 0; c < count; c++) {
        schema.columns[c] = input->schema.columns[c];
        exprs[c] = input_column(b, input, c, step->span);
    }
    for (size_t i = 0; i < step->items.len; i++) {
        const AstItem *item = &step->items.items[i];
        Expr *column = bind_expression(b, item->expr, &row);
        if (!column)
            return NULL;
        if (item->name_count && column->kind == EXPR_CONST && input->open)
            continue; // the new name reads as the old one would
        if (!item->name_count || column->kind != EXPR_COLUMN) {
            bind_fail(b, item->span, "project-rename takes new_name = column");
            return NULL;
        }
        schema.columns[column->column].name = item->names[0].text;
    }
    for (uint32_t c = 0; c < count; c++) {
        Schema before = {schema.columns, c};
        if (schema_find(&before, schema.columns[c].name) >= 0) {
            bind_fail(b, step->span, "a column named '%.*s' is already declared",
                      STR_ARG(schema.columns[c].name));
            return NULL;
        }
    }
    return bind_projection(b, input, schema, exprs, false, step->span);
}

static int
column_order(const void *a, const void *b)
{
    return str_compare_ci(((const Column *)a)->name, ((const Column *)b)->name);
}

// project-reorder: the columns meant by each item in turn, then the rest in table order.
Plan *
bind_project_reorder(Binder *b, Plan *input, const AstOperator *step)
{
    if (!check_names(b, input, step))
        return NULL;
    uint32_t count = input->schema.count, placed = 0;
    bool ignore_case = plan_ignores_case(input);
    bool *used = ARENA_ARRAY(b->arena, bool, count);
    Schema schema = {ARENA_ARRAY(b->arena, Column, count), count};
    for (size_t i = 0; i <= step->items.len; i++) {
        uint32_t first = placed;
        const AstItem *item = i < step->items.len ? &step->items.items[i] : NULL;
        for (uint32_t c = 0; c < count; c++) {
            if (used[c] ||
                (item && !item_means(b, item, input->schema.columns[c].name, ignore_case)))
                continue;
            used[c] = true;
            schema.columns[placed++] = input->schema.columns[c];
        }
        if (item && item->has_order) {
            qsort(schema.columns + first, placed - first, sizeof(Column), column_order);
            for (uint32_t l = first, r = placed; item->descending && l + 1 < r; l++, r--) {
                Column swap = schema.columns[l];
                schema.columns[l] = schema.columns[r - 1];
                schema.columns[r - 1] = swap;
            }
        }
    }
    Expr **exprs = ARENA_ARRAY(b->arena, Expr *, count);
    for (uint32_t c = 0; c < count; c++) {
        ptrdiff_t at = schema_find(&input->schema, schema.columns[c].name);
        exprs[c] = input_column(b, input, (uint32_t)at, step->span);
    }
    return bind_projection(b, input, schema, exprs, false, step->span);
}
