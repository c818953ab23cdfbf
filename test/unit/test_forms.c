// Packed blocks: texts that are GUIDs, whole numbers and reals of few decimals come back bit by
// bit, whatever stands among them, and cut or lying bytes are refused.

#include "store/block_codec.h"
#include "store/block_forms.h"

#include "base/array.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <xxhash.h>

static uint64_t
noise(uint64_t n)
{
    uint64_t x = (n + 1) * 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 31)) * 0xBF58476D1CE4E5B9u;
    return x ^ (x >> 29);
}

static Text
guid_text(Arena *arena, uint64_t n)
{
    uint64_t a = noise(n), b = noise(n + 1000000007);
    return text_copy(arena, str_format(arena, "%08x-%04x-%04x-%04x-%012llx", (uint32_t)a,
                                       (uint32_t)(a >> 32 & 0xFFFF), (uint32_t)(a >> 48),
                                       (uint32_t)(b & 0xFFFF), (unsigned long long)(b >> 16)));
}

// Encodes and decodes the vector and compares; the encoding it got.
static BlockEncoding
round_trip(const Vector *v)
{
    BlockEncoder *encoder = block_encoder_new();
    BlockDecoder *decoder = block_decoder_new();
    Arena arena = {0};
    BlockInfo info;
    Str stored;
    const Vector *distinct;
    const char *why = NULL;
    block_encode(encoder, &arena, v, &info, &stored, &distinct);
    Block *block = block_decode(decoder, &info, v->type, v->count, stored.ptr, &why);
    assert_null(why);
    for (uint32_t i = 0; i < v->count; i++) {
        assert_int_equal(vector_is_null(&block->vector, i), vector_is_null(v, i));
        const void *found = vector_cell(&block->vector, i), *wanted = vector_cell(v, i);
        if (type_is_text(v->type))
            assert_true(text_equal(found, wanted));
        else
            assert_memory_equal(found, wanted, type_size(v->type));
    }
    // Cut anywhere it is refused.
    for (uint32_t cut = 0; info.codec == CODEC_NONE && cut < info.stored;
         cut += 1 + info.stored / 97) {
        BlockInfo less = info;
        less.stored = less.raw = cut;
        less.checksum = XXH3_64bits(stored.ptr, cut);
        why = NULL;
        assert_true(info.encoding == BLOCK_CONST ||
                    !block_decode(decoder, &less, v->type, v->count, stored.ptr, &why));
    }
    block_free(block);
    block_encoder_free(encoder);
    block_decoder_free(decoder);
    arena_free(&arena);
    return (BlockEncoding)info.encoding;
}

static void
test_guids(void **state)
{
    (void)state;
    Arena arena = {0};
    enum { ROWS = 1000 };
    static const char *const others[] = {"",
                                         "x",
                                         "00000000-0000-0000-0000-00000000000G",
                                         "00000000-0000-0000-0000-0000000000000",
                                         "8E3AF657-A8FF-443C-A75C-2FE8C4BCB635",
                                         "8e3af657aa8ff-443c-a75c-2fe8c4bcb635",
                                         "8e3af657-a8ff-443c-a75c-2fe8c4bcb63\xC3",
                                         "8e3af657-a8ff-443c-a75c-2fe8c4bcb6/:",
                                         "8e3af657-a8ff-443c-a75c-2fe8c4bcb6`g",
                                         "8e3af657-a8ff-443c-a75c-2fe8c4bcb6@F"};
    // None, few, one in eight, more than that.
    static const uint32_t one_in[] = {0, 100, 8, 7};
    for (size_t k = 0; k < COUNT_OF(one_in); k++) {
        Vector *v = vector_new_flat(&arena, TYPE_STRING, ROWS);
        for (uint32_t i = 0; i < ROWS; i++)
            ((Text *)v->data)[i] =
                one_in[k] && i % one_in[k] == one_in[k] - 1
                    ? text_copy(&arena, str_from(others[i / one_in[k] % COUNT_OF(others)]))
                    : guid_text(&arena, i);
        BlockEncoding wanted = k < 3 ? BLOCK_GUIDS : BLOCK_PLAIN;
        assert_int_equal(round_trip(v), wanted);
    }
    // Few rows; few distinct ones are a dictionary's.
    for (uint32_t rows = 1; rows < 20; rows++) {
        Vector *v = vector_new_flat(&arena, TYPE_STRING, rows);
        for (uint32_t i = 0; i < rows; i++)
            ((Text *)v->data)[i] = guid_text(&arena, i);
        assert_int_equal(round_trip(v), rows == 1 ? BLOCK_CONST : BLOCK_GUIDS);
    }
    Vector *few = vector_new_flat(&arena, TYPE_STRING, ROWS);
    for (uint32_t i = 0; i < ROWS; i++)
        ((Text *)few->data)[i] = guid_text(&arena, i % 9);
    assert_int_equal(round_trip(few), BLOCK_DICT);
    // Each digit at each place.
    Vector *digits = vector_new_flat(&arena, TYPE_STRING, 16);
    for (uint32_t i = 0; i < 16; i++) {
        char text[] = "00000000-0000-0000-0000-000000000000";
        for (size_t c = 0; text[c]; c++)
            if (text[c] != '-')
                text[c] = "0123456789abcdef"[(i + c) % 16];
        ((Text *)digits->data)[i] = text_copy(&arena, str_from(text));
    }
    assert_int_equal(round_trip(digits), BLOCK_GUIDS);
    arena_free(&arena);
}

