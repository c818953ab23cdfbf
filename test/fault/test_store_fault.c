// The store when things go wrong: every system call that fails once or for ever,
// a killed process, a full disk, damaged files, a read-only directory, two writers.
// Whatever happens, who opens the store next sees the old state or the new one.
//
// Failures are injected at four places: the store's own calls (os_hook), the
// calls of SQLite's unix VFS (xSetSystemCall), and fsync and fdatasync, which this
// program defines in the C library's place since SQLite calls those directly.

#include "../store_rows.h"
#include "store/catalog_pages.h"
#include "store/segment.h"
#include "store/store_internal.h"
#include "store/upkeep.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

// ---- Injection

static struct {
    bool armed;
    bool for_ever; // every call from the n-th on fails
    bool halves;   // writes are short and every other call is interrupted
    int error;     // what the failing call says
    unsigned calls, fail_at;
} inject;

// Errno for this call, or 0 to let it happen.
static int
inject_ask(void)
{
    if (!inject.armed || inject.halves)
        return 0;
    inject.calls++;
    bool fails = inject.for_ever ? inject.calls >= inject.fail_at : inject.calls == inject.fail_at;
    return fails ? inject.error : 0;
}

static int
hook(OsCall call, const char *path)
{
    (void)path;
    if (inject.armed && inject.halves && call == OS_WRITE)
        return ++inject.calls & 1 ? OS_SHORT : EINTR;
    return inject_ask();
}

static bool
inject_fails(void)
{
    int error = inject_ask();
    errno = error;
    return error != 0;
}

// Nothing here cuts the power: what the kernel was given is there, so that no test waits for disks.
int
fsync(int fd)
{
    (void)fd;
    return inject_fails() ? -1 : 0;
}

int
fdatasync(int fd)
{
    (void)fd;
    return inject_fails() ? -1 : 0;
}

static ssize_t
sqlite_write(int fd, const void *data, size_t size)
{
    return inject_fails() ? -1 : write(fd, data, size);
}

static ssize_t
sqlite_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return inject_fails() ? -1 : pwrite(fd, data, size, offset);
}

static int
sqlite_ftruncate(int fd, off_t size)
{
    return inject_fails() ? -1 : ftruncate(fd, size);
}

static int
sqlite_open(const char *path, int flags, int mode)
{
    return (flags & O_CREAT) && inject_fails() ? -1 : open(path, flags, mode);
}

static int
sqlite_unlink(const char *path)
{
    return inject_fails() ? -1 : unlink(path);
}

static void
sqlite_hook(void)
{
    static const struct {
        const char *name;
        sqlite3_syscall_ptr call;
    } CALLS[] = {
        {"write", (sqlite3_syscall_ptr)sqlite_write},
        {"pwrite", (sqlite3_syscall_ptr)sqlite_pwrite},
        {"pwrite64", (sqlite3_syscall_ptr)sqlite_pwrite},
        {"ftruncate", (sqlite3_syscall_ptr)sqlite_ftruncate},
        {"open", (sqlite3_syscall_ptr)sqlite_open},
        {"unlink", (sqlite3_syscall_ptr)sqlite_unlink},
    };
    sqlite3_initialize();
    sqlite3_vfs *vfs = sqlite3_vfs_find("unix");
    for (size_t i = 0; i < COUNT_OF(CALLS); i++)
        if (vfs->xGetSystemCall(vfs, CALLS[i].name))
            assert_int_equal(SQLITE_OK, vfs->xSetSystemCall(vfs, CALLS[i].name, CALLS[i].call));
}

// ---- Fixture

typedef struct Fixture {
    char *dir, *path;
    AzError error;
} Fixture;

