// Records to columns.
//
// A record is walked once and each member goes straight into the builder of its
// column; no tree is built for the record. Names match a column exactly, else
// without regard to case. What has no column, or does not fit the column's type, is
// pushed onto the tree of `_Unmapped`, which is begun at the first such member of a
// record. A record that turns out to be broken half-way is taken back by shortening
// the builders.
//
// Members mostly come in the same order in every record, so each place remembers the
// column it had the last time and tries that name first.
//
// `_Unmapped` belongs to a table only when something is in it. A sink therefore
// starts with a writer for the plain schema and opens a second, wider one with its
// first batch that needs the column.

#include "store/block_codec.h"
#include "store/ingest_logs.h"
#include "store/ingest_parts.h"
#include "store/store_internal.h"

#include "value/scalar.h"

#include <math.h>
#include <stdio.h>

enum {
    FREE = 0,
    BY_OTHER_CASE = 1,
    BY_NAME = 2,
    NO_COLUMN = -1,
    ARENA_FULL = 16 << 20, // a batch of long values is written early
};

static const Str UNMAPPED = STR_INIT("_Unmapped");

bool
ingest_table_make(IngestRun *run, Str name, const Schema *schema, TableKind kind,
                  IngestTable *table, AzError *error)
{
    // Columns the store has keep their types and come first; the schema adds others.
    Schema stored = {0};
    TableKind stored_kind = kind;
    if (!store_writer_schema(run->writer, name, run->arena, &stored, &stored_kind, error))
        return false;
    *table = (IngestTable){.name = str_copy(run->arena, name),
                           .kind = stored.count ? stored_kind : kind};
    Schema *all = &table->schema;
    all->columns = ARENA_ARRAY(run->arena, Column, stored.count + schema->count);
    const Schema *sources[] = {&stored, schema};
    for (size_t s = 0; s < COUNT_OF(sources); s++)
        for (uint32_t i = 0; i < sources[s]->count; i++) {
            Column column = sources[s]->columns[i];
            if (!str_equal(column.name, UNMAPPED) && schema_find(all, column.name) < 0)
                all->columns[all->count++] =
                    (Column){str_copy(run->arena, column.name), column.type};
        }
    map_init(&table->exact, run->arena, false);
    map_init(&table->any_case, run->arena, true);
    for (uint32_t i = 0; i < all->count; i++) {
        bool is_new;
        map_add(&table->exact, all->columns[i].name, &is_new)->number = i;
        MapEntry *entry = map_add(&table->any_case, all->columns[i].name, &is_new);
        if (is_new)
            entry->number = i;
    }
    table->is_arm = arm_table_columns(all, table->arm);
    return true;
}

static void *
must(void *memory)
{
    if (!memory) {
        fprintf(stderr, "azimuth: out of memory (ingest)\n");
        abort();
    }
    return memory;
}

IngestSink *
ingest_sink_new(IngestRun *run, const IngestTable *table)
{
    IngestSink *sink = must(calloc(1, sizeof(*sink)));
    uint32_t count = table->schema.count;
    sink->run = run;
    sink->table = table;
    sink->columns = must(calloc(count + 1, sizeof(*sink->columns)));
    sink->filled = must(calloc(count + 1, sizeof(*sink->filled)));
    sink->filled_by = must(calloc(count + 1, sizeof(*sink->filled_by)));
    sink->hints = must(calloc(count + 1, sizeof(*sink->hints)));
    for (uint32_t i = 0; i < count; i++)
        vector_builder_init(&sink->columns[i], table->schema.columns[i].type);
    vector_builder_init(&sink->columns[count], TYPE_DYNAMIC);
    return sink;
}

void
ingest_sink_free(IngestSink *sink)
{
    if (!sink)
        return;
    for (uint32_t i = 0; i <= sink->table->schema.count; i++)
        vector_builder_free(&sink->columns[i]);
    arena_free(&sink->arena);
    free(sink->columns);
    free(sink->filled);
    free(sink->filled_by);
    free(sink->hints);
    free(sink);
}

