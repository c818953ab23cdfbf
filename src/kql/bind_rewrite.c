// Operators that are others in disguise: search is a filter over each table and a
// union, sample-distinct a distinct and a take, top-hitters a summarize and a top.

#include "kql/bind_state.h"

// ---- search ----

Str
star_regex(Binder *b, Str pattern, bool exact_case, bool whole)
{
    Buffer regex = {0};
    buffer_text(&regex, exact_case ? "(?s)" : "(?is)");
    buffer_text(&regex, whole ? "^" : "");
    for (size_t i = 0; i < pattern.len; i++) {
        unsigned char c = (unsigned char)pattern.ptr[i];
        bool plain =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
        if (c == '*')
            buffer_text(&regex, ".*");
        else
            buffer_printf(&regex, plain ? "%c" : "\\%c", c);
    }
    buffer_text(&regex, whole ? "$" : "");
    Str text = str_copy(b->arena, buffer_slice(&regex));
    buffer_free(&regex);
    return text;
}

// A text to look for, by its stars: x has, x* hasprefix, *x hassuffix, *x* contains,
// a*b matches regex (Kusto docs, search operator).
static void
text_test(Binder *b, Str text, bool exact_case, Str *op, Str *needle)
{
    bool first = str_starts(text, STR("*")), last = text.len > 1 && str_ends(text, STR("*"));
    *needle = str_slice(text, first ? 1 : 0, last ? text.len - 1 : text.len);
    if (str_find(*needle, STR("*")) < 0) {
        static const Str OPS[2][4] = {
            {STR_INIT("has"), STR_INIT("hasprefix"), STR_INIT("hassuffix"), STR_INIT("contains")},
            {STR_INIT("has_cs"), STR_INIT("hasprefix_cs"), STR_INIT("hassuffix_cs"),
             STR_INIT("contains_cs")},
        };
        *op = OPS[exact_case][(last ? 1 : 0) + (first ? 2 : 0)];
        return;
    }
    *needle = star_regex(b, text, exact_case, false);
    *op = STR("matches regex");
}

// The condition with each bare text replaced by a test of any column.
AstExpr *
search_condition(Binder *b, const AstExpr *ast, bool exact_case)
{
    AstExpr *copy = ARENA_NEW(b->arena, AstExpr);
    *copy = *ast;
    if (ast->kind == AST_STAR) { // search *: every row
        *copy = (AstExpr){.kind = AST_LITERAL, .span = ast->span, .value = value_bool(true)};
        return copy;
    }
    if (ast->kind == AST_LITERAL && ast->value.type == TYPE_STRING) {
        Str op, needle;
        text_test(b, text_str(&ast->value.text), exact_case, &op, &needle);
        AstExpr *star = ARENA_NEW(b->arena, AstExpr), *text = ARENA_NEW(b->arena, AstExpr);
        *star = (AstExpr){.kind = AST_STAR, .span = ast->span};
        *text = (AstExpr){.kind = AST_LITERAL, .span = ast->span, .value = value_string(needle)};
        *copy = (AstExpr){.kind = AST_BINARY, .span = ast->span, .op = op, .base = star};
        ARRAY_PUSH(b->arena, &copy->args, text);
        return copy;
    }
    bool logic = ast->kind == AST_BINARY &&
                 (str_equal(ast->op, STR("and")) || str_equal(ast->op, STR("or")));
    bool negation = ast->kind == AST_CALL && str_equal(ast->name.text, STR("not"));
    if (!logic && !negation)
        return copy;
    if (logic)
        copy->base = search_condition(b, ast->base, exact_case);
    copy->args = (AstExprList){0};
    for (size_t i = 0; i < ast->args.len; i++)
        ARRAY_PUSH(b->arena, &copy->args, search_condition(b, ast->args.items[i], exact_case));
    return copy;
}

typedef struct Search {
    Binder *b;
    const AstOperator *step;
    AstExpr *condition;
    UnionInputs tables; // to be searched
    UnionInputs inputs; // filtered
    Plan *hopeless;     // a table that cannot match
    Str hopeless_name;
    AzError misfit; // why the last table that does not fit the condition does not
} Search;

// One table: a condition on a column that no table has is an error unless another fits.
static bool
search_table(Search *search, Plan *plan, Str name)
{
    Binder *b = search->b;
    AstOperator where = {.name = STR("where"), .span = search->step->span};
    where.expr = search->condition;
    uint32_t depth = b->depth;
    b->attempts++;
    Plan *filter = bind_where(b, plan, &where);
    b->attempts--;
    b->depth = depth;
    if (!filter && b->error->code == AZ_SEMANTIC && !b->silent) {
        search->misfit = *b->error;
        error_clear(b->error);
        return true;
    }
    if (!filter)
        return false;
    // A table without the columns that are asked for cannot match; it adds no columns.
    const Expr *predicate = filter->kind == PLAN_FILTER ? filter->filter.predicate : NULL;
    if (predicate && predicate->kind == EXPR_CONST &&
        (predicate->value.is_null || !predicate->value.boolean)) {
        b->clocked |= predicate->clocked;
        search->hopeless = filter;
        search->hopeless_name = name;
        return true;
    }
    return union_add(b, &search->inputs, filter, name);
}

