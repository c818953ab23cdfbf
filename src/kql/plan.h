// Plan: a query after binding. Every name is resolved to a position, every
// expression has its type, every conversion is a visible call. The optimiser
// rewrites plans into plans; exec/ runs them.
#pragma once

#include "base/error.h"
#include "column/table_source.h"
#include "kql/function_def.h"
#include "kql/plan_graph.h"

typedef struct Plan Plan;
typedef struct Expr Expr;

typedef enum ExprKind {
    EXPR_COLUMN,   // column of the input, by position
    EXPR_CONST,    // a value
    EXPR_CALL,     // scalar function
    EXPR_SUBQUERY, // a plan run once before its parent: becomes a constant
} ExprKind;

typedef enum SubqueryShape {
    SUBQUERY_SCALAR, // toscalar(): first column of the first row, null when none
    SUBQUERY_ARRAY,  // right side of `in (T)`: dynamic array of the first column's distinct values
} SubqueryShape;

// What the binder knows of the values of a dynamic expression.
typedef enum DynamicShape {
    SHAPE_ANY,
    SHAPE_ARRAY,
    SHAPE_BAG,
} DynamicShape;

struct Expr {
    ExprKind kind;
    Type type;
    DynamicShape holds; // of a dynamic; only the binder asks
    Span span;
    // Made of a column that only rows would tell (Plan.open): its type is a guess.
    bool unknown;
    bool clocked;          // EXPR_CONST: computed from the time of the query
    uint32_t column;       // EXPR_COLUMN
    Value value;           // EXPR_CONST
    const FunctionDef *fn; // EXPR_CALL
    Expr **args;
    uint32_t arg_count;
    const void *bound; // EXPR_CALL: what the function's bind hook kept, or NULL
    Plan *plan;        // EXPR_SUBQUERY
    SubqueryShape shape;
    const struct Tuple *tuple; // of a call that yields several values; only the binder asks
};

typedef enum PlanKind {
    PLAN_SCAN,   // a table
    PLAN_VALUES, // rows known at bind time: datatable, print without input
    PLAN_RANGE,  // range x from a to b step s
    PLAN_FILTER,
    PLAN_PROJECT,   // project, extend, project-away ...: one expression an output column
    PLAN_SUMMARIZE, // also distinct (no aggregates) and count
    PLAN_JOIN,
    PLAN_UNION,
    PLAN_SORT, // also top (limit)
    PLAN_TAKE,
    PLAN_MV_EXPAND,
    PLAN_MV_APPLY,
    PLAN_PARSE, // parse, parse-where
    PLAN_PARSE_KV,
    PLAN_WINDOW, // project with window functions over serialised rows
    PLAN_SHARED, // one evaluation, many readers (materialize, let tables)
    PLAN_SAMPLE, // sample, sample-distinct
    PLAN_MAKE_SERIES,
    PLAN_PARTITION, // a sub-query over the rows of each key
    PLAN_SEQUENCES, // scan: runs of rows that match steps
    PLAN_TOP_NESTED,
    PLAN_REDUCE,
    PLAN_EVALUATE,   // a plugin (kql/plugin_def.h)
    PLAN_CORRELATED, // the rows a sub-query is run over: of an element, a partition ...
    // These yield a graph (`graph` is set) ...
    PLAN_MAKE_GRAPH,
    PLAN_GRAPH_FILTER,     // graph-where-nodes, graph-where-edges
    PLAN_GRAPH_COMPONENTS, // graph-mark-components: one more node property
    // ... and these rows of one.
    PLAN_GRAPH_MATCH, // also graph-shortest-paths
    PLAN_GRAPH_NODES, // the node properties, then the hidden columns
    PLAN_GRAPH_EDGES, // the edge properties, then the ids of source and target
} PlanKind;

typedef struct SortKey {
    Expr *expr;
    bool descending, nulls_first;
} SortKey;

typedef enum JoinKind {
    JOIN_INNERUNIQUE,
    JOIN_INNER,
    JOIN_LEFTOUTER,
    JOIN_RIGHTOUTER,
    JOIN_FULLOUTER,
    JOIN_LEFTSEMI,
    JOIN_RIGHTSEMI,
    JOIN_LEFTANTI,
    JOIN_RIGHTANTI,
} JoinKind;

