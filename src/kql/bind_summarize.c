// summarize, distinct, count and make-series: keys, aggregates, and expressions over
// aggregates.

#include "kql/bind_state.h"
#include "kql/signature.h"

enum { OVERLOADS_MAX = 64 };

static size_t
find_aggregates(Binder *b, Str name, const FunctionDef **out, size_t most)
{
    size_t count, kept = 0;
    const FunctionDef *const *rows = b->catalog->find_function(b->catalog->context, name, &count);
    for (size_t i = 0; i < count && kept < most; i++)
        if (rows[i]->kind == FUNCTION_AGGREGATE)
            out[kept++] = rows[i];
    return kept;
}

bool
name_is_aggregate(Binder *b, Str name)
{
    const FunctionDef *one;
    return find_aggregates(b, name, &one, 1) == 1;
}

// Where the predicate of sumif(x, predicate) stands.
static uint32_t
predicate_position(const FunctionDef *fn)
{
    Signature signature;
    signature_parse(fn->signature, &signature);
    for (uint32_t i = 0; i < signature.count; i++)
        if (str_equal(signature.params[i].name, STR("predicate")))
            return i;
    return 0;
}

typedef struct ExprList {
    Expr **items;
    size_t len, cap;
} ExprList;

// arg_max(x, *): all columns but the keys and those already named.
static void
expand_star(Binder *b, ExprList *args, const Row *row, Expr *const *keys, uint32_t key_count,
            Span span)
{
    for (uint32_t c = 0; row->schema && c < row->schema->count; c++) {
        bool taken = false;
        for (uint32_t k = 0; k < key_count && !taken; k++)
            taken = keys[k] && keys[k]->kind == EXPR_COLUMN && keys[k]->column == c;
        for (size_t a = 0; a < args->len && !taken; a++)
            taken = args->items[a]->kind == EXPR_COLUMN && args->items[a]->column == c;
        if (!taken)
            ARRAY_PUSH(b->arena, args,
                       expr_column(b->arena, c, row->schema->columns[c].type, span));
    }
}

static bool
bind_arguments(Binder *b, const AstExpr *ast, ExprList *out)
{
    AggregateList *list = b->aggregates;
    Row row = *list->row;
    b->aggregates = NULL; // no aggregate inside an aggregate
    bool done = true, again = false;
    for (size_t i = 0; i < ast->args.len && done; i++) {
        const AstExpr *argument = ast->args.items[i];
        if (argument->kind == AST_STAR) {
            expand_star(b, out, &row, list->keys, list->key_count, argument->span);
            continue;
        }
        Expr *expr = bind_expression(b, argument, &row);
        done = expr || bind_recover(b);
        again |= !expr;
        if (expr)
            ARRAY_PUSH(b->arena, out, expr);
    }
    b->aggregates = list;
    return done && (!again || bind_again(b));
}

static bool
resolve_known(Binder *b, const AstExpr *ast, const ExprList *args, AggregateCall *call)
{
    const FunctionDef *overloads[OVERLOADS_MAX];
    size_t found = find_aggregates(b, ast->name.text, overloads, OVERLOADS_MAX);
    Argument *known = ARENA_ARRAY(b->arena, Argument, args->len);
    for (size_t i = 0; i < args->len; i++)
        known[i] = argument_of(args->items[i]);
    Resolution resolution = {.targets = ARENA_ARRAY(b->arena, Type, args->len)};
    if (!signature_resolve(overloads, found, known, (uint32_t)args->len, ast->span, &resolution,
                           b->error))
        return false;
    *call = (AggregateCall){.fn = resolution.fn, .span = ast->span};
    call->args = ARENA_ARRAY(b->arena, Expr *, args->len + 1);
    uint32_t predicate =
        (resolution.fn->flags & FN_AGG_IF) ? predicate_position(resolution.fn) : UINT32_MAX;
    for (uint32_t i = 0; i < args->len; i++) {
        Expr *expr = bind_convert(b, args->items[i], resolution.targets[i]);
        if (!expr)
            return false;
        if (i == predicate)
            call->filter = expr;
        else
            call->args[call->arg_count++] = expr;
    }
    call->output_count = 1;
    call->output_types = ARENA_ARRAY(b->arena, Type, 1);
    call->output_types[0] = resolution.result;
    if (b->catalog->bind_aggregate(b->catalog->context, b->arena, call, b->error))
        return true;
    b->silent |= b->hypothetical; // perhaps only because a value is not known
    return false;
}

