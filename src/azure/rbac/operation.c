#include "azure/rbac/operation.h"

#include "azure/facts.h"
#include "base/array.h"
#include "value/json.h"

static bool
take_operation(void *context, Str line, AzError *error)
{
    (void)error;
    Map *operations = context;
    ptrdiff_t tab = str_find(line, STR("\t"));
    Operation *operation = ARENA_NEW(operations->arena, Operation);
    operation->name =
        str_copy(operations->arena, str_slice(line, 0, tab < 0 ? line.len : (size_t)tab));
    operation->is_data = tab >= 0;
    map_put(operations, operation->name, operation);
    return true;
}

typedef struct ClassReader {
    Arena *arena;
    struct {
        OperationClass *items;
        size_t len, cap;
    } classes;
} ClassReader;

static Str
member(Arena *arena, Dyn bag, const char *name)
{
    Dyn node = dyn_get(bag, str_from(name));
    return dyn_kind(node) == DYN_STRING ? str_copy(arena, dyn_string(node)) : (Str){0};
}

static bool
take_class(void *context, Str line, AzError *error)
{
    ClassReader *reader = context;
    Text tree;
    bool is_null;
    json_parse_text(reader->arena, line, &tree, &is_null);
    Dyn bag = is_null ? dyn_null() : dyn_of_text(&tree);
    OperationClass class = {
        .name = member(reader->arena, bag, "class"),
        .operation = member(reader->arena, bag, "operation"),
        .about = member(reader->arena, bag, "about"),
        .is_data = str_equal(member(reader->arena, bag, "plane"), STR("data")),
    };
    if (!class.name.len || !class.operation.len)
        return error_set(error, AZ_INVALID, "an operation class needs 'class' and 'operation'");
    ARRAY_PUSH(reader->arena, &reader->classes, class);
    return true;
}

bool
operation_facts_load(Arena *arena, const char *content, OperationFacts *out, AzError *error)
{
    ClassReader reader = {.arena = arena};
    map_init(&out->by_name, arena, true);
    bool done =
        facts_each_line(arena, content, "operations.txt", take_operation, &out->by_name, error) &&
        facts_each_line(arena, content, "operation-classes.jsonl", take_class, &reader, error);
    out->classes = reader.classes.items;
    out->class_count = (uint32_t)reader.classes.len;
    return done;
}

static bool
names(StrList patterns, Str operation)
{
    for (uint32_t i = 0; i < patterns.count; i++)
        if (str_equal_ci(patterns.items[i], operation))
            return true;
    return false;
}

OperationPlane
operation_plane(const OperationFacts *facts, const RoleSet *roles, Str operation)
{
    const Operation *known = map_get(&facts->by_name, operation);
    if (known)
        return known->is_data ? PLANE_DATA : PLANE_CONTROL;
    for (size_t i = 0; i < roles->by_id.len; i++) {
        const Role *role = roles->by_id.entries[i].pointer;
        for (uint32_t b = 0; b < role->block_count; b++) {
            if (names(role->blocks[b].actions, operation))
                return PLANE_CONTROL;
            if (names(role->blocks[b].data_actions, operation))
                return PLANE_DATA;
        }
    }
    return PLANE_UNKNOWN;
}
