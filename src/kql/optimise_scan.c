// Conditions for skipping: a filter straight over a scan tells the scan what its rows
// must meet, so that morsels that cannot hold such a row are not read.
//
// Each rule here replaces a condition by one that follows from it and that a source can
// answer from what it knows of a morsel. The filter itself stays and decides, so a rule
// that says too little costs time and nothing else. What is not understood is left out
// of an `and`, and makes an `or` useless.

#include "base/array.h"
#include "kql/binder.h"
#include "value/dynamic.h"
#include "value/unicode.h"

typedef struct PredicateList {
    ScanPredicate *items;
    size_t len, cap;
} PredicateList;

typedef struct ValueList {
    Value *items;
    size_t len, cap;
} ValueList;

typedef struct Collector {
    Arena *arena;
    uint32_t rules;
    const Plan *scan;
} Collector;

static bool collect(const Collector *c, PredicateList *list, const Expr *expr);

static bool
is_call(const Expr *expr, const char *name)
{
    return expr->kind == EXPR_CALL && strcmp(expr->fn->name, name) == 0;
}

static bool
is_given(const Expr *expr)
{
    return expr->kind == EXPR_CONST && !expr->value.is_null;
}

static void
add(const Collector *c, PredicateList *list, uint32_t column, ScanOp op, const Value *values,
    uint32_t count)
{
    ScanPredicate predicate = {
        .column = c->scan->scan.columns[column],
        .op = op,
        .values = values,
        .value_count = count,
    };
    ARRAY_PUSH(c->arena, list, predicate);
}

// ---- comparisons ----

static bool
comparison_op(const char *name, bool flipped, ScanOp *out)
{
    static const struct {
        const char *name;
        ScanOp op, flipped;
    } OPS[] = {
        {"==", SCAN_EQ, SCAN_EQ}, {"<", SCAN_LT, SCAN_GT},  {"<=", SCAN_LE, SCAN_GE},
        {">", SCAN_GT, SCAN_LT},  {">=", SCAN_GE, SCAN_LE}, {"=~", SCAN_EQ_CI, SCAN_EQ_CI},
    };
    for (size_t i = 0; i < COUNT_OF(OPS); i++) {
        if (strcmp(name, OPS[i].name) == 0) {
            *out = flipped ? OPS[i].flipped : OPS[i].op;
            return true;
        }
    }
    return false;
}

static bool
collect_comparison(const Collector *c, PredicateList *list, const Expr *expr)
{
    ScanOp op;
    if (expr->arg_count != 2)
        return false;
    bool flipped = expr->args[1]->kind == EXPR_COLUMN;
    const Expr *column = expr->args[flipped ? 1 : 0], *value = expr->args[flipped ? 0 : 1];
    if (column->kind != EXPR_COLUMN || !is_given(value) || column->type != value->type ||
        !comparison_op(expr->fn->name, flipped, &op))
        return false;
    add(c, list, column->column, op, &value->value, 1);
    return true;
}

static bool
collect_between(const Collector *c, PredicateList *list, const Expr *expr)
{
    bool some = false;
    if (expr->args[0]->kind != EXPR_COLUMN)
        return false;
    for (uint32_t i = 1; i <= 2; i++) {
        if (!is_given(expr->args[i]))
            continue;
        add(c, list, expr->args[0]->column, i == 1 ? SCAN_GE : SCAN_LE, &expr->args[i]->value, 1);
        some = true;
    }
    return some;
}

static bool
collect_in(const Collector *c, PredicateList *list, const Expr *expr, ScanOp op)
{
    if (expr->args[0]->kind != EXPR_COLUMN)
        return false;
    ValueList values = {0};
    for (uint32_t i = 1; i < expr->arg_count; i++) {
        const Expr *item = expr->args[i];
        if (!is_given(item) || item->value.type != expr->args[0]->type)
            return false;
        ARRAY_PUSH(c->arena, &values, item->value);
    }
    add(c, list, expr->args[0]->column, op, values.items, (uint32_t)values.len);
    return true;
}

