#include "base/glob.h"

static char
fold(char c, uint32_t flags)
{
    return flags & GLOB_IGNORE_CASE && c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool
glob_match(Str pattern, Str text, uint32_t flags)
{
    // On a mismatch the last star takes one character more; earlier ones need not.
    bool question = flags & GLOB_QUESTION;
    size_t p = 0, t = 0, star = SIZE_MAX, resume = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = ++p;
            resume = t;
            continue;
        }
        bool escaped = question && p + 1 < pattern.len && pattern.ptr[p] == '\\' &&
                       (pattern.ptr[p + 1] == '*' || pattern.ptr[p + 1] == '?');
        size_t at = p + escaped;
        bool any = question && !escaped && p < pattern.len && pattern.ptr[p] == '?';
        if (p < pattern.len && (any || fold(pattern.ptr[at], flags) == fold(text.ptr[t], flags))) {
            p = at + 1;
            t++;
        } else if (star != SIZE_MAX) {
            p = star;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}
