// Machines, clusters and containers: where they stand and how they get out.
//
// AKS: outboundType says who makes the way out. loadBalancer and the managed NAT gateways are
// made by AKS; userAssignedNATGateway, userDefinedRouting and none leave it to the subnet;
// block denies all. A pool with public addresses on its nodes uses those. Pods may have a
// subnet of their own. Sources: Microsoft Learn, "Customize cluster egress with outbound
// types in Azure Kubernetes Service", "Network isolated AKS clusters", "Networking in Azure
// Container Apps environment", "Virtual network scenarios and resources" (container
// instances).

#include "azure/network/outbound_internal.h"

#include "azure/arm.h"

static void
any_address(Outbounder *outbounder, Str setting)
{
    outbound_setting(outbounder, DESTINATION_INTERNET, STR("any address"), REACH_OPEN, STR("any"),
                     setting);
}

static void
unknown(Outbounder *outbounder, Str reason)
{
    outbound_setting(outbounder, DESTINATION_INTERNET, STR("any address"), REACH_UNKNOWN, STR(""),
                     reason);
}

// ---- machines ----

static void
from_endpoint(Outbounder *outbounder, const Endpoint *endpoint)
{
    Subnet *subnet;
    if (!outbound_subnet(outbounder, endpoint->subnet_id, &subnet))
        return;
    OutboundExit exit =
        outbound_exit_of(outbounder->world, outbounder->arena, endpoint, outbounder->compute);
    bool known = endpoint->address_known;
    OutboundStart start = {
        .subnet = subnet,
        .interface = endpoint->interface,
        .addresses = endpoint->addresses,
        .is_ipv6 = known ? !range_set_overlaps(endpoint->addresses, address_ipv4())
                         : str_equal_ci(arm_text(endpoint->properties, "privateIPAddressVersion"),
                                        STR("IPv6")),
        .exit = &exit,
        .name = outbounder->compute->name,
    };
    outbound_from(outbounder, &start);
}

void
outbound_machine(Outbounder *outbounder)
{
    const NetResource *compute = outbounder->compute;
    const EndpointList *endpoints = network_endpoints(outbounder->world, compute->id);
    size_t count = endpoints ? endpoints->len : 0;
    for (size_t i = 0; i < count; i++)
        from_endpoint(outbounder, endpoints->items[i]);
    Dyn listed = arm_path(compute->properties, STR("networkProfile.networkInterfaces"));
    bool missing = !count;
    for (uint32_t i = 0; dyn_kind(listed) == DYN_ARRAY && i < dyn_count(listed); i++)
        missing |= !network_resource(outbounder->world, arm_text(dyn_at(listed, i), "id"));
    if (missing)
        unknown(outbounder, STR("not all of its network interfaces are in the data"));
}

// ---- clusters ----

static Str
cluster_way(Str type, bool public_nodes)
{
    if (public_nodes)
        return STR("public addresses of the nodes");
    if (!type.len || str_equal_ci(type, STR("loadBalancer")))
        return STR("the load balancer that AKS made (outboundType loadBalancer)");
    if (str_equal_ci(type, STR("managedNATGateway")) ||
        str_equal_ci(type, STR("managedNATGatewayV2")))
        return STR("the NAT gateway that AKS made (outboundType managedNATGateway)");
    return STR("");
}

static void
from_cluster_subnet(Outbounder *outbounder, Str subnet_id, Str type, bool public_nodes)
{
    Subnet *subnet;
    NetworkWorld *world = outbounder->world;
    if (!outbound_subnet(outbounder, subnet_id, &subnet))
        return;
    Str way = cluster_way(type, public_nodes);
    OutboundExit exit = way.len ? outbound_exit_of_platform(world, outbounder->arena, subnet,
                                                            outbounder->compute->id, way)
                                : outbound_exit_of_subnet(world, outbounder->arena, subnet);
    if (way.len && !public_nodes)
        exit.protocols = outbound_tcp_udp();
    OutboundStart start = {.subnet = subnet,
                           .addresses = subnet->prefixes,
                           .exit = &exit,
                           .name = outbounder->compute->name};
    outbound_from(outbounder, &start);
}

