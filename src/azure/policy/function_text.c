// Functions of text.

#include "azure/policy/program.h"

#include "value/base64.h"
#include "value/json.h"
#include "value/scalar.h"
#include "value/unicode.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { RESULT_LIMIT = 131072 }; // characters a function may give

static bool
give(Eval *eval, Buffer *text, PolicyValue *out)
{
    bool fits = text->len <= RESULT_LIMIT;
    if (fits)
        *out = policy_text(str_copy(eval->arena, buffer_slice(text)));
    buffer_free(text);
    return fits || eval_fail(eval, "the text is longer than 131,072 characters");
}

static bool
fn_concat(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    if (count && args[0].kind == POLICY_ARRAY) {
        uint32_t total = 0;
        for (uint32_t i = 0; i < count; i++) {
            if (args[i].kind != POLICY_ARRAY)
                return eval_fail(eval, "concat() takes arrays only, or no arrays");
            total += policy_count(&args[i]);
        }
        PolicyValue *items = arena_alloc_array(eval->arena, total, sizeof(*items));
        uint32_t at = 0;
        for (uint32_t i = 0; i < count; i++)
            for (uint32_t k = 0; k < policy_count(&args[i]); k++)
                items[at++] = policy_at(&args[i], k);
        *out = policy_array(items, total);
        return true;
    }
    Buffer text = {0};
    for (uint32_t i = 0; i < count && text.len <= RESULT_LIMIT; i++) {
        if (args[i].kind >= POLICY_ARRAY) {
            buffer_free(&text);
            return eval_fail(eval, "concat() takes arrays only, or no arrays");
        }
        if (args[i].kind == POLICY_BOOL) // as .NET prints it
            buffer_text(&text, args[i].boolean ? "True" : "False");
        else if (args[i].kind != POLICY_NULL)
            buffer_str(&text, policy_to_text(eval->arena, &args[i]));
    }
    return give(eval, &text, out);
}

static bool
fn_string(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    *out = policy_text(policy_to_text(eval->arena, &args[0]));
    return true;
}

static bool
change_case(Eval *eval, const PolicyValue *value, bool upper, PolicyValue *out)
{
    if (value->kind != POLICY_STRING)
        return false;
    Buffer text = {0};
    upper ? unicode_upper(&text, value->text) : unicode_lower(&text, value->text);
    return give(eval, &text, out);
}

static bool
fn_to_lower(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return change_case(eval, &args[0], false, out);
}

static bool
fn_to_upper(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return change_case(eval, &args[0], true, out);
}

static bool
fn_trim(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)eval, (void)count;
    if (args[0].kind != POLICY_STRING)
        return false;
    *out = policy_text(str_trim(args[0].text));
    return true;
}

static bool
two_texts(const PolicyValue *args)
{
    return args[0].kind == POLICY_STRING && args[1].kind == POLICY_STRING;
}

static bool
fn_starts_with(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)eval, (void)count;
    if (!two_texts(args))
        return false;
    *out = policy_bool(unicode_starts_ci(args[0].text, args[1].text));
    return true;
}

static bool
fn_ends_with(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)eval, (void)count;
    if (!two_texts(args))
        return false;
    *out = policy_bool(unicode_ends_ci(args[0].text, args[1].text));
    return true;
}

static bool
find(const PolicyValue *args, bool last, PolicyValue *out)
{
    if (!two_texts(args))
        return false;
    Str text = args[0].text, needle = args[1].text;
    int64_t found = -1, at = 0;
    for (size_t offset = 0; offset <= text.len; at++) {
        if (unicode_starts_ci(str_slice(text, offset, text.len), needle)) {
            found = at;
            if (!last)
                break;
        }
        if (offset == text.len)
            break;
        utf8_next(text, &offset);
    }
    *out = policy_long(found);
    return true;
}

static bool
fn_index_of(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)eval, (void)count;
    return find(args, false, out);
}

