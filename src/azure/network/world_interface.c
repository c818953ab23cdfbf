// What has addresses in a subnet: interfaces of machines, scale sets, private endpoints and
// internal frontends.

#include "azure/network/world_internal.h"

#include "azure/arm.h"
#include "base/array.h"

// ---- application security groups ----

static void
add_member(NetworkWorld *world, Str group, RangeSet addresses)
{
    RangeSet *members = map_get(&world->members, group);
    if (!members) {
        members = ARENA_NEW(world->arena, RangeSet);
        map_put(&world->members, group, members);
    }
    *members = range_set_union(world->arena, *members, addresses);
}

static void
join_groups(NetworkWorld *world, const Endpoint *endpoint)
{
    Dyn groups = arm_path(endpoint->properties, STR("applicationSecurityGroups"));
    for (uint32_t i = 0; dyn_kind(groups) == DYN_ARRAY && i < dyn_count(groups); i++) {
        Str id = arm_text(dyn_at(groups, i), "id");
        if (endpoint->address_known)
            add_member(world, id, endpoint->addresses);
        else if (id.len)
            map_put(&world->unlisted, id, world);
    }
}

// ---- IP configurations ----

static Endpoint *
read_config(NetworkWorld *world, Dyn object, Str owner_id, Interface *interface)
{
    Dyn body = arm_body(object);
    Endpoint *endpoint = ARENA_NEW(world->arena, Endpoint);
    *endpoint = (Endpoint){
        .name = arm_text(object, "name"),
        .owner_id = owner_id,
        .interface = interface,
        .subnet_id = arm_path_text(body, "subnet.id"),
        .public_ip_id = arm_path_text(body, "publicIPAddress.id"),
        .properties = body,
    };
    endpoint->subnet = network_subnet(world, endpoint->subnet_id);
    endpoint->address_known =
        address_parse(world->arena, arm_text(body, "privateIPAddress"), &endpoint->addresses, NULL);
    if (!endpoint->address_known && endpoint->subnet)
        endpoint->addresses = endpoint->subnet->prefixes;
    return endpoint;
}

static void
read_configs(NetworkWorld *world, Dyn configs, Str owner_id, Interface *interface)
{
    uint32_t count = dyn_kind(configs) == DYN_ARRAY ? dyn_count(configs) : 0;
    if (interface)
        interface->endpoints = ARENA_ARRAY(world->arena, Endpoint *, count);
    for (uint32_t i = 0; i < count; i++) {
        Dyn object = dyn_at(configs, i);
        Endpoint *endpoint = read_config(world, object, owner_id, interface);
        Str id = arm_text(object, "id");
        if (!id.len && interface)
            id = str_format(world->arena, "%.*s/ipConfigurations/%.*s", STR_ARG(interface->id),
                            STR_ARG(endpoint->name));
        if (interface)
            interface->endpoints[interface->endpoint_count++] = endpoint;
        join_groups(world, endpoint);
        world_register(world, endpoint, id);
    }
}

static Interface *
new_interface(NetworkWorld *world, Str id, Str name, Str owner_id, Dyn body)
{
    Interface *interface = ARENA_NEW(world->arena, Interface);
    interface->id = id;
    interface->name = name;
    interface->owner_id = owner_id;
    interface->group_id = arm_path_text(body, "networkSecurityGroup.id");
    interface->group = network_resource(world, interface->group_id);
    interface->forwards = arm_path_is_true(body, "enableIPForwarding");
    return interface;
}

// An interface names its machine and a machine its interfaces; a snapshot may hold only the
// one or the other.
static Map
owners_of_interfaces(NetworkWorld *world)
{
    Map owners;
    map_init(&owners, world->arena, true);
    NetResourceList machines = network_of_type(world, STR("microsoft.compute/virtualmachines"));
    for (size_t i = 0; i < machines.len; i++) {
        Dyn list = arm_path(machines.items[i]->properties, STR("networkProfile.networkInterfaces"));
        for (uint32_t n = 0; dyn_kind(list) == DYN_ARRAY && n < dyn_count(list); n++)
            map_put(&owners, arm_text(dyn_at(list, n), "id"), machines.items[i]);
    }
    NetResourceList endpoints = network_of_type(world, STR("microsoft.network/privateendpoints"));
    for (size_t i = 0; i < endpoints.len; i++) {
        Dyn list = arm_path(endpoints.items[i]->properties, STR("networkInterfaces"));
        for (uint32_t n = 0; dyn_kind(list) == DYN_ARRAY && n < dyn_count(list); n++)
            map_put(&owners, arm_text(dyn_at(list, n), "id"), endpoints.items[i]);
    }
    return owners;
}

