// A result table as an ArrowArrayStream.
//
// The table's memory has one owner that counts who uses it: the stream, and each column that was
// handed out, since a consumer may move a column out of its array and keep only that (spec, "Moving
// child arrays"). The last release frees it. What had to be converted belongs to the column alone.

#include "report/arrow_export.h"

#include "report/arrow_column.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

typedef struct Owner {
    Arena arena; // holds the table
    atomic_size_t users;
} Owner;

typedef struct Export {
    Owner *owner;
    const ResultTable *table;
    ArrowColumn *columns;
    uint32_t batch, row; // what comes next
    const char *problem; // of the last call
} Export;

// Of one column of an array; the array itself has none.
typedef struct Held {
    Owner *owner;
    Arena arena;
    ArrowBuffers values;
} Held;

static void
owner_leave(Owner *owner)
{
    if (atomic_fetch_sub(&owner->users, 1) != 1)
        return;
    arena_free(&owner->arena);
    free(owner);
}

// ---- schema

static void
schema_release(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release)
            schema->children[i]->release(schema->children[i]);
        free(schema->children[i]);
    }
    free(schema->children);
    free(schema->private_data); // format, name and metadata in one piece
    schema->release = NULL;
}

static void
put_length(Buffer *out, size_t length)
{
    int32_t n = (int32_t)length;
    buffer_put(out, &n, sizeof(n));
}

// Key and value as the specification encodes metadata: lengths in native order, no ends.
static void
put_pair(Buffer *out, const char *key, const char *value)
{
    put_length(out, strlen(key));
    buffer_text(out, key);
    put_length(out, strlen(value));
    buffer_text(out, value);
}

static void
schema_fill(struct ArrowSchema *out, const ArrowColumn *column)
{
    Buffer text = {0};
    buffer_text(&text, column->format);
    buffer_char(&text, 0);
    size_t name = text.len;
    buffer_str(&text, column->name);
    buffer_char(&text, 0);
    size_t metadata = text.len;
    put_length(&text, column->extension ? 3 : 1);
    put_pair(&text, "azimuth:type", type_name(column->type));
    if (column->extension) {
        put_pair(&text, "ARROW:extension:name", column->extension);
        put_pair(&text, "ARROW:extension:metadata", "");
    }
    *out = (struct ArrowSchema){
        .format = text.data,
        .name = text.data + name,
        .metadata = text.data + metadata,
        .flags = column->type == TYPE_STRING ? 0 : ARROW_FLAG_NULLABLE,
        .release = schema_release,
        .private_data = text.data,
    };
}

static int
stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    Export *export = stream->private_data;
    uint32_t count = export->table->schema.count;
    struct ArrowSchema **children = calloc(count + 1, sizeof(struct ArrowSchema *));
    if (!children)
        return ENOMEM;
    *out = (struct ArrowSchema){
        .format = "+s", .name = "", .children = children, .release = schema_release};
    for (uint32_t c = 0; c < count; c++) {
        children[c] = calloc(1, sizeof(struct ArrowSchema));
        if (!children[c]) {
            schema_release(out);
            return ENOMEM;
        }
        schema_fill(children[c], &export->columns[c]);
        out->n_children++;
    }
    return 0;
}

// ---- arrays

static void
column_release(struct ArrowArray *array)
{
    Held *held = array->private_data;
    arena_free(&held->arena);
    owner_leave(held->owner);
    free(held);
    array->release = NULL;
}

static void
array_release(struct ArrowArray *array)
{
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release)
            array->children[i]->release(array->children[i]);
        free(array->children[i]);
    }
    free(array->children);
    free(array->buffers);
    array->release = NULL;
}

// Rows [from, from + rows) of a column. 0, ENOMEM, or EOVERFLOW when its texts are too long.
static int
column_export(Export *export, const Batch *batch, uint32_t c, uint32_t from, uint32_t rows,
              struct ArrowArray *out)
{
    Held *held = calloc(1, sizeof(*held));
    if (!held)
        return ENOMEM;
    const Vector *values = batch_column(&held->arena, batch, c);
    values = vector_slice(&held->arena, values, from, rows);
    if (!arrow_column_fill(&held->arena, &export->columns[c], values, &held->values)) {
        arena_free(&held->arena);
        free(held);
        return EOVERFLOW;
    }
    held->owner = export->owner;
    atomic_fetch_add(&held->owner->users, 1);
    *out = (struct ArrowArray){
        .length = rows,
        .null_count = held->values.null_count,
        .n_buffers = held->values.count,
        .buffers = held->values.buffers,
        .release = column_release,
        .private_data = held,
    };
    return 0;
}

static int
rows_export(Export *export, const Batch *batch, uint32_t from, uint32_t rows,
            struct ArrowArray *out)
{
    uint32_t count = export->table->schema.count;
    *out = (struct ArrowArray){.length = rows, .n_buffers = 1, .release = array_release};
    out->children = calloc(count + 1, sizeof(struct ArrowArray *));
    out->buffers = calloc(1, sizeof(void *)); // a struct's validity: none is null
    int status = out->children && out->buffers ? 0 : ENOMEM;
    for (uint32_t c = 0; status == 0 && c < count; c++) {
        struct ArrowArray *child = calloc(1, sizeof(*child));
        status = child ? column_export(export, batch, c, from, rows, child) : ENOMEM;
        if (status == 0)
            out->children[out->n_children++] = child;
        else
            free(child);
    }
    if (status)
        array_release(out);
    return status;
}

static int
stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    Export *export = stream->private_data;
    const ResultTable *table = export->table;
    *out = (struct ArrowArray){0}; // released: the end
    while (export->batch < table->batch_count &&
           export->row == table->batches[export->batch]->selected) {
        export->batch++;
        export->row = 0;
    }
    if (export->batch == table->batch_count)
        return 0;
    const Batch *batch = table->batches[export->batch];
    uint32_t rows = batch->selected - export->row;
    int status = rows_export(export, batch, export->row, rows, out);
    while (status == EOVERFLOW && rows > 1) {
        rows /= 2;
        status = rows_export(export, batch, export->row, rows, out);
    }
    export->problem = status == EOVERFLOW ? "a text of more than 2 GiB does not fit into an array"
                      : status            ? "not enough memory for the next array"
                                          : NULL;
    if (status == 0)
        export->row += rows;
    return status;
}

static const char *
stream_error(struct ArrowArrayStream *stream)
{
    return ((const Export *)stream->private_data)->problem;
}

static void
stream_release(struct ArrowArrayStream *stream)
{
    owner_leave(((Export *)stream->private_data)->owner); // the export lies in its arena
    stream->release = NULL;
}

void
arrow_export(Arena *owned, const ResultTable *table, struct ArrowArrayStream *out)
{
    Owner *owner = calloc(1, sizeof(*owner));
    if (!owner) {
        fprintf(stderr, "azimuth: out of memory (export)\n");
        abort();
    }
    arena_adopt(&owner->arena, owned);
    atomic_init(&owner->users, 1);
    Export *export = ARENA_NEW(&owner->arena, Export);
    export->owner = owner;
    export->table = table;
    export->columns = ARENA_ARRAY(&owner->arena, ArrowColumn, table->schema.count);
    for (uint32_t c = 0; c < table->schema.count; c++)
        export->columns[c] = arrow_column_plan(&owner->arena, table, c);
    *out = (struct ArrowArrayStream){
        .get_schema = stream_schema,
        .get_next = stream_next,
        .get_last_error = stream_error,
        .release = stream_release,
        .private_data = export,
    };
}
