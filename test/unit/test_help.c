// Help: every name of the language has its row, every example runs and tells the truth.

#include "azure/tables.h"
#include "base/array.h"
#include "db/help.h"
#include "kql/operator_def.h"
#include "kql/parser.h"
#include "report/help_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static Database *db;

static int
open_database(void **state)
{
    (void)state;
    DatabaseOptions options = {.threads = 1};
    db = db_open(&options, NULL);
    azure_add_tables(db);
    return db == NULL;
}

static int
close_database(void **state)
{
    (void)state;
    db_close(db);
    return 0;
}

// Whether `print ok = example` is true.
static bool
is_true(Arena *arena, Str example)
{
    AzError error = {0};
    QueryResult *result =
        help_run_example(db, arena, str_format(arena, "print ok = %.*s", STR_ARG(example)), &error);
    if (!result)
        printf("%.*s: %s\n", STR_ARG(example), error.message);
    const ResultTable *table = result ? result->tables[0] : NULL;
    if (!table || table->row_count != 1 || table->schema.columns[0].type != TYPE_BOOL)
        return false;
    Value value = vector_value(table->batches[0]->columns[0], 0);
    return !value.is_null && value.boolean;
}

static void
every_operator_the_parser_reads_has_help(void **state)
{
    (void)state;
    const char *name;
    for (size_t i = 0; (name = kql_operator_spelling(i)); i++)
        if (!operator_find(str_from(name)))
            fail_msg("operator '%s' has no row in kql/operator_def.c", name);
}

static void
every_operator_with_help_is_read(void **state)
{
    (void)state;
    Arena arena = {0};
    TopicList list = help_topics(db, &arena, TOPIC_OPERATOR, false);
    for (size_t t = 0; t < list.len; t++) {
        size_t i = 0;
        const char *name;
        while ((name = kql_operator_spelling(i)) && !str_equal(str_from(name), list.items[t]->name))
            i++;
        if (!name)
            fail_msg("the parser knows no operator '%.*s'", STR_ARG(list.items[t]->name));
    }
    arena_free(&arena);
}

static void
every_topic_says_what_it_is(void **state)
{
    (void)state;
    Arena arena = {0};
    for (TopicKind kind = 0; kind < TOPIC_TABLE; kind++) {
        TopicList list = help_topics(db, &arena, kind, false);
        if (!list.len)
            fail_msg("no %s", topic_kind_name(kind));
        for (size_t i = 0; i < list.len; i++)
            if (!list.items[i]->doc.len || !list.items[i]->signatures.len)
                fail_msg("%.*s has no sentence or no signature", STR_ARG(list.items[i]->name));
    }
    arena_free(&arena);
}

static void
every_function_has_an_example(void **state)
{
    (void)state;
    Arena arena = {0};
    for (TopicKind kind = TOPIC_SCALAR; kind <= TOPIC_WINDOW; kind++) {
        TopicList list = help_topics(db, &arena, kind, false);
        for (size_t i = 0; i < list.len; i++)
            if (!list.items[i]->examples.len && !list.items[i]->queries.len)
                fail_msg("%.*s has no example: give its row one, or function/query_example.c",
                         STR_ARG(list.items[i]->name));
    }
    arena_free(&arena);
}

static void
expressions_of_examples_are_true(void **state)
{
    (void)state;
    Arena arena = {0};
    TopicList list = help_topics(db, &arena, TOPIC_EXPRESSION, false);
    for (size_t i = 0; i < list.len; i++) {
        assert_true(list.items[i]->examples.len);
        if (!is_true(&arena, list.items[i]->examples.items[0]))
            fail_msg("the example of %.*s is not true", STR_ARG(list.items[i]->name));
    }
    arena_free(&arena);
}

