// Machine learning: workspaces with a network that Microsoft manages, computes, deployments.
//
// isolationMode of a managed network is Disabled, AllowInternetOutbound or
// AllowOnlyApprovedOutbound; with the last only what its rules name gets out: names, service
// tags (or addresses), and resources by private endpoints. Without it a compute stands in its
// own subnet or in Microsoft's network. A compute in a subnet has a public address unless
// enableNodePublicIp is false; then it gets out as machines there do. Sources: Microsoft
// Learn, "Workspace managed virtual network isolation", "Secure an Azure Machine Learning
// training environment with virtual networks", "Network isolation with managed online
// endpoints (legacy)", "Azure Machine Learning serverless compute".

#include "azure/network/outbound_internal.h"

#include "azure/arm.h"
#include "base/array.h"

static void
internet(Outbounder *outbounder, Reach reach, Str setting)
{
    outbound_setting(outbounder, DESTINATION_INTERNET, STR("any address"), reach,
                     reach == REACH_OPEN ? STR("any") : STR(""), setting);
}

// ---- rules ----

typedef struct ManagedRules {
    Outbounder *outbounder;
    NetRules addresses;
    Buffer names;
} ManagedRules;

static void
add_addresses(Arena *arena, const ServiceTags *tags, Str written, NetRule *rule)
{
    const GroupPlace nowhere = {.tags = (ServiceTags *)(uintptr_t)tags};
    RangeSet sure, may;
    RangeSet *low = &rule->sure.at[PACKET_DESTINATION], *high = &rule->may.at[PACKET_DESTINATION];
    group_addresses(arena, written, &nowhere, &sure, &may, &rule->doubt);
    *low = range_set_union(arena, *low, sure);
    *high = range_set_union(arena, *high, may);
}

static void
add_ports(Arena *arena, Str written, NetRule *rule)
{
    RangeSet all = {0};
    bool known = written.len != 0;
    while (written.len) {
        ptrdiff_t comma = str_find(written, STR(","));
        size_t end = comma < 0 ? written.len : (size_t)comma;
        RangeSet one;
        known &= group_ports(arena, str_trim(str_slice(written, 0, end)), &one);
        all = range_set_union(arena, all, one);
        written = str_slice(written, end + 1, written.len);
    }
    rule->may.at[PACKET_PORT] = all.count ? all : packet_box_all().at[PACKET_PORT];
    rule->sure.at[PACKET_PORT] = known ? all : (RangeSet){0};
    if (!known)
        rule->doubt = STR("the ports of a rule cannot be read");
}

// Which goes first of an allowing and a denying rule is not documented: a denying one may.
static void
add_tag_rule(ManagedRules *rules, Str name, Dyn to)
{
    Arena *arena = rules->outbounder->arena;
    const ServiceTags *tags = &rules->outbounder->world->tags;
    bool denies = str_equal_ci(arm_text(to, "action"), STR("Deny"));
    NetRule rule = {.name = name,
                    .priority = denies ? 0 : 1,
                    .allow = !denies,
                    .sure = packet_box_all(),
                    .may = packet_box_all()};
    rule.sure.at[PACKET_DESTINATION] = rule.may.at[PACKET_DESTINATION] = (RangeSet){0};
    Dyn prefixes = arm_path(to, STR("addressPrefixes"));
    uint32_t count = dyn_kind(prefixes) == DYN_ARRAY ? dyn_count(prefixes) : 0;
    for (uint32_t i = 0; i < count; i++)
        add_addresses(arena, tags, dyn_string(dyn_at(prefixes, i)), &rule);
    if (!count)
        add_addresses(arena, tags, arm_text(to, "serviceTag"), &rule);
    add_ports(arena, arm_text(to, "portRanges"), &rule);
    if (!group_protocol(arena, arm_text(to, "protocol"), &rule.may.at[PACKET_PROTOCOL]))
        rule.doubt = STR("the protocol of a rule cannot be read");
    rule.sure.at[PACKET_PROTOCOL] = rule.may.at[PACKET_PROTOCOL];
    if (denies) {
        rule.sure.at[PACKET_DESTINATION] = (RangeSet){0};
        rule.doubt = STR("whether allowing or denying rules come first is not documented");
    }
    net_rules_add(arena, &rules->addresses, &rule);
}

