// Lexer: tokens carry their value, so that the parser never reads characters.
//
// Two things are particular to KQL. A type name before a parenthesis starts a typed
// literal whose inside is no expression (`datetime(2020-01-01 10:00)`), except
// dynamic(...), which the parser reads token by token. And a `!` or `~` that touches
// a word belongs to it: `!has`, `in~`, `!in~`.

#include "kql/lexer.h"

#include "base/array.h"
#include "base/buffer.h"
#include "value/scalar.h"
#include "value/unicode.h"

typedef struct Lexer {
    Arena *arena;
    Str text;
    size_t at;
    TokenList *out;
    AzError *error;
} Lexer;

static Span
span_from(const Lexer *lexer, size_t start)
{
    return (Span){(uint32_t)start, (uint32_t)lexer->at};
}

static char
peek(const Lexer *lexer, size_t ahead)
{
    return lexer->at + ahead < lexer->text.len ? lexer->text.ptr[lexer->at + ahead] : 0;
}

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
fail(Lexer *lexer, size_t start, const char *message)
{
    size_t end = lexer->at > start ? lexer->at : start + 1;
    return error_at(lexer->error, AZ_SYNTAX, (Span){(uint32_t)start, (uint32_t)end}, "%s", message);
}

static void
push(Lexer *lexer, TokenKind kind, size_t start, Str text, const Value *value)
{
    Token token = {.kind = kind, .span = span_from(lexer, start), .text = text};
    size_t len = lexer->out->len;
    token.glued = len && lexer->out->items[len - 1].span.end == start;
    if (value)
        token.value = *value;
    ARRAY_PUSH(lexer->arena, lexer->out, token);
}

// Spaces that look like blanks but are no ASCII: no-break space, zero width space, byte
// order mark, which pasted queries are full of. Returns their length, 0 for none.
static size_t
wide_blank(const Lexer *lexer)
{
    unsigned char a = (unsigned char)peek(lexer, 0), b = (unsigned char)peek(lexer, 1),
                  c = (unsigned char)peek(lexer, 2);
    if (a == 0xC2 && b == 0xA0)
        return 2;
    bool space = (a == 0xEF && b == 0xBB && c == 0xBF) ||              // U+FEFF
                 (a == 0xE2 && b == 0x80 && c >= 0x80 && c <= 0x8B) || // U+2000 .. U+200B
                 (a == 0xE2 && b == 0x80 && c == 0xAF) ||              // U+202F
                 (a == 0xE3 && b == 0x80 && c == 0x80);                // U+3000
    return space ? 3 : 0;
}

static bool
at_name_part(const Lexer *lexer)
{
    char c = peek(lexer, 0);
    return (is_letter(c) || is_digit(c)) && !wide_blank(lexer);
}

// A line that starts with `#` is a directive to a client tool.
static bool
at_line_start(const Lexer *lexer)
{
    size_t at = lexer->at;
    while (at && (lexer->text.ptr[at - 1] == ' ' || lexer->text.ptr[at - 1] == '\t'))
        at--;
    return at == 0 || lexer->text.ptr[at - 1] == '\n';
}

static void
skip_blanks(Lexer *lexer)
{
    for (;;) {
        char c = peek(lexer, 0);
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            lexer->at++;
        } else if ((c == '/' && peek(lexer, 1) == '/') || (c == '#' && at_line_start(lexer))) {
            while (lexer->at < lexer->text.len && peek(lexer, 0) != '\n')
                lexer->at++;
        } else if (wide_blank(lexer)) {
            lexer->at += wide_blank(lexer);
        } else {
            return;
        }
    }
}

// ---- strings ----

static int
hex_value(char c)
{
    return is_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// Reads `digits` hex digits after \x, \u or \U; at most what is there for octal.
static bool
read_hex(Lexer *lexer, int digits, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < digits; i++) {
        int value = hex_value(peek(lexer, 0));
        if (value < 0)
            return false;
        *out = *out * 16 + (uint32_t)value;
        lexer->at++;
    }
    return true;
}

