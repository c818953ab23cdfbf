// Encoding of blocks; see block_codec.h. The bytes before compression are
//
//   nulls    words of 64 bits, bit i = row i has a value; only with has_nulls and
//            only in PLAIN and NARROW
//   CONST    the value (nothing when it is null)
//   DICT     entry count u32, code width u8, 3 zero bytes, the entries as PLAIN
//            (with has_nulls the last one is the null), a code a row
//   NARROW   least value i64, width u8, 7 zero bytes, a distance a row
//   SPLIT    as split.h says
//   GUIDS, PACKED, SCALED  as block_forms.h says
//   PLAIN    of numbers and guids: the payloads; of texts: a length u32 a row,
//            then all bytes
//
// Values are equal here when their bytes are, so that NaN and -0.0 come back as
// they were.

#include "store/block_codec.h"
#include "store/block_forms.h"
#include "store/bytes.h"
#include "store/split.h"

#include <assert.h>
#include <xxhash.h>
#include <zstd.h>

enum {
    ZSTD_LEVEL = 1,
    COMPRESS_FROM = 64, // bytes; smaller blocks stay as they are
    DICT_NUMBERS_MAX = 256,
};

struct BlockEncoder {
    ZSTD_CCtx *zstd;
    Buffer raw, packed, frames;
    Arena tables;
    uint32_t *slots;          // of the hash table: entry + 1
    uint32_t *codes, *firsts; // code of each row; first row of each entry
    uint64_t *hashes;         // of each entry
    uint32_t rows_cap;
    SplitEncoder *split; // NULL: columns of a split block are not split again
    BlockEncoder *inner; // of the columns
};

static BlockEncoder *
inner_new(void)
{
    BlockEncoder *encoder = calloc(1, sizeof(*encoder));
    if (!encoder)
        return NULL;
    encoder->zstd = ZSTD_createCCtx();
    if (!encoder->zstd) {
        free(encoder);
        return NULL;
    }
    return encoder;
}

BlockEncoder *
block_encoder_new(void)
{
    BlockEncoder *encoder = inner_new();
    if (!encoder)
        return NULL;
    encoder->split = split_encoder_new();
    encoder->inner = inner_new();
    if (encoder->split && encoder->inner)
        return encoder;
    block_encoder_free(encoder);
    return NULL;
}

void
block_encoder_free(BlockEncoder *encoder)
{
    if (!encoder)
        return;
    split_encoder_free(encoder->split);
    block_encoder_free(encoder->inner);
    ZSTD_freeCCtx(encoder->zstd);
    buffer_free(&encoder->raw);
    buffer_free(&encoder->packed);
    buffer_free(&encoder->frames);
    arena_free(&encoder->tables);
    free(encoder);
}

static bool
row_valid(const Vector *v, uint32_t row)
{
    return !v->valid || bit_get(v->valid, row);
}

static const void *
row_payload(const Vector *v, uint32_t row)
{
    return (const char *)v->data + (size_t)row * type_size(v->type);
}

// The bytes that stand for a payload.
static Str
payload_bytes(Type type, const void *payload)
{
    return type_is_text(type) ? text_str(payload) : (Str){payload, type_size(type)};
}

static bool
payload_same(Type type, const void *a, const void *b)
{
    return type_is_text(type) ? text_equal(a, b) : memcmp(a, b, type_size(type)) == 0;
}

// Whether all rows are the same value, or all null.
static bool
is_constant(const Vector *v)
{
    bool valid = row_valid(v, 0);
    for (uint32_t i = 1; i < v->count; i++)
        if (row_valid(v, i) != valid ||
            (valid && !payload_same(v->type, v->data, row_payload(v, i))))
            return false;
    return true;
}

static void
encoder_reserve(BlockEncoder *encoder, uint32_t rows)
{
    if (rows <= encoder->rows_cap)
        return;
    size_t slots = 64;
    while (slots < (size_t)rows * 2)
        slots *= 2;
    arena_reset(&encoder->tables);
    encoder->slots = arena_alloc_array(&encoder->tables, slots, sizeof(uint32_t));
    encoder->codes = arena_alloc_array(&encoder->tables, rows, sizeof(uint32_t));
    encoder->firsts = arena_alloc_array(&encoder->tables, rows, sizeof(uint32_t));
    encoder->hashes = arena_alloc_array(&encoder->tables, rows, sizeof(uint64_t));
    encoder->rows_cap = rows;
}

