#include "collect/raw_last.h"

#include "base/array.h"
#include "collect/raw_manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct LastFile {
    Str name;
    char *path;
    int fd; // -1: not open
    uint64_t size;
    bool replaced; // written again: its one call has all of it
} LastFile;

struct RawLast {
    Arena arena;
    const char *folder;
    Map files, calls;
    Str identity, begun;
    bool any, ended;
    Buffer rows;
};

static LastFile *
file_of_name(RawLast *last, Str name)
{
    LastFile *file = map_get(&last->files, name);
    if (file)
        return file;
    file = ARENA_NEW(&last->arena, LastFile);
    file->name = name;
    file->path =
        str_cstr(&last->arena, str_format(&last->arena, "%s/%.*s", last->folder, STR_ARG(name)));
    file->fd = -1;
    map_put(&last->files, name, file);
    return file;
}

static bool
take_page(RawLast *last, const RawLine *line, AzError *error)
{
    LastFile *file = file_of_name(last, line->file);
    uint64_t end = (uint64_t)line->end;
    if (str_equal(line->kind, STR("replaced"))) {
        file->replaced = true;
        file->size = end;
        return true;
    }
    if (end < file->size)
        return error_set(error, AZ_CORRUPT, "the manifest of '%s' contradicts itself",
                         last->folder);
    LastCall *call = map_get(&last->calls, line->task);
    if (!call) {
        call = ARENA_NEW(&last->arena, LastCall);
        call->file = file;
        map_put(&last->calls, line->task, call);
    }
    RawPart part = {file->size, end};
    struct {
        RawPart *items;
        size_t len, cap;
    } parts = {call->parts, call->part_count, call->part_cap};
    if (end > file->size)
        ARRAY_PUSH(&last->arena, &parts, part);
    call->parts = parts.items;
    call->part_count = parts.len;
    call->part_cap = parts.cap;
    call->rows += (uint64_t)line->rows;
    call->done = !line->next.len;
    if (line->delta.len)
        call->delta = line->delta;
    Str read = line->read.len ? line->read : last->begun;
    if (!call->read.len || str_compare(read, call->read) < 0)
        call->read = read;
    file->size = end;
    return true;
}

static bool
take_line(void *context, const RawLine *line, AzError *error)
{
    RawLast *last = context;
    if (str_equal(line->kind, STR("begin")) && line->version == RAW_VERSION) {
        last->any = true;
        last->identity = line->identity;
        last->begun = line->time;
        return true;
    }
    if (str_equal(line->kind, STR("end")))
        return last->ended = true;
    if (!last->any || !raw_is_file_name(line->file) || line->end < 0 || line->rows < 0)
        return error_set(error, AZ_CORRUPT, "'%s' has no manifest of a collection", last->folder);
    return take_page(last, line, error);
}

RawLast *
raw_last_open(const char *folder, AzError *error)
{
    RawLast *last = calloc(1, sizeof(*last));
    if (!last)
        abort();
    last->folder = str_cstr(&last->arena, str_from(folder));
    map_init(&last->files, &last->arena, false);
    map_init(&last->calls, &last->arena, false);
    char *path = str_cstr(&last->arena, str_format(&last->arena, "%s/" RAW_MANIFEST, folder));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t good;
    bool done = fd >= 0 || error_set(error, AZ_INVALID, "'%s' holds no collection: %s", folder,
                                     strerror(errno));
    done = done && raw_manifest_read(fd, path, &last->arena, take_line, last, &good, error);
    if (fd >= 0)
        close(fd);
    if (done && !last->ended)
        done = error_set(error, AZ_INVALID,
                         "'%s' holds no complete collection: run 'azimuth collect %s' to its end "
                         "first",
                         folder, folder);
    if (done)
        return last;
    raw_last_close(last);
    return NULL;
}

void
raw_last_close(RawLast *last)
{
    if (!last)
        return;
    for (size_t i = 0; i < last->files.len; i++) {
        const LastFile *file = last->files.entries[i].pointer;
        if (file->fd >= 0)
            close(file->fd);
    }
    buffer_free(&last->rows);
    arena_free(&last->arena);
    free(last);
}

Str
raw_last_identity(const RawLast *last)
{
    return last->identity;
}

Str
raw_last_begun(const RawLast *last)
{
    return last->begun;
}

const LastCall *
raw_last_call(const RawLast *last, Str key)
{
    return map_get(&last->calls, key);
}

// The lines of the stretch: in pieces, since a file may be larger than the memory.
static bool
each_of(RawLast *last, const LastFile *file, RawPart part, bool (*each)(void *, Str), void *context,
        AzError *error)
{
    enum { PIECE = 1 << 20 };
    buffer_clear(&last->rows);
    for (uint64_t at = part.begin; at < part.end;) {
        size_t wanted = part.end - at < PIECE ? (size_t)(part.end - at) : PIECE;
        char *room = buffer_reserve(&last->rows, wanted);
        ssize_t got = pread(file->fd, room, wanted, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return error_set(error, AZ_CORRUPT, "'%s' is shorter than its manifest says",
                             file->path);
        last->rows.len += (size_t)got;
        at += (uint64_t)got;
        size_t from = 0;
        for (const char *end;
             (end = memchr(last->rows.data + from, '\n', last->rows.len - from));) {
            size_t to = (size_t)(end - last->rows.data);
            if (to > from && !each(context, (Str){last->rows.data + from, to - from}))
                return false;
            from = to + 1;
        }
        memmove(last->rows.data, last->rows.data + from, last->rows.len - from);
        last->rows.len -= from;
    }
    return true;
}

bool
raw_last_each(RawLast *last, const LastCall *call, bool (*each)(void *context, Str line),
              void *context, AzError *error)
{
    LastFile *file = call->file;
    RawPart whole = {0, file->size};
    const RawPart *parts = file->replaced ? &whole : call->parts;
    size_t count = file->replaced ? file->size > 0 : call->part_count;
    if (count && file->fd < 0)
        file->fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (count && file->fd < 0)
        return error_errno(error, "cannot read '%s'", file->path);
    for (size_t i = 0; i < count; i++)
        if (!each_of(last, file, parts[i], each, context, error))
            return false;
    return true;
}
