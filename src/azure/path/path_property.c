// Tests on the properties of a resource, as rules write them.

#include "azure/path/path_internal.h"

#include "azure/arm.h"
#include "base/buffer.h"

Dyn
path_property(Dyn node, Str path)
{
    return arm_path(node, path);
}

Str
path_property_text(Dyn properties, const char *path)
{
    return arm_path_text(properties, path);
}

static bool
fact_holds(const ResourceFact *fact, Str name)
{
    if (str_equal(name, STR("training")))
        return fact->is_training;
    if (str_equal(name, STR("prompts")))
        return fact->has_prompts;
    if (str_equal(name, STR("logged")))
        return fact->is_logged;
    if (str_equal(name, STR("identities")))
        return dyn_count(path_property(fact->identity, STR("userAssignedIdentities"))) > 0;
    return str_equal(name, STR("private")) && fact->is_private;
}

static bool
property_is(Dyn node, Str value)
{
    Buffer written = {0};
    dyn_to_text(&written, node);
    bool same = str_equal_ci(buffer_slice(&written), value);
    buffer_free(&written);
    return same;
}

bool
path_property_holds(const ResourceFact *fact, Str test)
{
    if (str_starts(test, STR("!~")))
        return !fact_holds(fact, str_slice(test, 2, test.len));
    if (str_starts(test, STR("~")))
        return fact_holds(fact, str_slice(test, 1, test.len));
    ptrdiff_t tilde = str_find(test, STR("~"));
    if (tilde > 0) // kind~part
        return str_find(fact->kind, str_slice(test, (size_t)tilde + 1, test.len)) >= 0;
    ptrdiff_t sign = str_find(test, STR("="));
    if (sign < 0) { // name!
        Dyn node = path_property(fact->properties, str_slice(test, 0, test.len - 1));
        return dyn_kind(node) == DYN_NULL;
    }
    bool negated = sign > 0 && test.ptr[sign - 1] == '!';
    Dyn node = path_property(fact->properties, str_slice(test, 0, (size_t)(sign - negated)));
    return property_is(node, str_slice(test, (size_t)sign + 1, test.len)) != negated;
}
