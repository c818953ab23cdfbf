// Grants: a role at a scope, the principals that lead to it, the rules it passes, and what
// whoever may assign or edit roles makes of it.

#include "azure/path/path_azure.h"

#include "value/json.h"

static const RuleList *
rules_at(const AzureBuild *build, uint32_t index)
{
    const PathObject *at = &build->model->objects.items[index];
    return at->kind == OBJECT_RESOURCE ? path_rules_of(build->model->tables, at->type) : NULL;
}

// ---- grants ----

Str
azure_grant_name(AzureBuild *build, const Role *role, uint32_t scope)
{
    return str_format(build->model->arena, "%.*s at %.*s",
                      STR_ARG(role->name.len ? role->name : role->id),
                      STR_ARG(path_label(build->model, scope)));
}

// What a role that `assignment` stands for gives of an option, at its scope alone.
static AccessVerdict
option_verdict(AzureBuild *build, const Assignment *assignment, const RuleOption *option, Str scope)
{
    AccessVerdict least = ACCESS_ALLOWED;
    for (uint32_t i = 0; i < option->count; i++) {
        RuleOperation asked = option->operations[i];
        AccessVerdict verdict = coverage_of(build->coverage, assignment, asked.operation);
        ptrdiff_t provider = str_find(scope, STR("/providers/"));
        if ((asked.place == PLACE_CONTAINER && provider > 0) ||
            (asked.place == PLACE_UNCONDITIONAL && verdict < ACCESS_UNCERTAIN))
            verdict = ACCESS_NONE;
        if (verdict < least)
            least = verdict;
    }
    return least;
}

static AccessVerdict
rule_verdict(AzureBuild *build, const Assignment *assignment, const OperationRule *rule, Str scope)
{
    AccessVerdict best = ACCESS_NONE;
    for (uint32_t i = 0; i < rule->option_count; i++) {
        AccessVerdict verdict = option_verdict(build, assignment, &rule->options[i], scope);
        if (verdict > best)
            best = verdict;
    }
    return best;
}

static void
link_rule(AzureBuild *build, uint32_t grant, uint32_t scope, const OperationRule *rule,
          const Assignment *assignment)
{
    // Under a deny assignment each caller has been asked.
    if (azure_object(build, scope)->is_guarded)
        return;
    AccessVerdict verdict = rule_verdict(build, assignment, rule, azure_object(build, scope)->id);
    if (verdict >= ACCESS_CONDITIONAL)
        path_link_kind(build->model, grant, azure_object(build, scope)->rules[rule->index], NULL, 0,
                       verdict != ACCESS_ALLOWED);
}

// An assignment on a part of a resource: what it gives of data counts for the resource.
static void
link_parts(AzureBuild *build, uint32_t grant, uint32_t scope, const Assignment *assignment)
{
    uint32_t at = azure_object(build, scope)->parent;
    while (at != UINT32_MAX && azure_object(build, at)->kind != OBJECT_RESOURCE)
        at = azure_object(build, at)->parent;
    for (; at != UINT32_MAX && azure_object(build, at)->kind == OBJECT_RESOURCE;
         at = azure_object(build, at)->parent) {
        const RuleList *rules = rules_at(build, at);
        for (size_t i = 0; rules && azure_object(build, at)->rules && i < rules->len; i++)
            if (rules->items[i]->partial && azure_object(build, at)->rules[rules->items[i]->index])
                link_rule(build, grant, at, rules->items[i], assignment);
    }
}

static void link_role_assigning(AzureBuild *build, uint32_t grant, uint32_t scope,
                                const Assignment *assignment);

