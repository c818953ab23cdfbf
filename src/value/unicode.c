// Unicode: decoding, case and terms.
//
// Most text is ASCII, so everything has a path over bytes and only falls back to
// code points (and utf8proc's tables) when it must. Searching works on bytes: 16
// places at a time are tested for the first and last byte of the needle. Without
// regard to case the same loop serves any ASCII needle, as only two characters
// outside ASCII fold into it: U+017F (long s) and U+212A (Kelvin sign); texts that
// hold one of them, and needles beyond ASCII, take the slow path.

#include "value/unicode.h"

#include <string.h>
#include <utf8proc.h>

#ifdef __SSE2__
#include <immintrin.h>
#endif

// A byte that is not UTF-8 decodes to this plus the byte, so that different ones
// stay different in comparisons.
enum { NOT_UTF8 = 0x110000, REPLACEMENT = 0xfffd };

static bool
is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

// Decodes at *offset (which must be inside) and moves past it.
static uint32_t
decode(Str text, size_t *offset)
{
    const unsigned char *p = (const unsigned char *)text.ptr + *offset;
    size_t left = text.len - *offset;
    uint32_t c = p[0];
    if (c < 0x80) {
        *offset += 1;
        return c;
    }
    if (c >= 0xc2 && c < 0xe0 && left >= 2 && is_continuation(p[1])) {
        *offset += 2;
        return (c & 0x1f) << 6 | (p[1] & 0x3fu);
    }
    if (c >= 0xe0 && c < 0xf0 && left >= 3 && is_continuation(p[1]) && is_continuation(p[2])) {
        uint32_t point = (c & 0xf) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
        if (point >= 0x800 && (point < 0xd800 || point > 0xdfff)) {
            *offset += 3;
            return point;
        }
    }
    if (c >= 0xf0 && c < 0xf5 && left >= 4 && is_continuation(p[1]) && is_continuation(p[2]) &&
        is_continuation(p[3])) {
        uint32_t point =
            (c & 7) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
        if (point >= 0x10000 && point <= 0x10ffff) {
            *offset += 4;
            return point;
        }
    }
    *offset += 1;
    return NOT_UTF8 + c;
}

// The character that ends at `offset` (> 0); *start gets where it begins.
static uint32_t
decode_before(Str text, size_t offset, size_t *start)
{
    size_t from = offset - 1;
    while (from > 0 && offset - from < 4 && is_continuation((unsigned char)text.ptr[from]))
        from--;
    size_t end = from;
    uint32_t point = decode((Str){text.ptr, offset}, &end);
    if (end == offset) {
        *start = from;
        return point;
    }
    *start = offset - 1;
    return NOT_UTF8 + (unsigned char)text.ptr[offset - 1];
}

// How many bytes from `offset` on are ASCII.
static size_t
ascii_run(Str text, size_t offset)
{
    size_t i = offset;
    for (; i + 8 <= text.len; i += 8) {
        uint64_t word;
        memcpy(&word, text.ptr + i, 8);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (i < text.len && (unsigned char)text.ptr[i] < 0x80)
        i++;
    return i - offset;
}

static bool
is_ascii(Str text)
{
    return ascii_run(text, 0) == text.len;
}

uint32_t
utf8_next(Str text, size_t *offset)
{
    uint32_t point = decode(text, offset);
    return point >= NOT_UTF8 ? REPLACEMENT : point;
}

size_t
utf8_count(Str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len;) {
        size_t run = ascii_run(text, i);
        count += run;
        i += run;
        while (i < text.len && (unsigned char)text.ptr[i] >= 0x80) {
            decode(text, &i);
            count++;
        }
    }
    return count;
}

size_t
utf8_offset(Str text, size_t codepoints)
{
    size_t i = 0;
    while (i < text.len && codepoints) {
        size_t run =
            ascii_run(str_slice(text, 0, codepoints > text.len - i ? text.len : i + codepoints), i);
        i += run;
        codepoints -= run;
        if (i < text.len && codepoints) {
            decode(text, &i);
            codepoints--;
        }
    }
    return i;
}

size_t
utf8_valid_prefix(Str text)
{
    size_t i = 0;
    while (i < text.len) {
        i += ascii_run(text, i);
        while (i < text.len && (unsigned char)text.ptr[i] >= 0x80) {
            size_t start = i;
            if (decode(text, &i) >= NOT_UTF8)
                return start;
        }
    }
    return text.len;
}

