// Expressions, from loosest to tightest: or, and, equality, comparison, sum, product,
// string operators, unary, postfix, primary (Kusto docs, "Operators"; the order is the
// one of the public grammar).

#include "base/array.h"
#include "kql/parser_state.h"
#include "value/dynamic.h"
#include "value/scalar.h"

// ---- operator tables ----

typedef struct OperatorWord {
    const char *written; // as in the query
    const char *op;      // canonical
    bool negated;
} OperatorWord;

// A list or a table stands on the right.
static const OperatorWord LIST_OPERATORS[] = {
    {"in", "in", false},           {"!in", "in", true},           {"in~", "in~", false},
    {"!in~", "in~", true},         {"has_any", "has_any", false}, {"has_all", "has_all", false},
    {"!has_any", "has_any", true}, {"!has_all", "has_all", true}, {"between", "between", false},
    {"!between", "between", true},
};

static const OperatorWord STRING_OPERATORS[] = {
    {"=~", "=~", false},
    {"!~", "!~", false},
    {"has", "has", false},
    {"!has", "has", true},
    {"has_cs", "has_cs", false},
    {"!has_cs", "has_cs", true},
    {"hasprefix", "hasprefix", false},
    {"!hasprefix", "hasprefix", true},
    {"hasprefix_cs", "hasprefix_cs", false},
    {"!hasprefix_cs", "hasprefix_cs", true},
    {"hassuffix", "hassuffix", false},
    {"!hassuffix", "hassuffix", true},
    {"hassuffix_cs", "hassuffix_cs", false},
    {"!hassuffix_cs", "hassuffix_cs", true},
    {"contains", "contains", false},
    {"!contains", "contains", true},
    {"notcontains", "contains", true},
    {"contains_cs", "contains_cs", false},
    {"containscs", "contains_cs", false},
    {"!contains_cs", "contains_cs", true},
    {"notcontainscs", "contains_cs", true},
    {"startswith", "startswith", false},
    {"!startswith", "startswith", true},
    {"startswith_cs", "startswith_cs", false},
    {"!startswith_cs", "startswith_cs", true},
    {"endswith", "endswith", false},
    {"!endswith", "endswith", true},
    {"endswith_cs", "endswith_cs", false},
    {"!endswith_cs", "endswith_cs", true},
    {"like", "like", false},
    {"notlike", "like", true},
    {"likecs", "likecs", false},
    {"notlikecs", "likecs", true},
    {":", "has", false},
};

static const OperatorWord EQUALITY_OPERATORS[] = {
    {"==", "==", false}, {"!=", "!=", false}, {"<>", "!=", false}};
static const OperatorWord ORDER_OPERATORS[] = {
    {"<=", "<=", false}, {">=", ">=", false}, {"<", "<", false}, {">", ">", false}};
static const OperatorWord SUM_OPERATORS[] = {{"+", "+", false}, {"-", "-", false}};
static const OperatorWord PRODUCT_OPERATORS[] = {
    {"*", "*", false}, {"/", "/", false}, {"%", "%", false}};
static const OperatorWord AND_OPERATOR = {"and", "and", false};
static const OperatorWord OR_OPERATOR = {"or", "or", false};

// The operator at the cursor, `in~` taken as one; NULL when it is none of the table's.
static const OperatorWord *
take_operator(Parser *p, const OperatorWord *words, size_t count)
{
    const Token *token = p->token;
    if (token->kind != TOKEN_NAME && token->kind != TOKEN_SYMBOL)
        return NULL;
    bool tilde = token->kind == TOKEN_NAME && str_equal(token->text, STR("in")) &&
                 token[1].kind == TOKEN_SYMBOL && token[1].glued &&
                 str_equal(token[1].text, STR("~"));
    // `in range(...)` belongs to make-series.
    if (str_equal(token->text, STR("in")) && token[1].kind == TOKEN_NAME)
        return NULL;
    Str text = tilde ? STR("in~") : token->text;
    for (size_t i = 0; i < count; i++) {
        if (!str_equal(text, str_from(words[i].written)))
            continue;
        parser_advance(p);
        if (tilde)
            parser_advance(p);
        return &words[i];
    }
    return NULL;
}

