// Tables: names, functions that yield tables, sources such as print and datatable.

#include "kql/bind_state.h"
#include "value/scalar.h"

// ---- tables of the database ----

bool
plan_ignores_case(const Plan *plan)
{
    while (plan) {
        if (plan->kind == PLAN_SCAN)
            return plan->scan.ignore_case;
        if (plan->kind == PLAN_CORRELATED)
            return plan->correlated.ignore_case;
        if (plan->kind == PLAN_SHARED) {
            plan = plan->shared.plan;
            continue;
        }
        plan =
            plan->kind == PLAN_UNION && plan->union_.count ? plan->union_.inputs[0] : plan->input;
    }
    return false;
}

Plan *
scan_plan(Binder *b, TableSource *source, Str name, bool ignore_case, Span span)
{
    Plan *plan = bind_plan(b, PLAN_SCAN, span);
    if (!plan)
        return NULL;
    plan->schema = source->schema;
    plan->scan.source = source;
    plan->scan.table = name;
    plan->scan.ignore_case = ignore_case;
    plan->scan.columns = ARENA_ARRAY(b->arena, uint32_t, source->schema.count);
    for (uint32_t i = 0; i < source->schema.count; i++)
        plan->scan.columns[i] = i;
    return plan;
}

void
collect_table_name(void *context, Str name)
{
    TableNames *names = context;
    ARRAY_PUSH(names->arena, names, str_copy(names->arena, name));
}

void
bind_hidden(Binder *b, Str name, Span span)
{
    bind_fail(b, span, "'%.*s' cannot be reached: the query restricts access to other names",
              STR_ARG(name));
}

static Plan *
unknown_table(Binder *b, Str place, Str name, Span span)
{
    if (place.len) {
        bind_fail(b, span, "there is no table or function '%.*s' in %.*s", STR_ARG(name),
                  STR_ARG(place));
        return NULL;
    }
    TableNames names = {.arena = b->arena};
    b->catalog->each_table(b->catalog->context, collect_table_name, &names);
    b->catalog->each_parser(b->catalog->context, collect_table_name, &names);
    for (Scope *scope = b->scope; scope; scope = scope->outer)
        for (Binding *binding = scope->bindings; binding; binding = binding->next)
            if (binding->kind == BINDING_TABLE)
                ARRAY_PUSH(b->arena, &names, binding->name);
    ptrdiff_t near = str_nearest(name, names.items, names.len);
    bool is_first = b->error->code == AZ_OK;
    b->missing_table = true;
    if (near >= 0)
        bind_fail(b, span, "there is no table '%.*s'; did you mean '%.*s'?", STR_ARG(name),
                  STR_ARG(names.items[near]));
    else
        bind_fail(b, span, "there is no table or function '%.*s'", STR_ARG(name));
    b->error->of_table |= is_first;
    return NULL;
}

static Expr *
time_of(Binder *b, ptrdiff_t column, Span span)
{
    return expr_column(b->arena, (uint32_t)column, TYPE_DATETIME, span);
}

// Whether the time in the column lies after `after` and not after `last`.
static Expr *
time_between(Binder *b, ptrdiff_t column, int64_t after, int64_t last, Span span)
{
    Value from = value_datetime(after + 1), to = value_datetime(last);
    Expr **args = ARENA_ARRAY(b->arena, Expr *, 3);
    args[0] = time_of(b, column, span);
    args[1] = expr_const(b->arena, &from, span);
    args[2] = expr_const(b->arena, &to, span);
    return bind_function(b, STR("between"), args, 3, span);
}

// The function of one or (with `second`) two arguments; NULL when an argument is.
static Expr *
function_of(Binder *b, const char *name, Expr *first, Expr *second, Span span)
{
    if (!first)
        return NULL;
    Expr **args = ARENA_ARRAY(b->arena, Expr *, 2);
    args[0] = first;
    args[1] = second;
    return bind_function(b, str_from(name), args, second ? 2 : 1, span);
}

static Plan *
keep_rows(Binder *b, Plan *rows, Expr *predicate, Span span)
{
    Plan *filter = predicate ? bind_over(b, PLAN_FILTER, rows, span) : NULL;
    if (filter)
        filter->filter.predicate = predicate;
    return filter;
}

