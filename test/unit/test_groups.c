// Grouping: each short way to the groups of rows finds the groups that the plain table finds.

#include "../store_rows.h"
#include "answers.h"
#include "base/array.h"
#include "db/db.h"
#include "exec/group_codes.h"
#include "function/registry.h"
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
    // So few rows that combinations which are new all the time do not end it.
    enum { ROWS = 500, BATCHES = 32, KEYS = 9 };
    for (uint32_t key_count = 1; key_count <= KEYS; key_count++) {
        Arena keep = {0};
        Type types[KEYS];
        for (uint32_t k = 0; k < key_count; k++)
            types[k] = k % 3 == 1 ? TYPE_LONG : TYPE_STRING;
        KeyLayout layout = key_layout(&keep, types, key_count);
        GroupTable table, plain;
        group_table_init(&table, &layout, 0, &keep);
        group_table_init(&plain, &layout, 0, &keep);
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
            // One key and more than eight go the plain way always, and so do flat texts.
            bool some_dict = false, flat_text = false;
            for (uint32_t k = 0; k < key_count; k++) {
                some_dict = some_dict || keys[k]->encoding == ENC_DICT;
                flat_text = flat_text || (keys[k]->encoding == ENC_FLAT && types[k] == TYPE_STRING);
            }
            if (count == ROWS)
                assert_int_equal(by_code,
                                 key_count > 1 && key_count <= 8 && some_dict && !flat_text);
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
        group_table_init(&table, &layout, 0, &keep);
        group_table_init(&plain, &layout, 0, &keep);
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
    group_table_init(&table, &layout, 0, &keep);
    group_table_init(&plain, &layout, 0, &keep);
    CodeGroups *codes = code_groups_new(&keep, &layout);
    const Vector *keys[] = {key_rows(&keep, TYPE_STRING, 0, 1000, 20, false),
                            key_rows(&keep, TYPE_LONG, 0, 5, 20, false)};
    assert_false(groups_agree(codes, &table, &plain, &keep, keys, 20));
    keys[0] = key_rows(&keep, TYPE_STRING, 0, 10, 20, false);
    assert_true(groups_agree(codes, &table, &plain, &keep, keys, 20));
    arena_free(&keep);
}

// ---- answers over a store ----

enum { STORED_ROWS = 30000 };

static void
must_be_alike(Database *one, const char *query, Database *other, const char *twin)
{
    Buffer got = answer_text(one, query), expected = answer_text(other, twin);
    assert_true(expected.len > 0);
    if (!str_equal(buffer_slice(&got), buffer_slice(&expected)))
        fail_msg("%s\ngives\n%.500s\nnot\n%.500s", query, got.data, expected.data);
    buffer_free(&got);
    buffer_free(&expected);
}

// A new store with the table T: its folder, which is the caller's to remove, and its path.
static char *
store_of_rows(char path[4200])
{
    char *dir = temp_dir_new();
    snprintf(path, 4200, "%s/store", dir);
    AzError error = {0};
    Store *store = store_open(path, STORE_WRITE, &error);
    assert_non_null(store);
    assert_true(rows_import(store, "T", TABLE_LOG, &ROW_SCHEMA, 0, STORED_ROWS, &error) >= 0);
    store_close(store);
    return dir;
}

static Database *
open_with_threads(const char *path, size_t threads)
{
    AzError error = {0};
    DatabaseOptions options = {.store = path, .threads = threads};
    Database *db = db_open(&options, &error);
    assert_non_null(db);
    return db;
}

static const struct {
    const char *query, *twin;
} TWINS[] = {
    {"T | top-nested 3 of type by s = sum(row), top-nested 2 of id by u = max(row)",
     "let best = T | summarize s = sum(row) by type | top 3 by s;"
     "T | join kind=inner best on type | summarize s = take_any(s), u = max(row) by type, id "
     "| sort by s desc, u desc | extend n = row_number(1, prev(type) != type) | where n <= 2 "
     "| project type, s, id, u"},
    {"T | where isnotnull(flag) | top-nested of flag by n = count(), top-nested 4 of owner by d = "
     "dcount(row) + max(row), "
     "top-nested 1 of same by m = min(row)",
     "T | summarize d = dcount(row) + max(row), m = min(row) by flag, owner, same "
     "| join kind=inner (T | summarize n = count() by flag) on flag | sort by n desc, d desc "
     "| extend k = row_number(1, prev(flag) != flag) | where k <= 4 "
     "| project flag, n, owner, d, same, m"},
    {"T | top-nested 2 of type with others = 'rest' by s = sum(row) | project s",
     "let all = T | summarize s = sum(row) by type | sort by s desc | extend n = row_number();"
     "all | where n <= 2 | project s | union (all | where n > 2 | summarize s = sum(s))"},
};

static const struct {
    const char *query, *twin;
} ROW_TWINS[] = {
    // Long and short texts take each other's place.
    {"T | summarize arg_max(row, id, note, type, tree) by few",
     "T | summarize row = max(row) by few "
     "| join kind=inner (T | project row, id, note, type, tree) on row "
     "| project few, row, id, note, type, tree"},
    {"T | summarize arg_min(row, note, id, key) by type, flag",
     "T | summarize row = min(row) by type, flag "
     "| join kind=inner (T | project row, note, id, key) on row "
     "| project type, flag, row, note, id, key"},
};

