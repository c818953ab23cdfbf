// Regular expressions: Kusto's dialect, groups, replacing, hostile patterns.

#include "base/buffer.h"
#include "value/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static Regex *
compile(const char *pattern, bool ignore_case)
{
    AzError error = {0};
    Regex *regex = regex_new(str_from(pattern), ignore_case, &error);
    if (!regex)
        fail_msg("%s", error.message);
    return regex;
}

static bool
matches(const char *pattern, bool ignore_case, Str text)
{
    Regex *regex = compile(pattern, ignore_case);
    bool result = regex_matches(regex, text);
    regex_free(regex);
    return result;
}

static void
test_matches(void **state)
{
    (void)state;
    assert_true(matches("^K.*o$", false, STR("Kusto")));
    assert_false(matches("^k.*o$", false, STR("Kusto")));
    assert_true(matches("^k.*o$", true, STR("Kusto")));
    assert_true(matches("(?i)KUSTO", false, STR("a kusto b")));
    assert_true(matches("\\p{Greek}+", false, STR("\xce\xb1\xce\xb2")));
    assert_true(matches("^.$", false, STR("\xf0\x9f\x98\x80")));
    assert_false(matches("a.b", false, STR("a\nb")));
    assert_true(matches("(?s)a.b", false, STR("a\nb")));
    assert_true(matches("", false, STR("")));
    assert_true(matches("^$", false, (Str){NULL, 0}));
    assert_true(matches("a\\x00b", false, STR("a\0b")));
    assert_false(matches("[^a]", false, STR("aaa")));
    // Text that is not UTF-8 is no reason to fail.
    assert_true(matches("b", false,
                        STR("\xff\xfe"
                            "b")));
}

static void
test_groups(void **state)
{
    (void)state;
    Regex *regex = compile("(?P<user>\\w+)@(?<host>\\w+)(\\.com)?", false);
    Str text = STR("x a@b, c@d.com"), groups[6];
    assert_int_equal(regex_group_count(regex), 3);
    assert_true(regex_find(regex, text, 0, groups, 6));
    assert_true(str_equal(groups[0], STR("a@b")));
    assert_true(str_equal(groups[1], STR("a")));
    assert_true(str_equal(groups[2], STR("b")));
    assert_null(groups[3].ptr);
    assert_null(groups[4].ptr);
    assert_null(groups[5].ptr);
    assert_true(regex_find(regex, text, 5, groups, 4));
    assert_true(str_equal(groups[0], STR("c@d.com")));
    assert_true(str_equal(groups[3], STR(".com")));
    assert_true(regex_find(regex, text, 5, groups, 1));
    assert_false(regex_find(regex, text, 13, groups, 4));
    assert_false(regex_find(regex, text, 99, groups, 4));
    regex_free(regex);
    // What lies before `from` still counts for ^ and \b.
    regex = compile("\\bb", false);
    assert_false(regex_find(regex, STR("ab"), 1, groups, 1));
    regex_free(regex);
    // A group that matched nothing is not a group that took no part.
    regex = compile("(x*)", false);
    assert_true(regex_find(regex, (Str){NULL, 0}, 0, groups, 2));
    assert_non_null(groups[1].ptr);
    assert_int_equal(groups[1].len, 0);
    regex_free(regex);
}

static void
test_replace(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text, *replacement, *out;
    } CASES[] = {
        {"is (\\d+)", "it is 5, is 6", "was \\1", "it was 5, was 6"},
        {"a", "banana", "", "bnn"},
        {"x*", "abc", "-", "-a-b-c-"},
        {"b*", "abc", "-", "-a-c-"},
        {"", "\xc3\xa9t", "-", "-\xc3\xa9-t-"},
        {"^", "ab", "> ", "> ab"},
        {"(a)(b)?", "ac", "[\\2\\1\\9]", "[a]c"},
        {"a", "a", "\\0\\0\\\\\\x\\", "aa\\\\x\\"},
        {"q", "none", "x", "none"},
        {"a", "", "x", ""},
        {"", "", "x", "x"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        Regex *regex = compile(CASES[i].pattern, false);
        Buffer out = {0};
        regex_replace_all(regex, str_from(CASES[i].text), str_from(CASES[i].replacement), &out);
        buffer_char(&out, 0);
        assert_string_equal(out.data, CASES[i].out);
        buffer_free(&out);
        regex_free(regex);
    }
}

static void
test_errors(void **state)
{
    (void)state;
    static const char *const BAD[] = {"(",      "[a", "a**",     "(?=x)", "(?<=x)y",
                                      "\\1(a)", "*",  "a{1001}", "(?<n",  "\xff"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        AzError error = {0};
        assert_null(regex_new(str_from(BAD[i]), false, &error));
        assert_int_equal(error.code, AZ_INVALID);
        assert_true(strlen(error.message) > 20);
    }
    assert_null(regex_new(STR("("), false, NULL));
    // Rewriting of named groups leaves escapes and classes alone.
    assert_true(matches("\\(?<n", false, STR("(<n")));
    assert_true(matches("^[(?<n>]+$", false, STR("(?<n>")));
    assert_true(matches("^[]]$", false, STR("]")));
    regex_free(NULL);
}

// Patterns that take exponential time in engines that go back.
static void
test_linear(void **state)
{
    (void)state;
    enum { LEN = 100000 };
    char *text = malloc(LEN);
    memset(text, 'a', LEN);
    assert_false(matches("(a+)+$b", false, (Str){text, LEN}));
    assert_false(matches("^(a|aa)+b$", false, (Str){text, LEN}));
    free(text);
}

static void
test_quote(void **state)
{
    (void)state;
    Buffer out = {0};
    Str text = STR("(so$me.Te^xt) [a]{1}|x*y+?\\#&-~ \xc3\xa9_0");
    regex_quote(text, &out);
    assert_true(str_starts(buffer_slice(&out), STR("\\(so\\$me\\.Te\\^xt\\)")));
    AzError error = {0};
    Regex *regex = regex_new(buffer_slice(&out), false, &error);
    assert_non_null(regex);
    Str whole;
    assert_true(regex_find(regex, text, 0, &whole, 1));
    assert_true(str_equal(whole, text));
    regex_free(regex);
    buffer_free(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches), cmocka_unit_test(test_groups),
        cmocka_unit_test(test_replace), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_linear),  cmocka_unit_test(test_quote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
