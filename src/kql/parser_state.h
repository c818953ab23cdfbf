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
    Diagnostics *diagnostics; // NULL: the first error ends the work
    int depth;
    bool failed; // an error was noted
    // Whether names may hold stars (project-away a*, union T*) at this place, so that
    // `a*b` is a pattern and no product.
    bool patterns;
    bool any_word;    // the names of a stored schema are no one's to bracket
    uint32_t tallest; // height of the tallest tree read since the enclosing node began
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
// Notes an error and moves behind it: to the next `|`, `;` or the bracket that closes what
// is open around `start`, a token before the error. False when that cannot be done.
bool parser_recover(Parser *p, const Token *start);
Span parser_span(const Parser *p, uint32_t start); // from `start` to the last token taken
void parser_advance(Parser *p);
// Heights (AstExpr.height), so that no tree is too tall for a walk that recurses. Each
// gives false with an error when the node is too tall. A node over one or two parts:
bool parser_set_height(Parser *p, AstExpr *node, const AstExpr *a, const AstExpr *b);
// A node over many: `begin` before they are read, `end` after.
uint32_t parser_height_begin(Parser *p);
bool parser_height_end(Parser *p, uint32_t before, AstExpr *node);

// Grammar. Each returns NULL or false with p->error filled.
AstExpr *parse_expression(Parser *p);      // scalar
AstExpr *parse_pipe_expression(Parser *p); // scalar, or source | operators
AstExpr *parse_primary(Parser *p);
bool parse_name(Parser *p, AstName *out, const char *expected);          // no word of the language
bool parse_assigned_name(Parser *p, AstName *out, const char *expected); // see WORD_ASSIGNED
bool parse_special_name(Parser *p, AstName *out, const char *expected);  // see WORD_SPECIAL
bool parse_word(Parser *p, AstName *out, const char *expected);          // any word
bool parse_type(Parser *p, Type *out);
bool parse_columns(Parser *p, AstColumnList *out);      // ( name:type, ... )
bool parse_columns_rest(Parser *p, AstColumnList *out); // the same, behind the `(`
AstExpr *parse_column(Parser *p);                       // a, a.b: no call, whatever follows
bool parse_string(Parser *p, Str *out, const char *expected);
bool parse_item(Parser *p, AstItem *out);      // [name =] expression
bool parse_items(Parser *p, AstItemList *out); // at least one, commas between
bool parse_dynamic(Parser *p, Value *out);     // inside of dynamic( )
AstExpr *parse_body(Parser *p);                // ( operator | operator ... ), source implicit
AstOperator *parse_operator(Parser *p, bool is_source);
bool parser_at_source(const Parser *p); // print, range, union ... stand here
AstExpr *ast_new(Parser *p, AstKind kind, Span span);
bool parse_statements(Parser *p, AstStatementList *out, const char *end);
bool parse_declared(Parser *p, AstParameter **out, size_t *count); // (name:type = default, ...)

// Clauses that operators share.
bool parse_parameters(Parser *p, AstOperator *out);  // name=value ... into params
bool parse_properties(Parser *p, AstParamList *out); // ( name=value, ... )
bool parse_sort_keys(Parser *p, AstItemList *out);
bool parse_order_suffix(Parser *p, AstItem *item);  // asc, desc, nulls first ...
bool parse_name_items(Parser *p, AstItemList *out); // parse_items with patterns
bool parse_table_list(Parser *p, AstItemList *out); // ( table, wild*, ... )
bool parser_at_pipe_end(const Parser *p);

// Operators with a grammar of their own: parser_special.c, parser_graph.c.
AstExpr *parse_entity_group(Parser *p);
bool read_facet(Parser *p, AstOperator *out);
bool read_find(Parser *p, AstOperator *out);
bool read_fork(Parser *p, AstOperator *out);
bool read_macro_expand(Parser *p, AstOperator *out);
bool read_reduce(Parser *p, AstOperator *out);
bool read_render(Parser *p, AstOperator *out);
bool read_scan(Parser *p, AstOperator *out);
bool read_top_hitters(Parser *p, AstOperator *out);
bool read_top_nested(Parser *p, AstOperator *out);
bool read_graph_match(Parser *p, AstOperator *out);
bool read_graph_to_table(Parser *p, AstOperator *out);
bool read_make_graph(Parser *p, AstOperator *out);