// One aggregate call: its arguments are expressions over the input.
typedef struct AggregateCall {
    const FunctionDef *fn;
    Expr **args;
    uint32_t arg_count;
    const void *bound;
    Expr *filter;          // only rows where this is true; NULL = all
    uint32_t output_count; // columns it yields (arg_max: one an argument)
    Type *output_types;
    Span span;
} AggregateCall;

typedef struct MvExpandItem {
    uint32_t column; // output column it fills
    Expr *expr;      // dynamic, over the input
    Type to;         // TYPE_DYNAMIC unless `to typeof(T)`
} MvExpandItem;

// A step of scan. Its expressions are over the columns of the record (the input's, then
// the declared), then those of the latest record of each step in turn.
typedef struct SequenceStep {
    Expr *condition;
    Expr **assigned; // one for each of the operator's slots; NULL = keeps its value
    bool optional;
    enum SequenceOutput { SEQUENCE_ALL, SEQUENCE_LAST, SEQUENCE_NONE } output;
} SequenceStep;

// A level of top-nested. The plans are over a PLAN_CORRELATED leaf: the rows, then the
// number of the group of the level above.
typedef struct NestedLevel {
    uint32_t key;  // column of the input
    int64_t count; // -1 = all
    Plan *ranked;  // group, key, aggregate
    Plan *rest;    // group, aggregate: of the rows that are not at the top; NULL = not wanted
    Expr *others;  // constant of the key's type; NULL when `rest` is
    bool ascending;
} NestedLevel;

typedef enum ParseMode { PARSE_SIMPLE, PARSE_RELAXED, PARSE_REGEX } ParseMode;
typedef struct ParsePart {
    bool is_text; // a delimiter (text, or regex in PARSE_REGEX), else a column or `*`
    Str text;
    ptrdiff_t column; // output column, -1 for `*`
    Type type;
} ParsePart;

typedef enum ParseKvForm {
    PARSE_KV_DELIMITED, // pair_delimiter, kv_delimiter
    PARSE_KV_LOOSE,     // what is no letter or digit divides
    PARSE_KV_REGEX,     // each match is a key and its value
} ParseKvForm;
typedef struct KvQuote {
    Str open, close; // a character each, may be the same
} KvQuote;

// Columns that rows do not carry but that may be named: what search and `union *` know
// of tables that have no rows. They are null wherever they are named.
typedef struct AbsentColumns {
    const Schema *const *schemas;
    uint32_t count;
    bool database; // those of every table there is
    // Names that union split by type but that still stand for the column of this type.
    Schema split;
} AbsentColumns;

struct Plan {
    PlanKind kind;
    Schema schema;               // what it yields
    const AbsentColumns *absent; // NULL: none
    Span span;
    Plan *input; // NULL for sources
    // Whether row order is defined (after sort, serialize, range ...), by the rules
    // of Kusto's window functions.
    bool serialized;
    const GraphShape *graph; // set when the plan yields a graph; `schema` is empty then
    // Whether there may be columns that only the rows would tell (bag_unpack, pivot), and
    // there were no rows to ask: a name that is not in the schema reads as a null dynamic.
    bool open;

