// Where the internet gets to, and which data planes it does not.
//
// A machine is exposed when an interface has a public address and the network security
// groups of the interface and of its subnet both let the internet in on some port; rules
// count in the order of their priority. A Standard address without any group is closed
// (Microsoft Learn, "Public IP addresses", and Basic ones are retired). Web and container
// apps and the API of a cluster are exposed unless their properties close them. Exposure
// is a way in only for whoever breaks the service: docs/paths.md.

#include "azure/path/path_internal.h"

#include "azure/arm.h"
#include <stdlib.h>

// ---- network security groups ----

static bool
number(Str written, uint32_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < written.len; i++) {
        if (written.ptr[i] < '0' || written.ptr[i] > '9' || value > UINT16_MAX)
            return false;
        value = value * 10 + (uint64_t)(written.ptr[i] - '0');
    }
    *out = (uint32_t)value;
    return written.len && value <= UINT16_MAX;
}

static bool
read_range(Str written, uint32_t *low, uint32_t *high)
{
    *low = 0;
    *high = UINT16_MAX;
    if (str_equal(written, STR("*")))
        return true;
    ptrdiff_t dash = str_find(written, STR("-"));
    if (dash < 0)
        return number(written, low) && number(written, high);
    return number(str_slice(written, 0, (size_t)dash), low) &&
           number(str_slice(written, (size_t)dash + 1, written.len), high);
}

// Calls for each text of a member that may be single (xPrefix) and plural (xPrefixes).
static bool
any_text(Dyn rule, const char *single, const char *plural,
         bool (*test)(Str text, const void *context), const void *context)
{
    Str one = path_property_text(rule, single);
    if (one.len && test(one, context))
        return true;
    Dyn many = path_property(rule, str_from(plural));
    for (uint32_t i = 0; dyn_kind(many) == DYN_ARRAY && i < dyn_count(many); i++)
        if (dyn_kind(dyn_at(many, i)) == DYN_STRING && test(dyn_string(dyn_at(many, i)), context))
            return true;
    return false;
}

static bool
is_internet(Str prefix, const void *context)
{
    static const Str ALL[] = {STR_INIT("*"),     STR_INIT("0.0.0.0/0"), STR_INIT("Internet"),
                              STR_INIT("any"),   STR_INIT("::/0"),      STR_INIT("0.0.0.0"),
                              STR_INIT("<nw>/0")};
    (void)context;
    for (size_t i = 0; i < COUNT_OF(ALL); i++)
        if (str_equal_ci(prefix, ALL[i]))
            return true;
    return false;
}

static bool
holds_port(Str range, const void *context)
{
    uint32_t low, high, port = *(const uint32_t *)context;
    return read_range(range, &low, &high) && port >= low && port <= high;
}

static int64_t
priority(Dyn rule)
{
    Dyn found = path_property(rule, STR("priority"));
    return dyn_kind(found) == DYN_LONG ? dyn_long(found) : INT64_MAX;
}

// The rule that decides about a connection from the internet to the port; the default
// rules of Azure deny it.
static Dyn
deciding_rule(Dyn group, uint32_t port)
{
    Dyn rules = path_property(group, STR("securityRules")), best = {0};
    for (uint32_t i = 0; dyn_kind(rules) == DYN_ARRAY && i < dyn_count(rules); i++) {
        Dyn rule = path_property(dyn_at(rules, i), STR("properties"));
        if (!str_equal_ci(path_property_text(rule, "direction"), STR("Inbound")) ||
            str_equal_ci(path_property_text(rule, "protocol"), STR("Udp")) ||
            str_equal_ci(path_property_text(rule, "protocol"), STR("Icmp")) ||
            !any_text(rule, "sourceAddressPrefix", "sourceAddressPrefixes", is_internet, NULL) ||
            !any_text(rule, "destinationPortRange", "destinationPortRanges", holds_port, &port))
            continue;
        if (!best.ptr || priority(rule) < priority(path_property(best, STR("properties"))))
            best = dyn_at(rules, i);
    }
    return best;
}

static bool
lets_in(Dyn group, uint32_t port, Str *rule_name)
{
    Dyn rule = deciding_rule(group, port);
    if (!rule.ptr || !str_equal_ci(path_property_text(rule, "properties.access"), STR("Allow")))
        return false;
    *rule_name = path_property_text(rule, "name");
    return true;
}

typedef struct PortList {
    uint32_t items[64];
    uint32_t count;
} PortList;

static bool
note_port(Str range, const void *context)
{
    PortList *ports = (PortList *)(uintptr_t)context;
    uint32_t low, high;
    static const uint32_t WELL_KNOWN[] = {22, 3389, 443, 80};
    if (!read_range(range, &low, &high))
        return false;
    for (size_t i = 0; i < COUNT_OF(WELL_KNOWN); i++)
        if (WELL_KNOWN[i] >= low && WELL_KNOWN[i] <= high && ports->count < COUNT_OF(ports->items))
            ports->items[ports->count++] = WELL_KNOWN[i];
    if (ports->count < COUNT_OF(ports->items))
        ports->items[ports->count++] = low ? low : 1;
    return false; // all of them
}

