// The files that paths name: themselves, or all regular files below a folder, in the order of
// their names. Hidden entries are passed over, links to folders are not followed. A file whose
// first bytes are neither JSON nor CSV is told and left alone.

#include "store/ingest_logs_parts.h"

#include "base/array.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 32, HEAD = 4096 };

typedef struct Finder {
    LogImport *import;
    struct {
        Str *items;
        size_t len, cap;
    } skipped;
} Finder;

// The format by name, else by the first bytes: JSON or nothing.
static bool
file_format(Arena *arena, const char *path, Str name, IngestFormat *format, const char **why)
{
    Str table;
    AzError error = {0};
    if (ingest_file_name(arena, name, &table, format, why) || *format != INGEST_GUESS)
        return true;
    IngestStream *stream = ingest_stream_open(path, &error);
    char head[HEAD];
    size_t len = stream ? ingest_stream_read(stream, head, sizeof(head)) : 0;
    ingest_stream_close(stream);
    Str text = str_trim((Str){head, len});
    if (str_starts(text, STR("\xEF\xBB\xBF")))
        text = str_trim(str_slice(text, 3, text.len));
    *format = INGEST_DOCUMENTS;
    *why = "it is neither JSON (.json, .jsonl) nor CSV (.csv)";
    return !stream || !text.len || text.ptr[0] == '{' || text.ptr[0] == '[';
}

static void
add_file(Finder *finder, const char *path, uint64_t size)
{
    LogImport *import = finder->import;
    Arena *arena = import->run.arena;
    const char *slash = strrchr(path, '/'), *why = NULL;
    LogFile *file = ARENA_NEW(arena, LogFile);
    Str name = str_from(path);
    if (!file_format(arena, path, str_from(slash ? slash + 1 : path), &file->file.format, &why)) {
        ARRAY_PUSH(arena, &finder->skipped, str_format(arena, "%s: %s", path, why));
        return;
    }
    file->file.path = str_cstr(arena, name);
    file->file.name = str_from(file->file.path);
    file->file.size = size;
    file->source.path = file->file.name;
    file->source.csv = file->file.format == INGEST_CSV;
    import->run.bytes_total += size;
    ARRAY_PUSH(arena, &import->files, file);
}

static int
compare_names(const void *a, const void *b)
{
    return str_compare(*(const Str *)a, *(const Str *)b);
}

static void
skip(Finder *finder, const char *path, const char *why)
{
    Arena *arena = finder->import->run.arena;
    ARRAY_PUSH(arena, &finder->skipped, str_format(arena, "%s: %s", path, why));
}

static void
add_folder(Finder *finder, const char *path, int depth)
{
    struct {
        Str *items;
        size_t len, cap;
    } names = {0};
    Arena *arena = finder->import->run.arena;
    DIR *folder = depth < DEPTH_MAX ? opendir(path) : NULL;
    if (!folder) {
        skip(finder, path, depth < DEPTH_MAX ? strerror(errno) : "folders too deep in each other");
        return;
    }
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            ARRAY_PUSH(arena, &names, str_copy(arena, str_from(entry->d_name)));
    closedir(folder);
    if (names.len)
        qsort(names.items, names.len, sizeof(Str), compare_names);
    for (size_t i = 0; i < names.len; i++) {
        char *child = str_cstr(arena, str_format(arena, "%s/%.*s", path, STR_ARG(names.items[i])));
        struct stat info, link;
        if (stat(child, &info) != 0 || lstat(child, &link) != 0)
            skip(finder, child, strerror(errno));
        else if (S_ISDIR(info.st_mode) && !S_ISLNK(link.st_mode))
            add_folder(finder, child, depth + 1);
        else if (S_ISREG(info.st_mode))
            add_file(finder, child, (uint64_t)info.st_size);
        else
            skip(finder, child, "no regular file");
    }
}

bool
log_files_find(LogImport *import, const char *const *paths, size_t count, AzError *error)
{
    Finder finder = {.import = import};
    for (size_t i = 0; i < count; i++) {
        struct stat info;
        if (stat(paths[i], &info) != 0)
            return error_errno(error, "cannot open '%s'", paths[i]);
        if (S_ISDIR(info.st_mode))
            add_folder(&finder, paths[i], 0);
        else
            add_file(&finder, paths[i], (uint64_t)info.st_size);
    }
    import->skipped = finder.skipped.items;
    import->skipped_count = finder.skipped.len;
    return true;
}
