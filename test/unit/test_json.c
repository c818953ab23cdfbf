// JSON in and out: what is accepted, what is refused and where, the walks.

#include "base/array.h"
#include "value/json.h"
#include "value/scalar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static JsonParser *parser;
static DynBuilder *builder;
static Buffer buffer;

static const char *
json_of(Dyn node)
{
    buffer_clear(&buffer);
    dyn_to_json(&buffer, node);
    buffer_char(&buffer, 0);
    return buffer.data;
}

// The text is copied to memory that ends where it ends, so that reading beyond
// is seen.
static bool
parse(Str text, Dyn *tree, const char **why, size_t *offset)
{
    char *copy = malloc(text.len ? text.len : 1);
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    dyn_builder_reset(builder);
    bool done = json_to_dynamic(parser, (Str){copy, text.len}, builder, why, offset);
    free(copy);
    if (done) {
        assert_true(dyn_finish(builder, tree, why));
        assert_true(dyn_check(tree->ptr, tree->size));
    }
    return done;
}

static const char *
round_trip(Str text)
{
    Dyn tree;
    const char *why;
    size_t offset;
    if (!parse(text, &tree, &why, &offset))
        return why;
    return json_of(tree);
}

static void
test_accepted(void **state)
{
    (void)state;
    static const struct {
        Str in;
        const char *out;
    } CASES[] = {
        {STR_INIT("null"), "null"},
        {STR_INIT(" true "), "true"},
        {STR_INIT("false\n"), "false"},
        {STR_INIT("\xef\xbb\xbf[1]"), "[1]"},
        {STR_INIT("-0"), "0"},
        {STR_INIT("-0.0"), "-0.0"},
        {STR_INIT("1.50"), "1.5"},
        {STR_INIT("1e2"), "100.0"},
        {STR_INIT("1E-2"), "0.01"},
        {STR_INIT("1e-999"), "0.0"},
        {STR_INIT("9223372036854775807"), "9223372036854775807"},
        {STR_INIT("-9223372036854775808"), "-9223372036854775808"},
        {STR_INIT("9223372036854775808"), "9223372036854775808"},
        {STR_INIT("18446744073709551616"), "18446744073709551616"},
        {STR_INIT("-1234567890123456789012345678901234"), "-1234567890123456789012345678901234"},
        {STR_INIT("12345678901234567890123456789012345"), "1.234567890123457E+34"},
        {STR_INIT("0.30000000000000004"), "0.30000000000000004"},
        {STR_INIT("9007199254740993.0"), "9.007199254740992E+15"},
        {STR_INIT("\"\""), "\"\""},
        {STR_INIT("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "\"a\\\"\\\\/\\b\\f\\n\\r\\t\""},
        {STR_INIT("\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\""),
         "\"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {STR_INIT("\"\\u0000\""), "\"\\u0000\""},
        {STR_INIT("\" blank \" "), "\" blank \""},
        {STR_INIT("[ ]"), "[]"},
        {STR_INIT("{ }"), "{}"},
        {STR_INIT("[1 , \"a\",null , {\"k\" : [ ] }]"), "[1,\"a\",null,{\"k\":[]}]"},
        {STR_INIT("{\"a\":1,\"b\":2,\"a\":3}"), "{\"a\":3,\"b\":2}"},
        {STR_INIT("{\"\\u0061\":1,\"a\":2}"), "{\"a\":2}"},
        {STR_INIT("{\"\":{\"\":{}}}"), "{\"\":{\"\":{}}}"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        assert_string_equal(round_trip(CASES[i].in), CASES[i].out);
}

static void
test_number_kinds(void **state)
{
    (void)state;
    Dyn tree;
    const char *why;
    size_t offset;
    assert_true(parse(STR("[1,1.0,9223372036854775808,1e2]"), &tree, &why, &offset));
    assert_int_equal(dyn_kind(dyn_at(tree, 0)), DYN_LONG);
    assert_int_equal(dyn_kind(dyn_at(tree, 1)), DYN_REAL);
    assert_int_equal(dyn_kind(dyn_at(tree, 2)), DYN_DECIMAL);
    assert_int_equal(dyn_kind(dyn_at(tree, 3)), DYN_REAL);
}

static void
test_refused(void **state)
{
    (void)state;
    static const struct {
        Str in;
        size_t offset;
    } CASES[] = {
        {STR_INIT(""), 0},
        {STR_INIT("   "), 0},
        {STR_INIT("\xef\xbb\xbf"), 3},
        {STR_INIT("invalid"), 0},
        {STR_INIT("{'a':1}"), 1},
        {STR_INIT("[1,]"), 3},
        {STR_INIT("[,1]"), 1},
        {STR_INIT("[1 2]"), 3},
        {STR_INIT("[1"), 2},
        {STR_INIT("["), 1},
        {STR_INIT("]"), 0},
        {STR_INIT("[1}"), 2},
        {STR_INIT("[1]]"), 3},
        {STR_INIT("1 1"), 2},
        {STR_INIT("{\"a\"}"), 4},
        {STR_INIT("{\"a\":}"), 5},
        {STR_INIT("{\"a\":1,}"), 7},
        {STR_INIT("{\"a\" 1}"), 5},
        {STR_INIT("{1:1}"), 1},
        {STR_INIT("{\"a\":1"), 6},
        {STR_INIT("{\"a\":1 \"b\":2}"), 7},
        {STR_INIT("01"), 0},
        {STR_INIT("-"), 0},
        {STR_INIT("+1"), 0},
        {STR_INIT("1."), 0},
        {STR_INIT(".5"), 0},
        {STR_INIT("1e"), 0},
        {STR_INIT("1x"), 0},
        {STR_INIT("1e400"), 0},
        {STR_INIT("-1e400"), 0},
        {STR_INIT("NaN"), 0},
        {STR_INIT("tru"), 0},
        {STR_INIT("truex"), 0},
        {STR_INIT("[nul]"), 1},
        {STR_INIT("nullnull"), 0},
        {STR_INIT("\"abc"), 4},
        {STR_INIT("\"abc\\\""), 6},
        {STR_INIT("\"a\"b"), 3},
        {STR_INIT("\"a\"\"b\""), 3},
        {STR_INIT("[\"a\"x]"), 4},
        {STR_INIT("\"\\x\""), 1},
        {STR_INIT("\"\\u12\""), 1},
        {STR_INIT("\"\\u12g4\""), 1},
        {STR_INIT("\"\\ud800\""), 1},
        {STR_INIT("\"ab\\udc00\""), 3},
        {STR_INIT("\"\\ud800\\u0041\""), 1},
        {STR_INIT("\"\\ud800\\ud800\""), 1},
        {STR_INIT("\"\\ud83d\\n\""), 1},
        {STR_INIT("\"a\nb\""), 0},
        {STR_INIT("\"a\0b\""), 0},
        {STR_INIT("\0"), 0},
        {STR_INIT("[1,\"\xff\"]"), 4},
        {STR_INIT("\"\xed\xa0\x80\""), 1},
        {STR_INIT("\"\xc0\x80\""), 1},
        {STR_INIT("\"\xf5\x80\x80\x80\""), 1},
        {STR_INIT("\"\xe2\x82\""), 1},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        Dyn tree;
        const char *why = NULL;
        size_t offset = 99;
        if (parse(CASES[i].in, &tree, &why, &offset))
            fail_msg("case %zu was taken: %.*s", i, STR_ARG(CASES[i].in));
        assert_non_null(why);
        if (offset != CASES[i].offset)
            fail_msg("case %zu (%.*s): '%s' at %zu, not at %zu", i, STR_ARG(CASES[i].in), why,
                     offset, CASES[i].offset);
    }
}

static Str
nested(Arena *arena, int levels, bool bags)
{
    char *text = arena_alloc(arena, (size_t)levels * 6 + 1), *p = text;
    for (int i = 0; i < levels; i++) {
        memcpy(p, bags ? "{\"a\":" : "[", bags ? 5 : 1);
        p += bags ? 5 : 1;
    }
    *p++ = '1';
    for (int i = 0; i < levels; i++)
        *p++ = bags ? '}' : ']';
    return (Str){text, (size_t)(p - text)};
}

static void
test_depth(void **state)
{
    (void)state;
    Arena arena = {0};
    Dyn tree;
    const char *why;
    size_t offset;
    for (int bags = 0; bags < 2; bags++) {
        assert_true(parse(nested(&arena, 400, bags), &tree, &why, &offset));
        assert_true(parse(nested(&arena, DYN_MAX_DEPTH, bags), &tree, &why, &offset));
        assert_false(parse(nested(&arena, DYN_MAX_DEPTH + 1, bags), &tree, &why, &offset));
        assert_non_null(strstr(why, "too deep"));
        assert_false(parse(nested(&arena, 600, bags), &tree, &why, &offset));
        assert_false(parse(nested(&arena, 1000000, bags), &tree, &why, &offset));
        assert_non_null(strstr(why, "too deep"));
    }
    arena_free(&arena);
}

static void
test_invalid_utf8_offset(void **state)
{
    (void)state;
    enum { LEN = 3000 };
    char text[LEN + 2];
    memset(text, 'x', sizeof(text));
    text[0] = text[LEN + 1] = '"';
    for (size_t at = 1; at <= LEN; at += 37) {
        Dyn tree;
        const char *why;
        size_t offset;
        text[at] = (char)0xff;
        assert_false(parse((Str){text, sizeof(text)}, &tree, &why, &offset));
        assert_int_equal(offset, at);
        text[at] = 'x';
    }
}

static void
test_lenient(void **state)
{
    (void)state;
    Arena arena = {0};
    static const struct {
        const char *in, *out;
    } CASES[] = {
        {"null", "null"},
        {"", "null"},
        {"{}", "{}"},
        {"[1, 2]", "[1,2]"},
        {" ", "\" \""},
        {"invalid", "\"invalid\""},
        {"12", "12"},
        {"{'a': 'b'}", "\"{'a': 'b'}\""},
        {"{\"a\":", "\"{\\\"a\\\":\""},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        Text text;
        bool is_null;
        json_parse_lenient(parser, builder, &arena, str_from(CASES[i].in), &text, &is_null);
        assert_string_equal(json_of(dyn_of_text(&text)), CASES[i].out);
        assert_int_equal(is_null, strcmp(CASES[i].out, "null") == 0);
        json_parse_text(&arena, str_from(CASES[i].in), &text, &is_null);
        assert_string_equal(json_of(dyn_of_text(&text)), CASES[i].out);
    }
    arena_free(&arena);
}

typedef struct Seen {
    Buffer text;
    int left; // members or elements until the visitor stops
} Seen;

static bool
see_member(void *context, const JsonMember *member)
{
    Seen *seen = context;
    if (seen->left-- == 0)
        return false;
    buffer_printf(&seen->text, "%.*s=", STR_ARG(member->key));
    switch (member->kind) {
    case DYN_NULL: buffer_text(&seen->text, "null"); break;
    case DYN_BOOL: buffer_text(&seen->text, member->boolean ? "true" : "false"); break;
    case DYN_LONG: long_print(&seen->text, member->long_); break;
    case DYN_REAL: real_print(&seen->text, member->real); break;
    case DYN_DECIMAL:
    case DYN_STRING: buffer_str(&seen->text, member->string); break;
    default:
        assert_true(dyn_check(member->tree.ptr, member->tree.size));
        dyn_to_json(&seen->text, member->tree);
    }
    buffer_printf(&seen->text, "(%.*s) ", STR_ARG(member->raw));
    return true;
}

static void
test_walk(void **state)
{
    (void)state;
    Seen seen = {.left = 100};
    const char *why;
    size_t offset;
    Str text = STR("{ \"a\\n\" : \"x\\ty\" ,\"b\":[1, 2 ] , \"c\" :null, \"d\":true,\"e\":-5 , "
                   "\"f\":1.5,\"g\":99999999999999999999,\"h\":{\"k\":\"v\"} } ");
    assert_true(json_walk_object(parser, builder, text, see_member, &seen, &why, &offset));
    buffer_char(&seen.text, 0);
    assert_string_equal(seen.text.data,
                        "a\n=x\ty(\"x\\ty\") b=[1,2]([1, 2 ]) c=null(null) d=true(true) e=-5(-5) "
                        "f=1.5(1.5) g=99999999999999999999(99999999999999999999) "
                        "h={\"k\":\"v\"}({\"k\":\"v\"}) ");
    seen.left = 2;
    assert_false(json_walk_object(parser, builder, text, see_member, &seen, &why, &offset));
    assert_null(why);
    seen.left = 100;
    assert_true(json_walk_object(parser, builder, STR("{}"), see_member, &seen, &why, &offset));
    static const Str BAD[] = {STR_INIT("[]"), STR_INIT("{\"a\":1"),   STR_INIT("{\"a\":1}x"),
                              STR_INIT("1"),  STR_INIT("{\"a\":[1}"), STR_INIT("")};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        assert_false(json_walk_object(parser, builder, BAD[i], see_member, &seen, &why, &offset));
        assert_non_null(why);
    }
    buffer_free(&seen.text);
}

static bool
see_element(void *context, Str raw)
{
    Seen *seen = context;
    if (seen->left-- == 0)
        return false;
    buffer_printf(&seen->text, "<%.*s>", STR_ARG(raw));
    return true;
}

static void
test_split(void **state)
{
    (void)state;
    static const struct {
        Str in;
        const char *out; // NULL: refused
        bool is_page;
    } CASES[] = {
        {STR_INIT("[]"), "", false},
        {STR_INIT(" [ {\"a\":[1]} , 2,\"x,]\" ] "), "<{\"a\":[1]}><2><\"x,]\">", false},
        {STR_INIT("{\"value\":[{\"value\":[]}, 1 ],\"nextLink\":\"u\"}"), "<{\"value\":[]}><1>",
         true},
        {STR_INIT("{\"count\":{\"value\":[3]},\"v\\u0061lue\":[4]}"), "<4>", true},
        {STR_INIT("{\"value\":5}"), NULL, true},
        {STR_INIT("{}"), NULL, true},
        {STR_INIT("5"), NULL, false},
        {STR_INIT("[1,]"), NULL, false},
        {STR_INIT("[1 2]"), NULL, false},
        {STR_INIT("[1]]"), NULL, false},
        {STR_INIT("[[1]"), NULL, false},
        {STR_INIT("{\"value\":[1]"), NULL, true},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        Seen seen = {.left = 100};
        bool is_page;
        const char *why;
        size_t offset;
        bool done =
            json_split_array(parser, CASES[i].in, see_element, &seen, &is_page, &why, &offset);
        assert_int_equal(done, CASES[i].out != NULL);
        assert_int_equal(is_page, CASES[i].is_page);
        buffer_char(&seen.text, 0);
        if (done)
            assert_string_equal(seen.text.data, CASES[i].out);
        else
            assert_non_null(why);
        buffer_free(&seen.text);
    }
    Seen seen = {.left = 1};
    bool is_page;
    const char *why;
    size_t offset;
    assert_false(
        json_split_array(parser, STR("[1,2]"), see_element, &seen, &is_page, &why, &offset));
    assert_null(why);
    buffer_free(&seen.text);
}

static void
test_write_string(void **state)
{
    (void)state;
    static const struct {
        Str in;
        bool html_safe;
        const char *out;
    } CASES[] = {
        {STR_INIT(""), false, "\"\""},
        {STR_INIT("a\"\\\x1f\n</script>"), false, "\"a\\\"\\\\\\u001f\\n</script>\""},
        {STR_INIT("</a>&\xe2\x80\xa8\xe2\x80\xa9\xe2\x82\xac\xe2"), true,
         "\"\\u003c/a\\u003e\\u0026\\u2028\\u2029\xe2\x82\xac\xe2\""},
        {STR_INIT("\0"), false, "\"\\u0000\""},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        buffer_clear(&buffer);
        json_write_string(&buffer, CASES[i].in, CASES[i].html_safe);
        buffer_char(&buffer, 0);
        assert_string_equal(buffer.data, CASES[i].out);
    }
}

// A text of many megabytes, then small ones again with the same parser.
static void
test_large(void **state)
{
    (void)state;
    enum { COUNT = 400000 };
    Buffer text = {0};
    buffer_char(&text, '[');
    for (int i = 0; i < COUNT; i++)
        buffer_printf(&text, "%s{\"id\":%d,\"name\":\"resource %d\"}", i ? "," : "", i, i);
    buffer_char(&text, ']');
    Dyn tree;
    const char *why;
    size_t offset;
    assert_true(parse(buffer_slice(&text), &tree, &why, &offset));
    assert_int_equal(dyn_count(tree), COUNT);
    Dyn last = dyn_at(tree, -1);
    assert_int_equal(dyn_long(dyn_get(last, STR("id"))), COUNT - 1);
    Buffer again = {0};
    dyn_to_json(&again, tree);
    assert_true(str_equal(buffer_slice(&text), buffer_slice(&again)));
    buffer_free(&again);
    buffer_free(&text);
    assert_string_equal(round_trip(STR("[1]")), "[1]");
}

static int
set_up(void **state)
{
    (void)state;
    parser = json_parser_new();
    builder = dyn_builder_new();
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    json_parser_free(parser);
    dyn_builder_free(builder);
    buffer_free(&buffer);
    return 0;
}

// Texts of one kind after another, as a column has them: what follows a template is the
// tree that a parser makes that has seen no other text.
static const char *const TEMPLATE_VALUES[] = {"0",
                                              "-1",
                                              "127",
                                              "128",
                                              "-129",
                                              "32768",
                                              "2147483648",
                                              "-9223372036",
                                              "999999999999999999",
                                              "1234567890123456789",
                                              "9999999999999999999",
                                              "-9223372036854775808",
                                              "07",
                                              "-0",
                                              "1.5",
                                              "1e3",
                                              "true",
                                              "false",
                                              "null",
                                              "tru",
                                              "\"\"",
                                              "\"x\"",
                                              "\"a longer text, of more than sixteen bytes\"",
                                              "\"a\\nb\"",
                                              "\"\\u00e4\"",
                                              "\"\xc3\xa4\"",
                                              "\"2026-06-30T00:00:00Z\"",
                                              "\"tab\there\"",
                                              "{}",
                                              "[1]",
                                              "{\"a\":1}",
                                              " 1",
                                              "1 ",
                                              "\"open",
                                              "",
                                              "-",
                                              "\"203.0.113.7\"",
                                              "\"6f3c1a52-1b1f-4a55-9b0e-2d0c7e1f0a11\""};
static const char *const TEMPLATE_KEYS[] = {"z", "a", "modelName",      "ab",
                                            "A", "",  "key with space", "a\\n"};

static uint32_t
noise(uint32_t limit)
{
    static uint64_t state = 7;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % limit;
}

static void
test_templates(void **state)
{
    (void)state;
    JsonParser *column = json_parser_new();
    Arena arena = {0};
    char long_value[400];
    memset(long_value, 'v', sizeof(long_value));
    long_value[0] = long_value[sizeof(long_value) - 2] = '"';
    long_value[sizeof(long_value) - 1] = 0;
    for (uint32_t kind = 0; kind < 300; kind++) {
        uint32_t keys[6], count = 1 + noise(6), odd = noise(4);
        for (uint32_t k = 0; k < count; k++)
            keys[k] = noise(COUNT_OF(TEMPLATE_KEYS));
        for (uint32_t row = 0; row < 40; row++) {
            Str text = STR("");
            for (uint32_t k = 0; k < count; k++) {
                const char *value = TEMPLATE_VALUES[noise(odd ? 9 : COUNT_OF(TEMPLATE_VALUES))];
                if (odd == 2 && !noise(8))
                    value = long_value;
                text = str_format(&arena, "%.*s%c\"%s\":%s", STR_ARG(text), k ? ',' : '{',
                                  TEMPLATE_KEYS[keys[k]], value);
            }
            text = str_format(&arena, "%.*s%s", STR_ARG(text),
                              noise(20)  ? "}"
                              : noise(2) ? ""
                                         : "}}");
            JsonParser *fresh = json_parser_new();
            Text got, wanted;
            bool got_null, wanted_null;
            json_parse_lenient(column, builder, &arena, text, &got, &got_null);
            json_parse_lenient(fresh, builder, &arena, text, &wanted, &wanted_null);
            json_parser_free(fresh);
            if (got_null != wanted_null || !str_equal(text_str(&got), text_str(&wanted)))
                fail_msg("another tree of %.*s", STR_ARG(text));
        }
        arena_reset(&arena);
    }
    arena_free(&arena);
    json_parser_free(column);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_number_kinds),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_invalid_utf8_offset),
        cmocka_unit_test(test_lenient),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_write_string),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_templates),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
