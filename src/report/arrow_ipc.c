// Arrow's IPC streaming format: a schema message, a record-batch message an array, an end mark.
//
// A message is a continuation mark, the size of its metadata, the metadata (a FlatBuffer, padded to
// 8 bytes) and its body: the buffers of the columns one after another, each padded to 8 bytes. The
// numbers of fields and types are those of Schema.fbs and Message.fbs in Arrow's format/ folder.

#include "report/arrow_ipc.h"

#include "report/flatbuffer.h"

#include <stdlib.h>
#include <string.h>

enum {
    ALIGN = 8,
    METADATA_V5 = 4,
    HEADER_SCHEMA = 1,
    HEADER_RECORD_BATCH = 3,
};
static const uint32_t CONTINUATION = 0xFFFFFFFF;

// What a format string of the C data interface is in Schema.fbs.
typedef enum TypeNumber {
    TYPE_NUMBER_INT = 2,
    TYPE_NUMBER_FLOAT = 3,
    TYPE_NUMBER_UTF8 = 5,
    TYPE_NUMBER_BOOL = 6,
    TYPE_NUMBER_DECIMAL = 7,
    TYPE_NUMBER_TIMESTAMP = 10,
    TYPE_NUMBER_FIXED = 15,
    TYPE_NUMBER_DURATION = 18,
} TypeNumber;

typedef struct Output {
    bool (*put)(void *context, Str bytes);
    void *context;
    Buffer metadata;
} Output;

// ---- schema

static void
write_int(Buffer *out, size_t from, int32_t bits)
{
    FlatTable table = flat_table(out, from, (const uint8_t[]){4, 1}, 2);
    flat_set_i32(out, table.fields[0], bits);
    flat_set_u8(out, table.fields[1], 1); // signed
}

static void
write_decimal(Buffer *out, size_t from, const char *format)
{
    char *end;
    int32_t precision = (int32_t)strtol(format + 2, &end, 10), scale = (int32_t)atoi(end + 1);
    FlatTable table = flat_table(out, from, (const uint8_t[]){4, 4, 4}, 3);
    flat_set_i32(out, table.fields[0], precision);
    flat_set_i32(out, table.fields[1], scale);
    flat_set_i32(out, table.fields[2], 128);
}

static int16_t
time_unit(char letter)
{
    return letter == 'u' ? 2 : 3; // microseconds, nanoseconds
}

// The table of the type; its number in the union.
static TypeNumber
write_type(Buffer *out, size_t from, const char *format)
{
    FlatTable table;
    switch (format[0]) {
    case 'b': flat_table(out, from, NULL, 0); return TYPE_NUMBER_BOOL;
    case 'i': write_int(out, from, 32); return TYPE_NUMBER_INT;
    case 'l': write_int(out, from, 64); return TYPE_NUMBER_INT;
    case 'g':
        table = flat_table(out, from, (const uint8_t[]){2}, 1);
        flat_set_i16(out, table.fields[0], 2); // double precision
        return TYPE_NUMBER_FLOAT;
    case 'd': write_decimal(out, from, format); return TYPE_NUMBER_DECIMAL;
    case 'w': // w:SIZE
        table = flat_table(out, from, (const uint8_t[]){4}, 1);
        flat_set_i32(out, table.fields[0], (int32_t)atoi(format + 2));
        return TYPE_NUMBER_FIXED;
    case 't':
        if (format[1] == 'D') { // tDn
            table = flat_table(out, from, (const uint8_t[]){2}, 1);
            flat_set_i16(out, table.fields[0], time_unit(format[2]));
            return TYPE_NUMBER_DURATION;
        }
        table = flat_table(out, from, (const uint8_t[]){2, 4}, 2); // tsn:ZONE
        flat_set_i16(out, table.fields[0], time_unit(format[2]));
        flat_string(out, table.fields[1], str_from(format + 4));
        return TYPE_NUMBER_TIMESTAMP;
    default: flat_table(out, from, NULL, 0); return TYPE_NUMBER_UTF8;
    }
}

