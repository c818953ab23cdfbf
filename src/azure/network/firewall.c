#include "azure/network/firewall.h"

#include "azure/arm.h"
#include "base/array.h"

#include <stdlib.h>

enum { POLICIES_MAX = 8 }; // base policies of base policies

typedef struct FirewallReader {
    NetworkWorld *world;
    const GroupPlace *names;
    FirewallRules *out;
    NetRules application; // behind all network rules
    int64_t order;
} FirewallReader;

// ---- sides of a rule ----

static void
add_set(FirewallReader *reader, Str written, RangeSet *sure, RangeSet *may, Str *doubt)
{
    RangeSet low, high;
    Arena *arena = reader->world->arena;
    group_addresses(arena, written, reader->names, &low, &high, doubt);
    *sure = range_set_union(arena, *sure, low);
    *may = range_set_union(arena, *may, high);
}

static void
add_ip_group(FirewallReader *reader, Str id, RangeSet *sure, RangeSet *may, Str *doubt)
{
    const NetResource *group = network_resource(reader->world, id);
    if (!group) {
        *may = address_all();
        *doubt = str_format(reader->world->arena, "IP group %.*s is not in the data",
                            STR_ARG(arm_last_segment(id)));
        return;
    }
    Dyn list = arm_path(group->properties, STR("ipAddresses"));
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++)
        add_set(reader, dyn_string(dyn_at(list, i)), sure, may, doubt);
}

static void
read_side(FirewallReader *reader, Dyn rule, const char *addresses, const char *groups,
          const char *names, NetRule *out, PacketDimension dimension)
{
    RangeSet *sure = &out->sure.at[dimension], *may = &out->may.at[dimension];
    *sure = *may = (RangeSet){0};
    Dyn list = arm_path(rule, str_from(addresses)), ids = arm_path(rule, str_from(groups));
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++)
        add_set(reader, dyn_string(dyn_at(list, i)), sure, may, &out->doubt);
    for (uint32_t i = 0; dyn_kind(ids) == DYN_ARRAY && i < dyn_count(ids); i++)
        add_ip_group(reader, dyn_string(dyn_at(ids, i)), sure, may, &out->doubt);
    if (names && arm_path_count(rule, names)) {
        *may = address_all();
        out->doubt = STR("a rule names its destination, whose addresses are not in the data");
    }
}

static void
read_ports(FirewallReader *reader, Dyn rule, const char *path, NetRule *out)
{
    RangeSet ports = {0};
    Dyn list = arm_path(rule, str_from(path));
    Arena *arena = reader->world->arena;
    bool known = true;
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++) {
        RangeSet one;
        known &= group_ports(arena, dyn_string(dyn_at(list, i)), &one);
        ports = range_set_union(arena, ports, one);
    }
    out->may.at[PACKET_PORT] = ports;
    out->sure.at[PACKET_PORT] = known ? ports : (RangeSet){0};
}

static void
read_protocols(FirewallReader *reader, Dyn rule, const char *path, NetRule *out)
{
    RangeSet protocols = {0};
    Dyn list = arm_path(rule, str_from(path));
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++) {
        RangeSet one;
        group_protocol(reader->world->arena, dyn_string(dyn_at(list, i)), &one);
        protocols = range_set_union(reader->world->arena, protocols, one);
    }
    out->sure.at[PACKET_PROTOCOL] = out->may.at[PACKET_PROTOCOL] = protocols;
}

// ---- rules ----

static NetRule
begin_rule(FirewallReader *reader, Dyn rule, bool allow)
{
    NetRule out = {.name = arm_text(rule, "name"),
                   .priority = ++reader->order,
                   .allow = allow,
                   .sure = packet_box_all(),
                   .may = packet_box_all()};
    read_side(reader, rule, "sourceAddresses", "sourceIpGroups", NULL, &out, PACKET_SOURCE);
    return out;
}

