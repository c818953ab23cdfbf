// Services with an endpoint of their own: who may connect by their own settings.
//
// Where the settings stand is a table (content/azure/network-services.jsonl). Types whose
// settings are no lists of addresses have a function each (service_special.c).
#pragma once

#include "azure/network/journey.h"

// What is public of a service. Its rules are about addresses only, ports are the kind's.
typedef struct ServiceFace {
    bool is_public; // the public endpoint answers somebody
    Str why;        // the setting that says so
    NetRules rules; // who may connect to it
    Str unknown;    // why that is not known; empty = known
} ServiceFace;

typedef struct ServiceKind ServiceKind;
struct ServiceKind {
    Str type;
    PacketBox ports;
    Str access, default_action; // paths
    bool lists, lists_closed;
    Str rules, rule_member;
    Str children, first, last, dataset;
    Str subnets, subnet_member, endpoint;
    Str child_subnets, child_subnet_member, child_subnet_dataset;
    Str rule_set;
    Str bypass, azure, closes, inject, address, special, of;
    Dyn zones;
};

// Adds the kinds to the world.
bool service_kinds_load(NetworkWorld *world, const char *content, AzError *error);
// NULL for types without an endpoint of their own.
const ServiceKind *service_kind(const NetworkWorld *world, Str type);

ServiceFace service_face(NetworkWorld *world, Arena *arena, const ServiceKind *kind,
                         const NetResource *resource);
// The same for a kind with a function of its own.
ServiceFace service_special_face(NetworkWorld *world, Arena *arena, const ServiceKind *kind,
                                 const NetResource *resource);

// Adds a rule about an address, prefix, range or service tag; what is none of them may be
// any address.
void service_rule(NetworkWorld *world, Arena *arena, NetRules *rules, Str name, Str written,
                  bool allow);
void service_rule_for_all(Arena *arena, NetRules *rules, Str name, bool allow);

// Makes endpoints of services that stand in a subnet of the tenant; part of
// network_world_finish().
void service_register_endpoints(NetworkWorld *world);

// Subnets let in by service endpoint: their ids. `unknown` as for a face.
typedef struct SubnetRules {
    Str *items;
    size_t len, cap;
    Str unknown;
} SubnetRules;
SubnetRules service_subnets(const NetworkWorld *world, Arena *arena, const ServiceKind *kind,
                            const NetResource *resource);

// Whether Microsoft's trusted services come past the rules.
bool service_trusts(const ServiceKind *kind, const NetResource *resource);
