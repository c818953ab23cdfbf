// Slices: the small vocabulary of byte strings that the rest is written in.

#include "base/slice.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

static unsigned char
ascii_lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

Str
str_from(const char *text)
{
    return (Str){text ? text : "", text ? strlen(text) : 0};
}

bool
str_equal(Str a, Str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool
str_equal_ci(Str a, Str b)
{
    return a.len == b.len && str_compare_ci(a, b) == 0;
}

int
str_compare(Str a, Str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.ptr, b.ptr, common) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

int
str_compare_ci(Str a, Str b)
{
    size_t common = a.len < b.len ? a.len : b.len, from = 0;
    // Ids share long beginnings: bytes that are the same need no lower case.
    for (uint64_t x, y; from + sizeof x <= common; from += sizeof x) {
        memcpy(&x, a.ptr + from, sizeof x);
        memcpy(&y, b.ptr + from, sizeof y);
        if (x != y)
            break;
    }
    for (size_t i = from; i < common; i++) {
        int order = ascii_lower(a.ptr[i]) - ascii_lower(b.ptr[i]);
        if (order)
            return order;
    }
    return (a.len > b.len) - (a.len < b.len);
}

bool
str_starts(Str s, Str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

bool
str_ends(Str s, Str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

Str
str_slice(Str s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return (Str){s.ptr + from, to - from};
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

Str
str_trim(Str s)
{
    while (s.len && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

ptrdiff_t
str_find(Str s, Str needle)
{
    if (needle.len == 0)
        return 0;
    const char *hit = s.len ? memmem(s.ptr, s.len, needle.ptr, needle.len) : NULL;
    return hit ? hit - s.ptr : -1;
}

bool
str_next_word(Str *rest, Str *word)
{
    *rest = str_trim(*rest);
    size_t end = 0;
    while (end < rest->len && rest->ptr[end] != ' ')
        end++;
    *word = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end, rest->len);
    return end > 0;
}

uint64_t
str_hash(Str s)
{
    return XXH3_64bits(s.ptr, s.len);
}

uint64_t
str_hash_ci(Str s)
{
    char small[256];
    if (s.len <= sizeof(small)) {
        for (size_t i = 0; i < s.len; i++)
            small[i] = (char)ascii_lower(s.ptr[i]);
        return XXH3_64bits(small, s.len);
    }
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ ascii_lower(s.ptr[i])) * 1099511628211u;
    return hash;
}

Str
str_copy(Arena *arena, Str s)
{
    return (Str){arena_copy(arena, s.ptr, s.len), s.len};
}

char *
str_cstr(Arena *arena, Str s)
{
    char *copy = arena_alloc(arena, s.len + 1);
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = 0;
    return copy;
}

Str
str_vformat(Arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    char *text = arena_alloc(arena, (size_t)(len < 0 ? 0 : len) + 1);
    text[0] = 0;
    if (len > 0)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return (Str){text, (size_t)(len < 0 ? 0 : len)};
}

Str
str_format(Arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str result = str_vformat(arena, format, args);
    va_end(args);
    return result;
}

Str
str_lower(Arena *arena, Str s)
{
    char *copy = arena_alloc(arena, s.len);
    for (size_t i = 0; i < s.len; i++)
        copy[i] = (char)ascii_lower(s.ptr[i]);
    return (Str){copy, s.len};
}

// Edit distance without regard to case, where swapping two neighbours is one edit, as
// typing errors go; names longer than 64 bytes are cut, since nobody mistypes those by
// hand.
static size_t
edit_distance(Str a, Str b)
{
    enum { LONGEST = 64 };
    size_t rows[3][LONGEST + 1]; // of two characters ago, one ago, and now
    a = str_slice(a, 0, LONGEST);
    b = str_slice(b, 0, LONGEST);
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned char x = ascii_lower(a.ptr[i - 1]), y = ascii_lower(b.ptr[j - 1]);
            size_t best = before[j - 1] + (x != y);
            if (before[j] + 1 < best)
                best = before[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            bool swapped =
                i > 1 && j > 1 && x == ascii_lower(b.ptr[j - 2]) && y == ascii_lower(a.ptr[i - 2]);
            if (swapped && earlier[j - 2] + 1 < best)
                best = earlier[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[a.len % 3][b.len];
}

ptrdiff_t
str_nearest(Str wanted, const Str *candidates, size_t count)
{
    ptrdiff_t best = -1;
    size_t best_distance = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t longer = wanted.len > candidates[i].len ? wanted.len : candidates[i].len;
        size_t distance = edit_distance(wanted, candidates[i]);
        if (distance * 3 <= longer && distance < best_distance) {
            best_distance = distance;
            best = (ptrdiff_t)i;
        }
    }
    return best;
}
