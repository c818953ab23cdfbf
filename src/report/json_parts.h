// Pieces of JSON that the page's model and the JSON report share.
#pragma once

#include "assess/control.h"
#include "base/buffer.h"
#include "value/json.h"

// Writes members with commas: `first` is reset by json_open and cleared by each item.
typedef struct JsonOut {
    Buffer *out;
    bool html_safe; // `<`, U+2028, U+2029 are escaped: the text may stand in a page
    bool first;
    JsonParser *parser; // for json_raw; made on first use
    DynBuilder *builder;
    Buffer scratch;
} JsonOut;

void json_out_free(JsonOut *json); // what it holds, not `out`

void json_open(JsonOut *json, char bracket);  // { or [
void json_close(JsonOut *json, char bracket); // } or ]
void json_key(JsonOut *json, const char *key);
void json_key_str(JsonOut *json, Str key);
void json_item(JsonOut *json); // a comma when one is needed

// Values. Bytes that are not UTF-8 become U+FFFD.
void json_string(JsonOut *json, Str text);
void json_string_or_null(JsonOut *json, Str text); // null when empty
void json_long(JsonOut *json, int64_t number);
void json_tenths(JsonOut *json, double number); // one decimal, none when it is .0
void json_score(JsonOut *json, double score);   // as json_tenths, null when negative
void json_null(JsonOut *json);
// JSON text of any value, written anew; what is not JSON is written as a string.
void json_raw(JsonOut *json, Str text);

// The same with a key.
void json_member_string(JsonOut *json, const char *key, Str text);
void json_member_text(JsonOut *json, const char *key, Str text); // null when empty
void json_member_long(JsonOut *json, const char *key, int64_t number);

void json_strings(JsonOut *json, const Str *items, size_t count); // an array
// The members "remediation" and "mappings" of a control.
void json_remedy(JsonOut *json, const Control *control);
