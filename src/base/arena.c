// Arena: a chain of blocks, newest first; see arena.h for the contract.
//
// Blocks double up to a megabyte, so that a small parse costs one malloc and a
// large query few. An allocation larger than a block gets a block of its own.

#include "base/arena.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { ARENA_FIRST_BLOCK = 4096, ARENA_LARGEST_BLOCK = 1 << 20 };

struct ArenaBlock {
    ArenaBlock *older;
    size_t size; // bytes behind the header
    _Alignas(64) char data[];
};

static _Noreturn void
arena_fatal(size_t size)
{
    fprintf(stderr, "azimuth: out of memory (asked the system for %zu bytes)\n", size);
    abort();
}

static void
arena_grow(Arena *arena, size_t size)
{
    size_t block = ARENA_FIRST_BLOCK;
    if (arena->head)
        block = arena->head->size * 2;
    if (block > ARENA_LARGEST_BLOCK)
        block = ARENA_LARGEST_BLOCK;
    if (block < size)
        block = size;
    ArenaBlock *head = NULL;
    if (block > SIZE_MAX - sizeof(ArenaBlock) ||
        posix_memalign((void **)&head, 64, sizeof(ArenaBlock) + block))
        arena_fatal(block);
    head->older = arena->head;
    head->size = block;
    arena->head = head;
    arena->next = head->data;
    arena->end = head->data + block;
    arena->allocated += block;
}

void
arena_init(Arena *arena)
{
    *arena = (Arena){0};
}

void
arena_free(Arena *arena)
{
    for (ArenaBlock *block = arena->head; block;) {
        ArenaBlock *older = block->older;
        free(block);
        block = older;
    }
    arena_init(arena);
}

void
arena_reset(Arena *arena)
{
    ArenaBlock *keep = arena->head;
    if (!keep)
        return;
    for (ArenaBlock *block = keep->older; block;) {
        ArenaBlock *older = block->older;
        free(block);
        block = older;
    }
    keep->older = NULL;
    arena->next = keep->data;
    arena->end = keep->data + keep->size;
    arena->allocated = keep->size;
}

void
arena_adopt(Arena *into, Arena *from)
{
    if (!from->head)
        return;
    if (!into->head) {
        *into = *from;
    } else {
        // Behind the newest block, which goes on being filled.
        ArenaBlock *oldest = from->head;
        while (oldest->older)
            oldest = oldest->older;
        oldest->older = into->head->older;
        into->head->older = from->head;
        into->allocated += from->allocated;
    }
    arena_init(from);
}

void *
arena_alloc_aligned(Arena *arena, size_t size, size_t align)
{
    assert(align && align <= 64 && (align & (align - 1)) == 0);
    if (size > SIZE_MAX - 64)
        arena_fatal(size);
    if (size == 0)
        size = 1;
    size_t pad = (align - ((uintptr_t)arena->next & (align - 1))) & (align - 1);
    if (!arena->head || (size_t)(arena->end - arena->next) < size + pad) {
        arena_grow(arena, size + align);
        pad = (align - ((uintptr_t)arena->next & (align - 1))) & (align - 1);
    }
    char *result = arena->next + pad;
    arena->next = result + size;
    return result;
}

void *
arena_alloc(Arena *arena, size_t size)
{
    return arena_alloc_aligned(arena, size, 16);
}

void *
arena_zalloc(Arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

void *
arena_alloc_array(Arena *arena, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        arena_fatal(SIZE_MAX);
    return arena_alloc(arena, count * size);
}

void *
arena_zalloc_array(Arena *arena, size_t count, size_t size)
{
    void *result = arena_alloc_array(arena, count, size);
    return memset(result, 0, count * size);
}

void *
arena_copy(Arena *arena, const void *data, size_t size)
{
    void *result = arena_alloc(arena, size);
    if (size)
        memcpy(result, data, size);
    return result;
}
