// The first few groups by a count or a sum, of more groups than memory is meant to hold: the answer is the one of
// all groups in memory, however often the rows were read, and they are read no oftener than they must be.

#include "spill_world.h"

// How one worker finds the answer.
typedef enum Way {
    ONCE,  // rows are read once, and none is kept on disk
    TWICE, // some are read again
    KEPT,  // rows are read once, and some kept on disk
    ALL,   // read again, and kept on disk
} Way;

typedef struct Case {
    Way way;
    const char *query;
} Case;

enum { ROWS = 40000 };

// Twenty groups have half the rows, each other row is a group of its own.
#define FEW_AND_MANY "iff(row % 2 == 0, row % 40, row)"
// Groups that come late, of few rows each ...
#define LATE "iff(row > 20000 and row % 3 == 0, -(row % 6) - 1, " FEW_AND_MANY ")"
// ... and one that comes early and late, but not first.
#define EARLY_AND_LATE "iff(row in (15000, 30000), -1, " FEW_AND_MANY ")"

static const Case CASES[] = {
    // Ties at the edge of the top are those of the order in memory.
    {ONCE, "M | summarize n = count() by k = " FEW_AND_MANY " | top 10 by n"},
    {ONCE, "M | summarize n = count() by k = " FEW_AND_MANY " | project k, m = n | top 1 by m"},
    {ONCE, "M | summarize n = count(), hi = max(row), t = take_any(note), a = arg_max(ratio, row), "
           "l = make_list(row, 3), d = dcount(few) by "
           "k = strcat('a text of some length, no ', iff(row % 2 == 0, row % 6, row)) "
           "| top 3 by n, hi"},
    {ONCE, "union L, R, M | summarize n = count(), s = sum(row) by "
           "k = iff(row % 2 == 0, row % 40, row), few = row % 2 | top 20 by s"},
    // Conditions, nulls, and values of all types.
    {ONCE, "M | summarize n = countif(flag), m = count() by k = " FEW_AND_MANY " | top 20 by n"},
    {ONCE, "M | summarize s = sumif(toreal(few), flag) by k = " FEW_AND_MANY " | top 10 by s"},
    {ONCE, "M | summarize s = sumif(iff(row % 2 == 0, 1, 5000), row % 2 == 0) by k = " FEW_AND_MANY
           " | top 10 by s"},
    {ONCE, "M | summarize s = sum(few), n = count() by k = " FEW_AND_MANY " | top 10 by s"},
    {ONCE, "M | summarize s = sum(0s - took) by k = " FEW_AND_MANY " | top 10 by s"},
    {ONCE, "M | summarize s = sum(toint(row % 7)) by k = " FEW_AND_MANY " | top 7 by s, k asc"},
    {ONCE, "M | summarize s = sum(0.1) by k = " FEW_AND_MANY " | top 10 by s"},
    // Groups that come late: some that must be read again, and large rows that let theirs in, or do not.
    {TWICE,
     "M | summarize n = count(), lo = min(row), t = take_any(note) by k = " LATE " | top 4 by n"},
    {TWICE, "M | summarize s = sum(row % 3 + 0.5), hi = max(row) by k = " LATE " | top 3 by s"},
    {ONCE,
     "M | summarize s = sum(iff(row % 5003 == 7, 300, 1)) by k = " FEW_AND_MANY " | top 20 by s"},
    {ONCE, "M | summarize s = sum(iff(row == 30001, 300000, 1)), n = count() by k = " FEW_AND_MANY
           " | top 20 by s"},
    {TWICE, "M | summarize s = sum(iff(row == 30000, 300000, 1)), n = count(), lo = min(row) by "
            "k = " EARLY_AND_LATE " | top 20 by s"},
    {TWICE,
     "M | summarize s = sum(iff(row == 30000, 300000, iff(row == 15000, 0, 1))), n = count() "
     "by k = " EARLY_AND_LATE " | top 1 by s"},
    // Almost all rows are read again, and more groups than memory holds are.
    {ALL, "M | summarize s = sum(iff(row < 10000, 1, 10000)), n = count() by "
          "k = iff(row < 10000 and row % 2 == 0, row % 10, row) | top 5 by s"},
    // The first reading tells nothing: values below zero, and none, sums that wrap around, and states that grow.
    {ALL, "M | summarize s = sum(iff(row == 39000, -5, 1)) by k = " FEW_AND_MANY " | top 10 by s"},
    {ALL, "M | summarize s = sum(iff(row == 39001, real(nan), 1.0)) by k = " FEW_AND_MANY
          " | top 10 by s"},
    {ALL, "M | summarize s = sum(iff(row > 30000, 4611686018427387904, 1)), n = count() by "
          "k = " FEW_AND_MANY " | top 10 by s"},
    {ALL, "M | summarize n = count(), l = make_list(row) by k = iff(row % 2 == 0, row % 4, row) "
          "| top 2 by n"},
    // All groups are kept: none stands out, others are wanted, or rows could not be read again for little.
    {KEPT, "M | summarize n = count() by k = row | top 10 by n"},
    {KEPT, "M | summarize n = count() by k = row % 9000 | top 10 by n"},
    {KEPT,
     "M | summarize n = count() by k = " FEW_AND_MANY " | top 10000 by n | where k % 97 == 0"},
    {KEPT, "M | summarize n = count() by k = " FEW_AND_MANY " | top 10 by n asc"},
    {KEPT, "M | summarize n = count() by k = " FEW_AND_MANY " | where n < 5 | top 10 by n"},
    {KEPT, "M | summarize n = count() by k = " FEW_AND_MANY " | top 10 by n + k % 3"},
    {KEPT, "M | summarize n = max(few) by k = " FEW_AND_MANY " | top 10 by n"},
    {KEPT, "M | summarize n = sum(price) by k = " FEW_AND_MANY " | top 10 by n"},
    {KEPT, "M | summarize n = count() by k = " FEW_AND_MANY " | top 10 by k"},
    {KEPT, "M | where rand() < 2 | summarize n = count() by k = " FEW_AND_MANY " | top 10 by n"},
    {KEPT, "M | extend u = rand() | summarize n = count() by k = " FEW_AND_MANY " | top 10 by n"},
    {KEPT, "M | summarize n = countif(rand() < 2) by k = " FEW_AND_MANY " | top 10 by n"},
    {KEPT, "M | where row % 10 < 2 | summarize n = count() by "
           "k = strcat('a text that is long, so that few groups need much memory, and that is the "
           "same for all: ', "
           "iff(row % 2 == 0, row % 40, row)) | top 4 by n"},
    {KEPT, "M | mv-expand e = tags | summarize n = count() by k = " FEW_AND_MANY " | top 10 by n"},
};

