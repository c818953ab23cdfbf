// Buffer: bytes that grow, for text and files being written. Owns its memory
// (malloc); free with buffer_free. A zeroed Buffer is empty and valid.
#pragma once

#include "base/slice.h"

#include <string.h>

typedef struct Buffer {
    char *data;
    size_t len, cap;
} Buffer;

void buffer_free(Buffer *buffer);
void buffer_clear(Buffer *buffer);             // len = 0, memory kept
void buffer_grow(Buffer *buffer, size_t more); // what buffer_reserve does when there is no room
void buffer_text(Buffer *buffer, const char *text); // C string
void buffer_printf(Buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Room for `more` bytes at data + len. These are in every inner loop that writes text.
static inline char *
buffer_reserve(Buffer *buffer, size_t more)
{
    if (buffer->cap - buffer->len < more || !buffer->data)
        buffer_grow(buffer, more);
    return buffer->data + buffer->len;
}

static inline void
buffer_put(Buffer *buffer, const void *data, size_t size)
{
    if (!size)
        return;
    memcpy(buffer_reserve(buffer, size), data, size);
    buffer->len += size;
}

static inline void
buffer_str(Buffer *buffer, Str text)
{
    buffer_put(buffer, text.ptr, text.len);
}

static inline void
buffer_char(Buffer *buffer, char c)
{
    *buffer_reserve(buffer, 1) = c;
    buffer->len++;
}

Str buffer_slice(const Buffer *buffer); // valid until the next change