// The rows of a log table that lie in the window of the query. The items of watchlists are
// there at any time, whenever they were sent.
static Plan *
in_window(Binder *b, Plan *scan, Span span)
{
    TimeWindow window = b->catalog->window;
    ptrdiff_t at = scan ? schema_find(&scan->schema, STR("TimeGenerated")) : -1;
    if (at < 0 || (!window.from && !window.to) || scan->scan.ignore_case ||
        scan->schema.columns[at].type != TYPE_DATETIME ||
        str_equal_ci(scan->scan.table, STR("Watchlist")))
        return scan;
    ptrdiff_t arrival = schema_find(&scan->schema, STR("_TimeReceived"));
    if (arrival >= 0 && scan->schema.columns[arrival].type != TYPE_DATETIME)
        arrival = -1;
    scan->scan.windowed = window.by != WINDOW_ARRIVAL || arrival < 0;
    // Rows that do not say when they arrived did so at their own time.
    if (arrival < 0 || window.by == WINDOW_EVENT)
        return keep_rows(b, scan, time_between(b, at, window.from, window.to, span), span);
    Expr *null = function_of(b, "isnull", time_of(b, arrival, span), NULL, span);
    if (window.by == WINDOW_ARRIVAL) {
        Expr *own =
            function_of(b, "and", null, time_between(b, at, window.from, window.to, span), span);
        Expr *arrived = time_between(b, arrival, window.from, window.to, span);
        return keep_rows(b, scan, function_of(b, "or", arrived, own, span), span);
    }
    Expr *arrived = time_between(b, arrival, 0, window.to, span);
    Plan *rows = keep_rows(b, scan, time_between(b, at, window.from, window.to, span), span);
    return rows ? keep_rows(b, rows, function_of(b, "or", arrived, null, span), span) : NULL;
}

static Plan *
find_table(Binder *b, Str database, Str name, Span span)
{
    Str canonical = name;
    bool ignore_case = false;
    AzError error = {0};
    TableSource *source = b->catalog->find_table(b->catalog->context, database, name, &canonical,
                                                 &ignore_case, &error);
    if (source) {
        Plan *scan = scan_plan(b, source, canonical, ignore_case, span);
        return open_table(b, in_window(b, scan, span), canonical);
    }
    if (error.code != AZ_OK) {
        if (b->error->code == AZ_OK)
            error_at(b->error, error.code, span, "%s", error.message);
        return NULL;
    }
    return NULL;
}

// A call of a computed table: its arguments are constants.
static Plan *
bind_table_function(Binder *b, const TableFunctionDef *fn, const AstExpr *call)
{
    uint32_t required = table_function_required(fn);
    Str name = str_from(fn->name);
    if (call->args.len < required || call->args.len > fn->param_count) {
        if (required < fn->param_count)
            bind_fail(b, call->span, "%s() takes %u to %u arguments, not %zu", fn->name, required,
                      fn->param_count, call->args.len);
        else
            bind_fail(b, call->span, "%s() takes %u arguments, not %zu", fn->name, required,
                      call->args.len);
        return NULL;
    }
    Value *args = ARENA_ARRAY(b->arena, Value, fn->param_count);
    for (uint32_t i = 0; i < fn->param_count; i++) {
        args[i] = value_null(fn->params[i].type);
        if (i >= call->args.len)
            continue;
        Expr *value = bind_constant(b, call->args.items[i], fn->params[i].type, fn->params[i].name);
        if (!value)
            return NULL;
        args[i] = value->value;
    }
    AzError error = {0};
    TableSource *source = b->catalog->open_table_function(b->catalog->context, fn, args, &error);
    if (source)
        return scan_plan(b, source, name, false, call->span);
    if (b->error->code == AZ_OK)
        error_at(b->error, error.code, call->span, "%s", error.message);
    return NULL;
}

Plan *
bind_body(Binder *b, const AstStatementList *body, Scope *scope, Span span)
{
    Scope *outer = b->scope;
    Plan *implicit = b->implicit;
    b->scope = scope;
    b->implicit = NULL;
    Plan *plan = NULL;
    if (!body->len || body->items[body->len - 1].kind != AST_TABULAR)
        bind_fail(b, span, "the function has no result");
    else if (bind_lets(b, body, body->len - 1))
        plan = bind_table_or_graph(b, body->items[body->len - 1].value);
    b->scope = outer;
    b->implicit = implicit;
    return plan;
}

Plan *
call_function(Binder *b, const AstFunction *function, Scope *home, const AstFunctionFile *file,
              const AstExpr *call, Plan *first, Span span)
{
    Scope *scope;
    if (!bind_enter(b, span) || !bind_call_scope(b, function, home, call, NULL, first, &scope))
        return NULL;
    OpenFunction open = {file, b->open_functions};
    b->open_functions = &open;
    b->attempts += file != NULL; // the spans are of another text: one error, at the call
    Plan *plan = bind_body(b, &function->body, scope, span);
    b->attempts -= file != NULL;
    b->open_functions = open.outer;
    b->depth--;
    if (!plan && file)
        relocate_error(b, file, span);
    return plan;
}

