// Queries asked with little memory: two tables, databases of several limits over them, and whether an
// answer that was made on disk is the one made in memory, row by row.
#pragma once

#include "../store_rows.h"
#include "base/array.h"
#include "db/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

// ---- two tables, in memory ----

enum { LEFT_ROWS = 3000, RIGHT_ROWS = 5000, RIGHT_FROM = 1000, PART_ROWS = 500 };

static inline void
put_rows(Database *db, Arena *arena, const char *name, uint32_t from, uint32_t count)
{
    Batch **batches = ARENA_ARRAY(arena, Batch *, count / PART_ROWS);
    for (uint32_t b = 0; b < count / PART_ROWS; b++)
        batches[b] = rows_batch(arena, &ROW_SCHEMA, from + b * PART_ROWS, PART_ROWS);
    AzError error = {0};
    assert_true(db_put_table(db, str_from(name), &ROW_SCHEMA, batches, count / PART_ROWS, &error));
}

static inline Database *
open_with(Arena *arena, const DatabaseOptions *options)
{
    AzError error = {0};
    Database *db = db_open(options, &error);
    if (!db)
        fail_msg("%s", error.message);
    put_rows(db, arena, "L", 0, LEFT_ROWS);
    put_rows(db, arena, "R", RIGHT_FROM, RIGHT_ROWS);
    return db;
}

static inline Database *
open_tables(Arena *arena, size_t threads, size_t memory, const char *dir)
{
    DatabaseOptions options = {.threads = threads, .memory_limit = memory, .spill_dir = dir};
    return open_with(arena, &options);
}

// The limits that a query is tried with, the smallest first: one that it can be answered with.
static const size_t LIMITS[] = {64 << 10, 128 << 10, 256 << 10, 512 << 10,
                                1 << 20,  2 << 20,   4 << 20,   8 << 20};

typedef struct World {
    Arena arena;
    Database *whole;                   // no limit that matters
    Database *small[COUNT_OF(LIMITS)]; // NULL: that limit is not tried
} World;

static inline void
world_open(World *world, size_t threads, size_t least)
{
    *world = (World){0};
    world->whole = open_tables(&world->arena, 1, 0, NULL);
    for (size_t i = 0; i < COUNT_OF(LIMITS); i++)
        if (LIMITS[i] >= least)
            world->small[i] = open_tables(&world->arena, threads, LIMITS[i], NULL);
}

static inline void
world_close(World *world)
{
    for (size_t i = 0; i < COUNT_OF(LIMITS); i++)
        if (world->small[i])
            db_close(world->small[i]);
    db_close(world->whole);
    arena_free(&world->arena);
}

static inline uint64_t
spilled(const Explain *explain)
{
    uint64_t bytes = explain->answer.spilled;
    for (uint32_t i = 0; i < explain->count; i++)
        bytes += explain->rows[i].counters.spilled;
    return bytes;
}

// The answer; NULL when the query needs more memory, which is the only error it may have.
static inline QueryResult *
ask(Database *db, Arena *arena, Str query, AzError *why)
{
    AzError error = {0};
    // Plans as they are written: rows are sorted and joined with all their columns.
    QueryOptions options = {.analyze = true, .rules_off = UINT32_MAX};
    QueryResult *result = db_query(db, arena, query, &options, &error);
    if (!result && error.code != AZ_LIMIT)
        fail_msg("%.*s: %s", STR_ARG(query), error.message);
    *why = error;
    return result;
}

typedef struct Cursor {
    const ResultTable *table;
    uint32_t batch, row;
} Cursor;

static inline bool
cursor_next(Cursor *at)
{
    at->row++;
    while (at->batch < at->table->batch_count &&
           at->row >= at->table->batches[at->batch]->selected) {
        at->batch++;
        at->row = 0;
    }
    return at->batch < at->table->batch_count;
}

static inline const char *
rows_differ(const ResultTable *one, const ResultTable *other, uint64_t *row)
{
    if (one->row_count != other->row_count)
        return "another number of rows";
    Cursor a = {one, 0, UINT32_MAX}, b = {other, 0, UINT32_MAX};
    for (*row = 0; cursor_next(&a); ++*row) {
        if (!cursor_next(&b))
            return "fewer rows";
        const Batch *x = one->batches[a.batch], *y = other->batches[b.batch];
        for (uint32_t c = 0; c < one->schema.count; c++) {
            Value wanted = vector_value(y->columns[c], batch_row(y, b.row));
            if (!cell_equals(x->columns[c], batch_row(x, a.row), &wanted))
                return one->schema.columns[c].name.ptr;
        }
    }
    return *row == one->row_count ? NULL : "rows missing";
}

// Asks with the smallest memory that gives an answer, and says whether anything was on disk.
static inline bool
same_on_disk(World *world, Str query)
{
    Arena arena = {0};
    AzError why = {0};
    QueryResult *wanted = ask(world->whole, &arena, query, &why), *found = NULL;
    assert_non_null(wanted);
    assert_int_equal(spilled(wanted->explain), 0);
    for (size_t i = 0; !found && i < COUNT_OF(LIMITS); i++) {
        if (!world->small[i])
            continue;
        error_clear(&why);
        found = ask(world->small[i], &arena, query, &why);
    }
    if (!found)
        fail_msg("%.*s: %s", STR_ARG(query), why.message);
    uint64_t row = 0;
    const char *wrong = rows_differ(found->tables[0], wanted->tables[0], &row);
    if (wrong)
        fail_msg("%.*s: row %llu: %.20s", STR_ARG(query), (unsigned long long)row, wrong);
    bool on_disk = spilled(found->explain) > 0;
    arena_free(&arena);
    return on_disk;
}

static inline void
must_spill(World *world, Str query)
{
    if (!same_on_disk(world, query))
        fail_msg("%.*s: was answered in memory", STR_ARG(query));
}

// Asks all of them, with limits from `least` on; how many were on disk.
static inline size_t
all_on_disk(size_t threads, size_t least, const char *const *queries, size_t count)
{
    World world;
    world_open(&world, threads, least);
    size_t on_disk = 0;
    for (size_t q = 0; q < count; q++)
        on_disk += same_on_disk(&world, str_from(queries[q]));
    world_close(&world);
    return on_disk;
}
