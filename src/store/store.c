// Opening and closing a store; see store.h.
//
// Reading takes no lock: segments never change and the catalog is SQLite's care.
// Writing holds LOCK with flock, which the kernel gives back when the process
// dies, so whoever gets it may clear away what a dead writer left: everything in
// tmp/ and segments that no commit named.

#include "store/store_internal.h"

#include "base/map.h"
#include "store/readers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// What may lie in a directory where a store is about to be made.
static const char *const OWN_NAMES[] = {"segments", "tmp", "rejects", "LOCK", "READERS"};
static const char *const FOLDERS[] = {"segments", "tmp", "rejects"};

char *
store_path(const Store *store, Arena *arena, const char *part, Str name)
{
    return str_cstr(arena, str_format(arena, "%s/%s/%.*s", store->dir, part, STR_ARG(name)));
}

static bool
own_name(const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        strncmp(name, "catalog.sqlite", strlen("catalog.sqlite")) == 0)
        return true;
    for (size_t i = 0; i < COUNT_OF(OWN_NAMES); i++)
        if (strcmp(name, OWN_NAMES[i]) == 0)
            return true;
    return false;
}

// A directory with other people's files does not become a store by a slip.
static bool
foreign_check(const char *dir, AzError *error)
{
    DIR *handle = opendir(dir);
    if (!handle)
        return error_errno(error, "cannot open the directory '%s'", dir);
    bool ok = true, has_catalog = false;
    char foreign[256] = "";
    for (const struct dirent *entry; (entry = readdir(handle));) {
        has_catalog |= strcmp(entry->d_name, "catalog.sqlite") == 0;
        if (!own_name(entry->d_name))
            snprintf(foreign, sizeof(foreign), "%s", entry->d_name);
    }
    closedir(handle);
    if (foreign[0] && !has_catalog)
        ok = error_set(error, AZ_INVALID,
                       "'%s' is not a store and not empty (it holds '%s'): name a new or empty "
                       "directory",
                       dir, foreign);
    return ok;
}

static bool
lock_take(Store *store, AzError *error)
{
    Arena arena;
    arena_init(&arena);
    const char *path = str_cstr(&arena, str_format(&arena, "%s/LOCK", store->dir));
    bool ok = false;
    store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (store->lock < 0) {
        error_errno(error, "cannot write to the store '%s': cannot open its LOCK", store->dir);
    } else if (flock(store->lock, LOCK_EX | LOCK_NB) == 0) {
        // The number is for people; the lock itself is the kernel's.
        char text[32];
        int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
        ok = true;
        if (ftruncate(store->lock, 0) == 0 && pwrite(store->lock, text, (size_t)len, 0) < 0)
            errno = 0;
    } else if (errno == EWOULDBLOCK) {
        char pid[32] = "";
        ssize_t len = pread(store->lock, pid, sizeof(pid) - 1, 0);
        pid[len > 0 ? len : 0] = 0;
        pid[strcspn(pid, "\n")] = 0;
        error_set(error, AZ_BUSY,
                  "the store '%s' is being written by another process (%s): wait until it is done",
                  store->dir, pid[0] ? pid : "unknown");
    } else {
        error_errno(error, "cannot lock the store '%s'", store->dir);
    }
    arena_free(&arena);
    return ok;
}

// The directory above `dir`, whose entry for a new store must last.
static const char *
parent_of(Arena *arena, const char *dir)
{
    Str s = str_from(dir);
    while (s.len > 1 && s.ptr[s.len - 1] == '/')
        s.len--;
    while (s.len && s.ptr[s.len - 1] != '/')
        s.len--;
    while (s.len > 1 && s.ptr[s.len - 1] == '/')
        s.len--;
    return s.len ? str_cstr(arena, s) : ".";
}

