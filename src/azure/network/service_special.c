// Services whose settings are more than a list of addresses.
//
// Sources: Microsoft Learn, "Set up Azure App Service access restrictions", "Ingress in Azure
// Container Apps", "Deploy your Azure API Management instance to a virtual network", "Secure
// access to the API server using authorized IP address ranges in Azure Kubernetes Service".

#include "azure/network/service.h"

#include "azure/arm.h"
#include "base/array.h"

#include <stdlib.h>

static void
close_face(ServiceFace *face, Str why)
{
    face->is_public = false;
    face->why = why;
}

// ---- web and function apps ----

static int64_t
priority_of(Dyn rule)
{
    Dyn found = dyn_get_ci(rule, STR("priority"));
    return dyn_kind(found) == DYN_LONG ? dyn_long(found) : INT64_MAX;
}

static int
by_priority(const void *left, const void *right)
{
    int64_t a = priority_of(*(const Dyn *)left), b = priority_of(*(const Dyn *)right);
    return (a > b) - (a < b);
}

// A rule that also asks for a header lets in who can send it: a Front Door of one's own.
static void
add_restriction(NetworkWorld *world, Arena *arena, NetRules *rules, Dyn rule)
{
    Str name = arm_text(rule, "name"), written = arm_text(rule, "ipAddress");
    bool allow = !str_equal_ci(arm_text(rule, "action"), STR("Deny"));
    if (!written.len) // a subnet
        return;
    service_rule(world, arena, rules, name, written, allow);
    if (allow && dyn_count(dyn_get_ci(rule, STR("headers")))) {
        NetRule *last = &rules->items[rules->len - 1];
        last->sure.at[PACKET_SOURCE] = (RangeSet){0};
        last->doubt = STR("who comes through the gateway that sends the header is decided there");
    }
}

static void
read_restrictions(NetworkWorld *world, Arena *arena, Dyn list, Str default_action,
                  ServiceFace *face)
{
    uint32_t count = dyn_kind(list) == DYN_ARRAY ? dyn_count(list) : 0;
    Dyn *rules = ARENA_ARRAY(arena, Dyn, count);
    for (uint32_t i = 0; i < count; i++)
        rules[i] = dyn_at(list, i);
    qsort(rules, count, sizeof *rules, by_priority);
    for (uint32_t i = 0; i < count; i++)
        add_restriction(world, arena, &face->rules, rules[i]);
    bool allow = default_action.len ? str_equal_ci(default_action, STR("Allow")) : count == 0;
    face->why = count ? STR("access restrictions") : STR("no access restriction");
    service_rule_for_all(arena, &face->rules, allow ? STR("all others") : STR("nobody else"),
                         allow);
}

static ServiceFace
site_face(NetworkWorld *world, Arena *arena, const NetResource *site)
{
    ServiceFace face = {.is_public = true};
    Str plan = arm_path_text(site->properties, "hostingEnvironmentProfile.id");
    const NetResource *environment = network_resource(world, plan);
    if (plan.len && !environment)
        face.unknown = STR("the App Service Environment it runs in is not in the data");
    Str mode = environment ? arm_path_text(environment->properties, "internalLoadBalancingMode")
                           : (Str){0};
    if (mode.len && !str_equal_ci(mode, STR("None"))) {
        close_face(&face, STR("its App Service Environment is internal"));
        return face;
    }
    if (str_equal_ci(arm_text(site->properties, "state"), STR("Stopped"))) {
        close_face(&face, STR("it is stopped"));
        return face;
    }
    // Without a value a private endpoint closes the public one.
    if (!arm_text(site->properties, "publicNetworkAccess").len &&
        arm_path_count(site->properties, "privateEndpointConnections")) {
        close_face(&face, STR("publicNetworkAccess is not set and there is a private endpoint"));
        return face;
    }
    Dyn config = arm_path(site->properties, STR("siteConfig"));
    Dyn list = dyn_get_ci(config, STR("ipSecurityRestrictions"));
    NetResourceList children = network_children(world, site->id, STR("microsoft.web/sites/config"));
    for (size_t i = 0; i < children.len && dyn_kind(list) != DYN_ARRAY; i++)
        if (str_equal_ci(children.items[i]->name, STR("web"))) {
            config = children.items[i]->properties;
            list = dyn_get_ci(config, STR("ipSecurityRestrictions"));
        }
    if (dyn_kind(list) != DYN_ARRAY && !face.unknown.len)
        face.unknown = STR("its access restrictions (config/web) were not collected");
    read_restrictions(world, arena, list, arm_text(config, "ipSecurityRestrictionsDefaultAction"),
                      &face);
    return face;
}

// ---- container apps ----

static ServiceFace
environment_face(Arena *arena, const NetResource *environment)
{
    ServiceFace face = {.is_public = true, .why = STR("its load balancer is external")};
    if (arm_path_is_true(environment->properties, "vnetConfiguration.internal"))
        close_face(&face, STR("vnetConfiguration.internal is true"));
    service_rule_for_all(arena, &face.rules, face.why, true);
    return face;
}