// Each answers with rows, but for `consume`; what does not run yet says so.
static void
queries_of_examples_run(void **state)
{
    (void)state;
    for (TopicKind kind = 0; kind < TOPIC_TABLE; kind++) {
        Arena arena = {0};
        TopicList list = help_topics(db, &arena, kind, false);
        for (size_t i = 0; i < list.len; i++) {
            const Topic *topic = list.items[i];
            for (size_t q = 0; q < topic->queries.len; q++) {
                AzError error = {0};
                QueryResult *result = help_run_example(db, &arena, topic->queries.items[q], &error);
                if (!result && error.code != AZ_UNSUPPORTED)
                    fail_msg("the example of %.*s: %s", STR_ARG(topic->name), error.message);
                if (result && !result->tables[0]->row_count &&
                    !str_equal(topic->name, STR("consume")))
                    fail_msg("the example of %.*s has no rows", STR_ARG(topic->name));
                error_clear(&error);
            }
        }
        arena_free(&arena);
    }
}

static void
names_are_found(void **state)
{
    (void)state;
    Arena arena = {0};
    TopicList found = help_find(db, &arena, STR("count"));
    assert_int_equal(found.len, 2);
    assert_int_equal(found.items[0]->kind, TOPIC_OPERATOR);
    assert_int_equal(found.items[1]->kind, TOPIC_AGGREGATE);
    found = help_find(db, &arena, STR("filter")); // an alias
    assert_int_equal(found.len, 1);
    assert_true(str_equal(found.items[0]->name, STR("where")));
    found = help_find(db, &arena, STR("signinlogs")); // any case
    assert_int_equal(found.len, 1);
    assert_int_equal(found.items[0]->kind, TOPIC_TABLE);
    assert_true(schema_find(&found.items[0]->columns, STR("UserPrincipalName")) >= 0);
    assert_int_equal(help_find(db, &arena, STR("$path")).len, 0);
    assert_int_equal(help_find(db, &arena, STR("")).len, 0);
    assert_true(str_equal(help_nearest(db, &arena, STR("strlne")), STR("strlen")));
    assert_int_equal(help_nearest(db, &arena, STR("qqqqqqqqqqqqqq")).len, 0);
    arena_free(&arena);
}

static void
overloads_make_one_topic(void **state)
{
    (void)state;
    Arena arena = {0};
    TopicList found = help_find(db, &arena, STR("bin"));
    assert_int_equal(found.len, 1);
    assert_true(found.items[0]->signatures.len >= 5);
    arena_free(&arena);
}

static void
help_text_has_its_parts(void **state)
{
    (void)state;
    Arena arena = {0};
    Buffer out = {0};
    ResultStyle style = {0};
    help_write_topic(&out, db, help_find(db, &arena, STR("take")).items[0], &style);
    assert_true(str_find(buffer_slice(&out), STR("T | take COUNT")) > 0);
    assert_true(str_find(buffer_slice(&out), STR("also written: limit")) > 0);
    assert_true(str_find(buffer_slice(&out), STR("(1 row)")) > 0); // of the example's answer
    buffer_free(&out);
    arena_free(&arena);
}

static void
columns_are_read_downwards(void **state)
{
    (void)state;
    Buffer out = {0};
    static const Str NAMES[] = {STR_INIT("a"), STR_INIT("bbb"), STR_INIT("c"), STR_INIT("d"),
                                STR_INIT("e")};
    text_columns(&out, NAMES, 5, 12, "");
    assert_true(str_equal(buffer_slice(&out), STR("a    d\nbbb  e\nc\n")));
    buffer_clear(&out);
    text_columns(&out, NAMES, 2, 3, " "); // narrower than a name: one a line
    assert_true(str_equal(buffer_slice(&out), STR(" a\n bbb\n")));
    buffer_clear(&out);
    text_columns(&out, NAMES, 0, 80, "");
    assert_int_equal(out.len, 0);
    buffer_free(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_the_parser_reads_has_help),
        cmocka_unit_test(every_operator_with_help_is_read),
        cmocka_unit_test(every_topic_says_what_it_is),
        cmocka_unit_test(every_function_has_an_example),
        cmocka_unit_test(expressions_of_examples_are_true),
        cmocka_unit_test(queries_of_examples_run),
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(overloads_make_one_topic),
        cmocka_unit_test(help_text_has_its_parts),
        cmocka_unit_test(columns_are_read_downwards),
    };
    return cmocka_run_group_tests(tests, open_database, close_database);
}
