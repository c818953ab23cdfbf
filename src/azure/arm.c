#include "azure/arm.h"

Dyn
arm_body(Dyn object)
{
    Dyn properties = dyn_get_ci(object, STR("properties"));
    return dyn_kind(properties) == DYN_BAG ? properties : object;
}

Str
arm_text(Dyn object, const char *name)
{
    return dyn_string(dyn_get_ci(object, str_from(name)));
}

Dyn
arm_path(Dyn object, Str path)
{
    while (path.len) {
        ptrdiff_t dot = str_find(path, STR("."));
        Str name = dot < 0 ? path : str_slice(path, 0, (size_t)dot);
        if (dyn_kind(object) != DYN_BAG)
            return (Dyn){0};
        object = dyn_get_ci(object, name);
        path = dot < 0 ? (Str){0} : str_slice(path, (size_t)dot + 1, path.len);
    }
    return object;
}

Str
arm_path_text(Dyn object, const char *path)
{
    return dyn_string(arm_path(object, str_from(path)));
}

bool
arm_path_is_true(Dyn object, const char *path)
{
    Dyn found = arm_path(object, str_from(path));
    return dyn_kind(found) == DYN_BOOL && dyn_bool(found);
}

uint32_t
arm_path_count(Dyn object, const char *path)
{
    Dyn found = arm_path(object, str_from(path));
    return dyn_kind(found) == DYN_ARRAY ? dyn_count(found) : 0;
}

Str
arm_last_segment(Str path)
{
    while (path.len && path.ptr[path.len - 1] == '/')
        path.len--;
    size_t from = path.len;
    while (from && path.ptr[from - 1] != '/')
        from--;
    return str_slice(path, from, path.len);
}
