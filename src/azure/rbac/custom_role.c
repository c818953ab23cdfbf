#include "azure/rbac/custom_role.h"

#include "value/json.h"

static void
write_names(Buffer *out, const Operation *const *operations, size_t count, bool is_data)
{
    const char *comma = "";
    for (size_t i = 0; i < count; i++) {
        if (operations[i]->is_data != is_data)
            continue;
        buffer_text(out, comma);
        json_write_string(out, operations[i]->name, false);
        comma = ",";
    }
}

// A management group's id begins with "/providers/" itself and stays whole.
static Str
around_resource(Str scope)
{
    static const Str PROVIDERS = STR_INIT("/providers/");
    for (size_t i = 1; i + PROVIDERS.len <= scope.len; i++)
        if (str_equal_ci(str_slice(scope, i, i + PROVIDERS.len), PROVIDERS))
            return str_slice(scope, 0, i);
    return scope;
}

Str
custom_role(Arena *arena, Str scope, const Operation *const *operations, size_t count)
{
    if (scope.len <= 1)
        return (Str){0};
    Buffer out = {0};
    buffer_text(&out, "{\"Actions\":[");
    write_names(&out, operations, count, false);
    buffer_text(&out, "],\"DataActions\":[");
    write_names(&out, operations, count, true);
    buffer_text(&out, "],\"AssignableScopes\":[");
    json_write_string(&out, around_resource(scope), false);
    buffer_text(&out, "]}");
    Str role = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return role;
}