// The writer for the batch; opening one changes the StoreWriter, so under the lock.
static TableWriter *
sink_writer(IngestSink *sink, bool wide, AzError *error)
{
    TableWriter **writer = wide ? &sink->wide : &sink->plain;
    if (*writer)
        return *writer;
    const IngestTable *table = sink->table;
    Schema schema = table->schema;
    Column *columns = arena_alloc_array(&sink->arena, schema.count + 1, sizeof(*columns));
    if (schema.count)
        memcpy(columns, schema.columns, schema.count * sizeof(*columns));
    columns[schema.count] = (Column){UNMAPPED, TYPE_DYNAMIC};
    schema.columns = columns;
    schema.count += wide;
    pthread_mutex_lock(&sink->run->lock);
    *writer = store_writer_table(sink->run->writer, table->name, table->kind, &schema, error);
    pthread_mutex_unlock(&sink->run->lock);
    return *writer;
}

// The column's values of the batch, which lie in its builder.
static const Vector *
sink_column(IngestSink *sink, uint32_t c)
{
    VectorBuilder *builder = &sink->columns[c];
    if (!builder->count)
        return vector_new_const(&sink->arena, &(Value){.type = builder->type, .is_null = true},
                                sink->rows);
    vector_builder_pad(builder, sink->rows);
    return vector_builder_view(builder, &sink->arena, sink->rows);
}

bool
ingest_sink_flush(IngestSink *sink)
{
    if (!sink->rows)
        return true;
    AzError error = {0};
    bool wide = sink->has_unmapped || sink->wide;
    TableWriter *writer = sink_writer(sink, wide, &error);
    uint32_t count = sink->table->schema.count + wide;
    bool done = writer != NULL;
    if (done) {
        Batch *batch = batch_new(&sink->arena, count, sink->rows);
        for (uint32_t c = 0; c < count; c++)
            batch->columns[c] = sink_column(sink, c);
        done = table_writer_append(writer, batch, &error);
    }
    for (uint32_t c = 0; c <= sink->table->schema.count; c++)
        vector_builder_clear(&sink->columns[c]);
    arena_reset(&sink->arena);
    sink->rows = 0;
    sink->has_unmapped = false;
    return done || ingest_run_fail(sink->run, &error);
}

VectorBuilder *
ingest_row_column(IngestSink *sink, size_t column)
{
    VectorBuilder *builder = &sink->columns[column];
    vector_builder_pad(builder, sink->rows);
    return builder;
}

void
ingest_row_begin(IngestWorker *worker, IngestSink *sink)
{
    memset(sink->filled, FREE, sink->table->schema.count);
    worker->unmapped_open = false;
    arena_reset(&worker->scratch);
}

void
ingest_push_member(DynBuilder *builder, const JsonMember *member)
{
    switch (member->kind) {
    case DYN_BOOL: dyn_push_bool(builder, member->boolean); break;
    case DYN_LONG: dyn_push_long(builder, member->long_); break;
    case DYN_REAL: dyn_push_real(builder, member->real); break;
    case DYN_STRING: dyn_push_string(builder, member->string); break;
    case DYN_ARRAY:
    case DYN_BAG: dyn_push_tree(builder, member->tree); break;
    case DYN_DECIMAL: {
        Decimal decimal;
        if (decimal_parse(member->string, &decimal))
            dyn_push_decimal(builder, decimal);
        else
            dyn_push_string(builder, member->string);
        break;
    }
    default: dyn_push_null(builder); break;
    }
}

static DynBuilder *
unmapped_key(IngestWorker *worker, Str name)
{
    if (!worker->unmapped_open) {
        dyn_builder_reset(worker->unmapped);
        dyn_begin_bag(worker->unmapped);
        worker->unmapped_open = true;
    }
    dyn_key(worker->unmapped, name);
    return worker->unmapped;
}

