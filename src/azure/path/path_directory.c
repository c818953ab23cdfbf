// Edges of Entra ID: memberships, owners, directory roles, permissions of Graph.
//
// A directory role or a permission that reaches every application, group or user of the
// tenant leads to one hidden node that stands for all of them. Roles at an administrative
// unit reach its members, roles at an object that object. Who can reset whose password
// hangs on the roles the other holds and on role-assignable groups.

#include "azure/path/path_internal.h"

#include "azure/rbac/access_internal.h"

static const Str GLOBAL_ADMINISTRATOR = STR_INIT("62e90394-69f5-4237-9190-012177145e10");

typedef struct RoleIds {
    Str *items;
    size_t len, cap;
} RoleIds;

typedef struct DirectoryBuild {
    PathModel *model;
    Arena arena;
    Map group_facts;       // id -> GroupFact*
    Map application_facts; // id -> ApplicationFact*
    Map sets;              // what a set stands for -> node
    Map members;           // unit id -> ObjectList*
    Map roles;             // user id -> RoleIds*: directory roles held now
    Map shielded;          // user ids: in a role-assignable group, or its owner
    uint32_t any_role, any_permission, trust, authority, sign_in, attributes;
} DirectoryBuild;

static const PathObject *
object(const DirectoryBuild *build, uint32_t index)
{
    return &build->model->objects.items[index];
}

// A node of the tenant as a whole.
static uint32_t
tenant_node(DirectoryBuild *build, const char *id, Str name)
{
    return path_object_node(build->model,
                            path_object_of(build->model, str_from(id), OBJECT_TENANT, name));
}

static bool
list_has(StrList list, Str wanted)
{
    for (uint32_t i = 0; i < list.count; i++)
        if (str_equal_ci(list.items[i], wanted))
            return true;
    return false;
}

// ---- who holds what, for the protection of administrators ----

typedef struct HeldRole {
    DirectoryBuild *build;
    Str role;
} HeldRole;

static void
note_role(void *context, Str id, bool has_members)
{
    const HeldRole *held = context;
    DirectoryBuild *build = held->build;
    bool is_new;
    (void)has_members;
    MapEntry *entry = map_add(&build->roles, id, &is_new);
    if (is_new)
        entry->pointer = ARENA_NEW(&build->arena, RoleIds);
    RoleIds *roles = entry->pointer;
    ARRAY_PUSH(&build->arena, roles, held->role);
}

static void
note_shielded(void *context, Str id, bool has_members)
{
    DirectoryBuild *build = context;
    (void)has_members;
    map_add(&build->shielded, id, NULL);
}

static const GroupFact *
group_of(const DirectoryBuild *build, uint32_t index)
{
    return map_get(&build->group_facts, object(build, index)->id);
}

static void
read_holders(DirectoryBuild *build)
{
    PathModel *model = build->model;
    for (size_t i = 0; i < model->directory.len; i++) {
        const DirectoryFact *fact = &model->directory.items[i];
        HeldRole held = {build, fact->role};
        if (!fact->is_eligible)
            path_each_member(model, fact->principal, note_role, &held);
    }
    for (size_t i = 0; i < model->groups.len; i++)
        if (model->groups.items[i].role_assignable)
            path_each_member(model, model->groups.items[i].object, note_shielded, build);
    for (size_t i = 0; i < model->owners.len; i++) {
        const GroupFact *group = group_of(build, model->owners.items[i].a);
        if (group && group->role_assignable)
            map_add(&build->shielded, object(build, model->owners.items[i].b)->id, NULL);
    }
}

// Whether a rule with a list of roles reaches the user.
static bool
may_reset(const DirectoryBuild *build, const DirectoryRule *rule, Str user)
{
    if (!rule->is_bounded)
        return true;
    if (map_find(&build->shielded, user))
        return false;
    const RoleIds *roles = map_get(&build->roles, user);
    for (size_t i = 0; roles && i < roles->len; i++)
        if (!list_has(rule->only, roles->items[i]))
            return false;
    return true;
}