static void
read_network_rule(FirewallReader *reader, Dyn rule, bool allow)
{
    NetRule out = begin_rule(reader, rule, allow);
    bool classic = arm_path_count(rule, "protocols") != 0;
    read_side(reader, rule, "destinationAddresses", "destinationIpGroups", "destinationFqdns", &out,
              PACKET_DESTINATION);
    read_ports(reader, rule, "destinationPorts", &out);
    read_protocols(reader, rule, classic ? "protocols" : "ipProtocols", &out);
    net_rules_add(reader->world->arena, &reader->out->rules, &out);
    if (!allow || !arm_path_count(rule, "destinationFqdns")) {
        net_rules_add(reader->world->arena, &reader->out->by_address, &out);
        return;
    }
    FirewallNames names = {.rule = out.name,
                           .order = out.priority,
                           .allow = true,
                           .sure = out.sure,
                           .may = out.may,
                           .names = arm_path(rule, STR("destinationFqdns"))};
    names.sure.at[PACKET_DESTINATION] = names.may.at[PACKET_DESTINATION] = address_all();
    ARRAY_PUSH(reader->world->arena, &reader->out->by_name, names);
}

static void
keep_names(FirewallReader *reader, Dyn rule, const NetRule *read)
{
    FirewallNames names = {.rule = read->name,
                           .order = read->priority,
                           .allow = read->allow,
                           .is_application = true,
                           .sure = read->sure,
                           .may = read->may};
    static const char *const NAMES[] = {"targetFqdns", "destinationFqdns"};
    static const char *const MORE[] = {"fqdnTags", "webCategories", "targetUrls"};
    for (size_t i = 0; i < COUNT_OF(NAMES) && !dyn_count(names.names); i++)
        names.names = arm_path(rule, str_from(NAMES[i]));
    for (size_t i = 0; i < COUNT_OF(MORE); i++)
        names.more[i] = arm_path(rule, str_from(MORE[i]));
    ARRAY_PUSH(reader->world->arena, &reader->out->by_name, names);
}

static void
read_application_rule(FirewallReader *reader, Dyn rule, bool allow)
{
    NetRule out = begin_rule(reader, rule, allow);
    Arena *arena = reader->world->arena;
    RangeSet ports = {0};
    Dyn list = arm_path(rule, STR("protocols"));
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++) {
        Dyn port = dyn_get_ci(dyn_at(list, i), STR("port"));
        if (dyn_kind(port) == DYN_LONG && dyn_long(port) >= 0 && dyn_long(port) <= PORT_MAX)
            ports = range_set_union(
                arena, ports,
                range_set_of(arena, (Address)dyn_long(port), (Address)dyn_long(port)));
    }
    out.may.at[PACKET_PORT] = ports;
    out.may.at[PACKET_PROTOCOL] = range_set_of(arena, PROTOCOL_TCP, PROTOCOL_TCP);
    RangeSet sources = out.sure.at[PACKET_SOURCE];
    out.sure = out.may;
    out.sure.at[PACKET_SOURCE] = sources;
    keep_names(reader, rule, &out);
    out.sure.at[PACKET_SOURCE] = (RangeSet){0};
    out.doubt = STR("an application rule decides by the name that is asked for");
    net_rules_add(arena, &reader->application, &out);
}

static void
read_door(FirewallReader *reader, Dyn rule)
{
    NetRule out = begin_rule(reader, rule, true);
    bool classic = arm_path_count(rule, "protocols") != 0;
    read_side(reader, rule, "destinationAddresses", "destinationIpGroups", NULL, &out,
              PACKET_DESTINATION);
    read_ports(reader, rule, "destinationPorts", &out);
    read_protocols(reader, rule, classic ? "protocols" : "ipProtocols", &out);
    FirewallDoor door = {.name = out.name, .packets = out.may};
    RangeSet port;
    Arena *arena = reader->world->arena;
    if (!address_parse(arena, arm_text(rule, "translatedAddress"), &door.inside, NULL) ||
        !group_ports(arena, arm_text(rule, "translatedPort"), &port))
        return;
    door.inside_port = port.items[0].low;
    ARRAY_PUSH(arena, &reader->out->doors, door);
}

typedef enum RuleKind { RULES_NAT, RULES_NETWORK, RULES_APPLICATION } RuleKind;

static void
read_rules(FirewallReader *reader, Dyn rules, RuleKind kind, bool allow)
{
    for (uint32_t i = 0; dyn_kind(rules) == DYN_ARRAY && i < dyn_count(rules); i++) {
        Dyn rule = dyn_at(rules, i);
        Str type = arm_text(rule, "ruleType"); // of policies
        if (str_equal_ci(type, STR("NatRule")) || (!type.len && kind == RULES_NAT))
            read_door(reader, rule);
        else if (str_equal_ci(type, STR("ApplicationRule")) ||
                 (!type.len && kind == RULES_APPLICATION))
            read_application_rule(reader, rule, allow);
        else
            read_network_rule(reader, rule, allow);
    }
}