Plan *
bind_table_name(Binder *b, Str name, Span span)
{
    Binding *binding = scope_find(b->scope, name);
    if (binding && binding->kind == BINDING_BROKEN) {
        bind_again(b);
        return NULL;
    }
    if (binding && !binding_is_visible(b, binding)) {
        bind_hidden(b, name, span);
        return NULL;
    }
    if (binding && binding->kind == BINDING_TABLE) {
        if (binding->plan)
            return binding->plan;
        Scope *outer = b->scope;
        if (!bind_enter(b, span))
            return NULL;
        b->scope = binding->scope;
        Plan *plan = bind_table_or_graph(b, binding->ast);
        b->scope = outer;
        b->depth--;
        // materialize() means one evaluation for all who name the let.
        if (plan && plan->kind == PLAN_SHARED && binding->ast->kind == AST_CALL)
            binding->plan = plan;
        return plan;
    }
    if (binding && binding->kind == BINDING_SCALAR) {
        bind_fail(b, span, "'%.*s' is a single value, not a table", STR_ARG(name));
        return NULL;
    }
    if (binding && binding->kind == BINDING_FUNCTION)
        return call_function(b, binding->function, binding->scope, NULL, NULL, NULL, span);
    return bind_place_table(b, STR(""), name, span);
}

Plan *
bind_place_table(Binder *b, Str place, Str name, Span span)
{
    Plan *plan = find_table(b, place, name, span);
    if (plan && !name_is_visible(b, place, name)) {
        bind_hidden(b, name, span);
        return NULL;
    }
    if (plan || b->error->code != AZ_OK)
        return plan;
    AzError error = {0};
    const AstFunctionFile *file = b->catalog->find_user_function(b->catalog->context, name, &error);
    if (error.code != AZ_OK && b->error->code == AZ_OK)
        *b->error = error;
    if (file && !name_is_visible(b, place, name)) {
        bind_hidden(b, name, span);
        return NULL;
    }
    if (file)
        return call_function(b, file->function, NULL, file, NULL, NULL, span);
    return b->error->code == AZ_OK ? unknown_table(b, place, name, span) : NULL;
}

// materialize(T): one evaluation for all readers.
static Plan *
bind_materialize(Binder *b, const AstExpr *ast)
{
    if (ast->args.len != 1) {
        bind_fail(b, ast->span, "materialize() takes one table");
        return NULL;
    }
    Plan *inner = bind_table_or_graph(b, ast->args.items[0]);
    return inner ? bind_shared(b, inner, ast->span) : NULL;
}

static Plan *
bind_table_call(Binder *b, const AstExpr *ast)
{
    Str name = ast->name.text;
    if (str_equal(name, STR("materialize")))
        return bind_materialize(b, ast);
    if (str_equal(name, STR("table"))) {
        Expr *table = ast->args.len ? bind_constant(b, ast->args.items[0], TYPE_STRING,
                                                    "the name of the table")
                                    : NULL;
        if (!table) {
            bind_fail(b, ast->span, "%.*s() takes the name of a table", STR_ARG(name));
            return NULL;
        }
        return bind_table_name(b, text_str(&table->value.text), ast->span);
    }
    Plan *special;
    Binding *binding = scope_find(b->scope, name);
    if (binding && binding->kind == BINDING_PATTERN && binding_is_visible(b, binding))
        return bind_pattern_call(b, binding, ast, NULL, ast->span);
    if (!binding && bind_special_table(b, ast, &special))
        return special;
    const TableFunctionDef *computed =
        binding ? NULL : b->catalog->find_table_function(b->catalog->context, name);
    if (computed)
        return bind_table_function(b, computed, ast);
    Scope *home;
    const AstFunctionFile *file;
    const AstFunction *function = find_kql_function(b, name, &home, &file);
    if (function &&
        (binding ? !binding_is_visible(b, binding) : !name_is_visible(b, STR(""), name))) {
        bind_hidden(b, name, ast->name.span);
        return NULL;
    }
    if (!function) {
        bool is_first = b->error->code == AZ_OK;
        b->missing_table = true;
        bind_fail(b, ast->name.span,
                  "there is no function '%.*s' that yields a table, or it is "
                  "not supported yet",
                  STR_ARG(name));
        b->error->of_table |= is_first;
        return NULL;
    }
    return call_function(b, function, home, file, ast, NULL, ast->span);
}