static int
setup(void **state)
{
    Fixture *f = calloc(1, sizeof(*f));
    f->dir = temp_dir_new();
    f->path = malloc(strlen(f->dir) + 16);
    sprintf(f->path, "%s/store", f->dir);
    os_hook = hook;
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;
    memset(&inject, 0, sizeof(inject));
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

// Rows of `table` in the newest view; -1 when it has no such table. They must be
// rows 0.. and right in every cell.
static int64_t
table_rows(Fixture *f, Store *store, const char *table)
{
    StoreView *view = must(f, store_view_open(store, 0, &f->error));
    TableSource *source = store_view_source(view, str_from(table), &f->error);
    if (f->error.code)
        print_error("%s\n", f->error.message);
    assert_int_equal(f->error.code, AZ_OK);
    int64_t rows = source ? (int64_t)source->row_count : -1;
    const char *wrong = source ? rows_check(source, 0, source->row_count, &f->error) : NULL;
    if (wrong)
        print_error("%s: %s\n", table, wrong);
    assert_null(wrong);
    store_view_close(view);
    return rows;
}

static void
count_problem(void *context, const char *line)
{
    (void)line;
    ++*(int *)context;
}

// Rows [from, from + count) into an inventory and a log table, in one import.
static bool
import_both(Store *store, uint64_t from, uint64_t count, AzError *error)
{
    StoreImportInfo info = {STR("fault"), STR("tenant"), STR("0"), true};
    StoreWriter *writer = store_writer_new(store, &info, error);
    if (!writer)
        return false;
    TableWriter *inventory =
        store_writer_table(writer, STR("Resources"), TABLE_INVENTORY, &ROW_SCHEMA, error);
    TableWriter *log =
        inventory ? store_writer_table(writer, STR("Logs"), TABLE_LOG, &ROW_SCHEMA, error) : NULL;
    if (!log || !rows_append(inventory, &ROW_SCHEMA, 0, from + count, error) ||
        !rows_append(log, &ROW_SCHEMA, from, count, error)) {
        store_abort(writer);
        return false;
    }
    return store_commit(writer, NULL, error);
}

enum { OLD_ROWS = 10, NEW_ROWS = 30 };

// Opens a store with OLD_ROWS rows and imports up to NEW_ROWS.
static bool
import_attempt(const char *path, AzError *error)
{
    Store *store = store_open(path, STORE_WRITE, error);
    if (!store)
        return false;
    bool ok = import_both(store, OLD_ROWS, NEW_ROWS - OLD_ROWS, error);
    store_close(store);
    return ok;
}

// Both tables have the rows of one and the same state; which.
static int64_t
state_check(Fixture *f, StoreMode mode)
{
    Store *store = must(f, store_open(f->path, mode, &f->error));
    int64_t inventory = table_rows(f, store, "Resources"), log = table_rows(f, store, "Logs");
    assert_int_equal(inventory, log);
    int problems = 0;
    assert_int_equal(0, store_check(store, count_problem, &problems, &f->error));
    store_close(store);
    return log;
}

static void
base_make(Fixture *f)
{
    tree_remove(f->path);
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    assert_true(import_both(store, 0, OLD_ROWS, &f->error));
    store_close(store);
}

// ---- Tests

static void
fail_each_call(Fixture *f, int error, bool for_ever)
{
    unsigned old = 0, fresh = 0;
    for (unsigned n = 1;; n++) {
        base_make(f);
        memset(&inject, 0, sizeof(inject));
        inject.error = error;
        inject.for_ever = for_ever;
        inject.fail_at = n;
        inject.armed = true;
        AzError failure = {0};
        bool ok = import_attempt(f->path, &failure);
        inject.armed = false;
        bool untouched = inject.calls < n;
        if (!ok) {
            assert_int_not_equal(failure.code, AZ_OK);
            assert_non_null(strstr(failure.message, f->path));
            if (error == ENOSPC && for_ever && !strstr(failure.message, "disk is full") &&
                !strstr(failure.message, "is the disk full") &&
                !strstr(failure.message, "disk may be full"))
                fail_msg("call %u: %s", n, failure.message);
        }
        int64_t rows = state_check(f, STORE_READ);
        if (ok)
            assert_int_equal(rows, NEW_ROWS);
        else
            assert_true(rows == OLD_ROWS || rows == NEW_ROWS);
        old += rows == OLD_ROWS;
        fresh += rows == NEW_ROWS;
        // The next writer clears what is left and gets through.
        if (rows == OLD_ROWS)
            assert_true(import_attempt(f->path, &f->error));
        assert_int_equal(state_check(f, STORE_WRITE), NEW_ROWS);
        assert_int_equal(files_in(f->path, "tmp", NULL, 0), 0);
        assert_int_equal(files_in(f->path, "segments", NULL, 0), 4);
        if (untouched) {
            assert_true(ok);
            break;
        }
        assert_true(n < 1000);
    }
    print_message("%u calls failed in turn: %u times the old state, %u the new\n", old + fresh - 1,
                  old, fresh);
    assert_true(old > 10);
}

static void
test_each_call_fails_once(void **state)
{
    fail_each_call(*state, EIO, false);
}

static void
test_disk_full_from_each_call_on(void **state)
{
    fail_each_call(*state, ENOSPC, true);
}

// A store whose creation fails anywhere can be created again.
static void
test_creation_fails(void **state)
{
    Fixture *f = *state;
    for (unsigned n = 1;; n++) {
        tree_remove(f->path);
        memset(&inject, 0, sizeof(inject));
        inject.error = EIO;
        inject.for_ever = n & 1;
        inject.fail_at = n / 2 + 1;
        inject.armed = true;
        AzError failure = {0};
        Store *store = store_open(f->path, STORE_WRITE, &failure);
        store_close(store);
        inject.armed = false;
        if (inject.calls < inject.fail_at)
            break;
        error_clear(&failure);
        store = store_open(f->path, STORE_READ, &failure); // there, or clearly not
        store_close(store);
        store = must(f, store_open(f->path, STORE_WRITE, &f->error));
        assert_true(import_both(store, 0, OLD_ROWS, &f->error));
        store_close(store);
        assert_int_equal(state_check(f, STORE_READ), OLD_ROWS);
        assert_true(n < 1000);
    }
}

static void
test_short_and_interrupted_writes(void **state)
{
    Fixture *f = *state;
    base_make(f);
    memset(&inject, 0, sizeof(inject));
    inject.armed = inject.halves = true;
    assert_true(import_attempt(f->path, &f->error));
    assert_true(inject.calls > 10);
    inject.armed = false;
    assert_int_equal(state_check(f, STORE_READ), NEW_ROWS);
}

// The commit is a failure when an append was, even if its caller went on.
static void
test_failed_append_fails_commit(void **state)
{
    Fixture *f = *state;
    base_make(f);
    static Column columns[] = {{STR_INIT("row"), TYPE_LONG}};
    Schema schema = {columns, 1};
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    StoreImportInfo info = {STR(""), STR(""), STR(""), true};
    StoreWriter *writer = must(f, store_writer_new(store, &info, &f->error));
    TableWriter *table =
        must(f, store_writer_table(writer, STR("T"), TABLE_LOG, &schema, &f->error));
    memset(&inject, 0, sizeof(inject));
    inject.error = ENOSPC;
    inject.for_ever = true;
    inject.armed = true;
    assert_false(rows_append(table, &schema, 0, SEGMENT_ROWS, &f->error));
    inject.armed = false;
    error_clear(&f->error);
    assert_false(store_commit(writer, NULL, &f->error));
    assert_non_null(strstr(f->error.message, "disk is full"));
    error_clear(&f->error);
    assert_int_equal(table_rows(f, store, "T"), -1);
    store_close(store);
}

static _Noreturn void
writer_child(const char *path, uint64_t from)
{
    AzError error = {0};
    Store *store = store_open(path, STORE_WRITE, &error);
    for (uint64_t n = from; store; n += 7)
        if (!import_both(store, n, 7, &error))
            break;
    fprintf(stderr, "%s\n", error.message);
    _exit(1); // only the parent's signal ends a child that is well
}

static void
test_killed_writer(void **state)
{
    Fixture *f = *state;
    enum { ROUNDS = 40 };
    store_close(must(f, store_open(f->path, STORE_WRITE, &f->error)));
    int64_t rows = 0;
    unsigned moved = 0, longest = 60000; // microseconds
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (round % 8 == 7 && moved < 4)
            longest *= 4; // a slow machine, or a busy one: nothing was committed in that time
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            writer_child(f->path, (uint64_t)rows);
        usleep((useconds_t)(row_noise(round, 5) % longest));
        kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
        Store *store = must(f, store_open(f->path, STORE_READ, &f->error));
        int64_t log = table_rows(f, store, "Logs"), inventory = table_rows(f, store, "Resources");
        assert_int_equal(log, inventory);
        log = log < 0 ? 0 : log;
        assert_true(log >= rows && log % 7 == 0);
        store_close(store);
        moved += log > rows;
        rows = log;
    }
    print_message("%u kills, %lld rows committed in between\n", (unsigned)ROUNDS, (long long)rows);
    assert_true(moved > 3);
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error)); // clears up
    assert_int_equal(files_in(f->path, "tmp", NULL, 0), 0);
    assert_int_equal(files_in(f->path, "segments", NULL, 0), (size_t)rows / 7 * 2);
    store_close(store);
}

