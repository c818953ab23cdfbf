// Completion without a terminal: a text with the cursor at ^, and what may stand there.

#include "base/array.h"
#include "db/complete.h"

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
    return db == NULL;
}

static int
close_database(void **state)
{
    (void)state;
    db_close(db);
    return 0;
}

static Completion
complete_at(Arena *arena, const char *marked)
{
    Str text = str_from(marked);
    ptrdiff_t cursor = str_find(text, STR("^"));
    assert_true(cursor >= 0);
    Str whole = str_format(arena, "%.*s%s", (int)cursor, marked, marked + cursor + 1);
    return complete_query(db, arena, whole, (size_t)cursor);
}

static bool
offers(const Completion *found, Str name)
{
    for (size_t i = 0; i < found->len; i++)
        if (str_equal(found->items[i].text, name))
            return true;
    return false;
}

static void
print_found(const char *marked, const Completion *found)
{
    printf("%s:", marked);
    for (size_t i = 0; i < found->len && i < 60; i++)
        printf(" %.*s", STR_ARG(found->items[i].text));
    printf("\n");
}

// Each word of `wanted` is offered; one that begins with `-` is not.
static void
check_words(const char *marked, const char *wanted)
{
    Arena arena = {0};
    Completion found = complete_at(&arena, marked);
    Str rest = str_from(wanted), word;
    while (str_next_word(&rest, &word)) {
        bool unwanted = word.len > 1 && word.ptr[0] == '-';
        Str name = str_slice(word, unwanted, word.len);
        if (offers(&found, name) == unwanted) {
            print_found(marked, &found);
            fail_msg("'%.*s' is %s", STR_ARG(name), unwanted ? "offered" : "not offered");
        }
    }
    arena_free(&arena);
}

// Exactly these, in this order.
static void
check_only(const char *marked, const char *wanted)
{
    Arena arena = {0};
    Completion found = complete_at(&arena, marked);
    Buffer all = {0};
    for (size_t i = 0; i < found.len; i++)
        buffer_printf(&all, "%s%.*s", i ? " " : "", STR_ARG(found.items[i].text));
    if (!str_equal(buffer_slice(&all), str_from(wanted)))
        fail_msg("%s: got '%.*s', wanted '%s'", marked, STR_ARG(buffer_slice(&all)), wanted);
    buffer_free(&all);
    arena_free(&arena);
}

#define PEOPLE "datatable(name:string, age:long, ['a b']:real)[] "

static void
operators_behind_a_pipe(void **state)
{
    (void)state;
    check_words("SigninLogs | ^", "where summarize mv-expand union -print -let -strlen(");
    check_only("SigninLogs | mv-^", "mv-apply mv-expand");
    check_only("SigninLogs | where x | summ^", "summarize");
    check_only("SigninLogs | project-a^", "project-away");
    check_words("SigninLogs\n| wh^ | take 5", "where");
}

static void
tables_at_the_beginning(void **state)
{
    (void)state;
    check_words("^", "SigninLogs print datatable let union -where -strlen(");
    check_only("SigninL^", "SigninLogs");
    check_words("print 1; Sign^", "SigninLogs");
    check_words("let x = 5; ^", "x SigninLogs");
    check_words("let x = Signin^", "SigninLogs -x");
    check_words("AIAss^", "AIAssets(");
    check_words("union Signin^", "SigninLogs");
    check_words("SigninLogs | union kind=^", "outer inner -SigninLogs");
    check_words("SigninLogs | where x in (Sign^", "SigninLogs");
    check_words("print toscalar(Sign^", "SigninLogs -sign(");
    check_words("print x = materialize(Sign^", "SigninLogs");
}

static void
columns_of_the_pipeline(void **state)
{
    (void)state;
    check_words(PEOPLE "| where ^", "name age strlen( row_number( -sum( -SigninLogs");
    check_only(PEOPLE "| where nam^", "name");
    check_only(PEOPLE "| extend older = age + 1 | where old^", "older");
    check_only(PEOPLE "| project age | where nam^", ""); // gone
    check_words("SigninLogs | where UserPrin^", "UserPrincipalName");
    check_words("let T = " PEOPLE "; T | project na^", "name");
    check_words("let T = " PEOPLE "| where na^", "name");
    check_words(PEOPLE "| summarize n = count() by na^", "name");
    check_words(PEOPLE "| summarize n = count() by name | sort by ^", "n name -age");
    check_words(PEOPLE "| extend x = strlen(na^", "name");
    check_words(PEOPLE "| extend x = substring(name, ag^", "age");
    check_words(PEOPLE "| where (na^", "name");
    check_words(PEOPLE "| where name == 'a' and ag^", "age");
    check_words(PEOPLE "| project-away na^", "name");
}

static void
functions_by_place(void **state)
{
    (void)state;
    check_words(PEOPLE "| summarize ^", "sum( count( age strlen(");
    check_words(PEOPLE "| where ^", "-sum(");
    check_words("print strl^", "strlen(");
    check_words("print x = to^", "tolong( tostring(");
    Arena arena = {0};
    Completion found = complete_at(&arena, "print substring(^");
    assert_true(str_starts(found.hint, STR("substring(")));
    found = complete_at(&arena, "print substring('abc', ^");
    assert_true(str_starts(found.hint, STR("substring(")));
    found = complete_at(&arena, "print strle^");
    assert_int_equal(found.len, 1);
    assert_true(str_starts(found.items[0].detail, STR("strlen(")));
    arena_free(&arena);
}