// ---- sets ----

static bool
can_take_secret(const DirectoryBuild *build, uint32_t index, bool principals_only)
{
    const ApplicationFact *fact = map_get(&build->application_facts, object(build, index)->id);
    return fact && !fact->is_managed && !fact->is_locked &&
           !(principals_only && fact->is_application);
}

static bool
takes_members(const DirectoryBuild *build, uint32_t index, bool role_assignable)
{
    const GroupFact *fact = group_of(build, index);
    return fact && !fact->membership_rule.len && fact->role_assignable == role_assignable;
}

static bool
rule_reaches(const DirectoryBuild *build, const DirectoryRule *rule, uint32_t index)
{
    ObjectKind kind = object(build, index)->kind;
    if (str_equal(rule->to, STR("applications")))
        return can_take_secret(build, index, false);
    if (str_equal(rule->to, STR("servicePrincipals")))
        return can_take_secret(build, index, true);
    if (str_equal(rule->to, STR("groups")))
        return takes_members(build, index, false);
    if (str_equal(rule->to, STR("roleAssignableGroups")))
        return takes_members(build, index, true);
    return str_equal(rule->to, STR("users")) && (kind == OBJECT_USER || kind == OBJECT_GUEST) &&
           may_reset(build, rule, object(build, index)->id);
}

static void
add_to_set(DirectoryBuild *build, uint32_t set, const DirectoryRule *rule, uint32_t index)
{
    if (rule_reaches(build, rule, index))
        path_link(build->model, set, path_object_node(build->model, index), NULL, 0);
}

// The node for all that the rule reaches in the tenant, or in a unit.
static uint32_t
set_node(DirectoryBuild *build, const DirectoryRule *rule, Str unit)
{
    PathModel *model = build->model;
    Str key = str_format(&build->arena, "%.*s:%u:%.*s", STR_ARG(rule->to),
                         rule->is_bounded ? (uint32_t)(rule - model->tables->directory) + 1 : 0,
                         STR_ARG(unit));
    bool is_new;
    MapEntry *entry = map_add(&build->sets, key, &is_new);
    if (!is_new)
        return (uint32_t)entry->number;
    uint32_t set = path_add_node(model, NODE_SET, model->tenant, CAP_CONTROL);
    entry->number = set;
    if (unit.len) {
        const ObjectList *members = map_get(&build->members, unit);
        for (size_t i = 0; members && i < members->len; i++)
            add_to_set(build, set, rule, members->items[i]);
        return set;
    }
    for (size_t i = 0; i < model->users.len; i++)
        add_to_set(build, set, rule, model->users.items[i].a);
    for (size_t i = 0; i < model->groups.len; i++)
        add_to_set(build, set, rule, model->groups.items[i].object);
    for (size_t i = 0; i < model->applications.len; i++)
        add_to_set(build, set, rule, model->applications.items[i].object);
    return set;
}

// ---- rules ----

// The tenant-wide thing a rule leads to; 0 when it leads to objects.
static uint32_t
tenant_target(DirectoryBuild *build, Str to)
{
    const struct {
        Str to;
        uint32_t node;
    } TARGETS[] = {
        {STR("permissions"), build->any_permission},
        {STR("directoryRoles"), build->any_role},
        {STR("certificateAuthority"), build->authority},
        {STR("certificateSignIn"), build->sign_in},
        {STR("federation"), build->trust},
        {STR("attributes"), build->attributes},
        {STR("azureRoot"), build->model->elevated},
    };
    for (size_t i = 0; i < COUNT_OF(TARGETS); i++)
        if (str_equal(to, TARGETS[i].to))
            return TARGETS[i].node;
    if (str_equal(to, STR("conditionalAccess")))
        return path_capability_node(build->model, build->model->tenant, CAP_POLICY);
    return 0;
}

