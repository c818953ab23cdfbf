// The façade. One Database holds a view of the store, the registry and the content;
// each query gets an arena of its own for its tree and plan.

#include "db/db_internal.h"

#include "base/clock.h"
#include "db/explain.h"
#include "db/prepared.h"
#include "db/row_builder.h"
#include "kql/graph_limits.h"
#include "kql/lexer.h"
#include "kql/parser.h"
#include "value/json.h"

#include <stdlib.h>
#include <unistd.h>

// Groups of a query that names no limit: few more are faster in memory than in files, which the system keeps in
// memory that it has to spare.
enum { GROUP_MEMORY = 32 << 20 };

// Three quarters of the machine's memory.
static size_t
default_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGE_SIZE);
    return pages > 0 && size > 0 ? (size_t)pages / 4 * 3 * (size_t)size : (size_t)4 << 30;
}

Database *
db_open(const DatabaseOptions *options, AzError *error)
{
    Database *db = calloc(1, sizeof(*db));
    if (!db) {
        error_set(error, AZ_LIMIT, "out of memory");
        return NULL;
    }
    map_init(&db->tables, &db->tables_arena, true);
    map_init(&db->empty, &db->empty_arena, true);
    map_init(&db->saved, &db->arena, false);
    db->content = content_open(options->content, error);
    bool stored = options->opened || options->store;
    if (db->content && stored) {
        db->borrowed = options->opened != NULL;
        db->store = db->borrowed ? options->opened : store_open(options->store, STORE_READ, error);
        if (db->store && !db->borrowed && options->kept)
            store_keep(db->store, options->kept);
        db->view = db->store ? store_view_open(db->store, options->snapshot, error) : NULL;
    }
    if (!db->content || (stored && !db->view)) {
        db_close(db);
        return NULL;
    }
    for (size_t i = 0; i < options->function_folder_count; i++)
        if (!content_add_functions(db->content, options->function_folders[i], error)) {
            db_close(db);
            return NULL;
        }
    const char *geoip = options->geoip ? options->geoip : getenv("AZIMUTH_GEOIP");
    if (geoip && *geoip && !(db->geoip = geoip_open(geoip, error))) {
        db_close(db);
        return NULL;
    }
    db->places = places_new(options->maps, options->map_count);
    db->external_roots = ARENA_ARRAY(&db->arena, const char *, options->external_root_count + 1);
    for (size_t i = 0; i < options->external_root_count; i++)
        db->external_roots[i] = str_cstr(&db->arena, str_from(options->external_roots[i]));
    db->external_root_count = options->external_root_count;
    db->snapshot = db->view ? store_view_snapshot(db->view) : 0;
    db->registry = registry_new();
    db->threads = thread_pool_new(options->threads ? options->threads : threads_default());
    db->budget.limit = options->memory_limit ? options->memory_limit : default_memory();
    db->group_memory = options->group_memory;
    if (!db->group_memory && !options->memory_limit)
        db->group_memory = GROUP_MEMORY;
    if (options->spill_dir)
        db->spill_dir = str_cstr(&db->arena, str_from(options->spill_dir));
    return db;
}

void
db_close(Database *db)
{
    if (!db)
        return;
    if (db->view)
        store_view_close(db->view);
    if (db->store && !db->borrowed)
        store_close(db->store);
    content_close(db->content);
    places_free(db->places);
    geoip_close(db->geoip);
    if (db->registry)
        registry_free(db->registry);
    for (size_t i = 0; i < db->table_functions.len; i++)
        if (db->table_functions.items[i].set.free)
            db->table_functions.items[i].set.free(db->table_functions.items[i].context);
    thread_pool_free(db->threads);
    arena_free(&db->tables_arena);
    arena_free(&db->empty_arena);
    arena_free(&db->arena);
    free(db);
}

Content *
db_content(Database *db)
{
    return db->content;
}

ThreadPool *
db_threads(Database *db)
{
    return db->threads;
}

int64_t
db_snapshot(const Database *db)
{
    return db->snapshot;
}

Store *
db_store(Database *db)
{
    return db->store;
}

void
db_add_functions(Database *db, FunctionSet set)
{
    registry_add(db->registry, set);
}

void
db_add_table_functions(Database *db, TableFunctionSet set, void *context)
{
    TableFunctions added = {set, context};
    ARRAY_PUSH(&db->arena, &db->table_functions, added);
}

