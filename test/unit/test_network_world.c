// Whole networks: topologies made by hand for each rule, and random ones against a walker
// that sends one packet at a time.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "azure/network/exposure_table.h"
#include "azure/network/journey.h"
#include "base/array.h"
#include "network_random.h"

static ExposureList
exposures(Fixture *fixture, const char *type, const char *name)
{
    const NetResource *target =
        network_resource(&fixture->world, id_of(&fixture->arena, type, name));
    assert_non_null(target);
    assert_true(exposure_is_target(&fixture->world, target));
    return exposures_of(&fixture->world, &fixture->arena, target);
}

static const Exposure *
find(const ExposureList *list, SourceClass source, const char *name)
{
    for (size_t i = 0; i < list->len; i++)
        if (list->items[i].source == source &&
            (!name || str_equal(list->items[i].source_name, str_from(name))))
            return &list->items[i];
    return NULL;
}

#define HAS(list, source, name, expected, open_ports)                                              \
    do {                                                                                           \
        const Exposure *has = find(&(list), source, name);                                         \
        assert_non_null(has);                                                                      \
        assert_string_equal(reach_name(has->reach), reach_name(expected));                         \
        if (open_ports)                                                                            \
            assert_string_equal(str_cstr(&fixture.arena, has->ports), (const char *)(open_ports)); \
    } while (0)
#define HAS_NOT(list, source, name) assert_null(find(&(list), source, name))

static bool
says(const Exposure *exposure, const char *word)
{
    return str_find(exposure->because, str_from(word)) >= 0 ||
           str_find(exposure->reason, str_from(word)) >= 0;
}

// ---- machines ----

static void
add_public_machine(Fixture *fixture, const char *subnet_more, const char *sku)
{
    Arena *arena = &fixture->arena;
    Str network = str_format(arena,
                             "{'addressSpace':{'addressPrefixes':['10.0.0.0/16']},'subnets':["
                             "{'name':'a','properties':{'addressPrefix':'10.0.0.0/24'%s}},"
                             "{'name':'b','properties':{'addressPrefix':'10.0.1.0/24'}}]}",
                             subnet_more);
    add(fixture, NET "virtualNetworks", "v", str_cstr(arena, network));
    add_sku(fixture, NET "publicIPAddresses", "p", sku, "{'ipAddress':'20.1.2.3'}");
    add_machine(fixture, "m",
                CONFIG(SUBNET("v", "a"), "10.0.0.4",
                       ",'publicIPAddress':{'id':'" ID("publicIPAddresses", "p") "'}"),
                "");
}

static void
public_addresses_need_a_group(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    add_public_machine(&fixture, "", "Standard");
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, VM, "m");
    HAS(list, SOURCE_INTERNET, NULL, REACH_CLOSED, NULL);
    assert_true(says(&list.items[0], "without a security group"));
    HAS(list, SOURCE_SUBNET, "v/b", REACH_OPEN, "any");
    end(&fixture);
    begin(&fixture);
    add_public_machine(&fixture, "", "Basic");
    network_world_finish(&fixture.world);
    list = exposures(&fixture, VM, "m");
    HAS(list, SOURCE_INTERNET, NULL, REACH_OPEN, "any");
    end(&fixture);
}

static void
groups_of_subnet_and_interface_both_decide(void **state)
{
    (void)state;
    static const char BOTH[] = "{'securityRules':[" RULE(
        "web", "100", "Allow", "Inbound", "Internet", "*",
        "80-90") "," RULE("late", "200", "Deny", "Inbound", "*", "*", "85") "]}";
    Fixture fixture;
    begin(&fixture);
    add_public_machine(&fixture, GROUP("sub"), "Standard");
    add(&fixture, NET "networkSecurityGroups", "sub", BOTH);
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, VM, "m");
    HAS(list, SOURCE_INTERNET, NULL, REACH_OPEN, "tcp 80-90");
    end(&fixture);
    // A narrower group at the interface; and a rule for a listed address.
    begin(&fixture);
    add(&fixture, NET "virtualNetworks", "v",
        NETWORK_JSON("10.0.0.0/16", SUBNET_JSON("a", "10.0.0.0/24", GROUP("sub")), ""));
    add(&fixture, NET "networkSecurityGroups", "sub", BOTH);
    add(&fixture, NET "networkSecurityGroups", "nic",
        "{'securityRules':[" RULE("some", "100", "Allow", "Inbound", "*", "10.0.0.4",
                                  "88") "," RULE("office", "110", "Allow", "Inbound",
                                                 "203.0.113.0/24", "*", "82") "]}");
    add(&fixture, NET "publicIPAddresses", "p", "{}");
    add_machine(&fixture, "m",
                CONFIG(SUBNET("v", "a"), "10.0.0.4",
                       ",'publicIPAddress':{'id':'" ID("publicIPAddresses", "p") "'}"),
                GROUP("nic"));
    network_world_finish(&fixture.world);
    list = exposures(&fixture, VM, "m");
    HAS(list, SOURCE_INTERNET, NULL, REACH_OPEN, "tcp 88");
    HAS(list, SOURCE_LISTED, "203.0.113.0/24", REACH_OPEN, "tcp 82");
    end(&fixture);
}

static void
tags_of_tenants_let_strangers_in(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    add_public_machine(&fixture, GROUP("g"), "Standard");
    add(&fixture, NET "networkSecurityGroups", "g",
        "{'securityRules':[" RULE("azure", "100", "Allow", "Inbound", "AzureCloud", "*",
                                  "443") "," RULE("manage", "110", "Allow", "Inbound",
                                                  "GatewayManager", "*", "65200") "]}");
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, VM, "m");
    HAS(list, SOURCE_ANY_TENANT, NULL, REACH_OPEN, "tcp 443");
    HAS(list, SOURCE_LISTED, "GatewayManager", REACH_OPEN, "tcp 65200");
    HAS(list, SOURCE_INTERNET, NULL, REACH_CLOSED, NULL);
    end(&fixture);
}

