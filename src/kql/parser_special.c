// Operators whose clauses have a grammar of their own: scan, top-nested, top-hitters,
// fork, facet, find, reduce, macro-expand, render's and externaldata's properties.

#include "base/array.h"
#include "kql/parser_state.h"

// ---- properties ----

// Name and value of one property; a value may be a list of names: ycolumns=a,b.
static bool
parse_property(Parser *p, AstParamList *out)
{
    AstParam property = {.span = p->token->span};
    AstName name;
    if (!parse_word(p, &name, "a property name") ||
        !parser_expect_symbol(p, "=", "after the property name"))
        return false;
    property.name = name.text;
    uint32_t start = p->token->span.start;
    if (p->token->kind == TOKEN_NAME && !parser_next_is_symbol(p, "(")) {
        parser_advance(p);
        // Another `name =` behind the comma starts the next property.
        while (parser_is_symbol(p, ",") &&
               (p->token[1].kind == TOKEN_NAME || p->token[1].kind == TOKEN_QUOTED) &&
               !(p->token[2].kind == TOKEN_SYMBOL && str_equal(p->token[2].text, STR("=")))) {
            parser_advance(p);
            parser_advance(p);
        }
        property.text = str_slice(p->text, start, parser_span(p, start).end);
    } else if (!(property.expr = parse_expression(p))) {
        return false;
    }
    property.span = parser_span(p, property.span.start);
    ARRAY_PUSH(p->arena, out, property);
    return true;
}

bool
parse_properties(Parser *p, AstParamList *out)
{
    if (!parser_expect_symbol(p, "(", "after 'with'"))
        return false;
    while (!parser_is_symbol(p, ")")) {
        if (!parse_property(p, out))
            return false;
        if (!parser_take_symbol(p, ","))
            break;
    }
    return parser_expect_symbol(p, ")", "after the properties");
}

// render kind [with (name=value, ...)], or the older kind name=value ...
bool
read_render(Parser *p, AstOperator *out)
{
    if (!parse_word(p, &out->as, "a chart kind after 'render'"))
        return false;
    if (parser_take_word(p, "with"))
        return parse_properties(p, &out->properties);
    if (parser_take_word(p, "by") && !parse_items(p, &out->by))
        return false;
    while (p->token->kind == TOKEN_NAME && parser_next_is_symbol(p, "=")) {
        if (!parse_property(p, &out->properties))
            return false;
        parser_take_symbol(p, ",");
    }
    return true;
}

// reduce [kind=source] by column [with threshold=0.1, characters="x"]
bool
read_reduce(Parser *p, AstOperator *out)
{
    AstItem key;
    if (!parse_parameters(p, out) || !parser_expect_word(p, "by", "after 'reduce'") ||
        !parse_item(p, &key))
        return false;
    ARRAY_PUSH(p->arena, &out->by, key);
    out->has_by = true;
    if (!parser_take_word(p, "with"))
        return true;
    do {
        if (!parse_property(p, &out->properties))
            return false;
    } while (parser_take_symbol(p, ","));
    return true;
}

// ---- top-nested, top-hitters ----

static bool
parse_nested_level(Parser *p, AstNestedLevel *out)
{
    *out = (AstNestedLevel){0};
    if (!parser_is_word(p, "of") && !(out->count = parse_expression(p)))
        return false;
    if (!parser_expect_word(p, "of", "before the key of the level") || !parse_item(p, &out->key))
        return false;
    if (parser_take_word(p, "with")) {
        if (!parser_expect_word(p, "others", "after 'with'") ||
            !parser_expect_symbol(p, "=", "after 'others'") || !(out->others = parse_expression(p)))
            return false;
    }
    return parser_expect_word(p, "by", "before the aggregate of the level") &&
           parse_item(p, &out->by) && parse_order_suffix(p, &out->by);
}

