// Decoding of blocks; see block_codec.h for the promise and block_encode.c for the
// form of the bytes.
//
// The decompressed bytes live in the block's arena and vectors point into them
// where the form allows. Whatever a vector's user takes for granted is made true
// here: texts end inside the block, codes name entries, booleans are 0 or 1,
// nulls have zero payloads, strings are never null, trees are well-formed.

#include "store/block_codec.h"
#include "store/block_forms.h"
#include "store/bytes.h"
#include "store/split.h"
#include "value/dynamic.h"

#include <xxhash.h>
#include <zstd.h>

struct BlockDecoder {
    ZSTD_DCtx *zstd;
    Buffer stored;
};

// The parts of one decoding.
typedef struct Decoding {
    Block *block;
    Type type;
    uint32_t rows;
    bool has_nulls;
    ByteReader raw;
    const char *why;
} Decoding;

BlockDecoder *
block_decoder_new(void)
{
    BlockDecoder *decoder = calloc(1, sizeof(*decoder));
    if (!decoder)
        return NULL;
    decoder->zstd = ZSTD_createDCtx();
    if (!decoder->zstd) {
        free(decoder);
        return NULL;
    }
    return decoder;
}

void
block_decoder_free(BlockDecoder *decoder)
{
    if (!decoder)
        return;
    ZSTD_freeDCtx(decoder->zstd);
    buffer_free(&decoder->stored);
    free(decoder);
}

void *
block_decoder_buffer(BlockDecoder *decoder, size_t size)
{
    buffer_clear(&decoder->stored);
    return buffer_reserve(&decoder->stored, size);
}

static bool
fail(Decoding *d, const char *why)
{
    d->why = why;
    return false;
}

// Makes the payloads of a flat vector of texts from lengths and bytes.
static bool
texts_decode(Decoding *d, Vector *v)
{
    uint32_t count = v->count;
    const uint8_t *lens = bytes_take(&d->raw, count * sizeof(uint32_t));
    if (!lens)
        return fail(d, "its lengths are cut");
    Text *texts = arena_alloc_array(&d->block->arena, count, sizeof(Text));
    const char *at = (const char *)d->raw.at;
    size_t left = bytes_left(&d->raw);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t len;
        memcpy(&len, lens + i * sizeof(len), sizeof(len));
        if (len > left)
            return fail(d, "a text ends outside");
        texts[i] = text_view(at, len);
        at += len;
        left -= len;
    }
    d->raw.at = (const uint8_t *)at;
    v->data = texts;
    return true;
}

static bool
trees_check(Decoding *d, const Vector *v)
{
    const Text *texts = v->data;
    for (uint32_t i = 0; i < v->count; i++) {
        if (v->valid && !bit_get(v->valid, i))
            continue;
        if (!dyn_check((const uint8_t *)text_data(&texts[i]), texts[i].len))
            return fail(d, "a dynamic value is malformed");
    }
    return true;
}

static void
nulls_zero(const Vector *v)
{
    size_t size = type_size(v->type);
    for (uint32_t i = 0; v->valid && i < v->count; i++)
        if (!bit_get(v->valid, i))
            memset((char *)v->data + i * size, 0, size);
}

// The payloads of `v` (count and valid are set) in their PLAIN form.
static bool
payloads_decode(Decoding *d, Vector *v)
{
    if (type_is_text(v->type)) {
        if (!texts_decode(d, v))
            return false;
    } else {
        size_t size = v->count * type_size(v->type);
        const uint8_t *at = bytes_take(&d->raw, size);
        if (!at)
            return fail(d, "its values are cut");
        v->data = ((uintptr_t)at & 7) ? arena_copy(&d->block->arena, at, size) : (void *)at;
        if (v->type == TYPE_BOOL)
            for (uint32_t i = 0; i < v->count; i++)
                ((uint8_t *)v->data)[i] = ((uint8_t *)v->data)[i] != 0;
    }
    nulls_zero(v);
    return v->type != TYPE_DYNAMIC || trees_check(d, v);
}

static bool
nulls_decode(Decoding *d, Vector *v)
{
    if (!d->has_nulls)
        return true;
    size_t size = bit_words(v->count) * sizeof(uint64_t);
    const uint8_t *at = bytes_take(&d->raw, size);
    if (!at)
        return fail(d, "its null bits are cut");
    v->valid = arena_copy(&d->block->arena, at, size);
    return true;
}

static bool
decode_plain(Decoding *d)
{
    Vector *v = &d->block->vector;
    v->encoding = ENC_FLAT;
    return nulls_decode(d, v) && payloads_decode(d, v);
}

static bool
decode_const(Decoding *d)
{
    Vector *v = &d->block->vector;
    v->encoding = ENC_CONST;
    v->data = arena_zalloc(&d->block->arena, sizeof(Text));
    if (d->has_nulls) {
        v->valid = ARENA_NEW(&d->block->arena, uint64_t);
        return true;
    }
    size_t size = bytes_left(&d->raw);
    const uint8_t *at = bytes_take(&d->raw, size);
    if (type_is_text(d->type)) {
        *(Text *)v->data = text_view((const char *)at, size);
        if (d->type == TYPE_DYNAMIC &&
            !dyn_check((const uint8_t *)text_data(v->data), (uint32_t)size))
            return fail(d, "a dynamic value is malformed");
        return true;
    }
    if (size != type_size(d->type))
        return fail(d, "its value has the wrong size");
    memcpy(v->data, at, size);
    if (d->type == TYPE_BOOL)
        *(uint8_t *)v->data = *(uint8_t *)v->data != 0;
    return true;
}

