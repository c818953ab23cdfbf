// Regular expressions: extract, extract_all, replace_regex, indexof_regex. Source: Kusto
// docs, pages of the functions and "Regular expressions".

#include "base/array.h"
#include "function/registry.h"
#include "value/scalar.h"
#include "value/unicode.h"

enum { GROUPS_MAX = 32 };

// ---- extract ----

static void
extract(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        const Regex *regex = arg_regex(call, 0, i, false);
        int64_t group = ARG(call, 1, int64_t, i);
        Str groups[GROUPS_MAX], text = arg_str(call, 2, i);
        bool found = regex && group >= 0 && group < GROUPS_MAX &&
                     group <= regex_group_count(regex) &&
                     regex_find(regex, text, 0, groups, (int)group + 1) && groups[group].ptr;
        if (!found) {
            if (call->type != TYPE_STRING)
                out_null(call, i);
        } else if (call->type == TYPE_STRING) {
            out_view(call, i, groups[group]);
        } else {
            Value value;
            value_parse(call->arena, call->type, groups[group], &value);
            out_value(call, i, &value);
        }
    }
}

// extract(regex, group, text, typeof(long)): the type comes as its name.
static bool
extract_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
             Type *type, const void **bound, AzError *error)
{
    (void)arena, (void)fn, (void)span;
    *type = TYPE_STRING;
    if (arg_count > 3) {
        bool named = args[3]->kind == EXPR_CONST && args[3]->value.type == TYPE_STRING;
        *type = named ? type_from_name(text_str(&args[3]->value.text)) : TYPE_NONE;
        if (*type == TYPE_NONE)
            return error_at(error, AZ_SEMANTIC, args[3]->span,
                            "the last argument of extract() is a type, for example typeof(long)");
    }
    return bind_regex(args, 0, false, bound, error);
}

// ---- extract_all ----

// Which capture groups are wanted, by number or name; all when the array is absent.
static int
wanted_groups(ScalarCall *call, const Regex *regex, uint32_t i, bool listed, int *out)
{
    int count = regex_group_count(regex), kept = 0;
    if (count >= GROUPS_MAX)
        count = GROUPS_MAX - 1;
    if (!listed) {
        for (int g = 1; g <= count; g++)
            out[kept++] = g;
        return kept;
    }
    Dyn list = arg_dyn(call, 1, i);
    for (uint32_t n = 0; n < dyn_count(list) && kept < GROUPS_MAX; n++) {
        Dyn item = dyn_at(list, n);
        int64_t number = dyn_kind(item) == DYN_LONG     ? dyn_long(item)
                         : dyn_kind(item) == DYN_STRING ? regex_group_named(regex, dyn_string(item))
                                                        : -1;
        if (number >= 0 && number <= count)
            out[kept++] = (int)number;
    }
    return kept;
}

static void
push_match(DynBuilder *dyn, const Str *groups, const int *wanted, int count)
{
    if (count > 1)
        dyn_begin_array(dyn);
    for (int g = 0; g < count; g++)
        dyn_push_string(dyn, groups[wanted[g]].ptr ? groups[wanted[g]] : STR(""));
    if (count > 1)
        dyn_end_array(dyn);
}

static void
extract_all_rows(ScalarCall *call, bool listed)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        const Regex *regex = arg_regex(call, 0, i, false);
        Str text = arg_str(call, listed ? 2 : 1, i), groups[GROUPS_MAX];
        int wanted[GROUPS_MAX];
        int count = regex ? wanted_groups(call, regex, i, listed, wanted) : 0;
        bool any = false;
        dyn_builder_reset(dyn);
        dyn_begin_array(dyn);
        for (size_t from = 0; count && from <= text.len;) {
            if (!regex_find(regex, text, from, groups, GROUPS_MAX))
                break;
            any = true;
            push_match(dyn, groups, wanted, count);
            size_t at = (size_t)(groups[0].ptr - text.ptr);
            from = at + (groups[0].len ? groups[0].len : 1);
        }
        dyn_end_array(dyn);
        if (any)
            out_dyn(call, i);
        else
            out_null(call, i); // no match gives null
    }
}

static void
extract_all(ScalarCall *call)
{
    extract_all_rows(call, false);
}

static void
extract_all_groups(ScalarCall *call)
{
    extract_all_rows(call, true);
}

// ---- replace, quote, find ----

static void
replace_regex(ScalarCall *call)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        const Regex *regex = arg_regex(call, 1, i, false);
        buffer_clear(out);
        if (regex)
            regex_replace_all(regex, arg_str(call, 0, i), arg_str(call, 2, i), out);
        out_str(call, i, buffer_slice(out));
    }
}

// replace(regex, rewrite, text): the old order of arguments.
static void
replace_old(ScalarCall *call)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        const Regex *regex = arg_regex(call, 0, i, false);
        buffer_clear(out);
        if (regex)
            regex_replace_all(regex, arg_str(call, 2, i), arg_str(call, 1, i), out);
        out_str(call, i, buffer_slice(out));
    }
}

