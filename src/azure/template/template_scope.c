// What the expressions of a template see, and their values: parameters and variables are
// evaluated when first asked for, copy loops unrolled, and what fails says where.

#include "azure/template/template_scope.h"

#include <stdio.h>
#include <string.h>

enum {
    STEP_MOST = 4000000,
    LOOP_MOST = 10000, // turns of one loop; Azure takes 800
    CALL_MOST = 16,
    CHAIN_MOST = 64, // variables that ask for each other
};

bool
scope_fail(TemplateScope *scope, AzCode code, const char *format, ...)
{
    if (scope->expander->error && scope->expander->error->code)
        return false; // the first says most
    va_list args;
    va_start(args, format);
    Str text = str_vformat(scope->expander->arena, format, args);
    va_end(args);
    return error_set(scope->expander->error, code, "%.*s", STR_ARG(text));
}

PolicyValue
scope_unknown(TemplateScope *scope, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str text = str_vformat(scope->expander->arena, format, args);
    va_end(args);
    return planned_unknown(scope->expander->out, text);
}

// Expressions ---------------------------------------------------------------

static bool
run_expression(TemplateScope *scope, const PolicyExpr *expr, Str source, PolicyValue *out)
{
    static const Str NONE = {0};
    const PolicyContext context = {.now = scope->expander->options->now,
                                   .resource_group = scope->group,
                                   .subscription = scope->subscription,
                                   .override = EFFECT_INVALID,
                                   .unknowns = &NONE};
    Eval eval = {.arena = scope->expander->arena, .context = &context, .template = scope};
    if (expr_evaluate(&eval, expr, out))
        return true;
    return scope_fail(scope, AZ_INVALID, "expression '%.*s': %.*s",
                      (int)(source.len < 300 ? source.len : 300), source.ptr, STR_ARG(eval.why));
}

static bool
evaluate_text(TemplateScope *scope, const PolicyValue *json, PolicyValue *out)
{
    static const PolicyCompileOptions OPTIONS = {.template_functions = true,
                                                 .template_expressions = true};
    AzError own = {0};
    Compiler compiler = {.arena = scope->expander->arena, .options = &OPTIONS, .error = &own};
    map_init(&compiler.parameters, compiler.arena, true);
    const PolicyExpr *expr = expr_compile(&compiler, json);
    if (!expr)
        return scope_fail(scope, own.code ? own.code : AZ_SYNTAX, "%s", own.message);
    return run_expression(scope, expr, json->text, out);
}

static bool
step(TemplateScope *scope)
{
    return ++scope->expander->steps <= STEP_MOST ||
           scope_fail(scope, AZ_LIMIT, "the template takes more than %d steps to expand",
                      STEP_MOST);
}

bool
scope_count(TemplateScope *scope, Dyn json, int64_t *out, bool *known)
{
    PolicyValue source = policy_value_of(json), value;
    if (!scope_evaluate(scope, &source, &value))
        return false;
    *known = value.kind != POLICY_UNKNOWN;
    *out = *known ? value.integer : 0;
    if (!*known || (value.kind == POLICY_LONG && value.integer >= 0 && value.integer <= LOOP_MOST))
        return true;
    return scope_fail(scope, AZ_INVALID, "the count of a copy loop is no number from 0 to %d",
                      LOOP_MOST);
}

// {name, count, input} as a list; unknown when the count is.
static bool
run_loop(TemplateScope *scope, Dyn loop, Str name, PolicyValue *out)
{
    int64_t count;
    bool known;
    PolicyValue input = policy_value_of(dyn_get_ci(loop, STR("input")));
    if (!scope_count(scope, dyn_get_ci(loop, STR("count")), &count, &known))
        return false;
    if (!known) {
        *out = scope_unknown(scope, "the number of turns of the loop '%.*s'", STR_ARG(name));
        return true;
    }
    PolicyValue *items = ARENA_ARRAY(scope->expander->arena, PolicyValue, (size_t)count);
    CopyFrame frame = {.up = scope->copies, .name = name};
    bool done = true;
    scope->copies = &frame;
    for (; done && frame.index < count; frame.index++)
        done = step(scope) && scope_evaluate(scope, &input, &items[frame.index]);
    scope->copies = frame.up;
    *out = policy_array(items, (uint32_t)count);
    return done;
}

