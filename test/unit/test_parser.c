// The parser: each statement, operator and literal by its canonical text, precedence,
// errors with their place, bounds against hostile input.

#include "base/array.h"
#include "kql/ast_print.h"
#include "kql/parser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static Arena arena;
static Buffer buffer;

static AstQuery *
parse(Str text, AzError *error)
{
    *error = (AzError){0};
    AstQuery *query = kql_parse(&arena, text, NULL, error);
    assert_true((query != NULL) == (error->code == AZ_OK));
    return query;
}

// The canonical text, which must itself be canonical; or the error's message.
static const char *
canonical(const char *text)
{
    AzError error;
    for (int round = 0; round < 2; round++) {
        Str source = round ? str_copy(&arena, buffer_slice(&buffer)) : str_from(text);
        AstQuery *query = parse(source, &error);
        if (!query)
            return str_cstr(&arena, str_from(error.message));
        buffer_clear(&buffer);
        ast_print(query, &buffer);
        if (round && !str_equal(source, buffer_slice(&buffer)))
            return "the canonical text is not stable";
    }
    return str_cstr(&arena, buffer_slice(&buffer));
}

typedef struct Case {
    const char *text, *canonical; // NULL: the text is canonical
} Case;

static void
check_cases(const Case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *wanted = cases[i].canonical ? cases[i].canonical : cases[i].text;
        assert_string_equal(canonical(cases[i].text), wanted);
    }
}

