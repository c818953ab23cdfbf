// Operators that change the shape of rows: mv-expand, mv-apply, parse.

#include "kql/bind_state.h"

// ---- mv-expand ----

// Output columns: the input's, with expanded ones in their place or new ones behind,
// then the index.
static bool
bind_items(Binder *b, Plan *input, const AstOperator *step, Row *row, Plan *plan,
           ColumnNamer *namer)
{
    for (uint32_t c = 0; c < input->schema.count; c++) {
        ARRAY_PUSH(b->arena, namer, input->schema.columns[c]);
        plan->mv_expand.carried[c] = c;
    }
    for (size_t i = 0; i < step->items.len; i++) {
        const AstItem *item = &step->items.items[i];
        Expr *expr = bind_expression(b, item->expr, row);
        if (!expr)
            return false;
        if (expr->type != TYPE_DYNAMIC)
            return bind_fail(b, item->expr->span,
                             "only a dynamic array or bag can be expanded, "
                             "not a %s",
                             type_name(expr->type));
        Type type = item->to_type == TYPE_NONE ? TYPE_DYNAMIC : item->to_type;
        Str name = item->name_count ? item->names[0].text : default_name(b, item->expr);
        Schema now = namer_schema(namer);
        ptrdiff_t at = name.len ? schema_find(&now, name) : -1;
        if (at < 0) {
            at = (ptrdiff_t)namer->len;
            if (!namer_add(b, namer, NULL, name, type))
                return false;
        } else {
            namer->items[at].type = type;
        }
        plan->mv_expand.carried[at] = UINT32_MAX;
        plan->mv_expand.items[i] = (MvExpandItem){(uint32_t)at, expr, type};
    }
    return true;
}

static bool
bind_limit(Binder *b, const AstOperator *step, int64_t fallback, int64_t *out)
{
    *out = fallback;
    if (!step->expr)
        return true;
    Expr *limit = bind_constant(b, step->expr, TYPE_LONG, "the limit of mv-expand");
    if (!limit || limit->kind != EXPR_CONST)
        return false;
    *out = limit->value.int64;
    return true;
}

Plan *
bind_mv_expand(Binder *b, Plan *input, const AstOperator *step)
{
    Plan *plan = bind_plan(b, PLAN_MV_EXPAND, step->span);
    if (!plan)
        return NULL;
    size_t most = (size_t)input->schema.count + step->items.len + 1;
    plan->input = input;
    plan->serialized = input->serialized;
    plan->mv_expand.items = ARENA_ARRAY(b->arena, MvExpandItem, step->items.len);
    plan->mv_expand.item_count = (uint32_t)step->items.len;
    plan->mv_expand.carried = ARENA_ARRAY(b->arena, uint32_t, most);
    ColumnNamer namer = {.arena = b->arena};
    Row row = row_of(input);
    if (!bind_items(b, input, step, &row, plan, &namer))
        return NULL;
    plan->mv_expand.index_column = -1;
    const AstParam *index = operator_param(step, "with_itemindex");
    if (index) {
        AstName name = {index->text, index->span};
        plan->mv_expand.carried[namer.len] = UINT32_MAX;
        plan->mv_expand.index_column = (ptrdiff_t)namer.len;
        if (!namer_add(b, &namer, &name, STR(""), TYPE_LONG))
            return NULL;
    }
    const AstParam *kind = operator_param(step, "kind");
    if (!kind)
        kind = operator_param(step, "bagexpansion");
    plan->mv_expand.bag_as_array = kind && str_equal_ci(kind->text, STR("array"));
    // The old spelling mvexpand stops at 128 rows a row.
    int64_t fallback = str_equal(step->name, STR("mvexpand")) ? 128 : -1;
    if (!bind_limit(b, step, fallback, &plan->mv_expand.row_limit))
        return NULL;
    plan->schema = namer_schema(&namer);
    return plan;
}

// ---- mv-apply ----