static BlockEncoding
reals_round_trip(double (*value)(uint64_t n), uint32_t null_every)
{
    Arena arena = {0};
    enum { ROWS = 2000 };
    Vector *v = vector_new_flat(&arena, TYPE_REAL, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) {
        ((double *)v->data)[i] = value(i);
        if (null_every && i % null_every == 0)
            vector_set_null(&arena, v, i);
    }
    BlockEncoding encoding = round_trip(v);
    arena_free(&arena);
    return encoding;
}

static double
tenths(uint64_t n)
{
    return (double)(noise(n) % 1000000) / 10;
}

static double
mixed(uint64_t n)
{
    static const double units[] = {1, 10, 1000};
    double sign = n % 2 ? -1 : 1;
    return n ? sign * (double)(noise(n) % 90000 + 1) / units[n % 3] : 0;
}

static double
whole(uint64_t n)
{
    return (double)(int64_t)(noise(n) % 5000) - 2500.0;
}

static double
thirds(uint64_t n)
{
    return (double)(noise(n) % 1000000) / 3;
}

static double
negative_zero(uint64_t n)
{
    return n == 1999 ? -0.0 : tenths(n);
}

static double
not_finite(uint64_t n)
{
    return n == 77 ? NAN : n == 78 ? INFINITY : tenths(n);
}

static double
far_apart(uint64_t n)
{
    return n == 1501 ? 1e14 + 0.5 : tenths(n);
}

static double
inexact(uint64_t n)
{
    return n % 2 ? 0.1 + 0.2 : tenths(n); // 0.30000000000000004 is not 0.3
}

static void
test_reals(void **state)
{
    (void)state;
    static const struct {
        double (*value)(uint64_t n);
        BlockEncoding wanted;
    } cases[] = {
        {tenths, BLOCK_SCALED},   {mixed, BLOCK_SCALED},        {whole, BLOCK_SCALED},
        {thirds, BLOCK_PLAIN},    {negative_zero, BLOCK_PLAIN}, {not_finite, BLOCK_PLAIN},
        {far_apart, BLOCK_PLAIN}, {inexact, BLOCK_PLAIN},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(reals_round_trip(cases[i].value, 0), cases[i].wanted);
        assert_int_equal(reals_round_trip(cases[i].value, 3), cases[i].wanted);
    }
}

typedef int64_t (*Number)(uint64_t n);

static int64_t
sorted_times(uint64_t n)
{
    return 638000000000000000 + (int64_t)n * 26000000 + (int64_t)(noise(n) % 1000000);
}

static int64_t
any_bits(uint64_t n)
{
    return (int64_t)noise(n); // 64 bits, steps that wrap
}

static int64_t
sixty_bits(uint64_t n)
{
    return (int64_t)(noise(n) >> 4);
}

static int64_t
edges(uint64_t n)
{
    static const int64_t all[] = {INT64_MIN, INT64_MAX, 0, -1, 1};
    return all[noise(n) % COUNT_OF(all)];
}

static int64_t
falling(uint64_t n)
{
    return -(int64_t)(n * 1000003);
}

static int64_t
small(uint64_t n)
{
    return (int64_t)(noise(n) % 1000000) - 500000;
}

