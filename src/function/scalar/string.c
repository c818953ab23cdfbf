// String functions: building, cutting, searching and replacing text. Source: Kusto
// docs, "String functions". Positions and lengths count code points, not bytes.

#include "base/array.h"
#include "function/registry.h"
#include "value/scalar.h"
#include "value/unicode.h"

#include <stdio.h>

// The text of argument k at row i whatever its type, as tostring() gives it; uses
// `buffer` when the argument is no string.
static Str
arg_text(ScalarCall *call, uint32_t k, uint32_t i, Buffer *buffer)
{
    if (call->args[k].type == TYPE_STRING)
        return arg_str(call, k, i);
    buffer_clear(buffer);
    if (!arg_is_null(call, k, i))
        data_print(buffer, call->args[k].type,
                   (const char *)call->args[k].data +
                       (i & call->args[k].mask) * type_size(call->args[k].type));
    return buffer_slice(buffer);
}

static int64_t
arg_long(const ScalarCall *call, uint32_t k, uint32_t i, int64_t absent)
{
    return k < call->arg_count ? ARG(call, k, int64_t, i) : absent;
}

// ---- concatenation ----

static void
strcat_rows(ScalarCall *call)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        buffer_clear(out);
        for (uint32_t k = 0; k < call->arg_count; k++)
            buffer_str(out, arg_text(call, k, i, &call->scratch->text2));
        out_str(call, i, buffer_slice(out));
    }
}

static void
strcat_delim(ScalarCall *call)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        buffer_clear(out);
        for (uint32_t k = 1; k < call->arg_count; k++) {
            if (k > 1)
                buffer_str(out, arg_str(call, 0, i));
            buffer_str(out, arg_text(call, k, i, &call->scratch->text2));
        }
        out_str(call, i, buffer_slice(out));
    }
}

static void
strcat_array(ScalarCall *call)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        Dyn array = arg_dyn(call, 0, i);
        if (dyn_kind(array) != DYN_ARRAY)
            continue;
        buffer_clear(out);
        uint32_t count = dyn_count(array);
        for (uint32_t n = 0; n < count; n++) {
            if (n)
                buffer_str(out, arg_str(call, 1, i));
            dyn_to_text(out, dyn_at(array, n));
        }
        out_str(call, i, buffer_slice(out));
    }
}

static void
strrep(ScalarCall *call)
{
    enum { LONGEST = 1024, BYTES_MOST = 1 << 20 };
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        Str text = arg_text(call, 0, i, &call->scratch->text2);
        int64_t times = arg_long(call, 1, i, 0);
        if (times > LONGEST)
            times = LONGEST;
        buffer_clear(out);
        for (int64_t n = 0; n < times && out->len < BYTES_MOST; n++) {
            if (n && call->arg_count > 2)
                buffer_str(out, arg_str(call, 2, i));
            buffer_str(out, text);
        }
        out_str(call, i, buffer_slice(out));
    }
}

// ---- length, case, order ----

static void
strlen_rows(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((int64_t *)call->out)[i] = (int64_t)utf8_count(arg_text(call, 0, i, &call->scratch->text));
}

static void
string_size(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((int64_t *)call->out)[i] = (int64_t)arg_str(call, 0, i).len;
}

static void
case_rows(ScalarCall *call, void (*convert)(Buffer *, Str))
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        buffer_clear(out);
        convert(out, arg_str(call, 0, i));
        out_str(call, i, buffer_slice(out));
    }
}

static void
to_lower(ScalarCall *call)
{
    case_rows(call, unicode_lower);
}

static void
to_upper(ScalarCall *call)
{
    case_rows(call, unicode_upper);
}

static void
strcmp_rows(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        int order = str_compare(arg_str(call, 0, i), arg_str(call, 1, i));
        ((int64_t *)call->out)[i] = (order > 0) - (order < 0);
    }
}

static void
reverse(ScalarCall *call)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        Str text = arg_text(call, 0, i, &call->scratch->text2);
        buffer_clear(out);
        for (size_t end = text.len; end > 0;) {
            size_t start = end - 1;
            while (start > 0 && ((unsigned char)text.ptr[start] & 0xC0) == 0x80)
                start--;
            buffer_put(out, text.ptr + start, end - start);
            end = start;
        }
        out_str(call, i, buffer_slice(out));
    }
}

