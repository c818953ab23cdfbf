// What the files about outbound exposure share.
#pragma once

#include "azure/network/address_class.h"
#include "azure/network/firewall.h"
#include "azure/network/outbound.h"

typedef struct Outbounder {
    NetworkWorld *world;
    Arena *arena;
    const NetResource *compute;
    OutboundList *out;
    bool internet_named;
    // Every journey that has ended, for whoever asks about packets; NULL = nobody.
    void (*ended)(void *context, const Journey *journey);
    void *context;
} Outbounder;

// ---- answers (outbound.c) ----

void outbound_add(Outbounder *outbounder, const Outbound *answer, const Journey *journey);
// Adds what has left by the journey, parted into classes of destinations. `sources` are the
// addresses the compute may have, all of which must get out for an answer to be sure.
void outbound_public(Outbounder *outbounder, Journey *journey, RangeSet sources, Str subnet_id);
// One answer that a setting gives: hops are the compute and the setting.
void outbound_setting(Outbounder *outbounder, DestinationClass destination, Str name, Reach reach,
                      Str ports, Str setting);

// ---- how addresses are translated on the way out (outbound_exit.c) ----

typedef struct OutboundExit {
    HopState state;
    Str object, text;
    RangeSet protocols; // that it translates
} OutboundExit;

// Of an endpoint that has, or may have, a public address or balancer of its own.
OutboundExit outbound_exit_of(NetworkWorld *world, Arena *arena, const Endpoint *endpoint,
                              const NetResource *owner);
// Of what stands in the subnet without either: its NAT gateway, else the default access.
OutboundExit outbound_exit_of_subnet(NetworkWorld *world, Arena *arena, const Subnet *subnet);
// Of what the platform gives an address to: the NAT gateway goes before it.
OutboundExit outbound_exit_of_platform(NetworkWorld *world, Arena *arena, const Subnet *subnet,
                                       Str object, Str text);
RangeSet outbound_tcp_udp(void);

// ---- from a subnet (outbound_path.c) ----

typedef struct OutboundStart {
    Subnet *subnet;
    Interface *interface; // may be NULL
    RangeSet addresses;   // that the compute may have
    bool is_ipv6;
    const OutboundExit *exit;
    Str name;  // of what starts
    Str doubt; // why nothing is sure from the start; empty = nothing
} OutboundStart;

void outbound_from(Outbounder *outbounder, const OutboundStart *start);
// The subnet by its id; where it is not in the data that is the answer, and false.
bool outbound_subnet(Outbounder *outbounder, Str subnet_id, Subnet **subnet);

// Names that the firewall's rules let packets of the journey ask for (outbound_name.c).
// `journey` is at the firewall; `doubt` is why what it lets through may not get out.
void outbound_names(Outbounder *outbounder, const Journey *journey, const FirewallRules *rules,
                    const NetResource *firewall, RangeSet sources, Str subnet_id, Str doubt);
// Whether every name that the pattern `part` holds is one of `whole`: "*", "*.x.com", "a.x.com".
bool outbound_name_covers(Str whole, Str part);

// ---- by kind of compute ----

void outbound_machine(Outbounder *outbounder);       // virtual machines, scale sets
void outbound_cluster(Outbounder *outbounder);       // AKS
void outbound_container_app(Outbounder *outbounder); // apps and jobs
void outbound_container_group(Outbounder *outbounder);
void outbound_site(Outbounder *outbounder);
void outbound_workspace(Outbounder *outbounder);
void outbound_ml_compute(Outbounder *outbounder);
void outbound_deployment(Outbounder *outbounder);
void outbound_account(Outbounder *outbounder);

// A network that Microsoft manages for a workspace or account (outbound_managed.c): `settings`
// holds isolationMode and outboundRules, `rows` are rules in rows of their own.
void outbound_managed(Outbounder *outbounder, Dyn settings, NetResourceList rows,
                      bool rows_collected);
