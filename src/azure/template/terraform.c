// Terraform plans: what azurerm and azapi resources become in Azure Resource Manager.
//
// The mapping is content (content/azure/terraform.jsonl): by Terraform type the resource type and
// where each property comes from. An attribute that is known after apply is unknown. The parent
// of a child is its attribute, or, while that is unknown too, the resource of the plan that the
// configuration refers to.
// Source of the format: HashiCorp, "JSON output format", plan representation.

#include "azure/template/terraform_map.h"

#include "base/error.h"
#include "value/json.h"

#include <stdio.h>
#include <string.h>

enum { TABLE_LIMIT = 4 << 20, PARENT_LIMIT = 8 };

bool
terraform_is_plan(Dyn json)
{
    return dyn_kind(dyn_get(json, STR("resource_changes"))) == DYN_ARRAY ||
           dyn_get(json, STR("terraform_version")).ptr != NULL;
}

static bool
read_line(Arena *arena, Map *table, JsonParser *parser, DynBuilder *builder, Str line)
{
    const char *why;
    size_t offset;
    Dyn tree;
    dyn_builder_reset(builder);
    if (!json_to_dynamic(parser, line, builder, &why, &offset) || !dyn_finish(builder, &tree, &why))
        return false;
    Dyn *kept = ARENA_NEW(arena, Dyn);
    *kept = (Dyn){arena_copy(arena, tree.ptr, tree.size), tree.size};
    Str name = dyn_string(dyn_get(*kept, STR("terraform")));
    if (name.len)
        map_put(table, name, kept);
    return true;
}

static bool
read_table(Arena *arena, const char *content, Map *table, AzError *error)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/azure/terraform.jsonl", content);
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_errno(error, "cannot open '%s'", path);
    Buffer text = {0};
    size_t got;
    while (text.len < TABLE_LIMIT &&
           (got = fread(buffer_reserve(&text, 1 << 16), 1, 1 << 16, file)) > 0)
        text.len += got;
    fclose(file);
    JsonParser *parser = json_parser_new();
    DynBuilder *builder = dyn_builder_new();
    Str rest = buffer_slice(&text);
    bool done = true;
    map_init(table, arena, false);
    for (uint32_t number = 1; done && rest.len; number++) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
        Str line = str_trim(str_slice(rest, 0, len));
        rest = str_slice(rest, len + 1, rest.len);
        if (line.len && !read_line(arena, table, parser, builder, line))
            done = error_set(error, AZ_CORRUPT, "'%s', line %u is no JSON", path, number);
    }
    dyn_builder_free(builder);
    json_parser_free(parser);
    buffer_free(&text);
    return done;
}

// References ----------------------------------------------------------------

// The module of the configuration that an address stands in: "module.a.module.b[0]".
static Dyn
module_of(Dyn root, Str address)
{
    Dyn module = root;
    while (address.len) {
        ptrdiff_t at = str_find(address, STR("module."));
        if (at != 0)
            return (Dyn){0};
        address = str_slice(address, 7, address.len);
        size_t end = 0;
        while (end < address.len && address.ptr[end] != '.' && address.ptr[end] != '[')
            end++;
        Dyn calls = dyn_get(module, STR("module_calls"));
        module = dyn_get(dyn_get(calls, str_slice(address, 0, end)), STR("module"));
        ptrdiff_t next = str_find(address, STR(".module."));
        address = next < 0 ? (Str){0} : str_slice(address, (size_t)next + 1, address.len);
    }
    return module;
}

static Dyn
configured(const Terraform *terraform, Dyn change)
{
    Str type = dyn_string(dyn_get(change, STR("type")));
    Str name = dyn_string(dyn_get(change, STR("name")));
    Dyn root = dyn_get(dyn_get(terraform->plan, STR("configuration")), STR("root_module"));
    Dyn module = module_of(root, dyn_string(dyn_get(change, STR("module_address"))));
    Dyn list = dyn_get(module, STR("resources"));
    for (uint32_t i = 0; i < dyn_count(list); i++) {
        Dyn one = dyn_at(list, i);
        if (str_equal(dyn_string(dyn_get(one, STR("type"))), type) &&
            str_equal(dyn_string(dyn_get(one, STR("name"))), name))
            return one;
    }
    return (Dyn){0};
}

