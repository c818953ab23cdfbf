#include "azure/network/route.h"

#include "base/array.h"

#include <stdlib.h>

static const char *const HOP_NAMES[HOP_COUNT] = {
    [HOP_LOCAL] = "VnetLocal",
    [HOP_PEERING] = "VNetPeering",
    [HOP_PRIVATE_ENDPOINT] = "InterfaceEndpoint",
    [HOP_SERVICE_ENDPOINT] = "VirtualNetworkServiceEndpoint",
    [HOP_APPLIANCE] = "VirtualAppliance",
    [HOP_GATEWAY] = "VirtualNetworkGateway",
    [HOP_INTERNET] = "Internet",
    [HOP_NONE] = "None",
};

const char *
next_hop_name(NextHop hop)
{
    return HOP_NAMES[hop];
}

bool
next_hop_parse(Str text, NextHop *out)
{
    static const NextHop OF_USERS[] = {HOP_LOCAL, HOP_APPLIANCE, HOP_GATEWAY, HOP_INTERNET,
                                       HOP_NONE};
    for (size_t i = 0; i < COUNT_OF(OF_USERS); i++)
        if (str_equal_ci(text, str_from(HOP_NAMES[OF_USERS[i]]))) {
            *out = OF_USERS[i];
            return true;
        }
    return false;
}

// Lengths of the two families are never compared for one address: no prefix holds both.
static int
order(const void *left, const void *right)
{
    const Route *a = left, *b = right;
    if (a->length != b->length)
        return b->length - a->length;
    return (int)a->source - (int)b->source;
}

void
route_table_sort(RouteTable *table)
{
    if (table->len)
        qsort(table->items, table->len, sizeof *table->items, order);
    table->forwards = false;
    for (size_t i = 0; i < table->len; i++)
        if (table->items[i].hop == HOP_APPLIANCE || table->items[i].hop == HOP_GATEWAY)
            table->forwards = true;
}

const Route *
route_find(const RouteTable *table, Address destination)
{
    for (size_t i = 0; i < table->len; i++)
        if (range_set_contains(table->items[i].prefix, destination))
            return &table->items[i];
    return NULL;
}
