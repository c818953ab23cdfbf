// Dynamic trees: building, reading in place, order, equality, hostile bytes.

#include "base/array.h"
#include "value/dynamic.h"
#include "value/dynamic_search.h"
#include "value/scalar.h"
#include "value/unicode.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

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

static const char *
text_of(Dyn node)
{
    buffer_clear(&buffer);
    dyn_to_text(&buffer, node);
    buffer_char(&buffer, 0);
    return buffer.data;
}

static Dyn
finish(void)
{
    Dyn tree;
    const char *why;
    if (!dyn_finish(builder, &tree, &why))
        fail_msg("%s", why);
    assert_true(dyn_check(tree.ptr, tree.size));
    return tree;
}

// A copy that outlives the builder's next tree, at an odd address.
static Dyn
keep(Arena *arena, Dyn tree)
{
    uint8_t *bytes = arena_alloc(arena, tree.size + 1);
    memcpy(bytes + 1, tree.ptr, tree.size);
    dyn_builder_reset(builder);
    return (Dyn){bytes + 1, tree.size};
}

static Dyn
keep_value(Arena *arena, Value value)
{
    dyn_builder_reset(builder);
    dyn_push_value(builder, &value);
    return keep(arena, finish());
}

static Value
decimal_value(const char *text)
{
    Value value = {.type = TYPE_DECIMAL};
    assert_true(decimal_parse(str_from(text), &value.decimal));
    return value;
}

static void
test_bag(void **state)
{
    (void)state;
    dyn_builder_reset(builder);
    dyn_begin_bag(builder);
    dyn_key(builder, STR("zebra"));
    dyn_push_long(builder, 1);
    dyn_key(builder, STR("Apple"));
    dyn_begin_array(builder);
    dyn_push_null(builder);
    dyn_push_bool(builder, true);
    dyn_push_real(builder, 1);
    dyn_push_string(builder, STR("x\"y"));
    dyn_begin_bag(builder);
    dyn_end_bag(builder);
    dyn_begin_array(builder);
    dyn_end_array(builder);
    dyn_end_array(builder);
    dyn_key(builder, STR(""));
    dyn_push_datetime(builder, TICKS_UNIX_EPOCH);
    dyn_end_bag(builder);
    Dyn bag = finish();
    assert_string_equal(json_of(bag), "{\"zebra\":1,\"Apple\":[null,true,1.0,\"x\\\"y\",{},[]],"
                                      "\"\":\"1970-01-01T00:00:00.0000000Z\"}");
    assert_int_equal(dyn_count(bag), 3);
    assert_int_equal(dyn_long(dyn_get(bag, STR("zebra"))), 1);
    assert_null(dyn_get(bag, STR("ZEBRA")).ptr);
    assert_int_equal(dyn_long(dyn_get_ci(bag, STR("ZEBRA"))), 1);
    assert_int_equal(dyn_kind(dyn_get(bag, STR(""))), DYN_DATETIME);
    assert_null(dyn_get(bag, STR("zebr")).ptr);
    assert_null(dyn_get_ci(bag, STR("none")).ptr);
    assert_true(str_equal(dyn_key_at(bag, 1), STR("Apple")));
    assert_int_equal(dyn_long(dyn_at(bag, 0)), 1);
    Dyn array = dyn_get(bag, STR("Apple"));
    assert_string_equal(dyn_type_name(array), "array");
    assert_string_equal(dyn_type_name(bag), "dictionary");
    assert_int_equal(dyn_count(array), 6);
    assert_int_equal(dyn_kind(dyn_at(array, -1)), DYN_ARRAY);
    assert_true(str_equal(dyn_string(dyn_at(array, -3)), STR("x\"y")));
    assert_null(dyn_at(array, 6).ptr);
    assert_null(dyn_at(array, -7).ptr);
    assert_null(dyn_at(array, INT64_MIN).ptr);
    assert_null(dyn_get(array, STR("x")).ptr);
    assert_int_equal(dyn_count((Dyn){0}), 0);
    assert_int_equal(dyn_kind((Dyn){0}), DYN_NULL);
}