static void
file_write(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

static char *
file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *data = malloc(*size);
    assert_int_equal(fread(data, 1, *size, file), *size);
    fclose(file);
    return data;
}

// One log table with one segment; its path and bytes.
static char *
one_segment(Fixture *f, char *path, size_t path_size, size_t *size)
{
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    assert_int_equal(0, rows_import(store, "Logs", TABLE_LOG, &ROW_SCHEMA, 0, 200, &f->error));
    store_close(store);
    assert_int_equal(files_in(f->path, "segments", path, path_size), 1);
    return file_read(path, size);
}

typedef struct Damage {
    const char *path;
    int problems;
    bool named; // each line names the file
} Damage;

static void
count_damage(void *context, const char *line)
{
    Damage *damage = context;
    damage->problems++;
    damage->named &= strstr(line, damage->path) != NULL;
}

// The damage is found by the check; a scan either fails or is right.
static void
damage_check(Fixture *f, const char *path)
{
    Store *store = must(f, store_open(f->path, STORE_READ, &f->error));
    Damage damage = {.path = path, .named = true};
    assert_true(store_check(store, count_damage, &damage, &f->error) > 0);
    assert_true(damage.problems > 0 && damage.named);
    StoreView *view = must(f, store_view_open(store, 0, &f->error));
    TableSource *source = store_view_source(view, STR("Logs"), &f->error);
    if (source) {
        const char *wrong = rows_check(source, 0, 200, &f->error);
        assert_true(!wrong || f->error.code != AZ_OK);
    }
    if (f->error.code) {
        assert_true(f->error.code == AZ_CORRUPT || f->error.code == AZ_INVALID ||
                    f->error.code == AZ_NOT_FOUND);
        assert_non_null(strstr(f->error.message, path));
    }
    error_clear(&f->error);
    store_view_close(view);
    store_close(store);
}

