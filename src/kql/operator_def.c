// The rows of statements and tabular operators. Source: Kusto docs, the page of each.

#include "kql/operator_def.h"

#include "base/array.h"

#define STATEMENT(NAME, SYNTAX, DOC, EXAMPLE)                                                      \
    {                                                                                              \
        NAME, NULL, OPERATOR_STATEMENT, SYNTAX, DOC, NULL, EXAMPLE                                 \
    }
#define SOURCE(NAME, SYNTAX, DOC, EXAMPLE)                                                         \
    {                                                                                              \
        NAME, NULL, OPERATOR_SOURCE, SYNTAX, DOC, NULL, EXAMPLE                                    \
    }
#define TABULAR(NAME, SYNTAX, DOC, EXAMPLE)                                                        \
    {                                                                                              \
        NAME, NULL, OPERATOR_TABULAR, SYNTAX, DOC, NULL, EXAMPLE                                   \
    }

#define PEOPLE                                                                                     \
    "datatable(name:string, team:string, age:long)['Ann','A',31,'Bob','B',28,'Cy','A',45]"
#define GRAPH                                                                                      \
    "let Edges = datatable(from:string, target:string)['a','b','b','c']; "                         \
    "let Nodes = datatable(id:string, size:long)['a',1,'b',2,'c',3]; "                             \
    "Edges | make-graph from --> target with Nodes on id"