static void
answers_must_find_their_way_back(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    add_public_machine(&fixture, GROUP("g") TABLE("t"), "Standard");
    add(&fixture, NET "networkSecurityGroups", "g",
        "{'securityRules':[" RULE("web", "100", "Allow", "Inbound", "*", "*", "443") "]}");
    add(&fixture, NET "routeTables", "t",
        "{'routes':[{'name':'d','properties':{'addressPrefix':'0.0.0.0/0','nextHopType':"
        "'VirtualAppliance','nextHopIpAddress':'10.0.1.4'}}]}");
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, VM, "m");
    HAS(list, SOURCE_INTERNET, NULL, REACH_UNKNOWN, NULL);
    assert_true(says(find(&list, SOURCE_INTERNET, NULL), "another way"));
    end(&fixture);
}

static void
what_is_missing_is_unknown(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    add_public_machine(&fixture, GROUP("gone"), "Standard");
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, VM, "m");
    HAS(list, SOURCE_INTERNET, NULL, REACH_UNKNOWN, NULL);
    assert_true(says(find(&list, SOURCE_INTERNET, NULL), "gone is not in the data"));
    HAS(list, SOURCE_SUBNET, "v/b", REACH_UNKNOWN, NULL);
    end(&fixture);
    // Without the network itself nothing is known of what reaches it.
    begin(&fixture);
    add_machine(&fixture, "m",
                CONFIG(SUBNET("other", "a"), "10.0.0.4",
                       ",'publicIPAddress':{'id':'" ID("publicIPAddresses", "p") "'}"),
                "");
    network_world_finish(&fixture.world);
    list = exposures(&fixture, VM, "m");
    HAS(list, SOURCE_INTERNET, NULL, REACH_UNKNOWN, NULL);
    HAS(list, SOURCE_SUBNET, NULL, REACH_UNKNOWN, NULL);
    end(&fixture);
}

// ---- load balancers and gateways ----

static void
balancers_lead_in(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    add(&fixture, NET "virtualNetworks", "v",
        NETWORK_JSON("10.0.0.0/16", SUBNET_JSON("a", "10.0.0.0/24", GROUP("g")), ""));
    add(&fixture, NET "networkSecurityGroups", "g",
        "{'securityRules':[" RULE("web", "100", "Allow", "Inbound", "Internet", "*", "8080") "]}");
    add_machine(&fixture, "m",
                CONFIG(SUBNET("v", "a"), "10.0.0.4",
                       ",'loadBalancerBackendAddressPools':[{'id':'" ID(
                           "loadBalancers", "l") "/backendAddressPools/b'}]"),
                "");
    add_sku(&fixture, NET "loadBalancers", "l", "Standard",
            "{'frontendIPConfigurations':[{'id':'" ID(
                "loadBalancers",
                "l") "/frontendIPConfigurations/"
                     "f','name':'f','properties':{'publicIPAddress':{'id':'" ID(
                         "publicIPAddresses",
                         "p") "'}}}],'"
                              "loadBalancingRule"
                              "s':[{'name':'r','"
                              "properties':{'"
                              "frontendPort':80,"
                              "'backendPort':"
                              "8080,'protocol':'"
                              "Tcp','"
                              "frontendIPConfigu"
                              "ration':{'id':"
                              "'" ID("loadBalancer"
                                     "s",
                                     "l") "/fronten"
                                          "dIPConfi"
                                          "guration"
                                          "s/"
                                          "f'},'"
                                          "backendA"
                                          "ddressPo"
                                          "ol':{'"
                                          "id':"
                                          "'" ID("l"
                                                 "o"
                                                 "a"
                                                 "d"
                                                 "B"
                                                 "a"
                                                 "l"
                                                 "a"
                                                 "n"
                                                 "c"
                                                 "e"
                                                 "r"
                                                 "s",
                                                 "l") "/backendAddressPools/b'}}},"
                                                      "{'name':'closed','properties':{'"
                                                      "frontendPort':22,'backendPort':22,'protocol'"
                                                      ":'Tcp',"
                                                      "'frontendIPConfiguration':{'id':'" ID(
                                                          "loadBalancers",
                                                          "l") "/frontendIPConfigurations/"
                                                               "f'},'backendAddressPool':{'id':"
                                                               "'" ID("loadBalancers",
                                                                      "l") "/backendAddressPools/"
                                                                           "b'}}}]}");
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, VM, "m");
    HAS(list, SOURCE_INTERNET, NULL, REACH_OPEN, "tcp 8080");
    assert_true(says(find(&list, SOURCE_INTERNET, NULL), "l, rule r, port 80 to 8080"));
    end(&fixture);
}

static void
translations_lead_in(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    add(&fixture, NET "virtualNetworks", "v",
        NETWORK_JSON("10.0.0.0/16", SUBNET_JSON("a", "10.0.0.0/24", GROUP("g")), ""));
    add(&fixture, NET "networkSecurityGroups", "g",
        "{'securityRules':[" RULE("ssh", "100", "Allow", "Inbound", "Internet", "*", "22") "]}");
    add_machine(&fixture, "m", CONFIG(SUBNET("v", "a"), "10.0.0.4", ""), "");
    add(&fixture, NET "loadBalancers", "l",
        "{'frontendIPConfigurations':[{'name':'f','properties':{'publicIPAddress':{'id':'" ID(
            "publicIPAddresses", "p") "'}}}],'inboundNatRules':[{'name':'n','properties':{'"
                                      "frontendPort':50001,'backendPort':22,"
                                      "'protocol':'Tcp','frontendIPConfiguration':{'id':'" ID(
                                          "loadBalancers", "l") "/frontendIPConfigurations/"
                                                                "f'},'backendIPConfiguration':{'id'"
                                                                ":'" ID("networkInterfaces",
                                                                        "nic-m") "/ipConfigurations"
                                                                                 "/c'}}}]}");
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, VM, "m");
    HAS(list, SOURCE_INTERNET, NULL, REACH_OPEN, "tcp 22");
    assert_true(says(find(&list, SOURCE_INTERNET, NULL), "port 50001 to 22"));
    end(&fixture);
}

