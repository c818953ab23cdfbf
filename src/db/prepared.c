// What makes a query empty: a condition over its tables, each without rows in the window.
//
// Rules of a big collection ask for tables that a tenant does not have, and of those that it has
// most windows of a few minutes hold nothing. `T | where ...` is empty when T is, a join of two
// when either is, a union when all are; `summarize count()` never is. Operators that are not
// known here never are. The condition follows from the query's text, the schemas and the tables
// that are there, so that it holds at each time; where binding looked at rows, at files, or made
// the plan by the clock, there is none.

#include "db/prepared.h"

#include "kql/parser.h"

#include <stdlib.h>

enum { PLANS_VISITED_MAX = 20000 };

typedef enum EmptinessKind {
    EMPTY_NEVER,
    EMPTY_ALWAYS,
    EMPTY_TABLE, // the table has no rows (in the window)
    EMPTY_ANY,   // one of the parts holds
    EMPTY_ALL,   // all of them hold
} EmptinessKind;

// A stored table, open as long as the query is prepared.
typedef struct KnownTable {
    Str name;
    TableSource *source;
    ptrdiff_t time; // column TimeGenerated; -1: it has none
    struct KnownTable *next;
} KnownTable;

typedef struct Emptiness {
    EmptinessKind kind;
    const KnownTable *table;
    bool windowed;
    const struct Emptiness **items;
    size_t len, cap;
} Emptiness;

static const Emptiness NEVER = {.kind = EMPTY_NEVER}, ALWAYS = {.kind = EMPTY_ALWAYS};

// ---- tables ----

static const KnownTable *
known_table(PreparedQuery *prepared, Str name)
{
    for (const KnownTable *table = prepared->tables; table; table = table->next)
        if (str_equal(table->name, name))
            return table;
    AzError ignored = {0};
    TableSource *source = store_view_source(prepared->db->view, name, &ignored);
    error_clear(&ignored);
    if (!source)
        return NULL;
    KnownTable *table = ARENA_NEW(&prepared->noted, KnownTable);
    *table = (KnownTable){
        .name = str_copy(&prepared->noted, name),
        .source = source,
        .time = schema_find(&source->schema, STR("TimeGenerated")),
        .next = prepared->tables,
    };
    prepared->tables = table;
    return table;
}

static bool
is_declared_only(const QueryCatalog *query, const TableSource *source)
{
    const Map *maps[] = {&query->db->empty, &query->custom};
    for (size_t m = 0; m < COUNT_OF(maps); m++)
        for (size_t i = 0; i < maps[m]->len; i++)
            if (((const MemoryTable *)maps[m]->entries[i].pointer)->source == source)
                return true;
    return false;
}

static bool
is_stored(const QueryCatalog *query, const TableSource *source)
{
    for (size_t i = 0; i < query->opened.len; i++)
        if (query->opened.items[i].source == source)
            return query->opened.items[i].view == query->db->view;
    return false;
}

// ---- from a plan ----

typedef struct Noting {
    PreparedQuery *prepared;
    const QueryCatalog *query;
    uint32_t visited;
} Noting;

static const Emptiness *emptiness_of(Noting *n, const Plan *plan);

static const Emptiness *
of_scan(Noting *n, const Plan *plan)
{
    if (is_declared_only(n->query, plan->scan.source))
        return &ALWAYS;
    if (!is_stored(n->query, plan->scan.source))
        return &NEVER;
    const KnownTable *table = known_table(n->prepared, plan->scan.table);
    if (!table)
        return &NEVER;
    Emptiness *out = ARENA_NEW(&n->prepared->noted, Emptiness);
    out->kind = EMPTY_TABLE;
    out->table = table;
    out->windowed = plan->scan.windowed;
    return out;
}

// `kind` of several plans: those that decide alone do so, those that change nothing are left out.
static const Emptiness *
of_several(Noting *n, EmptinessKind kind, Plan *const *plans, uint32_t count)
{
    Arena *arena = &n->prepared->noted;
    const Emptiness *decides = kind == EMPTY_ANY ? &ALWAYS : &NEVER;
    const Emptiness *neutral = kind == EMPTY_ANY ? &NEVER : &ALWAYS;
    Emptiness *out = ARENA_NEW(arena, Emptiness);
    out->kind = kind;
    for (uint32_t i = 0; i < count; i++) {
        const Emptiness *part = emptiness_of(n, plans[i]);
        if (part == decides)
            return decides;
        if (part != neutral)
            ARRAY_PUSH(arena, out, part);
    }
    return out->len == 0 ? neutral : out->len == 1 ? out->items[0] : out;
}

static const Emptiness *
of_join(Noting *n, const Plan *plan)
{
    Plan *const sides[] = {plan->input, plan->join.right};
    switch (plan->join.kind) {
    case JOIN_INNERUNIQUE:
    case JOIN_INNER:
    case JOIN_LEFTSEMI:
    case JOIN_RIGHTSEMI: return of_several(n, EMPTY_ANY, sides, 2);
    case JOIN_LEFTOUTER:
    case JOIN_LEFTANTI: return emptiness_of(n, plan->input);
    case JOIN_RIGHTOUTER:
    case JOIN_RIGHTANTI: return emptiness_of(n, plan->join.right);
    case JOIN_FULLOUTER: return of_several(n, EMPTY_ALL, sides, 2);
    }
    return &NEVER;
}

