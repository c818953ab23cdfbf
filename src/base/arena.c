// Arena: a chain of blocks, newest first; see arena.h for the contract.
//
// Each block is half as large as all before it together, up to a quarter of a megabyte: a small
// parse costs few mallocs, a large query few more, and what the newest block has too much is never a
// large part of the whole. A large allocation that finds no room gets a block of its own, of just its
// size, which can be given back before the others. An arena that is reset goes on with one block
// that would have held all it had.

#include "base/arena.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    ARENA_FIRST_BLOCK = 4 << 10,
    ARENA_LARGEST_BLOCK = 256 << 10,
    ARENA_SMALL = 64 << 10,     // up to here blocks double
    ARENA_OWN_BLOCK = 32 << 10, // smaller allocations share blocks
    ARENA_ALIGN = 64,
    ARENA_LINED = 1 << 10, // from here on allocations begin at a cache line
};

struct ArenaBlock {
    ArenaBlock *older;
    size_t size; // bytes at `data`
    char *data;
    bool whole; // holds one allocation
};

static _Noreturn void
arena_fatal(size_t size)
{
    fprintf(stderr, "azimuth: out of memory (asked the system for %zu bytes)\n", size);
    abort();
}

static ArenaBlock *
new_block(Arena *arena, size_t bytes, bool whole)
{
    size_t head = sizeof(ArenaBlock) + ARENA_ALIGN - 1;
    // Not aligned_alloc, which asks for more and cuts it off: holes of the heap fit less often.
    ArenaBlock *block = bytes <= SIZE_MAX - head ? malloc(head + bytes) : NULL;
    if (!block)
        arena_fatal(bytes);
    char *data = (char *)(block + 1);
    block->data = data + (-(uintptr_t)data & (ARENA_ALIGN - 1));
    block->size = bytes;
    block->whole = whole;
    arena->allocated += bytes;
    return block;
}

// What the next block holds that many allocations share.
static size_t
next_size(const Arena *arena)
{
    if (arena->wanted)
        return arena->wanted;
    size_t held = arena->allocated, size = held < ARENA_SMALL ? held : held / 2;
    if (size < ARENA_FIRST_BLOCK)
        size = ARENA_FIRST_BLOCK;
    return size < ARENA_LARGEST_BLOCK ? size : ARENA_LARGEST_BLOCK;
}

static void
arena_grow(Arena *arena, size_t size)
{
    size_t bytes = next_size(arena);
    ArenaBlock *head = new_block(arena, bytes < size ? size : bytes, false);
    arena->wanted = 0;
    head->older = arena->head;
    arena->head = head;
    arena->next = head->data;
    arena->end = head->data + head->size;
}

// A block for one large allocation, behind the newest, which goes on being filled.
static void *
alloc_whole(Arena *arena, size_t size)
{
    ArenaBlock *block = new_block(arena, size, true);
    if (arena->head) {
        block->older = arena->head->older;
        arena->head->older = block;
    } else {
        block->older = NULL;
        arena->head = block;
        arena->next = arena->end = block->data + size;
    }
    return block->data;
}

void
arena_init(Arena *arena)
{
    *arena = (Arena){0};
}

static void
free_blocks(ArenaBlock *block)
{
    while (block) {
        ArenaBlock *older = block->older;
        free(block);
        block = older;
    }
}

void
arena_free(Arena *arena)
{
    free_blocks(arena->head);
    arena_init(arena);
}

// Under AddressSanitizer nothing is kept, so that a use after the reset is seen.
#ifdef __SANITIZE_ADDRESS__
enum { KEEP_MOST = 0 };
#else
enum { KEEP_MOST = 2 << 20 };
#endif

void
arena_reset(Arena *arena)
{
    ArenaBlock *head = arena->head;
    if (!head)
        return;
    if (!head->older && head->size <= KEEP_MOST) {
        head->whole = false;
        arena->next = head->data;
        arena->end = head->data + head->size;
        return;
    }
    // With a quarter more: the next content may be a little larger.
    size_t wanted = arena->allocated + arena->allocated / 4;
    arena_free(arena);
    arena->wanted = wanted > KEEP_MOST ? KEEP_MOST : wanted;
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

void
arena_release(Arena *arena, void *data)
{
    if (!data)
        return;
    for (ArenaBlock **link = &arena->head; *link; link = &(*link)->older) {
        ArenaBlock *block = *link;
        if (!block->whole || block->data != data)
            continue;
        if (block == arena->head)
            arena->next = arena->end = NULL; // those behind it are not filled on
        *link = block->older;
        arena->allocated -= block->size;
        free(block);
        return;
    }
}

void *
arena_alloc_aligned(Arena *arena, size_t size, size_t align)
{
    assert(align && align <= ARENA_ALIGN && (align & (align - 1)) == 0);
    if (size > SIZE_MAX - ARENA_ALIGN)
        arena_fatal(size);
    if (size == 0)
        size = 1;
    size_t pad = (align - ((uintptr_t)arena->next & (align - 1))) & (align - 1);
    if (!arena->head || (size_t)(arena->end - arena->next) < size + pad) {
        if (size >= ARENA_OWN_BLOCK && size > next_size(arena) / 2)
            return alloc_whole(arena, size);
        arena_grow(arena, size);
        pad = 0; // blocks are aligned
    }
    char *result = arena->next + pad;
    arena->next = result + size;
    return result;
}

void *
arena_alloc(Arena *arena, size_t size)
{
    return arena_alloc_aligned(arena, size, size >= ARENA_LINED ? ARENA_ALIGN : 16);
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