static bool
read_escape(Lexer *lexer, Buffer *out)
{
    static const char FROM[] = "abfnrtv\\'\"?", TO[] = "\a\b\f\n\r\t\v\\'\"?";
    size_t start = lexer->at - 1;
    char c = peek(lexer, 0);
    lexer->at++;
    const char *simple = c ? strchr(FROM, c) : NULL;
    if (simple) {
        buffer_char(out, TO[simple - FROM]);
        return true;
    }
    uint32_t codepoint = 0;
    if (c >= '0' && c <= '7') {
        lexer->at--;
        for (int i = 0; i < 3 && peek(lexer, 0) >= '0' && peek(lexer, 0) <= '7'; i++, lexer->at++)
            codepoint = codepoint * 8 + (uint32_t)(peek(lexer, 0) - '0');
    } else if (c == 'x' || c == 'u' || c == 'U') {
        if (!read_hex(lexer, c == 'x' ? 2 : c == 'u' ? 4 : 8, &codepoint))
            return fail(lexer, start, "an escape \\x, \\u or \\U needs 2, 4 or 8 hex digits");
        if (c == 'u' && codepoint >= 0xD800 && codepoint < 0xDC00 && peek(lexer, 0) == '\\' &&
            peek(lexer, 1) == 'u') {
            uint32_t low;
            lexer->at += 2;
            if (!read_hex(lexer, 4, &low) || low < 0xDC00 || low > 0xDFFF)
                return fail(lexer, start, "half a surrogate pair in a string");
            codepoint = 0x10000 + ((codepoint - 0xD800) << 10) + (low - 0xDC00);
        }
    } else {
        return fail(lexer, start,
                    "this escape does not exist; write \\\\ for a backslash, or @\"...\" for a "
                    "string without escapes");
    }
    if (codepoint > 0x10FFFF || (codepoint >= 0xD800 && codepoint <= 0xDFFF))
        return fail(lexer, start, "this escape is no Unicode character");
    utf8_put(out, codepoint);
    return true;
}

static bool
read_quoted(Lexer *lexer, size_t start, char quote, Buffer *out)
{
    for (;;) {
        char c = peek(lexer, 0);
        if (lexer->at >= lexer->text.len || c == '\n') {
            lexer->at = start + 1;
            return fail(lexer, start, "this string is not closed on its line");
        }
        lexer->at++;
        if (c == quote)
            return true;
        if (c == '\\') {
            if (!read_escape(lexer, out))
                return false;
        } else {
            buffer_char(out, c);
        }
    }
}

static bool
read_verbatim(Lexer *lexer, size_t start, char quote, Buffer *out)
{
    for (;;) {
        if (lexer->at >= lexer->text.len) {
            lexer->at = start + 2;
            return fail(lexer, start, "this verbatim string is not closed");
        }
        char c = peek(lexer, 0);
        lexer->at++;
        if (c == quote && peek(lexer, 0) == quote)
            lexer->at++;
        else if (c == quote)
            return true;
        buffer_char(out, c);
    }
}

static bool
read_fenced(Lexer *lexer, size_t start, Str fence, Buffer *out)
{
    ptrdiff_t end = str_find(str_slice(lexer->text, lexer->at, lexer->text.len), fence);
    if (end < 0)
        return fail(lexer, start, "this multi-line string is not closed");
    buffer_put(out, lexer->text.ptr + lexer->at, (size_t)end);
    lexer->at += (size_t)end + 3;
    return true;
}

// Which kind of string starts here; *prefix is the length of h, H and @ before it.
static bool
string_starts(const Lexer *lexer, size_t *prefix, bool *verbatim)
{
    size_t n = 0;
    *verbatim = false;
    if (peek(lexer, 0) == 'h' || peek(lexer, 0) == 'H')
        n++;
    if (peek(lexer, n) == '@') {
        *verbatim = true;
        n++;
    }
    *prefix = n;
    char c = peek(lexer, n);
    if (c == '"' || c == '\'')
        return true;
    bool fence = (c == '`' || c == '~') && peek(lexer, n + 1) == c && peek(lexer, n + 2) == c;
    return fence && !*verbatim;
}

// One string; adjacent ones are one literal.
static bool
lex_string(Lexer *lexer)
{
    size_t start = lexer->at, prefix, end = start;
    bool verbatim;
    Buffer text = {0};
    bool done = true;
    while (done && string_starts(lexer, &prefix, &verbatim)) {
        size_t here = lexer->at;
        char quote = peek(lexer, prefix);
        lexer->at += prefix + 1;
        if (quote == '`' || quote == '~') {
            Str fence = str_slice(lexer->text, lexer->at - 1, lexer->at + 2);
            lexer->at += 2;
            done = read_fenced(lexer, here, fence, &text);
        } else if (verbatim) {
            done = read_verbatim(lexer, here, quote, &text);
        } else {
            done = read_quoted(lexer, here, quote, &text);
        }
        end = lexer->at;
        if (done)
            skip_blanks(lexer);
    }
    lexer->at = end;
    if (done) {
        Value value = value_string(str_copy(lexer->arena, buffer_slice(&text)));
        push(lexer, TOKEN_LITERAL, start, str_slice(lexer->text, start, end), &value);
    }
    buffer_free(&text);
    return done;
}

// ---- numbers ----

