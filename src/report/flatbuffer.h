// FlatBuffers: the encoding of the metadata in Arrow's IPC format, written forwards.
//
// A table is a list of optional fields; what a field refers to (a string, a vector, another table)
// lies behind it and is written later, through the field's position. Positions are offsets in the
// buffer, so they survive its growth. A buffer holds one root and nothing else.
#pragma once

#include "base/buffer.h"

// Begins a buffer; the position of the reference to the root.
size_t flat_begin(Buffer *out);

enum { FLAT_FIELDS_MAX = 8 };
typedef struct FlatTable {
    size_t fields[FLAT_FIELDS_MAX]; // position of each field's value; 0 = absent
} FlatTable;

// A table whose field i has sizes[i] bytes (0 = absent; 4 for a reference), zeroed; the reference
// at `from` leads to it.
FlatTable flat_table(Buffer *out, size_t from, const uint8_t *sizes, uint32_t count);
// A vector of `count` zeroed items; the position of the first.
size_t flat_vector(Buffer *out, size_t from, uint32_t count, uint32_t item_size);
void flat_string(Buffer *out, size_t from, Str text);

// Sets the `size` bytes at a position, little-endian as this machine is.
void flat_set(Buffer *out, size_t at, const void *value, size_t size);
void flat_set_u8(Buffer *out, size_t at, uint8_t value);
void flat_set_i16(Buffer *out, size_t at, int16_t value);
void flat_set_i32(Buffer *out, size_t at, int32_t value);
void flat_set_i64(Buffer *out, size_t at, int64_t value);
