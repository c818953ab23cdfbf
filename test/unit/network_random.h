// Random networks, and what single packets meet there.
#pragma once

#include "network_fixture.h"

// Three networks of two subnets with a machine each; everything about them is drawn. The
// walker below knows nothing of sets: it sends one packet and follows it.
enum { NETWORKS = 3, SUBNETS = 2, DRAWN_RULES = 3, ROUTES = 3, MACHINES = NETWORKS * SUBNETS };

typedef struct PlainRule {
    bool inbound, allow;
    uint32_t from, from_length, to, to_length, low, high;
} PlainRule;

typedef struct PlainRoute {
    uint32_t base, length, appliance;
    NextHop hop;
} PlainRoute;

typedef struct PlainSubnet {
    bool has_group, has_table, forwards;
    PlainRule rules[DRAWN_RULES];
    PlainRoute routes[ROUTES];
    uint32_t route_count;
} PlainSubnet;

typedef struct Plain {
    bool peered[NETWORKS][NETWORKS], forwarded[NETWORKS][NETWORKS], access[NETWORKS][NETWORKS];
    PlainSubnet subnets[MACHINES];
} Plain;

static inline uint32_t
address_of(uint32_t machine)
{
    return 0x0A000004u + (machine / SUBNETS << 16) + (machine % SUBNETS << 8);
}

static inline void
random_prefix(uint32_t *base, uint32_t *length)
{
    uint32_t of = address_of(pick(MACHINES));
    *length = (uint32_t[]){32, 24, 16, 8, 0}[pick(5)];
    *base = *length ? of >> (32 - *length) << (32 - *length) : 0;
}

static inline void
random_plain(Plain *plain)
{
    memset(plain, 0, sizeof *plain);
    for (uint32_t a = 0; a < NETWORKS; a++)
        for (uint32_t b = 0; b < a; b++) {
            plain->peered[a][b] = plain->peered[b][a] = pick(4) != 0;
            plain->forwarded[a][b] = pick(3);
            plain->forwarded[b][a] = pick(3);
            plain->access[a][b] = pick(4);
            plain->access[b][a] = pick(4);
        }
    for (uint32_t m = 0; m < MACHINES; m++) {
        PlainSubnet *subnet = &plain->subnets[m];
        subnet->has_group = pick(3);
        subnet->has_table = pick(3);
        subnet->forwards = pick(2);
        for (uint32_t i = 0; i < DRAWN_RULES; i++) {
            PlainRule *rule = &subnet->rules[i];
            rule->inbound = pick(2);
            rule->allow = pick(2);
            random_prefix(&rule->from, &rule->from_length);
            random_prefix(&rule->to, &rule->to_length);
            rule->low = pick(4);
            rule->high = rule->low + pick(4);
        }
        for (uint32_t i = pick(ROUTES + 1); subnet->has_table && i; i--) {
            PlainRoute route = {.hop = (NextHop[]){HOP_APPLIANCE, HOP_APPLIANCE, HOP_NONE,
                                                   HOP_LOCAL, HOP_INTERNET}[pick(5)],
                                .appliance = address_of(pick(MACHINES))};
            random_prefix(&route.base, &route.length);
            bool twice = false;
            for (uint32_t k = 0; k < subnet->route_count; k++)
                twice |= subnet->routes[k].base == route.base &&
                         subnet->routes[k].length == route.length;
            if (!twice)
                subnet->routes[subnet->route_count++] = route;
        }
    }
}

static inline void
put_prefix(Buffer *out, uint32_t base, uint32_t length)
{
    buffer_printf(out, "'%u.%u.%u.%u/%u'", base >> 24, base >> 16 & 255, base >> 8 & 255,
                  base & 255, length);
}

