// The operators of conditions.
//
// Text compares without regard to case but for match and notMatch. A number equals the text
// that spells it, and a boolean the text "true" or "false" in any case; null equals null and
// the empty text. A property that is not there is null on the left.

#include "azure/policy/program.h"

#include "base/glob.h"
#include "value/scalar.h"
#include "value/unicode.h"

static const OperatorName NAMES[] = {
    {"equals", OPERATOR_EQUALS, false},
    {"notEquals", OPERATOR_EQUALS, true},
    {"like", OPERATOR_LIKE, false},
    {"notLike", OPERATOR_LIKE, true},
    {"match", OPERATOR_MATCH, false},
    {"notMatch", OPERATOR_MATCH, true},
    {"matchInsensitively", OPERATOR_MATCH_CI, false},
    {"notMatchInsensitively", OPERATOR_MATCH_CI, true},
    {"contains", OPERATOR_CONTAINS, false},
    {"notContains", OPERATOR_CONTAINS, true},
    {"in", OPERATOR_IN, false},
    {"notIn", OPERATOR_IN, true},
    {"containsKey", OPERATOR_CONTAINS_KEY, false},
    {"notContainsKey", OPERATOR_CONTAINS_KEY, true},
    {"less", OPERATOR_LESS, false},
    {"lessOrEquals", OPERATOR_LESS_OR_EQUALS, false},
    {"greater", OPERATOR_GREATER, false},
    {"greaterOrEquals", OPERATOR_GREATER_OR_EQUALS, false},
    {"exists", OPERATOR_EXISTS, false},
};

const OperatorName *
condition_operator(Str name)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (str_equal_ci(name, str_from(NAMES[i].name)))
            return &NAMES[i];
    return NULL;
}

// The number a value is or spells.
static bool
as_number(const PolicyValue *value, double *out)
{
    if (policy_is_number(value)) {
        *out = policy_number(value);
        return true;
    }
    return value->kind == POLICY_STRING && value->text.len && value->text.len < 64 &&
           !str_starts(value->text, STR("0x")) && real_parse(value->text, out);
}

static bool
as_bool(const PolicyValue *value, bool *out)
{
    if (value->kind == POLICY_BOOL) {
        *out = value->boolean;
        return true;
    }
    if (value->kind != POLICY_STRING)
        return false;
    *out = str_equal_ci(value->text, STR("true"));
    return *out || str_equal_ci(value->text, STR("false"));
}

static bool
is_empty(const PolicyValue *value)
{
    return value->kind == POLICY_NULL || (value->kind == POLICY_STRING && !value->text.len);
}

static bool
equal(const PolicyValue *a, const PolicyValue *b, int depth)
{
    if (a->kind == POLICY_STRING && b->kind == POLICY_STRING)
        return policy_text_equal(a->text, b->text);
    if (a->kind == POLICY_NULL || b->kind == POLICY_NULL)
        return is_empty(a) && is_empty(b);
    double x, y;
    if (policy_is_number(a) || policy_is_number(b))
        return as_number(a, &x) && as_number(b, &y) && x == y;
    bool left, right;
    if (a->kind == POLICY_BOOL || b->kind == POLICY_BOOL)
        return as_bool(a, &left) && as_bool(b, &right) && left == right;
    uint32_t count = policy_count(a);
    if (a->kind != b->kind || count != policy_count(b) || depth > DYN_MAX_DEPTH)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        PolicyValue item = policy_at(a, i), other;
        if (a->kind == POLICY_ARRAY)
            other = policy_at(b, i);
        else if (!policy_get(b, policy_key_at(a, i), &other))
            return false;
        if (!equal(&item, &other, depth + 1))
            return false;
    }
    return true;
}

bool
policy_value_equal(const PolicyValue *left, const PolicyValue *right)
{
    return equal(left, right, 0);
}

// The text of a scalar; false for null, arrays and objects.
static bool
scalar_text(Arena *arena, const PolicyValue *value, Str *out)
{
    if (value->kind == POLICY_NULL || value->kind >= POLICY_ARRAY)
        return false;
    *out = policy_to_text(arena, value);
    return true;
}

static bool
like(Str text, Str pattern)
{
    Buffer folded = {0}, mask = {0};
    unicode_lower(&folded, text);
    unicode_lower(&mask, pattern);
    bool holds = glob_match(buffer_slice(&mask), buffer_slice(&folded), 0);
    buffer_free(&folded);
    buffer_free(&mask);
    return holds;
}

