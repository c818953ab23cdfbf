// What the parser's files share: the cursor over tokens and the grammar's entries.
#pragma once

#include "kql/lexer.h"

// Nesting of parentheses, sub-queries and function bodies; deeper is an error rather
// than an overflow of the stack.
enum { PARSER_DEPTH_MAX = 400 };

typedef struct Parser {
    Arena *arena;
    Str text;
    const Token *token; // the current one; the last is TOKEN_END and is never passed
    AzError *error;
    int depth;
} Parser;

// Cursor.
bool parser_is_symbol(const Parser *p, const char *symbol);
bool parser_is_word(const Parser *p, const char *word);          // a keyword, exact case
bool parser_next_is_symbol(const Parser *p, const char *symbol); // the token after the current
bool parser_next_is_word(const Parser *p, const char *word);
bool parser_take_symbol(Parser *p, const char *symbol);
bool parser_take_word(Parser *p, const char *word);
bool parser_expect_symbol(Parser *p, const char *symbol, const char *where);
bool parser_expect_word(Parser *p, const char *word, const char *where);
bool parser_fail(Parser *p, const char *expected); // "expected ..., found ..."
bool parser_enter(Parser *p);                      // one level deeper; false with an error
void parser_leave(Parser *p);
Span parser_span(const Parser *p, uint32_t start); // from `start` to the last token taken
void parser_advance(Parser *p);

// Grammar. Each returns NULL or false with p->error filled.
AstExpr *parse_expression(Parser *p);      // scalar
AstExpr *parse_pipe_expression(Parser *p); // scalar, or source | operators
AstExpr *parse_primary(Parser *p);
bool parse_name(Parser *p, AstName *out, const char *expected);
bool parse_type(Parser *p, Type *out);
bool parse_columns(Parser *p, AstColumnList *out); // ( name:type, ... )
bool parse_string(Parser *p, Str *out, const char *expected);
bool parse_item(Parser *p, AstItem *out);      // [name =] expression
bool parse_items(Parser *p, AstItemList *out); // at least one, commas between
bool parse_dynamic(Parser *p, Value *out);     // inside of dynamic( )
AstExpr *parse_body(Parser *p);                // ( operator | operator ... ), source implicit
AstOperator *parse_operator(Parser *p, bool is_source);
bool parser_at_source(const Parser *p); // print, range, union ... stand here
AstExpr *ast_new(Parser *p, AstKind kind, Span span);
