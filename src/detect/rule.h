// Analytics rules: what is watched, in Microsoft Sentinel's own form, YAML as the public rule
// repositories have it or JSON as the service exports it (ARM templates).
//
// Sources: learn.microsoft.com/azure/sentinel: create-analytics-rules, near-real-time-rules,
// customize-alert-details, surface-custom-details-in-alerts, map-data-fields-to-entities;
// learn.microsoft.com/azure/templates/microsoft.securityinsights/alertrules.
#pragma once

#include "base/buffer.h"
#include "base/error.h"

typedef enum RuleKind { RULE_SCHEDULED, RULE_NRT } RuleKind;
typedef enum AlertSeverity {
    ALERT_INFORMATIONAL,
    ALERT_LOW,
    ALERT_MEDIUM,
    ALERT_HIGH
} AlertSeverity;
const char *alert_severity_name(AlertSeverity severity); // "Informational" ... "High"
bool alert_severity_parse(Str text, AlertSeverity *out); // any case

typedef enum TriggerOperator { TRIGGER_GT, TRIGGER_LT, TRIGGER_EQ, TRIGGER_NE } TriggerOperator;
const char *trigger_name(TriggerOperator trigger); // "GreaterThan" ...

typedef struct RuleField {
    Str identifier, column; // of an entity: "Address" <- the column SrcIp
} RuleField;

typedef struct RuleEntity {
    Str type; // "Account", "IP" ... as the rule has it
    RuleField *fields;
    size_t field_count;
} RuleEntity;

// A text or a column that stands for something: custom details, dynamic alert properties.
typedef struct RulePair {
    Str key, value;
} RulePair;

typedef enum MatchingMethod { MATCH_ALL_ENTITIES, MATCH_ANY_ALERT, MATCH_SELECTED } MatchingMethod;

typedef struct RuleGrouping {
    bool create_incident; // default true
    bool enabled;         // alerts are put together into incidents
    bool reopen_closed;
    int64_t lookback; // ticks
    MatchingMethod matching;
    Str *entities; // types, when selected
    size_t entity_count;
    Str *alert_details; // "DisplayName", "Severity"
    size_t alert_detail_count;
    Str *custom_details; // keys
    size_t custom_detail_count;
} RuleGrouping;

typedef struct AnalyticsRule {
    Str id, name, description, version, query;
    RuleKind kind;
    AlertSeverity severity;
    bool enabled;              // default true
    int64_t frequency, period; // ticks; of NRT rules a minute
    TriggerOperator trigger;
    int64_t threshold;
    Str *tactics;
    size_t tactic_count;
    Str *techniques;
    size_t technique_count;
    RuleEntity *entities;
    size_t entity_count;
    Str entities_column;      // sentinelEntitiesMappings: a column that holds entities as JSON
    RulePair *custom_details; // key in the alert <- column
    size_t custom_detail_count;
    Str name_format, description_format; // "... {{Column}} ..."
    Str tactics_column, severity_column; // override those of the rule
    RulePair *dynamic_properties;        // "AlertLink" <- column
    size_t dynamic_property_count;
    bool alert_per_result; // one alert a row
    bool suppress;
    int64_t suppression; // ticks after an alert in which the rule does not run
    RuleGrouping grouping;
    Str *data_types; // of requiredDataConnectors: tables the rule says it needs
    size_t data_type_count;
    bool
        not_in_sentinel; // the rule says of itself (azimuth: {sentinel: false}) that it runs here only
    Str file;            // where it came from
    uint32_t query_line; // of the query's first line in the file
} AnalyticsRule;

typedef struct RuleSet {
    AnalyticsRule *items; // by id
    size_t len, cap;
} RuleSet;

// A rule file that could not be used; the others are.
typedef struct RuleProblem {
    Str file, text;
    bool is_warning;
} RuleProblem;
typedef struct RuleProblems {
    RuleProblem *items;
    size_t len, cap;
} RuleProblems;

// All rules of a file: one in YAML or JSON, a list of them, or the rules among the resources of
// an ARM template. False with an error that names the file, the line and the member.
bool rules_read_file(Arena *arena, const char *path, RuleSet *out, AzError *error);

// The rules of a file, or of all *.yaml, *.yml and *.json below a folder, by id. What cannot be
// read becomes a problem, and so does the second rule of one id. False when the path cannot
// be opened.
bool rules_load(Arena *arena, const char *path, RuleSet *out, RuleProblems *problems,
                AzError *error);