static inline void
add_plain_subnet(Fixture *fixture, const PlainSubnet *subnet, uint32_t m)
{
    Arena *arena = &fixture->arena;
    Buffer out = {0};
    buffer_text(&out, "{'securityRules':[");
    for (uint32_t i = 0; i < DRAWN_RULES; i++) {
        const PlainRule *rule = &subnet->rules[i];
        buffer_printf(&out,
                      "%s{'name':'r','properties':{'priority':%u,'access':'%s','direction':'%s',"
                      "'protocol':'*','sourcePortRange':'*','destinationPortRange':'%u-%u',"
                      "'sourceAddressPrefix':",
                      i ? "," : "", 100 + i, rule->allow ? "Allow" : "Deny",
                      rule->inbound ? "Inbound" : "Outbound", rule->low, rule->high);
        put_prefix(&out, rule->from, rule->from_length);
        buffer_text(&out, ",'destinationAddressPrefix':");
        put_prefix(&out, rule->to, rule->to_length);
        buffer_text(&out, "}}");
    }
    buffer_text(&out, "]}");
    char *name = str_cstr(arena, str_format(arena, "x%u", m));
    if (subnet->has_group)
        add(fixture, NET "networkSecurityGroups", name, str_cstr(arena, buffer_slice(&out)));
    buffer_clear(&out);
    buffer_text(&out, "{'routes':[");
    for (uint32_t i = 0; i < subnet->route_count; i++) {
        const PlainRoute *route = &subnet->routes[i];
        buffer_printf(&out,
                      "%s{'name':'r','properties':{'nextHopType':'%s','nextHopIpAddress':"
                      "'%u.%u.%u.%u','addressPrefix':",
                      i ? "," : "", next_hop_name(route->hop), route->appliance >> 24,
                      route->appliance >> 16 & 255, route->appliance >> 8 & 255,
                      route->appliance & 255);
        put_prefix(&out, route->base, route->length);
        buffer_text(&out, "}}");
    }
    buffer_text(&out, "]}");
    if (subnet->has_table)
        add(fixture, NET "routeTables", name, str_cstr(arena, buffer_slice(&out)));
    uint32_t address = address_of(m);
    buffer_clear(&out);
    buffer_printf(&out,
                  "{'name':'c','properties':{'privateIPAddress':'10.%u.%u.4','subnet':{'id':'" ID(
                      "virtualNetworks", "v%u") "/subnets/x%u'}}}",
                  address >> 16 & 255, address >> 8 & 255, m / SUBNETS, m);
    add_machine(fixture, name, str_cstr(arena, buffer_slice(&out)),
                subnet->forwards ? ",'enableIPForwarding':true" : "");
    buffer_free(&out);
}

static inline void
add_plain(Fixture *fixture, const Plain *plain)
{
    Arena *arena = &fixture->arena;
    for (uint32_t n = 0; n < NETWORKS; n++) {
        Buffer out = {0};
        buffer_printf(&out, "{'addressSpace':{'addressPrefixes':['10.%u.0.0/16']},'subnets':[", n);
        for (uint32_t s = 0; s < SUBNETS; s++) {
            uint32_t m = n * SUBNETS + s;
            buffer_printf(&out, "%s{'name':'x%u','properties':{'addressPrefix':'10.%u.%u.0/24'",
                          s ? "," : "", m, n, s);
            if (plain->subnets[m].has_group)
                buffer_printf(&out, GROUP("x%u"), m);
            if (plain->subnets[m].has_table)
                buffer_printf(&out, TABLE("x%u"), m);
            buffer_text(&out, "}}");
            add_plain_subnet(fixture, &plain->subnets[m], m);
        }
        buffer_text(&out, "],'virtualNetworkPeerings':[");
        bool first = true;
        for (uint32_t b = 0; b < NETWORKS; b++)
            if (plain->peered[n][b]) {
                buffer_printf(
                    &out,
                    "%s{'name':'p%u','properties':{'peeringState':'Connected',"
                    "'remoteVirtualNetwork':{'id':'" ID(
                        "virtualNetworks",
                        "v%u") "'},'allowVirtualNetworkAccess':%s,'allowForwardedTraffic':%s}}",
                    first ? "" : ",", b, b, plain->access[n][b] ? "true" : "false",
                    plain->forwarded[n][b] ? "true" : "false");
                first = false;
            }
        buffer_text(&out, "]}");
        char *name = str_cstr(arena, str_format(arena, "v%u", n));
        add(fixture, NET "virtualNetworks", name, str_cstr(arena, buffer_slice(&out)));
        buffer_free(&out);
    }
}

// What can become of a packet; both when the data does not say.
typedef struct Fate {
    bool arrives, is_lost;
} Fate;

static inline bool
holds(uint32_t base, uint32_t length, uint32_t address)
{
    return !length || address >> (32 - length) == base >> (32 - length);
}

// 0 = no, 1 = perhaps, 2 = yes: whether VirtualNetwork covers the address in the subnet.
static inline int
in_network(const Plain *plain, uint32_t m, uint32_t address)
{
    uint32_t n = m / SUBNETS, of = address >> 16 & 255;
    if (address >> 24 == 10 &&
        (of == n || (of < NETWORKS && plain->peered[n][of] && plain->access[n][of])))
        return 2;
    int best = 0;
    for (uint32_t i = 0; i < plain->subnets[m].route_count; i++) {
        const PlainRoute *route = &plain->subnets[m].routes[i];
        if (!holds(route->base, route->length, address))
            continue;
        bool leaves = route->hop == HOP_INTERNET || route->hop == HOP_NONE;
        int says_so = route->length && !leaves ? 2 : 1;
        best = says_so > best ? says_so : best;
    }
    return best;
}
