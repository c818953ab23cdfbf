// Names of columns that the query does not name (typing of the official analyser; see
// docs/kql.md). They follow no rule that a function's row could state, so they are listed
// here: after the argument, with a prefix, or fixed; all others are ColumnN.

#include "kql/bind_state.h"

static const FunctionDef *
find_kind(Binder *b, Str name, FunctionKind kind)
{
    size_t count;
    const FunctionDef *const *rows = b->catalog->find_function(b->catalog->context, name, &count);
    for (size_t i = 0; i < count; i++)
        if (rows[i]->kind == kind)
            return rows[i];
    return NULL;
}

// Functions whose result is named after their first argument alone.
static const char NAMES_OF_ARGUMENT[] =
    " abs acos asin atan atan2 bin bin_at bin_auto binary_and binary_not binary_or "
    "binary_shift_left binary_shift_right binary_xor bitset_count_ones ceiling cos erf erfc exp "
    "exp10 exp2 floor format_bytes format_datetime format_timespan gamma log log10 log2 loggamma "
    "parse_csv parse_json parse_xml parsejson pow rand round series_fill_backward "
    "series_fill_const series_fill_forward series_fill_linear series_fir series_iir "
    "series_outliers sin split sqrt startofday tan tobool toboolean todatetime todecimal todouble "
    "todynamic toguid tohex toint tolong toobject toreal tostring totime totimespan ";

// Functions whose result has a prefix before that name, or a name of its own.
static const struct {
    Str function, prefix, fixed;
} OWN_NAMES[] = {
    {STR_INIT("gettype"), STR_INIT("type"), {0}},
    {STR_INIT("treepath"), STR_INIT("tree"), {0}},
    {STR_INIT("repeat"), STR_INIT("repeat"), {0}},
    {STR_INIT("strlen"), STR_INIT("strlen"), {0}},
    {STR_INIT("string_size"), STR_INIT("string_size"), {0}},
    {STR_INIT("dcount_hll"), STR_INIT("dcount_hll"), {0}},
    {STR_INIT("percentile_tdigest"), STR_INIT("percentile_tdigest"), {0}},
    {STR_INIT("percentiles_array_tdigest"), STR_INIT("percentile_tdigest"), {0}},
    {STR_INIT("tdigest_merge"), {0}, STR_INIT("tdigests_merge_result")},
    {STR_INIT("merge_tdigest"), {0}, STR_INIT("tdigests_merge_result")},
    {STR_INIT("hll_merge"), {0}, STR_INIT("hll_merged_result")},
    {STR_INIT("ingestion_time"), {0}, STR_INIT("$IngestionTime")},
};

static bool
is_named_after_argument(Str function)
{
    const char *at = NAMES_OF_ARGUMENT;
    for (const char *end; *at == ' ' && at[1]; at = end) {
        end = strchr(at + 1, ' ');
        if (str_equal(function, (Str){at + 1, (size_t)(end - at - 1)}))
            return true;
    }
    return false;
}

static Str
prefixed_name(Binder *b, Str prefix, Str argument)
{
    return str_format(b->arena, "%.*s_%.*s", STR_ARG(prefix), STR_ARG(argument));
}

static Str
call_name(Binder *b, const AstExpr *ast)
{
    // tostring(make_set(x)) in summarize is named as make_set(x) alone would be.
    const FunctionDef *aggregate =
        b->aggregates ? find_kind(b, ast->name.text, FUNCTION_AGGREGATE) : NULL;
    if (aggregate) {
        bool plain =
            !(aggregate->flags & FN_AGG_COLUMNS) && !str_starts(ast->name.text, STR("percentile"));
        return plain ? aggregate_name(b, ast) : STR("");
    }
    bool single_text = ast->args.len == 1 && (str_equal(ast->name.text, STR("make_datetime")) ||
                                              str_equal(ast->name.text, STR("make_timespan")));
    Str argument = ast->args.len ? default_name(b, ast->args.items[0]) : STR("");
    if (ast->arg_names && ast->arg_names[0].text.len) // round(x = a / b, 2) is named x
        argument = ast->arg_names[0].text;
    for (size_t i = 0; i < COUNT_OF(OWN_NAMES); i++)
        if (str_equal(ast->name.text, OWN_NAMES[i].function))
            return OWN_NAMES[i].fixed.len ? OWN_NAMES[i].fixed
                                          : prefixed_name(b, OWN_NAMES[i].prefix, argument);
    return single_text || is_named_after_argument(ast->name.text) ? argument : STR("");
}

static Str
index_name(Binder *b, const AstExpr *ast)
{
    Str base = default_name(b, ast->base);
    const AstExpr *index = ast->index;
    bool negative = index->kind == AST_NEGATE;
    if (negative)
        index = index->base;
    if (!base.len || index->kind != AST_LITERAL)
        return STR("");
    if (index->value.type == TYPE_STRING)
        return str_format(b->arena, "%.*s_%.*s", STR_ARG(base),
                          STR_ARG(text_str(&index->value.text)));
    if (index->value.type == TYPE_LONG)
        return str_format(b->arena, "%.*s_%s%lld", STR_ARG(base), negative ? "-" : "",
                          (long long)index->value.int64);
    return STR("");
}

