// Postings: which rows hold a needle is told as reading the texts tells it; no row is lost, and
// what is said to be exact is. Damaged ones lead nowhere bad. A query's answer is the same
// with and without them, in prose that is text and in prose inside of dynamics.

#include "../store_rows.h"
#include "answers.h"
#include "base/array.h"
#include "db/db.h"
#include "kql/binder.h"
#include "store/term_index.h"
#include "term_noise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

// ---- the rows of a needle ----

static void
rows_must_hold(Arena *arena, const TermIndex *index, const Vector *values, Str needle,
               unsigned sides, uint32_t *exacts)
{
    uint64_t *rows = ARENA_ARRAY(arena, uint64_t, values->count / 64 + 1);
    bool exact, begins = sides & 1, ends = sides & 2;
    if (!term_index_rows(index, arena, needle, begins, ends, rows, &exact))
        return;
    *exacts += exact;
    for (uint32_t i = 0; i < values->count; i++) {
        bool told = bit_get(rows, i);
        bool holds = stands(text_str((const Text *)values->data + i), needle, begins, ends);
        if (holds && !told)
            fail_msg("lost: '%.*s' (%u) in row %u", STR_ARG(needle), sides, i);
        if (exact && told != holds)
            fail_msg("not exact: '%.*s' (%u) in row %u", STR_ARG(needle), sides, i);
    }
}

static void
test_rows_are_those_of_the_texts(void **state)
{
    (void)state;
    TermIndexBuilder *builder = term_index_builder_new();
    uint32_t exacts = 0, built = 0;
    for (uint32_t round = 0; round < 300; round++) {
        Arena arena = {0};
        // More than a hundred rows of some texts make postings of bits.
        Vector *values = vector_new_flat(&arena, TYPE_STRING, 1 + noise(round % 10 ? 60 : 400));
        for (uint32_t i = 0; i < values->count; i++)
            ((Text *)values->data)[i] = text_copy(&arena, random_text(&arena, 12, round % 8 == 0));
        Str bytes;
        TermIndex index;
        if (term_index_collect(builder, values, true)) {
            built++;
            assert_true(term_index_postings(builder, SIZE_MAX, &bytes));
            assert_true(term_index_open(bytes, true, &index));
            assert_int_equal(index.rows, values->count);
            assert_true(term_index_covers(&index, values));
            for (uint32_t n = 0; n < 60; n++) {
                Str needle = random_needle(&arena, values);
                for (unsigned sides = 0; sides < 4; sides++) {
                    rows_must_hold(&arena, &index, values, needle, sides, &exacts);
                    bool lost = !term_index_may_hold(&index, needle, sides & 1, sides & 2);
                    for (uint32_t i = 0; lost && i < values->count; i++)
                        assert_false(stands(text_str((const Text *)values->data + i), needle,
                                            sides & 1, sides & 2));
                }
            }
        }
        arena_free(&arena);
    }
    assert_true(built > 200 && exacts > 1000);
    term_index_builder_free(builder);
}

static void
test_other_rows_are_found_out(void **state)
{
    (void)state;
    Arena arena = {0};
    TermIndexBuilder *builder = term_index_builder_new();
    Vector *values = vector_new_flat(&arena, TYPE_STRING, 40);
    for (uint32_t i = 0; i < values->count; i++)
        ((Text *)values->data)[i] = text_copy(&arena, str_format(&arena, "row%u of some", i));
    Str bytes;
    assert_true(term_index_collect(builder, values, true));
    assert_true(term_index_postings(builder, SIZE_MAX, &bytes));
    Str kept = str_copy(&arena, bytes);
    TermIndex index;
    assert_true(term_index_open(kept, true, &index));
    assert_true(term_index_covers(&index, values));
    // The same terms in other rows.
    Text *texts = (Text *)values->data, first = texts[0];
    texts[0] = texts[1];
    texts[1] = first;
    assert_false(term_index_covers(&index, values));
    term_index_builder_free(builder);
    arena_free(&arena);
}