static void
test_repeated_keys(void **state)
{
    (void)state;
    dyn_builder_reset(builder);
    dyn_begin_bag(builder);
    for (int round = 0; round < 3; round++) {
        dyn_key(builder, STR("b"));
        dyn_push_long(builder, round);
        dyn_key(builder, STR("a"));
        dyn_begin_array(builder);
        dyn_push_long(builder, 1000000 * round);
        dyn_end_array(builder);
        if (round == 1) {
            dyn_key(builder, STR("c"));
            dyn_push_string(builder, STR("once"));
        }
    }
    dyn_end_bag(builder);
    Dyn bag = finish();
    assert_string_equal(json_of(bag), "{\"b\":2,\"a\":[2000000],\"c\":\"once\"}");
    assert_int_equal(dyn_long(dyn_get(bag, STR("b"))), 2);
}

// Bags of every size around the widths of words and the kinds of sorting.
static void
test_sizes(void **state)
{
    (void)state;
    static const uint32_t COUNTS[] = {1, 2, 23, 24, 25, 26, 85, 86, 255, 256, 257, 5000, 70000};
    for (size_t k = 0; k < sizeof(COUNTS) / sizeof(COUNTS[0]); k++) {
        uint32_t count = COUNTS[k];
        dyn_builder_reset(builder);
        dyn_begin_bag(builder);
        for (uint32_t i = 0; i < count; i++) {
            char key[32];
            uint32_t mixed = i * 2654435761u; // distinct, in no order
            int len =
                snprintf(key, sizeof(key), "%s%u", i % 2 ? "a key with a prefix " : "", mixed);
            dyn_key(builder, (Str){key, (size_t)len});
            dyn_push_long(builder, mixed);
        }
        dyn_end_bag(builder);
        Dyn bag = finish();
        assert_int_equal(dyn_count(bag), count);
        for (uint32_t i = 0; i < count; i++) {
            Str key = dyn_key_at(bag, i);
            if (dyn_long(dyn_get(bag, key)) != i * 2654435761u)
                fail_msg("member %u of %u", i, count);
        }
    }
}