Str
default_name(Binder *b, const AstExpr *ast)
{
    switch (ast->kind) {
    case AST_NAME: return ast->name.text;
    case AST_MEMBER: {
        Str base = ast->index ? STR("") : default_name(b, ast->base);
        if (!base.len)
            return STR("");
        return str_format(b->arena, "%.*s_%.*s", STR_ARG(base), STR_ARG(ast->name.text));
    }
    case AST_INDEX: return index_name(b, ast);
    case AST_CALL: return call_name(b, ast);
    default: return STR("");
    }
}

Str
aggregate_name(Binder *b, const AstExpr *call)
{
    static const struct {
        Str function, prefix;
    } PREFIXES[] = {
        {STR_INIT("make_list"), STR_INIT("list")},
        {STR_INIT("make_list_if"), STR_INIT("list")},
        {STR_INIT("make_list_with_nulls"), STR_INIT("list")},
        {STR_INIT("makelist"), STR_INIT("list")},
        {STR_INIT("make_set"), STR_INIT("set")},
        {STR_INIT("make_set_if"), STR_INIT("set")},
        {STR_INIT("makeset"), STR_INIT("set")},
        {STR_INIT("make_bag"), STR_INIT("bag")},
        {STR_INIT("make_bag_if"), STR_INIT("bag")},
        {STR_INIT("make_dictionary"), STR_INIT("dictionary")},
        {STR_INIT("merge_tdigest"), STR_INIT("merge_tdigests")},
        {STR_INIT("buildschema"), STR_INIT("schema")},
        {STR_INIT("percentilew"), STR_INIT("percentile")},
        {STR_INIT("percentiles"), STR_INIT("percentile")},
        {STR_INIT("percentilesw"), STR_INIT("percentile")},
        {STR_INIT("percentiles_array"), STR_INIT("percentiles")},
        {STR_INIT("percentilesw_array"), STR_INIT("percentiles")},
        {STR_INIT("tdigest_merge"), STR_INIT("merge_tdigests")},
    };
    Str argument = call->args.len ? default_name(b, call->args.items[0]) : STR("");
    const FunctionDef *fn = find_kind(b, call->name.text, FUNCTION_AGGREGATE);
    bool old = str_equal(call->name.text, STR("anyif"));
    bool bits = str_starts(call->name.text, STR("binary_all_"));
    if (bits || (fn && !old && (fn->flags & FN_AGG_COLUMNS)))
        return argument;
    Str prefix = call->name.text;
    for (size_t i = 0; i < COUNT_OF(PREFIXES); i++)
        if (str_equal(prefix, PREFIXES[i].function))
            prefix = PREFIXES[i].prefix;
    return str_format(b->arena, "%.*s_%.*s", STR_ARG(prefix), STR_ARG(argument));
}

// ---- unique names ----

// What is known of a name: whether the query did not write it, for then a written one that meets
// it gets a suffix, and the highest suffix that it was tried with, so that a thousand columns of
// one name do not try all that those before them tried.
enum { NAME_AUTOMATIC = 1, NAME_SUFFIX_SHIFT = 1 };

// NULL: no column has the name. Columns may have been put into the namer without it.
static MapEntry *
namer_find(ColumnNamer *namer, Str name)
{
    if (!namer->names.arena)
        map_init(&namer->names, namer->arena, false);
    for (; namer->indexed < namer->len; namer->indexed++)
        map_add(&namer->names, namer->items[namer->indexed].name, NULL);
    return map_find(&namer->names, name);
}

void
namer_add_auto(ColumnNamer *namer, Str name, Type type)
{
    Column column = {name, type};
    MapEntry *taken = namer_find(namer, name);
    if (taken) {
        uint64_t n = taken->number >> NAME_SUFFIX_SHIFT;
        do
            column.name =
                str_format(namer->arena, "%.*s%llu", STR_ARG(name), (unsigned long long)++n);
        while (namer_find(namer, column.name));
        taken->number = n << NAME_SUFFIX_SHIFT | (taken->number & NAME_AUTOMATIC);
    }
    ARRAY_PUSH(namer->arena, namer, column);
    namer_find(namer, column.name)->number |= NAME_AUTOMATIC;
}

bool
namer_add(Binder *b, ColumnNamer *namer, const AstName *name, Str fallback, Type type)
{
    if (name) {
        const MapEntry *taken = namer_find(namer, name->text);
        if (taken && taken->number & NAME_AUTOMATIC) {
            namer_add_auto(namer, name->text, type);
            return true;
        }
        if (taken)
            return bind_fail(b, name->span, "a column named '%.*s' is already declared",
                             STR_ARG(name->text));
        Column column = {name->text, type};
        ARRAY_PUSH(namer->arena, namer, column);
        return true;
    }
    if (!fallback.len) {
        do
            fallback = str_format(namer->arena, "Column%u", ++namer->unnamed);
        while (namer_find(namer, fallback));
    }
    namer_add_auto(namer, fallback, type);
    return true;
}

Schema
namer_schema(const ColumnNamer *namer)
{
    return (Schema){namer->items, (uint32_t)namer->len};
}
