// The what-if evaluation. Each part of a policy is a function that says whether it matches
// and, when it does not or is not known, why; a policy is their conjunction.

#include "azure/entra/conditional_access.h"

#include "base/array.h"

typedef struct SignIn {
    Arena *arena;
    Dyn facts;
    bool is_user;
} SignIn;

typedef struct Match {
    Tristate value;
    const char *because;
} Match;

static const Match MATCHES = {TRI_TRUE, ""};

const char *
sign_in_result_name(SignInResult result)
{
    static const char *const NAMES[] = {
        [SIGN_IN_GRANT] = "grant",
        [SIGN_IN_GRANT_WITH_CONTROLS] = "grantWithControls",
        [SIGN_IN_BLOCK] = "block",
    };
    return NAMES[result];
}

static Str
fact(const SignIn *s, const char *name)
{
    return dyn_string(dyn_get_ci(s->facts, str_from(name)));
}

static Tristate
fact_flag(const SignIn *s, const char *name)
{
    Dyn node = dyn_get_ci(s->facts, str_from(name));
    if (dyn_kind(node) != DYN_BOOL)
        return TRI_UNKNOWN;
    return dyn_bool(node) ? TRI_TRUE : TRI_FALSE;
}

static bool
list_has(Dyn list, Str wanted)
{
    for (uint32_t i = 0; wanted.len && i < dyn_count(list); i++)
        if (str_equal_ci(dyn_string(dyn_at(list, i)), wanted))
            return true;
    return false;
}

static bool
lists_meet(Dyn list, Dyn wanted)
{
    for (uint32_t i = 0; i < dyn_count(wanted); i++)
        if (list_has(list, dyn_string(dyn_at(wanted, i))))
            return true;
    return false;
}

static Dyn
part(Dyn node, const char *name)
{
    return dyn_get_ci(node, str_from(name));
}

// ---- who ----

// The newer form of the guest condition: kinds separated by commas. All of them are guests
// here; which kind a guest is, only the directory knows.
static Match
guest_match(const SignIn *s, Dyn guests)
{
    if (dyn_kind(guests) != DYN_BAG)
        return (Match){TRI_FALSE, ""};
    Str type = fact(s, "userType");
    if (!type.len)
        return (Match){TRI_FALSE, ""};
    if (!str_equal_ci(type, STR("Guest")))
        return (Match){TRI_FALSE, ""};
    Str kinds = dyn_string(part(guests, "guestOrExternalUserTypes"));
    bool plain = str_find(kinds, STR("internalGuest")) >= 0 &&
                 str_find(kinds, STR("b2bCollaborationGuest")) >= 0;
    Dyn tenants = part(guests, "externalTenants");
    bool all_tenants = dyn_kind(tenants) != DYN_BAG ||
                       str_equal_ci(dyn_string(part(tenants, "membershipKind")), STR("all"));
    return plain && all_tenants ? MATCHES : (Match){TRI_UNKNOWN, "users: kind of guest not known"};
}

static bool
is_guest(const SignIn *s)
{
    return str_equal_ci(fact(s, "userType"), STR("Guest"));
}

static Match
user_match(const SignIn *s, Dyn users)
{
    Str user = fact(s, "userId");
    Dyn groups = part(s->facts, "groupIds"), roles = part(s->facts, "roleTemplateIds");
    if (list_has(part(users, "excludeUsers"), user) ||
        (is_guest(s) && list_has(part(users, "excludeUsers"), STR("GuestsOrExternalUsers"))))
        return (Match){TRI_FALSE, "users: excluded"};
    if (lists_meet(part(users, "excludeGroups"), groups))
        return (Match){TRI_FALSE, "users: excluded by a group"};
    if (lists_meet(part(users, "excludeRoles"), roles))
        return (Match){TRI_FALSE, "users: excluded by a role"};
    Match excluded_guest = guest_match(s, part(users, "excludeGuestsOrExternalUsers"));
    if (excluded_guest.value == TRI_TRUE)
        return (Match){TRI_FALSE, "users: guests are excluded"};

    Dyn include = part(users, "includeUsers");
    Match included = {TRI_FALSE, "users: not included"};
    if (list_has(include, STR("All")) || list_has(include, user) ||
        (is_guest(s) && list_has(include, STR("GuestsOrExternalUsers"))) ||
        lists_meet(part(users, "includeGroups"), groups) ||
        lists_meet(part(users, "includeRoles"), roles))
        included = MATCHES;
    if (included.value == TRI_FALSE) {
        Match guest = guest_match(s, part(users, "includeGuestsOrExternalUsers"));
        if (guest.value != TRI_FALSE)
            included = guest;
    }
    return included.value == TRI_TRUE && excluded_guest.value == TRI_UNKNOWN ? excluded_guest
                                                                             : included;
}

