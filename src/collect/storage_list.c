// Listings of Azure Storage: XML of one known shape, read without a parser of XML.
//
// <EnumerationResults><Blobs><Blob><Name>a</Name><Properties><Content-Length>1</Content-Length>
// ...</Properties></Blob></Blobs><NextMarker/></EnumerationResults>. In texts only entities
// are special, so that a name cannot look like an element. Source: Blob Storage REST API,
// "List Blobs" and "List Containers".

#include "collect/logs_parts.h"

#include "base/array.h"

#include <string.h>

// The text between <name ...> and </name>, and what stands behind it in *rest. False when
// there is none.
static bool
element(Arena *arena, Str text, const char *name, Str *inner, Str *attributes, Str *rest)
{
    Str open = str_format(arena, "<%s", name), close = str_format(arena, "</%s>", name);
    for (;;) {
        ptrdiff_t at = str_find(text, open);
        if (at < 0)
            return false;
        Str after = str_slice(text, (size_t)at + open.len, text.len);
        // <Name> and not <NameOfSomethingElse>.
        if (!after.len || !strchr("> /", after.ptr[0])) {
            text = after;
            continue;
        }
        ptrdiff_t end = str_find(after, STR(">"));
        if (end < 0)
            return false;
        *attributes = str_slice(after, 0, (size_t)end);
        after = str_slice(after, (size_t)end + 1, after.len);
        if (str_ends(*attributes, STR("/"))) {
            *inner = STR("");
            *rest = after;
            return true;
        }
        ptrdiff_t to = str_find(after, close);
        if (to < 0)
            return false;
        *inner = str_slice(after, 0, (size_t)to);
        *rest = str_slice(after, (size_t)to + close.len, after.len);
        return true;
    }
}

static void
put_code_point(Buffer *out, unsigned long c)
{
    if (c < 0x80) {
        buffer_char(out, (char)c);
    } else if (c < 0x800) {
        buffer_char(out, (char)(0xc0 | c >> 6));
        buffer_char(out, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buffer_char(out, (char)(0xe0 | c >> 12));
        buffer_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        buffer_char(out, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x110000) {
        buffer_char(out, (char)(0xf0 | c >> 18));
        buffer_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
        buffer_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        buffer_char(out, (char)(0x80 | (c & 0x3f)));
    }
}

// "&amp;", "&#38;" at the beginning; the bytes it takes, 0 when it is no entity.
static size_t
put_entity(Buffer *out, Str text)
{
    static const struct {
        Str name;
        char c;
    } NAMES[] = {{STR_INIT("&amp;"), '&'},
                 {STR_INIT("&lt;"), '<'},
                 {STR_INIT("&gt;"), '>'},
                 {STR_INIT("&quot;"), '"'},
                 {STR_INIT("&apos;"), '\''}};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        if (str_starts(text, NAMES[i].name)) {
            buffer_char(out, NAMES[i].c);
            return NAMES[i].name.len;
        }
    ptrdiff_t end = str_find(str_slice(text, 0, 12), STR(";"));
    if (!str_starts(text, STR("&#")) || end < 3)
        return 0;
    char digits[12] = {0};
    memcpy(digits, text.ptr + 2, (size_t)end - 2);
    bool hex = digits[0] == 'x';
    put_code_point(out, strtoul(digits + hex, NULL, hex ? 16 : 10));
    return (size_t)end + 1;
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 87 : -1;
}

static Str
decode(Arena *arena, Str text, bool is_encoded)
{
    Buffer out = {0};
    for (size_t i = 0; i < text.len;) {
        size_t taken = text.ptr[i] == '&' ? put_entity(&out, str_slice(text, i, text.len)) : 0;
        if (!taken && is_encoded && text.ptr[i] == '%' && i + 2 < text.len &&
            hex_digit(text.ptr[i + 1]) >= 0 && hex_digit(text.ptr[i + 2]) >= 0) {
            buffer_char(&out, (char)(hex_digit(text.ptr[i + 1]) << 4 | hex_digit(text.ptr[i + 2])));
            taken = 3;
        }
        if (!taken)
            buffer_char(&out, text.ptr[i]);
        i += taken ? taken : 1;
    }
    Str copy = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return copy;
}

bool
storage_listing_read(Arena *arena, Str xml, const char *kind, StorageListing *out)
{
    Str all, one, name, size, attributes, rest;
    *out = (StorageListing){0};
    if (!element(arena, xml, "EnumerationResults", &all, &attributes, &rest))
        return false;
    if (element(arena, all, "NextMarker", &one, &attributes, &rest))
        out->marker = decode(arena, one, false);
    for (Str left = all; element(arena, left, kind, &one, &attributes, &left);) {
        StorageItem item = {0};
        if (!element(arena, one, "Name", &name, &attributes, &rest))
            return false;
        item.name = decode(arena, name, str_find(attributes, STR("true")) >= 0);
        if (element(arena, one, "Content-Length", &size, &attributes, &rest))
            item.size = strtoull(str_cstr(arena, size), NULL, 10);
        ARRAY_PUSH(arena, out, item);
    }
    return true;
}
