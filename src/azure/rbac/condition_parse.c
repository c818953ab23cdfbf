// The grammar of conditions, one function a symbol:
//
//     or      := and (('OR' | '||') and)*
//     and     := not (('AND' | '&&') not)*
//     not     := ('NOT' | '!') not | primary
//     primary := '(' or ')'
//              | ('ActionMatches' | 'SubOperationMatches') '{' string '}'
//              | 'Exists' attribute
//              | operand operator operand
//     operand := attribute | value | '{' value (',' value)* '}'
//     attribute := '@' source '[' name ']'
//     value   := 'text' | integer | true | false | a bare word (a GUID, a date)

#include "azure/rbac/condition_internal.h"

#include "base/array.h"

enum {
    CONDITION_DEPTH = 200,   // nesting; Azure's limit of 8 KB allows less in practice
    CONDITION_MAX = 1 << 14, // bytes of text: twice what Azure takes
};

typedef struct Parser {
    Arena *arena;
    Str text;
    size_t at;
    uint32_t depth;
    bool ambiguous;
    AzError *error;
} Parser;

static Condition *parse_or(Parser *p);

static void
skip_blanks(Parser *p)
{
    while (p->at < p->text.len && (p->text.ptr[p->at] == ' ' ||
                                   (p->text.ptr[p->at] >= '\t' && p->text.ptr[p->at] <= '\r')))
        p->at++;
}

static bool
fail(Parser *p, size_t from, const char *what)
{
    size_t to = from < p->text.len ? from + 1 : from;
    return error_at(p->error, AZ_INVALID, (Span){(uint32_t)from, (uint32_t)to},
                    "the condition cannot be read at character %zu: %s", from + 1, what);
}

static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':' || c == '+';
}

// The word at the cursor, without moving it; empty when there is none.
static Str
peek_word(Parser *p)
{
    skip_blanks(p);
    size_t end = p->at;
    while (end < p->text.len && is_word(p->text.ptr[end]))
        end++;
    return (Str){p->text.ptr + p->at, end - p->at};
}

static bool
take_char(Parser *p, char c)
{
    skip_blanks(p);
    if (p->at == p->text.len || p->text.ptr[p->at] != c)
        return false;
    p->at++;
    return true;
}

static bool
take_text(Parser *p, Str text)
{
    skip_blanks(p);
    if (!str_starts(str_slice(p->text, p->at, p->text.len), text))
        return false;
    p->at += text.len;
    return true;
}

static bool
take_word(Parser *p, const char *word)
{
    Str found = peek_word(p);
    if (!str_equal_ci(found, str_from(word)))
        return false;
    p->at += found.len;
    return true;
}

static Condition *
node(Parser *p, ConditionKind kind)
{
    Condition *condition = ARENA_NEW(p->arena, Condition);
    condition->kind = kind;
    return condition;
}

// Where the text at the cursor ends: at the quote that closes it, or at the end of all.
static size_t
closing_quote(const Parser *p)
{
    const char *text = p->text.ptr;
    for (size_t at = p->at; at < p->text.len; at++) {
        bool before_quote = at + 1 < p->text.len && text[at + 1] == '\'';
        if (text[at] == '\'' && !before_quote)
            return at;
        if (before_quote && (text[at] == '\'' || text[at] == '\\'))
            at++;
    }
    return p->text.len;
}

// 'text', a quote inside written twice or behind a backslash. Backslashes before * and ?
// stay: they are part of Like.
static bool
parse_quoted(Parser *p, Str *out)
{
    size_t from = p->at;
    if (!take_char(p, '\''))
        return fail(p, from, "a text in single quotes is expected");
    size_t end = closing_quote(p), len = 0;
    if (end == p->text.len)
        return fail(p, from, "the text that starts here has no closing quote");
    char *text = arena_alloc(p->arena, end - p->at);
    while (p->at < end) {
        char c = p->text.ptr[p->at++];
        bool before_quote = p->at < end && p->text.ptr[p->at] == '\'';
        if (before_quote && (c == '\'' || c == '\\'))
            c = p->text.ptr[p->at++];
        text[len++] = c;
    }
    p->at = end + 1;
    *out = (Str){text, len};
    return true;
}

static bool
parse_value(Parser *p, ConditionValue *out)
{
    skip_blanks(p);
    *out = (ConditionValue){0};
    if (p->at < p->text.len && p->text.ptr[p->at] == '\'')
        return parse_quoted(p, &out->text);
    Str word = peek_word(p);
    if (!word.len)
        return fail(p, p->at, "a value is expected: 'text', a number, true, false or a GUID");
    p->at += word.len;
    out->text = word;
    size_t i = word.ptr[0] == '-' && word.len > 1;
    bool digits = true;
    uint64_t number = 0;
    for (; i < word.len && digits; i++) {
        digits = word.ptr[i] >= '0' && word.ptr[i] <= '9' && number < (uint64_t)INT64_MAX / 10;
        number = number * 10 + (uint64_t)(word.ptr[i] - '0');
    }
    if (digits) {
        out->is_number = true;
        out->number = word.ptr[0] == '-' ? -(int64_t)number : (int64_t)number;
    }
    return true;
}

