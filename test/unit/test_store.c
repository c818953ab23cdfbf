// The store as its users see it: what is written comes back, each commit is one
// state, views keep theirs, predicates skip only what cannot match.

#include "../store_rows.h"
#include "store/block_cache.h"
#include "store/catalog_pages.h"
#include "store/store_internal.h"

#include <pthread.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

typedef struct Fixture {
    char *dir;  // temporary
    char *path; // of the store, inside
    AzError error;
} Fixture;

static int
setup(void **state)
{
    Fixture *f = calloc(1, sizeof(*f));
    f->dir = temp_dir_new();
    f->path = malloc(strlen(f->dir) + 16);
    sprintf(f->path, "%s/store", f->dir);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;
    tree_remove(f->dir);
    free(f->dir);
    free(f->path);
    free(f);
    return 0;
}

static void *
must(Fixture *f, void *result)
{
    if (!result)
        print_error("%s\n", f->error.message);
    assert_non_null(result);
    return result;
}

static void
must_hold(Fixture *f, Store *store, int64_t snapshot, const char *table, uint64_t from,
          uint64_t count)
{
    StoreView *view = must(f, store_view_open(store, snapshot, &f->error));
    TableSource *source = must(f, store_view_source(view, str_from(table), &f->error));
    const char *wrong = rows_check(source, from, count, &f->error);
    if (wrong)
        print_error("%s %llu: %s\n", table, (unsigned long long)count, wrong);
    assert_null(wrong);
    store_view_close(view);
}

static int64_t
must_import(Fixture *f, Store *store, const char *table, TableKind kind, const Schema *schema,
            uint64_t from, uint64_t count)
{
    int64_t snapshot = rows_import(store, table, kind, schema, from, count, &f->error);
    if (snapshot < 0)
        print_error("%s\n", f->error.message);
    assert_true(snapshot >= 0);
    return snapshot;
}

static void
count_problem(void *context, const char *line)
{
    print_error("%s\n", line);
    ++*(int *)context;
}

static void
test_round_trip(void **state)
{
    Fixture *f = *state;
    static const uint64_t COUNTS[] = {0, 1, 7, 4096, 16385, 100000};
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    for (size_t i = 0; i < COUNT_OF(COUNTS); i++) {
        char name[32];
        snprintf(name, sizeof(name), "Log%llu", (unsigned long long)COUNTS[i]);
        assert_int_equal(0, must_import(f, store, name, TABLE_LOG, &ROW_SCHEMA, 5, COUNTS[i]));
        must_hold(f, store, 0, name, 5, COUNTS[i]);
        snprintf(name, sizeof(name), "Inventory%llu", (unsigned long long)COUNTS[i]);
        int64_t id = must_import(f, store, name, TABLE_INVENTORY, &ROW_SCHEMA, 5, COUNTS[i]);
        assert_int_equal(id, i + 1);
        must_hold(f, store, id, name, 5, COUNTS[i]);
    }
    store_close(store);
    store = must(f, store_open(f->path, STORE_READ, &f->error));
    must_hold(f, store, 0, "log100000", 5, 100000); // any case, and from the disk
    must_hold(f, store, 6, "INVENTORY100000", 5, 100000);
    must_hold(f, store, 5, "Inventory16385", 5, 16385);
    must_hold(f, store, 5, "Inventory100000", 5, 0);
    int problems = 0;
    assert_int_equal(0, store_check(store, count_problem, &problems, &f->error));
    store_close(store);
}

static void
test_segments_are_cut(void **state)
{
    Fixture *f = *state;
    static Column columns[] = {{STR_INIT("row"), TYPE_LONG},
                               {STR_INIT("Timestamp"), TYPE_DATETIME}};
    Schema schema = {columns, 2};
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    must_import(f, store, "Big", TABLE_LOG, &schema, 0, 2 * SEGMENT_ROWS + 3);
    StoreView *view = must(f, store_view_open(store, 0, &f->error));
    size_t count;
    const StoreTable *tables = store_view_tables(view, &count);
    assert_int_equal(count, 1);
    assert_int_equal(tables[0].segments, 3);
    assert_int_equal(tables[0].rows, 2 * SEGMENT_ROWS + 3);
    TableSource *source = must(f, store_view_source(view, STR("Big"), &f->error));
    assert_int_equal(source->morsel_count, 2 * SEGMENT_ROWS / GROUP_ROWS + 1);
    assert_int_equal(source->time_column, 1);
    store_view_close(view);
    must_hold(f, store, 0, "Big", 0, 2 * SEGMENT_ROWS + 3);
    store_close(store);
}