static void
test_text(void **state)
{
    (void)state;
    Arena arena = {0};
    Value guid = {.type = TYPE_GUID};
    assert_true(guid_parse(STR("0123456789abcdef0123456789abcdef"), &guid.guid));
    const struct {
        Value value;
        const char *json, *text;
    } CASES[] = {
        {value_null(TYPE_LONG), "null", ""},
        {value_string(STR("")), "\"\"", ""},
        {value_string(STR("a\nb\x01")), "\"a\\nb\\u0001\"", "a\nb\x01"},
        {value_real((double)NAN), "\"NaN\"", "NaN"},
        {value_real(-(double)INFINITY), "\"-Infinity\"", "-Infinity"},
        {value_real(1e20), "1E+20", "1E+20"},
        {value_long(INT64_MIN), "-9223372036854775808", "-9223372036854775808"},
        {value_long(-129), "-129", "-129"},
        {value_long(32768), "32768", "32768"},
        {value_timespan(TICKS_PER_DAY), "\"1.00:00:00\"", "1.00:00:00"},
        {decimal_value("1.50"), "1.50", "1.50"},
        {guid, "\"01234567-89ab-cdef-0123-456789abcdef\"", "01234567-89ab-cdef-0123-456789abcdef"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        Dyn node = keep_value(&arena, CASES[i].value);
        assert_string_equal(json_of(node), CASES[i].json);
        assert_string_equal(text_of(node), CASES[i].text);
        Value back = dyn_value(node);
        assert_int_equal(back.is_null, CASES[i].value.is_null);
        if (!back.is_null)
            assert_int_equal(value_compare(&back, &CASES[i].value), 0);
        Text direct = dyn_text_of_value(&arena, &CASES[i].value);
        assert_true(dyn_equal(dyn_of_text(&direct), node));
    }
    arena_free(&arena);
}

static void
test_numbers_order(void **state)
{
    (void)state;
    Arena arena = {0};
    // Each less than the next, over all kinds.
    const Value VALUES[] = {
        value_null(TYPE_LONG),
        value_bool(false),
        value_bool(true),
        value_real((double)NAN),
        value_real(-(double)INFINITY),
        value_long(INT64_MIN),
        value_real(-1.5),
        value_long(-1),
        value_long(0),
        decimal_value("0.1"),
        value_real(0.1), // a little more than the decimal
        value_real(0.5),
        value_long(1),
        decimal_value("1.00000000000000000001"),
        value_long(INT64_C(9007199254740992)),
        value_long(INT64_C(9007199254740993)), // between two doubles
        value_real(9007199254740994.0),
        value_long(INT64_MAX),
        value_real(9223372036854775808.0),
        decimal_value("9223372036854775809"),
        value_real((double)INFINITY),
        value_datetime(0),
        value_datetime(1),
        value_timespan(-1),
        value_string(STR("")),
        value_string(STR("a")),
        value_string(STR("a\0b")),
        value_string(STR("ab")),
    };
    enum { COUNT = sizeof(VALUES) / sizeof(VALUES[0]) };
    Dyn nodes[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        nodes[i] = keep_value(&arena, VALUES[i]);
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < COUNT; k++) {
            int order = dyn_compare(nodes[i], nodes[k]);
            if ((order > 0) - (order < 0) != (i > k) - (i < k))
                fail_msg("values %zu and %zu", i, k);
            assert_int_equal(dyn_equal(nodes[i], nodes[k]), i == k);
        }
    }
    const Value SAME[][2] = {
        {value_long(1), value_real(1)},
        {value_long(1), decimal_value("1.000")},
        {value_real(0.5), decimal_value("0.50")},
        {value_real(-0.0), value_long(0)},
        {value_real(1e22), decimal_value("1e22")},
    };
    for (size_t i = 0; i < sizeof(SAME) / sizeof(SAME[0]); i++) {
        Dyn a = keep_value(&arena, SAME[i][0]), b = keep_value(&arena, SAME[i][1]);
        assert_true(dyn_equal(a, b));
        assert_true(dyn_hash(a) == dyn_hash(b));
    }
    arena_free(&arena);
}

static Dyn
small_bag(Arena *arena, Str first, Str second, bool swap)
{
    dyn_builder_reset(builder);
    dyn_begin_bag(builder);
    for (int i = 0; i < 2; i++) {
        bool is_second = (i == 1) != swap;
        dyn_key(builder, is_second ? second : first);
        if (is_second)
            dyn_push_real(builder, 2);
        else
            dyn_push_long(builder, 1);
    }
    dyn_end_bag(builder);
    return keep(arena, finish());
}

static void
test_bag_equality(void **state)
{
    (void)state;
    Arena arena = {0};
    Dyn a = small_bag(&arena, STR("x"), STR("y"), false);
    Dyn b = small_bag(&arena, STR("x"), STR("y"), true);
    Dyn c = small_bag(&arena, STR("x"), STR("z"), false);
    assert_string_equal(json_of(b), "{\"y\":2.0,\"x\":1}");
    assert_true(dyn_equal(a, b));
    assert_true(dyn_hash(a) == dyn_hash(b));
    assert_false(dyn_equal(a, c));
    assert_true(dyn_compare(a, c) < 0);
    arena_free(&arena);
}

