// parse-kv: values of named keys cut out of a text.
//
// Three forms, told apart by the parameters that are there: `regex`; pair_delimiter with
// kv_delimiter, which may be greedy; neither of them, where whatever is no letter or
// digit divides. The last two know quotes and, within quotes, escapes (Kusto docs,
// parse-kv operator). The parameters are constants, checked here, so that at run time
// each form is well defined: no delimiter is empty, a quote is one or two characters. The
// expression is compiled by exec/, which knows the engine for it.
//
// A key's column replaces the input's column of that name, as that of parse does.

#include "base/map.h"
#include "kql/bind_state.h"
#include "value/unicode.h"

typedef struct KvParam {
    Str name;
    bool repeats;
    Type type;
    bool (*take)(Binder *b, Plan *plan, const Expr *value);
} KvParam;

static bool
take_pair_delimiter(Binder *b, Plan *plan, const Expr *value)
{
    plan->parse_kv.pair_delimiter = str_copy(b->arena, text_str(&value->value.text));
    return plan->parse_kv.pair_delimiter.len ||
           bind_fail(b, value->span, "pair_delimiter must not be empty");
}

static bool
take_kv_delimiter(Binder *b, Plan *plan, const Expr *value)
{
    plan->parse_kv.kv_delimiter = str_copy(b->arena, text_str(&value->value.text));
    return plan->parse_kv.kv_delimiter.len ||
           bind_fail(b, value->span, "kv_delimiter must not be empty");
}

static bool
take_greedy(Binder *b, Plan *plan, const Expr *value)
{
    (void)b;
    plan->parse_kv.greedy = value->value.boolean;
    return true;
}

static bool
take_quote(Binder *b, Plan *plan, const Expr *value)
{
    Str text = str_copy(b->arena, text_str(&value->value.text));
    size_t characters = utf8_count(text);
    if (characters < 1 || characters > 2)
        return bind_fail(b, value->span,
                         "quote takes one character, or two: the opening and the closing one");
    size_t first = utf8_offset(text, 1);
    KvQuote *quote = &plan->parse_kv.quotes[plan->parse_kv.quote_count++];
    quote->open = str_slice(text, 0, first);
    quote->close = characters == 1 ? quote->open : str_slice(text, first, text.len);
    return true;
}

static bool
take_escape(Binder *b, Plan *plan, const Expr *value)
{
    Str text = str_copy(b->arena, text_str(&value->value.text));
    if (utf8_count(text) != 1)
        return bind_fail(b, value->span, "escape takes one character");
    plan->parse_kv.escapes[plan->parse_kv.escape_count++] = text;
    return true;
}

static bool
take_regex(Binder *b, Plan *plan, const Expr *value)
{
    plan->parse_kv.pattern = expr_const(b->arena, &value->value, value->span);
    return true;
}

static const KvParam PARAMS[] = {
    {STR_INIT("pair_delimiter"), false, TYPE_STRING, take_pair_delimiter},
    {STR_INIT("kv_delimiter"), false, TYPE_STRING, take_kv_delimiter},
    {STR_INIT("quote"), true, TYPE_STRING, take_quote},
    {STR_INIT("escape"), true, TYPE_STRING, take_escape},
    {STR_INIT("greedy"), false, TYPE_BOOL, take_greedy},
    {STR_INIT("regex"), false, TYPE_STRING, take_regex},
};

static bool
bind_param(Binder *b, Plan *plan, const AstOperator *step, const AstParam *given)
{
    const KvParam *param = NULL;
    for (size_t i = 0; i < COUNT_OF(PARAMS) && !param; i++)
        if (str_equal_ci(given->name, PARAMS[i].name))
            param = &PARAMS[i];
    if (!param) // a hint
        return true;
    if (!param->repeats && operator_param(step, param->name.ptr) != given)
        return bind_fail(b, given->span, "%s can be given only once", param->name.ptr);
    // A bare name stands for a `let`.
    AstExpr name = {.kind = AST_NAME, .span = given->span, .name = {given->text, given->span}};
    const char *what = str_cstr(b->arena, str_format(b->arena, "the value of %s", param->name.ptr));
    const Expr *value = bind_constant(b, given->expr ? given->expr : &name, param->type, what);
    if (!value)
        return false;
    if (value->kind != EXPR_CONST || value->value.is_null)
        return bind_fail(b, given->span, "%s must be a constant", what);
    return param->take(b, plan, value);
}