// Widens `count` words of 1, 2 or 4 bytes; false when one is not below `limit`.
static bool
codes_widen(uint32_t *out, const uint8_t *words, uint32_t width, uint32_t count, uint32_t limit)
{
    uint32_t max = 0;
    switch (width) {
    case 1:
        for (uint32_t i = 0; i < count; i++) {
            out[i] = words[i];
            max = out[i] > max ? out[i] : max;
        }
        break;
    case 2:
        for (uint32_t i = 0; i < count; i++) {
            uint16_t word;
            memcpy(&word, words + i * sizeof(word), sizeof(word));
            out[i] = word;
            max = out[i] > max ? out[i] : max;
        }
        break;
    default:
        memcpy(out, words, count * sizeof(uint32_t));
        for (uint32_t i = 0; i < count; i++)
            max = out[i] > max ? out[i] : max;
        break;
    }
    return max < limit;
}

static bool
decode_dict(Decoding *d)
{
    Arena *arena = &d->block->arena;
    uint32_t entries = bytes_u32(&d->raw), width = bytes_u32(&d->raw);
    if (!entries || entries > d->rows + 1 || (width != 1 && width != 2 && width != 4))
        return fail(d, "its dictionary has a bad head");
    Vector *dict = &d->block->dict;
    *dict = (Vector){.type = d->type, .encoding = ENC_FLAT, .count = entries};
    if (d->has_nulls) {
        dict->valid = arena_alloc_array(arena, bit_words(entries), sizeof(uint64_t));
        memset(dict->valid, 0xFF, bit_words(entries) * sizeof(uint64_t));
        bit_clear(dict->valid, entries - 1);
    }
    if (!payloads_decode(d, dict))
        return false;
    const uint8_t *words = bytes_take(&d->raw, (size_t)width * d->rows);
    if (!words)
        return fail(d, "its codes are cut");
    uint32_t *codes = arena_alloc_array(arena, d->rows, sizeof(uint32_t));
    if (!codes_widen(codes, words, width, d->rows, entries))
        return fail(d, "a code names no entry");
    Vector *v = &d->block->vector;
    v->encoding = ENC_DICT;
    v->dict = dict;
    v->codes = codes;
    return true;
}

static bool
is_whole(Type type)
{
    return type == TYPE_INT || type == TYPE_LONG || type == TYPE_DATETIME || type == TYPE_TIMESPAN;
}

static bool
decode_narrow(Decoding *d)
{
    Vector *v = &d->block->vector;
    v->encoding = ENC_FLAT;
    if (!is_whole(d->type))
        return fail(d, "its encoding does not fit its type");
    if (!nulls_decode(d, v))
        return false;
    uint64_t min = bytes_u64(&d->raw), width = bytes_u64(&d->raw);
    if (width != 1 && width != 2 && width != 4)
        return fail(d, "its width is not 1, 2 or 4");
    const uint8_t *words = bytes_take(&d->raw, (size_t)width * d->rows);
    if (!words)
        return fail(d, "its values are cut");
    Arena *arena = &d->block->arena;
    uint32_t *distances = arena_alloc_array(arena, d->rows, sizeof(uint32_t));
    codes_widen(distances, words, (uint32_t)width, d->rows, UINT32_MAX);
    if (d->type == TYPE_INT) {
        // In place: the sum wraps as the distances were made.
        for (uint32_t i = 0; i < d->rows; i++)
            distances[i] += (uint32_t)min;
        v->data = distances;
    } else {
        uint64_t *values = arena_alloc_array(arena, d->rows, sizeof(uint64_t));
        for (uint32_t i = 0; i < d->rows; i++)
            values[i] = min + distances[i];
        v->data = values;
    }
    nulls_zero(v);
    return true;
}

static bool
decode_packed(Decoding *d)
{
    Vector *v = &d->block->vector;
    v->encoding = ENC_FLAT;
    if (!is_whole(d->type))
        return fail(d, "its encoding does not fit its type");
    int64_t *numbers = arena_alloc_array(&d->block->arena, d->rows, sizeof(*numbers));
    if (!nulls_decode(d, v) || !packed_decode(&d->raw, numbers, d->rows, &d->why))
        return false;
    // In place: each number is read before its half is written.
    for (uint32_t i = 0; d->type == TYPE_INT && i < d->rows; i++) {
        int32_t number = (int32_t)numbers[i];
        memcpy((char *)numbers + i * sizeof(number), &number, sizeof(number));
    }
    v->data = numbers;
    nulls_zero(v);
    return true;
}

