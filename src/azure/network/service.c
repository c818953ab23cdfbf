#include "azure/network/service.h"

#include "azure/network/world_internal.h"

#include "azure/arm.h"
#include "azure/facts.h"
#include "base/array.h"
#include "value/json.h"

static Str
text_at(Dyn settings, Str path)
{
    return path.len ? dyn_string(arm_path(settings, path)) : (Str){0};
}

static bool
is_true(Dyn settings, Str path)
{
    Dyn found = path.len ? arm_path(settings, path) : (Dyn){0};
    return dyn_kind(found) == DYN_BOOL && dyn_bool(found);
}

// ---- the table ----

static Str
kept_text(Arena *arena, Dyn node, const char *name)
{
    return str_copy(arena, arm_text(node, name));
}

static Str
kept_item(Arena *arena, Dyn node, const char *name, int64_t index)
{
    Dyn list = dyn_get(node, str_from(name));
    return dyn_kind(list) == DYN_ARRAY ? str_copy(arena, dyn_string(dyn_at(list, index)))
                                       : (Str){0};
}

// "tcp 443,445"
static bool
read_ports(Arena *arena, Str written, PacketBox *out)
{
    *out = packet_box_all();
    if (!written.len)
        return true;
    if (!str_starts(written, STR("tcp ")))
        return false;
    out->at[PACKET_PROTOCOL] = range_set_of(arena, PROTOCOL_TCP, PROTOCOL_TCP);
    out->at[PACKET_PORT] = (RangeSet){0};
    written = str_slice(written, 4, written.len);
    while (written.len) {
        ptrdiff_t comma = str_find(written, STR(","));
        size_t end = comma < 0 ? written.len : (size_t)comma;
        RangeSet one;
        if (!group_ports(arena, str_slice(written, 0, end), &one))
            return false;
        out->at[PACKET_PORT] = range_set_union(arena, out->at[PACKET_PORT], one);
        written = str_slice(written, end + 1, written.len);
    }
    return true;
}

static bool
take_kind(void *context, Str line, AzError *error)
{
    NetworkWorld *world = context;
    Arena *arena = world->arena;
    Text *tree = ARENA_NEW(arena, Text);
    bool is_null;
    json_parse_text(arena, str_copy(arena, line), tree, &is_null);
    Dyn node = is_null ? dyn_null() : dyn_of_text(tree);
    ServiceKind *kind = ARENA_NEW(arena, ServiceKind);
    Dyn lists = dyn_get(node, STR("lists"));
    *kind = (ServiceKind){
        .type = kept_text(arena, node, "type"),
        .access = kept_text(arena, node, "access"),
        .default_action = kept_text(arena, node, "default"),
        .lists = dyn_kind(lists) != DYN_NULL,
        .lists_closed = dyn_kind(lists) == DYN_STRING,
        .rules = kept_item(arena, node, "rules", 0),
        .rule_member = kept_item(arena, node, "rules", 1),
        .children = kept_item(arena, node, "children", 0),
        .first = kept_item(arena, node, "children", 1),
        .last = kept_item(arena, node, "children", 2),
        .dataset = kept_text(arena, node, "dataset"),
        .subnets = kept_item(arena, node, "subnets", 0),
        .subnet_member = kept_item(arena, node, "subnets", 1),
        .endpoint = kept_text(arena, node, "endpoint"),
        .child_subnets = kept_item(arena, node, "childSubnets", 0),
        .child_subnet_member = kept_item(arena, node, "childSubnets", 1),
        .child_subnet_dataset = kept_item(arena, node, "childSubnets", 2),
        .rule_set = kept_text(arena, node, "ruleSet"),
        .bypass = kept_text(arena, node, "bypass"),
        .azure = kept_text(arena, node, "azure"),
        .closes = kept_text(arena, node, "closes"),
        .inject = kept_text(arena, node, "inject"),
        .address = kept_text(arena, node, "address"),
        .special = kept_text(arena, node, "special"),
        .of = kept_text(arena, node, "of"),
        .zones = dyn_get(node, STR("zones")),
    };
    if (!kind->type.len)
        return error_set(error, AZ_INVALID, "a service needs its type in 'type'");
    if (!read_ports(arena, arm_text(node, "ports"), &kind->ports))
        return error_set(error, AZ_INVALID, "'ports' of %.*s is not like 'tcp 443,445'",
                         STR_ARG(kind->type));
    map_put(&world->kinds, kind->type, kind);
    return true;
}