static void
is_ascii(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Str text = arg_str(call, 0, i);
        bool ascii = true;
        for (size_t b = 0; b < text.len && ascii; b++)
            ascii = (unsigned char)text.ptr[b] < 0x80;
        ((uint8_t *)call->out)[i] = ascii;
    }
}

static void
is_utf8(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((uint8_t *)call->out)[i] = utf8_valid(arg_str(call, 0, i));
}

// ---- cutting ----

// substring(text, start[, length]): a negative start counts from the end.
static void
substring(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Str text = arg_str(call, 0, i);
        int64_t start = arg_long(call, 1, i, 0), length = arg_long(call, 2, i, INT64_MAX);
        if (start < 0) {
            start += (int64_t)utf8_count(text);
            if (start < 0)
                start = 0;
        }
        if (length <= 0)
            continue;
        Str rest = str_slice(text, utf8_offset(text, (size_t)start), text.len);
        size_t end = (uint64_t)length < rest.len ? utf8_offset(rest, (size_t)length) : rest.len;
        out_view(call, i, str_slice(rest, 0, end));
    }
}

// split(text, delimiter[, index]): an array, of one element when an index is given.
static void
split(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        Str text = arg_str(call, 0, i), delimiter = arg_str(call, 1, i);
        bool one = call->arg_count > 2 && !arg_is_null(call, 2, i);
        int64_t wanted = one ? arg_long(call, 2, i, 0) : -1, index = 0;
        dyn_builder_reset(dyn);
        dyn_begin_array(dyn);
        for (;; index++) {
            ptrdiff_t hit = delimiter.len ? str_find(text, delimiter) : -1;
            Str part = hit < 0 ? text : str_slice(text, 0, (size_t)hit);
            if (!one || index == wanted)
                dyn_push_string(dyn, part);
            if (hit < 0)
                break;
            text = str_slice(text, (size_t)hit + delimiter.len, text.len);
        }
        dyn_end_array(dyn);
        out_dyn(call, i);
    }
}

// ---- searching ----

// indexof(source, lookup[, start[, length[, occurrence]]]): code points, -1 when absent.
static void
index_of(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Str text = arg_text(call, 0, i, &call->scratch->text);
        Str needle = arg_text(call, 1, i, &call->scratch->text2);
        int64_t start = arg_long(call, 2, i, 0), length = arg_long(call, 3, i, -1);
        int64_t occurrence = arg_long(call, 4, i, 1);
        int64_t count = (int64_t)utf8_count(text);
        if (start < 0)
            start = start + count < 0 ? 0 : start + count;
        ((int64_t *)call->out)[i] = -1;
        if (length < -1 || occurrence < 1) {
            out_null(call, i);
            continue;
        }
        size_t from = utf8_offset(text, (size_t)start);
        size_t to = length < 0
                        ? text.len
                        : from + utf8_offset(str_slice(text, from, text.len), (size_t)length);
        if (start > count)
            continue;
        Str window = str_slice(text, from, to);
        size_t offset = 0;
        for (int64_t n = 1;; n++) {
            ptrdiff_t hit = str_find(str_slice(window, offset, window.len), needle);
            if (hit < 0 || (needle.len == 0 && n > 1))
                break;
            offset += (size_t)hit;
            if (n == occurrence) {
                ((int64_t *)call->out)[i] =
                    start + (int64_t)utf8_count(str_slice(window, 0, offset));
                break;
            }
            offset += needle.len;
        }
    }
}

// countof(text, search[, kind]): plain matches may overlap, regex ones do not.
static void
count_of(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Str text = arg_str(call, 0, i), needle = arg_str(call, 1, i);
        int64_t count = 0;
        if (call->arg_count > 2 && str_equal_ci(arg_str(call, 2, i), STR("regex"))) {
            const Regex *regex = arg_regex(call, 1, i, false);
            Str group;
            for (size_t from = 0;
                 regex && from <= text.len && regex_find(regex, text, from, &group, 1); count++)
                from = (size_t)(group.ptr - text.ptr) + (group.len ? group.len : 1);
        } else {
            for (size_t from = 0; needle.len && from < text.len; count++) {
                ptrdiff_t hit = str_find(str_slice(text, from, text.len), needle);
                if (hit < 0)
                    break;
                from += (size_t)hit + 1;
            }
        }
        ((int64_t *)call->out)[i] = count;
    }
}

