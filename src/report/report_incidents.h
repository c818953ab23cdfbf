// The incidents of the store (SecurityIncident, SecurityAlert), as the page and the JSON report
// show them. docs/detection.md says which columns they come from.
#pragma once

#include "base/array.h"
#include "base/map.h"
#include "db/db.h"
#include "detect/rule.h"

enum {
    REPORT_INCIDENTS = 100,     // shown, the newest; the others are counted
    INCIDENT_ALERTS_MOST = 150, // of one incident; the service keeps no more
    INCIDENT_ENTITIES_MOST = 50,
    INCIDENT_SEVERITIES = ALERT_HIGH + 1,
};

typedef struct IncidentAlert {
    Str id, name;
    AlertSeverity severity;
    int64_t start, end; // of the events, ticks
} IncidentAlert;

typedef struct IncidentEntity {
    Str type; // as SecurityAlert.Entities names it: "account", "ip"
    Str name; // never empty
} IncidentEntity;

typedef struct ReportIncident {
    Str name; // IncidentName
    int64_t number;
    Str title, status; // as found: made by whoever wrote the rule or the log
    AlertSeverity severity;
    int64_t created, modified, first, last; // ticks
    Str *tactics;
    size_t tactic_count;
    int64_t alert_count; // all that the incident names; `alerts` are those in the store
    struct {
        IncidentAlert *items;
        size_t len, cap;
    } alerts; // in the order of their start
    struct {
        IncidentEntity *items;
        size_t len, cap;
    } entities; // distinct ones, in the order of the alerts
    size_t entities_left;
    Map seen; // entities
} ReportIncident;

typedef struct ReportIncidents {
    ReportIncident *items; // the last activity first
    size_t len;
    int64_t total, open; // open: not closed
    int64_t by_severity[INCIDENT_SEVERITIES];
    Str error; // why they could not be read; empty when they were
} ReportIncidents;

// In `arena`. `db` may be NULL. Each incident in its newest state. Never fails: what cannot be
// read leaves `error`.
void report_incidents_read(Database *db, Arena *arena, ReportIncidents *out);

// Whether there is anything to say of incidents; `incidents` may be NULL.
bool report_incidents_any(const ReportIncidents *incidents);

// The class of the page's style for the severity, and its shape: "high", "▲".
const char *incident_severity_class(AlertSeverity severity);
const char *incident_severity_shape(AlertSeverity severity);

// The timeline as an <svg> element: a lane an incident, its alerts as marks
// (incident_picture.c). `incidents` has at least one.
void incident_picture_svg(Buffer *out, Arena *arena, const ReportIncidents *incidents);