static void
test_operators(void **state)
{
    (void)state;
    static const Case CASES[] = {
        {"T | as hint.materialized=['true'] X", "T | as hint.materialized=[\"true\"] X"},
        {"T | assert-schema (a:long, b:string)", NULL},
        {"T | consume decodeblocks=true", NULL},
        {"T | count", NULL},
        {"T|count as N", "T | count as N"},
        {"datatable(a:long, ['b c']:string) [1, 'x', long(null), \"y\"]",
         "datatable(a:long, [\"b c\"]:string) [1, \"x\", long(null), \"y\"]"},
        {"datatable(s:string)[\"one\"]", "datatable(s:string) [\"one\"]"},
        {"T | distinct hint.strategy=shuffle a, b", NULL},
        {"T | distinct *", NULL},
        {"evaluate rows(1)", NULL},
        {"T | evaluate bag_unpack(d, 'p_') : (*, a:string)",
         "T | evaluate bag_unpack(d, \"p_\") : (*, a:string)"},
        {"T | evaluate hint.distribution=per_node python(typeof(*), 'code')",
         "T | evaluate hint.distribution=per_node python(typeof(*), \"code\")"},
        {"T | execute-and-cache", NULL},
        {"T | extend a = b + 1, c, (d, e) = f(x)", NULL},
        {"externaldata(a:string)[h@'https://x/y.csv'] with (format='csv', ignoreFirstRecord=true)",
         "externaldata(a:string) [\"https://x/y.csv\"] with (format=\"csv\", "
         "ignoreFirstRecord=true)"},
        {"T | facet by a, b with (where c > 1 | take 2)", NULL},
        {"find withsource=S in (A, B*, database('d').C) where x == 1 project a:string, pack(*)",
         "find withsource=S in (A, B*, database(\"d\").C) where x == 1 project a:string, pack(*)"},
        {"find 'x' project-smart", "find where \"x\" project-smart"},
        {"T | fork (take 1) b=(where x | count)", NULL},
        {"T | getschema kind=csl", NULL},
        {"G | graph-mark-components kind=weak with_component_id=C", NULL},
        {"G | graph-match cycles=none (a)-->(b)<--()--(c), (a)-[e]->(d)<-[*1..3]-(f)-[['g h']]-(i) "
         "where a.x == 1 project n = b.name, d",
         "G | graph-match cycles=none (a)-->(b)<--()--(c), (a)-[e]->(d)<-[*1 .. 3]-(f)-[[\"g h\"]]-"
         "(i) where a.x == 1 project n = b.name, d"},
        {"G | graph-shortest-paths output=all (a)-[e*1..5]->(b) project a",
         "G | graph-shortest-paths output=all (a)-[e*1 .. 5]->(b) project a"},
        {"G | graph-to-table nodes as N with_node_id=i, edges with_source_id=s with_target_id=t",
         NULL},
        {"G | graph-where-edges weight > 1", NULL},
        {"G | graph-where-nodes type == \"user\"", NULL},
        {"T | invoke f(1)", NULL},
        {"T | invoke database(\"d\").f()", NULL},
        {"T | join kind=leftouter hint.strategy=broadcast (U | take 1) on a, $left.b == $right.c",
         NULL},
        {"T | join U on a", "T | join (U) on a"},
        {"T | lookup kind=inner (U) on k", NULL},
        {"macro-expand kind=x entity_group [a.b, cluster(\"c\")] as X (X.T | take 1)",
         "macro-expand kind=x entity_group[a.b, cluster(\"c\")] as X (X.T | take 1)"},
        {"E | make-graph s --> t with N on id, (M | take 1) on ['key']",
         "E | make-graph s --> t with N on id, (M | take 1) on key"},
        {"E | make-graph s --> t with_node_id=n partitioned-by tenant (graph-match (a) project a)",
         NULL},
        {"T | make-series kind=nonempty n=count() default=0, avg(x) on t from ago(1d) to now() "
         "step 1h by k",
         "T | make-series kind=nonempty n = count() default=0, avg(x) on t from "
         "ago(timespan(1.00:00:00)) to now() step timespan(01:00:00) by k"},
        {"T | make-series sum(x) on t in range(1, 10, 2)", NULL},
        {"T | mv-apply with_itemindex=i x to typeof(long), y = z limit 9 on (where x > 1 | top 1 "
         "by x)",
         "T | mv-apply with_itemindex=i x to typeof(long), y = z limit 9 on (where x > 1 | top 1 "
         "by x desc)"},
        {"T | mv-expand bagexpansion=array a, b = c.d to typeof(string) limit 5", NULL},
        {"T | mvexpand a", NULL},
        {"T | parse kind=regex flags=Ui x with * 'a' b:long \"c\" d 'e' *",
         "T | parse kind=regex flags=Ui x with * \"a\" b:long \"c\" d \"e\" *"},
        {"T | parse-where x with \"k=\" v", NULL},
        {"T | parse-kv x as (a:string, b:long) with (pair_delimiter=';', greedy=true)",
         "T | parse-kv x as (a:string, b:long) with ( pair_delimiter=\";\", greedy=true)"},
        {"T | partition hint.strategy=native by a.b (top 1 by c)",
         "T | partition hint.strategy=native by a.b (top 1 by c desc)"},
        {"T | partition by a { U | where x == 1 }", NULL},
        {"print a = 1, 2", NULL},
        {"T | project a, b = c.d[0], count = name", NULL},
        {"T | project-away a*, *b, Sec*Event, *1, c", NULL},
        {"T | project-by-names dynamic([\"a\"]), \"b\"", NULL},
        {"T | project-keep *", NULL},
        {"T | project-rename a = b", NULL},
        {"T | project-reorder a asc, b* granny-desc, *", NULL},
        {"range x from 1 to 10 step 2", NULL},
        {"T | reduce kind=source by a with threshold=0.1, characters='-'",
         "T | reduce kind=source by a with threshold=0.1, characters=\"-\""},
        {"T | render timechart with (title='a b', ycolumns=x,y, kind=stacked)",
         "T | render timechart with (title=\"a b\", ycolumns=x,y, kind=stacked)"},
        {"T | render barchart kind=stacked title='x'",
         "T | render barchart with (kind=stacked, title=\"x\")"},
        {"T | sample 5", NULL},
        {"T | sample-distinct 5 of a", NULL},
        {"T | scan with_match_id=m order by t asc partition by u declare (n:long = 0, s:string) "
         "with "
         "(step a output=all: x > 1 => n = a.n + 1, s = 'q'; step b optional: true;)",
         "T | scan with_match_id=m order by t asc partition by u declare (n:long = 0, s:string) "
         "with "
         "(step a output=all: x > 1 => n = a.n + 1, s = \"q\"; step b optional: true;)"},
        {"search kind=case_sensitive in (T, U*) \"x\" and c : \"y*\"",
         "search kind=case_sensitive in (T, U*) \"x\" and c has \"y*\""},
        {"T | search \"x\"", NULL},
        {"T | serialize", NULL},
        {"T | serialize n = row_number()", NULL},
        {"T | order by a, b asc, c desc nulls first",
         "T | sort by a desc, b asc, c desc nulls first"},
        {"T | summarize hint.shufflekey=k n = count(), arg_max(t, *) by k, bin(t, 5)", NULL},
        {"T | summarize by a", NULL},
        {"T | limit 5", "T | take 5"},
        {"T | top 5 by a asc nulls last, b", "T | top 5 by a asc nulls last, b desc"},
        {"T | top-hitters 3 of a by b", NULL},
        {"T | top-nested 3 of a with others=\"x\" by sum(b), top-nested of c = d by n = count() "
         "asc",
         "T | top-nested 3 of a with others=\"x\" by sum(b) desc, top-nested of c = d by n = "
         "count() "
         "asc"},
        {"union kind=outer withsource=S T*, (U | take 1), database(\"d\").V*", NULL},
        {"T | union isfuzzy=true U", NULL},
        {"T | filter a", "T | where a"},
        {"T | where * has \"x\"", NULL},
        {"inline_external_table(a:long) kind=storage dataformat=csv ('x') with (b=1)",
         "inline_external_table(a:long) kind=storage dataformat=csv (\"x\") with (b=1)"},
    };
    check_cases(CASES, COUNT_OF(CASES));
}

