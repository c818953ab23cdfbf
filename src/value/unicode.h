// Unicode: code points, case, and the terms of `has`, over utf8proc with ASCII
// fast paths. Invalid UTF-8 bytes count as one code point each (U+FFFD) and are
// copied through unchanged.
#pragma once

#include "base/buffer.h"

size_t utf8_count(Str text); // code points
// Decodes the code point at *offset and moves *offset past it.
uint32_t utf8_next(Str text, size_t *offset);
void utf8_put(Buffer *out, uint32_t codepoint);
size_t utf8_offset(Str text, size_t codepoints); // byte offset of the n-th code point, clamped
bool utf8_valid(Str text);
size_t utf8_valid_prefix(Str text); // bytes before the first that is not UTF-8

void unicode_lower(Buffer *out, Str text); // simple case mapping, one to one
void unicode_upper(Buffer *out, Str text);

// Case-insensitive (simple folding) comparison and search.
bool unicode_equal_ci(Str a, Str b);
bool unicode_contains_ci(Str text, Str needle);
// The same for a needle (not empty) of ASCII in bytes that need not be text; may say yes
// where only a character is that folds into ASCII.
bool bytes_may_contain_ci(Str bytes, Str needle);
bool unicode_starts_ci(Str text, Str prefix);
bool unicode_ends_ci(Str text, Str suffix);

// The character that stands for all letters that comparisons without regard to case take
// for the same one.
uint32_t unicode_fold(uint32_t codepoint);

// Whether the code point belongs to a term: a letter or a digit (Kusto docs,
// "What is a term?").
bool unicode_is_term(uint32_t codepoint);

// Term operators of KQL, with `ignore_case` for the plain forms:
// has: needle occurs and is bounded at both sides; hasprefix: at the left side
// only; hassuffix: at the right side only. A side is bounded by an end of the text,
// or when the needle's outer character or its neighbour is not of a term: so
// has @"\temp\" holds in @"C:\temp\x", and has "tem" does not.
// An empty needle: has/hasprefix/hassuffix are true.
bool term_has(Str text, Str needle, bool ignore_case);
bool term_has_prefix(Str text, Str needle, bool ignore_case);
bool term_has_suffix(Str text, Str needle, bool ignore_case);