static bool
parse_attribute(Parser *p, ConditionOperand *out)
{
    static const char *const SOURCES[ATTRIBUTE_SOURCES] = {"Request", "Resource", "Principal",
                                                           "Environment"};
    skip_blanks(p);
    size_t from = p->at;
    if (!take_char(p, '@'))
        return fail(p, from, "an attribute such as @Resource[...] is expected");
    int source = -1;
    for (int i = 0; i < ATTRIBUTE_SOURCES && source < 0; i++)
        if (take_word(p, SOURCES[i]))
            source = i;
    if (source < 0)
        return fail(p, from,
                    "the source of an attribute is Request, Resource, Principal or Environment");
    if (!take_char(p, '['))
        return fail(p, p->at, "'[' and the attribute's name are expected");
    size_t name = p->at;
    while (p->at < p->text.len && p->text.ptr[p->at] != ']')
        p->at++;
    if (p->at == p->text.len)
        return fail(p, name, "the attribute's name has no closing ']'");
    out->is_attribute = true;
    out->source = (AttributeSource)source;
    out->name = str_trim(str_slice(p->text, name, p->at++));
    out->written = str_slice(p->text, from, p->at);
    return out->name.len || fail(p, name, "the attribute has no name");
}

static bool
parse_operand(Parser *p, ConditionOperand *out)
{
    skip_blanks(p);
    *out = (ConditionOperand){0};
    if (p->at < p->text.len && p->text.ptr[p->at] == '@')
        return parse_attribute(p, out);
    struct {
        ConditionValue *items;
        size_t len, cap;
    } values = {0};
    ConditionValue value;
    if (take_char(p, '{')) {
        do {
            if (!parse_value(p, &value))
                return false;
            ARRAY_PUSH(p->arena, &values, value);
        } while (take_char(p, ','));
        if (!take_char(p, '}'))
            return fail(p, p->at, "'}' is expected after the values");
    } else {
        if (!parse_value(p, &value))
            return false;
        ARRAY_PUSH(p->arena, &values, value);
    }
    out->values = values.items;
    out->value_count = (uint32_t)values.len;
    return true;
}

// Takes `prefix` off `word`, in any case.
static bool
cut(Str *word, const char *prefix)
{
    Str p = str_from(prefix);
    if (word->len < p.len || !str_equal_ci(str_slice(*word, 0, p.len), p))
        return false;
    *word = str_slice(*word, p.len, word->len);
    return true;
}

// StringNotEqualsIgnoreCase and its family, without the quantifier.
static bool
read_operator(Str word, CompareOperator *out)
{
    static const struct {
        const char *name;
        CompareType type;
    } TYPES[] = {
        {"String", COMPARE_STRING}, {"Numeric", COMPARE_NUMERIC}, {"DateTime", COMPARE_DATETIME},
        {"Guid", COMPARE_GUID},     {"Bool", COMPARE_BOOL},
    };
    static const struct {
        const char *name;
        CompareRelation relation;
        bool of_strings, of_ordered;
    } RELATIONS[] = {
        {"Equals", RELATION_EQUALS, true, true},
        {"StartsWith", RELATION_STARTS_WITH, true, false},
        {"Like", RELATION_LIKE, true, false},
        {"LessThanEquals", RELATION_LESS_EQUALS, false, true},
        {"LessThan", RELATION_LESS, false, true},
        {"GreaterThanEquals", RELATION_GREATER_EQUALS, false, true},
        {"GreaterThan", RELATION_GREATER, false, true},
    };
    size_t type = 0;
    while (type < COUNT_OF(TYPES) && !cut(&word, TYPES[type].name))
        type++;
    if (type == COUNT_OF(TYPES))
        return false;
    out->type = TYPES[type].type;
    out->negated = cut(&word, "Not");
    size_t relation = 0;
    while (relation < COUNT_OF(RELATIONS) && !cut(&word, RELATIONS[relation].name))
        relation++;
    if (relation == COUNT_OF(RELATIONS))
        return false;
    out->relation = RELATIONS[relation].relation;
    out->ignore_case = out->type == COMPARE_STRING && cut(&word, "IgnoreCase");
    bool ordered = out->type == COMPARE_NUMERIC || out->type == COMPARE_DATETIME;
    bool fits = out->relation == RELATION_EQUALS ||
                (RELATIONS[relation].of_strings && out->type == COMPARE_STRING) ||
                (RELATIONS[relation].of_ordered && ordered && !out->negated);
    return fits && !word.len;
}

