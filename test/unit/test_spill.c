// Queries that are larger than their memory: whatever is sorted, joined or read twice from disk gives the rows
// that it gives in memory, in the same order, and a disk that fails gives an error that says so.

#include "exec/spill.h"
#include "spill_world.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

// ---- sort ----

static const char *const SORT_KEYS[] = {
    "few",  "ratio", "price", "Timestamp", "took", "owner", "small",     "flag",
    "note", "type",  "same",  "nothing",   "wide", "key",   "few, flag", "note, owner"};
static const char *const ORDERS[] = {"asc nulls first", "asc nulls last", "desc nulls first",
                                     "desc nulls last"};

static void
sort_all_keys(size_t threads, size_t step)
{
    World world;
    world_open(&world, threads, 0);
    for (size_t k = 0; k < COUNT_OF(SORT_KEYS); k += step) {
        Arena arena = {0};
        must_spill(&world, str_format(&arena, "R | sort by %s %s | where row %% 31 == %zu",
                                      SORT_KEYS[k], ORDERS[(k + threads) % 4], k));
        arena_free(&arena);
    }
    world_close(&world);
}

static void
test_sorting_on_disk(void **state)
{
    (void)state;
    sort_all_keys(1, 1);
    sort_all_keys(3, 1);
    batch_rows = 7;
    sort_all_keys(2, 3);
    batch_rows = 1;
    sort_all_keys(1, 7);
    batch_rows = BATCH_ROWS_MAX;
}

// Sorting what was sorted on disk, a large take of it, and rows that are read twice.
static void
test_what_stands_on_a_sort(void **state)
{
    (void)state;
    static const char *const QUERIES[] = {
        "R | sort by note asc | sort by few desc | where row % 31 == 3",
        "R | sort by note asc | take 900 | where row % 7 == 3",
        "R | sort by note asc | summarize count(), min(row), max(wide) by few",
        "let s = materialize(R | sort by note asc, wide asc | where row % 2 == 0 | project row, "
        "few);"
        "union (s | where few > 0), (s | where row % 3 == 0)",
        "R | sort by note asc | union (L | sort by id desc) | where row % 31 == 3",
        "L | where row < 20 | mv-apply e = range(0, 400, 1) to typeof(long) on "
        "(sort by e desc | extend n = strcat(note, e) | sort by n asc | take 3)",
        "R | where row < 0 | sort by note asc",
    };
    assert_true(all_on_disk(2, 0, QUERIES, COUNT_OF(QUERIES)) >= 4);
}

// ---- join ----

static const char *const KINDS[] = {"innerunique", "inner",     "leftouter",
                                    "rightouter",  "fullouter", "leftanti",
                                    "rightanti",   "leftsemi",  "rightsemi"};
// Keys of both sides: nulls, empty texts, some rows a key on the left and on the right, and
// many that the other side has not.
static const char *const JOIN_KEYS[] = {
    "a = iff(row % 11 == 0, long(null), (row * 7 + row / 3) % 2700)",
    "a = iff(row % 13 == 0, '', strcat('the key of a row, no ', (row * 7 + row / 3) % 2700))",
    "a = iff(row % 2 == 0, real(null), ((row * 7 + row / 3) % 2700) / 4.0), b = flag",
    "a = datetime(2024-01-01) + 1s * ((row * 7 + row / 3) % 2700)",
    "a = toguid(strcat('74be27de-1e4e-49d9-b579-fe0b331d', tostring(1000 + row * 7 % 2700))), b = "
    "few",
};

#define SOME_COLUMNS                                                                               \
    "| project row, row1, note, id1, tree, tree1, price, price1, few1, owner, flag1, same, took1"

static Str
join_query(Arena *arena, const char *kind, const char *keys)
{
    bool two = strstr(keys, ", b = ") != NULL;
    // Outer kinds have nulls on one side, semi and anti kinds one side.
    bool right = strncmp(kind, "right", 5) == 0;
    bool one_side = strstr(kind, "semi") || strstr(kind, "anti");
    const char *filter = one_side ? "row % 13 == 4 | project row, few"
                         : right  ? "row1 % 37 == 4" SOME_COLUMNS
                                  : "coalesce(row, row1) % 37 == 4" SOME_COLUMNS;
    return str_format(arena, "L | extend %s | join kind=%s (R | extend %s) on a%s | where %s", keys,
                      kind, keys, two ? ", b" : "", filter);
}

static void
join_all_kinds(size_t threads, size_t step)
{
    World world;
    world_open(&world, threads, 0);
    for (size_t k = 0; k < COUNT_OF(JOIN_KEYS); k += step)
        for (size_t n = 0; n < COUNT_OF(KINDS); n++) {
            Arena arena = {0};
            must_spill(&world, join_query(&arena, KINDS[n], JOIN_KEYS[k]));
            arena_free(&arena);
        }
    world_close(&world);
}

