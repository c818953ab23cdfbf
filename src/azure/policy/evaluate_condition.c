// Conditions on a resource, with a trace of those that decided.

#include "azure/policy/program.h"

#include <stdio.h>
#include <string.h>

bool
eval_fail(Eval *eval, const char *format, ...)
{
    if (!eval->failed) {
        va_list args;
        va_start(args, format);
        eval->why = str_vformat(eval->arena, format, args);
        va_end(args);
        eval->failed = true;
    }
    return false;
}

bool
eval_unknown(Eval *eval, const PolicyValue *value)
{
    if (!eval->met_unknown)
        eval->unknown = value->integer;
    eval->met_unknown = true;
    return eval->assume;
}

// Whether one of the two is not known, and what to take the condition for then.
static bool
is_open(Eval *eval, const PolicyValue *left, const PolicyValue *right, bool *holds)
{
    PolicyValue found;
    if (!eval->context->unknowns ||
        !(policy_has_unknown(left, &found) || policy_has_unknown(right, &found)))
        return false;
    *holds = eval_unknown(eval, &found);
    return true;
}

static void
trace_add(Eval *eval, Str left, const OperatorName *op, const PolicyValue *found,
          const PolicyValue *wanted, bool holds)
{
    Trace *trace = eval->trace;
    if (trace && trace->len < TRACE_LIMIT)
        trace->entries[trace->len++] = (TraceEntry){left, op->name, *found, *wanted, holds};
}

// Keeps of the entries behind `mark` those from `from` on.
static void
trace_keep(Trace *trace, uint32_t mark, uint32_t from)
{
    if (!trace || from <= mark)
        return;
    memmove(&trace->entries[mark], &trace->entries[from],
            (trace->len - from) * sizeof(trace->entries[0]));
    trace->len -= from - mark;
}

// allOf, anyOf: stop at the first that decides; only it is in the trace then.
static bool
group_holds(Eval *eval, const PolicyNode *node, bool *holds)
{
    bool stop = node->kind == NODE_ANY;
    uint32_t mark = eval->trace ? eval->trace->len : 0;
    *holds = !stop;
    for (uint32_t i = 0; i < node->child_count; i++) {
        uint32_t from = eval->trace ? eval->trace->len : 0;
        if (!node_holds(eval, node->children[i], holds))
            return false;
        if (*holds == stop) {
            trace_keep(eval->trace, mark, from);
            return true;
        }
    }
    return true;
}

typedef struct FieldTest {
    Eval *eval;
    const OperatorName *op;
    const PolicyValue *right;
    PolicyValue shown; // the value that decided, else the first
    uint32_t seen;
    bool holds;
} FieldTest;

static bool
test_value(void *context, const PolicyValue *value)
{
    FieldTest *test = context;
    if (!is_open(test->eval, value, test->right, &test->holds))
        test->holds = operator_holds(test->eval->arena, test->op->op, value, test->right) !=
                      test->op->negated;
    if (!test->seen++ || !test->holds)
        test->shown = *value;
    test->eval->steps++;
    return test->holds && test->eval->steps < STEP_LIMIT;
}

static PolicyValue
normalise_location(Arena *arena, const PolicyValue *value)
{
    if (value->kind == POLICY_ARRAY) {
        uint32_t count = policy_count(value);
        PolicyValue *items = arena_alloc_array(arena, count, sizeof(*items));
        for (uint32_t i = 0; i < count; i++) {
            PolicyValue item = policy_at(value, i);
            items[i] = item.kind == POLICY_STRING ? normalise_location(arena, &item) : item;
        }
        return policy_array(items, count);
    }
    if (value->kind != POLICY_STRING ||
        !memchr(value->text.ptr ? value->text.ptr : "", ' ', value->text.len))
        return *value;
    char *out = arena_alloc(arena, value->text.len);
    size_t len = 0;
    for (size_t i = 0; i < value->text.len; i++)
        if (value->text.ptr[i] != ' ')
            out[len++] = value->text.ptr[i];
    return policy_text((Str){out, len});
}

