// Order: sorting rows by keys.
//
// A key becomes an order-preserving 64-bit word a row (exact for numbers and times, a prefix of
// strings) and the rows are radix-sorted by it; many whose words are equal by the next word of the
// strings, or the next key, and few are merge-sorted by comparing values. Both sorts are stable, so
// rows with equal keys keep the order of the input. Nulls and NaN are set apart before: nulls first
// means null, NaN, values, and nulls last values, NaN, null (Kusto docs, sort operator).
#pragma once

#include "exec/internal.h"

typedef struct OrderKey {
    const Vector *values; // flat
    bool descending, nulls_first;
} OrderKey;

typedef struct Order {
    OrderKey *keys;
    uint32_t count;
} Order;

// The rows 0 .. count-1 in order, in `arena`.
uint32_t *order_rows(Arena *arena, const Order *order, uint32_t count);

// Row a of one order beside row b of another, which has keys of the same types and directions, by
// the keys from `from_key` on: less than, equal to or greater than zero.
int order_compare(const Order *order, uint32_t a, const Order *other, uint32_t b,
                  uint32_t from_key);

// Place of the key's value among nulls and NaN: 0, 1 or 2.
unsigned order_class(const OrderKey *key, uint32_t row);
bool order_class_is_value(const OrderKey *key, unsigned class);

// Ascending words for all rows; a larger word comes later for certain, equal ones only
// when *exact.
void order_words(const OrderKey *key, uint32_t count, uint64_t *words, bool *exact);
