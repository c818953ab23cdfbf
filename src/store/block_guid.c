// Texts that are GUIDs as 16 bytes each. Logs are full of them (correlation, operation, tenant and
// object ids), and their digits do not compress: the bytes are half of what zstd makes of the
// text, and are written and read without it.

#include "store/block_forms.h"

#include "base/array.h"

#include <stdio.h>

enum { GUID_CHARS = 36, GUID_BYTES = 16, HEX = 32 };

// Sixteen bytes at once (GCC and Clang vector types: one instruction an operation).
typedef uint8_t Bytes __attribute__((vector_size(GUID_BYTES)));

// The two nibbles of each byte one after the other, and back: places 0 .. 31 of two vectors.
#define FIRST_HALF  0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define SECOND_HALF 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define EVEN        0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD         1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31

// Where the runs of digits stand in the text, and their lengths.
static const struct {
    uint8_t at, len;
} RUNS[] = {{0, 8}, {9, 4}, {14, 4}, {19, 4}, {24, 12}};

static inline Bytes
digits_of(Bytes nibbles)
{
    Bytes letters = (Bytes)(nibbles > 9) & ('a' - '0' - 10);
    return nibbles + '0' + letters;
}

static void
guid_write(char out[GUID_CHARS], const uint8_t guid[GUID_BYTES])
{
    Bytes bytes;
    memcpy(&bytes, guid, sizeof(bytes));
    Bytes high = digits_of(bytes >> 4), low = digits_of(bytes & 15);
    Bytes halves[2] = {__builtin_shufflevector(high, low, FIRST_HALF),
                       __builtin_shufflevector(high, low, SECOND_HALF)};
    char hex[HEX];
    memcpy(hex, halves, sizeof(hex));
    memcpy(out, hex, 8);
    memcpy(out + 9, hex + 8, 4);
    memcpy(out + 14, hex + 12, 4);
    memcpy(out + 19, hex + 16, 4);
    memcpy(out + 24, hex + 20, 12);
    out[8] = out[13] = out[18] = out[23] = '-';
}

static inline bool
all_set(Bytes bytes)
{
    uint64_t words[2];
    memcpy(words, &bytes, sizeof(words));
    return (words[0] & words[1]) == UINT64_MAX;
}

// Nibbles of sixteen lower-case hex digits; *valid loses the places that are none.
static inline Bytes
nibbles_of(Bytes chars, Bytes *valid)
{
    Bytes digit = (Bytes)((chars >= '0') & (chars <= '9'));
    Bytes letter = (Bytes)((chars >= 'a') & (chars <= 'f'));
    *valid &= digit | letter;
    return (chars & 15) + (letter & 9);
}

// False when the text is no GUID in lower case.
static bool
guid_read(const Text *text, uint8_t guid[GUID_BYTES])
{
    const char *p = text_data(text);
    if (text->len != GUID_CHARS || p[8] != '-' || p[13] != '-' || p[18] != '-' || p[23] != '-')
        return false;
    char hex[HEX];
    size_t at = 0;
    for (size_t i = 0; i < COUNT_OF(RUNS); at += RUNS[i++].len)
        memcpy(hex + at, p + RUNS[i].at, RUNS[i].len);
    Bytes halves[2], valid = (Bytes){0} - 1;
    memcpy(halves, hex, sizeof(halves));
    Bytes a = nibbles_of(halves[0], &valid), b = nibbles_of(halves[1], &valid);
    Bytes bytes = __builtin_shufflevector(a, b, EVEN) << 4 | __builtin_shufflevector(a, b, ODD);
    memcpy(guid, &bytes, sizeof(bytes));
    return all_set(valid);
}

bool
guid_texts_fit(const Vector *texts)
{
    enum { OTHERS = 8, LOOK = 16 };
    const Text *text = texts->data;
    uint32_t others = 0;
    uint8_t guid[GUID_BYTES];
    for (uint32_t i = 0; i < texts->count; i++) {
        others += !guid_read(&text[i], guid);
        // Most columns are told by their first rows.
        if (others > texts->count / OTHERS || (i < LOOK && others > LOOK / 2))
            return false;
    }
    return true;
}

