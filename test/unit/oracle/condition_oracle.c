#include "oracle/condition_oracle.h"

#include "base/array.h"
#include "value/json.h"

#include <string.h>

static const char *const WORDS[] = {"a", "B", "ab", "b", "it's", ""};
static const char *const LIKE[] = {"a*", "?b", "*", "B", "*'?"};
static const char *const PATTERNS[] = {"A.B/x/*", "*/read", "a.c/*", "A.B/x/write", "Blob.*"};
static const char *const SOURCES[] = {"Request", "Resource", "Principal", "Environment"};
static const char *const NAMES[] = {"word", "number", "flag", "list"};

typedef enum Kind { AND, OR, NOT, ACTION, SUB_OPERATION, EXISTS, WORD, NUMBER, FLAG, LIST } Kind;

struct OracleCondition {
    Kind kind;
    OracleCondition *left, *right;
    uint32_t source, attribute;
    uint32_t op, value;  // WORD: index of WORDS or LIKE; LIST: bits of WORDS
    uint32_t quantifier; // bit 0: all of the left, bit 1: all of the right
    bool negated, ignore_case;
};

// ---- making ----

static OracleCondition *
make(Dice *dice, Arena *arena, uint32_t depth)
{
    OracleCondition *c = ARENA_NEW(arena, OracleCondition);
    c->kind = (Kind)(depth ? roll(dice, LIST + 1) : ACTION + roll(dice, LIST + 1 - ACTION));
    c->source = roll(dice, ATTRIBUTE_SOURCES);
    c->negated = one_in(dice, 3);
    c->ignore_case = one_in(dice, 2);
    c->quantifier = roll(dice, 4);
    switch (c->kind) {
    case AND:
    case OR: c->right = make(dice, arena, depth - 1); __attribute__((fallthrough));
    case NOT: c->left = make(dice, arena, depth - 1); break;
    case ACTION:
    case SUB_OPERATION: c->value = roll(dice, COUNT_OF(PATTERNS)); break;
    case EXISTS: c->attribute = roll(dice, COUNT_OF(NAMES)); break;
    case WORD:
        c->op = roll(dice, 3); // equals, starts with, like
        c->value = roll(dice, c->op == 2 ? COUNT_OF(LIKE) : COUNT_OF(WORDS));
        break;
    case NUMBER:
        c->op = roll(dice, 5); // equals, less, at most, greater, at least
        c->value = roll(dice, 4);
        break;
    case FLAG: c->value = roll(dice, 2); break;
    case LIST: c->value = 1 + roll(dice, (1u << COUNT_OF(WORDS)) - 1); break;
    }
    if (c->kind >= WORD)
        c->attribute = (uint32_t)(c->kind - WORD);
    return c;
}

OracleCondition *
oracle_condition(Dice *dice, Arena *arena)
{
    return make(dice, arena, roll(dice, 4));
}

// ---- writing ----

static void
blank(Dice *dice, Buffer *out)
{
    static const char *const BLANKS[] = {" ", "  ", "\n", "\t ", "\r\n"};
    buffer_text(out, BLANKS[roll(dice, COUNT_OF(BLANKS))]);
}

static void
maybe_blank(Dice *dice, Buffer *out)
{
    if (one_in(dice, 3))
        blank(dice, out);
}

// Keywords and names in any case.
static void
put_word(Dice *dice, Buffer *out, const char *word)
{
    for (; *word; word++) {
        bool letter = (*word >= 'a' && *word <= 'z') || (*word >= 'A' && *word <= 'Z');
        buffer_char(out, letter && one_in(dice, 5) ? (char)(*word ^ 32) : *word);
    }
}

static void
put_text(Dice *dice, Buffer *out, const char *text)
{
    buffer_char(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            buffer_char(out, one_in(dice, 2) ? '\'' : '\\');
        buffer_char(out, *text);
    }
    buffer_char(out, '\'');
}

static void
put_attribute(Dice *dice, Buffer *out, const OracleCondition *c)
{
    buffer_char(out, '@');
    put_word(dice, out, SOURCES[c->source]);
    buffer_char(out, '[');
    put_word(dice, out, NAMES[c->attribute]);
    buffer_char(out, ']');
}

static void
put_operator(Dice *dice, Buffer *out, const OracleCondition *c)
{
    static const char *const WORD_OPS[] = {"Equals", "StartsWith", "Like"};
    static const char *const NUMBER_OPS[] = {"Equals", "LessThan", "LessThanEquals", "GreaterThan",
                                             "GreaterThanEquals"};
    static const char *const QUANTIFIERS[] = {
        "ForAnyOfAnyValues:", "ForAllOfAnyValues:", "ForAnyOfAllValues:", "ForAllOfAllValues:"};
    blank(dice, out);
    if (c->kind == LIST)
        put_word(dice, out, QUANTIFIERS[c->quantifier]);
    if (c->kind == NUMBER) {
        put_word(dice, out, "Numeric");
        put_word(dice, out, c->negated && !c->op ? "Not" : "");
        put_word(dice, out, NUMBER_OPS[c->op]);
    } else if (c->kind == FLAG) {
        put_word(dice, out, c->negated ? "BoolNotEquals" : "BoolEquals");
    } else {
        put_word(dice, out, c->negated ? "StringNot" : "String");
        put_word(dice, out, WORD_OPS[c->kind == LIST ? 0 : c->op]);
        put_word(dice, out, c->ignore_case ? "IgnoreCase" : "");
    }
    blank(dice, out);
}