static void
test_rows_that_win(void **state)
{
    (void)state;
    char path[4200], *dir = store_of_rows(path);
    for (size_t threads = 1; threads <= 4; threads += 3) {
        Database *db = open_with_threads(path, threads);
        for (size_t q = 0; q < COUNT_OF(ROW_TWINS); q++)
            must_be_alike(db, ROW_TWINS[q].query, db, ROW_TWINS[q].twin);
        db_close(db);
    }
    tree_remove(dir);
    free(dir);
}

// ---- percentiles ----

static int
int64_order(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// The values of rows [from, from + count), of so many different ones, each as often as its weight: row % 3 + 1.
static void
add_values(const AggregateCall *call, Arena *arena, void *state, uint32_t from, uint32_t count,
           uint32_t different, bool weighted, int64_t *all, size_t *len)
{
    int64_t *values = ARENA_ARRAY(arena, int64_t, count),
            *weights = ARENA_ARRAY(arena, int64_t, count);
    void **states = ARENA_ARRAY(arena, void *, count);
    for (uint32_t i = 0; i < count; i++) {
        values[i] = (from + i) * 7919 % different;
        weights[i] = (from + i) % 3 + 1;
        states[i] = state;
        for (int64_t w = 0; w < (weighted ? weights[i] : 1); w++)
            all[(*len)++] = values[i];
    }
    ArgView args[3] = {{TYPE_LONG, values, NULL, ~(size_t)0},
                       {TYPE_LONG, weights, NULL, ~(size_t)0}};
    const AggregateImpl *impl = call->fn->impl;
    impl->update(&(AggregateUpdate){
        .call = call, .args = args, .count = count, .states = states, .arena = arena});
}

// Two workers of which each, one or none has met so many equal values that it counts them.
static void
percentile_of_two(const FunctionDef *fn, bool weighted, uint32_t first, uint32_t second,
                  uint32_t different)
{
    Arena arena = {0};
    AzError error = {0};
    Value percent = value_long(37);
    Expr *args[3] = {expr_column(&arena, 0, TYPE_LONG, (Span){0})};
    args[1] = weighted ? expr_column(&arena, 1, TYPE_LONG, (Span){0})
                       : expr_const(&arena, &percent, (Span){0});
    args[2] = weighted ? expr_const(&arena, &percent, (Span){0}) : NULL;
    AggregateCall call = {.fn = fn, .args = args, .arg_count = weighted ? 3 : 2};
    const AggregateImpl *impl = fn->impl;
    assert_true(impl->bind(&arena, &call, &error));
    void *one = arena_zalloc(&arena, impl->state_size),
         *other = arena_zalloc(&arena, impl->state_size);
    int64_t *all = ARENA_ARRAY(&arena, int64_t, 3 * ((size_t)first + second) + 1);
    size_t len = 0;
    add_values(&call, &arena, one, 0, first, different, weighted, all, &len);
    add_values(&call, &arena, other, first, second, different, weighted, all, &len);
    impl->merge(&call, one, other, &arena);
    Vector *out = vector_new_flat(&arena, TYPE_LONG, 1);
    Scratch scratch;
    scratch_init(&scratch);
    impl->finish(&call, one, &out, 0, &arena, &scratch);
    scratch_free(&scratch);
    qsort(all, len, sizeof(*all), int64_order);
    size_t rank = (len * 37 + 99) / 100;
    assert_int_equal(((int64_t *)out->data)[0], all[rank ? rank - 1 : 0]);
    arena_free(&arena);
}

static void
test_percentiles_of_uneven_workers(void **state)
{
    (void)state;
    static const uint32_t COUNTS[] = {1, 20, 2047, 2049, 9000, 40000};
    static const uint32_t DIFFERENT[] = {1, 7, 500, 1900, 1000000};
    Registry *registry = registry_new();
    for (int weighted = 0; weighted < 2; weighted++) {
        size_t found;
        const FunctionDef *const *fns =
            registry_find(registry, weighted ? STR("percentilew") : STR("percentile"), &found);
        assert_int_equal(found, 1);
        for (size_t a = 0; a < COUNT_OF(COUNTS); a++)
            for (size_t b = 0; b < COUNT_OF(COUNTS); b++)
                for (size_t d = 0; d < COUNT_OF(DIFFERENT); d++)
                    percentile_of_two(fns[0], weighted, COUNTS[a], COUNTS[b], DIFFERENT[d]);
    }
    registry_free(registry);
}

// Sets small and large, exact and estimated: what a set holds does not show how it came in.
static const struct {
    const char *query, *twin;
} DISTINCT_TWINS[] = {
    {"T | summarize n = count_distinct(row), m = count_distinct(id) by type",
     "T | distinct type, row | summarize n = count() by type "
     "| join kind=inner (T | distinct type, id | summarize m = count() by type) on type "
     "| project type, n, m"},
    {"T | summarize count_distinct(row), count_distinct(note), count_distinct(wide)",
     "print toscalar(T | distinct row | count), toscalar(T | distinct note | count), "
     "toscalar(T | where isnotnull(wide) | distinct wide | count)"},
    {"T | summarize d = dcount(row) by flag", "T | summarize d = dcount_hll(hll(row)) by flag"},
    {"T | summarize dcount(row), dcount(row, 0), dcount(row, 4), dcount(key)",
     "T | summarize a = hll(row), b = hll(row, 0), c = hll(row, 4), d = hll(key) by few, type "
     "| summarize a = hll_merge(a), b = hll_merge(b), c = hll_merge(c), d = hll_merge(d) "
     "| project dcount_hll(a), dcount_hll(b), dcount_hll(c), dcount_hll(d)"},
    // Each value many times over: no set becomes larger for it.
    {"T | extend v = row % 3000 | summarize dcount(v), count_distinct(v)", "print 3000, 3000"},
    {"T | summarize dcountif(row, row < 3900), dcount(same) by on",
     "T | summarize a = countif(row < 3900), b = 1 by on"},
};

static void
test_distinct_counts(void **state)
{
    (void)state;
    char path[4200], *dir = store_of_rows(path);
    for (size_t threads = 1; threads <= 4; threads += 3) {
        Database *db = open_with_threads(path, threads);
        for (size_t q = 0; q < COUNT_OF(DISTINCT_TWINS); q++)
            must_be_alike(db, DISTINCT_TWINS[q].query, db, DISTINCT_TWINS[q].twin);
        db_close(db);
    }
    tree_remove(dir);
    free(dir);
}

static void
test_top_nested_is_made_of_summaries(void **state)
{
    (void)state;
    char path[4200], *dir = store_of_rows(path);
    for (size_t threads = 1; threads <= 4; threads += 3) {
        Database *db = open_with_threads(path, threads);
        for (size_t q = 0; q < COUNT_OF(TWINS); q++)
            must_be_alike(db, TWINS[q].query, db, TWINS[q].twin);
        db_close(db);
    }
    tree_remove(dir);
    free(dir);
}

static const char *const QUERIES[] = {
    "T | summarize count(), sum(row), take_any(id), max(note) by type, same",
    "T | summarize n = count(), min(row) by type, flag, on, owner",
    "T | summarize count_distinct(row), dcount(id), dcount(row, 0), count_distinct(note) by type",
    "T | summarize dcount(id), dcount(owner, 4), count_distinct(price), dcount(ratio)",
    "T | summarize dcountif(id, row % 3 == 0), hll(few), count() by flag",
    "T | summarize n = count(), s = sum(wide), m = max(Timestamp) by id",
    "T | summarize n = count() by key, price, ratio",
    "T | summarize arg_max(note, row, id), arg_min(id, note, tree), take_any(tree) by flag",
    "T | summarize count(), min(row) by type, bin(Timestamp, 1d), flag",
    "T | summarize count() by few, type, bin(row, 1000), on",
    "T | distinct type, owner, few",
    "T | top-nested 3 of type with others = 'o' by sum(row), "
    "top-nested 2 of owner with others = guid(null) by dcount(id), "
    "top-nested 1 of flag with others = false by take_any(id)",
    "T | top-nested 2 of flag with others = true by percentile(row, 40), top-nested 3 of type with "
    "others = 'o' by tostring(make_list(row, 5)), top-nested 2 of few by tostring(make_set(on))",
    "T | where row < 0 | top-nested 3 of type with others = 'o' by sum(row), top-nested of id by "
    "count() | count",
};

// Neither the number of threads nor the size of batches shows in an answer.
static void
test_threads_and_batches_do_not_show(void **state)
{
    (void)state;
    char path[4200], *dir = store_of_rows(path);
    Database *one = open_with_threads(path, 1), *four = open_with_threads(path, 4);
    for (size_t q = 0; q < COUNT_OF(QUERIES); q++) {
        must_be_alike(four, QUERIES[q], one, QUERIES[q]);
        Buffer whole = answer_text(one, QUERIES[q]);
        batch_rows = 100;
        Buffer parts = answer_text(four, QUERIES[q]);
        batch_rows = BATCH_ROWS_MAX;
        if (!str_equal(buffer_slice(&whole), buffer_slice(&parts)))
            fail_msg("%s: batches of 100 rows give\n%.500s\nnot\n%.500s", QUERIES[q], parts.data,
                     whole.data);
        buffer_free(&whole);
        buffer_free(&parts);
    }
    db_close(one);
    db_close(four);
    tree_remove(dir);
    free(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_find_the_groups_of_values),
        cmocka_unit_test(test_codes_stop_when_they_do_not_pay),
        cmocka_unit_test(test_codes_leave_large_dictionaries),
        cmocka_unit_test(test_top_nested_is_made_of_summaries),
        cmocka_unit_test(test_rows_that_win),
        cmocka_unit_test(test_percentiles_of_uneven_workers),
        cmocka_unit_test(test_distinct_counts),
        cmocka_unit_test(test_threads_and_batches_do_not_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
