#include "collect/log_files.h"

#include "base/array.h"
#include "store/os.h"
#include "value/scalar.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const Str ROWS = STR_INIT(".json"), LIST_ROWS = STR_INIT(".list.json");

static bool
is_usual(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
           (c && strchr("-_=.,@+ ()$", c));
}

// One part between slashes.
static void
put_part(Buffer *out, Str part)
{
    bool dots = str_equal(part, STR(".")) || str_equal(part, STR(".."));
    if (!part.len)
        buffer_text(out, "%00"); // two slashes after one another
    for (size_t i = 0; i < part.len; i++)
        if (is_usual(part.ptr[i]) && !dots)
            buffer_char(out, part.ptr[i]);
        else
            buffer_printf(out, "%%%02X", (unsigned)(unsigned char)part.ptr[i]);
}

Str
log_path(Arena *arena, Str folder, Str part)
{
    Buffer path = {0};
    buffer_str(&path, folder);
    for (size_t from = 0, i = 0; i <= part.len; i++) {
        if (i < part.len && part.ptr[i] != '/')
            continue;
        buffer_char(&path, '/');
        put_part(&path, str_slice(part, from, i));
        from = i + 1;
    }
    Str text = str_copy(arena, buffer_slice(&path));
    buffer_free(&path);
    return text;
}

// ---- names ----

void
log_time_print(Buffer *out, uint64_t ticks)
{
    Buffer text = {0};
    datetime_print(&text, (int64_t)ticks);
    // 2026-06-01T00:00:00.0000000Z
    for (size_t i = 0; i < text.len && i < 19; i++)
        if (text.data[i] != '-' && text.data[i] != ':')
            buffer_char(out, text.data[i]);
    buffer_char(out, 'Z');
    buffer_free(&text);
}

bool
log_time_parse(Str text, uint64_t *ticks)
{
    char iso[24];
    int64_t value;
    if (text.len != 16 || text.ptr[8] != 'T' || text.ptr[15] != 'Z')
        return false;
    const char *t = text.ptr;
    snprintf(iso, sizeof(iso), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", t, t + 4, t + 6, t + 9, t + 11,
             t + 13);
    if (!datetime_parse(str_from(iso), &value) || value < 0)
        return false;
    *ticks = (uint64_t)value;
    return true;
}

static void
put_end(Buffer *out, LogUnit unit, uint64_t end)
{
    if (unit == LOG_TIME)
        log_time_print(out, end);
    else
        buffer_printf(out, "%012llu", (unsigned long long)end);
}

static bool
read_end(Str text, LogUnit unit, uint64_t *out)
{
    if (unit == LOG_TIME)
        return log_time_parse(text, out);
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || i == 18)
            return false;
        *out = *out * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    return text.len >= 12;
}

static bool
read_name(Str name, LogUnit unit, LogSpan *span, bool *is_list)
{
    *is_list = str_ends(name, LIST_ROWS);
    Str suffix = *is_list ? LIST_ROWS : ROWS;
    ptrdiff_t dash = str_find(name, STR("-"));
    if (dash < 0 || !str_ends(name, suffix))
        return false;
    return read_end(str_slice(name, 0, (size_t)dash), unit, &span->from) &&
           read_end(str_slice(name, (size_t)dash + 1, name.len - suffix.len), unit, &span->to) &&
           span->from <= span->to;
}

// ---- what is there ----

static int
by_from(const void *a, const void *b)
{
    const LogSpan *left = a, *right = b;
    return left->from < right->from ? -1 : left->from > right->from;
}

bool
log_spans(Arena *arena, Str folder, LogUnit unit, LogSpans *out, AzError *error)
{
    char *path = str_cstr(arena, folder);
    DIR *open = opendir(path);
    *out = (LogSpans){0};
    if (!open)
        return errno == ENOENT || error_errno(error, "cannot read '%s'", path);
    for (const struct dirent *entry; (entry = readdir(open));) {
        LogSpan span;
        bool is_list;
        if (!read_name(str_from(entry->d_name), unit, &span, &is_list))
            continue;
        out->is_list = out->is_list || is_list;
        ARRAY_PUSH(arena, out, span);
    }
    closedir(open);
    if (out->len)
        qsort(out->items, out->len, sizeof(out->items[0]), by_from);
    return true;
}

bool
log_missing(const LogSpans *spans, LogSpan wanted, LogSpan *out)
{
    *out = wanted;
    for (size_t i = 0; i < spans->len; i++) {
        const LogSpan *span = &spans->items[i];
        if (span->to <= out->from)
            continue;
        if (span->from > out->from) {
            out->to = span->from < out->to ? span->from : out->to;
            break;
        }
        out->from = span->to;
    }
    return out->from < out->to;
}

// ---- writing ----

static bool
make_folders(char *path, AzError *error)
{
    for (char *slash = path; (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        bool done = os_mkdir(path, 0700, error);
        *slash = '/';
        if (!done)
            return false;
    }
    return os_mkdir(path, 0700, error);
}

bool
log_write(Str folder, LogUnit unit, LogSpan span, bool is_list, const Buffer *rows, AzError *error)
{
    Arena arena = {0};
    Buffer name = {0};
    put_end(&name, unit, span.from);
    buffer_char(&name, '-');
    put_end(&name, unit, span.to);
    buffer_str(&name, is_list ? LIST_ROWS : ROWS);
    char *where = str_cstr(&arena, folder);
    char *path = str_cstr(&arena, str_format(&arena, "%s/%.*s", where, (int)name.len, name.data));
    char *fresh = str_cstr(&arena, str_format(&arena, "%s/new", where));
    bool done = make_folders(where, error);
    os_unlink(fresh); // of a run that was killed
    int fd = done ? os_create(fresh, error) : -1;
    if (fd >= 0) {
        done = os_write(fd, rows->data, rows->len, fresh, error) && os_sync(fd, fresh, error);
        close(fd);
        done = done && os_rename(fresh, path, error) && os_sync_dir(where, error);
    }
    buffer_free(&name);
    arena_free(&arena);
    return done && fd >= 0;
}
