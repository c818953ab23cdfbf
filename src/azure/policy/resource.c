// Resources as the engine sees them.

#include "azure/policy/policy.h"

#include "azure/arm.h"
#include <string.h>

// Spaces removed, lower case: "East US 2" is eastus2.
static Str
normal_location(Arena *arena, Str text)
{
    bool plain = true;
    for (size_t i = 0; i < text.len; i++)
        plain &= text.ptr[i] != ' ' && !(text.ptr[i] >= 'A' && text.ptr[i] <= 'Z');
    if (plain)
        return text;
    char *out = arena_alloc(arena, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c != ' ')
            out[len++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return (Str){out, len};
}

// The part of an id behind /NAME/, without regard to case.
static Str
id_part(Str id, Str name)
{
    size_t at = 0;
    while (at < id.len) {
        size_t from = at + (id.ptr[at] == '/'), end = from;
        while (end < id.len && id.ptr[end] != '/')
            end++;
        if (str_equal_ci(str_slice(id, from, end), name)) {
            size_t next = end + 1, stop = next;
            while (stop < id.len && id.ptr[stop] != '/')
                stop++;
            return str_slice(id, next, stop);
        }
        at = end < from + 1 ? end + 1 : end;
    }
    return (Str){0};
}

// Names of the resource and its parents: every second part behind the last provider.
static Str
full_name_of(Arena *arena, Str id, Str name)
{
    ptrdiff_t providers = -1;
    static const Str MARK = STR_INIT("/providers/");
    for (size_t i = 0; i + MARK.len <= id.len; i++)
        if (str_equal_ci(str_slice(id, i, i + MARK.len), MARK))
            providers = (ptrdiff_t)i;
    if (providers < 0 || memchr(name.ptr ? name.ptr : "", '/', name.len))
        return name;
    Str rest = str_slice(id, (size_t)providers + MARK.len, id.len);
    char *out = arena_alloc(arena, rest.len + 1);
    size_t len = 0, part = 0;
    while (rest.len) {
        const char *slash = memchr(rest.ptr, '/', rest.len);
        size_t size = slash ? (size_t)(slash - rest.ptr) : rest.len;
        if (part >= 2 && part % 2 == 0) {
            if (len)
                out[len++] = '/';
            memcpy(out + len, rest.ptr, size);
            len += size;
        }
        part++;
        rest = str_slice(rest, size + 1, rest.len);
    }
    return len ? (Str){out, len} : name;
}

void
policy_resource_init(PolicyResource *resource, Arena *arena, const AliasTable *aliases, Dyn body)
{
    *resource = (PolicyResource){.body = body};
    resource->id = dyn_string(dyn_get_ci(body, STR("id")));
    resource->type = dyn_string(dyn_get_ci(body, STR("type")));
    resource->kind = dyn_string(dyn_get_ci(body, STR("kind")));
    Str name = dyn_string(dyn_get_ci(body, STR("name")));
    resource->name = arm_last_segment(name);
    resource->full_name = dyn_string(dyn_get_ci(body, STR("fullName")));
    if (!resource->full_name.len)
        resource->full_name = full_name_of(arena, resource->id, name);
    Dyn location = dyn_get_ci(body, STR("location"));
    resource->location = normal_location(arena, dyn_string(location));
    resource->has_location = resource->location.len > 0;
    resource->subscription = id_part(resource->id, STR("subscriptions"));
    resource->resource_group = id_part(resource->id, STR("resourceGroups"));
    resource->alias_type = aliases ? alias_find_type(aliases, resource->type) : NULL;
}
