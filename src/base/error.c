#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const CODE_NAMES[] = {
    [AZ_OK] = "ok",
    [AZ_SYNTAX] = "syntax",
    [AZ_SEMANTIC] = "semantic",
    [AZ_UNSUPPORTED] = "unsupported",
    [AZ_INVALID] = "invalid",
    [AZ_NOT_FOUND] = "not-found",
    [AZ_IO] = "io",
    [AZ_CORRUPT] = "corrupt",
    [AZ_LIMIT] = "limit",
    [AZ_CANCELLED] = "cancelled",
    [AZ_BUSY] = "busy",
};

const char *
error_code_name(AzCode code)
{
    return CODE_NAMES[code];
}

// A message that was cut must not end in the middle of a character.
static void
cut_at_character(char *message, size_t size)
{
    size_t len = strnlen(message, size - 1);
    if (len < size - 1)
        return;
    while (len && ((unsigned char)message[len - 1] & 0xC0) == 0x80)
        len--;
    if (len && (unsigned char)message[len - 1] >= 0x80)
        len--;
    message[len] = 0;
}

static void
error_fill(AzError *error, AzCode code, const char *format, va_list args)
{
    assert(error->code == AZ_OK);
    error->code = code;
    error->has_span = error->of_table = false;
    error->span = (Span){0, 0};
    vsnprintf(error->message, sizeof(error->message), format, args);
    cut_at_character(error->message, sizeof(error->message));
}

bool
error_set(AzError *error, AzCode code, const char *format, ...)
{
    if (!error)
        return false;
    va_list args;
    va_start(args, format);
    error_fill(error, code, format, args);
    va_end(args);
    return false;
}

bool
error_at(AzError *error, AzCode code, Span span, const char *format, ...)
{
    if (!error)
        return false;
    va_list args;
    va_start(args, format);
    error_fill(error, code, format, args);
    va_end(args);
    error->span = span;
    error->has_span = true;
    return false;
}

bool
error_errno(AzError *error, const char *format, ...)
{
    int number = errno;
    if (!error)
        return false;
    va_list args;
    va_start(args, format);
    error_fill(error, number == ENOENT ? AZ_NOT_FOUND : AZ_IO, format, args);
    va_end(args);
    size_t len = strlen(error->message);
    snprintf(error->message + len, sizeof(error->message) - len, ": %s", strerror(number));
    cut_at_character(error->message, sizeof(error->message));
    return false;
}

void
error_clear(AzError *error)
{
    if (error)
        *error = (AzError){0};
}

void
text_position(Str text, size_t offset, uint32_t *line, uint32_t *column)
{
    *line = 1;
    *column = 1;
    if (offset > text.len)
        offset = text.len;
    for (size_t i = 0; i < offset; i++) {
        if (text.ptr[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)text.ptr[i] & 0xC0) != 0x80) {
            ++*column;
        }
    }
}

Str
error_render(Arena *arena, const AzError *error, Str text)
{
    char what[40];
    snprintf(what, sizeof(what), "%s error", error_code_name(error->code));
    return error_render_as(arena, what, error, text);
}

Str
error_render_as(Arena *arena, const char *what, const AzError *error, Str text)
{
    Str message = str_from(error->message);
    if (!error->has_span || text.len == 0)
        return str_format(arena, "%s: %.*s", what, STR_ARG(message));
    size_t start = error->span.start > text.len ? text.len : error->span.start;
    uint32_t line, column;
    text_position(text, start, &line, &column);
    size_t from = start, to = start;
    while (from > 0 && text.ptr[from - 1] != '\n')
        from--;
    while (to < text.len && text.ptr[to] != '\n' && text.ptr[to] != '\r')
        to++;
    // A very long line is shown as a window around the place.
    enum { WINDOW = 60 };
    if (start - from > WINDOW)
        from = start - WINDOW;
    if (to - start > WINDOW)
        to = start + WINDOW;
    while (from < start && ((unsigned char)text.ptr[from] & 0xC0) == 0x80)
        from++;
    size_t marks = error->span.end > start ? error->span.end - start : 1;
    if (marks > to - start)
        marks = to > start ? to - start : 1;
    char *pad = arena_alloc(arena, start - from + marks + 1);
    size_t n = 0;
    for (size_t i = from; i < start; i++)
        if (text.ptr[i] == '\t')
            pad[n++] = '\t';
        else if (((unsigned char)text.ptr[i] & 0xC0) != 0x80)
            pad[n++] = ' ';
    for (size_t i = 0; i < marks; i++)
        if (start + i >= text.len || ((unsigned char)text.ptr[start + i] & 0xC0) != 0x80)
            pad[n++] = i ? '~' : '^';
    pad[n] = 0;
    return str_format(arena, "%s at line %u, column %u: %.*s\n  %.*s\n  %s", what, line, column,
                      STR_ARG(message), (int)(to - from), text.ptr + from, pad);
}
