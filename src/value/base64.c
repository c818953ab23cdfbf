#include "value/base64.h"

static void
put(Buffer *out, Str bytes, const char *digits, bool padded)
{
    const unsigned char *in = (const unsigned char *)bytes.ptr;
    char *at = buffer_reserve(out, (bytes.len + 2) / 3 * 4), *start = at;
    for (size_t p = 0; p < bytes.len; p += 3) {
        size_t left = bytes.len - p;
        uint32_t word = (uint32_t)in[p] << 16 | (left > 1 ? (uint32_t)in[p + 1] << 8 : 0) |
                        (left > 2 ? in[p + 2] : 0);
        *at++ = digits[word >> 18];
        *at++ = digits[word >> 12 & 63];
        if (left > 1 || padded)
            *at++ = left > 1 ? digits[word >> 6 & 63] : '=';
        if (left > 2 || padded)
            *at++ = left > 2 ? digits[word & 63] : '=';
    }
    out->len += (size_t)(at - start);
}

void
base64_put(Buffer *out, Str bytes)
{
    put(out, bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
}

void
base64url_put(Buffer *out, Str bytes)
{
    put(out, bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);
}

// -1 for what is no digit of the plain alphabet.
static int
digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// Appends the bytes of digits up to the first character that is none; returns how many
// digits there were.
static size_t
read_digits(Buffer *out, Str text, bool url_too)
{
    unsigned char *at = (unsigned char *)buffer_reserve(out, text.len / 4 * 3 + 3);
    uint32_t word = 0, bits = 0;
    size_t size = 0, p = 0;
    for (; p < text.len; p++) {
        char c = text.ptr[p];
        int digit = digit_value(url_too && c == '-' ? '+' : url_too && c == '_' ? '/' : c);
        if (digit < 0)
            break;
        word = word << 6 | (uint32_t)digit;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            at[size++] = (unsigned char)(word >> bits);
        }
    }
    out->len += size;
    return p;
}

bool
base64_read(Buffer *out, Str text)
{
    text = str_trim(text);
    if (text.len % 4)
        return false;
    size_t digits = text.len, before = out->len;
    while (digits && text.len - digits < 2 && text.ptr[digits - 1] == '=')
        digits--;
    if (read_digits(out, str_slice(text, 0, digits), false) == digits)
        return true;
    out->len = before;
    return false;
}

void
base64_read_prefix(Buffer *out, Str text)
{
    read_digits(out, text, true);
}
