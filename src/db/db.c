// The façade. One Database holds a view of the store, the registry and the content;
// each query gets an arena of its own for its tree and plan.

#include "db/db.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/map.h"
#include "kql/binder.h"
#include "kql/parser.h"
#include "value/json.h"
#include "value/scalar.h"

#include <unistd.h>

typedef struct MemoryTable {
    Str name;
    TableSource *source;
    bool ignore_case;
} MemoryTable;

struct Database {
    Arena arena;
    Store *store;
    StoreView *view;
    Content *content;
    Registry *registry;
    ThreadPool *threads;
    Budget budget;
    int64_t snapshot;
    Arena tables_arena; // of tables put into memory
    Map tables;         // name (any case) -> MemoryTable
    Arena empty_arena;  // sources of declared tables without rows
    Map empty;          // name (any case) -> MemoryTable
};

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
    db->content = content_open(options->content, error);
    if (db->content && options->store) {
        db->store = store_open(options->store, STORE_READ, error);
        db->view = db->store ? store_view_open(db->store, options->snapshot, error) : NULL;
    }
    if (!db->content || (options->store && !db->view)) {
        db_close(db);
        return NULL;
    }
    db->snapshot = db->view ? store_view_snapshot(db->view) : 0;
    db->registry = registry_new();
    db->threads = thread_pool_new(options->threads ? options->threads : threads_default());
    db->budget.limit = options->memory_limit ? options->memory_limit : default_memory();
    return db;
}

void
db_close(Database *db)
{
    if (!db)
        return;
    if (db->view)
        store_view_close(db->view);
    if (db->store)
        store_close(db->store);
    content_close(db->content);
    if (db->registry)
        registry_free(db->registry);
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

// ---- tables in memory ----

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
    return true;
}

void
db_drop_tables(Database *db)
{
    arena_reset(&db->tables_arena);
    map_init(&db->tables, &db->tables_arena, true);
}

// Rows of JSON objects become columns by the declared schema, unknown members columns
// of their own.
typedef struct JsonTable {
    Arena *arena;
    Schema schema;
    size_t column_cap;
    VectorBuilder *builders;
    uint32_t rows;
    const char *why;
    JsonParser *parser;
    DynBuilder *dyn;
} JsonTable;

static Type
member_type(const JsonMember *member)
{
    switch (member->kind) {
    case DYN_BOOL: return TYPE_BOOL;
    case DYN_LONG: return TYPE_LONG;
    case DYN_REAL:
    case DYN_DECIMAL: return TYPE_REAL;
    case DYN_STRING: return TYPE_STRING;
    default: return TYPE_DYNAMIC;
    }
}

static uint32_t
json_column(JsonTable *table, Str name, Type type)
{
    ptrdiff_t at = schema_find(&table->schema, name);
    if (at >= 0)
        return (uint32_t)at;
    uint32_t count = table->schema.count;
    if (count == table->column_cap) {
        size_t cap = table->column_cap ? table->column_cap * 2 : 32;
        Column *columns = ARENA_ARRAY(table->arena, Column, cap);
        VectorBuilder *builders = ARENA_ARRAY(table->arena, VectorBuilder, cap);
        if (count) {
            memcpy(columns, table->schema.columns, count * sizeof(Column));
            memcpy(builders, table->builders, count * sizeof(VectorBuilder));
        }
        table->schema.columns = columns;
        table->builders = builders;
        table->column_cap = cap;
    }
    table->schema.columns[count] = (Column){str_copy(table->arena, name), type};
    vector_builder_init(&table->builders[count], type);
    for (uint32_t r = 0; r < table->rows; r++)
        vector_builder_null(&table->builders[count]);
    table->schema.count++;
    return count;
}

