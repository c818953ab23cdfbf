// Vectors: see vector.h for the invariants each function keeps.

#include "column/vector.h"

#include <assert.h>
#include <stdio.h>

uint32_t batch_rows = BATCH_ROWS_MAX;

Vector *
vector_new_flat(Arena *arena, Type type, uint32_t count)
{
    Vector *v = ARENA_NEW(arena, Vector);
    v->type = type;
    v->encoding = ENC_FLAT;
    v->count = count;
    v->data = arena_zalloc_array(arena, count, type_size(type));
    return v;
}

Vector *
vector_new_const(Arena *arena, const Value *value, uint32_t count)
{
    Vector *v = vector_new_flat(arena, value->type, 1);
    v->encoding = ENC_CONST;
    v->count = count;
    if (!value->is_null) {
        memcpy(v->data, value_data(value), type_size(value->type));
    } else if (value->type != TYPE_STRING) {
        v->valid = ARENA_ARRAY(arena, uint64_t, 1);
    }
    return v;
}

Vector *
vector_new_dict(Arena *arena, const Vector *dict, const uint32_t *codes, uint32_t count)
{
    assert(dict->encoding == ENC_FLAT);
    Vector *v = ARENA_NEW(arena, Vector);
    v->type = dict->type;
    v->encoding = ENC_DICT;
    v->count = count;
    v->dict = dict;
    v->codes = codes;
    return v;
}

void
vector_set_null(Arena *arena, Vector *vector, uint32_t i)
{
    assert(vector->encoding == ENC_FLAT);
    memset((char *)vector->data + (size_t)i * type_size(vector->type), 0, type_size(vector->type));
    if (vector->type == TYPE_STRING)
        return;
    if (!vector->valid) {
        size_t words = bit_words(vector->count);
        vector->valid = arena_alloc_array(arena, words, sizeof(uint64_t));
        memset(vector->valid, 0xFF, words * sizeof(uint64_t));
    }
    bit_clear(vector->valid, i);
}

Value
vector_value(const Vector *v, uint32_t i)
{
    Value value = {.type = v->type, .is_null = vector_is_null(v, i)};
    if (value.is_null)
        return value;
    const void *cell = vector_cell(v, i);
    switch (type_size(v->type)) {
    case 1: value.boolean = *(const uint8_t *)cell != 0; break;
    case 4: value.int32 = *(const int32_t *)cell; break;
    case 8: value.int64 = *(const int64_t *)cell; break;
    default: value.text = *(const Text *)cell; break;
    }
    return value;
}

// Copies payloads by index; the widths are constants so that the loops are tight.
static void
payload_gather(void *out, const void *data, size_t size, const uint32_t *index, uint32_t count)
{
    switch (size) {
    case 1:
        for (uint32_t i = 0; i < count; i++)
            ((uint8_t *)out)[i] = ((const uint8_t *)data)[index[i]];
        break;
    case 4:
        for (uint32_t i = 0; i < count; i++)
            ((uint32_t *)out)[i] = ((const uint32_t *)data)[index[i]];
        break;
    case 8:
        for (uint32_t i = 0; i < count; i++)
            ((uint64_t *)out)[i] = ((const uint64_t *)data)[index[i]];
        break;
    default:
        assert(size == sizeof(Text));
        for (uint32_t i = 0; i < count; i++)
            ((Text *)out)[i] = ((const Text *)data)[index[i]];
        break;
    }
}

static Vector *
gather_flat(Arena *arena, const Vector *flat, const uint32_t *index, uint32_t count)
{
    Vector *out = vector_new_flat(arena, flat->type, count);
    payload_gather(out->data, flat->data, type_size(flat->type), index, count);
    if (flat->valid) {
        uint64_t *valid = ARENA_ARRAY(arena, uint64_t, bit_words(count));
        bool any_null = false;
        for (uint32_t i = 0; i < count; i++)
            if (bit_get(flat->valid, index[i]))
                bit_set(valid, i);
            else
                any_null = true;
        out->valid = any_null ? valid : NULL;
    }
    return out;
}

const Vector *
vector_gather(Arena *arena, const Vector *v, const uint32_t *selection, uint32_t count)
{
    switch (v->encoding) {
    case ENC_FLAT: return gather_flat(arena, v, selection, count);
    case ENC_CONST: {
        Vector *out = ARENA_NEW(arena, Vector);
        *out = *v;
        out->count = count;
        return out;
    }
    case ENC_DICT: break;
    }
    uint32_t *codes = arena_alloc_array(arena, count, sizeof(*codes));
    for (uint32_t i = 0; i < count; i++)
        codes[i] = v->codes[selection[i]];
    return vector_new_dict(arena, v->dict, codes, count);
}

