// Arena: a chain of blocks, newest first; see arena.h for the contract.
//
// Blocks double up to a megabyte, so that a small parse costs one malloc and a
// large query few. An allocation larger than a block gets a block of its own, which can be given
// back before the others.

#include "base/arena.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { ARENA_FIRST_BLOCK = 4096, ARENA_LARGEST_BLOCK = 1 << 20 };

struct ArenaBlock {
    ArenaBlock *older;
    size_t size; // bytes behind the header
    bool whole;  // holds one allocation
    _Alignas(64) char data[];
};

static _Noreturn void
arena_fatal(size_t size)
{
    fprintf(stderr, "azimuth: out of memory (asked the system for %zu bytes)\n", size);
    abort();
}

// A spare block that holds `size` bytes, taken off the list; NULL when there is none
// near the front.
static ArenaBlock *
take_spare(Arena *arena, size_t size)
{
    enum { LOOK = 4 };
    ArenaBlock **link = &arena->spare;
    for (int i = 0; *link && i < LOOK; i++, link = &(*link)->older) {
        ArenaBlock *block = *link;
        if (block->size >= size) {
            *link = block->older;
            return block;
        }
    }
    return NULL;
}

static ArenaBlock *
new_block(Arena *arena, size_t size)
{
    size_t bytes = ARENA_FIRST_BLOCK;
    if (arena->head)
        bytes = arena->head->size * 2;
    if (bytes > ARENA_LARGEST_BLOCK)
        bytes = ARENA_LARGEST_BLOCK;
    if (bytes < size)
        bytes = size;
    ArenaBlock *block = NULL;
    if (bytes > SIZE_MAX - sizeof(ArenaBlock) ||
        posix_memalign((void **)&block, 64, sizeof(ArenaBlock) + bytes))
        arena_fatal(bytes);
    block->size = bytes;
    block->whole = false;
    arena->allocated += bytes;
    return block;
}

static void
arena_grow(Arena *arena, size_t size)
{
    ArenaBlock *head = take_spare(arena, size);
    if (!head)
        head = new_block(arena, size);
    head->older = arena->head;
    arena->head = head;
    arena->next = head->data;
    arena->end = head->data + head->size;
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
    free_blocks(arena->spare);
    arena_init(arena);
}

// Under AddressSanitizer nothing is kept, so that a use after the reset is seen.
#ifdef __SANITIZE_ADDRESS__
enum { KEEP_MOST = 0 };
#else
enum { KEEP_MOST = 64 << 20 };
#endif

void
arena_reset(Arena *arena)
{
    ArenaBlock *keep = arena->head;
    if (!keep)
        return;
    size_t kept = keep->size;
    for (ArenaBlock *block = arena->spare; block; block = block->older)
        kept += block->size;
    for (ArenaBlock *block = keep->older; block;) {
        ArenaBlock *older = block->older;
        if (kept + block->size <= KEEP_MOST) {
            kept += block->size;
            block->whole = false;
            block->older = arena->spare;
            arena->spare = block;
        } else {
            free(block);
        }
        block = older;
    }
    keep->older = NULL;
    arena->next = keep->data;
    arena->end = keep->data + keep->size;
    arena->allocated = kept;
}

void
arena_adopt(Arena *into, Arena *from)
{
    free_blocks(from->spare);
    from->spare = NULL;
    if (!from->head)
        return;
    if (!into->head && !into->spare) {
        *into = *from;
    } else if (!into->head) {
        ArenaBlock *spare = into->spare;
        size_t held = into->allocated;
        *into = *from;
        into->spare = spare;
        into->allocated += held;
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

// A block for one large allocation, behind the newest, which goes on being filled.
static void *
alloc_whole(Arena *arena, size_t size)
{
    ArenaBlock *block = take_spare(arena, size);
    if (!block)
        block = new_block(arena, size);
    block->whole = true;
    block->older = arena->head->older;
    arena->head->older = block;
    return block->data;
}

void
arena_release(Arena *arena, void *data)
{
    if (!data || !arena->head)
        return;
    for (ArenaBlock **link = &arena->head->older; *link; link = &(*link)->older) {
        ArenaBlock *block = *link;
        if (!block->whole || block->data != (char *)data)
            continue;
        *link = block->older;
        arena->allocated -= block->size;
        free(block);
        return;
    }
}

void *
arena_alloc_aligned(Arena *arena, size_t size, size_t align)
{
    assert(align && align <= 64 && (align & (align - 1)) == 0);
    if (size > SIZE_MAX - 64)
        arena_fatal(size);
    if (size == 0)
        size = 1;
    if (size >= ARENA_LARGEST_BLOCK && arena->head)
        return alloc_whole(arena, size);
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
