// Explain: the tree of a plan, and what a run says its operators did. Counts must be the
// same for any number of threads; times are not looked at but for being there.

#include "base/array.h"
#include "db/db.h"
#include "report/explain_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static Database *dbs[2]; // one thread, four

static int
open_databases(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        DatabaseOptions options = {.threads = i ? 4 : 1};
        if (!(dbs[i] = db_open(&options, NULL)))
            return 1;
    }
    return 0;
}

static int
close_databases(void **state)
{
    (void)state;
    db_close(dbs[0]);
    db_close(dbs[1]);
    return 0;
}

static const Explain *
analyze(Arena *arena, int db, const char *query, const ResultTable **answer)
{
    AzError error = {0};
    QueryOptions options = {.analyze = true};
    QueryResult *result = db_query(dbs[db], arena, str_from(query), &options, &error);
    if (!result)
        fail_msg("%s: %s", query, error.message);
    assert_non_null(result->explain);
    assert_true(result->explain->analyzed);
    if (answer)
        *answer = result->tables[result->count - 1];
    return result->explain;
}

static const ExplainRow *
row_named(const Explain *explain, const char *name, uint32_t skip)
{
    for (uint32_t i = 0; i < explain->count; i++)
        if (strcmp(explain->rows[i].name, name) == 0 && !skip--)
            return &explain->rows[i];
    fail_msg("no operator %s in the plan", name);
    return NULL;
}

// `name` took in and gave out so many rows, on one thread and on four.
static void
assert_rows(const char *query, const char *name, uint32_t skip, uint64_t in, uint64_t out)
{
    for (int db = 0; db < 2; db++) {
        Arena arena = {0};
        const ExplainRow *row = row_named(analyze(&arena, db, query, NULL), name, skip);
        if (row->counters.rows_in != in || row->counters.rows_out != out)
            fail_msg("%s of \"%s\": %llu rows in, %llu out, wanted %llu and %llu", name, query,
                     (unsigned long long)row->counters.rows_in,
                     (unsigned long long)row->counters.rows_out, (unsigned long long)in,
                     (unsigned long long)out);
        arena_free(&arena);
    }
}

#define NUMBERS "range x from 1 to 100000 step 1"

static void
rows_are_counted(void **state)
{
    (void)state;
    assert_rows(NUMBERS " | where x % 10 == 0", "range", 0, 0, 100000);
    assert_rows(NUMBERS " | where x % 10 == 0", "filter", 0, 100000, 10000);
    assert_rows(NUMBERS " | extend y = x | where y < 11", "project", 0, 10, 10);
    assert_rows(NUMBERS " | summarize count() by x % 7", "summarize", 0, 100000, 7);
    assert_rows(NUMBERS " | sort by x", "sort", 0, 100000, 100000);
    assert_rows(NUMBERS " | where x < 0", "filter", 0, 100000, 0);
}

// What a top lets go by its first key alone, before the row is read, is not among its rows.
static void
a_top_counts_what_it_looks_at(void **state)
{
    (void)state;
    for (int db = 0; db < 2; db++) {
        Arena arena = {0};
        const ExplainRow *row =
            row_named(analyze(&arena, db, NUMBERS " | top 5 by x", NULL), "sort", 0);
        assert_int_equal(row->counters.rows_out, 5);
        assert_true(row->counters.rows_in >= 5 && row->counters.rows_in <= 100000);
        arena_free(&arena);
    }
}

static void
both_sides_of_a_join_are_its_input(void **state)
{
    (void)state;
    const char *query = NUMBERS " | join kind=leftouter (range x from 1 to 3 step 1) on x";
    assert_rows(query, "join", 0, 100003, 100000);
    assert_rows(query, "range", 1, 0, 3);
}

// What a small side keeps from being read is not among the join's rows.
static void
a_join_counts_what_it_looks_at(void **state)
{
    (void)state;
    const char *query = NUMBERS " | join kind=inner (range x from 1 to 3 step 1) on x";
    assert_rows(query, "join", 0, 6, 3);
}

static uint32_t
count_named(const Explain *explain, const char *name)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < explain->count; i++)
        count += strcmp(explain->rows[i].name, name) == 0;
    return count;
}

