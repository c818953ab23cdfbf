// From the resources of a template to those that are deployed: loops and conditions unrolled,
// children with whole names, nested templates where they are deployed to.

#include "azure/template/template_scope.h"

#include <string.h>

enum {
    NEST_MOST = 16,
    RESOURCE_MOST = 50000,
};

typedef struct Place { // where in the template a resource stands, and below what
    Str where, type, name;
    bool open_name; // of the parent
    Str unsure;
} Place;

static bool expand_list(TemplateScope *scope, Dyn resources, const Place *place);

static const Str DEPLOYMENT = STR_INIT("Microsoft.Resources/deployments");

// Which scopes a deployment goes to: its `scope`, or its subscriptionId and resourceGroup.
static bool
find_target(TemplateScope *scope, Dyn resource, Str *out)
{
    PolicyValue value, sub_value, group_value;
    Str at, sub, group;
    if (!scope_text(scope, dyn_get_ci(resource, STR("scope")), &at, &value) ||
        !scope_text(scope, dyn_get_ci(resource, STR("subscriptionId")), &sub, &sub_value) ||
        !scope_text(scope, dyn_get_ci(resource, STR("resourceGroup")), &group, &group_value))
        return false;
    *out = (Str){0};
    if (value.kind == POLICY_UNKNOWN || sub_value.kind == POLICY_UNKNOWN ||
        group_value.kind == POLICY_UNKNOWN)
        return true;
    Arena *arena = scope->expander->arena;
    if (at.len) {
        *out = at.ptr[0] == '/' ? at : str_format(arena, "/providers/%.*s", STR_ARG(at));
        return true;
    }
    *out = scope->target;
    if (!sub.len)
        sub = scope_segment(scope->target, "subscriptions");
    else
        *out = str_format(arena, "/subscriptions/%.*s", STR_ARG(sub));
    if (!group.len && !dyn_get_ci(resource, STR("subscriptionId")).ptr)
        return true;
    if (group.len)
        *out = str_format(arena, "/subscriptions/%.*s/resourceGroups/%.*s", STR_ARG(sub),
                          STR_ARG(group));
    return true;
}

// The template of a nested deployment; none with a note when it is not here.
static Dyn
nested_template(TemplateScope *scope, Dyn properties, Str where)
{
    const TemplateOptions *options = scope->expander->options;
    Dyn inner = dyn_get_ci(properties, STR("template"));
    Dyn link = dyn_get_ci(properties, STR("templateLink"));
    if (inner.ptr)
        return inner;
    PolicyValue value;
    Str path = {0};
    Dyn relative = dyn_get_ci(link, STR("relativePath"));
    if (relative.ptr && options->linked && scope_text(scope, relative, &path, &value) && path.len)
        inner = options->linked(options->data, scope->expander->arena, path);
    if (!inner.ptr)
        planned_note(
            scope->expander->out,
            str_format(scope->expander->arena,
                       "%.*s: the linked template%s%.*s is not here, what it deploys is not "
                       "looked at",
                       STR_ARG(where), path.len ? " " : "", STR_ARG(path)));
    return inner;
}

static bool
is_inner(Dyn properties)
{
    Dyn options = dyn_get_ci(properties, STR("expressionEvaluationOptions"));
    return str_equal_ci(dyn_string(dyn_get_ci(options, STR("scope"))), STR("inner"));
}

static bool
expand_template(TemplateScope *scope, Dyn template, const PolicyValue *given, const Place *place)
{
    scope->template = template;
    scope->functions = dyn_get_ci(template, STR("functions"));
    return scope_parameters(scope, dyn_get_ci(template, STR("parameters")), given) &&
           scope_variables(scope, dyn_get_ci(template, STR("variables"))) &&
           expand_list(scope, dyn_get_ci(template, STR("resources")), place);
}

