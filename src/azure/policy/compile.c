// Definitions: from JSON to a program, and bindings of their parameters.

#include "azure/policy/program.h"

#include "azure/arm.h"
#include "value/json.h"

#include <string.h>

static const struct {
    const char *name;
    PolicyEffect effect;
} EFFECTS[] = {
    {"disabled", EFFECT_DISABLED},
    {"append", EFFECT_APPEND},
    {"modify", EFFECT_MODIFY},
    {"deny", EFFECT_DENY},
    {"audit", EFFECT_AUDIT},
    {"manual", EFFECT_MANUAL},
    {"auditIfNotExists", EFFECT_AUDIT_IF_NOT_EXISTS},
    {"deployIfNotExists", EFFECT_DEPLOY_IF_NOT_EXISTS},
    {"denyAction", EFFECT_DENY_ACTION},
    {"mutate", EFFECT_PROVIDER},
    {"addToNetworkGroup", EFFECT_PROVIDER},
    {"enforceRegoPolicy", EFFECT_PROVIDER},
    {"enforceOPAConstraint", EFFECT_PROVIDER},
    {"enforceSetting", EFFECT_PROVIDER},
    {"auditAction", EFFECT_PROVIDER},
    {"none", EFFECT_PROVIDER},
};

PolicyEffect
policy_effect_of(Str name)
{
    for (size_t i = 0; i < sizeof EFFECTS / sizeof EFFECTS[0]; i++)
        if (str_equal_ci(name, str_from(EFFECTS[i].name)))
            return EFFECTS[i].effect;
    return EFFECT_INVALID;
}

const char *
policy_effect_name(PolicyEffect effect)
{
    for (size_t i = 0; i < sizeof EFFECTS / sizeof EFFECTS[0]; i++)
        if (EFFECTS[i].effect == effect && effect != EFFECT_PROVIDER)
            return EFFECTS[i].name;
    return effect == EFFECT_PROVIDER ? "provider" : "invalid";
}

static bool
fail(Compiler *compiler, AzCode code, const char *what)
{
    if (!compiler->error || !compiler->error->code)
        error_set(compiler->error, code, "%s", what);
    return false;
}

static void
read_mode(PolicyDefinition *definition, Dyn body)
{
    Dyn mode = dyn_get_ci(body, STR("mode"));
    definition->mode_text = dyn_string(mode);
    bool is_static = str_equal_ci(dyn_string(dyn_get_ci(body, STR("policyType"))), STR("Static"));
    if (is_static || (mode.ptr && dyn_kind(mode) == DYN_NULL))
        definition->mode = MODE_STATIC;
    else if (str_equal_ci(definition->mode_text, STR("All")))
        definition->mode = MODE_ALL;
    else if (str_starts(definition->mode_text, STR("Microsoft.")))
        definition->mode = MODE_PROVIDER;
}

static PolicyExpr *
compile_member(Compiler *compiler, Dyn object, const char *name)
{
    Dyn found = dyn_get_ci(object, str_from(name));
    if (!found.ptr)
        return NULL;
    PolicyValue json = policy_value_of(found);
    return expr_compile(compiler, &json);
}

// Whether an alias may be the target of modify; said of literal names only.
static bool
check_modifiable(Compiler *compiler, const PolicyExpr *field)
{
    if (field->kind != EXPR_LITERAL || field->literal.kind != POLICY_STRING)
        return true;
    const PolicyField *target =
        field_parse(compiler->arena, compiler->options, field->literal.text, NULL);
    if (target->kind != FIELD_ALIAS)
        return true;
    for (uint32_t i = 0; i < target->target_count; i++)
        if (target->targets[i].modifiable != MODIFIABLE_NO)
            return true;
    error_set(compiler->error, AZ_SEMANTIC,
              "modify cannot change '%.*s': the alias is not modifiable", STR_ARG(target->name));
    return false;
}

