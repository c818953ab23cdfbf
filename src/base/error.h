// AzError: what went wrong, where, and what to do, as a value.
//
// A function that can fail returns bool (true = done) or a pointer (NULL =
// failed) and fills the AzError its caller passed. The message is a whole
// sentence for people; `span` points into the query text when the cause is
// there. The first error wins: filling an error that is set is an assertion
// failure in debug builds, so a failed call must be acted on.
#pragma once

#include "base/slice.h"

typedef enum AzCode {
    AZ_OK = 0,
    AZ_SYNTAX,      // the query text cannot be parsed
    AZ_SEMANTIC,    // names, types, arities do not fit
    AZ_UNSUPPORTED, // valid KQL that this build does not run yet
    AZ_INVALID,     // a bad argument, option or file content
    AZ_NOT_FOUND,   // a file, table, function that is not there
    AZ_IO,          // the operating system said no
    AZ_CORRUPT,     // a stored file fails its checks
    AZ_LIMIT,       // a memory, row or time limit was reached
    AZ_CANCELLED,   // the caller asked to stop
    AZ_BUSY,        // somebody else has it: the same will do later
} AzCode;

// Byte range of the query text; start == end == 0 when there is none.
typedef struct Span {
    uint32_t start, end;
} Span;

typedef struct AzError {
    AzCode code;
    Span span;
    bool has_span;
    bool of_table;      // a query names a table or function that is not there
    char message[1000]; // UTF-8, cut at a character boundary when longer
} AzError;

// Fill `error` (may be NULL when the caller does not want to know). Always
// returns false, so that a failing function can `return error_set(...)`.
bool error_set(AzError *error, AzCode code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool error_at(AzError *error, AzCode code, Span span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// As error_set, and appends the text of errno: "cannot open 'x': No such file".
bool error_errno(AzError *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
void error_clear(AzError *error);

// Short stable name: "syntax", "semantic", ...
const char *error_code_name(AzCode code);

// Line and column (both from 1, columns in code points) of a byte offset.
void text_position(Str text, size_t offset, uint32_t *line, uint32_t *column);

// The error as people read it: message, then when it has a span the line of
// `text` with a caret under the span.
Str error_render(Arena *arena, const AzError *error, Str text);
// The same with another word in front: "warning at line 1, column 7: ...".
Str error_render_as(Arena *arena, const char *what, const AzError *error, Str text);