static AstExpr *
new_binary(Parser *p, AstExpr *left, const OperatorWord *word, AstExpr *right)
{
    if (!right)
        return NULL;
    AstExpr *expr = ast_new(p, AST_BINARY, (Span){left->span.start, right->span.end});
    expr->op = str_from(word->op);
    expr->negated = word->negated;
    expr->base = left;
    ARRAY_PUSH(p->arena, &expr->args, right);
    return parser_set_height(p, expr, left, right) ? expr : NULL;
}

// A left-associative level.
static AstExpr *
parse_level(Parser *p, const OperatorWord *words, size_t count, AstExpr *(*tighter)(Parser *))
{
    AstExpr *left = tighter(p);
    const OperatorWord *word;
    while (left && (word = take_operator(p, words, count)))
        left = new_binary(p, left, word, tighter(p));
    return left;
}

// `and` and `or` do not care how they are grouped: long chains, which generated
// queries have, become a balanced tree, so that they are never too tall.
enum { CHAIN_LEFT_DEEP_MAX = 64 };

static AstExpr *
balance_chain(Parser *p, const OperatorWord *word, AstExpr **parts, size_t count)
{
    if (count <= CHAIN_LEFT_DEEP_MAX) {
        AstExpr *left = parts[0];
        for (size_t i = 1; left && i < count; i++)
            left = new_binary(p, left, word, parts[i]);
        return left;
    }
    AstExpr *left = balance_chain(p, word, parts, count / 2);
    return left ? new_binary(p, left, word,
                             balance_chain(p, word, parts + count / 2, count - count / 2))
                : NULL;
}

static AstExpr *
parse_chain(Parser *p, const OperatorWord *word, AstExpr *(*tighter)(Parser *))
{
    AstExpr *first = tighter(p);
    if (!first || !parser_is_word(p, word->written))
        return first;
    AstExprList parts = {0};
    ARRAY_PUSH(p->arena, &parts, first);
    while (take_operator(p, word, 1)) {
        AstExpr *next = tighter(p);
        if (!next)
            return NULL;
        ARRAY_PUSH(p->arena, &parts, next);
    }
    return balance_chain(p, word, parts.items, parts.len);
}

// ---- primary ----

static bool parse_dynamic_container(Parser *p, DynBuilder *builder, bool is_bag);

// Typed literals inside dynamic( ) keep their type.
static bool
parse_dynamic_value(Parser *p, DynBuilder *builder)
{
    if (parser_is_symbol(p, "["))
        return parse_dynamic_container(p, builder, false);
    if (parser_is_symbol(p, "{"))
        return parse_dynamic_container(p, builder, true);
    // The lexer reads ["x"] as a quoted name where a value may start.
    if (p->token->kind == TOKEN_QUOTED) {
        dyn_begin_array(builder);
        dyn_push_string(builder, p->token->text);
        dyn_end_array(builder);
        parser_advance(p);
        return true;
    }
    bool negative = parser_take_symbol(p, "-");
    if (p->token->kind == TOKEN_LITERAL) {
        Value value = p->token->value;
        if (negative && value.type == TYPE_LONG)
            value.int64 = (int64_t)(0 - (uint64_t)value.int64);
        else if (negative && value.type == TYPE_REAL)
            value.real = -value.real;
        else if (negative)
            return parser_fail(p, "a number after '-'");
        dyn_push_value(builder, &value);
        parser_advance(p);
        return true;
    }
    if (!negative && parser_take_word(p, "null")) {
        dyn_push_null(builder);
        return true;
    }
    if (!negative && parser_is_word(p, "dynamic") && parser_next_is_symbol(p, "(")) {
        parser_advance(p);
        parser_advance(p);
        return parse_dynamic_value(p, builder) &&
               parser_expect_symbol(p, ")", "after a dynamic literal");
    }
    return parser_fail(p, "a JSON value (text, number, true, false, null, array or object)");
}

