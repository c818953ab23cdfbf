// Signatures are text (kql/function_def.h) because people read them too; parsing
// one takes a fraction of a microsecond, so nothing is cached.

#include "kql/signature.h"

#include "base/array.h"

#include <assert.h>
#include <stdio.h>

static void
skip_blanks(const char **text)
{
    while (**text == ' ')
        ++*text;
}

static Str
read_word(const char **text)
{
    const char *start = *text;
    while ((**text >= 'a' && **text <= 'z') || (**text >= 'A' && **text <= 'Z') || **text == '_' ||
           (**text >= '0' && **text <= '9') || **text == '*' || **text == '@')
        ++*text;
    return (Str){start, (size_t)(*text - start)};
}

static void
read_class(Str word, SignatureParam *param)
{
    static const struct {
        Str word;
        ParamClass class;
    } CLASSES[] = {
        {STR_INIT("scalar"), PARAM_SCALAR},   {STR_INIT("numeric"), PARAM_NUMERIC},
        {STR_INIT("T"), PARAM_COMMON},        {STR_INIT("N"), PARAM_COMMON_NUMERIC},
        {STR_INIT("text"), PARAM_TEXT},       {STR_INIT("whole"), PARAM_WHOLE},
        {STR_INIT("measure"), PARAM_MEASURE}, {STR_INIT("*"), PARAM_COMPUTED},
        {STR_INIT("textual"), PARAM_TEXTUAL}, {STR_INIT("array"), PARAM_ARRAY},
        {STR_INIT("bag"), PARAM_BAG},         {STR_INIT("series"), PARAM_SERIES},
        {STR_INIT("plain"), PARAM_PLAIN},     {STR_INIT("O"), PARAM_ORDERED},
        {STR_INIT("wholes"), PARAM_WHOLES},   {STR_INIT("strings"), PARAM_STRINGS},
    };
    for (size_t i = 0; i < COUNT_OF(CLASSES); i++) {
        if (str_equal(word, CLASSES[i].word)) {
            param->class = CLASSES[i].class;
            return;
        }
    }
    param->class = PARAM_TYPE;
    param->type = type_from_name(word);
    assert(param->type != TYPE_NONE && "a signature names an unknown type");
}

// `string` or `constant(string)`.
static void
read_param(const char **text, SignatureParam *param)
{
    Str word = read_word(text);
    param->constant = str_equal(word, STR("constant"));
    if (param->constant) {
        assert(**text == '(');
        ++*text;
        word = read_word(text);
        assert(**text == ')');
        ++*text;
    }
    read_class(word, param);
}

void
signature_parse(const char *text, Signature *out)
{
    *out = (Signature){0};
    skip_blanks(&text);
    assert(*text == '(');
    text++;
    skip_blanks(&text);
    while (*text && *text != ')') {
        assert(out->count < SIGNATURE_PARAMS_MAX);
        SignatureParam *param = &out->params[out->count++];
        param->name = read_word(&text);
        assert(*text == ':');
        text++;
        read_param(&text, param);
        if (*text == '=') {
            param->optional = true;
            text++;
        } else if (text[0] == '.' && text[1] == '.' && text[2] == '.') {
            param->variadic = out->variadic = true;
            text += 3;
        }
        if (!param->optional)
            out->required = out->count;
        skip_blanks(&text);
        if (*text == ',')
            text++;
        skip_blanks(&text);
    }
    assert(*text == ')');
    text++;
    skip_blanks(&text);
    assert(*text == ':');
    text++;
    skip_blanks(&text);
    read_class(read_word(&text), &out->result);
}

// Signatures are texts of the program, few of which a query uses again and again: those read last
// are kept, by their address.
static const Signature *
signature_of(const char *text)
{
    enum { KEPT = 32 }; // each thread has them: 26 KB
    static _Thread_local struct {
        const char *text;
        Signature signature;
    } kept[KEPT];
    size_t slot = ((uintptr_t)text >> 4) % KEPT;
    if (kept[slot].text != text) {
        signature_parse(text, &kept[slot].signature);
        kept[slot].text = text;
    }
    return &kept[slot].signature;
}

