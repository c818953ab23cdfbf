// Whether a deployment passes the policies that are assigned where it goes.
#pragma once

#include "azure/policy/policy_world.h"
#include "azure/template/template.h"

typedef enum CheckOutcome {
    CHECK_DENIED,
    CHECK_UNKNOWN, // or an error in the policy: neither yes nor no
    CHECK_CHANGED,
    CHECK_FLAGGED,
    CHECK_DEPLOYED_TO, // deployIfNotExists adds something behind it
    CHECK_LIMIT,
} CheckOutcome;
const char *check_outcome_name(CheckOutcome outcome);

typedef struct CheckFinding {
    CheckOutcome outcome;
    uint32_t resource, unit; // resource UINT32_MAX: the policy as a whole
    PolicyEffect effect;
    bool enforced;
    Str detail;
} CheckFinding;

typedef struct CheckResult {
    PolicyWorld *world;
    const PlannedSet *set;
    CheckFinding *findings;
    uint32_t count, cap;
    uint32_t totals[CHECK_LIMIT]; // resources, each counted once by its first outcome
} CheckResult;

// Evaluates as Azure does on a request: append and modify first, then the rest on what they made.
// The world must be prepared.
void policy_check(PolicyWorld *world, const PlannedSet *set, int64_t at, CheckResult *out);

ResultTable *policy_check_table(const CheckResult *result);
void policy_check_text(const CheckResult *result, Buffer *out);
