// Deployment templates as text, in both of Azure's forms: JSON (ARM) and Bicep.
//
// Sources: learn.microsoft.com/azure/azure-resource-manager: templates/syntax,
// templates/template-expressions (a text that is in brackets and no expression begins with two),
// bicep/data-types (strings: what is escaped, and strings of several lines).
#pragma once

#include "base/buffer.h"

typedef enum TemplateForm { TEMPLATE_ARM, TEMPLATE_BICEP } TemplateForm;

typedef struct TemplateWriter {
    Buffer *out; // its owner's
    TemplateForm form;
    int depth;     // of objects and lists that are open
    bool is_later; // something stands before in the innermost of them
} TemplateWriter;

// Members of the innermost open object, or with `key` NULL items of the innermost open list.
// `bracket` is '{' or '['; what is opened is closed with '}' or ']'.
void template_open(TemplateWriter *w, const char *key, char bracket);
void template_close(TemplateWriter *w, char bracket);
void template_text(TemplateWriter *w, const char *key, Str text);
void template_number(TemplateWriter *w, const char *key, int64_t number);
void template_flag(TemplateWriter *w, const char *key, bool flag);
// An expression, each form in its own language: ARM's without the brackets around it.
void template_expression(TemplateWriter *w, const char *key, Str arm, Str bicep);

// A text as a literal of the language, with its quotes.
void template_literal(Buffer *out, TemplateForm form, Str text);
