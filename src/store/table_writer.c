// Table writer: collects rows of one table and writes them out as segments.
//
// Rows are copied into plain columns that grow to SEGMENT_ROWS rows or
// SEGMENT_PAYLOAD bytes, whichever comes first; then they are put in order and
// become one file in tmp/. So an import of any length needs bounded memory.

#include "store/store_internal.h"

#include <assert.h>
#include <stdlib.h>

// Appended between two looks at the payload's size.
enum { APPEND_ROWS = 1024 };

// Until a value comes nothing is kept of a column: tables of Azure declare hundreds that a
// record does not have.
typedef struct ColumnBuffer {
    char *data;      // cap payloads
    uint64_t *valid; // cap bits, all set but those of nulls
    uint32_t cap;
    bool used; // data and valid say what the rows have; else they have nothing
    bool has_nulls;
} ColumnBuffer;

struct TableWriter {
    StoreWriter *writer;
    size_t table; // index of the writer's tables
    TableKind kind;
    Schema schema;
    ptrdiff_t time_column;
    ColumnBuffer *columns;
    uint32_t rows;
    uint64_t bytes, rows_total;
    Arena schema_arena, texts;
    BlockEncoder *encoder;
};

TableWriter *
table_writer_new(StoreWriter *writer, size_t table, TableKind kind, const Schema *schema)
{
    TableWriter *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->writer = writer;
    t->table = table;
    t->kind = kind;
    t->schema = schema_copy(&t->schema_arena, schema);
    t->time_column = time_column_find(&t->schema);
    t->columns = calloc(schema->count, sizeof(*t->columns));
    t->encoder = block_encoder_new();
    if (!t->columns || !t->encoder) {
        table_writer_free(t);
        return NULL;
    }
    return t;
}

void
table_writer_free(TableWriter *t)
{
    if (!t)
        return;
    for (uint32_t c = 0; t->columns && c < t->schema.count; c++) {
        free(t->columns[c].data);
        free(t->columns[c].valid);
    }
    free(t->columns);
    block_encoder_free(t->encoder);
    arena_free(&t->texts);
    arena_free(&t->schema_arena);
    free(t);
}

uint64_t
table_writer_rows(const TableWriter *t)
{
    return t->rows_total;
}

size_t
table_writer_memory(const TableWriter *t)
{
    size_t bytes = t->texts.allocated;
    for (uint32_t c = 0; c < t->schema.count; c++)
        bytes += t->columns[c].cap * type_size(t->schema.columns[c].type);
    return bytes;
}

bool
table_writer_release(TableWriter *t, AzError *error)
{
    if (!table_writer_flush(t, error))
        return false;
    for (uint32_t c = 0; c < t->schema.count; c++) {
        free(t->columns[c].data);
        free(t->columns[c].valid);
        t->columns[c] = (ColumnBuffer){0};
    }
    arena_free(&t->texts);
    return true;
}

// Room for `more` rows. New bits of `valid` are set.
static bool
column_reserve(const TableWriter *t, uint32_t c, uint32_t more)
{
    ColumnBuffer *column = &t->columns[c];
    if (t->rows + more <= column->cap)
        return true;
    uint32_t cap = column->cap ? column->cap : 64;
    while (cap < t->rows + more)
        cap *= 2;
    size_t old_words = bit_words(column->cap), words = bit_words(cap);
    char *data = realloc(column->data, cap * type_size(t->schema.columns[c].type));
    if (!data)
        return false;
    column->data = data;
    uint64_t *valid = realloc(column->valid, words * sizeof(uint64_t));
    if (!valid)
        return false;
    memset(valid + old_words, 0xFF, (words - old_words) * sizeof(uint64_t));
    column->valid = valid;
    column->cap = cap;
    return true;
}

// Rows [from, from + count) of a used column say nothing.
static void
nothing_put(TableWriter *t, uint32_t c, uint32_t from, uint32_t count)
{
    ColumnBuffer *column = &t->columns[c];
    Type type = t->schema.columns[c].type;
    memset(column->data + from * type_size(type), 0, count * type_size(type));
    if (type == TYPE_STRING || !count)
        return;
    for (uint32_t i = from; i < from + count; i++)
        bit_clear(column->valid, i);
    column->has_nulls = true;
}