static bool
expand_deployment(TemplateScope *scope, Dyn resource, Str name, const Place *place)
{
    Expander *expander = scope->expander;
    Dyn properties = dyn_get_ci(resource, STR("properties"));
    Str target;
    if (!find_target(scope, resource, &target))
        return false;
    if (!target.len) {
        planned_note(expander->out, str_format(expander->arena,
                                               "%.*s: where it deploys to is not known before, it "
                                               "is not looked at",
                                               STR_ARG(place->where)));
        return true;
    }
    Dyn template = nested_template(scope, properties, place->where);
    if (!template.ptr)
        return true;
    if (dyn_kind(template) != DYN_BAG)
        return scope_fail(scope, AZ_INVALID, "%.*s: the nested template is no object",
                          STR_ARG(place->where));
    if (++expander->depth > NEST_MOST)
        return scope_fail(scope, AZ_LIMIT, "templates nest more than %d deep", NEST_MOST);
    Place inner = {.where = str_format(expander->arena, "%.*s.", STR_ARG(place->where)),
                   .unsure = place->unsure};
    bool done;
    if (is_inner(properties) || !dyn_get_ci(properties, STR("template")).ptr) {
        PolicyValue source = policy_value_of(dyn_get_ci(properties, STR("parameters"))), given;
        TemplateScope own = {.expander = expander, .target = target, .deployment = name};
        scope_place(&own);
        done = scope_evaluate(scope, &source, &given) &&
               expand_template(&own, template, given.kind == POLICY_OBJECT ? &given : NULL, &inner);
    } else { // expressions are those of the template around
        TemplateScope own = *scope;
        own.target = target;
        done = expand_list(&own, dyn_get_ci(template, STR("resources")), &inner);
    }
    expander->depth--;
    return done;
}

// The id: below the target, or the resource that an extension's `scope` names.
static bool
find_id(TemplateScope *scope, Dyn resource, Str type, Str name, Str *id, Str *plain)
{
    Arena *arena = scope->expander->arena;
    PolicyValue value;
    Str on, base = scope->target;
    if (!scope_text(scope, dyn_get_ci(resource, STR("scope")), &on, &value))
        return false;
    if (value.kind == POLICY_UNKNOWN) {
        *id = (Str){0};
        *plain = type;
        return true;
    }
    if (on.len && on.ptr[0] == '/') {
        base = on;
    } else if (on.len) { // "Type/name" of a resource beside it: type and name segments alternate
        base = str_format(arena, "%.*s/providers/%.*s", STR_ARG(scope->target), STR_ARG(on));
    }
    *id = planned_id(arena, base, type, name, plain);
    return id->len || scope_fail(scope, AZ_INVALID,
                                 "the name '%.*s' does not fit the segments of the type '%.*s'",
                                 STR_ARG(name), STR_ARG(type));
}

static bool
is_left_out(Str key)
{
    static const Str NAMES[] = {STR_INIT("resources"), STR_INIT("copy"),     STR_INIT("condition"),
                                STR_INIT("dependsOn"), STR_INIT("comments"), STR_INIT("existing"),
                                STR_INIT("scope"),     STR_INIT("name"),     STR_INIT("type"),
                                STR_INIT("id"),        STR_INIT("metadata")};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (str_equal_ci(key, NAMES[i]))
            return true;
    return false;
}

static bool
add_resource(TemplateScope *scope, Dyn resource, const Place *place, const PolicyValue *open_name)
{
    Arena *arena = scope->expander->arena;
    uint32_t count = dyn_count(resource), kept = 0;
    Str *keys = ARENA_ARRAY(arena, Str, count + 3);
    PolicyValue *items = ARENA_ARRAY(arena, PolicyValue, count + 3);
    Str id = {0}, plain = place->type;
    if (!open_name && !find_id(scope, resource, place->type, place->name, &id, &plain))
        return false;
    if (!id.len) // the name decides: shown, never compared
        id = str_format(arena, "%.*s/providers/%.*s/(unknown)", STR_ARG(scope->target),
                        STR_ARG(place->type));
    keys[kept] = STR("id");
    items[kept++] = policy_text(id);
    keys[kept] = STR("type");
    items[kept++] = policy_text(plain);
    keys[kept] = STR("name");
    items[kept++] = open_name ? *open_name : policy_text(place->name);
    for (uint32_t i = 0; i < count; i++) {
        Str key = dyn_key_at(resource, i);
        PolicyValue source = policy_value_of(dyn_at(resource, i));
        if (is_left_out(key))
            continue;
        if (!scope_evaluate(scope, &source, &items[kept]))
            return false;
        keys[kept++] = key;
    }
    PolicyValue body = policy_object(keys, items, kept);
    Dyn tree = policy_to_tree(arena, &body);
    if (!tree.ptr)
        return scope_fail(scope, AZ_LIMIT, "%.*s nests too deep", STR_ARG(place->where));
    if (scope->expander->out->count >= RESOURCE_MOST)
        return scope_fail(scope, AZ_LIMIT, "the template deploys more than %d resources",
                          RESOURCE_MOST);
    planned_add(scope->expander->out,
                &(PlannedResource){.body = tree, .where = place->where, .unsure = place->unsure});
    return true;
}