bool
service_kinds_load(NetworkWorld *world, const char *content, AzError *error)
{
    return facts_each_line(world->arena, content, "network-services.jsonl", take_kind, world,
                           error);
}

const ServiceKind *
service_kind(const NetworkWorld *world, Str type)
{
    return map_get(&world->kinds, type);
}

// ---- rules about addresses ----

static void
add_rule(Arena *arena, NetRules *rules, NetRule *rule)
{
    rule->priority = (int64_t)rules->len;
    net_rules_add(arena, rules, rule);
}

void
service_rule(NetworkWorld *world, Arena *arena, NetRules *rules, Str name, Str written, bool allow)
{
    NetRule rule = {
        .name = name, .allow = allow, .sure = packet_box_all(), .may = packet_box_all()};
    const GroupPlace nowhere = {.tags = &world->tags};
    group_addresses(arena, written, &nowhere, &rule.sure.at[PACKET_SOURCE],
                    &rule.may.at[PACKET_SOURCE], &rule.doubt);
    add_rule(arena, rules, &rule);
}

void
service_rule_for_all(Arena *arena, NetRules *rules, Str name, bool allow)
{
    NetRule rule = {
        .name = name, .allow = allow, .sure = packet_box_all(), .may = packet_box_all()};
    add_rule(arena, rules, &rule);
}

static void
add_address(NetworkWorld *world, Arena *arena, const ServiceKind *kind, NetRules *rules, Str name,
            Str written)
{
    if (!written.len)
        return;
    bool is_azure = kind->azure.len && str_equal(written, kind->azure);
    service_rule(world, arena, rules, name, is_azure ? STR("AzureCloud") : written, true);
}

static void
add_listed(NetworkWorld *world, Arena *arena, const ServiceKind *kind, Dyn list, Str member,
           NetRules *rules)
{
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++) {
        Dyn item = dyn_at(list, i);
        Str written = member.len ? dyn_string(dyn_get_ci(item, member)) : dyn_string(item);
        add_address(world, arena, kind, rules, written, written);
    }
}

// Rules in rows of their own; false when such rows were not collected.
static bool
add_children(NetworkWorld *world, Arena *arena, const ServiceKind *kind,
             const NetResource *resource, NetRules *rules)
{
    NetResourceList children = network_children(world, resource->id, kind->children);
    for (size_t i = 0; i < children.len; i++) {
        Dyn body = children.items[i]->properties;
        Str first = dyn_string(dyn_get_ci(body, kind->first));
        Str last = dyn_string(dyn_get_ci(body, kind->last));
        bool one = str_equal(first, last) || !last.len;
        add_address(world, arena, kind, rules, children.items[i]->name,
                    one ? first : str_format(arena, "%.*s-%.*s", STR_ARG(first), STR_ARG(last)));
    }
    return children.len || network_was_collected(world, kind->dataset, kind->children);
}

static Str
not_collected(Arena *arena, Str what)
{
    return str_format(arena, "its %.*s were not collected", STR_ARG(arm_last_segment(what)));
}

// The last rule: what becomes of addresses that no rule names.
static void
add_default(Arena *arena, const ServiceKind *kind, Dyn settings, Str action_path, ServiceFace *face)
{
    bool listed = face->rules.len != 0, allow;
    Str name;
    if (kind->lists) {
        allow = !listed && !kind->lists_closed && !is_true(settings, kind->closes);
        name = listed  ? STR("only the listed addresses")
               : allow ? STR("no address is listed: all are let in")
                       : STR("no address is listed");
    } else {
        Str action = text_at(settings, action_path);
        allow = !str_equal_ci(action, STR("Deny"));
        name = str_format(arena, "%.*s is %.*s", STR_ARG(action_path),
                          STR_ARG(action.len ? action : STR("not set (Allow)")));
    }
    service_rule_for_all(arena, &face->rules, name, allow);
    // A list shuts nothing out when all others are let in anyway.
    if (allow)
        face->rules.items[0] = face->rules.items[face->rules.len - 1], face->rules.len = 1;
    face->why = name;
}