static bool
is_loop(Str key, const PolicyValue *value)
{
    if (!str_equal_ci(key, STR("copy")) || value->kind != POLICY_ARRAY || !policy_count(value))
        return false;
    PolicyValue first = policy_at(value, 0), part;
    return policy_get(&first, STR("count"), &part) && policy_get(&first, STR("name"), &part);
}

static bool
evaluate_object(TemplateScope *scope, const PolicyValue *json, PolicyValue *out)
{
    uint32_t count = policy_count(json), room = count, kept = 0;
    Arena *arena = scope->expander->arena;
    for (uint32_t i = 0; i < count; i++) {
        PolicyValue item = policy_at(json, i);
        room += is_loop(policy_key_at(json, i), &item) ? policy_count(&item) : 0;
    }
    Str *keys = ARENA_ARRAY(arena, Str, room);
    PolicyValue *items = ARENA_ARRAY(arena, PolicyValue, room);
    for (uint32_t i = 0; i < count; i++) {
        PolicyValue item = policy_at(json, i), key = policy_text(policy_key_at(json, i)), name;
        bool loop = is_loop(key.text, &item);
        for (uint32_t k = 0; loop && k < policy_count(&item); k++) {
            PolicyValue one = policy_at(&item, k);
            Dyn tree = one.kind == POLICY_OBJECT && !one.computed ? one.tree : (Dyn){0};
            keys[kept] = dyn_string(dyn_get_ci(tree, STR("name")));
            if (!run_loop(scope, tree, keys[kept], &items[kept]))
                return false;
            kept++;
        }
        if (loop)
            continue;
        if (!scope_evaluate(scope, &key, &name) || !scope_evaluate(scope, &item, &items[kept]))
            return false;
        keys[kept++] = name.kind == POLICY_STRING ? name.text : key.text;
    }
    *out = policy_object(keys, items, kept);
    return true;
}

bool
scope_evaluate(TemplateScope *scope, const PolicyValue *json, PolicyValue *out)
{
    if (!step(scope))
        return false;
    if (json->kind == POLICY_STRING)
        return evaluate_text(scope, json, out);
    if (json->kind == POLICY_OBJECT)
        return evaluate_object(scope, json, out);
    *out = *json;
    if (json->kind != POLICY_ARRAY)
        return true;
    uint32_t count = policy_count(json);
    PolicyValue *items = ARENA_ARRAY(scope->expander->arena, PolicyValue, count);
    for (uint32_t i = 0; i < count; i++) {
        PolicyValue item = policy_at(json, i);
        if (!scope_evaluate(scope, &item, &items[i]))
            return false;
    }
    *out = policy_array(items, count);
    return true;
}

bool
scope_text(TemplateScope *scope, Dyn json, Str *out, PolicyValue *value)
{
    PolicyValue source = policy_value_of(json);
    *out = (Str){0};
    if (!scope_evaluate(scope, &source, value))
        return false;
    if (value->kind == POLICY_STRING)
        *out = value->text;
    return value->kind == POLICY_STRING || value->kind == POLICY_NULL ||
           value->kind == POLICY_UNKNOWN ||
           scope_fail(scope, AZ_INVALID,
                      "a text is expected where the template gives another value");
}

// Parameters ----------------------------------------------------------------

static bool
is_type(const PolicyValue *value, Str type)
{
    if (str_equal_ci(type, STR("string")))
        return value->kind == POLICY_STRING;
    if (str_equal_ci(type, STR("int")))
        return policy_is_number(value);
    if (str_equal_ci(type, STR("bool")))
        return value->kind == POLICY_BOOL;
    if (str_equal_ci(type, STR("array")))
        return value->kind == POLICY_ARRAY;
    return !str_equal_ci(type, STR("object")) || value->kind == POLICY_OBJECT;
}

