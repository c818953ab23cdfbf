// Journeys: packets on their way to an endpoint, hop by hop.
//
// A journey holds what is still on its way after the hops so far, and those hops. Whatever
// the data does not say turns what would surely arrive into what may, with the reason.
// Groups keep state: an answer takes the way of its question back and is not asked again.
#pragma once

#include "azure/network/place.h"

typedef enum HopKind {
    STEP_SOURCE,    // where it starts
    STEP_GROUP_OUT, // a security group on the way out
    STEP_ROUTE,     // the route taken
    STEP_FIREWALL,  // an Azure firewall on the way
    STEP_APPLIANCE, // another appliance
    STEP_PEERING,   // a peering crossed
    STEP_ENTRANCE,  // public address, load balancer, gateway
    STEP_GROUP_IN,  // a security group on the way in
    STEP_SETTING,   // a setting of the target
    STEP_EXIT,      // what gives packets a public address on their way out
    STEP_TARGET,    // arrival
    STEP_NOTE,      // worth knowing, decides nothing
    STEP_KIND_COUNT
} HopKind;
const char *hop_kind_name(HopKind kind);

typedef enum HopState { HOP_PASSES, HOP_UNSURE, HOP_STOPS } HopState;
const char *hop_state_name(HopState state); // passes, unsure, stops

typedef struct Hop {
    HopKind kind;
    HopState state;
    Str object; // id of what decides; may be empty
    Str text;
} Hop;

typedef struct Journey {
    Arena *arena;
    Flow flow;
    struct {
        Hop *items;
        size_t len, cap;
    } hops;
    Str doubt; // the first reason why something may not arrive; empty = none
} Journey;

typedef enum Reach { REACH_CLOSED, REACH_UNKNOWN, REACH_OPEN } Reach;
const char *reach_name(Reach reach); // closed, unknown, reachable

void journey_start(Journey *journey, Arena *arena, const PacketBox *packets);
void journey_hop(Journey *journey, HopKind kind, HopState state, Str object, Str text);
// From here on nothing is sure, and why.
void journey_doubt(Journey *journey, HopKind kind, Str object, Str why);
// Nothing gets further.
void journey_stop(Journey *journey, HopKind kind, Str object, Str why);
bool journey_is_over(const Journey *journey);

// Only what the rules let through goes on; `group` names them.
void journey_rules(Journey *journey, HopKind kind, const NetRules *rules, Str group_id);
// The groups of the subnet and then of the interface (may be NULL), or the other way round.
void journey_groups_in(NetworkWorld *world, Journey *journey, Subnet *subnet, Interface *interface);
void journey_groups_out(NetworkWorld *world, Journey *journey, Subnet *subnet,
                        Interface *interface);

// From a subnet to the endpoint: groups, routes, appliances, peerings. The journey has been
// started with packets from the subnet's addresses to the endpoint's.
void journey_route(NetworkWorld *world, Journey *journey, Subnet *from, const Endpoint *to);

// What arrives, judged. Where the address of the target is not known, only what arrives at
// every address of its subnet is sure.
Reach journey_reach(Journey *journey, const Endpoint *to);

// What the ending hangs on, in words: all hops but where it starts, arrives, and notes.
Str journey_because(Arena *arena, const Journey *journey);
Str journey_route_words(Arena *arena, const Route *route); // name, prefix and next hop

enum { JOURNEY_APPLIANCES_MAX = 4 }; // one after another; more is a loop

// The Azure firewall that the route leads to, with its subnet; NULL for anything else.
const NetResource *journey_firewall(NetworkWorld *world, const Subnet *from, const Route *route,
                                    Subnet **subnet);
// The appliance at an address that the subnet sends to (appliance.c): applies what it lets
// through and gives the subnet from which packets go on; NULL when they do not.
Subnet *journey_appliance(NetworkWorld *world, Journey *journey, Subnet *from, const Route *route,
                          const Endpoint *to);
