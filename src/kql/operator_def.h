// OperatorDef: what people are told of the language's operators and statements. Help,
// the reference pages and completion all come from these rows; how an operator is read
// is the parser's table (parser_operator.c), and a test holds the two together.
#pragma once

#include "base/slice.h"

typedef enum OperatorKind {
    OPERATOR_STATEMENT,  // let, set, declare ...
    OPERATOR_SOURCE,     // begins a pipeline: print, datatable ...
    OPERATOR_TABULAR,    // stands behind `|`
    OPERATOR_BOTH,       // both: union, search, evaluate ...
    OPERATOR_EXPRESSION, // inside expressions: has, in, + ...
} OperatorKind;

typedef struct OperatorDef {
    const char *name;
    const char *aliases; // other spellings, separated by blanks; NULL if none
    OperatorKind kind;
    const char *syntax;
    const char *doc;     // one sentence
    const char *options; // "kind=inner|leftouter withsource=": parameters and what they take; NULL
    // Statements and operators: a whole query, whose answer is shown. Expression operators:
    // a bool expression that is true. NULL when it would need something outside.
    const char *example;
} OperatorDef;

// All rows: statements, sources and tabular operators, then expression operators, each
// part in the order in which a reader meets them.
void operator_each(void (*each)(void *arg, const OperatorDef *op), void *arg);
// By name or alias, exact case; NULL when unknown.
const OperatorDef *operator_find(Str name);

typedef struct OperatorSet {
    const OperatorDef *rows;
    size_t count;
} OperatorSet;
extern const OperatorSet TABULAR_OPERATORS;    // operator_def.c
extern const OperatorSet EXPRESSION_OPERATORS; // operator_def_expression.c