static void
test_subtrees(void **state)
{
    (void)state;
    Arena arena = {0};
    Dyn bag = small_bag(&arena, STR("key"), STR("other"), false);
    dyn_begin_array(builder);
    dyn_push_tree(builder, bag);
    dyn_push_tree(builder, dyn_get(bag, STR("key")));
    dyn_push_tree(builder, (Dyn){0});
    dyn_push_tree(builder, dyn_null());
    dyn_end_array(builder);
    assert_string_equal(json_of(finish()), "[{\"key\":1,\"other\":2.0},1,null,null]");
    Text text;
    bool is_null;
    assert_true(dyn_finish_text(builder, &arena, &text, &is_null));
    assert_false(is_null);
    assert_string_equal(json_of(dyn_of_text(&text)), "[{\"key\":1,\"other\":2.0},1,null,null]");
    dyn_builder_reset(builder);
    dyn_push_null(builder);
    assert_true(dyn_finish_text(builder, &arena, &text, &is_null));
    assert_true(is_null);
    arena_free(&arena);
}

static void
push_nested(int levels)
{
    for (int i = 0; i < levels; i++) {
        if (i % 2) {
            dyn_begin_bag(builder);
            dyn_key(builder, STR("k"));
        } else {
            dyn_begin_array(builder);
        }
    }
    dyn_push_long(builder, 7);
    for (int i = levels - 1; i >= 0; i--) {
        if (i % 2)
            dyn_end_bag(builder);
        else
            dyn_end_array(builder);
    }
}

static void
test_depth(void **state)
{
    (void)state;
    Arena arena = {0};
    const char *why;
    Dyn tree;
    dyn_builder_reset(builder);
    push_nested(DYN_MAX_DEPTH);
    tree = keep(&arena, finish());
    assert_true(dyn_equal(tree, tree));
    assert_true(dyn_hash(tree) == dyn_hash(tree));
    assert_int_equal(dyn_compare(tree, tree), 0);
    push_nested(DYN_MAX_DEPTH + 1);
    assert_false(dyn_finish(builder, &tree, &why));
    assert_non_null(why);
    // A subtree counts with what is around it.
    dyn_builder_reset(builder);
    push_nested(DYN_MAX_DEPTH - 1);
    Dyn inner = keep(&arena, finish());
    dyn_begin_array(builder);
    dyn_push_tree(builder, inner);
    dyn_end_array(builder);
    Dyn fits = keep(&arena, finish());
    dyn_begin_array(builder);
    dyn_push_tree(builder, fits);
    dyn_end_array(builder);
    assert_false(dyn_finish(builder, &tree, &why));
    // After an error the builder takes everything and stays failed until reset.
    dyn_push_long(builder, 1);
    assert_false(dyn_finish(builder, &tree, &why));
    dyn_builder_reset(builder);
    dyn_push_long(builder, 1);
    assert_int_equal(dyn_long(finish()), 1);
    arena_free(&arena);
}

// Every prefix and every single-byte change of a tree: refused, or safe to use.
static void
test_hostile_bytes(void **state)
{
    (void)state;
    Arena arena = {0};
    dyn_builder_reset(builder);
    dyn_begin_bag(builder);
    dyn_key(builder, STR("list"));
    push_nested(6);
    dyn_key(builder, STR("text"));
    dyn_push_string(builder, STR("some text"));
    dyn_key(builder, STR("bag"));
    dyn_push_tree(builder, dyn_null());
    dyn_key(builder, STR("number"));
    dyn_push_long(builder, 70000);
    dyn_end_bag(builder);
    Dyn tree = keep(&arena, finish());
    assert_false(dyn_check(NULL, 0));
    assert_false(dyn_check(tree.ptr, 0));
    for (uint32_t size = 1; size < tree.size; size++)
        assert_false(dyn_check(tree.ptr, size));
    uint8_t *copy = malloc(tree.size);
    for (uint32_t at = 0; at < tree.size; at++) {
        for (unsigned change = 1; change < 256; change++) {
            memcpy(copy, tree.ptr, tree.size);
            copy[at] ^= (uint8_t)change;
            if (dyn_check(copy, tree.size)) {
                Dyn changed = {copy, tree.size};
                json_of(changed);
                dyn_hash(changed);
                dyn_compare(changed, tree);
                dyn_get(changed, STR("text"));
            }
        }
    }
    free(copy);
    static const uint8_t BAD[][4] = {
        {DYN_BAG + 1, 0},         // no such kind
        {DYN_NULL, 0},            // bytes behind a null
        {DYN_BOOL | 0x20},        // a bool of 2
        {DYN_ARRAY | 0x30, 0, 0}, // no such width
        {DYN_ARRAY, 1},           // no table
        {DYN_ARRAY, 1, 1},        // no element
        {DYN_ARRAY, 0, 0},        // bytes behind an empty array
        {DYN_LONG, 0, 0, 0},      // a long of three bytes
    };
    static const size_t SIZES[] = {2, 2, 1, 3, 2, 3, 3, 4};
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++)
        assert_false(dyn_check(BAD[i], SIZES[i]));
    arena_free(&arena);
}

