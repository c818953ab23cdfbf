// Templates of JSON: texts that one program wrote have the same members in the same order,
// and are read by following the last one of their kind. Internal to src/value.
#pragma once

#include "base/arena.h"
#include "value/type.h"

typedef struct JsonTemplates JsonTemplates;

JsonTemplates *json_templates_new(void);
void json_templates_free(JsonTemplates *templates);

// The tree of a text that follows a known template, the same bytes that a DynBuilder makes
// of it; false when none fits, which says nothing of the text. Long trees lie in the arena.
bool json_templates_parse(JsonTemplates *templates, Arena *arena, Str text, Text *out);

// Shows a text that is JSON and fitted no template.
void json_templates_learn(JsonTemplates *templates, Str text);

// Behind the text of a string that begins at p: its quote; NULL when something is in it
// that is not plain ASCII, or it does not end.
const char *json_plain_end(const char *p, const char *end);
// Behind the whole number at p, which fits a long and is written as tostring() writes it;
// NULL when it is none such.
const char *json_plain_long(const char *p, const char *end, int64_t *out);