// Rows that all ranges of the query gave, and how often "shared" stands in its plan.
static void
assert_shared(const char *query, uint64_t rows, uint32_t shared)
{
    for (int db = 0; db < 2; db++) {
        Arena arena = {0};
        const Explain *explain = analyze(&arena, db, query, NULL);
        // A plan that is evaluated once is drawn where it is read, with the same counts.
        uint64_t most = 0, sum = 0;
        for (uint32_t i = 0; i < explain->count; i++)
            if (strcmp(explain->rows[i].name, "range") == 0) {
                uint64_t out = explain->rows[i].counters.rows_out;
                most = out > most ? out : most;
                sum += out;
            }
        uint64_t given = shared ? most : sum;
        if (given != rows || count_named(explain, "shared") != shared)
            fail_msg("%s: %llu rows, %u times shared", query, (unsigned long long)given,
                     count_named(explain, "shared"));
        arena_free(&arena);
    }
}

static void
equal_summaries_are_made_once(void **state)
{
    (void)state;
    assert_shared("let t = " NUMBERS " | summarize n = count() by k = x % 7;"
                  "t | join kind=inner (t | summarize n = max(n)) on n",
                  100000, 2);
    assert_shared("let t = " NUMBERS " | summarize n = count() by k = x % 7;"
                  "t | where n > toscalar(t | summarize avg(n)) | union (t | where k == 1)",
                  100000, 3);
    assert_shared("union (" NUMBERS " | summarize n = count()), (" NUMBERS
                  " | summarize m = count())",
                  100000, 2);
    // Another aggregate, another condition, something that is new each time: two summaries.
    assert_shared("union (" NUMBERS " | summarize n = max(x)), (" NUMBERS
                  " | summarize n = min(x))",
                  200000, 0);
    assert_shared("union (" NUMBERS " | where x > 0 | summarize n = count()), (" NUMBERS
                  " | where x > 1 | summarize n = count())",
                  200000, 0);
    assert_shared("let t = " NUMBERS " | extend r = rand() | summarize n = max(r);"
                  "union t, t",
                  200000, 0);
}

// Operators of that name in the plan of the query.
static void
assert_operators(const char *query, const char *name, uint32_t count)
{
    Arena arena = {0};
    uint32_t found = count_named(analyze(&arena, 0, query, NULL), name);
    if (found != count)
        fail_msg("%s: %u %s operators", query, found, name);
    arena_free(&arena);
}

static void
equal_parts_are_computed_once(void **state)
{
    (void)state;
#define TEXTS NUMBERS " | extend t = tostring(x)"
    // A projection more holds what is common; nothing common, none more.
    assert_operators(TEXTS " | extend a = strlen(toupper(t)), b = strcat(toupper(t), '!')",
                     "project", 3);
    assert_operators(TEXTS " | extend a = strlen(toupper(t)), b = strcat(tolower(t), '!')",
                     "project", 2);
    assert_operators(TEXTS
                     " | summarize countif(toupper(t) == 'A'), countif(toupper(t) startswith 'B')",
                     "project", 3);
    // In branches that some rows take, nothing is computed for all.
    assert_operators(TEXTS
                     " | extend a = iff(x > 5, toupper(t), ''), b = iff(x > 7, toupper(t), '')",
                     "project", 2);
    assert_operators(TEXTS " | extend a = strcat(new_guid(), t), b = strcat(new_guid(), t)",
                     "project", 2);
}

static void
a_take_on_top_is_counted(void **state)
{
    (void)state;
    for (int db = 0; db < 2; db++) {
        Arena arena = {0};
        const ResultTable *answer;
        const Explain *explain = analyze(&arena, db, NUMBERS " | take 3", &answer);
        assert_int_equal(answer->row_count, 3);
        assert_int_equal(row_named(explain, "take", 0)->counters.rows_out, 3);
        assert_int_equal(explain->answer.rows_in, 3);
        arena_free(&arena);
    }
}

static void
rows_of_a_subquery_are_not_its_readers(void **state)
{
    (void)state;
    const char *query = NUMBERS " | where x > toscalar(range y from 1 to 9 step 1 | summarize "
                                "max(y))";
    assert_rows(query, "filter", 0, 100000, 99991);
    assert_rows(query, "summarize", 0, 9, 1);
}