static bool
is_object_rule(Str to)
{
    static const Str OBJECTS[] = {STR_INIT("applications"), STR_INIT("servicePrincipals"),
                                  STR_INIT("groups"), STR_INIT("roleAssignableGroups"),
                                  STR_INIT("users")};
    for (size_t i = 0; i < COUNT_OF(OBJECTS); i++)
        if (str_equal(to, OBJECTS[i]))
            return true;
    return false;
}

// Trust in a certificate authority takes two things; each alone is no step.
static bool
is_half(Str to)
{
    return str_equal(to, STR("certificateAuthority")) || str_equal(to, STR("certificateSignIn")) ||
           str_equal(to, STR("federation"));
}

static void
link_unit(DirectoryBuild *build, uint32_t node, const DirectoryRule *rule, Str unit)
{
    PathModel *model = build->model;
    path_link_kind(model, node, set_node(build, rule, unit), rule->kind, 0, false);
    const Str *membership = map_get(&model->units, unit);
    if (!membership || str_find(*membership, STR("user.")) < 0 ||
        !str_equal(rule->to, STR("users")))
        return;
    // Whoever edits the attribute that the unit goes by puts anybody into it.
    uint32_t index = path_object_of(model, unit, OBJECT_UNIT, (Str){0});
    uint32_t all = path_add_node(model, NODE_ALL, index, CAP_CONTROL);
    uint32_t filled = path_capability_node(model, index, CAP_WRITE);
    path_link(model, build->attributes, filled, "DynamicMembership", 0);
    path_link(model, filled, all, NULL, 0);
    path_link(model, node, all, NULL, 0);
    path_link_kind(model, all, set_node(build, rule, (Str){0}), rule->kind, 0, false);
}

static void
apply_rule(DirectoryBuild *build, uint32_t node, const DirectoryRule *rule, Str scope)
{
    static const Str UNIT = STR_INIT("/administrativeUnits/");
    bool everywhere = str_equal(scope, STR("/"));
    if (!is_object_rule(rule->to)) {
        uint32_t target = everywhere ? tenant_target(build, rule->to) : 0;
        if (target)
            path_link_kind(build->model, node, target, is_half(rule->to) ? NULL : rule->kind, 0,
                           false);
    } else if (everywhere) {
        path_link_kind(build->model, node, set_node(build, rule, (Str){0}), rule->kind, 0, false);
    } else if (scope.len > UNIT.len && str_equal_ci(str_slice(scope, 0, UNIT.len), UNIT)) {
        link_unit(build, node, rule, str_slice(scope, UNIT.len, scope.len));
    } else {
        uint32_t target = path_find(build->model, str_slice(scope, 1, scope.len));
        if (target != UINT32_MAX && rule_reaches(build, rule, target))
            path_link_kind(build->model, node, path_object_node(build->model, target), rule->kind,
                           0, false);
    }
}

static bool
role_matches(const DirectoryBuild *build, const DirectoryRule *rule, Str role)
{
    if (list_has(rule->roles, role))
        return true;
    const RoleActions *custom = map_get(&build->model->role_actions, role);
    for (uint32_t i = 0; custom && i < custom->actions.count; i++)
        if (list_has(rule->actions, custom->actions.items[i]))
            return true;
    return false;
}

static uint32_t
role_node(DirectoryBuild *build, Str role, Str scope)
{
    PathModel *model = build->model;
    Str key = str_format(model->arena, "role:%.*s:%.*s", STR_ARG(role), STR_ARG(scope));
    const RoleActions *custom = map_get(&model->role_actions, role);
    Str name = custom && custom->role.len ? custom->role : path_role_name(model->tables, role);
    bool is_new = !map_find(&model->object_index, key);
    uint32_t index = path_object_of(model, key, OBJECT_DIRECTORY_ROLE, name);
    uint32_t node = path_object_node(model, index);
    if (!is_new)
        return node;
    model->objects.items[index].type = str_copy(model->arena, role);
    for (uint32_t i = 0; i < model->tables->directory_count; i++)
        if (role_matches(build, &model->tables->directory[i], role))
            apply_rule(build, node, &model->tables->directory[i], scope);
    return node;
}

