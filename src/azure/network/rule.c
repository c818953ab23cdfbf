// Each rule takes its packets from those that no rule before it has decided.
//
// Surely allowed: an allowing rule takes what it surely matches, a denying one all it may
// match. Possibly allowed: an allowing rule takes what it may match, a denying one what it
// surely matches. What an allowing rule only may match stays undecided on the sure side, for
// a later rule may allow it in any case.

#include "azure/network/rule.h"

#include "base/array.h"

#include <stdlib.h>

void
net_rules_add(Arena *arena, NetRules *rules, const NetRule *rule)
{
    ARRAY_PUSH(arena, rules, *rule);
}

void
net_rules_sort(NetRules *rules)
{
    // Insertion: groups come nearly sorted, and equal priorities must keep their order.
    for (size_t i = 1; i < rules->len; i++) {
        NetRule rule = rules->items[i];
        size_t at = i;
        for (; at && rules->items[at - 1].priority > rule.priority; at--)
            rules->items[at] = rules->items[at - 1];
        rules->items[at] = rule;
    }
}

// ---- flows ----

Flow
flow_of(Arena *arena, const PacketBox *box)
{
    Flow flow = {0};
    packet_set_add(arena, &flow.sure, box);
    packet_set_add(arena, &flow.may, box);
    return flow;
}

Flow
flow_intersect(Arena *arena, const Flow *flow, const PacketBox *box)
{
    return (Flow){packet_set_intersect(arena, &flow->sure, box),
                  packet_set_intersect(arena, &flow->may, box)};
}

bool
flow_too_many(const Flow *flow)
{
    return flow->sure.too_many || flow->may.too_many;
}

static void
take(Arena *arena, PacketSet *out, const PacketSet *undecided, const PacketBox *box)
{
    PacketSet part = packet_set_intersect(arena, undecided, box);
    for (size_t i = 0; i < part.len; i++)
        packet_set_add(arena, out, &part.items[i]);
    out->too_many |= part.too_many;
}

static PacketSet
pass(Arena *arena, const NetRules *rules, const PacketSet *in, bool sure)
{
    PacketSet out = {0}, undecided = *in;
    for (size_t i = 0; i < rules->len && undecided.len; i++) {
        const NetRule *rule = &rules->items[i];
        const PacketBox *box = rule->allow == sure ? &rule->sure : &rule->may;
        if (rule->allow)
            take(arena, &out, &undecided, box);
        undecided = packet_set_subtract(arena, &undecided, box);
    }
    out.too_many |= undecided.too_many;
    return out;
}

Flow
net_rules_pass(Arena *arena, const NetRules *rules, const Flow *flow)
{
    return (Flow){pass(arena, rules, &flow->sure, true), pass(arena, rules, &flow->may, false)};
}

const NetRule *
net_rules_decide(const NetRules *rules, const Packet *packet, bool *certain,
                 const NetRule **doubtful)
{
    *certain = true;
    for (size_t i = 0; i < rules->len; i++) {
        const NetRule *rule = &rules->items[i];
        if (packet_box_contains(&rule->sure, packet))
            return rule;
        if (packet_box_contains(&rule->may, packet)) {
            if (*certain && doubtful)
                *doubtful = rule;
            *certain = false;
        }
    }
    return NULL;
}
