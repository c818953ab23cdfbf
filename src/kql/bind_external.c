// Tables whose rows come from outside: externaldata, inline_external_table, and the
// calls that yield tables of a workspace: watchlists, stored results.
//
// Under check nothing is read: the schema is in the query, and that is all binding needs.

#include "kql/bind_state.h"
#include "value/scalar.h"

// ---- properties ----

static bool
property_value(Binder *b, const AstParam *property, Value *out)
{
    if (!property->expr) {
        *out = value_string(property->text);
        return true;
    }
    Expr *value = bind_expression(b, property->expr, NULL);
    if (!value)
        return false;
    if (value->kind != EXPR_CONST)
        return bind_fail(b, property->span, "the property '%.*s' must be a constant",
                         STR_ARG(property->name));
    *out = value->value;
    return true;
}

static bool
property_text(Binder *b, const AstParam *property, Str *out)
{
    Value value;
    if (!property_value(b, property, &value))
        return false;
    if (value.type != TYPE_STRING && value.type != TYPE_DYNAMIC)
        return bind_fail(b, property->span, "the property '%.*s' must be a string",
                         STR_ARG(property->name));
    value = value_convert(b->arena, &value, TYPE_STRING);
    *out = str_copy(b->arena, text_str(&value.text)); // short texts live in the value
    return true;
}

static bool
property_flag(Binder *b, const AstParam *property, bool *out)
{
    Value value;
    if (!property_value(b, property, &value))
        return false;
    if (value.type == TYPE_STRING)
        *out = str_equal_ci(text_str(&value.text), STR("true")) ||
               str_equal_ci(text_str(&value.text), STR("all"));
    else
        *out = value.type == TYPE_BOOL && !value.is_null && value.boolean;
    return true;
}

// The documented properties that change what is read; others are hints to the service.
static bool
read_properties(Binder *b, const AstParamList *properties, ExternalRequest *request)
{
    for (size_t i = 0; i < properties->len; i++) {
        const AstParam *property = &properties->items[i];
        Str name = property->name;
        bool done = true;
        if (str_equal_ci(name, STR("format")))
            done = property_text(b, property, &request->format);
        else if (str_equal_ci(name, STR("ignoreFirstRecord")) ||
                 str_equal_ci(name, STR("includeHeaders")))
            done = property_flag(b, property, &request->skip_first);
        else if (str_equal_ci(name, STR("ingestionMapping")))
            done = property_text(b, property, &request->mapping);
        else if (str_equal_ci(name, STR("ingestionMappingReference")))
            done = bind_fail(b, property->span,
                             "a mapping kept in a service cannot be looked up: write it into the "
                             "query with ingestionMapping='[...]'");
        else if (str_equal_ci(name, STR("namePrefix")))
            done = property_text(b, property, &request->name_prefix);
        else if (str_equal_ci(name, STR("fileExtension")))
            done = property_text(b, property, &request->extension);
        if (!done)
            return false;
    }
    return true;
}

static bool
read_addresses(Binder *b, const AstExprList *list, ExternalRequest *request)
{
    Str *addresses = ARENA_ARRAY(b->arena, Str, list->len + 1);
    for (size_t i = 0; i < list->len; i++) {
        Expr *address = bind_constant(b, list->items[i], TYPE_STRING, "an address");
        if (!address)
            return false;
        if (address->kind != EXPR_CONST)
            return bind_fail(b, list->items[i]->span, "an address must be a constant");
        addresses[i] = text_str(&address->value.text);
    }
    request->addresses = addresses;
    request->address_count = (uint32_t)list->len;
    return true;
}

// ---- the sources ----

static bool
declared_schema(Binder *b, const AstOperator *step, Schema *out)
{
    ColumnNamer namer = {.arena = b->arena};
    if (!step->columns.len)
        return bind_fail(b, step->span, "%.*s needs its columns: %.*s (Name:string, ...)",
                         STR_ARG(step->name), STR_ARG(step->name));
    for (size_t c = 0; c < step->columns.len; c++)
        if (!namer_add(b, &namer, &step->columns.items[c].name, STR(""),
                       step->columns.items[c].type))
            return false;
    *out = namer_schema(&namer);
    return true;
}

static Plan *
empty_plan(Binder *b, Schema schema, Span span)
{
    Plan *plan = bind_plan(b, PLAN_VALUES, span);
    if (!plan)
        return NULL;
    plan->schema = schema;
    return plan;
}

static Plan *
external_plan(Binder *b, const ExternalRequest *request, Str name, Span span)
{
    if (b->catalog->check)
        return empty_plan(b, request->schema, span);
    AzError error = {0};
    TableSource *source = b->catalog->find_external(b->catalog->context, request, &error);
    if (source)
        return scan_plan(b, source, name, false, span);
    if (b->error->code == AZ_OK)
        error_at(b->error, error.code, span, "%s", error.message);
    return NULL;
}