static Dyn
group_properties(const PathModel *model, Str id)
{
    const ResourceFact *fact = id.len ? path_resource_fact(model, id) : NULL;
    return fact ? fact->properties : (Dyn){0};
}

// A port on which both groups let the internet in; at least one group must be there.
static bool
open_port(Dyn a, Dyn b, uint32_t *port, Str *rule)
{
    PortList ports = {0};
    Dyn groups[] = {a, b};
    if (!a.ptr && !b.ptr)
        return false;
    for (size_t g = 0; g < 2; g++) {
        Dyn rules = path_property(groups[g], STR("securityRules"));
        for (uint32_t i = 0; dyn_kind(rules) == DYN_ARRAY && i < dyn_count(rules); i++)
            any_text(path_property(dyn_at(rules, i), STR("properties")), "destinationPortRange",
                     "destinationPortRanges", note_port, &ports);
    }
    for (uint32_t i = 0; i < ports.count; i++) {
        *port = ports.items[i];
        if ((!a.ptr || lets_in(a, *port, rule)) && (!b.ptr || lets_in(b, *port, rule)))
            return true;
    }
    return false;
}

// ---- exposure ----

static void
expose(PathModel *model, uint32_t object, Str id, Str why, bool doubt)
{
    path_link_kind(model, path_object_node(model, model->internet), path_object_node(model, object),
                   path_kind(model->tables, "InternetExposure"), path_add_evidence(model, id, why),
                   doubt);
}

// The group that guards a subnet: part of the properties of its network.
static Dyn
subnet_group(const PathModel *model, Str subnet)
{
    ptrdiff_t at = str_find(subnet, STR("/subnets/"));
    if (at < 0)
        return (Dyn){0};
    const ResourceFact *network = path_resource_fact(model, str_slice(subnet, 0, (size_t)at));
    Str name = str_slice(subnet, (size_t)at + 9, subnet.len);
    Dyn subnets = network ? path_property(network->properties, STR("subnets")) : (Dyn){0};
    for (uint32_t i = 0; dyn_kind(subnets) == DYN_ARRAY && i < dyn_count(subnets); i++)
        if (str_equal_ci(path_property_text(dyn_at(subnets, i), "name"), name))
            return group_properties(
                model,
                path_property_text(dyn_at(subnets, i), "properties.networkSecurityGroup.id"));
    return (Dyn){0};
}

static void
read_interface(PathModel *model, const ResourceFact *interface, ResourceFact *machine)
{
    Dyn addresses = path_property(interface->properties, STR("ipConfigurations"));
    Dyn own = group_properties(
        model, path_property_text(interface->properties, "networkSecurityGroup.id"));
    for (uint32_t i = 0; machine && dyn_kind(addresses) == DYN_ARRAY && i < dyn_count(addresses);
         i++) {
        Str address = path_property_text(dyn_at(addresses, i), "properties.publicIPAddress.id");
        Dyn subnet =
            subnet_group(model, path_property_text(dyn_at(addresses, i), "properties.subnet.id"));
        uint32_t port;
        Str rule = {0};
        if (!address.len)
            continue;
        // A group of the interface that was opened while that of its subnet still stands
        // before it is one change away from a way in: shown, and not as certain.
        bool certain = open_port(own, subnet, &port, &rule);
        if (!certain && !open_port(own, (Dyn){0}, &port, &rule))
            continue;
        machine->is_private &= !certain;
        expose(model, machine->object, str_copy(model->arena, address),
               str_format(model->arena, "port %u open at %.*s by rule %.*s%s", port,
                          STR_ARG(arm_last_segment(address)), STR_ARG(rule),
                          certain ? "" : ", only the subnet's group stands before it"),
               !certain);
        return;
    }
}

// An interface names its machine and a machine its interfaces; a snapshot may hold only
// the one or the other.
static void
read_machine(PathModel *model, ResourceFact *machine)
{
    Dyn interfaces = path_property(machine->properties, STR("networkProfile.networkInterfaces"));
    for (uint32_t i = 0; dyn_kind(interfaces) == DYN_ARRAY && i < dyn_count(interfaces); i++) {
        const ResourceFact *interface =
            path_resource_fact(model, path_property_text(dyn_at(interfaces, i), "id"));
        if (interface && !path_property_text(interface->properties, "virtualMachine.id").len)
            read_interface(model, interface, machine);
    }
}

static bool
is_public_site(const ResourceFact *fact)
{
    Dyn config = path_property(fact->properties, STR("siteConfig"));
    return !str_equal_ci(path_property_text(fact->properties, "publicNetworkAccess"),
                         STR("Disabled")) &&
           !str_equal_ci(path_property_text(fact->properties, "state"), STR("Stopped")) &&
           !str_equal_ci(path_property_text(config, "ipSecurityRestrictionsDefaultAction"),
                         STR("Deny")) &&
           arm_path_count(config, "ipSecurityRestrictions") == 0 &&
           !arm_path_is_true(fact->properties, "clientCertEnabled");
}

