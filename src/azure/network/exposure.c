#include "azure/network/exposure_internal.h"

#include "azure/arm.h"
#include "base/array.h"

#include <stdlib.h>

const char *
source_class_name(SourceClass source)
{
    static const char *const NAMES[SOURCE_CLASS_COUNT] = {
        [SOURCE_INTERNET] = "Internet",        [SOURCE_ANY_TENANT] = "AnyAzureTenant",
        [SOURCE_LISTED] = "ListedAddresses",   [SOURCE_TRUSTED] = "TrustedServices",
        [SOURCE_OTHER_TENANT] = "OtherTenant", [SOURCE_PEERED] = "PeeredNetwork",
        [SOURCE_ROUTED] = "RoutedNetwork",     [SOURCE_SUBNET] = "Subnet",
        [SOURCE_ENDPOINT] = "PrivateEndpoint",
    };
    return NAMES[source];
}

void
expose_add(Exposer *exposer, const Exposure *exposure, const Journey *journey)
{
    Exposure kept = *exposure;
    if (journey) {
        kept.hops = journey->hops.items;
        kept.hop_count = journey->hops.len;
        if (kept.reach == REACH_UNKNOWN && !kept.reason.len)
            kept.reason = journey->doubt;
    }
    exposer->internet_named |= kept.source == SOURCE_INTERNET;
    ARRAY_PUSH(exposer->arena, exposer->out, kept);
}

static void
add_class(Exposer *exposer, AddressClass class, Reach reach, const PacketSet *set,
          const Journey *journey, Str via, Str because)
{
    static const SourceClass SOURCES[] = {SOURCE_INTERNET, SOURCE_ANY_TENANT, SOURCE_LISTED};
    if (!set->len)
        return;
    Exposure exposure = {
        .source = SOURCES[class],
        .source_name = STR("any address"),
        .reach = reach,
        .ports = address_class_ports(exposer->arena, set),
        .via = via,
        .because = because,
    };
    if (class == ADDRESS_CLASS_TENANTS)
        exposure.source_name = STR("services of any Azure tenant");
    else if (class == ADDRESS_CLASS_LISTED)
        exposure.source_name =
            reach == REACH_OPEN
                ? address_class_addresses(exposer->arena, &exposer->world->tags, set, PACKET_SOURCE)
                : STR("some public addresses");
    expose_add(exposer, &exposure, journey);
}

void
expose_public(Exposer *exposer, Journey *journey, const Endpoint *to, Str via, Str because)
{
    Arena *arena = exposer->arena;
    if (journey->flow.may.too_many) {
        Exposure exposure = {.source = SOURCE_INTERNET,
                             .source_name = STR("any address"),
                             .reach = REACH_UNKNOWN,
                             .via = via,
                             .because = because};
        expose_add(exposer, &exposure, journey);
        return;
    }
    PacketSet sure = {0};
    for (size_t i = 0; i < journey->flow.sure.len; i++)
        if (!to || to->address_known ||
            range_set_covers(journey->flow.sure.items[i].at[PACKET_DESTINATION], to->addresses))
            packet_set_add(arena, &sure, &journey->flow.sure.items[i]);
    ClassPart parts[ADDRESS_CLASS_COUNT];
    address_classes(arena, &sure, &journey->flow.may, PACKET_SOURCE,
                    exposer->world->tags.tenants_send, parts);
    if (!journey->doubt.len)
        journey->doubt = STR("the address of the target within its subnet is not known");
    for (AddressClass class = 0; class < ADDRESS_CLASS_COUNT; class ++) {
        add_class(exposer, class, REACH_OPEN, &parts[class].sure, journey, via, because);
        add_class(exposer, class, REACH_UNKNOWN, &parts[class].may, journey, via, because);
    }
}

void
expose_closed(Exposer *exposer, Journey *journey, Str because)
{
    if (exposer->internet_named)
        return;
    Exposure exposure = {.source = SOURCE_INTERNET,
                         .source_name = STR("any address"),
                         .reach = REACH_CLOSED,
                         .because = because};
    expose_add(exposer, &exposure, journey);
}

PacketBox
expose_public_packets(const Exposer *exposer, const Endpoint *to)
{
    PacketBox box = packet_box_all();
    box.at[PACKET_SOURCE] = address_public();
    if (!to)
        return box;
    box.at[PACKET_DESTINATION] = to->addresses;
    if (to->subnet)
        box.at[PACKET_SOURCE] =
            range_set_subtract(exposer->arena, box.at[PACKET_SOURCE], to->subnet->network->space);
    return box;
}

// ---- all of a target ----

// What has no endpoint of its own to reach, though it has an address.
static bool
is_part(Str type)
{
    static const Str PARTS[] = {STR_INIT("microsoft.network/privateendpoints"),
                                STR_INIT("microsoft.network/networkinterfaces"),
                                STR_INIT("microsoft.network/azurefirewalls"),
                                STR_INIT("microsoft.network/bastionhosts"),
                                STR_INIT("microsoft.network/loadbalancers")};
    for (size_t i = 0; i < COUNT_OF(PARTS); i++)
        if (str_equal(type, PARTS[i]))
            return true;
    return false;
}

bool
exposure_is_target(const NetworkWorld *world, const NetResource *resource)
{
    return service_kind(world, resource->type) ||
           (!is_part(resource->type) && network_endpoints(world, resource->id));
}

static int
by_class(const void *left, const void *right)
{
    const Exposure *a = left, *b = right;
    return a->source != b->source ? (int)a->source - (int)b->source
                                  : str_compare_ci(a->source_name, b->source_name);
}

ExposureList
exposures_of(NetworkWorld *world, Arena *arena, const NetResource *target)
{
    ExposureList out = {0};
    Exposer exposer = {.world = world, .arena = arena, .target = target, .out = &out};
    const ServiceKind *kind = service_kind(world, target->type);
    if (kind)
        expose_service(&exposer, kind);
    const EndpointList *endpoints = network_endpoints(world, target->id);
    for (size_t i = 0; endpoints && i < endpoints->len; i++)
        expose_endpoint(&exposer, endpoints->items[i]);
    expose_closed(&exposer, NULL, STR("no public address, load balancer or gateway leads to it"));
    qsort(out.items, out.len, sizeof *out.items, by_class);
    return out;
}