// Arguments of unknown type get the first type with which the call is good.
static bool
resolve_aggregate(Binder *b, const AstExpr *ast, const ExprList *args, AggregateCall *call)
{
    bool unknown = false, done = false;
    for (size_t i = 0; i < args->len; i++)
        unknown = unknown || args->items[i]->unknown;
    AzError *outer = b->error;
    for (size_t attempt = 0; unknown && !done; attempt++) {
        AzError ignored = {0};
        ExprList tried = {ARENA_ARRAY(b->arena, Expr *, args->len), args->len, args->len};
        b->error = &ignored;
        bool more = bind_unknown_as(b, args->items, args->len, attempt, tried.items);
        done = more && resolve_known(b, ast, &tried, call);
        b->error = outer;
        if (!more)
            break;
    }
    return done || resolve_known(b, ast, args, call);
}

// Adds the call to the list; what stands in the expression is a column of its output.
static AggregateCall *
add_aggregate(Binder *b, const AstExpr *ast, uint32_t *first_output)
{
    AggregateList *list = b->aggregates;
    ExprList args = {0};
    AggregateCall call;
    if (!bind_arguments(b, ast, &args) || !resolve_aggregate(b, ast, &args, &call))
        return NULL;
    *first_output = list->key_count + list->outputs;
    list->outputs += call.output_count;
    ARRAY_PUSH(b->arena, list, call);
    return &list->items[list->len - 1];
}

Expr *
bind_aggregate_call(Binder *b, const AstExpr *ast)
{
    uint32_t output;
    AggregateCall *call = add_aggregate(b, ast, &output);
    if (!call)
        return NULL;
    return expr_column(b->arena, output, call->output_types[0], ast->span);
}

// ---- keys ----

static bool
bind_keys(Binder *b, const AstItemList *items, Row *row, ColumnNamer *namer, Expr ***out,
          bool dynamic_too)
{
    *out = ARENA_ARRAY(b->arena, Expr *, items->len);
    bool again = false;
    for (size_t i = 0; i < items->len; i++) {
        const AstItem *item = &items->items[i];
        Expr *key = bind_expression(b, item->expr, row);
        // A column that only the rows would tell: of no type yet.
        if (key && key->type == TYPE_DYNAMIC && key->unknown)
            key = bind_convert(b, key, TYPE_STRING);
        if (!key) {
            if (!bind_recover(b))
                return false;
            again = true;
            continue;
        }
        // Resource Graph groups by members of `properties` as they are.
        if (key->type == TYPE_DYNAMIC && !dynamic_too && !row->ignore_case)
            return bind_fail(b, item->expr->span,
                             "rows cannot be grouped by a dynamic: convert it first, for example "
                             "with tostring()");
        const AstName *name = item->name_count ? &item->names[0] : NULL;
        if (!name && item->expr->kind == AST_NAME)
            name = &item->expr->name;
        if (!namer_add(b, namer, name, default_name(b, item->expr), key->type))
            return false;
        (*out)[i] = key;
    }
    return !again || bind_again(b);
}

static Plan *
summarize_plan(Binder *b, Plan *input, Expr **keys, uint32_t key_count, const AggregateList *list,
               const ColumnNamer *key_names, Span span)
{
    Plan *plan = bind_plan(b, PLAN_SUMMARIZE, span);
    if (!plan)
        return NULL;
    plan->input = input;
    plan->summarize.keys = keys;
    plan->summarize.key_count = key_count;
    plan->summarize.aggregates = list->items;
    plan->summarize.aggregate_count = (uint32_t)list->len;
    ColumnNamer namer = {.arena = b->arena};
    for (uint32_t k = 0; k < key_count; k++)
        namer_add_auto(&namer, key_names->items[k].name, keys[k]->type);
    for (size_t a = 0; a < list->len; a++)
        for (uint32_t o = 0; o < list->items[a].output_count; o++)
            namer_add_auto(&namer, STR("$aggregate"), list->items[a].output_types[o]);
    plan->schema = namer_schema(&namer);
    return plan;
}

// ---- items ----

// The output columns of the whole operator, keys first.
typedef struct Outputs {
    ColumnNamer namer;
    Expr **items;
    size_t len, cap;
} Outputs;

