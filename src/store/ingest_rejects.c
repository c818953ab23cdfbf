// Reject files: what an import could not read, for people to look at.
//
// One line of JSON a record: {"file","line","offset","reason","record"}. The record
// is cut at 4 KiB, its secrets are masked (whatever it was, it must not become a
// second copy of a credential) and bytes that are no UTF-8 are shown as U+FFFD. After
// LINES_MAX lines the file only says that there were more, so that a hostile input
// cannot fill the disk.

#include "store/ingest_parts.h"

#include "base/clock.h"
#include "store/ingest_redact.h"
#include "value/scalar.h"
#include "value/unicode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORD_KEEP = 4096, LINES_MAX = 1000000, NAME_TRIES = 1000 };

struct IngestRejects {
    pthread_mutex_t mutex;
    char *dir; // DIR/rejects
    char *path;
    FILE *file;
    uint64_t lines;
    Buffer masked, clean, line;
};

IngestRejects *
ingest_rejects_new(const char *store_dir)
{
    IngestRejects *rejects = calloc(1, sizeof(*rejects));
    if (!rejects || asprintf(&rejects->dir, "%s/rejects", store_dir) < 0) {
        fprintf(stderr, "azimuth: out of memory (rejects)\n");
        abort();
    }
    pthread_mutex_init(&rejects->mutex, NULL);
    return rejects;
}

void
ingest_rejects_free(IngestRejects *rejects)
{
    if (!rejects)
        return;
    if (rejects->file)
        fclose(rejects->file);
    pthread_mutex_destroy(&rejects->mutex);
    buffer_free(&rejects->masked);
    buffer_free(&rejects->clean);
    buffer_free(&rejects->line);
    free(rejects->dir);
    free(rejects->path);
    free(rejects);
}

// DIR/rejects/20260131T235959Z.jsonl, with a number behind it when that exists.
static bool
rejects_open(IngestRejects *rejects, AzError *error)
{
    if (mkdir(rejects->dir, 0700) && errno != EEXIST)
        return error_errno(error, "cannot make the folder '%s'", rejects->dir);
    CivilTime now = datetime_civil(clock_now_ticks());
    for (int i = 0; i < NAME_TRIES; i++) {
        char number[16] = "";
        if (i)
            snprintf(number, sizeof(number), "-%d", i + 1);
        free(rejects->path);
        if (asprintf(&rejects->path, "%s/%04d%02d%02dT%02d%02d%02dZ%s.jsonl", rejects->dir,
                     now.year, now.month, now.day, now.hour, now.minute, now.second, number) < 0) {
            rejects->path = NULL;
            return error_set(error, AZ_LIMIT, "out of memory (rejects)");
        }
        int file = open(rejects->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (file < 0 && errno == EEXIST)
            continue;
        rejects->file = file < 0 ? NULL : fdopen(file, "w");
        if (rejects->file)
            return true;
        error_errno(error, "cannot write '%s'", rejects->path);
        if (file >= 0)
            close(file);
        return false;
    }
    return error_set(error, AZ_IO, "cannot find a free name for a reject file in '%s'",
                     rejects->dir);
}

// Valid UTF-8 without NUL: bad bytes become U+FFFD.
static void
put_clean(Buffer *out, Str text)
{
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        uint32_t codepoint = utf8_next(text, &at);
        bool valid = codepoint && utf8_valid(str_slice(text, from, at));
        if (valid)
            buffer_str(out, str_slice(text, from, at));
        else
            utf8_put(out, 0xFFFD);
    }
}

bool
ingest_rejects_add(IngestRejects *rejects, Str file, uint64_t line, uint64_t offset,
                   const char *reason, Str record, AzError *error)
{
    pthread_mutex_lock(&rejects->mutex);
    bool done = rejects->file || rejects_open(rejects, error);
    if (done && rejects->lines++ < LINES_MAX) {
        Buffer *out = &rejects->line;
        buffer_clear(&rejects->masked);
        buffer_clear(&rejects->clean);
        buffer_clear(out);
        ingest_redact_broken(&rejects->masked, str_slice(record, 0, RECORD_KEEP));
        put_clean(&rejects->clean, buffer_slice(&rejects->masked));
        buffer_text(out, "{\"file\":");
        size_t name = rejects->clean.len;
        put_clean(&rejects->clean, file);
        Str clean = buffer_slice(&rejects->clean);
        json_write_string(out, str_slice(clean, name, clean.len), false);
        buffer_printf(out, ",\"line\":%llu,\"offset\":%llu,\"reason\":", (unsigned long long)line,
                      (unsigned long long)offset);
        json_write_string(out, str_from(reason), false);
        buffer_text(out, ",\"record\":");
        json_write_string(out, str_slice(clean, 0, name), false);
        buffer_text(out, "}\n");
        done = fwrite(out->data, 1, out->len, rejects->file) == out->len ||
               error_errno(error, "cannot write '%s'", rejects->path);
    }
    pthread_mutex_unlock(&rejects->mutex);
    return done;
}

bool
ingest_rejects_finish(IngestRejects *rejects, Arena *arena, Str *path, AzError *error)
{
    *path = (Str){0};
    if (!rejects->file)
        return true;
    if (rejects->lines > LINES_MAX)
        fprintf(rejects->file, "{\"reason\":\"%llu more records were rejected\"}\n",
                (unsigned long long)(rejects->lines - LINES_MAX));
    FILE *file = rejects->file;
    rejects->file = NULL;
    bool done = fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (!done)
        error_errno(error, "cannot write '%s'", rejects->path);
    fclose(file);
    *path = str_copy(arena, str_from(rejects->path));
    return done;
}
