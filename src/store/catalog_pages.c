// A file of SQLite's own file system (VFS) with two calls of ours: behind it in memory lie a copy of
// its table of calls, in which reading and writing are replaced, and the table itself.

#include "store/catalog_pages.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <xxhash.h>

enum { PAGE_LEAST = 512, PAGE_MOST = 65536, HEADER_BYTES = 100, HEADER_RESERVED = 20 };

typedef struct PagesFile {
    const sqlite3_io_methods *below;
    sqlite3_io_methods methods;
    bool has_sums;
} PagesFile;

static sqlite3_vfs vfs;
static sqlite3_vfs *below;

static PagesFile *
pages_of(sqlite3_file *file)
{
    size_t at = ((size_t)below->szOsFile + _Alignof(PagesFile) - 1) & ~(_Alignof(PagesFile) - 1);
    return (PagesFile *)((char *)file + at);
}

static bool
is_page(int size, sqlite3_int64 offset)
{
    return size >= PAGE_LEAST && size <= PAGE_MOST && !(size & (size - 1)) && offset % size == 0;
}

static uint64_t
page_sum(const void *page, int size, sqlite3_int64 offset)
{
    return XXH3_64bits_withSeed(page, (size_t)size - PAGE_SUM_BYTES, (uint64_t)offset);
}

// The first page says how many bytes each keeps free.
static void
header_look(PagesFile *pages, const void *data, int size, sqlite3_int64 offset)
{
    static const char MAGIC[] = "SQLite format 3";
    if (offset == 0 && size >= HEADER_BYTES && memcmp(data, MAGIC, sizeof(MAGIC)) == 0)
        pages->has_sums = ((const unsigned char *)data)[HEADER_RESERVED] == PAGE_SUM_BYTES;
}

static int
page_read(sqlite3_file *file, void *data, int size, sqlite3_int64 offset)
{
    PagesFile *pages = pages_of(file);
    int status = pages->below->xRead(file, data, size, offset);
    if (status != SQLITE_OK && status != SQLITE_IOERR_SHORT_READ)
        return status;
    header_look(pages, data, size, offset);
    if (!pages->has_sums || !is_page(size, offset))
        return status;
    // Of a page that the file ends in or before, what is missing is zero now: SQLite would go on.
    uint64_t sum;
    memcpy(&sum, (const char *)data + size - PAGE_SUM_BYTES, sizeof(sum));
    return sum == page_sum(data, size, offset) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

static int
page_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
    PagesFile *pages = pages_of(file);
    header_look(pages, data, size, offset);
    if (!pages->has_sums || !is_page(size, offset))
        return pages->below->xWrite(file, data, size, offset);
    // The page may belong to a reader meanwhile: the sum goes into a copy.
    char copy[PAGE_MOST];
    uint64_t sum = page_sum(data, size, offset);
    memcpy(copy, data, (size_t)size - PAGE_SUM_BYTES);
    memcpy(copy + size - PAGE_SUM_BYTES, &sum, sizeof(sum));
    return pages->below->xWrite(file, copy, size, offset);
}

static int
pages_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    (void)self;
    int status = below->xOpen(below, name, file, flags, out_flags);
    if (status != SQLITE_OK || !(flags & SQLITE_OPEN_MAIN_DB))
        return status;
    PagesFile *pages = pages_of(file);
    *pages = (PagesFile){.below = file->pMethods, .methods = *file->pMethods};
    // Version 3 adds pages that are mapped instead of read: they would not pass by here.
    pages->methods.iVersion = pages->methods.iVersion < 2 ? pages->methods.iVersion : 2;
    pages->methods.xRead = page_read;
    pages->methods.xWrite = page_write;
    file->pMethods = &pages->methods;
    char header[HEADER_BYTES];
    if (pages->below->xRead(file, header, sizeof(header), 0) == SQLITE_OK)
        header_look(pages, header, sizeof(header), 0);
    return SQLITE_OK;
}

static void
vfs_make(void)
{
    below = sqlite3_vfs_find(NULL);
    if (!below)
        return;
    vfs = *below;
    vfs.zName = "azimuth";
    vfs.pNext = NULL;
    vfs.szOsFile += (int)(sizeof(PagesFile) + _Alignof(PagesFile));
    vfs.xOpen = pages_open;
    sqlite3_vfs_register(&vfs, 0);
}

const char *
catalog_pages_vfs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, vfs_make);
    return below ? vfs.zName : NULL;
}

bool
catalog_pages_reserve(sqlite3 *db)
{
    int bytes = PAGE_SUM_BYTES;
    return sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes) == SQLITE_OK;
}

bool
catalog_pages_reserved(sqlite3 *db)
{
    int bytes = -1;
    return sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes) == SQLITE_OK &&
           bytes == PAGE_SUM_BYTES;
}
