// find: rows of many tables that meet a condition.
//
// Each table that has a column of the condition becomes a filter and a projection, and
// all of them a union. A test of a column that a table lacks is null there, so that
// `a == 1 or b == 2` finds rows of tables that have either. Columns that are not shown
// by themselves are packed into a bag.

#include "kql/bind_state.h"

typedef struct ColumnRefs {
    Str *items;
    size_t len, cap;
} ColumnRefs;

typedef struct Find {
    Binder *b;
    const AstOperator *step;
    AstExpr *condition;
    UnionInputs tables;
    ColumnRefs refs; // columns of the condition
    bool any_column; // it looks at all columns: * has "x"
} Find;

static bool
refs_hold(const ColumnRefs *refs, Str name)
{
    for (size_t i = 0; i < refs->len; i++)
        if (str_equal(refs->items[i], name))
            return true;
    return false;
}

static bool
some_table_has(const Find *find, Str name)
{
    for (size_t t = 0; t < find->tables.len; t++)
        if (schema_find(&find->tables.items[t]->schema, name) >= 0)
            return true;
    return false;
}

static void
collect_refs(Find *find, const AstExpr *ast, ColumnRefs *out)
{
    if (!ast)
        return;
    if (ast->kind == AST_STAR)
        find->any_column = true;
    if (ast->kind == AST_NAME && some_table_has(find, ast->name.text) &&
        !refs_hold(out, ast->name.text))
        ARRAY_PUSH(find->b->arena, out, ast->name.text);
    collect_refs(find, ast->base, out);
    if (ast->kind == AST_INDEX)
        collect_refs(find, ast->index, out);
    for (size_t i = 0; i < ast->args.len; i++)
        collect_refs(find, ast->args.items[i], out);
}

// ---- tables ----

static bool
collect_tables(Find *find, Plan *input)
{
    Binder *b = find->b;
    const AstItemList *items = &find->step->items;
    if (input)
        union_add(b, &find->tables, input,
                  input->kind == PLAN_SCAN ? input->scan.table : STR("find_arg0"));
    for (size_t i = 0; i < items->len; i++)
        if (!union_add_listed(b, &find->tables, items->items[i].expr, false, i, "find_arg"))
            return false;
    if (!input && !items->len && !union_add_all(b, &find->tables, find->step->span))
        return false;
    if (!find->tables.len) {
        bind_warn(b, find->step->span,
                  "there is no table with rows to look through: import data first, or name "
                  "the tables with find in (...)");
        // Nothing to look through has no rows, but the condition is looked at.
        Plan *nothing = bind_plan(b, PLAN_VALUES, find->step->span);
        if (nothing) {
            AbsentColumns *absent = ARENA_NEW(b->arena, AbsentColumns);
            absent->database = true;
            nothing->absent = absent;
        }
        return union_add(b, &find->tables, nothing, STR("find_arg0"));
    }
    return true;
}

// Only tables that have a column of the condition are of interest.
static void
drop_strangers(Find *find)
{
    if (find->tables.len < 2 || find->any_column || !find->refs.len)
        return;
    size_t kept = 0;
    for (size_t t = 0; t < find->tables.len; t++) {
        bool has = false;
        for (size_t r = 0; r < find->refs.len && !has; r++)
            has = schema_find(&find->tables.items[t]->schema, find->refs.items[r]) >= 0;
        if (!has)
            continue;
        find->tables.items[kept] = find->tables.items[t];
        find->tables.names[kept++] = find->tables.names[t];
    }
    find->tables.len = kept;
}

// The condition for one table.
static AstExpr *
condition_for(Find *find, const AstExpr *ast, const Schema *schema)
{
    Arena *arena = find->b->arena;
    AstExpr *copy = ARENA_NEW(arena, AstExpr);
    *copy = *ast;
    bool logic = ast->kind == AST_BINARY &&
                 (str_equal(ast->op, STR("and")) || str_equal(ast->op, STR("or")));
    if (logic || (ast->kind == AST_CALL && str_equal(ast->name.text, STR("not")))) {
        if (logic)
            copy->base = condition_for(find, ast->base, schema);
        copy->args = (AstExprList){0};
        for (size_t i = 0; i < ast->args.len; i++)
            ARRAY_PUSH(arena, &copy->args, condition_for(find, ast->args.items[i], schema));
        return copy;
    }
    ColumnRefs refs = {0};
    collect_refs(find, ast, &refs);
    for (size_t r = 0; r < refs.len; r++)
        if (schema_find(schema, refs.items[r]) < 0)
            *copy =
                (AstExpr){.kind = AST_LITERAL, .span = ast->span, .value = value_null(TYPE_BOOL)};
    return copy;
}