// Most distinct values with which a dictionary is worth its look-ups. GUIDs are small without one.
static uint32_t
dict_limit(const Vector *v, bool guids)
{
    if (guids)
        return v->count / 4;
    if (type_size(v->type) == 1)
        return 0;
    if (type_size(v->type) == 16)
        return v->count / 2;
    uint32_t limit = v->count / 16;
    return limit < DICT_NUMBERS_MAX ? limit : DICT_NUMBERS_MAX;
}

// Numbers the distinct values in order of appearance; 0 when there are more than
// `limit`. Rows that are null get the code UINT32_MAX.
static uint32_t
distinct_find(BlockEncoder *encoder, const Vector *v, uint32_t limit)
{
    uint32_t entries = 0;
    if (!limit)
        return 0;
    encoder_reserve(encoder, v->count);
    size_t mask = 63;
    while (mask < (size_t)limit * 2)
        mask = mask * 2 + 1;
    memset(encoder->slots, 0, (mask + 1) * sizeof(uint32_t));
    for (uint32_t i = 0; i < v->count; i++) {
        if (!row_valid(v, i)) {
            encoder->codes[i] = UINT32_MAX;
            continue;
        }
        const void *payload = row_payload(v, i);
        Str bytes = payload_bytes(v->type, payload);
        uint64_t hash = XXH3_64bits(bytes.ptr, bytes.len);
        size_t slot = hash & mask;
        for (; encoder->slots[slot]; slot = (slot + 1) & mask) {
            uint32_t entry = encoder->slots[slot] - 1;
            if (encoder->hashes[entry] == hash &&
                payload_same(v->type, payload, row_payload(v, encoder->firsts[entry])))
                break;
        }
        if (!encoder->slots[slot]) {
            if (entries == limit)
                return 0;
            encoder->hashes[entries] = hash;
            encoder->firsts[entries] = i;
            encoder->slots[slot] = ++entries;
        }
        encoder->codes[i] = encoder->slots[slot] - 1;
    }
    return entries;
}

// Bytes of the PLAIN form of a vector, without nulls.
static size_t
plain_size(const Vector *v)
{
    if (!type_is_text(v->type))
        return v->count * type_size(v->type);
    size_t size = v->count * sizeof(uint32_t);
    const Text *texts = v->data;
    for (uint32_t i = 0; i < v->count; i++)
        size += texts[i].len;
    return size;
}

static void
put_plain(Buffer *out, const Vector *v)
{
    if (!type_is_text(v->type)) {
        buffer_put(out, v->data, v->count * type_size(v->type));
        return;
    }
    const Text *texts = v->data;
    char *p = buffer_reserve(out, plain_size(v));
    for (uint32_t i = 0; i < v->count; i++, p += sizeof(uint32_t))
        memcpy(p, &texts[i].len, sizeof(uint32_t));
    for (uint32_t i = 0; i < v->count; i++) {
        memcpy(p, text_data(&texts[i]), texts[i].len);
        p += texts[i].len;
    }
    out->len = (size_t)(p - out->data);
}

// The distinct values as a vector, nulls left out.
static Vector *
distinct_vector(const BlockEncoder *encoder, Arena *arena, const Vector *v, uint32_t entries)
{
    Vector *distinct = vector_new_flat(arena, v->type, entries);
    size_t size = type_size(v->type);
    for (uint32_t e = 0; e < entries; e++)
        memcpy((char *)distinct->data + e * size, row_payload(v, encoder->firsts[e]), size);
    return distinct;
}

static uint8_t
code_width(uint32_t entries)
{
    return entries <= 1 << 8 ? 1 : entries <= 1 << 16 ? 2 : 4;
}

// Writes `value` (already known to fit) in 1, 2 or 4 bytes.
static void
put_word(char *at, uint32_t value, uint8_t width)
{
    memcpy(at, &value, width);
}

