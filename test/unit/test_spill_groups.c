// Groups that are more than the memory: a summary made on disk is the one made in memory, in the same order,
// for every aggregate and every kind of key.

#include "spill_world.h"

#include <signal.h>
#include <sys/resource.h>

// Keys with few and many values, nulls, empty and long texts, of all types.
static const char *const KEYS[] = {
    "k = row",
    "k = (row * 7 + row / 3) % 1900",
    "k = iff(row % 3 == 0, long(null), row % 1900)",
    "k = iff(row % 13 == 0, '', strcat('the key of a group, no ', row % 1900))",
    "k = iff(row % 2 == 0, real(null), (row % 1900) / 4.0), flag",
    "k = bin(Timestamp, 1h), few",
    "k = took, note",
    "k = key",
    "k = toguid(strcat('74be27de-1e4e-49d9-b579-fe0b331d', tostring(1000 + row % 1900))), few",
    "k = price, same, 7",
    "k = iff(row % 2 == 0, bool(null), flag), few, nothing, k2 = row / 3",
};

// Every aggregate there is, a few at a time: sums that depend on no order, and those that keep elements, rows and
// sketches, with conditions and constants.
static const char *const CALLS[] = {
    "n = count(), nf = countif(flag), s = sum(wide), sr = sum(ratio), sp = sum(price), d = "
    "sumif(few, on)",
    "a = avg(ratio), ai = avgif(small, flag), t = avg(took), v = variance(few), vp = "
    "variancep(ratio), "
    "sd = stdev(small), c = covariance(few, ratio), cp = covariancep(small, wide)",
    "lo = min(Timestamp), hi = max(note), p = max(price), li = minif(row, flag), g = max(ratio)",
    "ba = binary_all_and(row), bo = binary_all_or(row), bx = binary_all_xor(row)",
    "dc = dcount(note), dp = dcount(row % 50, 4), di = dcountif(id, on), cd = count_distinct(few), "
    "ci = count_distinctif(key, flag)",
    "h = dcount_hll(hll(row % 300)), hi = dcount_hll(hll_if(id, flag))",
    "l = make_list(row, 40), ln = make_list_with_nulls(small), li = make_list_if(note, flag), "
    "t = make_list(tags)",
    "s = make_set(note), si = make_set_if(few, on), sd = make_set(tree), sl = make_set(row, 3)",
    "b = make_bag(bag_pack(strcat('k', row % 9), row)), bi = make_bag_if(tree, flag)",
    "arg_max(ratio, *)",
    "arg_max(few, note, tree), arg_min(Timestamp, price, nothing), arg_min(same, row)",
    "any = take_any(owner), take_any(nothing, note), ai = take_anyif(key, flag)",
    "p = percentile(ratio, 40), percentiles(wide, 5, 95), pa = percentiles_array(took, 10, 90)",
    "pw = percentilew(ratio, small + 500, 50)",
    "td = percentile_tdigest(tdigest(wide), 50)",
    "bs = buildschema(tree)",
    "n = count(), one = sum(1), text = take_any('constant'), l = make_list(few, 2)",
};

static Str
group_query(Arena *arena, const char *calls, const char *keys)
{
    // Most groups have rows early and late: some are in memory when others go to disk.
    return str_format(arena,
                      "union L, R | summarize least = min(row), %s by %s | where least %% 19 == 4",
                      calls, keys);
}

static size_t
group_all(size_t threads, size_t least, size_t key_step, size_t call_step)
{
    World world;
    world_open(&world, threads, least);
    size_t on_disk = 0;
    for (size_t k = 0; k < COUNT_OF(KEYS); k += key_step)
        for (size_t c = k % call_step; c < COUNT_OF(CALLS); c += call_step) {
            Arena arena = {0};
            on_disk += same_on_disk(&world, group_query(&arena, CALLS[c], KEYS[k]));
            arena_free(&arena);
        }
    world_close(&world);
    return on_disk;
}

static void
test_grouping_on_disk(void **state)
{
    (void)state;
    assert_true(group_all(1, 256 << 10, 1, 4) >= 30);
    assert_true(group_all(3, 512 << 10, 2, 5) >= 10);
    batch_rows = 7;
    assert_true(group_all(2, 256 << 10, 4, 6) >= 4);
    batch_rows = 1;
    assert_true(group_all(1, 256 << 10, 10, 9) >= 1);
    batch_rows = BATCH_ROWS_MAX;
}

