// Runs of rows by time: those in it meet the predicates, and no others do. Read through the store, as
// scans do.

#include "../store_rows.h"
#include "answers.h"
#include "base/array.h"
#include "db/db.h"
#include "kql/binder.h"
#include "store/store_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { ROWS = 3 * GROUP_ROWS + 77 };

typedef int64_t (*TimeOf)(uint64_t n);

static int64_t
rare(uint64_t n) // each time 40 times, over the ends of groups too
{
    return (int64_t)(n / 40) * 10;
}

static int64_t
each(uint64_t n)
{
    return (int64_t)n * 3;
}

static int64_t
shuffled(uint64_t n)
{
    return (int64_t)(row_noise(n, 1) % 100000);
}

static int64_t
same(uint64_t n)
{
    (void)n;
    return 500;
}

static Column columns[] = {{STR_INIT("Row"), TYPE_LONG},
                           {STR_INIT("TimeGenerated"), TYPE_DATETIME}};
static const Schema schema = {columns, 2};

static void
write_rows(Store *store, TableKind kind, TimeOf time, uint32_t null_every)
{
    AzError error = {0};
    StoreImportInfo info = {STR("x"), STR(""), STR(""), kind == TABLE_INVENTORY};
    StoreWriter *writer = store_writer_new(store, &info, &error);
    TableWriter *table = store_writer_table(writer, STR("T"), kind, &schema, &error);
    Arena arena = {0};
    Batch *batch = batch_new(&arena, 2, ROWS);
    Vector *rows = vector_new_flat(&arena, TYPE_LONG, ROWS);
    Vector *times = vector_new_flat(&arena, TYPE_DATETIME, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) {
        ((int64_t *)rows->data)[i] = i;
        ((int64_t *)times->data)[i] = time(i);
        if (null_every && i % null_every == 0)
            vector_set_null(&arena, times, i);
    }
    batch->columns[0] = rows;
    batch->columns[1] = times;
    assert_true(table_writer_append(table, batch, &error));
    assert_true(store_commit(writer, NULL, &error));
    arena_free(&arena);
}

static bool
meets(ScanOp op, int64_t time, int64_t bound)
{
    switch (op) {
    case SCAN_EQ: return time == bound;
    case SCAN_LT: return time < bound;
    case SCAN_LE: return time <= bound;
    case SCAN_GT: return time > bound;
    default: return time >= bound;
    }
}

// How many groups had a run.
static uint32_t
check_predicates(const TableSource *source, const ScanPredicate *predicates, uint32_t count)
{
    uint32_t known = 0;
    for (uint32_t m = 0; m < source->morsel_count; m++) {
        Arena arena = {0};
        AzError error = {0};
        uint32_t rows = source->morsel_rows(source, m), from, to;
        const Vector *times = source->read(source, m, 1, 0, rows, &arena, &error);
        assert_non_null(times);
        if (source->row_range(source, m, predicates, count, &from, &to)) {
            known++;
            assert_true(from <= to && to <= rows);
            for (uint32_t i = 0; i < rows; i++) {
                int64_t time = vector_value(times, i).int64;
                bool all = true;
                for (uint32_t p = 0; p < count; p++)
                    all &= meets(predicates[p].op, time, predicates[p].values[0].int64);
                bool inside = i >= from && i < to;
                assert_true(inside == all);
            }
        }
        source->release(source, m);
        arena_free(&arena);
    }
    return known;
}

static uint32_t
check_times(TableKind kind, TimeOf time, uint32_t null_every)
{
    char *dir = temp_dir_new(), path[512];
    snprintf(path, sizeof(path), "%s/store", dir);
    AzError error = {0};
    Store *store = store_open(path, STORE_WRITE, &error);
    write_rows(store, kind, time, null_every);
    StoreView *view = store_view_open(store, 0, &error);
    TableSource *source = store_view_source(view, STR("T"), &error);
    assert_true(source->morsel_count > 3);
    uint32_t known = 0;
    for (uint64_t n = 0; n < 150; n++) {
        // Times that are there, those between, and some before and behind all.
        int64_t near = time(row_noise(n, 5) % ROWS) + (int64_t)(n % 3) - 1;
        Value bounds[2] = {value_datetime(n % 10   ? near
                                          : n % 20 ? -1
                                                   : INT64_MAX),
                           value_datetime(time(row_noise(n, 6) % ROWS))};
        ScanPredicate predicates[2];
        for (uint32_t p = 0; p < 2; p++)
            predicates[p] = (ScanPredicate){.column = 1,
                                            .op = (ScanOp)(row_noise(n, 7 + p) % (SCAN_GE + 1)),
                                            .values = &bounds[p],
                                            .value_count = 1};
        known += check_predicates(source, predicates, 1 + n % 2);
    }
    // Nothing is asked of the time.
    Value row = value_long(7);
    ScanPredicate other = {.column = 0, .op = SCAN_EQ, .values = &row, .value_count = 1};
    assert_int_equal(check_predicates(source, &other, 1), 0);
    store_view_close(view);
    store_close(store);
    tree_remove(dir);
    free(dir);
    return known;
}