static bool
fn_last_index_of(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)eval, (void)count;
    return find(args, true, out);
}

static bool
fn_substring(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    if (args[0].kind != POLICY_STRING || args[1].kind != POLICY_LONG ||
        (count == 3 && args[2].kind != POLICY_LONG))
        return false;
    int64_t length = (int64_t)utf8_count(args[0].text), from = args[1].integer;
    if (from < 0 || from > length)
        return eval_fail(eval, "substring() starts outside of the text");
    int64_t taken = count == 3 ? args[2].integer : length - from;
    if (taken < 0 || taken > length - from)
        return eval_fail(eval, "substring() reaches beyond the end of the text");
    *out = policy_text(str_slice(args[0].text, utf8_offset(args[0].text, (size_t)from),
                                 utf8_offset(args[0].text, (size_t)(from + taken))));
    return true;
}

static bool
fn_replace(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (!two_texts(args) || args[2].kind != POLICY_STRING)
        return false;
    Str rest = args[0].text;
    if (!args[1].text.len)
        return eval_fail(eval, "replace() needs a text to look for");
    Buffer text = {0};
    ptrdiff_t at;
    while ((at = str_find(rest, args[1].text)) >= 0 && text.len <= RESULT_LIMIT) {
        buffer_str(&text, str_slice(rest, 0, (size_t)at));
        buffer_str(&text, args[2].text);
        rest = str_slice(rest, (size_t)at + args[1].text.len, rest.len);
    }
    buffer_str(&text, rest);
    return give(eval, &text, out);
}

static bool
fn_pad_left(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    if (args[0].kind >= POLICY_ARRAY || args[0].kind == POLICY_NULL ||
        args[1].kind != POLICY_LONG ||
        (count == 3 && (args[2].kind != POLICY_STRING || utf8_count(args[2].text) != 1)))
        return eval_fail(eval, "padLeft() takes a text, a length and one character");
    Str value = policy_to_text(eval->arena, &args[0]);
    Str filler = count == 3 ? args[2].text : STR(" ");
    Buffer text = {0};
    for (int64_t i = (int64_t)utf8_count(value); i < args[1].integer && text.len <= RESULT_LIMIT;
         i++)
        buffer_str(&text, filler);
    buffer_str(&text, value);
    return give(eval, &text, out);
}

// Where the nearest delimiter is, and how long it is.
static ptrdiff_t
next_delimiter(Str text, const PolicyValue *delimiters, size_t *len)
{
    ptrdiff_t nearest = -1;
    uint32_t count = delimiters->kind == POLICY_STRING ? 1 : policy_count(delimiters);
    for (uint32_t i = 0; i < count; i++) {
        PolicyValue one =
            delimiters->kind == POLICY_STRING ? *delimiters : policy_at(delimiters, i);
        if (one.kind != POLICY_STRING || !one.text.len)
            continue;
        ptrdiff_t at = str_find(text, one.text);
        if (at >= 0 && (nearest < 0 || at < nearest)) {
            nearest = at;
            *len = one.text.len;
        }
    }
    return nearest;
}

static bool
fn_split(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind != POLICY_STRING ||
        (args[1].kind != POLICY_STRING && args[1].kind != POLICY_ARRAY))
        return eval_fail(eval, "split() takes a text, and a delimiter or an array of them");
    uint32_t parts = 1;
    size_t len = 0;
    ptrdiff_t at;
    for (Str rest = args[0].text; (at = next_delimiter(rest, &args[1], &len)) >= 0; parts++)
        rest = str_slice(rest, (size_t)at + len, rest.len);
    PolicyValue *items = arena_alloc_array(eval->arena, parts, sizeof(*items));
    Str rest = args[0].text;
    for (uint32_t i = 0; i < parts; i++) {
        at = next_delimiter(rest, &args[1], &len);
        items[i] = policy_text(at < 0 ? rest : str_slice(rest, 0, (size_t)at));
        rest = at < 0 ? (Str){0} : str_slice(rest, (size_t)at + len, rest.len);
    }
    *out = policy_array(items, parts);
    return true;
}

