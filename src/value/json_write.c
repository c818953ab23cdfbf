// JSON strings as text: runs of bytes that need no escape are copied whole.

#include "value/json.h"

#include <string.h>

static bool
needs_escape(unsigned char c, bool html_safe)
{
    return c < 0x20 || c == '"' || c == '\\' ||
           (html_safe && (c == '<' || c == '>' || c == '&' || c == 0xe2));
}

void
json_write_string(Buffer *out, Str s, bool html_safe)
{
    static const char HEX[] = "0123456789abcdef";
    static const char SHORT[32] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    const char *p = s.ptr, *end = s.ptr + s.len, *run = p;
    buffer_reserve(out, s.len + 2);
    buffer_char(out, '"');
    for (; p < end; p++) {
        unsigned char c = (unsigned char)*p;
        if (!needs_escape(c, html_safe))
            continue;
        char code[6] = {'\\', 'u', '0', '0', HEX[c >> 4], HEX[c & 15]};
        size_t code_len = 6, taken = 1;
        if (c == 0xe2) { // U+2028 and U+2029 end lines in scripts
            if (end - p < 3 || (unsigned char)p[1] != 0x80 || ((unsigned char)p[2] & 0xfe) != 0xa8)
                continue;
            memcpy(code, (unsigned char)p[2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
            taken = 3;
        } else if (c == '"' || c == '\\' || (c < 32 && SHORT[c])) {
            code[1] = c < 32 ? SHORT[c] : (char)c;
            code_len = 2;
        }
        buffer_put(out, run, (size_t)(p - run));
        buffer_put(out, code, code_len);
        p += taken - 1;
        run = p + 1;
    }
    buffer_put(out, run, (size_t)(end - run));
    buffer_char(out, '"');
}
