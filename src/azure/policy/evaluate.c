// From a binding and a resource to a compliance state with its reason.
//
// In order: the effect, the mode, applicability, the rule, and for IfNotExists the related
// resources. What cannot be decided from the data is Unknown, what fails is Error; both say why.

#include "azure/policy/program.h"

static void
put_value(Buffer *out, const PolicyValue *value)
{
    size_t from = out->len;
    policy_to_json(out, value);
    if (out->len - from > 120) { // long lists tell no more
        out->len = from + 117;
        while (out->len > from && ((unsigned char)out->data[out->len] & 0xC0) == 0x80)
            out->len--;
        buffer_text(out, "...");
    }
}

static void
put_trace(Buffer *out, const Trace *trace)
{
    for (uint32_t i = 0; i < trace->len; i++) {
        const TraceEntry *entry = &trace->entries[i];
        if (i)
            buffer_text(out, "; ");
        buffer_str(out, str_slice(entry->left, 0, 200));
        buffer_text(out, " is ");
        put_value(out, &entry->found);
        buffer_printf(out, ", %s%s ", entry->holds ? "" : "not ", entry->op);
        put_value(out, &entry->wanted);
    }
}

static Str
trace_text(Arena *arena, const Trace *trace)
{
    Buffer text = {0};
    put_trace(&text, trace);
    Str kept = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return kept;
}

static bool
is_if_not_exists(PolicyEffect effect)
{
    return effect == EFFECT_AUDIT_IF_NOT_EXISTS || effect == EFFECT_DEPLOY_IF_NOT_EXISTS;
}

static const Str SUBSCRIPTION = STR_INIT("microsoft.resources/subscriptions");
static const Str RESOURCE_GROUP = STR_INIT("microsoft.resources/subscriptions/resourcegroups");
static const Str RESOURCES = STR_INIT("microsoft.resources/");
static const Str MANAGEMENT_GROUP = STR_INIT("microsoft.management/managementgroups");

static bool
is_container(Str type)
{
    return str_equal_ci(type, SUBSCRIPTION) || str_equal_ci(type, RESOURCE_GROUP);
}

static bool
is_child_type(Str type)
{
    uint32_t slashes = 0;
    for (size_t i = 0; i < type.len; i++)
        slashes += type.ptr[i] == '/';
    return slashes > 1;
}

// Whether the mode looks at the type. Mode Indexed: types that take tags and a location. When
// that is not known of a type, a resource that is no child counts, and one that has either.
static bool
mode_covers(PolicyMode mode, Str type, const AliasType *alias_type, const PolicyResource *resource)
{
    if (!type.len)
        return true;
    if (is_container(type))
        return mode == MODE_ALL;
    if (str_equal_ci(type, MANAGEMENT_GROUP)) // a scope, never evaluated itself
        return false;
    if (type.len > RESOURCES.len && str_equal_ci(str_slice(type, 0, RESOURCES.len), RESOURCES))
        return false;
    if (mode != MODE_INDEXED)
        return true;
    TagSupport tags = alias_type ? alias_type->tags : TAGS_UNKNOWN;
    if (tags != TAGS_UNKNOWN || !resource || !is_child_type(type))
        return tags != TAGS_NO;
    return resource->has_location || dyn_count(dyn_get_ci(resource->body, STR("tags"))) > 0;
}

// Which conditions decide applicability (Microsoft Learn, "Policy applicability").
static ApplicabilityView
applicability_view(const PolicyDefinition *definition)
{
    bool with_other = definition->has_other;
    if (!definition->has_type && !with_other)
        return (ApplicabilityView){0}; // only names, or only kinds: all resources
    return (ApplicabilityView){true, with_other, with_other};
}

static PolicyOutcome
outcome(const Eval *eval, PolicyEffect effect, ComplianceState state, Str reason)
{
    PolicyOutcome out = {.state = state, .effect = effect, .reason = reason};
    out.effect_text = eval->context->override == effect && effect != eval->binding->effect
                          ? str_from(policy_effect_name(effect))
                          : eval->binding->effect_text;
    return out;
}

static Str
unknown_text(const Eval *eval)
{
    const PolicyContext *context = eval->context;
    Str why = eval->unknown >= 0 && (uint64_t)eval->unknown < context->unknown_count
                  ? context->unknowns[eval->unknown]
                  : STR("a value that is not in the data");
    return str_format(eval->arena, "depends on %.*s", STR_ARG(why));
}

static PolicyOutcome
failed(const Eval *eval, PolicyEffect effect)
{
    if (eval->failed_unknown)
        return outcome(eval, effect, STATE_UNKNOWN, unknown_text(eval));
    return outcome(eval, effect, STATE_ERROR, eval->why);
}

// Related resources ---------------------------------------------------------