const SignatureParam *
signature_param(const Signature *signature, uint32_t i)
{
    if (i < signature->count)
        return &signature->params[i];
    return signature->variadic && signature->count ? &signature->params[signature->count - 1]
                                                   : NULL;
}

int
conversion_cost(Type from, Type to)
{
    enum { NO = -1 };
    if (from == to)
        return 0;
    if (from == TYPE_DYNAMIC)
        return to == TYPE_STRING ? 12 : 10;
    switch (to) {
    case TYPE_LONG: return from == TYPE_INT ? 1 : NO;
    case TYPE_REAL:
        return from == TYPE_INT || from == TYPE_LONG ? 2 : from == TYPE_DECIMAL ? 3 : NO;
    case TYPE_DECIMAL:
        return from == TYPE_INT || from == TYPE_LONG ? 3 : from == TYPE_REAL ? 2 : NO;
    case TYPE_INT: return from == TYPE_LONG ? 4 : NO;
    // A value where a dynamic is wanted is boxed.
    case TYPE_DYNAMIC: return 20;
    default: return NO;
    }
}

Type
type_common(Type a, Type b)
{
    if (a == b || b == TYPE_NONE)
        return a;
    if (a == TYPE_NONE)
        return b;
    if (type_is_numeric(a) && type_is_numeric(b))
        return a > b ? a : b; // int < long < real < decimal
    if (a == TYPE_DYNAMIC || b == TYPE_DYNAMIC)
        return TYPE_DYNAMIC;
    return TYPE_NONE;
}

Type
type_of_branches(Type a, Type b)
{
    if (a == b || b == TYPE_NONE)
        return a;
    if (a == TYPE_NONE || a == TYPE_DYNAMIC)
        return b;
    if (b == TYPE_DYNAMIC)
        return a;
    Type common = type_common(a, b);
    return common == TYPE_NONE ? TYPE_DYNAMIC : common;
}

static bool
expr_varies(const Expr *expr)
{
    bool varies = expr->kind == EXPR_COLUMN;
    for (uint32_t i = 0; i < expr->arg_count && !varies; i++)
        varies = expr_varies(expr->args[i]);
    return varies;
}

Argument
argument_of(const Expr *expr)
{
    return (Argument){.type = expr->type,
                      .shape = expr->holds,
                      .varies = expr_varies(expr),
                      .open = expr->unknown,
                      .span = expr->span};
}

static bool
is_common(const SignatureParam *param)
{
    return param->class == PARAM_COMMON || param->class == PARAM_COMMON_NUMERIC ||
           param->class == PARAM_ORDERED;
}

// The type that all T (or N, O) of the call get; TYPE_NONE with the first argument that does not
// meet the others.
static bool
common_type(const FunctionDef *fn, const Signature *signature, const Argument *args,
            uint32_t arg_count, Type *out, uint32_t *misfit)
{
    bool open = false;
    for (uint32_t i = 0; i < arg_count; i++) {
        const SignatureParam *param = signature_param(signature, i);
        if (!is_common(param))
            continue;
        open = open || args[i].open;
        Type joined = fn->flags & FN_LAZY ? type_of_branches(*out, args[i].type)
                                          : type_common(*out, args[i].type);
        // coalesce() of a dynamic and something else is an error, not a dynamic.
        bool boxes = joined == TYPE_DYNAMIC && *out != TYPE_NONE &&
                     !(fn->flags & (FN_INTERNAL | FN_LAZY)) && !open &&
                     (*out != TYPE_DYNAMIC || args[i].type != TYPE_DYNAMIC);
        if (joined == TYPE_NONE || boxes ||
            (param->class == PARAM_COMMON_NUMERIC && !type_is_numeric(joined)) ||
            (param->class == PARAM_ORDERED && joined == TYPE_DYNAMIC)) {
            *misfit = i;
            return false;
        }
        *out = joined;
    }
    return true;
}

