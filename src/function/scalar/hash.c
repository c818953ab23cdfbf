// Hash functions. hash() is xxHash64 with seed 0 over the bytes of the value: UTF-8 of a
// string, little-endian payload of a number or point in time. The digests (MD5, SHA) are
// over the value's text as tostring() gives it, in hexadecimal. Source: Kusto docs,
// "Hash functions" and the values in their examples.

#include "base/array.h"
#include "function/registry.h"
#include "value/scalar.h"

#include <nettle/nettle-meta.h>
#include <nettle/sha2.h>
#include <xxhash.h>

// The text of argument k at row i; a string as it is, the rest printed to `buffer`.
static Str
arg_text(const ScalarCall *call, uint32_t k, uint32_t i, Buffer *buffer)
{
    const ArgView *arg = &call->args[k];
    if (arg->type == TYPE_STRING)
        return arg_str(call, k, i);
    buffer_clear(buffer);
    if (!arg_is_null(call, k, i))
        data_print(buffer, arg->type,
                   (const char *)arg->data + (i & arg->mask) * type_size(arg->type));
    return buffer_slice(buffer);
}

static int64_t
hash_of(const ScalarCall *call, uint32_t k, uint32_t i, Buffer *buffer)
{
    const ArgView *arg = &call->args[k];
    if (type_is_text(arg->type) || arg->type == TYPE_DECIMAL) {
        // A decimal has many encodings, a dynamic many orders of building: their text.
        Str text = arg_text(call, k, i, buffer);
        return (int64_t)XXH64(text.ptr, text.len, 0);
    }
    if (arg_is_null(call, k, i))
        return (int64_t)XXH64(NULL, 0, 0);
    if (arg->type == TYPE_INT) { // as the same number of type long
        int64_t wide = ARG(call, k, int32_t, i);
        return (int64_t)XXH64(&wide, sizeof(wide), 0);
    }
    if (arg->type == TYPE_REAL) {
        double real = ARG(call, k, double, i) + 0.0; // -0.0 is 0.0
        return (int64_t)XXH64(&real, sizeof(real), 0);
    }
    size_t size = type_size(arg->type);
    return (int64_t)XXH64((const char *)arg->data + (i & arg->mask) * size, size, 0);
}

// hash(value[, mod])
static void
hash_rows(ScalarCall *call)
{
    int64_t *out = call->out;
    for (uint32_t i = 0; i < call->count; i++) {
        out[i] = hash_of(call, 0, i, &call->scratch->text);
        if (call->arg_count < 2)
            continue;
        int64_t modulus = ARG(call, 1, int64_t, i);
        if (arg_is_null(call, 1, i) || modulus <= 0) {
            out_null(call, i);
            continue;
        }
        out[i] %= modulus;
        if (out[i] < 0)
            out[i] += modulus;
    }
}

// ---- digests ----

static void
digest_rows(ScalarCall *call, const struct nettle_hash *algorithm)
{
    static const char HEX[] = "0123456789abcdef";
    void *context = arena_alloc(call->arena, algorithm->context_size);
    algorithm->init(context);
    for (uint32_t i = 0; i < call->count; i++) {
        Str text = arg_text(call, 0, i, &call->scratch->text);
        uint8_t digest[SHA256_DIGEST_SIZE]; // the longest of them
        char hex[2 * SHA256_DIGEST_SIZE];
        algorithm->update(context, text.len, (const uint8_t *)text.ptr);
        algorithm->digest(context, algorithm->digest_size, digest); // and begins anew
        for (unsigned n = 0; n < algorithm->digest_size; n++) {
            hex[2 * n] = HEX[digest[n] >> 4];
            hex[2 * n + 1] = HEX[digest[n] & 15];
        }
        out_str(call, i, (Str){hex, (size_t)algorithm->digest_size * 2});
    }
}

static void
hash_md5(ScalarCall *call)
{
    digest_rows(call, &nettle_md5);
}

static void
hash_sha1(ScalarCall *call)
{
    digest_rows(call, &nettle_sha1);
}