static bool
parse_dynamic_container(Parser *p, DynBuilder *builder, bool is_bag)
{
    const char *end = is_bag ? "}" : "]";
    parser_advance(p);
    if (!parser_enter(p))
        return false;
    if (is_bag)
        dyn_begin_bag(builder);
    else
        dyn_begin_array(builder);
    while (!parser_is_symbol(p, end)) {
        Str key;
        if (is_bag) {
            if (!parse_string(p, &key, "a key in quotes") ||
                !parser_expect_symbol(p, ":", "after the key"))
                return false;
            dyn_key(builder, key);
        }
        if (!parse_dynamic_value(p, builder))
            return false;
        if (!parser_take_symbol(p, ","))
            break;
        if (parser_is_symbol(p, end))
            return parser_fail(p, "a JSON value after ','");
    }
    if (!parser_expect_symbol(p, end, "in a dynamic literal"))
        return false;
    if (is_bag)
        dyn_end_bag(builder);
    else
        dyn_end_array(builder);
    parser_leave(p);
    return true;
}

bool
parse_dynamic(Parser *p, Value *out)
{
    *out = (Value){.type = TYPE_DYNAMIC, .is_null = true};
    DynBuilder *builder = dyn_builder_new();
    bool done = parse_dynamic_value(p, builder);
    if (done && !dyn_finish_text(builder, p->arena, &out->text, &out->is_null))
        done = parser_fail(p, "a smaller dynamic literal");
    dyn_builder_free(builder);
    return done;
}

static AstExpr *
parse_literal(Parser *p)
{
    AstExpr *expr = ast_new(p, AST_LITERAL, p->token->span);
    expr->value = p->token->value;
    expr->unreadable = p->token->unreadable;
    parser_advance(p);
    return expr;
}

// typeof(long), typeof(a:long, b:string), typeof(*)
static AstExpr *
parse_typeof(Parser *p)
{
    AstExpr *expr = ast_new(p, AST_TYPEOF, p->token->span);
    parser_advance(p);
    if (parser_next_is_symbol(p, "*")) {
        parser_advance(p);
        parser_advance(p);
        expr->open_columns = true;
        if (!parser_expect_symbol(p, ")", "after '*'"))
            return NULL;
    } else if (p->token[1].kind == TOKEN_NAME && type_from_name(p->token[1].text) != TYPE_NONE &&
               p->token[2].kind == TOKEN_SYMBOL && str_equal(p->token[2].text, STR(")"))) {
        parser_advance(p);
        parse_type(p, &expr->type);
        parser_advance(p);
    } else if (!parse_columns(p, &expr->columns)) {
        return NULL;
    }
    expr->span = parser_span(p, expr->span.start);
    return expr;
}

static bool
parse_argument(Parser *p, AstExpr *call)
{
    AstName name = {0};
    bool named = p->token->kind == TOKEN_NAME && parser_next_is_symbol(p, "=");
    if (named) {
        parse_word(p, &name, "a parameter name");
        parser_advance(p);
    }
    AstExpr *value;
    if (parser_is_symbol(p, "*") &&
        (parser_next_is_symbol(p, ")") || parser_next_is_symbol(p, ","))) {
        value = ast_new(p, AST_STAR, p->token->span);
        parser_advance(p);
    } else {
        value = parse_pipe_expression(p);
    }
    if (!value)
        return false;
    size_t cap = call->args.cap;
    ARRAY_PUSH(p->arena, &call->args, value);
    // The names grow with the arguments.
    bool has_names = named || call->arg_names;
    if (has_names && (!call->arg_names || cap != call->args.cap)) {
        AstName *names = ARENA_ARRAY(p->arena, AstName, call->args.cap);
        for (size_t i = 0; call->arg_names && i + 1 < call->args.len; i++)
            names[i] = call->arg_names[i];
        call->arg_names = names;
    }
    if (call->arg_names)
        call->arg_names[call->args.len - 1] = name;
    return true;
}

static AstExpr *
parse_call(Parser *p)
{
    AstExpr *call = ast_new(p, AST_CALL, p->token->span);
    parse_word(p, &call->name, "a function name");
    parser_advance(p); // (
    uint32_t before = parser_height_begin(p);
    while (!parser_is_symbol(p, ")")) {
        if (!parse_argument(p, call))
            return NULL;
        if (!parser_take_symbol(p, ","))
            break;
        if (parser_is_symbol(p, ")")) {
            parser_fail(p, "an argument after ','");
            return NULL;
        }
    }
    if (!parser_expect_symbol(p, ")", "after the arguments"))
        return NULL;
    call->span = parser_span(p, call->span.start);
    return parser_height_end(p, before, call) ? call : NULL;
}

