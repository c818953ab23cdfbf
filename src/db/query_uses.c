// What a query reads: the tables and the functions in KQL that the binder asks for while it gives
// the names of the query their meaning. So what is told is what a run would touch, through functions
// of functions and in every branch of a union, and no word of a text that looks like a name.

#include "db/db_internal.h"
#include "kql/ast_print.h"
#include "kql/parser.h"

// The catalog as it is, with two questions overheard.
typedef struct UsesCatalog {
    QueryCatalog query; // first: the context of the callbacks is this
    Catalog plain;
    Arena *arena;
    Map tables, functions; // names told already
    QueryUses *uses;
} UsesCatalog;

static void
note_table(UsesCatalog *uses, Str name)
{
    if (map_get(&uses->tables, name))
        return;
    UsedTable table = {.name = str_copy(uses->arena, name)};
    table.declared_in =
        str_copy(uses->arena, content_table_source(uses->query.db->content, table.name));
    map_put(&uses->tables, table.name, uses);
    ARRAY_PUSH(uses->arena, &uses->uses->tables, table);
}

static TableSource *
heard_table(void *context, Str database, Str name, Str *canonical, bool *ignore_case,
            AzError *error)
{
    UsesCatalog *uses = context;
    TableSource *source =
        uses->plain.find_table(context, database, name, canonical, ignore_case, error);
    if (source)
        note_table(uses, *canonical);
    return source;
}

static TableSource *
heard_table_function(void *context, const TableFunctionDef *fn, const Value *args, AzError *error)
{
    UsesCatalog *uses = context;
    note_table(uses, str_from(fn->name));
    return uses->plain.open_table_function(context, fn, args, error);
}

static void
note_function(UsesCatalog *uses, const AstFunctionFile *file)
{
    const AstFunction *function = file->function;
    Buffer parameters = {0};
    ast_print_parameters(function, &parameters);
    UsedFunction used = {
        .name = str_copy(uses->arena, file->name.text),
        .folder = str_copy(uses->arena, file->folder),
        .docstring = str_copy(uses->arena, file->docstring),
        .parameters = str_copy(uses->arena, buffer_slice(&parameters)),
    };
    buffer_free(&parameters);
    // From the first statement to the brace that ends the function.
    if (function->body.len) {
        Str body = str_slice(file->text, function->body.items[0].span.start, function->span.end);
        body = str_trim(body);
        if (body.len && body.ptr[body.len - 1] == '}')
            body.len--;
        used.body = str_copy(uses->arena, str_trim(body));
    }
    map_put(&uses->functions, used.name, uses);
    ARRAY_PUSH(uses->arena, &uses->uses->functions, used);
}

static const AstFunctionFile *
heard_function(void *context, Str name, AzError *error)
{
    UsesCatalog *uses = context;
    const AstFunctionFile *file = uses->plain.find_user_function(context, name, error);
    if (file && !map_get(&uses->functions, file->name.text))
        note_function(uses, file);
    return file;
}

static const AstFunctionFile *
heard_brought_function(void *context, Str name, AzError *error)
{
    UsesCatalog *uses = context;
    const AstFunctionFile *file = uses->plain.find_brought_function(context, name, error);
    if (file && !map_get(&uses->functions, file->name.text))
        note_function(uses, file);
    return file;
}

bool
db_query_uses(Database *db, Arena *arena, Str text, QueryUses *out, AzError *error)
{
    *out = (QueryUses){0};
    Arena plans = {0};
    UsesCatalog uses = {.arena = arena, .uses = out};
    query_catalog_init(&uses.query, db, NULL, true);
    map_init(&uses.tables, &plans, false);
    map_init(&uses.functions, &plans, false);
    uses.plain = uses.query.catalog;
    uses.query.catalog.find_table = heard_table;
    uses.query.catalog.open_table_function = heard_table_function;
    uses.query.catalog.find_user_function = heard_function;
    uses.query.catalog.find_brought_function = heard_brought_function;
    AstQuery *query = kql_parse(&plans, text, NULL, error);
    bool done = query && kql_bind(&plans, query, &uses.query.catalog, NULL, error);
    query_catalog_free(&uses.query);
    arena_free(&plans);
    return done;
}