void
guid_texts_put(Buffer *out, const Vector *texts)
{
    const Text *text = texts->data;
    uint32_t count = texts->count, others = 0;
    size_t head = out->len, words = bit_words(count) * sizeof(uint64_t), other_bytes = 0;
    bytes_put_u64(out, 0);
    char *room = buffer_reserve(out, words + (size_t)count * GUID_BYTES);
    uint64_t *bits = calloc(bit_words(count), sizeof(uint64_t));
    if (!bits) {
        fprintf(stderr, "azimuth: out of memory (a column of %u rows)\n", count);
        abort();
    }
    uint8_t *at = (uint8_t *)room + words;
    for (uint32_t i = 0; i < count; i++) {
        if (guid_read(&text[i], at)) {
            bit_set(bits, i);
            at += GUID_BYTES;
        } else {
            others++;
            other_bytes += text[i].len;
        }
    }
    size_t packed = (size_t)(count - others) * GUID_BYTES;
    if (others)
        memcpy(room, bits, words);
    else
        memmove(room, room + words, packed);
    out->len += packed + (others ? words : 0);
    memcpy(out->data + head, &others, sizeof(others));
    char *lens = buffer_reserve(out, others * sizeof(uint32_t) + other_bytes);
    char *bytes = lens + others * sizeof(uint32_t);
    for (uint32_t i = 0; i < count && others; i++) {
        if (bit_get(bits, i))
            continue;
        memcpy(lens, &text[i].len, sizeof(uint32_t));
        memcpy(bytes, text_data(&text[i]), text[i].len);
        lens += sizeof(uint32_t);
        bytes += text[i].len;
    }
    out->len += others * sizeof(uint32_t) + other_bytes;
    free(bits);
}

// The texts that are no GUIDs, to their rows.
static bool
others_decode(ByteReader *raw, const uint64_t *bits, uint32_t others, Vector *v, const char **why)
{
    Text *texts = v->data;
    const uint8_t *lens = bytes_take(raw, others * sizeof(uint32_t));
    if (!lens) {
        *why = "its lengths are cut";
        return false;
    }
    for (uint32_t i = 0; i < v->count; i++) {
        if (bit_get(bits, i))
            continue;
        uint32_t len;
        memcpy(&len, lens, sizeof(len));
        lens += sizeof(len);
        const uint8_t *bytes = bytes_take(raw, len);
        if (!bytes) {
            *why = "a text ends outside";
            return false;
        }
        texts[i] = text_view((const char *)bytes, len);
    }
    return true;
}

bool
guid_texts_decode(ByteReader *raw, Arena *arena, Vector *v, const char **why)
{
    uint32_t count = v->count, others = bytes_u32(raw), zero = bytes_u32(raw), set = 0;
    if (raw->bad || others > count || zero) {
        *why = "it has a bad head";
        return false;
    }
    uint64_t *bits = NULL;
    if (others) {
        const uint8_t *words = bytes_take(raw, bit_words(count) * sizeof(uint64_t));
        if (words)
            bits = arena_copy(arena, words, bit_words(count) * sizeof(uint64_t));
        for (uint32_t i = 0; bits && i < count; i++)
            set += bit_get(bits, i);
        if (set != count - others) {
            *why = "its rows of GUIDs are not as many as it says";
            return false;
        }
    }
    const uint8_t *guids = bytes_take(raw, (size_t)(count - others) * GUID_BYTES);
    if (!guids) {
        *why = "its values are cut";
        return false;
    }
    char *chars = arena_alloc_array(arena, count - others, GUID_CHARS);
    Text *texts = arena_alloc_array(arena, count, sizeof(Text));
    v->data = texts;
    for (uint32_t i = 0; i < count; i++) {
        if (bits && !bit_get(bits, i))
            continue;
        guid_write(chars, guids);
        texts[i] = text_view(chars, GUID_CHARS);
        chars += GUID_CHARS;
        guids += GUID_BYTES;
    }
    return !others || others_decode(raw, bits, others, v, why);
}
