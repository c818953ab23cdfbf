// See flatbuffer.h; the layout is that of "FlatBuffer Internals" in the FlatBuffers documentation:
// references are unsigned distances forwards, a table begins with the signed distance back to its
// vtable, scalars are aligned to their size from the buffer's start.

#include "report/flatbuffer.h"

#include <string.h>

enum { TABLE_ALIGN = 8, VTABLE_HEAD = 4 };

static void
zeros_put(Buffer *out, size_t count)
{
    memset(buffer_reserve(out, count), 0, count);
    out->len += count;
}

// Until position + ahead is a multiple of `align`.
static void
pad(Buffer *out, size_t align, size_t ahead)
{
    while ((out->len + ahead) % align)
        buffer_char(out, 0);
}

void
flat_set(Buffer *out, size_t at, const void *value, size_t size)
{
    memcpy(out->data + at, value, size);
}

void
flat_set_u8(Buffer *out, size_t at, uint8_t value)
{
    flat_set(out, at, &value, sizeof(value));
}

void
flat_set_i16(Buffer *out, size_t at, int16_t value)
{
    flat_set(out, at, &value, sizeof(value));
}

void
flat_set_i32(Buffer *out, size_t at, int32_t value)
{
    flat_set(out, at, &value, sizeof(value));
}

void
flat_set_i64(Buffer *out, size_t at, int64_t value)
{
    flat_set(out, at, &value, sizeof(value));
}

// Makes the reference at `from` lead to the buffer's end.
static void
refer(Buffer *out, size_t from)
{
    flat_set_i32(out, from, (int32_t)(out->len - from));
}

size_t
flat_begin(Buffer *out)
{
    buffer_clear(out);
    zeros_put(out, sizeof(uint32_t));
    return 0;
}

FlatTable
flat_table(Buffer *out, size_t from, const uint8_t *sizes, uint32_t count)
{
    FlatTable table = {0};
    uint16_t places[FLAT_FIELDS_MAX] = {0}; // from the table's start
    uint16_t end = sizeof(int32_t);         // behind the distance to the vtable
    for (uint32_t i = 0; i < count; i++) {
        if (!sizes[i])
            continue;
        end = (uint16_t)((end + sizes[i] - 1) / sizes[i] * sizes[i]);
        places[i] = end;
        end = (uint16_t)(end + sizes[i]);
    }
    pad(out, sizeof(uint16_t), 0);
    size_t vtable = out->len;
    uint16_t head[] = {(uint16_t)(VTABLE_HEAD + count * sizeof(uint16_t)), end};
    buffer_put(out, head, sizeof(head));
    buffer_put(out, places, count * sizeof(uint16_t));
    pad(out, TABLE_ALIGN, 0);
    size_t start = out->len;
    refer(out, from);
    zeros_put(out, end);
    flat_set_i32(out, start, (int32_t)(start - vtable));
    for (uint32_t i = 0; i < count; i++)
        table.fields[i] = places[i] ? start + places[i] : 0;
    return table;
}

size_t
flat_vector(Buffer *out, size_t from, uint32_t count, uint32_t item_size)
{
    pad(out, item_size > sizeof(uint32_t) ? TABLE_ALIGN : sizeof(uint32_t), sizeof(uint32_t));
    refer(out, from);
    buffer_put(out, &count, sizeof(count));
    size_t first = out->len;
    zeros_put(out, (size_t)count * item_size);
    return first;
}

void
flat_string(Buffer *out, size_t from, Str text)
{
    uint32_t len = (uint32_t)text.len;
    pad(out, sizeof(uint32_t), 0);
    refer(out, from);
    buffer_put(out, &len, sizeof(len));
    buffer_str(out, text);
    buffer_char(out, 0);
}
