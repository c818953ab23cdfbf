// Term index: which terms the texts of one column have in one row group.
//
// It is asked before the block is read whether a needle can stand in one of its texts;
// "no" is certain. Terms are those of value/term.h in folded case, of TERM_MIN bytes or
// more, as Kusto indexes them. Two things are cut differently, because of what is looked
// for in logs:
//
//   - Of a GUID only the first eight digits are kept: its other parts would be most of
//     the index and are never looked for alone. Terms that look like such a part are
//     then never ruled out.
//   - Three numbers with dots between them are an entry of their own, so that addresses
//     are found although their numbers are too short: 203.0.113.7 is 203.0.113, 0.113.7.
//
// Few terms are a LIST, sorted and with shared beginnings: it also serves needles that
// are cut inside a term (hasprefix, contains). Many are a FILTER of hashes. What would
// take more than its share of the column's bytes is not kept at all.
//
//     kind u8, flags u8, zero u16, entries u32
//     LIST    restarts u32, a place u32 each, then the entries: bytes shared with the
//             one before u8, further bytes u8, these. At each restart nothing is shared.
//     FILTER  as fuse_filter.h has it
//
// Internal to src/store.
#pragma once

#include "column/vector.h"
#include "store/fuse_filter.h"

enum {
    TERM_MIN = 3,
    TERM_LIST_SHARE = 8,          // a list has at most an eighth of its block's bytes,
    TERM_FILTER_SHARE = 2,        // a filter half of them,
    TERM_INDEX_SMALL = 2048,      // or so many
    TERM_INDEX_RAW_MAX = 32 << 20 // bytes before compression
};

typedef struct TermIndexBuilder TermIndexBuilder;
TermIndexBuilder *term_index_builder_new(void);
void term_index_builder_free(TermIndexBuilder *builder);

// Takes the texts (as tostring() gives them) of a flat vector of strings, dynamics or
// GUIDs. False when no index can speak of them.
bool term_index_collect(TermIndexBuilder *builder, const Vector *values);
// What was collected as a list, or as a filter, of a column whose block takes `stored`
// bytes. False when that does not pay; compressed, a list must pass term_list_pays. `out`
// views the builder's memory.
bool term_index_list(TermIndexBuilder *builder, size_t stored, Str *out);
bool term_index_filter(TermIndexBuilder *builder, size_t stored, Str *out);
bool term_list_pays(size_t size, size_t stored);

typedef struct TermIndex {
    bool is_list, cuts_guids;
    uint32_t count;
    uint32_t restarts;
    const uint8_t *places;        // LIST: u32 each, not aligned
    const uint8_t *entries, *end; // LIST
    FuseFilter filter;            // FILTER
} TermIndex;

// Reads what term_index_list or _filter made. `whole` also walks the list: bytes from a file need
// that once, before anything is asked. False when they are malformed.
bool term_index_open(Str bytes, bool whole, TermIndex *index);

// Whether some text may hold the needle; with `begins` where no term goes on to its
// left, with `ends` to its right.
bool term_index_may_hold(const TermIndex *index, Str needle, bool begins, bool ends);

// Whether the index knows every term of the values: the check of a store asks.
bool term_index_covers(const TermIndex *index, const Vector *values);