static bool
lex_number(Lexer *lexer)
{
    size_t start = lexer->at;
    bool real = false;
    if (peek(lexer, 0) == '0' && (peek(lexer, 1) == 'x' || peek(lexer, 1) == 'X')) {
        lexer->at += 2;
        while (hex_value(peek(lexer, 0)) >= 0)
            lexer->at++;
    } else {
        while (is_digit(peek(lexer, 0)))
            lexer->at++;
        if (peek(lexer, 0) == '.' && peek(lexer, 1) != '.' && !is_letter(peek(lexer, 1)) &&
            peek(lexer, 1) != '[') {
            real = true;
            lexer->at++;
            while (is_digit(peek(lexer, 0)))
                lexer->at++;
        }
        size_t sign = peek(lexer, 1) == '+' || peek(lexer, 1) == '-' ? 2 : 1;
        if ((peek(lexer, 0) == 'e' || peek(lexer, 0) == 'E') && is_digit(peek(lexer, sign))) {
            real = true;
            lexer->at += sign;
            while (is_digit(peek(lexer, 0)))
                lexer->at++;
        }
    }
    size_t digits = lexer->at;
    while (at_name_part(lexer))
        lexer->at++;
    Str text = str_slice(lexer->text, start, lexer->at);
    Value value = {0};
    if (lexer->at > digits) {
        value.type = TYPE_TIMESPAN;
        if (timespan_parse(text, &value.int64)) {
            push(lexer, TOKEN_LITERAL, start, text, &value);
            return true;
        }
        // Names may start with a digit (tables like 5minutes): the parser decides.
        push(lexer, TOKEN_NAME, start, text, NULL);
        return true;
    }
    value.type = real ? TYPE_REAL : TYPE_LONG;
    if (real ? !real_parse(text, &value.real) : !long_parse(text, &value.int64))
        return fail(lexer, start, "this number is too large for its type");
    push(lexer, TOKEN_LITERAL, start, text, &value);
    return true;
}

// ---- typed literals ----

// datetime(...), long(...), guid(...): the text up to the parenthesis that closes it.
static bool
lex_typed(Lexer *lexer, size_t start, Type type)
{
    size_t open = lexer->at;
    lexer->at++;
    size_t from = lexer->at;
    while (lexer->at < lexer->text.len && peek(lexer, 0) != ')' && peek(lexer, 0) != '\n')
        lexer->at++;
    if (peek(lexer, 0) != ')') {
        lexer->at = open + 1;
        return fail(lexer, start, "this literal is not closed: ')' is missing");
    }
    Str inside = str_trim(str_slice(lexer->text, from, lexer->at));
    lexer->at++;
    char quote = inside.len >= 2 ? inside.ptr[0] : 0;
    if ((quote == '"' || quote == '\'') && inside.ptr[inside.len - 1] == quote)
        inside = str_slice(inside, 1, inside.len - 1);
    Value value = value_null(type);
    bool is_null = inside.len == 0 || str_equal_ci(inside, STR("null"));
    // What cannot be read is null, as the official grammar has it; the binder warns.
    bool unreadable = !is_null && !value_parse(lexer->arena, type, inside, &value);
    if (unreadable)
        value = value_null(type);
    push(lexer, TOKEN_LITERAL, start, str_slice(lexer->text, start, lexer->at), &value);
    lexer->out->items[lexer->out->len - 1].unreadable = unreadable;
    return true;
}

static bool
lex_name(Lexer *lexer)
{
    size_t start = lexer->at;
    if (peek(lexer, 0) == '$')
        lexer->at++;
    while (at_name_part(lexer))
        lexer->at++;
    Str name = str_slice(lexer->text, start, lexer->at);
    size_t end = lexer->at;
    skip_blanks(lexer);
    bool call = peek(lexer, 0) == '(';
    Type type = call ? type_from_name(name) : TYPE_NONE;
    if (type != TYPE_NONE && type != TYPE_DYNAMIC && type != TYPE_STRING)
        return lex_typed(lexer, start, type);
    lexer->at = end;
    static const struct {
        Str text;
        bool value;
    } BOOLS[] = {
        {STR_INIT("true"), true},   {STR_INIT("True"), true},   {STR_INIT("TRUE"), true},
        {STR_INIT("false"), false}, {STR_INIT("False"), false}, {STR_INIT("FALSE"), false},
    };
    for (size_t i = 0; i < COUNT_OF(BOOLS); i++)
        if (str_equal(name, BOOLS[i].text)) {
            Value value = value_bool(BOOLS[i].value);
            push(lexer, TOKEN_LITERAL, start, name, &value);
            return true;
        }
    push(lexer, TOKEN_NAME, start, name, NULL);
    return true;
}

