// Matching of operations: the pattern as an automaton whose states are its positions.
//
// Most patterns differ from the operation before their first `*`, so that literal head is
// compared first. The rest runs all positions at once: time is at most pattern x text
// whatever the pattern, also one made to be slow.

#include "azure/rbac/action.h"

#include <string.h>

enum { PATTERN_MAX = 1024 }; // longer ones do not occur: role definitions allow 512 characters

static char
fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

// Makes position `at` live, and those reached from it without reading a character: past a
// `*`, which may stand for nothing; and past `*/` when the character before was a slash
// and `/*/` may be a single one. `fresh` says that the position was reached by reading the
// pattern's previous character, not by staying at a star.
static void
enter(const Str *pattern, StarSegment star, bool *live, size_t at, bool fresh)
{
    for (;;) {
        live[at] = true;
        if (at == pattern->len || pattern->ptr[at] != '*')
            return;
        bool whole_segment = fresh && at > 0 && pattern->ptr[at - 1] == '/' &&
                             at + 1 < pattern->len && pattern->ptr[at + 1] == '/';
        if (star == STAR_SEGMENT_ZERO && whole_segment)
            enter(pattern, star, live, at + 2, true);
        at++;
        fresh = false;
    }
}

bool
action_matches(Str pattern, Str action, StarSegment star)
{
    size_t head = 0;
    while (head < pattern.len && pattern.ptr[head] != '*') {
        if (head == action.len || fold(pattern.ptr[head]) != fold(action.ptr[head]))
            return false;
        head++;
    }
    if (head == pattern.len)
        return head == action.len;
    if (head + 1 == pattern.len)
        return true; // the usual Company.Provider/*
    if (pattern.len > PATTERN_MAX)
        return false;

    bool live[PATTERN_MAX + 1] = {false}, next[PATTERN_MAX + 1];
    enter(&pattern, star, live, head, true);
    for (size_t i = head; i < action.len; i++) {
        memset(next, 0, pattern.len + 1);
        bool any = false;
        for (size_t at = head; at < pattern.len; at++) {
            if (!live[at])
                continue;
            if (pattern.ptr[at] == '*')
                enter(&pattern, star, next, at, false);
            else if (fold(pattern.ptr[at]) == fold(action.ptr[i]))
                enter(&pattern, star, next, at + 1, true);
            else
                continue;
            any = true;
        }
        if (!any)
            return false;
        memcpy(live, next, pattern.len + 1);
    }
    return live[pattern.len];
}