// Dictionary and constant batches with a selection come in as flat ones do.
static void
test_append_encodings(void **state)
{
    Fixture *f = *state;
    static Column columns[] = {{STR_INIT("row"), TYPE_LONG},
                               {STR_INIT("same"), TYPE_STRING},
                               {STR_INIT("id"), TYPE_STRING},
                               {STR_INIT("few"), TYPE_LONG}};
    Schema schema = {columns, 4};
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    StoreImportInfo info = {STR("x"), STR(""), STR(""), false};
    StoreWriter *writer = must(f, store_writer_new(store, &info, &f->error));
    TableWriter *table =
        must(f, store_writer_table(writer, STR("T"), TABLE_LOG, &schema, &f->error));
    Arena arena = {0};
    // Rows 0..99 in reverse through a dictionary; of those every other one lives.
    Batch *flat = rows_batch(&arena, &schema, 0, 100);
    Batch *batch = batch_new(&arena, 4, 100);
    uint32_t codes[100], selection[50];
    for (uint32_t i = 0; i < 100; i++)
        codes[i] = 99 - i;
    for (uint32_t i = 0; i < 50; i++)
        selection[i] = 2 * i + 1; // rows 98 - 2i
    for (uint32_t c = 0; c < 4; c++)
        batch->columns[c] = vector_new_dict(&arena, flat->columns[c], codes, 100);
    Value same = row_value(&arena, 0, 15);
    batch->columns[1] = vector_new_const(&arena, &same, 100);
    batch->selection = selection;
    batch->selected = 50;
    assert_true(table_writer_append(table, batch, &f->error));
    for (uint32_t i = 0; i < 50; i++)
        selection[i] = 2 * i; // rows 99 - 2i
    assert_true(table_writer_append(table, batch, &f->error));
    assert_true(store_commit(writer, NULL, &f->error));
    arena_free(&arena);
    must_hold(f, store, 0, "T", 0, 100);
    store_close(store);
}

static void
test_snapshots(void **state)
{
    Fixture *f = *state;
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    StoreView *empty = must(f, store_view_open(store, 0, &f->error));
    assert_int_equal(0, store_view_snapshot(empty));
    assert_null(store_view_source(empty, STR("Resources"), &f->error));
    assert_int_equal(f->error.code, AZ_OK);
    assert_int_equal(1, must_import(f, store, "Resources", TABLE_INVENTORY, &ROW_SCHEMA, 0, 10));
    StoreView *first = must(f, store_view_open(store, 0, &f->error));
    assert_int_equal(2, must_import(f, store, "resources", TABLE_INVENTORY, &ROW_SCHEMA, 3, 20));
    must_import(f, store, "Logs", TABLE_LOG, &ROW_SCHEMA, 0, 4);
    must_import(f, store, "Logs", TABLE_LOG, &ROW_SCHEMA, 4, 4);

    must_hold(f, store, 1, "Resources", 0, 10);
    must_hold(f, store, 2, "Resources", 3, 20);
    must_hold(f, store, 0, "Resources", 3, 20);
    must_hold(f, store, 1, "Logs", 0, 8);
    assert_int_equal(1, store_view_snapshot(first)); // held across commits
    TableSource *source = must(f, store_view_source(first, STR("RESOURCES"), &f->error));
    assert_null(rows_check(source, 0, 10, &f->error));
    assert_null(store_view_source(first, STR("Logs"), &f->error));
    store_view_close(first);
    store_view_close(empty);

    assert_null(store_view_open(store, 3, &f->error));
    assert_int_equal(f->error.code, AZ_NOT_FOUND);
    error_clear(&f->error);
    Arena arena = {0};
    SnapshotInfo *infos;
    size_t count;
    assert_true(store_snapshots(store, &arena, &infos, &count, &f->error));
    assert_int_equal(count, 2);
    assert_int_equal(infos[1].id, 2);
    assert_int_equal(infos[1].rows, 20);
    assert_true(str_equal(infos[0].source, STR("test")));
    assert_int_equal(infos[0].content_hash.len, 32);
    assert_false(str_equal(infos[0].content_hash, infos[1].content_hash));
    // The same rows have the same hash.
    assert_int_equal(3, must_import(f, store, "Resources", TABLE_INVENTORY, &ROW_SCHEMA, 0, 10));
    assert_true(store_snapshots(store, &arena, &infos, &count, &f->error));
    assert_true(str_equal(infos[0].content_hash, infos[2].content_hash));
    arena_free(&arena);
    store_close(store);
}

