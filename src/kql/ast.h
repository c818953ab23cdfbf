// AST: a query as it was written, before any name is looked up.
//
// Tabular and scalar expressions share one type, because arguments, let values and
// parenthesised parts can be either. Everything lives in the arena of the parse;
// texts without escapes point into the query.
#pragma once

#include "base/error.h"
#include "value/type.h"

typedef struct AstExpr AstExpr;
typedef struct AstOperator AstOperator;
typedef struct AstFunction AstFunction;

typedef struct AstName {
    Str text; // unescaped: of ['a b'] it is `a b`
    Span span;
} AstName;

typedef struct AstExprList {
    AstExpr **items;
    size_t len, cap;
} AstExprList;

// A column with its type, in datatable, externaldata, parameters, parse-kv.
typedef struct AstColumn {
    AstName name;
    Type type;
} AstColumn;

typedef struct AstColumnList {
    AstColumn *items;
    size_t len, cap;
} AstColumnList;

typedef enum AstKind {
    AST_LITERAL,  // value
    AST_NAME,     // name: column, table, let, $left, $right
    AST_WILDCARD, // name holds the pattern: a*, Sec*Event
    AST_STAR,     // *
    AST_CALL,     // name(args)
    AST_MEMBER,   // base.name
    AST_INDEX,    // base[index]
    AST_NEGATE,   // -base
    AST_BINARY,   // base op args[0]
    AST_LIST_OP,  // base op (args...): in, has_any, has_all, between
    AST_PIPELINE, // base | operators
    AST_SOURCE,   // operators[0] stands first: print, range, datatable, union, search ...
    AST_TYPEOF,   // typeof(columns) or typeof(type)
} AstKind;

struct AstExpr {
    AstKind kind;
    Span span;
    Value value;     // AST_LITERAL; numbers are long or real
    bool unreadable; // AST_LITERAL: datetime(what is none), which is null
    AstName name;    // AST_NAME, AST_WILDCARD, AST_CALL, AST_MEMBER
    Str op;          // AST_BINARY, AST_LIST_OP: canonical, without `!`
    bool negated;    // !has, !in, !between ...
    AstExpr *base;
    AstExpr *index;     // AST_INDEX
    AstExprList args;   // AST_CALL; right sides. Arguments may be named: see arg_names
    AstName *arg_names; // AST_CALL: name of each argument, empty text = none; NULL = none at all
    AstOperator **operators; // AST_PIPELINE, AST_SOURCE
    size_t operator_count;
    AstColumnList columns; // AST_TYPEOF
    Type type;             // AST_TYPEOF of one type
    bool open_columns;     // AST_TYPEOF: typeof(*)
    // How deep the tree below is, at most AST_HEIGHT_MAX: walks may recurse.
    uint32_t height;
};

enum { AST_HEIGHT_MAX = 1500 };

// [names =] expr [to typeof(type)] [default = expr] [asc|desc ...]
typedef struct AstItem {
    AstName *names; // several: (a, b) = expr
    size_t name_count;
    AstExpr *expr;
    Type to_type;      // mv-expand, mv-apply; TYPE_NONE = not written
    AstExpr *default_; // make-series
    bool descending, nulls_first;
    bool has_order, has_nulls; // whether asc/desc, nulls first/last were written
    bool granny;               // project-reorder: granny-asc, granny-desc
    Span span;
} AstItem;

typedef struct AstItemList {
    AstItem *items;
    size_t len, cap;
} AstItemList;

// name=value before or among the clauses: kind=inner, hint.strategy=shuffle, bagexpansion=array.
typedef struct AstParam {
    Str name;
    Str text;      // the value when it is a name
    AstExpr *expr; // the value otherwise
    Span span;
} AstParam;

typedef struct AstParamList {
    AstParam *items;
    size_t len, cap;
} AstParamList;

// A piece of a parse pattern.
typedef struct AstParsePart {
    bool is_text, is_star;
    Str text;
    AstName column;
    Type type;
    Span span;
} AstParsePart;

typedef struct AstParseList {
    AstParsePart *items;
    size_t len, cap;
} AstParseList;

// A part with a name: a branch of fork, the sub-query of facet, a node table of
// make-graph (the name is its key column).
typedef struct AstBranch {
    AstName name; // empty text = none
    AstExpr *body;
} AstBranch;

typedef struct AstBranchList {
    AstBranch *items;
    size_t len, cap;
} AstBranchList;

// scan: step name [optional] [output=all|last|none]: condition [=> column = value, ...]
typedef struct AstScanStep {
    AstName name;
    bool optional;
    Str output; // empty = not written
    AstExpr *condition;
    AstItemList assignments;
} AstScanStep;

typedef struct AstScanStepList {
    AstScanStep *items;
    size_t len, cap;
} AstScanStepList;

// top-nested: [count] of key [with others = others] by aggregate [asc|desc]
typedef struct AstNestedLevel {
    AstExpr *count; // NULL = all
    AstItem key;
    AstExpr *others; // NULL = not written
    AstItem by;
} AstNestedLevel;

typedef struct AstNestedLevelList {
    AstNestedLevel *items;
    size_t len, cap;
} AstNestedLevelList;

