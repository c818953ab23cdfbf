// Prepared queries: each run says what the same text asked afresh says, whether it was run or
// known to be empty.

#include "base/array.h"
#include "db/db.h"
#include "db/rows.h"

#include "../store_rows.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define DAY INT64_C(639000000000000000) // ticks: an hour of some day
enum { HOURS = 30, ROWS = 60 };

// A row a minute of the hour that begins at `hour`.
static void
put_hour(Store *store, const char *table, int hour)
{
    static Column columns[] = {{STR_INIT("TimeGenerated"), TYPE_DATETIME},
                               {STR_INIT("k"), TYPE_STRING},
                               {STR_INIT("n"), TYPE_LONG},
                               {STR_INIT("bag"), TYPE_DYNAMIC}};
    Schema schema = {columns, COUNT_OF(columns)};
    AzError error = {0};
    Arena arena = {0};
    StoreWriter *writer = store_writer_new(store, &(StoreImportInfo){0}, &error);
    assert_non_null(writer);
    TableWriter *out = store_writer_table(writer, str_from(table), TABLE_LOG, &schema, &error);
    assert_non_null(out);
    VectorBuilder builders[COUNT_OF(columns)];
    for (uint32_t c = 0; c < schema.count; c++)
        vector_builder_init(&builders[c], columns[c].type);
    for (int i = 0; i < ROWS; i++) {
        Value cells[] = {value_datetime(DAY + hour * TICKS_PER_HOUR + i * TICKS_PER_MINUTE),
                         value_string(i % 3 ? STR("a") : STR("b")), value_long(hour * 100 + i),
                         row_tree(&arena, (uint64_t)i, false)};
        for (uint32_t c = 0; c < schema.count; c++)
            vector_builder_value(&builders[c], &arena, &cells[c]);
    }
    Batch *batch = batch_new(&arena, schema.count, ROWS);
    for (uint32_t c = 0; c < schema.count; c++) {
        batch->columns[c] = vector_builder_cut(&builders[c], &arena, 0, ROWS);
        vector_builder_free(&builders[c]);
    }
    assert_true(table_writer_append(out, batch, &error));
    assert_true(store_commit(writer, NULL, &error));
    arena_free(&arena);
}

// A_CL holds rows of the hours 0 and 10, B_CL of 10 and 20.
typedef struct World {
    char *dir;
    Store *store;
    Database *db;
} World;

static int
world_new(void **state)
{
    World *world = calloc(1, sizeof(*world));
    AzError error = {0};
    char path[4200];
    world->dir = temp_dir_new();
    snprintf(path, sizeof(path), "%s/store", world->dir);
    world->store = store_open(path, STORE_WRITE, &error);
    assert_non_null(world->store);
    put_hour(world->store, "A_CL", 0);
    put_hour(world->store, "A_CL", 10);
    put_hour(world->store, "B_CL", 10);
    put_hour(world->store, "B_CL", 20);
    world->db = db_open(&(DatabaseOptions){.opened = world->store, .threads = 2}, &error);
    assert_non_null(world->db);
    *state = world;
    return 0;
}

static int
world_free(void **state)
{
    World *world = *state;
    db_close(world->db);
    store_close(world->store);
    tree_remove(world->dir);
    free(world->dir);
    free(world);
    return 0;
}

static QueryOptions
window(int from, int to)
{
    return (QueryOptions){
        .now = DAY + to * TICKS_PER_HOUR,
        .window_from = DAY + from * TICKS_PER_HOUR,
        .window_to = DAY + to * TICKS_PER_HOUR,
        .assume_custom_tables = true,
    };
}

static void
assert_same_table(const ResultTable *a, const ResultTable *b, const char *query, int hour)
{
    assert_int_equal(a->schema.count, b->schema.count);
    for (uint32_t c = 0; c < a->schema.count; c++) {
        assert_true(str_equal(a->schema.columns[c].name, b->schema.columns[c].name));
        assert_int_equal(a->schema.columns[c].type, b->schema.columns[c].type);
    }
    if (a->row_count != b->row_count)
        fail_msg("%s at hour %d: %d rows and %d", query, hour, (int)a->row_count,
                 (int)b->row_count);
    Arena arena = {0};
    RowReader x = {.table = a}, y = {.table = b};
    while (rows_next(&x) && rows_next(&y))
        for (uint32_t c = 0; c < a->schema.count; c++)
            if (!str_equal(rows_text(&x, (ptrdiff_t)c, &arena),
                           rows_text(&y, (ptrdiff_t)c, &arena)))
                fail_msg("%s at hour %d: other rows", query, hour);
    arena_free(&arena);
}