static void
put_set(Dice *dice, Buffer *out, uint32_t bits)
{
    buffer_char(out, '{');
    for (uint32_t i = 0, named = 0; i < COUNT_OF(WORDS); i++) {
        if (!(bits >> i & 1))
            continue;
        buffer_text(out, named++ ? "," : "");
        maybe_blank(dice, out);
        put_text(dice, out, WORDS[i]);
        maybe_blank(dice, out);
    }
    buffer_char(out, '}');
}

static void
put_compare(Dice *dice, Buffer *out, const OracleCondition *c)
{
    put_attribute(dice, out, c);
    put_operator(dice, out, c);
    switch (c->kind) {
    case NUMBER: buffer_printf(out, "%u", c->value); break;
    case FLAG: put_word(dice, out, c->value ? "true" : "false"); break;
    case LIST: put_set(dice, out, c->value); break;
    default: put_text(dice, out, c->op == 2 ? LIKE[c->value] : WORDS[c->value]);
    }
}

static void put(Dice *dice, Buffer *out, const OracleCondition *c);

// In parentheses where it binds less than what is around it, and now and then for nothing.
static void
put_inner(Dice *dice, Buffer *out, const OracleCondition *c, Kind around)
{
    bool needed = (around == NOT && c->kind <= OR) || (around == AND && c->kind == OR);
    uint32_t depth = needed + one_in(dice, 4);
    for (uint32_t i = 0; i < depth; i++) {
        buffer_char(out, '(');
        maybe_blank(dice, out);
    }
    put(dice, out, c);
    for (uint32_t i = 0; i < depth; i++) {
        maybe_blank(dice, out);
        buffer_char(out, ')');
    }
}

static void
put(Dice *dice, Buffer *out, const OracleCondition *c)
{
    switch (c->kind) {
    case AND:
    case OR:
        put_inner(dice, out, c->left, c->kind);
        blank(dice, out);
        if (one_in(dice, 2))
            put_word(dice, out, c->kind == AND ? "AND" : "OR");
        else
            buffer_text(out, c->kind == AND ? "&&" : "||");
        blank(dice, out);
        put_inner(dice, out, c->right, c->kind);
        break;
    case NOT:
        if (one_in(dice, 2)) {
            put_word(dice, out, "NOT");
            blank(dice, out);
        } else {
            buffer_char(out, '!');
        }
        put_inner(dice, out, c->left, NOT);
        break;
    case ACTION:
    case SUB_OPERATION:
        put_word(dice, out, c->kind == ACTION ? "ActionMatches" : "SubOperationMatches");
        maybe_blank(dice, out);
        buffer_char(out, '{');
        put_text(dice, out, PATTERNS[c->value]);
        buffer_char(out, '}');
        break;
    case EXISTS:
        put_word(dice, out, "Exists");
        blank(dice, out);
        put_attribute(dice, out, c);
        break;
    default: put_compare(dice, out, c);
    }
}

void
oracle_condition_write(Dice *dice, Buffer *out, const OracleCondition *condition)
{
    put(dice, out, condition);
}

// ---- facts ----

void
oracle_facts(Dice *dice, OracleFacts *out)
{
    for (int s = 0; s < ATTRIBUTE_SOURCES; s++) {
        out->sources[s].complete = one_in(dice, 2);
        for (int a = 0; a < 4; a++)
            out->sources[s].given[a] = !one_in(dice, 3);
        out->sources[s].word = roll(dice, COUNT_OF(WORDS));
        out->sources[s].number = roll(dice, 4);
        out->sources[s].flag = roll(dice, 2);
        out->sources[s].list = roll(dice, 1u << COUNT_OF(WORDS));
    }
    out->sub_operation = one_in(dice, 2) ? "" : "Blob.List";
}

// Numbers and booleans come as such or as texts, a list of one as the value alone.
static void
put_facts(Dice *dice, Buffer *json, const OracleFacts *facts, int source)
{
    const char *quote = one_in(dice, 2) ? "\"" : "";
    const char *between = "";
    buffer_char(json, '{');
    if (facts->sources[source].given[0]) {
        buffer_printf(json, "\"Word\":\"%s\"", WORDS[facts->sources[source].word]);
        between = ",";
    }
    if (facts->sources[source].given[1]) {
        buffer_printf(json, "%s\"number\":%s%u%s", between, quote, facts->sources[source].number,
                      quote);
        between = ",";
    }
    if (facts->sources[source].given[2]) {
        buffer_printf(json, "%s\"FLAG\":%s%s%s", between, quote,
                      facts->sources[source].flag ? "true" : "false", quote);
        between = ",";
    }
    uint32_t bits = facts->sources[source].list;
    if (facts->sources[source].given[3]) {
        bool alone = bits && !(bits & (bits - 1)) && one_in(dice, 2);
        buffer_printf(json, "%s\"list\":%s", between, alone ? "" : "[");
        for (uint32_t i = 0, named = 0; i < COUNT_OF(WORDS); i++)
            if (bits >> i & 1)
                buffer_printf(json, "%s\"%s\"", named++ ? "," : "", WORDS[i]);
        buffer_text(json, alone ? "" : "]");
    }
    buffer_char(json, '}');
}