// ---- columns ----

// Whether all tables have the column, with one type.
static bool
is_common(const Find *find, const Column *column)
{
    for (size_t t = 0; t < find->tables.len; t++) {
        const Schema *schema = &find->tables.items[t]->schema;
        ptrdiff_t at = schema_find(schema, column->name);
        if (at < 0 || schema->columns[at].type != column->type)
            return false;
    }
    return true;
}

typedef struct FindColumns {
    ColumnNamer namer;
    Expr **items;
    size_t len, cap;
    bool *shown; // of the table's columns
} FindColumns;

static void
show(Binder *b, FindColumns *out, Str name, Expr *expr)
{
    Column column = {name, expr->type};
    ARRAY_PUSH(b->arena, &out->namer, column);
    ARRAY_PUSH(b->arena, out, expr);
}

// The columns that are not shown, as a bag.
static bool
show_rest(Binder *b, FindColumns *out, const Row *row, Span span)
{
    uint32_t *rest = ARENA_ARRAY(b->arena, uint32_t, row->schema->count), count = 0;
    for (uint32_t c = 0; c < row->schema->count; c++)
        if (!out->shown[c])
            rest[count++] = c;
    Expr *bag = bag_of_columns(b, row, rest, count, span);
    if (!bag)
        return false;
    show(b, out, STR("pack_"), bag);
    return true;
}

static bool
has_rest(const Find *find)
{
    for (size_t t = 0; t < find->tables.len; t++) {
        const Schema *schema = &find->tables.items[t]->schema;
        for (uint32_t c = 0; c < schema->count; c++)
            if (!is_common(find, &schema->columns[c]) &&
                !refs_hold(&find->refs, schema->columns[c].name))
                return true;
    }
    return false;
}

// project-smart: what all tables have, then what the condition names, then the rest.
static bool
smart_columns(Find *find, const Row *row, FindColumns *out, bool pack)
{
    Binder *b = find->b;
    Span span = find->step->span;
    // Common columns in the order of the first table, whatever this table's is.
    const Schema *first = &find->tables.items[0]->schema;
    for (uint32_t c = 0; c < first->count; c++) {
        if (!is_common(find, &first->columns[c]))
            continue;
        ptrdiff_t at = schema_find(row->schema, first->columns[c].name);
        out->shown[at] = true;
        show(b, out, first->columns[c].name,
             expr_column(b->arena, (uint32_t)at, first->columns[c].type, span));
    }
    for (size_t r = 0; r < find->refs.len; r++) {
        ptrdiff_t at = schema_find(row->schema, find->refs.items[r]);
        if (at < 0 || out->shown[at])
            continue;
        out->shown[at] = true;
        show(b, out, find->refs.items[r],
             expr_column(b->arena, (uint32_t)at, row->schema->columns[at].type, span));
    }
    return !pack || show_rest(b, out, row, span);
}

// The type of a projected column: as written, or the one that all tables agree on.
static bool
projected_type(Find *find, const AstItem *item, Type *out)
{
    Str name = item->expr->name.text;
    *out = item->to_type;
    for (size_t t = 0; t < find->tables.len && item->to_type == TYPE_NONE; t++) {
        const Schema *schema = &find->tables.items[t]->schema;
        ptrdiff_t at = schema_find(schema, name);
        if (at < 0 || schema->columns[at].type == *out)
            continue;
        if (*out != TYPE_NONE)
            return bind_fail(find->b, item->span,
                             "'%.*s' is a %s in one table and a %s in another: write the type, "
                             "%.*s:%s",
                             STR_ARG(name), type_name(*out), type_name(schema->columns[at].type),
                             STR_ARG(name), type_name(*out));
        *out = schema->columns[at].type;
    }
    const AbsentColumns *absent = find->tables.items[0]->absent;
    if (*out == TYPE_NONE && absent) // tables without rows have it
        *out = absent_column_type(find->b, absent, name);
    return *out != TYPE_NONE ||
           bind_fail(find->b, item->span, "none of the tables has a column '%.*s'", STR_ARG(name));
}

static bool
is_pack(const AstExpr *ast)
{
    return ast->kind == AST_CALL &&
           (str_equal(ast->name.text, STR("pack_all")) || str_equal(ast->name.text, STR("pack")));
}