static bool
compile_operations(Compiler *compiler, PolicyDefinition *definition, Dyn list, bool modify,
                   PolicyExpr **out)
{
    static const Str NAMES[] = {STR_INIT("operation"), STR_INIT("field"), STR_INIT("value"),
                                STR_INIT("condition")};
    if (dyn_kind(list) != DYN_ARRAY)
        return fail(compiler, AZ_SYNTAX, "append and modify take an array of operations");
    uint32_t count = dyn_count(list);
    definition->operations = ARENA_ARRAY(compiler->arena, PolicyOperation, count);
    definition->operation_count = count;
    PolicyExpr *array = ARENA_NEW(compiler->arena, PolicyExpr);
    array->kind = EXPR_ARRAY;
    array->count = count;
    array->args = ARENA_ARRAY(compiler->arena, PolicyExpr *, count);
    for (uint32_t i = 0; i < count; i++) {
        Dyn item = dyn_at(list, i), condition = dyn_get_ci(item, STR("condition"));
        PolicyOperation *operation = &definition->operations[i];
        operation->operation =
            modify ? dyn_string(dyn_get_ci(item, STR("operation"))) : STR("append");
        operation->field = compile_member(compiler, item, "field");
        operation->value = compile_member(compiler, item, "value");
        operation->condition = compile_member(compiler, item, "condition");
        if (compiler->error && compiler->error->code)
            return false;
        if (!operation->field || !operation->operation.len)
            return fail(compiler, AZ_SYNTAX, "an operation names a field and what to do");
        if (modify && !check_modifiable(compiler, operation->field))
            return false;
        PolicyExpr *parts[4] = {
            modify ? expr_literal(compiler->arena, policy_text(operation->operation)) : NULL,
            operation->field, operation->value,
            operation->condition ? expr_literal(compiler->arena, policy_value_of(condition))
                                 : NULL};
        PolicyExpr *object = ARENA_NEW(compiler->arena, PolicyExpr);
        object->kind = EXPR_OBJECT;
        object->args = ARENA_ARRAY(compiler->arena, PolicyExpr *, 4);
        object->keys = ARENA_ARRAY(compiler->arena, Str, 4);
        for (int k = 0; k < 4; k++) {
            if (!parts[k])
                continue;
            object->keys[object->count] = NAMES[k];
            object->args[object->count++] = parts[k];
        }
        array->args[i] = object;
    }
    *out = array;
    return true;
}

// The details but for what is no value of this language: the condition and the template.
static bool
compile_details(Compiler *compiler, PolicyDefinition *definition)
{
    Dyn details = definition->details;
    PolicyExpr *operations = NULL;
    if (dyn_kind(details) == DYN_ARRAY)
        return compile_operations(compiler, definition, details, false, &definition->details_expr);
    Dyn list = dyn_get_ci(details, STR("operations"));
    if (list.ptr && !compile_operations(compiler, definition, list, true, &operations))
        return false;
    PolicyExpr *object = ARENA_NEW(compiler->arena, PolicyExpr);
    object->kind = EXPR_OBJECT;
    uint32_t count = dyn_count(details);
    object->args = ARENA_ARRAY(compiler->arena, PolicyExpr *, count);
    object->keys = ARENA_ARRAY(compiler->arena, Str, count);
    for (uint32_t i = 0; i < count; i++) {
        Str key = dyn_key_at(details, i);
        if (str_equal_ci(key, STR("existenceCondition")) || str_equal_ci(key, STR("deployment")))
            continue;
        PolicyValue json = policy_value_of(dyn_at(details, i));
        PolicyExpr *value = operations && str_equal_ci(key, STR("operations"))
                                ? operations
                                : expr_compile(compiler, &json);
        if (!value)
            return false;
        object->keys[object->count] = key;
        object->args[object->count++] = value;
    }
    definition->details_expr = object;
    definition->conflict_effect = compile_member(compiler, details, "conflictEffect");
    definition->default_state = compile_member(compiler, details, "defaultState");
    definition->related_type = compile_member(compiler, details, "type");
    definition->related_name = compile_member(compiler, details, "name");
    definition->related_group = compile_member(compiler, details, "resourceGroupName");
    definition->related_scope = compile_member(compiler, details, "existenceScope");
    Dyn existence = dyn_get_ci(details, STR("existenceCondition"));
    if (existence.ptr && dyn_kind(existence) != DYN_NULL)
        definition->existence = node_compile(compiler, existence);
    return !existence.ptr || dyn_kind(existence) == DYN_NULL || definition->existence;
}

// Which kinds of conditions the `if` has: what applicability looks at.
static void
note_roles(PolicyDefinition *definition, const PolicyNode *node)
{
    if (node->kind <= NODE_NOT) {
        for (uint32_t i = 0; i < node->child_count; i++)
            note_roles(definition, node->children[i]);
        return;
    }
    FieldKind kind = node->kind == NODE_FIELD && node->field ? node->field->kind : FIELD_UNKNOWN;
    if (kind == FIELD_TYPE)
        definition->has_type = true;
    else if (kind == FIELD_NAME || kind == FIELD_FULL_NAME)
        definition->has_name = true;
    else if (kind == FIELD_KIND)
        definition->has_kind = true;
    else
        definition->has_other = true;
}