static bool
fn_join(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind != POLICY_ARRAY || args[1].kind != POLICY_STRING)
        return false;
    Buffer text = {0};
    for (uint32_t i = 0; i < policy_count(&args[0]) && text.len <= RESULT_LIMIT; i++) {
        PolicyValue item = policy_at(&args[0], i);
        if (i)
            buffer_str(&text, args[1].text);
        if (item.kind != POLICY_NULL)
            buffer_str(&text, policy_to_text(eval->arena, &item));
        else
            buffer_text(&text, "null");
    }
    return give(eval, &text, out);
}

// Base64 --------------------------------------------------------------------

static bool
fn_base64(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind == POLICY_NULL)
        return eval_fail(eval, "base64() takes a text");
    Buffer text = {0};
    base64_put(&text, policy_to_text(eval->arena, &args[0]));
    return give(eval, &text, out);
}

static bool
from_base64(Eval *eval, Str encoded, PolicyValue *out)
{
    Buffer text = {0};
    if (base64_read(&text, encoded) && utf8_valid(buffer_slice(&text)))
        return give(eval, &text, out);
    buffer_free(&text);
    return eval_fail(eval, "the text is not base64 of UTF-8");
}

static bool
fn_base64_to_string(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return args[0].kind == POLICY_STRING && from_base64(eval, args[0].text, out);
}

static bool
parse_json(Eval *eval, Str text, PolicyValue *out)
{
    JsonParser *parser = json_parser_new();
    DynBuilder *builder = dyn_builder_new();
    const char *why = NULL;
    size_t offset;
    Dyn tree = {0};
    bool good =
        json_to_dynamic(parser, text, builder, &why, &offset) && dyn_finish(builder, &tree, &why);
    if (good)
        *out = policy_value_of((Dyn){arena_copy(eval->arena, tree.ptr, tree.size), tree.size});
    dyn_builder_free(builder);
    json_parser_free(parser);
    return good || eval_fail(eval, "the text is no JSON");
}

static bool
fn_json(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return args[0].kind == POLICY_STRING && parse_json(eval, args[0].text, out);
}

static bool
fn_base64_to_json(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    PolicyValue text;
    return args[0].kind == POLICY_STRING && from_base64(eval, args[0].text, &text) &&
           parse_json(eval, text.text, out);
}

// URIs ----------------------------------------------------------------------

static bool
fn_data_uri(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind == POLICY_NULL)
        return false;
    Buffer text = {0};
    buffer_text(&text, "data:text/plain;charset=utf8;base64,");
    base64_put(&text, policy_to_text(eval->arena, &args[0]));
    return give(eval, &text, out);
}

static bool
fn_data_uri_to_string(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind != POLICY_STRING || !str_starts(args[0].text, STR("data:")))
        return eval_fail(eval, "dataUriToString() takes a data URI");
    ptrdiff_t comma = str_find(args[0].text, STR(","));
    if (comma < 0)
        return eval_fail(eval, "the data URI has no ','");
    Str head = str_slice(args[0].text, 0, (size_t)comma);
    Str data = str_slice(args[0].text, (size_t)comma + 1, args[0].text.len);
    if (str_ends(head, STR(";base64")))
        return from_base64(eval, data, out);
    *out = policy_text(data);
    return true;
}

static bool
fn_uri_component(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind != POLICY_STRING)
        return false;
    Buffer text = {0};
    for (size_t i = 0; i < args[0].text.len; i++) {
        unsigned char c = (unsigned char)args[0].text.ptr[i];
        if (isalnum(c) || (c && strchr("-_.~", c)))
            buffer_char(&text, (char)c);
        else
            buffer_printf(&text, "%%%02X", c);
    }
    return give(eval, &text, out);
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10 : -1;
}

