// Web and function apps, and AI accounts.
//
// An app joined to a subnet sends private addresses there; all others only when its traffic is
// routed: vnetRouteAllEnabled, or outboundVnetRouting in newer versions. What is routed obeys
// the groups and routes of the subnet, and leaves by its NAT gateway or the addresses of the
// app. An app of an App Service environment stands in its subnet. An AI account calls out
// itself (restrictOutboundNetworkAccess with allowedFqdnList binds it), and its agents run in
// Microsoft's network, in a managed network, or in a subnet (networkInjections). Sources:
// Microsoft Learn, "Integrate your app with an Azure virtual network", "App Service
// Environment networking", "Configure data loss prevention for Azure AI services", "Set up
// private networking for Foundry Agent Service", "Configure managed virtual network for
// Microsoft Foundry".

#include "azure/network/outbound_internal.h"

#include "azure/arm.h"
#include "base/array.h"

// ---- web apps ----

typedef enum Told { TOLD_NOT, TOLD_NO, TOLD_YES } Told;

static Told
told(Dyn properties, const char *path)
{
    Dyn found = arm_path(properties, str_from(path));
    return dyn_kind(found) != DYN_BOOL ? TOLD_NOT : dyn_bool(found) ? TOLD_YES : TOLD_NO;
}

static Told
routes_all(const NetworkWorld *world, const NetResource *site)
{
    static const char *const PLACES[] = {"vnetRouteAllEnabled", "siteConfig.vnetRouteAllEnabled",
                                         "outboundVnetRouting.allTraffic",
                                         "outboundVnetRouting.applicationTraffic"};
    Told most = TOLD_NOT;
    for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
        Told one = told(site->properties, PLACES[i]);
        most = one > most ? one : most;
    }
    NetResourceList configs = network_children(world, site->id, STR("microsoft.web/sites/config"));
    for (size_t i = 0; i < configs.len; i++) {
        Told one = told(configs.items[i]->properties, "vnetRouteAllEnabled");
        most = one > most ? one : most;
    }
    return most;
}

static void
from_subnet(Outbounder *outbounder, Str subnet_id, Str exit_words)
{
    Subnet *subnet;
    if (!outbound_subnet(outbounder, subnet_id, &subnet))
        return;
    OutboundExit exit = outbound_exit_of_platform(outbounder->world, outbounder->arena, subnet,
                                                  outbounder->compute->id, exit_words);
    OutboundStart start = {.subnet = subnet,
                           .addresses = subnet->prefixes,
                           .exit = &exit,
                           .name = outbounder->compute->name};
    outbound_from(outbounder, &start);
}

void
outbound_site(Outbounder *outbounder)
{
    const NetResource *site = outbounder->compute;
    NetworkWorld *world = outbounder->world;
    Str subnet_id = arm_text(site->properties, "virtualNetworkSubnetId");
    Str plan = arm_path_text(site->properties, "hostingEnvironmentProfile.id");
    Told all = routes_all(world, site);
    if (plan.len) {
        const NetResource *environment = network_resource(world, plan);
        Str id =
            environment ? arm_path_text(environment->properties, "virtualNetwork.id") : (Str){0};
        if (id.len)
            from_subnet(outbounder, id, STR("public address of the App Service environment"));
        else
            outbound_setting(outbounder, DESTINATION_INTERNET, STR("any address"), REACH_UNKNOWN,
                             STR(""), STR("its App Service environment is not in the data"));
    } else if (!subnet_id.len) {
        outbound_setting(outbounder, DESTINATION_INTERNET, STR("any address"), REACH_OPEN,
                         STR("any"), STR("it is joined to no subnet"));
    } else if (all == TOLD_YES) {
        from_subnet(outbounder, subnet_id, STR("outbound addresses of the app"));
    } else {
        outbound_setting(
            outbounder, DESTINATION_INTERNET, STR("any address"),
            all == TOLD_NO ? REACH_OPEN : REACH_UNKNOWN, all == TOLD_NO ? STR("any") : STR(""),
            all == TOLD_NO ? STR("it sends only private addresses through its subnet "
                                 "(vnetRouteAllEnabled is false)")
                           : STR("vnetRouteAllEnabled and outboundVnetRouting are not in the "
                                 "data"));
    }
}

// ---- AI accounts ----

static void
account_itself(Outbounder *outbounder)
{
    Dyn properties = outbounder->compute->properties;
    if (!arm_path_is_true(properties, "restrictOutboundNetworkAccess")) {
        outbound_setting(outbounder, DESTINATION_INTERNET, STR("any address"), REACH_OPEN,
                         STR("tcp 443"), STR("restrictOutboundNetworkAccess is not set"));
        return;
    }
    Buffer names = {0};
    Dyn list = arm_path(properties, STR("allowedFqdnList"));
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++)
        buffer_printf(&names, "%s%.*s", names.len ? ", " : "",
                      STR_ARG(dyn_string(dyn_at(list, i))));
    if (names.len)
        outbound_setting(outbounder, DESTINATION_NAMES,
                         str_copy(outbounder->arena, buffer_slice(&names)), REACH_OPEN,
                         STR("tcp 443"), STR("restrictOutboundNetworkAccess, allowedFqdnList"));
    else
        outbound_setting(outbounder, DESTINATION_INTERNET, STR("any address"), REACH_CLOSED,
                         STR(""),
                         STR("restrictOutboundNetworkAccess, and allowedFqdnList is empty"));
    buffer_free(&names);
}

static void
managed_agents(Outbounder *outbounder)
{
    NetworkWorld *world = outbounder->world;
    NetResourceList networks =
        network_children(world, outbounder->compute->id,
                         STR("microsoft.cognitiveservices/accounts/managednetworks"));
    if (!networks.len)
        outbound_setting(outbounder, DESTINATION_INTERNET, STR("any address"), REACH_UNKNOWN,
                         STR(""), STR("the managed network of its agents is not in the data"));
    for (size_t i = 0; i < networks.len; i++) {
        static const char RULES[] =
            "microsoft.cognitiveservices/accounts/managednetworks/outboundrules";
        Dyn inner = arm_path(networks.items[i]->properties, STR("managedNetwork"));
        outbound_managed(outbounder,
                         dyn_kind(inner) == DYN_BAG ? inner : networks.items[i]->properties,
                         network_children(world, networks.items[i]->id, str_from(RULES)),
                         network_was_collected(world, STR("ai-outbound-rules"), str_from(RULES)));
    }
}

void
outbound_account(Outbounder *outbounder)
{
    Dyn properties = outbounder->compute->properties;
    Dyn injections = arm_path(properties, STR("networkInjections"));
    uint32_t count = dyn_kind(injections) == DYN_ARRAY ? dyn_count(injections) : 0;
    account_itself(outbounder);
    for (uint32_t i = 0; i < count; i++) {
        Dyn injection = dyn_at(injections, i);
        Str subnet_id = arm_text(injection, "subnetArmId");
        if (arm_path_is_true(injection, "useMicrosoftManagedNetwork"))
            managed_agents(outbounder);
        else if (subnet_id.len)
            from_subnet(outbounder, subnet_id, STR("public address of the agents' environment"));
    }
    if (!count && arm_path_is_true(properties, "allowProjectManagement") &&
        arm_path_is_true(properties, "restrictOutboundNetworkAccess"))
        outbound_setting(outbounder, DESTINATION_INTERNET, STR("any address"), REACH_UNKNOWN,
                         STR(""),
                         STR("its agents run in Microsoft's network, and whether allowedFqdnList "
                             "binds them is not documented"));
}
