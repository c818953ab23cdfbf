// What computes reach outside: topologies made by hand for each rule, and random ones against
// a walker that sends one packet at a time.

#include "azure/network/outbound_internal.h"
#include "azure/network/outbound_table.h"
#include "network_random.h"

static OutboundList
outbounds(Fixture *fixture, const char *type, const char *name)
{
    const NetResource *compute =
        network_resource(&fixture->world, id_of(&fixture->arena, type, name));
    assert_non_null(compute);
    assert_true(outbound_is_compute(compute));
    return outbounds_of(&fixture->world, &fixture->arena, compute);
}

static const Outbound *
find(const OutboundList *list, DestinationClass destination)
{
    for (size_t i = 0; i < list->len; i++)
        if (list->items[i].destination == destination)
            return &list->items[i];
    return NULL;
}

static void
expect(Fixture *fixture, const OutboundList *list, DestinationClass destination, Reach reach,
       const char *name, const char *ports, const char *word)
{
    const Outbound *found = find(list, destination);
    assert_non_null(found);
    assert_string_equal(reach_name(found->reach), reach_name(reach));
    if (name)
        assert_string_equal(str_cstr(&fixture->arena, found->name), name);
    if (ports)
        assert_string_equal(str_cstr(&fixture->arena, found->ports), ports);
    if (word)
        assert_true(str_find(found->because, str_from(word)) >= 0 ||
                    str_find(found->reason, str_from(word)) >= 0);
}

#define INTERNET(list, reach, ports, word)                                                         \
    expect(&fixture, &(list), DESTINATION_INTERNET, reach, NULL, ports, word)

#define WORKSPACE "Microsoft.MachineLearningServices/workspaces"
#define ACCOUNT   "Microsoft.CognitiveServices/accounts"
#define CLUSTER   "Microsoft.ContainerService/managedClusters"
#define SITE      "Microsoft.Web/sites"

#define TO_APPLIANCE                                                                               \
    "{'routes':[{'name':'d','properties':{'addressPrefix':'0.0.0.0/0','nextHopType':"              \
    "'VirtualAppliance','nextHopIpAddress':'10.0.9.4'}}]}"
#define NAT ",'natGateway':{'id':'" ID("natGateways", "n") "'}"

// A network with a subnet and a machine in it.
static void
add_subnet_machine(Fixture *fixture, const char *subnet_more, const char *config_more)
{
    Arena *arena = &fixture->arena;
    Str network = str_format(arena,
                             "{'addressSpace':{'addressPrefixes':['10.0.0.0/16']},'subnets':["
                             "{'name':'a','properties':{'addressPrefix':'10.0.0.0/24'%s}},"
                             "{'name':'AzureFirewallSubnet','properties':{'addressPrefix':"
                             "'10.0.9.0/24'}}]}",
                             subnet_more);
    Str config = str_format(arena,
                            "{'name':'c','properties':{'privateIPAddress':'10.0.0.4','subnet':"
                            "{'id':'" SUBNET("v", "a") "'}%s}}",
                            config_more);
    add(fixture, NET "virtualNetworks", "v", str_cstr(arena, network));
    add_machine(fixture, "m", str_cstr(arena, config), "");
}

static OutboundList
machine_with(Fixture *fixture, const char *subnet_more, const char *config_more)
{
    add_subnet_machine(fixture, subnet_more, config_more);
    network_world_finish(&fixture->world);
    return outbounds(fixture, VM, "m");
}

// ---- exits ----