static bool
in_bounds(Dyn declared, const PolicyValue *value)
{
    static const struct {
        const char *name;
        bool length, most;
    } BOUNDS[] = {{"minLength", true, false},
                  {"maxLength", true, true},
                  {"minValue", false, false},
                  {"maxValue", false, true}};
    for (size_t i = 0; i < sizeof BOUNDS / sizeof BOUNDS[0]; i++) {
        double bound, number;
        if (!dyn_number(dyn_get_ci(declared, str_from(BOUNDS[i].name)), &bound))
            continue;
        if (BOUNDS[i].length && value->kind == POLICY_STRING)
            number = (double)value->text.len;
        else if (BOUNDS[i].length && value->kind == POLICY_ARRAY)
            number = policy_count(value);
        else if (!BOUNDS[i].length && policy_is_number(value))
            number = policy_number(value);
        else
            continue;
        if (BOUNDS[i].most ? number > bound : number < bound)
            return false;
    }
    return true;
}

static bool
check_parameter(TemplateScope *scope, Str name, Dyn declared, const PolicyValue *value)
{
    Str type = dyn_string(dyn_get_ci(declared, STR("type")));
    PolicyValue allowed = policy_value_of(dyn_get_ci(declared, STR("allowedValues")));
    if (!is_type(value, type))
        return scope_fail(scope, AZ_INVALID, "the parameter '%.*s' takes a value of type %.*s",
                          STR_ARG(name), STR_ARG(type));
    if (!in_bounds(declared, value))
        return scope_fail(scope, AZ_INVALID,
                          "the value of the parameter '%.*s' lies outside of what its declaration "
                          "allows (minLength, maxLength, minValue, maxValue)",
                          STR_ARG(name));
    bool found = allowed.kind != POLICY_ARRAY || value->kind == POLICY_ARRAY;
    for (uint32_t i = 0; !found && i < policy_count(&allowed); i++) {
        PolicyValue one = policy_at(&allowed, i);
        found = policy_same(value, &one);
    }
    return found || scope_fail(scope, AZ_INVALID,
                               "the value of the parameter '%.*s' is none of its allowedValues",
                               STR_ARG(name));
}

static bool
is_secret(Dyn declared)
{
    Str type = dyn_string(dyn_get_ci(declared, STR("type")));
    return str_equal_ci(type, STR("secureString")) || str_equal_ci(type, STR("secureObject"));
}

// A given value: {value}, {reference} to a secret of a vault, or bare from a nested deployment.
static bool
take_given(TemplateScope *scope, Str name, Dyn declared, const PolicyValue *given, ScopeSlot *slot)
{
    PolicyValue one, inner;
    if (!given || !policy_get(given, name, &one))
        return false;
    slot->state = SLOT_DONE;
    slot->value = one;
    if (one.kind == POLICY_OBJECT && policy_get(&one, STR("reference"), &inner))
        slot->value =
            scope_unknown(scope, "the parameter '%.*s', a secret of a key vault", STR_ARG(name));
    else if (one.kind == POLICY_OBJECT && policy_get(&one, STR("value"), &inner))
        slot->value = inner;
    if (is_secret(declared))
        slot->value =
            scope_unknown(scope, "the parameter '%.*s', a secret that is not read", STR_ARG(name));
    return true;
}

bool
scope_parameters(TemplateScope *scope, Dyn declared, const PolicyValue *given)
{
    Arena *arena = scope->expander->arena;
    map_init(&scope->parameters, arena, true);
    for (uint32_t i = 0; i < dyn_count(declared); i++) {
        Str name = dyn_key_at(declared, i);
        Dyn one = dyn_at(declared, i);
        ScopeSlot *slot = ARENA_NEW(arena, ScopeSlot);
        map_put(&scope->parameters, name, slot);
        if (take_given(scope, name, one, given, slot)) {
            if (slot->value.kind != POLICY_UNKNOWN && slot->value.kind != POLICY_NULL &&
                !check_parameter(scope, name, one, &slot->value))
                return false;
            continue;
        }
        slot->source = dyn_get_ci(one, STR("defaultValue"));
        Dyn nullable = dyn_get_ci(one, STR("nullable"));
        bool may_lack = dyn_kind(nullable) == DYN_BOOL && dyn_bool(nullable);
        if (!slot->source.ptr && !may_lack)
            return scope_fail(scope, AZ_INVALID,
                              "the parameter '%.*s' has no value and no default; give it in a "
                              "parameter file with --parameters",
                              STR_ARG(name));
        if (is_secret(one)) {
            slot->state = SLOT_DONE;
            slot->value = scope_unknown(scope, "the parameter '%.*s', a secret that is not read",
                                        STR_ARG(name));
        }
    }
    for (uint32_t i = 0; given && i < policy_count(given); i++)
        if (!map_find(&scope->parameters, policy_key_at(given, i)))
            return scope_fail(scope, AZ_INVALID,
                              "a value is given for the parameter '%.*s', which the template does "
                              "not declare",
                              STR_ARG(policy_key_at(given, i)));
    return true;
}

