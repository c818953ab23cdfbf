// Taking the facts of a snapshot; the graph is made from them when all are there.

#include "azure/path/path_internal.h"

#include "azure/arm.h"
PathModel *
path_new(Arena *arena, const PathTables *tables, const AccessModel *access, int64_t at)
{
    PathModel *model = ARENA_NEW(arena, PathModel);
    model->arena = arena;
    model->tables = tables;
    model->access = access;
    model->at = at;
    map_init(&model->object_index, arena, true);
    map_init(&model->resource_index, arena, true);
    map_init(&model->role_actions, arena, true);
    map_init(&model->units, arena, true);
    map_init(&model->activation_rules, arena, true);
    path_add_evidence(model, (Str){0}, (Str){0});    // 0 is none
    path_add_node(model, NODE_STEP, 0, CAP_CONTROL); // and node 0 is no capability
    model->tenant = path_object_of(model, STR("tenant"), OBJECT_TENANT, STR("tenant"));
    model->internet = path_object_of(model, STR("internet"), OBJECT_INTERNET, STR("internet"));
    model->network = path_object_of(model, STR("network"), OBJECT_NETWORK, STR("inside network"));
    path_object_node(model, model->tenant);
    path_object_node(model, model->internet);
    path_object_node(model, model->network);
    return model;
}

static void
add_pair(PathModel *model, PairFacts *facts, uint32_t a, uint32_t b, Str id, bool flag)
{
    PairFact fact = {a, b, str_copy(model->arena, id), {0}, flag};
    ARRAY_PUSH(model->arena, facts, fact);
}

static uint32_t
named(PathModel *model, Str id)
{
    return path_object_of(model, id, OBJECT_UNKNOWN, (Str){0});
}

void
path_add_user(PathModel *model, Str id, Str name, bool is_guest, bool is_outside)
{
    if (!id.len)
        return;
    uint32_t user = path_object_of(model, id, is_guest ? OBJECT_GUEST : OBJECT_USER, name);
    model->objects.items[user].is_outside = is_outside;
    add_pair(model, &model->users, user, user, (Str){0}, false);
}

void
path_add_scope(PathModel *model, Str id, Str name)
{
    if (id.len)
        path_object_of(model, scope_normalise(model->arena, id), OBJECT_SCOPE, name);
}

void
path_add_group(PathModel *model, Str id, Str name, bool role_assignable, Str membership_rule)
{
    if (!id.len)
        return;
    GroupFact fact = {path_object_of(model, id, OBJECT_GROUP, name), role_assignable,
                      str_copy(model->arena, membership_rule)};
    ARRAY_PUSH(model->arena, &model->groups, fact);
}

void
path_add_application(PathModel *model, Str id, Str app_id, Str name)
{
    if (!id.len)
        return;
    ApplicationFact fact = {.object = path_object_of(model, id, OBJECT_APPLICATION, name),
                            .app_id = str_copy(model->arena, app_id),
                            .is_application = true};
    ARRAY_PUSH(model->arena, &model->applications, fact);
}

void
path_add_service_principal(PathModel *model, Str id, Str app_id, Str name, bool is_managed,
                           bool is_locked)
{
    if (!id.len)
        return;
    ObjectKind kind = is_managed ? OBJECT_MANAGED_IDENTITY : OBJECT_SERVICE_PRINCIPAL;
    ApplicationFact fact = {.object = path_object_of(model, id, kind, name),
                            .app_id = str_copy(model->arena, app_id),
                            .is_managed = is_managed,
                            .is_locked = is_locked};
    ARRAY_PUSH(model->arena, &model->applications, fact);
}

void
path_add_owner(PathModel *model, Str object, Str owner)
{
    if (object.len && owner.len)
        add_pair(model, &model->owners, named(model, object), named(model, owner), (Str){0}, false);
}

void
path_add_eligible(PathModel *model, Str group, Str principal, bool as_owner)
{
    if (group.len && principal.len)
        add_pair(model, &model->eligible, named(model, group), named(model, principal), (Str){0},
                 as_owner);
}