static void
test_statements(void **state)
{
    (void)state;
    static const Case CASES[] = {
        {"", ""},
        {"T ;", "T"},
        {"T; U | take 1", NULL},
        {"T | where a = true", NULL},
        {"let x = 5; print x", NULL},
        {"let f = (T:(*), U:(a:long), n:long, s:string = \"x\") { let y = n; T | take y }; f(X)",
         NULL},
        {"let v = view () { T }; v", NULL},
        {"let m = materialize(T | take 1); m", NULL},
        {"let empty = () {}; T", "let empty = () { }; T"},
        {"set notruncation; set query_take_max_records = 5; T", NULL},
        {"declare query_parameters(a:long = 5, b:string); T", NULL},
        {"declare pattern P; T", NULL},
        {"declare pattern P = (a:string)[b:string] { ('x').['y'] = { T | take 1 }; (\"z\").[\"w\"] "
         "= "
         "{ U }; }; P(\"x\").y",
         "declare pattern P = (a:string)[b:string] { (\"x\").[\"y\"] = { T | take 1 }; "
         "(\"z\").[\"w\"] = { U }; }; P(\"x\").y"},
        {"alias database D = cluster(\"c\").database(\"d\"); database(\"D\").T", NULL},
        {"restrict access to (T, database(\"d\").*, U*); T", NULL},
        {"// first\r\n#connect cluster\r\nT // trailing | take 1\r\n| count", "T | count"},
        {"\xEF\xBB\xBFT\xC2\xA0| count", "T | count"},
        {"cluster('c').database('d').T | count", "cluster(\"c\").database(\"d\").T | count"},
        {"workspace(\"w\").T", NULL},
        {"(T | take 1) | count", NULL},
    };
    check_cases(CASES, COUNT_OF(CASES));
}