const Vector *
vector_flatten(Arena *arena, const Vector *v)
{
    if (v->encoding == ENC_FLAT)
        return v;
    if (v->encoding == ENC_DICT)
        return gather_flat(arena, v->dict, v->codes, v->count);
    uint32_t *zeros = ARENA_ARRAY(arena, uint32_t, v->count);
    return gather_flat(arena, v, zeros, v->count);
}

const Vector *
vector_slice(Arena *arena, const Vector *v, uint32_t from, uint32_t count)
{
    assert((uint64_t)from + count <= v->count);
    if (from == 0 && count == v->count)
        return v;
    Vector *out = ARENA_NEW(arena, Vector);
    *out = *v;
    out->count = count;
    if (v->encoding == ENC_DICT) {
        out->codes = v->codes + from;
    } else if (v->encoding == ENC_FLAT) {
        out->data = (char *)v->data + (size_t)from * type_size(v->type);
        if (v->valid && (from & 63) == 0) {
            out->valid = v->valid + (from >> 6);
        } else if (v->valid) {
            out->valid = ARENA_ARRAY(arena, uint64_t, bit_words(count));
            for (uint32_t i = 0; i < count; i++)
                if (bit_get(v->valid, from + i))
                    bit_set(out->valid, i);
        }
    }
    return out;
}

static Vector *
copy_payload(Arena *arena, const Vector *v, uint32_t count)
{
    Vector *out = ARENA_NEW(arena, Vector);
    *out = *v;
    out->data = arena_copy(arena, v->data, count * type_size(v->type));
    if (v->valid)
        out->valid = arena_copy(arena, v->valid, bit_words(count) * sizeof(uint64_t));
    if (type_is_text(v->type)) {
        Text *texts = out->data;
        for (uint32_t i = 0; i < count; i++)
            if (texts[i].len > TEXT_INLINE)
                texts[i] = text_copy(arena, text_str(&texts[i]));
    }
    return out;
}

const Vector *
vector_copy(Arena *arena, const Vector *v)
{
    if (v->encoding == ENC_FLAT)
        return copy_payload(arena, v, v->count);
    if (v->encoding == ENC_CONST)
        return copy_payload(arena, v, 1);
    if (v->dict->count > v->count)
        return copy_payload(arena, gather_flat(arena, v->dict, v->codes, v->count), v->count);
    const uint32_t *codes = arena_copy(arena, v->codes, v->count * sizeof(*codes));
    return vector_new_dict(arena, copy_payload(arena, v->dict, v->dict->count), codes, v->count);
}

static uint64_t
hash_mix(uint64_t seed, uint64_t hash)
{
    uint64_t mixed = (seed ^ hash) * 0x9E3779B97F4A7C15u;
    return mixed ^ mixed >> 29;
}

static const uint64_t NULL_HASH = 0x6E756C6C6E756C6Cu;

static uint64_t
payload_hash(const Vector *flat, uint32_t i)
{
    if (flat->valid && !bit_get(flat->valid, i))
        return NULL_HASH;
    return data_hash(flat->type, (const char *)flat->data + (size_t)i * type_size(flat->type));
}

void
vector_hash(const Vector *v, uint64_t *hashes, bool combine)
{
    if (v->encoding == ENC_CONST || (v->encoding == ENC_DICT && v->dict->count == 1)) {
        uint64_t hash = v->count ? payload_hash(vector_payload(v), 0) : 0;
        for (uint32_t i = 0; i < v->count; i++)
            hashes[i] = combine ? hash_mix(hashes[i], hash) : hash;
        return;
    }
    // A small dictionary is hashed once an entry, a large one once a row.
    enum { PEEL_ENTRIES = 1024 };
    uint64_t entry_hash[PEEL_ENTRIES];
    bool peel =
        v->encoding == ENC_DICT && v->dict->count <= PEEL_ENTRIES && v->dict->count < v->count;
    if (peel)
        for (uint32_t i = 0; i < v->dict->count; i++)
            entry_hash[i] = payload_hash(v->dict, i);
    const Vector *payload = vector_payload(v);
    for (uint32_t i = 0; i < v->count; i++) {
        uint32_t index = vector_index(v, i);
        uint64_t hash = peel ? entry_hash[index] : payload_hash(payload, index);
        hashes[i] = combine ? hash_mix(hashes[i], hash) : hash;
    }
}