// Parts of parts: so many groups that rows are cut several times; groups with large states; and groups of groups.
static void
test_grouping_in_parts_of_parts(void **state)
{
    (void)state;
    static const char *const QUERIES[] = {
        "range row from 1 to 60000 step 1 "
        "| summarize n = count(), l = make_list(row, 3), m = max(strcat('the row ', row)) "
        "by k = strcat('a group of its own, no ', row % 25000), w = row % 3 | where hash(k, 97) == "
        "5",
        "range row from 1 to 60000 step 1 | distinct k = strcat('a row, and no other, ', row), row "
        "| where hash(k, 97) == 5",
        "range row from 1 to 60000 step 1 | summarize s = make_set(row) by k = row % 40 "
        "| project k, n = array_length(s), one = s[0], other = s[-1]",
        "range row from 1 to 60000 step 1 | summarize n = count(), l = make_list(row) by k = row % "
        "9000 "
        "| summarize count(), sum(n), arg_max(array_length(l), k) by few = k % 4000 "
        "| where few % 97 == 5",
    };
    for (size_t threads = 1; threads <= 2; threads++)
        assert_int_equal(all_on_disk(threads, 512 << 10, QUERIES, COUNT_OF(QUERIES)),
                         COUNT_OF(QUERIES));
}

// What takes groups in any order, by their numbers: a top of them, and groups of them. Ties at the edge of the top
// are those of the order in memory.
static const char *const BY_NUMBER[] = {
    "range row from 1 to 60000 step 1 | summarize n = count() by k = row * 7919 % 15000 "
    "| top 100 by n | project k, n",
    "range row from 1 to 60000 step 1 | summarize n = count(), t = take_any(strcat('text ', row)) "
    "by "
    "k = row * 7919 % 15000 | where k % 3 != 1 | extend m = n * (k % 7), u = strcat(t, '!') "
    "| project u, m, k | where m != 8 | top 300 by m desc",
    "range row from 1 to 60000 step 1 | distinct k = tostring(row * 7919 % 15000) | extend few = "
    "strlen(k) | sort by few desc | take 50",
    "range row from 1 to 60000 step 1 | summarize n = count() by k = row * 7919 % 15000 "
    "| summarize make_list(k, 3), take_any(k), arg_max(n, k), arg_min(n, k), make_set(k, 5), "
    "count() "
    "by few = k % 11",
    "range row from 1 to 60000 step 1 | summarize n = count() by k = row * 7919 % 15000 "
    "| where k % 2 == 0 | summarize n = count(), l = make_list(k, 2), a = arg_max(n, *) by h = k / "
    "2 "
    "| summarize count(), l = make_list(tostring(l), 4), arg_min(n, h) by few = h % 5 "
    "| top 3 by few",
    "range row from 1 to 60000 step 1 | summarize n = count() by k = row * 7919 % 15000 | count",
    "range row from 1 to 60000 step 1 | summarize n = count() by k = row * 7919 % 15000 "
    "| top 5 by n | join kind=inner (range k from 1 to 15000 step 1) on k | project k, n",
};

static const char *const SORTED[] = {
    "range row from 1 to 60000 step 1 | summarize n = count(), t = take_any(strcat('text ', row)) "
    "by "
    "k = row * 7919 % 15000 | where k % 3 != 1 | sort by n, strlen(t) | where k % 100 == 3",
    "range row from 1 to 60000 step 1 | distinct k = tostring(row * 7919 % 15000) | extend few = "
    "strlen(k) | sort by few asc | where hash(k, 97) == 5",
};

static void
test_groups_by_number(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= 3; threads++)
        assert_int_equal(all_on_disk(threads, 512 << 10, BY_NUMBER, COUNT_OF(BY_NUMBER)),
                         COUNT_OF(BY_NUMBER));
    for (size_t threads = 1; threads <= 2; threads++)
        assert_int_equal(all_on_disk(threads, 512 << 10, SORTED, COUNT_OF(SORTED)),
                         COUNT_OF(SORTED));
    batch_rows = 7;
    assert_int_equal(all_on_disk(2, 512 << 10, BY_NUMBER, COUNT_OF(BY_NUMBER)),
                     COUNT_OF(BY_NUMBER));
    batch_rows = BATCH_ROWS_MAX;
}

// ---- groups that need not go to disk ----