static void
read_lists(NetworkWorld *world, Arena *arena, const ServiceKind *kind, const NetResource *resource,
           ServiceFace *face)
{
    Dyn settings = resource->properties;
    Str action = kind->default_action, rules = kind->rules, member = kind->rule_member;
    if (kind->rule_set.len) {
        NetResourceList sets = network_children(world, resource->id, kind->rule_set);
        if (!sets.len) {
            face->unknown = not_collected(arena, STR("network rules"));
            return;
        }
        settings = sets.items[0]->properties;
        action = STR("defaultAction");
        rules = STR("ipRules");
        member = STR("ipMask");
    }
    if (rules.len)
        add_listed(world, arena, kind, arm_path(settings, rules), member, &face->rules);
    if (kind->children.len && !add_children(world, arena, kind, resource, &face->rules))
        face->unknown = not_collected(arena, kind->children);
    add_default(arena, kind, settings, action, face);
}

// ---- the face ----

ServiceFace
service_face(NetworkWorld *world, Arena *arena, const ServiceKind *kind,
             const NetResource *resource)
{
    ServiceFace face = {0};
    if (dyn_kind(resource->properties) != DYN_BAG) {
        face.unknown = STR("its properties were not collected");
        return face;
    }
    Str access = text_at(resource->properties, kind->access);
    if (kind->access.len && str_equal_ci(access, STR("Disabled"))) {
        face.why = str_format(arena, "%.*s is %.*s", STR_ARG(kind->access), STR_ARG(access));
        return face;
    }
    if (str_equal_ci(access, STR("SecuredByPerimeter"))) {
        face.unknown = STR("a network security perimeter decides, whose rules are not in the data");
        return face;
    }
    if (kind->inject.len && !kind->special.len && text_at(resource->properties, kind->inject).len) {
        face.why = STR("it stands in a subnet and has no public endpoint");
        return face;
    }
    if (kind->special.len)
        return service_special_face(world, arena, kind, resource);
    face.is_public = true;
    read_lists(world, arena, kind, resource, &face);
    return face;
}

// ---- in subnets ----

void
service_register_endpoints(NetworkWorld *world)
{
    for (size_t k = 0; k < world->kinds.len; k++) {
        const ServiceKind *kind = world->kinds.entries[k].pointer;
        NetResourceList list = network_of_type(world, kind->type);
        for (size_t i = 0; kind->inject.len && i < list.len; i++) {
            Str subnet = text_at(list.items[i]->properties, kind->inject);
            if (!subnet.len)
                continue;
            Endpoint *endpoint = ARENA_NEW(world->arena, Endpoint);
            endpoint->name = list.items[i]->name;
            endpoint->owner_id = list.items[i]->id;
            endpoint->subnet_id = subnet;
            endpoint->subnet = network_subnet(world, subnet);
            // An address outside its subnet is the public one.
            endpoint->address_known =
                address_parse(world->arena, text_at(list.items[i]->properties, kind->address),
                              &endpoint->addresses, NULL) &&
                endpoint->subnet &&
                range_set_covers(endpoint->subnet->prefixes, endpoint->addresses);
            if (!endpoint->address_known)
                endpoint->addresses = endpoint->subnet ? endpoint->subnet->prefixes : (RangeSet){0};
            world_register(world, endpoint, (Str){0});
        }
    }
}

// ---- subnets and trusted services ----

static void
add_subnet(Arena *arena, SubnetRules *out, Str id)
{
    if (id.len)
        ARRAY_PUSH(arena, out, id);
}

SubnetRules
service_subnets(const NetworkWorld *world, Arena *arena, const ServiceKind *kind,
                const NetResource *resource)
{
    SubnetRules out = {0};
    Dyn list = kind->subnets.len ? arm_path(resource->properties, kind->subnets) : (Dyn){0};
    Str member = kind->subnet_member;
    if (kind->rule_set.len) {
        NetResourceList sets = network_children(world, resource->id, kind->rule_set);
        for (size_t i = 0; i < sets.len; i++)
            list = arm_path(sets.items[i]->properties, STR("virtualNetworkRules"));
        member = STR("subnet.id");
    }
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++)
        add_subnet(arena, &out, dyn_string(arm_path(dyn_at(list, i), member)));
    if (!kind->child_subnets.len)
        return out;
    NetResourceList children = network_children(world, resource->id, kind->child_subnets);
    for (size_t i = 0; i < children.len; i++)
        add_subnet(arena, &out,
                   dyn_string(arm_path(children.items[i]->properties, kind->child_subnet_member)));
    if (!children.len &&
        !network_was_collected(world, kind->child_subnet_dataset, kind->child_subnets))
        out.unknown = not_collected(arena, kind->child_subnets);
    return out;
}

bool
service_trusts(const ServiceKind *kind, const NetResource *resource)
{
    return kind->bypass.len &&
           str_find(text_at(resource->properties, kind->bypass), STR("AzureServices")) >= 0;
}
