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
// or, for a query that must fail, `error LINE:COLUMN text` with a part of the message. Of
// several such lines each must be met in turn, and there must be no more errors; one line
// alone is the first error. Lines `warning LINE:COLUMN text` may follow an answer.
// Arguments: the folder of the cases, then corpora (JSON lines with a member `query`), whose
// queries must have one answer however they are run.
//
// Every case runs with batches of 1, 7 and 4096 rows, on 1 and 4 threads, and with each
// rule of the optimiser switched off: the answer must not change.

#include "base/array.h"
#include "base/map.h"
#include "db/db.h"
#include "kql/binder.h"
#include "report/result.h"
#include "value/json.h"

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
print_error(Buffer *out, const char *what, const AzError *error, Str query)
{
    uint32_t line = 0, column = 0;
    if (error->has_span)
        text_position(query, error->span.start, &line, &column);
    buffer_printf(out, "%s %u:%u %s\n", what, line, column, error->message);
}

static void
run_query(Database *db, Str query, uint32_t rules_off, Buffer *out)
{
    Arena arena = {0};
    AzError error = {0};
    Diagnostics found = {0};
    QueryOptions options = {
        .rules_off = rules_off, .now = 638712864000000000, .diagnostics = &found};
    QueryResult *result = db_query(db, &arena, query, &options, &error);
    buffer_clear(out);
    // Of the last statement; fork and facet have several, each under its name.
    for (uint32_t t = result ? result->primary : 0; result && t < result->count; t++) {
        if (result->count > result->primary + 1)
            buffer_printf(out, "table %.*s\n", STR_ARG(result->names[t]));
        print_result(out, result->tables[t]);
    }
    for (uint32_t i = 0; i < found.error_count; i++)
        print_error(out, "error", &found.errors[i], query);
    if (!result && !found.error_count)
        print_error(out, "error", &error, query);
    for (uint32_t i = 0; i < found.warning_count; i++)
        print_error(out, "warning", &found.warnings[i], query);
    arena_free(&arena);
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

static bool
is_message(Str line)
{
    return str_starts(line, STR("error ")) || str_starts(line, STR("warning "));
}

// An expected message names the place and a part of the text.
static bool
message_matches(Str expected, Str got)
{
    size_t place = 0;
    for (int blanks = 0; place < expected.len; place++)
        if (expected.ptr[place] == ' ' && ++blanks == 2)
            break;
    return str_starts(got, str_slice(expected, 0, place)) &&
           str_find(got, str_trim(str_slice(expected, place, expected.len))) >= 0;
}

static bool
matches(Str expected, Str got)
{
    expected = str_trim(expected);
    got = str_trim(got);
    bool one = is_message(expected) && str_find(expected, STR("\n")) < 0;
    bool warns = str_find(expected, STR("\nwarning ")) >= 0 || is_message(expected);
    while (expected.len) {
        Str want = take_line(&expected), have = take_line(&got);
        bool equal = is_message(want) ? message_matches(want, have) : str_equal(want, have);
        if (!equal)
            return false;
    }
    return one || !got.len || (!warns && str_starts(got, STR("warning ")));
}

// How a query is run: none of it may show in the answer.
typedef struct Variant {
    uint32_t rows;      // of a batch
    unsigned db;        // 0: one thread, 1: four
    uint32_t rules_off; // of the optimiser
} Variant;

static const Variant VARIANTS[] = {
    {4096, 0, 0},
    {4096, 0, OPTIMISE_PUSH_FILTER},
    {4096, 0, OPTIMISE_PRUNE_COLUMNS},
    {4096, 0, OPTIMISE_SCAN_PREDICATES},
    {4096, 0, OPTIMISE_TOP_K},
    {4096, 0, OPTIMISE_TEXT_PREDICATES},
    {4096, 0, OPTIMISE_ANY_PREDICATES},
    {4096, 0, OPTIMISE_JSON_PATHS},
    {4096, 0, OPTIMISE_SHARE},
    {4096, 0, OPTIMISE_COMMON},
    {4096, 0, OPTIMISE_ALL},
    {4096, 1, 0},
    {7, 0, 0},
    {7, 1, 0},
    {1, 0, 0},
    {1, 1, OPTIMISE_ALL},
    {1, 1, 0},
};

static void
run_variant(Database *const *dbs, Str query, const Variant *variant, Buffer *out)
{
    batch_rows = variant->rows;
    run_query(dbs[variant->db], query, variant->rules_off, out);
}

static void
print_failure(const Variant *variant, Str query, Str wanted, Str got)
{
    printf("(batches of %u, %d threads, rules off %x)\n%.*s\nwanted:\n%.*s\ngot:\n%.*s\n",
           variant->rows, variant->db ? 4 : 1, variant->rules_off, STR_ARG(query), STR_ARG(wanted),
           STR_ARG(got));
}

static void
check(Database *const *dbs, const char *file, Str name, Str query, Str expected, Totals *totals)
{
    Buffer got = {0};
    bool right = true;
    for (size_t v = 0; v < COUNT_OF(VARIANTS) && right; v++) {
        run_variant(dbs, query, &VARIANTS[v], &got);
        right = matches(expected, buffer_slice(&got));
        if (right)
            continue;
        printf("%s: %.*s ", file, STR_ARG(name));
        print_failure(&VARIANTS[v], query, expected, buffer_slice(&got));
    }
    if (right)
        totals->passed++;
    else
        totals->failed++;
    buffer_free(&got);
}

// ---- other people's corpora: the variants against each other ----

typedef struct CorpusCase {
    Arena *arena;
    Str query;
    bool is_volatile; // its answer may differ from run to run
} CorpusCase;

static bool
take_member(void *context, const JsonMember *member)
{
    CorpusCase *one = context;
    if (str_equal(member->key, STR("query")) && member->kind == DYN_STRING)
        one->query = str_copy(one->arena, member->string);
    if (str_equal(member->key, STR("volatile")))
        one->is_volatile = member->kind != DYN_BOOL || member->boolean;
    return true;
}

static void
compare_variants(Database *const *dbs, const char *file, Str query, Totals *totals)
{
    Buffer first = {0}, got = {0};
    run_variant(dbs, query, &VARIANTS[0], &first);
    bool same = true;
    for (size_t v = 1; v < COUNT_OF(VARIANTS) && same; v++) {
        run_variant(dbs, query, &VARIANTS[v], &got);
        same = str_equal(buffer_slice(&first), buffer_slice(&got));
        if (same)
            continue;
        printf("%s: ", file);
        print_failure(&VARIANTS[v], query, buffer_slice(&first), buffer_slice(&got));
    }
    if (same)
        totals->passed++;
    else
        totals->failed++;
    buffer_free(&first);
    buffer_free(&got);
}

static void
run_corpus(Database *const *dbs, const char *path, Totals *totals)
{
    Arena arena = {0};
    JsonParser *parser = json_parser_new();
    DynBuilder *builder = dyn_builder_new();
    Str text = read_file(&arena, path);
    while (text.len) {
        Arena scratch = {0};
        CorpusCase one = {.arena = &scratch};
        const char *why;
        size_t offset;
        Str line = take_line(&text);
        bool chance = str_find(line, STR("rand(")) >= 0 || str_find(line, STR("new_guid(")) >= 0 ||
                      str_find(line, STR("sample")) >= 0;
        if (!chance && json_walk_object(parser, builder, line, take_member, &one, &why, &offset) &&
            one.query.len && !one.is_volatile)
            compare_variants(dbs, path, one.query, totals);
        arena_free(&scratch);
    }
    json_parser_free(parser);
    dyn_builder_free(builder);
    arena_free(&arena);
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
    if (matches(STR("ok:bool\n[true]\n"), buffer_slice(&got))) {
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
    for (int i = 2; i < argc; i++) // those that are not there are left out
        run_corpus(dbs, argv[i], &totals);
    batch_rows = BATCH_ROWS_MAX;
    Examples examples = {dbs[0], &totals};
    db_each_function(dbs[0], check_example, &examples);
    db_close(dbs[0]);
    db_close(dbs[1]);
    printf("%u passed, %u failed\n", totals.passed, totals.failed);
    return totals.failed || !totals.passed;
}
