#include "azure/network/outbound_internal.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

const char *
destination_class_name(DestinationClass destination)
{
    static const char *const NAMES[DESTINATION_CLASS_COUNT] = {
        [DESTINATION_INTERNET] = "Internet",         [DESTINATION_ANY_TENANT] = "AnyAzureTenant",
        [DESTINATION_ADDRESSES] = "ListedAddresses", [DESTINATION_NAMES] = "ListedNames",
        [DESTINATION_RESOURCE] = "Resource",
    };
    return NAMES[destination];
}

// ---- answers ----

static bool
is_known_already(const Outbounder *outbounder, const Outbound *answer)
{
    for (size_t i = 0; i < outbounder->out->len; i++) {
        const Outbound *other = &outbounder->out->items[i];
        if (other->destination == answer->destination && other->reach == answer->reach &&
            str_equal(other->name, answer->name) && str_equal(other->ports, answer->ports) &&
            str_equal(other->because, answer->because) &&
            str_equal_ci(other->subnet_id, answer->subnet_id))
            return true;
    }
    return false;
}

void
outbound_add(Outbounder *outbounder, const Outbound *answer, const Journey *journey)
{
    Outbound kept = *answer;
    if (journey) {
        kept.hops = journey->hops.items;
        kept.hop_count = journey->hops.len;
        if (!kept.because.len)
            kept.because = journey_because(outbounder->arena, journey);
        if (kept.reach == REACH_UNKNOWN && !kept.reason.len)
            kept.reason = journey->doubt;
    }
    outbounder->internet_named |= kept.destination == DESTINATION_INTERNET;
    if (!is_known_already(outbounder, &kept))
        ARRAY_PUSH(outbounder->arena, outbounder->out, kept);
}

void
outbound_setting(Outbounder *outbounder, DestinationClass destination, Str name, Reach reach,
                 Str ports, Str setting)
{
    static const HopState STATES[] = {
        [REACH_CLOSED] = HOP_STOPS, [REACH_UNKNOWN] = HOP_UNSURE, [REACH_OPEN] = HOP_PASSES};
    Journey journey = {.arena = outbounder->arena};
    journey_hop(&journey, STEP_SOURCE, HOP_PASSES, outbounder->compute->id,
                outbounder->compute->name);
    journey_hop(&journey, STEP_SETTING, STATES[reach], outbounder->compute->id, setting);
    Outbound answer = {
        .destination = destination,
        .name = name,
        .reach = reach,
        .ports = ports,
        .because = setting,
        .reason = reach == REACH_UNKNOWN ? setting : STR(""),
    };
    outbound_add(outbounder, &answer, &journey);
}

// What leads out: the last thing on the way that stands outside of the compute.
static Str
way_out(const Journey *journey)
{
    Str via = {0};
    for (size_t i = 0; i < journey->hops.len; i++) {
        const Hop *hop = &journey->hops.items[i];
        if (hop->kind == STEP_FIREWALL || hop->kind == STEP_APPLIANCE || hop->kind == STEP_EXIT)
            via = hop->object;
    }
    return via;
}

static void
add_class(Outbounder *outbounder, AddressClass class, Reach reach, const PacketSet *set,
          const Journey *journey, Str subnet_id)
{
    static const DestinationClass CLASSES[] = {DESTINATION_INTERNET, DESTINATION_ANY_TENANT,
                                               DESTINATION_ADDRESSES};
    if (!set->len)
        return;
    Outbound answer = {
        .destination = CLASSES[class],
        .name = STR("any address"),
        .subnet_id = subnet_id,
        .reach = reach,
        .ports = address_class_ports(outbounder->arena, set),
        .via = way_out(journey),
    };
    if (class != ADDRESS_CLASS_ANY)
        answer.name = reach == REACH_OPEN || class == ADDRESS_CLASS_TENANTS
                          ? address_class_addresses(outbounder->arena, &outbounder->world->tags,
                                                    set, PACKET_DESTINATION)
                          : STR("some public addresses");
    outbound_add(outbounder, &answer, journey);
}

