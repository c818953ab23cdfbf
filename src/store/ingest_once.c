// Importing a file once: it is known by a fingerprint of its content (decompressed, so that a log
// and its gzip are one), which the catalog keeps for each table from the commit that brought the
// rows. The file is read twice; one that changes in between fails the import.

#include "store/ingest_parts.h"
#include "store/ingest_stream.h"

#include <errno.h>
#include <sys/stat.h>
#include <xxhash.h>

enum { READ_SIZE = 1 << 16 };

static bool
fingerprint(Arena *arena, const char *path, Str *out, AzError *error)
{
    IngestStream *stream = ingest_stream_open(path, error);
    if (!stream)
        return false;
    XXH3_state_t *state = XXH3_createState();
    char *bytes = arena_alloc(arena, READ_SIZE);
    uint64_t size = 0;
    XXH3_128bits_reset(state);
    for (size_t got; (got = ingest_stream_read(stream, bytes, READ_SIZE)); size += got)
        XXH3_128bits_update(state, bytes, got);
    const char *problem = ingest_stream_problem(stream);
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    *out = str_format(arena, "%016llx%016llx-%llu", (unsigned long long)hash.high64,
                      (unsigned long long)hash.low64, (unsigned long long)size);
    bool ok = !problem || error_set(error, AZ_IO, "cannot import '%s' once: %s", path, problem);
    ingest_stream_close(stream);
    return ok;
}

static bool
file_state(const char *path, IngestOnce *once, AzError *error)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return error_errno(error, "cannot open '%s'", path);
    once->size = (uint64_t)info.st_size;
    once->changed = info.st_mtim;
    return true;
}

static bool
fingerprint_seen(const IngestOnce *list, size_t count, Str print)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(list[i].fingerprint, print))
            return true;
    return false;
}

bool
ingest_once_choose(IngestRun *run, Str table, IngestFile **files, size_t *count, IngestOnce *list,
                   AzError *error)
{
    IngestReport *report = run->report;
    size_t kept = 0;
    report->skipped = ARENA_ARRAY(run->arena, Str, *count);
    for (size_t i = 0; i < *count; i++) {
        IngestOnce once = {.file = files[i]};
        int64_t imported;
        if (!file_state(files[i]->path, &once, error) ||
            !fingerprint(run->arena, files[i]->path, &once.fingerprint, error) ||
            !store_import_known(run->store, table, once.fingerprint, &imported, error))
            return false;
        if (!imported && !fingerprint_seen(list, kept, once.fingerprint)) {
            list[kept] = once;
            files[kept++] = files[i];
            continue;
        }
        report->skipped[report->skipped_count++] = str_format(
            run->arena, "%.*s (its content is in the table already)", STR_ARG(files[i]->name));
        run->bytes_total -= files[i]->size;
    }
    *count = kept;
    return true;
}

bool
ingest_once_keep(IngestRun *run, Str table, const IngestOnce *list, size_t count, AzError *error)
{
    for (size_t i = 0; i < count; i++) {
        IngestOnce now = {0};
        if (!file_state(list[i].file->path, &now, error))
            return false;
        if (now.size != list[i].size || now.changed.tv_sec != list[i].changed.tv_sec ||
            now.changed.tv_nsec != list[i].changed.tv_nsec)
            return error_set(error, AZ_IO,
                             "'%s' changed while it was read: nothing was imported, run this again",
                             list[i].file->path);
        store_writer_once(run->writer, table, list[i].fingerprint, list[i].file->name);
    }
    return true;
}