// Without a new snapshot inventory rows join the newest; derived tables do.
static void
test_rows_join_newest_snapshot(void **state)
{
    Fixture *f = *state;
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    StoreImportInfo info = {STR("derived"), STR(""), STR(""), false};
    StoreWriter *writer = must(f, store_writer_new(store, &info, &f->error));
    TableWriter *table = must(
        f, store_writer_table(writer, STR("Findings"), TABLE_INVENTORY, &ROW_SCHEMA, &f->error));
    assert_true(rows_append(table, &ROW_SCHEMA, 0, 5, &f->error));
    assert_false(store_commit(writer, NULL, &f->error)); // there is none yet
    assert_int_equal(f->error.code, AZ_INVALID);
    error_clear(&f->error);
    assert_int_equal(0, files_in(f->path, "segments", NULL, 0));

    must_import(f, store, "Resources", TABLE_INVENTORY, &ROW_SCHEMA, 0, 3);
    writer = must(f, store_writer_new(store, &info, &f->error));
    table = must(
        f, store_writer_table(writer, STR("Findings"), TABLE_INVENTORY, &ROW_SCHEMA, &f->error));
    assert_true(rows_append(table, &ROW_SCHEMA, 0, 5, &f->error));
    int64_t snapshot = -1;
    assert_true(store_commit(writer, &snapshot, &f->error));
    assert_int_equal(0, snapshot);
    must_hold(f, store, 1, "Findings", 0, 5);
    must_hold(f, store, 1, "Resources", 0, 3);
    Arena arena = {0};
    SnapshotInfo *infos;
    size_t count;
    assert_true(store_snapshots(store, &arena, &infos, &count, &f->error));
    assert_int_equal(infos[0].rows, 8);
    arena_free(&arena);
    store_close(store);
}

static void
test_schema_grows(void **state)
{
    Fixture *f = *state;
    Schema narrow = {ROW_COLUMNS, 4};
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    must_import(f, store, "T", TABLE_LOG, &narrow, 0, 10);
    must_import(f, store, "T", TABLE_LOG, &ROW_SCHEMA, 10, 10);
    // Fewer columns, in another order.
    static Column some[] = {{STR_INIT("note"), TYPE_STRING}, {STR_INIT("row"), TYPE_LONG}};
    Schema other = {some, 2};
    must_import(f, store, "T", TABLE_LOG, &other, 20, 10);

    StoreView *view = must(f, store_view_open(store, 0, &f->error));
    TableSource *source = must(f, store_view_source(view, STR("T"), &f->error));
    assert_int_equal(source->schema.count, ROW_COLUMN_COUNT);
    assert_int_equal(source->morsel_count, 3);
    Arena arena = {0};
    for (uint32_t m = 0; m < 3; m++) {
        const Vector *row = source->read(source, m, 0, 0, 10, &arena, &f->error);
        for (uint32_t c = 0; c < ROW_COLUMN_COUNT; c++) {
            const Vector *v = source->read(source, m, c, 0, 10, &arena, &f->error);
            assert_non_null(v);
            bool has = m == 1 || (m == 0 && c < 4) || c == 0 || (m == 2 && c == 17);
            for (uint32_t i = 0; i < 10; i++) {
                Value wanted = has ? row_value(&arena, (uint64_t)vector_value(row, i).int64, c)
                                   : value_null(ROW_COLUMNS[c].type);
                assert_true(cell_equals(v, i, &wanted));
            }
        }
        source->release(source, m);
    }
    arena_free(&arena);
    store_view_close(view);

    static Column wrong[] = {{STR_INIT("row"), TYPE_STRING}};
    static Column twice[] = {{STR_INIT("a"), TYPE_LONG}, {STR_INIT("a"), TYPE_LONG}};
    StoreImportInfo info = {0};
    StoreWriter *writer = must(f, store_writer_new(store, &info, &f->error));
    assert_null(store_writer_table(writer, STR("T"), TABLE_LOG, &(Schema){wrong, 1}, &f->error));
    assert_non_null(strstr(f->error.message, "'row'"));
    error_clear(&f->error);
    assert_null(store_writer_table(writer, STR("U"), TABLE_LOG, &(Schema){twice, 2}, &f->error));
    error_clear(&f->error);
    assert_null(store_writer_table(writer, STR("T"), TABLE_INVENTORY, &narrow, &f->error));
    assert_non_null(strstr(f->error.message, "a log"));
    error_clear(&f->error);
    Schema schema;
    TableKind kind;
    assert_true(store_writer_schema(writer, STR("t"), &arena, &schema, &kind, &f->error));
    assert_int_equal(schema.count, ROW_COLUMN_COUNT);
    assert_int_equal(kind, TABLE_LOG);
    assert_true(store_writer_schema(writer, STR("new"), &arena, &schema, &kind, &f->error));
    assert_int_equal(schema.count, 0);
    arena_free(&arena);
    store_abort(writer);
    store_close(store);
}