static void
test_literals(void **state)
{
    (void)state;
    static const Case CASES[] = {
        {"print 12, 0xff, long(-1), int(2), 1.5, 1e3, real(nan), real(-inf)",
         "print 12, 255, long(-1), int(2), 1.5, 1000.0, real(NaN), real(-Infinity)"},
        {"print 2d, 1.5h, 30m, 10s, 100ms, 5microseconds, 1tick",
         "print timespan(2.00:00:00), timespan(01:30:00), timespan(00:30:00), timespan(00:00:10), "
         "timespan(00:00:00.1000000), timespan(00:00:00.0000050), timespan(00:00:00.0000001)"},
        {"print time(15 seconds), timespan(2), time(null)",
         "print timespan(00:00:15), timespan(2.00:00:00), timespan(null)"},
        {"print datetime(2015-12-31 23:59:59.9), date(2020-01-01)",
         "print datetime(2015-12-31T23:59:59.9000000Z), datetime(2020-01-01T00:00:00.0000000Z)"},
        {"print true, bool(false), bool(null)", "print true, false, bool(null)"},
        {"print guid(74BE27DE-1e4e-49d9-b579-fe0b331d3642)",
         "print guid(74be27de-1e4e-49d9-b579-fe0b331d3642)"},
        {"print decimal(1.5)", NULL},
        {"print 'a\\tb\\\\', \"it's\", @'c:\\d''e', @\"q\"\"r\"",
         "print \"a\\tb\\\\\", \"it's\", \"c:\\\\d'e\", \"q\\\"r\""},
        {"print h'secret', H@\"x\\y\", ```two\nlines```, ~~~t~~~",
         "print \"secret\", \"x\\\\y\", \"two\\nlines\", \"t\""},
        {"print 'a' \"b\" // comment\n @'c'", "print \"abc\""},
        {"print '\\u0041\\x42\\103\\ud83d\\ude00'", "print \"ABC\xF0\x9F\x98\x80\""},
        {"print dynamic(null), dynamic(5), dynamic('x'), dynamic([]), dynamic({})",
         "print dynamic(null), dynamic(5), dynamic(\"x\"), dynamic([]), dynamic({})"},
        {"print dynamic({'a': [1, -2.5, null, true, datetime(2020-01-01), 1h], \"b\": {\"c\": "
         "[\"x\"]}})",
         "print dynamic({\"a\":[1,real(-2.5),null,true,datetime(2020-01-01T00:00:00.0000000Z),"
         "timespan(01:00:00)],\"b\":{\"c\":[\"x\"]}})"},
        {"print typeof(long), typeof(a:long, b:string)", NULL},
        {"5minutes_old | count", "[\"5minutes_old\"] | count"},
    };
    check_cases(CASES, COUNT_OF(CASES));
}

