// Growable arrays in an arena. A typed array is any struct with the members
// `items`, `len` and `cap`:
//
//     typedef struct { Token *items; size_t len, cap; } TokenArray;
//     ARRAY_PUSH(arena, &tokens, token);
//
// A zeroed struct is the empty array. Growing copies and leaves the old storage
// to the arena, so pointers into `items` are only good until the next push.
#pragma once

#include "base/arena.h"

#include <stddef.h>

// Makes room for one more item and returns the new storage (internal).
void *array_grow(Arena *arena, void *items, size_t len, size_t *cap, size_t item_size);

#define ARRAY_PUSH(arena, array, item)                                                             \
    do {                                                                                           \
        if ((array)->len == (array)->cap)                                                          \
            (array)->items = array_grow((arena), (array)->items, (array)->len, &(array)->cap,      \
                                        sizeof(*(array)->items));                                  \
        (array)->items[(array)->len++] = (item);                                                   \
    } while (0)

#define COUNT_OF(fixed_array) (sizeof(fixed_array) / sizeof((fixed_array)[0]))