static void
words_behind_a_value(void **state)
{
    (void)state;
    check_words(PEOPLE "| where name ^", "has contains startswith in -strlen( -age");
    check_only(PEOPLE "| where name !has_^", "!has_all !has_any !has_cs");
    check_words(PEOPLE "| summarize count() ^", "by");
    check_words(PEOPLE "| sort by age ^", "asc desc");
    check_words(PEOPLE "| top 5 ^", "by");
    check_words(PEOPLE "| where name has ^", "name strlen( -has");
}

static void
joins(void **state)
{
    (void)state;
    check_words("SigninLogs | join ^", "kind= SigninLogs");
    check_only("SigninLogs | join kind=left^", "leftanti leftantisemi leftouter leftsemi");
    check_only("SigninLogs | join kind = inner^", "inner innerunique");
    check_only("SigninLogs | lookup kind=^", "inner leftouter");
    check_words("SigninLogs | join kind=inner (^", "SigninLogs");
    check_words("SigninLogs | join kind=inner (SigninLogs | ^", "where");
    check_words(PEOPLE "| join (" PEOPLE ") ^", "on");
    check_words(PEOPLE "| join (" PEOPLE ") on ^", "name $left. $right.");
    check_words(PEOPLE "| join (print key = 1) on $left.^", "name -key");
    check_words(PEOPLE "| join kind=inner (print key = 1) on $left.age == $right.^", "key -name");
    check_words(PEOPLE "| join kind=inner (print key = 1 | where ke^", "key -name");
}

static void
sub_queries(void **state)
{
    (void)state;
    check_words(PEOPLE "| partition by name (^", "where top -print");
    check_words(PEOPLE "| partition by name (top 1 by ^", "age");
    check_words(PEOPLE "| partition by name (where age > 1 | project ^", "age");
    check_words(PEOPLE "| fork (where na^", "name");
}

static void
charts_types_and_options(void **state)
{
    (void)state;
    check_only("print 1 | render time^", "timechart timepivot");
    check_only("datatable(x:date^", "datetime");
    check_words("print x = dynamic([1]) | mv-expand x to typeof(^", "long string");
    check_only("print 1 | parse kind=reg^", "regex");
}

static void
nothing_in_strings_and_comments(void **state)
{
    (void)state;
    check_only("print 'stri^", "");
    check_only("print \"stri^", "");
    check_only("print @'a\\' , strle^", "strlen(");
    check_only("print 'it\\'s stri^", "");
    check_only("print 1 // stri^", "");
    check_only("print ```a ' strl^", "");
    check_words("print 'it' | ^", "where");
    check_words("// a comment | with ( brackets\nSigninL^", "SigninLogs");
}

static void
the_word_is_replaced(void **state)
{
    (void)state;
    Arena arena = {0};
    Completion found = complete_at(&arena, "SigninLogs | mv-e^");
    assert_int_equal(found.from, 13);
    assert_true(str_equal(found.common, STR("mv-expand")));
    found = complete_at(&arena, "signinl^"); // as it is declared
    assert_true(str_equal(found.common, STR("SigninLogs")));
    found = complete_at(&arena, "SigninLogs | join kind=right^");
    assert_true(str_equal(found.common, STR("right")));
    found = complete_at(&arena, "qqqq^");
    assert_int_equal(found.len, 0);
    assert_int_equal(found.common.len, 0);
    arena_free(&arena);
}

// Whatever is cut off where, nothing breaks: every prefix of every query, and garbage.
static void
any_prefix_will_do(void **state)
{
    (void)state;
    static const char *const QUERIES[] = {
        "let f = (a:long, T:(x:long)) { T | where x > a }; SigninLogs | join kind=inner (range x "
        "from 1 to 2 step 1) on $left.a == $right.x | render timechart with (title='x')",
        "print ['a b'] = dynamic({'k':[1, 2]}), x.y[0] | mv-apply k = x to typeof(long) on (top 1 "
        "by "
        "k) // end",
        ")))]]}}} ||| ;;; ((([[[{{{ ''' \"\" ``` @ $left. !!! kind== : , . in ( typeof(",
        "\xff\xfe| \x80 where \xf0\x9f\x98\x80 = = ",
    };
    for (size_t q = 0; q < COUNT_OF(QUERIES); q++) {
        Str text = str_from(QUERIES[q]);
        for (size_t at = 0; at <= text.len; at++) {
            Arena arena = {0};
            Completion found = complete_query(db, &arena, text, at);
            assert_true(found.from <= at);
            arena_free(&arena);
        }
    }
    Arena arena = {0};
    char deep[3000];
    memset(deep, '(', sizeof(deep));
    assert_int_equal(complete_query(db, &arena, (Str){deep, sizeof(deep)}, sizeof(deep)).len, 0);
    complete_query(db, &arena, STR("print 1"), SIZE_MAX); // clamped
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_behind_a_pipe),
        cmocka_unit_test(tables_at_the_beginning),
        cmocka_unit_test(columns_of_the_pipeline),
        cmocka_unit_test(functions_by_place),
        cmocka_unit_test(words_behind_a_value),
        cmocka_unit_test(joins),
        cmocka_unit_test(sub_queries),
        cmocka_unit_test(charts_types_and_options),
        cmocka_unit_test(nothing_in_strings_and_comments),
        cmocka_unit_test(the_word_is_replaced),
        cmocka_unit_test(any_prefix_will_do),
    };
    return cmocka_run_group_tests(tests, open_database, close_database);
}