static const char *const IN_DOUBT[] = {
    "union L, R | summarize n = count(), l = make_list(row, 3), note = take_any(note) by k = row % "
    "5000, few",
    "union L, R | distinct k = strcat('a text of some length that no other has, ', row % 5000)",
    "union L, R | summarize n = count(), s = make_set(few) by k = row % 4000 | top 200 by n",
};

// Asks with memory for all groups, of which few are held in memory when the disk can be written; whether anything was on
// it. There is a table M of so many rows.
static bool
same_with_disk(DatabaseOptions options, uint32_t rows, const char *query)
{
    Arena arena = {0};
    AzError why = {0};
    if (!options.group_memory)
        options.group_memory = 100 << 10;
    Database *whole = open_tables(&arena, 1, 0, NULL), *few = open_with(&arena, &options);
    put_rows(whole, &arena, "M", 0, rows);
    put_rows(few, &arena, "M", 0, rows);
    const QueryResult *wanted = ask(whole, &arena, str_from(query), &why);
    const QueryResult *found = ask(few, &arena, str_from(query), &why);
    if (!wanted || !found)
        fail_msg("%s: %s", query, why.message);
    uint64_t row = 0;
    const char *wrong = rows_differ(found->tables[0], wanted->tables[0], &row);
    if (wrong)
        fail_msg("%s: row %llu: %.20s", query, (unsigned long long)row, wrong);
    bool on_disk = spilled(found->explain) > 0;
    db_close(few);
    db_close(whole);
    arena_free(&arena);
    return on_disk;
}

static void
test_groups_without_disk(void **state)
{
    (void)state;
    for (size_t q = 0; q < COUNT_OF(IN_DOUBT); q++)
        for (size_t threads = 1; threads <= 2; threads++) {
            assert_true(same_with_disk((DatabaseOptions){.threads = threads}, 0, IN_DOUBT[q]));
            assert_false(same_with_disk(
                (DatabaseOptions){.threads = threads, .spill_dir = "/no/such/folder"}, 0,
                IN_DOUBT[q]));
        }
    // The groups are on disk, and sorted in memory.
    for (size_t q = 0; q < COUNT_OF(SORTED); q++)
        for (size_t threads = 1; threads <= 2; threads++)
            assert_true(same_with_disk((DatabaseOptions){.threads = threads}, 0, SORTED[q]));
}

// So many rows that all workers have some: there are groups that each of them meets, early and late, and more that one
// of them meets.
static void
test_groups_of_several_workers(void **state)
{
    (void)state;
    static const char *const QUERIES[] = {
        "M | summarize n = count(), t = take_any(note) by k = iff(row % 2 == 0, row % 150, row) | "
        "top 300 by n",
        "M | summarize n = count() by k = iff(row % 2 == 0, row % 150, row) | sort by n desc | "
        "where n > 1",
        "M | summarize s = sum(few), l = make_list(row, 5) by k = iff(row % 2 == 0, row % 150, "
        "row) "
        "| summarize count(), sum(s), arg_max(s, k, l), make_list(k, 3) by few = k % 7",
    };
    enum { ROWS = 40000 };
    for (size_t q = 0; q < COUNT_OF(QUERIES); q++)
        for (size_t threads = 1; threads <= 3; threads++)
            assert_true(
                same_with_disk((DatabaseOptions){.threads = threads, .group_memory = 400 << 10},
                               ROWS, QUERIES[q]));
}

// Files grow up to some size: what was written is read, and the rest of the groups are in memory.
static void
test_groups_on_full_disk(void **state)
{
    (void)state;
    static const rlim_t SIZES[] = {1, 500000, 900000, 1300000};
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < COUNT_OF(SIZES); i++)
        for (size_t q = i % 2; q < COUNT_OF(BY_NUMBER); q += 2) {
            struct rlimit little = {SIZES[i], before.rlim_max};
            assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
            bool on_disk = same_with_disk((DatabaseOptions){.threads = 1 + i / 2}, 0, BY_NUMBER[q]);
            assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
            assert_int_equal(on_disk, i > 0);
        }
    signal(SIGXFSZ, handler);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_by_number),
        cmocka_unit_test(test_groups_without_disk),
        cmocka_unit_test(test_groups_of_several_workers),
        cmocka_unit_test(test_groups_on_full_disk),
        cmocka_unit_test(test_grouping_on_disk),
        cmocka_unit_test(test_grouping_in_parts_of_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