Plan *
bind_table(Binder *b, const AstExpr *ast)
{
    Plan *plan = bind_table_or_graph(b, ast);
    if (!plan || !plan->graph)
        return plan;
    bind_fail(b, ast->span,
              "a graph is not a table: put graph-match, graph-shortest-paths or "
              "graph-to-table behind it");
    return NULL;
}

Plan *
bind_table_or_graph(Binder *b, const AstExpr *ast)
{
    if (!bind_enter(b, ast->span))
        return NULL;
    Plan *plan = NULL;
    switch (ast->kind) {
    case AST_NAME: plan = bind_bare_name(b, ast); break;
    case AST_CALL: plan = bind_table_call(b, ast); break;
    case AST_INDEX:
    case AST_MEMBER: plan = bind_qualified(b, ast); break;
    case AST_SOURCE: plan = bind_source(b, ast->operators[0]); break;
    case AST_PIPELINE:
        plan = bind_pipeline(b, ast->base ? bind_table_or_graph(b, ast->base) : b->implicit, ast);
        break;
    case AST_WILDCARD:
        bind_fail(b, ast->span, "a pattern of tables can stand in union only");
        break;
    default: bind_fail(b, ast->span, "a table is needed here, not a single value"); break;
    }
    b->depth--;
    return plan;
}

// ---- sources ----

static Plan *
values_plan(Binder *b, Schema schema, uint32_t rows, Batch **batch, Span span)
{
    Plan *plan = bind_plan(b, PLAN_VALUES, span);
    if (!plan)
        return NULL;
    plan->schema = schema;
    plan->serialized = true;
    plan->values.count = rows ? 1 : 0;
    plan->values.batches = ARENA_ARRAY(b->arena, Batch *, 1);
    *batch = batch_new(b->arena, schema.count, rows);
    plan->values.batches[0] = *batch;
    return plan;
}

// Cells are constants; each is converted as its column's conversion function would.
static bool
fill_column(Binder *b, const AstOperator *step, uint32_t column, Batch *batch, uint32_t columns)
{
    Type type = step->columns.items[column].type;
    VectorBuilder builder;
    vector_builder_init(&builder, type);
    bool done = true;
    for (uint32_t row = 0; row < batch->count && done; row++) {
        const AstExpr *cell = step->rows.items[(size_t)row * columns + column];
        Expr *value = bind_expression(b, cell, NULL);
        value = bind_convert(b, value, type);
        if (value && value->kind != EXPR_CONST)
            done = bind_fail(b, cell->span, "a cell of datatable must be a constant");
        else if (value)
            vector_builder_value(&builder, b->arena, &value->value);
        done = done && value;
    }
    if (done)
        batch->columns[column] = vector_builder_cut(&builder, b->arena, 0, batch->count);
    vector_builder_free(&builder);
    return done;
}

// Batches hold at most batch_rows rows: cuts one large batch.
static void
cut_batches(Binder *b, Plan *plan, Batch *whole)
{
    if (whole->count <= batch_rows)
        return;
    uint32_t count = (whole->count + batch_rows - 1) / batch_rows;
    plan->values.batches = ARENA_ARRAY(b->arena, Batch *, count);
    plan->values.count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t from = i * batch_rows;
        uint32_t rows = whole->count - from < batch_rows ? whole->count - from : batch_rows;
        Batch *part = batch_new(b->arena, whole->column_count, rows);
        for (uint32_t c = 0; c < whole->column_count; c++)
            part->columns[c] = vector_slice(b->arena, whole->columns[c], from, rows);
        plan->values.batches[i] = part;
    }
}

static Plan *
bind_datatable(Binder *b, const AstOperator *step)
{
    uint32_t columns = (uint32_t)step->columns.len;
    if (!columns) {
        bind_fail(b, step->span, "datatable needs at least one column");
        return NULL;
    }
    if (step->rows.len % columns) {
        bind_fail(b, step->span, "datatable has %u columns, but %zu cells do not make whole rows",
                  columns, step->rows.len);
        return NULL;
    }
    ColumnNamer namer = {.arena = b->arena};
    for (uint32_t c = 0; c < columns; c++)
        if (!namer_add(b, &namer, &step->columns.items[c].name, STR(""),
                       step->columns.items[c].type))
            return NULL;
    Batch *batch;
    uint32_t rows = (uint32_t)(step->rows.len / columns);
    Plan *plan = values_plan(b, namer_schema(&namer), rows, &batch, step->span);
    bool again = false;
    for (uint32_t c = 0; plan && c < columns; c++) {
        if (fill_column(b, step, c, batch, columns))
            continue;
        if (!bind_recover(b))
            return NULL;
        again = true;
    }
    if (again)
        bind_again(b);
    else if (plan)
        cut_batches(b, plan, batch);
    return again ? NULL : plan;
}