bool
utf8_valid(Str text)
{
    return utf8_valid_prefix(text) == text.len;
}

void
utf8_put(Buffer *out, uint32_t codepoint)
{
    if (codepoint > 0x10ffff || (codepoint >= 0xd800 && codepoint <= 0xdfff))
        codepoint = REPLACEMENT;
    char *p = buffer_reserve(out, 4);
    if (codepoint < 0x80) {
        *p = (char)codepoint;
        out->len += 1;
    } else if (codepoint < 0x800) {
        p[0] = (char)(0xc0 | codepoint >> 6);
        p[1] = (char)(0x80 | (codepoint & 0x3f));
        out->len += 2;
    } else if (codepoint < 0x10000) {
        p[0] = (char)(0xe0 | codepoint >> 12);
        p[1] = (char)(0x80 | (codepoint >> 6 & 0x3f));
        p[2] = (char)(0x80 | (codepoint & 0x3f));
        out->len += 3;
    } else {
        p[0] = (char)(0xf0 | codepoint >> 18);
        p[1] = (char)(0x80 | (codepoint >> 12 & 0x3f));
        p[2] = (char)(0x80 | (codepoint >> 6 & 0x3f));
        p[3] = (char)(0x80 | (codepoint & 0x3f));
        out->len += 4;
    }
}

static unsigned char
ascii_lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

// Appends `text`; ASCII letters from `first` to first + 25 change case, and other
// characters go through `map`.
static void
map_case(Buffer *out, Str text, char first, utf8proc_int32_t (*map)(utf8proc_int32_t))
{
    for (size_t i = 0; i < text.len;) {
        size_t run = ascii_run(text, i);
        char *p = buffer_reserve(out, run + 1);
        for (size_t k = 0; k < run; k++) {
            char c = text.ptr[i + k];
            p[k] = (unsigned char)(c - first) < 26 ? (char)(c ^ 0x20) : c;
        }
        out->len += run;
        i += run;
        while (i < text.len && (unsigned char)text.ptr[i] >= 0x80) {
            size_t start = i;
            uint32_t point = decode(text, &i);
            if (point >= NOT_UTF8)
                buffer_char(out, text.ptr[start]);
            else
                utf8_put(out, (uint32_t)map((utf8proc_int32_t)point));
        }
    }
}

void
unicode_lower(Buffer *out, Str text)
{
    map_case(out, text, 'A', utf8proc_tolower);
}

// The sharp s has no capital in Unicode's own mapping, and none in Kusto's.
static utf8proc_int32_t
upper_of(utf8proc_int32_t point)
{
    enum { SHARP_S = 0xDF };
    return point == SHARP_S ? point : utf8proc_toupper(point);
}

void
unicode_upper(Buffer *out, Str text)
{
    map_case(out, text, 'a', upper_of);
}

// Simple case folding: two characters are the same letter when their folds are.
// Upper then lower joins the variants of one letter (final sigma, long s). The
// Turkish dotless and dotted i are letters of their own.
static uint32_t
fold(uint32_t point)
{
    enum { DOTTED_I = 0x130, DOTLESS_I = 0x131 };
    if (point < 0x80)
        return ascii_lower((char)point);
    if (point >= NOT_UTF8 || point == DOTTED_I || point == DOTLESS_I)
        return point;
    return (uint32_t)utf8proc_tolower(utf8proc_toupper((utf8proc_int32_t)point));
}

uint32_t
unicode_fold(uint32_t codepoint)
{
    return fold(codepoint);
}

bool
unicode_is_term(uint32_t codepoint)
{
    if (codepoint < 0x80) {
        uint32_t letter = (codepoint | 0x20) - 'a';
        return letter < 26 || codepoint - '0' < 10;
    }
    if (codepoint > 0x10ffff)
        return false;
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)codepoint);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           category == UTF8PROC_CATEGORY_ND;
}

// Whether `needle` begins at `offset` of `text`, by folds; *end gets where it ends.
static bool
matches_at(Str text, size_t offset, Str needle, size_t *end)
{
    size_t i = offset, k = 0;
    while (k < needle.len) {
        if (i >= text.len || fold(decode(text, &i)) != fold(decode(needle, &k)))
            return false;
    }
    *end = i;
    return true;
}