static void
has_any_index(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Str text = arg_str(call, 0, i);
        Dyn needles = arg_dyn(call, 1, i);
        int64_t found = -1;
        for (uint32_t n = 0; n < dyn_count(needles) && found < 0; n++) {
            Buffer *needle = &call->scratch->text;
            buffer_clear(needle);
            dyn_to_text(needle, dyn_at(needles, n));
            if (term_has(text, buffer_slice(needle), true))
                found = n;
        }
        ((int64_t *)call->out)[i] = found;
    }
}

// ---- replacing ----

static void
replace_all(Buffer *out, Str text, Str lookup, Str with)
{
    for (;;) {
        ptrdiff_t hit = lookup.len ? str_find(text, lookup) : -1;
        if (hit < 0)
            break;
        buffer_put(out, text.ptr, (size_t)hit);
        buffer_str(out, with);
        text = str_slice(text, (size_t)hit + lookup.len, text.len);
    }
    buffer_str(out, text);
}

static void
replace_string(ScalarCall *call)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        buffer_clear(out);
        replace_all(out, arg_str(call, 0, i), arg_str(call, 1, i), arg_str(call, 2, i));
        out_str(call, i, buffer_slice(out));
    }
}

// The text of element n of an array; the last one again when it is shorter and
// `repeat_last` (one replacement for all look-ups).
static Str
element_text(Dyn array, uint32_t n, Buffer *buffer)
{
    Dyn element = dyn_kind(array) == DYN_ARRAY ? dyn_at(array, n) : array;
    if (dyn_kind(element) == DYN_STRING)
        return dyn_string(element);
    buffer_clear(buffer);
    dyn_to_text(buffer, element);
    return buffer_slice(buffer);
}

// The text with look-up `n` and all later ones replaced: what an earlier look-up has
// put in is not looked at again.
static void
replace_from(ScalarCall *call, Buffer *out, Str text, Dyn lookups, Dyn with, uint32_t n)
{
    if (n == dyn_count(lookups)) {
        buffer_str(out, text);
        return;
    }
    Buffer word = {0}, rewrite = {0};
    Str lookup = element_text(lookups, n, &word);
    for (;;) {
        ptrdiff_t hit = lookup.len ? str_find(text, lookup) : -1;
        replace_from(call, out, hit < 0 ? text : str_slice(text, 0, (size_t)hit), lookups, with,
                     n + 1);
        if (hit < 0)
            break;
        buffer_str(out, element_text(with, n, &rewrite));
        text = str_slice(text, (size_t)hit + lookup.len, text.len);
    }
    buffer_free(&word);
    buffer_free(&rewrite);
}

// replace_strings(text, lookups, replacements): look-ups in the order of the array.
static void
replace_strings(ScalarCall *call)
{
    enum { LOOKUPS_MAX = 256 }; // bounds the depth of replace_from
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        Dyn lookups = arg_dyn(call, 1, i), with = arg_dyn(call, 2, i);
        bool many = dyn_kind(with) == DYN_ARRAY;
        if (dyn_kind(lookups) != DYN_ARRAY || dyn_count(lookups) > LOOKUPS_MAX ||
            (many && dyn_count(with) != dyn_count(lookups))) {
            out_null(call, i);
            continue;
        }
        buffer_clear(out);
        replace_from(call, out, arg_str(call, 0, i), lookups, with, 0);
        out_str(call, i, buffer_slice(out));
    }
}

// translate(search, replacement, text): characters, the last replacement repeats.
static void
translate(ScalarCall *call)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        Str search = arg_str(call, 0, i), with = arg_str(call, 1, i), text = arg_str(call, 2, i);
        buffer_clear(out);
        for (size_t at = 0; at < text.len;) {
            uint32_t codepoint = utf8_next(text, &at), replacement = codepoint;
            bool found = false, dropped = false;
            size_t s = 0, w = 0;
            uint32_t last = 0;
            while (s < search.len && !found) {
                uint32_t candidate = utf8_next(search, &s);
                if (w < with.len)
                    last = utf8_next(with, &w);
                found = candidate == codepoint;
            }
            if (found) {
                dropped = with.len == 0;
                replacement = last;
            }
            if (!dropped)
                utf8_put(out, replacement);
        }
        out_str(call, i, buffer_slice(out));
    }
}

// ---- trimming by regex ----

typedef enum TrimSide { TRIM_START = 1, TRIM_END = 2 } TrimSide;

