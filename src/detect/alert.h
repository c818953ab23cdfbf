// Alerts: what a rule's result becomes at one of its runs.
//
// Sources: learn.microsoft.com/azure/sentinel: create-analytics-rules (event grouping: one alert
// a run, or one a result up to 150), customize-alert-details, surface-custom-details-in-alerts,
// security-alert-schema.
#pragma once

#include "detect/entity.h"

enum {
    ALERTS_OF_RUN = 150,    // of a scheduled rule with an alert a result
    ALERTS_OF_NRT_RUN = 30, // of a near-real-time rule
    DETAIL_VALUES = 50,     // of one custom detail
    ALERT_NAME_MAX = 256,   // characters
    ALERT_TEXT_MAX = 5000,
};

typedef struct Alert {
    const AnalyticsRule *rule;
    int64_t run;   // the rule's run that raised it, ticks: TimeGenerated
    uint32_t part; // of the run: 0, or the number of its result
    Str id;        // SystemAlertId: the same whenever the rule is run for that time again
    Str name, description;
    AlertSeverity severity;
    Str *tactics; // of the rule, or of the column that overrides them
    size_t tactic_count;
    int64_t start, end; // of the events
    uint64_t results;   // rows that the query yielded
    EntityList entities;
    RulePair *details; // custom details: key, values as a JSON array
    size_t detail_count;
    RulePair *properties; // dynamic properties: "AlertLink", value
    size_t property_count;
} Alert;

typedef struct AlertList {
    Alert *items;
    size_t len, cap;
} AlertList;

// Whether so many results raise an alert.
bool rule_triggers(const AnalyticsRule *rule, uint64_t results);

// Adds what the result of the run at `run` raises; nothing when the threshold is not met. All
// is copied to the arena.
void alerts_from_result(Arena *arena, const AnalyticsRule *rule, int64_t run,
                        const ResultTable *table, AlertList *out);

// A GUID made of the text (version 8): the same text gives the same.
Str text_guid(Arena *arena, Str text);

// Tactics or techniques as people read them: "Collection, Exfiltration".
Str alert_words(Arena *arena, const Str *items, size_t count);
