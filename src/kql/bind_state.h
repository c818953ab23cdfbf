// What the binder's files share: names in scope, and the entries of each part.
#pragma once

#include "base/array.h"
#include "base/diagnostics.h"
#include "kql/binder.h"
#include "kql/column_namer.h"

// Plans a query may grow to: lets and functions are bound anew at each use, which a
// hostile query could make exponential.
enum { BINDER_PLANS_MAX = 20000, BINDER_DEPTH_MAX = 200, OPEN_COLUMNS_MAX = 500 };

typedef struct Scope Scope;

typedef enum BindingKind {
    BINDING_SCALAR,   // expr
    BINDING_TABLE,    // ast, bound in `scope` at each use; or plan
    BINDING_FUNCTION, // function, bound in `scope` at each call
    BINDING_ENTITIES, // ast: an entity group
    BINDING_ENTITY,   // ast: the database or cluster that macro-expand's name stands for
    BINDING_PATTERN,  // pattern; its cases are bound in `scope`
    BINDING_DATABASE, // place: what an alias stands for
    BINDING_BROKEN,   // its value has an error that was told where it stands
} BindingKind;

typedef struct Binding {
    Str name;
    BindingKind kind;
    Expr *expr;
    const AstExpr *ast;
    Plan *plan;
    const AstFunction *function;
    const AstPattern *pattern;
    Str place;
    Scope *scope;                // where the value was written
    const struct Access *access; // what `restrict` had left visible where it was declared
    struct Binding *next;
} Binding;

// What `restrict access to` leaves visible; NULL = everything. Each statement narrows
// the one before.
typedef struct AccessEntry {
    bool is_database; // written with database(): a table or function of `place`
    Str place, name;  // the name may hold stars
} AccessEntry;

typedef struct Access {
    AccessEntry *items;
    size_t len, cap;
    const struct Access *outer;
} Access;

struct Scope {
    Scope *outer;
    Binding *bindings; // newest first
    const Access *access;
};

// What scan's expressions call by `step.column`: the record's columns once more for each
// step, behind them.
typedef struct StepScope {
    const AstScanStepList *steps;
    const Schema *record;
} StepScope;

// A column that a table was found to need although its schema lacks it; see bind_open.c.
typedef struct OpenColumn {
    Str table;
    Column column;
} OpenColumn;

struct OpenColumns {
    Arena *arena;
    OpenColumn *items;
    size_t len, cap;
    Str *tables; // open tables met while binding
    size_t table_count, table_cap;
    bool grown;           // since binding began
    Str missed;           // the last column missed,
    size_t missed_tables; // and how many of the tables were asked for it
};

typedef struct GraphScope GraphScope; // bind_graph.h

// The columns an expression may name.
typedef struct Row {
    const Schema *schema; // NULL: none
    const AbsentColumns *absent;
    bool ignore_case;       // Resource Graph's tables
    bool serialized;        // window functions may be called
    bool uses_window;       // set when one was
    const StepScope *steps; // NULL outside scan
    GraphScope *graph;      // inside graph operators: variables and functions; NULL elsewhere
    bool open;              // names that are not there are null dynamics (see Plan)
} Row;

// A function from a file or the store whose body is being bound.
typedef struct OpenFunction {
    const AstFunctionFile *file;
    const struct OpenFunction *outer;
} OpenFunction;

typedef struct Binder {
    Arena *arena;
    const Catalog *catalog;
    AzError *error;
    Scope *scope;
    Plan *implicit; // source of a sub-query without one
    uint32_t plans;
    uint32_t depth;
    uint32_t shared_ids;
    Str render;
    QueryProperties properties;
    OpenColumns *open;
    const OpenFunction *open_functions; // innermost first
    // The last column looked for in the whole database, which `search` does for each table.
    Str sought_column;
    Type sought_type;
    Str unknown_watchlist; // the last one met, for the error about its columns
    // Going on behind an error: see bind_recover.c.
    Diagnostics *diagnostics; // NULL: the first error ends the binding
    bool failed;              // an error was noted
    bool silent;              // the error in `error` only follows from one that was noted
    bool warned_geoip;        // of a missing database of addresses, once
    bool doubtful;            // columns may be missing because of a noted error
    uint32_t attempts;        // a failure is an answer here, not an error of the query
    bool missing_table;       // an error was an unknown table
    bool hypothetical;        // arguments of a function stand for values not known yet
    bool clocked;             // a constant that the plan was made by depends on the time
    struct {
        Str *items;
        size_t len, cap;
    } broken_columns; // of this statement: their expressions have errors
    // While aggregates may be called: where they are collected.
    struct AggregateList *aggregates;
} Binder;

