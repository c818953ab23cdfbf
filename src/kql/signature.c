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
        read_class(read_word(&text), param);
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

// Cost of calling `fn` so, or -1 with the first argument that does not fit.
static int
overload_cost(const FunctionDef *fn, const Type *types, uint32_t arg_count, Resolution *out,
              uint32_t *misfit)
{
    Signature signature;
    signature_parse(fn->signature, &signature);
    *misfit = arg_count;
    if (arg_count < signature.required || (arg_count > signature.count && !signature.variadic))
        return -1;
    Type common = TYPE_NONE;
    for (uint32_t i = 0; i < arg_count; i++) {
        const SignatureParam *param = signature_param(&signature, i);
        if (param->class != PARAM_COMMON && param->class != PARAM_COMMON_NUMERIC)
            continue;
        Type joined = fn->flags & FN_LAZY ? type_of_branches(common, types[i])
                                          : type_common(common, types[i]);
        if (joined == TYPE_NONE ||
            (param->class == PARAM_COMMON_NUMERIC && !type_is_numeric(joined))) {
            *misfit = i;
            return -1;
        }
        common = joined;
    }
    int cost = 0;
    for (uint32_t i = 0; i < arg_count; i++) {
        const SignatureParam *param = signature_param(&signature, i);
        Type target = types[i];
        int step = 0;
        switch (param->class) {
        case PARAM_TYPE:
            target = param->type;
            step = conversion_cost(types[i], target);
            // Operators do not box: "a" + 1 is an error, not a dynamic.
            if (target == TYPE_DYNAMIC && step > 0 && (fn->flags & FN_INTERNAL))
                step = -1;
            break;
        case PARAM_COMMON:
        case PARAM_COMMON_NUMERIC:
            target = common;
            step = conversion_cost(types[i], target);
            step += step >= 0;
            break;
        case PARAM_NUMERIC: step = type_is_numeric(types[i]) ? 1 : -1; break;
        case PARAM_SCALAR: step = 5; break;
        case PARAM_TEXT:
            target = TYPE_STRING;
            step = types[i] == TYPE_STRING ? 0 : 6;
            break;
        case PARAM_WHOLE:
            target = TYPE_LONG;
            step = types[i] == TYPE_LONG                                   ? 0
                   : type_is_numeric(types[i]) || types[i] == TYPE_DYNAMIC ? 6
                                                                           : -1;
            break;
        case PARAM_MEASURE:
            target = TYPE_REAL;
            step = types[i] == TYPE_REAL ? 0
                   : type_is_numeric(types[i]) || types[i] == TYPE_DATETIME ||
                           types[i] == TYPE_TIMESPAN || types[i] == TYPE_DYNAMIC
                       ? 6
                       : -1;
            break;
        case PARAM_COMPUTED: step = -1; break; // `*` is only a result
        }
        if (step < 0) {
            *misfit = i;
            return -1;
        }
        cost += step;
        if (out->targets)
            out->targets[i] = target;
    }
    out->fn = fn;
    switch (signature.result.class) {
    case PARAM_TYPE: out->result = signature.result.type; break;
    case PARAM_COMMON:
    case PARAM_COMMON_NUMERIC: out->result = common; break;
    default: out->result = TYPE_NONE; break;
    }
    return cost;
}

static bool
report_misfit(const FunctionDef *fn, const Type *types, const Span *spans, uint32_t arg_count,
              uint32_t misfit, Span span, AzError *error)
{
    if (misfit < arg_count)
        return error_at(error, AZ_SEMANTIC, spans[misfit],
                        "%s() cannot take a value of type %s here; its signature is %s%s", fn->name,
                        type_name(types[misfit]), fn->name, fn->signature);
    return error_at(error, AZ_SEMANTIC, span,
                    "%s() does not take %u argument%s; its signature is %s%s", fn->name, arg_count,
                    arg_count == 1 ? "" : "s", fn->name, fn->signature);
}

static bool
report_operator(const FunctionDef *fn, const Type *types, uint32_t arg_count, Span span,
                AzError *error)
{
    if (arg_count == 2)
        return error_at(error, AZ_SEMANTIC, span, "operator '%s' cannot be used on %s and %s",
                        fn->name, type_name(types[0]), type_name(types[1]));
    return error_at(error, AZ_SEMANTIC, span, "'%s' cannot be used on a value of type %s", fn->name,
                    arg_count ? type_name(types[0]) : "nothing");
}

bool
signature_resolve(const FunctionDef *const *overloads, size_t count, const Type *types,
                  const Span *spans, uint32_t arg_count, Span span, Resolution *out, AzError *error)
{
    int best = -1;
    const FunctionDef *chosen = NULL;
    const FunctionDef *nearest = overloads[0];
    uint32_t nearest_misfit = 0;
    bool seen = false;
    for (size_t i = 0; i < count; i++) {
        Resolution candidate = {.targets = NULL};
        uint32_t misfit;
        int cost = overload_cost(overloads[i], types, arg_count, &candidate, &misfit);
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
        overload_cost(chosen, types, arg_count, out, &misfit);
        return true;
    }
    if (nearest->flags & FN_INTERNAL)
        return report_operator(nearest, types, arg_count, span, error);
    return report_misfit(nearest, types, spans, arg_count, nearest_misfit, span, error);
}
