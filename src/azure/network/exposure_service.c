// Services: their own settings, subnets let in by service endpoint, trusted services and
// private endpoints.

#include "azure/network/exposure_internal.h"

#include "azure/arm.h"

static void
expose_face(Exposer *exposer, const ServiceKind *kind)
{
    Arena *arena = exposer->arena;
    ServiceFace face = service_face(exposer->world, arena, kind, exposer->target);
    Journey journey;
    PacketBox box = expose_public_packets(exposer, NULL);
    box.at[PACKET_PORT] = kind->ports.at[PACKET_PORT];
    box.at[PACKET_PROTOCOL] = kind->ports.at[PACKET_PROTOCOL];
    journey_start(&journey, arena, &box);
    journey_hop(&journey, STEP_SOURCE, HOP_PASSES, (Str){0}, STR("the internet"));
    if (face.unknown.len) {
        Exposure exposure = {.source = SOURCE_INTERNET,
                             .source_name = STR("any address"),
                             .reach = REACH_UNKNOWN,
                             .because = face.why.len ? face.why : STR("a public endpoint"),
                             .reason = face.unknown};
        journey_doubt(&journey, STEP_SETTING, exposer->target->id, face.unknown);
        expose_add(exposer, &exposure, &journey);
        return;
    }
    if (!face.is_public) {
        journey_stop(&journey, STEP_SETTING, exposer->target->id, face.why);
        expose_closed(exposer, &journey, face.why);
        return;
    }
    journey_hop(&journey, STEP_SETTING, HOP_PASSES, exposer->target->id, face.why);
    journey_rules(&journey, STEP_SETTING, &face.rules, exposer->target->id);
    if (!journey_is_over(&journey))
        expose_public(exposer, &journey, NULL, (Str){0}, face.why);
    expose_closed(exposer, &journey, face.why);
}

// ---- subnets ----

static bool
has_service_endpoint(const Subnet *subnet, Str service)
{
    Dyn list = arm_path(subnet->properties, STR("serviceEndpoints"));
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++) {
        Str name = arm_text(dyn_at(list, i), "service");
        if (str_equal_ci(str_slice(name, 0, service.len), service) &&
            (name.len == service.len || name.ptr[service.len] == '.'))
            return true;
    }
    return false;
}

// Packets from the subnet to some address of the service: the group may forbid them.
static void
leave_for_service(Exposer *exposer, Journey *journey, Subnet *subnet, const ServiceKind *kind)
{
    RangeSet sure, may;
    ptrdiff_t dot = str_find(kind->endpoint, STR("."));
    Str tag = str_slice(kind->endpoint, (size_t)(dot + 1), kind->endpoint.len);
    service_tag_sets(&exposer->world->tags, exposer->arena, tag, &sure, &may);
    PacketBox box = kind->ports;
    box.at[PACKET_SOURCE] = subnet->prefixes;
    box.at[PACKET_DESTINATION] = sure;
    journey_start(journey, exposer->arena, &box);
    journey_hop(journey, STEP_SOURCE, HOP_PASSES, subnet->id,
                str_format(exposer->arena, "%.*s/%.*s", STR_ARG(subnet->network->name),
                           STR_ARG(subnet->name)));
    journey_groups_out(exposer->world, journey, subnet, NULL);
}

static void
expose_service_subnet(Exposer *exposer, const ServiceKind *kind, Str id)
{
    Arena *arena = exposer->arena;
    Subnet *subnet = network_subnet(exposer->world, id);
    Exposure exposure = {.source = SOURCE_SUBNET,
                         .source_id = id,
                         .source_name = arm_last_segment(id),
                         .reach = REACH_OPEN,
                         .because = STR("a virtual network rule lets the subnet in")};
    Journey journey = {.arena = arena};
    if (!subnet) {
        exposure.reach = REACH_UNKNOWN;
        exposure.reason = STR("the subnet that a rule lets in is not in the data");
        journey_hop(&journey, STEP_SETTING, HOP_UNSURE, id, exposure.reason);
        expose_add(exposer, &exposure, &journey);
        return;
    }
    if (!has_service_endpoint(subnet, kind->endpoint))
        return; // its packets come from public addresses, and the rule does not match
    leave_for_service(exposer, &journey, subnet, kind);
    exposure.source_name =
        str_format(arena, "%.*s/%.*s", STR_ARG(subnet->network->name), STR_ARG(subnet->name));
    exposure.reach = journey_reach(&journey, NULL);
    if (exposure.reach == REACH_CLOSED)
        return;
    journey_hop(&journey, STEP_ROUTE, HOP_PASSES, id,
                str_format(arena, "service endpoint %.*s", STR_ARG(kind->endpoint)));
    journey_hop(&journey, STEP_SETTING, HOP_PASSES, exposer->target->id, exposure.because);
    exposure.ports = address_class_ports(arena, exposure.reach == REACH_OPEN ? &journey.flow.sure
                                                                             : &journey.flow.may);
    expose_add(exposer, &exposure, &journey);
}

