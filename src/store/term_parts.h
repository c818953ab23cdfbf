// What the files of the term index share: its bytes and how they are walked. Internal to
// term_index.c, term_build.c and term_postings.c.
#pragma once

#include "store/term_index.h"
#include "store/term_walk.h"
#include "value/scalar.h"

enum {
    TERM_KIND_LIST = 1,
    TERM_KIND_FILTER = 2,
    TERM_KIND_POSTINGS = 3,
    TERM_FLAG_GUIDS_CUT = 1,
    TERM_HEAD_SIZE = 8,
    TERM_RESTART_EVERY = 16,
    TERM_ENTRY_MAX = 255, // bytes of a term in a list or with postings
};

// A term among the texts of a builder.
typedef struct TermEntry {
    uint32_t at;
    uint8_t len;
} TermEntry;

// That a row has the term of this number.
typedef struct TermRow {
    uint32_t term, row;
} TermRow;

static inline uint64_t
term_entry_hash(Str entry)
{
    uint64_t hash = str_hash(entry);
    return hash ? hash : 1;
}

// Appends terms with their rows. `pairs` come by ascending row, a pair once.
void postings_put(Buffer *out, Arena *scratch, const char *texts, const TermEntry *entries,
                  uint32_t count, const TermRow *pairs, size_t pair_count, uint32_t rows);
// Reads what stands behind the head; false when it cannot be that. Entries are checked as they
// are read: malformed ones end a walk.
bool postings_open(ByteReader *reader, TermIndex *index);
// Adds the rows that have the term; false when it is not there.
bool postings_rows(const TermIndex *index, Str term, uint64_t *rows);
// The same for all terms with this part in them: at their beginning, at their end, anywhere.
// `rows` may be NULL.
bool postings_part_rows(const TermIndex *index, Str part, bool begins, bool ends, uint64_t *rows);