// Service principals are reached only by policies that name client applications, only when
// they belong to this tenant alone, and never through groups; managed identities never.
static Match
workload_match(const SignIn *s, Dyn clients)
{
    if (dyn_kind(clients) != DYN_BAG)
        return (Match){TRI_FALSE, "the policy is for users"};
    if (str_equal_ci(fact(s, "subjectType"), STR("managedIdentity")))
        return (Match){TRI_FALSE, "managed identities are outside Conditional Access"};
    Str id = fact(s, "servicePrincipalId");
    if (list_has(part(clients, "excludeServicePrincipals"), id))
        return (Match){TRI_FALSE, "service principals: excluded"};
    Dyn include = part(clients, "includeServicePrincipals");
    bool filtered = dyn_kind(part(clients, "servicePrincipalFilter")) == DYN_BAG;
    bool named = list_has(include, id) || list_has(include, STR("ServicePrincipalsInMyTenant"));
    if (!named && !filtered)
        return (Match){TRI_FALSE, "service principals: not included"};
    Tristate single = fact_flag(s, "singleTenant");
    if (single == TRI_FALSE)
        return (Match){TRI_FALSE, "applications of several tenants are outside"};
    if (single == TRI_UNKNOWN)
        return (Match){TRI_UNKNOWN, "whether the application is of this tenant alone"};
    return named ? MATCHES : (Match){TRI_UNKNOWN, "service principals: filter not evaluated"};
}

static Match
subject_match(const SignIn *s, Dyn conditions)
{
    Dyn clients = part(conditions, "clientApplications");
    if (!s->is_user)
        return workload_match(s, clients);
    bool for_workloads = dyn_count(part(clients, "includeServicePrincipals")) > 0;
    return for_workloads ? (Match){TRI_FALSE, "the policy is for service principals"}
                         : user_match(s, part(conditions, "users"));
}

// ---- what ----

