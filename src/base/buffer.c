#include "base/buffer.h"

#include <stdio.h>
#include <string.h>

void
buffer_free(Buffer *buffer)
{
    free(buffer->data);
    *buffer = (Buffer){0};
}

void
buffer_clear(Buffer *buffer)
{
    buffer->len = 0;
}

void
buffer_grow(Buffer *buffer, size_t more)
{
    size_t wanted = buffer->cap ? buffer->cap * 2 : 256;
    if (wanted - buffer->len < more)
        wanted = buffer->len + more;
    char *grown = realloc(buffer->data, wanted);
    if (!grown) {
        fprintf(stderr, "azimuth: out of memory (a text of %zu bytes)\n", wanted);
        abort();
    }
    buffer->data = grown;
    buffer->cap = wanted;
}

void
buffer_text(Buffer *buffer, const char *text)
{
    buffer_put(buffer, text, strlen(text));
}

void
buffer_printf(Buffer *buffer, const char *format, ...)
{
    enum { FIRST_TRY = 128 }; // most texts fit at once
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(buffer_reserve(buffer, FIRST_TRY), FIRST_TRY, format, args);
    va_end(args);
    if (len >= FIRST_TRY)
        vsnprintf(buffer_reserve(buffer, (size_t)len + 1), (size_t)len + 1, format, again);
    va_end(again);
    if (len > 0)
        buffer->len += (size_t)len;
}

Str
buffer_slice(const Buffer *buffer)
{
    return (Str){buffer->data ? buffer->data : "", buffer->len};
}
