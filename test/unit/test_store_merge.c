// Merging as it goes: who appends often leaves few segments, each row is rewritten a few times at
// most, and what cannot be merged is not tried again.

#include "../store_rows.h"
#include "store/store_internal.h"
#include "store/upkeep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static Column SLIM_COLUMNS[] = {{STR_INIT("row"), TYPE_LONG}, {STR_INIT("type"), TYPE_STRING}};
static const Schema SLIM_SCHEMA = {SLIM_COLUMNS, COUNT_OF(SLIM_COLUMNS)};

typedef struct Fixture {
    char *dir;
    Store *store;
    uint64_t rows;   // imported into Logs
    uint64_t merges; // that did something
    AzError error;
} Fixture;

static int
setup(void **state)
{
    Fixture *f = calloc(1, sizeof(*f));
    f->dir = temp_dir_new();
    f->store = store_open(f->dir, STORE_WRITE, &f->error);
    *state = f;
    return f->store ? 0 : -1;
}

static int
teardown(void **state)
{
    Fixture *f = *state;
    store_close(f->store);
    tree_remove(f->dir);
    free(f->dir);
    free(f);
    return 0;
}

static void
merge(Fixture *f)
{
    UpkeepReport report;
    bool done = store_merge(f->store, &report, &f->error);
    if (!done)
        print_error("%s\n", f->error.message);
    assert_true(done);
    assert_true(report.tables ? report.segments_after < report.segments_before
                              : report.segments_before == 0);
    f->merges += report.tables;
}

static void
import(Fixture *f, const Schema *schema, uint64_t count)
{
    assert_int_equal(rows_import(f->store, "Logs", TABLE_LOG, schema, f->rows, count, &f->error),
                     0);
    f->rows += count;
}

// Segments of a table in the newest state; all rows of Logs are there and right.
static uint32_t
segments(Fixture *f, const char *table)
{
    StoreView *view = store_view_open(f->store, 0, &f->error);
    assert_non_null(view);
    size_t count;
    uint32_t found = 0;
    const StoreTable *tables = store_view_tables(view, &count);
    for (size_t i = 0; i < count; i++)
        if (str_equal(tables[i].name, str_from(table)))
            found = tables[i].segments;
    if (strcmp(table, "Logs") == 0)
        assert_null(
            rows_check(store_view_source(view, STR("Logs"), &f->error), 0, f->rows, &f->error));
    store_view_close(view);
    return found;
}

// 10 rows stand on the level of 8 to 63: eight make 80, and eight of those 640.
static void
test_eight_become_one(void **state)
{
    Fixture *f = *state;
    for (unsigned i = 1; i <= 64; i++) {
        import(f, &SLIM_SCHEMA, 10);
        merge(f);
        if (i == 7 || i == 8 || i == 63 || i == 64)
            assert_int_equal(segments(f, "Logs"), i == 7 ? 7 : i == 8 ? 1 : i == 63 ? 14 : 8);
    }
    // A merge makes one more due at most, which the next one does.
    merge(f);
    assert_int_equal(segments(f, "Logs"), 1);
    assert_int_equal(f->merges, 8 + 1);
    assert_int_equal(files_in(f->dir, "segments", NULL, 0), 1);
    assert_int_equal(files_in(f->dir, "tmp", NULL, 0), 0);
}

// Of all columns and sizes; segments of one table never gather.
static void
test_any_sizes(void **state)
{
    Fixture *f = *state;
    for (uint64_t i = 0; i < 80; i++) {
        import(f, &ROW_SCHEMA, 1 + row_noise(i, 1) % (i % 9 ? 30 : 900));
        merge(f);
    }
    assert_true(segments(f, "Logs") <= 7 * 4 + 1);
    assert_true(f->merges >= 5 && f->merges < 20);
}

// Fewer than eight do when they fill a segment, and those that do are left alone.
static void
test_full_segments(void **state)
{
    Fixture *f = *state;
    for (unsigned i = 0; i < 4; i++) {
        import(f, &SLIM_SCHEMA, 40000);
        merge(f);
        assert_int_equal(f->merges, i == 3);
    }
    assert_int_equal(segments(f, "Logs"), 2); // 131,072 and what is left of 160,000
    for (unsigned i = 0; i < 9; i++)
        import(f, &SLIM_SCHEMA, SEGMENT_ROWS / 2);
    merge(f);
    assert_int_equal(f->merges, 1);
    assert_int_equal(segments(f, "Logs"), 11);
}

// Rows of a snapshot, and of another table, are another matter.
static void
test_what_is_left_alone(void **state)
{
    Fixture *f = *state;
    for (unsigned i = 0; i < 9; i++)
        assert_true(
            rows_import(f->store, "Resources", TABLE_INVENTORY, &SLIM_SCHEMA, 0, 5, &f->error) > 0);
    for (unsigned i = 0; i < 7; i++) {
        import(f, &SLIM_SCHEMA, 5);
        rows_import(f->store, "Others", TABLE_LOG, &SLIM_SCHEMA, 0, 5, &f->error);
    }
    merge(f);
    assert_int_equal(f->merges, 0);
    assert_int_equal(files_in(f->dir, "segments", NULL, 0), 9 + 7 + 7);
    import(f, &SLIM_SCHEMA, 5);
    merge(f);
    assert_int_equal(f->merges, 1);
    assert_int_equal(segments(f, "Logs"), 1);
    assert_int_equal(segments(f, "Others"), 7);
    assert_int_equal(segments(f, "Resources"), 1); // of the newest snapshot
}

// One row whose text fills more than half of a segment's bytes.
static void
import_large(Fixture *f, size_t size)
{
    static Column columns[] = {{STR_INIT("text"), TYPE_STRING}};
    static const Schema SCHEMA = {columns, 1};
    StoreImportInfo info = {STR(""), STR(""), STR(""), false};
    StoreWriter *writer = store_writer_new(f->store, &info, &f->error);
    TableWriter *table = store_writer_table(writer, STR("Large"), TABLE_LOG, &SCHEMA, &f->error);
    Arena arena = {0};
    Batch *batch = batch_new(&arena, 1, 1);
    char *text = arena_alloc(&arena, size);
    memset(text, ' ', size);
    Value value = value_string((Str){text, size});
    VectorBuilder builder;
    vector_builder_init(&builder, TYPE_STRING);
    vector_builder_value(&builder, &arena, &value);
    batch->columns[0] = vector_builder_cut(&builder, &arena, 0, 1);
    vector_builder_free(&builder);
    assert_true(table_writer_append(table, batch, &f->error));
    assert_true(store_commit(writer, NULL, &f->error));
    arena_free(&arena);
}

// What no merge can shrink is settled, what comes later is merged again.
static void
test_settled(void **state)
{
    Fixture *f = *state;
    for (unsigned i = 0; i < 8; i++)
        import_large(f, SEGMENT_PAYLOAD / 2 + 1);
    merge(f);
    assert_int_equal(f->merges, 0);
    assert_int_equal(segments(f, "Large"), 8);
    AzError error = {0};
    Arena arena = {0};
    CatalogState catalog;
    int64_t settled;
    assert_true(catalog_load(f->store->catalog, &arena, 0, &catalog, &error));
    assert_true(catalog_settled(f->store->catalog, catalog.tables[0].id, 0, &settled, &f->error));
    assert_int_equal(settled, catalog.segments[7].id);
    arena_free(&arena);
    for (unsigned i = 0; i < 8; i++)
        import_large(f, 100);
    merge(f);
    assert_int_equal(f->merges, 1);
    assert_int_equal(segments(f, "Large"), 9);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_eight_become_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_any_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_segments, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_settled, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