void
db_each_table_function(Database *db, void (*each)(void *arg, const TableFunctionDef *fn), void *arg)
{
    for (size_t i = 0; i < db->table_functions.len; i++)
        for (uint32_t f = 0; f < db->table_functions.items[i].set.count; f++)
            each(arg, &db->table_functions.items[i].set.functions[f]);
}

// ---- tables in memory ----

static void
tell_changed(Database *db)
{
    db->puts++;
    for (size_t i = 0; i < db->table_functions.len; i++)
        if (db->table_functions.items[i].set.changed)
            db->table_functions.items[i].set.changed(db->table_functions.items[i].context);
}

bool
db_put_table(Database *db, Str name, const Schema *schema, Batch *const *batches, uint32_t count,
             AzError *error)
{
    (void)error;
    MemoryTable *table = ARENA_NEW(&db->tables_arena, MemoryTable);
    const Schema *declared;
    TableKind kind;
    Str canonical = name;
    bool known = content_schema(db->content, name, &canonical, &declared, &kind);
    table->name = str_copy(&db->tables_arena, canonical);
    table->ignore_case = known && kind == TABLE_INVENTORY;
    Schema kept = schema_copy(&db->tables_arena, schema);
    table->source = memory_source_new(&db->tables_arena, &kept, batches, count);
    map_put(&db->tables, table->name, table);
    tell_changed(db);
    return true;
}

void
db_drop_tables(Database *db)
{
    arena_reset(&db->tables_arena);
    map_init(&db->tables, &db->tables_arena, true);
    tell_changed(db);
}

// Rows of JSON objects become columns by the declared schema, unknown members columns
// of their own.
typedef struct JsonTable {
    RowBuilder rows;
    const char *why;
    JsonParser *parser;
    DynBuilder *dyn;
} JsonTable;

static bool
take_json_member(void *context, const JsonMember *member)
{
    JsonTable *table = context;
    uint32_t column = row_builder_column(&table->rows, member->key, json_member_type(member));
    Value value =
        json_member_value(table->rows.arena, member, table->rows.schema.columns[column].type);
    row_builder_put(&table->rows, column, &value); // a repeated member: the first stays
    return true;
}

static bool
take_json_row(void *context, Str raw)
{
    JsonTable *table = context;
    size_t offset;
    if (!json_walk_object(table->parser, table->dyn, raw, take_json_member, table, &table->why,
                          &offset))
        return false;
    row_builder_end(&table->rows);
    return true;
}

bool
db_put_json(Database *db, Str name, Str rows, AzError *error)
{
    Str canonical;
    const Schema *declared = NULL;
    TableKind kind;
    if (!content_schema(db->content, name, &canonical, &declared, &kind))
        declared = NULL;
    JsonTable table = {.parser = json_parser_new(), .dyn = dyn_builder_new()};
    row_builder_init(&table.rows, &db->tables_arena, declared);
    JsonParser *splitter = json_parser_new();
    bool is_page;
    size_t offset = 0;
    const char *why = NULL;
    bool done = json_split_array(splitter, rows, take_json_row, &table, &is_page, &why, &offset);
    if (!done)
        error_set(error, AZ_INVALID, "the rows of table '%.*s' cannot be read at byte %zu: %s",
                  STR_ARG(name), offset,
                  why         ? why
                  : table.why ? table.why
                              : "not objects");
    if (done) {
        uint32_t count;
        Batch **batches = row_builder_batches(&table.rows, &count);
        done = db_put_table(db, name, &table.rows.schema, batches, count, error);
    }
    row_builder_free(&table.rows);
    json_parser_free(splitter);
    json_parser_free(table.parser);
    dyn_builder_free(table.dyn);
    return done;
}

bool
db_table_schema(Database *db, Arena *arena, Str name, Schema *out)
{
    QueryCatalog query;
    query_catalog_init(&query, db, NULL, false);
    Str canonical;
    bool ignore_case;
    TableSource *source =
        query.catalog.find_table(&query, STR(""), name, &canonical, &ignore_case, NULL);
    if (source)
        *out = schema_copy(arena, &source->schema);
    query_catalog_free(&query);
    return source != NULL;
}

// ---- queries ----