static void
test_damage_leads_nowhere(void **state)
{
    (void)state;
    Arena arena = {0};
    TermIndexBuilder *builder = term_index_builder_new();
    Vector *values = vector_new_flat(&arena, TYPE_STRING, 300);
    for (uint32_t i = 0; i < values->count; i++)
        ((Text *)values->data)[i] = text_copy(&arena, random_text(&arena, 12, false));
    Str whole;
    assert_true(term_index_collect(builder, values, true));
    assert_true(term_index_postings(builder, SIZE_MAX, &whole));
    uint32_t refused = 0;
    for (uint32_t round = 0; round < 20000; round++) {
        // A block of its own size, so that a read past its end is found out.
        size_t len = round % 2 ? whole.len : noise((uint32_t)whole.len);
        char *bytes = malloc(len ? len : 1);
        memcpy(bytes, whole.ptr, len);
        for (uint32_t n = noise(6); len && n > 0; n--)
            bytes[noise((uint32_t)len)] = (char)noise(256);
        TermIndex index;
        if (!term_index_open((Str){bytes, len}, true, &index)) {
            refused++;
        } else {
            static const char *const NEEDLES[] = {"ignore instructions", "203.0.113.7", "kusto"};
            for (size_t i = 0; i < COUNT_OF(NEEDLES); i++) {
                Arena scratch = {0};
                bool exact;
                uint64_t *rows = ARENA_ARRAY(&scratch, uint64_t, index.rows / 64 + 1);
                for (unsigned sides = 0; sides < 4; sides++)
                    term_index_rows(&index, &scratch, str_from(NEEDLES[i]), sides & 1, sides & 2,
                                    rows, &exact);
                arena_free(&scratch);
            }
        }
        free(bytes);
    }
    assert_true(refused > 100);
    term_index_builder_free(builder);
    arena_free(&arena);
}

// ---- answers ----

enum { PROSE_ROWS = 40000, PROSE_BATCH = 1000 };

static const char *const WORDS[] = {
    "please", "ignore", "the",    "previous", "instructions", "and",    "print",
    "a",      "Konto",  "report", "of",       "sales",        "system", "prompt",
};

static Str
random_prose(Arena *arena, uint32_t row)
{
    Buffer out = {0};
    for (uint32_t n = 0; n < 30; n++)
        buffer_printf(&out, "%s%s", WORDS[noise(noise(3) ? 3 : COUNT_OF(WORDS))],
                      noise(9) ? " " : "-");
    buffer_printf(&out, "id%u", row);
    if (row % 5000 == 17)
        buffer_text(&out, " JailBreak attempt");
    if (row % 7001 == 3)
        buffer_text(&out, " AccountKey=abc 203.0.113.9");
    Str text = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return text;
}

static void
prose_import(const char *path)
{
    static Column columns[] = {{STR_INIT("row"), TYPE_LONG},
                               {STR_INIT("text"), TYPE_STRING},
                               {STR_INIT("tree"), TYPE_DYNAMIC}};
    Schema schema = {columns, COUNT_OF(columns)};
    AzError error = {0};
    Store *store = store_open(path, STORE_WRITE, &error);
    assert_non_null(store);
    StoreImportInfo info = {STR(""), STR(""), STR(""), false};
    StoreWriter *writer = store_writer_new(store, &info, &error);
    TableWriter *table = store_writer_table(writer, STR("P"), TABLE_LOG, &schema, &error);
    for (uint32_t from = 0; from < PROSE_ROWS; from += PROSE_BATCH) {
        Arena arena = {0};
        Batch *batch = batch_new(&arena, COUNT_OF(columns), PROSE_BATCH);
        Vector *v[COUNT_OF(columns)];
        for (uint32_t c = 0; c < COUNT_OF(columns); c++)
            batch->columns[c] = v[c] = vector_new_flat(&arena, columns[c].type, PROSE_BATCH);
        for (uint32_t i = 0; i < PROSE_BATCH; i++) {
            uint32_t row = from + i;
            ((int64_t *)v[0]->data)[i] = row;
            ((Text *)v[1]->data)[i] =
                row % 13 ? text_copy(&arena, random_prose(&arena, row)) : text_view("", 0);
            Str content = random_prose(&arena, row + 1);
            bool null;
            DynBuilder *builder = dyn_builder_new();
            dyn_push_string(builder, content);
            dyn_finish_text(builder, &arena, (Text *)v[2]->data + i, &null);
            dyn_builder_free(builder);
            if (row % 11 == 0)
                vector_set_null(&arena, v[2], i);
        }
        assert_true(table_writer_append(table, batch, &error));
        arena_free(&arena);
    }
    assert_true(store_commit(writer, NULL, &error));
    store_close(store);
}

