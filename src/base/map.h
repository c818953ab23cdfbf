// Map: slices to 64-bit values or pointers, in an arena; open addressing.
// Keys are not copied: they must live as long as the map. Insertion order is
// kept: iterate `entries` from 0 to `len`.
#pragma once

#include "base/slice.h"

typedef struct MapEntry {
    Str key;
    uint64_t hash;
    union {
        void *pointer;
        uint64_t number;
    };
} MapEntry;

typedef struct Map {
    Arena *arena;
    bool ignore_case; // ASCII, as names of tables, columns and functions need
    MapEntry *entries;
    size_t len, cap;
    uint32_t *slots; // index + 1 into entries; 0 = free
    size_t slot_count;
} Map;

void map_init(Map *map, Arena *arena, bool ignore_case);
MapEntry *map_find(const Map *map, Str key); // NULL when absent
// The same for many keys at once: faster than one by one in a map that is larger than the
// caches.
void map_find_each(const Map *map, const Str *keys, size_t count, MapEntry **found);
MapEntry *map_add(Map *map, Str key, bool *is_new); // finds or adds (value zeroed)
void *map_get(const Map *map, Str key);             // the pointer, or NULL
void map_put(Map *map, Str key, void *pointer);     // adds or replaces