static void
test_abort_leaves_nothing(void **state)
{
    Fixture *f = *state;
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    StoreImportInfo info = {STR(""), STR(""), STR(""), true};
    StoreWriter *writer = must(f, store_writer_new(store, &info, &f->error));
    assert_null(store_writer_new(store, &info, &f->error));
    assert_int_equal(f->error.code, AZ_INVALID);
    error_clear(&f->error);
    static Column columns[] = {{STR_INIT("row"), TYPE_LONG}};
    Schema schema = {columns, 1};
    TableWriter *table =
        must(f, store_writer_table(writer, STR("T"), TABLE_LOG, &schema, &f->error));
    assert_true(rows_append(table, &schema, 0, SEGMENT_ROWS + 1, &f->error));
    assert_int_equal(1, files_in(f->path, "tmp", NULL, 0));
    store_abort(writer);
    assert_int_equal(0, files_in(f->path, "tmp", NULL, 0));
    StoreView *view = must(f, store_view_open(store, 0, &f->error));
    size_t count;
    store_view_tables(view, &count);
    assert_int_equal(count, 0);
    store_view_close(view);
    store_close(store);
}

static bool
may(TableSource *source, uint32_t morsel, const char *column, ScanOp op, Value value)
{
    ScanPredicate predicate = {
        .column = (uint32_t)schema_find(&source->schema, str_from(column)),
        .op = op,
        .values = &value,
        .value_count = 1,
    };
    return source->may_match(source, morsel, &predicate, 1);
}

// Whether a row with that value lies in the morsel, by reading it.
static bool
does(Fixture *f, TableSource *source, uint32_t morsel, const char *column, ScanOp op, Value value)
{
    Arena arena = {0};
    uint32_t c = (uint32_t)schema_find(&source->schema, str_from(column));
    uint32_t rows = source->morsel_rows(source, morsel);
    const Vector *v = must(f, (void *)source->read(source, morsel, c, 0, rows, &arena, &f->error));
    bool found = false;
    for (uint32_t i = 0; i < rows && !found; i++) {
        Value cell = vector_value(v, i);
        if (cell.is_null)
            continue;
        int order = value_compare(&cell, &value);
        found = op == SCAN_EQ   ? order == 0
                : op == SCAN_LT ? order < 0
                : op == SCAN_LE ? order <= 0
                : op == SCAN_GT ? order > 0
                : op == SCAN_GE ? order >= 0
                                : str_equal_ci(text_str(&cell.text), text_str(&value.text));
    }
    source->release(source, morsel);
    arena_free(&arena);
    return found;
}

