// Putting the values of a split block together: what split_decode.c opens, and split_put_text.c
// and split_put_tree.c put. See split.h. Internal to these.
#pragma once

#include "store/split.h"

typedef struct SplitColumn {
    Block *block;
    SplitKind kind;
    // Of its vector, so that no row asks for the encoding.
    const Text *texts;
    const int64_t *longs;
    const uint64_t *valid;
    const uint32_t *codes; // NULL: the index is row & mask
    uint32_t mask;
} SplitColumn;

// The columns of a template while its values are put together.
typedef struct Weave {
    const SplitTemplate *t;
    SplitColumn *columns;
    uint32_t next; // row of the template
} Weave;

typedef struct SplitWhole {
    BlockDecoder *decoder;
    const BlockInfo *info;
    const uint8_t *stored;
    Type type;
    Arena arena;
    SplitHead head;
    Weave weaves[SPLIT_TEMPLATES];
    Block *kept;    // values kept whole; NULL: there are none
    uint8_t *codes; // number of the template of each row
    const char *why;
} SplitWhole;

// The entry of a column at a row, and whether it is null.
static inline uint32_t
split_index(const SplitColumn *column, uint32_t row)
{
    return column->codes ? column->codes[row] : row & column->mask;
}

static inline bool
split_is_null(const SplitColumn *column, uint32_t index)
{
    return column->valid && !bit_get(column->valid, index);
}

// All values of an opened block into out->vector, flat. False with w->why when the bytes are
// damaged.
bool split_texts_put(SplitWhole *w, Block *out);
bool split_trees_put(SplitWhole *w, Block *out);
