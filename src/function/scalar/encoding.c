// Encodings of text: URL, base64, gzip and zlib, punycode; and small things about the
// value itself: new_guid(), estimate_data_size().
// Source: Kusto docs, the page of each function; RFC 3986, 3492, 4648. What cannot be
// decoded, or does not decode to UTF-8, is null (of a string: the empty text).

#include "base/array.h"
#include "function/registry.h"
#include "value/base64.h"
#include "value/scalar.h"
#include "value/unicode.h"

#include <unistd.h>
#include <zlib.h>

// ---- URL ----

static bool
is_alphanumeric(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void
url_escape(ScalarCall *call, const char *safe, const char *hex, bool plus)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        Str text = arg_str(call, 0, i);
        buffer_clear(out);
        for (size_t p = 0; p < text.len; p++) {
            unsigned char c = (unsigned char)text.ptr[p];
            if (is_alphanumeric(c) || (c && strchr(safe, c))) {
                buffer_char(out, (char)c);
            } else if (c == ' ' && plus) {
                buffer_char(out, '+');
            } else {
                buffer_char(out, '%');
                buffer_char(out, hex[c >> 4]);
                buffer_char(out, hex[c & 15]);
            }
        }
        out_str(call, i, buffer_slice(out));
    }
}

// As a form's field: blanks are "+", hexadecimal digits are small.
static void
url_encode(ScalarCall *call)
{
    url_escape(call, "-_.!*()", "0123456789abcdef", true);
}

// As a part of a URL (RFC 3986): blanks are "%20".
static void
url_encode_component(ScalarCall *call)
{
    url_escape(call, "-_.~", "0123456789ABCDEF", false);
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char small = (char)(c | 0x20);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

// Bytes that are not UTF-8 become U+FFFD: a query's texts are UTF-8.
static void
out_utf8(ScalarCall *call, uint32_t i, Str text)
{
    if (utf8_valid(text)) {
        out_str(call, i, text);
        return;
    }
    Buffer *clean = &call->scratch->text2;
    buffer_clear(clean);
    for (size_t at = 0; at < text.len;)
        utf8_put(clean, utf8_next(text, &at));
    out_str(call, i, buffer_slice(clean));
}

static void
url_decode(ScalarCall *call)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        Str text = arg_str(call, 0, i);
        buffer_clear(out);
        for (size_t p = 0; p < text.len; p++) {
            char c = text.ptr[p];
            int high = c == '%' && p + 2 < text.len ? hex_digit(text.ptr[p + 1]) : -1;
            int low = high >= 0 ? hex_digit(text.ptr[p + 2]) : -1;
            if (low >= 0) {
                c = (char)(high << 4 | low);
                p += 2;
            } else if (c == '+') {
                c = ' ';
            }
            buffer_char(out, c);
        }
        out_utf8(call, i, buffer_slice(out));
    }
}

// ---- base64 ----

static void
base64_encode(ScalarCall *call)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        buffer_clear(out);
        base64_put(out, arg_str(call, 0, i));
        out_str(call, i, buffer_slice(out));
    }
}

static void
base64_decode(ScalarCall *call)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        buffer_clear(out);
        if (base64_read(out, arg_str(call, 0, i)) && utf8_valid(buffer_slice(out)))
            out_str(call, i, buffer_slice(out));
    }
}

static void
base64_to_array(ScalarCall *call)
{
    Buffer *bytes = &call->scratch->text;
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        buffer_clear(bytes);
        if (!base64_read(bytes, arg_str(call, 0, i))) {
            out_null(call, i);
            continue;
        }
        dyn_builder_reset(dyn);
        dyn_begin_array(dyn);
        for (size_t n = 0; n < bytes->len; n++)
            dyn_push_long(dyn, (unsigned char)bytes->data[n]);
        dyn_end_array(dyn);
        out_dyn(call, i);
    }
}

