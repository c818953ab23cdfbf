// Grouping: each short way to the groups of rows finds the groups that the plain table finds.

#include "base/array.h"
#include "exec/group_codes.h"
#include "value/scalar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint64_t seed = 1;

static uint32_t
noise(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % below);
}

// Value v of a key, of `distinct`: texts short and long that begin alike, numbers and null.
static Value
key_value(Arena *arena, Type type, uint32_t v)
{
    if (v == 0)
        return value_null(type);
    Value value = {.type = type};
    if (type == TYPE_LONG)
        value.int64 = (int64_t)v << (v % 40);
    else
        value.text = text_copy(
            arena, str_format(arena, v % 2 ? "%u" : "/subscriptions/of/the/tenant/%u", v));
    return value;
}

// Rows with values from [first, first + distinct): a dictionary with `spare` entries nobody uses,
// or flat.
static const Vector *
key_rows(Arena *arena, Type type, uint32_t first, uint32_t distinct, uint32_t count, bool flat)
{
    enum { SPARE = 3 };
    VectorBuilder builder;
    vector_builder_init(&builder, type);
    for (uint32_t v = 0; v < distinct + SPARE; v++) {
        Value value = key_value(arena, type, first + v);
        vector_builder_value(&builder, arena, &value);
    }
    const Vector *dict = vector_builder_cut(&builder, arena, 0, distinct + SPARE);
    vector_builder_free(&builder);
    uint32_t *codes = ARENA_ARRAY(arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++)
        codes[i] = noise(distinct);
    const Vector *rows = vector_new_dict(arena, dict, codes, count);
    return flat ? vector_flatten(arena, rows) : rows;
}

static const Vector *
constant_rows(Arena *arena, Type type, uint32_t v, uint32_t count)
{
    Value value = key_value(arena, type, v);
    return vector_new_const(arena, &value, count);
}

static void
add_all(GroupTable *table, Arena *arena, const Vector *const *keys, uint32_t count, uint32_t *out)
{
    uint64_t *rows, *hashes;
    key_encode(arena, table->layout, keys, count, &rows, &hashes);
    for (uint32_t i = 0; i < count; i++)
        out[i] = group_add(table, rows + (size_t)i * table->layout->words, hashes[i]);
}

// Whether the batch went by its codes; its groups are those of `plain`, which has met the same rows.
static bool
groups_agree(CodeGroups *codes, GroupTable *table, GroupTable *plain, Arena *arena,
             const Vector *const *keys, uint32_t count)
{
    uint32_t *expected = ARENA_ARRAY(arena, uint32_t, count);
    uint32_t *got = ARENA_ARRAY(arena, uint32_t, count);
    add_all(plain, arena, keys, count, expected);
    CodeMisses misses;
    bool found = code_groups_find(codes, arena, keys, count, got, &misses);
    if (!found) {
        add_all(table, arena, keys, count, got);
    } else {
        const Vector **missed = ARENA_ARRAY(arena, const Vector *, table->layout->count);
        for (uint32_t k = 0; k < table->layout->count; k++)
            missed[k] = vector_gather(arena, keys[k], misses.rows, misses.count);
        uint32_t *groups = ARENA_ARRAY(arena, uint32_t, misses.count);
        add_all(table, arena, missed, misses.count, groups);
        code_groups_learn(codes, &misses, groups, count, got);
    }
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(got[i], expected[i]);
    return found;
}

static void
test_codes_find_the_groups_of_values(void **state)
{
    (void)state;
    enum { ROWS = 500, BATCHES = 60, KEYS = 9 };
    for (uint32_t key_count = 1; key_count <= KEYS; key_count++) {
        Arena keep = {0};
        Type types[KEYS];
        for (uint32_t k = 0; k < key_count; k++)
            types[k] = k % 3 == 1 ? TYPE_LONG : TYPE_STRING;
        KeyLayout layout = key_layout(&keep, types, key_count);
        GroupTable table, plain;
        group_table_init(&table, &layout, &keep);
        group_table_init(&plain, &layout, &keep);
        CodeGroups *codes = code_groups_new(&keep, &layout);
        for (uint32_t b = 0; b < BATCHES; b++) {
            Arena arena = {0};
            const Vector *keys[KEYS];
            uint32_t count = b == 7 ? 0 : b == 8 ? 1 : ROWS;
            bool flat = b % 5 == 3;
            for (uint32_t k = 0; k < key_count; k++)
                // Dictionaries of other entries in other orders, batch by batch.
                keys[k] = k == b % 4 && b % 2 ? constant_rows(&arena, types[k], noise(4), count)
                                              : key_rows(&arena, types[k], noise(6), 1 + noise(6),
                                                         count, flat && k == key_count - 1);
            bool by_code = groups_agree(codes, &table, &plain, &arena, keys, count);
            // One key and more than eight go the plain way always, flat ones too.
            if (count == ROWS)
                assert_int_equal(by_code, key_count > 1 && key_count <= 8 &&
                                              keys[key_count - 1]->encoding != ENC_FLAT);
            arena_free(&arena);
        }
        arena_free(&keep);
    }
}

// Combinations that are new row after row are left to the plain table after a while; where they
// return the short way stays open.
static void
test_codes_stop_when_they_do_not_pay(void **state)
{
    (void)state;
    enum { ROWS = 2000, BATCHES = 50 };
    for (int fresh = 0; fresh < 2; fresh++) {
        Arena keep = {0};
        KeyLayout layout = key_layout(&keep, (const Type[]){TYPE_STRING, TYPE_STRING}, 2);
        GroupTable table, plain;
        group_table_init(&table, &layout, &keep);
        group_table_init(&plain, &layout, &keep);
        CodeGroups *codes = code_groups_new(&keep, &layout);
        bool last = false;
        for (uint32_t b = 0; b < BATCHES; b++) {
            Arena arena = {0};
            uint32_t first = 1 + (fresh ? b * 1000 : 0);
            const Vector *keys[] = {
                key_rows(&arena, TYPE_STRING, first, 1000, ROWS, false),
                key_rows(&arena, TYPE_STRING, 1, fresh ? 1000 : 10, ROWS, false)};
            last = groups_agree(codes, &table, &plain, &arena, keys, ROWS);
            arena_free(&arena);
        }
        assert_int_equal(last, !fresh);
        arena_free(&keep);
    }
}

// A dictionary far larger than the batch is not worth numbering.
static void
test_codes_leave_large_dictionaries(void **state)
{
    (void)state;
    Arena keep = {0};
    KeyLayout layout = key_layout(&keep, (const Type[]){TYPE_STRING, TYPE_LONG}, 2);
    GroupTable table, plain;
    group_table_init(&table, &layout, &keep);
    group_table_init(&plain, &layout, &keep);
    CodeGroups *codes = code_groups_new(&keep, &layout);
    const Vector *keys[] = {key_rows(&keep, TYPE_STRING, 0, 1000, 20, false),
                            key_rows(&keep, TYPE_LONG, 0, 5, 20, false)};
    assert_false(groups_agree(codes, &table, &plain, &keep, keys, 20));
    keys[0] = key_rows(&keep, TYPE_STRING, 0, 10, 20, false);
    assert_true(groups_agree(codes, &table, &plain, &keep, keys, 20));
    arena_free(&keep);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_find_the_groups_of_values),
        cmocka_unit_test(test_codes_stop_when_they_do_not_pay),
        cmocka_unit_test(test_codes_leave_large_dictionaries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