// Runs both ways; whether the prepared one had not to be run.
static bool
run_both(Database *db, PreparedQuery *prepared, const char *text, const QueryOptions *options,
         int hour)
{
    Arena arena = {0};
    AzError one = {0}, two = {0};
    QueryResult *fresh = db_query(db, &arena, str_from(text), options, &one);
    QueryResult *again = db_run_prepared(prepared, &arena, options, &two);
    assert_int_equal(one.code, two.code);
    assert_int_equal(fresh != NULL, again != NULL);
    if (!fresh && strcmp(one.message, two.message) != 0)
        fail_msg("%s: '%s' and '%s'", text, one.message, two.message);
    for (uint32_t i = 0; fresh && i < fresh->count; i++)
        assert_same_table(fresh->tables[i], again->tables[i], text, hour);
    if (fresh)
        assert_int_equal(fresh->count, again->count);
    bool unread = again && again->unread;
    if (unread)
        assert_int_equal(again->tables[0]->row_count, 0);
    error_clear(&one);
    error_clear(&two);
    arena_free(&arena);
    return unread;
}

// Of 30 windows of an hour each, in how many a query need not run. The rows at minute 0 of an hour
// lie in the window before, so that each hour of rows is met by two windows.
static const struct {
    const char *text;
    int unread;
} QUERIES[] = {
    // A table that nobody sent: the first run binds it.
    {"None_CL | where k == 'a'", 29},
    {"AuditLogs | where OperationName has 'x' | summarize count() by OperationName", 29},
    {"A_CL | where k == 'a' | project TimeGenerated, n", 26},
    {"A_CL | summarize count(), min(n) by k | sort by k asc", 26},
    {"A_CL | distinct k | sort by k asc", 26},
    {"A_CL | summarize arg_max(TimeGenerated, *) by k | sort by k asc | project k, n", 26},
    {"A_CL | top 3 by n | extend m = n + 1", 26},
    {"A_CL | mv-expand x = bag.env | where x == 'test'", 26},
    {"A_CL | parse k with 'a' rest | take 0", 26},
    {"A_CL | sort by n asc | serialize r = row_number(), p = prev(n)", 26},
    {"A_CL | where n > 1000 | where TimeGenerated > ago(10m)", 26},
    // Rows come of none.
    {"A_CL | count", 0},
    {"A_CL | summarize m = max(n)", 0},
    {"print now()", 0},
    {"union A_CL, (print k = 'p') | sort by k asc, n asc", 0},
    {"A_CL | make-series c = count() default = 0 on TimeGenerated from ago(1h) to now() step 1h",
     0},
    // Unions are empty when all are; those of an empty table and a filled one are not.
    {"union A_CL, B_CL | sort by n asc | project k, n", 24},
    {"union None_CL, A_CL, AuditLogs | sort by n asc | project k, n", 26},
    {"union withsource=T isfuzzy=true None_CL, AuditLogs, NotThere | where T == 'x'", 29},
    {"let T = (t:string) { table(t) | where n >= 0 }; union (T('A_CL')), (T('B_CL')) | sort by n "
     "asc "
     "| project n",
     24},
    // Joins.
    {"A_CL | join kind=inner B_CL on k | summarize count() by k | sort by k asc", 28},
    {"A_CL | join B_CL on k | summarize count() by k | sort by k asc", 28},
    {"A_CL | join kind=leftouter (B_CL | distinct k) on k | sort by n asc", 26},
    {"A_CL | join kind=rightouter B_CL on k | summarize count() by k, k1 | sort by k1 asc", 26},
    {"A_CL | join kind=fullouter B_CL on k | summarize count() by k, k1 | sort by k, k1", 24},
    {"A_CL | join kind=leftsemi B_CL on k | sort by n asc | project n", 28},
    {"A_CL | join kind=rightsemi B_CL on k | sort by n asc | project n", 28},
    {"A_CL | join kind=leftanti B_CL on k | sort by n asc | project n", 26},
    {"A_CL | join kind=rightanti B_CL on k | sort by n asc | project n", 26},
    {"A_CL | join kind=leftanti None_CL on k | sort by n asc | project n", 26},
    {"A_CL | join None_CL on k", 29},
    {"A_CL | lookup kind=leftouter (None_CL | project k, z = k) on k | sort by n asc", 26},
    {"let M = materialize(A_CL | where n > 5); M | join kind=inner (M | distinct k) on k | sort by "
     "n "
     "asc | project n",
     26},
    // Values of other tables: the rows decide, not these.
    {"A_CL | where k in (None_CL | project k)", 26},
    {"A_CL | where n > toscalar(B_CL | summarize max(n)) | sort by n asc | project n", 26},
    {"A_CL | where k in (B_CL | project k) | summarize count() by k | sort by k asc", 26},
    // Plans that the clock, rows or a mistake make.
    {"table(iff(now() > datetime(2025-12-06), 'A_CL', 'B_CL')) | sort by n asc | project n", 0},
    {"A_CL | evaluate bag_unpack(bag) | where n > 5 | sort by n asc", 0},
    {"A_CL | where nothing == 1", 0},
    {"A_CL | where", 0},
    {"A_CL | where k == 'a' | fork (count) (take 2)", 0},
    {"A_CL | extend w = columnifexists('w_s', 'none'), v_s | where n > 0 | sort by n asc", 26},
};

