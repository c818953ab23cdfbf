// Forms of blocks that pack their values: texts that are GUIDs, whole numbers, reals of few
// decimals. Used by block_encode.c and block_decode.c. Internal to src/store.
//
// GUIDS    texts: number of others u32, 4 zero bytes; with others 64-bit words, bit i = row i
//          is a GUID; 16 bytes a GUID (the digits of 8-4-4-4-12 in lower case, two a byte);
//          of the others a length u32 each, then all bytes
// PACKED   whole numbers: nulls as in PLAIN, then frames of 1,024 numbers (the last of what is
//          left): first i64, least i64, bits u8, whether they are steps u8, 6 zero bytes, then
//          as many bits a number: its distance from `first`, or how much it is more than the
//          number before it and `least` (the first number is `first`, whatever its bits say)
// SCALED   reals that are whole numbers over a power of ten: nulls, the power u64, then the
//          frames of the whole numbers
#pragma once

#include "store/bytes.h"

#include "base/arena.h"
#include "column/vector.h"

// Whether the texts are GUIDs, all but one in eight at most.
bool guid_texts_fit(const Vector *texts);
// Writes texts that fit.
void guid_texts_put(Buffer *out, const Vector *texts);
// The texts of a block, `v->count` of them; false with *why when its bytes are damaged.
bool guid_texts_decode(ByteReader *raw, Arena *arena, Vector *v, const char **why);

// Frames of whole numbers, and back; false with *why when the bytes are damaged.
void packed_put(Buffer *out, const int64_t *numbers, uint32_t count);
bool packed_decode(ByteReader *raw, int64_t *numbers, uint32_t count, const char **why);

// The power of ten (0 .. 9) by which all values become whole numbers that lie within 32 bits of
// each other, and come back as they were, bit by bit; those numbers in `arena` (of nulls the
// number before). False: there is none, or all are null.
bool scaled_reals_fit(const Vector *reals, Arena *arena, uint32_t *power, int64_t **whole);

// The real that stands for a whole number.
enum { SCALED_POWER_MAX = 9 };
extern const double SCALED_POWERS[SCALED_POWER_MAX + 1];
static inline double
scaled_real(int64_t whole, uint32_t power)
{
    return (double)whole / SCALED_POWERS[power];
}
