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
// Long texts, in prose, have POSTINGS: each term with the rows it stands in, so that `has`
// is answered without reading the texts. Of others few terms are a LIST, sorted and with
// shared beginnings: it also serves needles that are cut inside a term (hasprefix,
// contains). Many are a FILTER of hashes. What would take more than its share of the
// column's bytes is not kept at all.
//
//     kind u8, flags u8, zero u16, entries u32
//     LIST    restarts u32, a place u32 each, then the entries: bytes shared with the
//             one before u8, further bytes u8, these. At each restart nothing is shared.
//     FILTER  as fuse_filter.h has it
//     POSTINGS  rows u32, size of the entries u32, restarts: place of an entry and of its
//             rows u32 each, then the entries: bytes shared u8, further bytes u8, these,
//             bytes of its rows << 1 | bits as a number of 7 bits a byte. Then the rows of all
//             terms: a bit for each row, or the distances as such numbers
//
// Internal to src/store.
#pragma once

#include "column/vector.h"
#include "store/fuse_filter.h"

enum {
    TERM_MIN = 3,
    TERM_LIST_SHARE = 8,          // a list has at most an eighth of its block's bytes,
    TERM_FILTER_SHARE = 2,        // a filter half of them,
    TERM_POSTINGS_SHARE = 2,      // postings too,
    TERM_PROSE_MIN = 128,         // for texts of so many bytes on average
    TERM_INDEX_SMALL = 2048,      // or so many
    TERM_ROWS_MAX = 1 << 20,      // rows that postings speak of
    TERM_INDEX_RAW_MAX = 32 << 20 // bytes before compression
};

typedef struct TermIndexBuilder TermIndexBuilder;
TermIndexBuilder *term_index_builder_new(void);
void term_index_builder_free(TermIndexBuilder *builder);

// Takes the texts (as tostring() gives them) of a flat vector of strings, dynamics or
// GUIDs; with `rows` also which row has what, which postings need. False when no index can
// speak of them.
bool term_index_collect(TermIndexBuilder *builder, const Vector *values, bool rows);
// What was collected as postings, a list, or a filter, of a column whose block takes
// `stored` bytes. False when that does not pay; compressed, postings and a list must pass
// term_postings_pay and term_list_pays. `out` views the builder's memory.
bool term_index_postings(TermIndexBuilder *builder, size_t stored, Str *out);
bool term_postings_pay(size_t size, size_t stored);
bool term_index_list(TermIndexBuilder *builder, size_t stored, Str *out);
bool term_index_filter(TermIndexBuilder *builder, size_t stored, Str *out);
bool term_list_pays(size_t size, size_t stored);

typedef struct TermIndex {
    Str bytes; // all of it
    bool is_list, cuts_guids;
    uint32_t count;
    uint32_t restarts;
    const uint8_t *places;        // LIST: u32 each, not aligned; POSTINGS: two u32 each
    const uint8_t *entries, *end; // LIST, POSTINGS
    FuseFilter filter;            // FILTER
    uint32_t rows;                // POSTINGS; otherwise 0
    const uint8_t *postings;
    size_t postings_size;
} TermIndex;

// Reads what term_index_list or _filter made. `whole` also walks the list: bytes from a file need
// that once, before anything is asked. False when they are malformed.
bool term_index_open(Str bytes, bool whole, TermIndex *index);

// Whether some text may hold the needle; with `begins` where no term goes on to its
// left, with `ends` to its right.
bool term_index_may_hold(const TermIndex *index, Str needle, bool begins, bool ends);

// Adds to `rows`, a bit a row, those whose text may hold the needle; *exact: that they do, in
// the sense of `has`, and no others. False, with nothing added, when the index cannot say.
bool term_index_rows(const TermIndex *index, Arena *arena, Str needle, bool begins, bool ends,
                     uint64_t *rows, bool *exact);

// Whether the index knows every term of the values, and postings nothing else: the check of a
// store asks.
bool term_index_covers(const TermIndex *index, const Vector *values);