static void
test_expressions(void **state)
{
    (void)state;
    static const Case CASES[] = {
        // Precedence: parentheses that say what the grammar does anyway are gone.
        {"print a or (b and (c == (d < (e + (f * (g has (-h)))))))",
         "print a or b and c == d < e + f * g has -h"},
        {"print ((((((a has b) * c) + d) < e) == f) and g) or h",
         "print a has b * c + d < e == f and g or h"},
        {"print (a or b) and c", NULL},
        {"print (a == b) < c", NULL},
        {"print a - (b - c), (a - b) - c", "print a - (b - c), a - b - c"},
        {"print (a + b) has c", NULL},
        {"print a + (b has c)", "print a + b has c"},
        {"print -(a + b), -a.b, a - -1", NULL},
        {"print a and (b and c)", "print a and b and c"},
        // Each operator.
        {"print a == b, a != b, a <> b, a =~ b, a !~ b",
         "print a == b, a != b, a != b, a =~ b, a !~ b"},
        {"print a < b, a <= b, a > b, a >= b, a + b, a - b, a * b, a / b, a % b", NULL},
        {"print a has b, a !has b, a has_cs b, a !has_cs b", NULL},
        {"print a hasprefix b, a !hasprefix b, a hasprefix_cs b, a !hasprefix_cs b", NULL},
        {"print a hassuffix b, a !hassuffix b, a hassuffix_cs b, a !hassuffix_cs b", NULL},
        {"print a contains b, a !contains b, a contains_cs b, a !contains_cs b", NULL},
        {"print a startswith b, a !startswith b, a startswith_cs b, a !startswith_cs b", NULL},
        {"print a endswith b, a !endswith b, a endswith_cs b, a !endswith_cs b", NULL},
        {"print a notcontains b, a containscs b, a notcontainscs b",
         "print a !contains b, a contains_cs b, a !contains_cs b"},
        {"print a like b, a notlike b, a likecs b, a notlikecs b", NULL},
        {"print a matches regex b", NULL},
        {"print a in (1, 2), a !in (1), a in~ (\"x\"), a !in~ (T | project k)", NULL},
        {"print a has_any (b, c), a has_all (dynamic([1])), a in ((T))",
         "print a has_any (b, c), a has_all (dynamic([1])), a in (T)"},
        {"print a between (1 .. 2), a !between (ago(5) .. now())", NULL},
        // Paths, calls, names.
        {"print x.a.b[0][\"c\"], x['d e'], x.['f g'], x[-1], split(s, \",\") [0]",
         "print x.a.b[0][\"c\"], x[\"d e\"], x.[\"f g\"], x[-1], split(s, \",\")[0]"},
        {"print f(), f(a=1, b=2), count(*), toscalar(T | count), g(T)", NULL},
        {"print ['a b'], [\"where\"], ['plain'], ['by']",
         "print [\"a b\"], [\"where\"], plain, [\"by\"]"},
        {"T | where type == kind and count > name and range < step and on == from",
         "T | where type == [\"kind\"] and count > name and [\"range\"] < step and [\"on\"] == "
         "from"},
        {"range | project range, ['print'], ['union'] | count",
         "[\"range\"] | project [\"range\"], [\"print\"], [\"union\"] | count"},
        {"T | extend a = b*c, d = e *f, g = h * i", "T | extend a = b * c, d = e * f, g = h * i"},
    };
    check_cases(CASES, COUNT_OF(CASES));
}

static void
test_errors(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t line, column;
        const char *message;
    } CASES[] = {
        {"T | wher x", 1, 5, "there is no operator 'wher'; did you mean 'where'?"},
        {"T | sumarize count()", 1, 5,
         "there is no operator 'sumarize'; did you mean 'summarize'?"},
        {"T | zzzzzzzzzzzz", 1, 5, "there is no operator 'zzzzzzzzzzzz'"},
        {"T\n| project |", 2, 11, "expected an expression, found '|'"},
        {"T |", 1, 4,
         "expected an operator (where, project, summarize ...), but the query ends here"},
        {"T | where (a", 1, 13, "expected ')' to close the parenthesis, but the query ends here"},
        {"T | project a b", 1, 15, "expected '|', ';' or the end of the query, found 'b'"},
        {"T | sort a", 1, 10, "expected 'by' after 'sort' or 'order', found 'a'"},
        {"T | sort by a nulls 5", 1, 21, "expected 'first' or 'last' after 'nulls', found '5'"},
        {"T | join (U)", 1, 13, "expected 'on' and the join's conditions, but the query ends here"},
        {"print 'abc", 1, 7, "this string is not closed on its line"},
        {"print @'abc", 1, 7, "this verbatim string is not closed"},
        {"print ```abc", 1, 7, "this multi-line string is not closed"},
        {"print 'a\\q'", 1, 9,
         "this escape does not exist; write \\\\ for a backslash, or @\"...\" for a string without "
         "escapes"},
        {"T;; T", 1, 3, "expected an expression, found ';'"},
        {"print datetime(2020-01-01", 1, 7, "this literal is not closed: ')' is missing"},
        {"print 99999999999999999999", 1, 7, "this number is too large for its type"},
        {"print a between (1)", 1, 19, "expected '..' between the bounds, found ')'"},
        {"print dynamic([1, x])", 1, 19,
         "expected a JSON value (text, number, true, false, null, array or object), found 'x'"},
        {"print `x`", 1, 7, "this character means nothing in KQL here"},
        {"let x 5", 1, 7, "expected '=' after the name of a let statement, found '5'"},
        {"let f = (a:strng) { T }", 1, 12,
         "expected a type (bool, int, long, real, decimal, datetime, timespan, string, guid or "
         "dynamic), found 'strng'"},
        {"let f = () { T", 1, 15,
         "expected '}' after the function's body, but the query ends here"},
        {"datatable(a long)[1]", 1, 13, "expected ':' between a column and its type, found 'long'"},
        {"T | mv-apply x", 1, 15, "expected 'on' before the sub-query, but the query ends here"},
        {"T | graph-match (a)-(b)", 1, 21,
         "expected '-' of an edge such as '-->' or '-[e]->', found '('"},
        {"T | scan with (step a true;)", 1, 23,
         "expected ':' before the step's condition, found 'true'"},
        {"declare something", 1, 9,
         "expected 'query_parameters' or 'pattern' after 'declare', found 'something'"},
        {"T | range x from 1 to 2 step 1", 1, 5,
         "'range' begins a query; it cannot stand behind '|'"},
        {"where x == 1", 1, 1,
         "'where' is a word of the language: write ['where'] to use it as a name"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AzError error;
        uint32_t line, column;
        assert_null(parse(str_from(CASES[i].text), &error));
        assert_string_equal(error.message, CASES[i].message);
        assert_int_equal(error.code, AZ_SYNTAX);
        assert_true(error.has_span);
        assert_true(error.span.start <= error.span.end);
        text_position(str_from(CASES[i].text), error.span.start, &line, &column);
        assert_int_equal(line, CASES[i].line);
        assert_int_equal(column, CASES[i].column);
    }
}