// clang-format off: JSON in macros
#define GATEWAY_JSON(pool)                                                                         \
    "{'gatewayIPConfigurations':[{'properties':{'subnet':{'id':'" SUBNET(                          \
        "v",                                                                                       \
        "gw") "'}}}],"                                                                             \
              "'frontendIPConfigurations':[{'name':'f','properties':{'publicIPAddress':{'id':"     \
              "'" ID("publicIPAddresses",                                                          \
                     "p") "'}}}],"                                                                 \
                          "'frontendPorts':[{'name':'https','properties':{'port':443}}],"          \
                          "'httpListeners':[{'name':'l','properties':{'frontendIPConfiguration':{" \
                          "'id':'/f'},"                                                            \
                          "'frontendPort':{'id':'/https'}}}],"                                     \
                          "'backendAddressPools':[{'name':'b','properties':{'backendAddresses':"   \
                          "[" pool "]}}],"                                                         \
                          "'backendHttpSettingsCollection':[{'name':'s','properties':{'port':"     \
                          "8080}}],"                                                               \
                          "'requestRoutingRules':[{'name':'r','properties':{'httpListener':{'id':" \
                          "'/l'},"                                                                 \
                          "'backendAddressPool':{'id':'/b'},'backendHttpSettings':{'id':'/s'}}}]}"
// clang-format on

static void
gateways_lead_in(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    add(&fixture, NET "virtualNetworks", "v",
        NETWORK_JSON("10.0.0.0/16",
                     SUBNET_JSON("a", "10.0.0.0/24", GROUP("inner")) "," SUBNET_JSON(
                         "gw", "10.0.9.0/24", GROUP("outer")),
                     ""));
    add(&fixture, NET "networkSecurityGroups", "outer",
        "{'securityRules':[" RULE("in", "100", "Allow", "Inbound", "Internet", "*", "443") "]}");
    add(&fixture, NET "networkSecurityGroups", "inner",
        "{'securityRules':[" RULE("gw", "100", "Allow", "Inbound", "10.0.9.0/24", "*",
                                  "8080") "," DENY_ALL("no", "110", "Inbound", "*") "]}");
    add_machine(&fixture, "m", CONFIG(SUBNET("v", "a"), "10.0.0.4", ""), "");
    add_machine(&fixture, "aside", CONFIG(SUBNET("v", "a"), "10.0.0.5", ""), "");
    add(&fixture, NET "applicationGateways", "g", GATEWAY_JSON("{'ipAddress':'10.0.0.4'}"));
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, VM, "m");
    HAS(list, SOURCE_INTERNET, NULL, REACH_OPEN, "tcp 443");
    assert_true(says(find(&list, SOURCE_INTERNET, NULL), "g, rule r, port 443 to 8080"));
    HAS_NOT(list, SOURCE_SUBNET, "v/a");
    HAS(list, SOURCE_SUBNET, "v/gw", REACH_OPEN, "tcp 8080");
    list = exposures(&fixture, VM, "aside");
    HAS(list, SOURCE_INTERNET, NULL, REACH_CLOSED, NULL);
    list = exposures(&fixture, NET "applicationGateways", "g");
    HAS(list, SOURCE_INTERNET, NULL, REACH_OPEN, "tcp 443");
    end(&fixture);
}

// ---- peerings and routes ----

static void
add_spokes(Fixture *fixture, const char *hub_back, const char *spoke_more, const char *b_more)
{
    Arena *arena = &fixture->arena;
    add(fixture, NET "virtualNetworks", "hub",
        str_cstr(arena,
                 str_format(arena,
                            NETWORK_JSON("10.0.0.0/16",
                                         SUBNET_JSON("AzureFirewallSubnet", "10.0.0.0/24",
                                                     "") "," SUBNET_JSON("mid", "10.0.1.0/24", ""),
                                         PEERING_JSON("to-a", "a",
                                                      "%s") "," PEERING_JSON("to-b", "b", "%s")),
                            hub_back, hub_back)));
    add(fixture, NET "virtualNetworks", "a",
        str_cstr(arena,
                 str_format(arena,
                            NETWORK_JSON("10.1.0.0/16", SUBNET_JSON("x", "10.1.0.0/24", "%s"),
                                         PEERING_JSON("to-hub", "hub", "")),
                            spoke_more)));
    add(fixture, NET "virtualNetworks", "b",
        str_cstr(arena, str_format(arena,
                                   NETWORK_JSON("10.2.0.0/16", SUBNET_JSON("y", "10.2.0.0/24", ""),
                                                PEERING_JSON("to-hub", "hub", "%s")),
                                   b_more)));
    add_machine(fixture, "m", CONFIG(SUBNET("b", "y"), "10.2.0.4", ""), "");
}

#define FORWARDED ",'allowForwardedTraffic':true"
#define ROUTE(prefix, address)                                                                     \
    "{'routes':[{'name':'r','properties':{'addressPrefix':'" prefix "','nextHopType':"             \
    "'VirtualAppliance','nextHopIpAddress':'" address "'}}]}"

static void
peerings_do_not_lead_on(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    add_spokes(&fixture, "", "", FORWARDED);
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, VM, "m");
    HAS(list, SOURCE_PEERED, "hub/mid", REACH_OPEN, "any");
    HAS_NOT(list, SOURCE_PEERED, "a/x");
    HAS_NOT(list, SOURCE_ROUTED, "a/x");
    end(&fixture);
}

static void
add_firewall(Fixture *fixture, const char *rules)
{
    Arena *arena = &fixture->arena;
    add(fixture, NET "azureFirewalls", "fw",
        str_cstr(arena, str_format(arena,
                                   "{'ipConfigurations':[{'name':'c','properties':{"
                                   "'privateIPAddress':'10.0.0.4','subnet':{'id':'%s'}}}],%s}",
                                   SUBNET("hub", "AzureFirewallSubnet"), rules)));
}