// A template deployed with the resource's location is no matter for subscriptions either.
static bool
deployment_uses_location(Dyn details)
{
    Dyn properties = dyn_get_ci(dyn_get_ci(details, STR("deployment")), STR("properties"));
    Dyn parameters = dyn_get_ci(properties, STR("parameters"));
    if (!parameters.ptr)
        return false;
    Buffer text = {0};
    dyn_to_json(&text, parameters);
    bool found = str_find(buffer_slice(&text), STR("field('location')")) >= 0;
    buffer_free(&text);
    return found;
}

static bool
compile_rule(Compiler *compiler, PolicyDefinition *definition, Dyn rule)
{
    Dyn condition = dyn_get_ci(rule, STR("if")), then = dyn_get_ci(rule, STR("then"));
    if (!condition.ptr)
        return fail(compiler, AZ_SYNTAX, "the rule has no 'if'");
    if (dyn_kind(then) != DYN_BAG)
        return fail(compiler, AZ_SYNTAX, "the rule has no 'then'");
    definition->condition = node_compile(compiler, condition);
    if (!definition->condition)
        return false;
    note_roles(definition, definition->condition);
    definition->bad_alias = compiler->bad_alias;
    definition->uses_location = compiler->uses_location;
    definition->asks_identity = compiler->asks_identity;
    definition->effect = compile_member(compiler, then, "effect");
    if (!definition->effect)
        return fail(compiler, AZ_SYNTAX, "'then' has no effect");
    const PolicyValue *literal = &definition->effect->literal;
    if (definition->effect->kind == EXPR_LITERAL &&
        (literal->kind != POLICY_STRING || policy_effect_of(literal->text) == EFFECT_INVALID))
        return fail(compiler, AZ_SEMANTIC, "'then' has an effect that does not exist");
    definition->details = dyn_get_ci(then, STR("details"));
    if (dyn_kind(definition->details) != DYN_ARRAY && dyn_kind(definition->details) != DYN_BAG)
        definition->details = (Dyn){0};
    if (definition->details.ptr && !compile_details(compiler, definition))
        return false;
    definition->uses_location |= deployment_uses_location(definition->details);
    return true;
}

static bool
declare_parameters(Compiler *compiler, Dyn declared)
{
    for (uint32_t i = 0; i < dyn_count(declared); i++) {
        bool is_new;
        MapEntry *entry = map_add(&compiler->parameters, dyn_key_at(declared, i), &is_new);
        if (is_new)
            entry->number = compiler->parameters.len;
    }
    return compiler->parameters.len < UINT16_MAX ||
           fail(compiler, AZ_LIMIT, "a definition declares more than 65,534 parameters");
}

PolicyDefinition *
policy_compile(Arena *arena, const PolicyCompileOptions *options, Dyn json, AzError *error)
{
    AzError own = {0}; // the compiler asks whether an error is set
    Dyn body = arm_body(json);
    PolicyDefinition *definition = ARENA_NEW(arena, PolicyDefinition);
    definition->options = arena_copy(arena, options, sizeof(*options));
    definition->display_name = dyn_string(dyn_get_ci(body, STR("displayName")));
    read_mode(definition, body);

    Compiler compiler = {.arena = arena, .options = definition->options, .error = &own};
    map_init(&compiler.parameters, arena, true);
    definition->declared = dyn_get_ci(body, STR("parameters"));
    Dyn rule = dyn_get_ci(body, STR("policyRule"));
    bool done = dyn_kind(rule) == DYN_BAG ||
                fail(&compiler, AZ_SYNTAX, "the definition has no 'policyRule'");
    done = done && declare_parameters(&compiler, definition->declared) &&
           compile_rule(&compiler, definition, rule);
    if (!done || own.code) {
        error_set(error, own.code ? own.code : AZ_SYNTAX, "%s",
                  own.code ? own.message : "the definition cannot be read");
        return NULL;
    }
    definition->parameters = compiler.parameters;
    definition->parameter_count = (uint32_t)compiler.parameters.len;
    definition->parameter_names = ARENA_ARRAY(arena, Str, definition->parameter_count);
    for (uint32_t i = 0; i < definition->parameter_count; i++)
        definition->parameter_names[i] = compiler.parameters.entries[i].key;
    return definition;
}

Str
policy_display_name(const PolicyDefinition *definition)
{
    return definition->display_name;
}
