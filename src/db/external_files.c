#include "db/external_files.h"

#include "base/array.h"
#include "store/ingest_stream.h"
#include "store/zip.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { READ_STEP = 1 << 20 };

// ---- which file ----

static Str
extension_of(Arena *arena, Str name)
{
    for (;;) {
        size_t dot = name.len;
        while (dot && name.ptr[dot - 1] != '.' && name.ptr[dot - 1] != '/')
            dot--;
        if (!dot || name.ptr[dot - 1] != '.')
            return STR("");
        Str extension = str_lower(arena, str_slice(name, dot, name.len));
        if (!str_equal(extension, STR("gz")) && !str_equal(extension, STR("zip")) &&
            !str_equal(extension, STR("zst")))
            return extension;
        name.len = dot - 1;
    }
}

static bool
is_inside(const char *path, const char *root)
{
    size_t len = strlen(root);
    while (len > 1 && root[len - 1] == '/')
        len--;
    return strncmp(path, root, len) == 0 && (len == 1 || path[len] == '/' || !path[len]);
}

// The real path when it lies in one of the allowed folders. A relative path is looked
// for in each of them.
static char *
allowed_path(Arena *arena, Str path, const ExternalAccess *access)
{
    char real[PATH_MAX], root[PATH_MAX];
    for (size_t i = 0; i < access->root_count; i++) {
        if (!realpath(access->roots[i], root))
            continue;
        Str whole = path.len && path.ptr[0] == '/'
                        ? path
                        : str_format(arena, "%s/%.*s", root, STR_ARG(path));
        if (realpath(str_cstr(arena, whole), real) && is_inside(real, root))
            return str_cstr(arena, str_from(real));
    }
    return NULL;
}

static bool
not_allowed(Str shown, const ExternalAccess *access, AzError *error)
{
    if (!access->root_count)
        return error_set(error, AZ_INVALID,
                         "'%.*s' is not read: queries read no files unless allowed to; name the "
                         "folder it lies in with --external-root DIR",
                         STR_ARG(shown));
    return error_set(error, AZ_INVALID,
                     "'%.*s' is not read: it is not there, or not in a folder named with "
                     "--external-root",
                     STR_ARG(shown));
}

static char *
store_file(Arena *arena, Str name, const ExternalAccess *access)
{
    if (!access->store)
        return NULL;
    Str folder = str_format(arena, "%s/files", access->store);
    ExternalAccess inside = {.roots = (const char *const[]){folder.ptr}, .root_count = 1};
    while (name.len && name.ptr[0] == '/')
        name = str_slice(name, 1, name.len);
    return allowed_path(arena, name, &inside);
}

static char *
local_path(Arena *arena, Str address, const ExternalAccess *access, AzError *error)
{
    Str shown = address_shown(address);
    const char *mapped = places_find(access->places, shown);
    if (mapped && str_find(shown, STR("://")) > 0)
        return str_cstr(arena, str_from(mapped));
    if (str_starts(shown, STR("store://"))) {
        char *kept = store_file(arena, str_slice(shown, 8, shown.len), access);
        if (!kept)
            error_set(error, AZ_NOT_FOUND, "the store keeps no file '%.*s' in its folder 'files'",
                      STR_ARG(str_slice(shown, 8, shown.len)));
        return kept;
    }
    if (str_starts(shown, STR("file://"))) {
        char *path = allowed_path(arena, str_slice(shown, 7, shown.len), access);
        if (!path)
            not_allowed(shown, access, error);
        return path;
    }
    if (str_find(shown, STR("://")) > 0) {
        error_set(error, AZ_UNSUPPORTED,
                  "%.*s is not fetched: queries read no network. Download it and say where it is: "
                  "--map %.*s=FILE",
                  STR_ARG(shown), STR_ARG(shown));
        return NULL;
    }
    char *path = allowed_path(arena, address, access); // a plain path may hold ? and ;
    if (!path)
        not_allowed(shown, access, error);
    return path;
}

// ---- folders ----

static int
file_order(const void *a, const void *b)
{
    return str_compare(((const ExternalFile *)a)->name, ((const ExternalFile *)b)->name);
}