static bool
decode_scaled(Decoding *d)
{
    Vector *v = &d->block->vector;
    v->encoding = ENC_FLAT;
    if (d->type != TYPE_REAL)
        return fail(d, "its encoding does not fit its type");
    if (!nulls_decode(d, v))
        return false;
    uint64_t power = bytes_u64(&d->raw);
    if (power > SCALED_POWER_MAX)
        return fail(d, "its power of ten is not 0 to 9");
    int64_t *numbers = arena_alloc_array(&d->block->arena, d->rows, sizeof(*numbers));
    if (!packed_decode(&d->raw, numbers, d->rows, &d->why))
        return false;
    for (uint32_t i = 0; i < d->rows; i++) {
        double real = scaled_real(numbers[i], (uint32_t)power);
        memcpy(&numbers[i], &real, sizeof(real));
    }
    v->data = numbers;
    nulls_zero(v);
    return true;
}

static bool
decode_guids(Decoding *d)
{
    Vector *v = &d->block->vector;
    v->encoding = ENC_FLAT;
    if (d->type != TYPE_STRING)
        return fail(d, "its encoding does not fit its type");
    return guid_texts_decode(&d->raw, &d->block->arena, v, &d->why);
}

static bool (*const DECODERS[BLOCK_ENCODING_LIMIT])(Decoding *) = {
    [BLOCK_PLAIN] = decode_plain,   [BLOCK_CONST] = decode_const, [BLOCK_DICT] = decode_dict,
    [BLOCK_NARROW] = decode_narrow, [BLOCK_GUIDS] = decode_guids, [BLOCK_PACKED] = decode_packed,
    [BLOCK_SCALED] = decode_scaled,
    // SPLIT has no bytes of its own: see block_decode().
};

// A fuzzer cannot find checksums by chance: its build takes any.
static bool
checksum_fits(const BlockInfo *info, const void *stored)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    (void)info, (void)stored;
    return true;
#else
    return XXH3_64bits(stored, info->stored) == info->checksum;
#endif
}

static bool
decode_split(BlockDecoder *decoder, const BlockInfo *info, const void *stored, Decoding *d)
{
    if (!checksum_fits(info, stored))
        return fail(d, "its checksum does not fit");
    if (!type_is_text(d->type) || info->codec != CODEC_NONE ||
        (info->has_nulls && d->type == TYPE_STRING))
        return fail(d, "its encoding does not fit its type");
    if (info->raw > BLOCK_RAW_MAX)
        return fail(d, "it is too large");
    return split_whole(decoder, info, stored, d->block, &d->why);
}

// The decompressed bytes, in the block's arena.
static bool
raw_open(BlockDecoder *decoder, const BlockInfo *info, const void *stored, Decoding *d)
{
    if (!checksum_fits(info, stored))
        return fail(d, "its checksum does not fit");
    if (info->encoding >= BLOCK_ENCODING_LIMIT || info->codec >= CODEC_LIMIT)
        return fail(d, "its encoding is unknown");
    if (info->raw > BLOCK_RAW_MAX)
        return fail(d, "it is too large");
    if (d->has_nulls && d->type == TYPE_STRING)
        return fail(d, "it holds null strings");
    uint8_t *raw;
    if (info->codec == CODEC_NONE) {
        if (info->raw != info->stored)
            return fail(d, "its sizes do not fit");
        raw = arena_copy(&d->block->arena, stored, info->raw);
    } else {
        if (ZSTD_getFrameContentSize(stored, info->stored) != info->raw)
            return fail(d, "its compressed size does not fit");
        raw = arena_alloc(&d->block->arena, info->raw);
        if (ZSTD_decompressDCtx(decoder->zstd, raw, info->raw, stored, info->stored) != info->raw)
            return fail(d, "it cannot be decompressed");
    }
    d->raw = (ByteReader){.at = raw, .end = raw + info->raw};
    return true;
}

Block *
block_decode(BlockDecoder *decoder, const BlockInfo *info, Type type, uint32_t rows,
             const void *stored, const char **why)
{
    Block *block = calloc(1, sizeof(*block));
    if (!block) {
        *why = "there is not enough memory";
        return NULL;
    }
    block->vector.type = type;
    block->vector.count = rows;
    Decoding d = {.block = block, .type = type, .rows = rows, .has_nulls = info->has_nulls};
    bool split = info->encoding == BLOCK_SPLIT;
    bool ok = split ? decode_split(decoder, info, stored, &d)
                    : raw_open(decoder, info, stored, &d) && DECODERS[info->encoding](&d);
    if (ok && bytes_left(&d.raw))
        ok = fail(&d, "it has bytes left over");
    if (!ok) {
        *why = d.why;
        block_free(block);
        return NULL;
    }
    return block;
}

Block *
block_decode_bytes(BlockDecoder *decoder, const BlockInfo *info, const void *stored,
                   const char **why)
{
    if (info->encoding == BLOCK_CONST && !info->has_nulls)
        return block_decode(decoder, info, TYPE_STRING, 1, stored, why);
    *why = "its encoding is unknown";
    return NULL;
}

void
block_free(Block *block)
{
    if (!block)
        return;
    arena_free(&block->arena);
    free(block);
}
