// Incidents: alerts that belong together, by the grouping of their rule
// (learn.microsoft.com/azure/sentinel: create-analytics-rules, alert grouping).
#pragma once

#include "detect/alert.h"

enum { ALERTS_OF_INCIDENT = 150 }; // the service opens a new one then

typedef struct Incident {
    Str name; // GUID, made of the first alert
    int32_t number;
    Str key; // alerts with this key belong to it while it takes more
    Str rule_id;
    Str title, description, status; // "New", "Active", "Closed"
    AlertSeverity severity;
    int64_t created, modified, closed, first_activity, last_activity; // ticks; closed 0: open
    Str *alerts;                                                      // SystemAlertIds
    size_t alert_count, alert_cap;
    Str *tactics;
    size_t tactic_count, tactic_cap;
    Str *techniques;
    size_t technique_count, technique_cap;
    bool changed; // since it was read or written
    bool touched; // an alert was added since it was read
} Incident;

typedef struct IncidentList {
    Incident *items;
    size_t len, cap;
    Map newest; // key -> number of the newest incident
    int32_t last_number;
} IncidentList;

void incidents_init(IncidentList *list, Arena *arena);

// An incident as it was kept, the next by creation.
void incidents_take(IncidentList *list, const Incident *incident);

// Puts the alert, the next by time, into an incident or opens one; nothing when its rule makes
// no incidents. What is kept is copied.
void incidents_add(IncidentList *list, const Alert *alert);