static void
build_roles(DirectoryBuild *build)
{
    PathModel *model = build->model;
    // Whoever grants roles grants itself the one that all others follow from.
    path_link(model, build->any_role, role_node(build, GLOBAL_ADMINISTRATOR, STR("/")), NULL, 0);
    for (size_t i = 0; i < model->directory.len; i++) {
        const DirectoryFact *fact = &model->directory.items[i];
        uint32_t node = role_node(build, fact->role, fact->scope);
        Str name = path_role_name(model->tables, fact->role);
        if (fact->is_eligible)
            path_activate(model, fact->principal, node, fact->role, STR("/"), fact->id, name);
        else
            path_link(model, path_object_node(model, fact->principal), node, "HasEntraRole",
                      path_add_evidence(model, fact->id, name));
    }
}

static uint32_t
permission_node(DirectoryBuild *build, Str permission, Map *done)
{
    PathModel *model = build->model;
    Str id = str_format(&build->arena, "permission:%.*s", STR_ARG(permission));
    uint32_t node =
        path_object_node(model, path_object_of(model, id, OBJECT_PERMISSION, permission));
    bool is_new;
    map_add(done, id, &is_new);
    for (uint32_t i = 0; is_new && i < model->tables->directory_count; i++)
        if (list_has(model->tables->directory[i].permissions, permission))
            apply_rule(build, node, &model->tables->directory[i], STR("/"));
    return node;
}

static void
build_permissions(DirectoryBuild *build)
{
    PathModel *model = build->model;
    Map done;
    map_init(&done, &build->arena, true);
    for (uint32_t i = 0; i < model->tables->directory_count; i++) {
        StrList names = model->tables->directory[i].permissions;
        for (uint32_t j = 0; j < names.count; j++)
            path_link(model, build->any_permission, permission_node(build, names.items[j], &done),
                      NULL, 0);
    }
    for (size_t i = 0; i < model->permissions.len; i++) {
        const PairFact *fact = &model->permissions.items[i];
        Str name = object(build, fact->b)->name;
        path_link(model, path_object_node(model, fact->a), permission_node(build, name, &done),
                  "HasGraphPermission", path_add_evidence(model, fact->id, name));
    }
}

// ---- members, owners, applications ----

static void
build_groups(DirectoryBuild *build)
{
    PathModel *model = build->model;
    const AccessModel *access = model->access;
    for (size_t i = 0; i < access->members.len; i++) {
        const MemberEdge *edge = &access->members.items[i];
        uint32_t group =
            path_object_of(model, access_principal_id(access, edge->group), OBJECT_GROUP, (Str){0});
        uint32_t member = path_object_of(model, access_principal_id(access, edge->member),
                                         OBJECT_UNKNOWN, (Str){0});
        path_link(model, path_object_node(model, member), path_object_node(model, group),
                  "MemberOf", 0);
    }
    for (size_t i = 0; i < model->eligible.len; i++) {
        const PairFact *fact = &model->eligible.items[i];
        uint32_t group = path_object_node(model, fact->a), owner = group;
        if (fact->flag) {
            const GroupFact *known = group_of(build, fact->a);
            owner = path_capability_node(model, fact->a, CAP_POLICY);
            if (!known || !known->membership_rule.len)
                path_link(model, owner, group, "AddSelfToOwnedGroup", 0);
        }
        path_activate(model, fact->b, owner, fact->flag ? STR("owner") : STR("member"),
                      object(build, fact->a)->id, (Str){0}, (Str){0});
    }
    for (size_t i = 0; i < model->groups.len; i++) {
        const GroupFact *group = &model->groups.items[i];
        if (str_find(group->membership_rule, STR("user.")) < 0)
            continue;
        uint32_t all = path_add_node(model, NODE_ALL, group->object, CAP_CONTROL);
        if (!model->any_user)
            model->any_user = path_add_node(model, NODE_STEP, model->tenant, CAP_CONTROL);
        path_link(model, model->any_user, all, NULL, 0);
        path_link(model, build->attributes, all, NULL, 0);
        path_link(model, all, path_object_node(model, group->object), "DynamicMembership", 0);
    }
    for (size_t i = 0; model->any_user && i < model->users.len; i++)
        path_link(model, path_object_node(model, model->users.items[i].a), model->any_user, NULL,
                  0);
}