static void
firewalls_lead_on_by_their_rules(void **state)
{
    (void)state;
    static const char RULES[] =
        "'networkRuleCollections':[{'name':'c','properties':{'priority':200,'action':{'type':"
        "'Allow'},'rules':[{'name':'sql','protocols':['TCP'],'sourceAddresses':['10.1.0.0/16'],"
        "'destinationAddresses':['10.2.0.0/16'],'destinationPorts':['1433','8000-8010']}]}},"
        "{'name':'d','properties':{'priority':100,'action':{'type':'Deny'},'rules':[{'name':'no',"
        "'protocols':['Any'],'sourceAddresses':['*'],'destinationAddresses':['*'],"
        "'destinationPorts':['8005']}]}}]";
    Fixture fixture;
    begin(&fixture);
    add_spokes(&fixture, FORWARDED, TABLE("t"), FORWARDED);
    add(&fixture, NET "routeTables", "t", ROUTE("0.0.0.0/0", "10.0.0.4"));
    add_firewall(&fixture, RULES);
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, VM, "m");
    HAS(list, SOURCE_ROUTED, "a/x", REACH_OPEN, "tcp 1433,8000-8004,8006-8010");
    end(&fixture);
    // The network of the target takes no forwarded traffic.
    begin(&fixture);
    add_spokes(&fixture, FORWARDED, TABLE("t"), "");
    add(&fixture, NET "routeTables", "t", ROUTE("0.0.0.0/0", "10.0.0.4"));
    add_firewall(&fixture, RULES);
    network_world_finish(&fixture.world);
    list = exposures(&fixture, VM, "m");
    HAS_NOT(list, SOURCE_ROUTED, "a/x");
    end(&fixture);
    // A policy whose rules were not collected.
    begin(&fixture);
    add_spokes(&fixture, FORWARDED, TABLE("t"), FORWARDED);
    add(&fixture, NET "routeTables", "t", ROUTE("10.2.0.0/16", "10.0.0.4"));
    add_firewall(&fixture, "'firewallPolicy':{'id':'" ID("firewallPolicies", "fp") "'}");
    add(&fixture, NET "firewallPolicies", "fp", "{}");
    network_world_finish(&fixture.world);
    list = exposures(&fixture, VM, "m");
    HAS(list, SOURCE_ROUTED, "a/x", REACH_UNKNOWN, NULL);
    assert_true(says(find(&list, SOURCE_ROUTED, NULL), "firewall policy fp"));
    end(&fixture);
}

static void
policies_of_firewalls_are_read_in_order(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    add_spokes(&fixture, FORWARDED, TABLE("t"), FORWARDED);
    add(&fixture, NET "routeTables", "t", ROUTE("0.0.0.0/0", "10.0.0.4"));
    add_firewall(&fixture, "'firewallPolicy':{'id':'" ID("firewallPolicies", "fp") "'}");
    add(&fixture, NET "ipGroups", "ig", "{'ipAddresses':['10.1.0.0/24']}");
    add(&fixture, NET "firewallPolicies", "base",
        "{'ruleCollectionGroups':[{'id':'" ID("firewallPolicies",
                                              "base") "/ruleCollectionGroups/z'}]}");
    add(&fixture, NET "firewallPolicies/ruleCollectionGroups", "base/z",
        "{'priority':900,'ruleCollections':[{'priority':100,'action':{'type':'Deny'},'rules':[{"
        "'ruleType':'NetworkRule','name':'no','ipProtocols':['TCP'],'sourceAddresses':['*'],"
        "'destinationAddresses':['*'],'destinationPorts':['22']}]}]}");
    add(&fixture, NET "firewallPolicies", "fp",
        "{'basePolicy':{'id':'" ID(
            "firewallPolicies",
            "base") "'},'ruleCollectionGroups':[{'id':'" ID("firewallPolicies",
                                                            "fp") "/ruleCollectionGroups/g'}]}");
    add(&fixture, NET "firewallPolicies/ruleCollectionGroups", "fp/g",
        "{'priority':100,'ruleCollections':[{'priority':100,'action':{'type':'Allow'},'rules':[{"
        "'ruleType':'NetworkRule','name':'yes','ipProtocols':['TCP'],'sourceIpGroups':['" ID(
            "ipGroups", "ig") "'],'destinationAddresses':['10.2.0.4'],'destinationPorts':['20-30']}"
                              "]},{'priority':200,"
                              "'action':{'type':'Allow'},'rules':[{'ruleType':'ApplicationRule','"
                              "name':'app','protocols':"
                              "[{'protocolType':'Https','port':443}],'targetFqdns':['*.contoso.com'"
                              "],'sourceAddresses':["
                              "'10.1.0.0/24']}]}]}");
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, VM, "m");
    HAS(list, SOURCE_ROUTED, "a/x", REACH_OPEN, "tcp 20-21,23-30");
    end(&fixture);
}

static void
appliances_only_may_let_through(void **state)
{
    (void)state;
    for (int forwards = 0; forwards < 2; forwards++) {
        Fixture fixture;
        begin(&fixture);
        add_spokes(&fixture, FORWARDED, TABLE("t"), FORWARDED);
        add(&fixture, NET "routeTables", "t", ROUTE("0.0.0.0/0", "10.0.1.9"));
        add_machine(&fixture, "nva", CONFIG(SUBNET("hub", "mid"), "10.0.1.9", ""),
                    forwards ? ",'enableIPForwarding':true" : "");
        network_world_finish(&fixture.world);
        ExposureList list = exposures(&fixture, VM, "m");
        if (forwards)
            HAS(list, SOURCE_ROUTED, "a/x", REACH_UNKNOWN, "any");
        else
            HAS_NOT(list, SOURCE_ROUTED, "a/x");
        end(&fixture);
    }
}

static void
routes_to_nowhere_close(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    add_spokes(&fixture, FORWARDED, "", FORWARDED);
    add(&fixture, NET "virtualNetworks", "c",
        NETWORK_JSON("10.3.0.0/16", SUBNET_JSON("z", "10.3.0.0/24", TABLE("none")),
                     PEERING_JSON("to-d", "d", "")));
    add(&fixture, NET "virtualNetworks", "d",
        NETWORK_JSON("10.4.0.0/16", SUBNET_JSON("w", "10.4.0.0/24", ""),
                     PEERING_JSON("to-c", "c", "")));
    add(&fixture, NET "routeTables", "none",
        "{'routes':[{'name':'r','properties':{'addressPrefix':'10.4.0.0/24','nextHopType':'None'}}"
        "]}");
    add_machine(&fixture, "n", CONFIG(SUBNET("d", "w"), "10.4.0.4", ""), "");
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, VM, "n");
    HAS_NOT(list, SOURCE_PEERED, "c/z");
    HAS(list, SOURCE_SUBNET, "d/w", REACH_OPEN, "any");
    end(&fixture);
}