typedef struct PrintColumns {
    ColumnNamer namer;
    Expr **items;
    size_t len, cap;
} PrintColumns;

static bool
print_item(Binder *b, const AstItem *item, size_t at, TupleStage *stage, PrintColumns *out)
{
    Expr *expr = bind_expression(b, item->expr, NULL);
    TupleColumns columns;
    if (!expr || !tuple_expand(b, item, expr, stage, &columns))
        return false;
    for (uint32_t n = 0; n < columns.count; n++) {
        const AstName *name = n < item->name_count ? &item->names[n] : NULL;
        Str fallback = expr->tuple ? columns.names[n] : str_format(b->arena, "print_%zu", at);
        if (!namer_add(b, &out->namer, name, fallback, columns.exprs[n]->type))
            return false;
        ARRAY_PUSH(b->arena, out, columns.exprs[n]);
    }
    return true;
}

// One row without columns, then a projection: print's expressions may hold subqueries.
static Plan *
bind_print(Binder *b, const AstOperator *step)
{
    Batch *batch;
    Plan *one = values_plan(b, (Schema){0}, 1, &batch, step->span);
    if (!one)
        return NULL;
    TupleStage stage = {0};
    PrintColumns out = {.namer = {.arena = b->arena}};
    bool again = false;
    for (size_t i = 0; i < step->items.len; i++) {
        if (print_item(b, &step->items.items[i], i, &stage, &out))
            continue;
        if (!bind_recover(b))
            return NULL;
        again = true;
    }
    if (again) {
        bind_again(b);
        return NULL;
    }
    one = tuple_stage_plan(b, one, &stage, false, step->span);
    return one ? bind_projection(b, one, namer_schema(&out.namer), out.items, false, step->span)
               : NULL;
}

static bool
is_summable(Binder *b, const Expr *bound)
{
    if (type_is_numeric(bound->type) || bound->type == TYPE_TIMESPAN ||
        bound->type == TYPE_DATETIME)
        return true;
    return bind_fail(b, bound->span, "range counts numbers, times and timespans, not a %s",
                     type_name(bound->type));
}

static Plan *
bind_range(Binder *b, const AstOperator *step)
{
    Expr *from = bind_expression(b, step->from, NULL);
    Expr *to = from ? bind_expression(b, step->to, NULL) : NULL;
    Expr *by = to ? bind_expression(b, step->step, NULL) : NULL;
    if (!by || !is_summable(b, from) || !is_summable(b, to) || !is_summable(b, by))
        return NULL;
    Type type = from->type;
    Type step_type = type;
    if (type == TYPE_DATETIME || to->type == TYPE_DATETIME) {
        if (type == to->type && type_is_numeric(by->type)) {
            bind_fail(b, by->span, "the step from one time to the next is a timespan, not a %s",
                      type_name(by->type));
            return NULL;
        }
        type = TYPE_DATETIME;
        step_type = TYPE_TIMESPAN;
    } else if (type_is_numeric(type) && type_is_numeric(to->type) && type_is_numeric(by->type)) {
        // As an int only when all three are.
        type = from->type > to->type ? from->type : to->type;
        type = type > by->type ? type : by->type;
        step_type = type;
    } else if (type == TYPE_TIMESPAN) {
        step_type = TYPE_TIMESPAN;
    } else {
        bind_fail(b, step->from->span, "range cannot count in values of type %s", type_name(type));
        return NULL;
    }
    Plan *plan = bind_plan(b, PLAN_RANGE, step->span);
    if (!plan)
        return NULL;
    plan->range.from = bind_convert(b, from, type);
    plan->range.to = bind_convert(b, to, type);
    plan->range.step = bind_convert(b, by, step_type);
    if (!plan->range.from || !plan->range.to || !plan->range.step)
        return NULL;
    ColumnNamer namer = {.arena = b->arena};
    namer_add(b, &namer, &step->as, STR(""), type);
    plan->schema = namer_schema(&namer);
    plan->serialized = true;
    return plan;
}

static Plan *
bind_unsupported_plan(Binder *b, const AstOperator *step)
{
    bind_unsupported(b, step->span, str_cstr(b->arena, step->name));
    return NULL;
}

