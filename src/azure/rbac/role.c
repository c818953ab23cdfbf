// Role definitions from JSON, and which operations their blocks cover.

#include "azure/rbac/role.h"

#include "azure/arm.h"
#include "azure/facts.h"
#include "value/json.h"

void
role_set_init(RoleSet *set, Arena *arena)
{
    set->arena = arena;
    set->count = 0;
    map_init(&set->by_id, arena, true);
}

void
role_set_share(RoleSet *set, const RoleSet *base)
{
    for (size_t i = 0; i < base->by_id.len; i++)
        map_put(&set->by_id, base->by_id.entries[i].key, base->by_id.entries[i].pointer);
    if (set->count < base->count)
        set->count = base->count;
}

static StrList
read_list(Arena *arena, Dyn list)
{
    uint32_t count = dyn_kind(list) == DYN_ARRAY ? dyn_count(list) : 0;
    Str *items = ARENA_ARRAY(arena, Str, count);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        Str text = str_trim(dyn_string(dyn_at(list, i)));
        if (text.len)
            items[kept++] = str_copy(arena, text);
    }
    return (StrList){items, kept};
}

static void
read_block(Arena *arena, Dyn node, PermissionBlock *block)
{
    block->actions = read_list(arena, dyn_get_ci(node, STR("actions")));
    block->not_actions = read_list(arena, dyn_get_ci(node, STR("notActions")));
    block->data_actions = read_list(arena, dyn_get_ci(node, STR("dataActions")));
    block->not_data_actions = read_list(arena, dyn_get_ci(node, STR("notDataActions")));
    block->condition_text =
        str_copy(arena, str_trim(dyn_string(dyn_get_ci(node, STR("condition")))));
    if (!block->condition_text.len)
        return;
    AzError error = {0};
    block->condition = condition_parse(arena, block->condition_text, NULL, &error);
    if (!block->condition)
        block->condition_error = str_copy(arena, str_from(error.message));
}

uint32_t
role_read_blocks(Arena *arena, Dyn permissions, PermissionBlock **out)
{
    uint32_t count = dyn_kind(permissions) == DYN_ARRAY ? dyn_count(permissions) : 0;
    *out = ARENA_ARRAY(arena, PermissionBlock, count);
    for (uint32_t i = 0; i < count; i++)
        read_block(arena, dyn_at(permissions, i), &(*out)[i]);
    return count;
}

Role *
role_set_add(RoleSet *set, Dyn definition, bool is_built_in)
{
    Dyn body = arm_body(definition);
    Str id = arm_last_segment(dyn_string(dyn_get_ci(definition, STR("id"))));
    if (!id.len)
        id = dyn_string(dyn_get_ci(definition, STR("name")));
    if (!id.len)
        return NULL;

    Role *role = ARENA_NEW(set->arena, Role);
    role->index = set->count++;
    role->id = str_copy(set->arena, id);
    role->name = str_copy(set->arena, dyn_string(dyn_get_ci(body, STR("roleName"))));
    Dyn privileged = dyn_get_ci(body, STR("isPrivileged"));
    role->is_privileged = dyn_kind(privileged) == DYN_BOOL && dyn_bool(privileged);
    Str type = dyn_string(dyn_get_ci(body, STR("type")));
    role->is_built_in = is_built_in || str_equal_ci(type, STR("BuiltInRole"));
    Dyn blocks = dyn_get_ci(body, STR("permissions"));
    role->block_count = role_read_blocks(set->arena, blocks, &role->blocks);

    // A list of the tenant's roles seldom says which are privileged; the table does.
    const Role *known = map_get(&set->by_id, role->id);
    role->is_privileged |= known && known->is_privileged;
    map_put(&set->by_id, role->id, role);
    return role;
}

const Role *
role_set_find(const RoleSet *set, Str role_definition_id)
{
    return map_get(&set->by_id, arm_last_segment(role_definition_id));
}

static bool
take_role(void *context, Str line, AzError *error)
{
    RoleSet *set = context;
    Text tree;
    bool is_null;
    json_parse_text(set->arena, line, &tree, &is_null);
    return (!is_null && role_set_add(set, dyn_of_text(&tree), true)) ||
           error_set(error, AZ_INVALID, "a role definition with an id is expected");
}

bool
role_set_add_built_in(RoleSet *set, const char *content, AzError *error)
{
    return facts_each_line(set->arena, content, "builtin-roles.jsonl", take_role, set, error);
}

static bool
any_covers(StrList patterns, Str action, StarSegment star)
{
    for (uint32_t i = 0; i < patterns.count; i++)
        if (action_matches(patterns.items[i], action, star))
            return true;
    return false;
}

bool
role_may_cover(const Role *role, Str action, bool is_data, StarSegment star)
{
    for (uint32_t i = 0; i < role->block_count; i++)
        if (permission_covers(&role->blocks[i], action, is_data, star) != BLOCK_NO)
            return true;
    return false;
}

BlockVerdict
permission_covers(const PermissionBlock *block, Str action, bool is_data, StarSegment star)
{
    StrList grants = is_data ? block->data_actions : block->actions;
    StrList takes = is_data ? block->not_data_actions : block->not_actions;
    if (!any_covers(grants, action, star) || any_covers(takes, action, STAR_SEGMENT_LITERAL))
        return BLOCK_NO;
    if (star == STAR_SEGMENT_ZERO && any_covers(takes, action, STAR_SEGMENT_ZERO))
        return BLOCK_UNCERTAIN;
    return BLOCK_YES;
}