static void
hash_sha256(ScalarCall *call)
{
    digest_rows(call, &nettle_sha256);
}

// ---- combining ----

// Kusto does not say how it combines hashes, so the numbers differ from its; the
// combination depends on the order and spreads every bit (the steps of MurmurHash2).
static uint64_t
combine(uint64_t seed, uint64_t hash)
{
    const uint64_t factor = 0xC6A4A7935BD1E995u;
    hash *= factor;
    hash ^= hash >> 47;
    hash *= factor;
    return (seed ^ hash) * factor + 0xE6546B64u;
}

// A number is a hash already; any other value is hashed first.
static int64_t
given_hash(const ScalarCall *call, uint32_t k, uint32_t i)
{
    switch (call->args[k].type) {
    case TYPE_LONG: return ARG(call, k, int64_t, i);
    case TYPE_INT: return ARG(call, k, int32_t, i);
    default: return hash_of(call, k, i, &call->scratch->text);
    }
}

static void
hash_combine(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        uint64_t result = 0;
        for (uint32_t k = 0; k < call->arg_count; k++)
            result = combine(result, (uint64_t)given_hash(call, k, i));
        ((int64_t *)call->out)[i] = (int64_t)result;
    }
}

// hash_many(a, b ...) is hash_combine(hash(a), hash(b) ...).
static void
hash_many(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        uint64_t result = 0;
        for (uint32_t k = 0; k < call->arg_count; k++)
            result = combine(result, (uint64_t)hash_of(call, k, i, &call->scratch->text));
        ((int64_t *)call->out)[i] = (int64_t)result;
    }
}

// ---- rows ----

#define IMPL(NAME) static const ScalarImpl NAME##_impl = {NAME, NULL}
IMPL(hash_rows);
IMPL(hash_md5);
IMPL(hash_sha1);
IMPL(hash_sha256);
IMPL(hash_combine);
IMPL(hash_many);

#define FUNCTION(NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FLAGS, KERNEL)                            \
    {                                                                                              \
        NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FUNCTION_SCALAR, FLAGS, &(KERNEL##_impl)           \
    }

static const FunctionDef ROWS[] = {
    FUNCTION("hash", NULL, "(value:plain, mod:long=) : long",
             "A hash of the value; with mod, from 0 up to mod - 1.", "hash('World', 100) == 51",
             FN_OWN_NULLS, hash_rows),
    FUNCTION("hash_xxhash64", NULL, "(value:plain, mod:long=) : long",
             "The xxHash64 of the value; with mod, from 0 up to mod - 1.",
             "hash_xxhash64('World') == 1846988464401551951", FN_OWN_NULLS, hash_rows),
    FUNCTION("hash_md5", NULL, "(value:plain) : string",
             "The MD5 of the value's text in hexadecimal.",
             "hash_md5('World') == 'f5a7924e621e84c9280a9a27e1bcb7f6'", FN_OWN_NULLS, hash_md5),
    FUNCTION("hash_sha1", NULL, "(value:plain) : string",
             "The SHA-1 of the value's text in hexadecimal.",
             "hash_sha1('World') == '70c07ec18ef89c5309bbb0937f3a6342411e1fdd'", FN_OWN_NULLS,
             hash_sha1),
    FUNCTION("hash_sha256", NULL, "(value:plain) : string",
             "The SHA-256 of the value's text in hexadecimal.",
             "hash_sha256('World') == "
             "'78ae647dc5544d227130a0682a51e30bc7777fbb6d8a8f17007463a3ecd1d524'",
             FN_OWN_NULLS, hash_sha256),
    FUNCTION("hash_combine", NULL, "(hash:scalar, other:scalar...) : long",
             "One hash made of several.", "hash_combine(1, 2) != hash_combine(2, 1)", 0,
             hash_combine),
    FUNCTION("hash_many", NULL, "(value:plain...) : long", "One hash of several values.",
             "hash_many('a', 1) == hash_combine(hash('a'), hash(1))", FN_OWN_NULLS, hash_many),
};

const FunctionSet HASH_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