Plan *
bind_externaldata(Binder *b, const AstOperator *step)
{
    ExternalRequest request = {0};
    if (!declared_schema(b, step, &request.schema) || !read_addresses(b, &step->rows, &request) ||
        !read_properties(b, &step->properties, &request))
        return NULL;
    return external_plan(b, &request, step->name, step->span);
}

// Partition columns are computed from the row's own columns; those read from the path
// need the service's layout of folders.
static Plan *
add_partitions(Binder *b, Plan *plan, const AstOperator *step)
{
    for (size_t i = 0; plan && i < step->declared_count; i++) {
        const AstParameter *column = &step->declared[i];
        if (!column->default_) {
            bind_fail(b, column->name.span,
                      "the partition column '%.*s' is read from the path, which only storage "
                      "services lay out: compute it from a column (= expression)",
                      STR_ARG(column->name.text));
            return NULL;
        }
        Row row = row_of(plan);
        Expr *value = bind_convert(b, bind_expression(b, column->default_, &row), column->type);
        if (!value)
            return NULL;
        ColumnNamer namer = {.arena = b->arena};
        uint32_t count = plan->schema.count;
        Expr **exprs = ARENA_ARRAY(b->arena, Expr *, count + 1);
        for (uint32_t c = 0; c < count; c++) {
            exprs[c] = expr_column(b->arena, c, plan->schema.columns[c].type, plan->span);
            namer_add_auto(&namer, plan->schema.columns[c].name, plan->schema.columns[c].type);
        }
        exprs[count] = value;
        if (!namer_add(b, &namer, &column->name, STR(""), column->type))
            return NULL;
        plan = bind_projection(b, plan, namer_schema(&namer), exprs, false, step->span);
    }
    return plan;
}

Plan *
bind_inline_external_table(Binder *b, const AstOperator *step)
{
    const AstParam *kind = operator_param(step, "kind");
    const AstParam *format = operator_param(step, "dataformat");
    if (!kind) {
        bind_fail(b, step->span, "inline_external_table needs kind=storage or kind=delta");
        return NULL;
    }
    bool delta = str_equal_ci(kind->text, STR("delta"));
    if (!delta && !str_equal_ci(kind->text, STR("storage"))) {
        bind_fail(b, kind->span, "the kind of an inline external table is storage or delta");
        return NULL;
    }
    if (delta && !b->catalog->check) {
        error_at(b->error, AZ_UNSUPPORTED, step->span,
                 "Delta tables are not read here: export the table to CSV or JSON and use "
                 "kind=storage dataformat=csv");
        return NULL;
    }
    if (!delta && !format) {
        bind_fail(b, step->span, "kind=storage needs dataformat=csv, json ...");
        return NULL;
    }
    ExternalRequest request = {0};
    if (!declared_schema(b, step, &request.schema) || !read_addresses(b, &step->rows, &request) ||
        (format && !property_text(b, format, &request.format)) ||
        !read_properties(b, &step->properties, &request))
        return NULL;
    return add_partitions(b, external_plan(b, &request, step->name, step->span), step);
}

// ---- watchlists ----

// The columns every watchlist has.
static Schema
watchlist_schema(Binder *b)
{
    static const Column COLUMNS[] = {
        {STR_INIT("_DTItemId"), TYPE_STRING},
        {STR_INIT("LastUpdatedTimeUTC"), TYPE_DATETIME},
        {STR_INIT("SearchKey"), TYPE_STRING},
    };
    Schema schema = {(Column *)COLUMNS, COUNT_OF(COLUMNS)};
    return schema_copy(b->arena, &schema);
}

// Items come as one bag a row; each member becomes a column of its own.
static Plan *
unpack_items(Binder *b, Plan *raw, const Str *columns, size_t count, Span span)
{
    Schema fixed = watchlist_schema(b);
    ColumnNamer namer = {.arena = b->arena};
    Expr **exprs = ARENA_ARRAY(b->arena, Expr *, fixed.count + count);
    uint32_t used = 0;
    for (; used < fixed.count; used++) {
        ptrdiff_t at = schema_find(&raw->schema, fixed.columns[used].name);
        exprs[used] = expr_column(b->arena, (uint32_t)at, fixed.columns[used].type, span);
        namer_add_auto(&namer, fixed.columns[used].name, fixed.columns[used].type);
    }
    ptrdiff_t item = schema_find(&raw->schema, STR("WatchlistItem"));
    for (size_t c = 0; c < count; c++) {
        Value key = value_string(columns[c]);
        Expr **args = ARENA_ARRAY(b->arena, Expr *, 2);
        args[0] = expr_column(b->arena, (uint32_t)item, TYPE_DYNAMIC, span);
        args[1] = expr_const(b->arena, &key, span);
        Expr *member = bind_function(b, STR("$path"), args, 2, span);
        exprs[used] = bind_convert(b, member, TYPE_STRING);
        if (!exprs[used++])
            return NULL;
        namer_add_auto(&namer, columns[c], TYPE_STRING);
    }
    return bind_projection(b, raw, namer_schema(&namer), exprs, false, span);
}

