// Log files that come in once, also while they grow.
//
// A file is known by a hash of its decompressed content and its length, which the catalog keeps
// with the rows it gave. A blob of JSON lines is appended to for an hour: when a file of the
// same path begins with what was imported from there before, only the lines behind it are new.
// Its last line is left for the next time when it has no end yet. Files that cannot be
// fingerprinted are read all the same; the import then says what is wrong with them.

#include "store/ingest_logs_parts.h"

#include "base/array.h"
#include "store/ingest_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

enum { READ_SIZE = 1 << 20 };

// Content that was imported from the file's path before.
typedef struct Known {
    uint64_t size;
    Str fingerprint;
} Known;

typedef struct Reading {
    Arena *arena;
    XXH3_state_t *state, *at_line; // of all bytes; of those up to the last whole line
    uint64_t size, line_end;
    bool is_lines, damaged;
    Buffer tail; // behind the last whole line
    Known *known;
    size_t known_count, next;
    uint64_t begin; // the longest known beginning
} Reading;

static Str
fingerprint_text(Arena *arena, const XXH3_state_t *state, uint64_t size)
{
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    return str_format(arena, "%016llx%016llx-%llu", (unsigned long long)hash.high64,
                      (unsigned long long)hash.low64, (unsigned long long)size);
}

static int
by_size(const void *a, const void *b)
{
    uint64_t x = ((const Known *)a)->size, y = ((const Known *)b)->size;
    return x < y ? -1 : x > y;
}

static bool
known_read(Reading *reading, Store *store, Str path, AzError *error)
{
    Str *prints;
    size_t count;
    if (!store_imports_of(store, reading->arena, path, &prints, &count, error))
        return false;
    reading->known = ARENA_ARRAY(reading->arena, Known, count + 1);
    for (size_t i = 0; i < count; i++) {
        ptrdiff_t dash = str_find(prints[i], STR("-"));
        char *digits = str_cstr(
            reading->arena, str_slice(prints[i], dash < 0 ? 0 : (size_t)dash + 1, prints[i].len));
        reading->known[reading->known_count++] = (Known){strtoull(digits, NULL, 10), prints[i]};
    }
    if (count)
        qsort(reading->known, count, sizeof(Known), by_size);
    return true;
}

// Hashes the bytes; at the length of something known, looks whether this is it.
static void
take_bytes(Reading *reading, const char *bytes, size_t len)
{
    while (len) {
        size_t part = len;
        const Known *known =
            reading->next < reading->known_count ? &reading->known[reading->next] : NULL;
        if (known && known->size - reading->size < part)
            part = (size_t)(known->size - reading->size);
        if (part)
            XXH3_128bits_update(reading->state, bytes, part);
        reading->size += part;
        bytes += part;
        len -= part;
        for (; reading->next < reading->known_count &&
               reading->known[reading->next].size == reading->size;
             reading->next++)
            if (str_equal(reading->known[reading->next].fingerprint,
                          fingerprint_text(reading->arena, reading->state, reading->size)))
                reading->begin = reading->size;
    }
}

static void
take_block(Reading *reading, const char *bytes, size_t len)
{
    const char *last = reading->is_lines && len ? memrchr(bytes, '\n', len) : NULL;
    size_t whole = last ? (size_t)(last - bytes) + 1 : 0;
    if (last) {
        take_bytes(reading, bytes, whole);
        XXH3_copyState(reading->at_line, reading->state);
        reading->line_end = reading->size;
        buffer_clear(&reading->tail);
    }
    take_bytes(reading, bytes + whole, len - whole);
    if (reading->is_lines && reading->tail.len <= INGEST_RECORD_MAX)
        buffer_put(&reading->tail, bytes + whole, len - whole);
}

// Whether the first line is a whole JSON object: then the file is lines.
static bool
begins_with_line(Str text)
{
    const char *end = text.len ? memchr(text.ptr, '\n', text.len) : NULL;
    Str line = str_trim(str_slice(text, 0, end ? (size_t)(end - text.ptr) : text.len));
    return end && line.len && line.ptr[0] == '{' && ingest_value_end(line, 0) == line.len;
}