ConditionContext
oracle_context(Dice *dice, Arena *arena, const OracleFacts *facts)
{
    ConditionContext context = {.action = str_from(facts->action),
                                .sub_operation = str_from(facts->sub_operation)};
    Buffer json = {0};
    for (int s = 0; s < ATTRIBUTE_SOURCES; s++) {
        buffer_clear(&json);
        put_facts(dice, &json, facts, s);
        Text *tree = ARENA_NEW(arena, Text);
        bool is_null;
        json_parse_text(arena, str_copy(arena, buffer_slice(&json)), tree, &is_null);
        context.attributes[s] = dyn_of_text(tree);
        context.complete[s] = facts->sources[s].complete;
    }
    buffer_free(&json);
    return context;
}

// ---- evaluating ----

// `*` any run of characters, `?` one; by trying.
static bool
like(const char *pattern, const char *text, bool ignore_case)
{
    if (*pattern == '*')
        return like(pattern + 1, text, ignore_case) ||
               (*text && like(pattern, text + 1, ignore_case));
    if (!*pattern || !*text)
        return !*pattern && !*text;
    char a[2] = {*pattern, 0}, b[2] = {*text, 0};
    bool same = *pattern == '?' || (ignore_case ? !strcasecmp(a, b) : *pattern == *text);
    return same && like(pattern + 1, text + 1, ignore_case);
}

static bool
word_holds(const OracleCondition *c, const char *word)
{
    const char *value = c->op == 2 ? LIKE[c->value] : WORDS[c->value];
    bool holds;
    if (c->op == 2)
        holds = like(value, word, c->ignore_case);
    else if (c->op == 1)
        holds = (c->ignore_case ? strncasecmp : strncmp)(word, value, strlen(value)) == 0;
    else
        holds = (c->ignore_case ? strcasecmp : strcmp)(word, value) == 0;
    return holds != c->negated;
}

static bool
number_holds(const OracleCondition *c, uint32_t number)
{
    switch (c->op) {
    case 0: return (number == c->value) != c->negated;
    case 1: return number < c->value;
    case 2: return number <= c->value;
    case 3: return number > c->value;
    default: return number >= c->value;
    }
}

// By counting: of how many on the left how many on the right match.
static bool
list_holds(const OracleCondition *c, uint32_t list)
{
    uint32_t left = 0, left_good = 0;
    for (uint32_t a = 0; a < COUNT_OF(WORDS); a++) {
        uint32_t right = 0, right_good = 0;
        if (!(list >> a & 1))
            continue;
        for (uint32_t b = 0; b < COUNT_OF(WORDS); b++) {
            if (!(c->value >> b & 1))
                continue;
            bool same = (c->ignore_case ? strcasecmp : strcmp)(WORDS[a], WORDS[b]) == 0;
            right++;
            right_good += same != c->negated;
        }
        left++;
        left_good += c->quantifier & 2 ? right_good == right : right_good > 0;
    }
    return c->quantifier & 1 ? left_good == left : left_good > 0;
}

static int
leaf(const OracleCondition *c, const OracleFacts *facts)
{
    if (!facts->sources[c->source].given[c->attribute])
        return facts->sources[c->source].complete ? ORACLE_FALSE : ORACLE_UNKNOWN;
    bool holds = true;
    switch (c->kind) {
    case WORD: holds = word_holds(c, WORDS[facts->sources[c->source].word]); break;
    case NUMBER: holds = number_holds(c, facts->sources[c->source].number); break;
    case FLAG: holds = (facts->sources[c->source].flag == c->value) != c->negated; break;
    case LIST: holds = list_holds(c, facts->sources[c->source].list); break;
    default: break; // EXISTS
    }
    return holds ? ORACLE_TRUE : ORACLE_FALSE;
}

int
oracle_evaluate(const OracleCondition *condition, const OracleFacts *facts)
{
    const OracleCondition *c = condition;
    int left = c->left ? oracle_evaluate(c->left, facts) : 0;
    int right = c->right ? oracle_evaluate(c->right, facts) : 0;
    switch (c->kind) {
    case AND: return left < right ? left : right;
    case OR: return left > right ? left : right;
    case NOT: return ORACLE_TRUE - left;
    case ACTION: return like(PATTERNS[c->value], facts->action, true) ? ORACLE_TRUE : ORACLE_FALSE;
    case SUB_OPERATION:
        return like(PATTERNS[c->value], facts->sub_operation, true) ? ORACLE_TRUE : ORACLE_FALSE;
    default: return leaf(c, facts);
    }
}