static void
peerings_without_access_leave_the_tag(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    // The default rules let only VirtualNetwork in, which the peer is no part of.
    add(&fixture, NET "virtualNetworks", "a",
        NETWORK_JSON("10.1.0.0/16", SUBNET_JSON("x", "10.1.0.0/24", ""),
                     PEERING_JSON("to-b", "b", "")));
    add(&fixture, NET "virtualNetworks", "b",
        "{'addressSpace':{'addressPrefixes':['10.2.0.0/16']},'subnets':[" SUBNET_JSON(
            "y", "10.2.0.0/24", GROUP("g")) "],'virtualNetworkPeerings':[{'name':'to-a','"
                                            "properties':{'peeringState':'Connected',"
                                            "'remoteVirtualNetwork':{'id':'" ID(
                                                "virtualNetworks",
                                                "a") "'},'allowVirtualNetworkAccess':false}}]}");
    add(&fixture, NET "networkSecurityGroups", "g",
        "{'securityRules':[" RULE("one", "100", "Allow", "Inbound", "10.1.0.0/24", "*",
                                  "443") "]}");
    add_machine(&fixture, "m", CONFIG(SUBNET("b", "y"), "10.2.0.4", ""), "");
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, VM, "m");
    HAS(list, SOURCE_PEERED, "a/x", REACH_OPEN, "tcp 443");
    end(&fixture);
}

// ---- services ----

#define VAULT "Microsoft.KeyVault/vaults"

static void
settings_of_services_decide(void **state)
{
    (void)state;
    static const struct {
        const char *type, *properties;
        SourceClass source;
        Reach reach;
        const char *name; // of the source; NULL = any
    } CASES[] = {
        {VAULT, "{}", SOURCE_INTERNET, REACH_OPEN, NULL},
        {VAULT, "{'publicNetworkAccess':'Disabled'}", SOURCE_INTERNET, REACH_CLOSED, NULL},
        {VAULT, "{'networkAcls':{'defaultAction':'Deny'}}", SOURCE_INTERNET, REACH_CLOSED, NULL},
        {VAULT, "{'networkAcls':{'defaultAction':'Deny','ipRules':[{'value':'203.0.113.0/24'}]}}",
         SOURCE_LISTED, REACH_OPEN, "203.0.113.0/24"},
        {VAULT, "{'networkAcls':{'defaultAction':'Deny','ipRules':[{'value':'0.0.0.0/0'}]}}",
         SOURCE_INTERNET, REACH_OPEN, NULL},
        {VAULT, "{'networkAcls':{'defaultAction':'Deny','bypass':'AzureServices'}}", SOURCE_TRUSTED,
         REACH_OPEN, NULL},
        {VAULT, "{'publicNetworkAccess':'SecuredByPerimeter'}", SOURCE_INTERNET, REACH_UNKNOWN,
         NULL},
        {VAULT, "null", SOURCE_INTERNET, REACH_UNKNOWN, NULL},
        {"Microsoft.Search/searchServices", "{'networkRuleSet':{'ipRules':[]}}", SOURCE_INTERNET,
         REACH_OPEN, NULL},
        {"Microsoft.Search/searchServices",
         "{'networkRuleSet':{'ipRules':[{'value':'203.0.113.7'}]}}", SOURCE_LISTED, REACH_OPEN,
         "203.0.113.7"},
        {"Microsoft.DocumentDB/databaseAccounts", "{'ipRules':[{'ipAddressOrRange':'0.0.0.0'}]}",
         SOURCE_ANY_TENANT, REACH_OPEN, NULL},
        {"Microsoft.DocumentDB/databaseAccounts", "{'isVirtualNetworkFilterEnabled':true}",
         SOURCE_INTERNET, REACH_CLOSED, NULL},
        {"Microsoft.Sql/servers", "{'publicNetworkAccess':'Enabled'}", SOURCE_INTERNET,
         REACH_UNKNOWN, NULL},
        {"Microsoft.ContainerService/managedClusters", "{}", SOURCE_INTERNET, REACH_OPEN, NULL},
        {"Microsoft.ContainerService/managedClusters",
         "{'apiServerAccessProfile':{'enablePrivateCluster':true}}", SOURCE_INTERNET, REACH_CLOSED,
         NULL},
        {"Microsoft.ContainerService/managedClusters",
         "{'apiServerAccessProfile':{'authorizedIPRanges':['198.51.100.0/24']}}", SOURCE_LISTED,
         REACH_OPEN, "198.51.100.0/24"},
        {"Microsoft.Web/sites", "{'siteConfig':{'ipSecurityRestrictions':[]}}", SOURCE_INTERNET,
         REACH_OPEN, NULL},
        {"Microsoft.Web/sites", "{}", SOURCE_INTERNET, REACH_UNKNOWN, NULL},
        {"Microsoft.Web/sites",
         "{'siteConfig':{'ipSecurityRestrictions':[{'ipAddress':'AzureFrontDoor.Backend','tag':"
         "'ServiceTag','action':'Allow','priority':100}]}}",
         SOURCE_ANY_TENANT, REACH_OPEN, NULL},
        {"Microsoft.Web/sites",
         "{'siteConfig':{'ipSecurityRestrictions':[{'ipAddress':'AzureFrontDoor.Backend','tag':"
         "'ServiceTag','action':'Allow','priority':100,'headers':{'x-azure-fdid':['1']}}]}}",
         SOURCE_ANY_TENANT, REACH_UNKNOWN, NULL},
        {"Microsoft.ContainerInstance/containerGroups",
         "{'ipAddress':{'type':'Public','ports':[{'port':8888,'protocol':'TCP'}]}}",
         SOURCE_INTERNET, REACH_OPEN, NULL},
        {"Microsoft.ApiManagement/service", "{'virtualNetworkType':'None'}", SOURCE_INTERNET,
         REACH_OPEN, NULL},
        {"Microsoft.ApiManagement/service", "{'virtualNetworkType':'Internal'}", SOURCE_INTERNET,
         REACH_CLOSED, NULL},
        {"Microsoft.DBforPostgreSQL/flexibleServers",
         "{'network':{'delegatedSubnetResourceId':'/x'}}", SOURCE_INTERNET, REACH_CLOSED, NULL},
        {"Microsoft.EventHub/namespaces", "{}", SOURCE_INTERNET, REACH_UNKNOWN, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        Fixture fixture;
        begin(&fixture);
        add(&fixture, CASES[i].type, "t", CASES[i].properties);
        network_world_finish(&fixture.world);
        ExposureList list = exposures(&fixture, CASES[i].type, "t");
        const Exposure *found = find(&list, CASES[i].source, CASES[i].name);
        if (!found || found->reach != CASES[i].reach)
            print_error("case %zu: %s %s\n", i, CASES[i].type, CASES[i].properties);
        HAS(list, CASES[i].source, CASES[i].name, CASES[i].reach, NULL);
        if (found->reach == REACH_UNKNOWN)
            assert_true(found->reason.len > 0);
        end(&fixture);
    }
}

static void
rules_in_rows_of_their_own_count(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    add(&fixture, "Microsoft.Sql/servers", "t", "{}");
    add(&fixture, "Microsoft.Sql/servers/firewallRules", "t/office",
        "{'startIpAddress':'203.0.113.1','endIpAddress':'203.0.113.9'}");
    add(&fixture, "Microsoft.Sql/servers/firewallRules", "t/azure",
        "{'startIpAddress':'0.0.0.0','endIpAddress':'0.0.0.0'}");
    add(&fixture, "Microsoft.Sql/servers", "quiet", "{}");
    add(&fixture, "Microsoft.EventHub/namespaces", "e", "{}");
    add(&fixture, "Microsoft.EventHub/namespaces/networkRuleSets", "e/default",
        "{'defaultAction':'Deny','ipRules':[{'ipMask':'203.0.113.9'}]}");
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, "Microsoft.Sql/servers", "t");
    HAS(list, SOURCE_ANY_TENANT, NULL, REACH_OPEN, "tcp 1433,11000-11999");
    HAS(list, SOURCE_INTERNET, NULL, REACH_CLOSED, NULL);
    list = exposures(&fixture, "Microsoft.Sql/servers", "quiet");
    HAS(list, SOURCE_INTERNET, NULL, REACH_CLOSED, NULL);
    list = exposures(&fixture, "Microsoft.EventHub/namespaces", "e");
    HAS(list, SOURCE_LISTED, "203.0.113.9", REACH_OPEN, NULL);
    end(&fixture);
}