// A field condition holds when it holds for every value that the field selects.
static bool
field_holds(Eval *eval, const PolicyNode *node, bool *holds)
{
    PolicyValue right;
    const PolicyField *field = node->field ? node->field : eval_field(eval, node->left);
    if (!field || !expr_evaluate(eval, node->right, &right))
        return false;
    if (field->kind == FIELD_LOCATION)
        right = normalise_location(eval->arena, &right);
    FieldTest test = {.eval = eval, .op = node->op, .right = &right, .holds = true};
    field_each(eval, eval->resource, field, test_value, &test);
    *holds = test.holds;
    if (!test.seen) // a collection without members
        test.shown = policy_array(NULL, 0);
    if (eval->trace && field->kind != FIELD_TYPE)
        trace_add(eval, field->name, node->op, &test.shown, &right, test.holds);
    return true;
}

static bool
value_holds(Eval *eval, const PolicyNode *node, bool *holds)
{
    PolicyValue left, right;
    if (!expr_evaluate(eval, node->left, &left) || !expr_evaluate(eval, node->right, &right))
        return false;
    if (!is_open(eval, &left, &right, holds))
        *holds = operator_holds(eval->arena, node->op->op, &left, &right) != node->op->negated;
    if (eval->trace)
        trace_add(eval, node->left->source.len ? node->left->source : STR("value"), node->op, &left,
                  &right, *holds);
    return true;
}

// Counting ------------------------------------------------------------------

typedef struct Counting {
    Eval *eval;
    const PolicyNode *node;
    CountScope scope;
    uint64_t count;
    bool good;
    bool open; // it is not known how many members there are
} Counting;

// One member, its value already in the scope.
static bool
count_member(Counting *counting)
{
    Eval *eval = counting->eval;
    bool holds = true;
    if (++eval->steps > STEP_LIMIT) {
        counting->good = eval_fail(eval, "the rule takes more than 20 million steps");
        return false;
    }
    if (counting->node->child_count) {
        Trace *trace = eval->trace;
        eval->trace = NULL;
        eval->scope = &counting->scope;
        counting->good = node_holds(eval, counting->node->children[0], &holds);
        eval->scope = counting->scope.up;
        eval->trace = trace;
    }
    counting->count += counting->good && holds;
    return counting->good;
}

// Visits the members at each star, keeping those passed through in the scope.
static bool
count_walk(Counting *counting, Dyn node, const PolicyPath *path, uint32_t from, uint32_t star)
{
    for (uint32_t i = from; i < path->count; i++) {
        if (dyn_kind(node) == DYN_TIMESPAN) {
            PolicyValue value = policy_value_of(node);
            eval_unknown(counting->eval, &value);
            counting->open = true;
            return true;
        }
        if (!path->segments[i].star) {
            node = dyn_get_ci(node, path->segments[i].key);
            continue;
        }
        uint32_t count = dyn_kind(node) == DYN_ARRAY ? dyn_count(node) : 0;
        for (uint32_t k = 0; k < count; k++) {
            Dyn member = dyn_at(node, k);
            counting->scope.members[star] = member;
            if (!count_walk(counting, member, path, i + 1, star + 1))
                return false;
        }
        return true;
    }
    counting->scope.current = policy_value_of(node);
    return count_member(counting);
}

static bool
count_field(Counting *counting)
{
    Eval *eval = counting->eval;
    const PolicyField *field = counting->node->field;
    const PolicyPath *path = field_path(eval, eval->resource, field);
    if (!path)
        return true;
    Dyn node = eval->resource->body;
    uint32_t from = 0;
    const CountScope *around = field_scope(eval, field);
    if (around) {
        memcpy(counting->scope.members, around->members,
               field->scope_stars * sizeof(counting->scope.members[0]));
        node = around->members[field->scope_stars - 1];
        from = path_after(path, field->scope_stars);
    }
    return count_walk(counting, node, path, from, around ? field->scope_stars : 0);
}

static bool
count_value(Counting *counting)
{
    Eval *eval = counting->eval;
    PolicyValue items;
    if (!expr_evaluate(eval, counting->node->left, &items))
        return false;
    if (items.kind == POLICY_UNKNOWN) {
        eval_unknown(eval, &items);
        counting->open = true;
        return true;
    }
    if (items.kind != POLICY_ARRAY)
        return eval_fail(eval, "the value of a count is no array");
    uint32_t count = policy_count(&items);
    for (uint32_t i = 0; i < count; i++) {
        counting->scope.current = policy_at(&items, i);
        if (!count_member(counting))
            return false;
    }
    return true;
}

