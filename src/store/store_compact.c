// Compaction: small segments of a table become few large ones, through the ordinary writer.
//
// A segment is small when it has less than half of the rows and of the payload of a full one, so
// that what compaction writes, but for one remainder, is left alone the next time. The segments
// are read in the order of their times, so that the new ones hold neighbouring times. Expired rows
// are left out on the way; a segment that is read for them must be, since rows without a time stay.

#include "store/store_upkeep.h"
#include "value/scalar.h"

#include <stdlib.h>
#include <string.h>

enum { READ_ROWS = 4096 };

// Bytes of the rows as a writer counts them, about: dictionaries hide repeated texts.
static bool
segment_payload(Store *store, const CatalogSegment *entry, uint64_t *payload, AzError *error)
{
    OpenSegment *open = store_segment_pin(store, entry, error);
    if (!open)
        return false;
    const Segment *segment = open->segment;
    *payload = 0;
    for (uint32_t g = 0; g < segment->group_count; g++)
        for (uint32_t c = 0; c < segment->schema.count; c++)
            *payload += segment->groups[g].blocks[c].raw;
    store_segment_unpin(store, open);
    return true;
}

bool
segment_small(Store *store, const CatalogSegment *entry, bool *small, AzError *error)
{
    uint64_t payload = 0;
    *small = false;
    if (entry->rows >= SMALL_ROWS)
        return true;
    if (!segment_payload(store, entry, &payload, error))
        return false;
    *small = payload < SMALL_PAYLOAD;
    return true;
}

