// Language behaviour: case files (test/kql/*.test) and the examples of the registry.
//
// A case file holds cases like this:
//
//     == name of the case
//     print x = 1 + 1
//     --
//     x:long
//     [2]
//
// or, for a query that must fail, `error LINE:COLUMN text` with a part of the message.
// Every case runs with batches of 1, 7 and 4096 rows, on 1 and 4 threads, and with each
// rule of the optimiser switched off: the answer must not change.

#include "base/map.h"
#include "db/db.h"
#include "kql/binder.h"
#include "report/result.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Totals {
    unsigned passed, failed;
} Totals;

static Str
read_file(Arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return STR("");
    Buffer text = {0};
    size_t got;
    while ((got = fread(buffer_reserve(&text, 65536), 1, 65536, file)) > 0)
        text.len += got;
    fclose(file);
    Str copy = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return copy;
}

static void
print_result(Buffer *out, const ResultTable *table)
{
    for (uint32_t c = 0; c < table->schema.count; c++)
        buffer_printf(out, "%s%.*s:%s", c ? ", " : "", STR_ARG(table->schema.columns[c].name),
                      type_name(table->schema.columns[c].type));
    buffer_char(out, '\n');
    for (uint32_t b = 0; b < table->batch_count; b++) {
        const Batch *batch = table->batches[b];
        for (uint32_t i = 0; i < batch->selected; i++) {
            for (uint32_t c = 0; c < batch->column_count; c++) {
                buffer_text(out, c ? "," : "[");
                result_write_json_cell(out, batch->columns[c], batch_row(batch, i));
            }
            buffer_text(out, "]\n");
        }
    }
}

static void
run_query(Database *db, Str query, uint32_t rules_off, Buffer *out)
{
    Arena arena = {0};
    AzError error = {0};
    QueryOptions options = {.rules_off = rules_off, .now = 638712864000000000};
    QueryResult *result = db_query(db, &arena, query, &options, &error);
    buffer_clear(out);
    if (result) {
        // Of the last statement; fork and facet have several, each under its name.
        for (uint32_t t = result->primary; t < result->count; t++) {
            if (result->count > result->primary + 1)
                buffer_printf(out, "table %.*s\n", STR_ARG(result->names[t]));
            print_result(out, result->tables[t]);
        }
    } else {
        uint32_t line = 0, column = 0;
        if (error.has_span)
            text_position(query, error.span.start, &line, &column);
        buffer_printf(out, "error %u:%u %s\n", line, column, error.message);
    }
    arena_free(&arena);
}

// An expected error names the place and a part of the message.
static bool
matches(Str expected, Str got)
{
    expected = str_trim(expected);
    got = str_trim(got);
    if (!str_starts(expected, STR("error ")))
        return str_equal(expected, got);
    size_t place = 6;
    while (place < expected.len && expected.ptr[place] != ' ')
        place++;
    return str_starts(got, str_slice(expected, 0, place)) &&
           str_find(got, str_trim(str_slice(expected, place, expected.len))) >= 0;
}

static void
check(Database *const *dbs, const char *file, Str name, Str query, Str expected, Totals *totals)
{
    static const uint32_t SIZES[] = {4096, 7, 1};
    static const uint32_t OFF[] = {0,
                                   OPTIMISE_PUSH_FILTER,
                                   OPTIMISE_PRUNE_COLUMNS,
                                   OPTIMISE_SCAN_PREDICATES,
                                   OPTIMISE_TOP_K,
                                   OPTIMISE_ALL};
    Buffer got = {0};
    for (size_t s = 0; s < 3; s++) {
        for (size_t d = 0; d < 2; d++) {
            for (size_t o = 0; o < sizeof(OFF) / sizeof(OFF[0]); o++) {
                if (o && (s || d))
                    break;
                batch_rows = SIZES[s];
                run_query(dbs[d], query, OFF[o], &got);
                if (matches(expected, buffer_slice(&got)))
                    continue;
                printf("%s: %.*s (batches of %u, %zu threads, rules off %x)\n%.*s\nwanted:\n%.*s\n"
                       "got:\n%.*s\n",
                       file, STR_ARG(name), SIZES[s], thread_pool_size(db_threads(dbs[d])), OFF[o],
                       STR_ARG(query), STR_ARG(expected), STR_ARG(buffer_slice(&got)));
                totals->failed++;
                buffer_free(&got);
                return;
            }
        }
    }
    totals->passed++;
    buffer_free(&got);
}

static Str
take_line(Str *text)
{
    size_t end = 0;
    while (end < text->len && text->ptr[end] != '\n')
        end++;
    Str line = str_slice(*text, 0, end);
    *text = str_slice(*text, end + 1, text->len);
    return line;
}

static void
run_file(Database *const *dbs, const char *path, Totals *totals)
{
    Arena arena = {0};
    Str text = read_file(&arena, path);
    Str name = {0};
    Buffer query = {0}, expected = {0};
    bool in_answer = false;
    while (text.len) {
        Str line = take_line(&text);
        bool starts = str_starts(line, STR("== "));
        if (starts && name.len)
            check(dbs, path, name, buffer_slice(&query), buffer_slice(&expected), totals);
        if (starts) {
            name = str_slice(line, 3, line.len);
            buffer_clear(&query);
            buffer_clear(&expected);
            in_answer = false;
        } else if (str_equal(line, STR("--"))) {
            in_answer = true;
        } else {
            buffer_str(in_answer ? &expected : &query, line);
            buffer_char(in_answer ? &expected : &query, '\n');
        }
    }
    if (name.len)
        check(dbs, path, name, buffer_slice(&query), buffer_slice(&expected), totals);
    buffer_free(&query);
    buffer_free(&expected);
    arena_free(&arena);
}

typedef struct Examples {
    Database *db;
    Totals *totals;
} Examples;

static void
check_example(void *context, const FunctionDef *fn)
{
    Examples *examples = context;
    if (!fn->example)
        return;
    Arena arena = {0};
    Buffer got = {0};
    run_query(examples->db, str_format(&arena, "print ok = %s", fn->example), 0, &got);
    if (str_equal(buffer_slice(&got), STR("ok:bool\n[true]\n"))) {
        examples->totals->passed++;
    } else {
        printf("example of %s: %s\ngot: %.*s\n", fn->name, fn->example,
               STR_ARG(buffer_slice(&got)));
        examples->totals->failed++;
    }
    buffer_free(&got);
    arena_free(&arena);
}

int
main(int argc, char **argv)
{
    Totals totals = {0};
    AzError error = {0};
    const char *dir = argc > 1 ? argv[1] : "test/kql";
    DatabaseOptions one = {.threads = 1}, four = {.threads = 4};
    Database *dbs[2] = {db_open(&one, &error), db_open(&four, &error)};
    if (!dbs[0] || !dbs[1]) {
        printf("%s\n", error.message);
        return 1;
    }
    struct dirent **entries;
    int count = scandir(dir, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        Str name = str_from(entries[i]->d_name);
        char path[4096];
        snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
        if (str_ends(name, STR(".test")))
            run_file(dbs, path, &totals);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    batch_rows = BATCH_ROWS_MAX;
    Examples examples = {dbs[0], &totals};
    db_each_function(dbs[0], check_example, &examples);
    db_close(dbs[0]);
    db_close(dbs[1]);
    printf("%u passed, %u failed\n", totals.passed, totals.failed);
    return totals.failed || !totals.passed;
}