static AstExpr *
parse_dynamic_literal(Parser *p)
{
    AstExpr *expr = ast_new(p, AST_LITERAL, p->token->span);
    parser_advance(p);
    parser_advance(p);
    if (!parse_dynamic(p, &expr->value) || !parser_expect_symbol(p, ")", "after a dynamic literal"))
        return NULL;
    expr->span = parser_span(p, expr->span.start);
    return expr;
}

static bool
is_star(const Token *token)
{
    return token->kind == TOKEN_SYMBOL && str_equal(token->text, STR("*"));
}

// The last token of a run of names, numbers and stars without blanks between, which
// starts at `first`: Sec*Event, *1.
static const Token *
pattern_end(const Token *first, bool *has_star)
{
    const Token *last = first;
    *has_star = is_star(first);
    while (last->kind != TOKEN_END && last[1].glued &&
           (last[1].kind == TOKEN_NAME || is_star(&last[1]) ||
            (last[1].kind == TOKEN_LITERAL && type_is_numeric(last[1].value.type)))) {
        last++;
        *has_star |= is_star(last);
    }
    return last;
}

static AstExpr *
take_pattern(Parser *p, const Token *last)
{
    AstExpr *expr = ast_new(p, AST_WILDCARD, (Span){p->token->span.start, last->span.end});
    expr->name.text = str_slice(p->text, expr->span.start, expr->span.end);
    expr->name.span = expr->span;
    while (p->token <= last)
        parser_advance(p);
    return expr;
}

// A name, or where patterns may stand one with stars. Elsewhere `a*b` is a product
// unless a star ends it and no operand follows.
static AstExpr *
parse_name_or_wildcard(Parser *p)
{
    bool has_star;
    const Token *last = pattern_end(p->token, &has_star);
    bool value_follows = last[1].kind == TOKEN_LITERAL || last[1].kind == TOKEN_NAME ||
                         (last[1].kind == TOKEN_SYMBOL &&
                          (str_equal(last[1].text, STR("(")) || str_equal(last[1].text, STR("-"))));
    bool ends_in_star = is_star(last) && !(last[1].glued && value_follows);
    if (p->token->kind == TOKEN_NAME && has_star && (p->patterns || ends_in_star))
        return take_pattern(p, last);
    AstExpr *expr = ast_new(p, AST_NAME, p->token->span);
    return parse_special_name(p, &expr->name, "a name") ? expr : NULL;
}

static AstExpr *
parse_star(Parser *p)
{
    bool has_star;
    const Token *last = pattern_end(p->token, &has_star);
    if (last > p->token && p->patterns)
        return take_pattern(p, last);
    AstExpr *star = ast_new(p, AST_STAR, p->token->span);
    parser_advance(p);
    return star;
}

static AstExpr *
parse_parenthesised(Parser *p)
{
    uint32_t start = p->token->span.start;
    parser_advance(p);
    AstExpr *expr = parse_pipe_expression(p);
    if (!expr || !parser_expect_symbol(p, ")", "to close the parenthesis"))
        return NULL;
    expr->span = parser_span(p, start);
    return expr;
}

AstExpr *
parse_primary(Parser *p)
{
    if (parser_is_symbol(p, "("))
        return parse_parenthesised(p);
    if (p->token->kind == TOKEN_LITERAL)
        return parse_literal(p);
    if (parser_is_symbol(p, "*"))
        return parse_star(p);
    if (parser_is_word(p, "entity_group") && parser_next_is_symbol(p, "["))
        return parse_entity_group(p);
    if (p->token->kind == TOKEN_NAME && parser_next_is_symbol(p, "(")) {
        if (parser_is_word(p, "dynamic"))
            return parse_dynamic_literal(p);
        if (parser_is_word(p, "typeof"))
            return parse_typeof(p);
        return parse_call(p);
    }
    if (p->token->kind == TOKEN_NAME || p->token->kind == TOKEN_QUOTED)
        return parse_name_or_wildcard(p);
    parser_fail(p, "an expression");
    return NULL;
}

// ---- postfix and unary ----