static bool
add_folder(Arena *arena, const char *path, const ExternalRequest *request, ExternalFiles *out,
           AzError *error)
{
    DIR *folder = opendir(path);
    if (!folder)
        return error_errno(error, "cannot read the folder '%s'", path);
    size_t first = out->len;
    Str ending = request->extension;
    if (ending.len && ending.ptr[0] == '.')
        ending = str_slice(ending, 1, ending.len);
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        Str name = str_copy(arena, str_from(entry->d_name));
        Str whole = str_format(arena, "%s/%.*s", path, STR_ARG(name));
        struct stat info;
        if (name.ptr[0] == '.' || stat(whole.ptr, &info) || !S_ISREG(info.st_mode) ||
            !str_starts(name, request->name_prefix) || (ending.len && !str_ends(name, ending)))
            continue;
        ExternalFile file = {name, whole.ptr, extension_of(arena, name)};
        ARRAY_PUSH(arena, out, file);
    }
    closedir(folder);
    if (out->len > first)
        qsort(out->items + first, out->len - first, sizeof(ExternalFile), file_order);
    return true;
}

bool
external_files(Arena *arena, Str address, const ExternalRequest *request,
               const ExternalAccess *access, ExternalFiles *out, AzError *error)
{
    char *path = local_path(arena, address, access, error);
    struct stat info;
    if (!path)
        return false;
    if (stat(path, &info))
        return error_errno(error, "cannot read '%s'", path);
    if (S_ISDIR(info.st_mode))
        return add_folder(arena, path, request, out, error);
    Str shown = str_copy(arena, address_shown(address));
    ExternalFile file = {shown, path, extension_of(arena, shown)};
    if (!file.extension.len)
        file.extension = extension_of(arena, str_from(path));
    ARRAY_PUSH(arena, out, file);
    return true;
}

// ---- bytes ----

static bool
read_whole(IngestStream *stream, ExternalAccess *access, Buffer *out, AzError *error)
{
    for (;;) {
        if (access->cancel && *access->cancel)
            return error_set(error, AZ_CANCELLED, "the query was cancelled");
        if (access->budget) {
            if (!budget_take(access->budget, READ_STEP, "an external file", error))
                return false;
            access->held += READ_STEP;
        }
        size_t got = ingest_stream_read(stream, buffer_reserve(out, READ_STEP), READ_STEP);
        out->len += got;
        if (got < READ_STEP)
            return true;
    }
}

typedef struct ZipContext {
    ExternalAccess *access;
    ExternalVisit visit;
    void *context;
    AzError *error;
} ZipContext;

static bool
visit_zip_entry(void *context, Str name, Str content)
{
    (void)name;
    ZipContext *zip = context;
    if (zip->access->budget) {
        if (!budget_take(zip->access->budget, content.len, "an external file", zip->error))
            return false;
        zip->access->held += content.len;
    }
    return zip->visit(zip->context, content, zip->error);
}

bool
external_bytes(const ExternalFile *file, ExternalAccess *access, ExternalVisit visit, void *context,
               AzError *error)
{
    IngestStream *stream = ingest_stream_open(file->path, error);
    if (!stream)
        return false;
    Buffer bytes = {0};
    bool done = read_whole(stream, access, &bytes, error);
    const char *problem = ingest_stream_problem(stream);
    if (done && problem)
        done =
            error_set(error, AZ_INVALID, "'%.*s' cannot be read: %s", STR_ARG(file->name), problem);
    ingest_stream_close(stream);
    Str whole = buffer_slice(&bytes);
    if (done && zip_is_archive(whole)) {
        ZipContext zip = {access, visit, context, error};
        uint64_t limit =
            access->budget && access->budget->limit ? access->budget->limit : (uint64_t)4 << 30;
        done = zip_each(whole, limit, visit_zip_entry, &zip, error);
    } else if (done) {
        if (str_starts(whole, STR("\xEF\xBB\xBF")))
            whole = str_slice(whole, 3, whole.len);
        done = visit(context, whole, error);
    }
    buffer_free(&bytes);
    return done;
}
