#include "collect/redact_words.h"

#include "base/array.h"

static bool
is_one_of(Str word, const Str *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal_ci(word, words[i]))
            return true;
    return false;
}
#define IS_ONE_OF(word, list) is_one_of(word, list, COUNT_OF(list))

// What is said of people, whatever the table.
static const Str PERSONAL[] = {STR_INIT("givenName"),
                               STR_INIT("surname"),
                               STR_INIT("mailNickname"),
                               STR_INIT("jobTitle"),
                               STR_INIT("department"),
                               STR_INIT("companyName"),
                               STR_INIT("officeLocation"),
                               STR_INIT("mobilePhone"),
                               STR_INIT("businessPhones"),
                               STR_INIT("streetAddress"),
                               STR_INIT("city"),
                               STR_INIT("postalCode"),
                               STR_INIT("employeeId"),
                               STR_INIT("notes"),
                               STR_INIT("onPremisesDistinguishedName"),
                               STR_INIT("onPremisesSamAccountName"),
                               STR_INIT("onPremisesDomainName"),
                               STR_INIT("principalDisplayName"),
                               STR_INIT("userDisplayName"),
                               STR_INIT("appDisplayName"),
                               STR_INIT("resourceDisplayName"),
                               STR_INIT("publisherName"),
                               STR_INIT("justification"),
                               STR_INIT("comment")};
// Names that people give, where the table is not of definitions that Microsoft publishes.
static const Str LABELS[] = {STR_INIT("displayName"), STR_INIT("description"),
                             STR_INIT("friendlyName"), STR_INIT("appDescription")};
static const Str PUBLISHED[] = {STR_INIT("policyresources"), STR_INIT("authorizationresources"),
                                STR_INIT("securityresources"), STR_INIT("directoryRoleDefinitions"),
                                STR_INIT("CollectionStatus")};
// Members whose values are words of Azure.
static const Str OF_AZURE[] = {STR_INIT("type"),         STR_INIT("kind"),
                               STR_INIT("location"),     STR_INIT("tier"),
                               STR_INIT("family"),       STR_INIT("format"),
                               STR_INIT("version"),      STR_INIT("publisher"),
                               STR_INIT("category"),     STR_INIT("provisioningState"),
                               STR_INIT("state"),        STR_INIT("Dataset"),
                               STR_INIT("Status"),       STR_INIT("effect"),
                               STR_INIT("defaultAction")};
static const Str OF_AZURE_PARENTS[] = {STR_INIT("sku"), STR_INIT("model"), STR_INIT("plan"),
                                       STR_INIT("capabilities")};
// Names that Azure gives to resources.
static const Str FIXED[] = {STR_INIT("default"),
                            STR_INIT("current"),
                            STR_INIT("web"),
                            STR_INIT("logs"),
                            STR_INIT("appsettings"),
                            STR_INIT("authsettings"),
                            STR_INIT("authsettingsV2"),
                            STR_INIT("connectionstrings"),
                            STR_INIT("metadata"),
                            STR_INIT("slotConfigNames"),
                            STR_INIT("pushsettings"),
                            STR_INIT("backup"),
                            STR_INIT("policy"),
                            STR_INIT("master"),
                            STR_INIT("azure.extensions"),
                            STR_INIT("Microsoft.Default"),
                            STR_INIT("Microsoft.DefaultV2"),
                            STR_INIT("azuresql"),
                            STR_INIT("NetworkWatcherRG"),
                            STR_INIT("GatewaySubnet"),
                            STR_INIT("AzureFirewallSubnet"),
                            STR_INIT("AzureBastionSubnet"),
                            STR_INIT("workspaceblobstore"),
                            STR_INIT("workspacefilestore"),
                            STR_INIT("latest"),
                            STR_INIT("production"),
                            STR_INIT("root"),
                            STR_INIT("AllowAllWindowsAzureIps"),
                            STR_INIT("AllowAllAzureIps"),
                            STR_INIT("primary")};
// Providers under which names are Microsoft's as a rule.
static const Str PROVIDERS_KEPT[] = {
    STR_INIT("Microsoft.Authorization"), STR_INIT("Microsoft.Security"),
    STR_INIT("Microsoft.PolicyInsights"), STR_INIT("Microsoft.Advisor"),
    STR_INIT("Microsoft.ResourceHealth")};

bool
redact_is_label(Str table, Str key, Str parent)
{
    static const Str TAGS[] = {STR_INIT("owner"),   STR_INIT("contact"),   STR_INIT("createdBy"),
                               STR_INIT("manager"), STR_INIT("team"),      STR_INIT("costCenter"),
                               STR_INIT("project"), STR_INIT("department")};
    return IS_ONE_OF(key, PERSONAL) || (IS_ONE_OF(key, LABELS) && !IS_ONE_OF(table, PUBLISHED)) ||
           (str_equal_ci(parent, STR("tags")) && IS_ONE_OF(key, TAGS));
}

bool
redact_is_azure_word(Str key, Str parent)
{
    return IS_ONE_OF(key, OF_AZURE) ||
           (str_equal_ci(key, STR("name")) && IS_ONE_OF(parent, OF_AZURE_PARENTS));
}

bool
redact_is_fixed(Str name)
{
    return IS_ONE_OF(name, FIXED);
}

bool
redact_keeps_provider(Str provider)
{
    return IS_ONE_OF(provider, PROVIDERS_KEPT);
}
