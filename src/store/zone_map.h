// Zone: what is known about one column in one row group without reading it: the
// nulls, the least and the greatest value, and of string columns with few
// distinct values (such as `type`) all of them.
//
// A scan asks whether a predicate can hold for any row. "No" is certain, "maybe"
// costs only a read. Internal to src/store.
#pragma once

#include "column/table_source.h"
#include "store/bytes.h"

enum {
    ZONE_PREFIX = 32,     // bytes kept of the bounds of strings
    ZONE_SET_MAX = 64,    // distinct strings kept
    ZONE_SET_BYTES = 4096 // and their bytes
};

typedef struct Zone {
    uint32_t null_count;
    bool bounded; // min and max hold for all values that are not null
    bool max_cut; // max is only a prefix of the greatest string
    bool has_set; // `set` holds all distinct strings
    Value min, max;
    const Str *set;
    uint32_t set_count;
} Zone;

// Of the rows of a flat vector; with `distinct` its distinct values when they are
// known (a flat vector too). Strings are viewed.
void zone_build(Arena *arena, Zone *zone, const Vector *flat, const Vector *distinct);

void zone_put(Buffer *out, Type type, const Zone *zone);
// Reads what zone_put wrote; texts are viewed in the reader's bytes. A malformed
// one turns the reader bad.
void zone_get(ByteReader *reader, Arena *arena, Type type, Zone *zone);

// Whether some of the `rows` rows may meet the predicate, a comparison with values.
bool zone_may_match(const Zone *zone, Type type, uint32_t rows, const ScanPredicate *predicate);
