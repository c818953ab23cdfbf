// Str: a slice of UTF-8 bytes that somebody else owns; not null-terminated.
#pragma once

#include "base/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Str {
    const char *ptr;
    size_t len;
} Str;

#define STR(literal) ((Str){("" literal), sizeof(literal) - 1})
#define STR_INIT(literal)                                                                          \
    {                                                                                              \
        ("" literal), sizeof(literal) - 1                                                          \
    }
// For printf: printf("%.*s", STR_ARG(s)).
#define STR_ARG(s) (int)(s).len, (s).ptr

Str str_from(const char *text); // of a C string; NULL gives the empty slice
bool str_equal(Str a, Str b);
bool str_equal_ci(Str a, Str b);  // ASCII letters only, as identifiers need
int str_compare(Str a, Str b);    // bytewise, shorter first: <0, 0, >0
int str_compare_ci(Str a, Str b); // ASCII case-insensitive
bool str_starts(Str s, Str prefix);
bool str_ends(Str s, Str suffix);
Str str_slice(Str s, size_t from, size_t to); // clamped to the slice
Str str_trim(Str s);                          // ASCII white space at both ends
ptrdiff_t str_find(Str s, Str needle);        // offset of the first hit, else -1
bool str_next_word(Str *rest, Str *word);     // takes the next word of words separated by blanks
uint64_t str_hash(Str s);                     // XXH3, 64 bits
uint64_t str_hash_ci(Str s);                  // of the ASCII-lower-cased bytes

Str str_copy(Arena *arena, Str s);
char *str_cstr(Arena *arena, Str s); // null-terminated copy
Str str_format(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
Str str_vformat(Arena *arena, const char *format, va_list args);
Str str_lower(Arena *arena, Str s); // ASCII

// The nearest of `count` candidates by edit distance, for "did you mean"; -1
// when none is near (more than a third of the longer name differs).
ptrdiff_t str_nearest(Str wanted, const Str *candidates, size_t count);