// Copies the long texts of rows [from, to); one that repeats the row before
// shares its bytes.
static void
texts_keep(TableWriter *t, Text *texts, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        Text *text = &texts[i];
        if (text->len <= TEXT_INLINE)
            continue;
        if (i && text_equal(text, &texts[i - 1])) {
            *text = texts[i - 1];
            continue;
        }
        char *bytes = arena_alloc_aligned(&t->texts, text->len, 1);
        memcpy(bytes, text->ptr, text->len);
        text->ptr = bytes;
        t->bytes += text->len;
    }
}

static void
payload_copy(char *out, const void *payload, size_t size)
{
    switch (size) {
    case 1: memcpy(out, payload, 1); break;
    case 4: memcpy(out, payload, 4); break;
    case 8: memcpy(out, payload, 8); break;
    default: memcpy(out, payload, 16); break;
    }
}

// Live rows [from, from + count) of the batch's column behind the buffered rows. False when
// there is no memory.
static bool
column_append(TableWriter *t, uint32_t c, const Batch *batch, uint32_t from, uint32_t count)
{
    const Vector *v = batch->columns[c], *payload = vector_payload(v);
    ColumnBuffer *column = &t->columns[c];
    size_t size = type_size(v->type);
    bool nothing = vector_is_nothing(v);
    if (nothing && !column->used)
        return true;
    if (!column_reserve(t, c, count))
        return false;
    if (!column->used) {
        column->used = true;
        nothing_put(t, c, 0, t->rows);
        t->bytes += t->rows * size;
    }
    t->bytes += count * size;
    if (nothing) {
        nothing_put(t, c, t->rows, count);
        return true;
    }
    char *out = column->data + t->rows * size;
    if (v->encoding == ENC_FLAT && !batch->selection) {
        memcpy(out, (const char *)v->data + from * size, count * size);
    } else {
        for (uint32_t i = 0; i < count; i++)
            payload_copy(out + i * size, vector_cell(v, batch_row(batch, from + i)), size);
    }
    if (payload->valid && v->type != TYPE_STRING) {
        for (uint32_t i = 0; i < count; i++) {
            if (bit_get(payload->valid, vector_index(v, batch_row(batch, from + i))))
                continue;
            bit_clear(column->valid, t->rows + i);
            memset(out + i * size, 0, size);
            column->has_nulls = true;
        }
    }
    if (type_is_text(v->type))
        texts_keep(t, (Text *)column->data, t->rows, t->rows + count);
    return true;
}

static bool
texts_fit(const TableWriter *t, const Batch *batch, AzError *error)
{
    for (uint32_t c = 0; c < t->schema.count; c++) {
        if (!type_is_text(t->schema.columns[c].type) || vector_is_nothing(batch->columns[c]))
            continue;
        for (uint32_t i = 0; i < batch->selected; i++) {
            const Text *text = vector_cell(batch->columns[c], batch_row(batch, i));
            if (text->len > BLOCK_VALUE_MAX)
                return error_set(
                    error, AZ_LIMIT,
                    "a value of column '%.*s' has %u bytes; the store keeps at most %d",
                    STR_ARG(str_slice(t->schema.columns[c].name, 0, 200)), text->len,
                    BLOCK_VALUE_MAX);
        }
    }
    return true;
}

static bool
batch_append(TableWriter *t, const Batch *batch, AzError *error)
{
    if (!texts_fit(t, batch, error))
        return false;
    for (uint32_t from = 0; from < batch->selected;) {
        uint32_t count = batch->selected - from;
        if (count > APPEND_ROWS)
            count = APPEND_ROWS;
        if (count > SEGMENT_ROWS - t->rows)
            count = SEGMENT_ROWS - t->rows;
        for (uint32_t c = 0; c < t->schema.count; c++)
            if (!column_append(t, c, batch, from, count))
                return error_set(error, AZ_LIMIT, "not enough memory to collect rows");
        t->rows += count;
        from += count;
        if ((t->rows == SEGMENT_ROWS || t->bytes >= SEGMENT_PAYLOAD) &&
            !table_writer_flush(t, error))
            return false;
    }
    return true;
}