static void
test_truncated_segment(void **state)
{
    Fixture *f = *state;
    char path[4200];
    size_t size;
    char *bytes = one_segment(f, path, sizeof(path), &size);
    for (size_t len = 0; len < size; len += len < 40 || len + 40 > size ? 1 : 211) {
        file_write(path, bytes, len);
        damage_check(f, path);
        // Also without the catalog's help.
        assert_null(segment_open(path, &f->error));
        assert_int_equal(f->error.code, AZ_CORRUPT);
        error_clear(&f->error);
    }
    unlink(path);
    damage_check(f, path);
    free(bytes);
}

static void
test_flipped_bits(void **state)
{
    Fixture *f = *state;
    char path[4200];
    size_t size;
    char *bytes = one_segment(f, path, sizeof(path), &size);
    uint64_t footer;
    memcpy(&footer, bytes + size - 32, sizeof(footer));
    unsigned flips = 0;
    for (size_t at = 0; at < size; at++, flips++) {
        // All of head and tail, samples of blocks and footer.
        bytes[at] ^= (char)(1 << at % 8);
        file_write(path, bytes, size);
        damage_check(f, path);
        bytes[at] ^= (char)(1 << at % 8);
        if (at > 40 && at + 40 < size)
            at += at < footer ? 60 : 12;
    }
    print_message("%u flips in %zu bytes\n", flips, size);
    file_write(path, bytes, size);
    Store *store = must(f, store_open(f->path, STORE_READ, &f->error));
    assert_int_equal(table_rows(f, store, "Logs"), 200);
    store_close(store);
    free(bytes);
}