static void
add_rule(ManagedRules *rules, Str name, Dyn rule)
{
    Outbounder *outbounder = rules->outbounder;
    Str type = arm_text(rule, "type");
    Dyn to = arm_path(rule, STR("destination"));
    if (str_equal_ci(type, STR("FQDN"))) {
        Str host = dyn_string(to);
        if (host.len)
            buffer_printf(&rules->names, "%s%.*s", rules->names.len ? ", " : "", STR_ARG(host));
    } else if (str_equal_ci(type, STR("ServiceTag"))) {
        add_tag_rule(rules, name, to);
    } else if (str_equal_ci(type, STR("PrivateEndpoint"))) {
        outbound_setting(outbounder, DESTINATION_RESOURCE, arm_text(to, "serviceResourceId"),
                         REACH_OPEN, STR(""),
                         str_format(outbounder->arena, "rule %.*s, a private endpoint to %.*s",
                                    STR_ARG(name), STR_ARG(arm_text(to, "subresourceTarget"))));
    } else {
        outbound_setting(
            outbounder, DESTINATION_ADDRESSES, STR("some public addresses"), REACH_UNKNOWN, STR(""),
            str_format(outbounder->arena, "rule %.*s is of no known type", STR_ARG(name)));
    }
}

static void
put_rules(ManagedRules *rules)
{
    Outbounder *outbounder = rules->outbounder;
    Arena *arena = outbounder->arena;
    if (rules->names.len)
        outbound_setting(outbounder, DESTINATION_NAMES,
                         str_copy(arena, buffer_slice(&rules->names)), REACH_OPEN,
                         STR("tcp 80,443"), STR("AllowOnlyApprovedOutbound, rules about names"));
    buffer_free(&rules->names);
    if (!rules->addresses.len)
        return;
    Journey journey;
    PacketBox box = packet_box_all();
    box.at[PACKET_DESTINATION] = address_public();
    journey_start(&journey, arena, &box);
    journey_hop(&journey, STEP_SOURCE, HOP_PASSES, outbounder->compute->id,
                outbounder->compute->name);
    net_rules_sort(&rules->addresses);
    journey_rules(&journey, STEP_SETTING, &rules->addresses, STR("AllowOnlyApprovedOutbound"));
    if (!journey_is_over(&journey))
        outbound_public(outbounder, &journey, packet_box_all().at[PACKET_SOURCE], STR(""));
}

static void
approved_only(Outbounder *outbounder, Dyn settings, NetResourceList rows, bool rows_collected)
{
    ManagedRules rules = {.outbounder = outbounder};
    Dyn inlined = arm_path(settings, STR("outboundRules"));
    bool told = dyn_kind(inlined) == DYN_BAG;
    for (uint32_t i = 0; told && i < dyn_count(inlined); i++)
        add_rule(&rules, dyn_key_at(inlined, i),
                 arm_body(dyn_get(inlined, dyn_key_at(inlined, i))));
    for (size_t i = 0; i < rows.len; i++)
        if (!told || dyn_kind(dyn_get_ci(inlined, rows.items[i]->name)) != DYN_BAG)
            add_rule(&rules, rows.items[i]->name, rows.items[i]->properties);
    put_rules(&rules);
    if (!told && !rows_collected)
        outbound_setting(outbounder, DESTINATION_ADDRESSES, STR("some public addresses"),
                         REACH_UNKNOWN, STR(""),
                         STR("the outbound rules of the managed network are not in the data"));
    internet(outbounder, REACH_CLOSED, STR("isolationMode is AllowOnlyApprovedOutbound"));
}

void
outbound_managed(Outbounder *outbounder, Dyn settings, NetResourceList rows, bool rows_collected)
{
    Str mode = arm_text(settings, "isolationMode");
    if (str_equal_ci(mode, STR("AllowOnlyApprovedOutbound")))
        approved_only(outbounder, settings, rows, rows_collected);
    else if (str_equal_ci(mode, STR("AllowInternetOutbound")))
        internet(outbounder, REACH_OPEN, STR("isolationMode is AllowInternetOutbound"));
    else if (!mode.len || str_equal_ci(mode, STR("Disabled")))
        internet(outbounder, REACH_OPEN, STR("it runs in Microsoft's network without isolation"));
    else
        internet(outbounder, REACH_UNKNOWN,
                 str_format(outbounder->arena, "isolationMode %.*s is not known", STR_ARG(mode)));
}

// ---- workspaces ----

// Projects have the network of their hub. NULL: not in the data.
static const NetResource *
network_owner(const NetworkWorld *world, const NetResource *workspace)
{
    Str hub = workspace ? arm_text(workspace->properties, "hubResourceId") : (Str){0};
    if (hub.len)
        workspace = network_resource(world, hub);
    return workspace && dyn_kind(workspace->properties) == DYN_BAG ? workspace : NULL;
}

static bool
is_isolated(const NetResource *owner)
{
    Str mode = arm_path_text(owner->properties, "managedNetwork.isolationMode");
    return mode.len && !str_equal_ci(mode, STR("Disabled"));
}

static void
by_workspace(Outbounder *outbounder, const NetResource *owner)
{
    static const char RULES[] = "microsoft.machinelearningservices/workspaces/outboundrules";
    NetworkWorld *world = outbounder->world;
    outbound_managed(outbounder, arm_path(owner->properties, STR("managedNetwork")),
                     network_children(world, owner->id, str_from(RULES)),
                     network_was_collected(world, STR("ml-outbound-rules"), str_from(RULES)));
}