static void
each_statement_has_its_tree(void **state)
{
    (void)state;
    Arena arena = {0};
    const Explain *explain = analyze(&arena, 0, "print 1; " NUMBERS " | count", NULL);
    uint32_t roots = 0;
    for (uint32_t i = 0; i < explain->count; i++)
        roots += explain->rows[i].depth == 0;
    assert_int_equal(roots, 2);
    assert_int_equal(explain->answer.rows_in, 2);
    arena_free(&arena);
}

static void
time_and_memory_are_there(void **state)
{
    (void)state;
    Arena arena = {0};
    const Explain *explain =
        analyze(&arena, 1, NUMBERS " | summarize take_any(x) by x | count", NULL);
    const ProfileCounters *counters = &row_named(explain, "summarize", 1)->counters;
    assert_true(counters->wall_ns > 0 && counters->cpu_ns > 0);
    // 100000 groups of a key and a value.
    assert_true(explain->memory_peak > 100000 * 16);
    // Times of single operators add up to less than the threads had together.
    uint64_t cpu = explain->answer.cpu_ns;
    for (uint32_t i = 0; i < explain->count; i++)
        cpu += explain->rows[i].counters.cpu_ns;
    assert_true((double)cpu / 1e6 <= explain->run_ms * (double)explain->threads);
    arena_free(&arena);
}

// Runs within runs: what an mv-apply does is counted, or counts for it.
static void
sub_plans_are_counted(void **state)
{
    (void)state;
    assert_rows("print n = dynamic([3, 9, 4]) | mv-apply n to typeof(long) on (top 1 by n)", "sort",
                0, 3, 1);
    assert_rows("let T = materialize(" NUMBERS "); union (T | where x == 1), (T | where x == 2)",
                "union", 0, 2, 2);
}

static void
a_plan_without_a_run_has_no_counters(void **state)
{
    (void)state;
    Arena arena = {0};
    AzError error = {0};
    Explain *explain = db_explain(dbs[0], &arena, STR(NUMBERS " | where x > 5"), NULL, &error);
    assert_non_null(explain);
    assert_false(explain->analyzed);
    assert_int_equal(explain->rows[0].counters.rows_out, 0);
    assert_null(db_explain(dbs[0], &arena, STR("print y"), NULL, &error));
    assert_int_equal(error.code, AZ_SEMANTIC);
    error_clear(&error);
    arena_free(&arena);
}

static void
the_tree_is_drawn(void **state)
{
    (void)state;
    Arena arena = {0};
    Buffer out = {0};
    ResultStyle style = {0};
    Explain *explain = db_explain(
        dbs[0], &arena,
        STR("range x from 1 to 2 step 1 | join (range x from 1 to 3 step 1) on x | take 2"), NULL,
        NULL);
    explain_write_text(&out, explain, &style);
    assert_true(str_equal(buffer_slice(&out), STR("take       2\n"
                                                  "\u2514 join     x\n"
                                                  "  \u251c range\n"
                                                  "  \u2514 range\n")));
    buffer_clear(&out);
    explain_write_json(&out, explain);
    assert_true(str_starts(buffer_slice(&out),
                           STR("{\"plans\":[{\"operator\":\"take\",\"details\":\"2\",\"inputs\":[{"
                               "\"operator\":\"join\",\"details\":\"x\",\"inputs\":[{\"operator\":"
                               "\"range\",\"details\":\"\",\"inputs\":[]},{")));
    assert_true(str_find(buffer_slice(&out), STR("]}]}]}],\"parseMs\":")) > 0);
    buffer_free(&out);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_counted),
        cmocka_unit_test(a_top_counts_what_it_looks_at),
        cmocka_unit_test(both_sides_of_a_join_are_its_input),
        cmocka_unit_test(a_join_counts_what_it_looks_at),
        cmocka_unit_test(equal_summaries_are_made_once),
        cmocka_unit_test(equal_parts_are_computed_once),
        cmocka_unit_test(a_take_on_top_is_counted),
        cmocka_unit_test(rows_of_a_subquery_are_not_its_readers),
        cmocka_unit_test(each_statement_has_its_tree),
        cmocka_unit_test(time_and_memory_are_there),
        cmocka_unit_test(sub_plans_are_counted),
        cmocka_unit_test(a_plan_without_a_run_has_no_counters),
        cmocka_unit_test(the_tree_is_drawn),
    };
    return cmocka_run_group_tests(tests, open_databases, close_databases);
}