// What a store with a damaged catalog says: every read is right, or an error that names the catalog.
static bool
catalog_damage_check(Fixture *f, const char *path)
{
    AzError error = {0};
    Store *store = store_open(f->path, STORE_READ, &error);
    StoreView *view = store ? store_view_open(store, 0, &error) : NULL;
    static const char *const TABLES[] = {"Logs", "Resources"};
    for (size_t t = 0; view && t < COUNT_OF(TABLES); t++) {
        TableSource *source = store_view_source(view, str_from(TABLES[t]), &error);
        assert_true(source || error.code);
        const char *wrong = source ? rows_check(source, 0, OLD_ROWS, &error) : NULL;
        if (wrong)
            fail_msg("%s: %s", TABLES[t], wrong);
    }
    store_view_close(view);
    int problems = 0;
    bool found = error.code || store_check(store, count_problem, &problems, &error) != 0;
    if (error.code && (error.code != AZ_CORRUPT || !strstr(error.message, path)))
        fail_msg("%d: %s", error.code, error.message);
    store_close(store);
    return found;
}

static void
test_flipped_catalog(void **state)
{
    Fixture *f = *state;
    base_make(f);
    char path[4200];
    snprintf(path, sizeof(path), "%s/catalog.sqlite", f->path);
    size_t size;
    char *bytes = file_read(path, &size);
    unsigned flips = 0, found = 0;
    for (size_t at = 0; at < size; at += at < 100 ? 1 : 37, flips++) {
        bytes[at] ^= (char)(1 << at % 8);
        file_write(path, bytes, size);
        found += catalog_damage_check(f, path);
        bytes[at] ^= (char)(1 << at % 8);
    }
    print_message("%u flips in %zu bytes, %u found\n", flips, size, found);
    assert_int_equal(found, flips);
    for (size_t len = 0; len < size; len += 1024) {
        file_write(path, bytes, len);
        AzError error = {0};
        Store *store = store_open(f->path, STORE_READ, &error);
        assert_true(!store || catalog_damage_check(f, path));
        if (!store)
            assert_non_null(strstr(error.message, path));
        store_close(store);
    }
    file_write(path, bytes, size);
    assert_false(catalog_damage_check(f, path));
    free(bytes);
}

// A catalog that points outside of segments/ or lies about rows is damage.
static void
test_hostile_catalog(void **state)
{
    Fixture *f = *state;
    static const char *const CHANGES[] = {
        "UPDATE segments SET file = '../../../etc/passwd' WHERE id = 1",
        "UPDATE segments SET file = '' WHERE id = 2",
        "UPDATE segments SET group_rows = x'ffffffff'",
        "UPDATE segments SET group_rows = x'00'",
        "UPDATE segments SET rows = -1",
        "UPDATE columns SET type = 'nonsense'",
        "UPDATE columns SET type = 'dynamic' WHERE name = 'row'",
        "UPDATE segments SET checksum = 1",
        "UPDATE segments SET bytes = 5",
        "DROP TABLE segments",
    };
    for (size_t i = 0; i < COUNT_OF(CHANGES); i++) {
        base_make(f);
        char path[4200];
        snprintf(path, sizeof(path), "%s/catalog.sqlite", f->path);
        sqlite3 *db;
        assert_int_equal(SQLITE_OK,
                         sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, catalog_pages_vfs()));
        assert_int_equal(SQLITE_OK, sqlite3_exec(db, CHANGES[i], NULL, NULL, NULL));
        sqlite3_close(db);
        Store *store = must(f, store_open(f->path, STORE_READ, &f->error));
        StoreView *view = store_view_open(store, 0, &f->error);
        TableSource *source = view ? store_view_source(view, STR("Logs"), &f->error) : NULL;
        if (source)
            assert_non_null(rows_check(source, 0, OLD_ROWS, &f->error));
        if (f->error.code != AZ_CORRUPT)
            print_error("%s: %s\n", CHANGES[i], f->error.message);
        assert_int_equal(f->error.code, AZ_CORRUPT);
        error_clear(&f->error);
        store_view_close(view);
        store_close(store);
    }
}

// In a child that may not write, whoever runs the test: what `run` says (0 = well).
static int
unprivileged(Fixture *f, int (*run)(Fixture *))
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(99);
        _exit(run(f));
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
tree_mode(const char *path, mode_t dirs, mode_t files)
{
    DIR *dir = opendir(path);
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        char child[4096];
        if (entry->d_name[0] != '.' &&
            snprintf(child, sizeof(child), "%s/%s", path, entry->d_name) < (int)sizeof(child))
            tree_mode(child, dirs, files);
    }
    if (dir)
        closedir(dir);
    chmod(path, dir ? dirs : files);
}