bool
scope_variables(TemplateScope *scope, Dyn variables)
{
    Arena *arena = scope->expander->arena;
    map_init(&scope->variables, arena, true);
    for (uint32_t i = 0; i < dyn_count(variables); i++) {
        Str name = dyn_key_at(variables, i);
        Dyn source = dyn_at(variables, i);
        PolicyValue value = policy_value_of(source);
        bool loops = is_loop(name, &value);
        for (uint32_t k = 0; k < (loops ? dyn_count(source) : 1); k++) {
            ScopeSlot *slot = ARENA_NEW(arena, ScopeSlot);
            slot->source = loops ? dyn_at(source, k) : source;
            slot->looped = loops;
            map_put(&scope->variables,
                    loops ? dyn_string(dyn_get_ci(slot->source, STR("name"))) : name, slot);
        }
    }
    return true;
}

static bool
fill_slot(TemplateScope *scope, ScopeSlot *slot, Str name)
{
    if (slot->state == SLOT_DONE)
        return true;
    if (slot->state == SLOT_BUSY)
        return scope_fail(scope, AZ_SEMANTIC, "'%.*s' is defined by itself", STR_ARG(name));
    if (scope->expander->chain >= CHAIN_MOST)
        return scope_fail(scope, AZ_LIMIT, "'%.*s' stands behind more than %d others",
                          STR_ARG(name), CHAIN_MOST);
    scope->expander->chain++;
    // A value does not see the loops from inside of which it is asked for.
    CopyFrame *copies = scope->copies;
    LambdaFrame *lambdas = scope->lambdas;
    PolicyValue source = policy_value_of(slot->source);
    slot->state = SLOT_BUSY;
    scope->copies = NULL;
    scope->lambdas = NULL;
    bool done = slot->looped ? run_loop(scope, slot->source, name, &slot->value)
                             : scope_evaluate(scope, &source, &slot->value);
    scope->copies = copies;
    scope->lambdas = lambdas;
    scope->expander->chain--;
    slot->state = done ? SLOT_DONE : SLOT_OPEN;
    return done;
}

static bool
find_slot(Eval *eval, const Map *map, const char *what, Str name, PolicyValue *out)
{
    ScopeSlot *slot = map->slots ? map_get(map, name) : NULL;
    if (!slot)
        return eval_fail(eval, "the template has no %s '%.*s'", what, STR_ARG(name));
    if (!fill_slot(eval->template, slot, name))
        return eval_fail(eval, "the %s '%.*s' has no value", what, STR_ARG(name));
    *out = slot->value;
    return true;
}

bool
scope_parameter(Eval *eval, Str name, PolicyValue *out)
{
    return find_slot(eval, &eval->template->parameters, "parameter", name, out);
}

bool
scope_variable(Eval *eval, Str name, PolicyValue *out)
{
    return find_slot(eval, &eval->template->variables, "variable", name, out);
}

// User-defined functions ----------------------------------------------------

static Dyn
find_function(Dyn functions, Str whole)
{
    for (uint32_t i = 0; i < dyn_count(functions); i++) {
        Dyn group = dyn_at(functions, i), members = dyn_get_ci(group, STR("members"));
        Str space = dyn_string(dyn_get_ci(group, STR("namespace")));
        if (whole.len > space.len + 1 && whole.ptr[space.len] == '.' &&
            str_equal_ci(str_slice(whole, 0, space.len), space)) {
            Dyn found = dyn_get_ci(members, str_slice(whole, space.len + 1, whole.len));
            if (found.ptr)
                return found;
        }
    }
    return (Dyn){0};
}

