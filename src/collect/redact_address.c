// IP addresses under a redaction: each byte is multiplied by an odd number that the bytes before
// it decide, so that equal prefixes stay equal, zeros at the end stay (a network stays aligned to
// its length), and no two addresses become one.

#include "collect/redact.h"

#include <arpa/inet.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <string.h>

void
redact_hash(const uint8_t key[32], Str text, uint8_t *out, size_t size)
{
    struct hmac_sha256_ctx context;
    hmac_sha256_set_key(&context, 32, key);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        uint8_t byte = (uint8_t)(c >= 'A' && c <= 'Z' ? c | 32 : c);
        hmac_sha256_update(&context, 1, &byte);
    }
    hmac_sha256_digest(&context, size, out);
}

static unsigned
factor(const uint8_t key[32], const uint8_t *prefix, size_t len)
{
    struct hmac_sha256_ctx context;
    uint8_t out[2];
    static const uint8_t SPACE[] = "address";
    hmac_sha256_set_key(&context, 32, key);
    hmac_sha256_update(&context, sizeof(SPACE), SPACE);
    hmac_sha256_update(&context, len, prefix);
    hmac_sha256_digest(&context, sizeof(out), out);
    return (unsigned)(out[0] << 8 | out[1]) | 1;
}

// Networks that are the same everywhere: RFC 6890, RFC 1918, and Azure's 168.63.129.16.
static bool
is_special(unsigned a, unsigned b)
{
    return a == 0 || a == 10 || a == 127 || a >= 224 || (a == 100 && b >= 64 && b < 128) ||
           (a == 169 && b == 254) || (a == 172 && b >= 16 && b < 32) || (a == 192 && b == 168) ||
           (a == 198 && (b == 18 || b == 19)) || (a == 168 && b == 63);
}

// First bytes under which some network is special stay.
static bool
keeps_first(unsigned a)
{
    return a == 0 || a == 10 || a == 127 || a >= 224 || a == 100 || a == 169 || a == 172 ||
           a == 192 || a == 198 || a == 168;
}

static bool
map_four(const uint8_t key[32], uint8_t bytes[4])
{
    uint8_t old[4];
    memcpy(old, bytes, 4);
    if (is_special(old[0], old[1]))
        return false;
    // A multiplication goes round: from a byte that may be used one comes to another that may.
    if (!keeps_first(old[0]))
        do
            bytes[0] = (uint8_t)(bytes[0] * factor(key, old, 0));
        while (keeps_first(bytes[0]));
    do
        bytes[1] = (uint8_t)(bytes[1] * factor(key, old, 1));
    while (is_special(bytes[0], bytes[1]));
    bytes[2] = (uint8_t)(bytes[2] * factor(key, old, 2));
    bytes[3] = (uint8_t)(bytes[3] * factor(key, old, 3));
    return true;
}

bool
redact_address(const uint8_t key[32], Str text, Buffer *out)
{
    char word[INET6_ADDRSTRLEN + 1];
    uint8_t bytes[16], old[16];
    if (text.len >= sizeof(word))
        return false;
    memcpy(word, text.ptr, text.len);
    word[text.len] = 0;
    if (inet_pton(AF_INET, word, bytes) == 1) {
        if (!map_four(key, bytes))
            return false;
        buffer_printf(out, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
        return true;
    }
    if (inet_pton(AF_INET6, word, bytes) != 1 || bytes[0] >> 5 != 1) // 2000::/3: global
        return false;
    memcpy(old, bytes, sizeof(old));
    for (size_t i = 2; i < sizeof(bytes); i += 2) {
        unsigned two = (unsigned)(bytes[i] << 8 | bytes[i + 1]) * factor(key, old, i);
        bytes[i] = (uint8_t)(two >> 8);
        bytes[i + 1] = (uint8_t)two;
    }
    buffer_text(out, inet_ntop(AF_INET6, bytes, word, sizeof(word)));
    return true;
}