// ---- searches in texts ----

// What each operator says of the text, or what follows from it:
//
//     has_cs, hasprefix_cs ...   the same without regard to case: more texts meet it
//     startswith x  =>  hasprefix x     a text's begin is where a term may begin
//     endswith x    =>  hassuffix x
//     has_any (a, b) = has a or has b;  has_all (a, b) = has a and has b
static bool
text_op(const char *name, ScanOp *op)
{
    static const struct {
        const char *name;
        ScanOp op;
    } OPS[] = {
        {"has", SCAN_HAS},
        {"has_cs", SCAN_HAS},
        {"has_any", SCAN_HAS},
        {"has_all", SCAN_HAS},
        {"hasprefix", SCAN_HAS_PREFIX},
        {"hasprefix_cs", SCAN_HAS_PREFIX},
        {"startswith", SCAN_HAS_PREFIX},
        {"startswith_cs", SCAN_HAS_PREFIX},
        {"hassuffix", SCAN_HAS_SUFFIX},
        {"hassuffix_cs", SCAN_HAS_SUFFIX},
        {"endswith", SCAN_HAS_SUFFIX},
        {"endswith_cs", SCAN_HAS_SUFFIX},
        {"contains", SCAN_CONTAINS},
        {"contains_cs", SCAN_CONTAINS},
    };
    for (size_t i = 0; i < COUNT_OF(OPS); i++) {
        if (strcmp(name, OPS[i].name) == 0) {
            *op = OPS[i].op;
            return true;
        }
    }
    return false;
}

// The expression whose text is looked into: tostring(x) is the text of x.
static const Expr *
searched(const Expr *expr)
{
    return is_call(expr, "tostring") && expr->arg_count == 1 ? expr->args[0] : expr;
}

// The texts that are looked for: constants, or the texts in a constant array.
static bool
collect_needles(const Collector *c, const Expr *expr, ValueList *needles)
{
    for (uint32_t i = 1; i < expr->arg_count; i++) {
        const Expr *item = expr->args[i];
        if (!is_given(item) || !type_is_text(item->type))
            return false;
        if (item->type == TYPE_STRING) {
            ARRAY_PUSH(c->arena, needles, item->value);
            continue;
        }
        Dyn array = dyn_of_text(&item->value.text);
        if (dyn_kind(array) != DYN_ARRAY)
            return false;
        for (uint32_t k = 0; k < dyn_count(array); k++) {
            Dyn text = dyn_at(array, k);
            if (dyn_kind(text) != DYN_STRING)
                return false;
            ARRAY_PUSH(c->arena, needles, value_string(dyn_string(text)));
        }
    }
    return true;
}

static bool
collect_text(const Collector *c, PredicateList *list, const Expr *expr, ScanOp op)
{
    const Expr *text = searched(expr->args[0]);
    ValueList needles = {0};
    if (text->kind != EXPR_COLUMN || !collect_needles(c, expr, &needles))
        return false;
    if (strcmp(expr->fn->name, "has_all") != 0) {
        add(c, list, text->column, op, needles.items, (uint32_t)needles.len);
        return true;
    }
    for (size_t i = 0; i < needles.len; i++)
        add(c, list, text->column, op, &needles.items[i], 1);
    return needles.len > 0;
}

// Whether the test is of the empty text, which a null has, for one that is not: never
// true. So are tests of columns that a table of a union lacks.
bool
condition_is_hopeless(const Expr *expr)
{
    ScanOp op;
    if (expr->kind != EXPR_CALL || expr->arg_count != 2 || !text_op(expr->fn->name, &op))
        return false;
    const Expr *text = searched(expr->args[0]), *needle = expr->args[1];
    bool empty =
        text->kind == EXPR_CONST &&
        (text->value.is_null || (text->type == TYPE_STRING && !text_str(&text->value.text).len));
    return empty && is_given(needle) && needle->type == TYPE_STRING &&
           text_str(&needle->value.text).len;
}