static bool
is_public_app(const PathModel *model, const ResourceFact *fact)
{
    const ResourceFact *environment =
        path_resource_fact(model, path_property_text(fact->properties, "managedEnvironmentId"));
    return arm_path_is_true(fact->properties, "configuration.ingress.external") &&
           arm_path_count(fact->properties, "configuration.ingress.ipSecurityRestrictions") == 0 &&
           !(environment &&
             arm_path_is_true(environment->properties, "vnetConfiguration.internal"));
}

static bool
is_public_cluster(const ResourceFact *fact)
{
    return !arm_path_is_true(fact->properties, "apiServerAccessProfile.enablePrivateCluster") &&
           !arm_path_count(fact->properties, "apiServerAccessProfile.authorizedIPRanges") &&
           !str_equal_ci(path_property_text(fact->properties, "publicNetworkAccess"),
                         STR("Disabled"));
}

static bool
is_closed(const PathModel *model, const ResourceFact *fact)
{
    Str type = model->objects.items[fact->object].type;
    Str access = path_property_text(fact->properties, "publicNetworkAccess");
    if (str_equal(type, STR("microsoft.compute/virtualmachines")))
        return true; // until an interface says otherwise
    if (str_equal(type, STR("microsoft.containerservice/managedclusters")))
        return !is_public_cluster(fact);
    return str_equal_ci(access, STR("Disabled")) ||
           str_equal_ci(access, STR("SecuredByPerimeter")) ||
           str_equal_ci(path_property_text(fact->properties, "networkAcls.defaultAction"),
                        STR("Deny")) ||
           str_equal_ci(path_property_text(fact->properties, "networkRuleSet.defaultAction"),
                        STR("Deny")) ||
           arm_path_count(fact->properties, "networkRuleSet.ipRules") > 0 ||
           arm_path_is_true(fact->properties, "isVirtualNetworkFilterEnabled");
}

// Parts of a closed resource are closed, and open with it.
static void
close_parts(PathModel *model)
{
    for (size_t i = 0; i < model->resources.len; i++) {
        ResourceFact *fact = &model->resources.items[i];
        Str id = model->objects.items[fact->object].id;
        ptrdiff_t provider = str_find(id, STR("/providers/"));
        uint32_t parts = 0;
        size_t end = 0;
        // provider/type/name is the resource that parts belong to
        for (size_t at = provider < 0 ? id.len : (size_t)provider + 11; at < id.len; at++)
            if (id.ptr[at] == '/' && ++parts == 3)
                end = at;
        const ResourceFact *whole = end ? path_resource_fact(model, str_slice(id, 0, end)) : NULL;
        if (!whole || !whole->is_private)
            continue;
        fact->is_private = true;
        path_link(model, path_capability_node(model, whole->object, CAP_REACH),
                  path_capability_node(model, fact->object, CAP_REACH), NULL, 0);
    }
}

uint32_t
path_reached(PathModel *model, const ResourceFact *fact, PathCapability capability)
{
    uint32_t target = path_capability_node(model, fact->object, capability);
    if (!fact->is_private)
        return target;
    uint32_t reach = path_capability_node(model, fact->object, CAP_REACH);
    uint32_t all = path_add_node(model, NODE_ALL, fact->object, CAP_CONTROL);
    uint32_t entry = path_add_node(model, NODE_STEP, fact->object, capability);
    path_link(model, path_object_node(model, model->network), reach, NULL, 0);
    path_link(model, reach, all, NULL, 0);
    path_link(model, entry, all, NULL, 0);
    path_link(model, all, target, NULL, 0);
    return entry;
}

void
path_read_network(PathModel *model)
{
    for (size_t i = 0; i < model->resources.len; i++)
        model->resources.items[i].is_private = is_closed(model, &model->resources.items[i]);
    for (size_t i = 0; i < model->resources.len; i++) {
        ResourceFact *fact = &model->resources.items[i];
        Str type = model->objects.items[fact->object].type;
        if (str_equal(type, STR("microsoft.network/networkinterfaces")))
            read_interface(model, fact,
                           path_resource_fact(
                               model, path_property_text(fact->properties, "virtualMachine.id")));
        else if (str_equal(type, STR("microsoft.compute/virtualmachines")))
            read_machine(model, fact);
        else if (str_equal(type, STR("microsoft.web/sites")) && is_public_site(fact))
            expose(model, fact->object, (Str){0}, STR("public endpoint, port 443"), false);
        else if (str_equal(type, STR("microsoft.app/containerapps")) && is_public_app(model, fact))
            expose(model, fact->object, (Str){0}, STR("public ingress"), false);
        else if (str_equal(type, STR("microsoft.containerservice/managedclusters")) &&
                 is_public_cluster(fact))
            expose(model, fact->object, (Str){0}, STR("public API server, port 443"), false);
    }
    close_parts(model);
}