// Whether it is deployed: the condition, false of what exists already.
static bool
is_deployed(TemplateScope *scope, Dyn resource, bool *out, Str *unsure)
{
    Dyn existing = dyn_get_ci(resource, STR("existing")), json;
    *out = !(dyn_kind(existing) == DYN_BOOL && dyn_bool(existing));
    json = dyn_get_ci(resource, STR("condition"));
    if (!*out || !json.ptr)
        return true;
    PolicyValue source = policy_value_of(json), value;
    if (!scope_evaluate(scope, &source, &value))
        return false;
    if (value.kind == POLICY_UNKNOWN) {
        const PlannedSet *set = scope->expander->out;
        *unsure = str_format(scope->expander->arena, "its condition depends on %.*s",
                             STR_ARG(set->unknowns[value.integer]));
        return true;
    }
    if (value.kind == POLICY_BOOL)
        *out = value.boolean;
    else if (value.kind == POLICY_STRING && str_equal_ci(value.text, STR("false")))
        *out = false;
    else if (value.kind != POLICY_STRING || !str_equal_ci(value.text, STR("true")))
        return scope_fail(scope, AZ_INVALID, "a condition is neither true nor false");
    return true;
}

static bool
expand_one(TemplateScope *scope, Dyn resource, const Place *place)
{
    Arena *arena = scope->expander->arena;
    Place own = *place;
    bool deployed;
    PolicyValue name_value, type_value;
    Str name, type;
    if (dyn_kind(resource) != DYN_BAG)
        return scope_fail(scope, AZ_INVALID, "%.*s is no object", STR_ARG(place->where));
    if (!is_deployed(scope, resource, &deployed, &own.unsure) ||
        (!deployed && !dyn_get_ci(resource, STR("resources")).ptr))
        return !scope->expander->error->code;
    if (!scope_text(scope, dyn_get_ci(resource, STR("type")), &type, &type_value) ||
        !scope_text(scope, dyn_get_ci(resource, STR("name")), &name, &name_value))
        return false;
    if (dyn_get_ci(resource, STR("import")).ptr || dyn_get_ci(resource, STR("extension")).ptr) {
        planned_note(scope->expander->out,
                     str_format(arena, "%.*s: a resource of an extension, no resource of Azure",
                                STR_ARG(place->where)));
        return true;
    }
    if (!type.len)
        return scope_fail(scope, AZ_INVALID, "%.*s has no type", STR_ARG(place->where));
    bool open = name_value.kind == POLICY_UNKNOWN || place->open_name;
    if (!name.len && !open)
        return scope_fail(scope, AZ_INVALID, "%.*s has no name", STR_ARG(place->where));
    own.type = place->type.len ? str_format(arena, "%.*s/%.*s", STR_ARG(place->type), STR_ARG(type))
                               : type;
    own.name = place->type.len ? str_format(arena, "%.*s/%.*s", STR_ARG(place->name), STR_ARG(name))
                               : name;
    own.open_name = open;
    if (str_equal_ci(own.type, DEPLOYMENT))
        return !deployed || expand_deployment(scope, resource, name, &own);
    if (place->open_name && name_value.kind != POLICY_UNKNOWN)
        name_value = scope_unknown(scope, "the name of the parent of %.*s", STR_ARG(place->where));
    if (deployed && !add_resource(scope, resource, &own, open ? &name_value : NULL))
        return false;
    Dyn children = dyn_get_ci(resource, STR("resources"));
    Place below = own;
    below.where = str_format(arena, "%.*s.", STR_ARG(own.where));
    // Children of what exists are deployed; those of what its condition leaves out are not.
    Dyn existing = dyn_get_ci(resource, STR("existing"));
    bool stands = deployed || (dyn_kind(existing) == DYN_BOOL && dyn_bool(existing));
    return !stands || !children.ptr || expand_list(scope, children, &below);
}