bool
vector_same(const Vector *a, uint32_t i, const Vector *b, uint32_t j)
{
    bool null_a = vector_is_null(a, i), null_b = vector_is_null(b, j);
    if (null_a || null_b)
        return null_a && null_b;
    return data_equal(a->type, vector_cell(a, i), vector_cell(b, j));
}

void
vector_builder_init(VectorBuilder *builder, Type type)
{
    *builder = (VectorBuilder){.type = type};
}

void
vector_builder_free(VectorBuilder *builder)
{
    free(builder->data);
    free(builder->valid);
    vector_builder_init(builder, builder->type);
}

void
vector_builder_clear(VectorBuilder *builder)
{
    builder->count = 0;
    builder->has_nulls = false;
}

static void
builder_reserve(VectorBuilder *builder, uint32_t count)
{
    if (count <= builder->cap)
        return;
    uint32_t cap = builder->cap ? builder->cap : 64;
    while (cap < count)
        cap *= 2;
    void *data = realloc(builder->data, cap * type_size(builder->type));
    uint64_t *valid = realloc(builder->valid, bit_words(cap) * sizeof(uint64_t));
    if (!data || !valid) {
        fprintf(stderr, "azimuth: out of memory (a column of %u rows)\n", cap);
        abort();
    }
    builder->data = data;
    builder->valid = valid;
    builder->cap = cap;
}

// Room for one more payload; its bit is set.
static void *
builder_slot(VectorBuilder *builder)
{
    builder_reserve(builder, builder->count + 1);
    bit_set(builder->valid, builder->count);
    return (char *)builder->data + (size_t)builder->count++ * type_size(builder->type);
}

void
vector_builder_null(VectorBuilder *builder)
{
    memset(builder_slot(builder), 0, type_size(builder->type));
    if (builder->type == TYPE_STRING)
        return;
    bit_clear(builder->valid, builder->count - 1);
    builder->has_nulls = true;
}

void
vector_builder_pad(VectorBuilder *builder, uint32_t count)
{
    uint32_t from = builder->count;
    if (from >= count)
        return;
    size_t size = type_size(builder->type);
    bool valid = builder->type == TYPE_STRING;
    builder_reserve(builder, count);
    memset((char *)builder->data + from * size, 0, (count - from) * size);
    for (uint32_t i = from; i < count; i++)
        valid ? bit_set(builder->valid, i) : bit_clear(builder->valid, i);
    builder->has_nulls |= !valid;
    builder->count = count;
}

void
vector_builder_data(VectorBuilder *builder, Arena *arena, const void *payload)
{
    void *slot = builder_slot(builder);
    memcpy(slot, payload, type_size(builder->type));
    if (type_is_text(builder->type)) {
        Text *text = slot;
        if (text->len > TEXT_INLINE)
            *text = text_copy(arena, text_str(text));
    }
}

void
vector_builder_value(VectorBuilder *builder, Arena *arena, const Value *value)
{
    assert(value->type == builder->type);
    if (value->is_null)
        vector_builder_null(builder);
    else
        vector_builder_data(builder, arena, value_data(value));
}

void
vector_builder_cell(VectorBuilder *builder, Arena *arena, const Vector *v, uint32_t i)
{
    assert(v->type == builder->type);
    if (vector_is_null(v, i))
        vector_builder_null(builder);
    else
        vector_builder_data(builder, arena, vector_cell(v, i));
}

Vector *
vector_builder_view(const VectorBuilder *builder, Arena *arena, uint32_t count)
{
    assert(count <= builder->count);
    Vector *v = ARENA_NEW(arena, Vector);
    *v = (Vector){.type = builder->type,
                  .encoding = ENC_FLAT,
                  .count = count,
                  .data = builder->data,
                  .valid = builder->has_nulls ? builder->valid : NULL};
    return v;
}

Vector *
vector_builder_cut(const VectorBuilder *builder, Arena *arena, uint32_t from, uint32_t count)
{
    assert((uint64_t)from + count <= builder->count);
    Vector *v = vector_new_flat(arena, builder->type, count);
    if (count)
        memcpy(v->data, (const char *)builder->data + (size_t)from * type_size(builder->type),
               (size_t)count * type_size(builder->type));
    if (builder->has_nulls) {
        v->valid = ARENA_ARRAY(arena, uint64_t, bit_words(count));
        for (uint32_t i = 0; i < count; i++)
            if (bit_get(builder->valid, from + i))
                bit_set(v->valid, i);
    }
    return v;
}