static void
quote(ScalarCall *call)
{
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        buffer_clear(out);
        regex_quote(arg_str(call, 0, i), out);
        out_str(call, i, buffer_slice(out));
    }
}

// indexof_regex(source, lookup[, start[, length[, occurrence]]]) in code points, -1 when absent.
static void
index_of_regex(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        const Regex *regex = arg_regex(call, 1, i, false);
        Str text = arg_str(call, 0, i), group;
        int64_t start = call->arg_count > 2 ? ARG(call, 2, int64_t, i) : 0;
        int64_t length = call->arg_count > 3 ? ARG(call, 3, int64_t, i) : -1;
        int64_t occurrence = call->arg_count > 4 ? ARG(call, 4, int64_t, i) : 1;
        int64_t total = (int64_t)utf8_count(text);
        if (start < 0 || length < -1 || occurrence < 1 || !regex) {
            out_null(call, i);
            continue;
        }
        size_t from = utf8_offset(text, (size_t)start);
        Str rest = str_slice(text, from, text.len);
        if (length >= 0)
            rest = str_slice(rest, 0, utf8_offset(rest, (size_t)length));
        int64_t found = -1;
        for (size_t at = 0; found < 0 && start <= total && at <= rest.len;) {
            if (!regex_find(regex, rest, at, &group, 1))
                break;
            at = (size_t)(group.ptr - rest.ptr);
            if (--occurrence == 0)
                found = start + (int64_t)utf8_count(str_slice(rest, 0, at));
            at += group.len ? group.len : 1;
        }
        ((int64_t *)call->out)[i] = found;
    }
}

static bool
bind_first(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
           Type *type, const void **bound, AzError *error)
{
    (void)arena, (void)fn, (void)arg_count, (void)span, (void)type;
    return bind_regex(args, 0, false, bound, error);
}

static bool
bind_second(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
            Type *type, const void **bound, AzError *error)
{
    (void)arena, (void)fn, (void)arg_count, (void)span, (void)type;
    return bind_regex(args, 1, false, bound, error);
}

static const ScalarImpl extract_impl = {extract, extract_bind};
static const ScalarImpl extract_all_impl = {extract_all, bind_first};
static const ScalarImpl extract_all_groups_impl = {extract_all_groups, bind_first};
static const ScalarImpl replace_regex_impl = {replace_regex, bind_second};
static const ScalarImpl replace_old_impl = {replace_old, bind_first};
static const ScalarImpl quote_impl = {quote, NULL};
static const ScalarImpl index_of_regex_impl = {index_of_regex, bind_second};

#define FUNCTION(NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FLAGS, KERNEL)                            \
    {                                                                                              \
        NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FUNCTION_SCALAR, FLAGS, &(KERNEL##_impl)           \
    }

static const FunctionDef ROWS[] = {
    FUNCTION("extract", NULL, "(regex:constant(string), group:long, text:string, type:string=) : *",
             "A capture group of the first match (0 = all of it), as a string or another type.",
             "extract('([0-9]+)', 1, 'a12', typeof(long)) == 12", 0, extract),
    FUNCTION("extract_all", "extractall", "(regex:constant(string), text:string) : array",
             "The capture groups of all matches.",
             "tostring(extract_all('([0-9])', 'a1b2')) == '[\"1\",\"2\"]'", 0, extract_all),
    FUNCTION("extract_all", "extractall",
             "(regex:constant(string), groups:array, text:string) : array",
             "The named capture groups of all matches.",
             "tostring(extract_all('([a-z])([0-9])', dynamic([2]), 'a1b2')) == '[\"1\",\"2\"]'", 0,
             extract_all_groups),
    FUNCTION("replace_regex", NULL,
             "(text:string, regex:constant(string), rewrite:constant(string)) : string",
             "Every match replaced; \\\\1 in the rewrite is a capture group.",
             "replace_regex('a1b2', '[0-9]', '-') == 'a-b-'", 0, replace_regex),
    FUNCTION("replace", NULL, "(regex:string, rewrite:string, text:string) : string",
             "The old spelling of replace_regex, with the text last.",
             "replace('[0-9]', '-', 'a1') == 'a-'", FN_OBSOLETE, replace_old),
    FUNCTION("regex_quote", NULL, "(text:text) : string",
             "The text with all characters escaped that mean something in a regex.",
             "regex_quote('a.b') == @'a\\.b'", 0, quote),
    FUNCTION("indexof_regex", NULL,
             "(source:text, lookup:constant(textual), start:long=, length:long=, occurrence:long=) "
             ": long",
             "Where the regex matches, -1 when it does not.", "indexof_regex('ab1', '[0-9]') == 2",
             0, index_of_regex),
};

const FunctionSet REGEX_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