static void
build_owners(DirectoryBuild *build)
{
    PathModel *model = build->model;
    for (size_t i = 0; i < model->owners.len; i++) {
        const PairFact *fact = &model->owners.items[i];
        const GroupFact *group = group_of(build, fact->a);
        uint32_t owner = path_object_node(model, fact->b);
        if (group && !group->membership_rule.len)
            path_link(model, owner, path_object_node(model, fact->a), "AddSelfToOwnedGroup", 0);
        else if (can_take_secret(build, fact->a, false))
            path_link(model, owner, path_object_node(model, fact->a), "AddSecretAsOwner", 0);
    }
    Map by_app; // appId -> application
    map_init(&by_app, &build->arena, true);
    for (size_t i = 0; i < model->applications.len; i++) {
        ApplicationFact *fact = &model->applications.items[i];
        if (fact->is_application && fact->app_id.len)
            map_put(&by_app, fact->app_id, fact);
    }
    for (size_t i = 0; i < model->applications.len; i++) {
        const ApplicationFact *fact = &model->applications.items[i];
        const ApplicationFact *of = map_get(&by_app, fact->app_id);
        if (!fact->is_application && !fact->is_managed && of)
            path_link(model, path_object_node(model, of->object),
                      path_object_node(model, fact->object), "RunsAs", 0);
    }
}

static void
index_facts(DirectoryBuild *build)
{
    PathModel *model = build->model;
    Map *maps[] = {&build->group_facts, &build->application_facts, &build->sets, &build->members,
                   &build->roles,       &build->shielded};
    for (size_t i = 0; i < COUNT_OF(maps); i++)
        map_init(maps[i], &build->arena, true);
    for (size_t i = 0; i < model->groups.len; i++)
        map_put(&build->group_facts, object(build, model->groups.items[i].object)->id,
                &model->groups.items[i]);
    for (size_t i = 0; i < model->applications.len; i++)
        map_put(&build->application_facts, object(build, model->applications.items[i].object)->id,
                &model->applications.items[i]);
    for (size_t i = 0; i < model->unit_members.len; i++) {
        const PairFact *fact = &model->unit_members.items[i];
        bool is_new;
        MapEntry *entry = map_add(&build->members, object(build, fact->a)->id, &is_new);
        if (is_new)
            entry->pointer = ARENA_NEW(&build->arena, ObjectList);
        ObjectList *members = entry->pointer;
        ARRAY_PUSH(&build->arena, members, fact->b);
    }
}

void
path_build_directory(PathModel *model)
{
    DirectoryBuild build = {.model = model};
    index_facts(&build);
    build.any_role = path_capability_node(model, model->tenant, CAP_ANY_ROLE);
    build.any_permission = tenant_node(&build, "tenant:permissions", STR("tenant"));
    build.trust = tenant_node(&build, "tenant:trust", STR("tenant"));
    build.authority = path_add_node(model, NODE_STEP, model->tenant, CAP_CONTROL);
    build.sign_in = path_add_node(model, NODE_STEP, model->tenant, CAP_CONTROL);
    build.attributes = tenant_node(&build, "tenant:attributes", STR("attributes of users"));
    uint32_t both = path_add_node(model, NODE_ALL, model->tenant, CAP_CONTROL);
    path_link(model, build.authority, both, NULL, 0);
    path_link(model, build.sign_in, both, NULL, 0);
    path_link(model, both, build.trust, "TrustRogueCA", 0);
    DirectoryRule everybody = {.to = STR_INIT("users")};
    path_link(model, build.trust, set_node(&build, &everybody, (Str){0}), "ImpersonateUser", 0);
    read_holders(&build);
    build_groups(&build);
    build_owners(&build);
    build_roles(&build);
    build_permissions(&build);
    arena_free(&build.arena);
}