static bool
expand_loop(TemplateScope *scope, Dyn resource, Dyn loop, const Place *place)
{
    int64_t count;
    bool known, done = true;
    Place own = *place;
    if (!scope_count(scope, dyn_get_ci(loop, STR("count")), &count, &known))
        return false;
    if (!known) { // one turn shows what each would be, if there are any
        count = 1;
        own.unsure = STR("the number of turns of its loop is not known before");
    }
    CopyFrame frame = {.up = scope->copies, .name = dyn_string(dyn_get_ci(loop, STR("name")))};
    scope->copies = &frame;
    for (; done && frame.index < count; frame.index++) {
        own.where = str_format(scope->expander->arena, "%.*s#%lld", STR_ARG(place->where),
                               (long long)frame.index);
        done = expand_one(scope, resource, &own);
    }
    scope->copies = frame.up;
    return done;
}

// An array, or (languageVersion 2.0) an object by symbolic names.
static bool
expand_list(TemplateScope *scope, Dyn resources, const Place *place)
{
    bool named = dyn_kind(resources) == DYN_BAG;
    if (resources.ptr && !named && dyn_kind(resources) != DYN_ARRAY)
        return scope_fail(scope, AZ_INVALID, "%.*sresources is no list", STR_ARG(place->where));
    for (uint32_t i = 0; i < dyn_count(resources); i++) {
        Dyn resource = dyn_at(resources, i), loop = dyn_get_ci(resource, STR("copy"));
        Place own = *place;
        own.where = named ? str_format(scope->expander->arena, "%.*sresources.%.*s",
                                       STR_ARG(place->where), STR_ARG(dyn_key_at(resources, i)))
                          : str_format(scope->expander->arena, "%.*sresources[%u]",
                                       STR_ARG(place->where), i);
        if (!(dyn_kind(loop) == DYN_BAG ? expand_loop(scope, resource, loop, &own)
                                        : expand_one(scope, resource, &own)))
            return scope_fail(scope, AZ_INVALID, "%.*s cannot be expanded", STR_ARG(own.where));
    }
    return true;
}

// A whole parameter file, or its `parameters` alone.
static PolicyValue
parameters_of(Dyn json)
{
    Dyn inner = dyn_get_ci(json, STR("parameters"));
    return policy_value_of(dyn_kind(inner) == DYN_BAG ? inner : json);
}

bool
template_expand(Arena *arena, const TemplateOptions *options, Dyn template, PlannedSet *out,
                AzError *error)
{
    AzError own = {0};
    *out = (PlannedSet){.arena = arena};
    Expander expander = {.arena = arena, .options = options, .out = out, .error = &own};
    TemplateScope scope = {.expander = &expander, .target = options->scope};
    PolicyValue given = parameters_of(options->parameters);
    Dyn resources = dyn_get_ci(template, STR("resources"));
    if (dyn_kind(template) != DYN_BAG || !resources.ptr)
        return error_set(error, AZ_INVALID,
                         "this is no ARM template: an object with 'resources' is expected (a Bicep "
                         "file becomes one with 'bicep build')");
    scope_place(&scope);
    if (expand_template(&scope, template, given.kind == POLICY_OBJECT ? &given : NULL, &(Place){0}))
        return true;
    return error_set(error, own.code ? own.code : AZ_INVALID, "%s",
                     own.code ? own.message : "the template cannot be expanded");
}
