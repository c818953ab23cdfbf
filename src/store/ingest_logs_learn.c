// Learning the tables of a log import: which there are, and the columns nobody declared.
//
// Each worker notes for each table the columns that records would need beside the declared
// ones, with the kinds of their values; afterwards the notes are put together, so that the
// outcome does not hang on which worker read what. Columns a table does not declare come
// in the order of their names. A table has at most COLUMNS_MAX columns; when records bring
// more, the most frequent get one, the others go to AdditionalFields or `_Unmapped`.

#include "store/ingest_logs_parts.h"

#include "base/array.h"

#include <stdio.h>

enum {
    COLUMNS_MAX = 500, // Azure Monitor: columns of a custom table, and of AzureDiagnostics
    LEARN_MAX = 4000,  // names a worker remembers of a table
    TYPE_SHIFT = 8,    // after the bits of kinds, see ingest_infer.c
    COUNT_SHIFT = 16,
};

static const uint64_t KINDS = (1 << TYPE_SHIFT) - 1;
static const uint64_t ONE_MORE = (uint64_t)1 << COUNT_SHIFT;

// Columns that every table of a workspace may have, though its reference names them not.
static const Column standard[] = {
    {STR_INIT("TenantId"), TYPE_STRING},     {STR_INIT("SourceSystem"), TYPE_STRING},
    {STR_INIT("_ResourceId"), TYPE_STRING},  {STR_INIT("_SubscriptionId"), TYPE_STRING},
    {STR_INIT("_ItemId"), TYPE_STRING},      {STR_INIT("_TimeReceived"), TYPE_DATETIME},
    {STR_INIT("_WorkspaceId"), TYPE_STRING}, {STR_INIT("_IsBillable"), TYPE_STRING},
    {STR_INIT("_BilledSize"), TYPE_REAL},
};

static Type
standard_type(Str name)
{
    for (size_t i = 0; i < COUNT_OF(standard); i++)
        if (str_equal(standard[i].name, name))
            return standard[i].type;
    return TYPE_NONE;
}

static LearntTable *
learnt_find(LogWorker *worker, Str name, bool open)
{
    LearntTable *table = map_get(&worker->learnt, name);
    if (table)
        return table;
    LogImport *import = worker->import;
    const IngestOptions *options = import->run.options;
    Arena *arena = &worker->kept;
    TableKind kind = TABLE_LOG;
    Str canonical;
    table = ARENA_NEW(arena, LearntTable);
    table->name = str_copy(arena, name);
    table->open = open;
    table->time = -1;
    map_init(&table->columns, arena, false);
    map_init(&table->declared_columns, arena, false);
    if (options->find_schema && options->find_schema(options->schema_context, name, arena,
                                                     &canonical, &table->declared, &kind)) {
        for (uint32_t i = 0; i < table->declared.count; i++)
            map_put(&table->declared_columns, table->declared.columns[i].name, table);
        table->time = schema_find(&table->declared, STR("TimeGenerated"));
    }
    map_put(&worker->learnt, table->name, table);
    return table;
}

static void
learn_cell(LogWorker *worker, LearntTable *table, const JsonMember *cell, Type type)
{
    if (map_find(&table->declared_columns, cell->key) ||
        schema_find_ci(&table->declared, cell->key) >= 0)
        return;
    MapEntry *entry = map_find(&table->columns, cell->key);
    if (!entry) {
        bool is_new;
        if (table->columns.len >= LEARN_MAX || !cell->key.len)
            return;
        entry = map_add(&table->columns, str_copy(&worker->kept, cell->key), &is_new);
    }
    if (type != TYPE_NONE)
        entry->number = (entry->number & ~(KINDS << TYPE_SHIFT)) | (uint64_t)type << TYPE_SHIFT;
    else if (table->csv && cell->kind == DYN_STRING)
        entry->number |= ingest_infer_cell(cell->string);
    else
        entry->number |= ingest_infer_kind(cell);
    entry->number += ONE_MORE;
}

bool
log_learn_row(void *context, const LogRow *row)
{
    LogWorker *worker = context;
    LearntTable *table = learnt_find(worker, row->table, row->open);
    table->csv |= worker->file->source.csv;
    worker->row_learnt = row->plain && table->time >= 0 ? table : NULL;
    if (!row->plain || row->open)
        worker->all_rows = false;
    for (size_t i = 0; i < row->count; i++) {
        Type type = standard_type(row->cells[i].key);
        if (row->open || type != TYPE_NONE)
            learn_cell(worker, table, &row->cells[i], type == TYPE_NONE ? row->types[i] : type);
    }
    return true;
}