// Whether the parameters go together; the error is at the one that does not.
static bool
check_form(Binder *b, const AstOperator *step, Plan *plan)
{
    const AstParam *pair = operator_param(step, "pair_delimiter");
    const AstParam *kv = operator_param(step, "kv_delimiter");
    const AstParam *greedy = operator_param(step, "greedy");
    const AstParam *escape = operator_param(step, "escape");
    const AstParam *regex = operator_param(step, "regex");
    for (size_t i = 0; regex && i < step->params.len; i++)
        if (&step->params.items[i] != regex && !str_starts(step->params.items[i].name, STR("hint")))
            return bind_fail(b, step->params.items[i].span,
                             "regex goes with no other parameter of parse-kv");
    if (regex) {
        plan->parse_kv.form = PARSE_KV_REGEX;
        return true;
    }
    if (!pair != !kv)
        return bind_fail(b, pair ? pair->span : kv->span,
                         "pair_delimiter and kv_delimiter are given both or neither");
    if (greedy && !pair)
        return bind_fail(b, greedy->span, "greedy needs pair_delimiter and kv_delimiter");
    if (escape && !plan->parse_kv.quote_count)
        return bind_fail(b, escape->span, "escape needs quote: it is for quoted values");
    if (pair && str_equal(plan->parse_kv.pair_delimiter, plan->parse_kv.kv_delimiter))
        return bind_fail(b, kv->span, "pair_delimiter and kv_delimiter must not be the same");
    plan->parse_kv.form = pair ? PARSE_KV_DELIMITED : PARSE_KV_LOOSE;
    return true;
}

static bool
bind_keys(Binder *b, Plan *plan, const Plan *input, const AstColumnList *keys)
{
    size_t most = (size_t)input->schema.count + keys->len;
    plan->parse_kv.carried = ARENA_ARRAY(b->arena, uint32_t, most);
    ColumnNamer namer = {.arena = b->arena};
    for (uint32_t c = 0; c < input->schema.count; c++) {
        ARRAY_PUSH(b->arena, &namer, input->schema.columns[c]);
        plan->parse_kv.carried[c] = c;
    }
    Map positions; // of the input's columns, then of all
    map_init(&positions, b->arena, false);
    for (uint32_t c = 0; c < namer.len; c++)
        map_add(&positions, namer.items[c].name, &(bool){false})->number = c;
    for (size_t i = 0; i < keys->len; i++) {
        const AstColumn *key = &keys->items[i];
        bool is_new;
        MapEntry *entry = map_add(&positions, key->name.text, &is_new);
        if (is_new) {
            entry->number = namer.len;
            Column column = {key->name.text, key->type};
            ARRAY_PUSH(b->arena, &namer, column);
        } else if (plan->parse_kv.carried[entry->number] == UINT32_MAX) {
            return bind_fail(b, key->name.span, "the key '%.*s' is already listed",
                             STR_ARG(key->name.text));
        }
        namer.items[entry->number].type = key->type;
        plan->parse_kv.carried[entry->number] = UINT32_MAX;
    }
    plan->schema = namer_schema(&namer);
    return true;
}

Plan *
bind_parse_kv(Binder *b, Plan *input, const AstOperator *step)
{
    Plan *plan = bind_plan(b, PLAN_PARSE_KV, step->span);
    if (!plan)
        return NULL;
    Row row = row_of(input);
    plan->input = input;
    plan->serialized = input->serialized;
    plan->parse_kv.text = bind_convert(b, bind_expression(b, step->expr, &row), TYPE_STRING);
    if (!plan->parse_kv.text)
        return NULL;
    if (!step->columns.len) {
        bind_fail(b, step->span, "parse-kv needs at least one key");
        return NULL;
    }
    plan->parse_kv.quotes = ARENA_ARRAY(b->arena, KvQuote, step->params.len);
    plan->parse_kv.escapes = ARENA_ARRAY(b->arena, Str, step->params.len);
    for (size_t i = 0; i < step->params.len; i++)
        if (!bind_param(b, plan, step, &step->params.items[i]))
            return NULL;
    if (!check_form(b, step, plan) || !bind_keys(b, plan, input, &step->columns))
        return NULL;
    return plan;
}
