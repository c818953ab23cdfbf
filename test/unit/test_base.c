// base/: the small structures everything stands on.

#include "base/array.h"
#include "base/budget.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/glob.h"
#include "base/library.h"
#include "base/map.h"
#include "base/threads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

// A large allocation goes back when it is asked for and takes no other with it; of small ones nothing
// goes, and what was taken before and after stays as it was.
static void
arena_releases_large_memory(void **state)
{
    (void)state;
    enum { LARGE = 3 << 20 };
    Arena arena = {0};
    char *first = arena_alloc(&arena, LARGE); // of an empty arena
    char *small = arena_copy(&arena, "small", 6);
    size_t before = arena.allocated;
    char *one = arena_alloc(&arena, LARGE), *other = arena_zalloc(&arena, LARGE);
    char *after = arena_copy(&arena, "after", 6);
    memset(one, 1, LARGE);
    assert_true(arena.allocated >= before + 2 * (size_t)LARGE);
    arena_release(&arena, one);
    arena_release(&arena, small);
    arena_release(&arena, first);
    arena_release(&arena, NULL);
    assert_in_range(arena.allocated, before, before + (1 << 20));
    assert_string_equal(small, "small");
    assert_string_equal(after, "after");
    for (size_t i = 0; i < LARGE; i += 4096)
        assert_int_equal(other[i], 0);
    arena_reset(&arena);
    memset(arena_alloc(&arena, LARGE), 2, LARGE);
    arena_free(&arena);
    arena_release(&arena, NULL);
    assert_int_equal(arena.allocated, 0);
}

// One large allocation does not make the blocks of small ones large; those that follow each other
// leave little of their blocks empty.
static void
arena_holds_little_more_than_asked_for(void **state)
{
    (void)state;
    enum { LARGE = 1 << 20, SMALL = 100, MANY = 100000 };
    Arena arena = {0};
    char *alone = arena_alloc(&arena, LARGE);
    assert_int_equal(arena.allocated, LARGE);
    arena_release(&arena, alone);
    assert_int_equal(arena.allocated, 0);
    memset(arena_alloc(&arena, LARGE), 1, LARGE);
    memset(arena_alloc(&arena, 16), 2, 16);
    assert_in_range(arena.allocated, LARGE + 16, LARGE + (256 << 10));
    for (int i = 0; i < MANY; i++)
        memset(arena_alloc(&arena, SMALL), 3, SMALL);
    assert_in_range(arena.allocated, LARGE + SMALL * MANY, LARGE + SMALL * MANY * 5 / 4);
    arena_free(&arena);
}

// What is reset again and again goes on with one block, unless that would be large.
static void
arena_keeps_one_block_when_reset(void **state)
{
    (void)state;
    Arena arena = {0};
    size_t held = 0;
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 10; i++) {
            size_t size = 20000 + (size_t)i * 5000;
            memset(arena_alloc(&arena, size), round, size);
        }
        if (round == 1)
            held = arena.allocated;
        else if (round > 1)
            assert_int_equal(arena.allocated, held);
        arena_reset(&arena);
        assert_in_range(arena.allocated, 0, 1 << 20);
    }
    memset(arena_alloc(&arena, 40 << 20), 1, 40 << 20);
    arena_reset(&arena);
    assert_in_range(arena.allocated, 0, 2 << 20);
    arena_free(&arena);
}

static void
arena_gives_aligned_memory(void **state)
{
    (void)state;
    Arena arena = {0};
    for (size_t size = 0; size < 300; size++) {
        for (size_t align = 1; align <= 64; align *= 2) {
            char *memory = arena_alloc_aligned(&arena, size, align);
            assert_int_equal((uintptr_t)memory % align, 0);
            memset(memory, 0xAB, size);
        }
    }
    char *large = arena_zalloc(&arena, 5 << 20);
    assert_int_equal(large[(5 << 20) - 1], 0);
    arena_reset(&arena);
    assert_non_null(arena_alloc(&arena, 10));
    arena_free(&arena);
    assert_int_equal(arena.allocated, 0);
}