static void
keep_unmapped(IngestWorker *worker, const JsonMember *member)
{
    // Rows that Azimuth exported bring their own `_Unmapped`: its members go home.
    if (member->kind == DYN_BAG && str_equal(member->key, UNMAPPED)) {
        for (uint32_t i = 0; i < dyn_count(member->tree); i++)
            dyn_push_tree(unmapped_key(worker, dyn_key_at(member->tree, i)),
                          dyn_at(member->tree, i));
        return;
    }
    ingest_push_member(unmapped_key(worker, member->key), member);
}

// Fitting a member to a column's type: fills `out` or returns false. Text is viewed;
// `fit` may use the worker's cell buffer and scalar builder until the next call.
typedef bool (*Fit)(IngestWorker *worker, const JsonMember *member, Value *out);

static bool
fit_bool(IngestWorker *worker, const JsonMember *member, Value *out)
{
    (void)worker;
    if (member->kind == DYN_BOOL)
        out->boolean = member->boolean;
    else if (member->kind == DYN_LONG && (member->long_ == 0 || member->long_ == 1))
        out->boolean = member->long_ == 1;
    else
        return member->kind == DYN_STRING && bool_parse(member->string, &out->boolean);
    return true;
}

static bool
fit_long(IngestWorker *worker, const JsonMember *member, Value *out)
{
    (void)worker;
    static const double limit = 9007199254740992.0; // beyond 2^53 a real is no exact integer
    if (member->kind == DYN_LONG)
        out->int64 = member->long_;
    else if (member->kind == DYN_BOOL)
        out->int64 = member->boolean;
    else if (member->kind == DYN_REAL && fabs(member->real) <= limit)
        out->int64 = (int64_t)member->real; // a fraction is cut, as tolong() does
    else
        return member->kind == DYN_STRING && long_parse(member->string, &out->int64);
    return true;
}

static bool
fit_int(IngestWorker *worker, const JsonMember *member, Value *out)
{
    Value wide = {0};
    if (!fit_long(worker, member, &wide) || wide.int64 < INT32_MIN || wide.int64 > INT32_MAX)
        return false;
    out->int32 = (int32_t)wide.int64;
    return true;
}

static bool
fit_real(IngestWorker *worker, const JsonMember *member, Value *out)
{
    (void)worker;
    if (member->kind == DYN_REAL)
        out->real = member->real;
    else if (member->kind == DYN_LONG)
        out->real = (double)member->long_;
    else
        return (member->kind == DYN_STRING || member->kind == DYN_DECIMAL) &&
               real_parse(member->string, &out->real);
    return true;
}

static bool
fit_decimal(IngestWorker *worker, const JsonMember *member, Value *out)
{
    (void)worker;
    if (member->kind == DYN_LONG)
        out->decimal = decimal_from_long(member->long_);
    else if (member->kind == DYN_REAL) // the digits as written, not the nearest real
        return decimal_parse(member->raw, &out->decimal);
    else
        return (member->kind == DYN_STRING || member->kind == DYN_DECIMAL) &&
               decimal_parse(member->string, &out->decimal);
    return true;
}

static bool
fit_datetime(IngestWorker *worker, const JsonMember *member, Value *out)
{
    (void)worker;
    return member->kind == DYN_STRING && ingest_time_parse(member->string, &out->int64);
}

static bool
fit_timespan(IngestWorker *worker, const JsonMember *member, Value *out)
{
    (void)worker;
    return member->kind == DYN_STRING && timespan_parse(member->string, &out->int64);
}

static bool
fit_guid(IngestWorker *worker, const JsonMember *member, Value *out)
{
    (void)worker;
    return member->kind == DYN_STRING && guid_parse(member->string, &out->guid);
}

static bool
fit_string(IngestWorker *worker, const JsonMember *member, Value *out)
{
    Str text = member->string;
    if (member->kind == DYN_ARRAY || member->kind == DYN_BAG) {
        buffer_clear(&worker->cell);
        dyn_to_json(&worker->cell, member->tree);
        text = buffer_slice(&worker->cell);
    } else if (member->kind == DYN_BOOL) {
        text = member->boolean ? STR("true") : STR("false");
    } else if (member->kind != DYN_STRING) {
        text = str_trim(member->raw);
    }
    out->text = text_view(text.ptr, text.len);
    return text.len <= BLOCK_VALUE_MAX;
}