// Operators that yield no row of no row.
static bool
adds_no_row(const Plan *plan)
{
    switch (plan->kind) {
    case PLAN_FILTER:
    case PLAN_PROJECT:
    case PLAN_SORT:
    case PLAN_TAKE:
    case PLAN_MV_EXPAND:
    case PLAN_PARSE:
    case PLAN_PARSE_KV:
    case PLAN_WINDOW:
    case PLAN_SAMPLE: return true;
    case PLAN_SUMMARIZE: return plan->summarize.key_count > 0;
    default: return false;
    }
}

static const Emptiness *
emptiness_of(Noting *n, const Plan *plan)
{
    while (adds_no_row(plan))
        plan = plan->input;
    // Plans may share parts, and be as deep as a hostile query makes them.
    if (++n->visited > PLANS_VISITED_MAX)
        return &NEVER;
    switch (plan->kind) {
    case PLAN_SCAN: return of_scan(n, plan);
    case PLAN_JOIN: return of_join(n, plan);
    case PLAN_UNION: return of_several(n, EMPTY_ALL, plan->union_.inputs, plan->union_.count);
    case PLAN_SHARED: return emptiness_of(n, plan->shared.plan);
    case PLAN_VALUES: return plan->values.count ? &NEVER : &ALWAYS;
    default: return &NEVER;
    }
}

// ---- in a window ----

static bool
table_is_empty(const Emptiness *e, const QueryOptions *options)
{
    const TableSource *source = e->table->source;
    bool windowed = e->windowed && (options->window_from || options->window_to);
    if (!source->row_count || !windowed || e->table->time < 0 || !source->may_match)
        return !source->row_count;
    Value after = value_datetime(options->window_from), last = value_datetime(options->window_to);
    ScanPredicate window[] = {
        {.column = (uint32_t)e->table->time, .op = SCAN_GT, .values = &after, .value_count = 1},
        {.column = (uint32_t)e->table->time, .op = SCAN_LE, .values = &last, .value_count = 1},
    };
    for (uint32_t m = 0; m < source->morsel_count; m++)
        if (source->may_match(source, m, window, COUNT_OF(window)))
            return false;
    return true;
}

static bool
is_empty(const Emptiness *e, const QueryOptions *options)
{
    switch (e->kind) {
    case EMPTY_NEVER: return false;
    case EMPTY_ALWAYS: return true;
    case EMPTY_TABLE: return table_is_empty(e, options);
    case EMPTY_ANY:
    case EMPTY_ALL: break;
    }
    bool any = e->kind == EMPTY_ANY;
    for (size_t i = 0; i < e->len; i++)
        if (is_empty(e->items[i], options) == any)
            return any;
    return !any;
}

// ---- the query ----

static void
forget(PreparedQuery *prepared)
{
    for (const KnownTable *table = prepared->tables; table; table = table->next)
        store_view_drop(prepared->db->view, table->source);
    prepared->tables = NULL;
    prepared->empty = NULL;
    prepared->done = false;
    arena_reset(&prepared->noted);
    prepared->open = kql_open_columns(&prepared->noted);
    prepared->puts = prepared->db->puts;
}

PreparedQuery *
db_prepare(Database *db, Str text, AzError *error)
{
    PreparedQuery *prepared = calloc(1, sizeof(*prepared));
    if (!prepared) {
        error_set(error, AZ_LIMIT, "out of memory");
        return NULL;
    }
    prepared->db = db;
    prepared->text = text;
    forget(prepared);
    return prepared;
}

void
db_prepared_free(PreparedQuery *prepared)
{
    if (!prepared)
        return;
    forget(prepared);
    arena_free(&prepared->noted);
    arena_free(&prepared->tree);
    free(prepared);
}

const AstQuery *
prepared_ast(PreparedQuery *prepared, AzError *error)
{
    if (!prepared->ast)
        prepared->ast = kql_parse(&prepared->tree, prepared->text, NULL, error);
    return prepared->ast;
}

void
prepared_begin(PreparedQuery *prepared, QueryCatalog *query)
{
    if (prepared->puts != prepared->db->puts)
        forget(prepared);
    query->catalog.open = prepared->open;
}

void
prepared_bound(PreparedQuery *prepared, QueryCatalog *query, const BoundQuery *bound)
{
    if (!bound || bound->clocked || query->looked) {
        forget(prepared);
        return;
    }
    if (prepared->done)
        return;
    prepared->done = true;
    if (bound->count != 1)
        return;
    Noting noting = {.prepared = prepared, .query = query};
    const Emptiness *empty = emptiness_of(&noting, bound->results[0]);
    if (empty == &NEVER)
        return;
    Arena *arena = &prepared->noted;
    prepared->empty = empty;
    prepared->schema = schema_copy(arena, &bound->results[0]->schema);
    prepared->render = str_copy(arena, bound->render);
    prepared->name = str_copy(arena, bound->names[0]);
}

QueryResult *
prepared_empty(PreparedQuery *prepared, Arena *arena, const QueryOptions *options)
{
    if (!prepared->empty || prepared->puts != prepared->db->puts ||
        !is_empty(prepared->empty, options))
        return NULL;
    // It will not be bound again, unless tables are put: of many rules the trees take room.
    if (prepared->empty == &ALWAYS) {
        arena_free(&prepared->tree);
        prepared->ast = NULL;
    }
    QueryResult *result = ARENA_NEW(arena, QueryResult);
    result->tables = ARENA_ARRAY(arena, ResultTable *, 1);
    result->names = ARENA_ARRAY(arena, Str, 1);
    result->tables[0] = ARENA_NEW(arena, ResultTable);
    result->tables[0]->schema = schema_copy(arena, &prepared->schema);
    result->names[0] = str_copy(arena, prepared->name);
    result->render = str_copy(arena, prepared->render);
    result->count = 1;
    result->unread = true;
    return result;
}