bool
unicode_starts_ci(Str text, Str prefix)
{
    size_t i = 0;
    // Bytes while both are ASCII; at the first other byte by code points.
    while (i < prefix.len && i < text.len && !((text.ptr[i] | prefix.ptr[i]) & 0x80)) {
        if (ascii_lower(text.ptr[i]) != ascii_lower(prefix.ptr[i]))
            return false;
        i++;
    }
    size_t end;
    return matches_at(text, i, str_slice(prefix, i, prefix.len), &end);
}

bool
unicode_equal_ci(Str a, Str b)
{
    size_t i = 0, end;
    while (i < a.len && i < b.len && !((a.ptr[i] | b.ptr[i]) & 0x80)) {
        if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i]))
            return false;
        i++;
    }
    return matches_at(a, i, str_slice(b, i, b.len), &end) && end == a.len;
}

bool
unicode_ends_ci(Str text, Str suffix)
{
    size_t i = text.len, k = suffix.len;
    while (k) {
        if (!i)
            return false;
        unsigned char a = (unsigned char)text.ptr[i - 1], b = (unsigned char)suffix.ptr[k - 1];
        if ((a | b) & 0x80) {
            if (fold(decode_before(text, i, &i)) != fold(decode_before(suffix, k, &k)))
                return false;
        } else {
            if (ascii_lower((char)a) != ascii_lower((char)b))
                return false;
            i--;
            k--;
        }
    }
    return true;
}

// What is searched and where it may stand.
typedef struct Search {
    Str needle;
    bool ignore_case;
    bool left, right; // a term must begin / end there
} Search;

static bool
bytes_match(const char *text, const char *needle, size_t len, bool ignore_case)
{
    if (!ignore_case)
        return memcmp(text, needle, len) == 0;
    for (size_t i = 0; i < len; i++) {
        if (ascii_lower(text[i]) != ascii_lower(needle[i]))
            return false;
    }
    return true;
}

static bool
is_letter(char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26;
}

#ifdef __SSE2__
// As find_bytes below, 32 places at a time, up to where fewer are left; *from moves there.
__attribute__((target("avx2"))) static ptrdiff_t
find_bytes_avx2(Str text, size_t *from, Str needle, bool ignore_case, const char edges[4])
{
    size_t last = needle.len - 1, stop = text.len - last, i = *from;
    __m256i first32 = _mm256_set1_epi8(edges[0]), first_mask32 = _mm256_set1_epi8(edges[1]);
    __m256i last32 = _mm256_set1_epi8(edges[2]), last_mask32 = _mm256_set1_epi8(edges[3]);
    for (; i + 32 <= stop; i += 32) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(text.ptr + i));
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(text.ptr + i + last));
        __m256i hit = _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_or_si256(a, first_mask32), first32),
                                       _mm256_cmpeq_epi8(_mm256_or_si256(b, last_mask32), last32));
        for (unsigned bits = (unsigned)_mm256_movemask_epi8(hit); bits; bits &= bits - 1) {
            size_t at = i + (size_t)__builtin_ctz(bits);
            if (bytes_match(text.ptr + at, needle.ptr, needle.len, ignore_case))
                return (ptrdiff_t)at;
        }
    }
    *from = i;
    return -1;
}
#endif

// Offset of the next place at or after `from` where the needle (not empty) stands
// by bytes; -1 when there is none.
static ptrdiff_t
find_bytes(Str text, size_t from, Str needle, bool ignore_case)
{
    if (needle.len > text.len)
        return -1;
    size_t last = needle.len - 1, stop = text.len - last, i = from;
    char first_char = needle.ptr[0], last_char = needle.ptr[last];
    // A letter is matched in both cases by setting the bit in which they differ.
    char first_mask = ignore_case && is_letter(first_char) ? 0x20 : 0;
    char last_mask = ignore_case && is_letter(last_char) ? 0x20 : 0;
    first_char |= first_mask;
    last_char |= last_mask;
#ifdef __SSE2__
    if (i + 64 <= stop && __builtin_cpu_supports("avx2")) {
        char edges[4] = {first_char, first_mask, last_char, last_mask};
        ptrdiff_t at = find_bytes_avx2(text, &i, needle, ignore_case, edges);
        if (at >= 0)
            return at;
    }
    __m128i first16 = _mm_set1_epi8(first_char), last16 = _mm_set1_epi8(last_char);
    __m128i first_mask16 = _mm_set1_epi8(first_mask), last_mask16 = _mm_set1_epi8(last_mask);
    for (; i + 16 <= stop; i += 16) {
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(text.ptr + i));
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(text.ptr + i + last));
        __m128i hit = _mm_and_si128(_mm_cmpeq_epi8(_mm_or_si128(a, first_mask16), first16),
                                    _mm_cmpeq_epi8(_mm_or_si128(b, last_mask16), last16));
        for (unsigned bits = (unsigned)_mm_movemask_epi8(hit); bits; bits &= bits - 1) {
            size_t at = i + (size_t)__builtin_ctz(bits);
            if (bytes_match(text.ptr + at, needle.ptr, needle.len, ignore_case))
                return (ptrdiff_t)at;
        }
    }
