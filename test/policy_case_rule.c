// Levels of policy cases that evaluate rules: rule, definition, scope, change, suite.

#include "policy_cases.h"

#include "base/clock.h"
#include "value/scalar.h"

#include <string.h>

typedef struct Setting {
    PolicyCompileOptions options;
    PolicyContext context;
    PolicyResource resource;
    const PolicyResource **related;
    uint32_t related_count;
} Setting;

static RelatedSet
find_related(void *data, Arena *arena, const PolicyResource *resource, const RelatedQuery *query)
{
    Setting *setting = data;
    const PolicyResource **found = arena_alloc_array(arena, setting->related_count, sizeof(*found));
    RelatedSet set = {.items = found, .known = true};
    for (uint32_t i = 0; i < setting->related_count; i++) {
        if (!related_matches(query, resource, setting->related[i]))
            continue;
        PolicyResource *one = arena_copy(arena, setting->related[i], sizeof(*one));
        if (!one->type.len) { // cases leave out what the query says
            one->type = query->type;
            one->alias_type = alias_find_type(setting->options.aliases, query->type);
        }
        found[set.count++] = one;
    }
    return set;
}

static void
read_context(Dyn item, PolicyContext *context)
{
    Dyn given = case_member(item, "context");
    context->resource_group = policy_value_of(case_member(given, "resourceGroup"));
    context->subscription = policy_value_of(case_member(given, "subscription"));
    context->request = policy_value_of(case_member(given, "requestContext"));
    context->policy = policy_value_of(case_member(given, "policy"));
    context->api_version = case_text(item, "apiVersion");
    context->override = EFFECT_INVALID;
    context->now = clock_now_ticks();
    datetime_parse(case_text(given, "utcNow"), &context->now);
}

static void
read_setting(CaseRun *run, Arena *arena, Dyn item, Setting *setting)
{
    bool outside = case_member(item, "outsidePolicy").ptr != NULL;
    *setting = (Setting){.options = {.aliases = case_aliases(run, arena, item),
                                     .paths = str_equal(case_text(item, "fields"), STR("path")),
                                     .template_functions = outside,
                                     .open_parameters = true}};
    read_context(item, &setting->context);
    setting->context.related = find_related;
    setting->context.data = setting;
    policy_resource_init(&setting->resource, arena, setting->options.aliases,
                         case_member(item, "resource"));
    Dyn list = case_member(item, "related");
    setting->related = arena_alloc_array(arena, dyn_count(list), sizeof(*setting->related));
    for (uint32_t i = 0; i < dyn_count(list); i++) {
        if (dyn_kind(dyn_at(list, i)) != DYN_BAG)
            continue;
        PolicyResource *one = ARENA_NEW(arena, PolicyResource);
        policy_resource_init(one, arena, setting->options.aliases, dyn_at(list, i));
        setting->related[setting->related_count++] = one;
    }
}

// A rule stands alone: a definition of mode All around it.
static Dyn
definition_of(Arena *arena, Dyn item)
{
    static const Str KEYS[] = {STR_INIT("mode"), STR_INIT("policyRule")};
    Dyn definition = case_member(item, "definition");
    if (dyn_kind(definition) == DYN_BAG)
        return definition;
    PolicyValue *members = ARENA_ARRAY(arena, PolicyValue, 2);
    members[0] = policy_text(STR("All"));
    members[1] = policy_value_of(case_member(item, "rule"));
    PolicyValue object = policy_object(KEYS, members, 2);
    return policy_to_tree(arena, &object);
}

static PolicyBinding *
bind_case(Arena *arena, const Setting *setting, Dyn item, AzError *error)
{
    PolicyDefinition *definition =
        policy_compile(arena, &setting->options, definition_of(arena, item), error);
    PolicyValue parameters = policy_value_of(case_member(item, "parameters"));
    return definition ? policy_bind(arena, definition, &parameters, NULL, error) : NULL;
}

static Str
json_of(Arena *arena, const PolicyValue *value)
{
    Buffer text = {0};
    policy_to_json(&text, value);
    Str kept = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return kept;
}

static bool
check_details(Arena *arena, const PolicyBinding *binding, const Setting *setting, Dyn wanted,
              Str *why)
{
    PolicyValue details, expected = policy_value_of(wanted);
    if (!policy_details(arena, binding, &setting->resource, &setting->context, &details, why))
        return false;
    bool good = details.kind == expected.kind;
    for (uint32_t i = 0; good && expected.kind == POLICY_OBJECT && i < policy_count(&expected);
         i++) { // cases name the members they look at
        PolicyValue one, other = policy_at(&expected, i);
        good = policy_get(&details, policy_key_at(&expected, i), &one) && policy_same(&one, &other);
    }
    if (good && (expected.kind == POLICY_OBJECT || policy_same(&details, &expected)))
        return true;
    *why = str_format(arena, "the details are %.*s", STR_ARG(json_of(arena, &details)));
    return false;
}

bool
case_rule(CaseRun *run, Arena *arena, Dyn item, Str *why)
{
    Setting setting;
    read_setting(run, arena, item, &setting);
    Dyn expect = case_member(item, "expect"), match = case_member(expect, "match");
    bool error_wanted = dyn_kind(case_member(expect, "error")) == DYN_STRING;
    AzError error = {0};
    PolicyBinding *binding = bind_case(arena, &setting, item, &error);
    if (!binding) {
        *why = str_format(arena, "does not compile: %s", error.message);
        return error_wanted;
    }
    PolicyOutcome out = policy_evaluate(arena, binding, &setting.resource, &setting.context, true);
    *why = str_format(arena, "%s, %s, effect '%.*s', %.*s", compliance_state_name(out.state),
                      out.fires ? "fires" : "does not fire", STR_ARG(out.effect_text),
                      STR_ARG(out.reason));
    if (error_wanted || out.state == STATE_ERROR)
        return error_wanted && out.state == STATE_ERROR;
    if (dyn_kind(match) == DYN_BOOL && dyn_bool(match) != out.fires)
        return false;
    Str effect = case_text(expect, "effect"), state = case_text(expect, "compliance");
    if (effect.len && out.fires && !str_equal_ci(effect, out.effect_text))
        return false;
    if (state.len && compliance_state_of(state) != out.state)
        return false;
    Dyn details = case_member(expect, "details");
    return !details.ptr || check_details(arena, binding, &setting, details, why);
}

