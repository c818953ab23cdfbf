#include "store/readers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int
readers_open(const char *store_dir)
{
    char *path;
    if (asprintf(&path, "%s/READERS", store_dir) < 0)
        return -1;
    int fd;
    do
        fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    free(path);
    return fd;
}

static void
byte_lock(int fd, short type, int64_t at)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
    while (fcntl(fd, F_OFD_SETLK, &lock) != 0 && errno == EINTR)
        continue;
}

int
readers_enter(const char *store_dir)
{
    int reader = readers_open(store_dir);
    if (reader >= 0)
        byte_lock(reader, F_RDLCK, 0);
    return reader;
}

void
readers_settle(int reader, int64_t generation)
{
    if (reader < 0)
        return;
    byte_lock(reader, F_RDLCK, 1 + generation);
    byte_lock(reader, F_UNLCK, 0);
}

void
readers_leave(int reader)
{
    if (reader >= 0)
        close(reader);
}

bool
readers_before(const char *store_dir, int64_t generation)
{
    int fd = readers_open(store_dir);
    if (fd < 0)
        return false;
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1 + generation};
    bool held = fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
    close(fd);
    return held;
}