// All encodings that numbers may get give them back; times in order and random digits are packed.
static void
test_whole_numbers(void **state)
{
    (void)state;
    static const struct {
        Number value;
        bool packed;
    } cases[] = {{sorted_times, true}, {any_bits, true}, {sixty_bits, true},
                 {edges, false},       {falling, true},  {small, true}};
    static const uint32_t rows[] = {2, 1023, 1024, 1025, 5000};
    static const Type types[] = {TYPE_LONG, TYPE_DATETIME, TYPE_TIMESPAN, TYPE_INT};
    for (size_t c = 0; c < COUNT_OF(cases); c++)
        for (size_t r = 0; r < COUNT_OF(rows); r++)
            for (size_t t = 0; t < COUNT_OF(types); t++)
                for (uint32_t nulls = 0; nulls < 4; nulls += 3) {
                    Arena arena = {0};
                    Vector *v = vector_new_flat(&arena, types[t], rows[r]);
                    for (uint32_t i = 0; i < rows[r]; i++) {
                        int64_t number = cases[c].value(i);
                        if (types[t] == TYPE_INT)
                            ((int32_t *)v->data)[i] = (int32_t)number;
                        else
                            ((int64_t *)v->data)[i] = number;
                        if (nulls && i % nulls == 0)
                            vector_set_null(&arena, v, i);
                    }
                    BlockEncoding encoding = round_trip(v);
                    if (!nulls && rows[r] == 5000 && types[t] == TYPE_LONG && cases[c].packed)
                        assert_int_equal(encoding, BLOCK_PACKED);
                    arena_free(&arena);
                }
}

// Each number of bits, frames of one and of two kinds.
static void
test_all_widths(void **state)
{
    (void)state;
    enum { ROWS = 1500 };
    static int64_t numbers[ROWS], back[ROWS];
    for (unsigned bits = 0; bits <= 64; bits++)
        for (int kind = 0; kind < 3; kind++) {
            uint64_t mask = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
            uint64_t sum = 0;
            for (uint64_t i = 0; i < ROWS; i++) {
                uint64_t value = i == 7 ? mask : i == 8 ? 0 : noise(i) & mask;
                sum = kind == 0 || (kind == 2 && i < 1024) ? value : sum + value;
                numbers[i] = (int64_t)(sum - 77);
            }
            Buffer bytes = {0};
            const char *why = NULL;
            packed_put(&bytes, numbers, ROWS);
            char *exact = malloc(bytes.len); // so that a read behind it is seen
            memcpy(exact, bytes.data, bytes.len);
            ByteReader raw = {.at = (uint8_t *)exact, .end = (uint8_t *)exact + bytes.len};
            assert_true(packed_decode(&raw, back, ROWS, &why));
            assert_int_equal(bytes_left(&raw), 0);
            assert_memory_equal(numbers, back, sizeof(numbers));
            free(exact);
            buffer_free(&bytes);
        }
}

// What says something else than it holds.
static void
test_lies(void **state)
{
    (void)state;
    Arena arena = {0};
    Buffer bytes = {0};
    Vector *v = vector_new_flat(&arena, TYPE_STRING, 20);
    for (uint32_t i = 0; i < 20; i++)
        ((Text *)v->data)[i] = i == 5 ? text_view("other", 5) : guid_text(&arena, i);
    assert_true(guid_texts_fit(v));
    guid_texts_put(&bytes, v);
    static const struct {
        size_t at;
        uint8_t flip;
    } lies[] = {{0, 1}, {0, 128}, {3, 128}, {5, 1}, {8, 1}, {8 + 8 + 19 * 16, 64}};
    for (size_t i = 0; i < COUNT_OF(lies); i++) {
        Vector out = {.type = TYPE_STRING, .encoding = ENC_FLAT, .count = 20};
        const char *why = NULL;
        bytes.data[lies[i].at] = (char)(bytes.data[lies[i].at] ^ lies[i].flip);
        ByteReader raw = {.at = (uint8_t *)bytes.data, .end = (uint8_t *)bytes.data + bytes.len};
        // With bytes left over a block is refused.
        assert_true(!guid_texts_decode(&raw, &arena, &out, &why) || bytes_left(&raw));
        bytes.data[lies[i].at] = (char)(bytes.data[lies[i].at] ^ lies[i].flip);
    }
    buffer_free(&bytes);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guids),         cmocka_unit_test(test_reals),
        cmocka_unit_test(test_whole_numbers), cmocka_unit_test(test_all_widths),
        cmocka_unit_test(test_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