static Str
take_text(const char **from)
{
    int32_t len;
    memcpy(&len, *from, sizeof(len));
    Str text = {*from + sizeof(len), (size_t)len};
    *from = text.ptr + text.len;
    return text;
}

static void
write_metadata(Buffer *out, size_t from, const char *metadata)
{
    int32_t count;
    memcpy(&count, metadata, sizeof(count));
    metadata += sizeof(count);
    size_t items = flat_vector(out, from, (uint32_t)count, 4);
    for (int32_t i = 0; i < count; i++) {
        FlatTable pair = flat_table(out, items + 4 * (size_t)i, (const uint8_t[]){4, 4}, 2);
        flat_string(out, pair.fields[0], take_text(&metadata));
        flat_string(out, pair.fields[1], take_text(&metadata));
    }
}

static void
write_field(Buffer *out, size_t from, const struct ArrowSchema *field)
{
    enum { NAME, NULLABLE, TYPE_TYPE, TYPE, DICTIONARY, CHILDREN, METADATA, FIELDS };
    static const uint8_t SIZES[FIELDS] = {
        [NAME] = 4, [NULLABLE] = 1, [TYPE_TYPE] = 1, [TYPE] = 4, [CHILDREN] = 4, [METADATA] = 4};
    FlatTable table = flat_table(out, from, SIZES, FIELDS);
    flat_set_u8(out, table.fields[NULLABLE], (field->flags & ARROW_FLAG_NULLABLE) != 0);
    flat_string(out, table.fields[NAME], str_from(field->name));
    TypeNumber number = write_type(out, table.fields[TYPE], field->format);
    flat_set_u8(out, table.fields[TYPE_TYPE], (uint8_t)number);
    flat_vector(out, table.fields[CHILDREN], 0, 4);
    write_metadata(out, table.fields[METADATA], field->metadata);
}

// The root table; the position of the reference to its header.
static size_t
message_begin(Buffer *out, uint8_t header, int64_t body_size)
{
    enum { VERSION, HEADER_TYPE, HEADER, BODY_LENGTH, FIELDS };
    size_t root = flat_begin(out);
    FlatTable table = flat_table(out, root, (const uint8_t[]){2, 1, 4, 8}, FIELDS);
    flat_set_i16(out, table.fields[VERSION], METADATA_V5);
    flat_set_u8(out, table.fields[HEADER_TYPE], header);
    flat_set_i64(out, table.fields[BODY_LENGTH], body_size);
    return table.fields[HEADER];
}

// Mark, size and metadata.
static bool
message_put(Output *out)
{
    while (out->metadata.len % ALIGN)
        buffer_char(&out->metadata, 0);
    uint32_t head[] = {CONTINUATION, (uint32_t)out->metadata.len};
    return out->put(out->context, (Str){(const char *)head, sizeof(head)}) &&
           out->put(out->context, buffer_slice(&out->metadata));
}

static bool
schema_put(Output *out, const struct ArrowSchema *schema)
{
    enum { ENDIANNESS, FIELD_LIST, FIELDS };
    Buffer *metadata = &out->metadata;
    size_t header = message_begin(metadata, HEADER_SCHEMA, 0);
    FlatTable table = flat_table(metadata, header, (const uint8_t[]){2, 4}, FIELDS);
    size_t items = flat_vector(metadata, table.fields[FIELD_LIST], (uint32_t)schema->n_children, 4);
    for (int64_t i = 0; i < schema->n_children; i++)
        write_field(metadata, items + 4 * (size_t)i, schema->children[i]);
    return message_put(out);
}

// ---- record batches

// Bytes of buffer `b` of a column without padding.
static int64_t
buffer_size(const struct ArrowSchema *field, const struct ArrowArray *column, int64_t b)
{
    if (!column->buffers[b])
        return 0;
    if (b == 0)
        return (column->length + 7) / 8;
    if (b == 2)
        return ((const int32_t *)column->buffers[1])[column->length];
    switch (field->format[0]) {
    case 'b': return (column->length + 7) / 8;
    case 'i': return column->length * 4;
    case 'u': return (column->length + 1) * 4;
    case 'd': return column->length * 16;
    case 'w': return column->length * atoi(field->format + 2);
    default: return column->length * 8;
    }
}

