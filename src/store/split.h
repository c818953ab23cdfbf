// Splitting: a block of JSON texts, or of dynamics, that few templates make is stored as its
// values.
//
// A template of texts is what stands between the scalar values of an object: its keys in order,
// the white space, the objects inside it. The values at one place of a template are a column of
// their own, encoded like any other: whole numbers as longs, plain strings as strings,
// whatever else (escapes, reals, arrays) as the JSON text of the value. Texts that follow no
// template are kept whole. So the texts come back byte for byte, they take less room, and
// parse_json(c).a.b reads one column of values: nothing is parsed.
//
// A template of dynamics is the keys of a bag and of the bags in it, in order. Whole numbers and
// strings are columns of longs and strings, whatever else (reals, arrays, empty bags) is a column
// of dynamics. Values that follow no template, and nulls, are kept whole.
//
// The stored bytes of such a block (BLOCK_SPLIT, never compressed as a whole):
//
//     size of the head u32, 0 u32, XXH3 of the head u64
//     head     templates u32, values kept whole u32; each template: rows u32, places u32, for
//              each place what stands before it, its path (below) and kind u8, then what
//              stands at the end (of dynamics nothing stands anywhere); place by place size u32,
//              raw size u32, checksum u64, encoding, codec and has_nulls u8 of the columns
//     columns  number of the template of each row (their count: kept whole; left out when
//              there is one template and all follow it), what is kept whole, the values
//
// A path is each key with its length before it (u32). Internal to src/store.
#pragma once

#include "store/block_codec.h"
#include "store/bytes.h"
#include "value/dynamic.h"

enum {
    SPLIT_TEMPLATES = 16,
    SPLIT_VALUES = 96,        // of a template
    SPLIT_DEPTH = 8,          // of objects that are split; deeper ones are values
    SPLIT_TEMPLATE = 1 << 16, // bytes of keys and of what stands between
    SPLIT_PREFIX = 16,        // bytes before the head
    SPLIT_HEAD_MAX = 4 << 20,
};

// SPLIT_OTHER: of texts the JSON text of the value, of dynamics the value.
typedef enum SplitKind { SPLIT_LONG, SPLIT_STRING, SPLIT_OTHER, SPLIT_KIND_LIMIT } SplitKind;

typedef struct SplitPlace {
    Str before; // what stands between it and the place before
    Str path;
    SplitKind kind;
    BlockInfo info; // its offset is from the start of the block
} SplitPlace;

typedef struct SplitTemplate {
    SplitPlace *places;
    uint32_t count;
    uint32_t rows;
    Str after; // behind the last place
} SplitTemplate;

// A value as it stands in a text, or its node in a tree.
typedef enum SplitClass {
    CLASS_LONG = 1,   // of a text: a whole number as tostring() writes it
    CLASS_STRING = 2, // of a text: of plain ASCII
    CLASS_NULL = 4,
    CLASS_OTHER = 8,
} SplitClass;

typedef struct SplitCell {
    const char *ptr;
    uint32_t len;
    uint32_t class_;
} SplitCell;

// The path of a key below another.
Str split_path_below(Arena *arena, Str path, Str key);

// The template of a text (views of it; paths in `arena`); false when the text has none:
// no JSON object, keys that repeat or are escaped, too much of anything. Rows is 0.
bool split_learn(Arena *arena, Str text, SplitTemplate *out);
// The values of a text, when it follows the template.
bool split_follow(const SplitTemplate *t, Str text, SplitCell *cells);

// The same of trees: no bag, an empty one, or too much of anything has no template.
bool split_tree_learn(Arena *arena, Dyn tree, SplitTemplate *out);
bool split_tree_follow(const SplitTemplate *t, Dyn tree, SplitCell *cells);

// Appends the stored form of a flat vector of strings or dynamics; false when splitting them
// does not pay. `inner` encodes the columns.
typedef struct SplitEncoder SplitEncoder;
SplitEncoder *split_encoder_new(void);
void split_encoder_free(SplitEncoder *encoder);
bool split_encode(SplitEncoder *encoder, BlockEncoder *inner, const Vector *values, Buffer *out);

// What a head says.
typedef struct SplitHead {
    SplitTemplate templates[SPLIT_TEMPLATES];
    uint32_t count;
    uint32_t rows, whole_rows;
    BlockInfo codes, whole; // stored = 0: left out
} SplitHead;

// The type of a column of values in a block of `type`.
static inline Type
split_column_type(Type type, SplitKind kind)
{
    return kind == SPLIT_LONG ? TYPE_LONG : kind == SPLIT_STRING ? TYPE_STRING : type;
}

// Reads the head's bytes; `stored` are those of the block. False with *why.
bool split_head(Arena *arena, Str bytes, uint32_t rows, uint32_t stored, SplitHead *out,
                const char **why);
// Size and checksum from the bytes before a head.
bool split_prefix(const uint8_t *prefix, uint32_t stored, uint32_t *size, uint64_t *checksum);
// The template of each row, from its column: each as often as the head says.
bool split_codes(const SplitHead *head, const Vector *column, uint8_t *codes);

// Puts the values of a whole block together, in the block's arena.
bool split_whole(BlockDecoder *decoder, const BlockInfo *info, const uint8_t *stored, Block *out,
                 const char **why);

// `size` bytes of a block from `offset` on.
typedef bool SplitRead(void *context, uint64_t offset, void *out, uint32_t size);

// What lies at the path in each row of a block of `type`: of a text what parse_json() and the
// path give. NULL with *why, or with *why = NULL when the values themselves are needed.
Block *split_path(BlockDecoder *decoder, const BlockInfo *info, Type type, uint32_t rows, Str path,
                  SplitRead *read, void *context, const char **why);
// The same of any block of strings or dynamics.
Block *split_path_of_values(const Block *values, Str path);
