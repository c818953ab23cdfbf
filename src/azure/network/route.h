// Routes of a subnet: where a packet goes next.
//
// The longest prefix that holds the destination decides; among routes of the same prefix a
// user's goes before one learnt by BGP, and that before one of the system. Source: Microsoft
// Learn, "Virtual network traffic routing", "How Azure selects a route".
#pragma once

#include "azure/network/address.h"

typedef enum RouteSource {
    ROUTE_USER,
    ROUTE_BGP,
    ROUTE_SYSTEM,
} RouteSource;

typedef enum NextHop {
    HOP_LOCAL,            // within the virtual network
    HOP_PEERING,          // to a peered network
    HOP_PRIVATE_ENDPOINT, // straight to a private endpoint
    HOP_SERVICE_ENDPOINT, // over the backbone to a service
    HOP_APPLIANCE,        // to an address that forwards
    HOP_GATEWAY,          // to the virtual network gateway
    HOP_INTERNET,
    HOP_NONE, // dropped
    HOP_COUNT
} NextHop;
const char *next_hop_name(NextHop hop); // as Azure writes it
// False for text that is none of a user's route.
bool next_hop_parse(Str text, NextHop *out);

typedef struct Route {
    RangeSet prefix;
    int length; // 0..32 for IPv4, 0..128 for IPv6
    RouteSource source;
    NextHop hop;
    Address appliance; // of HOP_APPLIANCE
    Str name;          // of a user's route, else what made it
    Str object;        // the id of route table or peering; may be empty
} Route;

typedef struct RouteTable {
    Route *items;
    size_t len, cap;
    bool forwards; // some route leads to an appliance or a gateway: known once sorted
} RouteTable;

// In the order in which they are chosen: the first whose prefix holds an address is taken.
void route_table_sort(RouteTable *table);
const Route *route_find(const RouteTable *table,
                        Address destination); // of a sorted table; NULL: none