static void
map_finds_what_was_put(void **state)
{
    (void)state;
    Arena arena = {0};
    Map map;
    map_init(&map, &arena, false);
    for (uint64_t i = 0; i < 5000; i++) {
        bool is_new;
        map_add(&map, str_format(&arena, "key %llu", (unsigned long long)(i % 2500)), &is_new)
            ->number = i;
        assert_int_equal(is_new, i < 2500);
    }
    assert_int_equal(map.len, 2500);
    assert_int_equal(map_find(&map, STR("key 7"))->number, 2507);
    assert_null(map_find(&map, STR("KEY 7")));
    Str keys[100];
    MapEntry *found[100];
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        keys[i] = str_format(&arena, i % 3 ? "key %zu" : "no key %zu", i);
    map_find_each(&map, keys, COUNT_OF(keys), found);
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        assert_ptr_equal(found[i], map_find(&map, keys[i]));
    map_find_each(&(Map){0}, keys, 1, found);
    assert_null(found[0]);
    Map blind;
    map_init(&blind, &arena, true);
    map_put(&blind, STR("Resources"), &arena);
    assert_ptr_equal(map_get(&blind, STR("rESOURCES")), &arena);
    assert_null(map_get(&blind, STR("Resource")));
    arena_free(&arena);
}

static void
slices_compare_as_bytes(void **state)
{
    (void)state;
    assert_true(str_compare(STR("a"), STR("b")) < 0);
    assert_true(str_compare(STR("a"), STR("ab")) < 0);
    assert_int_equal(str_compare(STR(""), STR("")), 0);
    assert_true(str_equal_ci(STR("AbC"), STR("aBc")));
    assert_false(str_equal_ci(STR("AbC"), STR("aB")));
    assert_int_equal(str_find(STR("needle in hay"), STR("in")), 7);
    assert_int_equal(str_find(STR("hay"), STR("needle")), -1);
    assert_true(str_equal(str_trim(STR(" \t x \n")), STR("x")));
    assert_true(str_equal(str_slice(STR("abc"), 1, 99), STR("bc")));
}

static void
nearest_names_are_typing_errors(void **state)
{
    (void)state;
    static const Str NAMES[] = {STR_INIT("where"), STR_INIT("project"), STR_INIT("summarize")};
    assert_int_equal(str_nearest(STR("wehre"), NAMES, 3), 0);
    assert_int_equal(str_nearest(STR("SUMARIZE"), NAMES, 3), 2);
    assert_int_equal(str_nearest(STR("join"), NAMES, 3), -1);
}

static void
errors_show_the_place(void **state)
{
    (void)state;
    Arena arena = {0};
    AzError error = {0};
    Str text = STR("print\n  f\xC3\xA4lse x");
    error_at(&error, AZ_SEMANTIC, (Span){15, 16}, "no such name '%s'", "x");
    Str shown = error_render(&arena, &error, text);
    assert_true(str_equal(shown, STR("semantic error at line 2, column 9: no such name 'x'\n"
                                     "    f\xC3\xA4lse x\n"
                                     "          ^")));
    // A place behind the text, as a damaged span would be, does not read beyond it.
    error_clear(&error);
    error_at(&error, AZ_SYNTAX, (Span){900, 950}, "late");
    assert_true(error_render(&arena, &error, text).len > 0);
    arena_free(&arena);
}

static void
long_messages_are_cut_at_a_character(void **state)
{
    (void)state;
    AzError error = {0};
    char name[3000];
    for (size_t i = 0; i + 2 < sizeof(name); i += 2)
        memcpy(name + i, "\xC3\xA4", 3);
    error_set(&error, AZ_INVALID, "%s", name);
    size_t len = strlen(error.message);
    assert_true(len < sizeof(error.message));
    assert_int_equal(len % 2, 0);
}