static void
test_convert(void **state)
{
    (void)state;
    Arena arena = {0};
    Dyn text = keep_value(&arena, value_string(STR(" 42 ")));
    Value value = dyn_convert(&arena, text, TYPE_LONG);
    assert_int_equal(value.int64, 42);
    assert_true(dyn_convert(&arena, text, TYPE_DATETIME).is_null);
    Dyn real = keep_value(&arena, value_real(2.9));
    assert_int_equal(dyn_convert(&arena, real, TYPE_INT).int32, 2);
    value = dyn_convert(&arena, real, TYPE_STRING);
    assert_true(str_equal(text_str(&value.text), STR("2.9")));
    Dyn bag = small_bag(&arena, STR("x"), STR("y"), false);
    assert_true(dyn_convert(&arena, bag, TYPE_LONG).is_null);
    value = dyn_convert(&arena, bag, TYPE_STRING);
    assert_true(str_equal(text_str(&value.text), STR("{\"x\":1,\"y\":2.0}")));
    value = dyn_convert(&arena, bag, TYPE_DYNAMIC);
    assert_true(dyn_equal(dyn_of_text(&value.text), bag));
    assert_true(dyn_convert(&arena, (Dyn){0}, TYPE_DYNAMIC).is_null);
    assert_false(dyn_convert(&arena, (Dyn){0}, TYPE_STRING).is_null);
    arena_free(&arena);
}

static uint32_t
noise(uint32_t limit)
{
    static uint64_t state = 42;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % limit;
}

static Str
random_text(Arena *arena)
{
    static const char *const PIECES[] = {"ignore",
                                         "Instructions",
                                         "\n",
                                         "\t",
                                         "\"",
                                         "\\",
                                         "\x1f",
                                         "true",
                                         "cafe",
                                         "K",
                                         "\xe2\x84\xaa",
                                         "\xc5\xbf",
                                         "S",
                                         "001fab",
                                         "nfo",
                                         "u001f0",
                                         ":",
                                         ",",
                                         "e=",
                                         " ",
                                         "/",
                                         "2026-06-30",
                                         "\x01",
                                         "bit",
                                         "\x7f",
                                         "\xc3\xa4"};
    Str text = STR("");
    for (uint32_t n = noise(4); n; n--)
        text = str_format(arena, "%.*s%s", STR_ARG(text), PIECES[noise(COUNT_OF(PIECES))]);
    return text;
}