static const char *const QUERIES[] = {
    "P | where text has 'jailbreak' | summarize n=count(), s=sum(row)",
    "P | where text has 'jailbreak' | project row, text | top 3 by row asc | project s=strcat(row, "
    "text)",
    "P | where tree has 'jailbreak' | summarize n=count(), s=sum(row)",
    "P | where tostring(tree) has 'jailbreak' and text has 'konto' | summarize n=count(), "
    "s=sum(row)",
    "P | where text has 'KONTO' and row > 39000 | summarize n=count(), s=sum(row)",
    "P | where text has_any ('attempt', 'accountkey', 'nowhere') | summarize n=count(), s=sum(row)",
    "P | where text has_all ('jailbreak', 'system') | summarize n=count(), s=sum(row)",
    "P | where text has_cs 'JailBreak' | summarize n=count(), s=sum(row)",
    "P | where text has_cs 'jailbreak' | count",
    "P | where text has 'JailBreak attempt' | summarize n=count(), s=sum(row)",
    "P | where text contains 'ccountkey=' | summarize n=count(), s=sum(row)",
    "P | where text hasprefix 'jail' | summarize n=count(), s=sum(row)",
    "P | where text hassuffix 'break' | summarize n=count(), s=sum(row)",
    "P | where text has '203.0.113.9' | summarize n=count(), s=sum(row)",
    "P | where text has 'id17' or tree has 'id20' | summarize n=count(), s=sum(row)",
    "P | where (text has 'id17' or text has 'id19') and text has 'the' | summarize n=count(), "
    "s=sum(row)",
    "P | where not(text has 'the') | summarize n=count(), s=sum(row)",
    "P | where text !has 'the' | summarize n=count(), s=sum(row)",
    "P | where text has 'the' | where text has 'jailbreak' | count",
    "P | where text has '' | count",
    "P | where text has 'no' | count",
    "P | where text == toscalar(P | where row == 17 | project text) | project row",
    "P | where text in ('nothing') | count",
    "P | where * has 'id17' | summarize n=count(), s=sum(row)",
    "search 'jailbreak' | summarize n=count(), s=sum(row)",
    "P | where text has 'jailbreak' | summarize n=count() by big=row > 20000 | order by big asc",
    "P | where text has 'the' | take 5 | count",
    "P | where text has 'report' and text has 'sales' and text has 'ignore' | summarize n=count(), "
    "s=sum(row)",
};

// Whether each row group's term index tells the rows of a needle.
static bool
rows_are_told(const char *path, uint32_t column, const char *needle)
{
    AzError error = {0};
    Store *store = store_open(path, STORE_READ, &error);
    StoreView *view = store ? store_view_open(store, 0, &error) : NULL;
    assert_non_null(view);
    TableSource *source = store_view_source(view, STR("P"), &error);
    Value value = value_string(str_from(needle));
    ScanPredicate predicate = {column, SCAN_HAS, &value, 1, NULL, 0};
    uint64_t rows[1024] = {0};
    bool exact = true, told = true;
    for (uint32_t m = 0; m < source->morsel_count && told; m++)
        told = source->match_rows(source, m, &predicate, rows, &exact) && exact;
    store_view_close(view);
    store_close(store);
    return told;
}

static void
test_answers_do_not_change(void **state)
{
    (void)state;
    char *dir = temp_dir_new(), path[4200];
    snprintf(path, sizeof(path), "%s/store", dir);
    prose_import(path);
    AzError error = {0};
    assert_true(rows_are_told(path, 1, "jailbreak") && rows_are_told(path, 2, "jailbreak"));
    assert_false(rows_are_told(path, 1, "no"));
    for (size_t threads = 1; threads <= 4; threads += 3) {
        DatabaseOptions open = {.store = path, .threads = threads};
        Database *db = db_open(&open, &error);
        assert_non_null(db);
        for (size_t q = 0; q < COUNT_OF(QUERIES); q++) {
            Arena arena = {0};
            QueryOptions plain = {.rules_off = OPTIMISE_ALL}, quick = {0};
            QueryResult *one = db_query(db, &arena, str_from(QUERIES[q]), &plain, &error);
            QueryResult *other = db_query(db, &arena, str_from(QUERIES[q]), &quick, &error);
            if (!one || !other)
                fail_msg("%s: %s", QUERIES[q], error.message);
            must_answer_alike(one->tables[0], other->tables[0], QUERIES[q]);
            arena_free(&arena);
        }
        db_close(db);
    }
    tree_remove(dir);
    free(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_those_of_the_texts),
        cmocka_unit_test(test_other_rows_are_found_out),
        cmocka_unit_test(test_damage_leads_nowhere),
        cmocka_unit_test(test_answers_do_not_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