static void
budgets_say_no(void **state)
{
    (void)state;
    Budget budget = {.limit = 100};
    AzError error = {0};
    assert_true(budget_take(&budget, 60, "a sort", &error));
    assert_false(budget_take(&budget, 60, "a sort", &error));
    assert_int_equal(error.code, AZ_LIMIT);
    budget_give(&budget, 60);
    error_clear(&error);
    assert_true(budget_take(&budget, 100, "a sort", &error));
}

static void
count_worker(void *context, size_t worker)
{
    (void)worker;
    atomic_fetch_add((_Atomic int *)context, 1);
}

static void
every_worker_runs_each_job_once(void **state)
{
    (void)state;
    ThreadPool *pool = thread_pool_new(4);
    for (int round = 1; round <= 200; round++) {
        _Atomic int ran = 0;
        size_t workers = (size_t)round % 4 + 1;
        thread_pool_run(pool, workers, count_worker, &ran);
        assert_int_equal(ran, workers);
    }
    thread_pool_free(pool);
}

static void
buffers_grow(void **state)
{
    (void)state;
    Buffer buffer = {0};
    for (int i = 0; i < 1000; i++)
        buffer_printf(&buffer, "%d,", i);
    assert_int_equal(buffer.len, 3890);
    buffer_clear(&buffer);
    buffer_char(&buffer, 'x');
    assert_true(str_equal(buffer_slice(&buffer), STR("x")));
    buffer_free(&buffer);
}

static void
globs_match_whole_texts(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        uint32_t flags;
        bool matches;
    } CASES[] = {
        {"", "", 0, true},
        {"", "a", 0, false},
        {"*", "", 0, true},
        {"a*c", "abbc", 0, true},
        {"a*c", "abcd", 0, false},
        {"*b*b", "abab", 0, true},
        {"a**", "a", 0, true},
        {"A*", "abc", 0, false},
        {"A*C", "abc", GLOB_IGNORE_CASE, true},
        {"a?c", "abc", 0, false},
        {"a?c", "a?c", 0, true},
        {"a?c", "abc", GLOB_QUESTION, true},
        {"a?", "a", GLOB_QUESTION, false},
        {"a\\?c", "abc", GLOB_QUESTION, false},
        {"a\\?c", "a?c", GLOB_QUESTION, true},
        {"a\\*", "a*", GLOB_QUESTION, true},
        {"a\\*", "ab", GLOB_QUESTION, false},
        {"a\\", "a\\", GLOB_QUESTION, true},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        if (glob_match(str_from(CASES[i].pattern), str_from(CASES[i].text), CASES[i].flags) !=
            CASES[i].matches)
            fail_msg("'%s' and '%s' with %u", CASES[i].pattern, CASES[i].text, CASES[i].flags);
}

static void
libraries_are_opened_by_name(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"libno-such-thing.so.1", "libm.so.6"};
    double (*root)(double) = NULL;
    assert_null(library_open(NAMES, 1));
    void *library = library_open(NAMES, COUNT_OF(NAMES));
    assert_non_null(library);
    assert_false(library_function(library, "no_such_function", &root));
    assert_true(library_function(library, "sqrt", &root));
    assert_true(root(9) == 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_gives_aligned_memory),
        cmocka_unit_test(arena_releases_large_memory),
        cmocka_unit_test(arena_holds_little_more_than_asked_for),
        cmocka_unit_test(arena_keeps_one_block_when_reset),
        cmocka_unit_test(map_finds_what_was_put),
        cmocka_unit_test(slices_compare_as_bytes),
        cmocka_unit_test(nearest_names_are_typing_errors),
        cmocka_unit_test(errors_show_the_place),
        cmocka_unit_test(long_messages_are_cut_at_a_character),
        cmocka_unit_test(budgets_say_no),
        cmocka_unit_test(every_worker_runs_each_job_once),
        cmocka_unit_test(buffers_grow),
        cmocka_unit_test(globs_match_whole_texts),
        cmocka_unit_test(libraries_are_opened_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
