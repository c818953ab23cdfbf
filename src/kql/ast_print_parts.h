// What the two files of the printer share.
#pragma once

#include "kql/ast_print.h"

void put_expr(Buffer *out, const AstExpr *expr);    // where an expression stands
void put_pipe(Buffer *out, const AstExpr *expr);    // where a pipeline may stand
void put_primary(Buffer *out, const AstExpr *expr); // literals, names, calls, else ( ... )
void put_body(Buffer *out, const AstExpr *body);    // ( operator | ... )
void put_name(Buffer *out, const AstName *name);
void put_quoted_name(Buffer *out, Str name); // ['name']
void put_columns(Buffer *out, const AstColumnList *columns, bool open);
void put_parameters(Buffer *out, const AstParameter *parameters, size_t count);
void put_statements(Buffer *out, const AstStatementList *statements);
void put_string(Buffer *out, Str text);
void put_operator(Buffer *out, const AstOperator *step);