static void
test_joining_on_disk(void **state)
{
    (void)state;
    join_all_kinds(1, 1);
    join_all_kinds(3, 2);
    batch_rows = 7;
    join_all_kinds(2, 4);
    batch_rows = 1;
    join_all_kinds(1, 4);
    batch_rows = BATCH_ROWS_MAX;
}

// One key that nearly all rows have, none at all, and joins over joins.
static void
test_uneven_joins(void **state)
{
    (void)state;
    static const char *const QUERIES[] = {
        // Rows with a null key are more than the memory, and meet nobody.
        "L | extend a = iff(row % 100 == 0, row, long(null)) "
        "| join kind=rightouter (R | extend a = iff(row % 100 == 0, row, long(null))) on a "
        "| where row1 % 37 == 4",
        "L | extend a = iff(row % 100 == 0, row, long(null)) "
        "| join kind=fullouter (R | extend a = iff(row % 100 == 0, row, long(null))) on a "
        "| where coalesce(row, row1) % 37 == 4",
        // One key in most rows: one row of it is enough.
        "L | extend a = iff(row % 3 == 0, row, 7) | join kind=innerunique "
        "(R | extend a = row | project a, row) on a",
        "L | extend a = strcat('a text of some length before it ', iff(row % 3 == 0, row, 7)) "
        "| join kind=leftsemi (R | extend a = strcat('a text of some length before it ', "
        "iff(row % 3 == 0, row, 7))) on a | where row % 13 == 4",
        "L | join kind=inner (R | join kind=leftouter (L | project row, id, note) on row) on row "
        "| where row % 37 == 4",
        "L | lookup kind=leftouter (R) on id | where row % 37 == 4",
        "L | lookup kind=inner (R) on id | where row % 37 == 4",
        "L | join kind=inner (R | where row < 0) on id",
        "L | where row < 0 | join kind=fullouter (R) on id | where row1 % 37 == 4",
        "L | sort by note asc | join kind=inner (R | sort by note desc) on row | where row % 37 == "
        "4",
    };
    for (size_t threads = 1; threads <= 3; threads += 2)
        assert_true(all_on_disk(threads, 0, QUERIES, COUNT_OF(QUERIES)) >= 6);
}

// ---- tables that are read more than once ----

static void
test_materialized_on_disk(void **state)
{
    (void)state;
    static const char *const QUERIES[] = {
        "let s = materialize(R | extend t = strcat(note, id)); "
        "union (s | where row % 31 == 3), (s | summarize n = count(), t = max(t) by few)",
        "let s = materialize(union L, R); "
        "s | where row % 37 == 4 | join kind=inner (s | where row % 74 == 4) on row | project row, "
        "tree1",
        "let s = materialize(R | where row % 2 == 0); "
        "L | where row < 20 | mv-apply e = range(0, 3, 1) to typeof(long) on "
        "(extend n = toscalar(s | summarize count() ) + e | take 2) | project row, n",
        "let s = materialize(R | where row < 0); union s, s",
    };
    for (size_t threads = 1; threads <= 3; threads += 2)
        assert_true(all_on_disk(threads, 0, QUERIES, COUNT_OF(QUERIES)) >= 3);
}

// ---- a disk that fails ----

static const char SORTED[] = "R | sort by note asc | where row % 31 == 3";

static void
must_fail(const char *dir, const char *part)
{
    Arena arena = {0};
    AzError error = {0};
    Database *db = open_tables(&arena, 2, 1 << 20, dir);
    QueryOptions options = {.rules_off = UINT32_MAX};
    assert_null(db_query(db, &arena, str_from(SORTED), &options, &error));
    if (!strstr(error.message, part) || !strstr(error.message, "--spill-dir") ||
        !strstr(error.message, dir))
        fail_msg("%s: %s", dir, error.message);
    error_clear(&error);
    db_close(db);
    arena_free(&arena);
}

static void
test_no_folder(void **state)
{
    (void)state;
    must_fail("/no/such/folder", "cannot be made");
}

// A file may not grow: what a full disk does, without filling one.
static void
test_full_disk(void **state)
{
    (void)state;
    char *dir = temp_dir_new();
    struct rlimit before, little = {100000, 100000};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little.rlim_max = before.rlim_max;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    must_fail(dir, "cannot be written");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(files_in(dir, ".", NULL, 0), 0);
    tree_remove(dir);
    free(dir);
}

// ---- files ----

typedef struct Files {
    Arena arena;
    ExecOptions options;
    Exec exec;
    Worker worker;
} Files;

static void
files_open(Files *files, const char *dir)
{
    *files = (Files){.options = {.spill_dir = dir}};
    files->exec = (Exec){.options = &files->options,
                         .arena = &files->arena,
                         .workers = &files->worker,
                         .worker_count = 1};
    files->worker.exec = &files->exec;
    files->exec.spill = spill_area_new(&files->arena);
}