static bool
trim_matches_at_end(const Regex *regex, Str text, size_t *start)
{
    // The pattern is compiled as (?:P)$, so the first match that starts earliest wins.
    Str group;
    if (!regex_find(regex, text, 0, &group, 1) || group.len == 0)
        return false;
    *start = (size_t)(group.ptr - text.ptr);
    return true;
}

typedef struct TrimRegex {
    Regex *at_start, *at_end;
} TrimRegex;

static bool
trim_compile(Arena *arena, Str pattern, TrimRegex *out, AzError *error)
{
    Str start = str_format(arena, "^(?:%.*s)", STR_ARG(pattern));
    Str end = str_format(arena, "(?:%.*s)$", STR_ARG(pattern));
    out->at_start = regex_new(start, false, error);
    out->at_end = out->at_start ? regex_new(end, false, error) : NULL;
    if (out->at_end)
        return true;
    regex_free(out->at_start);
    return false;
}

static void
trim_rows(ScalarCall *call, int sides)
{
    TrimRegex regexes = {0};
    Str compiled = {0};
    for (uint32_t i = 0; i < call->count; i++) {
        Str pattern = arg_str(call, 0, i), text = arg_str(call, 1, i);
        if (i == 0 || !str_equal(pattern, compiled)) {
            regex_free(regexes.at_start);
            regex_free(regexes.at_end);
            regexes = (TrimRegex){0};
            if (!trim_compile(call->arena, pattern, &regexes, NULL))
                regexes = (TrimRegex){0};
            compiled = pattern;
        }
        if (!regexes.at_end)
            continue;
        Str group;
        if ((sides & TRIM_START) && regex_find(regexes.at_start, text, 0, &group, 1))
            text = str_slice(text, group.len, text.len);
        size_t start;
        if ((sides & TRIM_END) && trim_matches_at_end(regexes.at_end, text, &start))
            text = str_slice(text, 0, start);
        out_view(call, i, text);
    }
    regex_free(regexes.at_start);
    regex_free(regexes.at_end);
}

static void
trim(ScalarCall *call)
{
    trim_rows(call, TRIM_START | TRIM_END);
}

static void
trim_start(ScalarCall *call)
{
    trim_rows(call, TRIM_START);
}

static void
trim_end(ScalarCall *call)
{
    trim_rows(call, TRIM_END);
}

static bool
trim_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
          Type *type, const void **bound, AzError *error)
{
    (void)fn, (void)arg_count, (void)span, (void)type, (void)bound;
    if (args[0]->kind != EXPR_CONST)
        return true;
    TrimRegex regexes;
    AzError cause = {0};
    if (!trim_compile(arena, text_str(&args[0]->value.text), &regexes, &cause))
        return error_at(error, AZ_SEMANTIC, args[0]->span, "%s", cause.message);
    regex_free(regexes.at_start);
    regex_free(regexes.at_end);
    return true;
}

// ---- code points ----

static void
to_codepoints(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        Str text = arg_str(call, 0, i);
        dyn_builder_reset(dyn);
        dyn_begin_array(dyn);
        for (size_t at = 0; at < text.len;)
            dyn_push_long(dyn, utf8_next(text, &at));
        dyn_end_array(dyn);
        out_dyn(call, i);
    }
}

static void
put_codepoints(Buffer *out, Dyn node)
{
    if (dyn_kind(node) == DYN_LONG) {
        int64_t codepoint = dyn_long(node);
        bool is_surrogate = codepoint >= 0xD800 && codepoint <= 0xDFFF;
        if (codepoint >= 0 && codepoint <= 0x10FFFF && !is_surrogate)
            utf8_put(out, (uint32_t)codepoint);
        return;
    }
    for (uint32_t n = 0; dyn_kind(node) == DYN_ARRAY && n < dyn_count(node); n++)
        put_codepoints(out, dyn_at(node, n));
}

static void
from_codepoints(ScalarCall *call)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        buffer_clear(out);
        for (uint32_t k = 0; k < call->arg_count; k++) {
            Value value = arg_value(call, k, i);
            if (value.is_null)
                continue;
            if (value.type == TYPE_DYNAMIC) {
                put_codepoints(out, dyn_of_text(&value.text));
            } else {
                Value number = value_convert(call->arena, &value, TYPE_LONG);
                if (!number.is_null && number.int64 >= 0 && number.int64 <= 0x10FFFF)
                    utf8_put(out, (uint32_t)number.int64);
            }
        }
        out_str(call, i, buffer_slice(out));
    }
}