static const OperatorDef ROWS[] = {
    STATEMENT("let", "let NAME = EXPRESSION | TABLE | [view] (PARAMETERS) { BODY };",
              "Names a value, a table or a function for the rest of the query.",
              "let Twice = (x:long) { x * 2 }; let most = 4; print Twice(most)"),
    STATEMENT("set", "set PROPERTY [= VALUE];",
              "Sets a request property; those without a meaning "
              "here are accepted.",
              "set notruncation; print x = 1"),
    STATEMENT("declare query_parameters", "declare query_parameters (NAME:TYPE [= DEFAULT], ...);",
              "Declares values that a caller may give to the query.",
              "declare query_parameters (least:long = 2); range x from 1 to 3 step 1 | where x >= "
              "least"),
    STATEMENT(
        "declare pattern",
        "declare pattern NAME = (ARGUMENT:TYPE, ...)[PATH:TYPE] { (VALUES) = { BODY }; ... };",
        "Names bodies that are chosen by the constants a call is made with.",
        "declare pattern app = (name:string)[scope:string] "
        "{ ('web').['count'] = { print requests = 10 }; }; app('web').['count']"),
    STATEMENT("alias database", "alias database NAME = cluster('C').database('D');",
              "Gives another database a short name.",
              "alias database other = cluster('c').database('d'); print x = 1"),
    STATEMENT("restrict access", "restrict access to (TABLE, ...);",
              "Lets the rest of the query see only the tables and lets that are listed.",
              "let Shown = range x from 1 to 2 step 1; restrict access to (Shown); Shown"),

    SOURCE("print", "print [NAME =] EXPRESSION, ...", "Makes one row of the values.",
           "print answer = 6 * 7, word = toupper('kql')"),
    SOURCE("datatable", "datatable(NAME:TYPE, ...) [VALUE, ...]",
           "Makes a table of the values written in the query.",
           "datatable(name:string, born:datetime)['Ada', datetime(1815-12-10)]"),
    SOURCE("range", "range NAME from START to END step STEP",
           "Makes a column of numbers, points in time or timespans, both ends included.",
           "range x from 1 to 7 step 3"),
    {"externaldata", "external_data", OPERATOR_SOURCE,
     "externaldata(NAME:TYPE, ...) [PATH, ...] [with (PROPERTY = VALUE, ...)]",
     "Reads rows from files outside the store.", NULL, NULL},
    SOURCE("inline_external_table",
           "inline_external_table(NAME:TYPE, ...) kind=storage dataformat=FORMAT (PATH, ...)",
           "Reads rows from an external table declared in the query.", NULL),
    {"find", NULL, OPERATOR_BOTH, "find [in (TABLE, ...)] where PREDICATE [project COLUMN, ...]",
     "Finds the rows of many tables that meet a condition, with the name of their table.",
     "withsource= datascope=all|hotcache",
     "let A = print x = 1; let B = print x = 2, y = 'b'; find in (A, B) where x > 1 project x, y"},
    {"search", NULL, OPERATOR_BOTH, "[T |] search [kind=CASE] [in (TABLE, ...)] PREDICATE",
     "Keeps the rows that hold a term in any column, of one table or of many.",
     "kind=case_sensitive|case_insensitive", PEOPLE " | search 'ann'"},
    {"union", NULL, OPERATOR_BOTH,
     "[T |] union [kind=KIND] [withsource=NAME] [isfuzzy=BOOL] TABLE, ...",
     "Puts the rows of tables one after another.",
     "kind=outer|inner withsource= isfuzzy=true|false",
     "print x = 1 | union (print x = 2, y = 'b')"},
    {"macro-expand", NULL, OPERATOR_BOTH, "macro-expand entity_group [ENTITY, ...] as NAME (BODY)",
     "Runs the body once for each entity of a group and puts the rows together.",
     "kind=outer|inner isfuzzy=true|false",
     "macro-expand entity_group [database('azimuth')] as db (print x = 1)"},
    {"evaluate", NULL, OPERATOR_BOTH, "[T |] evaluate PLUGIN(ARGUMENTS) [: (NAME:TYPE, ...)]",
     "Runs a plugin: pivot, bag_unpack, autocluster ...", NULL,
     "print bag = dynamic({'a':1, 'b':'x'}) | evaluate bag_unpack(bag)"},

    {"where", "filter", OPERATOR_TABULAR, "T | where PREDICATE",
     "Keeps the rows for which the predicate is true.", NULL, PEOPLE " | where age > 30"},
    {"take", "limit", OPERATOR_TABULAR, "T | take COUNT", "Keeps that many rows, in no order.",
     NULL, PEOPLE " | take 1"},
    {"sort", "order", OPERATOR_TABULAR, "T | sort by EXPRESSION [asc|desc] [nulls first|last], ...",
     "Orders the rows, the greatest first unless told otherwise.", NULL,
     PEOPLE " | sort by age asc"},
    TABULAR("top", "T | top COUNT by EXPRESSION [asc|desc] [nulls first|last]",
            "Keeps the first rows of an order.", PEOPLE " | top 2 by age"),
    TABULAR("top-nested",
            "T | top-nested [COUNT] of EXPRESSION [with others = NAME] by AGGREGATE, ...",
            "Keeps the greatest values of each level, level below level.",
            PEOPLE " | top-nested 1 of team by sum(age), top-nested 1 of name by max(age)"),
    TABULAR("top-hitters", "T | top-hitters COUNT of EXPRESSION [by EXPRESSION]",
            "Keeps the values that occur most often, or with the greatest sums.",
            PEOPLE " | top-hitters 1 of team"),
    TABULAR("project", "T | project [NAME =] EXPRESSION, ...",
            "Keeps the named columns and computes new ones.",
            PEOPLE " | project name, decade = bin(age, 10)"),
    TABULAR("project-away", "T | project-away COLUMN|PATTERN, ...", "Drops columns.",
            PEOPLE " | project-away team, a*"),
    TABULAR("project-keep", "T | project-keep COLUMN|PATTERN, ...",
            "Keeps columns in the order they have.", PEOPLE " | project-keep age, n*"),
    TABULAR("project-rename", "T | project-rename NEW = OLD, ...", "Gives columns other names.",
            PEOPLE " | project-rename years = age"),
    TABULAR("project-reorder", "T | project-reorder COLUMN|PATTERN [asc|desc], ...",
            "Brings columns to the front in the order given.", PEOPLE " | project-reorder age"),
    TABULAR("project-by-names", "T | project-by-names NAME|PATTERN|ARRAY, ...",
            "Keeps the columns whose names are given as texts.",
            PEOPLE " | project-by-names 'name', 'a*'"),
    TABULAR("extend", "T | extend [NAME =] EXPRESSION, ...", "Adds computed columns.",
            PEOPLE " | extend next = age + 1"),
    TABULAR("summarize", "T | summarize [[NAME =] AGGREGATE, ...] [by [NAME =] EXPRESSION, ...]",
            "Groups rows and aggregates each group.",
            PEOPLE " | summarize people = count(), avg(age) by team"),
    TABULAR("distinct", "T | distinct EXPRESSION, ... | *",
            "Keeps one row of each combination of values.", PEOPLE " | distinct team"),
    TABULAR("count", "T | count [as NAME]", "Counts the rows.", PEOPLE " | count"),
    TABULAR("sample", "T | sample COUNT", "Keeps that many rows chosen at random.",
            PEOPLE " | sample 2 | count"),
    TABULAR("sample-distinct", "T | sample-distinct COUNT of EXPRESSION",
            "Keeps that many distinct values.", PEOPLE " | sample-distinct 5 of team | count"),
    TABULAR("serialize", "T | serialize [NAME = EXPRESSION, ...]",
            "Takes the order of the rows as defined, for window functions.",
            PEOPLE " | serialize number = row_number()"),
    {"join", NULL, OPERATOR_TABULAR,
     "T | join [kind=KIND] (RIGHT) on COLUMN|$left.A == $right.B, ...",
     "Puts rows of two tables together where their keys are equal.",
     "kind=innerunique|inner|leftouter|rightouter|fullouter|leftsemi|rightsemi|leftanti|rightanti|"
     "semi|anti|leftantisemi|rightantisemi hint.strategy=broadcast|shuffle hint.shufflekey= "
     "hint.remote=auto|left|right|local",
     PEOPLE
     " | join kind=inner (datatable(team:string, room:long)['A', 7]) on team | project name, "
     "room"},
    {"lookup", NULL, OPERATOR_TABULAR, "T | lookup [kind=KIND] (DIMENSION) on COLUMN, ...",
     "Adds the columns of a small table to rows whose keys it holds.", "kind=leftouter|inner",
     PEOPLE " | lookup (datatable(team:string, room:long)['A', 7]) on team"},
    {"mv-expand", "mvexpand", OPERATOR_TABULAR,
     "T | mv-expand [with_itemindex=NAME] [NAME =] ARRAY [to typeof(TYPE)], ... [limit COUNT]",
     "Makes a row of each element of an array or bag.",
     "bagexpansion=bag|array kind=bag|array with_itemindex=",
     "print who = 'Ann', tags = dynamic(['x', 'y']) | mv-expand tag = tags to typeof(string)"},
    {"mv-apply", "mvapply", OPERATOR_TABULAR,
     "T | mv-apply [with_itemindex=NAME] [NAME =] ARRAY [to typeof(TYPE)], ... [limit COUNT] on "
     "(SUBQUERY)",
     "Runs a query over the elements of each row's arrays.", "with_itemindex=",
     "print who = 'Ann', n = dynamic([3, 9, 4]) | mv-apply n to typeof(long) on (top 1 by n)"},
    {"parse", NULL, OPERATOR_TABULAR,
     "T | parse [kind=KIND] EXPRESSION with [*] TEXT NAME[:TYPE] ... [*]",
     "Cuts columns out of a text by the pieces around them.", "kind=simple|relaxed|regex flags=",
     "print line = 'user=ann code=7' | parse line with 'user=' user ' code=' code:long"},
    {"parse-where", NULL, OPERATOR_TABULAR,
     "T | parse-where [kind=KIND] EXPRESSION with [*] TEXT NAME[:TYPE] ... [*]",
     "As parse, and drops rows that do not match.", "kind=simple|regex flags=",
     "datatable(line:string)['code=7', 'noise'] | parse-where line with 'code=' code:long"},
    TABULAR("parse-kv",
            "T | parse-kv EXPRESSION as (NAME:TYPE, ...) [with (pair_delimiter=P, kv_delimiter=K, "
            "quote=Q, escape=E, greedy=true, regex=R)]",
            "Reads the values of keys in a text of keys and values.",
            "print line = 'user=ann; code=7' | parse-kv line as (user:string, code:long) with "
            "(pair_delimiter='; ', kv_delimiter='=')"),
    TABULAR("make-series",
            "T | make-series [NAME =] AGGREGATE [default=VALUE], ... on AXIS [from START] [to END] "
            "step STEP [by EXPRESSION, ...]",
            "Makes arrays of aggregates along an axis, gaps filled.",
            "range x from 1 to 4 step 1 | where x != 3 | make-series total = sum(x) default=0 on x "
            "from 1 to 5 step 1"),
    TABULAR("getschema", "T | getschema", "Gives the columns and types of the input.",
            "print a = 1, b = 'x' | getschema | project ColumnName, ColumnType"),
    TABULAR("as", "T | as [hint.materialized=true] NAME", "Names the table for what follows.",
            "print x = 1 | as First | union First"),
    TABULAR("invoke", "T | invoke FUNCTION(ARGUMENTS)",
            "Calls a function whose first parameter is the table.",
            "let Older = (T:(age:long), years:long) { T | extend age = age + years }; " PEOPLE
            " | take 1 | invoke Older(1)"),
    {"partition", NULL, OPERATOR_TABULAR,
     "T | partition [hint.strategy=STRATEGY] by COLUMN (SUBQUERY)",
     "Runs a query over the rows of each value of a column.", "hint.strategy=native|shuffle|legacy",
     PEOPLE " | partition by team (top 1 by age) | sort by name asc"},
    {"reduce", NULL, OPERATOR_TABULAR,
     "T | reduce [kind=source] by EXPRESSION [with [threshold=T] [, characters=C]]",
     "Groups similar texts under patterns with wildcards.", "kind=source",
     "datatable(host:string)['web-01', 'web-02', 'web-03'] | reduce by host | project Pattern, "
     "Count"},
    {"scan", NULL, OPERATOR_TABULAR,
     "T | scan [with_match_id=NAME] [declare (NAME:TYPE [= DEFAULT], ...)] with (step NAME "
     "[output=all|last|none]: CONDITION [=> COLUMN = VALUE, ...]; ...)",
     "Follows rows through the steps of a pattern and keeps state between them.", "with_match_id=",
     "range x from 1 to 4 step 1 | scan declare (total:long = 0) with (step s: true => total = x + "
     "s.total;)"},
    TABULAR("facet", "T | facet by COLUMN, ... [with (SUBQUERY)]",
            "Yields a table of counts for each column.", PEOPLE " | facet by team"),
    TABULAR("fork", "T | fork [NAME =] (SUBQUERY) ...", "Yields the table of each sub-query.",
            PEOPLE " | fork (where age > 40 | project name) (count)"),
    TABULAR("consume", "T | consume [decodeblocks=true]", "Runs the query and drops its rows.",
            PEOPLE " | consume"),
    TABULAR("assert-schema", "T | assert-schema (NAME:TYPE, ...)",
            "Fails unless the input has these columns and types.",
            "print x = 1 | assert-schema (x:long)"),
    TABULAR("execute-and-cache", "T | execute-and-cache",
            "Runs the query up to here once, for all readers.", "print x = 1 | execute-and-cache"),
    {"render", NULL, OPERATOR_TABULAR, "T | render CHART [with (PROPERTY = VALUE, ...)]",
     "Says how the result is to be drawn; the rows stay as they are.",
     "=anomalychart|areachart|barchart|card|columnchart|ladderchart|linechart|piechart|pivotchart|"
     "plotly|scatterchart|stackedareachart|table|timechart|timepivot|treemap",
     "range x from 1 to 2 step 1 | extend y = x * x | render linechart"},

    TABULAR(
        "make-graph",
        "EDGES | make-graph FROM --> TO [with NODES on KEY [, NODES on KEY] | with_node_id=NAME]",
        "Makes a graph of a table of edges.", GRAPH " | graph-to-table edges"),
    TABULAR(
        "graph-match",
        "G | graph-match [cycles=CYCLES] (A)-[E]->(B) [where PREDICATE] project EXPRESSION, ...",
        "Finds all places of a graph that look like a pattern.",
        GRAPH " | graph-match (x)-[one]->(y)-[two]->(z) project start = x.id, end = z.id"),
    TABULAR(
        "graph-shortest-paths",
        "G | graph-shortest-paths [output=any|all] (A)-[E*MIN..MAX]->(B) [where PREDICATE] project "
        "EXPRESSION, ...",
        "Finds the shortest paths between nodes of a graph.",
        GRAPH " | graph-shortest-paths (x)-[way*1..5]->(z) where x.id == 'a' and z.id == 'c' "
              "project start = x.id, hops = array_length(way)"),
    TABULAR("graph-to-table", "G | graph-to-table nodes|edges [as NAME] [with_node_id=NAME], ...",
            "Turns a graph back into tables.", GRAPH " | graph-to-table nodes"),
    TABULAR("graph-where-nodes", "G | graph-where-nodes PREDICATE",
            "Keeps the nodes that meet a condition, and the edges between them.",
            GRAPH " | graph-where-nodes size < 3 | graph-to-table edges"),
    TABULAR("graph-where-edges", "G | graph-where-edges PREDICATE",
            "Keeps the edges that meet a condition.",
            GRAPH " | graph-where-edges from == 'a' | graph-to-table edges"),
    TABULAR("graph-mark-components",
            "G | graph-mark-components [kind=weak|strong] [with_component_id=NAME]",
            "Numbers the connected parts of a graph.",
            GRAPH " | graph-mark-components | graph-to-table nodes"),
};

const OperatorSet TABULAR_OPERATORS = {ROWS, COUNT_OF(ROWS)};

static const OperatorSet *const SETS[] = {&TABULAR_OPERATORS, &EXPRESSION_OPERATORS};

void
operator_each(void (*each)(void *arg, const OperatorDef *op), void *arg)
{
    for (size_t s = 0; s < COUNT_OF(SETS); s++)
        for (size_t i = 0; i < SETS[s]->count; i++)
            each(arg, &SETS[s]->rows[i]);
}

const OperatorDef *
operator_find(Str name)
{
    for (size_t s = 0; s < COUNT_OF(SETS); s++) {
        for (size_t i = 0; i < SETS[s]->count; i++) {
            const OperatorDef *op = &SETS[s]->rows[i];
            Str rest = str_from(op->aliases), alias;
            if (str_equal(name, str_from(op->name)))
                return op;
            while (str_next_word(&rest, &alias))
                if (str_equal(name, alias))
                    return op;
        }
    }
    return NULL;
}