static Value
member_value(Arena *arena, const JsonMember *member, Type type)
{
    Value value = {0};
    switch (member->kind) {
    case DYN_NULL: return value_null(type);
    case DYN_BOOL: value = value_bool(member->boolean); break;
    case DYN_LONG: value = value_long(member->long_); break;
    case DYN_REAL: value = value_real(member->real); break;
    case DYN_STRING:
    case DYN_DECIMAL: value = value_string(member->string); break;
    default:
        value.type = TYPE_DYNAMIC;
        value.text = text_view((const char *)member->tree.ptr, member->tree.size);
        break;
    }
    if (type == TYPE_DYNAMIC && value.type != TYPE_DYNAMIC) {
        Value boxed = {.type = TYPE_DYNAMIC};
        DynBuilder *builder = dyn_builder_new();
        dyn_push_value(builder, &value);
        dyn_finish_text(builder, arena, &boxed.text, &boxed.is_null);
        dyn_builder_free(builder);
        return boxed;
    }
    return value_convert(arena, &value, type);
}

static bool
take_json_member(void *context, const JsonMember *member)
{
    JsonTable *table = context;
    uint32_t column = json_column(table, member->key, member_type(member));
    VectorBuilder *builder = &table->builders[column];
    if (builder->count > table->rows)
        return true; // a repeated member: the first stays
    Value value = member_value(table->arena, member, table->schema.columns[column].type);
    vector_builder_value(builder, table->arena, &value);
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
    table->rows++;
    for (uint32_t c = 0; c < table->schema.count; c++)
        if (table->builders[c].count < table->rows)
            vector_builder_null(&table->builders[c]);
    return true;
}

static Batch **
cut_json_batches(JsonTable *table, uint32_t *count)
{
    *count = (table->rows + batch_rows - 1) / batch_rows;
    Batch **batches = ARENA_ARRAY(table->arena, Batch *, *count);
    for (uint32_t b = 0; b < *count; b++) {
        uint32_t from = b * batch_rows;
        uint32_t rows = table->rows - from < batch_rows ? table->rows - from : batch_rows;
        batches[b] = batch_new(table->arena, table->schema.count, rows);
        for (uint32_t c = 0; c < table->schema.count; c++)
            batches[b]->columns[c] =
                vector_builder_cut(&table->builders[c], table->arena, from, rows);
    }
    return batches;
}

bool
db_put_json(Database *db, Str name, Str rows, AzError *error)
{
    JsonTable table = {.arena = &db->tables_arena};
    Str canonical;
    const Schema *declared;
    TableKind kind;
    if (content_schema(db->content, name, &canonical, &declared, &kind))
        for (uint32_t c = 0; c < declared->count; c++)
            json_column(&table, declared->columns[c].name, declared->columns[c].type);
    table.parser = json_parser_new();
    table.dyn = dyn_builder_new();
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
        Batch **batches = cut_json_batches(&table, &count);
        done = db_put_table(db, name, &table.schema, batches, count, error);
    }
    for (uint32_t c = 0; c < table.schema.count; c++)
        vector_builder_free(&table.builders[c]);
    json_parser_free(splitter);
    json_parser_free(table.parser);
    dyn_builder_free(table.dyn);
    return done;
}

// ---- the catalog the binder sees ----

typedef struct QueryCatalog {
    Catalog catalog;
    Database *db;
    int64_t now;
} QueryCatalog;

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

