// Conditions: the `if` of a rule, a `where`, an existenceCondition, from JSON to nodes.

#include "azure/policy/program.h"

#include <string.h>

enum { CONDITION_LIMIT = 4096, DEPTH_LIMIT = 64 };

static PolicyNode *
fail(Compiler *compiler, AzCode code, const char *what, Str detail)
{
    if (!compiler->error || !compiler->error->code)
        error_set(compiler->error, code, "condition %u: %s%s%.*s%s", compiler->conditions, what,
                  detail.len ? " '" : "", (int)(detail.len < 200 ? detail.len : 200),
                  detail.len ? detail.ptr : "", detail.len ? "'" : "");
    return NULL;
}

static PolicyNode *
compile_list(Compiler *compiler, NodeKind kind, Dyn list)
{
    if (dyn_kind(list) != DYN_ARRAY)
        return fail(compiler, AZ_SYNTAX, "allOf and anyOf take an array of conditions", (Str){0});
    PolicyNode *node = ARENA_NEW(compiler->arena, PolicyNode);
    node->kind = kind;
    node->child_count = dyn_count(list);
    node->children = ARENA_ARRAY(compiler->arena, PolicyNode *, node->child_count);
    for (uint32_t i = 0; i < node->child_count; i++) {
        node->children[i] = node_compile(compiler, dyn_at(list, i));
        if (!node->children[i])
            return NULL;
    }
    return node;
}

static PolicyNode *
compile_not(Compiler *compiler, Dyn inner)
{
    PolicyNode *node = ARENA_NEW(compiler->arena, PolicyNode);
    node->kind = NODE_NOT;
    node->child_count = 1;
    node->children = ARENA_ARRAY(compiler->arena, PolicyNode *, 1);
    node->children[0] = node_compile(compiler, inner);
    return node->children[0] ? node : NULL;
}

static bool
compile_field_name(Compiler *compiler, PolicyNode *node, Dyn name)
{
    PolicyValue value = policy_value_of(name);
    if (value.kind != POLICY_STRING || !value.text.len) {
        fail(compiler, AZ_SYNTAX, "'field' takes the name of a field", (Str){0});
        return false;
    }
    if (expr_is_expression(&value)) {
        node->left = expr_compile(compiler, &value);
        return node->left != NULL;
    }
    node->field = compile_field(compiler, value.text);
    return true;
}

static bool
compile_where(Compiler *compiler, PolicyNode *node, Dyn where)
{
    if (!where.ptr)
        return true;
    if (compiler->scope_count == COUNT_LIMIT) {
        fail(compiler, AZ_SYNTAX, "counts nest at most 32 deep", (Str){0});
        return false;
    }
    compiler->scopes[compiler->scope_count] = node->field;
    compiler->scope_names[compiler->scope_count++] = node->name;
    node->child_count = 1;
    node->children = ARENA_ARRAY(compiler->arena, PolicyNode *, 1);
    node->children[0] = node_compile(compiler, where);
    compiler->scope_count--;
    return node->children[0] != NULL;
}

static bool
compile_count(Compiler *compiler, PolicyNode *node, Dyn count)
{
    Dyn field = dyn_get_ci(count, STR("field")), value = dyn_get_ci(count, STR("value"));
    Dyn name = dyn_get_ci(count, STR("name"));
    const char *wrong = NULL;
    if (dyn_kind(count) != DYN_BAG || (field.ptr != NULL) == (value.ptr != NULL))
        wrong = "'count' takes either 'field' or 'value'";
    else if (field.ptr && name.ptr)
        wrong = "'name' belongs to a count of a value, not of a field";
    else if (name.ptr && dyn_kind(name) != DYN_STRING)
        wrong = "the 'name' of a count is a text";
    if (wrong) {
        fail(compiler, AZ_SYNTAX, wrong, (Str){0});
        return false;
    }
    if (field.ptr) {
        node->kind = NODE_COUNT_FIELD;
        if (!compile_field_name(compiler, node, field))
            return false;
        if (!node->field || (!node->field->stars && node->field->kind != FIELD_UNKNOWN)) {
            fail(compiler, AZ_SYNTAX, "a counted field is an array alias with [*]",
                 dyn_string(field));
            return false;
        }
    } else {
        node->kind = NODE_COUNT_VALUE;
        PolicyValue items = policy_value_of(value);
        node->name = name.ptr ? dyn_string(name) : STR("default");
        node->left = expr_compile(compiler, &items);
        if (!node->left)
            return false;
    }
    return compile_where(compiler, node, dyn_get_ci(count, STR("where")));
}

