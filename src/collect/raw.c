#include "collect/raw.h"

#include "base/array.h"
#include "base/clock.h"
#include "collect/raw_manifest.h"
#include "store/os.h"
#include "value/json.h"
#include "value/scalar.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_PENDING = 4096 }; // pages that are not durable yet
// Making rows durable takes its time, reading them again too: a kill costs an eighth of the
// time that the run has taken, at most.
enum { PENDING_PART = 8 };
static const uint64_t MOST_PENDING_NS = 5000000000;

typedef struct RawFiles {
    RawFile **items;
    size_t len, cap;
} RawFiles;

struct Raw {
    Arena arena;
    const char *folder;
    char *manifest_path;
    int manifest;
    RawFiles files;
    Map calls;
    Str begun; // ISO 8601
    Buffer line;
    Buffer pending; // lines of the manifest whose rows are not durable yet
    uint32_t pending_count;
    uint64_t opened, synced; // synced: when that was last so; monotonic
};

static char *
path_of(Raw *raw, const char *name, size_t len)
{
    return str_cstr(&raw->arena, str_format(&raw->arena, "%s/%.*s", raw->folder, (int)len, name));
}

static RawFile *
find_file(const Raw *raw, Str name)
{
    for (size_t i = 0; i < raw->files.len; i++)
        if (str_equal(raw->files.items[i]->name, name))
            return raw->files.items[i];
    return NULL;
}

static RawFile *
add_file(Raw *raw, Str name)
{
    RawFile *file = find_file(raw, name);
    if (file)
        return file;
    file = ARENA_NEW(&raw->arena, RawFile);
    file->name = str_copy(&raw->arena, name);
    file->path = path_of(raw, name.ptr, name.len);
    file->fd = -1;
    ARRAY_PUSH(&raw->arena, &raw->files, file);
    return file;
}

// ---- the manifest ----

typedef struct Begun {
    Raw *raw;
    Str identity, last;
    bool any, other; // other: it refreshes another collection
    Str was;         // the one that it was begun with
} Begun;

static bool
take_begin(Begun *begun, const RawLine *line, AzError *error)
{
    Raw *raw = begun->raw;
    begun->any = true;
    raw->begun = line->time;
    if (line->version != RAW_VERSION)
        return error_set(error, AZ_INVALID, "'%s' was written by another version of azimuth",
                         raw->manifest_path);
    if (!str_equal(line->identity, begun->identity))
        return error_set(error, AZ_INVALID,
                         "'%s' holds a collection of another kind (%.*s; now %.*s): collect into "
                         "another folder",
                         raw->folder, STR_ARG(line->identity), STR_ARG(begun->identity));
    begun->was = line->last;
    begun->other = !str_equal(line->last, begun->last);
    return true;
}

// Notes how the rows of a page came.
static void
note_page(RawFile *file, Str how, Str read)
{
    file->pages++;
    if (str_equal(how, STR("carried over")))
        file->carried++;
    else if (how.len)
        file->refreshed++;
    if (read.len && (!file->read.len || str_compare(read, file->read) < 0))
        file->read = read;
}

static bool
take_line(void *context, const RawLine *line, AzError *error)
{
    Begun *begun = context;
    Raw *raw = begun->raw;
    if (str_equal(line->kind, STR("begin")))
        return take_begin(begun, line, error);
    if (str_equal(line->kind, STR("end")))
        return error_set(error, AZ_INVALID,
                         "'%s' holds a complete collection: import it, or collect into another "
                         "folder",
                         raw->folder);
    if (!begun->any || !raw_is_file_name(line->file) || line->end < 0 || line->rows < 0)
        return error_set(error, AZ_CORRUPT, "'%s' is no manifest of a collection",
                         raw->manifest_path);
    RawFile *file = add_file(raw, line->file);
    file->size = (uint64_t)line->end;
    if (str_equal(line->kind, STR("replaced"))) {
        file->rows = (uint64_t)line->rows;
        char *fresh = str_cstr(&raw->arena, str_format(&raw->arena, "%s.new", file->path));
        // Killed before the new file took the place of the old one.
        return access(fresh, F_OK) != 0 || os_rename(fresh, file->path, error);
    }
    RawCall *call = map_get(&raw->calls, line->task);
    if (!call) {
        call = ARENA_NEW(&raw->arena, RawCall);
        map_put(&raw->calls, line->task, call);
    }
    call->next = line->next;
    call->rows += (uint64_t)line->rows;
    call->pages++;
    file->rows += (uint64_t)line->rows;
    note_page(file, line->how, line->read);
    return true;
}