static void
service_endpoints_let_subnets_in(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    add(&fixture, NET "virtualNetworks", "v",
        NETWORK_JSON(
            "10.0.0.0/16",
            SUBNET_JSON("with", "10.0.0.0/24", ",'serviceEndpoints':[{'service':'Microsoft.KeyVault'}]") "," SUBNET_JSON(
                "without", "10.0.1.0/24",
                "") "," SUBNET_JSON("shut", "10.0.2.0/24",
                                    ",'serviceEndpoints':[{'service':'Microsoft.KeyVault'}]" GROUP(
                                        "g")),
            ""));
    add(&fixture, NET "networkSecurityGroups", "g",
        "{'securityRules':[" RULE("no", "100", "Deny", "Outbound", "*", "Internet", "*") "]}");
    add(&fixture, VAULT, "t",
        "{'networkAcls':{'defaultAction':'Deny','virtualNetworkRules':[{'id':'" SUBNET(
            "v",
            "with") "'},{'id':'" SUBNET("v",
                                        "without") "'},{'id':'" SUBNET("v",
                                                                       "shut") "'},{'id':"
                                                                               "'" SUBNET(
                                                                                   "els"
                                                                                   "ewh"
                                                                                   "er"
                                                                                   "e",
                                                                                   "x") "'}]}}");
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, VAULT, "t");
    HAS(list, SOURCE_SUBNET, "v/with", REACH_OPEN, "tcp 443");
    HAS_NOT(list, SOURCE_SUBNET, "v/without");
    HAS_NOT(list, SOURCE_SUBNET, "v/shut");
    HAS(list, SOURCE_SUBNET, "x", REACH_UNKNOWN, NULL);
    end(&fixture);
}

// ---- private endpoints ----

#define VAULT_ID "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/t"
#define ENDPOINT_JSON(subnet, status)                                                              \
    "{'subnet':{'id':'" subnet "'},'privateLinkServiceConnections':[{'name':'c','properties':{"    \
    "'privateLinkServiceId':'" VAULT_ID "','groupIds':['vault'],"                                  \
    "'privateLinkServiceConnectionState':{'status':'" status                                       \
    "'}}}],'customDnsConfigs':[{'ipAddresses':['10.0.0.5']}]}"

static void
private_endpoints_lead_in(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    add(&fixture, NET "virtualNetworks", "v",
        NETWORK_JSON("10.0.0.0/16",
                     SUBNET_JSON("pe", "10.0.0.0/24",
                                 ",'privateEndpointNetworkPolicies':'Disabled'" GROUP(
                                     "g")) "," SUBNET_JSON("a", "10.0.1.0/24", ""),
                     PEERING_JSON("to-w", "w", "")));
    add(&fixture, NET "virtualNetworks", "w",
        NETWORK_JSON("10.9.0.0/16", SUBNET_JSON("far", "10.9.0.0/24", ""),
                     PEERING_JSON("to-v", "v", "")));
    add(&fixture, NET "networkSecurityGroups", "g",
        "{'securityRules':[" DENY_ALL("no", "100", "Inbound", "*") "]}");
    add(&fixture, VAULT, "t", "{'publicNetworkAccess':'Disabled'}");
    add(&fixture, NET "privateEndpoints", "e", ENDPOINT_JSON(SUBNET("v", "pe"), "Approved"));
    add(&fixture, NET "privateDnsZones", "privatelink.vaultcore.azure.net", "{}");
    add(&fixture, NET "privateDnsZones/virtualNetworkLinks", "privatelink.vaultcore.azure.net/l",
        "{'virtualNetwork':{'id':'" ID("virtualNetworks", "v") "'}}");
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, VAULT, "t");
    HAS(list, SOURCE_INTERNET, NULL, REACH_CLOSED, NULL);
    // The group does not hold for private endpoints here.
    HAS(list, SOURCE_SUBNET, "v/a", REACH_OPEN, "tcp 443");
    HAS(list, SOURCE_PEERED, "w/far", REACH_OPEN, "tcp 443");
    assert_true(str_starts(find(&list, SOURCE_SUBNET, "v/a")->dns, STR("linked")));
    assert_true(str_starts(find(&list, SOURCE_PEERED, "w/far")->dns, STR("not linked")));
    end(&fixture);
}