// _GetWatchlist(alias [, keys]). One that is not in the store is empty, as in a
// workspace; of its columns only those that all watchlists have are then known.
static Plan *
bind_watchlist(Binder *b, const AstExpr *ast)
{
    Expr *name = ast->args.len
                     ? bind_constant(b, ast->args.items[0], TYPE_STRING, "the alias of a watchlist")
                     : NULL;
    if (!name || name->kind != EXPR_CONST) {
        bind_fail(b, ast->span, "_GetWatchlist() takes the alias of a watchlist");
        return NULL;
    }
    Str alias = text_str(&name->value.text);
    Str *columns = NULL;
    size_t count = 0;
    AzError error = {0};
    if (b->catalog->find_watchlist(b->catalog->context, b->arena, alias, &columns, &count,
                                   &error)) {
        AstExpr *raw = ARENA_NEW(b->arena, AstExpr);
        *raw = *ast;
        raw->name.text = STR("_ASIM_GetWatchlistRaw");
        Plan *plan = bind_table(b, raw);
        return plan ? unpack_items(b, plan, columns, count, ast->span) : NULL;
    }
    if (error.code != AZ_OK) {
        error_at(b->error, error.code, ast->span, "%s", error.message);
        return NULL;
    }
    Plan *plan = empty_plan(b, watchlist_schema(b), ast->span);
    if (b->catalog->check)
        return open_table(b, plan, str_format(b->arena, "$watchlist %.*s", STR_ARG(alias)));
    b->unknown_watchlist = alias;
    return plan;
}

// ---- what only a service keeps ----

static Plan *
service_table(Binder *b, const AstExpr *ast)
{
    static const struct {
        Str name;
        const char *what, *remedy;
    } KINDS[] = {
        {STR_INIT("external_table"), "external table",
         "its files can be read with externaldata, or imported as a table"},
        {STR_INIT("materialized_view"), "materialized view",
         "save its query as a function, or import its rows as a table"},
        {STR_INIT("stored_query_result"), "stored query result",
         "use the query it was made from, or import its rows as a table"},
    };
    Expr *name = ast->args.len
                     ? bind_constant(b, ast->args.items[0], TYPE_STRING, "the name of the table")
                     : NULL;
    if (!name || name->kind != EXPR_CONST) {
        bind_fail(b, ast->span, "%.*s() takes the name of a table", STR_ARG(ast->name.text));
        return NULL;
    }
    // A table or function of that name stands for it.
    Str text = text_str(&name->value.text);
    Plan *plan = bind_table_name(b, text, ast->span);
    if (plan || b->error->code != AZ_SEMANTIC)
        return plan;
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        if (!str_equal(ast->name.text, KINDS[i].name))
            continue;
        error_clear(b->error);
        bind_fail(b, ast->span, "there is no %s '%.*s' here: %s", KINDS[i].what, STR_ARG(text),
                  KINDS[i].remedy);
    }
    return NULL;
}

// graph(name): a let or function of that name that yields a graph stands for the model.
// Which snapshot is meant has no meaning then.
static Plan *
graph_model(Binder *b, const AstExpr *ast)
{
    Expr *name = ast->args.len
                     ? bind_constant(b, ast->args.items[0], TYPE_STRING, "the name of the graph")
                     : NULL;
    if (!name || name->kind != EXPR_CONST) {
        bind_fail(b, ast->span, "graph() takes the name of a graph");
        return NULL;
    }
    Str text = text_str(&name->value.text);
    Plan *plan = bind_table_name(b, text, ast->span);
    if (plan && plan->graph)
        return plan;
    if (plan) {
        bind_fail(b, ast->span, "'%.*s' is a table, not a graph", STR_ARG(text));
    } else if (b->error->code == AZ_SEMANTIC) {
        error_clear(b->error);
        bind_fail(
            b, ast->span,
            "this store holds no graph model '%.*s': build the graph with make-graph, or save "
            "a function of that name that does",
            STR_ARG(text));
    }
    return NULL;
}

static const struct {
    Str name;
    Plan *(*bind)(Binder *b, const AstExpr *ast);
} SPECIAL_TABLES[] = {
    {STR_INIT("_GetWatchlist"), bind_watchlist},
    {STR_INIT("graph"), graph_model},
    {STR_INIT("external_table"), service_table},
    {STR_INIT("materialized_view"), service_table},
    {STR_INIT("stored_query_result"), service_table},
};

bool
is_special_table(Str name)
{
    for (size_t i = 0; i < COUNT_OF(SPECIAL_TABLES); i++)
        if (str_equal(name, SPECIAL_TABLES[i].name))
            return true;
    return false;
}

bool
bind_special_table(Binder *b, const AstExpr *ast, Plan **out)
{
    for (size_t i = 0; i < COUNT_OF(SPECIAL_TABLES); i++)
        if (str_equal(ast->name.text, SPECIAL_TABLES[i].name)) {
            *out = SPECIAL_TABLES[i].bind(b, ast);
            return true;
        }
    return false;
}
