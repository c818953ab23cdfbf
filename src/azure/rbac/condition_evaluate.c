// Evaluation of conditions in three-valued logic (Kleene's): what hangs on an attribute
// nobody knows is unknown, unless the rest decides alone.
//
// A comparison with an attribute that is known to be missing is false, also when the
// operator is one of Not; Exists is the way to ask. Several values are taken by the
// quantifier; without one, any value of the left against any of the right.

#include "azure/rbac/condition_internal.h"

#include "base/array.h"
#include "base/glob.h"
#include "value/scalar.h"

typedef struct Evaluation {
    Arena *arena;
    const ConditionContext *context;
    AttributeList *unknown;
} Evaluation;

typedef struct Values {
    Tristate known; // FALSE: missing; UNKNOWN: not given
    const ConditionValue *items;
    uint32_t count;
} Values;

static void
note_unknown(Evaluation *e, Str written)
{
    if (!e->unknown)
        return;
    for (size_t i = 0; i < e->unknown->len; i++)
        if (str_equal_ci(e->unknown->items[i], written))
            return;
    ARRAY_PUSH(e->arena, e->unknown, written);
}

static ConditionValue
value_of_node(Arena *arena, Dyn found)
{
    ConditionValue value = {0};
    Buffer text = {0};
    dyn_to_text(&text, found);
    value.text = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    DynKind kind = dyn_kind(found);
    if (kind == DYN_LONG) {
        value.is_number = true;
        value.number = dyn_long(found);
    } else if (kind == DYN_STRING) {
        value.is_number = value.text.len && long_parse(value.text, &value.number);
    }
    return value;
}

// An attribute's values. A text that stands for a list of custom security attributes, or
// any other list, comes as an array.
static Values
attribute_values(Evaluation *e, const ConditionOperand *operand)
{
    const ConditionContext *context = e->context;
    Dyn found = dyn_get_ci(context->attributes[operand->source], operand->name);
    if (!found.ptr) {
        if (context->complete[operand->source])
            return (Values){.known = TRI_FALSE};
        note_unknown(e, operand->written);
        return (Values){.known = TRI_UNKNOWN};
    }
    bool is_list = dyn_kind(found) == DYN_ARRAY;
    uint32_t count = is_list ? dyn_count(found) : 1;
    ConditionValue *items = ARENA_ARRAY(e->arena, ConditionValue, count);
    for (uint32_t i = 0; i < count; i++)
        items[i] = value_of_node(e->arena, is_list ? dyn_at(found, i) : found);
    return (Values){TRI_TRUE, items, count};
}

static Values
operand_values(Evaluation *e, const ConditionOperand *operand)
{
    if (operand->is_attribute)
        return attribute_values(e, operand);
    return (Values){TRI_TRUE, operand->values, operand->value_count};
}

static bool
holds_order(CompareRelation relation, int order)
{
    switch (relation) {
    case RELATION_EQUALS: return order == 0;
    case RELATION_LESS: return order < 0;
    case RELATION_LESS_EQUALS: return order <= 0;
    case RELATION_GREATER: return order > 0;
    case RELATION_GREATER_EQUALS: return order >= 0;
    case RELATION_STARTS_WITH:
    case RELATION_LIKE: break;
    }
    return false;
}

static bool
compare_strings(const CompareOperator *op, Str a, Str b)
{
    switch (op->relation) {
    case RELATION_LIKE:
        return glob_match(b, a, GLOB_QUESTION | (op->ignore_case ? GLOB_IGNORE_CASE : 0u));
    case RELATION_STARTS_WITH: a = str_slice(a, 0, b.len); __attribute__((fallthrough));
    default: return op->ignore_case ? str_equal_ci(a, b) : str_equal(a, b);
    }
}