// A row that needs nothing new, of the same table as the record before.
typedef struct PlainWalk {
    LogWorker *worker;
    LearntTable *table;
    bool has_time, refused;
} PlainWalk;

static bool
walk_plain(void *context, const JsonMember *member)
{
    PlainWalk *walk = context;
    Type type = TYPE_NONE;
    bool known = map_find(&walk->table->declared_columns, member->key) != NULL;
    if (!known)
        type = standard_type(member->key);
    if (type != TYPE_NONE)
        learn_cell(walk->worker, walk->table, member, type);
    else if (!known || (str_equal(member->key, STR("Type")) &&
                        !str_equal(member->string, walk->table->name))) {
        walk->refused = true;
        return false;
    }
    walk->has_time |= str_equal(member->key, STR("TimeGenerated"));
    return true;
}

bool
log_map(LogWorker *worker, Dyn record, LogEmit emit)
{
    const LogMapper *mapper = &worker->import->options->mapper;
    LogScratch scratch = {&worker->arena, worker->base->inner_tree, worker->base->inner};
    return mapper->map(mapper->context, &worker->file->source, record, &scratch, emit, worker);
}

bool
log_learn_json(LogWorker *worker, Str record, const char **why)
{
    IngestWorker *base = worker->base;
    size_t offset;
    if (worker->row_learnt) {
        PlainWalk walk = {.worker = worker, .table = worker->row_learnt};
        bool read =
            json_walk_object(base->parser, base->tree, record, walk_plain, &walk, why, &offset);
        if (read && walk.has_time)
            return true;
        if (!read && !walk.refused)
            return false;
    }
    Dyn tree;
    dyn_builder_reset(base->tree);
    if (!json_to_dynamic(base->parser, record, base->tree, why, &offset) ||
        !dyn_finish(base->tree, &tree, why))
        return false;
    if (dyn_kind(tree) != DYN_BAG) {
        *why = "not a JSON object";
        return false;
    }
    return log_map(worker, tree, log_learn_row);
}

// ---- putting the notes together ----

typedef struct NewColumn {
    Str name;
    uint64_t bits;
} NewColumn;

static int
by_frequency(const void *a, const void *b)
{
    const NewColumn *x = a, *y = b;
    uint64_t n = x->bits >> COUNT_SHIFT, m = y->bits >> COUNT_SHIFT;
    return n != m ? (n > m ? -1 : 1) : str_compare(x->name, y->name);
}

static int
by_name(const void *a, const void *b)
{
    return str_compare(((const NewColumn *)a)->name, ((const NewColumn *)b)->name);
}

// All that workers noted of one table.
typedef struct Notes {
    Str name;
    bool open, csv;
    Map columns;
} Notes;

static void
notes_add(Arena *arena, Notes *notes, const LearntTable *learnt)
{
    notes->open |= learnt->open;
    notes->csv |= learnt->csv;
    for (size_t i = 0; i < learnt->columns.len; i++) {
        const MapEntry *from = &learnt->columns.entries[i];
        bool is_new;
        MapEntry *to = map_find(&notes->columns, from->key);
        if (!to)
            to = map_add(&notes->columns, str_copy(arena, from->key), &is_new);
        uint64_t count = (to->number >> COUNT_SHIFT) + (from->number >> COUNT_SHIFT);
        uint64_t type = to->number & KINDS << TYPE_SHIFT;
        if (!type)
            type = from->number & KINDS << TYPE_SHIFT;
        to->number = count << COUNT_SHIFT | type | ((to->number | from->number) & KINDS);
    }
}

// The columns that the table gets beside the declared ones.
static Schema
notes_schema(Arena *arena, const Notes *notes, const Schema *declared)
{
    size_t count = notes->columns.len, room = 0;
    NewColumn *columns = ARENA_ARRAY(arena, NewColumn, count + 1);
    for (size_t i = 0; i < count; i++)
        columns[i] = (NewColumn){notes->columns.entries[i].key, notes->columns.entries[i].number};
    if (declared->count < COLUMNS_MAX)
        room = COLUMNS_MAX - declared->count;
    if (count > room) {
        qsort(columns, count, sizeof(*columns), by_frequency);
        count = room;
    }
    qsort(columns, count, sizeof(*columns), by_name);
    Schema all = {ARENA_ARRAY(arena, Column, declared->count + count + 1), declared->count};
    if (declared->count)
        memcpy(all.columns, declared->columns, declared->count * sizeof(Column));
    for (size_t i = 0; i < count; i++) {
        Type type = (Type)(columns[i].bits >> TYPE_SHIFT & KINDS);
        if (type == TYPE_NONE)
            type = ingest_infer_type(columns[i].bits & KINDS, notes->csv);
        all.columns[all.count++] = (Column){columns[i].name, type};
    }
    return all;
}