// .name, .f(...), and where patterns may stand .T* or .*
static AstExpr *
parse_member(Parser *p, AstExpr *base)
{
    parser_advance(p); // .
    AstExpr *member = ast_new(p, AST_MEMBER, p->token->span);
    member->base = base;
    bool has_star;
    const Token *last = pattern_end(p->token, &has_star);
    if (p->patterns && has_star && (p->token->kind == TOKEN_NAME || is_star(p->token))) {
        member->name = take_pattern(p, last)->name;
    } else if (p->token->kind == TOKEN_NAME && parser_next_is_symbol(p, "(")) {
        // database("d").T and x.f(...) keep the call as the member's index.
        if (!(member->index = parse_call(p)))
            return NULL;
    } else if (!parse_special_name(p, &member->name, "a member name after '.'")) {
        return NULL;
    }
    return member;
}

static AstExpr *
parse_index(Parser *p, AstExpr *base)
{
    parser_advance(p); // [
    AstExpr *index = ast_new(p, AST_INDEX, p->token->span);
    index->base = base;
    index->index = parse_expression(p);
    if (!index->index || !parser_expect_symbol(p, "]", "after the index"))
        return NULL;
    return index;
}

static AstExpr *
parse_postfix(Parser *p)
{
    AstExpr *base = parse_primary(p);
    while (base) {
        uint32_t start = base->span.start;
        if (parser_is_symbol(p, ".") && parser_next_is_symbol(p, "["))
            parser_advance(p); // x.[0] is x[0]
        AstExpr *node;
        if (parser_is_symbol(p, "."))
            node = parse_member(p, base);
        else if (parser_is_symbol(p, "["))
            node = parse_index(p, base);
        else
            return base;
        if (!node || !parser_set_height(p, node, base, node->index))
            return NULL;
        node->span = parser_span(p, start);
        base = node;
    }
    return NULL;
}

static AstExpr *
parse_unary(Parser *p)
{
    if (!parser_is_symbol(p, "-") && !parser_is_symbol(p, "+"))
        return parse_postfix(p);
    uint32_t start = p->token->span.start;
    bool negative = parser_is_symbol(p, "-");
    parser_advance(p);
    if (negative && (parser_is_symbol(p, "-") || parser_is_symbol(p, "+")))
        return parser_fail(p, "an expression after '-', or parentheses around it"), NULL;
    if (!parser_enter(p))
        return NULL;
    AstExpr *base = parse_unary(p);
    parser_leave(p);
    if (!base || !negative)
        return base;
    AstExpr *expr = ast_new(p, AST_NEGATE, (Span){start, base->span.end});
    expr->base = base;
    return parser_set_height(p, expr, base, NULL) ? expr : NULL;
}

// ---- levels ----

static AstExpr *
parse_string_operation(Parser *p)
{
    AstExpr *left = parse_unary(p);
    while (left) {
        static const OperatorWord MATCHES = {"matches regex", "matches regex", false};
        if (parser_is_word(p, "matches") && parser_next_is_word(p, "regex")) {
            parser_advance(p);
            parser_advance(p);
            left = new_binary(p, left, &MATCHES, parse_unary(p));
            continue;
        }
        const OperatorWord *word = take_operator(p, STRING_OPERATORS, COUNT_OF(STRING_OPERATORS));
        if (!word)
            return left;
        left = new_binary(p, left, word, parse_unary(p));
    }
    return NULL;
}

static AstExpr *
parse_product(Parser *p)
{
    return parse_level(p, PRODUCT_OPERATORS, COUNT_OF(PRODUCT_OPERATORS), parse_string_operation);
}

static AstExpr *
parse_sum(Parser *p)
{
    return parse_level(p, SUM_OPERATORS, COUNT_OF(SUM_OPERATORS), parse_product);
}

static AstExpr *
parse_order(Parser *p)
{
    return parse_level(p, ORDER_OPERATORS, COUNT_OF(ORDER_OPERATORS), parse_sum);
}

