#include "azure/path/path_goal.h"

#include "base/array.h"
#include "base/buffer.h"

typedef struct Finder {
    const PathModel *model;
    Arena *arena;
    const PathGoal *goal;
    PathCapability capability;
    NodeList *out;
} Finder;

static void
add_node(Finder *finder, uint32_t node)
{
    if (node != UINT32_MAX && node)
        ARRAY_PUSH(finder->arena, finder->out, node);
}

static void
add_capability(Finder *finder, uint32_t index, PathCapability capability)
{
    const PathObject *object = path_object(finder->model, index);
    if (capability == CAP_CONTROL)
        add_node(finder, object->node);
    else if (object->capabilities)
        add_node(finder, object->capabilities[capability]);
}

static void
find_object(Finder *finder)
{
    uint32_t index = path_find(finder->model, finder->goal->object);
    if (index != UINT32_MAX)
        add_node(finder, path_object(finder->model, index)->node);
}

static bool
is_named(Str wanted, Str id, Str name)
{
    return !wanted.len || str_equal_ci(wanted, id) || str_equal_ci(wanted, name);
}

static void
find_directory_role(Finder *finder)
{
    const PathModel *model = finder->model;
    for (uint32_t i = 0; i < path_object_count(model); i++) {
        const PathObject *object = path_object(model, i);
        if (object->kind == OBJECT_DIRECTORY_ROLE &&
            is_named(finder->goal->object, object->type, object->name))
            add_node(finder, object->node);
    }
    uint32_t tenant = path_find(model, STR("tenant"));
    add_capability(finder, tenant, CAP_ANY_ROLE);
}

static void
find_permission(Finder *finder)
{
    const PathModel *model = finder->model;
    for (uint32_t i = 0; i < path_object_count(model); i++) {
        const PathObject *object = path_object(model, i);
        if (object->kind == OBJECT_PERMISSION &&
            is_named(finder->goal->object, object->id, object->name))
            add_node(finder, object->node);
    }
    uint32_t any = path_find(model, STR("tenant:permissions"));
    if (any != UINT32_MAX)
        add_node(finder, path_object(model, any)->node);
}

// Whether `above` is `scope` or one it lies in.
static bool
covers(const PathModel *model, uint32_t above, uint32_t scope)
{
    for (; scope != UINT32_MAX; scope = path_object(model, scope)->parent)
        if (scope == above)
            return true;
    return false;
}

static void
find_azure_role(Finder *finder)
{
    const PathModel *model = finder->model;
    uint32_t scope = finder->goal->scope.len ? path_find(model, finder->goal->scope) : UINT32_MAX;
    if (finder->goal->scope.len && scope == UINT32_MAX)
        return;
    for (uint32_t i = 0; i < path_object_count(model); i++) {
        const PathObject *object = path_object(model, i);
        if (object->kind != OBJECT_GRANT && object->kind != OBJECT_SCOPE &&
            object->kind != OBJECT_RESOURCE)
            continue;
        uint32_t at = object->kind == OBJECT_GRANT ? object->parent : i;
        if (finder->goal->scope.len && !covers(model, at, scope))
            continue;
        ptrdiff_t end = str_find(object->name, STR(" at "));
        Str role = str_slice(object->name, 0, end < 0 ? 0 : (size_t)end);
        if (object->kind != OBJECT_GRANT)
            add_capability(finder, i, CAP_ANY_ROLE);
        else if (is_named(finder->goal->object, object->type, role))
            add_node(finder, object->node);
    }
}

static void
find_capability(Finder *finder)
{
    const PathModel *model = finder->model;
    if (finder->goal->object.len) {
        uint32_t index = path_find(model, finder->goal->object);
        if (index != UINT32_MAX)
            add_capability(finder, index, finder->capability);
        return;
    }
    for (uint32_t i = 0; i < path_object_count(model); i++)
        if (path_object(model, i)->kind == OBJECT_RESOURCE)
            add_capability(finder, i, finder->capability);
}

static const struct {
    Str name;
    void (*find)(Finder *finder);
    PathCapability capability;
} KINDS[] = {
    {STR_INIT("principal"), find_object, CAP_CONTROL},
    {STR_INIT("memberOf"), find_object, CAP_CONTROL},
    {STR_INIT("entraRole"), find_directory_role, CAP_CONTROL},
    {STR_INIT("graphPermission"), find_permission, CAP_CONTROL},
    {STR_INIT("azureRole"), find_azure_role, CAP_ANY_ROLE},
    {STR_INIT("control"), find_capability, CAP_CONTROL},
    {STR_INIT("readData"), find_capability, CAP_READ},
    {STR_INIT("writeData"), find_capability, CAP_WRITE},
    {STR_INIT("invokeModel"), find_capability, CAP_INVOKE},
    {STR_INIT("readSecret"), find_capability, CAP_SECRETS},
    {STR_INIT("readPrompts"), find_capability, CAP_PROMPTS},
    {STR_INIT("listKeys"), find_capability, CAP_KEYS},
    {STR_INIT("disableDiagnostics"), find_capability, CAP_NO_DIAGNOSTICS},
    {STR_INIT("disableContentFilter"), find_capability, CAP_NO_FILTER},
    {STR_INIT("disableDefender"), find_capability, CAP_NO_DEFENDER},
    {STR_INIT("deployModel"), find_capability, CAP_DEPLOY},
    {STR_INIT("fineTune"), find_capability, CAP_FINE_TUNE},
    {STR_INIT("replaceModel"), find_capability, CAP_REPLACE},
    {STR_INIT("stealModel"), find_capability, CAP_MODEL},
    {STR_INIT("editAgent"), find_capability, CAP_EDIT_AGENT},
    {STR_INIT("changeGateway"), find_capability, CAP_GATEWAY},
    {STR_INIT("brokeredData"), find_capability, CAP_BROKERED},
};

bool
path_goal_is_kind(Str kind)
{
    for (size_t i = 0; i < COUNT_OF(KINDS); i++)
        if (str_equal_ci(kind, KINDS[i].name))
            return true;
    return false;
}

void
path_goal_kinds(Buffer *out)
{
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        buffer_text(out, i ? ", " : "");
        buffer_str(out, KINDS[i].name);
    }
}

void
path_goal_nodes(const PathModel *model, Arena *arena, const PathGoal *goal, NodeList *out)
{
    Finder finder = {.model = model, .arena = arena, .goal = goal, .out = out};
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        if (!str_equal_ci(goal->kind, KINDS[i].name))
            continue;
        finder.capability = KINDS[i].capability;
        KINDS[i].find(&finder);
    }
}