static void
private_endpoints_may_obey_groups_and_routes(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    add(&fixture, NET "virtualNetworks", "v",
        NETWORK_JSON(
            "10.0.0.0/16",
            SUBNET_JSON("pe", "10.0.0.0/24", ",'privateEndpointNetworkPolicies':'Enabled'" GROUP("g")) "," SUBNET_JSON(
                "a", "10.0.1.0/24",
                "") "," SUBNET_JSON("wide", "10.0.2.0/24",
                                    TABLE(
                                        "wide")) "," SUBNET_JSON("exact", "10.0.3.0/24",
                                                                 TABLE(
                                                                     "exact")) "," SUBNET_JSON("nos"
                                                                                               "y",
                                                                                               "10."
                                                                                               "0."
                                                                                               "4."
                                                                                               "0/"
                                                                                               "24",
                                                                                               ""),
            ""));
    add(&fixture, NET "networkSecurityGroups", "g",
        "{'securityRules':[" DENY_ALL("no", "100", "Inbound", "10.0.4.0/24") "]}");
    add(&fixture, NET "routeTables", "wide",
        "{'routes':[{'name':'r','properties':{'addressPrefix':'10.0.0.0/8','nextHopType':'None'}}]"
        "}");
    add(&fixture, NET "routeTables", "exact",
        "{'routes':[{'name':'r','properties':{'addressPrefix':'10.0.0.0/16','nextHopType':'None'}}"
        "]}");
    add(&fixture, VAULT, "t", "{'publicNetworkAccess':'Disabled'}");
    add(&fixture, NET "privateEndpoints", "e", ENDPOINT_JSON(SUBNET("v", "pe"), "Approved"));
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, VAULT, "t");
    HAS(list, SOURCE_SUBNET, "v/a", REACH_OPEN, NULL);
    HAS(list, SOURCE_SUBNET, "v/wide", REACH_OPEN, NULL);
    HAS_NOT(list, SOURCE_SUBNET, "v/exact");
    HAS_NOT(list, SOURCE_SUBNET, "v/nosy");
    end(&fixture);
}

static void
private_endpoints_must_be_approved_and_known(void **state)
{
    (void)state;
    Fixture fixture;
    begin(&fixture);
    add(&fixture, NET "virtualNetworks", "v",
        NETWORK_JSON("10.0.0.0/16", SUBNET_JSON("pe", "10.0.0.0/24", ""), ""));
    add(&fixture, VAULT, "t",
        "{'publicNetworkAccess':'Disabled','privateEndpointConnections':["
        "{'properties':{'privateEndpoint':{'id':'/subscriptions/alien/resourceGroups/g/providers/"
        "Microsoft.Network/privateEndpoints/theirs'},'privateLinkServiceConnectionState':{'status':"
        "'Approved'}}},"
        "{'properties':{'privateEndpoint':{'id':'/subscriptions/s/resourceGroups/g/providers/"
        "Microsoft.Network/privateEndpoints/lost'},'privateLinkServiceConnectionState':{'status':"
        "'Approved'}}}]}");
    add(&fixture, NET "privateEndpoints", "e", ENDPOINT_JSON(SUBNET("v", "pe"), "Pending"));
    network_world_finish(&fixture.world);
    ExposureList list = exposures(&fixture, VAULT, "t");
    HAS(list, SOURCE_ENDPOINT, "e", REACH_CLOSED, NULL);
    HAS(list, SOURCE_ENDPOINT, "lost", REACH_UNKNOWN, NULL);
    HAS(list, SOURCE_OTHER_TENANT, "theirs", REACH_OPEN, NULL);
    HAS_NOT(list, SOURCE_SUBNET, NULL);
    end(&fixture);
}

// ---- random networks ----

static Fate
ask_group(const Plain *plain, uint32_t m, bool inbound, uint32_t from, uint32_t to, uint32_t port)
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
    int local = a < b ? a : b; // nothing here is on the internet
    return (Fate){local > 0, local < 2};
}

static const PlainRoute *
choose_route(const Plain *plain, uint32_t m, uint32_t to, NextHop *hop)
{
    uint32_t n = m / SUBNETS, of = to >> 16 & 255;
    const PlainRoute *best = NULL;
    int length = -1;
    bool own_default = false;
    for (uint32_t i = 0; i < plain->subnets[m].route_count; i++) {
        const PlainRoute *route = &plain->subnets[m].routes[i];
        own_default |= !route->length;
        if (holds(route->base, route->length, to) && (int)route->length > length) {
            best = route;
            length = (int)route->length;
        }
    }
    *hop = best ? best->hop : HOP_NONE;
    bool known = of == n || plain->peered[n][of];
    if (known && length < 16) {
        *hop = of == n ? HOP_LOCAL : HOP_PEERING;
        return NULL;
    }
    if (!known && length < 8 && !own_default) {
        *hop = HOP_NONE; // private addresses go nowhere
        return NULL;
    }
    return best;
}

static Fate
send_packet(const Plain *plain, uint32_t from, uint32_t to, uint32_t port)
{
    uint32_t source = address_of(from) + 5, target = address_of(to), at = from;
    bool can_arrive = true, can_fail = false;
    Fate asked = ask_group(plain, from, false, source, target, port);
    for (int i = 0; i <= 4; i++) { // as many appliances as there may be
        can_arrive &= asked.arrives;
        can_fail |= asked.is_lost;
        if (!can_arrive)
            return (Fate){false, true};
        NextHop hop;
        const PlainRoute *route = choose_route(plain, at, target, &hop);
        uint32_t here = at / SUBNETS, there = to / SUBNETS;
        if (hop == HOP_LOCAL || hop == HOP_PEERING) {
            if (hop == HOP_LOCAL && here != there)
                return (Fate){false, true};
            if (here != there && !plain->peered[here][there])
                return (Fate){false, true};
            if (here != there && from / SUBNETS != here && !plain->forwarded[there][here])
                return (Fate){false, true};
            asked = ask_group(plain, to, true, source, target, port);
            return (Fate){can_arrive && asked.arrives, can_fail || asked.is_lost};
        }
        if (hop != HOP_APPLIANCE)
            return (Fate){false, true};
        uint32_t next = MACHINES;
        for (uint32_t m = 0; m < MACHINES; m++)
            if (address_of(m) == route->appliance &&
                (m / SUBNETS == here || plain->peered[here][m / SUBNETS]))
                next = m;
        if (next == MACHINES) // somewhere, but not here
            return (Fate){can_arrive, true};
        if (!plain->subnets[next].forwards)
            return (Fate){false, true};
        asked = ask_group(plain, next, true, source, target, port);
        if (!asked.arrives)
            return (Fate){false, true};
        can_fail = true; // the appliance decides
        asked = ask_group(plain, next, false, source, target, port);
        at = next;
    }
    return (Fate){false, true};
}

