// Heap: fewer page faults.
//
// A query decodes blocks of some hundred kilobytes each. glibc maps and unmaps those one by
// one, and each page of 4 KiB costs a fault: a third of a scan's time and more. Here the
// heap grows at its end instead, is not given back after each free, and its first part lies
// on pages of 2 MiB. All of it is address space, not memory, until it is written to.
//
// Only that part: where memory is fragmented, the kernel may take longer to find large
// pages than small ones would cost. One heap for all threads: those of other threads would
// lie elsewhere, and what is asked for here are large blocks, so they rarely meet.

#include "base/heap.h"

#include <stdlib.h>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    HUGE_PAGE = 2 << 20,
    HUGE_LEAST = 256 << 20, // of the heap, from its begin, lie on such pages
    HUGE_MOST = 1 << 30,    // a fourth of the memory, up to this
    MAPPED_FROM = 32 << 20, // larger blocks are mapped one by one; glibc allows no more
    KEPT_AT_MOST = 1 << 30,
    GROW_BY = 4 << 20,
};

static int
huge_part(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    uint64_t fourth = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / 4 : 0;
    return fourth < HUGE_LEAST ? HUGE_LEAST : fourth > HUGE_MOST ? HUGE_MOST : (int)fourth;
}

void
heap_prepare(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
    mallopt(M_TRIM_THRESHOLD, KEPT_AT_MOST);
    uintptr_t begin = (uintptr_t)sbrk(0);
    mallopt(M_TOP_PAD, huge_part());
    // Larger than what glibc has at hand already, so that the heap grows now.
    void *first = malloc(1 << 20);
    free(first);
    mallopt(M_TOP_PAD, GROW_BY);
    uintptr_t end = (uintptr_t)sbrk(0);
    begin = (begin + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1);
    end &= ~(uintptr_t)(HUGE_PAGE - 1);
    if (first && end > begin && end - begin <= (uintptr_t)2 * HUGE_MOST)
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
}

#else

void
heap_prepare(void)
{
}

#endif
