// Obfuscated strings in texts that people are shown.
//
// A message about a query shows the line it is about. What stands in h"..." is there to
// be hidden (Kusto docs: obfuscated string literals), so its inside becomes stars. The
// query may be broken at any place; a string that does not end hides all the rest.

#include "kql/lexer.h"

// The end of the string whose opening quote is at `at`: behind its closing quote.
static size_t
string_end(Str text, size_t at, bool verbatim)
{
    char quote = text.ptr[at];
    bool fence = (quote == '`' || quote == '~') && at + 2 < text.len && text.ptr[at + 1] == quote &&
                 text.ptr[at + 2] == quote;
    if (fence) {
        ptrdiff_t end = str_find(str_slice(text, at + 3, text.len), str_slice(text, at, at + 3));
        return end < 0 ? text.len : at + 3 + (size_t)end + 3;
    }
    for (size_t i = at + 1; i < text.len; i++) {
        if (text.ptr[i] == '\\' && !verbatim)
            i++;
        else if (text.ptr[i] == quote && verbatim && i + 1 < text.len && text.ptr[i + 1] == quote)
            i++;
        else if (text.ptr[i] == quote)
            return i + 1;
        else if (text.ptr[i] == '\n' && !verbatim)
            return i; // not closed: the next line is none of it
    }
    return text.len;
}

static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool
is_fence(Str text, size_t at)
{
    char c = text.ptr[at];
    return (c == '`' || c == '~') && at + 2 < text.len && text.ptr[at + 1] == c &&
           text.ptr[at + 2] == c;
}

// Whether the string at `at` has an h before it, and whether an @.
static bool
is_hidden(Str text, size_t at, bool *verbatim)
{
    size_t before = at;
    *verbatim = before && text.ptr[before - 1] == '@';
    before -= *verbatim;
    return before && (text.ptr[before - 1] == 'h' || text.ptr[before - 1] == 'H') &&
           (before == 1 || !is_word(text.ptr[before - 2]));
}

Str
kql_hide_secrets(Arena *arena, Str text)
{
    char *out = NULL;
    for (size_t at = 0; at < text.len;) {
        char c = text.ptr[at];
        if (c == '/' && at + 1 < text.len && text.ptr[at + 1] == '/') {
            while (at < text.len && text.ptr[at] != '\n')
                at++;
            continue;
        }
        if (c != '"' && c != '\'' && !is_fence(text, at)) {
            at++;
            continue;
        }
        bool verbatim;
        bool hidden = is_hidden(text, at, &verbatim);
        size_t end = string_end(text, at, verbatim);
        if (hidden && !out) {
            out = arena_alloc(arena, text.len + 1);
            memcpy(out, text.ptr, text.len);
        }
        for (size_t i = at + 1; hidden && i + 1 < end; i++)
            if (out[i] != '\n')
                out[i] = '*';
        at = end;
    }
    return out ? (Str){out, text.len} : text;
}
