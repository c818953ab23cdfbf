// Risk of a finding and scores of areas (see risk.c for the rules).
#pragma once

#include "assess/assess.h"

// `asset` is the AI asset the finding is about, NULL when it is about something else.
float finding_risk(Severity severity, FindingStatus status, const Asset *asset);

// Fills assessment->areas (controls are sorted by area) and assessment->score.
void area_scores(Assessment *assessment);
