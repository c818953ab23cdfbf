// Writing split blocks. See split.h.

#include "store/split.h"
#include "value/json_template.h"

#include <stdlib.h>
#include <xxhash.h>

enum {
    ROWS_MIN = 64,
    SAMPLES = 64,
    TEXT_MIN = 24,        // bytes a text on average
    CELLS_KEPT = 4 << 20, // bytes a template, for the next block
};

typedef struct Rows {
    Buffer cells; // of SplitCell, row by row
} Rows;

struct SplitEncoder {
    Arena arena;
    Type type; // of the values
    SplitTemplate templates[SPLIT_TEMPLATES];
    Rows rows[SPLIT_TEMPLATES];
    uint32_t count, last;
    uint8_t *codes;
    uint32_t whole_rows, null_rows; // nulls are kept whole
    Buffer columns;                 // their stored bytes
    Buffer infos;                   // what the head says of them
};

SplitEncoder *
split_encoder_new(void)
{
    return calloc(1, sizeof(SplitEncoder));
}

void
split_encoder_free(SplitEncoder *encoder)
{
    if (!encoder)
        return;
    for (uint32_t t = 0; t < SPLIT_TEMPLATES; t++)
        buffer_free(&encoder->rows[t].cells);
    buffer_free(&encoder->columns);
    buffer_free(&encoder->infos);
    arena_free(&encoder->arena);
    free(encoder);
}

static SplitCell *
next_cells(SplitEncoder *e, uint32_t t)
{
    size_t size = e->templates[t].count * sizeof(SplitCell);
    return (SplitCell *)(void *)buffer_reserve(&e->rows[t].cells, size);
}

static bool
follows(SplitEncoder *e, uint32_t t, const Text *value)
{
    SplitCell *cells = next_cells(e, t);
    if (e->type == TYPE_DYNAMIC ? !split_tree_follow(&e->templates[t], dyn_of_text(value), cells)
                                : !split_follow(&e->templates[t], text_str(value), cells))
        return false;
    e->rows[t].cells.len += e->templates[t].count * sizeof(SplitCell);
    e->templates[t].rows++;
    e->last = t;
    return true;
}

static bool
learns(SplitEncoder *e, const Text *value)
{
    SplitTemplate *t = &e->templates[e->count];
    return e->type == TYPE_DYNAMIC ? split_tree_learn(&e->arena, dyn_of_text(value), t)
                                   : split_learn(&e->arena, text_str(value), t);
}

// Number of the template that the value follows, a new one if need be; SPLIT_TEMPLATES when there
// is none.
static uint32_t
place_value(SplitEncoder *e, const Text *value)
{
    if (e->count && follows(e, e->last, value))
        return e->last;
    uint32_t last = e->last;
    for (uint32_t t = 0; t < e->count; t++)
        if (t != last && follows(e, t, value))
            return t;
    if (e->count == SPLIT_TEMPLATES || !learns(e, value))
        return SPLIT_TEMPLATES;
    buffer_clear(&e->rows[e->count].cells);
    e->count++;
    return follows(e, e->count - 1, value) ? e->count - 1 : SPLIT_TEMPLATES;
}

static void
start_over(SplitEncoder *e, uint32_t rows)
{
    arena_reset(&e->arena);
    buffer_clear(&e->columns);
    buffer_clear(&e->infos);
    for (uint32_t t = 0; t < SPLIT_TEMPLATES; t++)
        if (e->rows[t].cells.cap > CELLS_KEPT)
            buffer_free(&e->rows[t].cells);
    e->count = e->last = e->whole_rows = e->null_rows = 0;
    e->codes = arena_alloc(&e->arena, rows);
}

// Bytes of the values that are in no plain column.
static uint64_t
other_bytes(const SplitEncoder *e)
{
    uint64_t other = 0;
    for (uint32_t t = 0; t < e->count; t++) {
        const SplitCell *cells = (const SplitCell *)(const void *)e->rows[t].cells.data;
        size_t count = e->rows[t].cells.len / sizeof(SplitCell);
        for (size_t i = 0; i < count; i++)
            other += cells[i].class_ == CLASS_OTHER ? cells[i].len : 0;
    }
    return other;
}

// Whether it is worth it: few of the values follow no template, and few of a text's bytes must be
// parsed all the same.
static bool
pays(const SplitEncoder *e, uint32_t rows, uint64_t bytes)
{
    return e->whole_rows - e->null_rows <= (rows - e->null_rows) / 8 &&
           (e->type == TYPE_DYNAMIC || other_bytes(e) <= bytes / 2);
}

// Of every `step`-th value.
static bool
split_rows(SplitEncoder *e, const Vector *values, uint32_t step)
{
    const Text *rows = values->data;
    uint64_t bytes = 0;
    uint32_t tried = 0;
    start_over(e, values->count);
    for (uint32_t i = 0; i < values->count; i += step) {
        bool null = values->valid && !bit_get(values->valid, i);
        uint32_t t = null ? SPLIT_TEMPLATES : place_value(e, &rows[i]);
        e->codes[tried++] = (uint8_t)t;
        e->whole_rows += t == SPLIT_TEMPLATES;
        e->null_rows += null;
        bytes += rows[i].len;
        uint32_t lost = e->whole_rows - e->null_rows;
        if (lost > 8 && lost > tried / 4)
            return false;
    }
    uint32_t present = tried - e->null_rows;
    return e->count && bytes / present >= TEXT_MIN && pays(e, tried, bytes);
}

// ---- columns ----

