// Reading split blocks: the head, and the texts put together again. See split.h.

#include "store/split.h"
#include "value/scalar.h"

#include <xxhash.h>

bool
split_prefix(const uint8_t *prefix, uint32_t stored, uint32_t *size, uint64_t *checksum)
{
    memcpy(size, prefix, sizeof(*size));
    memcpy(checksum, prefix + 8, sizeof(*checksum));
    return stored >= SPLIT_PREFIX && *size <= stored - SPLIT_PREFIX && *size <= SPLIT_HEAD_MAX;
}

// The next column; its bytes lie behind those before.
static bool
info_get(ByteReader *reader, uint64_t *at, uint32_t stored, uint64_t *raw, BlockInfo *info)
{
    info->stored = bytes_u32(reader);
    info->raw = bytes_u32(reader);
    info->checksum = bytes_u64(reader);
    info->encoding = bytes_u8(reader);
    info->codec = bytes_u8(reader);
    info->has_nulls = bytes_u8(reader) != 0;
    info->offset = *at;
    *at += info->stored;
    *raw += info->raw;
    return !reader->bad && *at <= stored && *raw <= BLOCK_RAW_MAX && info->encoding != BLOCK_SPLIT;
}

static bool
template_get(Arena *arena, ByteReader *reader, uint32_t rows, SplitTemplate *t)
{
    t->rows = bytes_u32(reader);
    t->count = bytes_u32(reader);
    if (!t->rows || t->rows > rows || !t->count || t->count > SPLIT_VALUES)
        return false;
    t->places = ARENA_ARRAY(arena, SplitPlace, t->count);
    for (uint32_t p = 0; p < t->count; p++) {
        t->places[p].before = bytes_str(reader);
        t->places[p].path = bytes_str(reader);
        t->places[p].kind = bytes_u8(reader);
        if (t->places[p].kind >= SPLIT_KIND_LIMIT)
            return false;
    }
    t->after = bytes_str(reader);
    return !reader->bad;
}

bool
split_head(Arena *arena, Str bytes, uint32_t rows, uint32_t stored, SplitHead *out,
           const char **why)
{
    ByteReader reader = {.at = (const uint8_t *)bytes.ptr,
                         .end = (const uint8_t *)bytes.ptr + bytes.len};
    *why = "its templates cannot be read";
    *out = (SplitHead){.count = bytes_u32(&reader), .rows = rows};
    out->whole_rows = bytes_u32(&reader);
    if (!out->count || out->count > SPLIT_TEMPLATES || out->whole_rows > rows)
        return false;
    uint64_t at = SPLIT_PREFIX + bytes.len, raw = 0, sum = out->whole_rows;
    for (uint32_t t = 0; t < out->count; t++) {
        if (!template_get(arena, &reader, rows, &out->templates[t]))
            return false;
        sum += out->templates[t].rows;
    }
    *why = "its list of columns cannot be read";
    if (sum != rows || !info_get(&reader, &at, stored, &raw, &out->codes) ||
        !info_get(&reader, &at, stored, &raw, &out->whole))
        return false;
    for (uint32_t t = 0; t < out->count; t++)
        for (uint32_t p = 0; p < out->templates[t].count; p++)
            if (!info_get(&reader, &at, stored, &raw, &out->templates[t].places[p].info))
                return false;
    return !bytes_left(&reader) && at == stored;
}

bool
split_codes(const SplitHead *head, const Vector *column, uint8_t *codes)
{
    uint32_t seen[SPLIT_TEMPLATES + 1] = {0};
    for (uint32_t i = 0; i < head->rows; i++) {
        int32_t code = vector_is_null(column, i) ? -1 : *(const int32_t *)vector_cell(column, i);
        if (code < 0 || code > (int32_t)head->count)
            return false;
        codes[i] = (uint8_t)code;
        seen[code]++;
    }
    for (uint32_t t = 0; t < head->count; t++)
        if (seen[t] != head->templates[t].rows)
            return false;
    return seen[head->count] == head->whole_rows;
}

// ---- texts ----

typedef struct TextColumn {
    Block *block;
    SplitKind kind;
    // Of its vector, so that no row asks for the encoding.
    const Text *texts;
    const int64_t *longs;
    const uint64_t *valid;
    const uint32_t *codes; // NULL: the index is row & mask
    uint32_t mask;
} TextColumn;