static LogTable *
table_add(LogImport *import, Str name, bool open, const Notes *notes, AzError *error)
{
    IngestRun *run = &import->run;
    Str canonical;
    Schema schema = {0};
    TableKind kind = TABLE_LOG;
    if (!ingest_declared_schema(run, name, &canonical, &schema, &kind))
        canonical = str_copy(run->arena, name);
    if (notes)
        schema = notes_schema(run->arena, notes, &schema);
    const LogOptions *options = import->options;
    Column *columns = ARENA_ARRAY(run->arena, Column, schema.count + 3);
    Schema all = {columns, 0};
    if (schema_find(&schema, STR("TimeGenerated")) < 0)
        columns[all.count++] = (Column){STR("TimeGenerated"), TYPE_DATETIME};
    for (uint32_t i = 0; i < schema.count; i++)
        columns[all.count++] = schema.columns[i];
    if (options->tenant.len && schema_find(&schema, STR("TenantId")) < 0)
        columns[all.count++] = (Column){STR("TenantId"), TYPE_STRING};
    if (options->received && schema_find(&schema, STR("_TimeReceived")) < 0)
        columns[all.count++] = (Column){STR("_TimeReceived"), TYPE_DATETIME};
    LogTable *table = ARENA_NEW(run->arena, LogTable);
    if (!ingest_table_make(run, canonical, &all, TABLE_LOG, &table->table, error))
        return NULL;
    table->number = import->tables.len;
    table->open = open;
    table->time = ingest_column_find(&table->table, STR("TimeGenerated"));
    table->type = ingest_column_find(&table->table, STR("Type"));
    table->tenant = ingest_column_find(&table->table, STR("TenantId"));
    table->received = ingest_column_find(&table->table, STR("_TimeReceived"));
    table->overflow = open ? ingest_column_find(&table->table, STR("AdditionalFields")) : -1;
    if (table->overflow >= 0 && table->table.schema.columns[table->overflow].type != TYPE_DYNAMIC)
        table->overflow = -1;
    map_put(&import->tables, table->table.name, table);
    return table;
}

static int
notes_order(const void *a, const void *b)
{
    return str_compare((*(Notes *const *)a)->name, (*(Notes *const *)b)->name);
}

bool
log_tables_make(LogImport *import, AzError *error)
{
    IngestRun *run = &import->run;
    Map all;
    map_init(&all, run->arena, true);
    for (size_t w = 0; w < run->worker_count; w++) {
        const Map *learnt = &import->workers[w].learnt;
        for (size_t i = 0; i < learnt->len; i++) {
            const LearntTable *table = learnt->entries[i].pointer;
            Notes *notes = map_get(&all, table->name);
            if (!notes) {
                notes = ARENA_NEW(run->arena, Notes);
                notes->name = str_copy(run->arena, table->name);
                map_init(&notes->columns, run->arena, false);
                map_put(&all, notes->name, notes);
            }
            notes_add(run->arena, notes, table);
        }
    }
    Notes **list = ARENA_ARRAY(run->arena, Notes *, all.len + 1);
    for (size_t i = 0; i < all.len; i++)
        list[i] = all.entries[i].pointer;
    if (all.len)
        qsort(list, all.len, sizeof(*list), notes_order);
    for (size_t i = 0; i < all.len; i++)
        if (!table_add(import, list[i]->name, list[i]->open, list[i], error))
            return false;
    return true;
}

LogTable *
log_table_find(LogWorker *worker, Str name, bool open)
{
    LogImport *import = worker->import;
    if (worker->last && str_equal(worker->last->table->table.name, name))
        return (LogTable *)(uintptr_t)worker->last->table;
    pthread_rwlock_rdlock(&import->lock);
    LogTable *table = map_get(&import->tables, name);
    pthread_rwlock_unlock(&import->lock);
    if (table)
        return table;
    AzError error = {0};
    pthread_rwlock_wrlock(&import->lock);
    table = map_get(&import->tables, name);
    if (!table)
        table = table_add(import, name, open, NULL, &error);
    pthread_rwlock_unlock(&import->lock);
    if (!table)
        ingest_run_fail(&import->run, &error);
    return table;
}