static void
journeys_end_where_each_packet_does(void **state)
{
    (void)state;
    uint32_t questions = 0, arrived = 0, unsure = 0;
    for (int round = 0; round < 1500; round++) {
        Plain plain;
        Fixture fixture;
        random_plain(&plain);
        begin(&fixture);
        add_plain(&fixture, &plain);
        network_world_finish(&fixture.world);
        for (uint32_t from = 0; from < MACHINES; from++)
            for (uint32_t to = 0; to < MACHINES; to++) {
                char *name = str_cstr(&fixture.arena, str_format(&fixture.arena, "x%u", to));
                const EndpointList *endpoints =
                    network_endpoints(&fixture.world, id_of(&fixture.arena, VM, name));
                assert_non_null(endpoints);
                Str subnet = str_format(&fixture.arena, ID("virtualNetworks", "v%u") "/subnets/x%u",
                                        from / SUBNETS, from);
                Subnet *start = network_subnet(&fixture.world, subnet);
                assert_non_null(start);
                PacketBox box = packet_box_all();
                box.at[PACKET_SOURCE] = start->prefixes;
                box.at[PACKET_DESTINATION] = endpoints->items[0]->addresses;
                Journey journey;
                journey_start(&journey, &fixture.arena, &box);
                journey_route(&fixture.world, &journey, start, endpoints->items[0]);
                for (uint32_t port = 0; port < 8; port += 3) {
                    Fate fate = send_packet(&plain, from, to, port);
                    Packet packet = {{ADDRESS_IPV4(0, 0, 0, 0) + address_of(from) + 5,
                                      ADDRESS_IPV4(0, 0, 0, 0) + address_of(to), port, 6, 40000}};
                    assert_int_equal(packet_set_contains(&journey.flow.may, &packet), fate.arrives);
                    assert_int_equal(packet_set_contains(&journey.flow.sure, &packet),
                                     fate.arrives && !fate.is_lost);
                    questions++;
                    arrived += fate.arrives && !fate.is_lost;
                    unsure += fate.arrives && fate.is_lost;
                }
            }
        end(&fixture);
    }
    assert_true(questions >= 100000);
    assert_true(arrived > questions / 20 && unsure > questions / 50); // the draw is a fair one
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
        "{'subnets':{},'addressSpace':[],'virtualNetworkPeerings':'x'}",
        "{'subnets':[null,1,'x',{'properties':{'addressPrefix':7}}],'virtualNetworkPeerings':[null,"
        "{'properties':{'peeringState':'Connected'}}]}",
        "{'ipConfigurations':[null,{'properties':{'subnet':7,'privateIPAddress':'10.0.0.0/8'}}]}",
        "{'routes':[null,{'properties':{'addressPrefix':'::/"
        "0','nextHopType':'VirtualAppliance'}}]}",
        "{'loadBalancingRules':[null,{}],'backendAddressPools':[{}],'inboundNatRules':[7]}",
        "{'requestRoutingRules':[{},null],'gatewayIPConfigurations':[null]}",
        "{'networkAcls':7,'ipRules':[null,{}],'privateEndpointConnections':[null,{}]}",
        "{'firewallPolicy':{'id':'x'},'ipConfigurations':[{'properties':{'subnet':{'id':'x'}}}]}",
    };
    static const char *const TYPES[] = {NET "virtualNetworks",
                                        NET "networkInterfaces",
                                        NET "networkSecurityGroups",
                                        NET "routeTables",
                                        NET "loadBalancers",
                                        NET "applicationGateways",
                                        NET "azureFirewalls",
                                        NET "privateEndpoints",
                                        VM,
                                        VAULT,
                                        "Microsoft.Web/sites",
                                        "Microsoft.Sql/servers",
                                        "Microsoft.App/containerApps",
                                        "Microsoft.Compute/virtualMachineScaleSets",
                                        NET "privateDnsZones/virtualNetworkLinks"};
    for (size_t o = 0; o < COUNT_OF(ODD); o++) {
        Fixture fixture;
        begin(&fixture);
        for (size_t t = 0; t < COUNT_OF(TYPES); t++)
            add(&fixture, TYPES[t], "odd/odd", ODD[o]);
        add(&fixture, NET "virtualNetworks", "v",
            NETWORK_JSON("10.0.0.0/16", SUBNET_JSON("a", "10.0.0.0/24", ""), ""));
        network_world_finish(&fixture.world);
        ResultTable *table = exposure_table(&fixture.world, &fixture.arena);
        assert_non_null(table);
        end(&fixture);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_addresses_need_a_group),
        cmocka_unit_test(groups_of_subnet_and_interface_both_decide),
        cmocka_unit_test(tags_of_tenants_let_strangers_in),
        cmocka_unit_test(answers_must_find_their_way_back),
        cmocka_unit_test(what_is_missing_is_unknown),
        cmocka_unit_test(balancers_lead_in),
        cmocka_unit_test(translations_lead_in),
        cmocka_unit_test(gateways_lead_in),
        cmocka_unit_test(peerings_do_not_lead_on),
        cmocka_unit_test(firewalls_lead_on_by_their_rules),
        cmocka_unit_test(policies_of_firewalls_are_read_in_order),
        cmocka_unit_test(appliances_only_may_let_through),
        cmocka_unit_test(routes_to_nowhere_close),
        cmocka_unit_test(peerings_without_access_leave_the_tag),
        cmocka_unit_test(settings_of_services_decide),
        cmocka_unit_test(rules_in_rows_of_their_own_count),
        cmocka_unit_test(service_endpoints_let_subnets_in),
        cmocka_unit_test(private_endpoints_lead_in),
        cmocka_unit_test(private_endpoints_may_obey_groups_and_routes),
        cmocka_unit_test(private_endpoints_must_be_approved_and_known),
        cmocka_unit_test(journeys_end_where_each_packet_does),
        cmocka_unit_test(odd_rows_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