void
outbound_public(Outbounder *outbounder, Journey *journey, RangeSet sources, Str subnet_id)
{
    Arena *arena = outbounder->arena;
    if (journey->flow.may.too_many) {
        Outbound answer = {.destination = DESTINATION_INTERNET,
                           .name = STR("any address"),
                           .subnet_id = subnet_id,
                           .reach = REACH_UNKNOWN,
                           .via = way_out(journey)};
        outbound_add(outbounder, &answer, journey);
        return;
    }
    PacketSet sure = {0};
    for (size_t i = 0; i < journey->flow.sure.len; i++)
        if (range_set_covers(journey->flow.sure.items[i].at[PACKET_SOURCE], sources))
            packet_set_add(arena, &sure, &journey->flow.sure.items[i]);
    ClassPart parts[ADDRESS_CLASS_COUNT];
    address_classes(arena, &sure, &journey->flow.may, PACKET_DESTINATION,
                    outbounder->world->tags.tenants_receive, parts);
    if (!journey->doubt.len)
        journey->doubt = STR("the address of the compute within its subnet is not known");
    for (AddressClass class = 0; class < ADDRESS_CLASS_COUNT; class ++) {
        add_class(outbounder, class, REACH_OPEN, &parts[class].sure, journey, subnet_id);
        add_class(outbounder, class, REACH_UNKNOWN, &parts[class].may, journey, subnet_id);
    }
}

// ---- all of a compute ----

typedef struct ComputeKind {
    Str type;
    void (*answer)(Outbounder *outbounder);
} ComputeKind;

static const ComputeKind KINDS[] = {
    {STR_INIT("microsoft.compute/virtualmachines"), outbound_machine},
    {STR_INIT("microsoft.compute/virtualmachinescalesets"), outbound_machine},
    {STR_INIT("microsoft.containerservice/managedclusters"), outbound_cluster},
    {STR_INIT("microsoft.app/containerapps"), outbound_container_app},
    {STR_INIT("microsoft.app/jobs"), outbound_container_app},
    {STR_INIT("microsoft.containerinstance/containergroups"), outbound_container_group},
    {STR_INIT("microsoft.web/sites"), outbound_site},
    {STR_INIT("microsoft.web/sites/slots"), outbound_site},
    {STR_INIT("microsoft.machinelearningservices/workspaces"), outbound_workspace},
    {STR_INIT("microsoft.machinelearningservices/workspaces/computes"), outbound_ml_compute},
    {STR_INIT("microsoft.machinelearningservices/workspaces/onlineendpoints/deployments"),
     outbound_deployment},
    {STR_INIT("microsoft.cognitiveservices/accounts"), outbound_account},
};

static const ComputeKind *
kind_of(const NetResource *resource)
{
    for (size_t i = 0; i < COUNT_OF(KINDS); i++)
        if (str_equal(resource->type, KINDS[i].type))
            return &KINDS[i];
    return NULL;
}

bool
outbound_is_compute(const NetResource *resource)
{
    return kind_of(resource) != NULL;
}

static int
by_class(const void *left, const void *right)
{
    const Outbound *a = left, *b = right;
    if (a->destination != b->destination)
        return (int)a->destination - (int)b->destination;
    if (a->reach != b->reach)
        return (int)b->reach - (int)a->reach;
    int by_name = str_compare_ci(a->name, b->name);
    return by_name ? by_name : str_compare_ci(a->because, b->because);
}

// A way that is closed says nothing where another one is, or may be, open.
static void
drop_closed(OutboundList *list)
{
    bool open = false;
    size_t kept = 0;
    for (size_t i = 0; i < list->len; i++)
        open |= list->items[i].destination == DESTINATION_INTERNET &&
                list->items[i].reach != REACH_CLOSED;
    for (size_t i = 0; i < list->len; i++)
        if (!open || list->items[i].reach != REACH_CLOSED)
            list->items[kept++] = list->items[i];
    list->len = kept;
}

OutboundList
outbounds_of(NetworkWorld *world, Arena *arena, const NetResource *compute)
{
    OutboundList out = {0};
    Outbounder outbounder = {.world = world, .arena = arena, .compute = compute, .out = &out};
    const ComputeKind *kind = kind_of(compute);
    if (!kind)
        return out;
    if (dyn_kind(compute->properties) != DYN_BAG)
        outbound_setting(&outbounder, DESTINATION_INTERNET, STR("any address"), REACH_UNKNOWN,
                         STR(""), STR("its properties are not in the data"));
    else
        kind->answer(&outbounder);
    if (!outbounder.internet_named)
        outbound_setting(&outbounder, DESTINATION_INTERNET, STR("any address"), REACH_CLOSED,
                         STR(""), STR("only what rules name is let out"));
    drop_closed(&out);
    qsort(out.items, out.len, sizeof *out.items, by_class);
    return out;
}
