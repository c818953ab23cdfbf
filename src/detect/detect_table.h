// A detection as tables that commands print.
#pragma once

#include "detect/detect.h"

// One row an alert: Time, Severity, Alert, Rule, Entities, Tactics, Techniques, Results, AlertId.
ResultTable *detection_alerts_table(Arena *arena, const Detection *detection);

// One row a rule that raised alerts: Severity, Rule, Runs, Alerts, Incidents, First, Last.
ResultTable *detection_rules_table(Arena *arena, const Detection *detection);