static uint32_t
grant_node(AzureBuild *build, const Assignment *assignment, uint32_t scope, Str variant)
{
    PathModel *model = build->model;
    Str key = str_format(model->arena, "grant:%.*s:%u:%.*s", STR_ARG(assignment->role->id), scope,
                         STR_ARG(variant));
    MapEntry *found = map_find(&model->object_index, key);
    if (found)
        return path_object_node(model, (uint32_t)found->number);
    uint32_t index =
        path_object_of(model, key, OBJECT_GRANT, azure_grant_name(build, assignment->role, scope));
    azure_object(build, index)->parent = scope;
    azure_object(build, index)->type = assignment->role->id;
    uint32_t grant = path_object_node(model, index);
    const uint32_t *rules = azure_object(build, scope)->rules;
    for (uint32_t i = 0; rules && i < model->tables->rule_count; i++)
        if (rules[i])
            link_rule(build, grant, scope, &model->tables->rules[i], assignment);
    link_parts(build, grant, scope, assignment);
    link_role_assigning(build, grant, scope, assignment);
    return grant;
}

// ---- assigning roles ----

static const Str OWNER = STR_INIT("8e3af657-a8ff-443c-a75c-2fe8c4bcb635");
static const Str USER_ACCESS = STR_INIT("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9");
static const Str RBAC_ADMIN = STR_INIT("f58310d9-a9f6-439a-9e8d-f62e7b41a168");

static bool
may_assign(AzureBuild *build, const Assignment *assignment, Str role)
{
    Str text = str_format(&build->arena,
                          "{\"Microsoft.Authorization/roleAssignments:RoleDefinitionId\":\"%.*s\"}",
                          STR_ARG(role));
    Text tree;
    bool is_null;
    json_parse_text(&build->arena, text, &tree, &is_null);
    AccessQuestion question = {.action = STR("Microsoft.Authorization/roleAssignments/write"),
                               .at = build->model->at};
    question.context.attributes[ATTRIBUTE_REQUEST] = dyn_of_text(&tree);
    ConditionContext context = access_context(build->model->access, &question);
    Assignment plain = {.role = assignment->role,
                        .condition = assignment->condition,
                        .condition_text = assignment->condition_text};
    return outcome_verdict(assignment_outcome(build->model->access, &build->arena, &plain,
                                              &question, &context, NULL)) >= ACCESS_CONDITIONAL;
}

static bool
is_guid_at(Str text, size_t at)
{
    for (size_t i = 0; i < 36; i++) {
        char c = text.ptr[at + i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex)
            return false;
    }
    return true;
}

static void
link_bounded(AzureBuild *build, uint32_t grant, uint32_t scope, const Assignment *assignment,
             Str role_id)
{
    const Role *role = role_set_find(build->model->access->roles, role_id);
    if (!role || role == assignment->role || !may_assign(build, assignment, role_id))
        return;
    Assignment given = {.role = role};
    uint32_t to = grant_node(build, &given, scope, STR("granted"));
    path_link_kind(build->model, grant, to, path_kind(build->model->tables, "GrantSelfRole"), 0,
                   true);
}

// The roles that a bounded right may assign: those its conditions name, and those whose
// holders would go furthest.
static void
link_named_roles(AzureBuild *build, uint32_t grant, uint32_t scope, const Assignment *assignment,
                 Str condition)
{
    for (size_t at = 0; condition.len >= 36 && at + 36 <= condition.len; at++)
        if (is_guid_at(condition, at)) {
            link_bounded(build, grant, scope, assignment, str_slice(condition, at, at + 36));
            at += 35;
        }
}

static void
link_role_assigning(AzureBuild *build, uint32_t grant, uint32_t scope, const Assignment *assignment)
{
    PathModel *model = build->model;
    if (azure_object(build, scope)->is_guarded || build->assign_roles == UINT32_MAX)
        return;
    AccessVerdict verdict = coverage_of(build->coverage, assignment, build->assign_roles);
    if (verdict >= ACCESS_UNCERTAIN) {
        uint32_t any = path_capability_node(model, scope, CAP_ANY_ROLE);
        path_link_kind(model, grant, any, path_kind(model->tables, "GrantSelfRole"), 0,
                       verdict != ACCESS_ALLOWED);
    } else if (verdict == ACCESS_CONDITIONAL) {
        link_bounded(build, grant, scope, assignment, OWNER);
        link_bounded(build, grant, scope, assignment, USER_ACCESS);
        link_bounded(build, grant, scope, assignment, RBAC_ADMIN);
        link_named_roles(build, grant, scope, assignment, assignment->condition_text);
        for (uint32_t i = 0; i < assignment->role->block_count; i++)
            link_named_roles(build, grant, scope, assignment,
                             assignment->role->blocks[i].condition_text);
    }
}

