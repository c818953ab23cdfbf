// Risk and scores: the order in which things should be fixed.
//
// risk = severity x exposure x reach, 0 to 100. Severity is the control's weight.
// Exposure asks whether the asset can be reached from the Internet, reach what it
// stands for: production counts in full, a sandbox less. What is not known counts as
// the worse, so that missing data never makes a finding look small. (Reach by the
// number of identities that may call comes with the access engine.)

#include "assess/risk.h"

double
severity_weight(Severity severity)
{
    static const double WEIGHTS[] = {
        [SEVERITY_INFO] = 2,  [SEVERITY_LOW] = 8,        [SEVERITY_MEDIUM] = 25,
        [SEVERITY_HIGH] = 60, [SEVERITY_CRITICAL] = 100,
    };
    return WEIGHTS[severity];
}

static double
exposure_factor(const Asset *asset)
{
    if (!asset)
        return 0.8;
    if (str_equal_ci(asset->public_network, STR("Disabled")))
        return 0.6;
    if (str_equal_ci(asset->network_default, STR("Deny")))
        return 0.75;
    return 1.0;
}

static double
reach_factor(const Asset *asset)
{
    if (!asset)
        return 0.9;
    if (str_equal_ci(asset->environment, STR("sandbox")))
        return 0.6;
    if (str_equal_ci(asset->environment, STR("nonprod")))
        return 0.75;
    return 1.0;
}

float
finding_risk(Severity severity, FindingStatus status, const Asset *asset)
{
    double risk = severity_weight(severity) * exposure_factor(asset) * reach_factor(asset);
    // What could not be judged is worth a look after what is known to be wrong.
    return (float)(status == FINDING_UNKNOWN ? risk * 0.3 : risk);
}

void
area_scores(Assessment *assessment)
{
    const ControlSet *controls = assessment->controls;
    assessment->areas = ARENA_ARRAY(assessment->arena, AreaScore, controls->len);
    double all_good = 0, all_total = 0, good = 0, total = 0;
    for (size_t i = 0; i < controls->len; i++) {
        const Control *control = &controls->items[i];
        const ControlResult *result = &assessment->results[i];
        bool new_area = i == 0 || !str_equal(control->area, controls->items[i - 1].area);
        if (new_area) {
            assessment->areas[assessment->area_count++] = (AreaScore){.area = control->area};
            good = total = 0;
        }
        AreaScore *area = &assessment->areas[assessment->area_count - 1];
        area->pass += result->pass;
        area->fail += result->fail;
        area->unknown += result->unknown;
        // Each control counts once, by the share of its resources that pass: a control
        // on many resources must not drown the others.
        uint64_t judged = result->pass + result->fail;
        if (judged) {
            double weight = severity_weight(control->severity);
            double share = weight * (double)result->pass / (double)judged;
            good += share;
            total += weight;
            all_good += share;
            all_total += weight;
        }
        area->score = total > 0 ? 100 * good / total : -1;
    }
    assessment->score = all_total > 0 ? 100 * all_good / all_total : -1;
}
