// System calls of the store; see os.h.
//
// A write that fails because the disk is full says so in words and what to do:
// that is the one failure people meet and can repair.

#include "store/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

OsHook os_hook;

// Linux writes at most 0x7ffff000 bytes at a time.
enum { WRITE_PIECE = 1 << 30 };

static int
hook_ask(OsCall call, const char *path)
{
    return os_hook ? os_hook(call, path) : 0;
}

// Whether the hook lets the call happen; otherwise errno is what it wants.
static bool
hook_allows(OsCall call, const char *path)
{
    int answer = hook_ask(call, path);
    if (answer <= 0)
        return true;
    errno = answer;
    return false;
}

static bool
write_error(AzError *error, const char *doing, const char *path)
{
    if (errno == ENOSPC || errno == EDQUOT)
        return error_set(error, AZ_IO,
                         "cannot %s '%s': the disk is full; the store keeps its state from before, "
                         "free some space and run this again",
                         doing, path);
    return error_errno(error, "cannot %s '%s'", doing, path);
}

bool
os_mkdir(const char *path, unsigned mode, AzError *error)
{
    if (!hook_allows(OS_MKDIR, path))
        return write_error(error, "make the directory", path);
    if (mkdir(path, (mode_t)mode) == 0)
        return true;
    int failed = errno;
    struct stat st;
    if (failed == EEXIST && stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return true;
        failed = ENOTDIR;
    }
    errno = failed;
    return write_error(error, "make the directory", path);
}

int
os_create(const char *path, AzError *error)
{
    int fd = -1;
    if (hook_allows(OS_CREATE, path)) {
        do
            fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        while (fd < 0 && errno == EINTR);
    }
    if (fd < 0)
        write_error(error, "create", path);
    return fd;
}

bool
os_write(int fd, const void *data, size_t size, const char *path, AzError *error)
{
    const char *p = data;
    while (size) {
        size_t piece = size < WRITE_PIECE ? size : WRITE_PIECE;
        int answer = hook_ask(OS_WRITE, path);
        if (answer == OS_SHORT)
            piece = (piece + 1) / 2;
        ssize_t done = -1;
        if (answer > 0)
            errno = answer;
        else
            done = write(fd, p, piece);
        if (done < 0) {
            if (errno == EINTR)
                continue;
            return write_error(error, "write", path);
        }
        p += done;
        size -= (size_t)done;
    }
    return true;
}

bool
os_sync(int fd, const char *path, AzError *error)
{
    int status = -1;
    if (hook_allows(OS_SYNC, path)) {
        do
            status = fsync(fd);
        while (status && errno == EINTR);
    }
    return status == 0 || write_error(error, "sync", path);
}

bool
os_sync_dir(const char *path, AzError *error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return write_error(error, "open the directory", path);
    bool ok = os_sync(fd, path, error);
    close(fd);
    return ok;
}

bool
os_rename(const char *from, const char *to, AzError *error)
{
    if (hook_allows(OS_RENAME, to) && rename(from, to) == 0)
        return true;
    return write_error(error, "rename a finished file to", to);
}

void
os_unlink(const char *path)
{
    if (hook_allows(OS_UNLINK, path))
        (void)unlink(path);
}

bool
os_read_at(int fd, void *out, size_t size, uint64_t offset, const char *path, AzError *error)
{
    char *p = out;
    while (size) {
        ssize_t done = pread(fd, p, size < WRITE_PIECE ? size : WRITE_PIECE, (off_t)offset);
        if (done < 0) {
            if (errno == EINTR)
                continue;
            return error_errno(error, "cannot read '%s'", path);
        }
        if (done == 0)
            return error_set(error, AZ_CORRUPT, "'%s' ends before byte %llu: it is truncated", path,
                             (unsigned long long)(offset + size));
        p += done;
        offset += (uint64_t)done;
        size -= (size_t)done;
    }
    return true;
}
