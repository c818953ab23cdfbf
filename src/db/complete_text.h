// A query that is being written, cut into brackets, statements and pipeline steps by its
// characters: what completion knows of a text that does not parse yet.
#pragma once

#include "base/slice.h"
#include "kql/operator_def.h"

enum { CUT_DEPTH_MAX = 64 };

// An open bracket, or the whole text.
typedef struct CutFrame {
    char open;        // 0 for the whole text
    size_t at;        // of the bracket
    size_t statement; // where the current statement begins
    ptrdiff_t pipe;   // the last `|` of that statement, -1 if none
} CutFrame;

typedef struct QueryCut {
    Arena *arena;
    Str text; // left of the cursor; comments become blanks
    CutFrame frames[CUT_DEPTH_MAX];
    size_t depth; // of the innermost frame
} QueryCut;

// Cuts `text`. False when its end stands in a string or a comment, or too deep.
bool query_cut(QueryCut *cut);

bool is_word_char(char c);
Str cut_first_word(Str text);
Str cut_last_word(Str text);

// The operator a step begins with, and its rest behind the name; NULL when there is none.
const OperatorDef *step_operator(Str step, Str *rest);
// The step of the frame that is being written, without the `word` bytes at its end.
Str cut_step(const QueryCut *cut, const CutFrame *frame, size_t word);
// Without `let NAME =` in front.
Str without_let(Str statement);
// What stands before the current statement of the whole text: lets and the like.
Str cut_prelude(const QueryCut *cut);
// The pipeline of frame `d` up to its last `|`, with what it runs over when its first step
// is an operator: a sub-query of mv-apply, partition, fork, facet.
Str cut_pipeline(const QueryCut *cut, size_t d);
// The right table of a join or lookup, from the text behind the operator's name.
Str right_table(Str rest);