static void
test_skipping(void **state)
{
    Fixture *f = *state;
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    must_import(f, store, "Resources", TABLE_INVENTORY, &ROW_SCHEMA, 0, 70000);
    must_import(f, store, "Logs", TABLE_LOG, &ROW_SCHEMA, 0, 70000);
    StoreView *view = must(f, store_view_open(store, 0, &f->error));
    TableSource *inventory = must(f, store_view_source(view, STR("Resources"), &f->error));
    TableSource *log = must(f, store_view_source(view, STR("Logs"), &f->error));
    assert_int_equal(inventory->morsel_count, 5);
    Arena arena = {0};
    uint32_t skipped = 0;
    static const ScanOp OPS[] = {SCAN_EQ, SCAN_LT, SCAN_LE, SCAN_GT, SCAN_GE, SCAN_EQ_CI};
    static const char *const COLUMNS[] = {"type",      "id",   "few",   "wide", "ratio",
                                          "Timestamp", "took", "owner", "same", "price"};
    for (uint32_t m = 0; m < 5; m++) {
        for (size_t c = 0; c < COUNT_OF(COLUMNS); c++) {
            uint32_t column = (uint32_t)schema_find(&ROW_SCHEMA, str_from(COLUMNS[c]));
            for (uint64_t n = 0; n < 70000; n += 5999) {
                Value value = row_value(&arena, n, column);
                if (value.is_null)
                    continue;
                for (size_t op = 0; op < COUNT_OF(OPS); op++) {
                    if (OPS[op] == SCAN_EQ_CI && value.type != TYPE_STRING)
                        continue;
                    TableSource *sources[] = {inventory, log};
                    for (size_t s = 0; s < 2; s++) {
                        bool maybe = may(sources[s], m, COLUMNS[c], OPS[op], value);
                        skipped += !maybe;
                        if (!maybe) // "no" is certain
                            assert_false(does(f, sources[s], m, COLUMNS[c], OPS[op], value));
                    }
                }
            }
        }
    }
    assert_true(skipped > 100);

    // A type in any case is in some of the five row groups, an unknown one in none.
    uint32_t with = 0, without = 0;
    for (uint32_t m = 0; m < 5; m++) {
        with += may(inventory, m, "type", SCAN_EQ_CI,
                    value_string(STR("MICROSOFT.COMPUTE/virtualMachines")));
        without += may(inventory, m, "type", SCAN_EQ_CI, value_string(STR("microsoft.web/sites")));
        // All null: no comparison is true.
        assert_false(may(inventory, m, "nothing", SCAN_LT, value_real(1)));
        // Whole numbers of either width compare.
        assert_false(may(inventory, m, "few", SCAN_LT, value_int(-1)));
        assert_true(may(inventory, m, "few", SCAN_GE, value_int(0)));
        // Kelvin's sign folds to k: not for the zone map to decide.
        assert_true(may(inventory, m, "same", SCAN_EQ_CI, value_string(STR("\xE2\x84\xAA"))));
        assert_false(may(inventory, m, "same", SCAN_EQ_CI, value_string(STR("k"))));
        ScanPredicate none = {.column = 5, .op = SCAN_IN};
        assert_false(inventory->may_match(inventory, m, &none, 1));
    }
    assert_in_range(with, 1, 3);
    assert_int_equal(without, 0);
    // Time: one row group of five holds the hour.
    uint32_t hours = 0;
    for (uint32_t m = 0; m < 5; m++)
        hours +=
            may(log, m, "Timestamp", SCAN_LT, value_datetime(TICKS_UNIX_EPOCH + TICKS_PER_HOUR));
    assert_int_equal(hours, 1);
    assert_false(
        may(log, 0, "Timestamp", SCAN_GE, value_datetime(TICKS_UNIX_EPOCH + TICKS_PER_DAY * 20)));
    arena_free(&arena);
    store_view_close(view);
    store_close(store);
}

static void
test_encodings_come_back(void **state)
{
    Fixture *f = *state;
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    must_import(f, store, "R", TABLE_INVENTORY, &ROW_SCHEMA, 0, 5000);
    StoreView *view = must(f, store_view_open(store, 0, &f->error));
    TableSource *source = must(f, store_view_source(view, STR("R"), &f->error));
    Arena arena = {0};
    static const struct {
        const char *column;
        Encoding encoding;
    } CASES[] = {
        {"type", ENC_DICT}, {"id", ENC_FLAT},    {"few", ENC_DICT},      {"owner", ENC_DICT},
        {"tags", ENC_DICT}, {"same", ENC_CONST}, {"nothing", ENC_CONST}, {"nulltree", ENC_CONST},
        {"tree", ENC_FLAT}, {"key", ENC_FLAT},   {"on", ENC_CONST},      {"took", ENC_DICT},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        uint32_t c = (uint32_t)schema_find(&ROW_SCHEMA, str_from(CASES[i].column));
        const Vector *v = must(f, (void *)source->read(source, 0, c, 0, 5000, &arena, &f->error));
        if (v->encoding != CASES[i].encoding)
            print_error("%s\n", CASES[i].column);
        assert_int_equal(v->encoding, CASES[i].encoding);
    }
    source->release(source, 0);
    arena_free(&arena);
    store_view_close(view);
    store_close(store);
}