static bool
text_detail(Eval *eval, const PolicyExpr *expr, const char *name, Str *out)
{
    PolicyValue value = {0};
    *out = (Str){0};
    if (!expr)
        return true;
    if (!expr_evaluate(eval, expr, &value))
        return false;
    if (value.kind == POLICY_STRING)
        *out = value.text;
    if (value.kind == POLICY_UNKNOWN) {
        eval_unknown(eval, &value);
        eval->failed_unknown = true;
    }
    return value.kind == POLICY_STRING || value.kind == POLICY_NULL ||
           eval_fail(eval, "details.%s is no text", name);
}

static bool
make_query(Eval *eval, RelatedQuery *query)
{
    const PolicyDefinition *definition = eval->binding->definition;
    Str scope;
    *query = (RelatedQuery){0};
    if (!text_detail(eval, definition->related_type, "type", &query->type) ||
        !text_detail(eval, definition->related_name, "name", &query->name) ||
        !text_detail(eval, definition->related_group, "resourceGroupName",
                     &query->resource_group) ||
        !text_detail(eval, definition->related_scope, "existenceScope", &scope))
        return false;
    query->subscription = str_equal_ci(scope, STR("Subscription"));
    return query->type.len || eval_fail(eval, "the effect's details name no type to look for");
}

static PolicyOutcome
judge_related(Eval *eval, PolicyEffect effect)
{
    const PolicyDefinition *definition = eval->binding->definition;
    RelatedQuery query;
    if (!make_query(eval, &query))
        return failed(eval, effect);
    RelatedSet set = {0};
    if (eval->context->related)
        set = eval->context->related(eval->context->data, eval->arena, eval->subject, &query);
    if (!set.known)
        return outcome(eval, effect, STATE_UNKNOWN,
                       str_format(eval->arena, "no data: resources of type %.*s were not collected",
                                  STR_ARG(query.type)));
    Trace *trace = eval->trace;
    Trace first = {.len = 0};
    for (uint32_t i = 0; i < set.count; i++) {
        bool holds = true;
        eval->resource = set.items[i];
        if (trace)
            trace->len = 0;
        if (definition->existence && !node_holds(eval, definition->existence, &holds))
            return failed(eval, effect);
        if (holds)
            return outcome(
                eval, effect, STATE_COMPLIANT,
                trace ? str_format(eval->arena, "%.*s satisfies it", STR_ARG(set.items[i]->id))
                      : (Str){0});
        if (trace && !i)
            first = *trace;
    }
    Str reason = {0};
    if (trace && !set.count)
        reason = str_format(eval->arena, "no %.*s%s%.*s exists", STR_ARG(query.type),
                            query.name.len ? " named " : "", STR_ARG(query.name));
    else if (trace)
        reason =
            str_format(eval->arena, "none of %u %.*s satisfies the existenceCondition: %.*s",
                       set.count, STR_ARG(query.type), STR_ARG(trace_text(eval->arena, &first)));
    PolicyOutcome out = outcome(eval, effect, STATE_NON_COMPLIANT, reason);
    out.fires = true;
    return out;
}

// States --------------------------------------------------------------------

static PolicyOutcome
judge_manual(Eval *eval, PolicyEffect effect)
{
    const PolicyContext *context = eval->context;
    ComplianceState state =
        context->attested ? context->attested(context->data, eval->subject) : STATE_LIMIT;
    if (state != STATE_LIMIT)
        return outcome(eval, effect, state, STR("attested"));
    PolicyValue standard = {0};
    const PolicyExpr *expr = eval->binding->definition->default_state;
    if (expr && !expr_evaluate(eval, expr, &standard))
        return failed(eval, effect);
    state = standard.kind == POLICY_STRING ? compliance_state_of(standard.text) : STATE_UNKNOWN;
    return outcome(eval, effect, state == STATE_LIMIT ? STATE_UNKNOWN : state,
                   STR("the default state: nobody attested"));
}

static PolicyOutcome
judge(Eval *eval, PolicyEffect effect)
{
    const PolicyDefinition *definition = eval->binding->definition;
    bool applies = true, holds = false;
    if (!is_if_not_exists(effect) &&
        !node_applies(eval, definition->condition, applicability_view(definition), false, &applies))
        return failed(eval, effect);
    if (!applies)
        return outcome(eval, effect, STATE_NOT_APPLICABLE, (Str){0});
    if (effect == EFFECT_MANUAL)
        return judge_manual(eval, effect);
    if (eval->trace)
        eval->trace->len = 0;
    if (definition->asks_identity && eval->context->request.kind != POLICY_OBJECT)
        return outcome(eval, effect, STATE_UNKNOWN,
                       STR("the rule asks who makes the request: that is known on a request only"));
    if (!node_holds(eval, definition->condition, &holds))
        return failed(eval, effect);
    if (is_if_not_exists(effect))
        return holds ? judge_related(eval, effect)
                     : outcome(eval, effect, STATE_NOT_APPLICABLE, (Str){0});
    Str reason = eval->trace ? trace_text(eval->arena, eval->trace) : (Str){0};
    PolicyOutcome out = outcome(eval, effect,
                                !holds                         ? STATE_COMPLIANT
                                : effect == EFFECT_DENY_ACTION ? STATE_PROTECTED
                                                               : STATE_NON_COMPLIANT,
                                reason);
    out.fires = holds;
    return out;
}