bool
read_top_nested(Parser *p, AstOperator *out)
{
    for (;;) {
        AstNestedLevel level;
        if (!parse_nested_level(p, &level))
            return false;
        ARRAY_PUSH(p->arena, &out->levels, level);
        if (!parser_take_symbol(p, ","))
            return true;
        if (!parser_expect_word(p, "top", "of the next 'top-nested'") ||
            !parser_expect_symbol(p, "-", "in 'top-nested'") ||
            !parser_expect_word(p, "nested", "in 'top-nested'"))
            return false;
    }
}

// top-hitters count of key [by weight]
bool
read_top_hitters(Parser *p, AstOperator *out)
{
    AstItem item;
    if (!(out->expr = parse_expression(p)) ||
        !parser_expect_word(p, "of", "after the number of values") || !parse_item(p, &item))
        return false;
    ARRAY_PUSH(p->arena, &out->items, item);
    if (!parser_take_word(p, "by"))
        return true;
    out->has_by = true;
    if (!parse_item(p, &item))
        return false;
    ARRAY_PUSH(p->arena, &out->by, item);
    return true;
}

// ---- fork, facet ----

// fork [name=] ( sub-query ) ...
bool
read_fork(Parser *p, AstOperator *out)
{
    do {
        AstBranch branch = {0};
        if (!parser_is_symbol(p, "(") &&
            (!parse_name(p, &branch.name, "'(' and a sub-query after 'fork'") ||
             !parser_expect_symbol(p, "=", "after the name of a sub-query")))
            return false;
        if (!(branch.body = parse_body(p)))
            return false;
        ARRAY_PUSH(p->arena, &out->branches, branch);
    } while (parser_is_symbol(p, "(") ||
             ((p->token->kind == TOKEN_NAME || p->token->kind == TOKEN_QUOTED) &&
              parser_next_is_symbol(p, "=")));
    return true;
}

// facet by column, ... [with ( sub-query )]
bool
read_facet(Parser *p, AstOperator *out)
{
    if (!parser_expect_word(p, "by", "after 'facet'") || !parse_items(p, &out->by))
        return false;
    out->has_by = true;
    if (!parser_take_word(p, "with"))
        return true;
    AstBranch branch = {.body = parse_body(p)};
    if (!branch.body)
        return false;
    ARRAY_PUSH(p->arena, &out->branches, branch);
    return true;
}

// ---- find ----

// project column[:type], pack(*)
static bool
parse_find_columns(Parser *p, AstItemList *out)
{
    do {
        AstItem item = {.span = p->token->span};
        if (!(item.expr = parse_primary(p)) ||
            (parser_take_symbol(p, ":") && !parse_type(p, &item.to_type)))
            return false;
        item.span = parser_span(p, item.span.start);
        ARRAY_PUSH(p->arena, out, item);
    } while (parser_take_symbol(p, ","));
    return true;
}

// find [withsource=x] [in (table, ...)] [where] predicate [project ... | project-smart]
// [project-away ...]
bool
read_find(Parser *p, AstOperator *out)
{
    if (!parse_parameters(p, out))
        return false;
    if (parser_take_word(p, "in") && !parse_table_list(p, &out->items))
        return false;
    parser_take_word(p, "where");
    if (!(out->expr = parse_expression(p)))
        return false;
    while (parser_take_word(p, "project")) {
        bool smart = parser_is_symbol(p, "-") && parser_next_is_word(p, "smart");
        bool away = parser_is_symbol(p, "-") && parser_next_is_word(p, "away");
        if (smart || away) {
            parser_advance(p);
            parser_advance(p);
        }
        out->project_smart = out->project_smart || smart;
        if (away && !parse_name_items(p, &out->project_away))
            return false;
        if (!smart && !away && !parse_find_columns(p, &out->project))
            return false;
    }
    return true;
}

// ( table, wild*, ... )
bool
parse_table_list(Parser *p, AstItemList *out)
{
    return parser_expect_symbol(p, "(", "before the tables") && parse_name_items(p, out) &&
           parser_expect_symbol(p, ")", "after the tables");
}

// ---- scan ----

