// The best rows of a stored table: a top, which looks at most rows' first key alone and passes
// over row groups, gives the rows that sorting all of them puts first, in the same order.

#include "../store_rows.h"
#include "base/array.h"
#include "db/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { TOP_ROWS = 40000 };

static const char *const KEYS[] = {"row", "id",    "owner",     "note",
                                   "few", "ratio", "Timestamp", "price"};
static const char *const FILTERS[] = {
    "", "| where row % 7 == 3 ", "| where note has 'note' ",
    "| project note, price, id, owner, row, ratio, few, Timestamp ",
    "| where row > 30000 | extend more = row + 1 "};
static const char *const ORDERS[] = {"asc nulls first", "asc nulls last", "desc nulls first",
                                     "desc nulls last"};
static const uint32_t LIMITS[] = {1, 10, 3000, 40000};

// A new store with the table T: its folder, which is the caller's to remove, and its path.
static char *
store_of_rows(char path[4200])
{
    char *dir = temp_dir_new();
    snprintf(path, 4200, "%s/store", dir);
    AzError error = {0};
    Store *store = store_open(path, STORE_WRITE, &error);
    assert_non_null(store);
    assert_true(rows_import(store, "T", TABLE_LOG, &ROW_SCHEMA, 0, TOP_ROWS, &error) >= 0);
    store_close(store);
    return dir;
}

static ResultTable *
answer(Database *db, Arena *arena, Str query)
{
    AzError error = {0};
    QueryOptions options = {0};
    QueryResult *result = db_query(db, arena, query, &options, &error);
    if (!result)
        fail_msg("%.*s: %s", STR_ARG(query), error.message);
    return result->tables[0];
}

static void
must_be_alike(const ResultTable *one, const ResultTable *other, Str query)
{
    if (one->row_count != other->row_count)
        fail_msg("%.*s: %llu rows, sorted %llu", STR_ARG(query), (unsigned long long)one->row_count,
                 (unsigned long long)other->row_count);
    uint64_t row = 0;
    uint32_t b = 0, at = 0;
    for (uint32_t k = 0; k < one->batch_count; k++)
        for (uint32_t i = 0; i < one->batches[k]->selected; i++, row++) {
            while (at == other->batches[b]->selected) {
                b++;
                at = 0;
            }
            Value x = vector_value(one->batches[k]->columns[0], batch_row(one->batches[k], i));
            Value y = vector_value(other->batches[b]->columns[0], batch_row(other->batches[b], at));
            at++;
            if (x.int64 != y.int64)
                fail_msg("%.*s: place %llu is row %lld, sorted %lld", STR_ARG(query),
                         (unsigned long long)row, (long long)x.int64, (long long)y.int64);
        }
}

static void
test_top_is_what_sorting_gives(void **state)
{
    (void)state;
    char path[4200], *dir = store_of_rows(path);
    AzError error = {0};
    uint32_t asked = 0;
    for (size_t threads = 1; threads <= 4; threads += 3) {
        DatabaseOptions options = {.store = path, .threads = threads};
        Database *db = db_open(&options, &error);
        assert_non_null(db);
        for (size_t k = 0; k < COUNT_OF(KEYS); k++)
            for (size_t f = 0; f < COUNT_OF(FILTERS); f++)
                for (size_t o = 0; o < COUNT_OF(ORDERS); o++) {
                    // Each key and filter with each order, each with some limit.
                    uint32_t limit = LIMITS[(k + f + o + threads) % COUNT_OF(LIMITS)];
                    Arena arena = {0};
                    Str top = str_format(&arena, "T %s| top %u by %s %s | project row", FILTERS[f],
                                         limit, KEYS[k], ORDERS[o]);
                    Str sorted = str_format(&arena,
                                            "T %s| sort by %s %s | extend place = row_number() "
                                            "| where place <= %u | project row",
                                            FILTERS[f], KEYS[k], ORDERS[o], limit);
                    must_be_alike(answer(db, &arena, top), answer(db, &arena, sorted), top);
                    arena_free(&arena);
                    asked++;
                }
        db_close(db);
    }
    assert_int_equal(asked, 2 * COUNT_OF(KEYS) * COUNT_OF(FILTERS) * COUNT_OF(ORDERS));
    tree_remove(dir);
    free(dir);
}

// What cannot be among the best is not read.
static void
test_row_groups_are_passed_over(void **state)
{
    (void)state;
    char path[4200], *dir = store_of_rows(path);
    AzError error = {0};
    DatabaseOptions open = {.store = path, .threads = 1};
    Database *db = db_open(&open, &error);
    Arena arena = {0};
    QueryOptions options = {.analyze = true};
    QueryResult *result = db_query(
        db, &arena, STR("T | top 5 by Timestamp desc | project row, note"), &options, &error);
    assert_non_null(result);
    uint64_t read = 0, passed = 0;
    for (uint32_t r = 0; r < result->explain->count; r++) {
        read += result->explain->rows[r].counters.groups_read;
        passed += result->explain->rows[r].counters.groups_skipped;
    }
    assert_true(read + passed >= 3 && passed >= 1);
    arena_free(&arena);
    db_close(db);
    tree_remove(dir);
    free(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_top_is_what_sorting_gives),
        cmocka_unit_test(test_row_groups_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