// With unknown values the rule is asked twice: what it says when all conditions on them fail, and
// when all hold. Only what both say is certain.
static PolicyOutcome
judge_open(Eval *eval, PolicyEffect effect)
{
    Eval other = *eval;
    PolicyOutcome out = judge(eval, effect);
    if (!eval->met_unknown)
        return out;
    other.assume = true;
    PolicyOutcome most = judge(&other, effect);
    if (out.state == most.state && out.fires == most.fires)
        return out;
    return outcome(eval, effect, STATE_UNKNOWN, unknown_text(eval));
}

PolicyOutcome
policy_evaluate(Arena *arena, const PolicyBinding *binding, const PolicyResource *resource,
                const PolicyContext *context, bool explain)
{
    const PolicyDefinition *definition = binding->definition;
    Trace trace;
    trace.len = 0;
    Eval eval = {.arena = arena,
                 .binding = binding,
                 .context = context,
                 .subject = resource,
                 .resource = resource,
                 .trace = explain ? &trace : NULL};
    PolicyEffect effect = context->override != EFFECT_INVALID ? context->override : binding->effect;
    if (effect == EFFECT_DISABLED)
        return outcome(&eval, effect, STATE_NOT_EVALUATED, STR("the effect is disabled"));
    if (definition->mode == MODE_STATIC)
        return outcome(&eval, effect, STATE_NOT_EVALUATED,
                       STR("a control that Microsoft manages: there is nothing to evaluate"));
    if (definition->mode == MODE_PROVIDER || effect == EFFECT_PROVIDER)
        return outcome(&eval, effect, STATE_UNKNOWN,
                       STR("evaluated inside the resource provider, on data that is not here"));
    if (effect == EFFECT_INVALID) {
        eval_fail(&eval, "the effect '%.*s' does not exist", STR_ARG(binding->effect_text));
        return failed(&eval, effect);
    }
    if (!mode_covers(definition->mode, resource->type, resource->alias_type, resource))
        return outcome(&eval, effect, STATE_NOT_APPLICABLE, (Str){0});
    if (definition->bad_alias)
        return outcome(&eval, effect, STATE_NOT_APPLICABLE,
                       STR("the rule names an alias that does not exist"));
    if (definition->uses_location && str_equal_ci(resource->type, SUBSCRIPTION))
        return outcome(&eval, effect, STATE_NOT_APPLICABLE, (Str){0});
    return context->unknowns ? judge_open(&eval, effect) : judge(&eval, effect);
}

bool
policy_may_apply(Arena *arena, const PolicyBinding *binding, Str type, const AliasType *alias_type)
{
    const PolicyDefinition *definition = binding->definition;
    if (definition->bad_alias || !mode_covers(definition->mode, type, alias_type, NULL) ||
        (definition->uses_location && str_equal_ci(type, SUBSCRIPTION)))
        return false;
    const PolicyContext context = {.override = EFFECT_INVALID};
    PolicyResource resource = {.type = type, .alias_type = alias_type};
    Eval eval = {.arena = arena,
                 .binding = binding,
                 .context = &context,
                 .subject = &resource,
                 .resource = &resource};
    bool applies = true;
    return !node_applies(&eval, definition->condition, (ApplicabilityView){true, false, false},
                         false, &applies) ||
           applies;
}

bool
policy_details(Arena *arena, const PolicyBinding *binding, const PolicyResource *resource,
               const PolicyContext *context, PolicyValue *out, Str *why)
{
    Eval eval = {.arena = arena,
                 .binding = binding,
                 .context = context,
                 .subject = resource,
                 .resource = resource};
    *out = policy_null();
    if (!binding->definition->details_expr ||
        expr_evaluate(&eval, binding->definition->details_expr, out))
        return true;
    *why = eval.why;
    return false;
}

Str
policy_related_type(Arena *arena, const PolicyBinding *binding)
{
    const PolicyContext context = {.override = EFFECT_INVALID};
    const PolicyExpr *expr = binding->definition->related_type;
    PolicyResource none = {0};
    Eval eval = {.arena = arena,
                 .binding = binding,
                 .context = &context,
                 .subject = &none,
                 .resource = &none};
    PolicyValue value;
    bool known = expr && expr_evaluate(&eval, expr, &value) && value.kind == POLICY_STRING;
    return known ? value.text : (Str){0};
}
