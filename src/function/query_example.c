// The examples, by name.

#include "function/query_example.h"

#include "base/array.h"

#define TEAMS   "datatable(team:string, age:long)['A', 31, 'B', 28, 'A', 45]"
#define WEIGHTS "datatable(bucket:long, rows:long)[10, 1, 20, 8, 30, 1]"
#define POINTS  "datatable(x:real, y:real)[1, 2, 2, 4, 3, 6]"
#define FLAGS   "datatable(bits:long)[6, 3]"
#define ORDERED "datatable(team:string, age:long)['A', 31, 'A', 45, 'B', 28] | serialize"

static const struct {
    const char *name, *query;
} EXAMPLES[] = {
    {"arg_max", TEAMS " | summarize arg_max(age, team)"},
    {"arg_min", TEAMS " | summarize arg_min(age, *)"},
    {"avg", TEAMS " | summarize avg(age) by team"},
    {"avgif", TEAMS " | summarize avgif(age, team == 'A')"},
    {"binary_all_and", FLAGS " | summarize binary_all_and(bits)"},
    {"binary_all_or", FLAGS " | summarize binary_all_or(bits)"},
    {"binary_all_xor", FLAGS " | summarize binary_all_xor(bits)"},
    {"buildschema", "datatable(d:dynamic)[dynamic({'a': 1}), dynamic({'a': 'x', 'b': 2.5})] | "
                    "summarize buildschema(d)"},
    {"count", TEAMS " | summarize count() by team"},
    {"count_distinct", TEAMS " | summarize count_distinct(team)"},
    {"count_distinctif", TEAMS " | summarize count_distinctif(team, age > 30)"},
    {"countif", TEAMS " | summarize countif(age > 30)"},
    {"covariance", POINTS " | summarize covariance(x, y)"},
    {"covarianceif", POINTS " | summarize covarianceif(x, y, x < 3)"},
    {"covariancep", POINTS " | summarize covariancep(x, y)"},
    {"covariancepif", POINTS " | summarize covariancepif(x, y, x < 3)"},
    {"dcount", TEAMS " | summarize dcount(team)"},
    {"dcountif", TEAMS " | summarize dcountif(team, age > 30)"},
    {"hll", TEAMS " | summarize sketch = hll(team) | project teams = dcount_hll(sketch)"},
    {"hll_if",
     TEAMS " | summarize sketch = hll_if(team, age > 30) | project teams = dcount_hll(sketch)"},
    {"hll_merge", TEAMS " | summarize sketch = hll(age) by team | summarize merged = "
                        "hll_merge(sketch) | project ages = dcount_hll(merged)"},
    {"make_bag", TEAMS " | summarize make_bag(bag_pack(team, age))"},
    {"make_bag_if", TEAMS " | summarize make_bag_if(bag_pack(team, age), age < 40)"},
    {"make_list", TEAMS " | summarize make_list(age) by team"},
    {"make_list_if", TEAMS " | summarize make_list_if(age, age > 30)"},
    {"make_list_with_nulls",
     "datatable(x:long)[1, long(null), 3] | summarize make_list_with_nulls(x)"},
    {"make_set", TEAMS " | summarize make_set(team)"},
    {"make_set_if", TEAMS " | summarize make_set_if(team, age > 30)"},
    {"max", TEAMS " | summarize max(age)"},
    {"maxif", TEAMS " | summarize maxif(age, team == 'B')"},
    {"min", TEAMS " | summarize min(age)"},
    {"minif", TEAMS " | summarize minif(age, team == 'A')"},
    {"next", ORDERED " value = next(age, 1, 0)"},
    {"percentile", TEAMS " | summarize percentile(age, 50)"},
    {"percentiles", TEAMS " | summarize percentiles(age, 50, 90)"},
    {"percentiles_array", TEAMS " | summarize percentiles_array(age, 50, 90)"},
    {"percentilesw", WEIGHTS " | summarize percentilesw(bucket, rows, 5, 50)"},
    {"percentilesw_array", WEIGHTS " | summarize percentilesw_array(bucket, rows, 5, 50)"},
    {"percentilew", WEIGHTS " | summarize percentilew(bucket, rows, 50)"},
    {"prev", ORDERED " value = prev(age)"},
    {"row_cumsum", ORDERED " value = row_cumsum(age)"},
    {"row_number", ORDERED " value = row_number(1, team != prev(team))"},
    {"row_rank", ORDERED " value = row_rank(team)"},
    {"row_rank_dense", ORDERED " value = row_rank_dense(team)"},
    {"row_rank_min", ORDERED " value = row_rank_min(team)"},
    {"row_window_session",
     "datatable(t:datetime)[datetime(2024-01-01 10:00), datetime(2024-01-01 10:04), "
     "datetime(2024-01-01 11:00)] | serialize session = row_window_session(t, 1h, 10m)"},
    {"stdev", TEAMS " | summarize round(stdev(age), 3)"},
    {"stdevif", TEAMS " | summarize round(stdevif(age, team == 'A'), 3)"},
    {"stdevp", TEAMS " | summarize round(stdevp(age), 3)"},
    {"stdevpif", TEAMS " | summarize round(stdevpif(age, team == 'A'), 3)"},
    {"sum", TEAMS " | summarize sum(age) by team"},
    {"sumif", TEAMS " | summarize sumif(age, team == 'A')"},
    {"take_any", TEAMS " | summarize take_any(team)"},
    {"take_anyif", TEAMS " | summarize take_anyif(age, team == 'B')"},
    {"tdigest",
     TEAMS " | summarize digest = tdigest(age) | project median = percentile_tdigest(digest, 50)"},
    {"tdigest_merge",
     TEAMS " | summarize digest = tdigest(age) by team | summarize merged = tdigest_merge(digest) "
           "| project greatest = percentile_tdigest(merged, 100)"},
    {"variance", TEAMS " | summarize variance(age)"},
    {"varianceif", TEAMS " | summarize varianceif(age, team == 'A')"},
    {"variancep", TEAMS " | summarize variancep(age)"},
    {"variancepif", TEAMS " | summarize variancepif(age, team == 'A')"},
};

const char *
function_query_example(Str name)
{
    for (size_t i = 0; i < COUNT_OF(EXAMPLES); i++)
        if (str_equal(name, str_from(EXAMPLES[i].name)))
            return EXAMPLES[i].query;
    return NULL;
}
