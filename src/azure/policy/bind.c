// Bindings: a definition with values for its parameters.

#include "azure/policy/program.h"

#include "value/scalar.h"

// What is given for a parameter: bare, or as {"value": ...}.
static bool
given_value(const PolicyValue *given, Str name, PolicyValue *out)
{
    PolicyValue inner;
    if (!given || !policy_get(given, name, out))
        return false;
    if (out->kind == POLICY_OBJECT && policy_count(out) == 1 &&
        policy_get(out, STR("value"), &inner))
        *out = inner;
    return true;
}

static bool
fits_type(const PolicyValue *value, Str type)
{
    if (str_equal_ci(type, STR("string")) || str_equal_ci(type, STR("dateTime")))
        return value->kind == POLICY_STRING;
    if (str_equal_ci(type, STR("array")))
        return value->kind == POLICY_ARRAY;
    if (str_equal_ci(type, STR("object")))
        return value->kind == POLICY_OBJECT;
    if (str_equal_ci(type, STR("boolean")))
        return value->kind == POLICY_BOOL ||
               (value->kind == POLICY_STRING && (str_equal_ci(value->text, STR("true")) ||
                                                 str_equal_ci(value->text, STR("false"))));
    if (str_equal_ci(type, STR("integer")) || str_equal_ci(type, STR("float"))) {
        double number;
        return policy_is_number(value) ||
               (value->kind == POLICY_STRING && real_parse(value->text, &number));
    }
    return true;
}

static bool
is_allowed(const PolicyValue *value, const PolicyValue *allowed)
{
    for (uint32_t i = 0; i < policy_count(allowed); i++) {
        PolicyValue one = policy_at(allowed, i);
        if (policy_value_equal(value, &one))
            return true;
    }
    return false;
}

// allowedValues of an array parameter are those of its members.
static bool
check_value(Str name, Dyn declaration, const PolicyValue *value, AzError *error)
{
    Dyn type = dyn_get_ci(declaration, STR("type"));
    Str wanted = dyn_string(type);
    if (!fits_type(value, wanted))
        return error_set(error, AZ_INVALID, "the parameter '%.*s' takes a value of type %.*s",
                         STR_ARG(name), STR_ARG(wanted));
    PolicyValue allowed = policy_value_of(dyn_get_ci(declaration, STR("allowedValues")));
    if (allowed.kind != POLICY_ARRAY || !policy_count(&allowed) || is_allowed(value, &allowed))
        return true;
    bool all = value->kind == POLICY_ARRAY;
    for (uint32_t i = 0; all && i < policy_count(value); i++) {
        PolicyValue one = policy_at(value, i);
        all = is_allowed(&one, &allowed);
    }
    return all || error_set(error, AZ_INVALID,
                            "the value of the parameter '%.*s' is none of its allowedValues",
                            STR_ARG(name));
}

// An expression of an initiative's member, with the initiative's parameters.
static bool
evaluate_given(Arena *arena, const PolicyValue *initiative, PolicyValue *value, AzError *error)
{
    const PolicyCompileOptions options = {.open_parameters = true};
    AzError own = {0};
    Compiler compiler = {.arena = arena, .options = &options, .error = &own};
    map_init(&compiler.parameters, arena, true);
    PolicyExpr *expr = expr_compile(&compiler, value);
    if (!expr)
        return error_set(error, AZ_SYNTAX, "%s", own.message);
    uint32_t count = (uint32_t)compiler.parameters.len;
    PolicyDefinition definition = {.options = &options, .parameters = compiler.parameters};
    definition.parameter_names = ARENA_ARRAY(arena, Str, count);
    PolicyBinding binding = {.definition = &definition,
                             .values = ARENA_ARRAY(arena, PolicyValue, count),
                             .bound = ARENA_ARRAY(arena, bool, count)};
    for (uint32_t i = 0; i < count; i++) {
        definition.parameter_names[i] = compiler.parameters.entries[i].key;
        binding.bound[i] =
            given_value(initiative, definition.parameter_names[i], &binding.values[i]);
    }
    const PolicyContext context = {.now = 0};
    Eval eval = {.arena = arena, .binding = &binding, .context = &context};
    return expr_evaluate(&eval, expr, value) ||
           error_set(error, AZ_INVALID, "%.*s", STR_ARG(eval.why));
}

static void
resolve_effect(Arena *arena, PolicyBinding *binding)
{
    const PolicyContext context = {.now = 0};
    Eval eval = {.arena = arena, .binding = binding, .context = &context};
    PolicyValue value;
    binding->effect = EFFECT_INVALID;
    if (!expr_evaluate(&eval, binding->definition->effect, &value) || value.kind != POLICY_STRING)
        return;
    binding->effect_text = value.text;
    binding->effect = policy_effect_of(value.text);
}

PolicyBinding *
policy_bind(Arena *arena, const PolicyDefinition *definition, const PolicyValue *given,
            const PolicyValue *initiative, AzError *error)
{
    uint32_t count = definition->parameter_count;
    PolicyBinding *binding = ARENA_NEW(arena, PolicyBinding);
    binding->definition = definition;
    binding->values = ARENA_ARRAY(arena, PolicyValue, count);
    binding->bound = ARENA_ARRAY(arena, bool, count);
    for (uint32_t i = 0; i < count; i++) {
        Str name = definition->parameter_names[i];
        Dyn declaration = dyn_get_ci(definition->declared, name);
        PolicyValue *value = &binding->values[i];
        if (given_value(given, name, value)) {
            if (initiative && !evaluate_given(arena, initiative, value, error))
                return NULL;
            if (declaration.ptr && !check_value(name, declaration, value, error))
                return NULL;
            binding->bound[i] = true;
            continue;
        }
        Dyn standard = dyn_get_ci(declaration, STR("defaultValue"));
        *value = policy_value_of(standard);
        binding->bound[i] = standard.ptr != NULL; // else an error where it is used
    }
    resolve_effect(arena, binding);
    return binding;
}

PolicyEffect
policy_bound_effect(const PolicyBinding *binding)
{
    return binding->effect;
}

const PolicyDefinition *
policy_bound_definition(const PolicyBinding *binding)
{
    return binding->definition;
}

bool
policy_parameter_values(Arena *arena, Dyn declared, const PolicyValue *given, PolicyValue *out,
                        AzError *error)
{
    uint32_t count = dyn_count(declared), kept = 0;
    Str *keys = ARENA_ARRAY(arena, Str, count);
    PolicyValue *values = ARENA_ARRAY(arena, PolicyValue, count);
    for (uint32_t i = 0; i < count; i++) {
        Str name = dyn_key_at(declared, i);
        Dyn declaration = dyn_at(declared, i), standard;
        PolicyValue value;
        if (given_value(given, name, &value)) {
            if (!check_value(name, declaration, &value, error))
                return false;
        } else {
            standard = dyn_get_ci(declaration, STR("defaultValue"));
            if (!standard.ptr)
                continue; // asked for only when a member uses it
            value = policy_value_of(standard);
        }
        keys[kept] = name;
        values[kept++] = value;
    }
    *out = policy_object(keys, values, kept);
    return true;
}