Plan *
bind_source(Binder *b, const AstOperator *step)
{
    static const struct {
        Str name;
        Plan *(*bind)(Binder *b, const AstOperator *step);
    } SOURCES[] = {
        {STR_INIT("datatable"), bind_datatable},
        {STR_INIT("print"), bind_print},
        {STR_INIT("range"), bind_range},
        {STR_INIT("externaldata"), bind_externaldata},
        {STR_INIT("inline_external_table"), bind_inline_external_table},
    };
    for (size_t i = 0; i < COUNT_OF(SOURCES); i++)
        if (str_equal(step->name, SOURCES[i].name))
            return SOURCES[i].bind(b, step);
    if (str_equal(step->name, STR("union")))
        return bind_union(b, NULL, step);
    if (str_equal(step->name, STR("search")))
        return bind_search(b, NULL, step);
    if (str_equal(step->name, STR("find")))
        return bind_find(b, NULL, step);
    if (str_equal(step->name, STR("macro-expand")))
        return bind_macro_expand(b, step);
    if (str_equal(step->name, STR("evaluate")))
        return bind_evaluate(b, NULL, step);
    return bind_unsupported_plan(b, step);
}

// ---- invoke ----

// Functions of Defender XDR take the name of a column as text, or the column bare:
// invoke FileProfile(SHA1). A bare name that is no value but a column becomes its text.
static const AstExpr *
columns_as_texts(Binder *b, const AstExpr *call, const Plan *input)
{
    AstExpr *copy = NULL;
    for (size_t i = 0; i < call->args.len; i++) {
        const AstExpr *argument = call->args.items[i];
        if (argument->kind != AST_NAME || scope_find(b->scope, argument->name.text) ||
            schema_find(&input->schema, argument->name.text) < 0)
            continue;
        if (!copy) {
            copy = ARENA_NEW(b->arena, AstExpr);
            *copy = *call;
            copy->args.items = ARENA_ARRAY(b->arena, AstExpr *, call->args.len);
            memcpy(copy->args.items, call->args.items, call->args.len * sizeof(AstExpr *));
        }
        AstExpr *text = ARENA_NEW(b->arena, AstExpr);
        *text = (AstExpr){.kind = AST_LITERAL, .span = argument->span, .height = 1};
        text->value = value_string(argument->name.text);
        copy->args.items[i] = text;
    }
    return copy ? copy : call;
}

static Plan *
bind_invoke(Binder *b, Plan *input, const AstOperator *step)
{
    const AstExpr *call = step->right;
    if (call->kind != AST_CALL) {
        bind_fail(b, call->span, "invoke needs a call: invoke f(...)");
        return NULL;
    }
    Scope *home;
    const AstFunctionFile *file;
    const AstFunction *function = find_kql_function(b, call->name.text, &home, &file);
    if (!function) {
        bind_fail(b, call->name.span, "there is no function '%.*s' to invoke",
                  STR_ARG(call->name.text));
        return NULL;
    }
    if (file && str_equal(file->folder, STR("defender-xdr")))
        call = columns_as_texts(b, call, input);
    return call_function(b, function, home, file, call, input, call->span);
}

// ---- operators with little to bind ----

Plan *
bind_over(Binder *b, PlanKind kind, Plan *input, Span span)
{
    Plan *plan = bind_plan(b, kind, span);
    if (!plan)
        return NULL;
    plan->input = input;
    plan->schema = input->schema;
    plan->absent = input->absent;
    plan->serialized = input->serialized;
    plan->open = input->open;
    return plan;
}

bool
bind_count(Binder *b, const AstExpr *ast, const char *what, int64_t *out)
{
    Expr *count = bind_constant(b, ast, TYPE_LONG, what);
    if (!count)
        return false;
    if (count->kind == EXPR_SUBQUERY)
        return bind_fail(b, ast->span, "%s must be a constant", what);
    *out = count->value.is_null || count->value.int64 < 0 ? 0 : count->value.int64;
    return true;
}

static Plan *
bind_take(Binder *b, Plan *input, const AstOperator *step)
{
    Plan *plan = bind_over(b, PLAN_TAKE, input, step->span);
    return plan && bind_count(b, step->expr, "the number of rows", &plan->take.count) ? plan : NULL;
}

static Plan *
bind_sample(Binder *b, Plan *input, const AstOperator *step)
{
    Plan *plan = bind_over(b, PLAN_SAMPLE, input, step->span);
    return plan && bind_count(b, step->expr, "the number of rows", &plan->sample.count) ? plan
                                                                                        : NULL;
}

static bool
bind_sort_keys(Binder *b, Plan *plan, const AstItemList *keys)
{
    Row row = row_of(plan->input);
    plan->sort.key_count = (uint32_t)keys->len;
    plan->sort.keys = ARENA_ARRAY(b->arena, SortKey, keys->len);
    bool again = false;
    for (size_t i = 0; i < keys->len; i++) {
        const AstItem *item = &keys->items[i];
        Expr *key = bind_expression(b, item->expr, &row);
        if (!key && !bind_recover(b))
            return false;
        again |= !key;
        plan->sort.keys[i] = (SortKey){key, item->descending, item->nulls_first};
    }
    plan->serialized = true;
    return !again || bind_again(b);
}

