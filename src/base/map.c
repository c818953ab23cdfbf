#include "base/map.h"

#include "base/array.h"

void
map_init(Map *map, Arena *arena, bool ignore_case)
{
    *map = (Map){.arena = arena, .ignore_case = ignore_case};
}

static uint64_t
key_hash(const Map *map, Str key)
{
    return map->ignore_case ? str_hash_ci(key) : str_hash(key);
}

static bool
key_equal(const Map *map, Str a, Str b)
{
    return map->ignore_case ? str_equal_ci(a, b) : str_equal(a, b);
}

// The slot that holds `key`, or the free slot where it belongs.
static size_t
slot_of(const Map *map, Str key, uint64_t hash)
{
    size_t mask = map->slot_count - 1;
    size_t slot = hash & mask;
    while (map->slots[slot]) {
        const MapEntry *entry = &map->entries[map->slots[slot] - 1];
        if (entry->hash == hash && key_equal(map, entry->key, key))
            break;
        slot = (slot + 1) & mask;
    }
    return slot;
}

static void
map_rehash(Map *map)
{
    map->slot_count = map->slot_count ? map->slot_count * 2 : 16;
    map->slots = ARENA_ARRAY(map->arena, uint32_t, map->slot_count);
    for (size_t i = 0; i < map->len; i++) {
        size_t slot = map->entries[i].hash & (map->slot_count - 1);
        while (map->slots[slot])
            slot = (slot + 1) & (map->slot_count - 1);
        map->slots[slot] = (uint32_t)(i + 1);
    }
}

MapEntry *
map_find(const Map *map, Str key)
{
    if (!map->len)
        return NULL;
    uint32_t index = map->slots[slot_of(map, key, key_hash(map, key))];
    return index ? &map->entries[index - 1] : NULL;
}

// Each step of a lookup waits for memory; a block of keys takes the steps together, so that
// they wait once.
void
map_find_each(const Map *map, const Str *keys, size_t count, MapEntry **found)
{
    enum { BLOCK = 32 };
    uint64_t hashes[BLOCK];
    for (size_t from = 0; from < count; from += BLOCK) {
        size_t here = count - from < BLOCK ? count - from : BLOCK;
        for (size_t i = 0; map->len && i < here; i++) {
            hashes[i] = key_hash(map, keys[from + i]);
            __builtin_prefetch(&map->slots[hashes[i] & (map->slot_count - 1)]);
        }
        for (size_t i = 0; map->len && i < here; i++) {
            uint32_t index = map->slots[hashes[i] & (map->slot_count - 1)];
            if (index)
                __builtin_prefetch(&map->entries[index - 1]);
        }
        for (size_t i = 0; map->len && i < here; i++) {
            uint32_t index = map->slots[hashes[i] & (map->slot_count - 1)];
            if (index)
                __builtin_prefetch(map->entries[index - 1].key.ptr);
        }
        for (size_t i = 0; i < here; i++) {
            uint32_t index = map->len ? map->slots[slot_of(map, keys[from + i], hashes[i])] : 0;
            found[from + i] = index ? &map->entries[index - 1] : NULL;
        }
    }
}

MapEntry *
map_add(Map *map, Str key, bool *is_new)
{
    if ((map->len + 1) * 4 > map->slot_count * 3)
        map_rehash(map);
    uint64_t hash = key_hash(map, key);
    size_t slot = slot_of(map, key, hash);
    if (is_new)
        *is_new = !map->slots[slot];
    if (!map->slots[slot]) {
        MapEntry entry = {.key = key, .hash = hash};
        if (map->len == map->cap)
            map->entries =
                array_grow(map->arena, map->entries, map->len, &map->cap, sizeof(MapEntry));
        map->entries[map->len++] = entry;
        map->slots[slot] = (uint32_t)map->len;
    }
    return &map->entries[map->slots[slot] - 1];
}

void *
map_get(const Map *map, Str key)
{
    MapEntry *entry = map_find(map, key);
    return entry ? entry->pointer : NULL;
}

void
map_put(Map *map, Str key, void *pointer)
{
    map_add(map, key, NULL)->pointer = pointer;
}
