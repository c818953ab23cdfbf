// JSON written as it goes: no tree is built for a document of 100,000 findings.
//
// Only evidence is parsed before it is written: its text comes from outside and must be
// JSON by itself, or it would break the document around it.

#include "report/json_parts.h"

#include "value/unicode.h"

#include <math.h>
#include <string.h>

void
json_out_free(JsonOut *json)
{
    if (json->parser)
        json_parser_free(json->parser);
    if (json->builder)
        dyn_builder_free(json->builder);
    buffer_free(&json->scratch);
}

void
json_item(JsonOut *json)
{
    if (!json->first)
        buffer_char(json->out, ',');
    json->first = false;
}

void
json_open(JsonOut *json, char bracket)
{
    buffer_char(json->out, bracket);
    json->first = true;
}

void
json_close(JsonOut *json, char bracket)
{
    buffer_char(json->out, bracket);
    json->first = false;
}

void
json_key_str(JsonOut *json, Str key)
{
    json_item(json);
    json_string(json, key);
    buffer_char(json->out, ':');
}

void
json_key(JsonOut *json, const char *key)
{
    json_key_str(json, str_from(key));
}

void
json_string(JsonOut *json, Str text)
{
    if (utf8_valid(text)) {
        json_write_string(json->out, text, json->html_safe);
        return;
    }
    buffer_clear(&json->scratch);
    for (size_t at = 0; at < text.len;)
        utf8_put(&json->scratch, utf8_next(text, &at));
    json_write_string(json->out, buffer_slice(&json->scratch), json->html_safe);
}

void
json_null(JsonOut *json)
{
    buffer_text(json->out, "null");
}

void
json_string_or_null(JsonOut *json, Str text)
{
    if (text.len)
        json_string(json, text);
    else
        json_null(json);
}

void
json_long(JsonOut *json, int64_t number)
{
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do
        digits[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0)
        digits[--at] = '-';
    buffer_put(json->out, digits + at, sizeof(digits) - at);
}

void
json_tenths(JsonOut *json, double number)
{
    if (!isfinite(number) || fabs(number) > 1e15) {
        json_null(json);
        return;
    }
    int64_t tenths = llround(number * 10);
    if (tenths < 0)
        buffer_char(json->out, '-');
    tenths = tenths < 0 ? -tenths : tenths;
    json_long(json, tenths / 10);
    if (tenths % 10) {
        buffer_char(json->out, '.');
        buffer_char(json->out, (char)('0' + tenths % 10));
    }
}

void
json_score(JsonOut *json, double score)
{
    if (score < 0)
        json_null(json);
    else
        json_tenths(json, score);
}

// `<` and the line ends of scripts occur only inside strings of a JSON text, so they
// can be escaped without looking at its structure.
static void
put_html_safe(Buffer *out, Str json)
{
    size_t run = 0;
    for (size_t i = 0; i < json.len; i++) {
        unsigned char c = (unsigned char)json.ptr[i];
        const char *escape = NULL;
        size_t taken = 1;
        if (c == '<') {
            escape = "\\u003c";
        } else if (c == 0xE2 && i + 2 < json.len && (unsigned char)json.ptr[i + 1] == 0x80 &&
                   ((unsigned char)json.ptr[i + 2] & 0xFE) == 0xA8) {
            escape = (unsigned char)json.ptr[i + 2] == 0xA8 ? "\\u2028" : "\\u2029";
            taken = 3;
        }
        if (!escape)
            continue;
        buffer_put(out, json.ptr + run, i - run);
        buffer_text(out, escape);
        i += taken - 1;
        run = i + 1;
    }
    buffer_put(out, json.ptr + run, json.len - run);
}

void
json_raw(JsonOut *json, Str text)
{
    if (!json->parser) {
        json->parser = json_parser_new();
        json->builder = dyn_builder_new();
    }
    const char *why;
    size_t offset;
    Dyn tree;
    dyn_builder_reset(json->builder);
    if (!json_to_dynamic(json->parser, text, json->builder, &why, &offset) ||
        !dyn_finish(json->builder, &tree, &why)) {
        json_string(json, text);
        return;
    }
    buffer_clear(&json->scratch);
    dyn_to_json(&json->scratch, tree);
    if (json->html_safe)
        put_html_safe(json->out, buffer_slice(&json->scratch));
    else
        buffer_str(json->out, buffer_slice(&json->scratch));
}

void
json_member_string(JsonOut *json, const char *key, Str text)
{
    json_key(json, key);
    json_string(json, text);
}

void
json_member_text(JsonOut *json, const char *key, Str text)
{
    json_key(json, key);
    json_string_or_null(json, text);
}

void
json_member_long(JsonOut *json, const char *key, int64_t number)
{
    json_key(json, key);
    json_long(json, number);
}

void
json_strings(JsonOut *json, const Str *items, size_t count)
{
    json_open(json, '[');
    for (size_t i = 0; i < count; i++) {
        json_item(json);
        json_string(json, items[i]);
    }
    json_close(json, ']');
}

void
json_remedy(JsonOut *json, const Control *control)
{
    json_key(json, "remediation");
    json_open(json, '{');
    json_member_text(json, "text", control->fix_text);
    json_member_text(json, "az", control->fix_az);
    json_member_text(json, "bicep", control->fix_bicep);
    json_member_text(json, "policy", control->fix_policy);
    json_member_text(json, "breaks", control->fix_breaks);
    json_close(json, '}');
    json_key(json, "mappings");
    json_open(json, '{');
    for (size_t m = 0; m < control->mapping_count; m++) {
        json_key_str(json, control->mappings[m].framework);
        json_strings(json, control->mappings[m].ids, control->mappings[m].count);
    }
    json_close(json, '}');
}
