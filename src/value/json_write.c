// JSON strings as text: runs of bytes that need no escape are copied whole.

#include "value/json.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <string.h>

static bool
needs_escape(unsigned char c, bool html_safe)
{
    return c < 0x20 || c == '"' || c == '\\' ||
           (html_safe && (c == '<' || c == '>' || c == '&' || c == 0xe2));
}

// The first character at or after `p` that cannot stand as it is. What most texts are made of
// goes by sixteen bytes.
static const char *
find_escape(const char *p, const char *end, bool html_safe)
{
#ifdef __SSE2__
    const __m128i last_control = _mm_set1_epi8(0x1f), quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    for (; !html_safe && end - p >= 16; p += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i hit = _mm_or_si128(
            _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes),
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
        unsigned bits = (unsigned)_mm_movemask_epi8(hit);
        if (bits)
            return p + __builtin_ctz(bits);
    }
#endif
    while (p < end && !needs_escape((unsigned char)*p, html_safe))
        p++;
    return p;
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
    for (; (p = find_escape(p, end, html_safe)) < end; p++) {
        unsigned char c = (unsigned char)*p;
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
