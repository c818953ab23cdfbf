// Rules about packets in order of priority: the first that matches decides.
//
// What a rule matches may not be known: a service tag stands for addresses that nobody
// lists. Such a rule has two boxes, what it surely matches and what it may match at most. A
// question therefore has two answers: what is allowed in any case, and what may be allowed.
// In between is unknown, and `doubt` of the rules says why.
#pragma once

#include "azure/network/packet.h"

typedef struct NetRule {
    Str name;
    int64_t priority; // the least comes first
    bool allow;
    PacketBox sure, may; // sure is part of may; the same when all is known
    Str doubt;           // why they differ; empty when they do not
} NetRule;

// In order of priority; what no rule matches is denied.
typedef struct NetRules {
    NetRule *items;
    size_t len, cap;
} NetRules;

void net_rules_add(Arena *arena, NetRules *rules, const NetRule *rule);
void net_rules_sort(NetRules *rules); // rules of equal priority keep their order

// Packets on their way: those that surely come this far, and those that may.
typedef struct Flow {
    PacketSet sure, may;
} Flow;

Flow flow_of(Arena *arena, const PacketBox *box); // all of them surely
Flow flow_intersect(Arena *arena, const Flow *flow, const PacketBox *box);
bool flow_too_many(const Flow *flow);

// What the rules let through.
Flow net_rules_pass(Arena *arena, const NetRules *rules, const Flow *flow);

// The rule that decides about one packet; NULL when none matches. `certain` becomes false
// when a rule before it may match as well, or the rule itself only may; `doubtful` (may be
// NULL) is then the first such rule.
const NetRule *net_rules_decide(const NetRules *rules, const Packet *packet, bool *certain,
                                const NetRule **doubtful);
