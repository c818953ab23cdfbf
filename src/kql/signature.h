// Signatures: reading the signature text of a FunctionDef and choosing the
// overload for the types of a call.
#pragma once

#include "kql/plan.h"

enum { SIGNATURE_PARAMS_MAX = 24 };

typedef enum ParamClass {
    PARAM_TYPE,           // one type
    PARAM_SCALAR,         // any type, as it is
    PARAM_NUMERIC,        // any number, as it is
    PARAM_COMMON,         // T: all T of the call get one common type
    PARAM_COMMON_NUMERIC, // N: the same for numbers
    PARAM_TEXT,           // `text`: any type, as its text
    PARAM_WHOLE,          // `whole`: a number, cut to a long
    PARAM_MEASURE,        // `measure`: a number, a time or a span, as a real
    PARAM_PLAIN,          // `plain`: any type but dynamic, as it is
    PARAM_ORDERED,        // O: as T, but no dynamic
    PARAM_TEXTUAL,        // `textual`: a string or a dynamic, as its text
    PARAM_STRINGS,        // `strings`: a string or a dynamic, as it is
    PARAM_WHOLES,         // `wholes`: an int, a long or an array, as it is
    PARAM_ARRAY,          // `array`: a dynamic that is not known to be something else
    PARAM_BAG,            // `bag`: the same
    PARAM_SERIES,         // `series`: an array or a number, as a dynamic
    PARAM_COMPUTED,       // `*`, only as a result
} ParamClass;

typedef struct SignatureParam {
    Str name;
    ParamClass class;
    Type type; // PARAM_TYPE
    bool optional, variadic;
    bool constant; // `constant(string)`: no column may stand in the argument
} SignatureParam;

typedef struct Signature {
    SignatureParam params[SIGNATURE_PARAMS_MAX];
    uint32_t count;
    uint32_t required;
    bool variadic;
    SignatureParam result;
} Signature;

// Reads the text; a malformed one is a programming error (assert).
void signature_parse(const char *text, Signature *out);

// The parameter that argument i falls to; NULL when there are too many arguments.
const SignatureParam *signature_param(const Signature *signature, uint32_t i);

// What it costs to bring `from` to `to`: 0 same type, more the more it may lose, -1
// when no implicit conversion exists.
int conversion_cost(Type from, Type to);

// The type that values of both types are brought to; TYPE_NONE when there is none.
Type type_common(Type a, Type b);

// The type of iff() and case() for branches of both types: a dynamic gives way to the
// other type, types that do not meet become dynamic (typing of the official analyser).
Type type_of_branches(Type a, Type b);

// What a call is resolved by.
typedef struct Argument {
    Type type;
    DynamicShape shape; // of a dynamic
    bool varies;        // made of columns
    bool open;          // of a type that only rows would tell
    Span span;
} Argument;

Argument argument_of(const Expr *expr);

// An overload with the types its arguments are to be converted to.
typedef struct Resolution {
    const FunctionDef *fn;
    Type *targets; // the caller's, one for each argument
    Type result;   // TYPE_NONE: computed by the function's bind hook
    DynamicShape shape;
} Resolution;

// Chooses among the overloads for the arguments. On failure fills `error` at `span`: arity or
// the first argument that does not fit, with what was wanted and what came.
bool signature_resolve(const FunctionDef *const *overloads, size_t count, const Argument *args,
                       uint32_t arg_count, Span span, Resolution *out, AzError *error);
