// Every operation is one sweep over both operands, which are sorted.

#include "azure/network/range_set.h"

RangeSet
range_set_of(Arena *arena, Address low, Address high)
{
    if (high < low)
        return (RangeSet){0};
    const Range range = {low, high};
    return (RangeSet){arena_copy(arena, &range, sizeof range), 1};
}

// Adds an interval that begins nowhere before the last one.
static void
append(Range *items, uint32_t *count, Range next)
{
    Range *last = *count ? &items[*count - 1] : NULL;
    if (last && (last->high == ADDRESS_MAX || next.low <= last->high + 1)) {
        if (next.high > last->high)
            last->high = next.high;
        return;
    }
    items[(*count)++] = next;
}

RangeSet
range_set_union(Arena *arena, RangeSet a, RangeSet b)
{
    if (!a.count || !b.count)
        return a.count ? a : b;
    Range *items = arena_alloc_array(arena, (size_t)a.count + b.count, sizeof *items);
    uint32_t count = 0;
    for (uint32_t i = 0, j = 0; i < a.count || j < b.count;) {
        bool from_a = j == b.count || (i < a.count && a.items[i].low <= b.items[j].low);
        append(items, &count, from_a ? a.items[i++] : b.items[j++]);
    }
    return (RangeSet){items, count};
}

RangeSet
range_set_intersect(Arena *arena, RangeSet a, RangeSet b)
{
    if (!a.count || !b.count)
        return (RangeSet){0};
    if (range_set_covers(a, b))
        return b;
    if (range_set_covers(b, a))
        return a;
    Range *items = arena_alloc_array(arena, (size_t)a.count + b.count, sizeof *items);
    uint32_t count = 0;
    for (uint32_t i = 0, j = 0; i < a.count && j < b.count;) {
        Range x = a.items[i], y = b.items[j];
        Range both = {x.low > y.low ? x.low : y.low, x.high < y.high ? x.high : y.high};
        if (both.low <= both.high)
            items[count++] = both;
        if (x.high < y.high)
            i++;
        else
            j++;
    }
    return (RangeSet){items, count};
}

RangeSet
range_set_subtract(Arena *arena, RangeSet a, RangeSet b)
{
    if (!range_set_overlaps(a, b))
        return a;
    Range *items = arena_alloc_array(arena, (size_t)a.count + b.count, sizeof *items);
    uint32_t count = 0, j = 0;
    for (uint32_t i = 0; i < a.count; i++) {
        Address low = a.items[i].low, high = a.items[i].high;
        bool left = true; // of low..high
        while (j < b.count && b.items[j].high < low)
            j++;
        // An interval of b may end inside the next one of a: it stays the current one.
        for (uint32_t k = j; left && k < b.count && b.items[k].low <= high; k++) {
            if (b.items[k].low > low)
                items[count++] = (Range){low, b.items[k].low - 1};
            left = b.items[k].high < high;
            low = left ? b.items[k].high + 1 : low;
        }
        if (left)
            items[count++] = (Range){low, high};
    }
    return (RangeSet){items, count};
}

bool
range_set_contains(RangeSet set, Address value)
{
    uint32_t low = 0, high = set.count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (set.items[middle].high < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set.count && set.items[low].low <= value;
}

bool
range_set_overlaps(RangeSet a, RangeSet b)
{
    for (uint32_t i = 0, j = 0; i < a.count && j < b.count;) {
        if (a.items[i].high < b.items[j].low)
            i++;
        else if (b.items[j].high < a.items[i].low)
            j++;
        else
            return true;
    }
    return false;
}

bool
range_set_covers(RangeSet whole, RangeSet part)
{
    uint32_t i = 0;
    for (uint32_t j = 0; j < part.count; j++) {
        while (i < whole.count && whole.items[i].high < part.items[j].low)
            i++;
        if (i == whole.count || whole.items[i].low > part.items[j].low ||
            whole.items[i].high < part.items[j].high)
            return false;
    }
    return true;
}

bool
range_set_equal(RangeSet a, RangeSet b)
{
    return a.count == b.count && range_set_covers(a, b) && range_set_covers(b, a);
}