static Plan *
bind_sort(Binder *b, Plan *input, const AstOperator *step)
{
    Plan *plan = bind_over(b, PLAN_SORT, input, step->span);
    if (!plan || !bind_sort_keys(b, plan, &step->by))
        return NULL;
    plan->sort.limit = -1;
    return plan;
}

static Plan *
bind_top(Binder *b, Plan *input, const AstOperator *step)
{
    Plan *plan = bind_over(b, PLAN_SORT, input, step->span);
    if (!plan || !bind_sort_keys(b, plan, &step->by) ||
        !bind_count(b, step->expr, "the number of rows", &plan->sort.limit))
        return NULL;
    return plan;
}

static Plan *
bind_serialize(Binder *b, Plan *input, const AstOperator *step)
{
    Plan *plan = bind_over(b, PLAN_SORT, input, step->span);
    if (!plan)
        return NULL;
    plan->sort.limit = -1; // no keys: the order there is
    plan->serialized = true;
    return step->items.len ? bind_extend(b, plan, step) : plan;
}

static Plan *
bind_as(Binder *b, Plan *input, const AstOperator *step)
{
    Plan *shared = bind_shared(b, input, step->span);
    if (!shared)
        return NULL;
    scope_add(b, b->scope, step->as.text, BINDING_TABLE)->plan = shared;
    return shared;
}

// The service keeps the rows for queries to come; here they are evaluated once.
static Plan *
bind_execute_and_cache(Binder *b, Plan *input, const AstOperator *step)
{
    return bind_shared(b, input, step->span);
}

static Plan *
bind_render(Binder *b, Plan *input, const AstOperator *step)
{
    static const Str KINDS[] = {
        STR_INIT("table"),
        STR_INIT("list"),
        STR_INIT("barchart"),
        STR_INIT("piechart"),
        STR_INIT("ladderchart"),
        STR_INIT("timechart"),
        STR_INIT("linechart"),
        STR_INIT("anomalychart"),
        STR_INIT("pivotchart"),
        STR_INIT("areachart"),
        STR_INIT("stackedareachart"),
        STR_INIT("scatterchart"),
        STR_INIT("timepivot"),
        STR_INIT("columnchart"),
        STR_INIT("timeline"),
        STR_INIT("3Dchart"),
        STR_INIT("card"),
        STR_INIT("treemap"),
        STR_INIT("plotly"),
        STR_INIT("graph"),
        STR_INIT("sankey"),
    };
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        if (str_equal_ci(step->as.text, KINDS[i])) {
            b->render = step->as.text;
            return input;
        }
    }
    bind_fail(b, step->as.span,
              "'%.*s' is no kind of chart; there are table, barchart, columnchart, piechart, "
              "linechart, timechart, areachart, stackedareachart, scatterchart, card and others "
              "(azimuth help render)",
              STR_ARG(step->as.text));
    return NULL;
}

static Plan *
bind_getschema(Binder *b, Plan *input, const AstOperator *step)
{
    static const struct {
        Str name;
        Type type;
    } COLUMNS[] = {
        {STR_INIT("ColumnName"), TYPE_STRING},
        {STR_INIT("ColumnOrdinal"), TYPE_LONG},
        {STR_INIT("DataType"), TYPE_STRING},
        {STR_INIT("ColumnType"), TYPE_STRING},
    };
    ColumnNamer namer = {.arena = b->arena};
    for (size_t i = 0; i < COUNT_OF(COLUMNS); i++)
        namer_add_auto(&namer, COLUMNS[i].name, COLUMNS[i].type);
    Batch *batch;
    uint32_t rows = input->schema.count;
    Plan *plan = values_plan(b, namer_schema(&namer), rows, &batch, step->span);
    if (!plan)
        return NULL;
    Vector *columns[COUNT_OF(COLUMNS)];
    for (size_t i = 0; i < COUNT_OF(COLUMNS); i++)
        batch->columns[i] = columns[i] = vector_new_flat(b->arena, COLUMNS[i].type, rows);
    for (uint32_t i = 0; i < rows; i++) {
        const Column *column = &input->schema.columns[i];
        Str dotnet = str_from(type_dotnet_name(column->type));
        Str type = str_from(type_name(column->type));
        ((Text *)columns[0]->data)[i] = text_view(column->name.ptr, column->name.len);
        ((int64_t *)columns[1]->data)[i] = i;
        ((Text *)columns[2]->data)[i] = text_view(dotnet.ptr, dotnet.len);
        ((Text *)columns[3]->data)[i] = text_view(type.ptr, type.len);
    }
    return plan;
}

