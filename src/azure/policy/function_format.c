// format() and uniqueString().

#include "azure/policy/program.h"

#include "value/scalar.h"
#include "value/unicode.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

// format() ------------------------------------------------------------------

static void
put_grouped(Buffer *out, const char *digits, size_t whole)
{
    size_t at = digits[0] == '-';
    if (at)
        buffer_char(out, '-');
    for (; digits[at]; at++) {
        buffer_char(out, digits[at]);
        if (at + 1 < whole && (whole - at - 1) % 3 == 0)
            buffer_char(out, ',');
    }
}

static bool
put_number(Buffer *out, const PolicyValue *value, Str spec)
{
    char digits[400];
    int precision = -1;
    for (size_t i = 1; i < spec.len; i++) {
        if (!isdigit((unsigned char)spec.ptr[i]) || i > 2)
            return false;
        precision = (precision < 0 ? 0 : precision) * 10 + (spec.ptr[i] - '0');
    }
    char letter = (char)toupper((unsigned char)spec.ptr[0]);
    if (letter == 'D' || letter == 'X') {
        if (value->kind != POLICY_LONG)
            return false;
        if (letter == 'X')
            snprintf(digits, sizeof digits, spec.ptr[0] == 'X' ? "%.*llX" : "%.*llx",
                     precision < 0 ? 1 : precision, (unsigned long long)value->integer);
        else
            snprintf(digits, sizeof digits, "%.*lld", precision < 0 ? 1 : precision,
                     (long long)value->integer);
        buffer_text(out, digits);
        return true;
    }
    double number = policy_number(value) * (letter == 'P' ? 100 : 1);
    if (!strchr("NFPC", letter) || !(number > -1e300 && number < 1e300))
        return false;
    snprintf(digits, sizeof digits, "%.*f", precision < 0 ? 2 : precision, number);
    char *dot = strchr(digits, '.');
    if (letter == 'F')
        buffer_text(out, digits);
    else
        put_grouped(out, digits, dot ? (size_t)(dot - digits) : strlen(digits));
    if (letter == 'P')
        buffer_text(out, " %");
    return true;
}

static bool
put_item(Eval *eval, Buffer *out, const PolicyValue *value, int64_t width, Str spec)
{
    Buffer item = {0};
    bool good = true;
    if (spec.len && policy_is_number(value))
        good = put_number(&item, value, spec);
    else if (value->kind == POLICY_BOOL)
        buffer_text(&item, value->boolean ? "True" : "False");
    else if (value->kind != POLICY_NULL)
        buffer_str(&item, policy_to_text(eval->arena, value));
    int64_t missing = (width < 0 ? -width : width) - (int64_t)utf8_count(buffer_slice(&item));
    for (int64_t i = 0; width > 0 && i < missing; i++)
        buffer_char(out, ' ');
    buffer_str(out, buffer_slice(&item));
    for (int64_t i = 0; width < 0 && i < missing; i++)
        buffer_char(out, ' ');
    buffer_free(&item);
    return good;
}

// One {index[,width][:format]}.
static bool
put_braced(Eval *eval, Buffer *out, Str inner, const PolicyValue *args, uint32_t count)
{
    ptrdiff_t colon = str_find(inner, STR(":"));
    Str spec = colon < 0 ? (Str){0} : str_slice(inner, (size_t)colon + 1, inner.len);
    Str head = colon < 0 ? inner : str_slice(inner, 0, (size_t)colon);
    ptrdiff_t comma = str_find(head, STR(","));
    int64_t width = 0, index;
    if (comma >= 0 &&
        (!long_parse(str_trim(str_slice(head, (size_t)comma + 1, head.len)), &width) ||
         width > 10000 || width < -10000))
        return false;
    Str number = comma < 0 ? head : str_slice(head, 0, (size_t)comma);
    if (!number.len || !isdigit((unsigned char)number.ptr[0]) || !long_parse(number, &index) ||
        index + 1 >= (int64_t)count)
        return false;
    return put_item(eval, out, &args[index + 1], width, spec);
}

