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
