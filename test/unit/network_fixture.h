// Worlds made by hand: resources written as JSON with single quotes.
#pragma once

#include "azure/network/world.h"
#include "base/array.h"
#include "value/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static uint64_t seed = 88172645463325252u;

static inline uint32_t
pick(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % below;
}

static inline Dyn
json(Arena *arena, Str text)
{
    char *copy = str_cstr(arena, text);
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    Text *tree = ARENA_NEW(arena, Text);
    bool is_null;
    json_parse_text(arena, str_from(copy), tree, &is_null);
    return is_null ? dyn_null() : dyn_of_text(tree);
}

// ---- worlds ----

typedef struct Fixture {
    Arena arena;
    NetworkWorld world;
} Fixture;

static inline void
begin(Fixture *fixture)
{
    AzError error = {0};
    const char *content = getenv("AZIMUTH_CONTENT");
    *fixture = (Fixture){0};
    assert_true(network_world_init(&fixture->world, &fixture->arena, content ? content : "content",
                                   &error));
    network_world_add_subscription(&fixture->world, STR("s"));
}

static inline void
end(Fixture *fixture)
{
    arena_free(&fixture->arena);
}

// /subscriptions/s/resourceGroups/g/providers/TYPE/NAME, or the type's parts with the names'.
static inline Str
id_of(Arena *arena, const char *type, const char *name)
{
    Str types = str_from(type), names = str_from(name);
    ptrdiff_t first = str_find(types, STR("/"));
    Str id =
        str_format(arena, "/subscriptions/s/resourceGroups/g/providers/%.*s", (int)first, type);
    types = str_slice(types, (size_t)first + 1, types.len);
    while (types.len) {
        ptrdiff_t t = str_find(types, STR("/")), n = str_find(names, STR("/"));
        size_t t_end = t < 0 ? types.len : (size_t)t, n_end = n < 0 ? names.len : (size_t)n;
        id = str_format(arena, "%.*s/%.*s/%.*s", STR_ARG(id), (int)t_end, types.ptr, (int)n_end,
                        names.ptr);
        types = str_slice(types, t_end + 1, types.len);
        names = str_slice(names, n_end + 1, names.len);
    }
    return id;
}

static inline void
add_sku(Fixture *fixture, const char *type, const char *name, const char *sku,
        const char *properties)
{
    Str id = id_of(&fixture->arena, type, name);
    ptrdiff_t slash = str_find(str_from(name), STR("/"));
    NetResource resource = {
        .id = id,
        .name = str_from(slash < 0 ? name : strrchr(name, '/') + 1),
        .type = str_lower(&fixture->arena, str_from(type)),
        .sku = str_from(sku),
        .subscription = STR("s"),
        .group = STR("g"),
        .location = STR("here"),
        .properties = json(&fixture->arena, str_from(properties)),
    };
    network_world_add(&fixture->world, &resource);
}

static inline void
add(Fixture *fixture, const char *type, const char *name, const char *properties)
{
    add_sku(fixture, type, name, "", properties);
}

#define NET          "Microsoft.Network/"
#define ID(kind, n)  "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/" kind "/" n
#define SUBNET(v, n) ID("virtualNetworks", v) "/subnets/" n

// clang-format off: JSON in macros
// A subnet of a network; more properties behind a comma.
#define SUBNET_JSON(name, prefix, more)                                                            \
    "{'name':'" name "','properties':{'addressPrefix':'" prefix "'" more "}}"
#define NETWORK_JSON(space, subnets, peerings)                                                     \
    "{'addressSpace':{'addressPrefixes':['" space "']},'subnets':[" subnets                        \
    "],'virtualNetworkPeerings':[" peerings "]}"
#define PEERING_JSON(name, remote, more)                                                           \
    "{'name':'" name                                                                               \
    "','properties':{'peeringState':'Connected','remoteVirtualNetwork':{'id':'" ID(                \
        "virtualNetworks", remote) "'},'allowVirtualNetworkAccess':true" more "}}"
#define GROUP(n) ",'networkSecurityGroup':{'id':'" ID("networkSecurityGroups", n) "'}"
#define TABLE(n) ",'routeTable':{'id':'" ID("routeTables", n) "'}"
#define RULE_JSON(name, priority, access, direction, protocol, from, to, port)                     \
    "{'name':'" name "','properties':{'priority':" priority ",'access':'" access                   \
    "','direction':'" direction "','protocol':'" protocol "','sourceAddressPrefix':'" from         \
    "','sourcePortRange':'*','destinationAddressPrefix':'" to "','destinationPortRange':'" port    \
    "'}}"
#define RULE(name, priority, access, direction, from, to, port)                                    \
    RULE_JSON(name, priority, access, direction, "Tcp", from, to, port)
#define DENY_ALL(name, priority, direction, from)                                                  \
    RULE_JSON(name, priority, "Deny", direction, "*", from, "*", "*")
#define CONFIG(subnet, address, more)                                                              \
    "{'name':'c','properties':{'privateIPAddress':'" address "','subnet':{'id':'" subnet "'}" more \
    "}}"
// clang-format on

static inline void
add_machine(Fixture *fixture, const char *name, const char *configs, const char *more)
{
    Arena *arena = &fixture->arena;
    Str interface =
        str_format(arena, "{'ipConfigurations':[%s],'virtualMachine':{'id':'%.*s'}%s}", configs,
                   STR_ARG(id_of(arena, "Microsoft.Compute/virtualMachines", name)), more);
    add(fixture, "Microsoft.Compute/virtualMachines", name, "{}");
    add(fixture, NET "networkInterfaces", str_cstr(arena, str_format(arena, "nic-%s", name)),
        str_cstr(arena, interface));
}

#define VM "Microsoft.Compute/virtualMachines"