    union {
        struct {
            TableSource *source;
            bool ignore_case;          // columns match without case (Resource Graph)
            bool windowed;             // only rows whose TimeGenerated is in Catalog.window count
            Str table;                 // for --explain
            uint32_t *columns;         // source column of each output column
            ScanPredicate *predicates; // for pruning only; the filter above still runs
            uint32_t predicate_count;
            uint32_t predicate_rules; // OPTIMISE_* they were made with
        } scan;
        struct {
            Batch **batches;
            uint32_t count;
        } values;
        struct {
            Expr *from, *to, *step; // constants of the column's type (step: timespan for datetime)
        } range;
        struct {
            Expr *predicate;
            const bool *read; // which of the columns are read above; NULL = any may be
        } filter;
        struct {
            Expr **exprs; // schema.count of them
        } project;
        struct {
            Expr **keys; // output columns 0 .. key_count-1
            uint32_t key_count;
            AggregateCall *aggregates; // their outputs follow, in order
            uint32_t aggregate_count;
        } summarize;
        struct {
            JoinKind kind;
            Plan *right;
            Expr **left_keys, **right_keys; // same types pairwise
            uint32_t key_count;
            // Output column -> side and column of that side's schema.
            struct JoinColumn {
                bool from_right;
                uint32_t column;
            } * columns;
        } join;
        struct {
            Plan **inputs;
            uint32_t count;
            int32_t **columns;       // [input][output column] -> input column, -1 = null
            Str *names;              // withsource text of each input
            ptrdiff_t source_column; // output column that holds it, -1 if none
        } union_;
        struct {
            SortKey *keys;
            uint32_t key_count;
            int64_t limit; // -1 = none
        } sort;
        struct {
            int64_t count;
        } take;
        struct {
            MvExpandItem *items;
            uint32_t item_count;
            uint32_t *carried; // output column -> input column; UINT32_MAX for items and the index
            ptrdiff_t index_column; // with_itemindex, -1 if none
            bool bag_as_array;      // kind=array
            int64_t row_limit;      // -1 = none
        } mv_expand;
        struct {
            Plan *expand;      // PLAN_MV_EXPAND over `input`, its last column the row number
            Plan *subplan;     // over a PLAN_CORRELATED leaf with expand's schema
            uint32_t leaf;     // number of that leaf
            uint32_t *carried; // output column -> input column; UINT32_MAX: taken from subplan
            uint32_t *from_subplan;
        } mv_apply;
        struct {
            Expr *text;
            ParseMode mode;
            bool drop_misses;                                // parse-where
            bool ignore_case, multi_line, dot_all, ungreedy; // regex flags i m s U
            ParsePart *parts;
            uint32_t part_count;
            uint32_t *carried; // output column -> input column; UINT32_MAX: a parsed column
        } parse;
        struct {
            Expr *text;
            ParseKvForm form;
            Str pair_delimiter, kv_delimiter; // PARSE_KV_DELIMITED: not empty
            bool greedy;
            KvQuote *quotes;
            uint32_t quote_count;
            Str *escapes; // a character each
            uint32_t escape_count;
            Expr *pattern;     // PARSE_KV_REGEX: a constant
            uint32_t *carried; // output column -> input column; UINT32_MAX: the key of its name
        } parse_kv;
        struct {
            Expr **keys;
            uint32_t key_count;
            Plan *subplan; // over a PLAN_CORRELATED leaf with the input's schema
            uint32_t leaf;
        } partition;
        struct {
            SequenceStep *steps;
            uint32_t step_count;
            Expr **defaults; // constants of the declared columns
            uint32_t declared;
            uint32_t *slots; // columns (of the input, or declared) that some step assigns
            uint32_t slot_count;
            bool match_id; // the last column
        } sequences;
        struct {
            NestedLevel *levels;
            uint32_t level_count;
            uint32_t leaf;
        } top_nested;
        struct {
            Expr *text;
            double threshold;
            Str characters;  // that divide terms; empty = all but letters and digits
            bool keeps_rows; // kind=source: the input's columns and the pattern
        } reduce;
        struct {
            uint32_t leaf;    // its number
            bool ignore_case; // columns match without case
        } correlated;
        struct {
            Expr **exprs; // may hold calls of FUNCTION_WINDOW rows
        } window;
        struct {
            Plan *plan;  // evaluated once
            uint32_t id; // same id = same evaluation
        } shared;
        struct {
            int64_t count;
        } sample;
        struct {
            AggregateCall *aggregates;
            Expr **defaults; // constant of each aggregate's type, or NULL = 0
            uint32_t aggregate_count;
            Expr *axis;             // over the input
            Expr *from, *to, *step; // constants; from/to may be NULL
            bool stop_inclusive;    // `in range(a, b, s)`
            bool nonempty;
            Expr **keys;
            uint32_t key_count;
        } make_series;
        GraphMake make_graph;
        struct {
            bool edges;                // else of the nodes
            const GraphInputs *inputs; // columns that the predicate reads
            Expr *predicate;
        } graph_filter;
        struct {
            bool strong;
        } graph_components;
        GraphMatch graph_match;
        struct {
            struct PluginCall *call; // its arguments are over `input`
        } evaluate;
    };
};

// Builders used by the binder and the optimiser.
Expr *expr_column(Arena *arena, uint32_t column, Type type, Span span);
Expr *expr_const(Arena *arena, const Value *value, Span span);
Plan *plan_new(Arena *arena, PlanKind kind, Span span);
// Whether the expression is made of constants alone (no columns, subqueries or volatile calls).
bool expr_is_constant(const Expr *expr);
// Whether evaluating it twice may give two values (rand() and the like, window functions).
bool expr_is_volatile(const Expr *expr);
