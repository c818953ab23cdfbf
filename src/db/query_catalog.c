// The catalog that the binder sees: the store, the content, the registry and what the
// caller of a query said, as the callbacks of kql/catalog.h.

#include "db/db_internal.h"

#include "base/clock.h"
#include "db/rows.h"
#include "exec/plugin.h"
#include "kql/ast_print.h"

// A declared table without rows: known, and empty.
static MemoryTable *
empty_table(Database *db, Str name)
{
    MemoryTable *table = map_get(&db->empty, name);
    const Schema *schema;
    TableKind kind;
    Str canonical;
    if (table || !content_schema(db->content, name, &canonical, &schema, &kind))
        return table;
    table = ARENA_NEW(&db->empty_arena, MemoryTable);
    table->name = canonical;
    table->ignore_case = kind == TABLE_INVENTORY;
    table->source = memory_source_new(&db->empty_arena, schema, NULL, 0);
    map_put(&db->empty, canonical, table);
    return table;
}

// The table in the view of a store; NULL without an error when it has none.
static TableSource *
stored_table(QueryCatalog *query, StoreView *view, Str name, Str *canonical, bool *ignore_case,
             AzError *error)
{
    Database *db = query->db;
    TableSource *source = store_view_source(view, name, error);
    if (!source)
        return NULL;
    struct OpenedTable opened = {view, source};
    ARRAY_PUSH(&query->arena, &query->opened, opened);
    const Schema *declared;
    TableKind kind = TABLE_LOG;
    *canonical = name;
    if (content_schema(db->content, name, canonical, &declared, &kind))
        store_view_widen(source, declared);
    *ignore_case = kind == TABLE_INVENTORY;
    return source;
}

// A custom table (_CL) has whatever columns its owner sends. Under check, or when the caller
// asks for it, one that is not in the store is taken as the query has it; see
// catalog_open_column.
static MemoryTable *
custom_table(QueryCatalog *query, Str name)
{
    static const Column COLUMNS[] = {
        {STR_INIT("TimeGenerated"), TYPE_DATETIME},
        {STR_INIT("TenantId"), TYPE_STRING},
        {STR_INIT("Computer"), TYPE_STRING},
        {STR_INIT("RawData"), TYPE_STRING},
        {STR_INIT("Type"), TYPE_STRING},
        {STR_INIT("_ResourceId"), TYPE_STRING},
    };
    bool assumed = query->catalog.check || (query->options && query->options->assume_custom_tables);
    if (!assumed || !str_ends(name, STR("_CL")))
        return NULL;
    MemoryTable *table = map_get(&query->custom, name);
    if (table)
        return table;
    Schema schema = {(Column *)(uintptr_t)COLUMNS, COUNT_OF(COLUMNS)};
    table = ARENA_NEW(&query->arena, MemoryTable);
    table->name = str_copy(&query->arena, name);
    table->source = memory_source_new(&query->arena, &schema, NULL, 0);
    map_put(&query->custom, table->name, table);
    return table;
}

static bool
failed(const AzError *error)
{
    return error && error->code != AZ_OK;
}

// Leads a place to this store (true, *view NULL) or another one. Resource Graph's tables
// lie beside the logs. Under check what is not mapped is taken for this store, since the
// declared schemas are the same everywhere.
static bool
find_place(QueryCatalog *query, Str place, StoreView **view, AzError *error)
{
    *view = NULL;
    if (!place.len || str_equal(place, STR("arg")))
        return true;
    const char *target = places_find(query->db->places, place);
    if (target && strcmp(target, ".") != 0) {
        *view = places_store(query->db->places, target, error);
        return *view != NULL;
    }
    return target || query->catalog.check ||
           error_set(error, AZ_NOT_FOUND,
                     "it is not known where %.*s lies: say --map '%.*s=.' for this store, or "
                     "--map '%.*s=DIR' for another one",
                     STR_ARG(place), STR_ARG(place), STR_ARG(place));
}

// ---- computed tables ----

// The function of that name and the set it is in; NULL when there is none.
static const TableFunctionDef *
computed_table(const Database *db, Str name, const TableFunctions **home)
{
    for (size_t i = 0; i < db->table_functions.len; i++) {
        const TableFunctions *added = &db->table_functions.items[i];
        for (uint32_t f = 0; f < added->set.count; f++)
            if (str_equal(name, str_from(added->set.functions[f].name))) {
                *home = added;
                return &added->set.functions[f];
            }
    }
    return NULL;
}