static void
files_close(Files *files)
{
    spill_close(&files->exec);
    arena_free(&files->arena);
}

static const Vector *
of_encoding(Arena *arena, const Vector *flat, uint32_t encoding)
{
    uint32_t *codes = ARENA_ARRAY(arena, uint32_t, flat->count);
    for (uint32_t i = 0; i < flat->count; i++)
        codes[i] = (i * 31 + encoding) % 5;
    Value first = vector_value(flat, 0);
    return encoding == 0   ? flat
           : encoding == 1 ? vector_new_dict(arena, flat, codes, flat->count)
                           : vector_new_const(arena, &first, flat->count);
}

// Batches of all types and encodings, of all rows and of some, come back as they were.
static void
test_pieces_come_back(void **state)
{
    (void)state;
    Files files;
    files_open(&files, NULL);
    AzError error = {0};
    SpillFile *file = spill_file_new(&files.exec, &error);
    assert_non_null(file);
    for (uint32_t encoding = 0; encoding < 3; encoding++)
        for (uint32_t some = 0; some < 2; some++) {
            Batch *batch = rows_batch(&files.arena, &ROW_SCHEMA, encoding * 77, 2500);
            for (uint32_t c = 0; c < batch->column_count; c++)
                batch->columns[c] = of_encoding(&files.arena, batch->columns[c], encoding);
            uint32_t *rows = ARENA_ARRAY(&files.arena, uint32_t, 2500);
            for (uint32_t i = 0; i < 2500; i++)
                rows[i] = some ? 2499 - i : i;
            batch->selection = some ? rows : NULL;
            batch->selected = some ? 1234 : 2500;
            SpillPieces pieces = {0};
            assert_true(spill_write(file, batch, 40, &files.arena, &pieces, &error));
            assert_int_equal(pieces.rows, batch->selected);
            uint32_t at = 0;
            for (size_t p = 0; p < pieces.len; p++) {
                assert_int_equal(pieces.items[p].sequence, 40 + at);
                Batch *back = spill_read(file, &pieces.items[p], &ROW_SCHEMA, &files.arena, &error);
                assert_non_null(back);
                for (uint32_t i = 0; i < back->count; i++, at++)
                    for (uint32_t c = 0; c < back->column_count; c++) {
                        Value wanted = vector_value(batch->columns[c], batch_row(batch, at));
                        assert_true(cell_equals(back->columns[c], i, &wanted));
                    }
            }
            assert_int_equal(at, batch->selected);
        }
    assert_true(spill_bytes(&files.exec) > 0);
    files_close(&files);
}

// The newest open file that has no name any more; -1 when the system does not show them.
static int
nameless_file(const char *dir)
{
    for (int fd = 255; fd > 2; fd--) {
        char link[64], path[4096] = "";
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        if (readlink(link, path, sizeof(path) - 1) > 0 && strncmp(path, dir, strlen(dir)) == 0 &&
            strstr(path, "(deleted)"))
            return fd;
    }
    return -1;
}

// A byte that changed on the disk, and a file cut short, are told and not used.
static void
test_damaged_file(void **state)
{
    (void)state;
    char *dir = temp_dir_new();
    Files files;
    files_open(&files, dir);
    AzError error = {0};
    SpillFile *file = spill_file_new(&files.exec, &error);
    assert_non_null(file);
    assert_int_equal(files_in(dir, ".", NULL, 0), 0);
    SpillPieces pieces = {0};
    assert_true(spill_write(file, rows_batch(&files.arena, &ROW_SCHEMA, 0, 500), 0, &files.arena,
                            &pieces, &error));
    int fd = nameless_file(dir);
    if (fd < 0) {
        files_close(&files);
        tree_remove(dir);
        free(dir);
        print_message("skipped: open files are not shown here\n");
        skip();
    }
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    for (int cut = 0; cut < 2; cut++) {
        if (cut)
            assert_int_equal(ftruncate(fd, st.st_size / 2), 0);
        else
            assert_int_equal(pwrite(fd, "?", 1, st.st_size / 2), 1);
        assert_null(spill_read(file, &pieces.items[0], &ROW_SCHEMA, &files.arena, &error));
        assert_int_equal(error.code, AZ_CORRUPT);
        assert_non_null(strstr(error.message, dir));
        error_clear(&error);
    }
    files_close(&files);
    tree_remove(dir);
    free(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_come_back),
        cmocka_unit_test(test_damaged_file),
        cmocka_unit_test(test_no_folder),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_sorting_on_disk),
        cmocka_unit_test(test_what_stands_on_a_sort),
        cmocka_unit_test(test_joining_on_disk),
        cmocka_unit_test(test_uneven_joins),
        cmocka_unit_test(test_materialized_on_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