bool
case_scope(CaseRun *run, Arena *arena, Dyn item, Str *why)
{
    Setting setting;
    read_setting(run, arena, item, &setting);
    Dyn json = case_member(item, "assignment"), list = case_member(json, "exemptions");
    PolicyAssignment assignment;
    AzError error = {0};
    PolicyBinding *binding = bind_case(arena, &setting, item, &error);
    if (!binding || !policy_assignment_read(arena, json, &assignment, &error)) {
        *why = str_format(arena, "%s", error.message);
        return false;
    }
    ComplianceState state = STATE_NOT_APPLICABLE;
    if (policy_assignment_covers(&assignment, setting.resource.id, NULL) &&
        policy_assignment_selects(&assignment, &setting.resource)) {
        setting.context.override =
            policy_assignment_override(&assignment, (Str){0}, &setting.resource);
        state = policy_evaluate(arena, binding, &setting.resource, &setting.context, false).state;
        for (uint32_t i = 0; i < dyn_count(list); i++) {
            PolicyExemption exemption;
            if (policy_exemption_read(arena, dyn_at(list, i), &exemption, &error) &&
                state < STATE_NOT_APPLICABLE &&
                policy_exemption_holds(&exemption, &assignment, (Str){0}, &setting.resource,
                                       setting.context.now, NULL))
                state = STATE_EXEMPT;
        }
    }
    *why = str_from(compliance_state_name(state));
    return state == compliance_state_of(case_text(case_member(item, "expect"), "compliance"));
}

bool
case_change(CaseRun *run, Arena *arena, Dyn item, Str *why)
{
    Setting setting;
    read_setting(run, arena, item, &setting);
    AzError error = {0};
    PolicyBinding *binding = bind_case(arena, &setting, item, &error);
    if (!binding) {
        *why = str_format(arena, "%s", error.message);
        return false;
    }
    PolicyChange change;
    policy_change(arena, binding, &setting.resource, &setting.context, &change);
    Dyn expect = case_member(item, "expect"), denied = case_member(expect, "denied");
    PolicyValue made = policy_value_of(change.resource),
                wanted = policy_value_of(case_member(expect, "resource"));
    *why = str_format(arena, "%s %.*s %.*s", change.denied ? "denied" : "changed",
                      STR_ARG(change.why), STR_ARG(json_of(arena, &made)));
    if (dyn_kind(denied) == DYN_BOOL && dyn_bool(denied))
        return change.denied;
    return !change.denied && policy_same(&made, &wanted);
}

// The member's values, bound to the initiative's, denies some resource.
static bool
member_denies(Arena *arena, const Setting *setting, Dyn member, const PolicyValue *values,
              Dyn resources, bool *denies, AzError *error)
{
    PolicyValue given = policy_value_of(case_member(member, "values"));
    PolicyDefinition *definition = policy_compile(arena, &setting->options, member, error);
    PolicyBinding *binding =
        definition ? policy_bind(arena, definition, &given, values, error) : NULL;
    if (!binding)
        return false;
    for (uint32_t i = 0; i < dyn_count(resources) && !*denies; i++) {
        PolicyResource resource;
        policy_resource_init(&resource, arena, setting->options.aliases, dyn_at(resources, i));
        PolicyContext context = setting->context;
        context.api_version = case_text(dyn_at(resources, i), "apiVersion");
        PolicyOutcome out = policy_evaluate(arena, binding, &resource, &context, false);
        *denies = out.fires && out.effect == EFFECT_DENY;
    }
    return true;
}

static bool
is_listed(Dyn list, Str name)
{
    for (uint32_t i = 0; i < dyn_count(list); i++)
        if (str_equal_ci(dyn_string(dyn_at(list, i)), name))
            return true;
    return false;
}

bool
case_suite(CaseRun *run, Arena *arena, Dyn item, Str *why)
{
    Setting setting;
    read_setting(run, arena, item, &setting);
    setting.options.open_parameters = false;
    Dyn definitions = case_member(item, "definitions");
    Dyn initiative = case_member(definitions, "initiative");
    Dyn violated = case_member(case_member(item, "expect"), "violated");
    PolicyValue given = policy_value_of(case_member(definitions, "assignmentParameters")), values;
    AzError error = {0};
    if (!policy_parameter_values(arena, case_member(initiative, "parameters"), &given, &values,
                                 &error)) {
        *why = str_format(arena, "%s", error.message);
        return false;
    }
    Dyn members = case_member(initiative, "members");
    for (uint32_t i = 0; i < dyn_count(members); i++) {
        Dyn member = dyn_at(members, i);
        Str reference = case_text(member, "ref");
        bool denies = false;
        if (!member_denies(arena, &setting, member, &values, case_member(item, "resources"),
                           &denies, &error)) {
            *why = str_format(arena, "%.*s: %s", STR_ARG(reference), error.message);
            return false;
        }
        bool wanted = is_listed(violated, reference);
        if (wanted != denies && (wanted || !dyn_count(violated))) {
            *why = str_format(arena, "%.*s %s", STR_ARG(reference),
                              denies ? "denies" : "does not deny");
            return false;
        }
    }
    return true;
}