static const TableFunctionDef *
catalog_table_function(void *context, Str name)
{
    const TableFunctions *home = NULL;
    return computed_table(((QueryCatalog *)context)->db, name, &home);
}

static void
catalog_each_table_function(void *context, void (*each)(void *arg, const TableFunctionDef *fn),
                            void *arg)
{
    db_each_table_function(((QueryCatalog *)context)->db, each, arg);
}

static TableSource *
catalog_open_table_function(void *context, const TableFunctionDef *fn, const Value *args,
                            AzError *error)
{
    QueryCatalog *query = context;
    const TableFunctions *home = NULL;
    computed_table(query->db, str_from(fn->name), &home);
    query->looked = true;
    if (!query->catalog.check)
        return home->set.open(home->context, query->db, &query->arena, fn, args, error);
    Schema schema = {ARENA_ARRAY(&query->arena, Column, fn->column_count), fn->column_count};
    for (uint32_t c = 0; c < fn->column_count; c++)
        schema.columns[c] = (Column){str_from(fn->columns[c].name), fn->columns[c].type};
    return memory_source_new(&query->arena, &schema, NULL, 0);
}

// A computed table counts as holding some.
static void
note_rows(QueryCatalog *query, Str name, bool holds_rows)
{
    TablesRead *read = query->options ? query->options->tables_read : NULL;
    if (!read)
        return;
    read->holds_rows |= holds_rows;
    for (size_t i = 0; i < read->empty.len; i++)
        holds_rows |= str_equal(read->empty.items[i], name);
    if (!holds_rows)
        ARRAY_PUSH(read->arena, &read->empty, str_copy(read->arena, name));
}

static TableSource *
catalog_table(void *context, Str database, Str name, Str *canonical, bool *ignore_case,
              AzError *error)
{
    QueryCatalog *query = context;
    Database *db = query->db;
    StoreView *other;
    if (!find_place(query, database, &other, error))
        return NULL;
    MemoryTable *table = other ? NULL : map_get(&db->tables, name);
    StoreView *view = other ? other : db->view;
    if (!table && view) {
        TableSource *source = stored_table(query, view, name, canonical, ignore_case, error);
        if (source)
            note_rows(query, *canonical, source->row_count > 0);
        if (source || failed(error))
            return source;
    }
    const TableFunctions *home = NULL;
    const TableFunctionDef *computed = table || other ? NULL : computed_table(db, name, &home);
    if (computed && !table_function_required(computed)) {
        Value *args = ARENA_ARRAY(&query->arena, Value, computed->param_count);
        for (uint32_t i = 0; i < computed->param_count; i++)
            args[i] = value_null(computed->params[i].type);
        *canonical = name;
        note_rows(query, name, true);
        return catalog_open_table_function(context, computed, args, error);
    }
    if (!table)
        table = empty_table(db, name);
    if (!table)
        table = custom_table(query, name);
    if (!table)
        return NULL;
    note_rows(query, table->name, table->source->row_count > 0);
    *canonical = table->name;
    *ignore_case = table->ignore_case;
    return table->source;
}

void
db_each_table(Database *db, void (*each)(void *arg, Str name), void *arg)
{
    size_t count = 0;
    const StoreTable *tables = db->view ? store_view_tables(db->view, &count) : NULL;
    for (size_t i = 0; i < count; i++)
        each(arg, tables[i].name);
    for (size_t i = 0; i < db->tables.len; i++)
        each(arg, db->tables.entries[i].key);
}

static void
catalog_each_table(void *context, void (*each)(void *arg, Str name), void *arg)
{
    QueryCatalog *query = context;
    db_each_table(query->db, each, arg);
    content_each_table(query->db->content, CONTENT_TABLES, each, arg);
}

static void
catalog_each_parser(void *context, void (*each)(void *arg, Str name), void *arg)
{
    content_each_table(((QueryCatalog *)context)->db->content, CONTENT_PARSERS, each, arg);
}

static const FunctionDef *const *
catalog_function(void *context, Str name, size_t *count)
{
    return registry_find(((QueryCatalog *)context)->db->registry, name, count);
}

static void
catalog_each_function(void *context, void (*each)(void *arg, const FunctionDef *fn), void *arg)
{
    registry_each(((QueryCatalog *)context)->db->registry, each, arg);
}

void
db_each_function(Database *db, void (*each)(void *arg, const FunctionDef *fn), void *arg)
{
    registry_each(db->registry, each, arg);
}