// ---- assignments ----

uint32_t
azure_principal_node(AzureBuild *build, uint32_t principal)
{
    const AccessModel *access = build->model->access;
    PrincipalKind kind = access_kind_of(access, principal);
    ObjectKind object = kind == PRINCIPAL_GROUP     ? OBJECT_GROUP
                        : kind == PRINCIPAL_FOREIGN ? OBJECT_EXTERNAL
                                                    : OBJECT_UNKNOWN;
    return path_object_node(build->model,
                            path_object_of(build->model, access_principal_id(access, principal),
                                           object, access_principal_name(access, principal)));
}

// A custom role that an attacker edits gives its holders whatever it likes.
static void
link_edited_role(AzureBuild *build, const Role *role, uint32_t grant, uint32_t scope)
{
    PathModel *model = build->model;
    Str key = str_format(&build->arena, "/customrole:%.*s", STR_ARG(role->id));
    uint32_t custom = role->is_built_in ? UINT32_MAX : path_find(model, key);
    if (custom == UINT32_MAX || azure_object(build, scope)->is_guarded)
        return;
    uint32_t all = path_add_node(model, NODE_ALL, scope, CAP_CONTROL);
    path_link(model, path_capability_node(model, custom, CAP_POLICY), all, NULL, 0);
    path_link(model, grant, all, NULL, 0);
    path_link(model, all, path_capability_node(model, scope, CAP_ANY_ROLE), NULL, 0);
}

// Assignments of the same variant give the same, so that they share a grant.
static Str
assignment_variant(AzureBuild *build, const Assignment *assignment, size_t index)
{
    if (assignment->condition_text.len)
        return str_format(build->model->arena, "%zu", index);
    return assignment->source == SOURCE_DELEGATION ? STR("delegated") : STR("");
}

static void
link_assignment(AzureBuild *build, const Assignment *assignment, uint32_t grant, uint32_t scope)
{
    PathModel *model = build->model;
    uint32_t principal = azure_principal_node(build, assignment->principal);
    Str name = azure_grant_name(build, assignment->role, scope);
    if (assignment->eligible) {
        path_activate(model, model->nodes.items[principal].object, grant, assignment->role->id,
                      assignment->scope, assignment->id, name);
        return;
    }
    bool is_delegated = assignment->source == SOURCE_DELEGATION;
    path_link(model, principal, grant, is_delegated ? "LighthouseDelegation" : "HasAzureRole",
              path_add_evidence(model, assignment->id, name));
}

static void
build_assignments(AzureBuild *build)
{
    PathModel *model = build->model;
    const AccessModel *access = model->access;
    for (size_t i = 0; i < access->assignments.len; i++) {
        const Assignment *assignment = &access->assignments.items[i];
        if (!assignment->role || !assignment_in_time(model, assignment))
            continue;
        uint32_t scope = path_scope_of(model, assignment->scope);
        uint32_t grant =
            grant_node(build, assignment, scope, assignment_variant(build, assignment, i));
        link_assignment(build, assignment, grant, scope);
        link_edited_role(build, assignment->role, grant, scope);
    }
}

// What a Global Administrator gets by elevating itself.
static void
build_elevation(AzureBuild *build)
{
    Assignment given = {.role = role_set_find(build->model->access->roles, USER_ACCESS)};
    if (given.role)
        build->model->elevated =
            grant_node(build, &given, path_scope_of(build->model, STR("/")), STR(""));
}

void
azure_build_grants(AzureBuild *build)
{
    build_assignments(build);
    build_elevation(build);
}