static void
to_hex(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        char text[72];
        int64_t width = arg_long(call, 1, i, 0);
        if (width < 0 || width > 64)
            width = width < 0 ? 0 : 64;
        // A negative number by its two's complement, of 32 bits when it is an int.
        unsigned long long bits = call->args[0].type == TYPE_INT
                                      ? (uint32_t)ARG(call, 0, int32_t, i)
                                      : (unsigned long long)ARG(call, 0, int64_t, i);
        int len = snprintf(text, sizeof(text), "%0*llx", (int)width, bits);
        out_str(call, i, (Str){text, (size_t)len});
    }
}

static void
format_bytes(ScalarCall *call)
{
    static const char *const UNITS[] = {"Bytes", "KB", "MB", "GB", "TB", "PB", "EB"};
    for (uint32_t i = 0; i < call->count; i++) {
        double value = ARG(call, 0, double, i);
        int64_t precision = arg_long(call, 1, i, 0);
        precision = precision < 0 ? 0 : precision > 15 ? 15 : precision;
        size_t unit = 0;
        Str wanted = call->arg_count > 2 ? arg_str(call, 2, i) : STR("");
        for (; unit + 1 < COUNT_OF(UNITS); unit++, value /= 1024)
            if (wanted.len ? str_equal_ci(wanted, str_from(UNITS[unit]))
                           : value < 1024 && value > -1024)
                break;
        char number[64];
        snprintf(number, sizeof(number), "%.*f", (int)precision, value);
        if (strchr(number, '.')) {
            size_t len = strlen(number);
            while (number[len - 1] == '0')
                number[--len] = 0;
            if (number[len - 1] == '.')
                number[--len] = 0;
        }
        out_str(call, i, str_format(call->arena, "%s %s", number, UNITS[unit]));
    }
}

// ---- rows ----

#define IMPL(NAME) static const ScalarImpl NAME##_impl = {NAME, NULL}
IMPL(strcat_rows);
IMPL(strcat_delim);
IMPL(strcat_array);
IMPL(strrep);
IMPL(strlen_rows);
IMPL(string_size);
IMPL(to_lower);
IMPL(to_upper);
IMPL(strcmp_rows);
IMPL(reverse);
IMPL(is_ascii);
IMPL(is_utf8);
IMPL(substring);
IMPL(split);
IMPL(index_of);
IMPL(count_of);
IMPL(has_any_index);
IMPL(replace_string);
IMPL(replace_strings);
IMPL(translate);
IMPL(to_codepoints);
IMPL(from_codepoints);
IMPL(to_hex);
IMPL(format_bytes);
static const ScalarImpl trim_impl = {trim, trim_bind};
static const ScalarImpl trim_start_impl = {trim_start, trim_bind};
static const ScalarImpl trim_end_impl = {trim_end, trim_bind};