// A dictionary, when it is smaller by a quarter. Null when present is one more
// entry, the last.
static bool
put_dict(BlockEncoder *encoder, Arena *arena, const Vector *v, bool has_nulls, uint32_t limit,
         const Vector **distinct)
{
    uint32_t found = distinct_find(encoder, v, limit);
    if (!found)
        return false;
    Vector *values = distinct_vector(encoder, arena, v, found);
    uint32_t entries = found + has_nulls;
    uint8_t width = code_width(entries);
    size_t dict_size = plain_size(values) + (size_t)width * v->count;
    if (dict_size * 4 > plain_size(v) * 3)
        return false;
    *distinct = values;

    Vector *all = values;
    if (has_nulls) {
        all = vector_new_flat(arena, v->type, entries);
        memcpy(all->data, values->data, found * type_size(v->type));
    }
    Buffer *out = &encoder->raw;
    bytes_put_u32(out, entries);
    bytes_put_u32(out, width);
    put_plain(out, all);
    char *p = buffer_reserve(out, (size_t)width * v->count);
    for (uint32_t i = 0; i < v->count; i++, p += width)
        put_word(p, encoder->codes[i] == UINT32_MAX ? found : encoder->codes[i], width);
    out->len += (size_t)width * v->count;
    return true;
}

static int64_t
whole_number(const Vector *v, uint32_t i)
{
    return v->type == TYPE_INT ? ((const int32_t *)v->data)[i] : ((const int64_t *)v->data)[i];
}

static bool
is_whole(Type type)
{
    return type == TYPE_INT || type == TYPE_LONG || type == TYPE_DATETIME || type == TYPE_TIMESPAN;
}

static void
put_nulls(Buffer *out, const Vector *v, bool has_nulls)
{
    if (has_nulls)
        buffer_put(out, v->valid, bit_words(v->count) * sizeof(uint64_t));
}

static bool
put_scaled(Buffer *out, Arena *arena, const Vector *v, bool has_nulls)
{
    uint32_t power;
    int64_t *whole;
    if (v->type != TYPE_REAL || !scaled_reals_fit(v, arena, &power, &whole))
        return false;
    put_nulls(out, v, has_nulls);
    bytes_put_u64(out, power);
    packed_put(out, whole, v->count);
    return true;
}

// Distances from the least value, when they fit fewer bytes than the type has.
static bool
put_narrow(Buffer *out, const Vector *v, bool has_nulls)
{
    if (!is_whole(v->type))
        return false;
    int64_t min = INT64_MAX, max = INT64_MIN;
    for (uint32_t i = 0; i < v->count; i++) {
        if (!row_valid(v, i))
            continue;
        int64_t value = whole_number(v, i);
        min = value < min ? value : min;
        max = value > max ? value : max;
    }
    uint64_t range = (uint64_t)max - (uint64_t)min;
    uint8_t width = range <= UINT8_MAX ? 1 : range <= UINT16_MAX ? 2 : range <= UINT32_MAX ? 4 : 8;
    if (width >= type_size(v->type))
        return false;
    put_nulls(out, v, has_nulls);
    bytes_put_u64(out, (uint64_t)min);
    bytes_put_u64(out, width);
    char *p = buffer_reserve(out, (size_t)width * v->count);
    for (uint32_t i = 0; i < v->count; i++, p += width) {
        uint64_t distance = row_valid(v, i) ? (uint64_t)whole_number(v, i) - (uint64_t)min : 0;
        put_word(p, (uint32_t)distance, width);
    }
    out->len += (size_t)width * v->count;
    return true;
}

// The whole numbers as frames, where they are about as small as `stored`, their compressed form.
static bool
put_frames(BlockEncoder *encoder, Arena *arena, const Vector *v, bool has_nulls, size_t stored)
{
    if (!is_whole(v->type))
        return false;
    int64_t *numbers = arena_alloc_array(arena, v->count, sizeof(*numbers)), last = 0;
    for (uint32_t i = v->count; i-- > 0;) // what nulls at the beginning take
        last = row_valid(v, i) ? whole_number(v, i) : last;
    for (uint32_t i = 0; i < v->count; i++)
        numbers[i] = last = row_valid(v, i) ? whole_number(v, i) : last;
    buffer_clear(&encoder->frames);
    put_nulls(&encoder->frames, v, has_nulls);
    packed_put(&encoder->frames, numbers, v->count);
    return encoder->frames.len <= stored + stored / 20;
}