static Str
percentile_name(Binder *b, const AstExpr *ast, uint32_t output)
{
    // percentiles(l, 5, 50): the last arguments are the percentiles.
    size_t count = ast->args.len;
    Str base = aggregate_name(b, ast);
    size_t outputs = count - (str_starts(ast->name.text, STR("percentilesw")) ||
                                      str_equal(ast->name.text, STR("percentilew"))
                                  ? 2
                                  : 1);
    if (output >= outputs)
        return base;
    const AstExpr *percent = ast->args.items[count - outputs + output];
    Buffer text = {0};
    if (percent->kind == AST_LITERAL && percent->value.type == TYPE_LONG)
        buffer_printf(&text, "%lld", (long long)percent->value.int64);
    else if (percent->kind == AST_LITERAL && percent->value.type == TYPE_REAL)
        buffer_printf(&text, "%g", percent->value.real);
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '.')
            text.data[i] = '_';
    Str name = str_format(b->arena, "%.*s_%.*s", STR_ARG(base), STR_ARG(buffer_slice(&text)));
    buffer_free(&text);
    return name;
}

// Name of argument `o` of arg_max() and its kin; empty when it has none.
static Str
row_argument_name(Binder *b, const AstExpr *ast, const AggregateCall *call, const Row *row,
                  uint32_t o)
{
    const Expr *argument = call->args[o];
    if (ast->arg_names && o < ast->args.len && ast->arg_names[o].text.len)
        return ast->arg_names[o].text; // arg_max(latest = t, amount = x)
    if (argument->kind == EXPR_COLUMN)
        return row->schema->columns[argument->column].name;
    bool written = o < ast->args.len && ast->args.items[o]->kind != AST_STAR;
    return written ? default_name(b, ast->args.items[o]) : STR("");
}

// arg_max(l, s): l, s; without names of their own max_, max__arg1. The old spellings put
// the function in front: argmax(l, s) is max_l, max_l_s and any(l) any_l.
static Str
row_output_name(Binder *b, const AstExpr *ast, const AggregateCall *call, const Row *row,
                uint32_t o)
{
    Str function = ast->name.text;
    bool old = str_equal(function, STR("any")) || str_equal(function, STR("anyif")) ||
               str_equal(function, STR("argmax")) || str_equal(function, STR("argmin"));
    bool extreme = str_starts(function, STR("arg"));
    const char *prefix = !extreme ? (str_equal(function, STR("anyif")) ? "anyif" : "any")
                         : str_ends(function, STR("min")) ? "min"
                                                          : "max";
    Str name = row_argument_name(b, ast, call, row, o);
    if (!old && name.len)
        return name;
    if (!extreme && !old)
        return str_format(b->arena, "any_arg%u", o);
    if (!extreme || o == 0)
        return str_format(b->arena, "%s_%.*s", prefix, STR_ARG(name));
    Str first = row_argument_name(b, ast, call, row, 0);
    if (name.len)
        return str_format(b->arena, "%s_%.*s_%.*s", prefix, STR_ARG(first), STR_ARG(name));
    return str_format(b->arena, "%s_%.*s_arg%u", prefix, STR_ARG(first), o);
}

// Name of output `o` of an aggregate that stands alone.
static Str
output_name(Binder *b, const AstExpr *ast, const AggregateCall *call, const Row *row, uint32_t o)
{
    if (call->fn->flags & FN_AGG_COLUMNS)
        return row_output_name(b, ast, call, row, o);
    if (str_starts(ast->name.text, STR("percentile")) && !str_ends(ast->name.text, STR("_array")))
        return percentile_name(b, ast, o);
    return aggregate_name(b, ast);
}

static bool
add_plain_aggregate(Binder *b, const AstItem *item, const Row *row, Outputs *out)
{
    uint32_t first;
    AggregateCall *call = add_aggregate(b, item->expr, &first);
    if (!call)
        return false;
    uint32_t count = call->output_count;
    Type *types = call->output_types;
    AggregateCall kept = *call;
    for (uint32_t o = 0; o < count; o++) {
        const AstName *name = o < item->name_count ? &item->names[o] : NULL;
        if (!namer_add(b, &out->namer, name, output_name(b, item->expr, &kept, row, o), types[o]))
            return false;
        ARRAY_PUSH(b->arena, out, expr_column(b->arena, first + o, types[o], item->span));
    }
    return true;
}

static bool
add_item(Binder *b, const AstItem *item, const Row *row, const Schema *key_schema, Outputs *out)
{
    if (item->expr->kind == AST_CALL && name_is_aggregate(b, item->expr->name.text) &&
        !scope_find(b->scope, item->expr->name.text))
        return add_plain_aggregate(b, item, row, out);
    // An expression over aggregates sees the keys as columns.
    Row keys = {.schema = key_schema, .ignore_case = row->ignore_case};
    Expr *expr = bind_expression(b, item->expr, &keys);
    if (!expr)
        return false;
    TupleColumns columns;
    if (!tuple_expand(b, item, expr, NULL, &columns))
        return false;
    for (uint32_t n = 0; n < columns.count; n++) {
        const AstName *name = n < item->name_count ? &item->names[n] : NULL;
        Str fallback = columns.names[n];
        if (!fallback.len && item->expr->kind == AST_CALL)
            fallback = default_name(b, item->expr);
        if (!namer_add(b, &out->namer, name, fallback, columns.exprs[n]->type))
            return false;
        ARRAY_PUSH(b->arena, out, columns.exprs[n]);
    }
    return true;
}