// Reads the whole lines; what a kill left half written is cut off.
static bool
read_manifest(Raw *raw, Str identity, Str last, bool *resumed, AzError *error)
{
    Begun begun = {.raw = raw, .identity = identity, .last = last};
    size_t good;
    bool done = raw_manifest_read(raw->manifest, raw->manifest_path, &raw->arena, take_line, &begun,
                                  &good, error);
    if (done && begun.other)
        done = error_set(error, AZ_INVALID,
                         "'%s' was begun %s: go on with the same --refresh, or collect into "
                         "another folder",
                         raw->folder,
                         begun.was.len ? "as a refresh of another collection"
                                       : "as a collection of all");
    if (done && ftruncate(raw->manifest, (off_t)good))
        done = error_errno(error, "cannot write '%s'", raw->manifest_path);
    *resumed = good > 0;
    return done;
}

static bool
write_line(Raw *raw, AzError *error)
{
    buffer_text(&raw->line, "}\n");
    bool done = os_write(raw->manifest, raw->line.data, raw->line.len, raw->manifest_path, error) &&
                os_sync(raw->manifest, raw->manifest_path, error);
    return done;
}

static void
line_text(Raw *raw, const char *name, Str text)
{
    buffer_printf(&raw->line, ",\"%s\":", name);
    json_write_string(&raw->line, text, false);
}

static void
line_begin(Raw *raw, const char *kind)
{
    buffer_clear(&raw->line);
    buffer_printf(&raw->line, "{\"kind\":\"%s\"", kind);
}

// Whether something else is in the folder.
static bool
is_empty(const char *folder)
{
    return rmdir(folder) == 0 && mkdir(folder, 0700) == 0;
}

// Cuts each file to what the manifest says of it.
static bool
cut_files(Raw *raw, AzError *error)
{
    for (size_t i = 0; i < raw->files.len; i++) {
        RawFile *file = raw->files.items[i];
        struct stat info;
        if (!file->size && access(file->path, F_OK) != 0)
            continue; // calls without rows make no file
        if (stat(file->path, &info) || (uint64_t)info.st_size < file->size)
            return error_set(error, AZ_CORRUPT,
                             "'%s' is shorter than the manifest says: collect into another folder",
                             file->path);
        if (truncate(file->path, (off_t)file->size))
            return error_errno(error, "cannot write '%s'", file->path);
    }
    return true;
}

// Removes files of rows that the manifest does not speak of: a kill came before it could.
static bool
remove_unknown(Raw *raw, AzError *error)
{
    DIR *folder = opendir(raw->folder);
    if (!folder)
        return error_errno(error, "cannot read '%s'", raw->folder);
    for (const struct dirent *entry; (entry = readdir(folder));) {
        Str name = str_from(entry->d_name);
        bool rows = str_ends(name, STR(".jsonl")) || str_ends(name, STR(".jsonl.new"));
        const RawFile *file = find_file(raw, name);
        if (rows && (!file || !file->size))
            os_unlink(path_of(raw, name.ptr, name.len));
    }
    closedir(folder);
    return true;
}

