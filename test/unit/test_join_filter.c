// Joins whose small side filters the large one: the answer is the one they give when nobody knows how
// small it is, row by row in the same order, and the rows that meet nobody are not read.

#include "../store_rows.h"
#include "answers.h"
#include "base/array.h"
#include "db/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { STORED_ROWS = 40000 };

static char *folder, store_path[4200];

static int
make_store(void **state)
{
    (void)state;
    folder = temp_dir_new();
    snprintf(store_path, sizeof(store_path), "%s/store", folder);
    AzError error = {0};
    Store *store = store_open(store_path, STORE_WRITE, &error);
    bool made =
        store && rows_import(store, "T", TABLE_LOG, &ROW_SCHEMA, 0, STORED_ROWS, &error) >= 0;
    store_close(store);
    return made ? 0 : 1;
}

static int
remove_store(void **state)
{
    (void)state;
    tree_remove(folder);
    free(folder);
    return 0;
}

static Database *
open_store(size_t threads)
{
    AzError error = {0};
    DatabaseOptions options = {.store = store_path, .threads = threads};
    Database *db = db_open(&options, &error);
    assert_non_null(db);
    return db;
}

// Sides, each with a name. Behind row_number() nobody knows how few rows there are.
static const char *const SMALL[] = {
    "T | where row % 997 == 3 | take 200",
    "T | where row > 39000 | summarize by row, id, note, few, wide, key, owner, took, on, type",
    "T | take 0",
    "T | where row % 5000 == 1 | extend note = '' | take 50",
    "union (T | where row % 9000 == 1 | take 9), (T | where isnull(few) | take 5)",
};
static const char *const LARGE[] = {
    "T",
    "T | where row < 36000 and not(on == false) | extend half = row / 2",
    "union withsource = from (T | where row % 2 == 0), (T | where row % 2 == 1)",
};
static const char *const KEYS[] = {
    "row", "id", "note", "few", "key", "owner", "took", "few, owner", "type, row", "on, wide",
};
static const char *const KINDS[] = {
    "innerunique", "inner",     "leftouter", "rightouter", "fullouter",
    "leftsemi",    "rightsemi", "leftanti",  "rightanti",
};

#define COLUMNS "project row, id, note, few, wide, key, owner, took, on, type"
#define UNKNOWN " | serialize | extend n_ = row_number() | project-away n_"

static const char *
join_text(Arena *arena, size_t kind, size_t key, const char *left, const char *right,
          const char *disguise)
{
    // Keys of few values make many rows: those are only counted.
    bool many = strcmp(KEYS[key], "few") == 0 || strcmp(KEYS[key], "note") == 0;
    return str_format(arena,
                      "let l = %s | " COLUMNS "%s; let r = %s | " COLUMNS "%s;"
                      "l | join kind=%s r on %s | summarize n = count(), %s",
                      left, disguise, right, disguise, KINDS[kind], KEYS[key],
                      many ? "s = sum(row)" : "rows = make_list(tostring(row))")
        .ptr;
}

static void
must_be_alike(Database *db, size_t kind, size_t key, const char *left, const char *right)
{
    Arena arena = {0};
    const char *query = join_text(&arena, kind, key, left, right, "");
    Buffer got = answer_text(db, query);
    Buffer expected = answer_text(db, join_text(&arena, kind, key, left, right, UNKNOWN));
    if (!str_equal(buffer_slice(&got), buffer_slice(&expected)))
        fail_msg("%s\ngives\n%.*s\nnot\n%.*s", query, (int)got.len, got.data, (int)expected.len,
                 expected.data);
    buffer_free(&got);
    buffer_free(&expected);
    arena_free(&arena);
}

static void
test_answers_do_not_change(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= 4; threads += 3) {
        Database *db = open_store(threads);
        size_t n = 0;
        for (size_t kind = 0; kind < COUNT_OF(KINDS); kind++)
            for (size_t key = 0; key < COUNT_OF(KEYS); key++) {
                // Each small side meets each large one, on either hand, kind after kind.
                const char *small = SMALL[n % COUNT_OF(SMALL)];
                const char *large = LARGE[n / 2 % COUNT_OF(LARGE)];
                must_be_alike(db, kind, key, small, large);
                must_be_alike(db, kind, key, large, small);
                n++;
            }
        db_close(db);
    }
}

// What the operator of that name was given, the first in the plan.
static uint64_t
rows_into(Database *db, const char *query, const char *name)
{
    AzError error = {0};
    Arena arena = {0};
    QueryOptions options = {.analyze = true};
    QueryResult *result = db_query(db, &arena, str_from(query), &options, &error);
    if (!result)
        fail_msg("%s: %s", query, error.message);
    uint64_t rows = UINT64_MAX;
    for (uint32_t i = 0; i < result->explain->count && rows == UINT64_MAX; i++)
        if (strcmp(result->explain->rows[i].name, name) == 0)
            rows = result->explain->rows[i].counters.rows_in;
    arena_free(&arena);
    return rows;
}

static void
test_rows_that_meet_nobody_are_not_read(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        uint64_t least, most; // rows that reach the join
    } CASES[] = {
        // Built on the right, probed by the left, and the other way round.
        {"T | join kind=inner (T | take 10 | project row) on row", 20, 20},
        {"T | take 10 | project row | join kind=inner T on row", 20, 20},
        {"T | join kind=innerunique (T | take 10 | project row) on row", 20, 20},
        {"T | take 10 | project row | join kind=leftouter T on row", 20, 20},
        {"T | take 10 | join kind=leftanti (T | project row) on row", 20, 20},
        {"T | join kind=leftsemi (T | take 10 | project row) on row", 20, 20},
        {"T | take 10 | join kind=rightsemi T on row", 20, 20},
        // Nobody may be dropped: all rows come.
        {"T | join kind=leftouter (T | take 10 | project row) on row", STORED_ROWS + 10,
         STORED_ROWS + 10},
        {"T | take 10 | join kind=rightanti (T | project row) on row", STORED_ROWS + 10,
         STORED_ROWS + 10},
        {"T | take 10 | project row | join kind=fullouter T on row", STORED_ROWS + 10,
         STORED_ROWS + 10},
        // Most rows meet somebody: looking at each twice is given up.
        {"T | join kind=leftsemi (T | summarize by type) on type", STORED_ROWS, STORED_ROWS + 4},
    };
    for (size_t threads = 1; threads <= 4; threads += 3) {
        Database *db = open_store(threads);
        for (size_t i = 0; i < COUNT_OF(CASES); i++) {
            uint64_t rows = rows_into(db, CASES[i].query, "join");
            if (rows < CASES[i].least || rows > CASES[i].most)
                fail_msg("%s: %llu rows reach the join", CASES[i].query, (unsigned long long)rows);
        }
        db_close(db);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_do_not_change),
        cmocka_unit_test(test_rows_that_meet_nobody_are_not_read),
    };
    return cmocka_run_group_tests(tests, make_store, remove_store);
}