static void
test_spans(void **state)
{
    (void)state;
    AzError error;
    Str text = STR("T | where abc has 'x' | project p = q.r[0]");
    AstQuery *query = parse(text, &error);
    const AstExpr *pipeline = query->statements.items[0].value;
    const AstExpr *predicate = pipeline->operators[0]->expr;
    const AstItem *item = &pipeline->operators[1]->items.items[0];
    assert_int_equal(pipeline->span.start, 0);
    assert_int_equal(pipeline->span.end, text.len);
    assert_true(
        str_equal(str_slice(text, predicate->span.start, predicate->span.end), STR("abc has 'x'")));
    assert_true(str_equal(str_slice(text, item->span.start, item->span.end), STR("p = q.r[0]")));
    assert_true(
        str_equal(str_slice(text, item->expr->span.start, item->expr->span.end), STR("q.r[0]")));
}

// `before` * n, the middle, `after` * n.
static Str
nested(const char *before, const char *middle, const char *after, size_t n)
{
    buffer_clear(&buffer);
    buffer_text(&buffer, "print ");
    for (size_t i = 0; i < n; i++)
        buffer_text(&buffer, before);
    buffer_text(&buffer, middle);
    for (size_t i = 0; i < n; i++)
        buffer_text(&buffer, after);
    return str_copy(&arena, buffer_slice(&buffer));
}

static void
test_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *before, *middle, *after;
    } SHAPES[] = {
        {"(", "1", ")"},
        {"f(", "1", ")"},
        {"-(", "1", ")"},
        {"x[", "1", "]"},
        {"dynamic([", "1", "])"},
        {"", "1", " + 1"},
        {"", "a", ".b"},
        {"", "a", "[0]"},
        {"", "a", " has b"},
        {"", "a", " == b"},
        {"toscalar(T | where ", "1", ")"},
        {"x in (", "1", ")"},
    };
    AzError error;
    for (size_t i = 0; i < COUNT_OF(SHAPES); i++) {
        Str small = nested(SHAPES[i].before, SHAPES[i].middle, SHAPES[i].after, 50);
        assert_non_null(parse(small, &error));
        Str large = nested(SHAPES[i].before, SHAPES[i].middle, SHAPES[i].after, 100000);
        assert_null(parse(large, &error));
        assert_true(str_find(str_from(error.message), STR("levels deep")) >= 0 ||
                    str_find(str_from(error.message), STR("long; split it")) >= 0);
    }
    // A chain in each level of nesting adds up.
    Str mixed = nested("(1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + ", "1", ")", 150);
    assert_non_null(parse(mixed, &error));
    mixed = nested("(", "1", " + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1)", 150);
    assert_null(parse(mixed, &error));
    // Many named arguments cost no more than many arguments.
    Str many = str_format(&arena, "%.*s)", STR_ARG(nested("", "f(a=1", ", b=1", 50000)));
    size_t before = arena.allocated;
    AstQuery *call = parse(many, &error);
    assert_non_null(call);
    const AstExpr *f = call->statements.items[0].value->operators[0]->items.items[0].expr;
    assert_int_equal(f->args.len, 50001);
    assert_true(str_equal(f->arg_names[0].text, STR("a")));
    assert_true(str_equal(f->arg_names[50000].text, STR("b")));
    assert_true(arena.allocated - before < 256u << 20);
    // Chains of `or` and `and` may be long.
    AstQuery *query = parse(nested("", "a", " or a and a", 20000), &error);
    assert_non_null(query);
    assert_true(query->statements.items[0].value->operators[0]->items.items[0].expr->height < 200);
}