#endif
    for (; i < stop; i++) {
        if ((text.ptr[i] | first_mask) == first_char &&
            (text.ptr[i + last] | last_mask) == last_char &&
            bytes_match(text.ptr + i, needle.ptr, needle.len, ignore_case))
            return (ptrdiff_t)i;
    }
    return -1;
}

// Whether a term may begin (or end) between the needle's edge and its neighbour:
// always, unless both are letters or digits.
static bool
is_bounded(Str text, size_t start, size_t end, const Search *search)
{
    size_t offset;
    if (search->left && start > 0) {
        offset = start;
        uint32_t inside = decode(text, &offset);
        if (unicode_is_term(inside) && unicode_is_term(decode_before(text, start, &offset)))
            return false;
    }
    if (search->right && end < text.len) {
        uint32_t inside = decode_before(text, end, &offset);
        offset = end;
        if (unicode_is_term(inside) && unicode_is_term(decode(text, &offset)))
            return false;
    }
    return true;
}

static bool
search_bytes(Str text, const Search *search)
{
    size_t from = 0;
    for (;;) {
        ptrdiff_t at = find_bytes(text, from, search->needle, search->ignore_case);
        if (at < 0)
            return false;
        if (is_bounded(text, (size_t)at, (size_t)at + search->needle.len, search))
            return true;
        from = (size_t)at + 1;
    }
}

static bool
search_folded(Str text, const Search *search)
{
    size_t k = 0, end;
    uint32_t first = fold(decode(search->needle, &k));
    for (size_t i = 0; i < text.len;) {
        size_t start = i;
        if (fold(decode(text, &i)) == first && matches_at(text, start, search->needle, &end) &&
            is_bounded(text, start, end, search))
            return true;
    }
    return false;
}

// Whether the two or three bytes stand somewhere; their first is rare, the rest decides.
static bool
has_bytes(Str text, Str bytes)
{
    const char *at = text.ptr, *end = text.ptr + text.len;
    while ((size_t)(end - at) >= bytes.len &&
           (at = memchr(at, bytes.ptr[0], (size_t)(end - at) - bytes.len + 1))) {
        if (memcmp(at, bytes.ptr, bytes.len) == 0)
            return true;
        at++;
    }
    return false;
}

// Whether the text has a character that folds into ASCII: the long s and the Kelvin sign,
// which fold into s and k.
static bool
folds_into_ascii(Str text)
{
    return has_bytes(text, STR("\xc5\xbf")) || has_bytes(text, STR("\xe2\x84\xaa"));
}

static bool
has_k_or_s(Str needle)
{
    for (size_t i = 0; i < needle.len; i++) {
        unsigned char c = ascii_lower(needle.ptr[i]);
        if (c == 'k' || c == 's')
            return true;
    }
    return false;
}

static bool
search_run(Str text, const Search *search)
{
    if (!search->needle.len)
        return true;
    if (!search->ignore_case)
        return search_bytes(text, search);
    if (!is_ascii(search->needle))
        return search_folded(text, search);
    if (search_bytes(text, search))
        return true;
    return has_k_or_s(search->needle) && folds_into_ascii(text) && search_folded(text, search);
}

bool
bytes_may_contain_ci(Str bytes, Str needle)
{
    return find_bytes(bytes, 0, needle, true) >= 0 ||
           (has_k_or_s(needle) && folds_into_ascii(bytes));
}

bool
unicode_contains_ci(Str text, Str needle)
{
    return search_run(text, &(Search){.needle = needle, .ignore_case = true});
}

bool
term_has(Str text, Str needle, bool ignore_case)
{
    return search_run(text, &(Search){needle, ignore_case, true, true});
}

bool
term_has_prefix(Str text, Str needle, bool ignore_case)
{
    return search_run(text, &(Search){needle, ignore_case, true, false});
}

bool
term_has_suffix(Str text, Str needle, bool ignore_case)
{
    return search_run(text, &(Search){needle, ignore_case, false, true});
}
