// Buffer: bytes that grow, for text and files being written. Owns its memory
// (malloc); free with buffer_free. A zeroed Buffer is empty and valid.
#pragma once

#include "base/slice.h"

typedef struct Buffer {
    char *data;
    size_t len, cap;
} Buffer;

void buffer_free(Buffer *buffer);
void buffer_clear(Buffer *buffer);                 // len = 0, memory kept
char *buffer_reserve(Buffer *buffer, size_t more); // room for `more` bytes at data + len
void buffer_put(Buffer *buffer, const void *data, size_t size);
void buffer_str(Buffer *buffer, Str text);
void buffer_text(Buffer *buffer, const char *text); // C string
void buffer_char(Buffer *buffer, char c);
void buffer_printf(Buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
Str buffer_slice(const Buffer *buffer); // valid until the next change
