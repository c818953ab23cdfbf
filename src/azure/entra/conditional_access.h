// Conditional Access: the what-if evaluation of policies for one sign-in.
//
// A policy applies when its user part (or, for service principals, its client
// applications) and its application part and every condition it configures match;
// exclusions beat inclusions. All applying policies must be met, and one that blocks wins.
// Report-only policies are evaluated and shown, not enforced.
//
// The sign-in is a bag of facts, all optional:
//   subjectType        "user" (default), "servicePrincipal", "managedIdentity"
//   userId, userType ("Member", "Guest"), groupIds, roleTemplateIds
//   servicePrincipalId, singleTenant, servicePrincipalRiskLevel
//   appId, userAction, authenticationContext
//   clientAppType      "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other"
//   devicePlatform, deviceCompliant, deviceHybridJoined, transferMethod, insiderRiskLevel
//   ipTrusted, namedLocationIds, signInRiskLevel, userRiskLevel
// A condition on a fact that is absent is unknown; the policy then *may* apply.
// groupIds are transitive.
// Source: Microsoft Learn, "Conditional Access: policies", "Conditional Access for
// workload identities", "The Conditional Access What If policy tool".
#pragma once

#include "azure/rbac/condition.h"

typedef enum SignInResult {
    SIGN_IN_GRANT,
    SIGN_IN_GRANT_WITH_CONTROLS,
    SIGN_IN_BLOCK,
} SignInResult;
const char *sign_in_result_name(SignInResult result);

typedef struct PolicyOutcome {
    Str id, name;
    bool enforced; // state is "enabled"; report-only ones are evaluated too
    Tristate applies;
    Str because;    // the part that decided: "users: excluded by group", "locations: not known"
    bool blocks;    // its control is block
    bool satisfied; // the facts already meet its controls
    Str *controls;  // those not met yet
    uint32_t control_count;
    bool needs_all; // of them; otherwise one is enough
} PolicyOutcome;

typedef struct SignInAnswer {
    SignInResult result;
    // With what is not known: the result if every policy that may apply did.
    SignInResult worst;
    Str *controls; // still to be met, each once
    uint32_t control_count;
    PolicyOutcome *policies; // those disabled left out
    uint32_t policy_count;
} SignInAnswer;

// `policies` is an array of Graph's conditionalAccessPolicy objects.
SignInAnswer conditional_access_evaluate(Arena *arena, Dyn policies, Dyn sign_in);
