// Groups of rows some keys of which are dictionaries, by numbers instead of values. The others
// may be constants, or flat and of one word: bins of times.
//
// Each distinct value of a key gets a number, asked once for each entry of a dictionary that a batch
// uses. A row is then one word of those numbers, and a small table knows the groups of the words
// met before: no text is hashed or compared for a row. It only remembers what a GroupTable said;
// combinations it does not know are left to the caller, who tells their groups.
#pragma once

#include "exec/keys.h"

typedef struct CodeGroups CodeGroups;

// One for each worker; lives in `arena`, with all it grows to: some 16 MiB at most. Nobody needs it after the last row.
CodeGroups *code_groups_new(Arena *arena, const KeyLayout *layout);

// Of a batch, the first row of each combination that is not known yet.
typedef struct CodeMisses {
    uint32_t *rows; // ascending
    uint32_t count;
} CodeMisses;

// Fills out[i] with the group of row i, for code_groups_learn to complete where there are misses
// (made in `scratch`). False when the keys are of other encodings, or so many combinations
// are new that this does not pay: then nothing is known. code_groups_stopped: it will not be asked for any more.
bool code_groups_find(CodeGroups *groups, Arena *scratch, const Vector *const *keys, uint32_t count,
                      uint32_t *out, CodeMisses *misses);
bool code_groups_stopped(const CodeGroups *groups);
// The missing groups: that of row misses->rows[m] is found[m]. Called after each find that had some.
void code_groups_learn(CodeGroups *groups, const CodeMisses *misses, const uint32_t *found,
                       uint32_t count, uint32_t *out);