static bool
listed_columns(Find *find, const Row *row, FindColumns *out)
{
    Binder *b = find->b;
    const AstItemList *items = &find->step->project;
    for (size_t i = 0; i < items->len; i++) {
        const AstItem *item = &items->items[i];
        if (is_pack(item->expr)) {
            if (i + 1 < items->len)
                return bind_fail(b, item->span, "pack_all() must be the last column of find");
            return show_rest(b, out, row, item->span);
        }
        Type type;
        if (item->expr->kind != AST_NAME)
            return bind_fail(b, item->span, "find projects columns: name, name:type or pack_all()");
        if (!projected_type(find, item, &type))
            return false;
        ptrdiff_t at = schema_find(row->schema, item->expr->name.text);
        Value none = value_null(type);
        Expr *expr = expr_const(b->arena, &none, item->span);
        if (at >= 0) {
            out->shown[at] = true;
            expr = bind_convert(
                b, expr_column(b->arena, (uint32_t)at, row->schema->columns[at].type, item->span),
                type);
        }
        if (!expr)
            return false;
        show(b, out, item->expr->name.text, expr);
    }
    return true;
}

// One table: filtered, with the columns that are shown of it.
static Plan *
find_in(Find *find, Plan *table, bool pack)
{
    Binder *b = find->b;
    AstOperator where = {.name = STR("where"), .span = find->step->span};
    where.expr = condition_for(find, find->condition, &table->schema);
    Plan *rows = bind_where(b, table, &where);
    if (!rows)
        return NULL;
    Row row = row_of(rows);
    FindColumns out = {.namer = {.arena = b->arena}};
    out.shown = ARENA_ARRAY(b->arena, bool, rows->schema.count);
    bool done = find->step->project.len ? listed_columns(find, &row, &out)
                                        : smart_columns(find, &row, &out, pack);
    return done ? bind_projection(b, rows, namer_schema(&out.namer), out.items, false,
                                  find->step->span)
                : NULL;
}

// ---- the whole ----

// The bag comes last, behind the columns that only later tables have.
static Plan *
pack_last(Binder *b, Plan *plan, Span span)
{
    ptrdiff_t at = schema_find(&plan->schema, STR("pack_"));
    uint32_t count = plan->schema.count, placed = 0;
    if (at < 0 || (uint32_t)at + 1 == count)
        return plan;
    Schema schema = {ARENA_ARRAY(b->arena, Column, count), count};
    Expr **exprs = ARENA_ARRAY(b->arena, Expr *, count);
    for (uint32_t i = 0; i <= count; i++) {
        uint32_t c = i < count ? i : (uint32_t)at;
        if (i == (uint32_t)at)
            continue;
        schema.columns[placed] = plan->schema.columns[c];
        exprs[placed++] = expr_column(b->arena, c, plan->schema.columns[c].type, span);
    }
    return bind_projection(b, plan, schema, exprs, false, span);
}

// project-away * leaves the source and a bag that was asked for.
static Plan *
find_project_away(Find *find, Plan *plan, Str source)
{
    Binder *b = find->b;
    const AstItemList *away = &find->step->project_away;
    if (!away->len)
        return plan;
    AstOperator step = {.name = STR("project-away"), .span = find->step->span, .items = *away};
    if (away->items[0].expr->kind != AST_STAR)
        return bind_project_away(b, plan, &step);
    step.items = (AstItemList){0};
    const AstItemList *listed = &find->step->project;
    bool keeps_bag = listed->len && is_pack(listed->items[listed->len - 1].expr);
    for (uint32_t c = 0; c < plan->schema.count; c++) {
        Str name = plan->schema.columns[c].name;
        bool bag = keeps_bag && str_equal(name, STR("pack_"));
        if (!str_equal(name, source) && !bag)
            continue;
        AstExpr *expr = ARENA_NEW(b->arena, AstExpr);
        *expr = (AstExpr){.kind = AST_NAME, .span = step.span, .name = {name, step.span}};
        AstItem item = {.expr = expr, .span = step.span};
        ARRAY_PUSH(b->arena, &step.items, item);
    }
    return bind_project_keep(b, plan, &step);
}

Plan *
bind_find(Binder *b, Plan *input, const AstOperator *step)
{
    Find find = {.b = b, .step = step};
    find.condition = search_condition(b, step->expr, false);
    if (!collect_tables(&find, input))
        return NULL;
    collect_refs(&find, find.condition, &find.refs);
    drop_strangers(&find);
    bool pack = has_rest(&find);
    UnionInputs found = {0};
    for (size_t t = 0; t < find.tables.len; t++)
        if (!union_add(b, &found, find_in(&find, find.tables.items[t], pack), find.tables.names[t]))
            return NULL;
    const AstParam *named = operator_param(step, "withsource");
    if (!named)
        named = operator_param(step, "with_source");
    AstName source = {named ? named->text : STR("source_"), named ? named->span : step->span};
    Plan *plan = union_plan(b, &found, &source, false, step->span);
    plan = plan ? pack_last(b, plan, step->span) : NULL;
    return plan ? find_project_away(&find, plan, source.text) : NULL;
}
