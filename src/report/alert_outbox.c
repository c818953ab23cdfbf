#include "report/alert_outbox.h"

#include "value/scalar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { NAME_MOST = 128 };

const char *
outbox_folder(Arena *arena, const char *dir, const char *kind, const char *address)
{
    Str guid = text_guid(arena, str_format(arena, "%s %s", kind, address));
    return str_cstr(arena, str_format(arena, "%s/outbox/%.*s", dir, STR_ARG(guid)));
}

// ---- putting ----

static bool
make_folders(const char *path, AzError *error)
{
    Arena arena = {0};
    char *parent = str_cstr(&arena, str_from(path));
    *strrchr(parent, '/') = 0;
    bool done = (mkdir(parent, 0777) == 0 || errno == EEXIST) &&
                (mkdir(path, 0777) == 0 || errno == EEXIST);
    if (!done)
        error_errno(error, "cannot make the outbox '%s'", path);
    arena_free(&arena);
    return done;
}

static unsigned long long
message_sum(const Buffer *text)
{
    return XXH3_64bits(text->len ? text->data : "", text->len);
}

static bool
write_message(int folder, const char *name, Str text)
{
    char temporary[NAME_MOST];
    snprintf(temporary, sizeof temporary, "%s.tmp", name);
    int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool done = fd >= 0;
    while (done && text.len) {
        ssize_t count = write(fd, text.ptr, text.len);
        done = count > 0 || (count < 0 && errno == EINTR);
        if (count > 0)
            text = str_slice(text, (size_t)count, text.len);
    }
    done = done && fsync(fd) == 0;
    int failed = errno;
    if (fd >= 0)
        close(fd);
    if (done && renameat(folder, temporary, folder, name) == 0)
        return true;
    failed = done ? errno : failed;
    unlinkat(folder, temporary, 0);
    errno = failed;
    return false;
}

bool
outbox_put(const char *folder, const AlertList *alerts, OutboxWrite write, const char *version,
           AzError *error)
{
    if (!make_folders(folder, error))
        return false;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    Arena arena = {0};
    bool done = fd >= 0;
    for (size_t i = 0; done && i < alerts->len; i++) {
        const Alert *alert = &alerts->items[i];
        Buffer text = {0};
        write(&text, alert, version);
        Str name = str_format(&arena, "%020lld-%.*s_%016llx", (long long)alert->run,
                              STR_ARG(alert->id), message_sum(&text));
        done = write_message(fd, str_cstr(&arena, name), buffer_slice(&text));
        int failed = errno;
        buffer_free(&text);
        errno = failed;
    }
    done = done && fsync(fd) == 0;
    if (!done)
        error_errno(error, "cannot write to the outbox '%s'", folder);
    if (fd >= 0)
        close(fd);
    arena_free(&arena);
    return done;
}

// ---- what waits ----

static int
is_message(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && !strchr(entry->d_name, '.');
}

// Messages of earlier versions have no checksum in their names.
static bool
message_sound(const Outbox *outbox, size_t message)
{
    const char *sum = strchr(outbox->names[message]->d_name, '_');
    if (!sum)
        return true;
    Buffer text = {0};
    char found[20];
    bool read = outbox_read(outbox, message, &text);
    snprintf(found, sizeof found, "%016llx", message_sum(&text));
    buffer_free(&text);
    return !read || strcmp(found, sum + 1) == 0; // what cannot be read fails later, and is kept
}

static void
set_damaged_aside(Outbox *outbox)
{
    size_t kept = 0;
    for (size_t i = 0; i < outbox->count; i++) {
        struct dirent *entry = outbox->names[i];
        if (message_sound(outbox, i)) {
            outbox->names[kept++] = entry;
            continue;
        }
        char aside[sizeof entry->d_name + sizeof ".damaged"];
        snprintf(aside, sizeof aside, "%s.damaged", entry->d_name);
        (void)renameat(outbox->folder, entry->d_name, outbox->folder, aside);
        outbox->damaged++;
        free(entry);
    }
    outbox->count = kept;
}

void
outbox_open(const char *folder, Outbox *out)
{
    *out = (Outbox){.path = folder, .folder = -1};
    int found = scandir(folder, &out->names, is_message, alphasort);
    out->count = found > 0 ? (size_t)found : 0;
    if (out->count)
        out->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    set_damaged_aside(out);
}

bool
outbox_sound(const Outbox *outbox, AzError *error)
{
    return !outbox->damaged ||
           error_set(
               error, AZ_CORRUPT,
               "%zu messages in the outbox '%s' are damaged and were not sent: their names end "
               "in .damaged now, and their alerts are in the table SecurityAlert",
               outbox->damaged, outbox->path);
}

void
outbox_close(Outbox *outbox)
{
    for (size_t i = 0; i < outbox->count; i++)
        free(outbox->names[i]);
    free(outbox->names);
    if (outbox->folder >= 0)
        close(outbox->folder);
}

bool
outbox_read(const Outbox *outbox, size_t message, Buffer *out)
{
    int fd = openat(outbox->folder, outbox->names[message]->d_name, O_RDONLY | O_CLOEXEC);
    char block[8192];
    ssize_t count = fd < 0 ? -1 : 1;
    while (count > 0 && (count = read(fd, block, sizeof block)) > 0)
        buffer_str(out, (Str){.ptr = block, .len = (size_t)count});
    if (fd >= 0)
        close(fd);
    return count == 0;
}

Str
outbox_id(const Outbox *outbox, size_t message)
{
    const char *name = outbox->names[message]->d_name, *dash = strchr(name, '-');
    const char *id = dash ? dash + 1 : name;
    return (Str){id, strcspn(id, "_")};
}

bool
outbox_remove(Outbox *outbox, size_t message, AzError *error)
{
    const char *name = outbox->names[message]->d_name;
    if (unlinkat(outbox->folder, name, 0) && errno != ENOENT)
        return error_errno(error, "sent, but cannot empty the outbox '%s'", outbox->path);
    outbox->removed++;
    return true;
}
