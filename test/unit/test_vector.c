// column/: the encodings show the same rows.

#include "column/batch.h"
#include "value/scalar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

// Ten values of every type with a null among them, from texts that the type reads.
static Vector *
sample(Arena *arena, Type type)
{
    static const char *const TEXTS[TYPE_LIMIT][2] = {
        [TYPE_BOOL] = {"true", "false"},
        [TYPE_INT] = {"7", "-3"},
        [TYPE_LONG] = {"9000000000", "-1"},
        [TYPE_REAL] = {"1.5", "nan"},
        [TYPE_DECIMAL] = {"1.25", "-7"},
        [TYPE_DATETIME] = {"2020-01-01", "2021-06-01T10:00:00Z"},
        [TYPE_TIMESPAN] = {"1.02:03:04", "-00:00:01"},
        [TYPE_STRING] = {"short", "a text that does not fit into the view"},
        [TYPE_GUID] = {"74be27de-1e4e-49d9-b579-fe0b331d3642",
                       "00000000-0000-0000-0000-000000000001"},
        [TYPE_DYNAMIC] = {"{\"a\":[1,2,3],\"long key\":\"value\"}", "[]"},
    };
    VectorBuilder builder;
    vector_builder_init(&builder, type);
    for (int i = 0; i < 10; i++) {
        Value value;
        value_parse(arena, type, str_from(TEXTS[type][i % 2]), &value);
        if (i == 4)
            vector_builder_null(&builder);
        else
            vector_builder_value(&builder, arena, &value);
    }
    Vector *flat = vector_builder_cut(&builder, arena, 0, 10);
    vector_builder_free(&builder);
    return flat;
}

static void
assert_same(const Vector *a, const Vector *b)
{
    assert_int_equal(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++)
        assert_true(vector_same(a, i, b, i));
}

static void
encodings_agree(void **state)
{
    (void)state;
    Arena arena = {0}, other = {0};
    for (Type type = TYPE_BOOL; type < TYPE_LIMIT; type++) {
        Vector *flat = sample(&arena, type);
        uint32_t codes[10] = {3, 3, 0, 4, 9, 4, 1, 2, 2, 0};
        Vector *dict = vector_new_dict(&arena, flat, codes, 10);
        assert_same(dict, vector_flatten(&arena, dict));
        assert_same(dict, vector_gather(&arena, flat, codes, 10));
        assert_same(dict, vector_copy(&other, dict));
        assert_same(vector_slice(&arena, dict, 3, 4),
                    vector_slice(&arena, vector_flatten(&arena, dict), 3, 4));
        Value value = vector_value(flat, 1);
        Vector *constant = vector_new_const(&arena, &value, 10);
        assert_same(constant, vector_flatten(&arena, constant));
        assert_true(vector_same(constant, 9, flat, 1));
        assert_int_equal(vector_is_null(flat, 4), type != TYPE_STRING);
        uint64_t a[10], b[10];
        vector_hash(dict, a, false);
        vector_hash(vector_flatten(&arena, dict), b, false);
        assert_memory_equal(a, b, sizeof(a));
    }
    arena_free(&arena);
    arena_free(&other);
}

static void
copies_outlive_their_source(void **state)
{
    (void)state;
    Arena source = {0}, kept = {0};
    Vector *texts = sample(&source, TYPE_STRING);
    Batch *batch = batch_new(&source, 1, 10);
    batch->columns[0] = texts;
    uint32_t selection[2] = {1, 3};
    batch->selection = selection;
    batch->selected = 2;
    Batch *copy = batch_copy(&kept, batch);
    arena_free(&source);
    assert_int_equal(copy->count, 2);
    assert_true(str_equal(text_str(vector_cell(copy->columns[0], 1)),
                          STR("a text that does not fit into the view")));
    arena_free(&kept);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodings_agree),
        cmocka_unit_test(copies_outlive_their_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