// Views, and the tables that have rows: declared ones without are not worth a plan each.
bool
union_add_all(Binder *b, UnionInputs *inputs, Span span)
{
    TableNames names = {.arena = b->arena};
    scope_each_view(b, b->scope, collect_table_name, &names);
    b->catalog->each_table(b->catalog->context, collect_table_name, &names);
    for (size_t i = 0; i < names.len; i++) {
        bool again = false; // a stored table is a declared one too
        for (size_t k = 0; k < i && !again; k++)
            again = str_equal_ci(names.items[k], names.items[i]);
        if (again || !table_is_visible(b, STR(""), names.items[i]))
            continue;
        Plan *plan = bind_table_name(b, names.items[i], span);
        // What will have rows when the query is run is not known under check.
        if (plan && !b->catalog->check && plan->kind == PLAN_SCAN && !plan->scan.source->row_count)
            continue;
        if (!union_add(b, inputs, plan, names.items[i]))
            return false;
    }
    return true;
}

static bool
add_everything(Search *search)
{
    Binder *b = search->b;
    if (!union_add_all(b, &search->tables, search->step->span))
        return false;
    if (search->tables.len)
        return true;
    bind_warn(b, search->step->span,
              "there is no table with rows to search: import data first, or name the tables "
              "with search in (...)");
    // Nothing to search has no rows, but the condition is looked at.
    Plan *nothing = bind_plan(b, PLAN_VALUES, search->step->span);
    return union_add(b, &search->tables, nothing, STR("search_arg0"));
}

static bool
add_listed(Search *search)
{
    for (size_t i = 0; i < search->step->items.len; i++)
        if (!union_add_listed(search->b, &search->tables, search->step->items.items[i].expr, false,
                              i, "search_arg"))
            return false;
    return true;
}

// The columns a condition may name: those of all tables that are searched, which are null
// in the tables that lack them.
static const AbsentColumns *
searched_columns(Search *search, bool everything)
{
    Arena *arena = search->b->arena;
    AbsentColumns *absent = ARENA_NEW(arena, AbsentColumns);
    const Schema **schemas = (const Schema **)ARENA_ARRAY(arena, Schema *, search->tables.len);
    for (size_t i = 0; i < search->tables.len; i++)
        schemas[i] = &search->tables.items[i]->schema;
    absent->schemas = schemas;
    absent->count = (uint32_t)search->tables.len;
    absent->database = everything;
    return absent;
}

Plan *
bind_search(Binder *b, Plan *input, const AstOperator *step)
{
    const AstParam *kind = operator_param(step, "kind");
    Search search = {.b = b, .step = step};
    search.condition =
        search_condition(b, step->expr, kind && str_equal_ci(kind->text, STR("case_sensitive")));
    bool done;
    if (input)
        done = union_add(b, &search.tables, input,
                         input->kind == PLAN_SCAN ? input->scan.table : STR("search_arg0"));
    else
        done = step->items.len ? add_listed(&search) : add_everything(&search);
    const AbsentColumns *absent =
        input ? input->absent : searched_columns(&search, !step->items.len);
    for (size_t i = 0; done && i < search.tables.len; i++) {
        search.tables.items[i]->absent = absent;
        done = search_table(&search, search.tables.items[i], search.tables.names[i]);
    }
    if (!done)
        return NULL;
    if (!search.inputs.len && search.hopeless)
        union_add(b, &search.inputs, search.hopeless, search.hopeless_name);
    if (!search.inputs.len) {
        *b->error = search.misfit;
        return NULL;
    }
    AstName source = {STR("$table"), step->span};
    Plan *plan = union_plan(b, &search.inputs, &source, false, step->span);
    if (plan)
        plan->absent = absent;
    return plan;
}

// ---- sample-distinct, top-hitters ----

static Plan *
then(Binder *b, Plan *input, const char *name, AstOperator step)
{
    step.name = str_from(name);
    return input ? bind_operator(b, input, &step) : NULL;
}

Plan *
bind_sample_distinct(Binder *b, Plan *input, const AstOperator *step)
{
    AstOperator distinct = {.span = step->span, .items = step->items};
    AstOperator take = {.span = step->span, .expr = step->expr};
    return then(b, then(b, input, "distinct", distinct), "take", take);
}

// top-hitters N of key [by weight]: the exact answer, under the names of the estimate.
Plan *
bind_top_hitters(Binder *b, Plan *input, const AstOperator *step)
{
    const AstItem *key = &step->items.items[0];
    bool weighted = step->by.len > 0;
    AstExpr *call = ARENA_NEW(b->arena, AstExpr);
    *call = (AstExpr){.kind = AST_CALL, .span = step->span};
    call->name = (AstName){weighted ? STR("sum") : STR("count"), step->span};
    if (weighted)
        ARRAY_PUSH(b->arena, &call->args, step->by.items[0].expr);
    Str about = default_name(b, weighted ? step->by.items[0].expr : key->expr);
    AstName *name = ARENA_NEW(b->arena, AstName);
    name->text =
        str_format(b->arena, "approximate_%s_%.*s", weighted ? "sum" : "count", STR_ARG(about));
    name->span = step->span;
    AstOperator summarize = {.span = step->span, .has_by = true};
    AstItem sum = {.names = name, .name_count = 1, .expr = call, .span = step->span};
    ARRAY_PUSH(b->arena, &summarize.items, sum);
    ARRAY_PUSH(b->arena, &summarize.by, *key);
    AstExpr *column = ARENA_NEW(b->arena, AstExpr);
    *column = (AstExpr){.kind = AST_NAME, .span = step->span, .name = *name};
    AstOperator top = {.span = step->span, .expr = step->expr};
    AstItem order = {.expr = column, .descending = true, .span = step->span};
    ARRAY_PUSH(b->arena, &top.by, order);
    return then(b, then(b, input, "summarize", summarize), "top", top);
}