static bool
fit_dynamic(IngestWorker *worker, const JsonMember *member, Value *out)
{
    Dyn tree = member->tree;
    if (member->kind != DYN_ARRAY && member->kind != DYN_BAG) {
        const char *why;
        dyn_builder_reset(worker->scalar);
        ingest_push_member(worker->scalar, member);
        if (!dyn_finish(worker->scalar, &tree, &why))
            return false;
    }
    out->text = text_view((const char *)tree.ptr, tree.size);
    return tree.size <= BLOCK_VALUE_MAX;
}

static const Fit fits[TYPE_LIMIT] = {
    [TYPE_BOOL] = fit_bool,         [TYPE_INT] = fit_int,         [TYPE_LONG] = fit_long,
    [TYPE_REAL] = fit_real,         [TYPE_DECIMAL] = fit_decimal, [TYPE_DATETIME] = fit_datetime,
    [TYPE_TIMESPAN] = fit_timespan, [TYPE_STRING] = fit_string,   [TYPE_GUID] = fit_guid,
    [TYPE_DYNAMIC] = fit_dynamic,
};

// A whole-number column takes 12.7 as 12; the value as it came is kept beside it.
static bool
loses_fraction(const JsonMember *member, Type type)
{
    return member->kind == DYN_REAL && (type == TYPE_INT || type == TYPE_LONG) &&
           trunc(member->real) != member->real;
}

static void
put_value(IngestWorker *worker, IngestSink *sink, uint32_t column, const JsonMember *member)
{
    VectorBuilder *builder = ingest_row_column(sink, column);
    Value value = {.type = builder->type};
    // An empty text where a number or a time belongs says "nothing" (Log Analytics
    // and Graph write it so); that is null, and nothing is lost.
    bool is_empty = member->kind == DYN_NULL || (member->kind == DYN_STRING &&
                                                 !member->string.len && !type_is_text(value.type));
    value.is_null = is_empty || !fits[value.type](worker, member, &value);
    if ((value.is_null && !is_empty) || loses_fraction(member, value.type))
        keep_unmapped(worker, member);
    vector_builder_value(builder, &sink->arena, &value);
}

// The value the column has so far goes to `_Unmapped` under the name it came by.
static void
move_to_unmapped(IngestWorker *worker, IngestSink *sink, uint32_t column)
{
    VectorBuilder *builder = &sink->columns[column];
    const Vector view = {.type = builder->type,
                         .encoding = ENC_FLAT,
                         .count = builder->count,
                         .data = builder->data,
                         .valid = builder->has_nulls ? builder->valid : NULL};
    Value value = vector_value(&view, sink->rows);
    dyn_push_value(unmapped_key(worker, sink->filled_by[column]), &value);
}

static ptrdiff_t
find_column(const IngestTable *table, Str name, uint8_t *how)
{
    const MapEntry *entry = map_find(&table->exact, name);
    *how = BY_NAME;
    if (!entry) {
        entry = map_find(&table->any_case, name);
        *how = BY_OTHER_CASE;
    }
    return entry ? (ptrdiff_t)entry->number : NO_COLUMN;
}

static void
row_put(IngestWorker *worker, IngestSink *sink, ptrdiff_t column, uint8_t how,
        const JsonMember *member)
{
    if (column == NO_COLUMN || (how == BY_OTHER_CASE && sink->filled[column] != FREE)) {
        keep_unmapped(worker, member);
        return;
    }
    if (sink->filled[column] != FREE) {
        // The exact name wins over another spelling, the last of two equal names over
        // the first.
        if (sink->filled[column] == BY_OTHER_CASE)
            move_to_unmapped(worker, sink, (uint32_t)column);
        sink->columns[column].count--;
    }
    put_value(worker, sink, (uint32_t)column, member);
    sink->filled[column] = how;
    if (how == BY_OTHER_CASE)
        sink->filled_by[column] = str_copy(&worker->scratch, member->key);
}

ptrdiff_t
ingest_column_find(const IngestTable *table, Str name)
{
    uint8_t how;
    return find_column(table, name, &how);
}