static void
base64_from_array(ScalarCall *call)
{
    Buffer *bytes = &call->scratch->text, *out = &call->scratch->text2;
    for (uint32_t i = 0; i < call->count; i++) {
        Dyn array = arg_dyn(call, 0, i);
        uint32_t count = dyn_kind(array) == DYN_ARRAY ? dyn_count(array) : 0, n = 0;
        buffer_clear(bytes);
        for (; n < count; n++) {
            Dyn element = dyn_at(array, n);
            int64_t byte = dyn_kind(element) == DYN_LONG ? dyn_long(element) : -1;
            if (byte < 0 || byte > 255)
                break;
            buffer_char(bytes, (char)byte);
        }
        if (n < count)
            continue;
        buffer_clear(out);
        base64_put(out, buffer_slice(bytes));
        out_str(call, i, buffer_slice(out));
    }
}

// Microsoft's order of a guid's bytes: the first three groups are little-endian.
static Guid
guid_swap(Guid guid)
{
    static const uint8_t ORDER[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    Guid swapped;
    for (size_t n = 0; n < sizeof(ORDER); n++)
        swapped.bytes[n] = guid.bytes[ORDER[n]];
    return swapped;
}

static void
base64_from_guid(ScalarCall *call)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        if (arg_is_null(call, 0, i))
            continue;
        Guid guid = guid_swap(ARG(call, 0, Guid, i));
        buffer_clear(out);
        base64_put(out, (Str){(const char *)guid.bytes, sizeof(guid.bytes)});
        out_str(call, i, buffer_slice(out));
    }
}

static void
base64_to_guid(ScalarCall *call)
{
    Buffer *bytes = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        Guid guid;
        buffer_clear(bytes);
        if (!base64_read(bytes, arg_str(call, 0, i)) || bytes->len != sizeof(guid.bytes)) {
            out_null(call, i);
            continue;
        }
        memcpy(guid.bytes, bytes->data, sizeof(guid.bytes));
        ((Guid *)call->out)[i] = guid_swap(guid);
    }
}

// ---- gzip and zlib ----

typedef enum Wrapping { WRAP_ZLIB, WRAP_GZIP } Wrapping;

enum {
    // A compressed block brings its code tables along, so Kusto stores short texts as
    // they are; the documentation's examples show the bytes.
    STORED_MAX = 128,
    INFLATED_MAX = 16 << 20, // bytes: a few kilobytes can hold gigabytes
};

static void
put_number(Buffer *out, uint64_t number, int bytes, bool big_endian)
{
    for (int n = 0; n < bytes; n++)
        buffer_char(out, (char)(number >> 8 * (big_endian ? bytes - 1 - n : n)));
}