// ['a b'] and ["a b"], when the bracket starts a name and not an index: the parser
// sees an index where something stands directly before.
static bool
lex_bracket_name(Lexer *lexer, bool *is_name)
{
    size_t start = lexer->at, at = start + 1;
    while (at < lexer->text.len && (lexer->text.ptr[at] == ' ' || lexer->text.ptr[at] == '\t'))
        at++;
    char quote = at < lexer->text.len ? lexer->text.ptr[at] : 0;
    *is_name = quote == '"' || quote == '\'';
    if (!*is_name)
        return true;
    // An index with a string key looks the same; it stands right behind a value.
    size_t len = lexer->out->len;
    if (len) {
        const Token *before = &lexer->out->items[len - 1];
        bool value_before = before->kind == TOKEN_NAME || before->kind == TOKEN_QUOTED ||
                            (before->kind == TOKEN_SYMBOL && (str_equal(before->text, STR("]")) ||
                                                              str_equal(before->text, STR(")"))));
        if (value_before && before->span.end == start) {
            *is_name = false;
            return true;
        }
    }
    Buffer text = {0};
    lexer->at = at + 1;
    bool done = read_quoted(lexer, at, quote, &text);
    skip_blanks(lexer);
    if (done && peek(lexer, 0) == ']') {
        lexer->at++;
        push(lexer, TOKEN_QUOTED, start, str_copy(lexer->arena, buffer_slice(&text)), NULL);
    } else {
        // An array of strings in a dynamic literal or a list of paths.
        *is_name = false;
        lexer->at = start;
    }
    buffer_free(&text);
    return done;
}

static bool
lex_symbol(Lexer *lexer)
{
    static const char *const LONG_SYMBOLS[] = {"==", "=~", "!=", "!~", "<>",
                                               "<=", ">=", "..", "=>"};
    size_t start = lexer->at;
    Str rest = str_slice(lexer->text, start, lexer->text.len);
    if (rest.ptr[0] == '!' && rest.len > 1 && is_letter(rest.ptr[1])) {
        lexer->at++;
        while (at_name_part(lexer))
            lexer->at++;
        if (peek(lexer, 0) == '~')
            lexer->at++;
        push(lexer, TOKEN_SYMBOL, start, str_slice(lexer->text, start, lexer->at), NULL);
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(LONG_SYMBOLS); i++) {
        Str symbol = str_from(LONG_SYMBOLS[i]);
        if (str_starts(rest, symbol)) {
            lexer->at += symbol.len;
            push(lexer, TOKEN_SYMBOL, start, symbol, NULL);
            return true;
        }
    }
    if (!strchr("|(){}[],;:.=<>+-*/%?@#&^~!", rest.ptr[0]))
        return fail(lexer, start, "this character means nothing in KQL here");
    lexer->at++;
    push(lexer, TOKEN_SYMBOL, start, str_slice(rest, 0, 1), NULL);
    return true;
}

static bool
lex_token(Lexer *lexer)
{
    size_t prefix;
    bool verbatim, is_name = false;
    char c = peek(lexer, 0);
    if (string_starts(lexer, &prefix, &verbatim))
        return lex_string(lexer);
    if (is_digit(c))
        return lex_number(lexer);
    if (is_letter(c) || (c == '$' && is_letter(peek(lexer, 1))))
        return lex_name(lexer);
    if (c == '[') {
        if (!lex_bracket_name(lexer, &is_name))
            return false;
        if (is_name)
            return true;
    }
    return lex_symbol(lexer);
}

// Notes an error and goes on behind it: at the next line when a string or literal was not
// closed, else at the next character.
static bool
recover(Lexer *lexer, Diagnostics *diagnostics)
{
    if (!diagnostics || !diagnostics_error(diagnostics, lexer->error))
        return false;
    size_t at = lexer->error->span.start;
    char c = at < lexer->text.len ? lexer->text.ptr[at] : 0;
    bool opens = c == '"' || c == '\'' || is_letter(c) || c == '\\' || c == '@' || c == '[';
    lexer->at = lexer->at > at ? lexer->at : at + 1;
    while (opens && lexer->at < lexer->text.len && peek(lexer, 0) != '\n')
        lexer->at++;
    error_clear(lexer->error);
    return true;
}

bool
kql_tokens(Arena *arena, Str text, TokenList *out, Diagnostics *diagnostics, AzError *error)
{
    *out = (TokenList){0};
    if (text.len > UINT32_MAX - 16)
        return error_set(error, AZ_LIMIT, "a query of more than 4 GiB cannot be read");
    AzError local = {0};
    Lexer lexer = {arena, text, 0, out, error ? error : &local};
    uint32_t before = diagnostics ? diagnostics->error_count : 0;
    for (;;) {
        skip_blanks(&lexer);
        if (lexer.at >= text.len)
            break;
        if (!lex_token(&lexer) && !recover(&lexer, diagnostics))
            return false;
    }
    if (diagnostics && diagnostics->error_count > before) {
        *lexer.error = diagnostics->errors[before];
        return false;
    }
    push(&lexer, TOKEN_END, text.len, STR(""), NULL);
    return true;
}