// The columns of a template while its texts are put together.
typedef struct Weave {
    const SplitTemplate *t;
    TextColumn *columns;
    uint32_t next; // row of the template
} Weave;

typedef struct Texts {
    BlockDecoder *decoder;
    const uint8_t *stored;
    Arena arena;
    SplitHead head;
    Weave weaves[SPLIT_TEMPLATES];
    Block *codes, *whole;
    const char *why;
} Texts;

static Block *
column_decode(Texts *x, const BlockInfo *info, Type type, uint32_t rows)
{
    return block_decode(x->decoder, info, type, rows, x->stored + info->offset, &x->why);
}

static void
column_open(TextColumn *column)
{
    const Vector *v = &column->block->vector, *payload = vector_payload(v);
    column->texts = payload->data;
    column->longs = payload->data;
    column->valid = payload->valid;
    column->codes = v->encoding == ENC_DICT ? v->codes : NULL;
    column->mask = v->encoding == ENC_CONST ? 0 : UINT32_MAX;
}

static bool
weave_open(Texts *x, uint32_t number)
{
    const SplitTemplate *t = &x->head.templates[number];
    Weave *w = &x->weaves[number];
    w->columns = ARENA_ARRAY(&x->arena, TextColumn, t->count);
    w->t = t;
    for (uint32_t p = 0; p < t->count; p++) {
        Type type = t->places[p].kind == SPLIT_LONG ? TYPE_LONG : TYPE_STRING;
        w->columns[p].kind = t->places[p].kind;
        w->columns[p].block = column_decode(x, &t->places[p].info, type, t->rows);
        if (!w->columns[p].block)
            return false;
        column_open(&w->columns[p]);
    }
    return true;
}

static void
texts_close(Texts *x)
{
    for (uint32_t t = 0; t < SPLIT_TEMPLATES; t++)
        for (uint32_t p = 0; x->weaves[t].t && p < x->weaves[t].t->count; p++)
            block_free(x->weaves[t].columns[p].block);
    block_free(x->codes);
    block_free(x->whole);
    arena_free(&x->arena);
}

// ---- whole numbers ----

static size_t
digits_of(uint64_t number)
{
    static const uint64_t POWERS[] = {
        0,
        10,
        100,
        1000,
        10000,
        100000,
        1000000,
        10000000,
        100000000,
        1000000000,
        10000000000,
        100000000000,
        1000000000000,
        10000000000000,
        100000000000000,
        1000000000000000,
        10000000000000000,
        100000000000000000,
        1000000000000000000,
        10000000000000000000U,
    };
    // 1233 / 4096 is a little more than log10(2).
    uint32_t guess = (64 - (uint32_t)__builtin_clzll(number | 1)) * 1233 >> 12;
    return guess + (number >= POWERS[guess]);
}

