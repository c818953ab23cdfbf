// Calls that yield several values: series_stats(y), series_decompose(y), array_sort_asc(a, b).
//
// The call itself is one dynamic array, made once a row; where a list of columns is wanted
// (project, extend, print, summarize), each element becomes a column with its own type. A query
// that gives names gets that many columns; without names all come, with names of their own
// (typing of the official analyser).

#include "kql/bind_state.h"

// Types of the elements: r real, l long, d dynamic.
static const struct {
    Str function;
    const char *types;
    const char *names;
} SHAPES[] = {
    {STR_INIT("series_stats"), "rlrlrrr", "min min_idx max max_idx avg stdev variance"},
    {STR_INIT("series_fit_line"), "rrrrrd",
     "rsquare slope variance rvariance interception line_fit"},
    {STR_INIT("series_fit_2lines"), "rlrrdrrrrrrrrrr",
     "rsquare split_idx variance rvariance line_fit right_rsquare right_slope "
     "right_interception right_variance right_rvariance left_rsquare left_slope "
     "left_interception left_variance left_rvariance"},
    {STR_INIT("series_fit_poly"), "rdrrd", "rsquare coefficients variance rvariance poly_fit"},
    {STR_INIT("series_fft"), "dd", "real imag"},
    {STR_INIT("series_ifft"), "dd", "real imag"},
    {STR_INIT("series_decompose"), "dddd", "baseline seasonal trend residual"},
    {STR_INIT("series_decompose_anomalies"), "ddd", "ad_flag ad_score baseline"},
    {STR_INIT("series_periods_detect"), "dd", "periods scores"},
    {STR_INIT("series_periods_validate"), "dd", "periods scores"},
};

static Str
argument_name(Binder *b, const AstExpr *argument)
{
    if (argument->kind == AST_CALL && name_is_aggregate(b, argument->name.text))
        return aggregate_name(b, argument);
    return default_name(b, argument);
}

static Tuple *
tuple_new(Binder *b, uint32_t count)
{
    Tuple *tuple = ARENA_NEW(b->arena, Tuple);
    tuple->count = count;
    tuple->names = ARENA_ARRAY(b->arena, Str, count);
    tuple->types = ARENA_ARRAY(b->arena, Type, count);
    return tuple;
}

// array_sort_asc(a, b, nulls_last): a_sorted, b_sorted.
static Tuple *
sorted_arrays(Binder *b, const AstExpr *call, Expr *const *args, uint32_t arg_count)
{
    uint32_t count = arg_count;
    while (count > 1 && args[count - 1]->type == TYPE_BOOL)
        count--;
    Tuple *tuple = tuple_new(b, count);
    tuple->whole = count == 1; // one array is given as it is
    for (uint32_t i = 0; i < count; i++) {
        Str name = argument_name(b, call->args.items[i]);
        tuple->types[i] = TYPE_DYNAMIC;
        tuple->names[i] = name.len ? str_format(b->arena, "%.*s_sorted", STR_ARG(name))
                                   : str_format(b->arena, "array%u_sorted", i);
    }
    return tuple;
}

const Tuple *
tuple_of_call(Binder *b, const AstExpr *call, Expr *const *args, uint32_t arg_count)
{
    Str function = call->name.text;
    if (arg_count &&
        (str_equal(function, STR("array_sort_asc")) || str_equal(function, STR("array_sort_desc"))))
        return sorted_arrays(b, call, args, arg_count);
    for (size_t i = 0; arg_count && i < COUNT_OF(SHAPES); i++) {
        if (!str_equal(function, SHAPES[i].function))
            continue;
        Str base = argument_name(b, call->args.items[0]);
        Tuple *tuple = tuple_new(b, (uint32_t)strlen(SHAPES[i].types));
        const char *word = SHAPES[i].names;
        for (uint32_t n = 0; n < tuple->count; n++) {
            char type = SHAPES[i].types[n];
            int len = (int)strcspn(word, " ");
            tuple->types[n] = type == 'r' ? TYPE_REAL : type == 'l' ? TYPE_LONG : TYPE_DYNAMIC;
            tuple->names[n] =
                str_format(b->arena, "%.*s_%.*s_%.*s", STR_ARG(function), STR_ARG(base), len, word);
            word += len + (word[len] == ' ');
        }
        return tuple;
    }
    return NULL;
}

// The whole array as a column of a projection in front, so that it is made once a row.
static Expr *
hoist(Binder *b, TupleStage *stage, Expr *whole)
{
    if (!stage || whole->kind != EXPR_CALL)
        return whole;
    ARRAY_PUSH(b->arena, stage, whole);
    return expr_column(b->arena, stage->first + (uint32_t)stage->len - 1, whole->type, whole->span);
}

static Expr *
element(Binder *b, Expr *whole, const Tuple *tuple, uint32_t index, Span span)
{
    if (tuple && tuple->whole)
        return whole;
    Expr **args = ARENA_ARRAY(b->arena, Expr *, 2);
    Value step = value_long((int64_t)index);
    args[0] = whole;
    args[1] = expr_const(b->arena, &step, span);
    Expr *path = bind_function(b, STR("$path"), args, 2, span);
    return bind_convert(b, path, tuple ? tuple->types[index] : TYPE_DYNAMIC);
}

bool
tuple_expand(Binder *b, const AstItem *item, Expr *expr, TupleStage *stage, TupleColumns *out)
{
    const Tuple *tuple = expr->tuple;
    uint32_t named = (uint32_t)item->name_count;
    if (tuple && named > tuple->count)
        return bind_fail(b, item->names[tuple->count].span,
                         "there is no value for the name '%.*s': the function yields %u value%s",
                         STR_ARG(item->names[tuple->count].text), tuple->count,
                         tuple->count == 1 ? "" : "s");
    if (!tuple && named > 1 && expr->type != TYPE_DYNAMIC)
        return bind_fail(b, item->names[1].span,
                         "there is no value for the name '%.*s': the expression yields one value",
                         STR_ARG(item->names[1].text));
    // Names, when there are some, choose the first columns (series_stats page).
    uint32_t count = named ? named : tuple ? tuple->count : 1;
    out->count = count;
    out->exprs = ARENA_ARRAY(b->arena, Expr *, count);
    out->names = ARENA_ARRAY(b->arena, Str, count);
    if (!tuple && named <= 1) {
        out->exprs[0] = expr;
        return true;
    }
    Expr *whole = tuple && tuple->whole ? expr : hoist(b, stage, expr);
    for (uint32_t i = 0; i < count; i++) {
        out->exprs[i] = element(b, whole, tuple, i, item->span);
        if (!out->exprs[i])
            return false;
        if (tuple)
            out->names[i] = tuple->names[i];
    }
    return true;
}

Plan *
tuple_stage_plan(Binder *b, Plan *input, const TupleStage *stage, bool window, Span span)
{
    if (!stage->len)
        return input;
    uint32_t count = input->schema.count, total = count + (uint32_t)stage->len;
    Schema schema = {ARENA_ARRAY(b->arena, Column, total), total};
    Expr **exprs = ARENA_ARRAY(b->arena, Expr *, total);
    for (uint32_t c = 0; c < count; c++) {
        schema.columns[c] = input->schema.columns[c];
        exprs[c] = expr_column(b->arena, c, schema.columns[c].type, span);
    }
    for (uint32_t t = count; t < total; t++) {
        exprs[t] = stage->items[t - count];
        schema.columns[t] = (Column){STR("$tuple"), exprs[t]->type};
    }
    return bind_projection(b, input, schema, exprs, window, span);
}