bool
ingest_row_has(const IngestSink *sink, ptrdiff_t column)
{
    return sink->filled[column] != FREE;
}

bool
ingest_row_time(const IngestSink *sink, ptrdiff_t column, int64_t *ticks)
{
    const VectorBuilder *builder = &sink->columns[column];
    if (sink->filled[column] == FREE || builder->type != TYPE_DATETIME ||
        (builder->has_nulls && !bit_get(builder->valid, sink->rows)))
        return false;
    *ticks = ((const int64_t *)(const void *)builder->data)[sink->rows];
    return true;
}

bool
ingest_row_put(IngestWorker *worker, IngestSink *sink, const JsonMember *member)
{
    uint8_t how;
    ptrdiff_t column = find_column(sink->table, member->key, &how);
    row_put(worker, sink, column, how, member);
    return true;
}

// JSON text into a dynamic column.
static void
put_parsed(IngestWorker *worker, IngestSink *sink, uint32_t column, Str text)
{
    Text tree;
    bool is_null;
    json_parse_lenient(worker->inner, worker->inner_tree, &worker->scratch, text, &tree, &is_null);
    Value value = {.type = TYPE_DYNAMIC, .is_null = is_null, .text = tree};
    if (sink->filled[column] != FREE)
        sink->columns[column].count--;
    vector_builder_value(ingest_row_column(sink, column), &sink->arena, &value);
    sink->filled[column] = BY_NAME;
}

static bool
is_json_text(const JsonMember *member)
{
    Str text = str_trim(member->string);
    return member->kind == DYN_STRING && text.len && (text.ptr[0] == '{' || text.ptr[0] == '[');
}

void
ingest_row_put_loose(IngestWorker *worker, IngestSink *sink, const JsonMember *member)
{
    uint8_t how;
    ptrdiff_t column = find_column(sink->table, member->key, &how);
    if (column != NO_COLUMN && sink->columns[column].type == TYPE_DYNAMIC && is_json_text(member))
        put_parsed(worker, sink, (uint32_t)column, member->string);
    else
        row_put(worker, sink, column, how, member);
}

void
ingest_row_text(IngestWorker *worker, IngestSink *sink, ptrdiff_t column, Str name, Str text)
{
    JsonMember member = {.key = name, .kind = DYN_STRING, .string = text, .raw = text};
    const Column *target = column < 0 ? NULL : &sink->table->schema.columns[column];
    bool known = target != NULL;
    if (!text.len && (!known || target->type != TYPE_STRING))
        member.kind = DYN_NULL; // CSV has no other way to say null
    if (member.kind == DYN_NULL && !known)
        return;
    if (known && target->type == TYPE_DYNAMIC && member.kind == DYN_STRING) {
        put_parsed(worker, sink, (uint32_t)column, text);
        return;
    }
    row_put(worker, sink, column, BY_NAME, &member);
}

void
ingest_row_drop(IngestWorker *worker, IngestSink *sink)
{
    worker->unmapped_open = false;
    for (uint32_t i = 0; i < sink->table->schema.count; i++)
        if (sink->columns[i].count > sink->rows)
            sink->columns[i].count = sink->rows;
}

bool
ingest_row_end(IngestWorker *worker, IngestSink *sink, IngestCounts *counts, const char **why)
{
    uint32_t count = sink->table->schema.count;
    *why = NULL;
    if (sink->table->is_arm)
        arm_row_derive(worker, sink);
    if (worker->unmapped_open) {
        Dyn tree;
        dyn_end_bag(worker->unmapped);
        // `_Unmapped` is one level deeper than the record itself was.
        bool kept = dyn_finish(worker->unmapped, &tree, why);
        if (kept && tree.size > BLOCK_VALUE_MAX) {
            *why = "what has no column is longer than the store keeps";
            kept = false;
        }
        if (!kept) {
            ingest_row_drop(worker, sink);
            return false;
        }
        Text text = text_view((const char *)tree.ptr, tree.size);
        vector_builder_data(ingest_row_column(sink, count), &sink->arena, &text);
        worker->unmapped_open = false;
        sink->has_unmapped = true;
        atomic_fetch_add_explicit(&counts->unmapped, 1, memory_order_relaxed);
    }
    sink->rows++;
    atomic_fetch_add_explicit(&counts->rows, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&sink->run->rows, 1, memory_order_relaxed);
    if (sink->rows >= batch_rows || sink->arena.allocated > ARENA_FULL)
        return ingest_sink_flush(sink);
    return true;
}