// ---- the table of operators ----

Plan *
bind_operator(Binder *b, Plan *input, const AstOperator *step)
{
    static const struct {
        Str name;
        Plan *(*bind)(Binder *b, Plan *input, const AstOperator *step);
        bool keeps_columns; // all of the input's are in the output, but those it names
    } STEPS[] = {
        {STR_INIT("where"), bind_where, true},
        {STR_INIT("project"), bind_project, false},
        {STR_INIT("extend"), bind_extend, true},
        {STR_INIT("summarize"), bind_summarize, false},
        {STR_INIT("distinct"), bind_summarize, false},
        {STR_INIT("count"), bind_summarize, false},
        {STR_INIT("join"), bind_join, true},
        {STR_INIT("lookup"), bind_join, true},
        {STR_INIT("union"), bind_union, true},
        {STR_INIT("sort"), bind_sort, true},
        {STR_INIT("top"), bind_top, true},
        {STR_INIT("take"), bind_take, true},
        {STR_INIT("mv-expand"), bind_mv_expand, true},
        {STR_INIT("mvexpand"), bind_mv_expand, true},
        {STR_INIT("mv-apply"), bind_mv_apply, true},
        {STR_INIT("project-away"), bind_project_away, true},
        {STR_INIT("project-keep"), bind_project_keep, true},
        {STR_INIT("project-rename"), bind_project_rename, true},
        {STR_INIT("project-reorder"), bind_project_reorder, true},
        {STR_INIT("parse"), bind_parse, true},
        {STR_INIT("parse-where"), bind_parse, true},
        {STR_INIT("parse-kv"), bind_parse_kv, true},
        {STR_INIT("make-series"), bind_make_series, false},
        {STR_INIT("serialize"), bind_serialize, true},
        {STR_INIT("sample"), bind_sample, true},
        {STR_INIT("sample-distinct"), bind_sample_distinct, false},
        {STR_INIT("search"), bind_search, true},
        {STR_INIT("top-hitters"), bind_top_hitters, false},
        {STR_INIT("as"), bind_as, true},
        {STR_INIT("render"), bind_render, true},
        {STR_INIT("getschema"), bind_getschema, false},
        {STR_INIT("invoke"), bind_invoke, false},
        {STR_INIT("find"), bind_find, false},
        {STR_INIT("fork"), bind_several, false},
        {STR_INIT("facet"), bind_several, false},
        {STR_INIT("consume"), bind_consume, false},
        {STR_INIT("execute-and-cache"), bind_execute_and_cache, true},
        {STR_INIT("project-by-names"), bind_project_by_names, false},
        {STR_INIT("assert-schema"), bind_assert_schema, true},
        {STR_INIT("partition"), bind_partition, false},
        {STR_INIT("scan"), bind_scan, true},
        {STR_INIT("top-nested"), bind_top_nested, false},
        {STR_INIT("reduce"), bind_reduce, false},
        {STR_INIT("evaluate"), bind_evaluate, false},
        {STR_INIT("make-graph"), bind_make_graph, false},
        {STR_INIT("graph-match"), bind_graph_match, false},
        {STR_INIT("graph-shortest-paths"), bind_graph_match, false},
        {STR_INIT("graph-mark-components"), bind_graph_components, false},
        {STR_INIT("graph-where-nodes"), bind_graph_where, false},
        {STR_INIT("graph-where-edges"), bind_graph_where, false},
        {STR_INIT("graph-to-table"), bind_graph_to_table, false},
    };
    for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
        if (!str_equal(step->name, STEPS[i].name))
            continue;
        // A function may take a graph as its first argument.
        bool of_graph = str_starts(step->name, STR("graph-"));
        if ((input->graph != NULL) != of_graph && STEPS[i].bind != bind_invoke) {
            // In a function that nobody has called yet a parameter (*) may become a graph.
            b->missing_table |= b->hypothetical && b->doubtful && of_graph;
            bind_fail(b, step->span,
                      input->graph ? "'%.*s' works on a table, but its input is a graph; put "
                                     "graph-match or graph-to-table between"
                                   : "'%.*s' works on a graph; build one with make-graph first",
                      STR_ARG(step->name));
            return NULL;
        }
        Plan *plan = STEPS[i].bind(b, input, step);
        if (plan && STEPS[i].keeps_columns)
            plan->open |= input->open;
        return plan;
    }
    return bind_unsupported_plan(b, step);
}