static bool
parse_operator(Parser *p, CompareOperator *out)
{
    Str word = peek_word(p);
    size_t from = p->at;
    *out = (CompareOperator){0};
    p->at += word.len;
    if (cut(&word, "For")) {
        bool all_left = cut(&word, "All"), any_left = !all_left && cut(&word, "Any");
        bool of = cut(&word, "Of");
        bool all_right = cut(&word, "All"), any_right = !all_right && cut(&word, "Any");
        if (!(all_left || any_left) || !of || !(all_right || any_right) || !cut(&word, "Values"))
            return fail(p, from,
                        "a quantifier is ForAnyOfAnyValues, ForAllOfAnyValues, "
                        "ForAnyOfAllValues or ForAllOfAllValues");
        if (!cut(&word, ":"))
            return fail(p, from, "':' and an operator are expected after the quantifier");
        if (!word.len) {
            word = peek_word(p);
            p->at += word.len;
        }
        out->all_left = all_left;
        out->all_right = all_right;
    }
    if (!read_operator(word, out))
        return fail(p, from,
                    "an operator such as StringEquals, NumericLessThan or GuidEquals is "
                    "expected");
    return true;
}

static Condition *
parse_matches(Parser *p, ConditionKind kind)
{
    Condition *condition = node(p, kind);
    if (!take_char(p, '{')) {
        fail(p, p->at, "'{' and a text in quotes are expected");
        return NULL;
    }
    skip_blanks(p);
    if (!parse_quoted(p, &condition->pattern))
        return NULL;
    if (!take_char(p, '}')) {
        fail(p, p->at, "'}' is expected");
        return NULL;
    }
    return condition;
}

static Condition *
parse_primary(Parser *p)
{
    if (take_char(p, '(')) {
        Condition *inner = parse_or(p);
        if (inner && !take_char(p, ')')) {
            fail(p, p->at, "')' is expected");
            return NULL;
        }
        if (inner)
            inner->in_parentheses = true;
        return inner;
    }
    if (take_word(p, "ActionMatches"))
        return parse_matches(p, CONDITION_ACTION_MATCHES);
    if (take_word(p, "SubOperationMatches"))
        return parse_matches(p, CONDITION_SUB_OPERATION_MATCHES);
    if (take_word(p, "Exists")) {
        Condition *condition = node(p, CONDITION_EXISTS);
        return parse_attribute(p, &condition->a) ? condition : NULL;
    }
    Condition *condition = node(p, CONDITION_COMPARE);
    return parse_operand(p, &condition->a) && parse_operator(p, &condition->compare) &&
                   parse_operand(p, &condition->b)
               ? condition
               : NULL;
}

static Condition *
parse_not(Parser *p)
{
    if (++p->depth > CONDITION_DEPTH) {
        fail(p, p->at, "it is nested too deep");
        return NULL;
    }
    Condition *result;
    if (take_char(p, '!') || take_word(p, "NOT")) {
        Condition *inner = parse_not(p);
        result = inner ? node(p, CONDITION_NOT) : NULL;
        if (result)
            result->left = inner;
    } else {
        result = parse_primary(p);
    }
    p->depth--;
    return result;
}

static Condition *
join(Parser *p, ConditionKind kind, Condition *left, Condition *right)
{
    Condition *condition = node(p, kind);
    condition->left = left;
    condition->right = right;
    return condition;
}

static Condition *
parse_and(Parser *p)
{
    Condition *left = parse_not(p);
    while (left && (take_text(p, STR("&&")) || take_word(p, "AND"))) {
        Condition *right = parse_not(p);
        left = right ? join(p, CONDITION_AND, left, right) : NULL;
    }
    return left;
}

static bool
is_bare_and(const Condition *condition)
{
    return condition->kind == CONDITION_AND && !condition->in_parentheses;
}

static Condition *
parse_or(Parser *p)
{
    Condition *left = parse_and(p);
    while (left && (take_text(p, STR("||")) || take_word(p, "OR"))) {
        Condition *right = parse_and(p);
        if (!right)
            return NULL;
        p->ambiguous |= is_bare_and(left) || is_bare_and(right);
        left = join(p, CONDITION_OR, left, right);
    }
    return left;
}

Condition *
condition_parse(Arena *arena, Str text, bool *lint, AzError *error)
{
    if (text.len > CONDITION_MAX) {
        error_set(error, AZ_LIMIT, "a condition of %zu bytes: Azure takes at most 8 KB", text.len);
        return NULL;
    }
    Parser p = {.arena = arena, .text = text, .error = error};
    Condition *condition = parse_or(&p);
    skip_blanks(&p);
    if (condition && p.at < text.len) {
        fail(&p, p.at, "AND, OR or the end is expected");
        return NULL;
    }
    if (lint)
        *lint = condition && p.ambiguous;
    return condition;
}

bool
condition_mentions(const Condition *condition, Str attribute_name)
{
    if (!condition)
        return false;
    switch (condition->kind) {
    case CONDITION_EXISTS: return str_equal_ci(condition->a.name, attribute_name);
    case CONDITION_COMPARE:
        return (condition->a.is_attribute && str_equal_ci(condition->a.name, attribute_name)) ||
               (condition->b.is_attribute && str_equal_ci(condition->b.name, attribute_name));
    default:
        return condition_mentions(condition->left, attribute_name) ||
               condition_mentions(condition->right, attribute_name);
    }
}