typedef struct AggregateList {
    AggregateCall *items;
    size_t len, cap;
    uint32_t outputs; // columns so far, behind the keys
    const Row *row;   // the rows that are aggregated
    Expr *const *keys;
    uint32_t key_count;
} AggregateList;

// bind_scope.c
bool bind_fail(Binder *b, Span span, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool bind_unsupported(Binder *b, Span span, const char *what);
Binding *scope_find(const Scope *scope, Str name);
Binding *scope_add(Binder *b, Scope *scope, Str name, BindingKind kind);
// The functions declared as views, in the order of their declaration.
void scope_each_view(Binder *b, const Scope *scope, void (*each)(void *context, Str name),
                     void *context);
Scope *scope_push(Binder *b, Scope *outer);
bool bind_enter(Binder *b, Span span);
Plan *bind_plan(Binder *b, PlanKind kind, Span span); // NULL when there are too many
const AstParam *operator_param(const AstOperator *step, const char *name);
bool operator_flag(const AstOperator *step, const char *name); // name=true

// bind_statement.c: set, declare, alias, restrict
bool bind_set(Binder *b, const AstStatement *statement);
bool bind_query_parameters(Binder *b, const AstStatement *statement);
bool bind_pattern_statement(Binder *b, const AstStatement *statement);
bool bind_alias(Binder *b, const AstStatement *statement);
bool bind_restrict(Binder *b, const AstStatement *statement);
Plan *bind_pattern_call(Binder *b, const Binding *pattern, const AstExpr *call, const AstExpr *path,
                        Span span);
// Whether `restrict` leaves the let, or the table or function of `place`, visible.
bool binding_is_visible(Binder *b, const Binding *binding);
bool name_is_visible(Binder *b, Str place, Str name);
bool table_is_visible(Binder *b, Str place, Str name); // a let of that name, else a table

// bind_place.c: names of other databases
// The place that a chain of database(), cluster(), workspace() ... calls means; false
// when `ast` is no such chain.
bool place_of(Binder *b, const AstExpr *ast, Str *place);
bool is_place_call(Str name);
// Tables and parameterless functions of a place: T, database("d").T
Plan *bind_place_table(Binder *b, Str place, Str name, Span span);
Plan *bind_qualified(Binder *b, const AstExpr *ast); // place.T, place.f(), pattern("x").path

// bind_open.c: columns that only the data knows
Plan *open_table(Binder *b, Plan *plan, Str table);
void open_column_missed(Binder *b, Str column);

// bind_external.c: rows from outside
Plan *bind_externaldata(Binder *b, const AstOperator *step);
Plan *bind_inline_external_table(Binder *b, const AstOperator *step);
// Calls that yield tables and are no functions in KQL: _GetWatchlist, external_table ...;
// false: the name is none of them.
bool bind_special_table(Binder *b, const AstExpr *ast, Plan **out);
bool is_special_table(Str name);
// bind_recover.c: going on behind an error
bool bind_recover(Binder *b); // notes the error; true when binding may go on
bool bind_again(Binder *b);   // fails for an error that was noted; false
void bind_warn(Binder *b, Span span, const char *format, ...) __attribute__((format(printf, 3, 4)));
void break_item_names(Binder *b, const AstItemList *items);
void break_operator(Binder *b, const AstOperator *step); // its output is in doubt
bool column_is_broken(const Binder *b, Str name);
Plan *bind_pipeline(Binder *b, Plan *plan, const AstExpr *pipeline);

// binder.c: statements and functions
bool bind_lets(Binder *b, const AstStatementList *statements, size_t count);
// Calls a KQL function: binds its arguments into a new scope. `first` (may be NULL) is
// a table handed in front of the written arguments (invoke).
bool bind_call_scope(Binder *b, const AstFunction *function, Scope *home, const AstExpr *call,
                     Row *row, Plan *first, Scope **out);
bool function_is_tabular(Binder *b, const AstFunction *function, Scope *home);
const AstFunction *find_kql_function(Binder *b, Str name, Scope **home,
                                     const AstFunctionFile **file);
// Errors inside a function file are told with its name and line, at the call.
void relocate_error(Binder *b, const AstFunctionFile *file, Span call);

// bind_expression.c
Expr *bind_expression(Binder *b, const AstExpr *ast, Row *row);
// The type of a column that rows do not carry; TYPE_NONE when no table has it.
Type absent_column_type(Binder *b, const AbsentColumns *absent, Str name);
// What union calls a column whose name it has to split by type: name_type.
Str split_name(Arena *arena, Str name, Type type);
Expr *bind_predicate(Binder *b, const AstExpr *ast, Row *row); // a bool
Expr *bind_constant(Binder *b, const AstExpr *ast, Type type, const char *what);
// A constant number of rows or values; less than 0 is 0.
bool bind_count(Binder *b, const AstExpr *ast, const char *what, int64_t *out);
Expr *bind_convert(Binder *b, Expr *expr, Type to);
Expr *bind_function(Binder *b, Str name, Expr **args, uint32_t count, Span span);
// Converts the arguments that are unknown to the type to try at that attempt, from 0; false
// when there are no more.
bool bind_unknown_as(Binder *b, Expr *const *args, size_t count, size_t attempt, Expr **out);
bool is_tabular(Binder *b, const AstExpr *ast);
Expr *bind_aggregate_call(Binder *b, const AstExpr *ast);
bool name_is_aggregate(Binder *b, Str name);

// bind_special.c: calls whose answer is known while binding
Expr *bind_bin_auto(Binder *b, const AstExpr *ast, Row *row);
Expr *bind_assert(Binder *b, const AstExpr *ast, Row *row);
Expr *bind_is_column(Binder *b, const AstExpr *ast, Row *row);

// bind_name.c
Str default_name(Binder *b, const AstExpr *ast);    // empty: it has none
Str aggregate_name(Binder *b, const AstExpr *call); // of the first output
bool namer_add(Binder *b, ColumnNamer *namer, const AstName *name, Str fallback, Type type);

// bind_tuple.c: calls that yield several values
typedef struct Tuple {
    uint32_t count;
    Str *names; // of the columns, when the query gives none
    Type *types;
    bool whole; // one value only, which is the call's own
} Tuple;
// What is to be computed in front of a projection, behind the `first` columns of its input.
typedef struct TupleStage {
    uint32_t first;
    Expr **items;
    size_t len, cap;
} TupleStage;
// The columns that an item stands for; a name is empty where the call gives none.
typedef struct TupleColumns {
    Expr **exprs;
    Str *names;
    uint32_t count;
} TupleColumns;
const Tuple *tuple_of_call(Binder *b, const AstExpr *call, Expr *const *args, uint32_t arg_count);
// `stage` may be NULL.
bool tuple_expand(Binder *b, const AstItem *item, Expr *expr, TupleStage *stage, TupleColumns *out);
Plan *tuple_stage_plan(Binder *b, Plan *input, const TupleStage *stage, bool window, Span span);

// bind_brought.c
Plan *bind_bare_name(Binder *b, const AstExpr *ast);

// bind_table.c, bind_operator.c, bind_shape.c, bind_join.c
Plan *bind_table(Binder *b, const AstExpr *ast);
Plan *bind_table_name(Binder *b, Str name, Span span);
void bind_hidden(Binder *b, Str name, Span span); // an error: `restrict` hides the name
Plan *scan_plan(Binder *b, TableSource *source, Str name, bool ignore_case, Span span);
Plan *call_function(Binder *b, const AstFunction *function, Scope *home,
                    const AstFunctionFile *file, const AstExpr *call, Plan *first, Span span);
// The tables of a statement list: its lets in `scope`, then its last statement.
Plan *bind_body(Binder *b, const AstStatementList *body, Scope *scope, Span span);
Plan *bind_table_or_graph(Binder *b, const AstExpr *ast);
Plan *bind_operator(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_source(Binder *b, const AstOperator *step);
Plan *bind_where(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_project(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_extend(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_project_away(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_project_keep(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_project_rename(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_project_reorder(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_summarize(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_make_series(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_join(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_union(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_mv_expand(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_mv_apply(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_parse(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_parse_kv(Binder *b, Plan *input, const AstOperator *step);   // bind_parse_kv.c
Plan *bind_partition(Binder *b, Plan *input, const AstOperator *step);  // bind_partition.c
Plan *bind_scan(Binder *b, Plan *input, const AstOperator *step);       // bind_scan.c
Plan *bind_top_nested(Binder *b, Plan *input, const AstOperator *step); // bind_top_nested.c
Plan *bind_reduce(Binder *b, Plan *input, const AstOperator *step);     // bind_partition.c
// What stands for rows of `input` in a sub-query that is run over some of them at a time;
// its number is in correlated.leaf.
Plan *bind_leaf(Binder *b, const Plan *input, const Schema *schema, Span span);
// `sub` over the rows of each key, its leaf being `leaf`.
Plan *partition_plan(Binder *b, Plan *input, Expr **keys, size_t key_count, const Plan *leaf,
                     Plan *sub, Span span);
// bind_graph.c
Plan *bind_make_graph(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_graph_where(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_graph_components(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_graph_to_table(Binder *b, Plan *input, const AstOperator *step);
// bind_graph_match.c
Plan *bind_graph_match(Binder *b, Plan *input, const AstOperator *step);
// bind_graph_scope.c: what names and functions mean inside graph operators. Each returns
// whether it knows the thing; then *out is its value, or NULL with an error.
bool graph_bind_elementwise(Binder *b, const AstExpr *ast, Row *row, Expr **out);
bool graph_bind_name(Binder *b, const AstExpr *ast, Row *row, Expr **out);
bool graph_bind_member(Binder *b, const AstExpr *ast, Row *row, Expr **out);
bool graph_bind_call(Binder *b, const AstExpr *ast, Row *row, Expr **out);
// Names of tables, copied; collect_table_name is for Catalog.each_table.
typedef struct TableNames {
    Arena *arena;
    Str *items;
    size_t len, cap;
} TableNames;
void collect_table_name(void *names, Str name); // bind_table.c
// A plan of that kind over all that `input` yields, columns and order kept (bind_table.c).
Plan *bind_over(Binder *b, PlanKind kind, Plan *input, Span span);
Plan *bind_evaluate(Binder *b, Plan *input, const AstOperator *step); // bind_evaluate.c
// bind_rewrite.c: operators that are others in disguise
Plan *bind_search(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_sample_distinct(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_top_hitters(Binder *b, Plan *input, const AstOperator *step);

Plan *bind_find(Binder *b, Plan *input, const AstOperator *step); // bind_find.c
// bind_names.c: operators and functions about the names of columns
Plan *bind_project_by_names(Binder *b, Plan *input, const AstOperator *step);
Plan *bind_assert_schema(Binder *b, Plan *input, const AstOperator *step);
Expr *bind_column_names_of(Binder *b, const AstExpr *ast, Row *row);
// Whether a name fits a pattern with stars.
bool name_matches(Binder *b, Str pattern, Str name, bool ignore_case);
// bind_macro.c: entity groups
Plan *bind_macro_expand(Binder *b, const AstOperator *step);
bool is_entity_group(const AstExpr *ast);
bool is_entity_value(const AstExpr *ast); // X.$current_database and the like
Expr *bind_entity_value(Binder *b, const AstExpr *ast, const Binding *entity);
// The base of a qualified name with macro-expand's name replaced by what it stands for.
const AstExpr *entity_base(Binder *b, const AstExpr *base);

// bind_results.c: what a statement yields
typedef struct ResultPlans {
    struct ResultPlan {
        Plan *plan;
        Str name;
    } * items;
    size_t len, cap;
} ResultPlans;
// Adds the tables of a statement: one, or those of fork and facet at its end.
bool bind_results(Binder *b, const AstExpr *ast, Str name, ResultPlans *out);
// graph-to-table with several outputs, at the end of a statement (bind_graph.c).
bool bind_graph_tables(Binder *b, const AstExpr *ast, ResultPlans *out);
Plan *bind_several(Binder *b, Plan *input, const AstOperator *step); // fails: not at the end
Plan *bind_consume(Binder *b, Plan *input, const AstOperator *step);
// One evaluation of `input` for all who read it.
Plan *bind_shared(Binder *b, Plan *input, Span span);

// bind_rewrite.c: conditions with bare texts, as search and find take them
AstExpr *search_condition(Binder *b, const AstExpr *ast, bool exact_case);
// A pattern with stars as a regex; `whole`: for all of a text, not for a part of it.
Str star_regex(Binder *b, Str pattern, bool exact_case, bool whole);
// bag_pack("name", column, ...) of the given columns.
// The array without elements.
Expr *bind_no_elements(Binder *b, Span span);
// The bag of the keys and values in turn; the empty one of none.
Expr *bind_bag(Binder *b, Expr **args, uint32_t count, Span span);
Expr *bag_of_columns(Binder *b, const Row *row, const uint32_t *columns, uint32_t count, Span span);

// The tables of a union, as they are found.
typedef struct UnionInputs {
    Plan **items;
    Str *names; // what withsource shows of each
    size_t len, cap;
    AzError left_out; // why isfuzzy left out the first that it did
} UnionInputs;
bool union_add(Binder *b, UnionInputs *inputs, Plan *plan, Str name); // false when plan is NULL
// One table of a list: a name, a pattern with stars, or an expression.
bool union_add_listed(Binder *b, UnionInputs *inputs, const AstExpr *ast, bool fuzzy,
                      size_t ordinal, const char *unnamed);
// All tables that have rows, and views: what search and find look through.
bool union_add_all(Binder *b, UnionInputs *inputs, Span span);
Plan *union_plan(Binder *b, const UnionInputs *inputs, const AstName *source, bool inner,
                 Span span);
Row row_of(const Plan *plan);
// A projection of `input` onto `exprs`, as PLAN_WINDOW when one uses a window function.
Plan *bind_projection(Binder *b, Plan *input, Schema schema, Expr **exprs, bool window, Span span);
bool plan_ignores_case(const Plan *plan);
