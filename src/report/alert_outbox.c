#include "report/alert_outbox.h"

#include "value/scalar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static bool
write_message(int folder, const char *name, Str text)
{
    char temporary[80];
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
    if (fd >= 0)
        close(fd);
    return done && renameat(folder, temporary, folder, name) == 0;
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
        Str name = str_format(&arena, "%020lld-%.*s", (long long)alert->run, STR_ARG(alert->id));
        done = write_message(fd, str_cstr(&arena, name), buffer_slice(&text));
        buffer_free(&text);
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

void
outbox_open(const char *folder, Outbox *out)
{
    *out = (Outbox){.path = folder, .folder = -1};
    int found = scandir(folder, &out->names, is_message, alphasort);
    out->count = found > 0 ? (size_t)found : 0;
    if (out->count)
        out->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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
    const char *dash = strchr(outbox->names[message]->d_name, '-');
    return str_from(dash ? dash + 1 : outbox->names[message]->d_name);
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