// Its one operator.
static bool
compile_operator(Compiler *compiler, PolicyNode *node, Dyn json)
{
    for (uint32_t i = 0; i < dyn_count(json); i++) {
        Str key = dyn_key_at(json, i);
        const OperatorName *op = condition_operator(key);
        if (!op) {
            if (str_equal_ci(key, STR("field")) || str_equal_ci(key, STR("value")) ||
                str_equal_ci(key, STR("count")))
                continue;
            fail(compiler, AZ_SYNTAX, "there is no operator", key);
            return false;
        }
        if (node->op) {
            fail(compiler, AZ_SYNTAX, "a condition has one operator; this is a second one", key);
            return false;
        }
        node->op = op;
        PolicyValue right = policy_value_of(dyn_at(json, i));
        node->right = expr_compile(compiler, &right);
        if (!node->right)
            return false;
    }
    if (!node->op)
        fail(compiler, AZ_SYNTAX, "the operator is missing (equals, in, exists, ...)", (Str){0});
    return node->op != NULL;
}

static PolicyNode *
compile_leaf(Compiler *compiler, Dyn json)
{
    Dyn field = dyn_get_ci(json, STR("field")), value = dyn_get_ci(json, STR("value"));
    Dyn count = dyn_get_ci(json, STR("count"));
    if ((field.ptr != NULL) + (value.ptr != NULL) + (count.ptr != NULL) != 1)
        return fail(compiler, AZ_SYNTAX,
                    "a condition has exactly one of field, value, count, allOf, anyOf and not",
                    (Str){0});
    PolicyNode *node = ARENA_NEW(compiler->arena, PolicyNode);
    bool good;
    if (field.ptr) {
        node->kind = NODE_FIELD;
        good = compile_field_name(compiler, node, field);
    } else if (value.ptr) {
        PolicyValue left = policy_value_of(value);
        node->kind = NODE_VALUE;
        node->left = expr_compile(compiler, &left);
        good = node->left != NULL;
    } else {
        good = compile_count(compiler, node, count);
    }
    return good && compile_operator(compiler, node, json) ? node : NULL;
}

PolicyNode *
node_compile(Compiler *compiler, Dyn json)
{
    if (dyn_kind(json) != DYN_BAG || !dyn_count(json))
        return fail(compiler, AZ_SYNTAX, "a condition is an object", (Str){0});
    if (++compiler->conditions > CONDITION_LIMIT)
        return fail(compiler, AZ_SYNTAX, "a rule has at most 4,096 conditions", (Str){0});
    if (++compiler->depth > DEPTH_LIMIT)
        return fail(compiler, AZ_SYNTAX, "conditions nest at most 64 deep", (Str){0});
    static const struct {
        Str name;
        NodeKind kind;
    } GROUPS[] = {
        {STR_INIT("allOf"), NODE_ALL}, {STR_INIT("anyOf"), NODE_ANY}, {STR_INIT("not"), NODE_NOT}};
    PolicyNode *node = NULL;
    bool group = false;
    for (size_t i = 0; i < sizeof GROUPS / sizeof GROUPS[0] && !group; i++) {
        Dyn inner = dyn_get_ci(json, GROUPS[i].name);
        group = inner.ptr != NULL;
        if (group && dyn_count(json) != 1)
            return fail(compiler, AZ_SYNTAX, "nothing else may stand beside", GROUPS[i].name);
        if (group)
            node = GROUPS[i].kind == NODE_NOT ? compile_not(compiler, inner)
                                              : compile_list(compiler, GROUPS[i].kind, inner);
    }
    if (!group)
        node = compile_leaf(compiler, json);
    compiler->depth--;
    return node;
}
