// Functions of text.

#include "azure/policy/program.h"

#include "value/scalar.h"
#include "value/unicode.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

bool
function_give(Eval *eval, Buffer *text, PolicyValue *out)
{
    bool fits = text->len <= RESULT_LIMIT;
    if (fits)
        *out = policy_text(str_copy(eval->arena, buffer_slice(text)));
    buffer_free(text);
    return fits || eval_fail(eval, "the text is longer than 131,072 characters");
}

static bool
fn_concat(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    if (count && args[0].kind == POLICY_ARRAY) {
        uint32_t total = 0;
        for (uint32_t i = 0; i < count; i++) {
            if (args[i].kind != POLICY_ARRAY)
                return eval_fail(eval, "concat() takes arrays only, or no arrays");
            total += policy_count(&args[i]);
        }
        PolicyValue *items = arena_alloc_array(eval->arena, total, sizeof(*items));
        uint32_t at = 0;
        for (uint32_t i = 0; i < count; i++)
            for (uint32_t k = 0; k < policy_count(&args[i]); k++)
                items[at++] = policy_at(&args[i], k);
        *out = policy_array(items, total);
        return true;
    }
    Buffer text = {0};
    for (uint32_t i = 0; i < count && text.len <= RESULT_LIMIT; i++) {
        if (args[i].kind >= POLICY_ARRAY) {
            buffer_free(&text);
            return eval_fail(eval, "concat() takes arrays only, or no arrays");
        }
        if (args[i].kind == POLICY_BOOL) // as .NET prints it
            buffer_text(&text, args[i].boolean ? "True" : "False");
        else if (args[i].kind != POLICY_NULL)
            buffer_str(&text, policy_to_text(eval->arena, &args[i]));
    }
    return function_give(eval, &text, out);
}

static bool
fn_string(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    *out = policy_text(policy_to_text(eval->arena, &args[0]));
    return true;
}

static bool
change_case(Eval *eval, const PolicyValue *value, bool upper, PolicyValue *out)
{
    if (value->kind != POLICY_STRING)
        return false;
    Buffer text = {0};
    upper ? unicode_upper(&text, value->text) : unicode_lower(&text, value->text);
    return function_give(eval, &text, out);
}

static bool
fn_to_lower(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return change_case(eval, &args[0], false, out);
}

static bool
fn_to_upper(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    return change_case(eval, &args[0], true, out);
}

static bool
fn_trim(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)eval, (void)count;
    if (args[0].kind != POLICY_STRING)
        return false;
    *out = policy_text(str_trim(args[0].text));
    return true;
}

bool
function_two_texts(const PolicyValue *args)
{
    return args[0].kind == POLICY_STRING && args[1].kind == POLICY_STRING;
}

static bool
fn_starts_with(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)eval, (void)count;
    if (!function_two_texts(args))
        return false;
    *out = policy_bool(unicode_starts_ci(args[0].text, args[1].text));
    return true;
}

static bool
fn_ends_with(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)eval, (void)count;
    if (!function_two_texts(args))
        return false;
    *out = policy_bool(unicode_ends_ci(args[0].text, args[1].text));
    return true;
}

static bool
find(const PolicyValue *args, bool last, PolicyValue *out)
{
    if (!function_two_texts(args))
        return false;
    Str text = args[0].text, needle = args[1].text;
    int64_t found = -1, at = 0;
    for (size_t offset = 0; offset <= text.len; at++) {
        if (unicode_starts_ci(str_slice(text, offset, text.len), needle)) {
            found = at;
            if (!last)
                break;
        }
        if (offset == text.len)
            break;
        utf8_next(text, &offset);
    }
    *out = policy_long(found);
    return true;
}

static bool
fn_index_of(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)eval, (void)count;
    return find(args, false, out);
}

static bool
fn_last_index_of(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)eval, (void)count;
    return find(args, true, out);
}

static bool
fn_substring(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    if (args[0].kind != POLICY_STRING || args[1].kind != POLICY_LONG ||
        (count == 3 && args[2].kind != POLICY_LONG))
        return false;
    int64_t length = (int64_t)utf8_count(args[0].text), from = args[1].integer;
    if (from < 0 || from > length)
        return eval_fail(eval, "substring() starts outside of the text");
    int64_t taken = count == 3 ? args[2].integer : length - from;
    if (taken < 0 || taken > length - from)
        return eval_fail(eval, "substring() reaches beyond the end of the text");
    *out = policy_text(str_slice(args[0].text, utf8_offset(args[0].text, (size_t)from),
                                 utf8_offset(args[0].text, (size_t)(from + taken))));
    return true;
}