static void
put_column(SplitEncoder *e, BlockEncoder *inner, const Vector *column)
{
    BlockInfo info;
    Str stored;
    const Vector *ignored;
    block_encode(inner, &e->arena, column, &info, &stored, &ignored);
    buffer_put(&e->columns, stored.ptr, stored.len);
    bytes_put_u32(&e->infos, info.stored);
    bytes_put_u32(&e->infos, info.raw);
    bytes_put_u64(&e->infos, info.checksum);
    bytes_put_u8(&e->infos, info.encoding);
    bytes_put_u8(&e->infos, info.codec);
    bytes_put_u8(&e->infos, info.has_nulls);
}

static void
put_left_out(SplitEncoder *e)
{
    static const uint8_t NOTHING[19];
    buffer_put(&e->infos, NOTHING, sizeof(NOTHING));
}

static void
put_codes(SplitEncoder *e, BlockEncoder *inner, const Vector *values)
{
    if (e->count == 1 && !e->whole_rows) {
        put_left_out(e);
        put_left_out(e);
        return;
    }
    Vector *codes = vector_new_flat(&e->arena, TYPE_INT, values->count);
    for (uint32_t i = 0; i < values->count; i++)
        ((int32_t *)codes->data)[i] =
            e->codes[i] == SPLIT_TEMPLATES ? (int32_t)e->count : e->codes[i];
    put_column(e, inner, codes);
    if (!e->whole_rows) {
        put_left_out(e);
        return;
    }
    Vector *whole = vector_new_flat(&e->arena, e->type, e->whole_rows);
    uint32_t n = 0;
    for (uint32_t i = 0; i < values->count; i++) {
        if (e->codes[i] != SPLIT_TEMPLATES)
            continue;
        if (values->valid && !bit_get(values->valid, i))
            vector_set_null(&e->arena, whole, n++);
        else
            ((Text *)whole->data)[n++] = ((const Text *)values->data)[i];
    }
    put_column(e, inner, whole);
}

static SplitKind
kind_of(const SplitCell *cells, uint32_t step, uint32_t rows)
{
    uint32_t classes = 0;
    for (uint32_t i = 0; i < rows; i++)
        classes |= cells[(size_t)i * step].class_;
    if ((classes & CLASS_LONG) && !(classes & (CLASS_STRING | CLASS_OTHER)))
        return SPLIT_LONG;
    return classes == CLASS_STRING ? SPLIT_STRING : SPLIT_OTHER;
}

// A long, of its text or its node.
static int64_t
long_of(const SplitCell *cell, Type type)
{
    int64_t number = 0;
    if (type == TYPE_DYNAMIC)
        return dyn_long((Dyn){(const uint8_t *)cell->ptr, cell->len});
    json_plain_long(cell->ptr, cell->ptr + cell->len, &number);
    return number;
}

// What is in the string: its text without the quotes, its node without the kind.
static Str
string_of(const SplitCell *cell, Type type)
{
    return (Str){cell->ptr + 1, cell->len - (type == TYPE_DYNAMIC ? 1 : 2)};
}

static Vector *
column_of(SplitEncoder *e, SplitKind kind, const SplitCell *cells, uint32_t step, uint32_t rows)
{
    Vector *out = vector_new_flat(&e->arena, split_column_type(e->type, kind), rows);
    for (uint32_t i = 0; i < rows; i++, cells += step) {
        Str whole = {cells->ptr, cells->len};
        if (kind == SPLIT_LONG && cells->class_ == CLASS_NULL) {
            vector_set_null(&e->arena, out, i);
        } else if (kind == SPLIT_LONG) {
            ((int64_t *)out->data)[i] = long_of(cells, e->type);
        } else {
            Str text = kind == SPLIT_STRING ? string_of(cells, e->type) : whole;
            ((Text *)out->data)[i] = text_view(text.ptr, text.len);
        }
    }
    return out;
}

static void
put_template(SplitEncoder *e, BlockEncoder *inner, uint32_t number, Buffer *head)
{
    const SplitTemplate *t = &e->templates[number];
    const SplitCell *cells = (const SplitCell *)(const void *)e->rows[number].cells.data;
    bytes_put_u32(head, t->rows);
    bytes_put_u32(head, t->count);
    for (uint32_t p = 0; p < t->count; p++) {
        SplitKind kind = kind_of(cells + p, t->count, t->rows);
        bytes_put_str(head, t->places[p].before);
        bytes_put_str(head, t->places[p].path);
        bytes_put_u8(head, (uint8_t)kind);
        put_column(e, inner, column_of(e, kind, cells + p, t->count, t->rows));
    }
    bytes_put_str(head, t->after);
}

bool
split_encode(SplitEncoder *e, BlockEncoder *inner, const Vector *values, Buffer *out)
{
    e->type = values->type;
    if (values->count < ROWS_MIN || !split_rows(e, values, values->count / SAMPLES) ||
        !split_rows(e, values, 1))
        return false;
    size_t start = out->len;
    uint64_t none = 0;
    buffer_put(out, &none, sizeof(none));
    buffer_put(out, &none, sizeof(none));
    bytes_put_u32(out, e->count);
    bytes_put_u32(out, e->whole_rows);
    put_codes(e, inner, values);
    for (uint32_t t = 0; t < e->count; t++)
        put_template(e, inner, t, out);
    buffer_put(out, e->infos.data, e->infos.len);
    uint32_t size = (uint32_t)(out->len - start - SPLIT_PREFIX);
    uint64_t checksum = XXH3_64bits(out->data + start + SPLIT_PREFIX, size);
    memcpy(out->data + start, &size, sizeof(size));
    memcpy(out->data + start + 8, &checksum, sizeof(checksum));
    buffer_put(out, e->columns.data, e->columns.len);
    return true;
}
