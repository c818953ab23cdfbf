// What of a text goes into a term index (term_index.h says why). Internal to src/store.
#pragma once

#include "base/buffer.h"
#include "column/vector.h"
#include "store/term_index.h"
#include "value/term.h"

enum { TERM_NUMBER_MAX = 3 }; // digits of a part of an address

// The last two terms when they can be parts of an address.
typedef struct TermNumbers {
    size_t starts[2], end;
    uint32_t count;
} TermNumbers;

// Takes the next term; the three numbers that end with it, or the empty text.
Str term_numbers_take(TermNumbers *numbers, Str text, const Term *term);
bool term_all_hex(Str text); // hexadecimal digits alone

typedef struct TermWalk {
    TermCutter cutter;
    bool guids_cut;                         // set when a GUID came by
    bool each_row;                          // also those equal to the row before
    uint32_t row;                           // whose text is walked
    bool (*take)(void *context, Str entry); // false: enough
    void *context;
} TermWalk;

// Calls `take` for each entry of all values of a flat vector of texts, an entry as often as it
// stands there. Neighbours that are equal count once, but for `each_row`. False when `take` had
// enough, or no index can speak of one of the texts. `printed` is memory to use.
bool term_walk_values(TermWalk *walk, const Vector *values, Buffer *printed);
