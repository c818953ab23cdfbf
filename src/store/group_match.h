// Which row groups of a segment a scan need not read: by their zones first, then, for
// what is looked for in texts, by their term indexes. "No" is certain. Internal to
// src/store.
#pragma once

#include "store/block_cache.h"
#include "store/catalog.h"
#include "store/term_hold.h"

// A row group, as the table that is scanned sees it.
typedef struct GroupFacts {
    const Schema *schema;   // of the table
    const int32_t *columns; // of the table -> of the segment; -1 = it lacks the column
    const Segment *segment;
    uint64_t segment_id;
    uint32_t group;
    BlockCache *cache;
    TermHold *hold; // of the group; NULL: indexes are not held
} GroupFacts;

// Whether some row may meet all predicates.
bool group_may_match(const GroupFacts *facts, const ScanPredicate *predicates, uint32_t count);

// The rows that may meet the predicate, as TableSource's match_rows has it: of texts with
// postings in their term index.
bool group_match_rows(const GroupFacts *facts, const ScanPredicate *predicate, uint64_t *rows,
                      bool *exact);

// The rows [*from, *to) that meet what the predicates ask of the time column, and no others do; false
// when nothing is asked of it, or its times do not ascend.
bool group_row_range(const GroupFacts *facts, ptrdiff_t time_column,
                     const ScanPredicate *predicates, uint32_t count, uint32_t *from, uint32_t *to);

// From the catalog's time bounds alone; the predicate is on the table's time column.
bool times_may_match(const CatalogSegment *entry, const ScanPredicate *predicate);