static bool
count_once(Eval *eval, const PolicyNode *node, Counting *counting)
{
    *counting = (Counting){.eval = eval, .node = node, .good = true};
    counting->scope.up = eval->scope;
    counting->scope.field = node->field;
    counting->scope.name = node->name;
    return (node->field ? count_field(counting) : count_value(counting)) && counting->good;
}

// Counts between the least and the most there can be: certain when the condition says the same
// of all of them.
static bool
count_open(Eval *eval, const PolicyNode *node, uint64_t least, const PolicyValue *right,
           bool *holds)
{
    enum { SPREAD_LIMIT = 1000 };
    Counting most;
    bool assume = eval->assume;
    eval->assume = true;
    bool done = count_once(eval, node, &most);
    eval->assume = assume;
    if (!done)
        return false;
    bool differs = most.open || most.count - least > SPREAD_LIMIT || right->kind == POLICY_UNKNOWN;
    for (uint64_t count = least; !differs && count <= most.count; count++) {
        PolicyValue left = policy_long((int64_t)count);
        bool one = operator_holds(eval->arena, node->op->op, &left, right) != node->op->negated;
        differs = count > least && one != *holds;
        *holds = one;
    }
    if (differs)
        *holds = assume;
    return true;
}

static bool
count_holds(Eval *eval, const PolicyNode *node, bool *holds)
{
    PolicyValue right;
    Counting counting;
    bool assume = eval->assume, met = eval->met_unknown;
    eval->assume = eval->met_unknown = false;
    bool done = count_once(eval, node, &counting) && expr_evaluate(eval, node->right, &right);
    bool open = eval->met_unknown || (done && right.kind == POLICY_UNKNOWN);
    eval->assume = assume;
    eval->met_unknown |= met;
    if (!done)
        return false;
    PolicyValue left = policy_long((int64_t)counting.count);
    if (!open)
        *holds = operator_holds(eval->arena, node->op->op, &left, &right) != node->op->negated;
    else if (!count_open(eval, node, counting.count, &right, holds))
        return false;
    if (right.kind == POLICY_UNKNOWN)
        eval_unknown(eval, &right);
    if (eval->trace) {
        Str name = node->field ? node->field->name : node->name;
        trace_add(eval, str_format(eval->arena, "count(%.*s)", STR_ARG(name)), node->op, &left,
                  &right, *holds);
    }
    return true;
}

bool
node_holds(Eval *eval, const PolicyNode *node, bool *holds)
{
    if (++eval->steps > STEP_LIMIT)
        return eval_fail(eval, "the rule takes more than 20 million steps");
    switch (node->kind) {
    case NODE_ALL:
    case NODE_ANY: return group_holds(eval, node, holds);
    case NODE_NOT: {
        eval->assume = !eval->assume;
        bool done = node_holds(eval, node->children[0], holds);
        eval->assume = !eval->assume;
        *holds = !*holds;
        return done;
    }
    case NODE_FIELD: return field_holds(eval, node, holds);
    case NODE_VALUE: return value_holds(eval, node, holds);
    case NODE_COUNT_FIELD:
    case NODE_COUNT_VALUE: return count_holds(eval, node, holds);
    }
    return false;
}

bool
node_applies(Eval *eval, const PolicyNode *node, ApplicabilityView view, bool negated,
             bool *applies)
{
    FieldKind kind = FIELD_UNKNOWN;
    switch (node->kind) {
    case NODE_ALL:
    case NODE_ANY:
        *applies = node->kind == NODE_ALL;
        for (uint32_t i = 0; i < node->child_count; i++) {
            if (!node_applies(eval, node->children[i], view, negated, applies))
                return false;
            if (*applies == (node->kind == NODE_ANY))
                return true;
        }
        return true;
    case NODE_NOT: {
        eval->assume = !eval->assume;
        bool done = node_applies(eval, node->children[0], view, !negated, applies);
        eval->assume = !eval->assume;
        *applies = !*applies;
        return done;
    }
    case NODE_FIELD: kind = node->field ? node->field->kind : FIELD_UNKNOWN; break;
    default: break;
    }
    bool looked_at = (kind == FIELD_TYPE && view.type) || (kind == FIELD_KIND && view.kind) ||
                     ((kind == FIELD_NAME || kind == FIELD_FULL_NAME) && view.name);
    if (looked_at)
        return field_holds(eval, node, applies);
    *applies = !negated;
    return true;
}