typedef struct Scan {
    TableSource *source;
    uint64_t count;
    const char *wrong;
    AzError error;
} Scan;

static void *
scan_run(void *context)
{
    Scan *scan = context;
    scan->wrong = rows_check(scan->source, 0, scan->count, &scan->error);
    return NULL;
}

// Footers go when there are too many bytes of them and nobody reads; what was decoded stays and is
// right.
static void
test_footers_are_given_back(void **state)
{
    Fixture *f = *state;
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    for (uint64_t i = 0; i < 3; i++) {
        must_import(f, store, "Logs", TABLE_LOG, &ROW_SCHEMA, i * 10, 10);
        must_hold(f, store, 0, "Logs", 0, 10 * (i + 1));
        assert_int_equal(store->open.count, i + 1);
    }
    size_t footer = store->open.ages.bytes / 3;
    open_segments_set_budget(&store->open, 2 * footer + footer / 2);
    assert_int_equal(store->open.count, 2);
    assert_true(store->open.ages.bytes <= store->open.budget);
    uint64_t hits = block_cache_stats(store->cache).hits;
    must_hold(f, store, 0, "Logs", 0, 30);
    assert_true(block_cache_stats(store->cache).hits > hits);
    assert_int_equal(store->open.count, 2);
    store_keep(store, 1);
    assert_int_equal(store->open.count, 0);
    must_hold(f, store, 0, "Logs", 0, 30);
    assert_int_equal(store->open.count, 0);
    assert_int_equal(store->open.ages.bytes, 0);
    store_close(store);
}

// Four readers of one source with a cache that holds next to nothing: pinned
// blocks stay, the rest goes, nothing is pinned in the end.
static void
test_cache_is_bounded(void **state)
{
    Fixture *f = *state;
    enum { ROWS = 40000, READERS = 4 };
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    must_import(f, store, "L", TABLE_LOG, &ROW_SCHEMA, 0, ROWS);
    block_cache_set_budget(store->cache, 100000);
    open_segments_set_budget(&store->open, 1);
    StoreView *view = must(f, store_view_open(store, 0, &f->error));
    Scan scans[READERS] = {0};
    pthread_t threads[READERS];
    TableSource *source = must(f, store_view_source(view, STR("L"), &f->error));
    for (int i = 0; i < READERS; i++) {
        scans[i].source = source;
        scans[i].count = ROWS;
        assert_int_equal(0, pthread_create(&threads[i], NULL, scan_run, &scans[i]));
    }
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        assert_null(scans[i].wrong);
    }
    BlockCacheStats stats = block_cache_stats(store->cache);
    assert_int_equal(stats.pinned, 0);
    assert_true(stats.bytes <= 100000);
    block_cache_set_budget(store->cache, BLOCK_CACHE_BYTES);
    assert_null(rows_check(source, 0, ROWS, &f->error));
    stats = block_cache_stats(store->cache);
    assert_int_equal(stats.blocks, 3 * ROW_COLUMN_COUNT);
    uint64_t misses = stats.misses;
    assert_null(rows_check(source, 0, ROWS, &f->error)); // all from the cache
    assert_int_equal(block_cache_stats(store->cache).misses, misses);
    // A view that is closed in the middle of a morsel gives its pins back.
    Arena arena = {0};
    assert_non_null(source->read(source, 1, 2, 0, 10, &arena, &f->error));
    assert_int_equal(block_cache_stats(store->cache).pinned, 1);
    store_view_close(view);
    assert_int_equal(block_cache_stats(store->cache).pinned, 0);
    arena_free(&arena);
    store_close(store);
}

// What is read once goes soon; what is read again stays, and is not read a third time.
static void
test_cache_keeps_what_is_read_again(void **state)
{
    Fixture *f = *state;
    enum { ROWS = 100000 };
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    must_import(f, store, "L", TABLE_LOG, &ROW_SCHEMA, 0, ROWS);
    StoreView *view = must(f, store_view_open(store, 0, &f->error));
    TableSource *source = must(f, store_view_source(view, STR("L"), &f->error));
    assert_null(rows_check(source, 0, ROWS, &f->error));
    BlockCacheStats once = block_cache_stats(store->cache);
    assert_true(once.bytes <= BLOCK_CACHE_ONCE);
    assert_null(rows_check(source, 0, ROWS, &f->error));
    BlockCacheStats again = block_cache_stats(store->cache);
    assert_true(again.bytes > 2 * BLOCK_CACHE_ONCE && again.bytes <= BLOCK_CACHE_BYTES);
    assert_null(rows_check(source, 0, ROWS, &f->error));
    assert_int_equal(block_cache_stats(store->cache).misses, again.misses);
    store_view_close(view);
    store_close(store);
}