// The change that a reference such as "azurerm_storage_account.data.id" means, in the same module:
// that of the same key when there are several; none when it is not clear which.
static Dyn
referred(const Terraform *terraform, Dyn change, Str reference)
{
    Dyn changes = dyn_get(terraform->plan, STR("resource_changes")), found = {0};
    Str module = dyn_string(dyn_get(change, STR("module_address")));
    Dyn key = dyn_get(change, STR("index"));
    uint32_t count = 0;
    for (uint32_t i = 0; i < dyn_count(changes); i++) {
        Dyn one = dyn_at(changes, i), own = dyn_get(one, STR("index"));
        Str type = dyn_string(dyn_get(one, STR("type"))),
            name = dyn_string(dyn_get(one, STR("name")));
        Str after = str_slice(reference, type.len + 1 + name.len, reference.len);
        bool same = type.len && str_starts(reference, type) && reference.len > type.len &&
                    reference.ptr[type.len] == '.' &&
                    str_starts(str_slice(reference, type.len + 1, reference.len), name) &&
                    (!after.len || after.ptr[0] == '.' || after.ptr[0] == '[') &&
                    str_equal(dyn_string(dyn_get(one, STR("module_address"))), module);
        Dyn actions = dyn_get(dyn_get(one, STR("change")), STR("actions"));
        bool leaves =
            dyn_count(actions) == 1 && str_equal(dyn_string(dyn_at(actions, 0)), STR("delete"));
        if (!same || leaves)
            continue;
        if (own.ptr && key.ptr && dyn_equal(own, key))
            return one;
        found = one;
        count++;
    }
    return count == 1 ? found : (Dyn){0};
}

static Str resource_id(const Terraform *terraform, Dyn change, uint32_t depth);

// The text of an attribute that names another resource's id; empty when it is not known.
static Str
id_attribute(const Terraform *terraform, Dyn change, Str attribute, uint32_t depth)
{
    Dyn after = dyn_get(dyn_get(change, STR("change")), STR("after"));
    Str known = dyn_string(dyn_get(after, attribute));
    if (known.len)
        return known;
    Dyn expression = dyn_get(dyn_get(configured(terraform, change), STR("expressions")), attribute);
    Dyn references = dyn_get(expression, STR("references"));
    for (uint32_t i = 0; i < dyn_count(references); i++) {
        Dyn other = referred(terraform, change, dyn_string(dyn_at(references, i)));
        if (other.ptr)
            return resource_id(terraform, other, depth + 1);
    }
    return (Str){0};
}

// Ids -----------------------------------------------------------------------

static Str
subscription_of(const Terraform *terraform)
{
    Str scope = terraform->scope;
    static const Str MARK = STR_INIT("/subscriptions/");
    if (scope.len > MARK.len && str_equal_ci(str_slice(scope, 0, MARK.len), MARK)) {
        const char *slash = memchr(scope.ptr + MARK.len, '/', scope.len - MARK.len);
        return str_slice(scope, 0, slash ? (size_t)(slash - scope.ptr) : scope.len);
    }
    Dyn providers = dyn_get(dyn_get(terraform->plan, STR("configuration")), STR("provider_config"));
    Dyn expressions = dyn_get(dyn_get(providers, STR("azurerm")), STR("expressions"));
    Str id =
        dyn_string(dyn_get(dyn_get(expressions, STR("subscription_id")), STR("constant_value")));
    return id.len ? str_format(terraform->set->arena, "%.*s%.*s", STR_ARG(MARK), STR_ARG(id))
                  : (Str){0};
}

// azapi: "Microsoft.X/y@2024-01-01" below parent_id.
static Str
azapi_id(const Terraform *terraform, Dyn change, Dyn after, uint32_t depth)
{
    Str type = dyn_string(dyn_get(after, STR("type"))),
        name = dyn_string(dyn_get(after, STR("name")));
    Str parent = id_attribute(terraform, change, STR("parent_id"), depth);
    ptrdiff_t at = str_find(type, STR("@"));
    type = at < 0 ? type : str_slice(type, 0, (size_t)at);
    return terraform_child_id(terraform->set->arena, parent, type, name);
}

static Str
resource_id(const Terraform *terraform, Dyn change, uint32_t depth)
{
    Arena *arena = terraform->set->arena;
    Dyn after = dyn_get(dyn_get(change, STR("change")), STR("after"));
    Str kind = dyn_string(dyn_get(change, STR("type"))), plain;
    const Dyn *map = map_get(&terraform->table, kind);
    Str known = dyn_string(dyn_get(after, STR("id")));
    if (known.len && known.ptr[0] == '/')
        return known;
    if (depth > PARENT_LIMIT)
        return (Str){0};
    if (str_equal(kind, STR("azapi_resource")))
        return azapi_id(terraform, change, after, depth);
    if (!map)
        return (Str){0};
    Str type = dyn_string(dyn_get(*map, STR("type")));
    Str parent = dyn_string(dyn_get(*map, STR("parent")));
    Str name = dyn_string(dyn_get(*map, STR("name"))); // a fixed one
    if (!name.len)
        name = dyn_string(dyn_get(after, STR("name")));
    if (!name.len)
        return (Str){0};
    Str below = dyn_string(dyn_get(*map, STR("below")));
    if (parent.len) {
        Str on = id_attribute(terraform, change, parent, depth);
        if (on.len && below.len)
            on = str_format(arena, "%.*s/%.*s", STR_ARG(on), STR_ARG(below));
        return terraform_child_id(arena, on, type, name);
    }
    Str above = dyn_string(dyn_get(after, dyn_string(dyn_get(*map, STR("parent_name")))));
    if (dyn_get(*map, STR("parent_name")).ptr) // named beside the group: subnets
        name = above.len ? str_format(arena, "%.*s/%.*s", STR_ARG(above), STR_ARG(name)) : (Str){0};
    Str group = dyn_string(dyn_get(after, STR("resource_group_name")));
    Str place = subscription_of(terraform);
    if (group.len && place.len)
        place = str_format(arena, "%.*s/resourceGroups/%.*s", STR_ARG(place), STR_ARG(group));
    else if (dyn_get(dyn_get(change, STR("change")), STR("after_unknown")).ptr && !group.len &&
             !str_equal_ci(type, STR("Microsoft.Resources/resourceGroups")))
        place = terraform->scope;
    return place.len && name.len ? planned_id(arena, place, type, name, &plain) : (Str){0};
}