static int
type_cost(const FunctionDef *fn, Type wanted, const Argument *arg)
{
    int cost = conversion_cost(arg->type, wanted);
    // Operators do not box: "a" + 1 is an error, not a dynamic.
    if (fn->flags & FN_INTERNAL)
        return wanted == TYPE_DYNAMIC && cost > 0 ? -1 : cost;
    // A function takes a dynamic for a text unless it is known to be none, and for nothing else.
    if (arg->type == TYPE_DYNAMIC && !arg->open && wanted != TYPE_DYNAMIC &&
        (wanted != TYPE_STRING || arg->shape != SHAPE_ANY))
        return -1;
    return cost;
}

// What it costs to pass `arg` as `param`, with the type it is brought to; -1: it does not fit.
static int
param_cost(const FunctionDef *fn, const SignatureParam *param, const Argument *arg, Type common,
           Type *target)
{
    bool is_dynamic = arg->type == TYPE_DYNAMIC;
    *target = arg->type;
    if (param->constant && arg->varies)
        return -1;
    switch (param->class) {
    case PARAM_TYPE: *target = param->type; return type_cost(fn, param->type, arg);
    case PARAM_COMMON:
    case PARAM_COMMON_NUMERIC:
    case PARAM_ORDERED: {
        *target = common;
        int cost = conversion_cost(arg->type, common);
        return cost < 0 ? -1 : cost + 1;
    }
    case PARAM_NUMERIC: return type_is_numeric(arg->type) ? 1 : -1;
    case PARAM_SCALAR: return 5;
    case PARAM_TEXT: *target = TYPE_STRING; return arg->type == TYPE_STRING ? 0 : 6;
    case PARAM_PLAIN: return is_dynamic ? -1 : 5;
    case PARAM_TEXTUAL:
        *target = TYPE_STRING;
        return arg->type == TYPE_STRING ? 0 : is_dynamic ? 6 : -1;
    case PARAM_STRINGS: return arg->type == TYPE_STRING || is_dynamic ? 0 : -1;
    case PARAM_WHOLES:
        return arg->type == TYPE_INT || arg->type == TYPE_LONG ? 0
               : is_dynamic && arg->shape != SHAPE_BAG         ? 0
                                                               : -1;
    case PARAM_WHOLE:
        *target = TYPE_LONG;
        return arg->type == TYPE_LONG                                    ? 0
               : type_is_numeric(arg->type) || (is_dynamic && arg->open) ? 6
                                                                         : -1;
    case PARAM_MEASURE:
        *target = TYPE_REAL;
        return arg->type == TYPE_REAL ? 0
               : type_is_numeric(arg->type) || arg->type == TYPE_DATETIME ||
                       arg->type == TYPE_TIMESPAN || (is_dynamic && arg->open)
                   ? 6
                   : -1;
    case PARAM_ARRAY: return is_dynamic && arg->shape != SHAPE_BAG ? 0 : -1;
    case PARAM_BAG: return is_dynamic && arg->shape != SHAPE_ARRAY ? 0 : -1;
    case PARAM_SERIES:
        *target = TYPE_DYNAMIC;
        return is_dynamic ? (arg->shape == SHAPE_BAG ? -1 : 0)
                          : (type_is_numeric(arg->type) ? 2 : -1);
    case PARAM_COMPUTED: break; // `*` is only a result
    }
    return -1;
}