static AstExpr *
parse_list(Parser *p, AstExpr *left, const OperatorWord *word)
{
    AstExpr *expr = ast_new(p, AST_LIST_OP, left->span);
    expr->op = str_from(word->op);
    expr->negated = word->negated;
    expr->base = left;
    if (!parser_expect_symbol(p, "(", "before the list"))
        return NULL;
    bool between = str_equal(expr->op, STR("between"));
    uint32_t before = parser_height_begin(p);
    p->tallest = left->height;
    while (!parser_is_symbol(p, ")")) {
        AstExpr *item = parse_pipe_expression(p);
        if (!item)
            return NULL;
        ARRAY_PUSH(p->arena, &expr->args, item);
        if (between && expr->args.len == 1) {
            if (!parser_expect_symbol(p, "..", "between the bounds"))
                return NULL;
        } else if (!parser_take_symbol(p, ",")) {
            break;
        } else if (parser_is_symbol(p, ")")) {
            parser_fail(p, "a value after ','");
            return NULL;
        }
    }
    if (between && expr->args.len != 2) {
        parser_fail(p, "two bounds: between (low .. high)");
        return NULL;
    }
    if (!parser_expect_symbol(p, ")", "after the list"))
        return NULL;
    expr->span = parser_span(p, left->span.start);
    return parser_height_end(p, before, expr) ? expr : NULL;
}

static AstExpr *
parse_equality(Parser *p)
{
    AstExpr *left = parse_order(p);
    while (left) {
        const OperatorWord *word = take_operator(p, LIST_OPERATORS, COUNT_OF(LIST_OPERATORS));
        if (word) {
            left = parse_list(p, left, word);
            continue;
        }
        word = take_operator(p, EQUALITY_OPERATORS, COUNT_OF(EQUALITY_OPERATORS));
        if (!word)
            return left;
        left = new_binary(p, left, word, parse_order(p));
    }
    return NULL;
}

static AstExpr *
parse_and(Parser *p)
{
    return parse_chain(p, &AND_OPERATOR, parse_equality);
}

AstExpr *
parse_expression(Parser *p)
{
    if (!parser_enter(p))
        return NULL;
    AstExpr *expr = parse_chain(p, &OR_OPERATOR, parse_and);
    parser_leave(p);
    return expr;
}

// ---- items ----

// (a, b) = expression
static bool
parse_name_list(Parser *p, AstItem *out)
{
    size_t cap = 0;
    parser_advance(p);
    while (!parser_is_symbol(p, ")")) {
        AstName name;
        if (!parse_assigned_name(p, &name, "a column name"))
            return false;
        if (out->name_count == cap)
            out->names = array_grow(p->arena, out->names, out->name_count, &cap, sizeof(name));
        out->names[out->name_count++] = name;
        if (!parser_take_symbol(p, ","))
            break;
    }
    return parser_expect_symbol(p, ")", "after the names") &&
           parser_expect_symbol(p, "=", "after the names");
}

static bool
at_name_list(const Parser *p)
{
    if (!parser_is_symbol(p, "("))
        return false;
    const Token *t = p->token + 1;
    while (t->kind == TOKEN_NAME || t->kind == TOKEN_QUOTED ||
           (t->kind == TOKEN_SYMBOL && str_equal(t->text, STR(","))))
        t++;
    return t->kind == TOKEN_SYMBOL && str_equal(t->text, STR(")")) && t[1].kind == TOKEN_SYMBOL &&
           str_equal(t[1].text, STR("="));
}

bool
parse_item(Parser *p, AstItem *out)
{
    *out = (AstItem){.span = p->token->span};
    bool named = (p->token->kind == TOKEN_NAME || p->token->kind == TOKEN_QUOTED) &&
                 parser_next_is_symbol(p, "=");
    if (named) {
        out->names = ARENA_ARRAY(p->arena, AstName, 1);
        out->name_count = 1;
        if (!parse_assigned_name(p, &out->names[0], "a column name"))
            return false;
        parser_advance(p);
    } else if (at_name_list(p) && !parse_name_list(p, out)) {
        return false;
    }
    out->expr = parse_expression(p);
    if (out->expr)
        out->span = parser_span(p, out->span.start);
    return out->expr != NULL;
}

bool
parse_items(Parser *p, AstItemList *out)
{
    do {
        AstItem item;
        if (!parse_item(p, &item))
            return false;
        ARRAY_PUSH(p->arena, out, item);
    } while (parser_take_symbol(p, ","));
    return true;
}