static void
in_subnet(Outbounder *outbounder, Str subnet_id, bool has_address)
{
    Subnet *subnet;
    NetworkWorld *world = outbounder->world;
    if (!outbound_subnet(outbounder, subnet_id, &subnet))
        return;
    OutboundExit exit = has_address ? outbound_exit_of_platform(world, outbounder->arena, subnet,
                                                                outbounder->compute->id,
                                                                STR("public addresses of the nodes "
                                                                    "(enableNodePublicIp)"))
                                    : outbound_exit_of_subnet(world, outbounder->arena, subnet);
    OutboundStart start = {.subnet = subnet,
                           .addresses = subnet->prefixes,
                           .exit = &exit,
                           .name = outbounder->compute->name};
    outbound_from(outbounder, &start);
}

void
outbound_workspace(Outbounder *outbounder)
{
    const NetResource *owner = network_owner(outbounder->world, outbounder->compute);
    if (!owner) {
        internet(outbounder, REACH_UNKNOWN, STR("the hub of the project is not in the data"));
        return;
    }
    Dyn serverless = arm_path(owner->properties, STR("serverlessComputeSettings"));
    Str subnet_id = arm_text(serverless, "serverlessComputeCustomSubnet");
    if (subnet_id.len && !is_isolated(owner))
        in_subnet(outbounder, subnet_id,
                  !arm_path_is_true(serverless, "serverlessComputeNoPublicIP"));
    else
        by_workspace(outbounder, owner);
}

// ---- computes and deployments ----

static bool
is_of_workspace(Str type)
{
    return str_equal_ci(type, STR("AmlCompute")) || str_equal_ci(type, STR("ComputeInstance"));
}

// A machine or cluster that was attached is asked itself.
static void
attached(Outbounder *outbounder, Str type)
{
    Str id = arm_text(outbounder->compute->properties, "resourceId");
    const NetResource *resource = network_resource(outbounder->world, id);
    if (!resource || !outbound_is_compute(resource) ||
        str_equal(resource->type, outbounder->compute->type)) {
        internet(outbounder, REACH_UNKNOWN,
                 str_format(outbounder->arena, "%.*s that is attached is not in the data",
                            STR_ARG(type.len ? type : STR("what"))));
        return;
    }
    OutboundList list = outbounds_of(outbounder->world, outbounder->arena, resource);
    for (size_t i = 0; i < list.len; i++)
        outbound_add(outbounder, &list.items[i], NULL);
}

void
outbound_ml_compute(Outbounder *outbounder)
{
    Dyn properties = outbounder->compute->properties;
    Dyn inner = arm_path(properties, STR("properties"));
    Str type = arm_text(properties, "computeType"), subnet_id = arm_path_text(inner, "subnet.id");
    Dyn node = dyn_get_ci(inner, STR("enableNodePublicIp"));
    NetworkWorld *world = outbounder->world;
    if (!is_of_workspace(type)) {
        attached(outbounder, type);
        return;
    }
    if (dyn_kind(inner) != DYN_BAG) {
        internet(outbounder, REACH_UNKNOWN, STR("its properties are not in the data"));
        return;
    }
    if (subnet_id.len) {
        in_subnet(outbounder, subnet_id, dyn_kind(node) != DYN_BOOL || dyn_bool(node));
        return;
    }
    Str workspace = network_parent_id(outbounder->compute->id);
    const NetResource *owner = network_owner(world, network_resource(world, workspace));
    if (owner)
        by_workspace(outbounder, owner);
    else
        internet(outbounder, REACH_UNKNOWN, STR("its workspace is not in the data"));
}

void
outbound_deployment(Outbounder *outbounder)
{
    NetworkWorld *world = outbounder->world;
    Dyn properties = outbounder->compute->properties;
    Str endpoint = network_parent_id(outbounder->compute->id);
    const NetResource *owner =
        network_owner(world, network_resource(world, network_parent_id(endpoint)));
    Str kind = arm_text(properties, "endpointComputeType");
    Str egress = arm_text(properties, "egressPublicNetworkAccess");
    if (kind.len && !str_equal_ci(kind, STR("Managed")))
        internet(outbounder, REACH_UNKNOWN,
                 STR("it runs on a cluster that is attached, which is asked itself"));
    else if (!owner)
        internet(outbounder, REACH_UNKNOWN, STR("its workspace is not in the data"));
    else if (is_isolated(owner))
        by_workspace(outbounder, owner);
    else if (str_equal_ci(egress, STR("Disabled")))
        internet(outbounder, REACH_CLOSED, STR("egressPublicNetworkAccess is Disabled"));
    else
        internet(outbounder, REACH_OPEN, STR("egressPublicNetworkAccess is not Disabled"));
}
