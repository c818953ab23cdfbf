// Sets of numbers as sorted unions of closed intervals: addresses, ports, protocols.
//
// An address is a number of 128 bits. IPv4 stands in the mapped range ::ffff:0:0/96, so that
// one set holds both families. Sets are values: no operation changes its operands, results
// live in the arena or share the intervals of an operand. Intervals are sorted, disjoint and
// not adjacent, so that equal sets have equal intervals.
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 Address;

#define ADDRESS_MAX (~(Address)0)

typedef struct Range {
    Address low, high; // both belong to it
} Range;

typedef struct RangeSet {
    const Range *items;
    uint32_t count;
} RangeSet;

RangeSet range_set_of(Arena *arena, Address low, Address high); // empty when high < low
RangeSet range_set_union(Arena *arena, RangeSet a, RangeSet b);
RangeSet range_set_intersect(Arena *arena, RangeSet a, RangeSet b);
RangeSet range_set_subtract(Arena *arena, RangeSet a, RangeSet b);

bool range_set_contains(RangeSet set, Address value); // O(log intervals)
bool range_set_overlaps(RangeSet a, RangeSet b);
bool range_set_covers(RangeSet whole, RangeSet part); // every value of `part`
bool range_set_equal(RangeSet a, RangeSet b);