static void
push_random(Arena *arena, int depth)
{
    switch (noise(depth ? 11 : 8)) {
    case 0: dyn_push_null(builder); break;
    case 1: dyn_push_bool(builder, noise(2)); break;
    case 2: dyn_push_long(builder, (int64_t)noise(1000000) - 500000); break;
    case 3: dyn_push_real(builder, noise(4) ? noise(1000) / 7.0e12 : -INFINITY); break;
    case 4: dyn_push_datetime(builder, (int64_t)noise(1u << 30) << 29); break;
    case 5: {
        Guid guid;
        for (size_t i = 0; i < sizeof(guid.bytes); i++)
            guid.bytes[i] = (uint8_t)noise(256);
        dyn_push_guid(builder, guid);
        break;
    }
    case 8:
        dyn_begin_array(builder);
        for (uint32_t n = noise(4); n; n--)
            push_random(arena, depth - 1);
        dyn_end_array(builder);
        break;
    case 9:
    case 10:
        dyn_begin_bag(builder);
        for (uint32_t n = noise(4); n; n--) {
            Str key = random_text(arena);
            dyn_key(builder, key);
            push_random(arena, depth - 1);
        }
        dyn_end_bag(builder);
        break;
    default: dyn_push_string(builder, random_text(arena));
    }
}

// Whatever is cut out of the text of a tree is found in its bytes, in any case of letters.
static void
test_search(void **state)
{
    (void)state;
    uint32_t probed = 0, ruled_out = 0, guids = 0;
    for (uint32_t round = 0; round < 20000; round++) {
        Arena arena = {0};
        push_random(&arena, 3);
        Dyn tree = keep(&arena, finish());
        Str text = str_copy(&arena, str_from(text_of(tree)));
        for (uint32_t cut = 0; cut < 8 && text.len; cut++) {
            uint32_t from = noise((uint32_t)text.len);
            Str needle = str_slice(text, from, from + noise(noise(2) ? 24 : 60));
            Buffer other = {0};
            (noise(2) ? unicode_upper : unicode_lower)(&other, needle);
            Str folded =
                unicode_contains_ci(text, buffer_slice(&other)) ? buffer_slice(&other) : needle;
            DynProbe probe = dyn_search_probe(folded);
            probed += probe.text.len > 0;
            guids += probe.is_guid;
            if (probe.text.len && !dyn_may_print(tree, &probe))
                fail_msg("'%.*s' is in %.*s, its probe '%.*s' not in the tree", STR_ARG(folded),
                         STR_ARG(text), STR_ARG(probe.text));
            buffer_free(&other);
        }
        ruled_out += !dyn_may_print(tree, &(DynProbe){.text = STR("instructions")});
        arena_free(&arena);
    }
    // The test would say nothing if there were no probes, or all of them said "maybe".
    assert_in_range(probed, 2000, 160000);
    assert_in_range(ruled_out, 1000, 19999);
    assert_true(guids > 100);
    // So may "f8", "ac".
    assert_true(str_equal(dyn_search_probe(STR("accountkey=")).text, STR("countkey=")));
    assert_true(str_equal(dyn_search_probe(STR("\": \"jailbreak")).text, STR("jailbreak")));
    static const char *const NOTHING[] = {
        "", "x", "true", "fals", "2026-06", "deadbeef", "4496-4df1-9382", "{\"a\":", "nan"};
    for (size_t i = 0; i < COUNT_OF(NOTHING); i++)
        assert_int_equal(dyn_search_probe(str_from(NOTHING[i])).text.len, 0);
    assert_true(str_equal(dyn_search_probe(STR("f8098C33-4496-4df1-9382-a3726c2aa78f")).text,
                          STR("098C33-4496-4df1-9382-a3726c2aa78f")));
}

static int
set_up(void **state)
{
    (void)state;
    builder = dyn_builder_new();
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    dyn_builder_free(builder);
    buffer_free(&buffer);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bag),           cmocka_unit_test(test_repeated_keys),
        cmocka_unit_test(test_sizes),         cmocka_unit_test(test_text),
        cmocka_unit_test(test_numbers_order), cmocka_unit_test(test_bag_equality),
        cmocka_unit_test(test_subtrees),      cmocka_unit_test(test_depth),
        cmocka_unit_test(test_hostile_bytes), cmocka_unit_test(test_convert),
        cmocka_unit_test(test_search),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
