// Lexer: query text to tokens.
#pragma once

#include "base/diagnostics.h"
#include "kql/ast.h"

typedef enum TokenKind {
    TOKEN_END,
    TOKEN_NAME,    // identifier or keyword; also $left
    TOKEN_QUOTED,  // ['a b'] or ["a b"]
    TOKEN_LITERAL, // number, string, timespan, datetime(...), bool(...) ...: see value
    TOKEN_SYMBOL,  // operators and punctuation
} TokenKind;

typedef struct Token {
    TokenKind kind;
    Span span;
    Str text;        // as written; of TOKEN_QUOTED the unescaped name
    Value value;     // TOKEN_LITERAL
    bool unreadable; // TOKEN_LITERAL: the text is no value of the type; the value is null
    bool glued;      // no blank between this token and the one before
} Token;

typedef struct TokenList {
    Token *items; // ends with a TOKEN_END
    size_t len, cap;
} TokenList;

// All tokens of `text`. False with an error at the place: unclosed strings, bad
// numbers, characters that mean nothing in KQL.
// `diagnostics` (may be NULL) gets them all, `error` the first.
bool kql_tokens(Arena *arena, Str text, TokenList *out, Diagnostics *diagnostics, AzError *error);

// The text with the inside of each obfuscated string (h"...") as stars of the same
// length, for messages that show a part of a query. Works on broken queries too.
Str kql_hide_secrets(Arena *arena, Str text);