void
path_add_directory_role_actions(PathModel *model, Str role, Str name, Dyn actions)
{
    uint32_t count = dyn_kind(actions) == DYN_ARRAY ? dyn_count(actions) : 0, kept = 0;
    RoleActions *known = ARENA_NEW(model->arena, RoleActions);
    Str *items = ARENA_ARRAY(model->arena, Str, count);
    for (uint32_t i = 0; i < count; i++)
        if (dyn_kind(dyn_at(actions, i)) == DYN_STRING)
            items[kept++] = str_copy(model->arena, dyn_string(dyn_at(actions, i)));
    *known = (RoleActions){str_copy(model->arena, name), {items, kept}};
    if (role.len)
        map_put(&model->role_actions, str_copy(model->arena, role), known);
}

void
path_add_directory_assignment(PathModel *model, Str id, Str principal, Str role, Str scope,
                              bool is_eligible)
{
    if (!principal.len || !role.len)
        return;
    DirectoryFact fact = {
        .id = str_copy(model->arena, id),
        .role = str_copy(model->arena, role),
        .scope = str_copy(model->arena, scope.len ? scope : STR("/")),
        .principal = named(model, principal),
        .is_eligible = is_eligible,
    };
    ARRAY_PUSH(model->arena, &model->directory, fact);
}

void
path_add_unit(PathModel *model, Str id, Str name, Str membership_rule)
{
    if (!id.len)
        return;
    uint32_t unit = path_object_of(model, id, OBJECT_UNIT, name);
    Str *rule = ARENA_NEW(model->arena, Str);
    *rule = str_copy(model->arena, membership_rule);
    map_put(&model->units, model->objects.items[unit].id, rule);
}

void
path_add_unit_member(PathModel *model, Str unit, Str member)
{
    if (unit.len && member.len)
        add_pair(model, &model->unit_members, named(model, unit), named(model, member), (Str){0},
                 false);
}

void
path_add_permission(PathModel *model, Str assignment, Str principal, Str permission)
{
    if (!principal.len || !permission.len)
        return;
    Str id = str_format(model->arena, "permission:%.*s", STR_ARG(permission));
    add_pair(model, &model->permissions, named(model, principal),
             path_object_of(model, id, OBJECT_PERMISSION, permission), assignment, false);
}

static TokenFact
token(PathModel *model, uint32_t object, Str id, Str issuer, Str subject)
{
    return (TokenFact){object, str_copy(model->arena, id), str_copy(model->arena, issuer),
                       str_copy(model->arena, subject)};
}

void
path_add_federated(PathModel *model, Str id, Str object, Str issuer, Str subject)
{
    if (!object.len || !issuer.len || !subject.len)
        return;
    TokenFact fact = token(model, named(model, object), id, issuer, subject);
    ARRAY_PUSH(model->arena, &model->federated, fact);
}

void
path_add_external(PathModel *model, Str id, Str issuer, Str subject)
{
    if (!id.len)
        return;
    TokenFact fact =
        token(model, path_object_of(model, id, OBJECT_EXTERNAL, (Str){0}), id, issuer, subject);
    ARRAY_PUSH(model->arena, &model->external, fact);
}

void
path_add_credential(PathModel *model, Str location, Str of, Dyn readers)
{
    if (!location.len || !of.len)
        return;
    bool is_path = location.ptr[0] == '/';
    uint32_t place = is_path ? named(model, scope_normalise(model->arena, location))
                             : path_object_of(model, location, OBJECT_LOCATION, location);
    add_pair(model, &model->credentials, place, named(model, of), (Str){0}, false);
    for (uint32_t i = 0; dyn_kind(readers) == DYN_ARRAY && i < dyn_count(readers); i++)
        if (dyn_kind(dyn_at(readers, i)) == DYN_STRING && dyn_string(dyn_at(readers, i)).len)
            add_pair(model, &model->readers, place, named(model, dyn_string(dyn_at(readers, i))),
                     (Str){0}, false);
}