// Appends the text as raw deflate data.
static bool
deflate_put(Buffer *out, Str text)
{
    z_stream stream = {0};
    int level = text.len < STORED_MAX ? Z_NO_COMPRESSION : Z_DEFAULT_COMPRESSION;
    if (deflateInit2(&stream, level, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    // zlib ends a stored block only when it has room to spare.
    size_t room = deflateBound(&stream, (uLong)text.len) + 64;
    stream.next_in = (Bytef *)(uintptr_t)text.ptr;
    stream.avail_in = (uInt)text.len;
    stream.next_out = (Bytef *)buffer_reserve(out, room);
    stream.avail_out = (uInt)room;
    bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
    out->len += stream.total_out;
    deflateEnd(&stream);
    return done;
}

static void
compress_rows(ScalarCall *call, Wrapping wrapping)
{
    static const char GZIP_HEAD[10] = "\x1F\x8B\x08\0\0\0\0\0\0\xFF", ZLIB_HEAD[2] = "\x78\x01";
    Buffer *packed = &call->scratch->text, *out = &call->scratch->text2;
    for (uint32_t i = 0; i < call->count; i++) {
        Str text = arg_str(call, 0, i);
        if (text.len > INFLATED_MAX) // what could not be read back
            continue;
        const Bytef *bytes = (const Bytef *)text.ptr;
        buffer_clear(packed);
        if (wrapping == WRAP_GZIP)
            buffer_put(packed, GZIP_HEAD, sizeof(GZIP_HEAD));
        else
            buffer_put(packed, ZLIB_HEAD, sizeof(ZLIB_HEAD));
        if (!deflate_put(packed, text))
            continue;
        if (wrapping == WRAP_GZIP) {
            put_number(packed, text.len ? crc32(0, bytes, (uInt)text.len) : 0, 4, false);
            put_number(packed, text.len, 4, false);
        } else {
            put_number(packed, text.len ? adler32(1, bytes, (uInt)text.len) : 1, 4, true);
        }
        buffer_clear(out);
        base64_put(out, buffer_slice(packed));
        out_str(call, i, buffer_slice(out));
    }
}

// Appends what `packed` holds; false when it is damaged, cut or too large.
static bool
inflate_read(Buffer *out, Str packed, Wrapping wrapping)
{
    enum { STEP = 16384, GZIP_BITS = 16 }; // zlib: 16 more window bits say gzip
    z_stream stream = {0};
    int bits = wrapping == WRAP_GZIP ? MAX_WBITS + GZIP_BITS : MAX_WBITS;
    if (packed.len > UINT32_MAX || inflateInit2(&stream, bits) != Z_OK)
        return false;
    stream.next_in = (Bytef *)(uintptr_t)packed.ptr;
    stream.avail_in = (uInt)packed.len;
    int state = Z_OK;
    while (state == Z_OK && out->len <= INFLATED_MAX) {
        stream.next_out = (Bytef *)buffer_reserve(out, STEP);
        stream.avail_out = STEP;
        state = inflate(&stream, Z_NO_FLUSH);
        out->len += STEP - stream.avail_out;
    }
    inflateEnd(&stream);
    return state == Z_STREAM_END && out->len <= INFLATED_MAX;
}

static void
decompress_rows(ScalarCall *call, Wrapping wrapping)
{
    Buffer *packed = &call->scratch->text, *out = &call->scratch->text2;
    for (uint32_t i = 0; i < call->count; i++) {
        buffer_clear(packed);
        buffer_clear(out);
        if (base64_read(packed, arg_str(call, 0, i)) &&
            inflate_read(out, buffer_slice(packed), wrapping) && utf8_valid(buffer_slice(out)))
            out_str(call, i, buffer_slice(out));
    }
}

static void
gzip_compress(ScalarCall *call)
{
    compress_rows(call, WRAP_GZIP);
}

static void
gzip_decompress(ScalarCall *call)
{
    decompress_rows(call, WRAP_GZIP);
}

static void
zlib_compress(ScalarCall *call)
{
    compress_rows(call, WRAP_ZLIB);
}

static void
zlib_decompress(ScalarCall *call)
{
    decompress_rows(call, WRAP_ZLIB);
}

// ---- punycode (RFC 3492) ----

enum { PUNY_BASE = 36, PUNY_TMIN = 1, PUNY_TMAX = 26, PUNY_LABEL_MAX = 4096 };
enum { PUNY_FIRST = 128, PUNY_BIAS = 72, PUNY_LAST = 0x10FFFF };

static uint32_t
puny_adapt(uint32_t delta, uint32_t count, bool first)
{
    enum { DAMP = 700, SKEW = 38 };
    delta = first ? delta / DAMP : delta / 2;
    delta += delta / count;
    uint32_t k = 0;
    for (; delta > (PUNY_BASE - PUNY_TMIN) * PUNY_TMAX / 2; k += PUNY_BASE)
        delta /= PUNY_BASE - PUNY_TMIN;
    return k + (PUNY_BASE - PUNY_TMIN + 1) * delta / (delta + SKEW);
}

static uint32_t
puny_threshold(uint32_t k, uint32_t bias)
{
    if (k <= bias)
        return PUNY_TMIN;
    return k - bias > PUNY_TMAX ? PUNY_TMAX : k - bias;
}

static void
puny_put_delta(Buffer *out, uint32_t delta, uint32_t bias)
{
    static const char DIGITS[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    for (uint32_t k = PUNY_BASE;; k += PUNY_BASE) {
        uint32_t t = puny_threshold(k, bias);
        if (delta < t)
            break;
        buffer_char(out, DIGITS[t + (delta - t) % (PUNY_BASE - t)]);
        delta = (delta - t) / (PUNY_BASE - t);
    }
    buffer_char(out, DIGITS[delta]);
}

// Appends the label as punycode, without "xn--". The label's length bounds the work,
// which is quadratic, and with it every number below 2^32.
static bool
puny_encode(Buffer *out, Str label)
{
    if (label.len > PUNY_LABEL_MAX / 2)
        return false;
    uint32_t codepoints[PUNY_LABEL_MAX / 2], count = 0, basic = 0;
    for (size_t at = 0; at < label.len;)
        codepoints[count++] = utf8_next(label, &at);
    for (uint32_t n = 0; n < count; n++) {
        if (codepoints[n] >= PUNY_FIRST)
            continue;
        buffer_char(out, (char)codepoints[n]);
        basic++;
    }
    if (basic)
        buffer_char(out, '-');
    uint32_t next = PUNY_FIRST, delta = 0, bias = PUNY_BIAS;
    for (uint32_t done = basic; done < count;) {
        uint32_t least = UINT32_MAX;
        for (uint32_t n = 0; n < count; n++)
            if (codepoints[n] >= next && codepoints[n] < least)
                least = codepoints[n];
        delta += (least - next) * (done + 1);
        next = least;
        for (uint32_t n = 0; n < count; n++) {
            delta += codepoints[n] < next;
            if (codepoints[n] != next)
                continue;
            puny_put_delta(out, delta, bias);
            bias = puny_adapt(delta, done + 1, done == basic);
            delta = 0;
            done++;
        }
        delta++;
        next++;
    }
    return true;
}

static int
puny_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0' + 26;
    char small = (char)(c | 0x20);
    return small >= 'a' && small <= 'z' ? small - 'a' : -1;
}

// Reads one delta from *at; false at bad digits or when it does not fit.
static bool
puny_delta(Str label, size_t *at, uint32_t bias, uint64_t *delta)
{
    uint64_t weight = 1;
    *delta = 0;
    for (uint32_t k = PUNY_BASE; *at < label.len; k += PUNY_BASE) {
        int digit = puny_digit(label.ptr[(*at)++]);
        if (digit < 0)
            return false;
        *delta += (uint64_t)digit * weight;
        if (*delta > UINT32_MAX)
            return false;
        uint32_t t = puny_threshold(k, bias);
        if ((uint32_t)digit < t)
            return true;
        weight *= PUNY_BASE - t;
        if (weight > UINT32_MAX)
            return false;
    }
    return false;
}

// Appends the text of a punycode label without "xn--".
static bool
puny_decode(Buffer *out, Str label)
{
    uint32_t codepoints[PUNY_LABEL_MAX], count = 0;
    if (label.len > PUNY_LABEL_MAX)
        return false;
    const char *dash = label.len ? memrchr(label.ptr, '-', label.len) : NULL;
    size_t at = 0, basic = dash ? (size_t)(dash - label.ptr) : 0;
    for (; at < basic; at++) {
        if ((unsigned char)label.ptr[at] >= PUNY_FIRST)
            return false;
        codepoints[count++] = (unsigned char)label.ptr[at];
    }
    at += dash != NULL;
    uint64_t codepoint = PUNY_FIRST, place = 0;
    for (uint32_t bias = PUNY_BIAS; at < label.len;) {
        uint64_t delta;
        if (!puny_delta(label, &at, bias, &delta))
            return false;
        bias = puny_adapt((uint32_t)delta, count + 1, count == basic);
        place += delta;
        codepoint += place / (count + 1);
        place %= count + 1;
        if (codepoint > PUNY_LAST || (codepoint >= 0xD800 && codepoint <= 0xDFFF))
            return false;
        memmove(codepoints + place + 1, codepoints + place, (count - place) * sizeof(*codepoints));
        codepoints[place++] = (uint32_t)codepoint;
        count++;
    }
    for (uint32_t n = 0; n < count; n++)
        utf8_put(out, codepoints[n]);
    return true;
}

typedef bool (*LabelCode)(Buffer *out, Str label);

static void
label_rows(ScalarCall *call, LabelCode code)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        buffer_clear(out);
        if (code(out, arg_str(call, 0, i)))
            out_str(call, i, buffer_slice(out));
    }
}