// Which rows of each row group hold the word: asked as a scan asks.
static void
ask_indexes(const TableSource *source, const char *word)
{
    ptrdiff_t column = schema_find(&source->schema, STR("id"));
    Value value = value_string(str_from(word));
    ScanPredicate predicate = {
        .column = (uint32_t)column, .op = SCAN_HAS, .values = &value, .value_count = 1};
    for (uint32_t m = 0; m < source->morsel_count; m++) {
        uint64_t rows[(1 << 14) / 64] = {0};
        bool exact;
        source->may_match(source, m, &predicate, 1);
        source->match_rows(source, m, &predicate, rows, &exact);
        source->match_rows(source, m, &predicate, rows, &exact);
    }
}

// The term index of a row group is read once however often the group is asked, and that is no
// reason to keep it; asking again later is.
static void
test_indexes_are_read_once_a_scan(void **state)
{
    Fixture *f = *state;
    enum { ROWS = 100000 };
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    must_import(f, store, "L", TABLE_LOG, &ROW_SCHEMA, 0, ROWS);
    block_cache_set_budget(store->cache, 1 << 20); // of what is read once 16 KiB
    StoreView *view = must(f, store_view_open(store, 0, &f->error));
    TableSource *source = must(f, store_view_source(view, STR("L"), &f->error));
    ask_indexes(source, "subscriptions");
    BlockCacheStats stats = block_cache_stats(store->cache);
    assert_int_equal(stats.misses, source->morsel_count);
    assert_int_equal(stats.pinned, 1); // of the last group
    store_view_close(view);
    stats = block_cache_stats(store->cache);
    assert_int_equal(stats.pinned, 0);
    assert_true(stats.bytes <= 1 << 14);
    block_cache_set_budget(store->cache, BLOCK_CACHE_BYTES);
    view = must(f, store_view_open(store, 0, &f->error));
    source = must(f, store_view_source(view, STR("L"), &f->error));
    ask_indexes(source, "subscriptions");
    uint64_t misses = block_cache_stats(store->cache).misses;
    ask_indexes(source, "subscriptions");
    assert_int_equal(block_cache_stats(store->cache).misses, misses);
    store_view_close(view);
    store_close(store);
}

typedef struct Appender {
    TableWriter *table;
    uint64_t from, count;
    bool ok;
    AzError error;
} Appender;

static void *
append_run(void *context)
{
    Appender *a = context;
    a->ok = rows_append(a->table, &ROW_SCHEMA, a->from, a->count, &a->error);
    return NULL;
}

static void
test_parallel_writers(void **state)
{
    Fixture *f = *state;
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    StoreImportInfo info = {STR(""), STR(""), STR(""), true};
    StoreWriter *writer = must(f, store_writer_new(store, &info, &f->error));
    Appender appenders[3] = {{.from = 0}, {.from = 9000}, {.from = 18000}};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        appenders[i].count = 9000;
        appenders[i].table = must(
            f, store_writer_table(writer, STR("Same"), TABLE_INVENTORY, &ROW_SCHEMA, &f->error));
        assert_int_equal(0, pthread_create(&threads[i], NULL, append_run, &appenders[i]));
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_true(appenders[i].ok);
    }
    int64_t snapshot;
    assert_true(store_commit(writer, &snapshot, &f->error));
    must_hold(f, store, snapshot, "Same", 0, 27000);
    store_close(store);
}