void
path_add_sql_role(PathModel *model, Str principal, Str role, Str scope)
{
    // Data Reader is the built-in definition ...0001, Data Contributor ...0002; what a role of
    // one's own allows is not in the data: it is taken to read.
    bool writes = str_ends(role, STR("00000000-0000-0000-0000-000000000002"));
    Str account = scope_normalise(model->arena, scope);
    ptrdiff_t below = str_find(account, STR("/dbs/"));
    if (below > 0)
        account = str_slice(account, 0, (size_t)below);
    if (principal.len && scope.len)
        add_pair(model, &model->sql_roles, named(model, principal), named(model, account), role,
                 writes);
}

void
path_add_resource(PathModel *model, Str id, Str type, Str kind, Dyn identity, Dyn properties)
{
    if (!id.len)
        return;
    Str normal = scope_normalise(model->arena, id);
    uint32_t object = path_object_of(model, normal, OBJECT_RESOURCE, (Str){0});
    bool is_new;
    MapEntry *entry = map_add(&model->resource_index, model->objects.items[object].id, &is_new);
    if (!is_new)
        return;
    entry->number = model->resources.len;
    // It may have been named before, as a scope and in another case.
    model->objects.items[object].kind = OBJECT_RESOURCE;
    model->objects.items[object].id = normal;
    model->objects.items[object].type = str_lower(model->arena, type);
    ResourceFact fact = {.object = object,
                         .kind = str_lower(model->arena, kind),
                         .identity = identity,
                         .properties = properties};
    ARRAY_PUSH(model->arena, &model->resources, fact);
}

// The nearest scope that both lie in.
static uint32_t
common_scope(const PathModel *model, uint32_t a, uint32_t b)
{
    for (uint32_t x = a; x != UINT32_MAX; x = model->objects.items[x].parent)
        for (uint32_t y = b; y != UINT32_MAX; y = model->objects.items[y].parent)
            if (x == y)
                return x;
    return UINT32_MAX;
}

void
path_add_custom_role(PathModel *model, Str id, Str name, Dyn assignable_scopes)
{
    uint32_t scope = UINT32_MAX;
    uint32_t count = dyn_kind(assignable_scopes) == DYN_ARRAY ? dyn_count(assignable_scopes) : 0;
    for (uint32_t i = 0; i < count; i++) {
        Dyn text = dyn_at(assignable_scopes, i);
        if (dyn_kind(text) != DYN_STRING)
            continue;
        uint32_t here = path_scope_of(model, dyn_string(text));
        scope = scope == UINT32_MAX ? here : common_scope(model, scope, here);
    }
    if (!id.len || scope == UINT32_MAX)
        return;
    Str key = str_format(model->arena, "customrole:%.*s", STR_ARG(arm_last_segment(id)));
    path_add_resource(model, key, STR("microsoft.authorization/roledefinitions"), (Str){0},
                      dyn_null(), dyn_null());
    uint32_t role =
        path_object_of(model, scope_normalise(model->arena, key), OBJECT_RESOURCE, name);
    if (model->objects.items[role].parent == UINT32_MAX && role != scope)
        model->objects.items[role].parent = scope;
}

void
path_add_prompt_log(PathModel *model, Str source, Str target)
{
    if (source.len && target.len)
        add_pair(model, &model->prompt_logs, named(model, scope_normalise(model->arena, source)),
                 named(model, scope_normalise(model->arena, target)), (Str){0}, false);
}

void
path_add_identity(PathModel *model, Str resource, Str principal)
{
    if (resource.len && principal.len)
        add_pair(model, &model->identities, named(model, scope_normalise(model->arena, resource)),
                 named(model, principal), (Str){0}, false);
}

ResourceFact *
path_resource_fact(const PathModel *model, Str id)
{
    const MapEntry *found = map_find(&model->resource_index, id);
    return found ? &model->resources.items[found->number] : NULL;
}