bool
table_writer_append(TableWriter *t, const Batch *batch, AzError *error)
{
    assert(batch->column_count == t->schema.count);
    for (uint32_t c = 0; c < t->schema.count; c++)
        assert(batch->columns[c]->type == t->schema.columns[c].type);
    AzError failure = {0};
    if (batch_append(t, batch, &failure))
        return true;
    store_writer_fail(t->writer, &failure);
    if (error)
        *error = failure;
    return false;
}

static void
time_bounds(const TableWriter *t, CatalogSegment *entry)
{
    if (t->time_column < 0 || !t->columns[t->time_column].used)
        return;
    const ColumnBuffer *column = &t->columns[t->time_column];
    for (uint32_t i = 0; i < t->rows; i++) {
        if (!bit_get(column->valid, i))
            continue;
        int64_t ticks = ((const int64_t *)(const void *)column->data)[i];
        if (!entry->has_time || ticks < entry->time_min)
            entry->time_min = ticks;
        if (!entry->has_time || ticks > entry->time_max)
            entry->time_max = ticks;
        entry->has_time = true;
    }
}

static const Vector *
column_vector(const TableWriter *t, uint32_t c, Arena *arena)
{
    const ColumnBuffer *column = &t->columns[c];
    Type type = t->schema.columns[c].type;
    if (!column->used)
        return vector_new_const(arena, &(Value){.type = type, .is_null = true}, t->rows);
    Vector *v = ARENA_NEW(arena, Vector);
    *v = (Vector){.type = type,
                  .encoding = ENC_FLAT,
                  .count = t->rows,
                  .data = column->data,
                  .valid = column->has_nulls ? column->valid : NULL};
    return v;
}

static bool
rows_write(TableWriter *t, Arena *arena, AzError *error)
{
    const Vector **columns = ARENA_ARRAY(arena, const Vector *, t->schema.count);
    for (uint32_t c = 0; c < t->schema.count; c++)
        columns[c] = column_vector(t, c, arena);
    uint32_t *order = arena_alloc_array(arena, t->rows, sizeof(*order));
    cluster_order(arena, &t->schema, t->kind, columns, t->rows, order);

    PendingSegment pending = {.table = t->table};
    store_writer_name(t->writer, t->table, &pending.tmp_path, &pending.final_path,
                      &pending.entry.file);
    SegmentSummary summary;
    if (!segment_write(pending.tmp_path, &t->schema, columns, order, t->rows, t->encoder, &summary,
                       error))
        return false;
    pending.entry.rows = summary.rows;
    pending.entry.bytes = summary.bytes;
    pending.entry.checksum = summary.checksum;
    pending.entry.group_rows = summary.group_rows;
    pending.entry.group_count = summary.group_count;
    pending.entry.snapshot = t->kind == TABLE_INVENTORY;
    time_bounds(t, &pending.entry);
    store_writer_add(t->writer, &pending);
    free(summary.group_rows);
    return true;
}

bool
table_writer_flush(TableWriter *t, AzError *error)
{
    if (!t->rows)
        return true;
    Arena arena;
    arena_init(&arena);
    bool ok = rows_write(t, &arena, error);
    arena_free(&arena);
    if (!ok)
        return false;
    t->rows_total += t->rows;
    for (uint32_t c = 0; c < t->schema.count; c++) {
        ColumnBuffer *column = &t->columns[c];
        if (column->has_nulls)
            memset(column->valid, 0xFF, bit_words(column->cap) * sizeof(uint64_t));
        column->has_nulls = false;
        column->used = false;
    }
    t->rows = 0;
    t->bytes = 0;
    arena_reset(&t->texts);
    return true;
}
