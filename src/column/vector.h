// Vector: up to a few thousand values of one type, in one of three encodings.
//
// - FLAT: `count` payloads side by side.
// - CONST: one payload that stands for all rows.
// - DICT: a flat vector of entries and one code a row. It serves dictionaries of
//   the store and the results of joins and filters, which then copy no payloads.
//   The entries of a DICT vector are always a FLAT vector.
//
// Nulls: bit i of `valid` says whether payload i is a value; valid == NULL means
// all are. A string is never null: a "null" string is the empty string with its
// bit set. The payload of a null is all zero bytes, so kernels may read it.
//
// A vector is never changed once it has been handed on. It lives in the arena of
// its batch; long texts may point into the segment or arena they came from.
#pragma once

#include "column/schema.h"

// Rows a batch has at most. Tests lower `batch_rows` (1, 7) to find operators
// that mistake a batch for the whole.
enum { BATCH_ROWS_MAX = 4096 };
extern uint32_t batch_rows;

typedef enum Encoding { ENC_FLAT, ENC_CONST, ENC_DICT } Encoding;

typedef struct Vector Vector;
struct Vector {
    Type type;
    Encoding encoding;
    uint32_t count;        // rows
    void *data;            // FLAT: count payloads; CONST: one; DICT: NULL
    uint64_t *valid;       // FLAT: count bits; CONST: one bit; DICT: NULL
    const Vector *dict;    // DICT: the entries
    const uint32_t *codes; // DICT: entry of each row
};

static inline bool
bit_get(const uint64_t *bits, size_t i)
{
    return bits[i >> 6] >> (i & 63) & 1;
}

static inline void
bit_set(uint64_t *bits, size_t i)
{
    bits[i >> 6] |= (uint64_t)1 << (i & 63);
}

static inline void
bit_clear(uint64_t *bits, size_t i)
{
    bits[i >> 6] &= ~((uint64_t)1 << (i & 63));
}

static inline size_t
bit_words(size_t count)
{
    return (count + 63) >> 6;
}

// New vectors in `arena`. A flat one is zeroed and all valid (valid == NULL).
Vector *vector_new_flat(Arena *arena, Type type, uint32_t count);
Vector *vector_new_const(Arena *arena, const Value *value, uint32_t count);
Vector *vector_new_dict(Arena *arena, const Vector *dict, const uint32_t *codes, uint32_t count);

// Marks row i of a flat vector null (makes the bitmap, zeroes the payload).
void vector_set_null(Arena *arena, Vector *vector, uint32_t i);

// Index of the payload of row i, in vector_payload(v)->data.
static inline uint32_t
vector_index(const Vector *v, uint32_t i)
{
    return v->encoding == ENC_FLAT ? i : v->encoding == ENC_CONST ? 0 : v->codes[i];
}

static inline const Vector *
vector_payload(const Vector *v)
{
    return v->encoding == ENC_DICT ? v->dict : v;
}

static inline bool
vector_is_null(const Vector *v, uint32_t i)
{
    const Vector *payload = vector_payload(v);
    return payload->valid && !bit_get(payload->valid, vector_index(v, i));
}

// Whether it is a constant that says nothing: null, of a string the empty one.
static inline bool
vector_is_nothing(const Vector *v)
{
    return v->encoding == ENC_CONST && (v->type == TYPE_STRING ? !((const Text *)v->data)->len
                                                               : v->valid && !bit_get(v->valid, 0));
}

// Address of the payload of row i (zero bytes when null).
static inline const void *
vector_cell(const Vector *v, uint32_t i)
{
    const Vector *payload = vector_payload(v);
    return (const char *)payload->data + (size_t)vector_index(v, i) * type_size(v->type);
}

Value vector_value(const Vector *v, uint32_t i); // text is viewed, not copied

// The rows `selection[0..count)`, sharing payloads where the encoding allows.
const Vector *vector_gather(Arena *arena, const Vector *v, const uint32_t *selection,
                            uint32_t count);
// The same values as a flat vector (itself when it is one already).
const Vector *vector_flatten(Arena *arena, const Vector *v);
// Rows [from, from + count).
const Vector *vector_slice(Arena *arena, const Vector *v, uint32_t from, uint32_t count);
// A deep copy: long texts are copied into the arena too. Dictionary vectors stay
// so when that is smaller.
const Vector *vector_copy(Arena *arena, const Vector *v);

// hashes[i] of each row; with `combine` mixed into what is there. Equal values of
// one type hash alike; nulls have a hash of their own.
void vector_hash(const Vector *v, uint64_t *hashes, bool combine);
// Whether row i of a and row j of b are equal, null equal to null (grouping, distinct).
bool vector_same(const Vector *a, uint32_t i, const Vector *b, uint32_t j);

// Builder: appends values and cuts them into a flat vector. Texts are copied to
// the arena given at each append.
typedef struct VectorBuilder {
    Type type;
    void *data;      // malloc'ed
    uint64_t *valid; // malloc'ed, `cap` bits; meaningful when has_nulls
    uint32_t count, cap;
    bool has_nulls;
} VectorBuilder;

void vector_builder_init(VectorBuilder *builder, Type type);
void vector_builder_free(VectorBuilder *builder);
void vector_builder_clear(VectorBuilder *builder);
void vector_builder_null(VectorBuilder *builder); // of a string: the empty string
// Appends such nulls until there are `count` values.
void vector_builder_pad(VectorBuilder *builder, uint32_t count);
void vector_builder_data(VectorBuilder *builder, Arena *arena, const void *payload);
void vector_builder_value(VectorBuilder *builder, Arena *arena, const Value *value);
void vector_builder_cell(VectorBuilder *builder, Arena *arena, const Vector *v, uint32_t i);
// A flat vector of rows [from, from + count), copied into the arena (payload views kept).
Vector *vector_builder_cut(const VectorBuilder *builder, Arena *arena, uint32_t from,
                           uint32_t count);
// The first `count` rows as a flat vector that lies in the builder itself: valid until the
// builder changes.
Vector *vector_builder_view(const VectorBuilder *builder, Arena *arena, uint32_t count);