static void
exits_go_by_precedence(void **state)
{
    (void)state;
    static const struct {
        const char *subnet, *config;
        Reach reach;
        const char *ports, *word;
    } CASES[] = {
        {"", "", REACH_OPEN, "any", "default outbound access"},
        {",'defaultOutboundAccess':false", "", REACH_CLOSED, NULL, "subnet a is private"},
        {",'defaultOutboundAccess':false",
         ",'publicIPAddress':{'id':'" ID("publicIPAddresses", "p") "'}", REACH_OPEN, "any",
         "public address p"},
        {NAT ",'defaultOutboundAccess':false",
         ",'publicIPAddress':{'id':'" ID("publicIPAddresses", "p") "'}", REACH_OPEN, "any",
         "NAT gateway n"},
        {",'natGateway':{'id':'" ID("natGateways", "gone") "'}", "", REACH_UNKNOWN, NULL,
         "gone is not in the data"},
        {",'natGateway':{'id':'" ID("natGateways", "bare") "'}", "", REACH_UNKNOWN, NULL,
         "bare has no public address"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        Fixture fixture;
        begin(&fixture);
        add(&fixture, NET "natGateways", "n", "{'publicIpAddresses':[{'id':'x'}]}");
        add(&fixture, NET "natGateways", "bare", "{}");
        OutboundList list = machine_with(&fixture, CASES[i].subnet, CASES[i].config);
        INTERNET(list, CASES[i].reach, CASES[i].ports, CASES[i].word);
        end(&fixture);
    }
}

#define POOL    ID("loadBalancers", "b") "/backendAddressPools/p"
#define IN_POOL ",'loadBalancerBackendAddressPools':[{'id':'" POOL "'}]"
#define FRONT                                                                                      \
    "'frontendIPConfigurations':[{'name':'f','properties':{'publicIPAddress':{'id':'x'}}}]"
#define BALANCING(more)                                                                            \
    "{" FRONT ",'loadBalancingRules':[{'properties':{'protocol':'Tcp','frontendIPConfiguration':"  \
    "{'id':'/f'},'backendAddressPool':{'id':'" POOL "'}" more "}}]}"

static void
balancers_lead_out_by_their_rules(void **state)
{
    (void)state;
    static const struct {
        const char *balancer;
        Reach reach;
        const char *ports, *word;
    } CASES[] = {
        {"{'outboundRules':[{'properties':{'protocol':'All','backendAddressPool':{'id':'" POOL
         "'}}}]}",
         REACH_OPEN, "any", "load balancer b"},
        {BALANCING(""), REACH_OPEN, "tcp any", "load balancer b"},
        {BALANCING(",'disableOutboundSnat':true"), REACH_CLOSED, NULL, "no rule that leads out"},
        {"{}", REACH_CLOSED, NULL, "no rule that leads out"},
        {NULL, REACH_UNKNOWN, NULL, "b is not in the data"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        Fixture fixture;
        begin(&fixture);
        if (CASES[i].balancer)
            add_sku(&fixture, NET "loadBalancers", "b", "Standard", CASES[i].balancer);
        OutboundList list = machine_with(&fixture, "", IN_POOL);
        INTERNET(list, CASES[i].reach, CASES[i].ports, CASES[i].word);
        end(&fixture);
    }
}

static void
flexible_scale_sets_have_no_default(void **state)
{
    (void)state;
    static const char *const MODES[] = {"Uniform", "Flexible"};
    for (size_t i = 0; i < COUNT_OF(MODES); i++) {
        Fixture fixture;
        begin(&fixture);
        add(&fixture, NET "virtualNetworks", "v",
            NETWORK_JSON("10.0.0.0/16", SUBNET_JSON("a", "10.0.0.0/24", ""), ""));
        Str set = str_format(
            &fixture.arena,
            "{'orchestrationMode':'%s','virtualMachineProfile':{'networkProfile':{"
            "'networkInterfaceConfigurations':[{'name':'n','properties':{'ipConfigurations':[{"
            "'name':'c','properties':{'subnet':{'id':'" SUBNET("v", "a") "'}}}]}}]}}}",
            MODES[i]);
        add(&fixture, "Microsoft.Compute/virtualMachineScaleSets", "s",
            str_cstr(&fixture.arena, set));
        network_world_finish(&fixture.world);
        OutboundList list = outbounds(&fixture, "Microsoft.Compute/virtualMachineScaleSets", "s");
        INTERNET(list, i ? REACH_CLOSED : REACH_OPEN, NULL, i ? "flexible" : "default");
        end(&fixture);
    }
}

// ---- groups and routes ----

static void
groups_let_out_by_priority(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    add(&fixture, NET "networkSecurityGroups", "g",
        "{'securityRules':[" RULE(
            "storage", "100", "Allow", "Outbound", "*", "Storage",
            "443") "," RULE("office", "110", "Allow", "Outbound", "*", "203.0.113.0/24",
                            "22") "," RULE_JSON("none", "200", "Deny", "Outbound", "*", "*",
                                                "Internet", "*") "]}");
    OutboundList list = machine_with(&fixture, GROUP("g"), "");
    INTERNET(list, REACH_CLOSED, NULL, NULL);
    expect(&fixture, &list, DESTINATION_ANY_TENANT, REACH_OPEN, "Storage", "tcp 443", "storage");
    expect(&fixture, &list, DESTINATION_ADDRESSES, REACH_OPEN, "203.0.113.0/24", "tcp 22", NULL);
    end(&fixture);
    begin(&fixture);
    list = machine_with(&fixture, GROUP("gone"), "");
    INTERNET(list, REACH_UNKNOWN, NULL, "gone is not in the data");
    end(&fixture);
}

static void
routes_lead_elsewhere(void **state)
{
    (void)state;
    static const struct {
        const char *table;
        Reach reach;
        const char *word;
    } CASES[] = {
        {"{'routes':[{'name':'d','properties':{'addressPrefix':'0.0.0.0/"
         "0','nextHopType':'None'}}]}",
         REACH_CLOSED, "to None"},
        {"{'routes':[{'name':'d','properties':{'addressPrefix':'0.0.0.0/0','nextHopType':"
         "'VirtualNetworkGateway'}}]}",
         REACH_UNKNOWN, "behind the gateway"},
        {TO_APPLIANCE, REACH_UNKNOWN, "what stands at 10.0.9.4"},
        {NULL, REACH_UNKNOWN, "t is not in the data"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        Fixture fixture;
        begin(&fixture);
        if (CASES[i].table)
            add(&fixture, NET "routeTables", "t", CASES[i].table);
        OutboundList list = machine_with(&fixture, TABLE("t"), "");
        INTERNET(list, CASES[i].reach, NULL, CASES[i].word);
        end(&fixture);
    }
    // A service endpoint goes past the route and needs no address.
    Fixture fixture;
    begin(&fixture);
    add(&fixture, NET "routeTables", "t", CASES[0].table);
    OutboundList list = machine_with(
        &fixture, TABLE("t") ",'serviceEndpoints':[{'service':'Microsoft.Storage'}]", "");
    INTERNET(list, REACH_CLOSED, NULL, NULL);
    expect(&fixture, &list, DESTINATION_ANY_TENANT, REACH_OPEN, "Storage", NULL,
           "Microsoft.Storage to VirtualNetworkServiceEndpoint");
    end(&fixture);
}

// clang-format off: JSON in macros
#define FIREWALL(network, application)                                                             \
    "{'ipConfigurations':[{'name':'c','properties':{'privateIPAddress':'10.0.9.4','subnet':{"      \
    "'id':'" SUBNET("v", "AzureFirewallSubnet") "'}}}],'networkRuleCollections':[" network         \
                                                "],'applicationRuleCollections':[" application     \
                                                "]}"
#define COLLECTION(priority, action, rules)                                                        \
    "{'properties':{'priority':" priority ",'action':{'type':'" action "'},'rules':[" rules "]}}"
#define APP_RULE(name, names)                                                                      \
    "{'name':'" name "','sourceAddresses':['10.0.0.0/24'],'targetFqdns':[" names                   \
    "],'protocols':[{'protocolType':'Https','port':443}]}"
#define NET_RULE(name, to, port)                                                                   \
    "{'name':'" name "','sourceAddresses':['*'],'destinationAddresses':['" to                      \
    "'],'destinationPorts':['" port "'],'protocols':['TCP']}"
// clang-format on

static void
firewalls_let_out_by_address_and_name(void **state)
{
    (void)state;
    static const char RULES[] =
        FIREWALL(COLLECTION("100", "Allow", NET_RULE("ntp", "198.51.100.0/24", "123")),
                 COLLECTION("100", "Deny", APP_RULE("not", "'*.evil.com'")) "," COLLECTION(
                     "200", "Allow", APP_RULE("names", "'*.contoso.com','a.evil.com'")));
    Fixture fixture;
    begin(&fixture);
    add(&fixture, NET "routeTables", "t", TO_APPLIANCE);
    add(&fixture, NET "azureFirewalls", "f", RULES);
    OutboundList list = machine_with(&fixture, TABLE("t"), "");
    INTERNET(list, REACH_CLOSED, NULL, NULL);
    expect(&fixture, &list, DESTINATION_ADDRESSES, REACH_OPEN, "198.51.100.0/24", "tcp 123", "ntp");
    expect(&fixture, &list, DESTINATION_NAMES, REACH_OPEN, "*.contoso.com", "tcp 443", "names");
    end(&fixture);
    // Every name is every address.
    begin(&fixture);
    add(&fixture, NET "routeTables", "t", TO_APPLIANCE);
    add(&fixture, NET "azureFirewalls", "f",
        FIREWALL("", COLLECTION("200", "Allow", APP_RULE("all", "'*'"))));
    list = machine_with(&fixture, TABLE("t"), "");
    INTERNET(list, REACH_OPEN, "tcp 443", "all");
    end(&fixture);
    // A group lets only some addresses come to the firewall.
    begin(&fixture);
    add(&fixture, NET "routeTables", "t", TO_APPLIANCE);
    add(&fixture, NET "azureFirewalls", "f", RULES);
    add(&fixture, NET "networkSecurityGroups", "g",
        "{'securityRules':[" RULE("some", "100", "Allow", "Outbound", "*", "203.0.113.0/24",
                                  "443") "," DENY_ALL("none", "200", "Outbound", "*") "]}");
    list = machine_with(&fixture, TABLE("t") GROUP("g"), "");
    expect(&fixture, &list, DESTINATION_NAMES, REACH_UNKNOWN, "*.contoso.com", NULL,
           "not all come to the firewall");
    end(&fixture);
    assert_true(outbound_name_covers(STR("*.x.com"), STR("a.b.x.com")));
    assert_true(outbound_name_covers(STR("*"), STR("x.com")));
    assert_false(outbound_name_covers(STR("*.x.com"), STR("x.com")));
    assert_false(outbound_name_covers(STR("a.x.com"), STR("*.x.com")));
}

// ---- computes that settings decide about ----

typedef struct SettingCase {
    const char *type, *name, *properties;
    Reach reach;
    const char *word;
} SettingCase;

#define POOLS(more)     "'agentPoolProfiles':[{'name':'p'" more "}]"
#define AKS(type, more) "{'networkProfile':{'outboundType':'" type "'}," POOLS(more) "}"
#define IN_SUBNET       ",'vnetSubnetID':'" SUBNET("v", "private") "'"
#define ML(inner)       "{'computeType':'AmlCompute','properties':{" inner "}}"
#define DEPLOYMENT      WORKSPACE "/onlineEndpoints/deployments"

static const SettingCase SETTINGS[] = {
    {CLUSTER, "k", AKS("loadBalancer", ""), REACH_OPEN, "load balancer that AKS made"},
    {CLUSTER, "k", AKS("managedNATGateway", ""), REACH_OPEN, "NAT gateway that AKS made"},
    {CLUSTER, "k", AKS("block", ""), REACH_CLOSED, "block"},
    {CLUSTER, "k", AKS("none", ""), REACH_UNKNOWN, "not followed"},
    {CLUSTER, "k", AKS("none", IN_SUBNET), REACH_CLOSED, "private"},
    {CLUSTER, "k", AKS("userDefinedRouting", IN_SUBNET), REACH_CLOSED, "private"},
    {CLUSTER, "k", AKS("loadBalancer", IN_SUBNET), REACH_OPEN, "load balancer that AKS made"},
    {CLUSTER, "k", AKS("none", IN_SUBNET ",'enableNodePublicIP':true"), REACH_OPEN, "nodes"},
    {CLUSTER, "k", "{}", REACH_UNKNOWN, "outboundType is not in the data"},
    {WORKSPACE, "w", "{'managedNetwork':{'isolationMode':'AllowInternetOutbound'}}", REACH_OPEN,
     "AllowInternetOutbound"},
    {WORKSPACE, "w", "{'managedNetwork':{'isolationMode':'Disabled'}}", REACH_OPEN, "isolation"},
    {WORKSPACE, "w", "{'managedNetwork':{'isolationMode':'Odd'}}", REACH_UNKNOWN, "Odd"},
    {WORKSPACE, "w", "{'hubResourceId':'/x/y'}", REACH_UNKNOWN, "hub"},
    {WORKSPACE, "w", "null", REACH_UNKNOWN, "not in the data"},
    {WORKSPACE "/computes", "closed/c", ML(""), REACH_CLOSED, "AllowOnlyApprovedOutbound"},
    {WORKSPACE "/computes", "gone/c", ML(""), REACH_UNKNOWN, "workspace is not in the data"},
    {WORKSPACE "/computes", "closed/c", ML("'subnet':{'id':'" SUBNET("v", "private") "'}"),
     REACH_OPEN, "enableNodePublicIp"},
    {WORKSPACE "/computes", "closed/c",
     ML("'enableNodePublicIp':false,'subnet':{'id':'" SUBNET("v", "private") "'}"), REACH_CLOSED,
     "private"},
    {WORKSPACE "/computes", "closed/c", "{'computeType':'AKS','resourceId':'/x'}", REACH_UNKNOWN,
     "attached"},
    {DEPLOYMENT, "closed/e/d", "{}", REACH_CLOSED, "AllowOnlyApprovedOutbound"},
    {DEPLOYMENT, "open/e/d", "{'egressPublicNetworkAccess':'Disabled'}", REACH_CLOSED, "egress"},
    {DEPLOYMENT, "open/e/d", "{}", REACH_OPEN, "egress"},
    {ACCOUNT, "a", "{}", REACH_OPEN, "restrictOutboundNetworkAccess"},
    {ACCOUNT, "a", "{'restrictOutboundNetworkAccess':true}", REACH_CLOSED, "empty"},
    {ACCOUNT, "a",
     "{'restrictOutboundNetworkAccess':true,'networkInjections':[{'scenario':'agent',"
     "'useMicrosoftManagedNetwork':true}]}",
     REACH_UNKNOWN, "managed network of its agents"},
    {ACCOUNT, "a",
     "{'restrictOutboundNetworkAccess':true,'networkInjections':[{'scenario':'agent',"
     "'subnetArmId':'" SUBNET("v", "private") "'}]}",
     REACH_OPEN, "agents"},
    {SITE, "s", "{}", REACH_OPEN, "no subnet"},
    {SITE, "s", "{'virtualNetworkSubnetId':'" SUBNET("v", "dead") "'}", REACH_UNKNOWN,
     "vnetRouteAllEnabled"},
    {SITE, "s", "{'virtualNetworkSubnetId':'" SUBNET("v", "dead") "','vnetRouteAllEnabled':false}",
     REACH_OPEN, "private addresses"},
    {SITE, "s", "{'virtualNetworkSubnetId':'" SUBNET("v", "dead") "','vnetRouteAllEnabled':true}",
     REACH_CLOSED, "to None"},
    {SITE, "s",
     "{'virtualNetworkSubnetId':'" SUBNET("v", "private") "','outboundVnetRouting':{'allTraffic':"
                                                          "true}}",
     REACH_OPEN, "addresses of the app"},
    {"Microsoft.App/containerApps", "c", "{'managedEnvironmentId':'/x'}", REACH_UNKNOWN,
     "environment"},
};

static void
settings_decide(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(SETTINGS); i++) {
        const SettingCase *c = &SETTINGS[i];
        Fixture fixture;
        begin(&fixture);
        add(&fixture, NET "virtualNetworks", "v",
            NETWORK_JSON(
                "10.0.0.0/16",
                SUBNET_JSON("private", "10.0.0.0/24",
                            ",'defaultOutboundAccess':false") "," SUBNET_JSON("dead", "10.0.1.0/24",
                                                                              TABLE("t")),
                ""));
        add(&fixture, NET "routeTables", "t",
            "{'routes':[{'name':'d','properties':{'addressPrefix':'0.0.0.0/0','nextHopType':'None'"
            "}}]}");
        add(&fixture, WORKSPACE, "closed",
            "{'managedNetwork':{'isolationMode':'AllowOnlyApprovedOutbound'}}");
        add(&fixture, WORKSPACE, "open", "{}");
        add(&fixture, c->type, c->name, c->properties);
        network_world_finish(&fixture.world);
        OutboundList list = outbounds(&fixture, c->type, c->name);
        INTERNET(list, c->reach, NULL, c->word);
        end(&fixture);
    }
}

static void
managed_rules_name_what_is_reached(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    add(&fixture, WORKSPACE, "w",
        "{'managedNetwork':{'isolationMode':'AllowOnlyApprovedOutbound','outboundRules':{"
        "'f':{'type':'FQDN','destination':'pypi.org'},"
        "'t':{'type':'ServiceTag','destination':{'serviceTag':'Storage','protocol':'TCP',"
        "'portRanges':'443, 445'}},"
        "'p':{'type':'PrivateEndpoint','destination':{'serviceResourceId':'/x/kv',"
        "'subresourceTarget':'vault'}}}}}");
    add(&fixture, WORKSPACE "/outboundRules", "w/more",
        "{'type':'FQDN','destination':'*.contoso.com'}");
    add(&fixture, WORKSPACE, "unlisted",
        "{'managedNetwork':{'isolationMode':'AllowOnlyApprovedOutbound'}}");
    network_world_finish(&fixture.world);
    OutboundList list = outbounds(&fixture, WORKSPACE, "w");
    INTERNET(list, REACH_CLOSED, NULL, "AllowOnlyApprovedOutbound");
    expect(&fixture, &list, DESTINATION_NAMES, REACH_OPEN, "pypi.org, *.contoso.com", NULL, NULL);
    expect(&fixture, &list, DESTINATION_ANY_TENANT, REACH_OPEN, "Storage", "tcp 443,445", NULL);
    expect(&fixture, &list, DESTINATION_RESOURCE, REACH_OPEN, "/x/kv", NULL, "vault");
    end(&fixture);
    begin(&fixture);
    add(&fixture, WORKSPACE, "unlisted",
        "{'managedNetwork':{'isolationMode':'AllowOnlyApprovedOutbound'}}");
    network_world_finish(&fixture.world);
    list = outbounds(&fixture, WORKSPACE, "unlisted");
    expect(&fixture, &list, DESTINATION_ADDRESSES, REACH_UNKNOWN, NULL, NULL, "outbound rules");
    end(&fixture);
}

// ---- random networks ----

// Public addresses to which rules and routes of the draw may lead; drawn prefixes hold some.
static const uint32_t OUTSIDE[] = {0x14010203, 0x14010909, 0x14800001, 0xC8000001};

typedef struct Gathered {
    Arena *arena;
    Journey *items;
    size_t len, cap;
} Gathered;

static void
gather(void *context, const Journey *journey)
{
    Gathered *gathered = context;
    ARRAY_PUSH(gathered->arena, gathered, *journey);
}

static void
random_outside(Plain *plain)
{
    for (uint32_t m = 0; m < MACHINES; m++) {
        for (uint32_t i = 0; i < DRAWN_RULES; i++)
            if (pick(2)) {
                PlainRule *rule = &plain->subnets[m].rules[i];
                uint32_t to = OUTSIDE[pick(COUNT_OF(OUTSIDE))];
                rule->inbound = pick(4) == 0;
                rule->to_length = (uint32_t[]){32, 16, 8, 0}[pick(4)];
                rule->to =
                    rule->to_length ? to >> (32 - rule->to_length) << (32 - rule->to_length) : 0;
            }
        for (uint32_t i = 0; i < plain->subnets[m].route_count; i++)
            if (pick(2)) {
                PlainRoute route = plain->subnets[m].routes[i];
                uint32_t to = OUTSIDE[pick(COUNT_OF(OUTSIDE))];
                bool twice = false;
                route.length = (uint32_t[]){24, 16, 8}[pick(3)];
                route.base = to >> (32 - route.length) << (32 - route.length);
                for (uint32_t k = 0; k < plain->subnets[m].route_count; k++)
                    twice |= plain->subnets[m].routes[k].base == route.base &&
                             plain->subnets[m].routes[k].length == route.length;
                if (!twice)
                    plain->subnets[m].routes[i] = route;
            }
    }
}

static Fate
ask_outside(const Plain *plain, uint32_t m, bool inbound, uint32_t from, uint32_t to, uint32_t port)
{
    const PlainSubnet *subnet = &plain->subnets[m];
    if (!subnet->has_group)
        return (Fate){true, false};
    for (uint32_t i = 0; i < DRAWN_RULES; i++) {
        const PlainRule *rule = &subnet->rules[i];
        if (rule->inbound == inbound && holds(rule->from, rule->from_length, from) &&
            holds(rule->to, rule->to_length, to) && port >= rule->low && port <= rule->high)
            return (Fate){rule->allow, !rule->allow};
    }
    int a = in_network(plain, m, from), b = in_network(plain, m, to);
    int local = a < b ? a : b;
    // AllowInternetOutBound: what is surely VirtualNetwork is not Internet.
    if (!inbound && b < 2)
        return (Fate){true, false};
    return (Fate){local > 0, local < 2};
}

static Fate
send_outside(const Plain *plain, uint32_t from, uint32_t to, uint32_t port, bool has_exit)
{
    uint32_t source = address_of(from), at = from;
    bool can_arrive = true, can_fail = false;
    Fate asked = ask_outside(plain, from, false, source, to, port);
    for (int i = 0; i <= 4; i++) {
        can_arrive &= asked.arrives;
        can_fail |= asked.is_lost;
        if (!can_arrive)
            return (Fate){false, true};
        const PlainRoute *best = NULL;
        for (uint32_t r = 0; r < plain->subnets[at].route_count; r++) {
            const PlainRoute *route = &plain->subnets[at].routes[r];
            if (holds(route->base, route->length, to) && (!best || route->length > best->length))
                best = route;
        }
        NextHop hop = best ? best->hop : HOP_INTERNET;
        if (hop == HOP_INTERNET)
            return (Fate){can_arrive && (i || has_exit), can_fail || !(i || has_exit)};
        if (hop != HOP_APPLIANCE || i == 4)
            return (Fate){false, true};
        uint32_t here = at / SUBNETS, next = MACHINES;
        for (uint32_t m = 0; m < MACHINES; m++)
            if (address_of(m) == best->appliance &&
                (m / SUBNETS == here || plain->peered[here][m / SUBNETS]))
                next = m;
        if (next == MACHINES)
            return (Fate){true, true};
        if (!plain->subnets[next].forwards)
            return (Fate){false, true};
        asked = ask_outside(plain, next, true, source, to, port);
        if (!asked.arrives)
            return (Fate){false, true};
        can_fail = true; // the appliance decides
        asked = ask_outside(plain, next, false, source, to, port);
        at = next;
    }
    return (Fate){false, true};
}

static void
ask_machine(Fixture *fixture, const Plain *plain, uint32_t m, bool has_exit, uint32_t *counts)
{
    Arena *arena = &fixture->arena;
    OutboundList out = {0};
    Gathered gathered = {.arena = arena};
    Str name = str_format(arena, "x%u", m);
    const EndpointList *own = network_endpoints(&fixture->world, id_of(arena, VM, name.ptr));
    Outbounder outbounder = {.world = &fixture->world,
                             .arena = arena,
                             .compute =
                                 network_resource(&fixture->world, id_of(arena, VM, name.ptr)),
                             .out = &out,
                             .ended = gather,
                             .context = &gathered};
    OutboundExit exit = {.state = has_exit ? HOP_PASSES : HOP_STOPS,
                         .text = STR("exit"),
                         .protocols = packet_box_all().at[PACKET_PROTOCOL]};
    OutboundStart start = {.subnet = own->items[0]->subnet,
                           .interface = own->items[0]->interface,
                           .addresses = own->items[0]->addresses,
                           .exit = &exit,
                           .name = name};
    outbound_from(&outbounder, &start);
    for (size_t o = 0; o < COUNT_OF(OUTSIDE); o++)
        for (uint32_t port = 0; port < 8; port++) {
            Packet packet = {{ADDRESS_IPV4(0, 0, 0, 0) + address_of(m),
                              ADDRESS_IPV4(0, 0, 0, 0) + OUTSIDE[o], port, 6, 40000}};
            bool sure = false, may = false;
            for (size_t j = 0; j < gathered.len; j++) {
                sure |= packet_set_contains(&gathered.items[j].flow.sure, &packet);
                may |= packet_set_contains(&gathered.items[j].flow.may, &packet);
            }
            Fate fate = send_outside(plain, m, OUTSIDE[o], port, has_exit);
            assert_int_equal(may, fate.arrives);
            assert_int_equal(sure, fate.arrives && !fate.is_lost);
            counts[0]++;
            counts[1] += sure;
            counts[2] += may && !sure;
        }
}

static void
packets_get_out_as_trying_each_does(void **state)
{
    (void)state;
    uint32_t counts[3] = {0};
    for (int round = 0; round < 550; round++) {
        Plain plain;
        Fixture fixture;
        random_plain(&plain);
        random_outside(&plain);
        begin(&fixture);
        add_plain(&fixture, &plain);
        network_world_finish(&fixture.world);
        for (uint32_t m = 0; m < MACHINES; m++)
            ask_machine(&fixture, &plain, m, pick(4), counts);
        end(&fixture);
    }
    assert_true(counts[0] >= 100000);
    assert_true(counts[1] > counts[0] / 20 && counts[2] > counts[0] / 50); // a fair draw
}

// ---- hostile data ----

static void
odd_rows_do_no_harm(void **state)
{
    (void)state;
    static const char *const ODD[] = {
        "null",
        "[]",
        "'x'",
        "{}",
        "{'networkProfile':7,'agentPoolProfiles':[null,7,{}],'networkInjections':[null,{}],"
        "'allowedFqdnList':[null,{}],'restrictOutboundNetworkAccess':true}",
        "{'networkProfile':{'outboundType':'none'},'agentPoolProfiles':[null,{'vnetSubnetID':7}]}",
        "{'managedNetwork':{'isolationMode':'AllowOnlyApprovedOutbound','outboundRules':{'a':null,"
        "'b':{'type':'ServiceTag','destination':{'portRanges':',,x','addressPrefixes':[null,'x']}},"
        "'c':{'type':'FQDN','destination':{}}}}}",
        "{'virtualNetworkSubnetId':[],'siteConfig':7,'hostingEnvironmentProfile':{'id':'x'}}",
        "{'computeType':'AmlCompute','properties':{'subnet':{'id':'x'}},'subnetIds':[null]}",
    };
    static const char *const TYPES[] = {VM,
                                        "Microsoft.Compute/virtualMachineScaleSets",
                                        CLUSTER,
                                        "Microsoft.App/containerApps",
                                        SITE,
                                        "Microsoft.ContainerInstance/containerGroups",
                                        ACCOUNT,
                                        WORKSPACE,
                                        WORKSPACE "/computes",
                                        DEPLOYMENT};
    for (size_t o = 0; o < COUNT_OF(ODD); o++) {
        Fixture fixture;
        begin(&fixture);
        for (size_t t = 0; t < COUNT_OF(TYPES); t++)
            add(&fixture, TYPES[t], "odd/odd/odd", ODD[o]);
        network_world_finish(&fixture.world);
        ResultTable *table = outbound_table(&fixture.world, &fixture.arena);
        assert_non_null(table);
        for (size_t i = 0; i < fixture.world.resources.len; i++) {
            const NetResource *compute = fixture.world.resources.entries[i].pointer;
            OutboundList list = outbounds_of(&fixture.world, &fixture.arena, compute);
            assert_non_null(find(&list, DESTINATION_INTERNET));
        }
        end(&fixture);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exits_go_by_precedence),
        cmocka_unit_test(balancers_lead_out_by_their_rules),
        cmocka_unit_test(flexible_scale_sets_have_no_default),
        cmocka_unit_test(groups_let_out_by_priority),
        cmocka_unit_test(routes_lead_elsewhere),
        cmocka_unit_test(firewalls_let_out_by_address_and_name),
        cmocka_unit_test(settings_decide),
        cmocka_unit_test(managed_rules_name_what_is_reached),
        cmocka_unit_test(packets_get_out_as_trying_each_does),
        cmocka_unit_test(odd_rows_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
