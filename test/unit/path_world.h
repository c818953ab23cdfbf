// A tenant of a few ids for the tests of attack paths: what is in it, and how far somebody
// comes in it.
#pragma once

#include "azure/path/path_model.h"
#include "azure/path/path_search.h"
#include "value/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define GLOBAL_ADMINISTRATOR "62e90394-69f5-4237-9190-012177145e10"
#define OWNER                "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
#define CONTRIBUTOR          "b24988ac-6180-42a0-ab88-20f7382dd24c"
#define READER               "acdd72a7-3385-48ef-bd42-f606fba81ae7"
#define RG                   "/subscriptions/s/resourceGroups/rg"
#define VAULT                RG "/providers/Microsoft.KeyVault/vaults/kv"
#define MODEL                RG "/providers/Microsoft.CognitiveServices/accounts/ai"
#define IDENTITY             RG "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id"

typedef struct World {
    Arena arena;
    RoleSet roles;
    ScopeTree scopes;
    AccessModel *access;
    PathTables tables;
    PathModel *model;
} World;

static inline const char *
content(void)
{
    const char *dir = getenv("AZIMUTH_CONTENT");
    return dir ? dir : "content";
}

static inline World *
open_world(void)
{
    World *world = calloc(1, sizeof *world);
    AzError error = {0};
    role_set_init(&world->roles, &world->arena);
    scope_tree_init(&world->scopes, &world->arena);
    assert_true(role_set_add_built_in(&world->roles, content(), &error));
    assert_true(path_tables_load(&world->arena, content(), &world->tables, &error));
    world->access = access_new(&world->arena, &world->roles, &world->scopes, STAR_SEGMENT_ZERO);
    world->model = path_new(&world->arena, &world->tables, world->access, 1000);
    return world;
}

static inline void
close_world(World *world)
{
    arena_free(&world->arena);
    free(world);
}

static inline void
assign(World *world, const char *principal, const char *role, const char *scope)
{
    AssignmentRecord record = {.id = STR("assignment"),
                               .principal = str_from(principal),
                               .role_definition_id = str_from(role),
                               .scope = str_from(scope)};
    access_add_assignment(world->access, &record);
}

static inline Dyn
json(World *world, const char *text)
{
    Text *tree = ARENA_NEW(&world->arena, Text);
    bool is_null;
    json_parse_text(&world->arena, str_from(text), tree, &is_null);
    return dyn_of_text(tree);
}

static inline void
resource(World *world, const char *id, const char *type, const char *identity,
         const char *properties)
{
    path_add_resource(world->model, str_from(id), str_from(type), (Str){0}, json(world, identity),
                      json(world, properties));
}

static inline void
finish(World *world)
{
    access_finish(world->access);
    path_finish(world->model);
}

static inline uint32_t
node_of(const World *world, const char *id, PathCapability capability)
{
    uint32_t index = path_find(world->model, str_from(id));
    assert_int_not_equal(index, UINT32_MAX);
    const PathObject *object = path_object(world->model, index);
    if (capability == CAP_CONTROL)
        return object->node;
    return object->capabilities ? object->capabilities[capability] : 0;
}

// Attack steps from one principal to a capability; -1 when it is out of reach.
static inline int
steps_to(World *world, const char *from, const char *to, PathCapability capability)
{
    PathSearch *search = path_search_new(world->model, &world->arena);
    uint32_t start = node_of(world, from, CAP_CONTROL), goal = node_of(world, to, capability);
    if (start == UINT32_MAX || goal == UINT32_MAX || !goal)
        return -1;
    path_search_run(search, &start, 1, true, NULL);
    if (!path_search_reached(search, goal))
        return -1;
    return (int)path_search_path(search, &world->arena, goal).attack_steps;
}