static ServiceFace
app_face(NetworkWorld *world, Arena *arena, const NetResource *app)
{
    Dyn ingress = arm_path(app->properties, STR("configuration.ingress"));
    const NetResource *environment =
        network_resource(world, arm_text(app->properties, "managedEnvironmentId"));
    if (!environment)
        environment = network_resource(world, arm_text(app->properties, "environmentId"));
    ServiceFace face = {.is_public = true, .why = STR("configuration.ingress.external is true")};
    if (dyn_kind(ingress) != DYN_BAG) {
        close_face(&face, STR("it has no ingress"));
    } else if (!arm_path_is_true(ingress, "external")) {
        close_face(&face, STR("configuration.ingress.external is false"));
    } else if (!environment) {
        face.unknown = STR("its environment is not in the data");
    } else {
        ServiceFace outer =
            service_face(world, arena, service_kind(world, environment->type), environment);
        if (!outer.is_public)
            close_face(&face, str_format(arena, "its environment %.*s: %.*s",
                                         STR_ARG(environment->name), STR_ARG(outer.why)));
        face.unknown = outer.unknown;
    }
    Dyn list = dyn_get_ci(ingress, STR("ipSecurityRestrictions"));
    bool allows = false, any = false;
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++) {
        bool allow = !str_equal_ci(arm_text(dyn_at(list, i), "action"), STR("Deny"));
        service_rule(world, arena, &face.rules, arm_text(dyn_at(list, i), "name"),
                     arm_text(dyn_at(list, i), "ipAddressRange"), allow);
        allows |= allow;
        any = true;
    }
    // All rules are of one action; the other holds for the rest.
    if (any && face.is_public)
        face.why = STR("configuration.ingress.ipSecurityRestrictions");
    service_rule_for_all(arena, &face.rules, face.why, !allows);
    return face;
}

// ---- gateways, clusters, container groups ----

static ServiceFace
gateway_face(NetworkWorld *world, Arena *arena, const NetResource *gateway)
{
    ServiceFace face = {.is_public = true, .why = STR("virtualNetworkType is None")};
    Str mode = arm_text(gateway->properties, "virtualNetworkType");
    if (str_equal_ci(mode, STR("Internal"))) {
        close_face(&face, STR("virtualNetworkType is Internal"));
        return face;
    }
    service_rule_for_all(arena, &face.rules, face.why, true);
    if (!str_equal_ci(mode, STR("External")))
        return face;
    face.why = STR("virtualNetworkType is External");
    Subnet *subnet = network_subnet(
        world, arm_path_text(gateway->properties, "virtualNetworkConfiguration.subnetResourceId"));
    if (!subnet || (subnet->group_id.len && !subnet->group)) {
        face.unknown = STR("the subnet of the gateway or its security group is not in the data");
        return face;
    }
    const SubnetPlace *place = network_place(world, subnet);
    if (!place->has_group)
        return face;
    face.why = str_format(arena, "virtualNetworkType is External, security group %.*s",
                          STR_ARG(arm_last_segment(subnet->group_id)));
    face.rules = place->rules[INBOUND];
    return face;
}

static ServiceFace
cluster_face(NetworkWorld *world, Arena *arena, const NetResource *cluster)
{
    ServiceFace face = {.is_public = true};
    Dyn profile = arm_path(cluster->properties, STR("apiServerAccessProfile"));
    if (arm_path_is_true(profile, "enablePrivateCluster")) {
        close_face(&face, STR("apiServerAccessProfile.enablePrivateCluster is true"));
        return face;
    }
    Dyn list = arm_path(profile, STR("authorizedIPRanges"));
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++)
        service_rule(world, arena, &face.rules, dyn_string(dyn_at(list, i)),
                     dyn_string(dyn_at(list, i)), true);
    bool limited = dyn_count(list) != 0;
    face.why = limited ? STR("apiServerAccessProfile.authorizedIPRanges")
                       : STR("the API server has no authorized ranges: all are let in");
    service_rule_for_all(arena, &face.rules, face.why, !limited);
    return face;
}

static ServiceFace
containers_face(Arena *arena, const NetResource *group)
{
    ServiceFace face = {.is_public = true, .why = STR("ipAddress.type is Public")};
    if (!str_equal_ci(arm_path_text(group->properties, "ipAddress.type"), STR("Public"))) {
        close_face(&face, STR("it has no public address"));
        return face;
    }
    NetRule rule = {
        .name = face.why, .allow = true, .sure = packet_box_all(), .may = packet_box_all()};
    RangeSet ports = {0};
    Dyn list = arm_path(group->properties, STR("ipAddress.ports"));
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++) {
        Dyn port = dyn_get_ci(dyn_at(list, i), STR("port"));
        if (dyn_kind(port) == DYN_LONG && dyn_long(port) >= 0 && dyn_long(port) <= PORT_MAX)
            ports = range_set_union(
                arena, ports,
                range_set_of(arena, (Address)dyn_long(port), (Address)dyn_long(port)));
    }
    rule.sure.at[PACKET_PORT] = rule.may.at[PACKET_PORT] = ports;
    net_rules_add(arena, &face.rules, &rule);
    return face;
}

ServiceFace
service_special_face(NetworkWorld *world, Arena *arena, const ServiceKind *kind,
                     const NetResource *resource)
{
    if (str_equal(kind->special, STR("site")))
        return site_face(world, arena, resource);
    if (str_equal(kind->special, STR("environment")))
        return environment_face(arena, resource);
    if (str_equal(kind->special, STR("app")))
        return app_face(world, arena, resource);
    if (str_equal(kind->special, STR("gateway")))
        return gateway_face(world, arena, resource);
    if (str_equal(kind->special, STR("cluster")))
        return cluster_face(world, arena, resource);
    if (str_equal(kind->special, STR("containers")))
        return containers_face(arena, resource);
    return (ServiceFace){.unknown = STR("nothing is known of services of this kind")};
}