// ---- and, or ----

// One side of an `or` as a part of SCAN_ANY.
static bool
collect_side(const Collector *c, PredicateList *parts, const Expr *expr)
{
    if ((c->rules & OPTIMISE_TEXT_PREDICATES) && condition_is_hopeless(expr))
        return true; // a or false = a
    if (is_call(expr, "or"))
        return collect_side(c, parts, expr->args[0]) && collect_side(c, parts, expr->args[1]);
    PredicateList side = {0};
    if (!collect(c, &side, expr))
        return false;
    ScanPredicate part = side.items[0];
    if (side.len > 1)
        part =
            (ScanPredicate){.op = SCAN_ALL, .parts = side.items, .part_count = (uint32_t)side.len};
    ARRAY_PUSH(c->arena, parts, part);
    return true;
}

// What follows from the condition, as predicates that must all hold; false when nothing does.
static bool
collect(const Collector *c, PredicateList *list, const Expr *expr)
{
    ScanOp op;
    if (expr->kind != EXPR_CALL)
        return false;
    const char *name = expr->fn->name;
    if (strcmp(name, "and") == 0) {
        bool left = collect(c, list, expr->args[0]);
        return collect(c, list, expr->args[1]) || left;
    }
    if (strcmp(name, "or") == 0) {
        PredicateList parts = {0};
        if (!(c->rules & OPTIMISE_ANY_PREDICATES) || !collect_side(c, &parts, expr))
            return false;
        ScanPredicate any = {
            .op = SCAN_ANY, .parts = parts.items, .part_count = (uint32_t)parts.len};
        ARRAY_PUSH(c->arena, list, any);
        return true;
    }
    if (strcmp(name, "in") == 0)
        return collect_in(c, list, expr, SCAN_IN);
    if (strcmp(name, "between") == 0)
        return collect_between(c, list, expr);
    if (!(c->rules & OPTIMISE_TEXT_PREDICATES))
        return collect_comparison(c, list, expr);
    if (strcmp(name, "in~") == 0)
        return collect_in(c, list, expr, SCAN_IN_CI);
    if (text_op(name, &op))
        return collect_text(c, list, expr, op);
    return collect_comparison(c, list, expr);
}

bool
condition_predicate(Arena *arena, const Plan *scan, const Expr *condition, ScanPredicate *out)
{
    Collector c = {arena, scan->scan.predicate_rules, scan};
    PredicateList list = {0};
    if (!(c.rules & OPTIMISE_ANY_PREDICATES) || !collect(&c, &list, condition))
        return false;
    *out = list.items[0];
    if (list.len > 1)
        *out =
            (ScanPredicate){.op = SCAN_ALL, .parts = list.items, .part_count = (uint32_t)list.len};
    return true;
}

void
plan_scan_predicates(Arena *arena, Plan *plan, uint32_t rules)
{
    if (plan->kind == PLAN_FILTER) {
        PredicateList list = {0};
        Plan *scan = plan->input;
        for (const Plan *at = plan; at->kind == PLAN_FILTER; at = at->input)
            scan = at->input;
        if (scan->kind == PLAN_SCAN) {
            Collector c = {arena, rules, scan};
            for (const Plan *at = plan; at->kind == PLAN_FILTER; at = at->input)
                collect(&c, &list, at->filter.predicate);
            if (list.len) {
                scan->scan.predicate_rules = rules;
                scan->scan.predicates = list.items;
                scan->scan.predicate_count = (uint32_t)list.len;
            }
            return;
        }
    }
    if (plan->input)
        plan_scan_predicates(arena, plan->input, rules);
    if (plan->kind == PLAN_JOIN)
        plan_scan_predicates(arena, plan->join.right, rules);
    for (uint32_t i = 0; plan->kind == PLAN_UNION && i < plan->union_.count; i++)
        plan_scan_predicates(arena, plan->union_.inputs[i], rules);
}