// ---- functions kept in the store ----

typedef struct SavedEntry {
    SavedFunction saved;
    const AstFunctionFile *file; // once parsed
} SavedEntry;

static bool
read_saved(Database *db, AzError *error)
{
    if (db->saved_read || !db->store)
        return true;
    SavedFunction *functions;
    size_t count;
    if (!store_functions(db->store, &db->arena, &functions, &count, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        SavedEntry *entry = ARENA_NEW(&db->arena, SavedEntry);
        entry->saved = functions[i];
        map_put(&db->saved, entry->saved.name, entry);
    }
    db->saved_read = true;
    return true;
}

static const AstFunctionFile *
saved_function(Database *db, Str name, AzError *error)
{
    SavedEntry *entry = read_saved(db, error) ? map_get(&db->saved, name) : NULL;
    if (entry && !entry->file)
        entry->file = function_parse(&db->arena, entry->saved.name, entry->saved.text,
                                     STR("saved in the store"), error);
    return entry ? entry->file : NULL;
}

typedef struct EachFunction {
    QueryCatalog *query;
    void (*each)(void *arg, const KqlFunctionInfo *info);
    void *arg;
} EachFunction;

static void
tell_function(void *context, Str name)
{
    EachFunction *told = context;
    Catalog *catalog = &told->query->catalog;
    AzError ignored = {0};
    const AstFunctionFile *file = catalog->find_user_function(catalog->context, name, &ignored);
    if (!file)
        return;
    Buffer parameters = {0};
    ast_print_parameters(file->function, &parameters);
    KqlFunctionInfo info = {name, buffer_slice(&parameters), file->docstring};
    told->each(told->arg, &info);
    buffer_free(&parameters);
}

void
db_each_kql_function(Database *db, void (*each)(void *arg, const KqlFunctionInfo *info), void *arg)
{
    QueryCatalog query;
    query_catalog_init(&query, db, NULL, true);
    EachFunction told = {&query, each, arg};
    AzError ignored = {0};
    if (read_saved(db, &ignored))
        for (size_t i = 0; i < db->saved.len; i++)
            tell_function(&told, db->saved.entries[i].key);
    content_each_function(db->content, tell_function, &told);
    query_catalog_free(&query);
}

static const AstFunctionFile *
catalog_brought_function(void *context, Str name, AzError *error)
{
    Database *db = ((QueryCatalog *)context)->db;
    const AstFunctionFile *file = saved_function(db, name, error);
    return file || failed(error) ? file : content_brought_function(db->content, name, error);
}

// What a user saved or brought stands before what came with the program.
static const AstFunctionFile *
catalog_user_function(void *context, Str name, AzError *error)
{
    const AstFunctionFile *file = catalog_brought_function(context, name, error);
    Database *db = ((QueryCatalog *)context)->db;
    return file || failed(error) ? file : content_function(db->content, name, error);
}

// ---- what only data or the caller knows ----

// Columns that Log Analytics adds to every table and shows only when they are named.
static const Column HIDDEN_COLUMNS[] = {
    {STR_INIT("_ItemId"), TYPE_STRING},
    {STR_INIT("_TimeReceived"), TYPE_DATETIME},
    {STR_INIT("_ResourceId"), TYPE_STRING},
    {STR_INIT("_SubscriptionId"), TYPE_STRING},
    {STR_INIT("_WorkspaceId"), TYPE_STRING},
    {STR_INIT("_IsBillable"), TYPE_STRING},
    {STR_INIT("_BilledSize"), TYPE_REAL},
    {STR_INIT("_Internal_WorkspaceResourceId"), TYPE_STRING},
    {STR_INIT("TenantId"), TYPE_STRING},
    {STR_INIT("SourceSystem"), TYPE_STRING},
    {STR_INIT("MG"), TYPE_STRING},
    {STR_INIT("ManagementGroupName"), TYPE_STRING},
    {STR_INIT("SourceComputerId"), TYPE_STRING},
};

// Columns of AzureDiagnostics and of custom tables carry their type at the end of their
// name (Azure Monitor docs: column name suffixes).
static Type
suffix_type(Str column)
{
    static const struct {
        Str suffix;
        Type type;
    } SUFFIXES[] = {
        {STR_INIT("_s"), TYPE_STRING},   {STR_INIT("_d"), TYPE_REAL}, {STR_INIT("_b"), TYPE_BOOL},
        {STR_INIT("_t"), TYPE_DATETIME}, {STR_INIT("_g"), TYPE_GUID},
    };
    for (size_t i = 0; i < COUNT_OF(SUFFIXES); i++)
        if (str_ends(column, SUFFIXES[i].suffix))
            return SUFFIXES[i].type;
    return TYPE_NONE;
}

static Type
catalog_open_column(void *context, Str table, Str column)
{
    QueryCatalog *query = context;
    Database *db = query->db;
    bool suffixed = str_equal_ci(table, STR("AzureDiagnostics")) || str_ends(table, STR("_CL"));
    if (suffixed && suffix_type(column) != TYPE_NONE)
        return suffix_type(column);
    if (map_get(&query->custom, table))
        return TYPE_STRING;
    const Schema *schema;
    TableKind kind;
    Str canonical;
    if (!content_schema(db->content, table, &canonical, &schema, &kind) || kind != TABLE_LOG ||
        schema_find(schema, STR("TimeGenerated")) < 0)
        return TYPE_NONE;
    for (size_t i = 0; i < COUNT_OF(HIDDEN_COLUMNS); i++)
        if (str_equal(column, HIDDEN_COLUMNS[i].name))
            return HIDDEN_COLUMNS[i].type;
    return TYPE_NONE;
}

static Str
request_key(QueryCatalog *query, const ExternalRequest *request)
{
    Buffer key = {0};
    for (uint32_t c = 0; c < request->schema.count; c++)
        buffer_printf(&key, "%.*s:%d,", STR_ARG(request->schema.columns[c].name),
                      (int)request->schema.columns[c].type);
    for (uint32_t i = 0; i < request->address_count; i++)
        buffer_printf(&key, "\n%.*s", STR_ARG(request->addresses[i]));
    buffer_printf(&key, "\n%.*s\n%.*s\n%.*s\n%.*s\n%d", STR_ARG(request->format),
                  STR_ARG(request->mapping), STR_ARG(request->name_prefix),
                  STR_ARG(request->extension), request->skip_first);
    Str copy = str_copy(&query->arena, buffer_slice(&key));
    buffer_free(&key);
    return copy;
}

// Files are read when their table is bound; a table that is bound at several places, or
// anew, is read once.
static TableSource *
catalog_external(void *context, const ExternalRequest *request, AzError *error)
{
    QueryCatalog *query = context;
    Database *db = query->db;
    query->looked = true;
    Str key = request_key(query, request);
    TableSource *source = map_get(&query->external, key);
    if (source)
        return source;
    ExternalAccess access = {
        .roots = db->external_roots,
        .root_count = db->external_root_count,
        .store = db->store ? store_dir(db->store) : NULL,
        .places = db->places,
        .budget = &db->budget,
        .cancel = query->options ? query->options->cancel : NULL,
    };
    source = external_read(&query->arena, request, &access, error);
    query->held += access.held;
    if (source)
        map_put(&query->external, key, source);
    return source;
}

// The members that the items of a watchlist have, in the order of their first row.
static bool
catalog_watchlist(void *context, Arena *arena, Str alias, Str **columns, size_t *count,
                  AzError *error)
{
    static const Str QUERY =
        STR_INIT("declare query_parameters(watchlist:string);"
                 "_ASIM_GetWatchlistRaw(watchlist) | mv-expand Name = bag_keys(WatchlistItem) to "
                 "typeof(string) | distinct Name");
    QueryCatalog *query = context;
    query->looked = true;
    QueryParameter parameter = {STR("watchlist"), alias};
    QueryOptions options = {.parameters = &parameter, .parameter_count = 1, .now = query->now};
    if (query->options)
        options.cancel = query->options->cancel;
    QueryResult *result = db_query(query->db, arena, QUERY, &options, error);
    if (!result || !result->tables[0]->row_count)
        return false;
    RowReader reader = {.table = result->tables[0]};
    *columns = ARENA_ARRAY(arena, Str, reader.table->row_count);
    for (*count = 0; rows_next(&reader);)
        (*columns)[(*count)++] = rows_text(&reader, 0, arena);
    return true;
}

static bool
catalog_parameter(void *context, Str name, Str *text)
{
    QueryCatalog *query = context;
    for (size_t i = 0; query->options && i < query->options->parameter_count; i++)
        if (str_equal(query->options->parameters[i].name, name)) {
            *text = query->options->parameters[i].text;
            query->used[i] = true;
            return true;
        }
    return false;
}

// ---- functions of the registry ----

static bool
catalog_bind_call(void *context, Arena *arena, const FunctionDef *fn, Expr *const *args,
                  uint32_t arg_count, Span span, Type *type, const void **bound, AzError *error)
{
    if (fn->flags & FN_GEOIP)
        *bound = ((QueryCatalog *)context)->db->geoip;
    const ScalarImpl *impl = fn->kind == FUNCTION_SCALAR ? fn->impl : NULL;
    if (!impl || !impl->bind)
        return true;
    return impl->bind(arena, fn, args, arg_count, span, type, bound, error);
}

static bool
catalog_bind_aggregate(void *context, Arena *arena, AggregateCall *call, AzError *error)
{
    (void)context;
    const AggregateImpl *impl = call->fn->impl;
    return !impl->bind || impl->bind(arena, call, error);
}

static const PluginDef *
catalog_plugin(void *context, Str name)
{
    (void)context;
    return plugin_find(name);
}

static void
catalog_each_plugin(void *context, void (*each)(void *arg, const PluginDef *plugin), void *arg)
{
    (void)context;
    plugin_each(each, arg);
}

void
db_each_plugin(void (*each)(void *arg, const PluginDef *plugin), void *arg)
{
    plugin_each(each, arg);
}

static ResultTable *
look_at_rows(void *context, Arena *arena, const Plan *plan, AzError *error)
{
    QueryCatalog *query = context;
    uint32_t off = query->options ? query->options->rules_off : 0;
    query->looked = true;
    ExecOptions exec = *query->exec;
    exec.now = query->now;
    // The optimiser leaves parts of what it makes in the plan, so they live as long as it.
    Plan *copy = arena_copy(query->plans, plan, sizeof(*plan));
    kql_optimise(query->plans, &copy, 1, &query->catalog, OPTIMISE_ALL & ~off);
    return exec_run(arena, copy, &exec, error);
}

static bool
catalog_bind_plugin(void *context, Arena *arena, PluginCall *call, AzError *error)
{
    QueryCatalog *query = context;
    PluginBind bind = {
        .arena = arena,
        .call = call,
        .error = error,
        .run = query->exec ? look_at_rows : NULL,
        .context = query,
    };
    return plugin_bind(&bind);
}

static bool
catalog_fold(void *context, Arena *arena, const Expr *expr, Value *out, AzError *error)
{
    return exec_fold(arena, expr, ((QueryCatalog *)context)->now, out, error);
}

void
query_catalog_init(QueryCatalog *query, Database *db, const QueryOptions *options, bool check)
{
    int64_t now = options && options->now ? options->now : clock_now_ticks();
    *query = (QueryCatalog){.db = db, .options = options, .now = now};
    map_init(&query->external, &query->arena, false);
    map_init(&query->custom, &query->arena, true);
    query->used = ARENA_ARRAY(&query->arena, bool, (options ? options->parameter_count : 0) + 1);
    query->shared_ids = UINT32_MAX / 2;
    query->catalog = (Catalog){
        .context = query,
        .check = check,
        .shared_ids = &query->shared_ids,
        .find_table = catalog_table,
        .find_table_function = catalog_table_function,
        .each_table_function = catalog_each_table_function,
        .open_table_function = catalog_open_table_function,
        .each_table = catalog_each_table,
        .each_parser = catalog_each_parser,
        .open_column = catalog_open_column,
        .find_external = catalog_external,
        .find_watchlist = catalog_watchlist,
        .find_parameter = catalog_parameter,
        .find_function = catalog_function,
        .each_function = catalog_each_function,
        .find_user_function = catalog_user_function,
        .find_brought_function = catalog_brought_function,
        .bind_call = catalog_bind_call,
        .bind_aggregate = catalog_bind_aggregate,
        .find_plugin = catalog_plugin,
        .each_plugin = catalog_each_plugin,
        .bind_plugin = catalog_bind_plugin,
        .fold = catalog_fold,
        .now = now,
        .database = STR("azimuth"),
    };
    if (options)
        query->catalog.window =
            (TimeWindow){options->window_from, options->window_to, options->window_by};
}

void
query_catalog_free(QueryCatalog *query)
{
    budget_give(&query->db->budget, query->held);
    for (size_t i = 0; i < query->opened.len; i++)
        store_view_drop(query->opened.items[i].view, query->opened.items[i].source);
    arena_free(&query->arena);
}