// Cost of calling `fn` so, or -1 with the first argument that does not fit.
static int
overload_cost(const FunctionDef *fn, const Argument *args, uint32_t arg_count, Resolution *out,
              uint32_t *misfit)
{
    const Signature *signature = signature_of(fn->signature);
    *misfit = arg_count;
    if (arg_count < signature->required || (arg_count > signature->count && !signature->variadic))
        return -1;
    Type common = TYPE_NONE;
    if (!common_type(fn, signature, args, arg_count, &common, misfit))
        return -1;
    int cost = 0;
    for (uint32_t i = 0; i < arg_count; i++) {
        Type target;
        int step = param_cost(fn, signature_param(signature, i), &args[i], common, &target);
        if (step < 0) {
            *misfit = i;
            return -1;
        }
        cost += step;
        if (out->targets)
            out->targets[i] = target;
    }
    out->fn = fn;
    out->shape = SHAPE_ANY;
    switch (signature->result.class) {
    case PARAM_TYPE: out->result = signature->result.type; break;
    case PARAM_COMMON:
    case PARAM_COMMON_NUMERIC:
    case PARAM_ORDERED: out->result = common; break;
    case PARAM_ARRAY:
    case PARAM_BAG:
        out->result = TYPE_DYNAMIC;
        out->shape = signature->result.class == PARAM_ARRAY ? SHAPE_ARRAY : SHAPE_BAG;
        break;
    default: out->result = TYPE_NONE; break;
    }
    return cost;
}

static const char *
argument_words(const Argument *arg)
{
    return arg->shape == SHAPE_ARRAY ? "array"
           : arg->shape == SHAPE_BAG ? "bag"
                                     : type_name(arg->type);
}

static bool
report_misfit(const FunctionDef *fn, const Argument *args, uint32_t arg_count, uint32_t misfit,
              Span span, AzError *error)
{
    if (misfit >= arg_count)
        return error_at(error, AZ_SEMANTIC, span,
                        "%s() does not take %u argument%s; its signature is %s%s", fn->name,
                        arg_count, arg_count == 1 ? "" : "s", fn->name, fn->signature);
    Signature signature;
    signature_parse(fn->signature, &signature);
    const SignatureParam *param = signature_param(&signature, misfit);
    if (param->constant && args[misfit].varies)
        return error_at(error, AZ_SEMANTIC, args[misfit].span,
                        "%s() needs a constant here, not a column; its signature is %s%s", fn->name,
                        fn->name, fn->signature);
    bool convert = args[misfit].type == TYPE_DYNAMIC && args[misfit].shape == SHAPE_ANY &&
                   param->class == PARAM_TYPE;
    return error_at(error, AZ_SEMANTIC, args[misfit].span,
                    "%s() cannot take a value of type %s here; its signature is %s%s%s%s%s",
                    fn->name, argument_words(&args[misfit]), fn->name, fn->signature,
                    convert ? "; convert it with to" : "", convert ? type_name(param->type) : "",
                    convert ? "()" : "");
}

static bool
report_operator(const FunctionDef *fn, const Argument *args, uint32_t arg_count, Span span,
                AzError *error)
{
    if (arg_count == 2)
        return error_at(error, AZ_SEMANTIC, span, "operator '%s' cannot be used on %s and %s",
                        fn->name, type_name(args[0].type), type_name(args[1].type));
    return error_at(error, AZ_SEMANTIC, span, "'%s' cannot be used on a value of type %s", fn->name,
                    arg_count ? type_name(args[0].type) : "nothing");
}

bool
signature_resolve(const FunctionDef *const *overloads, size_t count, const Argument *args,
                  uint32_t arg_count, Span span, Resolution *out, AzError *error)
{
    int best = -1;
    const FunctionDef *chosen = NULL;
    const FunctionDef *nearest = overloads[0];
    uint32_t nearest_misfit = 0;
    bool seen = false;
    for (size_t i = 0; i < count; i++) {
        Resolution candidate = {.targets = NULL};
        uint32_t misfit;
        int cost = overload_cost(overloads[i], args, arg_count, &candidate, &misfit);
        if (cost >= 0 && (best < 0 || cost < best)) {
            best = cost;
            chosen = overloads[i];
        } else if (cost < 0 && (!seen || (misfit < arg_count && misfit > nearest_misfit))) {
            nearest = overloads[i];
            nearest_misfit = misfit;
            seen = true;
        }
    }
    if (chosen) {
        uint32_t misfit;
        overload_cost(chosen, args, arg_count, out, &misfit);
        return true;
    }
    if (nearest->flags & FN_INTERNAL)
        return report_operator(nearest, args, arg_count, span, error);
    return report_misfit(nearest, args, arg_count, nearest_misfit, span, error);
}
