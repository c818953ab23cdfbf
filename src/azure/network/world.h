// The network of a tenant: what stands where, and what is connected to what.
//
// Made from rows of resources, in any order; after network_world_finish() everything names
// everything else by pointer. What is named and not in the data stays an id with a null
// pointer: whoever meets it must answer unknown. Views of properties point into the rows,
// which outlive the world.
#pragma once

#include "azure/network/route.h"
#include "azure/network/security_group.h"
#include "base/map.h"

typedef struct VirtualNetwork VirtualNetwork;
typedef struct Interface Interface;

typedef struct NetResource {
    Str id, name, type; // the type in lower case
    Str kind, sku;
    Str subscription, group, location;
    Dyn properties;
} NetResource;

typedef struct Subnet {
    Str id, name;
    VirtualNetwork *network;
    RangeSet prefixes;
    Str group_id, table_id;           // empty = none
    const NetResource *group, *table; // NULL = none or not in the data
    bool has_nat_gateway;
    bool endpoint_groups, endpoint_routes; // policies that private endpoints here obey
    bool is_private;                       // no default outbound access
    Dyn properties;
    struct SubnetPlace *place; // made when first asked for (place.h)
} Subnet;

typedef struct Peering {
    Str name, id, remote_id;
    VirtualNetwork *remote; // NULL = not in the data
    RangeSet space;         // of the other network
    bool connected, access, forwarded, use_gateways, allow_gateways;
} Peering;

struct VirtualNetwork {
    Str id, name;
    const NetResource *resource;
    RangeSet space;
    Subnet *subnets;
    uint32_t subnet_count;
    Peering *peerings;
    uint32_t peering_count;
    bool has_gateway; // VPN or ExpressRoute
    RangeSet dns_servers;
    uint32_t number; // place among the world's networks
};

// An address that something answers at.
typedef struct Endpoint {
    Str id; // of its IP configuration; empty when it has none
    Str name;
    Str owner_id;         // the resource behind it: machine, scale set, service
    Interface *interface; // NULL for what has none in the data
    Subnet *subnet;       // NULL = not in the data
    Str subnet_id;
    RangeSet addresses; // one, or the subnet's when it is not known
    bool address_known;
    bool is_private_endpoint;
    Str public_ip_id; // empty = none
    Dyn properties;   // of its IP configuration
} Endpoint;

typedef struct EndpointList {
    Endpoint **items;
    size_t len, cap;
} EndpointList;

struct Interface {
    Str id, name;
    Str owner_id; // virtual machine, scale set or private endpoint; empty = none
    Str group_id;
    const NetResource *group;
    bool forwards;     // IP forwarding
    NetRules rules[2]; // of its group by Direction, made when first asked for
    Endpoint **endpoints;
    uint32_t endpoint_count;
};

typedef struct NetResourceList {
    NetResource **items;
    size_t len, cap;
} NetResourceList;

typedef struct NetworkWorld {
    Arena *arena;
    ServiceTags tags;
    Map resources;  // id -> NetResource*
    Map children;   // id -> NetResourceList* of the rows one type below
    Map kinds;      // type -> ServiceKind* (service.h)
    Map datasets;   // collected, also those without a row
    Map by_type;    // type -> NetResourceList*
    Map networks;   // id -> VirtualNetwork*
    Map subnets;    // id -> Subnet*
    Map configs;    // id of an IP configuration -> Endpoint*
    Map owned;      // id of an owner -> EndpointList*
    Map addressed;  // "subnet id/address" -> Endpoint*
    Map members;    // id of an application security group -> RangeSet*
    Map firewalls;  // id -> FirewallRules*, made when first asked for (firewall.h)
    Map linked;     // id of a service -> NetResourceList* of its private endpoints
    Map zone_links; // "zone network id" -> its link
    // EntranceList* by what they lead to (entrance.h)
    Map pool_entrances, config_entrances, address_entrances, host_entrances;
    Map owner_entrances;     // of an application gateway
    Map subscriptions;       // those of the tenant that are in the data
    Map unlisted;            // application security groups with members whose address is not known
    struct Senders *senders; // made when first asked for (exposure_subnet.c)
} NetworkWorld;

bool network_world_init(NetworkWorld *world, Arena *arena, const char *content, AzError *error);

// A row of the table resources; `resource` is copied, its texts and properties are not.
void network_world_add(NetworkWorld *world, const NetResource *resource);
void network_world_add_subscription(NetworkWorld *world, Str id);
void network_world_add_dataset(NetworkWorld *world, Str name);
void network_world_finish(NetworkWorld *world);

const NetResource *network_resource(const NetworkWorld *world, Str id); // NULL: not in the data
// All of a type, in lower case; empty when there are none.
NetResourceList network_of_type(const NetworkWorld *world, Str type);
// Rows of that type that are part of the resource.
NetResourceList network_children(const NetworkWorld *world, Str id, Str type);
// Whether rows of the type would be there if they existed: the data set was collected, or
// some such row is in the data.
bool network_was_collected(const NetworkWorld *world, Str dataset, Str type);
Str network_parent_id(Str id); // without its last type and name
Subnet *network_subnet(const NetworkWorld *world, Str id);
// Where the owner answers; NULL when nowhere.
const EndpointList *network_endpoints(const NetworkWorld *world, Str owner_id);
// Who has the address in the subnet; NULL when nobody in the data.
Endpoint *network_at(const NetworkWorld *world, const Subnet *subnet, Address address);
// The connected peering from one network to the other; NULL when there is none.
const Peering *network_peering(const VirtualNetwork *from, const VirtualNetwork *to);
// The subnet of the network that holds the address; NULL when none does.
Subnet *network_subnet_at(const VirtualNetwork *network, Address address);