static void
punycode_from_string(ScalarCall *call)
{
    label_rows(call, puny_encode);
}

static void
punycode_to_string(ScalarCall *call)
{
    label_rows(call, puny_decode);
}

// A label of a domain: only those that need it are encoded.
static bool
domain_label_encode(Buffer *out, Str label)
{
    bool ascii = true;
    for (size_t p = 0; p < label.len && ascii; p++)
        ascii = (unsigned char)label.ptr[p] < PUNY_FIRST;
    if (ascii) {
        buffer_str(out, label);
        return true;
    }
    buffer_text(out, "xn--");
    return puny_encode(out, label);
}

static bool
domain_label_decode(Buffer *out, Str label)
{
    enum { PREFIX = 4 }; // "xn--"
    if (label.len >= PREFIX && str_equal_ci(str_slice(label, 0, PREFIX), STR("xn--")))
        return puny_decode(out, str_slice(label, PREFIX, label.len));
    buffer_str(out, label);
    return true;
}

static void
domain_rows(ScalarCall *call, LabelCode code)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        Str rest = arg_str(call, 0, i);
        buffer_clear(out);
        for (;;) {
            ptrdiff_t dot = str_find(rest, STR("."));
            if (!code(out, dot < 0 ? rest : str_slice(rest, 0, (size_t)dot)))
                break;
            if (dot < 0) {
                out_str(call, i, buffer_slice(out));
                break;
            }
            buffer_char(out, '.');
            rest = str_slice(rest, (size_t)dot + 1, rest.len);
        }
    }
}

