// Cutting of texts into terms; see term.h. Runs of ASCII go by blocks of bytes; a byte beyond
// sends the rest of its run through code points.

#include "value/term.h"
#include "value/unicode.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BLOCK = 64 };

#ifdef __SSE2__
// Bytes of p[0..15] from `first` on, `count` of them: all bits set.
static inline __m128i
bytes_between(__m128i bytes, char first, char count)
{
    __m128i from = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
    return _mm_cmpeq_epi8(_mm_min_epu8(from, _mm_set1_epi8((char)(count - 1))), from);
}

static void
block_classify(const char bytes[BLOCK], TermBlock *block)
{
    *block = (TermBlock){0};
    for (int i = 0; i < BLOCK; i += 16) {
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(bytes + i));
        __m128i digits = bytes_between(b, '0', 10), upper = bytes_between(b, 'A', 26);
        __m128i letters = bytes_between(_mm_or_si128(b, _mm_set1_epi8(32)), 'a', 26);
        block->of_terms |= (uint64_t)_mm_movemask_epi8(_mm_or_si128(digits, letters)) << i;
        block->upper |= (uint64_t)_mm_movemask_epi8(upper) << i;
        block->beyond |= (uint64_t)_mm_movemask_epi8(b) << i;
    }
}
#else
static void
block_classify(const char bytes[BLOCK], TermBlock *block)
{
    *block = (TermBlock){0};
    for (int i = 0; i < BLOCK; i++) {
        unsigned char b = (unsigned char)bytes[i];
        uint64_t bit = (uint64_t)1 << i;
        bool digit = b >= '0' && b <= '9', letter = (b | 32) >= 'a' && (b | 32) <= 'z';
        block->of_terms |= digit || letter ? bit : 0;
        block->upper |= b >= 'A' && b <= 'Z' ? bit : 0;
        block->beyond |= b >= 0x80 ? bit : 0;
    }
}
#endif

// Makes the block of text[at] the one at hand. What is behind the text is of no term.
static inline void
block_at(TermCutter *cutter, size_t at)
{
    size_t from = at & ~(size_t)(BLOCK - 1);
    if (cutter->block_end == from + BLOCK)
        return;
    cutter->block_end = from + BLOCK;
    const char *bytes = cutter->text.ptr + from;
    char padded[BLOCK];
    if (cutter->text.len - from < BLOCK) {
        memset(padded, 0, sizeof(padded));
        memcpy(padded, bytes, cutter->text.len - from);
        bytes = padded;
    }
    block_classify(bytes, &cutter->block);
}

// From text[at] on, the first byte that is no ASCII letter or digit; *changed when one of those
// before has another fold.
static inline size_t
ascii_end(TermCutter *cutter, size_t at, bool *changed)
{
    while (at < cutter->text.len) {
        block_at(cutter, at);
        size_t shift = at % BLOCK;
        uint64_t others = ~cutter->block.of_terms >> shift;
        uint64_t upper = cutter->block.upper >> shift;
        if (others) {
            size_t count = (size_t)__builtin_ctzll(others);
            *changed |= (upper & (((uint64_t)1 << count) - 1)) != 0;
            return at + count;
        }
        *changed |= upper != 0;
        at += BLOCK - shift;
    }
    return cutter->text.len;
}

// The fold of text[from..to).
static inline void
fold_ascii(TermCutter *cutter, size_t from, size_t to)
{
    enum { STEP = 16 };
    Str text = cutter->text;
    buffer_clear(&cutter->folded);
    char *out = buffer_reserve(&cutter->folded, to - from + STEP);
    size_t i = from;
#ifdef __SSE2__
    for (; i < to && i + STEP <= text.len; i += STEP) {
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(text.ptr + i));
        __m128i case_bit = _mm_and_si128(bytes_between(b, 'A', 26), _mm_set1_epi8(32));
        _mm_storeu_si128((__m128i *)(void *)(out + i - from), _mm_or_si128(b, case_bit));
    }
#endif
    for (; i < to; i++)
        out[i - from] = (char)(text.ptr[i] | ((unsigned char)(text.ptr[i] - 'A') < 26) << 5);
    cutter->folded.len = to - from;
}

// From text[at] on, the first byte that may begin a term; the length of the text when none does.
static inline size_t
term_begin(TermCutter *cutter, size_t at)
{
    while (at < cutter->text.len) {
        block_at(cutter, at);
        size_t shift = at % BLOCK;
        uint64_t found = (cutter->block.of_terms | cutter->block.beyond) >> shift;
        if (found)
            return at + (size_t)__builtin_ctzll(found);
        at += BLOCK - shift;
    }
    return cutter->text.len;
}

static inline bool
is_beyond(Str text, size_t at)
{
    return at < text.len && (unsigned char)text.ptr[at] >= 0x80;
}

// Whether the character at *at is of a term; moves past it and gives its fold.
static bool
take_point(TermCutter *cutter, size_t *at, uint32_t *folded)
{
    uint32_t point = utf8_next(cutter->text, at);
    bool of_term = unicode_is_term(point);
    *folded = unicode_fold(point);
    // The dotted capital I is a letter of its own for all but in~, which takes it for an i.
    enum { DOTTED_I = 0x130 };
    if (unicode_is_term(*folded) != of_term || point == DOTTED_I)
        cutter->doubtful = true;
    return of_term;
}

// The rest of a term whose ASCII part is in `folded`; `at` is the first byte beyond.
static size_t
take_points(TermCutter *cutter, size_t at)
{
    while (at < cutter->text.len) {
        size_t next = at;
        uint32_t folded;
        if (!take_point(cutter, &next, &folded))
            break;
        utf8_put(&cutter->folded, folded);
        at = next;
    }
    return at;
}

bool
term_next(TermCutter *cutter, Term *term)
{
    Str text = cutter->text;
    size_t at = term_begin(cutter, cutter->at);
    while (is_beyond(text, at)) {
        size_t next = at;
        uint32_t folded;
        if (take_point(cutter, &next, &folded))
            break;
        at = term_begin(cutter, next);
    }
    cutter->at = at;
    if (at == text.len)
        return false;
    size_t start = at;
    bool changed = false;
    at = ascii_end(cutter, at, &changed);
    bool beyond = is_beyond(text, at);
    if (!changed && !beyond) {
        *term = (Term){start, at, {text.ptr + start, at - start}};
        cutter->at = at;
        return true;
    }
    fold_ascii(cutter, start, at);
    if (beyond)
        at = take_points(cutter, at);
    *term = (Term){start, at, buffer_slice(&cutter->folded)};
    cutter->at = at;
    return true;
}

void
term_cutter_begin(TermCutter *cutter, Str text)
{
    cutter->text = text;
    cutter->at = 0;
    cutter->block_end = 0;
    cutter->doubtful = false;
}

void
term_cutter_free(TermCutter *cutter)
{
    buffer_free(&cutter->folded);
}