// The file that readers lock bytes of; it stays empty.
static bool
readers_make(const Store *store, Arena *arena, AzError *error)
{
    const char *path = str_cstr(arena, str_format(arena, "%s/READERS", store->dir));
    struct stat st;
    if (stat(path, &st) == 0)
        return true;
    int fd = os_create(path, error);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

static bool
folders_make(Store *store, Arena *arena, AzError *error)
{
    for (size_t i = 0; i < COUNT_OF(FOLDERS); i++) {
        const char *path = str_cstr(arena, str_format(arena, "%s/%s", store->dir, FOLDERS[i]));
        if (!os_mkdir(path, 0777, error))
            return false;
    }
    return true;
}

static void
folder_clear(Store *store, Arena *arena, const char *part, const Map *keep)
{
    struct stat st;
    const char *path = str_cstr(arena, str_format(arena, "%s/%s", store->dir, part));
    DIR *handle = opendir(path);
    if (!handle)
        return;
    for (const struct dirent *entry; (entry = readdir(handle));) {
        Str name = str_from(entry->d_name);
        if (name.ptr[0] == '.' || (keep && (map_find(keep, name) || !str_ends(name, STR(".azs")))))
            continue;
        const char *file = store_path(store, arena, part, name);
        if (stat(file, &st) == 0) {
            store->cleared.files++;
            store->cleared.bytes += (uint64_t)st.st_size;
        }
        os_unlink(file);
    }
    closedir(handle);
}

bool
store_remove_retired(Store *store, Arena *arena, RemovedFiles *removed, AzError *error)
{
    RetiredFile *files;
    size_t count;
    bool any = false;
    if (!catalog_retired(store->catalog, arena, &files, &count, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct stat st;
        const char *path = store_path(store, arena, "segments", files[i].file);
        if (readers_before(store->dir, files[i].generation)) {
            removed->waiting++;
            continue;
        }
        os_unlink(path);
        files[i].gone = stat(path, &st) != 0 && errno == ENOENT;
        any |= files[i].gone;
        removed->files += files[i].gone;
        removed->bytes += files[i].gone ? files[i].bytes : 0;
        removed->waiting += !files[i].gone;
    }
    return !any || catalog_forget_retired(store->catalog, files, count, error);
}

// Removes what writers that died or failed left behind, and what the last reader has left.
static bool
leftovers_remove(Store *store, Arena *arena, AzError *error)
{
    CatalogState state;
    if (!catalog_load(store->catalog, arena, CATALOG_ALL_SNAPSHOTS, &state, error))
        return false;
    Map named;
    map_init(&named, arena, false);
    for (size_t i = 0; i < state.segment_count; i++)
        map_put(&named, state.segments[i].file, &state.segments[i]);
    RetiredFile *retired;
    size_t count;
    if (!store_remove_retired(store, arena, &store->cleared, error) ||
        !catalog_retired(store->catalog, arena, &retired, &count, error))
        return false;
    for (size_t i = 0; i < count; i++)
        map_put(&named, retired[i].file, &retired[i]);
    folder_clear(store, arena, "tmp", NULL);
    folder_clear(store, arena, "segments", &named);
    return true;
}

static bool
open_for_writing(Store *store, Arena *arena, AzError *error)
{
    struct stat st;
    bool made_dir = stat(store->dir, &st) != 0;
    // What a tenant holds is nobody else's business, unless its owner opens it up.
    if (!os_mkdir(store->dir, 0700, error) || !foreign_check(store->dir, error) ||
        !lock_take(store, error) || !folders_make(store, arena, error) ||
        !readers_make(store, arena, error))
        return false;
    const char *catalog = str_cstr(arena, str_format(arena, "%s/catalog.sqlite", store->dir));
    bool made_catalog = stat(catalog, &st) != 0 || st.st_size == 0;
    store->catalog = catalog_open(store->dir, CATALOG_WRITE, error);
    if (!store->catalog)
        return false;
    if (made_catalog && !os_sync_dir(store->dir, error))
        return false;
    if (made_dir && !os_sync_dir(parent_of(arena, store->dir), error))
        return false;
    return leftovers_remove(store, arena, error);
}

Store *
store_open(const char *dir, StoreMode mode, AzError *error)
{
    Store *store = calloc(1, sizeof(*store));
    if (!store || !(store->dir = strdup(dir)) ||
        !(store->cache = block_cache_new(BLOCK_CACHE_BYTES))) {
        error_set(error, AZ_LIMIT, "not enough memory to open the store '%s'", dir);
        if (store)
            free(store->dir);
        free(store);
        return NULL;
    }
    store->mode = mode;
    store->lock = -1;
    open_segments_init(&store->open);
    pthread_mutex_init(&store->mutex, NULL);
    Arena arena;
    arena_init(&arena);
    bool ok = true;
    if (mode == STORE_WRITE)
        ok = open_for_writing(store, &arena, error);
    else
        ok = (store->catalog = catalog_open(dir, CATALOG_READ, error)) != NULL;
    arena_free(&arena);
    if (!ok) {
        store_close(store);
        return NULL;
    }
    return store;
}

void
store_close(Store *store)
{
    if (!store)
        return;
    if (store->writer)
        store_abort(store->writer);
    block_cache_free(store->cache);
    open_segments_free(&store->open);
    catalog_close(store->catalog);
    if (store->lock >= 0)
        close(store->lock);
    pthread_mutex_destroy(&store->mutex);
    free(store->dir);
    free(store);
}

void
store_keep(Store *store, size_t bytes)
{
    block_cache_set_budget(store->cache, bytes);
    open_segments_set_budget(&store->open, bytes / 4);
}

const char *
store_dir(const Store *store)
{
    return store->dir;
}

bool
store_snapshots(Store *store, Arena *arena, SnapshotInfo **out, size_t *count, AzError *error)
{
    pthread_mutex_lock(&store->mutex);
    bool ok = catalog_snapshots(store->catalog, arena, out, count, error);
    pthread_mutex_unlock(&store->mutex);
    return ok;
}

bool
store_functions(Store *store, Arena *arena, SavedFunction **out, size_t *count, AzError *error)
{
    pthread_mutex_lock(&store->mutex);
    bool ok = catalog_functions(store->catalog, arena, out, count, error);
    pthread_mutex_unlock(&store->mutex);
    return ok;
}

bool
store_function_save(Store *store, const SavedFunction *function, AzError *error)
{
    pthread_mutex_lock(&store->mutex);
    bool ok = catalog_function_save(store->catalog, function, error);
    pthread_mutex_unlock(&store->mutex);
    return ok;
}

bool
store_function_delete(Store *store, Str name, bool *found, AzError *error)
{
    pthread_mutex_lock(&store->mutex);
    bool ok = catalog_function_delete(store->catalog, name, found, error);
    pthread_mutex_unlock(&store->mutex);
    return ok;
}

static bool
groups_same(const Segment *segment, const CatalogSegment *entry)
{
    if (segment->group_count != entry->group_count)
        return false;
    for (uint32_t g = 0; g < segment->group_count; g++)
        if (segment->groups[g].rows != entry->group_rows[g])
            return false;
    return true;
}

Segment *
store_segment_open(const Store *store, const CatalogSegment *entry, AzError *error)
{
    Arena arena;
    arena_init(&arena);
    const char *path = store_path(store, &arena, "segments", entry->file);
    Segment *segment = segment_open(path, error);
    const char *why = NULL;
    if (segment && segment->bytes != entry->bytes)
        why = "its size is not what the catalog says (truncated or replaced)";
    else if (segment && (segment->checksum != entry->checksum || !groups_same(segment, entry)))
        why = "it is not the file that the catalog means";
    if (why) {
        error_set(error, AZ_CORRUPT,
                  "segment '%s' is damaged: %s; restore the file from a backup or import the data "
                  "again",
                  path, why);
        segment_close(segment);
        segment = NULL;
    }
    arena_free(&arena);
    return segment;
}

OpenSegment *
store_segment_pin(Store *store, const CatalogSegment *entry, AzError *error)
{
    OpenSegment *open = open_segments_pin(&store->open, entry->id);
    if (open)
        return open;
    Segment *segment = store_segment_open(store, entry, error);
    if (!segment)
        return NULL;
    open = open_segments_add(&store->open, entry->id, segment);
    if (!open)
        error_set(error, AZ_LIMIT, "not enough memory to open '%.*s'", STR_ARG(entry->file));
    return open;
}

void
store_segment_unpin(Store *store, OpenSegment *open)
{
    open_segments_unpin(&store->open, open);
}

ptrdiff_t
time_column_find(const Schema *schema)
{
    static const char *const NAMES[] = {"TimeGenerated", "Timestamp"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        ptrdiff_t c = schema_find_ci(schema, str_from(NAMES[i]));
        if (c >= 0 && schema->columns[c].type == TYPE_DATETIME)
            return c;
    }
    return -1;
}
