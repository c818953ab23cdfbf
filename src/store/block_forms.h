// Two forms of blocks that pack their values: texts that are GUIDs, and reals of few decimals.
// Used by block_encode.c and block_decode.c. Internal to src/store.
//
// GUIDS    texts: number of others u32, 4 zero bytes; with others 64-bit words, bit i = row i
//          is a GUID; 16 bytes a GUID (the digits of 8-4-4-4-12 in lower case, two a byte);
//          of the others a length u32 each, then all bytes
// SCALED   reals that are whole numbers over a power of ten: nulls as in PLAIN, the power u64,
//          then least value i64, width u64 and distances as in NARROW
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

// The power of ten (0 .. 9) by which all values become whole numbers that lie within 32 bits of
// each other, and come back as they were, bit by bit; those numbers in `arena` (0 for nulls).
// False: there is none, or all are null.
bool scaled_reals_fit(const Vector *reals, Arena *arena, uint32_t *power, int64_t **whole);
// The real that stands for a whole number.
double scaled_real(int64_t whole, uint32_t power);
enum { SCALED_POWER_MAX = 9 };
