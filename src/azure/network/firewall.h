// Azure Firewall: its rules as rules about packets, and its translations.
//
// Rules stand in the firewall itself (classic) or in the rule collection groups of its
// policy; those of a base policy come first. Order: groups, then collections, by priority;
// translations before network rules before application rules; what no rule allows is denied.
// Application rules decide by name, which packets do not show: they only may let through.
// Source: Microsoft Learn, "Configure Azure Firewall rules", "Azure Firewall rule processing
// logic".
#pragma once

#include "azure/network/place.h"

// A port of a public address that leads to an address inside.
typedef struct FirewallDoor {
    Str name;
    PacketBox packets; // what it takes; the destination is the public address
    RangeSet inside;
    Address inside_port;
} FirewallDoor;

typedef struct FirewallRules {
    NetRules rules;
    Str missing; // why they are not known; empty = they are
    struct {
        FirewallDoor *items;
        size_t len, cap;
    } doors;
} FirewallRules;

// `subnet` is the one it stands in. Made once.
FirewallRules *firewall_rules_of(NetworkWorld *world, const NetResource *firewall, Subnet *subnet);
