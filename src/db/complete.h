// Completion: what may stand at a place of a query that is being written.
//
// The text left of the cursor is cut into brackets, statements and pipeline steps by its
// characters alone, since it seldom parses. Columns are those that the finished steps
// left of the cursor yield: they are bound as a query of their own. Names come from
// the same rows as help (db/help.h).
#pragma once

#include "db/db.h"

typedef enum CandidateKind {
    CANDIDATE_COLUMN,
    CANDIDATE_NAME, // of a let
    CANDIDATE_KEYWORD,
    CANDIDATE_OPERATOR,
    CANDIDATE_TABLE,
    CANDIDATE_FUNCTION,
    CANDIDATE_VALUE, // of a parameter: a join kind, a chart, a type
} CandidateKind;

typedef struct Candidate {
    CandidateKind kind;
    Str text;   // what to write in place of the word
    Str detail; // signature, syntax or type; may be empty
} Candidate;

typedef struct Completion {
    size_t from;      // where the word begins that candidates take the place of
    Candidate *items; // by kind, then name
    size_t len, cap;
    Str common; // what all have in common, at least the word; empty without candidates
    Str hint;   // the signature of the function whose arguments are being written
} Completion;

// All in `arena`. `cursor` is a byte offset of `text`, clamped.
Completion complete_query(Database *db, Arena *arena, Str text, size_t cursor);
