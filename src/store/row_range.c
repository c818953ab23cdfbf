// The rows of a group that lie in a range of time. Log tables are written by time, so that in
// most groups these follow each other, and two searches find where they begin and end.

#include "store/group_match.h"

// The first row whose time is not less than `time`, or with `behind` greater.
static uint32_t
first_row(const Vector *v, int64_t time, bool behind)
{
    const int64_t *times = v->data;
    uint32_t low = 0, high = v->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (times[middle] < time || (behind && times[middle] == time))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void
narrow(const Vector *v, const ScanPredicate *predicate, uint32_t *from, uint32_t *to)
{
    int64_t time = predicate->values[0].int64;
    uint32_t least = 0, most = v->count;
    switch (predicate->op) {
    case SCAN_EQ:
        least = first_row(v, time, false);
        most = first_row(v, time, true);
        break;
    case SCAN_GT: least = first_row(v, time, true); break;
    case SCAN_GE: least = first_row(v, time, false); break;
    case SCAN_LT: most = first_row(v, time, false); break;
    case SCAN_LE: most = first_row(v, time, true); break;
    default: break;
    }
    if (least > *from)
        *from = least;
    if (most < *to)
        *to = most;
}

static bool
is_of_time(const ScanPredicate *predicate, ptrdiff_t column)
{
    return predicate->op <= SCAN_GE && (ptrdiff_t)predicate->column == column &&
           predicate->values[0].type == TYPE_DATETIME && !predicate->values[0].is_null;
}

// Whether the zone says that all rows meet it.
static bool
all_meet(const Zone *zone, const ScanPredicate *predicate)
{
    int64_t time = predicate->values[0].int64;
    if (!zone->bounded || zone->null_count)
        return false;
    switch (predicate->op) {
    case SCAN_EQ: return zone->min.int64 == time && zone->max.int64 == time;
    case SCAN_GT: return zone->min.int64 > time;
    case SCAN_GE: return zone->min.int64 >= time;
    case SCAN_LT: return zone->max.int64 < time;
    case SCAN_LE: return zone->max.int64 <= time;
    default: return false;
    }
}

bool
group_row_range(const GroupFacts *facts, ptrdiff_t time_column, const ScanPredicate *predicates,
                uint32_t count, uint32_t *from, uint32_t *to)
{
    int32_t column = facts->columns[time_column];
    const SegmentGroup *group = &facts->segment->groups[facts->group];
    bool asked = false, all = true;
    for (uint32_t i = 0; i < count; i++)
        if (is_of_time(&predicates[i], time_column)) {
            asked = true;
            all = all && column >= 0 && all_meet(&group->zones[column], &predicates[i]);
        }
    if (!asked || column < 0)
        return false;
    if (all) { // the times need not be read
        *from = 0;
        *to = group->rows;
        return true;
    }
    AzError ignored = {0}; // the read meets it again and tells
    CachedBlock *block = block_cache_pin(facts->cache, facts->segment, facts->segment_id,
                                         facts->group, (uint32_t)column, &ignored);
    error_clear(&ignored);
    if (!block)
        return false;
    bool known = cached_block_ascends(block);
    if (known) {
        *from = 0;
        *to = cached_block_vector(block)->count;
        for (uint32_t i = 0; i < count; i++)
            if (is_of_time(&predicates[i], time_column))
                narrow(cached_block_vector(block), &predicates[i], from, to);
        if (*from > *to)
            *from = *to;
    }
    block_cache_unpin(facts->cache, block);
    return known;
}
