// FunctionDef: what the language knows of a function. Help text, completion, the
// reference page and the type checker come from this row; the kernel behind it
// (`impl`) belongs to the room `function/` and is opaque here.
#pragma once

#include "value/type.h"

typedef enum FunctionKind {
    FUNCTION_SCALAR,
    FUNCTION_AGGREGATE,
    FUNCTION_WINDOW, // needs serialised input: row_number(), prev() ...
} FunctionKind;

typedef enum FunctionFlag {
    // The kernel sees null arguments itself. Otherwise any null argument makes the
    // result null (of a string result: the empty string).
    FN_OWN_NULLS = 1 << 2,
    // Not folded, and evaluated anew for each row: rand(), new_guid().
    FN_VOLATILE = 1 << 3,
    // A hidden row: operators and internals, not listed for users.
    FN_INTERNAL = 1 << 4,
    // The aggregate is the base one with a trailing bool argument as filter: sumif.
    FN_AGG_IF = 1 << 5,
    // Aggregates: one output column for each argument (arg_max, take_any), named as the column.
    FN_AGG_COLUMNS = 1 << 6,
    // iff(): each branch is evaluated for its own rows only.
    FN_LAZY = 1 << 8,
    // An old spelling that still runs.
    FN_OBSOLETE = 1 << 7,
    // Asks the database of addresses, which is its bound value; NULL when there is none.
    FN_GEOIP = 1 << 9,
    // True only of a first argument that holds, regardless of case, one of the others.
    FN_FINDS_TEXT = 1 << 10,
    // Tells the time of the query: a constant in each query, another one in the next.
    FN_CLOCK = 1 << 11,
} FunctionFlag;

// `signature` is what people read and what the binder checks, for example
//     "(source:string, start:long, length:long=) : string"
//     "(predicate:bool, then:T, else:T) : T"
//     "(values:scalar...) : string"
//     "(value:numeric, round_to:numeric) : real"
// Types: bool int long real decimal datetime timespan string guid dynamic;
//   `scalar`  any type, passed as it is;
//   `numeric` int, long, real or decimal, passed as it is;
//   `text`    any type, brought to a string;
//   `whole`   int, long, real or decimal, cut to a long;
//   `measure` a number, datetime or timespan (its ticks), brought to a real;
//   `plain`   any type but dynamic, passed as it is;
//   `textual` a string or a dynamic, brought to a string;
//   `strings` a string or a dynamic, passed as it is;
//   `wholes`  an int, a long or an array of them, passed as it is;
//   `array`   a dynamic, unless it is known to be something else than an array;
//   `bag`     the same of bags;
//   `series`  an array of numbers, or one number, as a dynamic;
//   `T`       any type; all T of a call are brought to one common type;
//   `N`       as T, but numeric;
//   `O`       as T, but no dynamic.
// `constant(string)` takes no value made of columns. A dynamic stands for a string
// without being converted, and for no other type.
// `name:type=` is optional (absent arguments are not passed); `name:type...` takes
// one or more; it must be the last. The result is a type, `array`, `bag`, T, N or O, or the type that
// `impl` computes when written `*` (function/ bind hook).
// Several rows of one name are overloads: the one that needs the fewest and
// cheapest conversions is taken, the earlier row on a tie.
typedef struct FunctionDef {
    const char *name;
    const char *aliases; // other spellings, separated by blanks; NULL if none
    const char *signature;
    const char *doc;     // one sentence, for help
    const char *example; // a KQL bool expression that is true; NULL if none. Run as a test.
    FunctionKind kind;
    uint32_t flags;
    const void *impl; // ScalarImpl or AggregateImpl
} FunctionDef;
