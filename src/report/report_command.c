// Commands filled in for one resource.
//
// The template is ours, the value is an attacker's: whoever names a resource
// `$(curl ...)` must not run it on the engineer's machine. A value that is not made of
// plain characters is put in single quotes; inside a quoted stretch of the template
// that stretch is closed around it and opened again. Comments are copied as they are,
// because there quotes mean nothing and a line break would end the comment. The page
// does the same (fillIn in page/page.js).

#include "base/array.h"

#include "azure/arm.h"
#include "report/report_words.h"

#include <ctype.h>
#include <string.h>

static bool
is_plain(Str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (!isalnum((unsigned char)value.ptr[i]) && !memchr("_/.:@+-", value.ptr[i], 7))
            return false;
    return value.len > 0;
}

static void
put_value(Buffer *out, Str value, char quote)
{
    if (is_plain(value)) {
        buffer_str(out, value);
        return;
    }
    if (quote)
        buffer_char(out, quote);
    buffer_char(out, '\'');
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\'')
            buffer_text(out, "'\\''");
        else
            buffer_char(out, value.ptr[i]);
    }
    buffer_char(out, '\'');
    if (quote)
        buffer_char(out, quote);
}

// The value for the placeholder that `text` begins with, and its length; false when none.
static bool
placeholder(Str text, Str id, Str *value, size_t *len)
{
    static const struct {
        Str name;
        Str (*value)(Str id);
    } PLACEHOLDERS[] = {
        {STR_INIT("{id}"), NULL},
        {STR_INIT("{name}"), arm_last_segment},
        {STR_INIT("{resourceGroup}"), report_id_group},
        {STR_INIT("{subscriptionId}"), report_id_subscription},
    };
    for (size_t i = 0; i < COUNT_OF(PLACEHOLDERS); i++) {
        if (!str_starts(text, PLACEHOLDERS[i].name))
            continue;
        *value = PLACEHOLDERS[i].value ? PLACEHOLDERS[i].value(id) : id;
        *len = PLACEHOLDERS[i].name.len;
        return true;
    }
    return false;
}

void
report_command(Buffer *out, Str template, Str id)
{
    char quote = 0;
    for (size_t at = 0; at < template.len;) {
        char c = template.ptr[at];
        Str value;
        size_t len = 1;
        bool word_start = at == 0 || memchr(" \t\n", template.ptr[at - 1], 3);
        if (!quote && c == '#' && word_start) {
            while (at + len < template.len && template.ptr[at + len] != '\n')
                len++;
        } else if (c == '\\' && quote != '\'' && at + 1 < template.len) {
            len = 2;
        } else if (c == '{' &&
                   placeholder(str_slice(template, at, template.len), id, &value, &len)) {
            put_value(out, value, quote);
            at += len;
            continue;
        } else if (c == quote) {
            quote = 0;
        } else if (!quote && (c == '"' || c == '\'')) {
            quote = c;
        }
        buffer_put(out, template.ptr + at, len);
        at += len;
    }
}