static Plan *
bind_distinct(Binder *b, Plan *input, const AstOperator *step)
{
    Row row = row_of(input);
    ColumnNamer names = {.arena = b->arena};
    AggregateList none = {0};
    Expr **keys = NULL;
    uint32_t count = (uint32_t)step->items.len;
    if (count == 1 && step->items.items[0].expr->kind == AST_STAR) {
        count = input->schema.count;
        keys = ARENA_ARRAY(b->arena, Expr *, count);
        for (uint32_t c = 0; c < count; c++) {
            keys[c] = expr_column(b->arena, c, input->schema.columns[c].type, step->span);
            namer_add_auto(&names, input->schema.columns[c].name, keys[c]->type);
        }
    } else if (!bind_keys(b, &step->items, &row, &names, &keys, true)) {
        return NULL;
    }
    return summarize_plan(b, input, keys, count, &none, &names, step->span);
}

static Plan *
bind_count_rows(Binder *b, Plan *input, const AstOperator *step)
{
    AstExpr call = {.kind = AST_CALL, .span = step->span, .name = {STR("count"), step->span}};
    Row row = row_of(input);
    AggregateList list = {.row = &row};
    b->aggregates = &list;
    uint32_t first;
    AggregateCall *count = add_aggregate(b, &call, &first);
    b->aggregates = NULL;
    ColumnNamer none = {.arena = b->arena};
    Plan *plan = count ? summarize_plan(b, input, NULL, 0, &list, &none, step->span) : NULL;
    if (plan)
        plan->schema.columns[0].name = step->as.text.len ? step->as.text : STR("Count");
    return plan;
}

Plan *
bind_summarize(Binder *b, Plan *input, const AstOperator *step)
{
    if (str_equal(step->name, STR("distinct")))
        return bind_distinct(b, input, step);
    if (str_equal(step->name, STR("count")))
        return bind_count_rows(b, input, step);
    Row row = row_of(input);
    Expr **keys = NULL;
    Outputs out = {.namer = {.arena = b->arena}};
    // Behind a key that fails the aggregates are still looked at, over no keys.
    bool again = false;
    if (!bind_keys(b, &step->by, &row, &out.namer, &keys, false)) {
        if (!bind_recover(b))
            return NULL;
        again = b->doubtful = true;
        out = (Outputs){.namer = {.arena = b->arena}};
    }
    uint32_t key_count = again ? 0 : (uint32_t)step->by.len;
    for (uint32_t k = 0; k < key_count; k++)
        ARRAY_PUSH(b->arena, &out, expr_column(b->arena, k, keys[k]->type, keys[k]->span));
    ColumnNamer key_names = {.arena = b->arena};
    for (uint32_t k = 0; k < key_count; k++)
        ARRAY_PUSH(b->arena, &key_names, out.namer.items[k]);
    Schema key_schema = namer_schema(&key_names);
    AggregateList list = {.row = &row, .key_count = key_count, .keys = keys};
    AggregateList *outer = b->aggregates;
    b->aggregates = &list;
    bool done = true;
    for (size_t i = 0; i < step->items.len && done; i++) {
        if (add_item(b, &step->items.items[i], &row, &key_schema, &out))
            continue;
        b->aggregates = &list; // a failure leaves it as it is
        done = bind_recover(b);
        again = true;
    }
    b->aggregates = outer;
    if (again && done)
        done = bind_again(b);
    Plan *plan =
        done ? summarize_plan(b, input, keys, key_count, &list, &key_names, step->span) : NULL;
    return plan ? bind_projection(b, plan, namer_schema(&out.namer), out.items, false, step->span)
                : NULL;
}

// ---- make-series ----

static bool
is_constant_ast(Binder *b, const AstExpr *ast)
{
    AzError *error = b->error, ignored = {0};
    AggregateList *aggregates = b->aggregates;
    b->error = &ignored;
    b->aggregates = NULL;
    Expr *expr = bind_expression(b, ast, NULL);
    b->error = error;
    b->aggregates = aggregates;
    return expr && expr->kind == EXPR_CONST;
}