static int
read_old_state(Fixture *f)
{
    Store *store = store_open(f->path, STORE_READ, &f->error);
    StoreView *view = store ? store_view_open(store, 0, &f->error) : NULL;
    TableSource *source = view ? store_view_source(view, STR("Logs"), &f->error) : NULL;
    if (!source || rows_check(source, 0, source->row_count, &f->error)) {
        fprintf(stderr, "%s\n", f->error.message);
        return 1;
    }
    int rows = (int)source->row_count;
    store_view_close(view);
    store_close(store);
    if (store_open(f->path, STORE_WRITE, &f->error) || !strstr(f->error.message, f->path))
        return 2;
    return rows == OLD_ROWS ? 0 : rows == NEW_ROWS ? 3 : 4;
}

static void
test_read_only_directory(void **state)
{
    Fixture *f = *state;
    base_make(f);
    chmod(f->dir, 0755);
    tree_mode(f->path, 0555, 0444);
    assert_int_equal(unprivileged(f, read_old_state), 0);
    tree_mode(f->path, 0755, 0644);
    // A writer that died left its newest commit in SQLite's log only.
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        Store *store = store_open(f->path, STORE_WRITE, &f->error);
        _exit(!store || !import_both(store, OLD_ROWS, NEW_ROWS - OLD_ROWS, &f->error));
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    tree_mode(f->path, 0555, 0444);
    assert_int_equal(unprivileged(f, read_old_state), 3);
    tree_mode(f->path, 0755, 0644);
}

// A full disk does not keep anybody from reading.
static void
test_read_with_full_disk(void **state)
{
    Fixture *f = *state;
    base_make(f);
    for (unsigned n = 1; n < 6; n++) {
        memset(&inject, 0, sizeof(inject));
        inject.error = ENOSPC;
        inject.for_ever = inject.armed = true;
        inject.fail_at = n;
        assert_int_equal(state_check(f, STORE_READ), OLD_ROWS);
        inject.armed = false;
    }
    // A reader that began so sees what is committed later.
    base_make(f);
    inject.armed = true;
    inject.calls = 0;
    inject.fail_at = 1;
    Store *reader = must(f, store_open(f->path, STORE_READ, &f->error));
    assert_int_equal(table_rows(f, reader, "Logs"), OLD_ROWS);
    inject.armed = false;
    bool imported = import_attempt(f->path, &f->error);
    if (!imported)
        print_error("%s\n", f->error.message);
    assert_true(imported);
    assert_int_equal(table_rows(f, reader, "Logs"), NEW_ROWS);
    store_close(reader);
}

static void
test_two_writers(void **state)
{
    Fixture *f = *state;
    Store *first = must(f, store_open(f->path, STORE_WRITE, &f->error));
    assert_null(store_open(f->path, STORE_WRITE, &f->error));
    assert_int_equal(f->error.code, AZ_BUSY);
    assert_non_null(strstr(f->error.message, "another process"));
    error_clear(&f->error);
    // A reader is welcome, and sees commits of the writer when it looks again.
    Store *reader = must(f, store_open(f->path, STORE_READ, &f->error));
    assert_int_equal(table_rows(f, reader, "Logs"), -1);
    assert_true(import_both(first, 0, 5, &f->error));
    assert_int_equal(table_rows(f, reader, "Logs"), 5);
    store_close(first);
    first = must(f, store_open(f->path, STORE_WRITE, &f->error));
    store_close(first);
    assert_int_equal(table_rows(f, reader, "Logs"), 5);
    store_close(reader);
}

// What a dead writer left goes; what is not the store's stays.
static void
test_leftovers(void **state)
{
    Fixture *f = *state;
    base_make(f);
    static const char *const FILES[] = {"tmp/half.azs", "segments/orphan.azs", "segments/README"};
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        char path[4200];
        snprintf(path, sizeof(path), "%s/%s", f->path, FILES[i]);
        file_write(path, "x", 1);
    }
    assert_int_equal(state_check(f, STORE_READ), OLD_ROWS);
    assert_int_equal(files_in(f->path, "tmp", NULL, 0), 1);
    assert_int_equal(state_check(f, STORE_WRITE), OLD_ROWS);
    assert_int_equal(files_in(f->path, "tmp", NULL, 0), 0);
    assert_int_equal(files_in(f->path, "segments", NULL, 0), 3);
}

