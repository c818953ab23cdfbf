// Code points, case and terms, each fast path against a plain twin.

#include "value/unicode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_decode(void **state)
{
    (void)state;
    Str text = STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff\xc3(\xe2\x82");
    static const uint32_t POINTS[] = {'a',    0xe9, 0x20ac, 0x1f600, 0xfffd,
                                      0xfffd, '(',  0xfffd, 0xfffd};
    size_t offset = 0, count = 0;
    while (offset < text.len) {
        assert_true(count < sizeof(POINTS) / sizeof(POINTS[0]));
        assert_int_equal(utf8_next(text, &offset), POINTS[count++]);
        assert_int_equal(utf8_offset(text, count), offset);
    }
    assert_int_equal(utf8_count(text), count);
    assert_int_equal(utf8_offset(text, SIZE_MAX), text.len);
    assert_int_equal(utf8_offset(text, 0), 0);
    assert_int_equal(utf8_count(STR("")), 0);
    assert_false(utf8_valid(text));
    assert_int_equal(utf8_valid_prefix(text), 10);
}

// All code points there and back; nothing else is valid.
static void
test_valid(void **state)
{
    (void)state;
    for (uint32_t point = 0; point <= 0x110000; point++) {
        Buffer out = {0};
        size_t offset = 0;
        bool is_scalar = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
        utf8_put(&out, point);
        if (!utf8_valid(buffer_slice(&out)) ||
            utf8_next(buffer_slice(&out), &offset) != (is_scalar ? point : 0xfffd) ||
            offset != out.len)
            fail_msg("U+%04X", point);
        buffer_free(&out);
    }
    static const Str BAD[] = {
        STR_INIT("\x80"),
        STR_INIT("\xc0\x80"),
        STR_INIT("\xc1\xbf"),
        STR_INIT("\xe0\x9f\xbf"),
        STR_INIT("\xed\xa0\x80"),
        STR_INIT("\xf0\x8f\xbf\xbf"),
        STR_INIT("\xf4\x90\x80\x80"),
        STR_INIT("\xf5\x80\x80\x80"),
        STR_INIT("\xc3"),
        STR_INIT("12345678\xe2\x82"),
        STR_INIT("12345678901234567\xff"),
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_false(utf8_valid(BAD[i]));
}

static void
test_case(void **state)
{
    (void)state;
    Buffer out = {0};
    unicode_lower(&out, STR("ABC xyz [@`{ \xc3\x89\xce\xa3\xff 09"));
    assert_true(str_equal(buffer_slice(&out), STR("abc xyz [@`{ \xc3\xa9\xcf\x83\xff 09")));
    buffer_clear(&out);
    unicode_upper(&out, STR("ABC xyz [@`{ \xc3\xa9\xcf\x83\xff 09"));
    assert_true(str_equal(buffer_slice(&out), STR("ABC XYZ [@`{ \xc3\x89\xce\xa3\xff 09")));
    buffer_clear(&out);
    unicode_upper(&out, STR(""));
    assert_int_equal(out.len, 0);
    buffer_free(&out);
}

#define KELVIN "\xe2\x84\xaa"
#define LONG_S "\xc5\xbf"

static void
test_compare_ci(void **state)
{
    (void)state;
    assert_true(unicode_equal_ci(STR("Stra\xc3\x9f"
                                     "e"),
                                 STR("sTRA\xe1\xba\x9e"
                                     "E")));
    assert_true(unicode_equal_ci(STR("\xce\xa3\xcf\x82\xcf\x83"), STR("\xcf\x83\xcf\x83\xce\xa3")));
    assert_true(unicode_equal_ci(STR(KELVIN), STR("k")));
    assert_true(unicode_equal_ci(STR("K"), STR(KELVIN)));
    assert_false(unicode_equal_ci(STR("i"), STR("\xc4\xb1")));
    assert_false(unicode_equal_ci(STR("abc"), STR("abcd")));
    assert_false(unicode_equal_ci(STR("abcd"), STR("abc")));
    assert_false(unicode_equal_ci(STR("\xff"), STR("\xfe")));
    assert_true(unicode_equal_ci(STR("\xff"), STR("\xff")));
    assert_false(unicode_equal_ci(STR("@"), STR("`")));
    assert_false(unicode_equal_ci(STR("["), STR("{")));
    assert_true(unicode_equal_ci(STR(""), STR("")));
    assert_true(unicode_starts_ci(STR("ABC" KELVIN "d"), STR("abck")));
    assert_true(unicode_starts_ci(STR("abc"), STR("")));
    assert_false(unicode_starts_ci(STR("ab"), STR("abc")));
    assert_true(unicode_ends_ci(STR("x" KELVIN "\xc3\x89"), STR("K\xc3\xa9")));
    assert_true(unicode_ends_ci(STR("abc"), STR("")));
    assert_false(unicode_ends_ci(STR("bc"), STR("abc")));
    assert_false(unicode_ends_ci(STR("\xe2\x82\xac"), STR("\xac")));
    assert_true(unicode_ends_ci(STR("\xff\xac"), STR("\xac")));
}

static void
test_contains(void **state)
{
    (void)state;
    assert_true(unicode_contains_ci(STR("North America"), STR("AMER")));
    assert_true(unicode_contains_ci(STR("a" KELVIN "usto"), STR("kusto")));
    assert_true(unicode_contains_ci(STR("a" LONG_S), STR("AS")));
    assert_true(unicode_contains_ci(STR("r\xc3\xa9sum\xc3\x89s"), STR("M\xc3\xa9")));
    assert_true(unicode_contains_ci(STR("abc"), STR("")));
    assert_true(unicode_contains_ci(STR(""), STR("")));
    assert_false(unicode_contains_ci(STR(""), STR("a")));
    assert_false(unicode_contains_ci(STR("a@b"), STR("A`B")));
    assert_false(unicode_contains_ci(STR("a[b"), STR("a{b")));
    assert_false(unicode_contains_ci(STR("\x01"), STR("!")));
}

static void
test_terms(void **state)
{
    (void)state;
    static const struct {
        Str text, needle;
        bool has, prefix, suffix;
    } CASES[] = {
        {STR_INIT("KustoExplorerQueryRun"), STR_INIT("Explorer"), false, false, false},
        {STR_INIT("Kusto Explorer Query"), STR_INIT("explorer"), true, true, true},
        {STR_INIT("North America"), STR_INIT("america"), true, true, true},
        {STR_INIT("North America"), STR_INIT("ame"), false, true, false},
        {STR_INIT("North America"), STR_INIT("ica"), false, false, true},
        {STR_INIT("ameX ame"), STR_INIT("ame"), true, true, true},
        {STR_INIT("amexame"), STR_INIT("ame"), false, true, true},
        {STR_INIT("a_b"), STR_INIT("a"), true, true, true}, // _ is of no term
        {STR_INIT("a1"), STR_INIT("a"), false, true, false},
        {STR_INIT("C:\\Users\\x\\AppData\\Local"), STR_INIT("\\appdata\\"), true, true, true},
        {STR_INIT("C:\\Users\\xAppData"), STR_INIT("\\appdata"), false, false, false},
        {STR_INIT("C:\\AppDataX"), STR_INIT("\\appdata"), false, true, false},
        {STR_INIT("one-two three"), STR_INIT("two three"), true, true, true},
        {STR_INIT("\xc3\xa9"
                  "a b"),
         STR_INIT("a"), false, false, true},
        {STR_INIT("a\xc3\xa9 b"), STR_INIT("a"), false, true, false},
        {STR_INIT("\xe2\x82\xac"
                  "a\xe2\x82\xac"),
         STR_INIT("a"), true, true, true},
        {STR_INIT("\xff"
                  "a\xff"),
         STR_INIT("A"), true, true, true},
        {STR_INIT("caf\xc3\x89 x"), STR_INIT("Caf\xc3\xa9"), true, true, true},
        {STR_INIT("x " KELVIN "usto"), STR_INIT("kusto"), true, true, true},
        {STR_INIT("xkusto y" KELVIN "usto"), STR_INIT("kusto"), false, false, true},
        {STR_INIT(""), STR_INIT(""), true, true, true},
        {STR_INIT("a"), STR_INIT(""), true, true, true},
        {STR_INIT(""), STR_INIT("a"), false, false, false},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        if (term_has(CASES[i].text, CASES[i].needle, true) != CASES[i].has ||
            term_has_prefix(CASES[i].text, CASES[i].needle, true) != CASES[i].prefix ||
            term_has_suffix(CASES[i].text, CASES[i].needle, true) != CASES[i].suffix)
            fail_msg("case %zu: %.*s", i, STR_ARG(CASES[i].text));
    }
    assert_false(term_has(STR("North America"), STR("america"), false));
    assert_true(term_has(STR("North America"), STR("America"), false));
    assert_false(term_has_prefix(STR("North"), STR("no"), false));
    assert_true(unicode_is_term('z') && unicode_is_term('0') && unicode_is_term(0xe9));
    assert_true(unicode_is_term(0x0661)); // an Arabic digit
    assert_false(unicode_is_term('_') || unicode_is_term('-') || unicode_is_term(0x20ac));
    assert_false(unicode_is_term(0xfffd) || unicode_is_term(0x110000));
}

static bool
plain_contains(Str text, Str needle, bool ignore_case)
{
    for (size_t i = 0; i + needle.len <= text.len; i++) {
        Str piece = {text.ptr + i, needle.len};
        if (ignore_case ? str_equal_ci(piece, needle) : str_equal(piece, needle))
            return true;
    }
    return false;
}

// The search over sixteen bytes at a time against one byte at a time, at every
// length and place around its edges.
static void
test_search_against_plain(void **state)
{
    (void)state;
    static const char LETTERS[] = "abAB .@`[{";
    uint32_t seed = 1;
    for (int round = 0; round < 60000; round++) {
        char bytes[96];
        seed = seed * 1664525 + 1013904223;
        size_t len = seed >> 16 & 63, want = seed >> 24 & 3;
        for (size_t i = 0; i < len + want; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = LETTERS[(seed >> 20) % (sizeof(LETTERS) - 1)];
        }
        // The copy ends where the text ends, so that reading beyond is seen.
        char *copy = malloc(len ? len : 1);
        memcpy(copy, bytes, len);
        Str text = {copy, len}, needle = {bytes + len, want};
        if (unicode_contains_ci(text, needle) != plain_contains(text, needle, true))
            fail_msg("'%.*s' in '%.*s'", STR_ARG(needle), STR_ARG(text));
        bool is_bounded = false;
        for (size_t i = 0; i + want <= len && !is_bounded; i++) {
            bool left = i == 0 || !want || !unicode_is_term((uint8_t)copy[i - 1]) ||
                        !unicode_is_term((uint8_t)needle.ptr[0]);
            bool right = i + want == len || !want || !unicode_is_term((uint8_t)copy[i + want]) ||
                         !unicode_is_term((uint8_t)needle.ptr[want - 1]);
            is_bounded = left && right && memcmp(copy + i, needle.ptr, want) == 0;
        }
        if (term_has(text, needle, false) != is_bounded)
            fail_msg("'%.*s' has '%.*s'", STR_ARG(text), STR_ARG(needle));
        free(copy);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_case),
        cmocka_unit_test(test_compare_ci),
        cmocka_unit_test(test_contains),
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_search_against_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