static void
from_pool(Outbounder *outbounder, Dyn pool, Str type)
{
    Dyn body = arm_body(pool);
    Str nodes = arm_text(body, "vnetSubnetID"), pods = arm_text(body, "podSubnetID");
    bool public_nodes = arm_path_is_true(body, "enableNodePublicIP");
    Str way = cluster_way(type, public_nodes);
    if (nodes.len)
        from_cluster_subnet(outbounder, nodes, type, public_nodes);
    if (pods.len)
        from_cluster_subnet(outbounder, pods, type, public_nodes);
    if (!nodes.len && way.len)
        any_address(outbounder, str_format(outbounder->arena, "%.*s, in a network that AKS made",
                                           STR_ARG(way)));
    else if (!nodes.len)
        unknown(outbounder, str_format(outbounder->arena,
                                       "outboundType is %.*s, and the network that AKS made is not "
                                       "followed",
                                       STR_ARG(type)));
}

void
outbound_cluster(Outbounder *outbounder)
{
    Dyn properties = outbounder->compute->properties;
    Str type = arm_path_text(properties, "networkProfile.outboundType");
    Dyn pools = arm_path(properties, STR("agentPoolProfiles"));
    if (str_equal_ci(type, STR("block"))) {
        outbound_setting(outbounder, DESTINATION_INTERNET, STR("any address"), REACH_CLOSED,
                         STR(""), STR("outboundType is block"));
        return;
    }
    if (!type.len || dyn_kind(pools) != DYN_ARRAY || !dyn_count(pools)) {
        unknown(outbounder, !type.len ? STR("its outboundType is not in the data")
                                      : STR("its node pools are not in the data"));
        return;
    }
    for (uint32_t i = 0; i < dyn_count(pools); i++)
        from_pool(outbounder, dyn_at(pools, i), type);
}

// ---- containers ----

void
outbound_container_app(Outbounder *outbounder)
{
    Dyn properties = outbounder->compute->properties;
    NetworkWorld *world = outbounder->world;
    Str id = arm_text(properties, "managedEnvironmentId");
    if (!id.len)
        id = arm_text(properties, "environmentId");
    const NetResource *environment = network_resource(world, id);
    if (!environment || dyn_kind(environment->properties) != DYN_BAG) {
        unknown(outbounder, STR("its environment is not in the data"));
        return;
    }
    Str subnet_id =
        arm_path_text(environment->properties, "vnetConfiguration.infrastructureSubnetId");
    if (!subnet_id.len) {
        any_address(outbounder, STR("its environment stands in no network of the tenant"));
        return;
    }
    Subnet *subnet;
    if (!outbound_subnet(outbounder, subnet_id, &subnet))
        return;
    OutboundExit exit = outbound_exit_of_platform(world, outbounder->arena, subnet, environment->id,
                                                  str_format(outbounder->arena,
                                                             "public address of environment %.*s",
                                                             STR_ARG(environment->name)));
    // Routes of users are not supported without workload profiles.
    bool plain =
        !arm_path_count(environment->properties, "workloadProfiles") && subnet->table_id.len;
    OutboundStart start = {
        .subnet = subnet,
        .addresses = subnet->prefixes,
        .exit = &exit,
        .name = outbounder->compute->name,
        .doubt = plain
                     ? STR("an environment without workload profiles may not obey the route table")
                     : STR(""),
    };
    outbound_from(outbounder, &start);
}

void
outbound_container_group(Outbounder *outbounder)
{
    Dyn subnets = arm_path(outbounder->compute->properties, STR("subnetIds"));
    Str id = dyn_kind(subnets) == DYN_ARRAY && dyn_count(subnets)
                 ? arm_text(dyn_at(subnets, 0), "id")
                 : (Str){0};
    Subnet *subnet;
    if (!id.len) {
        any_address(outbounder, STR("it stands in no network of the tenant"));
        return;
    }
    if (!outbound_subnet(outbounder, id, &subnet))
        return;
    OutboundExit exit = outbound_exit_of_subnet(outbounder->world, outbounder->arena, subnet);
    if (!arm_path_text(subnet->properties, "natGateway.id").len) {
        exit.state = HOP_UNSURE;
        exit.protocols = packet_box_all().at[PACKET_PROTOCOL];
        exit.text = STR("whether containers in a network without a NAT gateway get out is not "
                        "documented");
    }
    OutboundStart start = {.subnet = subnet,
                           .addresses = subnet->prefixes,
                           .exit = &exit,
                           .name = outbounder->compute->name};
    outbound_from(outbounder, &start);
}
