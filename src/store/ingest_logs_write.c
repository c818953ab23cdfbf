// Writing the rows of a log import. A record that is a row of a table as it stands, like the one
// before it in the file, goes straight into the columns; any other is mapped.

#include "store/ingest_logs_parts.h"

#include "base/array.h"
#include "value/scalar.h"

#include <stdio.h>

enum {
    SINKS_MEMORY = 256 << 20, // bytes that the sinks of all workers may hold
    VALUE_MAX = 48 << 20,     // of one cell: more than a record may bring but by blowing up
};

static IngestSink *
worker_sink(LogWorker *worker, const LogTable *table)
{
    if (table->number >= worker->sink_cap) {
        size_t cap = table->number * 2 + 16;
        IngestSink **sinks = realloc(worker->sinks, cap * sizeof(*sinks));
        if (!sinks) {
            fprintf(stderr, "azimuth: out of memory (import)\n");
            abort();
        }
        memset(sinks + worker->sink_cap, 0, (cap - worker->sink_cap) * sizeof(*sinks));
        worker->sinks = sinks;
        worker->sink_cap = cap;
    }
    IngestSink **sink = &worker->sinks[table->number];
    if (!*sink)
        *sink = ingest_sink_new(&worker->import->run, &table->table);
    return *sink;
}

static LogCount *
worker_count(LogWorker *worker, Str format, const LogTable *table)
{
    LogCount *last = worker->last;
    if (last && last->table == table && str_equal(last->format, format))
        return last;
    for (size_t i = 0; i < worker->counts.len; i++) {
        last = worker->counts.items[i];
        if (last->table == table && str_equal(last->format, format))
            return worker->last = last;
    }
    last = ARENA_NEW(&worker->kept, LogCount);
    last->format = str_copy(&worker->kept, format);
    last->table = table;
    ARRAY_PUSH(&worker->kept, &worker->counts, last);
    return worker->last = last;
}

// Columns that the import knows and the record does not say; and what is odd about its time.
static void
finish_row(void *context, IngestWorker *base, IngestSink *sink)
{
    LogWorker *worker = context;
    const LogImport *import = worker->import;
    LogCount *count = worker->last;
    const LogTable *table = count->table;
    if (table->type >= 0 && !ingest_row_has(sink, table->type))
        ingest_row_put_text(base, sink, STR("Type"), table->table.name);
    if (import->options->tenant.len && table->tenant >= 0 && !ingest_row_has(sink, table->tenant))
        ingest_row_put_text(base, sink, STR("TenantId"), import->options->tenant);
    if (import->options->received && table->received >= 0 &&
        !ingest_row_has(sink, table->received)) {
        Buffer text = {0};
        datetime_print(&text, import->options->received);
        ingest_row_put_text(base, sink, STR("_TimeReceived"), buffer_slice(&text));
        buffer_free(&text);
    }
    int64_t ticks;
    bool timed = table->time >= 0 && ingest_row_time(sink, table->time, &ticks);
    count->timeless += !timed;
    count->ahead += timed && ticks > import->latest;
    atomic_store_explicit(&worker->file->table, table->number + 1, memory_order_relaxed);
}

static bool
cells_fit(const LogRow *row)
{
    for (size_t i = 0; i < row->count; i++)
        if (row->cells[i].tree.size > VALUE_MAX || row->cells[i].string.len > VALUE_MAX)
            return false;
    return true;
}

// Cells without a column, together in AdditionalFields.
static void
put_overflow(LogWorker *worker, IngestSink *sink, const LogTable *table, const LogRow *row)
{
    DynBuilder *builder = worker->base->inner_tree;
    bool any = false;
    for (size_t i = 0; i < row->count; i++) {
        const JsonMember *cell = &row->cells[i];
        if (ingest_column_find(&table->table, cell->key) >= 0)
            continue;
        if (!any) {
            dyn_builder_reset(builder);
            dyn_begin_bag(builder);
        }
        any = true;
        dyn_key(builder, cell->key);
        ingest_push_member(builder, cell);
    }
    Text tree;
    bool is_null;
    if (!any)
        return;
    dyn_end_bag(builder);
    if (!dyn_finish_text(builder, &worker->base->scratch, &tree, &is_null) || is_null)
        return;
    JsonMember member = {
        .key = STR("AdditionalFields"), .kind = DYN_BAG, .tree = dyn_of_text(&tree)};
    ingest_row_put(worker->base, sink, &member);
}

bool
log_write_row(void *context, const LogRow *row)
{
    LogWorker *worker = context;
    IngestWorker *base = worker->base;
    LogTable *table = log_table_find(worker, row->table, row->open);
    if (!table)
        return false;
    LogCount *count = worker_count(worker, row->format, table);
    worker->row_table = row->plain && !worker->file->source.csv ? table : NULL;
    const char *why = "a value of it is longer than 48 MiB";
    if (cells_fit(row)) {
        IngestSink *sink = worker_sink(worker, table);
        ingest_row_begin(base, sink);
        for (size_t i = 0; i < row->count; i++)
            if (table->overflow < 0 || ingest_column_find(&table->table, row->cells[i].key) >= 0)
                ingest_row_put_loose(base, sink, &row->cells[i]);
        if (table->overflow >= 0)
            put_overflow(worker, sink, table, row);
        finish_row(worker, base, sink);
        if (ingest_row_end(base, sink, &count->counts, &why))
            return true;
        if (!why)
            return false;
    }
    return ingest_reject(base->run, &worker->file->file, &base->chunk, worker->original, why,
                         false);
}

bool
log_write_json(LogWorker *worker, Str record, const char **why)
{
    IngestWorker *base = worker->base;
    size_t offset;
    if (worker->row_table) {
        const LogTable *table = worker->row_table;
        LogCount *count = worker_count(worker, STR("row of a table"), table);
        bool refused;
        if (ingest_sink_row(base, worker_sink(worker, table), record, table->time, finish_row,
                            worker, &count->counts, &refused, why))
            return true;
        if (!refused)
            return false;
    }
    Dyn tree;
    dyn_builder_reset(base->tree);
    if (!json_to_dynamic(base->parser, record, base->tree, why, &offset) ||
        !dyn_finish(base->tree, &tree, why))
        return false;
    *why = "not a JSON object";
    if (dyn_kind(tree) != DYN_BAG)
        return false;
    *why = NULL;
    return log_map(worker, tree, log_write_row);
}

bool
log_sinks_bound(LogWorker *worker)
{
    size_t held = 0, share = SINKS_MEMORY / worker->import->run.worker_count;
    for (size_t i = 0; i < worker->sink_cap; i++)
        held += worker->sinks[i] ? ingest_sink_memory(worker->sinks[i]) : 0;
    if (held <= share)
        return true;
    for (size_t i = 0; i < worker->sink_cap; i++)
        if (worker->sinks[i] && !ingest_sink_release(worker->sinks[i]))
            return false;
    return true;
}

bool
log_sinks_flush(LogWorker *worker)
{
    bool done = true;
    for (size_t i = 0; i < worker->sink_cap; i++) {
        if (!worker->sinks[i])
            continue;
        done = done && !worker->import->run.failed && ingest_sink_flush(worker->sinks[i]);
        ingest_sink_free(worker->sinks[i]);
        worker->sinks[i] = NULL;
    }
    free(worker->sinks);
    worker->sinks = NULL;
    worker->sink_cap = 0;
    return done;
}