// `set query_now = datetime(...)` moves the clock of the whole query, also of what stands
// before it.
static void
take_query_now(QueryCatalog *query, const AstQuery *ast)
{
    for (size_t i = 0; i < ast->statements.len; i++) {
        const AstStatement *statement = &ast->statements.items[i];
        if (statement->kind == AST_SET && str_equal_ci(statement->name.text, STR("query_now")) &&
            statement->value && statement->value->kind == AST_LITERAL &&
            statement->value->value.type == TYPE_DATETIME && !statement->value->value.is_null)
            query->now = query->catalog.now = statement->value->value.int64;
    }
}

static bool
parameters_used(const QueryCatalog *query, AzError *error)
{
    for (size_t i = 0; query->options && i < query->options->parameter_count; i++)
        if (!query->used[i])
            return error_set(
                error, AZ_INVALID,
                "the query declares no parameter '%.*s': declare query_parameters(...)",
                STR_ARG(query->options->parameters[i].name));
    return true;
}

static BoundQuery *
bind(QueryCatalog *query, Arena *arena, const AstQuery *ast, const QueryOptions *options,
     PreparedQuery *prepared, AzError *error)
{
    take_query_now(query, ast);
    if (prepared)
        prepared_begin(prepared, query);
    BoundQuery *bound = kql_bind(arena, ast, &query->catalog, options->diagnostics, error);
    if (bound && !query->catalog.check && !parameters_used(query, error))
        bound = NULL;
    if (prepared)
        prepared_bound(prepared, query, bound);
    if (bound)
        kql_optimise(arena, bound->results, bound->count, &query->catalog,
                     OPTIMISE_ALL & ~options->rules_off);
    return bound;
}

// `prepared` (may be NULL): the text's.
static BoundQuery *
prepare(QueryCatalog *query, Arena *arena, Str text, PreparedQuery *prepared,
        const QueryOptions *options, QueryResult *times, AzError *error)
{
    uint64_t start = clock_monotonic_ns();
    const AstQuery *ast = prepared ? prepared_ast(prepared, error)
                                   : kql_parse(arena, text, options->diagnostics, error);
    uint64_t parsed = clock_monotonic_ns();
    times->parse_ms = (double)(parsed - start) / 1e6;
    BoundQuery *bound = ast ? bind(query, arena, ast, options, prepared, error) : NULL;
    if (!bound) {
        if (options->diagnostics)
            diagnostics_error(options->diagnostics, error);
        return NULL;
    }
    times->bind_ms = (double)(clock_monotonic_ns() - parsed) / 1e6;
    return bound;
}

// The earlier of the caller's time limit and `set servertimeout`; 0 = none.
static uint64_t
deadline(const QueryOptions *options, const QueryProperties *properties, uint64_t start)
{
    uint64_t timeout = options->timeout_ns;
    uint64_t asked = (uint64_t)properties->timeout * 100; // ticks of 100 ns
    if (asked && (!timeout || asked < timeout))
        timeout = asked;
    return timeout ? start + timeout : 0;
}

static bool
check_truncation(const QueryProperties *properties, const ResultTable *table, AzError *error)
{
    if (properties->max_records < 0 || properties->no_truncation ||
        table->row_count <= (uint64_t)properties->max_records)
        return true;
    return error_set(error, AZ_LIMIT,
                     "the result has %llu rows, more than truncationmaxrecords allows (%lld): "
                     "narrow the query, or set notruncation",
                     (unsigned long long)table->row_count, (long long)properties->max_records);
}