static int
by_snapshot_and_time(const void *a, const void *b)
{
    const CatalogSegment *x = a, *y = b;
    if (x->snapshot != y->snapshot)
        return x->snapshot < y->snapshot ? -1 : 1;
    if (x->has_time && y->has_time && x->time_min != y->time_min)
        return x->time_min < y->time_min ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

// Chooses among the segments of one snapshot.
static bool
choose(Rewrite *rewrite, const CatalogSegment *segments, size_t count, bool merge, AzError *error)
{
    Upkeep *upkeep = rewrite->upkeep;
    SegmentList small = {0};
    for (size_t i = 0; i < count; i++) {
        const CatalogSegment *entry = &segments[i];
        bool is_small = false;
        bool aged = rewrite->time_column >= 0 && entry->has_time;
        if (aged && entry->time_min < rewrite->cutoff) {
            rewrite->expires = true;
            ARRAY_PUSH(&upkeep->arena, &rewrite->read, *entry);
        } else if (!merge) {
            continue;
        } else if (!segment_small(upkeep->store, entry, &is_small, error)) {
            return false;
        } else if (is_small) {
            ARRAY_PUSH(&upkeep->arena, &small, *entry);
        }
    }
    bool joins = small.len > 1 || (small.len == 1 && rewrite->expires);
    for (size_t i = 0; joins && i < small.len; i++)
        ARRAY_PUSH(&upkeep->arena, &rewrite->read, small.items[i]);
    return true;
}

// The table's columns that the segments have, in the table's order.
static bool
columns_choose(Rewrite *rewrite, AzError *error)
{
    Arena *arena = &rewrite->upkeep->arena;
    const Schema *schema = &rewrite->table->schema;
    bool *used = ARENA_ARRAY(arena, bool, schema->count);
    for (size_t i = 0; i < rewrite->read.len; i++) {
        OpenSegment *open =
            store_segment_pin(rewrite->upkeep->store, &rewrite->read.items[i], error);
        if (!open)
            return false;
        for (uint32_t c = 0; c < schema->count; c++)
            used[c] = used[c] || schema_find(&open->segment->schema, schema->columns[c].name) >= 0;
        store_segment_unpin(rewrite->upkeep->store, open);
    }
    rewrite->schema.columns = ARENA_ARRAY(arena, Column, schema->count);
    rewrite->columns = ARENA_ARRAY(arena, uint32_t, schema->count);
    for (uint32_t c = 0; c < schema->count; c++) {
        if (!used[c])
            continue;
        rewrite->columns[rewrite->schema.count] = c;
        rewrite->schema.columns[rewrite->schema.count++] = schema->columns[c];
    }
    return true;
}

// The rows that stay; those without a time do.
static void
rows_select(const Rewrite *rewrite, Arena *arena, Batch *batch, const Vector *time)
{
    uint32_t *selection = arena_alloc_array(arena, batch->count, sizeof(*selection)), kept = 0;
    for (uint32_t i = 0; i < batch->count; i++)
        if (vector_is_null(time, i) || *(const int64_t *)vector_cell(time, i) >= rewrite->cutoff)
            selection[kept++] = i;
    batch->selection = selection;
    batch->selected = kept;
}

static bool
rows_copy(Rewrite *rewrite, const TableSource *source, uint32_t morsel, uint32_t from,
          uint32_t count, Arena *arena, AzError *error)
{
    Batch *batch = batch_new(arena, rewrite->schema.count, count);
    for (uint32_t c = 0; c < rewrite->schema.count; c++) {
        batch->columns[c] =
            source->read(source, morsel, rewrite->columns[c], from, count, arena, error);
        if (!batch->columns[c])
            return false;
    }
    if (rewrite->cutoff != INT64_MIN) {
        const Vector *time =
            source->read(source, morsel, (uint32_t)rewrite->time_column, from, count, arena, error);
        if (!time)
            return false;
        rows_select(rewrite, arena, batch, time);
    }
    rewrite->rows_kept += batch->selected;
    return table_writer_append(rewrite->out, batch, error);
}

static bool
source_copy(Rewrite *rewrite, const TableSource *source, AzError *error)
{
    Upkeep *upkeep = rewrite->upkeep;
    Arena arena = {0};
    bool ok = true;
    for (uint32_t m = 0; ok && m < source->morsel_count; m++) {
        uint32_t rows = source->morsel_rows(source, m);
        for (uint32_t at = 0; ok && at < rows; at += READ_ROWS) {
            uint32_t count = rows - at < READ_ROWS ? rows - at : READ_ROWS;
            arena_reset(&arena);
            ok = rows_copy(rewrite, source, m, at, count, &arena, error);
        }
        source->release(source, m);
        upkeep->rows_done += rows;
        if (upkeep->options->progress)
            upkeep->options->progress(upkeep->options->progress_context, rewrite->table->name,
                                      upkeep->rows_done, upkeep->rows_total);
        if (ok && upkeep->options->cancel && *upkeep->options->cancel)
            ok = error_set(error, AZ_CANCELLED,
                           "stopped: what was done before stays, run this "
                           "again to go on");
    }
    arena_free(&arena);
    return ok;
}

// Snapshot by snapshot, so that no segment holds rows of two.
static bool
segments_copy(Rewrite *rewrite, AzError *error)
{
    const SegmentList *read = &rewrite->read;
    for (size_t from = 0, to; from < read->len; from = to) {
        for (to = from; to < read->len && read->items[to].snapshot == read->items[from].snapshot;)
            to++;
        TableSource *source = store_view_part(rewrite->upkeep->view, rewrite->table,
                                              read->items + from, (uint32_t)(to - from), error);
        store_writer_snapshot(rewrite->writer, read->items[from].snapshot);
        if (!source || !source_copy(rewrite, source, error) ||
            !table_writer_flush(rewrite->out, error))
            return false;
    }
    return true;
}

static void
report_add(Rewrite *rewrite, uint64_t segments_after, uint64_t bytes_after)
{
    UpkeepReport *report = rewrite->upkeep->report;
    uint64_t rows = 0;
    for (size_t i = 0; i < rewrite->read.len; i++) {
        rows += rewrite->read.items[i].rows;
        report->bytes_before += rewrite->read.items[i].bytes;
    }
    report->tables++;
    report->segments_before += rewrite->read.len;
    report->segments_after += segments_after;
    report->bytes_after += bytes_after;
    report->rows_expired += rows - rewrite->rows_kept;
}

bool
rewrite_run(Rewrite *rewrite, AzError *error)
{
    Store *store = rewrite->upkeep->store;
    const CatalogTable *table = rewrite->table;
    qsort(rewrite->read.items, rewrite->read.len, sizeof(CatalogSegment), by_snapshot_and_time);
    if (!columns_choose(rewrite, error))
        return false;
    StoreImportInfo info = {.new_snapshot = false};
    rewrite->writer = store_writer_new(store, &info, error);
    if (!rewrite->writer)
        return false;
    store_writer_rewrite(rewrite->writer, rewrite->read.items, rewrite->read.len);
    rewrite->out =
        store_writer_table(rewrite->writer, table->name, table->kind, &rewrite->schema, error);
    if (!rewrite->out || !segments_copy(rewrite, error)) {
        store_abort(rewrite->writer);
        return false;
    }
    uint64_t bytes;
    rewrite->written = store_writer_finished(rewrite->writer, &bytes);
    if (rewrite->written >= rewrite->read.len && !rewrite->expires) {
        store_abort(rewrite->writer); // nothing won: their texts repeat so much that they are full
        return true;
    }
    if (!store_commit(rewrite->writer, NULL, error))
        return false;
    report_add(rewrite, rewrite->written, bytes);
    return true;
}

static bool
rewrite_plan(Rewrite *rewrite, bool merge, AzError *error)
{
    Upkeep *upkeep = rewrite->upkeep;
    const CatalogTable *table = rewrite->table;
    const CatalogState *state = store_view_state(upkeep->view);
    SegmentList own = {0};
    int64_t days = 0;
    rewrite->time_column = time_column_find(&table->schema);
    rewrite->cutoff = INT64_MIN;
    if (!catalog_retention(upkeep->store->catalog, table->id, &days, error))
        return false;
    if (days && rewrite->time_column >= 0)
        rewrite->cutoff = upkeep->options->now - days * TICKS_PER_DAY;
    for (size_t i = 0; i < state->segment_count; i++)
        if (state->segments[i].table == table->id)
            ARRAY_PUSH(&upkeep->arena, &own, state->segments[i]);
    if (own.len)
        qsort(own.items, own.len, sizeof(*own.items), by_snapshot_and_time);
    for (size_t from = 0, to; from < own.len; from = to) {
        for (to = from; to < own.len && own.items[to].snapshot == own.items[from].snapshot;)
            to++;
        if (!choose(rewrite, own.items + from, to - from, merge, error))
            return false;
    }
    for (size_t i = 0; i < rewrite->read.len; i++)
        upkeep->rows_total += rewrite->read.items[i].rows;
    return true;
}

bool
upkeep_rewrite(Store *store, bool merge, const UpkeepOptions *options, UpkeepReport *report,
               AzError *error)
{
    Upkeep upkeep = {.store = store, .options = options, .report = report};
    upkeep.view = store_view_all(store, error);
    if (!upkeep.view)
        return false;
    const CatalogState *state = store_view_state(upkeep.view);
    Rewrite *rewrites = ARENA_ARRAY(&upkeep.arena, Rewrite, state->table_count);
    bool ok = true;
    for (size_t i = 0; ok && i < state->table_count; i++) {
        rewrites[i] = (Rewrite){.upkeep = &upkeep, .table = &state->tables[i]};
        ok = rewrite_plan(&rewrites[i], merge, error);
    }
    for (size_t i = 0; ok && i < state->table_count; i++)
        if (rewrites[i].read.len)
            ok = rewrite_run(&rewrites[i], error);
    store_view_close(upkeep.view);
    arena_free(&upkeep.arena);
    return ok;
}

bool
store_compact(Store *store, const UpkeepOptions *options, UpkeepReport *report, AzError *error)
{
    *report = (UpkeepReport){0};
    return upkeep_writable(store, error) && upkeep_rewrite(store, true, options, report, error) &&
           upkeep_clear(store, report, error);
}