typedef struct Walk {
    IngestWorker *worker;
    IngestSink *sink;
    uint32_t member;
    bool strict, refused; // see ingest_sink_row
} Walk;

static bool
walk_member(void *context, const JsonMember *member)
{
    Walk *walk = context;
    IngestSink *sink = walk->sink;
    const Schema *schema = &sink->table->schema;
    uint32_t place = walk->member++;
    uint8_t how = BY_NAME;
    ptrdiff_t column;
    if (place < schema->count && str_equal(schema->columns[sink->hints[place]].name, member->key)) {
        column = sink->hints[place];
    } else {
        column = find_column(sink->table, member->key, &how);
        if (place < schema->count && column != NO_COLUMN)
            sink->hints[place] = (uint32_t)column;
    }
    if (walk->strict) {
        if (column == NO_COLUMN || (str_equal(member->key, STR("Type")) &&
                                    !str_equal(member->string, sink->table->name))) {
            walk->refused = true;
            return false;
        }
        if (sink->columns[column].type == TYPE_DYNAMIC && is_json_text(member)) {
            put_parsed(walk->worker, sink, (uint32_t)column, member->string);
            return true;
        }
    }
    row_put(walk->worker, sink, column, how, member);
    return true;
}

bool
ingest_sink_json(IngestWorker *worker, IngestSink *sink, Str record, IngestCounts *counts,
                 const char **why)
{
    size_t offset;
    Walk walk = {.worker = worker, .sink = sink};
    ingest_row_begin(worker, sink);
    if (!json_walk_object(worker->parser, worker->tree, record, walk_member, &walk, why, &offset)) {
        ingest_row_drop(worker, sink);
        return false;
    }
    return ingest_row_end(worker, sink, counts, why);
}

bool
ingest_sink_row(IngestWorker *worker, IngestSink *sink, Str record, ptrdiff_t time_column,
                IngestFinish finish, void *context, IngestCounts *counts, bool *refused,
                const char **why)
{
    size_t offset;
    Walk walk = {.worker = worker, .sink = sink, .strict = true};
    ingest_row_begin(worker, sink);
    bool read =
        json_walk_object(worker->parser, worker->tree, record, walk_member, &walk, why, &offset);
    *refused = walk.refused || (read && (time_column < 0 || sink->filled[time_column] == FREE));
    if (!read || *refused) {
        ingest_row_drop(worker, sink);
        return false;
    }
    if (finish)
        finish(context, worker, sink);
    return ingest_row_end(worker, sink, counts, why);
}

size_t
ingest_sink_memory(const IngestSink *sink)
{
    size_t bytes = sink->arena.allocated;
    for (uint32_t c = 0; c <= sink->table->schema.count; c++)
        bytes += sink->columns[c].cap * type_size(sink->columns[c].type);
    return bytes + (sink->plain ? table_writer_memory(sink->plain) : 0) +
           (sink->wide ? table_writer_memory(sink->wide) : 0);
}

bool
ingest_sink_release(IngestSink *sink)
{
    AzError error = {0};
    if (!ingest_sink_flush(sink))
        return false;
    for (uint32_t c = 0; c <= sink->table->schema.count; c++) {
        Type type = sink->columns[c].type;
        vector_builder_free(&sink->columns[c]);
        vector_builder_init(&sink->columns[c], type);
    }
    arena_free(&sink->arena);
    return ((!sink->plain || table_writer_release(sink->plain, &error)) &&
            (!sink->wide || table_writer_release(sink->wide, &error))) ||
           ingest_run_fail(sink->run, &error);
}
