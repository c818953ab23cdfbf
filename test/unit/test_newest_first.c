// The latest row of each group: rows are read from the newest on, and the answer is the one of reading them from the
// oldest on, where the time is not known to be the tables'.

#include "spill_world.h"

enum { ROWS = 20000 };

// Of a table in many pieces; times come many times, and some are null.
#define TABLE(DETAILS)                                                                             \
    "let T = materialize(M | project TimeGenerated = iff(row % 11 == 0, datetime(null), "          \
    "datetime(2026-01-01) + (row / 7) * 1s), row, few, note, ratio, small);"                       \
    "T | extend t = TimeGenerated + 0s, few = row * 7919 % 3000 | " DETAILS
// TIME is TimeGenerated, which is known, or t.
#define LATEST "summarize arg_max(TIME, row, note, ratio)"

static const char *const QUERIES[] = {
    TABLE(LATEST " by few"),
    TABLE(LATEST " by few | top 50 by row"),
    TABLE(LATEST ", n = count(), s = sum(row), w = countif(small > 3) by note, k = few % 7"),
    TABLE("where small > 2 | " LATEST ", a = arg_max(TIME, small) by few | where row % 3 == 1"),
    TABLE(LATEST),
    TABLE("where row < 0 | " LATEST " by few"),
    TABLE(LATEST " by few | summarize count(), sum(row), make_list(row, 20)"),
    TABLE("union (T | extend t = TimeGenerated + 0s) | " LATEST ", n = count() by k = few % 900"),
    TABLE(LATEST ", n = count() by k = few % 900 | sort by n desc | project k, row, n"),
};

static Str
with_time(Arena *arena, const char *query, const char *time)
{
    Buffer text = {0};
    for (const char *at = query; *at;) {
        bool is_time = !strncmp(at, "TIME", 4);
        buffer_str(&text, is_time ? str_from(time) : (Str){at, 1});
        at += is_time ? 4 : 1;
    }
    Str out = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return out;
}

static void
same_as_oldest_first(size_t threads, size_t group_memory)
{
    Arena tables = {0};
    DatabaseOptions options = {.threads = threads, .group_memory = group_memory};
    Database *db = open_with(&tables, &options);
    put_rows(db, &tables, "M", 0, ROWS);
    for (size_t q = 0; q < COUNT_OF(QUERIES); q++) {
        Arena arena = {0};
        AzError why = {0};
        const QueryResult *wanted = ask(db, &arena, with_time(&arena, QUERIES[q], "t"), &why);
        const QueryResult *found =
            ask(db, &arena, with_time(&arena, QUERIES[q], "TimeGenerated"), &why);
        if (!wanted || !found)
            fail_msg("%s: %s", QUERIES[q], why.message);
        uint64_t row = 0;
        const char *wrong = rows_differ(found->tables[0], wanted->tables[0], &row);
        if (wrong)
            fail_msg("%s: row %llu: %s", QUERIES[q], (unsigned long long)row, wrong);
        arena_free(&arena);
    }
    db_close(db);
    arena_free(&tables);
}

static void
test_newest_first(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= 3; threads++) {
        same_as_oldest_first(threads, 0);
        same_as_oldest_first(threads, 100 << 10); // some groups are on disk
    }
    batch_rows = 100;
    same_as_oldest_first(2, 0);
    same_as_oldest_first(2, 100 << 10);
    batch_rows = BATCH_ROWS_MAX;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
