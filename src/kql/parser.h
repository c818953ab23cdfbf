// Parser: tokens to AST, by recursive descent; functions bear the names of the
// grammar's symbols.
#pragma once

#include "base/diagnostics.h"
#include "kql/ast.h"

// Parses a whole request (statements separated by `;`). NULL with an error at the
// token that does not fit; the tree and its texts live in `arena`. `diagnostics` (may be
// NULL: the first error ends the work) gets all errors, of which `error` is the first.
AstQuery *kql_parse(Arena *arena, Str text, Diagnostics *diagnostics, AzError *error);

// Parses a function file: `.create-or-alter function [with (...)] Name(...) { ... }`.
AstFunctionFile *kql_parse_function(Arena *arena, Str text, AzError *error);

// The next `.create table` of `text` at or after *offset, which moves behind it. False
// without an error at the end of the text, false with one when it does not parse.
bool kql_parse_create_table(Arena *arena, Str text, size_t *offset, AstTableSchema *out,
                            AzError *error);

// How operators are written, one after another; NULL behind the last.
const char *kql_operator_spelling(size_t index);