static int64_t
padded(int64_t size)
{
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

static void
batch_describe(Buffer *metadata, const struct ArrowSchema *schema, const struct ArrowArray *array)
{
    enum { LENGTH, NODES, BUFFERS, FIELDS };
    int64_t body = 0;
    uint32_t buffers = 0;
    for (int64_t c = 0; c < array->n_children; c++) {
        const struct ArrowArray *column = array->children[c];
        for (int64_t b = 0; b < column->n_buffers; b++, buffers++)
            body += padded(buffer_size(schema->children[c], column, b));
    }
    size_t header = message_begin(metadata, HEADER_RECORD_BATCH, body);
    FlatTable table = flat_table(metadata, header, (const uint8_t[]){8, 4, 4}, FIELDS);
    flat_set_i64(metadata, table.fields[LENGTH], array->length);
    size_t node = flat_vector(metadata, table.fields[NODES], (uint32_t)array->n_children, 16);
    for (int64_t c = 0; c < array->n_children; c++, node += 16) {
        flat_set_i64(metadata, node, array->children[c]->length);
        flat_set_i64(metadata, node + 8, array->children[c]->null_count);
    }
    size_t item = flat_vector(metadata, table.fields[BUFFERS], buffers, 16);
    int64_t offset = 0;
    for (int64_t c = 0; c < array->n_children; c++) {
        const struct ArrowArray *column = array->children[c];
        for (int64_t b = 0; b < column->n_buffers; b++, item += 16) {
            int64_t size = buffer_size(schema->children[c], column, b);
            flat_set_i64(metadata, item, offset);
            flat_set_i64(metadata, item + 8, size);
            offset += padded(size);
        }
    }
}

static bool
batch_put(Output *out, const struct ArrowSchema *schema, const struct ArrowArray *array)
{
    static const char ZEROS[ALIGN];
    batch_describe(&out->metadata, schema, array);
    if (!message_put(out))
        return false;
    for (int64_t c = 0; c < array->n_children; c++) {
        const struct ArrowArray *column = array->children[c];
        for (int64_t b = 0; b < column->n_buffers; b++) {
            int64_t size = buffer_size(schema->children[c], column, b);
            Str bytes = {column->buffers[b], (size_t)size};
            Str rest = {ZEROS, (size_t)(padded(size) - size)};
            if (!out->put(out->context, bytes) || !out->put(out->context, rest))
                return false;
        }
    }
    return true;
}

static bool
arrays_put(Output *out, struct ArrowArrayStream *stream, const struct ArrowSchema *schema,
           AzError *error)
{
    for (;;) {
        struct ArrowArray array;
        if (stream->get_next(stream, &array)) {
            const char *why = stream->get_last_error(stream);
            return error_set(error, AZ_LIMIT, "cannot write the answer as Arrow: %s",
                             why ? why : "not enough memory");
        }
        if (!array.release)
            return true;
        bool done = batch_put(out, schema, &array);
        array.release(&array);
        if (!done)
            return false;
    }
}

bool
arrow_ipc_write(struct ArrowArrayStream *stream, bool (*put)(void *context, Str bytes),
                void *context, AzError *error)
{
    static const uint32_t END[] = {0xFFFFFFFF, 0};
    struct ArrowSchema schema;
    if (stream->get_schema(stream, &schema))
        return error_set(error, AZ_LIMIT, "not enough memory to write the answer as Arrow");
    Output out = {.put = put, .context = context};
    bool done = schema_put(&out, &schema) && arrays_put(&out, stream, &schema, error) &&
                put(context, (Str){(const char *)END, sizeof(END)});
    schema.release(&schema);
    buffer_free(&out.metadata);
    return done;
}