static void
read_interface(NetworkWorld *world, const NetResource *resource, const Map *owners)
{
    const NetResource *by_owner = map_get(owners, resource->id);
    Str owner = arm_path_text(resource->properties, "virtualMachine.id");
    if (!owner.len)
        owner = arm_path_text(resource->properties, "privateEndpoint.id");
    if (!owner.len && by_owner)
        owner = by_owner->id;
    Interface *interface =
        new_interface(world, resource->id, resource->name, owner, resource->properties);
    read_configs(world, arm_path(resource->properties, STR("ipConfigurations")), owner, interface);
    const NetResource *owned_by = network_resource(world, owner);
    bool is_private_endpoint =
        owned_by && str_equal(owned_by->type, STR("microsoft.network/privateendpoints"));
    for (uint32_t i = 0; i < interface->endpoint_count; i++)
        interface->endpoints[i]->is_private_endpoint = is_private_endpoint;
}

// The instances of a scale set have addresses of its subnets, which nobody lists.
static void
read_scale_set(NetworkWorld *world, const NetResource *resource)
{
    Dyn list = arm_path(resource->properties,
                        STR("virtualMachineProfile.networkProfile.networkInterfaceConfigurations"));
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++) {
        Dyn object = dyn_at(list, i);
        Interface *interface =
            new_interface(world,
                          str_format(world->arena, "%.*s/networkInterfaces/%.*s",
                                     STR_ARG(resource->id), STR_ARG(arm_text(object, "name"))),
                          arm_text(object, "name"), resource->id, arm_body(object));
        read_configs(world, arm_path(arm_body(object), STR("ipConfigurations")), resource->id,
                     interface);
        for (uint32_t c = 0; c < interface->endpoint_count; c++) {
            Endpoint *endpoint = interface->endpoints[c];
            if (dyn_kind(arm_path(endpoint->properties, STR("publicIPAddressConfiguration"))) ==
                DYN_BAG)
                endpoint->public_ip_id = resource->id; // one each, which nobody lists
        }
    }
}

// A private endpoint whose interface is not in the data still stands in a subnet; its
// addresses may be written in its DNS settings.
static void
read_private_endpoint(NetworkWorld *world, const NetResource *resource)
{
    if (network_endpoints(world, resource->id))
        return;
    Endpoint *endpoint = ARENA_NEW(world->arena, Endpoint);
    *endpoint = (Endpoint){
        .name = resource->name,
        .owner_id = resource->id,
        .subnet_id = arm_path_text(resource->properties, "subnet.id"),
        .is_private_endpoint = true,
    };
    endpoint->subnet = network_subnet(world, endpoint->subnet_id);
    Dyn names = arm_path(resource->properties, STR("customDnsConfigs"));
    for (uint32_t i = 0; dyn_kind(names) == DYN_ARRAY && i < dyn_count(names); i++)
        endpoint->addresses =
            range_set_union(world->arena, endpoint->addresses,
                            world_prefixes(world->arena, dyn_at(names, i), "", "ipAddresses"));
    endpoint->address_known = endpoint->addresses.count == 1 &&
                              endpoint->addresses.items[0].low == endpoint->addresses.items[0].high;
    if (!endpoint->addresses.count && endpoint->subnet)
        endpoint->addresses = endpoint->subnet->prefixes;
    world_register(world, endpoint, (Str){0});
}

// Frontends inside a network answer for what stands behind them.
static void
read_frontends(NetworkWorld *world, const NetResource *resource, const char *path)
{
    Interface *none = NULL;
    read_configs(world, arm_path(resource->properties, str_from(path)), resource->id, none);
}

void
world_read_interfaces(NetworkWorld *world)
{
    static const struct {
        Str type;
        const char *path;
    } FRONTENDS[] = {
        {STR_INIT("microsoft.network/loadbalancers"), "frontendIPConfigurations"},
        {STR_INIT("microsoft.network/applicationgateways"), "frontendIPConfigurations"},
        {STR_INIT("microsoft.network/azurefirewalls"), "ipConfigurations"},
        {STR_INIT("microsoft.network/bastionhosts"), "ipConfigurations"},
    };
    Map owners = owners_of_interfaces(world);
    NetResourceList list = network_of_type(world, STR("microsoft.network/networkinterfaces"));
    for (size_t i = 0; i < list.len; i++)
        read_interface(world, list.items[i], &owners);
    list = network_of_type(world, STR("microsoft.compute/virtualmachinescalesets"));
    for (size_t i = 0; i < list.len; i++)
        read_scale_set(world, list.items[i]);
    list = network_of_type(world, STR("microsoft.network/privateendpoints"));
    for (size_t i = 0; i < list.len; i++)
        read_private_endpoint(world, list.items[i]);
    for (size_t f = 0; f < COUNT_OF(FRONTENDS); f++) {
        list = network_of_type(world, FRONTENDS[f].type);
        for (size_t i = 0; i < list.len; i++)
            read_frontends(world, list.items[i], FRONTENDS[f].path);
    }
}