static bool
fn_uri_component_to_string(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind != POLICY_STRING)
        return false;
    Buffer text = {0};
    Str s = args[0].text;
    for (size_t i = 0; i < s.len; i++) {
        int high = i + 2 < s.len && s.ptr[i] == '%' ? hex_digit(s.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(s.ptr[i + 2]) : -1;
        if (low >= 0) {
            buffer_char(&text, (char)(high * 16 + low));
            i += 2;
        } else {
            buffer_char(&text, s.ptr[i]);
        }
    }
    if (utf8_valid(buffer_slice(&text)))
        return give(eval, &text, out);
    buffer_free(&text);
    return eval_fail(eval, "the escapes do not spell UTF-8");
}

// uri(): the relative part replaces what follows the last '/' of the base, or its whole path
// when it begins with one.
static bool
fn_uri(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (!two_texts(args))
        return eval_fail(eval, "uri() takes two texts");
    Str base = args[0].text, relative = args[1].text;
    ptrdiff_t scheme = str_find(base, STR("://"));
    if (scheme <= 0)
        return eval_fail(eval, "the base of uri() has no scheme");
    Buffer text = {0};
    size_t host = (size_t)scheme + 3, end = host;
    while (end < base.len && !strchr("/?#", base.ptr[end]))
        end++;
    size_t last = end, stop = end;
    while (stop < base.len && !strchr("?#", base.ptr[stop]))
        stop++;
    for (size_t i = end; i < stop; i++)
        if (base.ptr[i] == '/')
            last = i;
    if (str_find(relative, STR("://")) > 0) {
        buffer_str(&text, relative);
    } else if (str_starts(relative, STR("/"))) {
        buffer_str(&text, str_slice(base, 0, end));
        buffer_str(&text, relative);
    } else {
        buffer_str(&text, str_slice(base, 0, last));
        buffer_char(&text, '/');
        buffer_str(&text, relative);
    }
    return give(eval, &text, out);
}

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
        return give(eval, &text, out);
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
    return give(eval, &text, out);
}

const PolicyFunction FUNCTIONS_TEXT[] = {
    {"concat", 1, -1, false, fn_concat, NULL},
    {"string", 1, 1, false, fn_string, NULL},
    {"toLower", 1, 1, false, fn_to_lower, NULL},
    {"toUpper", 1, 1, false, fn_to_upper, NULL},
    {"trim", 1, 1, false, fn_trim, NULL},
    {"startsWith", 2, 2, false, fn_starts_with, NULL},
    {"endsWith", 2, 2, false, fn_ends_with, NULL},
    {"indexOf", 2, 2, false, fn_index_of, NULL},
    {"lastIndexOf", 2, 2, false, fn_last_index_of, NULL},
    {"substring", 2, 3, false, fn_substring, NULL},
    {"replace", 3, 3, false, fn_replace, NULL},
    {"padLeft", 2, 3, false, fn_pad_left, NULL},
    {"split", 2, 2, false, fn_split, NULL},
    {"join", 2, 2, false, fn_join, NULL},
    {"base64", 1, 1, false, fn_base64, NULL},
    {"base64ToString", 1, 1, false, fn_base64_to_string, NULL},
    {"base64ToJson", 1, 1, false, fn_base64_to_json, NULL},
    {"json", 1, 1, false, fn_json, NULL},
    {"dataUri", 1, 1, false, fn_data_uri, NULL},
    {"dataUriToString", 1, 1, false, fn_data_uri_to_string, NULL},
    {"uriComponent", 1, 1, false, fn_uri_component, NULL},
    {"uriComponentToString", 1, 1, false, fn_uri_component_to_string, NULL},
    {"uri", 2, 2, false, fn_uri, NULL},
    {"format", 1, -1, false, fn_format, NULL},
    {"uniqueString", 1, -1, false, fn_unique_string, NULL},
    {NULL, 0, 0, false, NULL, NULL},
};
