// top-nested: the best values of a key, within each those of the next key, and so on.
//
// The keys of all levels become columns of the input. The aggregate of a level is a
// summarize over a leaf (the rows that are left, with the number of their group in the
// level above), by that number and the level's key; `with others` needs it once more by
// the number alone, over the rows whose key is not among the best.

#include "kql/bind_state.h"

// Names that cannot be written: the query's own columns stay what is meant.
#define GROUP_NAME     "\x01group"
#define AGGREGATE_NAME "\x01aggregate"

static AstItem
name_item(Binder *b, Str name, Span span)
{
    AstExpr *expr = ARENA_NEW(b->arena, AstExpr);
    *expr = (AstExpr){.kind = AST_NAME, .span = span, .name = {name, span}};
    return (AstItem){.expr = expr, .span = span};
}

// summarize aggregate by group [, key]
static Plan *
level_summary(Binder *b, Plan *leaf, const AstNestedLevel *level, const Str *key)
{
    Span span = level->by.span;
    AstName *name = ARENA_NEW(b->arena, AstName);
    *name = (AstName){STR(AGGREGATE_NAME), span};
    AstItem aggregate = {.names = name, .name_count = 1, .expr = level->by.expr, .span = span};
    AstOperator step = {.name = STR("summarize"), .span = span, .has_by = true};
    ARRAY_PUSH(b->arena, &step.items, aggregate);
    ARRAY_PUSH(b->arena, &step.by, name_item(b, STR(GROUP_NAME), span));
    if (key)
        ARRAY_PUSH(b->arena, &step.by, name_item(b, *key, level->key.span));
    Plan *plan = bind_summarize(b, leaf, &step);
    if (plan && plan->schema.count != (key ? 3u : 2u)) {
        bind_fail(b, span, "the aggregate of top-nested yields one value, as sum(x) does");
        return NULL;
    }
    return plan;
}

static bool
bind_level(Binder *b, Plan *leaf, const AstNestedLevel *ast, Str key, NestedLevel *out)
{
    Type type = leaf->schema.columns[out->key].type;
    out->ascending = !ast->by.descending;
    out->count = -1;
    if (ast->count && !bind_count(b, ast->count, "the number of values of top-nested", &out->count))
        return false;
    out->ranked = level_summary(b, leaf, ast, &key);
    if (!out->ranked)
        return false;
    if (!ast->others)
        return true;
    out->rest = level_summary(b, leaf, ast, NULL);
    out->others = bind_constant(b, ast->others, type, "the name of the others");
    if (out->others && out->others->kind != EXPR_CONST)
        return bind_fail(b, ast->others->span, "the name of the others must be a constant");
    return out->rest && out->others;
}

// The input with the key of each level behind its columns.
static Plan *
input_with_keys(Binder *b, Plan *input, const AstOperator *step, ColumnNamer *out_names)
{
    Row row = row_of(input);
    uint32_t count = input->schema.count, levels = (uint32_t)step->levels.len;
    Schema schema = {ARENA_ARRAY(b->arena, Column, count + levels), count + levels};
    Expr **exprs = ARENA_ARRAY(b->arena, Expr *, schema.count);
    for (uint32_t c = 0; c < count; c++) {
        schema.columns[c] = input->schema.columns[c];
        exprs[c] = expr_column(b->arena, c, schema.columns[c].type, step->span);
    }
    for (uint32_t l = 0; l < levels; l++) {
        const AstItem *item = &step->levels.items[l].key;
        Expr *key = bind_expression(b, item->expr, &row);
        if (!key)
            return NULL;
        if (key->type == TYPE_DYNAMIC) {
            bind_fail(b, item->span,
                      "rows cannot be grouped by a dynamic: convert it first, for example with "
                      "tostring()");
            return NULL;
        }
        exprs[count + l] = key;
        schema.columns[count + l] = (Column){str_format(b->arena, "\x01key%u", l), key->type};
        const AstName *name = item->name_count ? &item->names[0] : NULL;
        if (!namer_add(b, out_names, name, default_name(b, item->expr), key->type))
            return NULL;
        // The aggregate's type is filled in when it is known.
        const AstItem *by = &step->levels.items[l].by;
        Str about = out_names->items[out_names->len - 1].name;
        Str fallback = str_format(b->arena, "aggregated_%.*s", STR_ARG(about));
        if (!namer_add(b, out_names, by->name_count ? &by->names[0] : NULL, fallback, TYPE_LONG))
            return NULL;
    }
    return bind_projection(b, input, schema, exprs, row.uses_window, step->span);
}

Plan *
bind_top_nested(Binder *b, Plan *input, const AstOperator *step)
{
    ColumnNamer names = {.arena = b->arena};
    Plan *rows = input_with_keys(b, input, step, &names);
    if (!rows)
        return NULL;
    uint32_t columns = rows->schema.count;
    Schema schema = {ARENA_ARRAY(b->arena, Column, columns + 1), columns + 1};
    memcpy(schema.columns, rows->schema.columns, columns * sizeof(Column));
    schema.columns[columns] = (Column){STR(GROUP_NAME), TYPE_LONG};
    Plan *leaf = bind_leaf(b, rows, &schema, step->span);
    Plan *plan = leaf ? bind_plan(b, PLAN_TOP_NESTED, step->span) : NULL;
    if (!plan)
        return NULL;
    plan->input = rows;
    plan->serialized = true; // best first
    plan->top_nested.leaf = leaf->correlated.leaf;
    plan->top_nested.level_count = (uint32_t)step->levels.len;
    plan->top_nested.levels = ARENA_ARRAY(b->arena, NestedLevel, step->levels.len);
    for (uint32_t l = 0; l < step->levels.len; l++) {
        NestedLevel *level = &plan->top_nested.levels[l];
        level->key = input->schema.count + l;
        if (!bind_level(b, leaf, &step->levels.items[l], schema.columns[level->key].name, level))
            return NULL;
        names.items[2 * l + 1].type = level->ranked->schema.columns[2].type;
    }
    plan->schema = namer_schema(&names);
    return plan;
}