static bool
open_folder(Raw *raw, Str identity, Str last, bool *resumed, AzError *error)
{
    bool there = access(raw->manifest_path, F_OK) == 0;
    if (!os_mkdir(raw->folder, 0700, error))
        return false;
    if (!there && !is_empty(raw->folder))
        return error_set(error, AZ_INVALID,
                         "'%s' holds files that are no collection: give a folder that is empty or "
                         "not there yet",
                         raw->folder);
    raw->manifest = open(raw->manifest_path, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
    if (raw->manifest < 0)
        return error_errno(error, "cannot open '%s'", raw->manifest_path);
    if (flock(raw->manifest, LOCK_EX | LOCK_NB))
        return error_set(error, AZ_INVALID, "another process collects into '%s'", raw->folder);
    if (!read_manifest(raw, identity, last, resumed, error) || !cut_files(raw, error) ||
        !remove_unknown(raw, error))
        return false;
    if (*resumed)
        return true;
    line_begin(raw, "begin");
    buffer_printf(&raw->line, ",\"version\":%d", RAW_VERSION);
    line_text(raw, "identity", identity);
    raw->begun = raw_time(&raw->arena, clock_now_ticks());
    line_text(raw, "time", raw->begun);
    if (last.len)
        line_text(raw, "last", last);
    return write_line(raw, error) && os_sync_dir(raw->folder, error);
}

Str
raw_time(Arena *arena, int64_t ticks)
{
    Buffer text = {0};
    datetime_print(&text, ticks - ticks % 10000000);
    // Whole seconds, as Azure's filters take them: without ".0000000".
    Str time = str_format(arena, "%.19sZ", text.data);
    buffer_free(&text);
    return time;
}

Raw *
raw_open(const char *folder, Str identity, Str last, bool *resumed, AzError *error)
{
    Raw *raw = calloc(1, sizeof(*raw));
    if (!raw)
        abort();
    raw->folder = str_cstr(&raw->arena, str_from(folder));
    raw->manifest_path = path_of(raw, RAW_MANIFEST, sizeof(RAW_MANIFEST) - 1);
    raw->manifest = -1;
    raw->opened = raw->synced = clock_monotonic_ns();
    map_init(&raw->calls, &raw->arena, false);
    if (open_folder(raw, identity, last, resumed, error))
        return raw;
    raw_close(raw);
    return NULL;
}

void
raw_close(Raw *raw)
{
    if (!raw)
        return;
    for (size_t i = 0; i < raw->files.len; i++)
        if (raw->files.items[i]->fd >= 0)
            close(raw->files.items[i]->fd);
    if (raw->manifest >= 0)
        close(raw->manifest);
    buffer_free(&raw->line);
    buffer_free(&raw->pending);
    arena_free(&raw->arena);
    free(raw);
}

const RawCall *
raw_call(const Raw *raw, Str key)
{
    return map_get(&raw->calls, key);
}

static bool
sync_is_due(const Raw *raw)
{
    uint64_t now = clock_monotonic_ns(), wait = (now - raw->opened) / PENDING_PART;
    return raw->pending_count >= MOST_PENDING || now - raw->synced >= MOST_PENDING_NS ||
           now - raw->synced >= wait;
}

Str
raw_begun(const Raw *raw)
{
    return raw->begun;
}

bool
raw_write(Raw *raw, Str name, const Buffer *rows, AzError *error)
{
    RawFile *file = add_file(raw, name);
    if (!rows->len)
        return true;
    if (file->fd < 0)
        file->fd = open(file->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file->fd < 0)
        return error_errno(error, "cannot open '%s'", file->path);
    if (!os_write(file->fd, rows->data, rows->len, file->path, error))
        return false;
    file->dirty = true;
    file->size += rows->len;
    return true;
}

bool
raw_append(Raw *raw, const RawPage *page, AzError *error)
{
    RawFile *file = add_file(raw, page->file);
    if (page->rows && !raw_write(raw, page->file, page->rows, error))
        return false;
    file->rows += page->count;
    note_page(file, page->how, page->read.len ? str_copy(&raw->arena, page->read) : STR(""));
    line_begin(raw, "page");
    line_text(raw, "task", page->key);
    line_text(raw, "file", page->file);
    buffer_printf(&raw->line, ",\"end\":%llu,\"rows\":%llu", (unsigned long long)file->size,
                  (unsigned long long)page->count);
    const struct {
        const char *name;
        Str text;
    } texts[] = {
        {"next", page->next}, {"how", page->how}, {"read", page->read}, {"delta", page->delta}};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (texts[i].text.len)
            line_text(raw, texts[i].name, texts[i].text);
    buffer_text(&raw->line, "}\n");
    buffer_str(&raw->pending, buffer_slice(&raw->line));
    raw->pending_count++;
    return !sync_is_due(raw) || raw_sync(raw, error);
}

bool
raw_sync(Raw *raw, AzError *error)
{
    for (size_t i = 0; i < raw->files.len; i++) {
        RawFile *file = raw->files.items[i];
        if (file->dirty && !os_sync(file->fd, file->path, error))
            return false;
        file->dirty = false;
    }
    // A new file's name must be durable too.
    if (raw->pending_count &&
        (!os_sync_dir(raw->folder, error) ||
         !os_write(raw->manifest, raw->pending.data, raw->pending.len, raw->manifest_path, error) ||
         !os_sync(raw->manifest, raw->manifest_path, error)))
        return false;
    buffer_clear(&raw->pending);
    raw->pending_count = 0;
    raw->synced = clock_monotonic_ns();
    return true;
}

const RawFile *
raw_file(const Raw *raw, Str name)
{
    return find_file(raw, name);
}

size_t
raw_file_count(const Raw *raw)
{
    return raw->files.len;
}

const RawFile *
raw_file_at(const Raw *raw, size_t index)
{
    return raw->files.items[index];
}

bool
raw_each(const RawFile *file, bool (*each)(void *context, Str line), void *context, AzError *error)
{
    FILE *stream = fopen(file->path, "re");
    if (!stream)
        return file->size == 0 || error_errno(error, "cannot read '%s'", file->path);
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    bool done = true;
    while (done && (len = getline(&line, &room, stream)) > 0)
        done = each(context, str_trim((Str){line, (size_t)len}));
    if (done && ferror(stream))
        done = error_errno(error, "cannot read '%s'", file->path);
    free(line);
    fclose(stream);
    return done;
}

typedef struct Filter {
    RawKeep keep;
    void *context;
    FILE *out;
    uint64_t size, rows;
} Filter;

static bool
filter_line(void *context, Str line)
{
    Filter *filter = context;
    if (!filter->keep(filter->context, line))
        return true;
    fwrite(line.ptr, 1, line.len, filter->out);
    fputc('\n', filter->out);
    filter->size += line.len + 1;
    filter->rows++;
    return true;
}

bool
raw_filter(Raw *raw, Str name, RawKeep keep, void *context, AzError *error)
{
    RawFile *file = find_file(raw, name);
    if (!raw_sync(raw, error))
        return false;
    if (!file)
        return true;
    char *fresh = str_cstr(&raw->arena, str_format(&raw->arena, "%s.new", file->path));
    Filter filter = {keep, context, fopen(fresh, "we"), 0, 0};
    if (!filter.out)
        return error_errno(error, "cannot write '%s'", fresh);
    bool done = raw_each(file, filter_line, &filter, error);
    bool written = !fflush(filter.out) && !ferror(filter.out) && !fsync(fileno(filter.out));
    if (fclose(filter.out) || !written)
        done = done && error_errno(error, "cannot write '%s'", fresh);
    if (!done) {
        os_unlink(fresh);
        return false;
    }
    line_begin(raw, "replaced");
    line_text(raw, "file", name);
    buffer_printf(&raw->line, ",\"end\":%llu,\"rows\":%llu", (unsigned long long)filter.size,
                  (unsigned long long)filter.rows);
    if (!write_line(raw, error) || !os_rename(fresh, file->path, error))
        return false;
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    file->size = filter.size;
    file->rows = filter.rows;
    return true;
}

bool
raw_finish(Raw *raw, const Buffer *status, AzError *error)
{
    static const char NAME[] = "CollectionStatus.jsonl";
    if (!raw_sync(raw, error))
        return false;
    char *path = path_of(raw, NAME, sizeof(NAME) - 1);
    char *fresh = str_cstr(&raw->arena, str_format(&raw->arena, "%s.new", path));
    os_unlink(fresh);
    int fd = os_create(fresh, error);
    if (fd < 0)
        return false;
    bool done = os_write(fd, status->data, status->len, fresh, error) && os_sync(fd, fresh, error);
    close(fd);
    if (!done || !os_rename(fresh, path, error) || !os_sync_dir(raw->folder, error))
        return false;
    line_begin(raw, "end");
    return write_line(raw, error);
}
