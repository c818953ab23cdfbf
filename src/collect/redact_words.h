// What members of rows mean to a redaction (redact.h): which hold names, which words of Azure.
#pragma once

#include "collect/redact.h"

// Whether the whole value is what somebody named or said: the member `key`, in the object that is
// the value of `parent`, of a row of `table`.
bool redact_is_label(Str table, Str key, Str parent);
// Whether the value is a word of Azure: a type, a location, a model.
bool redact_is_azure_word(Str key, Str parent);
// Whether it is a name that Azure gives to resources.
bool redact_is_fixed(Str name);
// Whether names of this resource provider are Microsoft's as a rule.
bool redact_keeps_provider(Str provider);