// ---- Compaction

enum { PARTS = 8, PART_ROWS = 10, COMPACT_ROWS = PARTS * PART_ROWS };

// Logs in PARTS small segments, and Resources in as many of one snapshot.
static void
parts_make(Fixture *f)
{
    tree_remove(f->path);
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    for (unsigned part = 0; part < PARTS; part++) {
        StoreImportInfo info = {STR("fault"), STR("tenant"), STR("0"), part == 0};
        StoreWriter *writer = must(f, store_writer_new(store, &info, &f->error));
        static const struct {
            const char *name;
            TableKind kind;
        } TABLES[] = {{"Logs", TABLE_LOG}, {"Resources", TABLE_INVENTORY}};
        for (size_t t = 0; t < COUNT_OF(TABLES); t++) {
            TableWriter *table =
                must(f, store_writer_table(writer, str_from(TABLES[t].name), TABLES[t].kind,
                                           &ROW_SCHEMA, &f->error));
            assert_true(rows_append(table, &ROW_SCHEMA, part * PART_ROWS, PART_ROWS, &f->error));
        }
        assert_true(store_commit(writer, NULL, &f->error));
    }
    store_close(store);
}

static bool
compact_attempt(const char *path, AzError *error)
{
    UpkeepOptions options = {.now = TICKS_UNIX_EPOCH};
    UpkeepReport report;
    Store *store = store_open(path, STORE_WRITE, error);
    bool ok = store && store_compact(store, &options, &report, error);
    store_close(store);
    return ok;
}

// Merges what has gathered: of the log table only.
static bool
merge_attempt(const char *path, AzError *error)
{
    UpkeepReport report;
    Store *store = store_open(path, STORE_WRITE, error);
    bool ok = store && store_merge(store, &report, error);
    store_close(store);
    return ok;
}

typedef struct Rewriting {
    bool (*attempt)(const char *path, AzError *error);
    size_t files; // that are left by it
} Rewriting;

static const Rewriting COMPACTION = {compact_attempt, 2}, MERGE = {merge_attempt, 1 + PARTS};

// Whatever compaction met: all rows, once, and a store that is sound.
static void
rewriting_fail_each_call(Fixture *f, const Rewriting *rewriting, int error, bool for_ever)
{
    unsigned failures = 0;
    for (unsigned n = 1;; n++) {
        parts_make(f);
        memset(&inject, 0, sizeof(inject));
        inject.error = error;
        inject.for_ever = for_ever;
        inject.fail_at = n;
        inject.armed = true;
        AzError failure = {0};
        bool ok = rewriting->attempt(f->path, &failure);
        inject.armed = false;
        bool untouched = inject.calls < n;
        failures += !ok;
        assert_true(ok || failure.code != AZ_OK);
        assert_int_equal(state_check(f, STORE_READ), COMPACT_ROWS);
        assert_true(rewriting->attempt(f->path, &f->error));
        assert_int_equal(state_check(f, STORE_WRITE), COMPACT_ROWS);
        assert_int_equal(files_in(f->path, "tmp", NULL, 0), 0);
        assert_int_equal(files_in(f->path, "segments", NULL, 0), rewriting->files);
        if (untouched) {
            assert_true(ok);
            break;
        }
        assert_true(n < 1000);
    }
    print_message("%u rewritings failed in turn\n", failures);
    assert_true(failures > 10);
}

static void
test_compact_call_fails_once(void **state)
{
    rewriting_fail_each_call(*state, &COMPACTION, EIO, false);
    rewriting_fail_each_call(*state, &MERGE, EIO, false);
}

static void
test_compact_disk_full(void **state)
{
    rewriting_fail_each_call(*state, &COMPACTION, ENOSPC, true);
    rewriting_fail_each_call(*state, &MERGE, ENOSPC, true);
}

static _Noreturn void
compact_child(const char *path)
{
    AzError error = {0};
    _exit(compact_attempt(path, &error) ? 0 : 1);
}