static bool
file_read(LogFile *file, Reading *reading)
{
    IngestStream *stream = ingest_stream_open(file->file.path, NULL);
    if (!stream)
        return false;
    char *bytes = arena_alloc(reading->arena, READ_SIZE);
    size_t got = ingest_stream_read(stream, bytes, READ_SIZE);
    reading->is_lines = file->file.format != INGEST_CSV && begins_with_line((Str){bytes, got});
    for (; got; got = ingest_stream_read(stream, bytes, READ_SIZE))
        take_block(reading, bytes, got);
    reading->damaged = ingest_stream_problem(stream) != NULL;
    ingest_stream_close(stream);
    return true;
}

// What of the file is to be read; false when nothing is.
static bool
file_choose(LogImport *import, LogFile *file, Reading *reading)
{
    Arena *arena = import->run.arena;
    Str tail = str_trim(buffer_slice(&reading->tail));
    bool open_line = reading->is_lines && tail.len && ingest_value_end(tail, 0) != tail.len;
    uint64_t end = open_line ? reading->line_end : reading->size;
    file->fingerprint = fingerprint_text(arena, open_line ? reading->at_line : reading->state, end);
    file->file.end = reading->damaged ? 0 : end; // reading on to the damage tells what it is
    if (reading->is_lines)
        file->file.begin = reading->begin;
    if (open_line)
        file->remark = str_format(
            arena, "its last line has no end yet (%zu bytes); it is read when it has", tail.len);
    return file->file.begin < end || !reading->known_count;
}

// Adds the file to those to be read, unless the store or this import has its content.
static bool
choose_one(LogImport *import, LogFile *file, Map *seen, bool *wanted, AzError *error)
{
    Arena scratch = {0};
    char *real = realpath(file->file.path, NULL);
    Reading reading = {
        .arena = &scratch, .state = XXH3_createState(), .at_line = XXH3_createState()};
    XXH3_128bits_reset(reading.state);
    XXH3_128bits_reset(reading.at_line);
    if (real)
        file->real_path = str_copy(import->run.arena, str_from(real));
    free(real);
    int64_t imported = 0;
    bool ok = known_read(&reading, import->run.store, file->real_path, error);
    *wanted = true;
    if (ok && file_read(file, &reading)) {
        bool is_new = true;
        *wanted = file_choose(import, file, &reading);
        ok = store_import_known(import->run.store, STR(""), file->fingerprint, &imported, error);
        map_add(seen, file->fingerprint, &is_new);
        *wanted = *wanted && !imported && is_new;
    }
    XXH3_freeState(reading.state);
    XXH3_freeState(reading.at_line);
    buffer_free(&reading.tail);
    arena_free(&scratch);
    return ok;
}

bool
log_files_choose(LogImport *import, LogReport *report, AzError *error)
{
    size_t kept = 0;
    Map seen;
    map_init(&seen, import->run.arena, false);
    for (size_t i = 0; i < import->files.len && !import->options->again; i++) {
        LogFile *file = import->files.items[i];
        bool wanted;
        if (!choose_one(import, file, &seen, &wanted, error))
            return false;
        if (wanted)
            import->files.items[kept++] = file;
        else
            import->run.bytes_total -= file->file.size;
    }
    if (import->options->again)
        kept = import->files.len;
    report->files_known = import->files.len - kept;
    import->files.len = kept;
    return true;
}

void
log_files_keep(LogImport *import)
{
    for (size_t i = 0; i < import->files.len; i++) {
        const LogFile *file = import->files.items[i];
        if (!file->fingerprint.len || !file->table)
            continue;
        const LogTable *table = import->tables.entries[file->table - 1].pointer;
        store_writer_once(import->run.writer, table->table.name, file->fingerprint,
                          file->real_path);
    }
}
