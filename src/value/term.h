// Terms: a text cut into its maximal runs of letters and digits, in folded case.
//
// The operators of the `has` family find a needle where terms begin and end
// (value/unicode.h). An index over terms serves them when texts and needles are cut
// alike: where `has` holds, each run of the needle that is bounded on both sides is a
// term of the text, with the same folded bytes.
//
// That needs characters whose folds are the same to be alike in being of a term. A few
// are not (U+0345, a combining mark, folds to the letter iota): a text or needle with
// one is `doubtful`, and no index may speak of it.
#pragma once

#include "base/buffer.h"

// What 64 bytes of a text are, one bit each.
typedef struct TermBlock {
    uint64_t of_terms; // ASCII letters and digits
    uint64_t upper;    // those whose fold is another
    uint64_t beyond;   // no ASCII
} TermBlock;

typedef struct TermCutter {
    Str text;
    size_t at;
    bool doubtful; // a doubtful character came by
    Buffer folded; // of the latest term
    TermBlock block;
    size_t block_end; // in the text; 0: none was looked at
} TermCutter;

typedef struct Term {
    size_t start, end; // in the text
    Str folded;        // view of the cutter's memory, or of the text
} Term;

// The next term; false at the end of the text. Start with {.text = text}, or
// term_cutter_begin to use the memory again.
bool term_next(TermCutter *cutter, Term *term);
void term_cutter_begin(TermCutter *cutter, Str text);
void term_cutter_free(TermCutter *cutter);
