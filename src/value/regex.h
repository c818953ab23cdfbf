// Regular expressions: RE2 (Kusto's dialect) behind a C shim. A compiled Regex
// may be used from many threads at once.
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

typedef struct Regex Regex;

// Compiles `pattern` (UTF-8). NULL with an error that holds RE2's reason.
Regex *regex_new(Str pattern, bool ignore_case, AzError *error);
void regex_free(Regex *regex);
int regex_group_count(const Regex *regex); // without group 0
// Number of the group (?P<name>...), -1 when there is none of that name.
int regex_group_named(const Regex *regex, Str name);

// First match at or after `from`. Fills up to `count` groups (group 0 = the whole
// match); a group that took no part has ptr NULL.
bool regex_find(const Regex *regex, Str text, size_t from, Str *groups, int count);
bool regex_matches(const Regex *regex, Str text);

// Appends `text` with every match replaced; \0 .. \9 in `replacement` are groups.
void regex_replace_all(const Regex *regex, Str text, Str replacement, Buffer *out);

// Appends `text` with all regex metacharacters escaped.
void regex_quote(Str text, Buffer *out);