// Groups of applications that policies name by one word. Source: Microsoft Learn, "Apps
// included in Conditional Access Office 365 app suite", "Microsoft Admin Portals".
static bool
in_suite(Str suite, Str app)
{
    static const struct {
        const char *suite, *app;
    } APPS[] = {
        {"Office365", "00000002-0000-0ff1-ce00-000000000000"},             // Exchange Online
        {"Office365", "00000003-0000-0ff1-ce00-000000000000"},             // SharePoint Online
        {"Office365", "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe"},             // Teams
        {"Office365", "09abbdfd-ed23-44ee-a2d9-a627aa1c90f3"},             // Project
        {"Office365", "00000005-0000-0ff1-ce00-000000000000"},             // Viva Engage
        {"Office365", "4765445b-32c6-49b0-83e6-1d93765276ca"},             // Office home
        {"MicrosoftAdminPortals", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"}, // Azure portal
        {"MicrosoftAdminPortals", "00000006-0000-0ff1-ce00-000000000000"}, // Microsoft 365 admin
        {"MicrosoftAdminPortals", "80ccca67-54bd-44ab-8625-4b79c4dc7775"}, // Defender, Purview
        {"MicrosoftAdminPortals", "497effe9-df71-4043-a8bb-14cf78c4b63b"}, // Exchange admin
    };
    for (size_t i = 0; i < COUNT_OF(APPS); i++)
        if (str_equal_ci(suite, str_from(APPS[i].suite)) &&
            str_equal_ci(app, str_from(APPS[i].app)))
            return true;
    return false;
}

static bool
names_app(Dyn list, Str app)
{
    if (list_has(list, app))
        return true;
    for (uint32_t i = 0; i < dyn_count(list); i++)
        if (in_suite(dyn_string(dyn_at(list, i)), app))
            return true;
    return false;
}

static Match
application_match(const SignIn *s, Dyn applications)
{
    Str action = fact(s, "userAction"), context = fact(s, "authenticationContext");
    if (action.len)
        return list_has(part(applications, "includeUserActions"), action)
                   ? MATCHES
                   : (Match){TRI_FALSE, "applications: another user action"};
    if (context.len)
        return list_has(part(applications, "includeAuthenticationContextClassReferences"), context)
                   ? MATCHES
                   : (Match){TRI_FALSE, "applications: another authentication context"};
    Str app = fact(s, "appId");
    Dyn include = part(applications, "includeApplications");
    if (names_app(part(applications, "excludeApplications"), app))
        return (Match){TRI_FALSE, "applications: excluded"};
    if (list_has(include, STR("All")) || names_app(include, app))
        return MATCHES;
    if (dyn_kind(part(applications, "applicationFilter")) == DYN_BAG)
        return (Match){TRI_UNKNOWN, "applications: filter not evaluated"};
    if (!app.len && dyn_count(include) && !list_has(include, STR("None")))
        return (Match){TRI_UNKNOWN, "applications: not known"};
    return (Match){TRI_FALSE, "applications: not included"};
}

// ---- conditions ----

// A list of allowed words against one fact.
static Match
word_match(const SignIn *s, Dyn list, const char *name, const char *missing, const char *other)
{
    if (!dyn_count(list) || list_has(list, STR("all")))
        return MATCHES;
    Str value = fact(s, name);
    if (!value.len)
        return (Match){TRI_UNKNOWN, missing};
    return list_has(list, value) ? MATCHES : (Match){TRI_FALSE, other};
}

// easSupported is a kind of Exchange ActiveSync client.
static Match
client_match(const SignIn *s, Dyn conditions)
{
    return word_match(s, part(conditions, "clientAppTypes"), "clientAppType",
                      "client app type: not known", "client app type: another");
}

static Match
platform_match(const SignIn *s, Dyn platforms)
{
    if (dyn_kind(platforms) != DYN_BAG)
        return MATCHES;
    Str platform = fact(s, "devicePlatform");
    if (platform.len && list_has(part(platforms, "excludePlatforms"), platform))
        return (Match){TRI_FALSE, "platform: excluded"};
    Match included = word_match(s, part(platforms, "includePlatforms"), "devicePlatform",
                                "platform: not known", "platform: another");
    bool may_be_excluded = !platform.len && dyn_count(part(platforms, "excludePlatforms"));
    return included.value == TRI_TRUE && may_be_excluded
               ? (Match){TRI_UNKNOWN, "platform: not known"}
               : included;
}

// Whether the place of the sign-in is in the list of locations.
static Tristate
in_locations(const SignIn *s, Dyn list)
{
    if (list_has(list, STR("All")))
        return TRI_TRUE;
    Tristate trusted = list_has(list, STR("AllTrusted")) ? fact_flag(s, "ipTrusted") : TRI_FALSE;
    Dyn places = part(s->facts, "namedLocationIds");
    if (trusted == TRI_TRUE || lists_meet(list, places))
        return TRI_TRUE;
    bool names_places = dyn_count(list) > (list_has(list, STR("AllTrusted")) ? 1u : 0u);
    if (names_places && dyn_kind(places) != DYN_ARRAY)
        return TRI_UNKNOWN;
    return trusted;
}

static Match
location_match(const SignIn *s, Dyn locations)
{
    if (dyn_kind(locations) != DYN_BAG)
        return MATCHES;
    Tristate excluded = in_locations(s, part(locations, "excludeLocations"));
    Tristate included = in_locations(s, part(locations, "includeLocations"));
    if (excluded == TRI_TRUE)
        return (Match){TRI_FALSE, "locations: excluded"};
    if (included == TRI_FALSE)
        return (Match){TRI_FALSE, "locations: not included"};
    return excluded == TRI_UNKNOWN || included == TRI_UNKNOWN
               ? (Match){TRI_UNKNOWN, "locations: not known"}
               : MATCHES;
}

// A filter on devices is a rule of its own language over attributes that a sign-in seldom
// has: without a device it does not match in include mode and matches in exclude mode.
static Match
device_match(Dyn devices)
{
    return dyn_kind(part(devices, "deviceFilter")) == DYN_BAG
               ? (Match){TRI_UNKNOWN, "device filter: not evaluated"}
               : MATCHES;
}

// transferMethods is one text of words separated by commas, or a list.
static Match
flow_match(const SignIn *s, Dyn flows)
{
    Dyn methods = part(flows, "transferMethods");
    Str method = fact(s, "transferMethod");
    if (dyn_kind(methods) == DYN_NULL ||
        (dyn_kind(methods) == DYN_STRING && str_equal_ci(dyn_string(methods), STR("none"))))
        return MATCHES;
    if (!method.len) // an ordinary sign-in uses none of them
        return (Match){TRI_FALSE, "authentication flow: another"};
    bool found = dyn_kind(methods) == DYN_STRING ? str_find(dyn_string(methods), method) >= 0
                                                 : list_has(methods, method);
    return found ? MATCHES : (Match){TRI_FALSE, "authentication flow: another"};
}

// The conjunction: the first part that does not match decides; else the first not known.
static Match
policy_match(const SignIn *s, Dyn conditions)
{
    const Match parts[] = {
        subject_match(s, conditions),
        application_match(s, part(conditions, "applications")),
        s->is_user ? client_match(s, conditions) : MATCHES,
        platform_match(s, part(conditions, "platforms")),
        location_match(s, part(conditions, "locations")),
        word_match(s, part(conditions, "signInRiskLevels"), "signInRiskLevel",
                   "sign-in risk: not known", "sign-in risk: another level"),
        word_match(s, part(conditions, "userRiskLevels"), "userRiskLevel", "user risk: not known",
                   "user risk: another level"),
        word_match(s, part(conditions, "servicePrincipalRiskLevels"), "servicePrincipalRiskLevel",
                   "service principal risk: not known", "service principal risk: another level"),
        word_match(s, part(conditions, "insiderRiskLevels"), "insiderRiskLevel",
                   "insider risk: not known", "insider risk: another level"),
        device_match(part(conditions, "devices")),
        flow_match(s, part(conditions, "authenticationFlows")),
    };
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (parts[i].value == TRI_FALSE)
            return parts[i];
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (parts[i].value == TRI_UNKNOWN)
            return parts[i];
    return (Match){TRI_TRUE, "every part matches"};
}

// ---- controls ----

typedef struct ControlList {
    Str *items;
    size_t len, cap;
} ControlList;

static void
add_control(Arena *arena, ControlList *list, Str control)
{
    for (size_t i = 0; i < list->len; i++)
        if (str_equal_ci(list->items[i], control))
            return;
    ARRAY_PUSH(arena, list, control);
}

static bool
control_met(const SignIn *s, Str control)
{
    return (str_equal_ci(control, STR("compliantDevice")) &&
            fact_flag(s, "deviceCompliant") == TRI_TRUE) ||
           (str_equal_ci(control, STR("domainJoinedDevice")) &&
            fact_flag(s, "deviceHybridJoined") == TRI_TRUE);
}

// The controls of a policy that are not met yet; an authentication strength counts as
// multifactor authentication. None left = satisfied.
static ControlList
open_controls(const SignIn *s, Dyn grant)
{
    ControlList all = {0}, open = {0};
    Dyn built_in = part(grant, "builtInControls");
    for (uint32_t i = 0; i < dyn_count(built_in); i++)
        add_control(s->arena, &all, dyn_string(dyn_at(built_in, i)));
    if (dyn_kind(part(grant, "authenticationStrength")) == DYN_BAG)
        add_control(s->arena, &all, STR("mfa"));
    if (dyn_count(part(grant, "termsOfUse")))
        add_control(s->arena, &all, STR("termsOfUse"));
    bool any = !str_equal_ci(dyn_string(part(grant, "operator")), STR("AND"));
    for (size_t i = 0; i < all.len; i++) {
        bool met = control_met(s, all.items[i]);
        if (met && any)
            return (ControlList){0};
        if (!met)
            add_control(s->arena, &open, all.items[i]);
    }
    return open;
}

static SignInResult
policy_result(const PolicyOutcome *outcome)
{
    if (outcome->blocks)
        return SIGN_IN_BLOCK;
    return outcome->satisfied ? SIGN_IN_GRANT : SIGN_IN_GRANT_WITH_CONTROLS;
}

SignInAnswer
conditional_access_evaluate(Arena *arena, Dyn policies, Dyn sign_in)
{
    SignIn s = {arena, sign_in, false};
    Str subject = fact(&s, "subjectType");
    s.is_user = !subject.len || str_equal_ci(subject, STR("user"));
    SignInAnswer answer = {.policies = ARENA_ARRAY(arena, PolicyOutcome, dyn_count(policies))};
    ControlList controls = {0};
    for (uint32_t i = 0; i < dyn_count(policies); i++) {
        Dyn policy = dyn_at(policies, i);
        Str state = dyn_string(part(policy, "state"));
        if (str_equal_ci(state, STR("disabled")))
            continue;
        Dyn grant = part(policy, "grantControls");
        Match match = policy_match(&s, part(policy, "conditions"));
        ControlList open = open_controls(&s, grant);
        PolicyOutcome *outcome = &answer.policies[answer.policy_count++];
        *outcome = (PolicyOutcome){
            .id = dyn_string(part(policy, "id")),
            .name = dyn_string(part(policy, "displayName")),
            .enforced = str_equal_ci(state, STR("enabled")),
            .applies = match.value,
            .because = str_from(match.because),
            .blocks = list_has(part(grant, "builtInControls"), STR("block")),
            .satisfied = !open.len,
            .controls = open.items,
            .control_count = (uint32_t)open.len,
            .needs_all = str_equal_ci(dyn_string(part(grant, "operator")), STR("AND")),
        };
        if (!outcome->enforced || match.value == TRI_FALSE)
            continue;
        SignInResult result = policy_result(outcome);
        if (result > answer.worst)
            answer.worst = result;
        if (match.value == TRI_UNKNOWN)
            continue;
        if (result > answer.result)
            answer.result = result;
        for (size_t j = 0; !outcome->blocks && j < open.len; j++)
            add_control(arena, &controls, open.items[j]);
    }
    if (answer.result != SIGN_IN_BLOCK) {
        answer.controls = controls.items;
        answer.control_count = (uint32_t)controls.len;
    }
    return answer;
}