static TableSource *
catalog_table(void *context, Str database, Str name, Str *canonical, bool *ignore_case,
              AzError *error)
{
    QueryCatalog *query = context;
    Database *db = query->db;
    (void)database; // all names of other databases lead to this store
    MemoryTable *table = map_get(&db->tables, name);
    if (!table && db->view) {
        TableSource *source = store_view_source(db->view, name, error);
        if (source) {
            const Schema *declared;
            TableKind kind = TABLE_LOG;
            *canonical = name;
            content_schema(db->content, name, canonical, &declared, &kind);
            *ignore_case = kind == TABLE_INVENTORY;
            return source;
        }
        if (error && error->code != AZ_OK)
            return NULL;
    }
    if (!table)
        table = empty_table(db, name);
    if (!table)
        return NULL;
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
    content_each_table(query->db->content, each, arg);
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

static const AstFunctionFile *
catalog_user_function(void *context, Str name, AzError *error)
{
    return content_function(((QueryCatalog *)context)->db->content, name, error);
}

static bool
catalog_bind_call(void *context, Arena *arena, const FunctionDef *fn, Expr *const *args,
                  uint32_t arg_count, Span span, Type *type, const void **bound, AzError *error)
{
    (void)context;
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

static bool
catalog_fold(void *context, Arena *arena, const Expr *expr, Value *out, AzError *error)
{
    return exec_fold(arena, expr, ((QueryCatalog *)context)->now, out, error);
}

static void
catalog_init(QueryCatalog *query, Database *db, int64_t now)
{
    *query = (QueryCatalog){.db = db, .now = now};
    query->catalog = (Catalog){
        .context = query,
        .find_table = catalog_table,
        .each_table = catalog_each_table,
        .find_function = catalog_function,
        .each_function = catalog_each_function,
        .find_user_function = catalog_user_function,
        .bind_call = catalog_bind_call,
        .bind_aggregate = catalog_bind_aggregate,
        .fold = catalog_fold,
        .now = now,
        .database = STR("azimuth"),
    };
}

bool
db_table_schema(Database *db, Arena *arena, Str name, Schema *out)
{
    QueryCatalog query;
    catalog_init(&query, db, 0);
    Str canonical;
    bool ignore_case;
    TableSource *source = catalog_table(&query, STR(""), name, &canonical, &ignore_case, NULL);
    if (!source)
        return false;
    *out = schema_copy(arena, &source->schema);
    return true;
}

// ---- queries ----

static BoundQuery *
prepare(QueryCatalog *query, Arena *arena, Str text, uint32_t rules_off, QueryResult *times,
        AzError *error)
{
    uint64_t start = clock_monotonic_ns();
    AstQuery *ast = kql_parse(arena, text, error);
    uint64_t parsed = clock_monotonic_ns();
    times->parse_ms = (double)(parsed - start) / 1e6;
    if (!ast)
        return NULL;
    BoundQuery *bound = kql_bind(arena, ast, &query->catalog, error);
    for (uint32_t i = 0; bound && i < bound->count; i++)
        bound->results[i] =
            kql_optimise(arena, bound->results[i], &query->catalog, OPTIMISE_ALL & ~rules_off);
    times->bind_ms = (double)(clock_monotonic_ns() - parsed) / 1e6;
    return bound;
}

static Str
explain_text(Arena *arena, const BoundQuery *bound)
{
    Buffer text = {0};
    for (uint32_t i = 0; i < bound->count; i++)
        plan_explain(bound->results[i], &text);
    Str copy = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return copy;
}

QueryResult *
db_query(Database *db, Arena *arena, Str text, const QueryOptions *options, AzError *error)
{
    Arena plan_arena = {0};
    AzError local = {0};
    AzError *cause = error ? error : &local;
    QueryCatalog query;
    catalog_init(&query, db, options->now ? options->now : clock_now_ticks());
    QueryResult *result = ARENA_NEW(arena, QueryResult);
    BoundQuery *bound = prepare(&query, &plan_arena, text, options->rules_off, result, cause);
    uint64_t start = clock_monotonic_ns();
    bool done = bound != NULL;
    ExecOptions exec = {
        .threads = db->threads,
        .budget = &db->budget,
        .cancel = options->cancel,
        .now = query.now,
        .deadline_ns = options->timeout_ns ? start + options->timeout_ns : 0,
    };
    if (done) {
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
    result->run_ms = (double)(clock_monotonic_ns() - start) / 1e6;
    if (done && options->explain)
        result->explain = explain_text(arena, bound);
    arena_free(&plan_arena);
    return done ? result : NULL;
}

bool
db_check(Database *db, Str text, Buffer *explain, AzError *error)
{
    Arena arena = {0};
    QueryCatalog query;
    catalog_init(&query, db, clock_now_ticks());
    QueryResult times = {0};
    BoundQuery *bound = prepare(&query, &arena, text, 0, &times, error);
    for (uint32_t i = 0; bound && explain && i < bound->count; i++)
        plan_explain(bound->results[i], explain);
    arena_free(&arena);
    return bound != NULL;
}
