// Reading split blocks: the head and the columns of the whole block. See split.h.

#include "store/split_weave.h"

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

// ---- the whole block ----

static Block *
column_decode(SplitWhole *w, const BlockInfo *info, Type type, uint32_t rows)
{
    return block_decode(w->decoder, info, type, rows, w->stored + info->offset, &w->why);
}

static void
column_open(SplitColumn *column)
{
    const Vector *v = &column->block->vector, *payload = vector_payload(v);
    column->texts = payload->data;
    column->longs = payload->data;
    column->valid = payload->valid;
    column->codes = v->encoding == ENC_DICT ? v->codes : NULL;
    column->mask = v->encoding == ENC_CONST ? 0 : UINT32_MAX;
}

static bool
weave_open(SplitWhole *w, uint32_t number)
{
    const SplitTemplate *t = &w->head.templates[number];
    Weave *weave = &w->weaves[number];
    weave->columns = ARENA_ARRAY(&w->arena, SplitColumn, t->count);
    weave->t = t;
    for (uint32_t p = 0; p < t->count; p++) {
        SplitColumn *column = &weave->columns[p];
        column->kind = t->places[p].kind;
        column->block =
            column_decode(w, &t->places[p].info, split_column_type(w->type, column->kind), t->rows);
        if (!column->block)
            return false;
        column_open(column);
    }
    return true;
}

static bool
codes_open(SplitWhole *w)
{
    uint32_t rows = w->head.rows;
    w->codes = arena_zalloc(&w->arena, rows);
    w->why = "it has a wrong number of a template";
    if (!w->head.codes.stored)
        return w->head.count == 1 && !w->head.whole_rows;
    Block *codes = column_decode(w, &w->head.codes, TYPE_INT, rows);
    if (!codes)
        return false;
    bool ok = split_codes(&w->head, &codes->vector, w->codes);
    block_free(codes);
    w->why = "it has a wrong number of a template";
    return ok;
}

static bool
whole_open(SplitWhole *w, uint32_t rows)
{
    uint32_t head_size;
    uint64_t ignored; // the whole block has one
    w->why = "its head is cut";
    if (w->info->stored < SPLIT_PREFIX ||
        !split_prefix(w->stored, w->info->stored, &head_size, &ignored))
        return false;
    Str head = {(const char *)w->stored + SPLIT_PREFIX, head_size};
    if (!split_head(&w->arena, head, rows, w->info->stored, &w->head, &w->why))
        return false;
    for (uint32_t t = 0; t < w->head.count; t++)
        if (!weave_open(w, t))
            return false;
    if (w->head.whole_rows) {
        w->kept = column_decode(w, &w->head.whole, w->type, w->head.whole_rows);
        if (!w->kept)
            return false;
    }
    return codes_open(w);
}

static void
whole_close(SplitWhole *w)
{
    for (uint32_t t = 0; t < SPLIT_TEMPLATES; t++)
        for (uint32_t p = 0; w->weaves[t].t && p < w->weaves[t].t->count; p++)
            block_free(w->weaves[t].columns[p].block);
    block_free(w->kept);
    arena_free(&w->arena);
}

bool
split_whole(BlockDecoder *decoder, const BlockInfo *info, const uint8_t *stored, Block *out,
            const char **why)
{
    SplitWhole w = {.decoder = decoder, .info = info, .stored = stored, .type = out->vector.type};
    bool ok = whole_open(&w, out->vector.count) &&
              (w.type == TYPE_STRING ? split_texts_put(&w, out) : split_trees_put(&w, out));
    *why = w.why;
    whole_close(&w);
    return ok;
}