static QueryResult *
run(Database *db, Arena *arena, Str text, PreparedQuery *prepared, const QueryOptions *options,
    AzError *error)
{
    Arena plan_arena = {0};
    AzError local = {0};
    AzError *cause = error ? error : &local;
    QueryCatalog query;
    query_catalog_init(&query, db, options, false);
    QueryResult *result = ARENA_NEW(arena, QueryResult);
    uint64_t start = clock_monotonic_ns();
    ExecOptions exec = {
        .threads = db->threads,
        .budget = &db->budget,
        .spill_dir = db->spill_dir,
        .group_memory = db->group_memory,
        .cancel = options->cancel,
        .now = query.now,
        .deadline_ns = options->timeout_ns ? start + options->timeout_ns : 0,
    };
    query.exec = &exec;
    query.plans = &plan_arena;
    BoundQuery *bound = prepare(&query, &plan_arena, text, prepared, options, result, cause);
    start = clock_monotonic_ns();
    bool done = bound != NULL;
    Analysis *analysis = done && options->analyze ? analysis_begin(arena, bound, &exec) : NULL;
    if (done) {
        exec.now = query.now;
        exec.deadline_ns = deadline(options, &bound->properties, start);
        result->tables = ARENA_ARRAY(arena, ResultTable *, bound->count);
        result->names = ARENA_ARRAY(arena, Str, bound->count);
        result->primary = bound->primary;
        result->render = str_copy(arena, bound->render);
    }
    for (uint32_t i = 0; done && i < bound->count; i++)
        result->names[i] = str_copy(arena, bound->names[i]);
    if (done) {
        result->count = bound->count;
        done = exec_run_all(arena, bound->results, bound->count, &exec, result->tables, cause);
    }
    for (uint32_t i = 0; done && i < bound->count; i++) {
        done = check_truncation(&bound->properties, result->tables[i], cause);
    }
    result->run_ms = (double)(clock_monotonic_ns() - start) / 1e6;
    if (done && analysis)
        result->explain = analysis_end(analysis, result);
    query_catalog_free(&query);
    arena_free(&plan_arena);
    return done ? result : NULL;
}

QueryResult *
db_query(Database *db, Arena *arena, Str text, const QueryOptions *options, AzError *error)
{
    return run(db, arena, text, NULL, options, error);
}

QueryResult *
db_run_prepared(PreparedQuery *prepared, Arena *arena, const QueryOptions *options, AzError *error)
{
    QueryResult *empty = prepared_empty(prepared, arena, options);
    return empty ? empty : run(prepared->db, arena, prepared->text, prepared, options, error);
}

bool
db_check(Database *db, Str text, Diagnostics *diagnostics, AzError *error)
{
    AzError local = {0};
    QueryOptions options = {.diagnostics = diagnostics};
    Arena arena = {0};
    QueryCatalog query;
    query_catalog_init(&query, db, NULL, true);
    QueryResult times = {0};
    BoundQuery *bound =
        prepare(&query, &arena, text, NULL, &options, &times, error ? error : &local);
    query_catalog_free(&query);
    arena_free(&arena);
    return bound != NULL;
}

Str
db_hide_secrets(Arena *arena, Str text)
{
    return kql_hide_secrets(arena, text);
}

bool
db_check_function(Arena *arena, Str name, Str text, AzError *error)
{
    const AstFunctionFile *file = function_parse(arena, name, text, name, error);
    return file && (str_equal(file->name.text, name) ||
                    error_set(error, AZ_INVALID,
                              "the text defines the function '%.*s': save it under that name",
                              STR_ARG(file->name.text)));
}

bool
db_resource_graph_limits(Arena *arena, Str text, Str *out, AzError *error)
{
    AstQuery *query = kql_parse(arena, text, NULL, error);
    if (!query)
        return false;
    Buffer lines = {0};
    kql_graph_limits(query, &lines);
    *out = str_copy(arena, buffer_slice(&lines));
    buffer_free(&lines);
    return true;
}

Explain *
db_explain(Database *db, Arena *arena, Str text, const QueryOptions *options, AzError *error)
{
    Arena plan_arena = {0};
    QueryCatalog query;
    query_catalog_init(&query, db, options, true);
    QueryResult times = {0};
    QueryOptions plain = {0};
    AzError local = {0};
    BoundQuery *bound = prepare(&query, &plan_arena, text, NULL, options ? options : &plain, &times,
                                error ? error : &local);
    Explain *explain = bound ? explain_plan(arena, bound, &times) : NULL;
    query_catalog_free(&query);
    arena_free(&plan_arena);
    return explain;
}

bool
db_query_schema(Database *db, Arena *arena, Str text, Schema *out)
{
    Arena plan_arena = {0};
    AzError ignored = {0};
    QueryCatalog query;
    query_catalog_init(&query, db, NULL, true);
    QueryResult times = {0};
    QueryOptions options = {.rules_off = OPTIMISE_ALL};
    BoundQuery *bound = prepare(&query, &plan_arena, text, NULL, &options, &times, &ignored);
    if (bound)
        *out = schema_copy(arena, &bound->results[bound->count - 1]->schema);
    error_clear(&ignored);
    query_catalog_free(&query);
    arena_free(&plan_arena);
    return bound != NULL;
}
