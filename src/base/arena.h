// Arena: memory that is given back all at once.
//
// A query, a batch, a parse owns an arena; whatever it builds lives exactly as
// long. Allocation bumps a pointer in the newest block. When memory cannot be
// had the arena calls `arena_fatal`, which by default aborts the process with a
// message: growing structures that can be large ask a Budget first (budget.h),
// so that a query that is too large fails and the process does not.
//
// Not thread-safe: one thread, one arena.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct ArenaBlock ArenaBlock;

typedef struct Arena {
    ArenaBlock *head; // newest block; NULL when empty
    char *next;       // first free byte of the newest block
    char *end;        // end of the newest block
    size_t allocated; // bytes held from the system
    size_t wanted;    // bytes of the block after a reset; 0 = as it comes
} Arena;

// A zeroed Arena is an empty, valid one; arena_init says so in code.
void arena_init(Arena *arena);

// Gives all memory back; the arena is empty and usable again.
void arena_free(Arena *arena);

// Forgets all content but keeps a block for what comes next, of two megabytes at most: what is
// reset for each batch does not go to the system again and again.
void arena_reset(Arena *arena);

// Gives `into` all that `from` holds, without copying; `from` is empty then.
void arena_adopt(Arena *into, Arena *from);

// `size` bytes aligned to `align` (a power of two, at most 64). Never NULL; a
// size of 0 gives a valid unique pointer.
void *arena_alloc_aligned(Arena *arena, size_t size, size_t align);

// As above, 16-aligned; `arena_zalloc` zeroes it.
void *arena_alloc(Arena *arena, size_t size);
void *arena_zalloc(Arena *arena, size_t size);

// `count * size` bytes with the product checked for overflow.
void *arena_alloc_array(Arena *arena, size_t count, size_t size);
void *arena_zalloc_array(Arena *arena, size_t count, size_t size);

// Copies `size` bytes into the arena.
void *arena_copy(Arena *arena, const void *data, size_t size);

// Gives the memory of an allocation back to the system, when it has a block of its own, as large ones
// mostly do (128 KiB and more); else it stays till the end, as all others. NULL is fine.
void arena_release(Arena *arena, void *data);

#define ARENA_NEW(arena, T)          ((T *)arena_zalloc((arena), sizeof(T)))
#define ARENA_ARRAY(arena, T, count) ((T *)arena_zalloc_array((arena), (count), sizeof(T)))
