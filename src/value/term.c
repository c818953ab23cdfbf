// Cutting of texts into terms; see term.h. Runs of ASCII go by bytes; a byte beyond
// sends the rest of its run through code points.

#include "value/term.h"
#include "value/unicode.h"

// What a byte is in folded case when it belongs to a term; 0: it divides; 1: it is not
// ASCII and code points decide.
static const unsigned char FOLDED[256] = {
    ['0'] = '0', ['1'] = '1', ['2'] = '2',         ['3'] = '3', ['4'] = '4', ['5'] = '5',
    ['6'] = '6', ['7'] = '7', ['8'] = '8',         ['9'] = '9', ['a'] = 'a', ['b'] = 'b',
    ['c'] = 'c', ['d'] = 'd', ['e'] = 'e',         ['f'] = 'f', ['g'] = 'g', ['h'] = 'h',
    ['i'] = 'i', ['j'] = 'j', ['k'] = 'k',         ['l'] = 'l', ['m'] = 'm', ['n'] = 'n',
    ['o'] = 'o', ['p'] = 'p', ['q'] = 'q',         ['r'] = 'r', ['s'] = 's', ['t'] = 't',
    ['u'] = 'u', ['v'] = 'v', ['w'] = 'w',         ['x'] = 'x', ['y'] = 'y', ['z'] = 'z',
    ['A'] = 'a', ['B'] = 'b', ['C'] = 'c',         ['D'] = 'd', ['E'] = 'e', ['F'] = 'f',
    ['G'] = 'g', ['H'] = 'h', ['I'] = 'i',         ['J'] = 'j', ['K'] = 'k', ['L'] = 'l',
    ['M'] = 'm', ['N'] = 'n', ['O'] = 'o',         ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r',
    ['S'] = 's', ['T'] = 't', ['U'] = 'u',         ['V'] = 'v', ['W'] = 'w', ['X'] = 'x',
    ['Y'] = 'y', ['Z'] = 'z', [0x80 ... 0xff] = 1,
};

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
    size_t at = cutter->at;
    // To the first character of a term.
    for (;;) {
        while (at < text.len && !FOLDED[(unsigned char)text.ptr[at]])
            at++;
        if (at == text.len) {
            cutter->at = at;
            return false;
        }
        if (FOLDED[(unsigned char)text.ptr[at]] != 1)
            break;
        size_t next = at;
        uint32_t folded;
        if (take_point(cutter, &next, &folded))
            break;
        at = next;
    }
    size_t start = at;
    bool changed = false;
    unsigned char c = 0;
    while (at < text.len && (c = FOLDED[(unsigned char)text.ptr[at]]) > 1) {
        changed |= c != (unsigned char)text.ptr[at];
        at++;
    }
    bool beyond = at < text.len && c == 1;
    if (!changed && !beyond) {
        *term = (Term){start, at, {text.ptr + start, at - start}};
        cutter->at = at;
        return true;
    }
    buffer_clear(&cutter->folded);
    char *out = buffer_reserve(&cutter->folded, at - start);
    for (size_t i = start; i < at; i++)
        *out++ = (char)FOLDED[(unsigned char)text.ptr[i]];
    cutter->folded.len = at - start;
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
    cutter->doubtful = false;
}

void
term_cutter_free(TermCutter *cutter)
{
    buffer_free(&cutter->folded);
}
