// The two forms differ in little: Bicep leaves commas out and quotes only keys that are no
// identifiers, and its strings have other escapes.

#include "report/template_write.h"

#include "value/json.h"

#include <inttypes.h>
#include <string.h>

enum { INDENT = 2 };

static bool
is_identifier(Str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return text.len > 0;
}

// ---- literals ----

static void
arm_literal(Buffer *out, Str text)
{
    Buffer escaped = {0};
    if (str_starts(text, STR("[")) && str_ends(text, STR("]")))
        buffer_char(&escaped, '[');
    buffer_str(&escaped, text);
    json_write_string(out, buffer_slice(&escaped), false);
    buffer_free(&escaped);
}

// Whether the text can stand between ''' and ''', where nothing is escaped: a quote at its end
// would join those behind it, and a line's end of two characters might not outlive an editor.
static bool
is_plain_lines(Str text)
{
    if (str_find(text, STR("\n")) < 0 || str_find(text, STR("'''")) >= 0 ||
        str_ends(text, STR("'")))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 && c != '\n' && c != '\t')
            return false;
    }
    return true;
}

static void
bicep_literal(Buffer *out, Str text)
{
    if (is_plain_lines(text)) {
        // The line's end right behind the quotes is no part of the text.
        buffer_text(out, "'''\n");
        buffer_str(out, text);
        buffer_text(out, "'''");
        return;
    }
    buffer_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\n')
            buffer_text(out, "\\n");
        else if (c == '\r')
            buffer_text(out, "\\r");
        else if (c == '\t')
            buffer_text(out, "\\t");
        else if ((unsigned char)c < 0x20)
            buffer_printf(out, "\\u{%x}", (unsigned)(unsigned char)c);
        else {
            bool is_opening = c == '$' && i + 1 < text.len && text.ptr[i + 1] == '{';
            if (c == '\\' || c == '\'' || is_opening)
                buffer_char(out, '\\');
            buffer_char(out, c);
        }
    }
    buffer_char(out, '\'');
}

void
template_literal(Buffer *out, TemplateForm form, Str text)
{
    if (form == TEMPLATE_ARM)
        arm_literal(out, text);
    else
        bicep_literal(out, text);
}

// ---- structure ----

static void
new_line(TemplateWriter *w)
{
    buffer_char(w->out, '\n');
    for (int i = 0; i < INDENT * w->depth; i++)
        buffer_char(w->out, ' ');
}

static void
begin(TemplateWriter *w, const char *key)
{
    if (w->is_later && w->form == TEMPLATE_ARM)
        buffer_char(w->out, ',');
    if (w->depth)
        new_line(w);
    w->is_later = true;
    if (!key)
        return;
    if (w->form == TEMPLATE_ARM)
        json_write_string(w->out, str_from(key), false);
    else if (is_identifier(str_from(key)))
        buffer_text(w->out, key);
    else
        bicep_literal(w->out, str_from(key));
    buffer_text(w->out, ": ");
}

void
template_open(TemplateWriter *w, const char *key, char bracket)
{
    begin(w, key);
    buffer_char(w->out, bracket);
    w->depth++;
    w->is_later = false;
}

void
template_close(TemplateWriter *w, char bracket)
{
    w->depth--;
    if (w->is_later)
        new_line(w);
    buffer_char(w->out, bracket);
    w->is_later = true;
}

void
template_text(TemplateWriter *w, const char *key, Str text)
{
    begin(w, key);
    template_literal(w->out, w->form, text);
}

void
template_number(TemplateWriter *w, const char *key, int64_t number)
{
    begin(w, key);
    buffer_printf(w->out, "%" PRId64, number);
}

void
template_flag(TemplateWriter *w, const char *key, bool flag)
{
    begin(w, key);
    buffer_text(w->out, flag ? "true" : "false");
}

void
template_expression(TemplateWriter *w, const char *key, Str arm, Str bicep)
{
    begin(w, key);
    if (w->form == TEMPLATE_BICEP) {
        buffer_str(w->out, bicep);
        return;
    }
    Buffer text = {0};
    buffer_printf(&text, "[%.*s]", STR_ARG(arm));
    json_write_string(w->out, buffer_slice(&text), false);
    buffer_free(&text);
}
