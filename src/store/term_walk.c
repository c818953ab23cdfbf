// What of a text goes into a term index; see term_walk.h.

#include "store/term_walk.h"
#include "value/scalar.h"
#include "value/unicode.h"

enum { GUID_SIZE = 36 };

static bool
is_number(Str folded)
{
    if (folded.len > TERM_NUMBER_MAX)
        return false;
    for (size_t i = 0; i < folded.len; i++)
        if (folded.ptr[i] < '0' || folded.ptr[i] > '9')
            return false;
    return true;
}

Str
term_numbers_take(TermNumbers *numbers, Str text, const Term *term)
{
    if (!is_number(term->folded)) {
        numbers->count = 0;
        return STR("");
    }
    bool follows =
        numbers->count && term->start == numbers->end + 1 && text.ptr[numbers->end] == '.';
    if (!follows)
        numbers->count = 0;
    numbers->end = term->end;
    if (numbers->count < 2) {
        numbers->starts[numbers->count++] = term->start;
        return STR("");
    }
    Str three = str_slice(text, numbers->starts[0], term->end);
    numbers->starts[0] = numbers->starts[1];
    numbers->starts[1] = term->start;
    return three;
}

static bool
is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

bool
term_all_hex(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_hex(s.ptr[i]))
            return false;
    return true;
}

// Whether a GUID begins at `start`, whose first eight bytes are a term, and ends with a term.
static bool
is_guid_at(Str text, size_t start)
{
    if (text.len - start < GUID_SIZE)
        return false;
    const char *p = text.ptr + start;
    for (size_t i = 8; i < GUID_SIZE; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? p[i] != '-' : !is_hex(p[i]))
            return false;
    }
    if (text.len - start == GUID_SIZE)
        return true;
    // Bytes beyond ASCII may be of a term: not looked into.
    unsigned char next = (unsigned char)p[GUID_SIZE];
    return next < 0x80 && !unicode_is_term(next);
}

// Calls `take` for each entry of the text; false when it had enough.
static bool
walk_text(TermWalk *walk, Str text)
{
    term_cutter_begin(&walk->cutter, text);
    TermNumbers numbers = {0};
    Term term;
    while (term_next(&walk->cutter, &term)) {
        if (term.end - term.start <= TERM_NUMBER_MAX) {
            Str three = term_numbers_take(&numbers, text, &term);
            if (three.len && !walk->take(walk->context, three))
                return false;
        } else {
            numbers.count = 0;
        }
        if (term.folded.len >= TERM_MIN && !walk->take(walk->context, term.folded))
            return false;
        if (term.end - term.start == 8 && term.end < text.len && text.ptr[term.end] == '-' &&
            term_all_hex(term.folded) && is_guid_at(text, term.start)) {
            walk->guids_cut = true;
            walk->cutter.at = term.start + GUID_SIZE;
        }
    }
    return !walk->cutter.doubtful;
}

bool
term_walk_values(TermWalk *walk, const Vector *values, Buffer *printed)
{
    size_t size = type_size(values->type);
    const char *before = NULL;
    for (uint32_t i = 0; i < values->count; i++) {
        if (values->valid && !bit_get(values->valid, i))
            continue;
        const char *payload = (const char *)values->data + i * size;
        if (before && memcmp(before, payload, size) == 0 && !walk->each_row)
            continue;
        before = payload;
        walk->row = i;
        Str text;
        if (values->type == TYPE_STRING) {
            text = text_str((const Text *)(const void *)payload);
        } else {
            buffer_clear(printed);
            data_print(printed, values->type, payload);
            text = buffer_slice(printed);
        }
        if (!walk_text(walk, text))
            return false;
    }
    return true;
}