static void
punycode_domain_from_string(ScalarCall *call)
{
    domain_rows(call, domain_label_encode);
}

static void
punycode_domain_to_string(ScalarCall *call)
{
    domain_rows(call, domain_label_decode);
}

// ---- identity and size ----

static void
new_guid(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((Guid *)call->out)[i] = guid_random();
}

// Bytes of all arguments: texts as UTF-8, dynamics as JSON, the rest by type.
static void
estimate_data_size(ScalarCall *call)
{
    Buffer *json = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        size_t size = 0;
        for (uint32_t k = 0; k < call->arg_count; k++) {
            Type type = call->args[k].type;
            if (arg_is_null(call, k, i))
                continue;
            if (type == TYPE_DYNAMIC) {
                buffer_clear(json);
                dyn_to_json(json, arg_dyn(call, k, i));
                size += json->len;
            } else {
                size += type == TYPE_STRING ? arg_str(call, k, i).len : type_size(type);
            }
        }
        ((int64_t *)call->out)[i] = (int64_t)size;
    }
}

// ---- rows ----

#define IMPL(NAME) static const ScalarImpl NAME##_impl = {NAME, NULL}
IMPL(url_encode);
IMPL(url_encode_component);
IMPL(url_decode);
IMPL(base64_encode);
IMPL(base64_decode);
IMPL(base64_to_array);
IMPL(base64_from_array);
IMPL(base64_from_guid);
IMPL(base64_to_guid);
IMPL(gzip_compress);
IMPL(gzip_decompress);
IMPL(zlib_compress);
IMPL(zlib_decompress);
IMPL(punycode_from_string);
IMPL(punycode_to_string);
IMPL(punycode_domain_from_string);
IMPL(punycode_domain_to_string);
IMPL(new_guid);
IMPL(estimate_data_size);