// ---- private endpoints ----

typedef struct DnsQuestion {
    Exposer *exposer;
    const ServiceKind *kind;
    const PrivateLink *link;
} DnsQuestion;

static Str
dns_of(void *context, const VirtualNetwork *network)
{
    const DnsQuestion *question = context;
    return private_link_dns(question->exposer->world, question->exposer->arena, question->kind,
                            question->exposer->target, question->link, network);
}

static void
expose_link(Exposer *exposer, const ServiceKind *kind, const PrivateLink *link)
{
    Arena *arena = exposer->arena;
    Str name = arm_last_segment(link->id);
    Exposure exposure = {
        .source = SOURCE_ENDPOINT, .source_id = link->id, .source_name = name, .via = link->id};
    Journey journey = {.arena = arena};
    if (!link->approved) {
        exposure.because =
            str_format(arena, "private endpoint %.*s is %.*s", STR_ARG(name),
                       STR_ARG(link->status.len ? link->status : STR("not approved")));
        journey_stop(&journey, STEP_TARGET, link->id, exposure.because);
        expose_add(exposer, &exposure, &journey);
        return;
    }
    if (!link->endpoint) {
        exposure.source = link->of_tenant ? SOURCE_ENDPOINT : SOURCE_OTHER_TENANT;
        exposure.reach = link->of_tenant ? REACH_UNKNOWN : REACH_OPEN;
        exposure.because =
            str_format(arena, "private endpoint %.*s is approved%s", STR_ARG(name),
                       link->of_tenant ? "" : ", its subscription is none of those in the data");
        if (link->of_tenant)
            exposure.reason = STR("the private endpoint is not in the data");
        journey_hop(&journey, STEP_TARGET, link->of_tenant ? HOP_UNSURE : HOP_PASSES, link->id,
                    exposure.because);
        expose_add(exposer, &exposure, &journey);
        return;
    }
    DnsQuestion question = {exposer, kind, link};
    const EndpointList *endpoints = network_endpoints(exposer->world, link->id);
    for (size_t i = 0; endpoints && i < endpoints->len; i++)
        expose_subnets(exposer, endpoints->items[i], &kind->ports, link->id, dns_of, &question);
}

void
expose_service(Exposer *exposer, const ServiceKind *kind)
{
    Arena *arena = exposer->arena;
    expose_face(exposer, kind);
    SubnetRules subnets = service_subnets(exposer->world, arena, kind, exposer->target);
    ServiceFace face = service_face(exposer->world, arena, kind, exposer->target);
    for (size_t i = 0; face.is_public && i < subnets.len; i++)
        expose_service_subnet(exposer, kind, subnets.items[i]);
    if (service_trusts(kind, exposer->target)) {
        Exposure exposure = {
            .source = SOURCE_TRUSTED,
            .source_name = STR("trusted Microsoft services"),
            .reach = REACH_OPEN,
            .because = str_format(arena, "%.*s names AzureServices", STR_ARG(kind->bypass))};
        Journey journey = {.arena = arena};
        journey_hop(&journey, STEP_SETTING, HOP_PASSES, exposer->target->id, exposure.because);
        expose_add(exposer, &exposure, &journey);
    }
    PrivateLinks links = private_links(exposer->world, arena, kind, exposer->target);
    for (size_t i = 0; i < links.len; i++)
        expose_link(exposer, kind, &links.items[i]);
}