static void
test_runs_of_times(void **state)
{
    (void)state;
    assert_true(check_times(TABLE_LOG, rare, 0) > 300);
    assert_true(check_times(TABLE_LOG, each, 0) > 300);
    assert_true(check_times(TABLE_LOG, shuffled, 0) > 300); // written in order
    check_times(TABLE_LOG, same, 0);                        // a constant: nothing need be known
}

// Where times are in no order or not there, a run is known only of groups whose zones say that all
// rows meet the predicates.
static void
test_no_order(void **state)
{
    (void)state;
    check_times(TABLE_LOG, each, 50);
    uint32_t told = check_times(TABLE_INVENTORY, shuffled, 0);
    assert_true(told > 0 && told < 300);
}

// ---- filters ----

// Conditions on the time, alone and with others: A and B are times.
static const char *const FILTERS[] = {
    "TimeGenerated >= A",
    "TimeGenerated < A",
    "A > TimeGenerated",
    "TimeGenerated == A",
    "TimeGenerated between (A .. B)",
    "TimeGenerated !between (A .. B)",
    "TimeGenerated between (A .. datetime(null))",
    "TimeGenerated > A and TimeGenerated <= B",
    "TimeGenerated > A and Row % 3 == 1 and TimeGenerated < B",
    "TimeGenerated > A or Row < 9",
    "TimeGenerated > A and (TimeGenerated < B or Row % 5 == 0)",
    "not(TimeGenerated > A)",
    "TimeGenerated > A | where TimeGenerated < B",
    "TimeGenerated > A and TimeGenerated < A",
    "TimeGenerated in (A, B)",
};
static const char *const READERS[] = {
    "summarize n = count(), s = sum(Row)",
    "summarize n = count(), s = sum(Row), l = min(TimeGenerated), h = max(TimeGenerated)",
    "summarize n = count() by t = bin(TimeGenerated, 5ms) | order by t asc | take 20",
};

static void
put_time(Arena *arena, Buffer *out, int64_t ticks)
{
    buffer_text(out, str_format(arena, "datetime_add('nanosecond', %lld, datetime(0001-01-01))",
                                (long long)ticks * 100)
                         .ptr);
}

static Str
with_times(Arena *arena, const char *filter, const char *reader, int64_t a, int64_t b)
{
    Buffer out = {0};
    buffer_text(&out, "T | where ");
    for (const char *c = filter; *c; c++)
        if (*c == 'A' || *c == 'B')
            put_time(arena, &out, *c == 'A' ? a : b);
        else
            buffer_char(&out, *c);
    buffer_text(&out, " | ");
    buffer_text(&out, reader);
    Str query = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return query;
}

static void
check_filters(TableKind kind, TimeOf time, uint32_t null_every)
{
    char *dir = temp_dir_new(), path[512];
    snprintf(path, sizeof(path), "%s/store", dir);
    AzError error = {0};
    Store *store = store_open(path, STORE_WRITE, &error);
    write_rows(store, kind, time, null_every);
    store_close(store);
    DatabaseOptions open = {.store = path, .threads = 2};
    Database *db = db_open(&open, &error);
    assert_non_null(db);
    for (size_t f = 0; f < COUNT_OF(FILTERS); f++)
        for (size_t r = 0; r < COUNT_OF(READERS); r++)
            for (uint64_t n = 0; n < 4; n++) {
                Arena arena = {0};
                int64_t a = time(row_noise(n + f, 8) % ROWS), b = time(row_noise(n + r, 9) % ROWS);
                Str query =
                    with_times(&arena, FILTERS[f], READERS[r], a < b ? a : b, a < b ? b : a);
                QueryOptions plain = {.rules_off = OPTIMISE_ALL}, quick = {0};
                QueryResult *one = db_query(db, &arena, query, &plain, &error);
                QueryResult *other = db_query(db, &arena, query, &quick, &error);
                if (!one || !other)
                    fail_msg("%.*s: %s", STR_ARG(query), error.message);
                must_answer_alike(one->tables[0], other->tables[0], query.ptr);
                arena_free(&arena);
            }
    db_close(db);
    tree_remove(dir);
    free(dir);
}

static void
test_filters_on_time(void **state)
{
    (void)state;
    check_filters(TABLE_LOG, rare, 0);
    check_filters(TABLE_LOG, shuffled, 0);
    check_filters(TABLE_LOG, same, 0);
    check_filters(TABLE_LOG, each, 50);
    check_filters(TABLE_INVENTORY, shuffled, 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_of_times),
        cmocka_unit_test(test_no_order),
        cmocka_unit_test(test_filters_on_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