#define FUNCTION(NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FLAGS, KERNEL)                            \
    {                                                                                              \
        NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FUNCTION_SCALAR, FLAGS, &(KERNEL##_impl)           \
    }
#define TEXT_TO_TEXT "(text:string) : string"

static const FunctionDef ROWS[] = {
    FUNCTION("url_encode", NULL, TEXT_TO_TEXT, "The text encoded as a form's field.",
             "url_encode('a b/') == 'a+b%2f'", 0, url_encode),
    FUNCTION("url_encode_component", NULL, TEXT_TO_TEXT, "The text encoded as a part of a URL.",
             "url_encode_component('a b/') == 'a%20b%2F'", 0, url_encode_component),
    FUNCTION("url_decode", NULL, TEXT_TO_TEXT, "The text of an encoded URL.",
             "url_decode('a%20b%2f') == 'a b/'", 0, url_decode),
    FUNCTION("base64_encode_tostring", "base64_encodestring", TEXT_TO_TEXT, "The text in base64.",
             "base64_encode_tostring('Kusto') == 'S3VzdG8='", 0, base64_encode),
    FUNCTION("base64_decode_tostring", "base64_decodestring", TEXT_TO_TEXT,
             "The text that base64 holds; empty when it is not UTF-8.",
             "base64_decode_tostring('S3VzdG8=') == 'Kusto'", 0, base64_decode),
    FUNCTION("base64_decode_toarray", NULL, "(text:string) : dynamic",
             "The bytes that base64 holds as an array of numbers.",
             "tolong(base64_decode_toarray('S3VzdG8=')[0]) == 75", 0, base64_to_array),
    FUNCTION("base64_encode_fromarray", NULL, "(bytes:array) : string",
             "An array of bytes in base64.",
             "base64_encode_fromarray(dynamic([75, 117])) == 'S3U='", 0, base64_from_array),
    FUNCTION("base64_encode_fromguid", NULL, "(guid:guid) : string", "The guid in base64.",
             "base64_encode_fromguid(toguid('ae3133f2-6e22-49ae-b06a-16e6a9b212eb')) == "
             "'8jMxriJurkmwahbmqbIS6w=='",
             0, base64_from_guid),
    FUNCTION("base64_decode_toguid", NULL, "(text:string) : guid", "The guid that base64 holds.",
             "base64_decode_toguid('8jMxriJurkmwahbmqbIS6w==') == "
             "toguid('ae3133f2-6e22-49ae-b06a-16e6a9b212eb')",
             0, base64_to_guid),
    FUNCTION("gzip_compress_to_base64_string", NULL, TEXT_TO_TEXT,
             "The text compressed as gzip, in base64.",
             "gzip_decompress_from_base64_string(gzip_compress_to_base64_string('ab')) == 'ab'", 0,
             gzip_compress),
    FUNCTION("gzip_decompress_from_base64_string", NULL, TEXT_TO_TEXT,
             "The text of gzip data in base64; empty when it is not valid.",
             "gzip_decompress_from_base64_string('no') == ''", 0, gzip_decompress),
    FUNCTION("zlib_compress_to_base64_string", NULL, TEXT_TO_TEXT,
             "The text compressed as zlib does, in base64.",
             "zlib_decompress_from_base64_string(zlib_compress_to_base64_string('ab')) == 'ab'", 0,
             zlib_compress),
    FUNCTION("zlib_decompress_from_base64_string", NULL, TEXT_TO_TEXT,
             "The text of zlib data in base64; empty when it is not valid.",
             "zlib_decompress_from_base64_string('eJwLSS0uUSguKcrMS1cwNDIGACxqBQ4=') == "
             "'Test string 123'",
             0, zlib_decompress),
    FUNCTION("punycode_from_string", NULL, TEXT_TO_TEXT, "The text as punycode.",
             "punycode_from_string('académie-française') == 'acadmie-franaise-npb1a'", 0,
             punycode_from_string),
    FUNCTION("punycode_to_string", NULL, TEXT_TO_TEXT,
             "The text of punycode; empty when it is not valid.",
             "punycode_to_string('acadmie-franaise-npb1a') == 'académie-française'", 0,
             punycode_to_string),
    FUNCTION("punycode_domain_from_string", NULL, TEXT_TO_TEXT,
             "The domain with the labels that need it as punycode.",
             "punycode_domain_from_string('艺术.com') == 'xn--cqv902d.com'", 0,
             punycode_domain_from_string),
    FUNCTION("punycode_domain_to_string", NULL, TEXT_TO_TEXT,
             "The domain with its punycode labels as text.",
             "punycode_domain_to_string('xn--cqv902d.com') == '艺术.com'", 0,
             punycode_domain_to_string),
    FUNCTION("new_guid", NULL, "() : guid", "A new random guid.", "isnotnull(new_guid())",
             FN_VOLATILE, new_guid),
    FUNCTION("estimate_data_size", NULL, "(value:scalar...) : long",
             "The size of the values in bytes.", "estimate_data_size('abc', 1) == 11", FN_OWN_NULLS,
             estimate_data_size),
};

const FunctionSet ENCODING_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
