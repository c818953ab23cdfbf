#include "db/complete_text.h"

#include "base/array.h"

bool
is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (c & 0x80);
}

// The offset behind the string that begins at `at`; beyond the text when it is not closed.
static size_t
skip_string(Str text, size_t at)
{
    static const Str BLOCK = STR_INIT("```");
    if (str_starts(str_slice(text, at, text.len), BLOCK)) {
        ptrdiff_t end = str_find(str_slice(text, at + BLOCK.len, text.len), BLOCK);
        return end < 0 ? text.len + 1 : at + 2 * BLOCK.len + (size_t)end;
    }
    bool verbatim = at && text.ptr[at - 1] == '@';
    char quote = text.ptr[at];
    for (size_t p = at + 1; p < text.len; p++) {
        if (text.ptr[p] == '\\' && !verbatim)
            p++;
        else if (text.ptr[p] == quote)
            return p + 1;
    }
    return text.len + 1;
}

static void
begin_statement(CutFrame *frame, size_t at)
{
    frame->statement = at;
    frame->pipe = -1;
}

bool
query_cut(QueryCut *c)
{
    // Comments become blanks, so that nobody else has to know of them.
    char *copy = str_cstr(c->arena, c->text);
    Str text = c->text = (Str){copy, c->text.len};
    begin_statement(&c->frames[0], 0);
    for (size_t p = 0; p < text.len;) {
        char ch = text.ptr[p];
        CutFrame *frame = &c->frames[c->depth];
        if (ch == '"' || ch == '\'' ||
            (ch == '`' && str_starts(str_slice(text, p, text.len), STR("```")))) {
            p = skip_string(text, p);
            if (p > text.len)
                return false;
            continue;
        }
        if (ch == '/' && p + 1 < text.len && text.ptr[p + 1] == '/') {
            while (p < text.len && text.ptr[p] != '\n')
                copy[p++] = ' ';
            if (p == text.len)
                return false;
            continue;
        }
        p++;
        if (ch == '(' || ch == '[' || ch == '{') {
            if (c->depth + 1 == CUT_DEPTH_MAX)
                return false;
            c->frames[++c->depth] = (CutFrame){.open = ch, .at = p - 1};
            begin_statement(&c->frames[c->depth], p);
        } else if ((ch == ')' || ch == ']' || ch == '}') && c->depth) {
            c->depth--;
        } else if (ch == ';') {
            begin_statement(frame, p);
        } else if (ch == '|') {
            frame->pipe = (ptrdiff_t)p - 1;
        }
    }
    return true;
}

Str
cut_last_word(Str text)
{
    text = str_trim(text);
    size_t start = text.len;
    while (start && is_word_char(text.ptr[start - 1]))
        start--;
    return str_slice(text, start, text.len);
}

Str
cut_first_word(Str text)
{
    text = str_trim(text);
    size_t end = 0;
    while (end < text.len && is_word_char(text.ptr[end]))
        end++;
    return str_slice(text, 0, end);
}

const OperatorDef *
step_operator(Str step, Str *rest)
{
    step = str_trim(step);
    size_t end = 0;
    while (end < step.len &&
           (is_word_char(step.ptr[end]) ||
            (step.ptr[end] == '-' && end + 1 < step.len && is_word_char(step.ptr[end + 1]))))
        end++;
    *rest = str_slice(step, end, step.len);
    const OperatorDef *op = operator_find(str_slice(step, 0, end));
    return op && op->kind != OPERATOR_EXPRESSION && op->kind != OPERATOR_STATEMENT ? op : NULL;
}

Str
cut_step(const QueryCut *c, const CutFrame *frame, size_t word)
{
    size_t from = frame->pipe >= 0 ? (size_t)frame->pipe + 1 : frame->statement;
    return str_slice(c->text, from, c->text.len - word);
}

Str
without_let(Str statement)
{
    Str rest = str_trim(statement);
    if (!str_equal(cut_first_word(rest), STR("let")))
        return statement;
    ptrdiff_t equals = str_find(rest, STR("="));
    return equals < 0 ? STR("") : str_slice(rest, (size_t)equals + 1, rest.len);
}

Str
cut_prelude(const QueryCut *c)
{
    return str_slice(c->text, 0, c->frames[0].statement);
}

Str
cut_pipeline(const QueryCut *c, size_t d)
{
    const CutFrame *frame = &c->frames[d];
    size_t end = frame->pipe >= 0 ? (size_t)frame->pipe : frame->statement;
    Str own = without_let(str_slice(c->text, frame->statement, end)), rest;
    const OperatorDef *first = step_operator(own.len ? own : cut_step(c, frame, 0), &rest);
    bool continues = d && frame->open == '(' && first && first->kind == OPERATOR_TABULAR;
    if (!continues)
        return own;
    Str outer = cut_pipeline(c, d - 1);
    return own.len ? str_format(c->arena, "%.*s | %.*s", STR_ARG(outer), STR_ARG(own)) : outer;
}

Str
right_table(Str rest)
{
    for (;;) {
        rest = str_trim(rest);
        if (rest.len && rest.ptr[0] == '(') {
            ptrdiff_t depth = 0;
            for (size_t p = 0; p < rest.len; p++) {
                depth += rest.ptr[p] == '(';
                depth -= rest.ptr[p] == ')';
                if (!depth)
                    return str_slice(rest, 1, p);
            }
            return STR("");
        }
        Str word = cut_first_word(rest);
        if (!word.len)
            return STR("");
        Str behind = str_trim(str_slice(rest, word.len, rest.len));
        if (!str_starts(behind, STR("=")) && !str_starts(behind, STR(".")))
            return word;
        // A parameter: kind=inner, hint.strategy=shuffle.
        ptrdiff_t equals = str_find(rest, STR("="));
        if (equals < 0)
            return STR("");
        rest = str_trim(str_slice(rest, (size_t)equals + 1, rest.len));
        rest = str_slice(rest, cut_first_word(rest).len, rest.len);
    }
}