// ---- order ----

static int64_t
priority_of(Dyn object)
{
    Dyn found = dyn_get_ci(arm_body(object), STR("priority"));
    return dyn_kind(found) == DYN_LONG ? dyn_long(found) : INT64_MAX;
}

static int
by_priority(const void *left, const void *right)
{
    int64_t a = priority_of(*(const Dyn *)left), b = priority_of(*(const Dyn *)right);
    return (a > b) - (a < b);
}

static void
read_collections(FirewallReader *reader, Dyn list, RuleKind kind)
{
    uint32_t count = dyn_kind(list) == DYN_ARRAY ? dyn_count(list) : 0;
    Dyn *collections = ARENA_ARRAY(reader->world->arena, Dyn, count);
    for (uint32_t i = 0; i < count; i++)
        collections[i] = dyn_at(list, i);
    qsort(collections, count, sizeof *collections, by_priority);
    for (uint32_t i = 0; i < count; i++) {
        Dyn body = arm_body(collections[i]);
        bool allow = !str_equal_ci(arm_path_text(body, "action.type"), STR("Deny"));
        read_rules(reader, arm_path(body, STR("rules")), kind, allow);
    }
}

static bool
read_policy(FirewallReader *reader, Str id, int depth)
{
    const NetworkWorld *world = reader->world;
    const NetResource *policy = network_resource(world, id);
    Str base = policy ? arm_path_text(policy->properties, "basePolicy.id") : (Str){0};
    Dyn groups = policy ? arm_path(policy->properties, STR("ruleCollectionGroups")) : (Dyn){0};
    if (!policy || dyn_kind(groups) != DYN_ARRAY || depth == POLICIES_MAX)
        return false;
    if (base.len && !read_policy(reader, base, depth + 1))
        return false;
    uint32_t count = dyn_count(groups);
    Dyn *bodies = ARENA_ARRAY(world->arena, Dyn, count);
    for (uint32_t i = 0; i < count; i++) {
        const NetResource *group = network_resource(world, arm_text(dyn_at(groups, i), "id"));
        if (!group)
            return false;
        bodies[i] = group->properties;
    }
    qsort(bodies, count, sizeof *bodies, by_priority);
    for (uint32_t i = 0; i < count; i++)
        read_collections(reader, arm_path(bodies[i], STR("ruleCollections")), RULES_NETWORK);
    return true;
}

static FirewallRules
read_firewall(NetworkWorld *world, const NetResource *firewall, Subnet *subnet)
{
    FirewallRules out = {0};
    FirewallReader reader = {
        .world = world, .names = &network_place(world, subnet)->names, .out = &out};
    Str policy = arm_path_text(firewall->properties, "firewallPolicy.id");
    if (policy.len) {
        if (!read_policy(&reader, policy, 0))
            out.missing = str_format(world->arena,
                                     "the rules of firewall policy %.*s are not in "
                                     "the data",
                                     STR_ARG(arm_last_segment(policy)));
    } else {
        read_collections(&reader, arm_path(firewall->properties, STR("natRuleCollections")),
                         RULES_NAT);
        read_collections(&reader, arm_path(firewall->properties, STR("networkRuleCollections")),
                         RULES_NETWORK);
        read_collections(&reader, arm_path(firewall->properties, STR("applicationRuleCollections")),
                         RULES_APPLICATION);
    }
    for (size_t i = 0; i < reader.application.len; i++)
        net_rules_add(world->arena, &out.rules, &reader.application.items[i]);
    return out;
}

FirewallRules *
firewall_rules_of(NetworkWorld *world, const NetResource *firewall, Subnet *subnet)
{
    FirewallRules *rules = map_get(&world->firewalls, firewall->id);
    if (!rules) {
        FirewallRules made = read_firewall(world, firewall, subnet);
        rules = arena_copy(world->arena, &made, sizeof made);
        map_put(&world->firewalls, firewall->id, rules);
    }
    return rules;
}