static uint64_t
rows_left_out(const Explain *explain)
{
    uint64_t rows = 0;
    for (uint32_t i = 0; i < explain->count; i++)
        rows += explain->rows[i].counters.left_out;
    return rows;
}

static Way
way_of(const Explain *explain, uint64_t rows)
{
    uint64_t read = 0;
    for (uint32_t i = 0; i < explain->count; i++)
        if (!strcmp(explain->rows[i].name, "scan"))
            read += explain->rows[i].counters.rows_out;
    bool again = read > rows, kept = spilled(explain) > 0;
    return again ? (kept ? ALL : TWICE) : (kept ? KEPT : ONCE);
}

static Database *
open_rows(Arena *arena, size_t threads, size_t group_memory)
{
    DatabaseOptions options = {.threads = threads, .group_memory = group_memory};
    Database *db = open_with(arena, &options);
    put_rows(db, arena, "M", 0, ROWS);
    return db;
}

// Every case with so many threads. How the answer is found is sure of one worker alone, with batches as they are.
static void
same_as_all(size_t threads, bool sure)
{
    Arena tables = {0};
    Database *whole = open_rows(&tables, 1, 64 << 20);
    Database *few = open_rows(&tables, threads, 600 << 10);
    for (size_t c = 0; c < COUNT_OF(CASES); c++) {
        Arena arena = {0};
        AzError why = {0};
        const char *query = CASES[c].query;
        const QueryResult *wanted = ask(whole, &arena, str_from(query), &why);
        const QueryResult *found = ask(few, &arena, str_from(query), &why);
        if (!wanted || !found)
            fail_msg("%s: %s", query, why.message);
        uint64_t row = 0, rows = ROWS + (strstr(query, "union") ? LEFT_ROWS + RIGHT_ROWS : 0);
        const char *wrong = rows_differ(found->tables[0], wanted->tables[0], &row);
        if (wrong)
            fail_msg("%s: row %llu: %s", query, (unsigned long long)row, wrong);
        assert_int_equal(way_of(wanted->explain, rows), ONCE);
        assert_int_equal(rows_left_out(wanted->explain), 0);
        Way way = way_of(found->explain, rows);
        assert_true(way == KEPT || rows_left_out(found->explain) > 0);
        if (sure && way != CASES[c].way)
            fail_msg("%s: found in way %d", query, (int)way);
        arena_free(&arena);
    }
    db_close(few);
    db_close(whole);
    arena_free(&tables);
}

static void
test_one_worker(void **state)
{
    (void)state;
    same_as_all(1, true);
    batch_rows = 7;
    same_as_all(1, false);
    batch_rows = BATCH_ROWS_MAX;
}

// A group may be in the memory of some workers alone, or get into that of one late.
static void
test_several_workers(void **state)
{
    (void)state;
    for (size_t threads = 2; threads <= 4; threads++)
        same_as_all(threads, false);
    batch_rows = 50;
    same_as_all(2, false);
    batch_rows = BATCH_ROWS_MAX;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_worker),
        cmocka_unit_test(test_several_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