static bool
is_letter(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= 0x80 && unicode_is_term(c));
}

// '#' a digit, '?' a letter, '.' any character, else itself; the whole text.
static bool
match(Str text, Str pattern, bool ignore_case)
{
    size_t t = 0, p = 0;
    while (p < pattern.len && t < text.len) {
        size_t from_p = p, from_t = t;
        uint32_t wanted = utf8_next(pattern, &p), c = utf8_next(text, &t);
        if (wanted == '.')
            continue;
        if (wanted == '#' ? c < '0' || c > '9'
            : wanted == '?'
                ? !is_letter(c)
                : c != wanted && !(ignore_case && policy_text_equal(str_slice(text, from_t, t),
                                                                    str_slice(pattern, from_p, p))))
            return false;
    }
    return p == pattern.len && t == text.len;
}

static bool
contains(Arena *arena, const PolicyValue *left, const PolicyValue *right)
{
    Str needle;
    if (left->kind == POLICY_STRING)
        return scalar_text(arena, right, &needle) && unicode_contains_ci(left->text, needle);
    if (left->kind == POLICY_OBJECT) {
        PolicyValue ignored;
        return scalar_text(arena, right, &needle) && policy_get(left, needle, &ignored);
    }
    if (left->kind != POLICY_ARRAY)
        return false;
    for (uint32_t i = 0; i < policy_count(left); i++) {
        PolicyValue item = policy_at(left, i);
        if (equal(&item, right, 0))
            return true;
    }
    return false;
}

static bool
in(const PolicyValue *left, const PolicyValue *right)
{
    if (left->kind == POLICY_NULL || right->kind != POLICY_ARRAY)
        return false;
    uint32_t count = policy_count(right);
    for (uint32_t i = 0; i < count; i++) {
        PolicyValue item = policy_at(right, i);
        if (equal(left, &item, 0))
            return true;
    }
    return false;
}

// <0, 0, >0; false when the two have no order.
static bool
order(const PolicyValue *left, const PolicyValue *right, int *out)
{
    double a, b;
    if (left->kind == POLICY_STRING && right->kind == POLICY_STRING) {
        *out = policy_text_compare(left->text, right->text);
        return true;
    }
    if ((policy_is_number(left) || policy_is_number(right)) && as_number(left, &a) &&
        as_number(right, &b)) {
        *out = a < b ? -1 : a > b;
        return true;
    }
    return false;
}

bool
operator_holds(Arena *arena, PolicyOperator op, const PolicyValue *left, const PolicyValue *right)
{
    Str text, pattern;
    PolicyValue ignored;
    bool wanted;
    int compared;
    switch (op) {
    case OPERATOR_EQUALS: return equal(left, right, 0);
    case OPERATOR_IN: return in(left, right);
    case OPERATOR_EXISTS: return (left->kind != POLICY_NULL) == (as_bool(right, &wanted) && wanted);
    case OPERATOR_CONTAINS: return contains(arena, left, right);
    case OPERATOR_CONTAINS_KEY:
        return scalar_text(arena, right, &text) && policy_get(left, text, &ignored);
    case OPERATOR_LIKE:
        return scalar_text(arena, left, &text) && scalar_text(arena, right, &pattern) &&
               like(text, pattern);
    case OPERATOR_MATCH:
    case OPERATOR_MATCH_CI:
        return scalar_text(arena, left, &text) && scalar_text(arena, right, &pattern) &&
               match(text, pattern, op == OPERATOR_MATCH_CI);
    case OPERATOR_LESS: return order(left, right, &compared) && compared < 0;
    case OPERATOR_LESS_OR_EQUALS: return order(left, right, &compared) && compared <= 0;
    case OPERATOR_GREATER: return order(left, right, &compared) && compared > 0;
    case OPERATOR_GREATER_OR_EQUALS: return order(left, right, &compared) && compared >= 0;
    }
    return false;
}

bool
policy_operator(Arena *arena, Str name, const PolicyValue *left, const PolicyValue *right,
                bool *holds, Str *why)
{
    const OperatorName *op = condition_operator(name);
    if (!op) {
        *why = str_format(arena, "there is no operator '%.*s'", STR_ARG(name));
        return false;
    }
    *holds = operator_holds(arena, op->op, left, right) != op->negated;
    return true;
}
