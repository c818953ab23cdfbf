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

// A rule that allows or denies names. An allowing network rule with names is one too.
typedef struct FirewallNames {
    Str rule;
    int64_t order;
    bool allow;
    bool is_application; // asked after all network rules
    PacketBox sure, may; // whose packets and which ports; the destination is left open
    Dyn names;           // an array of fully qualified names, with stars
    Dyn more[3];         // arrays of FQDN tags, web categories and URLs
} FirewallNames;

typedef struct FirewallRules {
    NetRules rules;
    // What goes out is judged by addresses and by names apart: network rules without those
    // that allow names only, and the rules about names, in their order.
    NetRules by_address;
    struct {
        FirewallNames *items;
        size_t len, cap;
    } by_name;
    Str missing; // why they are not known; empty = they are
    struct {
        FirewallDoor *items;
        size_t len, cap;
    } doors;
} FirewallRules;

// `subnet` is the one it stands in. Made once.
FirewallRules *firewall_rules_of(NetworkWorld *world, const NetResource *firewall, Subnet *subnet);