static bool
fn_format(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    if (args[0].kind != POLICY_STRING)
        return false;
    Str pattern = args[0].text;
    Buffer text = {0};
    bool good = true;
    for (size_t i = 0; i < pattern.len && good && text.len <= RESULT_LIMIT; i++) {
        char c = pattern.ptr[i];
        bool twice = i + 1 < pattern.len && pattern.ptr[i + 1] == c;
        if ((c == '{' || c == '}') && twice) {
            buffer_char(&text, c);
            i++;
        } else if (c == '{') {
            const char *end = memchr(pattern.ptr + i, '}', pattern.len - i);
            size_t to = end ? (size_t)(end - pattern.ptr) : 0;
            good = end && put_braced(eval, &text, str_slice(pattern, i + 1, to), args, count);
            i = to;
        } else if (c == '}') {
            good = false;
        } else {
            buffer_char(&text, c);
        }
    }
    if (good)
        return function_give(eval, &text, out);
    buffer_free(&text);
    return eval_fail(eval, "format(): an item such as {0} cannot be read, or has no argument");
}

// uniqueString() ------------------------------------------------------------

static uint32_t
rotate(uint32_t x, int by)
{
    return x << by | x >> (32 - by);
}

static uint32_t
finish(uint32_t h)
{
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

// Two interleaved lanes of MurmurHash3, as the service hashes the arguments.
static uint64_t
hash_pair(Str data)
{
    const uint32_t c1 = 0x239b961bu, c2 = 0xab0e9789u;
    const uint8_t *bytes = (const uint8_t *)data.ptr;
    uint32_t h1 = 0, h2 = 0;
    size_t at = 0;
    uint8_t block[8];
    for (; at + 8 <= data.len; at += 8) {
        uint32_t k1, k2;
        memcpy(&k1, bytes + at, 4);
        memcpy(&k2, bytes + at + 4, 4);
        h1 = rotate(h1 ^ rotate(k1 * c1, 15) * c2, 19) + h2;
        h1 = h1 * 5 + 0x561ccd1bu;
        h2 = rotate(h2 ^ rotate(k2 * c2, 17) * c1, 13) + h1;
        h2 = h2 * 5 + 0x0bcaa747u;
    }
    memset(block, 0, sizeof block);
    if (data.len > at) {
        uint32_t k1, k2;
        memcpy(block, bytes + at, data.len - at);
        memcpy(&k1, block, 4);
        memcpy(&k2, block + 4, 4);
        h1 ^= rotate(k1 * c1, 15) * c2;
        if (data.len - at > 4)
            h2 ^= rotate(k2 * c2, 17) * c1;
    }
    h1 ^= (uint32_t)data.len;
    h2 ^= (uint32_t)data.len;
    h1 += h2;
    h2 += h1;
    h1 = finish(h1);
    h2 = finish(h2);
    h1 += h2;
    h2 += h1;
    return (uint64_t)h2 << 32 | h1;
}

static bool
fn_unique_string(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    Buffer text = {0};
    for (uint32_t i = 0; i < count; i++) {
        if (args[i].kind != POLICY_STRING) {
            buffer_free(&text);
            return eval_fail(eval, "uniqueString() takes texts");
        }
        if (i)
            buffer_char(&text, '-');
        buffer_str(&text, args[i].text);
    }
    uint64_t hash = hash_pair(buffer_slice(&text));
    buffer_clear(&text);
    for (int i = 0; i < 13; i++, hash <<= 5)
        buffer_char(&text, "abcdefghijklmnopqrstuvwxyz234567"[hash >> 59]);
    return function_give(eval, &text, out);
}

const PolicyFunction FUNCTIONS_FORMAT[] = {
    {"format", 1, -1, false, fn_format, NULL},
    {"uniqueString", 1, -1, false, fn_unique_string, NULL},
    {NULL, 0, 0, false, NULL, NULL},
};
