// Compliance states and how they add up.
// Source: Microsoft Learn, "Azure Policy compliance states".

#include "azure/policy/policy.h"

static const char *const NAMES[STATE_LIMIT] = {
    [STATE_NON_COMPLIANT] = "NonCompliant",
    [STATE_COMPLIANT] = "Compliant",
    [STATE_ERROR] = "Error",
    [STATE_CONFLICTING] = "Conflicting",
    [STATE_PROTECTED] = "Protected",
    [STATE_EXEMPT] = "Exempt",
    [STATE_UNKNOWN] = "Unknown",
    [STATE_NOT_APPLICABLE] = "NotApplicable",
    [STATE_NOT_EVALUATED] = "NotEvaluated",
};

const char *
compliance_state_name(ComplianceState state)
{
    return state < STATE_LIMIT ? NAMES[state] : "";
}

ComplianceState
compliance_state_of(Str name)
{
    if (str_equal_ci(name, STR("Non-compliant"))) // as manual effects write it
        return STATE_NON_COMPLIANT;
    for (int state = 0; state < STATE_LIMIT; state++)
        if (str_equal_ci(name, str_from(NAMES[state])))
            return (ComplianceState)state;
    return STATE_LIMIT;
}

ComplianceState
compliance_roll_up(const uint64_t counts[STATE_LIMIT])
{
    for (int state = 0; state < STATE_NOT_APPLICABLE; state++)
        if (counts[state])
            return (ComplianceState)state;
    return STATE_NOT_APPLICABLE;
}

double
compliance_percentage(const uint64_t counts[STATE_LIMIT])
{
    uint64_t good = counts[STATE_COMPLIANT] + counts[STATE_EXEMPT] + counts[STATE_UNKNOWN];
    uint64_t all =
        good + counts[STATE_NON_COMPLIANT] + counts[STATE_CONFLICTING] + counts[STATE_ERROR];
    return all ? 100.0 * (double)good / (double)all : 100.0;
}