// graph-match: nodes and edges in turn, a node first and last: (a)-[e*1..3]->(b)--(c)
typedef enum AstDirection { AST_FORWARD, AST_BACKWARD, AST_EITHER_WAY } AstDirection;

typedef struct AstGraphPart {
    bool is_edge;
    AstName name; // empty text = none
    AstDirection direction;
    AstExpr *min, *max; // both or none: an edge of variable length
    Span span;
} AstGraphPart;

typedef struct AstGraphPattern {
    AstGraphPart *items;
    size_t len, cap;
} AstGraphPattern;

typedef struct AstGraphPatternList {
    AstGraphPattern *items;
    size_t len, cap;
} AstGraphPatternList;

// graph-to-table: nodes|edges [as name] [with_node_id=x ...]
typedef struct AstGraphOutput {
    bool is_edges;
    AstName name; // empty text = none
    AstParamList params;
    Span span;
} AstGraphOutput;

typedef struct AstGraphOutputList {
    AstGraphOutput *items;
    size_t len, cap;
} AstGraphOutputList;

typedef struct AstParameter AstParameter;

// One operator. Which clauses a kind has is the parser's table OPERATORS; absent
// ones are empty.
struct AstOperator {
    Str name;  // canonical: "where", "sort", "mv-expand" ...
    Span span; // of the operator's name
    AstParamList params;
    AstItemList items; // project, extend, summarize, mv-expand items; union's tables
    AstItemList by;    // summarize by, top by, sort keys, make-series by
    bool has_by;
    AstExpr *expr;  // where's predicate, the count of take/top/sample, parse's text
    AstExpr *right; // table of join and lookup; evaluate's and invoke's call
    AstItemList on; // join conditions; make-series axis
    AstExpr *from, *to, *step;
    bool is_range; // make-series `in range(from, to, step)`
    AstExpr *body; // sub-pipeline of mv-apply, partition; its source is implicit (NULL base)
    AstName as;    // as, count as, render kind, range's column
    AstParseList parts;
    AstColumnList columns; // datatable, externaldata, parse-kv
    AstExprList rows;      // datatable cells, externaldata paths
    // The clauses of operators with a grammar of their own.
    bool open_columns;         // evaluate f() : (*)
    AstParamList properties;   // with (name=value, ...) of render, externaldata, reduce
    AstItemList project;       // graph-match, find; find's name:type is in to_type
    bool project_smart;        // find
    AstItemList project_away;  // find
    AstItemList order;         // scan's `order by`; its `partition by` is `by`
    AstParameter *declared;    // scan
    size_t declared_count;     //
    AstScanStepList steps;     // scan
    AstNestedLevelList levels; // top-nested
    AstBranchList branches;    // fork, facet, make-graph's `with`
    AstGraphPatternList patterns;
    AstGraphOutputList outputs;
    AstFunction *block; // macro-expand's statements; the entity group is `right`
};

struct AstParameter {
    AstName name;
    Type type;                // scalar parameters
    bool is_table, any_table; // T:(a:long) and T:(*)
    AstColumnList columns;
    AstExpr *default_;
};

typedef enum AstStatementKind {
    AST_LET, // name = value
    AST_LET_FUNCTION,
    AST_SET,
    AST_QUERY_PARAMETERS,
    AST_PATTERN,  // declare pattern name = pattern
    AST_ALIAS,    // alias database name = value
    AST_RESTRICT, // restrict access to (entities)
    AST_TABULAR,
} AstStatementKind;

typedef struct AstPattern AstPattern;

typedef struct AstStatement {
    AstStatementKind kind;
    Span span;
    AstName name;
    AstExpr *value;           // AST_LET, AST_TABULAR
    AstFunction *function;    // AST_LET_FUNCTION
    AstParameter *parameters; // AST_QUERY_PARAMETERS
    size_t parameter_count;
    AstItemList entities; // restrict access to (...)
    AstPattern *pattern;  // declare pattern
} AstStatement;

typedef struct AstStatementList {
    AstStatement *items;
    size_t len, cap;
} AstStatementList;

struct AstFunction {
    bool is_view;
    AstParameter *parameters;
    size_t parameter_count;
    AstStatementList body; // lets, then the result as the last statement
    Span span;
};

typedef struct AstQuery {
    Str text;
    AstStatementList statements;
} AstQuery;

// declare pattern name [= (a:string)[path:string] { ("x").["y"] = { body }; ... }]
typedef struct AstPatternCase {
    AstExprList args;
    AstExpr *path; // NULL = none
    AstStatementList body;
} AstPatternCase;

struct AstPattern {
    AstParameter *parameters; // the arguments, then the path when has_path
    size_t parameter_count;
    bool has_path;
    AstPatternCase *cases;
    size_t case_count;
};

// A function file: .create-or-alter function with (folder=..., docstring=...) Name(...) {...}
typedef struct AstFunctionFile {
    AstName name;
    Str folder, docstring;
    AstFunction *function;
    Str text; // the file's text: spans point into it
    Str path; // where it came from, set by the reader
} AstFunctionFile;

// .create table Name (column:type, ...)
typedef struct AstTableSchema {
    AstName name;
    AstColumnList columns;
} AstTableSchema;