// Its parameters are all that the function sees, with the other functions.
bool
scope_user_call(Eval *eval, const PolicyExpr *call, PolicyValue *out)
{
    TemplateScope *scope = eval->template;
    Dyn function = find_function(scope->functions, call->name);
    Dyn declared = dyn_get_ci(function, STR("parameters"));
    if (!function.ptr)
        return eval_fail(eval, "the template has no function %.*s()", STR_ARG(call->name));
    if (scope->calls >= CALL_MOST)
        return eval_fail(eval, "user-defined functions call each other more than %d deep",
                         CALL_MOST);
    if (dyn_count(declared) != call->count)
        return eval_fail(eval, "%.*s() takes %u arguments", STR_ARG(call->name),
                         dyn_count(declared));
    TemplateScope inner = *scope;
    inner.copies = NULL;
    inner.lambdas = NULL;
    inner.calls++;
    inner.variables = (Map){0};
    map_init(&inner.parameters, eval->arena, true);
    for (uint32_t i = 0; i < call->count; i++) {
        ScopeSlot *slot = ARENA_NEW(eval->arena, ScopeSlot);
        slot->state = SLOT_DONE;
        if (!expr_evaluate(eval, call->args[i], &slot->value))
            return false;
        map_put(&inner.parameters, dyn_string(dyn_get_ci(dyn_at(declared, i), STR("name"))), slot);
    }
    PolicyValue source =
        policy_value_of(dyn_get_ci(dyn_get_ci(function, STR("output")), STR("value")));
    return scope_evaluate(&inner, &source, out) ||
           eval_fail(eval, "%.*s() has no value", STR_ARG(call->name));
}

// Places --------------------------------------------------------------------

Str
scope_segment(Str id, const char *kind)
{
    Str name = str_from(kind);
    for (size_t at = 0; at < id.len; at++) {
        size_t from = at + 1, end = from + name.len;
        if (id.ptr[at] != '/' || end >= id.len || id.ptr[end] != '/' ||
            !str_equal_ci(str_slice(id, from, end), name))
            continue;
        const char *slash = memchr(id.ptr + end + 1, '/', id.len - end - 1);
        return str_slice(id, end + 1, slash ? (size_t)(slash - id.ptr) : id.len);
    }
    return (Str){0};
}

// The object of an id with what the snapshot knows of it; without, what has no value is unknown.
static PolicyValue
place_object(TemplateScope *scope, Str id, const Str *keys, const PolicyValue *values,
             uint32_t count)
{
    const TemplateOptions *options = scope->expander->options;
    const PolicyValue *known = options->container ? options->container(options->data, id) : NULL;
    PolicyValue *all = ARENA_ARRAY(scope->expander->arena, PolicyValue, count);
    for (uint32_t i = 0; i < count; i++) {
        PolicyValue found = {0};
        bool has = known && policy_get(known, keys[i], &found) && found.kind != POLICY_NULL;
        all[i] = has ? found : values[i];
        if (!known && all[i].kind == POLICY_NULL)
            all[i] = scope_unknown(scope, "%.*s of %.*s, which is not in the snapshot",
                                   STR_ARG(keys[i]), STR_ARG(id));
    }
    return policy_object(keys, all, count);
}

void
scope_place(TemplateScope *scope)
{
    static const Str GROUP[] = {STR_INIT("id"),       STR_INIT("name"), STR_INIT("type"),
                                STR_INIT("location"), STR_INIT("tags"), STR_INIT("properties")};
    static const Str SUBSCRIPTION[] = {STR_INIT("id"), STR_INIT("subscriptionId"),
                                       STR_INIT("tenantId"), STR_INIT("displayName")};
    Arena *arena = scope->expander->arena;
    Str sub = scope_segment(scope->target, "subscriptions");
    Str group = scope_segment(scope->target, "resourceGroups");
    scope->group = scope->subscription = policy_null();
    if (!sub.len)
        return;
    Str id = str_format(arena, "/subscriptions/%.*s", STR_ARG(sub));
    PolicyValue of_sub[] = {policy_text(id), policy_text(sub), policy_null(), policy_null()};
    scope->subscription = place_object(scope, id, SUBSCRIPTION, of_sub, 4);
    if (!group.len)
        return;
    id = str_format(arena, "/subscriptions/%.*s/resourceGroups/%.*s", STR_ARG(sub), STR_ARG(group));
    PolicyValue of_group[] = {
        policy_text(id), policy_text(group), policy_text(STR("Microsoft.Resources/resourceGroups")),
        policy_null(),   policy_null(),      policy_null()};
    scope->group = place_object(scope, id, GROUP, of_group, 6);
}