static BlockEncoding
encode_raw(BlockEncoder *encoder, Arena *arena, const Vector *v, bool has_nulls,
           const Vector **distinct)
{
    Buffer *out = &encoder->raw;
    buffer_clear(out);
    if (is_constant(v)) {
        if (has_nulls)
            return BLOCK_CONST;
        *distinct = vector_slice(arena, v, 0, 1);
        Str bytes = payload_bytes(v->type, v->data);
        buffer_put(out, bytes.ptr, bytes.len);
        return BLOCK_CONST;
    }
    bool guids = v->type == TYPE_STRING && guid_texts_fit(v);
    if (put_dict(encoder, arena, v, has_nulls, dict_limit(v, guids), distinct))
        return BLOCK_DICT;
    if (put_narrow(out, v, has_nulls))
        return BLOCK_NARROW;
    if (put_scaled(out, arena, v, has_nulls))
        return BLOCK_SCALED;
    if (guids) {
        guid_texts_put(out, v);
        return BLOCK_GUIDS;
    }
    if (type_is_text(v->type) && encoder->split &&
        split_encode(encoder->split, encoder->inner, v, out))
        return BLOCK_SPLIT;
    put_nulls(out, v, has_nulls);
    put_plain(out, v);
    return BLOCK_PLAIN;
}

// The raw bytes, or their compressed form when it is smaller by a tenth.
static Str
compress(BlockEncoder *encoder, Str raw, uint8_t *codec)
{
    *codec = CODEC_NONE;
    if (raw.len < COMPRESS_FROM)
        return raw;
    size_t bound = ZSTD_compressBound(raw.len);
    buffer_clear(&encoder->packed);
    char *out = buffer_reserve(&encoder->packed, bound);
    size_t size = ZSTD_compressCCtx(encoder->zstd, out, bound, raw.ptr, raw.len, ZSTD_LEVEL);
    if (ZSTD_isError(size) || size > raw.len - raw.len / 10)
        return raw;
    *codec = CODEC_ZSTD;
    return (Str){out, size};
}

void
block_encode(BlockEncoder *encoder, Arena *arena, const Vector *flat, BlockInfo *info, Str *stored,
             const Vector **distinct)
{
    assert(flat->encoding == ENC_FLAT && flat->count && flat->count <= BLOCK_ROWS_MAX);
    *distinct = NULL;
    bool has_nulls = false;
    for (uint32_t i = 0; flat->valid && i < flat->count && !has_nulls; i++)
        has_nulls = !bit_get(flat->valid, i);
    BlockEncoding encoding = encode_raw(encoder, arena, flat, has_nulls, distinct);
    assert(encoder->raw.len <= BLOCK_RAW_MAX);
    *info = (BlockInfo){
        .encoding = (uint8_t)encoding,
        .has_nulls = has_nulls,
        .raw = (uint32_t)encoder->raw.len,
    };
    *stored = buffer_slice(&encoder->raw);
    if (encoding == BLOCK_SPLIT)
        info->raw = (uint32_t)(plain_size(flat) - flat->count * sizeof(uint32_t));
    else
        *stored = compress(encoder, *stored, &info->codec);
    if ((encoding == BLOCK_NARROW || encoding == BLOCK_PLAIN) &&
        put_frames(encoder, arena, flat, has_nulls, stored->len)) {
        *stored = buffer_slice(&encoder->frames);
        info->encoding = BLOCK_PACKED;
        info->codec = CODEC_NONE;
        info->raw = (uint32_t)stored->len;
    }
    info->stored = (uint32_t)stored->len;
    info->checksum = XXH3_64bits(stored->ptr, stored->len);
}

void
block_encode_bytes(BlockEncoder *encoder, Str bytes, BlockInfo *info, Str *stored)
{
    assert(bytes.len <= BLOCK_RAW_MAX);
    *info = (BlockInfo){.encoding = BLOCK_CONST, .raw = (uint32_t)bytes.len};
    *stored = compress(encoder, bytes, &info->codec);
    info->stored = (uint32_t)stored->len;
    info->checksum = XXH3_64bits(stored->ptr, stored->len);
}