// The sub-query runs over the expanded rows of one input row; what it yields is joined
// to that row again. Columns of the same name are the sub-query's.
Plan *
bind_mv_apply(Binder *b, Plan *input, const AstOperator *step)
{
    Plan *expand = bind_mv_expand(b, input, step);
    Plan *leaf = expand ? bind_leaf(b, input, &expand->schema, step->span) : NULL;
    if (!leaf)
        return NULL;
    leaf->serialized = true;
    Plan *outer = b->implicit;
    b->implicit = leaf;
    Plan *sub = bind_table(b, step->body);
    b->implicit = outer;
    Plan *plan = sub ? bind_plan(b, PLAN_MV_APPLY, step->span) : NULL;
    if (!plan)
        return NULL;
    plan->input = input;
    plan->mv_apply.expand = expand;
    plan->mv_apply.subplan = sub;
    plan->mv_apply.leaf = leaf->correlated.leaf;
    // The sub-query's columns that are the input's own, unchanged, are not repeated.
    size_t most = (size_t)input->schema.count + sub->schema.count;
    plan->mv_apply.carried = ARENA_ARRAY(b->arena, uint32_t, most);
    plan->mv_apply.from_subplan = ARENA_ARRAY(b->arena, uint32_t, most);
    ColumnNamer namer = {.arena = b->arena};
    for (uint32_t c = 0; c < input->schema.count; c++) {
        const Column *column = &input->schema.columns[c];
        ptrdiff_t at = schema_find(&sub->schema, column->name);
        // A column that mv-apply expands in place shows the sub-query's value, others the row's.
        bool from_sub = at >= 0 && sub->schema.columns[at].type != column->type;
        for (uint32_t i = 0; i < expand->mv_expand.item_count; i++)
            from_sub |= at >= 0 && expand->mv_expand.items[i].column == c;
        plan->mv_apply.carried[namer.len] = from_sub ? UINT32_MAX : c;
        plan->mv_apply.from_subplan[namer.len] = from_sub ? (uint32_t)at : 0;
        Column out = {column->name, from_sub ? sub->schema.columns[at].type : column->type};
        ARRAY_PUSH(b->arena, &namer, out);
    }
    for (uint32_t c = 0; c < sub->schema.count; c++) {
        if (schema_find(&input->schema, sub->schema.columns[c].name) >= 0)
            continue;
        plan->mv_apply.carried[namer.len] = UINT32_MAX;
        plan->mv_apply.from_subplan[namer.len] = c;
        namer_add_auto(&namer, sub->schema.columns[c].name, sub->schema.columns[c].type);
    }
    plan->schema = namer_schema(&namer);
    return plan;
}

// ---- parse ----

static bool
parse_mode(Binder *b, const AstOperator *step, Plan *plan)
{
    const AstParam *kind = operator_param(step, "kind");
    const AstParam *flags = operator_param(step, "flags");
    plan->parse.mode = PARSE_SIMPLE;
    if (kind && str_equal_ci(kind->text, STR("regex")))
        plan->parse.mode = PARSE_REGEX;
    else if (kind && str_equal_ci(kind->text, STR("relaxed")))
        plan->parse.mode = PARSE_RELAXED;
    else if (kind && !str_equal_ci(kind->text, STR("simple")))
        return bind_fail(b, kind->span, "the kinds of parse are simple, relaxed and regex");
    for (size_t i = 0; flags && i < flags->text.len; i++) {
        switch (flags->text.ptr[i]) {
        case 'i': plan->parse.ignore_case = true; break;
        case 'm': plan->parse.multi_line = true; break;
        case 's': plan->parse.dot_all = true; break;
        case 'U': plan->parse.ungreedy = true; break;
        default: return bind_fail(b, flags->span, "the flags of parse are i, m, s and U");
        }
    }
    return true;
}

Plan *
bind_parse(Binder *b, Plan *input, const AstOperator *step)
{
    Plan *plan = bind_plan(b, PLAN_PARSE, step->span);
    Row row = row_of(input);
    if (!plan || !parse_mode(b, step, plan))
        return NULL;
    plan->parse.text = bind_convert(b, bind_expression(b, step->expr, &row), TYPE_STRING);
    if (!plan->parse.text)
        return NULL;
    plan->input = input;
    plan->serialized = input->serialized;
    plan->parse.drop_misses = str_equal(step->name, STR("parse-where"));
    size_t most = (size_t)input->schema.count + step->parts.len;
    plan->parse.carried = ARENA_ARRAY(b->arena, uint32_t, most);
    plan->parse.parts = ARENA_ARRAY(b->arena, ParsePart, step->parts.len);
    plan->parse.part_count = (uint32_t)step->parts.len;
    ColumnNamer namer = {.arena = b->arena};
    for (uint32_t c = 0; c < input->schema.count; c++) {
        ARRAY_PUSH(b->arena, &namer, input->schema.columns[c]);
        plan->parse.carried[c] = c;
    }
    for (size_t i = 0; i < step->parts.len; i++) {
        const AstParsePart *part = &step->parts.items[i];
        ParsePart *out = &plan->parse.parts[i];
        *out = (ParsePart){part->is_text, part->text, -1, part->type};
        if (part->is_text || part->is_star)
            continue;
        Schema now = namer_schema(&namer);
        ptrdiff_t at = schema_find(&now, part->column.text);
        if (at < 0) {
            at = (ptrdiff_t)namer.len;
            namer_add_auto(&namer, part->column.text, part->type);
        }
        namer.items[at].type = part->type;
        plan->parse.carried[at] = UINT32_MAX;
        out->column = at;
    }
    plan->schema = namer_schema(&namer);
    return plan;
}