Str
terraform_child_id(Arena *arena, Str parent, Str type, Str name)
{
    Str plain;
    if (!parent.len || !type.len || !name.len)
        return (Str){0};
    uint32_t slashes = 0;
    for (size_t i = 0; i < type.len; i++)
        slashes += type.ptr[i] == '/';
    // Below a resource the last segment of a deeper type; an extension has a provider of its own.
    ptrdiff_t provider = -1;
    for (size_t i = 0; i + 11 <= parent.len; i++)
        if (str_equal_ci(str_slice(parent, i, i + 11), STR("/providers/")))
            provider = (ptrdiff_t)i + 11;
    const char *first = memchr(type.ptr, '/', type.len);
    Str space = first ? str_slice(type, 0, (size_t)(first - type.ptr)) : type;
    bool same =
        provider >= 0 &&
        str_equal_ci(str_slice(parent, (size_t)provider, (size_t)provider + space.len), space);
    if (slashes > 1 && same) {
        size_t last = type.len;
        while (last && type.ptr[last - 1] != '/')
            last--;
        return str_format(arena, "%.*s/%.*s/%.*s", STR_ARG(parent),
                          STR_ARG(str_slice(type, last, type.len)), STR_ARG(name));
    }
    return planned_id(arena, parent, type, name, &plain);
}

// Changes -------------------------------------------------------------------

static bool
is_deployed(Dyn change)
{
    Dyn actions = dyn_get(dyn_get(change, STR("change")), STR("actions"));
    bool deployed = false;
    for (uint32_t i = 0; i < dyn_count(actions); i++) {
        Str action = dyn_string(dyn_at(actions, i));
        deployed |= str_equal(action, STR("create")) || str_equal(action, STR("update"));
    }
    return deployed && !str_equal(dyn_string(dyn_get(change, STR("mode"))), STR("data"));
}

static void
take_change(Terraform *terraform, Dyn change)
{
    PlannedSet *set = terraform->set;
    Dyn inner = dyn_get(change, STR("change"));
    Str kind = dyn_string(dyn_get(change, STR("type")));
    Str address = dyn_string(dyn_get(change, STR("address")));
    const Dyn *map = map_get(&terraform->table, kind);
    bool azapi = str_equal(kind, STR("azapi_resource"));
    if (!is_deployed(change))
        return;
    if (!map && !azapi) {
        if (str_starts(kind, STR("azurerm_")) || str_starts(kind, STR("azapi_")))
            planned_note(set, str_format(set->arena,
                                         "%.*s: the mapping table has no %.*s, it is not looked at",
                                         STR_ARG(address), STR_ARG(kind)));
        return;
    }
    TerraformSource source = {.set = set,
                              .after = dyn_get(inner, STR("after")),
                              .unknown = dyn_get(inner, STR("after_unknown")),
                              .address = address,
                              .scope = terraform->scope};
    Str id = resource_id(terraform, change, 0);
    Dyn body = azapi ? terraform_azapi_body(&source, id) : terraform_body(&source, *map, id);
    if (!body.ptr) {
        planned_note(set,
                     str_format(set->arena, "%.*s: its body cannot be read, it is not looked at",
                                STR_ARG(address)));
        return;
    }
    planned_add(set, &(PlannedResource){.body = body, .where = address});
}

bool
terraform_expand(Arena *arena, const char *content, Str scope, Dyn plan, PlannedSet *out,
                 AzError *error)
{
    *out = (PlannedSet){.arena = arena};
    Terraform terraform = {.plan = plan, .scope = scope, .set = out};
    Dyn changes = dyn_get(plan, STR("resource_changes"));
    if (dyn_kind(changes) != DYN_ARRAY)
        return error_set(
            error, AZ_INVALID,
            "this is no plan of Terraform: 'resource_changes' is missing (make it with "
            "'terraform show -json PLAN')");
    if (!read_table(arena, content, &terraform.table, error))
        return false;
    for (uint32_t i = 0; i < dyn_count(changes); i++)
        take_change(&terraform, dyn_at(changes, i));
    return true;
}
