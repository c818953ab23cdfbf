// Bytes: numbers and texts in the byte order of files, written to a Buffer and
// read back from bytes that nobody vouches for. Internal to src/store.
//
// A reader that runs past its end turns bad and yields zeros from then on, so
// that a parser checks `bad` once at its end, and before it allocates by a count
// asks whether so many items can be there at all.
#pragma once

#include "base/buffer.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are copied as they lie");

typedef struct ByteReader {
    const uint8_t *at, *end;
    bool bad;
} ByteReader;

static inline size_t
bytes_left(const ByteReader *reader)
{
    return (size_t)(reader->end - reader->at);
}

// The next `size` bytes in place; NULL (and bad) when there are not so many.
static inline const uint8_t *
bytes_take(ByteReader *reader, size_t size)
{
    if (reader->bad || size > bytes_left(reader)) {
        reader->bad = true;
        return NULL;
    }
    const uint8_t *at = reader->at;
    reader->at += size;
    return at;
}

static inline void
bytes_read(ByteReader *reader, void *out, size_t size)
{
    const uint8_t *at = bytes_take(reader, size);
    if (at)
        memcpy(out, at, size);
    else
        memset(out, 0, size);
}

static inline uint8_t
bytes_u8(ByteReader *reader)
{
    uint8_t value;
    bytes_read(reader, &value, sizeof(value));
    return value;
}

static inline uint32_t
bytes_u32(ByteReader *reader)
{
    uint32_t value;
    bytes_read(reader, &value, sizeof(value));
    return value;
}

static inline uint64_t
bytes_u64(ByteReader *reader)
{
    uint64_t value;
    bytes_read(reader, &value, sizeof(value));
    return value;
}

// A length and so many bytes, viewed in place.
static inline Str
bytes_str(ByteReader *reader)
{
    uint32_t len = bytes_u32(reader);
    const uint8_t *at = bytes_take(reader, len);
    return at ? (Str){(const char *)at, len} : (Str){"", 0};
}

static inline void
bytes_put_u8(Buffer *out, uint8_t value)
{
    buffer_put(out, &value, sizeof(value));
}

static inline void
bytes_put_u32(Buffer *out, uint32_t value)
{
    buffer_put(out, &value, sizeof(value));
}

static inline void
bytes_put_u64(Buffer *out, uint64_t value)
{
    buffer_put(out, &value, sizeof(value));
}

static inline void
bytes_put_str(Buffer *out, Str text)
{
    bytes_put_u32(out, (uint32_t)text.len);
    buffer_put(out, text.ptr, text.len);
}
