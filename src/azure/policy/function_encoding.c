// Functions of encodings: base64, JSON, data URIs, URI components.

#include "azure/policy/program.h"

#include "value/base64.h"
#include "value/json.h"
#include "value/unicode.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

// Base64 --------------------------------------------------------------------

static bool
fn_base64(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind == POLICY_NULL)
        return eval_fail(eval, "base64() takes a text");
    Buffer text = {0};
    base64_put(&text, policy_to_text(eval->arena, &args[0]));
    return function_give(eval, &text, out);
}

static bool
from_base64(Eval *eval, Str encoded, PolicyValue *out)
{
    Buffer text = {0};
    if (base64_read(&text, encoded) && utf8_valid(buffer_slice(&text)))
        return function_give(eval, &text, out);
    buffer_free(&text);
    return eval_fail(eval, "the text is not base64 of UTF-8");
}

static bool
fn_base64_to_string(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return args[0].kind == POLICY_STRING && from_base64(eval, args[0].text, out);
}

static bool
parse_json(Eval *eval, Str text, PolicyValue *out)
{
    JsonParser *parser = json_parser_new();
    DynBuilder *builder = dyn_builder_new();
    const char *why = NULL;
    size_t offset;
    Dyn tree = {0};
    bool good =
        json_to_dynamic(parser, text, builder, &why, &offset) && dyn_finish(builder, &tree, &why);
    if (good)
        *out = policy_value_of((Dyn){arena_copy(eval->arena, tree.ptr, tree.size), tree.size});
    dyn_builder_free(builder);
    json_parser_free(parser);
    return good || eval_fail(eval, "the text is no JSON");
}

static bool
fn_json(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return args[0].kind == POLICY_STRING && parse_json(eval, args[0].text, out);
}

static bool
fn_base64_to_json(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    PolicyValue text;
    return args[0].kind == POLICY_STRING && from_base64(eval, args[0].text, &text) &&
           parse_json(eval, text.text, out);
}

// URIs ----------------------------------------------------------------------

static bool
fn_data_uri(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind == POLICY_NULL)
        return false;
    Buffer text = {0};
    buffer_text(&text, "data:text/plain;charset=utf8;base64,");
    base64_put(&text, policy_to_text(eval->arena, &args[0]));
    return function_give(eval, &text, out);
}

static bool
fn_data_uri_to_string(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind != POLICY_STRING || !str_starts(args[0].text, STR("data:")))
        return eval_fail(eval, "dataUriToString() takes a data URI");
    ptrdiff_t comma = str_find(args[0].text, STR(","));
    if (comma < 0)
        return eval_fail(eval, "the data URI has no ','");
    Str head = str_slice(args[0].text, 0, (size_t)comma);
    Str data = str_slice(args[0].text, (size_t)comma + 1, args[0].text.len);
    if (str_ends(head, STR(";base64")))
        return from_base64(eval, data, out);
    *out = policy_text(data);
    return true;
}

static bool
fn_uri_component(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind != POLICY_STRING)
        return false;
    Buffer text = {0};
    for (size_t i = 0; i < args[0].text.len; i++) {
        unsigned char c = (unsigned char)args[0].text.ptr[i];
        if (isalnum(c) || (c && strchr("-_.~", c)))
            buffer_char(&text, (char)c);
        else
            buffer_printf(&text, "%%%02X", c);
    }
    return function_give(eval, &text, out);
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10 : -1;
}

static bool
fn_uri_component_to_string(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind != POLICY_STRING)
        return false;
    Buffer text = {0};
    Str s = args[0].text;
    for (size_t i = 0; i < s.len; i++) {
        int high = i + 2 < s.len && s.ptr[i] == '%' ? hex_digit(s.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(s.ptr[i + 2]) : -1;
        if (low >= 0) {
            buffer_char(&text, (char)(high * 16 + low));
            i += 2;
        } else {
            buffer_char(&text, s.ptr[i]);
        }
    }
    if (utf8_valid(buffer_slice(&text)))
        return function_give(eval, &text, out);
    buffer_free(&text);
    return eval_fail(eval, "the escapes do not spell UTF-8");
}

// uri(): the relative part replaces what follows the last '/' of the base, or its whole path
// when it begins with one.
static bool
fn_uri(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (!function_two_texts(args))
        return eval_fail(eval, "uri() takes two texts");
    Str base = args[0].text, relative = args[1].text;
    ptrdiff_t scheme = str_find(base, STR("://"));
    if (scheme <= 0)
        return eval_fail(eval, "the base of uri() has no scheme");
    Buffer text = {0};
    size_t host = (size_t)scheme + 3, end = host;
    while (end < base.len && !strchr("/?#", base.ptr[end]))
        end++;
    size_t last = end, stop = end;
    while (stop < base.len && !strchr("?#", base.ptr[stop]))
        stop++;
    for (size_t i = end; i < stop; i++)
        if (base.ptr[i] == '/')
            last = i;
    if (str_find(relative, STR("://")) > 0) {
        buffer_str(&text, relative);
    } else if (str_starts(relative, STR("/"))) {
        buffer_str(&text, str_slice(base, 0, end));
        buffer_str(&text, relative);
    } else {
        buffer_str(&text, str_slice(base, 0, last));
        buffer_char(&text, '/');
        buffer_str(&text, relative);
    }
    return function_give(eval, &text, out);
}

const PolicyFunction FUNCTIONS_ENCODING[] = {
    {"base64", 1, 1, false, fn_base64, NULL},
    {"base64ToString", 1, 1, false, fn_base64_to_string, NULL},
    {"base64ToJson", 1, 1, false, fn_base64_to_json, NULL},
    {"json", 1, 1, false, fn_json, NULL},
    {"dataUri", 1, 1, false, fn_data_uri, NULL},
    {"dataUriToString", 1, 1, false, fn_data_uri_to_string, NULL},
    {"uriComponent", 1, 1, false, fn_uri_component, NULL},
    {"uriComponentToString", 1, 1, false, fn_uri_component_to_string, NULL},
    {"uri", 2, 2, false, fn_uri, NULL},
    {NULL, 0, 0, false, NULL, NULL},
};