static const char PAIRS[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536"
    "37383940414243444546474849505152535455565758596061626364656667686970717273"
    "7475767778798081828384858687888990919293949596979899";

// Writes the digits so that they end before `end`.
static void
put_digits(char *end, uint64_t number)
{
    for (; number >= 100; number /= 100) {
        end -= 2;
        memcpy(end, PAIRS + number % 100 * 2, 2);
    }
    if (number >= 10)
        memcpy(end - 2, PAIRS + number * 2, 2);
    else
        end[-1] = (char)('0' + number);
}

static uint64_t
magnitude(int64_t number)
{
    return number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
}

// ---- values ----

static uint32_t
value_index(const TextColumn *column, uint32_t row)
{
    return column->codes ? column->codes[row] : row & column->mask;
}

static bool
is_null(const TextColumn *column, uint32_t index)
{
    return column->valid && !bit_get(column->valid, index);
}

static size_t
value_size(const TextColumn *column, uint32_t row)
{
    uint32_t index = value_index(column, row);
    if (column->kind != SPLIT_LONG)
        return column->texts[index].len + (column->kind == SPLIT_STRING ? 2 : 0);
    if (is_null(column, index))
        return 4;
    int64_t number = column->longs[index];
    return digits_of(magnitude(number)) + (number < 0);
}

static char *
put_value(char *out, const TextColumn *column, uint32_t row)
{
    uint32_t index = value_index(column, row);
    if (column->kind != SPLIT_LONG) {
        const Text *text = &column->texts[index];
        if (column->kind == SPLIT_STRING)
            *out++ = '"';
        memcpy(out, text_data(text), text->len);
        out += text->len;
        if (column->kind == SPLIT_STRING)
            *out++ = '"';
        return out;
    }
    if (is_null(column, index)) {
        memcpy(out, "null", 4);
        return out + 4;
    }
    int64_t number = column->longs[index];
    uint64_t rest = magnitude(number);
    if (number < 0)
        *out++ = '-';
    out += digits_of(rest);
    put_digits(out, rest);
    return out;
}

static uint64_t
weave_size(const Weave *w)
{
    uint64_t size = w->t->after.len;
    for (uint32_t p = 0; p < w->t->count; p++)
        size += w->t->places[p].before.len;
    size *= w->t->rows;
    for (uint32_t p = 0; p < w->t->count; p++)
        for (uint32_t i = 0; i < w->t->rows; i++)
            size += value_size(&w->columns[p], i);
    return size;
}

static char *
put_text(char *out, Weave *w)
{
    const SplitTemplate *t = w->t;
    for (uint32_t p = 0; p < t->count; p++) {
        memcpy(out, t->places[p].before.ptr, t->places[p].before.len);
        out = put_value(out + t->places[p].before.len, &w->columns[p], w->next);
    }
    memcpy(out, t->after.ptr, t->after.len);
    w->next++;
    return out + t->after.len;
}

static bool
texts_open(Texts *x, const BlockInfo *info, uint32_t rows, uint64_t *size)
{
    uint32_t head_size;
    uint64_t ignored; // the whole block has one
    x->why = "its head is cut";
    if (info->stored < SPLIT_PREFIX || !split_prefix(x->stored, info->stored, &head_size, &ignored))
        return false;
    Str head = {(const char *)x->stored + SPLIT_PREFIX, head_size};
    if (!split_head(&x->arena, head, rows, info->stored, &x->head, &x->why))
        return false;
    for (uint32_t t = 0; t < x->head.count; t++) {
        if (!weave_open(x, t))
            return false;
        *size += weave_size(&x->weaves[t]);
    }
    if (x->head.whole_rows) {
        x->whole = column_decode(x, &x->head.whole, TYPE_STRING, x->head.whole_rows);
        if (!x->whole)
            return false;
        for (uint32_t i = 0; i < x->head.whole_rows; i++)
            *size += ((const Text *)vector_cell(&x->whole->vector, i))->len;
    }
    x->why = "its texts have another size";
    return *size == info->raw;
}

static bool
texts_put(Texts *x, Block *out)
{
    uint32_t rows = x->head.rows, whole = 0;
    uint8_t *codes = arena_zalloc(&x->arena, rows);
    if (x->head.codes.stored) {
        x->codes = column_decode(x, &x->head.codes, TYPE_INT, rows);
        if (!x->codes)
            return false;
    }
    x->why = "it has a wrong number of a template";
    if (x->codes ? !split_codes(&x->head, &x->codes->vector, codes)
                 : x->head.count > 1 || x->head.whole_rows)
        return false;
    Text *texts = arena_alloc_array(&out->arena, rows, sizeof(Text));
    char *bytes = (char *)out->vector.data, *at = bytes;
    for (uint32_t i = 0; i < rows; i++) {
        char *start = at;
        if (codes[i] == x->head.count) {
            const Text *text = vector_cell(&x->whole->vector, whole++);
            memcpy(at, text_data(text), text->len);
            at += text->len;
        } else {
            at = put_text(at, &x->weaves[codes[i]]);
        }
        texts[i] = text_view(start, (size_t)(at - start));
    }
    out->vector.encoding = ENC_FLAT;
    out->vector.data = texts;
    return true;
}

bool
split_texts(BlockDecoder *decoder, const BlockInfo *info, const uint8_t *stored, Block *out,
            const char **why)
{
    Texts x = {.decoder = decoder, .stored = stored};
    uint64_t size = 0;
    bool ok = texts_open(&x, info, out->vector.count, &size);
    if (ok) {
        out->vector.data = arena_alloc_aligned(&out->arena, size, 1);
        ok = texts_put(&x, out);
    }
    *why = x.why;
    texts_close(&x);
    return ok;
}
