// Os: the system calls with which the store changes the disk.
//
// Each call repeats after EINTR, finishes short writes, names its file in the
// error and can be made to fail by a test: before a call touches the disk,
// `os_hook` is asked.
#pragma once

#include "base/error.h"

typedef enum OsCall { OS_MKDIR, OS_CREATE, OS_WRITE, OS_SYNC, OS_RENAME, OS_UNLINK } OsCall;

// For tests: returns 0 to let the call happen, an errno to fail with, or OS_SHORT
// to let a write write only half of its bytes. NULL in production.
enum { OS_SHORT = -1 };
typedef int (*OsHook)(OsCall call, const char *path);
extern OsHook os_hook;

// Makes the directory; true when it is there already.
bool os_mkdir(const char *path, unsigned mode, AzError *error);
// A new file for writing; it must not exist. -1 with error.
int os_create(const char *path, AzError *error);
bool os_write(int fd, const void *data, size_t size, const char *path, AzError *error);
bool os_sync(int fd, const char *path, AzError *error);
bool os_sync_dir(const char *path, AzError *error);
bool os_rename(const char *from, const char *to, AzError *error);
void os_unlink(const char *path); // best effort

// Reads exactly `size` bytes at `offset`; false when the file ends before or the
// system says no (with error).
bool os_read_at(int fd, void *out, size_t size, uint64_t offset, const char *path, AzError *error);