// step name [optional] [output=all]: condition [=> column = value, ...] ;
static bool
parse_scan_step(Parser *p, AstScanStep *out)
{
    *out = (AstScanStep){0};
    if (!parser_expect_word(p, "step", "before a step of scan") ||
        !parse_name(p, &out->name, "the name of the step"))
        return false;
    out->optional = parser_take_word(p, "optional");
    if (parser_take_word(p, "output")) {
        if (!parser_expect_symbol(p, "=", "after 'output'"))
            return false;
        out->output = p->token->text;
        if (!parser_take_word(p, "all") && !parser_take_word(p, "last") &&
            !parser_take_word(p, "none"))
            return parser_fail(p, "'all', 'last' or 'none' after 'output='");
    }
    if (!parser_expect_symbol(p, ":", "before the step's condition") ||
        !(out->condition = parse_expression(p)))
        return false;
    if (parser_take_symbol(p, "=>") && !parse_items(p, &out->assignments))
        return false;
    return parser_expect_symbol(p, ";", "after the step");
}

// scan [with_match_id=x] [order by ...] [partition by ...] [declare (...)] with (steps)
bool
read_scan(Parser *p, AstOperator *out)
{
    if (!parse_parameters(p, out))
        return false;
    if (parser_take_word(p, "order") &&
        (!parser_expect_word(p, "by", "after 'order'") || !parse_sort_keys(p, &out->order)))
        return false;
    if (parser_take_word(p, "partition")) {
        out->has_by = true;
        if (!parser_expect_word(p, "by", "after 'partition'") || !parse_items(p, &out->by))
            return false;
    }
    if (parser_take_word(p, "declare") && !parse_declared(p, &out->declared, &out->declared_count))
        return false;
    if (!parser_expect_word(p, "with", "before the steps") ||
        !parser_expect_symbol(p, "(", "before the steps"))
        return false;
    while (!parser_is_symbol(p, ")")) {
        AstScanStep step;
        if (!parse_scan_step(p, &step))
            return false;
        ARRAY_PUSH(p->arena, &out->steps, step);
    }
    return parser_expect_symbol(p, ")", "after the steps");
}

// ---- macro-expand ----

// entity_group [a, b]: kept as a call of that name.
AstExpr *
parse_entity_group(Parser *p)
{
    AstExpr *group = ast_new(p, AST_CALL, p->token->span);
    group->name = (AstName){p->token->text, p->token->span};
    parser_advance(p);
    parser_advance(p); // [
    while (!parser_is_symbol(p, "]")) {
        AstExpr *entity = parse_expression(p);
        if (!entity)
            return NULL;
        ARRAY_PUSH(p->arena, &group->args, entity);
        if (!parser_take_symbol(p, ","))
            break;
    }
    if (!parser_expect_symbol(p, "]", "after the entities"))
        return NULL;
    group->span = parser_span(p, group->span.start);
    return group;
}

// The group in front of `(`: a name there is no call.
static AstExpr *
parse_group(Parser *p)
{
    if (parser_is_word(p, "entity_group") && parser_next_is_symbol(p, "["))
        return parse_entity_group(p);
    AstExpr *group = ast_new(p, AST_NAME, p->token->span);
    return parse_name(p, &group->name, "an entity group after 'in'") ? group : NULL;
}

// macro-expand group as name ( statements ), or macro-expand name in group ( statements )
bool
read_macro_expand(Parser *p, AstOperator *out)
{
    if (!parse_parameters(p, out))
        return false;
    if (parser_next_is_word(p, "in")) {
        if (!parse_name(p, &out->as, "a name after 'macro-expand'") ||
            !parser_expect_word(p, "in", "after the name") || !(out->right = parse_group(p)))
            return false;
    } else if (!(out->right = parse_primary(p)) ||
               !parser_expect_word(p, "as", "after the entity group") ||
               !parse_name(p, &out->as, "a name after 'as'")) {
        return false;
    }
    out->block = ARENA_NEW(p->arena, AstFunction);
    uint32_t start = p->token->span.start;
    if (!parser_enter(p) || !parser_expect_symbol(p, "(", "before the statements") ||
        !parse_statements(p, &out->block->body, ")") ||
        !parser_expect_symbol(p, ")", "after the statements"))
        return false;
    parser_leave(p);
    out->block->span = parser_span(p, start);
    return true;
}