static bool
bind_series_item(Binder *b, const AstItem *item, const Row *row, ColumnNamer *namer,
                 Expr **default_)
{
    const AstExpr *aggregate = item->expr;
    AstExpr constant = {.kind = AST_CALL, .span = item->span, .name = {STR("max"), item->span}};
    if (aggregate->kind != AST_CALL || !name_is_aggregate(b, aggregate->name.text)) {
        // A constant stands where a bin has rows: it is its own greatest value.
        if (!is_constant_ast(b, aggregate))
            return bind_fail(b, item->span,
                             "make-series takes aggregates such as count() or avg(x)");
        ARRAY_PUSH(b->arena, &constant.args, item->expr);
        aggregate = &constant;
    }
    uint32_t first;
    AggregateCall *call = add_aggregate(b, aggregate, &first);
    if (!call)
        return false;
    if (call->output_count != 1)
        return bind_fail(b, item->span, "%s() yields several columns; make-series takes one a call",
                         call->fn->name);
    Type type = call->output_types[0];
    Str name = aggregate == &constant ? STR("") : output_name(b, aggregate, call, row, 0);
    *default_ = NULL;
    if (item->default_) {
        AggregateList *list = b->aggregates;
        b->aggregates = NULL;
        Expr *value = bind_expression(b, item->default_, NULL);
        *default_ = bind_convert(b, value, type);
        b->aggregates = list;
        if (!*default_)
            return false;
        if ((*default_)->kind != EXPR_CONST)
            return bind_fail(b, item->default_->span,
                             "the default of make-series must be a "
                             "constant");
    }
    return namer_add(b, namer, item->name_count ? &item->names[0] : NULL, name, TYPE_DYNAMIC);
}

static Expr *
bind_bound(Binder *b, const AstExpr *ast, Type type)
{
    return ast ? bind_convert(b, bind_expression(b, ast, NULL), type) : NULL;
}

Plan *
bind_make_series(Binder *b, Plan *input, const AstOperator *step)
{
    Row row = row_of(input);
    ColumnNamer namer = {.arena = b->arena};
    Expr **keys = NULL;
    if (!bind_keys(b, &step->by, &row, &namer, &keys, false))
        return NULL;
    const AstItem *axis_item = &step->on.items[0];
    Expr *axis = bind_expression(b, axis_item->expr, &row);
    if (!axis)
        return NULL;
    if (axis->type == TYPE_INT)
        axis = bind_convert(b, axis, TYPE_LONG);
    if (axis->unknown) // most axes are
        axis = bind_convert(b, axis, TYPE_DATETIME);
    if (!axis)
        return NULL;
    Type type = axis->type;
    if (type != TYPE_DATETIME && type != TYPE_TIMESPAN && type != TYPE_LONG && type != TYPE_REAL) {
        bind_fail(b, axis_item->span,
                  "the axis of make-series is a datetime, timespan or number, "
                  "not a %s",
                  type_name(type));
        return NULL;
    }
    Plan *plan = bind_plan(b, PLAN_MAKE_SERIES, step->span);
    if (!plan)
        return NULL;
    AggregateList list = {.row = &row, .key_count = (uint32_t)step->by.len, .keys = keys};
    plan->make_series.defaults = ARENA_ARRAY(b->arena, Expr *, step->items.len);
    b->aggregates = &list;
    bool done = true;
    for (size_t i = 0; i < step->items.len && done; i++)
        done = bind_series_item(b, &step->items.items[i], &row, &namer,
                                &plan->make_series.defaults[i]);
    b->aggregates = NULL;
    const AstName *axis_name = axis_item->name_count ? &axis_item->names[0] : NULL;
    if (!done || !namer_add(b, &namer, axis_name, default_name(b, axis_item->expr), TYPE_DYNAMIC))
        return NULL;
    plan->input = input;
    plan->schema = namer_schema(&namer);
    plan->make_series.aggregates = list.items;
    plan->make_series.aggregate_count = (uint32_t)list.len;
    plan->make_series.axis = axis;
    plan->make_series.from = bind_bound(b, step->from, type);
    plan->make_series.to = bind_bound(b, step->to, type);
    plan->make_series.step =
        bind_bound(b, step->step, type == TYPE_DATETIME ? TYPE_TIMESPAN : type);
    if ((step->from && !plan->make_series.from) || (step->to && !plan->make_series.to) ||
        !plan->make_series.step)
        return NULL;
    plan->make_series.stop_inclusive = step->is_range;
    const AstParam *kind = operator_param(step, "kind");
    plan->make_series.nonempty = kind && str_equal_ci(kind->text, STR("nonempty"));
    plan->make_series.keys = keys;
    plan->make_series.key_count = (uint32_t)step->by.len;
    return plan;
}
