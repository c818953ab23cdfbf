// Printing of syntax trees.
#pragma once

#include "base/buffer.h"
#include "kql/ast.h"

// The query in canonical form on one line: single blanks, canonical operator names,
// parentheses only where the tree needs them. The text parses to the same tree.
void ast_print(const AstQuery *query, Buffer *out);

// The parameters of a function as they are declared: (a:long, b:string="x").
void ast_print_parameters(const AstFunction *function, Buffer *out);