#define FUNCTION(NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FLAGS, KERNEL)                            \
    {                                                                                              \
        NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FUNCTION_SCALAR, FLAGS, &(KERNEL##_impl)           \
    }

static const FunctionDef ROWS[] = {
    FUNCTION("strcat", NULL, "(value:scalar...) : string", "The values as text, one after another.",
             "strcat('a', 1) == 'a1'", FN_OWN_NULLS, strcat_rows),
    FUNCTION("strcat_delim", NULL, "(delimiter:text, value:scalar, other:scalar...) : string",
             "The values as text with the delimiter between.", "strcat_delim('-', 1, 'a') == '1-a'",
             FN_OWN_NULLS, strcat_delim),
    FUNCTION("strcat_array", NULL, "(array:array, delimiter:text) : string",
             "The elements as text with the delimiter between.",
             "strcat_array(dynamic([1,2]), ',') == '1,2'", 0, strcat_array),
    FUNCTION("strrep", NULL, "(value:scalar, times:long, delimiter:text=) : string",
             "The text repeated.", "strrep('ab', 2) == 'abab'", 0, strrep),
    FUNCTION("strlen", NULL, "(text:textual) : long", "The number of characters.",
             "strlen('abc') == 3", FN_OWN_NULLS, strlen_rows),
    FUNCTION("string_size", NULL, "(text:textual) : long", "The number of bytes.",
             "string_size('abc') == 3", 0, string_size),
    FUNCTION("tolower", NULL, "(text:text) : string", "The text in lower case.",
             "tolower('AbC') == 'abc'", 0, to_lower),
    FUNCTION("toupper", NULL, "(text:text) : string", "The text in upper case.",
             "toupper('AbC') == 'ABC'", 0, to_upper),
    FUNCTION("strcmp", NULL, "(a:text, b:text) : long", "-1, 0 or 1 by the order of the texts.",
             "strcmp('a', 'b') == -1", 0, strcmp_rows),
    FUNCTION("reverse", NULL, "(value:scalar) : string", "The characters in reverse order.",
             "reverse('abc') == 'cba'", FN_OWN_NULLS, reverse),
    FUNCTION("isascii", NULL, "(text:text) : bool", "Whether all characters are ASCII.",
             "isascii('abc')", 0, is_ascii),
    FUNCTION("isutf8", NULL, "(text:text) : bool", "Whether the bytes are valid UTF-8.",
             "isutf8('abc')", 0, is_utf8),
    FUNCTION("substring", NULL, "(text:text, start:long, length:long=) : string",
             "Part of the text; a negative start counts from the end.",
             "substring('abcdef', 1, 2) == 'bc'", 0, substring),
    FUNCTION("split", NULL, "(text:text, delimiter:string, index:long=) : dynamic",
             "The parts between delimiters as an array; with an index, only that part.",
             "tostring(split('a_b', '_')[1]) == 'b'", 0, split),
    FUNCTION("indexof", NULL,
             "(source:scalar, lookup:scalar, start:long=, length:long=, occurrence:long=) : long",
             "Where the text occurs, -1 when it does not.", "indexof('abc', 'c') == 2", 0,
             index_of),
    FUNCTION("countof", NULL, "(text:string, search:string, kind:string=) : long",
             "How often the text occurs; kind 'regex' searches a pattern.",
             "countof('aaa', 'a') == 3", 0, count_of),
    FUNCTION("has_any_index", NULL, "(text:textual, terms:array) : long",
             "Index of the first term that the text has, -1 when none.",
             "has_any_index('a b', dynamic(['x','b'])) == 1", 0, has_any_index),
    FUNCTION("replace_string", NULL, "(text:string, lookup:string, rewrite:string) : string",
             "Every occurrence replaced.", "replace_string('abab', 'b', 'c') == 'acac'", 0,
             replace_string),
    FUNCTION("replace_strings", NULL, "(text:string, lookups:array, rewrites:array) : string",
             "Every occurrence of any look-up replaced by its rewrite.",
             "replace_strings('ab', dynamic(['a','b']), dynamic(['b','a'])) == 'ba'", 0,
             replace_strings),
    FUNCTION("translate", NULL, "(search:string, replacement:string, text:string) : string",
             "Each character of `search` replaced by the one at its place in `replacement`.",
             "translate('ab', 'xy', 'aabb') == 'xxyy'", 0, translate),
    FUNCTION("trim", NULL, "(regex:constant(string), text:string) : string",
             "The text without matches of the regex at both ends.", "trim('-', '-a-') == 'a'", 0,
             trim),
    FUNCTION("trim_start", NULL, "(regex:constant(string), text:string) : string",
             "The text without a match of the regex at its start.",
             "trim_start('-', '-a-') == 'a-'", 0, trim_start),
    FUNCTION("trim_end", NULL, "(regex:constant(string), text:string) : string",
             "The text without a match of the regex at its end.", "trim_end('-', '-a-') == '-a'", 0,
             trim_end),
    FUNCTION("unicode_codepoints_from_string", "to_utf8", "(text:text) : dynamic",
             "The code points as an array.", "tolong(unicode_codepoints_from_string('a')[0]) == 97",
             0, to_codepoints),
    FUNCTION("unicode_codepoints_to_string", "make_string", "(codepoint:wholes...) : string",
             "The text of the code points, given as numbers or arrays of them.",
             "unicode_codepoints_to_string(97, 98) == 'ab'", FN_OWN_NULLS, from_codepoints),
    FUNCTION("tohex", NULL, "(value:int, width:long=) : string",
             "The number in hexadecimal, a negative one as 32 bits.",
             "tohex(int(-256), 8) == 'ffffff00'", 0, to_hex),
    FUNCTION("tohex", NULL, "(value:long, width:long=) : string", "The number in hexadecimal.",
             "tohex(255) == 'ff'", 0, to_hex),
    FUNCTION("format_bytes", NULL, "(size:real, precision:long=, unit:string=) : string",
             "A number of bytes in a readable unit.", "format_bytes(2048.0) == '2 KB'", 0,
             format_bytes),
};

const FunctionSet STRING_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