static void
test_killed_compaction(void **state)
{
    Fixture *f = *state;
    unsigned killed = 0;
    for (unsigned round = 0; round < 40; round++) {
        parts_make(f);
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            compact_child(f->path);
        usleep((useconds_t)(row_noise(round, 6) % 20000));
        kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        killed += WIFSIGNALED(status);
        assert_int_equal(state_check(f, STORE_READ), COMPACT_ROWS);
        assert_true(compact_attempt(f->path, &f->error));
        assert_int_equal(state_check(f, STORE_WRITE), COMPACT_ROWS);
        assert_int_equal(files_in(f->path, "segments", NULL, 0), 2);
    }
    print_message("%u compactions killed\n", killed);
    assert_true(killed > 3);
}

// Views of before read on while and after their segments leave, and writers that open later let
// their files be; when the last view is closed they go.
static void
test_reader_during_compaction(void **state)
{
    Fixture *f = *state;
    parts_make(f);
    Store *reader = must(f, store_open(f->path, STORE_READ, &f->error));
    StoreView *view = must(f, store_view_open(reader, 0, &f->error));
    assert_true(compact_attempt(f->path, &f->error));
    store_close(must(f, store_open(f->path, STORE_WRITE, &f->error)));
    assert_int_equal(files_in(f->path, "segments", NULL, 0), 2 * PARTS + 2);
    TableSource *source = must(f, store_view_source(view, STR("Logs"), &f->error));
    assert_int_equal(source->morsel_count, PARTS);
    assert_null(rows_check(source, 0, COMPACT_ROWS, &f->error));
    assert_int_equal(table_rows(f, reader, "Logs"), COMPACT_ROWS); // a new view, the new state
    store_view_close(view);
    store_close(must(f, store_open(f->path, STORE_WRITE, &f->error)));
    assert_int_equal(files_in(f->path, "segments", NULL, 0), 2);
    assert_int_equal(table_rows(f, reader, "Logs"), COMPACT_ROWS);
    store_close(reader);
}

// A segment's number is not given out again: a reader that keeps segments by it would mix them up.
static void
test_numbers_are_not_reused(void **state)
{
    Fixture *f = *state;
    parts_make(f);
    Store *reader = must(f, store_open(f->path, STORE_READ, &f->error));
    assert_int_equal(table_rows(f, reader, "Logs"), COMPACT_ROWS);
    Store *store = must(f, store_open(f->path, STORE_WRITE, &f->error));
    assert_true(store_retention_set(store, STR("Logs"), 1, &f->error));
    UpkeepOptions options = {.now = DATETIME_MAX}; // all rows that have a time are past it
    UpkeepReport report;
    assert_true(store_compact(store, &options, &report, &f->error));
    assert_true(report.rows_expired > 0 && report.rows_expired <= COMPACT_ROWS);
    assert_int_equal(0, rows_import(store, "Logs", TABLE_LOG, &ROW_SCHEMA, 100, 5, &f->error));
    store_close(store);
    Arena arena = {0};
    StoreView *view = must(f, store_view_open(reader, 0, &f->error));
    TableSource *source = must(f, store_view_source(view, STR("Logs"), &f->error));
    assert_int_equal(source->row_count, COMPACT_ROWS - report.rows_expired + 5);
    uint32_t last = source->morsel_count - 1, found = 0;
    const Vector *row =
        must(f, (void *)(uintptr_t)source->read(source, last, 0, 0, 5, &arena, &f->error));
    for (uint32_t i = 0; i < 5; i++)
        found += vector_value(row, i).int64 >= 100;
    assert_int_equal(found, 5);
    source->release(source, last);
    store_view_close(view);
    store_close(reader);
    arena_free(&arena);
}

int
main(void)
{
    sqlite_hook();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_call_fails_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_disk_full_from_each_call_on, setup, teardown),
        cmocka_unit_test_setup_teardown(test_creation_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_short_and_interrupted_writes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failed_append_fails_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed_writer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_truncated_segment, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flipped_bits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flipped_catalog, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_catalog, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_only_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_with_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_writers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_leftovers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_compact_call_fails_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_compact_disk_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed_compaction, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reader_during_compaction, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbers_are_not_reused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
