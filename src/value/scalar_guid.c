// GUIDs as text. Kusto docs, "The guid data type", toguid(): 32 hex digits, dashes
// anywhere between bytes; braces or parentheses around are accepted as in .NET.

#include "value/scalar.h"

#include <string.h>
#include <sys/random.h>

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
guid_parse(Str text, Guid *out)
{
    text = str_trim(text);
    if (text.len >= 2 && ((text.ptr[0] == '{' && text.ptr[text.len - 1] == '}') ||
                          (text.ptr[0] == '(' && text.ptr[text.len - 1] == ')')))
        text = str_slice(text, 1, text.len - 1);
    Guid guid;
    size_t count = 0;
    bool was_dash = true; // none at the start, none twice
    for (size_t i = 0; i < text.len;) {
        if (text.ptr[i] == '-') {
            if (was_dash)
                return false;
            was_dash = true;
            i++;
            continue;
        }
        if (count == sizeof(guid.bytes) || i + 1 >= text.len)
            return false;
        int high = hex_digit(text.ptr[i]), low = hex_digit(text.ptr[i + 1]);
        if (high < 0 || low < 0)
            return false;
        guid.bytes[count++] = (uint8_t)(high << 4 | low);
        was_dash = false;
        i += 2;
    }
    if (count != sizeof(guid.bytes) || was_dash)
        return false;
    *out = guid;
    return true;
}

void
guid_print(Buffer *out, Guid g)
{
    static const char HEX[] = "0123456789abcdef";
    char *p = buffer_reserve(out, 36);
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = HEX[g.bytes[i] >> 4];
        *p++ = HEX[g.bytes[i] & 15];
    }
    out->len += 36;
}

Guid
guid_random(void)
{
    Guid guid;
    // At most 256 bytes never come short; before the pool is ready it waits.
    while (getrandom(guid.bytes, sizeof(guid.bytes), 0) != (ssize_t)sizeof(guid.bytes))
        ;
    guid.bytes[6] = (uint8_t)((guid.bytes[6] & 0x0F) | 0x40);
    guid.bytes[8] = (uint8_t)((guid.bytes[8] & 0x3F) | 0x80);
    return guid;
}