static void
test_function_file(void **state)
{
    (void)state;
    AzError error = {0};
    AstFunctionFile *file = kql_parse_function(
        &arena,
        STR("// what it is\n.create-or-alter function with (folder=\"a/b\", docstring='says "
            "\"x\"', "
            "skipvalidation=true) Name(n:long, T:(*)) {\n    let x = n; T | take x\n}\n"),
        &error);
    assert_non_null(file);
    assert_true(str_equal(file->name.text, STR("Name")));
    assert_true(str_equal(file->folder, STR("a/b")));
    assert_true(str_equal(file->docstring, STR("says \"x\"")));
    assert_int_equal(file->function->parameter_count, 2);
    assert_true(file->function->parameters[1].any_table);
    assert_int_equal(file->function->body.len, 2);

    file = kql_parse_function(&arena, STR(".create function ['odd name']() { T }"), &error);
    assert_non_null(file);
    assert_true(str_equal(file->name.text, STR("odd name")));

    assert_null(kql_parse_function(&arena, STR("let f = () { T }"), &error));
    assert_int_equal(error.code, AZ_SYNTAX);
    error = (AzError){0};
    assert_null(kql_parse_function(&arena, STR(".create function F() { T } U"), &error));
    assert_string_equal(error.message,
                        "expected the end of the file after the function, found 'U'");
}

static void
test_create_table(void **state)
{
    (void)state;
    Str text = STR("// tables\n.create table A (x:long, ['odd name']:string,\n y:dynamic)\n\n"
                   ".create table ['B c'] (t:datetime)\n.create table C (x:nope)\n");
    AzError error = {0};
    AstTableSchema table;
    size_t offset = 0;
    assert_true(kql_parse_create_table(&arena, text, &offset, &table, &error));
    assert_true(str_equal(table.name.text, STR("A")));
    assert_int_equal(table.columns.len, 3);
    assert_true(str_equal(table.columns.items[1].name.text, STR("odd name")));
    assert_int_equal(table.columns.items[2].type, TYPE_DYNAMIC);
    assert_true(kql_parse_create_table(&arena, text, &offset, &table, &error));
    assert_true(str_equal(table.name.text, STR("B c")));
    assert_false(kql_parse_create_table(&arena, text, &offset, &table, &error));
    assert_int_equal(error.code, AZ_SYNTAX);
    error = (AzError){0};
    assert_false(kql_parse_create_table(&arena, text, &offset, &table, &error));
    assert_int_equal(error.code, AZ_OK); // the end of the text
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    buffer_free(&buffer);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operators),    cmocka_unit_test(test_statements),
        cmocka_unit_test(test_literals),     cmocka_unit_test(test_expressions),
        cmocka_unit_test(test_errors),       cmocka_unit_test(test_spans),
        cmocka_unit_test(test_bounds),       cmocka_unit_test(test_function_file),
        cmocka_unit_test(test_create_table),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
