// Functions of numbers.

#include "azure/policy/program.h"

#include "value/scalar.h"

#include <math.h>

typedef enum Arithmetic { ADD, SUB, MUL, DIV, MOD } Arithmetic;

static bool
calculate(Eval *eval, Arithmetic op, const PolicyValue *args, PolicyValue *out)
{
    if (args[0].kind != POLICY_LONG || args[1].kind != POLICY_LONG)
        return eval_fail(eval, "arithmetic takes two integers");
    int64_t a = args[0].integer, b = args[1].integer, result = 0;
    bool overflow = false;
    switch (op) {
    case ADD: overflow = __builtin_add_overflow(a, b, &result); break;
    case SUB: overflow = __builtin_sub_overflow(a, b, &result); break;
    case MUL: overflow = __builtin_mul_overflow(a, b, &result); break;
    case DIV:
    case MOD:
        if (!b)
            return eval_fail(eval, "division by zero");
        overflow = a == INT64_MIN && b == -1;
        if (!overflow)
            result = op == DIV ? a / b : a % b;
        break;
    }
    *out = policy_long(result);
    return !overflow || eval_fail(eval, "the result does not fit into 64 bits");
}

#define ARITHMETIC(function, op)                                                                   \
    static bool function(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)    \
    {                                                                                              \
        (void)count;                                                                               \
        return calculate(eval, op, args, out);                                                     \
    }
ARITHMETIC(fn_add, ADD)
ARITHMETIC(fn_sub, SUB)
ARITHMETIC(fn_mul, MUL)
ARITHMETIC(fn_div, DIV)
ARITHMETIC(fn_mod, MOD)

static bool
fn_int(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    int64_t number;
    double real;
    if (args[0].kind == POLICY_LONG) {
        *out = args[0];
        return true;
    }
    if (args[0].kind == POLICY_STRING && long_parse(str_trim(args[0].text), &number)) {
        *out = policy_long(number);
        return true;
    }
    if (args[0].kind == POLICY_REAL)
        real = args[0].real;
    else if (args[0].kind != POLICY_STRING || !real_parse(args[0].text, &real))
        real = NAN;
    real = trunc(real);
    if (!(real > -9.2e18 && real < 9.2e18))
        return eval_fail(eval, "int() takes a number or a text that spells an integer");
    *out = policy_long((int64_t)real);
    return true;
}

static bool
fn_float(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    (void)count;
    double real;
    if (policy_is_number(&args[0]))
        real = policy_number(&args[0]);
    else if (args[0].kind != POLICY_STRING || !real_parse(args[0].text, &real))
        return eval_fail(eval, "float() takes a number or a text that spells one");
    *out = policy_real(real);
    return true;
}

static bool
extreme(Eval *eval, const PolicyValue *args, uint32_t count, int sign, PolicyValue *out)
{
    PolicyValue list =
        count == 1 && args[0].kind == POLICY_ARRAY ? args[0] : policy_array(args, count);
    uint32_t members = policy_count(&list);
    for (uint32_t i = 0; i < members; i++) {
        PolicyValue item = policy_at(&list, i);
        if (item.kind != POLICY_LONG)
            return eval_fail(eval, "min() and max() take integers");
        if (i == 0 || (sign > 0 ? item.integer > out->integer : item.integer < out->integer))
            *out = item;
    }
    return members || eval_fail(eval, "an empty array has neither least nor greatest");
}

static bool
fn_min(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    return extreme(eval, args, count, -1, out);
}

static bool
fn_max(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    return extreme(eval, args, count, 1, out);
}

const PolicyFunction FUNCTIONS_NUMBER[] = {
    {"add", 2, 2, false, fn_add, NULL},     {"sub", 2, 2, false, fn_sub, NULL},
    {"mul", 2, 2, false, fn_mul, NULL},     {"div", 2, 2, false, fn_div, NULL},
    {"mod", 2, 2, false, fn_mod, NULL},     {"int", 1, 1, false, fn_int, NULL},
    {"float", 1, 1, false, fn_float, NULL}, {"min", 1, -1, false, fn_min, NULL},
    {"max", 1, -1, false, fn_max, NULL},    {NULL, 0, 0, false, NULL, NULL},
};