// One value against one value. What cannot be read as the operator's type does not match,
// and Not does not turn that into a match.
static bool
compare_pair(const CompareOperator *op, const ConditionValue *a, const ConditionValue *b)
{
    bool holds = false;
    switch (op->type) {
    case COMPARE_STRING: holds = compare_strings(op, a->text, b->text); break;
    case COMPARE_NUMERIC:
        if (!a->is_number || !b->is_number)
            return false;
        holds = holds_order(op->relation, (a->number > b->number) - (a->number < b->number));
        break;
    case COMPARE_DATETIME: {
        int64_t x, y;
        if (!datetime_parse(a->text, &x) || !datetime_parse(b->text, &y))
            return false;
        holds = holds_order(op->relation, (x > y) - (x < y));
        break;
    }
    case COMPARE_GUID: {
        // Names stand for GUIDs in test data and in Lighthouse: compared as texts then.
        Guid x, y;
        bool both = guid_parse(a->text, &x) && guid_parse(b->text, &y);
        holds = both ? !memcmp(&x, &y, sizeof x) : str_equal_ci(a->text, b->text);
        break;
    }
    case COMPARE_BOOL: {
        bool x, y;
        if (!bool_parse(a->text, &x) || !bool_parse(b->text, &y))
            return false;
        holds = x == y;
        break;
    }
    }
    return holds != op->negated;
}

static bool
left_matches(const CompareOperator *op, const ConditionValue *left, const Values *right)
{
    for (uint32_t i = 0; i < right->count; i++)
        if (compare_pair(op, left, &right->items[i]) != op->all_right)
            return !op->all_right;
    return op->all_right;
}

static Tristate
evaluate_compare(Evaluation *e, const Condition *condition)
{
    Values a = operand_values(e, &condition->a), b = operand_values(e, &condition->b);
    if (a.known == TRI_FALSE || b.known == TRI_FALSE)
        return TRI_FALSE;
    if (a.known == TRI_UNKNOWN || b.known == TRI_UNKNOWN)
        return TRI_UNKNOWN;
    const CompareOperator *op = &condition->compare;
    for (uint32_t i = 0; i < a.count; i++)
        if (left_matches(op, &a.items[i], &b) != op->all_left)
            return op->all_left ? TRI_FALSE : TRI_TRUE;
    return op->all_left ? TRI_TRUE : TRI_FALSE;
}

static Tristate
of_bool(bool value)
{
    return value ? TRI_TRUE : TRI_FALSE;
}

static Tristate
evaluate(Evaluation *e, const Condition *condition)
{
    switch (condition->kind) {
    case CONDITION_AND:
    case CONDITION_OR: {
        Tristate decides = of_bool(condition->kind == CONDITION_OR);
        Tristate left = evaluate(e, condition->left);
        if (left == decides)
            return left;
        Tristate right = evaluate(e, condition->right);
        return right == decides || left == right ? right : TRI_UNKNOWN;
    }
    case CONDITION_NOT: {
        Tristate inner = evaluate(e, condition->left);
        return inner == TRI_UNKNOWN ? inner : of_bool(inner == TRI_FALSE);
    }
    case CONDITION_ACTION_MATCHES:
        return of_bool(action_matches(condition->pattern, e->context->action, e->context->star));
    case CONDITION_SUB_OPERATION_MATCHES:
        return of_bool(
            action_matches(condition->pattern, e->context->sub_operation, e->context->star));
    case CONDITION_EXISTS: return attribute_values(e, &condition->a).known;
    case CONDITION_COMPARE: return evaluate_compare(e, condition);
    }
    return TRI_UNKNOWN;
}

Tristate
condition_evaluate(Arena *arena, const Condition *condition, const ConditionContext *context,
                   AttributeList *unknown)
{
    // What was unknown on the way to an answer that is known does not matter.
    AttributeList met = {0};
    Evaluation e = {arena, context, &met};
    Tristate answer = evaluate(&e, condition);
    for (size_t i = 0; unknown && answer == TRI_UNKNOWN && i < met.len; i++) {
        e.unknown = unknown;
        note_unknown(&e, met.items[i]);
    }
    return answer;
}