static void
test_large_values(void **state)
{
    Fixture *f = *state;
    enum { BIG = 20 << 20, ROWS = 5 };
    static Column columns[] = {{STR_INIT("text"), TYPE_STRING}};
    Schema schema = {columns, 1};
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    StoreImportInfo info = {0};
    StoreWriter *writer = must(f, store_writer_new(store, &info, &f->error));
    TableWriter *table =
        must(f, store_writer_table(writer, STR("T"), TABLE_LOG, &schema, &f->error));
    Arena arena = {0};
    char *big = malloc(BIG);
    memset(big, 'x', BIG);
    for (int i = 0; i < ROWS; i++) {
        big[BIG - 1] = (char)('a' + i);
        Batch *batch = batch_new(&arena, 1, 1);
        Value value = value_string((Str){big, BIG});
        batch->columns[0] = vector_new_const(&arena, &value, 1);
        assert_true(table_writer_append(table, batch, &f->error));
    }
    assert_true(store_commit(writer, NULL, &f->error));
    StoreView *view = must(f, store_view_open(store, 0, &f->error));
    TableSource *source = must(f, store_view_source(view, STR("T"), &f->error));
    assert_int_equal(source->row_count, ROWS);
    assert_true(source->morsel_count > 1); // row groups are bounded by bytes too
    int next = 0;
    for (uint32_t m = 0; m < source->morsel_count; m++) {
        uint32_t rows = source->morsel_rows(source, m);
        const Vector *v = must(f, (void *)source->read(source, m, 0, 0, rows, &arena, &f->error));
        for (uint32_t i = 0; i < rows; i++) {
            Value value = vector_value(v, i);
            assert_int_equal(value.text.len, BIG);
            assert_int_equal(text_data(&value.text)[BIG - 1], 'a' + next++);
        }
        source->release(source, m);
    }
    free(big);
    arena_free(&arena);
    store_view_close(view);
    store_close(store);
}

static void
test_open_errors(void **state)
{
    Fixture *f = *state;
    char path[4200];
    assert_null(store_open(f->path, STORE_READ, &f->error));
    assert_int_equal(f->error.code, AZ_NOT_FOUND);
    assert_non_null(strstr(f->error.message, f->path));
    error_clear(&f->error);
    // A directory of other people's files does not become a store.
    snprintf(path, sizeof(path), "%s/precious.txt", f->dir);
    FILE *file = fopen(path, "w");
    fputs("mine", file);
    fclose(file);
    assert_null(store_open(f->dir, STORE_WRITE, &f->error));
    assert_non_null(strstr(f->error.message, "precious.txt"));
    error_clear(&f->error);
    // A file where the directory should be.
    assert_null(store_open(path, STORE_WRITE, &f->error));
    assert_int_equal(f->error.code, AZ_IO);
    error_clear(&f->error);
    // Writing needs the right mode.
    store_close(must(f, store_open(f->path, STORE_WRITE, &f->error)));
    Store *store = must(f, store_open(f->path, STORE_READ, &f->error));
    StoreImportInfo info = {0};
    assert_null(store_writer_new(store, &info, &f->error));
    error_clear(&f->error);
    store_close(store);
    // Another format version, another program, garbage.
    snprintf(path, sizeof(path), "%s/catalog.sqlite", f->path);
    static const struct {
        const char *sql, *says;
    } CASES[] = {{"PRAGMA user_version=99", "newer Azimuth"},
                 {"PRAGMA application_id=7", "another program"}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        tree_remove(f->path);
        store_close(must(f, store_open(f->path, STORE_WRITE, &f->error)));
        sqlite3 *db;
        assert_int_equal(SQLITE_OK,
                         sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, catalog_pages_vfs()));
        assert_int_equal(SQLITE_OK, sqlite3_exec(db, CASES[i].sql, NULL, NULL, NULL));
        sqlite3_close(db);
        for (StoreMode mode = STORE_READ; mode <= STORE_WRITE; mode++) {
            assert_null(store_open(f->path, mode, &f->error));
            assert_non_null(strstr(f->error.message, CASES[i].says));
            error_clear(&f->error);
        }
    }
    file = fopen(path, "w");
    for (int i = 0; i < 5000; i++)
        fputs("garbage", file);
    fclose(file);
    assert_null(store_open(f->path, STORE_READ, &f->error));
    assert_int_equal(f->error.code, AZ_CORRUPT);
    error_clear(&f->error);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_segments_are_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_append_encodings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_snapshots, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rows_join_newest_snapshot, setup, teardown),
        cmocka_unit_test_setup_teardown(test_schema_grows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_abort_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_skipping, setup, teardown),
        cmocka_unit_test_setup_teardown(test_encodings_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_footers_are_given_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cache_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cache_keeps_what_is_read_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_indexes_are_read_once_a_scan, setup, teardown),
        cmocka_unit_test_setup_teardown(test_parallel_writers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_open_errors, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