static bool
fn_replace(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (!function_two_texts(args) || args[2].kind != POLICY_STRING)
        return false;
    Str rest = args[0].text;
    if (!args[1].text.len)
        return eval_fail(eval, "replace() needs a text to look for");
    Buffer text = {0};
    ptrdiff_t at;
    while ((at = str_find(rest, args[1].text)) >= 0 && text.len <= RESULT_LIMIT) {
        buffer_str(&text, str_slice(rest, 0, (size_t)at));
        buffer_str(&text, args[2].text);
        rest = str_slice(rest, (size_t)at + args[1].text.len, rest.len);
    }
    buffer_str(&text, rest);
    return function_give(eval, &text, out);
}

static bool
fn_pad_left(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    if (args[0].kind >= POLICY_ARRAY || args[0].kind == POLICY_NULL ||
        args[1].kind != POLICY_LONG ||
        (count == 3 && (args[2].kind != POLICY_STRING || utf8_count(args[2].text) != 1)))
        return eval_fail(eval, "padLeft() takes a text, a length and one character");
    Str value = policy_to_text(eval->arena, &args[0]);
    Str filler = count == 3 ? args[2].text : STR(" ");
    Buffer text = {0};
    for (int64_t i = (int64_t)utf8_count(value); i < args[1].integer && text.len <= RESULT_LIMIT;
         i++)
        buffer_str(&text, filler);
    buffer_str(&text, value);
    return function_give(eval, &text, out);
}

// Where the nearest delimiter is, and how long it is.
static ptrdiff_t
next_delimiter(Str text, const PolicyValue *delimiters, size_t *len)
{
    ptrdiff_t nearest = -1;
    uint32_t count = delimiters->kind == POLICY_STRING ? 1 : policy_count(delimiters);
    for (uint32_t i = 0; i < count; i++) {
        PolicyValue one =
            delimiters->kind == POLICY_STRING ? *delimiters : policy_at(delimiters, i);
        if (one.kind != POLICY_STRING || !one.text.len)
            continue;
        ptrdiff_t at = str_find(text, one.text);
        if (at >= 0 && (nearest < 0 || at < nearest)) {
            nearest = at;
            *len = one.text.len;
        }
    }
    return nearest;
}

static bool
fn_split(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind != POLICY_STRING ||
        (args[1].kind != POLICY_STRING && args[1].kind != POLICY_ARRAY))
        return eval_fail(eval, "split() takes a text, and a delimiter or an array of them");
    uint32_t parts = 1;
    size_t len = 0;
    ptrdiff_t at;
    for (Str rest = args[0].text; (at = next_delimiter(rest, &args[1], &len)) >= 0; parts++)
        rest = str_slice(rest, (size_t)at + len, rest.len);
    PolicyValue *items = arena_alloc_array(eval->arena, parts, sizeof(*items));
    Str rest = args[0].text;
    for (uint32_t i = 0; i < parts; i++) {
        at = next_delimiter(rest, &args[1], &len);
        items[i] = policy_text(at < 0 ? rest : str_slice(rest, 0, (size_t)at));
        rest = at < 0 ? (Str){0} : str_slice(rest, (size_t)at + len, rest.len);
    }
    *out = policy_array(items, parts);
    return true;
}

static bool
fn_join(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    if (args[0].kind != POLICY_ARRAY || args[1].kind != POLICY_STRING)
        return false;
    Buffer text = {0};
    for (uint32_t i = 0; i < policy_count(&args[0]) && text.len <= RESULT_LIMIT; i++) {
        PolicyValue item = policy_at(&args[0], i);
        if (i)
            buffer_str(&text, args[1].text);
        if (item.kind != POLICY_NULL)
            buffer_str(&text, policy_to_text(eval->arena, &item));
        else
            buffer_text(&text, "null");
    }
    return function_give(eval, &text, out);
}

const PolicyFunction FUNCTIONS_TEXT[] = {
    {"concat", 1, -1, false, fn_concat, NULL},
    {"string", 1, 1, false, fn_string, NULL},
    {"toLower", 1, 1, false, fn_to_lower, NULL},
    {"toUpper", 1, 1, false, fn_to_upper, NULL},
    {"trim", 1, 1, false, fn_trim, NULL},
    {"startsWith", 2, 2, false, fn_starts_with, NULL},
    {"endsWith", 2, 2, false, fn_ends_with, NULL},
    {"indexOf", 2, 2, false, fn_index_of, NULL},
    {"lastIndexOf", 2, 2, false, fn_last_index_of, NULL},
    {"substring", 2, 3, false, fn_substring, NULL},
    {"replace", 3, 3, false, fn_replace, NULL},
    {"padLeft", 2, 3, false, fn_pad_left, NULL},
    {"split", 2, 2, false, fn_split, NULL},
    {"join", 2, 2, false, fn_join, NULL},
    {NULL, 0, 0, false, NULL, NULL},
};