static void
test_windows(void **state)
{
    World *world = *state;
    for (size_t q = 0; q < COUNT_OF(QUERIES); q++) {
        AzError error = {0};
        PreparedQuery *prepared = db_prepare(world->db, str_from(QUERIES[q].text), &error);
        assert_non_null(prepared);
        int unread = 0;
        // From the middle, where both tables have rows, so that each meets both kinds.
        for (int i = 0; i < HOURS; i++) {
            int hour = (i + 10) % HOURS - 1;
            QueryOptions options = window(hour, hour + 1);
            unread += run_both(world->db, prepared, QUERIES[q].text, &options, hour);
        }
        if (unread != QUERIES[q].unread)
            fail_msg("%s: %d runs were not run, not %d", QUERIES[q].text, unread,
                     QUERIES[q].unread);
        db_prepared_free(prepared);
    }
}

// Windows of other lengths, by arrival, and none at all.
static void
test_other_windows(void **state)
{
    World *world = *state;
    static const char *const TEXTS[] = {"A_CL | where n > 3 | sort by n asc",
                                        "union A_CL, None_CL | distinct k | sort by k asc"};
    for (size_t q = 0; q < COUNT_OF(TEXTS); q++) {
        AzError error = {0};
        PreparedQuery *prepared = db_prepare(world->db, str_from(TEXTS[q]), &error);
        for (int from = -1; from < HOURS; from += 3)
            for (int by = WINDOW_EVENT; by <= WINDOW_ARRIVAL; by++)
                for (int hours = 1; hours < 15; hours += 6) {
                    QueryOptions options = window(from, from + hours);
                    options.window_by = (WindowBy)by;
                    run_both(world->db, prepared, TEXTS[q], &options, from);
                }
        QueryOptions all = {.assume_custom_tables = true};
        assert_false(run_both(world->db, prepared, TEXTS[q], &all, 0));
        db_prepared_free(prepared);
    }
}

// What is put into memory later is seen, and what is dropped is gone.
static void
test_tables_put_later(void **state)
{
    World *world = *state;
    AzError error = {0};
    const char *text = "union AuditLogs, SigninLogs | summarize count() by Type = 'x'";
    PreparedQuery *prepared = db_prepare(world->db, str_from(text), &error);
    QueryOptions options = window(0, 1);
    run_both(world->db, prepared, text, &options, 0);
    assert_true(run_both(world->db, prepared, text, &options, 0));
    Str rows = STR("[{\"TimeGenerated\": \"2025-12-06T00:00:00Z\"}]");
    assert_true(db_put_json(world->db, STR("AuditLogs"), rows, &error));
    options.window_from = 1;
    options.window_to = DAY + 100 * TICKS_PER_DAY;
    assert_false(run_both(world->db, prepared, text, &options, 0));
    Arena arena = {0};
    assert_int_equal(db_run_prepared(prepared, &arena, &options, &error)->tables[0]->row_count, 1);
    arena_free(&arena);
    db_drop_tables(world->db);
    run_both(world->db, prepared, text, &options, 0);
    assert_true(run_both(world->db, prepared, text, &options, 0));
    db_prepared_free(prepared);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_windows, world_new, world_free),
        cmocka_unit_test_setup_teardown(test_other_windows, world_new, world_free),
        cmocka_unit_test_setup_teardown(test_tables_put_later, world_new, world_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
