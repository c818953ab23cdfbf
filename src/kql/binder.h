// Binder: from a parsed query to a typed plan.
#pragma once

#include "base/buffer.h"
#include "base/diagnostics.h"
#include "kql/catalog.h"

// Request properties (`set name = value`) that mean something here; others are accepted.
typedef struct QueryProperties {
    bool no_truncation;
    int64_t max_records;      // truncationmaxrecords; -1 = none
    int64_t take_max_records; // query_take_max_records; -1 = none
    int64_t timeout;          // servertimeout, ticks; 0 = none
} QueryProperties;

typedef struct BoundQuery {
    Plan **results; // of the tabular statements, in order; fork and facet have several
    Str *names;     // of each result, empty when it has none
    uint32_t count;
    uint32_t primary; // the first result of the last statement
    Str render;       // visualisation of the last `render`, empty if none
    QueryProperties properties;
    // What it reads may be another thing at another time: a table's name, a number of rows ... was
    // computed from now().
    bool clocked;
} BoundQuery;

// For Catalog.open: nothing noted yet, in `arena`.
OpenColumns *kql_open_columns(Arena *arena);

// Binds all statements of `query`. NULL with an error at its span: unknown names
// come with the nearest known one, types with what met. `diagnostics` (may be NULL: the
// first error ends the work) gets all errors, of which `error` is the first, and the
// warnings. Everything lives in `arena`.
BoundQuery *kql_bind(Arena *arena, const AstQuery *query, const Catalog *catalog,
                     Diagnostics *diagnostics, AzError *error);

// The optimiser: projection pruning into scans, predicate push-down, top-k,
// constant folding. `rules` is a set of OptimiseRule bits, all by default, so that
// tests can switch each off. Answers never change.
typedef enum OptimiseRule {
    OPTIMISE_PUSH_FILTER = 1 << 0,
    OPTIMISE_PRUNE_COLUMNS = 1 << 1,
    OPTIMISE_SCAN_PREDICATES = 1 << 2,
    OPTIMISE_TOP_K = 1 << 3,
    OPTIMISE_TEXT_PREDICATES = 1 << 4, // with OPTIMISE_SCAN_PREDICATES: of searches in texts
    OPTIMISE_ANY_PREDICATES = 1 << 5,  // the same: of `or`
    OPTIMISE_JSON_PATHS = 1 << 6,      // members of JSON texts as columns
    OPTIMISE_SHARE = 1 << 7,           // equal summaries are made once
    OPTIMISE_COMMON = 1 << 8,          // equal parts of expressions are computed once
    OPTIMISE_ALL = 0xFFFF,
} OptimiseRule;
// optimise_scan.c: tells the scans of a plan what rows are wanted of them.
void plan_scan_predicates(Arena *arena, Plan *plan, uint32_t rules);
// What follows from a condition over the columns of `scan`, as one predicate; false when
// nothing does, or the rules of the scan's predicates do not allow to look into an `or`.
bool condition_predicate(Arena *arena, const Plan *scan, const Expr *condition, ScanPredicate *out);
// Whether the condition is never true because it looks for something in a null, or an empty text.
bool condition_is_hopeless(const Expr *expr);
// The plans of one query; what they have in common is evaluated once for all.
void kql_optimise(Arena *arena, Plan **plans, uint32_t count, const Catalog *catalog,
                  uint32_t rules);

// The plan as lines, one an operator, each before its inputs.
typedef struct PlanLine {
    const Plan *plan;
    uint32_t depth;
    const char *name;
    Str details; // what it does, in words near the query's
} PlanLine;
typedef struct PlanLines {
    Arena *arena;
    PlanLine *items;
    size_t len, cap;
} PlanLines;
void plan_explain(const Plan *plan, PlanLines *out);
